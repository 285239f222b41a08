"""The values of a parameter over its dates as a picture: a lane for each key, a bar for as long as a value holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from rxcalc.plan.nodes import PlanParameter
from rxcalc.report.layout import cut
from rxcalc.site.book import Book
from rxcalc.site.model import Bar, Lane, Timeline, Value
from rxcalc.site.refs import ref

WIDTH: Final = 720.0  # pixels, unless the dates need more
LEAST: Final = 92.0  # between two dates
COLUMN: Final = 6.6  # a character of a bar
HEAD: Final = 24.0
LANE: Final = 44.0
LANES: Final = 40  # more are not drawn; the table has them all


def timeline(
    book: Book,
    p: PlanParameter,
    labels: Mapping[tuple[str, ...], str],
    cells: Mapping[tuple[int, tuple[str, ...]], Value],
) -> Timeline | None:
    """The picture; None where nothing changes over time, or there are more lanes than can be looked through."""
    starts = [segment.start for segment in p.segments]
    if len(starts) < 2 or len(labels) > LANES:
        return None
    xs, end = _places(starts, p.end)
    lanes = []
    for number, (keys, label) in enumerate(labels.items()):
        bars: list[Bar] = []
        for at, x in enumerate(xs):
            whole = " / ".join(cells[at, keys].lines)
            until = xs[at + 1] if at + 1 < len(xs) else end
            if bars and bars[-1].whole == whole:  # nothing changed for this key
                first = bars.pop()
                bars.append(_bar(first.x, until, whole, len(bars)))
            else:
                bars.append(_bar(x, until, whole, len(bars)))
        lanes.append(Lane(HEAD + number * LANE, label, tuple(bars)))
    return Timeline(
        width=end,
        height=HEAD + len(lanes) * LANE,
        top=HEAD,
        title=book.say("values_caption", book.label(ref("parameter", "", p.name))),
        marks=tuple(zip(xs, (s.isoformat() for s in starts), strict=True)),
        lanes=tuple(lanes),
    )


def _bar(x: float, until: float, whole: str, number: int) -> Bar:
    room = int((until - x - 10) / COLUMN)
    return Bar(x, until - x, cut(whole, max(room, 4)), whole, alternate=number % 2 == 1)


def _places(starts: list[date], end: date | None) -> tuple[list[float], float]:
    """Where the dates stand, by their distance in time as far as their labels leave room; and where the picture ends."""
    days = [float((s - starts[0]).days) for s in starts]
    last = float((end - starts[0]).days) if end is not None else days[-1] + max(days[-1] / len(days), 1.0)
    scale = WIDTH / max(last, 1.0)
    xs = [0.0]
    for day in days[1:]:
        xs.append(max(day * scale, xs[-1] + LEAST))
    return xs, max(WIDTH, xs[-1] + LEAST)
