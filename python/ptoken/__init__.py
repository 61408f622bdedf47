"""Records gradients while a model trains, and reads ptoken files: what they are, and what they say about the data.

>>> import ptoken
>>> with ptoken.open("run.h5") as snap:  # doctest: +SKIP
...     gradient = snap.tables["probe"].gradients["fc1"].at(step=100)
"""

from typing import Any as _Any

from ._open import open
from .analysis import Analysis, Cell, Estimate, Layer, Records, Window
from .columns import Columns
from .errors import FormatError
from .snapshot import Snapshot, Table, Tables
from .stream import Sketch, Stream

__version__ = "1.0.0"
__all__ = [
    "Analysis",
    "CaptureConfig",
    "Cell",
    "Columns",
    "Estimate",
    "FormatError",
    "Layer",
    "Recorder",
    "RecordingError",
    "RecordingWarning",
    "Records",
    "Sketch",
    "Snapshot",
    "Stream",
    "Table",
    "Tables",
    "Window",
    "open",
]

_CAPTURE = {
    "Recorder": "Recorder",
    "CaptureConfig": "Config",
    "RecordingError": "RecordingError",
    "RecordingWarning": "RecordingWarning",
}


def __getattr__(name: str) -> _Any:
    # Readers do not pay for recording, nor the other way round.
    if name in _CAPTURE:
        from . import capture

        return getattr(capture, _CAPTURE[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
