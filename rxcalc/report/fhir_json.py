"""JSON with decimals as they are written: FHIR wants `10.00` to stay `10.00`, and binary floating point cannot say it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

_INDENT = "  "


def written(value: object) -> str:
    """A document as JSON text. Numbers are whole or Decimal; anything else that is no JSON is refused.

    Raises:
        TypeError: a value is of a kind that JSON has not, or a float.
    """
    return _written(value, "\n") + "\n"


def _written(value: object, line: str) -> str:
    match value:
        case None | bool() | str() | int():
            return json.dumps(value, ensure_ascii=False)
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case Mapping():
            items = [
                f"{json.dumps(str(k), ensure_ascii=False)}: {_written(v, line + _INDENT)}" for k, v in value.items()
            ]
            return _block("{", items, "}", line)
        case Sequence():
            return _block("[", [_written(v, line + _INDENT) for v in value], "]", line)
        case _:
            message = f"{type(value).__name__} is nothing that JSON holds"
            raise TypeError(message)


def _block(start: str, items: list[str], end: str, line: str) -> str:
    inside = f",{line}{_INDENT}".join(items)
    return f"{start}{line}{_INDENT}{inside}{line}{end}" if items else f"{start}{end}"
