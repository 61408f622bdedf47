"""The layers of a model: modules that own parameters, under the names that the model gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..capture.errors import RecordingError


@dataclass(frozen=True)
class Layer:
    """A module that owns parameters; its gradient is that of all of them, flattened and joined in this order."""

    name: str
    module: nn.Module
    parameters: tuple[tuple[str, nn.Parameter], ...]
    """Full names and parameters. One that is shared belongs to the first layer that has it."""

    @property
    def elements(self) -> int:
        """Elements of its gradient."""
        return sum(parameter.numel() for _, parameter in self.parameters)

    @property
    def is_frozen(self) -> bool:
        """Whether none of its parameters is trained at the moment."""
        return not any(parameter.requires_grad for _, parameter in self.parameters)


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside wrappers for compiling, differential privacy and data parallelism.

    Raises RecordingError for FSDP, whose ranks have a shard of each parameter and no gradient of an example.
    """
    while True:
        if _is_fsdp(model):
            raise RecordingError(
                f"{type(model).__name__}: parameters are sharded, so no rank has the gradient of an example. Record the "
                "model before it is wrapped (a probe on one rank), or train it with DistributedDataParallel."
            )
        inner = model._modules.get("_orig_mod")
        if inner is None and type(model).__name__ in ("DistributedDataParallel", "DataParallel"):
            inner = model._modules.get("module")
        if inner is None and hasattr(model, "_module") and "grad_sample" in type(model).__module__:
            inner = model._modules.get("_module")
        if inner is None:
            return model
        model = inner


def _is_fsdp(model: nn.Module) -> bool:
    if type(model).__name__ == "FullyShardedDataParallel":
        return True
    # fully_shard keeps the module and makes its parameters DTensors.
    return any(type(parameter).__name__ == "DTensor" for parameter in model.parameters())


def layers_of(model: nn.Module) -> list[Layer]:
    """The layers of an unwrapped model, in its own order.

    Raises RecordingError for parameters that are no real floating-point numbers.
    """
    layers: list[Layer] = []
    seen: set[nn.Parameter] = set()
    for name, module in model.named_modules():
        own: list[tuple[str, nn.Parameter]] = []
        for short, parameter in module._parameters.items():
            if parameter is None or parameter in seen:
                continue
            full = f"{name}.{short}" if name else short
            if not parameter.is_floating_point():
                raise RecordingError(
                    f"{full}: expected a parameter of real floating-point numbers, found {parameter.dtype}. "
                    "Leave its layer out with exclude."
                )
            seen.add(parameter)
            own.append((full, parameter))
        if own:
            layers.append(Layer(name or "model", module, tuple(own)))
    if not layers:
        raise RecordingError(
            f"{type(model).__name__}: expected a model with parameters, found none."
        )
    return layers


def batch_norms(model: nn.Module) -> list[str]:
    """Names of the batch norms that mix the examples of a batch, as the model stands now."""
    return [
        name or "model"
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        and (module.training or not module.track_running_stats)
    ]


def has_dropout(model: nn.Module) -> bool:
    """Whether a dropout is active as the model stands now."""
    return any(
        isinstance(module, nn.modules.dropout._DropoutNd) and module.training and module.p > 0
        for module in model.modules()
    )


@contextmanager
def uncompiled(model: nn.Module) -> Iterator[None]:
    """Runs modules that `module.compile()` has compiled as they were written: compiled code knows no transforms."""
    compiled: list[tuple[nn.Module, Callable[..., Any]]] = []
    for module in model.modules():
        if getattr(module, "_compiled_call_impl", None) is not None:
            compiled.append((module, module._compiled_call_impl))
            module._compiled_call_impl = None
    try:
        with torch._dynamo.config.patch(disable=True) if compiled else nullcontext():
            yield
    finally:
        for module, code in compiled:
            module._compiled_call_impl = code
