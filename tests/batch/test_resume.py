"""Interrupted runs: what is kept, and going on from it to the same bytes."""

from __future__ import annotations

import errno
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rxcalc.cli.load import plan_of
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.publish import Draft
from rxcalc.tabular.spool import Spool, SpoolError
from rxcalc.tabular.streams import FileTape
from rxcalc.tabular.workdir import WorkFolder, open_folder

HEAD = """
rxcalc: 1
rulebook: resumed
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  total: {type: money}
"""
CHECKS = "checks:\n  - {name: large, when: total > ¥900, severity: warn, say: large bill}\n"
STATELESS = f"{HEAD}{CHECKS}steps:\n  paid: {{rule: total * 80%}}\noutputs: [paid]\n"
WINDOWS = (
    f"{HEAD}{CHECKS}sequence: {{by: person_id, order: [day, episode_id]}}\n"
    "windows:\n  year: {calendar: year, date: day}\n"
    'steps:\n  before: {rule: year.sum(paid)}\n  paid: {rule: "max(0, total * 80% - before * 10%)"}\noutputs: [before, paid]\n'
)
LINES = (
    f"{HEAD}lines:\n  order: [line_no]\n  inputs:\n    line_no: {{type: count}}\n    amount: {{type: money}}\n"
    "  steps:\n    part: {rule: amount * 50%}\n"
    "steps:\n  paid: {rule: sum(lines.part)}\noutputs: [paid]\n"
)
GROUPS = (
    f"{STATELESS}groups:\n  days:\n    of: episodes\n    by: {{day: day}}\n"
    "    steps:\n      sum_paid: {rule: sum(episodes.paid)}\n"
)
TOGETHER = (
    f"{HEAD}groups:\n  days:\n    of: episodes\n    by: {{day: day}}\n"
    "    steps:\n      all: {rule: sum(episodes.total)}\n"
    'steps:\n  paid: {rule: "min(total, days.all * 50%)"}\noutputs: [paid]\n'
)
KINDS = {"stateless": STATELESS, "windows": WINDOWS, "lines": LINES, "groups": GROUPS, "together": TOGETHER}


def made(folder: Path, kind: str, doubled: bool = False) -> tuple[Plan, BatchOptions]:
    """A rulebook, 600 dirty rows and a batch of them in blocks of some 60 rows."""
    (folder / "r.yaml").write_text(KINDS[kind], encoding="utf-8")
    dice = random.Random(kind)
    rows = ["episode_id,person_id,day,total"]
    for at in range(600):
        total = dice.choice([f"{dice.randint(1, 1000)}.{dice.randint(0, 99):02d}"] * 20 + ["12.345", "x"])
        name = 17 if doubled and at == 500 else at
        rows.append(
            f"E{name:05d},P{dice.randint(0, 90)},2025-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d},{total}"
        )
    (folder / "in.csv").write_text("\n".join(rows) + "\n合计,,,5.00\n", encoding="utf-8")
    options = BatchOptions(episodes=folder / "in.csv", results=folder / "out.csv", block=2_000)
    if kind == "windows":
        options = replace(options, closing=folder / "closing.csv")
    if kind == "together":
        (folder / "inputs").mkdir()
        options = replace(options, groups=folder / "inputs")
    if kind == "lines":
        lines = [f"E{dice.randint(0, 610):05d},{at},{dice.choice(['1.50', '2.00', 'bad'])}" for at in range(900)]
        (folder / "lines.csv").write_text("\n".join(["episode_id,line_no,amount", *lines]) + "\n", encoding="utf-8")
        options = replace(
            options, lists={"lines": folder / "lines.csv"}, list_results={"lines": folder / "lines.out.csv"}
        )
    return plan_of(str(folder / "r.yaml")), options


def outputs(folder: Path) -> dict[str, bytes]:
    """All files written, the summary without its time."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in {"in.csv", "lines.csv", "r.yaml"}:
            found[str(path.relative_to(folder))] = path.read_bytes()
    if "out.summary.json" in found:
        found["out.summary.json"] = b"\n".join(
            line for line in found["out.summary.json"].splitlines() if b'"seconds"' not in line
        )
    return found


class Stop(BaseException):
    """As Ctrl-C: no Exception."""


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Stops a run at the nth of all steps that change a file; `stop["at"] = 0` never does."""
    stop: dict[str, Any] = {"at": 0, "met": 0}

    def step() -> None:
        stop["met"] += 1
        if stop["met"] == stop["at"]:
            raise stop.get("error", Stop)(errno.ENOSPC, "No space left on device")

    for owner, name in ((Draft, "write"), (WorkFolder, "note"), (Spool, "append"), (Path, "replace"), (Path, "chmod")):
        call = getattr(owner, name)

        def run(*args: object, _call: object = call, **named: object) -> object:
            step()
            return _call(*args, **named)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, run)
    yield stop


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [8, pytest.param(40, marks=pytest.mark.long)])
def test_a_run_stopped_anywhere_goes_on_to_the_same_bytes(
    kind: str, points: int, tmp_path: Path, stopping: dict[str, Any]
) -> None:
    """Stopped at steps that change a file, and once more while it goes on; the old results stay until the end."""
    (tmp_path / "clean").mkdir()
    plan, options = made(tmp_path / "clean", kind)
    stopping["met"] = 0
    expected_code = run_batch(plan, options).exit_code
    steps = stopping["met"]
    assert steps > 60
    expected = outputs(tmp_path / "clean")
    last = range(steps - 12, steps, 1 if points > 10 else 4)  # where files get their names
    for at in sorted({*range(1, steps, max(1, steps // points)), *last}):
        folder = tmp_path / str(at)
        folder.mkdir()
        plan, options = made(folder, kind)
        (folder / "out.csv").write_text("old", encoding="utf-8")
        stopping |= {"at": at, "met": 0}
        with pytest.raises(Stop) as stopped:
            run_batch(plan, options)
        assert "--resume" in stopped.value.__notes__[0]
        published = (folder / "out.csv").read_bytes()
        assert published in (b"old", expected["out.csv"])
        again: BatchReport | None = None
        stopping |= {"at": at // 2 + 3, "met": 0}
        try:
            again = run_batch(plan, replace(options, resume=True))
        except Stop:
            stopping["at"] = 0
            again = run_batch(plan, replace(options, resume=True))
        stopping["at"] = 0
        assert again.problem is None, at
        assert again.exit_code == expected_code
        found = outputs(folder)
        assert found.keys() == expected.keys()
        for name, data in expected.items():
            assert found[name] == data, (at, name)


def interrupted(
    folder: Path, kind: str, stopping: dict[str, Any], at: int, **changes: object
) -> tuple[Plan, BatchOptions]:
    plan, options = made(folder, kind, **changes)  # type: ignore[arg-type]
    stopping |= {"at": at, "met": 0}
    with pytest.raises(Stop):
        run_batch(plan, options)
    stopping["at"] = 0
    return plan, options


def test_resuming_something_else_is_refused(tmp_path: Path, stopping: dict[str, Any]) -> None:
    """Other options, another input or another rulebook: named, and what was kept stays."""
    plan, options = interrupted(tmp_path, "stateless", stopping, 40)
    report = run_batch(plan, replace(options, resume=True, select=("episode_id", "paid")))
    assert report.exit_code == 2
    assert "select" in report.problem.message  # type: ignore[union-attr]
    with options.episodes.open("a", encoding="utf-8") as file:
        file.write("E99999,P1,2025-01-01,5.00\n")
    report = run_batch(plan, replace(options, resume=True))
    assert report.exit_code == 2
    assert "input files" in report.problem.message  # type: ignore[union-attr]
    assert options.work_path.is_dir()
    report = run_batch(plan, options)  # without --resume it begins anew
    assert report.problem is None
    assert report.accounts.read.records == 602  # type: ignore[union-attr]
    assert not options.work_path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_parts_are_not_taken(kind: str, tmp_path: Path, stopping: dict[str, Any]) -> None:
    """Whatever file of an interrupted run is changed, the run begins anew and gives the right bytes."""
    (tmp_path / "clean").mkdir()
    plan, options = made(tmp_path / "clean", kind)
    stopping["met"] = 0
    run_batch(plan, options)
    steps = stopping["met"]
    expected = outputs(tmp_path / "clean")
    dice = random.Random(1)
    for name in ("journal", "part", "aside"):
        folder = tmp_path / name
        folder.mkdir()
        plan, options = interrupted(folder, kind, stopping, steps - 10)
        files = [path for path in options.work_path.iterdir() if path.stat().st_size]
        if name == "part":
            files = [path for path in files if path.suffix == ".part"]
        elif name == "journal":
            files = [path for path in files if path.name == "journal.jsonl"]
        else:
            files = [path for path in files if path.suffix != ".part" and path.name != "journal.jsonl"]
        assert files
        for path in files:
            data = bytearray(path.read_bytes())
            data[dice.randrange(len(data))] ^= 255
            path.write_bytes(data)
        report = run_batch(plan, replace(options, resume=True))
        assert report.problem is None
        found = outputs(folder)
        for file, wanted in expected.items():
            assert found[file] == wanted, file


def test_doubled_ids_are_found_by_a_resumed_run(tmp_path: Path, stopping: dict[str, Any]) -> None:
    """An id of the first block that comes again in the last one refuses both, wherever the run was stopped."""
    for at in (30, 60, 90, 130, 150):
        folder = tmp_path / str(at)
        folder.mkdir()
        plan, options = interrupted(folder, "stateless", stopping, at, doubled=True)
        report = run_batch(plan, replace(options, resume=True))
        assert report.reject_codes["RX744"] == 2
        rejects = (folder / "out.rejects.csv").read_text(encoding="utf-8")
        assert "the same id stands on line 502 too" in rejects
        assert "the same id stands on line 19 too" in rejects


def test_nothing_to_resume_begins_anew_and_says_so(tmp_path: Path) -> None:
    plan, options = made(tmp_path, "stateless")
    report = run_batch(plan, replace(options, resume=True))
    assert report.problem is None
    assert "beginning anew" in report.resumed


def test_two_runs_on_one_output_are_kept_apart(tmp_path: Path) -> None:
    """The second is refused while the first holds the folder, and nothing of the first is touched."""
    plan, options = made(tmp_path, "stateless")
    held = open_folder(options.work_path)
    assert isinstance(held, WorkFolder)
    try:
        program = (
            "import sys; from pathlib import Path; from rxcalc.tabular.workdir import open_folder;"
            "found = open_folder(Path(sys.argv[1])); print(getattr(found, 'message', 'taken'))"
        )
        run = subprocess.run(
            [sys.executable, "-c", program, str(options.work_path)], capture_output=True, text=True, check=True
        )
        assert "another run is writing" in run.stdout
    finally:
        held.remove()
    assert run_batch(plan, options).problem is None


def test_a_folder_of_somebody_else_or_a_link_is_refused(tmp_path: Path) -> None:
    plan, options = made(tmp_path, "stateless")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options.work_path.symlink_to(elsewhere)
    assert run_batch(plan, options).exit_code == 2
    assert list(elsewhere.iterdir()) == []


def test_parts_are_private(tmp_path: Path, stopping: dict[str, Any]) -> None:
    """Nobody else may read what an interrupted run leaves."""
    _, options = interrupted(tmp_path, "windows", stopping, 80)
    assert options.work_path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in options.work_path.iterdir()} == {0o600}
    line = (options.work_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()[0]
    first = json.loads(line.partition(" ")[2])
    assert first["kind"] == "start"


def test_rows_put_aside_elsewhere(tmp_path: Path) -> None:
    """`--temp-dir` takes the parts; nothing is left there."""
    temp = tmp_path / "temp"
    temp.mkdir()
    (tmp_path / "one").mkdir()
    plan, options = made(tmp_path / "one", "windows")
    assert run_batch(plan, replace(options, temp_dir=temp)).problem is None
    assert list(temp.iterdir()) == []


def test_a_cut_segment_is_never_data(tmp_path: Path) -> None:
    import polars as pl

    spool = Spool(tmp_path, "s")
    spool.append(3, pl.DataFrame({"a": [1, 2]}))
    spool.append(3, pl.DataFrame({"a": [3]}))
    assert spool.read(3).get_column("a").to_list() == [1, 2, 3]  # type: ignore[union-attr]
    assert spool.read(4) is None
    path = tmp_path / "s.3"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SpoolError, match="damaged"):
        spool.read(3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_leaves_the_old_results_and_nothing_else(
    kind: str, tmp_path: Path, stopping: dict[str, Any]
) -> None:
    """Whatever write meets the full disk: exit code 2, a message, old files as they were, no parts."""
    plan, options = made(tmp_path, kind)
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    before = outputs(tmp_path)
    stopping["error"] = OSError
    for at in (1, 2, 3, 7, 12, 25, 40, 55):
        stopping |= {"at": at, "met": 0}
        report = run_batch(plan, options)
        stopping["at"] = 0
        assert report.exit_code == 2, at
        assert report.problem is not None
        assert "No space left" in report.problem.message
        assert outputs(tmp_path) == before
        assert not options.work_path.exists()


def lines_of(options: BatchOptions) -> list[str]:
    return (options.work_path / "journal.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.parametrize("kind", ["stateless", "windows"])
@pytest.mark.parametrize("change", ["drop", "swap", "number", "path", "types", "deep"])
def test_an_edited_journal_is_never_believed(kind: str, change: str, tmp_path: Path, stopping: dict[str, Any]) -> None:
    """A line taken out, moved or changed: the run goes on from what stands before it, and no other file is touched."""
    (tmp_path / "clean").mkdir()
    plan, options = made(tmp_path / "clean", kind)
    stopping["met"] = 0
    run_batch(plan, options)
    expected = outputs(tmp_path / "clean")
    folder = tmp_path / "edited"
    folder.mkdir()
    plan, options = interrupted(folder, kind, stopping, stopping["met"] - 14)
    source = options.episodes.read_bytes()
    journal = lines_of(options)
    blocks = [at for at, line in enumerate(journal) if '"kind":"block"' in line]
    assert len(blocks) > 3
    middle = blocks[len(blocks) // 2]
    if change == "drop":
        del journal[middle]
    elif change == "swap":
        journal[middle], journal[middle + 1] = journal[middle + 1], journal[middle]
    elif change == "number":
        journal[middle] = journal[middle].replace('"mark":[', '"mark":[-', 1)
    elif change == "path":
        part = str(options.work_path)
        journal[1] = journal[1].replace(part, str(folder)).replace(".part", "")
    elif change == "types":
        journal[middle] = journal[middle].partition(" ")[0] + ' {"kind":"block","pass":[],"drafts":7}\n'
    else:
        journal[middle] = journal[middle].partition(" ")[0] + " " + "[" * 100_000 + "\n"
    (options.work_path / "journal.jsonl").write_text("".join(journal), encoding="utf-8")
    report = run_batch(plan, replace(options, resume=True))
    assert report.problem is None
    assert options.episodes.read_bytes() == source
    found = outputs(folder)
    for name, data in expected.items():
        assert found[name] == data, name


@pytest.mark.parametrize("resume", [False, True])
def test_a_journal_of_other_things_stops_nobody(resume: bool, tmp_path: Path) -> None:
    """Lines that hash rightly but say nonsense: begun anew, with and without --resume."""
    plan, options = made(tmp_path, "stateless")
    held = open_folder(options.work_path)
    assert isinstance(held, WorkFolder)
    for entry in ({"kind": "start"}, {"kind": "drafts", "drafts": [1]}, {"kind": "block"}, {"kind": []}):
        held.note(entry)
    held.close()
    report = run_batch(plan, replace(options, resume=resume))
    assert report.problem is None or (resume and "differ" in report.problem.message)


def test_an_output_that_another_program_wrote_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither run knows of the other one, as their results have other names: the rejects of the first stay."""
    plan, options = made(tmp_path, "stateless")
    rejects = tmp_path / "shared.csv"
    other = replace(options, results=tmp_path / "other.csv", rejects=rejects)
    options = replace(options, rejects=rejects)
    seen = WorkFolder.note

    def note(folder: WorkFolder, entry: Any, **named: Any) -> None:
        seen(folder, entry, **named)
        if entry["kind"] == "done":
            monkeypatch.setattr(WorkFolder, "note", seen)
            assert run_batch(plan, other).problem is None

    monkeypatch.setattr(WorkFolder, "note", note)
    report = run_batch(plan, options)
    assert report.exit_code == 2
    assert "another program has written it" in report.problem.message  # type: ignore[union-attr]
    assert not options.results.exists()
    assert other.results.exists()


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
@pytest.mark.parametrize("new", [True, False])
def test_tables_of_a_run_stopped_while_it_published(
    scheme: str, new: bool, tmp_path: Path, stopping: dict[str, Any]
) -> None:
    """Stopped at each of the last steps: the resumed run ends with the table once, the rows whole, and nothing left over."""
    plan, options = made(tmp_path, "stateless")
    stopping["met"] = 0
    assert run_batch(plan, options).accounts is not None
    written = len((tmp_path / "out.csv").read_bytes().splitlines()) - 1
    for at in range(14):
        folder = tmp_path / str(at)
        folder.mkdir()
        if not new:
            make_database(scheme, folder / "x.db")
        target = replace(options, results=Path(f"{scheme}:{folder}/x.db?table=t"))
        counted = folder / "counted"
        counted.mkdir()
        if not new:
            make_database(scheme, counted / "x.db")
        stopping |= {"at": 0, "met": 0}
        if at == 0:
            run_batch(plan, replace(target, results=Path(f"{scheme}:{counted}/x.db?table=t")))
            steps = stopping["met"]
        stopping |= {"at": steps - at, "met": 0}
        with pytest.raises(Stop):
            run_batch(plan, target)
        stopping |= {"at": 0, "met": 0}
        report = run_batch(plan, replace(target, resume=True))
        assert report.problem is None, (at, report.problem)
        assert rows_in(scheme, folder / "x.db") == written
        shutil.rmtree(counted)
        assert sorted(path.name for path in folder.iterdir()) == [
            "x.db",
            "x.db.t.findings.csv",
            "x.db.t.rejects.csv",
            "x.db.t.summary.json",
        ]


def make_database(scheme: str, path: Path) -> None:
    import duckdb

    database = duckdb.connect(str(path)) if scheme == "duckdb" else sqlite3.connect(path)
    database.execute("CREATE TABLE other (a INTEGER)")
    database.commit()
    database.close()


def rows_in(scheme: str, path: Path) -> int:
    import duckdb

    database = duckdb.connect(str(path), read_only=True) if scheme == "duckdb" else sqlite3.connect(path)
    found = database.execute("SELECT count(*) FROM t").fetchone()
    database.close()
    return int(found[0])


@pytest.mark.parametrize("kind", ["stateless", "windows"])
def test_a_read_error_leaves_the_old_results(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the input fails in the middle of a pass: told, exit code 2, nothing left over."""
    plan, options = made(tmp_path, kind)
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    before = outputs(tmp_path)
    for nth in (1, 3, 5, 10) if kind == "stateless" else (1, 3, 13, 17):  # a file with windows is gone through twice
        met = 0
        call = FileTape.take

        def take(tape: FileTape, want: int, call: Any = call, nth: int = nth) -> Any:
            nonlocal met
            met += 1
            if met == nth:
                raise OSError(errno.EIO, "Input/output error")
            return call(tape, want)

        with monkeypatch.context() as patch:
            patch.setattr(FileTape, "take", take)
            report = run_batch(plan, options)
        assert report.exit_code == 2, nth
        assert "Input/output error" in report.problem.message  # type: ignore[union-attr]
        assert outputs(tmp_path) == before
        assert not options.work_path.exists()
