"""What a change of rulebook moves over many bills, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rxcalc.compare.moved import Group, Moved, Refused, Total
from rxcalc.inputs.shown import shown
from rxcalc.lang.arithmetic import Rational
from rxcalc.plan.nodes import Plan
from rxcalc.report.amounts import money, rounded, signed
from rxcalc.report.layout import left_pad, width
from rxcalc.report.moved_beside import across_lines, days_told, findings_lines, list_lines
from rxcalc.report.narrow import hanging, within
from rxcalc.report.phrases_diff import refusal, say, word

BAR: Final = 40
LEAST_BAR: Final = 8
MOST_GROUPS: Final = 40
DECILES: Final = ("least", *(f"{tenth}0%" for tenth in range(1, 10)), "most")


def text(x: Moved, plans: tuple[Plan, Plan], language: str = "en", *, columns: int = 80) -> str:
    """Counts, totals, winners and losers, distribution, groups; then rows of lists, findings, and groups across bills."""
    return "\n".join(_Text(x, language, columns).lines(plans)) + "\n"


def counts(x: Moved, language: str) -> str:
    """How many bills came out how."""
    numbers = (
        x.read, x.both, x.both - x.changed, x.changed, x.newly_rejected.count, x.newly_accepted.count, x.rejected_by_both,
    )  # fmt: skip
    return say("count", language, *(f"{n:,}" for n in numbers))


def codes(of: Refused, language: str) -> str:
    """The codes of refused bills, with how many have each."""
    told = (say("code_count", language, code, f"{count:,}") for code, count in of.codes)
    return say("list_sep", language).join(told)


def mean(key: str, x: Moved, count: int, language: str, *named: str) -> str:
    """The amount per bill or per head, under both."""
    total: Total = x.total
    old, new, moved = (rounded(of / count, x.decimals) for of in (total.old, total.new, total.moved))
    return say(
        key, language, x.amount, *named, money(old, x.decimals), money(new, x.decimals), signed(moved, x.decimals)
    )


def group_key(g: Group, language: str) -> tuple[str, ...]:
    """The values of a group; an empty one is called so."""
    return tuple(shown(value) or say("empty", language) for value in g.key)


class _Text:
    """The page of one comparison."""

    def __init__(self, x: Moved, language: str, columns: int) -> None:
        self.x, self.language, self.columns = x, language, columns

    def say(self, key: str, *values: object) -> str:
        return say(key, self.language, *values)

    def money(self, value: Rational) -> str:
        return money(value, self.x.decimals)

    def signed(self, value: Rational) -> str:
        return signed(value, self.x.decimals)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, indent: int = 0) -> list[str]:
        return within([self.say(h) if h else "" for h in head], rows, self.columns, left=left, indent=indent)

    def lines(self, plans: tuple[Plan, Plan]) -> list[str]:
        """All of it."""
        x = self.x
        lines = [line for told in days_told(x, plans, self.language) for line in hanging(told, self.columns)]
        lines += ["", *self._counts()] if lines else [*self._counts()]
        if x.both:
            lines += ["", *self._totals(), "", *self._sides()]
            if x.histogram:
                lines += ["", *self._distribution()]
            if x.by:
                lines += ["", *self._groups()]
            lines += ["", *self._means()]
        for beside in (list_lines, findings_lines, across_lines):
            more = beside(x, self.language, self.columns)
            lines += ["", *more] if more else []
        return lines

    def _counts(self) -> Iterator[str]:
        x = self.x
        yield from hanging(counts(x, self.language), self.columns)
        if x.read and not x.both:
            yield from hanging(self.say("none_both"), self.columns, 2)
        yield from self._refused("newly_rejected", "is_refused", x.newly_rejected)
        yield from self._refused("newly_accepted", "was_refused", x.newly_accepted)
        for name, count in x.others:
            if count:
                yield from hanging(self.say("another", name, f"{count:,}"), self.columns, 2)
        for key, names in (("only_old", x.only_old), ("only_new", x.only_new)):
            if names:
                yield from hanging(self.say(key, self.say("list_sep").join(names)), self.columns, 2)

    def _refused(self, title: str, told: str, of: Refused) -> Iterator[str]:
        if not of.count:
            return
        named = codes(of, self.language)
        line = self.say("refused_codes", self.say(title), named, self.x.amount, self.money(of.amount))
        yield from hanging(line, self.columns, 2)
        for one in of.examples:
            why = refusal(one.code, one.message, self.language)
            yield from hanging(self.say(told, shown(one.id), why), self.columns, 4)

    def _totals(self) -> list[str]:
        rows = [
            (t.name, self.money(t.old), self.money(t.new), self.signed(t.moved), f"{t.changed:,}")
            for t in self.x.totals
        ]
        return self.table(("total", "old", "new", "moved", "bills_changed"), rows)

    def _sides(self) -> Iterator[str]:
        x = self.x
        equal = x.both - x.lower.count - x.higher.count
        told = self.say("sides", x.amount, f"{x.lower.count:,}", f"{x.higher.count:,}", f"{equal:,}")
        yield from hanging(told, self.columns)
        for key, side in (("lower", x.lower), ("higher", x.higher)):
            if side.count:
                yield from hanging(self.say("side", self.say(key), self.signed(side.moved)), self.columns, 2)
                rows = [(shown(b.id), self.money(b.old), self.money(b.new), self.signed(b.moved)) for b in side.largest]
                yield from self.table(("bill", "old", "new", "moved"), rows, indent=4)

    def _distribution(self) -> Iterator[str]:
        x = self.x
        count = f"{x.lower.count + x.higher.count:,}"
        yield from hanging(self.say("distribution", x.amount, count), self.columns)
        rows = [(word(name, self.language), self.signed(value)) for name, value in zip(DECILES, x.deciles, strict=True)]
        yield from self.table(("decile", "moved"), rows, indent=2)
        yield ""
        most = max(b.count for b in x.histogram)
        labels = [self.say("from_to", signed(b.low, 0), signed(b.high, 0)) for b in x.histogram]
        left = max(map(width, labels))
        right = max(len(f"{b.count:,}") for b in x.histogram)
        longest = max(LEAST_BAR, min(BAR, self.columns - left - right - 6))
        for label, of in zip(labels, x.histogram, strict=True):
            bar = "#" * (max(1, longest * of.count // most) if of.count else 0)
            yield f"  {left_pad(label, left)}  {of.count:>{right},}  {bar}".rstrip()

    def _groups(self) -> Iterator[str]:
        x = self.x
        rows = [
            (
                *group_key(g, self.language),
                f"{g.count:,}",
                f"{g.lower:,}",
                f"{g.higher:,}",
                self.money(g.old),
                self.money(g.new),
                self.signed(g.new - g.old),
            )
            for g in x.groups[:MOST_GROUPS]
        ]
        yield from hanging(self.say("by", x.amount, self.say("list_sep").join(x.by)), self.columns)
        head = [self.say(key) for key in ("count_of", "lower", "higher", "old", "new", "moved")]
        yield from within([*x.by, *head], rows, self.columns, left=len(x.by))
        if len(x.groups) > MOST_GROUPS:
            yield from hanging(self.say("more_groups", f"{len(x.groups) - MOST_GROUPS:,}"), self.columns)

    def _means(self) -> Iterator[str]:
        x = self.x
        yield from hanging(mean("per_bill", x, x.both, self.language), self.columns)
        if x.heads:
            told = mean("per_head", x, x.heads, self.language, f"{x.heads:,}", x.heads_by)
            yield from hanging(told, self.columns)
