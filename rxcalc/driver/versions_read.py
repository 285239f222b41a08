"""Tables whose rows belong to several versions of a rulebook: each row is checked by the version that holds its date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from rxcalc.inputs.cells import CellProblem
from rxcalc.inputs.columns import is_amount
from rxcalc.inputs.tables import ROW, Checked, OddAmount, Shape, TableReader
from rxcalc.plan.nodes import Plan, PlanInput

VERSION: Final = "__version"  # which version a row belongs to, by its place among all, oldest first


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one version, by their places in the table, as that version reads them."""

    version: int
    rows: pl.Series
    checked: Checked


class VersionsReader(TableReader):
    """Checks tables of several versions, oldest first, whose dates neither meet nor leave gaps.

    The typed table has a column for each input of any version, and `__version`. An input that two versions hold in
    different ways has a column for each, `1:level`. Amounts are added up of every record, whether its version has
    that input or not. `shared` are the inputs that all versions hold in the same way. Rows whose date cannot be read are the newest version's.
    """

    def __init__(self, plans: Sequence[Plan], names: Sequence[str]) -> None:
        newest = plans[-1]
        super().__init__(newest)
        self._plans, self._names = tuple(plans), tuple(names)
        amounts = {spec.name: spec for plan in plans for spec in plan.inputs if is_amount(spec)}
        self._extra = tuple(
            frozenset(amounts) - {spec.name for spec in plan.inputs} for plan in plans
        )  # by version: amounts that it has no input for
        self._readers = tuple(
            TableReader(replace(plan, inputs=(*plan.inputs, *(_open(amounts[name]) for name in sorted(extra)))))
            for plan, extra in zip(plans, self._extra, strict=True)
        )
        self._by = newest.effective_by
        self._dates = tuple(TableReader(_only(plan, self._by)) for plan in plans)
        self.money = tuple(dict.fromkeys(name for reader in self._readers for name in reader.money))
        self.decimals = {}
        for reader in self._readers:
            for name, digits in reader.decimals.items():
                self.decimals[name] = max(digits, self.decimals.get(name, 0))
        empty = [reader.read(pl.DataFrame()) for reader in self._readers]
        kinds: dict[str, list[Any]] = {}
        for checked, extra in zip(empty, self._extra, strict=True):
            for name, dtype in checked.frame.schema.items():
                if name not in extra:
                    kinds.setdefault(name, []).append(dtype)
        differing = {name for name, found in kinds.items() if any(dtype != found[0] for dtype in found)}
        self.shared = frozenset(
            name for name, found in kinds.items() if len(found) == len(plans) and name not in differing
        )
        self.columns: tuple[Mapping[str, str], ...] = tuple(  # by version: each input's column in the typed table
            {n: f"{at}:{n}" if n in differing else n for n in checked.frame.columns if n not in self._extra[at]}
            for at, checked in enumerate(empty)
        )
        self._schema: dict[str, Any] = {}
        for at, checked in enumerate(empty):
            own = checked.frame.schema
            self._schema |= {column: own[name] for name, column in self.columns[at].items()}
        self._schema[VERSION] = pl.UInt8()
        self._amounts: dict[str, Any] = {}
        for checked in empty:
            for name, dtype in checked.amounts.schema.items():
                known = self._amounts.get(name, dtype)
                self._amounts[name] = dtype if known == dtype else pl.Int128()
        self._defaults = tuple(
            dict.fromkeys(spec.name for plan in plans for spec in plan.inputs if spec.default is not None)
        )

    def shape(self, inputs: Mapping[str, int], width: int, separator: str, keep: frozenset[int]) -> Shape | None:
        """The shape of usual records, where all versions mean the same one."""
        found = [reader.shape(inputs, width, separator, keep) for reader in self._readers]
        return found[0] if all(shape == found[0] for shape in found) else None

    def read_usual(self, cells: pl.DataFrame, shape: Shape) -> Checked | None:
        """As `TableReader.read_usual`."""
        own = replace(shape, typed=shape.typed & {self._by})
        dates = self._dates[-1].read_usual(cells.select(self._by), own)
        if dates is None or dates.problems:
            return None
        parts: list[_Part] = []
        at, unheld = self._versions(dates.frame.get_column(self._by))
        for version, rows in _split(at):
            checked = self._readers[version].read_usual(cells if rows.len() == at.len() else cells[rows], shape)
            if checked is None:
                return None
            parts.append(_Part(version, rows, checked))
        return self._joined(parts, at.len(), unheld, 0)

    def read_typed(self, cells: pl.DataFrame) -> Checked:
        """As `TableReader.read_typed`."""
        return self._read(cells, lambda reader, own, _: reader.read_typed(own), 0)

    def read(
        self, texts: pl.DataFrame, first_row: int = 0, ready: Any = None, partly: Any = None, faults: Any = None
    ) -> Checked:
        """As `TableReader.read`, without columns that are typed already."""
        assert not ready and not partly  # noqa: S101 - `read_usual` and `read_typed` give them to the versions' own readers

        def read(reader: TableReader, own: pl.DataFrame, rows: pl.Series) -> Checked:
            if not faults:
                return reader.read(own)
            place = {row: at for at, row in enumerate(rows.to_list())}
            mine = {
                name: {place[row]: fault for row, fault in found.items() if row in place}
                for name, found in faults.items()
                if name in own.columns
            }
            return reader.read(own, faults={name: found for name, found in mine.items() if found})

        return self._read(texts, read, first_row)

    def _read(
        self, cells: pl.DataFrame, read: Callable[[TableReader, pl.DataFrame, pl.Series], Checked], first_row: int
    ) -> Checked:
        own = [name for name in (self._by,) if name in cells.columns]
        every = pl.int_range(cells.height, eager=True)
        dates = pl.Series(self._by, [None], dtype=pl.Date).new_from_index(0, cells.height)
        for reader in reversed(self._dates) if own else ():
            if dates.null_count():
                found = read(reader, cells.select(own), every).frame.get_column(self._by)
                dates = dates.zip_with(dates.is_not_null(), found)
        at, unheld = self._versions(dates)
        parts: list[_Part] = []
        for version, rows in _split(at):
            mine = cells if rows.len() == at.len() else cells[rows]
            parts.append(_Part(version, rows, read(self._readers[version], mine, rows)))
        return self._joined(parts, cells.height, unheld, first_row)

    def _versions(self, dates: pl.Series) -> tuple[pl.Series, dict[int, CellProblem]]:
        """Which version each row belongs to; and the rows whose date none holds, with the refusal."""
        starts = [plan.effective_from for plan in self._plans]
        frame = dates.alias("date").to_frame()
        which = pl.lit(0, dtype=pl.UInt8)
        for at, start in enumerate(starts[1:], start=1):
            which = pl.when(pl.col("date") < start).then(which).otherwise(pl.lit(at, dtype=pl.UInt8))
        version = frame.select(which.alias(VERSION)).to_series()
        outside = pl.col("date") < starts[0]
        if self._plans[-1].effective_to is not None:
            outside |= pl.col("date") > self._plans[-1].effective_to
        rows = frame.select(outside.fill_null(value=False)).to_series().arg_true()
        unheld = {row: self._unheld(str(day)) for row, day in zip(rows, dates.gather(rows).to_list(), strict=True)}
        return version, unheld

    def _unheld(self, day: str) -> CellProblem:
        last = self._plans[-1].effective_to
        held = f"from {self._plans[0].effective_from}" + (f" to {last}" if last is not None else "")
        message = f"no version holds {day}: {', '.join(self._names)} together hold {self._by} {held}"
        return CellProblem("RX723", self._by, day, message)

    def _joined(
        self, parts: Sequence[_Part], height: int, unheld: Mapping[int, CellProblem], first_row: int
    ) -> Checked:
        """One checked table of those of all versions."""
        order = pl.concat([part.rows for part in parts]).arg_sort() if len(parts) > 1 else None
        frames, amounts = [], []
        for part in parts:
            columns = self.columns[part.version]
            own = part.checked.frame.select(pl.col(name).alias(column) for name, column in columns.items())
            have = set(own.columns)
            frames.append(
                own.select(
                    pl.lit(part.version, dtype=pl.UInt8).alias(VERSION)
                    if name == VERSION
                    else (pl.col(name) if name in have else pl.lit(None, dtype=dtype).alias(name))
                    for name, dtype in self._schema.items()
                )
            )
            digits = self._readers[part.version].decimals
            held = set(part.checked.amounts.columns)
            amounts.append(
                part.checked.frame.select(ROW)
                .hstack(part.checked.amounts)
                .select(
                    (pl.col(name).cast(dtype) * 10 ** (self.decimals[name] - digits[name])).alias(name)
                    if name in held
                    else pl.lit(None, dtype=dtype).alias(name)
                    for name, dtype in self._amounts.items()
                )
            )
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=self._schema)
        money = pl.concat(amounts) if amounts else pl.DataFrame(schema=self._amounts)
        if order is not None:
            frame, money = frame[order], money[order] if money.width else money
        frame = frame.with_columns(pl.int_range(first_row, first_row + height, dtype=pl.Int64).alias(ROW))
        problems: list[tuple[int, CellProblem]] = list(unheld.items())
        odd: list[OddAmount] = []
        for part in parts:
            place = part.rows
            extra = self._extra[part.version]
            problems += [
                (int(place[row]), problem)
                for row, problem in part.checked.problems
                if problem.field not in extra and int(place[row]) not in unheld
            ]
            odd += [replace(one, row=int(place[one.row])) for one in part.checked.odd]
        problems.sort(key=lambda item: item[0])
        return Checked(frame, money, tuple(problems), tuple(odd), self._filled(parts, height))

    def _filled(self, parts: Sequence[_Part], height: int) -> tuple[tuple[str, pl.Series], ...]:
        """Where defaults were filled in."""
        no = pl.Series([False]).new_from_index(0, height)
        found: list[tuple[str, pl.Series]] = []
        for name in self._defaults:
            filled = no
            for part in parts:
                own = dict(part.checked.defaulted).get(name)
                if own is not None:
                    filled = own if own.len() == height else filled.scatter(part.rows, own)
            found.append((name, filled))
        return tuple(found)


def _open(spec: PlanInput) -> PlanInput:
    """An amount that is only added up: it may be missing, and have any size."""
    return replace(spec, optional=True, default=None, low=None, high=None)


def _only(plan: Plan, name: str) -> Plan:
    """A plan that reads one input, which may be missing."""
    own = tuple(replace(spec, optional=True, default=None) for spec in plan.inputs if spec.name == name)
    return replace(plan, inputs=own, sequence=None)


def _split(at: pl.Series) -> list[tuple[int, pl.Series]]:
    """The versions that have rows, with their places."""
    known = at.unique().sort().to_list()
    if len(known) == 1:
        return [(known[0], pl.int_range(at.len(), eager=True))]
    return [(version, (at == version).arg_true().cast(pl.Int64)) for version in known]
