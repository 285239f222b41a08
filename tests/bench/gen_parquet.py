"""The benchmark's episodes as Parquet, with decimals, dates and flags.  usage: gen_parquet.py EPISODES.csv OUT.parquet [zstd|lz4|snappy]."""

from __future__ import annotations

import sys

import polars as pl

MONEY = ("total_cost", "drug_class_b_cost", "excluded_cost", "prior_fund_paid_this_year")


def main(source: str, target: str, codec: str = "lz4") -> None:
    """Write the file, row group by row group."""
    types = dict.fromkeys(MONEY, pl.Decimal(18, 2)) | {"discharge_date": pl.Date, "referred": pl.Boolean}
    scan = pl.scan_csv(source, schema_overrides=types)
    scan.sink_parquet(target, compression=codec, row_group_size=1 << 18)  # type: ignore[arg-type]  # a codec's name
    print(pl.scan_parquet(target).collect_schema())


if __name__ == "__main__":
    main(*sys.argv[1:])
