"""Audits as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rxcalc.report.audit_words import phrase
from rxcalc.report.audited import AuditView, CauseLine, RuleLine
from rxcalc.report.markdown_whatif import escaped
from rxcalc.report.phrases import word
from rxcalc.report.text_audit import told


def render(x: AuditView) -> str:
    """The audit as a Markdown page."""
    lines = [
        f"# {escaped(x.title)}",
        "",
        escaped(x.rulebook),
        "",
        f"## {phrase('amounts', x.language)}",
        "",
        *amounts(x),
    ]
    for text in (x.reversal, x.refused, x.told_patient, *x.contradictions, x.summary):
        lines += ["", escaped(text)] if text else []
    if x.first is not None:
        lines += ["", f"## {escaped(phrase('first', x.language, x.first.label))}", "", escaped(told(x))]
        lines += rule(x.rule, x.language) if x.rule is not None else []
    if x.tried:
        lines += ["", f"## {phrase('causes', x.language)}", "", escaped(x.tried), ""]
        lines += [_cause(c, f"{at}.", x.language) for at, c in enumerate(x.causes, start=1)]
        for note in (x.no_cause, x.only_one):
            lines += ["", escaped(note)] if note else []
    for key, causes in (("partly", x.partly), ("fitted", x.fitted)):
        if causes:
            lines += ["", f"### {phrase(key, x.language)}", "", *(_cause(c, "-", x.language) for c in causes)]
    lines += ["", x.more_partly] if x.more_partly else []
    lines += [line for note in x.unread for line in ("", escaped(note))]
    if x.checks:
        lines += ["", f"## {phrase('checks', x.language)}", "", *(f"- {escaped(c.text)}" for c in x.checks)]
    if x.assumptions:
        lines += ["", escaped(phrase("assumptions", x.language, ", ".join(x.assumptions)))]
    lines += sources(x)
    lines += ["", f"*{escaped(x.status)}*"] if x.status else []
    return "\n".join(lines) + "\n"


def amounts(x: AuditView, tell: Callable[[str], str] = escaped, *, strong: bool = True) -> list[str]:
    """The table of amounts; `tell` writes a text for Markdown, `strong` shows the first that differs in bold."""
    head = [phrase(k, x.language) for k in ("amount", "charged", "ours", "difference")]
    lines = [_row(head), "|---|---:|---:|---:|"]
    for a in x.amounts:
        apart = a.difference or a.verdict
        cells = [tell(t) for t in (a.label, a.charged, a.ours, apart)]
        lines.append(_row([f"**{c}**" if strong and a.is_first and c else c for c in cells]))
    return lines


def rule(found: RuleLine, language: str) -> list[str]:
    """How the rules come to an amount, and where that stands."""
    worked = found.worked(found.formula, found.figures, found.value, language)
    lines = ["", escaped(found.label) + " " + escaped(worked) if worked else escaped(found.label)]
    if found.because:
        lines[-1] += f" ({escaped(found.because)})"
    lines += [line for used in found.used for line in ("", escaped(used))]
    lines += ["", escaped(phrase("source", language, found.cite))] if found.cite else []
    return lines


def sources(x: AuditView) -> list[str]:
    """The sources that citations name, with their whole titles."""
    if not x.sources:
        return []
    lines = ["", f"## {phrase('sources', x.language)}", ""]
    for _, title, status in x.sources:
        mark = f" [{word(status, x.language)}]" if status else ""
        lines.append(f"- {escaped(title + mark)}")
    return lines


def _cause(c: CauseLine, mark: str, language: str) -> str:
    cite = phrase("source", language, c.cite) if c.cite else ""
    return f"{mark} " + " ".join(escaped(t) for t in (c.sentence, c.note, c.also, cite) if t)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
