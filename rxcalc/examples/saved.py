"""A bill as an entry of an examples file, its ids replaced and its free text left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.lang.types import TEXT
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.rulebook.document import Scalar

_PLAIN: Final = re.compile(r"(?:-(?=\d))?[\w.][\w%./+-]*")
HIDDEN: Final = "***"
_WORDS: Final = frozenset({"null", "~"})
_PERSON: Final = {"psn_no": "P", "certno": "C", "psn_name": "N"}  # national names of fields that say who somebody is


@dataclass(frozen=True)
class Expected:
    """What is expected of an episode: its outputs by name, or the code that refuses it. `more` stands after them as it is."""

    outputs: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    more: tuple[tuple[str, str], ...] = ()


def entry_text(
    plan: Plan, entry: EpisodeEntry, given: Sequence[Fields], expected: Sequence[Expected], name: str, by: str
) -> str:
    """The entry as text, an item of a list. `given` are the fields of all its episodes, the earlier ones first.

    Episodes, persons and what else says who somebody is are called E1, P1 .. in the order of their old names, so that
    ties between episodes fall as they did. Free text, which no rule reads, is left out.
    """
    given = [_without_texts(plan, fields) for fields in given]
    ids = _Ids.of(plan, given)
    hidden = len(entry.earlier)
    lines = [f"- example: {scalar(name)}", f"  by: {scalar(by)}", f"  rulebook: {_called_as(plan)}"]
    if entry.so_far:
        lines += [
            "  so_far:",
            *(f"    {json.dumps(k.text, ensure_ascii=False)}: {scalar(v.text)}" for k, v in entry.so_far),
        ]
    if entry.groups:
        lines += ["  groups:", *_groups(plan, entry.groups)]
    if hidden:
        lines.append("  earlier:")
        for fields in given[:hidden]:
            lines += _item(fields, ids, None)
    if entry.several:
        lines.append("  episodes:")
        for fields, told in zip(given[hidden:], expected, strict=True):
            lines += _item(fields, ids, told)
    else:
        lines += [
            f"  episode: {_flow(ids.replaced(given[-1]))}",
            *_lists(given[-1], "  "),
            *_expect(expected[-1], "  "),
        ]
    return "\n".join(lines) + "\n"


def _called_as(plan: Plan) -> str:
    """The rulebook's name; with its version where a folder holds several."""
    return f"{plan.rulebook}@{plan.version}" if "rulebook@" in Path(plan.file).name else plan.rulebook


def scalar(text: str) -> str:
    """A text as a YAML scalar that is read back as it stands."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


@dataclass
class _Ids:
    """What stands for ids, by field; two fields of one kind share their names."""

    fields: Mapping[str, str]  # the field's name or alias to its kind: E (episodes), P (persons), ..
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @staticmethod
    def of(plan: Plan, given: Iterable[Fields]) -> _Ids:
        kinds: dict[str, str] = {"episode_id": "E"}
        if plan.sequence is not None:
            kinds |= {plan.sequence.by: "P"} | ({plan.sequence.reverses: "E"} if plan.sequence.reverses else {})
        for spec in plan.inputs:
            if kind := _PERSON.get(dict(spec.names).get("nhsa", "")):
                kinds.setdefault(spec.name, kind)
        fields = {name: kinds[i.name] for i in plan.inputs if i.name in kinds for name in _called(i)}
        found = sorted(
            {(fields[n], t.strip()) for f in given for n, t in f.values.items() if n in fields and t and t.strip()}
        )
        names: dict[tuple[str, str], str] = {}
        for kind in dict.fromkeys(kind for kind, _ in found):
            own = [text for k, text in found if k == kind]
            digits = len(str(len(own)))
            names |= {(kind, text): f"{kind}{at:0{digits}}" for at, text in enumerate(own, start=1)}
        return _Ids(fields, names)

    def replaced(self, fields: Fields) -> dict[str, str | None]:
        """The fields of an episode with its ids replaced."""
        return {
            name: self.names.get((self.fields[name], text.strip()), text) if text and name in self.fields else text
            for name, text in fields.values.items()
        }


def _called(spec: PlanInput) -> tuple[str, ...]:
    return (spec.name, *spec.aliases)


def _item(fields: Fields, ids: _Ids, expected: Expected | None) -> list[str]:
    told = _expect(expected, "      ") if expected is not None else []
    return [f"    - episode: {_flow(ids.replaced(fields))}", *_lists(fields, "      "), *told]


def _lists(fields: Fields, indent: str) -> list[str]:
    lines: list[str] = []
    for name, rows in fields.rows.items():
        lines.append(f"{indent}{name}:" if rows else f"{indent}{name}: []")
        lines += [f"{indent}  - {_flow(row.values)}" for row in rows]
    return lines


def _groups(plan: Plan, groups: Iterable[tuple[Scalar, tuple[Fields, ...]]]) -> list[str]:
    lines: list[str] = []
    for kind, rows in groups:
        inputs = next((g.inputs for g in plan.groups if g.name == kind.text.strip()), ())
        lines.append(f"    {scalar(kind.text)}:")
        lines += [f"      - {_flow(_without_free(inputs, row.values))}" for row in rows]
    return lines


def _without_texts(plan: Plan, fields: Fields) -> Fields:
    """The fields of an episode and of its rows without free text."""
    inputs = {x.name: x.inputs for x in plan.lists}
    rows = {
        name: tuple(replace(row, values=_without_free(inputs.get(name, ()), row.values)) for row in own)
        for name, own in fields.rows.items()
    }
    return replace(fields, values=_without_free(plan.inputs, fields.values), rows=rows)


def _without_free(inputs: Sequence[PlanInput], values: Mapping[str, str | None]) -> dict[str, str | None]:
    """The values without free text: left out, or `***` where there must be some."""
    free = {name: i for i in inputs if i.type == TEXT for name in _called(i)}
    needed = {name for name, i in free.items() if not i.optional and i.default is None}
    return {n: HIDDEN if n in free else text for n, text in values.items() if n not in free or n in needed}


def _expect(expected: Expected, indent: str) -> list[str]:
    if expected.refused:
        return [f"{indent}rejects: {expected.refused}"]
    more = [f"{name}: {text}" for name, text in expected.more]
    outputs = _flow(dict(expected.outputs))[1:-1]
    return [f"{indent}expect: {{{', '.join([*([outputs] if outputs else []), *more])}}}"]


def _flow(values: Mapping[str, str | None]) -> str:
    return "{" + ", ".join(f"{scalar(n)}: {scalar(t) if t is not None else 'null'}" for n, t in values.items()) + "}"
