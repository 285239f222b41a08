"""Runs the examples and generated rulebooks with one fault in place; says in JSON what caught it, if anything did."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backends"))
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from faults import FAULTS, LEVELS, LOOKING_BACK, SOURCE, install

EPISODES = 40
HISTORIES = range(400, 424)
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
    for folder in sorted((SOURCE / "tests" / "cases" / "runs").glob("window*")):
        report = run_examples(find.Found(folder / "rulebook.yaml", f"{folder.name}/rulebook.yaml"), Sink())
        failed = next((r for r in report.results if not r.passed), None)
        if failed is not None:
            return f"a case of {folder.name}: {failed.name}"
    return _histories()


def _histories() -> str:
    """The first random history that the independent script works out otherwise, or ""."""
    file = SOURCE / "tests" / "independent" / "test_windows.py"
    spec = importlib.util.spec_from_file_location("independent_test_windows", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        try:
            module.compare(range(24), 30, Path(folder))
        except AssertionError as different:
            return f"a random history: {str(different)[:120]}"
    return ""


def looked_back() -> tuple[str, int]:
    """The first random history of a plan made by hand in which the back ends differ, or "", and how many rows it took."""
    from histories import WINDOWS, compared

    met: Counter[str] = Counter()
    for seed in HISTORIES:
        for kind in WINDOWS:
            differences = compared(kind, seed, EPISODES, met)
            if differences:
                return differences[0], met["rows"]
    return "", met["rows"]


def leveled() -> tuple[str, int]:
    """The first rulebook with lists that the back ends differ on, the first example of the atlas that fails, or ""."""
    from bills import agrees
    from levels import Maker, Writer
    from test_levels import plan_of

    from rxcalc.diagnostics.model import Sink
    from rxcalc.driver import find
    from rxcalc.driver.examples import run_examples

    rows = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(5000, 5024):
            plan = plan_of(Writer(seed, windows=False, groups=False).write(), Path(folder))
            try:
                agrees(plan, Maker(seed).episodes(EPISODES))
            except AssertionError as different:
                return str(different)[:160], rows
            rows += EPISODES
    for rulebook in sorted((SOURCE / "tests" / "cases" / "atlas").iterdir()):
        report = run_examples(find.Found(rulebook / "rulebook.yaml", f"{rulebook.name}/rulebook.yaml"), Sink())
        failed = next((r for r in report.results if not r.passed), None)
        if failed is not None:
            return f"an example of {rulebook.name}: {failed.name}", rows
    return "", rows


def main(place: int, rulebooks: int) -> dict[str, object]:
    """What caught the fault, and after how many pairs; `place` -1 puts no fault in."""
    if place >= 0:
        install(FAULTS[place])
    from compare import Run, many

    run = Run()
    by = ""
    first = ""
    try:
        if place < 0 or FAULTS[place].module in LOOKING_BACK:
            first, run.reached["pairs"] = looked_back()
            if first:
                return {"by": "histories", "pairs": run.reached["pairs"], "first": first[:200], "examples": ""}
        if place < 0 or FAULTS[place] in LEVELS:
            first, run.reached["pairs"] = leveled()
            if first:
                return {"by": "levels", "pairs": run.reached["pairs"], "first": first[:200], "examples": ""}
        for start in range(0, rulebooks if place < 0 or FAULTS[place] not in LEVELS else 0, STEP):
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
