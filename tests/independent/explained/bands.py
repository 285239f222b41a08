"""Bands, days and slices: what stands in the lines below a step, redone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from .calculator import compared, multiplied, worked_out
from .language import NotReadable, read
from .lines import Told
from .model import Band
from .rows import added
from .scope import Report, in_figures
from .told import summed
from .values import UNKNOWN, Span, Value, number, printed, rounded, same, shown

FLAT = re.compile(r"(?P<length>\S+(?: days)?) \* (?P<rate>\S+(?: per day)?) = (?P<amount>\S+)")
SLICE = re.compile(r"(?P<value>.+?) for (?P<of>\S+(?: days| months| years)?)(?: \((?P<ends>[^()]*)\))?")
POINT = re.compile(r"(?P<value>\S+) at (?P<at>\S+(?: days| months| years)?)")


@dataclass(frozen=True)
class Length:
    """One line of bands as far as it is needed to follow a sum."""

    low: str
    high: str
    length: str
    rate: str
    amount: str
    given: str
    line: int


def plain(lines: list[Band]) -> list[Length]:
    """Lines of bands with the amounts that count, rounded where each is."""
    return [Length(b.low, b.high, b.length, b.rate, b.rounded or b.amount, b.given, b.line) for b in lines]


def flat(told: Told) -> list[Length]:
    """`a * b = c; d * e = f`, under a row of a list or a part of the shares."""
    found = []
    for text in told.text.split("; "):
        match = FLAT.fullmatch(text)
        if match:
            found.append(Length("", "", match["length"], match["rate"], match["amount"], "", told.line))
    return found


def check_bands(lines: list[Band], roundings: list[str], report: Report) -> None:
    """Each line `low .. high : length * rate = amount`, and each after the one before."""
    mode, to = ("", "")
    for text in roundings:
        match = re.fullmatch(r"each rounded (\S+) to (\S+)", text)
        mode, to = (match[1], match[2]) if match else (mode, to)
    for line in lines:
        low, high, length = printed(line.low), printed(line.high), printed(line.length)
        between = added([high, _less(low)]) if not isinstance(_less(low), type(UNKNOWN)) else days(low, high)
        if not same(between, length):
            report.add(line.line, "bands", f"{line.high} - {line.low} is {shown(between)}, not {line.length}")
        product = multiplied(bare_number(length), bare_number(printed(line.rate)), "*")
        if product is UNKNOWN or not same(product, printed(line.amount)):
            report.add(line.line, "bands", f"{line.length} * {line.rate} is {shown(product)}, not {line.amount}")
        if line.rounded:
            unit = number(to)
            exact = product if isinstance(product, Fraction) else UNKNOWN
            if not isinstance(unit, Fraction) or not isinstance(exact, Fraction):
                report.add(line.line, "unreadable", f"{line.amount} -> {line.rounded} without how it is rounded")
            elif not same(rounded(exact, unit, mode), printed(line.rounded)):
                report.add(
                    line.line,
                    "rounding",
                    f"{line.amount} is rounded to {shown(rounded(exact, unit, mode))}, not {line.rounded}",
                )
        report.count("line: band")
    for one, other in pairwise(lines):
        if one.high != other.low:
            report.add(other.line, "bands", f"the part begins at {other.low}, the one before ends at {one.high}")


def _less(value: Value) -> Value:
    from .values import negative

    return negative(value)


def days(low: Value, high: Value) -> Value:
    """The days from one date to another."""
    from datetime import date

    if isinstance(low, date) and isinstance(high, date):
        return Span(Fraction((high - low).days), "days")
    return UNKNOWN


def bare_number(value: Value) -> Value:
    """A number of days as a number."""
    return value.count if isinstance(value, Span) else value


def check_total(told: Told, blocks: list[list[Length]], report: Report) -> None:
    """`a + b = total` under some bands."""
    left, sign, right = told.text.rpartition(" = ")
    terms = [printed(t) for t in summed(left.rpartition(": ")[2])]
    if not sign or not same(added(terms), printed(right)):
        report.add(told.line, "sum", f"{left} is {shown(added(terms))}, not {right}")
    if blocks and not any(
        len(b) == len(terms) and all(same(printed(x.amount), t) for x, t in zip(b, terms, strict=True)) for b in blocks
    ):
        report.add(told.line, "bands", f"{left}: these are not the amounts of the bands")
    report.count("line: sum of bands")


def check_limit(told: Told, report: Report) -> tuple[str, Value]:
    """`formula = figures = value`: how a limit came about; the formula and the value."""
    parts = told.text.split(" = ")
    value = printed(parts[-1])
    if len(parts) > 2 and "/" in parts[-2] and re.fullmatch(r"-?\d+/\d+", parts[-2]):
        value = printed(f"{parts[-2]} = {parts[-1]}")
        parts = [*parts[:-2], parts[-1]]
    for text in parts[1:-1]:
        try:
            result = worked_out(read(text), in_figures)
        except NotReadable:
            report.add(told.line, "unreadable", f"`limit {told.text}`")
            continue
        if not same(result, value):
            report.add(told.line, "arithmetic", f"the limit {text} is {shown(result)}, not {parts[-1]}")
    report.count("line: limit")
    return parts[0], value


def slice_read(text: str, of: Value, report: Report, line: int) -> Value:
    """`2 for 3.4 (above 2)`: the value of a slice, after a look at its ends."""
    match = SLICE.fullmatch(text)
    if match is None:
        return UNKNOWN
    place = printed(match["of"])
    if of is not UNKNOWN and not same(of, place):
        report.add(line, "unlike", f"{match['value']} holds for {match['of']}, the figure is {shown(of)}")
    signs = {"from": ">=", "above": ">", "up to": "<=", "below": "<"}
    for sign, end in re.findall(r"(from|above|up to|below) (\S+(?: days| months| years)?)", match["ends"] or ""):
        if compared(place, printed(end), signs[sign]) is not True:
            report.add(line, "bands", f"{match['of']} is not {sign} {end}")
        report.count("line: slice")
    return printed(match["value"])


def slice_place(text: str) -> Value:
    """What a slice was read for."""
    match = SLICE.fullmatch(text)
    return printed(match["of"]) if match else UNKNOWN


def points_read(text: str) -> list[tuple[Value, Value]]:
    """`0% at 1.5; 8.5% at 4`: values and places of a curve."""
    found = []
    for part in text.split("; "):
        match = POINT.fullmatch(part)
        if match is None:
            return []
        found.append((printed(match["value"]), printed(match["at"])))
    return found
