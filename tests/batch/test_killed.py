"""A run over a million rows killed at a hundred places: the old results or the new ones, whole; `--resume` gives the same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ROWS = 1_000_000
STATELESS = """
rxcalc: 1
rulebook: stateless
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharge_date}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  person_class: {one_of: [active, retired]}
  level: {one_of: [level_1, level_2, level_3]}
  discharge_date: {type: date}
  total: {type: money}
  in_scope: {type: money}
parameters:
  rate: {type: percent, status: illustrative, by: level, values: {2025-01-01: {level_1: 90%, level_2: 85%, level_3: 80%}}}
steps:
  fund: {rule: "in_scope * rate[level]"}
  patient: {rule: total - fund}
outputs: [fund, patient]
"""
PLACES = {"write": 12, "note": 7, "aside": 7, "sync": 12, "mode": 6, "rename": 6}  # 50 for each rulebook


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, made once."""
    spec = importlib.util.spec_from_file_location("long_file", ROOT / "tests" / "bench" / "long_file.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    path = tmp_path_factory.mktemp("killed") / "in.csv"
    maker.main(ROWS, path)
    return path


def run(*arguments: str, killed: tuple[str, str, str] | None = None) -> subprocess.CompletedProcess[str]:
    worker = [str(HERE / "killed_worker.py"), *killed, "--"] if killed is not None else ["-m", "rxcalc"]
    return subprocess.run(
        [sys.executable, *worker, "batch", *arguments, "--no-progress"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def spread(count: int, wanted: int) -> list[tuple[int, str]]:
    """So many of `count` calls, from the first to the last, before, in the middle of and after them."""
    where = ("middle", "before", "after")
    if count * 2 <= wanted:
        return [(at, when) for at in range(1, count + 1) for when in ("before", "after")]
    return [(1 + at * (count - 1) // (wanted - 1), where[at % 3]) for at in range(wanted)]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["stateless", "windows"])
def test_a_killed_run_goes_on_to_the_same_bytes(kind: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(STATELESS, encoding="utf-8")
    rulebook = "beijing-employee" if kind == "windows" else str(tmp_path / "r.yaml")
    out = tmp_path / "out.csv"
    command = (str(source), "-r", rulebook, "-o", str(out))
    assert run(*command).returncode == 0  # the compiled rulebook is in the cache from here on
    counted = run(*command, killed=("count", "-", "-"))
    assert counted.returncode == 0, counted.stderr
    counts = Counter(line.split()[1] for line in counted.stderr.splitlines() if line.startswith("step "))
    wanted = digest(out)
    files = sorted(path.name for path in tmp_path.iterdir())
    fell: Counter[str] = Counter()
    early = 0
    for step, places in PLACES.items():
        for at, when in spread(counts[step], places):
            out.write_text("old", encoding="utf-8")
            killed = run(*command, killed=(step, str(at), when))
            assert killed.returncode == -signal.SIGKILL, (step, at, when, killed.stderr)
            old = out.stat().st_size == 3
            assert old or digest(out) == wanted, (step, at, when)
            resumed = run(*command, "--resume")
            assert resumed.returncode == 0, (step, at, when, resumed.stderr)
            assert digest(out) == wanted, (step, at, when)
            assert sorted(path.name for path in tmp_path.iterdir()) == files, (step, at, when)
            fell[step] += 1
            early += old
    print(f"\n{kind}: killed at {sum(fell.values())} places: {dict(fell)}; old results in {early} of them")  # noqa: T201 the count is wanted
    assert sum(fell.values()) >= 40
