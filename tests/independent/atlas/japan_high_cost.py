"""The Japanese high-cost benefit worked out a second time: month by month through each household's ledger.

It shares no code with rxcalc; all amounts are whole yen. `EXAMPLES` holds the receipts of the examples, `expected()`
what each of them and each household's month comes to.
"""

from __future__ import annotations

from typing import Any

PLAIN_LIMIT = {"a": 252_600, "b": 167_400, "c": 80_100, "d": 57_600, "e": 35_400}
ONE_PERCENT_ABOVE = {"a": 842_000, "b": 558_000, "c": 267_000}
FOURTH_MONTH_LIMIT = {"a": 140_100, "b": 93_000, "c": 44_400, "d": 44_400, "e": 24_600}

Entry = dict[str, Any]


def receipt(number: str, day: str, cost: str, person: str = "taro", **more: str) -> Entry:
    """One receipt of an inpatient of household H1 in hospital A, unless told otherwise."""
    of = {"episode_id": number, "household_id": "H1", "person_id": person, "hospital": "A", "inpatient": "yes"}
    return {"episode": {**of, "service_date": day, "cost": cost, **more}}


def month_of(income: str, *receipts: Entry) -> Entry:
    """Receipts of one household in one month."""
    month_start = f"{receipts[0]['episode']['service_date'][:7]}-01"
    groups = {"household_month": {"household": "H1", "month_start": month_start, "income": income}}
    if len(receipts) == 1:
        return {"groups": groups, **receipts[0]}
    return {"groups": groups, "episodes": list(receipts)}


def months_of(incomes: dict[str, str], *receipts: Entry) -> Entry:
    """Receipts of several months; `incomes` gives the class by `household month`."""
    rows = []
    for key, income in incomes.items():
        household, month = key.split()
        rows.append({"household": household, "month_start": f"{month}-01", "income": income})
    return {"groups": {"household_month": rows}, "episodes": list(receipts)}


EXAMPLES: dict[str, Entry] = {
    "the guide's own example: one million yen, class c": month_of("c", receipt("A1", "2024-05-20", "1000000")),
    "one million yen, class a": month_of("a", receipt("A2", "2024-05-20", "1000000")),
    "one million yen, class b": month_of("b", receipt("A3", "2024-05-20", "1000000")),
    "one million yen, class d": month_of("d", receipt("A4", "2024-05-20", "1000000")),
    "one million yen, class e": month_of("e", receipt("A5", "2024-05-20", "1000000")),
    "a yen below the limit": month_of("e", receipt("B1", "2024-05-20", "117997")),
    "exactly the limit": month_of("e", receipt("B2", "2024-05-20", "118000")),
    "a yen above the limit": month_of("e", receipt("B3", "2024-05-20", "118004")),
    "the copayment is rounded to the yen": month_of("e", receipt("B4", "2024-05-20", "117999")),
    "cost at the start of the one percent": month_of("c", receipt("B5", "2024-05-20", "267000")),
    "half a yen of the one percent": month_of("c", receipt("B6", "2024-05-20", "267050")),
    "less than half a yen of the one percent": month_of("c", receipt("B7", "2024-05-20", "267049")),
    "nothing to pay": month_of("c", receipt("B8", "2024-05-20", "0")),
    "20,997 yen elsewhere do not count": month_of(
        "c",
        receipt("C1", "2024-05-08", "600000"),
        receipt("C2", "2024-05-20", "69990", hospital="B", inpatient="no"),
    ),
    "21,000 yen elsewhere count": month_of(
        "c",
        receipt("C3", "2024-05-08", "600000"),
        receipt("C4", "2024-05-20", "70000", hospital="B", inpatient="no"),
    ),
    "two receipts of one hospital are added": month_of(
        "d",
        receipt("C5", "2024-05-08", "40000"),
        receipt("C6", "2024-05-31", "30000"),
        receipt("C7", "2024-05-31", "400000", "hana"),
    ),
    "in and out of one hospital are not added": month_of(
        "d",
        receipt("C8", "2024-05-08", "40000"),
        receipt("C9", "2024-05-31", "30000", inpatient="no"),
        receipt("C10", "2024-05-31", "400000", "hana"),
    ),
    "nothing in the household reaches 21,000": month_of(
        "e",
        receipt("C11", "2024-05-08", "69990"),
        receipt("C12", "2024-05-31", "69990", "hana"),
        receipt("C13", "2024-05-31", "69990", "jiro"),
    ),
    "two members of a household": month_of(
        "c",
        receipt("D1", "2024-05-08", "500000"),
        receipt("D2", "2024-05-31", "300000", "hana"),
    ),
    "the worked example of a city: a couple, four bills": month_of(
        "c",
        receipt("D5", "2024-12-03", "200000", "otto", inpatient="no"),
        receipt("D6", "2024-12-09", "400000", "otto", hospital="B"),
        receipt("D7", "2024-12-12", "100000", "tsuma", hospital="C", inpatient="no"),
        receipt("D8", "2024-12-13", "10000", "tsuma", hospital="D", inpatient="no"),
    ),
    "the odd yen goes to the first of two equals": month_of(
        "c",
        receipt("D4", "2024-05-08", "300050", "hana"),
        receipt("D3", "2024-05-08", "300050"),
    ),
    "two months of one stay are two months": months_of(
        {"H1 2024-05": "c", "H1 2024-06": "c"},
        receipt("E1", "2024-05-31", "500000"),
        receipt("E2", "2024-06-01", "500000"),
    ),
    "two households": months_of(
        {"H1 2024-05": "c", "H2 2024-05": "a"},
        receipt("E3", "2024-05-10", "900000"),
        receipt("E4", "2024-05-10", "900000", household_id="H2"),
    ),
    "the fourth month": months_of(
        {f"H1 2024-0{month}": "e" for month in (1, 2, 3, 4)},
        *(receipt(f"F{month}", f"2024-0{month}-15", "200000") for month in (1, 2, 3, 4)),
    ),
    "a month without benefit does not count": months_of(
        {f"H1 2024-0{month}": "e" for month in (1, 2, 3, 4, 5)},
        receipt("G1", "2024-01-15", "200000"),
        receipt("G2", "2024-02-15", "118000"),
        receipt("G3", "2024-03-15", "200000"),
        receipt("G4", "2024-04-15", "200000"),
        receipt("G5", "2024-05-15", "118000"),
    ),
    "the twelfth month still sees the first": months_of(
        {"H1 2024-01": "c", "H1 2024-02": "c", "H1 2024-03": "c", "H1 2024-12": "c"},
        receipt("I1", "2024-01-31", "1000000"),
        receipt("I2", "2024-02-01", "1000000"),
        receipt("I3", "2024-03-01", "1000000"),
        receipt("I4", "2024-12-01", "1000000"),
    ),
    "the thirteenth month no longer sees the first": months_of(
        {"H1 2024-01": "c", "H1 2024-02": "c", "H1 2024-03": "c", "H1 2025-01": "c"},
        receipt("J1", "2024-01-31", "1000000"),
        receipt("J2", "2024-02-01", "1000000"),
        receipt("J3", "2024-03-01", "1000000"),
        receipt("J4", "2025-01-01", "1000000"),
    ),
    "the class is that of the month": months_of(
        {"H1 2024-07": "b", "H1 2024-08": "d", "H1 2024-09": "d", "H1 2024-10": "a"},
        receipt("K1", "2024-07-15", "700000"),
        receipt("K2", "2024-08-15", "700000"),
        receipt("K3", "2024-09-15", "700000"),
        receipt("K4", "2024-10-15", "700000"),
    ),
    "the months count for the household, not the person": months_of(
        {f"H1 2024-0{month}": "e" for month in (1, 2, 3, 4)},
        receipt("L1", "2024-01-15", "200000"),
        receipt("L2", "2024-02-15", "200000", "hana"),
        receipt("L3", "2024-03-15", "200000", "jiro"),
        receipt("L4", "2024-04-15", "200000", "hana"),
        receipt("L5", "2024-04-16", "60000", "hana"),
    ),
}

# Examples that also look at what one person had at one hospital.
WITH_CLAIMS = (
    "two receipts of one hospital are added",
    "in and out of one hospital are not added",
    "the months count for the household, not the person",
)


def share_out(amount: int, weights: list[int]) -> list[int]:
    """The amount in whole yen by the weights; the yen left over go to the largest fractions, the first of equals first."""
    total = sum(weights)
    if amount == 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    fractions = [amount * weight % total for weight in weights]
    for at in sorted(range(len(weights)), key=lambda i: (-fractions[i], i))[: amount - sum(parts)]:
        parts[at] += 1
    return parts


def month_number(month: str) -> int:
    """Months since the year 0."""
    return int(month[:4]) * 12 + int(month[5:7])


def settle_month(receipts: list[dict[str, str]], income: str, hits: int) -> tuple[dict[str, str], list[dict[str, str]]]:
    """A household's month, and each of its receipts, which stand in their order.

    Keys of the month that name a claim belong to what one person had at one hospital, in or out.
    """
    copays = [(int(r["cost"]) * 3 + 5) // 10 for r in receipts]
    claims = [(r["person_id"], r["hospital"], r["inpatient"]) for r in receipts]
    of_claim = {key: sum(c for c, k in zip(copays, claims, strict=True) if k == key) for key in claims}
    counts = [of_claim[key] >= 21_000 for key in claims]
    counted = [copay if yes else 0 for copay, yes in zip(copays, counts, strict=True)]
    cost = sum(int(r["cost"]) for r, yes in zip(receipts, counts, strict=True) if yes)
    if hits >= 3:
        limit = FOURTH_MONTH_LIMIT[income]
    else:
        limit = PLAIN_LIMIT[income]
        if income in ONE_PERCENT_ABOVE:
            limit += (max(0, cost - ONE_PERCENT_ABOVE[income]) + 50) // 100
    benefit = max(0, sum(counted) - limit)
    parts = share_out(benefit, counted)
    month = {
        "copays": str(sum(counted)),
        "costs": str(cost),
        "months_before": str(hits),
        "limit": str(limit),
        "benefit": str(benefit),
        "patient_pays": str(sum(counted) - benefit),
    }
    for key in of_claim:
        place = f"person={key[0]},place={key[1]},bedded={key[2]}"
        month[f"{place}.copay_sum"] = str(of_claim[key])
        month[f"{place}.counts"] = "yes" if of_claim[key] >= 21_000 else "no"
    rows = [
        {
            "copay": str(copay),
            "counted_copay": str(own),
            "benefit_part": str(part),
            "fund_pays": str(int(r["cost"]) - copay + part),
            "patient_pays": str(copay - part),
        }
        for r, copay, own, part in zip(receipts, copays, counted, parts, strict=True)
    ]
    return month, rows


def run(entry: Entry) -> tuple[dict[str, dict[str, str]], dict[tuple[str, str], dict[str, str]]]:
    """Every receipt by its number, and every household's month by household and month."""
    listed = entry.get("episodes", [entry])
    given = entry["groups"]["household_month"]
    months: dict[tuple[str, str], list[dict[str, str]]] = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["service_date"], i["episode"]["episode_id"])):
        episode = item["episode"]
        months.setdefault((episode["household_id"], episode["service_date"][:7]), []).append(episode)
    results: dict[str, dict[str, str]] = {}
    settled: dict[tuple[str, str], dict[str, str]] = {}
    for household, month in sorted(months):
        if isinstance(given, dict):
            income = given["income"]
        else:
            wanted = (household, f"{month}-01")
            income = next(row["income"] for row in given if (row["household"], row["month_start"]) == wanted)
        hits = sum(
            1
            for (other, earlier), found in settled.items()
            if other == household and 0 < month_number(month) - month_number(earlier) < 12 and found["benefit"] != "0"
        )
        settled[household, month], rows = settle_month(months[household, month], income, hits)
        results.update({r["episode_id"]: row for r, row in zip(months[household, month], rows, strict=True)})
    return results, settled


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several receipts.

    The months of the households stand with the last receipt that falls into them.
    """
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        results, months = run(entry)
        listed = entry.get("episodes", [entry])
        last: dict[tuple[str, str], str] = {}
        for at, item in enumerate(listed, 1):
            episode = item["episode"]
            key = name if "episode" in entry else f"{name}#{at}"
            found[key] = dict(results[episode["episode_id"]])
            last[episode["household_id"], episode["service_date"][:7]] = key
        for (household, month), key in last.items():
            row = f"household={household},month_start={month}-01"
            single = isinstance(entry["groups"]["household_month"], dict)
            for step, amount in months[household, month].items():
                claim, _, name_of_step = step.rpartition(".")
                if not claim:
                    place = "groups.household_month" if single else f"groups.household_month[{row}]"
                    found[key][f"{place}.{step}"] = amount
                elif name in WITH_CLAIMS:
                    found[key][f"groups.claim_month[{row},{claim}].{name_of_step}"] = amount
    return found
