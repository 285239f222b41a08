"""Where each yuan of an amount goes, as a picture: what the inline SVG of a page draws.

One row for the whole, one for each bearer, one for each of its parts. Each starts where the one above it ended, so that
a negative part goes back by its length and the last one ends at the whole. Lengths along the page are percentages and
heights are `em`, so that text keeps its size on a phone while the bars shrink.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rxcalc.lang.arithmetic import plain, round_to
from rxcalc.report.html_words import say
from rxcalc.report.layout import cut, width, wrap
from rxcalc.report.outline_model import Share, Shares

LABEL_COLUMNS: Final = 28
LABEL_LINES: Final = 3
LABEL_AND_AMOUNT: Final = 40  # what a narrow phone has room for
LINE: Final = Fraction(135, 100)  # heights in em
BAR: Final = Fraction(1)
GAP: Final = Fraction(70, 100)
THIN: Final = Fraction(1, 2)  # a bar below this percentage gets an outline, else it could not be seen


@dataclass(frozen=True)
class SharePart:
    """A part with its amount for computing and for reading."""

    share: Share
    amount: Fraction
    shown: str
    per_cent: str


@dataclass(frozen=True)
class BearerSum:
    """What one bearer bears of an amount: `parts` in the order of the rulebook."""

    bearer: str
    label: str
    amount: Fraction
    shown: str
    per_cent: str
    parts: tuple[SharePart, ...]


@dataclass(frozen=True)
class Divided:
    """A partition with the sums that the page shows."""

    whole: Fraction
    shown: str
    bearers: tuple[BearerSum, ...]


@dataclass(frozen=True)
class Label:
    """A line of text at a height."""

    text: str
    y: str


@dataclass(frozen=True)
class Bar:
    """A row of the chart. `x` and `width` are percentages, `y` and the labels' heights `em`."""

    kind: str  # whole, bearer or part
    bearer: str
    labels: tuple[Label, ...]
    amount: str
    x: str
    width: str
    y: str
    negative: bool
    thin: bool


@dataclass(frozen=True)
class Chart:
    """The picture with its text for those who cannot see it."""

    title: str
    text: str
    height: str
    bar_height: str
    bars: tuple[Bar, ...]
    bearers: tuple[str, ...]
    notes: tuple[str, ...]


def divided(shares: Shares) -> Divided:
    """The amount with its parts and a sum for each bearer."""
    texts = [part.amount.replace(",", "") for part in shares.parts]
    amounts = [Fraction(text) for text in texts]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    whole = sum(amounts, Fraction(0))

    def shown(amount: Fraction) -> str:
        return plain(amount, decimals, grouped=True)

    parts = [
        SharePart(share, amount, shown(amount), per_cent(amount, whole))
        for share, amount in zip(shares.parts, amounts, strict=True)
    ]
    sums: list[BearerSum] = []
    for bearer in dict.fromkeys(share.bearer for share in shares.parts):
        own = tuple(part for part in parts if part.share.bearer == bearer)
        total = sum((part.amount for part in own), Fraction(0))
        label = own[0].share.bearer_label
        sums.append(BearerSum(bearer, label, total, shown(total), per_cent(total, whole), own))
    return Divided(whole, shown(whole), tuple(sums))


def per_cent(amount: Fraction, whole: Fraction) -> str:
    """How much of the whole, to a tenth of a percent; one that is less says so, and of nothing there is none."""
    if whole == 0:
        return ""
    exact = 100 * amount / whole
    tenth = Fraction(1, 10)
    if exact != 0 and abs(exact) < tenth:
        return "< 0.1%" if exact > 0 else "> -0.1%"
    rounded = round_to(exact, tenth, "half-up")
    if rounded == 100 and exact < 100:
        return "> 99.9%"
    return f"{plain(rounded, 1)}%"


def chart(d: Divided, currency: str, language: str) -> Chart | str:
    """The picture of an amount that was divided, or why there is none."""
    parts = [part for sum_ in d.bearers for part in sum_.parts]
    if d.whole < 0 or (any(p.amount < 0 for p in parts) and not any(p.amount > 0 for p in parts)):
        return say("no_chart_negative", language)
    if not any(p.amount for p in parts):
        return say("no_chart_zero", language)
    reached = [Fraction(0)]
    for part in parts:
        reached.append(reached[-1] + part.amount)
    ruler = _Ruler(min(reached), max(reached))
    ruler.add("whole", "", say("whole", language), d.shown, Fraction(0), d.whole)
    at = Fraction(0)
    for sum_ in d.bearers:
        own = [part for part in sum_.parts if part.amount]
        single = own[0].share.label if len(own) == 1 else ""
        label = f"{sum_.label}{say('label_sep', language)}{single}" if single not in ("", sum_.label) else sum_.label
        if own:
            ruler.add("bearer", sum_.bearer, label, sum_.shown, at, at + sum_.amount)
        for part in own:
            end = at + part.amount
            if not single:
                ruler.add("part", sum_.bearer, part.share.label, part.shown, at, end)
            at = end
    notes = [say("chart_negative", language)] * any(p.amount < 0 for p in parts)
    zero = next((p.shown for p in parts if not p.amount), None)
    notes += [say("chart_zero", language, zero)] * (zero is not None)
    return Chart(
        title=say("chart", language, d.shown) if currency == "CNY" else say("chart_other", language, d.shown, currency),
        text=_in_words(d, language),
        height=_decimal(ruler.y),
        bar_height=_decimal(BAR),
        bars=tuple(ruler.bars),
        bearers=tuple(sum_.bearer for sum_ in d.bearers if any(p.amount for p in sum_.parts)),
        notes=tuple(notes),
    )


class _Ruler:
    """Bars below one another on one scale from `low` to `high`."""

    def __init__(self, low: Fraction, high: Fraction) -> None:
        self.low = low
        self.length = high - low
        self.y = Fraction(0)
        self.bars: list[Bar] = []

    def add(self, kind: str, bearer: str, label: str, amount: str, start: Fraction, end: Fraction) -> None:
        """A bar from `start` to `end` with its label above it."""
        lines = wrap(" ".join(label.split()), LABEL_COLUMNS)
        if len(lines) > LABEL_LINES:
            lines = [*lines[: LABEL_LINES - 1], cut(f"{lines[LABEL_LINES - 1]}....", LABEL_COLUMNS)]
        if width(lines[-1]) + width(amount) > LABEL_AND_AMOUNT:
            lines.append("")
        labels: list[Label] = []
        for line in lines:
            labels.append(Label(line, _decimal(self.y + 1)))  # text stands on its baseline
            self.y += LINE
        left, right = min(start, end), max(start, end)
        wide = 100 * (right - left) / self.length
        x = 100 * (left - self.low) / self.length
        self.bars.append(
            Bar(
                kind=kind,
                bearer=bearer,
                labels=tuple(labels),
                amount=amount,
                x=_decimal(x),
                width=_decimal(wide),
                y=_decimal(self.y),
                negative=end < start,
                thin=wide < THIN,
            )
        )
        self.y += BAR + GAP


def _in_words(d: Divided, language: str) -> str:
    """The chart as one sentence, for the SVG's description."""
    told: list[str] = []
    for sum_ in d.bearers:
        parts = [f"{part.share.label} {part.shown}" for part in sum_.parts if part.amount]
        if parts:
            told.append(f"{sum_.label} {sum_.shown} ({say('list_sep', language).join(parts)})")
    return f"{d.shown} = {say('clause_sep', language).join(told)}"


def _decimal(value: Fraction) -> str:
    return plain(round_to(value, Fraction(1, 1000), "half-up"), 3)
