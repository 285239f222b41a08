"""Random plans that look back, with random histories, on both back ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

from plans import BANDS, FEN, Book, frame

from rxcalc.backends.base import Row
from rxcalc.backends.columnar import Columnar
from rxcalc.backends.columnar.values import value_of
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, COUNT, DATE, DAYS, FLAG, MONEY, NUMBER, PERCENT, OneOf
from rxcalc.passes.sequence import moved
from rxcalc.plan.layout import input_scale, lay_out
from rxcalc.plan.nodes import Band, Plan, PlanSequence

AB = OneOf(("a", "b", "c"))

WINDOWS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "year": {"calendar": "year", "on": "on"},
    "quarter of another date": {"calendar": "quarter", "on": "seen", "starting": (2, 29)},
    "policy year": {"calendar": "year", "on": "on", "starting_input": "policy"},
    "chain": {"same": ("chain",)},
    "level and month": {"calendar": "month", "on": "on", "same": ("level",)},
    "60 days": {"rolling": (60, "days"), "on": "on"},
    "2 months": {"rolling": (2, "months"), "on": "on"},
    "1 year": {"rolling": (1, "years"), "on": "on", "same": ("chain",)},
    "3 calendar months": {"rolling": (3, "months"), "rolling_unit": "month", "on": "on"},
    "2 calendar quarters of another date": {"rolling": (2, "quarters"), "rolling_unit": "quarter", "on": "seen"},
    "90 days of another date": {"rolling": (90, "days"), "on": "seen", "same": ("level",)},
    "spell": {"gap": (30, "days"), "gap_from": "left", "gap_to": "on"},
    "spell of a chain": {"gap": (1, "months"), "gap_from": "left", "gap_to": "on", "same": ("chain",)},
    "period": {"period": (3, "months"), "on": "on"},
    "period of a level": {"period": (45, "days"), "on": "on", "same": ("level",)},
}
"""Every kind of window; `on` is the first field of the order."""


class Histories:
    """A random plan with one window, and calls of every kind into it."""

    def __init__(self, kind: str, seed: int) -> None:
        self.pick = random.Random(f"{kind} {seed}")
        self.kind = kind
        book = self.book = Book()
        spec = dict(WINDOWS[kind])
        book.window("w", **spec)
        if self.pick.random() < 0.3:
            book.window("v", **WINDOWS[self.pick.choice(list(WINDOWS))])
        if self._any_order() and self.pick.random() < 0.25:
            book.sequence = PlanSequence(
                "person", self.pick.choice([("seen", "episode_id"), ("level", "on", "episode_id")]), ""
            )
        self.x = book.input("x", MONEY, -100, 1000)
        book.input("big", MONEY, 0, 10 ** self.pick.choice([4, 14, 16]))
        book.input("urgent", FLAG)
        book.input("fee", MONEY, 0, 10, optional=True)
        self.seen = book.input("seen", DATE, date(2023, 1, 1), date(2027, 12, 31))
        book.input("left", DATE, date(2023, 1, 1), date(2027, 12, 31), optional=self.pick.random() < 0.3)
        book.input("policy", DATE, date(2020, 1, 1), date(2024, 12, 31))
        self.level = book.input("level", AB)
        self.other = book.input("other", AB)
        self.code = book.input("code", CODE)
        book.input("chain", CODE, optional=True)
        self.n = book.input("n", COUNT, 0, 9)
        book.table(
            "prices", {"code": CODE}, {"price": MONEY}, [((c,), (Fraction(at * 7, 2),)) for at, c in enumerate("ABC")]
        )
        book.parameter(
            "rate", PERCENT, {date(2024, 1, 1): {("a",): Fraction(1, 2), ("b",): Fraction(3, 4), ("c",): Fraction(1, 4)},
            date(2025, 3, 1): {("a",): Fraction(1, 3), ("b",): Fraction(2, 3), ("c",): None}}, (AB.values,)
        )  # fmt: skip
        bands = tuple(
            Band(limit, True, rate) for limit, rate in ((Fraction(200), Fraction(1, 2)), (None, Fraction(4, 5)))
        )
        book.parameter(
            "steps", BANDS, {date(2024, 1, 1): bands, date(2025, 1, 1): (bands[0], Band(None, True, Fraction(1, 4)))}
        )
        self.half = book.step("half", book.node(Op.MULTIPLY, self.x, book.const("0.5")), mode="half-even")
        used = book.call("w", "sum", book.earlier("w", "pays"))
        left = book.node(Op.MAX, book.const(0), book.add(book.const(300), used, signs=(1, -1)))
        book.step("pays", book.node(Op.MIN, book.node(Op.MAX, book.const(0), self.x), left))
        self.made: list[tuple[str, Any, int]] = []  # steps so far: name, type, node
        if self.pick.random() < 0.15:  # no column holds a root
            root = book.node(
                Op.ROOT,
                book.node(Op.MAX, self.n, book.const(1, COUNT), of=COUNT),
                book.const(2, COUNT),
                of=NUMBER,
                data=_fen(),
            )
            rare = book.test(Op.GT, self.x, book.const(self.pick.choice([900, -50])))
            value = book.node(Op.MULTIPLY, root, book.const(1))
            self.made.append(("rare", MONEY, book.step("rare", [(rare, value), (-1, self.half)], to="0.01")))
            so_far = book.call("w", self.pick.choice(["sum", "max", "last"]), book.earlier("w", "rare"))
            book.step("so_far", so_far, optional=True)
        for at in range(self.pick.randint(2, 5)):
            self._step(f"s{at}", self.pick.choice([w.name for w in book.windows]))
        if self.pick.random() < 0.2:
            paid = book.node(Op.STEP, of=MONEY, data="pays")
            total = book.add(paid, book.const(7))
            book.divide("bill", total, {"fund.pool": paid, "patient": -1}, negative=True)
        if self.pick.random() < 0.15:
            book.require(book.test(Op.LT, self.x, book.const(950)), after=True)

    def _any_order(self) -> bool:
        """Spells and periods want their date first."""
        return not any(w.gap[0] or w.period[0] for w in self.book.windows)

    # Values, conditions and calls

    def value(self, w: str) -> tuple[int, Any, int]:
        """A node inside a call, its type, and a condition it needs (-1: none)."""
        book, pick = self.book, self.pick
        earlier = partial(book.earlier, w)
        match pick.randrange(20):
            case 14 if self.made:
                name, of, _ = pick.choice(self.made)
                found = earlier(name, of)
                return found, of, book.node(Op.KNOWN, found, of=FLAG, earlier=True)
            case 15:
                return earlier("big"), MONEY, -1
            case 16:
                return earlier("code", CODE), CODE, -1
            case 17:
                return earlier("urgent", FLAG), FLAG, -1
            case 18:  # a band's rate at this episode's date on the earlier one's amount, mapped by both
                rate = book.node(Op.LOCAL, of=PERCENT, data="r", body=True)
                body = book.node(
                    Op.IF, book.node(Op.EQ, earlier("level", AB), self.level, of=FLAG, body=True), rate,
                    book.node(Op.MULTIPLY, rate, book.const("0.5", PERCENT), of=PERCENT, body=True), of=PERCENT, body=True,
                )  # fmt: skip
                amount = book.node(Op.MAX, book.const(0), earlier("x"))
                found = book.schedule(Op.BANDS, "steps", book.const(0), amount, body=body)
                return book.node(Op.ROUND, found, data=_fen()), MONEY, -1
            case 19:
                return book.node(Op.MIN, earlier("big"), book.node(Op.STEP, of=MONEY, data="pays")), MONEY, -1
            case 0 | 1:
                return earlier("pays"), MONEY, -1
            case 2:
                return earlier("x"), MONEY, -1
            case 3:
                return earlier("half"), MONEY, -1
            case 4:
                fee = earlier("fee")
                return fee, MONEY, book.node(Op.KNOWN, fee, of=FLAG, earlier=True)
            case 5:
                return earlier("on", DATE), DATE, -1
            case 6:
                return earlier("level", AB), AB, -1
            case 7:
                return earlier("n", COUNT), COUNT, -1
            case 8:  # both rows
                return book.node(Op.MIN, earlier("x"), self.x), MONEY, -1
            case 9:
                return book.add(earlier("pays"), self.half, signs=(1, -1)), MONEY, -1
            case 10:  # can fail
                return book.cell("prices", "price", earlier("code", CODE)), MONEY, -1
            case 11:
                scaled = book.node(Op.MULTIPLY, earlier("x"), book.use("rate", earlier("level", AB), missing=False))
                return book.node(Op.ROUND, scaled, data=_fen()), MONEY, -1
            case 12:
                days = book.node(Op.DAYS_BETWEEN, earlier("seen", DATE), self.seen, of=DAYS)
                return days, DAYS, -1
            case _:
                quotient = book.node(Op.DIVIDE, earlier("x"), earlier("n", COUNT))
                return book.node(Op.ROUND, quotient, data=_fen()), MONEY, -1

    def condition(self, w: str) -> int:
        """A flag inside a call."""
        book, pick = self.book, self.pick
        earlier = partial(book.earlier, w)

        def test(op: Op, a: int, b: int) -> int:
            return book.node(op, a, b, of=FLAG, earlier=True)

        match pick.randrange(15):
            case 11 if any(of == MONEY for _, of, _ in self.made):
                node = next(node for _, of, node in self.made if of == MONEY)
                return test(Op.GE, book.node(Op.DEFAULT, node, book.const(0)), earlier("half"))
            case 12:
                return earlier("urgent", FLAG)
            case 13:
                return test(Op.EQ, earlier("x"), self.x)
            case 0:
                return test(Op.GT, earlier("x"), book.const(300))
            case 1 | 2:
                return test(Op.EQ, earlier("level", AB), self.level)
            case 3:
                return test(Op.EQ, self.other, earlier("level", AB))
            case 4:
                return test(Op.GT, earlier("x"), self.x)
            case 5:
                return test(Op.LE, earlier("pays"), self.half)
            case 6:
                return test(Op.GT, book.cell("prices", "price", earlier("code", CODE)), book.const(3))
            case 7:
                return book.has_row("prices", earlier("code", CODE))
            case 8:
                moved = book.node(Op.ADD_MONTHS, earlier("seen", DATE), book.const(2, COUNT), of=DATE)
                return test(Op.GE, moved, self.seen)
            case 9:
                return test(Op.GT, book.use("rate", earlier("level", AB)), book.use("rate", self.other))
            case 10:
                known = book.has_row("prices", earlier("code", CODE))
                price = test(Op.GE, book.cell("prices", "price", earlier("code", CODE)), book.const(1))
                return book.node(Op.OR, book.node(Op.NOT, known, of=FLAG), price, of=FLAG)
            case _:
                return book.node(Op.NOT, test(Op.EQ, earlier("code", CODE), self.code), of=FLAG)

    def _step(self, name: str, w: str) -> None:
        book, pick = self.book, self.pick
        value, of, needs = self.value(w)
        number = of in (MONEY, COUNT, DAYS)
        function = pick.choice(["sum", "sum", "sum", "count", "count", "distinct", "first", "last", "min", "max"])
        if function == "sum" and not number:
            function = "count"
        if function in {"min", "max"} and of in (CODE, FLAG):
            function = "last"
        where = [needs] * (needs >= 0 and function not in {"first", "last", "distinct"})
        where += [self.condition(w) for _ in range(pick.choice([0, 0, 1, 1, 2]))]
        joined = -1 if not where else where[0] if len(where) == 1 else book.node(Op.AND, *where, of=FLAG)
        if function in {"count", "distinct"}:
            distinct = function == "distinct"
            found = book.call(
                w, "count", value if distinct else -1, joined, distinct=distinct, of=COUNT, correlated=True
            )
            self.made.append((name, COUNT, book.step(name, found, COUNT)))
            return
        found = book.call(w, function, value, joined, of=of, correlated=True)
        if of == MONEY and function == "sum" and pick.random() < 0.3:
            found = book.add(found, self.half)
        if pick.random() < 0.3:  # only some rows look
            last = book.const(0, of) if number else book.read({AB: "level", CODE: "code", FLAG: "urgent"}.get(of, "on"))
            clauses = [(book.test(Op.GT, self.x, book.const(100)), found), (-1, last)]
            self.made.append((name, of, book.step(name, clauses, of, optional=True)))
        else:
            self.made.append((name, of, book.step(name, found, of, optional=True)))

    # Histories

    def _edge(self, other: dict[str, Any]) -> date:
        """A date that many windows begin or end with, seen from another episode."""
        length = self.pick.choice(
            [(30, "days"), (1, "months"), (60, "days"), (2, "months"), (3, "months"), (45, "days"), (1, "years")]
        )
        known = [other[name] for name in ("left", "on", "seen") if other[name] is not None]
        return min(
            moved(self.pick.choice(known), *length) + timedelta(days=self.pick.choice([-1, 0, 0, 1])),
            date(2026, 12, 31),
        )

    def rows(self, count: int) -> list[dict[str, Any]]:
        """Episodes of a few persons in any order, some refused before."""
        pick = self.pick
        start = date(2024, 1, 1)
        persons = max(1, count // pick.choice([3, 8, 20]))
        spread = pick.choice([20, 200, 700])
        odd = pick.choice([0.0, 0.0, 0.05, 0.2])
        found = []
        for at in range(count):
            on = start + timedelta(days=pick.randrange(spread))
            person = f"P{pick.randrange(persons)}"
            if found and pick.random() < 0.25:  # at the edges of windows
                other = pick.choice(found)
                on, person = self._edge(other), other["person"]
            row: dict[str, Any] = {
                "episode_id": f"E{pick.randrange(10**6)}.{at}",
                "person": person,
                "on": on,
                "x": Fraction(pick.choice([pick.randrange(-10_000, 100_000), 0, 5_000]), 100),
                "fee": pick.choice([None, 1, Fraction(5, 2)]),
                "big": Fraction(pick.randrange(10**6), 100) if pick.random() < 0.5 else max_of(self.book, "big"),
                "urgent": pick.random() < 0.5,
                "seen": start + timedelta(days=pick.randrange(spread)),
                "left": on + timedelta(days=pick.choice([0, 1, 5, 40, -3])),
                "policy": date(2020, 1, 1) + timedelta(days=pick.randrange(1500)),
                "level": pick.choice("abbc"),
                "other": pick.choice("aab"),
                "code": pick.choice("AABC" if pick.random() < 0.95 else "Z"),
                "chain": pick.choice([None, "c1", "c2"]),
                "n": pick.choice([1, 2, 3, 3, 5, 5] if pick.random() < 0.97 else [0]),
            }
            if next(f for f in self.book.inputs if f.name == "left").optional and pick.random() < 0.2:
                row["left"] = None
            if pick.random() < odd:
                row["__bad"] = True
                if pick.random() < 0.3:
                    row["__key_unreadable"] = True
                    row[pick.choice(["on", "seen", "left", "level"])] = None
            found.append(row)
        if pick.random() < 0.1:
            found.append({**found[0], "x": Fraction(1)})
        pick.shuffle(found)
        return found


def _fen() -> Any:
    return FEN


def max_of(book: Book, name: str) -> Any:
    """The largest value of an input."""
    return next(field.high for field in book.inputs if field.name == name)


def exactly(plan: Plan, rows: Sequence[Mapping[str, Any]], *, compute: bool) -> dict[int, Any]:
    """What becomes of each row on the exact back end: steps, or a problem's code, field and value; and whether it is marked."""
    exact = Exact(plan)
    by: dict[Any, list[tuple[int, dict[str, Any]]]] = {}
    for at, raw in enumerate(frame(plan, rows).iter_rows(named=True)):
        values = {field.name: value_of(raw[field.name], field.type, input_scale(field)) for field in plan.inputs}
        by.setdefault(values[plan.sequence.by if plan.sequence else ""], []).append((at + 1, values))
    found: dict[int, Any] = {}
    for mine in by.values():
        ordered = sorted(
            mine, key=lambda row: tuple((row[1][n] is not None, row[1][n] or "") for n in plan.sequence.order)
        )  # type: ignore[union-attr]
        todo = [
            Row(
                n,
                str(n),
                values,
                refused=bool(rows[n - 1].get("__bad")),
                unplaced=bool(rows[n - 1].get("__key_unreadable")),
            )
            for n, values in ordered
        ]
        for ran in run_person(exact, todo, compute=compute):
            outcome = ran.outcome
            if outcome is None:
                continue
            problem = outcome.problem
            if problem is not None:
                found[ran.row.number] = (problem.code, problem.field, problem.value)
            else:
                found[ran.row.number] = (dict(outcome.steps), ran.after and compute)
    return found


def in_columns(
    plan: Plan, rows: Sequence[Mapping[str, Any]], *, compute: bool, small: int = 0, met: Counter[str] | None = None
) -> dict[int, Any]:
    """The same from the columnar back end."""
    exact = Exact(plan)

    def alone(*args: Any, **options: Any) -> Any:
        if met is not None:
            met["persons computed alone"] += 1
        return run_person(exact, *args, **options)

    back_end = Columnar(plan, partial(run_known, exact), alone)
    back_end.small_wave = small
    names = [step.name for step in plan.steps]
    result = back_end.run(frame(plan, rows), names, after_reject="compute" if compute else "refuse")
    found: dict[int, Any] = {row: (p.code, p.field, p.value) for row, p in result.problems}
    assert len(found) == len(result.problems)
    types = {step.name: step.type for step in plan.steps}
    for raw in result.values.iter_rows(named=True):
        row = raw.pop("__row")
        assert row not in found
        steps = {name: value_of(cell, types[name], 10 ** result.decimals.get(name, 0)) for name, cell in raw.items()}
        found[row] = (steps, row in result.marked)
    if met is not None:
        met["rows looked at again"] += len(result.flagged)
        met.update(f"call {call.how}" for call in lay_out(plan).calls)
        met.update(f"call because {call.why}" for call in lay_out(plan).calls if call.why)
        met.update(f"refused {what[0]}" for what in found.values() if isinstance(what[0], str))
        met["computed rows"] += sum(not isinstance(what[0], str) for what in found.values())
        met["marked rows"] += len(result.marked)
    return found


def compared(kind: str, seed: int, count: int, met: Counter[str]) -> list[str]:
    """Where the two differ on one random plan and history."""
    made = Histories(kind, seed)
    plan, rows = made.book.plan(), made.rows(count)
    compute = made.pick.random() < 0.4
    expected = exactly(plan, rows, compute=compute)
    small = made.pick.choice([0, 0, 0, 3])
    found = in_columns(plan, rows, compute=compute, small=small, met=met)
    met["rows"] += len(rows)
    met["plans"] += 1
    told = f"{kind} {seed}{' compute' if compute else ''}"
    return [
        f"{told} row {row}: exact {expected.get(row)}, columns {found.get(row)}"
        for row in sorted({*expected, *found})
        if expected.get(row) != found.get(row)
    ]
