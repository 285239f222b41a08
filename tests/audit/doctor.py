"""Bills spoiled on purpose: computed by `rxcalc explain` on a changed bill or by a changed copy of the rulebook's text.

Knows nothing of how audits look for causes.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from rxcalc.cli.main import cli

HERE = Path(__file__).parent
RULEBOOKS = HERE.parents[1] / "rulebooks"


class _Loader(yaml.SafeLoader):
    """Reads every scalar as it is written."""


_Loader.yaml_implicit_resolvers = {}


def read(name: str) -> Any:
    """A data file of this folder."""
    return yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=_Loader)


def spoiled(bill: Mapping[str, Any], case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The amounts of a bill with one or more things wrong, by the names under `charged:`."""
    entry = changed(bill["entry"], case)
    rulebook = str(case.get("rulebook", bill["rulebook"]))
    if "rules" in case or "table" in case:
        rulebook = copied(rulebook, case, folder)
    else:
        rulebook = rulebook_of({"rulebook": rulebook})
    return amounts(entry, rulebook, case.get("charged") or bill["charged"], folder)


def changed(entry: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with what a case says done to it."""
    found = copy.deepcopy(dict(entry))
    found["episode"].update(case.get("set") or {})
    for name in case.get("unset") or ():
        del found["episode"][name]
    if "row" in case:
        row = next(r for r in found["lines"] if r["line_no"] == case["row"]["at"])
        row.update({k: v for k, v in case["row"]["set"].items() if v not in ("null", None)})
        for name in [k for k, v in case["row"]["set"].items() if v in ("null", None)]:
            del row[name]
    if "drop_row" in case:
        found["lines"] = [r for r in found["lines"] if r["line_no"] != case["drop_row"]["at"]]
    if "drop_earlier" in case:
        found["earlier"] = [e for e in found["earlier"] if e["episode"]["episode_id"] != case["drop_earlier"]]
    if "so_far" in case:
        found["so_far"] = case["so_far"] if isinstance(case["so_far"], dict) else {}
    return found


def copied(name: str, case: Mapping[str, Any], folder: Path) -> str:
    """A copy of a shipped rulebook with its text changed; each text must be found."""
    base, _, version = name.partition("@")
    source = HERE.parents[1] / base if "/" in base else RULEBOOKS / base
    target = folder / "rules" / source.name
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("examples"))
    file = target / (f"rulebook@{version}.yaml" if version else "rulebook.yaml")
    text = file.read_text(encoding="utf-8")
    for old, new in case.get("rules") or ():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    if "table" in case:
        table, old, new = case["table"]
        path = target / "tables" / table
        content = path.read_text(encoding="utf-8")
        assert old in content, old
        path.write_text(content.replace(old, new), encoding="utf-8")
    return str(file)


def amounts(entry: Mapping[str, Any], rulebook: str, names: Sequence[str], folder: Path) -> dict[str, Any]:
    """What `rxcalc explain` gives for some steps, parts, totals and steps of rows."""
    file = folder / "spoiled.json"
    file.write_text(json.dumps(entry, ensure_ascii=False), encoding="utf-8")
    result = run("explain", str(file), "-r", rulebook, "--format", "json")
    assert result.stdout, result.stderr
    x = json.loads(result.stdout)
    assert x["problem"] is None, x["problem"]
    known = {s["name"]: s["value"] for s in x["steps"]} | x["totals"]
    known |= {f"{p['bearer']}.{p['part']}": p["amount"] for p in x["shares"] if p["part"]}
    charged: dict[str, Any] = {}
    for name in names:
        if name.startswith("lines."):
            _, line, step = name.split(".")
            row = next((r for r in x["lists"]["lines"] if r["order"].get("line_no") == line), None)
            if row is not None:
                value = next(s["value"] for s in row["steps"] if s["name"] == step)
                charged.setdefault("lines", {}).setdefault(line, {})[step] = value
        else:
            charged[name] = known[name] if known[name] is not None else "missing"
    return charged


def audited(
    bill: Mapping[str, Any], charged: Mapping[str, Any], folder: Path, *options: str
) -> tuple[dict[str, Any], int]:
    """The audit of the bill as it is right, with amounts charged; the document and the exit code."""
    file = folder / "bill.json"
    file.write_text(json.dumps({**bill["entry"], "charged": charged}, ensure_ascii=False), encoding="utf-8")
    result = run("audit", str(file), "-r", rulebook_of(bill), "--format", "json", *options)
    assert result.stdout, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found, int(result.return_value or 0)


def rulebook_of(bill: Mapping[str, Any]) -> str:
    """The rulebook of a bill as commands take it: a shipped name, or a path from here."""
    name = str(bill["rulebook"])
    return str(HERE.parents[1] / name) if "/" in name else name


def run(*args: str) -> Any:
    """The program with arguments."""
    return CliRunner().invoke(cli, [*args], catch_exceptions=False, standalone_mode=False)


def is_meant(cause: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a cause found is the one that a case names."""
    return all(found.get(key) == (value if value != "null" else None) for key, value in cause.items())


def spoiled_or_none(bill: Mapping[str, Any], case: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    """The amounts of a spoiled bill; None where the rules refuse it."""
    try:
        return spoiled(bill, case, folder)
    except AssertionError:
        return None


def pairs(cases: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    """Every two neighbouring cases of one bill, with both as one case, where they do not touch the same."""
    by_bill: dict[str, list[Mapping[str, Any]]] = {}
    for case in cases:
        if "rulebook" not in case and "charged" not in case:
            by_bill.setdefault(str(case["bill"]), []).append(case)
    found = []
    for own in by_bill.values():
        for a, b in zip(own, [*own[1:], own[0]], strict=True):
            both = _joined(a, b) if a is not b else None
            if both is not None and (len(own) > 2 or a is own[0]):
                found.append((both, a, b))
    return found


def _joined(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any] | None:
    """Two cases as one; None where they change the same thing."""
    fields = [set(case.get("set") or ()) | set(case.get("unset") or ()) for case in (a, b)]
    if fields[0] & fields[1] or any(
        key in a and key in b for key in ("row", "drop_row", "drop_earlier", "so_far", "table")
    ):
        return None
    joined: dict[str, Any] = {"bill": a["bill"]}
    for key in ("row", "drop_row", "drop_earlier", "so_far", "table"):
        if key in a or key in b:
            joined[key] = a.get(key, b.get(key))
    joined["set"] = {**(a.get("set") or {}), **(b.get("set") or {})}
    joined["unset"] = [*(a.get("unset") or ()), *(b.get("unset") or ())]
    rules = [*(a.get("rules") or ()), *(b.get("rules") or ())]
    if len({old for old, _ in rules}) < len(rules):
        return None
    if rules:
        joined["rules"] = rules
    return joined
