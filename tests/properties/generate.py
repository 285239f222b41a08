"""Random valid rulebooks over the whole language, written type by type so that nearly every one compiles.

Plain `random.Random`: a seed gives the same rulebook and the same episodes everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

CURRENCIES = (("CNY", 2), ("CNY", 2), ("CNY", 2), ("JPY", 0), ("KWD", 3), ("TWD", 0))
MODES = ("half-up", "half-up", "half-even", "half-down", "up", "down")
RATES = (
    "0%",
    "5%",
    "10%",
    "12.5%",
    "15%",
    "25%",
    "30%",
    "50%",
    "60%",
    "62.5%",
    "75%",
    "80%",
    "85%",
    "92%",
    "95%",
    "97.5%",
    "100%",
)
CODES = ("A01", "A02.1", "B20", "B9", "C", "Z99")
FIRST, LAST = date(2023, 7, 1), date(2026, 6, 30)
DAYS = (
    date(2023, 1, 1),
    date(2024, 2, 29),
    date(2024, 7, 1),
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2025, 4, 1),
    date(2025, 12, 31),
)

MONEY, PERCENT, NUMBER, COUNT, DAYS_T, DATE, FLAG, CODE = (
    "money",
    "percent",
    "number",
    "count",
    "days",
    "date",
    "flag",
    "code",
)


@dataclass
class Rulebook:
    """A generated rulebook: its text and the tables beside it."""

    seed: int
    text: str
    tables: dict[str, str]

    def write(self, folder: Path) -> Path:
        """Writes it out; the path of the rulebook."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.tables.items():
            (folder / name).write_text(text, encoding="utf-8")
        path = folder / "rulebook.yaml"
        path.write_text(self.text, encoding="utf-8")
        return path


@dataclass
class _Set:
    """A set of values, and whether they compare."""

    values: tuple[str, ...]
    ordered: bool


@dataclass
class _Step:
    """What later rules may do with a step."""

    name: str
    type: str
    finite: bool
    optional: bool
    looks_back: bool


@dataclass
class _World:
    """All that has been declared so far."""

    fields: dict[str, list[str]] = field(default_factory=dict)  # always known, by type
    optional: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, _Set] = field(default_factory=dict)  # inputs and steps of a set
    scalars: dict[str, list[str]] = field(default_factory=dict)  # texts that read a parameter
    none: dict[str, list[str]] = field(default_factory=dict)  # texts that may be missing
    steps: list[_Step] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)


class Writer:
    """Writes one rulebook."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.r = Random(f"rulebook {seed}")
        self.currency, self.decimals = self.r.choice(CURRENCIES)
        self.mode = self.r.choice(MODES)
        self.w = _World()
        self.lines: list[str] = []
        self.tables: dict[str, str] = {}
        self.table_decls: list[str] = []
        self.bands: list[tuple[str, str]] = []  # (text of the parameter with keys, unit of the schedule's range)
        self.cliffs: list[tuple[str, str, str]] = []
        self.curves: list[tuple[str, str, str]] = []
        self.daily: list[str] = []
        self.lookups: list[str] = []
        self.future: list[str] = []  # money steps still to come, for windows
        self.narrowed: set[str] = set()

    # Small things

    def chance(self, percent: int) -> bool:
        """Whether it happens this time."""
        return self.r.randrange(100) < percent

    def unit(self) -> Fraction:
        """The minor unit."""
        return Fraction(1, 10**self.decimals)

    def amount(self, most: int = 50_000) -> str:
        """An amount with at most the currency's decimals."""
        whole = self.r.choice(
            (self.r.randrange(1, 20), self.r.randrange(1, 1000), self.r.randrange(1, most) // 50 * 50 + 50)
        )
        if self.decimals and self.chance(25):
            return f"{whole}.{self.r.randrange(1, 10**self.decimals):0{self.decimals}d}"
        return str(whole)

    def literal(self, of: str) -> str:
        """A constant of a type, as a rule writes it."""
        match of:
            case "money":
                return f"{self.currency} {self.amount()}" if self.chance(85) else f"{self.currency} 0"
            case "percent":
                return self.r.choice(RATES)
            case "number":
                return self.r.choice(("0.5", "1.25", "2", "0.1", "3.75", "1.005", "0.333"))
            case "count":
                return str(self.r.choice((0, 1, 2, 3, 5, 10)))
            case "days":
                return f"{self.r.choice((1, 7, 30, 60))} days"
            case "date":
                return str(self.r.choice(DAYS))
            case "flag":
                return self.r.choice(("yes", "no"))
            case _:
                return f'"{self.r.choice(CODES)}"'

    # Expressions

    def e(self, of: str, depth: int) -> str:
        """An expression of a type that always has a value."""
        if depth <= 0 or self.chance(15):
            return self.r.choice(self.w.fields[FLAG]) if of == FLAG else self.leaf(of)
        match of:
            case "money":
                return self.money(depth)
            case "percent":
                return self.percent(depth)
            case "number":
                return self.number(depth)
            case "count":
                return self.count(depth)
            case "days":
                return self.days(depth)
            case "date":
                return self.date(depth)
            case "flag":
                return self.flag(depth)
            case _:
                return self.leaf(of)

    def leaf(self, of: str) -> str:
        """A field, a parameter, a value with its default, or a constant."""
        kind = self.r.randrange(10)
        fields = self.w.fields.get(of, [])
        if kind < 6 and fields:
            return self.r.choice(fields)
        scalars = self.w.scalars.get(of, [])
        if kind < 8 and scalars:
            return self.r.choice(scalars)
        missing = [*self.w.optional.get(of, []), *self.w.none.get(of, [])]
        if kind < 9 and missing:
            return f"default({self.r.choice(missing)}, {self.literal(of)})"
        return self.literal(of)

    def choose(self, of: str, depth: int) -> str:
        """`if` with a branch of the type each; now and then on whether something is known."""
        missing = self.w.optional.get(of, [])
        if missing and self.chance(40):
            x = self.r.choice(missing)
            return f"(if {x} is known then {x} else {self.e(of, depth - 1)})"
        return f"(if {self.e(FLAG, depth - 1)} then {self.e(of, depth - 1)} else {self.e(of, depth - 1)})"

    def least(self, of: str, depth: int) -> str:
        """`min`, `max` or `clamp`."""
        a, b = self.e(of, depth - 1), self.e(of, depth - 1)
        match self.r.randrange(4):
            case 0:
                return f"min({a}, {b})"
            case 1:
                return f"max({a}, {b})"
            case 2:
                return f"min({a}, {b}, {self.leaf(of)})"
            case _:
                return f"clamp({a}, {b}, {self.leaf(of)})"

    def positive(self, of: str, depth: int) -> str:
        """An expression that is not negative, mostly."""
        if of == MONEY and self.chance(45):
            return self.r.choice(sorted(self.narrowed))
        text = self.e(of, depth)
        return (
            text
            if self.chance(6) or (text in self.w.fields.get(of, []) and text in self.narrowed)
            else f"max(0, {text})"
        )

    def start(self, of: str, depth: int) -> str:
        """Where a range starts: now and then below zero."""
        return "paid" if of == MONEY and self.chance(15) else self.positive(of, depth)

    def read_at(self, of: str, depth: int) -> str:
        """Where a cliff or curve is read: mostly at a field, so that its limits are met."""
        return self.r.choice(self.w.fields[of][:4]) if self.chance(60) else self.e(of, depth)

    def money(self, depth: int) -> str:
        """An amount."""
        options = ["+", "-", "/", "*%", "*%", "*n", "/", "least", "least", "if", "round", "neg", "abs"]
        options += (
            ["bands"] * (4 if self.bands else 0)
            + ["cliff", "curve", "daily"]
            + ["window"] * (3 if self.w.windows else 0)
        )
        options += ["table"] * (2 if self.lookups else 0)
        d = depth - 1
        match self.r.choice(options):
            case "+":
                return f"({self.e(MONEY, d)} + {self.e(MONEY, d)})"
            case "-":
                return f"({self.e(MONEY, d)} - {self.e(MONEY, d)})"
            case "*%":
                return f"({self.e(MONEY, d)} * {self.e(PERCENT, d)})"
            case "*n":
                return f"({self.e(MONEY, d)} * {self.e(self.r.choice((NUMBER, COUNT)), d)})"
            case "/":
                return self.quotient(MONEY, d)
            case "if":
                return self.choose(MONEY, depth)
            case "round":
                to = self.r.choice(("0.05", "0.1", "1", "10") if self.decimals else ("1", "5", "100"))
                return f"{self.r.choice(('round', 'floor', 'ceil'))}({self.e(MONEY, d)}, {to})"
            case "neg":
                return f"(-{self.e(MONEY, d)})"
            case "abs":
                return f"abs({self.e(MONEY, d)})"
            case "bands":
                return self.banded(d)
            case "cliff":
                found = [c for c in self.cliffs if c[2] == MONEY]
                if found:
                    name, over, _ = self.r.choice(found)
                    return f"step({name}, {self.read_at(over, d)})"
            case "curve":
                found = [c for c in self.curves if c[2] == PERCENT]
                if found:
                    name, over, _ = self.r.choice(found)
                    return f"({self.e(MONEY, d)} * along({name}, {self.read_at(over, d)}))"
            case "daily":
                if self.daily:
                    a, b = self.e(DATE, d), self.e(DATE, d)
                    return f"over_days({self.r.choice(self.daily)}, {a} .. {b})"
            case "window" if self.chance(30):
                return f"({self.leaf(MONEY)} * {self.window_count()})"
            case "window":
                return self.window_money()
            case "table":
                return self.r.choice(self.lookups)
        return self.least(MONEY, depth)

    def quotient(self, of: str, depth: int) -> str:
        """A division, mostly guarded against zero."""
        by = self.r.choice((NUMBER, COUNT, PERCENT) if of == MONEY else (NUMBER, COUNT))
        under = self.leaf(by)
        if self.chance(15):
            return f"({self.e(of, depth)} / quantity)"
        if self.chance(30):
            return f"({self.e(of, depth)} / {self.r.choice(('2', '3', '7', '0.4') if by != PERCENT else ('50%', '30%', '12.5%'))})"
        if self.chance(25):
            return f"({self.e(of, depth)} / {under})"
        least = "50%" if by == PERCENT else "1"
        return f"({self.e(of, depth)} / max({under}, {least}))"

    def banded(self, depth: int) -> str:
        """`bands`, `band` or `bands_reach`."""
        name, over = self.r.choice(self.bands)
        high = self.positive(over, depth)
        if over != MONEY:
            return f"({self.literal(MONEY)} * bands({name}, {high}))" if over == "flat" else f"bands({name}, {high})"
        ends = high if self.chance(25) else f"{self.start(over, depth - 1)} .. {high}"
        body = ""
        if self.chance(40):
            rate = f"rate{self.r.randrange(3)}"
            share = self.r.choice(("50%", "60%", "75%", "99.5%"))
            body = self.r.choice(
                (
                    f", {rate} -> 100% - {share} * (100% - {rate})",
                    f", {rate} -> {rate} * {share}",
                    f", {rate} -> if {self.e(FLAG, 0)} then {rate} * {share} else {rate}",
                    f", {rate} -> min({rate}, {self.leaf(PERCENT)})",
                    f", {rate} -> {rate} + {self.r.choice(('2.5%', '5%', '10%', '30%'))}",
                    f", {rate} -> {rate} + {self.r.choice(('15%', '-10%', '40%'))}".replace("+ -", "- "),
                )
            )
        match self.r.randrange(5):
            case 0:
                n = self.r.choice(("1", "2", "3", self.leaf(COUNT)))
                return f"band({name}, {n}, {ends}{body})"
            case 1 | 2:
                return f"bands_reach({name}, {self.e(MONEY, depth - 1)}, {ends}{body})"
            case _:
                return f"bands({name}, {ends}{body})"

    def percent(self, depth: int) -> str:
        """A ratio."""
        d = depth - 1
        match self.r.randrange(9):
            case 0:
                return f"({self.e(PERCENT, d)} * {self.e(PERCENT, d)})"
            case 1:
                return f"(100% - {self.leaf(PERCENT)})"
            case 2:
                return self.choose(PERCENT, depth)
            case 3 if self.curves:
                found = [c for c in self.curves if c[2] == PERCENT]
                if found:
                    name, over, _ = self.r.choice(found)
                    return f"along({name}, {self.read_at(over, d)})"
            case 4:
                found = [c for c in self.cliffs if c[2] == PERCENT]
                if found:
                    name, over, _ = self.r.choice(found)
                    return f"step({name}, {self.read_at(over, d)})"
            case 5:
                return f"as_percent({self.e(NUMBER, 0)})"
            case 6:
                return f"as_percent({self.leaf(PERCENT)} / {self.r.choice(('2', '3', '1.6'))})"
            case 7:
                return f"{self.r.choice(('round', 'floor', 'ceil'))}({self.e(PERCENT, d)}, {self.r.choice(('0.01%', '1%', '0.5%'))})"
        return self.least(PERCENT, depth)

    def number(self, depth: int) -> str:
        """A number."""
        d = depth - 1
        match self.r.randrange(8):
            case 0:
                return f"({self.e(NUMBER, d)} {self.r.choice('+-')} {self.e(NUMBER, d)})"
            case 1:
                return f"({self.leaf(NUMBER)} * {self.leaf(self.r.choice((NUMBER, COUNT, PERCENT)))})"
            case 2:
                if self.chance(50):
                    return f"({self.leaf(MONEY)} / {self.r.choice(('paid', 'paid', 'base', 'scope'))})"
                return f"({self.leaf(MONEY)} / max({self.literal(MONEY)}, {self.currency} 1))"
            case 3:
                return self.quotient(NUMBER, d)
            case 4:
                return f"as_number({self.e(PERCENT, d)})"
            case 5:
                return self.choose(NUMBER, depth)
            case 6:
                return f"({self.e(DAYS_T, d)} / {self.r.choice(('7 days', '30 days'))})"
            case _:
                return self.least(NUMBER, depth)

    def count(self, depth: int) -> str:
        """A whole number."""
        d = depth - 1
        match self.r.randrange(9):
            case 0:
                return f"({self.e(COUNT, d)} {self.r.choice('+-')} {self.e(COUNT, d)})"
            case 1:
                return f"{self.r.choice(('year', 'month', 'day'))}({self.e(DATE, d)})"
            case 2:
                return f"{self.r.choice(('months_between', 'age'))}({self.e(DATE, d)}, {self.e(DATE, d)})"
            case 3 if self.w.windows:
                return self.window_count()
            case 4 if self.w.windows:
                return self.window_count()
            case 5:
                return f"abs({self.e(COUNT, d)})"
            case 6:
                return self.choose(COUNT, depth)
            case _:
                return self.least(COUNT, depth)

    def days(self, depth: int) -> str:
        """A number of days."""
        d = depth - 1
        match self.r.randrange(5):
            case 0:
                return f"({self.e(DATE, d)} - {self.e(DATE, d)})"
            case 1:
                return f"days_between({self.e(DATE, d)}, {self.e(DATE, d)})"
            case 2:
                return f"days({self.leaf(COUNT)})"
            case 3:
                return f"({self.leaf(DAYS_T)} * {self.r.choice(('2', '3'))})"
            case _:
                return self.least(DAYS_T, depth)

    def date(self, depth: int) -> str:
        """A date."""
        d = depth - 1
        unit = self.r.choice(("month", "quarter", "year"))
        match self.r.randrange(10):
            case 0 | 1:
                return f"{self.r.choice(('first_day', 'last_day'))}({self.e(DATE, d)}, {unit})"
            case 2:
                return f"({self.e(DATE, d)} {self.r.choice('+-')} {self.literal(DAYS_T)})"
            case 3 | 4:
                n = self.r.choice(("1 month", "3 months", "12 months", "1 year", "2 years", "6 months"))
                return f"({self.e(DATE, d)} {self.r.choice('+-')} {n})"
            case 5:
                return f"({self.leaf(DATE)} + months({self.r.choice(('2', 'min(' + self.leaf(COUNT) + ', 30)'))}))"
            case 6:
                return f"date(year({self.leaf(DATE)}), {self.r.choice((2, 6, 12))}, {self.r.choice((1, 28, 29, 30))})"
            case 7:
                return f"{self.r.choice(('first_day', 'last_day'))}(year({self.leaf(DATE)}))"
            case 8:
                return self.choose(DATE, depth)
            case _:
                return f"{self.r.choice(('min', 'max'))}({self.e(DATE, d)}, {self.leaf(DATE)})"

    def flag(self, depth: int) -> str:
        """A condition that compares fields with each other or with constants."""
        d = depth - 1
        op = self.r.choice(("=", "!=", "<", "<=", ">", ">=", "<=", ">"))
        match self.r.randrange(18):
            case 16 | 17:
                return f"({self.r.choice([*self.w.fields[NUMBER], 'stay', 'quantity'])} {op} {self.literal(NUMBER)})"
            case 0 | 1 | 2:
                of = self.r.choice((MONEY, MONEY, PERCENT, NUMBER, COUNT, DATE, DAYS_T))
                return f"({self.e(of, d)} {op} {self.e(of, d)})"
            case 3:
                return f"({self.e(FLAG, d)} and {self.e(FLAG, d)})"
            case 4:
                return f"({self.e(FLAG, d)} or {self.e(FLAG, d)})"
            case 5:
                return f"(not {self.e(FLAG, d)})"
            case 6:
                of = self.r.choice((MONEY, COUNT, DATE))
                return f"({self.e(of, d)} between {self.leaf(of)} and {self.leaf(of)})"
            case 7 | 8 if self.w.sets:
                name = self.r.choice(list(self.w.sets))
                values = self.w.sets[name]
                if values.ordered and self.chance(60):
                    return f"({name} {op} {self.r.choice(values.values)})"
                if self.chance(50):
                    return f"({name} in {{{', '.join(self.r.sample(values.values, self.r.randrange(1, len(values.values))))}}})"
                return f"({name} {self.r.choice(('=', '!='))} {self.r.choice(values.values)})"
            case 9:
                missing = [x for names in self.w.optional.values() for x in names] + [
                    x for names in self.w.none.values() for x in names
                ]
                if missing:
                    return f"({self.r.choice(missing)} is {self.r.choice(('known', 'missing'))})"
            case 10:
                pairs = [
                    (of, x)
                    for of, names in self.w.optional.items()
                    for x in names
                    if of in (MONEY, COUNT, DATE, PERCENT)
                ]
                if pairs:
                    of, x = self.r.choice(pairs)
                    if self.chance(50):
                        return f"({x} is known and {x} {op} {self.leaf(of)})"
                    return f"({x} is missing or {x} {op} {self.leaf(of)})"
            case 11 if self.w.fields.get(CODE):
                x = self.r.choice(self.w.fields[CODE])
                if self.chance(50):
                    return f"({x} {self.r.choice(('=', '!='))} {self.literal(CODE)})"
                return f'({x} in {{{self.literal(CODE)}, "B20", "nowhere"}})'
            case 12 if self.w.fields.get("codes"):
                x = self.r.choice(self.w.fields["codes"])
                other = self.r.choice(self.w.fields["codes"])
                return f"({x} has {self.leaf(CODE)})" if self.chance(60) else f"({x} meets {other})"
            case 13 if self.present:
                return f"({self.r.choice(self.present)})"
        return (
            self.r.choice(self.w.fields[FLAG]) if self.chance(50) else f"({self.e(MONEY, 0)} {op} {self.e(MONEY, 0)})"
        )

    # Windows

    def where(self, window: str) -> str:
        """A filter of a window call, or nothing."""
        if self.chance(55):
            return ""
        parts = []
        for _ in range(self.r.choice((1, 1, 2))):
            match self.r.randrange(10):
                case 7:
                    parts.append(f"{window}.{self.r.choice(self.plain_money)} > {self.r.choice(self.w.scalars[MONEY])}")
                case 8:
                    parts.append(f"{window}.{self.r.choice(self.plain_money)} > {self.r.choice(self.w.fields[MONEY])}")
                case 9:
                    parts.append(f"{window}.fund_pays > 0")
                case 0 if self.inputs_of_sets:
                    name = self.r.choice(self.inputs_of_sets)
                    op = self.r.choice(("=", "!=", "<=")) if self.w.sets[name].ordered else self.r.choice(("=", "!="))
                    parts.append(f"{window}.{name} {op} {name}")
                case 1 if self.inputs_of_sets:
                    name = self.r.choice(self.inputs_of_sets)
                    parts.append(f"{window}.{name} = {self.r.choice(self.w.sets[name].values)}")
                case 2:
                    parts.append(
                        f"{window}.{self.r.choice(self.plain_money)} {self.r.choice(('>', '<=', '<'))} {self.r.choice(self.plain_money)}"
                    )
                case 3:
                    parts.append(f"{window}.{self.r.choice(self.plain_money)} >= {self.literal(MONEY)}")
                case 4:
                    parts.append(
                        f"{window}.day {self.r.choice(('=', '<', '>='))} {self.r.choice(('day', 'day - 30 days', 'first_day(day, month)'))}"
                    )
                case 5 if self.w.fields.get(FLAG):
                    parts.append(f"{window}.{self.r.choice(self.flags)}")
                case _:
                    parts.append(f"{window}.code = code")
        return " where " + self.r.choice((" and ", " and ", " or ")).join(parts)

    def seen(self) -> str:
        """An amount of earlier episodes that a window may read."""
        return self.r.choice([*self.future, *self.future, *self.plain_money, "fund_pays", "patient_pays"])

    def window_money(self) -> str:
        """A window call that gives an amount."""
        window = self.r.choice(self.w.windows)
        value = self.seen()
        function = self.r.choice(("sum", "sum", "sum", "last", "first", "min", "max"))
        where = self.where(window)
        if self.chance(20):
            value = f"{window}.{value} {self.r.choice('+-')} {window}.{self.seen()}"
        elif self.chance(10):
            value = f"{window}.{value} * {self.r.choice(('50%', '12.5%'))}"
        call = f"{window}.{function}({value}{where})"
        return call if function == "sum" else f"default({call}, {self.literal(MONEY)})"

    def window_count(self) -> str:
        """A window call that counts."""
        window = self.r.choice(self.w.windows)
        match self.r.randrange(5):
            case 4:
                return f"{window}.count(distinct {self.r.choice(['code', 'day', 'tier'])})"
            case 0:
                where = self.where(window)
                return f"{window}.count({where.strip()})"
            case 1:
                return f"{window}.count(distinct {self.r.choice(['code', 'day', *self.inputs_of_sets])}{self.where(window)})"
            case _:
                return f"{window}.count()"

    # Declarations

    def say(self, text: str = "") -> None:
        """Adds lines to the rulebook."""
        self.lines.append(text)

    def write(self) -> Rulebook:
        """The rulebook."""
        open_end = self.chance(50)
        self.effective = (FIRST, None if open_end else LAST)
        self.say("rxcalc: 1")
        self.say(f"rulebook: generated-{self.seed}")
        self.say('version: "1"')
        decimals = {"CNY": 2, "JPY": 0, "KWD": 3}.get(self.currency)
        self.say(
            f"currency: {self.currency}"
            if decimals == self.decimals
            else f"currency: {{code: {self.currency}, decimals: {self.decimals}}}"
        )
        self.say(f"rounding: {self.mode}")
        self.say(f"effective: {{from: {FIRST}, {'' if open_end else f'to: {LAST}, '}by: day}}")
        self._inputs()
        self._windows()
        self.present: list[str] = []
        self._parameters()
        self._tables()
        self._steps()
        self._ends()
        return Rulebook(self.seed, "\n".join(self.lines) + "\n", self.tables)

    def _inputs(self) -> None:
        r, w = self.r, self.w
        self.say("sets:\n  tier: [t1, t2, t3]")
        self.say("inputs:")
        self.say("  episode_id: {type: code}\n  person_id: {type: code}")
        bounds = f", min: {FIRST - timedelta(days=40)}, max: {LAST + timedelta(days=200)}" if self.chance(70) else ""
        self.say(f"  day: {{type: date{bounds}}}")
        self.say("  begun: {type: date, min: 2022-01-01, max: 2027-12-31}")
        w.fields[DATE] = ["day", "begun"]
        most = r.choice(("", "", ", max: 100_000_000", ", max: 1_000_000"))
        extra = f", decimals: {self.decimals + r.choice((1, 2, 4))}" if self.chance(15) else ""
        self.say(f"  total: {{type: money{most}}}")
        self.say(f"  scope: {{type: money{most}}}")
        self.say(f"  paid: {{type: money, min: {r.choice((-1000, 0, 5))}, max: {r.choice((5_000, 250_000))}{extra}}}")
        w.fields[MONEY] = ["total", "scope", "paid"]
        self.narrowed = {"total", "scope"}
        self.plain_money = ["total", "scope", "paid"] if not extra else ["total", "scope"]
        self.say(
            f"  quantity: {{type: number, min: {r.choice((0, -5))}, max: {r.choice((10, 1_000))}, decimals: {r.choice((0, 1, 1, 2, 4))}}}"
        )
        w.fields[NUMBER] = ["quantity"]
        if self.chance(15):
            self.say("  anything: {type: number}")
            w.fields[NUMBER].append("anything")
        self.say(f"  stay: {{type: count, max: {r.choice((3, 60, 400))}}}")
        w.fields[COUNT] = ["stay"]
        self.say(f"  part: {{type: percent{r.choice(('', ', decimals: 1', ', min: 10%, max: 90%'))}}}")
        w.fields[PERCENT] = ["part"]
        self.say("  urgent: {type: flag}\n  referred: {type: flag, default: no}")
        w.fields[FLAG] = ["urgent", "referred"]
        self.flags = list(w.fields[FLAG])
        self.say("  tier: {one_of: tier}")
        self.say("  level: {one_of: [low, mid, high, top], ordered: yes}")
        w.sets["tier"] = _Set(("t1", "t2", "t3"), ordered=False)
        w.sets["level"] = _Set(("low", "mid", "high", "top"), ordered=True)
        self.inputs_of_sets = ["tier", "level"]
        self.say("  code: {type: code}")
        w.fields[CODE] = ["code"]
        if self.chance(40):
            self.say("  found: {type: codes}\n  listed: {type: codes}")
            w.fields["codes"] = ["found", "listed"]
        self.say(
            "  fee: {type: money, optional: yes, max: 20_000}\n  seen: {type: date, optional: yes, min: 2022-01-01, max: 2027-12-31}"
        )
        self.say("  beds: {type: count, optional: yes, max: 9}\n  cut: {type: percent, optional: yes}")
        w.optional = {MONEY: ["fee"], DATE: ["seen"], COUNT: ["beds"], PERCENT: ["cut"]}
        self.say(f"  base: {{type: money, default: {self.amount()}, max: 60_000}}")
        w.fields[MONEY].append("base")
        self.narrowed.add("base")
        if self.chance(70):
            self.say("requires:\n  - {that: scope <= total, say: too much in scope}")

    def _windows(self) -> None:
        if self.chance(25):
            return
        r = self.r
        self.say("sequence: {by: person_id, order: [day, episode_id]}")
        starting = r.choice(
            ("", "", ", starting: 07-01", ", starting: 02-28", ", starting: 01-31", ", starting: begun")
        )
        options = [
            "{calendar: year, date: day}",
            f"{{calendar: year, date: day{starting}}}",
            f"{{calendar: quarter, date: day{starting}}}",
            f"{{calendar: month, date: day{starting}}}",
            "{calendar: quarter, date: begun}",
            "{same: [tier]}",
            "{same: [code, level], calendar: year, date: day}",
            "{all: yes}",
            "{same: [beds]}",
            "{same: [code, beds], calendar: month, date: begun}",
        ]
        chosen = r.sample(options, r.randrange(1, 4))
        if self.seed % 2:  # of its own, so that the other rulebooks stay as they were
            own = Random(f"windows {self.seed}")
            moving = [
                f"{{rolling: {own.choice(('45 days', '6 months', '1 years'))}, date: day}}",
                f"{{rolling: {own.choice(('90 days', '2 months'))}, date: begun}}",
                f"{{rolling: {own.choice((1, 3))}, unit: {own.choice(('month', 'quarter', 'year'))}, date: day}}",
                "{rolling: 6 months, date: day, same: [tier]}",
                f"{{gap: {own.choice(('30 days', '2 months'))}, from: begun, to: day}}",
                "{gap: 60 days, from: day, to: day, same: [level]}",
                f"{{period: {own.choice(('100 days', '6 months'))}, date: day}}",
                "{period: 3 months, date: day, same: [beds]}",
            ]
            places = own.sample(range(len(chosen)), own.randint(1, len(chosen)))
            chosen = [own.choice(moving) if at in places else text for at, text in enumerate(chosen)]
        self.say("windows:")
        for at, text in enumerate(chosen):
            self.say(f"  w{at}: {text}")
            self.w.windows.append(f"w{at}")

    def _dates(self) -> list[date]:
        """Start dates of a parameter: always one that is early enough."""
        later = self.r.sample(
            [date(2024, 1, 1), date(2024, 2, 29), date(2025, 1, 1), date(2025, 7, 1)], self.r.choice((0, 0, 1, 2))
        )
        return [date(2015, 1, 1), *sorted(later)]

    def _keyed(self, sets: list[str], make: object) -> str:
        """A value for each combination of keys, in flow style."""
        if not sets:
            return str(make())  # type: ignore[operator]
        inner = ", ".join(f"{value}: {self._keyed(sets[1:], make)}" for value in self.w.sets[sets[0]].values)
        return "{" + inner + "}"

    def _parameter(self, name: str, of: str, make: object, *, keys: list[str] | None = None, more: str = "") -> str:
        """Declares a parameter; the text that reads it."""
        sets = self.r.choice(([], [], ["tier"], ["level"], ["level", "tier"])) if keys is None else keys
        self.say(f"  {name}:\n    type: {of}{more}")
        if sets:
            self.say(f"    by: [{', '.join(sets)}]")
        self.say("    values:")
        for start in self._dates():
            self.say(f"      {start}: {self._keyed(sets, make)}")
        read = f"[{', '.join(sets)}]" if sets and not self.chance(8) else ""
        if sets and not read:
            read = "[" + ", ".join(self.r.choice(self.w.sets[s].values) for s in sets) + "]"
        return name + read

    def _parameters(self) -> None:
        r, w = self.r, self.w
        self.say("parameters:")
        limit = r.choice((100, 1_000, 12_345))
        self.say(f"  full: {{type: money, values: {{2015-01-01: {limit}, 2025-01-01: {limit + r.choice((1, 50))}}}}}")
        w.scalars[MONEY] = [
            "full",
            self._parameter("flat", MONEY, lambda: self.amount(2_000)),
            self._parameter("cap", MONEY, lambda: self.amount(400_000)),
        ]
        w.scalars[PERCENT] = [
            self._parameter("rate", PERCENT, lambda: r.choice(RATES)),
            self._parameter("other_rate", PERCENT, lambda: r.choice(RATES)),
        ]
        w.scalars[NUMBER] = [self._parameter("weight", NUMBER, lambda: r.choice(("0.5", "1.1", "1.375", "2", "0")))]
        w.scalars[COUNT] = [self._parameter("most", COUNT, lambda: r.choice(("0", "1", "2", "5", "14")))]
        if self.chance(60):
            at = r.choice(("begun", "(day - 30 days)", "last_day(day, year)", "2024-12-31", "first_day(day, quarter)"))
            w.scalars[MONEY].append(f"({w.scalars[MONEY][1]} at {at})")
        if self.chance(50):
            once = self.amount(500)
            often = ("none", once, once) if self.chance(60) else ("none", once, self.amount(500))
            w.none[MONEY] = [self._parameter("extra", MONEY, lambda: r.choice(often))]
        self.say(
            "  daily: {type: money per day, values: {2010-01-01: "
            + self.amount(200)
            + ", 2024-07-01: "
            + self.amount(200)
            + ", 2025-01-01: 12}}"
        )
        self.daily.append("daily")
        if self.chance(40) and self.effective[1] is not None:
            self.say(
                f"  partly: {{type: money per day, by: [tier], ends: {(date(2026, 3, 31), LAST)[self.effective[1] is not None]}, values: {{2022-06-01: {self._keyed(['tier'], lambda: self.amount(90))}}}}}"
            )
            self.daily.append("partly[tier]")
        for at in range(r.randrange(1, 3)):
            read = self._parameter(f"bands{at}", "bands of percent over money", self._bands)
            self.bands.append((read, MONEY))
        if self.chance(40):
            read = self._parameter(
                "stays",
                "bands of money over count",
                lambda: "[{to: 3, is: 10}, {to: 10, is: 25}, {is: " + self.amount(100) + "}]",
            )
            self.bands.append((read, COUNT))
        if self.chance(50):
            self.cliffs.append((self._parameter("cliff0", "cliff of percent over money", self._cliff), MONEY, PERCENT))
        if self.chance(50):
            read = self._parameter("cliff1", "cliff of money over count", self._stay_cliff)
            self.cliffs.append((read, COUNT, MONEY))
        if self.chance(60):
            held = "" if self.chance(25) else "\n    outside: hold"
            self.curves.append(
                (self._parameter("curve0", "curve of percent over number", self._curve, more=held), NUMBER, PERCENT)
            )

    def _bands(self) -> str:
        r = self.r
        count = r.randrange(0, 4)
        if self.chance(25):
            limits = [["to", "full"], ["below", "2 * full"], ["to", "21 / 11 * full + 20_000"]][: max(1, count)]
        else:
            found: list[Fraction] = []
            for _ in range(count):
                found.append((found[-1] if found else Fraction(0)) + Fraction(self.amount(30_000)))
            limits = [[r.choice(("to", "to", "below")), _plain(x, self.decimals)] for x in found]
        rows = [f"{{{kind}: {limit}, is: {r.choice(RATES)}}}" for kind, limit in limits]
        return "[" + ", ".join([*rows, f"{{is: {r.choice(RATES)}}}"]) + "]"

    def _cliff(self) -> str:
        r = self.r
        first = Fraction(self.amount(900))
        second = first + Fraction(self.amount(9_000))
        kinds = [r.choice(("to", "below")) for _ in range(2)]
        return (
            f"[{{{kinds[0]}: {_plain(first, self.decimals)}, is: {r.choice(RATES)}}}, "
            f"{{{kinds[1]}: {_plain(second, self.decimals)}, is: {r.choice(RATES)}}}, {{is: {r.choice(RATES)}}}]"
        )

    def _stay_cliff(self) -> str:
        return "[{below: 2, is: 0}, {to: 7, is: " + self.amount(900) + "}, {is: " + self.amount(2_000) + "}]"

    def _curve(self) -> str:
        r = self.r
        jump = self.chance(70)
        points = [("-2", r.choice(RATES)), ("1.5", r.choice(RATES))]
        if jump:
            points.append(("1.5", r.choice(RATES)))
        points += [("4", r.choice(RATES)), (r.choice(("7", "10", "1_000")), r.choice(RATES))]
        return "[" + ", ".join(f"{{at: {at}, is: {value}}}" for at, value in points) + "]"

    def _tables(self) -> None:
        r = self.r
        kinds = r.sample(("plain", "dated", "range", "pair", "from"), r.randrange(0, 4))
        if not kinds:
            return
        self.say("tables:")
        for kind in kinds:
            name = f"t_{kind}"
            rows: list[str] = []
            if kind == "plain":
                self.say(
                    f"  {name}: {{file: {name}.csv, key: [code], columns: {{price: money, points: {{type: number, optional: yes}}, class: {{one_of: tier}}}}}}"
                )
                rows = [
                    f"{c},{self.amount(900)},{r.choice(('', '1.5', '0.25'))},{r.choice(('t1', 't2', 't3'))}"
                    for c in r.sample(CODES, 4)
                ]
                self.tables[f"{name}.csv"] = "\n".join(["code,price,points,class", *rows]) + "\n"
                self.lookups += [
                    f"{name}[code].price",
                    f"(if code in {name} then {name}[code].price else {self.literal(MONEY)})",
                ]
                self.w.none.setdefault(NUMBER, []).append(f"{name}[code].points")
                self.present.append(f"code in {name}")
                if self.chance(50):
                    self.w.none[NUMBER].pop()
            elif kind == "pair":
                self.say(f"  {name}: {{file: {name}.csv, key: [code, tier], columns: {{price: money}}}}")
                pairs = r.sample([(c, t) for c in CODES for t in ("t1", "t2", "t3")], 9)
                rows = [f"{c},{t},{self.amount(900)}" for c, t in pairs]
                self.tables[f"{name}.csv"] = "\n".join(["code,tier,price", *rows]) + "\n"
                self.lookups.append(
                    f"(if [code, tier] in {name} then {name}[code, tier].price else {self.literal(MONEY)})"
                )
                self.present.append(f"[code, tier] in {name}")
            elif kind == "dated":
                self.say(
                    f"  {name}: {{file: {name}.csv, key: [code], from: start, to: end, columns: {{price: money}}}}"
                )
                for c in r.sample(CODES, 5):
                    rows.append(f"{c},2022-01-01,2024-12-31,{self.amount(900)}")
                    if self.chance(60):
                        rows.append(
                            f"{c},{r.choice(('2025-01-01', '2025-01-02'))},{r.choice(('', '2025-12-31'))},{self.amount(900)}"
                        )
                r.shuffle(rows)
                self.tables[f"{name}.csv"] = "\n".join(["code,start,end,price", *rows]) + "\n"
                at = r.choice(("", "", " at begun", " at (day - 1 month)"))
                self.lookups += [
                    f"(if code in {name}{at} then ({name}[code].price{at}) else {self.literal(MONEY)})"
                ] * 3
                if self.chance(30):
                    self.lookups.append(f"({name}[code].price{at})")
                self.present.append(f"code in {name}{at}")
            elif kind == "from":
                self.say(f"  {name}: {{file: {name}.csv, key: [tier], from: start, columns: {{price: money}}}}")
                for t in ("t1", "t2", "t3"):
                    rows += [
                        f"{t},{start},{self.amount(900)}"
                        for start in r.sample(("2020-01-01", "2024-02-29", "2024-07-01", "2025-01-01"), 3)
                    ]
                r.shuffle(rows)
                self.tables[f"{name}.csv"] = "\n".join(["tier,start,price", *rows]) + "\n"
                self.lookups += [f"(if tier in {name} then {name}[tier].price else {self.literal(MONEY)})"] * 2
            else:
                match_ = r.choice(("up_to", "below"))
                keys = r.choice(("", "tier, "))
                dated = self.chance(40)
                more = ", from: start, to: end" if dated else ""
                self.say(
                    f"  {name}: {{file: {name}.csv, key: [{keys}{{{match_}: scope}}], columns: {{price: money, share: percent}}{more}}}"
                )
                for t in ("t1,", "t2,", "t3,") if keys else ("",):
                    limits = sorted({Fraction(self.amount(9_000)) for _ in range(3)})
                    for x in [*limits, None]:
                        if x is None and self.chance(30):
                            continue
                        cell = "" if x is None else _plain(x, self.decimals)
                        span = [("2020-01-01", "2024-12-31"), ("2025-01-01", "")] if self.chance(40) else [("", "")]
                        rows += [
                            f"{t}{cell},{self.amount(900)},{r.choice(RATES)}" + (f",{a},{b}" if dated else "")
                            for a, b in (span if dated else span[:1])
                        ]
                r.shuffle(rows)
                head = ("tier," if keys else "") + "scope,price,share" + (",start,end" if dated else "")
                self.tables[f"{name}.csv"] = "\n".join([head, *rows]) + "\n"
                own = "tier, " if keys else ""
                of = r.choice(("scope", "scope", "base", "max(0, paid)"))
                test = f"[{own}{of}] in {name}" if keys else f"{of} in {name}"
                self.lookups += [f"(if {test} then {name}[{own}{of}].price else {self.literal(MONEY)})"] * 2
                if self.chance(40):
                    self.lookups.append(f"({self.leaf(MONEY)} * {name}[{own}{of}].share)")

    # Steps

    def _steps(self) -> None:
        r, w = self.r, self.w
        self.say("steps:")
        count = r.randrange(5, 13)
        kinds = [
            r.choice(
                (
                    MONEY,
                    MONEY,
                    MONEY,
                    PERCENT,
                    NUMBER,
                    COUNT,
                    FLAG,
                    FLAG,
                    DATE,
                    DAYS_T,
                    "set",
                    "table",
                    "optional",
                    "power",
                )
            )
            for _ in range(count)
        ]
        money = [f"s{at}" for at, kind in enumerate(kinds) if kind == MONEY]
        rounded = {name for name in money if self.chance(80)}
        self.future = [*rounded, "pays", "topped"]
        for at, kind in enumerate(kinds):
            name = f"s{at}"
            match kind:
                case "set":
                    self._set_step(name)
                case "table":
                    self._table_step(name)
                case "optional":
                    self._optional_step(name)
                case "power":
                    self.say(f"  {name}:\n    type: number\n    round: {{to: {r.choice(('0.01', '0.0001'))}}}")
                    base = f"max({self.leaf(NUMBER)}, {r.choice(('0', '0.5', '0.5', '1.01', '2'))})"
                    self.say(f"    rule: {r.choice((f'power({base}, 2)', f'root({base}, 3)', f'power({base}, 0.5)'))}")
                    w.fields[NUMBER].append(name)
                case "money" if name in rounded:
                    self._plain_step(name, MONEY, self._rounding())
                    w.fields[MONEY].append(name)
                case "money":
                    self._plain_step(name, MONEY, "none")
                    w.fields[MONEY].append(name)
                case _:
                    rounding = ""
                    if kind == PERCENT and self.chance(50):
                        rounding = r.choice(("{to: 0.01%}", "{to: 1%, mode: down}", "{to: 0.5%, mode: half-even}"))
                    if kind == NUMBER and self.chance(60):
                        rounding = r.choice(
                            ("{to: 0.01}", "{to: 0.5, mode: up}", "{to: 1}", "{to: 0.001, mode: half-down}")
                        )
                    if kind == COUNT and self.chance(30):
                        rounding = r.choice(("{to: 5, mode: up}", "{to: 2, mode: half-even}"))
                    self._plain_step(name, kind, rounding)
                    w.fields.setdefault(kind, []).append(name)
        self._guarded_step()
        cap = (
            f"max(0, cap_left - {r.choice(w.windows)}.sum(pays))" if w.windows and self.chance(70) else self.leaf(MONEY)
        )
        self.say(f"  cap_left:\n    type: money\n    rule: {w.scalars[MONEY][2]}")
        self.say(f"  pays:\n    type: money\n    rule: clamp({self.e(MONEY, 2)}, 0, min(scope, total, max(0, {cap})))")
        self.say(
            f"  topped:\n    type: money\n    rule: clamp({self.e(MONEY, 2)}, 0, total - pays)"
            if self.chance(90)
            else "  topped:\n    type: money\n    rule: pays * 50%"
        )

    def _guarded_step(self) -> None:
        """A condition whose second half fails unless the first has decided."""
        own = Random(f"guarded {self.seed}")
        op = own.choice(("<", ">=", ">"))
        limit = f"{self.currency} {own.choice((1, 50, 1_000))}"
        rule = own.choice(
            (
                f"stay > 0 and total / stay {op} {limit}",
                f"stay = 0 or scope / stay {op} {limit}",
                f"quantity != 0 and urgent and total / quantity {op} {limit}",
                f"not (stay != 0 and base / stay {op} {limit})",
            )
        )
        self.say(f"  guarded:\n    type: flag\n    rule: {rule}")

    def _rounding(self) -> str:
        if self.chance(60):
            return ""
        parts = ", parts: yes" if self.chance(30) else ""
        mode = f", mode: {self.r.choice(MODES)}" if self.chance(60) else ""
        to = self.r.choice(
            ("0.01", "0.05", "1", "10", "0.1")
            if self.decimals == 2
            else ("1", "5", "10", "100")
            if not self.decimals
            else ("0.001", "0.05", "1")
        )
        return f"{{to: {to}{mode}{parts}}}"

    def _plain_step(self, name: str, of: str, rounding: str) -> None:
        r = self.r
        self.say(f"  {name}:\n    type: {of}")
        if rounding:
            self.say(f"    round: {rounding}")
        shape = r.randrange(5)
        if shape < 2:
            self.say(f"    rule: |\n      {self.e(of, 3)}")
            return
        self.say("    rule: |")
        if shape == 2:
            self._ordered_clauses(of)
            return
        for at in range(r.randrange(1, 3)):
            if self.chance(12):
                self.say(
                    f"      when {self._rare()} then reject because {'too_odd' if self.chance(50) else chr(34) + 'it is odd' + chr(34)}"
                )
                self.messages = True
            missing = self.w.optional.get(of, [])
            if missing and self.chance(30) and at == 0:
                x = r.choice(missing)
                self.say(f"      when {x} is known and {self.opaque()} then {x}")
            else:
                self.say(
                    f"      when {self.opaque()} then {self.e(of, 2)}"
                    + (' because "it holds"' if self.chance(20) else "")
                )
        self.say(f"      otherwise {self.e(of, 2)}")

    messages = False

    def _rare(self) -> str:
        """A condition that seldom holds."""
        return self.r.choice(
            (
                "(paid = scope)",
                "(stay > 1 + stay * 2 - 3)",
                "(begun > day + 900 days)",
                "(base > total and urgent and level = top)",
            )
        )

    def opaque(self) -> str:
        """A condition that the case analysis leaves open, so that no clause is called unreachable."""
        op = self.r.choice(("<=", "<", ">", ">="))
        of = self.r.choice((MONEY, MONEY, MONEY, DATE, COUNT))
        fields = self.w.fields[of]
        a = self.r.choice(fields)
        others = [x for x in fields if x != a]
        b = self.r.choice(others) if others else f"({a} + 0)"
        inner = self.e(of, 1)
        left = (
            f"{a} {op} {b}"
            if self.chance(60) or inner == a
            else f"{a} {op} ({b} + 0 * 1)"
            if of == COUNT
            else f"{a} {op} {b}"
        )
        more = f" and {self.e(FLAG, 1)}" if self.chance(25) else ""
        return f"({left}){more}"

    def _ordered_clauses(self, of: str) -> None:
        """Clauses over values of one set, or ascending limits: provably exhaustive."""
        if self.chance(50):
            values = self.w.sets["tier"].values
            for value in values if self.chance(50) else values[:-1]:
                self.say(f"      when tier = {value} then {self.e(of, 2)}")
                last = value
            if last != values[-1]:
                self.say(f"      otherwise {self.e(of, 2)}")
            return
        low = Fraction(self.amount(900))
        self.say(
            f"      when scope {self.r.choice(('<', '<='))} {self.currency} {_plain(low, self.decimals)} then {self.e(of, 2)}"
        )
        self.say(f"      when scope <= {self.currency} {_plain(low + 5_000, self.decimals)} then {self.e(of, 2)}")
        self.say(f"      otherwise {self.e(of, 2)}")

    def _set_step(self, name: str) -> None:
        values = ("low", "mid", "high", "top") if self.chance(50) else (f"{name}_a", f"{name}_b", f"{name}_c")
        ordered = self.chance(50) or values[0] == "low"
        self.say(f"  {name}:\n    one_of: [{', '.join(values)}]" + ("\n    ordered: yes" if ordered else ""))
        self.say(
            f"    rule: |\n      when {self.opaque()} then {values[0]}\n      when {self.opaque()} then {values[1]}\n      otherwise {values[2]}"
        )
        self.w.sets[name] = _Set(values, ordered)

    def _table_step(self, name: str) -> None:
        r = self.r
        of = r.choice((MONEY, MONEY, PERCENT))
        limit = r.choice((1, 2))
        value = lambda: r.choice((self.literal(of), self.leaf(of)))  # noqa: E731 - one line
        self.say(f"  {name}:\n    type: {of}\n    table:")
        cell = lambda text: '"' + text.replace('"', '\\"') + '"'  # noqa: E731 - one line
        if self.chance(50):
            self.say("      of: [tier, urgent, stay]\n      rows:")
            self.say(f'        - {{when: [[t1, t2], yes, "> {limit}"], then: {cell(value())}}}')
            self.say(f'        - {{when: [[t1, t2], yes, "<= {limit}"], then: {cell(value())}}}')
            self.say(f"        - {{when: [t3, any, any], then: {cell(value())}}}")
            self.say(f"        - {{otherwise: {cell(value())}}}")
        else:
            self.say("      hit: first\n      of: [level, scope]\n      rows:")
            self.say(f'        - {{when: [any, "> {self.currency} {self.amount(9_000)}"], then: {cell(value())}}}')
            self.say(f'        - {{when: [">= mid", any], then: {cell(value())}}}')
            self.say(f"        - {{otherwise: {cell(value())}}}")
        self.w.fields[of].append(name)

    def _optional_step(self, name: str) -> None:
        r = self.r
        choices = ["fee"]
        if self.w.windows:
            window = r.choice(self.w.windows)
            choices += [
                f"{window}.last({self.seen()})",
                f"{window}.max({r.choice(self.plain_money)}{self.where(window)})",
            ]
        choices += self.w.none.get(MONEY, [])
        self.say(f"  {name}:\n    type: money\n    optional: yes\n    rule: {r.choice(choices)}")
        self.w.optional.setdefault(MONEY, []).append(name)

    def _ends(self) -> None:
        r = self.r
        self.say("shares:\n  bill:\n    of: total\n    fund:\n      main: pays")
        if self.chance(60):
            self.say(f"      more: {{is: topped{', may_be_negative: yes' if self.chance(30) else ''}}}")
        else:
            self.say(f"      more: {{is: topped * {r.choice(('50%', '12.5%', '99%'))}}}")
        style = r.randrange(4)
        if style == 0:
            self.say(f"    hospital: {{is: (total - pays - topped) * {r.choice(('5%', '12.5%'))}}}")
        if style == 1:
            self.say("    patient:\n      outside: total - scope\n      own: {is: rest, may_be_negative: yes}")
        else:
            self.say("    patient:\n      own: {is: rest, reason: PR-2}")
        if self.chance(40):
            self.say(
                f"  inner:\n    of: pays\n    fund: {{is: pays * {r.choice(('30%', '50%', '62.5%'))}}}\n    government: rest"
            )
        if self.chance(15):
            self.say("  third:\n    of: scope\n    other: pays * 50%\n    patient: scope - pays * 50%")
        if self.chance(60):
            self.say("guarantees:\n  - pays <= scope" + ("\n  - pays + topped <= total" if self.chance(60) else ""))
            if self.chance(20):
                self.say(f"  - pays <= {self.currency} {self.amount(300_000)}")
        self.say("outputs: [pays, topped, fund_pays, patient_pays]")
        if self.messages:
            self.say("messages:\n  too_odd: {en: it is too odd, zh: 太怪}")


def _plain(x: Fraction, decimals: int) -> str:
    scaled = x * 10**decimals
    text = str(scaled.numerator)
    if not decimals:
        return text
    text = text.rjust(decimals + 1, "0")
    return f"{text[:-decimals]}.{text[-decimals:]}"


def rulebook(seed: int) -> Rulebook:
    """The rulebook of a seed."""
    return Writer(seed).write()
