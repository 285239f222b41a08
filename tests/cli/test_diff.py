"""`rxcalc diff OLD NEW --episode` from outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.report.layout import width

ROOT = Path(__file__).parents[2]
BILLS = ROOT / "docs" / "bills"
CITY = str(BILLS / "qin-city.yaml")


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *args], catch_exceptions=False, standalone_mode=False)


def compared(*args: str) -> dict[str, Any]:
    document = json.loads(run(*args, "--format", "json").stdout)
    assert isinstance(document, dict)
    return document


def changed(folder: Path, *changes: tuple[str, str]) -> str:
    """A copy of the rulebook `qin` with texts in it replaced."""
    copy = folder / "qin"
    shutil.copytree(ROOT / "rulebooks" / "qin", copy)
    path = copy / "rulebook.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_another_rate(tmp_path: Path) -> None:
    """90% instead of 95% of 9,600.00: 8,640.00 instead of 9,120.00, first seen at the fund's payment in full."""
    new = changed(tmp_path, ("{2019-01-01: 95%}", "{2019-01-01: 90%}"))
    x = compared("qin", new, "--episode", CITY)
    assert x["differs"]
    parts = x["new"]["diverges"]
    assert (parts["name"], parts["moved"]) == ("fund_in_full", "-480.00")
    assert (parts["bill"]["figures"], parts["other"]["figures"]) == ("9,600.00 * 95%", "9,600.00 * 90%")
    assert x["new"]["totals"]["patient_pays"] == {"value": "1360.00", "moved": "480.00"}
    assert x["old"]["totals"]["patient_pays"] == {"value": "880.00"}
    text = run("qin", new, "--episode", CITY, "--lang", "en").stdout
    assert "Fund payment in full [fund_in_full]  8,640.00 instead of 9,120.00 (-480.00)" in text


def test_the_same_rulebook_does_not_differ() -> None:
    """A rulebook held against itself: nothing differs, and `--exit-code` says 0."""
    x = compared("qin", "qin", "--episode", CITY)
    assert not x["differs"]
    assert x["new"]["diverges"] is None
    assert run("qin", "qin", "--episode", CITY, "--exit-code").return_value == 0
    assert "Every result that both have is the same." in run("qin", "qin", "--episode", CITY, "--lang", "en").stdout


def test_exit_code_is_asked_for(tmp_path: Path) -> None:
    """Differences leave the exit code alone unless it is asked for."""
    new = changed(tmp_path, ("{2019-01-01: 95%}", "{2019-01-01: 90%}"))
    assert run("qin", new, "--episode", CITY).return_value == 0
    assert run("qin", new, "--episode", CITY, "--exit-code").return_value == 1


def test_two_versions_of_one_rulebook() -> None:
    """A visit of 2025 under the older table too: 1,500.00 - 164.20 is more than the 894.30 of the visit; 500.00 - 164.20 leaves 558.50 at 70%."""
    path = str(BILLS / "shanghai-visit.yaml")
    x = compared("shanghai-employee@2017", "shanghai-employee@2024", "--episode", path)
    assert x["old"]["totals"]["fund_pays"]["value"] == "0.00"
    assert x["new"]["totals"]["fund_pays"] == {"value": "390.95", "moved": "390.95"}
    assert x["new"]["diverges"]["name"] == "deductible_due"
    text = run("shanghai-employee@2017", "shanghai-employee@2024", "--episode", path, "--lang", "en").stdout
    assert "is in force from 2017-07-01 to 2024-06-30 only" in text
    assert "Only in shanghai-employee 2017: " in text


def test_the_rules_of_another_day(tmp_path: Path) -> None:
    """A rate of 90% from 2030 on for a bill of before, as of then: 8,640.00 instead of 9,120.00 (see above)."""
    new = changed(tmp_path, ("{2019-01-01: 95%}", "{2019-01-01: 95%, 2030-01-01: 90%}"))
    assert not compared("qin", new, "--episode", CITY)["differs"]
    x = compared("qin", new, "--episode", CITY, "--as-of", "2030-06-01")
    assert (x["new"]["diverges"]["name"], x["new"]["diverges"]["moved"]) == ("fund_in_full", "-480.00")
    assert x["days"]["old"] == {"values_of": "2030-06-01", "taken_to_be_in_force": []}
    text = run("qin", new, "--episode", CITY, "--as-of", "2030-06-01", "--lang", "en").stdout
    assert "new: with the values of 2030-06-01, whatever the bill's own day." in text
    result = CliRunner().invoke(cli, ["diff", "qin", new, "--as-of", "2030-06-01"])
    assert (result.exit_code, "--as-of is for bills" in result.stderr) == (2, True)


def test_before_a_rulebook_has_values(tmp_path: Path) -> None:
    """In force and with a rate from 2030 on: a bill of before is computed with the values of the nearest day, as the page says."""
    new = changed(
        tmp_path,
        ("{2019-01-01: 95%}", "{2030-01-01: 90%}"),
        ("effective: {from: 2019-01-01", "effective: {from: 2030-01-01"),
    )
    x = compared("qin", new, "--episode", CITY)
    assert (x["new"]["diverges"]["name"], x["new"]["diverges"]["moved"]) == ("fund_in_full", "-480.00")
    assert "its values of the nearest days are taken" in run(
        "qin", new, "--episode", CITY, "--lang", "en"
    ).stdout.replace("\n", " ")


def test_inputs_that_one_rulebook_alone_asks_for() -> None:
    """A bill of the overlay under its base: what the base does not ask for is left out, and that is said."""
    path = str(BILLS / "dian-blacklist.yaml")
    x = compared("qin", "dian", "--episode", path)
    assert x["inputs"]["unknown_to_old"] == ["paid_at_discharge", "default_date"]
    assert "blacklisted_from" in x["inputs"]["only_asked_by_new"]
    # On the blacklist: no benefit, so the fund's 9,120.00 fall to the patient.
    assert x["new"]["totals"]["fund_pays"] == {"value": "0.00", "moved": "-9120.00"}
    assert {p["name"] for p in x["only_in_new"]} >= {"on_list", "lost_benefit", "government_pays"}
    assert x["only_in_old"] == []


def test_a_field_that_neither_knows_is_a_mistake(tmp_path: Path) -> None:
    """It is not dropped: both sides say that there is no such input."""
    bill = tmp_path / "bill.yaml"
    bill.write_text(Path(CITY).read_text(encoding="utf-8") + "  colour: red\n", encoding="utf-8")
    result = run("qin", "dian", "--episode", str(bill), "--lang", "en")
    assert result.return_value == 1
    assert result.stdout.count("RX745: there is no input called 'colour'") == 2


def test_a_bill_that_one_side_cannot_read() -> None:
    """A rulebook that asks for other things: that side says what it lacks, the other side's amounts stand."""
    result = run("qin", "beijing-employee", "--episode", CITY, "--lang", "en")
    assert result.return_value == 1
    assert "beijing-employee cannot be computed: RX704" in result.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_fits_and_speaks_the_language(language: str) -> None:
    """80 columns; no English phrase in the Chinese page."""
    args = ("qin", "dian", "--episode", str(BILLS / "dian-blacklist.yaml"), "--lang", language)
    text = run(*args).stdout
    assert max(width(line) for line in text.splitlines()) <= 80
    if language == "zh":
        assert "Only in" not in text
        assert "仅见于 dian" in text
    table = run(*args, "--format", "md").stdout
    assert len({line.replace(r"\|", "").count("|") for line in table.splitlines() if line.startswith("|")}) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("qin", "dian", "--format", "md"), "add --episode FILE"),
        (("qin", "qim", "--episode", CITY), "did you mean `qin`?"),
        (("qin", "dian", "--episode", "nosuch.yaml"), "there is no file `nosuch.yaml`"),
        (("qin",), "Missing argument 'NEW'"),
    ],
)
def test_bad_usage(args: tuple[str, ...], message: str) -> None:
    """A mistake in the command is told and ends with 2."""
    result = CliRunner().invoke(cli, ["diff", *args])
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_currencies_are_not_compared(tmp_path: Path) -> None:
    """Amounts of two currencies are not held against each other."""
    path = tmp_path / "tw.yaml"
    path.write_text(
        "rxcalc: 1\nrulebook: tw\nversion: '1'\ncurrency: TWD\nrounding: half-up\neffective: {from: 2025-01-01, by: discharge_date}\n"
        "inputs: {episode_id: {type: code}, discharge_date: {type: date}, total_cost: {type: money}}\n"
        "steps: {pays: total_cost * 10%}\noutputs: [pays]\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(cli, ["diff", "qin", str(path), "--episode", CITY])
    assert result.exit_code == 2
    assert "qin counts in CNY, tw in TWD" in result.stderr
