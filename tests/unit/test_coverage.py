"""Coverage by examples: a rulebook with known gaps, worked out by hand, on every level and for every kind of item."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from rxcalc.coverage.model import KINDS, Coverage, Share
from rxcalc.coverage.text import render
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.examples import ExamplesReport, run_examples
from rxcalc.driver.find import Found
from rxcalc.plan.codec import decode, encode
from rxcalc.report.layout import width

ROOT = Path(__file__).parents[2]

RULEBOOK = """\
rxcalc: 1
rulebook: gaps
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  region: {type: code}
  day: {type: date}
  level: {one_of: [town, city]}
  class: {one_of: [a, b, c]}
  weight: {type: number}
  total: {type: money}
sequence: {by: person_id, order: [day, episode_id]}
windows:
  this_year: {calendar: year, date: day}
requires:
  - {that: "total > ¥0", say: a bill has an amount}
  - {that: weight >= 0, say: no weight is below nothing}
parameters:
  full: {type: money, values: {2024-01-01: 1_000, 2025-01-01: 2_000}}
  rate:
    type: bands of percent over money
    by: [level]
    values:
      2024-01-01:
        town:
          - {to: full, is: 90%}
          - {is: 95%}
        city:
          - {to: 500, is: 80%}
          - {is: 85%}
  visit:
    type: cliff of money over money
    values:
      2024-01-01:
        - {to: 100, is: 5}
        - {below: 300, is: 10}
        - {is: 20}
  bonus:
    type: curve of percent over number
    outside: hold
    values:
      2024-01-01:
        - {at: 0, is: 0%}
        - {at: 10, is: 10%}
        - {at: 10, is: 12%}
        - {at: 20, is: 20%}
  extra:
    type: money
    by: [level]
    values:
      2024-01-01:
        town: 50
        city: none
      2025-01-01:
        town: 60
        city: 10
  a_day: {type: money per day, values: {2024-01-01: 5, 2024-03-01: 6, 2025-01-01: 7}}
tables:
  drg: {file: drg.csv, key: [code], columns: {price: money}}
lines:
  inputs:
    line_no: {type: count}
    code: {type: code}
    amount: {type: money}
  order: [line_no]
  requires:
    - {that: "amount <= ¥10_000", say: no line is so dear}
  steps:
    price: drg[code].price
    over: |
      when amount > price then amount - price
      otherwise ¥0
    deep: "if above.count() > 1 then over else ¥0"
  checks:
    - {name: dear, when: "over > ¥0", say: above the price}
    - {name: very_dear, when: "over > ¥100", say: far above the price}
groups:
  code_sum:
    of: lines
    by: {code: code}
    steps:
      amount: sum(lines.amount)
      often: "if count(lines) > 1 then yes else no"
  region_sum:
    of: episodes
    by: {region: region}
    steps:
      bills: count(episodes)
      mean: |
        when bills > 2 then reject because "too many"
        when bills > 1 then sum(episodes.total) / bills
        otherwise sum(episodes.total)
    checks:
      - {name: rich, when: "mean > ¥1_000", say: a dear region}
steps:
  group_no:
    type: count
    table:
      of: [class]
      rows:
        - {when: [a], then: 1}
        - {when: [b], then: 2}
        - {otherwise: 3}
  paid: |
    when total > ¥50_000 then reject because "too much"
    when this_year.count() > 0 then bands(rate[level], total, r -> r * 110%)
    otherwise bands(rate[level], total)
  visit_fee: step(visit, total)
  quality:
    round: {to: 0.01%}
    rule: along(bonus, weight)
  first_part: band(rate[level], 1, total)
  extra_due: default(extra[level], ¥0)
  stay: over_days(a_day, day - 2 days .. day)
  in_region: region_sum.mean
shares:
  bill:
    of: total
    fund: {pool: paid}
    patient:
      visit: "min(visit_fee, total - paid)"
      own: rest
    hospital: {loss: {is: "if class = c then -¥1 else ¥0", may_be_negative: yes}}
    other: {gift: ¥0}
checks:
  - {when: "total > ¥900", say: large}
  - {name: huge, when: "total > ¥9_000", say: huge}
outputs: [paid, visit_fee, quality, first_part, extra_due, group_no, in_region, stay]
"""
TABLE = "code,price\nX1,10\nX2,20\nX3,30\n"
PERSON = "region: r, level: town, class: a, weight: 4"
FIRST = f"""\
- example: a town bill with lines
  by: hand
  episode: {{episode_id: E1, person_id: P, day: 2024-03-02, total: 600, {PERSON}}}
  lines:
    - {{line_no: 1, code: X1, amount: 8}}
    - {{line_no: 2, code: X1, amount: 14}}
  expect: {{paid: 540.00, findings: [{{check: dear, lines: 2}}]}}
"""
SECOND = f"""\
- example: the second bill of a year, refused by its rate
  by: "95% x 110% is more than all"
  earlier:
    - episode: {{episode_id: E1, person_id: P, day: 2024-05-01, total: 80, {PERSON}}}
  episode: {{episode_id: E2, person_id: P, day: 2024-06-01, total: 1200, {PERSON}}}
  rejects: RX715
"""
THIRD = f"""\
- example: nothing billed
  by: hand
  episode: {{episode_id: E1, person_id: P, day: 2024-06-01, total: 0, {PERSON}}}
  rejects: RX722
- example: too dear
  by: hand
  episode: {{episode_id: E1, person_id: P, day: 2024-06-01, total: 50001, region: r, level: town, class: c, weight: 4}}
  rejects: RX721
"""


def run(folder: Path, *examples: str, rulebook: str = RULEBOOK) -> ExamplesReport:
    """A rulebook and its examples, run with coverage; the examples must come out as they say."""
    (folder / "examples").mkdir(parents=True)
    (folder / "rulebook.yaml").write_text(rulebook, encoding="utf-8")
    (folder / "drg.csv").write_text(TABLE, encoding="utf-8")
    (folder / "examples" / "all.yaml").write_text("".join(examples) or "[]", encoding="utf-8")
    sink = Sink()
    report = run_examples(Found(folder / "rulebook.yaml", "gaps/rulebook.yaml"), sink, coverage=True)
    assert not sink.has_errors, [d.message for d in sink.sorted()]
    assert not report.failed, [(r.name, r.differences) for r in report.results]
    return report


def covered(report: ExamplesReport) -> dict[str, dict[str, int]]:
    """By kind: each item as `name: what`, and how often it is covered."""
    assert report.coverage is not None
    found: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    for item, count in zip(report.coverage.items, report.coverage.counts, strict=True):
        name = f"{item.level}.{item.name}" if item.level else item.name
        key = f"{name}: {item.what}" if item.what else name
        assert key not in found[item.kind]
        found[item.kind][key] = count
    return found


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> ExamplesReport:
    """All the examples above: five episodes, and four groups of bills, for which each episode counts that is not refused before."""
    return run(tmp_path_factory.mktemp("three"), FIRST, SECOND, THIRD)


# What the examples above use, by hand. A: E1 with lines, 2024-03-02. B: the earlier bill of ¥80. C: the bill of ¥1,200,
# refused by its second band. D: nothing billed. E: ¥50,001. Groups: a region of A alone, one of B alone (C is refused).
EXPECTED = {
    "clauses": {
        "lines.price: its one expression": 1,  # A
        "lines.over: when amount > price": 1,  # A, its second line: 14 > 10
        "lines.over: otherwise": 1,  # A, its first: 8 < 10
        "lines.deep: its one expression": 1,
        "code_sum.amount: its one expression": 1,
        "code_sum.often: its one expression": 1,
        "region_sum.bills: its one expression": 2,  # both regions
        "region_sum.mean: when bills > 2 then reject": 0,
        "region_sum.mean: when bills > 1": 0,
        "region_sum.mean: otherwise": 2,
        "paid: when total > ¥50_000 then reject": 1,  # E
        "paid: when this_year.count() > 0": 1,  # C: its value refuses it
        "paid: otherwise": 2,  # A, B
        "visit_fee: its one expression": 2,
        "quality: its one expression": 2,
        "first_part: its one expression": 2,
        "extra_due: its one expression": 2,
        "stay: its one expression": 2,
        "in_region: its one expression": 2,
    },
    "branches": {
        "lines.deep: if above.count() > 1: then over": 0,  # no bill has a third line
        "lines.deep: if above.count() > 1: else ¥0": 1,
        "code_sum.often: if count(lines) > 1: then yes": 1,  # two lines of X1
        "code_sum.often: if count(lines) > 1: else no": 0,
        "bill: if class = c: then -¥1": 0,  # E is refused before its shares
        "bill: if class = c: else ¥0": 2,
    },
    "decision rows": {
        "group_no: row 1, when class = a": 3,  # A, B, C
        "group_no: row 2, when class = b": 0,
        "group_no: row 3, otherwise": 1,  # E, before it is refused
    },
    "bands": {
        "rate: [town] from 2024-01-01: band 1, to 1,000.00 (90%)": 3,
        "rate: [town] from 2024-01-01: band 2, above 1,000.00 (95%)": 1,  # C, whose mapped rate refuses it
        "rate: [city] from 2024-01-01: band 1, to 500.00 (80%)": 0,
        "rate: [city] from 2024-01-01: band 2, above 500.00 (85%)": 0,
        "rate: [town] from 2025-01-01: band 1, to 2,000.00 (90%)": 0,  # its limit reads `full`, hence a date of its own
        "rate: [town] from 2025-01-01: band 2, above 2,000.00 (95%)": 0,
        "rate: [city] from 2025-01-01: band 1, to 500.00 (80%)": 0,
        "rate: [city] from 2025-01-01: band 2, above 500.00 (85%)": 0,
        "visit: from 2024-01-01: slice 1, to 100.00 (5.00)": 1,  # B
        "visit: from 2024-01-01: slice 2, 100.00 below 300.00 (10.00)": 0,
        "visit: from 2024-01-01: slice 3, above 300.00 (20.00)": 1,  # A
        "bonus: from 2024-01-01: between 0 and 10": 2,  # the jump at 10 is no stretch
        "bonus: from 2024-01-01: between 10 and 20": 0,
    },
    "parameter dates": {
        "full: from 2024-01-01": 3,  # read by the limits of the rates
        "full: from 2025-01-01": 0,
        "rate: from 2024-01-01": 3,
        "rate: from 2025-01-01": 0,
        "visit: from 2024-01-01": 2,
        "bonus: from 2024-01-01": 2,
        "extra: from 2024-01-01": 2,
        "extra: from 2025-01-01": 0,
        "a_day: from 2024-01-01": 1,  # A: 29 February and 1 March
        "a_day: from 2024-03-01": 2,
        "a_day: from 2025-01-01": 0,
    },
    "parameter keys": {
        "extra: [town] from 2024-01-01 (50.00)": 2,
        "extra: [city] from 2024-01-01 (missing)": 0,
        "extra: [town] from 2025-01-01 (60.00)": 0,
        "extra: [city] from 2025-01-01 (10.00)": 0,
    },
    "table rows": {"drg: row X1": 1, "drg: row X2": 0, "drg: row X3": 0},
    "line rules": {
        "lines.price": 1,
        "lines.over": 1,
        "lines.deep": 1,
        "code_sum.amount": 1,
        "code_sum.often": 1,
        "region_sum.bills": 2,
        "region_sum.mean": 2,
    },
    "shares": {"fund.pool": 2, "patient.visit": 2, "patient.own": 2, "hospital.loss": 0, "other.gift": 0},
    "requires": {
        "requires: total > ¥0": 1,  # D
        "requires: weight >= 0": 0,
        "lines.requires: amount <= ¥10_000": 0,
    },
    "checks": {
        "lines.dear: when over > ¥0": 1,
        "lines.very_dear: when over > ¥100": 0,
        "region_sum.rich: when mean > ¥1000": 0,
        "1: when total > ¥900": 0,  # C is refused
        "huge: when total > ¥9000": 0,
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_covered(three: ExamplesReport, kind: str) -> None:
    """Every item of every kind is covered by as many episodes and groups as by hand."""
    assert covered(three)[kind] == EXPECTED[kind]


def test_shares_by_kind_and_in_all(three: ExamplesReport) -> None:
    """The counts by kind, and percentages rounded down to one decimal."""
    assert three.coverage is not None
    found = {kind: (s.covered, s.of, s.percent) for kind, s in three.coverage.kinds.items()}
    assert found["clauses"] == (17, 19, "89.4")  # 89.47..
    assert found["bands"] == (5, 13, "38.4")
    assert found["table rows"] == (1, 3, "33.3")
    assert found["line rules"] == (7, 7, "100.0")
    total = three.coverage.total
    of = sum(len(of) for of in EXPECTED.values())
    assert (total.covered, total.of) == (sum(1 for of in EXPECTED.values() for n in of.values() if n), of)


def test_places(three: ExamplesReport) -> None:
    """Each item stands at its own line: clauses, rows of tables, single bands and single values."""
    assert three.coverage is not None
    lines = {"gaps/rulebook.yaml": RULEBOOK.splitlines(), "gaps/drg.csv": TABLE.splitlines()}
    starts = {
        ("clauses", "when bills > 1"): "when bills > 1 then",
        ("branches", "if above.count() > 1: then over"): 'deep: "if above',
        ("decision rows", "row 2, when class = b"): "- {when: [b], then: 2}",
        ("bands", "[town] from 2025-01-01: band 2, above 2,000.00 (95%)"): "- {is: 95%}",
        ("bands", "from 2024-01-01: slice 2, 100.00 below 300.00 (10.00)"): "- {below: 300, is: 10}",
        ("bands", "from 2024-01-01: between 10 and 20"): "- {at: 10, is: 12%}",
        ("parameter keys", "[town] from 2025-01-01 (60.00)"): "town: 60",
        ("table rows", "row X2"): "X2,20",
        ("requires", "amount <= ¥10_000"): '- {that: "amount <= ¥10_000"',
        ("checks", "when over > ¥100"): "- {name: very_dear",
    }
    found = {(i.kind, i.what): lines[i.place.file][i.place.line - 1].strip() for i in three.coverage.items}
    for key, start in starts.items():
        assert found[key].startswith(start), (key, found[key])


def test_a_group_refused_by_its_rule_covers_the_clause(tmp_path: Path) -> None:
    """The clause that rejects a group across bills is covered by the group, though its bills are refused for it."""
    bills = "".join(
        f"    - episode: {{episode_id: E{n}, person_id: P{n}, day: 2024-03-02, total: 10, {PERSON}}}\n      rejects: RX809\n"
        for n in range(3)
    )
    report = run(tmp_path, f"- example: three\n  by: hand\n  episodes:\n{bills}")
    clauses = covered(report)["clauses"]
    assert clauses["region_sum.mean: when bills > 2 then reject"] == 1
    assert clauses["region_sum.mean: when bills > 1"] == clauses["region_sum.mean: otherwise"] == 0
    assert clauses["in_region: its one expression"] == 3  # each bill reads the group, and is refused there
    assert clauses["paid: otherwise"] == 3


def test_given_groups_are_not_computed(tmp_path: Path) -> None:
    """A group whose results are given covers none of its rules, but what reads it is covered."""
    report = run(
        tmp_path,
        "- example: given\n  by: hand\n  groups: {region_sum: {mean: 12}}\n"
        f"  episode: {{episode_id: E1, person_id: P, day: 2024-03-02, total: 10, {PERSON}}}\n"
        "  expect: {in_region: 12.00}\n",
    )
    rules = covered(report)["line rules"]
    assert rules["region_sum.mean"] == rules["region_sum.bills"] == 0
    assert covered(report)["clauses"]["in_region: its one expression"] == 1


def test_conditions_and_findings_of_lines_and_groups(tmp_path: Path) -> None:
    """A condition broken by a line, findings on lines and on a group; a `none` value that is read counts."""
    report = run(
        tmp_path,
        "- example: dear\n  by: hand\n  episode:\n"
        "    {episode_id: E1, person_id: P, region: r, day: 2024-03-02, level: city, class: b, weight: 12, total: 2000}\n"
        "  lines: [{line_no: 1, code: X3, amount: 130.01}]\n"
        "  expect: {findings: [{check: dear, lines: 1}, {check: very_dear, lines: 1}, {check: 1}]}\n"
        "- example: a line too dear\n  by: hand\n"
        f"  episode: {{episode_id: E1, person_id: P, day: 2024-03-02, total: 10, {PERSON}}}\n"
        "  lines: [{line_no: 1, code: X9, amount: 10000.01}]\n"
        "  rejects: RX722\n",
    )
    found = covered(report)
    assert found["requires"]["lines.requires: amount <= ¥10_000"] == 1
    assert found["checks"] == {
        "lines.dear: when over > ¥0": 1,
        "lines.very_dear: when over > ¥100": 1,
        "region_sum.rich: when mean > ¥1000": 1,
        "1: when total > ¥900": 1,
        "huge: when total > ¥9000": 0,
    }
    assert found["parameter keys"]["extra: [city] from 2024-01-01 (missing)"] == 1
    assert found["bands"]["bonus: from 2024-01-01: between 10 and 20"] == 1
    assert found["decision rows"]["group_no: row 2, when class = b"] == 1
    assert found["table rows"] == {"drg: row X1": 0, "drg: row X2": 0, "drg: row X3": 1}


def test_one_band_of_many(tmp_path: Path) -> None:
    """`band(s, n, ..)` uses the n-th band only; the others have no part in its value."""
    only = RULEBOOK.replace("otherwise bands(rate[level], total)", "otherwise ¥0")
    report = run(
        tmp_path,
        "- example: one\n  by: hand\n"
        f"  episode: {{episode_id: E1, person_id: P, day: 2024-03-02, total: 5000, {PERSON}}}\n"
        "  expect: {first_part: 900.00, findings: [{check: 1}]}\n",
        rulebook=only,
    )
    bands = covered(report)["bands"]
    assert bands["rate: [town] from 2024-01-01: band 1, to 1,000.00 (90%)"] == 1
    assert bands["rate: [town] from 2024-01-01: band 2, above 1,000.00 (95%)"] == 0


def test_no_examples(tmp_path: Path) -> None:
    """A rulebook without examples has coverage 0."""
    report = run(tmp_path)
    assert report.coverage is not None
    assert (report.coverage.total.covered, report.coverage.total.percent) == (0, "0.0")


@pytest.mark.parametrize(
    ("covered_", "of", "percent"),
    [(0, 3, "0.0"), (2, 3, "66.6"), (1999, 2000, "99.9"), (2000, 2000, "100.0"), (0, 0, "0.0")],
)
def test_percentages_are_rounded_down(covered_: int, of: int, percent: str) -> None:
    """100.0 means all."""
    assert Share(covered_, of).percent == percent


def test_the_bar_is_compared_exactly() -> None:
    """Not the rounded figure, but the share itself is held against the least percentage."""
    assert Share(1999, 2000).is_under(Fraction(100))
    assert not Share(1999, 2000).is_under(Fraction("99.95"))
    assert Share(1999, 2000).is_under(Fraction("99.951"))


def test_text(three: ExamplesReport) -> None:
    """80 columns at most; what is not covered stands in the order of the files, each at its place."""
    assert three.coverage is not None
    lines = render(three.coverage, "gaps/rulebook.yaml", 80)
    assert all(width(line) <= 80 for line in lines)
    assert lines[0] == "coverage of gaps/rulebook.yaml by its examples:"
    text = "\n".join(lines)
    assert "decision rows            2     3       66.6" in text
    starts = [line for line in lines if line.startswith("  gaps/")]
    assert len(starts) == len(three.coverage.uncovered)
    numbers = [int(line.split(":")[1]) for line in starts]
    own = sum(line.startswith("  gaps/rulebook.yaml:") for line in starts)
    assert numbers[:own] == sorted(numbers[:own])
    assert numbers[own:] == [3, 4]  # the rows of the table come last
    at = RULEBOOK.splitlines().index("        when bills > 1 then sum(episodes.total) / bills") + 1
    told = " ".join(text.split())
    for one in (
        f"gaps/rulebook.yaml:{at}: clause of region_sum.mean: when bills > 1; no example in which it holds and none before it",
        "branch in bill: if class = c: then -¥1; no example in which the condition holds",
        "decision of group_no: row 2, when class = b; no example in which it holds and none before it",
        "schedule rate[city] from 2024-01-01: band 1, to 500.00 (80%); no example with a part in it",
        "schedule visit from 2024-01-01: slice 2, 100.00 below 300.00 (10.00); no example with a value in it",
        "parameter a_day from 2025-01-01; no example that reads it from 2025-01-01 on",
        "parameter extra[city] from 2024-01-01 (missing); no example that reads it",
        "table drg row X2; no example that finds it",
        "share hospital.loss; no example in which it is not zero",
        "lines.requires: amount <= ¥10_000; no example that breaks it (rejects: RX722)",
        "check lines.very_dear: when over > ¥100; no example in which it is found",
    ):
        assert one in told


def test_long_tables_are_cut(tmp_path: Path) -> None:
    """Of the rows of a table that nothing finds the first five are named, the others counted."""
    report = run(tmp_path)
    items = report.coverage.items if report.coverage is not None else ()
    (row,) = [i for i in items if i.what == "row X1"]
    lines = render(Coverage((row,) * 12, (0,) * 12), "x", 80)
    assert sum("table drg row X1" in line for line in lines) == 5
    assert lines[-1] == "  and 7 more rows of table drg"


def test_the_plan_keeps_what_coverage_needs(three: ExamplesReport) -> None:
    """A plan written and read back gives the same items, with their places."""
    from rxcalc.coverage.items import implied_reads, items_of

    assert three.compiled is not None
    plan = three.compiled.plan
    again = decode(encode(plan))
    assert items_of(again) == items_of(plan)
    assert implied_reads(again) == implied_reads(plan)


@pytest.mark.parametrize(
    "case",
    [
        "groups-loop-and-windows",
        "groups-refused",
        "bands-reach",
        "curve-held",
        "over-days",
        "overlay-base-lazy",
        "tables",
    ],
)
def test_watching_changes_no_result(case: str) -> None:
    """The examples come out the same with and without coverage."""
    folder = ROOT / "tests" / "cases" / "runs" / case
    found = Found(folder / "rulebook.yaml", "rulebook.yaml")
    with_, without = (run_examples(found, Sink(), coverage=coverage) for coverage in (True, False))
    assert (with_.results, with_.trends) == (without.results, without.trends)
    assert without.coverage is None
    assert with_.coverage is not None
