"""Explanations as plain text for a terminal, at any width from 60 columns."""

from __future__ import annotations

from rxcalc.report.layout import fitted, indented, table, width, wrap
from rxcalc.report.model import Explanation
from rxcalc.report.phrases import phrase, word
from rxcalc.report.text_rows import check_lines, group_lines, list_lines
from rxcalc.report.text_steps import partition_lines, step_lines


def render(x: Explanation, *, language: str = "en", detail: str = "steps", columns: int = 80) -> str:
    """The explanation as text. `detail`: brief (result and shares), steps, full (also clauses that did not apply)."""
    columns = max(60, min(columns, 120))
    lines = [*_head(x, language, columns), *_reversal(x, language, columns)]
    if detail != "brief" or x.problem is not None:
        lines += _computed(x, language, detail, columns)
    if x.problem is not None:
        code = f"{phrase('refused', language)} {x.problem.code}: "
        lines += ["", *wrap(code + x.problem.message, columns)]
    if x.outputs and (detail == "brief" or not x.shares) and x.problem is None:
        labels = {s.name: s.label for s in x.steps}
        rows = [[f"  {labels.get(name, name)}", _grouped(value)] for name, value in x.outputs]
        lines += ["", phrase("results", language), *(line for row in fitted(rows, "lr", 3, columns, 0) for line in row)]
    for partition in x.shares:
        lines += ["", *partition_lines(partition, language, detail, columns)]
    if x.totals:
        rows = [[f"  {name}", _grouped(amount)] for name, amount in x.totals]
        lines += ["", phrase("totals", language), *table(rows, "lr", 3)]
    if x.checks:
        lines += ["", phrase("checks", language)]
        for check in x.checks:
            lines += check_lines(check, language, detail, columns)
    if x.incomplete:
        lines += ["", *wrap(phrase("group_incomplete", language).format(", ".join(x.incomplete)), columns)]
    if x.windows and detail != "brief":
        lines += ["", phrase("windows", language)]
        for w in x.windows:
            seen = ", ".join(w.episodes) or ("" if w.opening else phrase("none_before", language))
            also = phrase("opening", language) if w.opening else ""
            days = f"{phrase('since', language)} {w.since}" if w.since else ""
            days = f"{w.since} {phrase('until', language)} {w.until}" if w.until else days
            told = "; ".join(t for t in (seen, also, days) if t)
            lines += [f"  {line}" for line in wrap(f"{w.call} = {w.value} ({told})", columns - 2)]
    if x.assumptions:
        lines += ["", phrase("assumptions", language)]
        for call in x.assumptions:
            lines += [f"  {line}" for line in wrap(f"{call} {phrase('assumed', language)}", columns - 2)]
    if x.set_by_hand:
        lines += ["", *wrap(f"{', '.join(x.set_by_hand)}: {phrase('set_by_hand', language)}", columns)]
    if x.defaulted:
        lines += ["", *wrap(f"{', '.join(x.defaulted)}: {phrase('defaulted', language)}", columns)]
    if x.sources and detail != "brief":
        lines += ["", phrase("sources", language)]
        for name, title, status in x.sources:
            mark = f" [{word(status, language)}]" if status else ""
            lines += indented(name, title + mark, columns, label_width=2 + max(width(n) for n, _, _ in x.sources))
    lines += _status(x, language, columns)
    return "\n".join(lines) + "\n"


def _head(x: Explanation, language: str, columns: int) -> list[str]:
    title = f"{x.title or x.rulebook} ({x.rulebook} {x.version})"
    lines = wrap(title, columns)
    lines.append("=" * min(columns, max(width(line) for line in lines)))
    rows = [[f"  {label}", value] for _, label, value in x.episode if value != word("missing", language)]
    return [*lines, *(line for row in fitted(rows, "ll", 3, columns, 1) for line in row)]


def _reversal(x: Explanation, language: str, columns: int) -> list[str]:
    """That the results are another episode's, with the sign changed, and whose results would differ without it."""
    if not x.reverses:
        return []
    lines = ["", *wrap(phrase("reverses", language).format(x.reverses), columns)]
    if x.affected:
        lines += wrap(f"{phrase('affected', language)} {', '.join(x.affected)}", columns)
    return lines


def _computed(x: Explanation, language: str, detail: str, columns: int) -> list[str]:
    """What the amounts were computed from: lists and their groups, the steps of the episode, groups across bills."""
    lines: list[str] = []
    placed = bool(x.bases)
    for found in x.lists:
        lines += ["", *list_lines(found, language, detail, columns, placed=placed)]
    for group in x.groups:
        if group.inside:
            lines += ["", *group_lines(group, language, detail, columns, placed=placed)]
    for step in x.steps:
        lines += ["", *step_lines(step, language, detail, columns, placed=placed)]
    across = [g for g in x.groups if not g.inside]
    if across:
        lines += ["", phrase("groups", language)]
    for group in across:
        lines += ["", *group_lines(group, language, detail, columns, placed=placed)]
    return lines


def _status(x: Explanation, language: str, columns: int) -> list[str]:
    key = f"status_{x.status}"
    if x.status in ("fictional", "illustrative", "unmarked"):
        return ["", *wrap(phrase(key, language), columns)]
    return []


def _grouped(amount: str) -> str:
    head, dot, tail = amount.partition(".")
    if not head.removeprefix("-").isdigit():
        return amount
    sign = "-" if head.startswith("-") else ""
    return f"{sign}{int(head.removeprefix('-')):,}{dot}{tail}"
