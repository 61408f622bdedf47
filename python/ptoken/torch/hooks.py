"""Gradients of each example from one pass over the batch: what each layer got and what came back, through its own rule.

The gradient of one example in one layer depends on the layer's input and on the gradient of its output alone, for layers
that treat examples one by one: linear, convolution, embedding, layer, group and instance norm, batch norm in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vjp, vmap

from ..capture.errors import RecordingError
from .layers import Layer

COVERED = (
    nn.Linear,
    nn.modules.conv._ConvNd,
    nn.Embedding,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    *((nn.RMSNorm,) if hasattr(nn, "RMSNorm") else ()),
)


def uncovered(layers: Sequence[Layer]) -> list[str]:
    """Layers that have no rule here, with their types."""
    return [
        f"{layer.name} ({type(layer.module).__name__})"
        for layer in layers
        if not isinstance(layer.module, COVERED)
        or len(layer.parameters) != len(list(layer.module.parameters()))
    ]


class Capture:
    """Notes what covered layers get and give while it is active; costs a call for each layer and pass."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._handles: list[Any] = []
        self.calls: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        """By layer: input and output of each call."""
        self.returned: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        """By layer: input, and gradient of the output, of each call that has been passed back through."""

    def __enter__(self) -> Capture:
        for layer in self._layers:
            self._handles.append(layer.module.register_forward_hook(self._hook(layer.name)))
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Notes no more; what was noted stays."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _hook(self, name: str) -> Callable[..., None]:
        def note(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if not (
                torch.is_grad_enabled()
                and isinstance(output, torch.Tensor)
                and output.requires_grad
            ):
                return
            x = inputs[0].detach()
            self.calls.setdefault(name, []).append((x, output))

            def back(gradient: torch.Tensor) -> None:
                self.returned.setdefault(name, []).append((x, gradient.detach()))

            output.register_hook(back)

        return note

    def gradients(self, scale: float) -> dict[str, torch.Tensor]:
        """Gradients by parameter name, `[rows, ...]`, of every call that came back, times a factor."""
        found: dict[str, torch.Tensor] = {}
        for layer in self._layers:
            for x, gradient in self.returned.get(layer.name, []):
                for name, value in rule(layer, x, gradient).items():
                    found[name] = found[name] + value if name in found else value
        if scale != 1:
            found = {name: value * scale for name, value in found.items()}
        return found


def rule(layer: Layer, x: torch.Tensor, gradient: torch.Tensor) -> dict[str, torch.Tensor]:
    """Gradients of a layer's trained parameters for each example, from its input and its output's gradient."""
    names = {
        name.rsplit(".", 1)[-1]: name
        for name, parameter in layer.parameters
        if parameter.requires_grad
    }
    if isinstance(layer.module, nn.Linear) and x.dim() >= 2:
        x, gradient = x.to(gradient.dtype), gradient
        x, gradient = (
            x.flatten(1, -2) if x.dim() > 2 else x.unsqueeze(1),
            (gradient.flatten(1, -2) if gradient.dim() > 2 else gradient.unsqueeze(1)),
        )
        found = {"weight": torch.einsum("bto,bti->boi", gradient, x), "bias": gradient.sum(1)}
        return {names[key]: value for key, value in found.items() if key in names}
    fixed = {
        **dict(layer.module.named_buffers()),
        **{
            key: value.detach()
            for key, value in layer.module.named_parameters()
            if key not in names
        },
    }
    chosen = {key: dict(layer.module.named_parameters())[key].detach() for key in names}

    def back(x: torch.Tensor, gradient: torch.Tensor) -> dict[str, torch.Tensor]:
        def run(parameters: dict[str, torch.Tensor]) -> torch.Tensor:
            return functional_call(layer.module, {**fixed, **parameters}, (x.unsqueeze(0),))

        output, pull = vjp(run, chosen)
        return pull(gradient.unsqueeze(0).to(output.dtype))[0]

    return {names[key]: value for key, value in vmap(back)(x, gradient).items()}


def per_example(
    model: nn.Module,
    loss_fn: Callable[[Any, Any], torch.Tensor],
    layers: Sequence[Layer],
    inputs: torch.Tensor,
    labels: torch.Tensor | None,
    chunk: int | None,
    scale_of: Callable[[int], float],
) -> dict[str, torch.Tensor]:
    """Gradients by parameter name, `[rows, ...]` each, by one pass of our own over each chunk of the batch.

    `scale_of` gives the factor that undoes the averaging of a loss over so many rows. Raises RecordingError where a
    layer's parameters are used without its being called.
    """
    parts: list[dict[str, torch.Tensor]] = []
    for first in range(0, len(inputs), chunk or len(inputs)):
        rows = slice(first, first + (chunk or len(inputs)))
        x, y = inputs[rows], None if labels is None else labels[rows]
        with Capture(layers) as capture, torch.enable_grad():
            loss = loss_fn(model(x), y)
            trained = [(n, p) for layer in layers for n, p in layer.parameters if p.requires_grad]
            # Not backward(): the gradients that training accumulates stay as they are.
            whole = torch.autograd.grad(loss, [p for _, p in trained], allow_unused=True)
        found = capture.gradients(scale_of(len(x)))
        for (name, _), gradient in zip(trained, whole, strict=True):
            if gradient is not None and name not in found and bool(gradient.any()):
                raise RecordingError(
                    f"{name}: its module was not called, though it is used (as attention uses its projections). "
                    "Give loss_fn for per_example='vmap', or leave the layer out with exclude."
                )
        parts.append(found)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} if parts else {}
