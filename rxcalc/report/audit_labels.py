"""Formulas with labels in the place of names: for readers who never see the rulebook."""

from __future__ import annotations

import re
from typing import Final

from rxcalc.plan.nodes import Plan, PlanGroup, PlanList, Words
from rxcalc.report.wording import Wording

_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\[[^\[\]]*\])?")
_TIMES: Final = re.compile(r"(?<=[\w\])%”]) \* (?=[\w(“])")
_SUM: Final = re.compile(r"(?<![\w.])(\w+)\.sum\((“[^“”]*”)\)")
_FIXED: Final = frozenset(
    {"if", "then", "else", "and", "or", "not", "is", "in", "from", "to", "where", "missing", "known"}
)


class Labels:
    """Puts the labels of one rulebook, in one language, for its names."""

    def __init__(self, plan: Plan, wording: Wording) -> None:
        self.language = wording.language
        levels: list[PlanList | PlanGroup] = [*plan.lists, *plan.groups]
        named: list[tuple[str, Words]]
        named = [(v.name, v.label) for i in plan.inputs for v in i.values]
        named += [(v.name, v.label) for s in plan.steps for v in s.values]
        named += [(v.name, v.label) for level in levels for i in level.inputs for v in i.values]
        self.values = {name: wording.words(label) for name, label in named if label}
        named = [(i.name, i.label) for level in levels for i in level.inputs]
        named += [(s.name, s.label) for level in levels for s in level.steps]
        named += [(x.name, x.label) for x in plan.lists] + [(x.name, x.label) for x in plan.tables]
        named += [(p.name, p.label) for p in plan.parameters] + [(i.name, i.label) for i in plan.inputs]
        named += [(s.name, s.label) for s in plan.steps]
        self.names = {name: wording.words(label) for name, label in named if label}

    def put(self, text: str) -> str:
        """A formula or a condition with labels; what has none stays. Products have the sign that readers know."""
        text = _TIMES.sub(" × ", _NAME.sub(self._one, text))
        return _SUM.sub("此前\\2合计" if self.language == "zh" else "\\2 of earlier episodes", text)

    def sentence(self, text: str) -> str:
        """A sentence whose pieces of code, between backticks, have labels; an aside that is code only is left out."""
        text = re.sub(r" \(`[^`]*`\)|（`[^`]*`）", "", text)
        return re.sub(r"`([^`]*)`", lambda m: self.put(m[1]), text)

    def _one(self, found: re.Match[str]) -> str:
        name, _, keys = found[0].partition("[")
        text = self._label(name)
        if not keys:
            return text
        inside = ", ".join(self.put(key.strip()) for key in keys[:-1].split(","))
        return f"{text}（{inside}）" if self.language == "zh" else f"{text} ({inside})"

    def _label(self, name: str) -> str:
        if name in _FIXED:
            return name
        if name in self.names:
            return f"“{self.names[name]}”"
        if name in self.values:
            return self.values[name]
        level, _, field = name.rpartition(".")
        if level in self.names and field in self.names:
            return (
                f"“{self.names[field]}”（“{self.names[level]}”）"
                if self.language == "zh"
                else f"“{self.names[field]}” (“{self.names[level]}”)"
            )
        return name
