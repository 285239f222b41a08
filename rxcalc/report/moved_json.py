"""What a change of rulebook moves over many bills, as JSON: words of keys and codes are in no language."""

from __future__ import annotations

from rxcalc.compare.attributed import Attributed
from rxcalc.compare.moved import Across, Bill, Days, Found, Moved, OneDay, Refused, Side, Total
from rxcalc.lang.arithmetic import Rational
from rxcalc.report.amounts import bare, rounded
from rxcalc.report.moved import DECILES


def document(x: Moved) -> dict[str, object]:
    """The same as a JSON object; amounts are strings of plain decimals."""

    def amount(value: Rational) -> str:
        return bare(value, x.decimals)

    def bill(b: Bill) -> dict[str, object]:
        return {"episode": b.id, "old": amount(b.old), "new": amount(b.new), "moved": amount(b.moved)}

    def side(s: Side) -> dict[str, object]:
        return {"count": s.count, "moved": amount(s.moved), "largest": [bill(b) for b in s.largest]}

    def refused(r: Refused) -> dict[str, object]:
        examples = [{"episode": e.id, "code": e.code, "message": e.message} for e in r.examples]
        return {"count": r.count, "codes": dict(r.codes), x.amount: amount(r.amount), "examples": examples}

    total = x.total
    return {
        "bills": {
            "read": x.read,
            "both": x.both,
            "unchanged": x.both - x.changed,
            "changed": x.changed,
            "rejected_by_both": x.rejected_by_both,
        },
        "newly_rejected": refused(x.newly_rejected),
        "newly_accepted": refused(x.newly_accepted),
        "totals": {t.name: _total(t, x.decimals) for t in x.totals},
        "other_results_changed": dict(x.others),
        "not_compared": {"only_old": list(x.only_old), "only_new": list(x.only_new)},
        "amount": x.amount,
        "lower": side(x.lower),
        "higher": side(x.higher),
        "deciles": {name: amount(v) for name, v in zip(DECILES, x.deciles, strict=False)},
        "histogram": [{"low": amount(b.low), "high": amount(b.high), "count": b.count} for b in x.histogram],
        "by": list(x.by),
        "groups": [
            {
                "key": dict(zip(x.by, g.key, strict=True)),
                "bills": g.count,
                "lower": g.lower,
                "higher": g.higher,
                "old": amount(g.old),
                "new": amount(g.new),
                "moved": amount(g.new - g.old),
            }
            for g in x.groups
        ],
        "per_bill": _mean_json(total, x.both, x.decimals),
        "per_head": {"by": x.heads_by, "heads": x.heads, **_mean_json(total, x.heads, x.decimals)} if x.heads else None,
        "findings": [_found(f, x.decimals) for f in x.found],
        "groups_across_bills": [_across(a, x.decimals) for a in x.across],
        "rows_of_lists": [_across(a, x.decimals) for a in x.lists],
        "days": _days(x.days),
        "earlier": {
            "files": list(x.earlier),
            "opening": x.opening or None,
            "nothing_said_of": {which: list(calls) for which, calls in x.unopened},
            "read_by_one_alone": list(x.alone),
        },
    }


def _found(f: Found, decimals: int) -> dict[str, object]:
    amounts = (None if a is None else bare(a, decimals) for a in (f.old_amount, f.new_amount))
    return {
        "check": f.check,
        "severity": f.severity,
        "old": f.old,
        "new": f.new,
        "gone": f.gone,
        "come": f.come,
        **dict(zip(("old_amount", "new_amount"), amounts, strict=True)),
        "gone_on": list(f.gone_on),
        "come_on": list(f.come_on),
    }


def _across(a: Across, decimals: int) -> dict[str, object]:
    return {
        "kind": a.kind,
        "both": a.both,
        "changed": a.changed,
        "only_old": a.only_old,
        "only_new": a.only_new,
        "totals": {t.name: _total(t, decimals) for t in a.totals},
        "other_results_changed": dict(a.others),
        "examples": [
            {"key": dict(zip(a.keys, e.key, strict=True)), "result": e.name, "old": e.old, "new": e.new}
            for e in a.examples
        ],
    }


def _total(t: Total, decimals: int) -> dict[str, object]:
    return {
        "old": bare(t.old, decimals),
        "new": bare(t.new, decimals),
        "moved": bare(t.moved, decimals),
        "changed": t.changed,
    }


def _days(d: Days) -> dict[str, object]:
    return {
        "first": str(d.first) if d.first is not None else None,
        "last": str(d.last) if d.last is not None else None,
        "not_in_force": dict(zip(("old", "new"), d.not_in_force, strict=True)),
        "later_changes": {str(of): str(since) for of, since in d.later},
        "as_of": dict(zip(("old", "new"), map(_one_day, d.one), strict=True)) if d.one is not None else None,
    }


def _one_day(of: OneDay) -> dict[str, object]:
    return {
        "day": str(of.day),
        "asked_for": str(of.wanted),
        "bills": of.bills,
        "of_other_values": of.other,
        "not_in_force": of.outside,
        "dates_in_rules": [{"date": text, "at": place} for text, place in of.literals],
    }


def _mean_json(total: Total, count: int, decimals: int) -> dict[str, object]:
    if not count:
        return {}
    parts = {"old": total.old / count, "new": total.new / count, "moved": total.moved / count}
    return {name: bare(rounded(value, decimals), decimals) for name, value in parts.items()}


def attributed_document(x: Attributed) -> dict[str, object]:
    """The attribution as a JSON object."""

    def amount(value: Rational) -> str:
        return bare(value, x.decimals)

    return {
        "amount": x.amount,
        "bills": x.rows,
        "by_one_change": x.sole,
        "by_several_that_add_up": x.adding,
        "interacting": x.interacting,
        "changes": [
            {
                "change": str(e.subject),
                "subject": str(e.subject.whole),
                "part": str(e.subject.part),
                "along": [str(s) for s in e.along],
                "beyond": [str(s) for s in e.beyond],
                "bills": e.rows,
                "alone": e.sole,
                "moved": amount(e.moved),
                "rejects": e.refuses,
                "accepts": e.accepts,
            }
            for e in x.effects
        ],
        "interactions": [
            {"changes": [str(s) for s in i.subjects], "bills": i.rows, "beyond_their_sum": amount(i.rest)}
            for i in x.interactions
        ],
        "moves_nothing_by_itself": [str(s) for s in x.silent],
        "cannot_be_made_by_itself": [str(s) for s in x.unmade],
    }
