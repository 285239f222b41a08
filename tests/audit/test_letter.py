"""The letter and what an audit says of the patient's side: nobody is sent into an objection that harms or misleads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

ROOT = Path(__file__).parents[2]
LINES = str(ROOT / "tests" / "audit" / "rules" / "lines")
COUNTY = """
episode: {episode_id: Q1, person_id: P1, level: county, admission_date: 2025-03-03, discharge_date: 2025-03-10, total_cost: 10000.00,
          referred: yes, emergency: no}
"""
BEIJING = """
episode: {episode_id: B1, person_id: P1, person_class: active, birth_date: 1975-05-20, care: inpatient, level: level_2, institution: other,
          supplement: no, critical_illness: no, discharge_date: 2025-03-18, total: 42380.00, in_scope: 36150.00}
"""
# (36,150 - 1,300): 28,700 x 87% + 6,150 x 92% = 24,969 + 5,658 = 30,627; with the rates of level 3 29,930.


def run(folder: Path, text: str, rulebook: str, *options: str) -> Result:
    file = folder / "bill.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(
        cli, ["audit", str(file), "-r", rulebook, *options], catch_exceptions=False, standalone_mode=False
    )


def report(
    folder: Path, charged: str, *options: str, episode: str = COUNTY, rulebook: str = "qin", language: str = "en"
) -> str:
    """The text report on one line."""
    return " ".join(
        run(folder, f"{episode}charged: {charged}\n", rulebook, "--lang", language, *options).stdout.split()
    )


def found(folder: Path, charged: str, *options: str, episode: str = COUNTY, rulebook: str = "qin") -> dict[str, Any]:
    result = run(folder, f"{episode}charged: {charged}\n", rulebook, "--format", "json", *options)
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def letter(
    folder: Path, charged: str, *options: str, episode: str = COUNTY, rulebook: str = "qin", language: str = "en"
) -> tuple[str, str]:
    """The letter, and what is said on stderr."""
    file = folder / "letter.md"
    file.unlink(missing_ok=True)
    result = run(
        folder, f"{episode}charged: {charged}\n", rulebook, "--lang", language, "--letter", str(file), *options
    )
    return file.read_text(encoding="utf-8"), result.stderr


# ---- whom a difference favours ----


def test_an_error_in_favour_of_the_patient(tmp_path: Path) -> None:
    """Charged 0 + 500, by the rules 200 + 490: an objection would cost 190, so it is said and no refund is asked for."""
    charged = "{deductible_due: 0.00, fund_pays: 9500.00, patient_pays: 500.00}"
    assert "the patient would pay 190.00 MORE than is charged" in report(tmp_path, charged)
    assert found(tmp_path, charged)["patient"] == "more"
    text, said = letter(tmp_path, charged)
    assert "refund" not in text
    assert "think twice" in text.partition("[Name")[0]
    assert "190.00 MORE" in said
    text, _ = letter(tmp_path, charged, language="zh")
    assert "退还" not in text


def test_a_difference_that_is_not_the_patients(tmp_path: Path) -> None:
    """The fund's figure alone is off: nothing is asked back for the patient."""
    charged = "{fund_pays: 9130.00, patient_pays: 690.00}"
    assert found(tmp_path, charged)["patient"] == "equal"
    assert "What the patient pays in all is charged as the rules have it" in report(tmp_path, charged)
    assert "refund" not in letter(tmp_path, charged)[0]


@pytest.mark.parametrize(
    ("charged", "refund", "side"),
    [
        ("{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1070.00}", True, "less"),
        ("{patient.deductible: 600.00}", True, None),
        ("{fund_pays: 8930.00}", False, None),
        ("{patient.deductible: 100.00}", False, None),
        ("{patient.deductible: 600.00, patient_pays: 690.00}", False, "equal"),
    ],
)
def test_a_refund_is_asked_for_only_where_the_patient_pays_too_much(
    charged: str, refund: bool, side: str | None, tmp_path: Path
) -> None:
    """In all, or without a total in a part; the patient's total decides."""
    assert found(tmp_path, charged)["patient"] == side
    assert ("refund" in letter(tmp_path, charged)[0]) is refund


# ---- contradictions ----


@pytest.mark.parametrize(
    ("charged", "told"),
    [
        ("{fund_pays: 9130.00, patient_pays: 690.00}", "add up to 9,820.00, the amount that is divided is 10,000.00"),
        (
            "{fund.pool: 9310.00, patient.deductible: 200.00, patient.coinsurance: 540.00}",
            "add up to 10,050.00, the amount that is divided is 10,000.00",
        ),
        ("{fund_pays: 9310.00, patient_pays: 960.00}", "add up to 10,270.00, the amount that is divided is 10,000.00"),
        (
            "{patient.deductible: 200.00, patient.coinsurance: 490.00, patient.referral: 0.00, patient_pays: 700.00}",
            "add up to 690.00, but 700.00 is charged in all",
        ),
    ],
)
def test_amounts_that_contradict_each_other(charged: str, told: str, tmp_path: Path) -> None:
    """Shares of 10,000.00 that do not make it up, parts that do not make up their total."""
    names = {p["bearer"] + "." + p["part"] for p in _shares(tmp_path)}
    assert {"patient.deductible", "patient.coinsurance"} <= names
    charged = charged.replace("patient.referral: 0.00, ", "")
    assert told in report(tmp_path, charged)
    assert len(found(tmp_path, charged)["contradictions"]) == 1


def test_amounts_that_add_up_are_no_contradiction(tmp_path: Path) -> None:
    """A bill with another deductible divides the same 10,000.00."""
    assert (
        found(tmp_path, "{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1070.00}")["contradictions"] == []
    )
    assert found(tmp_path, "{fund_pays: 8930.00}")["contradictions"] == []


def _shares(folder: Path) -> list[dict[str, Any]]:
    file = folder / "plain.yaml"
    file.write_text(COUNTY, encoding="utf-8")
    result = CliRunner().invoke(cli, ["explain", str(file), "-r", "qin", "--format", "json"], standalone_mode=False)
    return list(json.loads(result.stdout)["shares"])


# ---- what is counted is what is shown; what is said is true ----


@pytest.mark.parametrize(
    "charged",
    [
        "{deductible_due: 0.00, fund_pays: 9500.00, patient_pays: 500.00}",
        "{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1070.00}",
        "{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1700.00}",
        "{fund_pays: 8930.00}",
        "{deductible_due: 333.00, fund_pays: 9183.65}",
    ],
)
def test_the_counts(charged: str, tmp_path: Path) -> None:
    """The report counts the changes of the rules and the bill that it shows; figures put in are apart."""
    x = found(tmp_path, charged)
    every = len(x["causes"])
    part = sum(not h["explains_all"] for h in x["others"] if h["kind"] != "fitted")
    text = report(tmp_path, charged)
    counted = re.search(r"changes were tried: (.*?)\.", text)
    assert counted is not None
    numbers = [1 if word == "one" else int(word) for word in re.findall(r"\b(?:one|\d+)\b(?= give| only)", counted[1])]
    assert numbers == [n for n in (every, part) if n]


def test_a_value_that_the_rules_have_is_no_figure_put_in(tmp_path: Path) -> None:
    """600.00 is the deductible of a province hospital: nothing says that the rules have no such value."""
    x = found(tmp_path, "{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1700.00}")
    assert not [o for o in x["others"] if o["kind"] == "fitted" and o["now"] == "600.00"]
    assert [o["now"] for o in found(tmp_path, "{deductible_due: 333.00}")["others"]] == ["333.00"]


def test_an_earlier_episode_is_told_once(tmp_path: Path) -> None:
    """A count of one, one more episode, a bill like this one: the same thing, in words and once."""
    charged = "{deductible_due: 650.00, pool_pays: 31192.50}"
    text = report(tmp_path, charged, episode=BEIJING, rulebook="beijing-employee")
    assert text.count("if one more episode came before it, by its number alone") == 1
    assert "earlier episode had counted" not in text
    assert "a bill like this one" not in text


def test_grammar(tmp_path: Path) -> None:
    """One amount is one amount, a value that is not there is none, in both languages."""
    assert "1 of the 1" not in letter(tmp_path, "{patient_pays: 1070.00}")[0]
    assert "no value is charged, by the rules 200.00" in report(tmp_path, "{deductible_due: missing}")
    assert "账单未列数值，按规则为 200.00" in report(tmp_path, "{deductible_due: missing}", language="zh")
    text = letter(tmp_path, "{patient_pays: 1070.00}", language="zh")[0]
    assert re.search(r"[\u4e00-\u9fff][:,] |。 ", text) is None


# ---- tolerance ----


def test_a_fen_off_is_explained_within_the_tolerance(tmp_path: Path) -> None:
    """The first amount may be off by the tolerance too; then it is never said that it comes out to the fen."""
    charged = "{pool_pays: 29930.01, patient_pays: 12449.99}"
    assert found(tmp_path, charged, episode=BEIJING, rulebook="beijing-employee")["causes"] == []
    x = found(tmp_path, charged, "--tolerance", "0.01", episode=BEIJING, rulebook="beijing-employee")
    assert (x["causes"][0]["name"], x["causes"][0]["now"]) == ("level", "level_3")
    assert [w["name"] for w in x["causes"][0]["within_tolerance"]] == ["pool_pays", "patient_pays"]
    text, _ = letter(tmp_path, charged, "--tolerance", "0.01", episode=BEIJING, rulebook="beijing-employee")
    assert "“Pooled fund” is 29,930.00 for “Hospital level”: Level 3 hospital" in text
    assert "within the tolerance, not to the fen: Pooled fund 29,930.00, Patient, in all 12,450.00" in text


def test_a_wrong_digit_needs_two_amounts(tmp_path: Path) -> None:
    """A patient's amount misprinted by 100 is that of a total misprinted by 100: which of them, one amount cannot tell."""
    charged = "{pool_pays: 30627.00, patient_pays: 11853.00}"
    x = found(tmp_path, charged, episode=BEIJING, rulebook="beijing-employee")
    assert [c for c in x["causes"] if c["kind"] == "digit"] == []
    assert any(o["kind"] == "digit" and o["now"] == "42480.00" for o in x["others"])
    assert "it may as well be misprinted itself" in report(
        tmp_path, charged, episode=BEIJING, rulebook="beijing-employee"
    )


def test_exact_changes_stand_before_those_within_the_tolerance(tmp_path: Path) -> None:
    """Level 3 gives both amounts to the fen, a rate of the second band only nearly."""
    charged = "{pool_pays: 29930.00, patient_pays: 12450.00}"
    x = found(tmp_path, charged, "--tolerance", "50", episode=BEIJING, rulebook="beijing-employee")
    within = [bool(c["within_tolerance"]) for c in x["causes"]]
    assert within == sorted(within)
    assert not within[0]
    assert within[-1]


def test_nothing_under_lines_is_nothing_charged(tmp_path: Path) -> None:
    """An empty list of rows compares nothing, so a section to fill in is printed."""
    with pytest.raises(Failure) as failure:
        run(tmp_path, f"{COUNTY}charged: {{lines: {{}}}}\n", "qin")
    assert failure.value.exit_code == 2


# ---- slips ----


@pytest.mark.parametrize(
    ("charged", "kind", "name", "now"),
    [
        # a digit: (10,010 - 200) x 95% = 9,319.50
        ("{fund_pays: 9319.50, patient_pays: 690.50}", "digit", "total_cost", "10010.00"),
        # a digit left out, so that it is a tenth: (1,000 - 200) x 95% = 760
        ("{fund_pays: 760.00, patient_pays: 240.00}", "input", "total_cost", "1000.00"),
        # the rate on the whole cost: 10,000 x 95% = 9,500
        (
            "{deductible_due: 200.00, fund_pays: 9500.00, patient_pays: 500.00}",
            "term_left_out",
            "deductible_due",
            "0.00",
        ),
        # the deductible last: 10,000 x 95% - 200 = 9,300
        (
            "{deductible_due: 200.00, fund_pays: 9300.00, patient_pays: 700.00}",
            "term_taken_off_late",
            "deductible_due",
            None,
        ),
    ],
)
def test_slips_of_the_pen(charged: str, kind: str, name: str, now: str | None, tmp_path: Path) -> None:
    """Wrong digits, a shifted point, the rate of the whole cost, the deductible taken off last."""
    cause = found(tmp_path, charged)["causes"][0]
    assert (cause["kind"], cause["name"], cause["now"]) == (kind, name, now)


# ---- the letter ----


def test_the_rule_goes_down_to_its_parameters(tmp_path: Path) -> None:
    """Of the patient's total alone the whole calculation stands in the letter, with the source and mark of every step."""
    text, _ = letter(tmp_path, "{patient_pays: 1070.00}")
    for wanted in (
        "“Cost above the deductible” × “Reimbursement rate” = 9,800.00 × 95% = 9,310.00",
        "“Deductible of the level” (County) = 200.00 (since 2019-01-01, fictional)",
        "Co-payment = ",
        "Source: Official Ladder, line 13 (S-01) (fictional).",
        "## Sources",
    ):
        assert wanted in text, wanted
    text, _ = letter(
        tmp_path, "{deductible_due: 1300.00, pool_pays: 29930.00}", episode=BEIJING, rulebook="beijing-employee"
    )
    for wanted in ("28,700.00 at 87% = 24,969.00", "6,150.00 at 92% = 5,658.00", "Source: Public policy-explanation project for Beijing (illustrative)."):  # fmt: skip
        assert wanted in text, wanted
    assert "Deductible = min" not in text, "both sides have the same deductible"


def test_the_letter_is_plain_text(tmp_path: Path) -> None:
    """No names of the rulebook, no signs of Markdown inside the sentences, in either language."""
    for language in ("en", "zh"):
        text, _ = letter(tmp_path, "{fund_pays: 8930.00, patient_pays: 1070.00}", language=language)
        assert not set("\\`*_") & set(text)
        assert "deductible[" not in text


def test_facts_are_those_that_were_read(tmp_path: Path) -> None:
    """A stay rests on level, dates and amounts; not on the day of birth, nor on what only visits read."""
    text, _ = letter(tmp_path, "{pool_pays: 29930.00}", episode=BEIJING, rulebook="beijing-employee")
    facts = text.partition("rests on these facts")[2].partition("One possible")[0]
    assert "Hospital level: Level 2 hospital" in facts
    assert "Discharge or visit: 2025-03-18" in facts
    for absent in ("1975", "Kind of institution", "Retiree supplement"):
        assert absent not in text, absent


WARD = """
episode: {episode_id: M1, person_id: P1, person_class: resident, institution: N-CITY, setting: inpatient,
          admission_date: 2022-12-28, discharge_date: 2023-01-04, drg: SG-01, ward: ORTHO}
lines:
  - {line_no: 1, code: SURG, kind: service, quantity: 1, unit_price: 9100.00, amount: 9100.00}
  - {line_no: 2, code: CARER, kind: carer, quantity: 7, unit_price: 150.00, amount: 1050.00}
"""


def test_other_values_that_do_the_same_are_in_the_letter(tmp_path: Path) -> None:
    """What the report calls the same is not left out of the question."""
    charged = "{package_price: 9200.00, fund_pays: 5520.00, patient_pays: 4730.00, patient.carer: 1050.00}"
    text, _ = letter(tmp_path, charged, episode=WARD, rulebook="sanming")
    assert "The same with: N-TOWN; " in text


def test_a_letter_that_was_filled_in_is_kept(tmp_path: Path) -> None:
    """A second run writes nothing over it; the same letter may be written again."""
    file = tmp_path / "letter.md"
    text = f"{COUNTY}charged: {{patient_pays: 1070.00}}\n"
    assert str(file) in run(tmp_path, text, "qin", "--lang", "en", "--letter", str(file)).stderr
    run(tmp_path, text, "qin", "--lang", "en", "--letter", str(file))
    filled = file.read_text(encoding="utf-8").replace("[Signature]", "A. Person")
    file.write_text(filled, encoding="utf-8")
    with pytest.raises(Failure) as failure:
        run(tmp_path, text, "qin", "--lang", "en", "--letter", str(file))
    assert failure.value.exit_code == 2
    assert file.read_text(encoding="utf-8") == filled


def test_findings_against_the_patient_stay_out(tmp_path: Path) -> None:
    """Of the findings those about prices and charges are in the letter, each without its condition."""
    stay = (ROOT / "docs" / "bills" / "sanming-transfer.yaml").read_text(encoding="utf-8").partition("charged:")[0]
    text = run(tmp_path, f"{stay}\ncharged: {{patient_pays: 1.00}}\n", "sanming", "--lang", "en").stdout
    assert " and level >= " not in text
    written, _ = letter(tmp_path, "{patient_pays: 1.00}", episode=stay, rulebook="sanming")
    assert "without referral" not in written


# ---- bills to which no rule is applied ----


def test_a_reversal(tmp_path: Path) -> None:
    """It is the original with the other sign, so that no rule is shown and nothing is searched."""
    both = """
earlier:
  - episode: {episode_id: E1, person_id: P1, person_class: active, level: level_2, discharge_date: 2025-01-10, total: 20000.00, in_scope: 18000.00}
episode: {episode_id: E2, person_id: P1, reverses_id: E1, person_class: active, level: level_2, discharge_date: 2025-03-10, total: -20000.00, in_scope: -18000.00}
"""
    charged = "{deductible_due: -1300.00, pool_pays: -14429.00}"  # (18,000 - 1,300) x 87% = 14,529
    x = found(tmp_path, charged, episode=both, rulebook="beijing-employee")
    assert (x["reverses"], x["search"], x["causes"]) == ("E1", None, [])
    assert x["amounts"][1]["difference"] == "100.00"
    text, _ = letter(tmp_path, charged, episode=both, rulebook="beijing-employee")
    assert "reverses bill E1" in text
    assert "rests on these facts" not in text


def test_a_refused_bill_in_words(tmp_path: Path) -> None:
    """The letter says once why, without codes; the report says which amounts were not computed."""
    episode = COUNTY.replace("discharge_date: 2025-03-10", "discharge_date: 2025-02-10")
    text = report(tmp_path, "{fund_pays: 9310.00}", episode=episode)
    assert "is refused (RX722): " in text
    assert "9,310.00 not computed" in text
    written, _ = letter(tmp_path, "{fund_pays: 9310.00}", episode=episode)
    assert "RX722" not in written
    assert written.count("cannot come before") == 1
    assert "“Discharge” >= “Admission”" in written


def test_the_template_keeps_what_is_charged(tmp_path: Path) -> None:
    """Where a field lacks, the form to fill in holds the figures that were typed."""
    text = "episode: {episode_id: Q1, person_id: P1}\ncharged: {fund_pays: 9310.00, 起付线: 200.00}\n"
    said = run(tmp_path, text, "qin").stderr
    assert "charged:\n  fund_pays: 9310.00\n  起付线: 200.00" in said


def test_a_rounded_amount_is_not_called_equal_to_the_exact_one(tmp_path: Path) -> None:
    """(10,000.01 - 200) x 95% = 9,310.0095, rounded to 9,310.01."""
    episode = COUNTY.replace("10000.00", "10000.01")
    for text in (
        letter(tmp_path, "{patient_pays: 1070.00}", episode=episode)[0],
        run(tmp_path, f"{episode}charged: {{fund_in_full: 1.00}}\n", "qin", "--lang", "en", "--format", "md").stdout,
    ):
        assert "9,310.0095, rounded half-up to 0.01: 9,310.01" in text.replace("\\", "")
