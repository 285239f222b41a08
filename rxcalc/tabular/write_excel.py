"""Cells that spreadsheets show as they are: `--excel`.

A program that opens a CSV file takes `0012` for 12, `110101199003071234` for 1.10101E+17, `1-2` for a day, and runs what
begins with `=`, `+`, `-` or `@` as a formula. Such cells are written `="0012"`, which every spreadsheet shows as the text,
and which is read again as the text (`inputs/guarded.py`). How much of a cell is taken for a text depends on the column.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal

import polars as pl

from rxcalc.inputs.guarded import guarded, unguarded

Column = Literal["number", "other", "text"]
"""A column of amounts or dates; of nobody knows what; of codes and texts."""

BOM: Final = b"\xef\xbb\xbf"

_SPACE: Final = r"[\x00-\x20\u00a0\u3000]"
# A formula, or what some locale takes for one; a line end or tab first would let one through.
_FORMULA: Final = rf"^{_SPACE}*[=+@\uff1d\uff0b\uff0d\uff20-]|^[\t\r\n]"
_NEGATIVE: Final = r"^-[0-9]{1,15}(?:\.[0-9]{1,15})?%?\z|^--?\z"  # a number, or one of the spellings of "missing"
_DIGITS_KEPT: Final = 15  # by spreadsheets
_LONG: Final = rf"^[-+]?(?:[,.]?[0-9]){{{_DIGITS_KEPT + 1},}}%?\z"
_MONTH: Final = r"(?:[jJ][aA][nN]|[fF][eE][bB]|[mM][aA][rRyY]|[aA][pP][rR]|[jJ][uU][nNlL]|[aA][uU][gG]|[sS][eE][pP]|[oO][cC][tT]|[nN][oO][vV]|[dD][eE][cC])"
_CHANGED: Final = (
    r"^[-+]?0[0-9]",  # zeros in front
    r"^[0-9]{12,}\z",
    r"^[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+\z",
    r"^[0-9]{1,2}[-/][0-9]{1,2}(?:[-/][0-9]{1,4})?\z",
    r"^[0-9]+ [0-9]+/[0-9]+\z",
    rf"^{_MONTH}[a-zA-Z]*[-/. ]?[0-9]",
    rf"^[0-9]{{1,2}}[-/. ]?{_MONTH}",
)
_DIGITS: Final = r"^[0-9.(\uffe5\u00a5$][0-9A-Za-z.,:;/+%() \u5e74\u6708\u65e5\u65f6\u5206\u79d2-]*\z"
_WORDS: Final = r"^(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])\z"


@cache
def _pattern(column: Column) -> str:
    """What is guarded, but for plain negative numbers."""
    found = [_FORMULA, _LONG]
    if column != "number":
        found += _CHANGED
    if column == "text":
        found += [_DIGITS, _WORDS]
    return "|".join(f"(?:{one})" for one in found)


@cache
def _python(pattern: str) -> re.Pattern[str]:
    """The pattern as Python spells it, whose `$` would also match before a line end."""
    return re.compile(pattern.replace(r"\z", r"\Z"))


def safe_cell(text: str, column: Column = "other") -> str:
    """A cell as it is written for spreadsheets; one that is guarded already stays.

    >>> safe_cell('=1+1'), safe_cell('-5.00'), safe_cell('0012', 'text')
    ('="=1+1"', '-5.00', '="0012"')
    """
    if _python(_pattern(column)).search(text) is None or (column != "text" and _python(_NEGATIVE).search(text)):
        return text
    return text if unguarded(text) != text else guarded(text)


def safe_cells(text: pl.Expr, column: Column) -> pl.Expr:
    """`safe_cell` for a column of texts."""
    unsafe = text.str.contains(_pattern(column))
    if column != "text":
        unsafe &= ~text.str.contains(_NEGATIVE)
    # `="..."` with all quotes inside doubled is guarded already.
    already = text.str.contains(r'(?s)^="(?:[^"]|"")*"\z')
    return pl.when(unsafe & ~already).then(guarded_texts(text)).otherwise(text)


def guarded_texts(text: pl.Expr) -> pl.Expr:
    """`guarded` for a column of texts."""
    return pl.concat_str(pl.lit('="'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))


def safe_amounts(text: pl.Expr, units: pl.Expr) -> pl.Expr:
    """Amounts as text, those of more digits than spreadsheets keep guarded; `units` are the whole numbers of the last decimal."""
    return pl.when(units.abs() >= 10**_DIGITS_KEPT).then(guarded_texts(text)).otherwise(text)
