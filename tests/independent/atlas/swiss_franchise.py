"""Swiss franchise and retention worked out a second time: a running account of each person's year, with plain fractions.

It shares no code with rxcalc. `EXAMPLES` holds the bills of the examples, `expected()` what each of them comes to.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

FRANCHISES = {
    "adult": [300, 500, 1000, 1500, 2000, 2500],
    "child": [0, 100, 200, 300, 400, 500, 600],
}
RETENTION_AT_MOST = {"adult": 700, "child": 350}
A_DAY_IN_HOSPITAL = 15

Entry = dict[str, Any]
Episode = dict[str, str]
Account = dict[str, Fraction]


def bill(number: str, day: str, covered: str, option: str = "ordinary", **more: str) -> Entry:
    """One bill of an adult, unless told otherwise."""
    of = {"episode_id": number, "person_id": "P1", "treatment_date": day, "age_class": "adult", "option": option}
    return {"episode": {**of, "covered": covered, **more}}


EXAMPLES: dict[str, Entry] = {
    "first bill of the year": bill("A1", "2024-02-10", "1250.40"),
    "a bill of nothing": bill("A2", "2024-02-10", "0.00"),
    "a rappen below the franchise": bill("A3", "2024-02-10", "299.99"),
    "exactly the franchise": bill("A4", "2024-02-10", "300.00"),
    "a rappen above the franchise": bill("A5", "2024-02-10", "300.01"),
    "five rappen above the franchise": bill("A6", "2024-02-10", "300.05"),
    "the retention one rappen short of its maximum": bill("A7", "2024-02-10", "7299.94"),
    "the retention rounded up to its maximum": bill("A8", "2024-02-10", "7299.95"),
    "the retention exactly at its maximum": bill("A9", "2024-02-10", "7300.00"),
    "a rappen beyond the maximum of the retention": bill("A10", "2024-02-10", "7300.01"),
    "the highest franchise": bill("B1", "2024-02-10", "2600.00", "step_5"),
    "a bill within the highest franchise": bill("B2", "2024-02-10", "2499.99", "step_5"),
    "a franchise of 1,500": bill("B3", "2024-02-10", "1833.33", "step_3"),
    "an adult with a child's option": bill("B4", "2024-02-10", "1000.00", "step_6"),
    "a child without franchise": bill("C1", "2024-02-10", "3499.90", age_class="child"),
    "a child at the maximum of the retention": bill("C2", "2024-02-10", "3500.10", age_class="child"),
    "a child with the highest franchise": bill("C3", "2024-02-10", "650.00", "step_6", age_class="child"),
    "maternity": bill("D1", "2024-02-10", "8000.00", maternity="yes", hospital_days="4"),
    "five days in hospital": bill("D2", "2024-02-10", "5000.00", hospital_days="5"),
    "in hospital, in training": bill("D3", "2024-02-10", "5000.00", hospital_days="5", in_training="yes"),
    "a child in hospital": bill("D4", "2024-02-10", "5000.00", hospital_days="5", age_class="child"),
    "the contribution ends with the bill": bill("D5", "2024-02-10", "310.00", hospital_days="2"),
    "a year of bills and the next one": {
        "episodes": [
            bill("E1", "2024-01-15", "180.20"),
            bill("E2", "2024-03-01", "200.00"),
            bill("E3", "2024-03-01", "4000.00", hospital_days="2"),
            bill("E4", "2024-08-20", "3500.00"),
            bill("E5", "2024-12-31", "90.00"),
            bill("E6", "2025-01-01", "90.00"),
        ]
    },
    "maternity uses nothing up": {
        "episodes": [
            bill("F1", "2024-04-01", "2000.00", maternity="yes"),
            bill("F2", "2024-05-01", "400.00"),
        ]
    },
    "two persons do not share": {
        "episodes": [
            bill("G1", "2024-04-01", "400.00"),
            bill("G2", "2024-04-02", "400.00", person_id="P2"),
            bill("G3", "2024-04-03", "400.00"),
        ]
    },
    "opening amounts one rappen short of both limits": {
        **bill("H1", "2024-11-02", "1000.00"),
        "so_far": {"this_year.sum(franchise_due)": "299.99", "this_year.sum(retention_due)": "699.99"},
    },
    "both limits passed before": {
        **bill("H2", "2024-11-02", "1000.00", hospital_days="1"),
        "so_far": {"this_year.sum(franchise_due)": "300.00", "this_year.sum(retention_due)": "700.00"},
    },
    "an earlier bill of the year before": {
        **bill("H3", "2025-01-10", "500.00"),
        "earlier": [bill("H0", "2024-12-30", "9000.00")],
    },
    "an earlier bill of the same year": {
        **bill("H5", "2024-12-30", "500.00"),
        "earlier": [bill("H4", "2024-01-02", "250.00")],
    },
}


def to_rappen(amount: Fraction) -> Fraction:
    """The amount rounded to the rappen, halves up (no amount here is negative)."""
    return Fraction((amount * 100 + Fraction(1, 2)).__floor__(), 100)


def written(amount: Fraction) -> str:
    """The amount with its two digits."""
    francs, rappen = divmod(int(amount * 100), 100)
    return f"{francs}.{rappen:02d}"


def settle(episode: Episode, year: Account) -> dict[str, str]:
    """What one bill comes to; the year's account is moved on."""
    of_class, option = episode["age_class"], episode["option"]
    covered = Fraction(episode["covered"])
    step = 0 if option == "ordinary" else int(option.removeprefix("step_"))
    if step >= len(FRANCHISES[of_class]):
        return {"rejects": "RX721"}
    franchise = retention = hospital = Fraction(0)
    if episode.get("maternity") != "yes":
        franchise = min(covered, FRANCHISES[of_class][step] - year["franchise"])
        room = RETENTION_AT_MOST[of_class] - year["retention"]
        retention = to_rappen(min((covered - franchise) / 10, room))
        if of_class == "adult" and episode.get("in_training") != "yes":
            days = int(episode.get("hospital_days", "0"))
            hospital = min(Fraction(days * A_DAY_IN_HOSPITAL), covered - franchise - retention)
    year["franchise"] += franchise
    year["retention"] += retention
    patient = franchise + retention + hospital
    return {
        "franchise_due": written(franchise),
        "retention_due": written(retention),
        "hospital_due": written(hospital),
        "insurer_pays": written(covered - patient),
        "patient_pays": written(patient),
    }


def run(entry: Entry) -> list[dict[str, str]]:
    """The bills of one example in their order; only those to be compared."""
    earlier, listed = entry.get("earlier", []), entry.get("episodes", [entry])
    years: dict[tuple[str, str], Account] = {}
    opening = entry.get("so_far", {})
    results = []
    for item in [*earlier, *listed]:
        episode = item["episode"]
        key = (episode["person_id"], episode["treatment_date"][:4])
        if key not in years:
            years[key] = {"franchise": Fraction(0), "retention": Fraction(0)}
            if opening:
                years[key]["franchise"] = Fraction(opening["this_year.sum(franchise_due)"])
                years[key]["retention"] = Fraction(opening["this_year.sum(retention_due)"])
        results.append(settle(episode, years[key]))
    return results[len(earlier) :]


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several bills."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results = run(entry)
        if "episode" in entry:
            found[name] = results[0]
        else:
            found.update({f"{name}#{at}": result for at, result in enumerate(results, 1)})
    return found
