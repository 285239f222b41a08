"""Bounds of bills of which not everything is known hold for every bill that completes them, and close in when all is known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction

import pytest

from rxcalc.backends.across import Across
from rxcalc.backends.exact import Exact
from rxcalc.bill.bounds import Bounder, Bounds, Partial, group_fields
from rxcalc.bill.bounds_lookups import can_be
from rxcalc.bill.bounds_scene import of_type
from rxcalc.bill.possible import Choice, Possible, Span, is_known, point
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.plan.nodes import Plan, Value
from rxcalc.sampling.hints import Hints
from rxcalc.sampling.sample import Sample

RULEBOOKS = (
    "beijing-employee", "dian", "national-dip", "national-drg", "national-methods", "qin", "sanming", "sanming-settlement",
    "shanghai-employee@2017", "shanghai-employee@2024",
)  # fmt: skip


def nothing_before(plan: Plan) -> dict[int, Possible]:
    return {at: point(0 if c.function in ("sum", "count") else None) for at, c in enumerate(plan.calls) if c.kind == "window"}


def compiled(name: str) -> Compiled:
    found = find.rulebook(name)
    assert isinstance(found, find.Found)
    result = compile_file(found.path, found.shown, Sink())
    assert result is not None
    return result


def bills(plan: Plan, hints: Hints | None, count: int, seed: str) -> Iterator[Mapping[str, Value]]:
    """Made-up valid bills, each taken by itself."""
    found = 0
    for batch in Sample(plan, hints or Hints(), seed, without=()).batches(count):
        for bill in batch.bills:
            yield bill.values
            found += 1
            if found >= count:
                return


def holds(possible: Possible, value: Value) -> bool:
    if value is None:
        return possible.missing
    if isinstance(possible, Choice) and isinstance(value, int | Fraction) and not isinstance(value, bool):
        return possible.values is None
    return can_be(possible, value)


class Tried:
    """One rulebook, its bounds and its exact results beside each other."""

    def __init__(self, name: str, seed: int) -> None:
        self.compiled = compiled(name)
        self.plan = self.compiled.plan
        self.bounder = Bounder(self.plan)
        self.exact = Exact(self.plan)
        self.rng = random.Random(f"{name} {seed}")
        self.fields = group_fields(self.plan)
        self.reverses = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        self.widened: list[str] = []
        self.count = 0

    def groups(self) -> dict[tuple[str, str], Value]:
        """Results of groups as a settlement could have given them."""
        found: dict[tuple[str, str], Value] = {}
        for kind, field in self.fields:
            found[kind, field] = Fraction(self.rng.randint(0, 20000), 10000)
        return found

    def outcome(self, values: Mapping[str, Value], groups: Mapping[tuple[str, str], Value]) -> Mapping[str, Value] | None:
        across = Across(self.exact)
        for group in self.plan.groups:
            if not group.inside:
                across.give(group.name, [{f: v for (k, f), v in groups.items() if k == group.name}])
        result = self.exact.run(values, groups=across)
        if result.problem is not None:
            return None
        found: dict[str, Value] = {**result.shares, **result.steps}
        found |= {f"check:{at}": False for at, _ in enumerate(self.plan.checks)}
        return found | {f"check:{f.index}": True for f in result.findings}

    def partial(self, values: Mapping[str, Value], groups: Mapping[tuple[str, str], Value], unknown: set[str]) -> Partial:
        lists = {x.name: values[x.name] for x in self.plan.lists if f"list:{x.name}" not in unknown}
        given = {f"{k}.{f}": point(v) for (k, f), v in groups.items() if f"group:{k}.{f}" not in unknown}
        asked = {f"group:{k}.{f}": of_type(self.fields[k, f].type) for k, f in groups if f"group:{k}.{f}" in unknown}
        known = {i.name: values[i.name] for i in self.plan.inputs if i.name not in unknown}
        return Partial(known, lists, nothing_before(self.plan), given, asked)  # type: ignore[arg-type]

    def check(self, bounds: Bounds, found: Mapping[str, Value], told: object) -> None:
        assert not bounds.is_refused, told
        for name, possible in bounds.results.items():
            assert holds(possible, found.get(name)), (name, possible, found.get(name), told)

    def one(self, values: Mapping[str, Value], most: int) -> None:
        if self.reverses and values[self.reverses] is not None:
            return
        groups = self.groups()
        found = self.outcome(values, groups)
        if found is None:
            return
        self.count += 1
        everything = self.bounder.bounds(self.partial(values, groups, set()))
        self.check(everything, found, values)
        self.widened += [name for name, p in everything.results.items() if not is_known(p)]
        names = [i.name for i in self.plan.inputs if i.name != self.reverses]
        names += [f"list:{x.name}" for x in self.plan.lists] + [f"group:{k}.{f}" for k, f in groups]
        for share in (0.2, 0.6):
            unknown = {name for name in names if self.rng.random() < share} or {self.rng.choice(names)}
            bounds = self.bounder.bounds(self.partial(values, groups, unknown), most)
            self.check(bounds, found, (sorted(unknown), values))
            # What the bounds call open is all that can make a difference.
            closed = self.partial(values, groups, {n for n in unknown if n in bounds.open})
            again = self.bounder.bounds(closed, most)
            for name, possible in bounds.results.items():
                if is_known(possible):
                    assert is_known(again.results[name]) or isinstance(again.results[name], Span)


def tried(name: str, count: int, seed: int, most: int) -> Tried:
    one = Tried(name, seed)
    for values in bills(one.plan, one.compiled.hints, count, str(seed)):
        one.one(values, most)
    return one


@pytest.mark.parametrize("name", RULEBOOKS)
def test_exact_results_lie_within_the_bounds(name: str) -> None:
    """Whatever is left unknown of a valid bill, its exact results lie within the bounds; with nothing unknown they are the bounds."""
    found = tried(name, 12, 1, 24)
    assert found.count > 3
    assert found.widened == []


@pytest.mark.long
@pytest.mark.parametrize("name", RULEBOOKS)
def test_exact_results_of_many_bills_lie_within_the_bounds(name: str) -> None:
    """The same over many bills."""
    assert tried(name, 300, 2, 40).widened == []
