"""The accounts of a summary held against themselves, and against the files of results and rejects, read once more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import polars as pl

from rxcalc.driver.batch_blocks import in_order
from rxcalc.driver.verify import Entry, SumCheck, Summary
from rxcalc.inputs.tables import TableReader
from rxcalc.lang.types import CODE, MONEY
from rxcalc.plan.nodes import Place, Plan, PlanInput
from rxcalc.tabular.accounts import KINDS, plain
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.header import Columns
from rxcalc.tabular.judging import ID, judge
from rxcalc.tabular.locators import file_of, is_database
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.source import open_source

_AMOUNT: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,40})?")
_BLOCK: Final = 6 << 20
_CODE: Final = "rx_code"
_NOT_SUMMED: Final = ("RX741", "RX742", "RX743")  # records whose fields cannot be trusted


@dataclass(slots=True)
class _Account:
    """What one file of records adds up to. `absent` are inputs of which the file has no column."""

    records: int = 0
    sums: dict[str, Fraction] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


def check_accounts(summary: Summary, outcomes: Mapping[str, str], threads: int) -> tuple[list[SumCheck], list[str]]:
    """The counts and sums of the summary, and those of the files that could be read; and what was not looked at."""
    checks: list[SumCheck] = []
    notes: list[str] = []
    told: list[tuple[str, Mapping[str, Any]]] = [("", summary.body)]
    lists = summary.body.get("lists")
    if isinstance(lists, dict):
        told += [(f"lists.{name}.", part) for name, part in lists.items() if isinstance(part, dict)]
    for prefix, part in told:
        checks += _own(prefix, part)
        for what, kind in (("results", "written"), ("rejects", "rejected")):
            entry = summary.entry(prefix + what)
            if entry is None:
                continue
            is_table = is_database(entry.path) and file_of(entry.path).is_file()
            if not is_table and outcomes.get(entry.what) not in ("holds", "differs"):
                notes.append(f"{entry.what}: not added up, since the file was not read")
                continue
            checks += _of_file(entry, part, kind, threads, notes)
    return checks, notes


def _own(prefix: str, part: Mapping[str, Any]) -> Iterator[SumCheck]:
    """Whether read = written + rejected + totals + blank, as the summary itself says."""
    counts = _dict(part.get("counts"))
    told = [counts.get(kind) for kind in ("read", *KINDS)]
    whole = [count for count in told if isinstance(count, int) and not isinstance(count, bool) and count < 10**15]
    if len(whole) == len(told):
        yield SumCheck(f"{prefix}records read", str(whole[0]), str(sum(whole[1:])))
    else:
        yield SumCheck(f"{prefix}records read", "five counts", "others")
    for name, sums in _dict(part.get("totals")).items():
        amounts = [_amount(_dict(sums).get(kind)) for kind in ("read", *KINDS)]
        if None in amounts:
            yield SumCheck(f"{prefix}{name} read", "five sums", "others")
            continue
        known = [amount for amount in amounts if amount is not None]
        yield SumCheck(f"{prefix}{name} read", _shown(known[0]), _shown(sum(known[1:], Fraction(0))))


def _of_file(entry: Entry, part: Mapping[str, Any], kind: str, threads: int, notes: list[str]) -> Iterator[SumCheck]:
    """A file of records added up once more."""
    totals = {name: sums for name, sums in _dict(part.get("totals")).items() if isinstance(name, str)}
    told = _dict(part.get("columns"))
    mapped, titles = _dict(told.get("inputs")), _dict(told.get("titles"))
    columns = {name: str(mapped.get(name, name)) for name in totals}
    if kind == "written":
        columns = {name: str(titles.get(column, column)) for name, column in columns.items()}
    found = _added_up(entry, columns, {name: _decimals(sums) for name, sums in totals.items()}, threads)
    if isinstance(found, UsageProblem):
        notes.append(f"{entry.what}: not added up: {found.message}")
        return
    yield SumCheck(f"{entry.what}: records", str(_dict(part.get("counts")).get(kind))[:40], str(found.records))
    for name, sums in totals.items():
        amount = _amount(_dict(sums).get(kind))
        if name in found.absent:
            notes.append(f"{entry.what}: {name} not added up, since the file has no column for it")
        elif amount is not None:
            yield SumCheck(f"{entry.what}: {name}", _shown(amount), _shown(found.sums.get(name, Fraction(0))))


def _added_up(
    entry: Entry, columns: Mapping[str, str], decimals: Mapping[str, int], threads: int
) -> _Account | UsageProblem:
    """How many records a file has, and the exact sum of each money input."""
    source = open_source(entry.path)
    if isinstance(source, UsageProblem):
        return source
    head = source.head
    position = {name: at for at, name in enumerate(head.names)}
    at = {
        name: position[column if column in position else name]
        for name, column in columns.items()
        if column in position or name in position
    }
    inputs = {**at, ID: position.get(ID, 0)}
    if _CODE in position:
        inputs[_CODE] = position[_CODE]
    specs = [_spec(name, decimals.get(name, 2), is_money=name in at) for name in inputs]
    reader = TableReader(_bare(tuple(specs)))
    form = Columns(head.names, inputs, tuple(range(len(head.names))), ())
    blocks = source.blocks(_BLOCK)
    account = _Account(absent=tuple(name for name in columns if name not in at))

    def work(_: int, raw: Raw) -> tuple[int, dict[str, Fraction]]:
        judged = judge(raw.read(head), form, reader)
        assert judged is not None  # noqa: S101 - a block read as text is always judged
        amounts, trusted = judged.checked.amounts, None
        if _CODE in inputs:
            codes = judged.checked.frame.get_column(_CODE)
            trusted = ~codes.is_in(list(_NOT_SUMMED)).fill_null(value=False)
        sums = {name: _sum(amounts.get_column(name), trusted, decimals.get(name, 2)) for name in at}
        for odd in judged.checked.odd:
            if odd.amount is not None and odd.field in sums and (trusted is None or trusted[odd.row]):
                sums[odd.field] += odd.amount
        return judged.records, sums

    for records, sums in in_order(blocks, work, threads):
        account.records += records
        for name, amount in sums.items():
            account.sums[name] = account.sums.get(name, Fraction(0)) + amount
    return blocks.problem or account


def _sum(column: pl.Series, trusted: pl.Series | None, decimals: int) -> Fraction:
    """The exact sum of whole numbers over 10**decimals, of the rows that are to be trusted."""
    own = column if trusted is None else column.filter(trusted)
    return Fraction(int(own.cast(pl.Int128).sum() or 0), 10**decimals)


def _dict(node: object) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}


def _amount(text: object) -> Fraction | None:
    """An amount as a summary tells it."""
    return Fraction(Decimal(text)) if isinstance(text, str) and _AMOUNT.fullmatch(text) else None


def _decimals(sums: object) -> int:
    """The decimals of an input: no sum has fewer."""
    told = [text for kind in ("read", *KINDS) if isinstance(text := _dict(sums).get(kind), str)]
    return min((len(text.partition(".")[2]) for text in told if _AMOUNT.fullmatch(text)), default=2)


def _shown(amount: Fraction) -> str:
    return plain(amount, 2)


def _spec(name: str, decimals: int, *, is_money: bool) -> PlanInput:
    """An input that may hold anything."""
    return PlanInput(
        name=name, type=MONEY if is_money else CODE, optional=True, default=None, low=None, high=None,
        decimals=decimals if is_money else 0, values=(), flags=(), drop_time=False, aliases=(), label=(), names=(),
        place=Place(),
    )  # fmt: skip


def _bare(inputs: tuple[PlanInput, ...]) -> Plan:
    """A plan that has inputs and nothing else: only readers of files look at it."""
    return Plan(
        rulebook="", version="", title=(), currency="CNY", decimals=2, rounding="half-up", effective_from=date.min,
        effective_to=None, effective_by="", file="", digest="", inputs=inputs, requires=(), sequence=None, windows=(),
        calls=(), parameters=(), tables=(), nodes=(), steps=(), shares=(), totals=(), guarantees=(), trends=(),
        outputs=(), sources=(), evidence=(),
    )  # fmt: skip
