"""What the plan claims holds: proven ranges and scales of every node, and plans written and read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path

import generate
import pytest
from compare import compiled
from episodes import Hunter

from rxcalc.backends import exact as exact_module
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import in_order, run_sequence
from rxcalc.plan.codec import decode, encode
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tracing.model import Recorder


def _everything(plan: Plan, episodes: list[Mapping[str, Value]]) -> list[Recorder]:
    """Recorders that saw every evaluated node of every episode."""
    exact = Exact(plan, recording=True)
    recorders = [Recorder() for _ in episodes]
    by: dict[Value, list[tuple[int, Mapping[str, Value]]]] = {}
    for at, e in enumerate(episodes):
        by.setdefault(e[plan.sequence.by] if plan.sequence else at, []).append((at, e))
    for mine in by.values():
        ordered = in_order(plan, mine)
        run_sequence(exact, [e for _, e in ordered], recorders=[recorders[at] for at, _ in ordered])
    return recorders


def _check(seeds: range, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(exact_module, "_shown_nodes", lambda plan: frozenset(range(len(plan.nodes))))
    values = 0
    for seed in seeds:
        made = generate.rulebook(seed)
        plan, _ = compiled(made, folder / str(seed))
        if plan is None:
            continue
        for recorder in _everything(plan, Hunter(plan, seed).episodes(count)):
            for index, value in recorder.nodes.items():
                node = plan.nodes[index]
                if value is None:
                    assert node.missing, (seed, node.text)
                number = Fraction(value.toordinal()) if isinstance(value, date) else value
                if not isinstance(number, int | Fraction) or isinstance(number, bool):
                    continue
                values += 1
                assert node.low is None or number >= node.low, (seed, node.text, number, node.low)
                assert node.high is None or number <= node.high, (seed, node.text, number, node.high)
                assert not node.scale or (Fraction(number) * node.scale).denominator == 1, (
                    seed,
                    node.text,
                    number,
                    node.scale,
                )
            for trace in recorder.steps:
                step = next(s for s in plan.steps if s.name == trace.name)
                if isinstance(trace.value, int | Fraction) and not isinstance(trace.value, bool):
                    assert step.low is None or trace.value >= step.low, (seed, step.name)
                    assert step.high is None or trace.value <= step.high, (seed, step.name)
    return values


def test_ranges_and_scales_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value seen at a node lies in its proven range, is whole at its proven scale, and is missing only where it may be."""
    assert _check(range(9_000, 9_040), 15, tmp_path, monkeypatch) > 5_000


@pytest.mark.long
def test_ranges_and_scales_hold_at_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on more rulebooks."""
    assert _check(range(9_100, 9_250), 30, tmp_path, monkeypatch) > 50_000


def test_plans_survive_writing(tmp_path: Path) -> None:
    """A plan written as JSON and read back is the same plan."""
    for seed in range(9_500, 9_530):
        plan, _ = compiled(generate.rulebook(seed), tmp_path / str(seed))
        if plan is not None:
            assert decode(encode(plan)) == plan
