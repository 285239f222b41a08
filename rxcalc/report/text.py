"""Explanations as plain text for a terminal, at any width from 60 columns."""

from __future__ import annotations

from rxcalc.report.explanation import BandsFigures, Explanation, PartitionLine, ShareLine, StepLine, Used
from rxcalc.report.layout import indented, left_pad, pad, table, width, wrap
from rxcalc.report.phrases import phrase, word


def render(x: Explanation, *, language: str = "en", detail: str = "steps", columns: int = 80) -> str:
    """The explanation as text. `detail`: brief (result and shares), steps, full (also clauses that did not apply)."""
    columns = max(60, min(columns, 120))
    lines = _head(x, columns)
    if detail != "brief" or x.problem is not None:
        for step in x.steps:
            lines += ["", *_step(step, language, detail, columns)]
    if x.problem is not None:
        code = f"{phrase('refused', language)} {x.problem.code}: "
        lines += ["", *wrap(code + x.problem.message, columns)]
    if x.outputs and (detail == "brief" or not x.shares) and x.problem is None:
        labels = {s.name: s.label for s in x.steps}
        rows = [[f"  {labels.get(name, name)}", _grouped(value)] for name, value in x.outputs]
        lines += ["", phrase("results", language), *table(rows, "lr", 3)]
    for partition in x.shares:
        lines += ["", *_partition(partition, language, detail, columns)]
    if x.totals:
        rows = [[f"  {name}", _grouped(amount)] for name, amount in x.totals]
        lines += ["", phrase("totals", language), *table(rows, "lr", 3)]
    if x.windows and detail != "brief":
        lines += ["", phrase("windows", language)]
        for w in x.windows:
            seen = ", ".join(w.episodes) or ("" if w.opening else phrase("none_before", language))
            also = phrase("opening", language) if w.opening else ""
            told = "; ".join(t for t in (seen, also) if t)
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


def _head(x: Explanation, columns: int) -> list[str]:
    title = f"{x.title or x.rulebook} ({x.rulebook} {x.version})"
    lines = wrap(title, columns)
    lines.append("=" * min(columns, max(width(line) for line in lines)))
    rows = [[f"  {label}", value] for _, label, value in x.episode if value != "missing"]
    return [*lines, *table(rows, "ll", 3)]


def _step(s: StepLine, language: str, detail: str, columns: int) -> list[str]:
    label = s.label if s.label == s.name else f"{s.label} [{s.name}]"
    gap = columns - width(label) - width(s.shown)
    lines = [f"{label}{' ' * gap}{s.shown}"] if gap >= 2 else [*wrap(label, columns), left_pad(s.shown, columns)]

    def add(key: str, text: str) -> None:
        if text:
            lines.extend(indented(phrase(key, language), text, columns, label_width=10))

    if detail == "full":
        for n in s.not_applied:
            add("not_applied", f"{n.condition}  ({n.figures})" if n.figures != n.condition else n.condition)
    if s.clause and s.clause != "otherwise":
        add("clause", f"{s.clause}  ({s.clause_figures})" if s.clause_figures != s.clause else s.clause)
    elif s.clause:
        add("clause", word(s.clause, language))
    add("because", s.because)
    if s.formula != s.shown:
        add("formula", s.formula)
    for bands in s.bands:
        lines.extend(_bands(bands, language, columns))
    if s.figures != s.formula:
        add("figures", s.figures)
    if s.exact is not None:
        add("exact", f"{s.exact}{', ' + s.rounding if s.rounding else ''}")
    for used in s.used:
        add("uses", _used(used, language))
    if s.cite:
        add("source", "; ".join(s.cite) + (f" [{word(s.status, language)}]" if s.status else ""))
    if detail == "full":
        add("note", " ".join(s.note.split()))
        add("place", f"{s.file}:{s.line}")
    return lines


def _used(u: Used, language: str) -> str:
    value = f" = {u.value}" if u.value else ""
    about = [f"{phrase('since', language)} {u.since}" if u.since else "", word(u.status, language), "; ".join(u.cite)]
    told = ", ".join(a for a in about if a)
    return f"{u.name}{value}{f' ({told})' if told else ''}"


def _bands(b: BandsFigures, language: str, columns: int) -> list[str]:
    rows: list[list[str]] = []
    for line in b.lines:
        mapped = f"({phrase('rate_from', language)} {line.given})" if line.given else ""
        rows.append([line.low, "..", line.high, ":", line.length, "*", line.rate, "=", line.amount, mapped])
    lead = pad("  " + phrase("bands", language), 12)
    body = table(rows, "rlrlrlrlrl", 1)
    if any(width(lead + line) > columns for line in body):
        body = table([[r[4], r[5], r[6], r[7], r[8]] for r in rows], "rlrlr", 1)
    return [(lead if at == 0 else " " * 12) + line for at, line in enumerate(body)]


def _partition(p: PartitionLine, language: str, detail: str, columns: int) -> list[str]:
    title = f"{phrase('shares', language)} {phrase('of', language)} {p.amount}"
    if p.label != p.name or p.name != "bill":
        title += f" ({p.label})"
    rows: list[list[str]] = []
    before = ""
    for part in p.parts:
        bearer = part.bearer_label if part.bearer_label != before else ""
        before = part.bearer_label
        rows.append([f"  {bearer}", part.label, part.shown, part.reason])
    lines = [title]
    indent = 4 + max((width(r[0]) for r in rows), default=0)
    for line, part in zip(table(rows, "llrl", 2), p.parts, strict=True):
        lines.append(line)
        if detail != "brief":
            lines.extend(" " * indent + told for told in _working(part, p, language, columns - indent))
    return lines


def _working(part: ShareLine, p: PartitionLine, language: str, columns: int) -> list[str]:
    """How a part's amount comes about: its formula with figures, or for `rest` what the others leave."""
    if part.formula == "rest":
        others = [other.shown for other in p.parts if other is not part]
        return wrap(f"= {phrase('rest', language)}: " + " - ".join([p.amount, *others]), columns)
    figures = f" = {part.figures}" if part.figures and part.figures not in (part.formula, part.shown) else ""
    return wrap(f"= {part.formula}{figures}", columns)


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
