"""The Beijing employee rulebook worked out a second time with plain fractions.

It shares no code with rxcalc, so that the two can disagree. Run it on an example file, to see each working:

    python tests/independent/rulebooks/beijing_employee.py rulebooks/beijing-employee/examples/outpatient.yaml
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

Values = dict[str, Any]
ZERO = Fraction(0)

FIRST_DAY, LAST_DAY = "2022-01-01", "2025-12-31"
LIMITS = (Fraction(30_000), Fraction(40_000), None)
ACTIVE_PART = {"level_3": (15, 10, 5), "level_2": (13, 8, 3), "level_1": (10, 5, 3)}  # per cent, by band
RETIRED_OF_ACTIVE = Fraction(60, 100)
FIRST, LATER = Fraction(1300), Fraction(650)
POOL_CAP, LARGE_CAP, LARGE_RATE = Fraction(100_000), Fraction(400_000), Fraction(80, 100)

VISITS_DEDUCTIBLE = {"active": Fraction(1800), "retired": Fraction(1300)}
COMMUNITY = 90
ELSEWHERE = {"active": 70, "retired": 85, "retired_from_70": 90}  # per cent
ABOVE = {"active": 60, "retired": 80, "retired_from_70": 80}  # per cent of the year's cost above 20,000, since 2023
BORDER = Fraction(20_000)
LIMIT_UNTIL_2022 = Fraction(20_000)

CRITICAL_FROM, CRITICAL_BORDER = Fraction(30_404), Fraction(50_000)
CRITICAL_LOW, CRITICAL_HIGH = Fraction(60, 100), Fraction(70, 100)


class RefusedError(Exception):
    """The bill is refused with this code; "" stands for an ordinary mistake of its input."""


@dataclass
class Before:
    """What one person's calendar year holds before the bill."""

    admissions: int = 0
    pool: Fraction = ZERO
    large: Fraction = ZERO
    visits_deductible: Fraction = ZERO
    visits_cost: Fraction = ZERO
    visits_paid: Fraction = ZERO
    own: Fraction = ZERO
    critical: Fraction = ZERO


@dataclass(frozen=True)
class Bill:
    """One settlement or visit."""

    person_class: str
    level: str
    total: Fraction
    in_scope: Fraction
    day: date = date(2025, 6, 30)
    care: str = "inpatient"
    institution: str = "other"
    birth: date | None = None
    supplement: bool = False
    critical: bool = False


@dataclass(frozen=True)
class Slice:
    """A part of the bill that lies in one band."""

    cost: Fraction
    rate: Fraction


@dataclass
class Worked:
    """The amounts of a bill and how they came about."""

    amounts: Values
    parts: list[Slice] = field(default_factory=list)


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


def slices(person_class: str, level: str, low: Fraction, high: Fraction) -> list[Slice]:
    """The parts of a stay's cost from `low` to `high`, band by band."""
    found, start = [], ZERO
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


def paid(parts: list[Slice]) -> Fraction:
    """What the slices pay together, unrounded."""
    return sum((part.cost * part.rate for part in parts), ZERO)


def age_on(birth: date, day: date) -> int:
    """Whole years; somebody born on 29 February is a year older on 28 February of other years."""
    is_leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    birthday = 28 if (birth.month, birth.day) == (2, 29) and not is_leap else birth.day
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birthday))


def group_of(bill: Bill) -> str:
    """Whose outpatient rate holds."""
    if bill.person_class == "active":
        return "active"
    older = bill.birth is not None and age_on(bill.birth, bill.day) >= 70
    return "retired_from_70" if older else "retired"


def visit_slices(bill: Bill, low: Fraction, high: Fraction) -> list[Slice]:
    """The parts of a visit's cost that its rates pay; `low` and `high` count the year's visits from zero."""
    group = group_of(bill)
    rate = Fraction(COMMUNITY if bill.institution == "community" else ELSEWHERE[group], 100)
    if bill.day.year < 2023:
        return [Slice(high - low, rate)] if high > low else []
    below = min(high, BORDER) - low
    above = high - max(low, BORDER)
    found = [Slice(below, rate)] if below > 0 else []
    return [*found, Slice(above, Fraction(ABOVE[group], 100))] if above > 0 else found


def stay(bill: Bill, before: Before) -> Worked:
    """The two funds of a stay."""
    deductible = min(bill.in_scope, LATER if before.admissions else FIRST)
    parts = slices(bill.person_class, bill.level, deductible, bill.in_scope)
    uncapped = to_fen(paid(parts))
    room = max(ZERO, POOL_CAP - before.pool)
    pool = min(uncapped, room)
    used = bill.in_scope if uncapped <= room else cost_that_pays(parts, deductible, pool)
    own = to_fen(used - deductible - pool)
    over = bill.in_scope - used
    large_uncapped = to_fen(over * LARGE_RATE)
    large = min(large_uncapped, max(ZERO, LARGE_CAP - before.large))
    amounts = {
        "admission": "later" if before.admissions else "first",
        "deductible_due": deductible,
        "pool_uncapped": uncapped,
        "pool_room": room,
        "pool_pays": pool,
        "cost_used": used,
        "pool_own": own,
        "cost_over": over,
        "large_amount_uncapped": large_uncapped,
        "large_amount_pays": large,
        "large_amount_own": bill.in_scope - deductible - pool - own - large_uncapped,
        "visits_before": ZERO,
        "outpatient_uncapped": ZERO,
        "outpatient_pays": ZERO,
        "outpatient_own": ZERO,
    }
    return Worked(amounts, parts)


def visit(bill: Bill, before: Before) -> Worked:
    """What is paid for an outpatient visit."""
    left = max(ZERO, VISITS_DEDUCTIBLE[bill.person_class] - before.visits_deductible)
    deductible = min(bill.in_scope, left)
    parts = visit_slices(bill, before.visits_cost + deductible, before.visits_cost + bill.in_scope)
    uncapped = to_fen(paid(parts))
    limited = max(ZERO, LIMIT_UNTIL_2022 - before.visits_paid)
    pays = uncapped if bill.day.year >= 2023 else min(uncapped, limited)
    none = dict.fromkeys(
        ("pool_uncapped", "pool_pays", "cost_used", "pool_own", "cost_over", "large_amount_uncapped"), ZERO
    )
    amounts = {
        "admission": "visit",
        "deductible_due": deductible,
        **none,
        "pool_room": POOL_CAP,
        "large_amount_pays": ZERO,
        "large_amount_own": ZERO,
        "visits_before": before.visits_cost,
        "outpatient_uncapped": uncapped,
        "outpatient_pays": pays,
        "outpatient_own": bill.in_scope - deductible - uncapped,
    }
    return Worked(amounts, parts)


def critical_owed(own: Fraction) -> Fraction:
    """What the critical illness layer owes for a year's own payments, unrounded."""
    low = max(ZERO, min(own, CRITICAL_BORDER) - CRITICAL_FROM)
    return low * CRITICAL_LOW + max(ZERO, own - CRITICAL_BORDER) * CRITICAL_HIGH


def settle(bill: Bill, before: Before) -> Worked:
    """Every amount of the rulebook, named as the rulebook names it."""
    refuse(bill)
    worked = stay(bill, before) if bill.care == "inpatient" else visit(bill, before)
    got = worked.amounts
    half = Fraction(1, 2) if bill.supplement and bill.care == "inpatient" else ZERO
    got["outpatient_group"] = group_of(bill)
    got["supplement_rate"] = half
    got["supplement_pool"] = to_fen(got["pool_own"] * half)
    got["supplement_large"] = to_fen(got["large_amount_own"] * half)
    funds = ("pool_pays", "large_amount_pays", "outpatient_pays", "supplement_pool", "supplement_large")
    own = bill.in_scope - sum((got[name] for name in funds), ZERO)
    got["own_in_scope"] = own
    got["own_this_year"] = before.own + own
    critical = ZERO
    if bill.critical:
        if bill.day.year < 2024:
            raise RefusedError("RX721")
        owed = critical_owed(before.own + own) - before.critical
        critical = to_fen(min(max(owed, ZERO), own))
    got["critical_illness_pays"] = critical
    got["fund_pays"] = bill.in_scope - own + critical
    got["patient_pays"] = bill.total - got["fund_pays"]
    got |= {
        "fund.pool": got["pool_pays"],
        "fund.large_amount": got["large_amount_pays"],
        "fund.outpatient": got["outpatient_pays"],
        "fund.supplement": got["supplement_pool"] + got["supplement_large"],
        "fund.critical_illness": critical,
        "patient.out_of_scope": bill.total - bill.in_scope,
        "patient.deductible": got["deductible_due"],
        "patient.coinsurance": got["pool_own"] - got["supplement_pool"],
        "patient.large_amount_own": got["large_amount_own"] - got["supplement_large"],
        "patient.outpatient_own": got["outpatient_own"],
        "patient.above_caps": got["large_amount_uncapped"]
        - got["large_amount_pays"]
        + got["outpatient_uncapped"]
        - got["outpatient_pays"],
        "patient.critical_illness": -critical,
    }
    return worked


def refuse(bill: Bill) -> None:
    """The conditions on a bill, by the code of the refusal."""
    if not FIRST_DAY <= bill.day.isoformat() <= LAST_DAY:
        raise RefusedError("RX723")
    needs_age = bill.care == "outpatient" and bill.institution == "other" and bill.person_class == "retired"
    if (
        bill.in_scope > bill.total
        or (bill.birth is not None and bill.birth > bill.day)
        or (bill.supplement and bill.person_class == "active")
        or (needs_age and bill.birth is None)
    ):
        raise RefusedError("RX722")


def after(before: Before, bill: Bill, got: Values) -> Before:
    """The year with this bill in it."""
    is_stay = bill.care == "inpatient"
    return Before(
        admissions=before.admissions + is_stay,
        pool=before.pool + got["pool_pays"],
        large=before.large + got["large_amount_pays"],
        visits_deductible=before.visits_deductible + (ZERO if is_stay else got["deductible_due"]),
        visits_cost=before.visits_cost + (ZERO if is_stay else bill.in_scope),
        visits_paid=before.visits_paid + got["outpatient_pays"],
        own=before.own + got["own_in_scope"],
        critical=before.critical + got["critical_illness_pays"],
    )


def opening(given: dict[str, str], care: str) -> Before:
    """What `so_far` says; its calls of `this_year` are of the first bill's own kind of care."""

    def of(call: str) -> Fraction:
        return Fraction(given.get(call, "0"))

    is_stay = care == "inpatient"
    return Before(
        admissions=int(given.get("this_year.count()", "0")) if is_stay else 0,
        pool=of("this_year.sum(pool_pays)") if is_stay else ZERO,
        large=of("this_year.sum(large_amount_pays)") if is_stay else ZERO,
        visits_deductible=ZERO if is_stay else of("this_year.sum(deductible_due)"),
        visits_cost=ZERO if is_stay else of("this_year.sum(in_scope)"),
        visits_paid=ZERO if is_stay else of("this_year.sum(outpatient_pays)"),
        own=of("whole_year.sum(own_in_scope)"),
        critical=of("whole_year.sum(critical_illness_pays)"),
    )


def read(episode: dict[str, str]) -> Bill:
    """A bill as an example writes it."""
    known = {"person_class": ("active", "retired"), "level": tuple(ACTIVE_PART), "care": ("inpatient", "outpatient")}
    try:
        for name, values in known.items():
            if episode.get(name, "inpatient" if name == "care" else "") not in values:
                raise RefusedError("")
        birth = episode.get("birth_date")
        return Bill(
            episode["person_class"],
            episode["level"],
            Fraction(episode["total"]),
            Fraction(episode["in_scope"]),
            date.fromisoformat(episode["discharge_date"]),
            episode.get("care", "inpatient"),
            episode.get("institution", "other"),
            date.fromisoformat(birth) if birth else None,
            episode.get("supplement") == "yes",
            episode.get("critical_illness") == "yes",
        )
    except (KeyError, ValueError):
        raise RefusedError("") from None


def bills(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """All bills of an entry, those before it among them, in the order in which they are settled."""
    listed = [*entry.get("earlier", []), *(entry.get("episodes") or [{"episode": entry["episode"]}])]
    episodes = [item["episode"] for item in listed]
    return sorted(episodes, key=lambda one: (one.get("discharge_date", ""), one["episode_id"]))


def worked(entry: dict[str, Any]) -> dict[str, tuple[Bill | None, Before, Worked]]:
    """Each bill of an entry by its id: what it is, what its year held before it, and its amounts."""
    found: dict[str, tuple[Bill | None, Before, Worked]] = {}
    gone: set[str] = set()
    ordered = bills(entry)
    first = ordered[0]
    own_year = (first.get("person_id", ""), first.get("discharge_date", "")[:4])
    for episode in ordered:
        name = episode["episode_id"]
        if "reverses_id" in episode:
            original = episode["reverses_id"]
            if original not in found or original in gone:
                found[name] = (None, Before(), Worked({"rejects": "RX813"}))
                continue
            negated = {k: -v if isinstance(v, Fraction) else v for k, v in found[original][2].amounts.items()}
            gone |= {original, name}
            found[name] = (None, Before(), Worked(negated))
            continue
        try:
            bill = read(episode)
        except RefusedError:
            found[name] = (None, Before(), Worked({"rejects": None}))
            continue
        year = (episode.get("person_id", ""), episode["discharge_date"][:4])
        before = opening(entry.get("so_far", {}), first.get("care", "inpatient")) if year == own_year else Before()
        for other in ordered:
            known = found.get(other["episode_id"])
            same = (other.get("person_id", ""), other.get("discharge_date", "")[:4]) == year
            if known is None or known[0] is None or not same or other["episode_id"] in gone:
                continue
            before = after(before, known[0], known[2].amounts)
        try:
            found[name] = (bill, before, settle(bill, before))
        except RefusedError as refused:
            found[name] = (None, before, Worked({"rejects": str(refused) or None}))
    return found


def results(entry: dict[str, Any]) -> list[Values]:
    """What the example's bills come to, one after the other as they are listed."""
    found = worked(entry)
    listed = entry.get("episodes") or [entry]
    return [found[one["episode"]["episode_id"]][2].amounts for one in listed]


def working(bill: Bill, before: Before, done: Worked) -> str:
    """The arithmetic in one line."""
    got = done.amounts
    line = [f"deductible {digits(got['deductible_due'])}"]
    if bill.care == "outpatient" and before.visits_deductible:
        standard = VISITS_DEDUCTIBLE[bill.person_class]
        line[0] = (
            f"deductible left {digits(standard)} - {digits(before.visits_deductible)}, due {digits(got['deductible_due'])}"
        )
    if bill.care == "outpatient" and before.visits_cost:
        line.append(f"visits before {digits(before.visits_cost)}")
    terms = " + ".join(f"{digits(p.cost)} x {_percent(p.rate)}" for p in done.parts) or "nothing above the deductible"
    uncapped = got["pool_uncapped"] + got["outpatient_uncapped"]
    line.append(f"{terms} = {digits(paid(done.parts))}")
    if paid(done.parts) != uncapped:
        line[-1] += f", to the fen {digits(uncapped)}"
    line += _stay_working(before, got) if bill.care == "inpatient" else _visit_working(bill, before, got)
    if bill.supplement:
        halves = got["supplement_pool"], got["supplement_large"]
        line.append(f"supplement {digits(halves[0])} + {digits(halves[1])}")
    if bill.critical:
        line.append(_critical_working(before, got))
    shown = [
        f"{digits(v)}" for k, v in got.items() if k.startswith("patient.") and (v or k != "patient.critical_illness")
    ]
    line.append(f"patient {' + '.join(v for v in shown if v != '0.00') or '0.00'} = {digits(got['patient_pays'])}")
    return "; ".join(line).replace("+ -", "- ")


def _stay_working(before: Before, got: Values) -> list[str]:
    line = [f"room 100,000.00 - {digits(before.pool)} = {digits(got['pool_room'])}"] if before.pool else []
    line.append(f"pool {digits(got['pool_pays'])}")
    if got["pool_pays"] < got["pool_uncapped"]:
        over = got["cost_over"]
        text = f"cost used {digits(got['cost_used'])}, over {digits(over)} x 80% = {digits(over * LARGE_RATE)}"
        text += f", large-amount fund {digits(got['large_amount_pays'])}"
        if got["patient.above_caps"]:
            text += f" of {digits(got['large_amount_uncapped'])} (yearly cap)"
        line.append(text)
    return line


def _visit_working(bill: Bill, before: Before, got: Values) -> list[str]:
    if bill.day.year >= 2023:
        return [f"paid {digits(got['outpatient_pays'])}"]
    left = max(ZERO, LIMIT_UNTIL_2022 - before.visits_paid)
    return [f"limit left {digits(left)}, paid {digits(got['outpatient_pays'])}"]


def _critical_working(before: Before, got: Values) -> str:
    own = got["own_this_year"]
    text = f"own payments of the year {digits(before.own)} + {digits(got['own_in_scope'])} = {digits(own)}"
    low, high = max(ZERO, min(own, CRITICAL_BORDER) - CRITICAL_FROM), max(ZERO, own - CRITICAL_BORDER)
    text += f", critical illness {digits(low)} x 60% + {digits(high)} x 70% = {digits(critical_owed(own))}"
    if before.critical:
        text += f", less {digits(before.critical)} paid"
    return f"{text}: {digits(got['critical_illness_pays'])}"


def _percent(rate: Fraction) -> str:
    per_cent = rate * 100
    return f"{per_cent.numerator}%" if per_cent.denominator == 1 else f"{float(per_cent):g}%"


if __name__ == "__main__":
    for example in yaml.load(Path(sys.argv[1]).read_text(encoding="utf-8"), yaml.BaseLoader):
        sys.stdout.write(f"{example['example']}\n")
        for identity, (one, prior, done_) in worked(example).items():
            text = working(one, prior, done_) if one else str(done_.amounts.get("rejects", "reversed"))
            sys.stdout.write(f"  {identity}: {text}\n")
