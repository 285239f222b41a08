"""One constructor per mistake of the typed stage: names, types and units, dates, tables, case analysis."""

from __future__ import annotations

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.rulebook.problems import shorten
from rxcalc.source import Span


def _error(
    code: str, span: Span, message: str, *help_: str, text: str = "", related: tuple[Label, ...] = ()
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        primary=Label(span=span, text=text),
        related=related,
        help=tuple(line for line in help_ if line),
    )


def _warning(code: str, span: Span, message: str, *help_: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.WARNING, message=message, primary=Label(span=span), help=help_)


def _named(phrase: object) -> str:
    """`a input` as `an input`, `a money` as `an amount of money`, `a one of [..]` as `one of [..]`."""
    text = str(phrase)
    if not text.startswith("a "):
        return text
    match text[2:]:
        case "money":
            return "an amount of money"
        case rest if rest.startswith(("one of ", "money ")):
            return rest
        case rest if rest.startswith(("bands of ", "cliff of ", "curve of ")):
            return f"a schedule ({rest})"
        case "0" | "codes" | "months" | "years" | "days" as rest:
            return rest
        case rest:
            return f"an {rest}" if rest[0] in "aeio" else text


# ---- 3: names --------------------------------------------------------------------------------


def unknown_name(span: Span, word: str, near: str | None, expected: str = "") -> Diagnostic:
    """A bare word that is no name and no value expected here."""
    return _error(
        "RX301",
        span,
        f"`{word}` is not a known name",
        f"did you mean `{near}`?" if near else "",
        f"a value expected here is one of: {expected}" if expected else "",
    )


def base_outside_change(span: Span) -> Diagnostic:
    """`base` where nothing is replaced."""
    return _error(
        "RX163", span, "`base` has no meaning here",
        "in a step under `changes:` of an overlay it is the rule that is replaced; anywhere else name the step itself",
    )  # fmt: skip


def duplicate_name(span: Span, word: str, first: Span, role: str) -> Diagnostic:
    """Two declarations share a name."""
    return _error(
        "RX302", span, f"`{word}` is already the name of {_named(f'a {role}')}", "give one of the two another name",
        related=(Label(span=first, text="first used here"),),
    )  # fmt: skip


def name_and_value(span: Span, word: str) -> Diagnostic:
    """A word that is both a name and a value of the set expected here."""
    return _error(
        "RX303", span, f"`{word}` is both a name and a value of the set expected here",
        "rename the one or the other, so that a reader cannot take it for both",
    )  # fmt: skip


def unknown_function(span: Span, word: str, near: str | None) -> Diagnostic:
    """A call of something that is no function."""
    return _error("RX304", span, f"there is no function `{word}`", f"did you mean `{near}`?" if near else "")


def unknown_member(span: Span, of: str, word: str, near: str | None, known: str) -> Diagnostic:
    """A column, window field or window function that does not exist."""
    return _error(
        "RX305",
        span,
        f"`{of}` has no `{word}`",
        f"did you mean `{near}`?" if near else "",
        f"it has: {known}" if known else "",
    )


def wrong_role(span: Span, word: str, role: str, help_: str) -> Diagnostic:
    """A name used where its kind of thing has no value."""
    return _error("RX306", span, f"`{word}` is {_named(f'a {role}')} and cannot be used like this", help_)


def cycle(span: Span, path: tuple[str, ...], places: tuple[Label, ...]) -> Diagnostic:
    """Steps that need each other."""
    return _error(
        "RX307", span, "steps depend on each other in a circle: " + " -> ".join(path),
        "break the circle; a step may read itself only through a window over earlier episodes, and in a list through `above`",
        related=places,
    )  # fmt: skip


def unknown_source(span: Span, word: str, near: str | None) -> Diagnostic:
    """A citation of a source that is not listed."""
    return _error(
        "RX308",
        span,
        f"`{word}` is not one of this rulebook's sources",
        f"did you mean `{near}`?" if near else "add it under `sources:`",
    )


def total_in_step(span: Span, word: str) -> Diagnostic:
    """A step that reads a share."""
    return _error(
        "RX309", span, f"`{word}` belongs to the shares, which are divided after all steps",
        "use it in `guarantees`, `outputs` or over earlier episodes (`window.sum(..)`); in a step, repeat the step it is made of",
    )  # fmt: skip


def bad_episode_id(span: Span) -> Diagnostic:
    """The input that names every episode cannot do so."""
    return _error(
        "RX310",
        span,
        "`episode_id` must be a code that is always given",
        "write `episode_id: {type: code}`: it names every episode",
    )


def unused(span: Span, word: str, role: str) -> Diagnostic:
    """Something declared and never read."""
    return _warning("RX311", span, f"{role} `{word}` is never used", "use it or remove it")


# ---- 4: types, units, missing values -----------------------------------------------------------


def unlike_units(span: Span, doing: str, left: object, right: object, help_: str = "") -> Diagnostic:
    """An operation between units it is not defined for."""
    return _error("RX401", span, f"cannot {doing} {_named(left)} and {_named(right)}", help_)


def wrong_type(span: Span, wanted: object, found: object, help_: str = "") -> Diagnostic:
    """A value of another type than needed."""
    return _error("RX402", span, f"expected {_named(wanted)}, found {_named(found)}", help_)


def may_be_missing(span: Span, what: str) -> Diagnostic:
    """Use of a value that may be missing."""
    return _error(
        "RX403", span, f"`{what}` may be missing here",
        f"test it first (`when {what} is known then ..`) or say what stands in for it (`default({what}, ..)`)",
    )  # fmt: skip


def no_value_here(span: Span) -> Diagnostic:
    """The word `missing` where a value is needed."""
    return _error(
        "RX403", span, "`missing` is no value, and one is needed here",
        "only a step with `optional: yes` may give it, as the whole of a clause or branch; to test for it write `x is missing`",
    )  # fmt: skip


def earlier_may_be_missing(span: Span, window: str, name: str) -> Diagnostic:
    """Use of an earlier episode's value that may be missing."""
    return _error(
        "RX403",
        span,
        f"`{name}` may be missing in an earlier episode",
        f"leave such episodes out: `{name} where {window}.{name} is known`",
    )


def never_missing(span: Span, what: str) -> Diagnostic:
    """A test for missing of a value that never is."""
    return _warning("RX404", span, f"`{what}` is never missing, so this test decides nothing", "remove the test")


def wrong_arguments(span: Span, name: str, usage: str) -> Diagnostic:
    """A call with the wrong number or form of arguments."""
    return _error("RX405", span, f"`{name}` is not called like this", f"write {usage}")


def foreign_currency(span: Span, sign: str, currency: str) -> Diagnostic:
    """An amount in another currency than the rulebook's."""
    return _error(
        "RX406", span, f"{sign} is not the rulebook's currency, {currency}", "convert the amount, or change `currency:`"
    )


def not_exact(span: Span, step: str, reader: str) -> Diagnostic:
    """An unrounded value where a finite decimal is needed."""
    return _error(
        "RX408", span, f"`{step}` may have more than 12 decimals but is read by {reader}",
        "say how it is rounded, e.g. `round: {to: 0.01}`",
    )  # fmt: skip


def needs_rounding(span: Span, name: str) -> Diagnostic:
    """Power or root outside a rounded step."""
    return _error(
        "RX410",
        span,
        f"`{name}` must be the whole rule of a step that says its rounding",
        "give it a step of its own with `round: {to: ..}`",
    )


def cannot_infer(span: Span, step: str) -> Diagnostic:
    """A step whose type follows only from itself."""
    return _error(
        "RX411", span, f"the type of `{step}` cannot be found out from its rule", "say it, e.g. `type: money`"
    )


def rounding_on_exact(span: Span, type_: object) -> Diagnostic:
    """`round:` on a type that is never rounded."""
    return _error("RX412", span, f"a {type_} is not rounded", "remove `round:`")


def bad_bounds(span: Span, low: str, high: str, help_: str) -> Diagnostic:
    """Min above max."""
    return _error("RX413", span, f"the lower bound {low} is above the upper bound {high}", help_)


def default_on_required(span: Span) -> Diagnostic:
    """Default together with optional."""
    return _error(
        "RX414",
        span,
        "`default:` fills the field, so it is never missing and cannot be `optional` too",
        "keep one of the two",
    )


# ---- 5: dates, parameters, tables --------------------------------------------------------------


def bad_value(span: Span, text: str, type_: object, help_: str = "") -> Diagnostic:
    """A YAML value that is not of the type it should have."""
    return _error(
        "RX501", span, f"{text if text.startswith('a ') else f'`{text}`'} is not {_named(f'a {type_}')}", help_
    )


def missing_key(span: Span, parameter: str, key: str) -> Diagnostic:
    """A parameter without a value for one key."""
    return _error(
        "RX502",
        span,
        f"`{parameter}` gives no value for `{key}`",
        f"add `{key}:`, with `none` where there is no such value",
    )


def unknown_key(span: Span, key: str, known: str, near: str | None) -> Diagnostic:
    """A key that the set does not hold."""
    return _error(
        "RX503",
        span,
        f"`{key}` is not one of {known.removeprefix('one of ')}",
        f"did you mean `{near}`?" if near else "",
    )


def no_value_at(span: Span, parameter: str, text: str, help_: str) -> Diagnostic:
    """A date in force for which the parameter has no value."""
    return _error("RX504", span, f"`{parameter}` has no value {text}", help_)


def bad_dates(span: Span, message: str, help_: str) -> Diagnostic:
    """Dates that contradict each other."""
    return _error("RX505", span, message, help_)


def bad_schedule(span: Span, message: str, help_: str) -> Diagnostic:
    """Bands, slices or points that do not ascend, or are not closed."""
    return _error("RX506", span, message, help_)


def table_unreadable(span: Span, message: str, help_: str) -> Diagnostic:
    """A table file that cannot be used at all."""
    return _error("RX511", span, message, help_)


def table_cell(span: Span, message: str, help_: str = "") -> Diagnostic:
    """A cell of a table that is not of its column's type."""
    return _error("RX512", span, message, help_)


def table_duplicate(span: Span, message: str, first: Span) -> Diagnostic:
    """Two rows of a table with one key at one date."""
    return _error(
        "RX513", span, message, "keep one of them, or part their dates", related=(Label(span=first, text="the first"),)
    )


def table_header(span: Span, message: str, help_: str) -> Diagnostic:
    """Columns missing from a table's header."""
    return _error("RX514", span, message, help_)


def bad_window(span: Span, message: str, help_: str) -> Diagnostic:
    """A window or sequence that cannot work."""
    return _error("RX521", span, message, help_)


def window_order(span: Span, kind: str, key: str, name: str, first: str, where: Span) -> Diagnostic:
    """A spell or period is formed by a date that the rows are not taken by."""
    formed = "spells" if kind == "gap" else "periods"
    return _error(
        "RX475", span, f"`{name}` forms {formed}, but the sequence is taken by `{first}` first",
        f"put `{name}` first in `order`, or name `{first}` as `{key}`",
        related=(Label(span=where, text="taken by this first"),),
    )  # fmt: skip


def window_date(span: Span, key: str, name: str, found: object, near: str | None, dates: list[str]) -> Diagnostic:
    """A `from` or `to` that is no date."""
    return _error(
        "RX476", span, f"`{name}` is {_named(f'a {found}')}, but `{key}` must be a date",
        f"did you mean `{near}`?" if near else "",
        f"dates are {', '.join(f'`{d}`' for d in dates)}" if dates else "declare an input with `type: date`",
    )  # fmt: skip


def bad_shares(span: Span, message: str, help_: str) -> Diagnostic:
    """Shares that cannot add up."""
    return _error("RX522", span, message, help_)


def bad_x12(span: Span, written: str) -> Diagnostic:
    """A code of X12 that is none."""
    help_ = "write the group (PR, CO, OA, PI or CR), a hyphen and the reason of 1 to 4 digits or capitals, e.g. `PR-1`"
    return _error("RX523", span, f"`{shorten(written, 30)}` is no X12 adjustment code", help_)


# ---- 6: case analysis and plan -----------------------------------------------------------------


def not_exhaustive(span: Span, witness: str, *, undecided: bool) -> Diagnostic:
    """Clauses that leave a case open."""
    if undecided:
        return _error(
            "RX601", span, "it is not proven that these conditions cover every case", "end the rule with `otherwise ..`"
        )
    return _error(
        "RX601", span, f"no clause holds when {witness}", "add a clause for it, or end the rule with `otherwise ..`"
    )


def overlap(span: Span, first: Span, witness: str, *, undecided: bool) -> Diagnostic:
    """Two rows of a unique table that hold together."""
    message = (
        "it is not proven that these two rows never hold together" if undecided else f"two rows hold when {witness}"
    )
    return _error(
        "RX602",
        span,
        message,
        "narrow one of them, or say `hit: first`",
        related=(Label(span=first, text="the other row"),),
    )


def unreachable(span: Span, why: str) -> Diagnostic:
    """A clause that never decides."""
    return _error(
        "RX603",
        span,
        f"this clause can never be reached: {why}",
        "remove it, or move it before the clause that hides it",
    )


def too_large(span: Span, message: str, help_: str) -> Diagnostic:
    """One of the limits in docs/language.md."""
    return _error("RX611", span, message, help_)
