"""An explanation as a document: every word of it, for one language and depth, before any medium lays it out.

`report/outline.py` builds it; text, Markdown and HTML print the same one. Nothing is escaped, wrapped or cut here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Told:
    """A line of an item: `title` is a fixed word (`formula`), `text` what it says. `key` does not change with the language.

    A `sentence` reads `title: text` and needs no column of its own.
    """

    key: str
    title: str
    text: str
    sentence: bool = False

    @property
    def line(self) -> str:
        """Title and text in one."""
        return f"{self.title}{': ' if self.title.isascii() else '：'}{self.text}"


@dataclass(frozen=True)
class BandRow:
    """A part of a range, `length` * `rate` = `amount`; `given` is the rate before mapping, "" when not mapped.

    `exact` is the amount before it was rounded, "" where it was not.
    """

    low: str
    high: str
    length: str
    rate: str
    amount: str
    given: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Bands:
    """The bands that a step walked. `head` names low, high, length, rate, amount; `mapped` goes before a rate that was `given`."""

    title: str
    head: tuple[str, ...]
    rows: tuple[BandRow, ...]
    mapped: str = ""


@dataclass(frozen=True)
class RowFigures:
    """The figures of one row of a list: `key` is its place, `text` the working, `value` the result; `notes` go below."""

    key: str
    text: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The figures of every row for which the clause above decided."""

    rows: tuple[RowFigures, ...]


Part: TypeAlias = Told | Bands | Rows


@dataclass(frozen=True)
class Item:
    """A step, a part received or a finding: what it is called, its value, and how it came about.

    `qualifier` says for what the deciding value holds (`county hospital`). `name` is "" where the label is the name.
    `tone` of a finding: info, warn, error.
    """

    id: str
    label: str
    name: str
    value: str
    parts: tuple[Part, ...]
    qualifier: str = ""
    tone: str = ""

    @property
    def title(self) -> str:
        """The label with what it holds for, and the name."""
        head = f"{self.label}, {self.qualifier}" if self.qualifier else self.label
        return f"{head} [{self.name}]" if self.name else head


@dataclass(frozen=True)
class Paragraph:
    """A sentence. `tone`: status, reversal, refusal, warning or ""."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Fact:
    """A label with a value; `working` says what a total adds up. `name` is the field's."""

    name: str
    label: str
    value: str
    working: str = ""


@dataclass(frozen=True)
class Facts:
    """Labels with values; `amounts`: the values are amounts, which stand under each other."""

    rows: tuple[Fact, ...]
    amounts: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table. `kind` is order (the row's place), input or step."""

    name: str
    label: str
    kind: str
    is_number: bool
    is_money: bool


@dataclass(frozen=True)
class Table:
    """The rows of a list at a glance."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Share:
    """A part of an amount that is divided; `bearer` is the code (fund, patient ..), `reason` the rulebook's code.

    `working` is how it came about: formula with figures first, then what it went over and read, a text each.
    """

    bearer: str
    bearer_label: str
    label: str
    amount: str
    reason: str
    working: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Shares:
    """Who bears `amount`: the parts add up to it. `working` says how the amount itself came about where a formula gives it.

    `zeros` says how many parts of nothing were left out, "" where none.
    """

    name: str
    amount: str
    parts: tuple[Share, ...]
    working: tuple[str, ...] = ()
    zeros: str = ""


@dataclass(frozen=True)
class Listing:
    """Short texts, one below the other."""

    items: tuple[str, ...]


Block: TypeAlias = Paragraph | Facts | Table | Shares | Item | Listing


@dataclass(frozen=True)
class Section:
    """Blocks below a title, then sections of their own.

    `key` is one of: facts status reversal list rows line_group steps groups group refusal results shares totals findings
    incomplete windows assumptions set_by_hand defaulted sources. `title` is "" where none is needed.
    """

    id: str
    key: str
    title: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Outline:
    """An explanation in one language and depth. `versions` says which version of which file was used, one a line."""

    language: str
    detail: str
    title: str
    versions: tuple[str, ...]
    sections: tuple[Section, ...]
