"""Rule text to nodes, and the messages for the commonest slips."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.rulebook.document import Scalar
from rxcalc.rulebook.load import load_text
from rxcalc.source import NOWHERE, EmbeddedText, Span
from rxcalc.syntax import nodes as n
from rxcalc.syntax.grammar import parser
from rxcalc.syntax.parse import parse_expression, parse_rule, parse_rulebook

HEAD = """rxcalc: 1
rulebook: case
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day_of_care}
inputs:
  episode_id: {type: code}
  day_of_care: {type: date}
  total: {type: money}
"""


def plain(text: str) -> Scalar:
    """A one-line scalar that begins its file."""
    return Scalar(text, "plain", Span("f", 0, len(text)), EmbeddedText(text, "f", ((0, 0),)))


def expr(text: str) -> n.Expr:
    """The tree of a text that must be right."""
    sink = Sink()
    found = parse_expression(plain(text), sink)
    assert not list(sink), [d.message for d in sink]
    return found


def name(text: str) -> n.Name:
    """A name, wherever it stands."""
    return n.Name(name=text, span=NOWHERE)


def rulebook(text: str) -> tuple[n.RulebookDecl | None, list[str]]:
    """The tree of HEAD and more, and the codes reported."""
    sink = Sink()
    document = load_text("f", HEAD + text, sink)
    found = parse_rulebook(document, sink) if document else None
    return found, [diagnostic.code for diagnostic in sink.sorted()]


def test_the_grammar_has_no_conflicts() -> None:
    """LALR construction succeeds; the parser is built once."""
    assert parser() is parser()


@pytest.mark.parametrize(
    "word",
    [
        "days",
        "day",
        "months",
        "year",
        "first",
        "known",
        "missing",
        "per",
        "distinct",
        "has",
        "meets",
        "at",
        "any",
        "iffy",
        "not_x",
        "android",
    ],
)
def test_soft_words_stay_names(word: str) -> None:
    """Words that the language uses in one place are names everywhere else."""
    assert expr(word) == name(word)
    assert expr(f"f({word})") == n.Call(function=name("f"), arguments=(n.Argument(value=name(word)),), span=NOWHERE)
    assert expr(f"{word} + {word}") == n.Sum(terms=((1, name(word)), (1, name(word))), span=NOWHERE)


def test_literals() -> None:
    """Every literal keeps its exact value and the digits written."""
    assert expr("30_000.50") == n.Number(value=Fraction(30000.5), decimals=2, span=NOWHERE)
    assert expr("0.5%") == n.Percent(value=Fraction(1, 200), span=NOWHERE)
    assert expr("¥1_300") == n.Money(sign="¥", value=Fraction(1300), decimals=0, span=NOWHERE)
    assert expr("CNY 5") == n.Money(sign="CNY", value=Fraction(5), decimals=0, span=NOWHERE)
    assert expr("¥419 per day") == n.Money(sign="¥", value=Fraction(419), decimals=0, per="day", span=NOWHERE)
    assert expr("1 day") == n.Duration(value=Fraction(1), unit="days", span=NOWHERE)
    assert expr("2025-07-01") == n.DateLiteral(value=date(2025, 7, 1), span=NOWHERE)
    assert expr('"a\\"\\\\b"') == n.Text(value='a"\\b', span=NOWHERE)
    assert expr("false") == n.Flag(value=False, span=NOWHERE)


def test_precedence() -> None:
    """Operators bind as a reader expects."""
    assert expr("not a = b or c and d") == expr("(not (a = b)) or (c and d)")
    assert expr("-a * b - c / d * e") == expr("((-a) * b) - ((c / d) * e)")
    assert expr("drg[code].price at d + 1 days") == expr("(drg[code].price at d) + (1 days)")
    assert expr("x between 1 and 3 and y") == expr("(x between 1 and 3) and y")
    assert expr("if a then b else if c then d else e") == expr("if a then b else (if c then d else e)")


def test_arguments() -> None:
    """Calls take values, filters, ranges and functions."""
    call = expr("f(x where a = b, where c, distinct d, 0 .. x, r -> r * 2)")
    assert isinstance(call, n.Call)
    filtered, only, distinct, span, function = call.arguments
    assert filtered.where is not None
    assert only.value is None
    assert distinct.distinct
    assert isinstance(span.value, n.Range)
    assert isinstance(function.value, n.Lambda)


def test_clauses() -> None:
    """Clauses keep their order, reasons and rejects; comments and line ends do not matter."""
    sink = Sink()
    rule = parse_rule(plain('when a then reject because "x" # why\nwhen b then 1 because y otherwise 2'), sink)
    assert not list(sink)
    assert [clause.then is None for clause in rule.clauses] == [True, False, False]
    assert rule.clauses[-1].when is None
    assert rule.form == "clauses"


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("a b", "RX201", "b"),
        ("a +", "RX202", "+"),
        ("", "RX202", ""),
        ("x @ y", "RX203", "@"),
        ("a（b", "RX204", "（"),
        ("a ＞ b", "RX204", "＞"),
        ("￥5", "RX204", "￥"),
        ("a && b", "RX205", "&&"),
        ("a || b", "RX205", "||"),
        ("a == b", "RX205", "=="),
        ("a => b", "RX205", "=>"),
        ("a := b", "RX205", ":="),
        ("a <> b", "RX205", "<>"),
        ("!a", "RX205", "!"),
        ("85 %", "RX205", "%"),
        ("a % b", "RX205", "%"),
        ("min(1,300)", "RX206", "1,300"),
        ("¥1,300", "RX206", "1,300"),
        ("1e5", "RX207", "1e5"),
        ("1" * 31, "RX207", "1" * 31),
        ("2025-02-30", "RX208", "2025-02-30"),
        ("'a'", "RX209", "'"),
        ('"a', "RX210", '"'),
        ('"a\\n"', "RX210", '"'),
        ("if a ¥1 else b", "RX211", "¥1"),
        ("if a then b", "RX212", "b"),
        ("a else b", "RX213", "else"),
        ("if a then b elif c then d else e", "RX213", "elif"),
        ("a < b <= c", "RX214", "<="),
        ("a + if b then c else d", "RX216", "if"),
        ("not " * 100 + "a", "RX217", None),
        ("(" * 100 + "a" + ")" * 100, "RX217", None),
        ("*".join("a" * 100), "RX217", None),
        ("+".join("a" * 10_001), "RX218", None),
        ("a" * 500_000, "RX218", None),
    ],
)
def test_slips(text: str, code: str, at: str | None) -> None:
    """Each slip has one message, at the characters that are wrong."""
    sink = Sink()
    found = parse_expression(plain(text), sink)
    assert isinstance(found, n.ErrorExpr)
    assert [diagnostic.code for diagnostic in sink] == [code]
    span = next(iter(sink)).primary.span
    if at is not None:
        assert text[span.start : span.end] == at


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("when a b", "RX211"),
        ("otherwise a when b then c", "RX215"),
        ("when a then b else c", "RX213"),
        ("a otherwise b", "RX201"),
    ],
)
def test_slips_in_clauses(text: str, code: str) -> None:
    """Clauses have their own slips."""
    sink = Sink()
    parse_rule(plain(text), sink)
    assert [diagnostic.code for diagnostic in sink] == [code]


def test_a_long_sum_is_flat() -> None:
    """Sums, conjunctions and disjunctions of thousands of terms do not nest."""
    for operator in ("+", "and", "or"):
        found = expr(f" {operator} ".join(["a"] * 4_000))
        assert isinstance(found, n.Sum | n.And | n.Or)


def test_spans_reach_into_the_yaml() -> None:
    """An error inside a `|` block points at its own line and column."""
    sink = Sink()
    document = load_text(
        "f", HEAD + "steps:\n  pays:\n    rule: |\n      when total > ¥5 then ¥1\n      otherwise total ** 2\n", sink
    )
    assert document is not None
    parse_rulebook(document, sink)
    found = next(iter(sink))
    assert document.file.position(found.primary.span.start) == (15, 23)


def test_decision_table() -> None:
    """Cells become conditions on the columns."""
    text = """steps:
  pays:
    table:
      of: [level, referred, days]
      rows:
        - {when: [[city, province], no, "> 3"], then: ¥1}
        - {when: [any, any, any], then: reject, because: too_long}
        - {when: [city, any, between 1 and 3], then: ¥2}
        - {otherwise: ¥0}
"""
    found, codes = rulebook(text)
    assert codes == []
    assert found is not None
    rule = found.steps[0].rule
    assert (rule.form, rule.hit) == ("table", "unique")
    assert [clause.when for clause in rule.clauses] == [
        expr("level in {city, province} and referred = no and days > 3"),
        expr("yes"),
        expr("level = city and days between 1 and 3"),
        None,
    ]
    assert rule.clauses[1].then is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("stepz: {}\n", ["RX131"]),
        ("steps: {a: {rule: total, lable: x}}\n", ["RX131"]),
        ("steps: [a]\n", ["RX133"]),
        ("steps: {a: {rule: {b: c}}}\n", ["RX133"]),
        ("steps: {a: }\n", ["RX134"]),
        ("steps: {A: total}\n", ["RX136"]),
        ("title: {en: x, Stray}\n", ["RX136"]),
        ("steps: {a: {}}\n", ["RX223"]),
        ("steps: {if: total}\n", ["RX220"]),
        ("lines: {}\ngroups: {}\n", ["RX132"]),
        ("windows: {w: {rollin: 12 months, date: day_of_care}}\n", ["RX131"]),
        ("outputs: []\n", ["RX139"]),
        ("parameters: {p: {type: mony, values: {2025-01-01: 1}}}\n", ["RX224"]),
        ("parameters: {p: {type: money, values: {2025-02-31: 1}}}\n", ["RX208"]),
        ("parameters: {p: {type: bands of percent over mony, values: {2025-01-01: 1}}}\n", ["RX224"]),
        ("shares: {bill: {of: total, fund: {is: total, pool: total}}}\n", ["RX226"]),
        ("guarantees: [{say: x}]\n", ["RX227"]),
        ("steps: {a: total &&, b: 1 +}\nstepz: 1\n", ["RX205", "RX202", "RX131"]),
    ],
)
def test_structure(text: str, codes: list[str]) -> None:
    """Every mistake of shape and syntax is reported in one run, without cascades."""
    _, found = rulebook(text)
    assert found == codes
