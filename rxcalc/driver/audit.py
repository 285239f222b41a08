"""The charged amounts of one episode file held against a rulebook and against others like it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

from rxcalc.bill.audit import Audited, audit
from rxcalc.bill.changes import Other
from rxcalc.bill.charged import read_charged, results
from rxcalc.bill.subject import read_subject
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.cached import plan_for
from rxcalc.driver.explain import GivenBill, Missing, given_bill
from rxcalc.inputs.episodes import EpisodeEntry, Fields
from rxcalc.inputs.openings import normal, opening_specs
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.report.order import bill_sequence
from rxcalc.report.wording import in_language

_PLAIN: Final = re.compile(r"[\w.%/-]+")


class Unmatched:
    """What stands under `charged:` cannot be held against the results of the rulebook."""


def audit_entry(
    plan: Plan,
    entry: EpisodeEntry,
    sink: Sink,
    *,
    tolerance: Fraction = Fraction(0),
    found: find.Found | None = None,
    against: Sequence[tuple[str, Plan]] = (),
    language: str = "en",
) -> Audited | Missing | Unmatched | None:
    """The audit of an entry's bill; `Missing` when inputs lack, `Unmatched` after mistakes under `charged:` (in the sink).

    None when anything else is wrong with the bill (in the sink).

    `found` is where the rulebook is, so that its other versions can be tried; `against` are further rulebooks, by name.
    """
    given = given_bill(plan, entry, sink, language=language)
    if not isinstance(given, GivenBill):
        return given
    subject = given.subject
    charged = read_charged(entry, subject, bill_sequence(plan), sink)
    if sink.has_errors:
        return Unmatched()

    def others() -> list[Other]:
        rulebooks = [*_versions(plan, found, against), *((name, other, True) for name, other in against)]
        return [
            _under(other, entry, name, given=given, currency=plan.currency)
            for name, other, given in rulebooks
            if other.digest != plan.digest
        ]

    return audit(subject, charged, others, tolerance=tolerance)


def charged_template(plan: Plan, language: str = "en") -> str:
    """A `charged:` section to fill in: the outputs of the rulebook and the parts of its bill."""
    by_name = {r.name: r for r in results(plan, bill_sequence(plan)) if not r.level}
    names = dict.fromkeys([*plan.outputs, *(r.name for r in by_name.values() if r.kind in ("part", "total"))])
    lines = ["charged:    # what the bill says; leave out what it does not say"]
    for name in names:
        if name in by_name:
            label = in_language(by_name[name].label, language)
            lines.append(f"  {name}:" + (f"    # {label}" if label else ""))
    for spec in plan.lists:
        steps = [s.name for s in spec.steps if not s.lazy]
        if steps:
            order = "1" if len(spec.order) <= 1 else "/".join(spec.order)
            lines.append(
                f"  {spec.name}:    # by {'/'.join(spec.order) or 'place'}: {{{order}: {{{steps[-1]}: 12.50}}}}"
            )
    return "\n".join(lines) + "\n"


def charged_again(entry: EpisodeEntry) -> str:
    """The `charged:` section of an entry as it was read, for a template that is filled in anew."""
    lines = ["charged:", *(f"  {_text(name)}: {_text(scalar.text)}" for name, scalar in entry.charged)]
    for level, rows in entry.charged_rows:
        lines.append(f"  {_text(level.text)}:")
        for row in rows:
            fields = ", ".join(f"{_text(name.text)}: {_text(value.text)}" for name, value in row.fields)
            lines.append(f"    {_text(row.key.text)}: {{{fields}}}" if row.key is not None else f"    - {{{fields}}}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A text as YAML has it: in quotes where it could be read as anything else."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _versions(
    plan: Plan, found: find.Found | None, against: Sequence[tuple[str, Plan]]
) -> Iterator[tuple[str, Plan, bool]]:
    """Other versions of the rulebook: those beside it and the shipped ones of its name. One with errors is left out."""
    near: list[find.Found] = []
    if found is not None:
        beside = find.rulebooks(str(found.path.parent))
        near += [] if isinstance(beside, find.NotFound) else beside
    near += [one for one in find.shipped() if one.path.parent.name == plan.rulebook]
    seen: set[Path] = set()
    given = {other.digest for _, other in against}
    for one in near:
        path = one.path.resolve()
        if path in seen:
            continue
        seen.add(path)
        other = plan_for(one, Sink())
        if other is not None and other.rulebook == plan.rulebook and other.digest not in given:
            yield f"{other.rulebook}@{other.version}", other, False


def _under(plan: Plan, entry: EpisodeEntry, name: str, *, given: bool, currency: str) -> Other:
    """The bill read by another rulebook: what it does not know is left out, its dates do not bind."""
    sink = Sink()
    if plan.currency != currency:
        return Other(name, given, None, f"its amounts are in {plan.currency}")
    subject = read_subject(_stretched(plan), _fitting(plan, entry), sink)
    if subject is None:
        problem = next(iter(sink.sorted()), None)
        return Other(name, given, None, problem.message if problem is not None else "")
    return Other(name, given, subject)


def _stretched(plan: Plan) -> Plan:
    """The plan as if it held on every day: its first values before it begins, its last ones after it ends."""
    parameters = tuple(
        replace(p, end=None, segments=(replace(p.segments[0], start=date.min), *p.segments[1:])) if p.segments else p
        for p in plan.parameters
    )
    return replace(plan, effective_from=date.min, effective_to=None, parameters=parameters)


def _fitting(plan: Plan, entry: EpisodeEntry) -> EpisodeEntry:
    """The entry with what the rulebook has a place for."""
    known = _names(plan.inputs)
    lists = {x.name: _names(x.inputs) for x in plan.lists}
    calls = opening_specs(plan)
    kinds = {g.name for g in plan.groups if not g.inside}

    def fields(f: Fields) -> Fields:
        rows = {
            name: tuple(replace(r, values={k: v for k, v in r.values.items() if k in lists[name]}) for r in own)
            for name, own in f.rows.items()
            if name in lists
        }
        return replace(f, values={k: v for k, v in f.values.items() if k in known}, rows=rows)

    return replace(
        entry,
        earlier=tuple(fields(f) for f in entry.earlier),
        episodes=tuple((fields(f), e) for f, e in entry.episodes),
        so_far=tuple((key, value) for key, value in entry.so_far if normal(key.text) in calls),
        groups=tuple((kind, rows) for kind, rows in entry.groups if kind.text in kinds),
    )


def _names(inputs: Sequence[PlanInput]) -> frozenset[str]:
    return frozenset(n for i in inputs for n in (i.name, *i.aliases))
