"""In which encoding a text file is written: what was asked for, its byte order mark, or what its bytes can be.

A guess is made once, from the start of the file, and told. What later does not fit it is a rejected
record, never other characters.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

AUTO: Final = "auto"
CHOICES: Final = (AUTO, "utf-8", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be")
UTF8: Final = "utf-8"
SAMPLE: Final = 4 << 20
ASCII_LIMIT: Final = 16 << 20
"""How far a file of plain ASCII is looked through for its first other byte."""

_LE: Final = "utf-16-le"
_BE: Final = "utf-16-be"
_GB: Final = "gb18030"
_MARKS: Final = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, _LE),
    (codecs.BOM_UTF16_BE, _BE),
    (b"\x841\x953", _GB),
)
_COMMON: Final = 80  # in a hundred
_LINES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text. `guessed` says that neither the user nor a byte order mark said so; `why` tells it."""

    name: str = UTF8
    mark: int = 0  # bytes of the byte order mark
    guessed: bool = False
    why: str = ""

    @property
    def wide(self) -> bool:
        """Whether a line end takes two bytes, so that records cannot be cut before decoding."""
        return self.name in {_LE, _BE}

    @property
    def label(self) -> str:
        """The name as people write it."""
        return self.name.upper()


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why no encoding can be taken: one phrase, and what to do."""

    why: str
    help: str


def encoding_of(sample: bytes, asked: str = AUTO) -> Encoding | Unfit:
    """The encoding of a file that starts with `sample`, or has its first bytes beyond ASCII there."""
    found = next(((mark, name) for mark, name in _MARKS if sample.startswith(mark)), None)
    if found is not None:
        mark, name = found
        if name == "utf-32":
            return Unfit("is UTF-32 text, by its byte order mark", "save the file as UTF-8")
        fits = asked in {AUTO, name} or (asked == "utf-16" and name in {_LE, _BE})
        if not fits:
            return Unfit(
                f"starts with the byte order mark of {name.upper()}, but --encoding says {asked}",
                f"give --encoding {name}, or leave the option out",
            )
        return Encoding(name, len(mark), guessed=False, why="its byte order mark says so")
    if asked == "utf-16":
        wide = _wide(sample)
        if wide is None:
            return Unfit(
                "has no byte order mark, and its NUL bytes do not tell which UTF-16 it is",
                "give --encoding utf-16-le or utf-16-be",
            )
        return Encoding(wide, why="its NUL bytes say so")
    if asked != AUTO:
        return Encoding(asked)
    return _guessed(sample)


def _guessed(sample: bytes) -> Encoding | Unfit:
    if b"\0" in sample[:4096]:
        wide = _wide(sample)
        if wide is not None:
            return Encoding(wide, guessed=True, why="the NUL bytes of its header say so")
    if sample.isascii():
        return Encoding()
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        whole.decode()
    except UnicodeDecodeError:
        return _by_lines(whole)
    return Encoding()


def _wide(sample: bytes) -> str | None:
    """The UTF-16 whose ASCII characters the start of a file holds, its line end among them."""
    start = sample[: min(len(sample), 1 << 16) & ~1]
    low, high = start[::2], start[1::2]
    counts = {
        _LE: sum(1 for a, b in zip(low, high, strict=True) if b == 0 and (a >= 0x20 or a in b"\t\r\n")),
        _BE: sum(1 for a, b in zip(low, high, strict=True) if a == 0 and (b >= 0x20 or b in b"\t\r\n")),
    }
    best = max(counts, key=lambda name: counts[name])
    other = _BE if best == _LE else _LE
    newline = "\n".encode(best)
    ends = (at for at in _all(start, newline) if at % 2 == 0)
    header = start[: next(ends, len(start))]
    # Of text in another encoding at most a stray NUL looks like half a character, and the header has none.
    if b"\0" not in header or counts[best] < max(2, len(low) // 20) or counts[best] < 4 * counts[other]:
        return None
    return best


def _all(data: bytes, what: bytes) -> Iterator[int]:
    at = data.find(what)
    while at >= 0:
        yield at
        at = data.find(what, at + 1)


def _by_lines(whole: bytes) -> Encoding | Unfit:
    """The encoding that most lines fit. Lines of ASCII, and those that could well be either, decide nothing."""
    lines = whole.split(b"\n")
    header = lines[0]
    utf8 = chinese = neither = pairs = common = 0
    for line in lines:
        if line.isascii():
            continue
        if utf8 + chinese + neither >= _LINES:
            break
        if _decodes(line, UTF8):
            # Two bytes of Chinese in GB18030 can look like one character of UTF-8 below U+0800.
            utf8 += is_clearly_utf8(line)
        elif _decodes(line, _GB):
            chinese += 1
            of, usual = _usual(line)
            pairs, common = pairs + of, common + usual
        else:
            neither += 1
    if chinese > max(utf8, neither) and 100 * common >= _COMMON * pairs and _decodes(header, _GB):
        of = chinese + utf8 + neither
        why = f"{chinese:,} of its first {of:,} lines beyond ASCII can be {_GB.upper()} and cannot be UTF-8"
        return Encoding(_GB, guessed=True, why=why)
    if _decodes(header, UTF8) and 2 * (chinese + neither) <= len(lines):
        return Encoding()
    told = "its header" if not _decodes(header, UTF8) else f"{chinese + neither:,} of its first {len(lines):,} lines"
    return Unfit(
        f"is in no recognised encoding: {told} cannot be UTF-8, and the text does not look like {_GB.upper()}",
        "save the file as UTF-8, or say with --encoding what it is",
    )


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _usual(line: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII a line of GB18030 has, and how many of them every Chinese text is made of."""
    of = usual = 0
    for char in line.decode(_GB):
        if char > "\x7f":
            of += 1
            code = char.encode(_GB)
            # GB 2312: letters, signs and the 6,763 characters of 1980. Other encodings read as GB18030 rarely fall there.
            usual += len(code) == 2 and 0xA1 <= code[0] <= 0xF7 and code[1] >= 0xA1
    return of, usual


_LEAD: Final = bytes(range(0xE0, 0xF5))
_TRAIL: Final = bytes(range(0x80, 0xC0))
_CLASSES: Final = bytes(1 if at in _LEAD else 2 if at in _TRAIL else 0 for at in range(256))
_THREE: Final = b"\1\2\2"


def is_clearly_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 with a character of three bytes or more, such as a Chinese one."""
    return _THREE in data.translate(_CLASSES) and _decodes(data, UTF8)


def lines_clearly_utf8(data: bytes) -> list[tuple[int, int]]:
    """Where lines start and end that are clearly UTF-8, in text of another encoding."""
    found: list[tuple[int, int]] = []
    classes = data.translate(_CLASSES)
    at = classes.find(_THREE)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at) + 1 or len(data)
        if _decodes(data[start:end], UTF8):
            found.append((start, end))
        at = classes.find(_THREE, end)
    return found
