"""`rxcalc diff OLD NEW EPISODES --attribute` from outside, on bills computed by hand."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from books import write
from click.testing import CliRunner

import rxcalc
from rxcalc.cli.main import cli

HEAD = "episode_id,person_id,discharge_date,level,total,age\n"


def attributed(folder: Path, bills: str, *changes: tuple[str, str], table: str | None = None) -> dict[str, Any]:
    path = folder / "bills.csv"
    path.write_text(HEAD + bills, encoding="utf-8")
    old = write(folder / "old")
    new = write(folder / "new", *changes, **({"table": table} if table is not None else {}))
    args = ["diff", str(old), str(new), str(path), "--attribute", "--format", "json"]
    result = CliRunner().invoke(cli, args, standalone_mode=False, catch_exceptions=False)
    found = json.loads(result.stdout)
    whole = found["totals"]["patient_pays"]["moved"]
    parts = found["attribution"]
    told = [c["moved"] for c in parts["changes"]] + [i["beyond_their_sum"] for i in parts["interactions"]]
    assert round(sum(map(float, told)), 2) == float(whole)
    assert parts["bills"] == parts["by_one_change"] + parts["by_several_that_add_up"] + parts["interacting"]
    assert isinstance(parts, dict)
    return parts


def effects(parts: dict[str, Any]) -> dict[str, tuple[int, int, str]]:
    return {c["change"]: (c["bills"], c["alone"], c["moved"]) for c in parts["changes"]}


RATE = ("2024-01-01: 80%", "2024-01-01: 75%")
DEDUCTIBLE = ("2024-01-01: {city: 500, county: 300}", "2024-01-01: {city: 600, county: 300}")
YOUNG = ("base_amount * 85%", "base_amount * 88%")


def test_each_change_on_its_own_bills(tmp_path: Path) -> None:
    """A bill of a child in a county, one of an adult there: each is moved by one change.

    Child: 1300 - 300 = 1000, 85% 850 -> 88% 880: patient 450 -> 420. Adult: 80% 800 -> 75% 750: patient 500 -> 550.
    """
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,10\nE2,B,2024-03-01,county,1300.00,40\nE3,C,2024-03-01,county,100.00,40\n",
        RATE, YOUNG, ("¥50000", "¥60000"),
    )  # fmt: skip
    assert effects(parts) == {
        "step fund_amount: clause 2": (1, 1, "-30.00"),
        "step fund_amount: clause 3": (0, 0, "0.00"),
        "parameter rate": (1, 1, "50.00"),
    }
    assert (parts["bills"], parts["by_one_change"], parts["interactions"]) == (2, 2, [])


def test_interaction_is_shown_as_such(tmp_path: Path) -> None:
    """A rate and a deductible on one bill.

    City, 2500: fund (2500 - 500) * 80% = 1600. The rate alone: 1500, +100. The deductible alone: 1900 * 80% = 1520, +80. Both:
    1900 * 75% = 1425, +175: 5 less than the sum.
    """
    parts = attributed(tmp_path, "E1,A,2024-03-01,city,2500.00,40\n", RATE, DEDUCTIBLE)
    assert effects(parts) == {"parameter deductible": (1, 0, "80.00"), "parameter rate": (1, 0, "100.00")}
    assert parts["interactions"] == [
        {"changes": ["parameter deductible", "parameter rate"], "bills": 1, "beyond_their_sum": "-5.00"}
    ]


def test_changes_that_add_up(tmp_path: Path) -> None:
    """A part of the deductible and the fund's rate of another person: nothing is lost in the sum, no interaction.

    County, 75 years, 1300: fund 900. Banded and table results are outputs too: a table row moves its own output only, so the
    bill is moved by two changes while the amount is moved by one.
    """
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,75\n",
        ("base_amount * 90%", "base_amount * 95%"),
        table="level,added\ncity,10\ncounty,30\n",
    )
    assert effects(parts) == {"table extra": (1, 0, "0.00"), "step fund_amount": (1, 0, "-50.00")}
    assert (parts["by_several_that_add_up"], parts["interacting"]) == (1, 0)


def test_a_change_that_moves_nothing_says_so(tmp_path: Path) -> None:
    """A deductible of the city, bills of the county."""
    path = tmp_path / "bills.csv"
    path.write_text(HEAD + "E1,A,2024-03-01,county,1300.00,40\n", encoding="utf-8")
    old, new = write(tmp_path / "old"), write(tmp_path / "new", RATE, DEDUCTIBLE, ("total > ¥100000", "total > ¥1"))
    args = ["diff", str(old), str(new), str(path), "--attribute", "--lang", "en"]
    text = CliRunner().invoke(cli, args, standalone_mode=False).stdout
    assert "parameter deductible: this change moved no row\n" in text
    assert "check large: this change moved no row" in text
    assert "parameter rate: this change moved no row" not in text


def test_no_bill_moves_at_all(tmp_path: Path) -> None:
    """Every change says so."""
    path = tmp_path / "bills.csv"
    path.write_text(HEAD + "E1,A,2024-03-01,county,1300.00,80\n", encoding="utf-8")
    old, new = write(tmp_path / "old"), write(tmp_path / "new", RATE, DEDUCTIBLE)
    args = ["diff", str(old), str(new), str(path), "--attribute", "--lang", "en"]
    text = CliRunner().invoke(cli, args, standalone_mode=False).stdout
    assert (
        "no bill comes out otherwise\n\nparameter deductible: this change moved no row\nparameter rate: this change moved no row\n"
        in text
    )


def test_other_column_names_and_cells(tmp_path: Path) -> None:
    """Chinese headers, one of them by `--columns`, a full-width figure, an empty age (40 by default), a record that nobody can read.

    Adult in a county, 1300: fund 800 -> 750.
    """
    path, columns = tmp_path / "bills.csv", tmp_path / "map.yaml"
    path.write_text(
        '编号,人员,discharge_date,level,total,age\nE1,A,2024年3月1日,县级,"１,300.00",\nE2,A,2024-03-02,县级,much,\n',
        encoding="gb18030",
    )
    columns.write_text("episode_id: 编号\nperson_id: 人员\n", encoding="utf-8")
    old, new = write(tmp_path / "old"), write(tmp_path / "new", RATE)
    args = [
        "diff",
        str(old),
        str(new),
        str(path),
        "--attribute",
        "--format",
        "json",
        "--columns",
        str(columns),
        "--by",
        "level",
    ]
    found = json.loads(CliRunner().invoke(cli, args, standalone_mode=False, catch_exceptions=False).stdout)
    assert effects(found["attribution"]) == {"parameter rate": (1, 1, "50.00")}
    assert found["bills"] == {"read": 2, "both": 1, "unchanged": 0, "changed": 1, "rejected_by_both": 1}


def test_bills_with_lines(tmp_path: Path) -> None:
    """Lists and their files: the month of docs/bills by the rules of Sanming, with a county rate of 72% for 75%.

    M-03 is its one stay of an employee in a county's hospital paid by item: lines 2,800.00 + 260.00, less 300.00 deductible, are
    2,760.00; 75% of it is 2,070.00, 72% 1,987.20.
    """
    root = Path(__file__).parents[2]
    shutil.copytree(root / "rulebooks", tmp_path / "books")
    path = tmp_path / "books" / "sanming" / "rulebook.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count("active: {grassroots: 78%, county: 75%") == 1
    path.write_text(text.replace("grassroots: 78%, county: 75%", "grassroots: 78%, county: 72%"), encoding="utf-8")
    bills = root / "docs" / "bills"
    args = [
        "diff",
        "sanming",
        str(path),
        str(bills / "sanming-month.csv"),
        "--lines",
        str(bills / "sanming-month-lines.csv"),
    ]
    result = CliRunner().invoke(
        cli, [*args, "--attribute", "--format", "json"], standalone_mode=False, catch_exceptions=False
    )
    assert effects(json.loads(result.stdout)["attribution"]) == {"parameter rate": (1, 1, "82.80")}


def test_refusals(tmp_path: Path) -> None:
    """A stricter condition refuses one, which a rate would have moved besides."""
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,105\nE2,B,2024-03-01,county,1300.00,40\n",
        RATE, ("age < 110", "age < 100"),
    )  # fmt: skip
    found = {c["change"]: (c["bills"], c["alone"], c["rejects"]) for c in parts["changes"]}
    assert found == {"parameter rate": (1, 1, 0), "requires": (1, 1, 1)}


def test_something_new_comes_with_what_reads_it(tmp_path: Path) -> None:
    """A parameter that only the new rulebook has: the step that reads it is the change, the parameter comes along.

    County, 75 years, 1300: 1000 * 90% = 900 -> 92% 920.
    """
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,75\n",
        ("  rate: {type", "  old_rate: {type: percent, values: {2024-01-01: 92%}}\n  rate: {type"),
        ("base_amount * 90%", "base_amount * old_rate"),
    )
    assert effects(parts) == {"step fund_amount": (1, 1, "-20.00")}
    assert parts["changes"][0]["along"] == ["parameter old_rate"]


def test_what_goes_away_goes_with_what_read_it(tmp_path: Path) -> None:
    """A step folded into another: nothing moves, and nothing fails."""
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,75\n",
        ("  paid_before: this_year.sum(fund_amount)\n", ""),
        ("when paid_before >", "when this_year.sum(fund_amount) >"),
    )
    assert (parts["bills"], effects(parts).keys()) == (0, {"step paid_before", "step fund_amount"})


def test_earlier_bills_of_the_same_person_are_run_again_too(tmp_path: Path) -> None:
    """A limit on what the fund has paid before in the year: only the second bill moves, but the first one counts.

    City, 70,500: (70,500 - 500) * 80% = 56,000, over 50,000; the second bill of the year gets 0, under a limit of 60,000
    (2500 - 500) * 80% = 1600. The next year's bill does not count.
    """
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,city,70500.00,40\nE2,A,2024-04-01,city,2500.00,40\nE3,B,2024-04-01,city,2500.00,40\n",
        ("¥50000", "¥60000"),
    )
    assert effects(parts) == {"step fund_amount": (1, 1, "-1600.00")}


@pytest.mark.parametrize(
    "pair",
    [("shanghai-employee@2017", "shanghai-employee@2024"), pytest.param(("qin", "dian"), marks=pytest.mark.long)],
)
def test_whole_versions(tmp_path: Path, pair: tuple[str, str]) -> None:
    """Rulebooks that differ in nearly everything: every bill is accounted for."""
    bills = tmp_path / "bills.csv"
    made = CliRunner().invoke(
        cli, ["sample", pair[1], "-n", "60", "--seed", "3", "-o", str(bills)], standalone_mode=False
    )
    assert made.exception is None, made.output
    args = ["diff", *pair, str(bills), "--attribute", "--format", "json"]
    result = CliRunner().invoke(cli, args)
    if result.exit_code == 2:  # the older version asks for a column that the file of the newer one has not
        assert "column" in result.stderr
        return
    parts = json.loads(result.stdout)["attribution"]
    assert parts["bills"] == parts["by_one_change"] + parts["by_several_that_add_up"] + parts["interacting"]


def test_only_bills_that_moved_are_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 bills of as many persons 3 are of children; one of these has a further bill, which comes along."""
    from rxcalc.driver import diff_attribute

    read: list[int] = []
    run_side = diff_attribute.run_side

    def counted(*args: Any, **named: Any) -> Any:
        run = run_side(*args, **named)
        read.append(run.read)
        return run

    monkeypatch.setattr(diff_attribute, "run_side", counted)
    bills = "".join(f"E{n},P{n},2024-03-01,county,1300.00,{10 if n % 90 == 5 else 40}\n" for n in range(200))
    parts = attributed(tmp_path, bills + "F,P5,2024-04-01,county,200.00,10\n", YOUNG, ("¥50000", "¥60000"))
    assert (parts["bills"], effects(parts)["step fund_amount: clause 2"]) == (3, (3, 3, "-90.00"))
    assert read == [4, 4]


def test_every_bill_that_moved_in_a_file(tmp_path: Path) -> None:
    """The two bills of the interaction and of the child, and one that is refused.

    City, 2500: 900 -> 1075: the rate 100, the deductible 80, 5 less than both. County, child, 1300: 450 -> 420.
    """
    bills = "E1,A,2024-03-01,city,2500.00,40\nE2,B,2024-03-01,county,1300.00,10\nE3,C,2024-03-01,county,1300.00,105\n"
    out = tmp_path / "moved.csv"
    path = tmp_path / "bills.csv"
    path.write_text(HEAD + bills, encoding="utf-8")
    old = write(tmp_path / "old")
    new = write(tmp_path / "new", RATE, DEDUCTIBLE, YOUNG, ("age < 110", "age < 100"))
    words = ["diff", str(old), str(new), str(path), "--moved-out", str(out)]
    CliRunner().invoke(cli, [*words, "--attribute"], standalone_mode=False, catch_exceptions=False)
    assert out.read_text(encoding="utf-8").splitlines() == [
        "episode_id,outcome,amount,old,new,moved,by,changes,beyond_their_sum",
        "E1,changed,patient_pays,900.00,1075.00,175.00,interacting,parameter deductible +80.00; parameter rate +100.00,-5.00",
        "E2,changed,patient_pays,450.00,420.00,-30.00,one,step fund_amount -30.00,0.00",
        "E3,newly_rejected,patient_pays,400.00,,,one,requires,",
    ]
    CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert out.read_text(encoding="utf-8").splitlines()[1] == "E1,changed,patient_pays,900.00,1075.00,175.00"
    result = CliRunner().invoke(cli, [*words[:-1], str(path)])
    assert (result.exit_code, "it is one of the files read" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        # Rows of a table, one by one: 1 yuan more in the city, 10 in the county.
        ((), {"table extra: row city", "table extra: row county"}),
        # A clause less, and one in another place.
        (
            (
                ("      when age >= 70 then base_amount * 90%\n", ""),
                ("      otherwise base_amount * rate", "      when total > ¥2000 then ¥1\n      otherwise base_amount * rate"),
            ),
            {"step fund_amount: clause 1", "step fund_amount: new clause 3"},
        ),
        # A clause that nothing reaches while another one is there does not stand without that one going.
        (
            (
                ("      when age >= 70 then base_amount * 90%\n", ""),
                ("      otherwise base_amount * rate", "      when age > 90 then ¥1\n      otherwise base_amount * rate"),
            ),
            {"step fund_amount"},
        ),
        # Clauses in another order are one change, whatever else is changed of them.
        (
            (
                ("      when age >= 70 then base_amount * 90%\n", ""),
                ("      when age < 18 then base_amount * 85%\n", "      when age < 18 then base_amount * 80%\n      when age >= 70 then base_amount * 90%\n"),
                ("then ¥0", "then ¥1"),
            ),
            {"step fund_amount"},
        ),
        # Another type: the parameter as a whole.
        (
            (("    type: money\n    by: [level]\n    values:\n      2024-01-01: {city: 500, county: 300}\n      2025-01-01: {city: 600, county: 300}\n",
              "    type: money\n    values:\n      2024-01-01: 400\n"),
             ("deductible[level]", "deductible")),
            {"parameter deductible"},
        ),
        # A single formula that becomes clauses: as a whole.
        (
            (
                ("  base_amount: max(total - deductible[level], ¥0)\n",
                 "  base_amount: |\n    when age > 90 then total\n    otherwise max(total - deductible[level] - ¥1, ¥0)\n"),
                ("2024-01-01: 80%", "2024-01-01: 75%"),
            ),
            {"step base_amount", "parameter rate"},
        ),
        # Two conditions: each.
        (
            (("total > ¥0, say", "total > ¥400, say"), ("age < 110", "age < 100")),
            {"requires: total > ¥0", "requires: age < 110"},
        ),
    ],
)  # fmt: skip
def test_how_small_changes_are_cut(tmp_path: Path, changes: tuple[tuple[str, str], ...], told: set[str]) -> None:
    """As small as is safe."""
    bills = "E1,A,2024-03-01,city,2500.00,40\nE2,B,2024-03-01,county,1300.00,75\nE3,C,2024-03-01,county,350.00,105\n"
    table = None if changes else "level,added\ncity,11\ncounty,30\n"
    found = attributed(tmp_path, bills, *changes, table=table)
    assert {c["change"] for c in found["changes"]} == told


def test_a_change_by_itself_with_more_digits(tmp_path: Path) -> None:
    """An output that is not rounded, 80% of the total, and in the new rulebook 82.5% of the whole yuan.

    1300.01 * 80% = 1040.008; 1300 * 82.5% = 1072.5; by the rate alone 1072.50825, by whole yuan alone 1040.
    """
    one = ("  base_amount: max", "  counted: total\n  finer: {rule: counted * rate, round: none}\n  base_amount: max")
    bills = tmp_path / "bills.csv"
    bills.write_text(HEAD + "E1,A,2024-03-01,county,1300.01,40\n", encoding="utf-8")
    outputs = ("outputs: [fund_amount,", "outputs: [finer, fund_amount,")
    old = write(tmp_path / "old", one, outputs)
    yuan = ("  counted: total\n", "  counted: {rule: total, round: {to: 1, mode: down}}\n")
    new = write(tmp_path / "new", (one[0], one[1].replace(*yuan)), outputs, ("2024-01-01: 80%", "2024-01-01: 82.5%"))
    found = rxcalc.load(old).diff(new, bills, attribute=True, rows=True, amount="finer")
    assert found.rows is not None
    row = found.rows.splitlines()[1].split(",")
    assert [Fraction(amount) for amount in row[3:6]] == [Fraction("1040.008"), Fraction("1072.5"), Fraction("32.492")]
    told = dict(one.rsplit(" ", 1) for one in row[7].split("; "))
    assert Fraction(told["parameter rate"]) == Fraction("1072.50825") - Fraction("1040.008")
    assert Fraction(told["step counted"]) == 1040 - Fraction("1040.008")


def test_what_is_part_of_another_change_is_not_told_again(tmp_path: Path) -> None:
    """A parameter's new key goes with the step that reads it, and with the step of which that is: each moves what it adds."""
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,40\nE2,B,2024-03-01,city,1500.00,40\n",
        ("  rate: {type: percent, values: {2024-01-01: 80%}}", "  rate: {type: percent, by: [kind], values: {2024-01-01: {plain: 70%, dear: 60%}}}"),
        ("otherwise base_amount * rate", "otherwise base_amount * rate[kind]"),
        ("steps:\n  paid_before", "steps:\n  kind:\n    one_of: [plain, dear]\n    rule: |\n      when total > ¥50000 then dear\n      otherwise plain\n  paid_before"),
        DEDUCTIBLE,
    )  # fmt: skip
    assert not parts["cannot_be_made_by_itself"]
    assert effects(parts) == {
        "parameter deductible": (1, 0, "80.00"),  # 100.00 more, 80 % of it from the fund
        "step kind": (0, 0, "0.00"),  # by itself nothing reads it
        "parameter rate": (2, 1, "200.00"),  # with both steps: 10 % of 1,000.00 on either bill
    }
    (rate,) = (c for c in parts["changes"] if c["change"] == "parameter rate")
    assert (rate["along"], rate["beyond"]) == (["step kind", "step fund_amount"], ["step kind"])
    assert (parts["by_one_change"], parts["interacting"]) == (1, 1)
    assert parts["interactions"][0]["beyond_their_sum"] == "-10.00"  # the fund pays 70 % of those 100.00


def test_what_a_change_was_made_with_counts_once(tmp_path: Path) -> None:
    """A step that does not stand without a change of its own: its figures are what it adds to that one's.

    80 % of 1,000.00, then 70 %; a step more takes 50.00 off that.
    """
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,40\n",
        ("steps:\n  paid_before", "steps:\n  less: base_amount * 5%\n  paid_before"),
        ("otherwise base_amount * rate", "otherwise base_amount * 75% - less"),
    )
    found = {c["change"]: (c["moved"], c["along"], c["beyond"]) for c in parts["changes"]}
    assert found["step less"] == ("0.00", [], [])
    assert found["step fund_amount"] == ("100.00", ["step less"], ["step less"])
    assert (parts["by_one_change"], parts["interacting"]) == (1, 0)


def test_spellings_are_named_not_attributed(tmp_path: Path) -> None:
    """How values are written is lost when a bill is run again: what that moves is nobody's, and it is said."""
    swap = (
        (
            "{city: {aliases: [市级]}, county: {aliases: [县级]}}",
            "{city: {aliases: [县级]}, county: {aliases: [市级]}}",
        ),
    )
    bills = "E1,A,2024-03-01,县级,1300.00,40\nE2,B,2024-03-01,city,1500.00,40\n"
    parts = attributed(tmp_path, bills, *swap, RATE)
    assert parts["cannot_be_made_by_itself"] == ["input level"]
    assert effects(parts) == {"parameter rate": (2, 1, "100.00")}
    assert parts["interacting"] == 1
    alone = attributed(tmp_path, bills, *swap)  # all there is: then it is the cause of everything
    assert effects(alone) == {"input level": (1, 1, "160.00")}


def test_changes_of_different_results_do_not_act_on_each_other(tmp_path: Path) -> None:
    """Two changes that move other results than the amount add up where each result has one cause."""
    parts = attributed(
        tmp_path,
        "E1,A,2024-03-01,county,1300.00,40\n",
        ("{is: 60%}", "{is: 70%}"),
        table="level,added\ncity,10\ncounty,30\n",
    )
    assert (parts["by_one_change"], parts["by_several_that_add_up"], parts["interacting"]) == (0, 1, 0)
