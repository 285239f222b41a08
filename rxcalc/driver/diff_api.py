"""Two rulebooks compared from Python: the same as `rxcalc diff OLD NEW [EPISODES]`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rxcalc import __version__
from rxcalc.compare.edits import edits
from rxcalc.compare.model import Edit
from rxcalc.report import attributed as attributed_text
from rxcalc.report import edits as edits_text
from rxcalc.report import moved as moved_text
from rxcalc.report import moved_json

if TYPE_CHECKING:
    from rxcalc.compare.attributed import Attributed
    from rxcalc.compare.moved import Moved
    from rxcalc.driver.find import Found
    from rxcalc.plan.nodes import Plan
    from rxcalc.tabular.problems import UsageProblem

Place: TypeAlias = "str | Path"


@dataclass(frozen=True)
class BillsAsked:
    """The files of bills and what is to be told of them; every field is an option of the command of that name."""

    lines: Place | None = None
    lists: Mapping[str, Place] | None = None
    groups: Place | None = None
    columns: Mapping[str, str] | None = None
    encoding: str = "auto"
    earlier: Sequence[Place] = ()
    opening: Place | None = None
    by: str | Sequence[str] = ()
    amount: str | None = None
    as_of: date | str | None = None
    attribute: bool = False
    memory: int = 2_000_000_000
    temp_dir: Place | None = None
    rows: bool = False


@dataclass(frozen=True)
class Difference:
    """What changed in meaning (`edits`), and over bills what it moved and which change moved it; None where not asked for.

    `rows` is the text of `--moved-out`.
    """

    old: Plan
    new: Plan
    edits: tuple[Edit, ...]
    moved: Moved | None = None
    attributed: Attributed | None = None
    rows: str | None = None

    @property
    def differs(self) -> bool:
        """Whether `--exit-code` would be 1."""
        return bool(self.edits) or (self.moved is not None and self.moved.differs)

    def document(self) -> dict[str, object]:
        """What `--format json` has, without `status`."""
        found = edits_text.document(self.old, self.new, self.edits, __version__)
        if self.moved is not None:
            found |= moved_json.document(self.moved)
        if self.attributed is not None:
            found["attribution"] = moved_json.attributed_document(self.attributed)
        return found

    def text(self, language: str = "en", *, columns: int = 80) -> str:
        """The page as text."""
        plans = self.old, self.new
        parts = [edits_text.text(*plans, self.edits, language, columns=columns)]
        if self.moved is not None:
            parts.append(moved_text.text(self.moved, plans, language, columns=columns))
        if self.attributed is not None:
            parts.append(attributed_text.text(self.attributed, language, columns=columns))
        return "\n".join(parts)


def compared(
    plans: tuple[Plan, Plan], books: tuple[Found, Found], episodes: Place | None, asked: BillsAsked
) -> Difference | UsageProblem:
    """The difference, or why the bills cannot be run."""
    found = edits(*plans)
    if episodes is None:
        return Difference(*plans, found)
    from rxcalc.driver.diff_batch import Asked, diff_batch
    from rxcalc.driver.diff_pieces import Books
    from rxcalc.driver.diff_runs import BillFiles
    from rxcalc.tabular.problems import UsageProblem

    lists = {name: Path(file) for name, file in (asked.lists or {}).items()}
    files = BillFiles(
        episodes=Path(episodes),
        lists={**({"lines": Path(asked.lines)} if asked.lines is not None else {}), **lists},
        columns=dict(asked.columns or {}),
        encoding=asked.encoding,
        groups=_path(asked.groups),
        earlier=tuple(map(Path, asked.earlier)),
        opening=_path(asked.opening),
        threads=os.cpu_count() or 1,
        memory=asked.memory,
    )
    told = diff_batch(
        *plans,
        files,
        found,
        Asked(
            by=(asked.by,) if isinstance(asked.by, str) else tuple(asked.by),
            amount=asked.amount,
            as_of=date.fromisoformat(asked.as_of) if isinstance(asked.as_of, str) else asked.as_of,
            books=Books(*books) if asked.attribute else None,
            temp_dir=_path(asked.temp_dir),
            rows=asked.rows,
        ),
    )
    if isinstance(told, UsageProblem):
        return told
    return Difference(*plans, found, told.moved, told.attributed, told.rows)


def _path(of: Place | None) -> Path | None:
    return None if of is None else Path(of)
