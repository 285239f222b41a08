"""`rxcalc test --mutate`: which small changes are made, which are noticed, and that what is printed would notice the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

RULEBOOK = """\
rxcalc: 1
rulebook: small
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  code: {type: code}
  total: {type: money}
  old: {type: flag}
tables:
  prices: {file: prices.csv, key: [code], columns: {price: {type: money}}}
parameters:
  rate:
    type: percent
    values: {2020-01-01: 80%, 2022-01-01: 90%}
requires:
  - {that: "code in prices", say: unknown code}
steps:
  ceiling: prices[code].price
  pays: |
    when old then total * 95%
    when total > ceiling then ceiling
    otherwise total * rate
shares:
  bill: {of: total, fund: pays, patient: rest}
outputs: [pays]
"""
ONE = """\
- example: one
  by: "hand: 50.00 x 90% = 45.00"
  episode: {episode_id: E1, day: 2025-01-01, code: A, total: 50, old: no}
  expect: {pays: 45.00}
"""
# By hand: what tells each change from the rules, so that none survives. 100.01 is above the ceiling of A, 100.00 is not.
ALL = """\
- {example: a, episode: {episode_id: E, day: 2022-01-01, code: A, total: 100.00, old: no}, expect: {pays: 90.00}}
- {example: b, episode: {episode_id: E, day: 2021-12-31, code: A, total: 100.00, old: no}, expect: {pays: 80.00}}
- {example: c, episode: {episode_id: E, day: 2020-01-01, code: B, total: 200.01, old: no}, expect: {pays: 200.00}}
- {example: d, episode: {episode_id: E, day: 2020-01-01, code: A, total: 100.01, old: no}, expect: {pays: 100.00}}
- {example: e, episode: {episode_id: E, day: 2020-01-01, code: A, total: 200.00, old: yes}, expect: {pays: 190.00}}
- {example: f, episode: {episode_id: E, day: 2020-01-01, code: C, total: 200.00, old: yes}, rejects: RX722}
- {example: g, episode: {episode_id: E, day: 2020-01-01, code: A, total: 50.00, old: no}, expect: {pays: 40.00}}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def book(tmp_path: Path, examples: str) -> str:
    (tmp_path / "examples").mkdir(exist_ok=True)
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "prices.csv").write_text("code,price\nA,100.00\nB,200.00\n", encoding="utf-8")
    (tmp_path / "examples" / "all.yaml").write_text(examples, encoding="utf-8")
    return str(tmp_path)


def mutated(folder: str, *args: str) -> dict[str, Any]:
    (document,) = json.loads(run("test", folder, "--mutate", "--format", "json", *args).stdout)
    assert isinstance(document, dict)
    return document


def test_what_is_changed(tmp_path: Path) -> None:
    """Every kind: rates by a point, starts by a day, clauses and requirements left out, cells swapped, `>` made `>=`."""
    document = mutated(book(tmp_path, ONE))
    changes = {(s["kind"], s["what"], s["was"], s["now"]) for s in document["survivors"]}
    assert {
        ("rate", "rate since 2020-01-01", "80%", "79%"),
        ("rate", "rate since 2020-01-01", "80%", "81%"),
        ("date", "rate", "from 2020-01-01", "from 2020-01-02"),
        ("date", "rate", "from 2022-01-01", "from 2021-12-31"),
        ("date", "rate", "from 2022-01-01", "from 2022-01-02"),
        ("clause", "pays", "when old", "left out"),
        ("clause", "pays", "when total > ceiling", "left out"),
        ("clause", "requires", "code in prices", "left out"),
        ("comparison", "total > ceiling", ">", ">="),
        ("rate", "total * 95%", "95%", "94%"),
        ("rate", "total * 95%", "95%", "96%"),
        ("cell", "prices: price of lines 2 and 3", "100.00, 200.00", "200.00, 100.00"),
    } == changes
    # noticed by the one example: the rate that it uses a point lower and higher, and the clause that it takes
    assert (document["made"], document["noticed"], document["percent"]) == (15, 3, "20.0")


def test_examples_on_every_edge_leave_none(tmp_path: Path) -> None:
    """The examples worked out by hand notice every change."""
    folder = book(tmp_path, ALL)
    assert run("test", folder).return_value == 0
    document = mutated(folder)
    assert (document["made"], document["noticed"], document["survivors"]) == (15, 15, [])
    assert run("test", folder, "--mutate", "--fail-under", "100").return_value == 0


def test_the_examples_printed_notice_what_survived(tmp_path: Path) -> None:
    """Pasted into the file they pass, and nothing survives; none claims to be checked."""
    told = [s["example"] for s in mutated(book(tmp_path, ONE))["survivors"]]
    found = list(dict.fromkeys(told))  # one may notice several changes
    assert 1 < len(found) < len(told)
    assert all(found)
    assert all("NOT CHECKED BY HAND" in text for text in found)
    folder = book(tmp_path, ONE + "".join(found))
    assert run("test", folder).return_value == 0
    assert mutated(folder)["survivors"] == []


def test_text_says_place_change_and_example(tmp_path: Path) -> None:
    """Each survivor with its place; survivors alone fail nothing."""
    result = run("test", book(tmp_path, ONE), "--mutate")
    assert result.return_value == 0
    assert "3 of 15 changes noticed by the examples, 20.0%" in result.stdout
    part = result.stdout.split("survived ")[1:]
    edge = next(p for p in part if "comparison: total > ceiling: > -> >=" in p)
    line = RULEBOOK.splitlines().index("    when total > ceiling then ceiling") + 1
    assert edge.startswith(f"{tmp_path}/rulebook.yaml:{line}:\n")
    assert "total: 100.00" in edge
    assert "expect: {pays: 90.00}" in edge
    assert any("no example uses it" in p and "when old" in p for p in part)


def test_a_change_without_effect_is_not_called_one(tmp_path: Path) -> None:
    """Nothing is called equivalent that is not proven to be."""
    folder = book(tmp_path, ALL)
    text = RULEBOOK.replace(
        "when total > ceiling then ceiling", "when total >= ceiling + ¥0.01 then min(total, ceiling)"
    )
    (tmp_path / "rulebook.yaml").write_text(text, encoding="utf-8")
    told = " ".join(run("test", folder, "--mutate").stdout.split())
    assert "equivalent" not in told
    if "survived" in told:
        assert "tries; it may make no difference" in told or "this example notices it" in told


def test_a_limit_behind_other_steps_is_found(tmp_path: Path) -> None:
    """70% of 7,196.25 less 37.37 is 5,000.005, to the fen 5,000.01: not above the limit, but above 5,000.00."""
    folder = book(tmp_path, ONE)
    text = RULEBOOK[: RULEBOOK.index("tables:")] + RULEBOOK[RULEBOOK.index("steps:") :]
    steps = "steps:\n  above: max(¥0, total * 70% - ¥37.37)\n  pays: |\n    when above > ¥5_000.01 then ¥4_000\n    otherwise above * 80%\n"
    text = text[: text.index("steps:")] + steps + text[text.index("shares:") :]
    (tmp_path / "rulebook.yaml").write_text(text, encoding="utf-8")
    low = ONE.replace("pays: 45.00", "pays: 0.00").replace("50.00 x 90% = 45.00", "35.00 - 37.37 is below nothing")
    high = (
        ONE.replace("- example: one", "- example: two")
        .replace("total: 50", "total: 10000")
        .replace("45.00}", "4000.00}")
    )
    (tmp_path / "examples" / "all.yaml").write_text(low + high, encoding="utf-8")
    found = {(s["was"], s["now"]): s["example"] for s in mutated(folder)["survivors"]}
    assert "total: 7196.25" in found["5,000.01", "5,000.00"]
    assert "expect: {pays: 4000.01}" in found["5,000.01", "5,000.00"]
    assert all(found.values())


def test_findings_count(tmp_path: Path) -> None:
    """A check left out is noticed by a bill on which it is found."""
    folder = book(tmp_path, ALL)
    check = "checks:\n  - {name: dear, say: dear, when: total > ¥1_000, amount: total - ¥1_000}\n"
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK.replace("steps:", check + "steps:"), encoding="utf-8")
    survivors = mutated(folder)["survivors"]
    assert {s["what"] for s in survivors} >= {"check dear"}
    texts = dict.fromkeys(s["example"] for s in survivors)
    assert any("findings: [{check: dear, amount: 0.01}]" in text for text in texts)
    book(tmp_path, ALL + "".join(texts))
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK.replace("steps:", check + "steps:"), encoding="utf-8")
    assert mutated(folder)["survivors"] == []


def test_drawn_with_a_seed(tmp_path: Path) -> None:
    """`--limit` draws some, the same ones for the same seed."""
    folder = book(tmp_path, ONE)
    one, again, other = (mutated(folder, "--limit", "4", "--seed", seed) for seed in ("1", "1", "2"))
    assert one == again
    assert (one["made"], one["possible"]) == (4, 15)
    assert one["survivors"] != other["survivors"]
    assert "drawn from 15 with --seed 1" in run("test", folder, "--mutate", "--limit", "4", "--seed", "1").stdout


@pytest.mark.parametrize("option", ["--seed", "--limit"])
def test_drawing_needs_mutate(tmp_path: Path, option: str) -> None:
    """Elsewhere they would say nothing."""
    with pytest.raises(Failure, match="need --mutate"):
        run("test", book(tmp_path, ONE), option, "3")


def test_fail_under(tmp_path: Path) -> None:
    """Exit code 1 only where it is asked for, compared exactly: 3 of 15 are 20 percent."""
    folder = book(tmp_path, ONE)
    assert run("test", folder, "--mutate", "--fail-under", "20").return_value == 0
    assert run("test", folder, "--mutate", "--fail-under", "20.01").return_value == 1


def test_failing_examples_say_nothing_of_changes(tmp_path: Path) -> None:
    """They are to be mended first."""
    with pytest.raises(Failure, match="1 of the examples") as found:
        run("test", book(tmp_path, ONE.replace("45.00}", "46.00}")), "--mutate")
    assert found.value.exit_code == 2


@pytest.mark.parametrize("other", [["--coverage"], ["--update"], ["--junit", "x"], ["--format", "html"]])
def test_goes_with_nothing_else(tmp_path: Path, other: list[str]) -> None:
    """One question at a time."""
    with pytest.raises(Failure):
        run("test", book(tmp_path, ONE), "--mutate", *other)
