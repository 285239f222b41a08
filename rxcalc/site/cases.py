"""The page of examples: what is given, what is expected, who worked it out, what comes out today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rxcalc.backends.base import Outcome
from rxcalc.inputs.episodes import EpisodeEntry, Expectation, ExpectedFinding, ExpectedRow
from rxcalc.inputs.episodes import Fields as Written
from rxcalc.lang.types import MONEY
from rxcalc.plan.nodes import Place, PlanSpread, share_name
from rxcalc.prose.model import Sentence
from rxcalc.report.wording import in_one_line
from rxcalc.site.book import Book
from rxcalc.site.facts import example_id
from rxcalc.site.model import Case, Cases, Fields, Grid, Results
from rxcalc.site.refs import part_ref, ref, result_ref


def cases(book: Book) -> tuple[Cases, ...]:
    """The examples by file."""
    files: dict[str, list[Case]] = {}
    for at, result in enumerate(book.given.results):
        files.setdefault(result.file, []).append(_case(book, at))
    return tuple(
        Cases(f"file-{n}", book.say("examples_in", file), tuple(found))
        for n, (file, found) in enumerate(files.items(), 1)
    )


def _case(book: Book, at: int) -> Case:
    entry, result = book.given.entries[at], book.given.results[at]
    results = tuple(_results(book, at))
    shown = {run.ref for part in results if isinstance(part, Results) for thing, _ in part.rows for run in thing}
    used = dict.fromkeys(of for hit in book.given.used[at] if (of := book.of_hit(hit)))
    order = {of: n for n, of in enumerate(book.names.page)}
    return Case(
        id=example_id(at),
        name=entry.name or str(at + 1),
        where=book.where(Place(result.file, result.line)),
        passed=result.passed,
        by=entry.by,
        cite=entry.cite,
        note=entry.note,
        given=tuple(_given(book, entry)),
        expected=tuple(_expected(book, entry)),
        results=results,
        differs=tuple((_named(book, "", d.name), d.expected, d.found) for d in result.differences),
        uses=book.runs(sorted(used.keys() - shown, key=lambda of: order.get(of, 0))),
        command=book.given.commands[at],
    )


def _named(book: Book, level: str, name: str) -> str:
    """A field or result by its label and its name."""
    field = book.names.field(level, name)
    label = book.label(field) if field else name
    return label if label in (name, name.replace("_", " ")) else f"{label} ({name})"


# ---- given ----


def _given(book: Book, entry: EpisodeEntry) -> Iterator[Fields | Grid]:
    if entry.so_far:
        yield Fields(book.say("so_far"), tuple((key.text, value.text) for key, value in entry.so_far))
    for at, fields in enumerate(entry.earlier, start=1):
        yield from _episode(book, book.say("earlier", at), fields)
    for at, (fields, _) in enumerate(entry.episodes, start=1):
        title = book.say("given") if len(entry.episodes) == 1 else book.say("episode_n", _id(fields, at))
        yield from _episode(book, title, fields)
    for kind, rows in entry.groups:
        yield _rows(book, book.say("of_group", book.level(kind.text)), kind.text, [dict(r.values) for r in rows])


def _id(fields: Written, at: int) -> str:
    return fields.values.get("episode_id") or str(at)


def _episode(book: Book, title: str, fields: Written) -> Iterator[Fields | Grid]:
    yield Fields(title, tuple((_named(book, "", name), _value(value)) for name, value in fields.values.items()))
    for name, rows in fields.rows.items():
        shown = book.level(name) if _is_level(book, name) else name
        yield _rows(book, book.say("title_of", title, shown), name, [dict(r.values) for r in rows])


def _is_level(book: Book, name: str) -> bool:
    return ref("list", "", name) in book.names.page or ref("group", "", name) in book.names.page


def _rows(book: Book, title: str, level: str, rows: Sequence[dict[str, str | None]]) -> Grid:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Grid(
        title,
        tuple(_named(book, level, name) for name in columns),
        tuple(tuple(_value(row.get(name)) for name in columns) for row in rows),
    )


def _value(value: str | None) -> str:
    return in_one_line(value) if value else ""


# ---- expected ----


def _expected(book: Book, entry: EpisodeEntry) -> Iterator[Fields | Grid | str]:
    for at, (fields, expectation) in enumerate(entry.episodes, start=1):
        if expectation is not None:
            title = book.say("expected") if len(entry.episodes) == 1 else book.say("episode_n", _id(fields, at))
            yield from _expectation(book, title, expectation)
    if entry.expect is not None:
        yield from _expectation(book, book.say("expected"), entry.expect)


def _expectation(book: Book, title: str, of: Expectation) -> Iterator[Fields | Grid | str]:
    if of.rejects is not None:
        yield f"{title}{book.say('label_sep')}{book.say('expected_refused', of.rejects.text)}"
    if of.amounts:
        yield Fields(title, tuple((_named(book, "", name), _value(value.text)) for name, value in of.amounts))
    for key, rows in (*of.rows, *of.groups):
        shown = book.level(key.text) if _is_level(book, key.text) else key.text
        yield _rows(book, book.say("title_of", title, shown), key.text, [_row(book, row) for row in rows])
    if of.findings is not None:
        told = book.say("list_sep").join(_finding(f) for f in of.findings) or book.say("findings_none")
        yield book.say("title_of", title, f"{book.say('findings')}{book.say('label_sep')}{told}")


def _row(book: Book, row: ExpectedRow) -> dict[str, str | None]:
    found: dict[str, str | None] = {book.say("row"): row.key.text} if row.key is not None else {}
    found |= {name.text: value.text for name, value in row.fields}
    if row.findings is not None:
        found[book.say("findings")] = book.say("list_sep").join(_finding(f) for f in row.findings)
    return found


def _finding(of: ExpectedFinding) -> str:
    row = f" {of.row.text}" if of.row is not None else ""
    amount = f" {of.amount.text}" if of.amount is not None else ""
    return f"{of.check.text}{row}{amount}"


# ---- what comes out ----


def _results(book: Book, at: int) -> Iterator[Results | Grid]:
    outcomes = book.given.outcomes[at]
    for number, outcome in enumerate(outcomes, start=1):
        name = str(outcome.inputs.get("episode_id") or number)
        title = book.say("results") if len(outcomes) == 1 else book.say("results_of", name)
        problem = outcome.problem
        refused = book.say("refused", problem.code, problem.message) if problem is not None else ""
        yield Results(title, tuple(_values(book, outcome)), refused)
        for of in book.plan.lists:
            steps = [s for s in of.steps if any(s.name in row.steps for row in outcome.lists.get(of.name, ()))]
            if steps:
                key = [i for i in of.inputs if i.name in of.order]
                yield Grid(
                    book.say("title_of", title, book.level(of.name)),
                    (
                        *(book.label(ref("input", of.name, i.name)) for i in key),
                        *(book.label(ref("step", of.name, s.name)) for s in steps),
                    ),
                    tuple(
                        (
                            *(book.wording.input(i, row.inputs.get(i.name)) for i in key),
                            *(book.wording.step(s, row.steps.get(s.name)) for s in steps),
                        )
                        for row in outcome.lists[of.name]
                    ),
                )


def _values(book: Book, outcome: Outcome) -> Iterator[tuple[Sentence, str]]:
    """Steps and received parts in the order of an explanation, then the parts of the shares that are not zero, and totals."""
    for result in book.names.order.get("", ()):
        if result.name in outcome.steps:
            value = outcome.steps[result.name]
            wording = book.wording
            shown = wording.figure(value, MONEY) if isinstance(result, PlanSpread) else wording.step(result, value)
            yield (book.run(result_ref("", result)),), shown
    for at, partition in enumerate(book.plan.shares):
        for number, part in enumerate(partition.parts):
            amount = outcome.shares.get(share_name(at, partition.name, part.bearer, part.part))
            if amount:
                yield (book.run(part_ref("", at, partition, number)),), book.wording.figure(amount, MONEY)
    for total in book.plan.totals:
        of = ref("share", "", total)
        if total in outcome.shares:
            yield (book.run(of),), book.wording.figure(outcome.shares[total], MONEY)
