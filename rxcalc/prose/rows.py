"""Which rows a call goes over: the lines of the bill, the earlier episodes of a window, the members of a group."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rxcalc.plan.nodes import Plan, PlanCall, PlanList, PlanWindow
from rxcalc.prose.model import Run, Sentence, plain
from rxcalc.prose.names import Names
from rxcalc.prose.words import fill

ROWS: Final[dict[str, tuple[str, str]]] = {
    "list": ("{a}", "各{a}"),
    "quoted_list": ("the rows of {a}", "{a}各行"),
    "groups": ("the groups {a}", "各{a}"),
    "members": ("the {a} of the group", "本组各{a}"),
    "members_groups": ("the groups {a} in it", "本组所辖各{a}"),
    "episodes": ("the episodes of the group", "本组各次就诊"),
    "above": ("the rows above", "此前各行"),
    "earlier": ("the earlier episodes", "此前各次就诊"),
    "earlier_groups": ("the earlier groups", "此前各组"),
    "inner": ("{a} of {b}", "{b}的各{a}"),
    "window": ("{a} {b}", "{b}{a}"),
}  # fmt: skip
NOUNS: Final = {"": ("episode", "次就诊"), "list": ("row", "行"), "lines": ("line", "行"), "group": ("group", "组")}
KINDS: Final[dict[str, tuple[str, str]]] = {
    "calendar_year": ("in the same calendar year", "同一自然年度内"),
    "calendar_quarter": ("in the same calendar quarter", "同一季度内"),
    "calendar_month": ("in the same calendar month", "同一月份内"),
    "starting_year": ("in the same year from {s}", "同一年度内（年度自{s}起）"),
    "starting_quarter": ("in the same quarter of the year from {s}", "同一季度内（年度自{s}起）"),
    "starting_month": ("in the same month of the year from {s}", "同一月份内（年度自{s}起）"),
    "rolling": ("of the last {l}", "近{l}内"),
    "rolling_year": ("of the last {c} calendar years", "近{c}个自然年内"),
    "rolling_quarter": ("of the last {c} calendar quarters", "近{c}个季度内"),
    "rolling_month": ("of the last {c} calendar months", "近{c}个自然月内"),
    "gap": ("of the same spell", "同一疗程内"),
    "period": ("of the same period of {l}", "同一个{l}周期内"),
    "same": ("with the same {f}", "{f}相同的"),
}  # fmt: skip
UNITS: Final = {"days": ("day", "天"), "months": ("month", "个月"), "years": ("year", "年")}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class Rows:
    """The rows of calls, in the words of one language."""

    def __init__(self, plan: Plan, names: Names) -> None:
        self.plan = plan
        self.names = names
        self.at = 1 if names.chinese else 0
        self.windows = {w.name: w for w in plan.windows}
        shown = {w.name: plain(self._kind(w)) for w in plan.windows}
        self._used = Counter(shown.values())

    def noun(self, level: str) -> str:
        """What one row of a level is called after `this`."""
        kind = "group" if level in self.names.groups else level if level in NOUNS else "list"
        return NOUNS[kind][self.at]

    def prefix(self, call: PlanCall) -> tuple[str, ...]:
        """What stands before the fields of the rows gone over."""
        if call.kind == "window":
            return (call.of, call.inner) if call.inner else (call.of,)
        return ("above",) if call.kind == "above" else (call.of or "episodes",)

    def window_level(self, window: str) -> str:
        """The level of the rows that a window looks back on."""
        return self.windows[window].level

    def phrase(self, call: PlanCall) -> Sentence:
        """The rows that a call goes over."""
        if call.kind == "above":
            return self._fill("above")
        if call.kind == "window":
            found = self.window(call.of)
            return self._fill("inner", a=self._list(call.inner), b=found) if call.inner else found
        group = self.names.groups.get(call.level)
        member = group is not None and group.of == call.of
        if not call.of:
            return self._fill("episodes")
        if call.of in self.names.kinds:
            key = "members_groups" if member else "groups"
            return self._fill(key, a=self.names.quoted(call.of))
        if member:
            return self._fill("members", a=self.names.bare(self.names.lists[call.of]))
        return self._fill("list", a=self._list(call.of))

    def _list(self, name: str) -> Sentence:
        return self.names.run(self.names.lists[name])

    def window(self, name: str) -> Sentence:
        """The earlier rows of a window, in short: what makes it out stands where it is declared."""
        w = self.windows[name]
        rows = self._fill("earlier_groups" if w.level else "earlier")
        level = f"{w.level}." if w.level else ""
        kind = self._kind(w)
        text = plain(kind)
        if self._used[text] > 1:
            text += f" ({w.name})"
        ref = f"window-{level}{w.name}"
        return self._fill("window", a=rows, b=(Run(text, ref),))

    def _kind(self, w: PlanWindow) -> Sentence:
        """The kind of a window."""
        key = self._key(w)
        parts = {"s": self.starting(w), "l": (Run(self.length(w.rolling if w.rolling[1] else w.period)),)}
        parts["c"] = (Run(str(w.rolling[0])),)
        found = fill(KINDS[key][self.at], parts) if key else ()
        same_fields = w.same or ((self.by(w.level),) if not key else ())
        if same_fields:
            fields = [self.names.bare(f) for name in same_fields if (f := self.names.field(w.level, name)) is not None]
            joined: list[Run] = []
            for at, shown in enumerate(fields):
                joined += [Run("、" if self.names.chinese else " and ")] if at else []
                joined += shown
            same = fill(KINDS["same"][self.at], {"f": tuple(joined)})
            found = (*found, *((Run(" "),) if found and not self.names.chinese else ()), *same)
        return found

    def by(self, level: str) -> str:
        """What the rows of one sequence have in common."""
        of = self.names.levels[level]
        sequence = None if isinstance(of, PlanList) else of.sequence
        return sequence.by if sequence is not None else ""

    def _key(self, w: PlanWindow) -> str:
        if w.calendar:
            plain_year = w.starting == (1, 1) and not w.starting_input
            return f"calendar_{w.calendar}" if plain_year else f"starting_{w.calendar}"
        if w.rolling[0]:
            return f"rolling_{w.rolling_unit}" if w.rolling_unit else "rolling"
        if w.gap[0]:
            return "gap"
        return "period" if w.period[0] else ""

    def starting(self, w: PlanWindow) -> Sentence:
        """The first day of the year of a window."""
        if w.starting_input:
            field = self.names.field(w.level, w.starting_input)
            return self.names.run(field) if field is not None else ()
        month, day = w.starting
        return (Run(f"{month}月{day}日" if self.names.chinese else f"{day} {MONTHS[month - 1]}"),)

    def length(self, given: tuple[int, str]) -> str:
        """A length in its unit: `12 months`."""
        number, unit = given
        if not unit:
            return ""
        english, chinese = UNITS[unit]
        return f"{number}{chinese}" if self.names.chinese else f"{number} {english}{'' if number == 1 else 's'}"

    def _fill(self, key: str, **parts: Sentence) -> Sentence:
        return fill(ROWS[key][self.at], parts)
