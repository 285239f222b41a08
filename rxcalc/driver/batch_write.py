"""The pass through a file that writes its results and rejects, and adds everything up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rxcalc.driver.batch_blocks import Finished, Job, in_order
from rxcalc.driver.batch_report import RejectExample
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.blocks import Raw
from rxcalc.tabular.duplicates import Ids
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress
from rxcalc.tabular.publish import Draft
from rxcalc.tabular.rejects import Reject
from rxcalc.tabular.rows import open_rows


@dataclass(slots=True)
class Tally:
    """What has been added up over the blocks of a file so far; `size` and `digest` are of the file when it is through."""

    accounts: Accounts
    codes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, RejectExample] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)  # the first line of each block
    ids: Ids = field(default_factory=Ids)
    size: int = 0
    digest: str = ""


def write_through(
    job: Job,
    results: Draft | None,
    rejects: Draft | None,
    work: Callable[[int, Raw], Finished],
    progress: Progress,
    *,
    unique: bool = True,
    seen: Callable[[Finished], None] | None = None,
) -> Tally | UsageProblem:
    """A file gone through, block by block, by `work`; its lines of results and rejects go to the drafts.

    `unique` says that ids are to be noted, since none may occur twice. `seen` is given every block, in order.
    """
    written = open_rows(job.form, results) if results is not None else None
    refused = open_rows(job.rejects_form, rejects) if rejects is not None else None
    tally = Tally(Accounts(job.tables.money))
    reader = job.source.blocks(job.options.block)
    line = job.head.line
    for finished in in_order(reader, work, job.options.threads):
        tally.starts.append(line)
        if unique:
            tally.ids.add(finished.judged)
        if seen is not None:
            seen(finished)
        found = _told(finished, line, tally)
        if refused is not None and found:
            refused.write(job.rejects_form.part(found))
        if written is not None:
            written.write(finished.part)
        line += finished.judged.block.height
        progress.update(reader.bytes_read, job.head.size, tally.accounts.read.records)
    for rows in (written, refused):
        if rows is not None:
            rows.close()
    tally.size, tally.digest = reader.bytes_read, reader.digest
    return reader.problem or tally


def _told(finished: Finished, line: int, tally: Tally) -> list[Reject]:
    """The rejects of a block, while everything about the block is added up."""
    judged = finished.judged
    block = judged.block
    tally.accounts.merge(finished.accounts)
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
