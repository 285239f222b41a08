"""Overlays of generated rulebooks: both back ends agree on what `base` is, when it is evaluated and when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from random import Random

import generate
import pytest
import yaml
from compare import Run, pair

from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.driver.compile import compile_file
from rxcalc.plan.nodes import Plan

QUICK = range(8_000, 8_025)
FULL = range(8_100, 8_220)
EPISODES = 40

OVERLAY = """\
rxcalc: 1
rulebook: {name}
extends: ../{below}
version: "1"
effective: {effective}
changes:
  steps:
"""
OTHER = {"money": "total", "count": "stay", "percent": "part", "number": "quantity", "flag": "referred", "date": "day"}
ANY = (
    "base",
    "when urgent then base\notherwise base",
    "when urgent then {other}\notherwise base",
    "when referred then base\notherwise {other}",
    "if urgent then base else {other}",
    "when stay > 3 then {other}\nwhen urgent then base\notherwise {other}",
)
ORDERED = (
    "min(base, {other})",
    "when base > {other} then {other}\notherwise base",
    "when urgent and base <= {other} then base\notherwise {other}",
    "when urgent or base <= {other} then {other}\notherwise base",
)
FLAGS = ("not base", "urgent and base", "urgent or base", "referred and (urgent or base)")


def changed(kind: str, r: Random) -> str:
    """A rule that may use `base`, for a step of a type."""
    rules = ANY + (FLAGS if kind == "flag" else ORDERED if kind in OTHER else ())
    if kind == "money":
        rules += ("if urgent then base * 50% else base / 3", "base + base - {other}")
    other = OTHER.get(kind, "base")
    return r.choice(rules).format(other=other)


def overlay(base: str, name: str, below: str, r: Random) -> str:
    """An overlay that changes about half of the steps of a rulebook."""
    head = re.search(r"(?m)^effective: (.*)$", base)
    assert head is not None
    text = OVERLAY.format(name=name, below=below, effective=head[1])
    steps = yaml.load(base, Loader=yaml.BaseLoader)["steps"]
    for step, of in steps.items():
        if r.random() < 0.5 and step not in ("pays", "topped"):
            text += f"    {step}:\n"
            keys = {k: of[k] for k in ("type", "one_of", "ordered", "optional", "round") if k in of}
            text += "".join(
                f"      {k}: {yaml.safe_dump(v, default_flow_style=True).split(chr(10))[0]}\n" for k, v in keys.items()
            )
            rule = "".join(f"        {line}\n" for line in changed(str(of.get("type", "")), r).split("\n"))
            text += f"      rule: |\n{rule}"
    return text


def plan_of(seed: int, folder: Path) -> Plan | None:
    """A generated rulebook with one overlay or two; None where what comes out has errors."""
    r = Random(seed)
    made = generate.rulebook(seed)
    base = re.sub(r"\bbase\b", "basis", made.text)
    names = ["ground", "first", "second"][: 2 + (r.random() < 0.4)]
    for name, below in zip(names, ["", *names], strict=False):
        (folder / name).mkdir()
        text = base if name == "ground" else overlay(base, name, below, r)
        (folder / name / "rulebook.yaml").write_text(text, encoding="utf-8")
    for file, rows in made.tables.items():
        (folder / "ground" / file).write_text(rows, encoding="utf-8")
    sink = Sink()
    found = compile_file(folder / names[-1] / "rulebook.yaml", "rulebook.yaml", sink)
    errors = [d for d in sink if d.severity is Severity.ERROR]
    assert (found is None) == bool(errors)
    allowed = ("RX156", "RX603", "RX408", "RX310", "RX402", "RX403")
    assert all(d.code in allowed for d in errors), [d.message for d in errors]
    return found.plan if found else None


def compared(seeds: Iterable[int], folder: Path) -> tuple[Run, int]:
    """Every pair of back ends on every overlay; and how many steps read `base`."""
    run, lazy = Run(), 0
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        plan = plan_of(seed, place)
        if plan is not None:
            lazy += sum(step.lazy for step in plan.steps)
            pair(generate.rulebook(seed), plan, EPISODES, run)
    return run, lazy


def test_back_ends_agree_on_overlays(tmp_path: Path) -> None:
    """Some overlays of generated rulebooks give the same results and refusals on both back ends."""
    run, lazy = compared(QUICK, tmp_path)
    assert not run.differences, "\n".join(run.differences[:10])
    assert lazy > 50
    assert run.reached["refused rows"] > 20
    assert run.reached["computed rows"] > 200


@pytest.mark.long
def test_back_ends_agree_on_many_overlays(tmp_path: Path) -> None:
    """Many overlays of generated rulebooks give the same results and refusals on both back ends."""
    run, lazy = compared(FULL, tmp_path)
    assert not run.differences, "\n".join(run.differences[:10])
    assert lazy > 150
