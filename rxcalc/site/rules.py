"""The page of rules: every level with its conditions, windows, steps, shares, guarantees and checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rxcalc.plan.nodes import (
    Plan,
    PlanCheck,
    PlanClause,
    PlanCondition,
    PlanGroup,
    PlanList,
    PlanPartition,
    PlanSpread,
    PlanStep,
    PlanWindow,
)
from rxcalc.prose.model import Run
from rxcalc.report.bearers import bearer_label
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.site import sentences
from rxcalc.site.book import Book
from rxcalc.site.excerpt import excerpt
from rxcalc.site.facts import cited, rule
from rxcalc.site.model import Chapter, Clause, Level, Part, Partition, Rule
from rxcalc.site.refs import anchor, levels, part_ref, ref, shares_of
from rxcalc.tracing.hits import ClauseTaken


def rules(book: Book) -> tuple[Level, ...]:
    """The levels in the order of the rulebook: the bill, its lists, its groups."""
    return tuple(_level(book, level, of) for level, of in levels(book.plan))


def _level(book: Book, level: str, own: Plan | PlanList | PlanGroup) -> Level:
    plan = book.plan
    results = book.names.order.get(level, ())
    is_rows = isinstance(own, PlanList)
    chapters = (
        Chapter("keys", book.say("keys"), tuple(_keys(book, own)) if isinstance(own, PlanGroup) else ()),
        Chapter(
            "requires",
            book.say("requires_rows" if is_rows else "requires"),
            tuple(_conditions(book, "requires", level, own.requires)),
        ),
        Chapter("windows", book.say("windows"), tuple(_window(book, w) for w in plan.windows if w.level == level)),
        Chapter("steps", book.say("steps"), tuple(_result(book, level, r) for r in results)),
        Chapter(
            "partitions",
            book.say("partitions"),
            (),
            tuple(partition(book, level, at, p) for at, p in enumerate(shares_of(own))),
        ),
        Chapter("guarantees", book.say("guarantees"), (*_conditions(book, "guarantee", level, own.guarantees), *_trends(book, level))),
        Chapter("checks", book.say("checks"), tuple(_check(book, n, c) for n, c in enumerate(plan.checks, 1) if c.level == level)),
    )  # fmt: skip
    kind = "list" if is_rows else "group"
    at = ref(kind, "", level) if level else "episode"
    return Level(
        id=anchor(at),
        title=book.level(level),
        name=level,
        about=book.note(at),
        said=sentences.rows(book, level),
        chapters=tuple(
            Chapter(f"{anchor(at)}-{c.id}", c.title, c.rules, c.partitions) for c in chapters if c.rules or c.partitions
        ),
    )


# ---- steps ----


def _result(book: Book, level: str, result: PlanStep | PlanSpread) -> Rule:
    return _spread(book, result) if isinstance(result, PlanSpread) else _step(book, level, result)


def _step(book: Book, level: str, step: PlanStep) -> Rule:
    of = ref("step", level, step.name)
    facts = [book.type_of(step.type, step.values)]
    if HIDDEN in step.name:
        facts.append(book.say("base_step"))
    clauses = tuple(
        _clause(book, c, book.times.get(ClauseTaken(level, step.name, at), 0)) for at, c in enumerate(step.clauses)
    )
    return rule(
        book,
        of,
        facts=facts,
        said=sentences.step(book, level, step.name),
        clauses=clauses,
        status=step.status,
        place=step.place,
        citable=True,
    )


def _clause(book: Book, clause: PlanClause, times: int | None) -> Clause:
    return Clause(
        when=book.formula(clause.condition) if clause.condition is not None else (),
        then=book.formula(clause.formula) if clause.formula is not None else (),
        because=book.words(clause.because) or clause.because_name.replace("_", " "),
        used=times,
        refuses=clause.then < 0,
    )


def _spread(book: Book, spread: PlanSpread) -> Rule:
    return rule(
        book,
        ref("spread", spread.target, spread.name),
        facts=(),
        said=sentences.spread(book, spread),
        clauses=(
            Clause((), book.formula(spread.formula), "", None),
            Clause((Run("by "), *book.formula(spread.by_formula)), (), "", None),
        ),
        status="",
        place=spread.place,
        citable=True,
    )


# ---- conditions ----


def _conditions(book: Book, kind: str, level: str, of: Iterable[PlanCondition]) -> Iterator[Rule]:
    for at, condition in enumerate(of, start=1):
        yield rule(
            book,
            ref(kind, level, at),
            name="",
            said=sentences.condition(book, kind, level, at),
            clauses=(Clause((), book.formula(condition.formula), "", None),),
            place=condition.place,
            citable=kind == "requires",
        )


def _trends(book: Book, level: str) -> Iterator[Rule]:
    """The guarantees that compare one bill with another; they are about the episode."""
    for at, trend in enumerate(book.plan.trends if not level else (), start=1):
        yield rule(
            book,
            ref("trend", "", at),
            name="",
            said=sentences.trend(book, at),
            clauses=(Clause((), (Run(trend.text),), "", None),),
            note=(book.say("trend_note"),),
            place=trend.place,
        )


def _check(book: Book, number: int, check: PlanCheck) -> Rule:
    clauses = [Clause(book.formula(check.formula), (), "", None)]
    if check.amount_formula is not None:
        clauses.append(Clause((), (Run("amount: "), *book.formula(check.amount_formula)), "", None))
    return rule(
        book,
        ref("check", "", number),
        name=check.name,
        said=sentences.check(book, number),
        clauses=clauses,
        place=check.place,
        citable=True,
    )


def _window(book: Book, window: PlanWindow) -> Rule:
    of = ref("window", window.level, window.name)
    return rule(book, of, said=sentences.window(book, window), place=window.place)


def _keys(book: Book, group: PlanGroup) -> Iterator[Rule]:
    for key in group.keys:
        yield rule(
            book,
            ref("input", group.name, key.name),
            facts=(book.type_of(key.type),),
            said=sentences.field(book, group.name, key.name),
            clauses=(Clause((), (Run(book.plan.nodes[key.node].text, book.uses.of_node(key.node)),), "", None),),
            place=group.place,
            source=False,
        )


# ---- shares ----


def partition(book: Book, level: str, at: int, of: PlanPartition) -> Partition:
    """A partition with its parts."""
    name = ref("partition", level, of.name)
    own = dict(levels(book.plan))[level]
    totals = own.totals if not isinstance(own, PlanList) and not at else ()
    return Partition(
        ref=name,
        label=book.label(name),
        name=of.name,
        of=sentences.value(book, of.of, of.of_formula),
        said=sentences.partition(book, level, at),
        parts=tuple(_part(book, level, at, of, n) for n in range(len(of.parts))),
        totals=book.runs(ref("share", level, total) for total in totals),
        note=book.note(name),
        where=book.where(of.place),
        source=excerpt(book.given.files, of.place),
    )


def _part(book: Book, level: str, at: int, of: PlanPartition, number: int) -> Part:
    part = of.parts[number]
    name = part_ref(level, at, of, number)
    examples = book.used_by.get(name)
    return Part(
        ref=name,
        bearer=part.bearer,
        bearer_label=bearer_label(part.bearer, book.words(part.bearer_label), book.language),
        label=book.words(part.label) or part.part.replace("_", " "),
        amount=sentences.value(book, part.value, part.formula) if part.value >= 0 else (),
        rest=part.value < 0,
        reason=book.say("list_sep").join(dict.fromkeys(x for x in (part.reason, part.x12) if x)),
        cites=cited(book, name),
        used=len(examples) if examples is not None else None,
        examples=len(book.given.entries),
    )
