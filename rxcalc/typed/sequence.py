"""Sequences and the windows over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import CODE, DATE, ErrorType, Type
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.symbols import Role, SymbolTable, nearest

MONTH_DAY: Final = re.compile(r"(\d{2})-(\d{2})")


def check_sequence(decl: syn.RulebookDecl, symbols: SymbolTable, sink: Sink, used: set[str]) -> None:
    """Reports what cannot work in `sequence:` and `windows:`; adds the inputs they read to `used`."""
    inputs = [i.name.name for i in decl.inputs]

    def known_input(ident: syn.Ident, what: str, wanted: Type | None = None, *, always: bool = True) -> Type | None:
        symbol = symbols.names.get(ident.name)
        if symbol is None or symbol.role is not Role.INPUT:
            if symbol is None:
                sink.add(problems.unknown_name(ident.span, ident.name, nearest(ident.name, inputs)))
            else:
                sink.add(problems.wrong_role(ident.span, ident.name, symbol.role.value, f"{what} is an input"))
            return None
        used.add(ident.name)
        if wanted is not None and symbol.type is not None and symbol.type != wanted:
            sink.add(problems.wrong_type(ident.span, f"an input of type {wanted}", f"a {symbol.type}"))
        if always and symbol.missing:
            sink.add(
                problems.bad_window(
                    ident.span,
                    f"`{ident.name}` is optional, but {what} must always be given",
                    "make it required, or give it a `default:`",
                )
            )
        return symbol.type

    if decl.sequence is not None:
        known_input(decl.sequence.by, "the key of the sequence")
        for ident in decl.sequence.order:
            known_input(ident, "a field of `order`")
        if decl.sequence.reverses is not None:
            known_input(decl.sequence.reverses, "the field that names a reversed episode", CODE, always=False)
        if not decl.sequence.order or decl.sequence.order[-1].name != "episode_id":
            last = decl.sequence.order[-1].span if decl.sequence.order else decl.sequence.span
            sink.add(
                problems.bad_window(
                    last,
                    "`order` must end in the episode id",
                    "add `episode_id` at its end, so that no two episodes tie",
                )
            )
    given = [symbols.names[name] for name in inputs if name in symbols.names]
    dates = [s.name for s in given if s.role is Role.INPUT and s.type == DATE and not s.missing]
    used |= {w.starting.text for w in decl.windows if w.starting is not None and w.starting.text in dates}
    check_windows(
        decl.windows,
        decl.sequence,
        lambda ident, what: known_input(ident, what, always=not what.startswith("a field of")),
        dates,
        sink,
        "sequence: {by: person_id, order: [.., episode_id]}",
    )


def check_windows(
    windows: Iterable[syn.WindowDecl],
    sequence: syn.SequenceDecl | None,
    known: Callable[[syn.Ident, str], Type | None],
    dates: list[str],
    sink: Sink,
    example: str,
) -> None:
    """Reports what cannot work in the windows of one level.

    Args:
        windows: the windows.
        sequence: the sequence that they look back in.
        known: the type of an input (of groups: of a key), reported where there is none; the text says what it is for.
        dates: the fields that are dates and always given.
        sink: takes the reports.
        example: a sequence as it could be written.
    """
    for window in windows:
        if sequence is None:
            message = f"window `{window.name.name}` has no sequence to look back in"
            sink.add(problems.bad_window(window.name.span, message, f"say which rows follow each other: `{example}`"))
        for ident, key in ((window.date, "date"), (window.gap_from, "from"), (window.gap_to, "to")):
            found = known(ident, f"the `{key}` of a window") if ident is not None else None
            if ident is not None and found is not None:
                _date(ident, key, found, dates, sink)
        for ident in window.same:
            known(ident, "a field of `same`")
        if (
            window.starting is not None
            and month_day(window.starting.text) is None
            and window.starting.text not in dates
        ):
            message = f"`{window.starting.text}` is no day of the year and no date input"
            sink.add(problems.bad_window(window.starting.span, message, "write month and day, e.g. `starting: 07-01`"))
        if sequence is not None:
            _order(window, sequence, sink)


def _date(ident: syn.Ident, key: str, found: Type, dates: list[str], sink: Sink) -> None:
    if found == DATE or isinstance(found, ErrorType):
        return
    if key == "date":
        sink.add(problems.wrong_type(ident.span, f"an input of type {DATE}", f"a {found}"))
    else:
        sink.add(problems.window_date(ident.span, key, ident.name, found, nearest(ident.name, dates), dates))


def _order(window: syn.WindowDecl, sequence: syn.SequenceDecl, sink: Sink) -> None:
    """Reports a spell or period whose date the rows are not taken by."""
    kind, by = ("gap", window.gap_to) if window.gap is not None else ("period", window.date)
    if by is None or (window.gap is None and window.period is None):
        return
    first = sequence.order[0] if sequence.order else None
    if first is not None and first.name != by.name:
        key = "to" if kind == "gap" else "date"
        sink.add(problems.window_order(by.span, kind, key, by.name, first.name, first.span))


def month_day(text: str) -> tuple[int, int] | None:
    """`07-01` as (7, 1); None when it is no day of every year."""
    match = MONTH_DAY.fullmatch(text)
    if match is None:
        return None
    month, day = int(match[1]), int(match[2])
    try:
        date(2025, month, day)  # a common year: 29 February starts no insurance year
    except ValueError:
        return None
    return month, day
