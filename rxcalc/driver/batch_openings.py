"""`--opening` and `--closing`: what windows hold before the first episode, and after the last.

One row for each `sequence.by` and window instance: the columns are the key, then window calls as in `so_far`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from rxcalc.driver.batch_exact import values_of
from rxcalc.driver.batch_report import BatchOptions
from rxcalc.inputs.groups import result_spec
from rxcalc.inputs.openings import is_limited, normal, opening_specs, window_calls
from rxcalc.lang.types import CODE, DATE, MONEY, Type
from rxcalc.passes.sequence import Key, is_stretch, period_start, windows_in_use
from rxcalc.plan.nodes import Plan, PlanInput, PlanWindow, Value
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.summary import FileFacts
from rxcalc.tabular.whole import WholeTable, read_whole
from rxcalc.tabular.writer import line_of, plain_cell

if TYPE_CHECKING:
    from rxcalc.backends.closing import Closing

WINDOW: Final = "window"
FROM: Final = "from"

Instances = Mapping[tuple[str, Key], Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Openings:
    """Opening amounts: by the value of `sequence.by`, then by window and instance, the calls given."""

    people: Mapping[Value, Instances] = field(default_factory=dict)
    facts: FileFacts | None = None


def key_fields(plan: Plan) -> tuple[PlanInput, ...]:
    """The columns that say which instance a row is about."""
    assert plan.sequence is not None  # noqa: S101 - asked before
    inputs = {spec.name: spec for spec in plan.inputs}
    windows = windows_in_use(plan)
    same = dict.fromkeys(name for window in windows for name in window.same if name != plan.sequence.by)
    fields = [inputs[plan.sequence.by], result_spec(WINDOW, CODE, optional=True)]
    fields += [_optional(inputs[name]) for name in same]
    fields += [result_spec(FROM, DATE, optional=True)] if any(w.calendar for w in windows) else []
    return tuple(fields)


def _optional(spec: PlanInput) -> PlanInput:
    return replace(spec, optional=True, default=None)


def read_openings(plan: Plan, options: BatchOptions) -> Openings | UsageProblem:
    """The opening amounts of a file, or why it cannot be taken."""
    if options.opening is None:
        return Openings()
    if plan.sequence is None or not window_calls(plan):
        return problems.no_sequence("--opening")
    specs = opening_specs(plan)
    calls = tuple(_optional(spec) for spec in specs.values())

    def meant(name: str) -> str:  # window calls are read without regard to white space
        spec = specs.get(normal(name))
        return (
            spec.name if spec is not None else name if normal(name) not in options.opening_of_others else normal(name)
        )

    table = read_whole(options.opening, plan, (*key_fields(plan), *calls), meant, options.opening_of_others)
    if isinstance(table, UsageProblem):
        return table
    return _by_person(plan, table, specs, options.opening_of_others)


def _by_person(
    plan: Plan, table: WholeTable, specs: Mapping[str, PlanInput], others: Container[str]
) -> Openings | UsageProblem:
    assert plan.sequence is not None  # noqa: S101 - asked before
    fields = (*key_fields(plan), *(_optional(spec) for spec in specs.values()))
    windows = {window.name: window for window in windows_in_use(plan)}
    people: dict[Value, dict[tuple[str, Key], dict[str, Value]]] = {}
    path = str(table.path)
    for line, row in zip(table.lines, values_of(plan, fields, table.frame), strict=True):
        given = {text: row[spec.name] for text, spec in specs.items() if row[spec.name] is not None}
        named = row[WINDOW]
        if isinstance(named, str) and named not in windows and named in others:
            continue
        if named is not None and named not in windows:
            return problems.unreadable_row(path, line, f"the rulebook has no window `{named}`")
        own = people.setdefault(row[plan.sequence.by], {})
        for name, window in windows.items():
            amounts = {text: value for text, value in given.items() if text.startswith(f"{name}.")}
            if not amounts or named not in (None, name):
                continue
            key = _instance(window, row)
            if isinstance(key, str):
                return problems.unreadable_row(path, line, f"window `{name}` needs {key}, which the row does not say")
            if (name, key) in own:
                return problems.given_twice(
                    path, line, f"window `{name}` of {plan.sequence.by} `{row[plan.sequence.by]}`"
                )
            own[name, key] = amounts
    return Openings(people, table.facts)


def _instance(window: PlanWindow, row: Mapping[str, Value]) -> tuple[Value, ...] | str:
    """The instance that a row is about, or the column that it lacks."""
    key: list[Value] = []
    for name in window.same:
        if row[name] is None:
            return name
        key.append(row[name])
    if window.calendar:
        start = row[FROM]
        if not isinstance(start, date):
            return FROM
        key.append(start if window.starting_input else period_start(window, start, window.starting))
    if is_stretch(window):
        key.append(0)
    return tuple(key)


def chain_of(window: PlanWindow, key: Key) -> Key:
    """The part of an instance that every episode tells of itself: of a spell or period all but its number."""
    return key[:-1] if key is not None and is_stretch(window) else key


# ---- closing ----------------------------------------------------------------------------------------


def closing_lines(plan: Plan, people: Iterable[tuple[Value, Sequence[Closing]]]) -> Iterable[bytes]:
    """The closing file, in the order of the persons and windows."""
    assert plan.sequence is not None  # noqa: S101 - asked before
    fields = key_fields(plan)
    specs = opening_specs(plan)
    limited = {normal(call.key) for call in window_calls(plan) if is_limited(plan, call)}
    order = {window.name: at for at, window in enumerate(plan.windows)}
    calls = sorted((text for text in specs if text not in limited), key=lambda text: order[text.partition(".")[0]])
    yield line_of([*(spec.name for spec in fields), *(specs[text].name for text in calls)])
    for owner, found in people:
        for one in found:
            key = dict(zip(one.window.same, one.key or (), strict=False))
            if one.window.calendar and one.key:
                key[FROM] = one.key[-1]
            values: dict[str, Value] = {**key, plan.sequence.by: owner, WINDOW: one.window.name}
            told = [plain_cell(values.get(spec.name), spec.type, plan.decimals) for spec in fields]
            yield line_of([*told, *(_cell(one.values.get(text), specs[text].type, plan.decimals) for text in calls)])


def _cell(value: Value, of: Type, decimals: int) -> str:
    """As `plain_cell`; an amount of whole minor units, of which most of a large file are, at a tenth of the cost."""
    if of == MONEY and isinstance(value, int | Fraction):
        size = 10**decimals
        units, rest = divmod(value.numerator * size, value.denominator)
        if not rest and decimals:
            whole, part = divmod(abs(units), size)
            return f"{'-' if units < 0 else ''}{whole}.{part:0{decimals}}"
    return "" if value is None else plain_cell(value, of, decimals)
