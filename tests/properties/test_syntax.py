"""Whatever the text: diagnostics or a tree, never a traceback; trees survive their own text."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rxcalc.diagnostics.as_json import as_json
from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.rulebook.document import Scalar
from rxcalc.rulebook.load import decode, load_text, load_yaml_text
from rxcalc.source import NOWHERE, EmbeddedText, Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax.parse import parse_expression, parse_rule, parse_rulebook
from rxcalc.syntax.unparse import unparse

HEAD = "rxcalc: 1\n"
WORDS = (
    "a b when then otherwise if else and or not in is known missing between at has meets where distinct because reject",
    "( ) [ ] { } , . .. -> + - * / = != < <= 5 1_000 85% ¥5 CNY 2025-07-01 60 days per day yes no",
    '"x" \' # \n 中 （ && ==',
    "1,300 1e5",
)
PIECES = st.sampled_from([word for line in WORDS for word in line.split(" ")])
MARKS = (
    "\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "|",
    ">",
    "&a",
    "*a",
    "!!str",
    "'",
    '"',
    "---",
    "<<",
    "?",
    "\\",
)
KEYS = (
    *("steps", "rule", "inputs", "episode_id", "type", "money", "one_of", "shares", "bill", "of", "fund", "parameters"),
    *("values", "2025-01-01", "a", "min(a, b)", "p[k]"),
)
YAML_PIECES = st.sampled_from([*MARKS, *KEYS])
NAMES = st.sampled_from(
    ["a", "b", "days", "first", "at", "has", "meets", "known", "distinct", "level_3", "iffy", "Per"]
)


def check_places(sink: Sink) -> None:
    """Every place lies in its file and every format can show it."""
    for diagnostic in sink.sorted():
        for label in (diagnostic.primary, *diagnostic.related):
            file = sink.files.get(label.span.file)
            size = len(file.text) if file is not None else 0
            assert 0 <= label.span.start <= label.span.end <= size
        assert render(diagnostic, sink.files)
        assert as_json(diagnostic, sink.files)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Bytes give a document or diagnostics."""
    sink = Sink()
    text = decode("f", HEAD.encode() + data, sink)
    document = load_text("f", text, sink) if text is not None else None
    if document is not None:
        parse_rulebook(document, sink)
    else:
        assert sink.has_errors
    check_places(sink)


@given(st.one_of(st.text(max_size=80), st.lists(YAML_PIECES, max_size=40).map("".join)))
@settings(deadline=None, max_examples=400)
def test_any_text(text: str) -> None:
    """Text gives a document or diagnostics, as a rulebook and as an episode."""
    sink = Sink()
    document = load_text("f", HEAD + text, sink)
    if document is not None:
        parse_rulebook(document, sink)
    else:
        assert sink.has_errors
    check_places(sink)
    other = Sink()
    assert load_yaml_text("f", text, other) is not None or other.has_errors
    check_places(other)


@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES, max_size=25).map("".join)
    )
)
@settings(deadline=None, max_examples=600)
def test_any_rule(text: str) -> None:
    """Rule text gives a tree, or exactly one diagnostic inside it."""
    for read in (parse_expression, parse_rule):
        sink = Sink()
        read(Scalar(text, "plain", Span("f", 0, len(text)), EmbeddedText(text, "f", ((0, 0),))), sink)
        found = list(sink)
        assert len(found) <= 1
        for diagnostic in found:
            assert 0 <= diagnostic.primary.span.start <= diagnostic.primary.span.end <= len(text)


def _decimal(value: int, decimals: int) -> n.Number:
    return n.Number(value=Fraction(value, 10**decimals), decimals=decimals, span=NOWHERE)


AMOUNTS = st.integers(0, 10**9)
LEAVES = st.one_of(
    NAMES.map(lambda name: n.Name(name=name, span=NOWHERE)),
    st.builds(_decimal, AMOUNTS, st.integers(0, 6)),
    st.builds(
        lambda v, s, p: n.Money(sign=s, value=Fraction(v), decimals=0, per=p, span=NOWHERE),
        AMOUNTS,
        st.sampled_from(["¥", "CNY", "$"]),
        st.sampled_from([None, "day"]),
    ),
    AMOUNTS.map(lambda v: n.Percent(value=Fraction(v, 10**4), span=NOWHERE)),
    st.builds(
        lambda v, u: n.Duration(value=Fraction(v), unit=u, span=NOWHERE),
        AMOUNTS,
        st.sampled_from(["days", "months", "years"]),
    ),
    st.dates(date(1000, 1, 1)).map(lambda day: n.DateLiteral(value=day, span=NOWHERE)),
    st.booleans().map(lambda value: n.Flag(value=value, span=NOWHERE)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5).map(
        lambda text: n.Text(value=text, span=NOWHERE)
    ),
)


def _grow(inner: st.SearchStrategy[n.Expr]) -> st.SearchStrategy[n.Expr]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    more = st.lists(inner, min_size=2, max_size=3).map(tuple)
    table = st.one_of(
        NAMES.map(lambda x: n.Name(name=x, span=NOWHERE)),
        st.builds(lambda x, d: n.At(of=n.Name(name=x, span=NOWHERE), date=d, span=NOWHERE), NAMES, inner),
    )
    maybe = st.none() | inner
    argument = st.one_of(
        st.builds(lambda v, w, d: n.Argument(value=v, where=w, distinct=d), inner, maybe, st.booleans()),
        inner.map(lambda w: n.Argument(value=None, where=w)),
        st.builds(lambda a, b: n.Argument(value=n.Range(low=a, high=b, span=NOWHERE)), inner, inner),
        st.builds(
            lambda p, b: n.Argument(value=n.Lambda(parameter=p, parameter_span=NOWHERE, body=b, span=NOWHERE)),
            NAMES,
            inner,
        ),
    )
    function = st.one_of(
        NAMES.map(lambda x: n.Name(name=x, span=NOWHERE)),
        st.builds(lambda o, x: n.Member(of=o, name=x, name_span=NOWHERE, span=NOWHERE), inner, NAMES),
    )
    signs = st.sampled_from([1, -1])
    return st.one_of(
        st.builds(lambda o, x: n.Member(of=o, name=x, name_span=NOWHERE, span=NOWHERE), inner, NAMES),
        st.builds(lambda o, k: n.Index(of=o, keys=k, span=NOWHERE), inner, some),
        st.builds(lambda o, d: n.At(of=o, date=d, span=NOWHERE), inner, inner),
        st.builds(
            lambda f, a: n.Call(function=f, arguments=tuple(a), span=NOWHERE), function, st.lists(argument, max_size=3)
        ),
        inner.map(lambda x: n.Negate(operand=x, span=NOWHERE)),
        st.builds(
            lambda x, t: n.Sum(terms=((1, x), *t), span=NOWHERE),
            inner,
            st.lists(st.tuples(signs, inner), min_size=1, max_size=3),
        ),
        st.builds(
            lambda o, a, b: n.Product(operator=o, left=a, right=b, span=NOWHERE), st.sampled_from("*/"), inner, inner
        ),
        st.builds(
            lambda o, a, b: n.Compare(operator=o, left=a, right=b, span=NOWHERE),
            st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "has", "meets"]),
            inner,
            inner,
        ),
        st.builds(lambda a, b, c: n.Between(operand=a, low=b, high=c, span=NOWHERE), inner, inner, inner),
        st.builds(lambda a, m: n.InSet(operand=a, members=m, span=NOWHERE), inner, some),
        st.builds(lambda k, t: n.InTable(keys=k, table=t, span=NOWHERE), some, table),
        st.builds(lambda a, k: n.IsKnown(operand=a, known=k, span=NOWHERE), inner, st.booleans()),
        more.map(lambda items: n.And(items=items, span=NOWHERE)),
        more.map(lambda items: n.Or(items=items, span=NOWHERE)),
        inner.map(lambda x: n.Not(operand=x, span=NOWHERE)),
        st.builds(lambda a, b, c: n.If(condition=a, then=b, otherwise=c, span=NOWHERE), inner, inner, inner),
    )


@given(st.recursive(LEAVES, _grow, max_leaves=20))
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip(tree: n.Expr) -> None:
    """Reading the canonical text of a tree gives an equal tree, and the same text again."""
    text = unparse(tree)
    sink = Sink()
    found = parse_expression(Scalar(text, "plain", Span("f", 0, len(text)), EmbeddedText(text, "f", ((0, 0),))), sink)
    assert [(d.code, d.message) for d in sink] == [], text
    assert found == tree, text
    assert unparse(found) == text
