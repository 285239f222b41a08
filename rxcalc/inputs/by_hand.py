"""Values of parameters set by hand: `parameter.NAME[.KEY..]=VALUE`, read by the type and keys that the rulebook declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, TypeGuard

from rxcalc.inputs.cells import CellProblem, CellReader, trim
from rxcalc.inputs.groups import plain_values, result_spec
from rxcalc.inputs.shown import quoted
from rxcalc.lang.types import OneOf, Plain, ScheduleType, Type
from rxcalc.plan.changed import UnchangeableError, segment_at, with_parameter
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Band, Plan, PlanParameter, PlanSetValue, Point, Value

PREFIX: Final = "parameter."
_LIMITS: Final = ("to", "below", "at")


@dataclass(frozen=True)
class ParameterChange:
    """One value to be changed: of `parameter` for `keys`. `path` is as written, `was` and `now` as readers see them."""

    path: str
    parameter: str
    keys: tuple[str, ...]
    value: object
    was: str
    now: str


def is_parameter(name: str) -> bool:
    """Whether what is set is a parameter rather than an input."""
    return name.startswith(PREFIX)


def set_by_hand(
    plan: Plan, given: Mapping[str, str], on: date
) -> tuple[Plan, tuple[ParameterChange, ...]] | CellProblem:
    """The plan with the values given by path, for as long as those in force on a day are; or what is wrong with one."""
    changes: list[ParameterChange] = []
    for path, text in given.items():
        change = parameter_change(plan, path, text, on)
        if isinstance(change, CellProblem):
            return change
        try:
            plan = with_parameter(plan, change.parameter, change.keys, on, change.value)
        except UnchangeableError as error:
            return CellProblem("RX745", path, text, f"{path}: {error.message}; {error.help}".rstrip("; "))
        changes.append(change)
    return plan, tuple(changes)


def parameter_change(plan: Plan, path: str, text: str, on: date) -> ParameterChange | CellProblem:
    """What a path and a text ask for.

    Of a schedule a path goes on with the number of a part, from 1, for its value, and then `to`, `below` or `at` for
    its limit: `parameter.rate.city.2=85%`, `parameter.rate.city.1.to=30000`.
    """
    name, *rest = path.removeprefix(PREFIX).split(".")
    parameter = next((p for p in plan.parameters if p.name == name), None)
    if parameter is None:
        known = [p.name for p in plan.parameters]
        return _unknown(path, text, f"the rulebook has no parameter {quoted(name)}", name, known, "its parameters are")
    if len(rest) < len(parameter.keys):
        wanted = ".".join([PREFIX + name, *("|".join(values) for values in parameter.keys)])
        return CellProblem("RX745", path, text, f"{path} does not name one value; write {wanted}")
    keys = tuple(rest[: len(parameter.keys)])
    for key, values in zip(keys, parameter.keys, strict=True):
        if key not in values:
            return _unknown(
                path, text, f"{name} has no value for {quoted(key)}", key, list(values), "it has values for"
            )
    at = segment_at(parameter, on)
    if at is None:
        return CellProblem("RX724", path, text, f"{name} has no value on {on}, the bill's date, that could be changed")
    old = dict(parameter.segments[at].values)[keys]
    return _read(_Asked(plan, parameter, keys, path, text, old), rest[len(keys) :])


@dataclass(frozen=True)
class _Asked:
    """A value that is to be changed, as found."""

    plan: Plan
    parameter: PlanParameter
    keys: tuple[str, ...]
    path: str
    text: str
    old: object

    def change(self, value: object, was: object, now: object, type_: Type) -> ParameterChange:
        """The change from one value of a type to another."""
        decimals = self.plan.decimals
        shown = [figure(v, type_, decimals, grouped=False) for v in (was, now)]  # type: ignore[arg-type]  # of the type
        return ParameterChange(self.path, self.parameter.name, self.keys, value, shown[0], shown[1])

    def problem(self, message: str) -> CellProblem:
        """What is wrong with it."""
        return CellProblem("RX745", self.path, self.text, f"{self.path} {message}")


def _read(asked: _Asked, rest: list[str]) -> ParameterChange | CellProblem:
    type_ = asked.parameter.type
    if isinstance(type_, ScheduleType):
        return _read_part(asked, type_, rest)
    if rest:
        return asked.problem(f"goes on with {quoted('.'.join(rest))}, but it holds a single value there")
    read = _value(asked, type_)
    return read if isinstance(read, CellProblem) else asked.change(read, asked.old, read, type_)


def _read_part(asked: _Asked, type_: ScheduleType, rest: list[str]) -> ParameterChange | CellProblem:
    """A change of a part of a schedule: its value, or its limit."""
    if not _is_schedule(asked.old):
        return asked.problem("holds no schedule on that day")
    parts = list(asked.old)
    number = int(rest[0]) if rest and rest[0].isdecimal() and len(rest[0]) < 6 else 0
    if not 1 <= number <= len(parts):
        return asked.problem(f"is a schedule: name one of its parts, {asked.path}.1 to {asked.path}.{len(parts)}")
    part = parts[number - 1]
    limit = _limit_of(part)
    if rest[1:] and (len(rest) > 2 or rest[1] not in _LIMITS or limit is None):
        return asked.problem("names nothing; a part has a value and, after the number, a limit `to`, `below` or `at`")
    over, value = Plain(type_.over), Plain(type_.value)
    read = _value(asked, over if rest[1:] else value)
    if isinstance(read, CellProblem):
        return read
    if not isinstance(read, int | Fraction):
        return asked.problem("must be a number")
    amount = Fraction(read)
    if not rest[1:]:
        parts[number - 1] = replace(part, value=amount)
        return asked.change(tuple(parts), part.value, amount, value)
    parts[number - 1] = replace(part, limit=amount) if isinstance(part, Band) else replace(part, at=amount)
    limits = [x for x in map(_limit_of, parts) if x is not None]
    if limits != sorted(limits) or (type_.form == "bands" and limits[0] <= 0):
        return asked.problem("would put the limits of the schedule out of order")
    return asked.change(tuple(parts), limit, amount, over)


def _limit_of(part: Band | Point) -> Fraction | None:
    return part.limit if isinstance(part, Band) else part.at


def _is_schedule(value: object) -> TypeGuard[tuple[Band | Point, ...]]:
    return isinstance(value, tuple) and all(isinstance(part, Band | Point) for part in value)


def _value(asked: _Asked, type_: Type) -> Value | CellProblem:
    """The text as a value of the type; `none` where the parameter has such a value somewhere."""
    may_miss = any(v is None for s in asked.parameter.segments for _, v in s.values)
    if trim(asked.text) == "none" and may_miss and not isinstance(asked.parameter.type, ScheduleType):
        return None
    spec = result_spec(asked.path, type_, _spellings(asked.plan, type_))
    return CellReader.of(spec, asked.plan.currency).read(asked.text)


def _spellings(plan: Plan, type_: Type) -> tuple[PlanSetValue, ...]:
    """The values of a set, spelt as in an input of the same set."""
    if not isinstance(type_, OneOf):
        return ()
    same = [i.values for i in plan.inputs if isinstance(i.type, OneOf) and i.type.values == type_.values]
    return same[0] if same else plain_values(type_)


def _unknown(path: str, text: str, message: str, name: str, known: list[str], told: str) -> CellProblem:
    near = get_close_matches(name[:80], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"{told} {', '.join(known)}" if known else ""
    return CellProblem("RX745", path, text, f"{message}; {hint}" if hint else message)
