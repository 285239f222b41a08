"""rxcalc: exact, explained reimbursement from rulebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from rxcalc.driver.api import Rulebook

__version__: Final = "0.1.0"
__all__ = ["__version__", "load"]


def load(name_or_path: str | Path) -> Rulebook:
    """The rulebook with a shipped name or at a path; see `rxcalc.driver.api.Rulebook` for what it can do.

    Raises:
        rxcalc.driver.api.RulebookError: there is no such rulebook, or it has errors.
    """
    from rxcalc.driver.api import load as load_rulebook

    return load_rulebook(name_or_path)
