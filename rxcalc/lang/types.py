"""Value types of the policy language and how they print. Without slots, as `plan/nodes.py` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Kind(Enum):
    """The kinds of plain values. Python carriers of the exact back end stand in brackets.

    Money, percent, number and money per day are exact rationals in currency units, or as
    ratios (0.85 for 85%) [int or Fraction]; count and days are whole [int]; months and
    years are durations [int]; dates [datetime.date]; flag [bool]; code and text [str];
    codes [frozenset of str].
    """

    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    COUNT = "count"
    DATE = "date"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    MONEY_PER_DAY = "money per day"
    FLAG = "flag"
    CODE = "code"
    CODES = "codes"
    TEXT = "text"


@dataclass(frozen=True)
class Plain:
    """A type without parameters."""

    kind: Kind

    def __str__(self) -> str:
        return self.kind.value


@dataclass(frozen=True)
class OneOf:
    """A closed set of values [str]. With `ordered`, earlier values compare lower. Sets are equal by their values."""

    values: tuple[str, ...]
    ordered: bool = False

    def __str__(self) -> str:
        shown = ", ".join(self.values[:4]) + (", .." if len(self.values) > 4 else "")
        return f"one of [{shown}]"


@dataclass(frozen=True)
class ScheduleType:
    """`bands`, `cliff` or `curve` of `value` over `over`."""

    form: str
    value: Kind
    over: Kind

    def __str__(self) -> str:
        return f"{self.form} of {self.value.value} over {self.over.value}"


@dataclass(frozen=True)
class ZeroType:
    """The bare `0`: zero of any unit."""

    def __str__(self) -> str:
        return "0"


@dataclass(frozen=True)
class ErrorType:
    """The type of what was already reported; every check that meets it stays silent."""

    def __str__(self) -> str:
        return "unknown"


Type: TypeAlias = "Plain | OneOf | ScheduleType | ZeroType | ErrorType"

MONEY: Final = Plain(Kind.MONEY)
PERCENT: Final = Plain(Kind.PERCENT)
NUMBER: Final = Plain(Kind.NUMBER)
COUNT: Final = Plain(Kind.COUNT)
DATE: Final = Plain(Kind.DATE)
DAYS: Final = Plain(Kind.DAYS)
MONTHS: Final = Plain(Kind.MONTHS)
YEARS: Final = Plain(Kind.YEARS)
MONEY_PER_DAY: Final = Plain(Kind.MONEY_PER_DAY)
FLAG: Final = Plain(Kind.FLAG)
CODE: Final = Plain(Kind.CODE)
CODES: Final = Plain(Kind.CODES)
TEXT: Final = Plain(Kind.TEXT)
ZERO: Final = ZeroType()
ERROR: Final = ErrorType()

NUMERIC: Final = frozenset(
    {Kind.MONEY, Kind.PERCENT, Kind.NUMBER, Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS, Kind.MONEY_PER_DAY}
)
WHOLE: Final = frozenset({Kind.COUNT, Kind.DAYS, Kind.MONTHS, Kind.YEARS})


def is_numeric(of: Type) -> bool:
    """Whether values of the type are rationals or whole numbers."""
    return isinstance(of, ZeroType) or (isinstance(of, Plain) and of.kind in NUMERIC)


def is_whole(of: Type) -> bool:
    """Whether values of the type are whole numbers."""
    return isinstance(of, Plain) and of.kind in WHOLE
