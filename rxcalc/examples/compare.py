"""What an example expects held against what came out: episodes, rows of lists, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from rxcalc.backends.base import GroupOutcome, Outcome, RowResult
from rxcalc.diagnostics.model import Sink
from rxcalc.examples.difference import Difference
from rxcalc.examples.findings import FindingsComparer
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import Expectation, ExpectedRow
from rxcalc.inputs.groups import key_specs, plain_values, result_spec, result_specs
from rxcalc.inputs.shown import shown
from rxcalc.lang.types import MONEY
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, PlanInput, Value, evaluation_order, share_name, share_names
from rxcalc.rulebook.document import Scalar
from rxcalc.typed.symbols import nearest

Order = Callable[[Plan], Iterable[tuple[str, str]]]
"""Level and name of the results of a plan, in the order in which differences are told."""


class Comparer:
    """Compares the results of one rulebook's examples.

    Differences are given by `order`, and what it does not name in evaluation order after that.
    """

    def __init__(self, plan: Plan, order: Order | None = None) -> None:
        self.plan = plan
        self._first = order
        self.groups = {group.name: group for group in plan.groups}
        self.lists = {spec.name: spec for spec in plan.lists}
        steps = [result_spec(s.name, s.type, s.values or plain_values(s.type)) for s in plan.steps if not s.lazy]
        self.specs: dict[str, dict[str, PlanInput]] = {"": _named([*steps, *_amounts("", share_names(plan), plan)])}
        for spec in plan.lists:
            own = [result_spec(s.name, s.type, s.values or plain_values(s.type)) for s in spec.steps if not s.lazy]
            self.specs[spec.name] = _named([*own, *_amounts(spec.name, (), plan)])
        for group in plan.groups:
            self.specs[group.name] = _named(result_specs(group, plan))
        self.findings = FindingsComparer(plan)
        self._parts = {name: ("", f"shares:{partition}") for name, partition in _parts_of(plan)}

    @cached_property
    def _order(self) -> dict[tuple[str, str], int]:
        """The place of each result; made only when something differs."""
        first = self._first(self.plan) if self._first is not None else ()
        items = [*first, *(item for block in evaluation_order(self.plan) for item in block.items)]
        return {item: at for at, item in enumerate(dict.fromkeys(items))}

    # ---- one episode ----

    def episode(self, expectation: Expectation, outcome: Outcome, sink: Sink) -> tuple[list[Difference], int]:
        """The differences of an episode's amounts and of those of its rows, and how many values were compared."""
        results: dict[str, Value] = {**outcome.steps, **outcome.shares}
        wanted = [(_named_as(name, scalar), scalar) for name, scalar in expectation.amounts]
        found = self._values("", "", wanted, results, 0, sink)
        count = len(expectation.amounts)
        for name, rows in expectation.rows:
            if name.text not in self.lists:
                self._unknown_level(name, sink)
                continue
            for row in rows:
                count += len(row.fields)
                found += self._line(name.text, row, outcome.lists.get(name.text, ()), sink)
        for kind, rows in expectation.groups:
            group = self.groups.get(kind.text)
            if group is not None and group.inside:
                for row in rows:
                    results_of = [(r.inputs, r.steps) for r in outcome.lists.get(kind.text, ())]
                    found += self._group(kind, row, results_of, sink)
                    count += len(row.fields) - len(self._keys_in(kind.text, row))
        differences = [difference for _, difference in sorted(found, key=lambda item: item[0])]
        if expectation.findings is not None:
            count += max(1, len(expectation.findings))
            differences += self.findings.differences(expectation.findings, outcome.findings, "", sink)
        return differences, count

    def _line(
        self, name: str, row: ExpectedRow, results: Sequence[RowResult], sink: Sink
    ) -> list[tuple[int, Difference]]:
        """The differences of one row of a list."""
        order = self.lists[name].order
        given = {key.text: value.text for key, value in row.fields}
        wanted = list(row.fields)
        if row.key is None:  # a list of rows that hold their order fields
            texts = [given[field] for field in order if field in given]
            wanted = [(key, value) for key, value in row.fields if key.text not in order]
        else:
            texts = row.key.text.split("/") if len(order) > 1 else [row.key.text]
        texts = [text.strip() for text in texts]
        found = self._named_by(name, texts, results)
        if not texts or len(texts) > max(1, len(order)) or len(found) > 1:
            message = f"this names {len(found)} rows of `{name}`" if texts else f"this names no row of `{name}`"
            by = f"write its {', '.join(order)}" if order else "write its place: 1, 2, .."
            sink.add(problems.unknown_row(row.span, message, f"{by}, with / between several" if len(order) > 1 else by))
            return []
        where = f"{name} {'/'.join(texts)}"
        if not found:
            return [(-1, Difference(where, "a row", "the episode has no such row"))]
        return self._values(name, f"{where} ", wanted, results[found[0]].steps, found[0], sink)

    def _named_by(self, name: str, texts: Sequence[str], results: Sequence[RowResult]) -> list[int]:
        """The places of the rows whose first order fields have some values; of a list without order the row at a place."""
        spec = self.lists[name]
        if not spec.order:
            return [at for at in range(len(results)) if list(texts) == [str(at + 1)]]
        fields = {field.name: CellReader.of(field, self.plan.currency) for field in spec.inputs}
        wanted = {field: fields[field].read(text) for field, text in zip(spec.order, texts, strict=False)}
        return [at for at, r in enumerate(results) if wanted and all(r.inputs[f] == v for f, v in wanted.items())]

    # ---- groups ----

    def of_groups(
        self, expectation: Expectation, outcomes: Iterable[GroupOutcome], given: Iterable[str], sink: Sink
    ) -> tuple[list[Difference], int]:
        """The differences of groups that go across episodes, and how many values were compared."""
        found: list[tuple[int, Difference]] = []
        count = 0
        by_kind: dict[str, list[GroupOutcome]] = {}
        for outcome in outcomes:
            by_kind.setdefault(outcome.kind, []).append(outcome)
        for kind, rows in expectation.groups:
            group = self.groups.get(kind.text)
            if group is None:
                self._unknown_level(kind, sink)
            elif kind.text in set(given):
                message = f"the results of `{kind.text}` are given, so they are not computed"
                sink.add(problems.unknown_row(kind.span, message, "expect them where they are computed"))
            elif not group.inside:
                for row in rows:
                    count += len(row.fields) - len(self._keys_in(kind.text, row))
                    count += max(1, len(row.findings)) if row.findings is not None else 0
                    found += self._across(kind, row, by_kind.get(kind.text, ()), sink)
        return [difference for _, difference in sorted(found, key=lambda item: item[0])], count

    def _across(
        self, kind: Scalar, row: ExpectedRow, outcomes: Sequence[GroupOutcome], sink: Sink
    ) -> list[tuple[int, Difference]]:
        found = self._group(kind, row, [(o.inputs, {**o.steps, **o.shares}) for o in outcomes], sink)
        refused = next(
            (o.problem for o in outcomes if o.problem is not None and self._is(kind.text, row, o.inputs)), None
        )
        if refused is not None:
            return [(-1, Difference(f"{kind.text}", "a result", f"refused {refused.code}: {refused.message}"))]
        meant = [o for o in outcomes if self._is(kind.text, row, o.inputs)]
        if row.findings is not None and len(meant) == 1:
            last = (len(self._order) + 1) * 1_000_000
            wrong = self.findings.differences(row.findings, meant[0].findings, f"{kind.text} ", sink)
            found += [(last, difference) for difference in wrong]
        return found

    def _group(
        self,
        kind: Scalar,
        row: ExpectedRow,
        results: Sequence[tuple[Mapping[str, Value], Mapping[str, Value]]],
        sink: Sink,
    ) -> list[tuple[int, Difference]]:
        """The differences of the group that a row names, among all groups of its kind."""
        keys = self._keys_in(kind.text, row)
        named = "/".join(value.text.strip() for key, value in row.fields if key.text in keys)
        where = f"{kind.text} {named}".strip()
        meant = [(at, values) for at, (inputs, values) in enumerate(results) if self._is(kind.text, row, inputs)]
        if len(meant) > 1:
            names = ", ".join(key.name for key in self.groups[kind.text].keys)
            sink.add(
                problems.unknown_row(
                    row.span, f"this could be {len(meant)} groups of `{kind.text}`", f"name its {names}"
                )
            )
            return []
        if not meant:
            return [(-1, Difference(where, "a group", "there is no such group"))]
        at, values = meant[0]
        wanted = [(key, value) for key, value in row.fields if key.text not in keys]
        inputs = results[at][0]
        own = tuple(inputs.get(key.name) for key in self.groups[kind.text].keys)
        found = self._values(kind.text, f"{where} ", wanted, values, at, sink)
        return [(place, replace(difference, keys=own)) for place, difference in found]

    def _keys_in(self, kind: str, row: ExpectedRow) -> set[str]:
        """The keys of the group that a row gives."""
        keys = {key.name for key in self.groups[kind].keys} if kind in self.groups else set()
        return {key.text for key, _ in row.fields if key.text in keys}

    def _is(self, kind: str, row: ExpectedRow, inputs: Mapping[str, Value]) -> bool:
        """Whether a group has the keys that a row gives."""
        specs = {spec.name: spec for spec in key_specs(self.groups[kind], self.plan)}
        for key, value in row.fields:
            spec = specs.get(key.text)
            if spec is not None and CellReader.of(spec, self.plan.currency).read(value.text) != inputs.get(key.text):
                return False
        return True

    # ---- values ----

    def _values(
        self,
        level: str,
        prefix: str,
        wanted: Iterable[tuple[Scalar, Scalar]],
        results: Mapping[str, Value],
        row: int,
        sink: Sink,
    ) -> list[tuple[int, Difference]]:
        """The differences of one row, each with its place in evaluation order."""
        found: list[tuple[int, Difference]] = []
        specs = self.specs[level]
        for key, scalar in wanted:
            name = key.text
            spec = specs.get(name)
            if spec is None:
                near = nearest(name, list(specs))
                sink.add(problems.unknown_expectation(key.span, f"{prefix}{name}", near))
                continue
            expected = (
                None if scalar.text.strip() == "missing" else CellReader.of(spec, self.plan.currency).read(scalar.text)
            )
            at = Difference(prefix + name, "", "", level, name, row, span=scalar.span)
            if isinstance(expected, CellProblem):
                sink.add(
                    problems.bad_episode_file(scalar.span, expected.message, "write the value as a result shows it")
                )
            elif name not in results:
                missed = replace(at, expected=shown(scalar.text), found="no such result")
                found.append((self._place(level, name, row), missed))
            elif expected != results[name]:
                told = [figure(value, spec.type, self.plan.decimals) for value in (expected, results[name])]
                differs = replace(at, expected=told[0], found=told[1], becomes=self._written(spec, results[name]))
                found.append((self._place(level, name, row), differs))
        return found

    def _written(self, spec: PlanInput, value: Value) -> str:
        """A value as an expectation has it; "" where it would not be read back as the same one."""
        text = figure(value, spec.type, self.plan.decimals, grouped=False)
        return text if value is None or CellReader.of(spec, self.plan.currency).read(text) == value else ""

    def _place(self, level: str, name: str, row: int) -> int:
        """Where a result stands in the order, row after row for each item."""
        item = (level, name) if (level, name) in self._order else self._parts.get(name, (level, name))
        return self._order.get(item, len(self._order)) * 1_000_000 + row

    def _unknown_level(self, name: Scalar, sink: Sink) -> None:
        known = [*self.lists, *self.groups]
        near = nearest(name.text, known)
        help_ = f"did you mean `{near}`?" if near else f"it has {', '.join(known) or 'neither lists nor groups'}"
        sink.add(problems.unknown_row(name.span, f"`{name.text}` is no list or group of this rulebook", help_))


def _named(specs: Iterable[PlanInput]) -> dict[str, PlanInput]:
    return {spec.name: spec for spec in specs}


def _amounts(level: str, names: Iterable[str], plan: Plan) -> list[PlanInput]:
    """Results that are money: parts and totals by `names`, and what the level receives of spreads."""
    received = [s.name for s in plan.spreads if s.target == level]
    return [result_spec(name, MONEY) for name in (*names, *received)]


def _parts_of(plan: Plan) -> list[tuple[str, str]]:
    """The names of all parts and totals with their partition."""
    found = [(share_name(at, p.name, x.bearer, x.part), p.name) for at, p in enumerate(plan.shares) for x in p.parts]
    return found + [(total, plan.shares[0].name) for total in plan.totals if plan.shares]


def _named_as(name: str, scalar: Scalar) -> Scalar:
    """The name of an amount as a scalar at the amount's place."""
    return replace(scalar, text=name)
