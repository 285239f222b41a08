"""The Qin rulebook worked out a second time, from the source's facts, with plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on one bill:

    python tests/independent/rulebooks/qin.py county 10000.00 yes no      (level, total, referred, emergency)
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

Row = dict[str, str]
Values = dict[str, Any]

DEDUCTIBLE = {"town": 0, "county": 200, "city": 400, "province": 600}
RATE = Fraction(95, 100)
UNREFERRED = Fraction(80, 100)
FIRST_DAY = "2019-01-01"
LARGEST = 100_000_000
MARK = 200
GOODS = ("medicine", "consumable", "equipment")
# The procurement list: first day, last day, price.
LISTED = {
    "EX-MED-1": [("2019-01-01", "2024-12-31", "12.40"), ("2025-01-01", "9999-12-31", "11.90")],
    "EX-MED-2": [("2019-01-01", "9999-12-31", "3.2560")],
    "EX-CON-1": [("2019-01-01", "2025-06-30", "45.00")],
    "EX-EQP-1": [("2020-01-01", "9999-12-31", "2600.00")],
}


class RefusedError(Exception):
    """The bill is refused with this code; "" stands for an ordinary mistake of its input."""


def nearest(amount: Fraction, parts: int) -> Fraction:
    """The amount rounded to 1/parts, ties away from zero."""
    scaled = abs(amount) * parts
    whole = scaled.numerator // scaled.denominator
    if scaled - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole if amount >= 0 else -whole, parts)


def to_fen(amount: Fraction) -> Fraction:
    """The amount rounded to the fen."""
    return nearest(amount, 100)


def share(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """A percentage to two decimals; none of nothing."""
    return nearest(Fraction(part) / whole, 10_000) if whole else None


def yuan(amount: Fraction) -> str:
    """The amount as a person writes it, `9,310.00`; with all its digits if it is no whole fen (here at most four)."""
    digits = 2 if (amount * 100).denominator == 1 else 4
    scaled = abs(amount) * 10**digits
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**digits)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{digits}d}"


def settle(level: str, total: Fraction, *, referred: bool, emergency: bool) -> dict[str, Fraction]:
    """Every amount of the rulebook, named as the rulebook names it."""
    deductible = min(total, Fraction(DEDUCTIBLE[level]))
    in_full = to_fen((total - deductible) * RATE)
    reduced = level in ("city", "province") and not referred and not emergency
    factor = UNREFERRED if reduced else Fraction(1)
    fund = to_fen(in_full * factor)
    reduction = in_full - fund
    return {
        "deductible_due": deductible,
        "above_deductible": total - deductible,
        "fund_in_full": in_full,
        "referral_factor": factor,
        "fund_pays": fund,
        "referral_reduction": reduction,
        "patient.deductible": deductible,
        "patient.coinsurance": total - fund - deductible - reduction,
        "patient.missing_referral": reduction,
        "patient_pays": total - fund,
    }


def on_list(item: str, day: str) -> Fraction | None:
    """What the procurement list says on a day."""
    for first, last, price in LISTED.get(item, []):
        if first <= day <= last:
            return Fraction(price)
    return None


def markups(bill: Row, lines: list[Row]) -> Values:
    """The lines looked at for mark-ups; refused where they do not fit the bill."""
    found: Values = {}
    total = Fraction(0)
    if len({line["line_no"] for line in lines}) < len(lines):
        raise RefusedError("RX805")
    if lines and sum(Fraction(line["amount"]) for line in lines) != Fraction(bill["total_cost"]):
        raise RefusedError("RX722")
    for line in lines:
        price, quantity = Fraction(line["unit_price"]), Fraction(line["quantity"])
        if abs(price * quantity - Fraction(line["amount"])) >= Fraction(1, 100):
            raise RefusedError("RX722")
        day = line.get("supplied_on", bill["discharge_date"])
        if not bill["admission_date"] <= day <= bill["discharge_date"]:
            raise RefusedError("RX722")
        listed = on_list(line["item"], day)
        said = Fraction(line["purchase_price"]) if "purchase_price" in line else None
        bought = said if listed is None else listed
        unit = Fraction(0)
        if line["kind"] in GOODS and bought is not None and price > bought:
            unit = price - bought
        excess = to_fen(unit * quantity)
        total += excess
        found |= {
            f"lines.{line['line_no']}.{name}": value
            for name, value in {
                "price_day": day,
                "listed_price": listed,
                "bought_at": bought,
                "unit_markup": unit,
                "excess": excess,
            }.items()
        }
    return {**found, "excess_total": total}


def usable(bill: Row) -> None:
    """Refuse a bill that the rulebook does not take."""
    if bill.get("level") not in DEDUCTIBLE:
        raise RefusedError("")
    total = bill["total_cost"]
    if "e" in total or (Fraction(total) * 100).denominator != 1 or not 0 <= Fraction(total) <= LARGEST:
        raise RefusedError("")
    if bill["discharge_date"] < bill["admission_date"]:
        raise RefusedError("RX722")
    if bill["discharge_date"] < FIRST_DAY:
        raise RefusedError("RX723")


def one(bill: Row, lines: list[Row]) -> Values:
    """A bill with its lines."""
    usable(bill)
    total = Fraction(bill["total_cost"])
    found: Values = dict(
        settle(bill["level"], total, referred=bill["referred"] == "yes", emergency=bill["emergency"] == "yes")
    )
    parts = [amount for name, amount in found.items() if name.startswith("patient.")]
    assert found["fund_pays"] + sum(parts) == total
    assert min(parts) >= 0
    found |= markups(bill, lines)
    found["effective_rate"] = share(found["fund_pays"], total)
    return found


def years(bills: list[tuple[Row, Values]], rows: list[Row]) -> Values:
    """The indicators of levels and years."""
    found: Values = {}
    levels: dict[tuple[str, str], list[tuple[Row, Values]]] = {}
    for bill, got in bills:
        levels.setdefault((bill["level"], bill["discharge_date"][:4]), []).append((bill, got))
    given = {row["year"]: row for row in rows}
    for year in sorted({of for _, of in levels} | set(given)):
        mine = {level: of for (level, own), of in levels.items() if own == year}
        known = [both for of in mine.values() for both in of]
        for level, of in mine.items():
            where = f"groups.level_year[level={level},year={year}]"
            found |= {f"{where}.{name}": value for name, value in level_of(level, of).items()}
            found[f"{where}.share_of_bills"] = share(len(of), len(known))
        where = f"groups.fund_year[year={year}]"
        found |= {f"{where}.{name}": value for name, value in year_of(known, given.get(year, {})).items()}
    return found


def totals(of: list[tuple[Row, Values]]) -> Values:
    """What a level and a year have in common."""
    return {
        "bills": len(of),
        "cost": sum((Fraction(bill["total_cost"]) for bill, _ in of), Fraction(0)),
        "fund_total": sum((got["fund_pays"] for _, got in of), Fraction(0)),
        "lowest_rate": min((got["effective_rate"] for _, got in of if got["effective_rate"] is not None), default=None),
        "excess": sum((got["excess_total"] for _, got in of), Fraction(0)),
    }


def counted(of: list[tuple[Row, Values]]) -> tuple[int, int]:
    """Bills with a referral to city or province, and bills of patients who came on their own choice."""
    above = [(bill, got) for bill, got in of if bill["level"] in ("city", "province")]
    own = [1 for bill, _ in above if bill["referred"] == "no" and bill["emergency"] == "no"]
    return sum(bill["referred"] == "yes" for bill, _ in above), len(own)


def level_of(level: str, of: list[tuple[Row, Values]]) -> Values:
    """One level of hospital in one year."""
    assert level in DEDUCTIBLE
    referred, own = counted(of)
    return {**totals(of), "referred_up": referred, "own_choice": own}


def year_of(of: list[tuple[Row, Values]], row: Row) -> Values:
    """One year of the fund."""
    found = totals(of)
    referred, own = counted(of)
    heads = int(row["heads"]) if "heads" in row else None
    increase = Fraction(row["spending_increase"]) if "spending_increase" in row else None
    return {
        **found,
        "nominal_rate": RATE,
        "effective_rate": share(found["fund_total"], found["cost"]),
        "near_home_share": share(sum(bill["level"] in ("town", "county") for bill, _ in of), len(of)),
        "referral_share": share(referred, len(of)),
        "own_choice_share": share(own, len(of)),
        "fund_per_head": to_fen(found["fund_total"] / heads) if heads else None,
        "below_mark": found["fund_total"] < MARK * heads if heads else None,
        "increase_per_head": to_fen(increase / heads) if heads and increase is not None else None,
    }


def given_rows(entry: Values, kind: str) -> list[Row]:
    """The rows that an example gives for a kind of groups."""
    rows = entry.get("groups", {}).get(kind, [])
    return [rows] if isinstance(rows, dict) else list(rows)


def results(entry: Values) -> list[Values]:
    """Every episode of an example; the indicators stand with each."""
    found: list[Values] = []
    kept: list[tuple[Row, Values]] = []
    for item in entry.get("episodes") or [entry]:
        try:
            got = one(item["episode"], item.get("lines", []))
        except RefusedError as refused:
            found.append({"rejects": str(refused) or None})
            continue
        kept.append((item["episode"], got))
        found.append(got)
    indicators = years(kept, given_rows(entry, "fund_year"))
    return [{**got, **indicators} if "rejects" not in got else got for got in found]


def working(level: str, total: Fraction, *, referred: bool, emergency: bool) -> str:
    """The arithmetic in one line."""
    got = settle(level, total, referred=referred, emergency=emergency)
    above, in_full, fund = got["above_deductible"], got["fund_in_full"], got["fund_pays"]
    line = f"({yuan(total)} - {yuan(got['deductible_due'])}) x 95% = {yuan(above * RATE)}"
    if above * RATE != in_full:
        line += f", to the fen {yuan(in_full)}"
    if got["referral_factor"] != 1:
        line += f"; x 80% = {yuan(in_full * UNREFERRED)}"
        if in_full * UNREFERRED != fund:
            line += f", to the fen {yuan(fund)}"
        line += f"; reduction {yuan(in_full)} - {yuan(fund)} = {yuan(got['referral_reduction'])}"
    return f"{line}; patient {yuan(total)} - {yuan(fund)} = {yuan(got['patient_pays'])}"


if __name__ == "__main__":
    level, total, referred, emergency = sys.argv[1:]
    bill = {"referred": referred == "yes", "emergency": emergency == "yes"}
    lines = [working(level, Fraction(total), **bill)]
    lines += [f"  {name}: {yuan(amount)}" for name, amount in settle(level, Fraction(total), **bill).items()]
    sys.stdout.write("\n".join(lines) + "\n")
