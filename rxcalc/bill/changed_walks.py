"""Bands walked in ways that are not the rulebook's: the usual misreadings of a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import ClassVar

from rxcalc.backends import schedules
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_nodes import NodeCompiler
from rxcalc.bill.changes import Change, Kind
from rxcalc.bill.subject import Subject
from rxcalc.lang.arithmetic import Rational, round_to
from rxcalc.plan.nodes import Band, RoundTo
from rxcalc.tracing.model import BandPart


def walk_changes() -> Iterator[Change]:
    """All schedules of bands walked in another way; `now` says which.

    `whole`: the whole range at the rate of the band in which it ends; `net`: limits measured after what stands before the
    range is taken off; `gross`: from zero, with what stands before it.
    """
    for number, (way, nodes) in enumerate((("whole", _WholeNodes), ("net", _NetNodes), ("gross", _GrossNodes))):
        yield Change(Kind.BANDS, "", partial(_walked, nodes=nodes), now=way, number=number)


def _walked(subject: Subject, *, nodes: type[NodeCompiler]) -> Subject:
    return replace(subject, _exact={False: _Walking(subject, nodes)})


class _Walking(Exact):
    """Evaluates as `Exact` does, with schedules walked in another way."""

    def __init__(self, subject: Subject, nodes: type[NodeCompiler]) -> None:
        self._nodes = nodes
        super().__init__(subject.plan)

    def _compiler(self, recorded: frozenset[int]) -> NodeCompiler:
        return self._nodes(self.plan, recorded)


class _Whole(schedules.Ways):
    @staticmethod
    def band_parts(
        schedule: tuple[Band, ...],
        start: Rational,
        end: Rational,
        mapper: schedules.Mapper | None,
        parts: RoundTo | None,
    ) -> list[BandPart]:
        if end <= start:
            return []
        at = schedules.slice_at(schedule, end)
        rate = schedule[at].value
        mapped = mapper(rate) if mapper is not None else rate
        amount = Fraction((end - start) * mapped)
        if parts is not None:
            amount = round_to(amount, parts.to, parts.mode)
        return [BandPart(at + 1, Fraction(start), Fraction(end), rate, mapped, amount)]


class _Net(schedules.Ways):
    @staticmethod
    def band_parts(
        schedule: tuple[Band, ...],
        start: Rational,
        end: Rational,
        mapper: schedules.Mapper | None,
        parts: RoundTo | None,
    ) -> list[BandPart]:
        return schedules.band_parts(schedule, 0, max(0, end - start), mapper, parts)

    @staticmethod
    def reach(
        schedule: tuple[Band, ...], target: Rational, start: Rational, end: Rational, mapper: schedules.Mapper | None
    ) -> tuple[Fraction, list[BandPart]]:
        if start > end:
            return Fraction(end), []
        x, walked = schedules.reach(schedule, target, 0, end - start, mapper)
        return x + start, walked


class _Gross(schedules.Ways):
    @staticmethod
    def band_parts(
        schedule: tuple[Band, ...],
        start: Rational,
        end: Rational,
        mapper: schedules.Mapper | None,
        parts: RoundTo | None,
    ) -> list[BandPart]:
        del start
        return schedules.band_parts(schedule, 0, end, mapper, parts)

    @staticmethod
    def reach(
        schedule: tuple[Band, ...], target: Rational, start: Rational, end: Rational, mapper: schedules.Mapper | None
    ) -> tuple[Fraction, list[BandPart]]:
        del start
        return schedules.reach(schedule, target, 0, end, mapper)


class _WholeNodes(NodeCompiler):
    ways: ClassVar[schedules.Ways] = _Whole()


class _NetNodes(NodeCompiler):
    ways: ClassVar[schedules.Ways] = _Net()


class _GrossNodes(NodeCompiler):
    ways: ClassVar[schedules.Ways] = _Gross()
