"""Explanations that can be shown to others: ids as pseudonyms, codes and texts hidden, as `rxcalc batch --redact` does.

Amounts, counts, percentages, dates, flags and values of closed sets stay. Codes that formulas and conditions name are
hidden too: the one that decided is a code of the bill.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Final, cast

from rxcalc.backends.base import Problem
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.report.model import (
    CallLine,
    CheckLine,
    Explanation,
    GroupLine,
    PartitionLine,
    ShareLine,
    SpreadFigures,
    StepLine,
    Used,
    WindowLine,
)
from rxcalc.report.wording import Wording

HIDDEN: Final = "***"
_TEXTS: Final = frozenset({Kind.CODE, Kind.CODES, Kind.TEXT})
_ROW_OF_TABLE: Final = re.compile(r"^(.+):\d+$")
_LITERAL: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_OF_RULES: Final = frozenset({
    "amount_figures", "amount_formula", "assumptions", "call", "clause", "clause_figures", "condition", "field", "figures",
    "formula", "given", "message", "name", "of", "reason", "shown", "terms", "value", "what", "working",
})  # fmt: skip
"""Fields of explanations that hold formulas and conditions, as written or with figures."""


@dataclass(frozen=True)
class Hiding:
    """What is hidden: ids by their pseudonym, and every other code or text of the bill (`texts`)."""

    ids: Mapping[str, str]
    texts: frozenset[str]
    lists: frozenset[str]  # lists whose rows are called by codes or texts

    def value(self, value: Value, type_: Type) -> Value:
        """What stands for a value of a type."""
        if value is None or not is_text(type_):
            return value
        return self.ids.get(value, HIDDEN) if isinstance(value, str) else HIDDEN


def is_text(of: Type) -> bool:
    """Whether values of the type may say who somebody is."""
    return isinstance(of, Plain) and of.kind in _TEXTS


def hiding(
    plan: Plan, episodes: Iterable[Mapping[str, Value]], ids: frozenset[str], pseudonym: Callable[[str], str]
) -> Hiding:
    """What must be hidden of some episodes; `ids` are the inputs whose values get pseudonyms."""
    named: dict[str, str] = {}
    texts: set[str] = set()
    for values in episodes:
        for level, inputs in (("", plan.inputs), *((x.name, x.inputs) for x in plan.lists)):
            rows: tuple[Mapping[str, Value], ...] = (values,) if not level else values.get(level) or ()  # type: ignore[assignment]  # a list stands among the values
            for row in rows:
                for spec in inputs:
                    for text in _texts_of(spec, row.get(spec.name)):
                        if not level and spec.name in ids:
                            named[text] = pseudonym(text)
                        texts.add(text)
    called = {x.name for x in plan.lists if any(is_text(i.type) for i in x.inputs if i.name in x.order)}
    return Hiding(named, frozenset(texts), frozenset(called))


def _texts_of(spec: PlanInput, value: Value) -> Iterable[str]:
    if not is_text(spec.type) or value is None:
        return ()
    return value if isinstance(value, frozenset) else (str(value),)


class HidingWording(Wording):
    """Writes values of types that may say who somebody is as what stands for them."""

    def __init__(self, language: str, decimals: int, hides: Hiding, *, grouped: bool) -> None:
        super().__init__(language, decimals, grouped=grouped)
        self.hides = hides

    def figure(self, value: Value, type_: Type, endless: str = "both") -> str:
        """A value."""
        return super().figure(self.hides.value(value, type_), _shown_as(type_), endless)

    def written(self, value: Value, type_: Type, endless: str = "both") -> str:
        """A value as formulas and figures have it."""
        return super().written(self.hides.value(value, type_), _shown_as(type_), endless)

    def plain(self, value: Value, type_: Type) -> str | None:
        """A value as JSON holds it."""
        return super().plain(self.hides.value(value, type_), _shown_as(type_))


def _shown_as(type_: Type) -> Type:
    """What stands for several codes is one text."""
    return Plain(Kind.TEXT) if isinstance(type_, Plain) and type_.kind is Kind.CODES else type_


def redacted(x: Explanation, hides: Hiding) -> Explanation:
    """An explanation written with `HidingWording`, without what is named in it in other ways: ids, places of table rows."""
    hidden = replace(
        x,
        steps=_steps(x.steps, hides),
        shares=_partitions(x.shares, hides),
        windows=tuple(_window(w, hides) for w in x.windows),
        lists=tuple(
            replace(li, rows=tuple(replace(r, steps=_steps(r.steps, hides)) for r in li.rows)) for li in x.lists
        ),
        groups=tuple(_group(g, hides) for g in x.groups),
        checks=tuple(_check(c, hides) for c in x.checks),
        problem=_problem(x.problem, hides),
        reverses=_id(x.reverses, hides),
        affected=tuple(_id(name, hides) for name in x.affected),
    )
    return cast("Explanation", _without_literals(hidden, ""))


def _without_literals(x: object, field: str) -> object:
    """The same without the texts in quotes of formulas and conditions."""
    if isinstance(x, str):
        return _LITERAL.sub(f'"{HIDDEN}"', x) if field in _OF_RULES else x
    if isinstance(x, tuple):
        return tuple(_without_literals(item, field) for item in x)
    if is_dataclass(x) and not isinstance(x, type):
        return replace(x, **{f.name: _without_literals(getattr(x, f.name), f.name) for f in fields(x)})
    return x


def _id(name: str, hides: Hiding) -> str:
    return hides.ids.get(name, HIDDEN) if name else name


def _steps(steps: tuple[StepLine, ...], hides: Hiding) -> tuple[StepLine, ...]:
    return tuple(
        replace(s, used=_used(s.used), calls=tuple(_call(c, hides) for c in s.calls), spread=_spread(s.spread, hides))
        for s in steps
    )


def _spread(spread: SpreadFigures | None, hides: Hiding) -> SpreadFigures | None:
    """A part received, without the names of the others that received."""
    if spread is None:
        return None
    return replace(spread, all_weights=tuple((_without(name, hides), weight) for name, weight in spread.all_weights))


def _check(c: CheckLine, hides: Hiding) -> CheckLine:
    return replace(c, used=_used(c.used), calls=tuple(_call(call, hides) for call in c.calls))


def _partitions(partitions: tuple[PartitionLine, ...], hides: Hiding) -> tuple[PartitionLine, ...]:
    def part(s: ShareLine) -> ShareLine:
        return replace(s, used=_used(s.used), calls=tuple(_call(c, hides) for c in s.calls))

    return tuple(replace(p, parts=tuple(map(part, p.parts))) for p in partitions)


def _used(used: tuple[Used, ...]) -> tuple[Used, ...]:
    """The values read, without the row of the table that they stand in: it would say which code was looked up."""
    return tuple(replace(u, cite=tuple(_ROW_OF_TABLE.sub(r"\1", c) for c in u.cite)) for u in used)


def _call(call: CallLine, hides: Hiding) -> CallLine:
    seen = tuple(replace(s, episode=_id(s.episode, hides)) for s in call.seen)
    rows = call.rows
    if call.is_window or call.of == "episodes":
        rows = tuple(_id(name, hides) for name in rows)
    elif call.of in hides.lists:
        rows = tuple(HIDDEN for _ in rows)
    return replace(call, rows=rows, seen=seen)


def _window(w: WindowLine, hides: Hiding) -> WindowLine:
    seen = tuple(replace(s, episode=_id(s.episode, hides)) for s in w.seen)
    return replace(w, episodes=tuple(_id(name, hides) for name in w.episodes), seen=seen)


def _group(g: GroupLine, hides: Hiding) -> GroupLine:
    members = g.members
    if not g.inside and not g.of:
        members = tuple(_id(name, hides) for name in members)
    elif g.of in hides.lists or (not g.inside and g.of):
        members = tuple(HIDDEN for _ in members)
    return replace(g, members=members, steps=_steps(g.steps, hides), shares=_partitions(g.shares, hides))


def _problem(problem: Problem | None, hides: Hiding) -> Problem | None:
    """A refusal without the values of the bill that its message repeats."""
    if problem is None:
        return None
    return replace(
        problem,
        field=_without(problem.field, hides),
        value=_without(problem.value, hides),
        message=_without(problem.message, hides),
    )


def _without(text: str, hides: Hiding) -> str:
    hidden = sorted(hides.texts, key=len, reverse=True)
    if not hidden:
        return text
    pattern = "|".join(re.escape(t) for t in hidden)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda m: hides.ids.get(m[0], HIDDEN), text)
