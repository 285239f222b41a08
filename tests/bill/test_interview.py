"""An interview asks only what matters, and ends with the results of the whole bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.bill.interview import Answer, Given, Interview, Interviewed, Kind, Question
from rxcalc.bill.subject import Subject, compute, read_subject
from rxcalc.cli.load import plan_of
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.ask import written
from rxcalc.inputs.episodes import EpisodeEntry, read_entries, read_entry
from rxcalc.inputs.openings import normal
from rxcalc.plan.nodes import Plan, Value
from rxcalc.rulebook.load import load_yaml, load_yaml_text

RULEBOOKS = (
    "beijing-employee", "dian", "national-dip", "national-drg", "national-methods", "qin", "sanming", "sanming-settlement",
    "shanghai-employee@2017", "shanghai-employee@2024",
)  # fmt: skip


def examples(name: str) -> Iterator[tuple[Plan, EpisodeEntry]]:
    """The examples of a shipped rulebook that are one bill with nothing before it, and are computed."""
    found = find.rulebook(name)
    assert isinstance(found, find.Found)
    plan = plan_of(name)
    for path in sorted((found.path.parent / "examples").glob("*.yaml")):
        sink = Sink()
        node = load_yaml(path, path.name, sink)
        for entry in read_entries(node, sink) if node is not None else ():
            (_, expected), *more = entry.episodes
            if not more and not entry.earlier and expected is not None and expected.rejects is None:
                yield plan, entry


def groups(subject: Subject) -> dict[str, list[Mapping[str, Value]]]:
    """The results of groups that the bill reads, given or computed from what the example lists."""
    found: dict[str, list[Mapping[str, Value]]] = {k: [*rows] for k, rows in subject.groups.results.items()}
    rows = [Row(at, str(r.values["episode_id"]), r.values) for at, r in enumerate(subject.records)]
    for group in run_all(Exact(subject.plan), rows, subject.groups.inputs, given=subject.groups.results).groups:
        found.setdefault(group.kind, []).append({**group.inputs, **group.steps, **group.shares})
    return found


class SeveralGroups(Exception):
    """The example has several groups of a kind, of which an interview could not tell which one is meant."""


class Knows:
    """Someone who has the whole bill at hand."""

    def __init__(self, plan: Plan, subject: Subject) -> None:
        self.plan, self.subject = plan, subject
        self.asked: list[str] = []
        self.groups = groups(subject)

    def answer(self, question: Question) -> Answer:
        """The answer to a question."""
        self.asked.append(question.name)
        name = question.name.partition(":")[2]
        match question.kind:
            case Kind.BEFORE:
                return Answer(bool(self.subject.openings))
            case Kind.LIST:
                return Answer(self.subject.rows(name))
            case Kind.OPENING:
                call = next(c for c in self.plan.calls if c.key == name)
                return Answer(self.subject.openings.get(normal(name), 0 if call.function in ("sum", "count") else None))
            case Kind.GROUP:
                kind, _, field = name.partition(".")
                if len(self.groups[kind]) != 1:
                    raise SeveralGroups
                return Answer(self.groups[kind][0][field])
            case _:
                return Answer(self.subject.bill[question.name])


def interviewed(of: Interviewed, knows: Knows, given: Given | None = None) -> Interview:
    """The interview to its end."""
    interview = Interview(of, given or Given())
    while (question := interview.next) is not None:
        assert question not in [q for q, _ in interview.history], question
        interview = interview.answered(question, knows.answer(question))
    return interview


def results(plan: Plan, subject: Subject) -> Mapping[str, Value]:
    outcome = compute(subject).outcome
    assert outcome.problem is None, outcome.problem
    return {name: {**outcome.shares, **outcome.steps}[name] for name in (*plan.outputs, *plan.totals)}


def one(of: Interviewed, entry: EpisodeEntry) -> list[str]:
    """Interviews someone who knows an example; gives what was asked."""
    plan = of.plan
    sink = Sink()
    subject = read_subject(plan, entry, sink)
    if subject is None:
        return []
    reverses = plan.sequence.reverses if plan.sequence is not None else ""
    if (reverses and subject.bill[reverses] is not None) or not _in_time(plan, subject):
        return []
    wanted = results(plan, subject)
    if any(len(rows) > 1 for rows in subject.groups.results.values()):
        return []
    knows = Knows(plan, subject)
    try:
        interview = interviewed(of, knows)
    except SeveralGroups:
        return []
    filled = interview.filled
    assert filled is not None, (entry.name, interview.history)
    text = written(interview, plan.rulebook, None, "en", filled).text
    node = load_yaml_text("answers", text, sink)
    assert node is not None
    again = read_entry(node, sink)
    assert again is not None, text
    found = read_subject(plan, again, sink)
    assert found is not None, (text, [d.message for d in sink.sorted()])
    assert results(plan, found) == wanted, (entry.name, text)
    return knows.asked


def _in_time(plan: Plan, subject: Subject) -> bool:
    on = subject.bill[plan.effective_by]
    assert isinstance(on, date)
    return plan.effective_from <= on and (plan.effective_to is None or on <= plan.effective_to)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_an_interview_gives_the_results_of_the_bill(name: str) -> None:
    """Asked what an example of each rulebook says, the saved file gives the example's results, and not every input was asked."""
    of: Interviewed | None = None
    done = 0
    for plan, entry in examples(name):
        of = of or Interviewed(plan)
        asked = one(of, entry)
        if asked:
            assert len(asked) <= len(plan.inputs) + len(plan.lists) + len(of.openings) + len(of.groups)
            assert "episode_id" not in asked
            done += 1
        if done:
            break
    assert done


@pytest.mark.long
@pytest.mark.parametrize("name", RULEBOOKS)
def test_interviews_give_the_results_of_more_examples(name: str) -> None:
    """The same for every seventh example that is one bill, three at most."""
    of: Interviewed | None = None
    done = 0
    for plan, entry in list(examples(name))[3::7]:
        of = of or Interviewed(plan)
        done += bool(one(of, entry))
        if done >= 3:
            break
    assert done
