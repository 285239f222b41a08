"""Lists, groups and windows in generated rulebooks: every path to a result gives the same one."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import levels
import pytest
from bills import agrees

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import Together, run_all
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan
from rxcalc.tracing.model import Recorder

SEEDS = range(40)


def plan_of(made: levels.Made, folder: Path) -> Plan:
    """The plan of a generated rulebook, which must compile."""
    path = folder / f"{made.seed}.yaml"
    path.write_text(made.text, encoding="utf-8")
    sink = Sink()
    found = compile_file(path, path.name, sink)
    errors = [f"{d.code} {d.message}" for d in sink if d.severity is Severity.ERROR]
    assert found is not None, (made.text, errors)
    return found.plan


def told(together: Together) -> dict[str, object]:
    """All results by episode and group."""
    found: dict[str, object] = {}
    for ran in together.ran:
        o = ran.outcome
        assert o is not None
        lines = [(dict(row.inputs), dict(row.steps)) for row in o.lists["lines"]]
        problem = o.problem.code if o.problem is not None else ""
        found[ran.row.name] = problem or (dict(o.steps), dict(o.shares), lines, o.incomplete)
    for g in together.groups:
        found[f"{g.kind} {g.inputs}"] = g.problem.code if g.problem else (dict(g.steps), g.members, g.rejected)
    return found


def _pairs(seed: int, folder: Path, reached: Counter[str]) -> None:
    made = levels.Writer(seed).write()
    plan = plan_of(made, folder)
    episodes = levels.Maker(seed).episodes(40)
    exact = Exact(plan)
    rows = [Row(at, str(e["episode_id"]), e) for at, e in enumerate(episodes)]
    first = told(run_all(exact, rows, {}))
    reached["rulebooks"] += 1
    reached["refused"] += sum(isinstance(x, str) for x in first.values())
    reached["computed"] += sum(isinstance(x, tuple) for x in first.values())
    # With the recorder, with the episodes and the lines in another order: the same.
    recorded = run_all(Exact(plan, recording=True), rows, {}, recorders={r.number: Recorder() for r in rows})
    assert told(recorded) == first
    r = Random(seed)
    mixed = [
        Row(at, str(e["episode_id"]), levels.shuffled(e, r)) for at, e in enumerate(r.sample(episodes, len(episodes)))
    ]
    assert told(run_all(exact, mixed, {})) == first
    for ran in run_all(exact, rows, {}).ran:
        o = ran.outcome
        if o is not None and o.problem is None and o.lists["lines"] and "part" in o.lists["lines"][0].steps:
            parts = [row.steps["part"] for row in o.lists["lines"]]
            assert sum(Fraction(p) for p in parts if isinstance(p, int | Fraction)) == o.steps["whole"]
            reached["spreads that add up"] += 1


def test_every_order_and_the_recorder_give_the_same(tmp_path: Path) -> None:
    """Exact results do not depend on the order of episodes or lines, nor on being explained."""
    reached: Counter[str] = Counter()
    for seed in SEEDS:
        _pairs(seed, tmp_path, reached)
    assert reached["computed"] > 1000
    assert reached["spreads that add up"] > 300


@pytest.mark.long
def test_many_more(tmp_path: Path) -> None:
    """The same over many more seeds."""
    reached: Counter[str] = Counter()
    for seed in range(1000, 1150):
        _pairs(seed, tmp_path, reached)
    assert reached["computed"] > 3_500


def _columns(seed: int, folder: Path, *, windows: bool, reached: Counter[str]) -> None:
    """One rulebook without groups across bills on both back ends."""
    plan = plan_of(levels.Writer(seed, windows=windows, groups=False).write(), folder)
    bills = levels.Maker(seed).episodes(60)
    result = agrees(plan, bills)
    reached["bills"] += len(bills)
    reached["looked at by exact"] += len(result.flagged)


@pytest.mark.parametrize("windows", [False, True])
def test_columns_give_the_same(tmp_path: Path, windows: bool) -> None:
    """The columns give what the exact evaluator gives, to the minor unit, refused rows included."""
    reached: Counter[str] = Counter()
    for seed in range(2000, 2012):
        _columns(seed, tmp_path, windows=windows, reached=reached)
    assert reached["looked at by exact"] < reached["bills"] / 2


@pytest.mark.long
@pytest.mark.parametrize("windows", [False, True])
def test_columns_give_the_same_many_times(tmp_path: Path, windows: bool) -> None:
    """The same over many more rulebooks."""
    reached: Counter[str] = Counter()
    for seed in range(3000, 3090):
        _columns(seed, tmp_path, windows=windows, reached=reached)
    assert reached["bills"] == 5400
