"""`rxcalc audit` from outside: amounts, verdicts, causes, the letter, exit codes, mistakes in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

ROOT = Path(__file__).parents[2]
LINES = str(ROOT / "tests" / "audit" / "rules" / "lines")
COUNTY = """
episode: {episode_id: Q1, person_id: P1, level: county, admission_date: 2025-03-01, discharge_date: 2025-03-10, total_cost: 10000.00,
          referred: yes, emergency: no}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["audit", *args], catch_exceptions=False, standalone_mode=False)


def bill(folder: Path, text: str) -> str:
    file = folder / "bill.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def audited(
    folder: Path, charged: str, *options: str, episode: str = COUNTY, rulebook: str = "qin"
) -> tuple[dict[str, Any], Result]:
    result = run(bill(folder, f"{episode}charged: {charged}\n"), "-r", rulebook, "--format", "json", *options)
    return json.loads(result.stdout), result


# ---- amounts ----


def test_equal_amounts(tmp_path: Path) -> None:
    """A right bill: exit code 0, nothing is looked for. (10,000 - 200) x 95% = 9,310."""
    x, result = audited(tmp_path, "{deductible_due: 200.00, fund_pays: 9310, patient_pays: 690.00}")
    assert [a["verdict"] for a in x["amounts"]] == ["equal"] * 3
    assert x["search"] is None
    assert result.return_value == 0


def test_the_order_is_that_of_the_bill(tmp_path: Path) -> None:
    """However the file lists them, a step stands before what is computed from it, and the shares stand last."""
    x, _ = audited(
        tmp_path, "{patient_pays: 1, patient.coinsurance: 1, fund_pays: 1, above_deductible: 1, deductible_due: 1}"
    )
    assert [a["name"] for a in x["amounts"]] == [
        "deductible_due", "above_deductible", "fund_pays", "patient.coinsurance", "patient_pays",
    ]  # fmt: skip
    assert x["first_difference"] == {"name": "deductible_due", "list": None, "row": None}


def test_tolerance(tmp_path: Path) -> None:
    """A fen too much differs; with a tolerance of a fen it is let pass, and said."""
    charged = "{deductible_due: 200.00, fund_pays: 9310.01}"
    x, result = audited(tmp_path, charged)
    assert result.return_value == 1
    assert x["amounts"][1]["difference"] == "0.01"
    x, result = audited(tmp_path, charged, "--tolerance", "0.01")
    assert [a["verdict"] for a in x["amounts"]] == ["equal", "within"]
    assert result.return_value == 0
    assert audited(tmp_path, charged, "--tolerance", "0.009")[1].return_value == 1


def test_labels_and_national_names(tmp_path: Path) -> None:
    """An amount may be named by a label in either language, or by its name in the national list."""
    x, _ = audited(tmp_path, "{起付线: 200.00, cost above the deductible: 9800.00, fund_pay_sumamt: 9310.00}")
    assert [a["name"] for a in x["amounts"]] == ["deductible_due", "above_deductible", "fund_pays"]
    assert all(a["verdict"] == "equal" for a in x["amounts"])


def test_amounts_of_rows(tmp_path: Path) -> None:
    """Rows are named by their order; 33.30 x 85% = 28.305 is charged as 28.31."""
    episode = """
episode: {episode_id: L1, discharge_date: 2025-06-30, total: 33.30}
lines: [{line_no: 7, code: X, class: A, quantity: 3, unit_price: 11.10, amount: 33.30}]
"""
    x, result = audited(tmp_path, "{lines: {7: {share: 28.305}}, fund_pays: 28.31}", episode=episode, rulebook=LINES)
    assert [(a["list"], a["row"], a["verdict"]) for a in x["amounts"]] == [
        ("lines", "7", "equal"),
        (None, None, "equal"),
    ]
    assert result.return_value == 0
    listed, _ = audited(tmp_path, "{lines: [{line_no: 7, share: 28.305}]}", episode=episode, rulebook=LINES)
    assert listed["amounts"] == x["amounts"][:1]


def test_no_numbers(tmp_path: Path) -> None:
    """A value of a set is compared too; its difference is none."""
    episode = "episode: {episode_id: B1, person_id: P1, person_class: active, level: level_3, discharge_date: 2025-06-30, total: 3000, in_scope: 3000}\n"
    x, _ = audited(tmp_path, "{admission: later, deductible_due: 650.00}", episode=episode, rulebook="beijing-employee")
    assert (x["amounts"][0]["charged"], x["amounts"][0]["computed"], x["amounts"][0]["difference"]) == (
        "later",
        "first",
        None,
    )
    assert (x["causes"][0]["kind"], x["causes"][0]["name"]) == ("so_far", "this_year.count()")


# ---- causes ----


def test_a_cause_explains_everything(tmp_path: Path) -> None:
    """The deductible of a province hospital, 600, gives all three amounts: (10,000 - 600) x 95% = 8,930."""
    x, result = audited(tmp_path, "{deductible_due: 600.00, fund_pays: 8930.00, patient_pays: 1070.00}")
    cause = x["causes"][0]
    assert (cause["kind"], cause["name"], cause["was"], cause["now"]) == ("input", "level", "county", "province")
    assert cause["misses"] == []
    assert cause["sentence"] == "“Deductible” is 600.00 for “Hospital level”: Province; the bill says County."
    assert x["search"]["tried"] == sum(x["search"]["by_kind"].values())
    assert x["search"]["explain_all"] == len(x["causes"])
    assert result.return_value == 1


def test_what_explains_only_the_first_is_no_cause(tmp_path: Path) -> None:
    """The deductible alone is that of a province, the fund pays what nothing gives."""
    x, _ = audited(tmp_path, "{deductible_due: 600.00, fund_pays: 1234.56}")
    assert x["causes"] == []
    assert x["others"][0]["name"] == "level"
    assert x["others"][0]["misses"] == [{"name": "fund_pays", "list": None, "row": None}]
    text = run(bill(tmp_path, f"{COUNTY}charged: {{deductible_due: 600.00, fund_pays: 1234.56}}\n"), "-r", "qin").stdout
    assert "No single change explains all charged amounts." in text
    assert "Explains this amount but not the others" in text


def test_a_figure_of_the_bill_is_no_cause(tmp_path: Path) -> None:
    """A deductible of 333 stands nowhere in the rules: what was reckoned with is told, but called no cause."""
    x, _ = audited(tmp_path, "{deductible_due: 333.00, fund_pays: 9183.65}")
    assert x["causes"] == []
    assert [o["kind"] for o in x["others"] if o["explains_all"]] == ["fitted"]


def test_another_rulebook(tmp_path: Path) -> None:
    """`--against` tries a rulebook given; of the same name every version is tried without being asked for."""
    rules = tmp_path / "rules"
    rules.mkdir()
    text = (ROOT / "rulebooks" / "qin" / "rulebook.yaml").read_text(encoding="utf-8")
    text = (
        text.replace("county: 200,", "county: 237,").replace("rulebook: qin", "rulebook: qin-new").replace("95%", "93%")
    )
    (rules / "rulebook.yaml").write_text(text, encoding="utf-8")
    (rules / "tables").mkdir()
    (rules / "tables" / "procurement.csv").write_bytes(
        (ROOT / "rulebooks" / "qin" / "tables" / "procurement.csv").read_bytes()
    )
    charged = "{deductible_due: 237.00, fund_pays: 9079.59}"  # (10,000 - 237) x 93% = 9,079.59
    assert audited(tmp_path, charged)[0]["causes"] == []
    x, _ = audited(tmp_path, charged, "--against", str(rules))
    assert [(c["kind"], c["name"]) for c in x["causes"]] == [("rulebook", str(rules))]
    assert "under “qin-new 2019.1”" in x["causes"][0]["sentence"], "no path of this machine"


def test_one_charged_amount_is_little_proof(tmp_path: Path) -> None:
    """Where only one amount is charged the text says so."""
    text = run(bill(tmp_path, f"{COUNTY}charged: {{fund_pays: 8930.00}}\n"), "-r", "qin").stdout
    assert "Only one amount is charged" in " ".join(text.split())


# ---- findings ----

FINDINGS = """
episode: {episode_id: L2, discharge_date: 2025-06-30, total: 790.00}
lines:
  - {line_no: 1, code: A01, class: A, quantity: 10, unit_price: 12.50, amount: 125.00}
  - {line_no: 2, code: A03, class: A, quantity: 1, unit_price: 65.00, amount: 65.00}
  - {line_no: 3, code: CT-01, class: A, quantity: 1, unit_price: 250.00, amount: 250.00}
  - {line_no: 4, code: CT-01, class: A, quantity: 1, unit_price: 250.00, amount: 250.00}
  - {line_no: 5, code: C09, class: C, quantity: 1, unit_price: 100.00, amount: 100.00}
"""


def test_findings_follow(tmp_path: Path) -> None:
    """Above the purchase price (10 x 2.50), above the ceiling (65 - 40), the same examination twice, outside the catalogue without consent."""
    x, result = audited(tmp_path, "{fund_pays: 586.50}", episode=FINDINGS, rulebook=LINES)  # (790 - 100) x 85%
    assert [(c["check"], c["amount"]) for c in x["checks"]] == [
        ("above_purchase", "25.00"), ("above_ceiling", "25.00"), ("examined_twice", "250.00"), ("no_consent", "100.00"),
    ]  # fmt: skip
    assert x["amounts"][0]["verdict"] == "equal"
    assert result.return_value == 1, "a finding of severity error"


# ---- mistakes in the file ----


def test_nothing_charged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `charged:` a section to fill in is printed, and the exit code is 2."""
    with pytest.raises(Failure) as failure:
        run(bill(tmp_path, COUNTY), "-r", "qin")
    assert failure.value.exit_code == 2


def test_unknown_name(tmp_path: Path) -> None:
    """A name that is no result: the nearest one, exit code 2; a field of the bill is said to be one."""
    result = run(bill(tmp_path, f"{COUNTY}charged: {{deductible_duo: 1.00, total_cost: 5}}\n"), "-r", "qin")
    assert result.return_value == 2
    assert "did you mean `deductible_due`?" in result.stderr
    assert "`total_cost` is a field of the bill" in result.stderr


@pytest.mark.parametrize(
    ("charged", "told"),
    [
        ("{lines: {4: {excess: 1.00}}}", "`4` is no row of `lines` of this bill"),
        ("{rows: {4: {excess: 1.00}}}", "`rows` is no list of this rulebook"),
        ("{fund_pays: 1.2.3}", "fund_pays"),
        ('{fund_pays: ""}', "no amount is charged for `fund_pays`"),
        ("{起付线: 1.00, deductible_due: 1.00}", "`charged:` gives `deductible_due` twice"),
    ],
)
def test_mistakes(charged: str, told: str, tmp_path: Path) -> None:
    """Each mistake under `charged:` is told at its place."""
    result = run(bill(tmp_path, f"{COUNTY}charged: {charged}\n"), "-r", "qin")
    assert result.return_value == 2
    assert told in result.stderr


def test_a_missing_field(tmp_path: Path) -> None:
    """What the bill lacks is named, with a template."""
    result = run(bill(tmp_path, "episode: {episode_id: Q1, person_id: P1}\ncharged: {fund_pays: 1.00}\n"), "-r", "qin")
    assert result.return_value == 1
    assert "The episode lacks: level, admission_date" in result.stderr


def test_a_refused_bill(tmp_path: Path) -> None:
    """A bill that the rules refuse: why is said, what could not be computed is called so."""
    episode = COUNTY.replace("discharge_date: 2025-03-10", "discharge_date: 2025-02-10")
    x, result = audited(tmp_path, "{fund_pays: 9310.00}", episode=episode)
    assert x["problem"]["code"] == "RX722"
    assert x["amounts"][0]["verdict"] == "absent"
    assert result.return_value == 1


@pytest.mark.parametrize("tolerance", ["-0.01", "x", "1%"])
def test_bad_tolerance(tolerance: str, tmp_path: Path) -> None:
    """A tolerance is an amount, not below zero."""
    with pytest.raises(Failure):
        run(bill(tmp_path, f"{COUNTY}charged: {{fund_pays: 1}}\n"), "-r", "qin", "--tolerance", tolerance)


# ---- formats ----


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("columns", [80])
def test_text_keeps_to_the_width(language: str, columns: int) -> None:
    """No line is wider than the terminal, Chinese characters counted double."""
    from rxcalc.report.layout import width

    text = run(str(ROOT / "docs" / "bills" / "qin-charged.yaml"), "--lang", language).stdout
    assert max(width(line) for line in text.splitlines()) <= columns


def test_the_letter(tmp_path: Path) -> None:
    """The letter has places to fill in, the table, the rule with its source, the cause as a question, and its status."""
    for language, wanted in {
        "en": ("[Signature]", "| Deductible | 600.00 | 200.00 | +400.00 |", "One possible explanation:", "fictional values",
               "County", "line 13 (S-02 and S-03)", "mark-up is allowed"),
        "zh": ("[签名]", "| 起付线 | 600.00 | 200.00 | +400.00 |", "一种可能的解释：", "虚构数值", "违反零差率"),
    }.items():  # fmt: skip
        file = tmp_path / f"{language}.md"
        result = run(str(ROOT / "docs" / "bills" / "qin-charged.yaml"), "--lang", language, "--letter", str(file))
        letter = file.read_text(encoding="utf-8")
        assert result.return_value == 1
        for text in wanted:
            assert text in letter, text


def test_the_letter_never_names_one_of_several(tmp_path: Path) -> None:
    """Where equally plausible things explain the amounts, all are asked for."""
    episode = COUNTY.replace("county", "city").replace("referred: yes", "referred: no")
    file = tmp_path / "letter.md"
    run(
        bill(tmp_path, f"{episode}charged: {{fund_pays: 9120.00, patient_pays: 880.00}}\n"),
        "-r",
        "qin",
        "--lang",
        "en",
        "--letter",
        str(file),
    )
    letter = file.read_text(encoding="utf-8")
    assert "Several things would each explain" in letter
    assert "“Referred”: yes" in letter
    assert "“Emergency”: yes" in letter


def test_the_letter_for_a_right_bill(tmp_path: Path) -> None:
    """There is nothing to object to: no letter is written, and that is said."""
    file = tmp_path / "letter.md"
    result = run(
        bill(tmp_path, f"{COUNTY}charged: {{fund_pays: 9310.00}}\n"), "-r", "qin", "--lang", "en", "--letter", str(file)
    )
    assert "nothing to object to" in result.stderr
    assert not file.exists()


def test_the_letter_is_not_written_over_the_bill(tmp_path: Path) -> None:
    """No file that is read is written."""
    file = bill(tmp_path, f"{COUNTY}charged: {{fund_pays: 9300.00}}\n")
    with pytest.raises(Failure):
        run(file, "-r", "qin", "--letter", file)


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """What a bill says is escaped in Markdown."""
    episode = COUNTY.replace("episode_id: Q1", 'episode_id: "<script>|`x`"')
    file = tmp_path / "letter.md"
    result = run(
        bill(tmp_path, f"{episode}charged: {{fund_pays: 1}}\n"), "-r", "qin", "--format", "md", "--letter", str(file)
    )
    for text in (result.stdout, file.read_text(encoding="utf-8")):
        assert "<script>" not in text
        assert "\\<script\\>\\|\\`x\\`" in text


def test_earlier_bills_keep_their_amounts(tmp_path: Path) -> None:
    """A change of the rules is tried for the bill alone, and for the earlier ones too."""
    entry = """
earlier:
  - episode: {episode_id: B2, person_id: P1, person_class: retired, level: level_2, discharge_date: 2025-01-20, total: 82000.00, in_scope: 78000.00}
episode: {episode_id: B3, person_id: P1, person_class: retired, level: level_3, discharge_date: 2025-06-30, total: 99000.00, in_scope: 91234.56}
"""
    x, _ = audited(tmp_path, "{deductible_due: 1300.00}", episode=entry, rulebook="beijing-employee")
    assert any(c["kind"] == "earlier_left_out" and c["name"] == "B2" for c in x["causes"])
    assert {c["throughout"] for c in [*x["causes"], *x["others"]]} == {False}


def test_long_lists_are_tried_in_part(tmp_path: Path) -> None:
    """Of a long list the report says that not every field was tried; a row left out is still found."""
    rows = [
        f"{{line_no: {n}, code: X{n}, class: A, quantity: 1, unit_price: {n}.10, amount: {n}.10}}" for n in range(1, 71)
    ]
    total = sum(range(1, 71)) + 7  # 70 times 0.10
    episode = (
        f"episode: {{episode_id: L3, discharge_date: 2025-06-30, total: {total}.00}}\nlines: [{', '.join(rows)}]\n"
    )
    charged = (
        "{fund_pays: 2084.12, patient_pays: 367.78}"  # without row 40: (2,492.00 - 40.10) x 85% = 2,084.115 -> 2,084.12
    )
    x, _ = audited(tmp_path, charged, episode=episode, rulebook=LINES)
    assert x["search"]["in_part"] == ["lines"]
    assert [(c["kind"], c["row"]) for c in x["causes"]] == [("row_left_out", "40")]
    assert x["search"]["by_kind"]["row_left_out"] == 70
    text = run(bill(tmp_path, f"{episode}charged: {charged}\n"), "-r", LINES, "--lang", "en").stdout
    assert "Of the 70 rows of “Line” not every field was tried" in " ".join(text.split())


def test_a_rulebook_that_cannot_read_the_bill(tmp_path: Path) -> None:
    """It is named with the reason, and counts as nothing."""
    x, _ = audited(tmp_path, "{fund_pays: 1.00}", "--against", "beijing-employee")
    assert [n["rulebook"] for n in x["search"]["not_readable"]] == ["beijing-employee"]
    assert "rulebook" not in x["search"]["by_kind"]
