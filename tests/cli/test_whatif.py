"""`rxcalc whatif` from outside: amounts known from the source's figures, the nearest change held against every change there is."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.report.layout import width

BILLS = Path(__file__).parents[2] / "docs" / "bills"
COUNTY, CITY = str(BILLS / "qin-county.yaml"), str(BILLS / "qin-city.yaml")


def run(*args: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env=env).invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def asked(*args: str) -> dict[str, Any]:
    document = json.loads(run("whatif", *args, "--format", "json").stdout)
    assert isinstance(document, dict)
    return document


# ---- alternatives ----


def test_the_levels_of_a_county_bill() -> None:
    """The other levels of the county bill of 10,000.00: 95% above 0, 400 and 600 by hand, and what each moves."""
    x = asked(COUNTY, "--vary", "level")
    assert x["bill"]["totals"] == {"fund_pays": {"value": "9310.00"}, "patient_pays": {"value": "690.00"}}
    found = {a["changes"][0]["to"]: a["totals"]["patient_pays"] for a in x["alternatives"]}
    assert found == {
        "town": {"value": "500.00", "moved": "-190.00"},
        "city": {"value": "880.00", "moved": "190.00"},
        "province": {"value": "1070.00", "moved": "380.00"},
    }
    assert [a["mark"] for a in x["alternatives"]] == ["A", "B", "C"]


def test_where_an_alternative_parts_from_the_bill() -> None:
    """The first step that diverges stands with the clause, the formula and the figures of both sides."""
    x = asked(CITY, "--vary", "referred")
    (a,) = x["alternatives"]
    parts = a["diverges"]
    assert (parts["name"], parts["moved"]) == ("referral_factor", "-20%")
    assert (parts["bill"]["value"], parts["other"]["value"]) == ("100%", "80%")
    assert parts["bill"]["clause"].startswith("referred")
    assert "not_referred" not in parts["other"]["because"]
    assert parts["other"]["because"] == "went to a city or provincial hospital without referral or emergency"
    moved = {d["name"]: d["moved"] for d in a["differing"]}
    # 9,120.00 x 20% = 1,824.00
    assert moved["fund_pays"] == "-1824.00"
    assert moved["patient.missing_referral"] == "1824.00"
    assert next(iter(moved)) == "referral_factor"


def test_each_set_is_one_alternative_of_changes_made_together() -> None:
    """`--set a=1,b=2` changes both at once; a comma inside an amount does not part two changes."""
    x = asked(COUNTY, "--set", "level=city,referred=no", "--set", "total_cost=1,000.00")
    first, second = x["alternatives"]
    assert [c["field"] for c in first["changes"]] == ["level", "referred"]
    # (10,000 - 400) x 95% x 80% = 7,296.00
    assert first["totals"]["patient_pays"] == {"value": "2704.00", "moved": "2014.00"}
    # (1,000 - 200) x 95% = 760.00
    assert second["totals"]["patient_pays"] == {"value": "240.00", "moved": "-450.00"}


def test_a_number_varies_where_the_bill_takes_another_course() -> None:
    """Below the deductible of 200.00 the bill is the patient's alone: the first amount there is 200.00."""
    x = asked(COUNTY, "--vary", "total_cost")
    (a,) = x["alternatives"]
    assert (a["changes"][0]["from"], a["changes"][0]["to"]) == ("10000", "200")
    assert a["totals"]["patient_pays"]["value"] == "200.00"


def test_the_places_at_which_a_bill_turns(tmp_path: Path) -> None:
    """By hand, for 10 days and weight 1: total = 140 + 10% of it at 155.56; the fee's limits; day 31; weight 2; July."""
    bill = episode(tmp_path, replace(CLIFF_BILL, stay=10, weight=Decimal(1)))
    x = asked(bill, "-r", write(tmp_path), *(f"--vary={n}" for n in ("total", "stay", "weight", "discharge_date")))
    found: dict[str, list[str]] = {}
    for a in x["alternatives"]:
        if a["problem"] is None:
            found.setdefault(a["changes"][0]["field"], []).append(a["changes"][0]["to"])
    assert found == {
        "total": ["155.56", "1000", "2000"],
        "stay": ["31"],
        "weight": ["2"],
        "discharge_date": ["2025-07-01"],
    }


def test_an_alias_in_the_file_or_on_the_command_line_is_the_same_field(tmp_path: Path) -> None:
    """A field given under a Chinese header is changed, not given a second time."""
    bill = tmp_path / "bill.yaml"
    bill.write_text(
        Path(COUNTY).read_text(encoding="utf-8").replace("level: county", "医院等级: 县级"), encoding="utf-8"
    )
    for name in ("level", "医疗机构等级"):
        x = asked(str(bill), "--set", f"{name}=市级")
        assert x["alternatives"][0]["unreadable"] == []
        assert x["alternatives"][0]["totals"]["patient_pays"]["value"] == "880.00"


def test_a_parameter_set_by_hand_and_its_versions(tmp_path: Path) -> None:
    """Another value of a parameter, and the values of its other dates, on the bill's day."""
    x = asked(CITY, "--set", "parameter.deductible.city=500")
    # (10,000 - 500) x 95% = 9,025.00
    assert x["alternatives"][0]["totals"]["fund_pays"] == {"value": "9025.00", "moved": "-95.00"}
    assert x["alternatives"][0]["changes"][0]["kind"] == "parameter"
    rules = write(tmp_path)
    bill = episode(tmp_path, CLIFF_BILL)
    x = asked(bill, "-r", rules, "--vary", "parameter.base")
    (a,) = x["alternatives"]
    assert (a["changes"][0]["from"], a["changes"][0]["to"]) == ("2025-01-01", "2025-07-01")
    assert a["totals"]["patient_pays"]["moved"] == "-60.00"  # 80 before July, 20 from then on


@pytest.mark.parametrize("bill", ["qin-city", "beijing-visit", "shanghai-visit", "sanming-tendon", "dian-discharge"])
def test_an_alternative_is_what_explain_gives_with_the_same_value(bill: str) -> None:
    """Outputs and totals of every alternative equal those of `explain --set`, and a refusal is the same refusal."""
    path = str(BILLS / f"{bill}.yaml")
    own = json.loads(run("explain", path, "--format", "json").stdout)
    fields = [name for name in own["episode"] if name not in ("episode_id", "person_id")]
    varied = 0
    for name in fields:
        result = CliRunner().invoke(cli, ["whatif", path, "--vary", name, "--format", "json"])
        assert result.exit_code in (0, 2)
        for a in json.loads(result.stdout)["alternatives"] if result.exit_code == 0 else ():
            (change,) = a["changes"]
            if a["unreadable"]:
                continue
            varied += 1
            explained = run("explain", path, "--set", f"{name}={change['to'] or ''}", "--format", "json")
            x = json.loads(explained.stdout)
            assert (a["problem"] or {}).get("code") == (x["problem"] or {}).get("code")
            if x["problem"] is None:
                assert {k: v["value"] for k, v in a["totals"].items()} == x["totals"]
                outputs = {**a["outputs"], **a["shares"], **a["totals"]}
                assert {k: outputs[k]["value"] for k in x["outputs"]} == {k: v or None for k, v in x["outputs"].items()}
    assert varied >= 4


def test_a_date_moves_the_bill_to_another_version() -> None:
    """With several versions a date alternative is computed by the version that holds it."""
    path = str(BILLS / "shanghai-stay.yaml")
    x = asked(
        path, "-r", "shanghai-employee@2017", "-r", "shanghai-employee@2024", "--set", "discharge_date=2023-05-30"
    )
    assert x["alternatives"][0]["rulebook_version"] == "2017"
    assert x["bill"]["rulebook_version"] == "2024"


def test_opening_amounts_stay_and_that_is_said() -> None:
    """Another date may begin another insurance year; it is said what becomes of `so_far:` then."""
    path = str(BILLS / "shanghai-stay.yaml")
    assert "`so_far:`" in run("whatif", path, "--set", "discharge_date=2025-05-29", "--lang", "en").stdout
    assert "`so_far:`" not in run("whatif", path, "--vary", "level", "--lang", "en").stdout


def test_opening_amounts_end_with_their_year(tmp_path: Path) -> None:
    """A bill moved into the next insurance year has the whole cap before it, as if nothing had come before it.

    By hand: (131,640.75 in scope - 1,200.00 deductible) * 92 % = 120,005.49; 148,200.00 - 120,005.49 = 28,194.51.
    """
    bill = (BILLS / "shanghai-stay.yaml").read_text(encoding="utf-8")
    path = tmp_path / "bill.yaml"
    path.write_text(bill, encoding="utf-8")
    fresh = tmp_path / "fresh.yaml"
    fresh.write_text(bill[: bill.index("so_far:")].replace("2025-05-30", "2025-07-01"), encoding="utf-8")
    alone = json.loads(run("explain", str(fresh), "--format", "json").stdout)["totals"]["patient_pays"]
    assert alone == "28194.51"
    moved = asked(str(path), "--set", "discharge_date=2025-07-01")["alternatives"][0]
    assert moved["totals"]["patient_pays"]["value"] == alone
    nearest = {n["to"]: n for n in asked(str(path), "--near", "patient_pays")["near"]["found"]}
    assert nearest["2025-07-01"]["value"] == alone


# ---- near ----


def test_what_lowers_a_city_bill_without_referral() -> None:
    """By hand: county 690.00, referred or emergency 880.00 instead of 2,704.00; all one step away, the largest saving first."""
    x = asked(CITY, "--set", "referred=no", "--near", "patient_pays")
    assert [f["field"] for f in x["near"]["found"]] == ["level"]  # of the bill as it is, which is referred
    text = Path(CITY).read_text(encoding="utf-8").replace("referred: yes", "referred: no")
    result = CliRunner().invoke(
        cli, ["whatif", "-", "--near", "patient_pays", "--format", "json"], input=text, standalone_mode=False
    )
    found = [(f["field"], f["to"], f["value"], f["saving"]) for f in json.loads(result.stdout)["near"]["found"]]
    assert found == [
        ("level", "county", "690.00", "2014.00"),
        ("referred", "yes", "880.00", "1824.00"),
        ("emergency", "yes", "880.00", "1824.00"),
    ]


def test_nothing_lowers_a_township_bill() -> None:
    """Where no change lowers the amount it is said, with how many were tried."""
    x = asked(str(BILLS / "qin-town.yaml"), "--near", "patient_pays")
    assert x["near"]["found"] == []
    assert x["near"]["tried"] > 5
    text = " ".join(run("whatif", str(BILLS / "qin-town.yaml"), "--near", "patient_pays").stdout.split())
    assert f"Nothing lowers it: {x['near']['tried']} changes were tried" in text


RULES = """\
rxcalc: 1
rulebook: cliff
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, to: 2025-12-31, by: discharge_date}
inputs:
  episode_id: {type: code}
  discharge_date: {type: date}
  total: {type: money, max: 3_000}
  level: {one_of: [town, county, city], ordered: yes}
  referred: {type: flag}
  stay: {type: days, max: 60}
  weight: {type: number, min: 0, max: 5, decimals: 2}
parameters:
  fee: {type: cliff of money over money, values: {2025-01-01: [{to: 1_000, is: 10}, {below: 2_000, is: 60}, {is: 150}]}}
  base: {type: money, values: {2025-01-01: 80, 2025-07-01: 20}}
  part: {type: percent, by: [level], values: {2025-01-01: {town: 5%, county: 10%, city: 20%}}}
steps:
  fee_due: step(fee, total)
  days_due:
    rule: |
      when stay > 30 days then ¥500
      otherwise ¥5 per day * stay
  own: total * part[level]
  extra:
    rule: |
      when weight >= 2 and not referred then ¥100
      otherwise ¥0
  pays: min(total, fee_due + days_due + own + extra + base)
shares:
  bill:
    of: total
    patient: pays
    fund: {is: rest}
outputs: [pays]
"""


@dataclass(frozen=True)
class Case:
    """A bill under the rules above."""

    discharge_date: date
    total: Decimal
    level: str
    referred: bool
    stay: int
    weight: Decimal


CLIFF_BILL = Case(date(2025, 6, 20), Decimal("1000.30"), "county", False, 31, Decimal("2.00"))


def write(folder: Path) -> str:
    path = folder / "cliff.yaml"
    path.write_text(RULES, encoding="utf-8")
    return str(path)


def episode(folder: Path, case: Case) -> str:
    path = folder / "bill.yaml"
    lines = [f"  {name}: {value}" for name, value in vars(case).items() if name != "referred"]
    flag = "yes" if case.referred else "no"
    path.write_text("\n".join(["episode:", "  episode_id: E1", f"  referred: {flag}", *lines, ""]), encoding="utf-8")
    return str(path)


LEVELS = ["town", "county", "city"]


def in_fen(on: date, total: int, level: str, referred: bool, stay: int, weight: int) -> int:
    """The same rules written down a second time, in fen and hundredths."""
    fee = 1_000 if total <= 100_000 else 6_000 if total < 200_000 else 15_000
    days = 50_000 if stay > 30 else 500 * stay
    own = (total * {"town": 5, "county": 10, "city": 20}[level] + 50) // 100
    extra = 10_000 if weight >= 200 and not referred else 0
    base = 8_000 if on < date(2025, 7, 1) else 2_000
    return min(total, fee + days + own + extra + base)


def nearest(case: Case) -> dict[str, tuple[int, Decimal]]:
    """Of each input the fewest steps to a value that lowers the amount, and the most that so many steps save; all values tried."""
    total, weight = int(case.total * 100), int(case.weight * 100)
    facts = (case.discharge_date, total, case.level, case.referred, case.stay, weight)
    d, m, lv, r, s, w = facts
    days = [date(2025, 1, 1) + timedelta(n) for n in range(365)]
    grid = {
        "discharge_date": [(abs((x - d).days), in_fen(x, m, lv, r, s, w)) for x in days],
        "total": [(abs(x - m), in_fen(d, x, lv, r, s, w)) for x in range(300_001)],
        "level": [(abs(LEVELS.index(x) - LEVELS.index(lv)), in_fen(d, m, x, r, s, w)) for x in LEVELS],
        "referred": [(1, in_fen(d, m, lv, not r, s, w))],
        "stay": [(abs(x - s), in_fen(d, m, lv, r, x, w)) for x in range(61)],
        "weight": [(abs(x - w), in_fen(d, m, lv, r, s, x)) for x in range(501)],
    }
    own = in_fen(*facts)
    found: dict[str, tuple[int, Decimal]] = {}
    for name, others in grid.items():
        saving = [(steps, other - own) for steps, other in others if own - other > (steps if name == "total" else 0)]
        if saving:
            steps, less = min(saving)
            found[name] = (steps, Decimal(-less) / 100)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_no_nearer_change_lowers_the_amount(tmp_path: Path, seed: int) -> None:
    """Held against every value of every input under rules with jumps: the nearest change is the nearest there is."""
    draw = random.Random(seed)
    case = CLIFF_BILL
    if seed:
        case = Case(
            discharge_date=date(2025, 1, 1) + timedelta(draw.randrange(365)),
            total=Decimal(draw.choice([draw.randrange(300_001), draw.randrange(99_900, 101_500), draw.randrange(199_900, 203_000)])) / 100,
            level=draw.choice(["town", "county", "city"]),
            referred=draw.random() < 0.3,
            stay=draw.randrange(61),
            weight=Decimal(draw.randrange(501)) / 100,
        )  # fmt: skip
    x = asked(episode(tmp_path, case), "-r", write(tmp_path), "--near", "patient_pays")
    assert (
        x["near"]["value"]
        == f"{in_fen(case.discharge_date, int(case.total * 100), case.level, case.referred, case.stay, int(case.weight * 100)) / Decimal(100):.2f}"
    )
    found = {f["field"]: (f["steps"], Decimal(f["saving"])) for f in x["near"]["found"]}
    assert found == nearest(case)
    assert sorted((f["steps"], -Decimal(f["saving"])) for f in x["near"]["found"]) == [
        (f["steps"], -Decimal(f["saving"])) for f in x["near"]["found"]
    ]


def test_an_amount_counts_only_above_a_threshold(tmp_path: Path) -> None:
    """1,000.30 is 0.30 above a fee that jumps by 50.00: that is told; that a smaller bill costs less is not."""
    case = replace(CLIFF_BILL, stay=10)
    x = asked(episode(tmp_path, case), "-r", write(tmp_path), "--near", "patient_pays")
    total = next(f for f in x["near"]["found"] if f["field"] == "total")
    assert (total["to"], total["saving"]) == ("1000", "50.03")
    x = asked(
        episode(tmp_path, replace(case, total=Decimal("990.00"))), "-r", write(tmp_path), "--near", "patient_pays"
    )
    assert "total" not in {f["field"] for f in x["near"]["found"]}


# ---- text ----


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("bill", ["qin-county", "dian-blacklist", "beijing-year"])
def test_text_fits(bill: str, language: str) -> None:
    """No line is wider than the page, Chinese characters counted double."""
    from rxcalc.cli.episode import entry_of
    from rxcalc.cli.load import plan_of
    from rxcalc.diagnostics.model import Sink
    from rxcalc.driver.whatif import Asked, WhatIf, what_if
    from rxcalc.report.text_whatif import render

    entry = entry_of(str(BILLS / f"{bill}.yaml"), None, Sink())
    asked_ = Asked(("level",), ({"level": "town"},) if "qin" in bill else (), "patient_pays")
    found = what_if([plan_of(entry.rulebook)], entry, asked_, Sink(), language)
    assert isinstance(found, WhatIf)
    for columns in (60, 80, 120):
        text = render(found.view, columns=columns)
        assert max(width(line) for line in text.splitlines()) <= columns


def test_text_says_what_is_otherwise_and_where_it_parts() -> None:
    """Labels, signed differences, the step with its figures, and the banner of fictional values."""
    text = run("whatif", COUNTY, "--vary", "level", "--lang", "en").stdout
    assert "B  Hospital level: City (city) instead of County (county)" in text
    assert "Deductible [deductible_due]  400.00 instead of 200.00 (+200.00)" in text
    assert "deductible[city] = 400.00" in text
    assert "FICTIONAL" in text
    chinese = run("whatif", COUNTY, "--vary", "level", "--near", "patient_pays", "--lang", "zh").stdout
    assert "医院等级：市级 (city)，原为 县级 (county)" in chinese
    assert "现状" in chinese
    assert "as it is" not in chinese
    assert "instead" not in chinese


def test_markdown_is_a_table_that_no_label_breaks(tmp_path: Path) -> None:
    """Every row has the same number of cells, whatever stands in a label."""
    rules = tmp_path / "r.yaml"
    rules.write_text(RULES.replace("fee_due: step(fee, total)", "fee_due:\n    label: 'a | b *c* <i>'\n    rule: step(fee, total)").replace("outputs: [pays]", "outputs: [pays, fee_due]"), encoding="utf-8")  # fmt: skip
    text = run("whatif", episode(tmp_path, CLIFF_BILL), "-r", str(rules), "--set", "total=900", "--format", "md").stdout
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in rows} == {5}
    assert "<i>" not in text.replace(r"\<i\>", "")


# ---- usage ----


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--vary", "levl"), "did you mean `level`?"),
        (("--near", "patient_pay"), "did you mean `patient_pays`?"),
        (("--set", "levle=city"), "did you mean `level`?"),
        (("--set", "level"), "is not FIELD=VALUE"),
        (("--vary", "parameter.deductble"), "did you mean `parameter.deductible`?"),
        (("--vary", "lines.kind"), "change the row under `lines:`"),
        (("--vary", "episode_id"), "--set episode_id=VALUE"),
        ((), "nothing is to be changed"),
        (("--vary", "a\x1b[31m\nb"), "no input `a"),
    ],
)  # fmt: skip
def test_bad_usage(args: tuple[str, ...], message: str) -> None:
    """A mistake in the command is told with the nearest name, and ends with 2."""
    result = CliRunner().invoke(cli, ["whatif", COUNTY, *args])
    assert result.exit_code == 2
    assert message in result.stderr
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output


def test_refusals_are_told() -> None:
    """A refused alternative says its problem and changes no exit code; a value that cannot be read ends with 1."""
    result = run("whatif", COUNTY, "--set", "discharge_date=2025-03-01")
    assert result.return_value == 0
    assert "A is refused: RX722" in result.stdout
    result = run("whatif", COUNTY, "--set", "level=moon\x1b[31m")
    assert result.return_value == 1
    assert "A cannot be computed: RX705" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_bill_that_is_refused_itself(tmp_path: Path) -> None:
    """The bill is refused, an alternative is not: both are told, and the exit code is 1."""
    bill = tmp_path / "bill.yaml"
    text = Path(COUNTY).read_text(encoding="utf-8").replace("discharge_date: 2025-03-10", "discharge_date: 2025-03-01")
    bill.write_text(text, encoding="utf-8")
    result = run("whatif", str(bill), "--set", "admission_date=2025-02-20", "--near", "patient_pays", "--lang", "en")
    assert result.return_value == 1
    assert "The bill as it is is refused: RX722" in result.stdout
    assert "`patient_pays` cannot be lowered: the bill is refused" in result.stdout
    assert "690.00" in result.stdout


def test_of_several_bills_the_last_is_looked_at(tmp_path: Path) -> None:
    """A file with several episodes: the last one is changed, and that is said."""
    one = Path(COUNTY).read_text(encoding="utf-8").partition("episode:\n")[2].replace("\n", "\n    ").rstrip()
    text = "rulebook: qin\nepisodes:\n" + "".join(
        f"  - episode:\n    {one}\n".replace("BILL-2", name) for name in ("B-1", "B-2")
    )
    bill = tmp_path / "bills.yaml"
    bill.write_text(text, encoding="utf-8")
    result = run("whatif", str(bill), "--vary", "level", "--lang", "en")
    assert result.return_value == 0
    assert "The bill B-2" in result.stdout
    assert "The file lists 2 bills; the last one, B-2" in result.stdout


ROUND = """\
rxcalc: 1
rulebook: round
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  nights: {type: count, max: 1000}
  dx: {type: codes, optional: yes}
steps:
  third: {type: money, rule: 'if nights - 15 * floor(nights / 15, 1) = 0 then ¥30 else ¥0'}
  first: {type: money, rule: 'if day(day) = 1 then ¥33 else ¥0'}
  listed: {type: money, rule: 'if dx is known then (if dx has "D1" then ¥11 else ¥1) else ¥0'}
  pays: {rule: '¥100 - third - first - listed'}
outputs: [pays]
"""
ROUND_BILL = "episode: {episode_id: N, day: 2025-01-20, nights: 27, dx: [X]}\n"


def test_near_finds_places_that_come_round(tmp_path: Path) -> None:
    """By hand: 30 nights are 3 away (15 are 12), the first of a month is 12 days away, D1 saves 10.00 more than X."""
    (tmp_path / "round.yaml").write_text(ROUND, encoding="utf-8")
    (tmp_path / "bill.yaml").write_text(ROUND_BILL, encoding="utf-8")
    args = ["whatif", str(tmp_path / "bill.yaml"), "-r", str(tmp_path / "round.yaml")]
    text = CliRunner().invoke(cli, [*args, "--near", "pays"], catch_exceptions=False).stdout
    assert "nights: 30 instead of 27\n      69.00, 30.00 less; 3 away" in text
    assert "day: 2025-02-01 instead of 2025-01-20\n      66.00, 33.00 less; 12 days away" in text
    assert "dx: {D1, X} instead of {X}\n      89.00, 10.00 less" in text
    varied = CliRunner().invoke(cli, [*args, "--vary", "dx"], catch_exceptions=False).stdout
    assert "A  dx: {D1, X} instead of {X}" in varied
    assert "B  dx: left out instead of {X}" in varied
