"""Overlays: how documents are laid over each other, what may be extended, and what `base` is."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

import rxcalc
from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.diagnostics.model import Severity, Sink
from rxcalc.diagnostics.text import render
from rxcalc.driver import cached, find
from rxcalc.driver.api import RulebookError
from rxcalc.driver.compile import Compiled, compile_file
from rxcalc.plan.codec import decode, encode
from rxcalc.plan.nodes import Plan
from rxcalc.report.text import render as explained
from rxcalc.rulebook.bases import MAX_BASES
from rxcalc.rulebook.document import Mapping, Node, Scalar, Sequence
from rxcalc.rulebook.load import load_document
from rxcalc.rulebook.overlay import Overlays
from rxcalc.rulebook.schema import rulebook_schema

GROUND = """\
rxcalc: 1
rulebook: ground
title: Ground
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
status: illustrative
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
  listed: {type: flag}
parameters:
  rate: {type: percent, values: {2025-01-01: 80%}}
  flat: {type: money, values: {2025-01-01: 5}}
steps:
  due:
    label: {en: Due, zh: 应付}
    rule: total * rate / 3
  pays: {rule: due + flat}
outputs: [pays]
"""
HEAD = """\
rxcalc: 1
rulebook: mine
extends: {extends}
version: "2"
effective: {{from: 2025-01-01, by: day}}
"""
BILL = {"episode_id": "E1", "day": "2025-03-03", "total": "100", "listed": False}


def write(folder: Path, **files: str) -> Path:
    """Files in folders of their own: `my="..."` is `my/rulebook.yaml`. Returns the path of `my`."""
    for name, text in files.items():
        path = folder / name / "rulebook.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "my" / "rulebook.yaml"


def overlay(body: str = "", extends: str = "../ground") -> str:
    """An overlay with these sections."""
    return HEAD.format(extends=extends) + body


def compiled(path: Path) -> tuple[Compiled | None, Sink]:
    """The compiled rulebook and what was said."""
    sink = Sink()
    return compile_file(path, f"{path.parent.name}/{path.name}", sink), sink


def codes(path: Path) -> list[str]:
    """The codes of everything that is said of a rulebook."""
    return [d.code for d in compiled(path)[1].sorted()]


def plan_of(path: Path) -> Plan:
    """The plan of a rulebook without errors."""
    found, sink = compiled(path)
    assert found is not None, "\n".join(render(d, sink.files) for d in sink.sorted())
    return found.plan


def merged(path: Path) -> Mapping:
    """What an overlay and its bases are together."""
    sink = Sink()
    document = load_document(path, path.name, sink)
    assert document is not None
    whole = Overlays(path, path.name, find.base, sink).resolved(document)
    assert whole is not None, [d.message for d in sink]
    return whole.root


def at(node: Node, path: str) -> Node:
    """The node at a path."""
    for name in path.split("/"):
        assert isinstance(node, Mapping)
        found = node.get(name)
        assert found is not None, name
        node = found
    return node


def keys(node: Node, path: str) -> list[str]:
    """The keys of the mapping at a path."""
    found = at(node, path)
    assert isinstance(found, Mapping)
    return [entry.key.text for entry in found.entries]


# ---- laying over -----------------------------------------------------------------------------


def test_sections_keep_the_order_of_the_base(tmp_path: Path) -> None:
    """What is changed stays in its place, what is new comes after, what is removed is gone."""
    body = """\
changes:
  steps: {due: {rule: total}}
adds:
  steps: {more: {rule: pays * 2}}
  windows: {all_before: {all: yes}}
  guarantees: [pays <= total]
  outputs: [more]
removes: [parameters.rate]
"""
    root = merged(write(tmp_path, ground=GROUND, my=overlay(body)))
    assert keys(root, "steps") == ["due", "due@base", "pays", "more"]
    assert keys(root, "parameters") == ["flat"]
    assert [e.key.text for e in root.entries][-2:] == ["windows", "guarantees"]
    outputs = at(root, "outputs")
    assert isinstance(outputs, Sequence)
    assert [i.text for i in outputs.items if isinstance(i, Scalar)] == ["pays", "more"]


def test_every_scalar_keeps_its_own_file(tmp_path: Path) -> None:
    """Places of changed things are in the overlay, those of all else in the base."""
    root = merged(write(tmp_path, ground=GROUND, my=overlay("changes: {steps: {due: {rule: total}}}\n")))
    files = {path: at(root, path).span.file for path in ("steps/due", "steps/pays", "steps/due@base", "rulebook")}
    assert files == {
        "steps/due": "rulebook.yaml",
        "steps/due@base": "../ground/rulebook.yaml",
        "steps/pays": "../ground/rulebook.yaml",
        "rulebook": "rulebook.yaml",
    }


LEVELS = """\
lines:
  inputs: {line_no: {type: count}, amount: {type: money}}
  order: [line_no]
  steps: {x: {rule: amount}, y: {rule: x}, gone: {rule: x}}
  checks: [{when: x > ¥5, say: high}]
lists:
  steps: {inputs: {n: {type: count}}, order: [n], steps: {inputs: {rule: n}}}
groups:
  g: {of: lines, by: {n: line_no}, steps: {s: {rule: sum(lines.x)}}}
  old: {of: lines, by: {n: line_no}, steps: {s: {rule: sum(lines.x)}}}
"""


def test_the_parts_of_lists_and_groups_are_reached(tmp_path: Path) -> None:
    """Steps of lines, of a list (even one called `steps`) and of groups are changed, added and removed one by one."""
    body = """\
changes:
  lines: {order: [amount, line_no], steps: {y: {rule: base * 2}}}
  lists: {steps: {steps: {inputs: {rule: base + 1}}}}
  groups: {g: {by: {n: amount}, steps: {s: {rule: base / 2}}}}
adds:
  lines: {steps: {z: {rule: y}}, requires: [amount > ¥0], checks: [{when: z > ¥9, say: higher}]}
  lists: {premiums: {inputs: {m: {type: count}}}}
  groups: {g: {steps: {t: {rule: s}}}, h: {of: lines, by: {n: line_no}}}
removes: [lines.steps.gone, groups.old]
"""
    root = merged(write(tmp_path, ground=GROUND + LEVELS, my=overlay(body)))
    assert keys(root, "lines/steps") == ["x", "y", "y@base", "z"]
    assert keys(root, "lines") == ["inputs", "order", "steps", "checks", "requires"]
    assert keys(root, "lists") == ["steps", "premiums"]
    assert keys(root, "lists/steps/steps") == ["inputs", "inputs@base"]
    assert keys(root, "groups") == ["g", "h"]
    assert keys(root, "groups/g/steps") == ["s", "s@base", "t"]
    assert keys(root, "groups/g/by") == ["n"]
    checks = at(root, "lines/checks")
    assert isinstance(checks, Sequence)
    assert len(checks.items) == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("changes: {lines: {steps: {q: {rule: x}}}}", "RX156"),
        ("changes: {groups: {k: {steps: {s: {rule: s}}}}}", "RX156"),
        ("changes: {groups: {g: {windows: {w: {all: yes}}}}}", "RX156"),
        ("adds: {groups: {g: {of: lines}}}", "RX157"),
        ("adds: {lines: {steps: {x: {rule: amount}}}}", "RX157"),
        ("removes: [groups.g.steps.q]", "RX156"),
        ("removes: [lines.steps.x.rule]", "RX156"),
        ("changes: {groups: {g: {steps: {s: {rule: s}}}}}\nremoves: [groups.g]", "RX159"),
        ("removes: [groups.g, groups.g.steps.s]", "RX159"),
        ("removes: [inputs]", "RX135"),
        ("removes: [version]", "RX135"),
        ("adds: {groups: {base: {of: lines, by: {n: line_no}}}}", "RX162"),
        ("adds: {lines: {inputs: {base: {type: money}}}}", "RX162"),
        ("adds: {sequence: {by: day, order: [day]}}\ncurrency: CNY", "RX161"),
        ("title: A\nchanges: {title: B}", "RX111"),
    ],
)
def test_slips_inside_levels(body: str, expected: str, tmp_path: Path) -> None:
    """Each slip has its own message, and nothing else is said."""
    assert codes(write(tmp_path, ground=GROUND + LEVELS, my=overlay(body + "\n"))) == [expected]


def test_the_head_is_the_overlays(tmp_path: Path) -> None:
    """Name, version, dates and title are never the base's; currency and rounding are, unless changed."""
    ground = plan_of(write(tmp_path, my=GROUND))
    plan = plan_of(write(tmp_path, ground=GROUND, my=overlay("changes: {rounding: down}\n")))
    assert (ground.rulebook, ground.title, ground.rounding) == ("ground", (("", "Ground"),), "half-up")
    assert (plan.rulebook, plan.version, plan.title) == ("mine", "2", ())
    assert (plan.currency, plan.rounding) == ("CNY", "down")


def test_a_status_holds_for_the_values_of_its_own_file(tmp_path: Path) -> None:
    """An overlay that calls itself sourced does not make the base's values so."""
    body = "status: sourced\nchanges: {parameters: {flat: {type: money, values: {2025-01-01: 6}}}}\n"
    assert dict(plan_of(write(tmp_path, ground=GROUND, my=overlay(body))).evidence) == {
        "sourced": 1,
        "illustrative": 1,
        "fictional": 0,
        "unmarked": 0,
    }


def test_many_changes_take_linear_time(tmp_path: Path) -> None:
    """Five thousand parameters changed, and as many removed, cost a moment."""
    many = "".join(f"  p{n}: {{type: money, values: {{2025-01-01: {n}}}}}\n" for n in range(5_000))
    more = many.replace("  p", "  q")
    ground = GROUND.replace("parameters:\n", "parameters:\n" + many + more)
    body = "changes:\n  parameters:\n" + "".join(
        f"    p{n}: {{type: money, values: {{2025-01-01: {n + 1}}}}}\n" for n in range(5_000)
    )
    body += "removes: [" + ", ".join(f"parameters.q{n}" for n in range(5_000)) + "]\n"
    path = write(tmp_path, ground=ground, my=overlay(body))
    sink = Sink()
    document = load_document(path, path.name, sink)
    assert document is not None
    base = load_document(tmp_path / "ground" / "rulebook.yaml", "g", sink)
    assert base is not None
    from rxcalc.rulebook.laying import lay_over

    start = time.process_time()
    root = lay_over(base.root, document.root, sink, {})
    assert time.process_time() - start < 2
    assert root is not None
    assert len(keys(root, "parameters")) == 5_002


# ---- what may be extended --------------------------------------------------------------------


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A linked file, a linked folder, and a folder whose rulebook is a link are all followed first."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    write(outside, ground=GROUND)
    path = write(inside, my=overlay(extends="../there"))
    (inside / "there").symlink_to(outside / "ground")
    assert codes(path) == ["RX152"]
    (inside / "there").unlink()
    (inside / "there").mkdir()
    (inside / "there" / "rulebook.yaml").symlink_to(outside / "ground" / "rulebook.yaml")
    assert codes(path) == ["RX152"]
    path.write_text(overlay(extends="../link.yaml"), encoding="utf-8")
    (inside / "link.yaml").symlink_to(outside / "ground" / "rulebook.yaml")
    assert codes(path) == ["RX152"]


def test_a_link_inside_the_folder_is_fine(tmp_path: Path) -> None:
    """A linked folder that stays inside is followed."""
    path = write(tmp_path, ground=GROUND, my=overlay("adds: {messages: {hi: Hi}}\n", extends="../there"))
    (tmp_path / "there").symlink_to(tmp_path / "ground")
    assert codes(path) == []


def test_an_overlay_cannot_climb_by_its_bases(tmp_path: Path) -> None:
    """The folder above the outermost overlay bounds the bases of its bases too."""
    inner = tmp_path / "a" / "b"
    body = "changes: {rounding: down}\n"
    path = write(inner, my=overlay(body, extends="../mid.yaml"))
    (inner / "mid.yaml").write_text(overlay(body, extends="../top.yaml"), encoding="utf-8")
    (tmp_path / "a" / "top.yaml").write_text(GROUND, encoding="utf-8")
    assert codes(inner / "mid.yaml") == []
    assert codes(path) == ["RX152"]


@pytest.mark.parametrize("kind", ["fifo", "loop", "device", "long", "folder"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    """A pipe is not waited for, a loop of links not followed for ever, a device not read."""
    path = write(tmp_path, my=overlay(extends="../there.yaml"))
    there = tmp_path / "there.yaml"
    match kind:
        case "fifo":
            os.mkfifo(there)
        case "loop":
            there.symlink_to(tmp_path / "other.yaml")
            (tmp_path / "other.yaml").symlink_to(there)
        case "device":
            there.symlink_to("/dev/zero")
        case "long":
            path.write_text(overlay(extends="../" + "x" * 5_000 + ".yaml"), encoding="utf-8")
        case _:
            there.mkdir()
    assert codes(path) == [
        {"fifo": "RX153", "loop": "RX151", "device": "RX152", "long": "RX151", "folder": "RX153"}[kind]
    ]


def test_a_folder_with_several_rulebooks_must_be_told_apart(tmp_path: Path) -> None:
    """The message names the files."""
    path = write(tmp_path, ground=GROUND, my=overlay())
    (tmp_path / "ground" / "rulebook@2.yaml").write_text(GROUND, encoding="utf-8")
    (found,) = compiled(path)[1].sorted()
    assert found.code == "RX151"
    assert "rulebook@2.yaml" in found.message
    path.write_text(overlay("adds: {messages: {hi: Hi}}\n", extends="../ground/rulebook@2.yaml"), encoding="utf-8")
    assert codes(path) == []


def chain(folder: Path, length: int) -> Path:
    """`length` overlays on top of each other; the path of the uppermost."""
    write(folder, v0=GROUND)
    for n in range(1, length + 1):
        text = overlay("changes: {steps: {due: {rule: base + ¥1}}}\n", extends=f"../v{n - 1}")
        write(folder, **{f"v{n}": text})
    return folder / f"v{length}" / "rulebook.yaml"


def test_a_chain_of_overlays_has_an_end(tmp_path: Path) -> None:
    """Sixteen rulebooks below one are computed through; more are refused with one message."""
    plan = plan_of(chain(tmp_path, MAX_BASES))
    assert len(plan.bases) == MAX_BASES
    assert [s.name for s in plan.steps if s.lazy][-1] == "due@base"
    assert rxcalc.load(tmp_path / f"v{MAX_BASES}").evaluate(BILL).steps["due"] == Fraction(4267, 100)
    (found,) = compiled(chain(tmp_path, 100))[1].sorted()
    assert found.code == "RX155"
    assert found.primary.span.file == "v84/rulebook.yaml"


def test_a_base_that_is_no_rulebook_is_never_quoted(tmp_path: Path) -> None:
    """Not a word of a file without `rxcalc:` reaches a message."""
    path = write(tmp_path, ground="password: hunter2\n", my=overlay())
    found, sink = compiled(path)
    assert found is None
    (diagnostic,) = sink.sorted()
    assert diagnostic.code == "RX120"
    assert "hunter2" not in render(diagnostic, sink.files)
    assert "../ground" in render(diagnostic, sink.files)


def test_a_shipped_name_does_not_depend_on_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word without slash is a shipped rulebook even where a folder of that name stands beside."""
    write(tmp_path, qin=GROUND)
    monkeypatch.chdir(tmp_path)
    body = "adds: {messages: {hi: Hi}}\n"
    text = overlay(body, extends="qin").replace("by: day", "by: discharge_date")
    assert plan_of(write(tmp_path, my=text)).bases[0].file.endswith("rulebooks/qin/rulebook.yaml")
    assert codes(write(tmp_path, my=text.replace("extends: qin", "extends: qin@2019.1"))) == []
    (found,) = compiled(write(tmp_path, my=overlay(body, extends="ground"), ground=GROUND))[1].sorted()
    assert "`../ground`" in found.help[0]


def test_errors_of_a_base_stand_in_the_base(tmp_path: Path) -> None:
    """Each is told once, at its own place, with the `extends:` that led there."""
    ground = GROUND.replace("total * rate / 3", "total * total").replace("due + flat", "due + flet")
    found, sink = compiled(write(tmp_path, ground=ground, my=overlay("changes: {rounding: down}\n")))
    assert found is None
    assert [(d.code, d.primary.span.file) for d in sink.sorted()] == [
        ("RX401", "ground/rulebook.yaml"),
        ("RX301", "ground/rulebook.yaml"),
    ]
    assert all(d.related[-1].span.file == "my/rulebook.yaml" for d in sink.sorted())


def test_what_was_replaced_need_not_be_right(tmp_path: Path) -> None:
    """A slip in a rule that the overlay replaces, and does not read, is no slip of the overlay."""
    ground = GROUND.replace("total * rate / 3", "total * rat (")
    body = "changes: {steps: {due: {rule: total * rate}}}\n"
    assert codes(write(tmp_path, ground=ground, my=overlay(body))) == []
    body = "changes: {steps: {due: {rule: base * rate}}}\n"
    assert codes(write(tmp_path, ground=ground, my=overlay(body))) == ["RX202"]


# ---- the hash and the cache ------------------------------------------------------------------

TABLES = """\
tables:
  price: {file: tables/price.csv, key: [episode_id], columns: {amount: money}}
"""


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compile cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RXCALC_CACHE", raising=False)
    return tmp_path / "cache" / "rxcalc"


def priced(folder: Path, amount: str = "10") -> Path:
    """An overlay of a base that reads a table."""
    ground = GROUND.replace("due + flat", "due + flat + price[episode_id].amount").replace(
        "steps:\n", TABLES + "steps:\n"
    )
    ground = ground.replace(
        "{rule: due + flat + price[episode_id].amount}", '{rule: "due + flat + price[episode_id].amount"}'
    )
    path = write(folder, ground=ground, my=overlay("changes: {steps: {due: {rule: base * 3}}}\n"))
    (folder / "ground" / "tables").mkdir(exist_ok=True)
    (folder / "ground" / "tables" / "price.csv").write_text(f"episode_id,amount\nE1,{amount}\n", encoding="utf-8")
    return path


def test_the_hash_covers_every_file(tmp_path: Path) -> None:
    """A changed base or a changed table of the base gives another hash."""
    first = plan_of(priced(tmp_path))
    assert first.files == ("../ground/rulebook.yaml", "../ground/tables/price.csv")
    again = plan_of(priced(tmp_path))
    assert again == first
    assert plan_of(priced(tmp_path, "11")).digest != first.digest
    base = tmp_path / "ground" / "rulebook.yaml"
    base.write_text(base.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    (tmp_path / "ground" / "tables" / "price.csv").write_text("episode_id,amount\nE1,10\n", encoding="utf-8")
    assert plan_of(tmp_path / "my" / "rulebook.yaml").digest != first.digest


def test_a_changed_base_never_meets_an_old_plan(tmp_path: Path, own_cache: Path) -> None:
    """Base, table of the base, or the place that `extends:` leads to: each change is seen through the cache."""
    path = priced(tmp_path)

    def pays() -> object:
        return rxcalc.load(path).evaluate(BILL).steps["pays"]

    assert pays() == 95
    assert len(list(own_cache.glob("*.plan"))) == 1
    assert pays() == 95
    priced(tmp_path, "11")
    assert pays() == 96
    base = tmp_path / "ground" / "rulebook.yaml"
    base.write_text(base.read_text(encoding="utf-8").replace("80%", "90%"), encoding="utf-8")
    assert pays() == 106
    # A second rulebook in the base's folder: nobody can say any more which one is meant.
    (tmp_path / "ground" / "rulebook@2.yaml").write_text(GROUND, encoding="utf-8")
    with pytest.raises(RulebookError):
        pays()
    (tmp_path / "ground" / "rulebook@2.yaml").unlink()
    assert pays() == 106


def test_the_cache_looks_where_a_link_leads(tmp_path: Path, own_cache: Path) -> None:
    """A link that leads to another base of the same text, in a place that is refused, is refused."""
    inside = tmp_path / "inside"
    path = write(inside, ground=GROUND, my=overlay("changes: {rounding: down}\n", extends="../there.yaml"))
    (inside / "there.yaml").symlink_to(inside / "ground" / "rulebook.yaml")
    assert rxcalc.load(path).evaluate(BILL).problem is None
    assert list(own_cache.glob("*.plan"))
    write(tmp_path, outside=GROUND)
    (inside / "there.yaml").unlink()
    (inside / "there.yaml").symlink_to(tmp_path / "outside" / "rulebook.yaml")
    with pytest.raises(RulebookError, match="not inside the folder"):
        rxcalc.load(path)


def test_a_plan_of_an_overlay_is_written_and_read_back(tmp_path: Path) -> None:
    """The JSON of a plan holds its bases and what is computed on demand."""
    plan = plan_of(priced(tmp_path))
    assert decode(encode(plan)) == plan
    assert [s.name for s in decode(encode(plan)).steps if s.lazy] == ["due@base"]
    assert cached.STAGES[1] == "rulebook"


# ---- base ------------------------------------------------------------------------------------


def test_a_rule_that_does_not_read_base_leaves_nothing_behind(tmp_path: Path) -> None:
    """Only what is read becomes a step."""
    plan = plan_of(write(tmp_path, ground=GROUND, my=overlay("changes: {steps: {due: {rule: total * rate}}}\n")))
    assert [s.name for s in plan.steps] == ["due", "pays"]


def test_base_is_never_a_result(tmp_path: Path) -> None:
    """It is in no outcome, no list of results, no schema, and no expectation may name it."""
    path = write(tmp_path, ground=GROUND, my=overlay("changes: {steps: {due: {rule: base * 3}}}\n"))
    rulebook = rxcalc.load(path)
    assert list(rulebook.evaluate(BILL).steps) == ["due", "pays"]
    from rxcalc.inputs.schema import episode_schema

    assert "@" not in str(episode_schema(rulebook.plan))


def test_base_is_explained_only_where_it_was_used(tmp_path: Path) -> None:
    """Its line bears the label of the old rule and the file in which that stands; so do all rules of an overlay."""
    body = 'changes: {steps: {due: {rule: "if listed then ¥0 else base * 3"}}}\n'
    rulebook = rxcalc.load(write(tmp_path, ground=GROUND, my=overlay(body)))
    used, unused = rulebook.explain(BILL), rulebook.explain({**BILL, "listed": True})
    assert [s.name for s in used.steps] == ["due@base", "due", "pays"]
    assert [s.name for s in unused.steps] == ["due", "pays"]
    first = used.steps[0]
    assert first.label.startswith("Due (as in ")
    assert first.label.endswith("/ground/rulebook.yaml)")
    assert (first.value, first.exact) == ("26.67", "80/3 = 26.666666..")
    assert rulebook.explain(BILL, language="zh").steps[0].label.startswith("应付（按 ")
    assert [(Path(s.file).parent.name, s.line) for s in used.steps] == [("ground", 20), ("my", 6), ("ground", 21)]
    assert explained(used).count("rule at") == 3


def test_base_inside_a_window_and_a_mapped_rate(tmp_path: Path) -> None:
    """What surrounds the reader, an earlier episode or the name before `->`, does not reach the old rule."""
    ground = """\
rxcalc: 1
rulebook: ground
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
inputs:
  episode_id: {type: code}
  person_id: {type: code}
  day: {type: date}
  total: {type: money}
sequence: {by: person_id, order: [day, episode_id]}
windows: {ever: {all: yes}}
parameters:
  scale: {type: bands of percent over money, values: {2025-01-01: [{to: 100, is: 40%}, {is: 80%}]}}
steps:
  factor: {type: percent, rule: "if bands(scale, total, rate -> rate * 50%) > ever.sum(total) then 50% else 100%"}
  seen: {type: count, rule: ever.count(where ever.total > ¥50)}
outputs: [factor, seen]
"""
    body = """\
changes:
  steps:
    factor: {type: percent, rule: "if bands(scale, total, rate -> rate * base) > ¥39 then base else 0%"}
    seen: {type: count, rule: ever.count(where ever.total > ¥1 * base and ever.total > ¥10 * base)}
"""
    rulebook = rxcalc.load(write(tmp_path, ground=ground, my=overlay(body)))
    earlier = [
        {"episode_id": f"E{n}", "person_id": "P", "day": f"2025-01-0{n}", "total": total}
        for n, total in enumerate(("20", "60", "9"), start=1)
    ]
    # First 20: 8 > 0 is 50%, 20 x 40% x 50% = 4 is no more than 39: 0%. Seen: base 0, no episode.
    # At the bill of 200: base sees 60 only: 1; more than 10 are 20 and 60: 2. bands 100 x 20% + 100 x 40% = 60 > 89? no:
    # 100%; 100 x 40% + 100 x 80% = 120 > 39: 100%.
    bill = {"episode_id": "E9", "person_id": "P", "day": "2025-02-01", "total": "200"}
    alone = rulebook.evaluate({**bill, "total": "20"})
    assert (alone.steps["factor"], alone.steps["seen"]) == (0, 0)
    explanation = rulebook.explain(bill, earlier=earlier)
    assert dict(explanation.outputs) == {"factor": "100%", "seen": "2"}


def test_a_reject_in_the_old_rule_names_the_step(tmp_path: Path) -> None:
    """The name behind which the old rule stands is never shown in a reject."""
    ground = GROUND.replace(
        "    rule: total * rate / 3", "    rule: |\n      when total > ¥50 then reject\n      otherwise total"
    )
    path = write(tmp_path, ground=ground, my=overlay("changes: {steps: {due: {rule: base * 3}}}\n"))
    problem = rxcalc.load(path).evaluate(BILL).problem
    assert problem is not None
    assert (problem.code, problem.field) == ("RX721", "due")


def test_a_circle_through_base_is_found(tmp_path: Path) -> None:
    """An old rule that reads a step which now reads the new one is a circle, with its path."""
    body = "changes: {steps: {pays: {rule: base + ¥1}, due: {rule: pays}}}\n"
    found = [d for d in compiled(write(tmp_path, ground=GROUND, my=overlay(body)))[1] if d.severity is Severity.ERROR]
    assert [d.code for d in found] == ["RX307"]
    assert "pays@base" in found[0].message


# ---- commands --------------------------------------------------------------------------------


def run(*args: str) -> tuple[object, str]:
    """A command's exit code and all it printed."""
    result = CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)
    return result.return_value, result.output


def test_commands_take_overlays(tmp_path: Path, own_cache: Path) -> None:
    """check, plan, explain and batch of an overlay; a base is never overwritten by a result."""
    path = priced(tmp_path)
    code, said = run("check", str(path))
    assert (code, "2 steps" in said, "laid over  ../ground/rulebook.yaml" in said) == (0, True, True)
    code, said = run("plan", str(path))
    assert code == 0
    assert "laid over ../ground/rulebook.yaml" in said
    assert "computed where `base` is read" in said
    episodes = tmp_path / "episodes.csv"
    episodes.write_text("episode_id,day,total,listed\nE1,2025-03-03,100,no\nE2,2025-03-03,100,no\n", encoding="utf-8")
    code, said = run("batch", str(episodes), "-r", str(path), "-o", str(tmp_path / "results.csv"))
    assert code == 1, said
    assert (tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()[1] == "E1,2025-03-03,100,no,95.00"
    assert "RX731" in said
    bill = tmp_path / "bill.yaml"
    bill.write_text("episode: {episode_id: E1, day: 2025-03-03, total: 100, listed: no}\n", encoding="utf-8")
    code, said = run("explain", str(bill), "-r", str(path))
    assert code == 0
    assert "as in" in said
    for kept in ("ground/rulebook.yaml", "ground/tables/price.csv"):
        before = (tmp_path / kept).read_bytes()
        with pytest.raises(Failure):
            run("explain", str(bill), "-r", str(path), "-o", str(tmp_path / kept))
        assert (tmp_path / kept).read_bytes() == before


def test_the_schema_for_editors_takes_overlays() -> None:
    """It accepts an overlay, and refuses one that says nothing of its base or holds a section of its own."""
    schema = rulebook_schema()
    Draft202012Validator.check_schema(schema)

    def accepted(text: str) -> bool:
        return Draft202012Validator(schema).is_valid(yaml.load(text, Loader=yaml.BaseLoader))

    body = "changes: {steps: {due: {rule: base}}, lines: {steps: {x: total}}}\nremoves: [parameters.rate]\n"
    assert accepted(GROUND)
    assert accepted(overlay(body))
    assert not accepted(overlay(body).replace("extends: ../ground\n", ""))
    assert not accepted(overlay(body + "steps: {due: {rule: total}}\n"))
    assert not accepted(overlay(body.replace("rule: base", "rul: base")))


def test_check_counts_the_errors_of_a_base(tmp_path: Path) -> None:
    """The errors of a base are shown with the base's place."""
    path = write(tmp_path, ground=GROUND.replace("due + flat", "due + flet"), my=overlay("changes: {rounding: up}\n"))
    code, said = run("check", str(path))
    assert code == 1
    assert f"{tmp_path.name}/ground/rulebook.yaml:21:22" in said
    assert "1 error" in said
