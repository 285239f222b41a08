"""Small faults, one of which at a time is put into a module when it is imported."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in one module; white space and line breaks of `old` do not count."""

    what: str
    module: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        """The module's file."""
        return SOURCE / (self.module.replace(".", "/") + ".py")

    def applied(self, text: str) -> str:
        """The source with the fault; ValueError unless there is exactly one place for it."""
        tokens = re.findall(r"\w+|[^\w\s]", self.old)
        pattern = r"\s*".join((r"(?:,\s*)?" if t in ")]}" else "") + re.escape(t) for t in tokens)
        changed, count = re.subn(pattern, lambda _: self.new, text)
        if count != 1:
            message = (
                f"{self.what}: {count} places in {self.module}, one is wanted; change the fault list with the code"
            )
            raise ValueError(message)
        return changed


class _Loader(importlib.abc.SourceLoader):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def get_filename(self, fullname: str) -> str:
        return str(self.fault.path)

    def get_data(self, path: str) -> bytes:
        return self.fault.applied(Path(path).read_text(encoding="utf-8")).encode()


class Finder(importlib.abc.MetaPathFinder):
    """Loads the faulty module from its changed source."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the faulty module, and of no other."""
        if fullname != self.fault.module:
            return None
        return importlib.util.spec_from_loader(fullname, _Loader(self.fault))


def install(fault: Fault) -> None:
    """From now on the module is imported with the fault."""
    if fault.module in sys.modules:
        message = f"{fault.module} is imported already"
        raise RuntimeError(message)
    sys.meta_path.insert(0, Finder(fault))


_NUMBERS = "rxcalc.plan.columns.numbers"
_SCHEDULES = "rxcalc.plan.columns.schedules"
_LOOKUPS = "rxcalc.plan.columns.lookups"
_LOGIC = "rxcalc.plan.columns.logic"
_KERNEL = "rxcalc.backends.columnar.kernel"
_SEARCH = "rxcalc.backends.columnar.search"
_RUN = "rxcalc.backends.columnar.wave_run"
_PAIRS = "rxcalc.backends.columnar.pairs"
_WAVES = "rxcalc.passes.waves"
_INSTANCES = "rxcalc.passes.instances"
_EARLIER = "rxcalc.passes.earlier"
_RESULTS = "rxcalc.passes.accumulate"

COLUMNAR: tuple[Fault, ...] = (
    Fault("half-up takes ties toward zero", _NUMBERS, "above, below = half, short", "above, below = short, half"),
    Fault("half-down takes ties away from zero", _NUMBERS, "above, below = short, half", "above, below = half, short"),
    Fault(
        "half-even never goes back",
        _NUMBERS,
        "return self.pick(back, self.plus(whole, self.ints(-1)), whole)",
        "return whole",
    ),
    Fault(
        "the sign is lost in rounding",
        _NUMBERS,
        "if value.low >= 0: bias = above",
        "if value.high >= 0:\n            bias = above",
    ),
    Fault("up goes to plus infinity", _NUMBERS, "above, below = last, zero", "above, below = last, last"),
    Fault("down goes to minus infinity", _NUMBERS, "above, below = zero, last", "above, below = zero, zero"),
    Fault(
        "a limit is moved to the wrong whole number",
        _NUMBERS,
        'ceil(scaled) if op in {"<", ">="} else floor(scaled)',
        "floor(scaled)",
    ),
    Fault(
        "64 bits are claimed where 128 are needed",
        _NUMBERS,
        "width = 64 if bits <= 63 else 128",
        "width = 64 if bits <= 90 else 128",
    ),
    Fault("a negative divisor is taken as positive", _NUMBERS, "if b.num.low <= 0:", "if False:"),
    Fault("a reversed range is not empty", _SCHEDULES, "if not from_zero and top.low < ends.low.high:", "if False:"),
    Fault(
        "the start of the range is ignored",
        _SCHEDULES,
        'before = arithmetic.least_or_most("min", ends.low, part.limit)',
        "before = arithmetic.fixed(0)",
    ),
    Fault(
        "a band starts where the range starts",
        _SCHEDULES,
        'arithmetic.least_or_most("max", ends.low, limit)',
        "ends.low",
    ),
    Fault(
        "the open band is lost",
        _SCHEDULES,
        "beyond = Fraction(max(ceil(top.high), 0) + 1)",
        "beyond = Fraction(1)",
    ),
    Fault(
        "a band limit is off by a minor unit",
        _SCHEDULES,
        "looked_up(walk, [bands[place].limit for bands in level], found.index)",
        "looked_up(walk, [(bands[place].limit or 0) + Fraction(1, 100) for bands in level], found.index)",
    ),
    Fault(
        "bands_reach forgets a reversed range",
        _SCHEDULES,
        "result = arithmetic.choose(reversed_range, ends.high, result)",
        "pass",
    ),
    Fault("a mapped rate may pass 100%", _SCHEDULES, '(">", 1, rate.high > 1)', '(">", 1, False)'),
    Fault("below is read as to", _SCHEDULES, "floor(limit) if band.inclusive else ceil(limit) - 1", "floor(limit)"),
    Fault(
        "a jump of a curve takes the first point",
        _SCHEDULES,
        'arithmetic.compare(">=", x, start)',
        'arithmetic.compare(">", x, start)',
    ),
    Fault(
        "a stretch of days starts too early",
        _SCHEDULES,
        'since = arithmetic.least_or_most("max", low, arithmetic.fixed(first))',
        "since = low",
    ),
    Fault(
        "a parameter's value starts a day late",
        _KERNEL,
        "result = result + (on >= pl.lit(day, dtype=pl.Date())).cast(kind)",
        "result = result + (on > pl.lit(day, dtype=pl.Date())).cast(kind)",
    ),
    Fault(
        "the first new value of a parameter starts a day late",
        _KERNEL,
        "result = (on >= pl.lit(days[0], dtype=pl.Date())).cast(kind)",
        "result = (on > pl.lit(days[0], dtype=pl.Date())).cast(kind)",
    ),
    Fault(
        "none is the value of the others",
        _LOOKUPS,
        "if first is not None and len(known) == len(values) and (",
        "if first is not None and (",
    ),
    Fault(
        "the last day of a table row is outside",
        _SEARCH,
        'pl.col("end") >= pl.col("on")',
        'pl.col("end") > pl.col("on")',
    ),
    Fault(
        "the limit of a range key is always inside",
        _SEARCH,
        'floor(scaled) if kind == "up_to" else ceil(scaled) - 1',
        "floor(scaled)",
    ),
    Fault("both sides of and are evaluated", _LOGIC, 'fail = kernel.binary("and", going, fail)', "pass"),
    Fault(
        "the failure of the branch not taken counts",
        _LOGIC,
        "fail = under(kernel, condition, then.fail)",
        "fail = then.fail",
    ),
    Fault(
        "default fills in nothing",
        _LOGIC,
        "arithmetic.choose(kernel.share(known), a, b)",
        "arithmetic.choose(kernel.share(known), a, arithmetic.fixed(0))",
    ),
    Fault("a refused row is not passed on", _RUN, "self._refuse(at.gather(rows.filter(refused)))", "pass"),
    Fault("a dependent row is not passed on", _RUN, 'self._refuse(wave["__at"].filter(hit))', "pass"),
    Fault(
        "of equal dates any comes first",
        _WAVES,
        'few = few.sort(["__head", *names, "__n"], nulls_last=False)',
        'few = few.sort(["__head", "__n"], nulls_last=False)',
    ),
    Fault(
        "distinct counts over all persons",
        _RESULTS,
        'rows.join(self._seen, on=["id", "value"], how="anti")',
        'rows.join(self._seen, on=["value"], how="anti")',
    ),
    Fault(
        "the last is the first",
        _RESULTS,
        'case "last": new = rows["value"].cast(kind)',
        'case "last":\n                new = held',
    ),
    Fault(
        "what rolls out of the window still counts",
        _RESULTS,
        "return self.read(ids) - self._before.gather(starts).fill_null(0)",
        "return self.read(ids)",
    ),
    Fault(
        "a gap of its exact length ends no spell, in columns",
        _INSTANCES,
        "frame[window.gap_to].gather(chains.rows) >= limit",
        "frame[window.gap_to].gather(chains.rows) > limit",
    ),
    Fault(
        "the last discharge decides, in columns", _INSTANCES, "latest = keys.cum_max().shift(", "latest = keys.shift("
    ),
    Fault(
        "a period holds the day on which it ends, in columns",
        _INSTANCES,
        "keys.search_sorted(own * _SHIFT + _day_numbers(end)).cast(_ID)",
        'keys.search_sorted(own * _SHIFT + _day_numbers(end), side="right").cast(_ID)',
    ),
    Fault(
        "a rolling window begins a day late, in columns",
        _INSTANCES,
        'strategy="forward", check_sortedness=False)["place"]',
        'strategy="forward", allow_exact_matches=False, check_sortedness=False)["place"]',
    ),
    Fault(
        "a spell is formed within the narrower window",
        _INSTANCES,
        "for name in window.same: ids = _narrowed(ids, _codes(plan, frame[name]))",
        "for name in (*window.same, *view.same):\n        ids = _narrowed(ids, _codes(plan, frame[name]))",
    ),
    Fault(
        "a row apart still joins two spells",
        _INSTANCES,
        "otherwise(pl.lit(chains.ids * _SHIFT))",
        "otherwise(pl.lit(keys))",
    ),
    Fault(
        "what was dated later is in the rolling window",
        _EARLIER,
        "(on >= order.low.gather(mine)) & (on <= order.high.gather(mine))",
        "on >= order.low.gather(mine)",
    ),
    Fault(
        "any refused row of the instance refuses, in the window or not",
        _EARLIER,
        "found[name] = self._inside(order, at, found[name])",
        "pass",
    ),
    Fault("every pair counts", _PAIRS, 'done = done.filter(pl.col("where"))', "pass"),
    Fault(
        "a pair that fails is overlooked",
        _PAIRS,
        'done.filter(pl.col("fail").fill_null(value=True))["row"].unique()',
        'done["row"].clear()',
    ),
    Fault(
        "of pairs the first is the last",
        _PAIRS,
        'place = ends - counts if function == "first" else ends - 1',
        "place = ends - 1",
    ),
    Fault(
        "pairs with rows that were refused count",
        "rxcalc.backends.columnar.memory",
        "return None if self._computed is None else self._computed.gather(at)",
        "return None",
    ),
    Fault(
        "rows computed exactly are forgotten by later ones",
        _RUN,
        "own = self._patched(own, rows.gather(fine), [o for o in outcomes if o is not None])",
        "pass",
    ),
    Fault(
        "an equality is moved before a test that can fail",
        "rxcalc.plan.columns.calls",
        "if fields is None or not all(self._never_fails(before) for before in rest):",
        "if fields is None:",
    ),
    Fault(
        "months are counted from the day alone",
        "rxcalc.plan.columns.dates",
        'arithmetic.extreme("min", part("day", first), part("day", kernel.unary("last:month", second)))',
        'part("day", first)',
    ),
    Fault("scales are joined by the larger", "rxcalc.plan.ranges", "scale = lcm(a, b)", "scale = max(a, b)"),
    Fault(
        "a product's scale is that of one factor",
        "rxcalc.plan.ranges",
        "return a * b if a * b <= MAX_SCALE else 0",
        "return max(a, b) if a * b <= MAX_SCALE else 0",
    ),
    Fault(
        "parts of a share may be negative",
        "rxcalc.plan.columns.steps",
        "if number.low < 0 and not entry.may_be_negative:",
        "if False:",
    ),
)

_EXACT = "rxcalc.backends.exact"
_ARITHMETIC = "rxcalc.lang.arithmetic"
_HISTORY = "rxcalc.backends.history"
_LEDGER = "rxcalc.backends.ledger"
_REVERSALS = "rxcalc.backends.reversals"
_WALKED = "rxcalc.backends.schedules"
_FOUND = "rxcalc.backends.lookups"
_NODES = "rxcalc.backends.exact_nodes"

EXACT: tuple[Fault, ...] = (
    Fault(
        "half-up is half-even",
        _ARITHMETIC,
        "whole += double >= denominator",
        "whole += double > denominator or (double == denominator and whole % 2 == 1)",
    ),
    Fault(
        "half-down is half-up",
        _ARITHMETIC,
        'case "half-down": whole += double > denominator',
        'case "half-down":\n                whole += double >= denominator',
    ),
    Fault(
        "half-even is half-odd",
        _ARITHMETIC,
        "(double == denominator and whole % 2 == 1)",
        "(double == denominator and whole % 2 == 0)",
    ),
    Fault(
        "up goes to plus infinity",
        _ARITHMETIC,
        'case "up": whole += 1',
        'case "up":\n                whole += 0 if negative else 1',
    ),
    Fault("the sign is lost", _ARITHMETIC, "return -whole if negative else whole", "return whole"),
    Fault(
        "the start of the range is ignored",
        _WALKED,
        "amount = (high - begin) * rate if parts is not None:",
        "amount = (high - low) * rate\n            if parts is not None:",
    ),
    Fault("bands_reach forgets where it starts", _WALKED, "x = begin + left / rate", "x = low + left / rate"),
    Fault("bands_reach skips what it has given", _WALKED, "left -= amount", "left = left"),
    Fault("below is read as to", _WALKED, "x < band.limit or (band.inclusive and x == band.limit)", "x <= band.limit"),
    Fault("a jump of a curve takes the first point", _WALKED, "if p.at <= x)", "if p.at < x or index == 0)"),
    Fault(
        "a parameter's value starts a day late",
        _FOUND,
        "from bisect import bisect_right",
        "from bisect import bisect_left as bisect_right",
    ),
    Fault("the last day of a table row is outside", _FOUND, "on > row.end", "on >= row.end"),
    Fault("the limit of a range key is outside", _FOUND, "value <= limit if", "value < limit if"),
    Fault("a range key takes the largest limit", _FOUND, "limit < best.keys[-1]", "limit > best.keys[-1]"),
    Fault(
        "a window forgets the latest episode",
        _LEDGER,
        "if not window.rolling[0]: return list(held.values())",
        "if not window.rolling[0]:\n            return list(held.values())[:-1]",
    ),
    Fault(
        "a dependent row is not passed on",
        _HISTORY,
        "if past is None or refuses:",
        "if past is None and turn.found is None:",
    ),
    Fault(
        "a row is forgotten when spells are formed anew",
        _LEDGER,
        "rows[window, key] = dict(sorted(rows[window, key].items()))",
        "rows[window, key] = {}",
    ),
    Fault("a running sum keeps only the latest", _LEDGER, "self.total += value", "self.total = value"),
    Fault("the first episode is the latest", _LEDGER, "if self.count == 0: self.first = value", "self.first = value"),
    Fault(
        "distinct counts all",
        _LEDGER,
        "len({v for v in found if v is not None}) if distinct else len(found)",
        "len(found)",
    ),
    Fault("a reversed episode stays in its windows", _LEDGER, ".pop(number, None)", ".get(number)"),
    Fault(
        "a reversal keeps the sign of steps", _REVERSALS, "steps=_negated(outcome.steps)", "steps=dict(outcome.steps)"
    ),
    Fault("a bill is reversed twice", _REVERSALS, "if seen.reversed_by:", "if False:"),
    Fault(
        "what a reversal affects is not told",
        _REVERSALS,
        "if not window.rolling[0]: return True",
        "if False:\n                return True",
    ),
    Fault("a start below zero is no error", _NODES, "if a < 0 or b < 0:", "if b < 0:"),
    Fault("zero is missing", _NODES, "if (value := x(f)) is None else value", "if not (value := x(f)) else value"),
    Fault("the last day of a stretch counts", _NODES, "(until - day).days", "((until - day).days + 1)"),
    Fault(
        "rest is worked out before rounding",
        _EXACT,
        "sum((a for a in amounts if a is not None), Fraction(0))",
        "sum((self.thunks[p.value](frame) for p in partition.parts if p.value >= 0), Fraction(0))",
    ),
    Fault("the last effective day is outside", _EXACT, "on > plan.effective_to", "on >= plan.effective_to"),
    Fault(
        "a part of zero is refused",
        _EXACT,
        "if own < 0 and not part.may_be_negative:",
        "if own <= 0 and not part.may_be_negative:",
    ),
)

BOTH: tuple[Fault, ...] = (
    Fault("a quarter is a year", "rxcalc.passes.sequence", '"quarter": 3', '"quarter": 12'),
    Fault(
        "the insurance year is ignored",
        "rxcalc.passes.sequence",
        "anchor = date(2000, month, day)",
        "anchor = date(2000, 1, 1)",
    ),
    Fault("same is ignored", "rxcalc.passes.sequence", "key.append(value)", "key.append(True)"),
    Fault(
        "the day twelve months back is in the window",
        "rxcalc.passes.sequence",
        "before + _ONE_DAY if before < on else on",
        "before",
    ),
    Fault(
        "a rolling window of whole months leaves out one",
        "rxcalc.passes.sequence",
        "-(length - 1) * _MONTHS[window.rolling_unit]",
        "-length * _MONTHS[window.rolling_unit]",
    ),
    Fault("a gap of its exact length ends no spell", "rxcalc.passes.sequence", "begins = to >=", "begins = to >"),
    Fault(
        "the last discharge decides, not the latest",
        "rxcalc.passes.sequence",
        "max(before.mark, last)",
        "last",
    ),
    Fault(
        "a period holds the day on which it ends",
        "rxcalc.passes.sequence",
        "if on < period_end(window, before.mark)",
        "if on <= period_end(window, before.mark)",
    ),
)
"""Faults in what both back ends share: the worked examples must catch them."""

_ROWS = "rxcalc.backends.exact_rows"
_PARTS = "rxcalc.backends.columnar.parts"
_SPREADS = "rxcalc.plan.columns.spreads"

LEVELS: tuple[Fault, ...] = (
    Fault(
        "of equal remainders the last comes first",
        _ROWS,
        "key=lambda at: -parts[at][1]",
        "key=lambda at: (-parts[at][1], -at)",
    ),
    Fault(
        "the smallest remainders are rounded up", _ROWS, "key=lambda at: -parts[at][1]", "key=lambda at: parts[at][1]"
    ),
    Fault("what is left of a spread is not given", _ROWS, "(int(units) + (at in more))", "int(units)"),
    Fault("a negative amount is spread as a positive one", _ROWS, "sign = 1 if amount > 0 else -1", "sign = 1"),
    Fault("a line stands above itself", _ROWS, "[: frame.number]", "[: frame.number + 1]"),
    Fault("equal rows after it count for the rank", _ROWS, "row.order < frame.order", "row.order > frame.order"),
    Fault("any over none is yes", _ROWS, "return any(found)", "return any(found) or not found"),
    Fault(
        "different values are counted as rows",
        _ROWS,
        "len({v for v in found if v is not None}) if distinct else len(found)",
        "len(found)",
    ),
    Fault("a list is taken as the file has it", _EXACT, "key=lambda p: sortable(p[0])", "key=lambda p: 0"),
    Fault(
        "what is left is not given in columns",
        _SPREADS,
        'part = to.plus(units, Ints(target.kernel.unary("flag", first), 0, 1, 64))',
        "part = units",
    ),
    Fault(
        "one unit of what is left is kept in columns",
        _SPREADS,
        'to.test("<=", self._place(to.narrow(over)), left)',
        'to.test("<", self._place(to.narrow(over)), left)',
    ),
    Fault("a spread in columns forgets the sign", _SPREADS, "part = to.pick(below, to.negated(part), part)", "pass"),
    Fault(
        "the rank in columns counts from zero",
        _PARTS,
        "pl.int_range(1, order.len() + 1, dtype=pl.Int64(), eager=True) - starts",
        "pl.int_range(0, order.len(), dtype=pl.Int64(), eager=True) - starts",
    ),
    Fault(
        "the smallest ranks first in columns",
        _PARTS,
        'pl.lit(high, dtype=value.dtype) - pl.col("value").fill_null(low)',
        'pl.col("value").fill_null(low) - pl.lit(low, dtype=value.dtype)',
    ),
)

LOOKING_BACK = frozenset(
    {
        *(_RUN, _PAIRS, _WAVES, _INSTANCES, _EARLIER, _RESULTS),
        *("rxcalc.backends.columnar.memory", "rxcalc.plan.columns.calls"),
    }
)
"""Modules that plans made by hand and random histories try most."""

FAULTS = (*COLUMNAR, *EXACT, *BOTH, *LEVELS)
