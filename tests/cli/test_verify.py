"""`rxcalc verify` from outside: what holds, what does not, and summaries that nobody should believe."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli
from rxcalc.cli.show import Failure

RULEBOOK = """
rxcalc: 1
rulebook: halves
version: "3"
currency: CNY
rounding: half-up
effective: {from: 2025-01-01, by: day}
inputs:
  episode_id: {type: code}
  day: {type: date}
  total: {type: money, aliases: [费用]}
  fee: {type: money, default: 1}
steps:
  paid: {rule: "total * 50%"}
outputs: [paid]
"""
ROWS = """episode_id,day,费用,fee
E1,2025-01-05,"1,000.00",
E2,2025-01-06,7.005,2
E3,2025-01-07,3.01,0.50
E4,2025-01-07,三百,0.50
,,,
合计,,1010.01,3
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, [*args], standalone_mode=False)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder in which a batch was run; its summary."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "rulebook.yaml").write_text(RULEBOOK, encoding="utf-8")
    (tmp_path / "in.csv").write_text(ROWS, encoding="utf-8")
    result = run("batch", str(tmp_path / "in.csv"), "-r", str(book), "-o", str(tmp_path / "out.csv"))
    assert result.return_value == 1, result.stderr
    return tmp_path / "out.summary.json"


def told(summary: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report as JSON."""
    result = run("verify", str(summary), "--format", "json", *more)
    code = result.return_value
    assert isinstance(code, int)
    return code, json.loads(result.stdout)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {check["what"]: check["outcome"] for check in report["files"]}


def test_all_holds_after_a_run(made: Path) -> None:
    """Exit 0; each file is named, and the counts and sums of results and rejects were added up again."""
    code, report = told(made)
    assert (code, report["holds"], report["not_checked"]) == (0, True, [])
    assert outcomes(report) == {"rulebook halves 3": "holds", "input": "holds", "results": "holds", "rejects": "holds"}
    sums = {check["what"]: check["found"] for check in report["sums"]}
    assert sums == {
        "records read": "6",
        "total read": "2020.025",  # 1000 + 7.005 + 3.01 + 1010.01; 三百 holds no amount
        "fee read": "6.00",  # the default of E1 is no amount that was read
        "results: records": "2",
        "results: total": "1003.01",
        "results: fee": "0.50",
        "rejects: records": "2",
        "rejects: total": "7.005",
        "rejects: fee": "2.50",
    }
    result = run("verify", str(made))
    assert result.stdout.splitlines()[-1] == "everything holds"


def test_the_summary_says_where_the_files_are(made: Path) -> None:
    """Relative to its own folder, so that a folder may be moved as a whole."""
    body = json.loads(made.read_text(encoding="utf-8"))
    assert [body[what]["path"] for what in ("input", "results", "rejects")] == ["in.csv", "out.csv", "out.rejects.csv"]
    assert body["rulebook"]["path"] == "book/rulebook.yaml"
    moved = made.parent.with_name("elsewhere")
    shutil.move(made.parent, moved)
    assert told(moved / made.name)[0] == 0


def test_files_far_away_are_told_by_their_whole_path(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Only files in the summary's folder or the one above are told from there; a shipped rulebook by its name."""
    far = tmp_path_factory.mktemp("far") / "deep" / "deeper"
    far.mkdir(parents=True)
    near = made.parent / "results"
    near.mkdir()
    book = str(made.parent / "book")
    run("batch", str(made.parent / "in.csv"), "-r", book, "-o", str(near / "o.csv"), "--rejects", str(far / "r.csv"))
    body = json.loads((near / "o.summary.json").read_text(encoding="utf-8"))
    assert body["input"]["path"] == "../in.csv"
    assert body["rulebook"]["path"] == "../book/rulebook.yaml"
    assert body["rejects"]["path"] == os.path.realpath(far / "r.csv")
    assert told(near / "o.summary.json")[0] == 0


def test_a_changed_file_differs_with_both_hashes(made: Path) -> None:
    """Whoever changed an amount finds the hash, and the sum that no longer is the one recorded."""
    results = made.with_name("out.csv")
    before = hashlib.sha256(results.read_bytes()).hexdigest()
    results.write_text(
        results.read_text(encoding="utf-8").replace("3.01,0.50,1.51", "9.01,0.50,1.51"), encoding="utf-8"
    )
    code, report = told(made)
    assert code == 1
    check = next(c for c in report["files"] if c["what"] == "results")
    after = hashlib.sha256(results.read_bytes()).hexdigest()
    assert (check["outcome"], check["summary"], check["found"]) == ("differs", before, after)
    assert [c for c in report["sums"] if not c["holds"]] == [
        {"what": "results: total", "holds": False, "summary": "1003.01", "found": "1009.01"}
    ]
    shown = run("verify", str(made)).stdout
    assert "results: total: 1003.01 in the summary, 1009.01 added up" in shown
    assert shown.splitlines()[-1] == "not everything holds"


def test_a_missing_file_is_named(made: Path) -> None:
    """The other files are still looked at."""
    made.with_name("out.rejects.csv").unlink()
    code, report = told(made)
    assert code == 1
    assert outcomes(report)["rejects"] == "missing"
    assert outcomes(report)["results"] == "holds"
    assert report["not_checked"] == ["rejects: not added up, since the file was not read"]


def test_a_changed_rulebook_differs(made: Path) -> None:
    """The rulebook is held by all its files; it is not run again then."""
    book = made.parent / "book" / "rulebook.yaml"
    book.write_text(RULEBOOK.replace("50%", "60%"), encoding="utf-8")
    code, report = told(made, "--rerun")
    assert code == 1
    assert outcomes(report)["rulebook halves 3"] == "differs"
    assert report["rerun"]["not_run"] == "what the run read is not the same: rulebook halves 3 differs"
    book.unlink()
    assert outcomes(told(made)[1])["rulebook halves 3"] == "missing"


def test_run_again_gives_the_same_bytes(made: Path) -> None:
    """`--rerun` leaves nothing behind and touches nothing."""
    before = {path: path.read_bytes() for path in made.parent.rglob("*") if path.is_file()}
    code, report = told(made, "--rerun", "--temp-dir", str(made.parent))
    assert code == 0
    assert {check["what"]: check["outcome"] for check in report["rerun"]["files"]} == {
        "results": "holds",
        "rejects": "holds",
    }
    assert report["rerun"]["parts_that_differ"] == []
    assert {path: path.read_bytes() for path in made.parent.rglob("*") if path.is_file()} == before


def test_run_again_finds_results_that_were_never_computed(made: Path) -> None:
    """A summary forged to fit forged results has hashes that hold; the run shows it."""
    results = made.with_name("out.csv")
    results.write_text(results.read_text(encoding="utf-8").replace("500.00", "900.00"), encoding="utf-8")
    body = json.loads(made.read_text(encoding="utf-8"))
    body["results"]["sha256"] = hashlib.sha256(results.read_bytes()).hexdigest()
    body["assumptions"] = ["nothing"]
    made.write_text(json.dumps(body), encoding="utf-8")
    assert told(made)[0] == 0
    code, report = told(made, "--rerun")
    assert code == 1
    assert {check["what"]: check["outcome"] for check in report["rerun"]["files"]} == {
        "results": "differs",
        "rejects": "holds",
    }
    assert report["rerun"]["parts_that_differ"] == ["assumptions"]


def test_run_again_with_all_options(made: Path) -> None:
    """What bears on the results is in the summary: selection, columns, limits of rejects."""
    folder = made.parent
    (folder / "in.csv").write_text(ROWS.replace("费用", "Kosten"), encoding="utf-8")
    (folder / "map.yaml").write_text("total: Kosten\n", encoding="utf-8")
    args = ["batch", str(folder / "in.csv"), "-r", str(folder / "book"), "-o", str(folder / "short.csv")]
    args += ["--select", "episode_id,paid", "--columns", str(folder / "map.yaml"), "--max-rejects"]
    assert run(*args, "50%").return_value == 1
    code, report = told(folder / "short.summary.json", "--rerun")
    assert code == 0
    assert report["not_checked"] == [
        f"results: {name} not added up, since the file has no column for it" for name in ("total", "fee")
    ]
    with pytest.raises(Failure, match="more than --max-rejects 1"):
        CliRunner().invoke(cli, [*args, "1"], standalone_mode=False, catch_exceptions=False)
    code, report = told(folder / "short.summary.json", "--rerun")
    assert code == 0
    assert [check["what"] for check in report["rerun"]["files"]] == ["rejects"]


def test_runs_with_lines_earlier_results_groups_and_counters(tmp_path: Path) -> None:
    """Every file that a run reads or writes is found again, and taken for the same in the run of today."""
    (tmp_path / "rulebook.yaml").write_text(
        RULEBOOK.replace('  fee: {type: money, default: 1}\nsteps:\n', """  person_id: {type: code}
lines: {inputs: {line_no: {type: count}, price: {type: money}}, order: [line_no]}
sequence: {by: person_id, order: [day, episode_id]}
windows: {year: {calendar: year, date: day}}
steps:
  before: {rule: "year.sum(paid)"}
  cost: {rule: "sum(lines.price)"}
""").replace("outputs: [paid]", "outputs: [paid, before, cost]\nchecks:\n  - {name: big, when: \"total > ¥50\", severity: warn, say: big}"),
        encoding="utf-8",
    )  # fmt: skip
    head = "episode_id,day,total,person_id\n"
    (tmp_path / "a.csv").write_text(head + "A1,2025-01-05,10.00,P1\nA2,2025-03-05,60.00,P2\n")
    (tmp_path / "b.csv").write_text(head + "B1,2025-02-05,30.00,P1\nB2,2025-02-05,30.00,P2\nB3,soon,1.00,P3\n")
    (tmp_path / "b.lines.csv").write_text("episode_id,line_no,price\nB1,1,4.00\nB1,2,x\nB2,1,0.50\n")
    book, here = str(tmp_path / "rulebook.yaml"), str(tmp_path)
    first = run("batch", f"{here}/a.csv", "-r", book, "-o", f"{here}/a.out.csv")
    assert first.return_value == 0, first.stderr
    second = run(
        "batch", f"{here}/b.csv", "-r", book, "-o", f"{here}/b.out.csv", "--earlier", f"{here}/a.out.csv",
        "--lines", f"{here}/b.lines.csv", "--lines-out", f"{here}/b.lines.out.csv", "--closing", f"{here}/closing.csv",
        "--findings", f"{here}/seen.csv", "--lang", "zh",
    )  # fmt: skip
    assert second.return_value == 1, second.stderr
    code, report = told(tmp_path / "b.out.summary.json", "--rerun")
    assert code == 0, report
    assert set(outcomes(report)) == {
        "rulebook halves 3", "input", "results", "rejects", "lists.lines.input", "lists.lines.results",
        "lists.lines.rejects", "earlier.0", "stale", "closing", "findings",
    }  # fmt: skip
    assert {check["what"] for check in report["rerun"]["files"]} == {
        "results", "rejects", "lists.lines.results", "lists.lines.rejects", "stale", "closing", "findings",
    }  # fmt: skip
    sums = {check["what"]: check["found"] for check in report["sums"]}
    assert sums["lists.lines.results: price"] == "0.50"
    assert sums["lists.lines.rejects: records"] == "2"
    assert sums["lists.lines.rejects: price"] == "4.00"


@pytest.mark.parametrize(
    "name",
    ["o.csv.gz", "o.tsv", "o.tsv.zst", "o.parquet", "o.xlsx", "duckdb:o.db?table=paid", "sqlite:o.db?table=paid"],
)
def test_results_of_every_kind(made: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted and added up again whatever they are; a table of a database has no hash of its own."""
    monkeypatch.chdir(made.parent)
    assert run("batch", "in.csv", "-r", "book", "-o", name, "--summary", "s.json").return_value == 1
    code, report = told(Path("s.json"), "--rerun")
    assert code == 0, report
    assert report["not_checked"] == []
    sums = {check["what"]: check["found"] for check in report["sums"]}
    assert (sums["results: records"], sums["results: total"], sums["rejects: total"]) == ("2", "1003.01", "7.005")
    assert outcomes(report)["results"] == ("not checked" if ":" in name else "holds")


@pytest.mark.parametrize("options", [["--excel"], ["--names", "nhsa"], ["--names", "label", "--lang", "zh"]])
def test_results_of_other_spellings(made: Path, options: list[str]) -> None:
    """Columns of another name are found by the names that the summary tells; guarded cells mean what is in them."""
    book = made.parent / "book" / "rulebook.yaml"
    text = RULEBOOK.replace("aliases:", "label: {zh: 总额}, names: {nhsa: medfee_sumamt}, aliases:")
    book.write_text(text.replace("  paid: {", "  paid: {label: {zh: 支付}, "), encoding="utf-8")
    args = ["batch", str(made.parent / "in.csv"), "-r", str(made.parent / "book"), "-o", str(made.with_name("out.csv"))]
    assert run(*args, *options).return_value == 1
    code, report = told(made, "--rerun")
    assert code == 0, report
    assert report["not_checked"] == []
    assert {check["what"]: check["found"] for check in report["sums"]}["results: total"] == "1003.01"


def test_a_gb18030_input_is_run_again_as_it_was_read(made: Path) -> None:
    """The encoding asked for is in the summary."""
    source = made.with_name("in.csv")
    source.write_bytes(ROWS.encode("gb18030"))
    args = ["batch", str(source), "-r", str(made.parent / "book"), "-o", str(made.with_name("out.csv")), "--encoding"]
    assert run(*args, "gb18030").return_value == 1
    assert told(made, "--rerun")[0] == 0


def _set(*keys: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        node: Any = body
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_set("rxcalc", to=1), "which rxcalc made it"),
        (_set("status", to="fine"), "with what status"),
        (_set("status", to=["complete"]), "with what status"),
        (_set("format", to=2), "its format is '2'"),
        (_set("format", to=True), "its format is 'True'"),
        (_set("input", to={}), "it names no input"),
        (_set("input", "sha256", to="x" * 64), "the size or hash of input is none"),
        (_set("input", "bytes", to=-1), "the size or hash of input is none"),
        (_set("input", "bytes", to="many"), "input has no size or hash"),
        (_set("results", "name", to="../out.csv"), "the name of results is not that of a file alone"),
        (_set("results", "name", to="/etc/x"), "the name of results is not that of a file alone"),
        (_set("rejects", "name", to=".."), "the name of rejects is not that of a file alone"),
        (_set("input", "path", to=7), "input has a hash, but no file"),
        (_set("input", "path", to="a\0b"), "input has a hash, but no file"),
        (_set("counts", to=[]), "it has no counts"),
        (_set("totals", to=None), "it has no totals"),
        (_set("rulebook", to="halves"), "it names no rulebook"),
        (_set("rulebook", "digest", to=None), "it does not say which rulebook was run"),
        (_set("rulebook", "files", to=[3]), "the files of the rulebook are not named"),
        (_set("rulebook", "versions", to=[3]), "a version of the rulebook is no object"),
    ],
)
def test_a_summary_of_another_form_is_refused(made: Path, change: Callable[[dict[str, Any]], None], why: str) -> None:
    """Exit 2 with the reason, never a traceback."""
    body = json.loads(made.read_text(encoding="utf-8"))
    change(body)
    made.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(Failure, match=why) as failure:
        CliRunner().invoke(cli, ["verify", str(made)], standalone_mode=False, catch_exceptions=False)
    assert failure.value.exit_code == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "line 1 is not JSON"),
        (b"[1]", "it holds no JSON object"),
        (b"{}", "which rxcalc made it"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b"[" * 200_000, "JSON that no run writes"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "JSON that no run writes"),
        (b"episode_id,total\n", "line 1 is not JSON"),
    ],
)
def test_what_is_no_summary_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    """Any bytes at all."""
    (tmp_path / "s.json").write_bytes(data)
    with pytest.raises(Failure, match=why):
        CliRunner().invoke(cli, ["verify", str(tmp_path / "s.json")], standalone_mode=False, catch_exceptions=False)


def test_pipes_folders_and_nothing_are_refused(tmp_path: Path) -> None:
    """A pipe is never opened: it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "no regular file"), ("", "no regular file"), ("none", "No such file")):
        with pytest.raises(Failure, match=why):
            CliRunner().invoke(cli, ["verify", str(tmp_path / name)], standalone_mode=False, catch_exceptions=False)


def test_files_that_are_no_files_are_told(made: Path) -> None:
    """A summary may name anything: what is no regular file is not opened, and does not hold."""
    for name in ("out.csv", "in.csv", "book/rulebook.yaml"):
        (made.parent / name).unlink()
    os.mkfifo(made.with_name("out.csv"))
    made.with_name("in.csv").mkdir()
    os.mkfifo(made.parent / "book" / "rulebook.yaml")
    code, report = told(made, "--rerun")
    assert code == 1
    assert set(outcomes(report).values()) == {"unreadable", "holds"}
    assert outcomes(report)["rejects"] == "holds"


@pytest.mark.parametrize(
    ("change", "what", "recorded"),
    [
        (_set("counts", "written", to=3), "results: records", "3"),
        (_set("counts", "read", to=True), "records read", "five counts"),
        (_set("counts", "read", to=10**400), "records read", "five counts"),
        (_set("counts", "written", to="2"), "records read", "five counts"),
        (_set("totals", "total", "written", to="1e999999999"), "total read", "five sums"),
        (_set("totals", "total", "written", to=7), "total read", "five sums"),
        (_set("totals", "total", "blank", to="0.01"), "total read", "2020.025"),
        (_set("totals", "total", to=[]), "total read", "five sums"),
    ],
)
def test_accounts_that_do_not_add_up_are_told(
    made: Path, change: Callable[[dict[str, Any]], None], what: str, recorded: str
) -> None:
    """Also where the summary says what is no number at all."""
    body = json.loads(made.read_text(encoding="utf-8"))
    change(body)
    made.write_text(json.dumps(body), encoding="utf-8")
    code, report = told(made)
    assert code == 1
    wrong = {check["what"]: check["summary"] for check in report["sums"] if not check["holds"]}
    assert wrong[what] == recorded


@pytest.mark.parametrize(
    "change",
    [
        _set("options", "select", to="episode_id"),
        _set("options", "columns", to={"total": 3}),
        _set("options", "max_rejects", to=3),
        _set("options", "names", to="any"),
        _set("options", "names", to=["step"]),
        _set("options", "excel", to="yes"),
        _set("options", "encoding", to="utf-7"),
        _set("options", "language", to=None),
        _set("options", "max_rejects", to="none"),
        _set("columns", "inputs", to=[]),
        _set("columns", "inputs", to={"total": ["费用"]}),
        _set("findings", to=3),
        _set("lists", to={"lines": 3}),
        _set("groups", to=[[]]),
    ],
)
def test_odd_options_never_fail_with_a_traceback(made: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The run says why it was not made, or that its summary is another."""
    body = json.loads(made.read_text(encoding="utf-8"))
    change(body)
    made.write_text(json.dumps(body), encoding="utf-8")
    code, report = told(made, "--rerun")
    assert code == 1
    assert report["rerun"]["not_run"] or report["rerun"]["parts_that_differ"]


def test_another_version_of_rxcalc_is_told(made: Path) -> None:
    """It is run all the same: that is how an update is checked."""
    body = json.loads(made.read_text(encoding="utf-8"))
    body["rxcalc"] = "0.0.9\x1b[31m"
    made.write_text(json.dumps(body), encoding="utf-8")
    result = run("verify", str(made), "--rerun")
    assert result.return_value == 0
    assert "the summary was made by 0.0.9\\x1b[31m" in result.stdout


def test_summaries_without_places_are_looked_for_beside(made: Path) -> None:
    """Summaries of before have names only; the rulebook is then not looked at."""
    body = json.loads(made.read_text(encoding="utf-8"))
    for part in (body["input"], body["results"], body["rejects"], body["rulebook"]):
        part.pop("path")
    made.write_text(json.dumps(body), encoding="utf-8")
    code, report = told(made)
    assert code == 0
    assert outcomes(report) == {
        "rulebook halves 3": "not checked",
        "input": "holds",
        "results": "holds",
        "rejects": "holds",
    }
