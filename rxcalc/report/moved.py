"""What a change of rulebook moves over many bills, for readers: text, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from rxcalc.compare.attributed import Attributed
from rxcalc.compare.model import Subject
from rxcalc.compare.moved import Bill, Moved, Refused, Side, Total
from rxcalc.inputs.shown import shown
from rxcalc.lang.arithmetic import Rational, plain, round_to
from rxcalc.report.layout import table

BAR: Final = 40
MOST_GROUPS: Final = 40
MOST_TOLD: Final = 10
MOST_ALONG: Final = 6
DECILES: Final = ("least", *(f"{tenth}0%" for tenth in range(1, 10)), "most")


def money(value: Rational, decimals: int) -> str:
    """An amount with thousands separators, rounded half up where it has more digits than the currency."""
    return plain(round_to(value, Fraction(1, 10**decimals), "half-up"), decimals, grouped=True)


def signed(value: Rational, decimals: int) -> str:
    """A movement, always with its sign but for 0."""
    text = money(value, decimals)
    return f"+{text}" if value > 0 else text


def text(x: Moved) -> str:
    """Counts, totals, winners and losers, distribution, groups."""
    lines = [*_counts(x)]
    if not x.both:
        return "\n".join(lines) + "\n"
    lines += ["", *_totals(x), "", *_sides(x)]
    if x.histogram:
        lines += ["", *_distribution(x)]
    if x.by:
        lines += ["", *_groups(x)]
    lines += ["", *_means(x)]
    return "\n".join(lines) + "\n"


def _counts(x: Moved) -> Iterator[str]:
    unchanged = x.both - x.changed
    counts = (
        f"{x.both:,} computed by both ({unchanged:,} unchanged, {x.changed:,} changed)",
        f"{x.newly_rejected.count:,} newly rejected",
        f"{x.newly_accepted.count:,} newly accepted",
        f"{x.rejected_by_both:,} rejected by both",
    )
    yield f"{x.read:,} bills: {', '.join(counts)}"
    if x.read and not x.both:
        yield "  no bill is computed by both: nothing can be compared; are the two rulebooks in force on the same days?"
    yield from _refused("newly rejected", "is refused by the new rulebook", x.newly_rejected, x)
    yield from _refused("newly accepted", "was refused by the old rulebook", x.newly_accepted, x)
    for name, count in x.others:
        if count:
            yield f"  {name} is another on {count:,}"
    for which, names in (("old", x.only_old), ("new", x.only_new)):
        if names:
            yield f"  not compared, only the {which} rulebook has it: {', '.join(names)}"


def _refused(title: str, said: str, of: Refused, x: Moved) -> Iterator[str]:
    if not of.count:
        return
    yield f"  {title}: {', '.join(f'{code} {count:,}' for code, count in of.codes)}; {x.amount} of these {money(of.amount, x.decimals)}"
    for one in of.examples:
        yield f"    {shown(one.id)} {said}: {one.code} {shown(one.message, 200)}"


def _totals(x: Moved) -> Iterator[str]:
    rows = [
        (t.name, money(t.old, x.decimals), money(t.new, x.decimals), signed(t.moved, x.decimals), f"{t.changed:,}")
        for t in x.totals
    ]
    yield from _table(("total", "old", "new", "moved", "bills changed"), rows)


def _sides(x: Moved) -> Iterator[str]:
    equal = x.both - x.lower.count - x.higher.count
    yield f"{x.amount}: lower on {x.lower.count:,}, higher on {x.higher.count:,}, the same on {equal:,}"
    for word, side in (("lower", x.lower), ("higher", x.higher)):
        if side.count:
            yield f"  {word}: {signed(side.moved, x.decimals)} together; most on"
            rows = [
                (shown(b.id), money(b.old, x.decimals), money(b.new, x.decimals), signed(b.moved, x.decimals))
                for b in side.largest
            ]
            yield from (f"    {line}" for line in _table(("bill", "old", "new", "moved"), rows))


def _distribution(x: Moved) -> Iterator[str]:
    yield f"{x.amount} moved, over the {x.lower.count + x.higher.count:,} bills on which it did:"
    rows = [(name, signed(value, x.decimals)) for name, value in zip(DECILES, x.deciles, strict=True)]
    yield from (f"  {line}" for line in _table(("decile", "moved"), rows))
    yield ""
    most = max(b.count for b in x.histogram)
    labels = [f"{signed(b.low, 0)} to {signed(b.high, 0)}" for b in x.histogram]
    left = max(map(len, labels))
    right = max(len(f"{b.count:,}") for b in x.histogram)
    for label, of in zip(labels, x.histogram, strict=True):
        bar = "#" * (max(1, BAR * of.count // most) if of.count else 0)
        yield f"  {label:>{left}s}  {of.count:>{right},}  {bar}".rstrip()


def _groups(x: Moved) -> Iterator[str]:
    rows = [
        (
            *map(shown, g.key),
            f"{g.count:,}",
            f"{g.lower:,}",
            f"{g.higher:,}",
            money(g.old, x.decimals),
            money(g.new, x.decimals),
            signed(g.new - g.old, x.decimals),
        )
        for g in x.groups[:MOST_GROUPS]
    ]
    yield f"{x.amount} by {', '.join(x.by)}:"
    yield from _table((*x.by, "bills", "lower", "higher", "old", "new", "moved"), rows, left=len(x.by))
    if len(x.groups) > MOST_GROUPS:
        yield f"and {len(x.groups) - MOST_GROUPS:,} more: --format json lists them all"


def _means(x: Moved) -> Iterator[str]:
    total = x.total
    yield f"{x.amount} per bill: {_mean(total, x.both, x.decimals)}"
    if x.heads:
        yield f"{x.amount} per head ({x.heads:,} different {x.heads_by}): {_mean(total, x.heads, x.decimals)}"


def _mean(total: Total, count: int, decimals: int) -> str:
    old, new = money(total.old / count, decimals), money(total.new / count, decimals)
    return f"{old} -> {new} ({signed(total.moved / count, decimals)})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """Columns under their heads; the first `left` stand to the left, amounts to the right."""
    yield from (line.rstrip() for line in table([head, *rows], "l" * left + "r" * (len(head) - left)))


def attributed_text(x: Attributed) -> str:
    """Which change moved which bills."""
    lines = ["no bill comes out otherwise"] if not x.rows else _attributed(x)
    still = [e for e in x.effects if not e.rows]
    if still or x.silent:
        lines.append("")
    lines += [
        f"{e.subject}: this change moved no row" + (f" (with {_some(e.along)})" if e.along else "") for e in still
    ]
    lines += [f"{subject}: this change moved no row; it moves none by itself" for subject in x.silent]
    return "\n".join(lines) + "\n"


def _attributed(x: Attributed) -> list[str]:
    """The bills by the changes that moved them."""
    shares = f"{x.sole:,} by one change alone, {x.adding:,} by several that add up"
    lines = [
        f"{x.rows:,} bills come out otherwise: {shares}, {x.interacting:,} by changes that act on each other",
        f"each change made by itself in the old rulebook, and what it does to {x.amount}:",
        "",
    ]
    rows = [
        (str(e.subject), f"{e.rows:,}", f"{e.sole:,}", signed(e.moved, x.decimals), f"{e.refuses:,}", f"{e.accepts:,}")
        for e in x.effects
        if e.rows
    ]
    if x.interactions:
        rest = sum((i.rest for i in x.interactions), Fraction(0))
        rows.append(("acting on each other", f"{x.interacting:,}", "", signed(rest, x.decimals), "", ""))
    lines += _table(("change", "bills", "alone", "moved", "rejects", "accepts"), rows)
    for e in x.effects:
        if e.rows and e.along:
            lines.append(f"{e.subject} was made together with {_some(e.along)}: it does not stand without")
    if x.interactions:
        lines += ["", "bills on which changes act on each other, by the changes that move them by themselves:"]
        told = [
            (f"  {' and '.join(map(str, i.subjects)) or 'none of them'}", f"{i.rows:,}", signed(i.rest, x.decimals))
            for i in x.interactions[:MOST_TOLD]
        ]
        lines += _table(("  changes", "bills", "beyond their sum"), told)
        if len(x.interactions) > MOST_TOLD:
            lines.append(f"  and {len(x.interactions) - MOST_TOLD:,} more combinations: --format json lists them all")
    return lines


def _some(subjects: Sequence[Subject]) -> str:
    first = ", ".join(map(str, subjects[:MOST_ALONG]))
    return first if len(subjects) <= MOST_ALONG else f"{first} and {len(subjects) - MOST_ALONG:,} more"


# ---- JSON -------------------------------------------------------------------------------------------


def document(x: Moved) -> dict[str, object]:
    """The same as a JSON object; amounts are strings of plain decimals."""

    def amount(value: Rational) -> str:
        return plain(round_to(value, Fraction(1, 10**x.decimals), "half-up"), x.decimals)

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
        "totals": {
            t.name: {"old": amount(t.old), "new": amount(t.new), "moved": amount(t.moved), "changed": t.changed}
            for t in x.totals
        },
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
    }


def _mean_json(total: Total, count: int, decimals: int) -> dict[str, object]:
    if not count:
        return {}
    step = Fraction(1, 10**decimals)
    parts = {"old": total.old / count, "new": total.new / count, "moved": total.moved / count}
    return {name: plain(round_to(value, step, "half-up"), decimals) for name, value in parts.items()}


def attributed_document(x: Attributed) -> dict[str, object]:
    """The attribution as a JSON object."""

    def amount(value: Rational) -> str:
        return plain(round_to(value, Fraction(1, 10**x.decimals), "half-up"), x.decimals)

    return {
        "amount": x.amount,
        "bills": x.rows,
        "by_one_change": x.sole,
        "by_several_that_add_up": x.adding,
        "interacting": x.interacting,
        "changes": [
            {
                "change": str(e.subject),
                "along": [str(s) for s in e.along],
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
    }
