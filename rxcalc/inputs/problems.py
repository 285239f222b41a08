"""Mistakes in episode and example files."""

from __future__ import annotations

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import Span


def _error(code: str, span: Span, message: str, *help_: str) -> Diagnostic:
    return Diagnostic(
        code=code, severity=Severity.ERROR, message=message, primary=Label(span=span), help=tuple(h for h in help_ if h)
    )


def bad_episode_file(span: Span, message: str, help_: str) -> Diagnostic:
    """Not the shape of an episode or example file."""
    return _error("RX751", span, message, help_)


def not_one_value(span: Span, name: str) -> Diagnostic:
    """A list where one value belongs."""
    return _error("RX751", span, f"`{name}` is written as a list, but holds one value", "remove the brackets")


def not_earlier(span: Span, message: str, help_: str) -> Diagnostic:
    """An `earlier:` episode that cannot come before the bill."""
    return _error("RX756", span, message, help_)


def unknown_opening(span: Span, key: str, known: str) -> Diagnostic:
    """A `so_far` key that is no window call of the rulebook."""
    return _error(
        "RX752",
        span,
        f"`{key}` is not a window call of this rulebook",
        f"it reads: {known}" if known else "it reads no window at all",
    )


def bad_opening(span: Span, message: str) -> Diagnostic:
    """A `so_far` value that cannot be read."""
    return _error("RX753", span, message, "write a plain number, as in an episode")


def opening_of_several(span: Span, call: str) -> Diagnostic:
    """An opening amount that only a single episode can take."""
    return _error(
        "RX758",
        span,
        f"`{call}` can be given for a single episode only: how much of it a second one still sees, it cannot tell",
        "list one episode, or list the earlier bills themselves under `earlier:`",
    )


def unknown_expectation(span: Span, key: str, near: str | None) -> Diagnostic:
    """An `expect` key that names no result."""
    return _error(
        "RX754", span, f"`{key}` is no step, total or part of this rulebook", f"did you mean `{near}`?" if near else ""
    )


def unknown_finding(span: Span, name: str, near: str | None) -> Diagnostic:
    """A finding expected of a check that there is not."""
    return _error(
        "RX754",
        span,
        f"`{name}` is no check of this rulebook",
        f"did you mean `{near}`?" if near else "give checks a `name:`",
    )


def bad_group(span: Span, message: str, help_: str) -> Diagnostic:
    """A group result or group input that the rulebook has no place for."""
    return _error("RX757", span, message, help_)


def unknown_row(span: Span, message: str, help_: str) -> Diagnostic:
    """An `expect` key that names no row, list or group of the example."""
    return _error("RX754", span, message, help_)
