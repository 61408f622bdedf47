"""Frames between a training process and its recorder (spec/WIRE.md)."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

PROTOCOL = "1.0"
MOST_INCOMING = 1 << 20
"""Most bytes of a frame from a recorder; it sends no tensors."""


class Tensor(NamedTuple):
    """An array to send."""

    name: str
    dtype: str
    """As safetensors names it: U8, U32, I32, F16, BF16, F32, F64."""
    array: np.ndarray
    """C-contiguous, of that many bytes an element; its shape is sent."""


def head(message: str, body: dict[str, Any], tensors: Sequence[Tensor] = ()) -> bytes:
    """What comes before the data of a frame: its length, and the header."""
    metadata = {
        "message": message,
        "body": json.dumps(body, separators=(",", ":"), allow_nan=False),
    }
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, dtype, array in tensors:
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": (begin, end)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<QQ", 8 + len(text) + end, len(text)) + text


class Incoming:
    """Puts frames of a recorder together from the pieces in which they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, piece: bytes) -> None:
        """Takes what was received."""
        self._bytes += piece

    def next(self) -> tuple[str, dict[str, Any]] | None:
        """The next message, if all of it is there. Raises ValueError for what is no message."""
        if len(self._bytes) < 16:
            return None
        length, header = struct.unpack_from("<QQ", self._bytes)
        if length > MOST_INCOMING:
            raise ValueError(f"expected a message of at most {MOST_INCOMING} bytes, found {length}")
        if length != 8 + header:
            raise ValueError(
                f"expected a message without tensors, found {length - 8 - header} bytes more"
            )
        if len(self._bytes) < 8 + length:
            return None
        text = bytes(self._bytes[16 : 16 + header])
        del self._bytes[: 8 + length]
        try:
            metadata = json.loads(text)["__metadata__"]
            message, body = metadata["message"], json.loads(metadata["body"])
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"expected a message, found {type(error).__name__} in one") from None
        if not isinstance(message, str) or not isinstance(body, dict):
            raise ValueError("expected the kind of a message, and a body that is an object")
        return message, body
