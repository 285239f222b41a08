"""Phrases, how tightly they hold together, and which words functions and comparisons take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rxcalc.plan.nodes import PlanCall
from rxcalc.prose.model import Sentence

# How tightly a phrase holds together.
OPEN: Final = 0  # its end could be taken for the start of more
CHAIN: Final = 1  # `A plus B`
FACTORS: Final = 2  # `A times B`
TERM: Final = 3  # `the year of A`
KEYED: Final = 4  # `the rate for A`: what follows could be taken for a part of A
CLOSED: Final = 5
ALWAYS: Final = 6  # what is needed where nothing holds together enough: brackets in any case

ALL: Final = 0  # conditions: joined by `and` or `or`
ONE: Final = 1

COMPARED: Final = {"=": "equal", "!=": "unequal", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
DENIED: Final = {"has": "lacks", "meets": "apart"}
LEAST: Final = {"min": ("smaller", "smallest"), "max": ("larger", "largest")}
LEAST_DATE: Final = {"min": ("earlier", "earliest"), "max": ("later", "latest")}
CONVERSIONS: Final = frozenset({"abs", "days", "months", "years", "as_count", "as_percent", "as_number"})
OF_DATE: Final = frozenset({"year", "month", "day"})
PAIRS: Final = frozenset({"days_between", "months_between", "power", "root", "default", "age"})
ROUNDINGS: Final = frozenset({"round", "floor", "ceil"})
SCHEDULES: Final = frozenset({"bands", "band", "bands_reach"})


@dataclass(frozen=True)
class Phrase:
    """A part of a sentence and how tightly it holds together."""

    runs: Sentence
    holds: int


def call_key(call: PlanCall) -> str:
    """The words of a call that has a value."""
    return {"count": "count_distinct" if call.distinct else "count_values"}.get(call.function, call.function)


ROW_FUNCTIONS: Final = frozenset({"sum", "count", "any", "all", "min", "max", "rank"})

MODES: Final = {
    "half-up": ("half up", "四舍五入"), "half-even": ("half to even", "四舍六入五成双"), "half-down": ("half down", "五舍六入"),
    "up": ("away from zero", "进位"), "down": ("toward zero", "舍去"),
}  # fmt: skip
