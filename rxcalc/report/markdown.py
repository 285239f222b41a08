"""Explanations as Markdown (CommonMark with tables): one heading for each step, tables for bands, rows and shares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rxcalc.report.model import Explanation
from rxcalc.report.outline import build
from rxcalc.report.outline_model import (
    Bands,
    Block,
    Facts,
    Item,
    Listing,
    Outline,
    Paragraph,
    Part,
    Rows,
    Section,
    Shares,
    Table,
    Told,
)
from rxcalc.report.phrases import phrase, word

_SIGNS: Final = re.compile(r"([\\`*_{}\[\]<>|~$])")
_AT_START: Final = re.compile(r"^(?:#{1,6}|[+-]|\d{1,9}[.)])(?=\s|$)|^[=-]+$")
_BREAKS: Final = re.compile(r"[\s\x00-\x1f\x7f\u0085\u2028\u2029]+")
_CODE: Final = frozenset({"formula", "figures", "tested", "clause"})
DEEPEST: Final = 6


def render(x: Explanation, *, language: str = "en", detail: str = "steps") -> str:
    """The explanation as Markdown. `detail`: brief (result and shares), steps, full (also clauses that did not apply)."""
    return lay_out(build(x, language, detail))


def lay_out(outline: Outline) -> str:
    """An outline as Markdown, ending with a line break."""
    lines = [f"# {text(outline.title)}", ""]
    lines += [f"- {text(version)}" for version in outline.versions]
    lines += [""] * bool(outline.versions)
    for section in outline.sections:
        lines += _Page(outline.language).section(section, 2)
    return "\n".join(_single_gaps(lines)).strip("\n") + "\n"


def text(given: str) -> str:
    """A text as one line in which no sign has a meaning of its own."""
    flat = _BREAKS.sub(" ", given).strip().replace("&", "&amp;")
    return _AT_START.sub(lambda m: f"{m[0][:-1]}\\{m[0][-1]}", _SIGNS.sub(r"\\\1", flat))


def code(given: str, *, in_table: bool = False) -> str:
    """A text as code, whatever backticks it holds; in a table a bar is escaped, which tables take back."""
    flat = _BREAKS.sub(" ", given).strip()
    if not flat:
        return ""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    space = " " if flat.startswith("`") or flat.endswith("`") else ""
    written = f"{fence}{space}{flat}{space}{fence}"
    return written.replace("|", "\\|") if in_table else written


def table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """A table of cells that are Markdown already; `align` holds `l` or `r` per column."""
    marks = {"l": ":--", "r": "--:"}
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(marks[a] for a in align)} |"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


class _Page:
    def __init__(self, language: str) -> None:
        self.language = language
        self.otherwise = word("otherwise", language)

    def phrase(self, key: str) -> str:
        return phrase(key, self.language)

    def section(self, section: Section, depth: int) -> list[str]:
        title = section.title
        lines = [*self.heading(title, depth), ""] if title else []
        for block in section.blocks:
            lines += [*self.block(block, section, depth + bool(title)), ""]
        for inner in section.sections:
            lines += self.section(inner, depth + 1)
        return lines

    def heading(self, title: str, depth: int) -> list[str]:
        return [f"{'#' * min(depth, DEEPEST)} {text(title)}"]

    def block(self, block: Block, section: Section, depth: int) -> list[str]:
        match block:
            case Paragraph(tone=""):
                return [text(block.text)]
            case Paragraph():
                return [f"> **{text(block.text)}**"]
            case Listing():
                return [f"- {code(item)}" for item in block.items]
            case Facts() if section.key == "sources":
                return [f"- {text(f'{f.label} [{f.value}]' if f.value else f.label)}" for f in block.rows]
            case Facts():
                return self.facts(block)
            case Table():
                return self.rows_at_a_glance(block)
            case Shares():
                return self.shares(block)
            case Item():
                return self.item(block, section, depth)

    # ---- facts, tables, shares ----

    def facts(self, block: Facts) -> list[str]:
        rows = [
            [text(f.label), text(f.value), *([text(f.working)] if any(o.working for o in block.rows) else [])]
            for f in block.rows
        ]
        if not rows:
            return []
        align = ("lr" if block.amounts else "ll") + "l" * (len(rows[0]) - 2)
        head = [self.phrase("item"), self.phrase("amount" if block.amounts else "value"), self.phrase("figures")]
        return table(head[: len(align)], rows, align)

    def rows_at_a_glance(self, block: Table) -> list[str]:
        head = [text(c.label) for c in block.columns]
        rows = [[text(cell) for cell in row] for row in block.rows]
        return table(head, rows, "".join("r" if c.is_number else "l" for c in block.columns))

    def shares(self, block: Shares) -> list[str]:
        lines = [text(w) for w in block.working]
        head = [
            self.phrase("bearer"),
            self.phrase("part"),
            self.phrase("amount"),
            self.phrase("reason_code"),
            self.phrase("figures"),
        ]
        rows: list[list[str]] = []
        before = ""
        for part in block.parts:
            bearer = part.bearer_label if part.bearer_label != before else ""
            before = part.bearer_label
            working = "<br>".join(code(w, in_table=True) for w in part.working)
            rows.append([text(bearer), text(part.label), text(part.amount), text(part.reason), working])
        if not any(row[4] for row in rows):
            lines += table(head[:4], [row[:4] for row in rows], "llrl")
            return [*lines, *(["", text(block.zeros)] if block.zeros else [])]
        return [*lines, *([""] if lines else []), *table(head, rows, "llrll")]

    # ---- items ----

    def item(self, item: Item, section: Section, depth: int) -> list[str]:
        label = f"{item.label}, {item.qualifier}" if item.qualifier else item.label
        name = f" {code(item.name)}" if item.name else ""
        value = f": **{text(item.value)}**" if item.value else ""
        lines: list[str] = []
        if section.key in ("findings", "windows"):
            title = code(label) if section.key == "windows" else text(label)
            lines += [f"**{title}**{value}" if section.key == "findings" else f"{title}{value}", ""]
        elif label:
            lines += [f"{'#' * min(depth, DEEPEST)} {text(label)}{name}{value}", ""]
        for part in item.parts:
            lines += self.part(part)
        return lines

    def part(self, part: Part) -> list[str]:
        match part:
            case Told(sentence=True):
                return [f"- {text(part.line)}"]
            case Told():
                said = code(part.text) if part.key in _CODE and part.text != self.otherwise else text(part.text)
                return [f"- {text(part.title)}: {said}"]
            case Bands():
                return ["", *self.bands(part)]
            case Rows():
                return ["", *self.figures(part)]

    def bands(self, b: Bands) -> list[str]:
        rows: list[list[str]] = []
        for r in b.rows:
            rate = f"{r.rate} ({b.mapped} {r.given})" if r.given else r.rate
            amount = f"{r.exact} -> {r.amount}" if r.exact else r.amount
            rows.append([text(cell) for cell in (r.low, r.high, r.length, rate, amount)])
        return table([text(h) for h in b.head], rows, "rrrrr")

    def figures(self, part: Rows) -> list[str]:
        rows: list[list[str]] = []
        for row in part.rows:
            told = "<br>".join([*([code(row.text, in_table=True)] if row.text else []), *map(text, row.notes)])
            rows.append([text(row.key), told, text(row.value)])
        return table([self.phrase("row"), self.phrase("figures"), self.phrase("value")], rows, "llr")


def _single_gaps(lines: Sequence[str]) -> Iterator[str]:
    """Lines without two empty ones in a row."""
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line
