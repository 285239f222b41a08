"""Groups across bills in columns, held against the exact evaluator: episodes, groups, what lost a member."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import polars as pl
import pytest
from bills import Bill, compiled, differences, frames, list_names, made_up, names_of

from rxcalc.backends.among import Among
from rxcalc.backends.base import Row
from rxcalc.backends.columnar import Columnar, ColumnarResult
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import Together, run_all
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.plan.nodes import Plan, Value

INPUTS = """
inputs:
  episode_id: {type: code}
  day: {type: date}
  region: {type: code, optional: yes}
  hospital: {one_of: klass}
  amount: {type: money, max: 2_000}
  points: {type: number, min: 0, max: 100, decimals: 2}
  other: {one_of: klass}
requires:
  - {that: "amount <= ¥1_990", say: too much}
"""

BOOKS = {
    "a year of a region": """
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, default: 7}}
    steps:
      spent: {rule: "sum(episodes.pays)"}
      count_of: {type: count, rule: "count(episodes where episodes.amount > ¥500)"}
      points_of: {type: number, rule: "sum(episodes.points where episodes.hospital != a)"}
      largest: {type: money, optional: yes, rule: "max(episodes.amount where episodes.hospital = b)"}
      point_value: {round: {to: 0.01, mode: half-up}, rule: "if points_of = 0 then ¥0 else default(budget, ¥0) / points_of"}
      each: {rule: "(default(budget, ¥0) - spent) / people"}
      over: {rule: "sum(episodes.amount - spent / 100 where episodes.amount > spent / 100)"}
      left: {rule: "if points_of = 0 then ¥0 else max(0, default(budget, ¥0) - spent)"}
    spread: {bonus: {what: left, over: episodes, by: points}}
    guarantees: ["spent >= ¥0"]
parameters:
  rate: {type: percent, by: [klass], status: fictional, values: {2024-01-01: {a: 100%, b: 87.5%, c: 0%}}}
steps:
  pays: {rule: "amount * rate[hospital]"}
  worth: {rule: "if hospital = c then ¥0 else default(region_year.point_value, ¥0) * points"}
  elsewhere: {rule: "if other = a then default(region_year[\\"A1\\", 2024].spent, ¥0) else ¥0"}
  late: {rule: "if other = b and worth > ¥300 and points < 20 then worth / (points - points) else ¥0"}
  final: {rule: "pays + worth + default(bonus, ¥0)"}
""",
    "groups of groups, and groups that read each other": """
lines:
  inputs:
    line_no: {type: count}
    class: {one_of: klass}
    cost: {type: money, max: 500}
  order: [line_no]
  steps:
    share: {rule: "if sum_lines = ¥0 then ¥0 else cost / sum_lines * amount"}
    weighted: {rule: "share * factor[class] + default(month.rate_of, ¥0)"}
    relative: {type: percent, round: {to: 0.01%, mode: half-up}, rule: "if weighted > ¥900 then as_percent(weighted / (weighted - weighted)) else 50%"}
    part: {rule: "default(portion, ¥0) * 50%"}
groups:
  month:
    of: episodes
    by: {region: region, which: month(day), year: year(day)}
    inputs: {limit: {type: money, max: 100_000, default: 20_000}}
    effective: date(year, which, 1)
    steps:
      total: {rule: "sum(episodes.amount)"}
      cases: {type: count, rule: "count(episodes)"}
      capped: {rule: "min(total, limit) * rate"}
      rate_of: {rule: "capped / (cases + 1)"}
      compared: {rule: "default(hospital_year[a, year].spent, ¥0) - total"}
      mine: {rule: "year_share + ¥1"}
    shares:
      bill:
        of: total
        fund: {pool: capped}
        patient: {rest: {is: rest, reason: PR-2, may_be_negative: yes}}
  year_of:
    of: month
    by: {region: region, year: year}
    steps:
      total: {rule: "sum(month.capped)"}
      most: {type: money, optional: yes, rule: "max(month.total where month.cases > 1)"}
      months: {type: count, rule: "count(month)"}
    spread: {year_share: {what: total, over: month, by: cases}, portion: {what: total, over: episodes, by: points}}
  hospital_year:
    of: episodes
    by: {hospital: hospital, year: year(day)}
    steps:
      spent: {rule: "sum(episodes.amount where episodes.points > 20)"}
      regions: {type: count, rule: "count(distinct episodes.region where episodes.region is known)"}
parameters:
  rate: {type: percent, status: fictional, values: {2024-01-01: 90%, 2024-09-01: 87.5%, 2025-05-01: 80%}}
  factor: {type: number, by: [klass], status: fictional, values: {2024-01-01: {a: 1, b: 0.5, c: 2}}}
steps:
  sum_lines: {rule: "sum(lines.cost)"}
  final: {rule: "sum(lines.weighted) + default(month.mine, ¥0) + sum(lines.part)"}
  seen: {type: count, rule: "hospital_year.regions + default(year_of.months, 0)"}
  compared: {rule: "if seen > 6 then default(month.compared, ¥0) else ¥7"}
""",
}

BOOKS["a group is refused"] = """
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, optional: yes}}
    requires:
      - {that: "budget is missing or budget < ¥800_000", say: too much}
    steps:
      spent: {rule: "sum(episodes.amount)"}
      each: {rule: "if people is known then spent / (people - 3) else ¥0"}
    spread: {bonus: {what: spent, over: episodes, by: points}}
steps:
  final: {rule: "if hospital = a then ¥0 else default(region_year.each, ¥0) + default(bonus, ¥0)"}
"""

BOOKS["ties go by the order of the sequence"] = """
sequence: {by: hospital, order: [other, day, episode_id]}
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, optional: yes}}
    steps:
      cents: {rule: "sum(episodes.amount) / 100"}
    spread: {bonus: {what: cents, over: episodes, by: "if points > 30 then 1 else 2"}}
steps:
  final: {rule: "default(bonus, ¥0)"}
"""

ALONE = {
    "a group that another kind reads is refused": """
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, optional: yes}}
    steps:
      spent: {rule: "sum(episodes.amount)"}
      each: {rule: "if people is known then spent / (people - 3) else ¥0"}
  years:
    of: region_year
    by: {year: year}
    steps:
      spent: {rule: "sum(region_year.spent)"}
steps:
  final: {rule: "if hospital = a then ¥0 else default(years.spent, ¥0)"}
""",
    "years after each other": """
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, optional: yes}}
    sequence: {by: region, order: [year]}
    windows: {before: {all: yes}}
    steps:
      spent: {rule: "sum(episodes.amount)"}
      balance: {rule: "default(budget, ¥0) - spent + default(before.last(balance), ¥0)"}
steps:
  final: {rule: "amount + default(region_year.balance, ¥0) / 1000"}
""",
    "people look back": """
sequence: {by: hospital, order: [day, episode_id]}
windows: {before: {all: yes}}
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    inputs: {budget: {type: money, max: 1_000_000, optional: yes}, people: {type: count, optional: yes}}
    steps:
      spent: {rule: "sum(episodes.pays)"}
steps:
  pays: {rule: "max(0, amount - before.sum(pays) / 100)"}
  final: {rule: "pays + default(region_year.spent, ¥0) / 1000"}
""",
}


class Evaluators:
    """The exact evaluator as the columns ask for it."""

    def __init__(self, plan: Plan) -> None:
        self.exact = Exact(plan)
        self.times = 0  # the most rows it was given at once

    def together(
        self, rows: Sequence[Row], group_inputs: Mapping[str, Sequence[Mapping[str, Value]]], *, compute: bool
    ) -> Together:
        """Everything at once."""
        self.times = max(self.times, len(rows))
        return run_all(self.exact, rows, group_inputs, compute=compute)

    def among(self, groups: Sequence[Any]) -> Any:
        """One episode."""
        return Among(self.exact, groups).run


def run(
    plan: Plan, bills: Sequence[Bill], inputs: Mapping[str, Any], bad: set[int], evaluators: Evaluators, **options: Any
) -> ColumnarResult:
    """A columnar run; rows `bad` (by number) were refused before."""
    exact = Exact(plan)
    back_end = Columnar(plan, partial(run_known, exact), partial(run_person, exact), evaluators)
    main, lists = frames(plan, bills)
    main = main.with_columns(pl.col("__row").is_in(sorted(bad)).alias("__bad"))
    return back_end.run_groups(
        main, names_of(plan), lists=lists, list_outputs=list_names(plan), group_inputs=inputs, **options
    )


def agrees(
    plan: Plan, bills: Sequence[Bill], inputs: Mapping[str, Any], bad: set[int], *, in_columns: bool = True
) -> ColumnarResult:
    """Holds a run against the exact evaluator."""
    exact = Exact(plan)
    rows = [Row(at + 1, str(at + 1), bill, refused=at + 1 in bad) for at, bill in enumerate(bills)]
    whole = run_all(exact, rows, inputs)
    evaluators = Evaluators(plan)
    result = run(plan, bills, inputs, bad, evaluators)
    kept = [at for at in range(len(bills)) if at + 1 not in bad]
    outcomes = {at: whole.ran[at].outcome for at in kept}
    wrong = differences(plan, bills, [outcomes.get(at) for at in range(len(bills))], result)
    ours = {
        (g.kind, *(g.inputs[k.name] for k in kind.keys)): g
        for kind in plan.groups
        for g in result.groups
        if g.kind == kind.name
    }
    theirs = {
        (g.kind, *(g.inputs[k.name] for k in kind.keys)): g
        for kind in plan.groups
        for g in whole.groups
        if g.kind == kind.name
    }
    if list(ours) != list(theirs):
        wrong.append(f"groups {sorted(map(str, set(ours) ^ set(theirs)))[:5]} or their order")
    for key, group in theirs.items():
        own = ours.get(key)
        for field in ("inputs", "steps", "shares", "problem", "members", "rejected"):
            if own is not None and getattr(own, field) != getattr(group, field):
                wrong.append(f"group {key}: {field} is {getattr(own, field)}, not {getattr(group, field)}")
    incomplete = {at + 1: o.incomplete for at, o in outcomes.items() if o.problem is None and o.incomplete}
    if dict(result.incomplete) != incomplete:
        odd = [n for n in {*incomplete, *result.incomplete} if incomplete.get(n) != result.incomplete.get(n)]
        wrong.append(f"incomplete: {[(n, result.incomplete.get(n), incomplete.get(n)) for n in odd[:5]]}")
    if dict(result.unplaced) != dict(whole.unplaced):
        wrong.append(f"unplaced {result.unplaced}, not {whole.unplaced}")
    assert not wrong, f"{len(wrong)} differences\n" + "\n".join(wrong[:6])
    assert not in_columns or evaluators.times < len(bills) / 2
    return result


def some(plan: Plan, seed: int, count: int = 600) -> tuple[list[Bill], dict[str, Any], set[int]]:
    """Bills, inputs of groups, and rows refused before."""
    pick = random.Random(seed)
    bills = made_up(plan, count, seed, most=5)
    bad = {at + 1 for at in range(count) if pick.random() < 0.02}
    for at in bad:
        for name in ("region", "amount"):
            if name in bills[at - 1] and pick.random() < 0.5:
                bills[at - 1][name] = None
    keys = [("A1", 2024), ("A1", 2025), ("B1", 2025), ("nobody", 2024)]
    inputs = {
        "region_year": [
            {
                "region": region,
                "year": year,
                "budget": pick.choice([None, Fraction(pick.randrange(10**8), 100)]),
                "people": pick.choice([None, 3, 100]),
            }
            for region, year in keys
        ]
    }
    return bills, inputs, bad


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", BOOKS)
def test_same_on_both_back_ends(name: str, seed: int) -> None:
    """Results, problems, groups, and which results lack a member."""
    plan = compiled(INPUTS + BOOKS[name] + "outputs: [final]\n")
    agrees(plan, *some(plan, seed))


@pytest.mark.parametrize("name", ALONE)
def test_what_the_exact_evaluator_does_alone(name: str) -> None:
    """Refused groups, sequences of groups and windows take the whole set to the exact evaluator."""
    plan = compiled(INPUTS + ALONE[name] + "outputs: [final]\n")
    agrees(plan, *some(plan, 3, 300), in_columns=False)
