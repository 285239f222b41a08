"""What rules read, held against the names that stand in their formulas."""

from __future__ import annotations

import re

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.compile import compile_file
from rxcalc.plan.figures import formula_text
from rxcalc.plan.nodes import Plan, PlanSpread
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.site.refs import Names, anchor, levels, result_ref
from rxcalc.site.uses import Uses

WORD = re.compile(r"[a-z][a-z0-9_]*")


def plan_of(name: str) -> Plan:
    found = find.rulebook(name)
    assert isinstance(found, find.Found)
    compiled = compile_file(found.path, found.shown, Sink())
    assert compiled is not None
    return compiled.plan


def plain(of: str) -> str:
    """The bare name of a thing."""
    return of.partition("-")[2].rpartition(".")[2].partition(HIDDEN)[0]


@pytest.mark.parametrize("name", ["dian", "sanming", "national-dip"])
def test_every_name_in_a_formula_is_read_and_nothing_else(name: str) -> None:
    """By the words of the formulas alone: a word that names a step, input, parameter or table of the rulebook is read there."""
    plan = plan_of(name)
    names = Names(plan)
    uses = Uses(plan, names)
    known = {plain(of) for of in names.page if of.startswith(("step-", "input-", "parameter-", "spread-"))}
    known |= {t.name for t in plan.tables}
    columns = {c.name for t in plan.tables for c in t.columns}
    values = {v for _, of in levels(plan) for i in of.inputs for v in getattr(i.type, "values", ())}
    functions = {
        "min",
        "max",
        "sum",
        "count",
        "year",
        "month",
        "day",
        "date",
        "rank",
        "round",
        "days",
        "years",
        "months",
    }
    checked = 0
    for level, _ in levels(plan):
        for result in names.order.get(level, ()):
            if isinstance(result, PlanSpread):
                texts = [formula_text(result.formula), formula_text(result.by_formula)]
            else:
                texts = [formula_text(f) for c in result.clauses for f in (c.condition, c.formula) if f is not None]
            words = set(WORD.findall(re.sub(r'"[^"]*"', "", " ".join(texts)))) & known
            read = uses.reads[result_ref(level, result)]
            told = {plain(of) for of in read.all}
            missed = words - told - columns - values - functions
            assert not missed, (level, result.name, missed)
            own = {of for of in read.all if of.startswith(("step-", "input-", "parameter-", "table-", "spread-"))}
            stray = {of for of in own if plain(of) not in words and plain(of) != "base"}
            assert not stray or any("base" in t for t in texts), (level, result.name, stray)
            checked += len(words)
    assert checked > 50


def test_ids_are_unique_on_each_page() -> None:
    plan = plan_of("dian")
    names = Names(plan)
    ids = [(page, anchor(of)) for of, page in names.page.items()]
    assert len(set(ids)) == len(ids)
    assert names.href("step-pays_nothing", "rules") == ""
    assert names.href("step-fund_pays", "rules") == "#step-fund_pays"
    assert names.href("step-fund_pays", "graph") == "rules.html#step-fund_pays"
