"""Datasets and groups of a file, after checks of what a reader must not trust (R-07x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from . import _chunks
from .errors import FormatError, Place, listed, shown

MOST_ELEMENTS = 2**48
MOST_LENGTHS = 32  # in an attribute


class Dataset:
    """A checked dataset; its rows are read when asked for."""

    def __init__(self, data: h5py.Dataset, place: Place, attributes: dict[str, Any]):
        self.place, self.attributes = place, attributes
        self.shape: tuple[int, ...] = data.shape
        self.dtype: np.dtype = data.dtype
        self._data = data
        self._filters = _chunks.check_storage(data, place)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def chunk_rows(self) -> int:
        """Rows that are decoded together."""
        return self._data.chunks[0] if self._data.chunks else 1

    def read(self, first: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows `first` to `stop`, once their chunks have been found whole."""
        if not self._data:
            raise ValueError(f"{self.place.file} is closed")
        stop = len(self) if stop is None else stop
        if first >= stop or 0 in self.shape:
            return np.empty((max(stop - first, 0), *self.shape[1:]), self.dtype)
        with self.place.reading("R-051"):
            _chunks.check_chunks(self._data, self._filters, self.place, first, stop)
            return self._data[first:stop]


@dataclass
class Group:
    """A checked group: those of its attributes and objects that the specification names."""

    place: Place
    attributes: dict[str, Any]
    objects: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.objects[name]


def links(group: h5py.Group) -> dict[str, bool]:
    """The names in a group, and whether each is a hard link; follows none."""
    found: dict[str, bool] = {}

    def add(name: bytes, info: h5py.h5l.LinkInfo) -> None:
        found[name.decode("utf-8", "surrogateescape")] = info.type == h5py.h5l.TYPE_HARD

    group.id.links.iterate(add, info=True)
    return found


def dataset(
    data: h5py.Dataset, place: Place, requirement: str, dtype: str, shape: list[int | None]
) -> None:
    """Checks type and shape; None in `shape` allows any length."""
    plist = data.id.get_create_plist()
    if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
        raise place.error("its data lie outside of it: virtual or external storage", "R-072")
    space = data.id.get_space()
    lengths = space.get_simple_extent_dims() if _is_simple(space) else ()
    fits = len(lengths) == len(shape) and all(
        want in (None, found) for want, found in zip(shape, lengths, strict=True)
    )
    if not fits or not _is_of(data.id.get_type(), dtype):
        expected = f"{dtype} [{', '.join('*' if n is None else str(n) for n in shape)}]"
        found = f"{_named(data.id.get_type())} {list(lengths)}"
        raise place.error(f"expected {expected}, found {found}", requirement)
    if np.prod(lengths, dtype=object) > MOST_ELEMENTS:
        raise place.error("more than 2^48 elements", requirement)


def attribute(owner: h5py.Group | h5py.Dataset, place: Place, name: str, spec: dict) -> Any:
    """Value of an attribute, as `spec` of the schema describes it; None if it is absent.

    Text comes as `str`, numbers as `int` and `float`, arrays as tuples of them.
    """
    requirement = spec["requirement"]

    def error(problem: str) -> FormatError:
        return place.error(problem, requirement, name)

    with place.reading(requirement, name):
        if not h5py.h5a.exists(owner.id, name.encode()):
            return None
        found = h5py.h5a.open(owner.id, name.encode())
        space, kind = found.get_space(), found.get_type()
        scalar = space.get_simple_extent_type() == h5py.h5s.SCALAR
        if spec["type"] == "text":
            if not scalar or not _is_text(kind):
                raise error("expected one fixed-length, null-padded UTF-8 string")
            if kind.get_size() > 4096:
                raise error(f"text of {kind.get_size()} bytes, at most 4096")
            raw = np.empty((), f"S{kind.get_size()}")
            found.read(raw, kind)
            is_ascii = kind.get_cset() == h5py.h5t.CSET_ASCII
            value = raw.tobytes().partition(b"\0")[0].decode("ascii" if is_ascii else "utf-8")
            if value not in spec.get("values", (value,)):
                raise error(f"expected {listed(spec['values'])}, found {shown(value)}")
            return value
        axes = space.get_simple_extent_ndims() if _is_simple(space) else 0
        fits = axes == 1 if "shape" in spec else scalar
        if not fits or not _is_of(kind, spec["type"]):
            shape = " [*]" if "shape" in spec else ""
            raise error(f"expected {spec['type']}{shape}, found {_named(kind)} of {axes} axes")
        if axes and space.get_simple_extent_dims()[0] > MOST_LENGTHS:
            raise error(f"more than {MOST_LENGTHS} lengths")
        numbers = np.empty(space.get_simple_extent_dims(), spec["type"])
        found.read(numbers, kind)
        return tuple(numbers.tolist()) if axes else numbers.item()


def _is_simple(space: h5py.h5s.SpaceID) -> bool:
    return space.get_simple_extent_type() == h5py.h5s.SIMPLE


def _is_of(kind: h5py.h5t.TypeID, name: str) -> bool:
    return kind == h5py.h5t.py_create(np.dtype(name).newbyteorder("<"))


def _is_text(kind: h5py.h5t.TypeID) -> bool:
    return (
        isinstance(kind, h5py.h5t.TypeStringID)
        and not kind.is_variable_str()
        and kind.get_strpad() == h5py.h5t.STR_NULLPAD
    )


def _named(kind: h5py.h5t.TypeID) -> str:
    try:
        return kind.dtype.newbyteorder("=").name + ("" if kind.dtype.isnative else " big-endian")
    except (TypeError, ValueError, RuntimeError):
        return "another type"
