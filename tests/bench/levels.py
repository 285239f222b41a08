#!/usr/bin/env python3
"""One side of the benchmarks `lines` and `groups` in a process of its own; `run.py` calls both sides in turn.

usage: levels.py lines|groups rxcalc|polars|check BILLS RUNS
       levels.py groups FOLDER BILLS 0      writes the files of a batch: e.csv, l.csv, in/region_year.csv

Prints the seconds of each run after the first, the peak memory and what of it the inputs take, as JSON. `check` says
whether both sides give the same.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

MOST = 19
"""Lines a bill has at most: ten on average."""


def _picked(chance: np.random.Generator, names: list[str], count: int) -> pl.Series:
    kind = pl.Enum(names)
    return (
        pl.Series(chance.integers(0, len(names), count).astype(np.uint8))
        .cast(pl.UInt32)
        .replace_strict(dict(enumerate(names)), return_dtype=kind)
    )


def _coded(prefix: str, numbers: np.ndarray, digits: int) -> pl.Series:
    column = pl.Series("n", numbers).cast(pl.String).str.zfill(digits)
    return column.to_frame().select(pl.concat_str(pl.lit(prefix), pl.col("n"))).to_series()


def bills(kind: str, count: int) -> tuple[pl.DataFrame, pl.DataFrame, list[dict[str, object]]]:
    """Typed frames of bills and lines, and the inputs of groups."""
    chance = np.random.default_rng(7)
    sizes = chance.integers(1, MOST + 1, count)
    rows = np.repeat(np.arange(1, count + 1), sizes)
    size = len(rows)
    places = np.arange(size) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    amount = chance.lognormal(9.5, 1.2, size).astype(np.int64).clip(0, 10**8)
    main = {"__row": pl.Series(np.arange(1, count + 1)), "episode_id": _coded("E", np.arange(count), 8)}
    main["discharge_date"] = pl.Series(np.datetime64("2025-01-01") + chance.integers(0, 365, count)).cast(pl.Date)
    lines = {"__row": pl.Series(rows), "line_no": pl.Series(places)}
    if kind == "lines":
        main["level"] = _picked(chance, ["town", "county", "city"], count)
        main["spent_before"] = pl.Series(chance.integers(0, 16_000_000, count))
        lines["code"] = _coded("D", chance.integers(0, 4000, size), 5)
        lines["class"] = _picked(chance, ["A", "B", "C"], size)
        lines["quantity"] = pl.Series(chance.integers(1, 20, size))
        budgets: list[dict[str, object]] = []
    else:
        regions = _coded("R", np.arange(300), 3)
        main["region"] = regions.gather(pl.Series(chance.integers(0, 300, count)))
        main["points"] = pl.Series(chance.integers(0, 100_000, count))
        lines["class"] = _picked(chance, ["drug", "device", "care"], size)
        budgets = [{"region": name, "year": 2025, "budget": int(count * 12 + at)} for at, name in enumerate(regions)]
    lines["amount"] = pl.Series(amount)
    return pl.DataFrame(main), pl.DataFrame(lines), budgets


def rxcalc_side(kind: str, main: pl.DataFrame, lines: pl.DataFrame, budgets: list[dict[str, object]]) -> object:
    """The run on rxcalc's columns, ready to be called."""
    from fractions import Fraction

    import rxcalc
    from rxcalc.backends.columnar import Columnar
    from rxcalc.backends.exact import Exact
    from rxcalc.backends.replay import run_known

    plan = rxcalc.load(HERE / kind).plan
    if kind == "lines":
        back_end = Columnar(plan, partial(run_known, Exact(plan)))
        wanted = {"lines": ["excess", "self_pay", "in_scope", "fund_part"]}
        names = ["total", "eligible", "fund", "patient_pays"]
        return partial(back_end.run, main, names, lists={"lines": lines}, list_outputs=wanted)

    class Evaluators:
        def together(self, *_: object, **__: object) -> object:
            raise SystemExit("the columns do not run this benchmark")

        def among(self, *_: object) -> object:
            raise SystemExit("the columns refuse a row of this benchmark")

    back_end = Columnar(plan, partial(run_known, Exact(plan)), None, Evaluators())
    main = main.with_columns(pl.lit(False).alias("__bad"))
    inputs = {"region_year": [{**row, "budget": Fraction(int(str(row["budget"])))} for row in budgets]}
    wanted = {"lines": ["excess_part", "back"]}
    names = ["total", "fund", "dear", "bonus", "paid"]
    return partial(back_end.run_groups, main, names, lists={"lines": lines}, list_outputs=wanted, group_inputs=inputs)


def polars_side(kind: str, main: pl.DataFrame, lines: pl.DataFrame, budgets: list[dict[str, object]]) -> object:
    """The hand-written program, ready to be called."""
    if kind == "lines":
        import opponent_lines as opponent

        other = opponent.ceilings()
    else:
        import opponent_groups as opponent

        other = pl.DataFrame(budgets).with_columns(pl.col("budget") * 100)
    return lambda: pl.collect_all(list(opponent.policy(main.lazy(), lines.lazy(), other.lazy())))


def write(folder: Path, main: pl.DataFrame, lines: pl.DataFrame, budgets: list[dict[str, object]]) -> None:
    """The same as files."""

    def money(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.Int128).reinterpret(dtype=pl.Decimal(38, 2))

    (folder / "in").mkdir(parents=True, exist_ok=True)
    ids = main.get_column("episode_id")
    main.drop("__row").with_columns(money("points")).write_csv(folder / "e.csv")
    episode = ids.gather(lines.get_column("__row") - 1).alias("episode_id")
    lines.select(episode, "line_no", "class", money("amount")).write_csv(folder / "l.csv")
    pl.DataFrame(budgets).write_csv(folder / "in" / "region_year.csv")


def same(kind: str, ours: object, theirs: object) -> bool:
    """Whether both sides give the same amounts."""
    first, second = theirs
    mine = ours.values.rename({"patient_pays": "patient"} if kind == "lines" else {})
    return not ours.problems and mine.equals(first) and ours.lists["lines"].equals(second)


def main() -> None:
    kind, who, count, runs = sys.argv[1], sys.argv[2], int(float(sys.argv[3])), int(sys.argv[4])
    data = bills(kind, count)
    if runs == 0:
        write(Path(who), *data)
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sides = {"rxcalc": rxcalc_side, "polars": polars_side}
    if who == "check":
        ours, theirs = (side(kind, *data)() for side in sides.values())
        print(json.dumps(same(kind, ours, theirs)))
        return
    run = sides[who](kind, *data)
    run()
    seconds, processor = [], []
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "peak": peak, "inputs": before}))


if __name__ == "__main__":
    main()
