"""One bill computed as it is and with things changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rxcalc.bill.course import MOST_LOOKS
from rxcalc.bill.near import Near, near
from rxcalc.bill.subject import compute, read_subject
from rxcalc.bill.whatif import Alternative, Bill, Unvaried, Varied
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.explain import explain_subject
from rxcalc.driver.versions_follow import version_of
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.lang.types import DATE
from rxcalc.plan.nodes import Plan, share_names
from rxcalc.report.compared import Side, Table, table
from rxcalc.report.phrases_whatif import said
from rxcalc.report.side_by_side import View, marked, near_view, whatif_view
from rxcalc.tabular.problems import UsageProblem
from rxcalc.typed.symbols import nearest

# A comma parts two changes only where a name and `=` follow it: `total=1,000.00,level=city`.
_CHANGES: Final = re.compile(r",(?=\s*[^\s=,]+\s*=)")


@dataclass(frozen=True)
class Asked:
    """What is to be changed: `vary` names, `sets` that are an alternative each, the amount to be lowered."""

    vary: tuple[str, ...] = ()
    sets: tuple[Mapping[str, str], ...] = ()
    near: str = ""


@dataclass(frozen=True)
class WhatIf:
    """The page and what it was made from. `unreadable`: an alternative named by hand could not be read."""

    view: View
    table: Table
    varied: tuple[Varied, ...]
    near: Near | str | None
    goal: str
    refused: bool
    unreadable: bool


def changes_of(text: str) -> dict[str, str] | None:
    """The changes that one `--set` makes together, `a=1,b=2`; None where it is none."""
    found: dict[str, str] = {}
    for part in _CHANGES.split(text):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            return None
        found[name.strip()] = value.strip()
    return found


def what_if(
    plans: Sequence[Plan], entry: EpisodeEntry, asked: Asked, sink: Sink, language: str
) -> WhatIf | Unvaried | None:
    """The bill under all alternatives; None when the bill itself cannot be read (in the sink)."""
    plan = plans[0] if len(plans) == 1 else version_of(plans, entry, {})
    if isinstance(plan, UsageProblem):
        return Unvaried(plan.message, "; ".join(plan.help))
    wrong = _unknown_amount(plan, asked.near) if asked.near else None
    if wrong is not None:
        return wrong
    subject = read_subject(plan, entry, sink)
    if subject is None:
        return None
    bill = Bill(entry, subject, plans, (lambda texts: _picked(plans, entry, texts)) if len(plans) > 1 else None)
    alternatives: list[Alternative] = []
    varied: list[Varied] = []
    for name in asked.vary:
        found = bill.vary(name)
        if isinstance(found, Unvaried):
            return found
        varied.append(found)
        alternatives += found.alternatives
    by_hand: list[Alternative] = []
    for texts in asked.sets:
        made = bill.alternative(texts)
        if isinstance(made, Unvaried):
            return made
        by_hand.append(made)
    first = _side(said("as_is", language), Alternative((), subject), plan, language)
    others = [_side("", a, plan, language) for a in (*alternatives, *by_hand)]
    compared = table((first, *marked(others)), language)
    closest = near(bill, asked.near) if asked.near else None
    told = near_view(closest, asked.near, plan, language) if closest is not None else None
    view = whatif_view(compared, varied, told, language, str(subject.bill["episode_id"]), len(entry.episodes))
    view = replace(view, notes=(*view.notes, *_cut_short(bill, language), *_carried(entry, others, closest, language)))
    unread = any(a.subject is None for a in by_hand)
    return WhatIf(view, compared, tuple(varied), closest, asked.near, bool(first.refusal), unread)


def _cut_short(bill: Bill, language: str) -> list[str]:
    """That not all places of an input were looked for."""
    return [said("cut_short", language).format(name, MOST_LOOKS) for name in sorted(bill.courses.cut_short)]


def _carried(entry: EpisodeEntry, others: Sequence[Side], closest: Near | str | None, language: str) -> list[str]:
    """That opening amounts stay what they are when a date is changed."""
    changes = [c for side in others for c in side.changes]
    changes += [n.change for n in closest.found] if isinstance(closest, Near) else []
    dated = any(c.spec is not None and c.spec.type == DATE for c in changes)
    return [said("so_far_stays", language)] if entry.so_far and dated else []


def _picked(plans: Sequence[Plan], entry: EpisodeEntry, texts: Mapping[str, str]) -> Plan | str:
    found = version_of(plans, entry, texts)
    return found.message if isinstance(found, UsageProblem) else found


def _side(mark: str, of: Alternative, plan: Plan, language: str) -> Side:
    """An alternative computed and explained."""
    if of.subject is None:
        return Side(mark, plan, None, None, of.changes, of.problems)
    outcome = compute(of.subject).outcome
    explanation = explain_subject(of.subject, language)[-1]
    return Side(mark, of.subject.plan, outcome, explanation, of.changes)


def _unknown_amount(plan: Plan, name: str) -> Unvaried | None:
    """Why `name` is no amount of the bill."""
    known = [*(s.name for s in plan.steps if not s.lazy), *share_names(plan)]
    if name in known:
        return None
    near_by = nearest(name[:80], known)
    hint = f"did you mean `{near_by}`?" if near_by else f"e.g. {', '.join((*plan.totals, *plan.outputs)[:6])}"
    return Unvaried(f"the bill has no result `{name}`", hint)
