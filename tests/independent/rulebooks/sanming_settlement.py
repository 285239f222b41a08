"""The yearly settlement of alliances and its indicators worked out a second time, from the source texts, in plain fractions.

It shares no code with rxcalc. Amounts are fractions of a yuan and are rounded where a settlement clerk would write them
down: amounts to the fen, shares to two decimals of a percent. A year is a ledger: first every bill is entered for the
people's county, for the alliance that treated, and for the pair of both; then each alliance's account is closed.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

Row = dict[str, str]
Values = dict[str, Any]

# Made-up amounts a head, from 2021 and from 2023.
A_HEAD = {
    2021: {"county_a": Fraction(800), "county_b": Fraction(760), "county_c": Fraction(720)},
    2023: {"county_a": Fraction(850), "county_b": Fraction(800), "county_c": Fraction("780.50")},
}
FOLLOWS = Fraction(1)
REASONABLE = Fraction(5, 100)
FUND_PART = Fraction(50, 100)
PRIMARY = Fraction(50, 100)
STAYS = ("inpatient", "day_surgery")
ZERO = Fraction(0)


def rounded(amount: Fraction, parts: int) -> Fraction:
    """The amount in whole 1/parts, ties away from zero."""
    twice = abs(amount) * parts * 2
    whole = (twice.numerator // twice.denominator + 1) // 2
    return Fraction(whole if amount >= 0 else -whole, parts)


def fen(amount: Fraction) -> Fraction:
    """To the fen."""
    return rounded(amount, 100)


def share(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """A percentage to two decimals; of nothing there is none."""
    return rounded(Fraction(part) / whole, 10_000) if whole else None


def number(text: str | None) -> Fraction | None:
    """`8,000.00` or `97%` as a fraction; nothing for an empty cell."""
    if text is None or text == "":
        return None
    plain = text.replace(",", "").replace("_", "")
    return Fraction(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)


def amount(row: Row, field: str, otherwise: str = "0") -> Fraction:
    """A figure of a row, or what stands in for it."""
    found = number(row.get(field, otherwise))
    return ZERO if found is None else found


class Bill:
    """One bill, as the ledger sees it."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.day = row["discharge_date"]
        self.year = int(self.day[:4])
        self.home, self.treated = row["home_alliance"], row["treating_alliance"]
        self.county, self.level = row["home_county"], row["level"]
        self.fund, self.patient = amount(row, "fund_paid"), amount(row, "patient_paid")
        self.others, self.cost = amount(row, "other_paid"), amount(row, "total_cost")
        self.carer, self.carer_own = amount(row, "carer_charge"), number(row.get("carer_paid"))
        self.drugs, self.services = number(row.get("drugs_and_consumables")), number(row.get("services"))
        self.package = number(row.get("package_price"))
        self.by_package = row["paid_by"] == "package"
        self.stay = row["setting"] in STAYS
        self.paid = self.fund + self.patient + self.others
        self.moves = ZERO if self.home == self.treated else fen(self.fund * FOLLOWS)

    def refused(self) -> bool:
        """Whether the bill contradicts itself."""
        broken_down = self.drugs is not None and self.services is not None
        return (
            self.home == "outside"
            or (self.by_package and not self.stay)
            or (self.by_package and not self.package)
            or (not self.by_package and self.paid > self.cost)
            or self.carer > self.cost
            or (self.carer_own or ZERO) > self.carer
            or (broken_down and (self.drugs or ZERO) + (self.services or ZERO) > self.cost)
        )

    def saved(self) -> Fraction:
        """What the items would have cost beyond the package; nothing where items are paid."""
        return self.cost - self.carer - self.package if self.by_package and self.package else ZERO

    def values(self, of_package: Fraction | None) -> Values:
        """What stands in the bill's own row."""
        part = None
        if of_package:
            part = rounded(self.fund / of_package, 1_000_000)
        return {
            "is_stay": self.stay,
            "by_cdrg": self.by_package,
            "treated_at_home": self.home == self.treated,
            "followed": self.moves,
            "stays_home": self.fund - self.moves,
            "paid": self.paid,
            "hospital_difference": self.cost - self.paid,
            "items_cost": self.cost - self.carer,
            "below_items": self.saved(),
            "package_used": part,
            "fund_pays": self.fund,
            "patient_pays": self.patient,
            "other_pays": self.others,
            "hospital_pays": self.cost - self.paid,
            "fund.home": self.fund - self.moves,
            "fund.followed": self.moves,
            "patient.own": self.patient,
            "other.others": self.others,
            "hospital.difference": self.cost - self.paid,
        }


def county_rows(bills: list[Bill], given: list[Row]) -> dict[tuple[str, str, int], Values]:
    """The people of each county, by the alliance they chose: their package and what was paid for them."""
    found: dict[tuple[str, str, int], Values] = {}
    for row in given:
        key = (row["county"], row["alliance"], int(row["year"]))
        own = [b for b in bills if (b.county, b.home, b.year) == key]
        heads = int(row["heads"].replace(",", ""))
        spent = sum((b.fund for b in own), ZERO)
        found[key] = {
            "heads": heads,
            "package": heads * A_HEAD[2023 if key[2] >= 2023 else 2021][key[0]],
            "spent": spent,
            "gone_elsewhere": sum((b.moves for b in own), ZERO),
            "spent_per_head": fen(spent / heads) if heads else None,
        }
    return found


def provider_rows(bills: list[Bill], given: list[Row]) -> dict[tuple[str, int], Values]:
    """Each alliance as the one that treats, with its appraisal."""
    keys = {(b.treated, b.year) for b in bills} | {(r["alliance"], int(r["year"])) for r in given}
    found: dict[tuple[str, int], Values] = {}
    for key in keys:
        own = [b for b in bills if (b.treated, b.year) == key]
        other = [number(r.get("other_score")) for r in given if (r["alliance"], int(r["year"])) == key]
        near = sum(b.level == "grassroots" for b in own)
        part = share(near, len(own))
        score = min(Fraction(1), rounded(near / (len(own) * PRIMARY), 10_000)) if own else None
        weight = Fraction(40, 100) if key[1] >= 2023 else Fraction(30, 100)
        second = other[0] if other else None
        found[key] = {
            "treated": sum((b.fund for b in own), ZERO),
            "followed_here": sum((b.moves for b in own), ZERO),
            "visits": len(own),
            "primary_visits": near,
            "primary_share": part,
            "graded_score": score,
            "appraisal": None
            if score is None or second is None
            else rounded(score * weight + second * (1 - weight), 10_000),
        }
    return found


def closed(row: Row, counties: list[Values], provider: Values | None) -> Values:
    """The account of one alliance and year, closed under the rule that its row names."""
    heads = sum(c["heads"] for c in counties)
    package = sum((c["package"] for c in counties), ZERO)
    assessed = fen(package * amount(row, "assessment_factor", "100%"))
    treated = provider["treated"] if provider else ZERO
    came_in = provider["followed_here"] if provider else ZERO
    went_out = sum((c["gone_elsewhere"] for c in counties), ZERO)
    insurance = assessed - treated + came_in - went_out
    health = amount(row, "public_health_fund") - amount(row, "public_health_spent")
    balance = insurance + health
    surplus, deficit = max(balance, ZERO), max(-balance, ZERO)
    reasonable = fen(min(deficit, max(ZERO, -insurance), assessed * REASONABLE))
    shareable = fen(reasonable * FUND_PART)
    by_fund = shareable if row["deficit_rule"] == "shared" else ZERO
    salaries = fen(surplus * amount(row, "salary_part"))
    promotion = min(surplus - salaries, fen(surplus * amount(row, "promotion_part")))
    return {
        "heads": heads,
        "package": package,
        "assessed_package": assessed,
        "kept_back": package - assessed,
        "treated_here": treated,
        "came_in": came_in,
        "went_out": went_out,
        "insurance_balance": insurance,
        "insurance_lack": max(ZERO, -insurance),
        "public_health_balance": health,
        "account_balance": balance,
        "surplus": surplus,
        "deficit": deficit,
        "reasonable_deficit": reasonable,
        "shareable": shareable,
        "fund_covers": by_fund,
        "alliance_bears": deficit - by_fund,
        "surplus_per_head": fen(surplus / heads) if heads else None,
        "to_salaries": salaries,
        "to_promotion": promotion,
        "service_income": min(surplus, max(ZERO, insurance)),
        "promotion_cost": promotion,
        "fund.shared": by_fund,
        "hospital.borne": deficit - by_fund,
        "fund_pays": by_fund,
        "hospital_pays": deficit - by_fund,
        "use_of_surplus.hospital.salaries": salaries,
        "use_of_surplus.hospital.promotion": promotion,
        "use_of_surplus.hospital.left": surplus - salaries - promotion,
    }


def item_row(row: Row, bills: list[Bill]) -> Values:
    """One procured item: its price before and now."""
    old, new, quantity = amount(row, "old_price"), amount(row, "new_price"), amount(row, "quantity")
    guide = number(row.get("guide_price"))
    return {
        "cut": share(old - new, old),
        "cut_from_guide": None if guide is None else share(guide - new, guide),
        "value_before": fen(old * quantity),
        "saving": fen((old - new) * quantity),
        "bills": sum(b.row.get("procured_item") == row["item"] and b.year == int(row["year"]) for b in bills),
    }


def prices(items: list[Values]) -> Values:
    """All procured items of a year."""
    below = [x["cut_from_guide"] for x in items if x["cut_from_guide"] is not None]
    saving = sum((x["saving"] for x in items), ZERO)
    return {
        "items": len(items),
        "mean_cut": share(sum((x["cut"] for x in items), ZERO), len(items)),
        "weighted_cut": share(saving, sum((x["value_before"] for x in items), ZERO)),
        "largest_cut": max(x["cut"] for x in items),
        "saving": saving,
        "mean_cut_from_guide": share(sum(below, ZERO), len(below)),
    }


def city(row: Row, bills: list[Bill]) -> Values:
    """The indicators of a year that need no other year and no account."""
    stays = [b for b in bills if b.stay]
    packaged = [b for b in bills if b.by_package]
    near = sum(b.level == "grassroots" for b in bills)
    split = [b for b in bills if b.drugs is not None and b.services is not None]
    split_cost = sum((b.cost for b in split), ZERO)
    known = [b for b in stays if b.row.get("institution")]
    examined = [int(b.row["examinations"]) for b in bills if b.row.get("examinations")]
    chronic = [b for b in bills if b.row.get("chronic", "no") in ("yes", "true")]
    far = sum(b.level in ("city", "province") for b in chronic)
    carers = [b.carer_own for b in bills if b.carer_own is not None]
    listed, former = number(row.get("groups_listed")), number(row.get("former_mean"))
    grassroots = number(row.get("grassroots_institutions"))
    cost = sum((b.cost - b.carer for b in packaged), ZERO)
    saved = sum((b.saved() for b in packaged), ZERO)
    paid = sum((b.paid for b in bills), ZERO)
    inpatient = sum((b.fund for b in stays), ZERO)
    by_cdrg = sum((b.fund for b in packaged), ZERO)
    return {
        "bills": len(bills),
        "inpatient_fund": inpatient,
        "cdrg_fund": by_cdrg,
        "cdrg_share": share(by_cdrg, inpatient),
        "county_coverage": share(len({b.county for b in packaged}), len({b.county for b in stays})),
        "institution_coverage": share(
            len({b.row["institution"] for b in known if b.by_package}), len({b.row["institution"] for b in known})
        ),
        "group_coverage": share(len({b.row["drg"] for b in packaged if b.row.get("drg")}), listed) if listed else None,
        "cdrg_stays": len(packaged),
        "cdrg_cost": cost,
        "saving_by_package": saved,
        "saving_by_mean": None if former is None else former * len(packaged) - (cost - saved),
        "primary_visits": near,
        "primary_share": share(near, len(bills)),
        "primary_above": near > len(bills) * PRIMARY if bills else None,
        "split_cost": split_cost,
        "drug_share": share(sum((b.drugs or ZERO for b in split), ZERO), split_cost),
        "service_share": share(sum((b.services or ZERO for b in split), ZERO), split_cost),
        "paid": paid,
        "own_share": share(sum((b.patient for b in bills), ZERO), paid),
        "mean_examinations": rounded(Fraction(sum(examined), len(examined)), 100) if examined else None,
        "chronic_visits": len(chronic),
        "chronic_in_city": far,
        "chronic_share": share(far, len(chronic)),
        "carer_mean": fen(sum(carers, ZERO) / len(carers)) if carers else None,
        "tcm_coverage": share(amount(row, "tcm_clinics"), grassroots) if grassroots else None,
        "mean_pay": number(row.get("mean_pay")),
    }


def compared(this: Values, before: Values | None, balance: Fraction | None, bought: Values | None) -> Values:
    """What a year's indicators say beside the year before, the accounts and the procured items."""
    old = before or {}
    share_before, pay_before, carer_before = old.get("own_share"), old.get("mean_pay"), old.get("carer_mean")
    own, pay, carer = this["own_share"], this["mean_pay"], this["carer_mean"]
    return {
        "own_share_before": share_before,
        "own_share_fell": None if own is None or share_before is None else own < share_before,
        "pay_rose": None if pay is None or pay_before is None else pay > pay_before,
        "carer_fell": None if carer is None or carer_before is None else carer_before - carer,
        "fund_in_balance": None if balance is None else balance >= 0,
        "mean_price_cut": bought["mean_cut"] if bought else None,
        "largest_price_cut": bought["largest_cut"] if bought else None,
        "procurement_saving": bought["saving"] if bought else None,
    }


def rows_of(entry: dict[str, Any], kind: str) -> list[Row]:
    """The rows that an example gives for a kind of groups."""
    found = entry.get("groups", {}).get(kind, [])
    return list(found) if isinstance(found, list) else [found]


def named(kind: str, keys: Row, values: Values) -> Values:
    """Flat names of one group, its keys in the order of the alphabet."""
    own = ",".join(f"{key}={keys[key]}" for key in sorted(keys))
    return {f"groups.{kind}[{own}].{name}": value for name, value in values.items()}


def years(
    entry: dict[str, Any], bills: list[Bill]
) -> tuple[Values, dict[tuple[str, int], Values], set[tuple[str, int]]]:
    """Every group of an example, the accounts, and the alliances with heads whose account cannot be closed."""
    counties = county_rows(bills, rows_of(entry, "county_year"))
    providers = provider_rows(bills, rows_of(entry, "provider_year"))
    out: Values = {}
    for (county, alliance, year), values in counties.items():
        out |= named("county_year", {"county": county, "alliance": alliance, "year": str(year)}, values)
    for (alliance, year), values in providers.items():
        out |= named("provider_year", {"alliance": alliance, "year": str(year)}, values)
    for source, to, year in {(b.home, b.treated, b.year) for b in bills}:
        own = [b for b in bills if (b.home, b.treated, b.year) == (source, to, year)]
        sums = {"bills": len(own), "paid": sum((b.fund for b in own), ZERO)}
        sums["followed_total"] = sum((b.moves for b in own), ZERO)
        out |= named("flow_year", {"from_alliance": source, "to_alliance": to, "year": str(year)}, sums)
    accounts: dict[tuple[str, int], Values] = {}
    for row in rows_of(entry, "alliance_year"):
        key = (row["alliance"], int(row["year"]))
        if amount(row, "salary_part") + amount(row, "promotion_part") > 1:
            continue
        own_counties = [v for (_, alliance, year), v in counties.items() if (alliance, year) == key]
        accounts[key] = closed(row, own_counties, providers.get(key))
        out |= named("alliance_year", {"alliance": key[0], "year": str(key[1])}, accounts[key])
    totals: dict[int, Values] = {}
    for year in {year for _, year in accounts}:
        own_accounts = [v for (_, of), v in accounts.items() if of == year]
        totals[year] = {
            "packages": sum((v["package"] for v in own_accounts), ZERO),
            "balance": sum((v["account_balance"] for v in own_accounts), ZERO),
            "left_the_city": providers.get(("outside", year), {}).get("followed_here", ZERO),
        }
        for name in ("came_in", "went_out", "surplus", "deficit", "fund_covers"):
            totals[year][name] = sum((v[name] for v in own_accounts), ZERO)
        out |= named("account_year", {"year": str(year)}, totals[year])
    bought: dict[int, list[Values]] = defaultdict(list)
    for row in rows_of(entry, "item_year"):
        if not amount(row, "old_price") or not amount(row, "quantity") or number(row.get("guide_price")) == 0:
            continue
        item = item_row(row, bills)
        bought[int(row["year"])].append(item)
        out |= named("item_year", {"item": row["item"], "year": row["year"]}, item)
    market = {year: prices(items) for year, items in bought.items()}
    for year, values in market.items():
        out |= named("price_year", {"year": str(year)}, values)
    told = {int(row["year"]): row for row in rows_of(entry, "city_year")}
    cities = {
        year: city(told.get(year, {}), [b for b in bills if b.year == year])
        for year in set(told) | {b.year for b in bills}
    }
    for year, values in cities.items():
        balance = totals[year]["balance"] if year in totals else None
        more = compared(values, cities.get(year - 1), balance, market.get(year))
        out |= named("city_year", {"year": str(year)}, values | more)
    return out, accounts, {(alliance, year) for _, alliance, year in counties} - set(accounts)


def taken(row: Row) -> tuple[Bill | None, str | None]:
    """A bill that can be entered, or why it cannot."""
    needed = ("discharge_date", "home_county", "home_alliance", "treating_alliance", "level", "setting", "paid_by")
    if any(field not in row for field in (*needed, "total_cost", "fund_paid", "patient_paid")):
        return None, None
    bill = Bill(row)
    if not "2021-01-01" <= bill.day <= "2024-12-31":
        return None, "RX723"
    return (None, "RX722") if bill.refused() else (bill, None)


def negated(values: Values) -> Values:
    """The results of a bill that is taken back: every amount with the other sign."""
    return {k: -x if isinstance(x, Fraction) else x for k, x in values.items() if not k.startswith("groups.")}


def results(entry: dict[str, Any]) -> list[Values]:
    """Each bill of an example, with every group of the example beside it."""
    listed = [one["episode"] for one in entry.get("episodes") or [entry]]
    back = {row["episode_id"]: row["reverses_id"] for row in listed if row.get("reverses_id")}
    read = [(None, None) if row["episode_id"] in back else taken(row) for row in listed]
    if "episodes" not in entry:
        given = rows_of(entry, "alliance_year")
        bill, code = read[0]
        if bill is None:
            return [{"rejects": code}]
        return [bill.values(number(given[0]["package"])) if given else {"rejects": "RX721"}]
    gone = set(back.values())
    counted = [bill for bill, _ in read if bill and bill.row["episode_id"] not in gone]
    groups, accounts, unruled = years(entry, counted)
    found: dict[str, Values] = {}
    for row, (bill, code) in zip(listed, read, strict=True):
        if bill is None:
            found[row["episode_id"]] = {"rejects": code}
        elif (bill.home, bill.year) in accounts:
            found[row["episode_id"]] = bill.values(accounts[bill.home, bill.year]["package"]) | groups
        else:
            found[row["episode_id"]] = {"rejects": "RX809" if (bill.home, bill.year) in unruled else "RX721"}
    found |= {reversal: negated(found[original]) for reversal, original in back.items()}
    return [found[row["episode_id"]] for row in listed]
