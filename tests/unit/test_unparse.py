"""Canonical text: what it looks like, and that it reads back as the same tree."""

from __future__ import annotations

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Scalar
from rxcalc.source import EmbeddedText, Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax.parse import parse_expression, parse_rule
from rxcalc.syntax.unparse import unparse, unparse_rule


def plain(text: str) -> Scalar:
    """A one-line scalar that begins its file."""
    return Scalar(text, "plain", Span("f", 0, len(text)), EmbeddedText(text, "f", ((0, 0),)))


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("((a))", "a"),
        ("a-(b-c)", "a - (b - c)"),
        ("a/(b*c)", "a / (b * c)"),
        ("- ( a + b )", "-(a + b)"),
        ("not (a and b)", "not (a and b)"),
        ("(not a) and b", "not a and b"),
        ("a or (b or c)", "a or (b or c)"),
        ("(if a then b else c) + 1", "(if a then b else c) + 1"),
        ("if a then (if b then c else d) else e", "if a then if b then c else d else e"),
        ("30000", "30_000"),
        ("1300.50", "1300.50"),
        ("CNY  5", "CNY 5"),
        ("¥419 per day", "¥419 per day"),
        ("1 days", "1 day"),
        ("true", "yes"),
        ("p at (d + 1 days)", "p at (d + 1 day)"),
        ("p at (d)", "p at d"),
        ("(p at d).x", "(p at d).x"),
        ("[ a,b ] in t at d", "[a, b] in t at d"),
        ("x in {a,b}", "x in {a, b}"),
        ("f(distinct (-x) where y)", "f(distinct (-x) where y)"),
        ("w.sum(w.x - w.y where w.k = k)", "w.sum(w.x - w.y where w.k = k)"),
        ("bands(s, 0..x, r->100%-r)", "bands(s, 0 .. x, r -> 100% - r)"),
    ],
)
def test_canonical_text(written: str, canonical: str) -> None:
    """Parentheses stand only where the grammar needs them; the tree stays the same."""
    sink = Sink()
    tree = parse_expression(plain(written), sink)
    assert not list(sink)
    assert unparse(tree) == canonical
    assert parse_expression(plain(canonical), sink) == tree


def test_rules() -> None:
    """Clauses stand one a line."""
    text = 'when a then reject because "x\\""\nwhen b then 1 because y\notherwise 2'
    rule = parse_rule(plain(text), Sink())
    assert unparse_rule(rule) == text


def test_errors_have_no_text() -> None:
    """What could not be read cannot be written."""
    with pytest.raises(ValueError, match="no text"):
        unparse(n.ErrorExpr(span=Span("f", 0, 0)))
