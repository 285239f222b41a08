"""The pass through a file that writes its results and rejects, and adds everything up; it goes on where one was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rxcalc.driver.batch_blocks import Finished, Job, in_order
from rxcalc.driver.batch_findings import FindingsFile
from rxcalc.driver.batch_report import RejectExample
from rxcalc.driver.batch_session import Passed, Session
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.blocks import Mark, Raw
from rxcalc.tabular.duplicates import Ids
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress
from rxcalc.tabular.rejects import Reject
from rxcalc.tabular.rows import Rows, open_rows


@dataclass(slots=True)
class Tally:
    """What has been added up over the blocks of a file so far; `size` and `digest` are of the file when it is through."""

    accounts: Accounts
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, RejectExample] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)  # the first line of each block
    size: int = 0
    digest: str = ""

    def state(self) -> dict[str, Any]:
        """Everything but `starts`, for the journal."""
        return {
            "accounts": self.accounts.state(),
            "codes": self.codes,
            "examples": {code: [e.line, e.field, e.message] for code, e in self.examples.items()},
            "defaults": self.defaults,
            "size": self.size,
            "digest": self.digest,
        }

    @classmethod
    def of(cls, money: tuple[str, ...], state: Mapping[str, Any], starts: Iterable[int]) -> Tally:
        """The tally that had a state."""
        return cls(
            Accounts.of(money, state["accounts"]),
            dict(state["codes"]),
            {code: RejectExample(*told) for code, told in state["examples"].items()},
            dict(state["defaults"]),
            list(starts),
            state["size"],
            state["digest"],
        )


@dataclass(slots=True, kw_only=True)
class Pass:
    """One pass: `name` in the journal, and the names of the drafts for results, rejects and findings.

    `work` gives what is written of a block. `ids` notes the ids, where none may occur twice; `seen` is given every block,
    in order. `findings` adds up what is found, `lines` gives the lines of it for a block, and `last` those that come after
    all blocks.
    """

    job: Job
    name: str
    results: str
    rejects: str
    work: Callable[[int, Raw], Finished]
    ids: Ids | None = None
    seen: Callable[[Finished], None] | None = None
    findings: FindingsFile | None = None
    lines: Callable[[Finished], Iterable[bytes]] = lambda _: ()
    last: Callable[[Tally], Iterable[bytes]] = lambda _: ()
    more: Callable[[], Mapping[str, Any]] = dict  # what else the journal is to hold

    def through(self, session: Session, progress: Progress) -> Tally | UsageProblem:
        """Goes through the file, or through what is left of it."""
        job = self.job
        left = session.left.passes.get(self.name, Passed())
        starts = [entry["line"] for entry in left.blocks]
        if left.done is not None:
            if self.findings is not None:
                self.findings.restore(left.done["findings"])
            return Tally.of(job.tables.money, left.done["tally"], starts)
        tally = Tally(Accounts(job.tables.money))
        line, after = job.head.line, None
        if left.blocks:
            entry = left.blocks[-1]
            tally = Tally.of(job.tables.money, entry["tally"], starts)
            line, after = entry["next"], Mark(*entry["mark"])
            if self.findings is not None:
                self.findings.restore(entry["findings"])
        written, refused, found = (session.drafts.get(name) for name in (self.results, self.rejects, "findings"))
        results = open_rows(job.form, written) if written is not None else None
        rejects = open_rows(job.rejects_form, refused) if refused is not None else None
        found = found if self.findings is not None else None
        if found is not None and self.findings is not None and not found.size:
            found.write(self.findings.header())
        lasting = session.noted and all(rows is None or rows.resumable for rows in (results, rejects))
        reader = job.source.blocks(job.options.block, after)
        base = len(starts)
        for mark, finished in in_order(
            reader, lambda at, raw: (raw.mark, self.work(base + at, raw)), job.options.threads
        ):
            tally.starts.append(line)
            if self.ids is not None:
                self.ids.add(finished.judged)
            if self.seen is not None:
                self.seen(finished)
            told = _told(finished, line, tally)
            if rejects is not None and told:
                rejects.write(job.rejects_form.part(told))
            if results is not None:
                results.write(finished.part)
            for data in self.lines(finished):
                if found is not None:
                    found.write(data)
            start, line = line, line + finished.judged.block.height
            if lasting:
                self._note(session, tally, start, line, mark)
            progress.update(reader.bytes_read, job.head.size, tally.accounts.read.records)
        if reader.problem is not None:
            return reader.problem
        for data in self.last(tally):
            if found is not None:
                found.write(data)
        tally.size, tally.digest = reader.bytes_read, reader.digest
        self._close(session, tally, (results, rejects))
        return tally

    def _note(self, session: Session, tally: Tally, line: int, after: int, mark: Mark) -> None:
        """The journal's line of a block."""
        session.note(
            "block",
            **{"pass": self.name},
            line=line,
            next=after,
            mark=[mark.at, mark.check],
            tally=tally.state(),
            drafts=session.states(*self._drafts),
            **self._states(),
        )

    def _close(self, session: Session, tally: Tally, rows: Iterable[Rows | None]) -> None:
        for one in rows:
            if one is not None:
                one.close()
        session.note(
            "done",
            **{"pass": self.name},
            tally=tally.state(),
            drafts=session.states(*self._drafts),
            **self._states(),
        )

    def _states(self) -> dict[str, Any]:
        return {
            "findings": self.findings.state() if self.findings is not None else None,
            "ids": self.ids.state() if self.ids is not None else None,
            "more": self.more(),
        }

    @property
    def _drafts(self) -> tuple[str, ...]:
        return (self.results, self.rejects, *(["findings"] if self.findings is not None else []))


def _told(finished: Finished, line: int, tally: Tally) -> list[Reject]:
    """The rejects of a block, while everything about the block is added up."""
    judged = finished.judged
    block = judged.block
    tally.accounts.merge(finished.accounts, line)
    for name, count in finished.defaults.items():
        tally.defaults[name] = tally.defaults.get(name, 0) + count
    rows = sorted(finished.refused)
    told: list[Reject] = []
    if not rows:
        return told
    for row, raw, fields in zip(rows, block.raw(rows), block.texts(rows), strict=True):
        found = finished.refused[row]
        first = found[0]
        at = line + block.line(row)
        tally.codes[first.code] = tally.codes.get(first.code, 0) + 1
        tally.examples.setdefault(first.code, RejectExample(at, first.field, first.message))
        told.append(Reject(at, fields, raw, found))
    return told
