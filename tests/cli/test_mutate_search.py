"""`rxcalc test --mutate`: bills with lines, sequences and groups are moved too; dates and boundary keys of tables; proofs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rxcalc.backends.exact import Exact
from rxcalc.cli.main import cli
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.compile import compile_file
from rxcalc.driver.examples import run_examples
from rxcalc.driver.telling import fails, under
from rxcalc.examples.idle import Idle
from rxcalc.examples.mutants import mutants
from rxcalc.examples.run import ExampleRunner

HEAD = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
"""


def mutated(tmp_path: Path, rulebook: str, examples: str, tables: dict[str, str] | None = None) -> dict[str, Any]:
    """The document of a rulebook of these parts; its examples pass."""
    (tmp_path / "examples").mkdir(exist_ok=True)
    (tmp_path / "rulebook.yaml").write_text(HEAD + rulebook, encoding="utf-8")
    (tmp_path / "examples" / "all.yaml").write_text(examples, encoding="utf-8")
    for name, text in (tables or {}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run = CliRunner().invoke(
        cli, ["test", str(tmp_path), "--mutate", "--format", "json"], catch_exceptions=False, standalone_mode=False
    )
    (document,) = json.loads(run.stdout)
    assert isinstance(document, dict)
    return document


def survivors(document: dict[str, Any]) -> dict[tuple[str, str, str], str | None]:
    return {(s["what"], s["was"], s["now"]): s["example"] for s in document["survivors"]}


def noticed_with(tmp_path: Path, rulebook: str, examples: str, tables: dict[str, str] | None = None) -> dict[str, Any]:
    """The document once the examples that were found stand beside the others: they pass, or nothing would be made."""
    document = mutated(tmp_path, rulebook, examples, tables)
    found = dict.fromkeys(s["example"] for s in document["survivors"] if s["example"])
    assert found
    return mutated(tmp_path, rulebook, examples + "".join(found), tables)


LINES = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
requires:
  - {that: sum(lines.amount) = total, say: the lines add up}
lines:
  inputs:
    line_no: {type: count}
    class: {one_of: [a, b]}
    amount: {type: money}
  steps:
    covered: |
      when class = b and amount > ¥1_000 then amount * 50%
      otherwise amount
steps:
  pays: sum(lines.covered)
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
TWO_LINES = """\
- example: two lines
  by: "hand: 300.00 + 2,000.00 x 50% = 1,300.00"
  episode: {episode_id: E1, day: 2025-01-01, total: 2300.00}
  lines:
    - {line_no: 1, class: a, amount: 300.00}
    - {line_no: 2, class: b, amount: 2000.00}
  expect: {pays: 1300.00}
"""


def test_lines_are_moved(tmp_path: Path) -> None:
    """The limit of a line's amount is met by a line, and the bill's total goes with it."""
    found = survivors(mutated(tmp_path, LINES, TWO_LINES))
    example = found["amount > ¥1000", ">", ">="]
    assert example is not None
    assert "{line_no: 2, class: b, amount: 1000.00}" in example
    assert "total: 1300.00" in example  # 300.00 + 1,000.00
    assert "expect: {pays: 1300.00" in example
    assert "  - {line_no: 2, class: b, amount: 1000.01}" in str(found["amount > ¥1000", "1,000.00", "1,000.01"])
    assert all(found.values())


def test_what_is_found_leaves_none(tmp_path: Path) -> None:
    """With the examples that were found, every change of the lines' rules is noticed."""
    document = noticed_with(tmp_path, LINES, TWO_LINES)
    assert (document["survivors"], document["percent"]) == ([], "100.0")


SEQUENCE = """\
inputs:
  episode_id: {type: code}
  person: {type: code}
  day: {type: date}
  total: {type: money}
sequence: {by: person, order: [day, episode_id]}
windows:
  year: {calendar: year, date: day}
parameters:
  cap: {type: money, values: {2020-01-01: 10000}}
steps:
  room: max(0, cap - year.sum(pays))
  pays: min(total, room)
  full: |
    when year.sum(pays) >= ¥8_000 then ¥1
    otherwise ¥0
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays, full]
"""
TWO_BILLS = """\
- example: two bills of a year
  by: "hand: 6,000.00, then 10,000.00 - 6,000.00 = 4,000.00 of 5,000.00"
  earlier:
    - episode: {episode_id: E1, person: P1, day: 2025-02-01, total: 6000.00}
  episode: {episode_id: E2, person: P1, day: 2025-03-01, total: 5000.00}
  expect: {pays: 4000.00, full: 0.00}
"""


def test_earlier_bills_are_moved(tmp_path: Path) -> None:
    """A limit of what came before is met by another amount of the earlier bill: by none of the bill's own."""
    found = survivors(mutated(tmp_path, SEQUENCE, TWO_BILLS))
    example = found["year.sum(pays) >= ¥8000", ">=", ">"]
    assert example is not None
    assert "{episode_id: E1, person: P1, day: 2025-02-01, total: 8000.00}" in example
    assert "full: 1.00" in example
    assert all(found.values())


def test_a_first_day_is_found_with_all_bills(tmp_path: Path) -> None:
    """All bills are moved by as many days as bring one to the day of a change."""
    found = survivors(mutated(tmp_path, SEQUENCE, TWO_BILLS))
    example = found["cap", "from 2020-01-01", "from 2020-01-02"]
    assert example is not None
    assert "day: 2020-01-01" in example


GROUPS = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  region: {type: code}
  total: {type: money}
steps:
  pays: total * 80%
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    effective: last_day(year)
    inputs:
      budget: {type: money, optional: yes}
    steps:
      spent: sum(episodes.pays)
      over: |
        when budget is missing then ¥0
        when spent > budget then spent - budget
        when spent < ¥100 then ¥1
        otherwise ¥0
"""
ONE_REGION = """\
- example: a region
  by: "hand: 800.00 + 400.00 = 1,200.00, less than 2,000.00"
  groups: {region_year: [{region: R1, year: 2025, budget: 2000.00}]}
  episodes:
    - {episode: {episode_id: E1, day: 2025-01-01, region: R1, total: 1000.00}, expect: {pays: 800.00}}
    - {episode: {episode_id: E2, day: 2025-06-01, region: R1, total: 500.00}, expect: {pays: 400.00}}
  expect: {groups: {region_year: [{region: R1, year: 2025, spent: 1200.00, over: 0.00}]}}
"""


def test_groups_and_their_inputs_are_moved(tmp_path: Path) -> None:
    """A clause of a group that no bill reads is noticed by what the group gives, its input or its bills moved."""
    document = mutated(tmp_path, GROUPS, ONE_REGION)
    found = survivors(document)
    example = found["region_year.over", "when spent > budget", "left out"]
    assert example is not None
    assert "  expect: {groups: {region_year: [{region: R1, year: 2025, over: " in example
    assert found["spent < ¥100", "<", "<="] is not None
    assert found["region_year.over", "when budget is missing", "left out"] is not None
    # Where they are equal and below 100 it makes a difference, so nothing is proven.
    assert ("spent > budget", ">", ">=") in found


def test_where_two_are_equal_both_ways_give_nothing(tmp_path: Path) -> None:
    """`when spent > budget then spent - budget`, else nothing: with `>=` it is nothing as well, but the 100 stand between."""
    rulebook = GROUPS.replace("        when spent < ¥100 then ¥1\n", "")
    document = mutated(tmp_path, rulebook, ONE_REGION)
    (idle,) = document["no_difference"]
    assert (idle["what"], idle["now"]) == ("spent > budget", ">=")
    assert idle["why"] == "where the two are equal, both ways lead to the same value"


TABLES = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  code: {type: code}
  income: {type: money}
tables:
  prices: {file: prices.csv, key: [code], from: start, columns: {price: money}}
  tier: {file: tier.csv, key: [{up_to: income}], columns: {share: percent}}
steps:
  pays: prices[code].price * tier[income].share
shares:
  bill: {of: pays, fund: pays}
outputs: [pays]
"""
FILES = {
    "prices.csv": "code,start,price\nA,2020-01-01,100.00\nA,2022-01-01,120.00\nB,2021-05-01,50.00\n",
    "tier.csv": "income,share\n1000.00,90%\n5000.00,80%\n,70%\n",
}
ONE_CODE = """\
- {example: one, by: "hand: 120.00 x 80%", episode: {episode_id: E, day: 2025-01-01, code: A, income: 3000.00}, expect: {pays: 96.00}}
"""


def test_days_and_boundary_keys_of_tables(tmp_path: Path) -> None:
    """A row's first day moves with the last day of the row before; a boundary moves by a fen and a yuan; the open one stays."""
    document = mutated(tmp_path, TABLES, ONE_CODE, FILES)
    found = survivors(document)
    dates = {key[:2]: key[2] for key in found if key[1].startswith("from")}
    assert {what for what, _ in dates} == {"prices: line 2", "prices: line 3", "prices: line 4"}
    limits = {key for key in found if key[0].startswith("tier: income")}
    assert {k[0] for k in limits} == {"tier: income of line 2", "tier: income of line 3"}
    assert ("tier: income of line 2", "1,000.00", "1,000.01") in limits
    assert ("tier: income of line 3", "5,000.00", "4,999.00") in limits
    boundary = found["tier: income of line 2", "1,000.00", "999.99"]
    assert boundary is not None
    assert "income: 1000.00" in boundary
    first = found["prices: line 4", "from 2021-05-01", "from 2021-05-02"]
    assert first is not None
    assert "day: 2021-05-01, code: B" in first
    before = found["prices: line 3", "from 2022-01-01", "from 2021-12-31"]
    assert before is not None
    assert "day: 2021-12-31" in before
    # no bill is settled before the rulebook's first day
    assert [(x["what"], x["now"]) for x in document["no_difference"]] == [("prices: line 2", "from 2019-12-31")]
    assert all(found.values())


def test_tables_are_noticed_in_the_end(tmp_path: Path) -> None:
    """With what was found, nothing survives: two rows that hold on one day are never made."""
    document = noticed_with(tmp_path, TABLES, ONE_CODE, FILES)
    assert document["survivors"] == []


ROUNDED = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
parameters:
  rate: {type: bands of percent over money, values: {2020-01-01: [{to: 30_000, is: 87%}, {is: 92%}]}}
steps:
  pays: bands(rate, 0 .. total)
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""


def test_behind_what_is_rounded(tmp_path: Path) -> None:
    """A fen of a limit is a twentieth of a fen of the payment: it shows where that tips the rounding.

    30,000.00 x 87% + 20,000.06 x 92% = 44,500.0552; with 30,000.01 it is 0.0005 less, 44,500.0547.
    """
    one = '- {example: one, by: "hand: 26,100.00 + 18,400.00", episode: {episode_id: E, day: 2025-01-01, total: 50000.00}, expect: {pays: 44500.00}}\n'
    found = survivors(mutated(tmp_path, ROUNDED, one))
    for now in ("29,999.99", "30,000.01"):
        assert found["band 1 of rate since 2020-01-01", "30,000.00", now] is not None


PROVEN = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
parameters:
  deductible: {type: money, values: {2020-01-01: 200}}
  factor: {type: percent, values: {2020-01-01: 100%, 2023-01-01: 80%, 2024-01-01: 80%}}
  rate: {type: bands of percent over money, values: {2020-01-01: [{to: 1_000, is: 80%}, {to: 2_000, is: 80%}, {is: 90%}]}}
steps:
  due: |
    when total <= deductible then total
    otherwise deductible
  cut: |
    when factor < 90% then ¥1
    otherwise ¥0
  odd: |
    when total >= ¥0.005 then ¥3
    otherwise ¥4
  pays: max(0, bands(rate, 0 .. total) - due) * factor
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays, due, cut, odd]
"""
PLAIN = """\
- {example: one, by: "hand: (80.00 - 100.00) is below nothing", episode: {episode_id: E, day: 2025-01-01, total: 100.00}, expect: {pays: 0.00, due: 100.00, cut: 1.00, odd: 3.00}}
"""


def test_what_is_proven_is_not_counted(tmp_path: Path) -> None:
    """Each with its proof; what only looks alike is searched for, and found."""
    document = mutated(tmp_path, PROVEN, PLAIN)
    idle = {(x["what"], x["was"], x["now"]): x["why"] for x in document["no_difference"]}
    assert idle["total <= deductible", "<=", "<"] == "where the two are equal, both ways lead to the same value"
    assert idle["factor < 90%", "<", "<="] == "the two are never equal"
    assert idle["factor < 90%", "90%", "91%"] == "no value lies between the two"
    assert idle["factor", "from 2024-01-01", "from 2024-01-02"] == "the value is the same on both sides of the day"
    assert (
        idle["band 1 of rate since 2020-01-01", "1,000.00", "999.00"]
        == "the band on the other side of it has the same value"
    )
    assert idle["total >= ¥0.005", ">=", ">"] == "the two are never equal"
    assert all(key[0] in {"total <= deductible", "factor", "factor < 90%", "total >= ¥0.005", "band 1 of rate since 2020-01-01"} for key in idle)  # fmt: skip
    assert document["made"] == document["noticed"] + len(document["survivors"])
    assert document["possible"] == document["made"] + len(idle)
    # 2,000.00 separates 80% from 90%, so that limit counts
    assert any(key[0] == "band 2 of rate since 2020-01-01" and found for key, found in survivors(document).items())


def test_a_proof_needs_the_same_refusals(tmp_path: Path) -> None:
    """At equality both clauses give nothing, but only one of them looks a price up: a bill without one is refused or not."""
    rulebook = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  code: {type: code}
  total: {type: money}
tables:
  prices: {file: prices.csv, key: [code], columns: {price: money}}
steps:
  pays: |
    when total <= ¥100 then ¥0
    otherwise (total - ¥100) * (prices[code].price / ¥100)
shares:
  bill: {of: total, fund: ¥0, patient: rest}
outputs: [pays]
"""
    one = '- {example: one, by: "hand: 10.00 x 0.5", episode: {episode_id: E, day: 2025-01-01, code: A, total: 110.00}, expect: {pays: 5.00}}\n'
    document = mutated(tmp_path, rulebook, one, {"prices.csv": "code,price\nA,50.00\nB,60.00\n"})
    assert ("total <= ¥100", "<=", "<") not in {(x["what"], x["was"], x["now"]) for x in document["no_difference"]}


def test_a_condition_that_refuses_to_be_evaluated(tmp_path: Path) -> None:
    """Without `is known` the next rule computes with a missing date: the change counts as noticed, and ends nothing."""
    rulebook = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  born: {type: date, optional: yes}
  total: {type: money}
steps:
  pays: |
    when born is missing then ¥0
    when age(born, day) >= 60 then total
    otherwise total * 50%
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
    one = '- {example: one, by: "hand: half", episode: {episode_id: E, day: 2025-01-01, born: 1990-01-01, total: 10.00}, expect: {pays: 5.00}}\n'
    found = survivors(mutated(tmp_path, rulebook, one))
    example = found["pays", "when born is missing", "left out"]
    assert example is not None
    assert "born: null" in example
    assert "expect: {pays: 0.00}" in example


FURTHER = """\
inputs:
  episode_id: {type: code}
  day: {type: date}
  kind: {one_of: [stay, visit]}
  total: {type: money}
  borne: {type: money}
parameters:
  standard: {type: money, values: {2020-01-01: 300, 2024-01-01: 400}}
steps:
  at_home: |
    when kind = stay then ¥0
    otherwise total * 50%
  pays: |
    when kind = stay then ¥0
    otherwise min(at_home, total)
  due: |
    when borne >= standard then ¥0
    otherwise min(max(0, standard - borne), total)
  part: |
    when total > standard * 2 then 2
    when total > standard then total / standard
    otherwise 1
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays, due, part]
"""


def test_proofs_through_steps_bounds_and_quotients(tmp_path: Path) -> None:
    """The clauses after one give what it gives: by what another step gives in that case, by `max` and `min`, by a quotient."""
    plain = (
        '- {example: one, by: "hand: 1,000.00 x 50%; 400.00 - 100.00; above twice", episode: {episode_id: E, day: 2025-01-01, '
        "kind: visit, total: 1000.00, borne: 100.00}, expect: {pays: 500.00, due: 300.00, part: 2}}\n"
    )
    rulebook = FURTHER.replace("  part: |", "  part:\n    type: number\n    round: {to: 0.0001}\n    rule: |")
    rulebook = rulebook.replace("    when total > s", "      when total > s").replace(
        "    otherwise 1\n", "      otherwise 1\n"
    )
    document = mutated(tmp_path, rulebook, plain)
    idle = {(x["what"], x["was"], x["now"]) for x in document["no_difference"]}
    assert ("pays", "when kind = stay", "left out") in idle
    assert ("due", "when borne >= standard", "left out") in idle
    assert ("borne >= standard", ">=", ">") in idle
    assert ("total > standard * 2", ">", ">=") in idle
    assert ("total > standard", ">", ">=") in idle
    # what another clause gives is no proof
    assert ("at_home", "when kind = stay", "left out") not in idle
    assert ("part", "when total > standard * 2", "left out") not in idle


@pytest.mark.parametrize("name", ["qin", "national-drg", "shanghai-employee"])
def test_no_example_contradicts_a_proof(name: str) -> None:
    """What is proven to make no difference is noticed by no example of a shipped rulebook: all of them are run."""
    found = find.rulebooks(name)
    assert not isinstance(found, find.NotFound)
    for file in found:
        report = run_examples(file, Sink())
        assert report.compiled is not None
        plan = report.compiled.plan
        idle, runner = Idle(plan), ExampleRunner(plan)
        for mutant in mutants(plan):
            if idle.proof(mutant):
                changed = mutant.change(plan)
                other = under(runner, changed, Exact(changed))
                assert [e.name for e in report.entries if fails(other, e)] == [], (mutant.what, mutant.was, mutant.now)


def test_long_tables_and_the_first_day_of_all(tmp_path: Path) -> None:
    """Of 3,000 rows 2,000 are changed, in no time that grows with their square; no day before the calendar's first is tried."""
    rows = [f"C{n},{'0001-01-01' if n % 2 else '2021-05-01'},{n}.00" for n in range(3_000)]
    tiers = [f"{n}.00,{n % 90 + 1}%" for n in range(1, 3_000)]
    files = {
        "prices.csv": "\n".join(["code,start,price", *rows]),
        "tier.csv": "\n".join(["income,share", *tiers, ",70%"]),
    }
    (tmp_path / "rulebook.yaml").write_text(HEAD + TABLES, encoding="utf-8")
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    compiled = compile_file(tmp_path / "rulebook.yaml", "rulebook.yaml", Sink())
    assert compiled is not None
    made = mutants(compiled.plan)
    kinds = {kind: {m.what for m in made if m.kind == kind and ":" in m.what} for kind in ("date", "cell", "limit")}
    assert len(kinds["date"]) == 1_000  # the others begin with the calendar
    assert len(kinds["cell"]) == 4_000  # 2,000 of each table
    # a fen lower and higher each; a yuan away another limit stands, but not below the first and above the last
    assert len([m for m in made if m.kind == "limit" and m.what.startswith("tier")]) == 2 * 2_000 + 2
