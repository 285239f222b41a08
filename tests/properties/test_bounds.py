"""Bounds of bills of which not everything is known hold for every bill that completes them, and close in when all is known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import compare
import generate
import levels
import pytest
import test_levels
from episodes import Hunter

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.bill.bounds import Bounder, Bounds, Partial, group_fields
from rxcalc.bill.bounds_lookups import can_be
from rxcalc.bill.bounds_scene import of_type
from rxcalc.bill.possible import Choice, Possible, is_known, point
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.plan.nodes import Plan, Value, share_names
from rxcalc.sampling.hints import Hints
from rxcalc.sampling.sample import Sample

RULEBOOKS = (
    "beijing-employee", "dian", "national-dip", "national-drg", "national-methods", "qin", "sanming", "sanming-settlement",
    "shanghai-employee@2017", "shanghai-employee@2024",
)  # fmt: skip


def nothing_before(plan: Plan) -> dict[int, Possible]:
    return {
        at: point(0 if c.function in ("sum", "count") else None)
        for at, c in enumerate(plan.calls)
        if c.kind == "window"
    }


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
        self.others = 0
        self.before: Mapping[str, Value] = {}

    def groups(self) -> dict[tuple[str, str], Value]:
        """Results of groups as a settlement could have given them."""
        found: dict[tuple[str, str], Value] = {}
        for kind, field in self.fields:
            found[kind, field] = Fraction(self.rng.randint(0, 20000), 10000)
        return found

    def outcome(
        self, values: Mapping[str, Value], groups: Mapping[tuple[str, str], Value]
    ) -> Mapping[str, Value] | None:
        """The results of a bill; None where it is refused."""
        given = {
            g.name: [{f: v for (k, f), v in groups.items() if k == g.name}] for g in self.plan.groups if not g.inside
        }
        result = run_all(self.exact, [Row(0, "", values)], {}, given=given).ran[0].outcome
        if result is None or result.problem is not None:
            return None
        found: dict[str, Value] = {**result.shares, **result.steps}
        found |= {f"check:{at}": False for at, _ in enumerate(self.plan.checks)}
        return found | {f"check:{f.index}": True for f in result.findings}

    def partial(
        self, values: Mapping[str, Value], groups: Mapping[tuple[str, str], Value], unknown: set[str]
    ) -> Partial:
        """The bill with some of it unknown."""
        lists = {x.name: values[x.name] for x in self.plan.lists if f"list:{x.name}" not in unknown}
        given = {f"{k}.{f}": point(v) for (k, f), v in groups.items() if f"group:{k}.{f}" not in unknown}
        asked = {f"group:{k}.{f}": of_type(self.fields[k, f].type) for k, f in groups if f"group:{k}.{f}" in unknown}
        known = {i.name: values[i.name] for i in self.plan.inputs if i.name not in unknown}
        return Partial(known, lists, nothing_before(self.plan), given, asked)  # type: ignore[arg-type]

    def check(self, bounds: Bounds, found: Mapping[str, Value], told: object) -> None:
        """Fails where a result lies outside."""
        assert not bounds.is_refused, told
        for name, possible in bounds.results.items():
            assert holds(possible, found.get(name)), (name, possible, found.get(name), told)

    def one(self, values: Mapping[str, Value], most: int) -> None:
        """Tries one valid bill."""
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
        before, self.before = self.before, values
        names = [i.name for i in self.plan.inputs if i.name != self.reverses]
        names += [f"list:{x.name}" for x in self.plan.lists] + [f"group:{k}.{f}" for k, f in groups]
        for share in (0.2, 0.6):
            unknown = {name for name in names if self.rng.random() < share} or {self.rng.choice(names)}
            bounds = self.bounder.bounds(self.partial(values, groups, unknown), most)
            self.check(bounds, found, (sorted(unknown), values))
            # Another bill that agrees in what is known: some of the unknown as in the bill before.
            other = {**values, **{n: before[n] for n in unknown if n in before and self.rng.random() < 0.5}}
            also = self.outcome(other, groups)
            if also is not None:
                self.others += 1
                self.check(bounds, also, (sorted(unknown), other))


def tried(name: str, count: int, seed: int, most: int) -> Tried:
    one = Tried(name, seed)
    for values in bills(one.plan, one.compiled.hints, count, str(seed)):
        one.one(values, most)
    return one


@pytest.mark.parametrize("name", RULEBOOKS)
def test_exact_results_lie_within_the_bounds(name: str) -> None:
    """Whatever is left unknown of a valid bill, its exact results lie within the bounds; with nothing unknown they are the bounds."""
    found = tried(name, 6, 1, 12)
    assert found.count > 2
    assert found.widened == []


@pytest.mark.long
@pytest.mark.parametrize("name", RULEBOOKS)
def test_exact_results_of_many_bills_lie_within_the_bounds(name: str) -> None:
    """The same over many bills, and bills mixed from two."""
    found = tried(name, 30, 2, 16)
    assert found.widened == []
    assert found.others > 6


def _checked(b: Bounder, known: Partial, most: int, found: Mapping[str, Value], told: object) -> int:
    """How many results lie within their bounds, which is all of them."""
    bounds = b.bounds(known, most)
    assert not bounds.is_refused, told
    own = {name: p for name, p in bounds.results.items() if name in found}
    for name, possible in own.items():
        assert holds(possible, found[name]), (name, possible, found[name], told)
    return len(own)


def _generated(seeds: range, count: int, folder: Path) -> int:
    """Bounds of every step of generated rulebooks against the exact results of episodes at their boundaries."""
    checked = 0
    for seed in seeds:
        plan, _ = compare.compiled(generate.rulebook(seed), folder / str(seed))
        if plan is None:
            continue
        b, exact, rng = Bounder(plan), Exact(plan), random.Random(seed)
        b.goals = tuple(dict.fromkeys((*(s.name for s in plan.steps if not s.lazy), *share_names(plan))))
        reverses = plan.sequence.reverses if plan.sequence is not None else ""
        for episode in Hunter(plan, seed).episodes(count):
            result = exact.run(episode)
            if result.problem is not None or (reverses and episode[reverses] is not None):
                continue
            found = {**result.shares, **result.steps}
            names = [i.name for i in plan.inputs]
            everything = Partial({n: episode[n] for n in names}, {}, nothing_before(plan))
            assert all(map(is_known, b.bounds(everything, 1).results.values())), (seed, episode)
            for share in (0.0, 0.2, 0.6):
                unknown = {n for n in names if n != reverses and rng.random() < share}
                known = Partial({n: episode[n] for n in names if n not in unknown}, {}, nothing_before(plan))
                checked += _checked(b, known, 8, found, (seed, sorted(unknown), episode))
    return checked


def test_bounds_hold_on_generated_rulebooks(tmp_path: Path) -> None:
    """The bounds hold for every step of generated rulebooks, which use every operation."""
    assert _generated(range(9_200, 9_208), 3, tmp_path) > 100


@pytest.mark.long
def test_bounds_hold_on_many_generated_rulebooks(tmp_path: Path) -> None:
    """The same on more of them."""
    assert _generated(range(9_300, 9_350), 8, tmp_path) > 4_000


def _leveled(seeds: range, count: int, folder: Path) -> int:
    """The same for generated rulebooks with lists, spreads and groups, each bill alone in its groups."""
    checked = 0
    for seed in seeds:
        plan = test_levels.plan_of(levels.Writer(seed).write(), folder)
        b, exact, rng = Bounder(plan), Exact(plan), random.Random(seed)
        b.goals = tuple(dict.fromkeys((*(s.name for s in plan.steps if not s.lazy), *share_names(plan))))
        for episode in levels.Maker(seed).episodes(count):
            result = run_all(exact, [Row(0, str(episode["episode_id"]), episode)], {}).ran[0].outcome
            if result is None or result.problem is not None:
                continue
            names = [i.name for i in plan.inputs]
            for share in (0.0, 0.2, 0.6):
                unknown = {n for n in (*names, "lines") if rng.random() < share}
                lists = {} if "lines" in unknown else {"lines": episode["lines"]}
                known = Partial({n: episode[n] for n in names if n not in unknown}, lists, nothing_before(plan))
                found = {**result.shares, **result.steps}
                checked += _checked(b, known, 8, found, (seed, sorted(unknown), episode))
    return checked


def test_bounds_hold_with_lists_and_groups(tmp_path: Path) -> None:
    """The bounds hold for rulebooks with lists, rows above, ranks, spreads and groups."""
    assert _leveled(range(8), 4, tmp_path) > 100


@pytest.mark.long
def test_bounds_hold_with_many_lists_and_groups(tmp_path: Path) -> None:
    """The same on more of them."""
    assert _leveled(range(100, 150), 12, tmp_path) > 2_000
