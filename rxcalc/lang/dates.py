"""Civil dates: the arithmetic of docs/language.md, Functions."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Final

FIRST_DATE: Final = date(1900, 1, 1)
LAST_DATE: Final = date(2199, 12, 31)


def add_months(on: date, months: int) -> date:
    """The same day `months` later, or that month's last day; OverflowError outside years 1..9999."""
    index = on.year * 12 + on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month, min(on.day, monthrange(year, month)[1]))


def months_between(start: date, end: date) -> int:
    """The largest n with start + n months <= end (negative when end comes first)."""
    n = (end.year - start.year) * 12 + end.month - start.month
    return n if add_months(start, n) <= end else n - 1


def years_between(start: date, end: date) -> int:
    """The largest n with start + n years <= end: an age in whole years."""
    n = end.year - start.year
    return n if add_months(start, 12 * n) <= end else n - 1


def first_day(on: date, unit: str) -> date:
    """The first day of the month, quarter or year that holds `on`."""
    match unit:
        case "month":
            return on.replace(day=1)
        case "quarter":
            return on.replace(month=on.month - (on.month - 1) % 3, day=1)
        case _:
            return on.replace(month=1, day=1)


def last_day(on: date, unit: str) -> date:
    """The last day of the month, quarter or year that holds `on`."""
    month = {"month": on.month, "quarter": on.month + (3 - on.month) % 3}.get(unit, 12)
    return on.replace(month=month, day=monthrange(on.year, month)[1])
