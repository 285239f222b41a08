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
    "not_applied": ("Not applied", "未适用"),
    "tested": ("tested", "条件"),
    "reason": ("{0}, because {1}", "{0}，因为{1}"),
    "limit": ("limit", "界限"),
    "weights": ("weights", "权重"),
    "given_amount": ("divides", "分配额"),
    "rounded_to": ("{0} to {1}", "{0} 至 {1}"),
    "each_rounded": ("each rounded {0}", "各段{0}"),
    "slice": ("{0} for {1} ({2})", "{1} 对应 {0}（{2}）"),
    "slice_from": ("from {0}", "自 {0}（含）"),
    "slice_from_without": ("above {0}", "{0} 以上"),
    "slice_to": ("up to {0}", "至 {0}（含）"),
    "slice_to_without": ("below {0}", "不足 {0}"),
    "point": ("{0} at {1}", "{1} 处为 {0}"),
    "in_place_of": ("in place of", "原为"),
    "by_hand": ("set by hand, not the rulebook's", "手工设定，非规则所载"),
    "zeros": ("{0} of {1}", "{0} 个 {1}"),
    "zero_parts": ("and {0} parts of {1}", "另有 {0} 个部分为 {1}"),
    "zeros_rows": ("{0} and {1}", "{0}，另有{1}"),
    "for_episode": ("{0} ({1}, {2})", "{0}（{1}，{2}）"),
    "for_episode_only": ("{0} ({1})", "{0}（{1}）"),
    "opened": ("{0} (opening amount)", "{0}（期初数）"),
    "seen_window": ("seen", "所见"),
    "laid_over": ("laid over {0}", "基于 {0}"),
    "rules": ("Rules", "规则"),
    "share_of": ("divides {0}", "分配 {0}"),
    "low": ("from", "起"),
    "high": ("to", "止"),
    "length": ("length", "区间"),
    "rate": ("rate", "比例"),
    "part_amount": ("amount", "金额"),
    "bands": ("bands", "分段"),
    "since": ("since", "自"),
    "rate_from": ("from", "原"),
    "windows": ("From earlier episodes", "来自此前就诊"),
    "opening": ("opening amount given", "含期初数"),
    "item": ("item", "项目"),
    "value": ("value", "结果"),
    "row": ("row", "行"),
    "bearer": ("borne by", "承担方"),
    "part": ("part", "部分"),
    "reason_code": ("reason", "原因代码"),
    "period": ("days", "期间"),
    "none_before": ("none before", "此前无"),
    "assumptions": ("Assumptions", "假设"),
    "assumed": (
        "Nothing is taken to have come before the first episode listed. If something did, give it under `so_far:`:",
        "列出的首次就诊之前视为没有发生；如有，请写入 so_far: ",
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
    "refused_en": ("{0}", "以下为系统原文：{0}"),
    "rows": ("{0} rows", "{0} 行"),
    "rows_1": ("one row", "1 行"),
    "no_rows": ("no rows", "无"),
    "lines": ("lines", "明细"),
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
    return worded(PHRASES[key], language)


def worded(words: tuple[str, str], language: str, *values: object) -> str:
    """The English or Chinese one of two texts, with values in its places where there are any."""
    english, chinese = words
    text = chinese if language == "zh" else english
    return text.format(*values) if values else text


REFUSALS_ZH: Final[dict[str, str]] = {
    "RX711": "规则中出现除数为零", "RX712": "规则得出不存在的日期", "RX713": "应为整数的数值不是整数",
    "RX714": "分段的起止数为负数", "RX715": "调整后的比例不在0%至100%之间", "RX716": "数值超出曲线范围",
    "RX717": "乘方的底数或根数不合规", "RX718": "数值过大，无法计算", "RX721": "按规则不予受理", "RX722": "不符合规则的前提条件",
    "RX723": "规则在该日期无效", "RX724": "参数在该日期没有数值", "RX731": "表中没有对应的行", "RX801": "各方承担之和与总额不符",
    "RX802": "承担额不能为负数", "RX803": "结果违反规则的保证条款", "RX804": "规则给出的合计与各部分之和不符",
    "RX805": "同一顺序号出现两次", "RX806": "分摊权重缺失或为负数", "RX807": "没有可供分摊的对象", "RX808": "缺少必需的明细",
    "RX809": "所属分组不予计算", "RX811": "所依据的另一单不予计算", "RX813": "找不到被冲销的单", "RX814": "该单已被冲销",
    "RX815": "冲销单不能再被冲销", "RX818": "两单的先后顺序无法确定", "RX820": "明细行数过多", "RX821": "未给出所需的分组结果",
    "RX822": "未给出分组的已知值", "RX901": "两种计算方式结果不一致，请报告此问题", "RX902": "程序内部错误，请报告此问题",
}  # fmt: skip
"""What a refusal says first in Chinese; the message itself names fields and figures."""
