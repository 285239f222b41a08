"""Parts of an amount divided by largest remainder."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from . import told as reading
from .bands import check_limit
from .calculator import worked_out
from .language import NotReadable, read
from .lines import Told
from .model import Item, Row
from .rows import added
from .scope import Report, in_figures
from .values import UNKNOWN, Near, Value, bare, printed, same, shown

if TYPE_CHECKING:
    from .steps import Step

FORMULA = re.compile(r"(?P<what>.+) over (?P<over>[a-z_0-9]+) by (?P<by>.+)")
FIGURES = re.compile(r"(?P<amount>\S+) \* (?P<weight>\S+(?: days)?) / (?P<total>\S+(?: days)?)")


def minor(text: str) -> Fraction:
    """The minor unit, by the decimals of an amount."""
    return Fraction(1, 10 ** len(text.partition(".")[2]))


def check_spread(step: Step, item: Item, formula: str, figures: str, exact: str) -> None:
    """A part received from a group across bills."""
    amount = ""
    for told in item.all("group"):
        match = reading.PART_OF.fullmatch(told.text)
        if match:
            amount = match["whole"] or match["all"]
    check_part(step, formula, figures, exact, item.value, given=amount, line=item.line)


def check_row_spread(step: Step, row: Row, figures: str, exact: str) -> None:
    """A part received by a row of the bill."""
    check_part(step, row.formula, figures, exact, row.value, given="", line=row.line)


def check_part(step: Step, formula: str, figures: str, exact: str, part: str, *, given: str, line: int) -> None:
    """`amount * weight / total = exact`, of which the part is one of the two neighbours in minor units."""
    report = step.report
    value, unit = bare(printed(part)), minor(part)
    match = FORMULA.fullmatch(formula)
    if match is None:
        report.add(line, "unreadable", f"`{formula}`")
        return
    parts = FIGURES.fullmatch(figures)
    if parts is None:
        # Nothing to divide, or the whole to one row.
        text = figures or shown(value)
        if not same(printed(text), value) and not same(value, Fraction(0)):
            report.add(line, "unreadable", f"`{figures}`")
        traced(step, match["what"], printed(text), text, line, given)
        report.count("line: part of a spread")
        return
    traced(step, match["what"], printed(parts["amount"]), parts["amount"], line, given)
    traced(step, match["by"], number(parts["weight"]), parts["weight"], line, "")
    result = worked_out(read(figures), in_figures)
    if exact and not same(result, printed(exact)):
        report.add(line, "arithmetic", f"`{figures}` is {shown(result)}, not {exact}")
    if not isinstance(result, Fraction | Near) or not isinstance(value, Fraction):
        report.add(line, "unreadable", f"`{figures}` is {shown(result)}")
        return
    middle = result if isinstance(result, Fraction) else result.low
    neighbours = {floor(middle / unit) * unit, (floor(middle / unit) + 1) * unit}
    if (exact and value not in neighbours) or (not exact and not same(result, value)):
        report.add(line, "rounding", f"`{figures}` is {shown(result)}; {shown(value)} is no neighbour of it")
    report.count("line: part of a spread")


def number(text: str) -> Value:
    """A figure without brackets."""
    return printed(text[1:-1]) if text.startswith("(-") and text.endswith(")") else printed(text)


def traced(step: Step, formula: str, value: Value, text: str, line: int, given: str) -> None:
    """Where the amount or the weight comes from."""
    if given and same(printed(given), value):
        step.report.count("number: a value of a group")
        return
    try:
        said = worked_out(read(formula), step.names.in_formula, step.scope.mode)
    except NotReadable:
        said = UNKNOWN
    if said is not UNKNOWN and same(said, value):
        step.report.count("number: a result or a cited value")
    elif step.scope.facts_like(formula, value) or of_own_group(step, formula, value):
        step.report.count("number: an input")
    else:
        step.report.add(line, "not derivable", f"{text} for `{formula}` in {step.what}")


def of_own_group(step: Step, name: str, value: Value) -> bool:
    """Whether a group inside the bill, of which the row is a member, has this result."""
    row = step.scope.name.partition(" ")[2]
    groups = [g for s in step.scope.chain() for rows in s.rows.values() for g in rows.values() if row in g.members]
    return any(name in g.steps and same(g.steps[name], value) for g in groups)


def check_whole(item: Item, report: Report) -> None:
    """All parts of a list: they add up, and the largest remainders have the units left over."""
    rows = [r for r in item.rows if FORMULA.fullmatch(r.formula)]
    found: list[tuple[Fraction, Fraction]] = []
    amounts: set[str] = set()
    totals: set[str] = set()
    weights: list[Value] = []
    for row in rows:
        text = row.text.removesuffix("->").strip()
        figures = text.partition(" = ")[0]
        match = FIGURES.fullmatch(figures)
        value = bare(printed(row.value))
        if match is None or not isinstance(value, Fraction):
            return
        amounts.add(match["amount"])
        totals.add(match["total"])
        weights.append(number(match["weight"]))
        result = worked_out(read(figures), in_figures)
        if isinstance(result, Fraction):
            found.append((result, value))
    line = item.line
    for told in item.all("divides"):
        check_limit(
            Told("divides", f"{told.text} = {amount_of(rows)}" if amount_of(rows) else told.text, told.line), report
        )
    for told in (*item.all("adds up"), *item.all("weights")):
        whole = re.sub(r", \.\. \d+ in all", "", told.text)
        left, _, right = whole.rpartition(" = ")
        if " in all" not in told.text and left:
            terms = [printed(t) for t in reading.summed(left.rpartition(": ")[2])]
            if not same(added(terms), printed(right)):
                report.add(told.line, "sum", f"{left} is {shown(added(terms))}, not {right}")
            report.count("line: sum of parts")
        named = reading.by_row(left)
        for row in rows:
            match = FIGURES.match(row.text)
            if (
                told.key == "weights"
                and match
                and row.key in named
                and not same(printed(named[row.key]), number(match["weight"]))
            ):
                report.add(told.line, "unlike", f"row {row.key} weighs {match['weight']} above, {named[row.key]} here")
    if any(": " in t.text for t in item.all("adds up")):
        return  # several groups gave to the rows of the bill, each its own amount
    if len(amounts) != 1 or len(totals) != 1 or len(found) != len(rows) or not rows:
        return
    total, whole_amount = number(totals.pop()), number(amounts.pop())
    if same(added(weights), total) and isinstance(whole_amount, Fraction):
        parts = largest_remainder([e for e, _ in found], whole_amount, minor(rows[0].value))
        for row, (_, value), part in zip(rows, found, parts, strict=True):
            if value != part:
                report.add(
                    row.line, "rounding", f"by largest remainder row {row.key} has {shown(part)}, not {shown(value)}"
                )
        report.count("line: largest remainder")
    elif not same(added(weights), total):
        report.add(line, "sum", f"the weights add up to {shown(added(weights))}, not {shown(total)}")


def amount_of(rows: list[Row]) -> str:
    """The amount that is divided, where all rows have the same one."""
    found = {m["amount"] for row in rows if (m := FIGURES.match(row.text))}
    return found.pop() if len(found) == 1 else ""


def largest_remainder(exact: list[Fraction], whole: Fraction, unit: Fraction) -> list[Fraction]:
    """Cut to the minor unit; the units left over to the largest rests, among equal ones to the first."""
    sign = -1 if whole < 0 else 1
    cut = [floor(abs(e) / unit) for e in exact]
    left = int(abs(whole) / unit) - sum(cut)
    order = sorted(range(len(exact)), key=lambda n: (-(abs(exact[n]) / unit - cut[n]), n))
    for n in order[:left]:
        cut[n] += 1
    return [sign * c * unit for c in cut]
