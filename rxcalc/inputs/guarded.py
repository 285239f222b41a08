"""Texts as a spreadsheet keeps them: a cell `="0012"` means the text 0012, in every file that is read."""

from __future__ import annotations

_START = '="'


def guarded(text: str) -> str:
    """A cell that spreadsheets show as this very text, and never run as a formula.

    >>> guarded('0012')
    '="0012"'
    """
    return _START + text.replace('"', '""') + '"'


def unguarded(text: str) -> str:
    """The text that a cell means: of a guarded one what is inside it, else the cell itself.

    >>> unguarded('="0012"'), unguarded('=1+1')
    ('0012', '=1+1')
    """
    if len(text) < 3 or not text.startswith(_START) or not text.endswith('"'):
        return text
    body = text[2:-1]
    # Quotes inside stand doubled; with any other this is no text but a formula.
    return text if '"' in body.replace('""', "") else body.replace('""', '"')
