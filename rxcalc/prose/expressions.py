"""Expressions as parts of sentences: a value as a noun phrase, a condition as a clause.

What is written decides the words: `clamp(x, a, b)` and `min(max(x, a), b)` are two sentences, though one value. The
tree comes from the canonical text of a node, what its names are from the plan. A part whose end could not be told
from what follows stands in brackets; long expressions are laid out as points instead (`points.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, assert_never

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, Kind, OneOf, Plain
from rxcalc.plan.nodes import PlanCall
from rxcalc.prose.literals import literal, quoted
from rxcalc.prose.model import Run, Sentence
from rxcalc.prose.naming import Naming
from rxcalc.prose.phrase import (
    ALL,
    ALWAYS,
    CHAIN,
    CLOSED,
    COMPARED,
    CONVERSIONS,
    DENIED,
    FACTORS,
    KEYED,
    LEAST,
    LEAST_DATE,
    MODES,
    OF_DATE,
    ONE,
    OPEN,
    PAIRS,
    ROUNDINGS,
    ROW_FUNCTIONS,
    SCHEDULES,
    TERM,
    Phrase,
    call_key,
)  # fmt: skip
from rxcalc.prose.words import CONDITIONS, VALUES
from rxcalc.syntax import nodes as n
from rxcalc.syntax.unparse import unparse

T = TypeVar("T")


class Expressions(Naming):
    """The expressions of one rule, as phrases and clauses."""

    # ---- values ----

    def value(self, x: n.Expr, like: n.Expr | None = None) -> Phrase:
        """An expression as a noun phrase; `like` stands across from it, for a value of a set."""
        match x:
            case n.Number() | n.Money() | n.Percent() | n.Duration() | n.DateLiteral() | n.Flag() | n.Text():
                return Phrase((Run(literal(x, chinese=self.names.chinese)),), CLOSED)
            case n.Name():
                return self._name(x, like)
            case n.Member():
                return self._member(x)
            case n.Index():
                return self._index(x, "")
            case n.At():
                return self._tell("at", CLOSED, a=self.operand(x.of, TERM), b=self.value(x.date).runs)
            case n.Negate():
                return self._tell("negate", TERM, a=self.operand(x.operand, KEYED))
            case n.Sum():
                return self._sum(x)
            case n.Product(operator="*", left=n.Percent() as share, right=whole):
                return self._tell("percent_of", TERM, a=self.value(share).runs, b=self.operand(whole, KEYED))
            case n.Product():
                key = "times" if x.operator == "*" else "divided"
                # `A divided by B times C` could be A / (B * C).
                divides = isinstance(x.left, n.Product) and x.left.operator == "/"
                left = self.operand(x.left, ALWAYS) if divides else self.operand(x.left, FACTORS, KEYED, CLOSED)
                right = self.operand(x.right, KEYED)
                return self._tell(key, FACTORS, a=left, b=right)
            case n.If():
                then, otherwise = self.operand(x.then, TERM), self.operand(x.otherwise, TERM)
                return self._tell("if", OPEN, a=self.condition(x.condition, ONE), b=then, c=otherwise)
            case n.Call():
                return self._call_of(x)
            case n.Compare() | n.Between() | n.InSet() | n.InTable() | n.IsKnown() | n.And() | n.Or() | n.Not():
                return self._tell("whether", OPEN, a=self.condition(x, ALL, bracket=True))
            case n.Range() | n.Lambda() | n.ErrorExpr():
                message = f"{type(x).__name__} is no value"
                raise ValueError(message)
            case _:
                assert_never(x)

    def operand(self, x: n.Expr, needed: int, *also: int, like: n.Expr | None = None) -> Sentence:
        """A value inside something that needs it to hold together so tightly (or just as `also` says); else in brackets."""
        phrase = self.value(x, like)
        fits = phrase.holds >= needed if not also else phrase.holds in (needed, *also)
        return phrase.runs if fits else self._fill(VALUES["bracket"], a=phrase.runs)

    def _sum(self, x: n.Sum) -> Phrase:
        runs = self.operand(x.terms[0][1], KEYED)
        for sign, term in x.terms[1:]:
            runs = self._fill(VALUES["plus" if sign > 0 else "minus"], a=runs, b=self.operand(term, KEYED))
        return Phrase(runs, CHAIN)

    # ---- calls ----

    def _call_of(self, x: n.Call) -> Phrase:
        rows = self.rows_call(x)
        if rows is not None:
            return self._over_rows(x, rows)
        name = x.function.name
        args = [a.value for a in x.arguments if a.value is not None]
        match name:
            case "min" | "max":
                return self._least(name, args)
            case "clamp" | "date":
                return self._tell(name, OPEN, **{k: self.operand(a, TERM) for k, a in zip("abc", args, strict=True)})
            case "first_day" | "last_day":
                return self._tell(self._key_of(name, args), TERM, a=self.operand(args[0], KEYED))
            case _ if name in OF_DATE:
                return self._tell(name, TERM, a=self.operand(args[0], KEYED))
            case _ if name in CONVERSIONS:
                return self._tell(name, TERM, a=self.operand(args[0], CLOSED))
            case _ if name in PAIRS:
                needed = CLOSED if name == "power" else KEYED
                a, b = (self.operand(arg, needed, like=other) for arg, other in zip(args, reversed(args), strict=True))
                return self._tell(name, OPEN if name == "default" else TERM, a=a, b=b)
            case _ if name in ROUNDINGS:
                mode = (Run(self.rounding_mode()),)
                return self._tell(name, OPEN, a=self.operand(args[0], KEYED), b=self.value(args[1]).runs, m=mode)
            case "step" | "along":
                key = "slice" if name == "step" else "along"
                return self._tell(key, OPEN, s=self.operand(args[0], KEYED), a=self.operand(args[1], KEYED))
            case "over_days":
                return self._banded(name, args[0], (), args[1], None)
            case _ if name in SCHEDULES:
                return self._banded(*self.schedule_parts(x))
            case _:
                message = f"no words for the function `{name}`"
                raise ValueError(message)

    def rounding_mode(self) -> str:
        """How `round` rounds."""
        return MODES[self.plan.rounding][self.at]

    def _key_of(self, name: str, args: Sequence[n.Expr]) -> str:
        """`first_day(d, month)`: the unit belongs to the words. `first_day(2025)` is of that year."""
        if len(args) == 2 and isinstance(args[1], n.Name):
            return f"{name}_{args[1].name}"
        return f"{name}_of" if isinstance(args[0], n.Number) else name

    def least_words(self, name: str, args: Sequence[n.Expr]) -> tuple[str, str]:
        """The words for two and for more: the smaller, the smallest; of dates the earlier, the earliest."""
        dated = any(self.type_of(a) == DATE for a in args)
        return (LEAST_DATE if dated else LEAST)[name]

    def limited(self, name: str, args: Sequence[n.Expr]) -> str:
        """The words of `max(0, x)` and `min(100%, x)`, which keep x within a constant; "" for any other."""
        constants = [isinstance(a, n.Number | n.Money | n.Percent | n.Duration) for a in args]
        return {"max": "at_least", "min": "at_most"}[name] if constants == [True, False] else ""

    def _least(self, name: str, args: Sequence[n.Expr]) -> Phrase:
        limited = self.limited(name, args)
        if limited:
            return self._tell(limited, OPEN, a=self.operand(args[1], CHAIN), b=self.value(args[0]).runs)
        two, more = self.least_words(name, args)
        across = [next((o for o in args if o is not a), None) for a in args]
        # `A与各明细中B的最大值` would be the largest of A and of all B.
        needed = [ALWAYS if self.names.chinese and self._is_over_rows(a) else TERM for a in args]
        shown = [self.operand(a, n_, like=o) for a, n_, o in zip(args, needed, across, strict=True)]
        if len(shown) == 2:
            return self._tell(two, OPEN, a=shown[0], b=shown[1])
        listed = self.join("last_of", [self.join("comma", shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
        return self._tell(more, OPEN, a=listed)

    def schedule_parts(self, x: n.Call) -> tuple[str, n.Expr, tuple[n.Expr, ...], n.Expr, n.Lambda | None]:
        """Function, schedule, what stands between (number of the band, target), range or end, mapping."""
        args = [a.value for a in x.arguments if a.value is not None]
        body = args.pop() if isinstance(args[-1], n.Lambda) else None
        return x.function.name, args[0], tuple(args[1:-1]), args[-1], body if isinstance(body, n.Lambda) else None

    def _banded(
        self, name: str, schedule: n.Expr, between: tuple[n.Expr, ...], on: n.Expr, body: n.Lambda | None
    ) -> Phrase:
        parts = {"s": self.operand(schedule, CLOSED if name == "over_days" else KEYED)}
        parts |= dict(zip("n" if name == "band" else "t", (self.operand(b, KEYED) for b in between), strict=False))
        key = {"bands_reach": "reach"}.get(name, name)
        if isinstance(on, n.Range):
            parts |= {"a": self.operand(on.low, KEYED), "b": self.operand(on.high, KEYED)}
        else:
            parts["b"] = self.operand(on, KEYED)
            key += "_to"
        found = self._tell(key, OPEN, **parts)
        if body is None:
            return found
        with_local = self.mapped(body)
        return self._tell("mapped", OPEN, a=found.runs, b=(Run(quoted(body.parameter)),), c=with_local)

    def mapped(self, body: n.Lambda) -> Sentence:
        """What each rate is replaced by, in brackets where it is long."""
        outer = self.bind(body.parameter)
        found = self.operand(body.body, TERM)
        self.unbind(outer)
        return found

    def bind(self, name: str) -> tuple[str, ...]:
        """From here on the name is that of a rate."""
        outer, self._locals = self._locals, (*self._locals, name)
        return outer

    def unbind(self, outer: tuple[str, ...]) -> None:
        """Back to what was bound before."""
        self._locals = outer

    # ---- rows ----

    def rows_call(self, x: n.Call) -> PlanCall | None:
        """The call that goes over rows, as planned; None for a plain function."""
        if isinstance(x.function, n.Name) and x.function.name not in ROW_FUNCTIONS:
            return None
        found = (node for node in self._nodes.get(unparse(x), ()) if node.op in (Op.WINDOW, Op.ROWS))
        node = next(found, None)
        return self.plan.calls[node.data] if node is not None and isinstance(node.data, int) else None

    def _over_rows(self, x: n.Call, call: PlanCall) -> Phrase:
        value, where = self.inside(x, call)
        rows = self.rows.phrase(call)
        if where is not None:
            rows = self._fill(VALUES["where"], a=rows, b=where.runs)
        # `A加各明细的B之和` would be the sum of both.
        is_sum = self.names.chinese and call.function == "sum"
        holds = OPEN if where is not None else FACTORS if is_sum else CLOSED
        if call.function in ("any", "all"):
            return self._tell("whether", OPEN, a=self._fill(VALUES["bracket"], a=self.any_all(x)))
        if value is None:
            return self._tell("count", holds, r=rows)
        return self._tell(call_key(call), holds, v=value.runs, r=rows)

    def any_all(self, x: n.Call) -> Sentence:
        """`any(..)` and `all(..)` as a condition."""
        call = self.rows_call(x)
        assert call is not None  # noqa: S101 - only asked of such calls
        value, where = self.inside(x, call)
        rows = self.rows.phrase(call)
        if where is not None:
            rows = self._fill(VALUES["where"], a=rows, b=self._fill(VALUES["bracket"], a=where.runs))
        return self._fill(CONDITIONS[call.function], r=rows, v=value.runs if value is not None else ())

    def inside(self, x: n.Call, call: PlanCall) -> tuple[Phrase | None, Phrase | None]:
        """The value and the condition of a call over rows, in the words of the other row."""
        outer = self.enter(x, call)
        value, where = self.arguments(x)
        found: Phrase | None = None
        if value is not None:
            tested = call.function in ("any", "all")
            needed = CLOSED if call.function in ("first", "last") else KEYED
            found = Phrase(self.condition(value, ALL) if tested else self.operand(value, needed), CLOSED)
        self._bare_other = False
        condition = Phrase(self.condition(where, ALL), OPEN) if where is not None else None
        self.leave(outer)
        return found, condition

    def enter(self, x: n.Call, call: PlanCall) -> tuple[PlanCall | None, bool]:
        """From here on names are read as inside the call."""
        outer = (self._call, self._bare_other)
        self._call = call
        value, _ = self.arguments(x)
        is_name = isinstance(value, n.Name | n.Member) and isinstance(x.function, n.Member)
        self._bare_other = is_name and not call.inner
        return outer

    def beside(self, read: Callable[[], T]) -> T:
        """Reads the condition of a call, in which a bare name is never the other row's."""
        outer, self._bare_other = self._bare_other, False
        found = read()
        self._bare_other = outer
        return found

    def leave(self, outer: tuple[PlanCall | None, bool]) -> None:
        """Back to how names were read before the call."""
        self._call, self._bare_other = outer

    def _is_over_rows(self, x: n.Expr) -> bool:
        return isinstance(x, n.Call) and self.rows_call(x) is not None

    def arguments(self, x: n.Call) -> tuple[n.Expr | None, n.Expr | None]:
        """The value and the condition of a call over rows; `count(lines)` has no value."""
        if not x.arguments:
            return None, None
        argument = x.arguments[0]
        value = argument.value
        call = self.rows_call(x)
        if call is not None and call.value < 0:
            value = None
        return value, argument.where

    # ---- conditions ----

    def condition(self, x: n.Expr, needed: int, *, bracket: bool = False) -> Sentence:
        """An expression as a clause; in brackets where it is joined by `and` or `or` and one is needed."""
        runs, holds = self._condition(x)
        return self._fill(VALUES["bracket"], a=runs) if holds < needed or bracket else runs

    def _condition(self, x: n.Expr, *, denied: bool = False) -> tuple[Sentence, int]:
        match x:
            case n.And() | n.Or():
                key = "and" if isinstance(x, n.And) else "or"
                return self.join(key, [self.condition(i, ONE) for i in x.items], CONDITIONS), ALL
            case n.Not():
                if self.is_flag(x.operand):
                    return self._fill(CONDITIONS["no"], a=self.operand(x.operand, KEYED)), ONE
                if isinstance(x.operand, n.InTable | n.InSet) or self._on_codes(x.operand):
                    return self._condition(x.operand, denied=True)
                return self._fill(CONDITIONS["not"], a=self.condition(x.operand, ALL)), ONE
            case n.Compare():
                key = DENIED[self.relation(x)] if denied else self.relation(x)
                a, b = self.operand(x.left, CHAIN, like=x.right), self.operand(x.right, CHAIN, like=x.left)
                return self._fill(CONDITIONS[key], a=a, b=b), ONE
            case n.Between():
                a, b, c = (self.operand(i, CHAIN, like=x.operand) for i in (x.operand, x.low, x.high))
                return self._fill(CONDITIONS["between"], a=a, b=b, c=c), ONE
            case n.InSet():
                members = [self.operand(m, TERM, like=x.operand) for m in x.members]
                listed = self.join("comma", members)
                return self._fill(
                    CONDITIONS["not_in" if denied else "in"], a=self.operand(x.operand, CHAIN), b=listed
                ), ONE
            case n.InTable():
                return self._listed(x, "unlisted" if denied else "listed"), ONE
            case n.IsKnown():
                key = "known" if x.known else "missing"
                return self._fill(CONDITIONS[key], a=self.operand(x.operand, CHAIN)), ONE
            case n.Call() if (call := self.rows_call(x)) is not None and call.function in ("any", "all"):
                return self.any_all(x), ALL
            case _:
                return self._fill(CONDITIONS["yes"], a=self.operand(x, TERM)), ONE

    def _on_codes(self, x: n.Expr) -> bool:
        return isinstance(x, n.Compare) and x.operator in DENIED

    def is_flag(self, x: n.Expr) -> bool:
        """Whether a condition is a value that is yes or no, not a comparison or the like."""
        match x:
            case n.Name() | n.Member() | n.Index() | n.At():
                return True
            case _:
                return False

    def relation(self, x: n.Compare) -> str:
        """The words for a comparison, by what is compared."""
        if x.operator in ("has", "meets"):
            return x.operator
        key = COMPARED[x.operator]
        of = self.type_of(x.left) or self.type_of(x.right)
        if key in ("equal", "unequal"):
            plain = isinstance(of, OneOf) or of == DATE or of in (Plain(Kind.CODE), Plain(Kind.TEXT))
            return key if plain else f"{key}_number"
        if of == DATE:
            return f"{key}_date"
        return f"{key}_rank" if isinstance(of, OneOf) else key

    def _listed(self, x: n.InTable, key: str) -> Sentence:
        dated = x.table.date if isinstance(x.table, n.At) else None
        name = x.table.of if isinstance(x.table, n.At) else x.table
        table = self.names.run(self.names.tables[name.name if isinstance(name, n.Name) else ""])
        if dated is not None:
            table = self._fill(VALUES["at"], a=table, b=self.value(dated).runs)
        if len(x.keys) == 1:
            return self._fill(CONDITIONS[key], a=self.operand(x.keys[0], CHAIN), b=table)
        keys = self.join("key_then", [self.operand(k, TERM) for k in x.keys])
        return self._fill(CONDITIONS[f"{key}_keys"], a=keys, b=table)
