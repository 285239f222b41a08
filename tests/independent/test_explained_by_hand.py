"""Printed explanations, redone line by line by a reader that shares no code with the program.

The reader (`explained/`) sees the text only. It works out every line of figures, and asks of every number whether it is an
input, an earlier result, a cited value or a literal of the formula. Here the texts are printed and handed to it.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.driver.examples import example_files
from rxcalc.driver.explain import explain_entry
from rxcalc.driver.sample import SampleOptions, run_sample
from rxcalc.inputs.episodes import EpisodeEntry, read_entries
from rxcalc.report.model import Explanation
from rxcalc.report.text import render
from rxcalc.rulebook.load import load_yaml

HERE = Path(__file__).parent
RULEBOOKS = sorted((HERE.parents[1] / "rulebooks").glob("*/rulebook*.yaml"))
ATLAS = sorted((HERE.parent / "cases" / "atlas").glob("*/rulebook.yaml"))
WIDTHS = (80, 120)


def _load() -> ModuleType:
    """The reader, which is no part of the tests that import it."""
    folder = HERE / "explained"
    spec = importlib.util.spec_from_file_location(
        "independent_explained", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_load()
checker: Any = importlib.import_module("independent_explained.checker")
mutations: Any = importlib.import_module("independent_explained.mutations")


# ---- bills ----


def compiled(path: Path) -> Compiled:
    """A shipped rulebook with its hints for samples."""
    found = compile_file(path, str(path), Sink())
    assert found is not None
    return found


def named(path: Path) -> str:
    """What a version of a rulebook is called: `qin`, `shanghai-employee@2024`."""
    return f"{path.parent.name}{path.stem.removeprefix('rulebook')}"


def examples(path: Path, book: Compiled) -> Iterator[EpisodeEntry]:
    """The examples beside a rulebook."""
    names = (book.plan.rulebook, f"{book.plan.rulebook}@{book.plan.version}")
    for file in example_files(path.parent):
        node = load_yaml(file, str(file), Sink())
        assert node is not None
        yield from (e for e in read_entries(node, Sink()) if not e.rulebook or e.rulebook in names)


def sampled(book: Compiled, how_many: int, seed: str, folder: Path) -> Iterator[EpisodeEntry]:
    """Bills made up by `rxcalc sample` with their lists and groups, as one entry of several episodes."""
    lists = {x.name: folder / f"list-{x.name}.csv" for x in book.plan.lists}
    options = SampleOptions(how_many, folder / "episodes.csv", seed, lists=lists, groups_to=folder / "groups")
    report = run_sample(book.plan, book.hints, options, len)
    assert report.problem is None
    of_bill: dict[str, dict[str, list[dict[str, str]]]] = {}
    for name, file in lists.items():
        for row in records(file):
            of_bill.setdefault(row.pop("episode_id"), {}).setdefault(name, []).append(row)
    entry = {
        "example": "made up",
        "by": "nobody",
        "episodes": [{"episode": e, **of_bill.get(e["episode_id"], {})} for e in records(folder / "episodes.csv")],
        "groups": {file.stem: records(file) for file in sorted((folder / "groups").glob("*.csv"))},
    }
    file = folder / "bills.yaml"
    file.write_text(yaml.safe_dump([entry], allow_unicode=True, sort_keys=False), "utf-8")
    node = load_yaml(file, "bills.yaml", Sink())
    assert node is not None
    yield from read_entries(node, Sink())


def records(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file without their empty cells; none where there is no file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(stream)]


def explained(book: Compiled, entries: Iterator[EpisodeEntry]) -> Iterator[tuple[str, Explanation]]:
    """The explanations of bills, each with its id; entries that cannot be read have none."""
    for entry in entries:
        found = explain_entry(book.plan, entry, Sink())
        if isinstance(found, tuple):
            for one in found:
                bill = next((value for name, _, value in one.episode if name == "episode_id"), "")
                yield f"{entry.name} {bill}", one


def problems(bill: str, text: str, columns: int, counts: Counter[str]) -> list[str]:
    """What does not follow from a text, and into `counts` how much was redone."""
    report = checker.check(text, columns)
    counts.update(report.counts)
    lines = text.split("\n")
    return [
        f"{bill}, {columns} columns, line {p.line}: {p.kind}: {p.message}: {lines[p.line - 1].strip()}"
        for p in report.problems
    ]


def redone(counts: Counter[str]) -> int:
    """How many lines of arithmetic were redone."""
    return sum(n for what, n in counts.items() if what.startswith("line: "))


def traced(counts: Counter[str]) -> int:
    """How many numbers were found where the text says that they come from."""
    return sum(n for what, n in counts.items() if what.startswith("number: "))


# ---- every line follows ----


@pytest.mark.parametrize("path", RULEBOOKS, ids=named)
def test_a_reader_redoes_some_bills(path: Path, tmp_path: Path) -> None:
    """Every thirtieth example and a few made-up bills of each rulebook can be redone from their text."""
    book = compiled(path)
    bills = [*explained(book, iter([*examples(path, book)][::30])), *explained(book, sampled(book, 4, "few", tmp_path))]
    counts: Counter[str] = Counter()
    found: list[str] = []
    for at, (bill, x) in enumerate(bills):
        columns, detail = WIDTHS[at % 2], ("steps", "full")[at % 3 == 0]
        found += problems(bill, render(x, detail=detail, columns=columns), columns, counts)
    assert not found, "\n".join(found[:20])
    assert redone(counts) > 15 * len(bills)
    assert traced(counts) > 15 * len(bills)


@pytest.mark.long
@pytest.mark.parametrize("path", RULEBOOKS, ids=named)
def test_a_reader_redoes_all_examples_and_100_bills(path: Path, tmp_path: Path) -> None:
    """All examples and a hundred made-up bills of each version of a rulebook, in both depths and at two widths."""
    book = compiled(path)
    bills = [*explained(book, examples(path, book))]
    made_up = [*explained(book, sampled(book, 100, f"by hand, {named(path)}", tmp_path))]
    assert len(made_up) == 100
    counts: Counter[str] = Counter()
    found: list[str] = []
    for bill, x in (*bills, *made_up):
        for detail in ("steps", "full"):
            of_depth: Counter[str] = Counter()
            for columns in WIDTHS if detail == "steps" else (80,):
                found += problems(bill, render(x, detail=detail, columns=columns), columns, of_depth)
            if detail == "full" and of_depth["cut short"]:
                found.append(f"{bill}: in full nothing is cut short")
            counts += of_depth
    assert not found, f"{len(found)} problems\n" + "\n".join(found[:40])
    assert redone(counts) > 40 * len((*bills, *made_up))
    assert traced(counts) > 30 * len((*bills, *made_up))


@pytest.mark.long
@pytest.mark.parametrize("path", ATLAS, ids=named)
def test_a_reader_redoes_the_atlas(path: Path) -> None:
    """The examples of the atlas, which use what the shipped rulebooks do not: curves, daily amounts, ranks, other currencies."""
    book = compiled(path)
    counts: Counter[str] = Counter()
    found: list[str] = []
    for bill, x in explained(book, examples(path, book)):
        for detail in ("steps", "full"):
            found += problems(bill, render(x, detail=detail, columns=80), 80, counts)
    assert not found, f"{len(found)} problems\n" + "\n".join(found[:40])
    assert redone(counts) > 100


# ---- and a wrong digit is noticed ----


def noticed(texts: list[tuple[str, str, int]], how_many: int, seed: str) -> tuple[int, int, list[str]]:
    """Of digits that a reader could notice, how many were noticed when changed; the others by name."""
    draw = random.Random(seed)
    seen, tried, missed = 0, 0, []
    while tried < how_many:
        bill, text, columns = draw.choice(texts)
        for change in mutations.changes(text, 1, f"{seed} {tried} {draw.random()}"):
            if change.silent:
                continue
            tried += 1
            if checker.check(change.text, columns).problems:
                seen += 1
            else:
                missed.append(f"{bill}, line {change.line}: {change.shown!r}")
    return seen, tried, missed


def texts_of(path: Path, folder: Path, how_many: int) -> list[tuple[str, str, int]]:
    """Texts of made-up bills and examples that hold as they are."""
    book = compiled(path)
    folder.mkdir()
    bills = [
        *explained(book, sampled(book, how_many, "digits", folder)),
        *explained(book, iter([*examples(path, book)][::40])),
    ]
    texts = [(f"{named(path)} {bill}", render(x, columns=80), 80) for bill, x in bills]
    return [t for t in texts if not checker.check(t[1], 80).problems]


def test_a_changed_digit_is_noticed(tmp_path: Path) -> None:
    """Of 30 digits changed in texts of two rulebooks nearly all are noticed."""
    paths = [p for p in RULEBOOKS if p.parent.name in ("beijing-employee", "sanming")]
    texts = [t for p in paths for t in texts_of(p, tmp_path / named(p), 2)]
    seen, tried, missed = noticed(texts, 30, "thirty")
    assert seen >= 0.85 * tried, "\n".join(missed)


@pytest.mark.long
def test_changed_digits_are_noticed_in_all_rulebooks(tmp_path: Path) -> None:
    """Of 500 digits changed in texts of all rulebooks at least 95% are noticed; names, citations and unread inputs aside."""
    texts = [t for p in RULEBOOKS for t in texts_of(p, tmp_path / named(p), 12)]
    seen, tried, missed = noticed(texts, 500, "five hundred")
    assert seen >= 0.95 * tried, f"{seen} of {tried}\n" + "\n".join(missed)
