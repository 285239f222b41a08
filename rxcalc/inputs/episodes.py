"""Episode and example files as entries with their fields as written (docs/episodes.md)."""

from __future__ import annotations

from collections.abc import Mapping as MappingLike
from dataclasses import dataclass, field, replace
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.inputs import problems
from rxcalc.lang.types import CODES
from rxcalc.plan.nodes import Plan
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar, Sequence
from rxcalc.source import Span

ENTRY_KEYS: Final = (
    "rulebook",
    "episode",
    "episodes",
    "earlier",
    "so_far",
    "groups",
    "charged",
    "example",
    "cite",
    "by",
    "note",
    "status",
    "expect",
    "rejects",
)
ITEM_KEYS: Final = ("episode", "expect", "rejects", "by", "note", "cite")  # of an item of `episodes:` and `earlier:`


@dataclass(frozen=True)
class Fields:
    """The fields of one row as written; `spans` tells where each value stands, `keys` each name.

    Fields in `lists` were written as a list, which only an input of type `codes` may be. `rows` are the
    lists that stand beside the fields of an episode (`lines:`), `row_keys` where they are named.
    """

    values: MappingLike[str, str | None]
    spans: MappingLike[str, Span]
    span: Span
    keys: MappingLike[str, Span] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    rows: MappingLike[str, tuple[Fields, ...]] = field(default_factory=dict)
    row_keys: MappingLike[str, Span] = field(default_factory=dict)

    def misplaced_lists(self, plan: Plan) -> tuple[tuple[Span, str], ...]:
        """The fields written as lists that hold one value each, with their places."""
        codes = {i.name for i in plan.inputs if i.type == CODES}
        found = [(self.spans[name], name) for name in self.values if name in self.lists and name not in codes]
        for spec in plan.lists:
            codes = {i.name for i in spec.inputs if i.type == CODES}
            for row in self.rows.get(spec.name, ()):
                found += [(row.spans[name], name) for name in row.values if name in row.lists and name not in codes]
        return tuple(found)

    def given(self) -> dict[str, object]:
        """The fields and the rows of each list, as a `RecordReader` takes them."""
        return {**self.values, **{name: [row.values for row in rows] for name, rows in self.rows.items()}}

    def place(self, name: str, row: tuple[str, int] | None = None, *, of_key: bool = False) -> Span:
        """Where a field stands (`of_key`: its name): the value, else the row or the whole episode."""
        of = self.rows[row[0]][row[1]] if row is not None else self
        if of_key:
            return of.keys.get(name) or of.row_keys.get(name) or of.span
        return of.spans.get(name) or of.row_keys.get(name) or of.span


@dataclass(frozen=True)
class ExpectedFinding:
    """A finding as written: the check's name; the level and what is written of the row; the amount, if it is expected."""

    check: Scalar
    level: Scalar | None
    row: Scalar | None
    amount: Scalar | None
    span: Span


@dataclass(frozen=True)
class ExpectedRow:
    """What is expected of a row of a list, or of a group. `key` are its order values as written (`1`, `2025-01-02/1`).

    A group is named by key fields among `fields`, or by nothing when there is one only. `findings` are all that a
    group across bills has (None: not compared).
    """

    key: Scalar | None
    fields: tuple[tuple[Scalar, Scalar], ...]
    span: Span
    findings: tuple[ExpectedFinding, ...] | None = None


@dataclass(frozen=True)
class Expectation:
    """`expect:` amounts as written, or `rejects:` a code. `rows` and `groups` go by the list's or kind's name.

    `findings` are all findings on the bill (None: not compared).
    """

    amounts: tuple[tuple[str, Scalar], ...]
    rejects: Scalar | None
    span: Span
    rows: tuple[tuple[Scalar, tuple[ExpectedRow, ...]], ...] = ()
    groups: tuple[tuple[Scalar, tuple[ExpectedRow, ...]], ...] = ()
    findings: tuple[ExpectedFinding, ...] | None = None


@dataclass(frozen=True)
class EpisodeEntry:
    """One entry: `earlier` episodes, then `episodes` (one, or several of an example), each with what is expected of it.

    `groups` are given by kind: rows of keys and inputs, or of results (inputs/groups.py says which).
    `expect` is what stands beside `episodes:` and concerns all of them: group results. `charged` are the amounts that
    the bill says, by name; `charged_rows` those of the rows of lists.
    """

    name: str
    rulebook: str
    earlier: tuple[Fields, ...]
    episodes: tuple[tuple[Fields, Expectation | None], ...]
    so_far: tuple[tuple[Scalar, Scalar], ...]
    charged: tuple[tuple[str, Scalar], ...]
    by: str
    cite: str
    note: str
    span: Span
    groups: tuple[tuple[Scalar, tuple[Fields, ...]], ...] = ()
    expect: Expectation | None = None
    several: bool = False
    charged_rows: tuple[tuple[Scalar, tuple[ExpectedRow, ...]], ...] = ()

    @property
    def closed(self) -> bool:
        """Whether the episodes listed are all there are, so that groups may be computed from them."""
        return bool(self.name) or self.several


def read_entry(node: Node, sink: Sink, *, example: bool = False) -> EpisodeEntry | None:
    """An entry, or None after reporting what is wrong with its shape."""
    before = sink.has_errors
    if isinstance(node, Mapping) and node.entries and not any(_is_entry_key(e) for e in node.entries):
        message = "the fields of the bill stand at the top of the file"
        sink.add(
            problems.bad_episode_file(
                node.entries[0].key.span, message, "put them under `episode:`, each two blanks further in"
            )
        )
        return None
    if not isinstance(node, Mapping):
        sink.add(
            problems.bad_episode_file(
                node.span, "an episode file is a map", "start with `episode:` and the fields of the bill below it"
            )
        )
        return None
    single, several = node.entry("episode"), node.entry("episodes")
    if (single is None) == (several is None):
        message = "give `episode:` or `episodes:`, not both" if single else "there is no `episode:`"
        sink.add(problems.bad_episode_file(node.span, message, "put the fields of the bill under `episode:`"))
        return None
    lists = _lists(node, ENTRY_KEYS, sink, "an episode file")
    episodes: list[tuple[Fields, Expectation | None]] = []
    common: Expectation | None = None
    if single is not None:
        fields = _fields(single.value, sink)
        if fields is not None:
            episodes.append((_beside(fields, lists), _expectation(node, sink)))
    elif several is not None:
        for key, _ in lists:
            message = f"`{key.text}` does not say which episode its rows belong to"
            sink.add(problems.bad_episode_file(key.span, message, "put it beside each `episode:`"))
        for item in _items(several, sink):
            fields = _item(item, sink)
            if fields is not None and isinstance(item, Mapping):
                episodes.append((fields, _expectation(item, sink)))
        common = _of_all(node, sink)
    earlier = tuple(f for item in _items(node.entry("earlier"), sink) if (f := _item(item, sink)) is not None)
    so_far = tuple((e.key, e.value) for e in _entries(node.entry("so_far"), sink) if isinstance(e.value, Scalar))
    said = node.entry("charged")
    # A template is filled in bit by bit: what is left blank is not charged.
    billed = () if said is None or _is_blank(said.value) else _entries(said, sink)
    charged = tuple((e.key.text, e.value) for e in billed if isinstance(e.value, Scalar) and not e.value.is_null)
    charged_rows = tuple(
        (e.key, _filled_in(_expected_rows(e, sink, keyed=True))) for e in billed if not isinstance(e.value, Scalar)
    )
    groups = tuple((e.key, _group_rows(e, sink)) for e in _entries(node.entry("groups"), sink))
    if not episodes and not sink.has_errors:
        sink.add(
            problems.bad_episode_file(
                node.span, "there is no episode in it", "put the fields of the bill under `episode:`"
            )
        )
    if sink.has_errors and not before:
        return None
    name = _text(node, "example")
    if example and not name:
        sink.add(problems.bad_episode_file(node.span, "an example needs a name", "add `example: what it shows`"))
    return EpisodeEntry(
        name=name,
        rulebook=_text(node, "rulebook"),
        earlier=earlier,
        episodes=tuple(episodes),
        so_far=so_far,
        charged=charged,
        charged_rows=charged_rows,
        by=_text(node, "by"),
        cite=_text(node, "cite"),
        note=_text(node, "note"),
        span=node.span,
        groups=groups,
        expect=common,
        several=several is not None,
    )


def read_entries(node: Node, sink: Sink) -> tuple[EpisodeEntry, ...]:
    """The entries of an examples file."""
    if not isinstance(node, Sequence):
        sink.add(
            problems.bad_episode_file(
                node.span, "an examples file is a list", "start each example with `- example: its name`"
            )
        )
        return ()
    return tuple(e for item in node.items if (e := read_entry(item, sink, example=True)) is not None)


def _is_blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _filled_in(rows: tuple[ExpectedRow, ...]) -> tuple[ExpectedRow, ...]:
    """Rows with the amounts that are there, and those rows that have any."""
    own = (replace(r, fields=tuple((name, value) for name, value in r.fields if not value.is_null)) for r in rows)
    return tuple(r for r in own if r.fields)


def _is_entry_key(entry: Entry) -> bool:
    return entry.key.text in ENTRY_KEYS or entry.key.text == "lines"


def _fields(node: Node, sink: Sink, what: str = "an episode") -> Fields | None:
    if not isinstance(node, Mapping):
        message = f"the fields of {what} are a map"
        sink.add(problems.bad_episode_file(node.span, message, "write `field: value` lines"))
        return None
    values: dict[str, str | None] = {}
    spans: dict[str, Span] = {}
    lists: set[str] = set()
    for entry in node.entries:
        match entry.value:
            case Scalar() as scalar:
                values[entry.key.text] = None if scalar.is_null else scalar.text
            case Sequence(items=items) if all(isinstance(i, Scalar) for i in items):
                values[entry.key.text] = ";".join(i.text for i in items if isinstance(i, Scalar))
                lists.add(entry.key.text)
            case other:
                message = f"`{entry.key.text}` must be one value"
                sink.add(
                    problems.bad_episode_file(other.span, message, "lists such as `lines:` stand beside `episode:`")
                )
                continue
        spans[entry.key.text] = entry.value.span
    keys = {entry.key.text: entry.key.span for entry in node.entries}
    return Fields(values, spans, node.span, keys, frozenset(lists))


def _item(item: Node, sink: Sink) -> Fields | None:
    """An item of `earlier:` or `episodes:`: its episode, with the lists that stand beside it."""
    if not isinstance(item, Mapping):
        sink.add(problems.bad_episode_file(item.span, "each item is a map", "write `- episode: {..}`"))
        return None
    inner = item.get("episode")
    if inner is None:
        sink.add(problems.bad_episode_file(item.span, "there is no `episode:` here", "write `- episode: {..}`"))
        return None
    fields = _fields(inner, sink)
    lists = _lists(item, ITEM_KEYS, sink, "an item of episodes")
    return _beside(fields, lists) if fields is not None else None


def _beside(fields: Fields, lists: tuple[tuple[Scalar, tuple[Fields, ...]], ...]) -> Fields:
    """An episode's fields with its lists."""
    return replace(
        fields,
        rows={key.text: rows for key, rows in lists},
        row_keys={key.text: key.span for key, _ in lists},
    )


def _lists(
    node: Mapping, known: tuple[str, ...], sink: Sink, what: str
) -> tuple[tuple[Scalar, tuple[Fields, ...]], ...]:
    """The lists beside an episode: every key that is none of the `known` and holds a list of rows."""
    found: list[tuple[Scalar, tuple[Fields, ...]]] = []
    for entry in node.entries:
        key = entry.key.text
        if key in known:
            continue
        match entry.value:
            case Sequence(items=items) if not any(isinstance(i, Mapping) and i.get("episode") for i in items):
                rows = [_fields(item, sink, f"a row of `{key}`") for item in items]
                found.append((entry.key, tuple(row for row in rows if row is not None)))
            case Scalar(is_null=True) if key == "lines":
                message = "`lines` names no rows"
                sink.add(
                    problems.bad_episode_file(entry.value.span, message, "write `lines: []` for a bill without lines")
                )
            case _ if key == "lines":
                message = "`lines` is a list of rows"
                sink.add(problems.bad_episode_file(entry.value.span, message, "write `- {line_no: 1, ..}` items"))
            case _:
                message = f"`{key}` is no key of {what}"
                help_ = f"known keys: {', '.join(known)}, and the rulebook's lists by their names"
                sink.add(problems.bad_episode_file(entry.key.span, message, help_))
    return tuple(found)


def _group_rows(entry: Entry, sink: Sink) -> tuple[Fields, ...]:
    """The rows given for one kind of groups: a map when there is one group, else a list of maps."""
    nodes = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
    rows: list[Fields] = []
    for node in nodes:
        if isinstance(node, Mapping):
            row = _fields(node, sink)
            rows += [row] if row is not None else []
        else:
            message = f"the groups of `{entry.key.text}` are maps"
            help_ = "write `{amount: ..}` for one group, a list of key fields and amounts for several"
            sink.add(problems.bad_episode_file(node.span, message, help_))
    return tuple(rows)


def _expectation(node: Mapping, sink: Sink) -> Expectation | None:
    expect, rejects = node.entry("expect"), node.get("rejects")
    if expect is None and rejects is None:
        return None
    amounts: list[tuple[str, Scalar]] = []
    rows: list[tuple[Scalar, tuple[ExpectedRow, ...]]] = []
    groups: list[tuple[Scalar, tuple[ExpectedRow, ...]]] = []
    findings: tuple[ExpectedFinding, ...] | None = None
    for entry in _entries(expect, sink):
        match entry.value:
            case Sequence() if entry.key.text == "findings":
                findings = _findings(entry.value, sink)
            case Scalar() as amount:
                amounts.append((entry.key.text, amount))
            case Mapping(entries=kinds) if entry.key.text == "groups":
                groups += [(kind.key, _expected_rows(kind, sink, keyed=False)) for kind in kinds]
            case _:
                rows.append((entry.key, _expected_rows(entry, sink, keyed=True)))
    code = rejects if isinstance(rejects, Scalar) else None
    span = expect.key.span if expect is not None else node.span
    return Expectation(tuple(amounts), code, span, tuple(rows), tuple(groups), findings)


def _of_all(node: Mapping, sink: Sink) -> Expectation | None:
    """What stands beside `episodes:` is expected of all together: results of groups."""
    found = _expectation(node, sink)
    if found is not None and (found.amounts or found.rows or found.rejects or found.findings is not None):
        message = "this does not say which episode it is expected of"
        help_ = "put `expect:` and `rejects:` beside each `episode:`; only `groups:` may be expected of all"
        sink.add(problems.bad_episode_file(found.span, message, help_))
    return found


def _expected_rows(entry: Entry, sink: Sink, *, keyed: bool) -> tuple[ExpectedRow, ...]:
    """`{1: {pays: 310.02}}` (keyed), `{budget: 5.00}`, or a list of maps that hold keys and amounts."""
    pairs: list[tuple[Scalar | None, Node]] = []
    match entry.value:
        case Sequence(items=items):
            pairs = [(None, item) for item in items]
        case Mapping(entries=entries) if keyed:
            pairs = [(e.key, e.value) for e in entries]
        case Mapping() as one:
            pairs = [(None, one)]
        case other:
            pairs = [(None, other)]
    found: list[ExpectedRow] = []
    for key, node in pairs:
        own = node.entry("findings") if isinstance(node, Mapping) and not keyed else None
        listed = own.value if own is not None and isinstance(own.value, Sequence) else None
        if isinstance(node, Mapping) and all(isinstance(e.value, Scalar) or e.value is listed for e in node.entries):
            fields = tuple((e.key, e.value) for e in node.entries if isinstance(e.value, Scalar))
            findings = _findings(listed, sink) if listed is not None else None
            found.append(ExpectedRow(key, fields, key.span if key is not None else node.span, findings))
        else:
            message = f"`{entry.key.text}` must be one value, or rows with the amounts expected of each"
            sink.add(problems.bad_episode_file(node.span, message, "e.g. `lines: {1: {pays: 310.02}}`"))
    return tuple(found)


def _findings(node: Sequence, sink: Sink) -> tuple[ExpectedFinding, ...]:
    """`[{check: above_ceiling, lines: 2, amount: 4200.00}]`."""
    found: list[ExpectedFinding] = []
    for item in node.items:
        given = {e.key.text: e.value for e in item.entries} if isinstance(item, Mapping) else {}
        check, amount = given.get("check"), given.get("amount")
        others = [e for e in item.entries if e.key.text not in ("check", "amount")] if isinstance(item, Mapping) else []
        row = others[0].value if others else None
        right = isinstance(check, Scalar) and len(others) < 2 and all(isinstance(v, Scalar) for v in given.values())
        if not isinstance(check, Scalar) or not right:
            message = "a finding is a check with the row it is found on, and its amount"
            help_ = "write `{check: NAME}`, or `{check: NAME, lines: 2, amount: 4200.00}`"
            sink.add(problems.bad_episode_file(item.span, message, help_))
            continue
        found.append(
            ExpectedFinding(
                check,
                others[0].key if others else None,
                row if isinstance(row, Scalar) else None,
                amount if isinstance(amount, Scalar) else None,
                item.span,
            )
        )
    return tuple(found)


def _entries(entry: Entry | None, sink: Sink) -> tuple[Entry, ...]:
    if entry is None:
        return ()
    if isinstance(entry.value, Mapping):
        return entry.value.entries
    sink.add(problems.bad_episode_file(entry.value.span, f"`{entry.key.text}` is a map", "write `name: value` lines"))
    return ()


def _items(entry: Entry | None, sink: Sink) -> tuple[Node, ...]:
    if entry is None:
        return ()
    if isinstance(entry.value, Sequence):
        return entry.value.items
    sink.add(
        problems.bad_episode_file(entry.value.span, f"`{entry.key.text}` is a list", "write `- episode: {..}` items")
    )
    return ()


def _text(node: Mapping, key: str) -> str:
    value = node.get(key)
    return value.text.strip() if isinstance(value, Scalar) else ""
