"""Which rows are refused by now, while the phases of a plan with groups across bills are formed.

A refused bill is outside the groups computed from there on, and a refused group refuses the rows that read it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from rxcalc.lang.types import FLAG
from rxcalc.plan.columns.across import Aggregate, Lifted, Result
from rxcalc.plan.columns.formed import Formed, either

if TYPE_CHECKING:
    from rxcalc.plan.columns.levels import Levels

__all__ = ["Standing"]

X = TypeVar("X")


class Standing(Generic[X]):
    """What was refused. `left_out` are, by level, the members that groups go over no more since the block began."""

    def __init__(self, levels: Levels[X]) -> None:
        self._levels = levels
        self._known: dict[str, tuple[int, X | None]] = {}
        self.left_out: dict[str, X | None] = {}
        self.formed: dict[str, X | None] = {}  # by kind of groups, the members that it was formed without
        self.counted: dict[str, X | None] = {}  # by kind, the members that were left out when it was last computed

    def begin(self) -> None:
        """At the beginning of a block: members refused by now are left out from here on."""
        if self._levels.across:
            self.left_out = {level: self.refused(level) for level in ("", *self._levels.across)}

    def act(self, kind: str) -> None:
        """Something of a kind of groups is computed now."""
        if kind in self._levels.across:
            self.counted[kind] = self.left_out.get(self._levels.groups[kind].of)

    def members(self, kind: str, of: str) -> X | None:
        """Which rows of a level groups of a kind still go over, of those that they were formed with; None: all."""
        levels = self._levels
        if kind not in levels.across:
            return None
        out, kernel = self.left_out.get(of), levels.walks[of].kernel
        between = levels.groups[kind].of
        if of == between:
            return None if out is None or out is self.formed[kind] else kernel.unary("not", out)
        still = self.members(kind, between)
        if still is not None:
            nobody = kernel.unary("not", kernel.always())
            still = kernel.binary("default", kernel.across(Lifted(between, still))[0], nobody)
        own = self.members(between, of)
        return own if still is None else still if own is None else kernel.binary("and", still, own)

    def refused(self, level: str) -> X | None:
        """Where a bill ("") or a group is refused by now; None: nowhere."""
        levels = self._levels
        parts = [level] if level else sorted(levels.in_bill)
        seen = sum(len(levels.fails[part]) for part in parts)
        if level not in self._known or self._known[level][0] != seen:
            kernel = levels.walks[level].kernel
            found = either(kernel, *(self._of_bill(part) if not level else self._any(part) for part in parts))
            self._known[level] = (seen, None if found is None else kernel.share(found))
        return self._known[level][1]

    def _any(self, level: str) -> X | None:
        """Where an item of a level fails; what is not known counts as failing."""
        kernel = self._levels.walks[level].kernel
        found = either(kernel, *self._levels.fails[level])
        return None if found is None else kernel.share(kernel.binary("default", found, kernel.always()))

    def _of_bill(self, level: str) -> X | None:
        found = self._any(level)
        if found is None or not level:
            return found
        result = Result("any", distinct=False, type=FLAG, width=64)
        form = Aggregate(result, "", level, "", before=False, keys=(), value=found, where=None, fail=None)
        return self._levels.walks[""].kernel.across(form)[0]

    def read(self, level: str, formed: Formed[X]) -> Formed[X]:
        """A value of a group across bills as others read it: a refused group refuses them."""
        if level not in self._levels.across:
            return formed
        refused = self.refused(level)
        kernel = self._levels.walks[level].kernel
        return formed if refused is None else replace(formed, fail=either(kernel, refused, formed.fail))
