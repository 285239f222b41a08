"""Explanations as Markdown: tables that hold together and words without a meaning of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.driver.explain import explain_entry
from rxcalc.inputs.episodes import read_entry
from rxcalc.report.layout import width
from rxcalc.report.markdown import code, render, table, text
from rxcalc.report.model import Explanation
from rxcalc.rulebook.load import load_yaml

ROOT = Path(__file__).parents[2]
HOSTILE = "a | b * c _d_ `e` <script>alert(1)</script> [x](javascript:1) &amp; \\\\ ~~z~~"


def explained(book: Path, bill: Path, language: str = "en") -> Sequence[Explanation]:
    sink = Sink()
    compiled = compile_file(book, book.name, sink)
    assert compiled is not None, list(sink)
    node = load_yaml(bill, bill.name, sink)
    assert node is not None
    entry = read_entry(node, sink)
    assert entry is not None
    found = explain_entry(compiled.plan, entry, sink, language=language)
    assert isinstance(found, tuple), list(sink)
    return found


def tables(markdown: str) -> list[list[str]]:
    """The tables of a page: lines that begin with a bar and follow each other."""
    found: list[list[str]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [t for t in found if t]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("detail", ["brief", "steps", "full"])
@pytest.mark.parametrize(
    ("rulebook", "bill"), [("qin", "qin-lines"), ("beijing-employee", "beijing-year"), ("sanming", "sanming-transfer")]
)
def test_tables_hold_together(rulebook: str, bill: str, detail: str, language: str) -> None:
    """Every row of a table has as many cells as its head; headings descend one by one; no two gaps follow each other."""
    for x in explained(
        ROOT / "rulebooks" / rulebook / "rulebook.yaml", ROOT / "docs" / "bills" / f"{bill}.yaml", language
    ):
        page = render(x, language=language, detail=detail)
        assert page.startswith("# ")
        assert "\n\n\n" not in page
        assert tables(page)
        for rows in tables(page):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
            assert re.fullmatch(r"(\| (:--|--:) )+\|", rows[1])
        depths = [len(h) for h in re.findall(r"^(#+) ", page, re.MULTILINE)]
        assert all(b - a <= 1 for a, b in pairwise(depths))


def test_amounts_are_there() -> None:
    """The bill of 500.00 at a county hospital: 200.00 deductible, 95% of 300.00, the rest; and the mark-up of line 1."""
    (x,) = explained(ROOT / "rulebooks" / "qin" / "rulebook.yaml", ROOT / "docs" / "bills" / "qin-lines.yaml")
    page = render(x)
    assert "### Deductible, County `deductible_due`: **200.00**" in page
    assert "- figures: `300.00 * 95%`" in page
    assert "- source: Official Ladder, line 13 (S-01) \\[fictional\\]" in page
    assert "| Fund | Insurance fund | 285.00 |  | `= fund_pays` |" in page
    assert "|  | Co-payment | 15.00 | PR-2 | `= what is left: 500.00 - 285.00 - 200.00 - 0.00` |" in page
    assert "| Patient, in all \\[patient\\_pays\\] | 215.00 | = 200.00 + 15.00 + 0.00 |" in page
    assert "> **Values in this rulebook are partly or wholly FICTIONAL: not a real tariff.**" in page


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """Labels, because texts, titles and values with signs of Markdown or HTML neither run nor break a table."""
    quoted = HOSTILE.replace("\\\\", "\\\\\\\\").replace('"', "")
    book = f"""\
rxcalc: 1
rulebook: hostile
title: "# {quoted}"
version: "1"
currency: CNY
rounding: half-up
effective: {{from: 2025-01-01, by: day}}
sources: {{s: {{title: "{quoted}", status: sourced}}}}
inputs:
  episode_id: {{type: code, label: "{quoted}"}}
  day: {{type: date}}
  total: {{type: money}}
lines:
  inputs:
    n: {{type: count}}
    item: {{type: code, label: "two\\nlines | {quoted}"}}
  order: [n]
  steps: {{one: {{label: "{quoted}", cite: s, rule: "n * ¥1"}}}}
steps:
  half: {{label: "{quoted}", cite: "s#a | b", rule: "when total > ¥5 then total / 2 because \\"{quoted}\\"\\notherwise total"}}
checks:
  - {{when: total > ¥1, say: "{quoted}", severity: warn, amount: total}}
shares: {{bill: {{of: total, fund: {{p: {{is: half, label: "{quoted}", reason: "A|B"}}}}, patient: rest}}}}
"""
    (tmp_path / "rulebook.yaml").write_text(book, encoding="utf-8")
    bill = f'episode: {{episode_id: "{quoted}", day: 2025-02-01, total: 7.00}}\nlines: [{{n: 1, item: "x | `y`"}}]\n'
    (tmp_path / "bill.yaml").write_text(bill, encoding="utf-8")
    for x in explained(tmp_path / "rulebook.yaml", tmp_path / "bill.yaml"):
        page = render(x, detail="full")
        for rows in tables(page):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1, rows
        outside = re.sub(r"(`+).*?\1", "", page)
        assert "<script" not in outside.replace("\\<", "")
        assert "](javascript" not in outside.replace("\\]", "")
        assert page.count("\n# ") == 0


def test_escapes() -> None:
    """What begins a line or a mark is escaped, a number with a point in it is left alone."""
    assert text("1. first") == "1\\. first"
    assert text("1.50") == "1.50"
    assert text("- item") == "\\- item"
    assert text("-5.00") == "-5.00"
    assert text("# head") == "\\# head"
    assert text("a\nb\tc") == "a b c"
    assert text("===") == "==\\="
    assert code("a`b") == "``a`b``"
    assert code("`a`") == "`` `a` ``"
    assert code("a | b", in_table=True) == "`a \\| b`"
    assert table(["h"], [["x"]], "r") == ["| h |", "| --: |", "| x |", ""]
    assert width("| h |") == 5
