"""The summary of a batch, as JSON: what ran on what, and accounts that reconcile."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rxcalc.plan.nodes import Plan, weakest_evidence
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.blocks import Source
from rxcalc.tabular.header import Columns
from rxcalc.tabular.locators import Locator, locate
from rxcalc.tabular.problems import UsageProblem

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file of the run: its name without folder, where it is, its bytes, and their SHA-256."""

    name: str
    size: int
    sha256: str
    path: Path | None = None
    encoding: str = ""  # of text that was read
    packing: str = ""  # how it was compressed

    def as_json(self) -> dict[str, object]:
        """The facts as a JSON object; `summary_json` makes text of the path."""
        path = {} if self.path is None else {"path": self.path}
        read = {"encoding": self.encoding, "compression": self.packing}
        told = {name: value for name, value in read.items() if value}
        return {"name": self.name, **path, "bytes": self.size, "sha256": self.sha256, **told}


def facts_of(source: Source, size: int, digest: str) -> FileFacts:
    """The facts of a file that was read: `size` bytes, with this SHA-256."""
    path, head = source.path, source.head
    return FileFacts(name=path.name, size=size, sha256=digest, path=path, encoding=head.encoding, packing=head.packing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookFacts:
    """A rulebook that was run: its file, and the others it read, named from that file's folder.

    Of one that comes with rxcalc only the place among those is told.
    """

    path: Path
    files: tuple[str, ...]
    shipped: str = ""

    def as_json(self) -> dict[str, object]:
        """The facts as JSON."""
        where: dict[str, object] = {"shipped": self.shipped} if self.shipped else {"path": self.path}
        return {**where, "files": list(self.files)}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """One of several versions that were run together."""

    name: str
    version: str
    digest: str
    effective: tuple[str, str]  # from and to; "": no end
    rulebook: RulebookFacts

    def as_json(self) -> dict[str, object]:
        """The facts as JSON."""
        start, end = self.effective
        own = {"name": self.name, "version": self.version, "digest": self.digest}
        return {**own, "effective": {"from": start, "to": end or None}, **self.rulebook.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsFacts:
    """All versions of a run, oldest first."""

    versions: tuple[VersionFacts, ...]

    def as_json(self) -> dict[str, object]:
        """The facts as JSON."""
        return {"versions": [version.as_json() for version in self.versions]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFacts:
    """Everything a summary says."""

    version: str
    status: str  # complete, incomplete (some rows rejected), refused (no results published)
    files: Mapping[str, FileFacts]  # input, results, rejects
    options: Mapping[str, object]
    columns: Columns
    accounts: Accounts
    decimals: Mapping[str, int]
    reject_codes: Mapping[str, int]
    defaults: Mapping[str, int]
    assumptions: tuple[str, ...]
    exact_steps: Mapping[str, str]
    unknown_sequence: int
    seconds: float
    titles: Mapping[str, str] = field(default_factory=dict)  # of columns of the results (`--names`)
    folder: Path = Path()  # of the summary, from which paths are told
    rulebook: RulebookFacts | VersionsFacts | None = None
    more: Mapping[str, object] = field(default_factory=dict)  # lists, groups and the like, ready as JSON


def accounts_json(
    files: Mapping[str, FileFacts],
    accounts: Accounts,
    decimals: Mapping[str, int],
    columns: Columns,
    reject_codes: Mapping[str, int],
    defaults: Mapping[str, int],
    titles: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """One file of lines in the summary, told as the main file is."""
    return {
        **{what: file.as_json() for what, file in files.items()},
        "counts": accounts.counts(),
        "totals": accounts.totals(decimals),
        **accounts.total_rows_json(decimals),
        "rejects_by_code": dict(sorted(reject_codes.items())),
        "columns": _columns_json(columns, titles or {}),
        "defaults_filled": dict(defaults),
    }


def _columns_json(columns: Columns, titles: Mapping[str, str]) -> dict[str, object]:
    """Which column each input was read from, and what columns of the results are called that bear another name."""
    return {
        "inputs": {name: columns.names[at] for name, at in columns.inputs.items()},
        "absent": list(columns.absent),
        "unread": list(columns.unread),
        **({"titles": dict(titles)} if titles else {}),
    }


def summary_json(plan: Plan, facts: SummaryFacts) -> bytes:
    """The summary file's bytes; everything but `seconds` is the same for the same run."""
    body: dict[str, object] = {
        "rxcalc": facts.version,
        "format": FORMAT,
        "status": facts.status,
        "rulebook": {
            "name": plan.rulebook,
            "version": plan.version,
            "digest": plan.digest,
            **(facts.rulebook.as_json() if facts.rulebook is not None else {}),
            "status": weakest_evidence(plan),
            "evidence": dict(plan.evidence),
        },
        **{what: file.as_json() for what, file in facts.files.items()},
        "options": dict(facts.options),
        "counts": facts.accounts.counts(),
        "totals": facts.accounts.totals(facts.decimals),
        **facts.accounts.total_rows_json(facts.decimals),
        "currency": plan.currency,
        "rejects_by_code": dict(sorted(facts.reject_codes.items())),
        "columns": _columns_json(facts.columns, facts.titles),
        "defaults_filled": dict(facts.defaults),
        "assumptions": list(facts.assumptions),
        "exact_steps": dict(facts.exact_steps),
    }
    if facts.unknown_sequence and plan.sequence is not None:
        body["unknown_sequence"] = {
            "records": facts.unknown_sequence,
            "meaning": f"their {plan.sequence.by} cannot be read, so nobody's later rows can be known to depend on them",
        }
    body |= facts.more
    body["seconds"] = round(facts.seconds, 3)
    text = json.dumps(body, ensure_ascii=False, indent=2, default=lambda path: place_from(facts.folder, path))
    return (text + "\n").encode(errors="backslashreplace")  # of a name that is no text, as JSON spells it


def place_from(folder: Path, path: Path) -> str:
    """A path, or the name of a table or sheet, as a summary in `folder` tells it.

    Files in that folder, and in the one above it, are told from there, so that they may be moved together; all others
    by their whole path.
    """
    found = locate(path)
    file = path if isinstance(found, UsageProblem) else found.file
    base = os.path.realpath(folder)
    full = os.path.join(os.path.realpath(file.parent), file.name)  # noqa: PTH118 - the file itself may be a link
    near = os.path.relpath(full, base)
    is_near = Path(near).parts[:2] != (os.pardir, os.pardir)
    told = Path(near).as_posix() if is_near else full
    return told if isinstance(found, UsageProblem) else _part(found, told)


def place_at(folder: Path, told: str) -> Path:
    """What a path that a summary in `folder` tells is here."""
    found = locate(Path(told))
    if isinstance(found, UsageProblem) or not (found.scheme or found.part):
        return folder / told
    return Path(_part(found, str(folder / found.file)))


def _part(found: Locator, file: str) -> str:
    """The name of a file, or of a table or sheet in it."""
    if found.scheme:
        return f"{found.scheme}:{file}?table={found.part}"
    return f"{file}?sheet={found.part}" if found.part else file
