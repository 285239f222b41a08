"""Which column holds which input: by name, then by declared alias, never by likeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from rxcalc.inputs.cells import TRIM, trim
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem

RX_COLUMNS: Final = ("rx_line", "rx_code", "rx_field", "rx_value", "rx_message", "rx_more", "rx_raw")
_OWN: Final = frozenset({*RX_COLUMNS, "rx_note"})


@dataclass(frozen=True, slots=True)
class Columns:
    """`inputs` maps each input found to its column's position; `kept` are the positions echoed to results.

    The columns of a rejects file (`rx_..`) are neither read nor kept. `unread` are columns that
    no input is read from.
    """

    names: tuple[str, ...]
    inputs: Mapping[str, int]
    kept: tuple[int, ...]
    absent: tuple[str, ...]  # optional inputs, or those with a default, without a column

    @property
    def unread(self) -> tuple[str, ...]:
        """Names of kept columns from which no input is read."""
        read = set(self.inputs.values())
        return tuple(self.names[at] for at in self.kept if at not in read)


def match_columns(
    path: str, names: tuple[str, ...], plan: Plan, mapped: Mapping[str, str] | None = None
) -> Columns | UsageProblem:
    """The column of every input, or why the header does not say.

    `mapped` (from `--columns`) gives inputs their column and goes before everything else. An input's
    own name goes before its aliases, and those in the order in which they are declared.
    """
    trimmed = tuple(trim(name) for name in names)
    repeated = (
        tuple(dict.fromkeys(name for name in trimmed if trimmed.count(name) > 1 and name))
        if len(set(trimmed)) < len(trimmed)
        else ()
    )
    if repeated:
        return problems.repeated_columns(repeated)
    position = {name: at for at, name in enumerate(trimmed) if name and name not in _OWN}
    inputs: dict[str, int] = {}
    for name, column in (mapped or {}).items():
        if column.strip(TRIM) not in position:
            return problems.unmapped_column(column, trimmed)
        if not any(spec.name == name for spec in plan.inputs):
            return problems.unmapped_column(name, tuple(spec.name for spec in plan.inputs))
        inputs[name] = position[column.strip(TRIM)]
    taken = set(inputs.values())
    own = {spec.name for spec in plan.inputs}
    for spec in plan.inputs:
        if spec.name in inputs:
            continue
        found = _candidates(spec, position, taken, own)
        if len(found) > 1:
            return problems.ambiguous_columns(spec.name, tuple(found))
        if found:
            inputs[spec.name] = position[found[0]]
    doubled = _doubled(inputs, trimmed)
    if doubled is not None:
        return doubled
    lacking = [spec for spec in plan.inputs if spec.name not in inputs]
    needed = tuple(spec.name for spec in lacking if not spec.optional and spec.default is None)
    if needed:
        used = set(inputs.values())
        free = [name for name, at in position.items() if at not in used]
        near = tuple((match[0], name) for name in needed if (match := get_close_matches(name, free, n=1, cutoff=0.75)))
        return problems.missing_columns(path, needed, near, names)
    kept = tuple(at for at, name in enumerate(trimmed) if name not in _OWN)
    return Columns(trimmed, inputs, kept, tuple(spec.name for spec in lacking))


def _candidates(spec: PlanInput, position: Mapping[str, int], taken: set[int], own: set[str]) -> list[str]:
    """The columns that could be the input: its name alone when there, else every alias that is no other input's name."""
    if spec.name in position and position[spec.name] not in taken:
        return [spec.name]
    return [alias for alias in spec.aliases if alias in position and alias not in own and position[alias] not in taken]


def _doubled(inputs: Mapping[str, int], names: tuple[str, ...]) -> UsageProblem | None:
    """Whether one column was found for two inputs."""
    by_column: dict[int, str] = {}
    for name, at in inputs.items():
        if at in by_column:
            return problems.ambiguous_columns(f"{by_column[at]} or {name}", (names[at],))
        by_column[at] = name
    return None
