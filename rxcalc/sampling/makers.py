"""The makers of all fields of a rulebook, from its plan and its hints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rxcalc.backends.exact import Exact
from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODE, CODES, DATE
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.sampling.catalogues import Catalogue, catalogues, keys_of
from rxcalc.sampling.edges import Field, edges, specs_of
from rxcalc.sampling.fields import KEPT_IN_A_WINDOW, LEFT_OUT, FieldMaker, pool_of
from rxcalc.sampling.hints import Hint, Hints
from rxcalc.sampling.relations import Relation, relations
from rxcalc.sampling.usual import Usual
from rxcalc.source import NOWHERE

_OPEN_YEARS: Final = timedelta(days=730)
_AFTER_A_CHANGE: Final = timedelta(days=365)


def makers(plan: Plan, hints: Hints, exact: Exact) -> dict[Field, FieldMaker]:
    """A maker for every input of the episode, its lists, and the groups across bills."""
    specs = specs_of(plan)
    hinted = {key for key, hint in hints.fields.items() if hint.makes}
    known = catalogues(plan)
    at_edges = edges(plan)
    related = relations(plan, hinted, _needs(hints))
    births = _births(plan)
    groups = {g.name for g in plan.groups}
    standing = _standing(plan)
    shared = {n for w in plan.windows if not w.level for n in w.same} - {plan.sequence.by if plan.sequence else ""}
    reverses = plan.sequence.reverses if plan.sequence is not None else ""
    tables = {t.name: t for t in plan.tables}
    found: dict[Field, FieldMaker] = {}
    for key, spec in specs.items():
        level, name = key
        hint = hints.fields.get(key) or Hint(level, name, NOWHERE)
        of_group = level in groups
        own_edges = at_edges.values.get(key, ())
        gaps, ages = at_edges.gaps.get(key, ()), at_edges.ages.get(key, ())
        usual = Usual(spec, own_edges, gaps=gaps, ages=ages, is_birth=key in births, of_group=of_group)
        maker = FieldMaker(key, spec, hint, own_edges, usual, exact.thunks)
        maker.catalogue = _catalogue(known.get(key), spec)
        if hint.table:
            table = tables[hint.table]
            others = tuple(
                (n, of)
                for n, k in enumerate(table.keys)
                if n != hint.key
                for of in ((level, k), ("", k))
                if of in specs and of != key
            )
            maker.table = keys_of(table, hint.key, tuple({n: (n, of) for n, of in reversed(others)}.values()))
        maker.relation = related.get(key) or Relation()
        maker.span = span_of(plan) if key in standing else None
        maker.is_shared = not level and name in shared
        maker.owner = plan.sequence.by if plan.sequence is not None else ""
        maker.same = hint.same if hint.same is not None else _same(plan, maker, key in births)
        maker.missing = (
            hint.missing if hint.missing is not None else _missing(spec, hint, reverses if not level else "")
        )
        maker.pool = pool_of(name) if spec.type in (CODE, CODES) else ()
        found[key] = maker
    return found


def _same(plan: Plan, maker: FieldMaker, is_birth: bool) -> Fraction:  # noqa: FBT001 - private
    """How often a person keeps a value where no hint says it: the date of birth always, what windows go by every other time."""
    if plan.sequence is None or maker.key[0] or maker.hint.makes:
        return Fraction(0)
    return Fraction(1) if is_birth else KEPT_IN_A_WINDOW if maker.is_shared else Fraction(0)


def _missing(spec: PlanInput, hint: Hint, reverses: str) -> Fraction:
    """The share of cells left empty where no hint says it. A reversal names its original, which only a hint can."""
    if spec.name == reverses and not hint.makes:
        return Fraction(1)
    return LEFT_OUT if spec.optional or spec.default is not None else Fraction(0)


def _catalogue(known: Catalogue | None, spec: PlanInput) -> Catalogue | None:
    return known if spec.type in (CODE, CODES) else None


def _needs(hints: Hints) -> Mapping[Field, set[Field]]:
    """What hints read: a list as ("lines", "*"), which needs all its fields, and they the fields of the bill."""
    found: dict[Field, set[Field]] = {}
    for (level, name), hint in hints.fields.items():
        if hint.formula is None:
            continue
        reads = {(level, n) for n in hint.formula.reads} | {("", n) for n in hint.formula.of_bill}
        found[level, name] = reads | {(over, "*") for over in hint.formula.over}
    for name, rows in hints.rows.items():
        found.setdefault((name, "*"), set()).update(("", n) for n in rows.of_bill)
    return found


def _births(plan: Plan) -> set[Field]:
    """The dates that an age is counted from."""
    first = [plan.nodes[n.args[0]] for n in plan.nodes if n.op is Op.YEARS_BETWEEN]
    inner = [plan.nodes[n.args[0]] if n.op is Op.LIFT else n for n in first]
    return {(n.level, str(n.data)) for n in inner if n.op is Op.INPUT}


def _standing(plan: Plan) -> set[Field]:
    """The dates drawn from all days on which the rulebook holds: the one that decides, and those of orders and windows."""
    names = {plan.effective_by}
    if plan.sequence is not None:
        names |= {i.name for i in plan.inputs if i.type == DATE and i.name in plan.sequence.order}
    names |= {w.date for w in plan.windows if not w.level and w.date}
    return {("", n) for n in names}


def span_of(plan: Plan) -> tuple[date, date]:
    """The days that bills are drawn from: all of the rulebook's, or of an open one the first years and those after its last change."""
    first = plan.effective_from
    starts = [s.start for p in plan.parameters for s in p.segments]
    starts += [r.start for t in plan.tables if t.dated for r in t.rows if r.start is not None]
    last = max([first + _OPEN_YEARS, *(s + _AFTER_A_CHANGE for s in starts)])
    return first, min(last, plan.effective_to) if plan.effective_to is not None else last
