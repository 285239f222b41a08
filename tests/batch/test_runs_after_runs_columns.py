"""Runs that go on from earlier ones are computed in columns: the files are those of the exact evaluator, byte for byte."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rxcalc.backends.columnar import Columnar
from rxcalc.backends.columnar import run as columnar_run
from rxcalc.cli.load import plan_of
from rxcalc.driver import batch_compute, batch_store
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_prepare import Prepared
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.plan.nodes import Plan
from rxcalc.tabular import parts

FIELDS = "episode_id,person_id,chain,level,admitted,discharged,total,undoes"
RULEBOOK = """
rxcalc: 1
rulebook: goes-on
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharged}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  chain: {type: code, optional: yes}
  level: {one_of: [town, county, city]}
  admitted: {type: date}
  discharged: {type: date}
  total: {type: money, max: 1_000_000}
  undoes: {type: code, optional: yes}
sequence: {by: person_id, order: [%s, episode_id]%s}
requires:
  - {that: "total <= ¥900_000", say: too much}
windows:
%s
steps:
%s
outputs: [paid, share]
"""
WINDOWS = {
    "year": "{calendar: year, date: discharged}",
    "quarter": "{same: [chain], calendar: quarter, date: discharged, starting: 02-01}",
    "tier": "{same: [level]}",
    "ever": "{all: yes}",
    "rolling": "{rolling: 3 months, date: discharged}",
    "months": "{rolling: 2, unit: month, date: discharged}",
    "spell": "{gap: 20 days, from: discharged, to: admitted}",
    "period": "{period: 2 months, date: discharged, same: [chain]}",
}
CALLS = (
    "%s.count()",
    "%s.sum(paid)",
    "%s.sum(total where %s.total > ¥400)",
    "%s.count(where %s.share > 30%%)",
    "default(%s.last(paid), ¥3)",
    "default(%s.first(total), ¥0)",
    "default(%s.max(paid), ¥0)",
    "default(%s.min(total where %s.level = county), ¥0)",
    "%s.count(distinct level)",
    "%s.sum(paid where %s.level = level)",
    "%s.sum(total where %s.total > total)",
)


def rulebook(folder: Path, dice: random.Random, *, plain: bool = False) -> Plan:
    """A rulebook with one to three windows and what is paid depending on calls into them; `plain` ones take all opening amounts."""
    spells = not plain and dice.random() < 0.4
    names = dice.sample([n for n in WINDOWS if spells or n not in {"spell", "period"}], dice.randint(1, 3))
    if plain:
        names = dice.sample(["year", "quarter", "tier", "ever"], dice.randint(1, 3))
    order = "admitted" if "spell" in names else "discharged"
    if "spell" in names:
        names = [name for name in names if name != "period"]
    calls = CALLS[:8] if plain else CALLS
    texts = [(text.replace("%s", name).replace("%%", "%")) for name in names for text in dice.sample(calls, 3)]
    steps = [f'  c{at}: {{rule: "{text}"}}' for at, text in enumerate(texts)]
    sums = [f"c{at}" for at, text in enumerate(texts) if ".count" not in text] or ["¥0"]
    counts = [f"c{at}" for at, text in enumerate(texts) if ".count" in text] or ["0"]
    steps.append('  share: {type: percent, rule: "if level = town then 70% else 25%", round: {to: 1%, mode: half-up}}')
    steps.append(
        f'  paid: {{rule: "max(0, total - ({" + ".join(sums)}) * 3% - ¥10 * ({" + ".join(counts)})) * share", round: {{to: 0.01, mode: half-up}}}}'
    )
    reverses = ", reverses: undoes" if dice.random() < 0.5 else ""
    windows = "\n".join(f"  {name}: {WINDOWS[name]}" for name in names)
    (folder / "rulebook.yaml").write_text(RULEBOOK % (order, reverses, windows, "\n".join(steps)), encoding="utf-8")
    return plan_of(str(folder / "rulebook.yaml"))


def records(dice: random.Random, count: int, people: int) -> list[tuple[int, str]]:
    """Records with the month in which each is billed; some cannot be read, some are refused, some undo an earlier one."""
    found: list[tuple[int, str]] = []
    for n in range(count):
        month, day = dice.randint(1, 12), dice.randint(10, 28)
        total: Any = dice.choice([100, 333, 499.99, 500, 501, 1200.5]) + n
        total = "x" if (odd := dice.random()) < 0.02 else 950_000 if odd < 0.04 else f"{total:.2f}"
        on = "?" if dice.random() < 0.01 else f"2025-{month:02}-{day - dice.randint(0, 9):02}"
        person, chain = f"P{dice.randrange(people)}", dice.choice(["", "A", "B"])
        level = dice.choice(["town", "county", "city"])
        undoes = ""
        if found and dice.random() < 0.04:
            month, earlier = max(dice.sample(found, min(3, len(found))))
            undoes, person = earlier.split(",")[:2]
        line = f"E{n:04},{person},{chain},{level},{on},2025-{month:02}-{day:02},{total},{undoes}\n"
        found.append((month, line))
    return found


def run(
    plan: Plan, folder: Path, name: str, lines: Sequence[str], **options: Any
) -> tuple[BatchReport, dict[str, Any]]:
    """A batch, and every file it has written."""
    source = folder / f"{name}.csv"
    source.write_text(FIELDS + "\n" + "".join(lines), encoding="utf-8")
    made = folder / name
    made.mkdir(exist_ok=True)
    closing = made / "closing.csv"
    report = run_batch(plan, BatchOptions(episodes=source, results=made / "out.csv", closing=closing, **options))
    files: dict[str, Any] = {path.name: path.read_bytes() for path in made.iterdir() if path.suffix == ".csv"}
    summary = json.loads((made / "out.summary.json").read_bytes()) if (made / "out.summary.json").exists() else {}
    told = ("counts", "rejects", "stale", "affected_by_reversals", "status")
    files["summary"] = {name: summary.get(name) for name in told}
    return report, files


def both(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, folder: Path, name: str, lines: Sequence[str], **options: Any
) -> dict[str, Any]:
    """A batch in columns, which must have written the same as record by record."""
    with monkeypatch.context() as patch:
        patch.setattr(columnar_run, "SMALL_WAVE", 0)  # waves even for a few persons
        report, files = run(plan, folder, name, lines, **options)
    assert report.problem is None, report.problem
    with monkeypatch.context() as patch:
        patch.setattr(batch_compute, "can_go_on", lambda _: False)
        patch.setattr(Columnar, "closed", lambda *_: None)
        again, expected = run(plan, folder, f"{name}-exact", lines, **options)
    assert again.exit_code == report.exit_code
    for file in sorted({*files, *expected}):
        assert files.get(file) == expected.get(file), f"{file} of {name}"
    return files


@pytest.mark.parametrize("seed", range(12))
def test_histories_split_at_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Months one after another and records that come late: results, rejects, stale results and closing amounts are the same."""
    dice = random.Random(seed)
    plan = rulebook(tmp_path, dice)
    lines = records(dice, 140, dice.choice([6, 20]))
    last = dice.choice([4, 8, 12])
    late = [dice.random() < 0.15 for _ in lines]
    first = [line for (month, line), is_late in zip(lines, late, strict=True) if month < last and not is_late]
    rest = [line for (month, line), is_late in zip(lines, late, strict=True) if month >= last or is_late]
    after = dice.choice(["reject", "compute"])
    run(plan, tmp_path, "first", first, after_reject=after)
    both(monkeypatch, plan, tmp_path, "rest", rest, after_reject=after, earlier=(tmp_path / "first" / "out.csv",))


@pytest.mark.parametrize("seed", range(8))
def test_opening_amounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Every second month opens with what the one before closed with, and the others with the results of all before."""
    dice = random.Random(1000 + seed)
    plan = rulebook(tmp_path, dice, plain=seed % 2 == 0)
    lines = records(dice, 150, dice.choice([8, 30]))
    opening: Path | None = None
    for quarter in range(4):
        own = [line for month, line in lines if (month - 1) // 3 == quarter]
        both(monkeypatch, plan, tmp_path, f"q{quarter}", own, opening=opening)
        opening = tmp_path / f"q{quarter}" / "closing.csv"


def test_opening_amounts_beside_earlier_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RX819 and RX758 as record by record: an instance of which both tell, an amount that a single episode takes."""
    dice = random.Random(7)
    while True:
        plan = rulebook(tmp_path, dice)
        if {window.name for window in plan.windows} >= {"year", "rolling"}:
            break
    lines = [line for _, line in records(dice, 120, 30)]
    run(plan, tmp_path, "a", lines[:40])
    text = (tmp_path / "a" / "closing.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(io.StringIO(text))
    calls = [call.key for call in plan.calls if call.window == "rolling" and call.key not in head]
    with (tmp_path / "opening.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*head, *calls])
        writer.writerows([*row, *[""] * len(calls)] for row in rows if dice.random() < 0.5 and row[1] != "rolling")
        for person in range(30, 34):
            own = {"person_id": f"P{person % 33}", "window": "rolling"}
            writer.writerow([own.get(name, "") for name in head] + ["1"] * len(calls))
    earlier = (tmp_path / "a" / "out.csv",)
    files = both(monkeypatch, plan, tmp_path, "b", lines[40:], opening=tmp_path / "opening.csv", earlier=earlier)
    assert b",RX819," in files["out.rejects.csv"]


def people_of(dice: random.Random, count: int, people: int) -> list[tuple[int, str]]:
    """Episodes of employees in Beijing over a year."""
    found = []
    for n in range(count):
        month, day = dice.randint(1, 12), dice.randint(1, 28)
        total = int(dice.lognormvariate(13.5, 1))
        scope = total * dice.randint(60, 100) // 100
        level, of = dice.choice(["level_1", "level_2", "level_3"]), dice.choice(["active", "retired"])
        money = f"{total // 100}.{total % 100:02},{scope // 100}.{scope % 100:02}"
        found.append((month, f"E{n:06},P{dice.randrange(people):05},{of},{level},2025-{month:02}-{day:02},{money}\n"))
    return found


def test_twelve_months_of_a_real_rulebook_are_the_year(tmp_path: Path) -> None:
    """Two thousand persons: every month from the results of those before gives what one run over the year gives."""
    plan = plan_of("beijing-employee")
    head = "episode_id,person_id,person_class,level,discharge_date,total,in_scope\n"
    lines = people_of(random.Random(3), 6_000, 2_000)

    def amounts(name: str, own: Sequence[str], earlier: tuple[Path, ...]) -> list[str]:
        source, results = tmp_path / f"{name}.csv", tmp_path / f"{name}.out.csv"
        source.write_text(head + "".join(own), encoding="utf-8")
        report = run_batch(plan, BatchOptions(episodes=source, results=results, earlier=earlier))
        assert report.problem is None, report.problem
        assert not report.stale
        return results.read_text(encoding="utf-8").splitlines()[1:]

    year = amounts("year", [line for _, line in lines], ())
    found: list[str] = []
    for month in range(1, 13):
        earlier = tuple(tmp_path / f"m{before:02}.out.csv" for before in range(1, month))
        found += amounts(f"m{month:02}", [line for m, line in lines if m == month], earlier)
    assert sorted(found) == sorted(year)


@pytest.mark.parametrize("exactly", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_runs_in_parts_write_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, exactly: bool
) -> None:
    """Rows and earlier results that go to disk, and come back a few persons at a time: all files are the same bytes."""
    dice = random.Random(2000 + seed)
    plan = rulebook(tmp_path, dice)
    lines = records(dice, 160, 25)
    cut = dice.randint(60, 120)
    late = [line for _, line in lines[:cut] if dice.random() < 0.1]
    first = [line for _, line in lines[:cut] if line not in late]
    if exactly:
        monkeypatch.setattr(batch_compute, "can_go_on", lambda _: False)
    run(plan, tmp_path, "first", first)
    rest = [line for _, line in lines[cut:]] + late
    earlier = (tmp_path / "first" / "out.csv",)
    _, whole = run(plan, tmp_path, "whole", rest, earlier=earlier)
    monkeypatch.setattr(Prepared, "held", property(lambda _: 3_000))
    monkeypatch.setattr(parts, "_PIECE", 1_000)
    monkeypatch.setattr(batch_store, "_TOGETHER", 7)
    _, divided = run(plan, tmp_path, "divided", rest, earlier=earlier)
    assert whole.keys() == divided.keys()
    for name, data in whole.items():
        assert divided[name] == data, name
