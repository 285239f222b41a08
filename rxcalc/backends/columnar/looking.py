"""How the window calls of a plan run: what each looks through, and what is kept for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from rxcalc.passes.accumulate import Accumulator, Totals
from rxcalc.passes.instances import Places, View
from rxcalc.passes.sequence import windows_in_use
from rxcalc.plan.columns.calls import CallForm
from rxcalc.plan.columns.steps import Everything
from rxcalc.plan.nodes import Plan, PlanCall

__all__ = ["Looking", "Running"]


class Looking:
    """The window calls that steps read.

    `views` says through what each call looks; `running` are the calls with running results, `paired` those over
    pairs. `told` are the windows whose earlier episodes the exact evaluator is given for a row that it looks at,
    `fields` what it reads of them. `unheld` are fields that no column holds: then it computes whole persons.
    `late` are calls that only checks read, and for which it computes the whole person of a row that it looks at.
    `open` says through what calls look that are known where their window holds nothing.
    `own` are columns over what an episode keeps of itself: for running results, and to be kept (`k:`).
    """

    def __init__(self, plan: Plan, formed: Everything[pl.Expr]) -> None:
        calls = formed.calls
        self.forms: Mapping[int, CallForm[pl.Expr]] = calls.forms
        windows = {window.name: window for window in plan.windows}
        self.windows = tuple(View(window) for window in windows_in_use(plan))
        self.views = {at: View(windows[plan.calls[at].window], form.same) for at, form in self.forms.items()}
        self.running = tuple(at for at, form in self.forms.items() if form.how in {"accumulated", "totals"})
        self.paired = tuple(at for at, form in self.forms.items() if form.how == "pairs")
        told = calls.told()
        self.told = {plan.calls[at].window: View(windows[plan.calls[at].window]) for at in told}
        names = {name for at in told for name in self.forms[at].fields}
        self.unheld = calls.unheld()
        self.late = frozenset(calls.late)
        self.open = {at: View(windows[plan.calls[at].window]) for at in sorted(calls.open)}
        self.fields = {name: kept for name, kept in calls.fields.items() if name in names}
        self.own: dict[str, pl.Expr] = dict(calls.kept)
        for at in self.running:
            form = self.forms[at]
            parts = {"c": form.value, "u": form.where, "x": form.fail}
            self.own |= {f"{mark}:{at}": expr for mark, expr in parts.items() if expr is not None}


class Running:
    """One call with running results."""

    def __init__(
        self, at: int, call: PlanCall, form: CallForm[pl.Expr], places: Places, kind: pl.DataType, view: View
    ) -> None:
        self.at, self.kind = at, kind
        self._read, self._write = places.both(view, form.equal)
        self._order = places.order(view) if form.how == "totals" else None
        tops: list[Any] = [self._read.max(), self._write.max()]
        size = max((int(top) for top in tops if top is not None), default=0) + 1
        self._held: Accumulator | Totals
        self._failed: Accumulator | Totals | None = None
        if self._order is None:
            self._held = Accumulator(call.function, distinct=call.distinct, kind=kind, size=size)
            if form.fail is not None:
                self._failed = Accumulator("any", distinct=False, kind=pl.Boolean(), size=size)
        else:
            rows = self._order.at.len()
            self._held = Totals(call.function, kind=kind, size=size, rows=rows)
            if form.fail is not None:
                self._failed = Totals("count", kind=pl.Int64(), size=size, rows=rows)

    @property
    def ids(self) -> pl.Series:
        """The instance of each row."""
        return self._read

    def begin(self, ids: pl.Series, values: pl.Series) -> None:
        """Starts some instances with opening amounts."""
        self._held.begin(ids, values)

    def come(self, at: pl.Series) -> None:
        """All rows of a wave, refused ones too, before anything else is done with it."""
        for held in (self._held, self._failed):
            if isinstance(held, Totals) and self._order is not None:
                held.come(self._write.gather(at), self._order.end.gather(at))

    def read(self, at: pl.Series) -> list[pl.Series]:
        """The result `w:` for the rows at these places, and `x:`, whether finding it fails."""
        found = [self._result(self._held, at).alias(f"w:{self.at}")]
        if self._failed is not None:
            failed = self._result(self._failed, at)
            found.append((failed if failed.dtype == pl.Boolean() else failed > 0).alias(f"x:{self.at}"))
        return found

    def _result(self, held: Accumulator | Totals, at: pl.Series) -> pl.Series:
        ids = self._read.gather(at)
        if isinstance(held, Totals) and self._order is not None:
            return held.since(ids, self._order.start.gather(at))
        return held.read(ids)

    def take(self, at: pl.Series, own: pl.DataFrame) -> None:
        """Adds the rows of a wave at these places, with what they keep."""
        ids = self._write.gather(at)
        value, where = (own[name] if (name := f"{mark}:{self.at}") in own.columns else None for mark in "cu")
        self._held.take(ids, value, where)
        if self._failed is not None:
            fail = own[f"x:{self.at}"].fill_null(value=True)
            self._failed.take(ids, fail if isinstance(self._failed, Accumulator) else None, fail)
