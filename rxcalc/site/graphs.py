"""The page of graphs: for each level what is computed from what, drawn and as a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rxcalc.plan.nodes import Plan, PlanGroup, PlanList
from rxcalc.report.layout import cut, wrap
from rxcalc.site.book import Book
from rxcalc.site.layers import Laid, Point, Size, lay_out
from rxcalc.site.model import Box, Edge, Graph
from rxcalc.site.refs import anchor, levels, part_ref, ref, result_ref, shares_of

COLUMNS: Final = 24  # of the text in a box
LINES: Final = 3
LINE: Final = 15.0
PADDING: Final = 12.0
SIZE: Final = Size()
TIP: Final = 5.0
SHEET: Final = 7  # layers


def graphs(book: Book) -> tuple[Graph, ...]:
    """A graph for each level that computes anything."""
    return tuple(_graph(book, level, of) for level, of in levels(book.plan) if _computes(book, level))


def _computes(book: Book, level: str) -> bool:
    return bool(book.names.order.get(level) or shares_of(dict(levels(book.plan))[level]))


def graph_id(level: str) -> str:
    """The id of a level's graph."""
    return anchor(f"graph-{level}") if level else "graph-episode"


def _graph(book: Book, level: str, of: Plan | PlanList | PlanGroup) -> Graph:
    own = list(_own(book, level, of))
    inside = frozenset(own)
    now, before = list(_edges(book, own, inside, earlier=False)), list(_edges(book, own, inside, earlier=True))
    joined = {end for edge in (*now, *before) for end in edge}
    drawn = [o for o in own if o in joined or not o.startswith("input-")]
    others = [n for n in dict.fromkeys(end for edge in now for end in edge) if n not in inside]
    order = [*(n for n in others if n.startswith("from:")), *drawn, *(n for n in others if n.startswith("to:"))]
    texts = {n: _lines(_text(book, n)) for n in order}
    laid = lay_out(
        {n: len(text) * LINE + PADDING for n, text in texts.items()},
        now,
        late=[n for n in order if n.startswith(("input-", "from:"))],
        last=[n for n in order if n.startswith(("share-", "to:"))],
        size=SIZE,
    )
    boxes = [_box(book, n, text, laid) for n, text in texts.items()]
    edges = [Edge("".join(map(_line, lines)), "", before=False) for lines in laid.lines.values()]
    edges += [Edge("", _tip(end), before=False) for end in laid.ends]
    places = {b.ref: b for b in boxes}
    for a, b in dict.fromkeys([*before, *(e for e in now if e not in laid.edges)]):
        if a in places and b in places and a != b:
            start, end, to_left = _back(places[a], places[b])
            edges.append(Edge(_line((start, end)), _tip(end, to_left=to_left), before=True))
    return Graph(
        id=graph_id(level),
        title=book.level(level),
        width=laid.width,
        height=laid.height,
        box_width=SIZE.width,
        strips=tuple(_strips(laid.width)),
        boxes=tuple(boxes),
        edges=tuple(edges),
        unread=book.runs(o for o in own if o not in drawn),
        rows=tuple(
            (
                (book.run(o),),
                book.runs(book.uses.reads[o].all) if o in book.uses.reads else (),
                book.runs(book.uses.read_by.get(o, ())),
            )
            for o in drawn
        ),
    )


def _strips(width: float) -> Iterator[tuple[float, float]]:
    """A wide graph in parts of as many layers as a sheet has room for; neighbours share a layer."""
    step = SIZE.width + SIZE.apart
    if width <= SHEET * step:
        return
    layer = 0.0
    while layer == 0 or layer * step + SIZE.width < width:
        yield layer * step - 2, SHEET * step
        layer += SHEET - 1


def _own(book: Book, level: str, of: Plan | PlanList | PlanGroup) -> Iterator[str]:
    """What the graph of a level shows: its inputs and keys, steps, received parts, shares."""
    if isinstance(of, PlanGroup):
        yield from (ref("input", level, k.name) for k in of.keys)
    yield from (ref("input", level, i.name) for i in of.inputs)
    yield from (result_ref(level, r) for r in book.names.order.get(level, ()))
    for at, partition in enumerate(shares_of(of)):
        yield from (part_ref(level, at, partition, n) for n, part in enumerate(partition.parts) if part.value >= 0)


def _edges(book: Book, own: list[str], inside: frozenset[str], *, earlier: bool) -> Iterator[tuple[str, str]]:
    """Who reads what; what lies on other levels is one box for each level, on the side where it belongs."""
    for reader in own:
        found = book.uses.reads.get(reader)
        for read in (found.before if earlier else found.now) if found is not None else ():
            if read in inside:
                yield read, reader
            elif not earlier and read in book.names.level:
                yield f"from:{book.names.level[read]}", reader
    if earlier:
        return
    for read in own:
        for reader in book.uses.read_by.get(read, ()):
            if reader not in inside and reader in book.names.level and reader not in book.names.totals:
                yield read, f"to:{book.names.level[reader]}"


def _text(book: Book, node: str) -> str:
    side, _, level = node.partition(":")
    return book.level(level) if side in ("from", "to") else book.label(node)


def _lines(text: str) -> tuple[str, ...]:
    found = wrap(text, COLUMNS)
    return tuple(found) if len(found) <= LINES else (*found[: LINES - 1], cut(found[LINES - 1] + " ..", COLUMNS))


def _box(book: Book, node: str, lines: tuple[str, ...], laid: Laid) -> Box:
    side, _, level = node.partition(":")
    if side in ("from", "to"):
        kind, href = "level", f"#{graph_id(level)}" if _computes(book, level) else _rows_of(book, level)
    else:
        kind, href = node.partition("-")[0], book.names.href(node, "graph")
    x, y = laid.at[node]
    return Box(
        node, href, "step" if kind == "spread" else kind, _text(book, node), lines, x, y, len(lines) * LINE + PADDING
    )


def _rows_of(book: Book, level: str) -> str:
    """Where a level that computes nothing is described."""
    names = (ref(kind, "", level) for kind in ("list", "group"))
    return next((href for name in names if (href := book.names.href(name, "graph"))), "inputs.html")


def _line(ends: tuple[Point, Point]) -> str:
    """A line that leaves and arrives level; straight through a bend."""
    (x, y), (to_x, to_y) = ends
    if to_y == y and to_x >= x:
        return f"M{x:.1f} {y:.1f}H{to_x:.1f}"
    half = (to_x - x) / 2 if to_x != x else SIZE.apart
    return f"M{x:.1f} {y:.1f}C{x + half:.1f} {y:.1f} {to_x - half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _tip(end: Point, *, to_left: bool = False) -> str:
    x, y = end
    along = TIP if to_left else -TIP
    return f"M{x:.1f} {y:.1f}l{along:.1f} {-TIP / 2:.1f}v{TIP:.1f}z"


def _back(a: Box, b: Box) -> tuple[Point, Point, bool]:
    """A line from one box to another that may stand left of it, and whether it arrives from the right."""
    to_left = b.x < a.x
    out, into = (0.0, SIZE.width) if to_left else (SIZE.width, 0.0)
    return (a.x + out, a.y + a.height / 2), (b.x + into, b.y + b.height / 2), to_left
