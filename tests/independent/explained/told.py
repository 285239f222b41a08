"""What single lines of a step say: cited values, values of groups, calls over rows, exact values with their rounding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .lines import Told
from .values import Value, number, printed

NAMED: Final = r"[a-z][a-z0-9_]*(?:\[.*?\])?(?:\.[a-z][a-z0-9_.]*)?(?: at \d{4}-\d{2}-\d{2})?"
USED: Final = re.compile(
    rf"(?P<name>{NAMED})(?: = (?P<value>.*?))?(?: \((?P<about>(?:since \d{{4}}|sourced|illustrative|fictional|[^()]*, ).*|[^()]*)\))?"
)
GROUPED: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*(?:\[.*?\])?\.[a-z][a-z0-9_.]*) = (?P<value>.+?) \((?P<about>[^()]*(?:\([^()]*\))?[^()]*)\)"
)
PART_OF: Final = re.compile(
    r"part of (?P<group>.+), which gives (?P<whole>\S+) in (?P<parts>\d+) parts by largest remainder|all of what (?P<only>.+) gives, (?P<all>\S+)"
)
METHOD: Final = re.compile(r"[a-z][a-z0-9_]*\.(?:sum|count|first|last|min|max)\(")
OF_ROWS: Final = re.compile(
    r"\(?(?:none before|(?:no|not|none of) .*|[a-z][a-z_0-9]* [^()]*)(?:; \S+ \(opening amount\))?\)?"
)
EXACT: Final = re.compile(
    r"(?P<exact>.*?)(?:, (?:(?P<mode>half-up|half-even|half-down|up|down) to (?P<to>\S+(?: per day| days)?)|(?P<spread>largest remainder)))?"
)
SEEN: Final = re.compile(
    r"(?P<none>no (?P<kind>[a-z_0-9]+)|none before)|(?P<not>not |none of )?(?P<of>[a-z][a-z_0-9]*) (?P<rows>.+)|(?P<ids>.+)"
)


@dataclass(frozen=True)
class Cited:
    """A parameter or a cell of a table: its name with keys, its value, from when on it holds and what says so."""

    name: str
    keys: tuple[str, ...]
    field: str
    value: Value | None
    about: str
    line: int
    text: str = ""
    at: str = ""


@dataclass(frozen=True)
class Seen:
    """The rows that a call counted: of which kind, their keys, how many in all."""

    of: str
    rows: tuple[str, ...]
    count: int
    cut: bool
    negated: bool
    opening: str


@dataclass(frozen=True)
class Called:
    """A call over rows: its value ("" where it is the step's own), its terms, the rows."""

    call: str
    value: str
    terms: tuple[str, ...]
    cut: bool
    seen: Seen
    line: int


def cited(told: Told) -> Cited | None:
    """`deductible[county] = 200.00 (since 2019-01-01, fictional, s0, line 13)`."""
    match = USED.fullmatch(told.text)
    return _cited(match, told.line) if match else None


def of_group(told: Told) -> Cited | None:
    """`region_year[R01, 2024].point_value = 8.1234 (computed from 12 members)`."""
    match = GROUPED.fullmatch(told.text)
    return _cited(match, told.line) if match else None


def _cited(match: re.Match[str], line: int) -> Cited:
    whole, _, at = match["name"].partition(" at ")
    name, keys, field = whole, "", ""
    parts = re.fullmatch(r"([a-z][a-z0-9_]*)(?:\[(.*)\])?(?:\.(.*))?", whole)
    if parts:
        name, keys, field = parts[1], parts[2] or "", parts[3] or ""
    value = printed(match["value"]) if match["value"] is not None else None
    return Cited(
        name,
        tuple(k for k in re.split(r", ", keys) if k),
        field,
        value,
        match["about"] or "",
        line,
        match["value"] or "",
        at,
    )


def exact(text: str) -> tuple[str, str, str]:
    """An exact value, the mode of its rounding and to what; mode `spread` for a part by largest remainder."""
    match = EXACT.fullmatch(text)
    if match is None:
        return text, "", ""
    return match["exact"], match["mode"] or ("spread" if match["spread"] else ""), match["to"] or ""


def called(told: Told, whole: str, calls: list[str]) -> Called | None:
    """What a call over rows saw. `whole` is the formula; `calls` are the calls that stand in it."""
    text = told.text
    own = next((c for c in sorted(calls, key=len, reverse=True) if text.startswith(f"{c} = ")), None)
    call, rest, value = whole, text, ""
    if own is not None:
        found = re.match(r"(\S.*?)(?=: | \()", text[len(own) + 3 :])
        if not found:
            return None
        call, value = own, found[1]
        rest = text[len(own) + 3 + found.end() :].removeprefix(":").strip()
    parts = _terms_and_rows(rest, call)
    return Called(call, value, *parts, told.line) if parts else None


def _terms_and_rows(text: str, call: str) -> tuple[tuple[str, ...], bool, Seen] | None:
    if METHOD.match(call) and not call.startswith("above.") and not OF_ROWS.fullmatch(text):
        of_episodes = earlier(text)
        if of_episodes is None:
            return None
        values, episodes, opening = of_episodes
        return (
            tuple(values),
            False,
            Seen("episodes", tuple(episodes), len(episodes), cut=False, negated=False, opening=opening),
        )
    bracketed = re.fullmatch(r"(?:(?P<terms>.*\S) )?\((?P<rows>(?:no|not|none|[a-z]).*)\)", text)
    rows = bracketed["rows"] if bracketed else text
    terms = (bracketed["terms"] or "") if bracketed else ""
    seen = saw(rows)
    if seen is None:
        return None
    cut = bool(re.search(r"(?: \+|,) \.\.$", terms))
    terms = re.sub(r"(?: \+|,) \.\.$", "", terms)
    if not terms:
        return (), False, seen
    pieces = summed(terms)
    if len(pieces) == 1 and ", " in terms:
        pieces = re.split(r", ", terms)
    return tuple(pieces), cut, seen


def earlier(text: str) -> tuple[list[str], list[str], str] | None:
    """`60,000.00 (Y-1, 2025-02-03) + 40,000.00 (Y-3, 2025-06-11)`: values, episodes, what was there before."""
    values: list[str] = []
    episodes: list[str] = []
    opening = ""
    for sign, piece in _pieces(text):
        match = re.fullmatch(r"(?P<value>.+?)(?: \((?P<about>.*)\))?", piece)
        if match is None:
            return None
        value = f"-{match['value']}" if sign == "-" else match["value"]
        if match["about"] == "opening amount":
            opening = value
            continue
        about = match["about"] or ""
        if about and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", about):
            values.append(value)
            episodes.append(re.sub(r", \d{4}-\d{2}-\d{2}$", "", about))
        else:
            episodes.append(value)  # only counted
    return values, episodes, opening


def _pieces(text: str) -> list[tuple[str, str]]:
    """Text cut at signs and commas outside brackets."""
    found: list[tuple[str, str]] = []
    depth, sign, piece, at = 0, "", "", 0
    while at < len(text):
        char = text[at]
        depth += (char == "(") - (char == ")")
        cut = next((c for c in (" + ", " - ", ", ") if depth == 0 and text.startswith(c, at)), None)
        if cut is not None:
            found.append((sign, piece))
            sign, piece = ("-" if cut == " - " else ""), ""
            at += len(cut)
            continue
        piece += char
        at += 1
    return [*found, (sign, piece)]


def summed(terms: str) -> list[str]:
    """The terms of a sum, each with its sign; `and 9 of 0.00` are nine more."""
    tail = re.search(r"(?:^| and )(\d+) of (-?0(?:\.0+)?(?:%| days| months| years| per day)?)$", terms)
    more: list[str] = []
    if tail:
        more = [tail[2]] * int(tail[1])
        terms = terms[: tail.start()]
    return [*(re.sub(r"(?<=\S) \([^()]*\)$", "", t) for t in split_sum(terms) if terms), *more]


def by_row(terms: str) -> dict[str, str]:
    """`30.00 (1) + 5.00 (2)`: what each row gave."""
    return {about: value for value, about in re.findall(r"(-?[\d,./]+(?:%| days)?) \(([^()]*)\)", terms)}


def split_sum(terms: str) -> list[str]:
    """The terms of a sum, each with its sign."""
    found: list[str] = []
    sign = ""
    for piece in re.split(r" ([+-]) ", terms):
        if piece in ("+", "-"):
            sign = "-" if piece == "-" else ""
        else:
            found.append(f"{sign}{piece}" if not (sign and piece.startswith("-")) else piece[1:])
    return found


def saw(text: str) -> Seen | None:
    """`lines 2, 5`, `no lines`, `episodes A, B, .. 57 in all`."""
    before = re.search(r"; (\S+(?: days| months| years)?) \(opening amount\)$", text)
    opening = before[1] if before else ""
    text = text[: before.start()] if before else text
    match = SEEN.fullmatch(text)
    if match is None:
        return None
    if match["none"]:
        return Seen(match["kind"] or "", (), 0, cut=False, negated=False, opening=opening)
    rows = re.sub(r"^(?:not|none of) ", "", text)
    of, _, listed = rows.partition(" ")
    total = re.search(r", \.\. (\d[\d,]*) in all$", listed)
    listed = listed[: total.start()] if total else listed
    keys = tuple(listed.split(", "))
    count = int(total[1].replace(",", "")) if total else len(keys)
    return Seen(of, keys, count, cut=bool(total), negated=bool(match["not"]), opening=opening)


__all__ = [
    "Called",
    "Cited",
    "Seen",
    "by_row",
    "called",
    "cited",
    "earlier",
    "exact",
    "number",
    "of_group",
    "split_sum",
    "summed",
]
