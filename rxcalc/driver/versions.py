"""Several versions of a rulebook in one run: each episode on the version whose dates hold its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from rxcalc.driver.batch_blocks import Computed, Evaluator, RowProblem
from rxcalc.driver.versions_follow import called, in_order
from rxcalc.driver.versions_found import Found
from rxcalc.driver.versions_read import VERSION, VersionsReader
from rxcalc.inputs.shown import quoted
from rxcalc.inputs.tables import ROW
from rxcalc.lang.types import OneOf, Type, is_numeric
from rxcalc.passes.sequence import placing_fields
from rxcalc.plan.nodes import Plan, PlanInput, PlanStep, share_names
from rxcalc.plan.reads import recorded_results, window_reads
from rxcalc.shipped import rulebooks_folder
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.summary import RulebookFacts, VersionFacts, VersionsFacts

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding
    from rxcalc.driver.batch_exact import Cell

COLUMN: Final = "rulebook_version"  # the result column that names the version of a row


def rulebook_facts(path: Path, plan: Plan) -> RulebookFacts:
    """What a summary says of where a rulebook is."""
    folder = rulebooks_folder()
    shipped = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
    return RulebookFacts(path=path, files=plan.files, shipped=shipped)


def rulebooks_facts(books: Sequence[tuple[Path, Plan]]) -> RulebookFacts | VersionsFacts:
    """What a summary says of the rulebook, or of each version."""
    if len(books) == 1:
        return rulebook_facts(*books[0])
    ordered = sorted(books, key=lambda book: book[1].effective_from)
    return VersionsFacts(
        versions=tuple(
            VersionFacts(
                name=plan.rulebook,
                version=plan.version,
                digest=plan.digest,
                effective=(str(plan.effective_from), str(plan.effective_to or "")),
                rulebook=rulebook_facts(path, plan),
            )
            for path, plan in ordered
        )
    )


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions that may run together, oldest first; `plan` says what their files have in common, and computes nothing."""

    plans: tuple[Plan, ...]
    plan: Plan

    @property
    def names(self) -> tuple[str, ...]:
        """How each is called, in messages and results."""
        return tuple(called(plan) for plan in self.plans)


def join_versions(plans: Sequence[Plan]) -> Versions | UsageProblem:
    """The versions as one, or why they do not fit together."""
    ordered = in_order(plans)
    if isinstance(ordered, UsageProblem):
        return ordered
    problem = _fits(ordered)
    return problem if problem is not None else Versions(ordered, _plan(ordered))


# ---- what fits together ---------------------------------------------------------------------------------


def _fits(plans: Sequence[Plan]) -> UsageProblem | None:
    names = [called(plan) for plan in plans]
    for one, other, first, second in zip(plans, plans[1:], names, names[1:], strict=False):
        problem = _alike(one, other, first, second)
        if problem is not None:
            return problem
    for plan, name in zip(plans, names, strict=True):
        if plan.lists or plan.groups:
            what = "lists" if plan.lists else "groups"
            return UsageProblem(
                f"{name} has {what}; several versions run together only without lists and groups",
                ("run each version by itself, on the episodes of its dates",),
            )
        if plan.sequence is not None and plan.sequence.order[0] != plan.effective_by:
            return UsageProblem(
                f"{name} orders episodes by {plan.sequence.order[0]} first, but its dates go by {plan.effective_by}; "
                "an older version could then be needed after a newer one",
                ("run each version by itself",),
            )
    return _remembers(plans, names)


def _alike(one: Plan, other: Plan, first: str, second: str) -> UsageProblem | None:
    """Whether two versions speak of the same money, the same results and the same order."""
    if (one.currency, one.decimals) != (other.currency, other.decimals):
        return UsageProblem(f"{first} is in {one.currency}, {second} in {other.currency}")
    if one.sequence != other.sequence:
        return UsageProblem(
            f"{first} and {second} have different `sequence`s, so their episodes do not follow each other",
            ("run each version by itself",),
        )
    before = {spec.name: spec for spec in one.inputs}
    for spec in other.inputs:
        known_as = before.get(spec.name, spec)
        is_number = is_numeric(spec.type) or is_numeric(known_as.type)
        if is_number and (spec.type, spec.decimals) != (known_as.type, known_as.decimals):
            return UsageProblem(
                f"{first} and {second} read {spec.name} as different kinds of number", ("run each version by itself",)
            )
    if one.sequence is not None:
        types = [{spec.name: spec.type for spec in plan.inputs} for plan in (one, other)]
        fields = [one.sequence.by, *one.sequence.order, *([one.sequence.reverses] if one.sequence.reverses else [])]
        for name in fields:
            if types[0].get(name) != types[1].get(name):
                return UsageProblem(f"{first} and {second} read {name} as different kinds of value")
    known = _types(one)
    for name, kind in _types(other).items():
        if name in known and _form(known[name]) != _form(kind):
            return UsageProblem(
                f"{first} and {second} both compute {quoted(name)}, but not as the same kind of value",
                ("run each version by itself",),
            )
    return None


def _remembers(plans: Sequence[Plan], names: Sequence[str]) -> UsageProblem | None:
    """Whether what windows read of earlier episodes is there in all versions before."""
    for at, plan in enumerate(plans):
        if plan.sequence is None:
            continue
        for before, name in zip(plans[:at], names, strict=False):
            have = {*_types(before), *(spec.name for spec in before.inputs)}
            lacking = [name for name in (*window_reads(plan), *sorted(placing_fields(plan))) if name not in have]
            if lacking:
                return UsageProblem(
                    f"the windows of {names[at]} read {', '.join(lacking)}, which {name} does not have",
                    ("run each version by itself",),
                )
    return None


def _types(plan: Plan) -> dict[str, Type | None]:
    """Every result with its type; None: an amount of money that is no step."""
    steps: dict[str, Type | None] = {step.name: step.type for step in plan.steps if not step.lazy}
    received = [spread.name for spread in plan.spreads if not spread.target]
    return {**dict.fromkeys((*received, *share_names(plan))), **steps}


def _form(kind: Type | None) -> object:
    """How a result is written: names of different sets are all text."""
    return "text" if isinstance(kind, OneOf) else kind


# ---- the versions as one --------------------------------------------------------------------------------


def _plan(plans: Sequence[Plan]) -> Plan:
    """A plan with the inputs and results of all versions, those of the newest first."""
    newest = plans[-1]
    latest = tuple(reversed(plans))
    steps: dict[str, PlanStep] = {}
    for plan in latest:
        for step in plan.steps:
            known = steps.get(step.name)
            # What only some versions can write out with all digits is told as what it is there.
            steps[step.name] = step if known is None else replace(known, scale=_scale(known.scale, step.scale))
    shares = set(share_names(newest))
    more = tuple(dict.fromkeys(name for plan in latest for name in share_names(plan) if name not in shares))
    always = [name for plan in latest for name in recorded_results(plan)]
    outputs = [name for plan in latest for name in plan.outputs]
    checks = [(plan, check) for plan in plans for check in plan.checks]
    named = [check.name for _, check in checks]
    evidence: dict[str, int] = {}
    for plan in plans:
        for status, count in plan.evidence:
            evidence[status] = evidence.get(status, 0) + count
    return replace(
        newest,
        rulebook=", ".join(dict.fromkeys(plan.rulebook for plan in plans)),
        version=", ".join(plan.version for plan in plans),
        effective_from=plans[0].effective_from,
        digest=hashlib.sha256("\n".join(plan.digest for plan in plans).encode()).hexdigest(),
        inputs=_inputs(latest),
        windows=tuple(window for plan in latest for window in plan.windows),  # all say what places an episode
        steps=tuple(steps.values()),
        totals=(*newest.totals, *more),
        outputs=tuple(dict.fromkeys((*outputs, *(always if len(plans) > 1 else ()), COLUMN))),
        checks=tuple(
            replace(check, name=f"{check.name}@{plan.version}") if named.count(check.name) > 1 else check
            for plan, check in checks
        ),
        evidence=tuple(evidence.items()),
        bases=(),
        files=(),
    )


def _scale(one: int, other: int) -> int:
    """The scale that both have; 0, none, when one of them has none."""
    return max(one, other) if one and other else 0


def _inputs(latest: Sequence[Plan]) -> tuple[PlanInput, ...]:
    """The inputs of all versions. Without a column only those stop the run that all of them need."""
    found: dict[str, PlanInput] = {}
    for plan in latest:
        for spec in plan.inputs:
            known = found.get(spec.name)
            if known is None:
                found[spec.name] = spec
            else:
                found[spec.name] = replace(known, aliases=tuple(dict.fromkeys((*known.aliases, *spec.aliases))))
    needed = {
        name
        for name in found
        if all(any(s.name == name and not s.optional and s.default is None for s in plan.inputs) for plan in latest)
    }
    return tuple(
        spec if name in needed else replace(spec, optional=spec.default is None) for name, spec in found.items()
    )


# ---- computing ------------------------------------------------------------------------------------------


class VersionsEvaluator:
    """Computes each row by its own version. `reader` makes the tables that it takes."""

    def __init__(self, versions: Versions, evaluators: Sequence[Evaluator]) -> None:
        self.versions = versions
        self.reader = VersionsReader(versions.plans, versions.names)
        self._evaluators = tuple(evaluators)
        self._offsets = [sum(len(p.checks) for p in versions.plans[:at]) for at in range(len(versions.plans))]

    @cached_property
    def _cells(self) -> tuple[Mapping[str, Cell], ...]:
        """By version the result columns it has."""
        from rxcalc.driver.batch_exact import cells_of

        return tuple({cell.name: cell for cell in cells_of(plan, _types(plan))} for plan in self.versions.plans)

    def run(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        *,
        lists: Mapping[str, pl.DataFrame] | None = None,
        list_outputs: Mapping[str, Sequence[str]] | None = None,
        after_reject: str = "refuse",
        findings: bool = False,
        **before: Any,
    ) -> Computed:
        """As `Evaluator.run`, without lists and what came before: `run_versions` refuses those."""
        del lists, list_outputs, before
        if self.versions.plan.sequence is not None:
            from rxcalc.driver.versions_sequences import run_sequences

            return run_sequences(self, frame, columns, compute=after_reject == "compute")
        found: list[tuple[int, Computed]] = []
        for at in range(len(self._evaluators)):
            own = self.own_frame(frame.filter(pl.col(VERSION) == at), at)
            if own.height:
                more: dict[str, Any] = {"findings": True} if findings and self.versions.plans[at].checks else {}
                found.append((at, self.by_columns(at, own, columns, **more)))
        return self.together(found, columns)

    @cached_property
    def exact_steps(self) -> dict[str, str]:
        """By version the steps that its columns leave to the exact evaluator, with the reason."""
        found: dict[str, str] = {}
        for name, evaluator in zip(self.versions.names, self._evaluators, strict=True):
            program = getattr(evaluator, "program", None)
            for step, reason in program.formed.reasons.items() if program is not None else ():
                found[f"{name} {step}"] = reason
        return found

    def by_columns(self, at: int, own: pl.DataFrame, columns: Sequence[str], **more: Any) -> Computed:
        """Rows of one version, in its columns."""
        return self._evaluators[at].run(own, self.own_columns(columns, at), **more)

    def own_frame(self, frame: pl.DataFrame, at: int) -> pl.DataFrame:
        """Rows as a version takes them: its inputs under their names."""
        names = self.reader.columns[at]
        extra = [name for name in frame.columns if name.startswith("__") and name not in (VERSION, *names)]
        return frame.select(*(pl.col(column).alias(name) for name, column in names.items()), *extra)

    def cell(self, name: str, at: int) -> Cell | None:
        """A result column as a version has it, else as another one has it."""
        return next(
            (found for cells in (self._cells[at], *self._cells) if (found := cells.get(name)) is not None), None
        )

    def cells(self, columns: Iterable[str], at: int) -> tuple[Cell, ...]:
        """Those of the result columns that a version has."""
        return tuple(self._cells[at][name] for name in self.own_columns(columns, at))

    def own_columns(self, columns: Iterable[str], at: int) -> tuple[str, ...]:
        """Those of the result columns that a version has."""
        return tuple(name for name in columns if name in self._cells[at])

    def together(
        self,
        found: Sequence[tuple[int, Computed]],
        columns: Sequence[str],
    ) -> Found:
        """The results of all versions as one, numbers with the decimals of the version that has most."""
        digits: dict[str, int] = {}
        for cells in self._cells:
            for name in columns:
                cell = cells.get(name)
                if cell is not None and cell.decimals is not None:
                    digits[name] = max(digits.get(name, 0), cell.decimals)
        frames = [pl.DataFrame(schema={ROW: pl.Int64, **{n: self._kind(n) for n in columns}})]
        problems: list[tuple[int, RowProblem]] = []
        told: list[tuple[int, Finding]] = []
        affected: dict[int, tuple[str, ...]] = {}
        marked: frozenset[int] = frozenset()
        for at, one in found:
            own = set(one.values.columns)
            name_of = pl.lit(self.versions.names[at], dtype=pl.String)
            exprs = [pl.col(ROW).cast(pl.Int64)]
            for name in columns:
                if name == COLUMN:
                    exprs.append(name_of.alias(name))
                elif name not in own:
                    exprs.append(pl.lit(None, dtype=self._kind(name)).alias(name))
                elif name in digits:
                    shift = digits[name] - one.decimals.get(name, 0)
                    exprs.append(pl.col(name).cast(pl.Int128) * 10**shift if shift else pl.col(name))
                else:
                    exprs.append(pl.col(name).cast(self._kind(name)))
            frames.append(one.values.select(exprs))
            problems += one.problems
            affected |= one.affected
            marked |= one.marked
            told += [(row, replace(finding, index=finding.index + self._offsets[at])) for row, finding in one.findings]
        values = pl.concat(frames, how="vertical_relaxed").sort(ROW)
        order = sorted(told, key=lambda item: item[0])
        return Found(
            values=values,
            decimals=digits,
            problems=sorted(problems, key=lambda item: item[0]),
            marked=marked,
            affected=affected,
            findings=order,
        )

    def _kind(self, name: str) -> Any:
        """The type of a result column: whole numbers, text, or the column's own."""
        from rxcalc.backends.columnar.values import result_type

        cell = next((cells[name] for cells in self._cells if name in cells), None)
        if cell is None or isinstance(cell.type, OneOf):
            return pl.String
        return result_type(cell.type, None)
