"""One block of a batch, from bytes to lines of results; and blocks in order over several threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

import polars as pl

from rxcalc.driver.batch_report import BatchOptions
from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.tables import ROW, Shape, TableReader
from rxcalc.plan.nodes import Plan, Value
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.blocks import Head, Raw, Source
from rxcalc.tabular.forms import FileForm
from rxcalc.tabular.header import Columns
from rxcalc.tabular.judging import ID, Judged, block_accounts, judge
from rxcalc.tabular.redaction import ids_of
from rxcalc.tabular.rejects import RejectLayout
from rxcalc.tabular.writer import Layout, Part, write_rows

if TYPE_CHECKING:
    from rxcalc.backends.base import Finding, GroupOutcome
    from rxcalc.backends.columnar.given import Given
    from rxcalc.backends.columnar.opened import Amounts
    from rxcalc.backends.columnar.persons import Alone

NOTE: Final = "rx_note"  # the result column that marks what follows a refused episode
INCOMPLETE: Final = "group_incomplete"  # the result column that names the groups read that lack a member
_CSV: Final = FileForm()
_T = TypeVar("_T")


class RowProblem(Protocol):
    """A problem of a computed row; `backends.base.Problem` is one."""

    @property
    def code(self) -> str: ...  # noqa: D102 a field
    @property
    def field(self) -> str: ...  # noqa: D102 a field
    @property
    def value(self) -> str: ...  # noqa: D102 a field
    @property
    def message(self) -> str: ...  # noqa: D102 a field


class Computed(Protocol):
    """What a columnar run gives: `values` holds `__row` and the columns asked for, amounts x 10**decimals.

    `marked` rows follow a refused one; `affected` names by a reversal those that had read what it reverses. `findings`
    are those asked for, by row.
    """

    @property
    def values(self) -> pl.DataFrame: ...  # noqa: D102 a field
    @property
    def decimals(self) -> Mapping[str, int]: ...  # noqa: D102 a field
    @property
    def problems(self) -> Sequence[tuple[int, RowProblem]]: ...  # noqa: D102 a field
    @property
    def marked(self) -> frozenset[int]: ...  # noqa: D102 a field
    @property
    def affected(self) -> Mapping[int, tuple[str, ...]]: ...  # noqa: D102 a field
    @property
    def lists(self) -> Mapping[str, pl.DataFrame]: ...  # noqa: D102 a field
    @property
    def list_decimals(self) -> Mapping[str, Mapping[str, int]]: ...  # noqa: D102 a field
    @property
    def findings(self) -> Sequence[tuple[int, Finding]]: ...  # noqa: D102 a field


class Evaluator(Protocol):
    """The columnar back end, or a stand-in."""

    def run(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        *,
        lists: Mapping[str, pl.DataFrame] | None = None,
        list_outputs: Mapping[str, Sequence[str]] | None = None,
        after_reject: str = "refuse",
        findings: bool = False,
        given: Given | None = None,
        openings: Mapping[Value, Amounts] | None = None,
        alone: Alone | None = None,
    ) -> Computed:
        """The values of `columns` for the typed rows of `frame`; `compute` also computes what follows a refused row.

        `lists` holds the rows of lists, `list_outputs` which results of them are wanted; `findings` says whether those are.
        `given` are results of earlier runs, `openings` what windows hold before them; `alone` runs the persons that columns leave to the exact evaluator.
        """


class ComputedGroups(Computed, Protocol):
    """As `Computed`, with groups across bills.

    `unplaced` counts by kind the refused rows of nobody knows which group; `incomplete` names by row the kinds of groups
    that it has read and that lack a member.
    """

    @property
    def groups(self) -> Sequence[GroupOutcome]: ...  # noqa: D102 a field
    @property
    def unplaced(self) -> Mapping[str, int]: ...  # noqa: D102 a field
    @property
    def incomplete(self) -> Mapping[int, tuple[str, ...]]: ...  # noqa: D102 a field


GroupRows: TypeAlias = Mapping[str, Sequence[Mapping[str, Value]]]
"""By kind, keys and inputs of groups."""


class Settler(Protocol):
    """The columnar back end of a plan with groups across bills. Frames hold all rows, refused ones with `__bad`."""

    def run_groups(
        self,
        frame: pl.DataFrame,
        columns: Sequence[str],
        *,
        lists: Mapping[str, pl.DataFrame] | None = None,
        list_outputs: Mapping[str, Sequence[str]] | None = None,
        group_inputs: GroupRows | None = None,
        after_reject: str = "refuse",
        findings: bool = False,
    ) -> ComputedGroups:
        """As `Evaluator.run`, with the groups."""

    def settle(
        self, frame: pl.DataFrame, group_inputs: GroupRows | None = None, *, findings: bool = False
    ) -> ComputedGroups:
        """The groups alone, where no row depends on any."""


@dataclass(frozen=True, slots=True)
class Job:
    """What stays the same through a run.

    `settler` computes the groups across bills, and all rows with them; where no row depends on a group (`alone`), `evaluator`
    computes the rows block by block, and `settler` the groups afterwards.
    """

    plan: Plan
    options: BatchOptions
    source: Source
    columns: Columns
    form: Layout
    tables: TableReader
    evaluator: Evaluator | None  # None: no columns can compute it, every record goes through the exact evaluator
    exact_steps: Mapping[str, str]
    shape: Shape | None = None
    settler: Settler | None = None
    alone: bool = False
    refusals: FileForm = _CSV  # what kind of file the rejects are
    untold: tuple[str, ...] = ()  # result columns that have no name of the kind asked for

    @property
    def head(self) -> Head:
        """What the file says of itself."""
        return self.source.head

    @property
    def rejects_form(self) -> RejectLayout:
        """What the rejects file holds."""
        fields = {self.columns.inputs[spec.name]: spec for spec in self.plan.inputs if spec.name in self.columns.inputs}
        return RejectLayout(self.columns, self.refusals, fields, self.options.redact, ids_of(self.plan))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The result columns that the evaluator computes."""
        return tuple(name for name in self.form.computed if name not in (NOTE, INCOMPLETE))

    def judged(self, raw: Raw, duplicates: Mapping[int, int] | None = None) -> Judged:
        """A block read and its records judged."""
        for shape in (None,) if duplicates or self.shape is None else (self.shape, None):
            found = judge(raw.read(self.head, shape), self.columns, self.tables, duplicates)
            if found is not None:
                return found
        raise AssertionError  # a block read as text is always judged


@dataclass(frozen=True, slots=True)
class Finished:
    """A block's results, and what is to be told about all its other records."""

    judged: Judged
    part: Part
    refused: Mapping[int, tuple[CellProblem, ...]]
    accounts: Accounts
    defaults: Mapping[str, int]
    findings: Sequence[tuple[str, Finding]] = ()  # each with the id of its episode
    told: Sequence[str] = ()  # findings as lines of their file, where they were made before


def compute_block(job: Job, judged: Judged) -> Finished:
    """A block of a stateless plan: its good rows are computed on their own."""
    assert job.evaluator is not None  # noqa: S101 - without columns a batch is computed as a whole
    checks = bool(job.plan.checks)
    frame = judged.good_frame()
    computed = job.evaluator.run(frame, job.outputs, findings=True) if checks else job.evaluator.run(frame, job.outputs)
    finished = finish_block(job, judged, computed.values, computed.problems, computed.decimals)
    if not checks or not computed.findings:
        return finished
    ids = judged.checked.frame.get_column(ID)
    own = {row: str(ids[row]) for row, _ in computed.findings if row not in finished.refused}
    return replace(finished, findings=[(own[row], finding) for row, finding in computed.findings if row in own])


def finish_block(
    job: Job, judged: Judged, values: pl.DataFrame, found: Iterable[tuple[int, RowProblem]], decimals: Mapping[str, int]
) -> Finished:
    """A block's results written out. `values` and `found` go by the row in the block."""
    refused = dict(judged.refused)
    aside = {*judged.refused, *judged.totals, *judged.blank}
    computed: dict[int, list[CellProblem]] = {}
    for row, problem in found:
        if row not in aside:
            computed.setdefault(row, []).append(
                CellProblem(problem.code, problem.field, problem.value, problem.message)
            )
    refused.update((row, tuple(many)) for row, many in computed.items())
    written = _without(judged, computed)
    rows = written if written is not None else pl.int_range(judged.records, eager=True)
    results, lost = _aligned(values, rows)
    if lost:
        fault = CellProblem(
            "RX902", "", "", "no result was computed for this episode; this is a fault of rxcalc, please report it"
        )
        refused.update((row, (fault,)) for row in lost)
        written = rows.filter(~rows.is_in(lost))
        results, _ = _aligned(values, written)
    part = write_rows(job.form, judged, written, results, dict(decimals))
    accounts = block_accounts(judged, job.tables.money, job.tables.decimals, written)
    return Finished(judged, part, refused, accounts, _defaults(judged, written))


def _without(judged: Judged, computed: Mapping[int, object]) -> pl.Series | None:
    """The rows to write (None: all)."""
    if not computed:
        return judged.good
    good = judged.good if judged.good is not None else pl.int_range(judged.records, eager=True)
    return good.filter(~good.is_in(list(computed)))


def _aligned(values: pl.DataFrame, rows: pl.Series) -> tuple[pl.DataFrame, list[int]]:
    """One row of results per written row, in their order; and the rows that have none."""
    have = values.get_column(ROW)
    if have.len() == rows.len() and bool((have == rows).all()):
        return values, []
    wanted = pl.DataFrame({ROW: rows.cast(have.dtype)})
    lost = wanted.join(values.select(ROW), on=ROW, how="anti", maintain_order="left").get_column(ROW).to_list()
    return wanted.join(values, on=ROW, how="left", maintain_order="left"), lost


def _defaults(judged: Judged, written: pl.Series | None) -> dict[str, int]:
    """How many written rows had each default filled in."""
    counts = {}
    for name, filled in judged.checked.defaulted:
        counts[name] = int((filled if written is None else filled.gather(written)).sum())
    return counts


def in_order(items: Iterable[Raw], work: Callable[[int, Raw], _T], threads: int) -> Iterator[_T]:
    """The work on each block, in the order of the blocks, a few blocks ahead of what is asked for."""
    ahead: deque[Future[_T]] = deque()
    with ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="rxcalc") as pool:
        try:
            for number, item in enumerate(items):
                ahead.append(pool.submit(work, number, item))
                if len(ahead) > threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
