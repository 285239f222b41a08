"""What was written: the canonical text of an expression beside the node that it became.

A node's own text is not enough: names and constants that occur often share one node, which has the text of the
first place it was met at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rxcalc.diagnostics.model import Sink
from rxcalc.lang.ops import Op
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Formula, Plan, PlanTrend
from rxcalc.source import EmbeddedText
from rxcalc.syntax import nodes as n
from rxcalc.syntax.expressions import read


@dataclass(frozen=True)
class Written:
    """An expression: its node and its canonical text."""

    node: int
    text: str

    @property
    def tree(self) -> n.Expr:
        """Its tree."""
        return tree(self.text)


def written(plan: Plan, node: int, formula: Formula | None = None) -> Written:
    """The expression of a node; where no formula was kept, a name or constant is spelled anew."""
    if formula is not None:
        return Written(node, formula_text(formula))
    of = plan.nodes[node]
    if of.op in (Op.INPUT, Op.STEP, Op.SHARE):
        return Written(node, str(of.data))
    return Written(node, of.text)


def of_trend(plan: Plan, t: PlanTrend) -> Written:
    """What an `increasing` or `within` guarantee is about."""
    del plan
    return Written(t.what, t.text.removeprefix(f"{t.kind}: ").removesuffix(f" in {t.within}"))


@lru_cache(maxsize=20_000)
def tree(text: str) -> n.Expr:
    """The tree of a canonical text."""
    found = read(EmbeddedText(text, "", ((0, 0),)), "expression", Sink())
    if found is None or isinstance(found, n.Rule | n.Clause):
        message = f"`{text}` is no expression"
        raise ValueError(message)
    return found  # type: ignore[return-value]  # the start `expression` gives an expression
