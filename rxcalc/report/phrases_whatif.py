"""The fixed words of `whatif` and `diff`, in English and Chinese."""

from __future__ import annotations

from typing import Final

from rxcalc.report.phrases import worded

PHRASES: Final[dict[str, tuple[str, str]]] = {
    "as_is": ("as it is", "现状"),
    "moved": ("moved", "变动"),
    "what_if": ("The bill {0} as it is, and what it would be with something changed:", "就诊 {0} 的现状，以及改变一项后的结果："),
    "two_rulebooks": ("The bill {0} under two rulebooks:", "就诊 {0} 在两份规则下的结果："),
    "other_value": ("{0}: {1} instead of {2}", "{0}：{1}，原为 {2}"),
    "left_out": ("{0}: left out instead of {1}", "{0}：留空，原为 {1}"),
    "nothing": ("nothing", "空"),
    "other_version": (
        "{0} [{1}]: the values since {2} instead of those since {3}",
        "{0} [{1}]：采用 {2} 起的数值，原为 {3} 起的数值",
    ),
    "other_parameter": ("{0} [{1}]: {2} instead of {3}", "{0} [{1}]：{2}，原为 {3}"),
    "and": ("; ", "；"),
    "outputs": ("Results", "结果"),
    "shares": ("Who bears what", "由谁承担"),
    "totals": ("Totals", "合计"),
    "parts_at": ("{0} parts from the bill at", "{0} 与现状的第一处不同"),
    "old_new_part": ("They part at", "第一处不同"),
    "no_parting": ("{0}: every result is the same.", "{0}：各项结果均相同。"),
    "no_parting_shared": (
        "Every result that both have is the same.",
        "双方共有的各项结果均相同。",
    ),
    "instead": ("{0} instead of {1}", "{0}，原为 {1}"),
    "refused": ("{0} is refused: {1}", "{0} 不予计算：{1}"),
    "unreadable": ("{0} cannot be computed: {1}", "{0} 无法计算：{1}"),
    "base_refused": ("The bill as it is is refused: {0}", "该单据现状不予计算：{0}"),
    "left_out_more": (
        "{0}: {1} further values are not shown; name one with --set.",
        "{0}：另有 {1} 个取值未列出；可用 --set 指定。",
    ),
    "cut_short": (
        "{0}: {1} values were looked at; there may be further ones at which the bill changes course.",
        "{0}：只看了 {1} 个取值，可能还有其他转折点。",
    ),
    "so_far_stays": (
        "The amounts under `so_far:` end with their year, quarter or month; those of spells and periods are taken as they stand for every date.",
        "`so_far:` 下的金额随其年度、季度或月份终止；按间隔或周期累计的金额对任何日期均按原值采用。",
    ),
    "rows_cut": (
        "Rows of lists: {0} changes were tried; those of later rows were not.",
        "明细行：只试了 {0} 项改变，其后各行未试。",
    ),
    "no_turn": (
        "{0}: there is no other value at which anything is decided otherwise.",
        "{0}：没有其他取值会改变任何判定。",
    ),
    "one_version": (
        "{0}: the rulebook gives it one set of values only.",
        "{0}：本规则只有一组数值。",
    ),
    "near": ("What would lower {0} [{1}], which is {2}", "哪些改变会降低 {0} [{1}]（现为 {2}）"),
    "near_told": (
        "Each change by itself, the smallest first. {0} changes were tried, {1} of them refused.",
        "逐项单独改变，按改变幅度由小到大。共试 {0} 项，其中 {1} 项不予计算。",
    ),
    "near_none": (
        "Nothing lowers it: {0} changes were tried, {1} of them refused.",
        "没有任何改变可以降低：共试 {0} 项，其中 {1} 项不予计算。",
    ),
    "near_unmoved": ("No change of these lowers it", "改变以下各项均不降低"),
    "near_passed": ("Not tried, since there is nothing to go through", "未试（无可列举的取值）"),
    "becomes": ("{0}, {1} less", "{0}，减少 {1}"),
    "days": ("{0} days away", "相差 {0} 天"),
    "days_1": ("one day away", "相差 1 天"),
    "by": ("{0} away", "相差 {0}"),
    "near_impossible": ("`{0}` cannot be lowered: {1}", "无法降低 `{0}`：{1}"),
    "near_money": (
        "An amount of money counts only where its change saves more than itself.",
        "金额类输入仅在节省大于改变本身时计入。",
    ),
    "why_refused": ("the bill is refused", "该单据不予计算"),
    "why_missing": ("the bill has no such amount", "该单据没有这一项"),
    "why_no_number": ("it is no amount", "它不是金额"),
    "only_old": ("Only in {0}", "仅见于 {0}"),
    "inputs_only": (
        "Given in the bill, but {0} has no such input: {1}",
        "单据已填，但 {0} 没有这些输入项：{1}",
    ),
    "inputs_empty": (
        "Not given in the bill, and an input of {0} only: {1}",
        "单据未填，且仅为 {0} 的输入项：{1}",
    ),
    "openings_only": (
        "Given under `so_far:`, but {0} does not read it: {1}",
        "so_far: 已填，但 {0} 不读取：{1}",
    ),
    "stretched": (
        "{0} is in force from {1} to {2} only; for {3} its values of the nearest days are taken.",
        "{0} 仅在 {1} 至 {2} 有效；{3} 采用其最近日期的数值。",
    ),
    "several": (
        "The file lists {0} bills; the last one, {1}, is the one looked at, the others come before it or stand beside it.",
        "文件列有 {0} 张单据；此处看的是最后一张 {1}，其余在其之前或与其并列。",
    ),
    "old": ("old", "旧"),
    "new": ("new", "新"),
}  # fmt: skip


def said(key: str, language: str) -> str:
    """A fixed word or sentence in the reader's language."""
    return worded(PHRASES[key], language)
