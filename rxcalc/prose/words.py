"""The words that rules are written with, in English and Chinese. `{a}`, `{b}` .. stand for what is filled in.

Every template says where its parts begin and end, or `expressions.py` puts brackets around a part that would not;
so no sentence can be read in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rxcalc.prose.model import Run, Sentence

VALUES: Final[dict[str, tuple[str, str]]] = {
    "bracket": ("({a})", "（{a}）"),
    "negate": ("the negative of {a}", "{a}的相反数"),
    "plus": ("{a} plus {b}", "{a}加{b}"),
    "minus": ("{a} minus {b}", "{a}减{b}"),
    "times": ("{a} times {b}", "{a}乘以{b}"),
    "percent_of": ("{a} of {b}", "{b}的{a}"),
    "divided": ("{a} divided by {b}", "{a}除以{b}"),
    "smaller": ("the smaller of {a} and {b}", "{a}与{b}中的较小者"),
    "larger": ("the larger of {a} and {b}", "{a}与{b}中的较大者"),
    "earlier": ("the earlier of {a} and {b}", "{a}与{b}中的较早者"),
    "later": ("the later of {a} and {b}", "{a}与{b}中的较晚者"),
    "smallest": ("the smallest of {a}", "{a}中的最小者"),
    "largest": ("the largest of {a}", "{a}中的最大者"),
    "earliest": ("the earliest of {a}", "{a}中的最早者"),
    "latest": ("the latest of {a}", "{a}中的最晚者"),
    "last_of": (" and ", "与"),
    "comma": (", ", "、"),
    "at_least": ("{a}, but at least {b}", "{a}，但不低于{b}"),
    "at_most": ("{a}, but at most {b}", "{a}，但不高于{b}"),
    "clamp": ("{a}, but at least {b} and at most {c}", "{a}，但不低于{b}、不高于{c}"),
    "abs": ("{a} without its sign", "{a}的绝对值"),
    "round": ("{a} rounded {m} to a multiple of {b}", "{a}按{b}的整倍数{m}"),
    "floor": ("{a} rounded down to a multiple of {b}", "{a}向下取至{b}的整倍数"),
    "ceil": ("{a} rounded up to a multiple of {b}", "{a}向上取至{b}的整倍数"),
    "power": ("{a} to the power of {b}", "{a}的{b}次方"),
    "root": ("the root of degree {b} of {a}", "{a}的{b}次方根"),
    "default": ("{a}, or {b} where that is missing", "{a}（缺失时取{b}）"),
    "if": ("{b} if {a}, and otherwise {c}", "若{a}则取{b}、否则取{c}"),
    "whether": ("whether {a}", "是否{a}"),
    "year": ("the year of {a}", "{a}所在年份"),
    "month": ("the month of {a}", "{a}所在月份"),
    "day": ("the day of the month of {a}", "{a}的日数"),
    "date": ("the date with year {a}, month {b} and day {c}", "年为{a}、月为{b}、日为{c}的日期"),
    "age": ("the age in whole years on {b} of somebody born on {a}", "{a}出生者在{b}的周岁年龄"),
    "days_between": ("the days from {a} to {b}", "自{a}至{b}的天数"),
    "months_between": ("the whole months from {a} to {b}", "自{a}至{b}的整月数"),
    "first_day_month": ("the first day of the month of {a}", "{a}所在月的第一天"),
    "first_day_quarter": ("the first day of the quarter of {a}", "{a}所在季度的第一天"),
    "first_day_year": ("the first day of the year of {a}", "{a}所在年的第一天"),
    "first_day": ("the first day of the year given by {a}", "{a}的第一天"),
    "first_day_of": ("the first day of the year {a}", "{a}年的第一天"),
    "last_day_month": ("the last day of the month of {a}", "{a}所在月的最后一天"),
    "last_day_quarter": ("the last day of the quarter of {a}", "{a}所在季度的最后一天"),
    "last_day_year": ("the last day of the year of {a}", "{a}所在年的最后一天"),
    "last_day": ("the last day of the year given by {a}", "{a}的最后一天"),
    "last_day_of": ("the last day of the year {a}", "{a}年的最后一天"),
    "days": ("{a} as a number of days", "按天数计的{a}"),
    "months": ("{a} as a number of months", "按月数计的{a}"),
    "years": ("{a} as a number of years", "按年数计的{a}"),
    "as_count": ("{a} as a whole number", "按整数计的{a}"),
    "as_percent": ("{a} as a percentage", "按百分比计的{a}"),
    "as_number": ("{a} as a plain number", "按纯数值计的{a}"),
    "key": ("{a} for {b}", "{b}对应的{a}"),
    "keys": ("{a} (for {b})", "（{b}）对应的{a}"),
    "key_then": (", ", "、"),
    "at": ("{a} (as of {b})", "{a}（按{b}）"),
    "cell": ("{a} in {b} for {c}", "{b}中{c}对应的{a}"),
    "cells": ("{a} in {b} (for {c})", "{b}中（{c}）对应的{a}"),
    "of_own": ("{a} of its group {b}", "所属{b}的{a}"),
    "of_group": ("{a} of the group {b} for {c}", "{c}对应的{b}的{a}"),
    "of_groups": ("{a} of the group {b} (for {c})", "（{c}）对应的{b}的{a}"),
    "this": ("{a} of this {b}", "本{b}的{a}"),
    "its_episode": ("{a} of its episode", "其所属就诊的{a}"),
    "bands_to": ("what the bands of {s} give on {b}", "按{s}对{b}分段计算之和"),
    "bands": ("what the bands of {s} give on the part from {a} to {b}", "按{s}对自{a}至{b}的部分分段计算之和"),
    "band_to": ("what band number {n} of {s} gives on {b}", "按{s}第{n}段对{b}计算之额"),
    "band": (
        "what band number {n} of {s} gives on the part from {a} to {b}",
        "按{s}第{n}段对自{a}至{b}的部分计算之额",
    ),
    "reach_to": (
        "the smallest amount up to {b} on which the bands of {s} give {t}",
        "不超过{b}而按{s}分段计算之和达到{t}的最小金额",
    ),
    "reach": (
        "the smallest amount from {a} up to {b} such that the bands of {s} give {t} on the part from {a} to it",
        "自{a}起至{b}止、使按{s}自{a}起分段计算之和达到{t}的最小金额",
    ),
    "mapped": ("{a}, each rate {b} being replaced by {c}", "{a}（其中各段比例{b}改按{c}）"),
    "slice": ("the value that {s} has for {a}", "{s}在{a}处的取值"),
    "along": ("the point of the curve {s} at {a}", "曲线{s}在{a}处的取值"),
    "over_days": (
        "{s} added up over the days from {a} until the day before {b}",
        "{s}自{a}起至{b}前一日止逐日相加之和",
    ),
    "sum": ("the sum of {v} over {r}", "{r}的{v}之和"),
    "count": ("the number of {r}", "{r}的个数"),
    "count_values": ("the number of values of {v} among {r}", "{r}中{v}的个数"),
    "count_distinct": ("the number of different values of {v} among {r}", "{r}中{v}不同取值的个数"),
    "min": ("the smallest value of {v} among {r}", "{r}中{v}的最小值"),
    "max": ("the largest value of {v} among {r}", "{r}中{v}的最大值"),
    "first": ("{v} in the first of {r}", "{r}中第一个的{v}"),
    "last": ("{v} in the last of {r}", "{r}中最后一个的{v}"),
    "rank": ("the place of {v} among {r}, the largest first", "{v}在{r}中由大到小的名次"),
    "where": ("{a} of which {b}", "{a}（限{b}者）"),
}  # fmt: skip
"""Values."""

CONDITIONS: Final[dict[str, tuple[str, str]]] = {
    "equal": ("{a} is {b}", "{a}为{b}"),
    "unequal": ("{a} is not {b}", "{a}不是{b}"),
    "less": ("{a} is less than {b}", "{a}低于{b}"),
    "at_most": ("{a} is not more than {b}", "{a}不高于{b}"),
    "more": ("{a} is more than {b}", "{a}高于{b}"),
    "at_least": ("{a} is not less than {b}", "{a}不低于{b}"),
    "equal_number": ("{a} equals {b}", "{a}等于{b}"),
    "unequal_number": ("{a} does not equal {b}", "{a}不等于{b}"),
    "less_date": ("{a} is before {b}", "{a}早于{b}"),
    "at_most_date": ("{a} is not after {b}", "{a}不晚于{b}"),
    "more_date": ("{a} is after {b}", "{a}晚于{b}"),
    "at_least_date": ("{a} is not before {b}", "{a}不早于{b}"),
    "less_rank": ("{a} is below {b}", "{a}低于{b}"),
    "at_most_rank": ("{a} is not above {b}", "{a}不高于{b}"),
    "more_rank": ("{a} is above {b}", "{a}高于{b}"),
    "at_least_rank": ("{a} is not below {b}", "{a}不低于{b}"),
    "between": ("{a} lies from {b} to {c}, both included", "{a}在{b}至{c}之间（含两端）"),
    "in": ("{a} is one of ({b})", "{a}为（{b}）之一"),
    "has": ("{a} holds {b}", "{a}含{b}"),
    "meets": ("{a} shares a code with {b}", "{a}与{b}有相同编码"),
    "listed": ("{a} is listed in {b}", "{b}列有{a}"),
    "listed_keys": ("({a}) is listed in {b}", "{b}列有（{a}）"),
    "known": ("{a} is known", "{a}已知"),
    "missing": ("{a} is missing", "{a}缺失"),
    "yes": ("{a} is yes", "{a}为“是”"),
    "no": ("{a} is no", "{a}为“否”"),
    "unlisted": ("{a} is not listed in {b}", "{b}未列有{a}"),
    "unlisted_keys": ("({a}) is not listed in {b}", "{b}未列有（{a}）"),
    "lacks": ("{a} does not hold {b}", "{a}不含{b}"),
    "apart": ("{a} shares no code with {b}", "{a}与{b}没有相同编码"),
    "not_in": ("{a} is none of ({b})", "{a}不是（{b}）之一"),
    "not": ("it does not hold that ({a})", "并非（{a}）"),
    "and": (" and ", "，且"),
    "or": (" or ", "，或"),
    "any": ("for at least one of {r} it holds that ({v})", "{r}中至少有一个满足（{v}）"),
    "all": ("for each of {r} it holds that ({v})", "{r}中每一个都满足（{v}）"),
}  # fmt: skip
"""Conditions."""

LISTS: Final[dict[str, tuple[str, str]]] = {
    "smaller": ("the smaller of the following two:", "下列两项中的较小者："),
    "larger": ("the larger of the following two:", "下列两项中的较大者："),
    "earlier": ("the earlier of the following two:", "下列两项中的较早者："),
    "later": ("the later of the following two:", "下列两项中的较晚者："),
    "smallest": ("the smallest of the following:", "下列各项中的最小者："),
    "largest": ("the largest of the following:", "下列各项中的最大者："),
    "earliest": ("the earliest of the following:", "下列各项中的最早者："),
    "latest": ("the latest of the following:", "下列各项中的最晚者："),
    "sum": ("the following added up:", "下列各项合计："),
    "less": ("minus {a}", "减去{a}"),
    "subtracted": ("to be subtracted: {a}", "应减去：{a}"),
    "product": ("the first of the following times the second:", "下列第一项乘以第二项："),
    "quotient": ("the first of the following divided by the second:", "下列第一项除以第二项："),
    "clamp": (
        "the first of the following, but at least the second and at most the third:",
        "下列第一项，但不低于第二项、不高于第三项：",
    ),
    "default": (
        "the first of the following, or the second where that is missing:",
        "下列第一项（缺失时取第二项）：",
    ),
    "cases": ("what the first of these cases that applies gives:", "按下列第一个成立的情形所得之值："),
    "case": ("if {a}: {b}{r}", "若{a}：{b}{r}"),
    "case_value": ("if {a}{r}: {b}", "若{a}{r}：{b}"),
    "case_condition": ("{b}{r} if {a}", "{b}{r}，适用条件：{a}"),
    "case_both": ("if the condition in {a} holds, the value in {b}{r}:", "若{a}的条件成立，则取{b}之值{r}："),
    "reason": (" (reason: {a})", "（理由：{a}）"),
    "the_condition": ("condition: {a}", "条件：{a}"),
    "the_value": ("value: {a}", "数值：{a}"),
    "otherwise": ("otherwise: {a}{r}", "其他情形：{a}{r}"),
    "otherwise_value": ("otherwise{r}: {a}", "其他情形{r}：{a}"),
    "and": ("all of the following hold:", "下列各项均成立："),
    "or": ("at least one of the following holds:", "下列至少一项成立："),
    "not": ("it does not hold that the following is so:", "并非如下："),
    "added_up": ("the following added up", "下列各项合计"),
    "following": ("the following", "下列数额"),
    "first_of": ("the first of the following", "下列第一项"),
    "second": ("the second", "第二项"),
    "colon": (":", "："),
    "quotient_of": ("{a},", "（{a}）"),
    "this": ("this", "此项"),
    "value": ("the value", "其值"),
    "rows_where": ("{a}, counting only those of which {b}", "{a}，仅计符合此条件者：{b}"),
    "rows": ("{a}, as follows:", "{a}，具体如下："),
    "row_value": ("the value of each: {a}", "各个的数值：{a}"),
    "row_where": ("only those of which: {a}", "仅限符合此条件者：{a}"),
    "bands": ("what the bands of {s} give, as follows:", "按{s}分段计算之和，具体如下："),
    "band": ("what band number {n} of {s} gives, as follows:", "按{s}第{n}段计算之额，具体如下："),
    "reach": (
        "the smallest amount at which the bands of {s} reach a target, as follows:",
        "使按{s}分段计算之和达到目标的最小金额，具体如下：",
    ),
    "range_from": ("from: {a}", "起：{a}"),
    "range_to": ("to: {a}", "止：{a}"),
    "range_on": ("on the whole of: {a}", "对全部：{a}"),
    "target": ("target: {a}", "目标：{a}"),
    "each_rate": ("each rate {b} being replaced by: {a}", "各段比例{b}改按：{a}"),
}  # fmt: skip
"""What opens a list of points."""


def fill(template: str, parts: Mapping[str, Sentence]) -> Sentence:
    """A template with its parts, in one pass: what a label holds in braces stays as it is."""
    runs: list[Run] = []
    head, *rest = template.split("{")
    if head:
        runs.append(Run(head))
    for piece in rest:
        name, _, text = piece.partition("}")
        runs.extend(parts[name])
        if text:
            runs.append(Run(text))
    return tuple(runs)
