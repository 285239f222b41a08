"""The lines benchmark written by hand in Polars: the same amounts to the fen, and nothing else (no checks, no rejects)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

CEILINGS = Path(__file__).resolve().parent / "lines" / "tables" / "ceilings.csv"


def ceilings() -> pl.DataFrame:
    """Prices in fen by code."""
    table = pl.read_csv(CEILINGS, schema_overrides={"price": pl.Decimal(10, 2)})
    return table.with_columns(pl.col("price").to_physical().cast(pl.Int64))


def policy(bills: pl.LazyFrame, lines: pl.LazyFrame, prices: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Results of the bills and of their lines. Amounts are whole fen; lines stand by bill and line number."""
    amount, excess = pl.col("amount"), pl.col("excess")
    lines = lines.join(prices, on="code", how="left", maintain_order="left").with_columns(
        pl.max_horizontal(0, amount - pl.col("price") * pl.col("quantity")).fill_null(0).alias("excess")
    )
    rate = pl.col("class").cast(pl.String).replace_strict({"A": 0, "B": 125, "C": 1000}, return_dtype=pl.Int64)
    lines = lines.with_columns((((amount - excess) * rate + 500) // 1000).alias("self_pay"))
    lines = lines.with_columns((amount - excess - pl.col("self_pay")).alias("in_scope"))
    sums = lines.group_by("__row").agg(
        pl.col("amount").sum().alias("total"), pl.col("in_scope").sum().alias("eligible")
    )
    bills = bills.join(sums, on="__row", how="left", maintain_order="left").with_columns(
        pl.col("total", "eligible").fill_null(0)
    )
    due = (
        pl.col("level")
        .cast(pl.String)
        .replace_strict({"town": 20000, "county": 40000, "city": 80000}, return_dtype=pl.Int64)
    )
    bills = bills.with_columns(pl.max_horizontal(0, pl.col("eligible") - due).alias("base"))
    base = pl.col("base")
    paid = (
        pl.min_horizontal(base, 500000) * 80
        + (base.clip(500000, 2000000) - 500000) * 85
        + (pl.max_horizontal(base, 2000000) - 2000000) * 90
    )
    left = pl.max_horizontal(0, 15000000 - pl.col("spent_before"))
    bills = bills.with_columns(((pl.min_horizontal(paid, left * 100) + 50) // 100).alias("fund"))
    lines = lines.join(bills.select("__row", "fund", "eligible"), on="__row", how="left", maintain_order="left")
    product = pl.col("fund") * pl.col("in_scope")
    whole = (product // pl.col("eligible")).fill_null(0)
    lines = lines.with_columns(whole.alias("whole"), (product - whole * pl.col("eligible")).alias("over"))
    open_ = pl.col("fund") - pl.col("whole").sum().over("__row")
    place = pl.col("over").rank("ordinal", descending=True).over("__row")
    part = pl.col("whole") + (place.cast(pl.Int64) <= open_).cast(pl.Int64)
    lines = lines.with_columns(part.alias("fund_part"))
    return (
        bills.select("__row", "total", "eligible", "fund", (pl.col("total") - pl.col("fund")).alias("patient")),
        lines.select("__row", "excess", "self_pay", "in_scope", "fund_part"),
    )
