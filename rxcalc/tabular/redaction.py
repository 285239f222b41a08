"""`--redact`: results that can be shown to others. Ids become pseudonyms of one key, codes and texts `***`.

Amounts, counts, percentages, dates, flags and values of closed sets stay. Whoever has not the key cannot tell an id from
its pseudonym by trying ids, and one id has one pseudonym in all files of a run.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from typing import Final

import polars as pl

from rxcalc.inputs.cells import trim
from rxcalc.inputs.typed import as_text
from rxcalc.lang.types import Kind, Plain, Type
from rxcalc.plan.nodes import Plan, PlanInput
from rxcalc.tabular.judging import ID, Judged

HIDDEN: Final = "***"
VARIABLE: Final = "RXCALC_REDACT_KEY"
_DIGITS: Final = 10  # bytes: two of a billion ids collide with a chance of one in two million
_TEXTS: Final = frozenset({Kind.CODE, Kind.CODES, Kind.TEXT})


@dataclass(frozen=True, slots=True)
class Redaction:
    """How ids are hidden. Of the key nothing is shown but a hash; `own` says that it was made for this run alone."""

    key: bytes = field(repr=False)
    own: bool = field(default=False, compare=False)
    known_by: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "known_by", sha256(b"rxcalc" + self.key).hexdigest())

    @classmethod
    def made(cls) -> Redaction:
        """With the key of the environment, so that runs fit together, else with one that nobody knows."""
        given = os.environ.get(VARIABLE, "")
        return cls(given.encode(errors="surrogateescape")) if given else cls(secrets.token_bytes(32), own=True)

    def pseudonym(self, name: str) -> str:
        """What stands for an id."""
        return (
            "x"
            + blake2b(
                name.encode(errors="surrogatepass"), key=blake2b(self.key).digest(), digest_size=_DIGITS
            ).hexdigest()
        )

    def cell(self, text: str, spec: PlanInput | None, ids: Iterable[str]) -> str:
        """What stands for a cell that was refused."""
        if not text:
            return text
        return self.pseudonym(trim(text)) if spec is not None and spec.name in ids else HIDDEN

    def judged(
        self, judged: Judged, fields: dict[int, PlanInput], echoed: Iterable[int], ids: frozenset[str]
    ) -> Judged:
        """A block whose cells can be shown."""
        frame = judged.checked.frame
        block = judged.block
        names = [str(at) for at in echoed]
        texts = as_text(block.fields.select(names)) if block.table else block.fields.select(names)
        for at in map(int, names):
            spec = fields.get(at)
            if spec is not None and spec.name in ids:
                hidden = self._pseudonyms(frame.get_column(spec.name))
                frame = frame.with_columns(hidden.alias(spec.name))
                texts = texts.with_columns(hidden.alias(str(at)))
            elif spec is None or is_text(spec.type):
                texts = texts.with_columns(_hidden(pl.col(str(at))))
                if spec is not None:
                    frame = frame.with_columns(_hidden(pl.col(spec.name), frame.schema[spec.name]))
        checked = replace(judged.checked, frame=frame)
        return replace(judged, block=replace(block, fields=texts, echo=False, table=False), checked=checked)

    def _pseudonyms(self, ids: pl.Series) -> pl.Series:
        found = [None if name is None else self.pseudonym(name) for name in ids.to_list()]
        return pl.Series(ids.name, found, dtype=pl.String)


def is_text(of: Type) -> bool:
    """Whether values of the type may say who somebody is."""
    return isinstance(of, Plain) and of.kind in _TEXTS


def ids_of(plan: Plan) -> frozenset[str]:
    """The inputs whose values are ids that must still tell rows apart."""
    sequence = plan.sequence
    return frozenset({ID, *((sequence.by, sequence.reverses) if sequence is not None else ())}) - {""}


def without_texts(results: pl.DataFrame, kept: Iterable[str]) -> pl.DataFrame:
    """Results whose texts are hidden, but for columns of our own."""
    own = set(kept)
    texts = [
        n for n, dtype in results.schema.items() if n not in own and (dtype == pl.String or isinstance(dtype, pl.List))
    ]
    return results.with_columns(_hidden(pl.col(name), results.schema[name]) for name in texts)


def _hidden(column: pl.Expr, dtype: pl.DataType | None = None) -> pl.Expr:
    stands = pl.lit([HIDDEN], dtype=pl.List(pl.String)) if isinstance(dtype, pl.List) else pl.lit(HIDDEN)
    return pl.when(column.is_not_null()).then(stands).otherwise(None).name.keep()
