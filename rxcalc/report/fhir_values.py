"""Values of an explanation as FHIR holds them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from rxcalc.report.fhir_codes import Json

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MISSING: Final = frozenset({"", "missing"})


def known(value: str | None) -> bool:
    """Whether there is a value."""
    return value is not None and value.strip() not in _MISSING


def decimal(text: str | None) -> Decimal | None:
    """A plain number with its digits as written; None for anything else."""
    return Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None


def percent(text: str | None) -> Decimal | None:
    """The figure before a percent sign."""
    return decimal(text[:-1]) if text is not None and text.endswith("%") else None


def money(amount: Decimal, currency: str) -> Json:
    """An amount of money."""
    return {"value": amount, "currency": currency}
