"""Which scalars of a rulebook hold rule text, and from where in the grammar it is read."""

from __future__ import annotations

from collections.abc import Iterator

from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.keys import OVERLAY_KEYS, RULEBOOK_SCHEMA, Schema
from rxcalc.rulebook.overlay_keys import OVERLAY_SCHEMA

_PARTS = frozenset({"to", "below", "at", "is"})


def rule_places(root: Mapping) -> dict[int, str]:
    """By offset of the scalar: `rule`, `expression` or `cell`; `value` for an entry of a schedule.

    The keys of the file decide (`x-rule` in its schema); places that no key declares are left out.
    """
    is_overlay = any(root.entry(key) is not None for key in OVERLAY_KEYS)
    return dict(_walk(root, OVERLAY_SCHEMA if is_overlay else RULEBOOK_SCHEMA))


def _walk(node: Node, given: object) -> Iterator[tuple[int, str]]:
    if not isinstance(given, dict):
        return
    schema: Schema = given
    if "$ref" in schema:
        schema = RULEBOOK_SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("x-rule")
    match node:
        case Scalar():
            if kind is None and "array" in schema.get("type", ()):
                kind = _kind_of_items(schema)
            if kind is not None and not node.is_null:
                yield node.span.start, str(kind)
        case Sequence():
            for item in node.items:
                yield from _walk(item, schema.get("items"))
        case Mapping():
            if schema.get("x-schedule"):
                yield from _schedule(node)
                return
            known: Schema = schema.get("properties", {})
            for entry in node.entries:
                yield from _walk(entry.value, known.get(entry.key.text, schema.get("additionalProperties")))


def _kind_of_items(schema: Schema) -> object:
    items = schema.get("items")
    return items.get("x-rule") if isinstance(items, dict) else None


def _schedule(node: Node) -> Iterator[tuple[int, str]]:
    """The limits and values of bands, slices and points."""
    for entry in node.entries if isinstance(node, Mapping) else ():
        if isinstance(entry.value, Sequence):
            for part in entry.value.items:
                yield from _part(part)
        else:
            yield from _schedule(entry.value)


def _part(part: Node) -> Iterator[tuple[int, str]]:
    if isinstance(part, Mapping):
        for entry in part.entries:
            if entry.key.text in _PARTS and isinstance(entry.value, Scalar) and not entry.value.is_null:
                yield entry.value.span.start, "value"
