"""Reads the English sentences of a rule back into the formula that they state.

Written from the sentences alone: nothing of `rxcalc.prose` is used, only what its results are made of (runs with a
text and the anchor of what they name, numbered points). What it cannot read for certain it refuses, so a sentence
that it reads as the formula it was made from says what the formula says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<date>\d{4}-\d{2}-\d{2})|(?P<money>(?:[A-Z]{3} |[¥$€£₩₹฿₫₺₽])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?: per day)?)"
    r"|(?P<percent>\d{1,3}(?:,\d{3})*(?:\.\d+)?%)|(?P<length>\d{1,3}(?:,\d{3})* (?:days?|months?|years?)\b)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)|“(?P<quoted>[^”]*)”|(?P<mark>[(),:.])|(?P<word>[A-Za-z][A-Za-z'-]*))"
)
ROWS = ("input", "step", "spread", "share")
CONVERSIONS = {
    "as a percentage": "as_percent", "as a plain number": "as_number", "as a whole number": "as_count",
    "as a number of days": "days", "as a number of months": "months", "as a number of years": "years",
}  # fmt: skip
LEAST = {
    "smaller": "min", "smallest": "min", "earlier": "min", "earliest": "min",
    "larger": "max", "largest": "max", "later": "max", "latest": "max",
}  # fmt: skip
RELATIONS = {
    "is not less than": ">=", "is not more than": "<=", "is less than": "<", "is more than": ">", "is not before": ">=",
    "is not after": "<=", "is before": "<", "is after": ">", "is not below": ">=", "is not above": "<=", "is below": "<",
    "is above": ">", "equals": "=", "does not equal": "!=", "does not hold": "not has", "holds": "has",
    "shares a code with": "meets", "shares no code with": "not meets", "is not": "!=", "is": "=",
}  # fmt: skip


class CannotReadError(Exception):
    """A sentence that has no reading."""


@dataclass(frozen=True)
class Lexicon:
    """What the reader is told of a rulebook: its levels, the names of set values and columns by what they are called.

    Values of two sets may be called the same; which one is meant follows from the set, which the reader does not know.
    """

    levels: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    columns: Mapping[tuple[str, str], str]


@dataclass
class Token:
    """A word, a mark, a constant, or a name (its anchor in `ref`)."""

    kind: str
    text: str
    ref: str = ""


Tree = tuple[Any, ...]


@dataclass
class Reader:
    """One sentence with its points. Trees are tuples whose first item says what they are."""

    lexicon: Lexicon
    tokens: list[Token]
    points: list[Any]
    bound: tuple[str, ...] = ()
    at: int = 0
    used: set[int] = field(default_factory=set)

    # ---- tokens ----

    def says(self, phrase: str) -> bool:
        """Whether the next words are these; then they are taken."""
        words = phrase.replace(",", " , ").replace(":", " : ").split()
        for offset, word in enumerate(words):
            token = self.tokens[self.at + offset] if self.at + offset < len(self.tokens) else None
            if token is None or token.kind not in ("word", "mark") or token.text.lower() != word:
                return False
        self.at += len(words)
        return True

    def must(self, phrase: str) -> None:
        """Takes these words."""
        if not self.says(phrase):
            self.fail(f"`{phrase}` expected")

    def peek(self) -> Token:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else Token("end", "")

    def take(self, *kinds: str) -> Token:
        """The next token, of one of these kinds."""
        token = self.peek()
        if token.kind not in kinds:
            self.fail(f"{kinds} expected")
        self.at += 1
        return token

    def fail(self, why: str) -> None:
        """Refuses."""
        shown = " ".join(t.ref or t.text for t in self.tokens[: self.at]) + " <HERE> "
        raise CannotReadError(why + ": " + shown + " ".join(t.ref or t.text for t in self.tokens[self.at :]))

    def first_of(self, *ways: Callable[[], Tree]) -> Tree:
        """The first way in which it can be read."""
        at, used, last = self.at, set(self.used), None
        for way in ways:
            try:
                return way()
            except CannotReadError as error:
                last = error
                self.at, self.used = at, set(used)
        raise last or CannotReadError("nothing")

    def ended(self, tree: Tree) -> Tree:
        """What was read, if that is all of the sentence and of its points."""
        while self.peek().kind == "mark" and self.peek().text in ".:":
            self.at += 1
        if self.peek().kind != "end":
            self.fail("more than was read")
        if self.used != set(range(len(self.points))):
            self.fail("points that were not read")
        return tree

    # ---- points ----

    def point(self, number: int, how: str = "value", bound: tuple[str, ...] = ()) -> Tree:
        """One of the points, read whole."""
        if number >= len(self.points):
            self.fail("there is no such point")
        self.used.add(number)
        of = self.points[number]
        inner = Reader(self.lexicon, tokens(of.sentence), list(of.points), (*self.bound, *bound))
        return inner.ended(getattr(inner, how)())

    def all_points(self, how: str = "value") -> list[Tree]:
        """All points."""
        return [self.point(number, how) for number in range(len(self.points))]

    # ---- values ----

    def value(self, *, short: bool = False) -> Tree:
        """A value to its end; a `short` one is followed by the condition under which it holds."""
        left = self.operand()
        if self.word() in ("plus", "minus"):
            terms = [("+", left)]
            while self.word() in ("plus", "minus"):
                sign = "+" if self.take("word").text == "plus" else "-"
                terms.append((sign, self.operand()))
            left = ("sum", terms)
        else:
            operator = "*"
            while self.word() in ("times", "divided"):
                if operator == "/":
                    self.fail("what follows may be times the divisor or times the whole")
                operator = "*" if self.take("word").text == "times" else "/"
                if operator == "/":
                    self.must("by")
                left = ("product", operator, left, self.operand())
        for phrase, name in {**CONVERSIONS, "without its sign": "abs"}.items():
            if self.says(", " + phrase):
                return ("call", name, [left])
        if self.says(", but at least"):
            low = self.operand()
            if self.says("and at most"):
                return ("call", "clamp", [left, low, self.operand()])
            return ("call", "max", [low, left])
        if self.says(", but at most"):
            return ("call", "min", [self.operand(), left])
        if self.says(", or"):
            other = self.operand()
            self.must("where that is missing")
            return ("call", "default", [left, other])
        if self.says("rounded"):
            name = "floor" if self.says("down to a") else "ceil" if self.says("up to a") else "round"
            if name == "round":
                while self.word() != "multiple":
                    self.take("word")
            self.must("multiple of")
            return ("call", name, [left, self.value(short=short)])
        if not short and self.says("if"):
            condition = self.one()
            self.must(", and otherwise")
            return ("if", condition, left, self.operand())
        return left

    def word(self) -> str:
        """The next word, "" if none comes."""
        return self.peek().text if self.peek().kind == "word" else ""

    def operand(self) -> Tree:
        """A value whose end can be told."""
        left = self.closed()
        while True:
            more = self.more(left)
            if more is None:
                return left
            left = more

    def more(self, left: Tree) -> Tree | None:
        """What may follow a value and belongs to it."""
        for phrase, name in CONVERSIONS.items():
            if self.says(phrase):
                return ("call", name, [left])
        if self.says("without its sign"):
            return ("call", "abs", [left])
        if self.says("to the power of"):
            return ("call", "power", [left, self.operand()])
        if self.says("( as of"):
            moment = self.value()
            self.must(")")
            return ("at", left, moment)
        if self.says("in the first of") or self.says("in the last of"):
            function = self.tokens[self.at - 2].text
            return ("rows", function, None if left == ("told",) else left, *self.rows())
        if self.says("added up over the days from"):
            start = self.operand()
            self.must("until the day before")
            return ("call", "over_days", [left, ("range", start, self.operand())])
        if left[0] == "name":
            return self.after_name(left)
        return None

    def after_name(self, left: Tree) -> Tree | None:
        """What may follow a name: keys, or whose it is."""
        for noun in ("episode", "line", "row", "group"):
            if self.says(f"of this {noun}"):
                return ("own", left[1])
        if self.says("of its episode"):
            return ("outer", left[1])
        if self.says("of its group"):
            return ("member", self.take("name").ref, [], left)
        if self.says("of the group"):
            group = self.take("name").ref
            return ("member", group, self.keys(), left)
        if left[1].startswith("table-") and self.says("in"):
            self.says("the")
            table = self.take("name").ref
            return ("cell", table, self.keys(), left[2])
        if left[1].startswith("parameter-") and (self.ahead("for") or self.ahead("( for")):
            return ("index", left[1], self.keys())
        return None

    def ahead(self, phrase: str) -> bool:
        """Whether these words come next; nothing is taken."""
        at = self.at
        found = self.says(phrase)
        self.at = at
        return found

    def keys(self) -> list[Tree]:
        """`for K` or `(for K, K)`."""
        if self.says("( for"):
            keys = [self.operand()]
            while self.says(","):
                keys.append(self.operand())
            self.must(")")
            return keys
        self.must("for")
        return [self.closed_key()]

    def closed_key(self) -> Tree:
        """A key that stands without brackets: a name or a constant, or anything in brackets."""
        left = self.closed()
        while not self.ahead("( as of"):
            more = self.more(left)
            if more is None:
                break
            left = more
        return left

    def closed(self) -> Tree:
        """A value that begins here."""
        token = self.peek()
        if token.kind in ("date", "money", "percent", "length", "number"):
            self.at += 1
            constant: Tree = ("constant", token.text.replace(",", ""))
            if token.kind == "percent" and self.says("of"):
                return ("product", "*", constant, self.operand())
            return constant
        if token.kind == "quoted":
            self.at += 1
            if token.text in self.bound:
                return ("constant", token.text)
            known = self.lexicon.values.get(token.text)
            return ("constant", "".join(("⟦", "|".join(known), "⟧")) if known else '"' + token.text + '"')
        if token.kind == "name":
            self.at += 1
            return ("name", token.ref, token.text)
        if self.says("("):
            inner = self.first_of(self.value, self.whether)
            self.must(")")
            return inner
        for word in ("yes", "no"):
            if self.says(word):
                return ("constant", word)
        if self.ahead("whether"):
            return self.whether()
        if self.says("what"):
            return self.schedule()
        self.must("the")
        return self.the()

    def whether(self) -> Tree:
        """A condition as a value."""
        self.must("whether")
        self.must("(")
        found = self.condition()
        self.must(")")
        return found

    def the(self) -> Tree:
        """What begins with `the`."""
        if self.peek().kind == "name":
            token = self.take("name")
            return ("name", token.ref, token.text)
        if self.says("following added up"):
            return ("sum", [self.point(i, "term") for i in range(len(self.points))])
        if self.says("following"):
            return self.point(0)
        if self.says("first of the following"):
            return self.point(0)
        for number, word in enumerate(("second", "third"), start=1):
            if self.says(word):
                return self.point(number)
        if self.ahead("value in the"):
            self.must("value")
            return ("told",)
        for phrase, name in (("value that", "step"), ("point of the curve", "along")):
            if self.says(phrase):
                schedule = self.operand()
                self.must("has for" if name == "step" else "at")
                return ("call", name, [schedule, self.operand()])
        if self.says("smallest amount"):
            return self.reach()
        for word in ("smallest", "largest"):
            if self.says(f"{word} value of"):
                value = self.each()
                self.must("among")
                return ("rows", LEAST[word], value, *self.rows())
        for word, name in LEAST.items():
            if self.says(f"{word} of"):
                return self.least(name)
        if self.says("sum of"):
            value = self.each()
            self.must("over")
            return ("rows", "sum", value, *self.rows())
        if self.says("number of different values of"):
            value = self.each()
            self.must("among")
            return ("rows", "distinct", value, *self.rows())
        if self.says("number of values of"):
            value = self.each()
            self.must("among")
            return ("rows", "count", value, *self.rows())
        if self.says("number of"):
            return ("rows", "count", None, *self.rows())
        if self.says("place of"):
            value = self.each()
            self.must("among")
            rows = self.rows_without_end()
            self.must(", the largest first")
            return ("rows", "rank", value, *self.followed(rows))
        return self.of_dates()

    def each(self) -> Tree | None:
        """The value of each row; `the value` stands for a point that gives it."""
        at = self.at
        if self.says("the value") and self.word() in ("over", "among"):
            return None
        self.at = at
        return self.operand()

    def least(self, name: str) -> Tree:
        """Two or more of which the smallest or largest is meant."""
        if self.says("the following two") or self.says("the following"):
            return ("call", name, self.all_points())
        args = [self.operand()]
        while self.says(","):
            args.append(self.operand())
        if self.says("and"):
            args.append(self.operand())
        return ("call", name, args)

    def of_dates(self) -> Tree:
        """Functions of dates, and what else begins with `the`."""
        if self.says("negative of"):
            return ("negative", self.operand())
        for phrase, name in (("day of the month of", "day"), ("year of", "year"), ("month of", "month")):
            if self.says(phrase):
                return ("call", name, [self.operand()])
        for end in ("first", "last"):
            for unit in ("month", "quarter", "year"):
                if self.says(f"{end} day of the {unit} of"):
                    return ("call", f"{end}_day", [self.operand(), ("constant", unit)])
            if self.says(f"{end} day of the year given by") or self.says(f"{end} day of the year"):
                return ("call", f"{end}_day", [self.operand()])
        if self.says("date with year"):
            year = self.operand()
            self.must(", month")
            month = self.operand()
            self.must("and day")
            return ("call", "date", [year, month, self.operand()])
        if self.says("age in whole years on"):
            on = self.operand()
            self.must("of somebody born on")
            return ("call", "age", [self.operand(), on])
        for phrase, name in (("days from", "days_between"), ("whole months from", "months_between")):
            if self.says(phrase):
                start = self.operand()
                self.must("to")
                return ("call", name, [start, self.operand()])
        self.must("root of degree")
        degree = self.operand()
        self.must("of")
        return ("call", "root", [self.operand(), degree])

    # ---- schedules ----

    def schedule(self) -> Tree:
        """`what the bands of S give ..`, `what band number n of S gives ..`, cases."""
        if self.says("the first of these cases that applies gives"):
            return self.cases()
        number: Tree | None = None
        if self.says("band number"):
            number = self.operand()
            self.must("of")
        else:
            self.must("the bands of")
        name, between = ("band", [number]) if number is not None else ("bands", [])
        schedule = self.operand()
        self.must("gives" if number is not None else "give")
        if self.says(", as follows"):
            return self.laid(name, schedule, between)
        self.must("on")
        return self.mapped(name, [schedule, *between, self.stretch()])

    def stretch(self) -> Tree:
        """`X` or `the part from A to B`."""
        if not self.says("the part from"):
            return self.operand()
        low = self.operand()
        self.must("to")
        return ("range", low, self.operand())

    def mapped(self, name: str, args: list[Any]) -> Tree:
        """With what each rate is replaced by, if that follows."""
        if not self.says(", each rate"):
            return ("call", name, args)
        local = self.take("quoted").text
        self.must("being replaced by")
        outer, self.bound = self.bound, (*self.bound, local)
        body = self.operand()
        self.bound = outer
        return ("call", name, [*args, ("lambda", local, body)])

    def laid(self, name: str, schedule: Tree, between: list[Any]) -> Tree:
        """A schedule of which the points say how it is applied."""
        told = dict(self.point(i, "labelled") for i in range(len(self.points)))
        args = [schedule, *between, *([told["target"]] if "target" in told else [])]
        args.append(told["on"] if "on" in told else ("range", told["from"], told["to"]))
        return ("call", name, [*args, *([told["rate"]] if "rate" in told else [])])

    def labelled(self) -> Tree:
        """`from: A`, `to: B`, `on the whole of: X`, `target: T`, `each rate “r” being replaced by: V`."""
        for phrase, key in (("from:", "from"), ("to:", "to"), ("on the whole of:", "on"), ("target:", "target")):
            if self.says(phrase):
                return (key, self.value())
        self.must("each rate")
        local = self.take("quoted").text
        self.must("being replaced by:")
        self.bound = (*self.bound, local)
        return ("rate", ("lambda", local, self.value()))

    def reach(self) -> Tree:
        """The smallest amount at which a schedule gives so much."""
        if self.says("at which the bands of"):
            schedule = self.operand()
            self.must("reach a target, as follows")
            return self.laid("bands_reach", schedule, [])
        low = self.operand() if self.says("from") else None
        self.must("up to")
        high = self.operand()
        self.must("such that the bands of" if low is not None else "on which the bands of")
        schedule = self.operand()
        self.must("give")
        target = self.operand()
        if low is None:
            return self.mapped("bands_reach", [schedule, target, high])
        self.must("on the part from")
        again = self.operand()
        self.must("to it")
        if again != low:
            self.fail("two beginnings")
        return self.mapped("bands_reach", [schedule, target, ("range", low, high)])

    # ---- rows ----

    def rows(self) -> tuple[Any, ...]:
        """Which rows, which of them, and the value where a point gives it."""
        return self.followed(self.rows_without_end())

    def rows_without_end(self) -> tuple[str, Tree | None]:
        """Which rows and which of them."""
        where = self.whose()
        return (where, self.condition() if self.says("of which") else None)

    def followed(self, rows: tuple[str, Tree | None]) -> tuple[Any, ...]:
        """With the value and condition that points give."""
        if rows[1] is None and self.says(", counting only those of which"):
            return (rows[0], self.condition(), None)
        if not self.says(", as follows"):
            return (*rows, None)
        told = dict(self.point(i, "of_each") for i in range(len(self.points)))
        return (rows[0], told.get("where"), told.get("value"))

    def of_each(self) -> Tree:
        """`the value of each: V` or `only those of which: C`."""
        if self.says("only those of which:"):
            return ("where", self.condition())
        self.must("the value of each:")
        return ("value", self.first_of(lambda: self.ended(self.value()), lambda: self.ended(self.condition())))

    def whose(self) -> str:
        """The rows, as what stands before their fields."""
        self.must("the")
        if self.says("rows above"):
            return "above"
        if self.says("episodes of the group"):
            return "episodes"
        if self.says("groups"):
            name = plain(self.take("name").ref)
            self.says("in it")
            return name
        if self.says("earlier"):
            self.take("word")
            return self.take("name").ref.partition("-")[2].rpartition(".")[2]
        rows = plain(self.take("name").ref)
        if self.says("of the group"):
            return rows
        if self.says("of the earlier"):
            self.take("word")
            return self.take("name").ref.partition("-")[2].rpartition(".")[2] + "." + rows
        return rows

    # ---- conditions ----

    def condition(self) -> Tree:
        """A condition to its end."""
        if self.says("all of the following hold"):
            return ("and", self.all_points("condition"))
        if self.says("at least one of the following holds"):
            return ("or", self.all_points("condition"))
        if self.says("it does not hold that the following is so"):
            return ("not", self.point(0, "condition"))
        items = [self.one()]
        word = self.word()
        if word not in ("and", "or"):
            return items[0]
        while self.says(word):
            items.append(self.one())
        return (word, items)

    def one(self) -> Tree:
        """One condition of several."""
        if self.says("it does not hold that ("):
            inner = self.condition()
            self.must(")")
            return ("not", inner)
        for phrase, name in (("for at least one of", "any"), ("for each of", "all")):
            if self.says(phrase):
                return self.any_all(name)
        return self.first_of(self.compared, self.bracketed)

    def bracketed(self) -> Tree:
        """A condition in brackets."""
        self.must("(")
        inner = self.condition()
        self.must(")")
        return inner

    def any_all(self, name: str) -> Tree:
        """Something said of some row, or of each."""
        rows = self.whose()
        where = None
        if self.says("of which"):
            where = self.bracketed()
        self.must("it holds that (")
        value = None if self.says("this") else self.condition()
        self.must(")")
        if value is None:
            self.must(", as follows")
            told = dict(self.point(i, "of_each") for i in range(len(self.points)))
            value, where = told["value"], told.get("where")
        return ("rows", name, value, rows, where, None)

    def compared(self) -> Tree:
        """A value and what is said of it."""
        if self.ahead("("):
            try:
                return self.first_of(self.several_listed, self.said_of)
            except CannotReadError:
                return self.said_of()
        return self.said_of()

    def several_listed(self) -> Tree:
        """`(K, K) is listed in T`."""
        self.must("(")
        keys = [self.operand()]
        while self.says(","):
            keys.append(self.operand())
        self.must(")")
        if len(keys) < 2:
            self.fail("one key needs no brackets")
        return self.listed(keys)

    def listed(self, keys: list[Tree]) -> Tree:
        """`is listed in T`, with its date."""
        denied = self.says("is not listed in")
        if not denied:
            self.must("is listed in")
        self.says("the")
        table = self.take("name").ref
        moment = None
        if self.says("( as of"):
            moment = self.value()
            self.must(")")
        found = ("listed", keys, table, moment)
        return ("not", found) if denied else found

    def said_of(self) -> Tree:
        """What is said of a value."""
        left = self.value()
        if self.ahead("is listed in") or self.ahead("is not listed in"):
            return self.listed([left])
        if self.says("is known"):
            return ("known", left)
        if self.says("is missing"):
            return ("missing", left)
        for phrase, denied in (("is one of (", False), ("is none of (", True)):
            if self.says(phrase):
                members = [self.operand()]
                while self.says(","):
                    members.append(self.operand())
                self.must(")")
                found: Tree = ("in", left, members)
                return ("not", found) if denied else found
        if self.says("lies from"):
            low = self.value()
            self.must("to")
            high = self.value()
            self.must(", both included")
            return ("between", left, low, high)
        if self.says("is yes"):
            return left
        if self.says("is no"):
            return ("not", left)
        for phrase, operator in RELATIONS.items():
            if self.says(phrase):
                denied = operator.startswith("not ")
                found = ("compare", operator.removeprefix("not "), left, self.value())
                return ("not", found) if denied else found
        self.fail("nothing is said of it")
        raise AssertionError

    # ---- cases ----

    def term(self) -> Tree:
        """A part of a sum; after `minus` no more than a part of a longer sum may be."""
        if self.says("to be subtracted:"):
            return ("-", self.value())
        if self.says("minus"):
            if any(self.ahead(word) for word in ("the following", "the first", "the second", "what")):
                self.fail("what is added to the following would be taken for a part of the sum")
            left = self.closed()
            while (left[0] == "name" or self.ahead("( as of")) and (more := self.more(left)) is not None:
                if more[0] == "call":
                    self.fail("of the sum or of its last part")
                left = more
            return ("-", left)
        return ("+", self.value())

    def cases(self) -> Tree:
        """The points as `if .. else if .. else ..`."""
        found = [self.point(i, "case") for i in range(len(self.points))]
        last = found.pop()
        if last[1] is not None:
            self.fail("no last case")
        tree = last[2]
        for _, when, then, _ in reversed(found):
            tree = ("if", when, then, tree)
        return tree

    def case(self) -> Tree:
        """(case, condition or None, outcome, reason)."""
        if self.says("otherwise"):
            reason = self.reason()
            self.must(":")
            return ("case", None, self.outcome(), reason or self.reason())
        if self.says("if the condition in"):
            return self.case_of_points()
        if self.says("if"):
            condition = self.condition()
            reason = self.reason()
            self.must(":")
            return ("case", condition, self.outcome(), reason or self.reason())
        value = self.outcome(short=True)
        reason = self.reason()
        self.must("if")
        return ("case", self.condition(), value, reason)

    def case_of_points(self) -> Tree:
        """A case of which a point gives the condition, and another the value."""
        while self.peek().kind == "number" or self.ahead("."):
            self.at += 1
        self.must("holds, the value in")
        while self.peek().kind == "number" or self.ahead("."):
            self.at += 1
        reason = self.reason()
        return ("case", self.point(0, "the_condition"), self.point(1, "the_value"), reason)

    def the_condition(self) -> Tree:
        """`condition: C`."""
        self.must("condition:")
        return self.condition()

    def the_value(self) -> Tree:
        """`value: V`."""
        self.must("value:")
        return self.outcome()

    def reason(self) -> str:
        """`(reason: “..”)`, "" where none is given."""
        if not self.says("( reason:"):
            return ""
        text = self.take("quoted").text
        self.must(")")
        return text

    def outcome(self, *, short: bool = False) -> Tree:
        """What a case gives: a value, none, a refusal, yes or no."""
        if self.says("it has no value"):
            return ("constant", "missing")
        for noun in ("episode", "whole bill", "group"):
            if self.says(f"the {noun} is refused"):
                return ("refused",)
        if self.says("yes exactly if"):
            return self.condition()
        at = self.at
        if not short and self.says("yes if"):
            found = self.condition()
            if self.says(", and otherwise no"):
                return found
            self.at = at
        return self.value(short=short)

    # ---- rules ----

    def rule(self) -> Tree:
        """(rule, name, cases): what decides a step, each case with its condition, outcome and reason."""
        if self.says("every"):
            while not self.ahead("is refused"):
                self.take("word")
            self.must("is refused")
            return ("rule", "", [("case", None, ("refused",), "")])
        self.says("the")
        name = self.take("name").ref
        self.must("is")
        if self.says("decided by the first of these cases that applies"):
            return ("rule", name, [self.point(i, "case") for i in range(len(self.points))])
        return ("rule", name, [("case", None, self.outcome(), "")])


def plain(ref: str) -> str:
    """The name that an anchor is of."""
    return ref.partition("-")[2]


def tokens(sentence: Iterable[Any]) -> list[Token]:
    """The tokens of a sentence: a run that names something is one, whatever its text."""
    found: list[Token] = []
    text = ""
    for run in sentence:
        if run.ref:
            found += split(text)
            found.append(Token("name", run.text, run.ref))
            text = ""
        else:
            text += run.text
    return found + split(text)


def split(text: str) -> list[Token]:
    """The tokens of a text that names nothing."""
    found: list[Token] = []
    at = 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise CannotReadError(f"cannot tell the words of: {text[at:]}")
        kind = str(match.lastgroup)
        found.append(Token(kind, match.group(kind)))
        at = match.end()
    return found


def spell(tree: Any, lexicon: Lexicon, rows: str = "") -> str:
    """The formula of a tree; `rows` is what stands before the fields of other rows."""

    def sub(of: Any) -> str:
        return spell(of, lexicon, rows)

    def listed(items: Iterable[Any]) -> str:
        return ", ".join(sub(i) for i in items)

    match tree:
        case ("constant", text):
            return str(text)
        case ("name", ref, *_):
            kind, _, name = ref.partition("-")
            if kind not in ROWS:
                return name
            own = own_name(name, lexicon)
            return f"{rows}.{own}" if rows else own
        case ("own", ref):
            return own_name(plain(ref), lexicon)
        case ("outer", ref):
            return rows.partition(".")[0] + "." + own_name(plain(ref), lexicon)
        case ("member", group, keys, ("name", ref, *_)):
            index = f"[{listed(keys)}]" if keys else ""
            return f"{plain(group)}{index}.{own_name(plain(ref), lexicon)}"
        case ("cell", table, keys, column):
            return f"{plain(table)}[{listed(keys)}].{lexicon.columns[plain(table), column.strip('“”')]}"
        case ("index", parameter, keys):
            return f"{plain(parameter)}[{listed(keys)}]"
        case ("at", of, moment):
            return f"{sub(of)} at ({sub(moment)})"
        case ("sum", terms):
            first, *rest = terms
            return f"({sub(first[1])})" + "".join(f" {sign} ({sub(t)})" for sign, t in rest)
        case ("product", operator, left, right):
            return f"({sub(left)}) {operator} ({sub(right)})"
        case ("negative", of):
            return f"-({sub(of)})"
        case ("if", condition, then, otherwise):
            return f"if ({sub(condition)}) then ({sub(then)}) else ({sub(otherwise)})"
        case ("call", name, args):
            return f"{name}({listed(args)})"
        case ("range", low, high):
            return f"({sub(low)}) .. ({sub(high)})"
        case ("lambda", local, body):
            return f"{local} -> ({sub(body)})"
        case ("rows", function, value, whose, where, told):
            return of_rows(function, value if value is not None else told, whose, where, lexicon)
        case ("compare", operator, left, right):
            return f"({sub(left)}) {operator} ({sub(right)})"
        case ("between", of, low, high):
            return f"({sub(of)}) between ({sub(low)}) and ({sub(high)})"
        case ("in", of, members):
            return f"({sub(of)}) in {{{listed(members)}}}"
        case ("listed", keys, table, moment):
            at = f" at ({sub(moment)})" if moment is not None else ""
            left = f"({sub(keys[0])})" if len(keys) == 1 else f"[{listed(keys)}]"
            return f"{left} in {plain(table)}{at}"
        case ("known", of):
            return f"({sub(of)}) is known"
        case ("missing", of):
            return f"({sub(of)}) is missing"
        case ("and" | "or", items):
            return f" {tree[0]} ".join(f"({sub(i)})" for i in items)
        case ("not", of):
            return f"not ({sub(of)})"
        case _:
            raise CannotReadError(f"no spelling for {tree}")


def readings(text: str) -> list[str]:
    """A formula with each choice of the values that are called the same."""
    found = re.search("⟦([^⟧]*)⟧", text)
    if found is None:
        return [text]
    return [t for one in found[1].split("|") for t in readings(text[: found.start()] + one + text[found.end() :])]


def own_name(name: str, lexicon: Lexicon) -> str:
    """A field's name without its level; what an overlay calls `base`."""
    for level in lexicon.levels:
        if level and name.startswith(f"{level}."):
            name = name.removeprefix(f"{level}.")
            break
    return "base" if "@" in name else name


def of_rows(function: str, value: Any, whose: str, where: Any, lexicon: Lexicon) -> str:
    """A call over rows."""
    window = whose == "above" or whose not in (*lexicon.levels, "episodes")
    held = f" where {spell(where, lexicon, whose)}" if where is not None else ""
    said = spell(value, lexicon, whose) if value is not None else "" if window else whose
    name = "count" if function == "distinct" else function
    distinct = "distinct " if function == "distinct" else ""
    inside = f"{distinct}({said}){held}" if value is not None else f"{said}{held}".strip()
    return f"{whose.partition('.')[0]}.{name}({inside})" if window else f"{name}({inside})"
