"""What a rulebook declares as sentences: inputs, parameters, tables, windows, sequences, lists, groups, dates in force."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Final

from rxcalc.lang.types import Kind, OneOf, Plain, ScheduleType, Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import (
    Band,
    Plan,
    PlanGroup,
    PlanInput,
    PlanKey,
    PlanList,
    PlanParameter,
    PlanSequence,
    PlanWindow,
)
from rxcalc.plan.nodes import Point as CurvePoint
from rxcalc.prose.expressions import Expressions
from rxcalc.prose.literals import UNITS_ZH, day
from rxcalc.prose.model import Block, Grid, Point, Run, Said, Sentence, plain
from rxcalc.prose.names import Names
from rxcalc.prose.rows import Rows
from rxcalc.prose.words import fill
from rxcalc.prose.written import written

SAID: Final[dict[str, tuple[str, str]]] = {
    "is_a": ("{s} is {a}.", "{s}为{a}。"),
    "one_of": ("{s} is one of these:", "{s}为下列之一："),
    "one_of_ordered": ("{s} is one of these, the lowest first:", "{s}为下列之一，由低到高："),
    "bounds": ("It lies from {a} to {b}, both included.", "取值自{a}至{b}（含两端）。"),
    "at_least": ("It is not below {a}.", "不低于{a}。"),
    "at_most": ("It is not above {a}.", "不高于{a}。"),
    "optional": ("It may be left out.", "可不填。"),
    "default": ("Where it is left out it is taken as {a}.", "未填时视为{a}。"),
    "needed": ("It must be given.", "必填。"),
    "keyed": ("It has a value for {k}.", "按{k}分别规定。"),
    "every": ("every combination of {k}", "{k}的每一组合"),
    "since": ("From {a} on:", "自{a}起："),
    "ends": ("It has no value after {a}.", "{a}之后无值。"),
    "none": ("no value", "无此值"),
    "may_miss": ("For some of these there is no value; the rules say what then holds.", "其中部分无值，由规则另作处理。"),
    "bands": (
        "Each slice of {o} has its own rate, which holds for the part of it that lies in the slice; the parts are added up.",
        "{o}分段计算，各段比例只适用于落在该段的部分，各段之额相加。",
    ),
    "cliff": (
        "The slice in which {o} lies gives one value for the whole of it.",
        "按{o}所在的区段取一个值，适用于全部。",
    ),
    "curve": (
        "Between two points the value lies on the straight line that joins them.",
        "两点之间按直线取值。",
    ),
    "held": ("Outside the points the value of the nearest one holds.", "超出各点范围时，取最近一点之值。"),
    "not_held": ("Outside the points there is no value, and what needs one is refused.", "超出各点范围时无值，须用其值者不予受理。"),
    "table": ("{s} is a table looked up by {k}.", "{s}为按{k}查用的表。"),
    "table_up_to": ("Of the last key the row with the smallest limit that is not below the value holds.", "最后一个键取界限不低于该值的最小一行。"),
    "table_below": ("Of the last key the row with the smallest limit above the value holds.", "最后一个键取界限高于该值的最小一行。"),
    "table_missing": ("What is looked up and has no row refuses what needs it.", "所查无对应行的，须用其值者不予受理。"),
    "jump": ("Of two points at one place the second holds there.", "同一位置有两点的，该处取后一点之值。"),
    "table_dated": ("A row holds only between its dates.", "各行只在其起止日期内有效。"),
    "sequence": (
        "The {n} with the same {b} are taken one after the other, in the order of {o}.",
        "{b}相同的各{n}按{o}的先后依次计算。",
    ),
    "reverses": (
        "Where {r} is given, the episode reverses the earlier one of that number: its results are those of the other with the sign changed.",
        "填有{r}的，冲销该号的此前就诊，结果为其结果取反。",
    ),
    "window": ("“{w}” means {r}.", "“{w}”指{r}。"),
    "window_year": (
        "They are those whose {d} lies in the same {p} as that of this {n}.",
        "即{d}与本{n}同属一{p}者。",
    ),
    "window_year_from": (
        "They are those whose {d} lies in the same {p} as that of this {n}, the year beginning on {s}.",
        "即{d}与本{n}同属一{p}者，年度自{s}起算。",
    ),
    "window_rolling": (
        "They are those whose {d} lies after the day {l} before that of this {n}, and not after it.",
        "即{d}晚于本{n}之日往前{l}之日、且不晚于本{n}之日者。",
    ),
    "window_units": (
        "They are those whose {d} lies in one of the {l} calendar {u} up to and with that of this {n}.",
        "即{d}落在截至本{n}当{u}（含）的{l}个自然{u}内者。",
    ),
    "window_gap": (
        "A new spell begins when {t} comes {l} or more after the latest {f} of the spell so far.",
        "{t}距此前最晚的{f}满{l}的，另起一个疗程。",
    ),
    "window_period": (
        "The first one begins a period of {l} at its {d}; one at or after its end begins the next.",
        "首次以其{d}起算{l}为一周期；在周期届满之日或之后者另起一周期。",
    ),
    "window_same": ("Only those with the same {f} count; a missing one matches nothing.", "仅计{f}相同者；缺失者与任何值均不相同。"),
    "window_by": ("All of them have the same {b}.", "均为{b}相同者。"),
    "list": ("{s} are rows of one {n}, taken in the order of {o}.", "{s}为一次{n}的各行，按{o}的先后排列。"),
    "list_plain": ("{s} are rows of one {n}.", "{s}为一次{n}的各行。"),
    "list_required": ("At least one is needed, or the {n} is refused.", "至少须有一行，否则不予受理。"),
    "group": ("{s} holds the {m} that agree in all of the following:", "{s}由下列各项均相同的各{m}组成："),
    "group_by": ("{s}: {a}.", "{s}：{a}。"),
    "group_by_field": ("{a}.", "{a}。"),
    "group_key": ("{s} is {a}, which is the same for all that belong to the group.", "{s}为{a}，组内各成员均相同。"),
    "group_bill": ("Each such group lies inside one episode.", "每一组均在同一次就诊之内。"),
    "group_date": ("Values by date are those of {a}.", "按日期规定的数值，取{a}之值。"),
    "in_force": (
        "The rules hold for every {n} whose {d} is on or after {a}.",
        "适用于{d}在{a}及以后的各次{n}。",
    ),
    "in_force_until": (
        "The rules hold for every {n} whose {d} lies from {a} to {b}, both days included.",
        "适用于{d}自{a}至{b}（含首尾两日）的各次{n}。",
    ),
    "amounts": ("Amounts are in {c}.", "金额单位为{c}。"),
}  # fmt: skip
TYPES: Final[dict[Kind, tuple[str, str]]] = {
    Kind.MONEY: ("an amount of money", "金额"), Kind.PERCENT: ("a percentage", "百分比"), Kind.NUMBER: ("a number", "数值"),
    Kind.COUNT: ("a whole number", "整数"), Kind.DATE: ("a date", "日期"), Kind.DAYS: ("a number of days", "天数"),
    Kind.MONTHS: ("a number of months", "月数"), Kind.YEARS: ("a number of years", "年数"),
    Kind.MONEY_PER_DAY: ("an amount of money per day", "每日金额"), Kind.FLAG: ("yes or no", "“是”或“否”"),
    Kind.CODE: ("a code", "编码"), Kind.CODES: ("a set of codes", "一组编码"), Kind.TEXT: ("a text", "文字"),
}  # fmt: skip
FORMS: Final = {
    "bands": ("a schedule of bands", "分段标准"), "cliff": ("a schedule of slices", "分档标准"), "curve": ("a curve", "曲线"),
}  # fmt: skip
HEADS: Final[dict[str, tuple[str, str]]] = {
    "for": ("For", "适用于"), "value": ("Value", "数值"), "slice": ("Slice", "区段"), "at": ("At", "位置"),
    "all": ("the whole", "全部"), "to": ("up to {b}", "至{b}（含）"), "below": ("below {b}", "不足{b}"),
    "over": ("over {a}", "{a}以上"), "from": ("from {a}", "自{a}（含）起"), "and": (" ", "，"), "comma": (", ", "、"),
    "last": (" and ", "和"),
}  # fmt: skip
PERIODS: Final = {"year": ("year", "年度"), "quarter": ("quarter", "季度"), "month": ("month", "月份")}
CALENDAR: Final = {"year": ("years", "年"), "quarter": ("quarters", "季度"), "month": ("months", "月")}
PLURALS: Final = {"": ("episodes", "次就诊"), "lines": ("lines", "明细")}


class Declared:
    """The declarations of one plan in one language."""

    def __init__(self, plan: Plan, names: Names) -> None:
        self.plan = plan
        self.names = names
        self.rows = Rows(plan, names)
        self.at = 1 if names.chinese else 0

    def in_force(self) -> tuple[Block, ...]:
        """On which days the rules hold, and in which currency."""
        field = self.names.field("", self.plan.effective_by)
        dated = self.names.bare(field) if field is not None else self._text(self.plan.effective_by)
        parts = {"d": dated, "a": self._day(self.plan.effective_from), "n": self._noun("")}
        key = "in_force"
        if self.plan.effective_to is not None:
            key, parts["b"] = "in_force_until", self._day(self.plan.effective_to)
        return (self._said(key, **parts), self._said("amounts", c=self._text(self.plan.currency)))

    # ---- inputs ----

    def input(self, level: str, name: str) -> tuple[Block, ...]:
        """What an input, or the key of a group, may be."""
        of = self.names.levels[level]
        i = next((i for i in of.inputs if i.name == name), None)
        subject = self.names.run(self.names.fields[level, name], start=True)
        if i is None:
            return self._key(of, name, subject) if isinstance(of, PlanGroup) else ()
        return (*self._kind(i.type, subject), *self._limits(i))

    def _kind(self, of: Type, subject: Sentence) -> list[Block]:
        if isinstance(of, OneOf):
            rows = tuple(((Run(self.names.value(of, v)),),) for v in of.values)
            key = "one_of_ordered" if of.ordered else "one_of"
            return [self._said(key, s=subject), Grid((), rows)]
        return [self._said("is_a", s=subject, a=self._type(of))]

    def _limits(self, i: PlanInput) -> list[Block]:
        found: list[Block] = []
        numeric = isinstance(i.type, Plain) and i.type.kind not in (Kind.CODE, Kind.CODES, Kind.TEXT, Kind.FLAG)
        if numeric and i.low is not None and i.high is not None:
            found.append(self._said("bounds", a=self._value(i.low, i.type), b=self._value(i.high, i.type)))
        elif numeric and i.low is not None:
            found.append(self._said("at_least", a=self._value(i.low, i.type)))
        elif numeric and i.high is not None:
            found.append(self._said("at_most", a=self._value(i.high, i.type)))
        if i.default is not None:
            found.append(self._said("default", a=self._value(i.default, i.type)))
        else:
            found.append(self._said("optional" if i.optional else "needed"))
        return found

    def _key(self, of: PlanGroup, name: str, subject: Sentence) -> tuple[Block, ...]:
        key = next(k for k in of.keys if k.name == name)
        return (self._said("group_key", s=subject, a=self._member(key)),)

    # ---- parameters and tables ----

    def parameter(self, name: str) -> tuple[Block, ...]:
        """What a parameter is, how its schedule is applied, and its values from each date on."""
        p = next(p for p in self.plan.parameters if p.name == name)
        subject = self.names.run(self.names.parameters[name], start=True)
        blocks: list[Block] = []
        if isinstance(p.type, OneOf):
            blocks += self._kind(p.type, subject)
        else:
            blocks.append(self._said("is_a", s=subject, a=self._type(p.type)))
        if isinstance(p.type, ScheduleType):
            over = self._text(TYPES[p.type.over][self.at])
            blocks.append(self._said(p.type.form, o=over))
            if _jumps(p):
                blocks.append(self._said("jump"))
            if p.type.form == "curve":
                blocks.append(self._said("held" if p.held else "not_held"))
        if any(value is None for s in p.segments for _, value in s.values):
            blocks.append(self._said("may_miss"))
        for at in range(len(p.segments)):
            blocks += self.segment(name, at)
        if p.end is not None:
            blocks.append(self._said("ends", a=self._day(p.end)))
        return tuple(blocks)

    def segment(self, name: str, index: int) -> tuple[Block, ...]:
        """The values of a parameter from one of its dates on: a grid, of a schedule one for each key."""
        p = next(p for p in self.plan.parameters if p.name == name)
        segment = p.segments[index]
        since = self._said("since", a=self._day(segment.start))
        heads = (*((self._head("for"),) if p.keys else ()), *self._value_heads(p))
        rows: list[tuple[Sentence, ...]] = []
        for keys, value in segment.values:
            named = (self._keys(p, keys),) if p.keys else ()
            if isinstance(value, tuple):
                rows += [(*named, *row) for row in self._schedule(p, value)]
            else:
                shown = self._value(value, p.type) if value is not None else self._fill(SAID["none"])
                empty = ((),) if isinstance(p.type, ScheduleType) else ()
                rows.append((*named, *empty, shown))
        return (since, Grid(heads, tuple(rows)))

    def _value_heads(self, p: PlanParameter) -> tuple[Sentence, ...]:
        if not isinstance(p.type, ScheduleType):
            return (self._head("value"),)
        return (self._head("at" if p.type.form == "curve" else "slice"), self._head("value"))

    def _keys(self, p: PlanParameter, keys: tuple[str, ...]) -> Sentence:
        runs: list[Run] = []
        for at, (key, values) in enumerate(zip(keys, p.keys, strict=True)):
            runs += [Run(HEADS["comma"][self.at])] if at else []
            runs.append(Run(self.names.value(OneOf(values), key)))
        return tuple(runs)

    def _schedule(self, p: PlanParameter, schedule: tuple[object, ...]) -> list[tuple[Sentence, Sentence]]:
        assert isinstance(p.type, ScheduleType)  # noqa: S101 - only schedules hold tuples
        over, of = Plain(p.type.over), Plain(p.type.value)
        rows: list[tuple[Sentence, Sentence]] = []
        before: Band | None = None
        for part in schedule:
            if isinstance(part, CurvePoint):
                rows.append((self._value(part.at, over), self._value(part.value, of)))
            elif isinstance(part, Band):
                rows.append((self._slice(before, part, over), self._value(part.value, of)))
                before = part
        return rows

    def _slice(self, before: Band | None, band: Band, over: Type) -> Sentence:
        """`over 20,000 up to 30,000`."""
        ends: list[Sentence] = []
        if before is not None and before.limit is not None:
            key = "over" if before.inclusive else "from"
            ends.append(fill(HEADS[key][self.at], {"a": self._value(before.limit, over)}))
        if band.limit is not None:
            key = "to" if band.inclusive else "below"
            ends.append(fill(HEADS[key][self.at], {"b": self._value(band.limit, over)}))
        if len(ends) == 2:
            return (*ends[0], Run(HEADS["and"][self.at]), *ends[1])
        return ends[0] if ends else self._head("all")

    def table(self, name: str) -> tuple[Block, ...]:
        """By what a table is looked up."""
        t = next(t for t in self.plan.tables if t.name == name)
        keys = self._joined([self._text(self._key_name(k)) for k in t.keys])
        blocks: list[Block] = [self._said("table", s=self.names.run(self.names.tables[name], start=True), k=keys)]
        if t.range_key:
            blocks.append(self._said(f"table_{t.range_key}"))
        if t.dated:
            blocks.append(self._said("table_dated"))
        blocks.append(self._said("table_missing"))
        return tuple(blocks)

    def _key_name(self, key: str) -> str:
        """A key column by the label of the field of its name, if one is declared."""
        named = next((f for (_, name), f in self.names.fields.items() if name == key), None)
        return (self.names.lowered(named.label) if not self.names.chinese else named.label) if named else key

    # ---- rows ----

    def sequence(self, level: str) -> tuple[Block, ...]:
        """In which order episodes or groups are taken."""
        of = self.names.levels[level]
        s: PlanSequence | None = None if isinstance(of, PlanList) else of.sequence
        if s is None:
            return ()
        order = self._joined([self._field(level, o) for o in s.order])
        blocks: list[Block] = [self._said("sequence", n=self._plural(level), b=self._field(level, s.by), o=order)]
        if s.reverses:
            blocks.append(self._said("reverses", r=self._field(level, s.reverses, article=True)))
        return tuple(blocks)

    def window(self, level: str, name: str) -> tuple[Block, ...]:
        """Which earlier rows a window holds."""
        w = next(w for w in self.plan.windows if (w.level, w.name) == (level, name))
        shown = self._text(w.name.replace("_", " "))
        blocks: list[Block] = [self._said("window", w=shown, r=self.rows.window(name))]
        told = self._window_kind(w)
        blocks += [told] if told is not None else []
        by = self.rows.by(level)
        if w.same:
            blocks.append(self._said("window_same", f=self._joined([self._field(level, f) for f in w.same])))
        if by and by not in w.same:
            blocks.append(self._said("window_by", b=self._field(level, by)))
        return tuple(blocks)

    def _window_kind(self, w: PlanWindow) -> Said | None:
        noun = (Run(self.rows.noun(w.level)),)
        dated = self._field(w.level, w.date) if w.date else ()
        if w.calendar:
            period = self._text(PERIODS[w.calendar][self.at])
            plain_year = w.starting == (1, 1) and not w.starting_input
            if plain_year:
                return self._said("window_year", d=dated, p=period, n=noun)
            return self._said("window_year_from", d=dated, p=period, n=noun, s=self.rows.starting(w))
        if w.rolling[0] and w.rolling_unit:
            unit = self._text(CALENDAR[w.rolling_unit][self.at])
            return self._said("window_units", d=dated, l=self._text(str(w.rolling[0])), u=unit, n=noun)
        if w.rolling[0]:
            return self._said("window_rolling", d=dated, l=self._text(self.rows.length(w.rolling)), n=noun)
        if w.gap[0]:
            ends = {"f": self._field(w.level, w.gap_from), "t": self._field(w.level, w.gap_to, article=True)}
            return self._said("window_gap", l=self._text(self.rows.length(w.gap)), **ends)
        if w.period[0]:
            return self._said("window_period", d=dated, l=self._text(self.rows.length(w.period)))
        return None

    def listed(self, name: str) -> tuple[Block, ...]:
        """What the rows of a list are."""
        of = next(x for x in self.plan.lists if x.name == name)
        subject = self.names.run(self.names.lists[name], start=True)
        noun = self._noun("")
        if of.order:
            order = self._joined([self._field(name, o) for o in of.order])
            blocks = [self._said("list", s=subject, o=order, n=noun)]
        else:
            blocks = [self._said("list_plain", s=subject, n=noun)]
        return (*blocks, *((self._said("list_required", n=noun),) if of.required else ()))

    def group(self, name: str) -> tuple[Block, ...]:
        """Which members make up a group, and its keys."""
        g = self.names.groups[name]
        subject = self.names.quoted(name)
        if g.of in self.names.kinds:
            members = self.names.quoted(g.of)
        elif g.of in self.names.lists:
            members = self.names.bare(self.names.lists[g.of])
        else:
            members = self._plural("")
        points = tuple(Point(str(at), self._keyed(name, key)) for at, key in enumerate(g.keys, start=1))
        blocks: list[Block] = [Said(self._fill(SAID["group"], s=subject, m=members), points)]
        if g.inside:
            blocks.append(self._said("group_bill"))
        if g.effective >= 0:
            phrase = Expressions(self.plan, self.names, g.effective).operand(written(self.plan, g.effective).tree, 0)
            blocks.append(self._said("group_date", a=phrase))
        return tuple(blocks)

    def _keyed(self, group: str, key: PlanKey) -> Sentence:
        """A key of a group in the words of its members, with its own name where it has another."""
        phrase = self._member(key)
        shown = self.names.bare(self.names.fields[group, key.name])
        same = plain(shown).lower() in plain(phrase).lower()
        return self._fill(SAID["group_by_field" if same else "group_by"], s=shown, a=phrase)

    def _member(self, key: PlanKey) -> Sentence:
        return Expressions(self.plan, self.names, key.node).operand(written(self.plan, key.node).tree, 0)

    # ---- parts of sentences ----

    def _type(self, of: Type) -> Sentence:
        if isinstance(of, ScheduleType):
            return self._text(FORMS[of.form][self.at])
        return self._text(TYPES[of.kind][self.at] if isinstance(of, Plain) else str(of))

    def _value(self, value: object, of: Type) -> Sentence:
        """A value of a type: dates and flags in the words of the language."""
        if isinstance(value, bool):
            return self._text((("no", "“否”"), ("yes", "“是”"))[value][self.at])
        if isinstance(value, date):
            return self._day(value)
        if isinstance(value, str) and isinstance(of, OneOf):
            return self._text(self.names.value(of, value))
        if isinstance(value, int | Fraction | str):
            text = figure(value, of, self.plan.decimals, endless="near")
            unit = of.kind.value if isinstance(of, Plain) else ""
            if self.names.chinese and unit in UNITS_ZH:
                text = text.removesuffix(f" {unit}") + UNITS_ZH[unit]
            if self.names.chinese:
                text = text.replace(" per day", "/天")
            return self._text(text)
        return self._text(str(value))

    def _day(self, value: date) -> Sentence:
        return self._text(day(value, chinese=self.names.chinese))

    def _field(self, level: str, name: str, *, article: bool = False) -> Sentence:
        field = self.names.field(level, name)
        if field is None:
            return self._text(name)
        return self.names.run(field) if article else self.names.bare(field)

    def _noun(self, level: str) -> Sentence:
        return self._text({"": ("episode", "就诊"), "lines": ("line", "明细")}.get(level, ("group", "组"))[self.at])

    def _plural(self, level: str) -> Sentence:
        return self._text(PLURALS.get(level, ("groups", "组"))[self.at])

    def _joined(self, items: list[Sentence]) -> Sentence:
        """`A, B and C`."""
        runs: list[Run] = []
        for at, item in enumerate(items):
            if at:
                runs.append(Run(HEADS["last" if at == len(items) - 1 else "comma"][self.at]))
            runs += item
        return tuple(runs)

    def _head(self, key: str) -> Sentence:
        return self._text(HEADS[key][self.at])

    def _text(self, text: str) -> Sentence:
        return (Run(text),)

    def _said(self, key: str, **parts: Sentence) -> Said:
        return Said(self._fill(SAID[key], **parts))

    def _fill(self, template: tuple[str, str], **parts: Sentence) -> Sentence:
        return fill(template[self.at], parts)


def _jumps(p: PlanParameter) -> bool:
    """Whether a curve has two points at one place."""
    schedules = [value for s in p.segments for _, value in s.values if isinstance(value, tuple)]
    places = [[part.at for part in schedule if isinstance(part, CurvePoint)] for schedule in schedules]
    return any(len(set(found)) < len(found) for found in places)
