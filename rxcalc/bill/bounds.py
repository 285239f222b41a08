"""Bounds of the results of a bill of which not everything is known: proven from the plan, never by sampling.

A case of the bill gives limits of each unknown; its results are bounded by interval and set arithmetic over the
plan (bounds_nodes.py, bounds_rows.py). Where that leaves more open than need be, the case is divided: by the values of
a set or flag, and at the places where a comparison changes sides, which leaves pieces that are linear. All cases
together cover whatever the unknown can be, so the results lie in the hull of their bounds, however far the division went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final, TypeAlias

from rxcalc.bill.bounds_nodes import RefusedForSureError
from rxcalc.bill.bounds_rows import Case, episode
from rxcalc.bill.bounds_scene import Place, Prepared, Row, of_type
from rxcalc.bill.possible import (
    ABSENT,
    NOTHING,
    Box,
    Choice,
    Form,
    Possible,
    Span,
    is_known,
    may_be_true,
    met,
    point,
    union,
    without_missing,
)
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, MONEY, PERCENT, is_whole
from rxcalc.plan.nodes import Plan, PlanInput, PlanNode, Value, share_names

MOST_CASES: Final = 256
"""Cases that are worked out for one answer; more would only draw the bounds in."""
MOST_PIECES: Final = 16
MOST_VALUES: Final = 40
MOST_HALVED: Final = 32
WIDEST: Final = Fraction(10**24)
"""Stands for a width without bound where widths are compared."""

Domain: TypeAlias = "dict[str, Possible]"
"""What each unknown can be: an input by its name, `so_far:call`, `group:kind.field`."""


@dataclass(frozen=True)
class Partial:
    """What is known of a bill. An input that is not in `values` is unknown; None there is surely missing.

    A list not in `lists` is unknown. `calls` answers window calls by index, `groups` results of groups across bills
    by `kind.field`; of those in `asked`, by their names, nothing is known but these limits.
    """

    values: Mapping[str, Value]
    lists: Mapping[str, tuple[Mapping[str, Value], ...]] = field(default_factory=dict)
    calls: Mapping[int, Possible] = field(default_factory=dict)
    groups: Mapping[str, Possible] = field(default_factory=dict)
    asked: Mapping[str, Possible] = field(default_factory=dict)


@dataclass(frozen=True)
class Bounds:
    """What each result can be, and which unknowns it depends on, in the rulebook's order.

    Without any result the bill is refused whatever the unknown are. `cases` tells how many were worked out.
    """

    results: Mapping[str, Possible]
    open: tuple[str, ...]
    reads: Mapping[str, frozenset[str]]
    cases: int

    @property
    def is_refused(self) -> bool:
        """Whether no case is left that the rulebook computes."""
        return not self.results

    @property
    def is_settled(self) -> bool:
        """Whether every result is known."""
        return all(map(is_known, self.results.values()))

    @property
    def width(self) -> Fraction:
        """How much is open, over all results: a measure to compare, nothing to show."""
        return sum((width(p) for p in self.results.values()), Fraction(0))


def width(possible: Possible) -> Fraction:
    """How much is open of one result."""
    missing = Fraction(1 if possible.missing and possible != ABSENT else 0)
    if isinstance(possible, Span):
        if possible.low is None or possible.high is None:
            return WIDEST
        return possible.high - possible.low + missing
    return missing + (Fraction(max(0, len(possible.values) - 1)) if possible.values is not None else WIDEST)


def goals(plan: Plan) -> tuple[str, ...]:
    """What an interview is about: outputs, who bears what, and `check:N` for each finding on the bill itself."""
    checks = [f"check:{at}" for at, check in enumerate(plan.checks) if not check.level]
    return tuple(dict.fromkeys((*plan.outputs, *share_names(plan), *checks)))


def domain_of(spec: PlanInput) -> Possible:
    """All that an input can be."""
    return of_type(spec.type, spec.low, spec.high, missing=spec.optional and spec.default is None)


@dataclass
class _Leaf:
    """A case that was worked out."""

    domain: Domain
    results: dict[str, Possible]
    reads: dict[str, frozenset[str]]
    cuts: dict[str, set[Fraction]]
    loose: dict[str, Fraction]
    by: dict[str, frozenset[str]]  # by result: the unknowns that it read and that the case was divided by


class Bounder:
    """Bounds bills of one plan. `grids` says of each unknown number of which steps it is a multiple."""

    def __init__(self, plan: Plan, grids: Mapping[str, Fraction] | None = None) -> None:
        self.plan = plan
        self.prepared = Prepared(plan)
        self.goals = goals(plan)
        self.grids = {i.name: grid_of(i) for i in plan.inputs} | dict(grids or {})
        self.order = {i.name: at for at, i in enumerate(plan.inputs)}
        money = {s.name for s in plan.steps if s.type == MONEY} | set(share_names(plan))
        self.tolerance = dict.fromkeys(money, Fraction(10, 10**plan.decimals))

    def bounds(self, known: Partial, most: int = MOST_CASES, within: Mapping[str, Possible] | None = None) -> Bounds:
        """The bounds of a bill; `within` draws in what some of the unknown can be."""
        domain: Domain = {i.name: domain_of(i) for i in self.plan.inputs if i.name not in known.values}
        domain |= known.asked
        for name, limit in (within or {}).items():
            domain[name] = met(domain[name], limit)
        return self._divided(known, domain, most)

    def narrowed(self, known: Partial) -> Domain:
        """What the unknown can be, as far as the rulebook's requirements and dates draw it in."""
        domain: Domain = {i.name: domain_of(i) for i in self.plan.inputs if i.name not in known.values}
        try:
            return self._required(known, domain | dict(known.asked))[2]
        except RefusedForSureError:
            return domain

    def _divided(self, known: Partial, domain: Domain, most: int) -> Bounds:
        waiting: list[tuple[Fraction, int, _Leaf]] = []
        done: list[_Leaf] = []
        cases = 0

        def take(new: Domain, by: dict[str, frozenset[str]]) -> None:
            nonlocal cases
            cases += 1
            leaf = self._worked_out(known, new, by)
            if leaf is None:
                return
            loose = sum(leaf.loose.values(), Fraction(0))
            if loose:
                heappush(waiting, (-loose, cases, leaf))
            else:
                done.append(leaf)

        take(domain, {})
        halved = 0
        while waiting and cases < most:
            _, _, leaf = heappop(waiting)
            found = self._pieces(leaf)
            if found is None and halved < MOST_HALVED:
                found = self._halves(leaf)
                halved += 1
            if found is None:
                done.append(leaf)
                continue
            name, pieces = found
            by = {
                g: leaf.by.get(g, frozenset()) | {name} if name in r else leaf.by.get(g, frozenset())
                for g, r in leaf.reads.items()
            }
            for piece in pieces:
                take({**leaf.domain, name: piece}, by)
        done += [leaf for _, _, leaf in waiting]
        return self._hull(done, cases)

    def _hull(self, leaves: list[_Leaf], cases: int) -> Bounds:
        results: dict[str, Possible] = {}
        reads: dict[str, frozenset[str]] = {}
        for name in self.goals if leaves else ():
            results[name] = _formless(union(leaf.results[name] for leaf in leaves))
            if is_known(results[name]):
                continue
            own = [leaf.reads[name] for leaf in leaves if not is_known(leaf.results[name])]
            # A case that was divided by an unknown no longer reads it.
            reads[name] = frozenset().union(*own, *(leaf.by[name] for leaf in leaves if name in leaf.by))
        found = frozenset().union(*reads.values())
        return Bounds(results, tuple(sorted(found, key=self._place)), reads, cases)

    def _place(self, name: str) -> tuple[int, str]:
        return self.order.get(name, len(self.order)), name

    # ---- one case ----

    def _worked_out(self, known: Partial, domain: Domain, by: dict[str, frozenset[str]]) -> _Leaf | None:
        """A case with its results; None where the bill is refused for sure."""
        try:
            case, row, domain = self._required(known, domain)
            results: dict[str, Possible] = {}
            reads: dict[str, frozenset[str]] = {}
            for name in self.goals:
                case.reading = set()
                results[name] = self._goal(case, row, name)
                reads[name] = frozenset(case.reading)
        except RefusedForSureError:
            return None
        loose = {name: self._loose(case.box, found) for name, found in results.items()}
        return _Leaf(domain, results, reads, case.box.cuts, loose, by)

    def _required(self, known: Partial, domain: Domain) -> tuple[Case, Row, Domain]:
        """The case with what `requires:` and the rulebook's dates leave of the unknown."""
        on = domain.get(self.plan.effective_by)
        if on is not None:
            last = self.plan.effective_to
            lasting = Span(
                Fraction(self.plan.effective_from.toordinal()), None if last is None else Fraction(last.toordinal())
            )
            domain = {**domain, self.plan.effective_by: met(on, lasting)}
        for _ in range(3):
            if NOTHING in domain.values():
                raise RefusedForSureError
            case, row = self._case(known, domain)
            place: Place | None = Place(row)
            for condition in self.plan.requires:
                if place is None or not may_be_true(case.value(condition.that, place)):
                    raise RefusedForSureError
                place = case.narrowed(condition.that, place, holds=True)
            if place is None:
                raise RefusedForSureError
            drawn_in = {
                name: _formless(found)
                for (of, kind, name), found in place.settled.items()
                if of == id(row) and kind == "input" and name in domain and _formless(found) != domain[name]
            }
            if not drawn_in:
                break
            domain = {**domain, **drawn_in}
        case, row = self._case(known, domain)
        facts = [form for c in self.plan.requires for form in case.facts(c.that, Place(row))]
        case.box.facts = facts
        return case, row, domain

    def _case(self, known: Partial, domain: Domain) -> tuple[Case, Row]:
        numbers = {n: p for n, p in domain.items() if isinstance(p, Span) and p.low is not None and p.high is not None}
        box = Box(
            {n: (p.low, p.high) for n, p in numbers.items() if p.low is not None and p.high is not None}, self.grids
        )
        possible = {n: _with_form(n, p, self.grids.get(n)) for n, p in domain.items()}
        calls = dict(known.calls)
        groups = dict(known.groups)
        for at, call in enumerate(self.plan.calls):
            if f"so_far:{call.key}" in possible and at not in calls and not call.level:
                calls[at] = possible[f"so_far:{call.key}"]
        groups |= {n.removeprefix("group:"): p for n, p in possible.items() if n.startswith("group:")}
        case = Case(self.prepared, box, calls, groups)
        inputs = {i.name: possible.get(i.name) or point(known.values.get(i.name)) for i in self.plan.inputs}
        lists = {
            x.name: [dict(r) for r in known.lists[x.name]] if x.name in known.lists else None for x in self.plan.lists
        }
        return case, episode(case, inputs, lists)

    def _goal(self, case: Case, row: Row, name: str) -> Possible:
        if name.startswith("check:"):
            found = case.value(self.plan.checks[int(name.removeprefix("check:"))].when, Place(row))
            return Choice(frozenset({False})) if found == NOTHING else found
        sides = [found for found in (case.step(row, name), case.share(row, name)) if found is not None]
        if not sides:
            return Choice(None)
        found = met(sides[0], sides[1]) if len(sides) > 1 else sides[0]
        if found == NOTHING:
            raise RefusedForSureError
        return found

    def _loose(self, box: Box, found: Possible) -> Fraction:
        """By how much the bounds of a result may be wider than what it can be."""
        if is_known(found):
            return Fraction(0)
        if isinstance(found, Span) and found.form is not None and not found.missing:
            least, most = box.range_of(found.form)
            slack = found.form.high - found.form.low
            over = max(Fraction(0), least + slack - (found.low if found.low is not None else least))
            over += max(Fraction(0), (found.high if found.high is not None else most) - most + slack)
            return over
        return width(found)

    # ---- dividing ----

    def _pieces(self, leaf: _Leaf) -> tuple[str, list[Possible]] | None:
        """An unknown by which to divide a case, and its pieces; None when that would not help."""
        reads = frozenset().union(*(leaf.reads[name] for name, loose in leaf.loose.items() if loose))
        open_ = sorted(reads & leaf.domain.keys(), key=self._place)
        best: tuple[int, str, list[Possible]] | None = None
        for name in open_:
            pieces = _values(leaf.domain[name])
            if pieces is not None and (best is None or len(pieces) < best[0]):
                best = len(pieces), name, pieces
        if best is not None:
            return best[1], best[2]
        for name in open_:
            own = leaf.domain[name]
            cuts = sorted(leaf.cuts.get(name, ()))
            if cuts and isinstance(own, Span):
                pieces = self._cut(name, own, cuts[:: max(1, -(-len(cuts) // MOST_PIECES))])
                if len(pieces) > 1:
                    return name, pieces
        return None

    def _halves(self, leaf: _Leaf) -> tuple[str, list[Possible]] | None:
        """The widest of the unknown numbers that keep a case wider than rounding makes it, and its halves."""
        kept = [leaf.reads[name] for name, loose in leaf.loose.items() if loose > self.tolerance.get(name, Fraction(0))]
        open_ = frozenset().union(*kept) & leaf.domain.keys()
        spans: list[tuple[Fraction, str]] = []
        for name in sorted(open_, key=self._place):
            own = leaf.domain[name]
            if isinstance(own, Span) and own.low is not None and own.high is not None and own.low < own.high:
                spans.append((own.low - own.high, name))
        if not spans:
            return None
        _, name = min(spans, key=lambda s: s[0])
        own = leaf.domain[name]
        assert isinstance(own, Span)  # noqa: S101 - as found
        assert own.low is not None  # noqa: S101 - as found
        assert own.high is not None  # noqa: S101 - as found
        return name, self._cut(name, own, [(own.low + own.high) / 2])

    def _cut(self, name: str, own: Span, cuts: list[Fraction]) -> list[Possible]:
        """A number cut at places; one that is a multiple of a step is never on both sides."""
        grid = self.grids.get(name)
        pieces: list[Possible] = []
        low = own.low
        for at in cuts:
            if own.high is None or low is None or not low <= at <= own.high:
                continue
            if grid is None:
                pieces.append(Span(low, at))
                low = at
                continue
            below = at // grid * grid
            if below == at:
                if low < at:
                    pieces.append(Span(low, at - grid))
                pieces.append(Span(at, at))
            else:
                pieces += [Span(low, below)] if low <= below else []
            low = below + grid
        if low is not None and own.high is not None and low <= own.high:
            pieces.append(Span(low, own.high))
        return pieces


def _values(own: Possible) -> list[Possible] | None:
    """The values of a set or flag one by one, or a value and its being missing; None for what is not divided so."""
    if isinstance(own, Span):
        return [without_missing(own), ABSENT] if own.missing else None
    if own.values is None:
        return [Choice(None), ABSENT] if own.missing else None
    count = len(own.values) + own.missing
    if not 1 < count <= MOST_VALUES:
        return None
    pieces: list[Possible] = [Choice(frozenset({v})) for v in sorted(own.values, key=str)]
    return [*pieces, *([ABSENT] if own.missing else [])]


def _with_form(name: str, own: Possible, grid: Fraction | None) -> Possible:
    if not isinstance(own, Span) or own.low is None or own.high is None or own.low == own.high:
        return own
    return replace(own, form=Form({name: Fraction(1)}, Fraction(0), Fraction(0)), grid=grid)


def _formless(own: Possible) -> Possible:
    return replace(own, form=None) if isinstance(own, Span) and own.form is not None else own


def grid_of(spec: PlanInput) -> Fraction:
    """Of what every value of a number or date is a multiple."""
    if is_whole(spec.type) or spec.type == DATE:
        return Fraction(1)
    return Fraction(1, 10 ** (spec.decimals + (2 if spec.type == PERCENT else 0)))


def group_fields(plan: Plan) -> dict[tuple[str, str], PlanNode]:
    """The results of groups across bills that something of a bill reads: by kind and field, the field as it is read."""
    across = {g.name for g in plan.groups if not g.inside}
    found: dict[tuple[str, str], PlanNode] = {}
    for node in plan.nodes:
        if node.op in (Op.LIFT, Op.GROUP) and node.data in across and node.level not in across:
            of = plan.nodes[node.args[0]]
            if of.op in (Op.STEP, Op.SHARE, Op.INPUT):
                found.setdefault((str(node.data), str(of.data)), of)
    return found
