"""What the words of an expression leave open: rows that are not there, targets that are not reached, ties of a rank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.plan.nodes import CellRef, Plan
from rxcalc.plan.reads import nodes_with_calls
from rxcalc.prose.model import Block, Said, Sentence
from rxcalc.prose.names import Names
from rxcalc.prose.words import fill

NOTES: Final[dict[str, tuple[str, str]]] = {
    "no_row": (
        "Where a row that is needed is not in {t}, the {n} is refused.",
        "须查而{t}中没有该行的，{n}。",
    ),
    "not_reached": (
        "Where no amount reaches the target, the upper end holds; a target of zero or less is reached at the lower end.",
        "达不到目标的，取上限；目标为零或负数的，取下限。",
    ),
    "ties": (
        "Of equal ones, the one that stands earlier in the order comes first.",
        "相等者，以排列在前者为先。",
    ),
}  # fmt: skip


def notes(plan: Plan, names: Names, roots: Iterable[int], refused: Sentence) -> list[Block]:
    """The sentences for the expressions that begin with these nodes; `refused` is what a missing row refuses."""
    told: dict[str, dict[str, Sentence]] = {}
    looked_up: set[tuple[str, tuple[int, ...]]] = set()
    tested: set[tuple[str, tuple[int, ...]]] = set()  # what the rule asks for itself, and so says what then holds
    for index in nodes_with_calls(plan, roots):
        node = plan.nodes[index]
        if node.op is Op.CELL and isinstance(node.data, CellRef):
            looked_up.add((node.data.table, node.args))
        elif node.op is Op.HAS_ROW and isinstance(node.data, CellRef):
            tested.add((node.data.table, node.args))
        elif node.op is Op.BANDS_REACH:
            told["not_reached"] = {}
        elif node.op in (Op.WINDOW, Op.ROWS) and plan.calls[int(str(node.data))].function == "rank":
            told["ties"] = {}
    for table, _ in looked_up - tested:
        told[f"no_row {table}"] = {"t": names.run(names.tables[table]), "n": refused}
    at = 1 if names.chinese else 0
    return [Said(fill(NOTES[key.partition(" ")[0]][at], told[key])) for key in sorted(told)]
