"""What the steps, shares and aggregates of a bill can be while some inputs are not known: one case of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rxcalc.backends.exact_rows import allocate, combined
from rxcalc.bill.bounds_nodes import Nodes, RefusedForSureError
from rxcalc.bill.bounds_ops import span_of
from rxcalc.bill.bounds_scene import Place, Row, fallback
from rxcalc.bill.possible import (
    ABSENT,
    NOTHING,
    ZERO,
    Possible,
    Span,
    flag,
    is_known,
    may_be_false,
    may_be_true,
    met,
    on_grid,
    point,
    union,
    value_of,
    without_missing,
)
from rxcalc.lang.types import OneOf
from rxcalc.plan.nodes import PlanCall, PlanClause, PlanNode, PlanPartition, PlanSpread, PlanStep, Value, share_name

_ZERO = Span(ZERO, ZERO)


class Case(Nodes):
    """One case: a bill with limits of what is not known of it. Results are worked out when asked for, each once."""

    # ---- steps ----

    def step(self, row: Row, name: str) -> Possible | None:
        """A step, or the part of a spread that a row receives; None where nothing is known of it."""
        step = self.prepared.steps.get((row.level, name))
        given = self.prepared.spreads.get((row.level, name))
        if step is None and given is None:
            return None
        if name not in row.steps:
            if name in row.working:
                return None  # read again on the way to itself, which only a window allows
            row.working.add(name)
            work = (lambda: self._computed(step, row)) if step is not None else lambda: self._received(given, row)
            row.steps[name] = self._noted(work)
            row.working.discard(name)
        found, read = row.steps[name]
        self.reading |= read
        return found

    def _noted(self, work: Callable[[], Possible]) -> tuple[Possible, frozenset[str]]:
        """A result with what is read for it."""
        outer, self.reading = self.reading, set()
        try:
            found = work()
            return found, frozenset(self.reading)
        finally:
            self.reading = outer | self.reading

    def _computed(self, step: PlanStep, row: Row) -> Possible:
        found = self._decided(step.clauses, Place(row))
        if isinstance(found, Span):
            if step.rounding is not None:
                found = self.box.rounded(found, step.rounding.to, step.rounding.mode)
            if step.low is not None or step.high is not None:
                found = met(found, Span(step.low, step.high, missing=True))
        if found == NOTHING:
            raise RefusedForSureError
        return found

    def _decided(self, clauses: Sequence[PlanClause], start: Place) -> Possible:
        """What the clauses that can decide give."""
        found: list[Possible] = []
        place = start
        for clause in clauses:
            holds = self.value(clause.when, place) if clause.when >= 0 else None
            if holds == NOTHING:
                break
            if holds is None or may_be_true(holds):
                inside = self.narrowed(clause.when, place, holds=True) if holds is not None else place
                if inside is not None and clause.then >= 0:
                    found.append(self.value(clause.then, inside))
            if holds is None or not may_be_false(holds):
                break
            outside = self.narrowed(clause.when, place, holds=False)
            if outside is None:
                break
            place = outside
        return union(found)

    # ---- shares ----

    def share(self, row: Row, name: str) -> Possible | None:
        """A part or total; None where nothing is known of it."""
        if row.level or name not in self.prepared.partition:
            return None
        if name not in row.shares:
            if f"shares:{name}" in row.working:
                return None
            row.working.add(f"shares:{name}")
            at, partition = self.prepared.partition[name]
            self._divide(at, partition, row)
            row.working.discard(f"shares:{name}")
        found, read = row.shares[name]
        self.reading |= read
        return found

    def _divide(self, at: int, partition: PlanPartition, row: Row) -> None:
        """The parts of a partition: rounded, not negative unless they may be, and adding up."""
        unit, box = Fraction(1, 10**self.plan.decimals), self.box
        outer, self.reading = self.reading, set()

        def amount(node: int) -> Span:
            found = without_missing(self.value(node, Place(row)))
            if found == NOTHING:
                raise RefusedForSureError
            return box.rounded(span_of(found), unit, self.plan.rounding)

        whole = amount(partition.of)
        parts = [None if part.value < 0 else amount(part.value) for part in partition.parts]
        stated = [p for p in parts if p is not None]
        rest = box.add((whole, *stated), (1, *(-1 for _ in stated)))
        own = [rest if p is None else p for p in parts]
        for n, part in enumerate(partition.parts):
            if not part.may_be_negative:
                own[n] = self._both(own[n], Span(ZERO, None))
        own = [on_grid(span, unit) for span in self._adding_up(own, whole)]
        read = frozenset(self.reading)
        self.reading = outer | self.reading
        for part, span in zip(partition.parts, own, strict=True):
            row.shares[share_name(at, partition.name, part.bearer, part.part)] = span, read
        if at == 0:
            bearers = [part.bearer for part in partition.parts]
            for bearer, total in self._totals(bearers, own, whole).items():
                row.shares[f"{bearer}_pays"] = on_grid(total, unit), read

    def _adding_up(self, own: list[Span], whole: Span) -> list[Span]:
        """Parts bounded also by what the whole leaves after the others."""
        lows, highs = [p.low for p in own], [p.high for p in own]
        low = None if None in lows else sum((x for x in lows if x is not None), ZERO)
        high = None if None in highs else sum((x for x in highs if x is not None), ZERO)
        found: list[Span] = []
        for p in own:
            least = None if high is None or whole.low is None or p.high is None else whole.low - (high - p.high)
            most = None if low is None or whole.high is None or p.low is None else whole.high - (low - p.low)
            found.append(self._both(p, Span(least, most)))
        return found

    def _totals(self, bearers: list[str], own: list[Span], whole: Span) -> dict[str, Span]:
        """What each bearer bears: its parts together, and what the whole leaves after the others."""
        box = self.box
        totals: dict[str, Span] = {}
        for bearer in dict.fromkeys(bearers):
            mine = [s for b, s in zip(bearers, own, strict=True) if b == bearer]
            totals[bearer] = box.add(mine, (1,) * len(mine))
        result: dict[str, Span] = {}
        for bearer, total in totals.items():
            others = [t for b, t in totals.items() if b != bearer]
            result[bearer] = self._both(total, box.add((whole, *others), (1, *(-1 for _ in others))))
        return result

    def _both(self, a: Span, b: Span) -> Span:
        """A number bounded twice; the form with less left open is kept."""
        found = met(a, b)
        if not isinstance(found, Span):
            raise RefusedForSureError
        forms = sorted((x.form for x in (a, b) if x.form is not None), key=lambda f: f.high - f.low)
        return self.box.held(found.low, found.high, forms[0] if forms else None)

    # ---- rows ----

    def call(self, index: int, node: PlanNode, place: Place) -> Possible:
        """An aggregate over the rows of a list."""
        call = self.plan.calls[index]
        row = place.row
        rows = row.root.rows.get(call.element)
        if call.element not in self.prepared.lists or (call.kind == "above" and row.level != call.element):
            return fallback(node)
        if rows is None:
            self.reading.add(f"list:{call.element}")
            low = (
                Fraction(1)
                if self.prepared.lists[call.element].required and call.where < 0 and not call.distinct
                else ZERO
            )
            found = fallback(node)
            return met(found, Span(low, None)) if call.function == "count" and call.kind != "above" else found
        if call.kind == "above":
            rows = rows[: row.number]
        met_rows = list(self._meeting(call, rows, place))
        values = [(sure, r, v) for sure, r, v in met_rows if v != NOTHING]
        if all(sure for sure, _, _ in values) and all(is_known(v) for _, _, v in values) and call.function != "rank":
            of = self.nodes[call.value].type if call.value >= 0 else call.type
            known = [value_of(v, of) for _, _, v in values]
            return point(combined(call.function, call.distinct, known, call.type))
        return self._combined(call, values, place, node)

    def _meeting(self, call: PlanCall, rows: Sequence[Row], place: Place) -> Iterator[tuple[bool, Row, Possible]]:
        """The rows that can meet the condition: whether they surely do, and what they then give."""
        for other in rows:
            here = replace(place, other=other)
            holds = self.value(call.where, here) if call.where >= 0 else None
            if holds is not None and not may_be_true(holds):
                continue
            sure = holds is None or not may_be_false(holds)
            yield sure, other, self.value(call.value, here) if call.value >= 0 else ABSENT

    def _combined(
        self, call: PlanCall, values: list[tuple[bool, Row, Possible]], place: Place, node: PlanNode
    ) -> Possible:
        match call.function:
            case "count":
                sure = sum(s for s, _, _ in values)
                return Span(Fraction(min(1, sure) if call.distinct else sure), Fraction(len(values)))
            case "sum":
                parts = [span_of(v) if s else _or_zero(span_of(v)) for s, _, v in values]
                return self.box.add(parts, (1,) * len(parts))
            case "any":
                return flag(
                    any(may_be_true(v) for _, _, v in values), not any(s and not may_be_false(v) for s, _, v in values)
                )
            case "all":
                return flag(
                    not any(s and not may_be_true(v) for s, _, v in values), any(may_be_false(v) for _, _, v in values)
                )
            case "first" | "last":
                found: list[Possible] = []
                for sure_, _, v in values if call.function == "first" else reversed(values):
                    found.append(v)
                    if sure_:
                        return union(found)
                return union([*found, ABSENT])
            case "rank":
                return self._rank(call, values, place, node)
            case _:
                return self._extreme(call, values)

    def _extreme(self, call: PlanCall, values: list[tuple[bool, Row, Possible]]) -> Possible:
        sure = [v for s, _, v in values if s and not v.missing]
        every = [without_missing(v) for _, _, v in values if v != ABSENT]
        missing = not sure
        if not every:
            return ABSENT
        if isinstance(call.type, OneOf):
            return replace(union(every), missing=missing)
        chosen = self.box.least if call.function == "min" else self.box.largest
        if len(sure) == len(every):
            return chosen([span_of(v) for v in every])
        whole = span_of(union(every))
        if not sure:
            return replace(whole, missing=True, form=None)
        best = chosen([span_of(v) for v in sure])
        return Span(whole.low, best.high) if call.function == "min" else Span(best.low, whole.high)

    def _rank(self, call: PlanCall, values: list[tuple[bool, Row, Possible]], place: Place, node: PlanNode) -> Possible:
        mine = self.value(call.value, replace(place, other=place.row))
        if isinstance(call.type, OneOf) or not isinstance(mine, Span):
            return fallback(node)
        low = high = 1
        for sure, row, v in values:
            _, equal, more = self.box.order(span_of(v), mine)
            less = self.box.order(span_of(v), mine)[0]
            first = row.order < place.row.order
            can = more or (equal and first)
            cannot = less or (equal and not first)
            low += sure and can and not cannot
            high += can
        return Span(Fraction(low), Fraction(high))

    # ---- spreads ----

    def _received(self, spread: PlanSpread | None, row: Row) -> Possible:
        """The part that a row receives of what its episode gives."""
        assert spread is not None  # noqa: S101 - asked for by its name
        bounds = Span(spread.low, spread.high)
        rows = row.root.rows.get(spread.target)
        if spread.source or rows is None:
            return bounds
        what = span_of(self.value(spread.what, Place(row.root)))
        weights = [span_of(self.value(spread.by, Place(r))) for r in rows]
        if what.is_point and what.low is not None and all(w.is_point for w in weights):
            parts = allocate(what.low, [w.low or ZERO for w in weights], Fraction(1, 10**self.plan.decimals))
            if parts is None:
                raise RefusedForSureError
            return point(parts[row.number])
        return met(bounds, _or_zero(what))


def _or_zero(a: Span) -> Span:
    return Span(
        None if a.low is None else min(ZERO, a.low),
        None if a.high is None else max(ZERO, a.high),
    )


def episode(case: Case, inputs: dict[str, Possible], lists: dict[str, list[dict[str, Value]] | None]) -> Row:
    """The row of an episode, with its lists in their order."""
    row = Row(inputs)
    for spec in case.plan.lists:
        given = lists.get(spec.name)
        if given is None:
            row.rows[spec.name] = None
            continue
        rows = [Row({name: point(v) for name, v in values.items()}, spec.name, row) for values in given]
        for at, (own, values) in enumerate(zip(rows, given, strict=True), start=1):
            own.order = tuple(values[name] for name in spec.order) or (at,)
        rows.sort(key=lambda r: _sortable(r.order))
        for number, own in enumerate(rows):
            own.number = number
        row.rows[spec.name] = rows
    return row


def _sortable(order: tuple[Value, ...]) -> tuple[Any, ...]:
    return tuple((str(type(v)), v) for v in order)


__all__ = ["Case", "episode"]
