"""Where each yuan goes: lengths, labels and the cases in which there is no picture."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from rxcalc.report.chart import Chart, chart, divided, per_cent
from rxcalc.report.layout import width
from rxcalc.report.outline_model import Share, Shares

NAMES = {"fund": "Fund", "patient": "Patient", "hospital": "Hospital", "government": "Government", "other": "Other"}


def shares(*parts: tuple[str, str, str]) -> Shares:
    return Shares("bill", "", tuple(Share(b, NAMES[b], label, amount, "", (), "") for b, label, amount in parts))


def drawn(*parts: tuple[str, str, str], language: str = "en") -> Chart:
    found = chart(divided(shares(*parts)), "CNY", language)
    assert isinstance(found, Chart)
    return found


def bars(c: Chart) -> list[tuple[str, str, Fraction, Fraction]]:
    return [(b.kind, b.amount, Fraction(b.x), Fraction(b.width)) for b in c.bars]


def test_each_bar_starts_where_the_one_above_it_ended() -> None:
    c = drawn(
        ("fund", "Insurance fund", "285.00"), ("patient", "Deductible", "200.00"), ("patient", "Co-payment", "15.00")
    )
    assert bars(c) == [
        ("whole", "500.00", 0, 100),
        ("bearer", "285.00", 0, 57),
        ("bearer", "215.00", 57, 43),
        ("part", "200.00", 57, 40),
        ("part", "15.00", 97, 3),
    ]
    assert [b.labels[0].text for b in c.bars] == [
        "Whole amount",
        "Fund: Insurance fund",
        "Patient",
        "Deductible",
        "Co-payment",
    ]
    assert (
        c.text == "500.00 = Fund 285.00 (Insurance fund 285.00); Patient 215.00 (Deductible 200.00, Co-payment 15.00)"
    )
    assert c.title == "Where each yuan of 500.00 goes"


def test_a_negative_part_goes_back_and_the_last_bar_ends_at_the_whole() -> None:
    """The fund pays a package of 12,600 for a stay of 11,000; the hospital keeps 1,600."""
    c = drawn(("fund", "Package", "12600.00"), ("hospital", "Kept", "-1600.00"))
    whole, fund, hospital = c.bars
    assert (fund.x, fund.width) == ("0.000", "100.000")
    assert Fraction(whole.width) == Fraction(hospital.x) == Fraction("87.302")  # 11,000 of 12,600
    assert hospital.negative
    assert not fund.negative
    assert hospital.amount == "-1,600.00"
    assert any("dashed" in note for note in c.notes)


def test_a_negative_part_of_a_bearer_is_drawn_beyond_the_whole_and_back() -> None:
    c = drawn(("fund", "Fund", "80.00"), ("patient", "Own", "40.00"), ("patient", "Waived", "-20.00"))
    at = {b.labels[0].text: (Fraction(b.x), Fraction(b.x) + Fraction(b.width)) for b in c.bars}
    third = Fraction("66.667"), Fraction("83.334")
    assert at["Whole amount"] == (0, Fraction("83.333"))
    assert at["Patient"] == third
    assert at["Own"] == (Fraction("66.667"), 100)
    assert at["Waived"][1] == 100


def test_a_sliver_is_marked_so_that_it_can_be_seen() -> None:
    c = drawn(("fund", "Fund", "999999.99"), ("patient", "Rest", "0.01"))
    assert [b.thin for b in c.bars] == [False, False, True]
    assert Fraction(c.bars[-1].x) + Fraction(c.bars[-1].width) <= Fraction("100.001")


def test_one_part_of_everything_and_parts_of_nothing() -> None:
    c = drawn(("fund", "Fund", "70.00"), ("patient", "Deductible", "0.00"), ("patient", "Co-payment", "0.00"))
    assert bars(c) == [("whole", "70.00", 0, 100), ("bearer", "70.00", 0, 100)]
    assert c.notes == ("Parts of 0.00 are left out of the chart; the table has them.",)
    assert c.bearers == ("fund",)


def test_twelve_parts_end_at_the_whole() -> None:
    amounts = [Fraction(n * n * 7 + 1, 100) for n in range(1, 13)]
    bearers = ["fund"] * 5 + ["patient"] * 5 + ["hospital", "government"]
    parts = [(b, f"part {n}", f"{float(a):.2f}") for n, (b, a) in enumerate(zip(bearers, amounts, strict=True))]
    c = drawn(*parts)
    assert len([b for b in c.bars if b.kind == "part"]) == 10  # two bearers have one part each, on the bearer's own row
    last = c.bars[-1]
    assert abs(Fraction(last.x) + Fraction(last.width) - 100) <= Fraction(1, 500)
    heights = [Fraction(b.y) for b in c.bars]
    assert heights == sorted(heights)
    assert heights[-1] < Fraction(c.height)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([("fund", "Fund", "-285.00"), ("patient", "Own", "-215.00")], "negative"),
        ([("fund", "Fund", "-300.00"), ("patient", "Own", "200.00")], "negative"),
        ([("fund", "Fund", "0.00"), ("patient", "Own", "0.00")], "zero"),
        ([], "zero"),
    ],
)
def test_it_says_why_there_is_no_picture(parts: list[tuple[str, str, str]], why: str) -> None:
    found = chart(divided(shares(*parts)), "CNY", "en")
    assert isinstance(found, str)
    assert why in found
    assert chart(divided(shares(*parts)), "CNY", "zh") != found


@pytest.mark.parametrize(
    "label", ["Taken over by the critical illness layer of the year before", "由大病保险承担" * 9, "x" * 300, "a\nb\tc"]
)
def test_labels_leave_room_for_the_amount(label: str) -> None:
    c = drawn(("fund", label, "1234567890.00"), ("patient", label, "12.00"))
    for bar in c.bars:
        assert all(width(line.text) <= 28 for line in bar.labels)
        assert width(bar.labels[-1].text) + width(bar.amount) <= 40
        assert not any(c in line.text for line in bar.labels for c in "\n\t")


@pytest.mark.parametrize(
    ("amount", "whole", "text"),
    [
        ("15", "500", "3.0%"),
        ("1", "3", "33.3%"),
        ("1", "1000", "0.1%"),
        ("1", "1001", "< 0.1%"),
        ("-1", "1001", "> -0.1%"),
        ("0", "5", "0.0%"),
        ("99999", "100000", "> 99.9%"),
        ("5", "5", "100.0%"),
        ("6", "5", "120.0%"),
        ("5", "0", ""),
    ],
)
def test_percentages_say_when_they_are_less_than_they_can_show(amount: str, whole: str, text: str) -> None:
    assert per_cent(Fraction(amount), Fraction(whole)) == text


def test_other_currencies_and_chinese() -> None:
    found: Any = chart(divided(shares(("fund", "Fund", "1000"))), "JPY", "en")
    assert found.title == "Where 1,000 JPY goes"
    assert drawn(("fund", "基金", "10.00"), language="zh").title == "10.00 元由谁承担"
