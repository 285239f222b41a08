"""Records written to a file, part by part."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from rxcalc.tabular.publish import Draft
from rxcalc.tabular.rejects import RejectLayout
from rxcalc.tabular.writer import Layout, Part


class Rows(Protocol):
    """The records of one file being written. Writing raises OSError, as when the disk is full."""

    def write(self, part: Part) -> None:
        """More records."""

    def close(self) -> None:
        """The last record has been written; the draft gets what the file needs at its end."""


class TextRows:
    """Lines of text."""

    def __init__(self, form: Layout | RejectLayout, draft: Draft) -> None:
        self._draft = draft
        draft.write(form.header())

    def write(self, part: Part) -> None:
        """Append lines."""
        assert not isinstance(part, pl.DataFrame)  # noqa: S101 - the layout that makes parts also chose this class
        for data in part:
            self._draft.write(data)

    def close(self) -> None:
        """Nothing is left."""


def open_rows(form: Layout | RejectLayout, draft: Draft) -> Rows:
    """What writes the records of a layout into a draft."""
    return TextRows(form, draft)
