"""The groups across bills behind a bill's results, kept for its explanation."""

from __future__ import annotations

from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_rows import row_name
from rxcalc.backends.frames import Frame
from rxcalc.tracing.model import GroupTrace


def trace_groups(exact: Exact, bill: Frame, given: frozenset[str]) -> None:
    """Leaves in the recorder of a bill the groups that it read or received from, and those that these read in turn.

    Kinds in `given` were not computed. To be called when everything is computed: a group's amounts and refused
    members are those of the end.
    """
    if bill.recorder is None:
        return
    groups = sorted(_behind(bill), key=lambda g: (g.level, tuple(str(k) for k in g.order)))
    bill.recorder.groups = {(g.level, g.order): _trace(exact, g, given=g.level in given) for g in groups}


def _behind(bill: Frame) -> set[Frame]:
    found: set[Frame] = set()
    todo = [bill]
    while todo:
        row = todo.pop()
        for group in (*row.touched, *row.received):
            if group not in found:
                found.add(group)
                todo.append(group)
    return found


def _trace(exact: Exact, group: Frame, *, given: bool) -> GroupTrace:
    members = tuple(row_name(m) for rows in group.rows.values() for m in rows)
    findings = [
        (f.index, f.amount)
        for at, check in enumerate(exact.plan.checks)
        if check.level == group.level and not given and group.problem is None
        for f in exact.findings_of(at, check, [group])
    ]
    shares = {} if given else group.shares
    return GroupTrace(
        group.inputs, group.steps, shares, given, members, group.rejected, group.on, group.recorder, tuple(findings)
    )
