"""Whole columns are read as single cells are, whatever they hold."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rxcalc.inputs.cells import CellProblem, CellReader, parse_cell
from rxcalc.inputs.tables import ROW, TableReader, together
from rxcalc.lang.types import CODE, CODES, COUNT, DATE, FLAG, MONEY, NUMBER, PERCENT, TEXT
from rxcalc.tabular.reader import RawBlock, read_block

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_plans", Path(__file__).parents[1] / "batch" / "plans.py")
assert _SPEC is not None
assert _SPEC.loader is not None
plans: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(plans)

FIELDS = [
    plans.field_of("total", MONEY),
    plans.field_of("signed", MONEY, low=-(10**11)),
    plans.field_of("price", MONEY, decimals=6),
    plans.field_of("tenth", MONEY, decimals=1),
    plans.field_of("yen", MONEY, decimals=0),
    plans.field_of("huge", MONEY, high=10**25),
    plans.field_of("rebate", MONEY, optional=True),
    plans.field_of("fee", MONEY, default=Fraction(5, 2)),
    plans.field_of("weight", NUMBER),
    plans.field_of("rate", PERCENT),
    plans.field_of("days", COUNT),
    plans.field_of("day", DATE),
    plans.field_of("maybe_day", DATE, optional=True),
    plans.field_of("moment", DATE, drop_time=True),
    plans.field_of("referred", FLAG),
    plans.field_of("odd_flag", FLAG, flags=(("true", False), ("Y", True), ("-", False))),
    plans.field_of("episode_id", CODE),
    plans.field_of("diagnoses", CODES),
    plans.field_of("note", TEXT, optional=True),
    plans.level_field(),
]

numerals = st.one_of(
    st.from_regex(r"-?[0-9]{1,17}(\.[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{0,4}[.,]?[0-9]{0,4}[eE.+-]?[0-9]{0,3}%?", fullmatch=True),
    st.from_regex(r"[¥￥]?-?[0-9１２]{1,3}(,[0-9]{3}){0,2}(\.[0-9]{1,3})?(元|万元)?", fullmatch=True),
    st.sampled_from(
        [
            "1.e2",
            "1.e1",
            "2.1e",
            "9.9:",
            "1./0",
            "00.00",
            ".12",
            "12.",
            "1..23",
            "1.2.33",
            "１.23",
            "9223372036854775807.99",
        ]
    ),
)
dates = st.one_of(
    st.dates(date(1850, 1, 1), date(2250, 1, 1)).map(str),
    st.from_regex(r"[12][0-9]{3}[-/.]?[ +]?[0-9]{1,2}[-/.]?[ +]?[0-9]{1,2}( 0?0:00(:00)?)?", fullmatch=True),
)
words = st.sampled_from(
    [
        "",
        " ",
        "-",
        "--",
        "无",
        "N/A",
        "n/a",
        "town",
        "town ",
        "乡镇",
        "3",
        "yes",
        "TRUE",
        "否",
        "Y",
        "1",
        "A01;B02",
        ";",
        "1.2E+17",
        "合计",
    ]
)
spaced = st.builds(
    lambda before, text, after: before + text + after,
    st.sampled_from(["", " ", "\u3000", "\t"]),
    st.one_of(numerals, dates, words),
    st.sampled_from(["", " "]),
)
cells = st.one_of(st.none(), numerals, dates, words, spaced, st.text(max_size=12))


def stored(value: object, scale: int) -> object:
    """What the typed column should hold."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return sorted(value) if isinstance(value, frozenset) else value
    return int(value * scale)


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: spec.name)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(cells, min_size=1, max_size=12))
def test_columns_agree_with_cells(spec: Any, texts: list[str | None]) -> None:
    """Every cell of a column gets the value or the problem that `parse_cell` gives."""
    texts = [text or None for text in texts]  # a CSV reader cannot tell an empty cell from none
    checked = TableReader(plans.plan_of((spec,))).read(pl.DataFrame({spec.name: pl.Series(texts, dtype=pl.String)}))
    column = checked.frame.get_column(spec.name).to_list()
    problems = dict(checked.problems)
    scale = 10 ** (spec.decimals + (2 if spec.type == PERCENT else 0))
    for row, text in enumerate(texts):
        wanted = parse_cell(text, spec)
        if isinstance(wanted, CellProblem):
            assert column[row] is None
            assert problems[row].code == wanted.code
            assert problems[row].message == wanted.message
        else:
            assert row not in problems
            assert column[row] == stored(wanted, scale)


def mostly(usual: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """Usual cells, and now and then any other."""
    return st.integers(0, 19).flatmap(lambda at: cells if at == 0 else usual)


shaped_rows = st.tuples(
    mostly(st.from_regex(r"[A-Z0-9]{1,2}[a-z0-9._:-]{0,3}", fullmatch=True)),
    mostly(st.from_regex(r"[0-9]{1,13}\.[0-9]{2}", fullmatch=True)),
    mostly(
        st.dates(date(1890, 1, 1), date(2210, 1, 1)).map(str)
        | st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", fullmatch=True)
    ),
    mostly(st.just("") | st.from_regex(r"[0-9]{1,16}\.[0-9]{2}", fullmatch=True)),
    mostly(st.sampled_from(plans.LEVELS)),
)


@settings(max_examples=400, deadline=None)
@given(rows=st.lists(shaped_rows, min_size=1, max_size=8))
def test_shaped_reading_agrees_with_cells(rows: list[tuple[str | None, ...]]) -> None:
    """Where the CSV reader parses cells itself, it gives what `parse_cell` gives."""
    fields = (FIELDS[16], FIELDS[0], FIELDS[11], FIELDS[6], FIELDS[19])
    clean = [[(cell or "").translate({ord(c): None for c in ',"\n\r\x00\x01'}) for cell in row] for row in rows]
    data = "".join(",".join(row) + "\n" for row in clean).encode(errors="ignore")
    clean = [[cell.encode(errors="ignore").decode() for cell in row] for row in clean]
    tables = TableReader(plans.plan_of(fields))
    inputs = {spec.name: at for at, spec in enumerate(fields)}
    shape = tables.shape(inputs, len(fields), ",", frozenset())
    assert shape is not None
    block = read_block(RawBlock(data, 0, None), len(fields), ",", shape)
    if block.shape is None:
        return
    named = [pl.col(str(at)).alias(name) for name, at in inputs.items()]
    checked = tables.read_usual(block.fields.select(named), shape)
    if checked is None:
        return
    if block.other is not None:  # records of other spellings are read apart and put back in their places
        rest = tables.read(block.other.block.fields.select(named))
        checked = together([(checked, block.other.rest), (rest, block.other.rows)])
    assert checked.frame.get_column(ROW).to_list() == list(range(len(clean)))
    refused = {(row, problem.field) for row, problem in checked.problems}
    for spec in fields:
        scale = 10**spec.decimals
        for row, found in enumerate(checked.frame.get_column(spec.name).to_list()):
            wanted = parse_cell(clean[row][inputs[spec.name]], spec)
            assert isinstance(wanted, CellProblem) == ((row, spec.name) in refused)
            assert found == (None if isinstance(wanted, CellProblem) else stored(wanted, scale))


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40), at=st.integers(0, len(FIELDS) - 1))
def test_any_text_gives_a_value_or_a_problem(text: str, at: int) -> None:
    """No text raises; a message holds no control characters."""
    found = parse_cell(text, FIELDS[at])
    if isinstance(found, CellProblem):
        assert found.code.startswith("RX7")
        assert all(char.isprintable() for char in found.message)


@settings(max_examples=200, deadline=None)
@given(
    value=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.fractions(),
        st.dates(),
        st.datetimes(),
        st.text(max_size=8),
        st.lists(st.text(max_size=3), max_size=3),
    ),
    at=st.integers(0, len(FIELDS) - 1),
)
def test_any_python_value_gives_a_value_or_a_problem(value: object, at: int) -> None:
    """No Python value raises, and no float gets through."""
    found = CellReader.of(FIELDS[at]).value(value)
    assert not isinstance(found, float)
    if isinstance(value, float):
        assert isinstance(found, CellProblem)
