"""The way back from the text of a YAML scalar to the file it stands in."""

from __future__ import annotations

from typing import Final

from rxcalc.source import EmbeddedText

_ESCAPE_WIDTH: Final = {"x": 4, "u": 6, "U": 10}


def embed(name: str, source: str, value: str, style: str, start: int, end: int) -> EmbeddedText | None:
    """Map `value` to `source[start:end]`; None where the text is folded and no exact map exists."""
    match style:
        case "plain":
            if not source.startswith(value, start):
                return None
            return EmbeddedText(value, name, ((0, start),))
        case "single" | "double":
            raw = source[start + 1 : end - 1]
            if "\n" in raw:
                return None
            segments = _single(raw, start + 1) if style == "single" else _double(raw, start + 1)
            return EmbeddedText(value, name, segments)
        case "literal":
            return _literal(name, source, value, start)
        case _:
            return None


def _single(raw: str, base: int) -> tuple[tuple[int, int], ...]:
    segments = [(0, base)]
    at, lost = raw.find("''"), 0
    while at >= 0:
        lost += 1
        segments.append((at + 2 - lost, base + at + 2))
        at = raw.find("''", at + 2)
    return tuple(segments)


def _double(raw: str, base: int) -> tuple[tuple[int, int], ...]:
    segments = [(0, base)]
    at, written = 0, 0
    while True:
        slash = raw.find("\\", at)
        if slash < 0 or slash + 1 >= len(raw):
            return tuple(segments)
        written += slash - at
        at = slash + _ESCAPE_WIDTH.get(raw[slash + 1], 2)
        segments.append((written, base + slash))
        written += 1
        segments.append((written, base + at))


def _literal(name: str, source: str, value: str, start: int) -> EmbeddedText | None:
    at = source.find("\n", start)
    if at < 0:
        return EmbeddedText(value, name, ((0, start),))
    segments: list[tuple[int, int]] = []
    line_start, written = at + 1, 0
    for line in value.split("\n"):
        stop = source.find("\n", line_start)
        stop = len(source) if stop < 0 else stop
        raw = source[line_start:stop].removesuffix("\r")
        if line and not raw.endswith(line):
            break  # chomped tail
        segments.append((written, line_start + len(raw) - len(line)))
        written += len(line) + 1
        line_start = stop + 1
        if line_start > len(source):
            break
    return EmbeddedText(value, name, tuple(segments) or ((0, start),))
