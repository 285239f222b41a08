"""Whole runs of the batch: nothing is lost, nothing is half written, the order stays."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rxcalc.cli.load import plan_of
from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.lang.types import CODE, MONEY
from rxcalc.tabular import publish

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_plans", Path(__file__).parents[1] / "batch" / "plans.py")
assert _SPEC is not None
assert _SPEC.loader is not None
plans: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(plans)

HEADER = "episode_id,person_id,level,day,total,referred\n"
PLAN = plans.plan_of(plans.inputs())


def run(folder: Path, data: bytes | str, plan: Any = PLAN, evaluator: Any = None, **options: Any) -> BatchReport:
    """A batch over `data` in a folder."""
    source = folder / "in.csv"
    source.write_bytes(data.encode() if isinstance(data, str) else data)
    made = BatchOptions(episodes=source, results=folder / "out.csv", **options)
    return run_batch(plan, made, evaluator=evaluator or plans.HalfDue())


def rows_of(path: Path) -> list[list[str]]:
    """A CSV file's records, by another reader."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def row(number: int, total: str = "10.01", person: str = "P1", day: str = "2024-01-05") -> str:
    """One record."""
    return f"E{number:03},{person},town,{day},{total},yes\n"


def test_results_echo_the_input_and_add_the_outputs(tmp_path: Path) -> None:
    """Input columns stand as read, then the outputs with the currency's digits."""
    report = run(tmp_path, HEADER + row(1) + 'E002,"P,2",乡镇,2024/1/5,"1,000",是\n')
    assert report.exit_code == 0
    assert rows_of(tmp_path / "out.csv") == [
        [*HEADER.strip().split(","), "due"],
        ["E001", "P1", "town", "2024-01-05", "10.01", "yes", "5.01"],
        ["E002", "P,2", "乡镇", "2024/1/5", "1,000", "是", "500.00"],
    ]


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    """Read = written + rejected + totals + blank, in records and in money."""
    lines = [
        row(1),
        row(2, "12.345"),
        row(3, "abc"),
        row(4, "13.13"),
        row(5, "-1"),
        ",,,,,\n",
        "\n",
        "合计,,,,1000.50,\n",
        "E9,P1\n",
        row(6, "1e3"),
        row(7),
    ]
    report = run(tmp_path, HEADER + "".join(lines))
    assert report.exit_code == 1
    assert report.accounts is not None
    assert report.accounts.counts() == {"read": 11, "written": 2, "rejected": 6, "totals": 1, "blank": 2}
    assert report.accounts.differences() == ()
    assert report.reject_codes == {"RX702": 1, "RX701": 1, "RX721": 1, "RX703": 1, "RX741": 1, "RX710": 1}
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["counts"]["read"] == 11
    sums = summary["totals"]["total"]
    assert sums == {
        "read": "1044.995",
        "written": "20.02",
        "rejected": "24.475",
        "totals": "1000.50",
        "blank": "0.00",
        "unreadable_cells": 2,
    }
    for what, name in (("results", "out.csv"), ("rejects", "out.rejects.csv"), ("input", "in.csv")):
        assert summary[what]["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert summary["defaults_filled"] == {"fee": 2}


def test_rejects_can_be_mended_and_fed_back(tmp_path: Path) -> None:
    """A rejects file is an input; its rx_ columns are ignored."""
    run(tmp_path, HEADER + row(1) + row(2, "12.345") + row(3, "1e3"))
    rejects = (tmp_path / "out.rejects.csv").read_text(encoding="utf-8")
    found = rows_of(tmp_path / "out.rejects.csv")
    assert [r[6:9] for r in found[1:]] == [["3", "RX702", "total"], ["4", "RX710", "total"]]
    again = tmp_path / "again"
    again.mkdir()
    report = run(again, rejects.replace("12.345", "12.34").replace("1e3", "1000"))
    assert report.exit_code == 0
    assert rows_of(again / "out.csv")[0] == [*HEADER.strip().split(","), "due"]
    assert [r[-1] for r in rows_of(again / "out.csv")[1:]] == ["6.17", "500.00"]


@pytest.mark.parametrize("block", [64, 200, 6 << 20])
def test_duplicate_ids_are_refused_with_the_other_line(tmp_path: Path, block: int) -> None:
    """Every record with a doubled id is refused, wherever the other stands."""
    lines = "".join(row(n) for n in (5, 3, 1, 9, 3, 2, 5))
    report = run(tmp_path, HEADER + lines, block=block)
    assert report.reject_codes == {"RX744": 4}
    found = {(r[0], r[6]): r[10] for r in rows_of(tmp_path / "out.rejects.csv")[1:]}
    assert set(found) == {("E005", "2"), ("E005", "8"), ("E003", "3"), ("E003", "6")}
    assert "line 6" in found["E003", "3"]


@pytest.mark.parametrize("block", [64, 100, 6 << 20])
def test_sequences_work_across_the_file_in_any_order(tmp_path: Path, block: int) -> None:
    """A person's rows may stand anywhere; results keep the order of the input."""
    plan = plans.plan_of(plans.inputs(), sequence=True)
    lines = [
        row(1, "1", "A", "2024-03-01"),
        row(2, "2", "B", "2024-01-01"),
        row(3, "x", "A", "2024-01-01"),
        row(4, "4", "A", "2024-02-01"),
        row(5, "13.13", "B", "2024-02-01"),
    ]
    report = run(tmp_path, HEADER + "".join(lines), plan, plans.HalfDue(sequence=True), block=block)
    assert report.reject_codes == {"RX701": 1, "RX721": 1}
    assert [(r[0], r[-1]) for r in rows_of(tmp_path / "out.csv")[1:]] == [
        ("E001", "5.00"),
        ("E002", "2.00"),
        ("E004", "4.00"),
    ]


def test_header_only_is_an_empty_result(tmp_path: Path) -> None:
    """A header without rows gives 0 rows and exit code 0, with or without a sequence."""
    for sequence in (False, True):
        report = run(
            tmp_path, HEADER, plans.plan_of(plans.inputs(), sequence=sequence), plans.HalfDue(sequence=sequence)
        )
        assert report.exit_code == 0
        assert rows_of(tmp_path / "out.csv") == [[*HEADER.strip().split(","), "due"]]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\xef\xbb\xbf", b"PK\x03\x04....", b"\xff\xfee\x00", b"\xb1\xe0\xba\xc5,a\n1,2\n", b"episode_id,total\n1,2\n", b"episode_id,episode_id\n", b'"episode_id,x\n'],
)  # fmt: skip
def test_unusable_inputs_are_exit_code_2(tmp_path: Path, data: bytes) -> None:
    """Empty, binary, undecodable or incomplete inputs are refused as a whole and leave nothing behind."""
    report = run(tmp_path, data)
    assert report.exit_code == 2
    assert report.problem is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_headers_match_by_name_alias_and_map(tmp_path: Path) -> None:
    """Names go before aliases; two columns for one input are refused with both named."""
    report = run(tmp_path, "住院号,person_id,level,day,总费用,referred\n" + row(1))
    assert report.exit_code == 0
    clash = run(tmp_path, "住院号,person_id,level,day,总费用,referred,医疗费用总额\n" + row(1))
    assert clash.problem is not None
    assert "总费用" in clash.problem.message
    assert "医疗费用总额" in clash.problem.message
    mapped = run(
        tmp_path,
        "住院号,person_id,level,day,总费用,referred,医疗费用总额\n" + row(1).strip() + ",2\n",
        columns={"total": "医疗费用总额"},
    )
    assert mapped.exit_code == 0
    assert rows_of(tmp_path / "out.csv")[1][-1] == "1.00"
    near = run(tmp_path, "episode_id,person_id,level,day,totl,referred\n")
    assert near.problem is not None
    assert any("totl" in text for text in near.problem.help)


def test_select_and_clashing_names(tmp_path: Path) -> None:
    """`--select` names what is written; an output named like an input column is refused."""
    report = run(tmp_path, HEADER + row(1), select=("episode_id", "outputs"))
    assert report.exit_code == 0
    assert rows_of(tmp_path / "out.csv") == [["episode_id", "due"], ["E001", "5.01"]]
    assert run(tmp_path, HEADER.strip() + ",due\n").exit_code == 2
    assert run(tmp_path, HEADER, select=("duee",)).exit_code == 2


def test_max_rejects_publishes_no_results(tmp_path: Path) -> None:
    """Past `--max-rejects` there are rejects and a summary, but no results."""
    data = HEADER + row(1) + row(2, "x")
    assert run(tmp_path, data, max_rejects="50%").exit_code == 1
    (tmp_path / "out.csv").unlink()
    assert run(tmp_path, data, max_rejects="49.9%").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.rejects.csv", "out.summary.json"]
    assert run(tmp_path, data, max_rejects="many").exit_code == 2


def test_outputs_are_never_the_input_and_never_half_written(tmp_path: Path) -> None:
    """Output = input, a missing folder and a folder as target are refused; a failure leaves the old file."""
    source = tmp_path / "in.csv"
    source.write_text(HEADER + row(1), encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(source)
    for target in (source, tmp_path / "link.csv", tmp_path / "no" / "out.csv", tmp_path):
        assert run_batch(PLAN, BatchOptions(episodes=source, results=target), evaluator=plans.HalfDue()).exit_code == 2
    assert source.read_text(encoding="utf-8") == HEADER + row(1)

    class Broken:
        def run(self, *args: Any, **more: Any) -> Any:
            raise OSError(28, "No space left on device")

    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    assert run(tmp_path, HEADER + row(1), evaluator=Broken()).exit_code == 2
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "link.csv", "out.csv"]


def test_results_are_private_until_published(tmp_path: Path) -> None:
    """Temporary files carry mode 0600; published ones what the user's umask leaves."""
    draft = publish.open_draft(tmp_path / "out.csv")
    assert isinstance(draft, publish.Draft)
    assert draft.temporary.stat().st_mode & 0o777 == 0o600
    draft.discard()
    mask = os.umask(0o027)
    try:
        run(tmp_path, HEADER + row(1))
    finally:
        os.umask(mask)
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o640


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    """A dry run counts and reports only."""
    report = run(tmp_path, HEADER + row(1) + row(2, "x"), dry_run=True)
    assert report.reject_codes == {"RX701": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


@pytest.mark.parametrize(
    "bad",
    [
        b"E001,P1,town,2024-01-05,10.01,yes\xff\n",
        b"E001,P1,town,2024-01-05,10\x00.01,yes\n",
        b'E001,"P1,town,2024-01-05,10.01,yes\n',
        b'E001,"P1"x,town,2024-01-05,10.01,yes\n',
        b"E001,P1,town,2024-01-05,10.01,yes,more\n",
    ],
)
def test_a_damaged_record_is_its_own_reject(tmp_path: Path, bad: bytes) -> None:
    """Damage refuses one record; those around it are computed, and lines stay right."""
    report = run(tmp_path, HEADER.encode() + row(2).encode() + bad + row(3).encode() + row(4, "x").encode())
    assert report.accounts is not None
    assert report.accounts.counts() == {"read": 4, "written": 2, "rejected": 2, "totals": 0, "blank": 0}
    assert [r[6] for r in rows_of(tmp_path / "out.rejects.csv")[1:]] == ["3", "5"]


def test_quoted_newlines_keep_lines_right(tmp_path: Path) -> None:
    """A cell may hold line ends; the line of a later reject counts them."""
    data = (
        HEADER.strip()
        + ",note\n"
        + 'E001,P1,town,2024-01-05,1,yes,"a\nb\r\nc"\r\n'
        + "E002,P1,town,2024-01-05,x,yes,\r\n"
    )
    report = run(tmp_path, data)
    assert report.examples["RX701"].line == 5
    assert rows_of(tmp_path / "out.csv")[1][6] == "a\nb\r\nc"


def test_wide_and_long_files(tmp_path: Path) -> None:
    """Ten thousand columns and a cell of many megabytes are read like others."""
    names = ",".join(f"c{at}" for at in range(10_000))
    report = run(tmp_path, f"{HEADER.strip()},{names}\n" + row(1).strip() + "," * 10_000 + "\n")
    assert report.exit_code == 0
    assert len(rows_of(tmp_path / "out.csv")[1]) == 10_007
    long = run(tmp_path, HEADER + row(1) + f"E002,P1,town,2024-01-05,{'9' * 20_000_000},yes\n" + row(3))
    assert long.reject_codes == {"RX710": 1}
    assert long.accounts is not None
    assert long.accounts.counts()["written"] == 2


pieces = st.sampled_from(
    [
        b"E1",
        b"E2",
        b",",
        b",",
        b",",
        b'"',
        b'""',
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"5",
        b"10.01",
        "合计".encode(),
        b"\x01",
        b" ",
    ]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(pieces, max_size=60).map(b"".join),
    block=st.sampled_from([1, 7, 32, 1 << 20]),
    width=st.integers(1, 3),
)
def test_any_bytes_are_accounted_for(tmp_path: Path, body: bytes, block: int, width: int) -> None:
    """Whatever the bytes, no exception, every record has one fate, and blocks do not matter."""
    fields = (
        plans.field_of("episode_id", CODE),
        plans.field_of("total", MONEY, optional=True),
        plans.field_of("fee", MONEY, optional=True),
    )[:width]
    if width < 2:
        fields = (fields[0], plans.field_of("total", MONEY, default=1))
    plan = plans.plan_of(fields)
    header = ",".join(["episode_id", "total", "fee"][:width]) + "\n"
    report = run(tmp_path, header.encode() + body, plan, block=block, encoding="utf-8")
    assert report.problem is None, report.problem
    assert report.accounts is not None
    assert report.accounts.differences() == ()
    counts = report.accounts.counts()
    assert counts["read"] == sum(counts[kind] for kind in ("written", "rejected", "totals", "blank"))
    if body:
        assert counts["read"] >= 1
    assert len(rows_of(tmp_path / "out.rejects.csv")) == counts["rejected"] + 1
    written = (tmp_path / "out.csv").read_bytes()
    again = run(tmp_path, header.encode() + body, plan, block=6 << 20, encoding="utf-8")
    assert again.accounts is not None
    assert again.accounts.counts() == counts
    assert (tmp_path / "out.csv").read_bytes() == written


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    totals=st.lists(
        st.sampled_from(["1", "2.50", "x", "1e3", "12.345", "-3", "13.13", "", "1,000", "200000000000"]), max_size=12
    ),
    block=st.sampled_from([50, 6 << 20]),
)
def test_money_reconciles(tmp_path: Path, totals: list[str], block: int) -> None:
    """The sums over the four kinds add up to what was read, out of bounds amounts included."""
    lines = "".join(
        f'E{n:03},P1,town,2024-01-05,"{text}",yes\n' if "," in text else row(n, text) for n, text in enumerate(totals)
    )
    report = run(tmp_path, HEADER + lines, block=block)
    assert report.accounts is not None
    assert report.accounts.differences() == ()
    wanted = sum((Fraction(text.replace(",", "")) for text in totals if text not in {"x", "1e3", ""}), Fraction(0))
    assert report.accounts.read.sums.get("total", Fraction(0)) == wanted
    assert report.accounts.read.unreadable.get("total", 0) == sum(text in {"x", "1e3"} for text in totals)


def test_what_follows_a_refused_episode_is_refused_or_marked(tmp_path: Path) -> None:
    """With the real back ends: a refused episode takes with it who could have read it, and is named by its line."""
    plan = plan_of("beijing-employee")
    header = "episode_id,person_id,person_class,level,discharge_date,total,in_scope\n"
    lines = [
        "E3,P1,active,level_3,2025-03-01,1000.00,900.00\n",
        "E1,P1,active,level_3,2025-01-01,1e3,900.00\n",
        "E2,P2,retired,level_1,2025-02-01,1000.00,900.00\n",
    ]
    source = tmp_path / "in.csv"
    source.write_text(header + "".join(lines), encoding="utf-8")
    report = run_batch(plan, BatchOptions(episodes=source, results=tmp_path / "out.csv"))
    assert report.reject_codes == {"RX710": 1, "RX811": 1}
    assert report.examples["RX811"].line == 2
    assert "line 3" in report.examples["RX811"].message
    assert [r[0] for r in rows_of(tmp_path / "out.csv")[1:]] == ["E2"]
    report = run_batch(plan, BatchOptions(episodes=source, results=tmp_path / "out.csv", after_reject="compute"))
    assert report.reject_codes == {"RX710": 1}
    assert [(r[0], r[-1]) for r in rows_of(tmp_path / "out.csv")[1:]] == [("E3", "RX811"), ("E2", "")]
