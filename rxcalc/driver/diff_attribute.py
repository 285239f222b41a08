"""Every bill that comes out otherwise, attributed to the changes that moved it.

Each change is made by itself in the old rulebook and only the bills that came out otherwise are run again (with all
bills of their persons, where earlier ones count). A bill that one change alone moves, and to exactly the new result, is
that change's; where several move it and their movements add up, it is theirs together; everything else is interaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.compare.attributed import Attributed, Effect, Interaction
from rxcalc.compare.merge import is_inert
from rxcalc.compare.model import Edit, Subject
from rxcalc.compare.parts import SILENT, Changes
from rxcalc.driver.diff_batch import Joined, differs, new_name, scale_of, whole
from rxcalc.driver.diff_pieces import Piece
from rxcalc.driver.diff_runs import ID, BillFiles, Compared, Run, run_side
from rxcalc.plan.nodes import Plan
from rxcalc.tabular.problems import UsageProblem

_COMPUTED = "__computed"
AS_WRITTEN: Final = frozenset({"spellings", "column_names"})


@dataclass(frozen=True)
class Ran:
    """Both runs, side by side, and what they were asked for."""

    runs: tuple[Run, Run]
    joined: Joined
    of: Compared
    amount: str
    fields: tuple[str, ...]
    person: str  # "" where bills do not depend on earlier ones
    all_bills: bool  # groups across bills: every bill may bear on every other


def changed_ids(ran: Ran) -> pl.DataFrame:
    """The bills that come out otherwise."""
    joined = ran.joined
    moved = joined.both.filter(differs((*ran.of.amounts, *ran.of.others)))
    return pl.concat([part.select(ID) for part in (moved, joined.gone, joined.come)])


def attribute(
    plans: tuple[Plan, Plan],
    found: Sequence[Piece],
    changed: tuple[Changes, Sequence[Edit]],
    ran: Ran,
    files: BillFiles,
    folder: Path,
) -> tuple[Attributed, pl.DataFrame, int] | UsageProblem:
    """What each change does by itself to the bills that come out otherwise, and the table of these bills (`diff_rows.py`).

    The third is the scale of the amounts in the table. Its columns go by the pieces that have a plan, or by the only one.
    """
    found, unmade = _made(found, {e.subject for e in changed[1] if e.aspect.key in AS_WRITTEN})
    ids = changed_ids(ran)
    subset = _subset(ran, ids, files, folder) if ids.height else None
    results: dict[int, pl.DataFrame] = {}  # by the identity of the plan: a base may be another piece
    for piece, plan in ((p, plan) for p in found for plan in (p.plan, p.base)):
        if subset is not None and plan is not None and id(plan) not in results:
            own = folder / f"piece{len(results)}"
            run = run_side(plan, subset, own, ran.fields, (*ran.of.amounts, *ran.of.others))
            if isinstance(run, UsageProblem):
                return UsageProblem(f"{piece.subject} by itself: {run.message}", run.help)
            results[id(plan)] = run.results
    # A change by itself may give more digits than both rulebooks.
    finest = max(scale_of(frame, ran.of) for frame in results.values()) if results else 0
    ran = replace(ran, joined=ran.joined.at_scale(max(ran.joined.scale, finest), ran.of))
    old, new = _side(ran, ids, 0), _side(ran, ids, 1)
    ran_sides = {key: _placed(whole(frame, ran.of, ran.joined.scale), ids, ran) for key, frame in results.items()}
    sides = [
        (
            old if piece.base is None else ran_sides.get(id(piece.base), old),
            new if piece.plan is None else ran_sides.get(id(piece.plan), old),
        )
        for piece in found
    ]
    changes, edits = changed
    known = {s for piece in (*found, *unmade) for s in (piece.subject, *piece.along)}
    inert = [s for s, change in changes.kinds.items() if is_inert(s, change) and s not in known]
    silent = [e.subject for e in edits if e.subject.section in SILENT]
    told = tuple(dict.fromkeys((*inert, *silent)))
    attributed, table = _summed(found, sides, (old, new), ran, plans[0].decimals, told)
    return replace(attributed, unmade=tuple(s for p in unmade for s in (p.subject, *p.along))), table, ran.joined.scale


def _made(found: Sequence[Piece], as_written: AbstractSet[Subject]) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """The changes of which it is known what they do by themselves, and the others. One that is all there is does it all.

    How values and columns are written in files is lost when bills are run again: they are read already.
    """
    known = [p for p in found if p.plan is not None and not as_written & {p.subject, *p.along}]
    others = [p for p in found if p not in known]
    if len(found) == 1:
        return [replace(p, plan=None) for p in others] or known, ()
    return known, others


# ---- the bills that are run again -------------------------------------------------------------------


def _subset(ran: Ran, ids: pl.DataFrame, files: BillFiles, folder: Path) -> BillFiles:
    """The files with only these bills, and what their persons have besides."""
    texts = pl.concat([_texts(ran.runs[0]), _texts(ran.runs[1])], how="diagonal").unique(
        ID, keep="first", maintain_order=True
    )
    if ran.all_bills:
        kept = texts
    elif ran.person:
        persons = texts.join(ids, on=ID, how="semi").select(ran.person).unique()
        kept = texts.join(persons, on=ran.person, how="semi", maintain_order="left")
    else:
        kept = texts.join(ids, on=ID, how="semi", maintain_order="left")
    path = folder / "bills.csv"
    kept.write_csv(path)
    columns = {name: column for name, column in files.columns.items() if name not in ran.fields}
    return replace(files, episodes=path, columns=columns, encoding="utf-8")


def _texts(run: Run) -> pl.DataFrame:
    """All records of a run as texts under the names of their columns, refused ones too."""
    refused = run.refused.select(name for name in run.refused.columns if not name.startswith("rx_"))
    refused = refused.rename({old: new for old, new in run.header.items() if old in refused.columns})
    return pl.concat([run.cells.select(pl.all().cast(pl.String)), refused], how="diagonal")


def changed_bills(ran: Ran) -> pl.DataFrame:
    """The bills that come out otherwise, with the amount under both."""
    ids = changed_ids(ran)
    return _ends(_side(ran, ids, 0), _side(ran, ids, 1), ran.amount)


def _ends(old: pl.DataFrame, new: pl.DataFrame, amount: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": old[ID].cast(pl.String),
            "old": old[amount],
            "new": new[amount],
            "whole": _delta(old, new, amount),
            "old computed": old[_COMPUTED],
            "both": old[_COMPUTED] & new[_COMPUTED],
        }
    )


# ---- what came of them ------------------------------------------------------------------------------


def _side(ran: Ran, ids: pl.DataFrame, side: int) -> pl.DataFrame:
    """The results of one of the two runs for these bills."""
    results = (*ran.of.amounts, *ran.of.others)
    both = ran.joined.both
    if side:
        both = both.select(ID, *(pl.col(new_name(name)).alias(name) for name in results))
    alone = ran.joined.come if side else ran.joined.gone
    return _placed(pl.concat([part.select(ID, *results) for part in (both, alone)]), ids, ran)


def _placed(results: pl.DataFrame, ids: pl.DataFrame, ran: Ran) -> pl.DataFrame:
    """The results in the order of the ids, and whether there are any."""
    wanted = results.select(ID, *ran.of.amounts, *ran.of.others, pl.lit(value=True).alias(_COMPUTED))
    return ids.join(wanted, on=ID, how="left", maintain_order="left").with_columns(
        pl.col(_COMPUTED).fill_null(value=False)
    )


def _moves(one: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    """Row by row, whether two sides differ in anything."""
    columns = [name for name in one.columns if name != ID]
    pairs = one.select(columns).hstack(other.select(pl.col(c).alias(new_name(c)) for c in columns))
    return pairs.select(differs(columns).alias("moves"))["moves"]


def _delta(one: pl.DataFrame, other: pl.DataFrame, amount: str) -> pl.Series:
    """Row by row, by how much the amount moves; 0 where either side refuses the bill."""
    pair = pl.DataFrame({"old": one[amount], "new": other[amount], "both": one[_COMPUTED] & other[_COMPUTED]})
    moved = pl.col("new").fill_null(0) - pl.col("old").fill_null(0)
    return pair.select(pl.when("both").then(moved).otherwise(pl.lit(0, pl.Int128)).alias("delta"))["delta"]


def _summed(
    found: Sequence[Piece],
    sides: Sequence[tuple[pl.DataFrame, pl.DataFrame]],
    ends: tuple[pl.DataFrame, pl.DataFrame],
    ran: Ran,
    decimals: int,
    silent: tuple[Subject, ...],
) -> tuple[Attributed, pl.DataFrame]:
    old, new = ends
    unit = 10**ran.joined.scale
    names = [str(at) for at in range(len(found))]
    table = _ends(old, new, ran.amount)
    for name, (base, side) in zip(names, sides, strict=True):
        table = table.with_columns(
            _moves(base, side).alias(f"moves {name}"),
            (~_moves(new, side)).alias(f"all {name}"),
            _delta(base, side, ran.amount).alias(f"delta {name}"),
            (base[_COMPUTED] & ~side[_COMPUTED]).alias(f"refuses {name}"),
            (~base[_COMPUTED] & side[_COMPUTED]).alias(f"accepts {name}"),
        )
    moving = [pl.col(f"moves {name}") for name in names]
    zero = pl.lit(0, pl.Int128)
    # Of a bill that only one of the two computes no amount is summed up.
    deltas = [pl.when("both").then(pl.col(f"delta {name}")).otherwise(zero) for name in names]
    table = table.with_columns(
        pl.sum_horizontal(moving).alias("movers") if moving else pl.lit(0).alias("movers"),
        (pl.col("whole") - (pl.sum_horizontal(deltas) if deltas else zero)).alias("rest"),
        (
            pl.any_horizontal(pl.col(f"moves {n}") & pl.col(f"all {n}") for n in names)
            if names
            else pl.lit(value=False)
        ).alias("reached"),
    ).with_columns((pl.col("movers") == 1).and_(pl.col("reached")).alias("sole"))
    table = table.with_columns(_adds_up(sides, ends, ran).alias("adds up")).with_columns(
        ((pl.col("movers") > 1) & (pl.col("rest") == 0) & pl.col("both") & pl.col("adds up")).alias("adding")
    )
    mixed = table.filter(~pl.col("sole") & ~pl.col("adding"))
    effects = tuple(
        Effect(
            piece.subject,
            piece.along,
            int(table[f"moves {name}"].sum()),
            int((table[f"moves {name}"] & table["sole"]).sum()),
            Fraction(int(table.select(delta.sum()).item() or 0), unit),
            int(table[f"refuses {name}"].sum()),
            int(table[f"accepts {name}"].sum()),
            piece.beyond,
        )
        for name, piece, delta in zip(names, found, deltas, strict=True)
    )
    told = Attributed(
        amount=ran.amount,
        decimals=decimals,
        rows=table.height,
        sole=int(table["sole"].sum()),
        adding=int(table["adding"].sum()),
        interacting=mixed.height,
        effects=effects,
        interactions=_interactions(mixed, found, names, unit),
        silent=silent,
    )
    return told, table


def _adds_up(
    sides: Sequence[tuple[pl.DataFrame, pl.DataFrame]], ends: tuple[pl.DataFrame, pl.DataFrame], ran: Ran
) -> pl.Series:
    """Row by row, whether every result is what the changes come to: amounts are sums, of others one change alone is the cause."""
    old, new = ends
    found = pl.Series(values=[True] * old.height, dtype=pl.Boolean)
    for name in ran.of.amounts:
        moved = new[name].fill_null(0) - old[name].fill_null(0)
        for base, side in sides:
            moved -= side[name].fill_null(0) - base[name].fill_null(0)
        found &= moved == 0
    for name in ran.of.others:
        causes = pl.Series(values=[0] * old.height, dtype=pl.Int64)
        reached = new[name].eq_missing(old[name])
        for base, side in sides:
            moves = side[name].ne_missing(base[name])
            causes += moves.cast(pl.Int64)
            reached |= moves & side[name].eq_missing(new[name])
        found &= (causes <= 1) & reached
    return found


def _interactions(
    mixed: pl.DataFrame, found: Sequence[Piece], names: Sequence[str], unit: int
) -> tuple[Interaction, ...]:
    """The bills that interact, by which changes move them; the most frequent first."""
    if mixed.is_empty():
        return ()
    columns = [f"moves {name}" for name in names]
    if not columns:
        return (Interaction((), mixed.height, Fraction(int(mixed["rest"].sum() or 0), unit)),)
    rows = mixed.group_by(columns).agg(pl.len().alias("__rows"), pl.col("rest").sum().alias("__rest"))
    told = [
        Interaction(
            tuple(piece.subject for column, piece in zip(columns, found, strict=True) if row[column]),
            int(row["__rows"]),
            Fraction(int(row["__rest"]), unit),
        )
        for row in rows.iter_rows(named=True)
    ]
    return tuple(sorted(told, key=lambda i: (-i.rows, str([str(s) for s in i.subjects]))))
