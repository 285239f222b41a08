"""`doc` from outside: which files appear, what is replaced, what is left alone, what is said."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure
from rxcalc.driver import doc
from rxcalc.driver.doc import MARKER
from rxcalc.site.refs import PAGES

RULEBOOK = """\
rxcalc: 1
rulebook: {name}
version: "1"
currency: CNY
rounding: half-up
effective: {{from: 2020-01-01, by: day}}
inputs: {{episode_id: {{type: code}}, day: {{type: date}}, total: {{type: money}}}}
steps: {{pays: {{rule: total * 80%}}}}
shares: {{bill: {{of: total, fund: pays, patient: rest}}}}
outputs: [pays]
"""
LAID = """\
rxcalc: 1
rulebook: laid
extends: ../small
version: "1"
effective: {{from: 2020-01-01, by: day}}
changes: {{steps: {{pays: {{rule: "min(base, ¥100)"}}}}}}
"""
EXAMPLE = """\
- example: one
  by: "hand: 50 x 80% = 40"
  episode: {episode_id: E1, day: 2025-01-01, total: 50}
  expect: {pays: 40.00}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["doc", *args], catch_exceptions=False, standalone_mode=False)


def make(folder: Path, name: str = "small", rulebook: str = RULEBOOK, examples: str = EXAMPLE) -> str:
    (folder / name / "examples").mkdir(parents=True)
    (folder / name / "rulebook.yaml").write_text(rulebook.format(name=name), encoding="utf-8")
    (folder / name / "examples" / "all.yaml").write_text(examples, encoding="utf-8")
    return str(folder / name)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def beside(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_site_of_one_rulebook(tmp_path: Path) -> None:
    """Every page in both languages, English at the top; the folder above is made; nothing else is left behind."""
    book = make(tmp_path)
    target = tmp_path / "a" / "site"
    result = run(book, "-o", str(target))
    assert result.return_value == 0
    assert "16 pages of 1 rulebook(s)" in result.stdout
    pages = [f"{page}.html" for page in PAGES]
    assert sorted(files(target)) == sorted([*pages, *(f"zh/{page}" for page in pages), MARKER])
    assert '<html lang="en">' in (target / "rules.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in (target / "zh" / "rules.html").read_text(encoding="utf-8")
    assert beside(tmp_path / "a") == ["site"]
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "small").stat().st_mode)


def test_one_language(tmp_path: Path) -> None:
    target = tmp_path / "site"
    assert run(make(tmp_path), "-o", str(target), "--lang", "zh").return_value == 0
    assert sorted(files(target)) == sorted([*(f"{page}.html" for page in PAGES), MARKER])
    text = (target / "index.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert "English" not in text


def test_the_pages_tell_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the path of the rulebook nor how it was named; errors tell the path that was given."""
    book = make(tmp_path)
    make(tmp_path, "laid", LAID, "[]\n")
    run(book, str(tmp_path / "laid"), "-o", str(tmp_path / "one"))
    monkeypatch.chdir(tmp_path / "small")
    run("rulebook.yaml", "../laid/rulebook.yaml", "-o", str(tmp_path / "two"))
    assert files(tmp_path / "one") == files(tmp_path / "two")
    text = b"".join(files(tmp_path / "one").values())
    assert str(tmp_path).encode() not in text
    assert b"-r small/rulebook.yaml" in text
    assert b"as in small/rulebook.yaml" in text
    (tmp_path / "small" / "rulebook.yaml").write_text(
        RULEBOOK.format(name="small").replace("80%", "rat"), encoding="utf-8"
    )
    assert str(tmp_path / "small" / "rulebook.yaml") in run(book, "-o", str(tmp_path / "three")).stderr


def test_several_rulebooks_have_a_front_page(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / "rules", name)
    target = tmp_path / "site"
    assert run(str(tmp_path / "rules"), "-o", str(target)).return_value == 0
    front = (target / "index.html").read_text(encoding="utf-8")
    assert 'href="one/index.html"' in front
    assert 'href="two/index.html"' in front
    assert 'href="../one/zh/index.html"' in (target / "zh" / "index.html").read_text(encoding="utf-8")
    assert 'href="../../zh/index.html"' in (target / "two" / "zh" / "rules.html").read_text(encoding="utf-8")
    assert 'href="../index.html"' in (target / "two" / "rules.html").read_text(encoding="utf-8")


def test_one_rulebook_named_twice_is_one(tmp_path: Path) -> None:
    book = make(tmp_path)
    assert "1 rulebook(s)" in run(book, book, "-o", str(tmp_path / "site")).stdout


def test_the_same_rulebook_gives_the_same_bytes(tmp_path: Path) -> None:
    """No time, no order of a hash: also in the folder of an earlier site, which is replaced whole."""
    book = make(tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    run(book, "-o", str(one))
    run(book, "-o", str(two))
    assert files(one) == files(two)
    (tmp_path / "small" / "rulebook.yaml").write_text(
        RULEBOOK.format(name="small").replace("80%", "70%"), encoding="utf-8"
    )
    run(book, "-o", str(two), "--lang", "en")
    assert "zh/index.html" not in files(two)
    assert "70%" in (two / "rules.html").read_text(encoding="utf-8")
    assert beside(tmp_path) == ["one", "small", "two"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    assert run(make(tmp_path), "-o", str(tmp_path / "site")).return_value == 0


@pytest.mark.parametrize("name", ["notes.txt", ".git", "sub/notes.txt", MARKER])
def test_a_folder_that_is_no_site_is_left_alone(tmp_path: Path, name: str) -> None:
    target = tmp_path / "site"
    (target / name).parent.mkdir(parents=True)
    (target / name).write_text("[]", encoding="utf-8")
    before = files(target)
    with pytest.raises(Failure, match="no earlier site of rxcalc") as problem:
        run(make(tmp_path), "-o", str(target))
    assert "new or empty folder" in problem.value.help_
    assert files(target) == before
    assert beside(tmp_path) == ["site", "small"]


def test_what_somebody_put_into_a_site_is_not_lost(tmp_path: Path) -> None:
    book, target = make(tmp_path), tmp_path / "site"
    run(book, "-o", str(target))
    (target / "CNAME").write_text("mine", encoding="utf-8")
    before = files(target)
    with pytest.raises(Failure, match="holds `CNAME`, not made by rxcalc"):
        run(book, "-o", str(target))
    assert files(target) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine", encoding="utf-8")
    with pytest.raises(Failure, match="it is no folder"):
        run(make(tmp_path), "-o", str(tmp_path / "site"))


def test_the_rulebook_itself_is_not_overwritten(tmp_path: Path) -> None:
    book = make(tmp_path)
    before = files(Path(book))
    with pytest.raises(Failure, match="no earlier site"):
        run(book, "-o", book)
    assert files(Path(book)) == before


def test_the_folder_that_somebody_is_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = make(tmp_path, "rules")
    inside = tmp_path / "here" / "below"
    inside.mkdir(parents=True)
    for at, named in ((inside, "."), (inside, "..")):
        monkeypatch.chdir(at)
        with pytest.raises(Failure) as failed:
            run(small, "-o", named)
        assert "it is the current folder, or one above it" in str(failed.value)
        assert Path.cwd() == at
        assert not list(at.iterdir())
    assert run(small, "-o", "site").return_value == 0
    assert (inside / "site" / "index.html").exists()


def test_rules_say_which_rulebook_they_come_from_and_what_was_left_out(tmp_path: Path) -> None:
    make(tmp_path)
    make(
        tmp_path,
        "laid",
        LAID + "adds: {{steps: {{half: {{rule: total / 2, round: 0.01}}}}}}\nremoves: [shares.bill]\n",
        "[]\n",
    )
    assert run(str(tmp_path / "laid"), "-o", str(tmp_path / "site")).return_value == 0
    rules = (tmp_path / "site" / "rules.html").read_text(encoding="utf-8")
    assert "<dt>Rulebook</dt><dd>from laid, version 1</dd>" in rules
    assert "<dt>Rulebook</dt><dd>from small, version 1</dd>" in rules
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "<dt>Left out of it</dt><dd>shares.bill</dd>" in index
    assert "从中删去" in (tmp_path / "site" / "zh" / "index.html").read_text(encoding="utf-8")


def test_a_link_to_a_site_leads_to_the_new_one(tmp_path: Path) -> None:
    book, target = make(tmp_path), tmp_path / "site"
    run(book, "-o", str(target))
    (tmp_path / "current").symlink_to(target)
    assert run(book, "-o", str(tmp_path / "current"), "--lang", "en").return_value == 0
    assert (tmp_path / "current").is_symlink()
    assert "zh/index.html" not in files(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(Failure, match="cannot write"):
        run(make(tmp_path), "-o", str(tmp_path / "shut" / "site"))


def test_a_name_too_long(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot write"):
        run(make(tmp_path), "-o", str(tmp_path / ("x" * 300)))
    assert beside(tmp_path) == ["small"]


def test_errors_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    """All errors of all rulebooks, exit code 2; the sound one beside them is not written either."""
    bad = make(tmp_path, "bad", RULEBOOK.replace("total * 80%", "totl * 80%"))
    result = run(make(tmp_path), bad, "-o", str(tmp_path / "site"))
    assert result.return_value == 2
    assert "RX301" in result.stderr
    assert "nothing was written" in result.stderr
    assert beside(tmp_path) == ["bad", "small"]


def test_mistakes_in_example_files_are_errors(tmp_path: Path) -> None:
    book = make(tmp_path, examples=EXAMPLE.replace("expect:", "expects:"))
    result = run(book, "-o", str(tmp_path / "site"))
    assert result.return_value == 2
    assert "expects" in result.stderr
    assert beside(tmp_path) == ["small"]


def test_failing_examples_are_shown_and_said(tmp_path: Path) -> None:
    book = make(tmp_path, examples=EXAMPLE.replace("40.00", "41.00"))
    result = run(book, "-o", str(tmp_path / "site"))
    assert result.return_value == 0
    assert "1 of its examples and guarantees fail; the pages say so" in result.stderr
    assert "FAIL today" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_without_examples(tmp_path: Path) -> None:
    result = run(make(tmp_path, examples="[]\n"), "-o", str(tmp_path / "site"))
    assert result.return_value == 0
    assert "There are no examples." in (tmp_path / "site" / "coverage.html").read_text(encoding="utf-8")


def test_an_unknown_rulebook(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="there is no rulebook `qinn`"):
        run("qinn", "-o", str(tmp_path / "site"))


def test_when_it_is_interrupted_the_earlier_site_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the files are written, and between the two renamings."""
    book, target = make(tmp_path), tmp_path / "site"
    run(book, "-o", str(target))
    before = files(target)
    rename = Path.rename

    def stopped(self: Path, to: Path) -> Path:
        if Path(to) == target and Path(self).name != "old":  # the way back is open
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        doc.write([], target, ("en",))
    assert files(target) == before
    assert beside(tmp_path) == ["site", "small"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doc, "_fill", full)
    with pytest.raises(Failure, match="No space left"):
        run(book, "-o", str(target))
    assert files(target) == before
    assert beside(tmp_path) == ["site", "small"]
