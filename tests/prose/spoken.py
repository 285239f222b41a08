"""Rulebooks for the tests of sentences, and their sentences as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import generate

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan
from rxcalc.prose.model import Block, Point, Said, plain
from rxcalc.prose.points import Laid
from rxcalc.prose.rules import Rules
from rxcalc.prose.written import Written, of_trend, written

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.glob("rulebooks/*/rulebook*.yaml"))
CASES = sorted(ROOT.glob("tests/cases/runs/*/rulebook.yaml"))
EVERY = Path(__file__).parent / "every" / "rulebook.yaml"
LANGUAGES = ("en", "zh")


@cache
def compiled(path: Path) -> Plan | None:
    """The plan of a rulebook; None where it has errors on purpose."""
    found = compile_file(path, str(path), Sink())
    return found.plan if found is not None else None


def generated(seeds: range, folder: Path) -> Iterator[tuple[int, Plan]]:
    """Plans of generated rulebooks."""
    for seed in seeds:
        plan = compiled(generate.rulebook(seed).write(folder / str(seed)))
        if plan is not None:
            yield seed, plan


def roots(plan: Plan) -> Iterator[Written]:
    """Everything written that rules begin with, each formula of a level once."""
    seen: set[tuple[str, str]] = set()
    for of in every_root(plan):
        key = (plan.nodes[of.node].level, of.text)
        if key not in seen and of.text != "missing":
            seen.add(key)
            yield of


def every_root(plan: Plan) -> Iterator[Written]:
    """The same, with repetitions."""
    for of in (plan, *plan.lists, *plan.groups):
        for step in of.steps:
            for c in step.clauses:
                yield from (written(plan, i, f) for i, f in ((c.when, c.condition), (c.then, c.formula)) if i >= 0)
        yield from (written(plan, c.that, c.formula) for c in (*of.requires, *of.guarantees))
        for partition in getattr(of, "shares", ()):
            yield written(plan, partition.of, partition.of_formula)
            yield from (written(plan, p.value, p.formula) for p in partition.parts if p.value >= 0)
    for s in plan.spreads:
        yield from (written(plan, s.what, s.formula), written(plan, s.by, s.by_formula))
    for check in plan.checks:
        yield written(plan, check.when, check.formula)
        if check.amount >= 0:
            yield written(plan, check.amount, check.amount_formula)
    yield from (written(plan, k.node) for g in plan.groups for k in g.keys)
    yield from (of_trend(plan, t) for t in plan.trends)


def laid_text(laid: Laid) -> str:
    """A laid-out expression as text, its points with their numbers."""
    return "\n".join([plain(laid.runs), *_points(laid.points)])


def text(blocks: tuple[Block, ...]) -> str:
    """Blocks as text: points indented under what opens them, grids with bars."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Said):
            lines += [plain(block.sentence), *_points(block.points)]
        else:
            rows = (block.headers, *block.rows) if block.headers else block.rows
            lines += [" | ".join(plain(cell) for cell in row) for row in rows]
    return "\n".join(lines)


def _points(points: tuple[Point, ...]) -> list[str]:
    lines: list[str] = []
    for p in points:
        lines += [f"{p.number}. {plain(p.sentence)}", *_points(p.points)]
    return lines


def everything(rules: Rules) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """All that can be said of a rulebook, each with what it is."""
    plan, declared = rules.plan, rules.declared
    yield "in force", declared.in_force()
    for level, of in rules.names.levels.items():
        yield f"sequence {level}", declared.sequence(level)
        for i in of.inputs:
            yield f"input {level}.{i.name}", declared.input(level, i.name)
        for step in of.steps:
            yield f"step {level}.{step.name}", rules.step(level, step.name)
        for at in range(len(of.requires)):
            yield f"requires {level} {at}", rules.requires(level, at)
        for at in range(len(of.guarantees)):
            yield f"guarantee {level} {at}", rules.guarantee(level, at)
        for at in range(len(getattr(of, "shares", ()))):
            yield f"partition {level} {at}", rules.partition(level, at)
    for at in range(len(plan.trends)):
        yield f"trend {at}", rules.trend(at)
    for at in range(len(plan.checks)):
        yield f"check {at}", rules.check(at)
    for s in plan.spreads:
        yield f"spread {s.target}.{s.name}", rules.spread(s.target, s.name)
    for p in plan.parameters:
        yield f"parameter {p.name}", declared.parameter(p.name)
    for t in plan.tables:
        yield f"table {t.name}", declared.table(t.name)
    for w in plan.windows:
        yield f"window {w.level}.{w.name}", declared.window(w.level, w.name)
    for x in plan.lists:
        yield f"list {x.name}", declared.listed(x.name)
    for g in plan.groups:
        yield f"group {g.name}", declared.group(g.name)
