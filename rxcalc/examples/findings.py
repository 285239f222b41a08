"""The findings that an example expects held against those that were made."""

from __future__ import annotations

from collections.abc import Sequence

from rxcalc.backends.base import Finding
from rxcalc.diagnostics.model import Sink
from rxcalc.examples.difference import Difference
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import ExpectedFinding
from rxcalc.inputs.groups import key_specs, result_spec
from rxcalc.inputs.shown import shown
from rxcalc.lang.types import COUNT, MONEY
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Plan, PlanCheck, PlanInput, Value
from rxcalc.typed.symbols import nearest


class FindingsComparer:
    """Compares the findings of one rulebook's examples. Everything found must be expected."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.checks = {check.name: index for index, check in enumerate(plan.checks)}
        self.levels: dict[str, tuple[PlanInput, ...]] = {"": ()}
        for spec in plan.lists:
            fields = {field.name: field for field in spec.inputs}
            self.levels[spec.name] = tuple(fields[name] for name in spec.order) or (result_spec("row", COUNT),)
        for group in plan.groups:
            self.levels[group.name] = tuple(key_specs(group, plan)) if group.inside else ()
        self._money = CellReader.of(result_spec("amount", MONEY), plan.currency)

    def differences(
        self, expected: Sequence[ExpectedFinding], found: Sequence[Finding], prefix: str, sink: Sink
    ) -> list[Difference]:
        """What was expected and not found, then what was found and not expected."""
        left = list(found)
        missed: list[Difference] = []
        for wanted in expected:
            index = self.checks.get(wanted.check.text.strip())
            if index is None:
                sink.add(
                    problems.unknown_finding(
                        wanted.check.span, wanted.check.text, nearest(wanted.check.text, list(self.checks))
                    )
                )
                continue
            at = self._row(self.plan.checks[index], wanted, sink)
            if at is None:
                continue
            called = self._called(index, at)
            same = next((f for f in left if f.index == index and self._at(f) == at), None)
            if same is None:
                missed.append(Difference(f"{prefix}findings", called, "no such finding"))
                continue
            left.remove(same)
            if wanted.amount is not None:
                amount = self._money.read(wanted.amount.text)
                if isinstance(amount, CellProblem):
                    sink.add(
                        problems.bad_episode_file(wanted.amount.span, amount.message, "write the amount as it is shown")
                    )
                elif amount != same.amount:
                    told = (self._amount(amount), self._amount(same.amount))
                    missed.append(
                        Difference(
                            f"{prefix}finding {called}", *told, item=self._name(index), span=wanted.amount.span,
                            becomes=self._plain(same.amount),
                        )
                    )  # fmt: skip
        return [*missed, *(self._extra(f, prefix) for f in left)]

    def _extra(self, f: Finding, prefix: str) -> Difference:
        """What was found and not expected."""
        told = self._called(f.index, self._at(f)) + self._with(f.amount)
        return Difference(f"{prefix}findings", "nothing more", told, item=self._name(f.index))

    def _row(self, check: PlanCheck, wanted: ExpectedFinding, sink: Sink) -> tuple[Value, ...] | None:
        """The values of the row that is meant; None after telling what is wrong with them."""
        specs = self.levels[check.level]
        name = wanted.level.text if wanted.level is not None else ""
        if (name != check.level and specs) or (name and not specs):
            on = f"the rows of `{check.level}`" if specs else "the bill" if not check.level else "the group itself"
            help_ = (
                f"write `{{check: {check.name}, {check.level}: ..}}`" if specs else f"write `{{check: {check.name}}}`"
            )
            sink.add(problems.unknown_row(wanted.span, f"the check `{check.name}` looks at {on}", help_))
            return None
        texts = [part.strip() for part in wanted.row.text.split("/")] if wanted.row is not None else []
        values = [CellReader.of(spec, self.plan.currency).read(text) for spec, text in zip(specs, texts, strict=False)]
        wrong = next((value for value in values if isinstance(value, CellProblem)), None)
        if wrong is not None or len(texts) != len(specs):
            names = ", ".join(spec.name for spec in specs)
            message = wrong.message if isinstance(wrong, CellProblem) else f"this names no row of `{check.level}`"
            sink.add(problems.unknown_row(wanted.span, message, f"write its {names}, with / between several"))
            return None
        return tuple(value for value in values if not isinstance(value, CellProblem))

    def _at(self, finding: Finding) -> tuple[Value, ...]:
        """The row of the bill that a finding is on; () for the bill itself and for a group across bills."""
        return finding.at if self.levels[self.plan.checks[finding.index].level] else ()

    def _called(self, index: int, at: Sequence[Value]) -> str:
        check = self.plan.checks[index]
        keys = "/".join(
            figure(value, spec.type, self.plan.decimals)
            for value, spec in zip(at, self.levels[check.level], strict=False)
        )
        return shown(f"{check.name} on {check.level} {keys}" if keys else check.name)

    def _name(self, index: int) -> str:
        """What explanations call a check: its name, else its number from 1."""
        return self.plan.checks[index].name or str(index + 1)

    def _plain(self, amount: Value) -> str:
        """An amount as an expectation has it; "" for none."""
        return "" if amount is None else figure(amount, MONEY, self.plan.decimals, grouped=False)

    def _amount(self, amount: Value) -> str:
        return "no amount" if amount is None else figure(amount, MONEY, self.plan.decimals)

    def _with(self, amount: Value) -> str:
        return "" if amount is None else f" ({self._amount(amount)})"
