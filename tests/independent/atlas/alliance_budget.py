"""A regional budget by points worked out a second time: year by year, each region's purse passed on to the next year.

It shares no code with rxcalc. Points and point values are whole ten-thousandths, money is whole fen. `EXAMPLES` holds
the stays of the examples, `expected()` what each of them and each region's year comes to.
"""

from __future__ import annotations

from typing import Any

A_HEAD = {2023: {"north": 500_00, "south": 400_00}, 2024: {"north": 520_00, "south": 410_00}}
FLOOR, CAP = 80_0000, 120_0000  # ten-thousandths of a yuan for a point

Entry = dict[str, Any]


def stay(number: str, day: str, points: str, treated: str = "north", insured: str = "") -> Entry:
    """One stay, at home unless told otherwise."""
    of = {"episode_id": number, "treated_in": treated, "insured_in": insured or treated, "discharge_date": day}
    return {"episode": {**of, "points": points}}


def year(area: str, of: int, insured: int, planned: str) -> dict[str, str]:
    """The row of one region and year."""
    return {"area": area, "year": str(of), "insured": str(insured), "planned_points": planned}


def of_years(rows: list[dict[str, str]], *stays: Entry) -> Entry:
    """Stays, with the rows of the regions and years."""
    return {"groups": {"region_year": rows}, "episodes": list(stays)}


def one_year(heads: int, *stays: Entry) -> Entry:
    """Stays of the north in 2023, whose row stands alone."""
    return {"groups": {"region_year": year("north", 2023, heads, "4000")}, "episodes": list(stays)}


EXAMPLES: dict[str, Entry] = {
    "between floor and cap": one_year(1000, stay("A1", "2023-03-01", "3210.5"), stay("A2", "2023-12-31", "1789.5")),
    "the value is cut to four decimals": one_year(
        1000, stay("B1", "2023-03-01", "3000"), stay("B2", "2023-04-01", "1321.0001")
    ),
    "above the cap: half of the surplus goes back": one_year(
        1000, stay("C1", "2023-03-01", "3000"), stay("C2", "2023-04-01", "1000")
    ),
    "exactly the cap": one_year(12, stay("C3", "2023-03-01", "50")),
    "just above the cap": one_year(12, stay("C4", "2023-03-01", "49.9999")),
    "just below the cap": one_year(12, stay("C5", "2023-03-01", "50.0001")),
    "exactly the floor": one_year(16, stay("C6", "2023-03-01", "100")),
    "just below the floor": one_year(16, stay("C7", "2023-03-01", "100.0002")),
    "a bonus for two equals, a fen left over": one_year(
        1, stay("D1", "2023-03-01", "0.6666"), stay("D2", "2023-02-28", "0.6666")
    ),
    "a bonus for three equals of one day": one_year(
        2, stay("D5", "2023-03-01", "0.5"), stay("D4", "2023-03-01", "0.5"), stay("D3", "2023-03-01", "0.5")
    ),
    "surplus and deficit are carried over": of_years(
        [
            year("north", 2023, 1000, "4000"),
            year("north", 2024, 1000, "5000"),
            year("north", 2025, 1000, "5000"),
        ],
        stay("E1", "2023-06-01", "4000"),
        stay("E2", "2024-06-01", "7000"),
        stay("E3", "2025-01-01", "4000"),
        stay("E4", "2025-12-31", "1000"),
    ),
    "a year without stays keeps its budget": of_years(
        [year("north", 2023, 10, "50"), year("north", 2024, 10, "50"), year("north", 2025, 10, "50")],
        stay("F1", "2023-06-01", "50"),
        stay("F2", "2025-06-01", "100"),
    ),
    "a year that is not there is passed over": of_years(
        [year("north", 2023, 10, "50"), year("north", 2025, 10, "50")],
        stay("G1", "2023-06-01", "25"),
        stay("G2", "2025-06-01", "50"),
    ),
    "regions do not lend to each other": of_years(
        [year("north", 2023, 10, "50"), year("south", 2023, 10, "50"), year("south", 2024, 10, "50")],
        stay("H1", "2023-06-01", "20"),
        stay("H2", "2023-06-02", "40", "south"),
        stay("H3", "2024-06-01", "41", "south"),
    ),
    "guests are paid at most what their region planned": of_years(
        [year("north", 2023, 100, "480"), year("south", 2023, 100, "450")],
        stay("I1", "2023-02-01", "300"),
        stay("I2", "2023-03-01", "150", "north", "south"),
        stay("I3", "2023-04-01", "400", "south"),
        stay("I4", "2023-05-01", "10.5", "south", "north"),
    ),
    "guests of a region that has no row": of_years(
        [year("north", 2023, 10, "50")],
        stay("J1", "2023-02-01", "30"),
        stay("J2", "2023-03-01", "20", "north", "south"),
    ),
    "a region without its row": of_years(
        [year("south", 2023, 10, "50"), year("north", 2024, 10, "50")],
        stay("L1", "2023-02-01", "30"),
        stay("L2", "2023-03-01", "40", "south"),
        stay("L3", "2024-03-01", "30"),
    ),
    "a refused stay is outside its year": one_year(10, stay("K1", "2023-02-01", "50"), stay("K2", "2023-03-01", "0")),
}


def half_up(amount: int, by: int) -> int:
    """A whole quotient, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) + by) // (2 * by))


def units(text: str) -> int:
    """`12.5` in ten-thousandths."""
    whole, _, part = text.partition(".")
    return int(whole) * 10_000 + int(f"{part:0<4}")


def number(of: int) -> str:
    """Ten-thousandths as a decimal without trailing zeros."""
    return f"{of // 10_000}.{of % 10_000:04d}".rstrip("0").rstrip(".")


def money(fen: int) -> str:
    """Fen as yuan with two digits."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def spread(amount: int, weights: list[int]) -> list[int]:
    """Whole fen by the weights; those left over go to the largest remainders, of equals to the first."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    rests = [amount * weight % whole for weight in weights]
    for at in sorted(range(len(weights)), key=lambda i: (-rests[i], i))[: amount - sum(parts)]:
        parts[at] += 1
    return parts


class Region:
    """One region in one year."""

    def __init__(self, row: dict[str, str], area: str, of: int, carried: int) -> None:
        self.carried = carried
        self.allotment = A_HEAD[min(of, 2024)][area] * int(row["insured"])
        self.planned_value = self.allotment * 100 * 10_000 // units(row["planned_points"])
        self.budget = self.allotment + carried
        self.stays: list[dict[str, str]] = []

    def settle(self, guests: dict[str, int]) -> tuple[dict[str, str], list[dict[str, str]]]:
        """The region's year and each of its stays; `guests` holds the planned value of other regions."""
        total = sum(units(s["points"]) for s in self.stays)
        if total == 0:
            value = self.planned_value
        else:
            value = min(max(self.budget * 100 * 10_000 // total, FLOOR), CAP)
        settled = []
        for one in self.stays:
            at_value = value
            if one["insured_in"] != one["treated_in"]:
                at_value = min(value, guests.get(one["insured_in"], value))
            settled.append(half_up(at_value * units(one["points"]), 10_000 * 100))
        balance = self.budget - sum(settled)
        bonus = half_up(balance, 2) if balance > 0 and total > 0 else 0
        self.carried_out = balance - bonus
        parts = spread(bonus, [units(s["points"]) for s in self.stays]) if bonus else [0] * len(self.stays)
        amounts = {
            "allotment": money(self.allotment),
            "planned_value": number(self.planned_value),
            "carried_in": money(self.carried),
            "budget": money(self.budget),
            "points_total": number(total),
            "point_value": number(value),
            "spent": money(sum(settled)),
            "balance": money(balance),
            "bonus": money(bonus),
            "carried_out": money(self.carried_out),
        }
        rows = [
            {"settled": money(paid), "bonus_part": money(part), "received": money(paid + part)}
            for paid, part in zip(settled, parts, strict=True)
        ]
        return amounts, rows


def run(name: str, entry: Entry) -> dict[str, dict[str, str]]:
    """Every stay of one example; a region's year stands with its last stay, one without stays with the last of all."""
    given = entry["groups"]["region_year"]
    single = isinstance(given, dict)
    rows = [given] if single else given
    found: dict[str, dict[str, str]] = {}
    placed: dict[tuple[str, int], list[tuple[str, str, str, dict[str, str]]]] = {}
    for at, item in enumerate(entry["episodes"], 1):
        one, key = item["episode"], f"{name}#{at}"
        if units(one["points"]) == 0:
            found[key] = {"rejects": "RX703"}
            continue
        found[key] = {}
        where = (one["treated_in"], int(one["discharge_date"][:4]))
        placed.setdefault(where, []).append((one["discharge_date"], one["episode_id"], key, one))
    there = {(row["area"], int(row["year"])) for row in rows}
    # A year without its row is refused, and the region's later years with it.
    broken = {area: of for area, of in sorted(placed, reverse=True) if (area, of) not in there}
    for (area, of), listed in placed.items():
        if of >= broken.get(area, of + 1):
            found.update({key: {"rejects": "RX809"} for _, _, key, _ in listed})
    rows = [row for row in rows if int(row["year"]) < broken.get(row["area"], 9999)]
    purse: dict[str, int] = {}
    for of in sorted({int(row["year"]) for row in rows}):
        regions = {
            row["area"]: Region(row, row["area"], of, purse.get(row["area"], 0))
            for row in rows
            if int(row["year"]) == of
        }
        guests = {area: region.planned_value for area, region in regions.items()}
        for area, region in regions.items():
            listed = sorted(placed.get((area, of), []), key=lambda p: p[:2])
            region.stays = [one for *_, one in listed]
            amounts, results = region.settle(guests)
            purse[area] = region.carried_out
            for (_, _, key, _), result in zip(listed, results, strict=True):
                found[key] |= result
            last = max((key for _, _, key, _ in listed), key=lambda k: int(k.rpartition("#")[2]), default="")
            place = "groups.region_year" if single else f"groups.region_year[area={area},year={of}]"
            home = last or f"{name}#{len(entry['episodes'])}"
            found[home] |= {f"{place}.{step}": amount for step, amount in amounts.items()}
    return found


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. for its stays."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        found.update(run(name, entry))
    return found
