"""A few bills worked out by hand, for what the back ends share and could get wrong together."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import partial
from pathlib import Path

import generate
from compare import Run, compiled, reference, table

from rxcalc.backends.columnar import Columnar
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import run_person
from rxcalc.backends.replay import run_known
from rxcalc.inputs.records import Record, check_record

RULEBOOK = """\
rxcalc: 1
rulebook: worked
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  amount: {type: money}
  ward: {one_of: [a, b]}
sequence: {by: person_id, order: [day, episode_id]}
windows:
  quarter: {calendar: quarter, date: day}
  insured: {calendar: year, date: day, starting: 07-01}
  ward_ever: {same: [ward]}
steps:
  half: {type: money, rule: amount * 50%}
  in_quarter: {type: count, rule: quarter.count()}
  in_year: {type: money, rule: insured.sum(half)}
  in_ward: {type: count, rule: ward_ever.count()}
  months: {type: count, rule: "months_between(2024-01-31, day)"}
shares:
  bill: {of: amount, fund: half, patient: rest}
outputs: [half, in_quarter, in_year, in_ward, months]
"""

# day, amount, ward; then half, bills before in the quarter, halves before in the insurance year, bills before in the ward, months
ROWS = (
    ("2024-01-31", "0.01", "a", "0.01", 0, "0", 0, 0),
    ("2024-02-29", "0.05", "b", "0.03", 1, "0.01", 0, 1),
    ("2024-03-30", "0.02", "a", "0.01", 2, "0.04", 1, 1),
    ("2024-04-01", "10.00", "a", "5.00", 0, "0.05", 2, 2),
    ("2024-06-30", "0.00", "b", "0.00", 1, "5.05", 1, 5),
    ("2024-07-01", "1.01", "b", "0.51", 0, "0", 2, 5),
    ("2024-12-31", "2.00", "a", "1.00", 0, "0.51", 3, 11),
    ("2025-01-01", "2.00", "a", "1.00", 0, "1.51", 4, 11),
)


def wrong() -> list[str]:
    """What differs from the amounts worked out by hand, on either back end."""
    with tempfile.TemporaryDirectory() as folder:
        plan, errors = compiled(generate.Rulebook(0, RULEBOOK, {}), Path(folder))
    if plan is None:
        return errors
    episodes = []
    for at, (day, amount, ward, *_) in enumerate(ROWS):
        fields = {"episode_id": f"E{at}", "person_id": "P", "day": day, "amount": amount, "ward": ward}
        record = check_record(plan, fields)
        if not isinstance(record, Record):
            return [problem.message for problem in record]
        episodes.append(record.values)
    names = ["half", "in_quarter", "in_year", "in_ward", "months"]
    wanted = [[Fraction(x) for x in row[3:]] for row in ROWS]
    exact = Exact(plan)
    found = reference(plan, exact, episodes, set(), record=False)
    columnar = Columnar(plan, partial(run_known, exact), partial(run_person, exact))
    columnar.small_wave = 1
    result = columnar.run(table(plan, episodes, set(), Run()), names)
    cells = {
        row["__row"]: [Fraction(row[n], 10 ** result.decimals[n]) for n in names]
        for row in result.values.iter_rows(named=True)
    }
    differences = []
    for at, values in enumerate(wanted):
        for back_end, got in (("exact", [found[at].steps.get(n) for n in names]), ("columnar", cells.get(at))):
            if got != values:
                differences.append(f"bill {at} on {back_end}: {got}, by hand {values}")
    return differences
