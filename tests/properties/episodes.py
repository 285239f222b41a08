"""Episodes for a compiled plan that look for its boundaries: limits, ties, bounds, ends of periods."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import floor
from random import Random

from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import Band, Plan, PlanInput, Point, Value

ENDS = (
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2023, 12, 31),
    date(2024, 3, 31),
    date(2024, 6, 30),
    date(2024, 12, 31),
    date(2025, 1, 31),
)


class Hunter:
    """Makes episodes for one plan."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.r = Random(f"episodes {seed}")
        self.amounts: list[Fraction] = [Fraction(0)]
        self.limits: list[Fraction] = []
        self.points: list[Fraction] = [Fraction(3, 2)]
        self.dates: list[date] = list(ENDS)
        self.numbers: list[Fraction] = [Fraction(0), Fraction(1)]
        self.codes: list[str] = ["A01", "B20", "C", "nowhere"]
        self.rates: list[Fraction] = [Fraction(1, 2)]
        self._constants()
        self.home = [self._day() for _ in range(4)]

    def _constants(self) -> None:
        """What the plan compares with, reads and multiplies by."""
        plan = self.plan
        for node in plan.nodes:
            if node.op.value == "const":
                self._note(node.data, getattr(node.type, "kind", None))
        self.dates += [plan.effective_from, *([plan.effective_to] if plan.effective_to else [])]
        for parameter in plan.parameters:
            kind = getattr(parameter.type, "kind", None)
            over = getattr(parameter.type, "over", None)
            self.dates += [parameter.end] if parameter.end else []
            for segment in parameter.segments:
                self.dates.append(segment.start)
                for _, value in segment.values:
                    if not isinstance(value, tuple):
                        self._note(value, kind)
                        continue
                    for part in value:
                        at = part.limit if isinstance(part, Band) else part.at if isinstance(part, Point) else None
                        self._note(at, over)
                        self.points += [part.at] if isinstance(part, Point) else []
                        self.limits += [Fraction(at)] if at is not None and over is Kind.MONEY else []
                        self._note(part.value, getattr(parameter.type, "value", None))
        for table in plan.tables:
            for row in table.rows:
                self.dates += [d for d in (row.start, row.end) if d is not None]
                for key in row.keys:
                    self._note(key, Kind.MONEY if isinstance(key, Fraction) else None)
                    self.limits += [key] if isinstance(key, Fraction) else []
        self.dates = [d for d in self.dates if d.year > 2020] or list(ENDS)
        self.rates = [x for x in self.rates if 0 < x < 1 and x.denominator % 2 == 0] or [Fraction(1, 2)]

    def _note(self, value: object, kind: object) -> None:
        match value:
            case bool() | None:
                pass
            case date():
                self.dates.append(value)
            case str():
                self.codes.append(value)
            case int() | Fraction():
                target = self.amounts if kind is Kind.MONEY else self.rates if kind is Kind.PERCENT else self.numbers
                target.append(Fraction(value))

    def _day(self) -> date:
        r = self.r
        near = r.choice(self.dates)
        match r.randrange(4):
            case 0:
                return near + timedelta(days=r.choice((-1, 0, 0, 1)))
            case 1:
                return date(r.choice((2024, 2025)), r.choice((3, 6, 9, 12)), 1) - timedelta(days=r.choice((0, 1)))
            case 2:
                return date(r.choice((2023, 2024, 2025)), 7, 1) + timedelta(days=r.randrange(500))
            case _:
                return near

    def _tie(self, unit: Fraction) -> Fraction:
        """An amount of which a rate of the plan takes a whole number of units and a half."""
        rate = self.r.choice(self.rates)
        p, q = rate.numerator, rate.denominator
        residue = (q // 2) * pow(p, -1, q) % q
        return (residue + q * self.r.choice((0, 1, 7, self.r.randrange(2000), self.r.randrange(10**5)))) * unit

    def _amount(self, spec: PlanInput) -> Fraction:
        r = self.r
        unit = Fraction(1, 10**self.plan.decimals)
        fine = Fraction(1, 10**spec.decimals)
        high = Fraction(spec.high) if isinstance(spec.high, int | Fraction) else Fraction(10**11)
        low = Fraction(spec.low) if isinstance(spec.low, int | Fraction) else Fraction(0)
        match r.randrange(12):
            case 0 | 1 | 2:
                x = r.choice(self.limits or self.amounts) + r.choice((-1, 0, 1)) * unit
            case 3:
                x = r.choice(self.amounts) + r.choice((-1, 0, 0, 1)) * unit
            case 4 | 5:
                x = self._tie(unit)
            case 6 | 7:
                x = r.choice(self.amounts) + self._tie(unit)
            case 8:
                x = r.choice((low, high, high - fine, low + fine))
            case 9:
                x = Fraction(0)
            case 10:
                x = Fraction(floor(min(high, Fraction(10**6)) * r.random() / fine)) * fine
            case _:
                x = Fraction(10 ** r.randrange(1, 9) * r.randrange(1, 100), 10**spec.decimals)
        return min(max(_floored(x, fine), low), high)

    def value(self, spec: PlanInput) -> Value:
        """A value of an input within its bounds."""
        r = self.r
        if spec.optional and r.randrange(3) == 0:
            return None
        match spec.type:
            case OneOf(values=values):
                return r.choice(values[:2] if r.randrange(2) else values)
            case Plain(Kind.DATE):
                found = r.choice(self.home) if r.randrange(3) else self._day()
                low = spec.low if isinstance(spec.low, date) else date.min
                high = spec.high if isinstance(spec.high, date) else date.max
                return min(max(found, low), high)
            case Plain(Kind.FLAG):
                return r.randrange(2) == 0
            case Plain(Kind.CODE):
                return r.choice(self.codes)
            case Plain(Kind.CODES):
                return frozenset(r.sample(self.codes, r.randrange(0, 4))) or frozenset({"C"})
            case Plain(Kind.MONEY):
                return _whole(self._amount(spec))
            case Plain(Kind.COUNT):
                low, high = int(spec.low or 0), int(spec.high or 0)  # type: ignore[arg-type] # counts
                near = int(r.choice(self.numbers)) + r.choice((-1, 0, 0, 1))
                return min(max(int(r.choice((r.randrange(4), r.randrange(30), low, high, near, near))), low), high)
            case Plain(kind):
                grid = Fraction(1, 10 ** (spec.decimals + (2 if kind is Kind.PERCENT else 0)))
                low, high = Fraction(spec.low or 0), Fraction(spec.high or 0)  # type: ignore[arg-type] # numbers
                x = r.choice(
                    (
                        low,
                        high,
                        r.choice(self.points),
                        r.choice(self.points),
                        r.choice(self.numbers),
                        r.choice(self.rates),
                        r.choice(self.numbers) + grid,
                        r.choice(self.numbers) - grid,
                        Fraction(r.randrange(1, 10**4), 100),
                    )
                )
                return _whole(min(max(_floored(x, grid), low), high))
        raise AssertionError(spec)

    def episodes(self, count: int) -> list[dict[str, Value]]:
        """So many episodes of a few persons, in any order."""
        r = self.r
        persons = [f"P{n}" for n in range(max(2, count // r.choice((2, 4, 8))))]
        ids = [f"E{n}" for n in range(count)]
        r.shuffle(ids)
        found: list[dict[str, Value]] = []
        for name in ids:
            episode = {spec.name: self.value(spec) for spec in self.plan.inputs}
            episode["episode_id"], episode["person_id"] = name, r.choice(persons)
            scope, total = episode.get("scope"), episode.get("total")
            if (
                isinstance(scope, int | Fraction)
                and isinstance(total, int | Fraction)
                and scope > total
                and r.randrange(8)
            ):
                episode["scope"], episode["total"] = total, scope
            found.append(episode)
        return found


def _floored(x: Fraction, grid: Fraction) -> Fraction:
    return Fraction(floor(x / grid)) * grid


def _whole(x: Fraction) -> int | Fraction:
    return x.numerator if x.denominator == 1 else x
