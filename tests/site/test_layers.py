"""The layout of graphs: layers, no box on another, few crossings, the same picture every time."""

from __future__ import annotations

import time
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rxcalc.site.layers import Laid, Size, _Bent, _inversions, lay_out

SIZE = Size(width=100.0, apart=40.0)


def lay(edges: list[tuple[str, str]], nodes: str = "", **more: object) -> Laid:
    names = dict.fromkeys([*nodes, *(end for e in edges for end in e)])
    return lay_out(dict.fromkeys(names, 20.0), edges, size=SIZE, **more)  # type: ignore[arg-type]


def test_a_node_stands_one_layer_beyond_the_farthest_that_it_reads() -> None:
    laid = lay([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    assert laid.layer == {"a": 0, "b": 1, "c": 2, "d": 3}
    assert [laid.at[n][0] for n in "abcd"] == [0.0, 140.0, 280.0, 420.0]
    assert laid.width == 520.0


def test_a_chain_is_a_straight_line() -> None:
    laid = lay([("a", "b"), ("b", "c")])
    assert laid.height == 20.0
    assert laid.lines == {"a": (((100.0, 10.0), (140.0, 10.0)),), "b": (((240.0, 10.0), (280.0, 10.0)),)}
    assert laid.ends == ((140.0, 10.0), (280.0, 10.0))


def test_late_nodes_stand_next_to_what_reads_them_and_last_ones_at_the_end() -> None:
    laid = lay([("a", "b"), ("b", "c"), ("x", "c"), ("a", "s")], late=["x", "a"], last=["s"])
    assert laid.layer == {"a": 0, "b": 1, "c": 2, "x": 1, "s": 2}


def test_an_edge_that_closes_a_circle_has_no_line() -> None:
    laid = lay([("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert laid.edges == {("a", "b"), ("b", "c")}
    assert laid.layer == {"a": 0, "b": 1, "c": 2}


def test_edges_of_one_node_share_their_bends() -> None:
    """`a` is read three and four layers on: it leaves by one line, which parts at the end only."""
    laid = lay([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("a", "d"), ("a", "e")])
    from_a = laid.lines["a"]
    assert len(set(from_a)) == len(from_a)
    assert sum(start == (100.0, from_a[0][0][1]) for start, _ in from_a) == 2  # to b, and to the bend


def test_crossings_are_counted_and_undone() -> None:
    edges = [("a", "y"), ("b", "x")]
    graph = _Bent(dict.fromkeys("abxy", 20.0), edges, {"a": 0, "b": 0, "x": 1, "y": 1})
    assert graph.crossings() == 1
    graph.sort()
    assert graph.crossings() == 0


def test_nothing_at_all() -> None:
    laid = lay([])
    assert (laid.width, laid.height, laid.at) == (0.0, 0.0, {})
    assert lay([], "a").at == {"a": (0.0, 0.0)}


@given(st.lists(st.integers(0, 9), max_size=12))
def test_pairs_in_the_wrong_order(values: list[int]) -> None:
    assert _inversions(values, 10) == sum(a > b for a, b in combinations(values, 2))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40),
    st.lists(st.integers(1, 60), min_size=15, max_size=15),
)
def test_any_graph(edges: list[tuple[int, int]], heights: list[int]) -> None:
    """Boxes never touch, lines lead from left to right, and every edge is drawn or closes a circle."""
    sizes = {str(n): float(h) for n, h in enumerate(heights)}
    named = [(str(a), str(b)) for a, b in edges]
    laid = lay_out(sizes, named, size=SIZE)
    assert laid.at.keys() == sizes.keys()
    for column in range(15):
        own = sorted((laid.at[n][1], n) for n in sizes if laid.layer[n] == column)
        assert all(y + sizes[n] < below - 1 for (y, n), (below, _) in pairwise(own))
    assert all(y >= 0 and y + sizes[n] <= laid.height + 1e-6 for n, (_, y) in laid.at.items())
    assert all(laid.layer[a] < laid.layer[b] for a, b in laid.edges)
    assert all(end[0] >= start[0] for lines in laid.lines.values() for start, end in lines)
    ends = {(laid.at[b][0], round(laid.at[b][1] + sizes[b] / 2, 6)) for _, b in laid.edges}
    assert {(x, round(y, 6)) for x, y in laid.ends} == ends
    if all(a < b for a, b in edges):
        assert laid.edges == set(named)
    assert lay_out(sizes, named, size=SIZE) == laid


def test_three_hundred_nodes_take_no_time() -> None:
    edges = [(f"n{at}", f"n{at + step}") for at in range(300) for step in (1, 7, 31) if at % 3 and at + step < 300]
    sizes = {f"n{at}": 27.0 for at in range(300)}
    began = time.perf_counter()
    laid = lay_out(sizes, edges)
    assert time.perf_counter() - began < 5
    assert laid.edges == set(edges)
