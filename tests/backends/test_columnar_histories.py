"""Every kind of window with every kind of call over random histories: waves of columns against the plain definition."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from histories import WINDOWS, compared

import rxcalc.passes.earlier

LEAST: Mapping[str, int] = {
    "plans": 500,
    "rows": 20_000,
    "computed rows": 10_000,
    "marked rows": 500,
    "rows looked at again": 300,
    "persons computed alone": 100,
    "call accumulated": 500,
    "call totals": 150,
    "call pairs": 500,
    "call because its condition or value reads this episode": 300,
    "call because its condition compares two fields": 5,
    "call because what it finds rolls out of the window": 100,
    "call because the order does not begin with seen": 50,
    "call because the order does not begin with on": 10,
    "refused RX711": 30,
    "refused RX724": 30,
    "refused RX731": 100,
    "refused RX803": 30,
    "refused RX811": 1_000,
    "refused RX818": 50,
}


def judged(seeds: Sequence[int], count: int, least: Mapping[str, int]) -> None:
    start = time.perf_counter()
    met: Counter[str] = Counter()
    differences = [told for kind in WINDOWS for seed in seeds for told in compared(kind, seed, count, met)]
    lines = [f"{count:9,d}  {what}" for what, count in sorted(met.items())]
    print("\n" + "\n".join([*lines, f"{time.perf_counter() - start:8.1f}s"]))  # noqa: T201 - what was reached
    assert differences == [], "\n".join(differences[:20])
    short = {what: (met[what], count) for what, count in least.items() if met[what] < count}
    assert short == {}, f"reached too seldom: {short}"


def test_the_back_ends_agree_on_some_histories() -> None:
    """Three random plans for every kind of window, with refused rows, ties and shuffled files."""
    judged(range(3), 40, {"computed rows": 1_000, "call pairs": 50, "call totals": 10, "refused RX811": 100})


def test_pairs_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes when only a few pairs are held at once."""
    monkeypatch.setattr(rxcalc.passes.earlier, "PAIRS", 15)
    judged([100], 60, {"call pairs": 10})


@pytest.mark.long
def test_the_back_ends_agree_on_many_histories() -> None:
    """Five hundred random plans, with every situation reached often."""
    judged(range(10_000, 10_034), 50, LEAST)
