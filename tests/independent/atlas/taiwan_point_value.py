"""Taiwan's floating point value worked out a second time: ten-thousandths of a dollar, by long division.

It shares no code with rxcalc. `EXAMPLES` holds the claims of the examples, `expected()` what each of them and each
region's quarter comes to.
"""

from __future__ import annotations

from typing import Any

UNIT = 10_000  # a point value is a whole number of these parts of a dollar

Entry = dict[str, Any]


def claim(number: str, day: str, fixed: int, floating: int, region: str = "taipei") -> Entry:
    """One claim."""
    points = {"fixed_points": str(fixed), "floating_points": str(floating)}
    return {"episode": {"episode_id": number, "region": region, "service_date": day, **points}}


def quarter_of(day: str) -> str:
    """The first day of the quarter."""
    return f"{day[:4]}-{(int(day[5:7]) - 1) // 3 * 3 + 1:02d}-01"


def quarter(budget: int, *claims: Entry) -> Entry:
    """Claims of one region and quarter."""
    row = {"area": "taipei", "quarter_start": quarter_of(claims[0]["episode"]["service_date"]), "budget": str(budget)}
    return {"groups": {"region_quarter": row}, "episodes": list(claims)}


def given(value: str, one: Entry) -> Entry:
    """A claim before the quarter is complete, at a point value that was announced."""
    return {"groups": {"region_quarter": {"point_value": value}}, **one}


EXAMPLES: dict[str, Entry] = {
    "a quarter of three claims": quarter(
        9000,
        claim("A1", "2024-01-01", 2000, 3000),
        claim("A2", "2024-02-29", 0, 4000),
        claim("A3", "2024-03-31", 500, 0),
    ),
    "the budget pays each point in full": quarter(10000, claim("B1", "2024-05-05", 4000, 6000)),
    "a dollar less": quarter(9999, claim("B2", "2024-05-05", 4000, 6000)),
    "a dollar more": quarter(10001, claim("B3", "2024-05-05", 4000, 6000)),
    "the value is rounded half up": quarter(12345, claim("B4", "2024-05-05", 0, 20000)),
    "the payment is rounded half up": quarter(
        4500, claim("B5", "2024-05-05", 0, 5), claim("B6", "2024-05-06", 0, 4995)
    ),
    "nothing floats": quarter(500, claim("C1", "2024-05-05", 700, 0)),
    "the fixed points use up the budget": quarter(700, claim("C2", "2024-05-05", 700, 100)),
    "the fixed points pass the budget": quarter(650, claim("C3", "2024-05-05", 700, 100)),
    "a budget turned negative by corrections": quarter(-50, claim("C4", "2024-05-05", 0, 100)),
    "two regions, two quarters": {
        "groups": {
            "region_quarter": [
                {"area": "taipei", "quarter_start": "2024-01-01", "budget": "900"},
                {"area": "eastern", "quarter_start": "2024-01-01", "budget": "1100"},
                {"area": "taipei", "quarter_start": "2024-04-01", "budget": "950"},
                {"area": "eastern", "quarter_start": "2024-04-01", "budget": "123"},
            ]
        },
        "episodes": [
            claim("D1", "2024-03-31", 0, 1000),
            claim("D2", "2024-03-31", 0, 1000, "eastern"),
            claim("D3", "2024-04-01", 100, 1000),
        ],
    },
    "a refused claim is outside its quarter": quarter(
        900, claim("E1", "2024-05-05", 0, 1000), claim("E2", "2024-05-06", 0, 0)
    ),
    "an announced value": given("0.9123", claim("F1", "2024-05-05", 200, 1234)),
    "an announced value above one": given("1.0345", claim("F2", "2024-05-05", 0, 1000)),
    "no points": given("0.9", claim("F3", "2024-05-05", 0, 0)),
}


def half_up(amount: int, by: int) -> int:
    """A whole quotient, halves up (no amount here is negative)."""
    return (2 * amount + by) // (2 * by)


def value(parts: int) -> str:
    """Ten-thousandths as a decimal without trailing zeros."""
    return f"{parts // UNIT}.{parts % UNIT:04d}".rstrip("0").rstrip(".")


def payment(episode: dict[str, str], point_value: int) -> int:
    """Fixed points at a dollar each, floating ones at their value; the sum to the dollar."""
    return int(episode["fixed_points"]) + half_up(int(episode["floating_points"]) * point_value, UNIT)


def settle(claims: list[dict[str, str]], budget: int) -> tuple[dict[str, str], list[str]]:
    """A region's quarter, and the payment of each claim."""
    fixed = sum(int(c["fixed_points"]) for c in claims)
    floating = sum(int(c["floating_points"]) for c in claims)
    point_value = half_up(max(0, budget - fixed) * UNIT, floating) if floating else UNIT
    paid = [payment(c, point_value) for c in claims]
    amounts = {
        "fixed": str(fixed),
        "floating": str(floating),
        "point_value": value(point_value),
        "average_value": value(half_up(fixed * UNIT + floating * point_value, max(1, fixed + floating))),
        "paid": str(sum(paid)),
        "left": str(budget - sum(paid)),
    }
    return amounts, [str(p) for p in paid]


def pointless(episode: dict[str, str]) -> bool:
    """Whether a claim has no points, which is refused."""
    return episode["fixed_points"] == episode["floating_points"] == "0"


def settle_quarters(name: str, entry: Entry) -> dict[str, dict[str, str]]:
    """The claims of an example that gives budgets; a quarter stands with the last claim that was paid in it."""
    found: dict[str, dict[str, str]] = {}
    rows = entry["groups"]["region_quarter"]
    members: dict[tuple[str, str], list[tuple[str, dict[str, str]]]] = {}
    for at, item in enumerate(entry["episodes"], 1):
        episode = item["episode"]
        if pointless(episode):
            found[f"{name}#{at}"] = {"rejects": "RX722"}
            continue
        key = (episode["region"], quarter_of(episode["service_date"]))
        members.setdefault(key, []).append((f"{name}#{at}", episode))
    if isinstance(rows, list):
        for row in rows:  # a quarter without claims is there all the same; it stands with the last claim
            members.setdefault((row["area"], row["quarter_start"]), [])
    for (region, start), listed in members.items():
        if isinstance(rows, dict):
            budget, place = int(rows["budget"]), "groups.region_quarter"
        else:
            budget = next(int(r["budget"]) for r in rows if (r["area"], r["quarter_start"]) == (region, start))
            place = f"groups.region_quarter[area={region},quarter_start={start}]"
        amounts, paid = settle([episode for _, episode in listed], budget)
        for (key_of_claim, _), amount in zip(listed, paid, strict=True):
            found[key_of_claim] = {"payment": amount, "fund_pays": amount}
        home = listed[-1][0] if listed else f"{name}#{len(entry['episodes'])}"
        found[home] |= {f"{place}.{step}": amount for step, amount in amounts.items()}
    return found


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount: by the example's name, with `#1`, `#2`, .. where it lists several claims."""
    found: dict[str, dict[str, str]] = {}
    for name, entry in EXAMPLES.items():
        if "episodes" in entry:
            found.update(settle_quarters(name, entry))
        elif pointless(entry["episode"]):
            found[name] = {"rejects": "RX722"}
        else:
            announced = entry["groups"]["region_quarter"]["point_value"]
            whole, _, part = announced.partition(".")
            amount = str(payment(entry["episode"], int(whole) * UNIT + int(f"{part:0<4}")))
            found[name] = {"payment": amount, "fund_pays": amount}
    return found
