"""Formulas and figures as trees. Figures are formulas in which numbers, dates and words stand instead of names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from .values import DIGITS, Near, Value, Word, number

KEYWORDS: Final = frozenset(
    {"and", "or", "not", "in", "is", "between", "if", "then", "else", "where", "at", "has", "meets"}
)
TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<date>\d{{4}}-\d{{2}}-\d{{2}}(?![\d_]))
  | (?P<fraction>\(\d+/\d+\)(?:%|\ per\ day|\ days?\b|\ months?\b|\ years?\b)?)
  | (?P<number>(?:[¥$€£₩₹฿₫₺₽]|\b[A-Z]{{3}}\ (?=\d))?{DIGITS}(?:\.\.(?=[%\s,)]|$))?(?:%|\ per\ day\b|\ days?\b|\ months?\b|\ years?\b)?)
  | (?P<text>"(?:[^"\\]|\\["\\])*")
  | (?P<hole>«\d+»)
  | (?P<name>[A-Za-z][A-Za-z0-9_]*)
  | (?P<op><=|>=|!=|->|\.\.|[=<>+\-*/(){{}}\[\],.])
    """,
    re.VERBOSE,
)
COMPARISONS: Final = frozenset({"=", "!=", "<=", ">=", "<", ">"})


class NotReadable(ValueError):
    """A text that is no formula."""


@dataclass(frozen=True)
class Token:
    """A piece of a formula with its place."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Node:
    """A part of a formula: `kind` says what, `start` and `end` where it stands in the text."""

    kind: str
    start: int
    end: int
    parts: tuple[Node, ...] = ()
    text: str = ""
    value: Value | None = field(default=None, compare=False)

    def walk(self) -> list[Node]:
        """This part and all inside it, in the order in which they are written."""
        found = [self]
        for part in self.parts:
            found += part.walk()
        return found


def tokens(text: str) -> list[Token]:
    """The pieces of a formula."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotReadable(f"`{text[at : at + 20]}` is no part of a formula")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match[0], at, match.end()))
        at = match.end()
    return found


@lru_cache(maxsize=20_000)
def _read_plain(text: str) -> Node:
    return _Reader(text, {}).whole()


def read(text: str, holes: dict[str, Value] | None = None) -> Node:
    """The tree of a formula; `holes` are values that stand in it as `«1»`."""
    try:
        return _Reader(text, holes).whole() if holes else _read_plain(text)
    except RecursionError:
        raise NotReadable("nested too deeply") from None


class _Reader:
    def __init__(self, text: str, holes: dict[str, Value]) -> None:
        self.source = text
        self.tokens = tokens(text)
        self.at = 0
        self.holes = holes

    # ---- tokens ----

    def peek(self, ahead: int = 0) -> Token | None:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def sees(self, text: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token is not None and token.text == text and token.kind in ("op", "name")

    def take(self, text: str = "") -> Token:
        token = self.peek()
        if token is None or (text and token.text != text):
            found = token.text if token else "the end"
            raise NotReadable(f"`{text}` expected, `{found}` found in `{self.source}`")
        self.at += 1
        return token

    def taken(self, text: str) -> bool:
        if self.sees(text):
            self.at += 1
            return True
        return False

    def node(self, kind: str, first: int, *parts: Node, text: str = "", value: Value | None = None) -> Node:
        return Node(kind, first, self.tokens[self.at - 1].end, parts, text, value)

    def start(self) -> int:
        token = self.peek()
        return token.start if token else len(self.source)

    # ---- expressions, loosest first ----

    def whole(self) -> Node:
        found = self.expression()
        if self.peek() is not None:
            raise NotReadable(f"`{self.source[self.start() :]}` is left over in `{self.source}`")
        return found

    def expression(self) -> Node:
        first = self.start()
        if self.taken("if"):
            condition = self.disjunction()
            self.take("then")
            then = self.expression()
            self.take("else")
            return self.node("if", first, condition, then, self.expression())
        return self.disjunction()

    def disjunction(self) -> Node:
        return self.chain("or", self.conjunction)

    def conjunction(self) -> Node:
        return self.chain("and", self.negation)

    def chain(self, word: str, inner) -> Node:  # type: ignore[no-untyped-def]
        first = self.start()
        items = [inner()]
        while self.taken(word):
            items.append(inner())
        return items[0] if len(items) == 1 else self.node(word, first, *items)

    def negation(self) -> Node:
        first = self.start()
        if self.taken("not"):
            return self.node("not", first, self.negation())
        return self.comparison()

    def comparison(self) -> Node:
        first = self.start()
        if self.sees("["):
            keys = self.listed("[", "]")
            self.take("in")
            return self.node("in_table", first, *keys, self.table())
        left = self.sum()
        token = self.peek()
        if token is None:
            return left
        if token.text in COMPARISONS or token.text in ("has", "meets"):
            self.take()
            return self.node("compare", first, left, self.sum(), text=token.text)
        if self.taken("between"):
            low = self.sum()
            self.take("and")
            return self.node("between", first, left, low, self.sum())
        if self.taken("in"):
            if self.sees("{"):
                return self.node("in_set", first, left, *self.listed("{", "}"))
            return self.node("in_table", first, left, self.table())
        if self.taken("is"):
            word = self.take().text
            if word not in ("known", "missing"):
                raise NotReadable(f"`is {word}` in `{self.source}`")
            return self.node("is", first, left, text=word)
        return left

    def table(self) -> Node:
        first = self.start()
        token = self.take()
        name = self.node("table", first, text=token.text)
        if self.taken("at"):
            return self.node("table", first, self.moment(), text=name.text)
        return name

    def listed(self, opening: str, closing: str) -> list[Node]:
        self.take(opening)
        items = [self.expression()]
        while self.taken(","):
            items.append(self.expression())
        self.take(closing)
        return items

    def sum(self) -> Node:
        first = self.start()
        left = self.product()
        while self.sees("+") or self.sees("-"):
            sign = self.take().text
            left = self.node("sum", first, left, self.product(), text=sign)
        return left

    def product(self) -> Node:
        first = self.start()
        left = self.unary()
        while self.sees("*") or self.sees("/"):
            sign = self.take().text
            left = self.node("product", first, left, self.unary(), text=sign)
        return left

    def unary(self) -> Node:
        first = self.start()
        if self.taken("-"):
            return self.node("negate", first, self.unary())
        return self.dated()

    def dated(self) -> Node:
        first = self.start()
        found = self.postfix()
        if self.taken("at"):
            return self.node("at", first, found, self.moment())
        return found

    def moment(self) -> Node:
        if self.sees("("):
            return self.primary()
        found = self.primary()
        return self.called(found) if self.sees("(") else found

    def postfix(self) -> Node:
        first = self.start()
        found = self.primary()
        while True:
            if self.sees("(") and found.kind in ("name", "member"):
                found = self.called(found)
            elif self.sees("."):
                self.take()
                found = self.node("member", first, found, text=self.take().text)
            elif self.sees("["):
                found = self.node("index", first, found, *self.listed("[", "]"))
            else:
                return found

    def called(self, function: Node) -> Node:
        self.take("(")
        arguments: list[Node] = []
        while not self.sees(")"):
            arguments.append(self.argument())
            if not self.taken(","):
                break
        self.take(")")
        name = function.text
        return self.node(
            "call" if function.kind == "name" else "method", function.start, function, *arguments, text=name
        )

    def argument(self) -> Node:
        first = self.start()
        if self.taken("where"):
            return self.node("where", first, self.expression())
        distinct = (
            self.sees("distinct") and self.peek(1) is not None and not self.sees(",", 1) and not self.sees(")", 1)
        )
        if distinct:
            self.take()
        token = self.peek()
        if token is not None and token.kind == "name" and self.sees("->", 1):
            self.take()
            self.take("->")
            return self.node("function", first, self.expression(), text=token.text)
        found = self.expression()
        if self.taken(".."):
            return self.node("range", first, found, self.expression())
        if distinct:
            found = self.node("distinct", first, found)
        if self.taken("where"):
            return self.node("filtered", first, found, self.expression())
        return found

    def primary(self) -> Node:
        first = self.start()
        token = self.take()
        match token.kind:
            case "number" | "fraction":
                text = re.sub(r"^(?:[¥$€£₩₹฿₫₺₽]|[A-Z]{3} )", "", token.text)
                value = number(text)
                if value is None:
                    raise NotReadable(f"`{token.text}` is no number")
                return self.node("value", first, text=token.text, value=value)
            case "date":
                try:
                    return self.node("value", first, text=token.text, value=date.fromisoformat(token.text))
                except ValueError:
                    raise NotReadable(f"`{token.text}` is no date") from None
            case "text":
                return self.node("value", first, text=token.text, value=Word(re.sub(r"\\(.)", r"\1", token.text[1:-1])))
            case "hole":
                return self.node("value", first, text=token.text, value=self.holes[token.text])
            case "name" if token.text in ("yes", "true", "no", "false"):
                return self.node("value", first, text=token.text, value=token.text in ("yes", "true"))
            case "name" if token.text not in KEYWORDS:
                return self.node("name", first, text=token.text)
            case "op" if token.text == "(":
                inside = self.expression()
                self.take(")")
                return self.node("bracket", first, inside)
        raise NotReadable(f"`{token.text}` in `{self.source}`")


__all__ = ["Near", "Node", "NotReadable", "read", "tokens"]
