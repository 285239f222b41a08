"""One step redone: its condition, its figures, its exact value and the rounding, its bands."""

from __future__ import annotations

import re
from fractions import Fraction

from . import schedules
from . import told as reading
from .bands import Length, check_bands, check_limit, check_total, flat, plain
from .calculator import OF_SCHEDULES, is_lookup, worked_out
from .language import Node, NotReadable, read
from .lines import Told
from .model import Item, Row
from .rows import check_call, of_rows
from .scope import Names, Report, Scope, Sources, in_figures
from .template import Filled, Hole, fill
from .values import DIGITS, MISSING, UNKNOWN, Near, Span, Value, bare, number, printed, rounded, same, shown


class Step:
    """Redoes one step in its scope."""

    def __init__(self, scope: Scope, report: Report, line: int, what: str) -> None:
        self.scope = scope
        self.report = report
        self.line = line
        self.what = what
        self.sources = Sources()
        self.names = Names(scope, self.sources)
        self.blocks: list[list[Length]] = []

    # ---- what is told ----

    def tell(self, told: list[Told], formulas: list[str]) -> None:
        """Reads the cited values, the values of groups and the calls over rows."""
        calls = [text for formula in formulas for text in lookups(formula)]
        whole = formulas[-1] if formulas else ""
        for one in told:
            if one.key == "bands":
                self.blocks.append(flat(one))
        for one in told:
            if one.key == "limit":
                check_limit(one, self.report)
            elif one.key == "adds up" and self.blocks:
                check_total(one, self.blocks, self.report)
            elif one.key == "uses":
                cited = reading.cited(one)
                if cited is None:
                    self.report.add(one.line, "unreadable", f"`uses {one.text}`")
                else:
                    self.sources.cited.append(cited)
            elif one.key == "group" and not reading.PART_OF.fullmatch(one.text):
                grouped = reading.of_group(one)
                if grouped is None:
                    self.report.add(one.line, "unreadable", f"`group {one.text}`")
                else:
                    self.sources.grouped.append(grouped)
            elif one.key == "over":
                grouped = reading.of_group(one) if "(" not in one.text.partition(" = ")[0] else None
                called = reading.called(one, whole, calls)
                if called is not None and (called.value or called.call == whole):
                    self.sources.called.append(called)
                elif grouped is not None:
                    self.sources.grouped.append(grouped)
                else:
                    self.report.add(one.line, "unreadable", f"`over {one.text}`")

    def check_calls(self, whole: str, value: Value) -> None:
        """Redoes every call over rows from its terms, and from the rows where they stand in the text."""
        for called in self.sources.called:
            result = printed(called.value) if called.value else value
            check_call(called, result, self.scope, self.report)

    # ---- conditions ----

    def condition(self, text: str, line: int, *, holds: bool) -> None:
        """`condition  (figures)`: whether it holds, as it should."""
        formula, figures = self.split(text)
        filled = self.filled(formula, figures)
        if filled is None:
            self.report.add(line, "unreadable", f"the condition `{text}` does not fit its figures")
            return
        self.trace(filled, line)
        value = worked_out(filled.figures, self.in_figures, self.scope.mode)
        if value is UNKNOWN:
            value = worked_out(filled.formula, self.names.in_formula, self.scope.mode)
        if value is UNKNOWN:
            self.report.count("undecided condition")
        elif value is not holds:
            self.report.add(line, "condition", f"`{text}` is {shown(value)}")
        else:
            self.report.count("line: condition")

    def split(self, text: str) -> tuple[str, str]:
        """A condition and its figures in brackets; the condition itself where there are none."""
        if text.endswith(")"):
            depth = 0
            for at in range(len(text) - 1, -1, -1):
                depth += (text[at] == ")") - (text[at] == "(")
                if depth == 0 and text[at] == "(" and at and text[at - 1] == " ":
                    formula, figures = text[:at].strip(), text[at + 1 : -1]
                    try:
                        if fill(formula, figures) is not None:
                            return formula, figures
                    except NotReadable:
                        pass
                    break
        return text, text

    # ---- figures ----

    def filled(self, formula: str, figures: str) -> Filled | None:
        """The formula over its figures, or None."""
        try:
            return fill(formula, figures)
        except NotReadable:
            return None

    def trace(self, filled: Filled, line: int) -> None:
        """Asks of every figure where it comes from."""
        for hole in filled.holes:
            if hole.same:
                continue
            if not self.traced(hole):
                self.report.add(line, "not derivable", f"{hole.figure} for `{hole.text}` in {self.what}")

    def traced(self, hole: Hole) -> bool:
        """Whether the text says somewhere that this part of the formula has this figure."""
        node, value = hole.node, hole.value
        said = self.names.values(node)
        if node.kind == "at":
            node = node.parts[0]
        if node.kind == "call" and node.text in OF_SCHEDULES:
            return schedules.traced(self, node, hole)
        if said:
            return self.found("a result or a cited value", any(same(v, value) for v in said))
        if node.kind in ("method", "call"):
            return self.call(hole, value)
        if node.kind == "member" and node.parts[0].kind == "name":
            parts = [v for s in self.scope.chain() for bearer, v in s.parts if bearer == node.parts[0].text]
            return self.found("a part of the shares", any(same(v, value) for v in parts))
        if node.kind == "name":
            if value is MISSING:
                return self.found("missing", not any(True for s in self.scope.chain() if node.text in s.steps))
            for scope in self.scope.chain():
                if node.text in scope.bound:
                    return self.found("an input", same(scope.bound[node.text], value))
            before, line = self.scope.read.setdefault(node.text, (value, self.line))
            if not same(before, value):
                self.report.add(
                    self.line, "unlike", f"`{node.text}` is {hole.figure} here, {shown(before)} on line {line}"
                )
            return self.found("an input", bool(self.scope.facts_like(node.text, value)))
        return False

    def found(self, where: str, yes: bool) -> bool:
        """Counts a number that was found."""
        if yes:
            self.report.count(f"number: {where}")
        return yes

    def call(self, hole: Hole, value: Value) -> bool:
        """The value of a call over rows or over earlier episodes."""
        text = " ".join(hole.text.split())
        for called in self.sources.called:
            if called.call == text and called.value:
                return self.found("a call over rows", same(printed(called.value), value))
            if called.call == text:
                return self.found("a call over rows", True)
        for scope in self.scope.chain():
            if text in scope.windows:
                return self.found("a window", same(scope.windows[text], value))
        result = of_rows(hole.node, self.scope)
        return result is not None and self.found("a call redone from the rows", same(result[0], value))

    def in_figures(self, node: Node) -> Value:
        """A word among figures; whether a key is in a table, where a cell of that row is cited."""
        if node.kind == "in_table":
            keys = [worked_out(p, in_figures) for p in node.parts[:-1]]
            rows = [c.keys for c in self.sources.cited if c.name == node.parts[-1].text]
            found = any(
                len(r) == len(keys) and all(same(k, printed(x)) or shown(k) == x for k, x in zip(keys, r, strict=True))
                for r in rows
            )
            return True if found else UNKNOWN
        return in_figures(node)

    def value(self, node: Node) -> Value:
        """The value of a part of a formula that is not printed with its figures."""
        try:
            return worked_out(node, self.names.in_formula, self.scope.mode)
        except NotReadable:
            return UNKNOWN


def lookups(formula: str) -> list[str]:
    """The texts of the parts of a formula that are looked up."""
    try:
        tree = read(formula)
    except NotReadable:
        return []
    return [formula[n.start : n.end] for n in tree.walk() if n.kind in ("method", "call", "member", "index", "at")]


def check_item(item: Item, scope: Scope, report: Report, *, reversal: bool = False) -> None:
    """Redoes a step of one value."""
    value = bare(printed(item.value))
    step = Step(scope, report, item.line, item.name or item.title)
    step.blocks = [plain(lines) for lines in item.bands]
    for lines in item.bands:
        check_bands(lines, [t.text for t in item.all("rounded")], report)
    if reversal:
        report.count("of a reversal")
        return
    case, formula = item.one("case"), item.one("formula")
    conditions = [t.text for t in item.told if t.key in ("tested", "case") and t.text != "otherwise"]
    step.tell(item.told, [*(step.split(c)[0] for c in conditions), formula])
    for told in item.all("tested"):
        step.condition(told.text, told.line, holds=False)
    check_reasons(step, item, report)
    if case and case != "otherwise":
        step.condition(case, item.all("case")[0].line, holds=True)
    figures = item.one("figures")
    exact, mode, to = reading.exact(item.one("exact")) if item.one("exact") else ("", "", "")
    line = (item.all("figures") or item.all("formula") or [Told("", "", item.line)])[0].line
    if is_spread(formula):
        from .spreads import check_spread

        check_spread(step, item, formula, figures, exact)
        return
    check_figures(step, formula, figures, exact, (mode, to), value, item.value, line, constant=item.value)


def check_reasons(step: Step, item: Item, report: Report) -> None:
    """`Not applied: x, because y`: the figures of y stand in the condition that was tested, or follow from it."""
    labels = {word for scope in step.scope.chain() for word in scope.labels}
    for n, told in enumerate(item.told):
        if told.key != "not applied":
            continue
        reason = told.text.rpartition(", because ")[2]
        tested = next((t.text for t in item.told[n + 1 : n + 2] if t.key == "tested"), "")
        if not tested:
            continue
        known = [printed(f) for f in FIGURES.findall(tested)]
        filled = step.filled(*step.split(tested))
        for node in filled.figures.walk() if filled is not None else []:
            try:
                known.append(worked_out(node, in_figures, step.scope.mode))
            except NotReadable:
                continue
        for figure in FIGURES.findall(reason):
            value = printed(figure)
            if figure not in labels and not any(same(value, k) for k in known):
                report.add(told.line, "not derivable", f"{figure} in `{told.text}`")
            report.count("number: in a reason")


def is_spread(formula: str) -> bool:
    """Whether a step is a part of an amount that is divided: `amount over rows by weight`."""
    return bool(re.search(r" over [a-z_0-9]+ by ", formula))


def check_figures(
    step: Step, formula: str, figures: str, exact: str, rounding: tuple[str, str], value: Value, text: str, line: int, *, constant: str
) -> None:  # fmt: skip
    """`formula`, `figures`, `exact, half-up to 0.01` and the value: each follows from the one before."""
    report = step.report
    if not formula and not figures:
        # The rule is a constant, which is the value.
        report.count("constant")
        step.check_calls("", value)
        return
    result: Value = UNKNOWN
    found = False
    tried = [figures] if figures else [formula, *([exact] if exact else []), constant, shown(value)]
    for one in tried:
        filled = step.filled(formula, one)
        if filled is None:
            continue
        result = worked_out(filled.figures, step.in_figures, step.scope.mode)
        if not figures and result is UNKNOWN:
            continue
        if not figures and not same(result, value) and not (exact and same(result, printed(exact))):
            continue
        step.trace(filled, line)
        found = True
        break
    step.check_calls(formula, printed(exact) if exact else value)
    if not found:
        if figures:
            report.add(line, "unreadable", f"`{formula}` does not fit `{figures}`")
        else:
            report.add(line, "not derivable", f"{text} from `{formula}`, without figures ({step.what})")
        return
    if result is UNKNOWN:
        report.add(line, "not derivable", f"`{figures or formula}` cannot be worked out ({step.what})")
        return
    if exact:
        printed_exact = printed(exact)
        if not same(result, printed_exact):
            report.add(line, "arithmetic", f"`{figures or formula}` is {shown(result)}, not {exact} ({step.what})")
        if not isinstance(result, Fraction) and isinstance(printed_exact, Fraction):
            result = printed_exact
    if rounding[0]:
        result = rounded_value(result, *rounding, line, report)
    if not same(result, value):
        kind = "rounding" if rounding[0] else "arithmetic"
        report.add(line, kind, f"`{figures or formula}` is {shown(result)}, not {text} ({step.what})")
        return
    report.count("line: figures")


def rounded_value(result: Value, mode: str, to: str, line: int, report: Report) -> Value:
    """A value rounded as the text says."""
    unit = number(to)
    if isinstance(unit, Span):
        unit = unit.count
    report.count("line: rounding")
    if isinstance(result, Fraction) and isinstance(unit, Fraction):
        return rounded(result, unit, mode)
    if isinstance(result, Near) and isinstance(unit, Fraction):
        ends = {rounded(result.low, unit, mode), rounded(result.high, unit, mode)}
        return ends.pop() if len(ends) == 1 else result
    report.add(line, "unreadable", f"{shown(result)} cannot be rounded to {to}")
    return UNKNOWN


def check_row(item: Item, row: Row, scope: Scope, report: Report) -> None:
    """Redoes a step for one row of a list."""
    step = Step(scope, report, row.line, f"{item.name} of row {row.key}")
    clause = row.clause
    step.tell([*item.told, *row.notes], [clause if clause != "otherwise" else "", row.formula])
    text = row.text
    if clause and clause != "otherwise":
        text = row_condition(step, clause, text, row.line)
    exact = ""
    rounding = ("", "")
    if text.endswith("->"):
        text = text.removesuffix("->").strip()
        text, exact = split_exact(text)
        mode, _, to = item.one("rounded").partition(" to ")
        rounding = (mode, to) if to else ("spread", "")
    elif not row.value:
        text, exact = split_exact(text)
    value = bare(printed(row.value or exact))
    if is_spread(row.formula):
        from .spreads import check_row_spread

        check_row_spread(step, row, text, exact)
        return
    shown_value = row.value or exact
    whole = [c for c in step.sources.called if c.call == row.formula]
    if not whole and text and is_call(row.formula) and number(text) is None:
        own = reading.called(Told("over", text, row.line), row.formula, [])
        if own is not None:
            step.sources.called.append(own)
            text = ""
    check_figures(step, row.formula, text, exact, rounding, value, shown_value, row.line, constant=shown_value)


def is_call(formula: str) -> bool:
    """Whether a formula is one call over rows and nothing else."""
    try:
        tree = read(formula)
    except NotReadable:
        return False
    return tree.kind == "method" or (tree.kind == "call" and tree.text not in OF_SCHEDULES and is_lookup(tree))


def row_condition(step: Step, clause: str, text: str, line: int) -> str:
    """The figures of the condition, which stand in brackets before those of the formula; what is left."""
    if text.startswith("("):
        depth = 0
        for at, char in enumerate(text):
            depth += (char == "(") - (char == ")")
            if depth == 0:
                filled = step.filled(clause, text[1:at])
                if filled is not None:
                    step.condition(f"{clause}  ({text[1:at]})", line, holds=True)
                    return text[at + 1 :].strip()
                break
    step.condition(clause, line, holds=True)
    return text


def split_exact(text: str) -> tuple[str, str]:
    """`figures = exact` as two; only the exact value where there are no figures."""
    both = re.fullmatch(r"(?:(.*) = )?(-?\d+/\d+ = -?[\d,]+\.\d+\.\.(?:%| per day| days)?)", text.strip())
    if both:
        return both[1] or "", both[2]
    left, sign, right = text.rpartition(" = ")
    return (left.strip(), right.strip()) if sign else ("", text.strip())


FIGURES = re.compile(rf"(?<![\w.-])-?{DIGITS}%?")

__all__ = ["Step", "check_figures", "check_item", "check_row"]
