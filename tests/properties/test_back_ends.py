"""Generated rulebooks and episodes: the exact and the columnar back end agree to the minor unit, row by row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest
from compare import Run, many

FOUND_BEFORE = (8, 320)
"""Seeds that once showed a difference or a traceback."""

QUICK = range(5_000, 5_050)
FULL = range(600)
EPISODES = 40

LEAST: Mapping[str, int] = {
    "rulebooks": 300,
    "pairs": 10_000,
    "ties at half a minor unit": 1_000,
    "ties at half a fen": 500,
    "ties half-up": 100,
    "ties half-even": 100,
    "ties half-down": 100,
    "ties up": 100,
    "ties down": 100,
    "ties below zero": 30,
    "roundings below zero": 300,
    "zero amounts": 1_000,
    "results of zero": 1_000,
    "amounts at the declared maximum": 1_000,
    "band edges": 200,
    "band edges + 1 minor unit": 100,
    "band edges - 1 minor unit": 100,
    "empty or reversed ranges": 500,
    "rates mapped": 500,
    "inverse of bands inside": 100,
    "inverse of bands at its end": 100,
    "points of a curve": 50,
    "last day of a period": 300,
    "first day of a period": 300,
    "first admissions": 1_000,
    "later admissions": 1_000,
    "rows in no window": 100,
    "missing values": 1_000,
    "missing results": 500,
    "refused rows": 1_000,
    "refused BAD": 30,
    "refused RX711": 20,
    "refused RX712": 20,
    "refused RX715": 10,
    "refused RX716": 10,
    "refused RX721": 50,
    "refused RX722": 50,
    "refused RX723": 50,
    "refused RX731": 20,
    "refused RX801": 20,
    "refused RX802": 20,
    "refused RX803": 20,
    "refused RX811": 300,
    "computed rows": 5_000,
    "nodes of 128 bits": 100,
    "steps of 128 bits": 50,
    "steps left to exact": 50,
    "steps held as quotients": 10,
}


def _shown(run: Run, seconds: float) -> str:
    lines = [f"{count:9,d}  {what}" for what, count in sorted(run.reached.items())]
    tried = run.reached["rulebooks"] + run.reached["rulebooks that do not compile"]
    lines.append(f"{100 * run.reached['rulebooks'] / tried:8.1f}%  of the rulebooks compile")
    return "\n".join([*lines, f"{seconds:8.1f}s"])


def _judged(seeds: Sequence[int], least: Mapping[str, int]) -> None:
    start = time.perf_counter()
    run = many(seeds, EPISODES)
    print("\n" + _shown(run, time.perf_counter() - start))  # noqa: T201 - what a run reached is part of its result
    assert run.differences == [], "\n".join(run.differences[:20])
    assert run.unread == []
    tried = run.reached["rulebooks"] + run.reached["rulebooks that do not compile"]
    assert run.reached["rulebooks"] >= 0.9 * tried
    short = {what: (run.reached[what], count) for what, count in least.items() if run.reached[what] < count}
    assert short == {}, f"reached too seldom: {short}"


def test_the_back_ends_agree_on_some_generated_rulebooks() -> None:
    """Fifty rulebooks with forty episodes each give the same amounts and refusals on both back ends."""
    everyday = {"ties at half a minor unit": 100, "band edges": 20, "refused RX811": 50, "later admissions": 100}
    _judged([*FOUND_BEFORE, *QUICK], {"pairs": 1_500, **everyday})


@pytest.mark.long
def test_the_back_ends_agree_wherever_the_generators_lead() -> None:
    """Over 10,000 pairs, with every kind of tie, edge and refusal reached often, no row differs."""
    _judged(FULL, LEAST)
