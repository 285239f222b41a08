"""What to say of an example that failed: how the first result that differs came about, and how to see the whole bill."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rxcalc.diagnostics.model import Sink
from rxcalc.examples.difference import Difference
from rxcalc.examples.run import ExampleResult
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.plan.nodes import Plan

if TYPE_CHECKING:
    from rxcalc.report.model import Explanation


def workings(plan: Plan, entry: EpisodeEntry, first: Difference, columns: int) -> list[str]:
    """The lines that an explanation has for what differs first; nothing where the bill has no explanation of it.

    An expected refusal that did not come about, and a bill that is refused, have none: the difference says it all.
    """
    from rxcalc.report.differing import result_lines
    from rxcalc.report.wording import Wording

    explained = _explained(plan, entry)
    if not first.item or not explained:
        return []
    group = next((g for g in plan.groups if g.name == first.level), None)
    types = [key.type for key in group.keys] if group is not None else []
    wording = Wording("en", plan.decimals, grouped=True)
    keys = [wording.key(value, type_) for value, type_ in zip(first.keys, types, strict=False)]
    at = first.episode - len(entry.earlier)
    own = explained[at : at + 1] if first.episode >= 0 else explained
    for x in own:
        if found := result_lines(x, first.level, first.item, columns, row=first.row, keys=keys):
            return found
    return []


def _explained(plan: Plan, entry: EpisodeEntry) -> tuple[Explanation, ...]:
    """The explanations of the entry's episodes; none where they are not computed together as one bill is."""
    from rxcalc.driver.explain import GivenBill, given_bill

    given = given_bill(plan, entry, Sink())
    return given.explained() if isinstance(given, GivenBill) else ()


def command_of(result: ExampleResult, rulebook: str) -> str:
    """The command that explains the bill of an example, for a shell."""
    name = "'" + result.name.replace("'", "'\\''") + "'"
    return f"rxcalc explain {quote(result.file)} --example {name} -r {quote(rulebook)}"
