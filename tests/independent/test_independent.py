"""What an independent script must show of itself: its parts add up and none is negative."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"independent_{name}", HERE / "rulebooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


beijing = _load("beijing_employee")


def _examples(rulebook: str) -> list[dict[str, Any]]:
    """Every computed example, with all its scalars as written."""
    found = []
    for file in sorted((REPOSITORY / "rulebooks" / rulebook / "examples").glob("*.yaml")):
        found += yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    return [entry for entry in found if "rejects" not in entry]


@pytest.mark.parametrize("entry", _examples("beijing-employee"), ids=lambda entry: entry["example"])
def test_a_beijing_bill_adds_up(entry: dict[str, Any]) -> None:
    """Each bill's parts are its total, and but for what the critical illness layer takes over none is negative."""
    for bill, _, done in beijing.worked(entry).values():
        if bill is None:
            continue
        parts = {name: x for name, x in done.amounts.items() if name.startswith(("fund.", "patient."))}
        assert sum(parts.values()) == bill.total
        assert done.amounts["patient_pays"] >= bill.total - bill.in_scope
        relief = parts.pop("patient.critical_illness")
        assert relief == -parts["fund.critical_illness"]
        assert min(parts.values()) >= 0


def test_the_first_fens_above_the_cap_leave_no_negative_part() -> None:
    """Fen by fen above the cost that exhausts the cap, no part of the person's share is negative."""
    for person_class in ("active", "retired"):
        for level in beijing.ACTIVE_PART:
            full = Fraction(60_000)
            at_cap = beijing.settle(beijing.Bill(person_class, level, full, full), beijing.Before(1)).amounts
            before = beijing.Before(1, beijing.POOL_CAP - at_cap["pool_pays"])
            for fen in range(1, 400):
                scope = full + Fraction(fen, 100)
                got = beijing.settle(beijing.Bill(person_class, level, scope, scope), before).amounts
                assert got["pool_pays"] == at_cap["pool_pays"]
                assert got["patient.large_amount_own"] >= 0
                assert got["patient.coinsurance"] >= 0
