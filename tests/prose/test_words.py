"""Sentences of every operation and function, in both languages, against sentences written by hand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from spoken import CASES, EVERY, LANGUAGES, SHIPPED, compiled, everything, laid_text, roots, text

from rxcalc.lang.builtins import AGGREGATES, FUNCTIONS, WINDOW_FUNCTIONS
from rxcalc.lang.ops import Op
from rxcalc.lang.types import FLAG
from rxcalc.plan.nodes import Plan
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.model import Grid, Point, Run, Said
from rxcalc.prose.names import Names
from rxcalc.prose.points import Laid, Points
from rxcalc.prose.rules import Rules, step
from rxcalc.prose.words import CONDITIONS, LISTS, VALUES, fill


@cache
def plan() -> Plan:
    """The rulebook with every operation."""
    found = compiled(EVERY)
    assert found is not None
    return found


def test_every_operation_and_function_has_words() -> None:
    """The rulebook of this test holds them all; what has no words is an error when its sentence is asked for."""
    assert {node.op for node in plan().nodes} == set(Op)
    written = EVERY.read_text("utf-8")
    assert [f for f in (*FUNCTIONS, *AGGREGATES) if f"{f}(" not in written] == []
    assert [f for f in WINDOW_FUNCTIONS if f".{f}(" not in written] == []
    for language in LANGUAGES:
        for what, blocks in everything(Rules(plan(), language)):
            assert "{" not in text(blocks), what


@pytest.mark.parametrize("words", [VALUES, CONDITIONS, LISTS], ids=["values", "conditions", "lists"])
def test_both_languages_fill_in_the_same_parts(words: dict[str, tuple[str, str]]) -> None:
    for key, (english, chinese) in words.items():
        parts = [sorted({piece.partition("}")[0] for piece in t.split("{")[1:]}) for t in (english, chinese)]
        assert parts[0] == parts[1], key


STEPS = {
    "smaller": (
        "The smaller is the smaller of the total cost and the yearly cap.",
        "较小额为总费用与年度封顶线中的较小者。",
    ),
    "largest": (
        "The largest is the largest of ¥5, the total cost and the yearly cap.",
        "最大额为¥5、总费用与年度封顶线中的最大者。",
    ),
    "held": (
        "The held amount is the total cost, but at least ¥100 and at most the yearly cap.",
        "限定额为总费用，但不低于¥100、不高于年度封顶线。",
    ),
    "size": ("The size is (the total cost minus ¥500) without its sign.", "绝对额为（总费用减¥500）的绝对值。"),
    "turned": ("The turned amount is the negative of the total cost.", "相反额为总费用的相反数。"),
    "fee_due": (
        "The fee due is the registration fee, or ¥5 where that is missing.",
        "应付挂号费为挂号费（缺失时取¥5）。",
    ),
    "quarter_end": (
        "The end of the quarter is the last day of the quarter of the discharge.",
        "季末为出院日期所在季度的最后一天。",
    ),
    "year_start": ("The first of the year is the first day of the year 2025.", "年初为2025年的第一天。"),
    "later": ("The later day is the discharge plus 1 month plus 3 days.", "其后之日为出院日期加1个月加3天。"),
    "years_old": (
        "The age is the age in whole years on the discharge of somebody born on the date of birth.",
        "年龄为出生日期出生者在出院日期的周岁年龄。",
    ),
    "first_part": (
        "The first band is what band number 1 of the rate of the fund for the hospital level gives on the total cost.",
        "首段额为按医院等级对应的基金支付比例第1段对总费用计算之额。",
    ),
    "marginal": (
        (
            "“By bands” is what the bands of the rate of the fund for the hospital level give on the part from ¥500 to "
            "(the total cost, but at least ¥500)."
        ),
        "分段额为按医院等级对应的基金支付比例对自¥500至（总费用，但不低于¥500）的部分分段计算之和。",
    ),
    "fee_of_visit": (
        "The visit fee is the value that the fee of a visit has for the total cost.",
        "应付诊查费为诊查费在总费用处的取值。",
    ),
    "bed_days": (
        (
            "“Bed days” is the rate for a bed added up over the days from (the discharge minus the stay) until the day "
            "before the discharge."
        ),
        "床日费为床位费标准自（出院日期减住院天数）起至出院日期前一日止逐日相加之和。",
    ),
    "price": (
        "The price due is the price in the price list for the item if the item is listed in the price list, and otherwise ¥0.",
        "应付价格为若价目表列有项目则取价目表中项目对应的价格、否则取¥0。",
    ),
    "has_code": (
        "“Has the code” is yes if “Codes of the bill” holds “A01”, and otherwise no.",
        "若编码组含“A01”，则含该编码为“是”，否则为“否”。",
    ),
    "of_lines": (
        (
            "“Lines of the year” is the sum of the amount over the lines of the earlier episodes in the same calendar year of "
            "which the amount is more than ¥1."
        ),
        "本年明细为同一自然年度内此前各次就诊的各明细（限金额高于¥1者）的金额之和。",
    ),
    "many": (
        "“Kinds of items” is the number of different values of the item of the line among the lines plus the number of the lines.",
        "项目种数为各明细中明细项目不同取值的个数加各明细的个数。",
    ),
    "cap_then": (
        "“Cap at birth” is the yearly cap (as of the discharge plus 1 day).",
        "届时封顶线为年度封顶线（按出院日期加1天）。",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_formula_is_one_sentence(name: str) -> None:
    for language, expected in zip(LANGUAGES, STEPS[name], strict=True):
        assert text(Rules(plan(), language).step("", name)[:1]) == expected


def test_cases_stand_in_order_with_their_reasons() -> None:
    assert text(Rules(plan(), "en").step("", "pays")) == (
        "The fund payment is decided by the first of these cases that applies:\n"
        "1. If (the hospital level is below “City” and “Referred” is no) or the registration fee is missing: ¥0 "
        "(reason: “no benefit”).\n"
        "2. If the hospital level is one of (“Township”, “County”) and the total cost lies from ¥100 to ¥200, both "
        "included: the episode is refused (reason: “not between”).\n"
        "3. If the hospital level is not “City”: the smaller of (the total cost times 50%) and (the yearly cap minus the "
        "sum of the fund payment over the earlier episodes in the same calendar year, but at least 0).\n"
        "4. Otherwise: the total cost divided by 3.\n"
        "It is rounded half to even to 0.01."
    )
    assert text(Rules(plan(), "zh").step("", "pays")) == (
        "基金支付按下列第一个成立的情形确定：\n"
        "1. 若（医院等级低于“市级”，且转诊为“否”），或挂号费缺失：¥0（理由：“no benefit”）。\n"
        "2. 若医院等级为（“乡镇”、“县级”）之一，且总费用在¥100至¥200之间（含两端）：不予受理（理由：“not between”）。\n"
        "3. 若医院等级不是“市级”：下列两项中的较小者：\n"
        "3.1. 总费用乘以50%。\n"
        "3.2. 年度封顶线减（同一自然年度内此前各次就诊的基金支付之和），但不低于0。\n"
        "4. 其他情形：总费用除以3。\n"
        "结果取至0.01（四舍六入五成双）。"
    )


def test_a_decision_table_is_a_grid() -> None:
    assert text(Rules(plan(), "en").step("", "class_of")) == (
        "The class is read off this table; the first row that applies decides:\n"
        "Row | Hospital level | Stay | Then\n"
        "1 | “Township” or “County” | more than 3 days | “Low”\n"
        "2 | otherwise |  | “High” (reason: “the usual case”)"
    )
    assert text(Rules(plan(), "zh").step("", "class_of")) == (
        "类别按下表确定，以第一个符合的行为准：\n"
        "行 | 医院等级 | 住院天数 | 结果\n"
        "1 | “乡镇”或“县级” | 高于3天 | “低”\n"
        "2 | 其他情形 |  | “高”（理由：“the usual case”）"
    )


def test_bands_are_slices_that_say_which_end_belongs_to_them() -> None:
    assert text(Rules(plan(), "en").declared.parameter("rate")) == (
        "The rate of the fund is a schedule of bands.\n"
        "Each slice of an amount of money has its own rate, which holds for the part of it that lies in the slice; the "
        "parts are added up.\n"
        "From 2025-01-01 on:\n"
        "For | Slice | Value\n"
        "“Township” | the whole | 90%\n"
        "“County” | up to 20,000.00 | 85%\n"
        "“County” | over 20,000.00 | 90%\n"
        "“City” | up to 20,000.00 | 80%\n"
        "“City” | over 20,000.00 below 30,000.00 | 85%\n"
        "“City” | from 30,000.00 | 90%"
    )
    assert "自30,000.00（含）起" in text(Rules(plan(), "zh").declared.parameter("rate"))


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("this_year", "in the same calendar year", "同一自然年度内此前各次就诊"),
        ("half_year", "of the last 6 months with the same hospital level", "近6个月内医院等级相同的此前各次就诊"),
        ("spell", "A new spell begins when the discharge comes 60 days or more after", "满60天的，另起一个疗程"),
        ("from_july", "the year beginning on 1 July", "年度自7月1日起算"),
        ("months_back", "one of the 12 calendar months up to and with that of this episode", "12个自然月内者"),
        ("run", "The first one begins a period of 12 months at its discharge", "起算12个月为一周期"),
        ("ever", "the earlier episodes with the same person", "人员编号相同的此前各次就诊"),
    ],
)
def test_a_window_says_which_episodes_it_holds(name: str, english: str, chinese: str) -> None:
    assert english in text(Rules(plan(), "en").declared.window("", name))
    assert chinese in text(Rules(plan(), "zh").declared.window("", name))


def test_all_other_rules_have_sentences_too() -> None:
    english, chinese = Rules(plan(), "en"), Rules(plan(), "zh")
    assert text(english.requires("", 0)).startswith("It is required that the total cost is not less than ¥0; else")
    assert text(english.guarantee("", 0)).startswith(
        "It always holds that the patient's payment in all is not more than the total cost."
    )
    assert text(english.trend(0)) == "When the total cost grows and all else stays, the fund payment never falls."
    assert text(english.partition("", 0)) == (
        "The total cost is divided among those who bear it:\n"
        "1. The fund's “pool”: the fund payment.\n"
        "2. The patient's “Own part”: what is left (reason code PR-2) (may be negative).\n"
        "Each part is rounded half to even to 0.01; the parts add up to the whole, or the episode is refused."
    )
    assert text(chinese.partition("", 0)).splitlines()[2] == "2. 个人（自付）：余额（原因代码PR-2）（可为负数）。"
    assert text(english.check(0)).splitlines()[0] == (
        "There is a finding (warning) if the registration fee is known and the registration fee is more than ¥50."
    )
    assert text(english.spread("lines", "fund_line")).splitlines()[0] == (
        "The fund of the line is what each of the lines receives when the fund's payment in all is divided among them in "
        "proportion to the amount."
    )
    assert text(english.declared.in_force()).splitlines()[0] == (
        "The rules hold for every episode whose discharge lies from 2025-01-01 to 2025-12-31, both days included."
    )
    assert text(chinese.declared.in_force()).splitlines()[0] == (
        "适用于出院日期自2025年1月1日至2025年12月31日（含首尾两日）的各次就诊。"
    )
    assert text(english.declared.input("", "fee")).splitlines() == [
        "The registration fee is an amount of money.",
        "It lies from 0.00 to 100,000,000,000.00, both included.",
        "It may be left out.",
    ]
    assert text(english.declared.parameter("deductible")).splitlines()[1:] == [
        "For some of these there is no value; the rules say what then holds.",
        "From 2025-01-01 on:",
        "For | Value",
        "“Township” | 0.00",
        "“County” | 200.00",
        "“City” | no value",
    ]
    assert text(english.declared.group("level_year")) == (
        "“Level in a year” holds the episodes that agree in all of the following:\n1. the hospital level.\n"
        "2. the year of the discharge."
    )


def test_one_step_alone_reads_as_among_all() -> None:
    for language in LANGUAGES:
        assert step(plan(), "", "pays", language) == Rules(plan(), language).step("", "pays")


# ---- names and constants ----


def test_a_name_is_a_run_with_its_anchor() -> None:
    block = Rules(plan(), "en").step("", "smaller")[0]
    assert isinstance(block, Said)
    assert [(r.text, r.ref) for r in block.sentence if r.ref] == [
        ("smaller", "step-smaller"), ("total cost", "input-total"), ("yearly cap", "parameter-cap"),
    ]  # fmt: skip


def test_of_a_line_the_anchor_has_the_level_in_front() -> None:
    block = Rules(plan(), "en").step("lines", "same_item")[0]
    assert isinstance(block, Said)
    assert {r.ref for r in block.sentence if r.ref} == {
        "step-lines.same_item", "input-lines.amount", "list-lines", "input-lines.item",
    }  # fmt: skip


def test_what_a_label_holds_in_braces_stays_as_it_is() -> None:
    assert fill("{a} is {b}", {"a": (Run("{b} <x>"),), "b": (Run("5"),)}) == (Run("{b} <x>"), Run(" is "), Run("5"))


def _all_runs(block: Said | Grid) -> list[Run]:
    if isinstance(block, Grid):
        return [run for row in (block.headers, *block.rows) for cell in row for run in cell]

    def of(points: tuple[Point, ...]) -> list[Run]:
        return [run for p in points for run in (*p.sentence, *of(p.points))]

    return [*block.sentence, *of(block.points)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.parent.name + p.stem)
def test_every_anchor_leads_to_something_declared(path: Path) -> None:
    found = compiled(path)
    assert found is not None
    for language in LANGUAGES:
        rules = Rules(found, language)
        known = {n.ref for n in rules.names.fields.values()}
        known |= {n.ref for n in rules.names.parameters.values()} | {n.ref for n in rules.names.tables.values()}
        known |= {n.ref for n in rules.names.lists.values()} | {n.ref for n in rules.names.kinds.values()}
        known |= {f"window-{w.level}.{w.name}" if w.level else f"window-{w.name}" for w in found.windows}
        for what, blocks in everything(rules):
            for block in blocks:
                assert {r.ref for r in _all_runs(block) if r.ref} <= known, what


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.parent.name + p.stem)
def test_sentences_are_whole(path: Path) -> None:
    """Each ends as a sentence does or opens a list, has no doubled words and no word left unfilled."""
    found = compiled(path)
    assert found is not None
    for language, ends in (("en", (".", ":")), ("zh", ("。", "："))):
        for what, blocks in everything(Rules(found, language)):
            for block in blocks:
                for line in text((block,)).splitlines() if isinstance(block, Said) else ():
                    assert line.endswith(ends), (what, line)
                    for doubled in ("the the ", " is is ", "of of ", "  ", "。。", "..", "：。"):
                        assert doubled not in line, (what, line)


def test_all_rulebooks_of_the_cases_have_sentences() -> None:
    """Overlays, lists, groups of groups: nothing that compiles lacks words."""
    told = 0
    for path in CASES:
        found = compiled(path)
        for language in LANGUAGES if found is not None else ():
            assert found is not None
            told += sum(len(text(blocks)) > 0 for _, blocks in everything(Rules(found, language)))
    assert told > 2000


def test_two_formulas_never_make_the_same_sentence() -> None:
    """In Chinese as in English; in English they are also read back (`test_read_back.py`)."""
    count = 0
    for path in (*SHIPPED, EVERY, *CASES[1::4]):
        found = compiled(path)
        if found is None:
            continue
        for language in LANGUAGES:
            names, seen = Names(found, language), {}
            for of in roots(found):
                node = found.nodes[of.node]
                points = Points(Expressions(found, names, of.node))
                how = "condition" if node.type == FLAG else "value"
                said = laid_text(getattr(points, how)(of.tree))
                key = (node.level, str(node.type), said)
                assert seen.setdefault(key, of.text) == of.text, said
                count += 1
    assert count > 2000


def test_both_languages_name_the_same_things_and_constants() -> None:
    """English sentences are read back; what stands in them stands in the Chinese ones too, as often."""
    for path in (*SHIPPED, EVERY, *CASES[2::4]):
        found = compiled(path)
        if found is None:
            continue
        spoken = [Names(found, language) for language in LANGUAGES]
        for of in roots(found):
            how = "condition" if found.nodes[of.node].type == FLAG else "value"
            english, chinese = (getattr(Points(Expressions(found, names, of.node)), how)(of.tree) for names in spoken)
            assert _told(english) == _told(chinese), of.text


def _told(laid: Laid) -> tuple[list[str], list[int]]:
    """The anchors of a phrase and its points, and the numbers in what names nothing."""
    runs = [*laid.runs, *(run for p in laid.points for run in _all_runs(Said(p.sentence, p.points)))]
    numbers = [int(found) for run in runs if not run.ref for found in re.findall(r"\d+", run.text.replace(",", ""))]
    return sorted(run.ref for run in runs if run.ref), sorted(numbers)
