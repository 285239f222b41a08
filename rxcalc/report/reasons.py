"""Conditions in words: what a clause asks for, and with the figures of a row why it did not hold, or why it did.

Every sentence comes from a fixed template over labels and recorded values. What has no template gives "", and the
reader has the formula with its figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from rxcalc.lang.ops import Op
from rxcalc.lang.types import DATE, OneOf
from rxcalc.plan.nodes import CellRef, ParameterRef, PlanNode, Value
from rxcalc.prose.words import CONDITIONS
from rxcalc.report.book import Book, Seen

# The relation that a comparison states, and the one that stands when it does not hold.
RELATIONS: Final = {
    Op.EQ: ("equal", "unequal"),
    Op.NE: ("unequal", "equal"),
    Op.LT: ("less", "at_least"),
    Op.LE: ("at_most", "more"),
    Op.GT: ("more", "at_most"),
    Op.GE: ("at_least", "less"),
}

_NUMBERS: Final = {
    "equal": ("{a} is {x}", "{a}为{x}"),
    "unequal": ("{a} is {x}, not {b}", "{a}为{x}，不是{b}"),
    "less": ("{a} is {x}, less than {b}", "{a}为{x}，低于{b}"),
    "at_most": ("{a} is {x}, not more than {b}", "{a}为{x}，不高于{b}"),
    "more": ("{a} is {x}, more than {b}", "{a}为{x}，高于{b}"),
    "at_least": ("{a} is {x}, not less than {b}", "{a}为{x}，不低于{b}"),
}
_DATES: Final = _NUMBERS | {
    "less": ("{a} is {x}, before {b}", "{a}为{x}，早于{b}"),
    "at_most": ("{a} is {x}, not after {b}", "{a}为{x}，不晚于{b}"),
    "more": ("{a} is {x}, after {b}", "{a}为{x}，晚于{b}"),
    "at_least": ("{a} is {x}, not before {b}", "{a}为{x}，不早于{b}"),
}
_RANKS: Final = _NUMBERS | {
    "less": ("{a} is {x}, below {b}", "{a}为{x}，低于{b}"),
    "at_most": ("{a} is {x}, not above {b}", "{a}为{x}，不高于{b}"),
    "more": ("{a} is {x}, above {b}", "{a}为{x}，高于{b}"),
    "at_least": ("{a} is {x}, not below {b}", "{a}为{x}，不低于{b}"),
}
TOLD: Final[dict[str, tuple[str, str]]] = {
    "equal_to": ("{a} is {x}, as {b}", "{a}为{x}，与{b}相同"),
    "one_of": ("{a} is {x}", "{a}为{x}"),
    "none_of": ("{a} is {x}, not {b}", "{a}为{x}，不是{b}"),
    "known": ("{a} is known", "{a}已知"),
    "unknown": ("{a} is not known", "{a}未知"),
    "known_as": ("{a} is known ({x})", "{a}已知（{x}）"),
    "yes": ("{a} is yes", "{a}为是"),
    "no": ("{a} is no", "{a}为否"),
    "holds": ("`{a}` holds", "`{a}` 成立"),
    "fails": ("`{a}` does not hold", "`{a}` 不成立"),
    "listed": ("{a} is in {b}", "{a}在{b}中"),
    "unlisted": ("{a} is not in {b}", "{a}不在{b}中"),
    **{key: CONDITIONS[key] for key in ("has", "lacks", "meets", "apart")},
    "value": ("{b}, which is {x}", "{b}（{x}）"),
    "or": (" or ", "或"),
    "and": (" and ", "，且"),
    "comma": (", ", "、"),
}
_ORDERED: Final = ("less", "at_most", "more", "at_least")
# As the sentences of rules have them.
WANTED: Final[dict[str, tuple[str, str]]] = {key: CONDITIONS[key] for key in ("equal", "unequal", *_ORDERED)} | {
    "one_of": CONDITIONS["equal"],
    "none_of": CONDITIONS["unequal"],
}
_WANTED_DATES: Final = WANTED | {key: CONDITIONS[f"{key}_date"] for key in _ORDERED}
_WANTED_RANKS: Final = WANTED | {key: CONDITIONS[f"{key}_rank"] for key in _ORDERED}
MOST_MEMBERS: Final = 6


class Reasons:
    """The conditions of one row in words."""

    def __init__(self, book: Book, seen: Seen) -> None:
        self.book = book
        self.nodes = book.plan.nodes
        self.recorder = seen.recorder
        self.wording = book.wording
        self.chinese = book.wording.language == "zh"

    def wanted(self, index: int) -> str:
        """What a condition asks for: `Care is Outpatient visit`."""
        return self._wanted(index, holds=True)

    def failed(self, index: int) -> str:
        """Why a condition did not hold: `Care is Inpatient stay, not Outpatient visit`."""
        return self._why(index, holds=False)

    def states(self, index: int) -> bool:
        """Whether a condition only holds or not, as a flag does: why it failed then repeats what it asks for."""
        node = self.nodes[index]
        return self._states(self.nodes[node.args[0]] if node.op is Op.NOT else node)

    def _states(self, node: PlanNode) -> bool:
        return node.op in (Op.INPUT, Op.STEP, Op.LIFT, Op.KNOWN, Op.HAS_ROW, Op.HAS, Op.MEETS)

    def held(self, index: int) -> str:
        """Why a condition held."""
        return self._why(index, holds=True)

    # ---- with figures ----

    def _why(self, index: int, *, holds: bool) -> str:
        node = self.nodes[index]
        if not self._is(index, holds):
            return ""
        match node.op:
            case Op.AND | Op.OR:
                return self._joined(node, holds=holds)
            case Op.NOT:
                return self._why(node.args[0], holds=not holds)
            case _ if node.op in RELATIONS:
                return self._compared(node, RELATIONS[node.op][0 if holds else 1])
            case Op.IN_SET:
                a = node.args[0]
                x = self._value_at(a)
                return self._tell("one_of" if holds else "none_of", a=self._name(a), x=x, b=self._members(node))
            case Op.IF:
                chosen = node.args[1] if self.recorder.nodes.get(node.args[0]) else node.args[2]
                first = self._why(node.args[0], holds=bool(self.recorder.nodes.get(node.args[0])))
                second = self._why(chosen, holds=holds)
                return self._word("and").join((first, second)) if first and second else ""
            case _:
                return self._stated(index, node, holds=holds)

    def _joined(self, node: PlanNode, *, holds: bool) -> str:
        """Of `and` that fails, and of `or` that holds, the first part that shows it; else all parts."""
        decided_by_one = (node.op is Op.AND) is not holds
        if decided_by_one:
            one = next((a for a in node.args if self._is(a, holds)), None)
            return self._why(one, holds=holds) if one is not None else ""
        parts = [self._why(a, holds=holds) for a in node.args]
        return self._word("and").join(parts) if all(parts) else ""

    def _compared(self, node: PlanNode, relation: str) -> str:
        a, b = node.args
        if self.nodes[a].op is Op.CONST and self.nodes[b].op is not Op.CONST:  # say what is not constant first
            a, b, relation = b, a, _TURNED[relation]
        if a not in self.recorder.nodes or (self.nodes[b].op is not Op.CONST and b not in self.recorder.nodes):
            return ""
        value = self.recorder.nodes[a]
        templates = _DATES if isinstance(value, date) else _RANKS if self._ranked(a) else _NUMBERS
        constant = self.nodes[b].op is Op.CONST
        x, y = self._value_at(a), self._value_at(b, like=a)
        if relation == "equal" and not constant:
            return self._tell("equal_to", a=self._name(a), x=x, b=self._name(b))
        other = y if constant else self._tell("value", b=self._name(b), x=y)
        return self._fill(templates[relation], a=self._name(a), x=x, b=other)

    def _ranked(self, index: int) -> bool:
        return isinstance(self.nodes[index].type, OneOf)

    def _stated(self, index: int, node: PlanNode, *, holds: bool) -> str:
        """A test or a flag, which says the same with or without figures, but for a value that is known."""
        if node.op is Op.KNOWN and holds and node.args[0] in self.recorder.nodes:
            return self._tell("known_as", a=self._name(node.args[0]), x=self._value_at(node.args[0]))
        return self._wanted(index, holds=holds) if node.op is not Op.CONST else ""

    def _is(self, index: int, holds: bool) -> bool:  # noqa: FBT001 - the value asked for
        """Whether a flag was evaluated and came to this."""
        node = self.nodes[index]
        if node.op is Op.CONST:
            return node.data is holds
        return self.recorder.nodes.get(index) is holds

    # ---- without figures ----

    def _wanted(self, index: int, *, holds: bool) -> str:
        node = self.nodes[index]
        match node.op:
            case Op.NOT:
                return self._wanted(node.args[0], holds=not holds)
            case Op.AND | Op.OR:
                parts = [self._wanted(a, holds=holds) for a in node.args]
                together = (node.op is Op.AND) is holds
                return self._word("and" if together else "or").join(parts) if all(parts) else ""
            case _ if node.op in RELATIONS:
                a, b = node.args
                relation = RELATIONS[node.op][0 if holds else 1]
                if self.nodes[a].op is Op.CONST and self.nodes[b].op is not Op.CONST:
                    a, b, relation = b, a, _TURNED[relation]
                other = self._value_at(b, like=a) if self.nodes[b].op is Op.CONST else self._name(b)
                dated = self.nodes[a].type == DATE
                templates = _WANTED_DATES if dated else _WANTED_RANKS if self._ranked(a) else WANTED
                return self._fill(templates[relation], a=self._name(a), b=other)
            case Op.IN_SET:
                key = "one_of" if holds else "none_of"
                return self._fill(WANTED[key], a=self._name(node.args[0]), b=self._members(node))
            case Op.KNOWN:
                return self._tell("known" if holds else "unknown", a=self._name(node.args[0]))
            case Op.HAS_ROW if isinstance(node.data, CellRef):
                keys = self._word("comma").join(self._key(a) for a in node.args[: node.data.keys])
                table = self.book.tables[node.data.table]
                label = self.wording.words(table.label) or table.name
                return self._tell("listed" if holds else "unlisted", a=keys, b=label)
            case Op.HAS | Op.MEETS:
                a, b = node.args
                words = {Op.HAS: ("has", "lacks"), Op.MEETS: ("meets", "apart")}[node.op]
                other = self._key(b) if node.op is Op.HAS else self._name(b)
                return self._tell(words[0 if holds else 1], a=self._name(a), b=other)
            case Op.INPUT | Op.STEP | Op.LIFT if self._field(index) is not None:
                return self._tell("yes" if holds else "no", a=self._name(index))
            case Op.CONST:
                return ""
            case _:
                return self._tell("holds" if holds else "fails", a=node.text)

    # ---- operands ----

    def _field(self, index: int) -> tuple[str, str] | None:
        """The level and name of a field of this row or of one it belongs to."""
        node = self.nodes[index]
        if node.op is Op.LIFT:
            node = self.nodes[node.args[0]]
        return (node.level, str(node.data)) if node.op in (Op.INPUT, Op.STEP) else None

    def _name(self, index: int) -> str:
        """What an operand is called: by its label, else as it is written."""
        node = self.nodes[index]
        field = self._field(index)
        if field is not None:
            return self.book.label(*field)
        if isinstance(node.data, ParameterRef):
            parameter = self.book.parameters[node.data.parameter]
            label = self.wording.words(parameter.label)
            if label and not node.data.at:
                keys = [self._key(a) for a in node.args[: node.data.keys]]
                return self._word("comma").join((label, *keys)) if all(keys) else label
        return f"`{node.text}`"

    def _key(self, index: int) -> str:
        """A key by its value; by its name where it was not evaluated."""
        if self.nodes[index].op is Op.CONST or index in self.recorder.nodes:
            return self._value_at(index)
        return self._name(index)

    def _value_at(self, index: int, like: int = -1) -> str:
        """The value of an operand in words; a constant of a set is called as the field it is compared with (`like`)."""
        node = self.nodes[index]
        value: Value = node.data if node.op is Op.CONST else self.recorder.nodes.get(index)  # type: ignore[assignment]  # data of CONST
        at = self._field(index) or (self._field(like) if like >= 0 else None) or ("", "")
        type_ = self.nodes[like].type if like >= 0 and node.op is Op.CONST else node.type
        return self.book.value_words(value, type_, *at)

    def _members(self, node: PlanNode) -> str:
        """The members of a set in words: `A, B or C`."""
        a = node.args[0]
        at = self._field(a) or ("", "")
        data = node.data if isinstance(node.data, tuple) else ()
        shown = [self.book.value_words(v, self.nodes[a].type, *at) for v in data]
        if len(shown) > MOST_MEMBERS:
            shown = [*shown[:MOST_MEMBERS], ".."]
        head, last = shown[:-1], shown[-1] if shown else ""
        return self._word("or").join((self._word("comma").join(head), last)) if head else last

    # ---- templates ----

    def _word(self, key: str) -> str:
        return TOLD[key][1 if self.chinese else 0]

    def _tell(self, key: str, **parts: str) -> str:
        return self._fill(TOLD[key], **parts)

    def _fill(self, template: tuple[str, str], **parts: str) -> str:
        """A template with its parts, in one pass: a label that holds braces stays as it is."""
        text = template[1 if self.chinese else 0]
        return _filled(text, parts.__getitem__)


def _filled(text: str, part: Callable[[str], str]) -> str:
    pieces = text.split("{")
    return pieces[0] + "".join(part(name) + rest for name, _, rest in (p.partition("}") for p in pieces[1:]))


_TURNED: Final[Mapping[str, str]] = {
    "equal": "equal", "unequal": "unequal", "less": "more", "at_most": "at_least", "more": "less", "at_least": "at_most",
}  # fmt: skip
