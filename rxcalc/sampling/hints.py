"""The `sample:` section of a rulebook, checked against its plan: what is known of how made-up data should look."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from rxcalc.diagnostics.model import Sink
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.lang.types import CODE, COUNT, DATE, FLAG, OneOf, Type, is_numeric, is_whole
from rxcalc.plan.nodes import Plan, PlanInput, Value
from rxcalc.rulebook import document as doc
from rxcalc.rulebook.problems import wrong_shape
from rxcalc.sampling import problems
from rxcalc.sampling.formulas import Formula, Names, Reader
from rxcalc.sampling.parts import Wanted
from rxcalc.source import Span
from rxcalc.syntax.declared import RulebookDecl
from rxcalc.syntax.rules import parse_rule
from rxcalc.typed.problems import unknown_key, unknown_name
from rxcalc.typed.symbols import nearest

SHARES: Final = ("missing", "same", "edges", "unknown")
OPTIONS: Final = ("is", "weights", *SHARES, "from", "episodes")
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")
_MOST_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Hint:
    """What is known of one field. `table` and `key` say of which table, and which key of it, the values are."""

    level: str
    name: str
    span: Span
    formula: Formula | None = None
    weights: tuple[tuple[Value, Fraction], ...] = ()
    missing: Fraction | None = None
    same: Fraction | None = None
    edges: Fraction | None = None
    unknown: Fraction | None = None
    table: str = ""
    key: int = 0

    @property
    def makes(self) -> bool:
        """Whether it says what the value is, not only how often it is something else."""
        return self.formula is not None or bool(self.weights) or bool(self.table)


@dataclass(frozen=True, slots=True)
class Hints:
    """All hints of a rulebook, by level and name; `rows` by list, `episodes` of one person."""

    fields: Mapping[tuple[str, str], Hint] = field(default_factory=dict)
    rows: Mapping[str, Formula] = field(default_factory=dict)
    episodes: Formula | None = None


def read_hints(decl: RulebookDecl, plan: Plan, sink: Sink) -> Hints:
    """The hints of a rulebook that is otherwise sound.

    Diagnostics: RX133, RX171 to RX174, RX2xx of their text, and those of names, units and values.
    """
    return _Reading(decl, plan, sink).read() if decl.sample is not None else Hints()


class _Reading:
    def __init__(self, decl: RulebookDecl, plan: Plan, sink: Sink) -> None:
        self.decl = decl
        self.plan = plan
        self.sink = sink
        self.fields: dict[tuple[str, str], Hint] = {}
        self.rows: dict[str, Formula] = {}
        self.episodes: Formula | None = None
        self.lists = {x.name: x for x in plan.lists}
        self.groups = {g.name: g for g in plan.groups if g.inputs}
        self.owner = plan.sequence.by if plan.sequence is not None else ""
        episode = _types(plan.inputs)
        lists = {x.name: _types(x.inputs) for x in plan.lists}
        self.names = {"": Names("", episode, rows=lists, has_before=plan.sequence is not None)}
        for name, own in lists.items():
            self.names[name] = Names(name, own, {n: t for n, t in episode.items() if n not in own}, has_before=True)
        for g in self.groups.values():
            members = {"episodes": episode} if not g.of else {}
            self.names[g.name] = Names(g.name, {**{k.name: k.type for k in g.keys}, **_types(g.inputs)}, rows=members)

    def read(self) -> Hints:
        """Everything under `sample:`."""
        assert self.decl.sample is not None  # noqa: S101 - the caller looked
        specs = {i.name: i for i in self.plan.inputs}
        known = (*specs, *self.lists, *self.groups)
        for entry in self.decl.sample.entries:
            name = entry.key.text
            if name in specs:
                self._hint("", specs[name], entry)
            elif name in self.lists or name in self.groups:
                self._level(entry)
            else:
                self._unknown(entry.key, "input, list or kind of groups with inputs", known)
        self._circles()
        return Hints(self.fields, self.rows, self.episodes)

    def _unknown(self, key: doc.Scalar, what: str, known: tuple[str, ...]) -> None:
        in_base = self.decl.base_at(key.span) is not None
        near = nearest(key.text, known)
        self.sink.add(problems.unknown_hint(key.span, key.text, what, near, known, in_base=in_base))

    def _level(self, entry: doc.Entry) -> None:
        """The hints of a list, or of the inputs of a kind of groups."""
        level = entry.key.text
        specs = {i.name: i for i in (self.lists.get(level) or self.groups[level]).inputs}
        if not isinstance(entry.value, doc.Mapping):
            self.sink.add(
                wrong_shape(entry.value.span, f"`{level}`", "a map of hints for its inputs", _shape(entry.value))
            )
            return
        for inner in entry.value.entries:
            name = inner.key.text
            if name in specs:
                self._hint(level, specs[name], inner)
            elif name == "rows" and level in self.lists:
                # Before the rows are there, only the episode can be read.
                names = Names(level, {}, self.names[""].own, has_before=False)
                found = self._formula(inner.value, names, COUNT, Fraction(1))
                if found is not None:
                    self.rows[level] = found
            else:
                known = (*specs, "rows") if level in self.lists else tuple(specs)
                self._unknown(inner.key, f"input of `{level}`", known)

    def _hint(self, level: str, spec: PlanInput, entry: doc.Entry) -> None:
        name, span, value = spec.name, entry.key.span, entry.value
        if not level and name == "episode_id":
            self.sink.add(problems.bad_hint(span, "episodes are numbered by themselves", "leave `episode_id` out"))
            return
        hint: Hint | None
        match value:
            case doc.Mapping() if any(e.key.text in OPTIONS for e in value.entries):
                hint = self._options(Hint(level, name, span), spec, value)
            case doc.Mapping():
                hint = Hint(level, name, span, weights=self._weights(spec, value))
            case doc.Scalar() if spec.type == FLAG and _SHARE.fullmatch(value.text.strip()):
                hint = Hint(level, name, span, weights=((True, self._share(value)),))
            case _:
                found = self._formula(value, self.names[level], spec.type, grid_of(spec))
                hint = Hint(level, name, span, found) if found is not None else None
        if hint is not None:
            self.fields[level, name] = hint

    def _options(self, hint: Hint, spec: PlanInput, of: doc.Mapping) -> Hint:
        formula, weights, table, key = hint.formula, hint.weights, "", 0
        shares: dict[str, Fraction] = {}
        for entry in of.entries:
            option, value = entry.key.text, entry.value
            reason = _unfit(option, hint.level, spec, self.plan, of)
            if option not in OPTIONS:
                near = nearest(option, OPTIONS)
                self.sink.add(
                    problems.bad_hint(
                        entry.key.span,
                        f"`{option}` is no option of a hint",
                        f"did you mean `{near}`?"
                        if near
                        else f"options: {', '.join(OPTIONS)}; shares of values stand under `weights:`",
                    )
                )
            elif reason:
                self.sink.add(problems.bad_hint(entry.key.span, f"`{option}` has no meaning here", reason))
            elif option == "is":
                formula = self._formula(value, self.names[hint.level], spec.type, grid_of(spec))
            elif option == "weights":
                if isinstance(value, doc.Mapping):
                    weights = self._weights(spec, value)
                else:
                    self.sink.add(wrong_shape(value.span, "`weights`", "a map of values to percentages", _shape(value)))
            elif option == "episodes":
                self.episodes = self._formula(value, Names("", {}), COUNT, Fraction(1))
            elif option == "from":
                table, key = self._table(spec, value)
            elif isinstance(value, doc.Scalar):
                shares[option] = self._share(value)
            else:
                self.sink.add(wrong_shape(value.span, f"`{option}`", "a percentage", _shape(value)))
        return Hint(
            hint.level,
            hint.name,
            hint.span,
            formula,
            weights,
            shares.get("missing"),
            shares.get("same"),
            shares.get("edges"),
            shares.get("unknown"),
            table,
            key,
        )

    # ---- parts of hints ----

    def _formula(self, value: doc.Node, names: Names, of: Type, grid: Fraction | None) -> Formula | None:
        if not isinstance(value, doc.Scalar) or value.is_null:
            expected = "an expression such as uniform(1, 9), or shares of values"
            self.sink.add(wrong_shape(value.span, "a hint", expected, _shape(value)))
            return None
        rule = parse_rule(value, self.sink)
        return Reader(self.plan, names, self.sink).rule(rule, Wanted(of, grid))

    def _share(self, value: doc.Scalar) -> Fraction:
        written = _SHARE.fullmatch(value.text.strip())
        share = Fraction(written[1]) / 100 if written else Fraction(-1)
        if not 0 <= share <= 1:
            self.sink.add(
                problems.bad_share(value.span, f"`{value.text}` is no share", "write 0% to 100%, as in `25%`")
            )
            return Fraction(0)
        return share

    def _weights(self, spec: PlanInput, of: doc.Mapping) -> tuple[tuple[Value, Fraction], ...]:
        """Values with their shares, which come to at most all."""
        reader = CellReader.of(spec, self.plan.currency)
        found: dict[Value, Fraction] = {}
        total = Fraction(0)
        for entry in of.entries:
            text = entry.key.text
            value = reader.read(text.replace("_", "") if is_numeric(spec.type) else text)
            share = self._share(entry.value) if isinstance(entry.value, doc.Scalar) else Fraction(0)
            if not isinstance(entry.value, doc.Scalar):
                self.sink.add(wrong_shape(entry.value.span, f"`{text}`", "a percentage", _shape(entry.value)))
            if isinstance(value, CellProblem) or value is None:
                if isinstance(spec.type, OneOf):
                    values = spec.type.values
                    self.sink.add(unknown_key(entry.key.span, text, ", ".join(values), nearest(text, values)))
                else:
                    why = (
                        value.message
                        if isinstance(value, CellProblem)
                        else "say how often it is missing with `missing:`"
                    )
                    self.sink.add(problems.bad_hint(entry.key.span, f"`{text}` is no value of `{spec.name}`", why))
                continue
            if value in found:
                self.sink.add(
                    problems.bad_share(entry.key.span, f"`{text}` has a share already", "give each value one share")
                )
            found[value] = share
            total += share
        is_whole_set = isinstance(spec.type, OneOf) and set(spec.type.values) == set(found)
        if total > 1 or (is_whole_set and total != 1):
            shown = f"{float_free(total * 100)}%"
            advice = (
                "the shares of all values of a set make 100%"
                if is_whole_set
                else "what is left over goes to other values"
            )
            self.sink.add(problems.bad_share(of.span, f"the shares add up to {shown}", advice))
        return tuple(found.items())

    def _table(self, spec: PlanInput, value: doc.Node) -> tuple[str, int]:
        """The table whose keys a field takes, and which of its keys: that of the field's name, else the first of its type."""
        text = value.text.strip() if isinstance(value, doc.Scalar) else ""
        name, _, column = text.partition(".")
        table = next((t for t in self.plan.tables if t.name == name), None)
        if table is None:
            self.sink.add(unknown_name(value.span, name, nearest(name, tuple(t.name for t in self.plan.tables))))
            return "", 0
        exact = list(table.keys[: len(table.keys) - bool(table.range_key)])
        fits = [
            k for k, of in zip(exact, table.key_types, strict=False) if of == spec.type or {of, spec.type} <= {CODE}
        ]
        chosen = column or (spec.name if spec.name in fits else next(iter(fits), ""))
        if chosen not in fits:
            have = f"its keys are {', '.join(exact)}" if exact else "it has no exact key"
            what = f"key `{column}`" if column else f"key of type `{spec.type}`"
            self.sink.add(problems.bad_hint(value.span, f"table `{name}` has no {what} for `{spec.name}`", have))
            return "", 0
        return name, exact.index(chosen)

    # ---- circles ----

    def _circles(self) -> None:
        """Refuses hints that need each other: within a row, or a list and the bill."""
        needs: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for (level, name), hint in self.fields.items():
            if hint.formula is None:
                continue
            needs[level, name] = [(level, n) for n in sorted(hint.formula.reads)]
            needs[level, name] += [("", n) for n in sorted(hint.formula.of_bill)]
            needs[level, name] += [("list", n) for n in sorted(hint.formula.over & self.lists.keys())]
            if level in self.lists:
                needs.setdefault(("list", level), []).append((level, name))
        for name, rows in self.rows.items():
            needs.setdefault(("list", name), []).extend(("", n) for n in sorted(rows.of_bill))
        for path in _circles(needs):
            named = [f"{level}.{name}" if level not in ("", "list") else name for level, name in path]
            spans = [self.fields[key].span for key in path[:-1] if key in self.fields]
            self.sink.add(problems.circle(spans[0] if spans else self._span(), named, spans[1:]))

    def _span(self) -> Span:
        assert self.decl.sample is not None  # noqa: S101 - the caller looked
        return self.decl.sample.span


def _circles(needs: Mapping[tuple[str, str], list[tuple[str, str]]]) -> Iterator[list[tuple[str, str]]]:
    """One path for each set of things that need each other."""
    done: set[tuple[str, str]] = set()
    for start in needs:
        path: list[tuple[str, str]] = []
        stack: list[tuple[tuple[str, str], bool]] = [(start, True)]
        while stack:
            node, enters = stack.pop()
            if not enters:
                done.add(path.pop())
                continue
            if node in path:
                yield [*path[path.index(node) :], node]
                return
            if node in done:
                continue
            path.append(node)
            stack.append((node, False))
            stack.extend((n, True) for n in reversed(needs.get(node, [])))


def float_free(value: Fraction) -> str:
    """A percentage figure in plain digits."""
    whole = round(value * 10**_MOST_DIGITS)
    text = f"{whole // 10**_MOST_DIGITS}.{whole % 10**_MOST_DIGITS:0{_MOST_DIGITS}d}"
    return text.rstrip("0").rstrip(".")


def grid_of(spec: PlanInput) -> Fraction | None:
    """What values of a field are multiples of, as far as they are drawn; None where they are no numbers."""
    if not is_numeric(spec.type):
        return None
    if is_whole(spec.type):
        return Fraction(1)
    digits = spec.decimals if str(spec.type) != "number" else min(spec.decimals, _MOST_DIGITS)
    return Fraction(1, 10 ** (digits + (2 if str(spec.type) == "percent" else 0)))


def _types(inputs: tuple[PlanInput, ...]) -> dict[str, Type]:
    return {i.name: i.type for i in inputs}


def _shape(node: doc.Node) -> str:
    match node:
        case doc.Scalar():
            return "nothing" if node.is_null else "a single value"
        case doc.Mapping():
            return "a map"
        case _:
            return "a list"


def _unfit(option: str, level: str, spec: PlanInput, plan: Plan, of: doc.Mapping) -> str:
    """Why an option cannot be given for a field; "" when it can."""
    lists = {x.name for x in plan.lists}
    match option:
        case "missing" if not spec.optional and spec.default is None:
            return f"`{spec.name}` is always given: it is neither `optional` nor has it a default"
        case "same" if level not in lists and (level or plan.sequence is None):
            return "only in a rulebook with `sequence:` does an episode come after another one of the same person"
        case "edges" if not is_numeric(spec.type) and spec.type != DATE:
            return "boundaries are those of numbers, amounts and dates"
        case "unknown" if spec.type != CODE:
            return "only a code can be one that no table has"
        case "from" if of.get("is") is not None:
            return "a value is either a key of a table, or what `is:` says"
        case "episodes" if level or plan.sequence is None or spec.name != plan.sequence.by:
            by = f"give it for `{plan.sequence.by}`" if plan.sequence is not None else "the rulebook has no `sequence:`"
            return f"it is the number of episodes of one person: {by}"
    return ""
