"""`python -m explained FILE [COLUMNS]`: what does not follow from a printed explanation."""

from __future__ import annotations

import sys
from pathlib import Path

from .checker import check


def main(arguments: list[str]) -> int:
    """Checks one file; 1 when something does not follow."""
    columns = int(arguments[1]) if len(arguments) > 1 else 80
    report = check(Path(arguments[0]).read_text("utf-8"), columns)
    for problem in report.problems:
        sys.stdout.write(f"{arguments[0]}:{problem.line}: {problem.kind}: {problem.message}\n")
    sys.stdout.write(f"{report.redone} lines redone, {report.traced} numbers traced, {len(report.problems)} problems\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
