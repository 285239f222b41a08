"""Findings of `checks:` from columns: where each check holds, its amount, and the figures of its condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import polars as pl

from rxcalc.backends.base import Finding, Outcome
from rxcalc.backends.columnar.program import Program
from rxcalc.backends.columnar.values import parts_of, values_in
from rxcalc.lang.types import MONEY
from rxcalc.plan.columns.checks import FormedCheck
from rxcalc.plan.figures import figure
from rxcalc.plan.nodes import Value

__all__ = ["Finder", "Found", "all_found"]

Found: TypeAlias = "tuple[int, Finding]"
"""A finding with the row of its episode."""

Orders: TypeAlias = "Callable[[pl.Series], Sequence[tuple[Value, ...]]]"
"""What rows at some places are called: their order among those of the bill, or their keys."""

LEFT = "c:left"
"""Where only the exact evaluator can say whether there is a finding."""


class Finder:
    """The checks of a plan, by the level that they look at."""

    def __init__(self, program: Program) -> None:
        self._program, self._plan = program, program.plan
        self._checks: dict[str, list[FormedCheck[pl.Expr]]] = {}
        for check in program.formed.checks:
            self._checks.setdefault(check.level, []).append(check)
        self.in_bill = [level for level in self._checks if level in program.formed.levels.in_bill]
        self._groups = {g.name: g for g in self._plan.groups if g.name in self._checks}
        self._wanted = {level: self._columns(level) for level in self._checks}

    def wanted(self, level: str) -> Mapping[str, pl.Expr]:
        """The columns of a level from which findings are read."""
        return self._wanted.get(level, {})

    def _columns(self, level: str) -> dict[str, pl.Expr]:
        found: dict[str, pl.Expr] = {}
        left = [check.left for check in self._checks[level] if check.left is not None]
        if left:
            found[LEFT] = pl.any_horizontal(left).fill_null(value=True)
        for check in self._checks[level]:
            found[f"c:{check.index}"] = check.found
            if check.amount is not None:
                found |= {f"c:{check.index}:a{part}": expr for part, expr in parts_of(check.amount).items()}
            for node, formed in check.figures.items():
                found |= {f"c:{check.index}:{node}{part}": expr for part, expr in parts_of(formed).items()}
        if level in self._groups:
            walk = self._program.formed.levels.walks[level]
            for key in self._groups[level].keys:
                if key.name in walk.keys:  # else there are no columns for its groups
                    found |= {f"c:k:{key.name}{part}": expr for part, expr in parts_of(walk.keys[key.name]).items()}
        return found

    def findings(
        self, level: str, table: pl.DataFrame, at: Orders | None = None, skip: pl.Series | None = None
    ) -> Iterator[tuple[pl.Series, list[Finding]]]:
        """The findings on the rows of a level but for those to `skip`, check by check, with the places of these rows in the table."""
        for check in self._checks.get(level, ()):
            holds = table[f"c:{check.index}"].fill_null(value=False)
            places = (holds if skip is None else holds & ~skip).arg_true()
            if not places.len():
                continue
            orders: Sequence[tuple[Value, ...]] = [()] * places.len()
            if level in self._groups:
                orders = self._keys(level, table[places])
            elif at is not None:
                orders = at(places)
            names = [name for name in table.columns if name.startswith(f"c:{check.index}:")]
            few = table.select(names)[places] if names else pl.DataFrame()
            amounts, texts = self._amounts(check, few, places.len()), self._texts(check, few, places.len())
            yield (
                places,
                [
                    Finding(check.index, order, amount, text)
                    for order, amount, text in zip(orders, amounts, texts, strict=True)
                ],
            )

    def of_episodes(self, done: pl.DataFrame, skip: pl.Series | None = None) -> list[Found]:
        """The findings on episodes, from columns with `__row`."""
        return [
            entry
            for places, found in self.findings("", done, skip=skip)
            for entry in zip(done["__row"].gather(places).to_list(), found, strict=True)
        ]

    @staticmethod
    def left_out(done: pl.DataFrame) -> pl.DataFrame:
        """Columns of episodes, those left to the exact evaluator flagged; `__left` says on which nothing else is wrong."""
        if LEFT not in done.columns:
            return done
        left = pl.col(LEFT) & ~pl.col("__flag")
        return done.with_columns(left.alias("__left"), pl.col("__flag") | pl.col(LEFT))

    def _keys(self, level: str, few: pl.DataFrame) -> Sequence[tuple[Value, ...]]:
        """The keys of groups."""
        walk = self._program.formed.levels.walks[level]
        keys = self._groups[level].keys
        columns = [values_in(few, f"c:k:{key.name}", walk.keys[key.name], key.type) for key in keys]
        return list(zip(*columns, strict=True))

    def _amounts(self, check: FormedCheck[pl.Expr], few: pl.DataFrame, count: int) -> Sequence[Fraction | None]:
        if check.amount is None:
            return [None] * count
        values = values_in(few, f"c:{check.index}:a", check.amount, MONEY)
        return [Fraction(value) if isinstance(value, int | Fraction) else None for value in values]

    def _texts(self, check: FormedCheck[pl.Expr], few: pl.DataFrame, count: int) -> Iterator[str]:
        """The condition with its figures, as the exact evaluator tells it."""
        plan = self._plan
        columns: list[Iterable[str]] = []
        for part in plan.checks[check.index].formula.parts:
            if isinstance(part, str):
                columns.append([part] * count)
                continue
            of = plan.nodes[part].type
            values = values_in(few, f"c:{check.index}:{part}", check.figures[part], of)
            columns.append([figure(value, of, plan.decimals) for value in values])
        return map("".join, zip(*columns, strict=True))


def all_found(found: Iterable[Found], exact: Iterable[tuple[int, Outcome]]) -> tuple[Found, ...]:
    """The findings on all bills, by row, with those of bills that were computed exactly."""
    every = [*found, *((row, finding) for row, outcome in exact for finding in outcome.findings)]
    return tuple(sorted(every, key=lambda entry: (entry[0], entry[1].index)))
