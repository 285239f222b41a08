"""A rulebook as located data: YAML structure with every scalar kept as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from rxcalc.rulebook.bases import Base
from rxcalc.source import EmbeddedText, SourceFile, Span

REPLACED: Final = "replaced"
"""The style of the key of a step that an overlay has replaced, kept for `base`: `x@base`. No file can hold it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar; `text` is its content as written (after unquoting), never interpreted.

    `style` is `plain`, `single`, `double`, `literal` (`|`) or `folded` (`>` or wrapped over lines).
    `embedded` maps DSL text inside it back to the file; None for `folded`.
    """

    text: str
    style: str
    span: Span
    embedded: EmbeddedText | None

    @property
    def is_quoted(self) -> bool:
        """Whether the writer marked the scalar as text with quotes."""
        return self.style in ("single", "double")

    @property
    def is_null(self) -> bool:
        """Whether the scalar is empty or one of YAML's spellings of nothing."""
        return self.style == "plain" and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A YAML mapping in file order; keys are unique."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry.value
        return None

    def entry(self, key: str) -> Entry | None:
        """The entry of `key`, or None."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry
        return None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A YAML sequence."""

    items: tuple[Node, ...]
    span: Span


Node: TypeAlias = "Scalar | Mapping | Sequence"


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded YAML file; of an overlay, what it and its `bases` (nearest first) are together.

    Each scalar keeps the place in its own file. A replaced step stands behind its name and `@base`.
    """

    file: SourceFile
    root: Mapping
    bases: tuple[Base, ...] = ()
