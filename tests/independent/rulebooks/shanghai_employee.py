"""Both versions of the Shanghai employee rulebook worked out a second time with plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on an example file, to see each working:

    python tests/independent/rulebooks/shanghai_employee.py rulebooks/shanghai-employee/examples/older.yaml
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

Values = dict[str, Any]
ZERO = Fraction(0)

DAYS = {"2017": ("2017-07-01", "2024-06-30"), "2024": ("2024-07-01", "2026-06-30")}
CAPS = {2017: 460, 2018: 510, 2019: 530, 2020: 550, 2021: 570, 2022: 590, 2023: 610, 2024: 630, 2025: 650}  # thousands
STAY_DEDUCTIBLE = {"active": Fraction(1500), "retired": Fraction(1200)}
STAY_RATE = {"active": 85, "retired": 92}
SICKBED_RATE = 80
VISITS_DEDUCTIBLE = {
    "2017": {"active": Fraction(1500), "retired": Fraction(700)},
    "2024": {"active": Fraction(500), "retired": Fraction(300)},
}
OLD_RATE = {  # per cent; by level 1, 2, 3
    "under_45": (65, 60, 50),
    "from_45": (75, 70, 60),
    "retired": (80, 75, 70),
    "retired_from_70": (85, 80, 75),
}
NEW_RATE = {"active": (80, 75, 70), "retired": (85, 80, 75)}
ABOVE_CAP = Fraction(80, 100)
CARES = ("inpatient", "outpatient", "home_sickbed")
LEVELS = ("level_1", "level_2", "level_3")


class RefusedError(Exception):
    """The bill is refused with this code; "" stands for an ordinary mistake of its input."""


@dataclass(frozen=True)
class Before:
    """What one person's insurance year holds before the bill."""

    visits_deductible: Fraction = ZERO
    pool: Fraction = ZERO


@dataclass(frozen=True)
class Bill:
    """One stay, sickbed period or visit."""

    person_class: str
    care: str
    level: str
    day: date
    total: Fraction
    in_scope: Fraction
    balance: Fraction = ZERO
    birth: date | None = None


def to_fen(amount: Fraction) -> Fraction:
    """The amount rounded to the fen, ties away from zero."""
    fen = abs(amount) * 100
    whole = fen.numerator // fen.denominator
    if fen - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole if amount >= 0 else -whole, 100)


def digits(amount: Fraction) -> str:
    """The amount as a person writes it: `9,310.00`; six decimals and dots if it is no whole ten-thousandth."""
    places = next((p for p in (2, 4) if (amount * 10**p).denominator == 1), 6)
    scaled = abs(amount) * 10**places
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**places)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{places}d}{'..' if scaled.denominator != 1 else ''}"


def age_on(birth: date, day: date) -> int:
    """Whole years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def insurance_year(day: date) -> int:
    """The calendar year in which the insurance year of a day began, on 1 July."""
    return day.year if day.month >= 7 else day.year - 1


def group_of(bill: Bill) -> str | None:
    """Whose rate holds for a visit under the older table; none where it is not asked or not known."""
    if bill.care != "outpatient" or bill.birth is None:
        return None
    age = age_on(bill.birth, bill.day)
    if bill.person_class == "active":
        return "under_45" if age < 45 else "from_45"
    return "retired" if age < 70 else "retired_from_70"


def rate_of(version: str, bill: Bill) -> Fraction:
    """The rate of the shared part."""
    if bill.care == "inpatient":
        return Fraction(STAY_RATE[bill.person_class], 100)
    if bill.care == "home_sickbed":
        return Fraction(SICKBED_RATE, 100)
    if version == "2024":
        return Fraction(NEW_RATE[bill.person_class][LEVELS.index(bill.level)], 100)
    group = group_of(bill)
    if group is None:
        raise RefusedError("RX721")
    return Fraction(OLD_RATE[group][LEVELS.index(bill.level)], 100)


def refuse(version: str, bill: Bill) -> None:
    """The conditions on a bill, by the code of the refusal."""
    first, last = DAYS[version]
    if not first <= bill.day.isoformat() <= last:
        raise RefusedError("RX723")
    if bill.in_scope > bill.total or (bill.birth is not None and bill.birth > bill.day):
        raise RefusedError("RX722")


def settle(version: str, bill: Bill, before: Before) -> Values:
    """Every amount of the version, named as the version names it."""
    refuse(version, bill)
    is_visit = bill.care == "outpatient"
    account = min(bill.in_scope, bill.balance) if is_visit else ZERO
    rest = bill.in_scope - account
    if is_visit:
        deductible = min(rest, max(ZERO, VISITS_DEDUCTIBLE[version][bill.person_class] - before.visits_deductible))
    else:
        deductible = min(rest, STAY_DEDUCTIBLE[bill.person_class]) if bill.care == "inpatient" else ZERO
    shared = rest - deductible
    rate = rate_of(version, bill)
    fund = to_fen(shared * rate)
    by_additional = fund if is_visit and version == "2017" else ZERO
    uncapped = fund - by_additional
    room = max(ZERO, CAPS[insurance_year(bill.day)] * 1000 - before.pool)
    pool = min(uncapped, room)
    over = ZERO if uncapped <= room else shared - pool / rate
    above = to_fen(over * ABOVE_CAP)
    funds = pool + by_additional + above
    own_above = to_fen(over - above)
    got: Values = {
        "account_pays": account,
        "deductible_due": deductible,
        "shared_cost": shared,
        "rate": rate,
        "pool_uncapped": uncapped,
        "pool_room": room,
        "pool_pays": pool,
        "cost_over": over,
        "above_cap_pays": above,
        "additional_pays": by_additional + above,
        "fund_pays": funds,
        "patient_pays": bill.total - funds,
        "fund.pool": pool,
        "fund.additional": by_additional + above,
        "patient.out_of_scope": bill.total - bill.in_scope,
        "patient.account": account,
        "patient.deductible": deductible,
        "patient.above_cap_own": own_above,
        "patient.coinsurance": shared - funds - own_above,
    }
    if version == "2017":
        got |= {"age_group": group_of(bill), "outpatient_pays": by_additional}
    return got


def read(episode: dict[str, str]) -> Bill:
    """A bill as an example writes it."""
    try:
        birth = episode.get("birth_date")
        bill = Bill(
            episode["person_class"],
            episode["care"],
            episode["level"],
            date.fromisoformat(episode["discharge_date"]),
            Fraction(episode["total"]),
            Fraction(episode["in_scope"]),
            Fraction(episode.get("account_balance", "0")),
            date.fromisoformat(birth) if birth else None,
        )
    except (KeyError, ValueError):
        raise RefusedError("") from None
    if bill.person_class not in STAY_RATE or bill.care not in CARES or bill.level not in LEVELS or bill.balance < 0:
        raise RefusedError("")
    return bill


OPENING = {
    "visits_deductible": "insurance_year.sum(deductible_due where insurance_year.care = outpatient)",
    "pool": "insurance_year.sum(pool_pays)",
}


def worked(entry: dict[str, Any]) -> dict[str, tuple[Bill | None, Before, Values]]:
    """Each bill of an entry by its id: what it is, what its year held before it, and its amounts."""
    version = entry["rulebook"].partition("@")[2]
    listed = [*entry.get("earlier", []), *(entry.get("episodes") or [{"episode": entry["episode"]}])]
    episodes = sorted((one["episode"] for one in listed), key=lambda e: (e.get("discharge_date", ""), e["episode_id"]))
    found: dict[str, tuple[Bill | None, Before, Values]] = {}
    settled: dict[str, tuple[tuple[str, int], Bill]] = {}
    opened: tuple[str, int] | None = None
    for episode in episodes:
        name = episode["episode_id"]
        if "reverses_id" in episode:
            if settled.pop(episode["reverses_id"], None) is None:
                found[name] = (None, Before(), {"rejects": "RX813"})
                continue
            original = found[episode["reverses_id"]][2]
            negated = {k: -v if isinstance(v, Fraction) and k != "rate" else v for k, v in original.items()}
            found[name] = (None, Before(), negated | {"rate": -original["rate"]})
            continue
        try:
            bill = read(episode)
            year = (episode["person_id"], insurance_year(bill.day))
            opened = opened or year
            given = entry.get("so_far", {}) if year == opened else {}
            others = [(b, found[k][2]) for k, (y, b) in settled.items() if y == year]
            before = Before(
                Fraction(given.get(OPENING["visits_deductible"], "0"))
                + sum((got["deductible_due"] for b, got in others if b.care == "outpatient"), ZERO),
                Fraction(given.get(OPENING["pool"], "0")) + sum((got["pool_pays"] for _, got in others), ZERO),
            )
            found[name] = (bill, before, settle(version, bill, before))
            settled[name] = (year, bill)
        except RefusedError as refused:
            found[name] = (None, Before(), {"rejects": str(refused) or None})
    return found


def results(entry: dict[str, Any]) -> list[Values]:
    """What the example's bills come to, one after the other as they are listed."""
    found = worked(entry)
    return [found[one["episode"]["episode_id"]][2] for one in entry.get("episodes") or [entry]]


def working(bill: Bill, before: Before, got: Values) -> str:
    """The arithmetic in one line."""
    line = [f"account min({digits(bill.in_scope)}, {digits(bill.balance)})"] if bill.balance else []
    line.append(f"deductible {digits(got['deductible_due'])}")
    if before.visits_deductible and bill.care == "outpatient":
        line[-1] += f" (after {digits(before.visits_deductible)} of earlier visits)"
    fund = got["shared_cost"] * got["rate"]
    text = f"{digits(got['shared_cost'])} x {got['rate'] * 100}% = {digits(fund)}"
    line.append(text + (f", to the fen {digits(to_fen(fund))}" if fund != to_fen(fund) else ""))
    if before.pool:
        line.append(f"room of the pooled fund {digits(got['pool_room'])}")
    if got["cost_over"]:
        over = got["cost_over"]
        line.append(f"pool {digits(got['pool_pays'])}, cost over {digits(over)} x 80% = {digits(over * ABOVE_CAP)}")
    line.append(f"pool {digits(got['pool_pays'])} + additional {digits(got['additional_pays'])}")
    shown = [v for k, v in got.items() if k.startswith("patient.") and v]
    line.append(f"patient {' + '.join(digits(v) for v in shown) or '0.00'} = {digits(got['patient_pays'])}")
    return "; ".join(line)


if __name__ == "__main__":
    for example in yaml.load(Path(sys.argv[1]).read_text(encoding="utf-8"), yaml.BaseLoader):
        sys.stdout.write(f"{example['example']}\n")
        for identity, (one, prior, amounts) in worked(example).items():
            told = working(one, prior, amounts) if one else str(amounts.get("rejects", "reversed"))
            sys.stdout.write(f"  {identity}: {told}\n")
