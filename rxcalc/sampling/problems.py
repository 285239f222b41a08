"""What can be wrong with hints for made-up data: one constructor a mistake (RX17x)."""

from __future__ import annotations

from collections.abc import Sequence

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import Span


def _error(code: str, span: Span, message: str, *advice: str, related: tuple[Label, ...] = ()) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        primary=Label(span=span),
        related=related,
        help=tuple(a for a in advice if a),
    )


def unknown_hint(
    span: Span, word: str, what: str, near: str | None, known: Sequence[str], *, in_base: bool
) -> Diagnostic:
    """A hint for something that is not there. `what` is what could have stood here."""
    listed = ", ".join(known[:8]) + (", .." if len(known) > 8 else "")
    return _error(
        "RX171",
        span,
        f"`{word}` is no {what}",
        f"did you mean `{near}`?" if near else f"hints can be given for: {listed}" if listed else "",
        f"a hint of the base is taken out with `removes: [sample.{word}]`" if in_base else "",
    )


def bad_hint(span: Span, message: str, advice: str = "") -> Diagnostic:
    """A hint that its field cannot take."""
    return _error("RX172", span, message, advice)


def bad_share(span: Span, message: str, advice: str = "") -> Diagnostic:
    """Shares of values that do not add up, or a share that is none."""
    return _error("RX173", span, message, advice)


def circle(span: Span, path: Sequence[str], places: Sequence[Span]) -> Diagnostic:
    """Hints that need each other."""
    return _error(
        "RX174",
        span,
        "hints need each other in a circle: " + " -> ".join(path),
        "let one of them be drawn without the others",
        related=tuple(Label(span=place, text="needs the next one") for place in places),
    )
