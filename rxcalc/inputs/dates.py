"""How a date is written in a cell. Year first, or refused: no guess between day and month."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from rxcalc.inputs.shown import quoted

_DIGITS: Final = str.maketrans("０１２３４５６７８９－／．：", "0123456789-/.:")
_DATE: Final = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日?"
)
_TIME: Final = re.compile(r"[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_DAY_FIRST: Final = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2,4}")


def read_date(text: str, *, drop_time: bool) -> date | tuple[str, str]:
    """The date a trimmed, non-empty cell holds, or a code and the message's words.

    >>> read_date("2024年7月1日", drop_time=False)
    datetime.date(2024, 7, 1)
    """
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        try:
            return date(_whole(text[:4]), _whole(text[5:7]), _whole(text[8:]))
        except ValueError:
            pass
    if len(text) > 40:
        return "RX706", f"{quoted(text)} is not a date; write it as 2024-07-01"
    body = text if text.isascii() else text.translate(_DIGITS)
    match = _DATE.match(body)
    if match is None:
        return _fault(text, body)
    found = match.groups()
    year, month, day = (found[0], found[2], found[3]) if found[0] else found[4:7] if found[4] else found[7:10]
    rest = body[match.end() :]
    if rest:
        time = _TIME.fullmatch(rest)
        if time is None or not _is_time(time):
            return _fault(text, body)
        if not drop_time and any(part and int(part) for part in time.groups()):
            return (
                "RX708",
                f"{quoted(text)} has a time of day; give the date alone, or declare the input with `time: drop`",
            )
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return "RX706", f"{quoted(text)} names a day that does not exist"


def _whole(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError
    return int(digits)


def _is_time(time: re.Match[str]) -> bool:
    return int(time.group(1)) < 24 and int(time.group(2)) < 60 and int(time.group(3) or 0) < 60


def _fault(text: str, body: str) -> tuple[str, str]:
    if _DAY_FIRST.fullmatch(body):
        return "RX706", f"in {quoted(text)} day and month cannot be told apart; write the year first, as in 2024-07-01"
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", body):
        return (
            "RX706",
            f"{quoted(text)} looks like a spreadsheet's day number; format the column as a date, as in 2024-07-01",
        )
    return "RX706", f"{quoted(text)} is not a date; write it as 2024-07-01"
