"""Coverage as text."""

from __future__ import annotations

from typing import Final

from tabulate import tabulate

from rxcalc.coverage.model import Coverage, Item
from rxcalc.report.layout import width, wrap

MOST_OF_TABLE: Final = 5
NOUNS: Final = {
    "clauses": "clause of {0}: ",
    "branches": "branch in {0}: ",
    "decision rows": "decision of {0}: ",
    "bands": "schedule {0}",
    "parameter dates": "parameter {0}",
    "parameter keys": "parameter {0}",
    "table rows": "table {0}",
    "line rules": "rule of {0}",
    "shares": "share {0}",
    "requires": "{0}: ",
    "checks": "check {0}: ",
}


def render(coverage: Coverage, shown: str, columns: int) -> list[str]:
    """The shares by kind, then what no example covers."""
    rows = [[kind, str(s.covered), str(s.of), s.percent] for kind, s in coverage.kinds.items()]
    total = coverage.total
    rows.append(["total", str(total.covered), str(total.of), total.percent])
    head = ["kind", "covered", "of", "percent"]
    align = ("left", "right", "right", "right")
    lines = wrap(f"coverage of {shown} by its examples:", columns)
    table = tabulate(rows, head, tablefmt="simple", disable_numparse=True, colalign=align)
    lines += ["  " + line.rstrip() for line in table.splitlines()]
    uncovered = coverage.uncovered
    if uncovered:
        lines.append("not covered:")
    of_table: dict[str, int] = {}
    for item in uncovered:
        if item.kind == "table rows":
            of_table[item.name] = of_table.get(item.name, 0) + 1
            if of_table[item.name] > MOST_OF_TABLE:
                continue
        lines += _item(item, columns)
    for name, count in of_table.items():
        if count > MOST_OF_TABLE:
            lines.append(f"  and {count - MOST_OF_TABLE} more rows of table {name}")
    return lines


def _item(item: Item, columns: int) -> list[str]:
    name = f"{item.level}.{item.name}" if item.level else item.name
    noun = NOUNS[item.kind].format(name)
    # `rate[town] from 2025-01-01`, but `rate from 2025-01-01`
    joined = noun + item.what if item.what.startswith("[") or noun.endswith(" ") else f"{noun} {item.what}".rstrip()
    place, told = f"{item.place.file}:{item.place.line}:", f"{joined}; no example {item.lacking}"
    if width(place) > columns - 4:  # a place is never broken, so that it can be clicked and copied
        return ["  " + place, *("    " + line for line in wrap(told, columns - 4))]
    first, *others = wrap(f"{place} {told}", columns - 4)
    return ["  " + first, *("    " + line for line in others)]
