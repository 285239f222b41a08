"""The Dian overlay worked out a second time, from the chapter's facts, with plain fractions.

It takes Qin's part from the script beside it, as Dian copies Qin, and shares no code with rxcalc.
"""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

Row = dict[str, str]
Values = dict[str, Any]

FIRST_DAY = "2021-01-01"
EMERGENCY_KEEPS = Fraction(0)
BUDGET = Fraction(100_000)
OLD_AFTER = 90
MONTH_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"independent_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


qin = _beside("qin")


def days_left(day: str) -> int:
    """The days from a day to the last one of its year."""
    year, month, of = (int(part) for part in day.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    passed = MONTH_DAYS[month - 1] + of + (1 if leap and month > 2 else 0)
    return (366 if leap else 365) - passed


def usable(bill: Row) -> None:
    """Refuse a bill that the overlay does not take."""
    if bill["discharge_date"] < FIRST_DAY:
        raise qin.RefusedError("RX723")
    for later in ("default_date", "own_share_paid_on"):
        if later in bill and (bill[later] < bill["discharge_date"] or "paid_at_discharge" not in bill):
            raise qin.RefusedError("RX722")
    lost = bill.get("unrecoverable") == "yes"
    if lost and ("default_date" not in bill or "own_share_paid_on" in bill):
        raise qin.RefusedError("RX722")
    if "waiver_percent" in bill and "waiver_amount" in bill:
        raise qin.RefusedError("RX722")
    if "blacklisted_until" in bill and bill["blacklisted_until"] <= bill.get("blacklisted_from", "9999"):
        raise qin.RefusedError("RX722")


def percent(text: str) -> Fraction:
    """`50%` is a half."""
    return Fraction(text.removesuffix("%")) / 100


def evaded(before: list[Row], on: str) -> int:
    """Earlier stays whose evaded share is unpaid on a day; a debt paid on that day is paid."""
    return sum(
        "default_date" in bill
        and bill["default_date"] <= on
        and ("own_share_paid_on" not in bill or bill["own_share_paid_on"] > on)
        for bill in before
    )


def listed(bill: Row, debts: int) -> bool:
    """Whether the person is on the blacklist on the day of admission."""
    on = bill["admission_date"]
    entered = bill.get("blacklisted_from", "9999") <= on < bill.get("blacklisted_until", "9999")
    return entered or debts > 0


def waiver(bill: Row, own: Fraction) -> Fraction:
    """What an approved waiver takes off the own share."""
    if "waiver_percent" in bill:
        return Fraction(qin.to_fen(own * percent(bill["waiver_percent"])))
    return min(Fraction(bill.get("waiver_amount", "0")), own)


def state(bill: Row, due: Fraction, unpaid: Fraction) -> str:
    """What became of the own share."""
    if due > 0 and "paid_at_discharge" not in bill:
        return "due"
    if unpaid == 0:
        if "default_date" in bill:
            raise qin.RefusedError("RX721")
        return "settled"
    if "own_share_paid_on" in bill:
        return "paid_late"
    if bill.get("unrecoverable") == "yes":
        return "beyond_recovery"
    return "evaded" if "default_date" in bill else "open"


def statement(bill: Row, lines: list[Row], before: list[Row]) -> Values:
    """One bill as far as it goes without the year's budget."""
    usable(bill)
    found: Values = qin.one(bill, lines)
    total = Fraction(bill["total_cost"])
    benefit = found["fund_pays"]
    debts = evaded(before, bill["admission_date"])
    on_list = listed(bill, debts)
    fund = benefit
    if on_list:
        fund = qin.to_fen(benefit * EMERGENCY_KEEPS) if bill["emergency"] == "yes" else Fraction(0)
    own = total - fund
    waived = waiver(bill, own)
    payable = own - waived
    deposit = Fraction(bill.get("deposit_paid", "0"))
    due, refund = max(Fraction(0), payable - deposit), max(Fraction(0), deposit - payable)
    paid = min(Fraction(bill["paid_at_discharge"]), due) if "paid_at_discharge" in bill else due
    unpaid = due - paid
    receivable = Fraction(0) if "own_share_paid_on" in bill else unpaid
    bad = receivable if bill.get("unrecoverable") == "yes" else Fraction(0)
    found |= {
        "open_defaults": debts,
        "on_list": on_list,
        "benefit": benefit,
        "fund_pays": fund,
        "effective_rate": qin.share(fund, total),
        "lost_benefit": benefit - fund,
        "own_share": own,
        "waived": waived,
        "payable": payable,
        "cash_avoided": total - payable,
        "due_at_discharge": due,
        "refund_at_discharge": refund,
        "paid": paid,
        "unpaid": unpaid,
        "debt_state": state(bill, due, unpaid),
        "receivable": receivable,
        "bad_debt": bad,
        "patient.blacklist": benefit - fund,
        "patient.waiver": -waived,
        "patient_pays": payable,
        "government.waiver": waived,
        "government_pays": waived,
        "collection.patient.deposit": deposit - refund,
        "collection.patient.at_discharge": paid,
        "collection.patient.later": unpaid - receivable,
        "collection.patient.owed": receivable - bad,
        "collection.government.waiver": waived,
    }
    parts = [amount for name, amount in found.items() if name.startswith(("patient.", "government."))]
    assert fund + sum(parts) == total
    return found


def cover(found: Values, part: Fraction) -> None:
    """Put the government's part of a bad debt into a bill."""
    found["covered"] = part
    found["collection.government.bad_debt"] = part
    found["collection.hospital.bad_debt"] = found["bad_debt"] - part
    parts = [amount for name, amount in found.items() if name.startswith("collection.")]
    assert sum(parts) == found["own_share"]
    assert min(parts) >= 0


def spread(amount: Fraction, weights: list[Fraction]) -> list[Fraction]:
    """Whole fen by the weights; those left over go to the largest remainders, of equals to the first."""
    if amount == 0:
        return [Fraction(0)] * len(weights)
    whole = sum(weights)
    exact = [amount * 100 * weight / whole for weight in weights]
    fen = [part.numerator // part.denominator for part in exact]
    left = int(amount * 100) - sum(fen)
    for at in sorted(range(len(weights)), key=lambda i: (fen[i] - exact[i], i))[:left]:
        fen[at] += 1
    return [Fraction(part, 100) for part in fen]


def debts_of(year: str, of: list[tuple[Row, Values]], row: Row) -> Values:
    """The bad debts of a year, the parts of the cover put into its bills."""
    claims = sum((got["bad_debt"] for _, got in of), Fraction(0))
    budget = Fraction(row["voted_budget"]) if "voted_budget" in row else BUDGET
    covered = min(claims, budget)
    for (_, got), part in zip(of, spread(covered, [got["bad_debt"] for _, got in of]), strict=True):
        cover(got, part)
    due = sum(got["payable"] > 0 for _, got in of)
    evasions = [got["unpaid"] for bill, got in of if "default_date" in bill]
    assert all(bill["discharge_date"].startswith(year) for bill, _ in of)
    return {
        "bills_due": due,
        "evasions": len(evasions),
        "default_rate": qin.share(len(evasions), due),
        "at_stake": qin.to_fen(sum(evasions, Fraction(0)) / len(evasions)) if evasions else None,
        "receivables": sum((got["receivable"] for _, got in of), Fraction(0)),
        "old_receivables": sum(
            (got["receivable"] for bill, got in of if days_left(bill["discharge_date"]) > OLD_AFTER), Fraction(0)
        ),
        "cash_avoided": sum((got["cash_avoided"] for _, got in of), Fraction(0)),
        "waivers": sum((got["waived"] for _, got in of), Fraction(0)),
        "claims": claims,
        "budget": budget,
        "cover": covered,
        "left_over": budget - covered,
        "not_covered": claims - covered,
    }


def results(entry: Values) -> list[Values]:
    """Every episode of an example; indicators and the year's bad debts stand with each."""
    listed_items = entry.get("episodes") or [entry]
    earlier = [item["episode"] for item in entry.get("earlier", [])]
    found: dict[str, Values] = {}
    kept: list[tuple[Row, Values]] = []
    refused: set[str] = set()
    items = sorted(listed_items, key=lambda i: (i["episode"]["discharge_date"], i["episode"]["episode_id"]))
    for item in items:
        bill = item["episode"]
        person, name = bill["person_id"], bill["episode_id"]
        if person in refused:
            found[name] = {"rejects": "RX811"}
            continue
        past = [*earlier, *(one for one, _ in kept)]
        mine = [
            one
            for one in past
            if one["person_id"] == person
            and (one["discharge_date"], one["episode_id"]) < (bill["discharge_date"], name)
        ]
        try:
            got = statement(bill, item.get("lines", []), mine)
        except qin.RefusedError as why:
            found[name] = {"rejects": str(why) or None}
            refused.add(person)
            continue
        kept.append((bill, got))
        found[name] = got
    indicators: Values = {}
    if "episodes" in entry:
        indicators = qin.years(kept, qin.given_rows(entry, "fund_year"))
        given = {row["year"]: row for row in qin.given_rows(entry, "bad_debt_year")}
        for year in sorted({bill["discharge_date"][:4] for bill, _ in kept} | set(given)):
            of = [(bill, got) for bill, got in kept if bill["discharge_date"].startswith(year)]
            where = f"groups.bad_debt_year[year={year}]"
            row = debts_of(year, of, given.get(year, {}))
            indicators |= {f"{where}.{step}": value for step, value in row.items()}
    else:
        # The year is given: what is not left to the hospitals is covered.
        for _, got in kept:
            cover(got, got["bad_debt"])
    values = [found[item["episode"]["episode_id"]] for item in listed_items]
    return [{**got, **indicators} if "rejects" not in got else got for got in values]
