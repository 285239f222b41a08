"""What changed between two rulebooks and what it moves, as one HTML page: no script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Final

from rxcalc.compare.attributed import Attributed
from rxcalc.compare.model import Edit
from rxcalc.compare.moved import Moved
from rxcalc.lang.arithmetic import plain, round_to
from rxcalc.plan.nodes import Plan
from rxcalc.report import pages
from rxcalc.report.edits import heading
from rxcalc.report.layout import cut
from rxcalc.report.moved import DECILES, MOST_GROUPS, money, signed

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


def render(
    plans: tuple[Plan, Plan],
    edits: Sequence[Edit],
    moved: Moved | None,
    attributed: Attributed | None,
    status: Sequence[str],
    version: str,
) -> str:
    """The page. `status` are sentences on the evidence of the rulebooks' values."""
    decimals = moved.decimals if moved is not None else 0
    return pages.render(
        pages.environment(),
        "diff.html",
        "diff.css",
        title=f"What changes: {heading(*plans)}",
        lang="en",
        skip="Skip to the content",
        heading=heading(*plans),
        subjects=[(str(subject), list(own)) for subject, own in groupby(edits, key=lambda e: e.subject)],
        count=len(edits),
        moved=moved,
        attributed=attributed,
        deciles=list(zip(DECILES, moved.deciles, strict=False)) if moved is not None else [],
        most_groups=MOST_GROUPS,
        histogram=_histogram(moved) if moved is not None and moved.histogram else None,
        by_change=_by_change(attributed) if attributed is not None and attributed.rows else None,
        money=lambda value: money(value, decimals),
        signed=lambda value: signed(value, decimals),
        status=status,
        version=version,
    )


def _histogram(x: Moved) -> Bars:
    """A bar a bin, as long as the bin has bills."""
    most = max(b.count for b in x.histogram)
    rows = [
        _bar(
            at,
            f"{signed(b.low, 0)} to {signed(b.high, 0)}",
            f"{b.count:,}",
            "lower" if b.high <= 0 else "higher",
            Fraction(0),
            Fraction(100 * b.count, most),
        )
        for at, b in enumerate(x.histogram)
    ]
    text = f"{x.amount} is lower on {x.lower.count:,} bills and higher on {x.higher.count:,}."
    return _bars(f"Bills by how far {x.amount} moved", text, rows)


def _by_change(x: Attributed) -> Bars:
    """A bar a change, from the middle to the left where it lowers the amount, else to the right."""
    values = [(str(e.subject), e.moved) for e in x.effects if e.rows]
    if x.interactions:
        values.append(("acting on each other", sum((i.rest for i in x.interactions), Fraction(0))))
    most = max((abs(value) for _, value in values), default=Fraction(0)) or Fraction(1)
    rows = []
    for at, (name, value) in enumerate(values):
        length = 50 * abs(value) / most
        start = 50 - length if value < 0 else Fraction(50)
        rows.append(_bar(at, name, signed(value, x.decimals), "lower" if value < 0 else "higher", start, length))
    text = (
        f"Each change made by itself in the old rulebook: to the left it lowers {x.amount}, to the right it raises it."
    )
    return _bars(f"What each change does to {x.amount}", text, rows)


def _bar(at: int, label: str, value: str, direction: str, x: Fraction, width: Fraction) -> Bar:
    seen = max(width, LEAST) if width else Fraction(0)
    y = ROW * at + 1
    return Bar(cut(label, LABEL), value, direction, _number(x), _number(seen), _number(y), _number(y + Fraction(4, 10)))


def _bars(title: str, text: str, rows: Sequence[Bar]) -> Bars:
    return Bars(title, text, tuple(rows), _number(ROW * len(rows)))


def _number(value: Fraction) -> str:
    return plain(round_to(value, Fraction(1, 100), "half-up"), 2)
