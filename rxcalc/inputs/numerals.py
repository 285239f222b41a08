"""How a number is written in a cell. Exact: a numeral is read to the last digit or refused, never rounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rxcalc.inputs.shown import quoted

MAX_DIGITS: Final = 30

_ASCII_FORMS: Final = str.maketrans("０１２３４５６７８９．，－−＋％", "0123456789.,--+%")
_PLAIN: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_GROUPED: Final = re.compile(r"(-?)([0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
_EXPONENT: Final = re.compile(r"[+-]?[0-9][0-9,]*\.?[0-9]*[eE][+-]?[0-9]+|[+-]?\.[0-9]+[eE][+-]?[0-9]+")
_SIGNS: Final[dict[str, str]] = {"CNY": "¥￥", "JPY": "¥￥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩"}
_YUAN: Final = frozenset({"CNY", "TWD"})


@dataclass(frozen=True, slots=True)
class Numeral:
    """`units` x 10**-`decimals`, with no trailing zero among the decimals. `percent` says that a % followed."""

    units: int
    decimals: int
    percent: bool = False

    def scaled(self, decimals: int) -> int | None:
        """The value x 10**decimals as a whole number, or None when digits would be lost."""
        return self.units * 10 ** (decimals - self.decimals) if self.decimals <= decimals else None


@dataclass(frozen=True, slots=True)
class NumeralFault:
    """Why a text is no numeral: a code and the message's words."""

    code: str
    message: str


def read_numeral(text: str, currency: str = "") -> Numeral | NumeralFault:
    """The number a trimmed, non-empty cell holds; with a `currency`, its signs and units may stand around it.

    >>> read_numeral("1,234.50")
    Numeral(units=12345, decimals=1, percent=False)
    >>> read_numeral("1.2万元", "CNY").units
    12000
    """
    body = text if text.isascii() else text.translate(_ASCII_FORMS)
    shift = 0
    percent = body.endswith("%")
    if percent:
        body = body[:-1].rstrip(" ")
    elif currency and not body[-1:].isdigit():
        body, shift = _without_unit(body, currency)
    match = _PLAIN.fullmatch(body)
    if match is None and currency:
        body = _without_sign(body, currency)
        match = _PLAIN.fullmatch(body)
    if match is None:
        match = _GROUPED.fullmatch(body)
    if match is None:
        return _fault(text, body)
    sign, whole, fraction = match.groups()
    if fraction is None:
        fraction = ""
    if "," in whole:
        whole = whole.replace(",", "")
    if len(whole) + len(fraction) > MAX_DIGITS:
        return NumeralFault(
            "RX710", f"{quoted(text)} has more than {MAX_DIGITS} digits; check that two cells did not run together"
        )
    fraction = fraction.rstrip("0")
    units = int(whole + fraction)
    decimals = len(fraction)
    if shift:
        used = min(shift, decimals)
        decimals -= used
        units *= 10 ** (shift - used)
    return Numeral(-units if sign else units, decimals, percent)


def _without_unit(body: str, currency: str) -> tuple[str, int]:
    if currency in _YUAN:
        if body.endswith("万元"):
            return body[:-2].rstrip(" "), 4
        if body.endswith("元"):
            return body[:-1].rstrip(" "), 0
    return body, 0


def _without_sign(body: str, currency: str) -> str:
    minus = body.startswith("-")
    rest = body[1:] if minus else body
    if rest.startswith(currency):
        rest = rest[len(currency) :].lstrip(" ")
    elif rest[:1] and rest[0] in _SIGNS.get(currency, ""):
        rest = rest[1:].lstrip(" ")
    else:
        return body
    if rest.startswith("-") and not minus:
        return rest
    return "-" + rest if minus else rest


def _fault(text: str, body: str) -> NumeralFault:
    if _EXPONENT.fullmatch(body):
        return NumeralFault("RX710", f"{quoted(text)} is written with an exponent; write the number out in full")
    if "," in body and re.fullmatch(r"-?[0-9,]+(\.[0-9]*)?", body):
        return NumeralFault(
            "RX701", f"the commas in {quoted(text)} do not part groups of three digits; write it without commas"
        )
    if body.startswith("(") and body.endswith(")"):
        return NumeralFault("RX701", f"{quoted(text)} is in brackets; write a negative amount with a minus sign")
    if body.startswith("+"):
        return NumeralFault("RX701", f"{quoted(text)} starts with a plus sign; leave it out")
    if re.fullmatch(r"-?(\.[0-9]+|[0-9]+\.)", body):
        return NumeralFault("RX701", f"{quoted(text)} lacks a digit before or after the point; write 0.5 or 5")
    return NumeralFault("RX701", f"{quoted(text)} is not a number; write digits, with a point before decimals")
