#!/usr/bin/env python3
"""Benchmarks of rxcalc against hand-written programs, in turn in one run; prints ratios of medians.

usage: run.py [csv|memory|start|episode|windows|lines|groups|settle|parquet|resume|long ..] [--rows 1e6,1e7] [--runs 5] [--work DIR]

  csv      CSV to CSV: `rxcalc batch` (every cell validated, rejects and summary written) against
           opponent_polars.py (no validation), whole processes, with peak memory; the results must be the same bytes
  memory   the columnar back end on a typed frame against the hand-written Polars kernel
  start    `rxcalc --help` and `rxcalc explain` of a cached rulebook against `python -c "import click"`
  episode  one warm episode through the Python interface against a plain Python function
  windows  beijing-employee with three episodes a person, shuffled, against one episode a person; and lookback/ (a rolling
           year, spells, a condition that compares two episodes) against opponent_lookback.py, CSV to CSV and in memory, for
           3.3 episodes a person and for a few persons with many; the results must be the same bytes
  lines    bills of ten lines (a price list, sums, bands, a spread over the lines) in memory against opponent_lines.py
  groups   the same number of bills with groups inside each and regions that settle a year, against opponent_groups.py
  settle   CSV to CSV: the policy of `csv` alone; with groups of a year that only add up; with groups that every episode reads
           and receives a part of; with two checks. And groups/ with bills of ten lines (a tenth of the rows as bills)
  parquet  Parquet to Parquet against CSV to CSV, the same rows
  resume   a run killed when 90 % of its blocks are written: the time of the run that goes on against that of a whole one
  long     not run unless asked for: windows over a file longer than the memory (--rows 5e7), peak memory under --memory 2GB

Needs numpy for the generator. Nothing here is a test: absolute times are those of this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import files

if TYPE_CHECKING:
    from rxcalc.backends.base import Row

HERE = Path(__file__).resolve().parent
POLICY = HERE / "policy"
LOOKBACK = HERE / "lookback"
ROOT = HERE.parent.parent
PYTHON = sys.executable


class Timed:
    """Wall seconds, processor seconds and peak memory (MiB) of whole processes."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.processor: list[float] = []
        self.memory: list[float] = []

    def run(self, *command: str) -> None:
        """One run; the operating system's own accounting of the finished process."""
        start = time.perf_counter()
        with open(os.devnull, "wb") as nothing:
            process = subprocess.Popen(command, stdout=nothing, stderr=nothing, cwd=ROOT)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds.append(time.perf_counter() - start)
        self.processor.append(usage.ru_utime + usage.ru_stime)
        self.memory.append(usage.ru_maxrss / 1024)
        if process.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def in_turn(runs: int, **commands: tuple[str, ...]) -> dict[str, Timed]:
    """Each command once to warm up, then all of them in turn, `runs` times."""
    found = {name: Timed() for name in commands}
    for name, command in commands.items():
        Timed().run(*command)
        del name
    for _ in range(runs):
        for name, command in commands.items():
            found[name].run(*command)
    return found


def show(title: str, found: dict[str, Timed], base: str) -> None:
    print(f"\n{title}")
    for name, timed in found.items():
        low, high = min(timed.seconds), max(timed.seconds)
        ratio = timed.median / found[base].median
        processor, its = (statistics.median(x.processor) for x in (timed, found[base]))
        print(
            f"  {name:28s} median {timed.median:7.3f} s ({low:.3f} .. {high:.3f}), processor {processor:.2f} s  "
            f"peak {max(timed.memory):6.0f} MiB  x {ratio:.2f}, processor x {processor / its:.2f} of {base}"
        )


def _episodes(work: Path, n: int) -> Path:
    source = work / f"episodes-{n}.csv"
    if not source.exists():
        subprocess.run([PYTHON, str(HERE / "gen.py"), str(n), str(source)], check=True)
    return source


def csv(rows: list[int], runs: int, work: Path) -> None:
    for n in rows:
        source = _episodes(work, n)
        ours, dec, text = work / "ours.csv", work / "dec.csv", work / "str.csv"
        opponent = (PYTHON, str(HERE / "opponent_polars.py"), "csv", str(source))
        found = in_turn(
            runs,
            rxcalc=(PYTHON, "-m", "rxcalc", "batch", str(source), "-r", str(POLICY), "-o", str(ours), "--no-progress"),
            polars_dec=(*opponent, str(dec), "dec"),
            polars_str=(*opponent, str(text), "str"),
        )
        same = ours.read_bytes() == dec.read_bytes() if n <= 2_000_000 else _same_hash(ours, dec)
        show(f"CSV to CSV, {n:,} rows (results byte-identical: {'yes' if same else 'NO'})", found, "polars_dec")
        for path in (ours, dec, text):
            path.unlink()


def _same_hash(a: Path, b: Path) -> bool:
    from hashlib import sha256

    def digest(path: Path) -> str:
        total = sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 22):
                total.update(block)
        return total.hexdigest()

    return digest(a) == digest(b)


def memory(rows: list[int], runs: int, work: Path) -> None:
    sys.path[:0] = [str(HERE), str(ROOT)]
    import opponent_polars as opponent
    import polars as pl

    import rxcalc
    from rxcalc.backends.columnar import Columnar
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.replay import run_known
    from rxcalc.inputs.tables import TableReader

    plan = rxcalc.load(POLICY).plan
    for n in rows:
        source = work / f"episodes-{n}.csv"
        if not source.exists():
            subprocess.run([PYTHON, str(HERE / "gen.py"), str(n), str(source)], check=True)
        text = pl.read_csv(source, infer_schema=False)
        frame = TableReader(plan).read(text).frame
        fen = opponent.fen_frame(text.lazy()).collect()
        kernel = opponent.policy(fen.lazy(), pl.col("level"), pl.col("referred")).select(opponent.C.OUT_COLS)
        columnar = Columnar(plan, partial(run_known, Exact(plan)))

        def ours() -> object:
            return columnar.run(frame, plan.outputs)

        def theirs() -> object:
            return kernel.collect()

        mine, other = alternately(runs, ours, theirs)
        print(
            f"\nin memory, {n:,} rows\n  rxcalc {mine * 1e3:.1f} ms, hand-written Polars {other * 1e3:.1f} ms: x {mine / other:.2f}"
        )


def alternately(runs: int, first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Medians of two functions called in turn."""
    first(), second()
    a: list[float] = []
    b: list[float] = []
    for _ in range(max(runs, 9)):
        for function, times in ((first, a), (second, b)):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return statistics.median(a), statistics.median(b)


def start(runs: int) -> None:
    found = in_turn(
        max(runs, 11),
        click=(PYTHON, "-c", "import click"),
        help=(PYTHON, "-m", "rxcalc", "--help"),
        explain=(PYTHON, "-m", "rxcalc", "explain", "docs/bills/qin-county.yaml", "-r", "qin"),
    )
    show("start-up", found, "click")


def episode() -> None:
    sys.path.insert(0, str(ROOT))
    import rxcalc

    rulebook = rxcalc.load(POLICY)
    bill = {
        "episode_id": "E1", "person_id": "P1", "level": "city", "discharge_date": "2024-06-30", "total_cost": "12835.32",
        "drug_class_b_cost": "2376.11", "excluded_cost": "13.73", "referred": "false", "prior_fund_paid_this_year": "1665.77",
    }  # fmt: skip
    ours = [rulebook.evaluate(bill).steps[name] for name in ("eligible", "deductible", "base", "fund", "patient")]
    assert [int(v * 100) for v in ours] == list(plain(bill))  # type: ignore[operator]
    n = 2_000
    mine = statistics.median(timeit.repeat(lambda: rulebook.evaluate(bill), number=n, repeat=7)) / n
    other = statistics.median(timeit.repeat(lambda: plain(bill), number=n, repeat=7)) / n
    print(
        f"\none warm episode\n  rxcalc {mine * 1e6:.1f} us, a plain Python function {other * 1e6:.2f} us: x {mine / other:.0f}"
    )


def plain(e: dict[str, str]) -> tuple[int, ...]:
    """The benchmark policy by hand, in whole fen."""

    def fen(text: str) -> int:
        whole, _, cents = text.partition(".")
        return int(whole + (cents + "00")[:2])

    eligible = fen(e["total_cost"]) - fen(e["excluded_cost"]) - (fen(e["drug_class_b_cost"]) + 5) // 10
    deductible = {"town": 0, "county": 20000, "city": 40000, "province": 60000}[e["level"]]
    base = max(0, eligible - deductible)
    fund = (min(base, 1000000) * 85 + 50) // 100 + (max(0, min(base, 5000000) - 1000000) * 90 + 50) // 100
    fund += (max(0, base - 5000000) * 95 + 50) // 100
    if e["level"] in ("city", "province") and e["referred"] != "true":
        fund = (fund * 80 + 50) // 100
    fund = min(fund, max(0, 15000000 - fen(e["prior_fund_paid_this_year"])))
    return eligible, deductible, base, fund, fen(e["total_cost"]) - fund


def windows(rows: list[int], runs: int, work: Path) -> None:
    for n in rows:
        many, single = work / f"beijing-3-{n}.csv", work / f"beijing-1-{n}.csv"
        for path, each in ((many, 3), (single, 1)):
            if not path.exists():
                _beijing(path, n, each)
        found = in_turn(
            runs,
            three_a_person=(
                PYTHON,
                "-m",
                "rxcalc",
                "batch",
                str(many),
                "-r",
                "beijing-employee",
                "-o",
                str(work / "many.out.csv"),
                "--no-progress",
            ),
            one_a_person=(
                PYTHON,
                "-m",
                "rxcalc",
                "batch",
                str(single),
                "-r",
                "beijing-employee",
                "-o",
                str(work / "one.out.csv"),
                "--no-progress",
            ),
        )
        show(f"windows, {n:,} rows", found, "one_a_person")
        for skew, title in ((1.0, "3.3 episodes a person"), (1.5, "some persons with many")):
            _lookback(n, skew, f"looking back, {n:,} rows, {title}", runs, work)


def _lookback(n: int, skew: float, title: str, runs: int, work: Path) -> None:
    source = work / f"lookback-{n}-{skew}.csv"
    if not source.exists():
        _histories(source, n, n * 3 // 10, skew)
    ours, theirs = work / "ours.csv", work / "theirs.csv"
    found = in_turn(
        runs,
        rxcalc=(PYTHON, "-m", "rxcalc", "batch", str(source), "-r", str(LOOKBACK), "-o", str(ours), "--no-progress"),
        polars=(PYTHON, str(HERE / "opponent_lookback.py"), str(source), str(theirs)),
    )
    show(f"{title} (results byte-identical: {'yes' if _same_hash(ours, theirs) else 'NO'})", found, "polars")
    in_memory = subprocess.run(
        [PYTHON, __file__, "lookback-in-memory", "--source", str(source), "--runs", str(runs)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    print(in_memory.stdout, end="")
    for path in (ours, theirs):
        path.unlink()


def lookback_in_memory(source: Path, runs: int) -> None:
    """Wall and processor time of the columns alone; in a process of its own, so that peaks of memory stay apart."""
    sys.path[:0] = [str(HERE), str(ROOT)]
    import opponent_lookback as opponent
    import polars as pl

    import rxcalc
    from rxcalc.backends.columnar import Columnar
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.history import run_person
    from rxcalc.backends.replay import run_known
    from rxcalc.inputs.tables import TableReader

    plan = rxcalc.load(LOOKBACK).plan
    frame = TableReader(plan).read(pl.read_csv(source, infer_schema=False)).frame
    typed = opponent.typed(pl.read_csv(source, schema=opponent.SCHEMA))
    exact = Exact(plan)
    alone: list[int] = []

    def one_by_one(rows: Sequence[Row], *, compute: bool) -> object:
        alone.append(len(rows))
        return run_person(exact, rows, compute=compute)

    columnar = Columnar(plan, partial(run_known, exact), one_by_one)
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}

    def ours() -> object:
        alone.clear()
        start = time.process_time()
        found = columnar.run(frame, plan.outputs)
        spent["ours"].append(time.process_time() - start)
        return found

    def theirs() -> object:
        start = time.process_time()
        found = opponent.lookback(typed)
        spent["theirs"].append(time.process_time() - start)
        return found

    mine, other = alternately(runs, ours, theirs)
    cpu, its = (statistics.median(spent[name][1:]) for name in ("ours", "theirs"))
    print(
        f"  in memory                    rxcalc {mine:.2f} s, hand-written Polars {other:.2f} s: x {mine / other:.2f}; "
        f"processor {cpu:.2f} and {its:.2f} s: x {cpu / its:.2f}; {sum(alone)} rows of {len(alone)} persons computed alone"
    )


def _histories(path: Path, n: int, people: int, skew: float) -> None:
    """Shuffled episodes of three years; with `skew` above 1 some persons have many."""
    chance = random.Random(20250102)
    first = date(2023, 1, 1)
    days = [(first + timedelta(days=at)).isoformat() for at in range(1_101)]
    with path.open("w", encoding="utf-8") as out:
        out.write("episode_id,person_id,level,admission_date,discharge_date,in_scope\n")
        for at in chance.sample(range(n), n):
            person = f"P{int(people * chance.random() ** skew):08d}"
            level, stay = chance.choice("1123"), chance.choice((0, 1, 2, 3, 5, 8, 13, 30))
            came = chance.randrange(1_070)
            scope = min(int(chance.lognormvariate(13, 1)), 999_999_999)
            out.write(
                f"E{at:09d},{person},level_{level},{days[came]},{days[came + stay]},{scope // 100}.{scope % 100:02d}\n"
            )


def _beijing(path: Path, n: int, each: int) -> None:
    """Shuffled episodes of 2025, `each` a person."""
    chance = random.Random(20250101)
    order = list(range(n))
    chance.shuffle(order)
    with path.open("w", encoding="utf-8") as out:
        out.write("episode_id,person_id,person_class,level,discharge_date,total,in_scope\n")
        for at in order:
            total = int(chance.lognormvariate(13.5, 1))
            scope = total * chance.randint(60, 100) // 100
            day = f"2025-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
            person = f"P{at // each:08d}"
            of, level = chance.choice(("active", "retired")), chance.choice(("level_1", "level_2", "level_3"))
            out.write(
                f"E{at:09d},{person},{of},{level},{day},{total // 100}.{total % 100:02d},{scope // 100}.{scope % 100:02d}\n"
            )


TOTALS = """
groups:
  years:
    of: episodes
    by: {year: year(discharge_date), level: level}
    steps:
      paid: {rule: sum(episodes.fund)}
      cases: {rule: count(episodes)}
"""
READ = """
groups:
  years:
    of: episodes
    by: {year: year(discharge_date), level: level}
    inputs: {budget: {type: money, max: 100_000_000_000, default: 30_000_000_000}}
    steps:
      paid: {rule: sum(episodes.fund)}
      cases: {rule: count(episodes)}
      each: {rule: "if cases = 0 then ¥0 else paid / cases"}
      left: {rule: "if paid = 0 then ¥0 else max(0, budget - paid)"}
    spread: {bonus: {what: left, over: episodes, by: fund}}
"""
CHECKS = """
checks:
  - {name: dear, when: "total_cost > ¥150_000", say: dear, amount: "total_cost - ¥150_000"}
  - {name: uncovered, when: "fund < total_cost * 1% and total_cost > ¥50_000", say: hardly covered, severity: error}
"""


def settle(rows: list[int], runs: int, work: Path) -> None:
    """Groups across bills and checks in a batch."""
    policy = (POLICY / "rulebook.yaml").read_text(encoding="utf-8")
    read = policy.replace(
        "shares:\n", "  compared: {rule: fund - years.each}\n  topped: {rule: fund + bonus}\n\nshares:\n"
    )
    books = {
        "plain": policy,
        "totals": policy + TOTALS,
        "read": read.replace("patient]\n", "patient, compared, topped]\n") + READ,
    }
    books["checks"] = policy + CHECKS
    for name, text in books.items():
        (work / name).mkdir(exist_ok=True)
        (work / name / "rulebook.yaml").write_text(text, encoding="utf-8")
    batch = (PYTHON, "-m", "rxcalc", "batch")
    for n in rows:
        source = work / f"episodes-{n}.csv"
        if not source.exists():
            subprocess.run([PYTHON, str(HERE / "gen.py"), str(n), str(source)], check=True)
        commands = {
            name: (*batch, str(source), "-r", str(work / name), "-o", str(work / f"{name}.csv"), "--no-progress")
            for name in books
        }
        show(f"groups across bills and checks, CSV to CSV, {n:,} rows", in_turn(runs, **commands), "plain")
        folder = work / f"groups-{n}"
        subprocess.run([PYTHON, str(HERE / "levels.py"), "groups", str(folder), str(n // 10), "0"], check=True)
        lines = (
            "--lines",
            str(folder / "l.csv"),
            "--lines-out",
            str(folder / "lo.csv"),
            "--groups",
            str(folder / "in"),
        )
        files = (str(folder / "e.csv"), "-r", str(HERE / "groups"), "-o", str(folder / "o.csv"))
        found = in_turn(max(runs // 2, 1), rxcalc=(*batch, *files, *lines, "--no-progress"))
        show(f"groups/, CSV to CSV, {n // 10:,} bills of ten lines", found, "rxcalc")


def levels(kind: str, rows: list[int], runs: int) -> None:
    """Both sides of a benchmark of levels.py in processes of their own, in turn."""
    for n in rows:
        script = (PYTHON, str(HERE / "levels.py"), kind)
        answer = subprocess.run([*script, "check", "20000", "1"], check=True, capture_output=True, text=True, cwd=ROOT)
        found: dict[str, list[dict[str, Any]]] = {"rxcalc": [], "polars": []}
        for _ in range(max(runs // 2, 2)):
            for who, told in found.items():
                command = [*script, who, str(n), "2"]
                told.append(
                    json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
                )
        print(f"\n{kind}, {n:,} bills with ten lines, in memory (20,000 give the same: {answer.stdout.strip()})")
        for measure in ("seconds", "processor"):
            middle = {who: statistics.median(t for run in told for t in run[measure]) for who, told in found.items()}
            ratio = middle["rxcalc"] / middle["polars"]
            print(
                f"  {measure:10s} rxcalc {middle['rxcalc']:.2f}, hand-written Polars {middle['polars']:.2f}: x {ratio:.2f}"
            )
        for who, told in found.items():
            peak, inputs = (max(run[name] for run in told) for name in ("peak", "inputs"))
            print(f"  {who:10s} peak {peak:.0f} MiB, of which {inputs:.0f} before anything is computed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what",
        nargs="*",
        default=["csv", "memory", "start", "episode", "windows", "lines", "groups", "settle", "parquet", "resume"],
    )
    parser.add_argument("--rows", default="1e6")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--source", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.source is not None:
        lookback_in_memory(options.source, options.runs)
        return
    rows = [int(float(n)) for n in options.rows.split(",")]
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        if "csv" in options.what:
            csv(rows, options.runs, work)
        if "start" in options.what:
            start(options.runs)
        if "windows" in options.what:
            windows(rows, options.runs, work)
        if "parquet" in options.what:
            files.parquet(rows, options.runs, work, in_turn, show, partial(_episodes, work))
        if "resume" in options.what:
            files.resume(rows, options.runs, work, partial(_episodes, work))
        if "long" in options.what:
            files.long(rows, work, "2GB")
        if "settle" in options.what:
            settle(rows, options.runs, work)
        for kind in ("lines", "groups"):
            if kind in options.what:
                levels(kind, rows, options.runs)
        # Last, in this very process: a child's peak memory is never reported below its parent's.
        if "episode" in options.what:
            episode()
        if "memory" in options.what:
            memory(rows, options.runs, work)


if __name__ == "__main__":
    main()
