"""What stands beside the bills of two runs: findings of checks, groups across bills, rows of lists, and the days that bear on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.compare.as_of import Pinned
from rxcalc.compare.model import Edit
from rxcalc.compare.moved import Across, Days, Found, GroupExample, OneDay, Total
from rxcalc.driver.batch_groups import across, group_columns
from rxcalc.driver.diff_runs import Run
from rxcalc.lang.types import MONEY, Type, is_numeric
from rxcalc.plan.nodes import Plan, PlanGroup, PlanList
from rxcalc.tabular.selection import is_finite

EXAMPLES: Final = 3
NOT_IN_FORCE: Final = "RX723"
_SAME: Final = ("episode_id", "check", "level", "row")
_NEW: Final = "__new "
_MOVED: Final = "__moved "
_WIDE: Final = 38
_ROW: Final = ("episode_id", "row")


# ---- findings ---------------------------------------------------------------------------------------


def findings(plans: tuple[Plan, Plan], runs: tuple[Run, Run]) -> tuple[Found, ...]:
    """What the checks of both have found, check by check."""
    if not any(plan.checks for plan in plans):
        return ()
    old, new = (_findings(run.findings) for run in runs)
    gone, come = _beyond(old, new), _beyond(new, old)
    told = []
    for name in dict.fromkeys(check for run in runs for check in run.checks):
        one, other = (run.checks.get(name) for run in runs)
        severity = next(side.severity for side in (other, one) if side is not None)
        of_old, of_new = (frame.filter(pl.col("check") == name)["episode_id"] for frame in (gone, come))
        told.append(
            Found(
                name,
                severity,
                one.count if one is not None else None,
                other.count if other is not None else None,
                of_old.len(),
                of_new.len(),
                one.amount if one is not None else None,
                other.amount if other is not None else None,
                _some(of_old),
                _some(of_new),
            )
        )
    return tuple(told)


def _findings(path: Path) -> pl.DataFrame:
    """The findings of a run; those of the same row of the same bill by one check are numbered."""
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys((*_SAME, "__n"), pl.String))
    frame = pl.read_csv(path, infer_schema=False).select(_SAME).fill_null("")
    return frame.with_columns(pl.int_range(pl.len()).over(_SAME).cast(pl.String).alias("__n"))


def _beyond(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return one.join(other, on=[*_SAME, "__n"], how="anti", maintain_order="left")


def _some(ids: pl.Series) -> tuple[str, ...]:
    """Bills of findings, as examples; findings on groups are of none."""
    return tuple(ids.filter(ids != "").unique(maintain_order=True).head(EXAMPLES))


# ---- groups across bills ----------------------------------------------------------------------------


def groups(plans: tuple[Plan, Plan], runs: tuple[Run, Run]) -> tuple[Across, ...]:
    """The results of groups that go across bills, of the kinds that both have with the same keys."""
    kinds = [{g.name: g for g in across(plan)} for plan in plans]
    return tuple(
        _groups(plans, (one, kinds[1][name]), runs)
        for name, one in kinds[0].items()
        if name in kinds[1] and [k.name for k in one.keys] == [k.name for k in kinds[1][name].keys]
    )


def _groups(plans: tuple[Plan, Plan], of: tuple[PlanGroup, PlanGroup], runs: tuple[Run, Run]) -> Across:
    keys = [key.name for key in of[0].keys]
    computed = [group_columns(plan, group)[1] for plan, group in zip(plans, of, strict=True)]
    common = [name for name in computed[0] if computed[1].get(name) == computed[0][name]]
    old, new = (_results(run.groups / f"{of[0].name}.csv", (*keys, *common)) for run in runs)
    return _held_together(of[0].name, keys, {name: computed[0][name] for name in common}, (old, new))


def _held_together(
    name: str, keys: Sequence[str], common: Mapping[str, Type], sides: tuple[pl.DataFrame, pl.DataFrame]
) -> Across:
    """Groups or rows of both sides, by their keys."""
    old, new = sides
    both = old.join(new.rename({name: f"{_NEW}{name}" for name in common}), on=keys, how="inner", maintain_order="left")
    moved = {name: _bare(name, type_) != _bare(f"{_NEW}{name}", type_) for name, type_ in common.items()}
    both = both.with_columns(differs.alias(f"{_MOVED}{name}") for name, differs in moved.items())
    changed = both.filter(pl.any_horizontal(f"{_MOVED}{name}" for name in common)) if moved else both.clear()
    amounts = [name for name in common if common[name] == MONEY]
    return Across(
        name,
        tuple(keys),
        both.height,
        changed.height,
        old.height - both.height,
        new.height - both.height,
        tuple(_total(both, name) for name in amounts),
        tuple((name, int(both[f"{_MOVED}{name}"].sum())) for name in common if name not in amounts),
        tuple(_examples(changed.head(EXAMPLES), keys, tuple(common))),
    )


def _bare(name: str, type_: Type) -> pl.Expr:
    """A number without zeros at its end: two rulebooks may write one number with more or fewer digits."""
    column = pl.col(name)
    if not is_numeric(type_):
        return column
    return column.str.replace(r"(\.\d*?)0+(%?)$", "$1$2").str.replace(r"\.(%?)$", "$1")


# ---- rows of lists ----------------------------------------------------------------------------------


def results_of_lists(plans: tuple[Plan, Plan]) -> dict[str, dict[str, Type]]:
    """The results of rows that both have, by list: steps and parts received, that a file can hold."""
    found: dict[str, dict[str, Type]] = {}
    for one in plans[0].lists:
        other = next((x for x in plans[1].lists if x.name == one.name), None)
        if other is None:
            continue
        own, theirs = (_of_rows(plan, of) for plan, of in zip(plans, (one, other), strict=True))
        common = {name: type_ for name, type_ in own.items() if theirs.get(name) == type_}
        if common:
            found[one.name] = common
    return found


def _of_rows(plan: Plan, of: PlanList) -> dict[str, Type]:
    steps: dict[str, Type] = {s.name: s.type for s in of.steps if not s.lazy and is_finite(s)}
    return steps | {spread.name: MONEY for spread in plan.spreads if spread.target == of.name}


def rows_of_lists(plans: tuple[Plan, Plan], runs: tuple[Run, Run]) -> tuple[Across, ...]:
    """The results of the rows of each list, row by row of each bill."""
    known = results_of_lists(plans)
    return tuple(
        _held_together(
            name, _ROW, known[name], (_rows(runs[0].lists[name], known[name]), _rows(runs[1].lists[name], known[name]))
        )
        for name in runs[0].lists
    )


def _rows(path: Path, common: Iterable[str]) -> pl.DataFrame:
    """The rows of a list, each with its bill (the first column of the file) and which one of the bill it is."""
    frame = pl.read_csv(path, infer_schema=False)
    first = frame.columns[0]
    numbered = (pl.int_range(pl.len()).over(first) + 1).cast(pl.String)
    return frame.select(pl.col(first).alias(_ROW[0]), numbered.alias(_ROW[1]), *common).with_columns(
        pl.col(name).fill_null("") for name in common
    )


# ---- files of results -------------------------------------------------------------------------------


def _results(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.read_csv(path, infer_schema=False).select(columns).fill_null("")


def _total(both: pl.DataFrame, name: str) -> Total:
    """The sum of an amount of groups; an amount that is missing counts as nothing."""
    other = f"{_NEW}{name}"
    sums = []
    for side in (name, other):
        column = both[side].replace("", "0")
        digits = max((len(text.partition(".")[2]) for text in column.unique()), default=0)
        whole = column.cast(pl.Decimal(_WIDE, digits)).to_physical().cast(pl.Int128).sum()
        sums.append(Fraction(int(whole or 0), 10**digits))
    return Total(name, sums[0], sums[1], int(both[f"{_MOVED}{name}"].sum()))


def _examples(changed: pl.DataFrame, keys: Sequence[str], common: Sequence[str]) -> Iterator[GroupExample]:
    for row in changed.iter_rows(named=True):
        name = next(n for n in common if row[f"{_MOVED}{n}"])
        yield GroupExample(tuple(row[k] for k in keys), name, row[name], row[f"{_NEW}{name}"])


# ---- days -------------------------------------------------------------------------------------------


def days(
    plans: tuple[Plan, Plan],
    runs: tuple[Run, Run],
    edits: Sequence[Edit],
    one: tuple[Pinned, Pinned] | None,
    wanted: date | None,
) -> Days:
    """Which days the bills are of, and what is not of these days."""
    found = [day for run in runs for day in (run.days.min(), run.days.max()) if isinstance(day, date)]
    if one is not None and wanted is not None:
        sides = [_one_day(*side, wanted) for side in zip(plans, runs, one, strict=True)]
        return Days(min(found, default=None), max(found, default=None), one=(sides[0], sides[1]))
    last = max(found, default=None)
    later = {e.subject: e.since for e in edits if e.since is not None and last is not None and e.since > last}
    return Days(
        min(found, default=None),
        last,
        (_not_in_force(runs[0]), _not_in_force(runs[1])),
        tuple(later.items()),
    )


def _not_in_force(run: Run) -> int:
    """Bills refused because the rulebook is not in force on their days."""
    return int((run.refused["rx_code"] == NOT_IN_FORCE).sum()) if run.refused.height else 0


def _one_day(plan: Plan, run: Run, of: Pinned, wanted: date) -> OneDay:
    own = run.days.to_frame("day")
    day = pl.col("day")
    last = plan.effective_to or date.max
    other, outside = own.select(
        ((day < of.first) | (day > of.last)).sum().alias("other"),
        ((day < plan.effective_from) | (day > last)).sum().alias("outside"),
    ).row(0)
    literals = tuple((text, f"{place.file}:{place.line}") for text, place in of.literals)
    return OneDay(
        of.day, wanted, own.height, int(other), int(outside), (plan.effective_from, plan.effective_to), literals
    )
