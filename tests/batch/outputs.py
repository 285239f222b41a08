"""What the tests of outputs share: a rulebook of all types, a file of episodes, its results by hand, independent readers."""

from __future__ import annotations

import datetime
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

RULEBOOK = """
rxcalc: 1
rulebook: outputs
version: "1"
currency: CNY
rounding: half-up
status: fictional
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code, label: {en: Case, zh: 病案号}}
  person: {type: code, label: {en: Person, zh: 人员编号}, names: {nhsa: psn_no}}
  level:
    one_of: {town: {aliases: [乡镇]}, city: {}}
  day: {type: date, names: {nhsa: setl_time}}
  total: {type: money, label: {en: Total, zh: 医疗费总额}, names: {nhsa: medfee_sumamt}}
  rate: {type: percent, decimals: 1, default: 50%}
  referred: {type: flag, default: no}
  nights: {type: count, optional: yes}
  tags: {type: codes, optional: yes}
  remark: {type: text, optional: yes}
steps:
  pays: {rule: total * rate, round: 0.01, label: {en: Fund, zh: 基金支付}, names: {nhsa: fund_pay_sumamt}}
  kept_rate: {rule: rate}
  more: {rule: if referred then 3 else 1}
  is_big: {rule: total > ¥100}
  next_day: {rule: day + 1 days}
  kept_tags: {rule: tags, optional: yes}
  where_to: {one_of: [town, city], rule: level}
  who: {rule: person}
  exact: {rule: total * rate, round: none}
shares:
  bill:
    of: total
    fund: {names: {nhsa: hifp_pay}, label: {en: All funds, zh: 基金合计}, pool: pays}
    patient: {own: {is: rest, names: {nhsa: psn_part_amt}, label: {en: Own part, zh: 个人负担}}}
outputs: [pays, kept_rate, more, is_big, next_day, kept_tags, where_to, who, exact, patient.own]
"""

HEADER = "episode_id,person,level,day,total,rate,referred,nights,tags,remark,ward"
RESULTS = "pays,kept_rate,more,is_big,next_day,kept_tags,where_to,who,exact,patient.own"
GOOD = [
    "0001,110101199003071234,town,2025-01-05,100.01,50%,yes,3,b;a,note one,007",
    'E2,P-2,乡镇,2025/1/6,"1,000.5",,是,,,"=HYPERLINK(""x"")",1-2',
    'E3,-5,city,2025年1月7日,8888888.88,87.5%,否,-,I10,"a,""b""\nc",@x',
    'E6,P6,city,2025-01-08,0.01,0%,no,0,,"=""kept""",',
]
BAD = ["E4,P4,moon,2025-01-07,5,,,,,,", "=E5,P5,city,2025-01-07,-5+1,,,,,+cmd,"]
EPISODES = "\n".join([HEADER, *GOOD[:3], *BAD, GOOD[3], ""])

# By hand: 50 % of 100.01 is 50.005, half up 50.01; 87.5 % of 8,888,888.88 is 7,777,777.77 exactly.
COMPUTED = [
    "50.01,50.0%,3,yes,2025-01-06,a;b,town,110101199003071234,50.00500,50.00",
    "500.25,50.0%,3,yes,2025-01-07,,town,P-2,500.25000,500.25",
    "7777777.77,87.5%,1,yes,2025-01-08,I10,city,-5,7777777.77000,1111111.11",
    "0.00,0.0%,1,no,2025-01-09,,city,P6,0.00000,0.01",
]
CSV = "\n".join([f"{HEADER},{RESULTS}", *(f"{a},{b}" for a, b in zip(GOOD, COMPUTED, strict=True)), ""])

D, day = Decimal, datetime.date
VALUES: list[list[Any]] = [
    ["0001", "110101199003071234", "town", day(2025, 1, 5), D("100.01"), "50.0%", True, 3, "a;b", "note one", "007",
     D("50.01"), "50.0%", 3, True, day(2025, 1, 6), "a;b", "town", "110101199003071234", D("50.00500"), D("50.00")],
    ["E2", "P-2", "town", day(2025, 1, 6), D("1000.50"), None, True, None, None, '=HYPERLINK("x")', "1-2",
     D("500.25"), "50.0%", 3, True, day(2025, 1, 7), None, "town", "P-2", D("500.25000"), D("500.25")],
    ["E3", "-5", "city", day(2025, 1, 7), D("8888888.88"), "87.5%", False, None, "I10", 'a,"b"\nc', "@x",
     D("7777777.77"), "87.5%", 1, True, day(2025, 1, 8), "I10", "city", "-5", D("7777777.77000"), D("1111111.11")],
    ["E6", "P6", "city", day(2025, 1, 8), D("0.01"), "0.0%", False, 0, None, "kept", None,
     D("0.00"), "0.0%", 1, False, day(2025, 1, 9), None, "city", "P6", D("0.00000"), D("0.01")],
]  # fmt: skip
NAMES = [*HEADER.split(","), *RESULTS.split(",")]


def batch(folder: Path, output: str, *more: str, source: str = "in.csv", rulebook: str = "r.yaml") -> Result:
    """`rxcalc batch`; names without a folder are in `folder`."""

    def placed(name: str) -> str:
        scheme, colon, file = name.partition(":")
        return f"{scheme}:{folder / file}" if colon else str(folder / name)

    args = [
        "batch",
        placed(source),
        "-r",
        str(folder / rulebook),
        "-o",
        placed(output),
        "--no-progress",
        "--lang",
        "en",
    ]
    return CliRunner().invoke(cli, [*args, *more], standalone_mode=False)


def told(result: Result) -> str:
    """What a failure says."""
    return f"{result.exception} {vars(result.exception) if result.exception else ''} {result.stderr}"


# ---- every kind of file, by a reader that knows nothing of rxcalc ------------------------------------


def parquet_rows(path: Path) -> tuple[list[str], list[list[Any]]]:
    table = pq.read_table(path)
    return table.column_names, [list(row.values()) for row in table.to_pylist()]


def duckdb_rows(path: Path, table: str = "t") -> tuple[list[str], list[list[Any]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 a name of this test
        names = [column[0] for column in found.description or ()]
        return names, [list(row) for row in found.fetchall()]


def sqlite_rows(path: Path, table: str = "t") -> tuple[list[str], list[list[Any]]]:
    connection = sqlite3.connect(path)
    found = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 a name of this test
    names = [column[0] for column in found.description]
    rows = [list(row) for row in found.fetchall()]
    connection.close()
    return names, rows


def as_texts(value: Any) -> Any:
    """What SQLite holds: amounts and dates as text, flags as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, Decimal | datetime.date) else value


LOOKS_BACK = """
rxcalc: 1
rulebook: looks-back
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  person: {type: code}
  day: {type: date}
  total: {type: money}
  rate: {type: percent, decimals: 0, default: 50%}
sequence: {by: person, order: [day, episode_id]}
windows: {year: {calendar: year, date: day}}
steps:
  before: {rule: year.sum(pays)}
  best: {rule: "max(rate, default(year.max(used), 0%))"}
  used: {rule: rate}
  pays: {rule: total * rate, round: 0.01}
outputs: [before, best, pays]
"""
