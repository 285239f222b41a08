"""The sequence and the windows over it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.types import CODE, DATE, Type
from rxcalc.source import Span
from rxcalc.syntax import nodes as syn
from rxcalc.typed import problems
from rxcalc.typed.symbols import Role, Symbol, SymbolTable, nearest

MONTH_DAY: Final = re.compile(r"(\d{2})-(\d{2})")


def check_sequence(decl: syn.RulebookDecl, symbols: SymbolTable, sink: Sink, used: set[str]) -> None:
    """Reports what cannot work in `sequence:` and `windows:`; adds the inputs they read to `used`."""

    def known_input(ident: syn.Ident, what: str, wanted: Type | None = None, *, always: bool = True) -> Symbol | None:
        symbol = symbols.names.get(ident.name)
        if symbol is None or symbol.role is not Role.INPUT:
            near = nearest(ident.name, [i.name.name for i in decl.inputs])
            if symbol is None:
                sink.add(problems.unknown_name(ident.span, ident.name, near))
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
        return symbol

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
    for window in decl.windows:
        if decl.sequence is None:
            sink.add(
                problems.bad_window(
                    window.name.span,
                    f"window `{window.name.name}` has no sequence to look back in",
                    "say whose episodes follow each other: `sequence: {by: person_id, order: [.., episode_id]}`",
                )
            )
        if window.date is not None:
            known_input(window.date, "the date of a window", DATE)
        for ident in window.same:
            known_input(ident, "a field of `same`", always=False)
        if window.starting is not None:
            _starting(window.starting.text, window.starting.span, symbols, sink, used)


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


def _starting(text: str, span: Span, symbols: SymbolTable, sink: Sink, used: set[str]) -> None:
    if month_day(text) is not None:
        return
    symbol = symbols.names.get(text)
    if symbol is None or symbol.role is not Role.INPUT or symbol.type != DATE or symbol.missing:
        sink.add(
            problems.bad_window(
                span, f"`{text}` is no day of the year and no date input", "write month and day, e.g. `starting: 07-01`"
            )
        )
        return
    used.add(text)
