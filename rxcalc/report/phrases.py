"""The fixed words of reports, in English and Chinese."""

from __future__ import annotations

from typing import Final

WORDS_ZH: Final = {
    "yes": "是", "no": "否", "missing": "缺", "sourced": "有来源", "illustrative": "示意", "fictional": "虚构", "otherwise": "其他情形",
    "half-up": "四舍五入", "half-even": "四舍六入五成双", "half-down": "五舍六入", "up": "进位", "down": "舍去",
}  # fmt: skip


def word(text: str, language: str) -> str:
    """A single fixed word in the reader's language; other texts stay as they are."""
    return WORDS_ZH.get(text, text) if language == "zh" else text


PHRASES: Final[dict[str, tuple[str, str]]] = {
    "episode": ("Episode", "就诊"),
    "steps": ("Step by step", "逐步计算"),
    "results": ("Results", "结果"),
    "shares": ("Who bears each yuan", "每一元由谁承担"),
    "of": ("of", "共"),
    "totals": ("Totals", "合计"),
    "clause": ("case", "情形"),
    "because": ("because", "理由"),
    "formula": ("formula", "公式"),
    "figures": ("figures", "代入"),
    "exact": ("exact", "精确值"),
    "rounded": ("rounded", "取整"),
    "uses": ("uses", "引用"),
    "source": ("source", "依据"),
    "place": ("rule at", "规则位置"),
    "note": ("note", "说明"),
    "not_applied": ("not this", "未适用"),
    "bands": ("bands", "分段"),
    "since": ("since", "自"),
    "rate_from": ("from", "原"),
    "windows": ("From earlier episodes", "累计情况"),
    "opening": ("opening amount given", "含期初数"),
    "none_before": ("none before", "此前无"),
    "assumptions": ("Assumptions", "假设"),
    "assumed": (
        "counts as nothing before the first episode listed: give it under `so_far:` if there was something",
        "视为此前为零；如有请写入 so_far:",
    ),
    "until": ("to", "至"),
    "reverses": (
        "This episode REVERSES {0}: its results are those of {0} with the sign changed, none was computed anew; neither counts in a window from here on.",
        "本单冲销 {0}：结果为 {0} 的结果取反，未重新计算；自此两者均不计入累计。",
    ),
    "affected": ("Computed between, keeps its amounts:", "其间已计算、金额不变："),
    "sources": ("Sources", "来源"),
    "refused": ("REFUSED", "不予计算"),
    "set_by_hand": ("set by hand, not from the file", "手工设定，非文件所载"),
    "defaulted": ("filled with its default", "采用默认值"),
    "rest": ("what is left", "余额"),
    "over": ("over", "涉及"),
    "group": ("group", "分组"),
    "members": ("from", "来自"),
    "given": ("given", "已知"),
    "amount": ("amount", "金额"),
    "on_row": ("on", "位置"),
    "together": ("adds up", "合计"),
    "rows": ("{0} rows", "{0} 行"),
    "rows_1": ("one row", "1 行"),
    "no_rows": ("no rows", "无"),
    "episodes": ("episodes", "就诊"),
    "none_of": ("no {0}", "无 {0}"),
    "in_all": (", .. {0} in all", "、.. 共 {0}"),
    "not_so": ("not {0}", "{0} 不符"),
    "none_holds": ("none of {0}", "{0} 均不符"),
    "part_of": (
        "part of {0}, which gives {1} in {2} parts by largest remainder",
        "{0} 的一份：{1} 按最大余数法分为 {2} 份",
    ),
    "part_of_1": ("all of what {0} gives, {1}", "{0} 的全部：{1}"),
    "group_computed": ("computed from {0} members", "由 {0} 个成员计算"),
    "group_computed_1": ("computed from one member", "由 1 个成员计算"),
    "group_given": ("given, not computed here", "给定，未在此计算"),
    "group_input": ("given for the group", "分组的已知值"),
    "group_key": ("key of the group", "分组的键"),
    "group_none": ("there is no such group", "无此分组"),
    "group_lost": ("INCOMPLETE, a member was refused", "不完整，有成员被拒"),
    "groups": ("Groups behind this bill", "相关分组"),
    "given_group": ("its results are given, not computed here:", "结果为给定，未在此计算："),
    "refused_members": ("refused", "被拒"),
    "members_refused": ("{0} members: its amounts are not final", "{0} 个成员被拒，金额未定"),
    "members_refused_1": ("one member: its amounts are not final", "1 个成员被拒，金额未定"),
    "group_incomplete": (
        "INCOMPLETE (group_incomplete): members of {0} were refused, so what this bill reads of it is not final.",
        "不完整（group_incomplete）：{0} 有成员被拒，本单据此所得的金额未定。",
    ),
    "info": ("note", "提示"),
    "warn": ("warning", "警告"),
    "error": ("ERROR", "错误"),
    "checks": ("Findings", "核查"),
    "remainder": ("largest remainder", "最大余数法"),
    "remainder_told": (
        "largest remainder: cut to the minor unit, the units left over to the largest rests",
        "最大余数法：舍至最小单位，余下单位归余数最大者",
    ),
    "label_sep": (": ", "："),
    "status_fictional": (
        "Values in this rulebook are partly or wholly FICTIONAL: not a real tariff.",
        "本规则含虚构数值，不是真实待遇标准。",
    ),
    "status_illustrative": (
        "Some values are ILLUSTRATIVE: not confirmed by a source.",
        "部分数值仅为示意，未经来源证实。",
    ),
    "status_unmarked": ("Some values carry no evidence mark.", "部分数值未标明依据。"),
}


def phrase(key: str, language: str) -> str:
    """A fixed word or sentence in the reader's language."""
    english, chinese = PHRASES[key]
    return chinese if language == "zh" else english
