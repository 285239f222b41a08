"""What may be given as opening amounts: window calls, each read as a computed value."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rxcalc.diagnostics.model import Sink
from rxcalc.inputs import problems
from rxcalc.inputs.cells import CellProblem, CellReader
from rxcalc.inputs.episodes import EpisodeEntry
from rxcalc.inputs.groups import plain_values, result_spec
from rxcalc.lang.types import DATE, is_numeric
from rxcalc.plan.nodes import Plan, PlanCall, PlanInput, PlanWindow, Value


def normal(call: str) -> str:
    """A window call's text without white space, by which `so_far` keys are matched."""
    return "".join(call.split())


def window_calls(plan: Plan) -> tuple[PlanCall, ...]:
    """The calls that look back at earlier episodes: those that opening amounts may stand for."""
    own = {window.name for window in plan.windows if not window.level}
    return tuple(call for call in plan.calls if call.kind == "window" and call.window in own)


def is_limited(plan: Plan, call: PlanCall) -> bool:
    """Whether a call takes an opening amount only when one episode is listed.

    What came before the first episode cannot tell how much of it a second one still sees: how much has rolled out of the
    window, which values were counted already, which episodes meet a condition that reads the second one.
    """
    rolling = any(w.name == call.window and w.rolling[0] for w in plan.windows if not w.level)
    return rolling or call.distinct or call.correlated


def opening_specs(plan: Plan) -> dict[str, PlanInput]:
    """By call text without white space, how its opening amount is read.

    Beside the calls of the rulebook these are the dates by which spells (`gap:`) and periods go on.
    """
    found: dict[str, PlanInput] = {}
    for call in window_calls(plan):
        spec = result_spec(call.key, call.type, plain_values(call.type))
        # Opening amounts are sums, so the bounds of a single amount do not hold for them.
        if is_numeric(call.type) and (call.function == "count" or _never_negative(plan, call)):
            spec = replace(spec, low=Fraction(0))
        found.setdefault(normal(call.key), spec)
    for window in plan.windows:
        text = carrying_call(window)
        if text and not window.level:
            found.setdefault(normal(text), result_spec(text, DATE))
    return found


def openings(entry: EpisodeEntry, plan: Plan, sink: Sink) -> dict[str, Value]:
    """`so_far` values by call text without white space; unknown calls and bad values go to the sink."""
    specs = opening_specs(plan)
    result: dict[str, Value] = {}
    for key, value in entry.so_far:
        spec = specs.get(normal(key.text))
        if spec is None and key.text.strip().isdigit():
            message = f"`{key.text}` is no window call; inside braces a comma ends a value"
            sink.add(
                problems.bad_episode_file(key.span, message, "write amounts without thousands separators: 100000.00")
            )
        elif spec is None:
            sink.add(problems.unknown_opening(key.span, key.text, ", ".join(s.name for s in specs.values())))
        else:
            read = CellReader.of(spec, plan.currency).read(value.text)
            if isinstance(read, CellProblem):
                sink.add(problems.bad_opening(value.span, read.message))
            else:
                result[normal(key.text)] = read
    if len(entry.earlier) + len(entry.episodes) > 1:
        limited = {normal(call.key) for call in window_calls(plan) if is_limited(plan, call)}
        for key, _ in entry.so_far:
            if normal(key.text) in limited:
                sink.add(problems.opening_of_several(key.span, key.text))
    return result


def carrying_call(window: PlanWindow) -> str:
    """The call by whose opening a spell or period goes on: the last `from`, or the first date; "" for other windows."""
    if window.gap[0]:
        return f"{window.name}.last({window.gap_from})"
    if window.period[0]:
        return f"{window.name}.first({window.date})"
    return ""


def _never_negative(plan: Plan, call: PlanCall) -> bool:
    low = plan.nodes[call.value].low if call.value >= 0 else None
    return low is not None and low >= 0
