"""Runs a batch over several versions of a rulebook."""

from __future__ import annotations

from collections.abc import Sequence

from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_prepare import LateExact
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.driver.versions import VersionsEvaluator, join_versions
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.progress import Progress


def run_versions(plans: Sequence[Plan], options: BatchOptions, progress: Progress | None = None) -> BatchReport:
    """As `run_batch`, each episode on the version whose dates hold its own."""
    from rxcalc.backends.columnar import Columnar

    versions = join_versions(plans)
    if isinstance(versions, UsageProblem):
        return BatchReport(problem=versions)
    given = {
        "--earlier": options.earlier,
        "--opening": options.opening,
        "--closing": options.closing,
        "--groups": options.groups,
        "--lines or --list": options.lists,
    }
    for option, value in given.items():
        if value:
            return BatchReport(
                problem=UsageProblem(
                    f"{option} is given with several versions of a rulebook, which run together without it only",
                    ("run each version by itself on the episodes of its dates, the older one first",),
                )
            )
    evaluators = []
    for plan in versions.plans:
        later = LateExact(plan)
        evaluators.append(Columnar(plan, later.episode, later.person, later))
    return run_batch(versions.plan, options, progress, VersionsEvaluator(versions, evaluators))
