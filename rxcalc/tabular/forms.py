"""Which kind of file an output is, by its name, and how the files beside the results are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rxcalc.inputs.shown import quoted
from rxcalc.tabular.locators import Locator, locate
from rxcalc.tabular.problems import UsageProblem

Kind = Literal["text", "parquet", "xlsx", "duckdb", "sqlite"]

_TEXT: Final = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_COMPRESSED: Final = (".gz", ".zst")
_TABLES: Final[dict[str, Kind]] = {".parquet": "parquet", ".pq": "parquet", ".xlsx": "xlsx"}
_DATABASES: Final[dict[str, Kind]] = {"duckdb": "duckdb", "sqlite": "sqlite"}
_KNOWN: Final = ".csv, .tsv or .tab (each also .gz or .zst), .parquet, .xlsx, duckdb:FILE?table=T, sqlite:FILE?table=T"


@dataclass(frozen=True, slots=True)
class FileForm:
    """How records are put into a file. `excel` says that spreadsheets are to show every cell as it is."""

    kind: Kind = "text"
    separator: str = ","
    compression: str = ""
    excel: bool = False

    @property
    def typed(self) -> bool:
        """Whether the file holds numbers, dates and flags as such, not the texts that were read."""
        return self.kind != "text"

    @property
    def plain(self) -> bool:
        """Whether lines read may be copied as they stand."""
        return self.kind == "text" and not self.excel


def form_of(path: Path, *, excel: bool = False) -> FileForm | UsageProblem:
    """The kind of file that a name asks for; refused when no such kind is known."""
    found = locate(path)
    if isinstance(found, UsageProblem):
        return found
    if found.scheme:
        return FileForm(_DATABASES[found.scheme])
    if found.part:
        return _unknown(path, "a sheet of a workbook can be read, not written")
    suffixes = [suffix.lower() for suffix in found.file.suffixes[-2:]]
    last = suffixes[-1] if suffixes else ""
    if last in _TABLES:
        return FileForm(_TABLES[last])
    compression = last if last in _COMPRESSED else ""
    inner = suffixes[-2] if compression and len(suffixes) > 1 else last
    if inner not in _TEXT:
        return _unknown(path, f"no kind of file is known by {quoted(found.file.name, 80)}")
    return FileForm("text", _TEXT[inner], compression.removeprefix("."), excel)


def beside(results: Path, suffix: str) -> Path:
    """The default name of a companion of the results: out.csv.gz, out.rejects.csv; x.db?table=T, x.db.T.rejects.csv."""
    found = locate(results)
    if isinstance(found, Locator) and found.scheme:
        table = "".join(char if char.isalnum() or char in "._-" else "_" for char in found.part)
        return found.file.with_name(f"{found.file.name}.{table}{suffix}")
    name = results.name
    for known in (*_COMPRESSED, *_TEXT, *_TABLES):
        if name.lower().endswith(known) and len(name) > len(known):
            name = name[: -len(known)]
    return results.with_name(name + suffix)


def companion_suffix(path: Path) -> str:
    """The suffix of a file of text beside another: with tabs where that one has them."""
    return next((s for s in path.suffixes[-2:] if _TEXT.get(s.lower()) == "\t"), ".csv")


def _unknown(path: Path, why: str) -> UsageProblem:
    return UsageProblem(f"cannot write {quoted(str(path), 200)}: {why}", (f"name an output that ends in {_KNOWN}",))
