"""Episode and example files with lists and groups: what is read, and where what is wrong stands."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rxcalc.bill.subject import cell_diagnostic
from rxcalc.diagnostics.model import Sink
from rxcalc.inputs.episodes import EpisodeEntry, read_entry
from rxcalc.inputs.groups import GivenGroups, read_groups
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.rulebook.load import load_yaml_text

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_levels", Path(__file__).parents[1] / "batch" / "levels.py")
assert _SPEC is not None
assert _SPEC.loader is not None
levels: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(levels)

PLAN = levels.plan_of(needs_budget=True)
EPISODE = "episode: {episode_id: E1, person_id: P, day: 2025-03-01, region: north}\n"


def entry_of(text: str, sink: Sink) -> EpisodeEntry | None:
    """The entry of a file's text."""
    node = load_yaml_text("bill.yaml", text, sink)
    return read_entry(node, sink) if node is not None else None


def record_of(text: str) -> Record:
    """The record of a file that is fine."""
    sink = Sink()
    entry = entry_of(text, sink)
    assert entry is not None, [d.message for d in sink.sorted()]
    read = RecordReader(PLAN).read(entry.episodes[-1][0].given())
    assert isinstance(read, Record), read
    return read


def told(text: str) -> list[tuple[str, int, str]]:
    """Code, line and message of everything that is wrong with a file's shape or cells."""
    sink = Sink()
    entry = entry_of(text, sink)
    if entry is not None:
        for fields in (*entry.earlier, *(f for f, _ in entry.episodes)):
            read = RecordReader(PLAN).read(fields.given())
            for problem in () if isinstance(read, Record) else read:
                sink.add(cell_diagnostic(problem, fields))
        read_groups(entry, PLAN, sink)
    return [
        (d.code, sink.files[d.primary.span.file].position(d.primary.span.start)[0], f"{d.message}; {'; '.join(d.help)}")
        for d in sink.sorted()
    ]


def test_lines_become_rows_of_typed_values() -> None:
    """Rows are read as episode fields are: types, aliases, defaults, missing values."""
    record = record_of(
        EPISODE + "lines:\n"
        "  - {line_no: 2, code: X9, class: B, quantity: 1.5, 金额: '1,000.00', marks: [a, b]}\n"
        "  - {line_no: 1, code: Y1, class: A, amount: 5}\n"
        "premiums: [{month: 2025-01-01, paid: 12.50}]\n"
    )
    assert record.values["lines"] == (
        {
            "line_no": 2,
            "code": "X9",
            "class": "B",
            "quantity": Fraction(3, 2),
            "amount": 1000,
            "marks": frozenset("ab"),
        },
        {"line_no": 1, "code": "Y1", "class": "A", "quantity": 1, "amount": 5, "marks": None},
    )
    assert record.values["premiums"] == ({"month": date(2025, 1, 1), "paid": Fraction(25, 2)},)
    assert record.defaulted == ("lines.quantity",)


def test_an_absent_list_has_no_rows() -> None:
    """A bill without `lines:` has none, and so has one that says `[]`."""
    assert record_of(EPISODE).values["lines"] == ()
    assert record_of(EPISODE + "lines: []\n").values["lines"] == ()


def test_every_wrong_cell_of_a_line_is_shown_at_its_place() -> None:
    """The diagnostic stands at the cell, and names the line by its order field."""
    found = told(
        EPISODE + "lines:\n"
        "  - {line_no: 1, code: X9, class: D, amount: 12.345}\n"
        "  - {line_no: 7, code: X9, class: A, amuont: 5}\n"
        "  - {code: X9, class: A, amount: -5}\n"
    )
    assert {(code, line) for code, line, _ in found} == {
        ("RX702", 3), ("RX705", 3), ("RX704", 4), ("RX745", 4), ("RX703", 5), ("RX704", 5),
    }  # fmt: skip
    by_place = {(code, line): message for code, line, message in found}
    assert by_place["RX702", 3].startswith("lines 1: amount: ")
    assert "did you mean amount?" in by_place["RX745", 4]
    assert by_place["RX745", 4].startswith("lines 7: ")
    assert by_place["RX704", 5].startswith("row 3 of lines: line_no is required")


def test_a_list_that_the_rulebook_lacks_is_named_with_the_nearest() -> None:
    """`line:` is no list; `lines` is meant."""
    assert [(c, n) for c, n, _ in told(EPISODE + "line:\n  - {line_no: 1}\n")] == [("RX745", 2)]
    assert "did you mean lines?" in told(EPISODE + "line:\n  - {line_no: 1}\n")[0][2]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (EPISODE + "lines: {line_no: 1}\n", 2, "`lines` is a list of rows"),
        (EPISODE + "lines:\n", 2, "`lines` names no rows"),
        (EPISODE + "lines: [1]\n", 2, "a row of `lines` are a map"),
        (EPISODE + "earlyer:\n  - episode: {episode_id: E0}\n", 2, "`earlyer` is no key"),
        ("episode: {episode_id: E1, lines: [{line_no: 1}]}\n", 1, "stand beside `episode:`"),
        ("lines: [{line_no: 1}]\nepisodes:\n  - " + EPISODE, 1, "does not say which episode"),
        ("expect: {due: 1}\nepisodes:\n  - " + EPISODE, 1, "which episode it is expected of"),
    ],
)
def test_lists_in_the_wrong_place_or_shape(text: str, line: int, part: str) -> None:
    """Each slip is told at its place."""
    found = told(text)
    assert [(code, at) for code, at, _ in found] == [("RX751", line)], found
    assert part in found[0][2]


def test_earlier_and_listed_episodes_have_their_own_lines() -> None:
    """Lists stand beside each `episode:`."""
    sink = Sink()
    entry = entry_of(
        "episodes:\n"
        "  - episode: {episode_id: E1, person_id: P, day: 2025-03-01, region: north}\n"
        "    lines: [{line_no: 1, code: X, class: A, amount: 1}]\n"
        "  - episode: {episode_id: E2, person_id: P, day: 2025-03-02, region: north}\n"
        "    rejects: RX805\n"
        "earlier:\n"
        "  - episode: {episode_id: E0, person_id: P, day: 2025-02-01, region: north}\n"
        "    lines: [{line_no: 1, code: X, class: A, amount: 3}, {line_no: 2, code: X, class: A, amount: 4}]\n",
        sink,
    )
    assert entry is not None
    assert [len(f.rows.get("lines", ())) for f, _ in entry.episodes] == [1, 0]
    assert [e.rejects.text for _, e in entry.episodes if e is not None and e.rejects is not None] == ["RX805"]
    assert len(entry.earlier[0].rows["lines"]) == 2
    assert entry.closed


def test_expectations_of_lines_and_groups_are_read() -> None:
    """Lines by their order value, groups as a map or as rows with keys."""
    sink = Sink()
    entry = entry_of(
        "example: one\n" + EPISODE + "expect:\n"
        "  due: 1.00\n"
        "  lines: {1: {twice: 2.00}, 1/2: {twice: 3.00, amount: 1}}\n"
        "  premiums: {2025-01-01: {paid: 5}}\n"
        "  groups: {region_year: [{region: north, year: 2025, spent: 5}]}\n",
        sink,
    )
    assert entry is not None
    expect = entry.episodes[0][1]
    assert expect is not None
    assert [name for name, _ in expect.amounts] == ["due"]
    assert [(key.text, [row.key.text for row in rows if row.key]) for key, rows in expect.rows] == [
        ("lines", ["1", "1/2"]),
        ("premiums", ["2025-01-01"]),
    ]
    assert [(key.text, [[n.text for n, _ in row.fields] for row in rows]) for key, rows in expect.groups] == [
        ("region_year", [["region", "year", "spent"]])
    ]


def groups_of(text: str) -> tuple[GivenGroups, list[str]]:
    """What a file gives of groups, and what is wrong with it."""
    sink = Sink()
    entry = entry_of(text, sink)
    assert entry is not None, [d.message for d in sink.sorted()]
    found = read_groups(entry, PLAN, sink)
    return found, [f"{d.code} {d.message}; {'; '.join(d.help)}" for d in sink.sorted()]


def test_given_results_of_groups() -> None:
    """One map needs no keys; several rows name theirs."""
    one, wrong = groups_of(EPISODE + "groups: {region_year: {point_value: 8.1234}}\n")
    assert not wrong
    assert one.results == {"region_year": ({"point_value": Fraction(81234, 10000)},)}
    several, wrong = groups_of(
        EPISODE + "groups:\n  region_year:\n"
        "    - {region: north, year: 2025, point_value: 8.1234, budget: 5}\n"
        "    - {region: south, year: 2025, spent: 7.50, point_value: 1}\n"
    )
    assert not wrong
    assert several.results["region_year"][0] == {
        "region": "north", "year": 2025, "point_value": Fraction(81234, 10000), "budget": 5,
    }  # fmt: skip
    assert not several.inputs


def test_inputs_of_groups_stand_in_examples() -> None:
    """Where all episodes are listed, rows of keys and inputs are inputs."""
    text = "episodes:\n  - " + EPISODE + "groups: {region_year: [{region: north, year: 2025, budget: 500}]}\n"
    found, wrong = groups_of(text)
    assert not wrong
    assert found.inputs == {"region_year": ({"region": "north", "year": 2025, "budget": 500},)}
    assert not found.results


@pytest.mark.parametrize(
    ("groups", "part"),
    [
        ("{region_yaer: {spent: 1}}", "did you mean `region_year`?"),
        ("{region_year: {spend: 1}}", "did you mean `spent`?"),
        ("{region_year: {region: north, spent: 1}}", "does not say its year"),
        ("{region_year: [{spent: 1}, {spent: 2}]}", "does not say its region, year"),
        ("{region_year: {spent: x}}", "is not a number"),
        ("{region_year: [{region: n, year: 1, spent: 1}, {region: n, year: 1, spent: 2}]}", "two rows for region n, year 1"),
        ("{region_year: [{region: n, year: 1, spent: 1}, {region: m, year: 1, budget: 2}]}", "some rows of `region_year` give results"),
        ("{region_year: [{region: n, year: 1}]}", "does not give its budget"),
    ],
)  # fmt: skip
def test_groups_that_do_not_fit_are_refused(groups: str, part: str) -> None:
    """Each with what is wrong and the nearest name."""
    _, wrong = groups_of(f"example: one\n{EPISODE}groups: {groups}\n")
    assert wrong, groups
    assert all(text.startswith("RX757") for text in wrong)
    assert part in wrong[0]
