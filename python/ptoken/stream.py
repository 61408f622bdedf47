"""A stream: an array of a snapshot with one row per observation, read when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ._file import Dataset


class Sketch(NamedTuple):
    """The seeded sparse sign projection that rows went through (SPEC.md, R-06x)."""

    seed: int
    nonzeros: int


class Stream:
    """A stream of a table, array-like `[rows, width]`; row i belongs to observation i.

    Indexing reads only the chunks it needs and gives numpy arrays: ``stream[10:20]``,
    ``stream[-1]``, ``stream[[3, 1]]``, ``stream[mask]``, ``stream[:, 0]``; ``np.asarray(stream)``
    reads all. Gradients, features and scalars are float32, labels int32.
    """

    name: str
    kind: str
    """`gradient`, `feature`, `label` or `scalar`."""
    layer: str | None
    """Of a gradient: full name of its layer."""
    stage: str | None
    """Of a gradient: `raw`, `clipped`, `noised`, `averaged` or `delta`."""
    role: str | None
    """Of a feature, where it is known: `input`, `activation`, `embedding` or `other`."""
    unit: str | None
    """Unit of the numbers, where it is known."""
    clip_norm: float | None
    """Of a clipped gradient: norm that an observation's whole gradient was clipped to."""
    noise_multiplier: float | None
    """Of a noised gradient: deviation of the noise on a sum, in units of `clip_norm`."""
    row_shape: tuple[int, ...]
    """Shape of one row's array before it was flattened and sketched."""
    sketch: Sketch | None
    """The sketch of the rows; None if they are whole."""

    def __init__(self, data: Dataset, rows_at: Callable[[int], slice]):
        self._data, self._rows_at = data, rows_at
        found = data.attributes
        self.name, self.kind = found["name"], found["kind"]
        self.layer, self.stage = found.get("layer"), found.get("stage")
        self.role, self.unit = found.get("role"), found["unit"]
        self.clip_norm = found.get("clip_norm")
        self.noise_multiplier = found.get("noise_multiplier")
        self.row_shape = found["shape"]
        self.sketch = None
        if found["sketch"] != "none":
            self.sketch = Sketch(found["sketch_seed"], found["sketch_nonzeros"])

    @property
    def shape(self) -> tuple[int, int]:
        """`(rows, width)`."""
        return self._data.shape

    @property
    def width(self) -> int:
        """Numbers of a row as stored."""
        return self.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return 2

    def at(self, step: int) -> np.ndarray:
        """Rows of the step of that index, `[rows, width]`; `KeyError` if there are none."""
        return self[self._rows_at(step)]

    def reshaped(self, rows: Any = slice(None)) -> np.ndarray:
        """Rows in the shape they had before flattening, `[rows, *row_shape]`.

        Raises `ValueError` if the stream is sketched: a sketch cannot be undone.
        """
        if self.sketch:
            raise ValueError(f"stream {self.name!r} is sketched: its rows have no shape")
        values = self[rows]
        return values.reshape(*values.shape[:-1], *self.row_shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        rows, *columns = key if isinstance(key, tuple) else (key,)
        if rows is Ellipsis:
            rows, columns = slice(None), [Ellipsis, *columns]
        if columns and isinstance(rows, np.ndarray | list):
            raise IndexError("index rows and columns by arrays one after the other: s[rows][:, c]")
        values = self._rows(rows)
        return values[(slice(None),) * (values.ndim - 1) + tuple(columns)] if columns else values

    def _rows(self, key: Any) -> np.ndarray:
        if isinstance(key, slice) and key.step in (None, 1):
            first, stop, _ = key.indices(len(self))
            return self._data.read(first, max(first, stop))
        rows = np.arange(len(self))[key]
        return self._data.read(int(rows), int(rows) + 1)[0] if rows.ndim == 0 else self._take(rows)

    def _take(self, rows: np.ndarray) -> np.ndarray:
        """Rows in any order, each chunk of them read once."""
        if rows.ndim != 1:
            raise IndexError(f"rows are indexed by one axis, not by {rows.ndim}")
        values = np.empty((len(rows), self.width), self.dtype)
        order = np.argsort(rows, kind="stable")
        chunks = rows[order] // self._data.chunk_rows
        for part in np.split(order, 1 + np.flatnonzero(np.diff(chunks))):
            if len(part):
                first, last = rows[part[0]], rows[part[-1]]
                values[part] = self._data.read(first, last + 1)[rows[part] - first]
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a stream is read from its file: that makes a copy")
        return self[:].astype(dtype or self.dtype, copy=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        sketch = f", sketch of {list(self.row_shape)}" if self.sketch else ""
        return f"<{self.kind} {self.name!r}: {self.dtype} {list(self.shape)}{sketch}>"
