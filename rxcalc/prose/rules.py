"""The rules of a compiled rulebook as sentences: what a page about a rule holds.

Each function gives the blocks of one thing. `Rules` keeps what several of them need; the functions of this module
make one for a single thing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from rxcalc.lang.types import FLAG, Kind, Plain, Type
from rxcalc.plan.nodes import (
    Plan,
    PlanCheck,
    PlanClause,
    PlanCondition,
    PlanPart,
    PlanPartition,
    PlanStep,
    RoundTo,
    ScheduleRef,
    share_name,
)
from rxcalc.prose.declared import Declared
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.literals import digits
from rxcalc.prose.model import Block, Grid, Point, Run, Said, Sentence
from rxcalc.prose.names import Names
from rxcalc.prose.notes import notes
from rxcalc.prose.phrase import MODES, OPEN
from rxcalc.prose.points import Laid, Points
from rxcalc.prose.tables import decision_grid
from rxcalc.prose.words import LISTS, fill
from rxcalc.prose.written import Written, of_trend, written
from rxcalc.syntax import nodes as n

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "is": ("{s} is {a}", "{s}为{a}"),
    "is_flag": ("{s} is yes exactly if {a}", "{s}为“是”，当且仅当{a}"),
    "is_flag_else": ("{s} is yes if {a}, and otherwise no", "若{a}，则{s}为“是”，否则为“否”"),
    "yes_if": ("yes exactly if {a}", "为“是”，当且仅当{a}"),
    "yes_if_else": ("yes if {a}, and otherwise no", "若{a}则为“是”，否则为“否”"),
    "cases": ("{s} is decided by the first of these cases that applies:", "{s}按下列第一个成立的情形确定："),
    "always_rejected": ("Every {n} is refused", "一律{n}"),
    "always_rejected_rows": ("Every bill with such a {n} is refused", "有任何一{n}者，整张单据不予受理"),
    "rejected": ("the {n} is refused", "{n}"),
    "no_value": ("it has no value", "无此值"),
    "because": ("{a} (reason: {b})", "{a}（理由：{b}）"),
    "because_points": ("Reason: {b}.", "理由：{b}。"),
    "table": ("{s} is read off this table; the first row that applies decides:", "{s}按下表确定，以第一个符合的行为准："),
    "rounded": ("It is rounded {m} to {t}.", "结果取至{t}（{m}）。"),
    "parts": (
        "Each band's part is rounded {m} to {t} before they are added up.",
        "各段金额先分别取至{t}（{m}），再行相加。",
    ),
    "not_rounded": ("It is not rounded here.", "此处不取整。"),
    "optional": ("It may be missing.", "可以缺失。"),
    "requires": ("It is required that {a}; else the {n} is refused", "须符合以下条件，否则{n}：{a}"),
    "requires_points": ("The following is required, else the {n} is refused: {a}", "须符合以下条件，否则{n}：{a}"),
    "guarantee": ("It always holds that {a}", "结果恒须符合：{a}"),
    "why": ("Reason given: {b}.", "所示理由：{b}。"),
    "increasing": (
        "When {b} grows and all else stays, {a} never falls.",
        "其他不变时，{b}增加，{a}不减少。",
    ),
    "within": (
        "When {b} changes and all else stays, {a} never changes by more than {b} does.",
        "其他不变时，{a}的变动不超过{b}的变动。",
    ),
    "check": ("There is a finding ({v}) if {a}", "如下情形列为核查发现（{v}）：{a}"),
    "check_row": ("There is a finding ({v}) on each {n} of which {a}", "各{n}如下情形列为核查发现（{v}）：{a}"),
    "check_say": ("What is said of it: {b}.", "所示内容：{b}。"),
    "check_amount": ("The amount concerned is {a}", "涉及金额为{a}"),
    "divided": ("{a} is divided among those who bear it:", "{a}由下列各方承担："),
    "bears": ("{s}: {a}{m}", "{s}：{a}{m}"),
    "bears_points": ("{s}{m}: {a}", "{s}{m}：{a}"),
    "rest": ("what is left", "余额"),
    "part_reason": (" (reason code {r})", "（原因代码{r}）"),
    "may_be_negative": (" (may be negative)", "（可为负数）"),
    "parts_rounded": (
        "Each part is rounded {m} to {t}; the parts add up to the whole, or the {n} is refused.",
        "各部分取至{t}（{m}）；各部分之和须等于总额，否则{n}。",
    ),
    "spread": (
        "{s} is what each of {r} receives when {a} is divided among them in proportion to {b}",
        "{a}按{b}的比例分给{r}，各得之额即{s}",
    ),
    "remainder": (
        "Each amount is cut to {t}; what is left over goes, unit by unit, to the largest remainders, so that all adds up.",
        "各额舍至{t}，余下单位依次分给余数最大者，使各额之和恰等于总额。",
    ),
}  # fmt: skip
SEVERITIES: Final = {"info": ("note", "提示"), "warn": ("warning", "警告"), "error": ("error", "错误")}
ROUND_UNITS: Final = {
    Kind.PERCENT: ("{t}%", "{t}%"), Kind.DAYS: ("{t} days", "{t}天"), Kind.MONTHS: ("{t} months", "{t}个月"),
    Kind.YEARS: ("{t} years", "{t}年"), Kind.MONEY_PER_DAY: ("{t} per day", "{t}/天"),
}  # fmt: skip


class Rules:
    """The rules of one plan in one language."""

    def __init__(self, plan: Plan, language: str) -> None:
        self.plan = plan
        self.names = Names(plan, language)
        self.at = 1 if self.names.chinese else 0
        self.declared = Declared(plan, self.names)

    # ---- steps ----

    def step(self, level: str, name: str) -> tuple[Block, ...]:
        """How a step is found, and how it is rounded."""
        of = self.names.levels[level]
        step = next(s for s in of.steps if s.name == name)
        subject = self.names.run(self.names.fields[level, name], start=True)
        blocks = list(self._rule(level, step, subject))
        blocks += self._notes(level, *(i for c in step.clauses for i in (c.when, c.then)))
        blocks += self._rounding(step)
        return tuple(blocks)

    def _notes(self, level: str, *roots: int) -> list[Block]:
        return notes(self.plan, self.names, roots, self.refused(level))

    def _rule(self, level: str, step: PlanStep, subject: Sentence) -> tuple[Block, ...]:
        if len(step.clauses) == 1 and step.clauses[0].when < 0:
            return self._single(level, step, subject)
        if step.table:
            grid = self._grid(level, step)
            if grid is not None:
                return (Said(self.tell("table", s=subject)), grid)
        points = []
        for number, clause in enumerate(step.clauses, start=1):
            points.append(self._clause(level, step, str(number), clause))
        return (Said(self.tell("cases", s=subject), tuple(points)),)

    def _grid(self, level: str, step: PlanStep) -> Grid | None:
        rows = []
        for clause in step.clauses:
            laid = self._outcome(level, step, "1", clause)
            if laid.points:
                return None
            because = self.names.words(clause.because)
            runs = self.tell("because", a=laid.runs, b=self.quote(because)) if because else laid.runs
            rows.append((written(self.plan, clause.when, clause.condition).tree if clause.when >= 0 else None, runs))

        def words(row: int) -> Expressions:
            return Expressions(self.plan, self.names, step.clauses[row].when)

        return decision_grid(tuple(rows), words, self.at)

    def _single(self, level: str, step: PlanStep, subject: Sentence) -> tuple[Block, ...]:
        clause = step.clauses[0]
        because = self.names.words(clause.because)
        if clause.then < 0:
            is_rows = level in self.names.lists
            key, noun = (
                ("always_rejected_rows", self.noun(level)) if is_rows else ("always_rejected", self.refused(level))
            )
            said: list[Block] = [Said(self.ended(self.tell(key, n=noun)))]
        elif step.type == FLAG and isinstance((then := written(self.plan, clause.then, clause.formula)).tree, n.If):
            laid = self.points(then).cases(then.tree, "")
            said = [Said(self.ended(self.tell("is", s=subject, a=laid.runs)), self.whole(laid.points))]
        elif step.type == FLAG:
            laid = self.points(then).condition(then.tree)
            key = "is_flag" if laid.points else "is_flag_else"
            said = [Said(self.ended(self.tell(key, s=subject, a=laid.runs)), self.whole(laid.points))]
        else:
            laid = self.value(written(self.plan, clause.then, clause.formula), gives=step.type)
            said = [Said(self.ended(self.tell("is", s=subject, a=laid.runs)), self.whole(laid.points))]
        if because:
            said.append(Said(self.tell("because_points", b=self.quote(because))))
        return tuple(said)

    def _clause(self, level: str, step: PlanStep, number: str, clause: PlanClause) -> Point:
        because = self.names.words(clause.because)
        reason = fill(LISTS["reason"][self.at], {"a": self.quote(because)}) if because else ()

        def value(at: str) -> Laid:
            return self._outcome(level, step, at, clause)

        if clause.when < 0:
            laid = Points(Expressions(self.plan, self.names, max(clause.then, 0))).otherwise(value, reason)(number)
        else:
            when = written(self.plan, clause.when, clause.condition)
            laid = self.points(when).case(when.tree, value, reason)(number)
        return self.point(number, laid, capital=True)

    def _outcome(self, level: str, step: PlanStep, number: str, clause: PlanClause) -> Laid:
        if clause.then < 0:
            return Laid(self.tell("rejected", n=self.refused(level)))
        then = written(self.plan, clause.then, clause.formula)
        if then.text == "missing":
            return Laid(self.tell("no_value"))
        if step.type == FLAG and isinstance(then.tree, n.If):
            return self.points(then).cases(then.tree, number)
        if step.type == FLAG and not isinstance(then.tree, n.Flag):
            laid = self.points(then).condition(then.tree, number)
            return Laid(self.tell("yes_if" if laid.points else "yes_if_else", a=laid.runs), laid.points)
        return self.value(then, number, gives=step.type)

    def value(self, of: Written, number: str = "", gives: Type | None = None) -> Laid:
        """A value laid out; `gives` is the type that is wanted of it."""
        return self.points(of, gives).value(of.tree, number)

    def points(self, of: Written, gives: Type | None = None) -> Points:
        """What lays out an expression."""
        return Points(Expressions(self.plan, self.names, of.node, gives))

    def _rounding(self, step: PlanStep) -> list[Block]:
        blocks: list[Block] = []
        kind = step.type.kind if isinstance(step.type, Plain) else None
        if step.rounding is not None:
            parts = self._parts(step)
            if parts is not None:
                blocks.append(Said(self.tell("parts", m=self.mode(parts.mode), t=self.unit(parts.to, kind))))
            blocks.append(
                Said(self.tell("rounded", m=self.mode(step.rounding.mode), t=self.unit(step.rounding.to, kind)))
            )
        elif kind is Kind.MONEY:
            blocks.append(Said(self.tell("not_rounded")))
        if step.optional:
            blocks.append(Said(self.tell("optional")))
        return blocks

    def _parts(self, step: PlanStep) -> RoundTo | None:
        """How the parts of bands are rounded, where that is said of the step."""
        waiting = [i for c in step.clauses for i in (c.when, c.then) if i >= 0]
        while waiting:
            node = self.plan.nodes[waiting.pop()]
            if isinstance(node.data, ScheduleRef) and node.data.parts is not None:
                return node.data.parts
            waiting += node.args
        return None

    # ---- conditions, checks ----

    def condition(self, level: str, of: PlanCondition, key: str = "requires") -> tuple[Block, ...]:
        """A `requires:` of a level, or a guarantee (`key`)."""
        that = written(self.plan, of.that, of.formula)
        laid = self.points(that).condition(that.tree)
        if laid.points and key == "requires":
            key = "requires_points"
        said: list[Block] = [
            Said(self.ended(self.tell(key, a=laid.runs, n=self.refused(level))), self.whole(laid.points))
        ]
        if of.say:
            said.append(Said(self.tell("why", b=self.quote(self.names.words(of.say)))))
        return (*said, *self._notes(level, of.that))

    def requires(self, level: str, index: int) -> tuple[Block, ...]:
        """What an input must meet."""
        return self.condition(level, self.names.levels[level].requires[index])

    def guarantee(self, level: str, index: int) -> tuple[Block, ...]:
        """What the results always meet."""
        return self.condition(level, self.names.levels[level].guarantees[index], "guarantee")

    def trend(self, index: int) -> tuple[Block, ...]:
        """An `increasing` or `within` guarantee."""
        t = self.plan.trends[index]
        laid = self.value(of_trend(self.plan, t))
        field = self.names.field("", t.within)
        other = self.names.run(field) if field is not None else (Run(t.within),)
        return (Said(self._capital(self.tell(t.kind, a=laid.runs, b=other)), self.whole(laid.points)),)

    def check(self, index: int) -> tuple[Block, ...]:
        """When there is a finding, what it says, and the amount."""
        c = self.plan.checks[index]
        return self._check(c)

    def _check(self, c: PlanCheck) -> tuple[Block, ...]:
        when = written(self.plan, c.when, c.formula)
        laid = self.points(when).condition(when.tree)
        severity = (Run(SEVERITIES[c.severity][self.at]),)
        key = "check_row" if c.level else "check"
        said = self.tell(key, a=laid.runs, v=severity, n=self.noun(c.level))
        blocks: list[Block] = [Said(self.ended(said), self.whole(laid.points))]
        if c.say:
            blocks.append(Said(self.tell("check_say", b=self.quote(self.names.words(c.say)))))
        if c.amount >= 0:
            amount = self.value(written(self.plan, c.amount, c.amount_formula))
            blocks.append(Said(self.ended(self.tell("check_amount", a=amount.runs)), self.whole(amount.points)))
        return tuple(blocks)

    # ---- shares and spreads ----

    def partition(self, level: str, index: int) -> tuple[Block, ...]:
        """Who bears which part of an amount."""
        of = self.names.levels[level]
        partition: PlanPartition = of.shares[index]  # type: ignore[union-attr]  # lists have no shares
        whole = self.value(written(self.plan, partition.of, partition.of_formula))
        points = tuple(
            self.point(str(number), self._part(level, partition, index, part, str(number)))
            for number, part in enumerate(partition.parts, start=1)
        )
        unit = self.unit(self._minor(), Kind.MONEY)
        rounded = self.tell("parts_rounded", m=self.mode(self.plan.rounding), t=unit, n=self.refused(level))
        head: list[Block] = [Said(self._capital(self.tell("divided", a=whole.runs)), points)]
        if whole.points:
            of_whole = self.tell("is", s=(Run("“A”"),), a=whole.runs)
            head = [
                Said(of_whole, self.whole(whole.points)),
                Said(self._capital(self.tell("divided", a=(Run("“A”"),))), points),
            ]
        return (*head, *self._notes(level, partition.of, *(p.value for p in partition.parts)), Said(rounded))

    def _part(self, level: str, partition: PlanPartition, index: int, part: PlanPart, number: str) -> Laid:
        name = share_name(index, partition.name, part.bearer, part.part)
        named = self.names.fields.get((level, name))
        subject = self.names.run(named, start=True) if named is not None else (Run(name),)
        laid = Laid(self.tell("rest"))
        if part.value >= 0:
            laid = self.value(written(self.plan, part.value, part.formula), number)
        more: Sentence = self.tell("part_reason", r=(Run(part.reason),)) if part.reason else ()
        if part.may_be_negative:
            more = (*more, *self.tell("may_be_negative"))
        key = "bears_points" if laid.points else "bears"
        return Laid(self.tell(key, s=subject, a=laid.runs, m=more), laid.points)

    def spread(self, target: str, name: str) -> tuple[Block, ...]:
        """What a row receives of an amount that is divided among rows."""
        s = next(s for s in self.plan.spreads if (s.target, s.name) == (target, name))
        subject = self.names.run(self.names.fields[target, name], start=True)
        rows = self._receivers(s.target)
        what = self.inline(written(self.plan, s.what, s.formula))
        by = self.inline(written(self.plan, s.by, s.by_formula))
        unit = self.unit(self._minor(), Kind.MONEY)
        said = self.tell("spread", s=subject, r=rows, a=what, b=by)
        told = self._notes(s.target if s.target in self.names.lists else s.source, s.what, s.by)
        return (Said(self.ended(said)), *told, Said(self.tell("remainder", t=unit)))

    def _receivers(self, target: str) -> Sentence:
        if target in self.names.lists:
            return self.names.run(self.names.lists[target])
        if target in self.names.kinds:
            return self.names.run(self.names.kinds[target])
        return (Run(("its episodes", "本组各次就诊")[self.at]),)

    # ---- parts of sentences ----

    def inline(self, of: Written) -> Sentence:
        """A value in one line, however long."""
        return Expressions(self.plan, self.names, of.node).operand(of.tree, OPEN)

    def refused(self, level: str) -> Sentence:
        """What is refused where a rule of the level refuses: a row takes its whole bill with it."""
        if level in self.names.lists:
            return (Run(("whole bill", "整张单据不予受理")[self.at]),)
        if level in self.names.groups:
            return (Run(("group", "该组不予受理")[self.at]),)
        return (Run(("episode", "不予受理")[self.at]),)

    def noun(self, level: str) -> Sentence:
        """What a row of the level is called."""
        words = {"": ("episode", "就诊"), "lines": ("line", "明细")}
        kind = words.get(level) or (("group", "组") if level in self.names.groups else ("row", "行"))
        return (Run(kind[self.at]),)

    def mode(self, mode: str) -> Sentence:
        """A way of rounding."""
        return (Run(MODES[mode][self.at]),)

    def unit(self, to: Fraction, kind: Kind | None) -> Sentence:
        """What is rounded to."""
        shown = to * 100 if kind is Kind.PERCENT else to
        template = ROUND_UNITS.get(kind, ("{t}", "{t}")) if kind is not None else ("{t}", "{t}")
        return fill(template[self.at], {"t": (Run(digits(shown)),)})

    def _minor(self) -> Fraction:
        return Fraction(1, 10**self.plan.decimals)

    def quote(self, text: str) -> Sentence:
        """A text of the rulebook."""
        return (Run(f"“{text}”"),)

    def tell(self, key: str, **parts: Sentence) -> Sentence:
        """A sentence from its template."""
        return fill(SENTENCES[key][self.at], parts)

    def point(self, number: str, laid: Laid, *, capital: bool = False) -> Point:
        """A point whose sentences end as sentences do."""
        runs = self.ended(laid.runs)
        return Point(number, self._capital(runs) if capital else runs, self.whole(laid.points))

    def whole(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Points whose sentences end as sentences do."""
        return tuple(Point(p.number, self.ended(p.sentence), self.whole(p.points)) for p in points)

    def ended(self, runs: Sentence) -> Sentence:
        """With a full stop, unless it opens a list or has one."""
        last = runs[-1].text if runs else ""
        return runs if last.endswith((":", "：", ".", "。")) else (*runs, Run("。" if self.names.chinese else "."))

    def _capital(self, runs: Sentence) -> Sentence:
        return (Run(runs[0].text[:1].upper() + runs[0].text[1:], runs[0].ref), *runs[1:]) if runs else runs


def step(plan: Plan, level: str, name: str, language: str) -> tuple[Block, ...]:
    """A step as sentences."""
    return Rules(plan, language).step(level, name)
