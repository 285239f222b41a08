"""The fixed words of `explain --ask`, in English and Chinese."""

from __future__ import annotations

from typing import Final

PHRASES: Final[dict[str, tuple[str, str]]] = {
    "welcome": (
        "Questions about one bill under {0}, as far as they make a difference.",
        "依据 {0} 逐项询问一张单据，只问影响结果的事项。",
    ),
    "keys": (
        "To any question: ? why it is asked, d don't know, b back, q stop.",
        "任一问题均可输入：? 说明，d 不知道，b 返回，q 停止。",
    ),
    "taken": ("Taken from the file: {0}", "取自文件：{0}"),
    "enter_default": ("Enter: {0}", "回车：{0}"),
    "may_be_none": ("- if there is none", "没有则输入 -"),
    "number_or_name": ("number or name", "编号或名称"),
    "yes_no": ("yes or no", "是或否（yes/no）"),
    "amount": ("amount in {0}", "金额（{0}）"),
    "percent": ("percentage, e.g. 85%", "百分数，如 85%"),
    "number": ("number", "数字"),
    "whole": ("whole number", "整数"),
    "date": ("date, e.g. 2025-03-07", "日期，如 2025-03-07"),
    "code": ("code or id", "编码或编号"),
    "codes": ("codes separated by ;", "编码，以 ; 分隔"),
    "text": ("text", "文字"),
    "before": (
        "Did anything come before this bill that counts with it ({0})?",
        "在本单据之前，有无应累计的就诊（{0}）？",
    ),
    "opening": ("From earlier bills: {0}", "此前累计：{0}"),
    "call_count": ("number of bills [{0}]", "次数 [{0}]"),
    "call_sum": ("total of {0} [{1}]", "{0}累计 [{1}]"),
    "call_last": ("last {0} [{1}]", "最近一次{0} [{1}]"),
    "call_first": ("first {0} [{1}]", "第一次{0} [{1}]"),
    "call_min": ("smallest {0} [{1}]", "{0}最小值 [{1}]"),
    "call_max": ("largest {0} [{1}]", "{0}最大值 [{1}]"),
    "group": ("Result of {0}: {1}", "{0} 的结果：{1}"),
    "list": ("Enter the rows of {0}?", "录入 {0} 的各行？"),
    "list_row": ("{0}, row {1}", "{0} 第 {1} 行"),
    "list_how": (
        "yes, or no if the bill has none",
        "有则输入 yes，没有则输入 no",
    ),
    "list_how_required": ("yes: the rulebook requires them", "输入 yes：本规则要求提供"),
    "list_more": ("Another row? yes or no", "还有下一行吗？yes 或 no"),
    "list_left": ("{0} is left as it was.", "{0} 保持原样。"),
    "list_same_order": (
        "{0}: another row has the same {1}; give this one again",
        "{0}：另有一行的 {1} 相同，请重新录入本行",
    ),
    "range": ("{0}: between {1} and {2}", "{0}：{1} 至 {2}"),
    "exactly": ("{0}: {1}", "{0}：{1}"),
    "range_pays": ("{0} between {1} and {2}", "{0} {1} 至 {2}"),
    "exactly_pays": ("{0} {1}", "{0} {1}"),
    "division": ("who bears what", "费用分担"),
    "finding": ("the finding: {0}", "核查：{0}"),
    "one_of": ("{0}: {1}", "{0}：{1}"),
    "or": (" or ", " 或 "),
    "at_least": ("{0}: at least {1}", "{0}：不低于 {1}"),
    "at_most": ("{0}: at most {1}", "{0}：不高于 {1}"),
    "anything": ("{0}: not limited yet", "{0}：尚无界限"),
    "may_miss": (", or none", "，或无"),
    "so_far": ("So far: {0}", "目前：{0}"),
    "so_far_wide": ("So far: no useful range before the amounts are known", "目前：金额未知，尚无有意义的范围"),
    "open": ("; open: {0}", "；未定：{0}"),
    "patient_pays": ("the patient pays", "个人负担"),
    "help_reads": ("Read by: {0}", "用于：{0}"),
    "help_nothing": ("Read by no step: it places the bill.", "不用于任何步骤，仅用于确定单据的归属。"),
    "help_requires": ("Tested by: {0}", "用于校验：{0}"),
    "help_date": (
        "It decides whether the rulebook ({0}) holds, and which of its values.",
        "据以确定本规则（{0}）是否适用，以及适用哪一组数值。",
    ),
    "help_limits": ("From {0} to {1}", "{0} 至 {1}"),
    "help_before": (
        "The rulebook counts earlier bills. Without any, sums and counts start at nothing.",
        "本规则须累计此前的单据；如无，则各项累计自零起算。",
    ),
    "help_list": ("Each row has: {0}", "每行包括：{0}"),
    "help_keys": (
        'd: don\'t know, the result is then a range. b: back to the question before. q: stop. A text that is one of these: in "quotes".',
        'd：不知道，结果以区间表示。b：返回上一题。q：停止。如答案本身就是这些字母，请加英文引号 "d"。',
    ),
    "no_back": ("This is the first question.", "这是第一个问题。"),
    "not_read": ("{0} Please answer again.", "{0} 请重新回答。"),
    "wanted": ("Please answer with {0}.", "请输入{0}。"),
    "settled": ("All results are settled.", "各项结果均已确定。"),
    "settled_rest": (
        "The results that can be shown are settled; nothing more can be asked.",
        "已无可再询问的事项。",
    ),
    "unsettled": (
        "Not settled: what is unknown leaves the results open. They are proven to lie within:",
        "尚未确定：因有未知事项，结果未定。可以证明结果在以下范围内：",
    ),
    "certain": ("Certain whatever the unknown are:", "不论未知事项如何均可确定："),
    "causes": ("What keeps it open:", "未定的原因："),
    "cause_if": ("if {0}: {1}", "若为 {0}：{1}"),
    "cause_read": ("read by {0}", "用于 {0}"),
    "none_value": ("none", "无"),
    "filled": (
        "Not asked, since no value of these changes the results; entered as {0}",
        "以下未询问，因其取值不影响结果，填为 {0}",
    ),
    "filled_as": ("{0}: {1}", "{0}：{1}"),
    "comment_filled": (
        "not asked: no value of it changes the results",
        "未询问：其取值不影响结果",
    ),
    "no_filling": (
        "no values were found for {0} with which the rulebook computes the bill; they are asked too",
        "未能为 {0} 找到可使规则成立的取值，故一并询问",
    ),
    "refused": (
        "Whatever the rest is, the rulebook refuses this bill: {0}",
        "不论其余事项如何，本规则不予计算该单据：{0}",
    ),
    "refused_unknown": ("its requirements cannot all hold", "其要求无法同时满足"),
    "refused_how": ("b back to change an answer, q stop", "b 返回修改答案，q 停止"),
    "save_as": ("Save the bill as (Enter: do not save)", "将单据存为（回车：不保存）"),
    "save_partial": (
        "Save what was answered as (Enter: do not save)",
        "将已回答的内容存为（回车：不保存）",
    ),
    "overwrite": ("`{0}` exists. Write over it? yes or no", "`{0}` 已存在，覆盖吗？yes 或 no"),
    "saved": ("Saved as {0}.", "已存为 {0}。"),
    "not_saved": ("Nothing was saved.", "未保存。"),
    "go_on": ("Go on with: rxcalc explain {0}{1} --ask", "继续：rxcalc explain {0}{1} --ask"),
    "kept": ("{0} answers are kept in {1}.", "{0} 个回答已保存在 {1}。"),
    "kept_1": ("One answer is kept in {0}.", "1 个回答已保存在 {0}。"),
    "kept_not": ("{0} answers were given; none is kept.", "已回答 {0} 题，均未保存。"),
    "kept_not_1": ("One answer was given; it is not kept.", "已回答 1 题，未保存。"),
    "ran_out": ("The answers ran out at: {0}.", "答案已用尽，停在：{0}。"),
    "assumed_none": (
        "Earlier bills: none; sums and counts of the rulebook start at nothing.",
        "此前单据：无；各项累计自零起算。",
    ),
    "sep": (", ", "、"),
    "semicolon": ("; ", "；"),
}


def phrase(key: str, language: str, *given: object) -> str:
    """A fixed sentence in the reader's language, with what stands in it."""
    english, chinese = PHRASES[key]
    return (chinese if language == "zh" else english).format(*given)
