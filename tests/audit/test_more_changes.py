"""Changes of a whole stay, of groups and of limits; how values that are not there are told; templates half filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import doctor
import pytest
from click.testing import CliRunner, Result

from rxcalc.bill.charged import results
from rxcalc.bill.lean import lean
from rxcalc.bill.limits import caps, limits
from rxcalc.bill.reach import reach_of
from rxcalc.bill.subject import compute, read_subject
from rxcalc.cli.episode import entry_of
from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver.cached import plan_for
from rxcalc.report.order import bill_sequence

COUNTY = (
    "{episode_id: Q1, person_id: P1, level: county, admission_date: 2025-03-01, discharge_date: 2025-03-10, "
    "total_cost: 10000.00, referred: yes, emergency: no}"
)
STAY = (
    "{episode_id: G1, person_id: P1, region: R01, hospital: H1, level: level_3, admission_date: 2025-03-03, "
    "discharge_date: 2025-03-12, total: 12345.67, in_scope: 11333.21, main_diagnosis: I63.9, drg: BR23}"
)
POINTS = (
    "{episode_id: I2, person_id: P1, region: R01, hospital: H1, level: level_2, admission_date: 2025-03-03, "
    'discharge_date: 2025-03-12, total: 12345.67, in_scope: 11222.33, main_diagnosis: K80.1, disease: "K80.1:51.2300"}'
)
VALUES = 'region_year: {region: R01, year: "2025", point_value: 9786.1234, budget_point_value: 9800.5000}'


def run(folder: Path, text: str, *options: str) -> Result:
    file = folder / "bill.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["audit", str(file), *options], catch_exceptions=False, standalone_mode=False)


def found(folder: Path, rulebook: str, text: str) -> dict[str, Any]:
    x: dict[str, Any] = json.loads(run(folder, text, "-r", rulebook, "--format", "json").stdout)
    return x


# ---- a whole stay in another year ----


def test_last_years_tables(tmp_path: Path) -> None:
    """Weight 0.9975 and base rate 9,800.00 of 2024 instead of 1.03 and 10,000.00: 9,775.50, by tables and parameters together."""
    text = f"episode: {STAY}\ncharged: {{group_price: 9775.50, standard: 9775.50, hospital_difference: 2570.17}}\n"
    causes = found(tmp_path, "national-drg", text)["causes"]
    assert [(c["kind"], c["name"], c["now"]) for c in causes][:2] == [
        ("parameter_version", None, "2"),
        ("whole_stay", "discharge_date", "2024-12-31"),
    ]
    assert causes[1]["was"] == "2025-03-12"
    assert "if the whole bill lay 71 days earlier" in causes[1]["sentence"]
    told = run(tmp_path, text, "-r", "national-drg", "--lang", "zh").stdout
    assert "各日期均提前 71 天" in told


def test_a_year_before_keeps_what_came_before(tmp_path: Path) -> None:
    """A date read wrongly is one thing, what was given for before the bill another one: 300.00 are left of 1,800.00."""
    text = (
        "so_far: {this_year.sum(deductible_due): 1500.00, this_year.sum(in_scope): 1500.00, this_year.count(): 4}\n"
        "episode: {episode_id: B4, person_id: P1, person_class: active, care: outpatient, institution: other, "
        "level: level_3, discharge_date: 2024-04-11, total: 26800.00, in_scope: 25432.10}\n"
        "charged: {deductible_due: 1800.00, outpatient_pays: 16542.47, patient_pays: 10257.53}\n"
    )
    assert found(tmp_path, "beijing-employee", text)["causes"] == []


# ---- groups ----


@pytest.mark.parametrize(
    ("standard", "kind", "now"),
    [
        ("11564.59", "group_result", "9800.50"),  # 1.18 x 9,800.50, the budget value
        ("11526.39", "group_result", "9768.1234"),  # 1.18 x 9,768.1234: two digits swapped
    ],
)
def test_a_point_value(standard: str, kind: str, now: str, tmp_path: Path) -> None:
    """What the file gives of a group belongs to what is tried: another result of the row, a slip of the pen."""
    charged = f"charged: {{points: 1.18, standard: {standard}}}"
    x = found(tmp_path, "national-dip", f"episode: {POINTS}\ngroups: {{{VALUES}}}\n{charged}\n")
    best = x["causes"][0]
    assert (best["kind"], best["level"], best["name"]) == (kind, "region_year", "point_value")
    assert float(best["now"]) == float(now)
    assert "of “Pooling area's year” (R01, 2025)" in best["sentence"]


def test_a_right_point_value(tmp_path: Path) -> None:
    """1.18 x 9,786.1234 = 11,547.625612, rounded 11,547.63: nothing is looked for."""
    text = f"episode: {POINTS}\ngroups: {{{VALUES}}}\ncharged: {{standard: 11547.63}}\n"
    assert found(tmp_path, "national-dip", text)["search"] is None


# ---- limits ----


def test_a_limit_only_in_its_own_sum() -> None:
    """The cap of the pool is put into the sum of what the pool paid, and not into that of deductibles."""
    where = find.rulebook("beijing-employee")
    assert isinstance(where, find.Found)
    plan = plan_for(where, Sink())
    assert plan is not None
    held = limits(plan)
    assert held["this_year.sum(pool_pays)"] == {"pool_cap"}
    assert held["this_year.sum(large_amount_pays)"] == {"large_amount_cap"}
    assert held["this_year.sum(deductible_due)"] == {"deductible"}
    assert caps(plan) == {"outpatient_limit"}


CAPPED = """
rxcalc: 1
rulebook: capped
title: {en: A limit that ends, zh: 限额}
version: "1"
status: fictional
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: discharge_date}
inputs:
  episode_id: {type: code}
  discharge_date: {type: date}
  total: {type: money}
parameters:
  limit: {type: money, label: {en: Limit, zh: 限额}, values: {2024-01-01: none, 2025-01-01: 500, 2025-07-01: none}}
steps:
  pays:
    label: {en: Payment, zh: 支付}
    rule: |
      when limit is missing then total
      otherwise min(total, limit)
shares: {bill: {of: total, fund: {is: pays}, patient: {is: rest}}}
outputs: [pays]
"""


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            ("as it was from 2024-01-01 until 2025-01-01: no limit;", "as it will be from 2025-07-01 on: no limit;"),
        ),
        ("zh", ("2024-01-01起至2025-01-01前的“限额”（不设限额）", "2025-07-01起的“限额”（不设限额）")),
    ],
)
def test_no_limit(language: str, told: tuple[str, str], tmp_path: Path) -> None:
    """`none` of a limit is no limit, and what holds later will be so; of a bill of 1,000.00 the fund pays 500.00."""
    (tmp_path / "rulebook.yaml").write_text(CAPPED, encoding="utf-8")
    text = "episode: {episode_id: C1, discharge_date: 2025-03-10, total: 1000.00}\ncharged: {pays: 1000.00}\n"
    options = ("-r", str(tmp_path / "rulebook.yaml"), "--format", "json", "--lang", language)
    causes = json.loads(run(tmp_path, text, *options).stdout)["causes"]
    sentences = " ".join(c["sentence"] for c in causes if c["kind"] == "parameter_version")
    assert all(one in sentences for one in told), sentences


# ---- templates half filled in ----


@pytest.mark.parametrize("blank", ["", "~", "null"])
def test_blank_amounts_are_not_charged(blank: str, tmp_path: Path) -> None:
    """(10,000 - 200) x 95% = 9,310: what is left blank is no amount."""
    text = f"episode: {COUNTY}\ncharged:\n  deductible_due: {blank}\n  fund_pays: 9310.00\n"
    result = run(tmp_path, text, "-r", "qin", "--format", "json")
    assert [a["name"] for a in json.loads(result.stdout)["amounts"]] == ["fund_pays"]
    assert result.return_value == 0


@pytest.mark.parametrize(
    "charged",
    [
        "charged:",
        "charged:\n  fund_pays:\n  lines:",
        "charged: {fund_pays: }",
        "charged: {lines: [{line_no: 1, excess: }]}",
    ],
)
def test_all_blank_is_nothing_charged(charged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As without `charged:`: the template, and code 2."""
    lines = (
        "lines: [{line_no: 1, kind: medicine, item: X-1, quantity: 1, unit_price: 2.00, amount: 2.00}]\n"
        if "lines: [" in charged
        else ""
    )
    with pytest.raises(Failure, match="there is no `charged:`"):
        run(tmp_path, f"episode: {COUNTY}\n{lines}{charged}\n", "-r", "qin")
    del capsys


def test_a_doubled_key(tmp_path: Path) -> None:
    """A file of which it cannot be told what is meant is unreadable: code 2, for explain too."""
    text = f"rulebook: qin\nepisode: {COUNTY}\ncharged: {{deductible_due: 200.00, deductible_due: 600.00}}\n"
    with pytest.raises(Failure, match="cannot be read"):
        run(tmp_path, text)
    with pytest.raises(Failure, match="cannot be read"):
        CliRunner().invoke(cli, ["explain", str(tmp_path / "bill.yaml")], catch_exceptions=False, standalone_mode=False)


# ---- speed ----


@pytest.mark.parametrize("name", sorted(doctor.read("bills.yaml")))
def test_a_lean_plan_computes_the_same(name: str, tmp_path: Path) -> None:
    """Of every result of the bill and its rows: what it rests on alone gives the amount that the whole plan gives."""
    given = doctor.read("bills.yaml")[name]
    file = tmp_path / "bill.yaml"
    file.write_text(json.dumps(given["entry"]), encoding="utf-8")
    where = find.rulebook(doctor.rulebook_of({"rulebook": given["rulebook"]}))
    assert isinstance(where, find.Found)
    sink = Sink()
    plan = plan_for(where, sink)
    entry = entry_of(str(file), None, sink)
    assert plan is not None
    subject = read_subject(plan, entry, sink)
    assert subject is not None, sink.sorted()
    whole = compute(subject).outcome
    assert whole.problem is None
    for result in results(plan, bill_sequence(plan)):
        goal = (result.level, result.name)
        reach = reach_of(plan, [] if result.level else [result.name], [goal] if result.level else [])
        own = compute(subject.with_plan(lean(plan, reach))).outcome
        assert own.problem is None
        if result.level:
            told = [[row.steps.get(result.name) for row in o.lists[result.level]] for o in (own, whole)]
        else:
            told = [[{**o.steps, **o.shares}.get(result.name, "absent")] for o in (own, whole)]
        assert told[0] == told[1], result.name
