"""Training's own passes, watched while a step is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from .hooks import Capture
from .layers import Layer


class Pass:
    """One forward and backward pass of a step (a micro-batch): what it was fed, and what was seen of it."""

    def __init__(self, inputs: Any, labels: Any, record_ids: Any) -> None:
        self.given = (inputs, labels, record_ids)
        self.rows = len(inputs) if inputs is not None else 0
        self.capture: Capture | None = None
        """What hooks saw, where gradients of examples are to come from this pass."""
        self.gradient: torch.Tensor | None = None
        """What a parameter's gradient was when the pass ended: the same tensor as long as gradients are added up."""
        self.activations: dict[str, torch.Tensor] = {}


class Watch:
    """Hooks on a model, there for one pass at a time."""

    def __init__(self, model: nn.Module, layers: Sequence[Layer]) -> None:
        self._model = model
        self._layers = layers
        self._handles: list[Any] = []
        self.autocast: tuple[str, torch.dtype] | None = None
        """Device and type that the last pass was cast to; None without autocast."""

    def begin(self, seen: Pass, *, with_activations: bool) -> None:
        """Watches a pass; its `capture`, if it has one, too."""
        self.end()
        self._handles.append(self._model.register_forward_pre_hook(self._note_autocast))
        if with_activations:
            self._handles += keep_outputs(self._layers, seen.activations)
        if seen.capture is not None:
            seen.capture.__enter__()
            self._handles.append(seen.capture)

    def end(self) -> None:
        """Removes the hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _note_autocast(self, *_: Any) -> None:
        device = next(self._model.parameters()).device.type
        is_on = torch.is_autocast_enabled(device)
        self.autocast = (device, torch.get_autocast_dtype(device)) if is_on else None


def keep_outputs(layers: Sequence[Layer], kept: dict[str, torch.Tensor]) -> list[Any]:
    """Hooks that keep each layer's first output of a pass; their handles."""
    return [layer.module.register_forward_hook(_keeper(layer.name, kept)) for layer in layers]


def _keeper(name: str, kept: dict[str, torch.Tensor]) -> Callable[..., None]:
    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, (tuple, list)):
            output = output[0]
        if isinstance(output, torch.Tensor) and name not in kept:
            kept[name] = output.detach()

    return keep


def joined(values: list[Any]) -> Any:
    """The passes of a step as one batch."""
    if len(values) == 1 or all(value is None for value in values):
        return values[0]
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values)
    return [
        item for value in values for item in (value.tolist() if hasattr(value, "tolist") else value)
    ]
