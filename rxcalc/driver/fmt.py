"""Rulebooks and their examples in one spelling, without a change of meaning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find

if TYPE_CHECKING:
    from rxcalc.rulebook.document import Document, Node, Scalar
    from rxcalc.rulebook.layout import TextLine

EXAMPLES: Final = "examples"


@dataclass(frozen=True, slots=True)
class Unformatted:
    """Why a text was left alone. Where `sink` holds the reason, `message` is short."""

    message: str
    help: str = ""


def files_of(name: str) -> tuple[find.Found, ...] | find.NotFound:
    """The files that `name` stands for: a file itself; of a folder every rulebook in or below it, with its examples.

    The name of a shipped rulebook stands for its folder.
    """
    found = find.rulebooks(name)
    if isinstance(found, find.NotFound) or Path(name).is_file():
        return found
    files: dict[Path, find.Found] = {}
    for one in found:
        files[one.path] = one
        folder = one.path.parent / EXAMPLES
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix in (".yaml", ".yml") and path.is_file():
                files[path] = find.Found(path, str(Path(one.shown).parent / EXAMPLES / path.name))
    return tuple(files.values())


def formatted(shown: str, data: bytes, sink: Sink) -> str | Unformatted:
    """The bytes of a rulebook, overlay, example or episode file as text in canonical spelling.

    Order, comments, line breaks and styles stay, and so does the meaning: that is tested on the result.
    """
    from rxcalc.rulebook.load import decode, load_text, load_yaml_text

    text = decode(shown, data, sink)
    if text is None:
        return Unformatted("it cannot be read")
    text = text.replace("\r\n", "\n")
    text = text if text.endswith("\n") else text + "\n"
    trial = Sink()
    root = load_yaml_text(shown, text, trial)
    if root is not None and _is_data(root):
        return _spelled(shown, text, root, is_rulebook=False)
    document = load_text(shown, text, sink)
    if document is None:
        return Unformatted("it is no rulebook, example file or episode file that can be read")
    _check_syntax(document, sink)
    if sink.has_errors:
        return Unformatted("it has errors", f"`rxcalc check {shown}` shows them all")
    return _spelled(shown, text, document.root, is_rulebook=True)


def _is_data(root: Node) -> bool:
    """Whether this is a file of examples, or of an episode."""
    from rxcalc.rulebook.document import Mapping, Sequence

    match root:
        case Sequence(items=(Mapping() as first, *_)):
            return first.get("example") is not None
        case Mapping():
            is_episode = root.get("episode") is not None or root.get("episodes") is not None
            return is_episode and root.get("rxcalc") is None
        case _:
            return False


def _check_syntax(document: Document, sink: Sink) -> None:
    from rxcalc.rulebook.rule_places import rule_places
    from rxcalc.rulebook.schema import check_structure, is_overlay
    from rxcalc.syntax.parse import parse_expression, parse_rule, parse_rulebook

    if not is_overlay(document):
        parse_rulebook(document, sink)
        return
    check_structure(document, sink)
    places = rule_places(document.root)
    for scalar in _scalars(document.root):
        kind = places.get(scalar.span.start)
        if kind == "rule":
            parse_rule(scalar, sink)
        elif kind == "expression" and scalar.text.strip() != "reject" and not scalar.is_quoted:
            parse_expression(scalar, sink)


def _spelled(shown: str, text: str, root: Node, *, is_rulebook: bool) -> str | Unformatted:
    from rxcalc.rulebook.layout import UnknownLayoutError, lay_out
    from rxcalc.rulebook.load import load_yaml_text

    try:
        result = lay_out(text, root, _Respeller(root, is_rulebook=is_rulebook))
        if result == text:
            return result
        again = load_yaml_text(shown, result, Sink())
        kept = again is not None and _same(root, again, is_rulebook=is_rulebook)
        if again is not None and kept and lay_out(result, again, _Respeller(again, is_rulebook=is_rulebook)) == result:
            return result
    except UnknownLayoutError as problem:
        line = text.count("\n", 0, problem.at) + 1
        return Unformatted(f"line {line}: {problem}", "write it as `key: value`, or with braces")
    return Unformatted(
        "rxcalc found no spelling that keeps its meaning", "this is a fault of rxcalc; please report it with the file"
    )


class _Respeller:
    """The new lines of the scalars that hold rule text."""

    def __init__(self, root: Node, *, is_rulebook: bool) -> None:
        self.places = _places(root) if is_rulebook else {}

    def __call__(self, scalar: Scalar) -> tuple[TextLine, ...] | None:
        from rxcalc.rulebook.layout import TextLine
        from rxcalc.syntax.spelling import spell

        start = _start(scalar, self.places.get(scalar.span.start))
        if start is None or scalar.style == "folded":
            return None
        lines = spell(scalar.text, start, breaks=scalar.style == "literal")
        return (
            tuple(TextLine(one.indent, one.text, one.comment, one.gap, one.column) for one in lines) if lines else None
        )


def _places(root: Node) -> dict[int, str]:
    from rxcalc.rulebook.document import Mapping
    from rxcalc.rulebook.rule_places import rule_places

    return rule_places(root) if isinstance(root, Mapping) else {}


def _start(scalar: Scalar, kind: str | None) -> str | None:
    """From where in the grammar a scalar is read; None for one that is no rule text."""
    from rxcalc.syntax.spelling import can_be_cell, is_lone_literal

    match kind:
        case "cell" if scalar.text == "any":
            return None
        case "cell":
            return "cell" if can_be_cell(scalar.text) else "expression"
        case "value":
            return None if is_lone_literal(scalar.text) else "expression"
        case _:
            return kind


def _scalars(root: Node) -> list[Scalar]:
    from rxcalc.rulebook.document import Mapping, Scalar

    found: list[Scalar] = []
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            found.append(node)
        elif isinstance(node, Mapping):
            stack += [part for entry in node.entries for part in (entry.key, entry.value)]
        else:
            stack += node.items
    return found


def _same(one: Node, other: Node, *, is_rulebook: bool) -> bool:
    """Whether two structures mean the same: scalars by what they hold, rule text by its tree."""
    from rxcalc.rulebook.document import Mapping, Scalar, Sequence
    from rxcalc.syntax.spelling import same_rule

    places = _places(one) if is_rulebook else {}
    stack: list[tuple[Node, Node]] = [(one, other)]
    while stack:
        first, second = stack.pop()
        match first, second:
            case Scalar(), Scalar():
                if first.is_quoted != second.is_quoted or first.is_null != second.is_null:
                    return False
                start = _start(first, places.get(first.span.start))
                if first.text != second.text and (start is None or not same_rule(first.text, second.text, start)):
                    return False
            case Mapping(), Mapping():
                if len(first.entries) != len(second.entries):
                    return False
                for left, right in zip(first.entries, second.entries, strict=True):
                    stack += [(left.key, right.key), (left.value, right.value)]
            case Sequence(), Sequence():
                if len(first.items) != len(second.items):
                    return False
                stack += zip(first.items, second.items, strict=True)
            case _:
                return False
    return True
