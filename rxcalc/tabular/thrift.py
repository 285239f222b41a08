"""Thrift's compact protocol, as far as the footers of Parquet files go: any struct is read into plain data and written back.

A struct is a map of field numbers to values with their types, a list its type with its values. Nothing here knows what a
field means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

_TRUE: Final = 1
_FALSE: Final = 2
_BYTE: Final = 3
_WHOLE: Final = (4, 5, 6)  # of 16, 32, 64 bits
_DOUBLE: Final = 7
_BINARY: Final = 8
_LIST: Final = 9
_SET: Final = 10
_STRUCT: Final = 12
_DEEPEST: Final = 32


@dataclass(slots=True)
class Typed:
    """A value with its type in the protocol."""

    type: int
    value: Any


@dataclass(slots=True)
class Values:
    """A list: the type of its values, and they."""

    type: int
    items: list[Any]


Struct: TypeAlias = dict[int, Typed]


def read_struct(data: bytes) -> Struct:
    """The struct that the bytes hold. Raises ValueError where they hold none."""
    try:
        return _Reader(data).struct(0)
    except IndexError:
        message = "a footer ends too early"
        raise ValueError(message) from None


def write_struct(struct: Struct) -> bytes:
    """The bytes of a struct."""
    out = bytearray()
    _struct(out, struct)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _byte(self) -> int:
        found = self._data[self._at]
        self._at += 1
        return found

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _whole(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _bytes(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise IndexError
        self._at += size
        return found

    def struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            message = "a footer is nested too deeply"
            raise ValueError(message)
        found: Struct = {}
        last = 0
        while head := self._byte():
            of = head & 15
            last = last + (head >> 4) if head >> 4 else self._whole()
            found[last] = Typed(of, of == _TRUE if of in (_TRUE, _FALSE) else self._value(of, depth))
        return found

    def _value(self, of: int, depth: int) -> Any:
        if of in _WHOLE:
            return self._whole()
        if of == _BINARY:
            return self._bytes(self._varint())
        if of in (_LIST, _SET):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            inner = head & 15
            return Values(inner, [self._item(inner, depth) for _ in range(size)])
        if of == _STRUCT:
            return self.struct(depth + 1)
        if of in (_BYTE, _DOUBLE):
            return self._bytes(1 if of == _BYTE else 8)
        message = f"a footer holds the unknown type {of}"
        raise ValueError(message)

    def _item(self, of: int, depth: int) -> Any:
        return self._byte() if of in (_TRUE, _FALSE) else self._value(of, depth)


def _struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, field in sorted(struct.items()):
        of = field.type
        if of in (_TRUE, _FALSE):
            of = _TRUE if field.value else _FALSE
        if 0 < number - last < 16:
            out.append(number - last << 4 | of)
        else:
            out.append(of)
            _varint(out, number << 1)
        last = number
        if of not in (_TRUE, _FALSE):
            _value(out, of, field.value)
    out.append(0)


def _value(out: bytearray, of: int, value: Any) -> None:
    if of in _WHOLE:
        _varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif of == _BINARY:
        _varint(out, len(value))
        out += value
    elif of in (_LIST, _SET):
        size = len(value.items)
        out.append(min(size, 15) << 4 | value.type)
        if size >= 15:
            _varint(out, size)
        for item in value.items:
            if value.type in (_TRUE, _FALSE):
                out.append(item)
            else:
                _value(out, value.type, item)
    elif of == _STRUCT:
        _struct(out, value)
    else:
        out += value


def _varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
