"""The functions of the policy language: what a writer sees. Their typing stands in typed/calls.py."""

from __future__ import annotations

from typing import Final

FUNCTIONS: Final[dict[str, tuple[str, str]]] = {
    "min": ("min(a, b, ..)", "the smallest"),
    "max": ("max(a, b, ..)", "the largest"),
    "clamp": ("clamp(x, low, high)", "min(max(x, low), high)"),
    "abs": ("abs(x)", "without its sign"),
    "round": ("round(x, to)", "to a multiple of `to`, by the rulebook's mode"),
    "floor": ("floor(x, to)", "to the multiple of `to` below"),
    "ceil": ("ceil(x, to)", "to the multiple of `to` above"),
    "power": ("power(x, y)", "x to the y; the whole rule of a step with `round:`"),
    "root": ("root(x, n)", "n-th root; the whole rule of a step with `round:`"),
    "default": ("default(x, d)", "x, or d where x is missing"),
    "year": ("year(date)", "the year as a count"),
    "month": ("month(date)", "the month, 1 to 12"),
    "day": ("day(date)", "the day of the month"),
    "date": ("date(year, month, day)", "the date; no such day refuses the row"),
    "age": ("age(birth, on)", "whole years from birth to on"),
    "days_between": ("days_between(a, b)", "b - a in days"),
    "months_between": ("months_between(a, b)", "the largest n with a + n months <= b"),
    "first_day": ("first_day(d, month)", "first day of d's month, quarter or year; first_day(2025) of a year"),
    "last_day": ("last_day(d, month)", "last day of d's month, quarter or year; last_day(2025) of a year"),
    "days": ("days(n)", "n days"),
    "months": ("months(n)", "n months"),
    "years": ("years(n)", "n years"),
    "as_count": ("as_count(x)", "whole days, months, years or a whole number as a count: 3 days is 3"),
    "as_percent": ("as_percent(n)", "the number as a percentage: 0.85 is 85%"),
    "as_number": ("as_number(p)", "the percentage as a number: 85% is 0.85"),
    "bands": ("bands(schedule, a .. b, rate -> ..)", "each band's rate on its part of a .. b, added up"),
    "band": ("band(schedule, n, a .. b)", "the n-th band's part of bands(..)"),
    "bands_reach": ("bands_reach(schedule, target, a .. b, rate -> ..)", "the smallest x with bands(a .. x) >= target"),
    "step": ("step(schedule, x)", "the value of the slice of a cliff that holds x"),
    "along": ("along(schedule, x)", "the value of a curve at x"),
    "over_days": ("over_days(parameter, from .. to)", "a dated daily amount added up over from <= day < to"),
}

AGGREGATES: Final[dict[str, tuple[str, str]]] = {
    "sum": ("sum(lines.x where condition)", "of the rows that meet the condition; 0 over none"),
    "count": ("count(lines where condition)", "how many rows; `count(distinct lines.x)` counts different values"),
    "any": ("any(lines.x > 0 where condition)", "whether it holds for a row; no over none"),
    "all": ("all(lines.x > 0 where condition)", "whether it holds for every row; yes over none"),
    "min": ("min(lines.x where condition)", "the smallest; missing over none"),
    "max": ("max(lines.x where condition)", "the largest; missing over none"),
    "rank": ("rank(lines.x where condition)", "the row's place, largest first, ties by the list's order"),
}

WINDOW_FUNCTIONS: Final = ("sum", "count", "first", "last", "min", "max")
