"""One record checked against a rulebook's declared inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.shown import quoted, shown
from rxcalc.plan.nodes import Plan, Value


@dataclass(frozen=True, slots=True)
class Record:
    """The inputs of one episode, every declared one present (None: missing). `defaulted` were filled in."""

    values: Mapping[str, Value]
    defaulted: tuple[str, ...]


class RecordReader:
    """Checks records of one rulebook; what it needs per input is worked out once."""

    __slots__ = ("_aliases", "_names", "_readers")

    def __init__(self, plan: Plan) -> None:
        readers = tuple((spec.name, CellReader.of(spec, plan.currency)) for spec in plan.inputs)
        self._readers = readers
        self._names = frozenset(name for name, _ in readers)
        taken: dict[str, str] = {}
        for spec in plan.inputs:
            for alias in spec.aliases:
                taken.setdefault(alias, spec.name)
        self._aliases = taken

    def read(self, fields: Mapping[str, object]) -> Record | tuple[CellProblem, ...]:
        """The record's values, or every problem it has; nothing is guessed."""
        problems: list[CellProblem] = []
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
        return tuple(problems) if problems else Record(values, tuple(defaulted))

    def readable(self, fields: Mapping[str, object]) -> dict[str, Value]:
        """The values that can be read of a record with problems: enough, perhaps, to know its place in a sequence."""
        values: dict[str, Value] = {}
        for name, reader in self._readers:
            found = reader.value(fields.get(name))
            if not isinstance(found, CellProblem):
                values[name] = found
        return values

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
        hint = f"did you mean {near[0]}?" if near else f"the inputs are {', '.join(sorted(self._names))}"
        return CellProblem("RX745", shown(name), str(given), f"there is no input called {quoted(name)}; {hint}")


def check_record(plan: Plan, fields: Mapping[str, object]) -> Record | tuple[CellProblem, ...]:
    """One record checked. For many records of one plan build a `RecordReader` once."""
    return RecordReader(plan).read(fields)
