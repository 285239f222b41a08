"""The charts of what a change of rulebook moves: bars beside their labels and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rxcalc.compare.attributed import Attributed
from rxcalc.compare.moved import Moved
from rxcalc.report.amounts import bare, rounded, signed
from rxcalc.report.layout import cut
from rxcalc.report.phrases_diff import say, subject

ROW: Final = Fraction(29, 10)  # em: a line of text, a bar, a gap
LABEL: Final = 34  # columns of text beside an amount, on a phone
LEAST: Final = Fraction(1, 2)  # per cent: what can be seen of a bar


@dataclass(frozen=True)
class Bar:
    """A row of a chart: `x` and `width` are percentages, `y` is where its text stands and `top` where the bar does, in em."""

    label: str
    value: str
    direction: str  # lower or higher
    x: str
    width: str
    y: str
    top: str


@dataclass(frozen=True)
class Bars:
    """A chart: its title, what it says in one sentence, its rows and its height in em."""

    title: str
    text: str
    rows: tuple[Bar, ...]
    height: str


def histogram(x: Moved, language: str) -> Bars:
    """A bar a bin, as long as the bin has bills."""
    most = max(b.count for b in x.histogram)
    rows = [
        _bar(
            at,
            say("from_to", language, signed(b.low, 0), signed(b.high, 0)),
            f"{b.count:,}",
            "lower" if b.high <= 0 else "higher",
            Fraction(0),
            Fraction(100 * b.count, most),
        )
        for at, b in enumerate(x.histogram)
    ]
    text = say("chart_histogram_text", language, x.amount, f"{x.lower.count:,}", f"{x.higher.count:,}")
    return _bars(say("chart_histogram", language, x.amount), text, rows)


def by_change(x: Attributed, language: str) -> Bars:
    """A bar a change, from the middle to the left where it lowers the amount, else to the right."""
    values = [(subject(e.subject, language), e.moved) for e in x.effects if e.rows]
    if x.interactions:
        values.append((say("interacting", language), sum((i.rest for i in x.interactions), Fraction(0))))
    most = max((abs(value) for _, value in values), default=Fraction(0)) or Fraction(1)
    rows = []
    for at, (name, value) in enumerate(values):
        length = 50 * abs(value) / most
        start = 50 - length if value < 0 else Fraction(50)
        rows.append(_bar(at, name, signed(value, x.decimals), "lower" if value < 0 else "higher", start, length))
    text = say("chart_changes_text", language, x.amount)
    return _bars(say("chart_changes", language, x.amount), text, rows)


def _bar(at: int, label: str, value: str, direction: str, x: Fraction, width: Fraction) -> Bar:
    seen = max(width, LEAST) if width else Fraction(0)
    y = ROW * at + 1
    return Bar(cut(label, LABEL), value, direction, _place(x), _place(seen), _place(y), _place(y + Fraction(4, 10)))


def _bars(title: str, text: str, rows: Sequence[Bar]) -> Bars:
    return Bars(title, text, tuple(rows), _place(ROW * len(rows)))


def _place(value: Fraction) -> str:
    return bare(rounded(value, 2), 2)
