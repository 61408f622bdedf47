"""Reads ptoken files: gradients recorded while training, and what they say about the data.

>>> import ptoken
>>> with ptoken.open("run.h5") as snap:  # doctest: +SKIP
...     gradient = snap.tables["probe"].gradients["fc1"].at(step=100)
"""

from ._open import open
from .analysis import Analysis, Cell, Estimate, Layer, Records, Window
from .columns import Columns
from .errors import FormatError
from .snapshot import Snapshot, Table, Tables
from .stream import Sketch, Stream

__version__ = "1.0.0"
__all__ = [
    "Analysis",
    "Cell",
    "Columns",
    "Estimate",
    "FormatError",
    "Layer",
    "Records",
    "Sketch",
    "Snapshot",
    "Stream",
    "Table",
    "Tables",
    "Window",
    "open",
]
