"""Random valid rulebooks with lists, groups inside a bill, spreads, every kind of window and groups across bills.

Beside `generate.py`, which goes over the whole of one bill's language; here the rules are simple and the rows many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

CODES = ("A1", "A2", "B9", "C0")
CLASSES = ("A", "B", "C")
REGIONS = ("north", "south")
COMPARE = ("<", "<=", ">", ">=", "=", "!=")

WINDOWS = (
    "{calendar: year, date: day}",
    "{calendar: quarter, date: day, starting: 07-01}",
    "{calendar: month, date: day}",
    "{rolling: 3 months, date: day}",
    "{rolling: 40 days, date: day}",
    "{rolling: 2, unit: month, date: day}",
    "{gap: 20 days, from: left, to: day}",
    "{period: 3 months, date: day}",
    "{same: [person_id]}",
    "{same: [person_id], calendar: year, date: day}",
    "{same: [region], rolling: 6 months, date: day}",
    "{same: [chain]}",
    "{same: [person_id], gap: 10 days, from: left, to: day}",
    "{all: yes}",
)


@dataclass
class Made:
    """A generated rulebook: its text, and what is in it."""

    seed: int
    text: str
    has_windows: bool
    has_groups: bool
    line_steps: list[str] = field(default_factory=list)


class Writer:
    """Writes one rulebook."""

    def __init__(self, seed: int, *, windows: bool | None = None, groups: bool | None = None) -> None:
        self.seed = seed
        self.r = Random(f"levels {seed}")
        self.windows = self.chance(60) if windows is None else windows
        self.groups = self.chance(40) if groups is None else groups
        self.line = ["amount", "default(extra, ¥0)", "amount * rate", "(amount / max(quantity, 0.5))"]
        self.line_fields = ["amount"]
        self.episode = ["paid", "paid * rate", "default(cap, ¥100)"]
        self.episode_fields = ["paid"]
        self.names = [f"w{n}" for n in range(self.r.randrange(1, 4))] if self.windows else []

    def chance(self, percent: int) -> bool:
        """Whether it happens this time."""
        return self.r.randrange(100) < percent

    def pick(self, *options: str) -> str:
        """One of several."""
        return self.r.choice(options)

    def amount(self) -> str:
        """A constant amount."""
        return f"¥{self.r.choice((0, 1, 5, 20, 60, 100))}.{self.r.choice(('00', '05', '50'))}"

    # Conditions

    def line_condition(self, prefix: str, *, own: bool) -> str:
        """A condition on a line called `prefix`; with `own`, also on the line that asks."""
        options = [
            f"{prefix}class = {self.pick(*CLASSES)}",
            f"{prefix}class != {self.pick(*CLASSES)}",
            f'{prefix}code = "{self.pick(*CODES)}"',
            f"{prefix}amount {self.pick(*COMPARE)} {self.amount()}",
            f"{prefix}extra is known",
            f"{prefix}extra is known and {prefix}extra > ¥1",
            f"{prefix}amount <= paid",
        ]
        if own:
            options += [
                f"{prefix}code = code",
                f"{prefix}class = class",
                f"{prefix}amount {self.pick(*COMPARE)} amount",
            ]
        return self.pick(*options)

    def where(self, prefix: str, *, own: bool) -> str:
        """Mostly a condition behind `where`."""
        return f" where {self.line_condition(prefix, own=own)}" if self.chance(65) else ""

    def aggregate(self, *, own: bool) -> str:
        """An amount over the lines of the bill."""
        x = f"lines.{self.r.choice(self.line_fields)}"
        where = self.where("lines.", own=own)
        match self.r.randrange(7):
            case 0:
                return f"default(max({x}{where}), ¥0)"
            case 1:
                return f"default(min({x}{where}), ¥7)"
            case 2:
                return f"{self.amount()} * count(lines{where})"
            case 3:
                return f"{self.amount()} * count(distinct lines.{self.pick('code', 'class', 'amount')}{where})"
            case 4:
                return f"(if {self.pick('any', 'all')}({self.line_condition('lines.', own=own)}{where}) then {self.amount()} else paid)"
            case _:
                return (
                    f"sum({x} * {self.pick('50%', '100%', 'rate')}{where})" if self.chance(40) else f"sum({x}{where})"
                )

    def look_back(self, *, lines: bool) -> str:
        """An amount over earlier episodes; with `lines`, asked by a line."""
        w = self.r.choice(self.names)
        conditions = [f"{w}.paid > {self.amount()}", f"{w}.region = region", f"{w}.paid {self.pick(*COMPARE)} paid"]
        if self.chance(25):
            same = f" where {w}.lines.code = code" if lines else f" where {w}.lines.class = {self.pick(*CLASSES)}"
            return f"{w}.sum({w}.lines.amount{same})"
        if lines and self.chance(40):
            conditions = [f"{w}.paid > amount"]
        where = f" where {self.r.choice(conditions)}" if self.chance(50) else ""
        x = self.r.choice(self.episode_fields)
        match self.r.randrange(6):
            case 0:
                return f"{self.amount()} * {w}.count({where.removeprefix(' ')})"
            case 1:
                return f"default({w}.{self.pick('max', 'min', 'last', 'first')}({x}{where}), ¥3)"
            case 2:
                return f"{self.amount()} * {w}.count(distinct {self.pick('region', 'paid')}{where})"
            case _:
                return f"{w}.sum({x}{where})"

    # Rules

    def line_rule(self, name: str) -> str:
        """The rule of a money step of the lines."""
        a = self.r.choice(self.line)
        options = [
            f"min({a}, max(0, {self.r.choice(self.episode)} - above.sum({name})))",
            f"max(0, {a} - above.sum({self.r.choice(self.line_fields)}{self.where('above.', own=True)}))",
            f"if rank(lines.{self.r.choice(self.line_fields)}{self.where('lines.', own=self.chance(50))}) <= 2 then {a} else {a} * 50%",
            f"if class = B then {a} * rate else {a}",
            f"min({a}, {self.aggregate(own=True)})",
            f"{a} - min({a}, {self.aggregate(own=False)} * 10%)",
            f"{a} + {self.amount()} * above.count({self.where('above.', own=True).removeprefix(' ')})",
            f"min({a}, by_code.code_total * 60%)",
        ]
        if self.names:
            options += [f"max(0, {a} - {self.look_back(lines=True)} * 5%)"] * 2
        return self.r.choice(options)

    def episode_rule(self, name: str) -> str:
        """The rule of a money step of the episode."""
        a = self.r.choice(self.episode)
        options = [
            f"min({a}, {self.aggregate(own=False)})",
            self.aggregate(own=False),
            f"sum(by_code.code_total{' where by_code.items > 1' if self.chance(50) else ''}) + {a}",
            f"{a} + default(max(by_code.code_total), ¥0)",
        ]
        if self.names:
            w = self.r.choice(self.names)
            options += [f"max(0, {a} - {self.look_back(lines=False)} * 25%)"] * 3
            options += [f"min({a}, max(0, ¥500 - {w}.sum({name})))"]
        return self.r.choice(options)

    def write(self) -> Made:
        """The rulebook."""
        order = "[day, episode_id]"
        out = [
            "rxcalc: 1", f"rulebook: levels-{self.seed}", 'version: "1"', "currency: CNY",
            f"rounding: {self.pick('half-up', 'half-even', 'down')}", "effective: {from: 2024-01-01, by: day}", "inputs:",
            "  episode_id: {type: code}", "  person_id: {type: code}", "  family_id: {type: code}",
            "  region: {one_of: [north, south]}", "  chain: {type: code, optional: yes}", "  day: {type: date}", "  left: {type: date}",
            "  paid: {type: money, max: 100000}", "  cap: {type: money, optional: yes}",
            "parameters:", "  rate: {type: percent, values: {2024-01-01: 80%, 2024-07-01: 62.5%}}",
        ]  # fmt: skip
        if self.names:
            out += [f"sequence: {{by: family_id, order: {order}}}", "windows:"]
            out += [f"  {name}: {self.r.choice(WINDOWS)}" for name in self.names]
        lines, steps = [], []
        line_names, step_names = [], []
        for n in range(self.r.randrange(2, 6)):
            if self.chance(60):
                name = f"l{n}"
                lines.append(f'    {name}: {{type: money, rule: "{self.escaped(self.line_rule(name))}"}}')
                line_names.append(name)
                self.line.append(name)
                self.line_fields.append(name)
            else:
                name = f"s{n}"
                steps.append(f'  {name}: {{type: money, rule: "{self.escaped(self.episode_rule(name))}"}}')
                step_names.append(name)
                self.episode.append(name)
                self.episode_fields.append(name)
        out += [
            "lines:", "  inputs:", "    line_no: {type: count}", "    code: {type: code}", "    class: {one_of: [A, B, C]}",
            "    quantity: {type: number, min: 0, max: 1000, decimals: 2}", "    amount: {type: money, max: 10000}",
            "    extra: {type: money, optional: yes}", "  order: [line_no]", "  steps:", "    weight: {type: money, rule: amount * quantity}", *lines,
            "groups:", "  by_code:", "    of: lines", "    by: {code: code}", "    steps:",
            "      code_total: {rule: sum(lines.amount)}", "      items: {rule: count(lines)}",
        ]  # fmt: skip
        if self.groups:
            seq = self.chance(60)
            x = self.r.choice(self.episode_fields)
            out += ["  region_year:", "    of: episodes", "    by: {region: region, year: year(day)}"]
            out += ["    inputs: {heads: {type: count, default: 7}}"]
            if seq:
                out += ["    sequence: {by: region, order: [year]}", "    windows: {before: {all: yes}}"]
            out += ["    steps:", f"      spent: {{rule: sum(episodes.{x})}}", "      n: {rule: count(episodes)}"]
            before = " + default(before.last(left_over), ¥0)" if seq else ""
            out += [f'      left_over: {{rule: "heads * ¥40 - spent{before}"}}']
            out += ['      point: {type: number, rule: "if spent = 0 then 1 else heads * ¥10 / spent", round: 0.0001}']
            if self.chance(60):
                out += [
                    f"    spread: {{bonus: {{what: left_over, over: episodes, by: {self.r.choice(self.episode_fields)}}}}}"
                ]
                steps.append('  with_bonus: {type: money, rule: "bonus + paid"}')
                step_names.append("with_bonus")
            steps.append('  valued: {type: money, rule: "paid * region_year.point"}')
            steps.append('  other: {type: money, rule: "default(region_year[north, year(day) - 1].left_over, ¥1)"}')
            step_names += ["valued", "other"]
        whole = self.pick("sum(lines.amount)", "sum(lines.amount) - paid")
        steps.append(f'  whole: {{type: money, rule: "{whole}"}}')
        out += ["steps:", *steps]
        if self.chance(60):
            by = self.pick("amount", "weight", *line_names) if self.chance(85) else "quantity"
            out += [f"spread: {{part: {{what: whole, over: lines, by: {by}}}}}"]
            line_names.append("part")
        out += [f"outputs: [{', '.join([*step_names, 'whole'])}]"]
        return Made(self.seed, "\n".join(out) + "\n", bool(self.names), self.groups, ["weight", *line_names])

    @staticmethod
    def escaped(rule: str) -> str:
        """A rule inside double quotes."""
        return rule.replace('"', '\\"')


class Maker:
    """Makes episodes: few people, many ties of days, short and empty bills."""

    def __init__(self, seed: int) -> None:
        self.r = Random(f"episodes {seed}")

    def money(self, most: int) -> Fraction:
        """An amount to the fen, often round."""
        whole = Fraction(self.r.choice((0, 1, 5, 20, 60, 100, self.r.randrange(most))))
        return whole + (Fraction(self.r.randrange(100), 100) if self.r.randrange(3) == 0 else 0)

    def lines(self) -> tuple[dict[str, Any], ...]:
        """The lines of one bill, in any order."""
        count = self.r.choice((0, 1, 1, 2, 3, 4, 6, 12))
        numbers = self.r.sample(range(1, 40), count)
        return tuple(
            {
                "line_no": n,
                "code": self.r.choice(CODES),
                "class": self.r.choice(CLASSES),
                "quantity": Fraction(self.r.choice((0, 25, 50, 100, 300)), 100),
                "amount": self.money(500),
                "extra": None if self.r.randrange(2) else self.money(30),
            }
            for n in numbers
        )

    def episodes(self, count: int) -> list[dict[str, Any]]:
        """Episodes in no order."""
        made = []
        for n in range(count):
            day = date(2024, 1, 1) + timedelta(days=self.r.choice((0, 19, 20, 31, 59, 60, self.r.randrange(700))))
            made.append(
                {
                    "episode_id": f"E{n}",
                    "person_id": f"P{self.r.randrange(6)}",
                    "family_id": f"F{self.r.randrange(3)}",
                    "region": self.r.choice(REGIONS),
                    "chain": None if self.r.randrange(3) == 0 else f"C{self.r.randrange(4)}",
                    "day": day,
                    "left": day + timedelta(days=self.r.randrange(12)),
                    "paid": self.money(2000),
                    "cap": None if self.r.randrange(2) else self.money(300),
                    "lines": self.lines(),
                }
            )
        self.r.shuffle(made)
        return made


def shuffled(episode: Mapping[str, Any], r: Random) -> dict[str, Any]:
    """The same bill with its lines in another order."""
    lines = list(episode["lines"])
    r.shuffle(lines)
    return {**episode, "lines": tuple(lines)}
