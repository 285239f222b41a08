"""Walking typed expressions, and names after those they mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from rxcalc.typed.nodes import TExpr

T = TypeVar("T", bound=Any)


def walk(t: TExpr) -> Iterator[TExpr]:
    """Every node of a typed expression."""
    stack = [t]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.args)


def mention_order(mentions: Mapping[T, frozenset[T]]) -> list[T]:
    """Names after those they mention, as far as there are no circles."""
    done: list[T] = []
    state: set[T] = set()
    for root in mentions:
        if root in state:
            continue
        state.add(root)
        stack: list[tuple[T, Iterator[T]]] = [(root, iter(sorted(mentions[root])))]
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                done.append(name)
            elif following in mentions and following not in state:
                state.add(following)
                stack.append((following, iter(sorted(mentions[following]))))
    return done
