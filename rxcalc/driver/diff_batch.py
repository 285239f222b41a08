"""What a change of rulebook moves over a file of bills: totals, winners and losers, distribution, groups."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from rxcalc.compare.as_of import pinned
from rxcalc.compare.attributed import Attributed
from rxcalc.compare.model import Edit
from rxcalc.compare.moved import Bill, Bin, Group, Moved, Refusal, Refused, Side, Total
from rxcalc.compare.parts import changes_of
from rxcalc.driver.diff_beside import days, findings, groups, results_of_lists, rows_of_lists
from rxcalc.driver.diff_pieces import Books, pieces
from rxcalc.driver.diff_runs import (
    ID,
    BillFiles,
    Compared,
    Run,
    compared,
    opening_names,
    person_of,
    reads_earlier,
    reads_opening,
    run_side,
)
from rxcalc.inputs.openings import normal, opening_specs
from rxcalc.plan.nodes import Plan, share_names
from rxcalc.tabular import problems
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.selection import GROUPS
from rxcalc.tabular.source import open_source

LARGEST: Final = 5
EXAMPLES: Final = 5
TENTHS: Final = 10
USUAL: Final = "patient_pays"
_NEW: Final = "__new "
_WIDE: Final = 38


@dataclass(frozen=True)
class Joined:
    """The bills that both compute, side by side, amounts as whole numbers of 1 / 10**scale; and those that one refuses."""

    both: pl.DataFrame
    gone: pl.DataFrame  # computed by the old one alone
    come: pl.DataFrame  # computed by the new one alone
    scale: int

    def at_scale(self, scale: int, of: Compared) -> Joined:
        """The same with more digits."""
        if scale == self.scale:
            return self
        factor = pl.lit(10 ** (scale - self.scale), pl.Int128)

        def finer(frame: pl.DataFrame) -> pl.DataFrame:
            names = (n for name in of.amounts for n in (name, new_name(name)) if n in frame.columns)
            return frame.with_columns(pl.col(name) * factor for name in names)

        return Joined(finer(self.both), finer(self.gone), finer(self.come), scale)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be told of the bills.

    `by`: by the values of these fields too. `amount`: winners and losers by this one, None the usual one. `as_of`: every
    rule as it is on this day. `books`: with attribution. `temp_dir`: where results stand that are compared.
    """

    by: tuple[str, ...] = ()
    amount: str | None = None
    as_of: date | None = None
    books: Books | None = None
    temp_dir: Path | None = None
    rows: bool = False  # every bill that comes out otherwise


@dataclass(frozen=True)
class Outcome:
    """What came of it. `rows` is the file of every bill that comes out otherwise, if it was asked for."""

    moved: Moved
    attributed: Attributed | None = None
    rows: str | None = None


def diff_batch(old: Plan, new: Plan, files: BillFiles, edits: Sequence[Edit], asked: Asked) -> Outcome | UsageProblem:
    """Runs both and compares; with `asked.books` each bill that moved is attributed. A problem when a run cannot be made."""
    of = compared(old, new)
    chosen = _chosen(old, new, of, asked.amount)
    if isinstance(chosen, UsageProblem):
        return chosen
    refused = _refuse(old, new, files, asked.by)
    if refused is not None:
        return refused
    person = person_of(old, new)
    fields = tuple(dict.fromkeys((ID, *([person] if person else []), *asked.by)))
    day = asked.as_of
    one = (pinned(old, day), pinned(new, day)) if day is not None else None
    plans = (one[0].plan, one[1].plan) if one is not None else (old, new)
    files = replace(files, opening_of=opening_names(old) | opening_names(new))
    with tempfile.TemporaryDirectory(prefix="rxcalc-", dir=asked.temp_dir) as place:
        folder = Path(place)
        runs = run_both(plans, files, folder, fields, (*of.amounts, *of.others), cells=asked.books is not None)
        if isinstance(runs, UsageProblem):
            return runs
        joined = join(runs[0].results, runs[1].results, of)
        moved = replace(
            summed(runs, with_defaults(joined, new, asked.by), of, chosen, asked.by, person, old.decimals),
            found=findings(plans, runs),
            across=groups(plans, runs),
            lists=rows_of_lists(plans, runs),
            days=days((old, new), runs, edits, one, day),
            earlier=tuple(path.name for path in files.earlier),
            opening=files.opening.name if files.opening is not None else "",
            alone=_alone(plans, files),
            unopened=_unopened(plans, files),
        )
        if asked.books is None and not asked.rows:
            return Outcome(moved)
        from rxcalc.driver.diff_attribute import Ran, attribute, changed_bills
        from rxcalc.driver.diff_rows import lines

        follows = any(plan.sequence is not None for plan in plans)
        across = any(g.inside != "bill" for plan in plans for g in plan.groups)
        ran = Ran(runs, joined, of, chosen, fields, person if follows else "", across or (follows and not person))
        if asked.books is None:
            return Outcome(moved, rows=lines(changed_bills(ran), chosen, joined.scale, None))
        changes = changes_of((old, new), edits)
        found = pieces(asked.books, changes, folder, (one[0].day, one[1].day) if one is not None else None)
        attributed = attribute(plans, found, (changes, edits), ran, files, folder)
        if isinstance(attributed, UsageProblem):
            return attributed
        rows = lines(attributed[1], chosen, attributed[2], found) if asked.rows else None
    return Outcome(moved, replace(attributed[0], beside=moved.beside), rows)


def _alone(plans: tuple[Plan, Plan], files: BillFiles) -> tuple[str, ...]:
    """Which side alone reads what came before."""
    found = []
    for what, given, reads in (
        ("earlier", bool(files.earlier), reads_earlier),
        ("opening", files.opening is not None, reads_opening),
    ):
        readers = [side for side, plan in zip(("old", "new"), plans, strict=True) if reads(plan)]
        found += [f"{readers[0]} {what}"] if given and len(readers) == 1 else []
    return tuple(found)


def _unopened(plans: tuple[Plan, Plan], files: BillFiles) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Which window calls of a side the file of opening amounts has no column for, though it has for others."""
    source = open_source(files.opening) if files.opening is not None else None
    if source is None or isinstance(source, UsageProblem):
        return ()
    held = {normal(name) for name in source.head.names}
    found = []
    for side, plan in zip(("old", "new"), plans, strict=True):
        lacking = tuple(spec.name for text, spec in opening_specs(plan).items() if text not in held)
        found += [(side, lacking)] if lacking and reads_opening(plan) else []
    return tuple(found)


def run_both(
    plans: tuple[Plan, Plan],
    files: BillFiles,
    folder: Path,
    fields: Sequence[str],
    results: Sequence[str],
    *,
    cells: bool,
) -> tuple[Run, Run] | UsageProblem:
    """One run after the other."""
    found: list[Run] = []
    lists = [name for name in results_of_lists(plans) if name in files.lists]
    for name, plan in zip(("old", "new"), plans, strict=True):
        run = run_side(plan, files, folder / name, fields, results, cells=cells, lists=lists)
        if isinstance(run, UsageProblem):
            return UsageProblem(f"{plan.file}: {run.message}", run.help)
        found.append(run)
    return found[0], found[1]


def _chosen(old: Plan, new: Plan, of: Compared, amount: str | None) -> str | UsageProblem:
    """The amount that winners and losers are told by."""
    if old.currency != new.currency:
        return UsageProblem(
            f"{old.rulebook} counts in {old.currency}, {new.rulebook} in {new.currency}",
            ("compare rulebooks of one currency",),
        )
    if not of.amounts:
        return UsageProblem(
            "the two rulebooks have no amount in common among their outputs and shares",
            ("give an output the same name in both",),
        )
    if amount is None:
        return USUAL if USUAL in of.amounts else of.amounts[0]
    if amount in of.amounts:
        return amount
    return UsageProblem(
        f"--amount names `{amount}`, which is no amount among the outputs and shares of both",
        (f"name one of {', '.join(of.amounts)}",),
    )


def _refuse(old: Plan, new: Plan, files: BillFiles, by: Sequence[str]) -> UsageProblem | None:
    """What cannot be asked for: groups by results, which differ from side to side, and lists that nobody has."""
    inputs = {i.name for i in (*old.inputs, *new.inputs)}
    results = {s.name for p in (old, new) for s in p.steps} | {r for p in (old, new) for r in share_names(p)}
    for name in by:
        if name in GROUPS or (name in results and name not in inputs):
            return UsageProblem(
                f"--by names `{name}`, which is no input", ("name an input, or another column of the file",)
            )
    if files.earlier and not (reads_earlier(old) or reads_earlier(new)):
        return problems.no_sequence("--earlier")
    if files.opening is not None and not (reads_opening(old) or reads_opening(new)):
        return problems.no_sequence("--opening")
    known = {x.name for p in (old, new) for x in p.lists}
    for name in files.lists:
        if name not in known:
            return UsageProblem(
                f"neither rulebook has a list `{name}`",
                (f"their lists: {', '.join(sorted(known))}" if known else "they have no lists: leave it out",),
            )
    return None


# ---- side by side -----------------------------------------------------------------------------------


def join(old: pl.DataFrame, new: pl.DataFrame, of: Compared) -> Joined:
    """The results of both by episode; new ones stand under `new_name` of the same name."""
    scale = max(scale_of(old, of), scale_of(new, of))
    one, other = (whole(frame, of, scale) for frame in (old, new))
    renamed = other.rename({name: new_name(name) for name in (*of.amounts, *of.others)})
    if one.height == other.height and one[ID].equals(other[ID]):  # as a rule: nothing more to look for
        both = one.hstack(renamed.select(new_name(n) for n in (*of.amounts, *of.others)))
        return Joined(both, one.clear(), other.clear(), scale)
    wanted = renamed.select(ID, *(new_name(n) for n in (*of.amounts, *of.others)))
    both = one.join(wanted, on=ID, how="inner", maintain_order="left")
    return Joined(both, one.join(other, on=ID, how="anti"), other.join(one, on=ID, how="anti"), scale)


def new_name(name: str) -> str:
    """The column of a result of the new rulebook."""
    return f"{_NEW}{name}"


def scale_of(frame: pl.DataFrame, of: Compared) -> int:
    """The most digits behind the point that any amount has."""
    kinds = [frame.schema[name] for name in of.amounts]
    return max((kind.scale for kind in kinds if isinstance(kind, pl.Decimal)), default=0)


def whole(frame: pl.DataFrame, of: Compared, scale: int) -> pl.DataFrame:
    """Amounts as whole numbers, which add up exactly; other results as texts."""
    amounts = [pl.col(n).cast(pl.Decimal(_WIDE, scale)).to_physical().cast(pl.Int128).alias(n) for n in of.amounts]
    return frame.with_columns(*amounts, *(pl.col(n).cast(pl.String) for n in of.others))


def differs(names: Sequence[str]) -> pl.Expr:
    """Whether any of these results is another under the new rulebook; missing equals missing."""
    return pl.any_horizontal(pl.col(n).ne_missing(pl.col(new_name(n))) for n in names)


def with_defaults(joined: Joined, plan: Plan, by: Sequence[str]) -> Joined:
    """The same with the default of choices, codes and flags where the cell of a field is empty: bills are computed with it."""
    given = {i.name: i.default for i in plan.inputs if i.name in by and isinstance(i.default, (str, bool))}
    filled = [pl.col(name).fill_null(pl.lit(value)) for name, value in given.items()]
    return replace(joined, both=joined.both.with_columns(filled)) if filled else joined


# ---- summed up --------------------------------------------------------------------------------------


def summed(
    runs: tuple[Run, Run], joined: Joined, of: Compared, amount: str, by: tuple[str, ...], person: str, decimals: int
) -> Moved:
    """Everything that is told of two runs."""
    both, unit = joined.both, 10**joined.scale
    move = both.select(
        pl.col(ID),
        pl.col(amount).fill_null(0).alias("old"),
        pl.col(new_name(amount)).fill_null(0).alias("new"),
    ).with_columns((pl.col("new") - pl.col("old")).alias("moved"))
    moved = move.filter(pl.col("moved") != 0).sort("moved", maintain_order=True)
    return Moved(
        amount=amount,
        decimals=decimals,
        read=runs[0].read,
        both=both.height,
        changed=int(both.select(differs((*of.amounts, *of.others)).sum()).item()),
        rejected_by_both=runs[0].refused.height - joined.come.height,
        newly_rejected=_refused(joined.gone, runs[1].refused, amount, unit),
        newly_accepted=_refused(joined.come, runs[0].refused, amount, unit),
        totals=_totals(both, of, unit),
        others=tuple((n, int(both.select(differs((n,)).sum()).item())) for n in of.others),
        lower=_side(moved.filter(pl.col("moved") < 0), unit),
        higher=_side(moved.filter(pl.col("moved") > 0).sort("moved", descending=True, maintain_order=True), unit),
        deciles=_deciles(moved["moved"], unit),
        histogram=_histogram(moved["moved"], joined.scale),
        by=by,
        groups=_groups(both, amount, by, unit),
        heads=both[person].n_unique() if person else None,
        heads_by=person,
        only_old=of.only_old,
        only_new=of.only_new,
    )


def _totals(both: pl.DataFrame, of: Compared, unit: int) -> tuple[Total, ...]:
    wanted = []
    for at, name in enumerate(of.amounts):
        wanted += [
            pl.col(name).sum().alias(f"{at} old"),
            pl.col(new_name(name)).sum().alias(f"{at} new"),
            differs((name,)).sum().alias(f"{at} changed"),
        ]
    row = both.select(wanted).row(0, named=True)
    return tuple(
        Total(
            name,
            Fraction(row[f"{at} old"] or 0, unit),
            Fraction(row[f"{at} new"] or 0, unit),
            int(row[f"{at} changed"]),
        )
        for at, name in enumerate(of.amounts)
    )


def _side(rows: pl.DataFrame, unit: int) -> Side:
    """Rows of one direction, the largest movement first."""
    largest = tuple(
        Bill(str(row[ID]), Fraction(row["old"], unit), Fraction(row["new"], unit))
        for row in rows.head(LARGEST).iter_rows(named=True)
    )
    return Side(rows.height, Fraction(int(rows["moved"].sum() or 0), unit), largest)


def _deciles(moved: pl.Series, unit: int) -> tuple[Fraction, ...]:
    """Of an ascending column: the first, nine deciles, the last."""
    if moved.is_empty():
        return ()
    places = [0, *((moved.len() * tenth + TENTHS - 1) // TENTHS - 1 for tenth in range(1, TENTHS)), moved.len() - 1]
    return tuple(Fraction(int(moved[place]), unit) for place in places)


def _histogram(moved: pl.Series, scale: int) -> tuple[Bin, ...]:
    """Counts by powers of ten of the currency unit, on either side of 0, without empty bins at the ends."""
    if moved.is_empty():
        return ()
    unit = 10**scale
    most = max(abs(int(moved[0])), abs(int(moved[-1])))
    edges = [unit]
    while edges[-1] < most:
        edges.append(edges[-1] * 10)
    bounds = list(zip([0, *edges[:-1]], edges, strict=True))
    pieces = [(-high, -low) for low, high in reversed(bounds)] + bounds
    of = pl.col(moved.name)
    counts = moved.to_frame().select(
        ((of >= low) & (of < high) if high <= 0 else (of > low) & (of <= high)).sum().alias(str(at))
        for at, (low, high) in enumerate(pieces)
    )
    found = [
        Bin(Fraction(low, unit), Fraction(high, unit), int(count))
        for (low, high), count in zip(pieces, counts.row(0), strict=True)
    ]
    held = [at for at, of in enumerate(found) if of.count]
    return tuple(found[held[0] : held[-1] + 1])


def _groups(both: pl.DataFrame, amount: str, by: tuple[str, ...], unit: int) -> tuple[Group, ...]:
    """The bills by the fields of `--by`, in the order of their values."""
    if not by:
        return ()
    old, new = pl.col(amount).fill_null(0), pl.col(new_name(amount)).fill_null(0)
    rows = both.group_by(*by).agg(
        pl.len().alias("__count"),
        (new < old).sum().alias("__lower"),
        (new > old).sum().alias("__higher"),
        old.sum().alias("__old"),
        new.sum().alias("__new"),
    )
    return tuple(
        Group(
            tuple(_key(row[name]) for name in by),
            int(row["__count"]),
            int(row["__lower"]),
            int(row["__higher"]),
            Fraction(row["__old"], unit),
            Fraction(row["__new"], unit),
        )
        for row in rows.sort(*by, nulls_last=True).iter_rows(named=True)
    )


def _key(value: object) -> str:
    """A value of a field as files write it; "" where it is missing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _refused(rows: pl.DataFrame, refused: pl.DataFrame, amount: str, unit: int) -> Refused:
    """Bills that the other run alone computes; codes and messages are those of the run that refuses them."""
    total = Fraction(int(rows[amount].sum() or 0), unit)
    if rows.is_empty():
        return Refused(0, (), (), Fraction(0))
    ids = rows.select(pl.col(ID).cast(pl.String))
    column = _id_column(refused, ids[ID])
    told = refused.join(ids, left_on=column, right_on=ID, how="semi", maintain_order="left").unique(
        column, keep="first", maintain_order=True
    )
    codes = told["rx_code"].value_counts(sort=True)
    examples = tuple(
        Refusal(str(row[column]), str(row["rx_code"]), str(row["rx_message"]))
        for row in told.head(EXAMPLES).iter_rows(named=True)
    )
    return Refused(rows.height, tuple((str(c), int(n)) for c, n in codes.iter_rows()), examples, total)


def _id_column(refused: pl.DataFrame, ids: pl.Series) -> str:
    """The column of the rejects that holds the ids: the one in which the wanted ones are found."""
    own = [name for name in refused.columns if not name.startswith("rx_")]
    return max(own, key=lambda name: int(refused[name].is_in(ids.implode()).sum()))
