"""The sentences of audits, in English and Chinese: fixed templates over labels and figures."""

from __future__ import annotations

from typing import Final

from rxcalc.bill.audit import Audited
from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.charged import ChargedAmount
from rxcalc.bill.limits import caps
from rxcalc.bill.search import Hypothesis
from rxcalc.lang.types import FLAG, Type
from rxcalc.plan.nodes import PlanSetValue, Value
from rxcalc.report.bearers import bearer_of, total_label
from rxcalc.report.phrases import word
from rxcalc.report.wording import Wording, in_language

PHRASES: Final[dict[str, tuple[str, str]]] = {
    "title": ("Audit of bill {0}", "账单 {0} 核对结果"),
    "heading": ("{0}: {1}", "{0}：{1}"),
    "amounts": ("Amounts charged, in the order of the bill", "账单金额（按账单顺序）"),
    "amount": ("amount", "项目"),
    "charged": ("charged", "账单"),
    "ours": ("by the rules", "按规则"),
    "difference": ("difference", "差额"),
    "equal": ("equal", "一致"),
    "within": ("within tolerance", "在容差内"),
    "differs": ("differs", "不一致"),
    "absent": ("not computed", "未算出"),
    "tolerance": ("Tolerance: {0}.", "容差：{0}。"),
    "all_equal": ("All {0} charged amounts are those of the rules.", "账单所列 {0} 项金额均与规则一致。"),
    "all_equal_1": ("The one charged amount is that of the rules.", "账单所列的 1 项金额与规则一致。"),
    "all_within": (
        "All {0} charged amounts are those of the rules, {1} of them within the tolerance only.",
        "账单所列 {0} 项金额均与规则相符，其中 {1} 项仅在容差内相符。",
    ),
    "all_within_1": (
        "The one charged amount is that of the rules within the tolerance, not to the fen.",
        "账单所列的 1 项金额仅在容差内与规则相符。",
    ),
    "first": ("The first that differs: {0}", "第一处不一致：{0}"),
    "charged_is": ("charged {0}, by the rules {1}: {2} {3}", "账单为 {0}，按规则为 {1}：{3} {2}"),
    "charged_other": ("charged {0}, by the rules {1}", "账单为 {0}，按规则为 {1}"),
    "more": ("too much", "多计"),
    "less": ("too little", "少计"),
    "causes": ("What would explain it", "可能的原因"),
    "tried": ("{0} single changes were tried: {1}.", "共试单项改变 {0} 种：{1}。"),
    "tried_all": ("{0} give every charged amount", "{0} 种可得出账单全部金额"),
    "tried_all_1": ("one gives every charged amount", "1 种可得出账单全部金额"),
    "tried_part": ("{0} only this amount", "{0} 种仅可得出该金额"),
    "tried_part_alone": ("{0} give this amount, but not the others", "{0} 种仅可得出该金额，得不出其他金额"),
    "tried_part_alone_1": ("one gives this amount, but not the others", "1 种仅可得出该金额，得不出其他金额"),
    "tried_thin": ("{0} by one wrong digit", "{0} 种只是一个数字之差"),
    "thin": (
        ("No single change is a likely cause. One wrong digit in another figure would do: {0} But only one charged amount differs, "
        "and any amount can be had so; it may as well be misprinted itself."),
        "没有任何单项改变可视为可能的原因。另一数字错一位亦可得出：{0}但账单只有一项金额不一致，任何金额均可如此得出，也可能是该金额本身印错。",
    ),
    "tried_none": ("none gives this amount", "均不能得出该金额"),
    "not_charged": ("no value is charged, by the rules {0}", "账单未列数值，按规则为 {0}"),
    "none_by_rules": ("charged {0}, by the rules no value", "账单为 {0}，按规则无数值"),
    "patient_more": (
        "By the rules the patient would pay {0} MORE than is charged. An objection would not help the patient.",
        "按规则，个人应支付的金额比账单多 {0}。提出异议对个人并无好处。",
    ),
    "patient_equal": (
        "What the patient pays in all is charged as the rules have it; what differs concerns other payers, or how the amount is made up.",
        "个人支付合计与规则一致；不一致之处只涉及其他支付方或金额构成。",
    ),
    "patient_less": ("By the rules the patient would pay {0} less than is charged.", "按规则，个人应支付的金额比账单少 {0}。"),
    "sum_of_totals": (
        "The charged shares add up to {0}, the amount that is divided is {1}: they contradict each other, or the bill.",
        "账单所列各方支付合计 {0}，而应分摊的金额为 {1}：账单数字前后矛盾。",
    ),
    "sum_of_parts": (
        "The charged parts of “{2}” add up to {0}, but {1} is charged in all: they contradict each other.",
        "账单所列“{2}”各部分合计 {0}，而其合计列为 {1}：账单数字前后矛盾。",
    ),
    "reversal": (
        "This bill reverses {0}: by the rules every amount is that of {0} with the other sign. No rule is applied to it, so nothing was searched.",
        "本单冲销 {0}：各项金额应为 {0} 的相反数，不另适用规则，故未查找原因。",
    ),
    "more_behind": ("{0} more steps are behind it; `rxcalc explain` shows them all.", "另有 {0} 步，见 `rxcalc explain`。"),
    "only_one": (
        "Only one amount is charged, so it has to carry the proof alone: add more figures of the bill under `charged:`.",
        "账单只给出一项金额，仅凭它判断；请在 charged: 下补充账单上的其他金额。",
    ),
    "no_cause": (
        "No single change explains all charged amounts. More than one thing may be wrong, or something that was not tried.",
        "没有任何单项改变能得出账单全部金额；可能不止一处有误，或属于未试的情形。",
    ),
    "all_reproduced": ("Every charged amount comes out so.", "账单各项金额均可由此得出。"),
    "all_within_tolerance": (
        "Every charged amount comes out so within the tolerance, not to the fen: {0}.",
        "账单各项金额在容差内可由此得出，但并非分毫不差：{0}。",
    ),
    "also": ("The same with: {0}.", "以下亦同：{0}。"),
    "partly": ("Explains this amount but not the others", "可得出该金额，但得不出其他金额"),
    "partly_told": ("{0} of {1} charged amounts come out; not {2}.", "账单 {1} 项金额中可得出 {0} 项；不符：{2}。"),
    "more_partly": ("and {0} more (all in --format json)", "另有 {0} 种（见 --format json）"),
    "fitted": ("A figure of the bill in the place of a value of the rules (no cause by itself)", "以账单数字代替规则数值（本身不构成原因）"),
    "unread": ("Not tried: {0} ({1})", "未试：{0}（{1}）"),
    "in_part": (
        "Of the {1} rows of “{0}” not every field was tried: the list is long.",
        "“{0}”共 {1} 行，明细较多，各行字段只试其中一部分。",
    ),
    "band": ("from {0} to {1}: {2} at {3} = {4}", "{0} 至 {1}：{2}，比例 {3}，得 {4}"),
    "rule": ("The rule", "规则"),
    "source": ("Source: {0}.", "依据：{0}。"),
    "refused": ("By the rules this bill is refused ({0}): {1}", "按规则该单不予计算（{0}）：{1}"),
    "checks": ("Findings on the bill", "账单检查"),
    "no_checks": ("The rulebook's checks find nothing on this bill.", "规则检查未发现问题。"),
    "assumptions": ("Assumed: nothing came before the bill that was not listed ({0}).", "假设：所列之外此前无其他就诊（{0}）。"),
    "finding": ("{0}: {1}", "{0}：{1}"),
    "finding_on": ("{0}, {1}: {2}", "{0}，{1}：{2}"),
    "finding_amount": ("amount {0}", "金额 {0}"),
    "error": ("error", "错误"),
    "warn": ("warning", "警告"),
    "info": ("note", "提示"),
    "sources": ("Sources", "来源"),
    "earlier_too": (" This holds for the earlier episodes too.", "此前各次就诊亦同。"),
    "open": ("left open", "未填"),
    "one_like_it": ("a bill like this one before it", "此前另有一次与本单相同的就诊"),
    "one_more": ("one more episode before it", "此前多计一次就诊"),
    "nothing": ("nothing", "无"),
    "no_value": ("no value", "未规定数值"),
    "no_limit": ("no limit", "不设限额"),
    "as_before": ("as it was {0}", "{0}"),
    "as_after": ("as it will be {0}", "{0}"),
    "row": ("{0}, row {1}", "{0}第 {1} 行"),
}  # fmt: skip

LONGEST_CALL: Final = 40
"""Of longer calls a sentence names only what is called: their conditions are for those who read rulebooks."""

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "input": ("{l} is {a} for {f}: {now}; the bill says {was}.", "{f}为{now}时，{l}为 {a}；账单所载为{was}。"),
    "input_none": ("{l} is {a} where {f} is left open; the bill says {was}.", "{f}未填时，{l}为 {a}；账单所载为{was}。"),
    "input_new": ("{l} is {a} for {f}: {now}; the bill leaves it open.", "{f}为{now}时，{l}为 {a}；账单未填此项。"),
    "row_input": ("{l} is {a} with {r}, {f}: {now}; the bill says {was}.", "{r}的{f}为{now}时，{l}为 {a}；账单所载为{was}。"),
    "row_input_none": ("{l} is {a} with {r}, {f} left open; the bill says {was}.", "{r}的{f}未填时，{l}为 {a}；账单所载为{was}。"),
    "row_input_new": ("{l} is {a} with {r}, {f}: {now}; the bill leaves it open.", "{r}的{f}为{now}时，{l}为 {a}；账单未填此项。"),
    "row_left_out": ("{l} is {a} without {r}.", "不计{r}时，{l}为 {a}。"),
    "row_twice": ("{l} is {a} with {r} counted twice.", "{r}重复计算时，{l}为 {a}。"),
    "earlier_left_out": ("{l} is {a} if the earlier episode {n} does not count.", "不计此前就诊 {n} 时，{l}为 {a}。"),
    "earlier_all_out": ("{l} is {a} if none of the {now} earlier episodes counts.", "此前 {now} 次就诊均不计时，{l}为 {a}。"),
    "earlier_same": ("{l} is {a} if a bill like this one came before it.", "此前另有一次与本单相同的就诊时，{l}为 {a}。"),
    "earlier_free": (
        "{l} is {a} if one more episode came before it, by its number alone.",
        "此前多计一次就诊（仅计次数）时，{l}为 {a}。",
    ),
    "group_result": ("{l} is {a} for {f} of {g}: {now}; the file says {was}.", "{g}的{f}为{now}时，{l}为 {a}；文件所载为{was}。"),
    "group_result_none": ("{l} is {a} where {f} of {g} is left open; the file says {was}.", "{g}的{f}未填时，{l}为 {a}；文件所载为{was}。"),
    "whole_stay_before": (
        "{l} is {a} if the whole bill lay {d} days earlier, with {f}: {now}; the bill says {was}.",
        "若本单各日期均提前 {d} 天（{f}为{now}），{l}为 {a}；账单所载为{was}。",
    ),
    "whole_stay_after": (
        "{l} is {a} if the whole bill lay {d} days later, with {f}: {now}; the bill says {was}.",
        "若本单各日期均推后 {d} 天（{f}为{now}），{l}为 {a}；账单所载为{was}。",
    ),
    "so_far": ("{l} is {a} with {n} = {now} before this bill; the file says {was}.", "此前 {n} 为 {now} 时，{l}为 {a}；文件所载为{was}。"),
    "so_far_count": (
        "{l} is {a} if {now} earlier episodes had counted before this bill ({n}); the file says {was}.",
        "此前计入的就诊为 {now} 次（{n}）时，{l}为 {a}；文件所载为{was}。",
    ),
    "so_far_count_1": (
        "{l} is {a} if one earlier episode had counted before this bill ({n}); the file says {was}.",
        "此前计入的就诊为 1 次（{n}）时，{l}为 {a}；文件所载为{was}。",
    ),
    "so_far_none": ("{l} is {a} if nothing is counted for {n}; the file says {was}.", "不计 {n} 时，{l}为 {a}；文件所载为{was}。"),
    "so_far_all": ("{l} is {a} if nothing counts that came before.", "此前累计均不计时，{l}为 {a}。"),
    "parameter_version": (
        "{l} is {a} by {n} {d}: {now}; on the date of this bill it is {was}.",
        "按{d}的{n}（{now}）计算，{l}为 {a}；本单日期适用 {was}。",
    ),
    "parameter_version_schedule": (
        "{l} is {a} by {n} {d}; on the date of this bill other values hold.",
        "按{d}的{n}计算，{l}为 {a}；本单日期适用其他数值。",
    ),
    "parameter_version_before": ("{l} is {a} by the values that held before those of this bill's date.", "按上一期全部数值计算，{l}为 {a}。"),
    "parameter_version_after": ("{l} is {a} by the values that hold after those of this bill's date.", "按下一期全部数值计算，{l}为 {a}。"),
    "clause": (
        "{l} is {a} if {n} goes by the case `{d}`{b}; by the bill that case does not decide.",
        "若{n}按情形“{d}”{b}处理，{l}为 {a}；按账单所载并不适用该情形。",
    ),
    "clause_otherwise": (
        "{l} is {a} if {n} goes by the remaining case{b}; by the bill another one decides.",
        "若{n}按其他情形{b}处理，{l}为 {a}；按账单所载适用另一情形。",
    ),
    "branch": ("{l} is {a} if in {n} `{was}` is taken as `{now}`.", "若在{n}中以 `{now}` 代替 `{was}`，{l}为 {a}。"),
    "bound": ("{l} is {a} if in {n} `{now}` is taken without the limit `{was}`.", "若在{n}中直接取 `{now}` 而不适用 `{was}`，{l}为 {a}。"),
    "parameter_key": ("{l} is {a} by {n} of {d}: {now}; for this bill it is {was} ({k}).", "按{d}的{n}（{now}）计算，{l}为 {a}；本单适用 {was}（{k}）。"),
    "parameter_key_schedule": ("{l} is {a} by {n} of {d}; for this bill that of {k} holds.", "按{d}的{n}计算，{l}为 {a}；本单适用{k}。"),
    "table_row": (
        "{l} is {a} by {c} of {n} for {d}: {now}; for this bill ({k}) it is {was}.",
        "按{n}中{d}的 {c}（{now}）计算，{l}为 {a}；本单（{k}）为 {was}。",
    ),
    "bands_whole": (
        "{l} is {a} if the whole amount goes by the rate of the highest band reached, instead of each part by its own.",
        "若全部金额按所达最高段的比例计算（而非分段累计），{l}为 {a}。",
    ),
    "bands_net": (
        "{l} is {a} if the limits of the bands are measured after what comes off first; by the rules it counts towards them.",
        "若分段限额自先行扣除之后起算，{l}为 {a}；按规则扣除部分计入限额。",
    ),
    "bands_gross": (
        "{l} is {a} if the bands are walked from zero, without taking off first what the rules take off.",
        "若分段自零起算、不先行扣除，{l}为 {a}。",
    ),
    "step_left_out": ("{l} is {a} if {n} ({was}) is not counted.", "不计{n}（{was}）时，{l}为 {a}。"),
    "step_left_out_itself": ("{l} is not charged at all; by the rules it is {was}.", "账单未计{l}；按规则为 {was}。"),
    "step_twice": ("{l} is {a} if {n} is counted twice: {now} instead of {was}.", "{n}重复计算（{now}，应为 {was}）时，{l}为 {a}。"),
    "step_twice_itself": ("{l} is {a}, twice {was}.", "{a} 为{n}（{was}）的两倍。"),
    "term_left_out": (
        "{l} is {a} if {s} is computed without {n} ({was}); by the rules it goes in there.",
        "若计算{s}时不计{n}（{was}），{l}为 {a}；按规则应当计入。",
    ),
    "term_taken_off_late": (
        "{l} is {a} if {n} ({was}) comes off {s} in the end; by the rules it comes off before that is computed.",
        "若先计算{s}再扣减{n}（{was}），{l}为 {a}；按规则应先扣减后计算。",
    ),
    "rounding": ("{l} is {a} if {n} is {now}; by the rules it is {was}.", "若{n}{now}，{l}为 {a}；按规则为{was}。"),
    "rounding_all": ("{l} is {a} if every amount is {now}; by the rules it is {was}.", "若各项金额均{now}，{l}为 {a}；按规则为{was}。"),
    "rounding_parts": ("{l} is {a} if each band of {n} is {now} by itself; by the rules it is {was}.", "若{n}各段分别{now}，{l}为 {a}；按规则为{was}。"),
    "rate": ("{l} is {a} with {n}{k} at {now}; by the rules it is {was}.", "{n}{k}为 {now} 时，{l}为 {a}；按规则为 {was}。"),
    "rulebook": ("{l} is {a} under {n}.", "按 {n} 计算，{l}为 {a}。"),
    "fitted": (
        "{l} is {a} with {n}{k} at {now}; by the rules it is {was}, and on no date and for no other key {now}.",
        "{n}{k}取 {now} 时，{l}为 {a}；规则中为 {was}，其他日期和类别下亦无该数值。",
    ),
}  # fmt: skip


def phrase(key: str, language: str, *values: object) -> str:
    """A fixed phrase in a language."""
    return PHRASES[key][1 if language == "zh" else 0].format(*values)


class Sentences:
    """Writes changes as sentences about the first amount that differs."""

    def __init__(self, audited: Audited, language: str) -> None:
        self.audited = audited
        self.plan = audited.subject.plan
        self.language = language
        self.wording = Wording(language, self.plan.decimals, grouped=True)

    def label(self, c: ChargedAmount) -> str:
        """What an amount is called: its label, and the row that it belongs to."""
        own = self.wording.words(c.of.label)
        if c.of.kind == "total" and (bearer := bearer_of(c.of.name)):
            own = total_label(bearer, own, self.language)
        own = own or c.of.name
        return f"{own} ({self.row(c.of.level, c.row)})" if c.of.level else own

    def value(self, value: Value, type_: Type, values: tuple[PlanSetValue, ...] = ()) -> str:
        """A value for reading; of a set by its label."""
        for one in values:
            if one.name == value:
                return self.wording.words(one.label) or one.name
        return self.wording.figure(value, type_)

    def amount(self, c: ChargedAmount, value: Value) -> str:
        """A value of a result."""
        return self.value(value, c.of.type, c.of.values)

    def told(self, h: Hypothesis) -> str:
        """What would have to be so for the first differing amount to come out as charged; within the tolerance, what does."""
        within = [value for at, value in h.within if self.audited.amounts[at] is self.audited.first]
        return self._sentence(h.change, within[0] if within else None)

    def _sentence(self, change: Change, value: Value) -> str:
        first = self.audited.first
        assert first is not None  # noqa: S101 - there are changes only where an amount differs
        key = _template(change, first.charged, frozenset(g.name for g in self.plan.groups))
        name = self._name(change)
        filled = _SENTENCES[key][1 if self.language == "zh" else 0].format(
            a=self.amount(first.charged, first.charged.charged if value is None else value),
            l=f"“{self.label(first.charged)}”",
            f=self._inside(self.wording.words(change.label) or change.name),
            n=name,
            r=self.row(change.level, change.row) + self.aside(change.detail),
            now=self._told(change, change.now),
            was=self._told(change, change.was),
            d=self._detail(change),
            k=self._keys(change),
            c=change.level,
            g=self._group(change),
            b=self._because(change),
            s=self._computed(change),
        )
        return filled + (phrase("earlier_too", self.language) if change.throughout else "")

    def now(self, change: Change) -> str:
        """What tells a change from others of the same thing: the value, the keys, the row or the case."""
        match change.kind:
            case Kind.KEY:
                return self._of_keys(change.name, _plain(change))
            case Kind.CELL:
                return self._detail(change)
            case Kind.EARLIER_MORE:
                return phrase("one_like_it" if change.number == 1 else "one_more", self.language)
            case Kind.CLAUSE:
                return f"`{change.detail}`" if change.detail else word("otherwise", self.language)
            case _:
                return self._told(change, change.now)

    # ---- parts of sentences ----

    def _inside(self, label: str) -> str:
        """A label in the middle of a sentence: in quotes."""
        return f"“{label}”"

    def row(self, level: str, row: str) -> str:
        """What a row of a list is called."""
        spec = next((x for x in self.plan.lists if x.name == level), None)
        called = self.wording.words(spec.label) if spec is not None else ""
        return phrase("row", self.language, called or level, row)

    def _group(self, change: Change) -> str:
        """The group that a change is about, with its keys."""
        group = next((g for g in self.plan.groups if g.name == change.level), None)
        if group is None:
            return ""
        return self._inside(self.wording.words(group.label) or group.name) + self.aside(change.row)

    def _name(self, change: Change) -> str:
        own = self.wording.words(change.label)
        if change.kind is Kind.ROUNDING and change.name and not own:
            own = next((self.wording.words(p.label) for p in self.plan.parameters if p.name == change.name), "")
        if own:
            return f"“{own}”"
        if change.kind in (Kind.RULEBOOK, Kind.EARLIER_OUT):
            return change.name
        called, where, _ = change.name.partition(" where ")
        return f"`{change.name}`" if len(change.name) <= LONGEST_CALL or not where else f"`{called} ..)`"

    def _computed(self, change: Change) -> str:
        """The step without a term, whose label the change says."""
        if change.kind not in (Kind.TERM_OUT, Kind.TERM_LATE):
            return ""
        return f"“{self.wording.words(change.said) or change.row}”"

    def _told(self, change: Change, value: Value | str) -> str:
        if change.kind is Kind.ROUNDING:
            return _rounding(str(value), self.language)
        if change.type is None:
            return str(value) if value is not None else phrase("nothing", self.language)
        if value is None:
            return phrase(self._nothing(change), self.language)
        if change.type == FLAG:
            return word("yes" if value else "no", self.language)
        return self.value(value, change.type, change.values)

    def _nothing(self, change: Change) -> str:
        """What the lack of a value means: a field left open, nothing before the bill, a limit that there is not."""
        match change.kind:
            case Kind.INPUT | Kind.ROW_INPUT | Kind.GROUP | Kind.FAR_DATE | Kind.EDGE | Kind.DIGIT:
                return "open"
            case Kind.VERSION | Kind.KEY | Kind.CELL | Kind.RATE | Kind.FITTED:
                return "no_limit" if change.kind is not Kind.CELL and change.name in caps(self.plan) else "no_value"
            case _:
                return "nothing"

    def _detail(self, change: Change) -> str:
        if change.kind is Kind.VERSION and change.detail:
            start, _, until = change.detail.partition("..")
            told = f"from {start}" + (f" until {until}" if until else " on")
            if self.language == "zh":
                told = f"{start}起" + (f"至{until}前" if until else "")
            return phrase("as_before" if change.number < 0 else "as_after", self.language, told)
        if change.kind is Kind.KEY:
            return self._of_keys(change.name, _plain(change))
        if change.kind is Kind.CELL and _plain(change):
            return f"{change.detail} ({_plain(change)})"
        return change.detail

    def _keys(self, change: Change) -> str:
        if change.kind is Kind.CELL:
            return change.row
        if change.kind is Kind.KEY:
            return self._of_keys(change.name, change.detail)
        inside = [self._of_keys(change.name, change.detail)] if change.detail else []
        if change.kind is Kind.RATE and change.row:
            inside.append(f"第 {change.row} 段" if self.language == "zh" else f"band {change.row}")
        if not inside:
            return ""
        return f"（{'，'.join(inside)}）" if self.language == "zh" else f" ({', '.join(inside)})"

    def _of_keys(self, parameter: str, keys: str) -> str:
        """Keys of a parameter by the labels that values of sets bear."""
        labels = {v.name: v for spec in self._specs() for v in spec}
        found = [labels.get(key.strip()) for key in keys.split(",")]
        texts = [
            self.wording.words(v.label) or v.name if v is not None else key.strip()
            for v, key in zip(found, keys.split(","), strict=True)
        ]
        del parameter
        return ("，" if self.language == "zh" else ", ").join(texts)

    def _specs(self) -> list[tuple[PlanSetValue, ...]]:
        own = [i.values for i in self.plan.inputs] + [i.values for x in self.plan.lists for i in x.inputs]
        return own + [s.values for s in self.plan.steps]

    def aside(self, text: str) -> str:
        """A text in brackets after another one."""
        if not text:
            return ""
        return f"（{text}）" if self.language == "zh" else f" ({text})"

    def _because(self, change: Change) -> str:
        return self.aside(in_language(change.said, self.language))


def _plain(change: Change) -> str:
    return dict(change.said).get("", "")


def _template(change: Change, first: ChargedAmount, groups: frozenset[str]) -> str:
    """Which sentence says a change."""
    key = change.kind.value
    match change.kind:
        case Kind.INPUT | Kind.ROW_INPUT if change.now is None:
            return f"{key}_none"
        case Kind.INPUT | Kind.ROW_INPUT if change.was is None:
            return f"{key}_new"
        case Kind.STAY:
            return "whole_stay_before" if change.number < 0 else "whole_stay_after"
        case Kind.GROUP if change.now is None:
            return "group_result_none"
        case Kind.DIGIT if change.level in groups:
            return "group_result"
        case Kind.FAR_DATE | Kind.EDGE | Kind.DIGIT:
            return "row_input" if change.level else "input"
        case Kind.SPENT:
            return "so_far"
        case Kind.EARLIER_OUT if not change.name:
            return "earlier_all_out"
        case Kind.EARLIER_MORE:
            return "earlier_same" if change.number == 1 else "earlier_free"
        case Kind.OPENING if not change.name:
            return "so_far_all"
        case Kind.OPENING if change.now is None:
            return "so_far_none"
        case Kind.OPENING if change.type is not None and isinstance(change.now, int) and ".count(" in change.name:
            return "so_far_count_1" if change.now == 1 else "so_far_count"
        case Kind.VERSION if not change.name:
            return "parameter_version_before" if change.number < 0 else "parameter_version_after"
        case Kind.VERSION | Kind.KEY if change.type is None:
            return f"{key}_schedule"
        case Kind.CLAUSE if not change.detail:
            return "clause_otherwise"
        case Kind.BANDS:
            return f"bands_{change.now}"
        case Kind.STEP_OUT | Kind.STEP_TWICE if change.name == first.of.name and not first.of.level:
            return f"{key}_itself"
        case Kind.ROUNDING if change.detail == "parts":
            return "rounding_parts"
        case Kind.ROUNDING if not change.name:
            return "rounding_all"
        case _:
            return key


def _rounding(text: str, language: str) -> str:
    """`0.01 half-up` as words."""
    if text == "none":
        return "不取整" if language == "zh" else "not rounded"
    to, _, mode = text.rpartition(" ")
    if language == "zh":
        return f"{word(mode, language)}" + (f"到 {to}" if to else "")
    return f"rounded {mode}" + (f" to {to}" if to else "")
