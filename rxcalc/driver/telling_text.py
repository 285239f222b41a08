"""A moved example written down, with what it gives today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rxcalc.backends.base import Finding, Outcome
from rxcalc.driver.scenes import OF_GROUPS, At, Moves, Run, Scene
from rxcalc.examples.mutant import Mutant
from rxcalc.examples.saved import Expected, entry_text, scalar
from rxcalc.inputs.episodes import Fields
from rxcalc.lang.types import MONEY, Type
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, PlanInput, Value

MARK: Final = (
    "NOT CHECKED BY HAND: the amounts are what the rulebook gives today; replace this by who checked them, and how"
)


@dataclass(frozen=True)
class Told:
    """An example as text, ready to be pasted; `name` is what differs under the change it was made for, with both values."""

    title: str
    text: str
    name: str
    was: str
    now: str
    refuses: bool = False


class Writer:
    """Writes examples for the rulebook of a plan. `taken` are names that examples have already."""

    def __init__(self, plan: Plan, taken: set[str]) -> None:
        self.plan = plan
        self.taken = taken
        levels = [("", plan.steps), *((x.name, x.steps) for x in plan.lists), *((g.name, g.steps) for g in plan.groups)]
        self.types: dict[tuple[str, str], Type] = {(level, s.name): s.type for level, steps in levels for s in steps}
        self.keys = {g.name: g.keys for g in plan.groups}
        self.lists = {x.name: x for x in plan.lists}

    def example(
        self, mutant: Mutant, scene: Scene, moves: Moves, was: Run, apart: Sequence[tuple[At, Value, Value]]
    ) -> Told:
        """The scene, expecting what it gives: of each bill its outputs, and first of all what the change moves."""
        title = self._free(f"notices {mutant.what}: {mutant.was} -> {mutant.now}")
        entry = scene.entry
        given = [self._written(fields, at, moves) for at, fields in enumerate(self._fields(scene))]
        told = apart[:1] if apart and apart[0][0][4] not in self.plan.outputs else []
        expected = [
            self._expected(was.outcomes[at], [d for d in told if d[0][:2] == ("episode", at)])
            for at in range(scene.shown, len(given))
        ]
        groups = self._of_groups(was, [d[0] for d in told if d[0][0] == "group"])
        if groups and not entry.several:
            expected[-1] = replace(expected[-1], more=(*expected[-1].more, ("groups", groups)))
        years = {(kind, row): {name: str(year)} for kind, row, name, year in scene.years(moves)}
        kinds = tuple((kind, self._rows(kind.text.strip(), rows, moves, years)) for kind, rows in entry.groups)
        text = entry_text(self.plan, replace(entry, groups=kinds), given, expected, title, MARK)
        if groups and entry.several:
            text += f"  expect: {{groups: {groups}}}\n"
        if not apart:
            return Told(title, text, "the bill", "a result", "cannot be computed")
        at, one, other = apart[0]
        refuses = any(o.problem is not None for n, o in was.outcomes.items() if n >= scene.shown)
        shown = [self._figure(str(at[2 if at[0] == "episode" else 1]), str(at[4]), v) for v in (one, other)]
        return Told(title, text, self._called(at), shown[0], shown[1], refuses)

    # ---- what is given ----

    def _fields(self, scene: Scene) -> list[Fields]:
        return [*scene.entry.earlier, *(fields for fields, _ in scene.entry.episodes)]

    def _written(self, fields: Fields, episode: int, moves: Moves) -> Fields:
        """The fields of an episode with other values, under the names that they were given."""
        own = {name: value for (at, level, _, name), value in moves.items() if at == episode and not level}
        rows = dict(fields.rows)
        for level in self.plan.lists:
            for n in range(len(rows.get(level.name, ()))):
                values = {
                    name: value
                    for (at, of, row, name), value in moves.items()
                    if (at, of, row) == (episode, level.name, n)
                }
                row = replace(
                    rows[level.name][n], values=self._values(level.inputs, rows[level.name][n].values, values)
                )
                rows[level.name] = (*rows[level.name][:n], row, *rows[level.name][n + 1 :])
        return replace(fields, values=self._values(self.plan.inputs, fields.values, own), rows=rows)

    def _rows(
        self, kind: str, rows: tuple[Fields, ...], moves: Moves, years: Mapping[tuple[str, int], Mapping[str, str]]
    ) -> tuple[Fields, ...]:
        """The rows given for a kind of groups, moved."""
        inputs = next((g.inputs for g in self.plan.groups if g.name == kind), ())
        found = []
        for n, row in enumerate(rows):
            own = {name: v for (at, of, number, name), v in moves.items() if (at, of, number) == (OF_GROUPS, kind, n)}
            moved = {n_: t for n_, t in years.get((kind, n), {}).items() if n_ in row.values}
            found.append(replace(row, values={**self._values(inputs, row.values, own), **moved}))
        return tuple(found)

    def _values(
        self, inputs: Iterable[PlanInput], given: Mapping[str, str | None], values: Mapping[str, Value]
    ) -> Mapping[str, str | None]:
        found = dict(given)
        for spec in inputs:
            if spec.name in values:
                name = next((n for n in (spec.name, *spec.aliases) if n in found), spec.name)
                value = values[spec.name]
                found[name] = None if value is None else figure(value, spec.type, self.plan.decimals, grouped=False)
        return found

    # ---- what is expected ----

    def _expected(self, outcome: Outcome, apart: Sequence[tuple[At, Value, Value]]) -> Expected:
        if outcome.problem is not None:
            return Expected(refused=outcome.problem.code)
        values = {**outcome.steps, **outcome.shares}
        own = [str(at[4]) for at, _, _ in apart if not at[2] and at[4] != "findings"]
        names = [n for n in dict.fromkeys([*self.plan.outputs, *own]) if n in values]
        more: list[tuple[str, str]] = []
        rows: dict[str, dict[int, list[str]]] = {}
        for at, _, _ in apart:
            if at[2]:
                rows.setdefault(str(at[2]), {}).setdefault(int(str(at[3])), []).append(str(at[4]))
        inside: list[str] = []
        for level, wanted in rows.items():
            found = outcome.lists[level]
            if level in self.lists:
                told = (
                    f"{scalar(self._row(level, outcome, n))}: {self._flow(level, found[n].steps, own_)}"
                    for n, own_ in wanted.items()
                )
                more.append((level, f"{{{', '.join(told)}}}"))
            else:
                keyed = (
                    f"{{{', '.join([*self._keyed(level, found[n].inputs), self._flow(level, found[n].steps, own_)[1:]])}"
                    for n, own_ in wanted.items()
                )
                inside.append(f"{level}: [{', '.join(keyed)}]")
        if inside:
            more.append(("groups", f"{{{', '.join(inside)}}}"))
        if any(at[4] == "findings" for at, _, _ in apart):
            more.append(("findings", self._findings(outcome.findings, "")))
        return Expected(tuple((n, self._figure("", n, values[n])) for n in names), more=tuple(more))

    def _of_groups(self, was: Run, at: Sequence[At]) -> str:
        """The groups across bills that the change moves, each with its keys."""
        kinds: dict[str, list[str]] = {}
        for group in was.groups:
            keys = tuple(group.inputs.get(key.name) for key in self.keys[group.kind])
            own = [str(a[4]) for a in at if a[1] == group.kind and a[2] == keys]
            values = {**group.steps, **group.shares}
            if not own or group.problem is not None:
                continue
            names = [name for name in own if name in values] or list(values)[:1]
            parts = [*self._keyed(group.kind, group.inputs), self._flow(group.kind, values, names)[1:-1]]
            if "findings" in own:
                parts.append(f"findings: {self._findings(group.findings, group.kind)}")
            kinds.setdefault(group.kind, []).append(f"{{{', '.join(p for p in parts if p)}}}")
        return f"{{{', '.join(f'{kind}: [{chr(44).join(rows)}]' for kind, rows in kinds.items())}}}" if kinds else ""

    def _keyed(self, kind: str, values: Mapping[str, Value]) -> list[str]:
        return [
            f"{key.name}: {scalar(figure(values[key.name], key.type, self.plan.decimals, grouped=False))}"
            for key in self.keys[kind]
        ]

    def _row(self, level: str, outcome: Outcome, n: int) -> str:
        """What names a row of a list: the values of its order fields, else its place."""
        spec, inputs = self.lists[level], outcome.lists[level][n].inputs
        types = {i.name: i.type for i in spec.inputs}
        texts = [figure(inputs[name], types[name], self.plan.decimals, grouped=False) for name in spec.order]
        return "/".join(texts) or str(n + 1)

    def _flow(self, level: str, values: Mapping[str, Value], names: Iterable[str]) -> str:
        return "{" + ", ".join(f"{n}: {scalar(self._figure(level, n, values.get(n)))}" for n in names) + "}"

    def _findings(self, findings: Sequence[Finding], kind: str) -> str:
        """The findings as an example expects them; those of a group itself by their checks alone."""
        told: list[str] = []
        for f in findings:
            check = self.plan.checks[f.index]
            fields = {"check": check.name or str(f.index + 1)}
            if f.at and check.level != kind:
                fields[check.level] = "/".join(str(v) for v in f.at)
            if f.amount is not None:
                fields["amount"] = figure(f.amount, MONEY, self.plan.decimals, grouped=False)
            told.append("{" + ", ".join(f"{key}: {scalar(text)}" for key, text in fields.items()) + "}")
        return f"[{', '.join(told)}]"

    # ---- words ----

    def _figure(self, level: str, name: str, value: Value) -> str:
        if name in ("", "findings"):
            return str(value)
        if value is None:
            return "missing"
        return figure(value, self.types.get((level, name), MONEY), self.plan.decimals, grouped=False)

    def _called(self, at: At) -> str:
        """What differs, as a person calls it."""
        if at[0] == "group":
            keys = "/".join(str(v) for v in at[2]) if isinstance(at[2], tuple) else ""
            return f"{at[1]} {keys} {at[4]}".strip()
        where = f"{at[2]} {int(str(at[3])) + 1} " if at[2] else ""
        return f"{where}{at[4] or 'the bill'}"

    def _free(self, name: str) -> str:
        """The name, with a number where it is taken."""
        found, at = name, 2
        while found in self.taken:
            found, at = f"{name} ({at})", at + 1
        return found
