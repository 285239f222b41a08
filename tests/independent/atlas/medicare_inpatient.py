"""Medicare part A in hospital worked out a second time: every night of a stay is walked through and priced by itself.

It shares no code with rxcalc. Money is counted in cents. `EXAMPLES` holds the stays of the examples, `expected()` what
each of them comes to.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

DEDUCTIBLE = {2024: 1632_00, 2025: 1676_00}
DAY_61_TO_90 = {2024: 408_00, 2025: 419_00}
RESERVE_DAY = {2024: 816_00, 2025: 838_00}

Entry = dict[str, Any]


def stay(number: str, start: str, end: str, charges: str, **more: str) -> Entry:
    """One stay of the one person, unless told otherwise."""
    of = {"episode_id": number, "person_id": "P1", "admission_date": start, "discharge_date": end}
    return {"episode": {**of, "charges": charges, **more}}


LONG = stay("L1", "2025-01-10", "2025-03-31", "95000.00")  # 80 days, ends on 31 March
OPENING = {
    "benefit_period.first(admission_date)": "2024-12-20",
    "benefit_period.last(discharge_date)": "2025-03-03",
    "benefit_period.sum(regular_days)": "73",
    "benefit_period.sum(deductible_due)": "1632.00",
    "lifetime.sum(reserve_days)": "50",
}

EXAMPLES: dict[str, Entry] = {
    "a short stay": stay("A1", "2025-02-03", "2025-02-10", "18450.00"),
    "in and out on one day": stay("A2", "2025-02-03", "2025-02-03", "4000.00"),
    "charges a cent below the deductible": stay("A3", "2025-02-03", "2025-02-04", "1675.99"),
    "charges of exactly the deductible": stay("A4", "2025-02-03", "2025-02-04", "1676.00"),
    "charges a cent above the deductible": stay("A5", "2025-02-03", "2025-02-04", "1676.01"),
    "sixty days": stay("B1", "2025-02-01", "2025-04-02", "90000.00"),
    "sixty-one days": stay("B2", "2025-02-01", "2025-04-03", "90000.00"),
    "ninety days": stay("B3", "2025-02-01", "2025-05-02", "150000.00"),
    "ninety-one days": stay("B4", "2025-02-01", "2025-05-03", "150000.00"),
    "ninety-one days, the reserve kept": stay("B5", "2025-02-01", "2025-05-03", "150000.00", uses_reserve="no"),
    "a hundred and fifty days": stay("B6", "2025-02-01", "2025-07-01", "210000.00"),
    "a hundred and fifty-one days": stay("B7", "2025-02-01", "2025-07-02", "210000.00"),
    "the daily amounts end with the charges": stay("B8", "2025-02-01", "2025-04-12", "5000.00"),
    "the coinsurance days cross the new year": stay("C1", "2024-10-20", "2025-01-13", "120000.00"),
    "the reserve days cross the new year": stay("C2", "2024-09-22", "2025-01-20", "160000.00"),
    "discharge before admission": stay("D1", "2025-02-10", "2025-02-09", "1000.00"),
    "admitted again after 59 days": {"episodes": [LONG, stay("L2", "2025-05-29", "2025-06-18", "30000.00")]},
    "admitted again after 60 days": {"episodes": [LONG, stay("L2", "2025-05-30", "2025-06-19", "30000.00")]},
    "three stays in one period": {
        "episodes": [
            stay("E1", "2025-01-06", "2025-01-26", "1500.00"),
            stay("E2", "2025-02-15", "2025-03-27", "52000.00"),
            stay("E3", "2025-05-20", "2025-06-29", "60000.00"),
        ]
    },
    "the deductible is that of the year in which the period began": {
        "episodes": [
            stay("F1", "2024-12-10", "2024-12-14", "1000.00"),
            stay("F2", "2025-01-20", "2025-01-25", "20000.00"),
        ]
    },
    "the reserve is spent once in a lifetime": {
        "episodes": [
            stay("G1", "2024-01-05", "2024-05-24", "140000.00"),
            stay("G2", "2025-01-02", "2025-04-24", "111999.99"),
            stay("G3", "2025-08-01", "2025-08-11", "9000.00"),
        ]
    },
    "a period is closed by the latest discharge, not the first": {
        "episodes": [
            stay("H1", "2025-01-02", "2025-01-12", "20000.00"),
            stay("H2", "2025-02-01", "2025-02-05", "8000.00"),
            stay("H3", "2025-03-20", "2025-03-24", "8000.00"),
            stay("H4", "2025-05-23", "2025-05-27", "8000.00"),
        ]
    },
    "two persons": {
        "episodes": [
            stay("I1", "2025-01-02", "2025-01-12", "20000.00"),
            stay("I2", "2025-01-20", "2025-01-22", "3000.00", person_id="P2"),
            stay("I3", "2025-01-30", "2025-02-01", "3000.00"),
        ]
    },
    "an earlier stay in the file": {
        **stay("J2", "2025-03-01", "2025-03-06", "10000.00"),
        "earlier": [
            stay("J0", "2024-11-01", "2024-11-20", "15000.00"),
            stay("J1", "2025-02-01", "2025-02-09", "900.00"),
        ],
    },
    "opening amounts, the period goes on": {**stay("K1", "2025-05-01", "2025-05-31", "40000.00"), "so_far": OPENING},
    "opening amounts, the period is over": {**stay("K2", "2025-05-02", "2025-08-10", "100000.00"), "so_far": OPENING},
}


def cents(text: str) -> int:
    """`12.30` as 1230."""
    dollars, _, part = text.partition(".")
    return int(dollars) * 100 + int(part)


def written(amount: int) -> str:
    """1230 as `12.30`."""
    return f"{amount // 100}.{amount % 100:02d}"


class Person:
    """What a person has used up: in the current benefit period and of the reserve."""

    def __init__(self) -> None:
        self.reserve = 0
        self.last_discharge: date | None = None
        self.start_period(date.min)

    def start_period(self, day: date) -> None:
        """Starts a new benefit period."""
        self.began, self.regular, self.deductible = day, 0, 0

    def admit(self, day: date) -> None:
        """Starts a new period if sixty days have passed outside; the day of discharge is the first of them."""
        if self.last_discharge is None or (day - self.last_discharge).days >= 60:
            self.start_period(day)


def settle(episode: dict[str, str], person: Person) -> dict[str, str]:
    """What one stay comes to; the person's account is moved on."""
    start, end = date.fromisoformat(episode["admission_date"]), date.fromisoformat(episode["discharge_date"])
    if end < start:
        return {"rejects": "RX722"}
    person.admit(start)
    nights = max(1, (end - start).days)
    counts = {"full": 0, "coinsurance": 0, "reserve": 0, "uncovered": 0}
    daily, reserve = 0, 0
    for at in range(nights):
        day = start + timedelta(days=at)
        if person.regular < 60:
            kind = "full"
        elif person.regular < 90:
            kind = "coinsurance"
            daily += DAY_61_TO_90[day.year]
        elif episode.get("uses_reserve") != "no" and person.reserve < 60:
            kind = "reserve"
            reserve += RESERVE_DAY[day.year]
            person.reserve += 1
        else:
            kind = "uncovered"
        counts[kind] += 1
        person.regular += kind in ("full", "coinsurance")
    charges = cents(episode["charges"])
    uncovered = (2 * charges * counts["uncovered"] + nights) // (2 * nights)
    left = charges - uncovered
    deductible = min(left, DEDUCTIBLE[person.began.year] - person.deductible)
    left -= deductible
    daily = min(daily, left)
    left -= daily
    reserve = min(reserve, left)
    left -= reserve
    person.deductible += deductible
    person.last_discharge = max(end, person.last_discharge or end)
    return {
        "stay": str(nights),
        "full_days": str(counts["full"]),
        "coinsurance_days": str(counts["coinsurance"]),
        "reserve_days": str(counts["reserve"]),
        "uncovered_days": str(counts["uncovered"]),
        "deductible_due": written(deductible),
        "coinsurance_due": written(daily),
        "reserve_due": written(reserve),
        "patient.uncovered": written(uncovered),
        "fund_pays": written(left),
        "patient_pays": written(charges - left),
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every stay of one example by its number, taken in the order of admission and number."""
    listed = [*entry.get("earlier", []), *entry.get("episodes", [])]
    if "episode" in entry:
        listed.append({"episode": entry["episode"]})
    people: dict[str, Person] = {}
    if "so_far" in entry:
        opening, person = entry["so_far"], people.setdefault("P1", Person())
        person.began = date.fromisoformat(opening["benefit_period.first(admission_date)"])
        person.last_discharge = date.fromisoformat(opening["benefit_period.last(discharge_date)"])
        person.regular = int(opening["benefit_period.sum(regular_days)"])
        person.deductible = cents(opening["benefit_period.sum(deductible_due)"])
        person.reserve = int(opening["lifetime.sum(reserve_days)"])
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["admission_date"], i["episode"]["episode_id"])):
        episode = item["episode"]
        results[episode["episode_id"]] = settle(episode, people.setdefault(episode["person_id"], Person()))
    return results


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several stays."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results = run(entry)
        if "episode" in entry:
            found[name] = results[entry["episode"]["episode_id"]]
        else:
            for at, item in enumerate(entry["episodes"], 1):
                found[f"{name}#{at}"] = results[item["episode"]["episode_id"]]
    return found
