"""The Danish medicine subsidy worked out a second time: the subsidy of a whole year's cost, after less before.

Where the rulebook adds up the part of each step that a purchase covers, this takes the subsidy due on all that was
bought so far and subtracts the one due before. It shares no code with rxcalc. `EXAMPLES` holds the purchases of the
examples, `expected()` what each of them comes to.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from fractions import Fraction
from typing import Any

# Up to where, and the percentage there; None is the open end.
LADDERS: dict[tuple[int, str], list[tuple[int | None, int]]] = {
    (2024, "adult"): [(1100, 0), (1800, 50), (4000, 75), (None, 85)],
    (2024, "child"): [(1800, 60), (4000, 75), (None, 85)],
    (2025, "adult"): [(1150, 0), (1900, 50), (4100, 75), (None, 85)],
    (2025, "child"): [(1900, 60), (4100, 75), (None, 85)],
}
OWN_MAXIMUM = {2024: 4600, 2025: 4700}

Entry = dict[str, Any]


def buys(number: str, day: str, price: str, counted: str = "", **more: str) -> Entry:
    """One subsidised purchase of a grown-up at the lowest price, unless told otherwise."""
    of = {
        "episode_id": number,
        "person_id": "P1",
        "purchase_date": day,
        "birth_date": "1970-05-10",
        "subsidised": "yes",
    }
    return {"episode": {**of, "price": price, "subsidy_price": counted or price, **more}}


EXAMPLES: dict[str, Entry] = {
    "a first purchase on the lowest step": buys("A1", "2024-02-10", "850.00"),
    "a dearer medicine than the cheapest of its kind": buys("A2", "2024-02-10", "1500.00", "1300.00"),
    "at the first step": buys("A3", "2024-02-10", "1100.00"),
    "an oere above the first step": buys("A4", "2024-02-10", "1100.01"),
    "an oere below the second step": buys("A5", "2024-02-10", "1799.99"),
    "at the second step": buys("A6", "2024-02-10", "1800.00"),
    "an oere above the second step": buys("A7", "2024-02-10", "1800.01"),
    "at the third step": buys("A8", "2024-02-10", "4000.00"),
    "an oere above the third step": buys("A9", "2024-02-10", "4000.01"),
    "all steps in one purchase": buys("A10", "2024-02-10", "5000.00"),
    "just at the own maximum": buys("B1", "2024-02-10", "21333.33"),
    "an oere more": buys("B2", "2024-02-10", "21333.34"),
    "far beyond the own maximum": buys("B3", "2024-02-10", "30000.00"),
    "no subsidy": buys("C1", "2024-02-10", "2500.00", subsidised="no"),
    "the last day as a child": buys("C2", "2024-05-09", "2000.00", birth_date="2006-05-10"),
    "the eighteenth birthday": buys("C3", "2024-05-10", "2000.00", birth_date="2006-05-10"),
    "the cheapest is dearer than the medicine": buys("C4", "2024-02-10", "99.99", "100.00"),
    "nothing to pay": buys("C5", "2024-02-10", "0.00"),
    "one purchase crosses two steps": {
        "episodes": [buys("D1", "2024-02-10", "1000.00"), buys("D2", "2024-02-20", "1500.00")]
    },
    "a year of small purchases": {
        "episodes": [
            buys("E1", "2024-02-10", "1099.99"),
            buys("E2", "2024-03-10", "0.02"),
            buys("E3", "2024-04-10", "699.99"),
            buys("E4", "2024-05-10", "2200.01"),
            buys("E5", "2024-06-10", "100.00"),
        ]
    },
    "the own maximum is met within the year": {
        "episodes": [
            buys("F1", "2024-02-10", "20000.00"),
            buys("F2", "2024-03-10", "2000.00"),
            buys("F3", "2024-04-10", "500.00", "450.00"),
        ]
    },
    "the year ends on its twelfth month's day": {
        "episodes": [
            buys("G1", "2024-03-15", "1500.00"),
            buys("G2", "2025-03-14", "500.00"),
            buys("G3", "2025-03-15", "500.00"),
        ]
    },
    "the next year starts with the next purchase": {
        "episodes": [
            buys("H1", "2024-01-10", "1400.00"),
            buys("H2", "2025-06-01", "1200.00"),
            buys("H3", "2026-05-31", "1000.00"),
            buys("H4", "2026-06-01", "1000.00"),
        ]
    },
    "a year from the 29th of February": {
        "episodes": [
            buys("I1", "2024-02-29", "1400.00"),
            buys("I2", "2025-02-27", "1000.00"),
            buys("I3", "2025-02-28", "1000.00"),
            buys("I4", "2026-02-27", "1000.00"),
            buys("I5", "2026-02-28", "1000.00"),
        ]
    },
    "a purchase without subsidy starts no year": {
        "episodes": [
            buys("J1", "2024-01-05", "700.00", subsidised="no"),
            buys("J2", "2024-02-01", "1500.00"),
            buys("J3", "2024-03-01", "700.00", subsidised="no"),
            buys("J4", "2025-01-20", "400.00"),
        ]
    },
    "a child grows up within the year": {
        "episodes": [
            buys("K1", "2024-04-01", "2000.00", birth_date="2006-05-10"),
            buys("K2", "2024-05-10", "500.00", birth_date="2006-05-10"),
        ]
    },
    "two purchases on one day, two persons": {
        "episodes": [
            buys("L2", "2024-04-01", "800.00"),
            buys("L1", "2024-04-01", "800.00"),
            buys("L3", "2024-04-01", "800.00", person_id="P2"),
        ]
    },
    "an earlier purchase of the year": {
        **buys("M2", "2024-11-30", "600.00"),
        "earlier": [buys("M0", "2024-01-01", "1700.00"), buys("M1", "2024-11-30", "50.00")],
    },
    "opening amounts, the last day of the year": {
        **buys("N1", "2025-05-31", "300.00"),
        "so_far": {
            "own_year.first(purchase_date)": "2024-06-01",
            "own_year.sum(subsidy_price)": "3900.00",
            "own_year.sum(own_part)": "1975.00",
        },
    },
    "opening amounts of a year that is over": {
        **buys("N2", "2025-06-01", "300.00"),
        "so_far": {
            "own_year.first(purchase_date)": "2024-06-01",
            "own_year.sum(subsidy_price)": "3900.00",
            "own_year.sum(own_part)": "1975.00",
        },
    },
}


def a_year_later(day: date) -> date:
    """The same day twelve months on, or the last one of its month."""
    return date(day.year + 1, day.month, min(day.day, monthrange(day.year + 1, day.month)[1]))


def subsidy_of(cost: Fraction, year: int, age: str) -> Fraction:
    """What the ladder gives on the cost of a whole year, exactly."""
    total, reached = Fraction(0), 0
    for limit, percent in LADDERS[min(year, 2025), age]:
        upper = cost if limit is None else min(cost, Fraction(limit))
        if upper > reached:
            total += (upper - reached) * percent / 100
        reached = limit or reached
    return total


def to_oere(amount: Fraction) -> Fraction:
    """The amount rounded to the oere, halves up (no amount here is negative)."""
    return Fraction((amount * 100 + Fraction(1, 2)).__floor__(), 100)


def written(amount: Fraction) -> str:
    """The amount with its two digits."""
    kroner, oere = divmod(int(amount * 100), 100)
    return f"{kroner}.{oere:02d}"


class Year:
    """A buyer's own year: when it started, and what was bought and paid in it."""

    def __init__(self, start: date, cost: Fraction = Fraction(0), own: Fraction = Fraction(0)) -> None:
        self.start, self.cost, self.own = start, cost, own

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.start <= day < a_year_later(self.start)


def settle(episode: dict[str, str], year: Year) -> dict[str, str]:
    """What one purchase comes to; its year is moved on."""
    day, born = date.fromisoformat(episode["purchase_date"]), date.fromisoformat(episode["birth_date"])
    age = "child" if (day.year - born.year, day.month, day.day) < (18, born.month, born.day) else "adult"
    price, counted = Fraction(episode["price"]), Fraction(episode["subsidy_price"])
    before = year.cost
    ladder = to_oere(subsidy_of(before + counted, day.year, age) - subsidy_of(before, day.year, age))
    if episode["subsidised"] == "yes":
        still_open = OWN_MAXIMUM[min(day.year, 2025)] - year.own
        subsidy = counted - min(counted - ladder, max(Fraction(0), still_open))
    else:
        subsidy = Fraction(0)
    year.cost += counted
    year.own += counted - subsidy
    return {
        "age_class": age,
        "cost_before": written(before),
        "by_ladder": written(ladder),
        "subsidy": written(subsidy),
        "own_part": written(counted - subsidy),
        "patient_pays": written(price - subsidy),
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every purchase of one example by its number, taken in the order of day and number."""
    listed = [*entry.get("earlier", []), *entry.get("episodes", [])]
    if "episode" in entry:
        listed.append({"episode": entry["episode"]})
    years: dict[tuple[str, str], Year] = {}
    if "so_far" in entry:
        opening = entry["so_far"]
        start = date.fromisoformat(opening["own_year.first(purchase_date)"])
        amounts = Fraction(opening["own_year.sum(subsidy_price)"]), Fraction(opening["own_year.sum(own_part)"])
        years["P1", "yes"] = Year(start, *amounts)
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["purchase_date"], i["episode"]["episode_id"])):
        episode = item["episode"]
        if Fraction(episode["subsidy_price"]) > Fraction(episode["price"]):
            results[episode["episode_id"]] = {"rejects": "RX722"}
            continue
        key, day = (episode["person_id"], episode["subsidised"]), date.fromisoformat(episode["purchase_date"])
        if key not in years or not years[key].holds(day):
            years[key] = Year(day)
        results[episode["episode_id"]] = settle(episode, years[key])
    return results


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several purchases."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results = run(entry)
        if "episode" in entry:
            found[name] = results[entry["episode"]["episode_id"]]
        else:
            for at, item in enumerate(entry["episodes"], 1):
                found[f"{name}#{at}"] = results[item["episode"]["episode_id"]]
    return found
