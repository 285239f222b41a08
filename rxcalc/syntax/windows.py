"""`windows:` read into declarations: which kind each window is, and whether it says all that its kind needs."""

from __future__ import annotations

import re
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Entry, Mapping, Node
from rxcalc.syntax import nodes as n
from rxcalc.syntax import problems
from rxcalc.syntax.declarations import declared, entries, ident, idents, is_yes, scalar

_KINDS: Final = ("calendar", "rolling", "gap", "period", "all")
_TAKEN: Final = {"date": ("calendar", "rolling", "period"), "starting": ("calendar",), "unit": ("rolling",), "from": ("gap",),
                 "to": ("gap",)}  # fmt: skip
"""The kinds that take each further key."""

_KNOWN: Final = frozenset({*_KINDS, *_TAKEN, "same", "label", "note", "cite", "status", "names"})

_NEEDED: Final = {
    "calendar": {"date": "the input whose date decides the period"},
    "rolling": {"date": "the input whose date counts"},
    "period": {"date": "the input whose date starts a period and falls in one"},
    "gap": {
        "from": "the date at which an episode ends, such as discharge_date",
        "to": "the date at which the next one begins, such as admission_date",
    },
}
"""The keys that each kind needs, and what they name."""

_LENGTH: Final = re.compile(r"([0-9][0-9_]*)(?:\s*([A-Za-z]+))?")
_UNITS: Final = ("days", "months", "years")
_LONGEST: Final = {"days": 365_250, "months": 12_000, "years": 1_000, "": 12_000}
"""A thousand years: dates stay in the calendar wherever a window looks."""


def windows(node: Node | None, sink: Sink) -> tuple[n.WindowDecl, ...]:
    """`windows:`."""
    return tuple(_window(e, e.value, sink) for e in entries(node) if isinstance(e.value, Mapping))


def _window(entry: Entry, of: Mapping, sink: Sink) -> n.WindowDecl:
    given = {e.key.text: e for e in of.entries}
    kinds = [k for k in _KINDS if k in given and (k != "all" or is_yes(given[k].value))]
    if len(kinds) > 1:
        first, second = sorted((given[k].key for k in kinds[:2]), key=lambda key: key.span.start)
        sink.add(problems.two_window_kinds(second.span, first.text, second.text, first.span))
    elif not kinds and "same" not in given and _KNOWN.issuperset(given):  # an unknown key is reported by itself
        sink.add(
            problems.bad_window(
                entry.key.span,
                f"the window `{entry.key.text}` does not say which episodes it holds",
                "give `calendar`, `rolling`, `gap`, `period`, `same` or `all: yes`",
            )
        )
    lengths = {kind: _length(given[kind].value, sink) for kind in ("rolling", "gap", "period") if kind in given}
    if len(kinds) == 1:
        _keys_of(given, kinds[0], lengths.get("rolling"), sink)
    elif not kinds:
        _stray(given, ("same",) if "same" in given else (), sink)
    return n.WindowDecl(
        name=declared(entry.key, sink),
        calendar=_text(of, "calendar"),
        date=_ident(of, "date"),
        starting=scalar(of.get("starting")),
        same=idents(of.get("same")),
        all=is_yes(of.get("all")),
        rolling=lengths.get("rolling"),
        unit=_text(of, "unit"),
        gap=lengths.get("gap"),
        gap_from=_ident(of, "from"),
        gap_to=_ident(of, "to"),
        period=lengths.get("period"),
    )


def _keys_of(given: dict[str, Entry], kind: str, rolling: n.Length | None, sink: Sink) -> None:
    """Reports what a window of one kind lacks and what does not belong to it."""
    own = given[kind].key
    for key, about in _NEEDED.get(kind, {}).items():
        if key not in given and kind == "calendar":
            sink.add(problems.bad_window(own.span, "a calendar window needs `date`", f"name {about}"))
        elif key not in given:
            sink.add(problems.window_needs(own.span, kind, key, about))
    unit = given.get("unit")
    if kind == "rolling" and rolling is not None and not rolling.unit and unit is None:
        sink.add(problems.window_unit(rolling.span, rolling.number))
    if kind == "rolling" and rolling is not None and rolling.unit and unit is not None:
        sink.add(problems.window_two_units(unit.key.span, f"{rolling.number} {rolling.unit}"))
    _stray(given, (kind,), sink)


def _stray(given: dict[str, Entry], kinds: tuple[str, ...], sink: Sink) -> None:
    """Reports keys that belong to windows of other kinds."""
    for key, takers in _TAKEN.items():
        if key not in given or any(kind in takers for kind in kinds):
            continue
        span = given[key].key.span
        if key == "starting":
            message, advice = "`starting` belongs to a calendar window", "give `calendar` too, or leave it out"
            sink.add(problems.bad_window(span, message, advice))
        elif kinds:
            sink.add(problems.stray_window_key(span, key, kinds[0], takers))


def _length(node: Node, sink: Sink) -> n.Length | None:
    """`12 months`, or a bare number of calendar units; None after reporting what is neither."""
    found = scalar(node)
    if found is None:
        return None
    match = _LENGTH.fullmatch(found.text.strip())
    if match is None:
        sink.add(problems.bad_length(found.span, found.text, _UNITS))
        return None
    digits, word = match[1].replace("_", ""), match[2] or ""
    unit = word if word.endswith("s") or not word else word + "s"
    if unit and unit not in _UNITS:
        sink.add(problems.bad_length(found.span, found.text, _UNITS, word=word))
        return None
    number = int(digits[:12])
    if number == 0 or number > _LONGEST[unit]:
        sink.add(problems.length_outside(found.span, found.text.strip(), zero=number == 0))
        return None
    return n.Length(number=number, unit=unit, span=found.span)


def _text(of: Mapping, key: str) -> str | None:
    found = scalar(of.get(key))
    return found.text if found is not None else None


def _ident(of: Mapping, key: str) -> n.Ident | None:
    found = scalar(of.get(key))
    return ident(found) if found is not None else None
