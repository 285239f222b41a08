"""Plans built by hand, frames for them, and runs on both back ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any

import polars as pl

from rxcalc.backends.columnar import Columnar, ColumnarResult
from rxcalc.backends.columnar.values import value_of
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import in_order, run_person, run_sequence
from rxcalc.backends.replay import run_known
from rxcalc.lang.ops import Op
from rxcalc.lang.types import (
    CODE,
    CODES,
    COUNT,
    DATE,
    DAYS,
    FLAG,
    MONEY,
    NUMBER,
    PERCENT,
    OneOf,
    ScheduleType,
    Type,
    is_numeric,
)
from rxcalc.plan.layout import input_scale
from rxcalc.plan.nodes import (
    CellRef,
    Formula,
    ParameterRef,
    Place,
    Plan,
    PlanCall,
    PlanClause,
    PlanColumn,
    PlanCondition,
    PlanInput,
    PlanNode,
    PlanParameter,
    PlanPart,
    PlanPartition,
    PlanRow,
    PlanSequence,
    PlanStep,
    PlanTable,
    PlanWindow,
    RoundTo,
    ScheduleRef,
    Segment,
)

FEN = RoundTo(Fraction(1, 100), "half-up")
HERE = Place()
START = date(2024, 1, 1)


class Book:
    """Collects the parts of a plan. Nodes carry no bounds, so that those of the layout are its own."""

    def __init__(self, *, until: date | None = date(2026, 12, 31), rounding: str = "half-up") -> None:
        self.until, self.rounding = until, rounding
        self.nodes: list[PlanNode] = []
        self.inputs: list[PlanInput] = []
        self.steps: list[PlanStep] = []
        self.parameters: list[PlanParameter] = []
        self.tables: list[PlanTable] = []
        self.windows: list[PlanWindow] = []
        self.calls: list[PlanCall] = []
        self.requires: list[PlanCondition] = []
        self.guarantees: list[PlanCondition] = []
        self.shares: list[PlanPartition] = []
        self.totals: tuple[str, ...] = ()
        self.sequence: PlanSequence | None = None
        self.input("episode_id", CODE)
        self.input("on", DATE, START, date(2026, 12, 31))

    def input(
        self, name: str, of: Type, low: Any = None, high: Any = None, *, decimals: int = 2, optional: bool = False
    ) -> int:
        """Declares an input and gives its node."""
        decimals = {PERCENT: 0, COUNT: 0, DAYS: 0}.get(of, decimals)
        self.inputs.append(PlanInput(name, of, optional, None, low, high, decimals, (), (), False, (), (), (), HERE))
        return self.read(name)

    def read(self, name: str) -> int:
        """An input's node."""
        field = next(field for field in self.inputs if field.name == name)
        return self.node(Op.INPUT, of=field.type, data=name, missing=field.optional)

    def node(self, op: Op, *args: int, of: Type = MONEY, data: Any = None, **facts: Any) -> int:
        """An operation; its number."""
        self.nodes.append(PlanNode(op, args, of, data, text=f"{op.value}#{len(self.nodes)}", **facts))
        return len(self.nodes) - 1

    def const(self, value: Any, of: Type = MONEY) -> int:
        """A literal."""
        return self.node(
            Op.CONST, of=of, data=value if value is None or of == COUNT or not is_numeric(of) else Fraction(value)
        )

    def add(self, *args: int, signs: tuple[int, ...] | None = None, of: Type = MONEY) -> int:
        """A signed sum."""
        return self.node(Op.ADD, *args, of=of, data=signs or (1,) * len(args))

    def test(self, op: Op, a: int, b: int) -> int:
        """A comparison."""
        return self.node(op, a, b, of=FLAG)

    def step(
        self,
        name: str,
        value: int | Sequence[tuple[int, int]],
        of: Type = MONEY,
        *,
        to: str | None = "0.01",
        mode: str = "half-up",
        scale: int | None = None,
        optional: bool = False,
    ) -> int:
        """A step of one value or of (when, then) clauses; its node. `to` None keeps the exact value."""
        clauses = [(-1, value)] if isinstance(value, int) else list(value)
        rounding = RoundTo(Fraction(to), mode) if to is not None and of == MONEY else None
        scale = scale if scale is not None else (rounding.to.denominator if rounding else 1)
        self.steps.append(
            PlanStep(
                name,
                of,
                tuple(PlanClause(when, then, (), "", None, None, HERE) for when, then in clauses),
                rounding,
                optional,
                None,
                None,
                scale,
                (),
                (),
                (),
                (),
                "",
                (),
                HERE,
            )
        )
        return self.node(Op.STEP, of=of, data=name, missing=optional)

    def parameter(
        self,
        name: str,
        of: Type,
        values: Mapping[date, Any],
        keys: tuple[tuple[str, ...], ...] = (),
        end: date | None = None,
        *,
        held: bool = False,
    ) -> None:
        """A dated parameter; with keys each value maps key tuples."""
        segments = tuple(
            Segment(start, tuple(value.items()) if keys else (((), value),), 0) for start, value in values.items()
        )
        self.parameters.append(PlanParameter(name, of, keys, segments, end, held, (), (), "", (), HERE))

    def use(self, name: str, *keys: int, at: int | None = None, missing: bool = False) -> int:
        """A scalar parameter's value."""
        found = next(p for p in self.parameters if p.name == name)
        args = (*keys, *([] if at is None else [at]))
        return self.node(
            Op.PARAMETER, *args, of=found.type, data=ParameterRef(name, len(keys), at is not None), missing=missing
        )

    def schedule(
        self,
        op: Op,
        name: str,
        *args: int,
        keys: tuple[int, ...] = (),
        body: int | None = None,
        held: bool = True,
        parts: RoundTo | None = None,
        of: Type = MONEY,
    ) -> int:
        """A schedule operation."""
        ref = ScheduleRef(
            name, len(keys), at=False, local=None if body is None else "r", parts=parts, held=held and body is not None
        )
        return self.node(op, *keys, *args, *([] if body is None else [body]), of=of, data=ref)

    def table(
        self,
        name: str,
        keys: Mapping[str, Type],
        columns: Mapping[str, Type],
        rows: Sequence[tuple[Any, ...]],
        range_key: str = "",
        *,
        dated: bool = False,
    ) -> None:
        """A table; rows are (keys, cells) or (keys, cells, start, end)."""
        self.tables.append(
            PlanTable(
                name,
                tuple(keys),
                tuple(keys.values()),
                range_key,
                dated,
                tuple(PlanColumn(column, of, False, ()) for column, of in columns.items()),
                tuple(PlanRow(row[0], *(row[2:4] or (None, None)), row[1], 0) for row in rows),
                (),
                (),
                "",
                HERE,
            )
        )

    def cell(self, table: str, column: str, *keys: int, of: Type = MONEY) -> int:
        """A cell."""
        return self.node(Op.CELL, *keys, of=of, data=CellRef(table, column, len(keys), at=False))

    def has_row(self, table: str, *keys: int) -> int:
        """Whether there is a row."""
        return self.node(Op.HAS_ROW, *keys, of=FLAG, data=CellRef(table, "", len(keys), at=False))

    def window(
        self,
        name: str,
        *,
        calendar: str = "",
        on: str = "",
        starting: tuple[int, int] = (1, 1),
        same: tuple[str, ...] = (),
        **more: Any,
    ) -> None:
        """A window (`more`: rolling, gap ..); declares the sequence with the first one."""
        if self.sequence is None:
            self.input("person", CODE)
            self.sequence = PlanSequence("person", ("on", "episode_id"), "")
        plain = PlanWindow(name, calendar, on, starting, "", same, HERE)
        self.windows.append(replace(plain, **more))

    def earlier(self, window: str, name: str, of: Type = MONEY) -> int:
        """The earlier episode's field."""
        return self.node(Op.EARLIER, of=of, data=(window, name), earlier=True)

    def call(
        self,
        window: str,
        function: str,
        value: int = -1,
        where: int = -1,
        *,
        distinct: bool = False,
        of: Type = MONEY,
        correlated: bool = False,
    ) -> int:
        """A window call's node."""
        key = f"{window}.{function}#{len(self.calls)}"
        self.calls.append(PlanCall(window, function, value, where, distinct, correlated, key, of, HERE))
        return self.node(Op.WINDOW, of=of, data=len(self.calls) - 1, missing=function not in {"sum", "count"})

    def require(self, that: int, *, after: bool = False) -> None:
        """A requirement, or with `after` a guarantee."""
        (self.guarantees if after else self.requires).append(PlanCondition(that, Formula(("it",), ("it",)), (), HERE))

    def divide(self, name: str, of: int, parts: Mapping[str, int], *, negative: bool = False) -> None:
        """A partition; -1 is the rest."""
        made = []
        for key, value in parts.items():
            bearer, _, part = key.partition(".")
            made.append(PlanPart(bearer, part, value, None, "", negative, (), (), (), HERE))
        if not self.shares:
            self.totals = tuple(dict.fromkeys(f"{part.bearer}_pays" for part in made))
        self.shares.append(PlanPartition(name, of, Formula((), ()), tuple(made), (), HERE))

    def plan(self) -> Plan:
        """The plan."""
        return Plan(
            "by-hand", "1", (), "CNY", 2, self.rounding, START, self.until, "on", "", "",
            tuple(self.inputs), tuple(self.requires), self.sequence, tuple(self.windows), tuple(self.calls),
            tuple(self.parameters), tuple(self.tables), tuple(self.nodes), tuple(self.steps), tuple(self.shares),
            self.totals, tuple(self.guarantees), (), tuple(step.name for step in self.steps), (), (),
        )  # fmt: skip


def frame(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The input frame for rows of plain values; the episode id and the date have defaults."""
    columns = [pl.Series("__row", range(1, len(rows) + 1), dtype=pl.Int64)]
    for field in plan.inputs:
        defaults = {"episode_id": [f"E{at:04}" for at in range(len(rows))], "on": [date(2025, 6, 15)] * len(rows)}
        cells = [
            row.get(field.name, defaults[field.name][at] if field.name in defaults else None)
            for at, row in enumerate(rows)
        ]
        kind: Any = {DATE: pl.Date, FLAG: pl.Boolean, CODES: pl.List(pl.String)}.get(field.type, pl.String)
        if is_numeric(field.type):
            scale = input_scale(field)
            cells = [None if cell is None else int(Fraction(cell) * scale) for cell in cells]
            kind = pl.Int128 if any(abs(cell or 0) >= 2**63 for cell in cells) else pl.Int64
        elif isinstance(field.type, OneOf):
            kind = pl.Enum(field.type.values)
        columns.append(pl.Series(field.name, cells, dtype=kind))
    marks = ("__bad", "__key_unreadable") if plan.sequence is not None else ()
    columns.extend(pl.Series(name, [bool(row.get(name)) for row in rows], dtype=pl.Boolean) for name in marks)
    return pl.DataFrame(columns)


def run(
    plan: Plan, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, small: int = 0, **options: Any
) -> ColumnarResult:
    """A columnar run; `small` 0 keeps everything in waves."""
    exact = Exact(plan)
    back_end = Columnar(plan, partial(run_known, exact), partial(run_person, exact))
    back_end.small_wave = small
    return back_end.run(frame(plan, rows), columns, **options)


def cells(plan: Plan, result: ColumnarResult, column: str) -> dict[int, Any]:
    """Values of a result column by row; a problem's code where there is one."""
    of = {step.name: step.type for step in plan.steps}.get(column, MONEY)
    found: dict[int, Any] = {row: problem.code for row, problem in result.problems}
    for row, cell in result.values.select("__row", column).iter_rows():
        found[row] = value_of(cell, of, 10 ** result.decimals.get(column, 0))
    return dict(sorted(found.items()))


def column(book: Book, rows: Sequence[Mapping[str, Any]], name: str | None = None, **options: Any) -> list[Any]:
    """One column in the order of the rows, after checking it against the exact back end."""
    plan = book.plan()
    name = name or plan.steps[-1].name
    names = [step.name for step in plan.steps] if name in {s.name for s in plan.steps} else [name]
    got = cells(plan, run(plan, rows, [name], **options), name)
    assert got == reference(plan, rows, name), f"{names} differs from the exact back end"
    return list(got.values())


def reference(plan: Plan, rows: Sequence[Mapping[str, Any]], name: str) -> dict[int, Any]:
    """What the exact back end says, by row: a value or a problem's code."""
    exact = Exact(plan)
    inputs: dict[int, dict[str, Any]] = {}
    for at, raw in enumerate(frame(plan, rows).iter_rows(named=True)):
        inputs[at + 1] = {
            field.name: value_of(raw[field.name], field.type, input_scale(field)) for field in plan.inputs
        }
    outcomes: dict[int, Any] = {}
    if plan.calls and plan.sequence is not None:
        for person in dict.fromkeys(episode[plan.sequence.by] for episode in inputs.values()):
            theirs = in_order(plan, [(row, e) for row, e in inputs.items() if e[plan.sequence.by] == person])
            results = run_sequence(exact, [episode for _, episode in theirs])
            outcomes.update({row: result for (row, _), result in zip(theirs, results, strict=True)})
    else:
        outcomes = {row: exact.run(episode) for row, episode in inputs.items()}
    found: dict[int, Any] = {}
    for row, outcome in sorted(outcomes.items()):
        both = {**outcome.shares, **outcome.steps}
        found[row] = outcome.problem.code if outcome.problem else both[name]
    return found


def with_bounds(book: Book, node: int, low: Any, high: Any) -> int:
    """The same node with bounds that the compiler proved."""
    book.nodes[node] = replace(book.nodes[node], low=Fraction(low), high=Fraction(high))
    return node


BANDS = ScheduleType("bands", PERCENT.kind, MONEY.kind)
CURVE = ScheduleType("curve", PERCENT.kind, NUMBER.kind)
CLIFF = ScheduleType("cliff", PERCENT.kind, MONEY.kind)
