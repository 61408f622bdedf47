"""Places and signs of the specification's sketch (spec/SPEC.md, R-062 and R-063)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .tables import Sketch


@lru_cache(maxsize=256)
def places_and_signs(elements: int, sketch: Sketch) -> tuple[np.ndarray, np.ndarray]:
    """Place (int64) and sign (float64, 1 or -1) of each nonzero of each element, `[nonzeros, elements]`."""
    places = np.empty((sketch.nonzeros, elements), np.int64)
    signs = np.empty((sketch.nonzeros, elements), np.float64)
    first = np.arange(elements, dtype=np.uint64) * np.uint64(sketch.nonzeros)
    with np.errstate(over="ignore"):
        for t in range(sketch.nonzeros):
            a = np.uint64(sketch.seed) + (first + np.uint64(t + 1)) * np.uint64(0x9E3779B97F4A7C15)
            a = (a ^ (a >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            a = (a ^ (a >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            h = a ^ (a >> np.uint64(31))
            places[t] = ((h >> np.uint64(32)) * np.uint64(sketch.width)) >> np.uint64(32)
            signs[t] = np.where(h & np.uint64(1), -1.0, 1.0)
    return places, signs
