"""`rxcalc sample`: a rulebook to files of made-up episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.publish import Draft, distinct_files, open_draft, publish

if TYPE_CHECKING:
    from rxcalc.plan.nodes import Plan
    from rxcalc.sampling.hints import Hints
    from rxcalc.sampling.rows import Unmade
    from rxcalc.sampling.sample import Sample

TABBED: Final = frozenset({".tsv", ".tab"})
WORTH_IT: Final = 2_000
"""From how many episodes on the check by columns is quicker than the time that it takes to set up."""
SUFFIXES: Final = TABBED | {".csv", ".txt", ""}


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """What is to be made. `episodes_to` None: the standard output."""

    episodes: int
    episodes_to: Path | None
    seed: str = "1"
    per_key: int = 0
    lists: Mapping[str, Path] = field(default_factory=dict)
    groups_to: Path | None = None
    reads: tuple[Path, ...] = ()


@dataclass(slots=True)
class SampleReport:
    """What was made, or why nothing was."""

    problem: UsageProblem | None = None
    episodes: int = 0
    persons: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    unwritten_groups: tuple[str, ...] = ()
    unwritten_lists: tuple[str, ...] = ()
    published: list[Path] = field(default_factory=list)


Write = Callable[[bytes], object]


def run_sample(plan: Plan, hints: Hints | None, options: SampleOptions, out: Write) -> SampleReport:
    """Makes a sample and publishes its files together; `out` takes the episodes that go to the standard output."""
    from rxcalc.sampling.hints import Hints
    from rxcalc.sampling.people import reads_groups
    from rxcalc.sampling.rows import Unmade
    from rxcalc.sampling.sample import Sample

    problem = _usable(plan, options)
    if problem is not None:
        return SampleReport(problem)
    without = [x.name for x in plan.lists if x.name not in options.lists]
    check, settle = None, None
    if options.episodes >= WORTH_IT:
        from rxcalc.driver.sample_check import check_of, settle_of

        check = check_of(plan) if not reads_groups(plan) else None
        settle = settle_of(plan) if any(not g.inside for g in plan.groups) else None
    sample = Sample(
        plan,
        hints or Hints(),
        options.seed,
        per_key=options.per_key,
        without=without,
        with_groups=options.groups_to is not None,
        check=check,
        settle=settle,
    )
    if options.per_key and not sample.people.is_numbered(plan, hints or Hints()):
        return SampleReport(_no_owner(plan))
    files = _Files(plan, sample, options)
    try:
        opened = files.open()
        if opened is not None:
            return SampleReport(opened)
        report = files.write(out)
    except Unmade as unmade:
        return SampleReport(_cannot(plan, unmade))
    except OSError as error:
        return SampleReport(problems.cannot_write(str(options.episodes_to or "-"), error.strerror or str(error)))
    finally:
        files.close()
    report.unwritten_lists = tuple(without)
    report.unwritten_groups = sample.group_kinds if options.groups_to is None else ()
    return report


def _usable(plan: Plan, options: SampleOptions) -> UsageProblem | None:
    """What is wrong with the options."""
    from difflib import get_close_matches

    lists = [x.name for x in plan.lists]
    for name in options.lists:
        if name not in lists:
            near = get_close_matches(name, lists, n=1)
            hint = (
                f"did you mean {near[0]}?" if near else f"its lists: {', '.join(lists)}" if lists else "it has no lists"
            )
            return UsageProblem(f"the rulebook has no list `{name}`", (hint,))
    lacking = [x.name for x in plan.lists if x.required and x.name not in options.lists]
    if lacking:
        named = [f"--lines-out {n}.csv" if n == "lines" else f"--list {n}={n}.csv" for n in lacking]
        return UsageProblem(
            f"every episode of `{plan.rulebook}` must have rows of {', '.join(lacking)}", (f"add {' '.join(named)}",)
        )
    targets = [*((options.episodes_to,) if options.episodes_to is not None else ()), *options.lists.values()]
    for target in targets:
        if target.suffix.lower() not in SUFFIXES:
            return UsageProblem(
                f"`{target}`: files of type {target.suffix} are not written", ("write .csv, or .tsv for tabs",)
            )
    folder = options.groups_to
    if folder is not None and folder.exists() and not folder.is_dir():
        return problems.cannot_write(str(folder), "it is no folder")
    groups = [folder / f"{g.name}.csv" for g in plan.groups if g.inputs and not g.inside] if folder is not None else []
    named_targets = tuple(("another output", t) for t in (*targets, *groups))
    return distinct_files(tuple(("a file of the rulebook", path) for path in options.reads), named_targets)


def _no_owner(plan: Plan) -> UsageProblem:
    if plan.sequence is None:
        return UsageProblem(
            f"`{plan.rulebook}` has no `sequence:`, so no episode belongs with another one", ("leave --per-key out",)
        )
    return UsageProblem(
        f"the `{plan.sequence.by}` of `{plan.rulebook}` is not numbered: --per-key cannot say how many episodes it has",
        ("leave --per-key out; `sample:` may say how often each value occurs",),
    )


def _cannot(plan: Plan, unmade: Unmade) -> UsageProblem:
    """Why nothing valid could be made, and what would help."""
    if unmade.about.startswith("the requirement"):
        advice = "say under `sample:` how the fields in it follow from each other, e.g. `amount: quantity * unit_price`"
    elif unmade.about.startswith("the hint"):
        advice = "change that hint, or the bounds of the field"
    else:
        advice = "say under `sample:` what valid values look like"
    message = f"made no valid episode of `{plan.rulebook}` in many tries: {unmade}"
    return UsageProblem(message, (f"{advice} (see docs/sample.md)",))


class _Files:
    """The files of one sample: written aside, published together."""

    def __init__(self, plan: Plan, sample: Sample, options: SampleOptions) -> None:
        self.plan = plan
        self.sample = sample
        self.options = options
        self.drafts: dict[str, Draft] = {}  # "" the episodes, lists by name
        self.of_groups: list[Draft] = []
        self.made_folder: Path | None = None
        self.done = False

    def open(self) -> UsageProblem | None:
        """Opens all files but those of groups."""
        wanted = {
            **({"": self.options.episodes_to} if self.options.episodes_to is not None else {}),
            **self.options.lists,
        }
        for name, path in wanted.items():
            draft = open_draft(path)
            if isinstance(draft, UsageProblem):
                return draft
            self.drafts[name] = draft
        return None

    def write(self, out: Write) -> SampleReport:
        """Makes and writes everything, then gives the files their names."""
        report = SampleReport(rows=dict.fromkeys(self.options.lists, 0))
        own = self.options.episodes_to
        separator = _separator(own) if own is not None else ","
        to = self.drafts[""].write if own is not None else out
        columns = self.sample.columns()
        lists = {
            name: (self.sample.columns_of_list(name), _separator(path)) for name, path in self.options.lists.items()
        }
        for name, (of, sep) in lists.items():
            self.drafts[name].write(of.header(sep).encode())
        held: list[bytes] = [columns.header(separator).encode()]
        if own is not None:
            to(held.pop())
        for batch in self.sample.batches(self.options.episodes):
            report.persons += batch.persons
            for bill in batch.bills:
                report.episodes += 1
                line = columns.joined(columns.of_bill(bill), separator).encode()
                # Nothing reaches the standard output unless all of it could be made.
                if own is not None:
                    to(line)
                else:
                    held.append(line)
                for name, (of, sep) in lists.items():
                    rows = bill.rows.get(name, [])
                    report.rows[name] += len(rows)
                    head = (bill.values["episode_id"],)
                    text = "".join(of.line(values, blank, sep, head) for values, blank in rows)
                    self.drafts[name].write(text.encode())
        problem = self._groups(report)
        problem = problem or self._publish(report)
        if problem is not None:
            report.problem = problem
        else:
            for line in held:
                out(line)
        return report

    def _groups(self, report: SampleReport) -> UsageProblem | None:
        folder = self.options.groups_to
        if folder is None or not self.sample.group_kinds:
            return None
        if not folder.exists():
            folder.mkdir(parents=True)
            self.made_folder = folder
        for kind in self.sample.group_kinds:
            draft = open_draft(folder / f"{kind}.csv")
            if isinstance(draft, UsageProblem):
                return draft
            self.of_groups.append(draft)
            lines = self.sample.groups.get(kind, [])
            report.groups[kind] = len(lines)
            draft.write((self.sample.columns_of_group(kind).header(",") + "".join(lines)).encode())
        return None

    def _publish(self, report: SampleReport) -> UsageProblem | None:
        drafts = (*self.drafts.values(), *self.of_groups)
        problem = publish(drafts) if drafts else None
        if problem is None:
            self.done = True
            report.published = [draft.shown for draft in drafts]
        return problem

    def close(self) -> None:
        """Removes what was not published."""
        if self.done:
            return
        for draft in (*self.drafts.values(), *self.of_groups):
            draft.discard()
        if self.made_folder is not None:
            with suppress(OSError):
                self.made_folder.rmdir()


def _separator(path: Path) -> str:
    return "\t" if path.suffix.lower() in TABBED else ","
