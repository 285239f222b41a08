"""Case-group payment worked out a second time: the adjustment is found by walking over the days one by one.

Weights are counted in ten-thousandths and money in cents, all whole numbers. It shares no code with rxcalc.
`EXAMPLES` holds the stays of the examples, `expected()` what each of them comes to.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple


class Group(NamedTuple):
    """One row of the catalogue; None where the catalogue has no such figure. Weights in ten-thousandths."""

    weight: int
    lower: int | None
    less_a_day: int
    upper: int | None
    more_a_day: int
    mean_tenths: int | None
    less_a_missing_day: int
    nursing: int


GROUPS = {
    ("K01A", 2024): Group(18500, 3, 3100, 14, 850, 84, 1600, 11000),
    ("K01A", 2025): Group(17950, 2, 4020, 13, 880, 75, 1710, 10500),
    ("K02Z", 2024): Group(7500, None, 0, None, 0, None, 0, 7300),
    ("K03B", 2024): Group(32040, 5, 4200, 27, 900, None, 0, 14321),
    ("K04C", 2024): Group(6550, None, 0, 6, 710, 34, 1200, 8100),
}
BASE_RATE = {2024: 4210_59, 2025: 4394_22}
NURSING_A_DAY = {2024: 230_00, 2025: 250_00}

Entry = dict[str, Any]


def stay(number: str, code: str, start: str, end: str, **more: str) -> Entry:
    """One stay."""
    return {"episode": {"episode_id": number, "admission_date": start, "discharge_date": end, "drg_code": code, **more}}


EXAMPLES: dict[str, Entry] = {
    "between the limits": stay("A1", "K01A", "2025-03-01", "2025-03-09"),
    "same day, two days below": stay("A2", "K01A", "2025-03-01", "2025-03-01"),
    "one night, two days below": stay("A3", "K01A", "2025-03-01", "2025-03-02"),
    "at the lower limit": stay("A4", "K01A", "2025-03-01", "2025-03-03"),
    "one day above the lower limit": stay("A5", "K01A", "2025-03-01", "2025-03-04"),
    "one day below the upper limit": stay("A6", "K01A", "2025-03-01", "2025-03-13"),
    "at the upper limit": stay("A7", "K01A", "2025-03-01", "2025-03-14"),
    "far above the upper limit": stay("A8", "K01A", "2025-03-01", "2025-03-31"),
    "leave days bring it below the upper limit": stay("A9", "K01A", "2025-03-01", "2025-03-15", leave_days="2"),
    "leave days leave nothing but one day": stay("A10", "K01A", "2025-03-01", "2025-03-04", leave_days="3"),
    "transferred one day before the mean": stay("B1", "K01A", "2025-03-01", "2025-03-08", transferred="yes"),
    "transferred at the mean": stay("B2", "K01A", "2025-03-01", "2025-03-09", transferred="yes"),
    "transferred below the lower limit": stay("B3", "K01A", "2025-03-01", "2025-03-03", transferred="yes"),
    "transferred after the upper limit": stay("B4", "K01A", "2025-03-01", "2025-03-15", transferred="yes"),
    "the mean of 2024 is rounded down": stay("B5", "K01A", "2024-03-01", "2024-03-08", transferred="yes"),
    "transferred at the mean of 2024": stay("B6", "K01A", "2024-03-01", "2024-03-09", transferred="yes"),
    "a transfer group has no mean": stay("B7", "K03B", "2025-03-01", "2025-03-05", transferred="yes"),
    "no limits at all": stay("C1", "K02Z", "2025-03-01", "2025-03-02"),
    "no limits at all, a month": stay("C2", "K02Z", "2025-03-01", "2025-04-01", transferred="yes"),
    "no lower limit": stay("C3", "K04C", "2025-03-01", "2025-03-02"),
    "no lower limit, transferred": stay("C4", "K04C", "2025-03-01", "2025-03-03", transferred="yes"),
    "no lower limit, at the upper one": stay("C5", "K04C", "2025-03-01", "2025-03-07"),
    "the day of admission decides the year": stay("D1", "K01A", "2024-12-31", "2025-01-03"),
    "the first day of the new catalogue": stay("D2", "K01A", "2025-01-01", "2025-01-03"),
    "not in the catalogue": stay("E1", "K99Z", "2025-03-01", "2025-03-03"),
    "discharge before admission": stay("E2", "K01A", "2025-03-03", "2025-03-02"),
    "more leave than stay": stay("E3", "K01A", "2025-03-01", "2025-03-04", leave_days="4"),
    "before the first catalogue": stay("E4", "K01A", "2023-12-31", "2024-01-09"),
}


def found_group(code: str, year: int) -> Group | None:
    """The group's newest row of that year or an earlier one."""
    rows = [group for (name, start), group in sorted(GROUPS.items()) if name == code and start <= year]
    return rows[-1] if rows else None


def whole_cents(amount: Fraction) -> int:
    """Cents, halves up (no amount here is negative)."""
    return (amount + Fraction(1, 2)).__floor__()


def change(group: Group, days: int, *, transferred: bool) -> int:
    """What the length of the stay does to the weight, day by day."""
    if transferred and group.mean_tenths is not None:
        mean = (group.mean_tenths + 5) // 10
        if days < mean:
            return -sum(group.less_a_missing_day for _ in range(days, mean))
    if group.lower is not None and days <= group.lower:
        return -sum(group.less_a_day for _ in range(days, group.lower + 1))
    if group.upper is not None and days >= group.upper:
        return sum(group.more_a_day for _ in range(group.upper, days + 1))
    return 0


def decimals(units: int, digits: int) -> str:
    """Whole units of the last digit as a decimal without trailing zeros."""
    whole, part = divmod(units, 10**digits)
    return f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".")


def settle(episode: dict[str, str]) -> dict[str, str]:
    """What one stay comes to."""
    start, end = date.fromisoformat(episode["admission_date"]), date.fromisoformat(episode["discharge_date"])
    away = int(episode.get("leave_days", "0"))
    if start.year < 2024:
        return {"rejects": "RX723"}
    if end < start or away > (end - start).days:
        return {"rejects": "RX722"}
    year = min(start.year, 2025)
    group = found_group(episode["drg_code"], year)
    if group is None:
        return {"rejects": "RX731"}
    days = max(1, (end - start).days - away)
    weight = group.weight + change(group, days, transferred=episode.get("transferred") == "yes")
    case = whole_cents(Fraction(BASE_RATE[year] * weight, 10_000))
    nursing = whole_cents(Fraction(NURSING_A_DAY[year] * days * group.nursing, 10_000))

    def money(cents: int) -> str:
        return f"{cents // 100}.{cents % 100:02d}"

    return {
        "stay": str(days),
        "relative_weight": decimals(weight, 4),
        "case_payment": money(case),
        "nursing_payment": money(nursing),
        "payment": money(case + nursing),
    }


def expected() -> dict[str, dict[str, str]]:
    """Every expected amount by the example's name."""
    return {name: settle(entry["episode"]) for name, entry in EXAMPLES.items()}
