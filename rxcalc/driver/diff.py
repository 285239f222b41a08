"""One bill under two rulebooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rxcalc.bill.subject import compute
from rxcalc.bill.under import Adapted, adapted
from rxcalc.compare.as_of import Pinned, pinned
from rxcalc.driver.explain import explain_subject
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.inputs.shown import shown
from rxcalc.plan.nodes import Plan
from rxcalc.report.compared import Side, Table, table
from rxcalc.report.moved_beside import said_of_force
from rxcalc.report.phrases_diff import say
from rxcalc.report.phrases_whatif import said
from rxcalc.report.side_by_side import View, diff_view
from rxcalc.report.whatif_json import is_different


@dataclass(frozen=True)
class Diff:
    """The page and what it was made from. `refused`: one of the rulebooks gives no amounts.

    `days` says of either side of which day its values are (None: the bill's own), and on which days of the bill it is
    taken to be in force though it is not.
    """

    view: View
    table: Table
    notes: dict[str, list[str]]
    days: dict[str, dict[str, object]]
    different: bool
    refused: bool


@dataclass(frozen=True)
class NotComparable:
    """Why two rulebooks cannot be held against each other."""

    message: str
    help: str


def diff_episode(
    old: Plan, new: Plan, entry: EpisodeEntry, language: str, as_of: date | None = None
) -> Diff | NotComparable:
    """The bill of an entry under both, with the values of its own day, or of the day given."""
    if old.currency != new.currency:
        return NotComparable(
            f"{old.rulebook} counts in {old.currency}, {new.rulebook} in {new.currency}",
            "compare rulebooks of one currency",
        )
    marks = _marks(old, new, language)
    days: list[str] = []
    taken: list[str | None] = [None, None]
    if as_of is not None:
        sides_of_day = pinned(old, as_of), pinned(new, as_of)
        days = [
            _of_day(m, p, side, as_of, language) for m, p, side in zip(marks, (old, new), sides_of_day, strict=True)
        ]
        old, new = (side.plan for side in sides_of_day)
        taken = [str(side.day) for side in sides_of_day]
    one, other = adapted(entry, old, new), adapted(entry, new, old)
    sides = (_side(marks[0], old, one, language), _side(marks[1], new, other, language))
    compared = table(sides, language)
    notes = {
        "unknown_to_old": list(one.unknown),
        "unknown_to_new": list(other.unknown),
        "only_asked_by_old": list(one.unasked),
        "only_asked_by_new": list(other.unasked),
    }
    told = [
        said("inputs_only", language).format(m, ", ".join(a.unknown))
        for m, a in zip(marks, (one, other), strict=True)
        if a.unknown
    ]
    told += [
        said("inputs_empty", language).format(m, ", ".join(a.unasked))
        for m, a in zip(marks, (one, other), strict=True)
        if a.unasked
    ]
    told += [
        _stretched(m, p, a, language) for m, p, a in zip(marks, (old, new), (one, other), strict=True) if a.stretched
    ]
    fields = entry.episodes[-1][0].values
    episode = next(
        (str(s.outcome.inputs["episode_id"]) for s in sides if s.outcome is not None),
        shown(fields.get("episode_id") or ""),
    )
    if len(entry.episodes) > 1:
        told.append(said("several", language).format(len(entry.episodes), episode))
    view = diff_view(compared, [*days, *told], language, episode)
    held: dict[str, dict[str, object]] = {
        name: {"values_of": day, "taken_to_be_in_force": [str(d) for d in side.stretched]}
        for name, day, side in zip(("old", "new"), taken, (one, other), strict=True)
    }
    return Diff(view, compared, notes, held, is_different(compared), any(s.refusal for s in sides))


def _marks(old: Plan, new: Plan, language: str) -> tuple[str, str]:
    """What the columns are called: by name where the names differ, else by version, else old and new."""
    if old.rulebook != new.rulebook:
        return old.rulebook, new.rulebook
    if old.version != new.version:
        return f"{old.rulebook} {old.version}", f"{new.rulebook} {new.version}"
    return said("old", language), said("new", language)


def _side(mark: str, plan: Plan, of: Adapted, language: str) -> Side:
    if of.subject is None:
        return Side(mark, plan, None, None, (), of.problems)
    outcome = compute(of.subject).outcome
    return Side(mark, of.subject.plan, outcome, explain_subject(of.subject, language)[-1])


def _of_day(mark: str, plan: Plan, side: Pinned, wanted: date, language: str) -> str:
    """That the values of one day are taken, whatever the bill's own day."""
    if side.day == wanted:
        return say("one_day_bill", language, mark, side.day)
    force = said_of_force(plan.effective_from, plan.effective_to, language)
    return say("one_day_bill_near", language, mark, force, side.day, wanted)


def _stretched(mark: str, plan: Plan, of: Adapted, language: str) -> str:
    until = str(plan.effective_to or "..")
    days = ", ".join(dict.fromkeys(str(day) for day in of.stretched))
    return said("stretched", language).format(mark, plan.effective_from, until, days)
