"""The multiple operation rule worked out a second time: the operations of an occasion are laid out by fee.

Money is counted in cents. It shares no code with rxcalc. `EXAMPLES` holds the bills of the examples, `expected()`
what each of them comes to.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

FEES = {
    "30001": 100_00,
    "30002": 250_05,
    "30003": 87_35,
    "30004": 1203_15,
    "30005": 87_35,
    "30006": 5,
    "23": 42_85,
    "36": 82_90,
}
GREATEST_GAP = 102_40

Entry = dict[str, Any]


def line(number: int, item: str, occasion: int | None, charge: str) -> dict[str, str]:
    """One item of a bill; attendances have no occasion."""
    found = {"line_no": str(number), "item": item}
    if occasion is not None:
        found["occasion"] = str(occasion)
    return {**found, "charge": charge}


def bill(number: str, *lines: dict[str, str], setting: str = "in_hospital") -> Entry:
    """One bill for care in hospital, unless told otherwise."""
    return {"episode": {"episode_id": number, "service_date": "2024-11-20", "setting": setting}, "lines": list(lines)}


EXAMPLES: dict[str, Entry] = {
    "one operation": bill("A1", line(1, "30002", 1, "400.00")),
    "two operations, the dearer stands second": bill(
        "A2", line(1, "30001", 1, "200.00"), line(2, "30002", 1, "400.00")
    ),
    "three operations": bill(
        "A3", line(1, "30003", 1, "150.00"), line(2, "30004", 1, "2000.00"), line(3, "30001", 1, "180.00")
    ),
    "five operations": bill(
        "A4",
        line(1, "30001", 1, "100.00"),
        line(2, "30002", 1, "300.00"),
        line(3, "30003", 1, "100.00"),
        line(4, "30004", 1, "1500.00"),
        line(5, "30006", 1, "1.00"),
    ),
    "two of one fee": bill("A5", line(1, "30003", 1, "100.00"), line(2, "30005", 1, "100.00")),
    "two of one fee, the second line first in the file": bill(
        "A6", line(2, "30003", 1, "100.00"), line(1, "30005", 1, "100.00"), line(3, "30001", 1, "100.00")
    ),
    "the same operation three times": bill(
        "A7", line(1, "30001", 1, "100.00"), line(2, "30001", 1, "100.00"), line(3, "30001", 1, "100.00")
    ),
    "two occasions": bill(
        "B1",
        line(1, "30001", 1, "150.00"),
        line(2, "30002", 2, "300.00"),
        line(3, "30003", 2, "100.00"),
        line(4, "30003", 1, "100.00"),
    ),
    "an attendance is no operation": bill("B2", line(1, "36", None, "100.00"), line(2, "30001", 1, "150.00")),
    "attendances only": bill("B3", line(1, "36", None, "100.00"), line(2, "23", None, "60.00")),
    "no items": bill("B4"),
    "a sum that is a multiple of five cents": bill("C1", line(1, "30004", 1, "1500.00"), line(2, "30001", 1, "150.00")),
    "a sum just above a multiple of five cents": bill(
        "C2", line(1, "30001", 1, "150.00"), line(2, "30006", 1, "0.05"), line(3, "30006", 1, "0.05")
    ),
    "out of hospital": bill("D1", line(1, "30001", 1, "150.00"), setting="out_of_hospital"),
    "out of hospital, beyond the greatest gap": bill("D2", line(1, "30004", 1, "1500.00"), setting="out_of_hospital"),
    "charged less than the benefit": bill("D3", line(1, "30002", 1, "187.53")),
    "charged exactly the benefit": bill("D4", line(1, "30002", 1, "187.55")),
    "charged a cent more than the benefit": bill("D5", line(1, "30002", 1, "187.56")),
    "an item that is not in the schedule": bill("E1", line(1, "30001", 1, "150.00"), line(2, "39999", 1, "10.00")),
}


def written(amount: Fraction | int) -> str:
    """Cents with two digits, or with as many as a fraction of a cent needs."""
    value, digits = Fraction(amount), 2
    while (value * 10 ** (digits - 2)).denominator != 1:
        digits += 1
    whole = int(value * 10 ** (digits - 2))
    return f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}"


def next_five(amount: Fraction) -> int:
    """Up to the next five cents."""
    return -(-amount // 5) * 5


def share_out(amount: int, weights: dict[int, Fraction]) -> dict[int, int]:
    """Whole cents by the weights; those left over go to the largest fractions, of equals to the lowest number."""
    total = sum(weights.values())
    exact = {number: amount * weight / total for number, weight in weights.items()}
    parts = {number: part.__floor__() for number, part in exact.items()}
    for number in sorted(exact, key=lambda n: (parts[n] - exact[n], n))[: amount - sum(parts.values())]:
        parts[number] += 1
    return parts


def settle(entry: Entry) -> dict[str, str]:
    """What one bill comes to."""
    lines = sorted(entry["lines"], key=lambda i: int(i["line_no"]))
    if any(item["item"] not in FEES for item in lines):
        return {"rejects": "RX731"}
    occasions: dict[int, list[tuple[int, int]]] = {}
    result: dict[str, str] = {}
    charged = attended = 0
    for item in lines:
        number, fee = int(item["line_no"]), FEES[item["item"]]
        charged += int(item["charge"].replace(".", ""))
        if "occasion" in item:
            occasions.setdefault(int(item["occasion"]), []).append((number, fee))
        else:
            attended += fee
            result[f"lines.{number}.place"] = "1"
            result[f"lines.{number}.derived_fee"] = written(fee)
    total, groups, dearest = attended, {}, 0
    for occasion, operations in sorted(occasions.items()):
        derived: dict[int, Fraction] = {}
        for place, (number, fee) in enumerate(sorted(operations, key=lambda o: (-o[1], o[0])), 1):
            derived[number] = Fraction(fee, 1 if place == 1 else 2 if place == 2 else 4)
            result[f"lines.{number}.place"] = str(place)
            result[f"lines.{number}.derived_fee"] = written(derived[number])
        fee_of_all = next_five(sum(derived.values(), Fraction(0)))
        for number, part in share_out(fee_of_all, derived).items():
            result[f"lines.{number}.fee_part"] = written(part)
        groups[f"groups.operation[on_occasion={occasion}].count_of_items"] = str(len(operations))
        groups[f"groups.operation[on_occasion={occasion}].operation_fee"] = written(fee_of_all)
        total, dearest = total + fee_of_all, max(dearest, fee_of_all)
    if entry["episode"]["setting"] == "in_hospital":
        benefit = next_five(Fraction(total * 75, 100))
    else:
        benefit = next_five(max(Fraction(total * 85, 100), Fraction(total - GREATEST_GAP)))
    paid = min(benefit, charged)
    return {
        "charged": written(charged),
        "attendances": written(attended),
        "schedule_total": written(total),
        "dearest_occasion": written(dearest),
        "full_benefit": written(benefit),
        "benefit": written(paid),
        "patient_pays": written(charged - paid),
        **dict(sorted(result.items())),
        **groups,
    }


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount by the example's name."""
    return {name: settle(entry) for name, entry in EXAMPLES.items()}
