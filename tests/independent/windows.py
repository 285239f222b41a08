"""Windows, spells, periods, refusals, openings and reversals worked out a second time, the slow and obvious way.

It shares no code with rxcalc, so that the two can disagree. Every question about a row is answered by going through all
rows before it again: nothing is carried along but the results.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

CAP = Fraction(1000)
TOO_MUCH = Fraction(900)


@dataclass(frozen=True)
class Window:
    """A window as a rulebook declares it; `kind` is calendar, rolling, units, gap, period or all."""

    name: str
    kind: str
    length: int = 0
    unit: str = ""
    date: str = ""
    starting: tuple[int, int] = (1, 1)
    same: tuple[str, ...] = ()

    def yaml(self) -> str:
        """Its declaration."""
        same = [f"same: [{', '.join(self.same)}]"] if self.same else []
        match self.kind:
            case "calendar":
                start = [f"starting: {self.starting[0]:02}-{self.starting[1]:02}"] if self.starting != (1, 1) else []
                own = [f"calendar: {self.unit}", f"date: {self.date}", *start]
            case "rolling":
                own = [f"rolling: {self.length} {self.unit}", f"date: {self.date}"]
            case "units":
                own = [f"rolling: {self.length}", f"unit: {self.unit}", f"date: {self.date}"]
            case "gap":
                own = [f"gap: {self.length} {self.unit}", "from: discharged", "to: admitted"]
            case "period":
                own = [f"period: {self.length} {self.unit}", "date: admitted"]
            case _:
                own = [] if self.same else ["all: yes"]
        return f"{self.name}: {{{', '.join([*own, *same])}}}"


@dataclass(frozen=True)
class Bill:
    """A row of a history. `bad`: refused before it is looked at; `lost`: and nobody knows where it stands."""

    id: str
    admitted: date
    discharged: date
    total: Fraction
    level: str
    chain: str | None = None
    member: str | None = None
    reverses: str | None = None
    bad: bool = False
    lost: bool = False

    @property
    def place(self) -> tuple[date, str]:
        """Where it stands in the order."""
        return self.admitted, self.id


@dataclass
class Result:
    """What becomes of a bill. `code` "" is a result; `after` marks one computed after a refused one that it could read."""

    code: str = ""
    values: dict[str, object] = field(default_factory=dict)
    after: bool = False
    affected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Before:
    """What is told of the time before the first bill: values by call, and where spells and periods stand, by window."""

    values: dict[str, object] = field(default_factory=dict)
    marks: dict[str, date] = field(default_factory=dict)


# ---- dates ----


def plus_months(on: date, months: int) -> date:
    """The same day so many months on, or the last day of that month."""
    year, month = on.year, on.month + months
    while month > 12:
        year, month = year + 1, month - 12
    while month < 1:
        year, month = year - 1, month + 12
    day = on.day
    while day > calendar.monthrange(year, month)[1]:
        day -= 1
    return date(year, month, day)


def plus(on: date, length: int, unit: str) -> date:
    """A date so many days, months or years on."""
    if unit == "days":
        return on + timedelta(days=length)
    return plus_months(on, length if unit == "months" else 12 * length)


def civil(on: date, unit: str, starting: tuple[int, int]) -> date:
    """The first day of the month, quarter or year of a year that starts on a day of the calendar."""
    step = {"month": 1, "quarter": 3, "year": 12}[unit]
    start = date(on.year - 2, *starting)
    found, n = start, 0
    while True:
        following = plus_months(start, n)
        if following > on:
            return found
        found, n = following, n + step


# ---- what a bill sees ----


class History:
    """One person's bills in order, under some windows."""

    def __init__(self, windows: list[Window], bills: Iterable[Bill], before: Before | None, *, compute: bool) -> None:
        self.windows = windows
        self.compute = compute
        self.bills = sorted(bills, key=lambda b: b.place)
        self.before = before
        self.single = len(self.bills) == 1
        self.results: dict[str, Result] = {}
        self.saw: dict[str, set[str]] = {}

    def run(self) -> dict[str, Result]:
        """What becomes of every bill, by id."""
        standing: list[Bill] = []  # placed and not reversed so far, refused ones too
        refused: set[str] = set()
        lost = False
        for bill in self.bills:
            if bill.reverses is not None:
                result = self._reversal(bill, standing)
                self.results[bill.id] = result
                lost = lost or bool(result.code)
                if not result.code:
                    standing = [b for b in standing if b.id != bill.reverses]
                    refused.discard(bill.reverses)
                continue
            if bill.lost:
                self.results[bill.id] = Result("bad")
                lost = True
                continue
            reads = standing if not self.compute else [b for b in standing if not self.results[b.id].code]
            seen = {w.name: self.seen(w, reads, bill) for w in self.windows}
            could = {b.id for w in self.windows for b in self.seen(w, standing, bill)[0]}
            depends = lost or bool(could & refused)
            if bill.bad:
                result = Result("bad")
            elif depends and not self.compute:
                result = Result("RX811")
            else:
                result = self._computed(bill, seen)
                result.after = depends
            self.results[bill.id] = result
            self.saw[bill.id] = {b.id for earlier, _ in seen.values() for b in earlier}
            standing.append(bill)
            if result.code or depends:
                refused.add(bill.id)
        return self.results

    def seen(self, window: Window, standing: list[Bill], bill: Bill) -> tuple[list[Bill], bool]:
        """The earlier bills in a window, and whether what came before the first bill is in it too."""
        if any(getattr(bill, name) is None for name in window.same):
            return [], False
        same = [b for b in standing if all(getattr(b, n) == getattr(bill, n) for n in window.same)]
        first = next((b for b in self.bills if b.reverses is None and not b.lost), bill)
        opened = self.before is not None and all(getattr(first, n) == getattr(bill, n) for n in window.same)
        if window.kind in ("gap", "period"):
            return self._stretch(window, same, bill, first, opened=opened)
        found = [b for b in same if self._in(window, b, bill)]
        if window.kind == "calendar":
            opened = opened and self._in(window, first, bill)
        return found, opened

    def _in(self, window: Window, earlier: Bill, bill: Bill) -> bool:
        """Whether one bill lies in a window of another by their own dates."""
        if window.kind == "all":
            return True
        then, now = getattr(earlier, window.date), getattr(bill, window.date)
        match window.kind:
            case "calendar":
                return civil(then, window.unit, window.starting) == civil(now, window.unit, window.starting)
            case "rolling":
                return plus(now, -window.length, window.unit) < then <= now
            case _:
                step = {"month": 1, "quarter": 3, "year": 12}[window.unit]
                this = civil(now, window.unit, (1, 1))
                return plus_months(this, -(window.length - 1) * step) <= then < plus_months(this, step)

    def _stretch(
        self, window: Window, same: list[Bill], bill: Bill, first: Bill, *, opened: bool
    ) -> tuple[list[Bill], bool]:
        """The bills of the same spell or period, formed from the beginning."""
        last = self._formed(window, [*same, bill], first, opened=opened)[0][-1]
        return [b for b in last if b is not None and b is not bill], last[0] is None

    def _formed(
        self, window: Window, rows: list[Bill], first: Bill, *, opened: bool
    ) -> tuple[list[list[Bill | None]], dict[str, date]]:
        """Spells or periods, each as its bills (None: what came before the first); and where each bill's one starts."""
        stretches: list[list[Bill | None]] = []
        mark: date | None = None
        if opened and self.before is not None and self._tells(window):
            stretches.append([None])
            mark = self.before.marks.get(window.name, first.admitted)
        starts: dict[str, date] = {}
        for row in rows:
            begins = mark is None or row.admitted >= plus(mark, window.length, window.unit)
            if begins:
                stretches.append([])
            if window.kind == "gap":
                mark = row.discharged if mark is None else max(mark, row.discharged)
            elif begins:
                mark = row.admitted
            assert mark is not None
            stretches[-1].append(row)
            starts[row.id] = mark
        return stretches, starts

    def _tells(self, window: Window) -> bool:
        assert self.before is not None
        return window.name in self.before.marks or any(c.startswith(f"{window.name}.") for c in self.before.values)

    # ---- results ----

    def _computed(self, bill: Bill, seen: dict[str, tuple[list[Bill], bool]]) -> Result:
        if bill.total > TOO_MUCH:
            return Result("RX721")
        values: dict[str, object] = {}
        before = self.before.values if self.before is not None else {}
        for w in self.windows:
            earlier, opened = seen[w.name]

            def told(call: str, *, limited: bool = False, w: Window = w, opened: bool = opened) -> object:
                many = limited or w.kind in ("rolling", "units")
                return before.get(f"{w.name}.{call}") if opened and (self.single or not many) else None

            def number(call: str, *, limited: bool = False) -> Fraction:
                return Fraction(told(call, limited=limited) or 0)  # type: ignore[arg-type]  # a number

            paid = [self.results[b.id].values["pays"] for b in earlier]
            totals = [b.total for b in earlier]
            higher = [b for b in earlier if b.total > bill.total]
            values[f"{w.name}_sum"] = sum(paid, number("sum(pays)"))
            values[f"{w.name}_count"] = len(earlier) + number("count()")
            values[f"{w.name}_first"] = (
                told("first(total)") if told("first(total)") is not None else (totals or [-1])[0]
            )
            last = told("last(total)")
            values[f"{w.name}_last"] = totals[-1] if totals else last if last is not None else -1
            most = [*totals, *([told("max(total)")] if told("max(total)") is not None else [])]
            values[f"{w.name}_max"] = max(most, default=-1)
            values[f"{w.name}_min"] = min(totals, default=-1)
            values[f"{w.name}_levels"] = len({b.level for b in earlier}) + number("count(distinct level)", limited=True)
            values[f"{w.name}_same"] = sum(b.level == bill.level for b in earlier)
            values[f"{w.name}_more"] = sum(
                (b.total - Fraction(str(self.results[b.id].values["pays"])) for b in higher), Fraction(0)
            )
        start = values[f"{self.windows[0].name}_sum"]
        assert isinstance(start, Fraction)
        values["pays"] = min(bill.total, max(Fraction(0), CAP - start))
        values["level_again"] = bill.level
        values["patient_pays"] = bill.total - values["pays"]
        return Result(values=values)

    # ---- reversals ----

    def _reversal(self, bill: Bill, standing: list[Bill]) -> Result:
        earlier = [b for b in self.bills if b.place < bill.place]
        original = next((b for b in earlier if b.id == bill.reverses), None)
        # An earlier reversal that names the same bill, refused or not, comes first.
        other = [b for b in earlier if b.reverses == bill.reverses]
        if bill.bad or bill.lost:
            return Result("bad")
        if original is None:
            return Result("RX813")
        if original.reverses is not None:
            return Result("RX815")
        if [b for b in other if original.place < b.place]:
            return Result("RX814")
        was = self.results[original.id]
        if was.code:
            return Result("RX811")
        values = {
            name: -value if isinstance(value, int | Fraction) and not isinstance(value, bool) else value
            for name, value in was.values.items()
        }
        between = [
            b for b in earlier if b.place > original.place and b.reverses is None and not self.results[b.id].code
        ]
        hit = [b.id for b in between if original.id in self.saw[b.id] or self._moved(b, original, standing)]
        return Result(values=values, after=was.after, affected=tuple(hit))

    def _moved(self, bill: Bill, original: Bill, standing: list[Bill]) -> bool:
        """Whether the period of a bill starts elsewhere without the original."""
        for window in self.windows:
            if window.kind != "period" or any(getattr(original, n) is None for n in window.same):
                continue
            rows = [b for b in standing if all(getattr(b, n) == getattr(original, n) for n in window.same)]
            rows = [b for b in rows if not self.compute or not self.results[b.id].code]
            first = next((b for b in self.bills if b.reverses is None and not b.lost), original)
            opened = self.before is not None and all(getattr(first, n) == getattr(original, n) for n in window.same)
            _, was = self._formed(window, rows, first, opened=opened)
            _, now = self._formed(window, [b for b in rows if b is not original], first, opened=opened)
            if bill.id in was and bill.id in now and was[bill.id] != now[bill.id]:
                return True
        return False
