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
    listed = tmp_path / "listed.yaml"
    listed.write_text("[]\n", encoding="utf-8")
    for args, told in (
        (("--set", "parameter.rate=90%", "--save-example", str(tmp_path / "x.yaml")), "parameter set by hand"),
        (("--save-example", str(other)), "is no examples file"),
        (("--save-example", str(listed)), "stands in brackets"),
        (("--redact", "--save-example", str(tmp_path / "x.yaml")), "does not go with --redact"),
        (("--save-example", str(tmp_path)), "directory"),
    ):
        result = run("explain", COUNTY, *args)
        assert result.exit_code == 2
        assert told in result.stderr
    assert other.read_text(encoding="utf-8") == "rulebook: qin\n"
    assert not (tmp_path / "x.yaml").exists()


FREE_TEXT = """\
rxcalc: 1
rulebook: ward
title: Ward
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
sources: {s: {title: Made up, status: illustrative}}
status: illustrative
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  ward: {type: text, optional: yes, aliases: [bed]}
  doctor: {type: text}
  drg: {type: code}
  day: {type: date}
  total: {type: money}
requires: [{that: 'drg != "Zq7Bad"', say: no such group}]
sequence: {by: person_id, order: [day, episode_id]}
windows: {year: {calendar: year, date: day}}
lines:
  inputs: {line_no: {type: count}, note: {type: text, optional: yes}, amount: {type: money}}
  order: [line_no]
steps:
  before: {rule: 'year.sum(fund)'}
  fund:
    rule: |
      when drg = "Zq7Drg" then 80% * total
      otherwise 50% * total
checks:
  - {when: 'drg in {"Zq7Drg", "B"}', say: found}
shares:
  bill: {of: total, fund: {pool: fund}, patient: {own: rest}}
outputs: [fund]
"""
FREE_BILL = """\
episode: {episode_id: Zq7E2, person_id: Zq7P, bed: Zq7Ward, doctor: Zq7Doctor, drg: Zq7Drg, day: 2025-03-01, total: 100}
lines:
  - {line_no: 1, note: Zq7Note, amount: 100}
earlier:
  - episode: {episode_id: Zq7E1, person_id: Zq7P, doctor: Zq7Other, drg: Zq7Drg, day: 2025-02-01, total: 10}
    lines: []
"""


def free_text(folder: Path, old: str = "", new: str = "") -> tuple[str, str]:
    """A rulebook with free text, and a bill of it with something in it replaced."""
    (folder / "ward.yaml").write_text(FREE_TEXT, encoding="utf-8")
    (folder / "bill.yaml").write_text(FREE_BILL.replace(old, new) if old else FREE_BILL, encoding="utf-8")
    return str(folder / "bill.yaml"), str(folder / "ward.yaml")


def test_free_text_is_not_saved(tmp_path: Path) -> None:
    """No rule reads it: names of doctors and notes of a line need not be in an example."""
    bill, book = free_text(tmp_path)
    saved = tmp_path / "saved.yaml"
    assert run("explain", bill, "-r", book, "--save-example", str(saved)).exit_code == 0
    text = saved.read_text(encoding="utf-8")
    assert set(re.findall(r"Zq7\w+", text)) == {"Zq7Drg"}
    assert 'doctor: "***"' in text
    assert "bed" not in text
    assert "note" not in text
    name = json.loads(re.findall(r"- example: (.*)", text)[0])
    assert explained(str(saved), "--example", name, "-r", book)["outputs"] == {"fund": "80.00"}


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (b"# kept\n", b"# kept\n\n- example: "),
        (b"- example: a\r\n  episode: {}\r\n", b"  episode: {}\r\n\r\n- example: "),
    ],
)
def test_what_stands_in_the_file_stays(before: bytes, added: bytes, tmp_path: Path) -> None:
    """A file of comments can be added to, and one with line ends of another system keeps them."""
    saved = tmp_path / "saved.yaml"
    saved.write_bytes(before)
    assert run("explain", COUNTY, "--save-example", str(saved)).exit_code == 0
    after = saved.read_bytes()
    assert added in after
    assert after.count(b"\r\n") == (after.count(b"\n") if b"\r\n" in before else 0)


def test_two_results_need_two_files(tmp_path: Path) -> None:
    saved = tmp_path / "saved.yaml"
    saved.write_text("# kept\n", encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to(saved)
    for output in (saved, tmp_path / "link.yaml"):
        result = run("explain", COUNTY, "--save-example", str(saved), "-o", str(output))
        assert result.exit_code == 2
        assert "two results" in result.stderr
    assert run("explain", "--ask", "-r", "qin", "--save", str(saved), "-o", str(saved)).exit_code == 2
    assert saved.read_text(encoding="utf-8") == "# kept\n"


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


@pytest.mark.parametrize("form", ["text", "json", "md", "html", "fhir"])
@pytest.mark.parametrize("drg", ["Zq7Drg", "Zq7Bad"])
def test_rules_do_not_name_the_code_that_is_hidden(form: str, drg: str, tmp_path: Path) -> None:
    """A clause that decided, a finding or a refusal would say which code the bill has."""
    bill, book = free_text(tmp_path, "Zq7Doctor, drg: Zq7Drg", f"Zq7Doctor, drg: {drg}")
    hidden = run("explain", bill, "-r", book, "--redact", "--format", form, "--detail", "full")
    assert hidden.exit_code == (1 if drg == "Zq7Bad" else 0)
    assert "Zq7" not in hidden.stdout + hidden.stderr
    assert "***" in hidden.stdout.replace("\\", "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("total: 100", "total: Zq7Much", "RX701"),
        ("person_id: Zq7P, bed", "person_id: Zq7Q, bed", "RX756"),
        ("day: 2025-03-01, ", "", "template"),
        ("lines:\n", "Zq7: [\n", "RX106"),
    ],
)
def test_messages_do_not_repeat_what_is_hidden(old: str, new: str, told: str, tmp_path: Path) -> None:
    """What is wrong with a bill is told by kind and place; the template of a bill that lacks something is empty."""
    bill, book = free_text(tmp_path, old, new)
    shown = run("explain", bill, "-r", book)
    assert "Zq7" in shown.stderr
    result = run("explain", bill, "-r", book, "--redact")
    assert result.exit_code == shown.exit_code > 0
    assert "Zq7" not in result.stdout + result.stderr
    assert told in result.stderr


def test_why_an_earlier_episode_was_refused_is_told(tmp_path: Path) -> None:
    """Nobody can mend what he is not told."""
    bill, book = free_text(tmp_path, "Zq7Other, drg: Zq7Drg", "Zq7Other, drg: Zq7Bad")
    text = " ".join(run("explain", bill, "-r", book).stdout.split())
    assert "REFUSED RX811: `Zq7E1` comes earlier" in text
    assert "`Zq7E1` was refused with RX722: no such group" in text
    hidden = run("explain", bill, "-r", book, "--redact").stdout
    assert "RX722" in hidden
    assert "Zq7" not in hidden


def test_an_empty_bill_is_told_as_such(tmp_path: Path) -> None:
    for content in ("", "# nothing yet\n"):
        result = CliRunner().invoke(cli, ["explain", "-", "-r", "qin"], input=content)
        assert result.exit_code == 2
        assert "is empty" in result.stderr
        assert "a rulebook starts" not in result.stderr
        (tmp_path / "bill.yaml").write_text(content, encoding="utf-8")
        assert "is empty" in run("explain", str(tmp_path / "bill.yaml"), "-r", "qin").stderr


def test_a_lookup_that_failed_is_told_once() -> None:
    """`X is in the list, because X is not in the list` says one thing twice; a list is called by its Chinese name."""
    english = run("explain", str(BILLS / "qin-lines.yaml"), "--detail", "full").stdout
    assert "Not applied: EX-REG is not in Procurement list\n" in english
    chinese = run("explain", str(BILLS / "qin-lines.yaml"), "--detail", "full", "--lang", "zh").stdout
    assert "未适用：EX-REG不在集中采购价目中\n" in chinese
    assert "\n明细 [lines]：3 行\n" in chinese
    assert "\n明细 [lines] 1\n" in chinese


def test_a_template_can_be_read_back(tmp_path: Path) -> None:
    """What the bill gives stands in it so that YAML reads the same text; a label stays in its line."""
    bill, book = free_text(tmp_path, "doctor: Zq7Doctor", r'doctor: "x: y # z\n\nFund  9.00"')
    Path(book).write_text(
        FREE_TEXT.replace("total: {type: money}", r'total: {type: money, label: "A\n\n# B"}'), encoding="utf-8"
    )
    assert "\n  A # B " in run("explain", bill, "-r", book).stdout
    assert "x: y # z Fund  9.00\n" in run("explain", bill, "-r", book).stdout
    Path(bill).write_text(
        Path(bill).read_text(encoding="utf-8").replace("drg: Zq7Drg, day: 2025-03", "day: 2025-03"), encoding="utf-8"
    )
    told = run("explain", bill, "-r", book).stderr
    template = told[told.index("rulebook: ward") : told.index("lines:")]
    (tmp_path / "filled.yaml").write_text(template.replace("  drg:", "  drg: B"), encoding="utf-8")
    x = explained(str(tmp_path / "filled.yaml"), "-r", book)
    assert "  ward: Zq7Ward " in template  # the bill calls it `bed`
    assert x["episode"]["doctor"] == "x: y # z\n\nFund  9.00"  # type: ignore[index]


def test_figures_that_stand_in_rules_have_the_status_of_the_sources(tmp_path: Path) -> None:
    bill, book = free_text(tmp_path)
    assert "Some values are ILLUSTRATIVE" in run("explain", bill, "-r", book).stdout
    assert "HTEST" in run("explain", bill, "-r", book, "--format", "fhir").stdout


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
