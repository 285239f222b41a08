"""Runs the examples and generated rulebooks with one fault in place; says in JSON what caught it, if anything did."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from faults import FAULTS, SOURCE, install

EPISODES = 40
STEP = 4


def examples() -> str:
    """The first shipped or worked example that fails, or ""."""
    import worked

    from rxcalc.diagnostics.model import Sink
    from rxcalc.driver import find
    from rxcalc.driver.examples import run_examples

    different = worked.wrong()
    if different:
        return f"a worked example: {different[0]}"
    for name in ("qin", "beijing-employee"):
        found = find.rulebooks(str(SOURCE / "rulebooks" / name))
        if isinstance(found, find.NotFound):
            return f"no rulebook {name}"
        for file in found:
            report = run_examples(file, Sink())
            failed = next((r for r in report.results if not r.passed), None)
            if report.compiled is None or failed is not None:
                return f"an example of {name}: {failed.name if failed else 'it does not compile'}"
    return ""


def main(place: int, rulebooks: int) -> dict[str, object]:
    """What caught the fault, and after how many pairs; `place` -1 puts no fault in."""
    if place >= 0:
        install(FAULTS[place])
    from compare import Run, many

    run = Run()
    by = ""
    first = ""
    try:
        for start in range(0, rulebooks, STEP):
            many(range(start, start + STEP), EPISODES, run)
            if run.differences or run.unread:
                by, first = "generated", [*run.differences, *run.unread][0]
                break
    except Exception:  # noqa: BLE001 - any traceback is a catch
        by, first = "generated (traceback)", traceback.format_exc().strip().splitlines()[-1]
    try:
        example = "" if by else examples()
    except Exception:  # noqa: BLE001 - as above
        example = "traceback: " + traceback.format_exc().strip().splitlines()[-1]
    return {"by": by, "pairs": run.reached["pairs"], "first": first[:200], "examples": example[:200]}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - the answer
