"""`rxcalc explain --ask` from outside: with piped answers, on a terminal, in both languages."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rxcalc.cli.main import cli

ROOT = Path(__file__).parents[2]


def ask(*args: str, answers: str) -> Result:
    arguments = ["explain", "--ask", *args]
    return CliRunner().invoke(cli, arguments, input=answers, catch_exceptions=False, standalone_mode=False)


def code(result: Result) -> int:
    return result.return_value if isinstance(result.return_value, int) else result.exit_code


def totals(text: str) -> dict[str, str]:
    document = json.loads(text)
    found: dict[str, str] = document["totals"]
    return found


# By hand from the source: a city hospital's deductible is 400.00, then 95%; without a referral 80% of that is kept.
# 9,600.00 x 95% = 9,120.00; x 80% = 7,296.00; the patient bears the rest, 2,704.00.
CITY = "2020-03-01\n10000\ncity\nno\nno\n"


def test_an_interview_ends_with_the_explanation() -> None:
    """Five answers settle a bill of eight required inputs; the explanation is on stdout, the conversation on stderr."""
    result = ask("-r", "qin", "--format", "json", answers=CITY)
    assert code(result) == 0
    assert totals(result.stdout) == {"fund_pays": "7296.00", "patient_pays": "2704.00"}
    assert "the patient pays between 880.00 and 2,704.00; open: Referred" in " ".join(result.stderr.split())
    assert "Admission (admission_date)\n[" not in result.stderr


def test_nothing_is_asked_that_makes_no_difference() -> None:
    """In a township neither referral nor emergency is read, so neither is asked: 10,000.00 x 95% is settled at once."""
    result = ask("-r", "qin", "--format", "json", answers="2020-03-01\n10000\n1\n")
    assert code(result) == 0
    assert totals(result.stdout) == {"fund_pays": "9500.00", "patient_pays": "500.00"}
    assert "Referred (referred)\n" not in result.stderr


def test_the_saved_file_gives_the_same_result(tmp_path: Path) -> None:
    """The file says what was not asked, and `explain` accepts it."""
    saved = tmp_path / "bill.yaml"
    result = ask("-r", "qin", "--save", str(saved), "--format", "json", answers=CITY)
    assert "episode_id: BILL-1  # not asked" in saved.read_text()
    again = CliRunner().invoke(cli, ["explain", str(saved), "--format", "json"], standalone_mode=False)
    assert json.loads(again.stdout)["steps"] == json.loads(result.stdout)["steps"]


def test_what_is_not_known_leaves_a_proven_range() -> None:
    """With the referral unknown the fund pays 7,296.00 or 9,120.00; the unknown is named with what each answer would give."""
    result = ask("-r", "qin", answers="2020-03-01\n10000\ncity\nd\nno\n")
    assert code(result) == 1
    text = " ".join(result.stdout.split())
    assert "Fund (fund_pays): between 7,296.00 and 9,120.00" in text
    assert "Deductible (deductible_due): 400.00" in text
    assert "if no: the patient pays 2,704.00" in text
    assert "if yes: the patient pays 880.00" in text


def test_help_back_and_wrong_answers() -> None:
    """`?` says who reads an answer; a wrong one is asked again by its rule; `b` goes back to the question before."""
    answers = "2020-13-01\n2020-03-01\n?\n-5\n9000\nb\n10000\nvillage\ncity\nno\nno\n"
    result = ask("-r", "qin", "--format", "json", answers=answers)
    assert code(result) == 0
    assert totals(result.stdout)["patient_pays"] == "2704.00"
    assert "RX706" in result.stderr
    assert "RX703" in result.stderr
    assert "RX705" in result.stderr
    assert "Read by: Deductible (deductible_due)" in result.stderr


def test_a_partial_file_is_taken_as_given(tmp_path: Path) -> None:
    """What the file says is not asked again; an empty field is."""
    part = tmp_path / "part.yaml"
    part.write_text(
        "rulebook: qin\nepisode: {level: 市级, total_cost: 10000, discharge_date: 2020-03-01, referred: }\n"
    )
    result = ask(str(part), "--format", "json", answers="no\nno\n")
    assert code(result) == 0
    assert totals(result.stdout)["patient_pays"] == "2704.00"
    assert "Taken from the file" in result.stderr


def test_a_bill_that_is_refused_whatever_the_rest_is() -> None:
    """A discharge before the admission: the reason is told with its figures, and an answer can be changed."""
    given = ("--set", "admission_date=2020-03-05", "--set", "level=town")
    result = ask("-r", "qin", *given, "--format", "json", answers="2020-03-01\nb\n2020-03-06\n10000\n")
    assert code(result) == 0
    assert "RX722" in result.stderr
    assert totals(result.stdout)["patient_pays"] == "500.00"


def test_a_wrong_file_is_told(tmp_path: Path) -> None:
    """A value that no cell can hold is told at its place, before anything is asked."""
    part = tmp_path / "part.yaml"
    part.write_text("rulebook: qin\nepisode: {level: village}\n")
    result = ask(str(part), answers="")
    assert code(result) == 1
    assert "RX705" in result.stderr


def test_answers_that_run_out() -> None:
    """Piped answers that end too early: what was being asked is named, and that nothing is kept."""
    result = ask("-r", "qin", answers="2020-03-01\n10000\n")
    assert code(result) == 1
    assert "The answers ran out at: Hospital level (level)." in result.stderr
    assert "2 answers were given; none is kept." in result.stderr
    assert result.stdout == ""


def test_what_was_answered_is_kept_where_the_command_says(tmp_path: Path) -> None:
    """With --save an interview that ends early leaves a file to go on from."""
    saved = tmp_path / "bill.yaml"
    ask("-r", "qin", "--save", str(saved), answers="2020-03-01\n10000\n")
    result = ask(str(saved), "--format", "json", answers="city\nno\nno\n")
    assert totals(result.stdout)["patient_pays"] == "2704.00"


def test_stopping_saves_and_an_existing_file_is_asked_about(tmp_path: Path) -> None:
    """`q` saves under --save; a file that exists is written over only after a yes."""
    saved = tmp_path / "bill.yaml"
    assert code(ask("-r", "qin", "--save", str(saved), answers="2020-03-01\nq\n")) == 1
    before = saved.read_text()
    assert "discharge_date: 2020-03-01" in before
    from rxcalc.cli.show import Failure

    with pytest.raises(Failure):
        ask("-r", "qin", "--save", str(saved), answers="no\n")
    assert saved.read_text() == before
    assert code(ask("-r", "qin", "--save", str(saved), answers="yes\n" + CITY)) == 0
    assert saved.read_text() != before


def test_in_chinese() -> None:
    """Labels, menus, commands and ranges are in Chinese; values may be given in Chinese too."""
    result = ask("-r", "qin", "--lang", "zh", answers="2020年3月1日\n10,000元\n市级\n不知道\n否\n")
    assert code(result) == 1
    assert "医院等级 (level)" in result.stderr
    assert "个人负担 880.00 至 2,704.00" in result.stdout.replace("\n", "")
    assert "若为 是：个人负担 880.00" in result.stdout


def test_earlier_bills_are_asked_about_where_the_rulebook_looks_back() -> None:
    """The second stay of a year has half the deductible (650.00): asked for as the number of bills before."""
    result = ask("-r", "beijing-employee", answers="2025-06-30\n?\nq\n")
    said = " ".join(result.stderr.split())
    assert (
        "Did anything come before this bill that counts with it (in the same calendar year with the same Care "
        "or in the same calendar year)? [yes or no] >"
    ) in said
    assert "this_year: in the same calendar year with the same Care" in said  # the names stand in the help only


@pytest.mark.parametrize(
    ("rulebook", "words"),
    [
        ("sanming", "at any time before with the same Referral, in the 30 days up to this one"),
        ("shanghai-employee@2024", "in the same insurance year, from 07-01 on"),
        ("dian", "at any time before"),
    ],
)
def test_windows_are_told_in_words(rulebook: str, words: str) -> None:
    """The kinds of windows of the shipped rulebooks: all, the same of a field, days, a year that starts in July."""
    from rxcalc.cli.load import plan_of
    from rxcalc.report.text_ask import AskWords

    plan = plan_of(rulebook)
    told = AskWords(plan, "en", 80)
    assert ", ".join(told.window(w) for w in plan.windows if not w.level) == words


def test_help_tells_what_is_asked() -> None:
    """`?`: the label, what an answer looks like, its limits, and which step reads it."""
    result = ask("-r", "qin", answers="2020-03-01\n?\nq\n")
    said = " ".join(result.stderr.split())
    assert "Total cost (total_cost): amount in CNY From 0.00 to 100,000,000.00 Read by:" in said


def test_the_answer_on_earlier_bills_is_kept(tmp_path: Path) -> None:
    """*No* is written as `so_far: {}`, counted as an answer that is kept, and not asked again."""
    saved = tmp_path / "part.yaml"
    first = ask("-r", "beijing-employee", "--save", str(saved), answers="2025-06-30\nno\n")
    assert f"2 answers are kept in {saved}." in first.stderr
    assert "so_far: {}" in saved.read_text(encoding="utf-8")
    again = ask(str(saved), answers="")
    assert "Did anything come before" not in again.stderr
    asked = ask(
        "-r", "beijing-employee", "--format", "json", answers="2025-06-30\nno\n30000\n40000\n1\nactive\nlevel_3\nno\n"
    )
    resumed = ask(str(saved), "--format", "json", answers="30000\n40000\n1\nactive\nlevel_3\nno\n")
    assert json.loads(resumed.stdout)["totals"] == json.loads(asked.stdout)["totals"]


def test_earlier_bills_half_told_are_asked_again(tmp_path: Path) -> None:
    """One of several amounts would say that the others are nothing: it is not kept, and the message does not count it."""
    saved = tmp_path / "part.yaml"
    first = ask("-r", "beijing-employee", "--save", str(saved), answers="2025-06-30\nyes\ninpatient\n")
    assert f"2 answers are kept in {saved}. What came before this bill is not complete" in first.stderr
    assert "so_far:" not in [line[:7] for line in saved.read_text(encoding="utf-8").splitlines()]
    assert "Did anything come before" in ask(str(saved), answers="").stderr
    saved.unlink()
    told = "2025-06-30\nyes\n1\n36150\n42380\n1\nq\n"  # the sixth is an amount of earlier bills, one of several
    ask("-r", "beijing-employee", "--save", str(saved), answers=told)
    assert '# asked again, since not complete: "whole_year.sum(own_in_scope)": 1.00' in saved.read_text(
        encoding="utf-8"
    )


def test_what_the_paper_says_is_kept(tmp_path: Path) -> None:
    """The number of the bill and what was charged go into the file, and `audit` runs on it: 2,804.00 is 100.00 too much."""
    saved = tmp_path / "bill.yaml"
    paper = "ZY-1\nyes\nabc\n2,804.00\n7196\n?\n\n400\nq\n"
    result = ask("-r", "qin", "--save", str(saved), answers=CITY + paper)
    assert code(result) == 0
    text = saved.read_text(encoding="utf-8")
    assert "  episode_id: ZY-1\n" in text
    assert text.endswith('charged:\n  patient_pays: "2,804.00"\n  fund_pays: 7196\n  above_deductible: 400\n')
    assert "RX701" in result.stderr
    assert f"Check what is charged with: rxcalc audit {saved}" in result.stderr
    audit = CliRunner().invoke(cli, ["audit", str(saved), "--format", "json"], standalone_mode=False)
    assert code(audit) == 1
    assert "+100.00" in CliRunner().invoke(cli, ["audit", str(saved)], standalone_mode=False).stdout


def test_the_paper_is_asked_about_only_where_a_file_is_saved_and_answers_are_left(tmp_path: Path) -> None:
    """Without --save nothing is asked of it; where the answers end, what there is is saved without a word."""
    assert "The number of the bill" not in ask("-r", "qin", answers=CITY + "ZY-1\n").stderr
    saved = tmp_path / "bill.yaml"
    result = ask("-r", "qin", "--save", str(saved), answers=CITY)
    assert code(result) == 0
    assert "The number of the bill" not in result.stderr
    assert "episode_id: BILL-1  # not asked" in saved.read_text(encoding="utf-8")
    assert "charged:" not in saved.read_text(encoding="utf-8")
    result = ask("-r", "qin", "--save", str(saved), answers="yes\n" + CITY + "\nno\n")
    assert "episode_id: BILL-1  # not asked" in saved.read_text(encoding="utf-8")


def test_the_number_of_an_earlier_bill_is_refused(tmp_path: Path) -> None:
    """An id of the file's earlier bills, and one by which this bill would come before a bill of the same day."""
    part = tmp_path / "part.yaml"
    part.write_text(
        "rulebook: beijing-employee\n"
        "episode: {person_class: active, level: level_3, supplement: no, care: inpatient, discharge_date: 2025-06-30,\n"
        "  total: 40000, in_scope: 30000, critical_illness: no}\n"
        "earlier:\n"
        "  - episode: {episode_id: E5, person_id: P7, person_class: active, level: level_3, discharge_date: 2025-06-30,\n"
        "      total: 20000, in_scope: 18000}\n",
        encoding="utf-8",
    )
    saved = tmp_path / "whole.yaml"
    result = ask(str(part), "--save", str(saved), "--format", "json", answers="E5\nE1\nE9\n")
    assert code(result) == 0, result.stderr
    assert "E5 is the number of an earlier bill" in result.stderr
    assert "With E1 this bill would come before an earlier one" in " ".join(result.stderr.split())
    assert "episode_id: E9" in saved.read_text(encoding="utf-8")
    steps = {step["name"]: step["value"] for step in json.loads(result.stdout)["steps"]}
    assert steps["deductible_due"] == "650.00"  # the second stay of the year


def test_earlier_bills_of_the_file_count(tmp_path: Path) -> None:
    """The second stay of the year after one in the file: its deductible is 650.00, and (30,000 - 650) x 85% is pooled."""
    part = tmp_path / "part.yaml"
    part.write_text(
        "rulebook: beijing-employee\n"
        "episode: {person_class: 在职, level: level_3, supplement: no, care: inpatient, discharge_date: 2025-06-30,\n"
        "  total: 40000, in_scope: 30000}\n"
        "earlier:\n"
        "  - episode: {episode_id: E1, person_id: P7, person_class: active, level: level_3, discharge_date: 2025-02-01,\n"
        "      total: 20000, in_scope: 18000}\n",
        encoding="utf-8",
    )
    result = ask(str(part), "--save", str(tmp_path / "whole.yaml"), "--format", "json", answers="no\n")
    assert code(result) == 0, result.stderr
    steps = {step["name"]: step["value"] for step in json.loads(result.stdout)["steps"]}
    assert steps["deductible_due"] == "650.00"
    assert steps["pool_pays"] == "24947.50"
    assert "earlier:" in (tmp_path / "whole.yaml").read_text(encoding="utf-8")
    assert "Did anything come before" not in result.stderr


def test_versions_are_chosen_by_the_date() -> None:
    """With two versions the date comes first and decides; one outside all of them is refused."""
    both = ("-r", "shanghai-employee@2017", "-r", "shanghai-employee@2024")
    assert "shanghai-employee 2017" in ask(*both, answers="2020-05-01\nq\n").stderr
    assert "shanghai-employee 2024" in ask(*both, answers="2025-05-01\nq\n").stderr


def test_rows_of_a_list() -> None:
    """Rows are asked for one by one; a wrong cell is asked again, an empty optional one is none."""
    answers = "2023-05-01\nno\nyes\n\nSTENT\nmaterial\n1\nnine\n800\n800\n\nno\nq\n"
    result = ask("-r", "sanming", answers=answers)
    assert "row 1" in result.stderr
    assert "RX701" in result.stderr
    assert "so far" in result.stderr.lower()


@pytest.mark.parametrize(
    "args", [("-",), ("--set", "parameter.rate=90%", "-r", "qin"), ("docs/bills/none.yaml",), ()], ids=str
)
def test_bad_usage(args: tuple[str, ...]) -> None:
    """Standard input cannot be both; a parameter is not an answer; a rulebook must be named."""
    run = subprocess.run(
        [sys.executable, "-m", "rxcalc", "explain", "--ask", *args], cwd=ROOT, input="", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *args: str, folder: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["PYTHONPATH"] = str(ROOT)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run of the tests in the background ignores it
            os.execv(sys.executable, [sys.executable, "-m", "rxcalc", "explain", "--ask", *args])  # noqa: S606 - the program itself, on a terminal of its own
        self.shown = ""
        self.seen = 0

    def until(self, text: str, seconds: float = 60) -> None:
        """Reads until a text is shown."""
        end = time.monotonic() + seconds
        while text not in self.shown[self.seen :]:
            assert time.monotonic() < end, self.shown
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.fd, 65536).decode()
                except OSError:
                    break
        assert text in self.shown[self.seen :], self.shown
        self.seen = self.shown.index(text, self.seen) + len(text)

    def send(self, text: str) -> None:
        """Types a text."""
        os.write(self.fd, text.encode())

    def wait(self) -> int:
        """The exit code, after the rest of what is shown."""
        while True:
            assert select.select([self.fd], [], [], 60)[0], self.shown
            try:
                found = os.read(self.fd, 65536).decode()
            except OSError:
                break
            if not found:
                break
            self.shown += found
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_on_a_terminal(tmp_path: Path) -> None:
    """Answers are typed, the bill is saved under the name that is asked for, and explained."""
    terminal = Terminal("-r", "qin", "--lang", "en", folder=tmp_path)
    for prompt, answer in zip(
        (
            "Discharge",
            "Total cost",
            "Hospital level",
            "Referred",
            "Emergency",
            "Save the bill as",
            "number of the bill",
            "what was charged",
            "Patient, in all",
            "(fund_pays)",
        ),
        ("2020-03-01", "10000", "3", "no", "no", "mine.yaml", "ZY-7", "yes", "2704", "q"),
        strict=True,
    ):
        terminal.until(f"{prompt}")
        terminal.until("> ")
        terminal.send(f"{answer}\n")
    assert terminal.wait() == 0
    assert "2,704.00" in terminal.shown
    text = (tmp_path / "mine.yaml").read_text()
    assert "level: city" in text
    assert "episode_id: ZY-7\n" in text
    assert "charged:\n  patient_pays: 2704\n" in text


@pytest.mark.parametrize("stop", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_interrupted_on_a_terminal(tmp_path: Path, stop: str) -> None:
    """Ctrl-C and the end of input leave with 130, and say what is kept."""
    terminal = Terminal("-r", "qin", "--lang", "en", "--save", "part.yaml", folder=tmp_path)
    terminal.until("> ")
    terminal.send("2020-03-01\n")
    terminal.until("] > ")
    terminal.send(stop)
    assert terminal.wait() == 130, terminal.shown
    assert "One answer is kept in part.yaml." in terminal.shown
    assert "discharge_date: 2020-03-01" in (tmp_path / "part.yaml").read_text()
