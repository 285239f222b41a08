"""A family plan with embedded limits worked out a second time: two purses a person, two purses a family, each year.

Money is counted in whole cents. It shares no code with rxcalc. `EXAMPLES` holds the bills of the examples,
`expected()` what each of them comes to.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

DEDUCTIBLE = {"person": 1500_00, "family": 3000_00}
MAXIMUM = {
    "2024": {"person": 9450_00, "family": 18_900_00},
    "2025": {"person": 9200_00, "family": 18_400_00},
}
OFFICE_VISIT = 30_00

Entry = dict[str, Any]


def bill(number: str, day: str, person: str, kind: str, allowed: str, billed: str = "", family: str = "F1") -> Entry:
    """One bill, billed at the allowed amount unless told otherwise."""
    of = {"episode_id": number, "family_id": family, "person_id": person, "service_date": day, "kind": kind}
    return {"episode": {**of, "billed": billed or allowed, "allowed": allowed}}


def other(number: str, day: str, person: str, allowed: str) -> Entry:
    """One bill that is subject to the deductible."""
    return bill(number, day, person, "other", allowed)


EXAMPLES: dict[str, Entry] = {
    "all of the first bill is deductible": bill("A1", "2025-02-10", "ann", "other", "1250.00", "1400.00"),
    "a bill beyond the deductible": bill("A2", "2025-02-10", "ann", "other", "2000.00", "2345.67"),
    "a cent below the deductible": other("A3", "2025-02-10", "ann", "1499.99"),
    "exactly the deductible": other("A4", "2025-02-10", "ann", "1500.00"),
    "a cent above the deductible": other("A5", "2025-02-10", "ann", "1500.01"),
    "three cents above the deductible": other("A6", "2025-02-10", "ann", "1500.03"),
    "nothing allowed": bill("A7", "2025-02-10", "ann", "other", "0.00", "80.00"),
    "just below the own maximum of 2025": other("B1", "2025-02-10", "ann", "39999.97"),
    "exactly the own maximum of 2025": other("B2", "2025-02-10", "ann", "40000.00"),
    "just above the own maximum of 2025": other("B3", "2025-02-10", "ann", "40000.05"),
    "exactly the own maximum of 2024": other("B4", "2024-12-31", "ann", "41250.00"),
    "preventive care": bill("C1", "2025-02-10", "ann", "preventive", "310.00", "420.00"),
    "an office visit": bill("C2", "2025-02-10", "ann", "office", "145.50", "200.00"),
    "an office visit for less than the copay": bill("C3", "2025-02-10", "ann", "office", "29.99"),
    "an office visit for exactly the copay": bill("C4", "2025-02-10", "ann", "office", "30.00"),
    "allowed more than billed": bill("C5", "2025-02-10", "ann", "other", "100.01", "100.00"),
    "the family's deductible is met by three": {
        "episodes": [
            other("D1", "2025-01-10", "ann", "1200.00"),
            other("D2", "2025-01-20", "bob", "1000.00"),
            other("D3", "2025-02-01", "cid", "1000.00"),
            other("D4", "2025-02-02", "dot", "500.00"),
            other("D5", "2025-02-03", "ann", "500.00"),
        ]
    },
    "one person's maximum is not the family's": {
        "episodes": [
            other("E1", "2025-01-10", "ann", "50000.00"),
            bill("E2", "2025-01-11", "ann", "office", "100.00"),
            other("E3", "2025-01-12", "ann", "700.00"),
            other("E4", "2025-01-13", "bob", "700.00"),
        ]
    },
    "the family's maximum ends a bill in its middle": {
        "episodes": [
            other("G1", "2025-01-10", "ann", "50000.00"),
            other("G2", "2025-03-10", "bob", "30000.00"),
            other("G3", "2025-05-10", "cid", "12000.00"),
            bill("G4", "2025-05-11", "dot", "office", "100.00"),
            other("G5", "2025-12-31", "dot", "900.00"),
            other("G6", "2026-01-01", "dot", "900.00"),
        ]
    },
    "the new year starts with new limits": {
        "episodes": [
            other("H1", "2024-12-31", "ann", "2000.00"),
            other("H2", "2025-01-01", "ann", "2000.00"),
        ]
    },
    "copays count towards the maximum, not the deductible": {
        "episodes": [
            bill("J1", "2025-01-10", "ann", "office", "150.00"),
            other("J2", "2025-01-11", "ann", "1500.00"),
            other("J3", "2025-01-12", "ann", "38349.95"),
            bill("J4", "2025-01-13", "ann", "office", "150.00"),
        ]
    },
    "the same day: the order is that of the ids": {
        "episodes": [
            other("K2", "2025-01-10", "ann", "1000.00"),
            other("K1", "2025-01-10", "ann", "1000.00"),
        ]
    },
    "the same name in two families": {
        "episodes": [
            other("L1", "2025-01-10", "ann", "1500.00"),
            bill("L2", "2025-01-11", "ann", "other", "1500.00", family="F2"),
        ]
    },
    "a brother's bill came earlier": {
        **other("M2", "2025-06-02", "bob", "1800.00"),
        "earlier": [other("M0", "2025-06-01", "ann", "1500.00"), other("M1", "2025-06-02", "cid", "100.00")],
    },
    "opening amounts of a person and the family": {
        **other("N1", "2025-06-01", "ann", "1000.00"),
        "so_far": {
            "own_year.sum(deductible_due)": "1400.00",
            "family_year.sum(deductible_due)": "2950.00",
            "own_year.sum(out_of_pocket)": "1400.00",
            "family_year.sum(out_of_pocket)": "18150.00",
        },
    },
}


def cents(text: str) -> int:
    """`12.30` as 1230."""
    dollars, _, part = text.partition(".")
    return int(dollars) * 100 + int(part)


def written(amount: int) -> str:
    """1230 as `12.30`."""
    return f"{amount // 100}.{amount % 100:02d}"


def fifth(amount: int) -> int:
    """A fifth of the cents, halves up."""
    return (2 * amount + 5) // 10


def settle(episode: dict[str, str], deductible: list[int], paid: list[int]) -> dict[str, str]:
    """What one bill comes to; `deductible` and `paid` hold the person's and the family's year and are moved on."""
    billed, allowed, kind = cents(episode["billed"]), cents(episode["allowed"]), episode["kind"]
    if allowed > billed:
        return {"rejects": "RX722"}
    limit = MAXIMUM[episode["service_date"][:4]]
    room = max(0, min(limit["person"] - paid[0], limit["family"] - paid[1]))
    first = copay = share = 0
    if kind == "other":
        open_deductible = max(0, min(DEDUCTIBLE["person"] - deductible[0], DEDUCTIBLE["family"] - deductible[1]))
        first = min(allowed, open_deductible, room)
        share = min(fifth(allowed - first), room - first)
    elif kind == "office":
        copay = min(allowed, OFFICE_VISIT, room)
    own = first + copay + share
    for at in (0, 1):
        deductible[at] += first
        paid[at] += own
    return {
        "deductible_due": written(first),
        "copay_due": written(copay),
        "coinsurance_due": written(share),
        "out_of_pocket": written(own),
        "plan_pays": written(allowed - own),
        "hospital_pays": written(billed - allowed),
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every bill of one example by its number, taken in the order of day and number within each family."""
    listed = [*entry.get("earlier", []), *entry.get("episodes", [])]
    if "episode" in entry:
        listed.append({"episode": entry["episode"]})
    opening = entry.get("so_far", {})

    def opened(whose: str, what: str) -> int:
        return cents(opening.get(f"{whose}_year.sum({what})", "0.00"))

    deductibles: dict[tuple[str, ...], int] = defaultdict(int)
    paid: dict[tuple[str, ...], int] = defaultdict(int)
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["service_date"], i["episode"]["episode_id"])):
        episode = item["episode"]
        if episode["service_date"] > "2025-12-31":
            results[episode["episode_id"]] = {"rejects": "RX723"}
            continue
        family = (episode["family_id"], episode["service_date"][:4])
        person = (*family, episode["person_id"])
        if opening and family not in paid:
            for key, whose in ((person, "own"), (family, "family")):
                deductibles[key] = opened(whose, "deductible_due")
                paid[key] = opened(whose, "out_of_pocket")
        now = [deductibles[person], deductibles[family]], [paid[person], paid[family]]
        results[episode["episode_id"]] = settle(episode, *now)
        (deductibles[person], deductibles[family]), (paid[person], paid[family]) = now
    return results


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several bills."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results = run(entry)
        if "episode" in entry:
            found[name] = results[entry["episode"]["episode_id"]]
        else:
            for at, item in enumerate(entry["episodes"], 1):
                found[f"{name}#{at}"] = results[item["episode"]["episode_id"]]
    return found
