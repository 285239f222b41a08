"""Payment by disease points (DIP) worked out a second time, with plain fractions, from the formulas.

The points of all stays come first, then the value of a point in every area and year, then the money: two passes, as an
insurer would do them by hand. It shares no code with rxcalc, so that the two can disagree. Run it on one stay, with the
values of a point given:

    python tests/independent/rulebooks/national_dip.py level=level_3 total=12000 in_scope=11000 disease=I63.9 \
        value=9786.1234 budget=9800.5
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

Bill = dict[str, str]
Values = dict[str, Any]
Area = tuple[str, int]

DEDUCTIBLE = {"level_1": 300, "level_2": 500, "level_3": 800}
FUND_PERCENT = {"level_1": 90, "level_2": 85, "level_3": 80}
# Newest first: first day, figure.
MEAN_OF_ALL = [("2025-01-01", "10000"), ("2024-01-01", "9600")]
MEAN_COST = {
    "I63.9": [("2025-01-01", "9120"), ("2024-01-01", "9300")],
    "K80.1:51.2300": [("2024-01-01", "11800")],
    "I25.1:36.0700": [("2024-01-01", "34500")],
}
MEAN_AT_LEVEL = {
    ("I63.9", "level_1"): [("2024-01-01", "7000")],
    ("I63.9", "level_2"): [("2024-01-01", "8600")],
    ("I63.9", "level_3"): [("2025-01-01", "10000"), ("2024-01-01", "10400")],
    ("K80.1:51.2300", "level_2"): [("2024-01-01", "11000")],
    ("K80.1:51.2300", "level_3"): [("2024-01-01", "12600")],
}
RATIO = {2024: Fraction(70, 100)}
RATIO_SINCE_2025 = Fraction(75, 100)
BY_POINTS = ("low", "normal", "high", "expert")


class RefusedError(Exception):
    """The stay is refused with this code."""


def nearest(amount: Fraction, parts: int) -> Fraction:
    """The amount rounded to 1/parts, ties away from zero."""
    doubled = abs(amount) * 2 * parts
    units = (doubled.numerator // doubled.denominator + 1) // 2
    return Fraction(units if amount >= 0 else -units, parts)


def cut(amount: Fraction) -> Fraction:
    """The amount cut to 4 decimals (it is never negative here)."""
    return Fraction(amount.numerator * 10_000 // amount.denominator, 10_000)


def fen(amount: Fraction) -> Fraction:
    """The amount rounded to the fen."""
    return nearest(amount, 100)


def yuan(amount: Fraction) -> str:
    """The amount as a person writes it, `9,310.00`; up to six digits, and two dots where there are more."""
    digits = next((n for n in (2, 3, 4, 5, 6) if (amount * 10**n).denominator == 1), 0)
    shown = digits or 6
    scaled = abs(amount) * 10**shown
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**shown)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{shown}d}{'' if digits else '..'}"


def rounded(exact: Fraction, value: Fraction) -> str:
    """The exact figure, and what it was rounded to."""
    return yuan(exact) if exact == value else f"{yuan(exact)} -> {yuan(value)}"


def on_day(rows: list[tuple[str, str]], day: str) -> Fraction | None:
    """The newest figure that holds on a day."""
    return next((Fraction(figure) for start, figure in rows if start <= day), None)


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
    said = [f"fund's part ({yuan(scope)} - {yuan(deductible)}) x {percent}% = {rounded(exact, benefit)}"]
    said.append(f"patient and others {yuan(total)} - {yuan(benefit)} = {yuan(total - benefit)}")
    if other:
        said.append(f"of it others {yuan(other)}")
    left = own - other
    return {
        "deductible_due": deductible,
        "fund_benefit": benefit,
        "own_in_scope": own,
        "other_pays": other,
        "other.funds": other,
        "patient_and_other": total - benefit,
        "patient.out_of_scope": total - scope,
        "patient.deductible": min(deductible, left),
        "patient.coinsurance": left - min(deductible, left),
        "patient_pays": total - benefit - other,
    }, said


def deviation(by_mean: Fraction) -> tuple[str, Fraction]:
    """The kind of case and the coefficient of its points, from cost / mean."""
    if by_mean < Fraction(1, 2):
        return "low", by_mean
    if by_mean > 5:
        return "expert", Fraction(5 - 2 + 1)
    if by_mean > 2:
        return "high", by_mean - 2 + 1
    return "normal", Fraction(1)


def points_side(bill: Bill) -> tuple[Values, list[str]]:
    """The points of one stay, with the arithmetic."""
    total, day, disease = Fraction(bill["total"]), bill["discharge_date"], bill.get("disease")
    got: Values = {"base_points": None, "level_mean": None, "coefficient": None, "points": Fraction(0)}
    said = ["by item: 0 points"]
    if bill.get("case_payment", "yes") == "no":
        got["case_kind"] = "outside"
    elif not disease:
        got["case_kind"] = "uncoded"
    else:
        mean_of_all = on_day(MEAN_OF_ALL, day)
        mean = on_day(MEAN_COST.get(disease, []), day)
        if mean is None or mean_of_all is None:
            raise RefusedError("RX721")
        base = nearest(mean / mean_of_all, 10_000)
        at_level = on_day(MEAN_AT_LEVEL.get((disease, bill["level"]), []), day) or mean
        kind, exact = deviation(total / at_level)
        if bill.get("review") == "approved":
            kind, exact = "reviewed", Fraction(1)
        coefficient = nearest(exact, 10_000)
        points = nearest(base * coefficient, 10_000) if kind in BY_POINTS else Fraction(0)
        got |= {"base_points": base, "level_mean": at_level, "coefficient": coefficient, "case_kind": kind}
        got["points"] = points
        said = [f"disease {yuan(mean)} / {yuan(mean_of_all)} = {rounded(mean / mean_of_all, base)} points"]
        if kind in ("low", "high"):
            took = "" if kind == "low" else " - 2 + 1"
            said.append(f"coefficient {yuan(total)} / {yuan(at_level)}{took} = {rounded(exact, coefficient)}")
        elif kind == "expert":
            said.append(f"{yuan(total)} above 5 x {yuan(at_level)}: coefficient 5 - 2 + 1 = 4")
        if kind == "reviewed":
            said.append("approved special case, by item: 0 points")
        elif coefficient != 1:
            said.append(f"points {yuan(base)} x {yuan(coefficient)} = {rounded(base * coefficient, points)}")
    got["by_points"] = got["case_kind"] in BY_POINTS
    got["in_dip"] = got["by_points"] or got["case_kind"] == "reviewed"
    return got, said


def first_pass(bill: Bill) -> tuple[Values, list[str]]:
    """Everything of a stay that needs no value of a point."""
    if bill["discharge_date"] < bill["admission_date"] or Fraction(bill["in_scope"]) > Fraction(bill["total"]):
        raise RefusedError("RX722")
    if bill["discharge_date"] < "2024-01-01":
        raise RefusedError("RX723")
    ours, first = patient_side(bill)
    points, second = points_side(bill)
    return ours | points, first + second


def second_pass(bill: Bill, got: Values, value: Fraction | None, budget: Fraction | None) -> tuple[Values, list[str]]:
    """The money of a stay, at the settled and the budget value of a point."""
    total, others = Fraction(bill["total"]), got["patient_and_other"]
    if got["by_points"]:
        if value is None:
            raise RefusedError("RX809")
        exact = got["points"] * value
        due = fen(exact)
        said = [f"due {yuan(got['points'])} x {yuan(value)} = {rounded(exact, due)}"]
        ahead = Fraction(0)
        if budget is not None:
            whole = got["points"] * budget - others
            ahead = fen(max(Fraction(0), whole))
            said.append(f"advance {yuan(got['points'])} x {yuan(budget)} - {yuan(others)} = {rounded(whole, ahead)}")
        else:
            said.append("advance 0.00: no budget value")
    else:
        due, ahead, said = total, got["fund_benefit"], [f"due by item {yuan(total)}"]
    fund = max(Fraction(0), due - others)
    floor = "" if due >= others else ", not below 0.00"
    gap = total - fund - others
    said += [f"fund {yuan(due)} - {yuan(others)} = {yuan(due - others)}{floor}"]
    said += [f"clearing {yuan(fund)} - {yuan(ahead)} = {yuan(fund - ahead)}"]
    said += [f"hospital {yuan(total)} - {yuan(fund)} - {yuan(others)} = {yuan(gap)}"]
    return {
        "standard": due,
        "fund_pays": fund,
        "fund.pool": fund,
        "advance": ahead,
        "clearing": fund - ahead,
        "hospital_receives": fund + others,
        "hospital_difference": gap,
        "hospital_pays": gap,
        "hospital.overrun": max(gap, Fraction(0)),
        "hospital.surplus": min(gap, Fraction(0)),
    }, said


def area_of(bill: Bill) -> Area:
    """Area and year of a stay."""
    return bill["region"], int(bill["discharge_date"][:4])


def values_of_points(stays: list[tuple[Bill, Values]], files: dict[Area, Bill]) -> dict[Area, Values]:
    """The settled and the budget value of a point, area by area and year by year."""
    areas: dict[Area, Values] = {}
    for area in sorted({*files, *(area_of(bill) for bill, _ in stays)}):
        members = [got for bill, got in stays if area_of(bill) == area]
        given = {k: Fraction(v) for k, v in files.get(area, {}).items() if k not in ("region", "year")}
        points = sum((got["points"] for got in members), Fraction(0))
        first = sum((g["fund_benefit"] for g in members if g["case_kind"] in ("uncoded", "reviewed")), Fraction(0))
        value: Fraction | None = Fraction(0)
        if points and "fund" in given:
            ratio = RATIO.get(area[1], RATIO_SINCE_2025)
            value = cut(max(Fraction(0), given["fund"] - first) / ratio / points)
        elif points:
            value = None
        row: Values = {
            "points_total": points,
            "by_item_first": first,
            "point_value": value,
            "given_fund": given.get("fund"),
        }
        for back in (1, 2, 3):
            past = areas.get((area[0], area[1] - back))
            settled = past["point_value"] if past and past["points_total"] else None
            row[f"settled_{back}"] = settled
            row[f"prior_{back}"] = settled if settled is not None else given.get(f"given_{back}")
        priors = [row[f"prior_{back}"] for back in (1, 2, 3)]
        row["budget_point_value"] = None
        if None not in priors:
            row["budget_point_value"] = cut((7 * priors[0] + 2 * priors[1] + priors[2]) / 10)
        areas[area] = row
    return areas


def ratio_of(part: Fraction | int, whole: Fraction | int) -> Fraction:
    """A percentage to two decimals; 0 of nothing."""
    return nearest(Fraction(part) / whole, 10_000) if whole else Fraction(0)


def total_of(name: str, members: list[tuple[Bill, Values]]) -> Fraction:
    """One figure of all members added up."""
    return sum((got[name] for _, got in members), Fraction(0))


def hospital_rows(stays: list[tuple[Bill, Values]]) -> Values:
    """Every hospital's year."""
    found: Values = {}
    for key in sorted({(bill["hospital"], *area_of(bill)) for bill, _ in stays}):
        members = [(bill, got) for bill, got in stays if (bill["hospital"], *area_of(bill)) == key]
        kinds = [got["case_kind"] for _, got in members]
        cases = sum(got["in_dip"] for _, got in members)
        fund, ahead = total_of("fund_pays", members), total_of("advance", members)
        figures = {
            "stays": len(members),
            "dip_cases": cases,
            "deviations": sum(kind in ("low", "high", "expert") for kind in kinds),
            "reviews_approved": kinds.count("reviewed"),
            "review_share": ratio_of(kinds.count("reviewed"), cases),
            "points": total_of("points", members),
            "cost": sum((Fraction(bill["total"]) for bill, _ in members), Fraction(0)),
            "due": total_of("standard", members),
            "patients": total_of("patient_pays", members),
            "fund": fund,
            "advance": ahead,
            "clearing": fund - ahead,
            "difference": total_of("hospital_difference", members),
        }
        name = f"groups.hospital_year[hospital={key[0]},region={key[1]},year={key[2]}]"
        found |= {f"{name}.{step}": value for step, value in figures.items()}
    return found


def area_rows(stays: list[tuple[Bill, Values]], areas: dict[Area, Values]) -> Values:
    """Every area's year, and all areas of a year."""
    found: Values = {}
    for area, row in areas.items():
        members = [(bill, got) for bill, got in stays if area_of(bill) == area]
        cases = [(bill, got) for bill, got in members if got["in_dip"]]
        inside = [(bill, got) for bill, got in members if got["case_kind"] != "outside"]
        hospitals, paying = {bill["hospital"] for bill, _ in members}, {bill["hospital"] for bill, _ in cases}
        spent, fund_all = total_of("fund_pays", inside), total_of("fund_pays", members)
        figures = {k: v for k, v in row.items() if k != "given_fund"} | {
            "spent": spent,
            "advanced": total_of("advance", inside),
            "unspent": None if row["given_fund"] is None else row["given_fund"] - spent,
            "stays": len(members),
            "dip_cases": len(cases),
            "hospitals": len(hospitals),
            "hospitals_by_points": len(paying),
            "diseases_used": len({bill["disease"] for bill, _ in cases}),
            "fund_all": fund_all,
            "fund_dip": total_of("fund_pays", cases),
            "institution_coverage": ratio_of(len(paying), len(hospitals)),
            "stay_coverage": ratio_of(len(cases), len(members)),
            "fund_coverage": ratio_of(total_of("fund_pays", cases), fund_all),
        }
        name = f"groups.region_year[region={area[0]},year={area[1]}]"
        found |= {f"{name}.{step}": value for step, value in figures.items()}
    for year in sorted({area_of(bill)[1] for bill, _ in stays}):
        own = [(bill, got) for bill, got in stays if area_of(bill)[1] == year]
        regions, paying = {bill["region"] for bill, _ in own}, {bill["region"] for bill, got in own if got["in_dip"]}
        name = f"groups.country_year[year={year}]"
        found |= {f"{name}.regions": len(regions), f"{name}.regions_by_points": len(paying)}
        found[f"{name}.region_coverage"] = ratio_of(len(paying), len(regions))
    return found


def given_rows(entry: dict[str, Any]) -> list[Bill]:
    """The rows of areas that an example gives: inputs of the year, or its results for a single stay."""
    rows = (entry.get("groups") or {}).get("region_year") or []
    return [rows] if isinstance(rows, dict) else list(rows)


def results(entry: dict[str, Any]) -> list[Values]:
    """The results of every stay of an example; a stay refused in the first pass is in no group."""
    bills: list[Bill] = [one["episode"] for one in entry.get("episodes") or [entry]]
    rows = given_rows(entry)
    single = next((row for row in rows if "point_value" in row or "budget_point_value" in row), None)
    known: dict[int, Values] = {}
    found: list[Values] = [{} for _ in bills]
    for n, bill in enumerate(bills):
        try:
            known[n] = first_pass(bill)[0]
        except RefusedError as refused:
            found[n] = {"rejects": str(refused)}
    files = {(row["region"], int(row["year"])): row for row in rows} if single is None else {}
    areas = values_of_points([(bills[n], got) for n, got in known.items()], files)
    settled: list[tuple[Bill, Values]] = []
    for n, got in known.items():
        row = areas[area_of(bills[n])]
        value, budget = row["point_value"], row["budget_point_value"]
        if single is not None:
            value = Fraction(single["point_value"])
            budget = Fraction(single["budget_point_value"]) if "budget_point_value" in single else None
        try:
            found[n] = got | second_pass(bills[n], got, value, budget)[0]
            settled.append((bills[n], found[n]))
        except RefusedError as refused:
            found[n] = {"rejects": str(refused)}
    if single is None and len(settled) == len(known):
        groups = hospital_rows(settled) | area_rows(settled, areas)
        found = [got if "rejects" in got else got | groups for got in found]
    return found


def working(bill: Bill, value: Fraction | None, budget: Fraction | None) -> str:
    """The arithmetic of one stay in one line."""
    got, first = first_pass(bill)
    return "; ".join(first + second_pass(bill, got, value, budget)[1])


if __name__ == "__main__":
    stay = {"admission_date": "2025-03-01", "discharge_date": "2025-03-10", "region": "R01"}
    stay |= dict(a.split("=", 1) for a in sys.argv[1:])
    at, ahead = (Fraction(stay.pop(name)) if name in stay else None for name in ("value", "budget"))
    sys.stdout.write(working(stay, at, ahead) + "\n")
