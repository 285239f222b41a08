"""`rxcalc diff OLD NEW EPISODES` from outside, on bills computed by hand.

By the old rules: E1 2500 - 500 = 2000, 80% 1600, patient 900. E2 (75 years) 1300 - 300 = 1000, 90% 900, patient 400. E3 300 -
300 = 0, patient 300. E4 (112 years) is refused. E5 (105 years) 800 - 300 = 500, 90% 450, patient 350. E6 (60 years), in 2025,
1600 - 600 = 1000, 80% 800, patient 800.
"""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from books import write
from click.testing import CliRunner, Result

import rxcalc
from rxcalc.cli.main import cli
from rxcalc.driver.api import RulebookError

HEAD = "episode_id,person_id,discharge_date,level,total,age\n"
BILLS = (
    HEAD
    + """\
E1,A,2024-03-01,city,2500.00,40
E2,B,2024-03-02,county,1300.00,75
E3,A,2024-03-03,county,300.00,40
E4,C,2024-03-04,city,5000.00,112
E5,D,2024-03-05,county,800.00,105
E6,A,2025-03-06,city,1600.00,60
"""
)
RATE = ("2024-01-01: 80%", "2024-01-01: 75%")  # E1: fund 1500, patient 1000; E6: fund 750, patient 850
OLDER = ("age < 110", "age < 100")  # E5 is refused
OLDEST = ("age < 110", "age < 115")  # E4: 4500 * 90% = 4050, patient 950


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *args], standalone_mode=False, catch_exceptions=False)


@pytest.fixture
def bills(tmp_path: Path) -> str:
    path = tmp_path / "bills.csv"
    path.write_text(BILLS, encoding="utf-8")
    return str(path)


def compared(folder: Path, bills: str, *changes: tuple[str, str], options: tuple[str, ...] = ()) -> dict[str, Any]:
    old, new = write(folder / "old"), write(folder / "new", *changes)
    result = run(str(old), str(new), bills, "--format", "json", *options)
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_totals_winners_and_losers(tmp_path: Path, bills: str) -> None:
    """A lower rate: E1 pays 100 more, E6 50 more, nobody less."""
    x = compared(tmp_path, bills, RATE)
    assert x["bills"] == {"read": 6, "both": 5, "unchanged": 3, "changed": 2, "rejected_by_both": 1}
    assert x["totals"]["patient_pays"] == {"old": "2750.00", "new": "2900.00", "moved": "150.00", "changed": 2}
    assert x["totals"]["fund.pool"] == {"old": "3750.00", "new": "3600.00", "moved": "-150.00", "changed": 2}
    assert x["totals"]["added_part"]["moved"] == "0.00"
    assert x["lower"] == {"count": 0, "moved": "0.00", "largest": []}
    assert x["higher"] == {
        "count": 2,
        "moved": "150.00",
        "largest": [
            {"episode": "E1", "old": "900.00", "new": "1000.00", "moved": "100.00"},
            {"episode": "E6", "old": "800.00", "new": "850.00", "moved": "50.00"},
        ],
    }
    # Of 50 and 100: a half do not pass 50, everything above needs both.
    assert list(x["deciles"].values()) == ["50.00"] * 6 + ["100.00"] * 5
    assert x["histogram"] == [{"low": "10.00", "high": "100.00", "count": 2}]
    assert x["per_bill"] == {"old": "550.00", "new": "580.00", "moved": "30.00"}
    # A, B and D; C's only bill is refused: 2750 / 3, 2900 / 3, 50.
    assert x["per_head"] == {"by": "person_id", "heads": 3, "old": "916.67", "new": "966.67", "moved": "50.00"}


def test_the_fund_as_the_amount(tmp_path: Path, bills: str) -> None:
    """The other way round."""
    x = compared(tmp_path, bills, RATE, options=("--amount", "fund_pays"))
    assert (x["amount"], x["lower"]["count"], x["lower"]["moved"], x["higher"]["count"]) == (
        "fund_pays",
        2,
        "-150.00",
        0,
    )
    assert x["histogram"] == [{"low": "-100.00", "high": "-10.00", "count": 2}]


def test_groups(tmp_path: Path, bills: str) -> None:
    """By one field and by two."""
    x = compared(tmp_path, bills, RATE, options=("--by", "level"))
    assert x["groups"] == [
        {
            "key": {"level": "city"},
            "bills": 2,
            "lower": 0,
            "higher": 2,
            "old": "1700.00",
            "new": "1850.00",
            "moved": "150.00",
        },
        {
            "key": {"level": "county"},
            "bills": 3,
            "lower": 0,
            "higher": 0,
            "old": "1050.00",
            "new": "1050.00",
            "moved": "0.00",
        },
    ]
    keys = [
        g["key"]
        for g in compared(tmp_path / "2", bills, RATE, options=("--by", "level", "--by", "person_id"))["groups"]
    ]
    assert keys == [
        {"level": "city", "person_id": "A"},
        {"level": "county", "person_id": "A"},
        {"level": "county", "person_id": "B"},
        {"level": "county", "person_id": "D"},
    ]


def test_newly_refused_and_newly_accepted(tmp_path: Path, bills: str) -> None:
    """Neither is among the totals of both."""
    x = compared(tmp_path, bills, OLDER)
    assert x["bills"] == {"read": 6, "both": 4, "unchanged": 4, "changed": 0, "rejected_by_both": 1}
    refused = x["newly_rejected"]
    assert (refused["count"], refused["patient_pays"]) == (1, "350.00")
    assert [(e["episode"], e["code"]) for e in refused["examples"]] == [("E5", next(iter(refused["codes"])))]
    assert "nobody is that old" in refused["examples"][0]["message"]
    x = compared(tmp_path / "2", bills, OLDEST)
    assert (x["newly_accepted"]["count"], x["newly_accepted"]["patient_pays"], x["bills"]["both"]) == (1, "950.00", 5)
    assert x["newly_accepted"]["examples"][0]["episode"] == "E4"


def test_text(tmp_path: Path, bills: str) -> None:
    """The page says the same in words."""
    old, new = write(tmp_path / "old"), write(tmp_path / "new", RATE, OLDER)
    text = run(str(old), str(new), bills, "--by", "level", "--lang", "en").stdout
    assert (
        "6 bills: 4 computed by both (2 unchanged, 2 changed), 1 newly rejected, 0\n  newly accepted, 1 rejected by both\n"
        in text
    )
    assert "patient_pays: lower on 0, higher on 2, the same on 2" in text
    assert "  +10 to +100  2  ########################################" in text
    assert "city        2      0       2  1,700.00  1,850.00  +150.00" in text
    assert "illustrative" in text.splitlines()[-1].lower()


def test_nothing_moves(tmp_path: Path, bills: str) -> None:
    """A change that no bill meets; `--exit-code` is 1 because the rules differ all the same."""
    old, new = write(tmp_path / "old"), write(tmp_path / "new", ("¥50000", "¥60000"))
    result = run(str(old), str(new), bills, "--exit-code", "--lang", "en")
    assert result.return_value == 1
    assert "5 computed by both (5 unchanged, 0 changed)" in result.stdout
    assert run(str(old), str(old), bills, "--exit-code").return_value == 0


def test_bills_are_as_when_computed_one_by_one(tmp_path: Path) -> None:
    """Totals over 300 random bills, one per person, against the exact evaluator of each rulebook."""
    rng = random.Random(7)
    rows = [
        (f"E{n:03d}", f"P{n}", f"202{rng.choice('45')}-05-0{rng.randint(1, 9)}", rng.choice(["city", "county"]),
         f"{rng.randint(1, 300_000)}.{rng.randint(0, 99):02d}", str(rng.randint(0, 119)))
        for n in range(300)
    ]  # fmt: skip
    path = tmp_path / "bills.csv"
    path.write_text(HEAD + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    changes = (RATE, OLDER, ("age >= 70", "age >= 60"), ("city: 600, county: 300", "city: 650, county: 300"))
    old, new = write(tmp_path / "old"), write(tmp_path / "new", *changes)
    x = json.loads(run(str(old), str(new), str(path), "--format", "json").stdout)
    names = HEAD.strip().split(",")
    sides = []
    for book in (old, new):
        rulebook = rxcalc.load(book)
        outcomes = {row[0]: rulebook.evaluate(dict(zip(names, row, strict=True))) for row in rows}
        sides.append({at: o.steps["fund_amount"] for at, o in outcomes.items() if o.problem is None})
    one, other = sides
    common = one.keys() & other.keys()
    assert x["bills"]["both"] == len(common)
    assert x["newly_rejected"]["count"] == len(one.keys() - other.keys()) > 0
    # The patient pays what the fund does not, and less of it where the fund pays more.
    assert x["lower"]["count"] == sum(other[at] > one[at] for at in common) > 0
    assert x["higher"]["count"] == sum(other[at] < one[at] for at in common) > 0
    moved = sum((Fraction(other[at]) - Fraction(one[at]) for at in common), Fraction(0))
    assert Fraction(x["totals"]["fund_pays"]["moved"]) == moved == -Fraction(x["totals"]["patient_pays"]["moved"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--amount", "nothing"), "--amount names `nothing`"),
        (("--by", "nothing"), "--by names 'nothing'"),
        (("--by", "fund_amount"), "--by names `fund_amount`, which is no input"),
        (("--by", "inputs"), "--by names `inputs`, which is no input"),
        (("--episode", "x.yaml"), "a file of bills and --episode are given"),
        (("--lines", "x.csv"), "neither rulebook has a list `lines`"),
    ],
)
def test_bad_usage(tmp_path: Path, bills: str, args: tuple[str, ...], message: str) -> None:
    """Exit code 2, and why."""
    book = str(write(tmp_path / "old"))
    result = CliRunner().invoke(cli, ["diff", book, book, bills, *args])
    assert result.exit_code == 2
    assert message in result.stderr


def test_no_bills_named(tmp_path: Path) -> None:
    """Options for bills without bills."""
    book = str(write(tmp_path / "old"))
    result = CliRunner().invoke(cli, ["diff", book, book, "--by", "level"])
    assert (result.exit_code, "name it behind NEW" in result.stderr) == (2, True)


def test_from_python(tmp_path: Path, bills: str) -> None:
    """The same as the command; what cannot be run is an error."""
    old, new = rxcalc.load(write(tmp_path / "old")), rxcalc.load(write(tmp_path / "new", RATE))
    assert [str(e.subject) for e in old.diff(new).edits] == ["parameter rate"]
    found = old.diff(new, bills, by=["level"], attribute=True)
    assert found.differs
    x = json.loads(
        run(
            str(tmp_path / "old"), str(tmp_path / "new"), bills, "--by", "level", "--attribute", "--format", "json"
        ).stdout
    )
    del x["status"]
    mine = json.loads(json.dumps(found.document()))
    for side in ("old", "new"):  # what the command calls the files
        del x[side], mine[side]
    assert mine == x
    assert "patient_pays by level:" in found.text()
    with pytest.raises(RulebookError, match="--amount names `nothing`"):
        old.diff(new, bills, amount="nothing")


def test_amounts_with_more_digits_than_the_currency(tmp_path: Path) -> None:
    """Nothing is cut: 2/3 of what is above 300.00 of 1,300.01 to four digits, then to three."""
    fine = ("round: {to: 0.01}\n    rule: |", "round: {to: 0.0001}\n    rule: |")
    rule = ("otherwise base_amount * rate", "otherwise base_amount * 2 / 3")
    old, new = (
        write(tmp_path / "old", fine, rule),
        write(tmp_path / "new", (fine[0], fine[1].replace("0.0001", "0.001")), rule),
    )
    bills = tmp_path / "bills.csv"
    bills.write_text(HEAD + "E1,A,2024-03-01,county,1300.01,40\n", encoding="utf-8")
    args = ["diff", str(old), str(new), str(bills), "--amount", "fund_amount"]
    found = json.loads(CliRunner().invoke(cli, [*args, "--format", "json"], standalone_mode=False).stdout)
    total = {"old": "666.6733", "new": "666.673", "moved": "-0.0003", "changed": 1}
    assert found["totals"]["fund_amount"] == total
    assert "666.6733  666.673  -0.0003" in CliRunner().invoke(cli, args, standalone_mode=False).stdout
