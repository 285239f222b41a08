"""Text files as they come: encodings, compressions, quotes, damage. Bytes are made by hand, expected values too."""

from __future__ import annotations

import codecs
import csv
import gzip
import importlib.util
import io
import json
import os
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rxcalc.driver.batch import run_batch
from rxcalc.driver.batch_report import BatchOptions, BatchReport
from rxcalc.inputs.cells import CellProblem, parse_cell
from rxcalc.lang.types import CODE, DATE, MONEY
from rxcalc.tabular import reader as reading
from rxcalc.tabular import streams
from rxcalc.tabular.problems import UsageProblem
from rxcalc.tabular.reader import BlockReader, TextSource, open_text
from rxcalc.tabular.records import spans, split

_SPEC = importlib.util.spec_from_file_location("rxcalc_test_plans", Path(__file__).parents[1] / "batch" / "plans.py")
assert _SPEC is not None
assert _SPEC.loader is not None
plans: Any = sys.modules.setdefault(_SPEC.name, importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(plans)

HEADER = "episode_id,person_id,level,day,total,referred"
CHINESE = f"{HEADER},姓名"
PLAN = plans.plan_of(plans.inputs())


def run(folder: Path, data: bytes, name: str = "in.csv", **options: Any) -> BatchReport:
    """A batch over `data` in a folder."""
    source = folder / name
    source.write_bytes(data)
    made = BatchOptions(episodes=source, results=folder / "out.csv", **options)
    return run_batch(PLAN, made, evaluator=plans.HalfDue())


def rows_of(path: Path) -> list[list[str]]:
    """A CSV file's records, by another reader."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def table(*names: str) -> str:
    """Episodes E001, E002 .. of people with these names, each of 10.01."""
    lines = [f"E{at:03},P1,town,2024-01-05,10.01,yes,{name}\n" for at, name in enumerate(names, 1)]
    return f"{CHINESE}\n" + "".join(lines)


def zstd(data: bytes) -> bytes:
    """One zstd frame."""
    return zstandard.ZstdCompressor().compress(data)


# ---- encodings --------------------------------------------------------------------------------------

NAMES = ("张三", "女", "李雷", "欧阳娜娜", "阿依古丽·买买提", "喆", "plain")
ENCODED = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "gb18030": lambda text: text.encode("gb18030"),
    "gb18030 with mark": lambda text: ("\ufeff" + text).encode("gb18030"),
    "utf-16-le with mark": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be with mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
}
PACKED = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".gz of two": lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:]) + bytes(512),
    ".zst": zstd,
    ".zst of two": lambda data: zstd(data[:50]) + zstd(data[50:]),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_and_compression_gives_the_same_results(tmp_path: Path, encoding: str, packing: str) -> None:
    """Results are those of plain UTF-8, byte for byte, and the summary says what was read."""
    text = table(*NAMES)
    run(tmp_path, text.encode())
    wanted = (tmp_path / "out.csv").read_bytes()
    data = PACKED[packing](ENCODED[encoding](text))
    report = run(tmp_path, data, f"in.csv{packing[:4].strip()}", block=64)
    assert report.exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == wanted
    summary = json.loads((tmp_path / "out.summary.json").read_text(encoding="utf-8"))
    assert summary["input"]["encoding"] == encoding.removesuffix(" with mark")
    assert summary["input"]["bytes"] == len(data)


@pytest.mark.parametrize(
    ("asked", "data", "name"),
    [
        ("gbk", table("张三").encode("gbk"), "张三"),
        ("gb18030", table("𠮷野").encode("gb18030"), "𠮷野"),
        ("utf-16", codecs.BOM_UTF16_BE + table("张三").encode("utf-16-be"), "张三"),
        ("utf-16", table("张三").encode("utf-16-le"), "张三"),
        ("utf-16-le", table("张三").encode("utf-16-le"), "张三"),
        ("utf-8", table("张三").encode(), "张三"),
    ],
)
def test_an_encoding_can_be_asked_for(tmp_path: Path, asked: str, data: bytes, name: str) -> None:
    """`--encoding` says what the bytes are; nothing is guessed then."""
    report = run(tmp_path, data, encoding=asked)
    assert report.exit_code == 0
    assert rows_of(tmp_path / "out.csv")[1][6] == name


@pytest.mark.parametrize(
    ("asked", "data", "words"),
    [
        ("gb18030", codecs.BOM_UTF8 + table("张三").encode(), "byte order mark of UTF-8"),
        ("utf-8", codecs.BOM_UTF16_LE + table("张三").encode("utf-16-le"), "byte order mark of UTF-16-LE"),
        ("utf-16", table("张三").encode(), "NUL bytes do not tell"),
        ("auto", codecs.BOM_UTF32_LE + table("张三").encode("utf-32-le"), "UTF-32"),
        (
            "auto",
            (table("張三", "繁體中文", "測試", "資料庫", "臺灣")).encode("big5", "replace"),
            "no recognised encoding",
        ),
        ("auto", table("カタカナ", "ひらがな").replace("姓名", "名前").encode("shift-jis"), "no recognised encoding"),
        ("utf-8", table("张三").encode("gb18030"), "not readable as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, asked: str, data: bytes, words: str) -> None:
    """A contradiction, or bytes that fit no encoding, end the run before it starts."""
    report = run(tmp_path, data, encoding=asked)
    assert report.exit_code == 2
    assert report.problem is not None
    assert words in report.problem.message
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def rejected(folder: Path) -> list[tuple[str, str, str, str]]:
    """Line, code, message and raw text of every reject."""
    return [(r[-7], r[-6], r[-3], r[-1]) for r in rows_of(folder / "out.rejects.csv")[1:]]


def test_undecodable_bytes_of_gb18030_refuse_their_record(tmp_path: Path) -> None:
    """The message gives the byte and its offset in the file; the records around it are computed."""
    good = table("张三", "李雷", "韩梅").encode("gb18030")
    at = good.index("李雷".encode("gb18030"))
    report = run(tmp_path, good[:at] + b"\xff" + good[at + 1 :])
    assert report.reject_codes == {"RX742": 1}
    assert [r[6] for r in rows_of(tmp_path / "out.csv")[1:]] == ["张三", "韩梅"]
    line, _, message, raw = rejected(tmp_path)[0]
    assert line == "3"
    assert f"byte ff at offset {at:,} is not GB18030" in message
    assert "\\xff" in raw


@pytest.mark.parametrize("tail", [b"\x80", b"\xd6", b"\x81\x30", b"\x81\x30\x81"])
def test_half_a_character_never_swallows_the_line_end(tmp_path: Path, tail: bytes) -> None:
    """A lead byte right before a line end refuses its own record alone."""
    lines = table("张三", "X", "韩梅").encode("gb18030").replace(b"X\n", tail + b"\n")
    report = run(tmp_path, lines, block=10)
    assert report.reject_codes == {"RX742": 1}
    assert [r[0] for r in rows_of(tmp_path / "out.csv")[1:]] == ["E001", "E003"]


def test_utf8_lines_in_a_file_of_gb18030_are_refused(tmp_path: Path) -> None:
    """They would decode, to other characters. Where the encoding was asked for, nothing is second-guessed."""
    strange = "E004,P1,town,2024-01-05,10.01,yes,中文\n".encode()
    strange.decode("gb18030")  # is text there too
    data = table("张三", "李雷", "韩梅").encode("gb18030") + strange
    assert run(tmp_path, data).reject_codes == {"RX742": 1}
    assert rejected(tmp_path)[0][0] == "5"
    assert run(tmp_path, data, encoding="gb18030").reject_codes == {}


def test_gb18030_lines_in_a_file_of_utf8_are_refused(tmp_path: Path) -> None:
    """A file of two encodings ends as rejected rows, never as other characters."""
    data = table("张三", "李雷", "韩梅").encode() + "E004,P1,town,2024-01-05,10.01,yes,李雷\n".encode("gb18030")
    report = run(tmp_path, data)
    assert report.reject_codes == {"RX742": 1}
    at = data.index("李雷".encode("gb18030"))
    assert f"byte c0 at offset {at:,} is not UTF-8" in rejected(tmp_path)[0][2]


def test_the_encoding_is_seen_beyond_a_long_start_of_ascii(tmp_path: Path) -> None:
    """A file of GB18030 may hold nothing but ASCII in its first blocks."""
    ascii_part = "".join(f"E{at:06},P1,town,2024-01-05,10.01,yes,{'x' * 40}\n" for at in range(40_000))
    tail = "F1,P1,town,2024-01-05,10.01,yes,张三\nF2,P1,town,2024-01-05,10.01,yes,女\n"
    data = (f"{HEADER},name\n" + ascii_part + tail).encode("gb18030")
    assert len(data) > 3_000_000
    report = run(tmp_path, data, block=1 << 20)
    assert report.exit_code == 0
    assert [r[6] for r in rows_of(tmp_path / "out.csv")[-2:]] == ["张三", "女"]
    assert any("GB18030" in told for told in report.assumptions)


def test_one_character_of_gb18030_that_looks_like_utf8(tmp_path: Path) -> None:
    """女 is c5 ae in GB18030, which is also Ů in UTF-8: other lines decide."""
    report = run(tmp_path, table("女", "男", "女", "女").encode("gb18030"))
    assert report.exit_code == 0
    assert [r[6] for r in rows_of(tmp_path / "out.csv")[1:]] == ["女", "男", "女", "女"]


def test_half_a_surrogate_pair_refuses_its_record(tmp_path: Path) -> None:
    """UTF-16 with a lone surrogate, and with an odd number of bytes: each the record's own fault, with its offset."""
    good = table("张三", "李雷", "𠮷").encode("utf-16-le")
    at = good.index("李".encode("utf-16-le"))
    data = codecs.BOM_UTF16_LE + good[:at] + b"\x00\xd8" + good[at + 2 :]
    report = run(tmp_path, data, block=16)
    assert report.reject_codes == {"RX742": 1}
    assert f"(d800) stands alone at offset {at + 2:,}" in rejected(tmp_path)[0][2]
    assert [r[6] for r in rows_of(tmp_path / "out.csv")[1:]] == ["张三", "𠮷"]
    assert run(tmp_path, codecs.BOM_UTF16_LE + good + b"x").reject_codes == {"RX742": 1}
    assert f"at offset {len(good) + 2:,} the file ends in the middle" in rejected(tmp_path)[0][2]


def test_offsets_of_compressed_files_are_those_of_the_text(tmp_path: Path) -> None:
    """And the message says so."""
    data = table("张三", "李雷").encode()
    at = data.index("李".encode())
    run(tmp_path, gzip.compress(data[:at] + b"\xff" + data[at + 1 :]), "in.csv.gz")
    assert f"offset {at:,} of the unpacked file" in rejected(tmp_path)[0][2]


cell_texts = st.text(st.sampled_from('ab1,"\n\r\t 中女é·𠮷;#\x01x^'), max_size=6)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(cell_texts, min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16-le", "utf-16-be"]),
    packing=st.sampled_from(list(PACKED)),
    block=st.sampled_from([1, 40, 6 << 20]),
    always=st.booleans(),
)
def test_any_table_of_texts_reads_the_same(
    tmp_path: Path, cells: list[str], encoding: str, packing: str, block: int, always: bool
) -> None:
    """Whatever the encoding, compression and quoting, results and rejects are those of plain UTF-8."""
    text = io.StringIO(newline="")
    out = csv.writer(text, quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL)
    out.writerow(CHINESE.split(","))
    for at, cell in enumerate(cells):
        out.writerow([f"E{at:03}", "P1", "town", "2024-01-05", "10.01", "yes", cell])
    report = run(tmp_path, text.getvalue().encode())
    assert report.exit_code == 0
    wanted = (tmp_path / "out.csv").read_bytes()
    assert [r[6] for r in rows_of(tmp_path / "out.csv")[1:]] == cells
    data = PACKED[packing](text.getvalue().encode(encoding))
    report = run(tmp_path, data, f"in.csv{packing[:4].strip()}", block=block, encoding=encoding)
    assert report.exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == wanted


# ---- cells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("１，２３４．５０", Fraction(123450, 100)),
        ("￥１２３．４５", Fraction(12345, 100)),
        ("-￥5", -5),
        ("１２．５万元", 125_000),
        ("12.345万元", 123_450),
        ("0.00001万元", Fraction(1, 10)),
        ("1,000.50 元", Fraction(100050, 100)),
        ("\t12.50　", Fraction(1250, 100)),
        ("−5", -5),
        ("1.23456789万元", "RX702"),  # 12345.6789 yuan
        ("1,234,5", "RX701"),
        ("1 234.50", "RX701"),
        ("1.2万", "RX701"),
        ("五元", "RX701"),
        ("०१२", "RX701"),
        ("12。5", "RX701"),
        ("1.0E3", "RX710"),
        ("无", "RX704"),
        ("待填", "RX704"),
        ("-", "RX704"),
        ("——", "RX704"),
        ("N/A", "RX704"),
    ],
)
def test_amounts_are_read_exactly_or_refused(cell: str, wanted: object) -> None:
    """Separators, full-width digits, 元 and 万元, placeholders: nothing is guessed."""
    found = parse_cell(cell, plans.field_of("total", MONEY, low=-100))
    assert (found.code if isinstance(found, CellProblem) else found) == wanted


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2024年7月1日", date(2024, 7, 1)),
        ("２０２４－０７－０１", date(2024, 7, 1)),
        ("2024/7/1", date(2024, 7, 1)),
        ("20240701", date(2024, 7, 1)),
        ("2024-07-01 00:00:00", date(2024, 7, 1)),
        ("2024-07-01 12:30:00", "RX708"),
        ("45474", "RX706"),  # a spreadsheet's number of that day
        ("45474.5", "RX706"),
        ("1/7/24", "RX706"),
        ("2024-02-30", "RX706"),
        ("20240701123000", "RX706"),
    ],
)
def test_dates_are_read_exactly_or_refused(cell: str, wanted: object) -> None:
    """Year first in any of the usual spellings; a time of day and day numbers are refused."""
    found = parse_cell(cell, plans.field_of("day", DATE))
    assert (found.code if isinstance(found, CellProblem) else found) == wanted


@pytest.mark.parametrize("cell", ["1.2E+17", "1.10101E+17", "1E+17"])
def test_ids_that_a_spreadsheet_has_cut_short_are_refused(cell: str) -> None:
    """Their last digits are lost. A tab in front, as some systems write against that, is trimmed."""
    spec = plans.field_of("person_id", CODE)
    found = parse_cell(cell, spec)
    assert isinstance(found, CellProblem)
    assert found.code == "RX709"
    assert parse_cell("\t110101199001011234", spec) == "110101199001011234"


# ---- the fast reader against the strict one ---------------------------------------------------------

PIECES = [b"a", b"b", b"x^", b"x\x01", b",", b",", b'"', b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\xff"]
MORE = ["中".encode(), "中".encode("gbk"), b"\xef\xbb\xbf", b" ", b'","', b'"\n"', b'a""b', b"\xed\xa0\x80"]
pieces = st.sampled_from([*PIECES, *MORE])


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(pieces, max_size=40).map(b"".join),
    block=st.sampled_from([1, 5, 16, 64, 1 << 20]),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
    width=st.integers(1, 4),
)
def test_blocks_hold_what_the_strict_reader_finds(
    tmp_path: Path, body: bytes, block: int, encoding: str, width: int
) -> None:
    """Records, their lines, their fields, their raw text and their problems are those of the definition."""
    header = ",".join(f"c{at}" for at in range(width)).encode() + b"\n"
    path = tmp_path / "in.csv"
    path.write_bytes(header + body)
    source = open_text(path, encoding)
    assert isinstance(source, TextSource), source
    found = split(body, spans(body, ",", last=True)[0], ",", width, len(header), source.text)
    wanted = [
        (record.line, record.raw, tuple(record.fields) if record.problem is None else None, record.problem)
        for record in found
    ]
    assert read_again(source, block) == wanted


def read_again(source: TextSource, block: int) -> list[Any]:
    """What the reader of blocks gives: line, raw text, fields, problem."""
    reader = source.blocks(block)
    line = 0
    got = []
    for raw in reader:
        read = raw.read(source.head)
        bad = dict(read.bad)
        rows = range(read.records)
        for row, text, fields in zip(rows, read.raw(rows), read.fields.iter_rows(), strict=True):
            record = bad.get(row)
            own = tuple(cell or "" for cell in fields) if record is None else tuple(record.fields)
            problem = record.problem if record is not None else None
            got.append((line + read.line(row), text, own if problem is None else None, problem))
        assert read.numbers is None or read.numbers.itemsize == 4
        line += read.height
    assert reader.problem is None
    assert reader.bytes_read == source.stamp[0]
    return got


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(pieces, max_size=30).map(b"".join),
    block=st.sampled_from([1, 16, 64]),
    packing=st.sampled_from(["", ".gz", ".zst"]),
    wide=st.booleans(),
)
def test_reading_goes_on_after_a_mark(tmp_path: Path, body: bytes, block: int, packing: str, wide: bool) -> None:
    """The blocks after a mark are those of one pass; a file that differs before it is refused."""
    data = b"a,b\n" + body
    data = codecs.BOM_UTF16_LE + data.decode("latin-1").encode("utf-16-le") if wide else data
    path = tmp_path / "in.csv"
    path.write_bytes(PACKED[packing](data))
    source = open_text(path, "utf-16" if wide else "utf-8")
    assert isinstance(source, TextSource), source
    first = source.blocks(block)
    whole = list(first)
    assert whole == list(source.blocks(block))
    for at, raw in enumerate(whole):
        rest = source.blocks(block, raw.mark)
        assert list(rest) == whole[at + 1 :]
        assert rest.problem is None
        assert rest.digest == first.digest


# ---- compressed files -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_file_cut_short_publishes_nothing(tmp_path: Path, suffix: str, keep: float) -> None:
    """The message says where it ends."""
    data = PACKED[suffix](
        "".join([CHINESE, "\n", *(f"E{at},P1,town,2024-01-05,{at}.01,yes,x\n" for at in range(3000))]).encode()
    )
    data = data[: int(len(data) * keep)]
    report = run(tmp_path, data, f"in.csv{suffix}")
    assert report.exit_code == 2
    assert report.problem is not None
    assert f"it ends after {len(data):,} bytes" in report.problem.message
    assert [path.name for path in tmp_path.iterdir()] == [f"in.csv{suffix}"]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_damage_is_told_with_its_place(tmp_path: Path, suffix: str) -> None:
    """A changed byte, and bytes that follow the compressed data, end the run."""
    data = PACKED[suffix](table(*NAMES).encode())
    if suffix == ".gz":
        report = run(tmp_path, data[:-5] + bytes([data[-5] ^ 1]) + data[-4:], f"in.csv{suffix}")
        assert report.exit_code == 2
        assert report.problem is not None
        assert "is damaged: after byte" in report.problem.message
    report = run(tmp_path, data + b"trailing", f"in.csv{suffix}")
    assert report.exit_code == 2
    assert report.problem is not None
    assert f"is damaged: after byte {len(data):,}" in report.problem.message


def test_content_decides_and_a_wrong_suffix_is_told(tmp_path: Path) -> None:
    """A gzip file named .csv is read, and plain text named .csv.gz; the run says so."""
    report = run(tmp_path, gzip.compress(table("张三").encode()))
    assert report.exit_code == 0
    assert report.assumptions == ("in.csv: it is a gzip file, whatever its name says",)
    report = run(tmp_path, table("张三").encode(), "in.csv.zst")
    assert report.exit_code == 0
    assert report.assumptions == ("in.csv.zst: it is no zstd file, but plain text, whatever its name says",)


@pytest.mark.parametrize(("suffix", "ratio"), [(".gz", 500), (".zst", 1000)])
def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, ratio: int) -> None:
    """A file that unpacks to many times its size is refused before its text is held."""
    monkeypatch.setattr(streams, "RATIO", ratio)  # gzip packs no tighter than 1,032 times
    monkeypatch.setattr(streams, "RATIO_FROM", 10 << 20)
    data = PACKED[suffix](f"{CHINESE}\n".encode() + b"x" * (64 << 20))
    report = run(tmp_path, data, f"in.csv{suffix}")
    assert report.exit_code == 2
    assert report.problem is not None
    assert f"more than {ratio:,} times its size" in report.problem.message


def test_files_inside_files_are_refused(tmp_path: Path) -> None:
    """What a compressed file holds must be text."""
    report = run(tmp_path, gzip.compress(gzip.compress(b"a,b\n")), "in.csv.gz")
    assert report.problem is not None
    assert "a gzip file that holds a gzip file" in report.problem.message


# ---- separators and line ends -----------------------------------------------------------------------


def test_tabs(tmp_path: Path) -> None:
    """`.tsv` is read with tabs, compressed too; a header of tabs alone is recognised under any other name, and told."""
    data = table("张,三").replace(",", "\t").replace("张\t三", "张,三").encode()
    for name in ("in.tsv", "in.tab"):
        assert run(tmp_path, data, name).assumptions == ()
    assert run(tmp_path, gzip.compress(data), "in.tsv.gz").assumptions == ()
    report = run(tmp_path, codecs.BOM_UTF16_LE + data.decode().encode("utf-16-le"), "in.txt")
    assert report.exit_code == 0
    assert "in.txt: its columns are separated by tabs" in report.assumptions
    assert "张,三" in (tmp_path / "out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("in.csv", table("x").replace(",", ";").encode(), "semicolons"),
        ("in.tsv", table("x").encode(), "separated by commas"),
        ("in.csv", table("x").replace("\n", "\r").encode(), "old Macs"),
        ("in.csv", b'episode_id,"total', "quote"),
        ("in.csv", b"x" * (9 << 20), "longer than 8 MiB"),
        ("in.csv", b"%PDF-1.7\n", "a PDF file"),
        ("in.csv", b"episode_id\0,total\n", "binary data"),
        ("in.csv", codecs.BOM_UTF16_LE, "it has no header"),
        ("in.csv.gz", gzip.compress(b"", mtime=0), "it has no header"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    """Never one silent giant column: the message says what the file is, the help what to do."""
    report = run(tmp_path, data, name)
    assert report.exit_code == 2
    assert report.problem is not None
    assert words in report.problem.message
    assert report.problem.help


def test_a_header_alone(tmp_path: Path) -> None:
    """Gives no rows, in every encoding and without a line end."""
    for data in (f"{CHINESE}\n", CHINESE, f"{CHINESE}\r\n"):
        for encode in ENCODED.values():
            report = run(tmp_path, encode(data))
            assert report.exit_code == 0
            assert rows_of(tmp_path / "out.csv") == [[*CHINESE.split(","), "due"]]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe and a device each with its own words; nothing waits."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "folder"), (tmp_path / "pipe", "regular"), (Path("/dev/zero"), "regular")):
        found = open_text(path)
        assert isinstance(found, UsageProblem)
        assert words in found.message


@pytest.mark.parametrize("change", ["grows", "shrinks", "is replaced"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, change: str) -> None:
    """Ends the pass with a problem, even where every record could be read."""
    path = tmp_path / "in.csv"
    path.write_text(table("a", "b", "c"), encoding="utf-8")
    source = open_text(path)
    assert isinstance(source, TextSource)
    reader = source.blocks(50)
    for at, _ in enumerate(reader):
        if at:
            continue
        if change == "grows":
            with path.open("a", encoding="utf-8") as file:
                file.write("E9,P1,town,2024-01-05,10.01,yes,x\n")
        elif change == "shrinks":
            os.truncate(path, path.stat().st_size - 20)
        else:
            (tmp_path / "new").write_text(table("a", "b", "d"), encoding="utf-8")
            (tmp_path / "new").replace(path)
    assert isinstance(reader, BlockReader)
    assert reader.problem is not None
    assert "changed while it was read" in reader.problem.message


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record beyond the limit ends the run, whether quotes opened it or not, even when line ends stand near the limit."""
    monkeypatch.setattr(reading, "RECORD_LIMIT", 1 << 16)
    for filler in (b"x" * (1 << 18), b'"' + b"x" * ((1 << 16) - 300) + b"\n" + b"y" * (1 << 18)):
        report = run(tmp_path, f"{CHINESE}\nE1,P1,town,2024-01-05,1,yes,".encode() + filler, block=4096)
        assert report.exit_code == 2
        assert report.problem is not None
        assert "a record starts that is longer than" in report.problem.message
