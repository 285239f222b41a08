"""`rxcalc explain` from outside: amounts, text, JSON, exit codes, hostile use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

BILLS = Path(__file__).parents[2] / "docs" / "bills"


def run(*args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [*args], input=stdin, catch_exceptions=False, standalone_mode=False)


def explained(*args: str) -> dict[str, object]:
    result = run("explain", *args, "--format", "json")
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


# From the source's deductibles 0/200/400/600 and 95% above: (10,000 - d) x 95%, the patient the rest.
@pytest.mark.parametrize(
    ("bill", "deductible", "fund", "patient"),
    [
        ("qin-town", "0.00", "9500.00", "500.00"),
        ("qin-county", "200.00", "9310.00", "690.00"),
        ("qin-city", "400.00", "9120.00", "880.00"),
        ("qin-province", "600.00", "8930.00", "1070.00"),
    ],
)
def test_four_qin_bills(bill: str, deductible: str, fund: str, patient: str) -> None:
    """The four bills of 10,000.00 give the amounts that the source's figures give by hand."""
    x = explained(str(BILLS / f"{bill}.yaml"))
    steps = {s["name"]: s for s in x["steps"]}  # type: ignore[union-attr, index]
    assert steps["deductible_due"]["value"] == deductible
    assert x["totals"] == {"fund_pays": fund, "patient_pays": patient}


def test_beijing_check_case() -> None:
    """The recorded settlement comes out as far as one rounding place can bring it (domain notes, section 6)."""
    x = explained(str(BILLS / "beijing-check.yaml"))
    steps = {s["name"]: s for s in x["steps"]}  # type: ignore[union-attr, index]
    parts = {(p["bearer"], p["part"]): p["amount"] for p in x["shares"]}  # type: ignore[union-attr, index]
    assert steps["pool_pays"]["value"] == "91759.51"
    assert steps["cost_used"]["exact"] == "9445101/97"
    assert steps["cost_used"]["value"] == "97372.18"
    assert parts["patient", "coinsurance"] == "4962.67"
    assert parts["fund", "large_amount"] == "53631.71"
    assert parts["patient", "large_amount_own"] == "13407.92"
    assert x["totals"]["patient_pays"] == "43694.63"  # type: ignore[index]


def test_every_step_tells_its_story() -> None:
    """Each step of the text carries label, formula, figures and citation; each bearer stands below."""
    text = " ".join(run("explain", str(BILLS / "qin-county.yaml")).stdout.split())
    assert "Deductible, County [deductible_due] 200.00" in text
    assert "formula above_deductible * rate" in text
    assert "figures 9,800.00 * 95%" in text
    assert (
        "deductible[county] = 200.00 (since 2019-01-01, fictional) source Official Ladder, line 13 (S-02 and S-03)"
        in text
    )
    assert "Who bears each yuan of 10,000.00" in text
    assert "FICTIONAL" in text


def test_text_fits_eighty_columns_in_both_languages() -> None:
    """No line is wider than 80 terminal columns, Chinese characters counted double."""
    from rxcalc.report.layout import width

    for bill in ("qin-city", "beijing-check"):
        for language in ("en", "zh"):
            for detail in ("brief", "steps", "full"):
                text = run("explain", str(BILLS / f"{bill}.yaml"), "--lang", language, "--detail", detail).stdout
                assert max(width(line) for line in text.splitlines()) <= 80, (bill, language, detail)


def test_json_amounts_are_plain_strings() -> None:
    """Amounts in JSON are strings of plain decimals with the currency's digits."""
    x = explained(str(BILLS / "beijing-check.yaml"))
    for part in x["shares"]:  # type: ignore[union-attr]
        whole, _, cents = part["amount"].partition(".")  # type: ignore[index]
        assert whole.isdigit()
        assert len(cents) == 2
    assert x["episode"]["total"] == "189085.85"  # type: ignore[index]
    assert x["format"] == 1
    assert {"rulebook", "steps", "shares", "totals", "checks", "windows", "assumptions", "not_applied"} <= x.keys()


def test_window_calls_without_opening_are_assumptions(tmp_path: Path) -> None:
    """A window call that `so_far` does not give counts as nothing before, and is listed."""
    bill = tmp_path / "bill.yaml"
    bill.write_text(
        "rulebook: beijing-employee\n"
        "episode: {episode_id: E, person_id: P, person_class: active, level: level_2, discharge_date: 2025-05-05,"
        " total: 2000.00, in_scope: 2000.00}\n"
        'so_far: {"this_year.count()": 1}\n'
    )
    x = explained(str(bill))
    assert "this_year.sum(pool_pays)" in x["assumptions"]  # type: ignore[operator]
    assert "this_year.count()" not in x["assumptions"]  # type: ignore[operator]
    steps = {s["name"]: s["value"] for s in x["steps"]}  # type: ignore[union-attr, index]
    assert steps["deductible_due"] == "650.00"
    assert steps["pool_pays"] == "1174.50"  # (2,000 - 650) x 87%


def test_earlier_episodes_are_computed_first(tmp_path: Path) -> None:
    """`earlier:` episodes stand in the windows as computed, whatever their order in the file."""
    bill = tmp_path / "bill.yaml"
    fields = "person_id: P, person_class: active, level: level_3, total: 20000.00, in_scope: 20000.00"
    bill.write_text(
        "rulebook: beijing-employee\n"
        f"episode: {{episode_id: E3, {fields}, discharge_date: 2025-09-01}}\n"
        f"earlier:\n  - episode: {{episode_id: E2, {fields}, discharge_date: 2025-05-01}}\n"
        f"  - episode: {{episode_id: E1, {fields}, discharge_date: 2025-02-01}}\n"
    )
    x = explained(str(bill))
    windows = {w["call"]: w for w in x["windows"]}  # type: ignore[union-attr, index]
    assert windows["this_year.count()"]["value"] == "2"
    # (20,000 - 1,300) x 85% + (20,000 - 650) x 85% = 15,895.00 + 16,447.50
    assert windows["this_year.sum(pool_pays)"]["value"] == "32342.50"
    assert windows["this_year.sum(pool_pays)"]["episodes"] == ["E1", "E2"]


def test_refused_episode_exits_with_one() -> None:
    """A bill that breaks a requirement is refused with its figures, exit code 1, and no shares."""
    result = run("explain", str(BILLS / "qin-county.yaml"), "--set", "discharge_date=2025-03-01", "--format", "json")
    x = json.loads(result.stdout)
    assert result.return_value == 1
    assert x["problem"]["code"] == "RX722"
    assert "2025-03-01" in x["problem"]["value"]
    assert x["shares"] == []


def test_missing_input_prints_a_template(tmp_path: Path) -> None:
    """A missing input is named, and a template to fill in follows; exit code 1."""
    bill = tmp_path / "bill.yaml"
    bill.write_text("episode: {episode_id: E1, level: county}\n")
    result = run("explain", str(bill), "-r", "qin")
    assert result.return_value == 1
    assert result.stdout == ""
    assert "total_cost" in result.stderr
    assert "  total_cost:    # Total cost; e.g. 1234.50; required" in result.stderr
    assert "  level: county    # Hospital level; town or county or city or province; required" in result.stderr


def test_values_set_by_hand_are_marked() -> None:
    """`--set` is used in place of the file's value and said to be set by hand."""
    text = run("explain", str(BILLS / "qin-city.yaml"), "--set", "referred=no").stdout
    assert "7,296.00" in text  # 9,600 x 95% x 80%
    assert "referred: set by hand" in text


def test_episode_from_standard_input() -> None:
    """`-` reads the episode from standard input."""
    result = run("explain", "-", "--format", "json", stdin=(BILLS / "qin-town.yaml").read_text(encoding="utf-8"))
    assert json.loads(result.stdout)["totals"]["fund_pays"] == "9500.00"


def test_json_episode_file(tmp_path: Path) -> None:
    """An episode may be JSON; numbers are read as written."""
    bill = tmp_path / "bill.json"
    bill.write_text(
        json.dumps({"episode": {"episode_id": "E", "person_id": "P", "level": "county", "admission_date": "2025-01-01",
                                "discharge_date": "2025-01-02", "total_cost": 10000.10, "referred": True, "emergency": False}})
    )  # fmt: skip
    assert explained(str(bill), "-r", "qin")["totals"]["fund_pays"] == "9310.10"  # type: ignore[index]  # 9,800.10 x 95% = 9,310.095


def test_output_file_appears_whole(tmp_path: Path) -> None:
    """`-o` writes the result to a file, prints nothing and says on stderr that the file is written."""
    target = tmp_path / "out.txt"
    result = run("explain", str(BILLS / "qin-town.yaml"), "-o", str(target))
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == f"wrote {target}"
    assert "9,500.00" in target.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.parametrize(
    "args",
    [
        ("explain", "nowhere.yaml", "-r", "qin"),
        ("explain", str(BILLS / "qin-town.yaml"), "-r", "qinn"),
        ("explain", str(BILLS / "qin-town.yaml"), "-r", str(BILLS / "qin-town.yaml")),
        ("explain", str(BILLS / "qin-month.csv"), "-r", "qin"),
        ("explain", str(BILLS / "qin-town.yaml"), "-o", "/nowhere/at/all.txt"),
        ("explain", str(BILLS / "qin-town.yaml"), "--set", "level"),
        ("explain", str(BILLS / "qin-town.yaml"), "-r", "qin", "-r", "dian"),
        ("explain", str(BILLS), "-r", "qin"),
    ],
)
def test_what_cannot_run_exits_with_two(args: tuple[str, ...]) -> None:
    """Bad usage and unreadable files end with exit code 2, a message and no traceback."""
    import click

    with pytest.raises(click.ClickException) as caught:
        run(*args)
    assert caught.value.exit_code == 2
    assert caught.value.message


BEIJING = "person_class: active, level: level_3, total: 100.00, in_scope: 100.00"


@pytest.mark.parametrize(
    ("earlier", "code"),
    [
        ("episode_id: E1, person_id: OTHER, discharge_date: 2025-01-20", "RX756"),
        ("episode_id: E2, person_id: P1, discharge_date: 2025-01-20", "RX756"),
        ("episode_id: E1, person_id: P1, discharge_date: 2025-07-20", "RX756"),
    ],
    ids=["another person", "the same id", "after the bill"],
)
def test_an_earlier_episode_must_be_one(earlier: str, code: str, tmp_path: Path) -> None:
    """An `earlier:` episode of another person, of the same id or after the bill is refused, never counted for something."""
    bill = tmp_path / "bill.yaml"
    bill.write_text(
        f"episode: {{episode_id: E2, person_id: P1, discharge_date: 2025-06-30, {BEIJING}}}\n"
        f"earlier:\n  - episode: {{{earlier}, {BEIJING}}}\n"
    )
    result = run("explain", str(bill), "-r", "beijing-employee")
    assert result.return_value == 1
    assert code in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "so_far",
    [
        '"this_year.count()": 1.5',
        '"this_year.count()": -1',
        '"this_year.sum(pool_pays)": -5',
        '"this_year.sum(nothing)": 5',
    ],
)
def test_opening_amounts_are_checked(so_far: str, tmp_path: Path) -> None:
    """A count that is not whole, a negative sum that cannot be, and an unknown call are refused."""
    bill = tmp_path / "bill.yaml"
    bill.write_text(
        f"episode: {{episode_id: E2, person_id: P1, discharge_date: 2025-06-30, {BEIJING}}}\nso_far: {{{so_far}}}\n"
    )
    result = run("explain", str(bill), "-r", "beijing-employee")
    assert result.return_value == 1
    assert "RX75" in result.stderr


def test_lists_are_not_values(tmp_path: Path) -> None:
    """A field written as a list is refused, not taken for its only element."""
    bill = tmp_path / "bill.yaml"
    text = (BILLS / "qin-town.yaml").read_text(encoding="utf-8").replace("10000.00", "[5]")
    bill.write_text(text, encoding="utf-8")
    result = run("explain", str(bill))
    assert result.return_value == 1
    assert "`total_cost` is written as a list" in result.stderr


@pytest.mark.parametrize("content", ["", "\n\n", "episode_id: E1\nlevel: county\n"])
def test_what_is_no_episode_file_gets_a_template(content: str, tmp_path: Path) -> None:
    """An empty file and fields without `episode:` are answered with a template to fill in; exit code 2."""
    import click

    bill = tmp_path / "bill.yaml"
    bill.write_text(content)
    runner = CliRunner()
    result = runner.invoke(cli, ["explain", str(bill), "-r", "qin"], standalone_mode=False)
    assert isinstance(result.exception, click.ClickException)
    assert result.exception.exit_code == 2
    assert "  total_cost:    # Total cost; e.g. 1234.50; required" in result.stderr


def test_mapped_rates_show_the_parameters_they_read() -> None:
    """The share of 60% that turns 85% into 91% stands in the text, so that the rate can be redone."""
    text = " ".join(run("explain", str(BILLS / "beijing-check.yaml")).stdout.split())
    assert "retiree_share = 60%" in text
    assert "(from 85%)" in text


def test_parts_show_their_working() -> None:
    """Every part of the shares shows its formula with figures, the rest what the others leave."""
    text = " ".join(run("explain", str(BILLS / "qin-county.yaml")).stdout.split())
    assert "= what is left: 10,000.00 - 9,310.00 - 200.00 - 0.00" in text


def test_a_part_of_a_group_is_asked_for_only_where_it_is_read(tmp_path: Path) -> None:
    """A bill without bad debt does not need its part of the yearly cover; one beyond recovery is refused, and told why."""
    bill = (BILLS / "dian-discharge.yaml").read_text(encoding="utf-8").rstrip()
    assert run("explain", str(BILLS / "dian-discharge.yaml")).exit_code == 0
    lost = ["--set", "unrecoverable=yes", "--set", "default_date=2025-06-01", "--set", "paid_at_discharge=0"]
    of_year = tmp_path / "bill.yaml"
    of_year.write_text(f"{bill}\ngroups: {{bad_debt_year: {{not_covered: 0.00}}}}\n", encoding="utf-8")
    covered = run("explain", str(of_year), *lost, "--format", "json")
    # (20,000.00 - 200.00) x 5% + 200.00 = 1,190.00; half of it is waived, the other half is covered
    assert {s["name"]: s["value"] for s in json.loads(covered.stdout)["steps"]}["covered"] == "595.00"
    of_year.write_text(f"{bill}\ngroups: {{bad_debt_year: {{not_covered: 5.00}}}}\n", encoding="utf-8")
    refused = run("explain", str(of_year), *lost)
    assert refused.return_value == 1
    assert "RX821: `cover_part` is a part of what group `bad_debt_year` gives" in " ".join(refused.stdout.split())
