"""Explanations of bills with lines, spreads and groups: every figure is there, and a pocket calculator agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.driver.explain import explain_entry
from rxcalc.inputs.episodes import read_entries
from rxcalc.report.as_json import document
from rxcalc.report.layout import width
from rxcalc.report.model import Explanation
from rxcalc.report.text import render
from rxcalc.rulebook.load import load_yaml

LINES = """\
rxcalc: 1
rulebook: ward
title: {en: A ward bill, zh: 病区账单}
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: discharge_date}
sources:
  list: {title: {en: The price list, zh: 价目表}, status: fictional}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  discharge_date: {type: date}
  reverses_id: {type: code, optional: yes}
  maximum: {type: money}
sequence: {by: person_id, order: [discharge_date, episode_id], reverses: reverses_id}
windows:
  this_year: {calendar: year, date: discharge_date}
parameters:
  prior_rate: {type: percent, cite: list#3, status: fictional, values: {2025-01-01: 10%}}
lines:
  label: {en: Items, zh: 费用明细}
  inputs:
    line_no: {type: count}
    code: {type: code, label: {en: Item, zh: 项目}}
    class: {one_of: [A, B, C]}
    quantity: {type: number}
    amount: {type: money, label: {en: Amount, zh: 金额}}
  order: [line_no]
  steps:
    prior:
      label: {en: Paid first, zh: 先行自付}
      cite: list#3
      rule: |
        when class = B then amount * prior_rate  because class_b
        otherwise ¥0
    counted: {rule: "if class = C then ¥0 else amount - prior"}
    place: {rule: rank(lines.amount where lines.class != C)}
    same_code: {rule: sum(lines.quantity where lines.code = code)}
    used: {rule: this_year.sum(this_year.lines.quantity where this_year.lines.code = code)}
    pays: {label: {en: The fund pays, zh: 统筹支付}, rule: "min(counted, max(0, maximum - above.sum(pays)))"}
groups:
  by_class:
    of: lines
    by: {class_of: class}
    steps:
      spent: {rule: sum(lines.amount)}
steps:
  total: {rule: sum(lines.amount)}
  class_c: {rule: sum(lines.amount where lines.class = C)}
  fund: {rule: sum(lines.pays)}
  dearest: {rule: "default(max(lines.amount where lines.class = A), ¥0)"}
  has_c: {rule: any(lines.class = C)}
  all_small: {rule: all(lines.amount < ¥150)}
  codes_seen: {rule: count(distinct lines.code)}
  dear_class: {rule: "default(by_class[B].spent, ¥0)"}
spread:
  fund_part: {what: fund, over: lines, by: counted}
checks:
  - {when: quantity > 10, say: {en: more than ten of one item, zh: 同一项目超过十个}, severity: error, amount: amount}
  - {when: total > ¥10_000, say: {en: a large bill}, severity: info}
shares:
  bill:
    of: total
    fund: {pool: fund}
    patient: {own: rest}
outputs: [total, fund, dearest, has_c, all_small, codes_seen, class_c, dear_class]
messages:
  class_b: {en: "class B: a part is paid first", zh: 乙类先行自付}
"""

BILL = """\
episode: {episode_id: E1, person_id: P, discharge_date: 2025-03-01, maximum: 150}
lines:
  - {line_no: 3, code: x, class: C, quantity: 1, amount: 50.00}
  - {line_no: 1, code: y, class: A, quantity: 11, amount: 100.00}
  - {line_no: 2, code: x, class: B, quantity: 1.5, amount: 100.05}
  - {line_no: 4, code: z, class: A, quantity: 2, amount: 33.33}
"""

GROUPS = """\
rxcalc: 1
rulebook: region
title: {en: Regional pool, zh: 区域总额}
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2024-01-01, by: discharge_date}
inputs:
  episode_id: {type: code}
  region: {one_of: [north, south]}
  discharge_date: {type: date}
  points: {type: number}
  barred: {type: flag, default: no}
groups:
  region_year:
    label: {en: A region's year, zh: 区域年度}
    of: episodes
    by: {area: region, year: year(discharge_date)}
    inputs: {budget: {type: money, label: {en: Budget, zh: 预算}}}
    sequence: {by: area, order: [year]}
    windows: {before: {all: yes}}
    steps:
      all_points: {rule: sum(episodes.points)}
      point_value: {type: money, round: 0.0001, rule: "if all_points = 0 then ¥0 else budget / all_points"}
      left: {rule: "budget - sum(episodes.paid) + default(before.last(left), ¥0)"}
    spread: {bonus: {what: "max(0, left)", over: episodes, by: points}}
    checks:
      - {when: "point_value > ¥100", say: {en: a point is dear}, severity: warn, amount: "point_value - ¥100"}
steps:
  paid: {rule: region_year.point_value * points, round: {to: 0.01, mode: down}}
  other: {rule: "default(region_year[south, 2024].point_value, ¥0)"}
  final:
    rule: |
      when barred then reject
      otherwise paid + bonus
shares:
  bill: {of: final, fund: {pool: rest}}
outputs: [paid, bonus, final, other]
"""

TOGETHER = """\
groups: {{region_year: [{{area: north, year: 2024, budget: {budget}}}]}}
episodes:
  - episode: {{episode_id: A, region: north, discharge_date: 2024-03-01, points: 3}}
  - episode: {{episode_id: B, region: north, discharge_date: 2024-03-02, points: 6}}
  - episode: {{episode_id: C, region: north, discharge_date: 2024-03-03, points: 2, barred: {barred}}}
"""

ATLAS = sorted(p.parent for p in (Path(__file__).parents[1] / "cases" / "atlas").glob("*/rulebook.yaml"))


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def files(folder: Path, rulebook: str, episode: str) -> tuple[str, ...]:
    """The arguments that explain an episode under a rulebook."""
    (folder / "rulebook.yaml").write_text(rulebook, encoding="utf-8")
    (folder / "bill.yaml").write_text(episode, encoding="utf-8")
    return ("explain", str(folder / "bill.yaml"), "-r", str(folder / "rulebook.yaml"))


def explained(*args: str) -> Any:
    return json.loads(run(*args, "--format", "json").stdout)


def texts(*args: str) -> Iterator[tuple[str, str, str]]:
    """The text in both languages and all details."""
    for language in ("en", "zh"):
        for detail in ("brief", "steps", "full"):
            yield language, detail, run(*args, "--lang", language, "--detail", detail).stdout


def flat(text: str) -> str:
    return " ".join(text.split())


# ---- a pocket calculator ----

NUMBER = re.compile(r"(?:[A-Z]{3} |¥)?(\d+(?:\.\d+)?)(%?)")
REDO = re.compile(r"[\d.,%¥()+*/\s-]|[A-Z]{3} (?=\d)|min|max|clamp")


def redone(figures: str) -> Fraction | None:
    """What figures amount to, when they hold nothing but numbers, signs, min, max and clamp."""
    if not figures or REDO.sub("", figures):
        return None
    code = NUMBER.sub(lambda m: f"(F('{m[1]}'){'/100' if m[2] else ''})", figures)
    names = {"F": Fraction, "min": min, "max": max, "clamp": lambda x, low, high: min(max(x, low), high)}
    return Fraction(eval(code, {"__builtins__": {}}, names))  # noqa: S307 - digits and signs only


def number(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def plain_number(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"-?\d+(\.\d+|/\d+)?%?", text) is not None


def redo(step: dict[str, Any]) -> int:
    """Redoes the figures of a step and its calls; how many there were."""
    count = 0
    exact = step["exact"] or step["value"]
    found = redone(step["figures"])
    if found is not None and plain_number(exact):
        assert found == number(exact), step
        count += 1
    for call in step["calls"]:
        terms = [t for t in call["terms"] if plain_number(t.strip("()"))]
        if call["call"].split("(")[0].endswith("sum") and call["terms"] and len(terms) == call["count"]:
            assert sum(number(t.strip("()")) for t in terms) == number(call["value"].strip("()")), call
            count += 1
    return count


def all_steps(x: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from x["steps"]
    for rows in x["lists"].values():
        for row in rows:
            yield from row["steps"]
    for group in x["groups"]:
        yield from group["steps"]


def entries(folder: Path) -> Iterator[tuple[Any, Any]]:
    """The compiled rulebook of an atlas case, with each of its examples."""
    sink = Sink()
    compiled = compile_file(folder / "rulebook.yaml", folder.name, sink)
    assert compiled is not None
    for file in sorted((folder / "examples").glob("*.yaml")):
        node = load_yaml(file, file.name, sink)
        assert node is not None
        for entry in read_entries(node, sink):
            yield compiled.plan, entry


def explanations(plan: Any, entry: Any, **options: Any) -> Sequence[Explanation]:
    found = explain_entry(plan, entry, Sink(), **options)
    return found if isinstance(found, tuple) else ()


@pytest.mark.parametrize("folder", ATLAS, ids=lambda p: p.name)
def test_figures_can_be_redone(folder: Path) -> None:
    """In every case of the atlas: figures amount to what is shown, terms to their sums, parts to what was divided."""
    count = 0
    for plan, entry in entries(folder):
        for found in explanations(plan, entry, grouped=False):
            x = json.loads(json.dumps(document(found, "")))
            count += sum(redo(step) for step in all_steps(x))
            for rows in x["lists"].values():
                given: dict[tuple[str, str], list[dict[str, Any]]] = {}
                for step in (s for row in rows for s in row["steps"] if s["spread"]):
                    given.setdefault((step["name"], step["spread"]["group"] or ""), []).append(step)
                for parts in given.values():
                    spread = parts[0]["spread"]
                    if len(parts) == spread["parts"]:
                        assert sum(number(p["value"]) for p in parts) == number(spread["whole"])
    assert count > 20


@pytest.mark.parametrize("folder", ATLAS, ids=lambda p: p.name)
def test_every_value_is_in_the_text(folder: Path) -> None:
    """The text shows the value of every step of every row, within 80 columns, in both languages."""
    for plan, entry in entries(folder):
        for language in ("en", "zh"):
            for x in explanations(plan, entry, language=language):
                text = render(x, language=language, detail="steps", columns=80)
                assert max(width(line) for line in text.splitlines()) <= 80
                words = flat(text)
                steps = [*x.steps, *(s for g in x.groups for s in g.steps)]
                steps += [s for found in x.lists for row in found.rows for s in row.steps]
                for step in steps:
                    assert flat(step.shown.rpartition(" = ")[2]) in words, step


# ---- lists ----


def test_json_of_lines(tmp_path: Path) -> None:
    """Rows stand in their order with inputs and steps; amounts are strings."""
    x = explained(*files(tmp_path, LINES, BILL))
    rows = x["lists"]["lines"]
    assert [row["order"] for row in rows] == [{"line_no": n} for n in "1234"]
    assert rows[1]["inputs"] == {"line_no": "2", "code": "x", "class": "B", "quantity": "1.5", "amount": "100.05"}
    names = ["prior", "counted", "place", "same_code", "used", "pays", "fund_part"]
    assert sorted(s["name"] for s in rows[1]["steps"]) == sorted(names)
    prior = next(s for s in rows[1]["steps"] if s["name"] == "prior")
    assert (prior["value"], prior["exact"], prior["clause"]) == ("10.01", "10.005", "class = B")
    assert prior["because"] == "class B: a part is paid first"
    assert (prior["formula"], prior["figures"], prior["cite"]) == ("amount * prior_rate", "100.05 * 10%", ["list, 3"])
    assert prior["uses"][0]["name"] == "prior_rate"
    # What was there before is still there.
    assert {"steps", "not_applied", "shares", "totals", "checks", "windows", "assumptions"} <= x.keys()
    assert x["totals"] == {"fund_pays": "150.00", "patient_pays": "133.38"}


def test_calls_say_what_they_went_over(tmp_path: Path) -> None:
    """Sums with their terms, ranks, tests with the row that decides; each row by its number."""
    args = files(tmp_path, LINES, BILL)
    x = explained(*args)
    calls = {c["call"]: c for s in x["steps"] for c in s["calls"]}
    assert calls["sum(lines.amount)"]["terms"] == ["100.00", "100.05", "50.00", "33.33"]
    assert calls["sum(lines.amount)"]["rows"] == ["1", "2", "3", "4"]
    assert calls["sum(lines.amount where lines.class = C)"]["rows"] == ["3"]
    assert calls["any(lines.class = C)"]["rows"] == ["3"]
    assert calls["all(lines.amount < ¥150)"]["rows"] == ["1", "2", "3", "4"]
    assert calls["count(distinct lines.code)"]["terms"] == ["y", "x", "x", "z"]
    second = {s["name"]: s for s in x["lists"]["lines"][1]["steps"]}
    assert second["place"]["calls"][0]["value"] == "1"
    assert second["place"]["calls"][0]["rows"] == ["1", "2", "4"]
    assert second["pays"]["calls"][0] | {"terms": ["100.00"], "rows": ["1"]} == second["pays"]["calls"][0]
    text = flat(run(*args).stdout)
    assert "over 100.00 + 100.05 + 50.00 + 33.33 (lines 1, 2, 3, 4)" in text
    assert "above.sum(pays) = 150.00: 100.00 + 50.00 + 0.00 (lines 1, 2, 3)" in text
    assert "max(lines.amount where lines.class = A) = 100.00: 100.00, 33.33 (lines 1, 4)" in text
    assert "2 100.00, 100.05, 33.33 (lines 1, 2, 4) 1" in text  # the rank of line 2


def test_formula_once_figures_per_line(tmp_path: Path) -> None:
    """`steps` shows each formula that decided once, and under it every line; `full` shows every line by itself."""
    args = files(tmp_path, LINES, BILL)
    text = run(*args, "--detail", "steps").stdout
    assert text.count("amount * prior_rate") == 1
    assert text.count("min(counted, max(0, maximum - above.sum(pays)))") == 1
    assert "100.05 * 10% = 10.005 ->" in text
    assert "half-up to 0.01" in text
    full = run(*args, "--detail", "full").stdout
    assert full.count("above.sum(pays)))") == 4
    assert "Not applied: class B: a part is paid first, because class is A, not B" in flat(full)
    assert "tested    class = B  (A = B)" in full
    assert full.count("rulebook.yaml:") > 20


def test_the_overview_lines_up(tmp_path: Path) -> None:
    """The table of the lines has the same width in every row, Chinese columns counted double."""
    args = files(tmp_path, LINES, BILL)
    for language in ("en", "zh"):
        lines = run(*args, "--lang", language).stdout.splitlines()
        start = next(at for at, line in enumerate(lines) if "[lines]" in line)
        rule = next(line for line in lines[start:] if set(line.strip()) == {"-", " "})
        body = lines[lines.index(rule) + 1 : lines.index(rule) + 5]
        assert [line.split()[0] for line in body] == ["1", "2", "3", "4"]
        assert max(width(line) for line in body) == width(rule)
        assert body[1].split()[1:5] == ["x", "B", "1.5", "100.05"]


def test_many_lines_fold_into_tables_beside_their_order(tmp_path: Path) -> None:
    """What does not fit in the width goes on in a second table that repeats the order."""
    text = run(*files(tmp_path, LINES, BILL)).stdout
    assert text.count("  line_no  ") == 2
    assert "lists" not in text


def test_a_spread_adds_up(tmp_path: Path) -> None:
    """Parts with their exact share, the method, and their sum."""
    args = files(tmp_path, LINES, BILL)
    parts = [s for row in explained(*args)["lists"]["lines"] for s in row["steps"] if s["name"] == "fund_part"]
    assert sum(Fraction(p["value"]) for p in parts) == 150
    for part in parts:
        spread = part["spread"]
        exact = number(spread["whole"]) * number(spread["weight"]) / number(spread["weights"])
        assert exact == Fraction(part["exact"] or part["value"])
        assert spread["method"] == "largest remainder"
    text = flat(run(*args).stdout)
    assert "formula fund over lines by counted" in text
    assert "150.00 * 90.04 / 223.37 = 1350600/22337 = 60.464699.. -> 60.47" in text
    assert "rounded largest remainder: cut to the minor unit" in text
    shown = [p["value"] for p in parts]
    assert f"adds up {' + '.join(shown)} = 150.00" in text


def test_windows_over_earlier_lines_name_the_episodes(tmp_path: Path) -> None:
    """A line's own window call says which episodes it saw; without any it is an assumption."""
    earlier = "earlier:\n  - episode: {episode_id: E0, person_id: P, discharge_date: 2025-02-01, maximum: 5}\n"
    earlier += "    lines: [{line_no: 1, code: x, class: A, quantity: 4, amount: 9.00}]\n"
    args = files(tmp_path, LINES, BILL + earlier)
    rows = explained(*args)["lists"]["lines"]
    used = [next(s for s in row["steps"] if s["name"] == "used") for row in rows]
    assert [s["value"] for s in used] == ["0", "4", "4", "0"]
    assert used[1]["calls"][0]["rows"] == ["E0"]
    assert "over 4 (E0, 2025-02-01)" in flat(run(*args, "--detail", "full").stdout)
    alone = explained(*files(tmp_path, LINES, BILL))
    assert any("this_year.lines.code = code" in call for call in alone["assumptions"])


def test_line_groups_show_their_lines_and_who_read_them(tmp_path: Path) -> None:
    """A group inside the bill has its keys, lines and figures; its reader says how many lines it comes from."""
    args = files(tmp_path, LINES, BILL)
    x = explained(*args)
    groups = {g["keys"]["class_of"]: g for g in x["groups"]}
    assert groups["A"]["members"] == ["1", "4"]
    assert groups["A"]["steps"][0]["value"] == "133.33"
    read = next(s for s in x["steps"] if s["name"] == "dear_class")["groups"][0]
    assert (read["name"], read["value"], read["source"], read["members"]) == (
        "by_class[B].spent",
        "100.05",
        "computed",
        1,
    )
    text = flat(run(*args).stdout)
    assert "by_class: class_of A from lines 1, 4" in text
    assert "over 100.00 + 33.33 (lines 1, 4)" in text
    assert "group by_class[B].spent = 100.05 (computed from one member)" in text


def test_findings_follow_the_shares(tmp_path: Path) -> None:
    """A finding has its severity, row, words, figures and amount; one that is an error makes the exit code 1."""
    args = files(tmp_path, LINES, BILL)
    result = run(*args)
    assert result.return_value == 1
    assert result.stdout.index("Who bears each yuan") < result.stdout.index("ERROR: more than ten of one item")
    found = explained(*args)["checks"]
    assert len(found) == 1
    assert (found[0]["severity"], found[0]["say"], found[0]["amount"]) == (
        "error",
        "more than ten of one item",
        "100.00",
    )
    assert (found[0]["level"], found[0]["row"], found[0]["figures"]) == ("lines", {"line_no": "1"}, "11 > 10")
    assert "错误：同一项目超过十个" in run(*args, "--lang", "zh").stdout
    assert "错误" in run(*args, "--lang", "zh", "--detail", "brief").stdout
    calm = run(*files(tmp_path, LINES, BILL.replace("quantity: 11", "quantity: 9")))
    assert calm.return_value == 0
    assert "more than ten" not in calm.stdout


def test_texts_fit_in_both_languages(tmp_path: Path) -> None:
    """No line passes 80 columns, and the fixed words are translated."""
    for language, detail, text in texts(*files(tmp_path, LINES, BILL)):
        assert max(width(line) for line in text.splitlines()) <= 80
        if language == "zh" and detail == "steps":
            assert "费用明细 [lines]：4 行" in text
            assert "最大余数法" in text
            for word in ("largest", "adds up", "over ", "rows", "formula", "from "):
                assert word not in re.sub(r"over lines by|from_", "", text), word


def test_a_bill_without_lines(tmp_path: Path) -> None:
    """An empty list is said to be empty; sums over it name no rows."""
    args = files(tmp_path, LINES, BILL.split("lines:")[0])
    text = flat(run(*args).stdout)
    assert "Items [lines]: no rows" in text
    assert "over no lines" in text
    assert explained(*args)["lists"] == {"lines": []}


def test_a_refused_bill_still_shows_its_lines(tmp_path: Path) -> None:
    """A number given twice refuses the bill: its lines stand as they were read, without results."""
    args = files(tmp_path, LINES, BILL.replace("line_no: 3", "line_no: 1"))
    x = explained(*args)
    assert x["problem"]["code"] == "RX805"
    assert [row["order"]["line_no"] for row in x["lists"]["lines"]] == ["1", "1", "2", "4"]
    assert all(row["steps"] == [] for row in x["lists"]["lines"])
    result = run(*args)
    assert result.return_value == 1
    assert "REFUSED RX805" in result.stdout


def test_a_reversal_has_lines_without_formulas(tmp_path: Path) -> None:
    """The lines of a reversal are the original's with the sign changed; nothing was computed."""
    undo = "    lines: []\n  - episode: {episode_id: E2, person_id: P, discharge_date: 2025-04-01, maximum: 0, reverses_id: E1}\n"
    rows = "".join("    " + line + "\n" for line in BILL.split("\n", 1)[1].splitlines())
    bills = "episodes:\n  - " + BILL.split("\n")[0] + "\n" + rows + undo.replace("    lines: []\n", "")
    x = explained(*files(tmp_path, LINES, bills))[1]
    assert x["reverses"] == "E1"
    assert x["totals"]["fund_pays"] == "-150.00"
    for row in x["lists"]["lines"]:
        assert all(s["formula"] == "" and s["calls"] == [] for s in row["steps"])
    if x["lists"]["lines"]:
        assert sum(Fraction(s["value"]) for r in x["lists"]["lines"] for s in r["steps"] if s["name"] == "pays") == -150


# ---- groups across bills ----


def test_a_group_is_shown_with_its_members(tmp_path: Path) -> None:
    """Keys, inputs, members and figures of the group that the bill read, and where its values stand in the bill."""
    args = files(tmp_path, GROUPS, TOGETHER.format(budget="1000", barred="no"))
    x = explained(*args)[1]
    group = x["groups"][0]
    assert group["keys"] == {"area": "north", "year": "2024"}
    assert (group["inputs"], group["members"], group["given"]) == ({"budget": "1000.00"}, ["A", "B", "C"], False)
    steps = {s["name"]: s for s in group["steps"]}
    assert steps["point_value"]["value"] == "90.9091"
    assert steps["all_points"]["calls"][0]["terms"] == ["3", "6", "2"]
    paid = next(s for s in x["steps"] if s["name"] == "paid")
    assert paid["groups"] == [
        {"name": "region_year[north, 2024].point_value", "value": "90.9091", "source": "computed", "members": 3, "incomplete": False}
    ]  # fmt: skip
    bonus = next(s for s in x["steps"] if s["name"] == "bonus")
    assert (bonus["spread"]["group"], bonus["spread"]["parts"]) == ("region_year[north, 2024]", 3)
    assert sum(Fraction(s["value"]) for y in explained(*args) for s in y["steps"] if s["name"] == "bonus") == Fraction(
        bonus["spread"]["whole"]
    )
    assert x["outputs"]["bonus"] == bonus["value"]
    other = next(s for s in x["steps"] if s["name"] == "other")
    assert other["groups"][0]["source"] == "none"
    text = flat(run(*args).stdout)
    assert "region_year[north, 2024].point_value = 90.9091 (computed from 3 members)" in text
    assert "A region's year [region_year]: area north, year 2024 from episodes A, B, C given Budget = 1,000.00" in text
    assert "part of region_year[north, 2024], which gives" in text
    assert "before.last(left) = missing (none before)" in text


def test_a_given_group_is_said_to_be_given(tmp_path: Path) -> None:
    """Results given with the episode are shown as given, not as computed."""
    book = GROUPS.replace("paid + bonus", "paid").replace("    spread: {bonus", "    label_: {bonus")
    book = re.sub(r"\n    label_:.*", "", book).replace("[paid, bonus, final, other]", "[paid, final, other]")
    bill = "groups: {region_year: {point_value: 8.1234}}\n"
    bill += "episode: {episode_id: A, region: north, discharge_date: 2024-03-01, points: 3}\n"
    args = files(tmp_path, book, bill)
    x = explained(*args)
    assert x["problem"] is None
    assert x["groups"][0]["given"] is True
    assert x["groups"][0]["results"] == {"point_value": "8.1234"}
    assert x["steps"][0]["groups"][0]["source"] == "given"
    text = flat(run(*args).stdout)
    assert "region_year.point_value = 8.1234 (given, not computed here)" in text
    assert "8.1234 * 3" in text


def test_a_part_of_a_given_group_is_refused_in_words(tmp_path: Path) -> None:
    """What a given group divides over its members cannot be known from one of them."""
    bill = "groups: {region_year: {point_value: 8.1234}}\n"
    bill += "episode: {episode_id: A, region: north, discharge_date: 2024-03-01, points: 3}\n"
    x = explained(*files(tmp_path, GROUPS, bill))
    assert x["problem"]["code"] == "RX821"
    assert "bonus" in x["problem"]["message"]


def test_an_incomplete_group_is_said_plainly(tmp_path: Path) -> None:
    """A member refused afterwards leaves the results that read the group incomplete: said in text and data, exit code 1."""
    args = files(tmp_path, GROUPS, TOGETHER.format(budget="1000", barred="yes"))
    first, _, refused = explained(*args)
    assert first["group_incomplete"] == ["region_year"]
    assert first["groups"][0]["rejected"] == 1
    assert next(s for s in first["steps"] if s["name"] == "paid")["groups"][0]["incomplete"] is True
    assert refused["problem"]["code"] == "RX721"
    result = run(*args)
    assert result.return_value == 1
    assert "INCOMPLETE (group_incomplete): members of region_year were refused" in flat(result.stdout)
    assert "不完整（group_incomplete）" in run(*args, "--lang", "zh", "--detail", "brief").stdout


def test_findings_on_a_group_are_shown_with_the_bill(tmp_path: Path) -> None:
    """A group's own check stands among the findings, named by its keys; a warning leaves the exit code 0."""
    args = files(tmp_path, GROUPS, TOGETHER.format(budget="2000", barred="no"))
    result = run(*args)
    assert result.return_value == 0
    assert "region_year, area north, year 2024" in result.stdout
    found = explained(*args)[0]["checks"][0]
    assert (found["level"], found["severity"], found["amount"]) == ("region_year", "warn", "81.82")


def test_group_texts_fit(tmp_path: Path) -> None:
    """No line passes 80 columns in either language."""
    for _, _, text in texts(*files(tmp_path, GROUPS, TOGETHER.format(budget="2000", barred="yes"))):
        assert max(width(line) for line in text.splitlines()) <= 80


# ---- what the other commands say of them ----


def test_plan_shows_all_levels(tmp_path: Path) -> None:
    """Lists, groups, spreads, checks and the order of evaluation stand in text, JSON and graph."""
    args = files(tmp_path, LINES, BILL)
    book = args[3]
    text = run("plan", book).stdout
    for part in (
        "list lines", "rows in order of line_no", "group by_class", "of lines by class_of = class; inside one bill",
        "lines.fund_part", "fund of the episode over lines by counted", "error  lines", "amount amount", "phase 0",
        "row by row of lines: lines.pays", "by_class.members",
    ):  # fmt: skip
        assert part in text, part
    assert max(len(line) for line in text.splitlines()) <= 96
    data = json.loads(run("plan", book, "--format", "json").stdout)
    assert [x["name"] for x in data["lists"]] == ["lines"]
    assert data["lists"][0]["order"] == ["line_no"]
    pays = next(s for s in data["lists"][0]["steps"] if s["name"] == "pays")
    assert set(pays["reads"]) == {"counted", "episode.maximum", "pays"}
    assert data["groups"][0] | {"of": "lines", "inside": "bill", "keys": {"class_of": "class"}} == data["groups"][0]
    assert [(s["name"], s["over"], s["by"]) for s in data["spreads"]] == [("fund_part", "lines", "counted")]
    assert [c["severity"] for c in data["checks"]] == ["error", "info"]
    blocks = data["blocks"]
    assert {"level": "lines", "name": "pays"} in next(b for b in blocks if b["through"] == "lines")["items"]
    graph = run("plan", book, "--format", "dot").stdout
    assert '"lines.amount" -> "total";' in graph
    assert '"fund" -> "lines.fund_part";' in graph
    assert 'subgraph "cluster_lines"' in graph


def test_plan_shows_phases_of_groups_across_bills() -> None:
    """Groups across bills: what the episodes do before and after them stands in phases."""
    text = run("plan", str(next(p for p in ATLAS if p.name == "japan-high-cost"))).stdout
    for part in ("of episodes by household = household_id", "across bills", "follow each other by household", "phase 2",
                 "group by group of household_month", "benefit of household_month over episodes by counted_copay"):  # fmt: skip
        assert part in flat(text), part


def test_check_counts_what_it_read(tmp_path: Path) -> None:
    """The summary counts windows, lists, groups, spreads and checks, and what every list and group holds."""
    book = files(tmp_path, LINES, BILL)[3]
    text = run("check", book).stdout
    assert "5 inputs, 1 parameter, 0 tables, 1 window, 1 list, 1 group, 8 steps, 2 parts, 1 check" in text
    assert "lines: 5 inputs, 6 steps, 1 spread, 1 check" in text
    assert "by_class: 1 key, 1 step" in text
    read = json.loads(run("check", book, "--format", "json").stdout)[0]["read"]
    assert read["lines"]["steps"] == 6
    assert read["episode"]["checks"] == 1
