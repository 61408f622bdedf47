"""The records whose gradients are taken again and again."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Arrays
from .errors import RecordingError
from .tables import require_rows


class ProbeSet:
    """A fixed set of records: inputs, labels and ids, of which `most` are a seeded choice."""

    def __init__(
        self, given: tuple[Any, ...], arrays: Arrays, *, most: int | None, seed: int
    ) -> None:
        if not isinstance(given, tuple) or not 1 <= len(given) <= 3:
            raise RecordingError(
                "probe: expected (inputs, labels) or (inputs, labels, record_ids)."
            )
        self._arrays = arrays
        self._given = (*given, None, None)[:3]
        inputs, labels, ids = self._given
        shapes = {
            name: arrays.shape(value)
            for name, value in (("labels", labels), ("record_ids", ids))
            if value is not None
        }
        rows = (*arrays.shape(inputs), 0)[0]
        require_rows("probe", rows, "inputs", shapes)
        self.inputs, self.labels, self.record_ids = inputs, labels, ids
        self.ids: np.ndarray | None = None
        """Keyed ids, uint8 `[rows, 16]`, once they were made."""
        if most is not None and rows > most:
            self._keep(np.sort(np.random.default_rng(seed).permutation(rows)[:most]))

    def is_same(self, given: tuple[Any, ...]) -> bool:
        """Whether a set is the one that this was made of: the same arrays, or arrays of the same numbers."""
        for new, old in zip((*given, None, None)[:3], self._given, strict=True):
            if new is old:
                continue
            if new is None or old is None or self._arrays.shape(new) != self._arrays.shape(old):
                return False
            if not np.array_equal(self._arrays.host(new), self._arrays.host(old)):
                return False
        return True

    def identify(self, ids: np.ndarray) -> None:
        """Takes the ids of its records, each of which must be there once (R-036).

        Where content is what they are known by, repeated ones are left out. Raises RecordingError for ids that were given
        twice.
        """
        _, first, counts = np.unique(ids, axis=0, return_index=True, return_counts=True)
        if len(first) < len(ids):
            if self.record_ids is not None:
                row = int(first[counts > 1][0])
                raise RecordingError(
                    f"probe/record_ids: expected each record once, found that of row {row} {int(counts.max())} times "
                    f"({int((counts - 1).sum())} rows too many). Leave the repeated ones out."
                )
            kept = np.sort(first)
            self._keep(kept)
            ids = ids[kept]
        self.ids = ids

    def _keep(self, rows: np.ndarray) -> None:
        self.inputs, self.labels, self.record_ids = (
            None if value is None else self._arrays.take(value, rows)
            for value in (self.inputs, self.labels, self.record_ids)
        )
