"""German pharmacy copayments worked out a second time: a till that keeps a year's and a month's account of each person.

It shares no code with rxcalc. Money is counted in tenths of a cent, so that a tenth of a price is a whole number.
`EXAMPLES` holds the bills of the examples, `expected()` what each of them comes to.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

CENT = 10
EURO = 1000
Entry = dict[str, Any]


def line(number: int, kind: str, packs: int, price: str, item: str = "any") -> dict[str, str]:
    """One item of a bill."""
    return {"line_no": str(number), "item": item, "kind": kind, "packs": str(packs), "pack_price": price}


def medicines(*prices: str) -> list[dict[str, str]]:
    """Single packs of medicine, numbered from 1."""
    return [line(at, "medicine", 1, price) for at, price in enumerate(prices, 1)]


def receipt(number: int, purpose: str, paid: str) -> dict[str, str]:
    """A receipt for a payment made elsewhere."""
    return {"line_no": str(number), "purpose": purpose, "paid": paid}


def bill(
    number: str, day: str, lines: list[dict[str, str]], receipts: list[dict[str, str]] | None = None, **more: str
) -> Entry:
    """One bill of a grown-up with an income of 30,000, unless told otherwise."""
    of = {"episode_id": number, "person_id": "P1", "supply_date": day, "birth_date": "1970-01-31", "income": "30000.00"}
    found: Entry = {"episode": {**of, **more}, "lines": lines}
    if receipts is not None:
        found["other_payments"] = receipts
    return found


EXAMPLES: dict[str, Entry] = {
    "one medicine": bill("A1", "2024-02-10", medicines("65.30")),
    "around the least": bill(
        "A2", "2024-02-10", medicines("0.00", "4.99", "5.00", "5.01", "49.99", "50.00", "50.04", "50.05")
    ),
    "around the most": bill("A3", "2024-02-10", medicines("99.94", "99.95", "100.00", "100.01", "250.00")),
    "each pack is rounded by itself": bill(
        "A4", "2024-02-10", [line(1, "medicine", 3, "8.20"), line(2, "medicine", 3, "72.35")]
    ),
    "freed by contract": bill("B1", "2024-02-10", [line(1, "exempt", 1, "80.00"), line(2, "medicine", 1, "80.00")]),
    "the last day under 18": bill(
        "B2", "2024-02-29", [*medicines("80.00"), line(2, "consumable", 1, "60.00")], birth_date="2006-03-01"
    ),
    "the eighteenth birthday": bill(
        "B3", "2024-03-01", [*medicines("80.00"), line(2, "consumable", 1, "60.00")], birth_date="2006-03-01"
    ),
    "aids that are used up: the month's most within a bill": bill(
        "C1",
        "2024-06-03",
        [
            line(1, "consumable", 2, "40.00"),
            line(2, "medicine", 1, "80.00"),
            line(3, "consumable", 1, "50.00"),
            line(4, "consumable", 1, "0.50"),
        ],
    ),
    "aids that are used up: exactly the month's most": bill(
        "C2", "2024-06-03", [line(1, "consumable", 1, "99.99"), line(2, "consumable", 1, "0.01")]
    ),
    "aids that are used up: from bill to bill": {
        "episodes": [
            bill("C3", "2024-06-03", [line(1, "consumable", 1, "80.00")]),
            bill("C4", "2024-06-30", [line(1, "consumable", 1, "50.00"), line(2, "medicine", 1, "60.00")]),
            bill("C5", "2024-07-01", [line(1, "consumable", 1, "50.00")]),
        ]
    },
    "the year's limit ends a bill in its middle": bill(
        "D1", "2024-02-10", medicines("20.00", "50.00", "12.00", "150.00", "30.00"), income="1000.00"
    ),
    "the same, chronically ill": bill(
        "D2", "2024-02-10", medicines("20.00", "50.00", "12.00", "150.00", "30.00"), income="1000.00", chronic="yes"
    ),
    "exactly the year's limit": bill("D3", "2024-02-10", medicines("20.00", "20.00", "20.00"), income="750.00"),
    "a cent short of the year's limit": bill("D4", "2024-02-10", medicines("20.00", "20.00", "20.00"), income="749.51"),
    "a cent over the year's limit": bill("D5", "2024-02-10", medicines("20.00", "20.00", "20.00"), income="750.49"),
    "the line numbers count, not the places in the file": bill(
        "D6",
        "2024-02-10",
        [line(3, "medicine", 1, "100.00"), line(1, "medicine", 1, "60.00"), line(2, "medicine", 1, "70.00")],
        income="900.00",
    ),
    "no income, no copayment": bill("D7", "2024-02-10", medicines("80.00"), income="0.00"),
    "receipts come first": bill(
        "E1",
        "2024-02-10",
        medicines("80.00", "90.00"),
        [receipt(1, "hospital", "40.00"), receipt(2, "private", "25.00"), receipt(3, "therapy", "7.55")],
        income="3000.00",
    ),
    "receipts alone": bill("E2", "2024-02-10", [], [receipt(1, "travel", "10.00")]),
    "receipts beyond the limit": bill(
        "E3", "2024-02-10", medicines("80.00"), [receipt(1, "hospital", "280.00")], income="10000.00"
    ),
    "an empty list of receipts": bill("E4", "2024-02-10", medicines("80.00"), []),
    "dearer than the reference price": bill(
        "E5", "2024-02-10", [line(1, "medicine", 2, "13.51", "ibu400"), line(2, "medicine", 1, "9.80", "met850")]
    ),
    "no packs": bill("E6", "2024-02-10", [line(1, "medicine", 0, "20.00")]),
    "a line number twice": bill("E7", "2024-02-10", [line(1, "medicine", 1, "20.00"), line(1, "medicine", 1, "30.00")]),
    "a year of bills": {
        "episodes": [
            bill("F1", "2024-01-05", medicines("80.00", "95.00"), [receipt(1, "hospital", "20.00")], income="2500.00"),
            bill("F2", "2024-05-05", medicines("60.00"), income="2500.00"),
            bill("F3", "2024-05-05", medicines("77.77", "20.00"), income="2500.00"),
            bill("F4", "2024-12-31", medicines("60.00"), income="2500.00"),
            bill("F5", "2025-01-01", medicines("60.00"), income="2500.00"),
        ]
    },
    "two persons": {
        "episodes": [
            bill("G1", "2024-05-05", medicines("100.00"), income="500.00"),
            bill("G2", "2024-05-06", medicines("100.00"), income="500.00", person_id="P2"),
            bill("G3", "2024-05-07", medicines("100.00"), income="500.00"),
        ]
    },
    "an earlier bill in the file": {
        "earlier": [bill("H0", "2024-01-15", [line(1, "consumable", 1, "70.00"), line(2, "medicine", 1, "55.00")])],
        **bill("H1", "2024-01-31", [line(1, "consumable", 1, "70.00"), line(2, "medicine", 1, "55.00")]),
    },
    "opening amounts of the year and the month": {
        "so_far": {
            "this_year.sum(year_paid)": "597.00",
            "this_month.sum(this_month.lines.copay where this_month.lines.kind = consumable)": "9.50",
        },
        **bill("H2", "2024-08-08", [line(1, "consumable", 1, "70.00"), line(2, "medicine", 1, "55.00")]),
    },
}


def to_cents(tenths: int) -> int:
    """Tenths of a cent rounded to whole cents, halves up."""
    return (tenths + CENT // 2) // CENT * CENT


def parse(text: str) -> int:
    """`12.30` in tenths of a cent."""
    euros, _, cents = text.partition(".")
    return int(euros) * EURO + int(cents) * CENT


def written(tenths: int) -> str:
    """The amount with its two digits."""
    return f"{tenths // EURO}.{tenths % EURO // CENT:02d}"


def pack_copay(price: int) -> int:
    """A tenth of the price, at least 5 and at most 10 euros, and never more than the price."""
    return min(price, max(5 * EURO, min(10 * EURO, to_cents(price // 10))))


def settle(entry: Entry, year: dict[str, int], month: dict[str, int]) -> dict[str, str]:
    """What one bill comes to; the accounts `paid` of the year and `consumables` of the month are moved on."""
    episode = entry["episode"]
    if any(int(item["packs"]) < 1 for item in entry["lines"]):
        return {"rejects": "RX703"}
    if len({item["line_no"] for item in entry["lines"]}) < len(entry["lines"]):
        return {"rejects": "RX805"}
    day, born = date.fromisoformat(episode["supply_date"]), date.fromisoformat(episode["birth_date"])
    minor = (day.year - born.year, day.month, day.day) < (18, born.month, born.day)
    percent = 1 if episode.get("chronic") == "yes" else 2
    limit = ((parse(episode["income"]) // CENT * percent + 50) // 100) * CENT
    result: dict[str, str] = {}
    elsewhere = 0
    for paper in entry.get("other_payments", []):
        counted = 0 if paper["purpose"] == "private" else parse(paper["paid"])
        elsewhere += counted
        result[f"other_payments.{paper['line_no']}.counted"] = written(counted)
    room = left = max(0, limit - year["paid"] - elsewhere)
    goods = copays = pays = 0
    for item in sorted(entry["lines"], key=lambda i: int(i["line_no"])):
        price, packs = parse(item["pack_price"]), int(item["packs"])
        by_pack = 0 if minor or item["kind"] == "exempt" else pack_copay(price)
        if minor:
            copay = 0
        elif item["kind"] == "consumable":
            copay = min(to_cents(price * packs // 10), 10 * EURO - month["consumables"])
            month["consumables"] += copay
        else:
            copay = by_pack * packs
        paid = min(copay, left)
        left -= paid
        goods, copays, pays = goods + price * packs, copays + copay, pays + paid
        for name, amount in (("pack_copay", by_pack), ("copay", copay), ("pays", paid)):
            result[f"lines.{item['line_no']}.{name}"] = written(amount)
    year["paid"] += pays + elsewhere
    return {
        "year_limit": written(limit),
        "room": written(room),
        "goods": written(goods),
        "copay_due": written(pays),
        "waived": written(copays - pays),
        "year_paid": written(pays + elsewhere),
        "fund_pays": written(goods - pays),
        "patient_pays": written(pays),
        **result,
    }


def run(entry: Entry) -> dict[str, dict[str, str]]:
    """Every bill of one example by its number, taken in the order of day and number."""
    listed = [*entry.get("earlier", []), *entry.get("episodes", [])]
    if "episode" in entry:
        listed.append(entry)
    years: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"paid": 0})
    months: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"consumables": 0})
    results = {}
    for item in sorted(listed, key=lambda i: (i["episode"]["supply_date"], i["episode"]["episode_id"])):
        episode = item["episode"]
        person, day = episode["person_id"], episode["supply_date"]
        if "so_far" in entry:
            of_year, of_month = entry["so_far"].values()
            years[person, day[:4]]["paid"] = parse(of_year)
            months[person, day[:7]]["consumables"] = parse(of_month)
        results[episode["episode_id"]] = settle(item, years[person, day[:4]], months[person, day[:7]])
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
