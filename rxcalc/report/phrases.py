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
    "sources": ("Sources", "来源"),
    "refused": ("REFUSED", "不予计算"),
    "set_by_hand": ("set by hand, not from the file", "手工设定，非文件所载"),
    "defaulted": ("filled with its default", "采用默认值"),
    "rest": ("what is left", "余额"),
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
