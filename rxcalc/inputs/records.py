"""One record checked against a rulebook's declared inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import TypeGuard

from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.shown import quoted, shown
from rxcalc.plan.nodes import Plan, PlanInput, PlanList, Value


@dataclass(frozen=True, slots=True)
class Record:
    """The inputs of one episode, every declared one present (None: missing). `defaulted` were filled in.

    Each list of the rulebook stands under its name, as a tuple of rows; a default filled in one of them
    is called `lines.quantity`.
    """

    values: Mapping[str, Value]
    defaulted: tuple[str, ...]


class RowReader:
    """Checks the fields of one kind of row: the episode, or a row of a list. `what` is called by messages."""

    __slots__ = ("_aliases", "_names", "_readers", "_what")

    def __init__(self, inputs: Iterable[PlanInput], currency: str, what: str = "") -> None:
        specs = tuple(inputs)
        self._what = what
        self._readers = tuple((spec.name, CellReader.of(spec, currency)) for spec in specs)
        self._names = frozenset(name for name, _ in self._readers)
        taken: dict[str, str] = {}
        for spec in specs:
            for alias in spec.aliases:
                taken.setdefault(alias, spec.name)
        self._aliases = taken

    def read(self, fields: Mapping[str, object], problems: list[CellProblem]) -> tuple[dict[str, Value], list[str]]:
        """The values, and the inputs that a default filled; what is wrong is added to `problems`."""
        if not fields.keys() <= self._names:
            fields = self._by_name(fields, problems)
        values: dict[str, Value] = {}
        defaulted: list[str] = []
        for name, reader in self._readers:
            given = fields.get(name)
            found = reader.read(given) if isinstance(given, str) else reader.value(given)
            if isinstance(found, CellProblem):
                problems.append(found)
                continue
            values[name] = found
            if reader.spec.default is not None and (
                given is None or (isinstance(given, str) and reader.is_missing(given))
            ):
                defaulted.append(name)
        return values, defaulted

    def readable(self, fields: Mapping[str, object]) -> dict[str, Value]:
        """The values that can be read, whatever is wrong with the others."""
        values: dict[str, Value] = {}
        for name, reader in self._readers:
            found = reader.value(fields.get(name))
            if not isinstance(found, CellProblem):
                values[name] = found
        return values

    def written(self, fields: Mapping[str, object], name: str) -> str:
        """The text of a field under its name or an alias, for messages; "" when it is not given."""
        given = next((fields[key] for key in fields if (self._aliases.get(key, key)) == name), None)
        return "" if given is None else str(given)

    def _by_name(self, fields: Mapping[str, object], problems: list[CellProblem]) -> Mapping[str, object]:
        """The fields under their declared names; unknown and doubled ones become problems."""
        known: dict[str, object] = {}
        for name, given in fields.items():
            target = name if name in self._names else self._aliases.get(name)
            if target is None:
                problems.append(self._unknown(name, given))
            elif target in known:
                message = f"{target} is given twice, the second time as {quoted(name)}; leave one out"
                problems.append(CellProblem("RX745", target, str(given), message))
            else:
                known[target] = given
        return known

    def _unknown(self, name: str, given: object) -> CellProblem:
        near = get_close_matches(name[:80], [*self._names, *self._aliases], n=1)
        of = f" of {self._what}" if self._what else ""
        hint = f"did you mean {near[0]}?" if near else f"the inputs{of} are {', '.join(sorted(self._names))}"
        return CellProblem("RX745", shown(name), str(given), f"there is no input{of} called {quoted(name)}; {hint}")


class RecordReader:
    """Checks records of one rulebook; what it needs per input is worked out once.

    The numbers of a reversal may be negative, whatever the bounds of its inputs: they are not computed with.
    """

    __slots__ = ("_episode", "_lists", "_plan", "_reverses", "_reversing")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._episode = RowReader(plan.inputs, plan.currency)
        self._lists = {spec.name: (spec, RowReader(spec.inputs, plan.currency, spec.name)) for spec in plan.lists}
        self._reverses = plan.sequence.reverses if plan.sequence is not None else ""
        self._reversing: RecordReader | None = None

    def read(self, fields: Mapping[str, object]) -> Record | tuple[CellProblem, ...]:
        """The record's values, or every problem it has; nothing is guessed. A list is a sequence of mappings."""
        found = self._read(fields)
        if isinstance(found, Record) or not self._reverses or all(p.code != "RX703" for p in found):
            return found
        if self.readable(fields).get(self._reverses) is None:
            return found
        return self._of_reversals().read(fields)

    def _of_reversals(self) -> RecordReader:
        """The reader of records that reverse another one."""
        if self._reversing is None:
            inputs = tuple(either_sign(i) for i in self._plan.inputs)
            lists = tuple(replace(s, inputs=tuple(either_sign(i) for i in s.inputs)) for s in self._plan.lists)
            self._reversing = RecordReader(replace(self._plan, inputs=inputs, lists=lists, sequence=None))
        return self._reversing

    def _read(self, fields: Mapping[str, object]) -> Record | tuple[CellProblem, ...]:
        problems: list[CellProblem] = []
        lists = {name: fields[name] for name in self._lists if name in fields}
        own = {name: given for name, given in fields.items() if name not in lists} if lists else fields
        unknown = [name for name, given in own.items() if given and _is_rows(given)]
        if unknown:
            problems.extend(self._no_list(name) for name in unknown)
            own = {name: given for name, given in own.items() if name not in unknown}
        values, defaulted = self._episode.read(own, problems)
        for name in self._lists:
            values[name] = self._rows(name, lists.get(name), problems, defaulted)
        return tuple(problems) if problems else Record(values, tuple(dict.fromkeys(defaulted)))

    def readable(self, fields: Mapping[str, object]) -> dict[str, Value]:
        """The values that can be read of a record with problems: enough, perhaps, to know its place in a sequence.

        Its lists are left out.
        """
        return self._episode.readable({name: given for name, given in fields.items() if name not in self._lists})

    def _rows(
        self, name: str, given: object, problems: list[CellProblem], defaulted: list[str]
    ) -> tuple[Mapping[str, Value], ...]:
        """The rows of a list that is given."""
        if given is None:
            return ()
        if not _is_rows(given):
            problems.append(CellProblem("RX745", name, str(given), f"{name} is a list: give one mapping for each row"))
            return ()
        spec, reader = self._lists[name]
        rows: list[Mapping[str, Value]] = []
        for at, fields in enumerate(given):
            found: list[CellProblem] = []
            values, filled = reader.read(fields, found)
            if found:
                where = row_name(spec, partial(reader.written, fields), at)
                problems.extend(replace(p, message=f"{where}: {p.message}", row=(name, at)) for p in found)
            rows.append(values)
            defaulted.extend(f"{name}.{field}" for field in filled)
        return tuple(rows)

    def _no_list(self, name: str) -> CellProblem:
        """The problem of a list that the rulebook does not have."""
        near = get_close_matches(name[:80], list(self._lists), n=1)
        known = f"its lists are {', '.join(self._lists)}" if self._lists else "it has no lists at all"
        hint = f"did you mean {near[0]}?" if near else known
        return CellProblem("RX745", shown(name), "", f"the rulebook has no list called {quoted(name)}; {hint}")


def either_sign(spec: PlanInput) -> PlanInput:
    """The input of a reversal: a number may be as far below zero as its bounds let it be above, or above as below."""
    low, high = spec.low, spec.high
    if low is None or high is None or isinstance(low, date) or isinstance(high, date):
        return spec
    most = max(-low, low, -high, high)
    return replace(spec, low=-most, high=most)


def row_name(spec: PlanList, written: Callable[[str], str], at: int) -> str:
    """What messages call a row of a list: by its order fields where they are given, else by its place.

    `lines 3`, `lines day 2025-01-02, no 1`, `row 2 of lines`.
    """
    values = [written(name) for name in spec.order]
    if not values or not all(value.strip() for value in values):
        return f"row {at + 1} of {spec.name}"
    if len(values) == 1:
        return f"{spec.name} {shown(values[0])}"
    told = ", ".join(f"{name} {shown(value)}" for name, value in zip(spec.order, values, strict=True))
    return f"{spec.name} {told}"


def _is_rows(given: object) -> TypeGuard[Sequence[Mapping[str, object]]]:
    """Whether something is a list of rows, which no single field can be."""
    return isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given)


def check_record(plan: Plan, fields: Mapping[str, object]) -> Record | tuple[CellProblem, ...]:
    """One record checked. For many records of one plan build a `RecordReader` once."""
    return RecordReader(plan).read(fields)
