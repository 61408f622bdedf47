"""What recording does with arrays, where they live; adapters for frameworks subclass it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .tables import Sketch


class Arrays:
    """Numpy arrays, and whatever `numpy.asarray` takes."""

    def shape(self, array: Any) -> tuple[int, ...]:
        """Its shape."""
        return tuple(np.shape(array))

    def is_integer(self, array: Any) -> bool:
        """Whether its elements are integers."""
        return np.asarray(array).dtype.kind in "iub"

    def take(self, array: Any, rows: np.ndarray) -> Any:
        """The rows at some positions."""
        return np.asarray(array)[rows]

    def host(self, array: Any) -> np.ndarray:
        """The array in this process's memory, without a copy where it is there already."""
        return np.asarray(array)

    def number(self, value: Any) -> float:
        """A loss or rate as a number; a callable is called."""
        return float(value() if callable(value) else value)

    def sketch(self, parts: Sequence[Any], sketch: Sketch) -> Any | None:
        """Rows `[rows, n]`, joined from parts side by side, as `[rows, width]`; None leaves it to the recorder."""
        return None

    def reduce(
        self, parts: Sequence[Any], kinds: Sequence[str], previous: Any
    ) -> tuple[dict[str, np.ndarray], Any]:
        """Numbers `[rows]` of each row, and the mean row for the next step's cosine.

        `previous` is what an earlier call returned second, or None.
        """
        rows = np.concatenate(
            [np.reshape(self.host(part), (len(part), -1)) for part in parts], axis=1
        )
        rows = rows.astype(np.float64, copy=False)
        return reduce_rows(rows, kinds, previous)


def reduce_rows(
    rows: np.ndarray, kinds: Sequence[str], previous: np.ndarray | None
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Norm, mean, standard deviation, largest magnitude, share of zeros, cosine to a previous mean of rows `[rows, n]`."""
    of: Mapping[str, Any] = {
        "norm": lambda: np.linalg.norm(rows, axis=1),
        "mean": lambda: rows.mean(axis=1),
        "std": lambda: rows.std(axis=1),
        "max": lambda: np.abs(rows).max(axis=1),
        "sparsity": lambda: (rows == 0).mean(axis=1),
        "cosine": lambda: _cosine(rows, previous),
    }
    mean = rows.mean(axis=0) if "cosine" in kinds and len(rows) else None
    return {kind: of[kind]().astype(np.float32) for kind in kinds}, mean


def _cosine(rows: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
    """Cosine of each row to a vector; 0 where there is none."""
    if previous is None:
        return np.zeros(len(rows))
    scale = np.linalg.norm(rows, axis=1) * np.linalg.norm(previous)
    return np.divide(rows @ previous, scale, out=np.zeros(len(rows)), where=scale > 0)
