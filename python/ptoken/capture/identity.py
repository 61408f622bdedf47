"""Ids of records: keyed hashes, made where the data is (spec/SPEC.md, R-037)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

_TURN = 1 << 17
"""Bytes that are hashed in the background between two pauses."""
_PAUSE = 1e-4
_BLOCK = 64
"""Bytes of a block of SHA-256."""


def names(ids: Any) -> list[bytes]:
    """The names behind ids that a user gives: integers (their decimal digits), text (UTF-8) or bytes."""
    values = ids.tolist() if hasattr(ids, "tolist") else ids
    if isinstance(values, range) or getattr(getattr(ids, "dtype", None), "kind", "") in ("i", "u"):
        return [b"%d" % value for value in values]
    return [name(value) for value in values]


def name(value: Any) -> bytes:
    """The name behind one id."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool) or not (isinstance(value, str) or hasattr(value, "__index__")):
        raise TypeError(
            f"expected record ids that are integers, text or bytes, found {type(value).__name__}"
        )
    return (value if isinstance(value, str) else str(int(value))).encode()


@lru_cache(maxsize=4)
def _hashes(key: bytes) -> tuple[Any, Any]:
    """Both hashes of HMAC with the key taken in (RFC 2104): copies of them are cheaper than starting anew."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)),
    )


def keyed(key: bytes, values: Iterable[bytes]) -> np.ndarray:
    """Ids as uint8 `[rows, 16]`."""
    return _ids(key, ((value,) for value in values))


def content(
    key: bytes, columns: Sequence[np.ndarray], *, is_background: bool = False
) -> np.ndarray:
    """Ids of records that are known by what they are: their inputs and labels, `[rows, ...]` each.

    The name is `content:` and the bytes of the record's row in each column. In the background, other threads go first.
    """
    rows = zip(*[_bytes_of_rows(column) for column in columns], strict=True)
    names = ((b"content:", *parts) for parts in rows)
    size = sum(column.nbytes for column in columns) / max(1, len(columns[0]))
    return _ids(key, _yielding(names, size) if is_background else names)


def _yielding(rows: Iterable[Any], size: float) -> Iterator[Any]:
    """The same rows, with pauses: whoever waits for the interpreter's lock takes longer to wake than a row to hash."""
    since = _TURN
    for row in rows:
        if since >= _TURN:
            time.sleep(_PAUSE)
            since = 0.0
        since += size
        yield row


def _bytes_of_rows(column: np.ndarray) -> Sequence[Any]:
    if column.dtype.kind in "USO":
        # Text is padded to the longest of a batch, and objects are addresses: neither says what a record is.
        return [
            b"\0".join(name(value) for value in np.ravel(row).tolist()) for row in column[:, None]
        ]
    if not column.size:
        return [b""] * len(column)
    return np.ascontiguousarray(column).reshape(len(column), -1).view(np.uint8)


def _ids(key: bytes, rows: Iterable[Sequence[Any]]) -> np.ndarray:
    inner, outer = _hashes(key)
    found = bytearray()
    for parts in rows:
        inside, outside = inner.copy(), outer.copy()
        for part in parts:
            inside.update(part)
        outside.update(inside.digest())
        found += outside.digest()[:16]
    return np.frombuffer(bytes(found), np.uint8).reshape(-1, 16)
