"""The Qin rulebook worked out a second time, from the source's facts, with plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on one bill:

    python tests/independent/qin.py county 10000.00 yes no      (level, total, referred, emergency)
"""

from __future__ import annotations

import sys
from fractions import Fraction

DEDUCTIBLE = {"town": 0, "county": 200, "city": 400, "province": 600}
RATE = Fraction(95, 100)
UNREFERRED = Fraction(80, 100)


def to_fen(amount: Fraction) -> Fraction:
    """The amount rounded to the fen, ties away from zero."""
    fen = abs(amount) * 100
    whole = fen.numerator // fen.denominator
    if fen - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole if amount >= 0 else -whole, 100)


def yuan(amount: Fraction) -> str:
    """The amount as a person writes it, `9,310.00`; with all its digits if it is no whole fen (here at most four)."""
    digits = 2 if (amount * 100).denominator == 1 else 4
    scaled = abs(amount) * 10**digits
    whole, part = divmod(scaled.numerator // scaled.denominator, 10**digits)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{digits}d}"


def settle(level: str, total: Fraction, *, referred: bool, emergency: bool) -> dict[str, Fraction]:
    """Every amount of the rulebook, named as the rulebook names it."""
    deductible = min(total, Fraction(DEDUCTIBLE[level]))
    in_full = to_fen((total - deductible) * RATE)
    reduced = level in ("city", "province") and not referred and not emergency
    factor = UNREFERRED if reduced else Fraction(1)
    fund = to_fen(in_full * factor)
    reduction = in_full - fund
    return {
        "deductible_due": deductible,
        "above_deductible": total - deductible,
        "fund_in_full": in_full,
        "referral_factor": factor,
        "fund_pays": fund,
        "referral_reduction": reduction,
        "patient.deductible": deductible,
        "patient.coinsurance": total - fund - deductible - reduction,
        "patient.missing_referral": reduction,
        "patient_pays": total - fund,
    }


def working(level: str, total: Fraction, *, referred: bool, emergency: bool) -> str:
    """The arithmetic in one line."""
    got = settle(level, total, referred=referred, emergency=emergency)
    above, in_full, fund = got["above_deductible"], got["fund_in_full"], got["fund_pays"]
    line = f"({yuan(total)} - {yuan(got['deductible_due'])}) x 95% = {yuan(above * RATE)}"
    if above * RATE != in_full:
        line += f", to the fen {yuan(in_full)}"
    if got["referral_factor"] != 1:
        line += f"; x 80% = {yuan(in_full * UNREFERRED)}"
        if in_full * UNREFERRED != fund:
            line += f", to the fen {yuan(fund)}"
        line += f"; reduction {yuan(in_full)} - {yuan(fund)} = {yuan(got['referral_reduction'])}"
    return f"{line}; patient {yuan(total)} - {yuan(fund)} = {yuan(got['patient_pays'])}"


if __name__ == "__main__":
    level, total, referred, emergency = sys.argv[1:]
    bill = {"referred": referred == "yes", "emergency": emergency == "yes"}
    lines = [working(level, Fraction(total), **bill)]
    lines += [f"  {name}: {yuan(amount)}" for name, amount in settle(level, Fraction(total), **bill).items()]
    sys.stdout.write("\n".join(lines) + "\n")
