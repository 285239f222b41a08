"""The one definition of how a cell is read: a declared input and a text give a value, or say why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.inputs.dates import read_date
from rxcalc.inputs.guarded import unguarded
from rxcalc.inputs.numerals import MAX_DIGITS, Numeral, NumeralFault, read_numeral
from rxcalc.inputs.shown import UNSAFE, UNSAFE_IN_TEXT, quoted
from rxcalc.lang.types import Kind, OneOf, Plain
from rxcalc.plan.nodes import PlanInput, Value

TRIM: Final = " \t\r\n\u00a0\u3000\u2007\u202f"
MISSING: Final = frozenset({"", "无", "待填", "空", "-", "--", "－", "—", "——", "N/A", "n/a"})
MAX_CODE: Final = 128
MAX_TEXT: Final = 65_536

_MANGLED: Final = re.compile(r"-?[0-9](\.[0-9]+)?[eE]\+[0-9]+")
_FLAGS: Final[Mapping[str, bool]] = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_AMOUNTS: Final = frozenset({Kind.MONEY, Kind.MONEY_PER_DAY})
_NUMBERS: Final = _AMOUNTS | {Kind.NUMBER, Kind.PERCENT, Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS}


def trim(text: str) -> str:
    """What a cell says: without spaces around it, and of a guarded text (`="0012"`) the text."""
    found = text.strip(TRIM)
    return unguarded(found).strip(TRIM) if found.startswith('="') else found


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Why a cell is refused. `value` is the cell as it stood; the message says what is wrong and what to do.

    `row` is the row of a list that holds the cell: the list, and the row's place in it.
    """

    code: str
    field: str
    value: str
    message: str
    row: tuple[str, int] | None = None


Read: TypeAlias = "Value | CellProblem"
Reader: TypeAlias = Callable[[str], Read]


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads the cells of one declared input. Built once per column or rulebook."""

    spec: PlanInput
    currency: str
    _read: Reader
    _spellings: frozenset[str]

    @staticmethod
    def of(spec: PlanInput, currency: str = "CNY") -> CellReader:
        """A reader for a declared input of a rulebook in `currency`."""
        spellings = {alias for value in spec.values for alias in (value.name, *value.aliases)} | {
            alias for alias, _ in spec.flags
        }
        return CellReader(spec, currency, _reader(spec, currency), frozenset(spellings))

    def is_missing(self, text: str | None) -> bool:
        """Whether a cell says that there is no value. A declared spelling (无 for none) is a value."""
        if text is None:
            return True
        trimmed = trim(text)
        return trimmed in MISSING and trimmed not in self._spellings

    def read(self, text: str | None) -> Read:
        """The value of a cell; None when it is missing and may be; else the problem."""
        if text is None:
            return self.absent("")
        trimmed = trim(text)
        if trimmed in MISSING and trimmed not in self._spellings:
            return self.absent(text)
        return self._read(trimmed)

    def absent(self, text: str) -> Read:
        """What a missing cell gives: the default, a missing value, or a problem."""
        spec = self.spec
        if spec.default is not None:
            return spec.default
        if spec.optional:
            return None
        how = f"the cell holds {quoted(text)}, which means that nothing is known" if trim(text) else "the cell is empty"
        return CellProblem("RX704", spec.name, text, f"{spec.name} is required but {how}; fill it in")

    def amount(self, text: str | None) -> Fraction | None:
        """The number in a cell whatever the bounds and decimals, for control totals; None when there is none."""
        if text is None:
            return None
        trimmed = trim(text)
        found = read_numeral(trimmed, self.currency) if trimmed not in MISSING else None
        if not isinstance(found, Numeral) or found.percent:
            return None
        return Fraction(found.units, 10**found.decimals)

    def value(self, given: object) -> Read:
        """The value of a Python object in a record, by the same rules; binary floating point is refused."""
        if isinstance(given, str):
            return self.read(given)
        if given is None:
            return self.absent("")
        text = _written(given, self.spec)
        return text if isinstance(text, CellProblem) else self.read(text)


def parse_cell(text: str | None, spec: PlanInput, currency: str = "CNY") -> Read:
    """What a text cell holds for a declared input. For many cells build a `CellReader` once."""
    return CellReader.of(spec, currency).read(text)


def parse_scalar(text: str, spec: PlanInput, *, quoted_text: bool = False, currency: str = "CNY") -> Read:
    """What a YAML scalar holds, as written: the same rules as a cell; a bare `null` or `~` is missing."""
    if not quoted_text and text in {"null", "~", "Null", "NULL"}:
        return CellReader.of(spec, currency).absent("")
    return parse_cell(text, spec, currency)


def _written(given: object, spec: PlanInput) -> str | CellProblem:
    """The object as the text a cell would hold."""
    kind = spec.type.kind if isinstance(spec.type, Plain) else None
    if isinstance(given, bool):
        return ("yes" if given else "no") if kind is Kind.FLAG else _refused(given, spec)
    if isinstance(given, float):
        message = f"{spec.name} is given as the binary floating point number {given!r}; give a Decimal, a whole number or a text"
        return CellProblem("RX701", spec.name, repr(given), message)
    if isinstance(given, Fraction) and kind is Kind.PERCENT:
        text = _decimal_text(given * 100)
        return f"{text}%" if text else _refused(given, spec)
    if isinstance(given, int | Decimal | Fraction) and kind in _NUMBERS:
        if isinstance(given, Decimal) and not given.is_finite():
            return _refused(given, spec)
        return _decimal_text(given) or _refused(given, spec)
    if isinstance(given, datetime) and kind is Kind.DATE:
        plain = given.tzinfo is None
        return (
            (given.date().isoformat() if given.time() == time(0) else given.isoformat(sep=" "))
            if plain
            else _refused(given, spec)
        )
    if isinstance(given, date) and kind is Kind.DATE:
        return given.isoformat()
    if (
        isinstance(given, list | tuple | set | frozenset)
        and kind is Kind.CODES
        and all(isinstance(item, str) for item in given)
    ):
        if any(";" in item for item in given):
            return _refused(given, spec)
        return ";".join(sorted(given))
    return _refused(given, spec)


def _refused(given: object, spec: PlanInput) -> CellProblem:
    text = str(given)
    code = _code_for(spec)
    return CellProblem(
        code, spec.name, text, f"{spec.name} takes {_wanted(spec)}, not {quoted(text)} of type {type(given).__name__}"
    )


def _code_for(spec: PlanInput) -> str:
    match spec.type:
        case OneOf():
            return "RX705"
        case Plain(kind=Kind.DATE):
            return "RX706"
        case Plain(kind=Kind.FLAG):
            return "RX707"
        case Plain(kind=Kind.CODE | Kind.CODES | Kind.TEXT):
            return "RX709"
        case _:
            return "RX701"


def _wanted(spec: PlanInput) -> str:
    match spec.type:
        case OneOf():
            return f"one of {_listed(spec)}"
        case Plain(kind=Kind.DATE):
            return "a date such as 2024-07-01"
        case Plain(kind=Kind.FLAG):
            return "yes or no"
        case Plain(kind=Kind.PERCENT):
            return "a percentage such as '85%'"
        case Plain(kind=Kind.CODE | Kind.TEXT):
            return "a text"
        case Plain(kind=Kind.CODES):
            return "codes separated by ;"
        case _:
            return "an exact number"


def _decimal_text(number: int | Decimal | Fraction) -> str:
    """The number in plain digits, or "" when it has no finite short decimal form."""
    exact = Fraction(number) if not isinstance(number, Decimal) or abs(number.adjusted()) <= MAX_DIGITS + 10 else None
    if exact is None:
        return ""
    for decimals in range(MAX_DIGITS):
        scaled = exact * 10**decimals
        if scaled.denominator == 1:
            digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
            sign = "-" if scaled < 0 else ""
            return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
    return ""


def _reader(spec: PlanInput, currency: str) -> Reader:
    match spec.type:
        case OneOf():
            return _one_of_reader(spec)
        case Plain(kind=Kind.DATE):
            return _date_reader(spec)
        case Plain(kind=Kind.FLAG):
            return _flag_reader(spec)
        case Plain(kind=Kind.CODE):
            return lambda text: _code_problem(text, spec) or text
        case Plain(kind=Kind.CODES):
            return _codes_reader(spec)
        case Plain(kind=Kind.TEXT):
            return lambda text: _text_problem(text, spec) or text
        case Plain(kind=Kind.PERCENT):
            return _number_reader(spec, "", percent=True)
        case Plain(kind=kind) if kind in _AMOUNTS:
            return _number_reader(spec, currency, percent=False)
        case _:
            return _number_reader(spec, "", percent=False)


def _number_reader(spec: PlanInput, currency: str, *, percent: bool) -> Reader:
    name, low, high, decimals = spec.name, spec.low, spec.high, spec.decimals
    scale: int = 10 ** (decimals + (2 if percent else 0))
    least: int | None = int(-(-low * scale // 1)) if isinstance(low, int | Fraction) else None
    most: int | None = int(high * scale // 1) if isinstance(high, int | Fraction) else None

    def read(text: str) -> Read:
        found = read_numeral(text, currency)
        if isinstance(found, NumeralFault):
            return CellProblem(found.code, name, text, f"{name}: {found.message}")
        if found.percent is not percent:
            return CellProblem("RX701", name, text, _percent_message(name, text, percent=percent))
        scaled = found.scaled(decimals)
        if scaled is None:
            return CellProblem("RX702", name, text, _decimals_message(name, text, decimals, percent=percent))
        if (least is not None and scaled < least) or (most is not None and scaled > most):
            return CellProblem("RX703", name, text, _bounds_message(spec, text))
        if scaled % scale:
            return Fraction(scaled, scale)
        return scaled // scale

    return read


def _percent_message(name: str, text: str, *, percent: bool) -> str:
    if percent:
        return f"{name}: {quoted(text)} may mean a ratio or a percentage; write it with a percent sign, as in 85%"
    return f"{name}: {quoted(text)} has a percent sign, but the field takes a plain number"


def _decimals_message(name: str, text: str, decimals: int, *, percent: bool) -> str:
    unit = " of the percentage" if percent else ""
    allowed = f"at most {decimals} decimals{unit}" if decimals else f"a whole number{unit}"
    return f"{name}: {quoted(text)} has more decimals than allowed ({allowed}); nothing is rounded here, correct it at its source"


def _bounds_message(spec: PlanInput, text: str) -> str:
    percent = isinstance(spec.type, Plain) and spec.type.kind is Kind.PERCENT

    def bound(value: int | Fraction | date | None) -> str:
        if isinstance(value, date) or value is None:
            return str(value)
        return f"{_decimal_text(value * 100)}%" if percent else _decimal_text(value) or str(value)

    if spec.low is None:
        limits = f"above {bound(spec.high)}"
    elif spec.high is None:
        limits = f"below {bound(spec.low)}"
    else:
        limits = f"outside {bound(spec.low)} .. {bound(spec.high)}"
    return f"{spec.name}: {quoted(text)} is {limits}; correct the value"


def _date_reader(spec: PlanInput) -> Reader:
    low = spec.low if isinstance(spec.low, date) else date.min
    high = spec.high if isinstance(spec.high, date) else date.max

    def read(text: str) -> Read:
        found = read_date(text, drop_time=spec.drop_time)
        if isinstance(found, tuple):
            return CellProblem(found[0], spec.name, text, f"{spec.name}: {found[1]}")
        if not low <= found <= high:
            return CellProblem("RX703", spec.name, text, _bounds_message(spec, text))
        return found

    return read


def _one_of_reader(spec: PlanInput) -> Reader:
    names = {alias: value.name for value in spec.values for alias in (value.name, *value.aliases)}

    def read(text: str) -> Read:
        found = names.get(text)
        if found is not None:
            return found
        near = get_close_matches(text[:80], names, n=1)
        hint = (
            f"did you mean {near[0]}?" if near else f"write one of {_listed(spec)}, or declare the spelling as an alias"
        )
        return CellProblem("RX705", spec.name, text, f"{spec.name}: {quoted(text)} is not in the set; {hint}")

    return read


def _listed(spec: PlanInput) -> str:
    names = [value.name for value in spec.values]
    return ", ".join(names[:8]) + (f", .. ({len(names)} values)" if len(names) > 8 else "")


def _flag_reader(spec: PlanInput) -> Reader:
    declared = dict(spec.flags)

    def read(text: str) -> Read:
        found = declared.get(text)
        if found is None:
            found = _FLAGS.get(text.lower() if text.isascii() else text)
        if found is not None:
            return found
        hint = (
            "; 1, 0, Y and N count only where the rulebook declares them"
            if text.upper() in {"1", "0", "Y", "N", "T", "F"}
            else ""
        )
        return CellProblem(
            "RX707", spec.name, text, f"{spec.name}: {quoted(text)} is neither yes nor no; write yes or no{hint}"
        )

    return read


def _code_problem(text: str, spec: PlanInput) -> CellProblem | None:
    if len(text) > MAX_CODE:
        return CellProblem(
            "RX709", spec.name, text, f"{spec.name}: {quoted(text)} is longer than {MAX_CODE} characters; shorten it"
        )
    if not (text.isascii() and text.isprintable()) and UNSAFE.search(text):
        return CellProblem(
            "RX709", spec.name, text, f"{spec.name}: {quoted(text)} holds control or invisible characters; remove them"
        )
    if "+" in text and _MANGLED.fullmatch(text):
        message = (
            f"{spec.name}: {quoted(text)} is a long number that a spreadsheet has cut short; export the column as text"
        )
        return CellProblem("RX709", spec.name, text, message)
    return None


def _codes_reader(spec: PlanInput) -> Reader:
    def read(text: str) -> Read:
        found = [part for part in (piece.strip(TRIM) for piece in text.split(";")) if part]
        for part in found:
            problem = _code_problem(part, spec)
            if problem is not None:
                return problem
        return frozenset(found)

    return read


def _text_problem(text: str, spec: PlanInput) -> CellProblem | None:
    if len(text) > MAX_TEXT:
        return CellProblem(
            "RX709",
            spec.name,
            text,
            f"{spec.name}: the text has {len(text):,} characters; at most {MAX_TEXT:,} are kept",
        )
    if not (text.isascii() and text.isprintable()) and UNSAFE_IN_TEXT.search(text):
        return CellProblem(
            "RX709", spec.name, text, f"{spec.name}: {quoted(text)} holds control or invisible characters; remove them"
        )
    return None
