"""Records a JAX training: probes at frozen weights, and traces of its steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from .. import capture
from ..capture.arrays import Arrays
from ..capture.errors import RecordingError
from ..capture.null import NullStep
from ..capture.recorder import is_disabled
from ..capture.step import Step
from ..capture.tables import Sketched
from .arrays import JaxArrays, sketch_rows
from .gradients import Loss, layers_of, per_example_grads


class Recorder(capture.Recorder):
    """Records what the gradients of a JAX model say about its data.

    >>> recorder = ptoken.jax.Recorder("run.h5", loss_fn, probe=(x, y))  # doctest: +SKIP
    >>> for x, y in batches:  # doctest: +SKIP
    ...     with recorder.step(params, inputs=x, labels=y) as step:
    ...         params, state, step.loss = update(params, state, x, y)  # jitted or not

    Gradients of examples are taken when the block begins, at the parameters that are given, by a jitted function of our own:
    the training step stays as it is. Layers are paths of the parameter tree up to the last key, such as `params.Dense_0`.

    Parameters
    ----------
    loss_fn : function of (params, inputs, labels) that gives the loss of a batch.
    chunk : rows whose gradients are in memory at a time; by default as many as take 64 MB.
    sketch_on : `auto` (an accelerator sketches its own arrays, the recorder those of the CPU), `device` or `recorder`.
    Others as in `ptoken.Recorder`.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | None,
        loss_fn: Loss,
        *,
        probe: tuple[Any, ...] | None = None,
        chunk: int | None = None,
        sketch_on: str = "auto",
        **rest: Any,
    ) -> None:
        if sketch_on not in ("auto", "device", "recorder"):
            raise RecordingError(
                f"sketch_on: expected auto, device or recorder, found {sketch_on!r}."
            )
        self._sketch_on = sketch_on
        self._chunk = chunk
        self._params: Any = None
        self._names: list[str] | None = None
        if not is_disabled():
            self._per_example = jax.jit(per_example_grads(loss_fn, has_losses=True))
            # The gradient of the batch is that of its own loss, not the mean over examples: the loss may not be a mean.
            self._batch = jax.jit(jax.grad(lambda params, x, y: loss_fn(params, x, y)))
        super().__init__(target, probe=probe, **rest)

    def _arrays(self) -> Arrays:
        return JaxArrays(self._sketch_on)

    def _method(self) -> dict[str, Any]:
        return {"adapter": "jax", "frameworks": {"jax": jax.__version__}, "per_example": "vmap"}

    def step(
        self, params: Any = None, *, inputs: Any = None, labels: Any = None, **rest: Any
    ) -> Step | NullStep:
        """One step: `with recorder.step(params, inputs=x, labels=y) as step:` around the update of `params`."""
        self._params = params
        try:
            return super().step(inputs=inputs, labels=labels, **rest)
        finally:
            # Parameters that are donated to the update must not be held.
            self._params = None

    def probe(
        self, inputs: Any = None, labels: Any = None, record_ids: Any = None, *, params: Any = None
    ) -> None:
        """Takes the gradients of the probe set at `params`; otherwise as `ptoken.Recorder.probe`."""
        if params is None and self._is_open:
            raise RecordingError(
                "probe: expected params=, the parameters to take gradients at, found none."
            )
        self._params = params
        try:
            super().probe(inputs, labels, record_ids)
        finally:
            self._params = None

    def _begin(self, step: Step, inputs: Any, labels: Any) -> None:
        if self._params is None:
            raise RecordingError(
                "step: expected the parameters, as in recorder.step(params, inputs=x, labels=y)."
            )
        if self._takes_examples:
            self._take(step, inputs, labels)
        if self.config.traces_batches:
            gradients = self._batch(self._params, step.all_inputs, step.all_labels)
            step.batch_gradients(self._layers(gradients))

    def _fill_probe(self, step: Step, inputs: Any, labels: Any) -> None:
        self._take(step, inputs, labels)

    def _take(self, step: Step, inputs: Any, labels: Any) -> None:
        chunk = self._chunk_of(len(inputs))
        parts: list[Mapping[str, tuple[Any, ...]]] = []
        losses = []
        for first in range(0, len(inputs), chunk):
            rows = slice(first, first + chunk)
            y = None if labels is None else labels[rows]
            gradients, loss = self._per_example(self._params, inputs[rows], y)
            parts.append(self._sketched(self._layers(gradients), len(inputs) > chunk))
            losses.append(np.asarray(loss))
        step.gradients({name: _joined([part[name] for part in parts]) for name in parts[0]})
        step.losses(np.concatenate(losses))

    def _sketched(self, layers: dict[str, Any], is_chunk: bool) -> dict[str, Any]:
        """Wide gradients of a chunk as sketches: all chunks together may be too much to have at a time."""
        if not is_chunk or self.config.reductions:
            return layers
        found: dict[str, Any] = {}
        for name, leaves in layers.items():
            elements = sum(int(np.prod(leaf.shape[1:])) for leaf in leaves)
            sketch = self.config.sketch_of(elements)
            if sketch is not None:
                shape = tuple(leaves[0].shape[1:]) if len(leaves) == 1 else (elements,)
                found[name] = Sketched(np.asarray(sketch_rows(leaves, sketch)), shape)
            else:
                found[name] = leaves
        return found

    def _chunk_of(self, rows: int) -> int:
        if self._chunk is not None:
            return self._chunk
        size = 4 * sum(np.size(leaf) for leaf in jax.tree_util.tree_leaves(self._params))
        return max(1, min(rows, (64 << 20) // max(1, size)))

    def _layers(self, gradients: Any) -> dict[str, tuple[Any, ...]]:
        found = layers_of(gradients)
        if self._names is None:
            self._names = self.config.choose(found)
            self._run.model.setdefault(
                "layers",
                [
                    {"name": name, "parameters": sum(int(np.size(leaf)) for _, leaf in leaves)}
                    for name, leaves in layers_of(self._params).items()
                ],
            )
        return {name: tuple(leaf for _, leaf in found[name]) for name in self._names}


def _joined(parts: list[Any]) -> Any:
    """One layer's gradients of all chunks."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Sketched):
        return Sketched(np.concatenate([part.rows for part in parts]), parts[0].shape)
    return tuple(
        np.concatenate([np.asarray(part[leaf]) for part in parts]) for leaf in range(len(parts[0]))
    )
