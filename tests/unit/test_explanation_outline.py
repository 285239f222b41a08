"""The outline of an explanation: order of the bill, what a step holds for, citations, earlier episodes, figures to redo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rxcalc.cli.main import cli
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.driver.explain import explain_entry
from rxcalc.inputs.episodes import read_entry
from rxcalc.report.html import render as as_html
from rxcalc.report.layout import width, wrap
from rxcalc.report.markdown import render as as_markdown
from rxcalc.report.outline import build
from rxcalc.report.outline_model import Bands, Item, Outline, Section, Told
from rxcalc.report.outline_steps import is_zero, joined, short_title
from rxcalc.report.text import render
from rxcalc.rulebook.load import load_yaml

BOOK = """\
rxcalc: 1
rulebook: clinic
title: {en: A clinic, zh: 门诊}
version: "7"
status: illustrative
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharge_date}
sources:
  act: {title: {en: The health act, zh: 医保法}, status: sourced}
  long: {title: "A very long title of a report (with an aside), printed by somebody in 2024", status: illustrative}
inputs:
  episode_id: {type: code, label: {en: Visit, zh: 就诊号}}
  person_id: {type: code}
  discharge_date: {type: date, label: {en: Day, zh: 日期}}
  level: {one_of: {low: {label: {en: county hospital, zh: 县医院}}, high: {label: {en: city hospital, zh: 市医院}}}, label: {en: Level, zh: 级别}}
  total: {type: money, label: {en: Total, zh: 总额}}
  balance: {type: money, min: -1000, label: {en: Balance, zh: 余额}}
sequence: {by: person_id, order: [discharge_date, episode_id]}
windows: {year: {calendar: year, date: discharge_date}}
parameters:
  deductible: {type: money, by: [level], cite: act#paragraph 2, values: {2025-01-01: {low: 200, high: 400}}}
  full: {type: money, values: {2025-01-01: 100}}
  rate:
    type: bands of percent over money
    cite: "long#p. 3"
    values: {2025-01-01: [{to: 21 / 11 * full, is: 50%}, {is: 100%}]}
steps:
  pays:
    label: {en: Paid by the fund, zh: 基金支付}
    rule: counted * 80% - balance
    round: {to: 0.1, mode: down}
  counted:
    label: {en: Counted, zh: 计入}
    rule: max(0, total - due)
  due:
    label: {en: Deductible, zh: 起付线}
    cite: [act#paragraph 2, act#paragraph 5, "long#p. 3"]
    rule: min(total, deductible[level])
  before:
    label: {en: Before, zh: 此前}
    rule: year.sum(pays) + year.sum(pays)
  banded:
    round: none
    rule: bands(rate, total)
  aside:
    rule: -balance
shares: {bill: {of: total, fund: {pool: {is: "max(0, min(total, pays))", label: {en: The fund, zh: 基金}}}, patient: {own: rest, third: {is: 0}}}}
outputs: [pays, due]
"""

BILLS = """\
earlier:
  - episode: {episode_id: A, person_id: P, discharge_date: 2025-02-01, level: low, total: 300.00, balance: 0}
  - episode: {episode_id: B, person_id: P, discharge_date: 2025-03-01, level: high, total: 1000.00, balance: -10.00}
episode: {episode_id: C, person_id: P, discharge_date: 2025-04-01, level: low, total: 300.01, balance: -5.05}
"""


def explained(folder: Path, *, language: str = "en", book: str = BOOK, bills: str = BILLS) -> Any:
    """The explanation of the last bill."""
    (folder / "rulebook.yaml").write_text(book, encoding="utf-8")
    (folder / "bill.yaml").write_text(bills, encoding="utf-8")
    sink = Sink()
    compiled = compile_file(folder / "rulebook.yaml", "clinic/rulebook.yaml", sink)
    assert compiled is not None, list(sink)
    node = load_yaml(folder / "bill.yaml", "bill.yaml", sink)
    assert node is not None
    entry = read_entry(node, sink)
    assert entry is not None
    found = explain_entry(compiled.plan, entry, sink, language=language)
    assert isinstance(found, tuple), list(sink)
    return found[-1]


def items(sections: Sequence[Section]) -> Iterator[Item]:
    for section in sections:
        yield from (b for b in section.blocks if isinstance(b, Item))
        yield from items(section.sections)


def item(outline: Outline, name: str) -> Item:
    return next(i for i in items(outline.sections) if name in (i.name, i.label))


def said(found: Item, key: str) -> list[str]:
    return [p.text for p in found.parts if isinstance(p, Told) and p.key == key]


def test_steps_follow_the_file_but_never_come_before_what_they_read(tmp_path: Path) -> None:
    """`pays` is written first and reads `counted`, which reads `due`: each comes right before its reader; the rest as written."""
    x = explained(tmp_path)
    order = ["due", "counted", "pays", "before", "banded", "aside"]
    assert [s.name for s in x.steps] == order
    args = ["explain", str(tmp_path / "bill.yaml"), "-r", str(tmp_path / "rulebook.yaml"), "--format", "json"]
    data = json.loads(CliRunner().invoke(cli, args, catch_exceptions=False).stdout)
    assert [s["name"] for s in data["steps"]] == order


def test_a_step_says_what_its_value_holds_for_and_where_it_stands(tmp_path: Path) -> None:
    """The labels of the keys that decided, and sources by title; of two places of one source the title once."""
    due = item(build(explained(tmp_path)), "due")
    assert due.title == "Deductible, county hospital [due]"
    assert due.value == "200.00"
    # The parameter's own source is one of the step's, so it is not said twice.
    assert said(due, "uses") == ["deductible[low] = 200.00 (since 2025-01-01, sourced)"]
    assert said(due, "source") == ["The health act, paragraph 2; paragraph 5; A very long title of a report, p. 3"]
    chinese = item(build(explained(tmp_path, language="zh"), "zh"), "due")
    assert chinese.title == "起付线, 县医院 [due]"
    assert said(chinese, "source")[0].startswith("医保法, paragraph 2；paragraph 5")


def test_windows_say_what_each_episode_gave(tmp_path: Path) -> None:
    """A: (300 - 200) x 80% = 80.00; B: (1,000 - 400) x 80% + 10 = 490.00. Once, though the rule calls it twice."""
    outline = build(explained(tmp_path))
    windows = next(s for s in outline.sections if s.key == "windows")
    assert len(windows.blocks) == 1
    call = item(outline, "year.sum(pays)")
    assert call.value == "570.00"
    assert said(call, "over") == ["80.00 (A, 2025-02-01) + 490.00 (B, 2025-03-01)"]
    bills = 'so_far: {"year.sum(pays)": 7.00}\n' + BILLS
    opened = item(build(explained(tmp_path, bills=bills)), "year.sum(pays)")
    assert said(opened, "over") == ["7.00 (opening amount) + 80.00 (A, 2025-02-01) + 490.00 (B, 2025-03-01)"]
    assert opened.value == "577.00"


def test_figures_can_be_redone(tmp_path: Path) -> None:
    """Negative figures stand in brackets, a rounding says digits and mode, limits and sums of bands are shown."""
    outline = build(explained(tmp_path))
    pays = item(outline, "pays")
    # (300.01 - 200.00) x 80% + 5.05 = 85.058, down to 85.00
    assert said(pays, "figures") == ["100.01 * 80% - (-5.05)"]
    assert said(pays, "exact") == ["85.058, down to 0.1"]
    assert said(item(outline, "aside"), "figures") == ["-(-5.05)"]
    banded = item(outline, "banded")
    assert said(banded, "limit") == ["21 / 11 * full = 21 / 11 * 100.00 = 2100/11 = 190.909090.."]
    rows = next(p for p in banded.parts if isinstance(p, Bands)).rows
    assert [(r.length, r.rate, r.amount) for r in rows] == [
        ("(2100/11)", "50%", "(1050/11)"),
        ("(120011/1100)", "100%", "(120011/1100)"),
    ]
    # 1050/11 + 120011/1100 = 225011/1100
    assert said(banded, "together") == ["(1050/11) + (120011/1100) = (225011/1100)"]
    assert any(u.startswith("full = 100.00") for u in said(banded, "uses"))


def test_totals_say_what_they_add_up(tmp_path: Path) -> None:
    """The parts of a bearer with several; of one with a single part there is nothing to add."""
    text = render(explained(tmp_path))
    assert (
        "  Fund, in all [fund_pays]          85.00\n  Patient, in all [patient_pays]   215.01\n      = 215.01 + 0.00\n"
        in text
    )


def test_totals_and_results_bear_labels(tmp_path: Path) -> None:
    """A total is called by the rulebook's label of its bearer, else by the usual one, in the reader's language."""
    book = BOOK.replace("fund: {pool", "fund: {label: {en: Insurance, zh: 医保}, pool")
    book = book.replace("outputs: [pays, due]", "outputs: [pays, patient.own, patient_pays]")
    brief = render(explained(tmp_path, book=book), detail="brief")
    results = brief[brief.index("Results") : brief.index("Who bears")]
    assert "  Paid by the fund " in results
    assert "  Patient: own " in results
    assert "  Patient, in all [patient_pays] " in results
    assert "  Insurance, in all [fund_pays] " in brief[brief.index("Totals") :]
    chinese = render(explained(tmp_path, book=book, language="zh"), language="zh")
    assert "  医保合计 [fund_pays] " in chinese
    assert "  个人合计 [patient_pays] " in chinese


def test_brief_counts_parts_of_nothing(tmp_path: Path) -> None:
    """Several parts of 0.00 are one line, in every language and format; the other depths show each."""
    book = BOOK.replace("third: {is: 0}", "third: {is: 0}, fourth: {is: 0}")
    x = explained(tmp_path, book=book)
    assert "  and 2 parts of 0.00\n" in render(x, detail="brief")
    assert "fourth" not in render(x, detail="brief")
    assert "fourth" in render(x)
    assert "parts of" not in render(x)
    assert "  另有 2 个部分为 0.00\n" in render(x, language="zh", detail="brief")
    assert "\nand 2 parts of 0.00\n" in as_markdown(x, detail="brief")
    assert "and 2 parts of 0.00" in as_html([x], detail="brief")
    assert "third" in render(explained(tmp_path), detail="brief")


def test_overlays_name_each_version(tmp_path: Path) -> None:
    """The head lists the rulebooks, each rule says from which version of which file it is."""
    (tmp_path / "rulebook.yaml").write_text(BOOK, encoding="utf-8")
    own = tmp_path / "own"
    own.mkdir()
    overlay = 'rxcalc: 1\nrulebook: ward\nextends: ../rulebook.yaml\nversion: "8"\neffective: {from: 2025-01-01, by: discharge_date}\n'
    overlay += "changes: {steps: {counted: {rule: total}}}\n"
    (own / "rulebook.yaml").write_text(overlay, encoding="utf-8")
    (tmp_path / "bill.yaml").write_text(BILLS, encoding="utf-8")
    args = ["explain", str(tmp_path / "bill.yaml"), "-r", str(own / "rulebook.yaml")]
    data = json.loads(CliRunner().invoke(cli, [*args, "--format", "json"], catch_exceptions=False).stdout)
    assert [(r["rulebook"], r["version"]) for r in data["rules"]] == [("ward", "8"), ("clinic", "7")]
    text = " ".join(CliRunner().invoke(cli, args, catch_exceptions=False).stdout.split())
    assert "laid over clinic 7 (" in text
    assert "rule at ward 8, rulebook.yaml:6" in text
    assert "rule at clinic 7, rulebook.yaml:" in text
    assert [s["name"] for s in data["steps"]][:2] == ["counted", "pays"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("detail", ["brief", "steps", "full"])
def test_texts_fit(language: str, columns: int, detail: str, tmp_path: Path) -> None:
    """No line is wider than asked for, also with labels and ids that are long and have no blanks."""
    book = BOOK.replace("en: Total, zh: 总额", f"en: {'Total and more ' * 9}, zh: {'总额与其他各项' * 9}")
    bills = BILLS.replace("episode_id: C", f"episode_id: {'X' * 100}")
    x = explained(tmp_path, language=language, book=book, bills=bills)
    text = render(x, language=language, detail=detail, columns=columns)
    assert max(width(line) for line in text.splitlines()) <= columns


def test_ids_are_unique_and_plain(tmp_path: Path) -> None:
    """Every section and item of an outline has an id of its own that a page can use."""
    for detail in ("steps", "full"):
        outline = build(explained(tmp_path), detail=detail)
        ids = [s.id for s in outline.sections] + [i.id for i in items(outline.sections)]
        assert len(ids) == len(set(ids))
        assert all(i.replace("-", "").replace("_", "").isalnum() and i.isascii() for i in ids)


def test_small_words() -> None:
    """Short titles end before an aside; zero has many forms; two signs become one; Chinese breaks between characters."""
    assert short_title("A short one (with an aside)") == "A short one (with an aside)"
    assert (
        short_title("A report on the experience of a province (part 3), press feature")
        == "A report on the experience of a province"
    )
    assert (
        short_title("关于三明市深化医药卫生体制改革经验的通知（节选）及其附件的说明，由网站转述的文字版本")
        == "关于三明市深化医药卫生体制改革经验的通知"
    )
    assert [is_zero(t) for t in ("0.00", "0", "0%", "0 days", "0.01", "", "missing")] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert joined(("1", "-2", "3"), " + ") == "1 - 2 + 3"
    assert joined(("1", "-2"), " - ") == "1 + 2"
    assert wrap("医院等级，县", 10) == ["医院等级，", "县"]
    assert wrap("医院等级，县", 8) == ["医院等", "级，县"]
