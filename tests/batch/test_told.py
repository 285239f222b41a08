"""What a batch says of things that nobody would see in the amounts, and of options that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

HEAD = "episode_id,person_id,person_class,level,discharge_date,total,in_scope\n"
STAY = "{},P1,active,level_3,2024-{:02d}-10,{},4000\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files by short names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(
        HEAD + STAY.format("A1", 1, "x") + STAY.format("A2", 1, "5000").replace("P1", "P2"), encoding="utf-8"
    )
    (tmp_path / "b.csv").write_text(HEAD + STAY.format("B1", 2, "5000"), encoding="utf-8")


def batch(*arguments: str) -> Result:
    command = ["batch", *arguments, "-r", "beijing-employee", "--no-progress"]
    return CliRunner().invoke(cli, command, standalone_mode=False)


@pytest.mark.parametrize("kind", ["jan.csv", "jan.parquet", "jan.csv.gz", "sqlite:x.db?table=jan"])
def test_records_rejected_in_an_earlier_month_are_told(kind: str) -> None:
    """A later episode of theirs is computed without them; a run after mending says nothing any more."""
    assert batch("a.csv", "-o", kind).return_value == 1
    run = batch("b.csv", "-o", "feb.csv", "--earlier", kind)
    assert "1 record(s) were rejected in that run, so later episodes are computed without them" in run.output


def test_nothing_is_told_of_earlier_months_without_rejects() -> None:
    assert batch("b.csv", "-o", "feb.csv").return_value == 0
    Path("c.csv").write_text(HEAD + STAY.format("C1", 3, "5000"), encoding="utf-8")
    assert "rejected in that run" not in batch("c.csv", "-o", "mar.csv", "--earlier", "feb.csv").output


def test_results_in_the_database_of_the_episodes_still_verify() -> None:
    """The bytes of the database are others once the results are in it; the run can be done again all the same."""
    assert batch("b.csv", "-o", "sqlite:x.db?table=e", "--select", "inputs").return_value == 0
    assert batch("sqlite:x.db?table=e", "-o", "sqlite:x.db?table=r", "--select", "outputs").return_value == 0
    verified = CliRunner().invoke(cli, ["verify", "x.db.r.summary.json", "--rerun"], standalone_mode=False)
    assert verified.return_value == 0, verified.output
    assert "not checked  input" in verified.output


@pytest.mark.parametrize("limit", ["1.5", "101%", "-1", "5 %", "１%", "1e3", "NaN", "%"])
def test_a_limit_that_means_nothing_is_refused(limit: str) -> None:
    run = batch("b.csv", "-o", "o.csv", "--max-rejects", limit)
    assert run.return_value == 2 or run.exit_code != 0
    assert not Path("o.csv").exists()


@pytest.mark.parametrize("select", ["", "inputs,,outputs", " "])
def test_an_empty_name_in_select_is_refused(select: str) -> None:
    run = batch("b.csv", "-o", "o.csv", "--select", select)
    assert "empty name" in str(run.exception)


def test_a_title_above_the_header_shows_what_was_taken_for_it() -> None:
    Path("t.csv").write_text("市医保局一月结算表,,,,,,\n" + HEAD, encoding="utf-8")
    assert "its header is '市医保局一月结算表'" in str(batch("t.csv", "-o", "o.csv").exception)


def test_a_missing_folder_is_named() -> None:
    assert "the folder 'nowhere' does not exist" in str(batch("b.csv", "-o", "nowhere/o.csv").exception)


@pytest.mark.parametrize("rulebook", ["beijing-employee", "national-drg", "qin", "sanming"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_labels_of_shipped_rulebooks_name_columns(rulebook: str, language: str) -> None:
    """No two results of a shipped rulebook are called the same."""
    from rxcalc.cli.load import plan_of
    from rxcalc.report.wording import in_language

    plan = plan_of(rulebook)
    labels = [in_language(step.label, language) for step in plan.steps if step.name in plan.outputs]
    labels += [in_language(field.label, language) for field in plan.inputs]
    told = [label for label in labels if label]
    assert len(set(told)) == len(told)
