"""What can be wrong with the text of rules and declarations: one constructor a mistake (RX2xx)."""

from __future__ import annotations

from collections.abc import Iterable

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.rulebook.problems import nearest, shorten
from rxcalc.source import Span


def _error(
    code: str, message: str, span: Span, *advice: str, text: str = "", related: tuple[Label, ...] = ()
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        primary=Label(span=span, text=text),
        related=related,
        help=advice,
    )


# ---- text of rules ----------------------------------------------------------------------------


def unexpected(span: Span, found: str, wanted: str) -> Diagnostic:
    """A word or sign that does not fit here."""
    return _error("RX201", f"`{shorten(found, 30)}` does not fit here", span, f"expected {wanted}")


def unexpected_end(span: Span, wanted: str) -> Diagnostic:
    """The text stops too early."""
    return _error("RX202", "the rule ends too early", span, f"expected {wanted}")


def unknown_character(span: Span, char: str) -> Diagnostic:
    """A character that the language does not use."""
    return _error(
        "RX203",
        f"the character `{char}` (U+{ord(char):04X}) has no meaning in a rule",
        span,
        'put text between "..", and comments after #',
    )


def full_width(span: Span, char: str, plain: str) -> Diagnostic:
    """A full-width sign where the ASCII one is meant; of blanks, which all look alike, the name."""
    if char.isspace():
        name = "full-width" if char == "\u3000" else "no-break"
        return _error("RX204", f"{name} space (U+{ord(char):04X})", span, "write a plain space")
    message = f"full-width `{char}`" if char >= "\u3000" else f"`{char}` (U+{ord(char):04X}) is no sign of rules"
    return _error("RX204", message, span, f"write `{plain}`")


def foreign_operator(span: Span, written: str, advice: str) -> Diagnostic:
    """An operator of another language."""
    return _error("RX205", f"`{written}` is not an operator here", span, advice)


def number_with_comma(span: Span, written: str) -> Diagnostic:
    """A thousands separator that would be read as the end of an argument."""
    plain = written.replace(",", "_")
    return _error(
        "RX206",
        f"`{written}` is read as several numbers",
        span,
        f"write {plain}; to list numbers put a space after each comma",
    )


def exponent(span: Span, written: str) -> Diagnostic:
    """A number with an exponent."""
    return _error(
        "RX207",
        f"numbers have no exponent: `{shorten(written, 30)}`",
        span,
        "write the number out, for instance 100_000",
    )


def too_many_digits(span: Span, limit: int) -> Diagnostic:
    """A number that is too long."""
    return _error("RX207", f"a number has at most {limit} digits", span, "round the number")


def no_such_day(span: Span, written: str) -> Diagnostic:
    """A date that is not in the calendar."""
    return _error(
        "RX208",
        f"there is no day `{shorten(written, 30)}`",
        span,
        "dates are written year-month-day, for instance 2025-07-01",
    )


def single_quotes(span: Span) -> Diagnostic:
    """Text between single quotes."""
    return _error(
        "RX209",
        "text stands between double quotes",
        span,
        "write \"..\" instead of '..'; inside a YAML text in double quotes use a `|` block",
    )


def unclosed_text(span: Span, *, is_plain: bool) -> Diagnostic:
    """A text without its closing quote."""
    more = ("a plain YAML text ends at ` #`: put the rule into a `|` block if the text holds one",) if is_plain else ()
    return _error("RX210", "the text that starts here is never closed", span, 'add the closing "', *more)


def bad_escape(span: Span) -> Diagnostic:
    """A backslash before anything but a quote or a backslash."""
    return _error("RX210", 'a text knows only the escapes \\" and \\\\', span, "write the character itself")


def missing_then(span: Span) -> Diagnostic:
    """`when` or `if` without `then`."""
    return _error(
        "RX211", "`then` is missing", span, "write `when CONDITION then VALUE`, `if CONDITION then VALUE else VALUE`"
    )


def missing_else(span: Span) -> Diagnostic:
    """`if` without `else`."""
    return _error("RX212", "`else` is missing: an `if` always gives a value", span, "add `else VALUE`")


def else_without_if(span: Span) -> Diagnostic:
    """`else` where no `if` is open."""
    return _error("RX213", "`else` without `if`", span, "in a list of `when` clauses the last one is `otherwise VALUE`")


def else_if(span: Span, written: str) -> Diagnostic:
    """`elif` and its kin."""
    return _error(
        "RX213", f"`{written}` is not a word of the language", span, "write `else if`, or a list of `when` clauses"
    )


def chained(span: Span) -> Diagnostic:
    """`a < b < c`."""
    return _error("RX214", "comparisons do not chain", span, "write `a < b and b < c`, or `b between a and c`")


def after_otherwise(span: Span, otherwise: Span) -> Diagnostic:
    """A clause that can never be reached."""
    return _error(
        "RX215",
        "no clause can follow `otherwise`",
        span,
        "make `otherwise` the last clause",
        related=(Label(span=otherwise, text="this always holds"),),
    )


def if_in_operator(span: Span) -> Diagnostic:
    """`a + if ..`."""
    return _error("RX216", "an `if` inside an operator needs parentheses", span, "write `a + (if c then x else y)`")


def too_deep(span: Span, limit: int) -> Diagnostic:
    """Too many levels inside each other."""
    return _error(
        "RX217", f"more than {limit} levels inside each other", span, "name a part of the rule as a step of its own"
    )


def too_many_nodes(span: Span, limit: int) -> Diagnostic:
    """A rule that is too long."""
    return _error(
        "RX218", f"the rule has more than {limit:,} parts", span, "split the rule into several steps, or use a table"
    )


def folded(span: Span) -> Diagnostic:
    """Rule text over several lines without `|`."""
    return _error(
        "RX219",
        "rule text over several lines must stand in a `|` block",
        span,
        "write `rule: |` and the text indented below it; `>` and wrapped lines lose the places of errors",
    )


def reserved(span: Span, name: str) -> Diagnostic:
    """A declared name that the language uses itself."""
    return _error("RX220", f"`{name}` is a word of the language and cannot be a name", span, "choose another name")


def no_rule(span: Span) -> Diagnostic:
    """An empty rule."""
    return _error("RX202", "the rule is empty", span, "give an expression, or clauses `when .. then ..`")


# ---- decision tables --------------------------------------------------------------------------


def row_length(span: Span, found: int, wanted: int, of: Span) -> Diagnostic:
    """A row with more or fewer cells than the table has columns."""
    return _error(
        "RX221",
        f"the row has {found} cells, the table {wanted} columns",
        span,
        "give one cell a column; `any` holds for every value",
        related=(Label(span=of, text="the columns"),),
    )


def bad_row(span: Span) -> Diagnostic:
    """A row that is neither `when` and `then` nor `otherwise`."""
    return _error(
        "RX221",
        "a row has either `when` and `then`, or `otherwise`",
        span,
        "write {when: [..], then: VALUE} or {otherwise: VALUE}",
    )


def bad_cell(span: Span, written: str) -> Diagnostic:
    """A cell that cannot be read."""
    return _error(
        "RX222",
        f"cannot read the cell `{shorten(written, 30)}`",
        span,
        'a cell is a value, a list of values, any, or a quoted condition without its left side such as "> 3"',
    )


# ---- declarations -----------------------------------------------------------------------------


def one_of_two(span: Span, where: str, first: str, second: str, *, both: bool) -> Diagnostic:
    """Two keys of which exactly one is needed."""
    message = f"{where} has both `{first}` and `{second}`" if both else f"{where} needs `{first}` or `{second}`"
    return _error("RX223", message, span, f"give one of `{first}` and `{second}`")


def bad_type(span: Span, written: str, known: Iterable[str]) -> Diagnostic:
    """A type that does not exist."""
    words = list(known)
    near = nearest(written, words)
    advice = [f"did you mean `{near}`?"] if near else []
    return _error(
        "RX224",
        f"there is no type `{shorten(written, 40)}`",
        span,
        *advice,
        f"types: {', '.join(words)}; bands, cliff or curve of TYPE over TYPE; or `one_of:`",
    )


def twice(span: Span, what: str, name: str, first: Span) -> Diagnostic:
    """A value or name that stands twice in one list."""
    return _error(
        "RX225",
        f"{what} `{shorten(name)}` is given twice",
        span,
        "remove one",
        related=(Label(span=first, text="first given here"),),
    )


def bad_part(span: Span, message: str, advice: str) -> Diagnostic:
    """A part of the shares that is not written as one."""
    return _error("RX226", message, span, advice)


def bad_guarantee(span: Span) -> Diagnostic:
    """A guarantee of no known form."""
    return _error(
        "RX227",
        "a guarantee has one of `that`, `increasing` and `within`",
        span,
        "write a condition, {that: .., say: ..}, {increasing: {what: .., in: ..}} or {within: {what: .., in: ..}}",
    )


def bad_window(span: Span, message: str, advice: str) -> Diagnostic:
    """A window that says too little or too much."""
    return _error("RX228", message, span, advice)


def two_window_kinds(span: Span, first: str, second: str, where: Span) -> Diagnostic:
    """A window of two kinds at once."""
    return _error(
        "RX471",
        f"a window has one kind: `{first}` and `{second}` exclude each other",
        span,
        "make them two windows, or leave one out; only `same` may stand beside another kind",
        related=(Label(span=where, text="the other kind"),),
    )


def bad_length(span: Span, written: str, units: Iterable[str], word: str = "") -> Diagnostic:
    """A length that cannot be read."""
    near = nearest(word, list(units)) if word else None
    hint = (f"did you mean `{near}`?",) if near else ()
    return _error(
        "RX472",
        f"`{shorten(written, 30)}` is no length of time",
        span,
        *hint,
        "write a whole number of days, months or years, e.g. `60 days`, `12 months`, `1 years`",
    )


def length_outside(span: Span, written: str, *, zero: bool) -> Diagnostic:
    """A length of zero, or longer than any calendar."""
    message = "holds nothing" if zero else "is longer than a thousand years"
    return _error("RX472", f"a length of {shorten(written, 30)} {message}", span, "write a length such as `12 months`")


def stray_window_key(span: Span, key: str, kind: str, takers: Iterable[str]) -> Diagnostic:
    """A key that belongs to windows of another kind."""
    return _error(
        "RX473",
        f"`{key}` says nothing in a `{kind}` window",
        span,
        f"leave it out; `{key}` belongs to {' and '.join(f'`{taker}`' for taker in takers)}",
    )


def window_two_units(span: Span, length: str) -> Diagnostic:
    """A length with its own unit beside `unit`."""
    return _error(
        "RX473",
        f"`unit` stands beside a length of {length}, which has a unit",
        span,
        "for months back from the date write `rolling: 12 months` alone",
        "for whole calendar months write `rolling: 12` and `unit: month`",
    )


def window_needs(span: Span, kind: str, key: str, about: str) -> Diagnostic:
    """A key that a kind of window cannot do without."""
    return _error("RX474", f"a `{kind}` window needs `{key}`", span, f"name {about}")


def window_unit(span: Span, number: int) -> Diagnostic:
    """A rolling window that does not say what its number counts."""
    return _error(
        "RX474",
        f"`rolling: {number}` does not say what it counts",
        span,
        f"write `rolling: {number} months` for months back from the date",
        f"or add `unit: month` for {number} whole calendar months",
    )


def ends_before(span: Span, start: Span) -> Diagnostic:
    """A period that ends before it begins."""
    return _error(
        "RX229",
        "the end is before the start",
        span,
        "both days are included: the end may be the same day",
        related=(Label(span=start, text="the start"),),
    )
