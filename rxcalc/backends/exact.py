"""The exact back end: one episode over rationals. It defines what a rulebook means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Final, TypeAlias

from rxcalc.backends.base import Finding, Outcome, Problem, RowResult
from rxcalc.backends.exact_nodes import SAFE_BITS, NodeCompiler, Thunk
from rxcalc.backends.exact_ops import Refused
from rxcalc.backends.exact_rows import form_groups, rows_below, spread
from rxcalc.backends.frames import NO_GROUPS, Frame, Groups, sortable
from rxcalc.lang.arithmetic import MAX_BITS, plain, round_to
from rxcalc.lang.ops import Op
from rxcalc.lang.types import is_whole
from rxcalc.plan.figures import figure, filled, formula_text
from rxcalc.plan.nodes import (
    Formula,
    Plan,
    PlanBlock,
    PlanCheck,
    PlanCondition,
    PlanGroup,
    PlanList,
    PlanPartition,
    PlanStep,
    Value,
    evaluation_order,
    share_name,
)
from rxcalc.plan.ranges import MAX_ROWS
from rxcalc.plan.reads import nodes_below
from rxcalc.rulebook.bases import HIDDEN
from rxcalc.tracing.model import Recorder, StepTrace

KEYED: Final = frozenset({Op.PARAMETER, Op.CELL, Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS})


Action: TypeAlias = "Callable[[Frame], None]"


class Exact:
    """Evaluates episodes of one plan, each with its lists and the groups inside it.

    Inputs are checked values (`inputs/records.py`), every declared input present, lists as tuples of rows.
    The result with a recorder equals the result without one.
    """

    def __init__(self, plan: Plan, *, recording: bool = False) -> None:
        self.plan = plan
        self.unit = Fraction(1, 10**plan.decimals)
        self.nothing_before = Windows(plan)
        compiler = self._compiler(_shown_nodes(plan) if recording else frozenset())
        self.thunks: list[Thunk] = compiler.thunks
        self.inside = compiler.inside
        levels: list[tuple[str, Plan | PlanList | PlanGroup]] = [("", plan)]
        levels += [(x.name, x) for x in plan.lists]
        levels += [(g.name, g) for g in plan.groups]
        self.of = dict(levels)
        self.runners = {(level, s.name): _StepRunner(s, self.thunks) for level, of in levels for s in of.steps}
        self.totals = {
            level: frozenset(s.name for s in of.steps) & frozenset(of.totals)
            for level, of in levels
            if not isinstance(of, PlanList)
        }
        compiler.on_demand.update({key: _on_demand(self.runners[key], key[1]) for key in compiler.lazy})
        self.lazy = compiler.lazy
        self.spreads = {(s.target, s.name): s for s in plan.spreads}
        blocks = evaluation_order(plan)
        last = max((b.phase for b in blocks), default=0)
        self.phases = [self._phase([b for b in blocks if b.phase == phase]) for phase in range(last + 1)]

    def _compiler(self, recorded: frozenset[int]) -> NodeCompiler:
        return NodeCompiler(self.plan, recorded)

    def _phase(self, blocks: Sequence[PlanBlock]) -> list[tuple[str, list[tuple[str, Action]]]]:
        """What a phase does inside one bill: blocks of (level whose rows act, action), or of a list row by row."""
        result = []
        for block in blocks:
            items = [
                (self.acts_on(level, name), self.action(level, name))
                for level, name in block.items
                if self.is_inside(level, name) and (level, name) not in self.lazy
            ]
            if items and (not block.through or block.through in self.inside):
                result.append((block.through, items))
        return result

    def is_inside(self, level: str, name: str) -> bool:
        """Whether an item is computed within one bill: not that of a group across bills, nor what one spreads."""
        spread = self.spreads.get((level, name))
        return level in self.inside and (spread is None or spread.source in self.inside)

    def acts_on(self, level: str, name: str) -> str:
        """The level whose rows an item acts on: for a spread those that give, for `members` the episode."""
        if (level, name) in self.spreads:
            return self.spreads[level, name].source
        return "" if name == "members:" else level

    def action(self, level: str, name: str) -> Action:
        """What an item of a block does to a row that it acts on."""
        of = self.of[level]
        head, _, rest = name.partition(":") if ":" in name else ("", "", "")
        if (level, name) in self.spreads:
            s = self.spreads[level, name]
            what, by = self.thunks[s.what], self.thunks[s.by]
            return lambda f: spread(s, what, by, self.unit, f, rows_below(f, level))
        if head == "members" and isinstance(of, PlanGroup):
            keys = [self.thunks[k.node] for k in of.keys]
            return lambda f: form_groups(of, keys, f)
        if head == "requires":
            return partial(self._require, of.requires[int(rest)])
        if head == "guarantee":
            return partial(self._guarantee, of.guarantees[int(rest)])
        if head == "shares" and not isinstance(of, PlanList):
            index = [p.name for p in of.shares].index(rest)
            return partial(self._divide, index, of.shares[index])
        return self.runners[level, name].run

    def run(
        self, inputs: Mapping[str, Value], windows: Windows | None = None, recorder: Recorder | None = None,
        groups: Groups = NO_GROUPS,
    ) -> Outcome:  # fmt: skip
        """The outcome of one episode; `windows` answers its window calls (None: nothing came before), `groups` its groups across bills."""
        bill = self.begin(inputs, recorder, groups)
        for phase in range(len(self.phases)):
            self.advance(bill, phase, windows)
        return self.outcome(bill)

    def begin(self, inputs: Mapping[str, Value], recorder: Recorder | None = None, groups: Groups = NO_GROUPS) -> Frame:
        """An episode and its lists, before anything is computed; one that cannot be computed at all has its `problem`."""
        on = inputs[self.plan.effective_by]
        assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
        frame = Frame(inputs, on, self.nothing_before.value, recorder, order=(inputs.get("episode_id"),))
        frame.groups = groups
        if self.plan.sequence is not None:
            frame.place = sortable(tuple(inputs.get(name) for name in self.plan.sequence.order))
        try:
            self._effective(on)
            self._reversal(inputs)
            for x in self.plan.lists:
                self._rows(x, frame)
        except Refused as refused:
            frame.problem = refused.problem
        return frame

    def advance(self, bill: Frame, phase: int, windows: Windows | None = None) -> None:
        """Computes what a phase says of one bill, unless it is refused already."""
        if bill.problem is not None:
            return
        bill.window = (windows or self.nothing_before).value
        for rows in bill.rows.values():
            for row in rows:
                row.window = bill.window
        try:
            for through, items in self.phases[phase]:
                if through:
                    for row in bill.rows.get(through, ()):
                        for _, act in items:
                            in_row(row, act)
                    continue
                for level, act in items:
                    if not level:
                        act(bill)
                    else:
                        for row in bill.rows.get(level, ()):
                            in_row(row, act)
        except Refused as refused:
            bill.problem = refused.problem

    def outcome(self, bill: Frame, *, checked: bool = True) -> Outcome:
        """What has been computed of a bill so far; `checked`: everything, so that findings can be made."""
        lists = {level: tuple(RowResult(row.inputs, row.steps) for row in rows) for level, rows in bill.rows.items()}
        findings = tuple(self._findings(bill)) if checked and bill.problem is None else ()
        return Outcome(
            bill.inputs,
            bill.steps,
            bill.shares,
            bill.problem,
            lists,
            findings,
            _incomplete(bill),
        )

    def value_of(self, node: int, outcome: Outcome) -> Value:
        """The value of a node that reads only inputs and results (a trend guarantee) for a finished outcome."""
        on = outcome.inputs[self.plan.effective_by]
        assert isinstance(on, date)  # noqa: S101 - a required date input, checked by the compiler
        frame = Frame(outcome.inputs, on, self.nothing_before.value, None)
        frame.steps, frame.shares = dict(outcome.steps), dict(outcome.shares)
        for level, rows in outcome.lists.items():
            for found in rows:
                frame.within(found.inputs, level, ()).steps = dict(found.steps)
        value: Value = self.thunks[node](frame)
        return value

    # ---- before and after the steps ----

    def _effective(self, on: date) -> None:
        problem = outside(self.plan, on)
        if problem is not None:
            raise Refused(problem)

    def _reversal(self, inputs: Mapping[str, Value]) -> None:
        """Refuses a reversal: by itself it has no results, those of the episode it names belong to its sequence."""
        field = self.plan.sequence.reverses if self.plan.sequence is not None else ""
        if field and inputs[field] is not None:
            message = f"`{inputs[field]}`, which this episode reverses, is not given; give both in one sequence"
            raise Refused(Problem("RX813", field, str(inputs[field]), message))

    def _rows(self, x: PlanList, bill: Frame) -> None:
        """The rows of a list, in its order."""
        given = bill.inputs.get(x.name)
        rows = given if isinstance(given, tuple) else ()
        if x.required and not rows:
            raise Refused(Problem("RX808", x.name, "", f"the episode has no `{x.name}`, which the rulebook requires"))
        if len(rows) > MAX_ROWS:
            message = f"the episode has {len(rows)} rows in `{x.name}`; a bill has at most {MAX_ROWS}"
            raise Refused(Problem("RX820", x.name, str(len(rows)), message))
        bill.rows[x.name] = []
        if not x.order:
            for at, row in enumerate(rows):
                bill.within(row, x.name, (at + 1,))
            return
        placed = sorted(((tuple(row[name] for name in x.order), row) for row in rows), key=lambda p: sortable(p[0]))
        for (order, _), (after, _) in pairwise(placed):
            if order == after:
                shown = "/".join(str(o) for o in order)
                message = (
                    f"two rows of `{x.name}` have the same {', '.join(x.order)} ({shown}); it must be unique in a bill"
                )
                raise Refused(Problem("RX805", f"{x.name}.{x.order[0]}", shown, message))
        for order, row in placed:
            bill.within(row, x.name, order)

    def _require(self, condition: PlanCondition, frame: Frame) -> None:
        if not self.thunks[condition.that](frame):
            said = _first(condition.say)
            figures = self._figures(condition.formula, frame)
            text = formula_text(condition.formula)
            message = f"{said + ': ' if said else ''}`{text}` does not hold ({figures})"
            raise Refused(Problem("RX722", text, figures, message))

    def _guarantee(self, guarantee: PlanCondition, frame: Frame) -> None:
        if not self.thunks[guarantee.that](frame):
            text = formula_text(guarantee.formula)
            figures = self._figures(guarantee.formula, frame)
            message = f"the results break the rulebook's guarantee `{text}` ({figures}); the rulebook must be mended"
            raise Refused(Problem("RX803", text, figures, message))

    def _findings(self, bill: Frame) -> Iterator[Finding]:
        for index, check in enumerate(self.plan.checks):
            if check.level in self.inside:
                yield from self.findings_of(index, check, [bill] if not check.level else bill.rows.get(check.level, ()))

    def findings_of(self, index: int, check: PlanCheck, rows: Iterable[Frame]) -> Iterator[Finding]:
        """The rows on which a check is found; where a row of a table is missing there is no finding."""
        for row in rows:
            try:
                if not self.thunks[check.when](row):
                    continue
                amount = self.thunks[check.amount](row) if check.amount >= 0 else None
                figures = self._figures(check.formula, row)
            except Refused:
                continue
            if amount is not None:
                amount = round_to(amount, self.unit, self.plan.rounding)
            yield Finding(index, row.order if row.level else (), amount, figures)

    def _divide(self, index: int, partition: PlanPartition, frame: Frame) -> None:
        plan = self.plan
        whole = round_to(self.thunks[partition.of](frame), self.unit, plan.rounding)
        amounts = [
            None if part.value < 0 else round_to(self.thunks[part.value](frame), self.unit, plan.rounding)
            for part in partition.parts
        ]
        rest = whole - sum((a for a in amounts if a is not None), Fraction(0))
        totals: dict[str, Fraction] = {}
        left = rest
        for part, amount in zip(partition.parts, amounts, strict=True):
            own = rest if amount is None else amount
            if amount is None:
                left = Fraction(0)
            name = share_name(index, partition.name, part.bearer, part.part)
            if own < 0 and not part.may_be_negative:
                shown = self._money(own)
                message = f"`{name}` would be {shown}; a part must not be negative unless the rulebook says `may_be_negative: yes`"
                raise Refused(Problem("RX802", name, shown, message))
            frame.shares[name] = own
            totals[part.bearer] = totals.get(part.bearer, Fraction(0)) + own
        if left != 0:
            message = f"the parts of `{partition.name}` add up to {self._money(whole - left)}, not to {self._money(whole)}: {self._money(left)} has no bearer"
            raise Refused(Problem("RX801", partition.name, self._money(left), message))
        if index == 0:
            for bearer, total in totals.items():
                name = f"{bearer}_pays"
                if name in self.totals[frame.level]:
                    if frame.steps.get(name) != total:
                        own_value = frame.steps.get(name)
                        shown = self._money(own_value) if isinstance(own_value, int | Fraction) else str(own_value)
                        message = f"step `{name}` is {shown}, but the parts that `{bearer}` bears add up to {self._money(total)}"
                        raise Refused(Problem("RX804", name, shown, message))
                else:
                    frame.shares[name] = total

    def _figures(self, formula: Formula, frame: Frame) -> str:
        nodes = self.plan.nodes
        return filled(formula, lambda n: figure(self.thunks[n](frame), nodes[n].type, self.plan.decimals))

    def _money(self, amount: Fraction | int) -> str:
        return plain(amount, self.plan.decimals, grouped=True) if (amount / self.unit).denominator == 1 else str(amount)


def outside(plan: Plan, on: date) -> Problem | None:
    """Why an episode cannot be computed as of a date: the rulebook is not effective then."""
    if plan.effective_from <= on and (plan.effective_to is None or not on > plan.effective_to):
        return None
    until = f" to {plan.effective_to}" if plan.effective_to is not None else " on"
    message = f"the rulebook is effective from {plan.effective_from}{until}; use the version for this date"
    return Problem("RX723", plan.effective_by, str(on), message)


def _incomplete(bill: Frame) -> tuple[str, ...]:
    """The kinds of the groups read by a bill that lost a member, or that read such a group themselves."""
    if not bill.touched:
        return ()
    seen: set[Frame] = set()
    kinds: set[str] = set()

    def lost(group: Frame) -> bool:
        if group in seen:
            return False
        seen.add(group)
        return bool(group.rejected) or any(lost(t) for t in group.touched)

    for group in bill.touched:
        seen.clear()
        if lost(group):
            kinds.add(group.level)
    return tuple(sorted(kinds))


def in_row(row: Frame, act: Action) -> None:
    """Acts on a row of a bill; a refusal names the row."""
    try:
        act(row)
    except Refused as refused:
        p = refused.problem
        where = f"{row.level} {'/'.join(str(o) for o in row.order)}"
        raise Refused(Problem(p.code, p.field, p.value, f"{where}: {p.message}")) from None


def _on_demand(runner: _StepRunner, name: str) -> Thunk:
    """A step computed where it is first read: the rule that an overlay's `base` stands for.

    What surrounds the reader, another row or the name before `->`, does not reach it.
    """

    def read(f: Frame) -> Value:
        if name not in f.lazy:
            outer = f.earlier, f.local
            f.earlier, f.local = {}, {}
            try:
                f.lazy[name] = runner.value(f)
            finally:
                f.earlier, f.local = outer
        return f.lazy[name]

    return read


class Windows:
    """Answers window calls. This one knows of no earlier episode: sums and counts are 0, the others missing."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def value(self, call: int, frame: Frame) -> Value:
        """The value of a window call for the episode in `frame`."""
        del frame
        return 0 if self.plan.calls[call].function in ("sum", "count") else None


class _StepRunner:
    """One step: clauses compiled, rounding at hand."""

    __slots__ = ("clauses", "name", "rounding", "step", "unbounded", "whole")

    def __init__(self, step: PlanStep, thunks: list[Thunk]) -> None:
        self.step = step
        self.name = step.name.partition(HIDDEN)[0]  # as it was written
        self.rounding = step.rounding
        self.whole = is_whole(step.type)
        proven = step.scale and step.low is not None and step.high is not None
        self.unbounded = not proven or max(-(step.low or 0), step.high or 0) > 2**SAFE_BITS
        self.clauses = [
            (thunks[c.when] if c.when >= 0 else None, thunks[c.then] if c.then >= 0 else None, c) for c in step.clauses
        ]

    def run(self, frame: Frame) -> None:
        frame.steps[self.step.name] = self.value(frame)

    def value(self, frame: Frame) -> Value:
        """What the first clause that holds gives, rounded."""
        value: Value
        for index, (when, then, clause) in enumerate(self.clauses):
            if when is None or when(frame):
                if then is None:
                    said = _first(clause.because) or clause.because_name
                    message = f"the rulebook rejects this episode{': ' + said if said else ''}"
                    raise Refused(Problem("RX721", self.name, clause.because_name or said, message))
                exact = value = then(frame)
                if self.rounding is not None and exact is not None:
                    value = round_to(exact, self.rounding.to, self.rounding.mode)
                    if self.whole:
                        value = value.numerator
                if self.unbounded and isinstance(value, int | Fraction) and _bits(value) > MAX_BITS:
                    message = f"`{self.name}` has more than {MAX_BITS} bits; make the numbers smaller"
                    raise Refused(Problem("RX718", self.name, "", message))
                if frame.recorder is not None:
                    frame.recorder.steps.append(StepTrace(self.step.name, index, exact, value))
                return value
        message = f"no clause of `{self.name}` holds; the compiler should have seen this"
        raise Refused(Problem("RX902", self.name, "", message))


def _bits(value: int | Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _first(words: tuple[tuple[str, str], ...]) -> str:
    """The English text of a message, else its first."""
    by_language = dict(words)
    return by_language.get("en") or (words[0][1] if words else "")


def _shown_nodes(plan: Plan) -> frozenset[int]:
    """The nodes whose values explanations print."""
    steps = [*plan.steps, *(s for x in plan.lists for s in x.steps), *(s for g in plan.groups for s in g.steps)]
    shares = [*plan.shares, *(p for g in plan.groups for p in g.shares)]
    formulas: list[Formula | None] = [p.of_formula for p in shares]
    formulas += [part.formula for p in shares for part in p.parts]
    formulas += [f for s in steps for c in s.clauses for f in (c.condition, c.formula)]
    formulas += [f for x in plan.spreads for f in (x.formula, x.by_formula)]
    formulas += [f for c in plan.checks for f in (c.formula, c.amount_formula)]
    holes = {part for f in formulas if f is not None for part in f.parts if isinstance(part, int)}
    # The keys of a lookup are shown with it: `deductible[county]`.
    keys = {a for h in holes for a in plan.nodes[h].args if plan.nodes[h].op in KEYED}
    # Why a clause did not hold is said of its parts; what is divided or claimed is rounded, so its exact value is needed.
    tested = [c.when for s in steps for c in s.clauses] + [c.when for c in plan.checks]
    conditions = {n for root in tested if root >= 0 for n in _own_below(plan, root)}
    whole = {p.of for p in shares} | {part.value for p in shares for part in p.parts} | {c.amount for c in plan.checks}
    mapped = nodes_below(plan, [k for k in keys if plan.nodes[k].body])
    below = {n for n in mapped if plan.nodes[n].op is Op.PARAMETER}  # what mapped rates read
    return frozenset((holes | keys | conditions | whole | below) - {-1})


def _own_below(plan: Plan, root: int) -> set[int]:
    """A condition and its parts, as far as they are evaluated on the row itself."""
    found: set[int] = set()
    stack = [root]
    while stack:
        index = stack.pop()
        found.add(index)
        node = plan.nodes[index]
        stack.extend(() if node.op is Op.LIFT else node.args[1:] if node.op is Op.GROUP else node.args)
    return found
