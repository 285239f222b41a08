"""Random rulebooks with groups across bills, and files of episodes, lines and group inputs for them, much of it dirty.

`levels.py` writes rules of every kind; here they are few, and the groups are what varies: who reads them, who is refused when.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

HEAD = """
rxcalc: 1
rulebook: settled
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, to: 2025-12-31, by: day}
sets: {klass: [a, b, c], place: [north, south, east, west]}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  region: {one_of: place, optional: yes}
  klass: {one_of: klass}
  day: {type: date}
  amount: {type: money, max: 100_000}
  points: {type: number, min: 0, max: 100, decimals: 2, default: 1}
requires:
  - {that: "amount <= ¥9_000", say: too much}
parameters:
  rate: {type: percent, by: [klass], status: fictional, values: {2024-01-01: {a: 100%, b: 87.5%, c: 0%}}}
"""

TABLE = """
tables:
  listed: {file: tables/listed.csv, key: [person], columns: {limit: money}}
"""

CLASSES, PLACES = ("a", "b", "c"), ("north", "south", "east", "west")


class Book:
    """One rulebook. `alone`: no bill depends on a group; `lines`: bills have lines."""

    def __init__(self, seed: int, *, checks: bool = False, groups: bool = True) -> None:
        self.r = Random(f"settled {seed} {checks} {groups}")
        self.seed, self.checks, self.groups = seed, checks, groups
        self.alone = self.chance(40)
        self.lines = self.chance(45)
        self.second = self.chance(50)
        self.of_groups = self.chance(35)
        self.required = self.chance(40)  # groups without a row in their file are refused
        self.strict = self.chance(50)  # some groups fail
        self.sequence = self.chance(25)
        self.windows = not groups and self.chance(60)
        self.kinds = self.lines and self.chance(60)  # groups of lines
        if not groups:
            self.alone, self.second, self.of_groups, self.sequence = True, False, False, self.windows
        self.steps: list[str] = []
        self.number = 0

    def chance(self, percent: int) -> bool:
        """Whether it happens this time."""
        return self.r.randrange(100) < percent

    def text(self) -> str:
        """The rulebook."""
        out = [HEAD.strip()]
        if self.sequence:
            out.append("sequence: {by: person_id, order: [day, episode_id]}")
        if self.windows:
            out += ["windows:", "  before: {all: yes}", "  year: {calendar: year, date: day}"]
        if self.checks:
            out.append(TABLE.strip())
        if self.lines:
            out += [
                "lines:", "  inputs:", "    line_no: {type: count}", "    kind: {one_of: klass}", "    cost: {type: money, max: 500}",
                "  order: [line_no]", "  steps:", '    own: {rule: "cost * rate[kind]"}',
            ]  # fmt: skip
            if not self.alone:
                out.append('    topped: {rule: "own + default(region_year.each, ¥0)"}')
            out += self._checks("  ", self._of_lines())
        if self.groups or self.kinds:
            out.append("groups:")
        if self.kinds:
            out += [
                "  by_kind:",
                "    of: lines",
                "    by: {kind: kind}",
                "    steps:",
                '      spent: {rule: "sum(lines.cost)"}',
            ]
            out += self._checks("    ", ("spent > ¥400; spent - amount / 3", "count(lines) > 2 and kind != a"))
        if self.groups:
            out += [*self._region_year(), *self._classes(), *self._years()]
        out += self._checks("", self._of_bills())
        return "\n".join([*out, "steps:", *self._steps(), *self._end()]) + "\n"

    def _checks(self, margin: str, options: tuple[str, ...]) -> list[str]:
        """Some checks, each a condition and perhaps `;` and an amount; None where the rulebook has no checks."""
        chosen = [option for option in options if self.chance(65)] if self.checks else []
        out = [f"{margin}checks:"] if chosen else []
        for option in chosen:
            when, _, amount = option.partition(";")
            self.number += 1
            name = f"name: check_{self.number}, " if self.chance(50) else ""
            severity = self.r.choice(("", "severity: info, ", "severity: error, "))
            told = f', amount: "{amount.strip()}"' if amount else ""
            say = self.r.choice(('{en: "look, here", zh: 看}', "plain"))
            out.append(f'{margin}  - {{{name}{severity}when: "{when}", say: {say}{told}}}')
        return out

    def _of_bills(self) -> tuple[str, ...]:
        every = [
            "amount > ¥5_000; amount - ¥5_000", "amount / (points - 1) > ¥100; amount / (points - 1)", "klass = b and points > 60",
            "amount > listed[person_id].limit; amount / 7", "region is known and region != north and listed[person_id].limit > ¥50",
        ]  # fmt: skip
        wide = "amount" + " * points" * 9  # more digits than a column holds
        every += [f"amount > ¥8_000 and {wide} > ¥5; ¥3", f"amount > ¥10; {wide}"] if self.chance(20) else []
        every += ["sum(lines.cost) != amount; amount - sum(lines.cost)", "any(lines.own > ¥200)"] if self.lines else []
        if self.windows:
            every += [
                "before.count() > 2",
                "year.sum(pays) > ¥4_000; year.sum(pays) / 3",
                "before.sum(amount where before.klass = klass) > amount",
            ]
            # The lines of earlier bills, which no column holds: whole persons are computed exactly.
            every += (
                ["klass = b and points > 40 and before.count(where before.lines.kind = klass) > 1"]
                if self.lines
                else []
            )
        if self.groups and not self.alone:
            every += [
                "final > default(region_year.each, ¥0) * 2 + ¥50", "default(region_year[south, year(day)].spent, ¥0) > amount; amount",
                "listed[person_id].limit < default(region_year.spent, ¥0)", "default(region_year.spent, ¥0) > listed[person_id].limit",
            ]  # fmt: skip
        return tuple(every)

    def _of_lines(self) -> tuple[str, ...]:
        late = (
            "cost > ¥350 and before.count(where before.lines.kind = kind) > 1; cost",
            "before.sum(amount where before.klass = kind) > cost * 40",
        )
        return (
            "cost > ¥300; cost * 10%",
            "own < cost / (line_no - 2)",
            "cost > amount; cost - amount",
            "kind = a and cost > listed[person_id].limit",
            *(late if self.windows else ()),
        )

    def _region_year(self) -> list[str]:
        budget = "budget" if self.required else "default(budget, ¥0)"
        optional = "" if self.required else ", optional: yes"
        needs = [] if not self.strict else ["    requires:", '      - {that: "spent < ¥25_000", say: too dear}']
        per = (
            "if points_of - 40 = 0 then ¥0 else total / (points_of - 40)" if self.strict else "total / (points_of + 1)"
        )
        spread = f"    spread: {{bonus: {{what: left, over: episodes, by: {self.r.choice(('points', 'pays'))}}}}}"
        return [
            "  region_year:", "    of: episodes", "    by: {region: region, year: year(day)}",
            f"    inputs: {{budget: {{type: money, max: 1_000_000{optional}}}, people: {{type: count, default: 7}}}}", *needs,
            "    steps:", '      spent: {rule: "sum(episodes.pays)"}', f'      total: {{rule: "{budget} + ¥5"}}',
            '      points_of: {type: number, rule: "sum(episodes.points)"}',
            '      largest: {type: money, optional: yes, rule: "max(episodes.amount where episodes.klass = b)"}',
            '      each: {rule: "spent / (people + 1)"}', f'      point_value: {{rule: "{per}", round: {{to: 0.0001, mode: half-up}}}}',
            '      left: {rule: "if points_of = 0 or spent = ¥0 then ¥0 else max(0, total - spent)"}',
            *([] if self.alone else [spread]),
            *self._checks("    ", ("spent > total; spent - total", "sum(episodes.pays) > sum(episodes.amount) / 2", "count(episodes where episodes.amount > each) > people", "spent / (points_of - 40) > ¥7; spent / 9", "sum(episodes.final where episodes.klass = c) > ¥1")),
        ]  # fmt: skip

    def _classes(self) -> list[str]:
        if not self.second:
            return []
        key = self.r.choice(("klass", "klass, month: month(day)", "klass, person: person_id"))
        return [
            "  by_klass:", "    of: episodes", f"    by: {{klass: {key}}}", "    steps:",
            '      n: {type: count, rule: "count(episodes)"}', '      paid: {rule: "sum(episodes.final)"}',
            '      regions: {type: count, rule: "count(distinct episodes.region where episodes.region is known)"}',
            *self._checks("    ", ("n > regions; paid", "paid / n > ¥2_000")),
        ]  # fmt: skip

    def _years(self) -> list[str]:
        if not self.of_groups:
            return []
        return [
            "  years:", "    of: region_year", "    by: {year: year}", "    inputs: {limit: {type: money, default: 100}}",
            "    steps:", '      spent: {rule: "sum(region_year.spent)"}', '      most: {type: money, optional: yes, rule: "max(region_year.largest where region_year.largest is known)"}',
            '      over: {rule: "limit - min(limit, spent)"}',
        ]  # fmt: skip

    def _steps(self) -> list[str]:
        base = "min(amount, sum(lines.own))" if self.lines else "amount * rate[klass]"
        base = f"min({base}, max(0, ¥12_000 - before.sum(pays)))" if self.windows else base
        out = [f'  pays: {{rule: "{base}"}}']
        if self.alone:
            return [*out, '  final: {rule: "pays - min(pays, ¥10)"}']
        readers = ["default(region_year.point_value, ¥0) * points", "default(bonus, ¥0)"]
        readers += ["if klass = a then default(region_year.each, ¥0) else ¥1"]
        readers += ["default(region_year[south, year(day)].left, ¥3)"]
        readers += ["default(years.over, ¥0)"] if self.of_groups else []
        chosen = self.r.sample(readers, self.r.randrange(1, len(readers) + 1))
        return [*out, f'  final: {{rule: "pays + {" + ".join(f"({x})" for x in chosen)}"}}']

    def _end(self) -> list[str]:
        self.steps = ["pays", "final"]
        return ["guarantees:", '  - "final >= ¥0"', f"outputs: [{', '.join(self.steps)}]"]

    def write(self, folder: Path, rows: int = 120) -> None:
        """The rulebook and its files: `r.yaml`, `e.csv`, `l.csv` if it has lines, `in/`."""
        (folder / "r.yaml").write_text(self.text(), encoding="utf-8")
        (folder / "in").mkdir(exist_ok=True)
        if self.checks:
            (folder / "tables").mkdir(exist_ok=True)
            some = [[f"P{at:03d}", f"{self.r.randrange(9000)}.00"] for at in range(rows // 4) if self.chance(60)]
            _write(folder / "tables" / "listed.csv", ["person", "limit"], some)
        _write(
            folder / "e.csv",
            ["episode_id", "person_id", "region", "klass", "day", "amount", "points"],
            self._episodes(rows),
        )
        if self.lines:
            _write(folder / "l.csv", ["episode_id", "line_no", "kind", "cost"], self._lines(rows))
        years = (2024, 2025)
        keys = [(place, year) for place in PLACES for year in years if self.chance(70)] + [("north", 2031)]
        budgets = [
            [place, str(year), self.r.choice(("", "2500.00", "100000", "7.77")), self.r.choice(("", "3", "9"))]
            for place, year in keys
        ]
        if self.required:
            budgets = [[place, year, budget or "5.00", people] for place, year, budget, people in budgets]
        _write(folder / "in" / "region_year.csv", ["region", "year", "budget", "people"], budgets)

    def _episodes(self, rows: int) -> list[list[str]]:
        r = self.r
        found: list[list[str]] = []
        for at in range(rows):
            day = f"{r.choice((2024, 2025))}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"
            row = [
                f"E{at:04d}", f"P{r.randrange(rows // 4):03d}", r.choice((*PLACES[:3], "")), r.choice(CLASSES), day,
                f"{r.randrange(9_100)}.{r.randrange(100):02d}", r.choice(("", f"{r.randrange(100)}.{r.randrange(100):02d}", "0")),
            ]  # fmt: skip
            if self.chance(8):  # a cell that cannot be read, or a date out of range
                column, text = r.choice(
                    (
                        (2, "nowhere"),
                        (3, "q"),
                        (4, "2024-13-01"),
                        (4, "2031-05-05"),
                        (5, "1.005"),
                        (6, "101"),
                        (1, ""),
                        (0, ""),
                    )
                )
                row[column] = text if column or not self.windows else row[0]
            found.append(row)
            if self.chance(2):
                found.append(list(row))
        found.insert(rows // 2, ["合计", "", "", "", "", "1.00", ""])
        found.insert(rows // 3, [""] * 7)
        return found

    def _lines(self, rows: int) -> list[list[str]]:
        r = self.r
        found: list[list[str]] = []
        for at in range(rows):
            for number in range(r.choice((0, 1, 2, 2, 3, 5))):
                place = number if not self.chance(1) else 1
                found.append(
                    [f"E{at:04d}", str(place), r.choice(CLASSES), f"{r.randrange(400)}.{r.randrange(100):02d}"]
                )
                if self.chance(1):
                    found[-1][r.choice((2, 3))] = "x"
        r.shuffle(found)
        return [*found, ["NOBODY", "1", "a", "1.00"]]


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
