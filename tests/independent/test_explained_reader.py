"""The reader of printed explanations itself: a bill written by hand holds, and every wrong line of it is noticed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "explained"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "independent_explained", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_load()
checker: Any = importlib.import_module("independent_explained.checker")
values: Any = importlib.import_module("independent_explained.values")

BILL = """\
A county (county 1)
===================
  Bill             B1
  Hospital level   County (county)
  Total            1,000.00
  Born             1960-03-01
  Discharge        2025-02-28

lines: 3 rows
  Line  Class  Amount  own
  ----  -----  ------  -----
     1  B      600.00  60.00
     2  A      300.00   0.00
     3  C      100.00  33.33

  Own part [own]
    case      class = B
    formula   amount * rate_b
      1  (B = B)  600.00 * 10%                                             60.00
    case      class = C
    formula   amount / 3
      3  (C = C)  100.00 / 3 = 100/3 = 33.333333.. ->                      33.33
    case      otherwise
    formula   ¥0
      2                                                                     0.00
    rounded   half-up to 0.01
    uses      rate_b = 10% (since 2025-01-01, fictional)

  Part of the fund [fund_line]
    formula   fund over lines by amount
      1  606.00 * 600.00 / 1,000.00                                       363.60
      2  606.00 * 300.00 / 1,000.00                                       181.80
      3  606.00 * 100.00 / 1,000.00                                        60.60
    adds up   363.60 + 181.80 + 60.60 = 606.00

Own parts [own_total]                                                      93.33
  formula   sum(lines.own)
  over      60.00 + 0.00 + 33.33 (lines 1, 2, 3)

Age [years_old]                                                         64 years
  formula   age(born, discharge)
  figures   age(1960-03-01, 2025-02-28)

Deductible [deductible_due]                                               200.00
  case      years_old < 65 years  (64 years < 65 years)
  formula   min(total, deductible[level])
  figures   min(1,000.00, 200.00)
  uses      deductible[county] = 200.00 (since 2025-01-01, fictional)

Before the cap [uncapped]                                                 606.00
  formula   bands(share, deductible_due .. total - own_total)
  bands     200.00 .. 500.00 : 300.00 * 80% = 240.00
            500.00 .. 906.67 : 406.67 * 90% = 366.003
  adds up   240.00 + 366.003 = 606.003
  figures   300.00 * 80% + 406.67 * 90%
  exact     606.003, half-up to 0.01
  uses      share (since 2025-01-01, fictional)

Fund [fund]                                                               606.00
  formula   min(uncapped, cap - this_year.sum(fund))
  figures   min(606.00, 5,000.00 - 300.00)
  uses      cap = 5,000.00 (since 2025-01-01, fictional)

Who bears each yuan of 1,000.00
  Fund     Fund               606.00
             = fund
  Patient  Deductible         200.00  PR-1
             = deductible_due
           Own               194.00  PR-2
             = what is left: 1,000.00 - 606.00 - 200.00

Totals
  fund_pays      606.00
  patient_pays   394.00
      = 200.00 + 194.00

From earlier episodes
  this_year.sum(fund)                                                     300.00
    over      100.00 (A1, 2025-01-03) + 200.00 (A2, 2025-01-20)

Sources
  Nothing but a sketch [fictional]
"""


def kinds(text: str) -> list[str]:
    """What the reader complains of."""
    return [f"{p.kind}: {p.message}" for p in checker.check(text, 80).problems]


def test_a_bill_written_by_hand_holds() -> None:
    """Every line of it follows, and every line is counted."""
    report = checker.check(BILL, 80)
    assert not report.problems
    assert report.counts["line: figures"] >= 8
    assert report.counts["line: band"] == 2
    assert report.counts["line: sum of parts"] == 1
    assert report.counts["line: largest remainder"] == 1
    assert report.traced >= 25


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("= 100/3 = 33.333333.. ->", "= 100/3 = 33.333334.. ->", "arithmetic"),
        ("600.00 * 10%", "600.00 * 11%", "not derivable"),
        ("  C      100.00  33.33\n", "  C      100.00  33.34\n", "rows"),
        ("60.00 + 0.00 + 33.33 (lines", "60.00 + 0.00 + 33.34 (lines", "sum"),
        ("363.60 + 181.80 + 60.60 = 606.00", "363.60 + 181.90 + 60.60 = 606.00", "sum"),
        ("age(1960-03-01, 2025-02-28)", "age(1960-02-28, 2025-02-28)", "not derivable"),
        ("  Born             1960-03-01", "  Born             1959-03-01", "not derivable"),
        ("(64 years < 65 years)", "(66 years < 65 years)", "condition"),
        ("min(1,000.00, 200.00)", "min(1,000.00, 250.00)", "not derivable"),
        ("deductible[county] = 200.00", "deductible[city] = 200.00", "not derivable"),
        ("500.00 .. 906.67 : 406.67", "510.00 .. 906.67 : 406.67", "bands"),
        ("300.00 * 80% = 240.00", "300.00 * 80% = 241.00", "bands"),
        ("906.67 : 406.67 * 90% = 366.003", "906.66 : 406.66 * 90% = 365.994", "bands"),
        ("240.00 + 366.003 = 606.003", "240.00 + 366.003 = 606.004", "sum"),
        ("606.003, half-up to 0.01", "606.003, up to 0.01", "rounding"),
        ("5,000.00 - 300.00", "5,000.00 - 400.00", "not derivable"),
        ("cap = 5,000.00", "cap = 6,000.00", "not derivable"),
        ("Own               194.00", "Own               195.00", "shares"),
        ("what is left: 1,000.00 - 606.00 - 200.00", "what is left: 1,000.00 - 600.00 - 206.00", "not derivable"),
        ("patient_pays   394.00", "patient_pays   395.00", "totals"),
        ("= 200.00 + 194.00", "= 210.00 + 184.00", "not derivable"),
        ("+ 200.00 (A2, 2025-01-20)", "+ 210.00 (A2, 2025-01-20)", "sum"),
        ("  Total            1,000.00", "  Total            1,100.00", "not derivable"),
        ("lines: 3 rows", "lines: 4 rows", "rows"),
        ("\nTotals\n", "\nSomething new\n", "unreadable"),
        ("  formula   min(uncapped", "  secret    min(uncapped", "unreadable"),
        ("  figures   min(606.00, 5,000.00 - 300.00)\n", "", "not derivable"),
    ],
)
def test_a_wrong_line_is_noticed(old: str, new: str, kind: str) -> None:
    """One change of the text, of one kind or another, is told by the reader as such."""
    assert BILL.count(old) >= 1
    found = kinds(BILL.replace(old, new, 1))
    assert any(k.startswith(kind) for k in found), found


@pytest.mark.parametrize(
    ("exact", "to", "mode", "rounded"),
    [
        ("0.125", "0.01", "half-up", "0.13"),
        ("-0.125", "0.01", "half-up", "-0.13"),
        ("0.125", "0.01", "half-even", "0.12"),
        ("0.125", "0.01", "half-down", "0.12"),
        ("0.121", "0.01", "up", "0.13"),
        ("-0.129", "0.01", "down", "-0.12"),
        ("7.26", "0.05", "up", "7.30"),
        ("1/3", "0.01", "half-up", "0.33"),
        ("200000000000000000001/2", "1", "half-even", "100000000000000000000"),
    ],
)
def test_rounding(exact: str, to: str, mode: str, rounded: str) -> None:
    """Multiples and ties, in every mode."""
    assert values.rounded(Fraction(exact), Fraction(to), mode) == Fraction(rounded)


def test_figures_are_read_as_they_stand() -> None:
    """A sum that stands without brackets behind a minus is not what was meant; with brackets it is."""
    meant = "total - bands(share, deductible_due .. total - own_total)"
    text = BILL.replace("  formula   bands(share, deductible_due .. total - own_total)", f"  formula   {meant}")
    text = text.replace("606.003, half-up", "393.997, half-up")
    loose = text.replace(
        "  figures   300.00 * 80% + 406.67 * 90%", "  figures   1,000.00 - 300.00 * 80% + 406.67 * 90%"
    )
    tight = text.replace(
        "  figures   300.00 * 80% + 406.67 * 90%", "  figures   1,000.00 - (300.00 * 80% + 406.67 * 90%)"
    )
    assert any(k.startswith("arithmetic") for k in kinds(loose))
    assert not any(k.startswith(("arithmetic", "not derivable")) for k in kinds(tight)), kinds(tight)
