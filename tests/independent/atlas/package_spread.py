"""A package price spread over the items of a bill, worked out a second time: the fen are dealt out one after another.

The part of an item in whole fen is found by long division; the fen left over are dealt to the items with the largest
remainders. It shares no code with rxcalc. `EXAMPLES` holds the bills of the examples, `expected()` what each comes to.
"""

from __future__ import annotations

from typing import Any

# Price in fen, the patient's percentage.
PACKAGES = {"appendix": (9000_00, 30), "cataract": (5000_01, 25), "third": (100_00, 0)}

Entry = dict[str, Any]


def bill(number: str, disease: str, *amounts: str, outside: tuple[int, ...] = (), backwards: bool = False) -> Entry:
    """One bill; its items are numbered from 1, those named in `outside` are not part of the package."""
    lines = []
    for at, amount in enumerate(amounts, 1):
        mark = {"outside": "yes"} if at in outside else {}
        lines.append({"line_no": str(at), **mark, "amount": amount})
    episode = {"episode_id": number, "discharge_date": "2024-06-10", "disease": disease}
    return {"episode": episode, "lines": lines[::-1] if backwards else lines}


EXAMPLES: dict[str, Entry] = {
    "the items pass the price": bill("A1", "appendix", "4000.00", "3000.00", "3000.00"),
    "three equal items": bill("A2", "third", "40.00", "40.00", "40.00"),
    "three equal items below the price": bill("A3", "third", "30.00", "30.00", "30.00"),
    "seven equal items": bill("A4", "third", *["20.00"] * 7),
    "seven equal items, the last stands first in the file": bill("A5", "third", *["20.00"] * 7, backwards=True),
    "two equal items and an odd fen": bill("A6", "cataract", "3000.00", "3000.00"),
    "three items and an odd fen": bill("A7", "cataract", "1000.00", "2500.00", "1500.00"),
    "one item": bill("A8", "appendix", "12345.67"),
    "exactly the price": bill("B1", "appendix", "4500.00", "4500.00"),
    "a fen above the price": bill("B2", "appendix", "4500.00", "4500.01"),
    "a fen below the price": bill("B3", "appendix", "4499.99", "4500.00"),
    "an item outside the package": bill("C1", "appendix", "5000.00", "800.00", "4000.00", outside=(2,)),
    "an item of nothing": bill("C2", "third", "50.00", "0.00", "50.01"),
    "small items beside a large one": bill("C3", "cataract", "0.01", "0.02", "9999.97"),
    "twice and a half the price": bill("D1", "third", "125.00", "125.00"),
    "a fen above twice and a half the price": bill("D2", "third", "125.00", "125.01"),
    "a disease without package": bill("E1", "fever", "100.00"),
    "nothing inside the package": bill("E2", "appendix", "100.00", "200.00", outside=(1, 2)),
    "no items": bill("E3", "third"),
}


def spread(amount: int, weights: dict[int, int]) -> dict[int, int]:
    """The fen dealt out by weight; a negative amount like the positive one, with the sign put back."""
    if amount < 0:
        return {number: -part for number, part in spread(-amount, weights).items()}
    whole = sum(weights.values())
    parts = {number: amount * weight // whole for number, weight in weights.items()}
    rests = {number: amount * weight % whole for number, weight in weights.items()}
    for _ in range(amount - sum(parts.values())):
        number = min(rests, key=lambda n: (-rests[n], n))
        parts[number] += 1
        rests[number] = -1
    return parts


def cents(text: str) -> int:
    """`12.30` as 1230."""
    return int(text.replace(".", ""))


def written(amount: int) -> str:
    """1230 as `12.30`."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def settle(entry: Entry) -> dict[str, str]:
    """What one bill comes to."""
    disease = entry["episode"]["disease"]
    if disease not in PACKAGES:
        return {"rejects": "RX731"}
    price, percent = PACKAGES[disease]
    weights, wishes = {}, {}
    for item in entry["lines"]:
        number, amount = int(item["line_no"]), cents(item["amount"])
        weights[number], wishes[number] = (0, amount) if item.get("outside") == "yes" else (amount, 0)
    inside, outside = sum(weights.values()), sum(wishes.values())
    patient = (price * percent + 50) // 100
    if inside == 0:
        return {"rejects": "RX807"}  # there is a price to spread, and nothing to spread it over
    by_fund, by_patient = spread(price - patient, weights), spread(patient, weights)
    by_hospital = spread(inside - price, weights)
    result = {
        "total": written(inside + outside),
        "inside": written(inside),
        "price": written(price),
        "patient_package": written(patient),
        "fund_package": written(price - patient),
        "hospital_loss": written(inside - price),
        "fund_pays": written(price - patient),
        "patient_pays": written(patient + outside),
        "patient.outside": written(outside),
        "hospital_pays": written(inside - price),
    }
    for number in sorted(weights):
        result[f"lines.{number}.fund_part"] = written(by_fund[number])
        result[f"lines.{number}.patient_part"] = written(by_patient[number])
        result[f"lines.{number}.loss_part"] = written(by_hospital[number])
        result[f"lines.{number}.statement"] = written(by_patient[number] + wishes[number])
    return result


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount by the example's name."""
    return {name: settle(entry) for name, entry in EXAMPLES.items()}
