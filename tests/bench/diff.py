#!/usr/bin/env python3
"""Two rulebooks over the same bills against one batch, whole processes, in turn.

usage: diff.py EPISODES.csv [--runs 3]; the file is made by `gen.py 1e6 EPISODES.csv`

Times `rxcalc diff OLD NEW EPISODES` (totals, winners and losers, distribution; no attribution), where NEW is the policy of
`run.py csv` with a deductible and a rate changed, and `rxcalc batch` of the same file with OLD. Prints the ratio of medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLICY = Path(__file__).resolve().parent / "policy" / "rulebook.yaml"
CHANGES = (("province: 600", "province: 800"), ("is: 85%", "is: 86%"))


def seconds(*command: str) -> float:
    """One run of the program."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "rxcalc", *command], cwd=ROOT, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - start


def main() -> None:
    """Prints both medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("episodes", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = POLICY.read_text(encoding="utf-8")
        for old, new in CHANGES:
            assert text.count(old) == 1
            text = text.replace(old, new)
        changed = Path(folder) / "rulebook.yaml"
        changed.write_text(text, encoding="utf-8")
        batches, diffs = [], []
        episodes = str(given.episodes.resolve())
        for _ in range(given.runs):
            batches.append(seconds("batch", episodes, "-r", str(POLICY), "-o", f"{folder}/out.csv"))
            diffs.append(seconds("diff", str(POLICY), str(changed), episodes))
    one, both = statistics.median(batches), statistics.median(diffs)
    print(f"batch {one:.2f} s, diff {both:.2f} s: {both / one:.2f} x")


if __name__ == "__main__":
    main()
