"""Audits as plain text for a terminal."""

from __future__ import annotations

from rxcalc.report.audit_words import phrase
from rxcalc.report.audited import AuditView, CauseLine, RuleLine
from rxcalc.report.layout import fitted, indented, width, wrap
from rxcalc.report.phrases import word
from rxcalc.report.text_blocks import item_lines


def render(x: AuditView, *, columns: int = 80) -> str:
    """The audit as text."""
    columns = max(60, min(columns, 120))
    heading = wrap(phrase("heading", x.language, x.title, x.rulebook), columns)
    lines = [*heading, "=" * min(columns, max(width(line) for line in heading)), ""]
    lines += [phrase("amounts", x.language), *_amounts(x, columns)]
    for note in (x.reversal, x.refused, x.told_patient, *x.contradictions):
        lines += ["", *wrap(note, columns)] if note else []
    if x.summary:
        lines += ["", *wrap(x.summary, columns)]
    if x.first is not None:
        lines += ["", *wrap(phrase("first", x.language, x.first.label), columns)]
        lines += [f"  {line}" for line in wrap(told(x), columns - 2)]
        if x.rule is not None:
            lines += _rule(x.rule, x.language, columns)
    if x.tried:
        lines += ["", phrase("causes", x.language)]
        lines += [f"  {line}" for line in wrap(x.tried, columns - 2)]
        lines += [line for at, c in enumerate(x.causes, start=1) for line in _cause(c, f"{at}.", x.language, columns)]
        for note in (x.no_cause, x.only_one):
            lines += [f"  {line}" for line in wrap(note, columns - 2)] if note else []
    for key, causes in (("partly", x.partly), ("fitted", x.fitted)):
        if causes:
            lines += ["", *wrap(phrase(key, x.language), columns)]
            lines += [line for c in causes for line in _cause(c, "-", x.language, columns)]
    if x.more_partly:
        lines.append(f"  {x.more_partly}")
    lines += [line for note in x.unread for line in ["", *wrap(note, columns)]]
    if x.checks:
        lines += ["", phrase("checks", x.language)]
        lines += [line for check in x.checks for line in indented("-", check.text, columns, label_width=2)]
    if x.assumptions:
        lines += ["", *wrap(phrase("assumptions", x.language, ", ".join(x.assumptions)), columns)]
    if x.sources:
        lines += ["", phrase("sources", x.language)]
        for _, title, status in x.sources:
            mark = f" [{word(status, x.language)}]" if status else ""
            lines += indented("-", title + mark, columns, label_width=2)
    if x.status:
        lines += ["", *wrap(x.status, columns)]
    return "\n".join(lines) + "\n"


def told(x: AuditView) -> str:
    """The first difference in a sentence."""
    first = x.first
    if first is None:
        return ""
    if not first.ours:
        return f"{phrase('charged', x.language)} {first.charged}: {first.verdict}"
    if first.charged == word("missing", x.language):
        return phrase("not_charged", x.language, first.ours)
    if first.ours == word("missing", x.language):
        return phrase("none_by_rules", x.language, first.charged)
    if not first.sign or x.reversal:
        return phrase("charged_other", x.language, first.charged, first.ours)
    return phrase(
        "charged_is", x.language, first.charged, first.ours, first.difference[1:], phrase(first.sign, x.language)
    )


def _amounts(x: AuditView, columns: int) -> list[str]:
    head = [
        "  " + phrase("amount", x.language),
        *(phrase(k, x.language) for k in ("charged", "ours", "difference")),
        "",
    ]
    rows = [head]
    for a in x.amounts:
        mark = a.verdict if not a.difference or a.sign == "" or a.verdict == phrase("within", x.language) else ""
        ours = a.ours or a.verdict
        rows.append([f"  {a.label}", a.charged, ours, a.difference, "<--" if a.is_first else mark if a.ours else ""])
    return [line for row in fitted(rows, "lrrrl", 2, columns, 0) for line in row]


def _rule(rule: RuleLine, language: str, columns: int) -> list[str]:
    if rule.item is not None:
        return [f"  {line}" for line in item_lines(rule.item, columns - 2)]
    parts = [p for p in dict.fromkeys((rule.formula, rule.figures, rule.value)) if p]
    lines = [f"  {line}" for line in wrap(rule.label, columns - 2)]
    lines += [line for part in parts for line in indented("  =", part, columns, label_width=4)]
    if rule.cite:
        lines += [f"    {line}" for line in wrap(phrase("source", language, rule.cite), columns - 4)]
    return lines


def _cause(c: CauseLine, mark: str, language: str, columns: int) -> list[str]:
    text = ("" if language == "zh" else " ").join(t for t in (c.sentence, c.note, c.also) if t)
    lines = indented(mark, text, columns, label_width=len(mark) + 1)
    if c.cite:
        lines += indented("", phrase("source", language, c.cite), columns, label_width=len(mark) + 1)
    return lines
