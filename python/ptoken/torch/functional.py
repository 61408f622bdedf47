"""Gradients of each example by `torch.func`: grad of one example's loss, mapped over the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap

from .layers import uncompiled


def per_example(
    model: nn.Module,
    loss_fn: Callable[[Any, Any], torch.Tensor],
    names: set[str],
    inputs: torch.Tensor,
    labels: torch.Tensor | None,
    chunk: int | None,
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Gradients by parameter name, `[rows, ...]` each, and losses `[rows]`.

    The model sees one example at a time, with its batch axis; dropout draws anew for each. Cost: a forward and backward
    pass, and memory for `chunk` gradients of the whole model at a time.
    """
    chosen: dict[str, torch.Tensor] = {}
    fixed: dict[str, torch.Tensor] = dict(model.named_buffers())
    for name, parameter in model.named_parameters():
        (chosen if name in names else fixed)[name] = parameter.detach()

    def loss(
        parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor | None
    ) -> torch.Tensor:
        output = functional_call(model, {**fixed, **parameters}, (x.unsqueeze(0),))
        return loss_fn(output, None if y is None else y.unsqueeze(0)).reshape(())

    mapped = vmap(
        grad_and_value(loss),
        in_dims=(None, 0, None if labels is None else 0),
        randomness="different",
        chunk_size=chunk,
    )
    with uncompiled(model):
        return mapped(chosen, inputs, labels)
