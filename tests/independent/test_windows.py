"""Random histories under random windows: rxcalc against the script that works them out a second time."""

from __future__ import annotations

import importlib.util
import random
import sys
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.history import Opening, run_person
from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan

HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"independent_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


script = _load("windows")

HEAD = """rxcalc: 1
rulebook: windows-at-random
version: "1"
currency: CNY
rounding: half-up
effective: {from: 1900-01-01, by: discharged}
inputs:
  episode_id: {type: code}
  reverses: {type: code, optional: yes}
  person_id: {type: code}
  admitted: {type: date}
  discharged: {type: date}
  total: {type: money}
  level: {one_of: [low, high]}
  chain: {type: code, optional: yes}
  member: {type: code, optional: yes}
sequence: {by: person_id, order: [admitted, episode_id], reverses: reverses}
"""
CALLS = {
    "sum": "{w}.sum(pays)",
    "count": "{w}.count()",
    "first": "default({w}.first(total), -1 * ¥1)",
    "last": "default({w}.last(total), -1 * ¥1)",
    "max": "default({w}.max(total), -1 * ¥1)",
    "min": "default({w}.min(total), -1 * ¥1)",
    "levels": "{w}.count(distinct level)",
    "same": "{w}.count(where {w}.level = level)",
    "more": "{w}.sum({w}.total - {w}.pays where {w}.total > total)",
}


def rulebook(windows: list[Any]) -> str:
    """A rulebook with these windows, each read in every way; what is paid depends on the first one."""
    lines = [HEAD + "windows:", *(f"  {w.yaml()}" for w in windows), "steps:"]
    for w in windows:
        lines += [f"  {w.name}_{name}:\n    rule: {call.format(w=w.name)}" for name, call in CALLS.items()]
    rule = f'when total > ¥900 then reject because "too much"\n      otherwise min(total, max(0, ¥1000 - {windows[0].name}.sum(pays)))'
    lines += [f"  pays:\n    rule: |\n      {rule}", "  level_again:\n    rule: level"]
    names = [f"{w.name}_{name}" for w in windows for name in CALLS]
    lines += [
        "shares: {bill: {of: total, fund: pays, patient: rest}}",
        f"outputs: [pays, level_again, {', '.join(names)}]",
    ]
    return "\n".join(lines) + "\n"


def window(r: random.Random, name: str) -> Any:
    """A window of any kind."""
    same = tuple(r.sample(["chain", "member", "level"], r.choice([0, 0, 0, 1, 1, 2])))
    kind = r.choice(["calendar", "rolling", "units", "gap", "period", "gap", "period", "all"])
    date_ = r.choice(["admitted", "discharged"])
    length, unit = r.choice([(60, "days"), (1, "days"), (12, "months"), (1, "months"), (1, "years"), (90, "days")])
    if kind in ("calendar", "units"):
        unit = r.choice(["month", "quarter", "year"])
        length = r.choice([1, 2, 4, 12])
    starting = r.choice([(1, 1), (7, 1), (7, 1), (2, 28), (3, 31)]) if kind == "calendar" else (1, 1)
    return script.Window(name, kind, length, unit, date_, starting, same)


def history(r: random.Random, size: int) -> list[Any]:
    """Bills at days that lie close to the edges of windows, some refused, some reversed, some named wrongly."""
    bills: list[Any] = []
    on = r.choice([date(2023, 12, 31), date(2024, 2, 29), date(2024, 6, 30), date(2025, 1, 1)])
    jumps = [0, 0, 1, 2, 28, 29, 30, 31, 59, 60, 61, 89, 90, 91, 364, 365, 366]
    fault = r.choice([0, 0, 0.05, 0.2])
    for n in range(size):
        on += timedelta(days=r.choice(jumps))
        stay = r.choice([0, 0, 1, 5, 60]) if r.random() < 0.95 else -3
        name = f"E{r.randrange(10**4):04}x{n}"
        reverses = None
        if bills and r.random() < 0.15:
            reverses = r.choice(bills).id if r.random() < 0.95 else r.choice(["nobody", name])
        bills.append(
            script.Bill(
                name, on, on + timedelta(days=stay), Fraction(r.randrange(1, 8900 if r.random() < 0.95 else 120_000), 10),
                r.choice(["low", "high"]), r.choice([None, "C1", "C1", "C2"]), r.choice(["M1", "M1", "M2"]), reverses,
                bad=r.random() < fault, lost=r.random() < fault / 8,
            )
        )  # fmt: skip
    return bills


def before(r: random.Random, windows: list[Any], bills: list[Any]) -> Any:
    """Opening amounts, or none."""
    if r.random() < 0.6:
        return None
    values: dict[str, object] = {}
    marks: dict[str, date] = {}
    first = min(bills, key=lambda b: b.place)
    for w in windows:
        for call in ("sum(pays)", "count()", "first(total)", "last(total)", "max(total)", "count(distinct level)"):
            alone = call.startswith("count(d") or w.kind in ("rolling", "units")
            if r.random() < 0.3 and (not alone or len(bills) == 1):
                values[f"{w.name}.{call}"] = (
                    r.randrange(1, 9) if call.startswith("count") else Fraction(r.randrange(90_000), 100)
                )
        if w.kind in ("gap", "period") and r.random() < 0.4:
            marks[w.name] = script.plus(first.admitted, -w.length, w.unit) + timedelta(
                days=r.choice([-400, -1, 0, 1, 5])
            )
    return script.Before(values, marks)


def compiled(text: str, folder: Path) -> Plan:
    """The plan of a rulebook without a mistake."""
    path = folder / "rulebook.yaml"
    path.write_text(text, encoding="utf-8")
    sink = Sink()
    found = compile_file(path, path.name, sink)
    assert found is not None and not sink.has_errors, "\n".join(render(d, sink.files) for d in sink.sorted())
    return found.plan


def rows(bills: list[Any]) -> list[Row]:
    """The bills as the exact back end takes them."""
    found = []
    for at, b in enumerate(sorted(bills, key=lambda b: b.place)):
        values = {
            "episode_id": b.id, "reverses": b.reverses, "person_id": "P", "admitted": b.admitted, "discharged": b.discharged,
            "total": b.total, "level": b.level, "chain": b.chain, "member": b.member,
        }  # fmt: skip
        found.append(Row(at, b.id, values, refused=b.bad or b.lost, unplaced=b.lost))
    return found


def opening(told: Any, windows: list[Any], single: bool) -> Opening | None:
    """Opening amounts as the exact back end takes them."""
    if told is None:
        return None
    values = {call.replace(" ", ""): value for call, value in told.values.items()}
    for w in windows:
        if w.name in told.marks:
            values[f"{w.name}.{'last(discharged)' if w.kind == 'gap' else 'first(admitted)'}"] = told.marks[w.name]
    return Opening(values, single=single)


def differences(exact: Exact, windows: list[Any], bills: list[Any], told: Any, *, compute: bool) -> list[str]:
    """Where rxcalc and the script do not say the same of a bill."""
    expected = script.History(windows, bills, told, compute=compute).run()
    found = []
    ran = run_person(exact, rows(bills), compute=compute, opening=opening(told, windows, len(bills) == 1))
    for one in ran:
        want = expected[one.row.name]
        code = "bad" if one.outcome is None else one.outcome.problem.code if one.outcome.problem is not None else ""
        if code != want.code:
            found.append(f"{one.row.name}: refused {code or 'not'}, the script says {want.code or 'not'}")
        if not code and one.outcome is not None:
            got = {**one.outcome.steps, **one.outcome.shares}
            found += [
                f"{one.row.name}: {name} is {got[name]}, the script says {value}"
                for name, value in want.values.items()
                if got[name] != value
            ]
            if one.affected != want.affected:
                found.append(f"{one.row.name}: affects {one.affected}, the script says {want.affected}")
            if one.after != want.after:
                found.append(f"{one.row.name}: marked {one.after}, the script says {want.after}")
    return found


def compare(seeds: range, histories: int, folder: Path) -> dict[str, int]:
    """Random rulebooks, each with random histories; counts what was met."""
    met: dict[str, int] = {}
    for seed in seeds:
        r = random.Random(seed)
        windows = [window(r, name) for name in ("one", "two", "three")[: r.choice([1, 2, 3])]]
        exact = Exact(compiled(rulebook(windows), folder))
        for number in range(histories):
            bills = history(r, r.choice([1, 2, 5, 9, 14]))
            told = before(r, windows, bills)
            compute = r.random() < 0.4
            found = differences(exact, windows, bills, told, compute=compute)
            assert not found, (
                f"seed {seed}, history {number}, {windows}, {told}, compute {compute}, {bills}: {found[:6]}"
            )
            for result in script.History(windows, bills, told, compute=compute).run().values():
                met[result.code] = met.get(result.code, 0) + 1
                met["affected"] = met.get("affected", 0) + bool(result.affected)
                met["after"] = met.get("after", 0) + result.after
            met["opened"] = met.get("opened", 0) + (told is not None)
    return met


def test_random_histories_come_out_as_in_the_script(tmp_path: Path) -> None:
    """Amounts, refusals, marks and affected bills are the same; every situation is met."""
    met = compare(range(40), 25, tmp_path)
    for situation in ("", "bad", "RX721", "RX811", "RX813", "RX814", "RX815", "affected", "after", "opened"):
        assert met.get(situation), situation


@pytest.mark.long
def test_many_random_histories_come_out_as_in_the_script(tmp_path: Path) -> None:
    """The same for many more."""
    compare(range(1000, 1300), 40, tmp_path)
