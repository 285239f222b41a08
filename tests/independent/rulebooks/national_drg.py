"""Payment by DRG worked out a second time, with plain fractions, from the formulas and not from the rulebook's text.

It shares no code with rxcalc, so that the two can disagree. Run it on one stay to see the arithmetic:

    python tests/independent/rulebooks/national_drg.py region=R01 level=level_3 total=12000 in_scope=11000 drg=BR23
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

Bill = dict[str, str]
Values = dict[str, Any]

DEDUCTIBLE = {"level_1": 300, "level_2": 500, "level_3": 800}
FUND_PERCENT = {"level_1": 90, "level_2": 85, "level_3": 80}
COEFFICIENT = {"level_1": Fraction("0.85"), "level_2": Fraction("0.95"), "level_3": Fraction("1.05")}
LOW = Fraction("0.4")
GROUPS_OF_SCHEME = 634
# Newest first: first day, figure.
WEIGHTS = {
    "BR23": [("2025-01-01", "0.92"), ("2024-01-01", "0.95")],
    "HC25": [("2024-01-01", "1.2")],
    "FM13": [("2024-01-01", "3.4")],
    "OB15": [("2025-01-01", "0.7")],
}
BASE_RATES = {"R01": [("2025-01-01", "10000"), ("2024-01-01", "9800")], "R02": [("2024-01-01", "9086.37")]}


class RefusedError(Exception):
    """The stay is refused with this code."""


def nearest(amount: Fraction, parts: int) -> Fraction:
    """The amount rounded to 1/parts, ties away from zero."""
    doubled = abs(amount) * 2 * parts
    units = (doubled.numerator // doubled.denominator + 1) // 2
    return Fraction(units if amount >= 0 else -units, parts)


def fen(amount: Fraction) -> Fraction:
    """The amount rounded to the fen."""
    return nearest(amount, 100)


def yuan(amount: Fraction) -> str:
    """The amount as a person writes it, `9,310.00`; up to six digits where it is no whole fen."""
    digits = next((n for n in (2, 3, 4, 5) if (amount * 10**n).denominator == 1), 6)
    scaled = abs(amount) * 10**digits
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**digits)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{digits}d}"


def on_day(rows: list[tuple[str, str]], day: str) -> Fraction | None:
    """The newest figure that holds on a day."""
    return next((Fraction(figure) for start, figure in rows if start <= day), None)


def multiple_of(weight: Fraction) -> Fraction:
    """The high-outlier multiple of a group: the heavier, the lower."""
    if weight <= 1:
        return Fraction(3)
    return Fraction("2.5") if weight <= 2 else Fraction(2)


def patient_side(bill: Bill) -> tuple[Values, list[str]]:
    """What patient and other funds pay by the itemised bill, with the arithmetic."""
    total, scope = Fraction(bill["total"]), Fraction(bill["in_scope"])
    other = Fraction(bill.get("other_funds") or 0)
    deductible = min(scope, Fraction(DEDUCTIBLE[bill["level"]]))
    percent = FUND_PERCENT[bill["level"]]
    exact = (scope - deductible) * percent / 100
    benefit = fen(exact)
    own = scope - benefit
    if other > own:
        raise RefusedError("RX721")
    line = f"fund's part ({yuan(scope)} - {yuan(deductible)}) x {percent}% = {yuan(exact)}"
    said = [line if exact == benefit else f"{line} -> {yuan(benefit)}"]
    said.append(f"patient and others {yuan(total)} - {yuan(benefit)} = {yuan(total - benefit)}")
    if other:
        said.append(f"of it others {yuan(other)}")
    left = own - other
    return {
        "deductible_due": deductible,
        "fund_benefit": benefit,
        "own_in_scope": own,
        "other_pays": other,
        "patient_and_other": total - benefit,
        "patient.out_of_scope": total - scope,
        "patient.deductible": min(deductible, left),
        "patient.coinsurance": left - min(deductible, left),
        "patient_pays": total - benefit - other,
    }, said


def group_side(bill: Bill) -> tuple[Values, list[str]]:
    """The kind of case and what the hospital is due for it, with the arithmetic."""
    total, day = Fraction(bill["total"]), bill["discharge_date"]
    weight = price = limit = None
    due, kind, said = total, "", ""
    if bill.get("case_payment", "yes") == "no":
        kind, said = "outside", f"not in case payment: {yuan(total)}"
    elif not bill.get("drg"):
        kind, said = "ungrouped", f"no group: {yuan(total)}"
    else:
        weight = on_day(WEIGHTS.get(bill["drg"], []), day)
        base = on_day(BASE_RATES.get(bill["region"], []), day)
        if weight is None or base is None:
            raise RefusedError("RX721")
        factor = COEFFICIENT[bill["level"]]
        exact = weight * base * factor
        price = fen(exact)
        multiple = multiple_of(weight)
        limit = fen(price * multiple)
        said = f"price {float(weight)} x {yuan(base)} x {float(factor)} = {yuan(exact)}"
        said += "" if exact == price else f" -> {yuan(price)}"
        if bill.get("review") == "approved":
            kind, said = "reviewed", f"{said}; approved special case: {yuan(total)}"
        elif total < price * LOW:
            kind, said = "low", f"{said}; below 0.4 x = {yuan(price * LOW)}: actual cost {yuan(total)}"
        elif total > limit:
            due = price + total - limit
            kind = "high"
            said += (
                f"; above {float(multiple):g} x = {yuan(limit)}: {yuan(price)} + {yuan(total - limit)} = {yuan(due)}"
            )
        else:
            due, kind = price, "normal"
    return {
        "weight": weight,
        "group_price": price,
        "high_limit": limit,
        "case_kind": kind,
        "by_group": kind in ("reviewed", "low", "normal", "high"),
        "standard": due,
    }, [said]


def settle(bill: Bill) -> tuple[Values, str]:
    """Every amount of one stay, and its arithmetic in one line."""
    if bill["discharge_date"] < bill["admission_date"] or Fraction(bill["in_scope"]) > Fraction(bill["total"]):
        raise RefusedError("RX722")
    if bill["discharge_date"] < "2024-01-01":
        raise RefusedError("RX723")
    ours, first = patient_side(bill)
    theirs, second = group_side(bill)
    got = {**ours, **theirs}
    total, paid_by_others = Fraction(bill["total"]), ours["patient_and_other"]
    fund = max(Fraction(0), got["standard"] - paid_by_others)
    gap = total - fund - paid_by_others
    got |= {
        "fund_pays": fund,
        "fund.pool": fund,
        "other.funds": got["other_pays"],
        "hospital_receives": fund + paid_by_others,
        "hospital_difference": gap,
        "hospital_pays": gap,
        "hospital.overrun": max(gap, Fraction(0)),
        "hospital.surplus": min(gap, Fraction(0)),
    }
    third = [f"fund {yuan(got['standard'])} - {yuan(paid_by_others)} = {yuan(got['standard'] - paid_by_others)}"]
    if got["standard"] < paid_by_others:
        third = [f"{third[0]}, not below 0.00"]
    third.append(f"hospital {yuan(total)} - {yuan(fund)} - {yuan(paid_by_others)} = {yuan(gap)}")
    return got, "; ".join(first + second + third)


def ratio(part: Fraction | int, whole: Fraction | int) -> Fraction:
    """A percentage to two decimals; 0 of nothing."""
    return nearest(Fraction(part) / whole, 10_000) if whole else Fraction(0)


def grouped(stays: list[tuple[Bill, Values]]) -> Values:
    """The figures of every hospital, area and year."""
    found: Values = {}
    kinds = (("hospital_year", ("hospital", "region")), ("region_year", ("region",)), ("country_year", ()))
    for kind, keys in kinds:
        rows: dict[tuple[str, ...], list[tuple[Bill, Values]]] = {}
        for bill, got in stays:
            rows.setdefault((*(bill[k] for k in keys), bill["discharge_date"][:4]), []).append((bill, got))
        for row, members in rows.items():
            name = ",".join(f"{k}={v}" for k, v in zip((*keys, "year"), row, strict=True))
            figures = FIGURES[kind](members, row[-1])
            found |= {f"groups.{kind}[{name}].{step}": value for step, value in figures.items()}
    return found


def hospital_figures(members: list[tuple[Bill, Values]], _: str) -> Values:
    """One hospital's year."""
    every = [got for _, got in members]
    cases = [got for got in every if got["by_group"]]
    approved = sum(got["case_kind"] == "reviewed" for got in cases)
    weights = sum((got["weight"] for got in cases), Fraction(0))
    return {
        "stays": len(every),
        "stays_by_group": len(cases),
        "low_outliers": sum(got["case_kind"] == "low" for got in cases),
        "high_outliers": sum(got["case_kind"] == "high" for got in cases),
        "reviews_approved": approved,
        "review_share": ratio(approved, len(cases)),
        "case_mix": nearest(weights / len(cases), 10_000) if cases else None,
        "cost": sum(Fraction(bill["total"]) for bill, _ in members),
        "due": sum(got["standard"] for got in every),
        "fund": sum(got["fund_pays"] for got in every),
        "patients": sum(got["patient_pays"] for got in every),
        "difference": sum(got["hospital_difference"] for got in every),
    }


def region_figures(members: list[tuple[Bill, Values]], year: str) -> Values:
    """One area's year: how far payment by DRG reaches."""
    cases = [(bill, got) for bill, got in members if got["by_group"]]
    groups = {bill["drg"] for bill, _ in cases}
    hospitals, paying = {bill["hospital"] for bill, _ in members}, {bill["hospital"] for bill, _ in cases}
    fund = sum(got["fund_pays"] for _, got in members)
    fund_cases = sum(got["fund_pays"] for _, got in cases)
    return {
        "stays": len(members),
        "hospitals": len(hospitals),
        "hospitals_by_group": len(paying),
        "stays_by_group": len(cases),
        "groups_used": len(groups),
        "fund": fund,
        "fund_by_group": fund_cases,
        "institution_coverage": ratio(len(paying), len(hospitals)),
        "stay_coverage": ratio(len(cases), len(members)),
        "group_coverage": ratio(len(groups), GROUPS_OF_SCHEME) if year >= "2025" else None,
        "fund_coverage": ratio(fund_cases, fund),
    }


def country_figures(members: list[tuple[Bill, Values]], _: str) -> Values:
    """All areas of a year."""
    regions, paying = {bill["region"] for bill, _ in members}, {b["region"] for b, got in members if got["by_group"]}
    return {
        "regions": len(regions),
        "regions_by_group": len(paying),
        "region_coverage": ratio(len(paying), len(regions)),
    }


FIGURES = {"hospital_year": hospital_figures, "region_year": region_figures, "country_year": country_figures}


def results(entry: dict[str, Any]) -> list[Values]:
    """The results of every stay of an example; a refused stay is in no group."""
    bills: list[Bill] = [one["episode"] for one in entry.get("episodes") or [entry]]
    found: list[Values] = []
    counted: list[tuple[Bill, Values]] = []
    for bill in bills:
        try:
            got = settle(bill)[0]
        except RefusedError as refused:
            found.append({"rejects": str(refused)})
        else:
            found.append(got)
            counted.append((bill, got))
    groups = grouped(counted)
    return [got if "rejects" in got else got | groups for got in found]


if __name__ == "__main__":
    days = {"admission_date": "2025-03-01", "discharge_date": "2025-03-10"}
    stay, text = settle({**days, **dict(a.split("=", 1) for a in sys.argv[1:])})
    shown = [f"  {k}: {yuan(v) if isinstance(v, Fraction) else v}" for k, v in stay.items()]
    sys.stdout.write("\n".join([text, *shown]) + "\n")
