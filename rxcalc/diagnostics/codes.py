"""The table of diagnostic codes. A code is never reused.

Hundreds by stage: 1 files, 2 syntax, 3 names, 4 types and units, 5 dates, tables, overlays,
6 analysis and plan, 7 input data, 8 results (windows, shares, guarantees), 9 internal.
Each code has a page `docs/diagnostics/RXnnn.md` and a case that triggers it.
"""

from __future__ import annotations

from typing import Final

# code: (slug, summary). All are errors unless listed in WARNINGS.
CODES: Final[dict[str, tuple[str, str]]] = {
    # 7: input data, one cell or one row
    "RX701": ("not-a-number", "a cell that should hold a number holds something else"),
    "RX702": ("too-many-decimals", "a number has more digits after the point than the field allows"),
    "RX703": ("out-of-bounds", "a value lies outside the field's declared bounds"),
    "RX704": ("value-missing", "a required value is missing"),
    "RX705": ("not-in-set", "a value is not one of the field's set"),
    "RX706": ("not-a-date", "a cell that should hold a date holds something else"),
    "RX707": ("not-a-flag", "a cell that should hold yes or no holds something else"),
    "RX708": ("time-of-day", "a date carries a time of day"),
    "RX709": ("bad-code", "a code or text is too long or holds control characters"),
    "RX710": ("bad-numeral", "a number is written with an exponent or with too many digits"),
    "RX711": ("division-by-zero", "a rule divides by zero"),
    "RX712": ("no-such-day", "a rule builds a day that does not exist"),
    "RX713": ("not-whole", "a value that must be whole is not"),
    "RX714": ("negative-band-end", "a schedule is read over a range with a negative end"),
    "RX715": ("rate-outside", "a mapped rate lies outside 0% to 100%"),
    "RX716": ("outside-curve", "a curve is read outside its points"),
    "RX717": ("power-base", "power or root of a value that is not positive"),
    "RX718": ("too-large", "an intermediate value passes the limit of 4,096 bits"),
    "RX721": ("rejected-by-rule", "a clause of the rulebook rejects the episode"),
    "RX722": ("requirement-broken", "the episode breaks a `requires` condition"),
    "RX723": ("not-effective", "the episode's date is outside the rulebook's effective dates"),
    "RX724": ("no-parameter-value", "a parameter has no value at the date asked for"),
    "RX731": ("no-table-row", "a table has no row for the key"),
    "RX741": ("ragged-record", "a record has more or fewer fields than the header"),
    "RX742": ("undecodable", "a record holds bytes that are not in the file's encoding"),
    "RX743": ("control-character", "a record holds a NUL byte or an unclosed quote"),
    "RX744": ("duplicate-episode", "an episode id occurs more than once"),
    # 8: results
    "RX801": ("shares-unbalanced", "the shares do not add up to the amount they divide"),
    "RX802": ("negative-part", "a part of the shares is negative"),
    "RX803": ("guarantee-broken", "the results break a guarantee of the rulebook"),
    "RX804": ("total-differs", "a step that bears a bearer's total differs from it"),
    "RX811": ("depends-on-rejected", "an earlier episode that this one could read was rejected"),
    # 9: internal
    "RX901": ("back-ends-disagree", "the two back ends disagree on a row; a fault of rxcalc"),
    "RX902": ("internal", "an unexpected failure inside rxcalc"),
}

WARNINGS: Final[frozenset[str]] = frozenset()
