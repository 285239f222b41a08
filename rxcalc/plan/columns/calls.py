"""Window calls in columns: what an episode keeps for later ones, and how a later one looks back.

A call whose value and condition read the earlier episode alone runs as an accumulator: each episode adds what it
has, and later ones read the result. Any other call looks at pairs of this row and an earlier one; what depends
on one side alone is computed once for each row and gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Generic, TypeVar

from rxcalc.lang.ops import Op
from rxcalc.lang.types import CODES, Type, is_numeric
from rxcalc.plan.columns.formed import Formed, either, under
from rxcalc.plan.columns.kernel import NotProven, Pairs
from rxcalc.plan.columns.logic import joined
from rxcalc.plan.columns.lookups import At
from rxcalc.plan.columns.numbers import Ints, Number
from rxcalc.plan.columns.walk import MOST_EPISODES, Walk, input_scale
from rxcalc.plan.nodes import CellRef, ParameterRef, Plan, PlanCall, PlanNode

__all__ = ["CallForm", "Calls", "Kept", "reads_of"]

X = TypeVar("X")

THIS: Final = 1
EARLIER: Final = 2

_SCHEDULES: Final = frozenset({Op.BANDS, Op.BAND, Op.BANDS_REACH, Op.SLICE, Op.ALONG, Op.OVER_DAYS})
_OF_THIS_ROW: Final = frozenset({Op.INPUT, Op.STEP, Op.SHARE, Op.WINDOW, Op.ROWS, Op.LIFT, Op.GROUP, *_SCHEDULES})
_NEVER_FAIL: Final = frozenset(
    {
        *(Op.CONST, Op.INPUT, Op.STEP, Op.SHARE, Op.EARLIER, Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN_SET),
        *(Op.AND, Op.OR, Op.NOT, Op.KNOWN, Op.DEFAULT, Op.IF, Op.HAS, Op.MEETS, Op.NEGATE, Op.ABS, Op.MIN, Op.MAX),
    }
)


def reads_of(plan: Plan) -> tuple[int, ...]:
    """For each node whether it depends on THIS row (parameters resolve at its date) and on the EARLIER one of a call."""
    dated = {table.name for table in plan.tables if table.dated}
    found: list[int] = []
    for node in plan.nodes:
        reads = THIS if node.op in _OF_THIS_ROW else EARLIER if node.op is Op.EARLIER else 0
        match node.data:
            case ParameterRef(at=False):
                reads = THIS
            case CellRef(at=False) as ref if ref.table in dated:
                reads = THIS
        for arg in node.args:
            reads |= found[arg]
        found.append(reads)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Kept:
    """A step or share that later episodes read: the column `f:NAME`, whole numbers at `scale`, proven to lie from `low` to `high`."""

    name: str
    type: Type
    scale: int
    width: int
    low: Fraction | None = None
    high: Fraction | None = None


@dataclass(frozen=True, slots=True)
class CallForm(Generic[X]):
    """How a window call runs.

    `how`:
    - `accumulated`: one running result for each instance of the window;
    - `totals`: running sums, of which what had been reached when the rolling window began is taken off;
    - `pairs`: a look at every earlier episode that the window holds;
    - `exact`: rows that read it are computed by the exact evaluator.

    `why` says what keeps it from being accumulated. `same` are inputs in which both rows must be equal: they
    narrow the window. `equal` are pairs of inputs, this row's and the earlier one's, that must be equal.
    `value`, `where` and `fail` are columns over what an episode keeps (`accumulated`, `totals`).
    `fields` are what it reads of earlier episodes. `span` are the least and the largest number that one of them adds.
    """

    how: str
    why: str
    same: tuple[str, ...] = ()
    equal: tuple[tuple[str, str], ...] = ()
    value: X | None = None
    where: X | None = None
    fail: X | None = None
    fields: tuple[str, ...] = ()
    span: tuple[Fraction, Fraction] | None = None


class _OwnWalk(Walk[X]):
    """Nodes of calls that read the earlier episode alone, over what an episode keeps of itself."""

    def __init__(self, main: Walk[X], kept: dict[str, Kept]) -> None:
        super().__init__(main.plan, main.kernel.apart(), limited=main.limited, earlier=main.earlier, like=main)
        self._main = main
        self._kept = kept

    def _form(self, node: PlanNode) -> Formed[X]:
        if node.op is not Op.EARLIER:
            return super()._form(node)
        name = earlier_name(node)
        if name in self.inputs:
            self._main.input(name)  # the frame of all rows has it then
            return self.input(name)
        return self._field(name, node)

    def _field(self, name: str, node: PlanNode) -> Formed[X]:
        if node.type == CODES:
            message = f"{name} is a set of codes"
            raise NotProven(message)
        if not is_numeric(node.type):
            self._kept.setdefault(name, Kept(name, node.type, 1, 64))
            return Formed(code=self.kernel.taken(f"f:{name}"))
        step = next((step for step in self.plan.steps if step.name == name), None)
        if step is None:  # a share is rounded to the minor unit
            scale, given = 10**self.plan.decimals, (node.low, node.high)
        else:
            scale, given = step.scale or node.scale, (step.low, step.high)
            if step.rounding is not None:
                scale = step.rounding.to.denominator
        if not scale:
            message = f"{name} has no proven number of decimals"
            raise NotProven(message)
        low, high = self.earlier.get(name, given)
        formed = self.column(scale, low, high, lambda _: self.kernel.taken(f"f:{name}"))
        self._kept.setdefault(name, Kept(name, node.type, scale, formed.as_number.num.width, low, high))
        return formed


class _PairWalk(Walk[X]):
    """Nodes of one call over pairs of rows. What reads one side alone is formed there and gathered.

    `this` are the columns of the pairs that come from this row, `earlier` those kept of the earlier one, by name.
    """

    def __init__(self, calls: Calls[X]) -> None:
        main = calls.walk
        super().__init__(main.plan, main.kernel.apart(), limited=main.limited, earlier=main.earlier, like=main)
        self._calls = calls
        self._leaves: dict[int, Formed[X]] = {}
        self.this: dict[str, X] = {}
        self.kept: dict[str, str] = {}

    def form(self, node: int, local: tuple[str, Number[X]] | None = None) -> Formed[X]:
        """The node over pairs."""
        reads = self._calls.reads[node]
        if local is None and node not in self.bound and reads in {THIS, EARLIER}:
            key = self.same[node]
            if key not in self._leaves:
                self._leaves[key] = self._leaf(node, key, reads)
            return self._leaves[key]
        return super().form(node, local)

    def effective(self) -> At[X]:
        """This row's effective date."""
        at = self._calls.walk.effective()
        self.this["on"] = at.code
        return At(self.kernel.taken("on"), at.low, at.high)

    def _leaf(self, node: int, key: int, reads: int) -> Formed[X]:
        """What one side alone gives, as columns of the pairs."""
        calls = self._calls
        entry = self.plan.nodes[node]

        def taken(mark: str, code: X) -> X:
            name = f"{'t' if reads == THIS else 'e'}{key}{mark}"
            if reads == THIS:
                self.this[name] = code
            elif entry.op is Op.EARLIER:
                field = earlier_name(entry)
                self.kept[name] = f"{'i' if field in self.inputs else 'f'}:{field}"
            else:
                calls.kept[f"k:{key}{mark}"] = calls.own.kernel.share(code)
                self.kept[name] = f"k:{key}{mark}"
            return self.kernel.taken(name)

        def ints(mark: str, a: Ints[X]) -> Ints[X]:
            return self.arithmetic.ints(a.low) if a.fixed else replace(a, code=taken(mark, a.code))

        source: Walk[X] = calls.walk if reads == THIS else calls.own
        formed = source.form(node)
        fail = None if formed.fail is None or formed.absent else taken("!", formed.fail)
        if formed.absent:
            return Formed(fail=self.kernel.always(), absent=True)
        if formed.number is not None:
            number = formed.number
            den = None if number.den is None else ints("/", number.den)
            return Formed(number=replace(number, num=ints("", number.num), den=den), fail=fail)
        return replace(formed, code=taken("", formed.as_code), fail=fail)


class Calls(Generic[X]):
    """The window calls of a plan, each formed when a step first reads it.

    `kept` are columns that an episode keeps besides its fields, over the kernel of `own`; `fields` the steps and
    shares that are kept, by name. `open` are calls that only checks read, known where their window holds nothing.
    """

    def __init__(self, walk: Walk[X]) -> None:
        self.walk = walk
        self.reads = reads_of(walk.plan)
        self.fields: dict[str, Kept] = {}
        self.kept: dict[str, X] = {}
        self.own: Walk[X] = _OwnWalk(walk, self.fields)
        self.forms: dict[int, CallForm[X]] = {}
        self.late: set[int] = set()
        self.open: set[int] = set()
        self._checking = False
        self._results: dict[int, Formed[X]] = {}
        self._windows = {window.name: window for window in walk.plan.windows}

    def window(self, place: int) -> Formed[X]:
        """The result of a call for the row that looks back."""
        if place not in self._results:
            self._results[place] = self._window(place)
        return self._results[place]

    def _window(self, place: int) -> Formed[X]:
        call = self.walk.plan.calls[place]
        fields = self._fields(call)
        try:
            form, formed = self._formed(place, call)
        except NotProven as gap:
            why = str(gap) or "its value has no column"
            self.forms[place] = CallForm("exact", why, fields=fields)
            if self._checking and call.kind == "window" and (call.inner or call.level):
                return self._over_nothing(place, call, why)
            raise NotProven(why) from None
        self.forms[place] = replace(form, fields=fields)
        return formed

    def check(self) -> frozenset[int]:
        """From here on only checks read what is formed; gives the calls formed before."""
        self._checking = True
        return frozenset(self.forms)

    def _over_nothing(self, place: int, call: PlanCall, why: str) -> Formed[X]:
        """What a call is that goes over nothing. It fails where its window holds an earlier episode: `s:` says where."""
        if call.function not in {"sum", "count"} or any(not g.inside for g in self.walk.plan.groups):
            raise NotProven(why)
        self.open.add(place)
        return Formed(number=self.walk.arithmetic.fixed(0), fail=self.walk.kernel.taken(f"s:{place}"))

    def only_checked(self, before: Collection[int]) -> None:
        """Of calls that only checks read (all but those formed `before`), leaves those that no column holds to the exact evaluator.

        `late` are those of them that a row alone does not let it find: it must compute the whole person.
        """
        plan = self.walk.plan
        for at in [at for at, form in self.forms.items() if form.how == "exact" and at not in before]:
            del self.forms[at]  # those that it can find are taken up again with the rest
            if plan.calls[at].inner or plan.calls[at].level:
                self.late.add(at)

    def told(self) -> tuple[int, ...]:
        """The calls for which the exact evaluator is given the earlier episodes when it looks at a row."""
        return tuple(at for at, form in self.forms.items() if form.how in {"pairs", "exact"} or form.fail is not None)

    def unheld(self) -> frozenset[str]:
        """The fields of earlier episodes that this takes and no column holds: then only whole persons can be computed exactly."""
        names = {name for at in self.told() for name in self.forms[at].fields}
        return frozenset(names - set(self.walk.inputs) - set(self.fields))

    def _below(self, call: PlanCall) -> list[int]:
        """The nodes below a call that read the earlier episode."""
        found, todo = [], [node for node in (call.value, call.where) if node >= 0]
        while todo:
            entry = self.walk.plan.nodes[todo[-1]]
            if entry.op is Op.EARLIER:
                found.append(todo[-1])
            todo[-1:] = entry.args
        return found

    def _fields(self, call: PlanCall) -> tuple[str, ...]:
        """What a call reads of earlier episodes; of the rows of their lists as `lines/NAME`, which no column holds."""
        inner = f"{call.inner}/" if call.inner else ""
        return tuple(sorted({f"{inner}{earlier_name(self.walk.plan.nodes[node])}" for node in self._below(call)}))

    def _formed(self, place: int, call: PlanCall) -> tuple[CallForm[X], Formed[X]]:
        if call.kind != "window" or call.inner or call.level:
            message = "it goes over rows of lists"
            raise NotProven(message)
        found = self._conditions(call)
        why = self._not_accumulated(call, found)
        if why:
            return self._over_pairs(place, call, found, why)
        value, where, fail = self._over(self.own, call, found.rest)
        formed = self._result(place, call, value, lambda width: self.walk.kernel.window(place, call.type, width))
        rolling = bool(self._windows[call.window].rolling[0])
        how = "totals" if rolling else "accumulated"
        number = None if value is None else value.number
        span = None if number is None else (number.low, number.high)
        form = CallForm(how, "", found.same, found.equal, _code(value), where, fail, span=span)
        return form, formed if fail is None else replace(formed, fail=self.walk.kernel.taken(f"x:{place}"))

    def _over_pairs(self, place: int, call: PlanCall, found: _Conditions, why: str) -> tuple[CallForm[X], Formed[X]]:
        pairs = _PairWalk(self)
        value, where, fail = self._over(pairs, call, found.tested)
        form = Pairs(place, pairs.kernel, _code(value), where, fail, pairs.this, pairs.kept)
        failing: list[X | None] = []

        def result(width: int) -> X:
            code, failed = self.walk.kernel.pairs(form, call, width)
            failing.append(failed)
            return code

        formed = self._result(place, call, value, result)
        return CallForm("pairs", why, found.same), replace(formed, fail=failing[0])

    def _not_accumulated(self, call: PlanCall, found: _Conditions) -> str:
        """Why a call has to look at pairs; "" when it has not."""
        plan, window = self.walk.plan, self._windows[call.window]
        if any(self.reads[node] & THIS for node in (*found.rest, call.value) if node >= 0):
            return "its condition or value reads this episode"
        if not window.rolling[0]:
            return ""
        if found.equal:
            return "its condition compares two fields"
        if call.distinct or call.function not in {"sum", "count"}:
            return "what it finds rolls out of the window"
        ordered = plan.sequence is not None and plan.sequence.order[0] == window.date
        return "" if ordered else f"the order does not begin with {window.date}"

    def _conditions(self, call: PlanCall) -> _Conditions:
        """The conjuncts of a `where`; those that say that two inputs are equal can stand for a narrower window."""
        nodes = self.walk.plan.nodes
        same: list[str] = []
        equal: list[tuple[str, str]] = []
        rest: list[int] = []
        tested: list[int] = []
        for node in _conjuncts(self.walk.plan, call.where):
            fields = self._equal_inputs(nodes[node])
            # What stands before an equality is evaluated on every pair, so it must not be able to fail.
            if fields is None or not all(self._never_fails(before) for before in rest):
                rest.append(node)
                tested.append(node)
            elif fields[0] == fields[1]:
                same.append(fields[0])
            else:
                equal.append(fields)
                tested.append(node)
        return _Conditions(tuple(dict.fromkeys(same)), tuple(equal), tuple(rest), tuple(tested))

    def _equal_inputs(self, node: PlanNode) -> tuple[str, str] | None:
        """The inputs of `w.x = y`, this row's first."""
        if node.op is not Op.EQ:
            return None
        sides = {self.walk.plan.nodes[arg].op: self.walk.plan.nodes[arg] for arg in node.args}
        earlier, this = sides.get(Op.EARLIER), sides.get(Op.INPUT)
        if earlier is None or this is None or earlier.type != this.type or this.type == CODES:
            return None
        mine, theirs = str(this.data), earlier_name(earlier)
        fields = self.walk.inputs
        if theirs not in fields or input_scale(fields[mine]) != input_scale(fields[theirs]):
            return None
        return mine, theirs

    def _never_fails(self, node: int) -> bool:
        entry = self.walk.plan.nodes[node]
        return entry.op in _NEVER_FAIL and all(self._never_fails(arg) for arg in entry.args)

    def _over(
        self, walk: Walk[X], call: PlanCall, conditions: Sequence[int]
    ) -> tuple[Formed[X] | None, X | None, X | None]:
        """The value, the condition and the failure of a call, over the columns of a walk."""
        kernel = walk.kernel
        try:
            where = joined(kernel, Op.AND, [walk.form(node) for node in conditions]) if conditions else None
            value = walk.form(call.value) if call.value >= 0 else None
            if any(part is not None and part.absent for part in (where, value)):
                raise NotProven(next(iter([*walk.reasons, *self.own.reasons]), ""))
            if value is not None and value.number is not None:
                if value.number.den is not None:
                    message = "what it adds up is a quotient by a variable"
                    raise NotProven(message)
                value = replace(value, number=walk.arithmetic.shared_number(walk.arithmetic.narrowed(value.number)))
            elif value is not None:
                value = replace(value, code=kernel.share(value.as_code))
        finally:
            for other in {id(w): w for w in (walk, self.own)}.values():
                self._take_over(other)
        fail = None if value is None else value.fail
        code = None if where is None else where.as_code
        if where is not None and code is not None:
            code = kernel.share(code)
            fail = either(kernel, where.fail, under(kernel, code, fail))
        return value, code, None if fail is None else kernel.share(fail)

    def _take_over(self, other: Walk[X]) -> None:
        """What forming nodes elsewhere has shown counts for the step that reads the call."""
        walk = self.walk
        walk.arithmetic.widest = max(walk.arithmetic.widest, other.arithmetic.widest)
        other.arithmetic.widest = 64
        walk.reasons.extend(other.reasons)
        other.reasons.clear()
        for node, note in other.notes.items():
            walk.notes.setdefault(node, note)
            walk.formed.setdefault(node, other.formed[node])

    def _result(self, place: int, call: PlanCall, value: Formed[X] | None, code: Callable[[int], X]) -> Formed[X]:
        """The result's column, with its bounds."""
        self.walk.call_scales[place] = _scale(value)
        if call.function == "count":
            self.walk.call_scales[place] = 1
            return self.walk.column(1, Fraction(0), Fraction(MOST_EPISODES), code)
        if value is None:
            raise NotProven
        if value.number is None:
            return Formed(code=code(64))
        low, high = value.number.low, value.number.high
        if call.function == "sum":
            low, high = min(low * MOST_EPISODES, Fraction(0)), max(high * MOST_EPISODES, Fraction(0))
        return self.walk.column(value.number.scale, low, high, code)

    def _rest(self) -> None:
        """Calls that no column reads: the exact evaluator may, when it looks at a row."""
        for at, call in enumerate(self.walk.plan.calls):
            if at not in self.forms and call.kind == "window" and not call.level and not call.inner:
                for node in self._below(call):
                    self.own.form(node)
                self.forms[at] = CallForm(
                    "exact", "nothing that is computed in columns reads it", fields=self._fields(call)
                )
        self.own.reasons.clear()

    def stored(self) -> Mapping[str, X]:
        """The fields as columns of the episode's own frame, once all steps and shares are formed."""
        self._rest()
        found: dict[str, X] = {}
        walk = self.walk
        for name, kept in self.fields.items():
            formed = walk.steps[name] if name in walk.steps else walk.shares[name]
            if formed.absent:
                found[f"f:{name}"] = walk.kernel.missing(kept.type, kept.width)
            elif formed.number is None:
                found[f"f:{name}"] = formed.as_code
            else:
                whole = walk.arithmetic.whole(formed.number, kept.scale)
                found[f"f:{name}"] = (
                    whole.code if whole.width == kept.width else walk.kernel.cast(whole.code, kept.width)
                )
        return found


@dataclass(frozen=True, slots=True)
class _Conditions:
    """The conjuncts of a `where`: `tested` are all but those of `same`, `rest` all but those of `equal` as well."""

    same: tuple[str, ...]
    equal: tuple[tuple[str, str], ...]
    rest: tuple[int, ...]
    tested: tuple[int, ...]


def _conjuncts(plan: Plan, node: int) -> list[int]:
    if node < 0:
        return []
    entry = plan.nodes[node]
    return [part for arg in entry.args for part in _conjuncts(plan, arg)] if entry.op is Op.AND else [node]


def earlier_name(node: PlanNode) -> str:
    """The field that an EARLIER node reads."""
    return str(node.data[1])  # type: ignore[index] # (rows, name)


def _code(value: Formed[X] | None) -> X | None:
    if value is None:
        return None
    return value.as_code if value.number is None else value.number.num.code


def _scale(value: Formed[X] | None) -> int:
    return value.number.scale if value is not None and value.number is not None else 1
