"""One layout for a YAML file: indents, blanks and quotes; its order, line breaks, comments and styles stay.

The file must have been read without a mistake. What stands between two scalars is then nothing but
brackets, commas, colons, dashes, line ends and comments, so the nodes and a cursor suffice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from collections.abc import Sequence as Row
from dataclasses import dataclass, field
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import display_width
from rxcalc.rulebook.document import Entry, Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.load import load_yaml_text

_HEADER: Final = re.compile(r"([|>])([0-9+-]*)[ \t]*(#.*)?$")
_BLANK: Final = " \t\r\n"  # what YAML passes over; other blanks, as the ideographic one, are text
_LINE_END: Final = re.compile(r"[ \t]*(#|\n|$)")


class UnknownLayoutError(Exception):
    """A way to write YAML that this module does not rewrite; `at` is its place in the text."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a block text in its new spelling; `indent` counts from the block's own."""

    indent: int
    text: str
    comment: str = ""
    gap: int = 0
    column: int = 0


Respell = Callable[[Scalar], Row[TextLine] | None]
"""The new lines of a scalar that holds rule text (one line, unless it is a block), or None to keep it."""


@dataclass(slots=True)
class _Line:
    indent: int | None  # None: a comment that takes its indent from its neighbours
    was: int  # the column of its first character before
    text: str
    comment: str = ""
    gap: int = 0
    column: int = 0  # of the comment, before
    blanks: int = 0  # blank lines above
    is_raw: bool = False  # inside a text: no other line's comment depends on it
    bound: bool = False  # its blank lines are content
    most: int | None = None  # the furthest indent


def lay_out(text: str, root: Node, respell: Respell) -> str:
    """The text of the file in canonical layout; `root` is its structure.

    Raises:
        UnknownLayoutError: the file holds a form that is not rewritten, such as a `? key`.
    """
    writer = _Writer(text, respell)
    writer.value(root, 0, 0)
    writer.trivia(len(text))
    writer.close()
    return _printed(writer.lines) + ("\n" * writer.blanks if writer.keep else "")


@dataclass(slots=True)
class _Bracket:
    """Where lines inside an open bracket begin, and the one with the closing bracket.

    `ways` are the columns that lines inside may have been given, each with what becomes of it.
    """

    closing: int
    inner: int
    ways: dict[int, int]


@dataclass(slots=True)
class _Writer:
    text: str
    respell: Respell
    at: int = 0
    lines: list[_Line] = field(default_factory=list)
    line: _Line | None = None
    last: str = ""  # the last thing on the line: a sign, or "x" for a scalar
    blanks: int = 0
    ended: bool = False  # the line has ended before its line end: by a comment or a block of text
    keep: bool = False  # blank lines are the end of a `|+` text
    most: int | None = None  # how far in a comment may stand, so that it is no part of the text above
    brackets: list[_Bracket] = field(default_factory=list)

    # ---- nodes

    def value(self, node: Node, column: int, least: int) -> None:
        """Writes a node whose first character goes to `column` when it begins a line; `least` is its parent's column."""
        match node:
            case Scalar():
                self._scalar(node, column, least)
            case Mapping() if self.text[node.span.start] == "{":
                self._flow(node, column)
            case Mapping():
                for entry in node.entries:
                    if self._peek(entry.key.span.start) == "?":
                        raise UnknownLayoutError("a key is written with `? `", self._next(len(self.text)))
                    self._scalar(entry.key, column, column)
                    self._sign(":", column)
                    self.value(entry.value, column + 2, column)
            case Sequence() if self.text[node.span.start : node.span.start + 1] == "[":
                self._flow(node, column)
            case Sequence():
                for item in node.items:
                    self._sign("-", column)
                    self.value(item, column + 2, column)

    def _flow(self, node: Mapping | Sequence, column: int) -> None:
        self._sign(self.text[node.span.start], column)
        line = self.line
        assert line is not None  # noqa: S101 - the bracket has just been put there
        shown = len(line.text) - len(line.text.lstrip("- ")) if line.text.startswith("- ") else 0
        base = (line.indent or 0) + min(shown, len(line.text) - 1)
        aligned = (line.indent or 0) + display_width(line.text)
        line_start = self.text.rfind("\n", 0, self.at) + 1
        before = self.text[line_start : self.at]
        hangs = _LINE_END.match(self.text, self.at) is not None
        ways = {len(re.match(r"[ -]*", before)[0]) + 2: base + 2, len(before): aligned}  # type: ignore[index]
        outer = self.brackets[-1].ways if self.brackets else {}
        inner = base + 2 if hangs else aligned
        self.brackets.append(_Bracket(base if hangs else aligned - 1, inner, {**ways, **outer}))
        if isinstance(node, Mapping):
            for entry in node.entries:
                if self._peek(entry.key.span.start) == "?":
                    raise UnknownLayoutError("a key is written with `? `", self._next(len(self.text)))
                self._scalar(entry.key, inner, inner)
                if self._peek() == ":":
                    self._sign(":", inner)
                self.value(entry.value, inner + 2, inner)
                self._comma(inner)
        else:
            for item in node.items:
                if isinstance(item, Mapping) and self.text[item.span.start] != "{":
                    raise UnknownLayoutError("a pair stands in a list without braces", item.span.start)
                self.value(item, inner, inner)
                self._comma(inner)
        self._sign("}" if isinstance(node, Mapping) else "]", self.brackets[-1].closing)
        self.brackets.pop()

    def _comma(self, column: int) -> None:
        if self._peek() == ",":
            self._sign(",", column)

    def _scalar(self, node: Scalar, column: int, least: int) -> None:
        start, end = node.span.start, node.span.end
        source = self.text[start:end]
        if node.style == "plain" and not source.strip(_BLANK):
            return  # an empty value has no place of its own
        self.trivia(start)
        if source[:1] in "|>" and node.style in ("literal", "folded"):
            self._block(node, source, least)
        elif "\n" in source:
            self._wrapped(node, source.rstrip(_BLANK), column)
        else:
            source = source.rstrip(_BLANK)
            lines = self.respell(node)
            written = _written(node, source, lines[0], in_flow=bool(self.brackets)) if lines else None
            self._put(written or _quoted(node, source), start, column)
        self.at = max(self.at, end)

    def _wrapped(self, node: Scalar, source: str, column: int) -> None:
        """A text over several lines: each on its line, indented as the value is."""
        first, *more = source.split("\n")
        self._put(_stripped(first), node.span.start, column)
        for line in more:
            self.close()
            shown = _stripped(line.lstrip(_BLANK))
            if not shown:
                self.blanks += 1
                continue
            self._begin(column, node.span.start, is_raw=True, bound=True)
            self._add(shown)

    def _block(self, node: Scalar, source: str, least: int) -> None:
        """A `|` or `>` text: its lines stay, one step further in than the key or dash that it belongs to."""
        head, _, body = source.partition("\n")
        found = _HEADER.match(head.rstrip())
        if found is None:
            raise UnknownLayoutError("the first line of a block of text cannot be read", node.span.start)
        sign, flags, comment = found[1], found[2], found[3] or ""
        chomp = "".join(char for char in flags if char in "+-")
        raw = body.split("\n") if body else []
        lines = self.respell(node)
        width = _base(raw, flags, node)
        width = width if any(line.strip(_BLANK) for line in raw) else max(map(len, raw), default=0)
        content = [line.rstrip("\r")[width:] if len(line.rstrip("\r")) > width else "" for line in raw]
        while content and not content[-1] and "+" not in chomp:
            content.pop()
        shown = next((line for line in content if line.strip(_BLANK)), "")
        digit = "2" if lines is None and shown.startswith(" ") else ""
        self._put(f"{sign}{digit}{chomp}", node.span.start, least + 2)
        if comment and self.line is not None:
            before = head[: found.start(3)]
            self._comment(comment.rstrip(), len(before) - len(before.rstrip()), node.span.start + found.start(3))
        self.close()
        if lines is not None:
            for one in lines:
                indent = least + 2 + one.indent
                if not one.text and not one.comment:
                    self.blanks += 1
                    continue
                self._begin(indent, node.span.start, is_raw=True)
                self._add(one.text)
                if self.line is not None and one.comment:
                    self.line.comment, self.line.gap, self.line.column = one.comment, one.gap, least + 2 + one.column
                    self.line.was = indent
                    if not one.text:
                        self.line.text, self.line.comment = one.comment, ""
                self.close()
        else:
            for line in content:
                if not line:
                    self.blanks += 1
                    continue
                self._begin(least + 2, node.span.start, is_raw=True, bound=True)
                self._add(line)
                self.close()
        self.keep = "+" in chomp
        self.blanks = self.blanks if self.keep else 0
        self.at = node.span.end
        self.ended, self.most = True, least

    # ---- signs and what stands between them

    def _next(self, limit: int) -> int:
        """Where the next sign or scalar begins, line ends and comments passed over."""
        at = self.at
        while at < limit:
            char = self.text[at]
            if char == "#":
                stop = self.text.find("\n", at)
                at = limit if stop < 0 else stop
            elif char in " \t\r\n":
                at += 1
            else:
                return at
        return limit

    def _peek(self, limit: int | None = None) -> str:
        end = len(self.text) if limit is None else limit
        at = self._next(end)
        while self.text.startswith(("---", "..."), at) and self._is_marker(at):
            self.trivia(at + 3)
            at = self._next(end)
        return self.text[at : at + 1] if at < end else ""

    def _sign(self, sign: str, column: int) -> None:
        at = self._next(len(self.text))
        if self._is_marker(at):
            self.trivia(at + 3)
            at = self._next(len(self.text))
        if self.text[at : at + 1] != sign:
            raise UnknownLayoutError(f"`{sign}` is expected here", at)
        self.trivia(at)
        if sign == ":" and self.line is None:
            raise UnknownLayoutError("a colon begins a line", at)
        self._put(sign, at, column, sign=sign)
        self.at = at + 1

    def _is_marker(self, at: int) -> bool:
        is_alone = not self.text[at + 3 : at + 4].strip()
        return is_alone and self.text[at : at + 3] in ("---", "...") and (at == 0 or self.text[at - 1] == "\n")

    def trivia(self, end: int) -> None:
        """Passes over what stands before `end`: line ends, comments, document markers."""
        while self.at < end:
            char = self.text[self.at]
            if char == "\n":
                if self.line is None and not self.ended:
                    self.blanks += 1
                self.close()
                self.at += 1
            elif char == "#":
                stop = self.text.find("\n", self.at)
                stop = end if stop < 0 else stop
                before = self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at]
                self._comment(self.text[self.at : stop].rstrip(), len(before) - len(before.rstrip()), self.at)
                self.at = stop
            elif char in " \t\r":
                self.at += 1
            elif self._is_marker(self.at):
                self.close()
                self._put(self.text[self.at : self.at + 3], self.at, 0)
                self.at += 3
            else:
                raise UnknownLayoutError("something stands here that is no value", self.at)

    def _comment(self, comment: str, gap: int, at: int) -> None:
        column = at - (self.text.rfind("\n", 0, at) + 1)
        if self.line is None:
            inner = self.brackets[-1].inner if self.brackets else None
            most = self.most
            line = self._begin(inner, at)
            line.text = comment
            line.most = self.most = most
        else:
            self.line.comment, self.line.gap, self.line.column = comment, gap, column
        self.close()
        self.ended = True

    def _put(self, shown: str, at: int, column: int, *, sign: str = "") -> None:
        """Adds a sign or a scalar to the line, or begins one with it."""
        if self.line is None:
            was = at - (self.text.rfind("\n", 0, at) + 1)
            is_inside = self.brackets and sign not in ("]", "}")
            self._begin(self.brackets[-1].ways.get(was, column) if is_inside else column, at)
        elif self.last == ":" or (self.last not in ("{", "[", "") and sign not in (",", ":", "]", "}")):
            self._add(" ")
        self._add(shown)
        self.last = sign or "x"

    def _begin(self, indent: int | None, at: int, *, is_raw: bool = False, bound: bool = False) -> _Line:
        was = at - (self.text.rfind("\n", 0, at) + 1)
        blanks = self.blanks if bound or self.keep else min(self.blanks, 1)
        self.line = _Line(indent, was, "", blanks=blanks, is_raw=is_raw, bound=bound)
        self.lines.append(self.line)
        self.blanks, self.keep, self.last, self.most = 0, False, "", None
        return self.line

    def _add(self, text: str) -> None:
        if self.line is not None:
            self.line.text += text

    def close(self) -> None:
        """Ends the line."""
        self.line, self.ended = None, False


# ---- scalars ----------------------------------------------------------------------------------


def _stripped(line: str) -> str:
    """A line of a wrapped text without the blanks at its end, unless the last of them is escaped."""
    shown = line.rstrip(" \t\r")
    return shown + line[len(shown) : len(shown) + 1] if shown.endswith("\\") else shown


def _base(raw: list[str], flags: str, node: Scalar) -> int:
    """How many blanks the lines of a block text begin with."""
    digit = next((int(char) for char in flags if char.isdigit()), None)
    if digit is None:
        first = next((line for line in raw if line.strip(_BLANK)), "")
        return len(first) - len(first.lstrip(" "))
    # Counted from the key or dash that the text belongs to: the content says how many blanks are not its own.
    value = next((line for line in node.text.split("\n") if line.strip(_BLANK)), "")
    first = next((line for line in raw if line.strip(_BLANK)), "").rstrip("\r")
    return len(first) - len(value)


def _quoted(node: Scalar, source: str) -> str:
    """A scalar of one line; between double quotes where quotes and backslashes do not forbid it, else single ones."""
    if node.style == "single" and not re.search(r"[\"\\]", node.text):
        return f'"{node.text}"'
    if node.style == "double" and re.fullmatch(r'"(?:[^\\"]|\\["\\])*"', source) and "\\" in source:
        return "'" + node.text.replace("'", "''") + "'"
    return source


def _written(node: Scalar, source: str, line: TextLine, *, in_flow: bool) -> str | None:
    """Rule text of one line in the scalar's own style; None where that cannot hold it."""
    shown = f"{line.text}  {line.comment}" if line.comment else line.text
    if node.is_quoted:
        return f'"{shown}"' if not re.search(r"[\"\\]", shown) else "'" + shown.replace("'", "''") + "'"
    if shown == source:
        return shown
    trial = load_yaml_text("trial", f"[{shown}]" if in_flow else f"x: {shown}", Sink())
    match trial:
        case Sequence(items=(Scalar() as only,)):
            found = only
        case Mapping(entries=(Entry(value=Scalar() as only),)):
            found = only
        case _:
            return None
    return shown if found.style == "plain" and found.text == shown else None


# ---- lines to text ----------------------------------------------------------------------------


def _printed(lines: list[_Line]) -> str:
    _place_comments(lines)
    columns = _comment_columns(lines)
    shown: list[str] = []
    for number, line in enumerate(lines):
        if shown or line.bound:
            shown += [""] * line.blanks
        start = " " * (line.indent or 0) + line.text
        if line.comment:
            start += " " * (columns[number] - display_width(start)) + line.comment
        shown.append(start)
    return "\n".join(shown) + "\n"


def _place_comments(lines: list[_Line]) -> None:
    """Indents comments that have a line to themselves: as the next line, or as the block that they end."""
    following: _Line | None = None
    for line in reversed(lines):
        if line.indent is not None and not line.is_raw:
            following = line
        elif line.indent is None and following is not None and line.was <= following.was:
            line.indent = following.indent
    above: list[_Line] = []
    for line in lines:
        if line.indent is not None and not line.is_raw:
            above.append(line)
        elif line.indent is None:
            while above and above[-1].was > line.was:
                above.pop()
            nearest = above[-1] if above else None
            known = nearest.indent or 0 if nearest is not None else 0
            line.indent = known if nearest is None or nearest.was == line.was else known + 2
        if line.indent is not None and line.most is not None:
            line.indent = min(line.indent, line.most)


def _comment_columns(lines: list[_Line]) -> Map[int, int]:
    """Where comments behind a line begin: as many blanks after it as before, but at least two.

    Comments on consecutive lines that stood in one column stand in one column, the one that they had if it is free.
    """
    columns: dict[int, int] = {}
    number = 0
    while number < len(lines):
        group = [number]
        while (
            lines[number].comment
            and group[-1] + 1 < len(lines)
            and lines[group[-1] + 1].comment
            and lines[group[-1] + 1].column == lines[number].column
            and not lines[group[-1] + 1].blanks
        ):
            group.append(group[-1] + 1)
        if lines[number].comment:
            ends = [(lines[at].indent or 0) + display_width(lines[at].text) + 2 for at in group]
            stood = lines[number].column + (lines[number].indent or 0) - lines[number].was
            column = max(*ends, stood) if len(group) > 1 else ends[0] + max(0, lines[number].gap - 2)
            columns |= dict.fromkeys(group, column)
        number = group[-1] + 1
    return columns
