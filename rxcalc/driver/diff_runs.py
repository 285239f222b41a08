"""Both rulebooks over the same files, each as an ordinary batch into a private folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, FindingReport
from rxcalc.inputs.openings import opening_specs, window_calls
from rxcalc.lang.types import MONEY
from rxcalc.passes.sequence import windows_in_use
from rxcalc.plan.nodes import Plan, share_names
from rxcalc.tabular.problems import UsageProblem

ID = "episode_id"
PERSON = "person_id"


@dataclass(frozen=True, kw_only=True)
class BillFiles:
    """The bills, as `rxcalc batch` takes them."""

    episodes: Path
    lists: Mapping[str, Path] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "auto"
    groups: Path | None = None
    after_reject: str = "refuse"
    earlier: tuple[Path, ...] = ()
    opening: Path | None = None
    opening_of: frozenset[str] = frozenset()  # calls and windows that either rulebook knows
    threads: int = 2
    memory: int = 2_000_000_000


@dataclass(frozen=True)
class Compared:
    """Which results two plans have in common: amounts, other results; and those that only one has."""

    amounts: tuple[str, ...]
    others: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One run. `results` has a row a computed record: the fields asked for, then results.

    `refused` has the refused records: their cells as texts, then `rx_code` and so on. `days` are those by which the
    rulebook is in force, row by row. `checks` says what each check has found, `findings`, `groups` and `lists` are where the
    single findings, the results of groups and those of the rows of lists stand. With the whole records asked for, `cells` has those of the computed
    ones, and `header` says which column of the file a field is.
    """

    results: pl.DataFrame
    refused: pl.DataFrame
    read: int
    days: pl.Series
    checks: Mapping[str, FindingReport]
    findings: Path
    groups: Path
    lists: Mapping[str, Path] = field(default_factory=dict)
    cells: pl.DataFrame = field(default_factory=pl.DataFrame)
    header: Mapping[str, str] = field(default_factory=dict)


def compared(old: Plan, new: Plan) -> Compared:
    """What two plans can be compared by: outputs and parts of shares."""
    sides = _results(old), _results(new)
    common = [name for name in sides[0] if name in sides[1] and sides[0][name] == sides[1][name]]
    return Compared(
        tuple(n for n in common if sides[0][n]),
        tuple(n for n in common if not sides[0][n]),
        tuple(n for n in sides[0] if n not in common),
        tuple(n for n in sides[1] if n not in common),
    )


def _results(plan: Plan) -> dict[str, bool]:
    """Outputs and shares, and which of them are amounts."""
    shares = share_names(plan)
    steps = {step.name: step.type == MONEY for step in plan.steps}
    return {name: name in shares or steps.get(name, True) for name in dict.fromkeys((*plan.outputs, *shares))}


def person_of(old: Plan, new: Plan) -> str:
    """The input that says whose a bill is; "" where the two have none in common."""
    inputs = {i.name for i in old.inputs} & {i.name for i in new.inputs}
    for plan in (old, new):
        if plan.sequence is not None and plan.sequence.by in inputs:
            return plan.sequence.by
    return PERSON if PERSON in inputs else ""


def reads_earlier(plan: Plan) -> bool:
    """Whether results of earlier runs bear on this rulebook's."""
    return plan.sequence is not None or bool(plan.groups)


def reads_opening(plan: Plan) -> bool:
    """Whether amounts before the first bill do."""
    return plan.sequence is not None and bool(window_calls(plan))


def opening_names(plan: Plan) -> frozenset[str]:
    """What a file of opening amounts may speak of: window calls and windows."""
    return frozenset((*opening_specs(plan), *(window.name for window in windows_in_use(plan))))


def run_side(
    plan: Plan,
    files: BillFiles,
    folder: Path,
    fields: Sequence[str],
    results: Sequence[str],
    *,
    cells: bool = False,
    lists: Iterable[str] = (),
) -> Run | UsageProblem:
    """One batch, its results and rejects as frames; with `cells` also the records themselves, and files of `lists`.

    The columns of `fields` (inputs or columns of the file, the id first) are called by these names.
    """
    folder.mkdir(mode=0o700)
    out = folder / "results.parquet"
    dated = () if plan.effective_by in fields else (plan.effective_by,)
    options = BatchOptions(
        episodes=files.episodes,
        results=out,
        rejects=folder / "rejects.parquet",
        select=(*fields, *dated, *(["inputs"] if cells else []), *results),
        columns=_own_columns(files.columns, plan),
        encoding=files.encoding,
        after_reject=files.after_reject,
        threads=files.threads,
        memory=files.memory,
        lists={name: path for name, path in files.lists.items() if any(x.name == name for x in plan.lists)},
        list_results={name: folder / f"rows-of-{name}.csv" for name in lists},
        groups=files.groups,
        earlier=files.earlier if reads_earlier(plan) else (),
        opening=files.opening if reads_opening(plan) else None,
        private=True,
        opening_of_others=files.opening_of - opening_names(plan),
    )
    report = run_batch(plan, options)
    if report.problem is not None or report.accounts is None:
        problem = report.problem or UsageProblem("the run ended without accounts", ())
        # Everything else that is selected is known to be there.
        if "--select names" not in problem.message:
            return problem
        help_ = ("name an input, or another column of the file",)
        return replace(problem, message=problem.message.replace("--select names", "--by names"), help=help_)
    frame = pl.read_parquet(out)
    header = dict(zip(frame.columns[: len(fields)], fields, strict=True))
    frame = frame.rename(header)
    days = frame.to_series(len(fields)) if dated else frame[plan.effective_by]
    refused = pl.read_parquet(options.rejects_path) if options.rejects_path.exists() else pl.DataFrame()
    counts = report.accounts.counts()
    read = counts["written"] + counts["rejected"]
    run = Run(
        frame.select(*fields, *results), refused, read, days.cast(pl.Date),
        report.findings, options.findings_path, options.groups_path, options.list_results,
    )  # fmt: skip
    if not cells:
        return run
    own = [name for name in frame.columns if name not in results]
    return replace(run, cells=frame.select(own), header=header)


def _own_columns(columns: Mapping[str, str], plan: Plan) -> dict[str, str]:
    """The `--columns` that name inputs of this rulebook: the other one may have further ones."""
    known = {i.name for i in plan.inputs} | {f"{x.name}.{i.name}" for x in plan.lists for i in x.inputs}
    return {name: column for name, column in columns.items() if name in known}
