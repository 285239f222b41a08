"""Samples: valid, varied, the same bytes for one seed, hints honoured, boundaries there."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from rxcalc.backends.base import Row
from rxcalc.backends.exact import Exact
from rxcalc.backends.exact_groups import run_all
from rxcalc.diagnostics.model import Sink
from rxcalc.driver import find
from rxcalc.driver import sample as driver
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.driver.sample import SampleOptions, run_sample
from rxcalc.inputs.cells import CellReader
from rxcalc.inputs.records import Record, RecordReader
from rxcalc.lang.types import OneOf
from rxcalc.plan.nodes import Plan, Value

ROOT = Path(__file__).parents[2]
CLINIC = ROOT / "tests" / "cases" / "sample" / "clinic"
ATLAS = sorted((ROOT / "tests" / "cases" / "atlas").glob("*/rulebook.yaml"))
SHIPPED = [found.path for found in find.shipped()]
HEAD = """\
rxcalc: 1
rulebook: case
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, to: 2025-12-31, by: discharge_date}
"""

Table = list[dict[str, str]]


@dataclass
class Made:
    """The files of a sample, read back."""

    plan: Plan
    folder: Path
    problem: str
    episodes: Table
    lists: Mapping[str, Table]
    groups: Mapping[str, Table]


def compiled(path: Path) -> Compiled:
    sink = Sink()
    found = compile_file(path, path.name, sink)
    assert found is not None, [d.message for d in sink.sorted()]
    return found


def rulebook(folder: Path, text: str) -> Compiled:
    folder.mkdir(exist_ok=True)
    path = folder / "rulebook.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return compiled(path)


def table(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make(found: Compiled, folder: Path, n: int, seed: str = "7", **more: object) -> Made:
    folder.mkdir(exist_ok=True)
    lists = {x.name: folder / f"{x.name}.csv" for x in found.plan.lists}
    options = SampleOptions(n, folder / "episodes.csv", seed, lists=lists, groups_to=folder / "groups", **more)  # type: ignore[arg-type]
    report = run_sample(found.plan, found.hints, options, lambda _: None)
    if report.problem is not None:
        return Made(found.plan, folder, f"{report.problem.message} {report.problem.help}", [], {}, {})
    groups = {p.stem: table(p) for p in sorted((folder / "groups").glob("*.csv"))} if report.groups else {}
    return Made(found.plan, folder, "", table(folder / "episodes.csv"), {n: table(p) for n, p in lists.items()}, groups)


def refused(made: Made) -> list[str]:
    """What the exact evaluator refuses of a sample, read back from its cells as any file is."""
    plan, reader, exact = made.plan, RecordReader(made.plan), Exact(made.plan)
    lines: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for name, rows in made.lists.items():
        for row in rows:
            lines[row["episode_id"]][name].append({k: v for k, v in row.items() if k != "episode_id"})
    problems: list[str] = []
    read: list[Row] = []
    for at, cells in enumerate(made.episodes):
        record = reader.read({**cells, **lines[cells["episode_id"]]})
        if isinstance(record, Record):
            read.append(Row(at, cells["episode_id"], record.values))
        else:
            problems += [f"{cells['episode_id']}: {p.message}" for p in record]
    assert len({row.name for row in read}) == len(read), "an id stands twice"
    groups: dict[str, list[dict[str, Value]]] = {}
    for g in plan.groups:
        if g.name in made.groups:
            keys = {k.name: k.type for k in g.keys}
            specs = {i.name: CellReader.of(i, plan.currency) for i in g.inputs}
            groups[g.name] = [
                {n: _key(v, str(keys[n])) if n in keys else specs[n].read(v) for n, v in row.items()}  # type: ignore[misc]
                for row in made.groups[g.name]
            ]
    done = run_all(exact, read, groups)
    problems += [f"{r.row.name}: {r.outcome.problem}" for r in done.ran if r.outcome and r.outcome.problem]
    return problems + [f"{g.kind}: {g.problem}" for g in done.groups if g.problem is not None]


def _key(text: str, of: str) -> Value:
    return (
        int(text)
        if of == "count"
        else date.fromisoformat(text)
        if of == "date"
        else {"yes": True, "no": False}.get(text, text)
    )


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A thousand episodes of the rulebook whose hints say everything that hints can say."""
    return make(compiled(CLINIC / "rulebook.yaml"), tmp_path_factory.mktemp("clinic"), 1_000)


# ---- the same bytes --------------------------------------------------------------------------------


def test_a_seed_gives_the_bytes_that_were_looked_at(tmp_path: Path) -> None:
    """The files of seed 7 are those in `expected/`, byte for byte: episodes, lists and groups."""
    made = make(compiled(CLINIC / "rulebook.yaml"), tmp_path, 24)
    assert made.problem == ""
    for file in sorted((CLINIC / "expected").iterdir()):
        written = tmp_path / "groups" / file.name if file.stem == "alliance_year" else tmp_path / file.name
        assert written.read_bytes() == file.read_bytes(), file.name


def test_another_seed_gives_other_episodes(tmp_path: Path) -> None:
    """Every record differs in something but its id."""
    found = compiled(CLINIC / "rulebook.yaml")
    one, two = make(found, tmp_path / "1", 50, "7"), make(found, tmp_path / "2", 50, "8")
    assert sum(a != b for a, b in zip(one.episodes, two.episodes, strict=True)) >= 48


def test_more_episodes_change_none_before(tmp_path: Path) -> None:
    """Of 60 episodes the first 40 are those of a sample of 40; the last person of that may be cut short, no more."""
    found = compiled(CLINIC / "rulebook.yaml")
    some, more = make(found, tmp_path / "1", 40), make(found, tmp_path / "2", 60)
    assert [r["episode_id"] for r in some.episodes] == [r["episode_id"] for r in more.episodes[:40]]
    assert some.episodes == more.episodes[:40]


def test_columns_and_the_evaluator_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether bills are checked by columns or one by one, the files are the same."""
    for name in ("medicare-inpatient", "german-copay", "taiwan-point-value"):
        found = compiled(ROOT / "tests" / "cases" / "atlas" / name / "rulebook.yaml")
        monkeypatch.setattr(driver, "WORTH_IT", 10**9)
        one = make(found, tmp_path / f"{name}-1", 80)
        monkeypatch.setattr(driver, "WORTH_IT", 0)
        two = make(found, tmp_path / f"{name}-2", 80)
        assert (one.episodes, one.lists, one.groups) == (two.episodes, two.lists, two.groups), name


def test_a_hint_changes_only_what_follows_from_it(tmp_path: Path) -> None:
    """With a hint for one field, the cells of all others stay."""
    text = (
        "inputs:\n  episode_id: {type: code}\n  discharge_date: {type: date}\n  level: {one_of: [a, b]}\n"
        "  total: {type: money}\nsteps:\n  pays: {rule: total}\noutputs: [pays]\n"
    )
    plain = make(rulebook(tmp_path / "a", text), tmp_path / "1", 80)
    hinted = make(rulebook(tmp_path / "b", text + "sample:\n  total: uniform(1, 9)\n"), tmp_path / "2", 80)
    for a, b in zip(plain.episodes, hinted.episodes, strict=True):
        assert {k: v for k, v in a.items() if k != "total"} == {k: v for k, v in b.items() if k != "total"}


# ---- valid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SHIPPED, *ATLAS], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_nothing_is_refused(path: Path, tmp_path: Path) -> None:
    """Fifty episodes of every shipped rulebook, and of those of other systems, without a single refusal."""
    made = make(compiled(path), tmp_path, 50)
    assert made.problem == ""
    assert len(made.episodes) == 50
    assert refused(made) == []


def test_a_thousand_bills_of_the_clinic_are_computed(clinic: Made) -> None:
    """Nor is any of a thousand with lists, chains and groups."""
    assert clinic.problem == ""
    assert refused(clinic) == []


def test_what_can_never_hold_is_named(tmp_path: Path) -> None:
    """Nothing is written; the message names the requirement and what would help."""
    text = (
        "inputs:\n  episode_id: {type: code}\n  discharge_date: {type: date}\n  a: {type: money}\n  b: {type: money}\n"
        "requires:\n  - a * 2 = b * 3\nsteps:\n  pays: {rule: a + b}\noutputs: [pays]\n"
    )
    made = make(rulebook(tmp_path / "r", text), tmp_path / "s", 5)
    assert "`a * 2 = b * 3`" in made.problem
    assert "sample:" in made.problem
    assert not list((tmp_path / "s").iterdir())
    mended = make(
        rulebook(tmp_path / "r", text + "sample:\n  a: b * 1.5\n  b: uniform(2, 900) * ¥1\n"), tmp_path / "s", 50
    )
    assert refused(mended) == []
    assert len(mended.episodes) == 50


def test_a_hint_outside_the_bounds_is_named(tmp_path: Path) -> None:
    """A hint that gives nothing its field can hold is told with the value."""
    text = (
        "inputs:\n  episode_id: {type: code}\n  discharge_date: {type: date}\n  a: {type: money}\n"
        "steps:\n  pays: {rule: a}\noutputs: [pays]\nsample:\n  a: {is: 'uniform(-9, -2)', edges: 0%}\n"
    )
    made = make(rulebook(tmp_path / "r", text), tmp_path / "s", 5)
    assert "the hint for `a`" in made.problem


def test_requirements_between_fields_are_followed_without_hints(tmp_path: Path) -> None:
    """Parts, sums, products and orders of dates hold on every row, at the first try or a later one."""
    text = """\
inputs:
  episode_id: {type: code}
  admission_date: {type: date}
  discharge_date: {type: date}
  leave: {type: days, default: 0}
  total: {type: money}
  in_scope: {type: money}
  own: {type: money}
  fee: {type: money, optional: yes}
requires:
  - admission_date <= discharge_date and leave <= discharge_date - admission_date
  - in_scope <= total
  - in_scope + own = total
  - fee is missing or fee < total
  - total = sum(lines.amount)
lines:
  required: yes
  inputs: {line_no: {type: count}, price: {type: money, decimals: 4}, quantity: {type: count}, amount: {type: money}}
  order: [line_no]
  requires:
    - abs(amount - price * quantity) < ¥0.01
steps:
  pays: {rule: in_scope}
outputs: [pays]
"""
    made = make(rulebook(tmp_path / "r", text), tmp_path / "s", 150)
    assert made.problem == ""
    assert refused(made) == []
    stays = [
        (date.fromisoformat(r["discharge_date"]) - date.fromisoformat(r["admission_date"])).days for r in made.episodes
    ]
    assert 0 in stays
    assert max(stays) > 7
    assert any(Fraction(r["in_scope"]) == Fraction(r["total"]) for r in made.episodes), (
        "the whole is a boundary of a part"
    )


# ---- varied ----------------------------------------------------------------------------------------


def test_every_value_of_every_set_occurs(clinic: Made) -> None:
    """And so do both flags, empty and filled cells, known and unknown codes."""
    for spec in clinic.plan.inputs:
        if isinstance(spec.type, OneOf):
            assert {r[spec.name] for r in clinic.episodes} == set(spec.type.values)
    assert {r["emergency"] for r in clinic.episodes} == {"yes", "no"}
    assert {r["red_book"] for r in clinic.episodes} == {"yes", "no", ""}
    assert {r["clinic"] for r in clinic.episodes} == {"C-E1", "C-E2", "C-W1"}
    items = {r["item"] for r in clinic.lists["lines"]}
    assert items >= {"A01", "A02", "B07"}
    assert any(i.startswith("X") for i in items)


def test_boundaries_occur_without_hints(tmp_path: Path) -> None:
    """Bounds, limits of schedules, values of parameters and constants, each with its neighbours; first and last days."""
    text = """\
inputs:
  episode_id: {type: code}
  discharge_date: {type: date}
  birth_date: {type: date}
  admission_date: {type: date}
  total: {type: money, max: 1_000_000}
  stay: {type: days, max: 90}
requires:
  - admission_date <= discharge_date
parameters:
  deductible: {type: money, values: {2025-01-01: 500, 2025-07-01: 650}}
  rate: {type: bands of percent over money, values: {2025-01-01: [{to: 30_000, is: 80%}, {is: 90%}]}}
steps:
  over: {rule: "max(0, total - deductible)"}
  pays:
    rule: |
      when age(birth_date, discharge_date) >= 70 then over
      when stay > 30 days then bands(rate, over)
      when discharge_date - admission_date < 10 days then ¥0
      otherwise bands(rate, total)
outputs: [pays]
"""
    made = make(rulebook(tmp_path / "r", text), tmp_path / "s", 4_000, "3")
    totals = Counter(r["total"] for r in made.episodes)
    wanted = ["0.00", "1000000.00"]
    for figure in (500, 650, 30_000):
        wanted += [f"{cents // 100}.{cents % 100:02d}" for cents in range(figure * 100 - 1, figure * 100 + 2)]
    assert [w for w in wanted if not totals[w]] == []
    stays = {int(r["stay"]) for r in made.episodes}
    assert stays >= {0, 29, 30, 31, 90}
    days = {r["discharge_date"] for r in made.episodes}
    assert days >= {"2025-01-01", "2025-12-31", "2025-06-30", "2025-07-01", "2025-07-02"}
    gaps = {date.fromisoformat(r["discharge_date"]) - date.fromisoformat(r["admission_date"]) for r in made.episodes}
    assert gaps >= {timedelta(days=d) for d in (0, 9, 10, 11)}
    births = [(date.fromisoformat(r["birth_date"]), date.fromisoformat(r["discharge_date"])) for r in made.episodes]
    apart = {(on - _birthday(born, 70)).days for born, on in births}
    assert apart >= {-1, 0, 1}


def _birthday(born: date, years: int) -> date:
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 2, 28)


def test_ends_of_windows_occur(tmp_path: Path) -> None:
    """A new stay begins 59, 60 and 61 days after the one before, where 60 days end a spell."""
    text = """\
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  admission_date: {type: date}
  discharge_date: {type: date}
requires: [admission_date <= discharge_date]
sequence: {by: person_id, order: [admission_date, episode_id]}
windows:
  spell: {gap: 60 days, from: discharge_date, to: admission_date}
steps:
  pays: {rule: "if spell.count() = 0 then ¥5 else ¥0"}
outputs: [pays]
""".replace("by: discharge_date", "by: admission_date")
    found = rulebook(tmp_path / "r", text)
    made = make(found, tmp_path / "s", 3_000, "2")
    assert refused(made) == []
    gaps: Counter[int] = Counter()
    persons: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in made.episodes:
        persons[row["person_id"]].append(row)
    for rows in persons.values():
        for a, b in pairwise(rows):
            gaps[(date.fromisoformat(b["admission_date"]) - date.fromisoformat(a["discharge_date"])).days] += 1
    around = [gaps[d] for d in (59, 60, 61)]
    assert min(around) > 3, around
    assert sum(around) > 1.5 * sum(gaps[d] for d in (49, 50, 51)), "more often than chance"


def test_codes_come_from_the_tables_they_are_keys_of(tmp_path: Path) -> None:
    """Where a rule would refuse an unknown code there is none; with two keys, and rows that begin later, they fit together."""
    folder = tmp_path / "r"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "drg.csv").write_text(
        "level,code,start,price\ntown,A1,2025-01-01,5\ntown,A2,2025-07-01,6\ncity,B1,2025-01-01,7\ncity,A1,2025-03-01,8\n",
        encoding="utf-8",
    )
    text = """\
inputs: {episode_id: {type: code}, discharge_date: {type: date}, level: {one_of: [town, city]}, code: {type: code}}
tables:
  drg: {file: tables/drg.csv, key: [level, code], from: start, columns: {price: money}}
steps:
  pays: {rule: "drg[level, code].price"}
outputs: [pays]
"""
    made = make(rulebook(folder, text), tmp_path / "s", 300)
    assert refused(made) == []
    seen = {(r["level"], r["code"]) for r in made.episodes}
    assert seen == {("town", "A1"), ("town", "A2"), ("city", "B1"), ("city", "A1")}
    asked = text.replace('"drg[level, code].price"', '"if [level, code] in drg then drg[level, code].price else ¥0"')
    made = make(rulebook(folder, asked), tmp_path / "t", 400)
    unknown = sum(r["code"].startswith("X") for r in made.episodes)
    assert 8 <= unknown <= 40, "about 5% where the rules ask for themselves"


def test_a_rulebook_without_persons_or_with_few_keys(tmp_path: Path) -> None:
    """A sequence by a set has no numbered persons; episodes are in order places of their own."""
    made = make(compiled(ROOT / "tests" / "cases" / "atlas" / "alliance-budget" / "rulebook.yaml"), tmp_path, 60)
    assert {r["treated_in"] for r in made.episodes} == {"north", "south"}
    places = Counter((r["treated_in"], r["discharge_date"], r["episode_id"]) for r in made.episodes)
    assert max(places.values()) == 1


# ---- persons ---------------------------------------------------------------------------------------


def test_per_key_is_exact(tmp_path: Path) -> None:
    """Each person has so many episodes, the last one what is left; their days ascend with their ids."""
    made = make(
        compiled(ROOT / "tests" / "cases" / "atlas" / "us-family-deductible" / "rulebook.yaml"), tmp_path, 23, per_key=5
    )
    persons: dict[str, list[str]] = defaultdict(list)
    for row in made.episodes:
        persons[row["family_id"]].append(row["service_date"])
    assert [len(days) for days in persons.values()] == [5, 5, 5, 5, 3]
    assert all(days == sorted(days) for days in persons.values())


# ---- hints -----------------------------------------------------------------------------------------


def test_hints_are_honoured(clinic: Made) -> None:
    """Shares, distributions and what follows from other fields, over a thousand episodes, within five deviations."""
    n = len(clinic.episodes)

    def about(count: int, share: float, of: int = n) -> bool:
        return abs(count - share * of) <= 5 * (of * share * (1 - share)) ** 0.5 + 1

    rows = clinic.episodes
    assert about(sum(r["level"] == "town" for r in rows), 0.25)
    assert about(sum(r["level"] == "county" for r in rows), 0.40)
    assert about(sum(r["emergency"] == "yes" for r in rows), 0.10)
    assert about(sum(r["fee"] == "" for r in rows), 0.40)
    assert about(sum(r["red_book"] == "" for r in rows), 0.20)
    known = [Fraction(r["fee"]) for r in rows if r["fee"] not in ("", "0.00")]
    assert about(sum(f < Fraction("54.60") for f in known), 0.5, len(known)), (
        "the median of lognormal(4, 1) is e^4 = 54.60"
    )
    weights = [Fraction(r["weight"]) for r in rows if r["weight"] != "0"]
    assert about(sum(abs(w - 1) <= Fraction(1, 4) for w in weights), 0.6827, len(weights))
    by_bill: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in clinic.lists["lines"]:
        by_bill[line["episode_id"]].append(line)
        assert abs(Fraction(line["amount"]) - Fraction(line["unit_price"]) * Fraction(line["quantity"])) <= Fraction(
            1, 200
        )
        price = {"A01": "12.50", "A02": "3.20", "B07": "480"}.get(line["item"], "10")
        assert Fraction(price) * Fraction(9, 10) <= Fraction(line["unit_price"]) <= Fraction(price) * Fraction(13, 10)
    assert about(sum(x["item"].startswith("X") for x in clinic.lists["lines"]), 0.05, len(clinic.lists["lines"]))
    for r in rows:
        lines = by_bill[r["episode_id"]]
        assert Fraction(r["total_cost"]) == sum(Fraction(x["amount"]) for x in lines)
        low, high = (3, 8) if r["level"] == "city" else (1, 4)
        assert low <= len(lines) <= high
        assert [int(x["line_no"]) for x in lines] == list(range(1, len(lines) + 1))
        part = Fraction(r["in_scope"]) / Fraction(r["total_cost"]) if Fraction(r["total_cost"]) else Fraction(1)
        assert Fraction(59, 100) < part <= 1
        stay = (date.fromisoformat(r["discharge_date"]) - date.fromisoformat(r["admission_date"])).days
        assert 0 <= stay <= 20


def test_persons_and_chains_are_as_hinted(clinic: Made) -> None:
    """What a person keeps stays; a chain of referral keeps its id, its days and mostly its alliance."""
    persons: dict[str, list[dict[str, str]]] = defaultdict(list)
    for r in clinic.episodes:
        persons[r["person_id"]].append(r)
    assert set(Counter(len(rows) for rows in persons.values())) == {1, 2, 3, 4}
    for rows in persons.values():
        assert len({(r["person_class"], r["birth_date"]) for r in rows}) == 1
    pairs = [(a, b) for rows in persons.values() for a, b in pairwise(rows)]
    chained = [(a, b) for a, b in pairs if a["referral_id"] and a["referral_id"] == b["referral_id"]]
    assert len(chained) > 60
    for a, b in chained:
        gap = date.fromisoformat(b["admission_date"]) - date.fromisoformat(a["discharge_date"])
        assert timedelta(0) <= gap <= timedelta(days=10)
    kept = sum(a["alliance"] == b["alliance"] for a, b in chained)
    assert 0.85 * len(chained) <= kept <= len(chained)
    ids = {r["referral_id"] for r in clinic.episodes if r["referral_id"]}
    assert all(len({r["person_id"] for r in clinic.episodes if r["referral_id"] == i}) == 1 for i in ids)


def test_groups_follow_from_their_episodes(clinic: Made) -> None:
    """The inputs of groups read the inputs of their episodes: a budget of 80% to 120% of what was in scope."""
    spent: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for r in clinic.episodes:
        spent[r["alliance"], r["discharge_date"][:4]].append(Fraction(r["in_scope"]))
    rows = clinic.groups["alliance_year"]
    assert {(g["area"], g["year"]) for g in rows} == set(spent)
    for g in rows:
        members = spent[g["area"], g["year"]]
        assert Fraction(8, 10) <= Fraction(g["budget"]) / sum(members) <= Fraction(12, 10)
        assert 10 * len(members) <= int(g["heads"]) <= 90 * len(members)


def test_rows_of_a_list_may_follow_each_other(clinic: Made) -> None:
    """`before.x` in a list is the row above: months one after the other."""
    months: dict[str, list[date]] = defaultdict(list)
    for row in clinic.lists["receipts"]:
        months[row["episode_id"]].append(date.fromisoformat(row["month"]))
    assert any(len(m) == 2 for m in months.values())
    assert all(m == [date(2025, at + 1, 1) for at in range(len(m))] for m in months.values())


def test_reversals_can_be_hinted(tmp_path: Path) -> None:
    """A reversal names the person's episode before; none without a hint."""
    text = """\
inputs:
  episode_id: {type: code}
  reverses_id: {type: code, optional: yes}
  person_id: {type: code}
  discharge_date: {type: date}
  total: {type: money}
sequence: {by: person_id, order: [discharge_date, episode_id], reverses: reverses_id}
windows: {this_year: {calendar: year, date: discharge_date}}
steps:
  pays: {rule: "max(0, total - this_year.sum(pays))"}
outputs: [pays]
"""
    made = make(rulebook(tmp_path / "a", text), tmp_path / "1", 100)
    assert {r["reverses_id"] for r in made.episodes} == {""}
    hint = "sample:\n  reverses_id: {is: before.episode_id, missing: 80%}\n"
    made = make(rulebook(tmp_path / "b", text + hint), tmp_path / "2", 300)
    assert refused(made) == []
    assert sum(bool(r["reverses_id"]) for r in made.episodes) > 10


def test_an_optional_field_may_follow_from_another(tmp_path: Path) -> None:
    """`missing` in a hint leaves the cell empty, and only there when `missing: 0%` is said."""
    text = """\
inputs:
  episode_id: {type: code}
  discharge_date: {type: date}
  kind: {one_of: [item, package]}
  price: {type: money, optional: yes}
steps:
  pays: {rule: "default(price, ¥0)"}
outputs: [pays]
sample:
  price:
    is: |
      when kind = package then uniform(¥1, ¥9)
      otherwise missing
    missing: 0%
    edges: 0%
"""
    made = make(rulebook(tmp_path / "r", text), tmp_path / "s", 120)
    assert {(r["kind"], r["price"] == "") for r in made.episodes} == {("item", True), ("package", False)}


def test_the_page_on_made_up_data_is_true(tmp_path: Path) -> None:
    """Its rulebook checks, and 200 episodes of it are computed."""
    text = (ROOT / "docs" / "sample.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml rulebook\n(.*?)```", text, re.DOTALL)
    (tmp_path / "r" / "tables").mkdir(parents=True)
    for name, rows in re.findall(r"```csv (tables/\w+\.csv)\n(.*?)```", text, re.DOTALL):
        (tmp_path / "r" / name).write_text(rows, encoding="utf-8")
    made = make(rulebook(tmp_path / "r", block), tmp_path / "s", 200)
    assert made.problem == ""
    assert refused(made) == []


# ---- overlays --------------------------------------------------------------------------------------


def test_an_overlay_changes_hints_by_name(tmp_path: Path) -> None:
    """Hints of the base hold unless the overlay replaces or removes them; what it adds holds too."""
    base = (
        "inputs:\n  episode_id: {type: code}\n  discharge_date: {type: date}\n  a: {type: count}\n  b: {type: count}\n"
        "  c: {type: count}\nsteps:\n  pays: {type: money, rule: ¥1 * (a + b + c)}\noutputs: [pays]\n"
        "sample:\n  a: {is: '1', edges: 0%}\n  b: {is: '2', edges: 0%}\n  c: {is: '3', edges: 0%}\n"
    )
    rulebook(tmp_path / "base", base)
    overlay = (
        "rxcalc: 1\nrulebook: over\nextends: ../base\nversion: '1'\n"
        "effective: {from: 2025-01-01, to: 2025-12-31, by: discharge_date}\n"
        "changes: {sample: {b: '5'}}\nadds: {inputs: {d: {type: count, optional: yes}}, sample: {d: {is: '7', missing: 0%}}}\n"
        "removes: [sample.c]\n"
    )
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "rulebook.yaml").write_text(overlay, encoding="utf-8")
    made = make(compiled(tmp_path / "over" / "rulebook.yaml"), tmp_path / "s", 60)
    assert {(r["a"], r["b"], r["d"]) for r in made.episodes} == {("1", "5", "7")}
    assert len({r["c"] for r in made.episodes}) > 3


def test_an_overlay_that_removes_an_input_is_told_of_its_hint(tmp_path: Path) -> None:
    """RX171 at the hint in the base, with the path to remove."""
    base = (
        "inputs:\n  episode_id: {type: code}\n  discharge_date: {type: date}\n  a: {type: money}\n  fee: {type: money}\n"
        "steps:\n  pays: {rule: a}\noutputs: [pays]\nsample:\n  fee: uniform(1, 2)\n"
    )
    rulebook(tmp_path / "base", base)
    overlay = (
        "rxcalc: 1\nrulebook: over\nextends: ../base\nversion: '1'\n"
        "effective: {from: 2025-02-01, by: discharge_date}\nremoves: [inputs.fee{0}]\n"
    )
    folder = tmp_path / "over"
    folder.mkdir()
    path = folder / "rulebook.yaml"
    path.write_text(overlay.replace("{0}", ""), encoding="utf-8")
    sink = Sink()
    assert compile_file(path, "over/rulebook.yaml", sink) is None
    (told,) = sink.sorted()
    assert told.code == "RX171"
    assert "removes: [sample.fee]" in " ".join(told.help)
    path.write_text(overlay.replace("{0}", ", sample.fee"), encoding="utf-8")
    assert compile_file(path, "over/rulebook.yaml", Sink()) is not None
