"""`rxcalc explain --ask`: the interview on a terminal, or with answers from standard input."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rxcalc.cli import options
from rxcalc.cli.ask_paper import Paper
from rxcalc.cli.load import plan_of
from rxcalc.cli.show import Failure, diagnostics, result
from rxcalc.cli.talk import BACK, HELP, NO, NONE, QUIT, UNKNOWN, YES, BackError, QuitError, RanOutError, Talk
from rxcalc.diagnostics.model import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxcalc.bill.interview import Answer, Interview, Question, Rows
    from rxcalc.driver.ask import Written
    from rxcalc.inputs.episodes import EpisodeEntry
    from rxcalc.plan.nodes import Plan, PlanInput, PlanList, Value
    from rxcalc.rulebook.document import Node


@dataclass(frozen=True)
class Asked:
    """What an interview came to: an episode file's text, or the exit code where there is none to explain."""

    text: str = ""
    rulebook: str = ""
    code: int = 0


@dataclass(kw_only=True)
class _Session(Talk):
    """The conversation. Everything of it is on stderr, so that the explanation alone is on stdout."""

    interview: Interview
    rulebook: str
    save: str | None
    node: Node | None
    may_overwrite: bool = False
    asks_all: list[str] = field(default_factory=list)  # required inputs that are asked because no filling was found

    # ---- the interview ----

    def run(self) -> Asked:
        """Asks until everything is settled or nothing can be asked any more."""
        self._welcome()
        while True:
            question = self._next()
            if question is None:
                if self.interview.bounds.is_refused:
                    self._refused()
                    continue
                filled = self._filled()
                if filled is not None:
                    return self._done(filled)
                continue
            try:
                answer = self._answer(question)
            except BackError:
                self._back()
                continue
            self.interview = self.interview.answered(question, answer)
            if not self.interview.bounds.is_refused:
                self.say(*self.words.so_far(self.interview), "")

    def _welcome(self) -> None:
        plan, words = self.interview.of.plan, self.words
        title = words.wording.words(plan.title) or plan.rulebook
        self.say(*words.wrapped(words.say("welcome", f"{title} ({plan.rulebook} {plan.version})")))
        self.say(*words.wrapped(words.say("keys")))
        given = self.interview.given
        specs = {i.name: i for i in plan.inputs}
        taken = [f"{words.label(n)} {words.value(specs[n], v)}" for n, v in given.values.items()]
        taken += [words.label(f"list:{name}") for name in given.lists]
        if taken:
            self.say(*words.wrapped(words.say("taken", words.say("sep").join(taken))))
            if not self.interview.bounds.is_refused:
                self.say(*words.so_far(self.interview))
        self.say("")

    def _next(self) -> Question | None:
        from rxcalc.bill.interview import Kind, Question

        found = self.interview.next
        if found is not None or not self.asks_all:
            return found
        inputs = {i.name: i for i in self.interview.of.plan.inputs}
        for name in self.asks_all:
            if name not in self.interview.values and name not in self.interview.unknown:
                return Question(Kind.INPUT, name, inputs[name])
        return None

    def _filled(self) -> Mapping[str, Value] | None:
        """What is entered for what was not asked; None where that is asked too."""
        if not self.interview.bounds.is_settled and self.interview.unknown:
            return {}
        found = self.interview.filled
        if found is not None:
            return found
        lacking = [
            i.name
            for i in self.interview.of.plan.inputs
            if i.name not in self.interview.values and not i.optional and i.default is None
        ]
        if self.asks_all or not lacking:
            return {}
        self.asks_all = lacking
        labels = self.words.say("sep").join(map(self.words.label, lacking))
        self.say(*self.words.wrapped(self.words.say("no_filling", labels)))
        return None

    def _back(self) -> None:
        if self.interview.history:
            self.interview = self.interview.back()
        else:
            self.say(self.words.say("no_back"))

    def _refused(self) -> None:
        reason = self.interview.refusal or self.words.say("refused_unknown")
        self.say(*self.words.wrapped(self.words.say("refused", reason)))
        while True:
            answer = self.ask(self.words.say("refused_how")).lower()
            if answer in QUIT:
                raise QuitError
            if answer in BACK:
                self._back()
                return

    def _done(self, filled: Mapping[str, Value]) -> Asked:
        """The end: the bill, or the range that is left."""
        complete = self._is_complete(filled)
        if not complete:
            self._save(self._written(filled), self._file("save_partial"))
            return Asked("\n".join(self.words.unsettled(self.interview)) + "\n", self.rulebook, 1)
        self.say(self.words.say("settled" if self.interview.bounds.is_settled else "settled_rest"))
        self.say(*self.words.filled(filled))
        if self.interview.before is False:
            self.say(*self.words.wrapped(self.words.say("assumed_none")))
        name = self._file("save_as")
        paper = Paper(words=self.words, interview=self.interview, node=self.node, filled=filled)
        if name is not None:
            paper.run()
        self.interview = paper.interview
        entered = {n: v for n, v in filled.items() if n not in self.interview.values}
        found = self._written(entered, paper.charged)
        if name is not None:
            result(found.text, name)
            self.say(self.words.say("saved", name))
            if paper.charged:
                self.say(self.words.say("go_audit", name))
        return Asked(found.text, self.rulebook)

    def _is_complete(self, filled: Mapping[str, Value]) -> bool:
        """Whether the bill can be computed, and comes out as the bounds say."""
        known = self.interview.values.keys() | filled.keys()
        lacks = [
            i for i in self.interview.of.plan.inputs if i.name not in known and not i.optional and i.default is None
        ]
        return not lacks and (self.interview.bounds.is_settled or not self.interview.unknown)

    def _written(self, filled: Mapping[str, Value], charged: Mapping[str, str] | None = None) -> Written:
        from rxcalc.driver.ask import written

        return written(self.interview, self.rulebook, self.node, self.words.language, filled, charged or {})

    # ---- one answer ----

    def _answer(self, question: Question) -> Answer:
        from rxcalc.bill.interview import Answer, Kind

        words = self.words
        while True:
            title = words.wrapped(words.title(question))
            menu = words.options(question.spec) if question.spec is not None else []
            text = self.ask(*title, *menu, f"[{words.wanted(question)}]")
            if self._commanded(text, question):
                continue
            if text.lower() in UNKNOWN:
                return Answer(known=False)
            if question.kind in (Kind.BEFORE, Kind.LIST):
                found = self._yes_or_no(text, question)
            else:
                assert question.spec is not None  # noqa: S101 - all other questions are read as a cell
                found = self.cell(text, question.spec)
            if found is not None:
                return found

    def _commanded(self, text: str, question: Question) -> bool:
        """Whether the answer is a command that is done with; going back and stopping leave the question."""
        if text.lower() in BACK:
            raise BackError
        if text.lower() in QUIT:
            raise QuitError
        if text.lower() in HELP:
            self.say(*self.words.help(question))
            return True
        return False

    def _yes_or_no(self, text: str, question: Question) -> Answer | None:
        from rxcalc.bill.interview import Answer, Kind

        if text.lower() not in YES | NO:
            self.say(self.words.say("wanted", self.words.wanted(question)))
            return None
        holds = text.lower() in YES
        if question.kind is Kind.BEFORE:
            return Answer(holds)
        spec = next(x for x in self.interview.of.plan.lists if f"list:{x.name}" == question.name)
        if not holds:
            return None if spec.required and not self._required(question) else Answer(())
        rows = self._rows(spec)
        return Answer(rows) if rows is not None else None

    def _required(self, question: Question) -> bool:
        self.say(self.words.say("wanted", self.words.wanted(question)))
        return False

    def cell(self, text: str, spec: PlanInput) -> Answer | None:
        """The answer that a text is, by the rules of every cell; None after saying why it is none."""
        from rxcalc.bill.interview import Answer
        from rxcalc.inputs.cells import CellProblem, CellReader

        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1]
        elif text.isascii() and text.isdigit() and 1 <= int(text) <= len(spec.values):
            text = spec.values[int(text) - 1].name
        elif text.lower() in NONE and spec.optional:
            return Answer(None)
        elif not text and spec.default is None:
            self.say(self.words.say("wanted", self.words.of_cell(spec)))
            return None
        reader = CellReader.of(spec, self.interview.of.plan.currency)
        found = reader.read(text)
        if isinstance(found, CellProblem) and found.code == "RX707" and text.lower() in ("y", "n"):
            found = reader.read("yes" if text.lower() == "y" else "no")
        if isinstance(found, CellProblem):
            self.say(*self.words.wrapped(self.words.say("not_read", f"{found.code}: {found.message}.")))
            return None
        return Answer(found)

    # ---- lists ----

    def _rows(self, spec: PlanList) -> Rows | None:
        """The rows of a list, one after the other; None when the person goes back before the first one is done."""
        rows: list[Mapping[str, Value]] = []
        while True:
            self.say(self.words.say("list_row", self.words.list_label(spec.name), len(rows) + 1))
            row = self._row(spec, len(rows) + 1)
            if row is None:
                self.say(self.words.say("list_left", self.words.list_label(spec.name)))
                return tuple(rows) if rows else None
            order = [tuple(r[n] for n in spec.order) for r in rows]
            if spec.order and tuple(row[n] for n in spec.order) in order:
                names = self.words.say("sep").join(spec.order)
                self.say(self.words.say("list_same_order", self.words.list_label(spec.name), names))
                continue
            rows.append(row)
            if not self.yes(f"[{self.words.say('list_more')}]"):
                return tuple(rows)

    def _row(self, spec: PlanList, number: int) -> Mapping[str, Value] | None:
        """One row, every field of it; None when the person goes back.

        An empty answer is none where there may be none, and the row's number where rows are numbered.
        """
        from rxcalc.lang.types import COUNT

        found: dict[str, Value] = {}
        at = 0
        while at < len(spec.inputs):
            field_ = spec.inputs[at]
            text = self.ask(
                f"  {self.words.field(field_)}", *self.words.options(field_), f"  [{self.words.of_cell(field_)}]"
            )
            if text.lower() in QUIT:
                raise QuitError
            if text.lower() in BACK:
                if at == 0:
                    return None
                at -= 1
                continue
            if text.lower() in HELP | UNKNOWN:
                self.say(*self.words.wrapped(self.words.say("wanted", self.words.of_cell(field_)), 2))
                continue
            if not text and field_.optional and field_.default is None:
                text = "-"
            elif not text and spec.order == (field_.name,) and field_.type == COUNT:
                text = str(number)
            answer = self.cell(text, field_)
            if answer is not None:
                found[field_.name] = answer.value
                at += 1
        return found

    # ---- saving ----

    def begin_saving(self) -> None:
        """Asks at the beginning whether an existing file may be written over."""
        if self.save is not None and Path(self.save).exists():
            self.may_overwrite = self.yes(self.words.say("overwrite", self.save))
            if not self.may_overwrite:
                raise Failure(f"`{self.save}` exists", "name another file with --save")

    def _file(self, question: str) -> str | None:
        """Where to save: where the command says, else where the person says; never over a file without asking."""
        name = self.save
        if name is None and not sys.stdin.isatty():
            return None
        while name is None:
            name = self.ask(self.words.say(question))
            if not name:
                self.say(self.words.say("not_saved"))
                return None
            if Path(name).exists() and not self.yes(self.words.say("overwrite", name)):
                name = None
        return name

    def _save(self, found: Written, name: str | None) -> None:
        """Saves what was answered of a bill that is not complete, and tells how to go on."""
        if name is None:
            return
        result(found.text, name)
        self.say(self.words.say("saved", name))
        if found.again:
            self.say(*self.words.wrapped(self.words.say("asked_again")))
        shown = "" if not self.rulebook else f" -r {self.rulebook}"
        self.say(self.words.say("go_on", name, shown))

    def quit(self) -> int:
        """Stops; what was answered is saved if the person says so."""
        if self.interview.history:
            self._save(self._written({}), self._file("save_partial"))
        return 1

    def kept(self) -> str:
        """Saves what was answered where the command says, and tells what is kept."""
        count = len(self.interview.history)
        if self.save is not None and count:
            found = self._written({})
            result(found.text, self.save)
            few = {0: "_0", 1: "_1"}.get(found.kept, "")
            told = [self.words.say(f"kept{few}", *((self.save,) if few else (found.kept, self.save)))]
            told += [self.words.say("asked_again")] if found.again else []
            told += [self.words.say("unknown_again")] if self.interview.unknown else []
            return self.words.say("sentences").join(told)
        one = "_1" if count == 1 else ""
        return self.words.say(f"kept_not{one}", *(() if one else (count,)))

    def current(self) -> str:
        """What was being asked."""
        question = self._next()
        if question is not None:
            return self.words.title(question)
        return self.words.say("refused_how" if self.interview.bounds.is_refused else "save_as")


def interview(
    entry: EpisodeEntry | None, node: Node | None, names: tuple[str, ...], overrides: dict[str, str], save: str | None, lang: str
) -> Asked:  # fmt: skip
    """Asks for one bill and gives its episode file, or says why there is none."""
    from rxcalc.driver.ask import start
    from rxcalc.report.text_ask import AskWords

    if entry is not None and len(entry.episodes) > 1:
        raise Failure("--ask asks about one bill, but the file holds several", "put the bill under `episode:`, what came before it under `earlier:`")  # fmt: skip
    plans = [plan_of(name) for name in names]
    plan = plans[0]
    if len(plans) > 1:
        plan, overrides = _version(plans, entry, overrides, lang)
    sink = Sink()
    begun = start(plan, entry, sink, overrides, node)
    if begun is None:
        diagnostics(sink)
        return Asked(code=1)
    named = next(n for n, p in zip(names, plans, strict=True) if p is plan)
    words = AskWords(plan, lang, min(options.columns(), 100))
    session = _Session(words=words, interview=begun, rulebook=named, save=save, node=node)
    return _held(session)


def _held(session: _Session) -> Asked:
    """The interview with every way in which it can end."""
    try:
        session.begin_saving()
        return session.run()
    except QuitError:
        return Asked(code=session.quit())
    except RanOutError:
        if sys.stdin is not None and sys.stdin.isatty():
            stopped = KeyboardInterrupt()
            stopped.add_note(session.kept())
            raise stopped from None
        click.echo(session.words.say("ran_out", session.current()), err=True)
        click.echo(session.kept(), err=True)
        return Asked(code=1)
    except KeyboardInterrupt as stopped:
        click.echo("", err=True)
        stopped.add_note(session.kept())
        raise


def _version(
    plans: list[Plan], entry: EpisodeEntry | None, overrides: dict[str, str], lang: str
) -> tuple[Plan, dict[str, str]]:
    """The version that holds the bill's date, which is asked for where the file does not give it."""
    from datetime import date

    from rxcalc.bill.interview import Kind, Question
    from rxcalc.driver.ask import start
    from rxcalc.driver.versions_follow import in_order
    from rxcalc.report.text_ask import AskWords
    from rxcalc.tabular.problems import UsageProblem

    ordered = in_order(plans)
    if isinstance(ordered, UsageProblem):
        raise Failure(ordered.message, "; ".join(ordered.help))
    newest = ordered[-1]
    begun: Interview | None = start(newest, entry, Sink(), overrides)
    name = newest.effective_by
    on = begun.given.values.get(name) if begun is not None else None
    if on is None and begun is not None:
        words = AskWords(newest, lang, min(options.columns(), 100))
        session = _Session(words=words, interview=begun, rulebook="", save=None, node=None)
        spec = next(i for i in newest.inputs if i.name == name)
        on = _asked_date(session, Question(Kind.INPUT, name, spec))
        overrides = {**overrides, name: str(on)}
    for plan in ordered:
        if (
            isinstance(on, date)
            and plan.effective_from <= on
            and (plan.effective_to is None or on <= plan.effective_to)
        ):
            return plan, overrides
    raise Failure(f"no version holds {on}", "name the version of that date with -r")


def _asked_date(session: _Session, question: Question) -> Value:

    while True:
        try:
            found: Answer = session._answer(question)  # noqa: SLF001 - of this module
        except BackError:
            session.say(session.words.say("no_back"))
            continue
        except QuitError:
            raise Failure("stopped before anything was asked", "") from None
        except RanOutError:
            raise Failure(session.words.say("ran_out", session.words.title(question)), "") from None
        if found.known:
            return found.value
        session.say(*session.words.help(question))


__all__ = ["Asked", "interview"]
