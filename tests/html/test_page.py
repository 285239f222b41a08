"""The page without a browser: well formed, self-contained, in order, and deaf to hostile texts."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from rxcalc.report.folds import folds
from rxcalc.report.html import Facts, page
from rxcalc.report.outline_model import Column, Item, Paragraph, Section, Shares, Table, Told


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rxcalc_html_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = _load("checks")
SAMPLE = _load("sample")
FACTS = Facts("BILL-1", "fictional", "CNY")


def test_a_page_is_well_formed_and_holds_everything_itself() -> None:
    html = page([(SAMPLE.sample(), FACTS)], language="en", version="1")
    assert CHECKS.complaints(html) == []
    assert html.startswith("<!DOCTYPE html>")


def test_several_bills_have_ids_of_their_own() -> None:
    html = page(
        [(SAMPLE.sample(), FACTS), (SAMPLE.sample(), replace(FACTS, name="BILL-2"))], language="zh", version="1"
    )
    assert CHECKS.complaints(html) == []
    assert 'id="bill-2-step-fund_pays"' in html
    assert 'href="#bill-2-step-deductible_due"' in html
    assert '<html lang="zh-Hans">' in html


@pytest.mark.parametrize("text", SAMPLE.HOSTILE)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_texts_change_nothing_but_the_text(text: str, language: str) -> None:
    """Every label, value, id of a bill, citation and reason code at once; the elements stay what they were."""
    harmless = "".join(" " if c.isspace() else "中" if "\u2e80" < c < "\ud800" else "x" for c in text)
    plain = page(
        [(SAMPLE.hostile(SAMPLE.sample(), harmless), replace(FACTS, name="x"))], language=language, version="1"
    )
    facts = Facts(text, "fictional", text)
    html = page([(SAMPLE.hostile(SAMPLE.sample(), text), facts)], language=language, version=text)
    assert CHECKS.complaints(html) == []
    assert CHECKS.skeleton(html) == CHECKS.skeleton(plain)
    cleaned = re.sub("[\x00-\x08\x0e-\x1f\ud800-\udfff\ufffe]", "\ufffd", text)
    assert cleaned in "".join(CHECKS.parse(html).itertext())
    html.encode("utf-8")


def test_results_of_a_bill_without_shares_are_shown_with_hostile_texts_too() -> None:
    outline = SAMPLE.sample()
    outline = replace(outline, sections=tuple(s for s in outline.sections if s.key != "shares"))
    html = page([(outline, replace(FACTS, results=(("<b>Rate", "<i>57%"),)))], language="en", version="1")
    assert CHECKS.complaints(html) == []
    assert "&lt;i&gt;57%" in html


def test_the_policy_lets_nothing_but_its_own_style_sheet_through() -> None:
    html = page([(SAMPLE.sample(), FACTS)], language="en", version="1")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy[1] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "http" not in style
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize(
    ("status", "mark"), [("fictional", "FICTIONAL"), ("illustrative", "ILLUSTRATIVE"), ("unmarked", "NOT MARKED")]
)
def test_the_status_stands_at_the_head_at_the_end_and_on_every_printed_page(status: str, mark: str) -> None:
    html = page([(SAMPLE.sample(), replace(FACTS, status=status))], language="en", version="1")
    head, _, _ = html.partition('class="verdict"')
    assert f'class="banner {status}"' in head
    assert html.count(f"<strong>{mark}</strong>") == 2
    assert f'@top-left {{ content: "{mark}' in html
    sure = page([(SAMPLE.sample(), replace(FACTS, status=""))], language="en", version="1")
    assert 'class="banner' not in sure
    assert '@top-left { content: "";' in sure


def test_the_result_comes_before_what_it_was_computed_from() -> None:
    html = page([(SAMPLE.sample(), FACTS)], language="en", version="1")
    places = [
        html.index(f'id="{i}"')
        for i in ("verdict", "shares-bill", "contents", "totals", "findings", "facts", "list-lines", "steps")
    ]
    assert places == sorted(places)


def test_names_in_formulas_lead_to_their_steps() -> None:
    html = page([(SAMPLE.sample(), FACTS)], language="en", version="1")
    assert '<a href="#step-deductible_due">deductible_due</a> .. total_cost' in html
    assert '<a href="#list-lines-kept">lines.kept</a>' in html
    item = Item(
        "step-a",
        "A",
        "a",
        "1",
        (Told("formula", "formula", "a + b(c) + c2 + c + a.b + cc"), Told("figures", "figures", "c")),
    )
    others = (Item("step-b", "B", "b", "1", ()), Item("step-c", "C", "c", "1", ()))
    outline = replace(SAMPLE.sample(), sections=(Section("steps", "steps", "Steps", (item, *others)),))
    text = page([(outline, FACTS)], language="en", version="1")
    assert 'a + b(<a href="#step-c">c</a>) + c2 + <a href="#step-c">c</a> + a.b + cc</span>' in text
    assert text.count('<a href="#step-c">c</a>') == 2  # not in the figures


def test_many_steps_are_closed_on_the_screen_but_findings_are_not() -> None:
    steps = tuple(Item(f"step-s{n}", f"S {n}", f"s{n}", "1.00", (Told("formula", "formula", "x"),)) for n in range(80))
    outline = SAMPLE.sample()
    outline = replace(
        outline,
        sections=(Section("steps", "steps", "Steps", steps), *(s for s in outline.sections if s.key == "findings")),
    )
    html = page([(outline, FACTS)], language="en", version="1")
    assert html.count('<details class="item "') == 80
    assert html.count(" open>") == 1


def test_a_block_that_no_template_prints_is_not_left_out_in_silence() -> None:
    outline = replace(SAMPLE.sample(), sections=(Section("new", "steps", "New", (object(),)),))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no template prints object"):
        page([(outline, FACTS)], language="en", version="1")


def test_a_wide_table_is_folded_with_the_rows_place_in_front() -> None:
    columns = [Column("no", "Line", "order", is_number=True, is_money=False)]
    columns += [Column(f"c{n}", f"Column {n}", "input", is_number=False, is_money=False) for n in range(12)]
    rows = tuple((str(r), *(f"value {r} {n}" for n in range(12))) for r in range(3))
    found = folds(Table("Lines", tuple(columns), rows))
    assert len(found) == 2
    assert [c.name for t in found for c in t.columns if c.kind != "order"] == [f"c{n}" for n in range(12)]
    assert all(t.columns[0].name == "no" and [row[0] for row in t.rows] == ["0", "1", "2"] for t in found)
    assert [cell for t in found for cell in t.rows[1][1:]] == list(rows[1][1:])
    whole = Table("Lines", tuple(columns[:5]), tuple(row[:5] for row in rows))
    assert folds(whole) == (whole,)
    only = Table("Lines", tuple(columns[:1]), tuple(row[:1] for row in rows))
    assert folds(only) == (only,)
    monster = Table("Lines", tuple(columns[:3]), (("1", "x" * 500, "y z " * 90),))
    assert len(folds(monster)) == 1


def test_findings_stand_with_the_result() -> None:
    html = page([(SAMPLE.sample(), FACTS)], language="en", version="1")
    notices = html.partition('class="notices"')[2].partition("</ul>")[0]
    assert '<a href="#finding-1">sold above its purchase price</a> <span class="value">17.50</span>' in notices


def test_a_refused_bill_says_so_first_and_has_no_result() -> None:
    sections = [s for s in SAMPLE.sample().sections if s.key in ("facts", "steps")]
    refusal = Section("refusal", "refusal", "", (Paragraph("REFUSED RX801: the parts do not add up", "refusal"),))
    html = page(
        [(replace(SAMPLE.sample(), sections=(*sections, refusal)), replace(FACTS, refused=True))],
        language="en",
        version="1",
    )
    assert CHECKS.complaints(html) == []
    assert "<title>Bill BILL-1: not computed</title>" in html
    assert 'class="verdict"' not in html
    assert html.index("RX801") < html.index('id="facts"') < html.index('id="steps"')


def test_a_reversal_has_a_table_and_says_why_it_has_no_chart() -> None:
    parts = (SAMPLE.share("fund", "Insurance fund", "-285.00"), SAMPLE.share("patient", "Deductible", "-215.00"))
    shares = Section("shares-bill", "shares", "Who bears each yuan of -500.00", (Shares("bill", "-500.00", parts),))
    told = Section("reversal", "reversal", "", (Paragraph("This episode REVERSES A-1.", "reversal"),))
    outline = replace(SAMPLE.sample(), sections=(told, shares))
    html = page([(outline, replace(FACTS, reverses=True))], language="en", version="1")
    assert CHECKS.complaints(html) == []
    assert "<svg" not in html
    assert "No chart: this amount is negative." in html
    assert {"-500.00", "-285.00", "-215.00"} <= CHECKS.amounts(html)
    assert ">57.0%<" in html


def test_that_something_was_set_by_hand_stands_above_the_shares() -> None:
    outline = SAMPLE.sample()
    told = Section("set_by_hand", "set_by_hand", "", (Paragraph("level: set by hand, not from the file"),))
    html = page([(replace(outline, sections=(*outline.sections, told)), FACTS)], language="en", version="1")
    assert html.index("set by hand") < html.index('id="shares-bill"')
