"""The end of an interview: what the paper says, the number of the bill and what was charged. No result depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rxcalc.cli.talk import BACK, HELP, NO, NONE, QUIT, UNKNOWN, YES, RanOutError, Talk

if TYPE_CHECKING:
    from rxcalc.bill.charged import Result
    from rxcalc.bill.interview import Interview
    from rxcalc.inputs.cells import CellProblem
    from rxcalc.plan.nodes import Value
    from rxcalc.rulebook.document import Node


@dataclass(kw_only=True)
class Paper(Talk):
    """Asks for what the paper says. Where nobody answers any more, the rest is left as it is, without a word."""

    interview: Interview
    node: Node | None
    filled: Mapping[str, Value]
    charged: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Asks; `interview` then holds the number of the bill, `charged` the amounts as they were typed, by name."""
        try:
            if "episode_id" in self.filled:
                self._number()
            if not self._is_charged() and self._says_amounts():
                self._amounts()
        except RanOutError:
            return

    def _number(self) -> None:
        """The number of the bill; Enter leaves the one that was entered for it."""
        from rxcalc.bill.interview import Answer, Kind, Question
        from rxcalc.inputs.cells import CellProblem, CellReader

        plan = self.interview.of.plan
        spec = next(i for i in plan.inputs if i.name == "episode_id")
        told = self.words.value(spec, self.filled[spec.name])
        while True:
            text = self.more(
                "", *self.words.wrapped(self.words.say("bill_number")), f"[{self.words.say('number_how', told)}]"
            )
            if text.lower() in HELP:
                self.say(*self.words.wrapped(self.words.say("number_help"), 2))
                continue
            if not text or text.lower() in UNKNOWN | NONE | QUIT | BACK:
                return
            value = CellReader.of(spec, plan.currency).read(_unquoted(text))
            if isinstance(value, CellProblem):
                self._not_read(value)
                continue
            numbered = self.interview.answered(Question(Kind.INPUT, spec.name, spec), Answer(value))
            if any(before.get(spec.name) == value for before in self.interview.given.past.earlier):
                self.say(*self.words.wrapped(self.words.say("number_taken", value)))
            elif self._comes_before_an_earlier(numbered):
                self.say(*self.words.wrapped(self.words.say("number_orders", value)))
            else:
                self.interview = numbered
                return

    def _comes_before_an_earlier(self, numbered: Interview) -> bool:
        """Whether the bill would not come after all those before it: of one day, numbers decide."""
        from rxcalc.bill.subject import misplaced
        from rxcalc.inputs.records import Record

        earlier = self.interview.given.past.earlier
        bills = [Record(values, ()) for values in (*earlier, {**self.filled, **numbered.values})]
        return bool(misplaced(self.interview.of.plan, bills, len(earlier)))

    def _is_charged(self) -> bool:
        """Whether the file at the beginning tells what is charged."""
        from rxcalc.rulebook.document import Mapping as MappingNode

        return isinstance(self.node, MappingNode) and self.node.get("charged") is not None

    def _says_amounts(self) -> bool:
        while True:
            text = self.more(
                "", *self.words.wrapped(self.words.say("paper")), f"[{self.words.say('paper_how')}]"
            ).lower()
            if text in HELP:
                self.say(*self.words.wrapped(self.words.say("paper_help"), 2))
            elif text in YES:
                return True
            elif not text or text in NO | UNKNOWN | NONE | QUIT | BACK:
                return False
            else:
                self.say(self.words.say("wanted", self.words.say("yes_no")))

    def _amounts(self) -> None:
        """One amount after the other, each read as `audit` reads it."""
        from rxcalc.inputs.cells import CellProblem, CellReader
        from rxcalc.inputs.groups import result_spec

        plan = self.interview.of.plan
        self.say(*self.words.wrapped(self.words.say("paper_amounts")))
        asked = _asked(self.interview)
        how = self.words.say("paper_amount_how", plan.currency)
        at = 0
        while at < len(asked):
            of = asked[at]
            text = self.more("", *self.words.wrapped(f"{self.words.charged(of)} ({of.name})"), f"[{how}]")
            if text.lower() in QUIT:
                return
            if text.lower() in BACK:
                at = max(0, at - 1)
                continue
            if text.lower() in HELP:
                self.say(*self.words.wrapped(self.words.say("paper_help"), 2))
                continue
            self.charged.pop(of.name, None)
            if text and text.lower() not in UNKNOWN | NONE:
                found = CellReader.of(result_spec(of.name, of.type, of.values), plan.currency).read(text)
                if isinstance(found, CellProblem):
                    self._not_read(found)
                    continue
                self.charged[of.name] = text
            at += 1

    def _not_read(self, problem: CellProblem) -> None:
        self.say(*self.words.wrapped(self.words.say("not_read", f"{problem.code}: {problem.message}.")))


def _asked(interview: Interview) -> list[Result]:
    """The amounts that a paper may state: what the patient pays, the other totals, then outputs in the order of the bill."""
    from rxcalc.bill.charged import results
    from rxcalc.lang.types import MONEY
    from rxcalc.report.order import bill_sequence

    plan = interview.of.plan
    own = [r for r in results(plan, bill_sequence(plan)) if not r.level and r.type == MONEY]
    totals = sorted((r for r in own if r.name in plan.totals), key=lambda r: r.name != "patient_pays")
    return [*totals, *(r for r in own if r.name in plan.outputs and r.name not in plan.totals)]


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
