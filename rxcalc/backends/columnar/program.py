"""A plan as layers of columns, ready to run on any number of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from rxcalc.backends.columnar.bills import prepared
from rxcalc.backends.columnar.crossings import Frames
from rxcalc.backends.columnar.kernel import PolarsKernel
from rxcalc.backends.columnar.layers import Layers, Past
from rxcalc.backends.columnar.looking import Looking
from rxcalc.backends.columnar.stages import Stages
from rxcalc.lang.arithmetic import decimals_of
from rxcalc.lang.types import MONEY, OneOf, Type
from rxcalc.plan.columns.formed import Formed
from rxcalc.plan.columns.kernel import NotProven
from rxcalc.plan.columns.steps import Everything, form_plan
from rxcalc.plan.layout import earlier_bounds
from rxcalc.plan.nodes import Plan, PlanGroup, PlanInput, PlanList

__all__ = ["Output", "Program"]

DECIMAL_LIMIT = 10**38
"""What a decimal column cannot hold any more."""


@dataclass(frozen=True, slots=True)
class Output:
    """A requested column: its expression over the last layer (None: no column holds it), type and decimals."""

    name: str
    type: Type
    decimals: int | None
    expr: pl.Expr | None
    exact: bool = False  # no column is proven to hold it as it is written: every row is computed exactly


class Program:
    """The columns of `plan`. `output` names what is wanted; `prepared` reads the inputs; `compute` runs it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._stages = Stages(plan) if plan.lists or plan.groups else None
        self._kernel = PolarsKernel(plan.tables) if self._stages is None else self._stages.kernel("")
        self.formed: Everything[pl.Expr] = form_plan(plan, self._kernel, limited=True, earlier=earlier_bounds(plan))
        self._outputs: dict[tuple[str, str], Output] = {}
        self._layers = Layers(self._kernel.layers)
        own = self.formed.calls.own.kernel
        if not isinstance(own, PolarsKernel):
            raise TypeError(own)
        self._own = Layers(own.layers)
        self.own_inputs = frozenset(f"i:{name}" for name in own.inputs)  # what episodes keep of their inputs
        self.looking = Looking(plan, self.formed)
        below: tuple[PlanList | PlanGroup, ...] = (*plan.lists, *plan.groups)
        self._fields: dict[str, Sequence[PlanInput]] = {"": plan.inputs, **{x.name: x.inputs for x in below}}
        self._types = {("", step.name): step for step in plan.steps}
        self._types |= {(x.name, step.name): step for x in below for step in x.steps}

    @property
    def windows(self) -> Mapping[int, pl.DataType]:
        """The window calls that the steps read, and the type of column each wants, named `w:0` and so on."""
        return self._kernel.windows

    def output(self, name: str, level: str = "") -> Output:
        """A step, spread received, share or total as it is written: a number as a whole number of its last decimal."""
        if (level, name) not in self._outputs:
            self._outputs[level, name] = self._output(name, level)
        return self._outputs[level, name]

    def _output(self, name: str, level: str) -> Output:
        step = self._types.get((level, name))
        walk = self.formed.levels.walks[level]
        formed: Formed[pl.Expr] = walk.steps[name] if name in walk.steps else walk.shares[name]
        of = MONEY if step is None else step.type
        if formed.code is not None:
            code = formed.code
            if isinstance(of, OneOf):
                code = pl.lit(pl.Series(of.values, dtype=pl.Enum(of.values))).gather(code.cast(pl.UInt32()))
            return Output(name, of, None, code)
        scale = 10**self.plan.decimals if step is None else step.scale
        if not scale and formed.number is not None and formed.number.den is None:
            scale = formed.number.scale
        decimals = decimals_of(scale) if scale else None
        numeric = formed.number is not None or formed.absent
        if decimals is None and numeric:
            if formed.number is None:
                return Output(name, of, None, None)
            message = f"{name} is not proven to have finitely many decimals"
            raise ValueError(message)
        digits = max(decimals or 0, self.plan.decimals if of == MONEY else 0)
        if formed.number is None:
            return Output(name, of, digits, None)
        arithmetic = walk.arithmetic
        number = formed.number
        try:
            if number.den is None:
                whole = arithmetic.at_scale(number, 10**digits)
            else:
                lifted = arithmetic.times(number.num, arithmetic.ints(10**digits))
                whole = arithmetic.over(lifted, arithmetic.times(number.den, arithmetic.ints(number.scale)))
            whole = arithmetic.narrow(replace(whole, fixed=False))
        except NotProven:
            return Output(name, of, digits, None, exact=True)
        if max(-whole.low, whole.high) >= DECIMAL_LIMIT:
            return Output(name, of, digits, None, exact=True)
        return Output(name, of, digits, whole.code)

    def prepared(self, frame: pl.DataFrame, carried: Sequence[str]) -> pl.DataFrame:
        """The carried columns as they are, and the inputs as the layers read them."""
        inputs = prepared(self.plan.inputs, self._kernel.inputs, frame.schema)
        return frame.select([*(pl.col(name) for name in carried), *inputs])

    def tables(self, lists: Mapping[str, Mapping[str, pl.DataType]]) -> dict[str, list[pl.Expr]]:
        """The inputs of lists with these schemas as the layers read them."""
        kernels = {} if self._stages is None else self._stages.kernels
        return {x: prepared(self._fields[x], kernels[x].inputs, schema) for x, schema in lists.items()}

    def compute(
        self, frame: pl.DataFrame, wanted: Mapping[str, pl.Expr], carried: Sequence[str], past: Past | None = None
    ) -> pl.DataFrame:
        """The wanted expressions, `__flag` and the carried columns, from a prepared frame."""
        results = [expr.alias(name) for name, expr in wanted.items()]
        flag = _any(self.formed.fails).alias("__flag")
        return _without_floats(self._layers.compute(frame, [*results, flag], carried, past))

    def compute_bills(
        self,
        frame: pl.DataFrame,
        lists: Frames,
        wanted: Mapping[str, Mapping[str, pl.Expr]],
        carried: Sequence[str],
        past: Past | None = None,
    ) -> dict[str, pl.DataFrame]:
        """As `compute`, with the rows of lists: for each level wanted its columns; of lists with `__up`, the place of their episode.

        Groups across bills come with `__flag`, whether they are refused, and `__rejected`.

        `__flag` is that of the whole bill, and `__left` says which bills are left to the exact evaluator though nothing is wrong.
        """
        if self._stages is None:
            raise TypeError(self.plan.rulebook)
        lists.tables[""] = frame
        levels = self.formed.levels
        every: dict[str, Mapping[str, pl.Expr]] = {}
        for level, fails in levels.fails.items():
            always = not level or level in levels.across
            if level in wanted or fails or always:
                flag = _any([fail for fail in fails if fail is not None])
                every[level] = {**wanted.get(level, {}), **({"__flag": flag} if fails or always else {})}
        keys = {level: ("__rejected",) if level in levels.across else ("__up",) for level in every} | {
            "": tuple(carried)
        }
        done = self._stages.compute(lists, every, keys, past)
        flag_of = done[""]["__flag"]
        for level, found in done.items():
            if level in levels.in_bill and level and "__flag" in found.columns:
                rows = found["__up"].filter(found["__flag"]).unique()
                flag_of = flag_of.scatter(rows, True) if rows.len() else flag_of  # noqa: FBT003 -- the value itself
        left = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean(), eager=True)
        for rows in lists.left:
            left = left.scatter(rows, True)  # noqa: FBT003 -- the value itself
        done[""] = done[""].with_columns(flag_of.alias("__flag"), left.alias("__left"))
        return {level: _without_floats(found) for level, found in done.items()}

    def group_inputs(self, kind: str) -> Mapping[str, pl.DataType]:
        """The inputs of a kind of groups that columns read, and the type that each wants."""
        return {} if self._stages is None else self._stages.kernel(kind).inputs

    def keep(self, frame: pl.DataFrame, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
        """Columns over what episodes keep of themselves, from a frame with that."""
        return self._own.compute(frame, [expr.alias(name) for name, expr in wanted.items()], [])


def _any(fails: Sequence[pl.Expr]) -> pl.Expr:
    if not fails:
        return pl.lit(False, dtype=pl.Boolean())  # noqa: FBT003 -- the literal itself
    # An unknown failure goes to the exact evaluator too.
    return pl.any_horizontal(fails).fill_null(value=True)


def _without_floats(frame: pl.DataFrame) -> pl.DataFrame:
    if any(kind.is_float() for kind in frame.schema.values()):
        message = f"a binary float in {frame.schema}"
        raise AssertionError(message)
    return frame
