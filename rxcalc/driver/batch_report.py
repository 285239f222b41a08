"""What a batch was asked to do, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from rxcalc.lang.arithmetic import plain
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.forms import beside, companion_suffix
from rxcalc.tabular.naming import Names
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.redaction import Redaction
from rxcalc.tabular.summary import RulebookFacts, VersionsFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """One batch. `rejects` and `summary` default to names beside `results`."""

    episodes: Path
    results: Path
    rejects: Path | None = None
    summary: Path | None = None
    select: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "auto"  # of the files of episodes and lists
    max_rejects: str = ""
    after_reject: str = "refuse"
    threads: int = 2
    dry_run: bool = False
    resume: bool = False
    private: bool = False  # into a folder that goes away: nobody can go on from an interruption
    memory: int = 2_000_000_000  # bytes that the run may take
    temp_dir: Path | None = None  # where parts go that need not stand beside the results
    block: int = 6 << 20
    lists: Mapping[str, Path] = field(default_factory=dict)  # `--lines` and `--list`: the file of each list
    list_results: Mapping[str, Path] = field(default_factory=dict)
    earlier: tuple[Path, ...] = ()  # results of earlier runs
    opening: Path | None = None
    opening_of_others: frozenset[str] = frozenset()  # calls and windows in it that only another rulebook knows
    closing: Path | None = None
    groups: Path | None = None  # the folder of group inputs
    groups_out: Path | None = None
    findings: Path | None = None
    language: str = "en"  # of the messages of findings, and of labels
    names: Names = "step"  # what columns of results are called by
    redact: Redaction | None = None  # how ids and texts are hidden
    excel: bool = False  # whether spreadsheets are to show every cell of text files as it is
    rulebook: RulebookFacts | VersionsFacts | None = None  # where the summary says that the rulebook is
    reads: tuple[Path, ...] = ()  # the rulebook's files and the like, which no output may replace

    def beside(self, suffix: str) -> Path:
        """The default name of a companion of the results: out.csv, out.rejects.csv."""
        return beside(self.results, suffix)

    @property
    def work_path(self) -> Path:
        """The private folder of the run, beside the results: its journal, and what is written."""
        beside = self.beside(".rxcalc")
        return beside.with_name(f".{beside.name}")

    @property
    def aside_path(self) -> Path:
        """The private folder for rows put aside: that of the run, or one in the folder for temporary files."""
        if self.temp_dir is None:
            return self.work_path
        named = sha256(str(self.work_path.absolute()).encode(errors="surrogateescape")).hexdigest()[:12]
        return self.temp_dir / f"{self.work_path.name}.{named}"

    @property
    def rejects_path(self) -> Path:
        """Where rejects go."""
        return self.rejects or self.beside(".rejects" + companion_suffix(self.results))

    @property
    def summary_path(self) -> Path:
        """Where the summary goes."""
        return self.summary or self.beside(".summary.json")

    @property
    def stale_path(self) -> Path:
        """Where issued results go that late arrivals would have changed."""
        return self.beside(".stale.csv")

    @property
    def findings_path(self) -> Path:
        """Where findings go."""
        return self.findings or self.beside(".findings.csv")

    @property
    def groups_path(self) -> Path:
        """The folder where results of groups go."""
        return self.groups_out or self.beside(".groups")

    def list_rejects(self, name: str) -> Path:
        """Where the rejects of a list go."""
        return self.beside(f".{name}.rejects" + companion_suffix(self.lists[name]))

    def as_json(self) -> dict[str, object]:
        """What bears on the results, for the summary."""
        return {
            "select": list(self.select),
            "columns": dict(self.columns),
            "encoding": self.encoding,
            "max_rejects": self.max_rejects,
            "after_reject": "compute" if self.after_reject == "compute" else "reject",
            "names": self.names,
            "excel": self.excel,
            **({"redact": True} if self.redact is not None else {}),
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class RejectExample:
    """The first record refused with a code."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReport:
    """The outcome of one file of lines. `unlinked` are records whose episode cannot be read."""

    accounts: Accounts
    decimals: Mapping[str, int]
    reject_codes: Mapping[str, int]
    examples: Mapping[str, RejectExample]
    defaults: Mapping[str, int]
    unlinked: int


@dataclass(frozen=True, slots=True)
class FindingReport:
    """What one of the `checks:` has found; `amount` is the sum of amounts, None for a check without."""

    severity: str
    count: int
    amount: Fraction | None

    def as_json(self, decimals: int) -> dict[str, object]:
        """The report as a JSON object."""
        amount = {} if self.amount is None else {"amount": plain(self.amount, decimals)}
        return {"severity": self.severity, "count": self.count, **amount}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReport:
    """What became of the groups of a kind: how many, of how many members, how many more were rejected.

    `unplaced` are rejected members of nobody knows which group.
    """

    groups: int
    members: int
    rejected: int
    incomplete: int
    unplaced: int
    reject_codes: Mapping[str, int]  # of refused groups
    examples: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """The outcome of a batch. With a `problem` no results were published."""

    problem: UsageProblem | None = None
    accounts: Accounts | None = None
    decimals: Mapping[str, int] = field(default_factory=dict)
    reject_codes: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, RejectExample] = field(default_factory=dict)
    defaults: Mapping[str, int] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    unknown_sequence: int = 0
    lists: Mapping[str, ListReport] = field(default_factory=dict)
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    findings: Mapping[str, FindingReport] = field(default_factory=dict)  # by check
    incomplete: int = 0  # results that read a group which lacks a member
    stale: int = 0  # issued results that late arrivals would have changed
    affected: int = 0  # results that had read what is reversed now
    published: tuple[Path, ...] = ()
    resumed: str = ""  # what became of the interrupted run that this one was to go on from
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """2 when it could not run, 1 when any row was rejected, a result is incomplete or stale or a finding an error, else 0."""
        if self.problem is not None:
            return 2
        rejected = self.reject_codes or any(found.reject_codes for found in self.lists.values())
        refused = any(found.reject_codes for found in self.groups.values())
        errors = any(found.severity == "error" and found.count for found in self.findings.values())
        return 1 if rejected or refused or errors or self.incomplete or self.stale else 0


def passes_limit(limit: str, rejected: int, read: int) -> bool | UsageProblem:
    """Whether `rejected` of `read` records are more than `limit` ("100" or "2.5%") allows; "" allows all."""
    if not limit:
        return False
    try:
        number = Decimal(limit.removesuffix("%"))
    except InvalidOperation:
        number = Decimal(-1)
    share = limit.endswith("%")
    fine = re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,6}%|%)?", limit) is not None and (number <= 100 or not share)
    if not fine:
        return UsageProblem(
            f"--max-rejects takes a count such as 100 or a share such as 2.5%, not {limit!r}",
            ("write digits; a share has a percent sign and is at most 100%",),
        )
    return rejected * 100 > number * read if share else rejected > number
