"""Steps as frames: rows are copied once, into one buffer that is sent as it is."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import identity
from .errors import RecordingError
from .tables import Column, Rows
from .wire import Tensor

_TYPES = {
    "float32": ("F32", np.float32),
    "float16": ("F16", np.float16),
    "bfloat16": ("BF16", np.uint16),
}


class Pool:
    """Buffers that are used again: fresh memory costs more than the copy into it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held = 0
        self._free: list[np.ndarray] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> np.ndarray:
        """A buffer of at least so many bytes."""
        with self._lock:
            for index, buffer in enumerate(self._free):
                if size <= len(buffer) <= 2 * size + 65536:
                    self._held -= len(buffer)
                    return self._free.pop(index)
        return np.empty(size, np.uint8)

    def give(self, buffer: np.ndarray) -> None:
        """Takes a buffer back."""
        with self._lock:
            if self._held + len(buffer) <= self.most:
                self._free.append(buffer)
                self._held += len(buffer)

    def clear(self) -> None:
        """Frees all of them."""
        with self._lock:
            self._free, self._held = [], 0


class Frame:
    """One step, copied and ready to be sent."""

    __slots__ = ("body", "buffer", "kept", "late", "message", "size", "tensors")

    def __init__(self, message: str, body: dict[str, Any]) -> None:
        self.message = message
        self.body = body
        self.tensors: list[Tensor] = []
        self.buffer: np.ndarray | None = None
        self.size = 0
        """Bytes of the buffer that are sent."""
        self.kept = 0
        """Bytes beside it that are held until then."""
        self.late: Callable[[], None] | None = None
        """What is left to do off the training thread before it is sent."""

    def prepare(self) -> None:
        """Does what was left for the sender's thread."""
        if self.late is not None:
            self.late()
            self.late = None


def identify_later(
    frame: Frame,
    key: bytes,
    columns: Sequence[np.ndarray],
    targets: Sequence[tuple[str, np.ndarray | None]],
    own: str | None,
) -> None:
    """Leaves it to the sender's thread to make the ids of records that are known by their content.

    Hashing takes longer than all else that a step costs. `columns` are the batch's inputs and labels, which are copied, as
    training may change them; `own` names the frame's tensor that holds the first of them already. `targets` are tensors
    of ids, each with the rows of the batch that it is of (None for all).
    """
    there = {tensor.name: tensor.array for tensor in frame.tensors}
    copies = [
        there[own] if own is not None and position == 0 else np.array(column, order="C")
        for position, column in enumerate(columns)
    ]
    wanted = [(there[name], rows) for name, rows in targets]
    frame.kept = sum(copy.nbytes for copy in copies[own is not None :])

    def late() -> None:
        ids = identity.content(key, copies, is_background=True)
        for target, rows in wanted:
            target[...] = ids if rows is None else ids[rows]

    frame.late = late


def step(body: dict[str, Any], rows: Sequence[tuple[int, Rows]], dtype: str, pool: Pool) -> Frame:
    """Copies a step's rows; `rows` are those of each table, by its number."""
    frame = Frame("step", body)
    wanted: list[tuple[str, str, tuple[int, ...], Any, Sequence[np.ndarray]]] = []
    for number, part in rows:
        count = len(part.ids)
        wanted.append((f"{number}/record", "U8", (count, 16), np.uint8, (part.ids,)))
        if part.weights is not None:
            wanted.append((f"{number}/weight", "F64", (count,), np.float64, (part.weights,)))
        if part.members is not None:
            counts, ids, weights = part.members
            wanted.append((f"{number}/members/count", "U32", counts.shape, np.uint32, (counts,)))
            wanted.append((f"{number}/members/record", "U8", ids.shape, np.uint8, (ids,)))
            wanted.append(
                (f"{number}/members/weight", "F64", weights.shape, np.float64, (weights,))
            )
        for position, column in enumerate(part.columns):
            stream = column.stream
            width = stream.width if column.is_sketched else stream.elements
            for values in column.parts:
                if values.dtype.kind in "cUSmM":
                    raise RecordingError(
                        f"{part.table.name}/{stream.name}: expected real numbers, found {values.dtype}."
                    )
            name, kind = _type(column, dtype)
            wanted.append((f"{number}/{position}", name, (count, width), kind, column.parts))
    # Widest elements first, so that each tensor is aligned.
    wanted.sort(key=lambda item: -np.dtype(item[3]).itemsize)
    sizes = [math.prod(shape) * np.dtype(kind).itemsize for _, _, shape, kind, _ in wanted]
    frame.size = sum(sizes)
    frame.buffer = pool.take(frame.size)
    offset = 0
    for (name, text, shape, kind, parts), size in zip(wanted, sizes, strict=True):
        target = frame.buffer[offset : offset + size].view(kind).reshape(shape)
        offset += size
        _fill(target, parts, text)
        frame.tensors.append(Tensor(name, text, target))
    return frame


def _type(column: Column, dtype: str) -> tuple[str, Any]:
    kind = column.stream.kind
    if kind == "label":
        return "I32", np.int32
    if kind == "scalar" or dtype == "float32":
        return _TYPES["float32"]
    if dtype == "float16" and any(_overflows(part) for part in column.parts):
        return _TYPES["float32"]
    return _TYPES[dtype]


def _overflows(part: np.ndarray) -> bool:
    """Whether a finite number would be none in half precision."""
    return part.size > 0 and max(float(part.max()), -float(part.min())) > 65504


def _fill(target: np.ndarray, parts: Sequence[np.ndarray], text: str) -> None:
    if target.ndim == 1 or len(parts) == 1:
        source = np.asarray(parts[0]).reshape(target.shape)
        target[...] = bfloat16(source) if text == "BF16" else source
        return
    first = 0
    for part in parts:
        flat = np.asarray(part).reshape(target.shape[0], -1)
        target[:, first : first + flat.shape[1]] = bfloat16(flat) if text == "BF16" else flat
        first += flat.shape[1]


def bfloat16(values: np.ndarray) -> np.ndarray:
    """The upper halves of single-precision numbers, rounded to nearest, ties to even, as uint16."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
    # A number that is none must not become one: its fraction keeps a bit.
    is_nan = (bits & 0x7FFFFFFF) > 0x7F800000
    return np.where(is_nan, (bits >> 16) | 0x40, rounded).astype(np.uint16)
