"""Windows, opening amounts and reversals as `rxcalc explain` and the Python interface show them."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rxcalc
from rxcalc.cli.main import cli

CASES = Path(__file__).parents[1] / "cases" / "runs"
OPENINGS = CASES / "window-openings"
REVERSALS = CASES / "window-reversals"
STAY = "{episode_id: %s, person_id: P, admission_date: %s, discharge_date: %s, level: low, total: %s}"


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def stay(name: str, start: str, total: str, end: str = "") -> str:
    """An episode of the cases' rulebooks."""
    return "  - episode: " + STAY % (name, start, end or start, total)


def written(folder: Path, *lines: str) -> str:
    path = folder / "episode.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def explained(path: str, rulebook: Path, *args: str) -> list[dict[str, object]]:
    """The explanations of all episodes of a file, as JSON."""
    found = json.loads(run("explain", path, "-r", str(rulebook), "--format", "json", *args).stdout)
    return found if isinstance(found, list) else [found]


def test_a_window_shows_its_days(tmp_path: Path) -> None:
    """Of a rolling window and a period both ends are shown, of a spell where it began."""
    path = written(
        tmp_path,
        "episodes:",
        stay("E1", "2025-01-10", "100", "2025-01-20"),
        stay("E2", "2025-03-01", "50", "2025-03-02"),
    )
    text = " ".join(run("explain", path, "-r", str(OPENINGS)).stdout.split())
    assert "months.sum(total) 100.00 over 100.00 (E1, 2025-01-10) days 2024-03-02 to 2025-03-01" in text
    assert "period.sum(total) 100.00 over 100.00 (E1, 2025-01-10) days 2025-01-10 to 2026-01-09" in text
    assert "spell.sum(total) 100.00 over 100.00 (E1, 2025-01-10) days since 2025-01-10" in text
    second = explained(path, OPENINGS)[-1]
    windows = {w["call"]: w for w in second["windows"]}  # type: ignore[index, attr-defined]
    assert (windows["spell.count()"]["from"], windows["spell.count()"]["to"]) == ("2025-01-10", None)
    assert (windows["months.sum(total)"]["from"], windows["months.sum(total)"]["to"]) == ("2024-03-02", "2025-03-01")


def test_what_is_assumed_ends_with_its_window(tmp_path: Path) -> None:
    """A call that could have been given is an assumption of the first bill, not of one in a later spell or year."""
    path = written(tmp_path, "episodes:", stay("E1", "2025-01-10", "100"), stay("E2", "2026-03-01", "50"))
    first, second = explained(path, OPENINGS)
    assert "spell.sum(total)" in first["assumptions"]  # type: ignore[operator]
    assert "level_year.sum(total)" in first["assumptions"]  # type: ignore[operator]
    assert second["assumptions"] == ["months.sum(total)"]


def test_a_spell_given_without_its_date_says_so(tmp_path: Path) -> None:
    """Where an amount of a spell is given and its last discharge is not, that it goes on is an assumption."""
    so_far = 'so_far: {"spell.sum(total)": 7, "spell.count()": 1}'
    path = written(tmp_path, so_far, "episodes:", stay("E1", "2025-01-10", "100"))
    assert "spell.last(discharge_date)" in explained(path, OPENINGS)[0]["assumptions"]  # type: ignore[operator]
    given = so_far.replace("}", ', "spell.last(discharge_date)": 2025-01-01}')
    path = written(tmp_path, given, "episodes:", stay("E1", "2025-01-10", "100"))
    assert not [c for c in explained(path, OPENINGS)[0]["assumptions"] if c.startswith("spell.")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("call", ["months.sum(total)", "period.count(distinct level)"])
def test_what_one_bill_alone_can_take_is_refused_for_two(call: str, tmp_path: Path) -> None:
    """A rolling window and a distinct count take an opening amount only when one episode is listed."""
    one = stay("E1", "2025-01-10", "100")
    path = written(tmp_path, f'so_far: {{"{call}": 2}}', "episodes:", one, stay("E2", "2025-01-11", "100"))
    found = run("explain", path, "-r", str(OPENINGS))
    assert "RX758" in found.stderr
    assert call in found.stderr
    assert run("explain", written(tmp_path, f'so_far: {{"{call}": 2}}', "episodes:", one), "-r", str(OPENINGS)).stdout


def test_an_opening_that_is_no_call_names_those_there_are(tmp_path: Path) -> None:
    """The dates that place a spell or a period are among them, though no rule calls `spell.last`."""
    path = written(
        tmp_path, 'so_far: {"spell.lst(discharge_date)": 2025-01-01}', "episodes:", stay("E1", "2025-01-10", "1")
    )
    found = run("explain", path, "-r", str(OPENINGS))
    assert "RX752" in found.stderr
    assert "spell.last(discharge_date)" in " ".join(found.stderr.split())


def test_a_reversal_says_what_it_is(tmp_path: Path) -> None:
    """Its results are those of the original with the sign changed, and it lists who could read that."""
    reversal = stay("R", "2025-03-01", "100").replace("person_id", "reverses_id: E1, person_id")
    path = written(
        tmp_path, "episodes:", stay("E1", "2025-01-10", "120"), stay("E2", "2025-02-01", "100"), reversal,
        stay("E3", "2025-04-01", "100"),
    )  # fmt: skip
    first, second, third, last = explained(path, REVERSALS)
    assert (first["reverses"], second["reverses"], third["reverses"], last["reverses"]) == (None, None, "E1", None)
    assert third["affected"] == ["E2"]
    assert third["outputs"]["pays"] == "-60.00"  # type: ignore[index]
    assert third["totals"] == {"fund_pays": "-60.00", "patient_pays": "-60.00"}
    steps = {s["name"]: s["value"] for s in third["steps"]}  # type: ignore[index, attr-defined]
    assert (steps["rate"], steps["kind"], steps["again"], steps["since"]) == ("-50%", "low", "no", "2025-01-10")
    assert third["windows"] == []
    assert [w["episodes"] for w in last["windows"] if w["call"] == "year.sum(pays)"] == [["E2"]]  # type: ignore[index, attr-defined]
    text = " ".join(run("explain", path, "-r", str(REVERSALS)).stdout.split())
    assert "This episode REVERSES E1: its results are those of E1 with the sign changed" in text
    assert "Computed between, keeps its amounts: E2" in text
    assert "冲销 E1" in run("explain", path, "-r", str(REVERSALS), "--lang", "zh").stdout


def test_a_refused_reversal_names_what_is_wrong(tmp_path: Path) -> None:
    """A reversal of nothing that is listed is refused, and so is what could have depended on it."""
    reversal = stay("R", "2025-03-01", "100").replace("person_id", "reverses_id: E7, person_id")
    path = written(tmp_path, "episodes:", stay("E1", "2025-01-10", "120"), reversal, stay("E2", "2026-04-01", "100"))
    first, second, third = explained(path, REVERSALS)
    assert first["problem"] is None
    assert second["problem"]["code"] == "RX813"  # type: ignore[index]
    assert "E7" in second["problem"]["message"]  # type: ignore[index]
    assert (third["problem"]["code"], third["problem"]["value"]) == ("RX811", "R")  # type: ignore[index]


BILL = {"episode_id": "E1", "person_id": "P", "admission_date": "2025-01-10", "discharge_date": "2025-01-12", "level": "low", "total": "100"}  # fmt: skip


def test_the_interface_takes_the_same_openings() -> None:
    """Amounts and the dates that place a spell; what is wrong with one is a problem of the result."""
    rulebook = rxcalc.load(OPENINGS)
    given = {"spell.sum(total)": Fraction(7), "spell.last(discharge_date)": date(2025, 1, 1)}
    found = rulebook.explain(BILL, so_far=given)
    assert dict(found.outputs)["in_spell"] == "7.00"
    ended = rulebook.explain(BILL, so_far={**given, "spell.last(discharge_date)": date(2024, 11, 11)})
    assert dict(ended.outputs)["in_spell"] == "0.00"
    wrong = rulebook.explain(BILL, so_far={"spell.last(discharge_date)": "2025-01-01"})
    assert wrong.problem is not None
    assert wrong.problem.code == "RX753"
    earlier = {**BILL, "episode_id": "E0", "admission_date": "2025-01-01"}
    two = rulebook.explain(BILL, earlier=[earlier], so_far={"months.sum(total)": Fraction(1)})
    assert two.problem is not None
    assert two.problem.code == "RX758"


def test_the_interface_reverses() -> None:
    """A reversal after its original; by itself it has nothing to reverse. Its own amounts may be negative."""
    rulebook = rxcalc.load(REVERSALS)
    reversal = {**BILL, "episode_id": "R", "reverses_id": "E1", "admission_date": "2025-02-10", "total": "-100"}
    found = rulebook.explain(reversal, earlier=[BILL])
    assert (found.reverses, dict(found.totals)["fund_pays"]) == ("E1", "-50.00")
    alone = rulebook.evaluate(reversal)
    assert alone.problem is not None
    assert alone.problem.code == "RX813"
    bill = rulebook.evaluate({**BILL, "total": "-100"})
    assert bill.problem is not None
    assert bill.problem.code == "RX703"
