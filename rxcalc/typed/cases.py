"""Case analysis of clauses: which cases no clause covers, which clauses overlap, which are dead.

Decided for conditions built with and, or, not from flags, set membership, `is known`, and
comparisons of one input, parameter or step with constants. Each such variable is cut into cells
at the constants it is compared with; a depth-first search over cells evaluates the conditions in
three values (true, false, undecided), stopping as soon as the answer is settled. What is not
decided counts as not exhaustive, as overlapping and as reachable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rxcalc.lang.arithmetic import shortest
from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, FLAG, OneOf, is_numeric, is_whole
from rxcalc.syntax.unparse import unparse
from rxcalc.typed.graph import walk
from rxcalc.typed.nodes import ParameterUse, TExpr

WORK: Final = 400_000
"""Conditions looked at per rule before the analysis gives up: about a second. What is left counts as undecided."""
COMPARISONS: Final = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
FLIPPED: Final = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE}

MAX_VARIABLES: Final = 200

Variable: TypeAlias = "tuple[str, object]"
Truth: TypeAlias = "bool | None"


@dataclass(frozen=True, slots=True)
class Missing:
    """The cell in which a variable has no value."""

    def __str__(self) -> str:
        return "missing"


@dataclass(frozen=True, slots=True)
class Other:
    """The cell of all codes that no condition names."""

    def __str__(self) -> str:
        return "any other code"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a variable: its range and the distance between neighbouring values (None: dense).

    Of a `computed` one (a step) some values in the range may never come about.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    grid: Fraction | None = None
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A case found: `witness` says it in words; `undecided` when the analysis could not settle it."""

    witness: str
    undecided: bool


class Cases:
    """The case analysis of one rule. `bounds` gives what is known of an input or step by name."""

    def __init__(self, conditions: Sequence[TExpr | None], bounds: Callable[[str], Bounds]) -> None:
        self.conditions = conditions
        self.cells = _cells(conditions, bounds)
        self.computed = {str(name) for _, name in self.cells if bounds(str(name)).computed}
        self.order = sorted(self.cells, key=lambda v: len(self.cells[v]))
        self.spent = 0  # over all questions about this rule

    def gap(self) -> Finding | None:
        """A case in which no clause is proven to hold, or None when the clauses are exhaustive."""

        def settled(case: Mapping[Variable, object]) -> bool:
            return any(self._holds(c, case) is True for c in self.conditions)

        return self._search(settled, lambda case: any(self._holds(c, case) is None for c in self.conditions))

    def reaches(self, index: int) -> bool:
        """Whether clause `index` can decide some case, as far as the analysis sees."""
        condition, before = self.conditions[index], self.conditions[:index]

        def settled(case: Mapping[Variable, object]) -> bool:
            return self._holds(condition, case) is False or any(self._holds(c, case) is True for c in before)

        return self._search(settled, lambda _: False) is not None

    def overlap(self, first: int, second: int) -> Finding | None:
        """A case in which both clauses may hold."""
        a, b = self.conditions[first], self.conditions[second]

        def settled(case: Mapping[Variable, object]) -> bool:
            return self._holds(a, case) is False or self._holds(b, case) is False

        return self._search(settled, lambda case: self._holds(a, case) is None or self._holds(b, case) is None)

    def _search(
        self,
        settled: Callable[[Mapping[Variable, object]], bool],
        undecided: Callable[[Mapping[Variable, object]], bool],
    ) -> Finding | None:
        """The first full case that `settled` does not rule out, decided cases before undecided ones."""
        doubtful: list[Finding] = []
        case: dict[Variable, object] = {}

        def descend(depth: int) -> Finding | None:
            if self.spent > WORK or depth > MAX_VARIABLES:
                return Finding("", undecided=True)
            if settled(case):
                return None
            if depth == len(self.order):
                found = Finding(_words(case, self.computed), undecided(case))
                if not found.undecided:
                    return found
                doubtful.append(found)
                return None
            variable = self.order[depth]
            for cell in self.cells[variable]:
                case[variable] = cell
                found_below = descend(depth + 1)
                if found_below is not None:
                    return found_below
            del case[variable]
            return None

        return descend(0) or (doubtful[0] if doubtful else None)

    def _holds(self, t: TExpr | None, case: Mapping[Variable, object]) -> Truth:
        self.spent += 1
        if t is None:
            return True
        match t.op:
            case Op.AND | Op.OR:
                stop = t.op is Op.OR
                result: Truth = not stop
                for arg in t.args:
                    value = self._holds(arg, case)
                    if value is stop:
                        return stop
                    if value is None:
                        result = None
                return result
            case Op.NOT:
                inner = self._holds(t.args[0], case)
                return None if inner is None else not inner
            case Op.CONST:
                return t.data if isinstance(t.data, bool) else None
        variable, test = _atom(t)
        if variable is None or test is None or variable not in case:
            return None
        cell = case[variable]
        if isinstance(cell, Missing):
            return False if t.op is Op.KNOWN else None
        return test(cell)


def _variable(t: TExpr) -> Variable | None:
    match t.op:
        case Op.INPUT | Op.STEP:
            return ("name", t.data)
        case Op.LIFT:  # of the episode, or of the row's own group
            return ("name", unparse(t.syntax))
        case Op.PARAMETER if isinstance(t.data, ParameterUse) and not t.args:
            return ("name", t.data.parameter)
        case _:
            return None


def _atom(t: TExpr) -> tuple[Variable | None, Callable[[object], bool] | None]:
    """The variable of a one-variable condition and its test on a cell; (None, None) for anything else."""
    match t.op:
        case Op.INPUT | Op.STEP | Op.PARAMETER | Op.LIFT:
            return _variable(t), lambda cell: cell is True
        case Op.KNOWN:
            return _variable(t.args[0]), lambda _: True
        case Op.IN_SET:
            members = t.data
            return _variable(t.args[0]), lambda cell: isinstance(members, tuple) and cell in members
        case Op.EQ | Op.NE | Op.LT | Op.LE | Op.GT | Op.GE:
            left, right = t.args
            op: Op = t.op
            if left.op is Op.CONST:
                left, right, op = right, left, FLIPPED[op]
            if right.op is not Op.CONST:
                return None, None
            of, constant = left.type, right.data
            if isinstance(of, OneOf) and op not in (Op.EQ, Op.NE):
                if constant not in of.values:
                    return None, None
                limit = of.values.index(str(constant))
                return _variable(
                    left
                ), lambda cell: cell in of.values and _compare(op, of.values.index(str(cell)), limit)
            return _variable(left), lambda cell: _compare(op, cell, constant)
    return None, None


def _compare(op: Op, a: object, b: object) -> bool:
    if op is Op.EQ or op is Op.NE:
        return (a == b) is (op is Op.EQ)
    if isinstance(a, date) and isinstance(b, date):
        a, b = a.toordinal(), b.toordinal()
    if not isinstance(a, int | Fraction) or not isinstance(b, int | Fraction):
        return False
    match op:
        case Op.LT:
            return a < b
        case Op.LE:
            return a <= b
        case Op.GT:
            return a > b
        case _:
            return a >= b


def _cells(conditions: Sequence[TExpr | None], bounds: Callable[[str], Bounds]) -> dict[Variable, list[object]]:
    constants: dict[Variable, set[object]] = {}
    shown: dict[Variable, TExpr] = {}
    missing: set[Variable] = set()
    for condition in conditions:
        for t in walk(condition) if condition is not None else ():
            variable = _variable(t)
            if variable is not None:
                shown.setdefault(variable, t)
                constants.setdefault(variable, set())
            if t.op is Op.KNOWN and (tested := _variable(t.args[0])) is not None:
                missing.add(tested)
            if t.op in COMPARISONS:
                for a, b in (t.args, t.args[::-1]):
                    compared = _variable(a)
                    if compared is not None and b.op is Op.CONST:
                        constants.setdefault(compared, set()).add(b.data)
            if t.op is Op.IN_SET and (tested := _variable(t.args[0])) is not None and isinstance(t.data, tuple):
                constants.setdefault(tested, set()).update(t.data)
    result: dict[Variable, list[object]] = {}
    for variable, t in shown.items():
        cells: list[object]
        if t.type == FLAG:
            cells = [True, False]
        elif isinstance(t.type, OneOf):
            cells = list(t.type.values)
        elif t.type == DATE:
            cells = [date.fromordinal(int(n)) for n in _numeric_cells(
                {Fraction(c.toordinal()) for c in constants[variable] if isinstance(c, date)}, bounds(str(variable[1])))
                if 1 <= n <= date.max.toordinal()] or [date(2000, 1, 1)]  # fmt: skip
        elif is_numeric(t.type):
            known = bounds(str(variable[1]))
            if known.grid is None and is_whole(t.type):
                known = replace(known, grid=Fraction(1))  # a key of a group, or of another row
            cells = list(
                _numeric_cells({Fraction(c) for c in constants[variable] if isinstance(c, int | Fraction)}, known)
            )
        else:
            cells = [*sorted(constants[variable], key=str), Other()]
        result[variable] = [*cells, MISSING] if variable in missing else cells
    return result


def _numeric_cells(constants: set[Fraction], known: Bounds) -> list[Fraction]:
    """One value from each region that the constants cut the variable's range into."""
    inside = sorted(
        c for c in constants if (known.low is None or c >= known.low) and (known.high is None or c <= known.high)
    )
    ends = ([known.low] if known.low is not None else []) + inside + ([known.high] if known.high is not None else [])
    points: list[Fraction] = []

    def add(x: Fraction) -> None:
        on_grid = known.grid is None or (x / known.grid).denominator == 1
        if (
            on_grid
            and x not in points
            and (known.low is None or x >= known.low)
            and (known.high is None or x <= known.high)
        ):
            points.append(x)

    step = known.grid or Fraction(1)
    if not ends:
        return [Fraction(0)]
    if known.low is None:
        add(_on_grid(ends[0] - step, known.grid))
    for index, end in enumerate(ends):
        add(end)
        following = ends[index + 1] if index + 1 < len(ends) else None
        if following is None:
            if known.high is None:
                add(_on_grid(end + step, known.grid))
        elif following > end:
            between = (end + following) / 2
            if known.grid is not None:
                between = (end / known.grid).__floor__() * known.grid + known.grid
            if end < between < following:
                add(between)
    return points


def _on_grid(x: Fraction, grid: Fraction | None) -> Fraction:
    return x if grid is None else Fraction((x / grid).__floor__()) * grid


def _words(case: Mapping[Variable, object], computed: set[str]) -> str:
    def value(cell: object) -> str:
        match cell:
            case bool():
                return "yes" if cell else "no"
            case Fraction():
                return shortest(cell) or str(cell)
            case _:
                return str(cell)

    def word(name: object, cell: object) -> str:
        if isinstance(cell, Missing):
            return f"{name} is missing"
        # Of a step's value only the range is known, so the case is said to be open, not to occur.
        return (
            f"{name} is such as {value(cell)}"
            if str(name) in computed and isinstance(cell, Fraction)
            else f"{name} = {value(cell)}"
        )

    return (
        " and ".join(word(name, cell) for (_, name), cell in sorted(case.items(), key=lambda i: str(i[0])))
        or "anything is given"
    )
