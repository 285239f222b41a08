"""The check of a document against the JSON Schema of rulebook files, each error at its place."""

from __future__ import annotations

from collections.abc import Iterator

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from rxcalc.diagnostics.model import Diagnostic, Sink
from rxcalc.rulebook import problems
from rxcalc.rulebook.document import REPLACED, Document, Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.key_words import described
from rxcalc.rulebook.keys import MODES, OVERLAY_KEYS, RULEBOOK_SCHEMA, SCALAR, Schema
from rxcalc.rulebook.overlay_keys import EITHER_SCHEMA, OVERLAY_SCHEMA
from rxcalc.source import Span


def rulebook_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of rulebook files, overlays included, with what editors show of each key."""
    return described(EITHER_SCHEMA)


def is_overlay(document: Document) -> bool:
    """Whether the document is written as an overlay."""
    return any(document.root.entry(key) is not None for key in OVERLAY_KEYS)


def check_structure(document: Document, sink: Sink) -> bool:
    """Whether the document has the shape of a rulebook, or of an overlay; every error is reported at its place.

    Diagnostics: RX121, RX131 to RX139, RX161.
    """
    validator = Draft202012Validator(OVERLAY_SCHEMA if is_overlay(document) else RULEBOOK_SCHEMA)
    errors = validator.iter_errors(_plain(document.root))
    found = [diagnostic for error in errors for diagnostic in _diagnose(error, document.root)]
    bad_keys = {diagnostic.primary.span for diagnostic in found if diagnostic.code in ("RX131", "RX136")}
    for diagnostic in found:
        if diagnostic.code != "RX134" or diagnostic.primary.span not in bad_keys:  # a stray word has no value either
            sink.add(diagnostic)
    return not found


def _plain(node: Node) -> object:
    match node:
        case Scalar():
            return None if node.is_null else node.text
        case Sequence():
            return [_plain(item) for item in node.items]
        case Mapping():
            return {entry.key.text: _plain(entry.value) for entry in node.entries if entry.key.style != REPLACED}


def _locate(root: Node, path: list[str | int]) -> tuple[Node, Scalar | None]:
    """The node at a path, and the key it stands under."""
    node, key = root, None
    for part in path:
        if isinstance(node, Mapping):
            entry = node.entry(str(part))
            if entry is None:
                break
            node, key = entry.value, entry.key
        elif isinstance(node, Sequence) and isinstance(part, int):
            node = node.items[part]
    return node, key


def _diagnose(error: ValidationError, root: Node) -> Iterator[Diagnostic]:
    path = list(error.absolute_path)
    node, key = _locate(root, path)
    where = (
        f"`{key.text}`"
        if key is not None and isinstance(path[-1], str)
        else f"an entry of `{key.text}`"
        if key is not None
        else "the rulebook"
    )
    schema = error.schema if isinstance(error.schema, dict) else {}
    expected = str(schema.get("x-expected", "something else"))
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(node, where, schema)
        case "required":
            yield from _missing_keys(node, key, where, schema)
        case "type":
            yield from _wrong_type(node, key, where, expected, schema)
        case "enum" if isinstance(node, Scalar):
            if path == ["rxcalc"]:
                yield problems.unknown_version(node.span, node.text)
            elif not node.is_null:
                allowed = [item for item in schema["enum"] if isinstance(item, str)]
                yield problems.not_allowed(node.span, where, node.text, allowed)
        case "pattern":
            yield _bad_pattern(error, node, where, expected)
        case "minItems" | "minProperties" | "maxProperties":
            if error.validator == "maxProperties":
                yield problems.wrong_shape(node.span, where, expected, "several")
            else:
                yield problems.empty(node.span, where, expected)
        case _:
            yield problems.wrong_shape(node.span, where, expected, "this")


def _unknown_keys(node: Node, where: str, schema: Schema) -> Iterator[Diagnostic]:
    known = list(schema.get("properties", {}))
    if not isinstance(node, Mapping):
        return
    at_top = where == "the rulebook"
    sections = [e.key for e in node.entries if at_top and e.key.text in RULEBOOK_SCHEMA["properties"]]
    misplaced = [key for key in sections if key.text not in schema.get("properties", {})]
    if misplaced:
        yield problems.misplaced_sections(misplaced[0].span, [key.text for key in misplaced])
    for entry in node.entries:
        if entry.key.text not in schema.get("properties", {}) and entry.key not in misplaced:
            place = "" if where == "the rulebook" else f" in {where}"
            yield problems.unknown_key(entry.key.span, entry.key.text, place, known)


def _missing_keys(node: Node, key: Scalar | None, where: str, schema: Schema) -> Iterator[Diagnostic]:
    if not isinstance(node, Mapping):
        return
    place = "" if where == "the rulebook" else f" in {where}"
    first = node.entries[0].key.span if node.entries else node.span
    span = key.span if key is not None and place.startswith(" in `") else first
    for name in schema["required"]:
        if node.entry(name) is None:
            of = schema.get("properties", {}).get(name, {})
            expected = of.get("x-expected") or RULEBOOK_SCHEMA["$defs"].get(
                str(of.get("$ref", "")).rpartition("/")[2], {}
            ).get("x-expected")
            advice = f"add `{name}:` with {expected}" if expected else f"add `{name}:`"
            if name == "rounding":
                advice = f"say how amounts are rounded: {', '.join(MODES)}"
            yield problems.missing_key(span, name, place, advice)


def _wrong_type(node: Node, key: Scalar | None, where: str, expected: str, schema: Schema) -> Iterator[Diagnostic]:
    if isinstance(node, Scalar) and node.is_null:
        yield problems.no_value(_key_span(node, key) if where.startswith("`") else node.span, where, expected)
        return
    found = {Scalar: "a single value", Mapping: "a map", Sequence: "a list"}[type(node)]
    advice = []
    if schema.get("type") == SCALAR and not isinstance(node, Scalar):
        advice = ["a text that starts with { or [ must be quoted or stand in a `|` block"]
    yield problems.wrong_shape(node.span, where, expected, found, advice)


def _bad_pattern(error: ValidationError, node: Node, where: str, expected: str) -> Diagnostic:
    written = str(error.instance)
    span = node.span
    is_key = isinstance(node, Mapping)
    if isinstance(node, Mapping):
        entry = node.entry(written)
        span = entry.key.span if entry is not None else span
    if "name" in expected or "value" in expected or "language" in expected:
        return problems.bad_name(span, written, f"expected {expected}")
    return problems.bad_format(span, f"a key of {where}" if is_key else where, written, expected)


def _key_span(node: Node, key: Scalar | None) -> Span:
    return key.span if key is not None else node.span
