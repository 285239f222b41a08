"""How one result of a bill came about, as lines of a terminal: for a failing example the first one that differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rxcalc.report.model import Explanation, PartitionLine, StepLine
from rxcalc.report.outline_model import Item, Told
from rxcalc.report.outline_rows import check_item
from rxcalc.report.outline_steps import Teller
from rxcalc.report.text_blocks import item_lines


def result_lines(
    x: Explanation, level: str, name: str, columns: int, *, row: int = 0, keys: Sequence[str] = ()
) -> list[str]:
    """How a step, a part, a total or a finding came about; nothing where the explanation does not hold it.

    `level` is "" for the bill, else a list or a kind of groups; `row` counts the rows of a list, `keys` are those of a group.
    """
    teller = Teller.of(x, "en", "steps")
    item = next(_items(teller, x, level, name, row, tuple(keys)), None)
    return item_lines(item, columns) if item is not None else []


def _items(teller: Teller, x: Explanation, level: str, name: str, row: int, keys: tuple[str, ...]) -> Iterator[Item]:
    if not level:
        yield from _of_steps(teller, x.steps, name)
        yield from _of_shares(teller, x.shares, name)
        for total, value in x.totals:
            if total == name:
                parts = [p.shown for p in x.shares[0].parts if f"{p.bearer}_pays" == total] if x.shares else []
                told = Told("formula", teller.phrase("formula"), teller.summed(parts)) if len(parts) > 1 else None
                yield Item(f"total-{name}", name, "", value, (told,) if told is not None else ())
    for found in x.lists:
        if found.name == level and row < len(found.rows):
            yield from _of_steps(teller, found.rows[row].steps, name)
    for group in x.groups:
        if group.kind == level and tuple(value for _, value in group.keys) == keys:
            yield from _of_steps(teller, group.steps, name)
            yield from _of_shares(teller, group.shares, name)
    for at, check in enumerate(x.checks, start=1):
        if check.name == name:
            yield check_item(teller, check, at)


def _of_steps(teller: Teller, steps: Sequence[StepLine], name: str) -> Iterator[Item]:
    yield from (teller.step(s, "step") for s in steps if s.name == name)


def _of_shares(teller: Teller, partitions: Sequence[PartitionLine], name: str) -> Iterator[Item]:
    """A part with its working; those of all partitions but the first are named with their partition."""
    for at, partition in enumerate(partitions):
        for part, told in zip(partition.parts, teller.shares(partition).parts, strict=True):
            own = f"{part.bearer}.{part.part}" if part.part else part.bearer
            if name == (own if at == 0 else f"{partition.name}.{own}"):
                heads = (teller.phrase("formula"), *("" for _ in told.working[1:]))
                lines = (
                    Told("formula", h, line.removeprefix("= ")) for h, line in zip(heads, told.working, strict=False)
                )
                label = told.bearer_label if told.label == told.bearer else f"{told.bearer_label}: {told.label}"
                yield Item(f"share-{name}", label, name, part.shown, tuple(lines))
