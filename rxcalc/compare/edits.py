"""All changes of meaning between two compiled rulebooks.

Compared is what both plans hold: names resolved, overlays laid, tables read. So spelling, comments, the order in which
things are written where it means nothing, files, labels, notes, messages, citations and evidence never differ. Two
formulas are the same when their canonical texts are: a constant that was moved into a parameter is a change, even when no
amount changes (a run over episodes then says that it moved no row).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

from rxcalc.compare import figures, rules
from rxcalc.compare.model import ADDED, REMOVED, Aspect, Edit, Subject
from rxcalc.compare.pairs import WHOLE, attribute, node_text, paired, unordered, written, yes
from rxcalc.lang.types import FLAG
from rxcalc.plan.nodes import (
    Place,
    Plan,
    PlanGroup,
    PlanInput,
    PlanList,
    PlanSequence,
    PlanSpread,
    PlanWindow,
    share_names,
)


def edits(old: Plan, new: Plan) -> tuple[Edit, ...]:
    """What changed in meaning, by section."""
    return tuple(_edits(old, new))


def _edits(old: Plan, new: Plan) -> Iterator[Edit]:
    yield from _head(old, new)
    yield from figures.parameters(old, new)
    yield from figures.tables(old, new)
    yield from _inputs("", old.inputs, new.inputs, old, new)
    yield from _windows(old, new)
    yield from rules.conditions("requires", "", old.requires, new.requires)
    yield from rules.steps("", old.steps, new.steps)
    yield from rules.shares("", old.shares, new.shares)
    yield from _lists(old, new)
    yield from _groups(old, new)
    yield from _spreads(old, new)
    yield from rules.conditions("guarantees", "", old.guarantees, new.guarantees)
    yield from unordered(Subject("guarantees"), (t.text for t in old.trends), (t.text for t in new.trends))
    yield from rules.checks(old.checks, new.checks)
    known = {*share_names(old)} & {*share_names(new)} | {s.name for s in old.steps} & {s.name for s in new.steps}
    for edit in unordered(Subject("outputs"), old.outputs, new.outputs):
        if (edit.was or edit.now) in known:  # the output of a step that came or went is told of the step
            yield edit


def _head(old: Plan, new: Plan) -> Iterator[Edit]:
    yield from attribute(Subject("currency"), WHOLE, old.currency, new.currency)
    yield from attribute(Subject("currency"), Aspect("decimals"), str(old.decimals), str(new.decimals))
    yield from attribute(Subject("rounding"), WHOLE, old.rounding, new.rounding)
    of = Subject("effective")
    yield from attribute(of, Aspect("from"), str(old.effective_from), str(new.effective_from))
    yield from attribute(of, Aspect("to"), str(old.effective_to or "open"), str(new.effective_to or "open"))
    yield from attribute(of, Aspect("by"), old.effective_by, new.effective_by)
    yield from _sequence("", old.sequence, new.sequence)


def _sequence(level: str, one: PlanSequence | None, other: PlanSequence | None) -> Iterator[Edit]:
    yield from attribute(Subject("sequence", level), WHOLE, _sequence_text(one), _sequence_text(other))


def _sequence_text(s: PlanSequence | None) -> str:
    if s is None:
        return ""
    reverses = f", reverses {s.reverses}" if s.reverses else ""
    return f"by {s.by}, order {', '.join(s.order)}{reverses}"


# ---- inputs -----------------------------------------------------------------------------------------


def _inputs(
    level: str, old: Iterable[PlanInput], new: Iterable[PlanInput], before: Plan, after: Plan
) -> Iterator[Edit]:
    for name, one, other in paired({i.name: i for i in old}, {i.name: i for i in new}):
        subject = Subject("input", level, name)
        if one is None and other is not None:
            yield Edit(subject, ADDED, WHOLE, "", _input_text(other))
        elif other is None and one is not None:
            yield Edit(subject, REMOVED, WHOLE, _input_text(one), "")
        elif one is not None and other is not None:
            sides = _facts(one, before), _facts(other, after)
            for what, was, now in paired(*sides):
                yield from attribute(subject, Aspect(what), was or "", now or "")


def _input_text(i: PlanInput) -> str:
    return rules.type_text(i.type) + (", optional" if i.optional else "")


def _facts(i: PlanInput, plan: Plan) -> dict[str, str]:
    """What is accepted as a value of an input; how its column may be called is none of it."""

    def value(of: object) -> str:
        return figures.value_text(of, i.type, plan.decimals) if of is not None else "none"

    spellings = [f"{a} = {v.name}" for v in i.values for a in v.aliases]
    if i.type == FLAG:
        spellings += [f"{a} = {yes(flag)}" for a, flag in i.flags]
    return {
        "type": rules.type_text(i.type),
        "optional": yes(i.optional),
        "default": value(i.default),
        "min": value(i.low),
        "max": value(i.high),
        "decimals": str(i.decimals),
        "time": "dropped" if i.drop_time else "refused",
        "spellings": ", ".join(sorted(spellings)),
        "column_names": ", ".join(sorted(i.aliases)),
    }


# ---- windows, lists, groups -------------------------------------------------------------------------


def _windows(old: Plan, new: Plan) -> Iterator[Edit]:
    before, after = ({(w.level, w.name): w for w in plan.windows} for plan in (old, new))
    names = dict.fromkeys((*before, *after))
    for level, name in names:
        subject = Subject("window", level, name)
        one, other = before.get((level, name)), after.get((level, name))
        if one is None or other is None:
            change = ADDED if one is None else REMOVED
            yield Edit(subject, change, WHOLE, _window(one) if one else "", _window(other) if other else "")
        elif replace(one, place=Place()) != replace(other, place=Place()):
            yield from attribute(subject, WHOLE, _window(one), _window(other))


def _window(w: PlanWindow) -> str:
    """What is written of a window."""
    told = []
    for of in fields(w):
        value = getattr(w, of.name)
        if of.name in ("name", "place", "level") or value == of.default or not value or value in ((1, 1), (0, "")):
            continue
        text = " ".join(str(v) for v in value if v != "") if isinstance(value, tuple) else str(value)
        told.append(f"{of.name.replace('_', ' ')} {text}")
    return ", ".join(told) or "all"


def _lists(old: Plan, new: Plan) -> Iterator[Edit]:
    for name, one, other in paired({x.name: x for x in old.lists}, {x.name: x for x in new.lists}):
        subject = Subject("list", "", name)
        if one is None or other is None:
            yield Edit(subject, ADDED if one is None else REMOVED)
            continue
        yield from attribute(subject, Aspect("order"), ", ".join(one.order), ", ".join(other.order))
        yield from attribute(subject, Aspect("required"), yes(one.required), yes(other.required))
        yield from _inputs(name, one.inputs, other.inputs, old, new)
        yield from _level(name, one, other)


def _groups(old: Plan, new: Plan) -> Iterator[Edit]:
    for name, one, other in paired({g.name: g for g in old.groups}, {g.name: g for g in new.groups}):
        subject = Subject("group", "", name)
        if one is None or other is None:
            yield Edit(subject, ADDED if one is None else REMOVED)
            continue
        yield from attribute(subject, Aspect("of"), one.of or "episodes", other.of or "episodes")
        yield from attribute(subject, Aspect("keys"), _keys(old, one), _keys(new, other))
        dated = node_text(old, one.effective), node_text(new, other.effective)
        yield from attribute(subject, Aspect("effective"), *dated)
        yield from _sequence(name, one.sequence, other.sequence)
        yield from _inputs(name, one.inputs, other.inputs, old, new)
        yield from _level(name, one, other)
        yield from rules.shares(name, one.shares, other.shares)


def _keys(plan: Plan, g: PlanGroup) -> str:
    return ", ".join(f"{k.name}: {node_text(plan, k.node)}" for k in g.keys)


def _level(name: str, one: PlanList | PlanGroup, other: PlanList | PlanGroup) -> Iterator[Edit]:
    """What lists and groups both have."""
    yield from rules.conditions("requires", name, one.requires, other.requires)
    yield from rules.steps(name, one.steps, other.steps)
    yield from rules.conditions("guarantees", name, one.guarantees, other.guarantees)


def _spreads(old: Plan, new: Plan) -> Iterator[Edit]:
    before, after = ({(s.source, s.name): s for s in plan.spreads} for plan in (old, new))
    for source, name in dict.fromkeys((*before, *after)):
        one, other = before.get((source, name)), after.get((source, name))
        subject = Subject("spread", source, name)
        if one is None or other is None:
            change = ADDED if one is None else REMOVED
            yield Edit(subject, change, WHOLE, _spread(one) if one else "", _spread(other) if other else "")
        else:
            yield from attribute(subject, WHOLE, _spread(one), _spread(other))


def _spread(s: PlanSpread) -> str:
    return f"{written(s.formula)} over {s.target or 'episodes'} by {written(s.by_formula)}"
