"""The fixed words that only the HTML page has, in English and Chinese."""

from __future__ import annotations

from typing import Final

from rxcalc.report.phrases import worded

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Explanation of bill {0}", "账单 {0} 的说明"),
    "title_reversal": ("Explanation of reversal {0}", "冲销单 {0} 的说明"),
    "title_refused": ("Bill {0}: not computed", "账单 {0}：不予计算"),
    "title_several": ("Explanations of {0} bills", "{0} 份账单的说明"),
    "skip": ("Skip to the result", "跳到结果"),
    "contents": ("Contents", "目录"),
    "facts": ("The bill", "账单"),
    "verdict": ("Who pays what, in {0}", "谁付多少（{0}）"),
    "verdict_results": ("Results", "结果"),
    "chart": ("Where each yuan of {0} goes", "{0} 元由谁承担"),
    "chart_other": ("Where {0} {1} goes", "{0} {1} 由谁承担"),
    "whole": ("Whole amount", "总额"),
    "no_chart_negative": (
        "No chart: this amount is negative. The table has every part with its sign.",
        "无图：此金额为负。各部分及其正负号见表。",
    ),
    "no_chart_zero": (
        "No chart: every part is zero.",
        "无图：各部分均为零。",
    ),
    "chart_negative": (
        "A part with a minus sign is drawn with a dashed outline: it goes back from where the part above it ended.",
        "带负号的部分以虚线框表示：它从上一部分的末端退回相应的长度。",
    ),
    "chart_zero": (
        "Parts of {0} are left out of the chart; the table has them.",
        "金额为 {0} 的部分未画出，见表。",
    ),
    "table": ("Every part of {0}", "{0} 的各部分"),
    "part": ("Part", "部分"),
    "amount": ("Amount", "金额"),
    "per_cent": ("Of the whole", "占比"),
    "reason": ("reason", "原因代码"),
    "sum": ("Together", "合计"),
    "label_sep": (": ", "："),
    "qualifier_sep": (", ", "，"),
    "list_sep": (", ", "、"),
    "clause_sep": ("; ", "；"),
    "made_by": (
        "Computed with exact fractions by rxcalc {0}. This page holds everything it shows: it loads nothing and sends nothing.",
        "由 rxcalc {0} 以精确分数计算。本页自成一体：不加载任何内容，也不发送任何内容。",
    ),
    "banner_fictional": ("FICTIONAL", "虚构"),
    "banner_illustrative": ("ILLUSTRATIVE", "示意"),
    "banner_unmarked": ("NOT MARKED", "未标明依据"),
    "items": ("{0} entries", "{0} 项"),
    "to_top": ("Back to the top", "回到顶部"),
    "scrolls": ("{0} (scrolls sideways)", "{0}（可左右滚动）"),
}  # fmt: skip


def say(key: str, language: str, *values: object) -> str:
    """A fixed text in the reader's language, with values in its places."""
    return worded(WORDS[key], language, *values)
