"""The summary of a batch, as JSON: what ran on what, and accounts that reconcile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from rxcalc.plan.nodes import Plan, weakest_evidence
from rxcalc.tabular.accounts import Accounts
from rxcalc.tabular.header import Columns

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file of the run: its name without folder, its bytes, and their SHA-256."""

    name: str
    size: int
    sha256: str

    def as_json(self) -> dict[str, object]:
        """The facts as a JSON object."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}


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
    more: Mapping[str, object] = field(default_factory=dict)  # lists, groups and the like, ready as JSON


def accounts_json(
    files: Mapping[str, FileFacts],
    accounts: Accounts,
    decimals: Mapping[str, int],
    columns: Columns,
    reject_codes: Mapping[str, int],
    defaults: Mapping[str, int],
) -> dict[str, object]:
    """One file of lines in the summary, told as the main file is."""
    return {
        **{what: file.as_json() for what, file in files.items()},
        "counts": accounts.counts(),
        "totals": accounts.totals(decimals),
        "rejects_by_code": dict(sorted(reject_codes.items())),
        "columns": {
            "inputs": {name: columns.names[at] for name, at in columns.inputs.items()},
            "absent": list(columns.absent),
            "unread": list(columns.unread),
        },
        "defaults_filled": dict(defaults),
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
            "status": weakest_evidence(plan),
            "evidence": dict(plan.evidence),
        },
        **{what: file.as_json() for what, file in facts.files.items()},
        "options": dict(facts.options),
        "counts": facts.accounts.counts(),
        "totals": facts.accounts.totals(facts.decimals),
        "currency": plan.currency,
        "rejects_by_code": dict(sorted(facts.reject_codes.items())),
        "columns": {
            "inputs": {name: facts.columns.names[at] for name, at in facts.columns.inputs.items()},
            "absent": list(facts.columns.absent),
            "unread": list(facts.columns.unread),
        },
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
    return (json.dumps(body, ensure_ascii=False, indent=2) + "\n").encode()
