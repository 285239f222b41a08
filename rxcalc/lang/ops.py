"""The operations that typed trees and plans are made of. One meaning each, stated here.

`args` are operand values; `data` is the static part of a node. A missing operand may reach
only KNOWN, DEFAULT, IF branches and STEP/window results: the checker proves it.
"""

from __future__ import annotations

from enum import Enum


class Op(Enum):
    """Operations of expressions."""

    CONST = "const"  # data: the value
    INPUT = "input"  # data: input name; missing when optional and not given
    STEP = "step"  # data: step name; its rounded value
    SHARE = "share"  # data: share part or total, "patient.deductible" or "fund_pays"; rounded
    LOCAL = "local"  # data: the name before `->`; bound by the enclosing schedule op
    EARLIER = "earlier"  # data: (rows, field): of the other row inside an aggregate; rows is a window, `above`, `lines`, `w.lines` ..
    LIFT = "lift"  # args: x on the row this one belongs to; data: its level ("" the episode of a line, a group of its member)
    GROUP = "group"  # args: x of the group, keys..; data: group kind. x of the group with these keys, missing where there is none
    PARAMETER = "parameter"  # args: keys.. [date]; data: ParameterRef
    CELL = "cell"  # args: keys.. [date]; data: CellRef. No such row: row error RX731
    HAS_ROW = "has_row"  # args: keys.. [date]; data: CellRef with column "" ; flag
    WINDOW = "window"  # data: index into the plan's calls, of kind window
    ROWS = "rows"  # data: index into the plan's calls, of kind above or rows

    ADD = "add"  # n-ary; data: a sign (+1, -1) per argument; also date +- days
    MULTIPLY = "multiply"
    DIVIDE = "divide"  # exact quotient; by zero: row error RX711
    NEGATE = "negate"
    MIN = "min"  # n-ary
    MAX = "max"  # n-ary
    ABS = "abs"
    ROUND = "round"  # args: x; data: RoundTo
    FLOOR = "floor"  # args: x; data: RoundTo (mode ignored): to minus infinity
    CEIL = "ceil"  # to plus infinity
    POWER = "power"  # args: x, y; data: RoundTo. Correctly rounded
    ROOT = "root"  # args: x, n; data: RoundTo

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN_SET = "in_set"  # args: x; data: tuple of values
    AND = "and"  # n-ary, left to right, stops when decided
    OR = "or"  # n-ary, left to right, stops when decided
    NOT = "not"
    KNOWN = "known"  # flag: the argument is not missing
    DEFAULT = "default"  # args: x, d
    IF = "if"  # args: condition, then, else; only the chosen branch is evaluated
    HAS = "has"  # args: codes, code
    MEETS = "meets"  # args: codes, codes

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MAKE_DATE = "date"  # args: year, month, day; no such day: row error RX712
    ADD_MONTHS = "add_months"  # args: date, months; data: sign; same day or the month's last day
    ADD_YEARS = "add_years"  # args: date, years; data: sign; = 12 n months
    DAYS_BETWEEN = "days_between"  # args: a, b; b - a
    MONTHS_BETWEEN = "months_between"  # args: a, b; largest n with a + n months <= b
    YEARS_BETWEEN = "years_between"  # args: a, b; largest n with a + n years <= b (age)
    FIRST_DAY = "first_day"  # args: date; data: "month" | "quarter" | "year"
    LAST_DAY = "last_day"  # args: date; data: "month" | "quarter" | "year"
    CONVERT = "convert"  # args: x; same number in another unit (as_percent, days(n) ..); to a whole unit: must be whole, RX713

    BANDS = "bands"  # args: keys.. [date] a b [body]; data: ScheduleRef
    BAND = "band"  # args: keys.. [date] n a b [body]; the n-th band's part (n from 1)
    BANDS_REACH = "bands_reach"  # args: keys.. [date] target a b [body]
    SLICE = "slice"  # cliff: args: keys.. [date] x
    ALONG = "along"  # curve: args: keys.. [date] x; outside its points: row error RX716 unless held
    OVER_DAYS = "over_days"  # args: keys.. from to; sum of a dated amount over the days from <= day < to
