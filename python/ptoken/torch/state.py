"""Looking at a model without leaving a trace: everything that a pass may change is put back exactly."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module, *, training: bool | None = None) -> Iterator[None]:
    """Runs a block with the model in evaluation or training mode (None: as it is), then restores it.

    Restored are the mode of each module, buffers (running statistics), `.grad`, and the random states of Python, numpy, the
    CPU and all CUDA devices in use. Weights are not copied: no pass of ours writes them. Backward hooks of others do not run
    meanwhile: our passes are none of their business, and transforms cannot take them.
    """
    hooks = [
        (module, module._backward_hooks, module._backward_pre_hooks) for module in model.modules()
    ]
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer._version, buffer.clone()) for buffer in model.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
    devices = {p.device for p in model.parameters() if p.device.type == "cuda"}
    cuda = [(device, torch.cuda.get_rng_state(device)) for device in devices]
    try:
        for module, _, _ in hooks:
            module._backward_hooks, module._backward_pre_hooks = OrderedDict(), OrderedDict()
        if training is not None:
            model.train(training)
        yield
    finally:
        for module, after, before in hooks:
            module._backward_hooks, module._backward_pre_hooks = after, before
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for buffer, version, before in buffers:
                if buffer._version != version:
                    buffer.copy_(before)
        for parameter, gradient in gradients:
            parameter.grad = gradient
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        for device, state in cuda:
            torch.cuda.set_rng_state(state, device)
