"""The Sanming-style rulebook worked out a second time, in whole fen and plain fractions.

It shares no code with rxcalc, so that the two can disagree. A bill is settled as a clerk would: first who pays how, then
each item by itself, at last who bears what. Run it to print the figures of every example:

    python tests/independent/rulebooks/sanming.py [WORD IN THE EXAMPLE'S NAME]
"""

from __future__ import annotations

import sys
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

Row = dict[str, str]
Values = dict[str, Any]

ALWAYS = "2021-01-01"
FOREVER = "9999-12-31"
# Institution: from when, level, alliance, whether it gives free drugs.
INSTITUTIONS = {
    "N-GH": [(ALWAYS, "county", "north", False)],
    "N-TOWN": [(ALWAYS, "grassroots", "north", True)],
    "N-COMM": [(ALWAYS, "grassroots", "north", True)],
    "N-CLINIC": [(ALWAYS, "grassroots", "outside", False), ("2022-07-01", "grassroots", "north", True)],
    "N-CITY": [(ALWAYS, "city", "north", False)],
    "S-GH": [(ALWAYS, "county", "south", False)],
    "S-TOWN": [(ALWAYS, "grassroots", "south", True)],
    "S-TCM": [(ALWAYS, "city", "south", False)],
    "P-PROV": [(ALWAYS, "province", "outside", False)],
}
PILOT_SINCE = {("N-CITY", "ORTHO"): ALWAYS, ("S-GH", "ORTHO"): "2023-01-01"}
# Group: first day, last day, price in fen.
PACKAGES = {
    "SG-01": [(ALWAYS, "2022-12-31", 9000_00), ("2023-01-01", FOREVER, 9200_00)],
    "SG-02": [(ALWAYS, "2022-12-31", 12000_00), ("2023-01-01", FOREVER, 12600_00)],
    "SG-03": [(ALWAYS, "2022-12-31", 26000_00)],
    "SG-03A": [("2023-01-01", FOREVER, 24000_00)],
    "SG-03B": [("2023-01-01", FOREVER, 31000_00)],
    "SG-04": [(ALWAYS, FOREVER, 4800_00)],
    "SG-05": [(ALWAYS, FOREVER, 6350_05)],
}
# The highest price an item may have, in fen, with the first day of each.
CEILINGS = {"STENT": [(ALWAYS, 5000_00), ("2021-07-01", 800_00)]}
PURCHASE = {
    "DRUG-01": [(ALWAYS, 12_40)],
    "DRUG-10": [(ALWAYS, 18_60)],
    "MED-101": [(ALWAYS, 38_00)],
    "MED-102": [(ALWAYS, 9_80)],
    "MAT-201": [(ALWAYS, 2400_00)],
    "MAT-202": [(ALWAYS, 650_00)],
}
SERVICES = {
    "EXAM-FEE": [
        (ALWAYS, 10_00),
        ("2021-04-01", 18_00),
        ("2021-10-01", 25_00),
        ("2022-04-01", 32_00),
        ("2023-01-01", 40_00),
        ("2023-07-01", 48_00),
    ],
    "THER-01": [(ALWAYS, 60_00), ("2021-07-01", 75_00), ("2022-07-01", 90_00)],
    "SURG-01": [(ALWAYS, 1200_00), ("2022-10-01", 1500_00), ("2023-04-01", 1800_00)],
    "TCM-DIFF": [("2022-01-01", 30_00)],
    "TCM-DECOCT": [("2022-01-01", 5_00)],
}
ADJUSTED = [
    *("2021-04-01", "2021-07-01", "2021-10-01", "2022-01-01", "2022-04-01"),
    *("2022-07-01", "2022-10-01", "2023-01-01", "2023-04-01", "2023-07-01"),
]
LAST_OF_DISEASE = {"hypertension": 9, "diabetes": 18, "group_3": 24, "group_4": 30, "group_5": 35, "group_6": 39}
THERAPIES = {f"TCM-T{number:02d}" for number in range(1, 25)}

PATIENT_OF_PACKAGE = {"active": 30, "retired": 25, "resident": 40}
DEDUCTIBLE = {"grassroots": 100_00, "county": 300_00, "city": 600_00, "province": 1000_00}
LEVELS = list(DEDUCTIBLE)
RATES = {"active": (78, 75, 70, 60), "retired": (80, 78, 75, 65), "resident": (75, 70, 60, 50)}
DAYS = {"general": 28, "extended": 84}


class RefusedError(Exception):
    """The bill is refused with this code; "" stands for an ordinary mistake of its input."""


def whole(amount: Fraction | int) -> int:
    """The nearest whole number, ties away from zero."""
    doubled = 2 * abs(Fraction(amount)) + 1
    nearest = int(doubled.numerator // (2 * doubled.denominator))
    return nearest if amount >= 0 else -nearest


def fen(text: str) -> Fraction:
    """`12.40` as 1240; prices may have more digits."""
    return Fraction(text) * 100


def latest(rows: list[Any], day: str) -> Any:
    """The last of the dated rows that has begun, or nothing."""
    begun = [row for row in rows if row[0] <= day]
    return begun[-1] if begun else None


def disease_of(code: str) -> str | None:
    """The disease group that a placeholder drug is listed for."""
    if not code.startswith("DRUG-") or len(code) != len("DRUG-00"):
        return None
    number = int(code[5:])
    return next((name for name, last in LAST_OF_DISEASE.items() if 1 <= number <= last), None)


def package_of(group: str | None, day: str) -> int:
    """The price of a C-DRG group on a day; a group that is not in the table of that day refuses the bill."""
    if group is None:
        return 0
    for first, last, price in PACKAGES.get(group, []):
        if first <= day <= last:
            return int(price)
    raise RefusedError("RX731")


def highest_price(code: str, day: str) -> tuple[str, int] | None:
    """The list that limits the price of an item, and the price."""
    for name, prices in (("ceiling", CEILINGS), ("purchase", PURCHASE), ("list", SERVICES)):
        row = latest(prices.get(code, []), day)
        if row is not None:
            return name, row[1]
    return None


def deal(amount: int, weights: list[int]) -> list[int]:
    """The amount dealt out by weight in whole fen; what is left goes to the largest remainders, first lines first."""
    every = sum(weights)
    if amount == 0:
        return [0] * len(weights)
    parts = [amount * weight // every for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-(amount * weights[at] % every), at))
    for at in order[: amount - sum(parts)]:
        parts[at] += 1
    return parts


def why_not_free(episode: Row, place: tuple[str, str, str, bool]) -> bool:
    """Whether free drugs are out of reach on this visit."""
    if episode["setting"] != "outpatient" or "red_book" not in episode:
        return True
    day = episode["discharge_date"]
    held = episode["red_book_from"] <= day <= episode.get("red_book_to", FOREVER)
    return not (held and place[3])


def items(lines: list[Row], episode: Row, *, package: bool, free: bool, level: str) -> list[Values]:
    """Each item up to the deductible, in order of its number."""
    result = []
    day = episode["discharge_date"]
    for line in sorted(lines, key=lambda row: int(row["line_no"])):
        amount, price, quantity = whole(fen(line["amount"])), fen(line["unit_price"]), Fraction(line["quantity"])
        if abs(amount - price * quantity) > 1 or ("days_supply" in line and line["kind"] not in ("drug", "decoction")):
            raise RefusedError("RX722")
        code, kind = line["code"], line["kind"]
        rule = "ordinary"
        is_free = free and disease_of(code) is not None and disease_of(code) == episode["red_book"]
        if kind == "carer":
            rule = "carer"
        elif package:
            rule = "in_package"
        elif is_free:
            rule = "free_drug"
        elif kind == "decoction":
            rule = "decoction"
        elif code in THERAPIES:
            rule = "therapy"
        limit = highest_price(code, day)
        allowed = price if limit is None else min(price, Fraction(limit[1]))
        item: Values = {"rule": rule, "free": is_free, "amount": amount, "allowed": allowed, "over": 0, "beyond": 0}
        item["counted"] = 0
        if rule not in ("carer", "in_package"):
            item["over"] = min(amount, whole((price - allowed) * quantity))
            days = int(line.get("days_supply", 0))
            most = DAYS[episode.get("prescription", "general")]
            if episode["setting"] == "outpatient" and days > most:
                item["beyond"] = whole(Fraction((amount - item["over"]) * (days - most), days))
            item["counted"] = amount - item["over"] - item["beyond"]
        item["weight"] = item["counted"] if rule in ("ordinary", "decoction") else 0
        general = RATES[episode["person_class"]][LEVELS.index(level)]
        rates = {"carer": 0, "in_package": 0, "free_drug": 100, "decoction": 80}
        item["percent"] = rates.get(rule, general)
        item["line_no"] = int(line["line_no"])
        result.append(item)
    return result


def checked(episode: Row) -> None:
    """What refuses a bill before anything is computed."""
    if not ALWAYS <= episode["discharge_date"] <= "2024-12-31":
        raise RefusedError("RX723")
    date.fromisoformat(episode["discharge_date"])
    early = episode["discharge_date"] < episode["admission_date"]
    odd = "drg" in episode and episode["setting"] not in ("inpatient", "day_surgery")
    if early or odd or ("red_book" in episode and "red_book_from" not in episode):
        raise RefusedError("RX722")


def settle(entry: Values, before: list[Values], opening: int) -> Values:
    """All figures of one bill; `before` are the figures of the person's earlier bills."""
    episode, lines = entry["episode"], entry.get("lines", [])
    checked(episode)
    day, home = episode["discharge_date"], episode["setting"] == "home_sickbed"
    place = latest(INSTITUTIONS.get(episode["institution"], []), day)
    if place is None:
        raise RefusedError("RX731")
    if not lines:
        raise RefusedError("RX808")
    alliance, level = place[2], "grassroots" if home else place[1]
    cost = sum(whole(fen(x["amount"])) for x in lines if x["kind"] != "carer")
    carer = sum(whole(fen(x["amount"])) for x in lines if x["kind"] == "carer")
    group_price = package_of(episode.get("drg"), day)
    package = "drg" in episode and 2 * cost >= group_price
    price = group_price if package else 0
    own_package = whole(Fraction(price * PATIENT_OF_PACKAGE[episode["person_class"]], 100))
    free = not why_not_free(episode, place)
    found = items(lines, episode, package=package, free=free, level=level)

    standard = 0 if package or episode["setting"] == "outpatient" else DEDUCTIBLE[level]
    credit = 0
    if alliance != "outside" and "referral_chain" in episode:
        chain = [x for x in before if x["chain"] == episode["referral_chain"] and x["alliance"] == alliance]
        credit = opening + sum(x["due"] for x in chain)
    due = min(max(0, standard - credit), sum(x["weight"] for x in found))
    for item, part in zip(found, deal(due, [x["weight"] for x in found]), strict=True):
        item["part"] = part
        item["pays"] = whole(Fraction((item["counted"] - part) * item["percent"], 100))
    shared = carer if PILOT_SINCE.get((episode["institution"], episode.get("ward", "")), FOREVER) <= day else 0
    of_carer = whole(Fraction(shared * 30, 100))

    free_paid = sum(x["pays"] for x in found if x["rule"] == "free_drug")
    by_item = sum(x["pays"] for x in found) - free_paid
    own = {
        "package": own_package,
        "deductible": due,
        "coinsurance": sum(x["counted"] - x["part"] - x["pays"] for x in found),
        "beyond_supply": sum(x["beyond"] for x in found),
        "carer": carer - 2 * of_carer,
    }
    fund = {"package": price - own_package, "free_drugs": free_paid, "items": by_item, "carer": of_carer}
    hospital = {"package": cost - price if package else 0, "over_price": sum(x["over"] for x in found)}
    assert sum(own.values()) + sum(fund.values()) + sum(hospital.values()) + of_carer == cost + carer
    money = {
        "total": cost + carer,
        "actual_cost": cost,
        "package_price": price,
        "package_patient": own_package,
        "package_difference": cost - price if package else 0,
        "package_fund": price - own_package,
        "package_hospital": hospital["package"],
        "deductible_standard": standard,
        "deductible_credit": credit,
        "deductible_due": due,
        "by_item": by_item,
        "carer_charge": carer,
        "carer_shared": shared,
        "carer_finance": of_carer,
        "carer_fund": of_carer,
        "fund_pays": sum(fund.values()),
        "patient_pays": sum(own.values()),
        "hospital_pays": sum(hospital.values()),
        "government_pays": of_carer,
        "government.carer": of_carer,
    }
    for bearer, parts in (("patient", own), ("fund", fund), ("hospital", hospital)):
        money |= {f"{bearer}.{part}": amount for part, amount in parts.items()}
    values: Values = {
        "alliance": alliance,
        "benefit_level": level,
        "group_table": 839 if day >= "2023-01-01" else 788,
        "price_list_version": sum(day >= first for first in ADJUSTED),
        "paid_by": "package" if package else "item",
        "free_drugs_open": free,
    }
    for item in found:
        row = f"lines.{item['line_no']}."
        values |= {f"{row}treatment": item["rule"], f"{row}is_free": item["free"]}
        values |= {f"{row}fund_rate": Fraction(item["percent"], 100), f"{row}price_allowed": item["allowed"] / 100}
        money |= {f"{row}over_price": item["over"], f"{row}beyond_supply": item["beyond"]}
        money |= {f"{row}counted": item["counted"], f"{row}under_deductible": item["weight"]}
        money |= {f"{row}deductible_part": item["part"], f"{row}pays": item["pays"]}
        money |= {f"{row}own_part": item["counted"] - item["part"] - item["pays"]}
    values |= {name: Fraction(amount, 100) for name, amount in money.items()}
    memory = {"id": episode["episode_id"], "chain": episode.get("referral_chain"), "alliance": alliance, "due": due}
    return {"values": values, **memory}


def negated(values: Values) -> Values:
    """The figures of a bill that is taken back: every number with the sign changed."""
    return {name: -x if isinstance(x, Fraction | int) and not isinstance(x, bool) else x for name, x in values.items()}


def results(entry: Values) -> list[Values]:
    """The figures of each bill of an example, in the order in which they stand there."""
    listed = entry.get("episodes") or [entry]
    opening = sum(whole(fen(x)) for name, x in entry.get("so_far", {}).items() if name.startswith("chain."))
    past: dict[str, list[Values]] = {}
    figures: dict[str, Values] = {}
    everything = sorted(
        [*entry.get("earlier", []), *listed],
        key=lambda x: (x["episode"].get("discharge_date", ""), x["episode"].get("episode_id", "")),
    )
    for one in everything:
        episode = one["episode"]
        before = past.setdefault(episode.get("person_id", ""), [])
        try:
            if "reverses_id" in episode:
                original = next(x for x in before if x["id"] == episode["reverses_id"])
                before.remove(original)
                figures[episode["episode_id"]] = negated(original["values"])
                continue
            settled = settle(one, before, opening)
            before.append(settled)
            figures[episode["episode_id"]] = settled["values"]
        except RefusedError as refused:
            figures[episode["episode_id"]] = {"rejects": str(refused) or None}
        except (KeyError, ValueError, StopIteration):
            figures[episode.get("episode_id", "")] = {"rejects": None}
    return [figures[one["episode"].get("episode_id", "")] for one in listed]


def main(word: str) -> None:
    """Print the figures of the examples whose name holds the word."""
    import yaml

    folder = Path(__file__).parents[3] / "rulebooks" / "sanming" / "examples"
    for file in sorted(folder.glob("*.yaml")):
        for entry in yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader):
            if word in entry["example"]:
                shown = [
                    {k: float(x) if isinstance(x, Fraction) else x for k, x in of.items()} for of in results(entry)
                ]
                sys.stdout.write(f"{entry['example']}\n" + "".join(f"  {values}\n" for values in shown))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
