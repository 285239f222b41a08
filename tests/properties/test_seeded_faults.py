"""Small faults put into either back end, one at a time, are caught by the differential test or by examples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import worked
from faults import BOTH, COLUMNAR, EXACT, FAULTS, Fault

WORKER = Path(__file__).with_name("fault_worker.py")
RULEBOOKS = 300


def _run(place: int, rulebooks: int) -> dict[str, Any]:
    command = [sys.executable, str(WORKER), str(place), str(rulebooks)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_every_fault_has_exactly_one_place() -> None:
    """The list of faults fits the sources as they are, so that no fault is lost silently."""
    for fault in FAULTS:
        text = fault.path.read_text(encoding="utf-8")
        assert fault.applied(text) != text
        compile(fault.applied(text), str(fault.path), "exec")
    assert len(COLUMNAR) >= 18
    assert len(EXACT) >= 12
    assert len(COLUMNAR) + len(EXACT) + len(BOTH) >= 30


def test_the_worked_bills_are_as_worked_out() -> None:
    """Both back ends give the amounts, counts and periods that were worked out by hand."""
    assert worked.wrong() == []


@pytest.mark.long
def test_without_a_fault_nothing_is_caught() -> None:
    """The sound program passes what the faulty ones are put through."""
    found = _run(-1, 12)
    assert (found["by"], found["examples"]) == ("", "")


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(FAULTS)), ids=[f"{f.module.rpartition('.')[2]}: {f.what}" for f in FAULTS])
def test_a_fault_is_caught(place: int) -> None:
    """One fault: some generated pair differs between the back ends, or else a worked or shipped example fails."""
    fault: Fault = FAULTS[place]
    found = _run(place, 4 if fault in BOTH else RULEBOOKS)
    caught = found["by"] or ("examples" if found["examples"] else "nothing")
    seen = found["first"] or found["examples"]
    print(f"\n{fault.module}: {fault.what} -> {caught} after {found['pairs']} pairs; {seen}")  # noqa: T201 - the table
    assert found["by"] or found["examples"], f"not caught in {found['pairs']} pairs, nor by an example"
