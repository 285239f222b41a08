"""The examples of the language reference compile, and it names every function and every later part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver.compile import compile_file
from rxcalc.lang.builtins import FUNCTIONS, WINDOW_FUNCTIONS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "language.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml rulebook\n(.*?)```", TEXT, re.DOTALL)
TABLES = re.findall(r"```csv (tables/\w+\.csv)\n(.*?)```", TEXT, re.DOTALL)
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


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_of_the_reference_compiles(number: int, tmp_path: Path) -> None:
    """With the usual head each example checks without error; steps nobody reads are allowed in it."""
    block = BLOCKS[number]
    given = set(re.findall(r"^(\w+):", block, re.MULTILINE))
    head = "".join(f"{key}: {value}\n" for key, value in HEAD.items() if key not in given)
    path = tmp_path / "rulebook.yaml"
    path.write_text(head + block, encoding="utf-8")
    (tmp_path / "tables").mkdir()
    for name, rows in TABLES:
        (tmp_path / name).write_text(rows, encoding="utf-8")
    sink = Sink()
    compile_file(path, "rulebook.yaml", sink)
    assert [d.code for d in sink if d.code != "RX311"] == [], "\n".join(render(d, sink.files) for d in sink.sorted())


def test_the_reference_names_every_function() -> None:
    """A function of the language that a reader cannot look up does not exist for them."""
    for name in FUNCTIONS:
        assert f"`{name}" in TEXT, name
    for name in WINDOW_FUNCTIONS:
        assert f"`w.{name}(" in TEXT, name
