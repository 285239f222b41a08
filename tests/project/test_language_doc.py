"""The examples of the language reference compile, and it names every function and every later part."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

import rxcalc
from rxcalc.backends.exact import Exact
from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.compile import compile_file
from rxcalc.driver.examples import run_examples
from rxcalc.driver.find import Found
from rxcalc.lang.builtins import AGGREGATES, FUNCTIONS, WINDOW_FUNCTIONS
from rxcalc.plan.nodes import Value

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "language.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml rulebook\n((?:(?!```).)*)```(?:(?!```).)*```yaml examples\n(.*?)```", TEXT, re.DOTALL)
BLOCKS = re.findall(r"```yaml rulebook\n(.*?)```", TEXT, re.DOTALL)
TABLES = re.findall(r"```csv (tables/\w+\.csv)\n(.*?)```", TEXT, re.DOTALL)
OVERLAYS = re.findall(r"```yaml overlay\n(.*?)```", TEXT, re.DOTALL)
BASES = re.findall(r"```yaml (\w+/rulebook\.yaml)\n(.*?)```", TEXT, re.DOTALL)
HEAD = {
    "rxcalc": "1",
    "rulebook": "example",
    "version": '"1"',
    "currency": "CNY",
    "rounding": "half-up",
    "effective": "{from: 2025-01-01, by: discharge_date}",
    "inputs": """
  episode_id: {type: code}
  person_id: {type: code}
  discharge_date: {type: date}
  total: {type: money}
  fee: {type: money, optional: yes}
  level: {one_of: [town, county, city], ordered: yes}
  referred: {type: flag}
  stay: {type: days}
  weight: {type: number}
  code: {type: code}""",
}


def _written(block: str, folder: Path) -> Path:
    """A rulebook of the reference as a file, with the usual head and all tables of the reference."""
    given = set(re.findall(r"^(\w+):", block, re.MULTILINE))
    head = "".join(f"{key}: {value}\n" for key, value in HEAD.items() if key not in given)
    path = folder / "rulebook.yaml"
    path.write_text(head + block, encoding="utf-8")
    (folder / "tables").mkdir()
    for name, rows in TABLES:
        (folder / name).write_text(rows, encoding="utf-8")
    return path


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_of_the_reference_compiles(number: int, tmp_path: Path) -> None:
    """With the usual head each example checks without error; steps nobody reads are allowed in it."""
    path = _written(BLOCKS[number], tmp_path)
    sink = Sink()
    compile_file(path, "rulebook.yaml", sink)
    assert [d.code for d in sink if d.code != "RX311"] == [], "\n".join(render(d, sink.files) for d in sink.sorted())


@pytest.mark.parametrize("number", range(len(OVERLAYS)))
def test_an_overlay_of_the_reference_compiles(number: int, tmp_path: Path) -> None:
    """The overlays stand on the rulebooks that the reference names, and check without error or warning."""
    for name, text in BASES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = tmp_path / "rulebook.yaml"
    path.write_text(OVERLAYS[number], encoding="utf-8")
    sink = Sink()
    assert compile_file(path, "rulebook.yaml", sink) is not None, "\n".join(
        render(d, sink.files) for d in sink.sorted()
    )
    assert not list(sink)


def test_the_overlay_of_the_reference_gives_what_it_says(tmp_path: Path) -> None:
    """The worked example: what `base` is, what comes out of it, and what a listed person loses."""
    test_an_overlay_of_the_reference_compiles(0, tmp_path)
    rulebook = rxcalc.load(tmp_path / "rulebook.yaml")
    bill = {"episode_id": "E1", "discharge_date": "2025-07-01", "total": "10500", "blacklisted": False}
    assert rulebook.evaluate(bill).steps["fund"] == 7500
    assert rulebook.evaluate({**bill, "total": "1200"}).steps["fund"] == 175
    listed = rulebook.evaluate({**bill, "blacklisted": True}).steps
    assert (listed["fund"], listed["lost"]) == (0, 10500)


def test_the_spells_of_the_reference_are_as_it_says(tmp_path: Path) -> None:
    """The worked example of the windows: the deductible of a spell, 59 and 60 days after the last discharge."""
    block = next(block for block in BLOCKS if "spell_deductible" in block)
    given = set(re.findall(r"^(\w+):", block, re.MULTILINE))
    head = "".join(f"{key}: {value}\n" for key, value in HEAD.items() if key not in given)
    (tmp_path / "rulebook.yaml").write_text(head + block, encoding="utf-8")
    rulebook = rxcalc.load(tmp_path / "rulebook.yaml")
    days = (
        ("2025-01-01", "2025-01-10", "300"),
        ("2025-03-10", "2025-03-12", "900"),
        ("2025-05-11", "2025-05-12", "900"),
    )
    stays = [
        {"episode_id": f"E{at}", "family_id": "F", "person_id": "P", "admission_date": start, "discharge_date": end,
         "total": total, "level": "town"}
        for at, (start, end, total) in enumerate(days)
    ]  # fmt: skip
    found = [rulebook.explain(stay, earlier=stays[:at]) for at, stay in enumerate(stays)]
    assert [next(s.value for s in x.steps if s.name == "deductible_due") for x in found] == [
        "300.00",
        "200.00",
        "500.00",
    ]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_after_a_rulebook_of_the_reference_come_out(number: int, tmp_path: Path) -> None:
    """The figures of a worked example are those that `rxcalc test` finds."""
    block, examples = EXAMPLES[number]
    path = _written(block, tmp_path)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "reference.yaml").write_text(examples, encoding="utf-8")
    sink = Sink()
    report = run_examples(Found(path, "rulebook.yaml"), sink)
    assert not list(sink), "\n".join(render(d, sink.files) for d in sink.sorted())
    assert report.results
    assert all(result.by for result in report.results)
    assert [(r.name, d) for r in report.results for d in r.differences] == []


def test_the_checks_of_the_reference_find_what_it_says(tmp_path: Path) -> None:
    """The worked example of the checks: two findings, and none where the table has no row."""
    block = next(block for block in BLOCKS if "listed[code].price" in block)
    compiled = compile_file(_written(block, tmp_path), "rulebook.yaml", Sink())
    assert compiled is not None
    lines = [(1, "A01", 2, 25), (2, "C03", 1, 5), (3, "B02", 1, 7)]
    bill: dict[str, Value] = {
        "episode_id": "E1",
        "discharge_date": date(2025, 6, 30),
        "total": Fraction(30),
        "lines": tuple({"line_no": n, "code": c, "quantity": q, "amount": Fraction(a)} for n, c, q, a in lines),
    }
    found = Exact(compiled.plan).run(bill).findings
    assert [(f.index, f.at, f.amount) for f in found] == [(0, (1,), 1), (1, (), -7)]


def test_the_reference_names_every_function() -> None:
    """A function of the language that a reader cannot look up does not exist for them."""
    for name in FUNCTIONS:
        assert f"`{name}" in TEXT, name
    for name in WINDOW_FUNCTIONS:
        assert f"`w.{name}(" in TEXT, name
    for name in AGGREGATES:
        assert f"`{name}(lines" in TEXT or f"`{name}(distinct lines" in TEXT, name
