"""Ward pro-ration, claim limits and coinsurance worked out a second time, in cents.

The coinsurance is taken as that of the whole claim less that of the deductible, and the room's limit night by night.
It shares no code with rxcalc. `EXAMPLES` holds the stays of the examples, `expected()` what each of them comes to.
"""

from __future__ import annotations

from typing import Any

WARD_PERCENT = {"class_c": 100, "class_b2": 100, "class_b1": 43, "class_a": 35, "private": 25}
WARD_DEDUCTIBLE = {"class_c": 1500_00, "class_b2": 2000_00, "class_b1": 2500_00, "class_a": 3500_00, "private": 3500_00}
PROCEDURES = {"op1a": 240_00, "op3b": 1060_00, "op7c": 2600_00}
IMPLANTS = 7000_00
YEAR = 150_000_00

Entry = dict[str, Any]
Line = dict[str, str]


def line(number: int, kind: str, amount: str, **more: str) -> Line:
    """One charge of a bill."""
    return {"line_no": str(number), "kind": kind, **more, "amount": amount}


def room(number: int, nights: int, amount: str) -> Line:
    """Nights in the ward."""
    return line(number, "room", amount, nights=str(nights))


def stay(number: str, lines: list[Line], ward: str = "class_c", day: str = "2024-06-10") -> Entry:
    """One stay of the one person, whose policy years start on 1 March."""
    of = {"episode_id": number, "person_id": "P1", "policy_start": "2020-03-01", "discharge_date": day, "ward": ward}
    return {"episode": of, "lines": lines}


def other(number: str, amount: str, ward: str = "class_c", day: str = "2024-06-10") -> Entry:
    """A stay with one charge that has no limit of its own."""
    return stay(number, [line(1, "other", amount)], ward, day)


EXAMPLES: dict[str, Entry] = {
    "a stay in class C": stay(
        "A1", [room(1, 4, "1200.00"), line(2, "operation", "900.00", procedure="op3b"), line(3, "other", "2400.50")]
    ),
    "a cent below the deductible": other("A2", "1499.99"),
    "exactly the deductible": other("A3", "1500.00"),
    "a cent above the deductible": other("A4", "1500.01"),
    "five cents above the deductible": other("A5", "1500.05"),
    "at the end of the first band": other("A6", "5000.00"),
    "a cent into the second band": other("A7", "5000.01"),
    "ten cents into the second band": other("A8", "5000.10"),
    "at the end of the second band": other("A9", "10000.00"),
    "seventeen cents into the third band": other("A10", "10000.17"),
    "deep in the third band": other("A11", "20000.00"),
    "nothing billed": stay("A12", []),
    "class B2": other("B1", "6000.00", "class_b2"),
    "class B1, each charge is cut to its cent": stay(
        "B2", [line(1, "other", "100.05"), line(2, "other", "100.05"), line(3, "other", "9000.00")], "class_b1"
    ),
    "class A": other("B3", "20000.00", "class_a"),
    "private": other("B4", "60000.02", "private"),
    "a night above its limit": stay("C1", [room(1, 1, "1200.00"), line(2, "other", "5000.00")]),
    "two nights at their limit": stay("C2", [room(1, 2, "2000.00"), line(2, "other", "5000.00")]),
    "two nights a cent above their limit": stay("C3", [room(1, 2, "2000.01"), line(2, "other", "5000.00")]),
    "the third night": stay("C4", [room(1, 3, "3000.00"), line(2, "other", "5000.00")]),
    "nights on two lines": stay("C5", [room(1, 1, "1100.00"), line(2, "other", "5000.00"), room(3, 3, "3000.00")]),
    "the limit holds after the ward's cut": stay("C6", [room(1, 2, "5000.00"), line(2, "other", "9000.00")], "class_a"),
    "operations": stay(
        "D1",
        [
            line(1, "operation", "240.00", procedure="op1a"),
            line(2, "operation", "240.01", procedure="op1a"),
            line(3, "operation", "3000.00", procedure="op7c"),
            line(4, "operation", "500.00", procedure="op9x"),
        ],
    ),
    "an operation without procedure": stay("D2", [line(1, "other", "100.00"), line(2, "operation", "240.00")]),
    "implants": stay(
        "D3",
        [
            line(1, "implant", "5000.00"),
            line(2, "other", "100.00"),
            line(3, "implant", "3000.00"),
            line(4, "implant", "10.00"),
        ],
    ),
    "implants up to the last cent": stay("D4", [line(2, "implant", "0.02"), line(1, "implant", "6999.99")]),
    "the deductible is due once in a policy year": {
        "episodes": [
            other("E1", "1000.00", day="2024-03-01"),
            other("E2", "2000.00", day="2024-09-30"),
            other("E3", "8000.00", day="2025-02-28"),
            other("E4", "2000.00", day="2025-03-01"),
        ]
    },
    "the day before the policy year": {
        "episodes": [other("F1", "3000.00", day="2024-02-29"), other("F2", "3000.00", day="2024-03-01")]
    },
    "a dearer ward later in the year": {
        "episodes": [other("G1", "3000.00"), other("G2", "20000.00", "class_a", "2024-07-01")]
    },
    "a cheaper ward later in the year": {
        "episodes": [other("H1", "20000.00", "class_a"), other("H2", "3000.00", day="2024-07-01")]
    },
    "the year's limit in one stay": other("I1", "160000.00"),
    "a cent below the year's limit": {
        **other("I2", "1104.30"),
        "so_far": {"policy_year.sum(deductible_due)": "1500.00", "policy_year.sum(payout)": "149006.12"},
    },
    "exactly the year's limit": {
        **other("I3", "1104.30"),
        "so_far": {"policy_year.sum(deductible_due)": "1500.00", "policy_year.sum(payout)": "149006.13"},
    },
    "a cent above the year's limit": {
        **other("I4", "1104.30"),
        "so_far": {"policy_year.sum(deductible_due)": "1500.00", "policy_year.sum(payout)": "149006.14"},
    },
}


def cents(text: str) -> int:
    """`12.30` as 1230."""
    dollars, _, part = text.partition(".")
    return int(dollars) * 100 + int(part)


def written(amount: int) -> str:
    """1230 as `12.30`."""
    return f"{amount // 100}.{amount % 100:02d}"


def percent(amount: int, rate: int) -> int:
    """A percentage, halves up."""
    return (amount * rate + 50) // 100


def coinsurance_hundredths(claim: int) -> int:
    """Coinsurance on a claim from its first cent, in hundredths of a cent."""
    if claim <= 5000_00:
        return claim * 10
    if claim <= 10_000_00:
        return 5000_00 * 10 + (claim - 5000_00) * 5
    return 5000_00 * 10 + 5000_00 * 5 + (claim - 10_000_00) * 3


def settle(entry: Entry, year: dict[str, int]) -> dict[str, str]:
    """What one stay comes to; the policy year is moved on."""
    ward = entry["episode"]["ward"]
    bill = counted = claim = nights = implants = 0
    by_line: dict[str, str] = {}
    for item in sorted(entry["lines"], key=lambda i: int(i["line_no"])):
        amount = cents(item["amount"])
        cut = percent(amount, WARD_PERCENT[ward])
        claimed = cut
        if item["kind"] == "operation":
            if "procedure" not in item:
                return {"rejects": "RX722"}
            claimed = min(cut, PROCEDURES.get(item["procedure"], 0))
        elif item["kind"] == "implant":
            claimed = min(cut, IMPLANTS - implants)
            implants += claimed
        elif item["kind"] == "room":
            most = 0
            for _ in range(int(item["nights"])):
                nights += 1
                most += 1000_00 if nights <= 2 else 800_00
            claimed = min(cut, most)
        bill, counted, claim = bill + amount, counted + cut, claim + claimed
        by_line[f"lines.{item['line_no']}.prorated"] = written(cut)
        by_line[f"lines.{item['line_no']}.claimable"] = written(claimed)
    deductible = min(claim, max(0, WARD_DEDUCTIBLE[ward] - year["deductible"]))
    own = (coinsurance_hundredths(claim) - coinsurance_hundredths(deductible) + 50) // 100
    payout = min(claim - deductible - own, YEAR - year["payout"])
    year["deductible"] += deductible
    year["payout"] += payout
    return {
        "bill": written(bill),
        "prorated_bill": written(counted),
        "claimable_bill": written(claim),
        "deductible_due": written(deductible),
        "coinsurance_due": written(own),
        "payout": written(payout),
        "patient.ward": written(bill - counted),
        "patient.limits": written(counted - claim),
        "patient.year": written(claim - deductible - own - payout),
        "patient_pays": written(bill - payout),
        **by_line,
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every stay of one example by its number, taken in the order of discharge and number."""
    listed = entry.get("episodes", [entry])
    years: dict[int, dict[str, int]] = {}
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["discharge_date"], i["episode"]["episode_id"])):
        day = item["episode"]["discharge_date"]
        policy_year = int(day[:4]) - (day[5:] < item["episode"]["policy_start"][5:])
        if policy_year not in years:
            opening = entry.get("so_far", {})
            years[policy_year] = {
                "deductible": cents(opening.get("policy_year.sum(deductible_due)", "0.00")),
                "payout": cents(opening.get("policy_year.sum(payout)", "0.00")),
            }
        results[item["episode"]["episode_id"]] = settle(item, years[policy_year])
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
