"""`rxcalc explain`: values of parameters set by hand, bills saved as examples, explanations that may be shown to others."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner

from rxcalc.cli.main import cli

BILLS = Path(__file__).parents[2] / "docs" / "bills"
SHIPPED = Path(__file__).parents[2] / "rulebooks"
COUNTY = str(BILLS / "qin-county.yaml")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    exit_code: int
    stdout: str
    stderr: str


def run(*args: str) -> Ran:
    result = CliRunner().invoke(cli, [*args], standalone_mode=False)
    if isinstance(result.exception, ClickException):
        return Ran(result.exception.exit_code, result.stdout, result.stderr + result.exception.format_message())
    if result.exception is not None:
        raise result.exception
    return Ran(result.return_value or 0, result.stdout, result.stderr)


def explained(*args: str) -> dict[str, object]:
    result = run("explain", *args, "--format", "json")
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


# ---- --set parameter.. ----


def test_a_parameter_set_by_hand() -> None:
    """350.00 instead of 200.00 at a county hospital: 9,650.00 at 95% is 9,167.50."""
    x = explained(COUNTY, "--set", "parameter.deductible.county=350", "--set", "emergency=yes")
    assert x["totals"] == {"fund_pays": "9167.50", "patient_pays": "832.50"}
    assert x["set_by_hand"] == ["emergency", "parameter.deductible.county = 350.00 (in place of 200.00)"]
    assert x["episode"]["emergency"] == "yes"  # type: ignore[index]


@pytest.mark.parametrize("form", ["text", "md", "html", "fhir"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_says_what_was_set_by_hand(form: str, lang: str) -> None:
    result = run("explain", COUNTY, "--set", "parameter.rate=85%", "--format", form, "--lang", lang)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert "parameter.rate = 85%" in shown
    assert {"en": "set by hand", "zh": "手工设定"}[lang] in shown.lower().replace("手 工", "手工")
    # 9,800.00 at 85%
    assert "8330.00" in shown.replace(",", "")


def test_parts_of_schedules_are_set_by_number() -> None:
    """The limit and the rate of a band; a number that is no part, and limits out of order, are told."""
    bill = str(BILLS / "beijing-check.yaml")
    plain = explained(bill)
    rates = next(
        u["name"]
        for s in plain["steps"]  # type: ignore[attr-defined]
        for u in s["uses"]
        if s["bands"] and "rate" in u["name"]
    )
    name, _, keys = rates.rstrip("]").partition("[")
    path = ".".join(["parameter", name, *keys.split(", ")]) if keys else f"parameter.{name}"
    moved = explained(bill, "--set", f"{path}.1=50%")
    assert moved["totals"] != plain["totals"]
    for wrong, told in ((f"{path}=50%", "name one of its parts"), (f"{path}.99=50%", "name one of its parts"),
                        (f"{path}.1.form=3", "names nothing"), (f"{path}.2.to=1", "out of order"),
                        (f"{path}.1=0.5", "percent sign")):  # fmt: skip
        result = run("explain", bill, "--set", wrong)
        assert result.exit_code == 1
        assert told in " ".join(result.stderr.split()), wrong


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("parameter.deductable.county=1", "did you mean deductible?"),
        ("parameter.deductible.country=1", "did you mean county?"),
        ("parameter.deductible=1", "parameter.deductible.town|county|city|province"),
        ("parameter.deductible.county.x=1", "holds a single value"),
        ("parameter.deductible.county=abc", "abc"),
        ("parameter.rate=1 USD", "1 USD"),
        ("parameter.=1", "no parameter"),
        ("levle=city", "did you mean level?"),
        ("lines.1.amount=5", "change the rows of a list in the file"),
    ],
)
def test_what_cannot_be_set_is_told(wrong: str, told: str) -> None:
    result = run("explain", COUNTY, "--set", wrong)
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_set_needs_a_value() -> None:
    result = run("explain", COUNTY, "--set", "parameter.rate")
    assert result.exit_code == 2
    assert "is not FIELD=VALUE" in result.stderr


# ---- --save-example ----


def test_a_saved_bill_is_an_example_that_passes(tmp_path: Path) -> None:
    """Ids are replaced, outputs expected, and it says that nobody has checked them; a second one is added below."""
    book = tmp_path / "qin"
    shutil.copytree(SHIPPED / "qin", book)
    for old in (book / "examples").iterdir():
        old.unlink()
    saved = book / "examples" / "saved.yaml"
    for bill in ("qin-county", "qin-lines"):
        run("explain", str(BILLS / f"{bill}.yaml"), "-r", str(book), "--save-example", str(saved))
    text = saved.read_text(encoding="utf-8")
    assert text.count("- example: ") == 2
    assert text.count("NOT CHECKED BY HAND") == 2
    assert "P-001" not in text
    assert "BILL-" not in text
    assert "patient_pays: 690.00" in text
    tested = run("test", str(book))
    assert tested.exit_code == 0, tested.stdout + tested.stderr


def test_earlier_bills_openings_and_refusals_are_saved(tmp_path: Path) -> None:
    bill = tmp_path / "bill.yaml"
    shutil.copy(BILLS / "beijing-year.yaml", bill)
    before = explained(str(bill))
    saved = tmp_path / "saved.yaml"
    assert run("explain", str(bill), "--save-example", str(saved)).exit_code == 0
    names = re.findall(r"- example: (.*)", saved.read_text(encoding="utf-8"))
    again = explained(str(saved), "--example", json.loads(names[0]))
    assert again["outputs"] == before["outputs"]
    assert before["episode"]["episode_id"] != again["episode"]["episode_id"]  # type: ignore[index]
    refused = run("explain", COUNTY, "--set", "discharge_date=2025-01-01", "--save-example", str(saved))
    assert refused.exit_code == 1
    assert "rejects: RX722" in saved.read_text(encoding="utf-8")


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("rulebook: qin\n", encoding="utf-8")
    for args, told in (
        (("--set", "parameter.rate=90%", "--save-example", str(tmp_path / "x.yaml")), "parameter set by hand"),
        (("--save-example", str(other)), "is no examples file"),
        (("--save-example", str(tmp_path)), "directory"),
    ):
        result = run("explain", COUNTY, *args)
        assert result.exit_code == 2
        assert told in result.stderr
    assert other.read_text(encoding="utf-8") == "rulebook: qin\n"
    assert not (tmp_path / "x.yaml").exists()


# ---- --redact ----

SECRETS = ("Zq7Episode", "Zq7Person", "Zq7Item")


def secret_bill(folder: Path, line: str = "") -> str:
    """A bill of qin whose ids and codes can be told apart from everything else."""
    text = (BILLS / "qin-lines.yaml").read_text(encoding="utf-8")
    text = text.replace("P-001", SECRETS[1]).replace("BILL-5", SECRETS[0]).replace("EX-EXAM", SECRETS[2])
    path = folder / "bill.yaml"
    path.write_text(text + line, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("form", ["text", "json", "md", "html", "fhir"])
def test_nothing_that_says_who_somebody_is_is_shown(form: str, tmp_path: Path) -> None:
    bill = secret_bill(tmp_path)
    shown = run("explain", bill, "--format", form, "--detail", "full").stdout
    assert all(s in shown for s in SECRETS)
    hidden = run("explain", bill, "--format", form, "--detail", "full", "--redact").stdout
    assert not any(s in hidden for s in (*SECRETS, "EX-MED-1"))
    assert not re.search(r"procurement\.csv:\d", hidden)
    assert "17.50" in hidden
    assert "2025-03-10" in hidden


def test_earlier_episodes_are_hidden_by_one_pseudonym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pseudonym of an id is the same wherever it stands, and in all runs with one key."""
    text = (BILLS / "beijing-year.yaml").read_text(encoding="utf-8")
    ids = dict.fromkeys(re.findall(r"episode_id: (\S+?),?\s", text))
    for at, name in enumerate(ids):
        text = text.replace(f"episode_id: {name}", f"episode_id: Zq7E{at}")
    (tmp_path / "year.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("RXCALC_REDACT_KEY", "one key")
    first = run("explain", str(tmp_path / "year.yaml"), "--redact", "--detail", "full").stdout
    assert "Zq7E" not in first
    assert first == run("explain", str(tmp_path / "year.yaml"), "--redact", "--detail", "full").stdout
    plain = run("explain", str(tmp_path / "year.yaml"), "--detail", "full").stdout
    assert plain.count("Zq7E0") == len(re.findall(pseudonym_of("Zq7E0"), first)) > 0


def pseudonym_of(name: str) -> str:
    from rxcalc.tabular.redaction import Redaction

    return Redaction.made().pseudonym(name)


def test_a_refusal_does_not_repeat_what_is_hidden(tmp_path: Path) -> None:
    text = Path(secret_bill(tmp_path)).read_text(encoding="utf-8")
    text = text.replace("line_no: 2", "line_no: 1").replace("2025-03-03", "2025-04-03")
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    result = run("explain", str(tmp_path / "bad.yaml"), "--redact", "--format", "json")
    assert result.exit_code == 1
    assert not any(s in result.stdout for s in SECRETS)


# ---- output ----


def test_each_format_goes_to_a_file(tmp_path: Path) -> None:
    for form, start in (("text", "Qin"), ("json", "{"), ("md", "#"), ("html", "<!doctype html>"), ("fhir", "{")):
        file = tmp_path / f"out.{form}"
        assert run("explain", COUNTY, "--format", form, "-o", str(file), "--lang", "en").exit_code == 0
        assert file.read_text(encoding="utf-8").lower().startswith(start.lower()), form


def test_x12_stands_in_the_json_and_in_the_full_text() -> None:
    x = explained(COUNTY)
    codes = {s["part"]: s["x12"] for s in x["shares"]}  # type: ignore[attr-defined]
    assert codes == {"pool": None, "deductible": "PR-1", "coinsurance": "PR-2", "missing_referral": None}
    full = run("explain", COUNTY, "--detail", "full").stdout
    assert "X12 PR-1" in full
    assert "X12" not in run("explain", COUNTY).stdout
