"""What recording does with tensors, where they live."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from ..capture.arrays import Arrays, reduce_rows
from ..capture.sketching import places_and_signs
from ..capture.tables import Sketch


class TensorArrays(Arrays):
    """Tensors; anything else as numpy has it."""

    def __init__(self, sketch_on: str = "auto") -> None:
        self.sketch_on = sketch_on

    def is_integer(self, array: Any) -> bool:
        if not isinstance(array, torch.Tensor):
            return super().is_integer(array)
        return not (array.is_floating_point() or array.is_complex())

    def take(self, array: Any, rows: np.ndarray) -> Any:
        if not isinstance(array, torch.Tensor):
            return (
                [array[row] for row in rows]
                if isinstance(array, (list, tuple))
                else super().take(array, rows)
            )
        return array[torch.from_numpy(rows).to(array.device)]

    def host(self, array: Any) -> np.ndarray:
        if not isinstance(array, torch.Tensor):
            return super().host(array)
        array = array.detach()
        if array.is_sparse:
            array = array.to_dense()
        if array.dtype == torch.bfloat16:
            array = array.float()
        return array.resolve_neg().cpu().numpy()

    def number(self, value: Any) -> float:
        value = value() if callable(value) else value
        return float(value.detach()) if isinstance(value, torch.Tensor) else float(value)

    def sketch(self, parts: Sequence[Any], sketch: Sketch) -> Any | None:
        device = parts[0].device if isinstance(parts[0], torch.Tensor) else torch.device("cpu")
        # On the CPU the recorder's own process sketches while training goes on; elsewhere less is to be copied over.
        here = self.sketch_on == "device" or (self.sketch_on == "auto" and device.type != "cpu")
        if not here or device.type == "mps":
            return None
        rows = torch.cat([torch.as_tensor(part).flatten(1) for part in parts], 1)
        return sketch_rows(rows, sketch)

    def reduce(
        self, parts: Sequence[Any], kinds: Sequence[str], previous: Any
    ) -> tuple[dict[str, np.ndarray], Any]:
        tensors = [part for part in parts if isinstance(part, torch.Tensor)]
        if len(tensors) != len(parts):
            return super().reduce(parts, kinds, previous)
        rows = torch.cat([tensor.detach().flatten(1).float() for tensor in tensors], 1)
        if rows.device.type == "cpu":
            return reduce_rows(rows.numpy(), kinds, previous)
        return _reduce(rows, kinds, previous)


def _reduce(
    rows: torch.Tensor, kinds: Sequence[str], previous: Any
) -> tuple[dict[str, np.ndarray], Any]:
    """As `reduce_rows`, on the device: a few numbers a row are copied over, not the rows."""
    mean = rows.mean(0)
    norms = rows.norm(dim=1)
    found = {}
    for kind in kinds:
        if kind == "norm":
            value = norms
        elif kind == "mean":
            value = rows.mean(1)
        elif kind == "std":
            value = rows.std(1, unbiased=False)
        elif kind == "max":
            value = rows.abs().amax(1)
        elif kind == "sparsity":
            value = (rows == 0).float().mean(1)
        elif previous is None:
            value = torch.zeros_like(norms)
        else:
            scale = norms * previous.norm()
            value = torch.where(scale > 0, rows @ previous / scale, torch.zeros_like(scale))
        found[kind] = value.cpu().numpy()
    return found, mean


@lru_cache(maxsize=256)
def _places(
    elements: int, sketch: Sketch, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    places, signs = places_and_signs(elements, sketch)
    return torch.from_numpy(places).to(device), torch.from_numpy(signs).to(device)


def sketch_rows(rows: torch.Tensor, sketch: Sketch) -> torch.Tensor:
    """Rows `[rows, n]` as `[rows, width]` float32, by the specification's sketch; sums in float64, on the rows' device.

    Cost: rows x n x nonzeros additions, and memory for a float64 copy of the rows.
    """
    places, signs = _places(rows.shape[1], sketch, rows.device)
    values = rows.detach().float().double().T.contiguous()
    sums = torch.zeros(sketch.width, rows.shape[0], dtype=torch.float64, device=rows.device)
    for place, sign in zip(places, signs, strict=True):
        sums.index_add_(0, place, values * sign[:, None])
    return (sums.T * (1 / np.sqrt(sketch.nonzeros))).float()
