"""The Beijing employee rulebook worked out a second time with plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on one bill:

    python tests/independent/beijing.py retired level_3 189085.85 164411.81 1 8240.49 0

The last three, each 0 if left out, are this year's earlier admissions, pooled payments and large-amount payments.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction

LIMITS = (Fraction(30_000), Fraction(40_000), None)
ACTIVE_PART = {"level_3": (15, 10, 5), "level_2": (13, 8, 3), "level_1": (10, 5, 3)}  # per cent, by band
RETIRED_OF_ACTIVE = Fraction(60, 100)
FIRST, LATER = Fraction(1300), Fraction(650)
POOL_CAP, LARGE_CAP, LARGE_RATE = Fraction(100_000), Fraction(400_000), Fraction(80, 100)


@dataclass(frozen=True)
class Before:
    """What one person's year holds before the bill."""

    admissions: int = 0
    pool: Fraction = Fraction(0)
    large: Fraction = Fraction(0)


@dataclass(frozen=True)
class Slice:
    """A part of the bill that lies in one band."""

    cost: Fraction
    rate: Fraction


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
    scaled = amount * 10**places
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**places)
    return f"{whole:,}.{part:0{places}d}{'..' if scaled.denominator != 1 else ''}"


def slices(person_class: str, level: str, low: Fraction, high: Fraction) -> list[Slice]:
    """The parts of the cost from `low` to `high`, band by band."""
    found, start = [], Fraction(0)
    for limit, part in zip(LIMITS, ACTIVE_PART[level], strict=True):
        own = Fraction(part, 100) * (RETIRED_OF_ACTIVE if person_class == "retired" else 1)
        end = high if limit is None else min(high, limit)
        if end > max(low, start):
            found.append(Slice(end - max(low, start), 1 - own))
        start = end if limit is None else limit
    return found


def cost_that_pays(parts: list[Slice], low: Fraction, payment: Fraction) -> Fraction:
    """The cost, counted from zero, at which the slices above `low` have paid `payment`."""
    cost = low
    for part in parts:
        if part.cost * part.rate >= payment:
            return cost + payment / part.rate
        cost += part.cost
        payment -= part.cost * part.rate
    return cost


def settle(person_class: str, level: str, total: Fraction, in_scope: Fraction, before: Before) -> dict[str, Fraction]:
    """Every amount of the rulebook, named as the rulebook names it."""
    deductible = min(in_scope, LATER if before.admissions else FIRST)
    parts = slices(person_class, level, deductible, in_scope)
    uncapped = to_fen(sum((part.cost * part.rate for part in parts), Fraction(0)))
    room = max(Fraction(0), POOL_CAP - before.pool)
    pool = min(uncapped, room)
    used = in_scope if uncapped <= room else cost_that_pays(parts, deductible, pool)
    own = to_fen(used - deductible - pool)
    over = in_scope - used
    large_uncapped = to_fen(over * LARGE_RATE)
    large = min(large_uncapped, max(Fraction(0), LARGE_CAP - before.large))
    fund = pool + large
    named = {
        "patient.out_of_scope": total - in_scope,
        "patient.deductible": deductible,
        "patient.coinsurance": own,
        "patient.above_caps": large_uncapped - large,
    }
    return {
        "deductible_due": deductible,
        "pool_uncapped": uncapped,
        "pool_room": room,
        "pool_pays": pool,
        "cost_used": used,
        "pool_own": own,
        "cost_over": over,
        "large_amount_uncapped": large_uncapped,
        "large_amount_pays": large,
        "fund_pays": fund,
        **named,
        "patient.large_amount_own": total - fund - sum(named.values()),
        "patient_pays": total - fund,
    }


def working(person_class: str, level: str, total: Fraction, in_scope: Fraction, before: Before) -> str:
    """The arithmetic in one line."""
    got = settle(person_class, level, total, in_scope, before)
    deductible, pool = got["deductible_due"], got["pool_pays"]
    parts = slices(person_class, level, deductible, in_scope)
    terms = " + ".join(f"{digits(p.cost)} x {_percent(p.rate)}" for p in parts) or "nothing above the deductible"
    exact = sum((p.cost * p.rate for p in parts), Fraction(0))
    line = f"deductible {digits(deductible)}; {terms} = {digits(exact)}"
    if exact != got["pool_uncapped"]:
        line += f", to the fen {digits(got['pool_uncapped'])}"
    if before.pool:
        line += f"; room 100,000.00 - {digits(before.pool)} = {digits(got['pool_room'])}"
    line += f"; pool {digits(pool)}"
    if pool < got["pool_uncapped"]:
        over = got["cost_over"]
        line += f"; cost used {digits(got['cost_used'])}, over {digits(over)} x 80% = {digits(over * LARGE_RATE)}"
        line += f", large-amount fund {digits(got['large_amount_pays'])}"
        if got["patient.above_caps"]:
            line += f" of {digits(got['large_amount_uncapped'])} (yearly cap)"
    line += f"; patient {digits(total - in_scope)} + {digits(deductible)} + {digits(got['pool_own'])}"
    if pool < got["pool_uncapped"]:
        if got["patient.above_caps"]:
            line += f" + {digits(got['patient.above_caps'])}"
        line += f" + rest {digits(got['patient.large_amount_own'])}"
    return f"{line} = {digits(got['patient_pays'])}"


def _percent(rate: Fraction) -> str:
    per_cent = rate * 100
    return f"{per_cent.numerator}%" if per_cent.denominator == 1 else f"{float(per_cent):g}%"


if __name__ == "__main__":
    who, where, bill, scope, *rest = sys.argv[1:]
    count, pooled, large_paid = [*rest, "0", "0", "0"][:3]
    earlier = Before(int(count), Fraction(pooled), Fraction(large_paid))
    lines = [working(who, where, Fraction(bill), Fraction(scope), earlier)]
    amounts = settle(who, where, Fraction(bill), Fraction(scope), earlier)
    lines += [f"  {name}: {digits(amount)}" for name, amount in amounts.items()]
    sys.stdout.write("\n".join(lines) + "\n")
