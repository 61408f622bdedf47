"""Checks of stored chunks before libhdf5 decodes them (R-051, R-052, R-073).

libhdf5 takes every chunk for whole: one that decodes short is read beyond its end, one that is
absent reads as fill values. So each chunk is decoded here first, as far as it takes to know that
it is whole; values and checksums are left to libhdf5.
"""

from __future__ import annotations

import math
import zlib
from itertools import product
from typing import NamedTuple

import h5py
import numpy as np

from . import _zstd
from .errors import Place

DEFLATE, SHUFFLE, FLETCHER32, ZSTD = 1, 2, 3, 32015
MOST_CHUNK_BYTES = 64 << 20
_MOST_INNER_BYTES = 2 * MOST_CHUNK_BYTES  # of a compressed chunk that is compressed again


class Filter(NamedTuple):
    """A filter of a dataset; `width` is the element size of a shuffle."""

    id: int
    width: int


def check_storage(data: h5py.Dataset, place: Place) -> list[Filter]:
    """Checks how a dataset is stored, once its type and shape are known to be right.

    Returns its filters, in the order of writing.
    """
    plist = data.id.get_create_plist()
    filters = []
    for i in range(plist.get_nfilters()):
        number, _, values, _ = plist.get_filter(i)
        if number not in (DEFLATE, SHUFFLE, FLETCHER32, ZSTD):
            raise place.error(f"filter {number} is none of 1, 2, 3, 32015", "R-050")
        filters.append(Filter(number, max(values[0], 1) if values else 1))
    if len({f.id for f in filters}) < len(filters):
        raise place.error("a filter is applied twice", "R-050")
    if data.chunks:
        if (size := _chunk_bytes(data)) > MOST_CHUNK_BYTES:
            raise place.error(f"chunks of {size} bytes, at most {MOST_CHUNK_BYTES}", "R-070")
    elif not _is_whole(data, plist):
        raise place.error("its elements are not all in the file", "R-051")
    return filters


def check_chunks(
    data: h5py.Dataset, filters: list[Filter], place: Place, first: int, stop: int
) -> None:
    """Checks every chunk that holds something of rows `first` to `stop`."""
    if not data.chunks:
        return
    expected = _chunk_bytes(data)
    rows, *columns = data.chunks
    starts = [range(first // rows * rows, stop, rows)]
    starts += [range(0, n, step) for n, step in zip(data.shape[1:], columns, strict=True)]
    for start in product(*starts):
        chunk = f"chunk at {', '.join(map(str, start))}"
        try:
            mask, stored = data.id.read_direct_chunk(start)
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise place.error(f"{chunk} is not in the file", "R-051") from error
        applied = [f for i, f in enumerate(filters) if not mask >> i & 1]
        try:
            length = _decoded_length(memoryview(stored), applied)
        except _zstd.FrameError as error:
            raise place.error(f"{chunk}: {error}", "R-052") from error
        except (zlib.error, ValueError) as error:
            raise place.error(f"{chunk} cannot be decoded: {error}", "R-051") from error
        if length != expected:
            raise place.error(f"{chunk} decodes to {length} bytes, not {expected}", "R-051")


def _chunk_bytes(data: h5py.Dataset) -> int:
    return math.prod(data.chunks) * data.dtype.itemsize


def _is_whole(data: h5py.Dataset, plist: h5py.h5p.PropDCID) -> bool:
    """Whether a dataset without chunks has all of its bytes in the file."""
    expected = math.prod(data.shape) * data.dtype.itemsize
    if expected == 0:
        return True
    if plist.get_layout() == h5py.h5d.CONTIGUOUS:
        offset = data.id.get_offset()
        if offset is None or offset + expected > data.file.id.get_filesize():
            return False
    return data.id.get_storage_size() >= expected


def _decoded_length(chunk: memoryview, filters: list[Filter]) -> int:
    """Bytes that a chunk decodes to; decodes as far as it must to know."""
    left = list(filters)
    while any(f.id in (DEFLATE, ZSTD) for f in left):
        last = left.pop()
        if last.id == FLETCHER32:
            chunk = chunk[:-4]
        elif last.id == SHUFFLE:
            chunk = _unshuffled(chunk, last.width)
        elif last.id == DEFLATE:
            chunk = _inflated(chunk)
        else:
            content = _zstd.decompressed(chunk, _MOST_INNER_BYTES)
            if content is None:
                return _zstd.content_size(chunk) - _checksums(left)
            chunk = content
    return len(chunk) - _checksums(left)


def _checksums(filters: list[Filter]) -> int:
    return 4 * sum(f.id == FLETCHER32 for f in filters)


def _unshuffled(chunk: memoryview, width: int) -> memoryview:
    count = len(chunk) // width
    head = np.frombuffer(chunk[: count * width], np.uint8).reshape(width, count)
    return memoryview(head.T.tobytes() + chunk[count * width :])


def _inflated(chunk: memoryview) -> memoryview:
    stream = zlib.decompressobj()
    content = stream.decompress(chunk, _MOST_INNER_BYTES)
    if not stream.eof:
        raise ValueError("deflated data are cut short or too long")
    return memoryview(content)
