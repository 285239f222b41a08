"""`fmt` over every rulebook at hand, whatever its spaces: one spelling, nothing lost, the same plan."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random

import generate
import levels
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mangle import indented, mangled

from rxcalc.diagnostics.model import Sink
from rxcalc.driver.compile import compile_file
from rxcalc.driver.fmt import Unformatted, formatted
from rxcalc.plan.nodes import Place
from rxcalc.source import Span

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "rulebooks").glob("*/rulebook*.yaml"))
ATLAS = sorted((ROOT / "tests" / "cases" / "atlas").glob("*/rulebook*.yaml"))
RUNS = sorted((ROOT / "tests" / "cases" / "runs").rglob("rulebook*.yaml"))
EXAMPLES = sorted(p for folder in ("rulebooks", "tests/cases") for p in (ROOT / folder).rglob("examples/*.y*ml"))


def spelled(text: str) -> str:
    """The formatted text; formatting it again changes nothing."""
    sink = Sink()
    found = formatted("f.yaml", text.encode(), sink)
    assert not isinstance(found, Unformatted), (found, [d.message for d in sink])
    assert formatted("f.yaml", found.encode(), Sink()) == found
    return found


def bare(value: object) -> object:
    """A plan without the places of its rules and the hash of its file."""
    if isinstance(value, Place | Span) or callable(value):
        return None
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(bare(item) for item in value)
    if is_dataclass(value):
        return {f.name: bare(getattr(value, f.name)) for f in fields(value) if f.name != "digest"}
    return value


def plan_of(path: Path) -> object:
    sink = Sink()
    compiled = compile_file(path, "f.yaml", sink)
    assert compiled is not None, [d.message for d in sink]
    return bare(compiled.plan), bare(compiled.hints)


def comments(text: str) -> list[str]:
    """Every comment, in order. Texts in quotes may hold a sharp sign too; they are in both files."""
    return [found.strip() for found in re.findall(r"(?:^|\s)(#.*)", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("copies")
    shutil.copytree(ROOT / "rulebooks", folder / "rulebooks")
    shutil.copytree(ROOT / "tests" / "cases", folder / "tests" / "cases")
    yield folder
    shutil.rmtree(folder)


def check_file(path: Path, seed: int, *, tries: int = 1) -> None:
    """One spelling for the file and its mangled forms, and the plan that it had."""
    text = path.read_text(encoding="utf-8")
    plan = plan_of(path)
    canonical = spelled(text)
    assert comments(canonical) == comments(text)
    for number in range(tries):
        other = mangled(text, Random(seed + number))
        path.write_bytes(other.encode())
        assert plan_of(path) == plan
        assert spelled(other) == canonical
    wide = spelled(indented(text))
    for form in (canonical, wide):
        path.write_text(form, encoding="utf-8")
        assert plan_of(path) == plan
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", [*SHIPPED, *ATLAS], ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_rulebooks_keep_their_plan(path: Path, copies: Path) -> None:
    """Every shipped rulebook and every one of the atlas."""
    check_file(copies / path.relative_to(ROOT), 1)


@pytest.mark.parametrize("part", range(4))
def test_small_rulebooks_keep_their_plan(part: int, copies: Path) -> None:
    """Every rulebook of the run cases, overlays among them."""
    for path in RUNS[part::4]:
        mine = copies / path.relative_to(ROOT)
        if compile_file(mine, "f.yaml", Sink()) is not None:
            check_file(mine, 2)


@pytest.mark.parametrize("seed", range(12))
def test_generated_rulebooks_keep_their_plan(seed: int, tmp_path: Path) -> None:
    """Random rulebooks, without levels and with them."""
    (tmp_path / "flat").mkdir()
    for path in (generate.rulebook(seed).write(tmp_path / "flat"), _with_levels(seed, tmp_path)):
        if compile_file(path, "f.yaml", Sink()) is not None:
            check_file(path, seed, tries=2)


def _with_levels(seed: int, folder: Path) -> Path:
    path = folder / "levels.yaml"
    path.write_text(levels.Writer(seed).write().text, encoding="utf-8")
    return path


def test_examples_keep_what_they_say() -> None:
    """Files of examples: one spelling whatever its spaces, comments kept."""
    for number, path in enumerate(EXAMPLES[::3]):
        text = path.read_text(encoding="utf-8")
        canonical = spelled(text)
        assert comments(canonical) == comments(text), path
        assert spelled(mangled(text, Random(number))) == canonical, path


PIECES = st.sampled_from(
    [
        *(
            "a",
            "b1",
            ": ",
            ":",
            "- ",
            "-",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "\n",
            "\n\n",
            "\n  ",
            "\n    ",
            "  ",
            " # c",
            "#",
            "|\n  ",
            ">\n ",
        ),
        *(
            "|+\n   ",
            "|-\n ",
            '"',
            "'",
            "'x y'",
            '"x\\"y"',
            "? ",
            "1_000",
            "¥5",
            "rule: ",
            "a+b",
            "when a then b",
            "~",
            "---\n",
            "中",
        ),
    ]
)


@given(st.lists(PIECES, max_size=30), st.sampled_from(["rxcalc: 1\n", "- example: x\n  ", "episode: {a: 1}\n", ""]))
@settings(deadline=None, max_examples=400)
def test_any_text(pieces: list[str], head: str) -> None:
    """Whatever the text: refused with a reason, or one spelling that formatting again does not change."""
    sink = Sink()
    found = formatted("f.yaml", (head + "".join(pieces)).encode(), sink)
    if isinstance(found, Unformatted):
        assert "found no spelling" not in found.message, head + "".join(pieces)
        assert sink.has_errors or found.help
    else:
        assert formatted("f.yaml", found.encode(), Sink()) == found
