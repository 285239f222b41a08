"""Runs that go on from earlier ones: `--earlier`, `--opening`, `--closing`, late arrivals."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from rxcalc.cli.load import plan_of
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.plan.nodes import Plan

HEADER = "episode_id,person_id,chain,admitted,discharged,total\n"
RULEBOOK = """
rxcalc: 1
rulebook: looks-back
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharged}
inputs:
  episode_id: {type: code}
  person_id: {type: code, aliases: [人员]}
  chain: {type: code, optional: yes}
  admitted: {type: date}
  discharged: {type: date}
  total: {type: money}
  undoes: {type: code, optional: yes}
sequence: {by: person_id, order: [%s, episode_id], reverses: undoes}
windows:
%s
steps:
%s
outputs: [%s]
"""
WINDOWS = {
    "year": ("discharged", "{calendar: year, date: discharged}", ["year.count()", "year.sum(paid)", "year.last(total)"]),
    "quarter_chain": ("discharged", "{same: [chain], calendar: quarter, date: discharged}", ["quarter_chain.sum(paid)", "quarter_chain.max(total)"]),
    "spell": ("admitted", "{gap: 20 days, from: discharged, to: admitted}", ["spell.count()", "spell.sum(paid)", "spell.first(total)"]),
    "period": ("discharged", "{period: 2 months, date: discharged}", ["period.sum(paid)", "period.count(where period.total > ¥500)"]),
    "rolling": ("discharged", "{rolling: 3 months, date: discharged}", ["rolling.sum(paid)", "rolling.count()"]),
    "ever": ("discharged", "{all: yes}", ["ever.sum(paid)", "ever.count(distinct total)"]),
}  # fmt: skip


def rulebook(folder: Path, *names: str) -> Plan:
    """A rulebook with some windows; each call is an output, and what is paid depends on all of them."""
    order = WINDOWS[names[0]][0]
    calls = [call for name in names for call in WINDOWS[name][2]]
    steps = [
        f'  c{at}: {{rule: "{f"default({call}, ¥0)" if "last" in call or "first" in call or "max" in call else call}"}}'
        for at, call in enumerate(calls)
    ]
    sums = [f"c{at}" for at, call in enumerate(calls) if "count" not in call]
    counts = [f"c{at}" for at, call in enumerate(calls) if "count" in call]
    hundred = f"¥100 * ({' + '.join(counts)})" if counts else "¥0"
    steps.append(f'  paid: {{rule: "max(0, total - ({" + ".join(sums)}) * 3% - {hundred})"}}')
    text = RULEBOOK % (
        order,
        "\n".join(f"  {name}: {WINDOWS[name][1]}" for name in names),
        "\n".join(steps),
        ", ".join([*(f"c{at}" for at in range(len(calls))), "paid"]),
    )
    path = folder / "rulebook.yaml"
    path.write_text(text, encoding="utf-8")
    return plan_of(str(path))


def episodes(count: int, seed: int) -> list[tuple[int, str]]:
    """Records of one year, each with the month in which it is billed; a person's come in no particular order."""
    dice = random.Random(seed)
    found = []
    for n in range(count):
        month, day = dice.randint(1, 12), dice.randint(10, 28)
        chain = dice.choice(["", "A", "B"])
        total = dice.choice([100, 333, 499.99, 500, 501, 1200.5]) + n
        line = f"E{n:03},P{dice.randint(1, 6)},{chain},2025-{month:02}-{day - dice.randint(0, 9):02},2025-{month:02}-{day:02},{total:.2f}\n"
        found.append((month, line))
    return found


def run(plan: Plan, folder: Path, name: str, records: str, header: str = HEADER, **options: object) -> BatchReport:
    """A batch over records."""
    source = folder / f"{name}.csv"
    source.write_text(header + records, encoding="utf-8")
    return run_batch(plan, BatchOptions(episodes=source, results=folder / f"{name}.out.csv", **options))  # type: ignore[arg-type]


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a results file by episode."""
    return {row["episode_id"]: row for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("names", [("year",), ("quarter_chain",), ("spell",), ("period",), ("rolling",), ("ever",), ("year", "quarter_chain", "rolling")], ids="+".join)  # fmt: skip
def test_twelve_months_one_after_another_are_the_year(tmp_path: Path, names: tuple[str, ...]) -> None:
    """With the results of the months before, every month has the amounts of a run over the whole year."""
    plan = rulebook(tmp_path, *names)
    records = episodes(120, 7)
    assert run(plan, tmp_path, "year", "".join(line for _, line in records)).exit_code == 0
    found: dict[str, dict[str, str]] = {}
    earlier: tuple[Path, ...] = ()
    for month in range(1, 13):
        report = run(
            plan, tmp_path, f"m{month:02}", "".join(line for m, line in records if m == month), earlier=earlier
        )
        assert report.exit_code == 0, report
        earlier = (*earlier, tmp_path / f"m{month:02}.out.csv")
        found |= rows_of(earlier[-1])
    assert found == rows_of(tmp_path / "year.out.csv")


@pytest.mark.parametrize("names", [("year",), ("quarter_chain",), ("spell",), ("period",), ("year", "quarter_chain")], ids="+".join)  # fmt: skip
def test_closing_amounts_are_the_next_opening_amounts(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Twelve months, each opened by what the month before closed with, are the year too."""
    plan = rulebook(tmp_path, *names)
    records = episodes(120, 11)
    run(plan, tmp_path, "year", "".join(line for _, line in records))
    found: dict[str, dict[str, str]] = {}
    opening: Path | None = None
    for month in range(1, 13):
        closing = tmp_path / f"c{month:02}.csv"
        report = run(
            plan, tmp_path, f"m{month:02}", "".join(line for m, line in records if m == month),
            opening=opening, closing=closing,
        )  # fmt: skip
        assert report.exit_code == 0, report
        opening = closing
        found |= rows_of(tmp_path / f"m{month:02}.out.csv")
    assert found == rows_of(tmp_path / "year.out.csv")


def test_closing_is_the_same_by_columns_and_by_record(tmp_path: Path) -> None:
    """The run over the year, and the last of two halves, close with the same amounts."""
    plan = rulebook(tmp_path, "year", "quarter_chain")
    records = episodes(90, 3)
    run(plan, tmp_path, "year", "".join(line for _, line in records), closing=tmp_path / "whole.csv")
    run(plan, tmp_path, "h1", "".join(line for m, line in records if m < 7))
    run(
        plan, tmp_path, "h2", "".join(line for m, line in records if m > 6),
        earlier=(tmp_path / "h1.out.csv",), closing=tmp_path / "halves.csv",
    )  # fmt: skip
    whole = (tmp_path / "whole.csv").read_text(encoding="utf-8")
    assert whole.splitlines()[0] == (
        "person_id,window,chain,from,year.count(),year.last(total),year.sum(paid),quarter_chain.max(total),quarter_chain.sum(paid)"
    )
    assert sorted(whole.splitlines()) == sorted((tmp_path / "halves.csv").read_text(encoding="utf-8").splitlines())


def test_a_hand_written_opening_counts(tmp_path: Path) -> None:
    """The columns are the key and calls in any spelling; any day of the year says which year."""
    plan = rulebook(tmp_path, "year")
    opening = tmp_path / "opening.csv"
    opening.write_text(
        "人员,from,year.sum( paid ),year.count()\nP1,2025-05-17,1000,2\nP2,2024-12-31,5,5\n", encoding="utf-8"
    )
    report = run(
        plan,
        tmp_path,
        "m",
        "E1,P1,,2025-06-01,2025-06-02,500.00\nE2,P2,,2025-06-01,2025-06-02,500.00\n",
        opening=opening,
    )
    assert report.exit_code == 0
    found = rows_of(tmp_path / "m.out.csv")
    assert (found["E1"]["c0"], found["E1"]["c1"], found["E1"]["paid"]) == ("2", "1000.00", "270.00")
    assert (found["E2"]["c0"], found["E2"]["c1"]) == ("0", "0.00")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("person_id,from,year.sum(padi)\nP1,2025-01-01,1\n", "year.sum(padi)"),
        ("from,year.sum(paid)\n2025-01-01,1\n", "person_id"),
        ("person_id,year.sum(paid)\nP1,1\n", "window `year` needs from"),
        ("person_id,from,year.sum(paid)\nP1,2025-01-01,1\nP1,2025-03-01,1\n", "a second time"),
        ("person_id,from,year.sum(paid)\nP1,2025-01-01,x\n", "line 2"),
        ("person_id,from,year.count()\nP1,2025-01-01,-1\n", "line 2"),
        ("person_id,window,from,year.count()\nP1,month,2025-01-01,1\n", "no window `month`"),
    ],
)
def test_openings_that_cannot_be_taken_stop_the_run(tmp_path: Path, text: str, part: str) -> None:
    """Nothing of an opening is guessed or left out: exit code 2 with the line."""
    plan = rulebook(tmp_path, "year")
    (tmp_path / "opening.csv").write_text(text, encoding="utf-8")
    report = run(plan, tmp_path, "m", "", opening=tmp_path / "opening.csv")
    assert report.exit_code == 2
    assert report.problem is not None
    assert part in report.problem.message


def test_earlier_results_and_an_opening_for_one_window_are_refused(tmp_path: Path) -> None:
    """RX819 names the earlier result; other persons, and other years, are computed."""
    plan = rulebook(tmp_path, "year")
    run(plan, tmp_path, "a", "E1,P1,,2025-01-01,2025-01-02,500.00\n")
    (tmp_path / "opening.csv").write_text(
        "person_id,from,year.sum(paid),year.count()\nP1,2025-01-01,1,1\nP2,2025-01-01,1,1\nP1,2024-01-01,9,9\n",
        encoding="utf-8",
    )
    report = run(
        plan, tmp_path, "b", "E2,P1,,2025-02-01,2025-02-02,500.00\nE3,P2,,2025-02-01,2025-02-02,500.00\n",
        earlier=(tmp_path / "a.out.csv",), opening=tmp_path / "opening.csv",
    )  # fmt: skip
    assert report.reject_codes == {"RX819": 1}
    rejected = rows_of(tmp_path / "b.out.rejects.csv")
    assert "`E1` on line 2 of a.out.csv" in rejected["E2"]["rx_message"]
    assert list(rows_of(tmp_path / "b.out.csv")) == ["E3"]


def test_an_opening_that_only_a_single_episode_can_take(tmp_path: Path) -> None:
    """What a rolling window held before cannot be known for a second episode: RX758 for whoever has several."""
    plan = rulebook(tmp_path, "rolling")
    (tmp_path / "opening.csv").write_text("person_id,rolling.sum(paid)\nP1,100\nP2,100\n", encoding="utf-8")
    lines = [f"E{n},P{p},,2025-02-0{n},2025-02-1{n},500.00\n" for n, p in ((1, 1), (2, 2), (3, 2))]
    report = run(plan, tmp_path, "m", "".join(lines), opening=tmp_path / "opening.csv")
    assert report.reject_codes == {"RX758": 2}
    assert rows_of(tmp_path / "m.out.csv")["E1"]["c0"] == "100.00"


@pytest.mark.parametrize("lacking", ["paid", "person_id", "discharged", "episode_id"])
def test_earlier_results_must_hold_what_windows_read(tmp_path: Path, lacking: str) -> None:
    """A file without a field of the sequence, of a window, or a step that one reads is exit code 2, by name."""
    plan = rulebook(tmp_path, "year")
    run(plan, tmp_path, "a", "E1,P1,,2025-01-01,2025-01-02,500.00\n")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.out.csv").read_text(encoding="utf-8"))))
    with (tmp_path / "cut.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != lacking], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    report = run(plan, tmp_path, "b", "E2,P1,,2025-02-01,2025-02-02,500.00\n", earlier=(tmp_path / "cut.csv",))
    assert report.exit_code == 2
    assert report.problem is not None
    assert f"lacks {lacking}," in report.problem.message
    assert not (tmp_path / "b.out.csv").exists()


def test_results_always_hold_what_windows_read(tmp_path: Path) -> None:
    """`--select` cannot leave out a step that a later run needs."""
    plan = rulebook(tmp_path, "year")
    run(plan, tmp_path, "a", "E1,P1,,2025-01-01,2025-01-02,500.00\n", select=("episode_id", "c0"))
    assert (tmp_path / "a.out.csv").read_text(encoding="utf-8") == "episode_id,c0,paid\nE1,0,500.00\n"


def test_an_episode_in_two_files_is_refused(tmp_path: Path) -> None:
    """In the input and in earlier results, or in two earlier results: exit code 2, with both places."""
    plan = rulebook(tmp_path, "year")
    line = "E1,P1,,2025-01-01,2025-01-02,500.00\n"
    for name in ("a", "b"):
        run(plan, tmp_path, name, line)
    one, two = tmp_path / "a.out.csv", tmp_path / "b.out.csv"
    told = [
        run(plan, tmp_path, "c", line, earlier=(one,)),
        run(plan, tmp_path, "d", line.replace("E1", "E2"), earlier=(one, two)),
        run(plan, tmp_path, "e", line.replace("E1", "E2"), earlier=(one, one)),
    ]
    assert [report.exit_code for report in told] == [2, 2, 2]
    assert told[0].problem is not None
    assert told[0].problem.message == "the episode 'E1' stands on line 2 of c.csv and on line 2 of a.out.csv"


def test_late_arrivals_are_computed_from_what_precedes_them_and_name_what_is_stale(tmp_path: Path) -> None:
    """A late bill of February sees January only; the bill of March that it would have changed is listed."""
    plan = rulebook(tmp_path, "year")
    lines = [f"E{m},P1,,2025-{m:02}-01,2025-{m:02}-02,1000.00\n" for m in (1, 3, 4)] + [
        "F3,P2,,2025-03-01,2025-03-02,9.00\n"
    ]
    run(plan, tmp_path, "a", "".join(lines))
    report = run(plan, tmp_path, "late", "L2,P1,,2025-02-01,2025-02-02,400.00\n", earlier=(tmp_path / "a.out.csv",))
    assert report.exit_code == 1
    assert report.stale == 2
    issued = rows_of(tmp_path / "a.out.csv")
    late = rows_of(tmp_path / "late.out.csv")["L2"]
    assert (late["c0"], late["c1"], late["c2"]) == ("1", issued["E1"]["paid"], "1000.00")
    stale = rows_of(tmp_path / "late.out.stale.csv")
    assert list(stale) == ["E3", "E4"]
    assert (stale["E3"]["rx_file"], stale["E3"]["rx_line"], stale["E3"]["rx_late"]) == ("a.out.csv", "3", "L2")
    whole = tmp_path / "whole"
    whole.mkdir()
    run(plan, whole, "y", "".join([*lines, "L2,P1,,2025-02-01,2025-02-02,400.00\n"]))
    assert f"paid: {issued['E3']['paid']} -> {rows_of(whole / 'y.out.csv')['E3']['paid']}" in stale["E3"]["rx_changed"]
    summary = json.loads((tmp_path / "late.out.summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "incomplete"
    assert summary["stale"]["results"] == 2
    assert summary["earlier"][0]["name"] == "a.out.csv"


def test_late_arrivals_that_change_nothing_leave_nothing_stale(tmp_path: Path) -> None:
    """Another year is not looked at; a file with nothing stale has its header all the same."""
    plan = rulebook(tmp_path, "year")
    run(plan, tmp_path, "a", "E3,P1,,2026-03-01,2026-03-02,1000.00\n")
    report = run(plan, tmp_path, "late", "L2,P1,,2025-02-01,2025-02-02,400.00\n", earlier=(tmp_path / "a.out.csv",))
    assert report.exit_code == 0
    assert (tmp_path / "late.out.stale.csv").read_text(encoding="utf-8").count("\n") == 1


def test_stale_results_are_listed_even_where_they_cannot_be_computed_again(tmp_path: Path) -> None:
    """Where an input is not in the earlier file, whatever could have read the late arrival is listed."""
    plan = rulebook(tmp_path, "year")
    run(
        plan,
        tmp_path,
        "a",
        "E3,P1,,2025-03-01,2025-03-02,1000.00\n",
        select=("episode_id", "person_id", "discharged", "total"),
    )
    report = run(plan, tmp_path, "late", "L2,P1,,2025-02-01,2025-02-02,400.00\n", earlier=(tmp_path / "a.out.csv",))
    assert report.stale == 1
    assert rows_of(tmp_path / "late.out.stale.csv")["E3"]["rx_changed"] == ""


def test_a_reversal_of_an_earlier_result_takes_it_out(tmp_path: Path) -> None:
    """The reversal has the negated results as recorded; what comes after it no longer sees the original."""
    plan = rulebook(tmp_path, "year")
    run(plan, tmp_path, "a", "E1,P1,,2025-01-01,2025-01-02,1000.00\n1,P1,,2025-02-01,2025-02-02,1000.00\n")
    report = run(
        plan, tmp_path, "b",
        "R1,P1,,2025-03-01,2025-03-02,1000.00,E1\nE4,P1,,2025-04-01,2025-04-02,1000.00,\n",
        HEADER.strip() + ",undoes\n", earlier=(tmp_path / "a.out.csv",),
    )  # fmt: skip
    assert report.exit_code == 0, report.examples
    found, issued = rows_of(tmp_path / "b.out.csv"), rows_of(tmp_path / "a.out.csv")
    assert found["R1"]["paid"] == f"-{issued['E1']['paid']}"
    assert (found["E4"]["c0"], found["E4"]["c1"]) == ("1", issued["1"]["paid"])
    assert report.affected == 1
    summary = json.loads((tmp_path / "b.out.summary.json").read_text(encoding="utf-8"))
    assert summary["affected_by_reversals"] == {"R1": ["1"]}
    again = run(
        plan, tmp_path, "c", "E5,P1,,2025-05-01,2025-05-02,1000.00\n",
        earlier=(tmp_path / "a.out.csv", tmp_path / "b.out.csv"),
    )  # fmt: skip
    assert again.exit_code == 0
    assert rows_of(tmp_path / "c.out.csv")["E5"]["c0"] == "2"


def test_runs_that_do_not_look_back_take_no_earlier_results(tmp_path: Path) -> None:
    """For a rulebook without a sequence `--earlier`, `--opening` and `--closing` are bad usage."""
    plan = plan_of("qin")
    source = tmp_path / "in.csv"
    source.write_text("episode_id\n", encoding="utf-8")
    for more in ({"earlier": (source,)}, {"opening": source}, {"closing": tmp_path / "c.csv"}):
        assert run_batch(plan, BatchOptions(episodes=source, results=tmp_path / "out.csv", **more)).exit_code == 2  # type: ignore[arg-type]
