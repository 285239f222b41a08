"""Benchmarks of files: Parquet against CSV, a run that goes on after being killed, and a file longer than the memory."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
POLICY = str(HERE / "policy")
RXCALC = (PYTHON, "-m", "rxcalc", "batch")


def as_parquet(source: Path, target: Path) -> None:
    """The benchmark's episodes with types: decimals, dates, flags."""
    import polars as pl

    money = ("total_cost", "drug_class_b_cost", "excluded_cost", "prior_fund_paid_this_year")
    schema: dict[str, Any] = {name: pl.Decimal(18, 2) for name in money}
    schema |= {"discharge_date": pl.Date, "referred": pl.Boolean}
    pl.scan_csv(source, schema_overrides=schema).sink_parquet(target)


def parquet(
    rows: list[int],
    runs: int,
    work: Path,
    in_turn: Callable[..., Any],
    show: Callable[..., None],
    made: Callable[[int], Path],
) -> None:
    """Parquet to Parquet against CSV to CSV: the same rows, the same policy."""
    for n in rows:
        source = made(n)
        typed = work / f"episodes-{n}.parquet"
        if not typed.exists():
            as_parquet(source, typed)
        found = in_turn(
            runs,
            parquet=(*RXCALC, str(typed), "-r", POLICY, "-o", str(work / "ours.parquet"), "--no-progress"),
            csv=(*RXCALC, str(source), "-r", POLICY, "-o", str(work / "ours.csv"), "--no-progress"),
        )
        show(f"Parquet to Parquet, {n:,} rows", found, "csv")


def resume(rows: list[int], runs: int, work: Path, made: Callable[[int], Path]) -> None:
    """A run killed when nine tenths of its blocks are written, then gone on with: the time of the second run against a whole one."""
    for n in rows:
        for rulebook, source in ((POLICY, made(n)), ("beijing-employee", _long(work, n))):
            command = (str(source), "-r", rulebook, "-o", str(work / "resumed.csv"), "--no-progress")
            whole, rest = [], []
            notes = _notes(command)
            for _ in range(runs):
                whole.append(_seconds(*RXCALC, *command))
                worker = (
                    PYTHON,
                    str(HERE.parent / "batch" / "killed_worker.py"),
                    "note",
                    str(notes * 9 // 10),
                    "before",
                    "--",
                )
                killed = subprocess.run([*worker, "batch", *command], capture_output=True, check=False)
                if killed.returncode != -signal.SIGKILL:
                    raise SystemExit(killed.stderr.decode())
                rest.append(_seconds(*RXCALC, *command, "--resume"))
            ratio = statistics.median(rest) / statistics.median(whole)
            print(
                f"\nkilled when 90 % of {n:,} rows were written, {Path(rulebook).name}\n  whole {statistics.median(whole):.2f} s, "
                f"resumed {statistics.median(rest):.2f} s: x {ratio:.2f}"
            )


def _notes(command: tuple[str, ...]) -> int:
    """How many lines the journal of a run gets."""
    worker = (PYTHON, str(HERE.parent / "batch" / "killed_worker.py"), "count", "-", "-", "--")
    counted = subprocess.run([*worker, "batch", *command], capture_output=True, check=True, text=True)
    return sum(1 for line in counted.stderr.splitlines() if line.startswith("step note "))


def long(rows: list[int], work: Path, memory: str) -> None:
    """A file of stays with windows over earlier ones, three a person, under `--memory`."""
    for n in rows:
        source = _long(work, n)
        start = time.perf_counter()
        process = subprocess.Popen(
            [
                *RXCALC,
                str(source),
                "-r",
                "beijing-employee",
                "-o",
                str(work / "long.csv"),
                "--memory",
                memory,
                "--no-progress",
            ]
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        print(
            f"\nwindows, {n:,} rows ({source.stat().st_size / 1e9:.1f} GB) with --memory {memory}: ended with {process.returncode} after "
            f"{time.perf_counter() - start:.0f} s, processor {usage.ru_utime + usage.ru_stime:.0f} s, peak {usage.ru_maxrss / 1024:.0f} MiB"
        )


def _long(work: Path, n: int) -> Path:
    path = work / f"stays-{n}.csv"
    if not path.exists():
        subprocess.run([PYTHON, str(HERE / "long_file.py"), str(n), str(path)], check=True)
    return path


def _seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - start
