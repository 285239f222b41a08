"""Diagnostics of lists, groups, spreads and checks."""

from __future__ import annotations

from collections.abc import Iterable

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import Span


def _error(code: str, span: Span, message: str, *help_: str, related: tuple[Label, ...] = ()) -> Diagnostic:
    return Diagnostic(
        code=code, severity=Severity.ERROR, message=message, primary=Label(span=span), related=related,
        help=tuple(h for h in help_ if h),
    )  # fmt: skip


def hides(span: Span, name: str, level: str, outer: Span) -> Diagnostic:
    """A line's or group's name that hides one of the episode."""
    return Diagnostic(
        code="RX451", severity=Severity.WARNING, message=f"`{name}` of `{level}` hides the episode's `{name}`",
        primary=Label(span=span), related=(Label(span=outer, text="the episode's"),),
        help=(f"a bare `{name}` is the innermost one; rename one of them if both are meant to be read",),
    )  # fmt: skip


def rows_outside(span: Span, what: str, told: str) -> Diagnostic:
    """A field of many rows where one value is needed."""
    return _error(
        "RX452", span, f"`{what}` stands for the `{what.rpartition('.')[2]}` of many rows, not for one value",
        told,
    )  # fmt: skip


def field_of_rows(span: Span, name: str, rows: str, told: str) -> Diagnostic:
    """A bare name that only the rows below have."""
    return _error("RX301", span, f"`{name}` is not a known name", f"`{rows}` have it, each its own: read {told}")


def rows_elsewhere(span: Span, rows: str, members: str) -> Diagnostic:
    """Rows that do not belong to this level directly."""
    help_ = f"give `{members}` a step that adds them up, and add that up here" if members else ""
    return _error("RX453", span, f"`{rows}` are no rows of this level", help_)


def no_rows(span: Span, function: str, *help_: str) -> Diagnostic:
    """An aggregate that names no rows."""
    return _error("RX453", span, f"`{function}(..)` does not say over which rows it goes", *help_)


def several_rows(span: Span, function: str, names: Iterable[str]) -> Diagnostic:
    """An aggregate over two kinds of rows."""
    told = " and ".join(f"`{n}`" for n in names)
    return _error(
        "RX454", span, f"`{function}(..)` goes over {told} at once", "give each its own step, and use the results here"
    )


def nested_rows(span: Span, what: str) -> Diagnostic:
    """An aggregate inside another."""
    return _error(
        "RX455", span, f"`{what}` stands inside another call over rows", "give the inner value a step of its own"
    )


def no_order(span: Span, what: str, level: str) -> Diagnostic:
    """`above`, `rank` or `spread` on a list without order."""
    return _error(
        "RX456",
        span,
        f"{what} needs an order of `{level}`",
        f"say it: `{level}: {{order: [line_no], ..}}`, fields that are unique in a bill",
    )


def bad_level(span: Span, message: str, help_: str) -> Diagnostic:
    """A list or group declared in a way that cannot work."""
    return _error("RX457", span, message, help_)


def not_member(span: Span, group: str, level: str) -> Diagnostic:
    """A group's result read without key by something that is no member of it."""
    where = "an episode" if level == "" else f"a row of `{level}`"
    return _error(
        "RX461",
        span,
        f"{where} is no member of `{group}`, so it has no `{group}` of its own",
        f"read one by its key: `{group}[key, ..].field`",
    )


def groups_in_circle(span: Span, names: Iterable[str]) -> Diagnostic:
    """Groups of groups in a circle."""
    known = list(names)
    told = ", ".join(f"`{n}`" for n in known)
    message = f"{told} are groups of each other" if len(known) > 1 else f"{told} is a group of itself"
    return _error("RX462", span, message, "a group has episodes, the rows of a list, or other groups as its members")


def bad_group_key(span: Span, message: str, help_: str) -> Diagnostic:
    """A group key or the key of a lookup that cannot be one."""
    return _error("RX463", span, message, help_)


def loop(span: Span, path: tuple[str, ...], why: str, places: tuple[Label, ...]) -> Diagnostic:
    """A loop across levels that no order can resolve."""
    return _error(
        "RX464", span, f"the results depend on each other: {' -> '.join(path)}", why,
        "a loop is allowed only through a window of one sequence, or `above` of one list, and inside what that sequence counts",
        related=places,
    )  # fmt: skip


def needs_effective(span: Span, group: str) -> Diagnostic:
    """A group that reads a dated parameter without a date."""
    return _error(
        "RX465", span, f"`{group}` reads a value that depends on a date, but does not say its own",
        f"say at which date: `{group}: {{effective: last_day(year), ..}}`, or write `at` after the value",
    )  # fmt: skip


def bad_spread(span: Span, message: str, help_: str) -> Diagnostic:
    """A spread that cannot add up."""
    return _error("RX458", span, message, help_)


def bad_check(span: Span, message: str, help_: str) -> Diagnostic:
    """A check that cannot be made."""
    return _error("RX459", span, message, help_)
