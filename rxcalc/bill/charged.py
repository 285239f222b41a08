"""The amounts that a bill says (`charged:`), each matched to the result of the rulebook that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rxcalc.backends.base import Outcome
from rxcalc.bill.compare import row_name
from rxcalc.bill.subject import Subject
from rxcalc.diagnostics.model import Diagnostic, Label, Severity, Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import EpisodeEntry, ExpectedRow
from rxcalc.inputs.groups import plain_values, result_spec
from rxcalc.lang.ops import Op
from rxcalc.lang.types import MONEY, Type
from rxcalc.plan.nodes import (
    Plan,
    PlanList,
    PlanSetValue,
    PlanStep,
    Value,
    Words,
    share_name,
)
from rxcalc.rulebook.document import Scalar
from rxcalc.source import Span
from rxcalc.typed.symbols import nearest


@dataclass(frozen=True)
class Result:
    """A result of the rulebook that a bill can name. `kind` is step, received (of a spread), part or total."""

    level: str
    name: str
    kind: str
    type: Type
    values: tuple[PlanSetValue, ...]
    label: Words
    cite: Words
    spellings: tuple[str, ...]  # labels and field names of interfaces
    place: int  # in the order of the bill


@dataclass(frozen=True)
class ChargedAmount:
    """What the bill says of one result.

    `row` is the place of a row as text; `at` its order fields, which stay the same when other rows come and go.
    """

    of: Result
    row: str
    at: tuple[Value, ...]
    charged: Value
    place: tuple[int, int]

    def in_outcome(self, plan: Plan, outcome: Outcome) -> tuple[bool, Value]:
        """Whether an outcome has this result, and its value there."""
        name = self.of.name
        if not self.of.level:
            for values in (outcome.steps, outcome.shares):
                if name in values:
                    return True, values[name]
            return False, None
        spec = next((x for x in plan.lists if x.name == self.of.level), None)
        for at, row in enumerate(outcome.lists.get(self.of.level, ())):
            if spec is not None and order_values(spec, row.inputs, at) == self.at and name in row.steps:
                return True, row.steps[name]
        return False, None


def read_charged(
    entry: EpisodeEntry, subject: Subject, order: Sequence[tuple[str, str]], sink: Sink
) -> tuple[ChargedAmount, ...]:
    """The charged amounts in the order of the bill; what cannot be matched or read goes to the sink.

    `order` are the steps and parts received by level and name, as explanations show them.
    """
    plan = subject.plan
    found: list[ChargedAmount] = []
    known_results = results(plan, order)
    own = [r for r in known_results if not r.level]
    for name, scalar in entry.charged:
        found += _read(plan, own, name, scalar, scalar.span, sink)
    for level, rows in entry.charged_rows:
        spec = next((x for x in plan.lists if x.name == level.text), None)
        if spec is None:
            known = [x.name for x in plan.lists]
            near = nearest(level.text, known)
            lists = f"its lists are {', '.join(known)}" if known else "this rulebook has no lists"
            help_ = f"did you mean `{near}`?" if near else f"{lists}; an amount of the bill is one value"
            sink.add(_problem(level.span, f"`{level.text}` is no list of this rulebook", help_))
            continue
        for row in rows:
            found += _row(subject, spec, row, [r for r in known_results if r.level == spec.name], sink)
    _refuse_doubled(found, entry.span, sink)
    return tuple(sorted(found, key=lambda c: c.place))


def results(plan: Plan, order_of_bill: Sequence[tuple[str, str]]) -> list[Result]:
    """Everything that the rulebook computes for a bill and its rows, in the order of the bill: the shares last."""
    order = {item: at for at, item in enumerate(order_of_bill)}
    last = len(order)
    found: list[Result] = []

    def step(level: str, s: PlanStep) -> Result:
        spelt = (*(text for _, text in s.label), *(text for _, text in s.names))
        values = s.values or plain_values(s.type)
        place = order.get((level, s.name), last) * 1000
        return Result(level, s.name, "step", s.type, values, s.label, s.cite, spelt, place)

    levels: list[tuple[str, tuple[PlanStep, ...]]] = [("", plan.steps), *((x.name, x.steps) for x in plan.lists)]
    found += [step(level, s) for level, steps in levels for s in steps if not s.lazy]
    lists = {"", *(x.name for x in plan.lists)}
    for s in plan.spreads:
        if s.target in lists:
            spelt = tuple(text for _, text in s.label)
            place = order.get((s.target, s.name), last) * 1000
            found.append(Result(s.target, s.name, "received", MONEY, (), s.label, s.cite, spelt, place))
    totals: dict[str, tuple[Words, tuple[tuple[str, str], ...]]] = {}
    for at, partition in enumerate(plan.shares):
        base = (last + 1 + at) * 1000
        for n, part in enumerate(partition.parts, start=1):
            name = share_name(at, partition.name, part.bearer, part.part)
            label = part.label or (part.bearer_label if not part.part else ())
            spelt = (*(text for _, text in part.label), *(text for _, text in part.names))
            found.append(Result("", name, "part", MONEY, (), label, part.cite, spelt, base + n))
            if at == 0:
                totals.setdefault(f"{part.bearer}_pays", (part.bearer_label, part.bearer_names))
    base = (last + 1) * 1000 + 900
    for n, name in enumerate(plan.totals):
        label, names = totals.get(name, ((), ()))
        spelt = (*(text for _, text in label), *(text for _, text in names))
        if all(r.level or r.name != name for r in found):
            found.append(Result("", name, "total", MONEY, (), label, (), spelt, base + n))
    return sorted(found, key=lambda r: r.place)


def order_values(spec: PlanList, row: Mapping[str, Value], at: int) -> tuple[Value, ...]:
    """What tells a row from the others: its order fields, or its place in a list without order."""
    return tuple(row.get(name) for name in spec.order) or (at + 1,)


def difference(charged: Value, ours: Value) -> Fraction | None:
    """How much more is charged; None where the two are no numbers."""
    if isinstance(charged, bool) or isinstance(ours, bool):
        return None
    if isinstance(charged, int | Fraction) and isinstance(ours, int | Fraction):
        return Fraction(charged) - Fraction(ours)
    return None


def _row(subject: Subject, spec: PlanList, row: ExpectedRow, own: Sequence[Result], sink: Sink) -> list[ChargedAmount]:
    """The amounts charged for one row of a list."""
    plan = subject.plan
    wanted = list(row.fields)
    texts = row.key.text.split("/") if row.key is not None else []
    if row.key is None:  # rows that hold their order fields
        given = {key.text: value.text for key, value in row.fields}
        texts = [given[name] for name in spec.order if name in given]
        wanted = [(key, value) for key, value in row.fields if key.text not in spec.order]
    readers = {i.name: CellReader.of(i, plan.currency) for i in spec.inputs}
    if spec.order:
        key = tuple(readers[name].read(text.strip()) for name, text in zip(spec.order, texts, strict=False))
    else:
        key = tuple(int(text) if text.strip().isdigit() else text for text in texts)
    rows = sorted_rows(subject, spec)
    at = next((n for n, given_row in enumerate(rows) if order_values(spec, given_row, n)[: len(key)] == key), None)
    if at is None or not key:
        known = ", ".join(row_name(spec, given_row, n) for n, given_row in enumerate(rows[:12]))
        help_ = f"the bill has {known}" if known else "the bill has no rows there"
        sink.add(_problem(row.span, f"`{'/'.join(texts)}` is no row of `{spec.name}` of this bill", help_))
        return []
    name = row_name(spec, rows[at], at)
    values = order_values(spec, rows[at], at)
    return [
        c
        for field, scalar in wanted
        for c in _read(plan, own, field.text, scalar, field.span, sink, (name, values, at))
    ]


def sorted_rows(subject: Subject, spec: PlanList) -> Sequence[Mapping[str, Value]]:
    """The rows of a list of the bill, in the order of the list."""
    rows = subject.rows(spec.name)
    if not spec.order:
        return rows
    return sorted(rows, key=lambda row: tuple(_sortable(row[name]) for name in spec.order))


def _sortable(value: Value) -> tuple[int, object]:
    return (0, "") if value is None else (1, value)


def _read(
    plan: Plan,
    own: Sequence[Result],
    name: str,
    scalar: Scalar,
    span: Span,
    sink: Sink,
    row: tuple[str, tuple[Value, ...], int] = ("", (), 0),
) -> list[ChargedAmount]:
    """One charged amount; empty after a problem."""
    meant = _meant(plan, own, name)
    if len(meant) != 1:
        if meant:
            names = ", ".join(f"`{r.name}`" for r in meant)
            sink.add(_problem(span, f"`{name}` could be {names}", "write the name of the one that is meant"))
        else:
            sink.add(_unknown(plan, own, name, span))
        return []
    of = meant[0]
    spec = result_spec(of.name, of.type, of.values, optional=True)
    text = scalar.text.strip()
    value = None if text == "missing" else CellReader.of(spec, plan.currency).read(text)
    if isinstance(value, CellProblem):
        sink.add(problems.bad_episode_file(scalar.span, value.message, "write the amount as it stands on the bill"))
        return []
    if value is None and text != "missing":
        message = f"no amount is charged for `{name}`"
        sink.add(
            problems.bad_episode_file(
                scalar.span, message, "write the amount as it stands on the bill, or leave the name out"
            )
        )
        return []
    return [ChargedAmount(of, row[0], row[1], value, (of.place, row[2]))]


def _meant(plan: Plan, own: Sequence[Result], name: str) -> list[Result]:
    """The results that a name or label means."""
    wanted = name.strip()
    by_name = [r for r in own if r.name == wanted]
    if by_name:
        return by_name
    meant = [r for r in own if wanted.casefold() in {s.strip().casefold() for s in r.spellings}]
    # A part that is a step as it stands bears its label too: they are one amount.
    steps = {r.name for r in meant if r.kind == "step"}
    return [r for r in meant if r.kind != "part" or plain_step(plan, r.name) not in steps]


def plain_step(plan: Plan, share: str) -> str:
    """The step that a part is as it stands; "" when it is computed."""
    for at, partition in enumerate(plan.shares):
        for part in partition.parts:
            if share_name(at, partition.name, part.bearer, part.part) == share and part.value >= 0:
                node = plan.nodes[part.value]
                return str(node.data) if node.op is Op.STEP else ""
    return ""


def _unknown(plan: Plan, own: Sequence[Result], name: str, span: Span) -> Diagnostic:
    if any(i.name == name for i in plan.inputs):
        message = f"`{name}` is a field of the bill, not a result"
        return _problem(span, message, "it stands under `episode:`; `charged:` names what the rulebook computes")
    spelt = {text: r.name for r in own for text in (*r.spellings, r.name)}
    near = nearest(name, list(spelt))
    return _problem(
        span,
        f"`{name}` is no step, total or part of this rulebook",
        f"did you mean `{near}`?" if near else f"it has {_some(r.name for r in own)}",
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:12]) + (", .." if len(listed) > 12 else "")


def _refuse_doubled(found: Sequence[ChargedAmount], span: Span, sink: Sink) -> None:
    """Refuses two figures for one amount, by name and by label."""
    seen: set[tuple[str, str, str]] = set()
    for c in found:
        key = (c.of.level, c.row, c.of.name)
        if key in seen:
            message = f"`charged:` gives `{c.of.name}` twice, by its name and by its label"
            sink.add(problems.bad_episode_file(span, message, "leave one out"))
        seen.add(key)


def _problem(span: Span, message: str, help_: str) -> Diagnostic:
    return Diagnostic(
        code="RX754", severity=Severity.ERROR, message=message, primary=Label(span=span), help=(help_,) if help_ else ()
    )
