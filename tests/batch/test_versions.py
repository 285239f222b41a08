"""Several versions of a rulebook in one run: each episode on the version that holds its date."""

from __future__ import annotations

import csv
import io
import json
import random
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.load import plan_of
from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.driver.versions import join_versions
from rxcalc.driver.versions_run import run_versions
from rxcalc.driver.versions_sequences import windows_end
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.problems import UsageProblem

OLD = """
rxcalc: 1
rulebook: fund
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, to: 2024-12-31, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  level: {one_of: [town, city]}
  total: {type: money, aliases: [费用]}
  fee: {type: money, default: 2}
steps:
  paid: {rule: "total * 50%"}
  side: {rule: "fee"}
outputs: [paid, side]
checks:
  - {name: big, when: "total > ¥500", severity: warn, amount: total, say: big}
"""
NEW = """
rxcalc: 1
rulebook: fund
version: "2"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  level: {one_of: [town, county, city]}
  total: {type: money, min: 1, aliases: [费用]}
  place: {type: code}
steps:
  rate: {rule: "70%"}
  paid: {rule: "total * rate"}
  site: {rule: place}
outputs: [rate, paid, site]
checks:
  - {name: big, when: "total > ¥800", severity: error, say: very big}
  - {name: small, when: "total < ¥5", severity: info, say: small}
"""
HEAD = "episode_id,day,level,费用,fee,place\n"


def plans(folder: Path, *texts: str) -> list[Plan]:
    """Rulebooks of some texts."""
    found = []
    for at, text in enumerate(texts):
        path = folder / f"v{at}" / "rulebook.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        found.append(plan_of(str(path)))
    return found


def run(folder: Path, data: str, *texts: str, **options: object) -> BatchReport:
    """A batch of several versions over `data`."""
    (folder / "in.csv").write_text(data, encoding="utf-8")
    made = BatchOptions(episodes=folder / "in.csv", results=folder / "out.csv", **options)  # type: ignore[arg-type]
    return run_versions(plans(folder, *(texts or (OLD, NEW))), made)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def cli_run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], standalone_mode=False, catch_exceptions=False)


def test_each_episode_runs_on_the_version_of_its_date(tmp_path: Path) -> None:
    """Results stand in the order of the input; a result that a version does not have is empty."""
    data = (
        HEAD
        + "N1,2025-01-01,county,10.00,,X\nO1,2024-12-31,town,10.01,,\nN2,2030-06-01,city,3.33,9,Y\nO2,2024/1/1,city,1,5,\n"
    )
    report = run(tmp_path, data)
    assert report.exit_code == 0, report
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == (
        "episode_id,day,level,费用,fee,place,rate,paid,site,side,rulebook_version\n"
        "N1,2025-01-01,county,10.00,,X,70%,7.00,X,,fund@2\n"
        "O1,2024-12-31,town,10.01,,,,5.01,,2.00,fund@1\n"
        "N2,2030-06-01,city,3.33,9,Y,70%,2.33,Y,,fund@2\n"
        "O2,2024/1/1,city,1,5,,,0.50,,5.00,fund@1\n"
    )
    assert report.defaults == {"fee": 1}  # of O1: the newer version knows no fee


def test_each_version_checks_its_own_rows(tmp_path: Path) -> None:
    """A value that only the newer version knows is refused on a date of the older one, and the other way round."""
    data = HEAD + (
        "A,2024-05-01,county,10.00,,\n"  # no county then
        "B,2025-05-01,county,0.50,,X\n"  # below the newer bound
        "C,2024-05-01,town,0.50,,\n"
        "D,2025-05-01,town,10.00,,\n"  # no place, which the newer one needs
        "E,2023-12-31,town,10.00,,\n"  # before all versions
        "F,someday,town,10.00,,X\n"
        "G,,town,10.00,,X\n"
        ",,,,,\n"
        "合计,,,40.00,,\n"
        "H,2024-05-01,town\n"
    )
    report = run(tmp_path, data)
    assert report.exit_code == 1
    assert [
        (r["episode_id"], r["rx_code"], r["rx_field"], r["rx_more"]) for r in rows(tmp_path / "out.rejects.csv")
    ] == [
        ("A", "RX705", "level", ""),
        ("B", "RX703", "total", ""),
        ("D", "RX704", "place", ""),
        ("E", "RX723", "day", ""),
        ("F", "RX706", "day", ""),
        ("G", "RX704", "day", ""),
        ("H", "RX741", "", ""),
    ]
    assert rows(tmp_path / "out.rejects.csv")[3]["rx_message"] == (
        "no version holds 2023-12-31: fund@1, fund@2 together hold day from 2024-01-01"
    )
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["counts"] == {"read": 10, "written": 1, "rejected": 7, "totals": 1, "blank": 1}
    assert summary["totals"]["fee"]["read"] == "0.00"
    # A 10 + B 0.50 + D 10 + E 10 + F 10 + G 10; the cells of H cannot be trusted
    assert summary["totals"]["total"] == {
        "read": "91.00", "written": "0.50", "rejected": "50.50", "totals": "40.00", "blank": "0.00", "unreadable_cells": 0,
    }  # fmt: skip


def test_a_column_of_one_version_is_needed_by_its_episodes_only(tmp_path: Path) -> None:
    """Without the column only the newer version's episodes are refused; a column of all versions stops the run."""
    report = run(tmp_path, "episode_id,day,level,total\nA,2024-05-01,town,10.00\nB,2025-05-01,town,10.00\n")
    assert report.reject_codes == {"RX704": 1}
    assert rows(tmp_path / "out.csv")[0]["paid"] == "5.00"
    stopped = run(tmp_path, "episode_id,day,level\n")
    assert stopped.problem is not None
    assert "no column for the required total" in stopped.problem.message


def test_ids_are_unique_across_versions(tmp_path: Path) -> None:
    """An id that stands in two versions refuses both records, with each other's line."""
    report = run(tmp_path, HEAD + "A,2024-05-01,town,1.00,,\nB,2024-05-02,town,1.00,,\nA,2025-05-01,town,1.00,,X\n")
    assert report.reject_codes == {"RX744": 2}
    assert ["line 4" in r["rx_message"] or "line 2" in r["rx_message"] for r in rows(tmp_path / "out.rejects.csv")] == [
        True,
        True,
    ]


def test_findings_of_all_versions(tmp_path: Path) -> None:
    """Checks of one name in two versions are told apart by the version."""
    report = run(
        tmp_path, HEAD + "A,2025-05-01,town,900.00,,X\nB,2024-05-01,town,900.00,,\nC,2025-05-01,town,2.00,,X\n"
    )
    assert report.exit_code == 1  # `big` is an error since 2025
    assert [(r["episode_id"], r["check"], r["severity"], r["amount"]) for r in rows(tmp_path / "out.findings.csv")] == [
        ("A", "big@2", "error", ""), ("B", "big@1", "warn", "900.00"), ("C", "small", "info", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["out.parquet", "out.xlsx", "out.csv.gz", "sqlite:out.db?table=t"])
def test_results_of_every_kind(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where versions hold an input, here the level, in different ways."""
    monkeypatch.chdir(tmp_path)
    plans(tmp_path, OLD, NEW)
    data = HEAD + 'A,2025-05-01,county,900.00,,X\nB,2024-05-01,town,"1,000",3,\nC,2025-05-01,town,2.00,,X\n'
    (tmp_path / "in.csv").write_text(data, encoding="utf-8")
    cli_run("batch", "in.csv", "-r", "v0", "-r", "v1", "-o", name, "--summary", "s.json")
    assert (
        cli_run(
            "batch", name, "-r", "v0", "-r", "v1", "-o", "again.csv", "--select", "episode_id,level,paid"
        ).return_value
        == 1
    )
    assert (tmp_path / "again.csv").read_text() == (
        "episode_id,level,paid\nA,county,630.00\nB,town,500.00\nC,town,1.40\n"
    )


def test_parquet_keeps_the_cells_that_a_row_has_no_input_for(tmp_path: Path) -> None:
    """Columns that all versions read alike have types, all others are the texts as read."""
    (tmp_path / "in.csv").write_text(
        HEAD + "A,2025-05-01,county,900,1.5,X\nB,2024-05-01,town,10,3,Y\nC,2025-05-01,town,20,free,Z\n",
        encoding="utf-8",
    )
    made = BatchOptions(episodes=tmp_path / "in.csv", results=tmp_path / "out.parquet", summary=tmp_path / "s.json")
    report = run_versions(plans(tmp_path, OLD, NEW), made)
    assert report.exit_code == 1  # `big` of A is an error
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.select("level", "费用", "fee", "place", "paid", "side").rows() == [
        ("county", Decimal("900.00"), "1.5", "X", Decimal("630.00"), None),
        ("town", Decimal("10.00"), "3", "Y", Decimal("5.00"), Decimal("3.00")),
        ("town", Decimal("20.00"), "free", "Z", Decimal("14.00"), None),
    ]
    # The fees are added up of every record, since the older version has them for an amount; C is not refused by its own.
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["totals"]["fee"] == {
        "read": "4.50", "written": "4.50", "rejected": "0.00", "totals": "0.00", "blank": "0.00", "unreadable_cells": 1,
    }  # fmt: skip
    assert cli_run("verify", str(tmp_path / "s.json")).stdout.splitlines()[-1] == "everything holds"


def test_selection(tmp_path: Path) -> None:
    """Steps of either version may be named."""
    run(tmp_path, HEAD + "A,2024-05-01,town,10,,\nB,2025-05-01,town,10,,X\n", select=("episode_id", "side", "rate"))
    assert (tmp_path / "out.csv").read_text() == "episode_id,side,rate\nA,2.00,\nB,,70%\n"


def test_many_rows_equal_each_version_alone(tmp_path: Path) -> None:
    """In any order of dates and with faults of every kind, a row has the result, or the code, that its version alone gives."""
    dice = random.Random(5)
    lines = {}
    for at in range(400):
        year = dice.choice(["2024", "2025"])
        day = f"{year}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        total = dice.choice(["10.00", "0.50", "1,234.5", "abc", "12.345", "", "900"])
        level = dice.choice(["town", "county", "city", "village"])
        lines[f"E{at}"] = (
            year,
            f"E{at},{day},{level},{total if ',' not in total else chr(34) + total + chr(34)},{dice.choice(['', '1', 'x'])},{dice.choice(['', 'P'])}\n",
        )
    both = tmp_path / "both"
    both.mkdir()
    run(both, HEAD + "".join(line for _, line in lines.values()))
    results = {r["episode_id"]: r for r in rows(both / "out.csv")}
    rejects = {r["episode_id"]: r for r in rows(both / "out.rejects.csv")}
    assert len(results) + len(rejects) == 400
    assert list(results) == [name for name in lines if name in results]
    for year, text in (("2024", OLD), ("2025", NEW)):
        alone = tmp_path / year
        alone.mkdir()
        (alone / "in.csv").write_text(
            HEAD + "".join(line for of, line in lines.values() if of == year), encoding="utf-8"
        )
        (alone / "r.yaml").write_text(text, encoding="utf-8")
        CliRunner().invoke(
            cli, ["batch", str(alone / "in.csv"), "-r", str(alone / "r.yaml"), "-o", str(alone / "out.csv")]
        )
        for one in rows(alone / "out.csv"):
            both_row = results.pop(one["episode_id"])
            assert {name: both_row[name] for name in one} == one
        for one in rows(alone / "out.rejects.csv"):
            other = rejects.pop(one["episode_id"])
            assert [other[n] for n in ("rx_code", "rx_field", "rx_value", "rx_message", "rx_more", "rx_raw")] == [
                one[n] for n in ("rx_code", "rx_field", "rx_value", "rx_message", "rx_more", "rx_raw")
            ]
    assert not results
    assert not rejects


def test_the_summary_names_every_version(tmp_path: Path) -> None:
    """With dates and hash, so that `verify` finds them again; a changed version differs."""
    run_dirs = [str(tmp_path / name) for name in ("v0", "v1")]
    plans(tmp_path, OLD, NEW)
    (tmp_path / "in.csv").write_text(HEAD + "A,2024-05-01,town,10,,\nB,2025-05-01,town,10,,X\n", encoding="utf-8")
    args = ["batch", str(tmp_path / "in.csv"), "-r", run_dirs[1], "-r", run_dirs[0], "-o", str(tmp_path / "out.csv")]
    assert cli_run(*args).return_value == 0
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["rulebook"]["version"] == "1, 2"
    assert [(v["version"], v["effective"], v["path"]) for v in summary["rulebook"]["versions"]] == [
        ("1", {"from": "2024-01-01", "to": "2024-12-31"}, "v0/rulebook.yaml"),
        ("2", {"from": "2025-01-01", "to": None}, "v1/rulebook.yaml"),
    ]
    assert cli_run("verify", str(tmp_path / "out.summary.json"), "--rerun").return_value == 0
    (tmp_path / "v0" / "rulebook.yaml").write_text(OLD.replace("50%", "51%"), encoding="utf-8")
    result = cli_run("verify", str(tmp_path / "out.summary.json"))
    assert result.return_value == 1
    assert "differs      rulebook fund 1" in result.stdout
    assert "holds        rulebook fund 2" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (OLD.replace("2024-12-31", "2024-11-30"), NEW, r"neither fund@1 nor fund@2 is effective from 2024-12-01 to 2024-12-31"),
        (OLD.replace("2024-12-31", "2024-12-30"), NEW, r"neither fund@1 nor fund@2 is effective on 2024-12-31"),
        (OLD.replace("to: 2024-12-31, ", ""), NEW, r"fund@1 and fund@2 are both effective from 2025-01-01 on"),
        (OLD.replace("2024-12-31", "2025-02-01"), NEW, r"both effective from 2025-01-01 to 2025-02-01"),
        (OLD, OLD, r"fund@1 and fund@1 are both effective from 2024-01-01 to 2024-12-31"),
        (OLD, NEW.replace("CNY", "EUR").replace("¥", "EUR "), "fund@1 is in CNY, fund@2 in EUR"),
        (OLD, NEW.replace('site: {rule: place}', 'side: {rule: "total > ¥5"}').replace("site]", "side]"), "both compute 'side', but not as the same kind"),
        (OLD, NEW.replace("total: {type: money, min: 1,", "total: {type: number, min: 1,").replace("¥", ""), "read total as different kinds of number"),
        (OLD, NEW.replace("  place: {type: code}", "  place: {type: code}\n  fee: {type: money, decimals: 3, default: 2}"), "read fee as different kinds of number"),
        (OLD, NEW.replace(" day}", " out}").replace("  day: ", "  out: "), "fund@1 goes by day, fund@2 by out"),
        (OLD, NEW + "sequence: {by: place, order: [day, episode_id]}\n", "have different `sequence`s"),
    ],
)  # fmt: skip
def test_versions_that_do_not_fit(tmp_path: Path, old: str, new: str, why: str) -> None:
    """Gaps, overlaps and whatever else leaves the version of an episode, or its meaning, open: exit 2, with names and dates."""
    found = join_versions(plans(tmp_path, old, new))
    assert isinstance(found, UsageProblem)
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.message)
    with pytest.raises(Failure) as failure:
        cli_run(
            "batch", "none.csv", "-r", str(tmp_path / "v0"), "-r", str(tmp_path / "v1"), "-o", str(tmp_path / "o.csv")
        )
    assert failure.value.exit_code == 2


def test_what_is_not_possible_together_is_said(tmp_path: Path) -> None:
    """Earlier results, counters, lists and groups: one version at a time."""
    report = run(tmp_path, HEAD, earlier=(tmp_path / "x.csv",))
    assert report.exit_code == 2
    assert report.problem is not None
    assert report.problem.message.startswith("--earlier is given with several versions")
    listed = NEW.replace("steps:", "lines: {inputs: {price: {type: money}}}\nsteps:")
    found = join_versions(plans(tmp_path, OLD, listed))
    assert isinstance(found, UsageProblem)
    assert "fund@2 has lists" in found.message


# ---- versions that look back ----------------------------------------------------------------------------

PAST = """
rxcalc: 1
rulebook: capped
version: "%s"
currency: CNY
rounding: half-up
effective: {from: %s, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  total: {type: money}
  undoes: {type: code, optional: yes}
sequence: {by: person_id, order: [day, episode_id], reverses: undoes}
windows:
  ever: {all: yes}
  year: {calendar: year, starting: 07-01, date: day}
steps:
  before: {rule: "ever.sum(paid)"}
  count: {rule: "year.count()"}
  paid: {rule: "min(total * %s, max(0, ¥1_000 - before))"}
outputs: [before, count, paid]
"""
FIRST = PAST % ("1", "2023-01-01, to: 2024-03-31", "50%")
SECOND = PAST % ("2", "2024-04-01, to: 2024-12-31", "60%")
THIRD = PAST % ("3", "2025-01-01", "70%")
PEOPLE = "episode_id,person_id,day,total,undoes\n"


def paid(folder: Path) -> dict[str, tuple[str, str, str, str]]:
    return {
        r["episode_id"]: (r["before"], r["count"], r["paid"], r["rulebook_version"][-1])
        for r in rows(folder / "out.csv")
    }


def test_windows_read_what_older_versions_computed(tmp_path: Path) -> None:
    """The cap of 1,000 over all time is used up across versions; a window of a civil year goes across their border."""
    report = run(
        tmp_path,
        PEOPLE + "C,P1,2025-02-01,1000,\nA,P1,2024-03-31,800,\nB,P1,2024-04-01,900,\nX,P2,2025-02-01,100,\nD,P1,2023-05-01,100,\n",
        THIRD, FIRST, SECOND,
    )  # fmt: skip
    assert report.exit_code == 0, report
    assert paid(tmp_path) == {
        "D": ("0.00", "0", "50.00", "1"),
        "A": ("50.00", "0", "400.00", "1"),  # the year from July 2023; D was in the one before
        "B": ("450.00", "1", "540.00", "2"),
        "C": ("990.00", "0", "10.00", "3"),
        "X": ("0.00", "0", "70.00", "3"),
    }


def test_a_refused_episode_takes_later_ones_of_newer_versions_with_it(tmp_path: Path) -> None:
    """Also one whose date is unreadable, or held by no version; `--after-reject compute` computes them, marked."""
    data = PEOPLE + (
        "A1,P1,2024-01-01,800.001,\nA2,P1,2024-05-01,100,\n"
        "B1,P2,2022-12-31,800,\nB2,P2,2024-05-01,100,\n"
        "C1,P3,soon,800,\nC2,P3,2024-05-01,100,\nC3,P3,2023-05-01,100,\n"
        "D1,P4,2023-05-01,100,\nD2,P4,2024-05-01,1.001,\n"
    )
    report = run(tmp_path, data, FIRST, SECOND, THIRD)
    assert report.exit_code == 1
    assert paid(tmp_path) == {"D1": ("0.00", "0", "50.00", "1")}
    found = {r["episode_id"]: (r["rx_code"], r["rx_value"]) for r in rows(tmp_path / "out.rejects.csv")}
    assert found == {
        "A1": ("RX702", "800.001"), "A2": ("RX811", "line 2"),
        "B1": ("RX723", "2022-12-31"), "B2": ("RX811", "line 4"),
        "C1": ("RX706", "soon"), "C2": ("RX811", "line 6"), "C3": ("RX811", "line 6"),
        "D2": ("RX702", "1.001"),
    }  # fmt: skip
    run(tmp_path, data, FIRST, SECOND, THIRD, after_reject="compute")
    assert {name: (r[0], r[2]) for name, r in paid(tmp_path).items()} == {
        "A2": ("0.00", "60.00"), "B2": ("0.00", "60.00"), "C2": ("50.00", "60.00"), "C3": ("0.00", "50.00"), "D1": ("0.00", "50.00"),
    }  # fmt: skip
    assert {r["episode_id"]: r["rx_note"] for r in rows(tmp_path / "out.csv")} == {
        "A2": "RX811", "B2": "RX811", "C2": "RX811", "C3": "RX811", "D1": "",
    }  # fmt: skip


def test_a_reversal_in_a_newer_version(tmp_path: Path) -> None:
    """It has the negated results of its original, as the older version computed them; neither counts from then on."""
    data = PEOPLE + "A,P1,2024-03-01,600,\nB,P1,2024-05-01,100,\nR,P1,2024-06-01,-600,A\nC,P1,2025-01-01,100,\n"
    report = run(tmp_path, data, FIRST, SECOND, THIRD)
    assert report.exit_code == 0, report.reject_codes
    found = paid(tmp_path)
    assert (found["A"][2], found["B"][2], found["R"][2]) == ("300.00", "60.00", "-300.00")
    assert found["C"][:3] == ("60.00", "0", "70.00")  # B alone counts, in the year before
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["affected_by_reversals"] == {"R": ["B"]}


def test_a_reversal_has_the_results_of_its_original(tmp_path: Path) -> None:
    """Also those that only the older version has; it has none that only its own version has."""
    old = FIRST.replace("outputs: [before", "  old: {rule: total}\noutputs: [old, before")
    new = SECOND.replace("outputs: [before", "  new: {rule: total}\noutputs: [new, before")
    data = PEOPLE + "A,P1,2024-03-01,600,\nB,P1,2024-05-01,100,\nR,P1,2024-06-01,-600,A\nQ,P1,2024-06-02,-100,B\n"
    report = run(tmp_path, data, old, new)
    assert report.exit_code == 0, report.reject_codes
    assert [(r["episode_id"], r["old"], r["new"], r["paid"]) for r in rows(tmp_path / "out.csv")] == [
        ("A", "600.00", "", "300.00"),
        ("B", "", "100.00", "60.00"),
        ("R", "-600.00", "", "-300.00"),
        ("Q", "", "-100.00", "-60.00"),
    ]


def test_what_a_window_reads_must_be_there_before(tmp_path: Path) -> None:
    """A newer window over a step that the older version does not have cannot be filled."""
    old = FIRST.replace("  count:", "  total_paid: {rule: paid}\n  count:")
    new = THIRD.replace("2025-01-01", "2024-04-01").replace("ever.sum(paid)", "ever.sum(kept)")
    new = new.replace("  count:", "  kept: {rule: paid}\n  count:")
    found = join_versions(plans(tmp_path, old, new))
    assert isinstance(found, UsageProblem)
    assert "the windows of capped@3 read kept, which capped@1 does not have" in found.message


def test_orders_that_do_not_begin_with_the_date(tmp_path: Path) -> None:
    """An older version could be needed after a newer one."""
    changed = [text.replace("order: [day, ", "order: [") for text in (FIRST, SECOND)]
    found = join_versions(plans(tmp_path, *changed))
    assert isinstance(found, UsageProblem)
    assert "orders episodes by episode_id first, but its dates go by day" in found.message


YEARS = (("2023-01-01, to: 2023-12-31", "1"), ("2024-01-01, to: 2024-12-31", "2"), ("2025-01-01", "3"))


@pytest.mark.parametrize(
    ("window", "ends"),
    [
        ("{calendar: year, date: day}", True),
        ("{calendar: quarter, date: day}", True),
        ("{calendar: year, starting: 07-01, date: day}", False),
        ("{rolling: 1 year, date: day}", False),
        ("{all: yes}", False),
        ("{period: 1 year, date: day}", False),
    ],
)
def test_years_with_their_own_rules_are_computed_in_columns(tmp_path: Path, window: str, ends: bool) -> None:
    """Where windows end with their version nobody looks across, except for reversals; else histories are joined."""
    texts = []
    for dates, version in YEARS:
        text = PAST % (version, dates, "50%")
        texts.append(
            text.replace("  ever: {all: yes}", f"  ever: {window}").replace(
                "calendar: year, starting: 07-01,", "calendar: month,", int(ends)
            )
        )
    books = plans(tmp_path, *texts)
    assert windows_end(books) is ends
    one = texts[0].replace(", to: 2023-12-31", "")
    dice = random.Random(9)
    lines = []
    for at in range(200):
        day = f"{dice.choice([2023, 2024, 2025])}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        undoes = f"E{dice.randint(0, 199)}" if dice.random() < 0.04 else ""
        total = "x" if dice.random() < 0.02 else dice.choice(["10", "55.55", "300"])
        lines.append(f"E{at},P{dice.randint(1, 40)},{day},{'-' if undoes else ''}{total},{undoes}\n")
    found = []
    for name, books_of in (("whole", [one]), ("parts", texts)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "in.csv").write_text(PEOPLE + "".join(lines))
        plans(folder, *books_of)
        args = [x for at in range(len(books_of)) for x in ("-r", str(folder / f"v{at}"))]
        cli_run(
            "batch",
            str(folder / "in.csv"),
            *args,
            "-o",
            str(folder / "out.csv"),
            "--select",
            "episode_id,before,count,paid",
        )
        rejects = [(r["episode_id"], r["rx_code"], r["rx_value"]) for r in rows(folder / "out.rejects.csv")]
        found.append(((folder / "out.csv").read_bytes(), rejects))
    assert found[0] == found[1]


def test_one_rulebook_cut_in_three_gives_the_same_amounts(tmp_path: Path) -> None:
    """Versions that say the same are one rulebook: any history, with reversals and rejects, has the same results."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    same = [text.replace("60%", "50%").replace("70%", "50%") for text in (FIRST, SECOND, THIRD)]
    one = same[0].replace(", to: 2024-03-31", "")
    for seed in range(6):
        dice = random.Random(seed)
        lines = []
        for at in range(150):
            day = f"{dice.choice([2023, 2024, 2025])}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
            total = dice.choice(["10", "55.55", "300", "1e3"]) if dice.random() < 0.97 else "x"
            undoes = f"E{dice.randint(0, 149)}" if dice.random() < 0.05 else ""
            lines.append(
                f"E{at},P{dice.randint(1, 30)},{'soon' if dice.random() < 0.01 else day},{'-' if undoes else ''}{total},{undoes}\n"
            )
        found = []
        for folder, texts in ((whole, [one]), (parts, same)):
            folder.mkdir(exist_ok=True)
            (folder / "in.csv").write_text(PEOPLE + "".join(lines))
            plans(folder, *texts)
            args = [x for at in range(len(texts)) for x in ("-r", str(folder / f"v{at}"))]
            cli_run(
                "batch",
                str(folder / "in.csv"),
                *args,
                "-o",
                str(folder / "out.csv"),
                "--select",
                "episode_id,before,count,paid",
            )
            rejects = [(r["episode_id"], r["rx_code"], r["rx_value"]) for r in rows(folder / "out.rejects.csv")]
            found.append(((folder / "out.csv").read_bytes(), rejects))
        assert found[0] == found[1], seed


# ---- one bill -------------------------------------------------------------------------------------------


def explain(folder: Path, text: str, *more: str) -> Result:
    (folder / "bill.yaml").write_text(text, encoding="utf-8")
    books = [x for at in range(2) for x in ("-r", str(folder / f"v{at}"))]
    return cli_run("explain", str(folder / "bill.yaml"), *books, "--format", "json", *more)


def test_explain_takes_the_version_of_the_date(tmp_path: Path) -> None:
    """Also of a date that is set by hand, and under an alias."""
    new = NEW.replace("  day: {type: date}", "  day: {type: date, aliases: [出院日期]}").replace(
        "  place: {type: code}", "  place: {type: code, default: X}"
    )
    plans(tmp_path, OLD, new)
    bill = "episode: {episode_id: E, %s, level: town, total: 10}\n"
    old = explain(tmp_path, bill % "day: 2024-12-31")
    assert json.loads(old.stdout)["rulebook"]["version"] == "1"
    later = explain(tmp_path, bill % "day: 2024-12-31", "--set", "day=2025-01-01")
    assert json.loads(later.stdout)["rulebook"]["version"] == "2"
    assert json.loads(explain(tmp_path, bill % "出院日期: 2026年1月2日").stdout)["rulebook"]["version"] == "2"
    assert explain(tmp_path, bill % "day: someday").return_value == 1  # the newest says what is wrong with it


@pytest.mark.parametrize(
    ("bill", "why"),
    [
        ("episode: {day: 2022-12-31}", "no version holds 2022-12-31: the versions are capped@1, capped@2"),
        (
            "earlier: [{episode: {day: 2024-03-31}}]\nepisode: {day: 2024-04-01}",
            "belong to several versions: capped@1, capped@2",
        ),
    ],
)
def test_explain_refuses_bills_of_no_or_several_versions(tmp_path: Path, bill: str, why: str) -> None:
    """Exit 2 with what to do instead."""
    plans(tmp_path, FIRST, SECOND)
    with pytest.raises(Failure, match=why) as failure:
        explain(tmp_path, bill)
    assert failure.value.exit_code == 2
    (tmp_path / "v1" / "rulebook.yaml").write_text(FIRST, encoding="utf-8")
    with pytest.raises(Failure, match="both effective from 2023-01-01 to 2024-03-31"):
        explain(tmp_path, bill)
