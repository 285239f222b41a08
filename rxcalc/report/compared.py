"""One bill computed several times, side by side: the amounts, what moved, and where each other one parts from the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from rxcalc.backends.base import Outcome
from rxcalc.bill.compare import Comparison, Difference, Figure, Place, compare, moved
from rxcalc.bill.whatif import Change
from rxcalc.inputs.shown import shown
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Plan, PlanStep, share_name
from rxcalc.report.bearers import bearer_label
from rxcalc.report.layout import width
from rxcalc.report.model import Explanation, ShareLine, StepLine
from rxcalc.report.order import bill_sequence
from rxcalc.report.outline_model import Bands
from rxcalc.report.outline_model import Told as TextTold
from rxcalc.report.outline_steps import Teller
from rxcalc.report.phrases import phrase
from rxcalc.report.phrases_whatif import said
from rxcalc.report.wording import Wording

LONGEST_LABEL: Final = 14  # of a value in a column of amounts; a longer one is shown by its name


@dataclass(frozen=True)
class Side:
    """One way in which the bill is computed. `mark` is what columns call it.

    One that could not be read has no outcome, and `problems` that say why.
    """

    mark: str
    plan: Plan
    outcome: Outcome | None
    explanation: Explanation | None
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """Why there are no amounts; "" where there are."""
        if self.outcome is None:
            return "; ".join(self.problems)
        problem = self.outcome.problem
        return f"{problem.code}: {problem.message}" if problem is not None else ""


@dataclass(frozen=True)
class Cell:
    """An amount in a column: `shown` for reading, `plain` as data; `moved` is how much it is above the first column's."""

    shown: str
    plain: str | None
    moved: str = ""
    moved_plain: str | None = None
    is_zero: bool = False


@dataclass(frozen=True)
class Line:
    """A result over all columns; None where a column has none. `section` is outputs, totals, or shares:NAME."""

    section: str
    name: str
    label: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Told:
    """A line about a step: `title` a fixed word, `key` the same in any language."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Reading:
    """A step on one side: its value, and how it came about."""

    shown: str
    plain: str | None
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Parting:
    """The first result at which a side is another than the first one; `moved` "" where it is no number."""

    mark: str
    place: Place
    label: str
    one: Reading
    other: Reading
    moved: str
    moved_plain: str | None


@dataclass(frozen=True)
class Table:
    """The sides over each other, the first one being the bill as it is."""

    sides: tuple[Side, ...]
    lines: tuple[Line, ...]
    partings: tuple[Parting | None, ...]  # of each side but the first
    comparisons: tuple[Comparison | None, ...]  # as above


def table(sides: Sequence[Side], language: str) -> Table:
    """The sides compared with the first one."""
    first, *others = sides
    words = Wording(language, first.plan.decimals, grouped=True)
    comparisons = tuple(_compared(first, other) for other in others)
    partings = tuple(_parting(first, o, c, words) for o, c in zip(others, comparisons, strict=True))
    return Table(tuple(sides), tuple(_lines(sides, words)), partings, comparisons)


def change_sentence(change: Change, language: str, decimals: int) -> str:
    """What is otherwise: `Hospital level: City (city) instead of County (county)`."""
    words = Wording(language, decimals, grouped=True)
    if change.parameter is not None:
        label = words.words(change.parameter.label) or change.parameter.name
        if change.since is not None:
            return said("other_version", language).format(label, change.field, change.since, change.was)
        return said("other_parameter", language).format(label, change.field, change.words[1], change.words[0])
    assert change.spec is not None  # noqa: S101 - a change is of an input or of a parameter
    label = words.words(change.spec.label) or change.field
    old = words.input(change.spec, change.old) if change.old is not None else said("nothing", language)
    if change.new is None and not change.text:
        return said("left_out", language).format(label, old)
    new = words.input(change.spec, change.new) if change.new is not None else shown(change.text)
    return said("other_value", language).format(label, new, old)


# ---- amounts ----


def _lines(sides: Sequence[Side], words: Wording) -> list[Line]:
    found: list[Line] = []
    for section, name, label in _wanted(sides, words):
        figures = [_figure(side, name) for side in sides]
        if any(f is not None for f in figures):
            cells = tuple(_cell(side, name, figures[0] if at else None, words) for at, side in enumerate(sides))
            found.append(Line(section, name, label, cells))
    return found


def _wanted(sides: Sequence[Side], words: Wording) -> list[tuple[str, str, str]]:
    """The outputs, parts and totals of all sides: section, name, label. What is a part or total stands there only."""
    parts: dict[tuple[str, str], str] = {}
    totals: dict[tuple[str, str], str] = {}
    outputs: dict[tuple[str, str], str] = {}
    for plan in dict.fromkeys(id(s.plan) for s in sides):
        p = next(s.plan for s in sides if id(s.plan) == plan)
        for at, partition in enumerate(p.shares):
            for part in partition.parts:
                bearer = bearer_label(part.bearer, words.words(part.bearer_label), words.language)
                own = words.words(part.label) or part.part
                name = share_name(at, partition.name, part.bearer, part.part)
                key = f"shares:{words.words(partition.label) or partition.name}"
                parts.setdefault((key, name), f"{bearer}{phrase('label_sep', words.language)}{own}" if own else bearer)
                if at == 0 and f"{part.bearer}_pays" in p.totals:
                    totals.setdefault(("totals", f"{part.bearer}_pays"), bearer)
        steps = {s.name: s for s in p.steps}
        for name in p.outputs:
            label = words.words(steps[name].label) if name in steps else ""
            outputs.setdefault(("outputs", name), label or name)
    shared = {name for _, name in (*parts, *totals)}
    kept = {key: label for key, label in outputs.items() if key[1] not in shared}
    return [(*key, label) for key, label in (*kept.items(), *parts.items(), *totals.items())]


def _figure(side: Side, name: str) -> Figure | None:
    if side.outcome is None or side.outcome.problem is not None:
        return None
    if name in side.outcome.shares:
        return Figure(side.outcome.shares[name], MONEY)
    if name not in side.outcome.steps:
        return None
    step = next((s for s in side.plan.steps if s.name == name), None)
    return Figure(side.outcome.steps[name], step.type if isinstance(step, PlanStep) else MONEY)


def _cell(side: Side, name: str, first: Figure | None, words: Wording) -> Cell | None:
    own = _figure(side, name)
    if own is None:
        return None
    by = moved(first, own)
    sign, plain = (signed(by, own, words), words.plain(by, own.type)) if by is not None else ("", None)
    if first == own:
        sign = "="
    return Cell(_label_of(side.plan, name, own, words), words.plain(own.value, own.type), sign, plain, own.value == 0)


def _label_of(plan: Plan, name: str, own: Figure, words: Wording) -> str:
    """A value for reading; one of a set by its label."""
    step = next((s for s in plan.steps if s.name == name), None)
    labels = {v.name: words.words(v.label) for v in step.values} if step is not None else {}
    known = labels.get(own.value, "") if isinstance(own.value, str) else ""
    return known if 0 < width(known) <= LONGEST_LABEL else words.figure(own.value, own.type, "near")


def signed(by: Fraction, of: Figure, words: Wording) -> str:
    """A difference with its sign: `+200.00`, `-5%`; `0` is `=`."""
    if by == 0:
        return "="
    text = words.figure(abs(by), of.type, "near")
    return f"{'+' if by > 0 else '-'}{text}"


# ---- where they part ----


def _compared(first: Side, other: Side) -> Comparison | None:
    if first.outcome is None or other.outcome is None:
        return None
    return compare(first.plan, first.outcome, other.plan, other.outcome, bill_sequence(first.plan))


def _parting(first: Side, other: Side, found: Comparison | None, words: Wording) -> Parting | None:
    if found is None or found.first is None:
        return None
    difference = found.first
    place, by = difference.place, difference.moved
    steps = _step_line(first, place), _step_line(other, place)
    one = _reading(first, place, difference.one, steps[1], words)
    two = _reading(other, place, difference.other, steps[0], words)
    sources = [[t.text for t in r.told if t.key == "source"] for r in (one, two)]
    if sources[0] == sources[1]:  # both rest on the same source: once is enough
        one = replace(one, told=tuple(t for t in one.told if t.key != "source"))
    return Parting(
        other.mark,
        place,
        _label(first, difference),
        one,
        two,
        signed(by, difference.other, words) if by is not None else "",
        words.plain(by, difference.other.type) if by is not None else None,
    )


def _label(side: Side, difference: Difference) -> str:
    place = difference.place
    of = _step_line(side, place) or _share_line(side, place)
    label = of.label if of is not None else place.name
    row = f" ({place.level} {place.row})" if place.level else ""
    return f"{label}{row}" if label == place.name else f"{label} [{place.name}]{row}"


def _reading(side: Side, place: Place, own: Figure, opposite: StepLine | None, words: Wording) -> Reading:
    step = _step_line(side, place)
    told: list[Told] = []
    if step is not None and side.explanation is not None:
        told = _of_step(side.explanation, step, opposite, words.language)
        text = step.shown
    else:
        share = _share_line(side, place)
        text = words.figure(own.value, own.type)
        if share is not None and share.figures not in ("", text):
            told.append(Told("figures", phrase("figures", words.language), share.figures))
    return Reading(text, words.plain(own.value, own.type), tuple(told))


def _of_step(x: Explanation, s: StepLine, opposite: StepLine | None, language: str) -> list[Told]:
    """How a step came to its value, in the words of `explain`; first why it is not as on the opposite side."""
    teller = Teller.of(x, language, "steps")
    found: list[Told] = []
    for n in s.not_applied:
        if opposite is not None and n.condition == opposite.clause:
            found += [Told(t.key, t.title, t.text) for t in teller.not_applied(n)]
    for part in teller.step(s, "").parts:
        if isinstance(part, TextTold):
            found.append(Told(part.key, part.title, part.text))
        elif isinstance(part, Bands):
            found.append(Told("bands", part.title, teller.flat(part).removeprefix(part.title).strip()))
    return found


def _step_line(side: Side, place: Place) -> StepLine | None:
    """The explanation of a step or a part received, of the bill or of a row."""
    x, outcome = side.explanation, side.outcome
    if x is None or outcome is None or place.kind not in ("step", "received"):
        return None
    steps = x.steps
    if place.level:
        rows = [r.steps for found in x.lists if found.name == place.level for r in found.rows]
        rows += [g.steps for g in x.groups if g.inside and g.kind == place.level]
        at = place.at
        steps = rows[at] if at < len(rows) else ()
    return next((s for s in steps if s.name == place.name), None)


def _share_line(side: Side, place: Place) -> ShareLine | None:
    x = side.explanation
    if x is None or place.kind != "part":
        return None
    for at, partition in enumerate(x.shares):
        for part in partition.parts:
            if share_name(at, part.partition, part.bearer, part.part) == place.name:
                return part
    return None
