"""Bounds of single operations, worked out by hand."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from rxcalc.bill.bounds import Bounder, Bounds, Partial
from rxcalc.bill.possible import ABSENT, Choice, Possible, Span, point
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan, Value

RULEBOOK = """\
rxcalc: 1
rulebook: bounded
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, to: 2025-12-31, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  from_day: {type: date}
  to_day: {type: date}
  born: {type: date, optional: yes}
  a: {type: money, max: 150}
  b: {type: money, max: 40}
  n: {type: count, max: 9}
  p: {type: percent, max: 50%}
  extra: {type: money, max: 5, optional: yes}
  retired: {type: flag}
  level: {one_of: [low, middle, high], ordered: yes}
  region: {type: code}
requires:
  - {that: b <= a, say: b is a part of a}
  - {that: to_day >= from_day, say: in order}
parameters:
  deductible: {type: money, by: [level], values: {2024-01-01: {low: 1, middle: 20, high: 30}, 2025-01-01: {low: 2, middle: 21, high: 31}}}
  rates: {type: bands of percent over money, values: {2024-01-01: [{to: 100, is: 10%}, {is: 20%}]}}
  fees: {type: cliff of money over count, values: {2024-01-01: [{below: 3, is: 7}, {is: 4}]}}
  slope: {type: curve of percent over number, values: {2024-01-01: [{at: 0, is: 0%}, {at: 4, is: 40%}, {at: 9, is: 10%}]}}
  daily: {type: money per day, values: {2024-01-01: 10, 2025-01-01: 12}}
tables:
  prices: {file: prices.csv, key: [region, {up_to: size}], columns: {price: {type: money}}}
lines:
  inputs: {line_no: {type: count}, kind: {one_of: [drug, other]}, amount: {type: money, max: 1000}}
  order: [line_no]
  steps:
    counted: {rule: "if kind = drug then amount * (100% - p) else ¥0"}
    so_far: {rule: "above.sum(counted)"}
    place: {rule: "rank(lines.amount where lines.amount > b)"}
steps:
  sum: {rule: a + b}
  nothing: {rule: a - a}
  own: {rule: a - b}
  least: {rule: "min(a, b, ¥30)"}
  most: {rule: "max(a, ¥120)"}
  away: {rule: "abs(a - ¥100)"}
  tenth: {rule: a * 10%}
  third: {rule: a / 3}
  residue: {rule: third * 3 - a}
  each: {type: money, rule: a / (n + 1)}
  product: {rule: a * p}
  tens: {rule: "floor(a, ¥10)"}
  up: {rule: "ceil(a, ¥10)"}
  due: {rule: "min(a, deductible[level])"}
  banded: {rule: "bands(rates, a)"}
  banded_from: {rule: "bands(rates, b .. a)"}
  eased: {rule: "bands(rates, a, rate -> if retired then rate * 50% else rate)"}
  reached: {rule: "bands_reach(rates, ¥12, ¥0 .. a)"}
  fee: {rule: "step(fees, n)"}
  curved: {rule: "along(slope, as_number(p) * 10)"}
  stay: {rule: "over_days(daily, from_day .. to_day)"}
  days: {type: days, rule: to_day - from_day}
  months: {type: count, rule: "months_between(from_day, to_day)"}
  year_of: {type: count, rule: year(to_day)}
  month_of: {type: count, rule: month(to_day)}
  old: {type: flag, rule: "born is known and age(born, day) >= 60"}
  topped: {rule: "b + default(extra, ¥2)"}
  kept: {rule: "when retired and level >= middle then ¥0 when a > ¥50 then a otherwise ¥50"}
  within: {rule: "when a <= ¥40 then a otherwise ¥40"}
  among: {type: flag, rule: "level in {low, middle}"}
  price: {rule: "prices[region, a].price"}
  known_price: {type: flag, rule: "[region, a] in prices"}
  total: {rule: sum(lines.counted)}
  drugs: {type: count, rule: count(lines where lines.amount > b)}
  picked: {rule: sum(lines.amount where lines.amount > b)}
  dear: {type: flag, rule: any(lines.amount > a)}
  cheap: {type: flag, rule: all(lines.amount <= a)}
  top: {type: money, optional: yes, rule: max(lines.amount where lines.amount > b)}
shares:
  bill: {of: a, fund: banded, patient: {part: {is: b}, left: {is: rest, may_be_negative: yes}}}
outputs: [sum]
"""

PRICES = "region,size,price\neast,50,5\neast,100,6\neast,,7\nwest,,9\n"
EVERYTHING: dict[str, Value] = {
    "episode_id": "E1", "day": date(2024, 6, 1), "from_day": date(2024, 12, 30), "to_day": date(2025, 1, 3), "born": None,
    "a": Fraction(110), "b": Fraction(20), "n": 4, "p": Fraction(1, 4), "extra": None, "retired": False, "level": "middle",
    "region": "east",
}  # fmt: skip
LINES = (
    {"line_no": 2, "kind": "drug", "amount": Fraction(80)},
    {"line_no": 1, "kind": "drug", "amount": Fraction(20)},
    {"line_no": 3, "kind": "other", "amount": Fraction(30)},
)


@pytest.fixture(scope="module")
def bounder(tmp_path_factory: pytest.TempPathFactory) -> Bounder:
    folder = tmp_path_factory.mktemp("bounded")
    (folder / "prices.csv").write_text(PRICES, encoding="utf-8")
    (folder / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    sink = Sink()
    found = compile_file(folder / "rulebook.yaml", "rulebook.yaml", sink)
    assert found is not None, [(d.code, d.message) for d in sink if d.severity is Severity.ERROR]
    plan: Plan = found.plan
    result = Bounder(plan)
    result.goals = (*(s.name for s in plan.steps), *result.goals)
    return result


def bounds(bounder: Bounder, *unknown: str, lines: bool = True, **known: Value) -> Bounds:
    values = {n: v for n, v in {**EVERYTHING, **known}.items() if n not in unknown}
    return bounder.bounds(Partial(values, {"lines": LINES} if lines else {}))


def span(low: object, high: object, *, missing: bool = False) -> Span:
    def number(x: object) -> Fraction:
        return Fraction(x.toordinal()) if isinstance(x, date) else Fraction(str(x))

    return Span(number(low), number(high), missing)


def flags(*values: bool) -> Choice:
    return Choice(frozenset(values))


# What is unknown, the step, and what it can be: by hand from the rulebook above. b <= a keeps a at 20 or more.
CASES: list[tuple[tuple[str, ...], str, Possible]] = [
    (("a",), "sum", span(40, 170)),
    (("a",), "nothing", span(0, 0)),
    (("a",), "own", span(0, 130)),
    (("a", "b"), "own", span(0, 150)),
    (("b",), "own", span(70, 110)),
    (("a",), "least", span(20, 20)),
    (("b",), "least", span(0, 30)),
    (("a",), "most", span(120, 150)),
    (("a",), "away", span(0, 80)),
    (("a",), "tenth", span(2, 15)),
    (("a",), "third", span("6.67", 50)),
    (("a",), "residue", span("-0.01", "0.01")),  # a third is rounded by half a fen at most
    (("n",), "each", span(11, 110)),
    (("a", "n"), "each", span(2, 150)),
    (("a", "p"), "product", span(0, 75)),
    (("a",), "tens", span(20, 150)),
    (("a",), "up", span(20, 150)),
    (("level",), "due", span(1, 30)),
    (("a", "level"), "due", span(1, 30)),
    (("day",), "due", span(20, 21)),
    (("day", "level"), "due", span(1, 31)),
    (("a",), "banded", span(2, 20)),
    (("b",), "banded_from", span(8, 12)),
    (("retired",), "eased", span(6, 12)),
    (("a",), "reached", span(20, 110)),
    (("n",), "fee", span(4, 7)),
    (("p",), "curved", span("0", "0.4")),
    (("to_day",), "year_of", span(2024, 2199)),
    (("to_day",), "month_of", span(1, 12)),
    (("born",), "old", flags(True, False)),
    (("extra",), "topped", span(20, 25)),
    (("extra", "b"), "topped", span(0, 45)),
    (("retired", "level"), "kept", span(0, 110)),
    (("retired", "a"), "kept", span(0, 150)),
    (("a",), "within", span(20, 40)),
    (("level",), "among", flags(True, False)),
    (("a",), "price", span(5, 7)),
    (("region",), "price", span(7, 9)),
    (("region", "a"), "price", span(5, 9)),
    (("region",), "known_price", flags(True, False)),
    (("p",), "total", span(50, 100)),
    (("b",), "drugs", span(1, 3)),
    (("b",), "picked", span(80, 130)),
    (("a",), "dear", flags(True, False)),
    (("a",), "cheap", flags(True, False)),
    (("b",), "top", span(80, 80)),
    (("a",), "fund_pays", span(2, 20)),
    (("b",), "fund_pays", span(12, 12)),
    (("a",), "patient_pays", span(18, 130)),
    (("b",), "patient_pays", span(98, 98)),
]


@pytest.mark.parametrize(("unknown", "step", "expected"), CASES, ids=[f"{'+'.join(u)} {s}" for u, s, _ in CASES])
def test_bounds_are_those_worked_out_by_hand(
    bounder: Bounder, unknown: tuple[str, ...], step: str, expected: Possible
) -> None:
    """Each operation is bounded as sharply as by hand."""
    assert bounds(bounder, *unknown).results[step] == expected


def test_days_and_daily_amounts(bounder: Bounder) -> None:
    """From 30 December to a day of the next two months: 2 days at 10, the others at 12."""
    found = bounder.bounds(
        Partial({n: v for n, v in EVERYTHING.items() if n != "to_day"}, {"lines": LINES}),
        within={"to_day": Span(Fraction(date(2025, 1, 1).toordinal()), Fraction(date(2025, 2, 28).toordinal()))},
    ).results
    assert found["days"] == span(2, 60)
    assert found["months"] == span(0, 2)  # 30 December and two months is 28 February, the month's last day
    low, high = found["stay"].low, found["stay"].high  # type: ignore[union-attr]
    # The exact amounts are 20 and 20 + 58 x 12 = 716; the bound takes either rate for every day.
    assert low is not None
    assert high is not None
    assert low <= 20
    assert 716 <= high <= 720


def test_no_days_need_no_value(bounder: Bounder) -> None:
    """Before the first value of a daily amount there is nothing to sum, which is no reason to refuse."""
    early = {"from_day": date(2023, 5, 1)}
    found = bounder.bounds(
        Partial({**{n: v for n, v in EVERYTHING.items() if n != "to_day"}, **early}, {"lines": LINES}),
        within={"to_day": Span(*[Fraction(date(2023, 5, d).toordinal()) for d in (1, 20)])},
    )
    assert found.results["stay"] == span(0, 0)


def test_unknown_lines(bounder: Bounder) -> None:
    """Of lines that are not known sums and counts are not below nothing."""
    found = bounds(bounder, lines=False)
    assert found.results["total"].low == 0  # type: ignore[union-attr]
    assert found.results["drugs"].low == 0  # type: ignore[union-attr]
    assert found.results["top"].missing
    assert found.reads["total"] == {"list:lines"}


def test_everything_known(bounder: Bounder) -> None:
    """With nothing unknown every result is one value."""
    found = bounds(bounder)
    assert found.is_settled
    assert found.results["total"] == point(Fraction(75))  # (80 + 20) x 75%
    assert found.results["eased"] == point(Fraction(12))
    none = bounder.bounds(Partial(EVERYTHING, {"lines": ()}))
    assert none.results["top"] == ABSENT
    assert none.results["cheap"] == flags(True)


def test_what_is_open(bounder: Bounder) -> None:
    """Only what a result reads in a clause that can decide is open."""
    reads = bounds(bounder, "retired", "level", "p", "extra").reads
    assert reads["kept"] == {"retired", "level"}
    assert reads["topped"] == {"extra"}
    assert "kept" not in bounds(bounder, "level", retired=False).reads


def test_a_bill_that_is_refused(bounder: Bounder) -> None:
    """A bill that breaks a requirement, whatever the rest is, is refused in all cases."""
    assert bounds(bounder, "level", "retired", a=Fraction(10)).is_refused
