"""Gradients by layer: of examples, whole or sketched chunk by chunk, and of batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..capture.config import Config
from ..capture.tables import Sketched
from .arrays import sketch_rows
from .layers import Layer

Taker = Callable[[Any, Any], tuple[Mapping[str, torch.Tensor], torch.Tensor | None]]
"""A function of (inputs, labels) that gives gradients by parameter name, `[rows, ...]` each, and losses `[rows]` or None."""


def by_layer(
    layers: Sequence[Layer], found: Mapping[str, torch.Tensor], rows: int
) -> dict[str, tuple[torch.Tensor, ...]]:
    """Each layer's gradients in the order of its parameters; zeros for those that have none (R-025)."""
    return {
        layer.name: tuple(
            found[name] if name in found else zeros(rows, parameter)
            for name, parameter in layer.parameters
        )
        for layer in layers
    }


def in_chunks(
    take: Taker, layers: Sequence[Layer], config: Config, inputs: Any, labels: Any, chunk: int
) -> tuple[dict[str, Any], torch.Tensor | None]:
    """Gradients by layer and losses, `chunk` rows at a time; wide ones are sketched as they come.

    All of them at once would take rows x parameters x 4 bytes.
    """
    sketches = {layer.name: config.sketch_of(layer.elements) for layer in layers}
    parts: dict[str, list[tuple[torch.Tensor, ...]]] = {layer.name: [] for layer in layers}
    losses: list[torch.Tensor | None] = []
    for first in range(0, len(inputs), chunk):
        rows = slice(first, first + chunk)
        found, loss = take(inputs[rows], None if labels is None else labels[rows])
        losses.append(loss)
        for name, part in by_layer(layers, found, len(inputs[rows])).items():
            sketch = sketches[name]
            if sketch is not None:
                whole = torch.cat([tensor.flatten(1) for tensor in part], 1)
                part = (sketch_rows(whole, sketch),)
            parts[name].append(part)
    joined: dict[str, Any] = {}
    for layer in layers:
        tensors = tuple(torch.cat(column) for column in zip(*parts[layer.name], strict=True))
        own = [parameter for _, parameter in layer.parameters]
        shape = tuple(own[0].shape) if len(own) == 1 else (layer.elements,)
        joined[layer.name] = (
            tensors if sketches[layer.name] is None else Sketched(tensors[0], shape)
        )
    known = [loss for loss in losses if loss is not None]
    return joined, torch.cat(known) if len(known) == len(losses) else None


def of_batch(layers: Sequence[Layer]) -> dict[str, tuple[torch.Tensor, ...]]:
    """What `.grad` holds, dense; zeros for parameters without."""

    def gradient(parameter: nn.Parameter) -> torch.Tensor:
        if parameter.grad is None:
            return zeros(None, parameter)
        return parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad

    return {layer.name: tuple(gradient(p) for _, p in layer.parameters) for layer in layers}


def zeros(rows: int | None, parameter: nn.Parameter) -> torch.Tensor:
    """Zeros in the place of a gradient that there is none of; they take no memory."""
    shape = parameter.shape if rows is None else (rows, *parameter.shape)
    return torch.zeros((), device=parameter.device).expand(shape)
