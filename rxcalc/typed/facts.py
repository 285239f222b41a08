"""What a condition proves about missing values: the narrowing of `x is known`."""

from __future__ import annotations

from typing import Final, TypeAlias

from rxcalc.syntax import nodes as syn

Facts: TypeAlias = "frozenset[str]"
"""Expressions (by their structure) known to have a value."""

NO_FACTS: Final[Facts] = frozenset()


def true_facts(e: syn.Expr) -> Facts:
    """What is known to be there when the condition `e` holds."""
    match e:
        case syn.IsKnown(operand=operand, known=True):
            return frozenset({repr(operand)})
        case syn.And(items=items):
            return frozenset().union(*(true_facts(item) for item in items))
        case syn.Or(items=items):
            return frozenset.intersection(*(true_facts(item) for item in items))
        case syn.Not(operand=operand):
            return false_facts(operand)
        case _:
            return NO_FACTS


def false_facts(e: syn.Expr) -> Facts:
    """What is known to be there when the condition `e` does not hold."""
    match e:
        case syn.IsKnown(operand=operand, known=False):
            return frozenset({repr(operand)})
        case syn.Or(items=items):
            return frozenset().union(*(false_facts(item) for item in items))
        case syn.And(items=items):
            return frozenset.intersection(*(false_facts(item) for item in items))
        case syn.Not(operand=operand):
            return true_facts(operand)
        case _:
            return NO_FACTS
