"""The pages of a site as data: what the templates print."""

from __future__ import annotations

from dataclasses import dataclass

from rxcalc.prose.model import Block, Sentence
from rxcalc.site.book import Where


@dataclass(frozen=True)
class Cited:
    """A source with a place in it; `href` leads to it on the page of sources."""

    text: str
    href: str


@dataclass(frozen=True)
class Used:
    """The examples that use a thing: how many of all, and the first of them with their addresses."""

    count: int
    of: int
    first: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True)
class Clause:
    """A case as written. `then` is empty where the bill is refused; `used` is by how many examples (None: not known)."""

    when: Sentence
    then: Sentence
    because: str
    used: int | None
    refuses: bool = False


@dataclass(frozen=True)
class Rule:
    """A rule with all that a reader may ask of it. `facts` are short words, as its type; `result`: the rulebook gives it out."""

    ref: str
    label: str
    name: str
    facts: tuple[str, ...]
    said: tuple[Block, ...]
    clauses: tuple[Clause, ...]
    note: tuple[str, ...]
    cites: tuple[Cited, ...]
    uncited: bool
    status: str
    where: Where
    reads: Sentence
    before: Sentence
    read_by: Sentence
    result: bool
    used: Used | None
    source: str


@dataclass(frozen=True)
class Part:
    """A part of a partition."""

    ref: str
    bearer: str
    bearer_label: str
    label: str
    amount: Sentence
    rest: bool
    reason: str
    cites: tuple[Cited, ...]
    used: int | None
    examples: int


@dataclass(frozen=True)
class Partition:
    """An amount divided among those who bear it."""

    ref: str
    label: str
    name: str
    of: Sentence
    said: tuple[Block, ...]
    parts: tuple[Part, ...]
    totals: Sentence
    note: tuple[str, ...]
    where: Where
    source: str


@dataclass(frozen=True)
class Chapter:
    """Rules of one sort on one level."""

    id: str
    title: str
    rules: tuple[Rule, ...] = ()
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True)
class Level:
    """The rules about one kind of rows."""

    id: str
    title: str
    name: str
    about: tuple[str, ...]
    said: tuple[Block, ...]
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Value:
    """A value of a parameter: its lines (several of a schedule), and whether an example uses it (None: not counted).

    Of one that is used, `unused` are the lines that no example reaches, from 0.
    """

    lines: tuple[str, ...]
    used: bool | None = None
    unused: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ValueRow:
    """A row of the table of a parameter: what stands at its side, and the values."""

    heads: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Bar:
    """A stretch of time in which a value holds. Lengths are pixels; `text` is cut to what has room, `whole` is not."""

    x: float
    width: float
    text: str
    whole: str
    alternate: bool


@dataclass(frozen=True)
class Lane:
    """The values of one key over time."""

    y: float
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """The values of a parameter over its dates, drawn; `marks` are the dates with their places."""

    width: float
    height: float
    top: float
    title: str
    marks: tuple[tuple[float, str], ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class Parameter:
    """A parameter: its rule-like facts, its values as a table (by key or by date), its timeline."""

    rule: Rule
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    ends: str
    timeline: Timeline | None


@dataclass(frozen=True)
class Table:
    """A data table with its first rows."""

    rule: Rule
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    all: int
    file: str


@dataclass(frozen=True)
class Input:
    """A field of a bill. `values` are those of a set, called `caption`: name, label, other spellings."""

    ref: str
    label: str
    name: str
    said: tuple[Block, ...]
    facts: tuple[tuple[str, str], ...]
    caption: str
    values: tuple[tuple[str, str, str], ...]
    note: tuple[str, ...]
    cites: tuple[Cited, ...]
    read_by: Sentence


@dataclass(frozen=True)
class Inputs:
    """The fields of one kind of rows."""

    id: str
    title: str
    about: tuple[str, ...]
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class SourceItem:
    """A place in a source and what cites it."""

    id: str
    place: str
    by: Sentence


@dataclass(frozen=True)
class Source:
    """A source with the places in it that are cited."""

    id: str
    title: str
    name: str
    date: str
    url: str
    linked: bool
    status: str
    note: tuple[str, ...]
    items: tuple[SourceItem, ...]


@dataclass(frozen=True)
class Box:
    """A box of a graph: what it stands for, its lines of text, its corner."""

    ref: str
    href: str
    kind: str
    label: str
    lines: tuple[str, ...]
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Edge:
    """A line of a graph: its path and the tip of its arrow."""

    path: str
    tip: str
    before: bool


@dataclass(frozen=True)
class Graph:
    """The graph of one level, and the same as a list: a thing, what it is computed from, what uses it.

    `strips` are the parts, from where on and how wide, in which a graph is printed that is too wide for one sheet.
    """

    id: str
    title: str
    width: float
    height: float
    box_width: float
    strips: tuple[tuple[float, float], ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    unread: Sentence
    rows: tuple[tuple[Sentence, Sentence, Sentence], ...]


@dataclass(frozen=True)
class Fields:
    """A table of labels and values with a title."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A table of rows with a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Results:
    """What was computed: rules with their values, and why a bill was refused ("" where it was not)."""

    title: str
    rows: tuple[tuple[Sentence, str], ...]
    refused: str


@dataclass(frozen=True)
class Case:
    """An example: what is given, what is expected, what comes out today, how it went."""

    id: str
    name: str
    where: Where
    passed: bool
    by: str
    cite: str
    note: str
    given: tuple[Fields | Grid, ...]
    expected: tuple[Fields | Grid | str, ...]
    results: tuple[Results | Grid, ...]
    differs: tuple[tuple[str, str, str], ...]
    uses: Sentence
    command: str


@dataclass(frozen=True)
class Cases:
    """The examples of one file."""

    id: str
    title: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Gap:
    """Something that no example uses."""

    kind: str
    thing: Sentence
    what: str
    where: Where


@dataclass(frozen=True)
class Covered:
    """What the examples use, by kind; `more` says what gaps are not listed."""

    total: tuple[int, int, str]
    kinds: tuple[tuple[str, int, int, str], ...]
    gaps: tuple[Gap, ...]
    more: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """The first page."""

    facts: tuple[tuple[str, str], ...]
    note: tuple[str, ...]
    results: tuple[tuple[Sentence, str], ...]
    partitions: tuple[Partition, ...]
