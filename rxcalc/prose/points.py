"""Long expressions laid out as numbered points, as legal texts do it: `the smaller of the following: 1. .. 2. ..`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rxcalc.plan.nodes import PlanCall
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.literals import quoted
from rxcalc.prose.model import Point, Run, Sentence, plain
from rxcalc.prose.phrase import ALL, CHAIN, KEYED, SCHEDULES, call_key
from rxcalc.prose.words import CONDITIONS, LISTS, VALUES, fill
from rxcalc.syntax import nodes as n

LONGEST: Final = ((200, 80), (180, 70), (100, 40))
"""Characters of a phrase that stays in one line, in English and in Chinese, by how deep its brackets are."""


SHORT: Final = (70, 30)
"""Characters of a value that may stand before the points of its condition."""


@dataclass(frozen=True)
class Laid:
    """A phrase, and the points that it opens."""

    runs: Sentence
    points: tuple[Point, ...] = ()


Child: TypeAlias = "Callable[[str], Laid]"


class Points:
    """Lays out the expressions of one rule."""

    def __init__(self, expressions: Expressions) -> None:
        self.x = expressions
        self.at = expressions.at

    # ---- values ----

    def value(self, x: n.Expr, number: str = "") -> Laid:
        """A value: in one line if it is short, else its outermost operation with a point for each part."""
        whole = self.x.value(x).runs
        if self.fits(whole):
            return Laid(whole)
        match x:
            case n.If():
                return self.cases(x, number)
            case n.Sum():
                return self._list("sum", [self._term(sign, t) for sign, t in x.terms], number)
            case n.Product():
                key = "product" if x.operator == "*" else "quotient"
                return self._list(key, [self._value(x.left), self._value(x.right)], number)
            case n.Call():
                return self._call(x, number) or Laid(whole)
            case n.Compare() | n.Between() | n.InSet() | n.InTable() | n.IsKnown() | n.And() | n.Or() | n.Not():
                return self.condition(x, number)
            case _:
                return Laid(whole)

    def cases(self, x: n.If, number: str) -> Laid:
        """`if .. else if .. else ..`, one case a point."""
        children: list[Child] = []
        rest: n.Expr = x
        while isinstance(rest, n.If):
            children.append(self.case(rest.condition, self._value(rest.then)))
            rest = rest.otherwise
        last = rest
        children.append(self.otherwise(self._value(last)))
        return self._list("cases", children, number)

    def otherwise(self, value: Child, reason: Sentence = ()) -> Child:
        """The last case."""

        def laid(at: str) -> Laid:
            then = value(at)
            key = "otherwise_value" if then.points else "otherwise"
            return Laid(self._fill(key, a=then.runs, r=reason), then.points)

        return laid

    def case(self, condition: n.Expr, value: Child, reason: Sentence = ()) -> Child:
        """One case: what must hold, and what it then is."""

        def laid(at: str) -> Laid:
            when, then = self.condition(condition, at), value(at)
            if not when.points:
                key = "case_value" if then.points else "case"
                return Laid(self._fill(key, a=when.runs, b=then.runs, r=reason), then.points)
            if not then.points and self._short(then.runs):
                return Laid(self._fill("case_condition", a=when.runs, b=then.runs, r=reason), when.points)
            first, second = f"{at}.1", f"{at}.2"
            head = self._fill("case_both", a=(Run(first),), b=(Run(second),), r=reason)
            when, then = self.condition(condition, first), value(second)
            points = (
                Point(first, self._fill("the_condition", a=when.runs), when.points),
                Point(second, self._fill("the_value", a=then.runs), then.points),
            )
            return Laid(head, points)

        return laid

    def _call(self, x: n.Call, number: str) -> Laid | None:
        call = self.x.rows_call(x)
        if call is not None:
            return self._over_rows(x, call, number)
        name = x.function.name
        args = [a.value for a in x.arguments if a.value is not None]
        match name:
            case "min" | "max" if self.x.limited(name, args):
                key = "added_up" if isinstance(args[1], n.Sum) else "following"
                parts = {"a": self._word(key), "b": self.x.value(args[0]).runs}
                told = fill(VALUES[self.x.limited(name, args)][self.at], parts)
                if isinstance(args[1], n.Sum):
                    children = [self._term(sign, t) for sign, t in args[1].terms]
                else:
                    children = [self._value(args[1])]
                return Laid((*told, *self._word("colon")), self._points(children, number))
            case "min" | "max" if len(args) > 1:
                key = self.x.least_words(name, args)[0 if len(args) == 2 else 1]
                return self._list(key, [self._value(a) for a in args], number)
            case "clamp" | "default":
                return self._list(name, [self._value(a) for a in args], number)
            case "as_percent" | "as_number" | "as_count" | "abs" | "days":
                if isinstance(args[0], n.Product) and args[0].operator == "/":
                    told = fill(VALUES["divided"][self.at], {"a": self._word("first_of"), "b": self._word("second")})
                    told = (
                        *fill(VALUES[name][self.at], {"a": self._fill("quotient_of", a=told)}),
                        *self._word("colon"),
                    )
                    return Laid(told, self._points([self._value(args[0].left), self._value(args[0].right)], number))
                told = fill(VALUES[name][self.at], {"a": self._word("following")})
                return Laid((*told, *self._word("colon")), self._points([self._value(args[0])], number))
            case _ if name in SCHEDULES:
                return self._banded(x, number)
            case _:
                return None

    def _banded(self, x: n.Call, number: str) -> Laid:
        name, schedule, between, on, body = self.x.schedule_parts(x)
        parts = {"s": self.x.operand(schedule, KEYED)}
        children: list[Child] = []
        if name == "band":
            parts["n"] = self.x.operand(between[0], KEYED)
        if name == "bands_reach":
            children.append(self._labelled("target", between[0]))
        if isinstance(on, n.Range):
            children += [self._labelled("range_from", on.low), self._labelled("range_to", on.high)]
        else:
            children.append(self._labelled("range_on", on))
        if body is not None:
            mapped = body
            children.append(lambda at: self._mapped(mapped, at))
        return self._list({"bands_reach": "reach"}.get(name, name), children, number, **parts)

    def _mapped(self, body: n.Lambda, number: str) -> Laid:
        outer = self.x.bind(body.parameter)
        laid = self.value(body.body, number)
        self.x.unbind(outer)
        return Laid(self._fill("each_rate", a=laid.runs, b=(Run(quoted(body.parameter)),)), laid.points)

    def _over_rows(self, x: n.Call, call: PlanCall, number: str) -> Laid | None:
        value, where = self.x.arguments(x)
        if value is None and where is None:
            return None
        tested = call.function in ("any", "all")
        if where is not None and not tested and (short := self._counting(x, call, where, number)) is not None:
            return short
        children: list[Child] = []
        if value is not None:
            inner = value
            children.append(lambda at: self._said("row_value", (self.condition if tested else self.value)(inner, at)))
        if where is not None:
            condition = where
            children.append(lambda at: self._said("row_where", self.x.beside(lambda: self.condition(condition, at))))
        key = call_key(call) if value is not None else call.function
        this = self._word("this" if tested else "value")
        table = CONDITIONS if tested else VALUES
        head = fill(table[key][self.at], {"r": self.x.rows.phrase(call), "v": this})
        outer = self.x.enter(x, call)
        points = self._points(children, number)
        self.x.leave(outer)
        return Laid(self._fill("rows", a=head), points)

    def _counting(self, x: n.Call, call: PlanCall, where: n.Expr, number: str) -> Laid | None:
        """With only the condition laid out, where the value is short or there is none."""
        value = self.x.inside(x, call)[0]
        if value is not None and not self.fits(value.runs):
            return None
        told = {"r": self.x.rows.phrase(call), "v": value.runs if value is not None else ()}
        head = fill(VALUES[call_key(call) if value is not None else call.function][self.at], told)
        outer = self.x.enter(x, call)
        laid = self.x.beside(lambda: self.condition(where, number))
        self.x.leave(outer)
        return Laid(self._fill("rows_where", a=head, b=laid.runs), laid.points)

    # ---- conditions ----

    def condition(self, x: n.Expr, number: str = "") -> Laid:
        """A condition: in one line if it is short, else its outermost operation with a point for each part."""
        whole = self.x.condition(x, ALL)
        if self.fits(whole):
            return Laid(whole)
        match x:
            case n.And() | n.Or():
                key = "and" if isinstance(x, n.And) else "or"
                return self._list(key, [self._condition(i) for i in x.items], number)
            case n.Not() if not self.x.is_flag(x.operand):
                return self._list("not", [self._condition(x.operand)], number)
            case n.Compare():
                return self._compared(x, number)
            case n.Call() if (call := self.x.rows_call(x)) is not None and call.function in ("any", "all"):
                return self._over_rows(x, call, number) or Laid(whole)
            case _:
                return Laid(whole)

    def _compared(self, x: n.Compare, number: str) -> Laid:
        """A comparison of which one side, or both, take a point of their own."""
        left, right = self.x.operand(x.left, CHAIN, like=x.right), self.x.operand(x.right, CHAIN, like=x.left)
        long = [not self.fits(side) for side in (left, right)]
        if not any(long):
            long = [len(plain(left)) >= len(plain(right)), len(plain(left)) < len(plain(right))]
        children = [
            child for child, apart in zip((self._value(x.left), self._value(x.right)), long, strict=True) if apart
        ]
        head = "following" if not all(long) else "first_of"
        parts = {"a": self._word(head) if long[0] else left, "b": right}
        if long[1]:
            parts["b"] = self._word("second" if long[0] else "following")
        told = fill(CONDITIONS[self.x.relation(x)][self.at], parts)
        return Laid((*told, *self._word("colon")), self._points(children, number))

    # ---- points ----

    def fits(self, runs: Sentence) -> bool:
        """Whether a phrase reads well in one line."""
        text = plain(runs)
        depth = _depth(runs)
        return depth < len(LONGEST) and len(text) <= LONGEST[depth][self.at]

    def _short(self, runs: Sentence) -> bool:
        """Whether a value may stand before the condition under which it holds."""
        text = plain(runs)
        return len(text) <= SHORT[self.at] and " if " not in text and "若" not in text

    def _list(self, key: str, children: Sequence[Child], number: str, **parts: Sentence) -> Laid:
        return Laid(self._fill(key, **parts), self._points(children, number))

    def _points(self, children: Sequence[Child], number: str) -> tuple[Point, ...]:
        head = f"{number}." if number else ""
        return tuple(self._point(f"{head}{at}", child) for at, child in enumerate(children, start=1))

    def _point(self, number: str, child: Child) -> Point:
        number = number.removeprefix(".")
        laid = child(number)
        return Point(number, laid.runs, laid.points)

    def _value(self, x: n.Expr) -> Child:
        return lambda at: self.value(x, at)

    def _condition(self, x: n.Expr) -> Child:
        return lambda at: self.condition(x, at)

    def _labelled(self, key: str, x: n.Expr) -> Child:
        return lambda at: self._said(key, self.value(x, at))

    def _term(self, sign: int, x: n.Expr) -> Child:
        """A part of a sum; after `minus`, what follows a value would be taken for a part of the sum too."""
        if sign > 0:
            return self._value(x)
        phrase = self.x.value(x)
        whole = phrase.holds >= KEYED and self.fits(phrase.runs)
        return self._labelled("less" if whole else "subtracted", x)

    def _said(self, key: str, laid: Laid) -> Laid:
        return Laid(self._fill(key, a=laid.runs), laid.points)

    def _word(self, key: str) -> Sentence:
        return (Run(LISTS[key][self.at]),)

    def _fill(self, key: str, **parts: Sentence) -> Sentence:
        return fill(LISTS[key][self.at], parts)


def _depth(runs: Sentence) -> int:
    """How deep the brackets of a phrase stand in one another, those of labels not counted."""
    text = "".join(run.text for run in runs if not run.ref)
    deepest = depth = 0
    for c in text:
        if c in "(（":
            depth += 1
            deepest = max(deepest, depth)
        elif c in ")）":
            depth -= 1
    return deepest
