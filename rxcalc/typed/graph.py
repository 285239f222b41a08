"""Which steps read which, the order to compute them in, and circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from rxcalc.diagnostics.model import Label, Sink
from rxcalc.lang.ops import Op
from rxcalc.source import Span
from rxcalc.typed import problems
from rxcalc.typed.nodes import TClause, TExpr


def walk(t: TExpr) -> Iterator[TExpr]:
    """Every node of a typed expression."""
    stack = [t]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.args)


def steps_read(clauses: Iterable[TClause]) -> dict[str, Span]:
    """Steps of this episode that the clauses read, each with a place; earlier episodes' do not count."""
    found: dict[str, Span] = {}
    for clause in clauses:
        for root in (clause.when, clause.then):
            for node in walk(root) if root is not None else ():
                if node.op is Op.STEP and isinstance(node.data, str):
                    found.setdefault(node.data, node.span)
    return found


def mention_order(mentions: Mapping[str, frozenset[str]]) -> list[str]:
    """Names after those they mention, as far as there are no circles."""
    done: list[str] = []
    state: set[str] = set()
    for root in mentions:
        if root in state:
            continue
        state.add(root)
        stack: list[tuple[str, Iterator[str]]] = [(root, iter(sorted(mentions[root])))]
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


def order(names: Sequence[str], reads: Mapping[str, Mapping[str, Span]], sink: Sink) -> tuple[str, ...] | None:
    """`names` with every step after those it reads, else as declared; None when there is a circle."""
    done: list[str] = []
    state: dict[str, int] = {}
    for root in names:
        if root in state:
            continue
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [(root, iter(reads[root]))]
        state[root] = 1
        path.append(root)
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                path.pop()
                state[name] = 2
                done.append(name)
            elif following not in reads:
                continue
            elif state.get(following) == 1:
                circle = (*path[path.index(following) :], following)
                places = tuple(Label(span=reads[a][b], text=f"`{a}` reads `{b}` here") for a, b in pairwise(circle))
                sink.add(problems.cycle(places[0].span, circle, places[1:]))
                return None
            elif following not in state:
                state[following] = 1
                path.append(following)
                stack.append((following, iter(reads[following])))
    return tuple(done)
