"""One bill under six payment methods, worked out a second time with whole numbers of fen and plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on one stay to see the arithmetic:

    python tests/independent/rulebooks/national_methods.py region=R01 level=level_3 total=12000 in_scope=11000 drg=BR23
"""

from __future__ import annotations

import sys
from datetime import date
from fractions import Fraction
from typing import Any

Bill = dict[str, str]
Values = dict[str, Any]
Dated = list[tuple[str, str]]

DEDUCTIBLE = {"level_1": 300, "level_2": 500, "level_3": 800}
FUND_PERCENT = {"level_1": 90, "level_2": 85, "level_3": 80}
COEFFICIENT = {"level_1": "0.85", "level_2": "0.95", "level_3": "1.05"}
A_DAY = {"level_1": 450, "level_2": 800, "level_3": 1200}
# Newest first: first day, figure.
WEIGHTS: dict[str, Dated] = {
    "BR23": [("2025-01-01", "0.92"), ("2024-01-01", "0.95")],
    "HC25": [("2024-01-01", "1.2")],
    "FM13": [("2024-01-01", "3.4")],
    "OB15": [("2025-01-01", "0.7")],
}
BASE_RATES: dict[str, Dated] = {
    "R01": [("2025-01-01", "10000"), ("2024-01-01", "9800")],
    "R02": [("2024-01-01", "9086.37")],
}
MEAN_OF_ALL: Dated = [("2025-01-01", "10000"), ("2024-01-01", "9600")]
BUDGET_VALUE: Dated = [("2025-01-01", "9800"), ("2024-01-01", "9450")]
A_HEAD: Dated = [("2025-01-01", "520"), ("2024-01-01", "500")]
MEAN_COST: dict[str, Dated] = {
    "I63.9": [("2025-01-01", "9120"), ("2024-01-01", "9300")],
    "K80.1:51.2300": [("2024-01-01", "11800")],
    "I25.1:36.0700": [("2024-01-01", "34500")],
}
MEAN_AT_LEVEL: dict[tuple[str, str], Dated] = {
    ("I63.9", "level_1"): [("2024-01-01", "7000")],
    ("I63.9", "level_2"): [("2024-01-01", "8600")],
    ("I63.9", "level_3"): [("2025-01-01", "10000"), ("2024-01-01", "10400")],
    ("K80.1:51.2300", "level_2"): [("2024-01-01", "11000")],
    ("K80.1:51.2300", "level_3"): [("2024-01-01", "12600")],
}
PACKAGES: dict[str, Dated] = {"K80.1:51.2300": [("2024-01-01", "11500")], "I25.1:36.0700": [("2024-01-01", "33000")]}
METHODS = ("item", "package", "drg", "dip", "diem")


class RefusedError(Exception):
    """The stay is refused with this code."""


def nearest(amount: Fraction, parts: int) -> Fraction:
    """The amount rounded to 1/parts, ties away from zero."""
    doubled = abs(amount) * 2 * parts
    units = (doubled.numerator // doubled.denominator + 1) // 2
    return Fraction(units if amount >= 0 else -units, parts)


def yuan(amount: Fraction) -> str:
    """The amount as a person writes it, `9,310.00`; up to six digits where it is no whole fen."""
    digits = next((n for n in (2, 3, 4, 5) if (amount * 10**n).denominator == 1), 6)
    scaled = abs(amount) * 10**digits
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**digits)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{digits}d}"


def on_day(rows: Dated, day: str) -> Fraction | None:
    """The newest figure that holds on a day."""
    return next((Fraction(figure) for start, figure in rows if start <= day), None)


def surely(rows: Dated, day: str) -> Fraction:
    """The figure that holds on a day, on which there must be one."""
    found = on_day(rows, day)
    if found is None:
        raise RefusedError("RX721")
    return found


def by_drg(bill: Bill) -> tuple[Values, Fraction, str]:
    """What the hospital is due by its group, low and high outliers with it."""
    total, day = Fraction(bill["total"]), bill["discharge_date"]
    if not bill.get("drg"):
        return {"weight": None, "group_price": None, "high_limit": None}, total, "DRG: no group"
    weight, base = surely(WEIGHTS.get(bill["drg"], []), day), surely(BASE_RATES.get(bill["region"], []), day)
    exact = weight * base * Fraction(COEFFICIENT[bill["level"]])
    price = nearest(exact, 100)
    limit = nearest(price * (3 if weight <= 1 else Fraction(5, 2) if weight <= 2 else 2), 100)
    due = price
    said = f"DRG {float(weight)} x {yuan(base)} x {COEFFICIENT[bill['level']]} = {yuan(exact)}"
    said += "" if exact == price else f" -> {yuan(price)}"
    if total < price * Fraction(2, 5):
        due, said = total, f"{said}, low: actual cost"
    elif total > limit:
        due = price + total - limit
        said += f", high: + {yuan(total)} - {yuan(limit)} = {yuan(due)}"
    return {"weight": weight, "group_price": price, "high_limit": limit}, due, said


def by_dip(bill: Bill) -> tuple[Values, Fraction, str]:
    """What the hospital is due by points at the budget value, deviations with it."""
    total, day, disease = Fraction(bill["total"]), bill["discharge_date"], bill.get("disease")
    none: Values = {"base_points": None, "level_mean": None, "coefficient_of_deviation": None, "points": Fraction(0)}
    if not disease:
        return none, total, "DIP: no disease"
    cost = surely(MEAN_COST.get(disease, []), day)
    base = nearest(cost / surely(MEAN_OF_ALL, day), 10_000)
    mean = on_day(MEAN_AT_LEVEL.get((disease, bill["level"]), []), day) or cost
    if total * 2 < mean:
        exact = total / mean
    elif total > mean * 5:
        exact = Fraction(4)
    else:
        exact = max(total / mean - 1, Fraction(1))
    coefficient = nearest(exact, 10_000)
    points, value = nearest(base * coefficient, 10_000), surely(BUDGET_VALUE, day)
    due = nearest(points * value, 100) if points else total
    said = f"DIP {float(base)} x {float(coefficient)} = {float(points)} points x {yuan(value)} = {yuan(points * value)}"
    return (
        {"base_points": base, "level_mean": mean, "coefficient_of_deviation": coefficient, "points": points},
        due,
        said + ("" if due == points * value else f" -> {yuan(due)}"),
    )


def settle(bill: Bill) -> tuple[Values, str]:
    """Every amount of one stay that needs no other stay, and its arithmetic in one line."""
    came, left = date.fromisoformat(bill["admission_date"]), date.fromisoformat(bill["discharge_date"])
    total, scope = Fraction(bill["total"]), Fraction(bill["in_scope"])
    if left < came or scope > total:
        raise RefusedError("RX722")
    if left < date(2024, 1, 1):
        raise RefusedError("RX723")
    level, day, other = bill["level"], bill["discharge_date"], Fraction(bill.get("other_funds") or 0)
    deductible = min(scope, Fraction(DEDUCTIBLE[level]))
    benefit = nearest((scope - deductible) * FUND_PERCENT[level] / 100, 100)
    own, others = scope - benefit, total - benefit
    if other > own:
        raise RefusedError("RX721")
    days = max(1, (left - came).days)
    group, drg, drg_said = by_drg(bill)
    points, dip, dip_said = by_dip(bill)
    package = on_day(PACKAGES.get(bill.get("disease", ""), []), day)
    due = {
        "item": total,
        "package": total if package is None else package,
        "drg": drg,
        "dip": dip,
        "diem": Fraction(A_DAY[level] * days),
    }
    fund = {method: max(Fraction(0), due[method] - others) for method in METHODS}
    got: Values = {
        "deductible_due": deductible,
        "fund_benefit": benefit,
        "own_in_scope": own,
        "other_pays": other,
        "other.funds": other,
        "patient_and_other": others,
        "patient.out_of_scope": total - scope,
        "patient.deductible": min(deductible, own - other),
        "patient.coinsurance": max(Fraction(0), own - other - deductible),
        "patient_pays": others - other,
        "fund.pool": benefit,
        "fund_pays": benefit,
        "days_in_hospital": days,
        **group,
        **points,
    }
    for method in METHODS:
        got["due_per_diem" if method == "diem" else f"due_by_{method}"] = due[method]
        got["fund_per_diem" if method == "diem" else f"fund_by_{method}"] = fund[method]
    first = f"({yuan(scope)} - {yuan(deductible)}) x {FUND_PERCENT[level]}% = {yuan(benefit)}"
    said = [f"by item {first}, patient and others {yuan(others)}"]
    said.append(f"package {yuan(package)}" if package is not None else "no package: by item")
    said += [drg_said, dip_said, f"per diem {days} x {A_DAY[level]} = {yuan(due['diem'])}"]
    said.append("fund = due less patient and others: " + ", ".join(f"{m} {yuan(fund[m])}" for m in METHODS))
    return got, "; ".join(said)


def hospitals(
    stays: list[tuple[Bill, Values]], heads: dict[tuple[str, str, str], int]
) -> dict[tuple[str, str, str], Values]:
    """Every hospital's year under every method."""
    rows: dict[tuple[str, str, str], Values] = {key: {"stays": 0} for key in heads}
    for bill, got in stays:
        row = rows.setdefault((bill["hospital"], bill["region"], bill["discharge_date"][:4]), {"stays": 0})
        row["stays"] += 1
        row["cost"] = row.get("cost", Fraction(0)) + Fraction(bill["total"])
        row["patients"] = row.get("patients", Fraction(0)) + got["patient_pays"]
        for method in METHODS:
            amount = got["fund_per_diem" if method == "diem" else f"fund_by_{method}"]
            row[f"fund_{method}"] = row.get(f"fund_{method}", Fraction(0)) + amount
    for key, row in rows.items():
        for name in ("cost", "patients", *(f"fund_{method}" for method in METHODS)):
            row.setdefault(name, Fraction(0))
        for method in METHODS[1:]:
            row[f"{method}_change"] = row[f"fund_{method}"] - row["fund_item"]
        budget = heads[key] * surely(A_HEAD, f"{key[2]}-12-31") if key in heads else None
        row["head_budget"] = budget
        row["head_change"] = None if budget is None else budget - row["fund_item"]
    return rows


def given(entry: dict[str, Any]) -> list[Bill]:
    """The rows of hospitals that an example gives."""
    rows = (entry.get("groups") or {}).get("hospital_year") or []
    return [rows] if isinstance(rows, dict) else list(rows)


def results(entry: dict[str, Any]) -> list[Values]:
    """The results of every stay of an example; a refused stay is in no group."""
    bills: list[Bill] = [one["episode"] for one in entry.get("episodes") or [entry]]
    rows = given(entry)
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
    if any("head_budget" in row for row in rows):
        budget, cost = Fraction(rows[0]["head_budget"]), Fraction(rows[0]["cost"])
        for bill, got in counted:
            got["fund_per_head"] = nearest(budget * Fraction(bill["total"]) / cost, 100)
        return found
    heads = {(row["hospital"], row["region"], row["year"]): int(row["heads"]) for row in rows if "heads" in row}
    by_hospital = hospitals(counted, heads)
    groups: Values = {}
    years: dict[str, Values] = {}
    for (hospital, region, year), row in by_hospital.items():
        name = f"groups.hospital_year[hospital={hospital},region={region},year={year}]"
        groups |= {f"{name}.{step}": value for step, value in row.items()}
        whole = years.setdefault(year, {"fund_head": Fraction(0)})
        for name in ("stays", "cost", "patients", *(f"fund_{method}" for method in METHODS)):
            whole[name] = whole.get(name, 0) + row[name]
        whole["fund_head"] += row["head_budget"] or 0
    for year, row in years.items():
        groups |= {f"groups.all_hospitals[year={year}].{step}": value for step, value in row.items()}
    for bill, got in counted:
        row = by_hospital[bill["hospital"], bill["region"], bill["discharge_date"][:4]]
        budget = row["head_budget"]
        part = None if budget is None else nearest(budget * Fraction(bill["total"]) / row["cost"], 100)
        got |= {"fund_per_head": part, **groups}
    return found


if __name__ == "__main__":
    days_ = {"admission_date": "2025-03-01", "discharge_date": "2025-03-10"}
    stay, text = settle({**days_, **dict(a.split("=", 1) for a in sys.argv[1:])})
    shown = [f"  {k}: {yuan(v) if isinstance(v, Fraction) else v}" for k, v in stay.items()]
    sys.stdout.write("\n".join([text, *shown]) + "\n")
