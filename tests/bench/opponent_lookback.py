#!/usr/bin/env python3
"""Opponent: the rulebook of `lookback/` by hand in Polars, int64 fen, CSV to CSV or in memory.

usage: opponent_lookback.py EPISODES.csv RESULTS.csv

All pairs of an episode and an earlier one of the same person are made once; what needs no results (`larger`) is counted at
once; the deductible and the fund go wave by wave, everybody's k-th episode together, since each reads earlier results.
Nothing is validated: no doubled ids, no bounds, no refused rows.
"""

import sys
from decimal import Decimal

import polars as pl

LEVELS = ["level_1", "level_2", "level_3"]
DEDUCTIBLE = [300_00, 600_00, 1300_00]
RATE = [92, 88, 82]
CAP = 60_000_00
SCHEMA = {
    "episode_id": pl.String,
    "person_id": pl.String,
    "level": pl.Enum(LEVELS),
    "admission_date": pl.Date,
    "discharge_date": pl.Date,
    "in_scope": pl.Decimal(18, 2),
}
OUT = ["deductible_due", "larger", "pool_pays", "patient_pays"]


def typed(episodes):
    """Fen, levels as numbers, in the order of the file."""
    return episodes.with_row_index("n").select(
        "n",
        "episode_id",
        "person_id",
        pl.col("level").to_physical().cast(pl.Int64),
        a="admission_date",
        d="discharge_date",
        x=(pl.col("in_scope") * 100).cast(pl.Int64),
    )


def table(values, of):
    return pl.lit(pl.Series(values, dtype=pl.Int64)).gather(of)


def lookback(df):
    """The four results by row."""
    df = df.sort("person_id", "a", "episode_id").with_row_index("i")
    df = df.with_columns(p=pl.col("person_id").rle_id().cast(pl.Int64))
    # Running values by person without `.over`, which takes 0.9 s here: keys of later persons are larger.
    first = pl.when(pl.col("p") != pl.col("p").shift(1)).then(pl.col("i")).forward_fill().fill_null(0)
    latest = (pl.col("p") * 2**20 + pl.col("d").to_physical()).cum_max().shift(1, fill_value=-1)
    df = df.with_columns(k=pl.col("i") - first, latest=latest)
    # A spell is numbered anew 28 days after the latest discharge so far.
    same = pl.col("latest") // 2**20 == pl.col("p")
    begins = ~same | (pl.col("a").to_physical() - pl.col("latest") % 2**20 >= 28)
    df = df.with_columns(spell=begins.cum_sum())
    own = df.select("i", "k", "level", "x", "spell", "a", since=pl.col("a").dt.offset_by("-12mo"))
    # Every pair once: the k rows before row i of the same person.
    pairs = (
        own.filter(pl.col("k") > 0)
        .with_columns(j=pl.int_ranges(pl.col("i") - pl.col("k"), pl.col("i"), dtype=pl.UInt32))
        .explode("j")
    )
    then = own.select(tx="x", tl="level", ts="spell", ta="a")
    pairs = pl.concat([pairs, then[pairs["j"]]], how="horizontal")
    pairs = pairs.select(
        "i",
        "j",
        "k",
        in_year=pl.col("ta") > pl.col("since"),
        in_spell=(pl.col("ts") == pl.col("spell")) & (pl.col("tl") <= pl.col("level")),
        larger=(pl.col("ta") > pl.col("since")) & (pl.col("tx") > pl.col("x")),
    )
    larger = pairs.filter("larger").group_by("i").len("larger")
    df = df.join(larger, on="i", how="left", maintain_order="left").with_columns(
        pl.col("larger").fill_null(0).cast(pl.Int64)
    )
    df = df.with_columns(
        full=pl.min_horizontal("x", table(DEDUCTIBLE, pl.col("level"))),
        rate=table(RATE, pl.col("level")) + pl.when(pl.col("larger") >= 3).then(2).otherwise(0),
    )
    due, pays = (pl.zeros(df.height, dtype=pl.Int64, eager=True) for _ in range(2))
    pairs = pairs.filter(pl.col("in_year") | pl.col("in_spell")).sort("k", maintain_order=True)
    by_wave = dict(pairs.group_by("k", maintain_order=True).agg(pl.len()).iter_rows())
    start = 0
    for k, of_k in enumerate(df.sort("k", maintain_order=True).partition_by("k", maintain_order=True)):
        mine = pairs.slice(start, by_wave.get(k, 0))
        start += mine.height
        mine = mine.select(
            "i",
            due=pl.when("in_spell").then(due.gather(mine["j"])).otherwise(0),
            pays=pl.when("in_year").then(pays.gather(mine["j"])).otherwise(0),
        )
        sums = mine.group_by("i").agg(before=pl.col("due").sum(), paid=pl.col("pays").sum())
        part = pl.col("rate") * (pl.col("x") - pl.col("due"))
        wave = (
            of_k.join(sums, on="i", how="left", maintain_order="left")
            .with_columns(pl.col("before", "paid").fill_null(0))
            .with_columns(due=(pl.col("full") - pl.col("before")).clip(0))
            .with_columns(pays=pl.min_horizontal((part + 50) // 100, (CAP - pl.col("paid")).clip(0)))
        )
        due, pays = due.scatter(wave["i"], wave["due"]), pays.scatter(wave["i"], wave["pays"])
    df = df.select("n", "x", "larger").with_columns(deductible_due=due, pool_pays=pays)
    return df.sort("n").select("deductible_due", "larger", "pool_pays", patient_pays=pl.col("x") - pl.col("pool_pays"))


def yuan(name):
    return (pl.col(name).cast(pl.Decimal(18, 0)) * pl.lit(Decimal("0.01"))).alias(name)


if __name__ == "__main__":
    episodes = pl.read_csv(sys.argv[1], schema=SCHEMA)
    found = lookback(typed(episodes)).with_columns(yuan(n) for n in OUT if n != "larger")
    pl.concat([episodes, found], how="horizontal").write_csv(sys.argv[2])
