"""Columns of one length, read when asked for."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ._file import Dataset


class Columns:
    """Named columns of one length: like a data frame, but plain numpy arrays.

    ``columns["loss"]`` is an array with one row per row (read once, then kept; not writable),
    ``len(columns)`` counts rows, iteration gives names, ``columns.text("mode")`` says codes,
    record ids and times in words.
    """

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        expand: Mapping[str, Sequence[str]] | None = None,
    ):
        self._datasets = dict(datasets)
        self._expand = expand or {}
        self._read: dict[str, np.ndarray] = {}

    @property
    def units(self) -> dict[str, str]:
        """Units of the columns that have one."""
        units = {name: data.attributes.get("unit") for name, data in self._datasets.items()}
        return {name: unit for name, unit in units.items() if unit is not None}

    def text(self, name: str) -> np.ndarray:
        """A column in words, str `[rows]`.

        Of codes (such as `mode`) what they stand for, of record ids 32 hexadecimal digits, of
        times ISO 8601 text. Raises `KeyError` for a column without such a form.
        """
        codes, words = self[name], self._words(name)
        if words is not None:
            return np.array(words)[codes]
        if name == "record":
            return hexadecimal(codes)
        if name == "started":
            return codes.view("S20")[:, 0].astype(str)
        raise KeyError(f"column {name!r} has no form in words")

    def to_pandas(self) -> pd.DataFrame:
        """A `pandas.DataFrame`: codes as categories, ids and times as text."""
        import pandas as pd

        frame: dict[str, Any] = {}
        for name in self:
            words = self._words(name)
            if words is not None:
                frame[name] = pd.Categorical(self.text(name), categories=words)
            elif name in self._expand:
                for i, label in enumerate(self._expand[name]):
                    frame[f"{name}.{label}"] = self[name][:, i]
            else:
                frame[name] = self.text(name) if self[name].ndim > 1 else self[name]
        return pd.DataFrame(frame)

    def keys(self) -> KeysView[str]:
        return self._datasets.keys()

    def items(self) -> ItemsView[str, np.ndarray]:
        return {name: self[name] for name in self}.items()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._read:
            if name not in self._datasets:
                raise KeyError(f"no column {name!r} among {', '.join(self)}")
            data = self._datasets[name]
            array, words = data.read(), self._words(name)
            if words is not None and len(array) and array.max() >= len(words):
                problem = f"{array.max()} is none of {data.attributes['values']}"
                raise data.place.error(problem, "R-023")
            array.flags.writeable = False
            self._read[name] = array
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._datasets

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(next(iter(self._datasets.values())))

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {', '.join(self)}>"

    def _words(self, name: str) -> list[str] | None:
        """What the codes of a column stand for: `@values` is such as `0 probe, 1 trace`."""
        values = self._datasets[name].attributes.get("values")
        return values and [word.partition(" ")[2] for word in values.split(", ")]


def hexadecimal(ids: np.ndarray) -> np.ndarray:
    """Record ids, uint8 `[n, 16]`, as 32 hexadecimal digits each, str `[n]`."""
    return np.frombuffer(ids.tobytes().hex().encode(), "S32").astype(str)
