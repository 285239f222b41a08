"""Any bytes given as rulebook, table, episode, examples or CSV yield diagnostics or rejects: no traceback, no hang."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import generate
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rxcalc.cli.main import cli

REPOSITORY = Path(__file__).parents[2]
SHIPPED = tuple(
    (REPOSITORY / "rulebooks" / name / "rulebook.yaml").read_bytes() for name in ("qin", "beijing-employee")
)
EXAMPLES = tuple(
    file.read_bytes()
    for name in ("qin", "beijing-employee")
    for file in sorted((REPOSITORY / "rulebooks" / name / "examples").glob("*.yaml"))
)
MADE = tuple(generate.rulebook(seed) for seed in (1, 2, 3, 5, 11, 27))
WITH_TABLES = tuple(made for made in MADE if made.tables)
RULEBOOKS = (*SHIPPED, *(made.text.encode() for made in MADE))
EPISODE = b"""\
rulebook: beijing-employee
episode: {episode_id: E7, person_id: P1, person_class: retired, level: level_3, discharge_date: 2025-06-30,
          total: 189085.85, in_scope: 164411.81}
earlier: [{episode: {episode_id: E6, person_id: P1, person_class: retired, level: level_3, discharge_date: 2025-03-31,
          total: 9000, in_scope: 8000}}]
so_far: {"this_year.count()": 1, "this_year.sum(pool_pays)": 8240.49, "this_year.sum(large_amount_pays)": 0}
"""
CSV = """\
episode_id,person_id,person_class,level,discharge_date,total,in_scope
E1,P1,active,level_3,2025-01-05,12000.00,11000.00
E2,P1,在职,三级,2025-02-05,"1,200.50",1100.00
E3,P2,retired,2,2025/03/31,500,400.01
E4,P2,retired,level_1,2024-12-31,100000000.00,0.00
""".encode()
JUNK = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\r\n",
        b"\n",
        b"\t",
        b"\x1b[31m",
        b"\x85",
        b"\xe2\x80\xae",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x92\xa9",
    ),
    *(
        b"'",
        b'"',
        b'""',
        b"{",
        b"}",
        b"[",
        b"]",
        b"- ",
        b": ",
        b"&a ",
        b"*a",
        b"!!python/object ",
        b"|",
        b">",
        b"#",
        b"%",
        b"---\n",
        b"<<: ",
        b"? ",
    ),
    *(
        b"9" * 40,
        b"1e999",
        b"-0",
        b"0.000000001",
        b"2025-02-30",
        b"0000-00-00",
        b"9999-12-31",
        b"none",
        b"null",
        b"NaN",
        b"1_0",
        b"100%",
    ),
    *(
        b"(" * 200,
        b"[" * 200,
        b"not " * 300,
        b"- - - - ",
        b"x" * 5000,
        b"a + " * 2000 + b"a",
        b"/ 0",
        b"* 0",
        b" at ",
        b" where ",
        b" -> ",
        b" .. ",
        b"if ",
    ),
)


class TooSlow(Exception):
    """An invocation took too long."""


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(*args: str, stdin: bytes | None = None) -> Result:
    """A command's result; any exception that is not click's own comes through."""
    with _limited(20):
        result = CliRunner().invoke(cli, [*args], input=stdin, catch_exceptions=False)
    assert "Traceback" not in result.output
    assert result.exit_code in (0, 1, 2), result.output[-500:]
    return result


def mutated(content: bytes, r: Random) -> bytes:
    """The content with a few random changes."""
    for _ in range(r.choice((1, 1, 1, 2, 3, 8))):
        at = r.randrange(len(content) + 1)
        length = r.choice((0, 1, 1, 2, 10, 100))
        match r.randrange(7):
            case 0:
                content = content[:at] + content[at + length :]
            case 1:
                content = content[:at] + r.choice(JUNK) + content[at:]
            case 2:
                content = content[:at] + r.choice(JUNK) + content[at + length :]
            case 3:
                content = content[:at] + bytes([r.randrange(256)]) + content[at + 1 :]
            case 4:
                lines = content.split(b"\n")
                one, other = r.randrange(len(lines)), r.randrange(len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                content = b"\n".join(lines)
            case 5:
                words = content.split(b" ")
                words[r.randrange(len(words))] = r.choice(words)
                content = b" ".join(words)
            case _:
                lines = content.split(b"\n")
                lines.insert(r.randrange(len(lines)), r.choice(lines))
                content = b"\n".join(lines)
    return content


def _many(sources: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Mutations of real files, and now and then any bytes at all."""
    real = st.builds(
        lambda source, seed: mutated(source, Random(seed)), st.sampled_from(sources), st.integers(0, 2**40)
    )
    return st.one_of(real, real, real, st.binary(max_size=300))


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=QUIET)
LONG = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=QUIET)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compile cache of these runs stands apart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _with_tables(folder: Path) -> None:
    """The tables of the shipped rulebooks beside a copy of one."""
    for name in ("qin", "beijing-employee"):
        if (REPOSITORY / "rulebooks" / name / "tables").is_dir():
            shutil.copytree(REPOSITORY / "rulebooks" / name / "tables", folder / "tables", dirs_exist_ok=True)


def _as_rulebook(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _with_tables(folder)
        for made in MADE:
            for table, text in made.tables.items():
                (folder / table).write_text(text, encoding="utf-8")
        path = folder / "rulebook.yaml"
        path.write_bytes(content)
        if run("check", str(path)).exit_code == 0:
            run("test", str(path))
            run("check", str(path), "--format", "json")


OVERLAY = b"""\
rxcalc: 1
rulebook: mine
title: {en: Qin with a list, zh: "\xe7\xa7\xa6"}
extends: ../ground
version: "1"
effective: {from: 2020-01-01, by: discharge_date}
changes:
  steps:
    fund_pays:
      rule: |
        when listed then 0  because "on the list"
        when total_cost > CNY 100 and base > CNY 1 then min(base, CNY 5_000)
        otherwise base
    deductible_due: {rule: "min(base, total_cost)"}
  parameters: {rate: {type: percent, values: {2019-01-01: 90%}}}
  outputs: [fund_pays, patient_pays, extra]
adds:
  inputs: {listed: {type: flag}}
  steps: {extra: {rule: total_cost / 2}}
removes: [guarantees]
"""


def _as_overlay(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place, text in (("ground", SHIPPED[0]), ("my", content)):
            (folder / place).mkdir()
            _with_tables(folder / place)
            (folder / place / "rulebook.yaml").write_bytes(text)
        if run("check", str(folder / "my")).exit_code == 0:
            run("plan", str(folder / "my"))


def _as_base(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place, text in (("ground", content), ("my", OVERLAY)):
            (folder / place).mkdir()
            _with_tables(folder / place)
            (folder / place / "rulebook.yaml").write_bytes(text)
        run("check", str(folder / "my"))


def _as_table(content: bytes) -> None:
    made = WITH_TABLES[len(content) % len(WITH_TABLES)]
    with tempfile.TemporaryDirectory() as name:
        path = made.write(Path(name))
        for table in made.tables:
            (path.parent / table).write_bytes(content)
        run("check", str(path))


def _as_episode(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bill.yaml"
        path.write_bytes(content)
        for rulebook in ("qin", "beijing-employee"):
            run("explain", str(path), "-r", rulebook)
        run("explain", "-", "--format", "json", stdin=content)


def _as_examples(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").mkdir()
        _with_tables(folder)
        (folder / "rulebook.yaml").write_bytes(SHIPPED[0])
        (folder / "examples" / "bills.yaml").write_bytes(content)
        run("test", str(folder))


def _as_csv(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "episodes.csv"
        path.write_bytes(content)
        run("batch", str(path), "-r", "beijing-employee", "-o", str(Path(name) / "results.csv"), "--threads", "1")


KINDS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "rulebook": (_as_rulebook, RULEBOOKS),
    "overlay": (_as_overlay, (OVERLAY,)),
    "base": (_as_base, SHIPPED[:1]),
    "table": (_as_table, tuple(text.encode() for made in MADE for text in made.tables.values())),
    "episode": (_as_episode, (EPISODE, EPISODE, *EXAMPLES)),
    "examples": (_as_examples, EXAMPLES),
    "csv": (_as_csv, (CSV,)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_untouched_files_are_fine(kind: str) -> None:
    """The files that are mutated are sound, so that mutations reach behind the first check."""
    give, sources = KINDS[kind]
    for source in sources:
        give(source)
    if kind == "csv":
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "episodes.csv"
            path.write_bytes(CSV)
            done = run("batch", str(path), "-r", "beijing-employee", "-o", str(Path(name) / "results.csv"))
            assert (Path(name) / "results.csv").exists(), done.output


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_bytes_give_diagnostics(kind: str) -> None:
    """Some mutated files of each kind: exit code 0, 1 or 2, messages, no traceback."""
    give, sources = KINDS[kind]
    QUICK(given(_many(sources))(give))()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_many_hostile_bytes_give_diagnostics(kind: str) -> None:
    """Many mutated files of each kind: exit code 0, 1 or 2, messages, no traceback."""
    give, sources = KINDS[kind]
    LONG(given(_many(sources))(give))()
