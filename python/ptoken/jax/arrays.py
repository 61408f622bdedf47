"""What recording does with JAX arrays, where they live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ..capture.arrays import Arrays
from ..capture.tables import Sketch


class JaxArrays(Arrays):
    """Arrays of JAX; on the CPU their memory is read without a copy."""

    def __init__(self, sketch_on: str = "auto") -> None:
        self.sketch_on = sketch_on

    def host(self, array: Any) -> np.ndarray:
        array = np.asarray(array)
        # bfloat16 is no number type of numpy's own.
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def sketch(self, parts: Sequence[Any], sketch: Sketch) -> Any | None:
        if not all(isinstance(part, jax.Array) for part in parts):
            return None
        on_cpu = all(device.platform == "cpu" for device in parts[0].devices())
        if self.sketch_on == "recorder" or (self.sketch_on == "auto" and on_cpu):
            return None
        return sketch_rows(parts, sketch)


def sketch_rows(parts: Sequence[jax.Array], sketch: Sketch) -> jax.Array:
    """Rows joined from parts, `[rows, n]`, as `[rows, width]` float32 by the specification's sketch, on their device.

    Sums are in float64, which JAX has switched off by default: on for this function alone.
    """
    import jax.numpy as jnp

    from ..capture.sketching import places_and_signs

    with jax.enable_x64(True):
        rows = jnp.concatenate(
            [part.reshape(part.shape[0], -1).astype(jnp.float32) for part in parts], 1
        )
        places, signs = places_and_signs(rows.shape[1], sketch)
        values = rows.astype(jnp.float64).T
        sums = jnp.zeros((sketch.width, rows.shape[0]), jnp.float64)
        for place, sign in zip(places, signs, strict=True):
            sums = sums.at[place].add(values * sign[:, None])
        return (sums.T / np.sqrt(sketch.nonzeros)).astype(jnp.float32)
