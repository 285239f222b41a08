"""Hostile and absurd use: what outputs may replace, closed streams, planted caches, long chains, total rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAD = """\
rxcalc: 1
rulebook: r
version: "1"
currency: CNY
rounding: half-up
effective: {from: 2020-01-01, by: d}
inputs:
  episode_id: {type: code}
  d: {type: date}
  total: {type: money}
  n: {type: number, default: 0}
"""
RULEBOOK = HEAD + "steps:\n  pay: {rule: total * 50%}\noutputs: [pay]\n"
ROWS = "episode_id,d,total\nA,2024-01-01,10.00\nB,2024-01-01,20.00\n"


def rx(*args: str, cwd: Path, shell: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rxcalc", *args]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cwd / "cache"), **env}
    if shell:
        line = " ".join(f"'{part}'" for part in command) + " " + shell
        return subprocess.run(
            ["sh", "-c", line], capture_output=True, text=True, check=False, cwd=cwd, env=surroundings, timeout=60
        )
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=surroundings, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "r.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "in.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "bill.yaml").write_text("episode: {episode_id: A, d: 2024-01-01, total: 10.00}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        ("batch", "in.csv", "-r", "r.yaml", "-o", "r.yaml"),
        ("batch", "in.csv", "-r", "r.yaml", "-o", "out.csv", "--summary", "r.yaml"),
        ("batch", "in.csv", "-r", "r.yaml", "--columns", "map.yaml", "-o", "map.yaml"),
        ("batch", "in.csv", "-r", "r.yaml", "-o", "pipe"),
        ("explain", "bill.yaml", "-r", "r.yaml", "-o", "bill.yaml"),
        ("explain", "bill.yaml", "-r", "r.yaml", "-o", "r.yaml"),
        ("explain", "bill.yaml", "-r", "r.yaml", "-o", "pipe"),
    ],
)
def test_outputs_never_replace_what_is_read_or_no_file(args: tuple[str, ...], folder: Path) -> None:
    """An output over the rulebook, the column map, the bill or a pipe is refused with exit code 2, and nothing changes."""
    os.mkfifo(folder / "pipe")
    (folder / "map.yaml").write_text("episode_id: episode_id\n", encoding="utf-8")
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    result = rx(*args, cwd=folder)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before


def test_links_are_followed_and_modes_kept(folder: Path) -> None:
    """Writing to a link replaces the file behind it, and a private file stays private."""
    real = folder / "real.csv"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o600)
    (folder / "link.csv").symlink_to(real)
    assert rx("batch", "in.csv", "-r", "r.yaml", "-o", "link.csv", cwd=folder).returncode == 0
    assert (folder / "link.csv").is_symlink()
    assert "5.00" in real.read_text(encoding="utf-8")
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "word", ["合计", "合 计", "合计：", "小计", "total", "Total:", "tOTAL", "subtotal", "grand total", "Grand Total"]
)
def test_total_rows_are_never_paid(word: str, folder: Path) -> None:
    """A row named as a total is recognised whatever its other cells hold."""
    (folder / "in.csv").write_text(f"{ROWS}{word},2024-01-01,30.00\n{word},,30.00\n", encoding="utf-8")
    assert rx("batch", "in.csv", "-r", "r.yaml", "-o", "out.csv", cwd=folder).returncode == 0
    summary = json.loads((folder / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["counts"] == {"read": 4, "written": 2, "rejected": 0, "totals": 2, "blank": 0}
    assert summary["totals"]["total"]["totals"] == "60.00"


@pytest.mark.parametrize(
    ("shell", "code"),
    [(">&-", (0, 2)), ("<&-", (0,)), (">/dev/full", (2,)), ("| head -1 >/dev/null", (0,))],
    ids=["closed out", "closed in", "full", "head"],
)
def test_streams_may_be_closed_or_full(shell: str, code: tuple[int, ...], folder: Path) -> None:
    """A closed or full standard stream ends with a message and the right code, never as a fault of rxcalc."""
    result = rx("explain", "bill.yaml", "-r", "r.yaml", cwd=folder, shell=shell)
    assert result.returncode in code
    assert "RX902" not in result.stderr
    assert "Traceback" not in result.stderr


def test_standard_input_may_be_closed(folder: Path) -> None:
    """`-` without a standard input says so."""
    result = rx("explain", "-", "-r", "r.yaml", cwd=folder, shell="<&-")
    assert result.returncode == 2
    assert "RX902" not in result.stderr


def test_terminals_without_chinese(folder: Path) -> None:
    """A terminal that cannot show Chinese gets escapes."""
    result = rx("explain", "bill.yaml", "-r", "r.yaml", "--lang", "zh", cwd=folder, PYTHONIOENCODING="latin-1")
    assert result.returncode == 0
    assert "\\u" in result.stdout


def test_planted_cache_entries_are_not_believed(folder: Path) -> None:
    """A cache entry that others could write, a pipe and a link are not read; the rulebook is compiled again."""
    first = rx("explain", "bill.yaml", "-r", "r.yaml", cwd=folder)
    (entry,) = (folder / "cache" / "rxcalc").glob("*.plan")
    text = entry.read_text(encoding="utf-8")
    for plant in ("writable", "pipe", "link", "wrong"):
        entry.unlink()
        if plant == "pipe":
            os.mkfifo(entry)
        elif plant == "link":
            entry.symlink_to("/dev/zero")
        else:
            head, _, body = text.partition("\n")
            from hashlib import sha256

            body = body.replace('["f","1/2"]', '["f","9/10"]' if plant == "writable" else '["q",1]')
            entry.write_text(f"{sha256(body.encode()).hexdigest()}\n{body}", encoding="utf-8")
            if plant == "writable":
                entry.chmod(0o666)
            del head
        result = rx("explain", "bill.yaml", "-r", "r.yaml", cwd=folder)
        assert result.stdout == first.stdout, plant
        assert result.returncode == 0


def test_names_cannot_steer_the_terminal(folder: Path) -> None:
    """Escapes in a folder's name come out escaped."""
    evil = folder / "ev\x1b[31mil\x07"
    evil.mkdir()
    (evil / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    for command in ("check", "test"):
        result = rx(command, str(evil), cwd=folder)
        assert "\x1b" not in result.stdout + result.stderr
        assert "\x07" not in result.stdout + result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_batch_says_how_to_go_on(number: int, folder: Path) -> None:
    """A batch that is told to end keeps the old results, and its parts in a folder of their own; `--resume` ends what it began."""
    with (folder / "in.csv").open("w", encoding="utf-8") as out:
        out.write("episode_id,d,total\n")
        out.writelines(f"E{at:08d},2024-01-01,{at}.00\n" for at in range(600_000))
    (folder / "out.csv").write_text("old", encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "rxcalc", "batch", "in.csv", "-r", "r.yaml", "-o", "out.csv"]
    process = subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while time.monotonic() < until and not list(folder.glob(".out.rxcalc/*.part")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert b"Traceback" not in stderr
    assert list(folder.glob(".*.part")) == []
    if process.returncode != 0:  # it may have been done before the signal came
        assert process.returncode in (130, 128 + number)
        assert (folder / "out.csv").read_text(encoding="utf-8") == "old"
        assert b"with --resume to go on" in stderr
        resumed = subprocess.run([*command, "--resume"], cwd=folder, env=env, capture_output=True, check=False)
        assert resumed.returncode == 0, resumed.stderr
    assert len((folder / "out.csv").read_bytes().splitlines()) == 600_001
    assert list(folder.glob(".out*")) == []


def test_long_chains_and_many_clauses_end(folder: Path) -> None:
    """2,000 steps in reverse order compile; 150 clauses over two fields are analysed within seconds."""
    last = 1_999
    chain = "".join(f'  s{at}: {{rule: "{"total" if at == last else f"s{at + 1}"}"}}\n' for at in range(last + 1))
    (folder / "chain.yaml").write_text(f"{HEAD}steps:\n{chain}outputs: [s0]\n", encoding="utf-8")
    clauses = "".join(f"      when total < ¥{at + 1} and n > {at} or n < -{at} then ¥{at}\n" for at in range(150))
    (folder / "many.yaml").write_text(
        f"{HEAD}steps:\n  a:\n    rule: |\n{clauses}      otherwise ¥0\noutputs: [a]\n", encoding="utf-8"
    )
    start = time.monotonic()
    for name in ("chain.yaml", "many.yaml"):
        result = rx("check", name, cwd=folder)
        assert result.returncode == 0, result.stderr
    assert time.monotonic() - start < 30


def test_one_person_with_many_episodes(folder: Path) -> None:
    """Ten thousand bills of one person take seconds, and the yearly cap holds."""
    text = HEAD + (
        "sequence: {by: who, order: [d, episode_id]}\nwindows: {y: {calendar: year, date: d}}\n"
        "steps:\n  pay: {rule: 'min(total * 50%, max(0, ¥1_000 - y.sum(pay)))'}\noutputs: [pay]\n"
    )
    (folder / "w.yaml").write_text(
        text.replace("  d: {type: date}", "  d: {type: date}\n  who: {type: code}"), encoding="utf-8"
    )
    rows = [f"E{at:06d},2024-{at % 12 + 1:02d}-{at % 28 + 1:02d},0,1.00" for at in range(10_000)]
    (folder / "in.csv").write_text("episode_id,d,who,total\n" + "\n".join(rows) + "\n", encoding="utf-8")
    start = time.monotonic()
    assert rx("batch", "in.csv", "-r", "w.yaml", "-o", "out.csv", "--select", "pay", cwd=folder).returncode == 0
    assert time.monotonic() - start < 40
    paid = (folder / "out.csv").read_text(encoding="utf-8").split()[1:]
    assert sum(line == "0.50" for line in paid) == 2_000  # 2,000 x 0.50 is the cap of 1,000
    assert sum(line == "0.00" for line in paid) == 8_000


def test_a_place_that_cannot_be_written_names_its_option(folder: Path) -> None:
    """Which of several outputs is meant."""
    result = rx("test", "qin", "--junit", str(folder / "none" / "x.xml"), cwd=folder)
    assert result.returncode == 2
    assert "choose another place with --junit" in result.stderr
