"""What the English sentences of a rule say is the rule: an independent reader makes the formula of them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from known import canonical, lexicon
from prose_reader import CannotReadError, Lexicon, Reader, Token, readings, spell, tokens
from spoken import CASES, EVERY, SHIPPED, compiled, generated, roots

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import declared
from rxcalc.lang.types import FLAG
from rxcalc.plan.nodes import Plan
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.model import Grid, Run, Said, Sentence
from rxcalc.prose.names import Names
from rxcalc.prose.points import Points
from rxcalc.prose.rules import Rules
from rxcalc.prose.written import tree, written
from rxcalc.syntax import nodes as n
from rxcalc.syntax.unparse import unparse


def formulas(plan: Plan) -> Iterator[tuple[str, str]]:
    """Every formula of the rules as written, and as read from its sentence."""
    known, names = lexicon(plan), Names(plan, "en")
    for of in roots(plan):
        points = Points(Expressions(plan, names, of.node))
        how = "condition" if plan.nodes[of.node].type == FLAG else "value"
        laid = getattr(points, how)(of.tree)
        reader = Reader(known, tokens(laid.runs), list(laid.points))
        try:
            read = spell(reader.ended(getattr(reader, how)()), known)
        except CannotReadError as error:
            read = f"cannot be read: {error}"
        yield of.text, read


def wrong(plan: Plan) -> tuple[int, list[tuple[str, str]]]:
    """How many formulas there are, and those that were read as another one."""
    count, found = 0, []
    for text, read in formulas(plan):
        count += 1
        if read.startswith("cannot") or canonical(text) not in map(canonical, readings(read)):
            found.append((text, read))
    return count, found


@pytest.mark.parametrize("path", [*SHIPPED, EVERY], ids=lambda p: p.parent.name + p.stem)
def test_the_sentences_of_a_rulebook_read_back_as_its_formulas(path: Path) -> None:
    plan = compiled(path)
    assert plan is not None
    count, found = wrong(plan)
    assert not found
    assert count > 20


def test_so_do_those_of_the_cases() -> None:
    plans = [plan for path in CASES[::4] if (plan := compiled(path)) is not None]
    assert len(plans) > 10
    assert [pair for plan in plans for pair in wrong(plan)[1]] == []


def test_so_do_those_of_generated_rulebooks(tmp_path: Path) -> None:
    found = {seed: wrong(plan)[1] for seed, plan in generated(range(8), tmp_path)}
    assert len(found) > 5
    assert {seed: pairs for seed, pairs in found.items() if pairs} == {}


@pytest.mark.long
def test_so_do_those_of_many_generated_rulebooks(tmp_path: Path) -> None:
    found = {seed: wrong(plan)[1] for seed, plan in generated(range(100, 260), tmp_path)}
    assert {seed: pairs for seed, pairs in found.items() if pairs} == {}


@pytest.mark.parametrize("path", [*SHIPPED, EVERY], ids=lambda p: p.parent.name + p.stem)
def test_whole_steps_read_back_as_the_clauses_that_the_file_holds(path: Path) -> None:
    """The file is read by itself here: what the compiler made of it plays no part in what is expected."""
    plan, decl = compiled(path), declared(path, str(path), Sink())
    assert plan is not None
    assert decl is not None
    known, rules = lexicon(plan), Rules(plan, "en")
    levels = {
        "": decl.steps,
        **{x.name.name: x.steps for x in decl.lists},
        **{g.name.name: g.steps for g in decl.groups},
    }
    told = 0
    for level, steps in levels.items():
        for step in steps:
            if step.rule is None or step.rule.form == "table":
                continue
            block = rules.step(level, step.name.name)[0]
            assert isinstance(block, Said)
            reader = Reader(known, tokens(block.sentence), list(block.points))
            _, _, cases = reader.ended(reader.rule())
            for case, clause in zip(cases, step.rule.clauses, strict=True):
                assert _text(clause.when) in _spelled(case[1], known), step.name.name
                assert _text(clause.then) in _spelled(case[2], known), step.name.name
            reasons = [
                c.because.text for c in step.rule.clauses if c.because is not None and c.because.text is not None
            ]
            if len(cases) > 1 and all(c.because is None or c.because.text is not None for c in step.rule.clauses):
                assert [c[3] for c in cases if c[3]] == reasons
            told += 1
    assert told == len([s for steps in levels.values() for s in steps if s.rule is not None and s.rule.form != "table"])


def _spelled(of: Any, known: Lexicon) -> list[str]:
    if of is None or of == ("refused",):
        return ["nothing"]
    return [canonical(text) for text in readings(spell(of, known))]


def _text(x: n.Expr | None) -> str:
    return "nothing" if x is None else canonical(unparse(x))


# ---- the reader itself: what is said wrongly or in two ways is not read as the formula ----


def _read(text: str, **refs: str) -> str:
    """A sentence in which `{a}` stands for a name with the anchor of `a`, read as a value."""
    runs = []
    for at, piece in enumerate(text.split("|")):
        runs.append(Run(piece, refs[piece]) if at % 2 else Run(piece))
    known = Lexicon(("", "lines"), {}, {})
    reader = Reader(known, tokens(runs), [])
    return spell(reader.ended(reader.value()), known)


def test_the_reader_reads_what_is_said() -> None:
    refs = {"cost": "input-total", "cap": "parameter-cap", "level": "input-level"}
    assert _read("the smaller of the |cost| and (the |cap| minus 5)", **refs) == "min(total, (cap) - (5))"
    assert _read("the |cap| for the |level| minus 5", **refs) == "(cap[level]) - (5)"
    assert _read("(the |cap| for the |level|) as a percentage", **refs) == "as_percent(cap[level])"
    assert _read("60% of (100% minus the |cost|)", **refs) == "(60%) * ((100%) - (total))"


@pytest.mark.parametrize(
    "text",
    [
        "the smaller of the |cost| the |cap|",
        "the |cost| minus",
        "the smaller of the |cost| and the |cap| and more",
        "the |cost| plus the |cap| times 5",
        "(the |cost| plus the |cap|",
        "the |cost| divided by the |cap| times 5",
    ],
)
def test_the_reader_refuses_what_it_cannot_tell(text: str) -> None:
    with pytest.raises(CannotReadError):
        _read(text, cost="input-total", cap="parameter-cap")


# ---- decision tables ----


def _cell_condition(known: Lexicon, header: Sentence, cell: Sentence) -> str | None:
    """The condition of a cell: its column's heading with what the cell says; None for `any`."""
    said = tokens(cell)
    words = [t.text for t in said]
    if words == ["any"]:
        return None
    head = tokens(header)
    if words[0] in ("more", "less", "not", "before", "after", "below", "above", "known", "missing", "one", "none"):
        verb = tokens((Run("is "),))
    elif words[0] == "from":
        verb = tokens((Run("lies "),))
    elif words[0] in ("equals", "does", "shares", "holds"):
        verb = []
    else:
        parts: list[list[Token]] = [[]]
        for token in said:
            if token.kind == "word" and token.text == "or":
                parts.append([])
            else:
                parts[-1].append(token)
        left = spell(_whole(known, head), known)
        members = [spell(_whole(known, part), known) for part in parts]
        return f"({left}) = ({members[0]})" if len(parts) == 1 else f"({left}) in {{{', '.join(members)}}}"
    reader = Reader(known, [*head, *verb, *said], [])
    return spell(reader.ended(reader.condition()), known)


def _whole(known: Lexicon, of: list[Token]) -> Any:
    reader = Reader(known, of, [])
    return reader.ended(reader.value())


def _conjuncts(text: str) -> set[str]:
    found = tree(canonical(text))
    return {unparse(i) for i in found.items} if isinstance(found, n.And) else {unparse(found)}


def test_decision_tables_read_back_row_by_row(tmp_path: Path) -> None:
    rows = 0
    plans = [plan for path in (EVERY, *SHIPPED, *CASES) if (plan := compiled(path)) is not None]
    for plan in (*plans, *(plan for _, plan in generated(range(50, 64), tmp_path))):
        known, rules = lexicon(plan), Rules(plan, "en")
        for level, of in rules.names.levels.items():
            for step in (s for s in of.steps if s.table):
                grid = next((b for b in rules.step(level, step.name) if isinstance(b, Grid)), None)
                if grid is None:
                    continue
                for clause, row in zip(step.clauses, grid.rows, strict=True):
                    rows += 1
                    if clause.when < 0:
                        assert row[1][0].text == "otherwise"
                        continue
                    cells = zip(grid.headers[1:-1], row[1:-1], strict=True)
                    read = [c for header, cell in cells if (c := _cell_condition(known, header, cell)) is not None]
                    wanted = _conjuncts(written(plan, clause.when, clause.condition).text)
                    told = [{canonical(r) for r in readings(c)} for c in read]
                    assert len(told) == len(wanted)
                    assert all(any(w in t for t in told) for w in wanted), (wanted, told)
    assert rows > 25
