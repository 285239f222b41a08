"""What the pages of a small rulebook hold, worked out by hand from its file."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.doc import folders, given
from rxcalc.driver.find import Found
from rxcalc.prose.model import Sentence, plain
from rxcalc.site.book import Book, Given
from rxcalc.site.cases import cases
from rxcalc.site.cover import MOST, covered
from rxcalc.site.excerpt import excerpt
from rxcalc.site.fields import inputs
from rxcalc.site.graphs import graphs
from rxcalc.site.overview import overview
from rxcalc.site.pages import site
from rxcalc.site.refs import anchor
from rxcalc.site.rules import rules
from rxcalc.site.sources import sources, uncited
from rxcalc.site.values import MOST_ROWS, changes, parameters, tables


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rxcalc_site_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL = _load("small")


def read(folder: Path, **texts: str) -> Given:
    sink = Sink()
    made = SMALL.make(folder / "small", **texts)
    found = given(Found(made, str(made)), sink)
    assert found is not None, [d.message for d in sink.sorted()]
    return found


@cache
def small() -> Given:
    with TemporaryDirectory() as folder:
        return read(Path(folder))


@cache
def book(language: str = "en") -> Book:
    return Book(small(), language)


def refs(sentence: Sentence) -> list[str]:
    return [run.ref for run in sentence]


def rule_of(name: str, language: str = "en"):  # type: ignore[no-untyped-def]
    found = [r for level in rules(book(language)) for chapter in level.chapters for r in chapter.rules]
    return next(r for r in found if r.ref == name)


def test_what_a_rule_reads_and_what_reads_it() -> None:
    due = rule_of("step-base_due")
    assert refs(due.reads) == ["step-first_time", "input-total", "parameter-deductible", "input-level"]
    assert refs(due.read_by) == ["step-pays", "share-patient.base", "share-patient_pays"]
    assert (due.result, rule_of("step-lost").result) == (True, False)
    assert refs(rule_of("step-lost").reads) == ["list-lines", "step-lines.excess"]
    assert refs(rule_of("step-lines.excess").reads) == ["table-prices", "input-lines.code", "input-lines.amount"]
    used = rule_of("step-used")
    assert (refs(used.reads), refs(used.before)) == (["window-before"], ["step-pays"])
    assert refs(rule_of("step-year.paid").reads) == ["step-pays"]
    assert refs(rule_of("input-year.in_year").reads) == ["input-day"]


def test_a_rule_with_its_source_place_file_and_examples() -> None:
    due = rule_of("step-base_due")
    assert [(c.text, c.href) for c in due.cites] == [
        ("The law, article 2", "sources.html#source-law-2"),
        ("The law, article 10", "sources.html#source-law-5"),
    ]
    line = SMALL.RULEBOOK.splitlines().index("  base_due:") + 1
    assert (due.where.file, due.where.line, due.where.of) == ("small/rulebook.yaml", line, "")
    assert due.source.splitlines()[0] == "base_due:"
    assert due.source.splitlines()[-1] == "    otherwise min(total, deductible[level])"
    assert due.used is not None
    assert (due.used.count, due.used.of, due.used.first) == (1, 2, (("first", "examples.html#example-1"),))
    assert [c.used for c in due.clauses] == [0, 1]
    assert [c.because for c in due.clauses] == ["not the first time", ""]
    assert rule_of("requires-1").used.first == (("below zero", "examples.html#example-2"),)
    assert rule_of("guarantee-1").used is None
    assert rule_of("step-pays").uncited
    assert not due.uncited


def test_rules_are_sentences_and_lists_of_cases() -> None:
    assert (
        plain(rule_of("step-base_due").said[0].sentence)
        == "The deductible due is decided by the first of these cases that applies:"
    )
    assert plain(rule_of("step-base_due", "zh").said[0].sentence).startswith("起付额")
    assert rule_of("step-base_due").said[0].sentence[1].ref == ""  # it does not lead to itself


def test_the_order_is_that_of_an_explanation() -> None:
    first = rules(book())[0]
    assert [c.id for c in first.chapters] == [
        f"episode-{x}" for x in ("requires", "windows", "steps", "partitions", "guarantees", "checks")
    ]
    steps = [r.name for c in first.chapters if c.id == "episode-steps" for r in c.rules]
    assert steps.index("first_time") < steps.index("base_due") < steps.index("pays")
    assert [level.id for level in rules(book())] == ["episode", "list-lines", "group-year"]


def test_sources_with_the_rules_that_cite_each_place() -> None:
    law, idle = sources(book())
    assert (law.title, law.date, law.url, law.linked, law.status) == (
        "The law", "2023-12-01", "https://example.org/law", True, "sourced",
    )  # fmt: skip
    assert [(i.place, refs(i.by)) for i in law.items] == [
        ("the whole", ["table-prices"]),
        ("article 2", ["step-base_due", "parameter-deductible"]),
        ("article 3", ["share-fund", "step-year.paid"]),
        ("article 9", ["input-total"]),
        ("article 10", ["requires-1", "step-base_due"]),
    ]
    assert (idle.items, idle.linked) == ((), False)
    assert refs(uncited(book())) == [
        "step-first_time", "step-used", "step-kind", "step-pays", "step-lost", "share-patient.base", "step-lines.excess",
        "check-1", "parameter-rate",
    ]  # fmt: skip
    assert rule_of("check-1").uncited
    assert not rule_of("requires-1").uncited


def test_values_by_date_and_key_with_what_no_example_reads() -> None:
    deductible, rate = parameters(book())
    assert deductible.columns == ("Township", "city")
    assert [(r.heads, [(v.lines, v.used) for v in r.values]) for r in deductible.rows] == [
        (("2024-01-01",), [(("10.00",), True), (("50.00",), False)]),
        (("2025-01-01",), [(("10.00",), False), (("60.00",), False)]),
    ]
    assert rate.rows[0].values[0].lines == ("up to 100.00: 50%", "above 100.00: 20%")
    assert (deductible.rule.status, rate.rule.status) == ("sourced", "illustrative")
    assert [(day, refs(of)) for day, of in changes(book())] == [
        ("2024-01-01", ["parameter-deductible", "parameter-rate"]),
        ("2025-01-01", ["parameter-deductible"]),
    ]


def test_the_dates_of_tables_and_of_ends_are_among_what_changes() -> None:
    plan = small().plan
    table = plan.tables[0]
    dated = replace(table.rows[0], start=date(2024, 3, 1), end=date(2024, 6, 30))
    ended = replace(plan.parameters[1], end=date(2024, 12, 31))
    changed = replace(
        plan, tables=(replace(table, rows=(dated, *table.rows[1:])),), parameters=(plan.parameters[0], ended)
    )
    assert [(day, refs(of)) for day, of in changes(Book(replace(small(), plan=changed), "en"))] == [
        ("2024-01-01", ["parameter-deductible", "parameter-rate"]),
        ("2024-03-01", ["table-prices"]),
        ("2024-07-01", ["table-prices"]),
        ("2025-01-01", ["parameter-deductible", "parameter-rate"]),
    ]


def test_bands_that_no_example_reaches_are_marked(tmp_path: Path) -> None:
    """A bill of 60, of which 10 are the deductible, ends below 100."""
    rate = parameters(book())[1].rows[0].values[0]
    assert (rate.used, rate.unused) == (True, frozenset())
    short = "- example: short\n  by: hand\n  episode: {episode_id: E1, person_id: P, day: 2024-05-01, total: 60, level: town}\n"
    cheap = Book(read(tmp_path, examples=short + "  expect: {pays: 25.00}\n"), "en")
    value = parameters(cheap)[1].rows[0].values[0]
    assert (value.used, value.unused) == (True, frozenset({1}))
    page = site({"small": cheap.given}, ("en",), "1")["values.html"]
    assert 'above 100.00: 20% <span class="below never">no example</span>' in page
    assert "up to 100.00: 50% <span" not in page


def test_the_timeline_has_a_bar_for_as_long_as_a_value_holds() -> None:
    line = parameters(book())[0].timeline
    assert line is not None
    assert [day for _, day in line.marks] == ["2024-01-01", "2025-01-01"]
    assert [(lane.label, [b.whole for b in lane.bars]) for lane in line.lanes] == [
        ("Township", ["10.00"]),
        ("city", ["50.00", "60.00"]),
    ]
    first, second = line.lanes[1].bars
    assert (first.x, first.x + first.width, second.x + second.width) == (0.0, line.marks[1][0], line.width)
    assert second.x == line.marks[1][0]
    assert parameters(book())[1].timeline is None


def test_a_table_says_which_rows_no_example_finds() -> None:
    (prices,) = tables(book())
    assert (prices.heads, prices.columns) == (("code",), ("price",))
    assert [(r.heads[0], r.values[0].lines[0], r.values[-1].used) for r in prices.rows] == [
        ("A", "30.00", True),
        ("B", "40.00", False),
    ]


def test_a_long_table_is_cut_and_says_so(tmp_path: Path) -> None:
    made = SMALL.make(tmp_path)
    rows = "".join(f"X{n},1\n" for n in range(MOST_ROWS))
    (tmp_path / "prices.csv").write_text(SMALL.PRICES + rows, encoding="utf-8")
    found = given(Found(made, "rulebook.yaml"), Sink())
    assert found is not None
    (prices,) = tables(Book(found, "en"))
    assert (len(prices.rows), prices.all) == (MOST_ROWS, MOST_ROWS + 2)
    gaps = covered(Book(found, "en"))
    assert sum(g.kind == "table rows" for g in gaps.gaps) == MOST
    assert gaps.more == (f"and {MOST_ROWS + 1 - MOST} more: table rows, prices",)
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 2} rows" in site({"x": found}, ["en"], "1")["values.html"]


def test_inputs_with_spellings_labels_and_notes() -> None:
    bill, lines = inputs(book())
    by_name = {i.name: i for i in bill.inputs}
    assert by_name["level"].values == (("town", "Township", "乡"), ("city", "", ""))
    assert by_name["total"].note == ("Of the bill.",)
    assert by_name["total"].cites[0].href == "sources.html#source-law-4"
    assert by_name["spare"].read_by == ()
    assert (
        dict(by_name["day"].facts)["What it is for"]
        == "its date decides which values hold; it decides which bill comes first"
    )
    assert dict(by_name["person_id"].facts)["What it is for"] == "bills with the same one follow each other"
    assert dict(lines.inputs[0].facts)["What it is for"] == "it decides which row comes first"
    assert [i.name for i in lines.inputs] == ["lines.line_no", "lines.code", "lines.amount"]


def test_the_graph_of_each_level() -> None:
    bill, lines, year = graphs(book())
    boxes = {b.ref: b for b in bill.boxes}
    assert boxes["input-total"].href == "inputs.html#input-total"
    assert boxes["step-pays"].href == "rules.html#step-pays"
    assert boxes["from:lines"].href == "#graph-lines"
    assert boxes["step-first_time"].x < boxes["step-base_due"].x < boxes["step-pays"].x < boxes["share-fund"].x
    assert refs(bill.unread) == ["input-episode_id", "input-person_id", "input-spare"]
    assert sum(e.before for e in bill.edges) == 1  # `used` adds up what earlier bills paid
    assert {b.ref for b in lines.boxes} == {"input-lines.code", "input-lines.amount", "step-lines.excess", "to:"}
    assert {b.ref for b in year.boxes} == {"from:", "input-year.in_year", "step-year.paid"}
    told = {refs(thing)[0]: (refs(reads), refs(by)) for thing, reads, by in bill.rows}
    assert told["step-first_time"] == (["window-before"], ["step-base_due", "step-kind"])


GROUPS = """\
rxcalc: 1
rulebook: groups
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: day}
inputs: {episode_id: {type: code}, day: {type: date}, total: {type: money}}
lines:
  inputs: {line_no: {type: count}, amount: {type: money}}
  order: [line_no]
steps: {listed: {rule: sum(lines.amount)}}
groups:
  by_year:
    of: episodes
    by: {in_year: year(day)}
    steps: {spent: {rule: sum(episodes.total)}}
    shares: {settled: {of: spent, fund: {most: spent * 80%}, patient: rest}}
  whole:
    of: by_year
    by: {century: in_year}
    steps: {paid: {rule: sum(by_year.fund.most)}}
outputs: [listed]
"""


def test_graphs_of_groups_with_shares_and_of_a_list_without_steps(tmp_path: Path) -> None:
    """A share of a group is read by another kind of groups; a list that computes nothing has no graph to lead to."""
    found = read(tmp_path, rulebook=GROUPS, examples="[]\n")
    bill, year, whole = graphs(Book(found, "en"))
    assert {b.ref: b.href for b in bill.boxes}["from:lines"] == "rules.html#list-lines"
    assert {b.ref: b.href for b in year.boxes}["to:whole"] == "#graph-whole"
    assert {b.ref for b in year.boxes} == {
        "from:",
        "input-by_year.in_year",
        "step-by_year.spent",
        "share-by_year.fund.most",
        "to:whole",
    }
    assert {b.ref for b in whole.boxes} == {"from:by_year", "input-whole.century", "step-whole.paid"}


def test_examples_with_what_is_given_expected_and_used() -> None:
    (file,) = cases(book())
    first, second = file.cases
    assert (first.name, first.passed, first.by) == ("first", True, "hand: 90 x 50% + 50 x 20% = 55")
    assert ("Total (total)", "150") in first.given[0].rows
    assert first.given[1].rows == (("1", "A", "50"),)
    assert dict(first.expected[0].rows)["pays"] == "55.00"
    assert dict(first.expected[0].rows)["Patient: own (patient.own)"] == "85.00"
    assert "The bill is refused with RX722." in second.expected[0]
    assert refs(second.uses) == ["requires-1"]
    assert first.command == "rxcalc explain small/examples/all.yaml --example 'first' -r small/rulebook.yaml"


def test_a_failing_example_says_what_differs(tmp_path: Path) -> None:
    found = read(tmp_path, examples=SMALL.EXAMPLES.replace("pays: 55.00", "pays: 55.01"))
    assert found.failed == 1
    failing = cases(Book(found, "en"))[0].cases[0]
    assert (failing.passed, failing.differs) == (False, (("pays", "55.01", "55.00"),))
    page = site({"x": found}, ["en"], "1")
    assert "FAIL today" in page["index.html"]
    assert "FAILS" in page["examples.html"]


def test_coverage_names_what_no_example_uses() -> None:
    found = covered(book())
    assert len(found.gaps) == found.total[1] - found.total[0] == sum(of - n for _, n, of, _ in found.kinds)
    gaps = [(g.kind, refs(g.thing)[0]) for g in found.gaps]
    assert ("clauses", "step-base_due") in gaps
    assert ("parameter keys", "parameter-deductible") in gaps
    assert ("table rows", "table-prices") in gaps
    assert ("checks", "check-1") in gaps


def test_the_first_page() -> None:
    found = overview(book())
    facts = dict(found.facts)
    assert facts["In force"] == "from 2024-01-01 on, by day"
    assert facts["Figures"] == "6 sourced, 2 illustrative"
    assert facts["Examples"] == "2 of 2 pass"
    assert found.note == ("First paragraph goes on.", "Second one.")
    assert [refs(s)[0] for s, _ in found.results] == ["step-base_due", "step-pays", "share-patient_pays"]
    assert [(p.bearer, p.label, p.rest) for p in found.partitions[0].parts] == [
        ("fund", "", False),
        ("patient", "base", False),
        ("patient", "own", True),
    ]


def test_every_thing_has_a_place_on_its_page() -> None:
    """All that anything may lead to: each id stands on the page that its name is said to be on."""
    pages = site({"small": small()}, ["en", "zh"], "1")
    for of, page in book().names.page.items():
        for folder in ("", "zh/"):
            assert f'id="{anchor(of)}"' in pages[f"{folder}{page}.html"], of


def test_both_languages_have_the_same_anchors() -> None:
    pages = site({"small": small()}, ["en", "zh"], "1")
    for name in [n for n in pages if "/" not in n]:
        ids = [re.findall(r'\sid="([^"]*)"', pages[n]) for n in (name, f"zh/{name}")]
        assert ids[0] == ids[1], name


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    assert site({"small": read(tmp_path)}, ["en", "zh"], "1") == site({"small": small()}, ["en", "zh"], "1")


def test_folders_of_several_rulebooks() -> None:
    """By name; with the version where two bear one, or where a name is taken by a language."""

    def called(name: str, version: str) -> Given:
        return replace(small(), plan=replace(small().plan, rulebook=name, version=version))

    assert list(folders([called("a", "1"), called("b", "1")])) == ["a", "b"]
    assert list(folders([called("a", "1"), called("a", "2"), called("zh", "1")])) == ["a-1", "a-2", "zh-1"]
    assert list(folders([called("a", "1"), called("a", "1"), called("A", "../x")])) == ["a-1", "a-1-2", "A"]
    assert list(folders([called("..", "/")])) == ["rulebook"]


def test_versions_of_a_rulebook_lead_to_each_other() -> None:
    other = replace(small(), plan=replace(small().plan, version="4"))
    pages = site(
        folders([small(), other, replace(other, plan=replace(other.plan, rulebook="else"))]), ["en", "zh"], "1"
    )
    assert 'href="../small-4/index.html">small, version 4' in pages["small-3/index.html"]
    assert 'href="../../small-3/zh/index.html">small，版本 3' in pages["small-4/zh/index.html"]
    assert "Other versions" not in pages["else/index.html"]


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ("a:\n  b: 1\n\n  c: 2\n\nd: 3\n", 1, "a:\n  b: 1\n\n  c: 2"),
        ("x:\n  - {a: 1}\n  - b:\n      c\n  - d\n", 3, "- b:\n    c"),
        ("a: 1\nb: 2", 2, "b: 2"),
        ("a: 1\n", 9, ""),
    ],
)
def test_the_lines_of_a_declaration(text: str, line: int, wanted: str) -> None:
    from rxcalc.plan.nodes import Place
    from rxcalc.source import SourceFile

    assert excerpt({"f": SourceFile.of("f", text)}, Place("f", line)) == wanted
    assert excerpt({}, Place("f", line)) == ""


def test_a_long_declaration_is_cut() -> None:
    from rxcalc.plan.nodes import Place
    from rxcalc.source import SourceFile

    text = "a:\n" + "  b\n" * 500
    shown = excerpt({"f": SourceFile.of("f", text)}, Place("f", 1)).splitlines()
    assert (len(shown), shown[-1]) == (81, "  ..")


def test_what_comes_out_of_an_example_today() -> None:
    """Each step and share with its rule, the rows of lists, and a refusal with its reason."""
    first, second = cases(book())[0].cases
    results, lines = first.results
    told = {refs(thing)[0]: value for thing, value in results.rows}
    assert told["step-base_due"] == "10.00"
    assert told["step-pays"] == "55.00"
    assert told["step-first_time"] == "yes"
    assert (told["share-fund"], told["share-patient.own"], told["share-patient_pays"]) == ("55.00", "85.00", "95.00")
    assert (lines.columns, lines.rows) == (("line no", "excess"), (("1", "20.00"),))
    assert second.results[0].refused.startswith("Refused with RX722: ")
