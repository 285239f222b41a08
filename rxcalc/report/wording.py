"""Values and texts in the words of one reader: language, grouping of digits, labels."""

from __future__ import annotations

from copy import copy
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import plain, round_to, shortest
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.figures import ENDLESS_DECIMALS, figure
from rxcalc.plan.nodes import PlanInput, PlanSetValue, PlanStep, Value, Words
from rxcalc.report.model import Cites
from rxcalc.report.phrases import word

UNITS_ZH: Final = {
    Kind.DAYS: (" days", "天"), Kind.MONTHS: (" months", "个月"), Kind.YEARS: (" years", "年"),
    Kind.MONEY_PER_DAY: (" per day", "/天"),
}  # fmt: skip


def in_language(words: Words, language: str) -> str:
    """The text in a language, else in English, else the first one given."""
    texts = dict(words)
    return texts.get(language) or texts.get("") or texts.get("en") or (words[0][1] if words else "")


def in_one_line(text: str) -> str:
    """The text without line breaks, which would look like another line of what it stands in."""
    if text.isprintable():
        return text
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def plain_value(value: Value, type_: Type, decimals: int) -> str | None:
    """A value as JSON holds it: plain decimals, ISO dates, `yes` and `no`; None is missing.

    A value without a finite decimal is rounded half up to the currency's digits (six for plain numbers); its
    exact fraction stands beside it.
    """
    if value is None:
        return None
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        least = decimals if isinstance(type_, Plain) and type_.kind in (Kind.MONEY, Kind.MONEY_PER_DAY) else 0
        if isinstance(type_, Plain) and type_.kind is Kind.PERCENT:
            return figure(value, type_, decimals, grouped=False)
        places = least or ENDLESS_DECIMALS
        return shortest(value, least=least) or plain(round_to(value, Fraction(1, 10**places), "half-up"), places)
    return figure(value, type_, decimals, grouped=False)


def cited(cite: Words) -> Cites:
    """Citations as `source, place`."""
    return tuple(f"{source}, {place}" if place else source for source, place in cite)


def _in_chinese(text: str, type_: Type) -> str:
    """A figure with its unit in Chinese."""
    unit = UNITS_ZH.get(type_.kind) if isinstance(type_, Plain) else None
    return text.removesuffix(unit[0]) + unit[1] if unit is not None and text.endswith(unit[0]) else text


class Wording:
    """How values are written: for reading (`grouped`, 1,300.00 and translated words) or as data (1300.00)."""

    def __init__(self, language: str, decimals: int, *, grouped: bool) -> None:
        self.language = language
        self.decimals = decimals
        self.grouped = grouped

    def for_sentences(self) -> Wording:
        """The same for reading: also in data, sentences are for readers."""
        if self.grouped:
            return self
        other = copy(self)
        other.grouped = True
        return other

    def figure(self, value: Value, type_: Type, endless: str = "both") -> str:
        """A value."""
        if self.grouped and (value is None or isinstance(value, bool)):
            return word("missing" if value is None else "yes" if value else "no", self.language)
        text = figure(value, type_, self.decimals, grouped=self.grouped, endless=endless)
        text = in_one_line(text) if self.grouped else text
        return _in_chinese(text, type_) if self.grouped and self.language == "zh" else text

    def written(self, value: Value, type_: Type, endless: str = "both") -> str:
        """A value as formulas and figures have it: `missing`, `yes` and `no` belong to their language and stay."""
        text = figure(value, type_, self.decimals, grouped=self.grouped, endless=endless)
        return in_one_line(text) if self.grouped else text

    def key(self, value: Value, type_: Type) -> str:
        """A key of a group or a place in an order: a year is 2025, not 2,025."""
        number = isinstance(value, int | Fraction) and not isinstance(value, bool)
        return (self.plain(value, type_) or "") if number else self.figure(value, type_)

    def exact(self, value: Value, type_: Type) -> str:
        """The unrounded value: for reading as fraction and decimals, as data the one that is exact."""
        if not self.grouped and isinstance(value, Fraction) and shortest(value) is None:
            return f"{value.numerator}/{value.denominator}"
        return self.figure(value, type_)

    def words(self, words: Words) -> str:
        """A text in the reader's language."""
        return in_one_line(in_language(words, self.language))

    def plain(self, value: Value, type_: Type) -> str | None:
        """A value as JSON holds it."""
        return plain_value(value, type_, self.decimals)

    def step(self, step: PlanStep, value: Value) -> str:
        """The value of a step; of a set also with its label."""
        return self._named(step.values, value) or self.figure(value, step.type)

    def input(self, i: PlanInput, value: Value) -> str:
        """The value of an input; for reading, that of a set also with its label."""
        return (self._named(i.values, value) if self.grouped else "") or self.figure(value, i.type)

    def _named(self, values: tuple[PlanSetValue, ...], value: Value) -> str:
        """A value of a set with its label: `county hospital (county)`."""
        for candidate in values:
            if candidate.name == value and self.words(candidate.label):
                return f"{self.words(candidate.label)} ({value})"
        return ""
