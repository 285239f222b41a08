"""A bill saved as an example of a rulebook, after proving that the saved one gives the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rxcalc.bill.subject import all_fields
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.explain import GivenBill, given_bill
from rxcalc.examples.saved import Expected, entry_text
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.plan.nodes import Plan
from rxcalc.report.model import Explanation
from rxcalc.rulebook.load import load_yaml_text


@dataclass(frozen=True)
class NotSaved:
    """Why a bill cannot be saved as an example, and what to do."""

    message: str
    help: str


def example_file(
    plan: Plan,
    entry: EpisodeEntry,
    overrides: Mapping[str, str],
    results: Sequence[Explanation],
    path: Path,
    version: str,
) -> str | NotSaved:
    """The text of an examples file with the bill added to it; `results` are its explanations, without grouped digits."""
    given = all_fields(entry, overrides)
    try:
        before = path.read_bytes().decode("utf-8") if path.exists() else ""  # line ends as they are
    except (OSError, UnicodeDecodeError) as error:
        return NotSaved(f"cannot read `{path}`: {error}", "name another file")
    known = _names(before, str(path))
    if isinstance(known, NotSaved):
        return known
    if known is None:
        return NotSaved(f"`{path}` is no examples file", "an examples file is a list of entries; name a new file")
    expected = [_expected(x) for x in results]
    name = _free(f"{plan.rulebook}: a bill of {_day(plan, results[-1])}", known)
    by = (
        f"NOT CHECKED BY HAND: the amounts are what rxcalc {version} computed with {plan.rulebook} {plan.version}; "
        "replace this by who checked them, and how"
    )
    added = entry_text(plan, entry, given, expected, name, by)
    text = f"\n\n{added}" if before.strip() else added
    text = before.rstrip() + (text.replace("\n", "\r\n") if "\r\n" in before else text)
    again = _again(plan, text, name)
    if again is None:
        return NotSaved(f"the bill cannot be written into `{path}` so that it is read again", "name a new file")
    if [_expected(x) for x in again] != expected:
        return NotSaved(
            "with its ids replaced the bill gives other amounts: a rule depends on an id",
            "write the example by hand, with ids that give the same result",
        )
    return text


def _names(text: str, shown: str) -> set[str] | NotSaved | None:
    """The names of the examples in a file; None when it is none."""
    lines = [line.strip().removeprefix("\ufeff") for line in text.splitlines()]
    content = [line for line in lines if line and not line.startswith("#")]
    if not content:
        return set()
    if content[0].startswith("["):
        return NotSaved(
            f"nothing can be added to `{shown}`: its list stands in brackets",
            "write its entries below each other, each after `- `, or name a new file",
        )
    sink = Sink()
    node = load_yaml_text(shown, text, sink)
    entries = read_entries(node, sink) if node is not None else ()
    return None if sink.has_errors else {e.name for e in entries}


def _again(plan: Plan, text: str, name: str) -> tuple[Explanation, ...] | None:
    """The bill as the file now holds it, computed."""
    sink = Sink()
    node = load_yaml_text("examples", text, sink)
    entries = read_entries(node, sink) if node is not None else ()
    entry = next((e for e in entries if e.name == name), None)
    if entry is None or sink.has_errors:
        return None
    given = given_bill(plan, entry, sink)
    return given.explained(grouped=False) if isinstance(given, GivenBill) and not sink.has_errors else None


def _expected(x: Explanation) -> Expected:
    if x.problem is not None:
        return Expected(refused=x.problem.code)
    return Expected(tuple((name, value or "missing") for name, value in x.outputs))


def _day(plan: Plan, x: Explanation) -> str:
    return next((value for name, _, value in x.episode if name == plan.effective_by), "")


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    found, at = name, 2
    while found in taken:
        found, at = f"{name} ({at})", at + 1
    return found
