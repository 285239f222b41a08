"""Outlines made by hand: one with every kind of block, and the same with hostile texts."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from rxcalc.report.outline_model import (
    BandRow,
    Bands,
    Column,
    Fact,
    Facts,
    Item,
    Outline,
    Paragraph,
    RowFigures,
    Rows,
    Section,
    Share,
    Shares,
    Table,
    Told,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=http://evil.example/x.png onerror=alert(2)>",
    "</style><style>@import url(http://evil.example/x.css)</style>",
    "</title></svg></table></details><iframe src=javascript:alert(3)></iframe>",
    "javascript:alert(4)",
    "<svg onload=alert(5)><a xlink:href=javascript:alert(6)>x</a>",
    "{{ 7 * 7 }}{% for x in y %}{{ config }}",
    "<!--", "]]>", "&lt;b&gt; &amp;amp; &#x3c;",
    "a\x00b\x07c\ud800d\ufffee\u202eevil\u2066",
    "<base href=http://evil.example/><meta http-equiv=refresh content='0;url=http://evil.example'>",
    "x" * 400,
    "很长的标签" * 60,
)  # fmt: skip
# Codes of the program's own, ids that the outline keeps to letters, digits, - and _, and amounts that are computed with.
CODES = {
    (Section, "id"), (Section, "key"), (Item, "id"), (Item, "tone"), (Told, "key"), (Column, "kind"), (Paragraph, "tone"),
    (Share, "bearer"), (Share, "amount"), (Shares, "amount"), (Outline, "language"), (Outline, "detail"),
}  # fmt: skip


def share(bearer: str, label: str, amount: str, **more: Any) -> Share:
    names = {"fund": "Fund", "patient": "Patient", "hospital": "Hospital", "government": "Government", "other": "Other"}
    return Share(bearer, names[bearer], label, amount, **{"reason": "", "working": (), "source": "", **more})


def sample() -> Outline:
    """A bill with lines, bands, two partitions, a finding and an earlier episode."""
    columns = (
        Column("line_no", "Line", "order", is_number=True, is_money=False),
        Column("item", "Item", "input", is_number=False, is_money=False),
        Column("amount", "Amount", "input", is_number=True, is_money=True),
    )
    bands = Bands(
        "bands", ("from", "to", "length", "rate", "part"),
        (
            BandRow("0.00", "800.00", "800.00", "85%", "680.00", given="80%"),
            BandRow("800.00", "1,000.00", "200.00", "90%", "180.00", exact="179.999"),
        ),
        "from",
    )  # fmt: skip
    deductible = Item(
        "step-deductible_due", "Deductible", "deductible_due", "200.00",
        (
            Told("clause", "case", "level = county  (county = county)"),
            Told("formula", "formula", "min(total_cost, deductible[level])"),
            Told("not_applied", "Not applied", "referral transfer, because referral_chain is not known", sentence=True),
        ),
        qualifier="county hospital",
    )  # fmt: skip
    fund = Item(
        "step-fund_pays", "Fund", "fund_pays", "860.00",
        (Told("formula", "formula", "bands(rate, deductible_due .. total_cost) + lines.kept"), bands, Told("source", "source", "report, paragraph 2")),
    )  # fmt: skip
    kept = Item(
        "list-lines-kept", "Kept", "kept", "",
        (
            Told("formula", "formula", "amount - deductible_due"),
            Rows((RowFigures("1", "500.00 - 200.00", "300.00"), RowFigures("2", "700.00 - 200.00", "500.00", ("a note",)))),
        ),
    )  # fmt: skip
    finding = Item(
        "finding-1",
        "sold above its purchase price",
        "",
        "17.50",
        (Told("clause", "case", "fund_pays > 0"),),
        tone="error",
    )
    parts = (
        share("fund", "Insurance fund", "860.00", working=("= fund_pays",), source="report, paragraph 2"),
        share("patient", "Deductible", "200.00", reason="PR-1"),
        share("patient", "Co-payment", "139.99", reason="PR-2"),
        share("patient", "Reduction", "0.00"),
        share("hospital", "Rounding", "0.01", reason="CO-45"),
    )
    own = (share("patient", "Paid at discharge", "300.00"), share("government", "Waived", "40.00"))
    return Outline(
        "en",
        "full",
        "Sample insurance (sample 1)",
        ("sample 1: rulebook.yaml",),
        (
            Section(
                "facts",
                "facts",
                "The bill",
                (Facts((Fact("level", "Hospital level", "County"), Fact("total_cost", "Total cost", "1,200.00"))),),
            ),
            Section("status", "status", "", (Paragraph("Values are FICTIONAL.", "status"),)),
            Section(
                "list-lines",
                "list",
                "Lines",
                (Table("Lines: 2 rows", columns, (("1", "A", "500.00"), ("2", "B", "700.00"))), kept),
                (Section("list-lines-1", "rows", "Line 1", (Facts((Fact("amount", "Amount", "500.00"),)),)),),
            ),
            Section("steps", "steps", "Step by step", (deductible, fund)),
            Section("shares-bill", "shares", "Who bears each yuan of 1,200.00", (Shares("bill", "1,200.00", parts),)),
            Section("shares-collection", "shares", "Collection", (Shares("collection", "340.00", own),)),
            Section(
                "totals", "totals", "Totals", (Facts((Fact("fund_pays", "Fund", "860.00", "= 860.00"),), amounts=True),)
            ),
            Section("findings", "findings", "Findings", (finding,)),
            Section("assumptions", "assumptions", "Assumptions", (Paragraph("Nothing came before."),)),
        ),
    )


def hostile(node: Any, text: str) -> Any:
    """The same outline with `text` for every text that comes from a rulebook or a bill."""
    if isinstance(node, tuple):
        return tuple(hostile(n, text) for n in node)
    if isinstance(node, str):
        return text
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {
        f.name: hostile(getattr(node, f.name), text)
        for f in fields(node)
        if (type(node), f.name) not in CODES
        and not (f.name in ("reason", "qualifier", "name") and getattr(node, f.name) == "")
    }
    return replace(node, **changed)
