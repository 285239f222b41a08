"""The kernel that builds Polars expressions, in layers of columns.

Every shared value becomes a column of its own in the first layer after the columns that it reads:
one `with_columns` per layer keeps expressions shallow and computes nothing twice.
"""

# ruff: noqa: D102 -- what each method does is said once, in the protocol
from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Final

import polars as pl

from rxcalc.backends.columnar.layers import Layer, Search
from rxcalc.backends.columnar.pairs import PairSearch
from rxcalc.backends.columnar.search import RowSearch
from rxcalc.lang.types import Kind, OneOf, Plain, Type, is_numeric
from rxcalc.plan.columns.across import Across
from rxcalc.plan.columns.kernel import Pairs
from rxcalc.plan.nodes import PlanCall, PlanTable, Value

__all__ = ["PolarsKernel", "carrier", "positions"]

WIDTHS: Final = {64: pl.Int64(), 128: pl.Int128()}
_FIRST_DAY: Final = 719_163  # 1970-01-01, from which Polars counts, in days since 0001-01-01 as 1
_MONTHS: Final = {"month": "1mo", "quarter": "1q", "year": "1y"}


def positions(of: OneOf) -> pl.DataType:
    """The type that holds positions in a set."""
    return pl.UInt8() if len(of.values) <= 255 else pl.UInt16() if len(of.values) <= 65_535 else pl.UInt32()


def carrier(of: Type, width: int) -> pl.DataType:
    """The type of a column inside a run."""
    if is_numeric(of):
        return WIDTHS[width]
    match of:
        case OneOf():
            return positions(of)
        case Plain(Kind.DATE):
            return pl.Date()
        case Plain(Kind.FLAG):
            return pl.Boolean()
        case Plain(Kind.CODES):
            return pl.List(pl.String())
        case _:
            return pl.String()


class PolarsKernel:
    """Builds the columns of a plan. `layers` holds, in order, what each layer computes.

    A layer is a list of named expressions and of searches (in tables, among earlier rows), which are none.
    """

    def __init__(self, tables: Sequence[PlanTable]) -> None:
        self.layers: list[Layer] = []
        self.inputs: dict[str, pl.DataType] = {}
        self.windows: dict[int, pl.DataType] = {}
        self._all_tables = tables
        self._tables = {table.name: table for table in tables}
        self._level: dict[str, int] = {}
        self._plain: set[int] = set()
        self._kept: list[pl.Expr] = []
        self._named: dict[str, pl.Expr] = {}
        self._series: dict[tuple[int, str], pl.Series] = {}
        self._values: list[Sequence[Value]] = []

    def _column(self, name: str) -> pl.Expr:
        """A column by name; always the same object, so that a shared column is recognised."""
        if name not in self._named:
            expr = pl.col(name)
            self._named[name] = expr
            self._plain.add(id(expr))
        return self._named[name]

    def _add(self, what: pl.Expr | Search, reads: Sequence[str]) -> str:
        level = max((self._level.get(name, 0) for name in reads), default=0)
        name = f"_{len(self._level)}"
        self._level[name] = level + 1
        while len(self.layers) <= level:
            self.layers.append([])
        self.layers[level].append((name, what))
        return name

    # The protocol

    def whole(self, value: int, width: int) -> pl.Expr:
        return pl.lit(value, dtype=WIDTHS[width])

    def constant(self, value: Value, of: Type) -> pl.Expr:
        if isinstance(of, OneOf) and isinstance(value, str):
            return pl.lit(of.values.index(value), dtype=positions(of))
        if isinstance(value, frozenset):
            return pl.lit(pl.Series([sorted(value)], dtype=pl.List(pl.String())))
        return pl.lit(value, dtype=carrier(of, 64))

    def always(self) -> pl.Expr:
        return pl.lit(True, dtype=pl.Boolean())  # noqa: FBT003 -- the literal itself

    def missing(self, of: Type, width: int) -> pl.Expr:
        return pl.lit(None, dtype=carrier(of, width))

    def cast(self, a: pl.Expr, width: int) -> pl.Expr:
        # Not strict: on rows whose value is not used the proven bounds need not hold.
        return a.cast(WIDTHS[width], strict=False)

    def unary(self, op: str, a: pl.Expr) -> pl.Expr:
        match op.partition(":"):
            case ("abs", _, _):
                return a.abs()
            case ("not", _, _):
                return ~a
            case ("known", _, _):
                return a.is_not_null()
            case ("flag", _, _):
                return a.cast(pl.Int64())
            case ("year", _, _):
                return a.dt.year().cast(pl.Int64())
            case ("month", _, _):
                return a.dt.month().cast(pl.Int64())
            case ("day", _, _):
                return a.dt.day().cast(pl.Int64())
            case ("days", _, _):
                return a.to_physical().cast(pl.Int64()) + pl.lit(_FIRST_DAY, dtype=pl.Int64())
            case ("from_days", _, _):
                days = a - pl.lit(_FIRST_DAY, dtype=pl.Int64())
                return days.cast(pl.Int32(), strict=False).cast(pl.Date())
            case ("first", _, unit):
                return a.dt.truncate(_MONTHS[unit])
            case ("last", _, unit):
                start = a.dt.truncate(_MONTHS[unit])
                return start.dt.offset_by(_MONTHS[unit]).dt.offset_by("-1d")
            case _:
                raise AssertionError(op)

    def binary(self, op: str, a: pl.Expr, b: pl.Expr) -> pl.Expr:
        match op:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "//":
                return a // b
            case "min":
                return pl.min_horizontal(a, b)
            case "max":
                return pl.max_horizontal(a, b)
            case "<":
                return a < b
            case "<=":
                return a <= b
            case ">":
                return a > b
            case ">=":
                return a >= b
            case "=":
                return a == b
            case "!=":
                return a != b
            case "and":
                return a & b
            case "or":
                return a | b
            case "default":
                return a.fill_null(b)
            case "has":
                return a.list.contains(b)
            case "meets":
                return a.list.set_intersection(b).list.len() > pl.lit(0, dtype=pl.UInt32())
            case "months":
                return self._months(a, b)
            case _:
                raise AssertionError(op)

    def _months(self, on: pl.Expr, months: pl.Expr) -> pl.Expr:
        twelve, one = (pl.lit(n, dtype=pl.Int64()) for n in (12, 1))
        total = self.share(on.dt.year().cast(pl.Int64()) * twelve + on.dt.month().cast(pl.Int64()) - one + months)
        year = total // twelve
        month = total - year * twelve + one
        return self._day_of(year, month, on.dt.day().cast(pl.Int64()), clamp=True)

    def make_date(self, year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
        return self._day_of(year, month, day, clamp=False)

    def _day_of(self, year: pl.Expr, month: pl.Expr, day: pl.Expr, *, clamp: bool) -> pl.Expr:
        """A date from its parts. Polars raises for an impossible one, hence the checks come first."""
        year, month = self.share(year), self.share(month)
        fits = year.is_between(1, 9999) & month.is_between(1, 12)
        none = pl.lit(None, dtype=pl.Int64())
        first = pl.date(pl.when(fits).then(year).otherwise(none), pl.when(fits).then(month).otherwise(none), 1)
        first = self.share(first)
        length = self.share(first.dt.month_end().dt.day().cast(pl.Int64()))
        exists = pl.when(day.is_between(pl.lit(1, dtype=pl.Int64()), length))
        day = pl.min_horizontal(day, length) if clamp else exists.then(day).otherwise(none)
        start = first.to_physical().cast(pl.Int64())
        return (start + day - pl.lit(1, dtype=pl.Int64())).cast(pl.Int32(), strict=False).cast(pl.Date())

    def select(self, condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(then).otherwise(otherwise)

    def share(self, a: pl.Expr) -> pl.Expr:
        if id(a) in self._plain:
            return a
        reads = a.meta.root_names()
        if not reads:
            self._plain.add(id(a))  # a literal: nothing to compute
            self._kept.append(a)  # an id stays taken as long as its object lives
            return a
        return self._column(self._add(a, reads))

    def lookup(self, values: Sequence[Value], index: pl.Expr, of: Type, width: int) -> pl.Expr:
        key = (id(values), f"{of}{width}")
        if key not in self._series:
            self._values.append(values)  # an id stays taken as long as its object lives
            self._series[key] = _series(values, of, width)
        return pl.lit(self._series[key]).gather(index)

    def index(self, keys: Sequence[tuple[pl.Expr, int]], segment: pl.Expr | None, size: int) -> pl.Expr:
        kind = pl.UInt32()
        result: pl.Expr | None = None if segment is None else segment
        for code, count in keys:
            own = code.cast(kind)
            result = own if result is None else result * pl.lit(count, dtype=kind) + own
        if result is None:
            raise AssertionError(size)
        return result

    def segment(self, on: pl.Expr, starts: Sequence[int]) -> pl.Expr:
        kind = pl.UInt32()
        days = [date.fromordinal(start) for start in starts]
        if len(days) > 12:
            return pl.lit(pl.Series(days, dtype=pl.Date())).search_sorted(on, side="right").cast(kind)
        result = (on >= pl.lit(days[0], dtype=pl.Date())).cast(kind)
        for day in days[1:]:
            result = result + (on >= pl.lit(day, dtype=pl.Date())).cast(kind)
        return result

    def recode(self, a: pl.Expr, of: Sequence[str], into: Sequence[str]) -> pl.Expr:
        target = OneOf(tuple(into))
        places = [into.index(value) if value in into else None for value in of]
        return pl.lit(pl.Series(places, dtype=positions(target))).gather(a.cast(pl.UInt32()))

    def input(self, name: str, of: Type, width: int) -> pl.Expr:
        self.inputs[name] = carrier(of, width)
        return self._column(f"i:{name}")

    def window(self, call: int, of: Type, width: int) -> pl.Expr:
        self.windows[call] = carrier(of, width)
        return self._column(f"w:{call}")

    def pairs(self, form: Pairs[pl.Expr], call: PlanCall, width: int) -> tuple[pl.Expr, pl.Expr | None]:
        if not isinstance(form.kernel, PolarsKernel):
            raise TypeError(form.kernel)
        this = {name: self._named_column(code) for name, code in form.this.items()}
        search = PairSearch(form, call, this, form.kernel.layers, carrier(call.type, width))
        found = self._column(self._add(search, search.reads))
        if form.fail is None:
            return found, None
        return self.share(found.struct.field("value")), self.share(found.struct.field("fail"))

    def apart(self) -> PolarsKernel:
        return PolarsKernel(self._all_tables)

    def taken(self, name: str) -> pl.Expr:
        return self._column(name)

    def frame(self, level: str) -> PolarsKernel:
        message = f"a kernel for one frame has none for {level}"
        raise TypeError(message)

    def across(self, form: Across[pl.Expr]) -> tuple[pl.Expr, ...]:
        message = f"a kernel for one frame takes nothing from others: {form}"
        raise TypeError(message)

    def find_row(self, table: str, keys: Sequence[tuple[pl.Expr, Type, int]], on: pl.Expr | None) -> pl.Expr:
        columns = [self._named_column(code) for code, _, _ in keys]
        day = None if on is None else self._named_column(on)
        search = RowSearch(
            self._tables[table],
            tuple(columns),
            tuple(carrier(of, 64) for _, of, _ in keys),
            tuple(scale for _, _, scale in keys),
            day,
        )
        return self._column(self._add(search, [*columns, *([] if day is None else [day])]))

    def _named_column(self, a: pl.Expr) -> str:
        """The value as a column with a name, also when it is a literal."""
        shared = self.share(a)
        reads = shared.meta.root_names()
        if len(reads) == 1 and id(shared) in self._plain:
            return reads[0]
        return self._add(a, [])


def _series(values: Sequence[Value], of: Type, width: int) -> pl.Series:
    kind = carrier(of, width)
    if isinstance(of, OneOf):
        place = {value: at for at, value in enumerate(of.values)}
        return pl.Series([place.get(value) if isinstance(value, str) else None for value in values], dtype=kind)
    if of == Plain(Kind.CODES):
        return pl.Series([sorted(value) if isinstance(value, frozenset) else None for value in values], dtype=kind)
    if any(isinstance(value, Fraction) for value in values):
        message = "numbers come as whole numbers"
        raise TypeError(message)
    return pl.Series(values, dtype=kind)
