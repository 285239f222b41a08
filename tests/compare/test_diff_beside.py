"""What stands beside the bills of `rxcalc diff`: rules of another day, earlier bills, findings, groups. Worked out by hand."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from books import write
from click.testing import CliRunner

import rxcalc
from rxcalc.cli.main import cli

HEAD = "episode_id,person_id,discharge_date,level,total,age\n"
RATE = ("2024-01-01: 80%", "2024-01-01: 75%")
NEXT_YEAR = (
    "      2025-01-01: {city: 600, county: 300}\n",
    "      2025-01-01: {city: 600, county: 300}\n      2026-01-01: {city: 800, county: 300}\n",
)


def run(*args: str) -> str:
    result = CliRunner().invoke(cli, list(args), standalone_mode=False, catch_exceptions=False)
    return result.stdout


def page(
    folder: Path, bills: str, changes: list[tuple[str, str]], *options: str, old: tuple[str, str] | None = None
) -> list[str]:
    """The command for two rulebooks and a file of bills."""
    folder.mkdir(exist_ok=True)
    path = folder / "bills.csv"
    path.write_text(HEAD + bills, encoding="utf-8")
    sides = write(folder / "old", *([old] if old is not None else [])), write(folder / "new", *changes)
    return ["diff", *map(str, sides), str(path), *options]


def data(words: list[str]) -> dict[str, Any]:
    found = json.loads(run(*words, "--format", "json"))
    assert isinstance(found, dict)
    return found


def asked(
    folder: Path, bills: str, changes: list[tuple[str, str]], *, old: tuple[str, str] | None = None, **options: Any
) -> tuple[dict[str, Any], str]:
    """The same from Python: the JSON and the text of one comparison. Lines of the text are joined."""
    folder.mkdir(exist_ok=True)
    (folder / "bills.csv").write_text(HEAD + bills, encoding="utf-8")
    sides = write(folder / "old", *([old] if old is not None else [])), write(folder / "new", *changes)
    found = rxcalc.load(sides[0]).diff(sides[1], folder / "bills.csv", **options)
    return json.loads(json.dumps(found.document())), re.sub(r"\n +", " ", found.text())


# ---- rules of another day ---------------------------------------------------------------------------


def test_values_of_next_year(tmp_path: Path) -> None:
    """A deductible of 800 from 2026 on, a city bill of 2,500 in 2024.

    As it is, nothing moves, and the page says why. As of 2026 the old rulebook has 600 (since 2025): 1900 * 80% = 1520, patient 980;
    the new one 800: 1700 * 80% = 1360, patient 1140. In 2025 the old values are those of 2026.
    """
    bills = "E1,A,2024-03-01,city,2500.00,40\nE2,B,2025-03-01,city,2500.00,40\n"
    plain, text = asked(tmp_path / "1", bills, [NEXT_YEAR])
    assert (
        "changes that begin later move none, unless a rule takes a value of another day: parameter deductible (2026-01-01). --as-of 2026-01-01 computes"
        in text
    )
    assert plain["bills"]["changed"] == 0
    assert plain["days"]["later_changes"] == {"parameter deductible": "2026-01-01"}
    words = page(tmp_path / "2", bills, [NEXT_YEAR], "--as-of", "2026-01-01", "--attribute")
    x = data(words)
    assert x["totals"]["patient_pays"] == {"old": "1960.00", "new": "2280.00", "moved": "320.00", "changed": 2}
    told = {
        side: (v["day"], v["bills"], v["of_other_values"], v["not_in_force"]) for side, v in x["days"]["as_of"].items()
    }
    assert told == {"old": ("2026-01-01", 2, 1, 0), "new": ("2026-01-01", 2, 2, 0)}
    assert [(c["change"], c["bills"], c["moved"]) for c in x["attribution"]["changes"]] == [
        ("parameter deductible", 2, "320.00")
    ]
    text = run(*words, "--lang", "en")
    assert "new: every bill is computed with the values of 2026-01-01, whatever its own" in text


def test_rulebooks_in_force_on_different_days(tmp_path: Path) -> None:
    """The old one ends with 2025, the new one begins with 2026; the bill is of 2025.

    As of 2026-01-01 the old one has its values of 2025-12-31: patient 2500 - 1520 = 980, then 1140.
    """
    bills = "E1,A,2025-03-01,city,2500.00,40\n"
    ends = ("{from: 2024-01-01, by", "{from: 2024-01-01, to: 2025-12-31, by")
    begins = [
        ("{from: 2024-01-01, by", "{from: 2026-01-01, by"),
        ("      2025-01-01: {city: 600, county: 300}\n", "      2026-01-01: {city: 800, county: 300}\n"),
    ]
    x, text = asked(tmp_path / "1", bills, begins, old=ends)
    assert (x["bills"]["both"], x["newly_rejected"]["codes"]) == (0, {"RX723": 1})
    assert x["days"]["not_in_force"] == {"old": 0, "new": 1}
    assert "1 bills are of days on which the new rulebook is not in force" in text
    x, text = asked(tmp_path / "2", bills, begins, old=ends, as_of=date(2026, 1, 1), attribute=True)
    assert "old: in force from 2024-01-01 to 2025-12-31 only" in text
    assert x["totals"]["patient_pays"] == {"old": "980.00", "new": "1140.00", "moved": "160.00", "changed": 1}
    old, new = x["days"]["as_of"]["old"], x["days"]["as_of"]["new"]
    assert (old["day"], old["of_other_values"], old["not_in_force"]) == ("2025-12-31", 0, 0)
    assert (new["day"], new["of_other_values"], new["not_in_force"]) == ("2026-01-01", 1, 1)
    moved = {c["change"]: c["moved"] for c in x["attribution"]["changes"]}
    assert moved["parameter deductible: city, from 2026-01-01"] == "160.00"


def test_dates_in_rules_are_named(tmp_path: Path) -> None:
    """They are held against the bill's own day, and the page says so."""
    dated = ("when age >= 70 then", "when age >= 70 and discharge_date >= 2026-01-01 then")
    bills = "E1,A,2025-03-01,city,1600.00,75\n"
    x, text = asked(tmp_path, bills, [dated], as_of=date(2026, 6, 1))
    # 75 years, 1600 - 600 = 1000: 90% is 900; under the new rule 80% of it, for the bill is of 2025.
    assert x["totals"]["patient_pays"]["moved"] == "100.00"
    assert [d["date"] for d in x["days"]["as_of"]["new"]["dates_in_rules"]] == ["2026-01-01"]
    assert "Dates written in its rules are held against each bill's own dates" in text


# ---- what came before -------------------------------------------------------------------------------

LIMIT = ("when paid_before > ¥50000 then ¥0", "when paid_before > ¥48000 then ¥0")
FEBRUARY = "E0,A,2024-02-01,city,61750.00,40\n"  # 61,750 - 500 = 61,250; 80% of it is 49,000
MARCH = "E1,A,2024-03-01,city,2500.00,40\nE2,B,2024-03-01,city,2500.00,40\n"  # 80% of 2,000 is 1,600


def earlier(folder: Path) -> Path:
    """February as it was paid."""
    folder.mkdir()
    (folder / "february.csv").write_text(HEAD + FEBRUARY, encoding="utf-8")
    book = write(folder / "paid")
    run("batch", str(folder / "february.csv"), "-r", str(book), "-o", str(folder / "out.csv"))
    return folder / "out.csv"


@pytest.mark.parametrize("attribute", [False, True])
def test_earlier_bills(tmp_path: Path, *, attribute: bool) -> None:
    """A limit of what the fund has paid in the year: 49,000 in February are over 48,000, so nothing is paid for E1: 1,600 more."""
    if not attribute:
        assert asked(tmp_path / "alone", MARCH, [LIMIT])[0]["bills"]["changed"] == 0
    paid = earlier(tmp_path / "before")
    x, text = asked(tmp_path / "after", MARCH, [LIMIT], earlier=[paid], attribute=attribute)
    assert (x["bills"]["read"], x["bills"]["changed"], x["totals"]["patient_pays"]["moved"]) == (2, 1, "1600.00")
    assert x["earlier"]["files"] == ["out.csv"]
    assert "Earlier bills stand as they were paid, under both: out.csv." in text
    if attribute:
        assert [(c["change"], c["moved"]) for c in x["attribution"]["changes"]] == [("step fund_amount", "1600.00")]


def test_opening_amounts(tmp_path: Path) -> None:
    """The same from a file of amounts."""
    opening = tmp_path / "opening.csv"
    opening.write_text(
        "person_id,window,from,this_year.sum(fund_amount)\nA,this_year,2024-01-01,49000.00\n", encoding="utf-8"
    )
    x = data(page(tmp_path, MARCH, [LIMIT], "--opening", str(opening), "--attribute"))
    assert (x["bills"]["changed"], x["totals"]["patient_pays"]["moved"]) == (1, "1600.00")
    assert x["attribution"]["by_one_change"] == 1


def test_opening_amounts_of_another_call(tmp_path: Path) -> None:
    """The new rulebook adds up totals: what the file has for the old one is none of its business, and what it lacks is said.

    With 49,000 before, the old limit of 50,000 is not passed; nor is it by 0.
    """
    opening = tmp_path / "opening.csv"
    head = "person_id,window,from,this_year.sum( fund_amount )"
    opening.write_text(f"{head}\nA,this_year,2024-01-01,49000.00\n", encoding="utf-8")
    totals = ("paid_before: this_year.sum(fund_amount)", "paid_before: this_year.sum(total)")
    x, text = asked(tmp_path, MARCH, [totals], opening=opening)
    assert (x["bills"]["both"], x["bills"]["changed"]) == (2, 0)
    assert x["earlier"]["nothing_said_of"] == {"new": ["this_year.sum(total)"]}
    assert "opening.csv says nothing of what the new rulebook asks: this_year.sum(total)." in text
    opening.write_text(f"{head},this_year.sum(total)\nA,this_year,2024-01-01,49000.00,61750.00\n", encoding="utf-8")
    x, text = asked(tmp_path, MARCH, [totals], opening=opening)
    assert (x["bills"]["changed"], x["totals"]["patient_pays"]["moved"]) == (1, "1600.00")
    opening.write_text(f"{head},this_month.sum(total)\nA,this_year,2024-01-01,49000.00,61750.00\n", encoding="utf-8")
    result = CliRunner().invoke(cli, page(tmp_path, MARCH, [totals], "--opening", str(opening)))
    assert (result.exit_code, "this_month.sum(total)' that means nothing here" in result.stderr) == (2, True)


def test_only_one_rulebook_looks_back(tmp_path: Path) -> None:
    """The old one reads earlier bills, the new one has no sequence: said on the page."""
    paid = earlier(tmp_path / "before")
    alone = [
        ("sequence: {by: person_id, order: [discharge_date, episode_id]}\n", ""),
        ("windows:\n  this_year: {calendar: year, date: discharge_date}\n", ""),
        ("  paid_before: this_year.sum(fund_amount)\n", ""),
        ("      when paid_before > ¥50000 then ¥0\n", ""),
    ]
    text = asked(tmp_path, MARCH, alone, earlier=[paid])[1]
    assert "Only the old rulebook looks at earlier bills." in text
    write(tmp_path / "old", *alone)
    words = ["diff", str(tmp_path / "old"), str(tmp_path / "new"), str(tmp_path / "bills.csv"), "--earlier", str(paid)]
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, "looks at no earlier episode" in result.stderr) == (2, True)


def test_memory_and_folder(tmp_path: Path) -> None:
    """Results stand in the folder asked for, and are gone afterwards."""
    place = tmp_path / "place"
    place.mkdir()
    x = data(page(tmp_path, MARCH, [LIMIT], "--temp-dir", str(place), "--memory", "700MB"))
    assert (x["bills"]["read"], list(place.iterdir())) == (2, [])


# ---- findings and groups ----------------------------------------------------------------------------


def test_findings(tmp_path: Path) -> None:
    """A check at another limit: two bills are over 2,000 beside the one over 100,000; a further check finds one."""
    bills = MARCH + "E3,C,2024-03-01,city,150000.00,40\n"
    changes = [
        ("total > ¥100000", "total > ¥2000"),
        ("guarantees:\n", "guarantees:\n"),
        (
            "say: a large bill}\n",
            "say: a large bill}\n  - {name: huge, when: total > ¥120000, amount: total, say: huge}\n",
        ),
    ]
    x, text = asked(tmp_path, bills, changes)
    assert [(f["check"], f["old"], f["new"], f["gone"], f["come"], f["new_amount"]) for f in x["findings"]] == [
        ("large", 1, 3, 0, 2, None),
        ("huge", None, 1, 0, 1, "150000.00"),
    ]
    assert x["findings"][0]["come_on"] == ["E1", "E2"]
    assert x["bills"]["changed"] == 0
    assert "large: new ones e.g. on E1, E2" in text
    assert " huge   none    1     0         1              150,000.00" in text


GROUPS = """\
rxcalc: 1
rulebook: pool
version: "1"
status: illustrative
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  region: {one_of: [north, south]}
  day: {type: date}
  points: {type: number, min: 0}
groups:
  region_year:
    of: episodes
    by: {region: region, year: year(day)}
    steps:
      all_points: sum(episodes.points)
      budget: {rule: "all_points * ¥10", round: {to: 0.01}}
      many: all_points > 20
steps:
  own: {rule: "points * ¥2", round: {to: 0.01}}
outputs: [own]
"""


def test_groups_across_bills(tmp_path: Path) -> None:
    """12 a point instead of 10: north has 10 + 5 points, 150 and 180; south 30, 300 and 360. No bill moves, many at 30 instead of 20 does."""
    sides = []
    for name, text in (("old", GROUPS), ("new", GROUPS.replace("¥10", "¥12").replace("> 20", "> 30"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rulebook.yaml").write_text(text, encoding="utf-8")
        sides.append(str(tmp_path / name))
    bills = tmp_path / "bills.csv"
    bills.write_text(
        "episode_id,region,day,points\nE1,north,2024-03-01,10\nE2,north,2024-04-01,5\nE3,south,2024-04-01,30\n",
        encoding="utf-8",
    )
    found = rxcalc.load(sides[0]).diff(sides[1], bills)
    x: Any = found.document()
    assert x["bills"]["changed"] == 0
    (groups,) = x["groups_across_bills"]
    assert (groups["kind"], groups["both"], groups["changed"]) == ("region_year", 2, 2)
    assert groups["totals"] == {"budget": {"old": "450.00", "new": "540.00", "moved": "90.00", "changed": 2}}
    assert groups["other_results_changed"] == {"all_points": 0, "many": 1}
    text = found.text()
    assert "groups of region_year: 2 computed by both, 2 changed" in text
    assert "north, 2024: budget 150.00 -> 180.00" in text
    result = CliRunner().invoke(cli, ["diff", *sides, str(bills), "--exit-code"], standalone_mode=False)
    assert result.return_value == 1


# ---- languages and narrow terminals -----------------------------------------------------------------


@pytest.mark.parametrize(("language", "columns"), [("en", 60), ("zh", 60)])
def test_nothing_is_wider_than_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, columns: int
) -> None:
    """Large amounts and long names included."""
    from rxcalc.report.layout import width

    monkeypatch.setattr("rxcalc.cli.options.columns", lambda: columns)
    bills = "".join(
        f"A-RATHER-LONG-NUMBER-OF-A-BILL-{n:06d},P{n % 7},2025-0{n % 9 + 1}-01,city,{n * 41237 + 900}.55,{n % 115}\n"
        for n in range(1, 24)
    )
    changes = [
        NEXT_YEAR, ("2024-01-01: 80%", "2024-01-01: 75%"), ("age < 110", "age < 100"), ("base_amount * 85%", "base_amount * 88%"),
        ("total > ¥100000", "total > ¥1"), ("{to: 1000, is: 50%}", "{to: 1200, is: 50%}"),
    ]  # fmt: skip
    words = page(tmp_path, bills, changes, "--attribute", "--by", "level", "--by", "person_id", "--lang", language)
    for more in [(), ("--as-of", "2026-03-01")] if language == "zh" else [()]:
        text = run(*words, *more)
        assert max(map(width, text.splitlines())) <= columns, [x for x in text.splitlines() if width(x) > columns]
        if language == "zh":
            assert "参数 rate" in text
            assert "bills" not in text.replace("bills.csv", "")


def test_rows_of_dated_tables(tmp_path: Path) -> None:
    """10 until 2025, 11 since: as of 2025 every bill has 11, the new rulebook's 15 from 2026 on only as of then."""
    dated = ("    key: [level]\n", "    key: [level]\n    from: since\n    to: until\n")
    bills = "E1,A,2024-03-01,city,2500.00,40\nE2,B,2025-03-01,city,2500.00,40\n"
    head, rows = "level,since,until,added\n", "city,2024-01-01,2024-12-31,10\ncounty,2024-01-01,,20\n"
    tables = (
        f"{head}{rows}city,2025-01-01,,11\n",
        f"{head}{rows}city,2025-01-01,2025-12-31,11\ncity,2026-01-01,,15\n",
    )
    path = tmp_path / "bills.csv"
    path.write_text(HEAD + bills, encoding="utf-8")
    sides = [str(write(tmp_path / n, dated, table=t)) for n, t in zip(("old", "new"), tables, strict=True)]
    for day, old, new in (("2024-06-01", 20, 20), ("2025-06-01", 22, 22), ("2026-06-01", 22, 30)):
        x: Any = (
            rxcalc.load(sides[0]).diff(sides[1], path, as_of=date.fromisoformat(day), attribute=old != new).document()
        )
        assert (x["totals"]["added_part"]["old"], x["totals"]["added_part"]["new"]) == (f"{old}.00", f"{new}.00")
        if old != new:
            assert x["attribution"]["bills"] == 2
    plain = data(["diff", *sides, str(path)])
    assert (plain["totals"]["added_part"]["old"], plain["totals"]["added_part"]["moved"]) == ("21.00", "0.00")


# ---- rows of lists ----------------------------------------------------------------------------------

ROWS = """\
rxcalc: 1
rulebook: rows
title: rows
version: "1"
status: illustrative
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
lines:
  inputs:
    line_no: {type: count}
    amount: {type: money}
  order: [line_no]
  steps:
    covered: amount * 50%
steps:
  fund: total * 50%
spread:
  fund_line: {what: fund, over: lines, by: covered}
shares:
  bill: {of: total, fund: {is: fund}, patient: {rest: {is: rest, reason: PR-2}}}
outputs: [fund, patient_pays]
"""


def test_rows_of_lists_are_compared(tmp_path: Path) -> None:
    """The bills come out the same, their lines do not: half of 90.00 is divided by 10 and 80, then equally.

    5.00 and 40.00, then 22.50 each. That one rulebook needs more digits for `covered` than the other is no change.
    """
    for name, text in (
        ("old", ROWS),
        ("new", ROWS.replace("by: covered", "by: amount - amount + ¥1").replace("amount * 50%", "amount * 500% / 10")),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rulebook.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "bills.csv").write_text("episode_id,day,total\nE1,2024-03-01,90.00\n", encoding="utf-8")
    (tmp_path / "lines.csv").write_text("episode_id,line_no,amount\nE1,1,10.00\nE1,2,80.00\n", encoding="utf-8")
    words = ["diff", *(str(tmp_path / n) for n in ("old", "new", "bills.csv")), "--lines", str(tmp_path / "lines.csv")]
    found = data([*words, "--attribute"])
    assert found["bills"]["changed"] == 0
    (rows,) = found["rows_of_lists"]
    assert (rows["kind"], rows["both"], rows["changed"]) == ("lines", 2, 2)
    assert {name: t["changed"] for name, t in rows["totals"].items()} == {"covered": 0, "fund_line": 2}
    first = {"key": {"episode_id": "E1", "row": "1"}, "result": "fund_line", "old": "5.00", "new": "22.50"}
    assert rows["examples"][0] == first
    text = run(*words, "--attribute")
    assert "rows of lines: 2 computed by both, 2 changed" in text
    assert "What changes in rows of lists" in text
    assert "明细各行" in run(*words, "--lang", "zh", "--format", "html")
    assert CliRunner().invoke(cli, [*words, "--exit-code"], standalone_mode=False).return_value == 1


# ---- places and empty cells -------------------------------------------------------------------------


def test_an_empty_cell_goes_with_its_default(tmp_path: Path) -> None:
    """Bills of `--by` are those that are computed alike: an empty level is the default one. A flag is yes or no."""
    same = [
        ("county: {aliases: [县级]}}}", "county: {aliases: [县级]}}, default: county}"),
        ("  age: {type: count", "  old_age: {type: flag, default: no}\n  age: {type: count"),
    ]
    old, new = write(tmp_path / "old", *same), write(tmp_path / "new", *same, RATE)
    bills = tmp_path / "bills.csv"
    bills.write_text(
        "episode_id,person_id,discharge_date,level,total,old_age\n"
        "E1,A,2024-03-01,county,1300.00,\nE2,B,2024-03-01,,1300.00,yes\nE3,C,2024-03-01,city,1500.00,no\n",
        encoding="utf-8",
    )
    for field, counts in (("level", [("city", 1), ("county", 2)]), ("old_age", [("no", 2), ("yes", 1)])):
        groups = data(["diff", str(old), str(new), str(bills), "--by", field])["groups"]
        assert [(g["key"][field], g["bills"]) for g in groups] == counts


def test_places_are_looked_at_before_anything_runs(tmp_path: Path) -> None:
    """Results never stand over a file that is read, and what cannot be written is said before the first is."""
    words = page(tmp_path, "E1,A,2024-03-01,county,1300.00,40\n", [RATE])
    out = tmp_path / "out.txt"
    for options, told in (
        (["-o", str(out), "--moved-out", str(tmp_path / "bills.csv")], "one of the files read"),
        (["-o", str(out), "--moved-out", str(tmp_path / "none" / "m.csv")], "there is no folder"),
        (["-o", str(out), "--moved-out", str(out)], "named by -o and by --moved-out"),
    ):
        result = CliRunner().invoke(cli, [*words, *options])
        assert result.exit_code == 2
        assert told in result.stderr
        assert not out.exists()


def test_inputs_of_groups_are_not_written_over(tmp_path: Path) -> None:
    """A file of `--groups` is one of the files read."""
    bills = Path(__file__).parents[2] / "docs" / "bills" / "qin-month.csv"
    heads = tmp_path / "fund_year.csv"
    heads.write_text("year,heads\n2024,1000\n", encoding="utf-8")
    words = ["diff", "qin", "dian", str(bills), "--groups", str(tmp_path), "-o", str(heads)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "one of the files read" in result.stderr
    assert heads.read_text(encoding="utf-8") == "year,heads\n2024,1000\n"
