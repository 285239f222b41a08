"""`fmt` from outside: what changes and what does not, files, streams and exit codes."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.diagnostics.model import Sink
from rxcalc.driver.fmt import Unformatted, formatted

ROOT = Path(__file__).parents[2]
UNTIDY = """\
# head



rxcalc:   1
rulebook:  small   # the name
title: {en:  'Small one' ,zh: 小 }
version: '1'
currency: CNY
rounding: half-up                 # far out
effective: { from: 2020-01-01,by: day }
inputs:
    episode_id: {type: code}
    day: {type: date}
    total: {type: money}
    level:
        one_of:
        - town     # small
        -   county
# about rates
parameters:
    # inside
    rate: {type: percent,   by: [ level ], values: {2020-01-01: {town: 90%,county: 80%}}}
    extra: {type: bands of percent over money, values: {2020-01-01: [{to: "20000*2", is: 5%}, {is: 0010%}]}}
    # at the end of the parameters

steps:
    due: {rule: "min(total,¥100000)"}
    pays:
        note: |
              Two lines,
                the second further in.

        rule: |

            # first the small ones
            when (due<=¥100)   then ( ¥0 )  because "small \\"bill\\""   # why
            when level in{town,county} and
                 not(due>10000) then due*rate[ level ] otherwise bands(extra,0..due)

            # no more


    kind:
        table:
            of: [level , "due+1"]
            rows:
            - { when: [town, ">5000.0"], then: true}
            - {otherwise: no}
shares: {bill: {of: total, fund: pays,
    patient:   rest}}
outputs: [pays,
   kind]
"""
TIDY = """\
# head

rxcalc: 1
rulebook: small   # the name
title: {en: "Small one", zh: 小}
version: "1"
currency: CNY
rounding: half-up                 # far out
effective: {from: 2020-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money}
  level:
    one_of:
      - town     # small
      - county
# about rates
parameters:
  # inside
  rate: {type: percent, by: [level], values: {2020-01-01: {town: 90%, county: 80%}}}
  extra: {type: bands of percent over money, values: {2020-01-01: [{to: "20_000 * 2", is: 5%}, {is: 0010%}]}}
  # at the end of the parameters

steps:
  due: {rule: "min(total, ¥100_000)"}
  pays:
    note: |
      Two lines,
        the second further in.

    rule: |
      # first the small ones
      when due <= ¥100 then ¥0  because "small \\"bill\\""   # why
      when level in {town, county} and
           not (due > 10_000) then due * rate[level]
      otherwise bands(extra, 0 .. due)

      # no more

  kind:
    table:
      of: [level, "due + 1"]
      rows:
        - {when: [town, "> 5000.0"], then: yes}
        - {otherwise: no}
shares: {bill: {of: total, fund: pays,
                patient: rest}}
outputs: [pays,
          kind]
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["fmt", *args], catch_exceptions=False, standalone_mode=False)


def spelled(text: str) -> str:
    found = formatted("f.yaml", text.encode(), Sink())
    assert isinstance(found, str), found
    return found


def test_one_spelling() -> None:
    """Blanks, quotes, numbers and indents; not the order, line breaks, comments, styles and alignment."""
    assert spelled(UNTIDY) == TIDY
    assert spelled(TIDY) == TIDY


@pytest.mark.parametrize(
    ("untidy", "tidy"),
    [
        ("- example:   a\n  by: 'x'\n", '- example: a\n  by: "x"\n'),
        ("-   example: a\n    by: x\n-\n    example: b\n", "- example: a\n  by: x\n-\n  example: b\n"),
        ("episode: {a: 1}\nlines:\n- {b: 2}\n", "episode: {a: 1}\nlines:\n  - {b: 2}\n"),
        ("episode: {a: 1,}\nnote: >\n     folded\n     text\n", "episode: {a: 1,}\nnote: >\n  folded\n  text\n"),
        ("episode: {a: 1}\nnote: |+\n   kept\n\n\n", "episode: {a: 1}\nnote: |+\n  kept\n\n\n"),
        ("episode: {a: 1}\nnote: |2\n     in\n   out\n", "episode: {a: 1}\nnote: |2\n     in\n   out\n"),
        ('episode: {a: 1}\nnote: "one\n     two"\n', 'episode: {a: 1}\nnote: "one\n  two"\n'),
        ("---\nepisode:\n    a: 1\n...\n", "---\nepisode:\n  a: 1\n...\n"),
        ("episode: {a: ' x', b: '\"', c: \"\\t\"}", 'episode: {a: " x", b: \'"\', c: "\\t"}\n'),
        ("episode:\n  a:\n  b: ~\n  c: {d, e: }\n", "episode:\n  a:\n  b: ~\n  c: {d, e: }\n"),
        ("episode: {a: 1}\nnote: |\n   text\n  # after it\n", "episode: {a: 1}\nnote: |\n  text\n# after it\n"),
        ("episode: {a: 1}\nnote: |+\n   ", "episode: {a: 1}\nnote: |+\n\n"),
        ("episode: {a: 1}\nnote: |\n  text\n   \n", "episode: {a: 1}\nnote: |\n  text\n   \n"),
        ("episode: {a: 1}\n'::': x\n:: y\n", 'episode: {a: 1}\n"::": x\n:: y\n'),
        ("episode: {\n# c\na: 1}\n", "episode: {\n  # c\n  a: 1}\n"),
        ("episode: [\n a,\n b\n ]\n", "episode: [\n  a,\n  b\n]\n"),
        ("episode: {a:  b\u3000, c: d}\nnote: 说明\u3000\n", "episode: {a: b\u3000, c: d}\nnote: 说明\u3000\n"),
        (
            "episode: {a: 1}\nnote:  one\u00a0\n   \u3000two\u00a0  \n",
            "episode: {a: 1}\nnote: one\u00a0\n  \u3000two\u00a0\n",
        ),
        ("episode: {a: 1}\nnote:  \u3000\n", "episode: {a: 1}\nnote: \u3000\n"),
        ("episode: {a: 1}\nnote: |\n    \u3000\n    two\n", "episode: {a: 1}\nnote: |\n  \u3000\n  two\n"),
    ],
)
def test_data_files(untidy: str, tidy: str) -> None:
    """Example and episode files, and what YAML allows."""
    assert spelled(untidy) == tidy
    assert spelled(tidy) == tidy


def test_line_ends_and_marks(tmp_path: Path) -> None:
    """A byte order mark and CRLF go, and --diff says so where nothing else shows it."""
    path = tmp_path / "one.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode())
    result = run(str(path), "--diff")
    assert "one.yaml: without byte order mark and CRLF line ends" in result.stdout
    assert run(str(path)).return_value == 0
    assert path.read_bytes() == TIDY.encode()


def test_files_are_written_whole_with_their_mode(tmp_path: Path) -> None:
    """The mode stays, a link stays a link, and no other file is left."""
    path, link = tmp_path / "mine.yaml", tmp_path / "link.yaml"
    path.write_text(UNTIDY, encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    result = run(str(link))
    assert result.return_value == 0
    assert result.stdout == ""
    assert "1 file changed, 0 left as they are" in result.stderr
    assert path.read_text(encoding="utf-8") == TIDY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.yaml", "mine.yaml"]
    before = path.stat().st_mtime_ns
    assert "0 files changed" in run(str(path)).stderr
    assert path.stat().st_mtime_ns == before


def test_check_and_diff_write_nothing(tmp_path: Path) -> None:
    """--check lists the files and exits with 1, --diff shows the change; a folder means its rulebooks and examples."""
    folder = tmp_path / "rules" / "a"
    (folder / "examples").mkdir(parents=True)
    (folder / "rulebook.yaml").write_text(UNTIDY, encoding="utf-8")
    (folder / "examples" / "x.yaml").write_text("-   example: a\n", encoding="utf-8")
    (folder / "other.yaml").write_text("a:   1\n", encoding="utf-8")
    result = run(str(tmp_path / "rules"), "--check")
    assert result.return_value == 1
    assert result.stdout.splitlines() == [str(folder / "rulebook.yaml"), str(folder / "examples" / "x.yaml")]
    diff = run(str(tmp_path / "rules"), "--diff")
    assert diff.return_value == 0
    assert "-version: '1'\n" in diff.stdout
    assert '+version: "1"\n' in diff.stdout
    assert (folder / "rulebook.yaml").read_text(encoding="utf-8") == UNTIDY
    assert run(str(tmp_path / "rules")).return_value == 0
    assert run(str(tmp_path / "rules"), "--check").return_value == 0
    assert (folder / "other.yaml").read_text(encoding="utf-8") == "a:   1\n"


def test_files_with_errors_are_refused_and_others_formatted(tmp_path: Path) -> None:
    """Each is named with its errors; exit code 2."""
    good, bad, odd = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "odd.yaml"
    good.write_text(UNTIDY, encoding="utf-8")
    bad.write_text(UNTIDY.replace("min(total", "min(total total"), encoding="utf-8")
    odd.write_text("a: 1\n", encoding="utf-8")
    result = run(str(bad), str(odd), str(good))
    assert result.return_value == 2
    assert "RX201" in result.stderr
    assert "RX120" in result.stderr
    assert f"{bad} is not formatted" in result.stderr
    assert "1 file changed, 0 left as they are, 2 files not formatted" in result.stderr
    assert good.read_text(encoding="utf-8") == TIDY
    assert odd.read_text(encoding="utf-8") == "a: 1\n"


def test_an_overlay_with_a_slip_is_refused() -> None:
    """Its rules are read without its base."""
    text = (
        'rxcalc: 1\nrulebook: over\nextends: ../base\nversion: "1"\neffective: {from: 2025-01-01, by: day}\n'
        "changes: {steps: {fund: {rule: base*(2}}}\n"
    )
    sink = Sink()
    assert isinstance(formatted("f", text.encode(), sink), Unformatted)
    assert sink.has_errors
    mended = spelled(text.replace("(2", "2"))
    assert "{rule: base * 2}" in mended


def test_shipped_rulebooks_are_only_looked_at() -> None:
    """A name without a path may be checked, never rewritten."""
    with pytest.raises(Failure, match="comes with rxcalc"):
        run("qin")
    assert run("qin", "--check").return_value in (0, 1)
    with pytest.raises(Failure):
        run("no-such-rulebook")


def test_standard_input() -> None:
    """`-` prints the result, for editors."""
    done = subprocess.run(
        [sys.executable, "-m", "rxcalc", "fmt", "-"], input=UNTIDY.encode(), capture_output=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, TIDY.encode())
    with pytest.raises(Failure):
        run("-", "qin")


def test_keys_with_question_marks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one way to write YAML that is not rewritten, told with its line."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    found = formatted("f", b"episode:\n  ? a\n  : 1\n", Sink())
    assert isinstance(found, Unformatted)
    assert found.message == "line 2: a key is written with `? `"
