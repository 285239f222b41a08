"""What the columns of results are called: `--names`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from rxcalc.inputs.shown import quoted
from rxcalc.plan.nodes import Plan, Words, share_name
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.writer import Layout

Names = Literal["step", "label", "nhsa"]
_FOLDING: Final = frozenset({"duckdb", "sqlite"})  # where `Total` and `total` are one name


@dataclass(frozen=True, slots=True)
class Named:
    """A layout whose columns have their titles. `untold` are those that the rulebook gives no such name: they keep theirs."""

    form: Layout
    untold: tuple[str, ...] = ()


def name_columns(form: Layout, plan: Plan, names: Names, language: str) -> Named | UsageProblem:
    """The layout with titles; two columns of one title are refused."""
    titles, untold = {}, []
    if names != "step":
        words = _labels(plan, language) if names == "label" else _others(plan, names)
        inputs = {at: name for name, at in form.columns.inputs.items()}
        for at in form.echoed:
            if at in inputs:
                titles[form.columns.names[at]] = words[inputs[at]]
        titles |= {name: words[name] for name in form.computed if name in words}
        untold = [name for name, title in titles.items() if not title]
        titles = {name: title for name, title in titles.items() if title}
    made = replace(form, titles=titles)
    own = [*(form.columns.names[at] for at in form.echoed), *form.computed]
    seen: dict[str, str] = {}
    for name, title in zip(own, made.names, strict=True):
        key = title.casefold() if form.file.kind in _FOLDING else title
        if key in seen and (title or form.file.typed):
            return _same(name, seen[key], title, names)
        seen[key] = name
    return Named(made, tuple(untold))


def _same(one: str, other: str, title: str, names: Names) -> UsageProblem:
    told = f"the columns {quoted(other)} and {quoted(one)} would both be called {quoted(title)}"
    how = "leave one of them out with --select"
    return UsageProblem(told, (how if names == "step" else f"{how}, or leave --names {names} out",))


def _labels(plan: Plan, language: str) -> Mapping[str, str]:
    return {name: _text(words, language) for name, (words, _) in _told(plan).items()}


def _others(plan: Plan, system: str) -> Mapping[str, str]:
    return {name: dict(names).get(system, "") for name, (_, names) in _told(plan).items()}


def _text(words: Words, language: str) -> str:
    texts = dict(words)
    return texts.get(language) or texts.get("") or ""


def _told(plan: Plan) -> dict[str, tuple[Words, Words]]:
    """By input, step, part and total: its labels, and its names in other systems."""
    found: dict[str, tuple[Words, Words]] = {spec.name: (spec.label, spec.names) for spec in plan.inputs}
    found |= {step.name: (step.label, step.names) for step in plan.steps}
    found |= {spread.name: (spread.label, ()) for spread in plan.spreads if not spread.target}
    for at, partition in enumerate(plan.shares):
        for part in partition.parts:
            own = (part.label, part.names) if part.part else (part.label or part.bearer_label, part.names)
            found[share_name(at, partition.name, part.bearer, part.part)] = own
            if at == 0 and f"{part.bearer}_pays" in plan.totals:
                found.setdefault(f"{part.bearer}_pays", (part.bearer_label, part.bearer_names))
    return found
