"""Random changes over random bills: every bill's movement is the sum of what is attributed, and each part of it is what that change does.

What a bill comes to is asked of the exact evaluator, bill by bill with those before it, for the old rulebook, the new one and one with
each single change.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from books import write

import rxcalc
from rxcalc.compare.parts import MOST_OF_ONE
from rxcalc.driver.api import Rulebook

HEAD = ("episode_id", "person_id", "discharge_date", "level", "total", "age")
DEDUCTIBLES = {("city", 2024): 500, ("county", 2024): 300, ("city", 2025): 600, ("county", 2025): 300}
DAYS = {2024: "from 2024-01-01 to 2024-12-31", 2025: "from 2025-01-01"}
Change = tuple[str, str, object]  # the thing, the part of it, the new value
Bill = dict[str, str]


def drawn(rng: random.Random) -> list[Change]:
    """Some changes, no two of the same place."""
    pool: list[Change] = [
        ("parameter rate", "", rng.randint(60, 79)),
        ("requires", "", rng.randint(60, 109)),
        ("parameter steps_of_rate", "", rng.randint(1100, 3000)),
        ("step fund_amount", "clause 1", (rng.randint(50, 69), rng.randint(88, 99))),
        ("step fund_amount", "clause 2", rng.randint(86, 95)),
        ("step fund_amount", "clause 3", rng.randint(500, 9000)),
        ("table extra", "row city", rng.randint(11, 40)),
        ("table extra", "row county", rng.randint(21, 40)),
    ]
    pool += [("parameter deductible", f"{level}, {DAYS[year]}", rng.randint(601, 900)) for level, year in DEDUCTIBLES]
    return rng.sample(pool, rng.randint(2, 7))


def book(folder: Path, changes: list[Change]) -> Rulebook:
    """The rulebook with these changes."""
    given = {(thing, part): value for thing, part, value in changes}
    texts: list[tuple[str, str]] = []
    for year in (2024, 2025):
        values = [
            given.get(("parameter deductible", f"{level}, {DAYS[year]}"), DEDUCTIBLES[level, year])
            for level in ("city", "county")
        ]
        old = f"{year}-01-01: {{city: {DEDUCTIBLES['city', year]}, county: 300}}"
        texts.append((old, f"{year}-01-01: {{city: {values[0]}, county: {values[1]}}}"))
    plain = {
        ("parameter rate", ""): ("2024-01-01: 80%", "2024-01-01: {}%"),
        ("requires", ""): ("age < 110", "age < {}"),
        ("parameter steps_of_rate", ""): ("{to: 1000, is: 50%}", "{{to: {}, is: 50%}}"),
        ("step fund_amount", "clause 2"): ("base_amount * 85%", "base_amount * {}%"),
        ("step fund_amount", "clause 3"): ("paid_before > ¥50000", "paid_before > ¥{}"),
    }
    texts += [(old, new.format(given[of])) for of, (old, new) in plain.items() if of in given]
    first = given.get(("step fund_amount", "clause 1"))
    if isinstance(first, tuple):
        texts.append(("age >= 70 then base_amount * 90%", f"age >= {first[0]} then base_amount * {first[1]}%"))
    added = given.get(("table extra", "row city"), 10), given.get(("table extra", "row county"), 20)
    table = f"level,added\ncity,{added[0]}\ncounty,{added[1]}\n"
    return rxcalc.load(write(folder, *texts, table=table))


def bills(rng: random.Random) -> list[Bill]:
    """Bills of a few persons, each of whom is of one age, on days on which the deductibles change."""
    ages = {f"P{n}": str(rng.choice([5, 17, 18, 40, 60, 69, 70, 75, 109, 111])) for n in range(5)}
    found = []
    for n in range(14):
        person = rng.choice(sorted(ages))
        day = f"{rng.choice([2024, 2024, 2025])}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        total = f"{rng.randint(200, 9000)}.{rng.randint(0, 99):02}"
        found.append(
            dict(zip(HEAD, (f"E{n:02}", person, day, rng.choice(["city", "county"]), total, ages[person]), strict=True))
        )
    return found


def paid(rulebook: Rulebook, given: list[Bill]) -> Iterator[tuple[str, Fraction | None]]:
    """What the patient pays of each bill, after the earlier ones; None where it is refused."""
    for bill in given:
        before = [b for b in given if b["person_id"] == bill["person_id"] and _order(b) < _order(bill)]
        x = rulebook.explain(bill, earlier=sorted(before, key=_order))
        told = dict(x.outputs).get("patient_pays")
        yield bill["episode_id"], None if x.problem is not None else Fraction(str(told).replace(",", ""))


def _order(bill: Bill) -> tuple[str, str]:
    return bill["discharge_date"], bill["episode_id"]


def _check(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    changes, given = drawn(rng), bills(rng)
    old, new = book(folder / "old", []), book(folder / "new", changes)
    path = folder / "bills.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEAD)
        writer.writeheader()
        writer.writerows(given)
    found = old.diff(new, path, attribute=True, rows=True)
    assert found.moved is not None
    assert found.attributed is not None
    was, now = dict(paid(old, given)), dict(paid(new, given))
    both = [at for at in was if was[at] is not None and now[at] is not None]
    total = found.moved.total
    assert (total.old, total.new) == (sum(was[at] or 0 for at in both), sum(now[at] or 0 for at in both))
    parts = [e.moved for e in found.attributed.effects] + [i.rest for i in found.attributed.interactions]
    assert sum(parts, Fraction(0)) == total.moved
    singles = {
        _named(change, changes): dict(paid(book(folder / f"one{at}", [change]), given))
        for at, change in enumerate(changes)
    }
    assert {str(e.subject) for e in found.attributed.effects} == singles.keys()
    rows = {row["episode_id"]: row for row in csv.DictReader(io.StringIO(found.rows))}
    for at in was:
        row = rows.get(at)
        if at in both:
            moved = (now[at] or Fraction(0)) - (was[at] or Fraction(0))
            assert moved == (Fraction(row["moved"]) if row is not None else 0)
            if row is not None:
                told = dict(_told(row["changes"]))
                assert sum(told.values(), Fraction(row["beyond_their_sum"])) == moved
                for name, single in singles.items():
                    alone = single[at]
                    assert told.get(name, Fraction(0)) == ((alone - (was[at] or 0)) if alone is not None else 0), (
                        at,
                        name,
                    )
        elif was[at] is not None or now[at] is not None:
            assert row is not None
            assert row["outcome"] == ("newly_accepted" if was[at] is None else "newly_rejected")
        else:
            assert row is None


def _named(change: Change, changes: list[Change]) -> str:
    """What a change is called: a part of its thing where that has others."""
    thing, part, _ = change
    several = sum(other[0] == thing for other in changes)
    assert several <= MOST_OF_ONE
    return f"{thing}: {part}" if several > 1 else thing


def _told(text: str) -> Iterator[tuple[str, Fraction]]:
    for one in filter(None, text.split("; ")):
        name, _, amount = one.rpartition(" ")
        yield name, Fraction(amount)


@pytest.mark.parametrize("seed", range(3))
def test_attribution_of_random_changes(tmp_path: Path, seed: int) -> None:
    """A few draws."""
    _check(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 108))
def test_attribution_of_more_random_changes(tmp_path: Path, seed: int) -> None:
    """More of them."""
    _check(tmp_path, seed)
