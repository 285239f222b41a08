"""The fixed words of `diff` without a single bill: changes of rules, and what they move. English and Chinese."""

from __future__ import annotations

import re
from typing import Final

from rxcalc.compare.model import Aspect, Subject
from rxcalc.inputs.shown import shown
from rxcalc.report.phrases import REFUSALS_ZH, worded

ASPECTS_ZH: Final = {
    "type": "类型", "optional": "可否留空", "default": "默认值", "min": "下限", "max": "上限", "decimals": "小数位数",
    "time": "时刻", "spellings": "数据中的写法", "column_names": "列名", "may_be_missing": "可否无值",
    "rounding": "取整", "clause": "第 {0} 条", "new_clause": "新第 {0} 条", "clause_condition": "第 {0} 条的条件",
    "clause_formula": "第 {0} 条的公式", "clauses": "各条", "divided": "所分配的金额", "first": "居首（合计以其为准）", "negative": "{0}，可否为负",
    "condition": "条件", "amount": "金额", "severity": "级别", "number_of_keys": "键的个数",
    "held": "两端之外沿用端点值", "value": "自 {1} 起", "value_to": "{1} 至 {2}", "value_of": "{0}，自 {1} 起",
    "value_of_to": "{0}，{1} 至 {2}", "keys": "键", "column": "列", "row": "行 {0}", "row_end": "行 {0}，末日",
    "row_cell": "行 {0}，{1}", "from": "起", "to": "止", "by": "依据日期", "of": "成员", "order": "顺序",
    "required": "是否必需", "effective": "取值日期",
}  # fmt: skip
SECTIONS_ZH: Final = {
    "parameter": "参数", "table": "表", "input": "输入项", "window": "窗口", "requires": "前提条件", "step": "步骤",
    "shares": "分担", "list": "清单", "group": "分组", "spread": "分摊", "guarantees": "保证", "check": "核查",
    "outputs": "输出", "currency": "货币", "rounding": "取整", "effective": "施行日期", "sequence": "先后顺序",
}  # fmt: skip
WORDS_ZH: Final = {
    "added": "新增", "removed": "删除", "changed": "更改", "reordered": "改序", "no value": "无值", "none": "无",
    "open": "无止日", "yes": "是", "no": "否", "dropped": "舍去", "refused": "拒收", "least": "最小", "most": "最大",
    "info": "提示", "warn": "警告", "error": "错误",
}  # fmt: skip
_PIECES: Final = (
    (re.compile(r"(\S+) to (\S+)"), "{1} 及以下 {0}"),
    (re.compile(r"(\S+) below (\S+)"), "不足 {1} 为 {0}"),
    (re.compile(r"(\S+) at (\S+)"), "{1} 处为 {0}"),
    (re.compile(r"(\S+) above()"), "以上 {0}"),
)

PHRASES: Final[dict[str, tuple[str, str]]] = {
    "title": ("What changes", "有何变化"),
    "page_title": ("What changes: {0}", "有何变化：{0}"),
    "skip": ("Skip to the content", "跳到正文"),
    "contents": ("Contents", "目录"),
    "rules": ("The rules", "规则"),
    "bills": ("The bills", "账单"),
    "label_sep": (": ", "："),
    "list_sep": (", ", "、"),
    "sentence_sep": (" ", ""),
    "and": (" and ", " 与 "),
    "same": ("{0}: no change of meaning", "{0}：含义无变化"),
    "no_change": ("No change of meaning.", "含义无变化。"),
    "changes": ("{0}: {1} changes of meaning in {2} places", "{0}：含义变化 {1} 处，涉及 {2} 项"),
    "changes_in_1": ("{0}: {1} changes of meaning in 1 place", "{0}：含义变化 {1} 处，涉及 1 项"),
    "changes_1": ("{0}: 1 change of meaning in 1 place", "{0}：含义变化 1 处"),
    "count_changes": ("{0} changes", "{0} 处变化"),
    "count_changes_1": ("1 change", "1 处变化"),
    "more_changes": ("and {0} more: --format json lists them all", "另有 {0} 处，--format json 列出全部"),
    "characters": ("{0} .. ({1} characters)", "{0} ..（共 {1} 字符）"),
    "was": ("was", "原"),
    "is": ("is", "现"),
    "whole": ("the whole", "整项"),
    # how many bills
    "count": (
        "{0} bills: {1} computed by both ({2} unchanged, {3} changed), {4} newly rejected, {5} newly accepted, {6} rejected by both",
        "共 {0} 份账单：双方均计算 {1} 份（不变 {2} 份，有变 {3} 份），新被拒 {4} 份，新受理 {5} 份，双方均拒 {6} 份",
    ),
    "changed_of": ("{0} of {1} come out otherwise", "{1} 份中 {0} 份有变"),
    "none_both": ("no bill is computed by both: nothing can be compared", "没有双方均计算的账单，无从比较"),
    "newly_rejected": ("newly rejected", "新被拒"),
    "newly_accepted": ("newly accepted", "新受理"),
    "refused_codes": ("{0}: {1}; {2} of these {3}", "{0}：{1}；其 {2} 合计 {3}"),
    "code_count": ("{0} {1}", "{0} {1} 份"),
    "is_refused": ("{0} is refused by the new rulebook: {1}", "{0} 被新规则拒绝：{1}"),
    "was_refused": ("{0} was refused by the old rulebook: {1}", "{0} 曾被旧规则拒绝：{1}"),
    "another": ("{0} is another on {1}", "{0} 有 {1} 份不同"),
    "only_old": ("not compared, only the old rulebook has it: {0}", "未比较，仅旧规则有：{0}"),
    "only_new": ("not compared, only the new rulebook has it: {0}", "未比较，仅新规则有：{0}"),
    # tables
    "total": ("total", "合计"),
    "totals": ("Totals", "合计"),
    "totals_of": ("Over the bills that both compute", "双方均计算的账单"),
    "old": ("old", "旧"),
    "new": ("new", "新"),
    "moved": ("moved", "变动"),
    "bills_changed": ("bills changed", "有变份数"),
    "bill": ("bill", "账单"),
    "count_of": ("bills", "份数"),
    "lower": ("lower", "降低"),
    "higher": ("higher", "升高"),
    "decile": ("decile", "十分位"),
    "sides": ("{0}: lower on {1}, higher on {2}, the same on {3}", "{0}：降低 {1} 份，升高 {2} 份，不变 {3} 份"),
    "side": ("{0}: {1} together; most on", "{0}：合计 {1}；变动最大的"),
    "side_of": ("{0} on {1} bills, {2} together", "{0} {1} 份，合计 {2}"),
    "side_most": ("{0}: most on", "{0}：变动最大的"),
    "who": ("Who pays less, who pays more: {0}", "谁付得少、谁付得多：{0}"),
    "distribution": ("{0} moved, over the {1} bills on which it did:", "{0} 的变动（有变动的 {1} 份）："),
    "deciles": ("Deciles of the movement, over the bills on which {0} moved", "变动的十分位（{0} 有变动的账单）"),
    "from_to": ("{0} to {1}", "{0} 至 {1}"),
    "by": ("{0} by {1}:", "{0}，按 {1}："),
    "by_title": ("By {0}", "按 {0}"),
    "by_caption": ("{0} by {1}", "{0}，按 {1}"),
    "more_groups": ("and {0} more: --format json lists them all", "另有 {0} 组，--format json 列出全部"),
    "per_bill": ("{0} per bill: {1} -> {2} ({3})", "{0} 每份：{1} -> {2}（{3}）"),
    "per_head": ("{0} per head ({1} different {2}): {3} -> {4} ({5})", "{0} 人均（{2} 共 {1} 个）：{3} -> {4}（{5}）"),
    "chart_histogram": ("Bills by how far {0} moved", "{0} 变动幅度的分布"),
    "chart_histogram_text": (
        "{0} is lower on {1} bills and higher on {2}.",
        "{0} 降低 {1} 份，升高 {2} 份。",
    ),
    # what else there is
    "findings": ("findings", "核查结果"),
    "findings_title": ("Findings of the checks", "核查结果"),
    "check": ("check", "核查"),
    "gone": ("gone", "消失"),
    "come": ("new ones", "新增"),
    "absent": ("none", "无此项"),
    "old_amount": ("old amount", "旧金额"),
    "new_amount": ("new amount", "新金额"),
    "gone_on": ("{0}: gone e.g. on {1}", "{0}：消失的如 {1}"),
    "come_on": ("{0}: new ones e.g. on {1}", "{0}：新增的如 {1}"),
    "groups_title": ("Groups across bills", "跨账单的分组"),
    "across": (
        "groups of {0}: {1} computed by both, {2} changed; {3} by the old rulebook alone, {4} by the new one alone",
        "{0} 分组：双方均计算 {1} 组，有变 {2} 组；仅旧规则 {3} 组，仅新规则 {4} 组",
    ),
    "empty": ("(empty)", "（空）"),
    "lists_title": ("Rows of lists", "明细各行"),
    "rows": (
        "rows of {0}: {1} computed by both, {2} changed; {3} by the old rulebook alone, {4} by the new one alone",
        "{0} 各行：双方均计算 {1} 行，有变 {2} 行；仅旧规则 {3} 行，仅新规则 {4} 行",
    ),
    "rows_changed": ("rows changed", "有变行数"),
    "row_result": ("{0} is another in {1}", "{0} 有 {1} 行不同"),
    "row_example": ("bill {0}, row {1}: {2} {3} -> {4}", "账单 {0} 第 {1} 行：{2} {3} -> {4}"),
    "beside": (
        "What changes in rows of lists, in groups across bills and in findings is not attributed.",
        "明细各行、跨账单分组及核查提示的变化不作归因。",
    ),
    "groups_changed": ("groups changed", "有变组数"),
    "group_result": ("{0} is another in {1}", "{0} 有 {1} 组不同"),
    "group_example": ("{0}: {1} {2} -> {3}", "{0}：{1} {2} -> {3}"),
    "missing": ("missing", "缺"),
    # days
    "one_day": (
        "{0}: every bill is computed with the values of {1}, whatever its own day.",
        "{0}：不论账单日期，一律采用 {1} 的数值。",
    ),
    "one_day_near": (
        "{0}: in force {1} only, so every bill is computed with the values of {2}, the nearest day to {3}.",
        "{0}：仅在 {1} 有效，故一律采用 {2}（距 {3} 最近之日）的数值。",
    ),
    "one_day_bill": (
        "{0}: with the values of {1}, whatever the bill's own day.",
        "{0}：不论账单日期，采用 {1} 的数值。",
    ),
    "one_day_bill_near": (
        "{0}: in force {1} only, so with the values of {2}, the nearest day to {3}.",
        "{0}：仅在 {1} 有效，故采用 {2}（距 {3} 最近之日）的数值。",
    ),
    "one_day_other": (
        "Of {0} bills {1} are of days on which it has other values or is not in force; on {2} of these it is not in force.",
        "{0} 份账单中，{1} 份的日期另有数值或不在有效期内，其中 {2} 份不在有效期内。",
    ),
    "literals": (
        "Dates written in its rules are held against each bill's own dates as ever: {0}.",
        "规则中写明的日期仍与各账单自身的日期比较：{0}。",
    ),
    "force_from_to": ("from {0} to {1}", "{0} 至 {1}"),
    "force_from": ("from {0} on", "{0} 起"),
    "not_in_force_old": (
        "{0} bills are of days on which the old rulebook is not in force, and are refused by it. --as-of {1} computes all bills with the rules of that day.",
        "{0} 份账单的日期不在旧规则有效期内，被其拒绝。--as-of {1} 一律按该日的规则计算。",
    ),
    "not_in_force_new": (
        "{0} bills are of days on which the new rulebook is not in force, and are refused by it. --as-of {1} computes all bills with the rules of that day.",
        "{0} 份账单的日期不在新规则有效期内，被其拒绝。--as-of {1} 一律按该日的规则计算。",
    ),
    "later": (
        "The last bill is of {0}; changes that begin later move none, unless a rule takes a value of another day: {1}. --as-of {2} computes all bills with the rules of that day.",
        "最后一份账单为 {0}；其后才生效的变化不影响任何账单（规则另取他日数值者除外）：{1}。--as-of {2} 一律按该日的规则计算。",
    ),
    "later_one": ("{0} ({1})", "{0}（{1}）"),
    "earlier": (
        "Earlier bills stand as they were paid, under both: {0}.",
        "此前账单对双方均按当时结果计入：{0}。",
    ),
    "opening": (
        "Amounts before the first bill are the same under both: {0}.",
        "首份账单之前的累计对双方相同：{0}。",
    ),
    "unopened_old": (
        "{0} says nothing of what the old rulebook asks: {1}. Nothing is taken to have come before.",
        "{0} 未给出旧规则所用的 {1}，视为此前没有发生。",
    ),
    "unopened_new": (
        "{0} says nothing of what the new rulebook asks: {1}. Nothing is taken to have come before.",
        "{0} 未给出新规则所用的 {1}，视为此前没有发生。",
    ),
    "old earlier": ("Only the old rulebook looks at earlier bills.", "仅旧规则回看此前账单。"),
    "new earlier": ("Only the new rulebook looks at earlier bills.", "仅新规则回看此前账单。"),
    "old opening": ("Only the old rulebook reads amounts before the first bill.", "仅旧规则读取首份之前的累计。"),
    "new opening": ("Only the new rulebook reads amounts before the first bill.", "仅新规则读取首份之前的累计。"),
    # attribution
    "attribution": ("Which change moved which bills", "哪项变化影响哪些账单"),
    "none_moves": ("no bill comes out otherwise", "没有账单有变"),
    "attributed": (
        "{0} bills come out otherwise: {1} by one change alone, {2} by several that add up, {3} by changes that act on each other",
        "{0} 份账单有变：{1} 份仅由一项变化所致，{2} 份为几项之和，{3} 份为几项相互作用所致",
    ),
    "each": (
        "each change made by itself in the old rulebook, and what it does to {0} on these bills:",
        "将各项变化逐一单独放入旧规则，{0} 在这些账单上的变动：",
    ),
    "each_caption": ("Each change made by itself in the old rulebook", "各项变化逐一单独放入旧规则"),
    "change": ("change", "变化"),
    "alone": ("alone", "单独"),
    "rejects": ("rejects", "拒绝"),
    "accepts": ("accepts", "受理"),
    "interacting": ("acting on each other", "相互作用"),
    "along": (
        "{0} was made together with {1}: it does not stand without",
        "{0} 须与 {1} 一并放入，不能单独成立",
    ),
    "with": ("{0} (with {1})", "{0}（连同 {1}）"),
    "and_more": ("{0} and {1} more", "{0} 等（另 {1} 项）"),
    "mixed": (
        "bills on which changes act on each other, by the changes that move them by themselves:",
        "变化相互作用的账单，按单独即有影响的变化列出：",
    ),
    "mixed_caption": ("Bills on which changes act on each other", "变化相互作用的账单"),
    "mixed_head": ("changes", "变化"),
    "none_of_them": ("none of them", "均不单独影响"),
    "beyond": ("beyond their sum", "超出其和"),
    "more_mixed": (
        "and {0} more combinations: --format json lists them all",
        "另有 {0} 种组合，--format json 列出全部",
    ),
    "moved_none": ("{0}: this change moved no row", "{0}：此项变化未影响任何账单"),
    "cancel": (
        "Only bills that come out otherwise were run again: on others changes may cancel out.",
        "仅对结果有变的账单重新计算；其余账单上各项变化可能相互抵消。",
    ),
    "moved_none_beyond": (
        "{0}: this change moved no row beyond what {1} moves",
        "{0}：除{1}的影响外，此项变化未影响任何账单",
    ),
    "beyond_along": ("; its figures are what it adds to {0}", "；其数字为在{0}之外另增的部分"),
    "moved_none_itself": (
        "{0}: this change moved no row; it moves none by itself",
        "{0}：此项变化未影响任何账单，其本身不改变结果",
    ),
    "unmade": (
        "{0}: cannot be made by itself in the old rulebook; what it moves is among what changes do together",
        "{0}：无法单独放入旧规则；其影响计入各项变化的共同作用",
    ),
    "chart_changes": ("What each change does to {0}", "各项变化对 {0} 的影响"),
    "chart_changes_text": (
        "Each change made by itself in the old rulebook, on these bills: to the left it lowers {0}, to the right it raises it.",
        "将各项变化逐一单独放入旧规则，在这些账单上：向左为降低 {0}，向右为升高。",
    ),
    "footer": ("rxcalc {0}", "rxcalc {0}"),
}


def say(key: str, language: str, *values: object) -> str:
    """A fixed word or sentence in the reader's language, with values in its places."""
    return worded(PHRASES[key], language, *values)


def aspect(of: Aspect, language: str) -> str:
    """What of a thing changed."""
    if language != "zh" or of.key not in ASPECTS_ZH:
        return str(of)
    return ASPECTS_ZH[of.key].format(*of.args)


def subject(of: Subject, language: str) -> str:
    """A thing of a rulebook, or a part of one."""
    if language != "zh":
        return str(of)
    section = SECTIONS_ZH.get(of.section, of.section)
    whole = f"{section} {of.path}" if of.path else section
    return f"{whole}：{aspect(of.part, language)}" if of.part.key else whole


def word(text: str, language: str) -> str:
    """A fixed word."""
    return WORDS_ZH.get(text, text) if language == "zh" else text


def value(text: str, language: str) -> str:
    """What was or is: figures, words and the parts of schedules are put into words, formulas stay as they are written."""
    if language != "zh":
        return text
    pieces = [_piece(piece) for piece in text.split("; ")]
    return "；".join(pieces) if all(pieces) else word(text, language)


def _piece(text: str) -> str:
    for pattern, chinese in _PIECES:
        found = pattern.fullmatch(text)
        if found is not None:
            return chinese.format(*found.groups())
    return ""


def refusal(code: str, message: str, language: str) -> str:
    """Why a bill is refused: in Chinese what the code means, then the message as it is written everywhere."""
    told = shown(message, 200)
    if language != "zh" or code not in REFUSALS_ZH:
        return f"{code} {told}"
    return f"{code} {REFUSALS_ZH[code]}（{told}）"
