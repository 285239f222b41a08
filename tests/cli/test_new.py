"""`new` from outside: what it makes is green, and it never touches what is there."""

from __future__ import annotations

import stat
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.driver.start import EXAMPLES, start
from rxcalc.rulebook.schema import rulebook_schema


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def test_what_it_makes_is_green(tmp_path: Path) -> None:
    """Checks without a warning, all examples pass and use all of it, formatted, valid against the schema, fictional."""
    assert run("new", "my-county_2", "--in", str(tmp_path)).return_value == 0
    folder = tmp_path / "my-county_2"
    checked = run("check", str(folder))
    assert checked.return_value == 0
    assert "no errors, 0 warnings" in checked.stdout
    assert "evidence   6 fictional" in checked.stdout
    tested = run("test", str(folder), "--coverage", "--fail-under", "100")
    assert tested.return_value == 0
    assert "4 of 4 examples passed" in tested.stdout
    assert run("fmt", str(folder), "--check").return_value == 0
    text = (folder / "rulebook.yaml").read_text(encoding="utf-8")
    assert list(Draft202012Validator(rulebook_schema()).iter_errors(yaml.load(text, Loader=yaml.BaseLoader))) == []
    assert "MADE UP" in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my-county_2"]
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((folder / "examples").stat().st_mode)


def test_its_examples_follow_from_its_rules() -> None:
    """The expected amounts, worked out again with decimals from the figures of the rulebook."""
    figures = {"town": ("100", "0.90"), "county": ("300", "0.80"), "city": ("800", "0.65")}
    paid = [e for e in yaml.load(EXAMPLES, Loader=yaml.BaseLoader) if "expect" in e]
    assert [e["episode"]["level"] for e in paid] == ["county", "town", "city"]
    for example in paid:
        bill, expect = example["episode"], example["expect"]
        deductible, rate = (Decimal(x) for x in figures[bill["level"]])
        total, scope = Decimal(bill["total"]), Decimal(bill["in_scope"])
        due = min(scope, deductible)
        fund = ((scope - due) * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
        worked = {
            "deductible_due": due,
            "fund_amount": fund,
            "fund_pays": fund,
            "patient.deductible": due,
            "patient.coinsurance": scope - due - fund,
            "patient.not_covered": total - scope,
            "patient_pays": total - fund,
        }
        assert {name: Decimal(value) for name, value in expect.items()} == {name: worked[name] for name in expect}


@pytest.mark.parametrize("name", ["Mine", "9x", "a b", "", "x/y", "..", "名", "a" * 65])
def test_bad_names(name: str, tmp_path: Path) -> None:
    """Exit code 2, and nothing is made."""
    with pytest.raises(Failure, match="cannot be the name") as failure:
        run("new", name, "--in", str(tmp_path))
    assert failure.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    """A folder, file or dangling link of that name, the name of a shipped rulebook, a folder that is not there."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("mine", encoding="utf-8")
    (tmp_path / "c").symlink_to(tmp_path / "nowhere")
    for name in "abc":
        with pytest.raises(Failure, match="exists already"):
            run("new", name, "--in", str(tmp_path))
    assert list((tmp_path / "a").iterdir()) == []
    assert (tmp_path / "b").read_text(encoding="utf-8") == "mine"
    with pytest.raises(Failure, match="comes with rxcalc"):
        run("new", "qin", "--in", str(tmp_path))
    with pytest.raises(Failure, match="no folder"):
        run("new", "x", "--in", str(tmp_path / "nowhere"))


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, and no half of a folder stays."""

    def full(*args: object, **kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    found = start("mine", tmp_path)
    assert not isinstance(found, Path)
    assert "No space left" in found.message
    assert list(tmp_path.iterdir()) == []
