"""Zstandard frames, by the library that hdf5plugin brings.

The HDF5 filter of hdf5plugin (7.1 and before) takes no notice when a frame fails to decode: it
hands out memory that nobody wrote. So each frame is decoded here before libhdf5 sees it. Where
the library cannot be called (Windows does not export it), only the frame's head is checked.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

import hdf5plugin
import numpy as np


class FrameError(ValueError):
    """Data that are not exactly one frame which states its content size (R-052)."""


def content_size(frame: memoryview) -> int:
    """The content size that a frame states (RFC 8878, section 3.1.1.1)."""
    if frame[1:4] == b"\x2a\x4d\x18":
        raise FrameError("starts with a skippable frame")
    if len(frame) < 6 or frame[:4] != b"\x28\xb5\x2f\xfd":
        raise ValueError("not a Zstandard frame")
    descriptor = frame[4]
    single, kind = descriptor >> 5 & 1, descriptor >> 6
    width = (single, 2, 4, 8)[kind]
    start = 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
    if width == 0:
        raise FrameError("the frame does not state its content size")
    if len(frame) < start + width:
        raise ValueError("the frame is cut short")
    return int.from_bytes(frame[start : start + width], "little") + (256 if kind == 1 else 0)


def decompressed(frame: memoryview, most: int) -> memoryview | None:
    """The content of a frame; None where the library cannot be called."""
    library = _library()
    if library is None:
        return None
    source = np.frombuffer(frame, np.uint8)
    address = source.ctypes.data
    length = library.ZSTD_findFrameCompressedSize(address, len(source))
    if library.ZSTD_isError(length):
        raise ValueError("the frame is damaged")
    if length != len(source):
        raise FrameError("more than one frame")
    size = content_size(frame)
    if size > most:
        raise ValueError(f"decodes to {size} bytes, at most {most}")
    content = np.empty(size, np.uint8)
    written = library.ZSTD_decompress(content.ctypes.data, size, address, length)
    if library.ZSTD_isError(written) or written != size:
        raise ValueError("the frame is damaged")
    return content.data


@cache
def _library() -> ctypes.CDLL | None:
    ending = hdf5plugin.get_config().build_config.filter_file_extension
    try:
        library = ctypes.CDLL(os.path.join(hdf5plugin.PLUGIN_PATH, f"libh5zstd{ending}"))
        find, decompress = library.ZSTD_findFrameCompressedSize, library.ZSTD_decompress
        is_error = library.ZSTD_isError
    except (OSError, AttributeError):
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    find.argtypes, find.restype = (pointer, size), size
    decompress.argtypes, decompress.restype = (pointer, size, pointer, size), size
    is_error.argtypes, is_error.restype = (size,), ctypes.c_uint
    return library
