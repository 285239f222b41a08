"""Chinese sentences have one reading each, and it is the formula; without their brackets they would not."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import canonical, lexicon
from prose_reader import CannotReadError, Lexicon, Reader, Tree, readings, spell, tokens
from prose_reader_zh import Chinese
from prose_reader_zh import tokens as tokens_zh
from spoken import CASES, EVERY, SHIPPED, compiled, generated, roots

from rxcalc.lang.types import FLAG
from rxcalc.plan.nodes import Plan
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.model import Sentence
from rxcalc.prose.names import Names
from rxcalc.prose.phrase import ALL
from rxcalc.prose.points import Points
from rxcalc.prose.written import Written
from rxcalc.syntax import nodes as n


def wrong(plan: Plan) -> tuple[int, list[tuple[str, list[str]]]]:
    """How many formulas there are, and those of which the sentence has no reading, another one, or several."""
    known, names = lexicon(plan, "zh"), Names(plan, "zh")
    count, found = 0, []
    for of in roots(plan):
        count += 1
        told = spelled(Chinese(known, tokens_zh(in_one_line(plan, names, of))).readings(how(plan, of)), known)
        laid = getattr(Points(Expressions(plan, names, of.node)), how(plan, of))(of.tree)
        if laid.points:
            read = spelled(Chinese(known, tokens_zh(laid.runs), list(laid.points)).readings(how(plan, of)), known)
            told = [*told, *read] if told and read else []
        if not told or any(canonical(of.text) not in one for one in told):
            found.append((of.text, sorted({one[0] for one in told})))
    return count, found


def spelled(read: list[Tree], known: Lexicon) -> list[list[str]]:
    """Readings as formulas, each with its choices of values that are called the same."""
    return [[canonical(text) for text in readings(spell(one, known))] for one in read]


def how(plan: Plan, of: Written) -> str:
    """Whether something written is read as a value or as a condition."""
    return "condition" if plan.nodes[of.node].type == FLAG else "value"


def in_one_line(plan: Plan, names: Names, of: Written) -> Sentence:
    """Its phrase, however long."""
    x = Expressions(plan, names, of.node)
    return x.condition(of.tree, ALL) if how(plan, of) == "condition" else x.value(of.tree).runs


@pytest.mark.parametrize("path", [*SHIPPED, EVERY], ids=lambda p: p.parent.name + p.stem)
def test_every_reading_of_a_sentence_is_its_formula(path: Path) -> None:
    plan = compiled(path)
    assert plan is not None
    count, found = wrong(plan)
    assert not found
    assert count > 20


def test_so_it_is_in_the_cases() -> None:
    plans = [plan for path in CASES[3::4] if (plan := compiled(path)) is not None]
    assert len(plans) > 10
    assert [pair for plan in plans for pair in wrong(plan)[1]] == []


def test_so_it_is_in_generated_rulebooks(tmp_path: Path) -> None:
    found = {seed: wrong(plan)[1] for seed, plan in generated(range(20, 26), tmp_path)}
    assert len(found) > 3
    assert {seed: pairs for seed, pairs in found.items() if pairs} == {}


@pytest.mark.long
def test_so_it_is_in_many_generated_rulebooks(tmp_path: Path) -> None:
    found = {seed: wrong(plan)[1] for seed, plan in generated(range(300, 420), tmp_path)}
    assert {seed: pairs for seed, pairs in found.items() if pairs} == {}


def test_the_readers_notice_brackets_that_are_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without brackets around parts, many sentences say something else, or nothing, in both languages."""

    def bare(self: Expressions, x: n.Expr, needed: int, *also: int, like: n.Expr | None = None) -> Sentence:
        del needed, also
        return self.value(x, like).runs

    monkeypatch.setattr(Expressions, "operand", bare)
    plans = [plan for _, plan in generated(range(40, 44), tmp_path)]
    assert sum(len(wrong(plan)[1]) for plan in plans) > 10
    noticed = 0
    for plan in plans:
        known, names = lexicon(plan), Names(plan, "en")
        for of in roots(plan):
            reader = Reader(known, tokens(in_one_line(plan, names, of)), [])
            try:
                read = spell(reader.ended(getattr(reader, how(plan, of))()), known)
            except CannotReadError:
                noticed += 1
                continue
            noticed += canonical(of.text) not in map(canonical, readings(read))
    assert noticed > 10
