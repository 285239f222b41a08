"""One spelling for the text of a rule: spaces, signs, numbers; line breaks, comments and grouping parentheses stay."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from lark.exceptions import LarkError

from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import display_width
from rxcalc.source import NOWHERE, EmbeddedText
from rxcalc.syntax import nodes as n
from rxcalc.syntax.expressions import Built, read
from rxcalc.syntax.grammar import parser

_GAP: Final = re.compile(r"\n|#[^\n]*")
_MONEY: Final = re.compile(r"([^\d\s]+)[ \t]*([\d_.]+)")
_SIGNS: Final = frozenset(["+", "-", "*", "/", "=", "!=", "<", "<=", ">", ">=", "..", "->"])
# What an expression of its own follows, and what may follow one: parentheses between the two say nothing.
_OPENERS: Final = frozenset({"when", "then", "if", "else", "otherwise", "where", "(", "[", "{", ",", "->"})
_CLOSERS: Final = frozenset({"then", "else", "because", "when", "otherwise", "where", ")", "]", "}", ","})


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line of rule text. `indent` counts blanks; `comment` stands `gap` blanks behind the text, at `column`.

    A line of text "" holds a comment only, or is the blank line that `text` and `comment` "" stand for.
    """

    indent: int
    text: str
    comment: str = ""
    gap: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str
    start: int
    end: int


def spell(text: str, start: str, *, breaks: bool) -> tuple[RuleLine, ...] | None:
    """The lines of a rule text in canonical spelling, or None where it cannot be read from `start` of the grammar.

    The tree of the result is that of `text`. With `breaks` each clause begins a line; without, the text is one
    line before and after.
    """
    tree = _tree(text, start)
    words = _words(text, start)
    if tree is None or words is None or (not breaks and "\n" in text):
        return None
    for candidate in (_without_idle_parentheses(words, text), words):
        lines = _lines(candidate, text, breaks=breaks)
        if _tree("\n".join(f"{line.text} {line.comment}" for line in lines), start) == tree:
            return lines
    return None


def is_lone_literal(text: str) -> bool:
    """Whether a text is one number, percentage or word, as values of parameters are."""
    return re.fullmatch(r"[\w.%¥-]*", text.strip()) is not None


def same_rule(one: str, other: str, start: str) -> bool:
    """Whether two texts give the same tree from `start` of the grammar, or are equal where they give none."""
    first, second = _tree(one, start), _tree(other, start)
    return one == other if first is None else first == second


def _tree(text: str, start: str) -> Built | None:
    if not text.strip():
        return None
    sink = Sink()
    left = n.Name(name="cell", span=NOWHERE) if start == "cell" else None
    found = read(EmbeddedText(text, "", ((0, 0),)), start, sink, left)
    return None if list(sink) else found


def _words(text: str, start: str) -> list[_Word] | None:
    reader = parser().parse_interactive(text, start=start)
    try:
        found = [
            _Word(token.type, str(token), token.start_pos or 0, token.end_pos or 0) for token in reader.iter_parse()
        ]
    except LarkError:
        return None
    return [_literal(word, found[at - 1] if at else None) for at, word in enumerate(found)]


# ---- words ------------------------------------------------------------------------------------


def _literal(word: _Word, before: _Word | None) -> _Word:
    """The word with its number grouped, its unit in the right number, `true` as `yes`."""
    match word.kind:
        case "NUMBER":
            return replace(word, text=_grouped(word.text))
        case "PERCENT":
            return replace(word, text=f"{_grouped(word.text[:-1])}%")
        case "MONEY":
            found = _MONEY.fullmatch(word.text)
            if found is None:
                return word
            blank = " " if found[1].isalpha() else ""
            return replace(word, text=f"{found[1]}{blank}{_grouped(found[2])}")
        case "UNIT" if before is not None:
            is_one = Fraction(before.text.replace("_", "")) == 1
            return replace(word, text=word.text.rstrip("s") + ("" if is_one else "s"))
        case "FLAG":
            return replace(word, text="yes" if word.text in ("yes", "true") else "no")
        case _:
            return word


def _grouped(number: str) -> str:
    """Digits in groups of three from five digits on; the digits after the point stay as they are."""
    whole, point, part = number.replace("_", "").partition(".")
    shown = f"{int(whole):_}" if len(whole.lstrip("0")) > 4 else str(int(whole))
    return f"{shown}{point}{part}"


def _without_idle_parentheses(words: list[_Word], text: str) -> list[_Word]:
    """The words without parentheses around a whole condition, result or argument, unless they span lines.

    Those inside a sum, product or condition stay, whether needed or not: they are there for the reader.
    """
    while True:
        pair = _idle(words, text)
        if pair is None:
            return words
        words = [word for at, word in enumerate(words) if at not in pair]


def _idle(words: list[_Word], text: str) -> tuple[int, int] | None:
    opened: list[int] = []
    for at, word in enumerate(words):
        if word.kind == "STRING":
            continue
        if word.text in ("(", "[", "{"):
            opened.append(at)
        elif word.text in (")", "]", "}") and opened:
            first = opened.pop()
            before = words[first - 1] if first else None
            after = words[at + 1] if at + 1 < len(words) else None
            if (
                word.text == ")"
                and not (before is not None and before.kind == "NAME")  # a call
                and (before is None or (before.text in _OPENERS and before.kind != "STRING"))
                and (after is None or (after.text in _CLOSERS and after.kind != "STRING"))
                and words[first + 1].kind != "_IF"
                and not _GAP.search(text[words[first].start : word.end])
            ):
                return first, at
    return None


# ---- lines ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Bracket:
    """Where lines inside an open bracket begin, and the line with the closing one."""

    inner: int
    closing: int
    is_settled: bool = False


@dataclass(slots=True)
class _Writer:
    """Puts words and comments into lines.

    A line that goes on stays below the word of the line above that it stood below. Else it begins behind the
    open bracket or, where that ended its line, two blanks further in; outside brackets two blanks further in.
    """

    lines: list[RuleLine] = field(default_factory=list)
    text: str = ""
    indent: int = 0
    open: list[_Bracket] = field(default_factory=list)
    above: dict[int, int] = field(default_factory=dict)  # where words of the line above stood, and stand
    here: dict[int, int] = field(default_factory=dict)  # the same of this line
    blanks: int = 0

    @property
    def has_begun(self) -> bool:
        """Whether anything but comments has been written."""
        return bool(self.text) or any(line.text for line in self.lines)

    def flush(self) -> None:
        """Ends the line, if there is one."""
        if self.text:
            self._add(RuleLine(self.indent, self.text))

    def take(self, word: _Word, space: str, was: int) -> None:
        """Adds a word to the line, or begins one with it; it stood in column `was`."""
        mark = _mark(word)
        self._settle()
        bracket = self.open[-1] if self.open else None
        if self.text:
            self.text += space
        elif word.kind in ("_WHEN", "_OTHERWISE") or not self.has_begun:
            self.indent = 0
        elif self.above.get(was):
            self.indent = self.above[was]
        elif bracket is None:
            self.indent = 2
        else:
            self.indent = bracket.closing if mark in (")", "]", "}") else bracket.inner
        self.here[was] = self.indent + display_width(self.text)
        self.text += word.text
        if mark in ("(", "[", "{"):
            column = self.indent + display_width(self.text)
            self.open.append(_Bracket(column, column - 1))
        elif mark in (")", "]", "}") and self.open:
            self.open.pop()

    def comment(self, text: str, gap: int, column: int, *, inside: bool) -> None:
        """A comment behind the words of the line, or in a line of its own."""
        shown = text.rstrip()
        if self.text:
            self._add(RuleLine(self.indent, self.text, shown, gap, column))
        else:
            self._settle()
            self._add(RuleLine(self.open[-1].inner if self.open else 2 if inside else 0, "", shown))

    def _settle(self) -> None:
        """Decides for a bracket that has just been opened, now that it is known whether its line goes on."""
        if self.open and not self.open[-1].is_settled:
            bracket = self.open[-1]
            bracket.is_settled = True
            if not self.text:
                bracket.inner, bracket.closing = self.indent + 2, self.indent

    def _add(self, line: RuleLine) -> None:
        if self.blanks and self.lines:
            self.lines.append(RuleLine(0, ""))
        self.blanks = 0
        if self.text:
            self.above, self.here = self.here, {}
        self.text = ""
        self.lines.append(line)


def _lines(words: list[_Word], text: str, *, breaks: bool) -> tuple[RuleLine, ...]:
    writer = _Writer()
    end = 0
    for at, word in enumerate(words):
        starts_clause = word.kind in ("_WHEN", "_OTHERWISE")
        _gap(writer, text, end, word.start, is_inside=writer.has_begun and not starts_clause)
        end = word.end
        if starts_clause and breaks:
            writer.flush()
        if _mark(word) == "," and at + 1 < len(words) and _mark(words[at + 1]) in {")", "]", "}"}:
            continue  # a comma behind the last argument
        was = word.start - (text.rfind("\n", 0, word.start) + 1)
        writer.take(word, _space(words, at) if at else "", was)
    _gap(writer, text, end, len(text), is_inside=False)
    writer.flush()
    return tuple(writer.lines)


def _gap(writer: _Writer, text: str, start: int, end: int, *, is_inside: bool) -> None:
    """What stands between two words: line ends and comments; idle parentheses may stand there too."""
    is_new = not writer.text
    for found in _GAP.finditer(text, start, end):
        if found[0] == "\n":
            if is_new and writer.lines:
                writer.blanks += 1
            writer.flush()
            is_new = True
            continue
        line_start = text.rfind("\n", 0, found.start()) + 1
        before = text[line_start : found.start()]
        writer.comment(found[0], len(before) - len(before.rstrip()), len(before), inside=is_inside)
        is_new = False


def _space(words: list[_Word], at: int) -> str:
    """The blanks before the word at `at`."""
    word, before = words[at], words[at - 1]
    mark, last = _mark(word), _mark(before)
    if mark in {")", "]", "}", ",", "."} or last in {"(", "[", "{", "."}:
        return ""
    if mark == "(" and before.kind == "NAME":
        return ""
    if mark == "[" and (before.kind == "NAME" or last in {")", "]"}):
        return ""
    if last == "-" and (at == 1 or _wants_operand(words[at - 2])):
        return ""
    return "  " if word.kind == "_BECAUSE" else " "


def _mark(word: _Word) -> str:
    return "" if word.kind == "STRING" else word.text


def _wants_operand(word: _Word) -> bool:
    """Whether an operand must follow, so that a minus sign there belongs to it."""
    if word.kind.startswith("_") and word.kind not in ("__ANON_0", "__ANON_1", "_DAY"):
        return True
    return word.kind in ("DISTINCT", "HAS", "MEETS") or _mark(word) in _SIGNS | {"(", "[", "{", ","}


def can_be_cell(text: str) -> bool:
    """Whether a text is a condition without its left side, as cells of decision tables are."""
    return _tree(text, "cell") is not None
