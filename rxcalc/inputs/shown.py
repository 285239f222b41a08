"""How a piece of someone else's data is shown in a message: short, and without characters that could mislead."""

from __future__ import annotations

import re
from typing import Final

# Controls, line separators, and the characters that reorder or hide text.
_UNSAFE: Final = "\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
UNSAFE: Final = re.compile(f"[{_UNSAFE}]")
UNSAFE_IN_TEXT: Final = re.compile(
    f"[{_UNSAFE}]".replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f")
)  # tab and line ends may stay


def shown(text: str, limit: int = 60) -> str:
    r"""The text on one line, unsafe characters as escapes, cut after `limit` characters.

    >>> shown("a\u202eb\n")
    'a\\u202eb\\n'
    """
    cut = text[:limit]
    safe = cut if cut.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in cut)
    return safe if len(text) <= limit else f"{safe}.. ({len(text):,} characters)"


def quoted(text: str, limit: int = 60) -> str:
    """`shown` between quotation marks."""
    return f"'{shown(text, limit)}'"


def _escaped(char: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    code = ord(char)
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
