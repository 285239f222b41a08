"""Episode and example files as entries with their fields as written (docs/episodes.md)."""

from __future__ import annotations

from collections.abc import Mapping as MappingLike
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.lang.types import CODES, Kind, Plain, is_numeric, is_whole
from rxcalc.plan.nodes import Place, Plan, PlanInput, Value
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar, Sequence
from rxcalc.source import Span

ENTRY_KEYS: Final = (
    "rulebook",
    "episode",
    "episodes",
    "earlier",
    "so_far",
    "charged",
    "example",
    "cite",
    "by",
    "note",
    "status",
    "expect",
    "rejects",
)
LATER_KEYS: Final = ("lines", "groups")


@dataclass(frozen=True)
class Fields:
    """The fields of one episode as written; `spans` tells where each value stands, `keys` each name.

    Fields in `lists` were written as a list, which only an input of type `codes` may be.
    """

    values: MappingLike[str, str | None]
    spans: MappingLike[str, Span]
    span: Span
    keys: MappingLike[str, Span] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()

    def misplaced_lists(self, plan: Plan) -> tuple[str, ...]:
        """The fields written as lists that hold one value each."""
        codes = {i.name for i in plan.inputs if i.type == CODES}
        return tuple(name for name in self.values if name in self.lists and name not in codes)


@dataclass(frozen=True)
class Expectation:
    """`expect:` amounts as written, or `rejects:` a code."""

    amounts: tuple[tuple[str, Scalar], ...]
    rejects: Scalar | None
    span: Span


@dataclass(frozen=True)
class EpisodeEntry:
    """One entry: `earlier` episodes, then `episodes` (one, or several of an example), each with what is expected of it."""

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


def read_entry(node: Node, sink: Sink, *, example: bool = False) -> EpisodeEntry | None:
    """An entry, or None after reporting what is wrong with its shape."""
    before = sink.has_errors
    if (
        isinstance(node, Mapping)
        and node.entries
        and not any(e.key.text in (*ENTRY_KEYS, *LATER_KEYS) for e in node.entries)
    ):
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
    for entry in node.entries:
        if entry.key.text in LATER_KEYS:
            sink.add(problems.not_built(entry.key.span, entry.key.text))
        elif entry.key.text not in ENTRY_KEYS:
            sink.add(
                problems.bad_episode_file(
                    entry.key.span,
                    f"`{entry.key.text}` is no key of an episode file",
                    f"known keys: {', '.join(ENTRY_KEYS)}",
                )
            )
    single, several = node.entry("episode"), node.entry("episodes")
    if (single is None) == (several is None):
        message = "give `episode:` or `episodes:`, not both" if single else "there is no `episode:`"
        sink.add(problems.bad_episode_file(node.span, message, "put the fields of the bill under `episode:`"))
        return None
    episodes: list[tuple[Fields, Expectation | None]] = []
    if single is not None:
        fields = _fields(single.value, sink)
        if fields is not None:
            episodes.append((fields, _expectation(node, sink)))
    elif several is not None:
        for item in _items(several, sink):
            fields = _fields(_inner(item, sink), sink)
            if fields is not None and isinstance(item, Mapping):
                episodes.append((fields, _expectation(item, sink)))
    earlier = tuple(
        f for item in _items(node.entry("earlier"), sink) if (f := _fields(_inner(item, sink), sink)) is not None
    )
    so_far = tuple((e.key, e.value) for e in _entries(node.entry("so_far"), sink) if isinstance(e.value, Scalar))
    charged = tuple((e.key.text, e.value) for e in _entries(node.entry("charged"), sink) if isinstance(e.value, Scalar))
    if not episodes and not sink.has_errors:
        sink.add(
            problems.bad_episode_file(
                node.span, "there is no bill in it", "put the fields of the bill under `episode:`"
            )
        )
    if (sink.has_errors and not before) or not episodes:
        return None
    name = _text(node, "example")
    if example and not name:
        sink.add(problems.bad_episode_file(node.span, "an example needs a name", "add `example: what it shows`"))
    return EpisodeEntry(
        name,
        _text(node, "rulebook"),
        earlier,
        tuple(episodes),
        so_far,
        charged,
        _text(node, "by"),
        _text(node, "cite"),
        _text(node, "note"),
        node.span,
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


def openings(entry: EpisodeEntry, plan: Plan, sink: Sink) -> dict[str, Value]:
    """`so_far` values by call text without white space; unknown calls and bad values go to the sink."""
    calls = {"".join(c.key.split()): c for c in plan.window_calls}
    result: dict[str, Value] = {}
    for key, value in entry.so_far:
        call = calls.get("".join(key.text.split()))
        if call is None and key.text.strip().isdigit():
            message = f"`{key.text}` is no window call; inside braces a comma ends a value"
            sink.add(
                problems.bad_episode_file(key.span, message, "write amounts without thousands separators: 100000.00")
            )
            continue
        if call is None:
            sink.add(problems.unknown_opening(key.span, key.text, ", ".join(c.key for c in plan.window_calls)))
            continue
        # Opening amounts are sums, so the bounds of a single amount do not hold for them.
        wide = Fraction(10**20) if is_numeric(call.type) else None
        positive = call.function == "count" or _never_negative(plan, call.value)
        spec = PlanInput(
            name=key.text, type=call.type, optional=False, default=None, low=None if wide is None else Fraction(0) if positive else -wide, high=wide,
            decimals=0 if is_whole(call.type) else max(plan.decimals, 2), values=(), flags=(), drop_time=False, aliases=(), label=(), names=(), place=Place(),
        )  # fmt: skip
        read = CellReader.of(spec, plan.currency).read(value.text)
        if isinstance(read, CellProblem):
            sink.add(problems.bad_opening(value.span, read.message))
        else:
            result["".join(key.text.split())] = read
    return result


def _never_negative(plan: Plan, node: int) -> bool:
    low = plan.nodes[node].low if node >= 0 else None
    return (
        low is not None
        and low >= 0
        and isinstance(plan.nodes[node].type, Plain)
        and plan.nodes[node].type != Plain(Kind.DATE)
    )


def _fields(node: Node | None, sink: Sink) -> Fields | None:
    if not isinstance(node, Mapping):
        if node is not None:
            sink.add(
                problems.bad_episode_file(node.span, "the fields of an episode are a map", "write `field: value` lines")
            )
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
                sink.add(problems.bad_episode_file(other.span, message, "lines and groups are not supported yet"))
                continue
        spans[entry.key.text] = entry.value.span
    keys = {entry.key.text: entry.key.span for entry in node.entries}
    return Fields(values, spans, node.span, keys, frozenset(lists))


def _inner(item: Node, sink: Sink) -> Node | None:
    if isinstance(item, Mapping):
        if (inner := item.get("episode")) is not None:
            return inner
        sink.add(problems.bad_episode_file(item.span, "there is no `episode:` here", "write `- episode: {..}`"))
        return None
    sink.add(problems.bad_episode_file(item.span, "each item is a map", "write `- episode: {..}`"))
    return None


def _expectation(node: Mapping, sink: Sink) -> Expectation | None:
    expect, rejects = node.entry("expect"), node.get("rejects")
    if expect is None and rejects is None:
        return None
    amounts: list[tuple[str, Scalar]] = []
    for entry in _entries(expect, sink):
        if isinstance(entry.value, Scalar):
            amounts.append((entry.key.text, entry.value))
        else:
            sink.add(
                problems.bad_episode_file(
                    entry.value.span, f"`{entry.key.text}` must be one value", "give the amount expected"
                )
            )
    code = rejects if isinstance(rejects, Scalar) else None
    return Expectation(tuple(amounts), code, expect.key.span if expect is not None else node.span)


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
