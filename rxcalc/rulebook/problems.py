"""What can be wrong with a file and with the shape of a rulebook: one constructor a mistake (RX1xx)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from rxcalc.diagnostics.model import Diagnostic, Label, Severity
from rxcalc.source import Span


def _error(
    code: str,
    message: str,
    span: Span,
    text: str = "",
    *,
    advice: Iterable[str] = (),
    related: tuple[Label, ...] = (),
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        primary=Label(span=span, text=text),
        related=related,
        help=tuple(advice),
    )


def shorten(text: str, limit: int = 60) -> str:
    """A text fit for the middle of a message: one line, at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 2] + ".."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is near."""
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


# ---- files ------------------------------------------------------------------------------------


def unreadable(span: Span, reason: str) -> Diagnostic:
    """The file cannot be opened or read."""
    return _error("RX101", f"cannot read the file: {reason}", span, advice=["check the path and its permissions"])


def not_regular(span: Span, what: str) -> Diagnostic:
    """The path is a folder, a pipe or a device."""
    return _error("RX102", f"not a regular file: {what}", span, advice=["name a file that holds YAML"])


def outside(span: Span) -> Diagnostic:
    """The path leads out of the rulebook's folder."""
    return _error(
        "RX103",
        "the file lies outside the rulebook's folder",
        span,
        advice=["keep every file of a rulebook inside its folder; symbolic links are followed before this is tested"],
    )


def not_utf8(span: Span, byte: int) -> Diagnostic:
    """The file is not UTF-8."""
    return _error("RX104", f"the file is not UTF-8 text (byte {byte + 1})", span, advice=["save it as UTF-8"])


def too_large(span: Span, limit_mb: int) -> Diagnostic:
    """The file is larger than the limit."""
    return _error(
        "RX105",
        f"the file is larger than {limit_mb} MB",
        span,
        advice=["put large tables into CSV files under `tables:`"],
    )


def yaml_syntax(span: Span, message: str, advice: Sequence[str] = (), related: tuple[Label, ...] = ()) -> Diagnostic:
    """The file is not YAML."""
    return _error("RX106", message, span, advice=advice, related=related)


def tab_indent(span: Span) -> Diagnostic:
    """A tab stands where YAML wants spaces."""
    return _error("RX107", "a tab where YAML allows only spaces", span, advice=["indent with spaces"])


def unclosed_quote(span: Span, quote: str) -> Diagnostic:
    """A quoted text has no end."""
    return _error(
        "RX108",
        f"the quote {quote} that starts here is never closed",
        span,
        advice=[f"add {quote} at the end of the text"],
    )


def needs_block(span: Span, why: str, lines: Sequence[str]) -> Diagnostic:
    """A text that YAML reads as structure."""
    return _error("RX109", f"YAML cannot read this text: {why}", span, advice=["put it into a `|` block:", *lines])


def unquoted_rule(span: Span, quoted: str) -> Diagnostic:
    """A text inside `{..}` or `[..]` that YAML cuts at a comma or bracket."""
    return _error(
        "RX110",
        "inside braces a text that holds , [ ] { or } must be quoted",
        span,
        advice=[f"write {quoted}"],
    )


def duplicate_key(span: Span, key: str, first: Span) -> Diagnostic:
    """A key stands twice in one mapping."""
    return _error(
        "RX111",
        f"`{shorten(key)}` is given twice",
        span,
        advice=["keep one of the two"],
        related=(Label(span=first, text="first given here"),),
    )


def tag(span: Span, written: str) -> Diagnostic:
    """A YAML tag."""
    return _error(
        "RX112",
        f"YAML tags such as `{shorten(written)}` are not allowed",
        span,
        advice=["remove the tag; values are read by the type declared for them"],
    )


def anchor(span: Span, name: str, *, alias: bool) -> Diagnostic:
    """An anchor or alias."""
    what = f"alias `*{shorten(name)}`" if alias else f"anchor `&{shorten(name)}`"
    return _error(
        "RX113",
        f"YAML anchors and aliases are not allowed: {what}",
        span,
        advice=["write the value out, or name it once as a parameter or set; quote a text that starts with & or *"],
    )


def merge_key(span: Span) -> Diagnostic:
    """A merge key."""
    return _error("RX114", "YAML merge keys `<<` are not allowed", span, advice=["write the keys out"])


def several_documents(span: Span) -> Diagnostic:
    """A second document or a directive in one file."""
    return _error(
        "RX115",
        "a file holds one YAML document, without % directives",
        span,
        advice=["remove the extra `---`, or split the file"],
    )


def not_mapping(span: Span) -> Diagnostic:
    """The top level is no mapping."""
    return _error(
        "RX116",
        "a rulebook is a mapping of keys to values",
        span,
        advice=["start with `rxcalc: 1` and `rulebook: NAME`"],
    )


def bad_key(span: Span) -> Diagnostic:
    """A key that is a list or a mapping, or empty."""
    return _error(
        "RX117", "a key must be one plain word or text", span, advice=["quote it if it is text that starts with [ or {"]
    )


def yaml_depth(span: Span, limit: int) -> Diagnostic:
    """Too many levels inside each other."""
    return _error("RX118", f"more than {limit} levels inside each other", span, advice=["flatten the structure"])


def control_character(span: Span, code_point: int, *, escaped: bool = False) -> Diagnostic:
    """A character that cannot be seen or that turns the direction of writing."""
    how = "written as an escape" if escaped else "here"
    return _error("RX119", f"control or invisible character U+{code_point:04X} {how}", span, advice=["remove it"])


def not_a_rulebook(span: Span) -> Diagnostic:
    """No `rxcalc:` at the top."""
    return _error(
        "RX120",
        "not a rulebook: there is no `rxcalc:` at the top level",
        span,
        advice=["start the file with `rxcalc: 1`"],
    )


def unknown_version(span: Span, written: str) -> Diagnostic:
    """A version of the language that this program does not know."""
    return _error(
        "RX121",
        f"unknown language version `{shorten(written)}`",
        span,
        advice=["this version of rxcalc reads `rxcalc: 1`"],
    )


def no_document(span: Span) -> Diagnostic:
    """Nothing but white space and comments."""
    return _error("RX106", "the file is empty", span, advice=["a rulebook starts with `rxcalc: 1`"])


# ---- structure --------------------------------------------------------------------------------


def unknown_key(span: Span, key: str, where: str, known: Sequence[str]) -> Diagnostic:
    """A key that does not belong here."""
    near = nearest(key, known)
    advice = f"did you mean `{near}`?" if near else f"known here: {', '.join(known)}"
    return _error("RX131", f"unknown key `{shorten(key)}`{where}", span, advice=[advice])


def missing_key(span: Span, key: str, where: str, advice: str) -> Diagnostic:
    """A key that must be given."""
    return _error("RX132", f"`{key}` is missing{where}", span, advice=[advice] if advice else [])


def wrong_shape(span: Span, where: str, expected: str, found: str, advice: Sequence[str] = ()) -> Diagnostic:
    """A list where a text is needed, and the like."""
    return _error("RX133", f"{where} must be {expected}, not {found}", span, advice=advice)


def no_value(span: Span, where: str, expected: str) -> Diagnostic:
    """A key without a value."""
    return _error("RX134", f"{where} has no value", span, advice=[f"give {expected}, or remove the key"])


def not_allowed(span: Span, where: str, written: str, allowed: Sequence[str]) -> Diagnostic:
    """A word that is not one of those allowed."""
    near = nearest(written, allowed)
    advice = [f"did you mean `{near}`?"] if near else []
    return _error(
        "RX135", f"{where} cannot be `{shorten(written)}`", span, advice=[*advice, f"allowed: {', '.join(allowed)}"]
    )


def bad_name(span: Span, written: str, expected: str) -> Diagnostic:
    """A name with characters that names do not have."""
    return _error("RX136", f"`{shorten(written)}` is not a name", span, advice=[expected])


def bad_format(span: Span, where: str, written: str, expected: str) -> Diagnostic:
    """A value that is not written as its kind is."""
    return _error("RX137", f"{where} must be {expected}, not `{shorten(written)}`", span)


def empty(span: Span, where: str, expected: str) -> Diagnostic:
    """An empty list or mapping."""
    return _error("RX139", f"{where} is empty", span, advice=[f"give {expected}, or remove the key"])


# ---- overlays ---------------------------------------------------------------------------------


def no_base(span: Span, kind: str, message: str, advice: str) -> Diagnostic:
    """`extends:` leads nowhere, outside, or to something that is no file."""
    code = {"missing": "RX151", "outside": "RX152", "irregular": "RX153"}[kind]
    if kind == "outside":
        advice = (
            "put the base into a folder beside this one and write a path such as `../base`; links are followed first"
        )
    return _error(code, shorten(message, 200), span, advice=[advice] if advice else [])


def overlay_cycle(span: Span, path: Sequence[str]) -> Diagnostic:
    """Overlays that extend each other, or one that extends itself."""
    return _error(
        "RX154",
        "overlays extend each other in a circle: " + " -> ".join(path),
        span,
        advice=["a chain of overlays must end in a rulebook without `extends`"],
    )


def too_many_bases(span: Span, limit: int) -> Diagnostic:
    """A chain of overlays that is too long."""
    return _error(
        "RX155", f"more than {limit} rulebooks below one overlay", span, advice=["merge some of them into one rulebook"]
    )


def not_in_base(span: Span, doing: str, path: str, near: str | None, advice: str = "") -> Diagnostic:
    """Changing or removing what the base lacks."""
    help_ = [f"did you mean `{near}`?" if near else "", advice]
    return _error("RX156", f"`{doing}` names `{path}`, which the base does not have", span, advice=filter(None, help_))


def already_in_base(span: Span, path: str, first: Span) -> Diagnostic:
    """Adding what the base has."""
    return _error(
        "RX157",
        f"`adds` names `{path}`, which the base has already",
        span,
        advice=["put it under `changes:` to replace it, or give it another name"],
        related=(Label(span=first, text="stands in the base here"),),
    )


def changes_nothing(span: Span, path: str, first: Span) -> Diagnostic:
    """A replacement that is what it replaces."""
    what = f"the new `{path}` is the same as the base's" if path else "this overlay changes nothing, not even the dates"
    related = (Label(span=first, text="in the base"),) if path else ()
    return Diagnostic(
        code="RX158",
        severity=Severity.WARNING,
        message=what,
        primary=Label(span=span),
        related=related,
        help=("leave it out, or change what should differ",),
    )


def removed_too(span: Span, path: str, first: Span) -> Diagnostic:
    """One thing changed and removed, or removed twice, as a whole or in part."""
    return _error(
        "RX159",
        f"`{path}` cannot be removed: the overlay changes or removes it elsewhere, or part of it",
        span,
        advice=["keep one of the two"],
        related=(Label(span=first, text="here"),),
    )


def misplaced_sections(span: Span, names: Sequence[str]) -> Diagnostic:
    """Sections at the top level of an overlay."""
    named = ", ".join(f"`{name}`" for name in names)
    stand = "stands" if len(names) == 1 else "stand"
    return _error(
        "RX161",
        f"{named} {stand} at the top level of an overlay",
        span,
        advice=["put what is new under `adds:`, and what replaces something of the base under `changes:`"],
    )


def base_is_a_name(span: Span) -> Diagnostic:
    """Something named `base`, which in an overlay is the rule that is replaced."""
    return _error(
        "RX162",
        "something is named `base`, so nothing can be laid over it",
        span,
        advice=["give it another name: in a changed step `base` is the rule that is replaced"],
    )


def not_removable(span: Span, path: str) -> Diagnostic:
    """Removing what every rulebook has, or what the overlay says of itself."""
    return _error(
        "RX135", f"`removes` cannot name `{path}`", span, advice=["change it instead; single inputs can be removed"]
    )
