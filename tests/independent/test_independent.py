"""The shipped examples against the scripts that work them out a second time."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"independent_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


qin = _load("qin")
beijing = _load("beijing")


def _examples(rulebook: str) -> list[dict[str, Any]]:
    """Every computed example, with all its scalars as written."""
    found = []
    for file in sorted((REPOSITORY / "rulebooks" / rulebook / "examples").glob("*.yaml")):
        found += yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    return [entry for entry in found if "rejects" not in entry]


def _as_fraction(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def _differences(expected: dict[str, str], got: dict[str, Fraction]) -> list[str]:
    wrong = []
    for name, text in expected.items():
        if name == "admission":
            continue
        if got[name] != _as_fraction(text):
            wrong.append(f"{name}: the example says {text}, the script {float(got[name]):.6f}")
    return wrong


@pytest.mark.parametrize("entry", _examples("qin"), ids=lambda entry: entry["example"])
def test_a_qin_example_is_what_the_script_says(entry: dict[str, Any]) -> None:
    """Each Qin example's amounts are those of the independent script, and its shares add up."""
    episode = entry["episode"]
    got = qin.settle(
        episode["level"],
        Fraction(episode["total_cost"]),
        referred=episode["referred"] == "yes",
        emergency=episode["emergency"] == "yes",
    )
    assert _differences(entry["expect"], got) == []
    parts = sum(amount for name, amount in got.items() if name.startswith("patient."))
    assert got["fund_pays"] + parts == Fraction(episode["total_cost"])


def _beijing_bills(entry: dict[str, Any]) -> Iterator[tuple[dict[str, str], dict[str, str], Any]]:
    """The example's bills in order of discharge, each with what is expected and what its year held before."""
    listed = [(item["episode"], item.get("expect", {})) for item in entry.get("earlier", [])]
    listed += [(item["episode"], item["expect"]) for item in entry.get("episodes", [])]
    if "episode" in entry:
        listed.append((entry["episode"], entry["expect"]))
    opening = entry.get("so_far", {})
    years: dict[tuple[str, str], Any] = {}
    for episode, expected in sorted(listed, key=lambda pair: (pair[0]["discharge_date"], pair[0]["episode_id"])):
        year = (episode["person_id"], episode["discharge_date"][:4])
        before = years.get(year)
        if before is None:
            before = beijing.Before(
                int(opening.get("this_year.count()", "0")),
                Fraction(opening.get("this_year.sum(pool_pays)", "0")),
                Fraction(opening.get("this_year.sum(large_amount_pays)", "0")),
            )
        yield episode, expected, before
        got = _beijing_amounts(episode, before)
        years[year] = beijing.Before(
            before.admissions + 1, before.pool + got["pool_pays"], before.large + got["large_amount_pays"]
        )


def _beijing_amounts(episode: dict[str, str], before: Any) -> dict[str, Fraction]:
    amounts: dict[str, Fraction] = beijing.settle(
        episode["person_class"], episode["level"], Fraction(episode["total"]), Fraction(episode["in_scope"]), before
    )
    return amounts


@pytest.mark.parametrize("entry", _examples("beijing-employee"), ids=lambda entry: entry["example"])
def test_a_beijing_example_is_what_the_script_says(entry: dict[str, Any]) -> None:
    """Each Beijing example's amounts are those of the independent script; its shares add up and none is negative."""
    for episode, expected, before in _beijing_bills(entry):
        got = _beijing_amounts(episode, before)
        assert _differences(expected, got) == []
        if "admission" in expected:
            assert expected["admission"] == ("later" if before.admissions else "first")
        parts = [amount for name, amount in got.items() if name.startswith("patient.")]
        assert got["fund_pays"] + sum(parts) == Fraction(episode["total"])
        assert min(parts) >= 0


def test_the_first_fens_above_the_cap_leave_no_negative_part() -> None:
    """Fen by fen above the cost that exhausts the cap, no part of the person's share is negative."""
    for person_class in ("active", "retired"):
        for level in beijing.ACTIVE_PART:
            full = Fraction(60_000)
            at_cap = beijing.settle(person_class, level, full, full, beijing.Before(1))
            before = beijing.Before(1, beijing.POOL_CAP - at_cap["pool_pays"])
            for fen in range(1, 400):
                scope = full + Fraction(fen, 100)
                got = beijing.settle(person_class, level, scope, scope, before)
                assert got["pool_pays"] == at_cap["pool_pays"]
                assert got["patient.large_amount_own"] >= 0
                assert got["patient.coinsurance"] >= 0
