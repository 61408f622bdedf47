"""Records a PyTorch training: probes at frozen weights, and traces of its steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from .. import capture
from ..capture.arrays import Arrays
from ..capture.errors import RecordingError
from ..capture.recorder import is_disabled
from ..capture.step import NULL_STEP, NullStep, Step
from ..capture.tables import Sketched
from . import distributed
from .arrays import TensorArrays, sketch_rows
from .hooks import Capture
from .layers import Layer, batch_norms, has_dropout, layers_of, unwrap
from .methods import PerExample
from .state import undisturbed


class MicroBatch:
    """One pass of a step: what it was fed, and what was seen of it."""

    def __init__(self, inputs: Any, labels: Any, record_ids: Any) -> None:
        self.given = (inputs, labels, record_ids)
        self.rows = len(inputs) if inputs is not None else 0
        self.capture: Capture | None = None
        self.gradient: torch.Tensor | None = None
        """What a parameter's gradient was when the pass ended: the same tensor as long as gradients are added up."""
        self.activations: dict[str, torch.Tensor] = {}


class Recorder(capture.Recorder):
    """Records what the gradients of a PyTorch model say about its data.

    >>> recorder = ptoken.torch.Recorder("run.h5", model, loss_fn, optimizer=optimizer, probe=(x, y))  # doctest: +SKIP
    >>> for x, y in loader:  # doctest: +SKIP
    ...     with recorder.step(inputs=x, labels=y):
    ...         loss = loss_fn(model(x), y)
    ...         optimizer.zero_grad(), loss.backward(), optimizer.step()

    With `optimizer`, a step is one `optimizer.step()`, however many `with` blocks (micro-batches) come before it, and is
    recorded just before it changes the weights. Without, a step is one `with` block.

    Parameters
    ----------
    model : the model as it is trained; wrappers (DistributedDataParallel, DataParallel, Opacus, torch.compile) are seen through.
    loss_fn : function of (output, labels) that gives the loss of a batch; needed for probes and for `vmap`. Without it, traced
        gradients come from hooks on training's own backward pass.
    optimizer, scaler : those of training; the learning rate and the loss scale are recorded.
    probe : (inputs, labels), (inputs, labels, record_ids), or a dataset of (input, label).
    probe_mode : `eval`, or `train` for dropout as in training.
    per_example : `auto`, `opacus`, `vmap` or `hooks`.
    loss_reduction : `mean` or `sum`, how loss_fn joins the examples of a batch; found out where it matters.
    chunk : rows whose gradients are in memory at a time; by default as many as take 64 MB.
    sketch_on : `auto` (an accelerator sketches its own tensors, the recorder those of the CPU), `device` or `recorder`.
    ddp_gradient : under DistributedDataParallel, `averaged` records `.grad` after the all-reduce, `local` the mean of this
        rank's own examples.
    Others as in `ptoken.Recorder`.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | None,
        model: nn.Module,
        loss_fn: Callable[[Any, Any], torch.Tensor] | None = None,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        scaler: Any = None,
        probe: Any = None,
        probe_mode: str = "eval",
        per_example: str = "auto",
        loss_reduction: str | None = None,
        chunk: int | None = None,
        sketch_on: str = "auto",
        ddp_gradient: str = "averaged",
        model_name: str | None = None,
        training: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        for name, value, words in (
            ("probe_mode", probe_mode, ("eval", "train")),
            ("sketch_on", sketch_on, ("auto", "device", "recorder")),
            ("ddp_gradient", ddp_gradient, ("averaged", "local")),
        ):
            if value not in words:
                raise RecordingError(f"{name}: expected {' or '.join(words)}, found {value!r}.")
        self._sketch_on = sketch_on
        self._pending: Step | None = None
        self._handles: list[Any] = []
        self._step_handle: Any = None
        self._optimizer = optimizer
        self._used: dict[str, str | None] = {}
        """The way that gradients of examples were taken, by mode."""
        if is_disabled():
            super().__init__(target)
            return
        self._wrapped = model
        self._inner = unwrap(model)
        self._all_layers = layers_of(self._inner)
        self._loss_fn = loss_fn
        self._scaler = scaler
        self._probe_mode = probe_mode
        self._ways = (per_example, loss_reduction, chunk)
        self._ddp_gradient = ddp_gradient
        self._autocast: tuple[str, torch.dtype] | None = None
        self._dp = optimizer if hasattr(optimizer, "noise_multiplier") else None
        rank, ranks = distributed.world()
        description = {
            "name": model_name or type(self._inner).__name__,
            "layers": [
                {"name": layer.name, "parameters": layer.elements} for layer in self._all_layers
            ],
        }

        def begin(shared: dict[str, Any]) -> tuple[str, bytes]:
            super(Recorder, self).__init__(
                target,
                probe=_probe(probe, self._inner),
                model=description,
                training={**self._training_description(), **(training or {})},
                **{"rank": rank, "ranks": ranks, **rest, **shared},
            )
            return self._run_id or "", self._key

        distributed.agree(rank, ranks, begin)
        if optimizer is not None and self._is_open:
            stepped = getattr(optimizer, "original_optimizer", optimizer)
            self._step_handle = stepped.register_step_pre_hook(self._before_update)

    # What the base asks.

    def _arrays(self) -> Arrays:
        return TensorArrays(self._sketch_on)

    def _prepare(self) -> None:
        chosen = set(self.config.choose(layer.name for layer in self._all_layers))
        self._layers = [layer for layer in self._all_layers if layer.name in chosen]
        self._per_example = PerExample(self._inner, self._layers, self._loss_fn, *self._ways)
        if self._dp is not None:
            self._rows.clip_norm = None
            self._rows.batch_clip_norm = _number(self._dp.max_grad_norm)
            self._rows.noise_multiplier = float(self._dp.noise_multiplier)
        if self._probe is not None and self._loss_fn is None:
            raise RecordingError(
                "probe: expected loss_fn, a function of (output, labels), with a probe set; found none."
            )

    def _training_description(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        optimizer = getattr(self._optimizer, "original_optimizer", self._optimizer)
        if optimizer is not None:
            said["optimizer"] = type(optimizer).__name__
            said["learning_rate"] = _number(optimizer.param_groups[0].get("lr"))
        if self._dp is not None:
            said["dp_sgd"] = {
                "clip": _number(self._dp.max_grad_norm),
                "noise_multiplier": float(self._dp.noise_multiplier),
            }
        return said

    def _method(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "adapter": "torch",
            "frameworks": {"torch": torch.__version__},
            "per_example": self._used.get("trace") or self._used.get("probe") or "none",
            "per_example_probe": self._used.get("probe"),
            "probe_mode": self._probe_mode,
            "wrapper": type(self._wrapped).__name__ if self._wrapped is not self._inner else None,
        }
        if type(self._wrapped).__name__ == "DistributedDataParallel":
            said["ddp_gradient"] = self._ddp_gradient
        if self._per_example.reason:
            said["not_vmap"] = self._per_example.reason
        return said

    # Steps.

    def step(
        self, *, inputs: Any = None, labels: Any = None, record_ids: Any = None, **rest: Any
    ) -> Step | NullStep:
        """One step, or with `optimizer` one micro-batch of it; as `ptoken.Recorder.step`."""
        if self._optimizer is None or not self._is_open:
            return super().step(inputs=inputs, labels=labels, record_ids=record_ids, **rest)
        step = self._pending
        if step is not None and self._was_skipped():
            # The optimizer did not step: a gradient scaler met infinity. The next pass begins the step anew.
            self._forget_pending()
            step = None
        if step is None:
            loss, index = rest.pop("loss", None), rest.pop("index", None)
            if index is not None:
                self._index = index
            if (
                self._probe is not None
                and self._last_probe != self._index
                and self._probe_schedule.includes(self._index)
            ):
                self._take_probe(self._index, rest)
            if not self._is_due(self._index):
                return NULL_STEP
            if not self._can_send():
                return NULL_STEP
            step = Step(self, self._index, "trace", rest)
            step.loss = loss
            step.micro_batches = []
        with self._guarded("a traced step"):
            self._rows.take_batch(step, inputs, labels, record_ids, choosing=False)
            batch = MicroBatch(inputs, labels, record_ids)
            step.micro_batches.append(batch)
            step.is_inside = True
            self._watch(batch)
            self._pending = step
            return step
        return NULL_STEP

    def _begin(self, step: Step, inputs: Any, labels: Any) -> None:
        """Without an optimizer: gradients of examples at the weights of the moment, before the block changes them."""
        batch = MicroBatch(step.all_inputs, step.all_labels, step.all_ids)
        step.micro_batches = [batch]
        self._watch(batch)
        self._describe(step)
        if self._loss_fn is not None and self._takes_examples:
            with undisturbed(self._inner):
                self._take_examples(step, inputs, labels)

    def _complete(self, step: Step) -> None:
        self._unwatch()
        if self._loss_fn is None and self._takes_examples:
            self._take_captured(step)
        self._take_activations(step)
        if self.config.traces_batches:
            if all(p.grad is None for layer in self._layers for _, p in layer.parameters):
                self._warn(
                    "no parameter has a gradient at the end of the step: zero_grad() came before. Give the recorder "
                    "optimizer=..., or call zero_grad() before the step.",
                    "no gradient",
                )
            else:
                self._take_batch(step)

    def _finish(self, step: Step, failed: bool) -> None:
        if self._optimizer is None:
            if failed:
                self._unwatch()
            super()._finish(step, failed)
            return
        step.is_inside = False
        if self._pending is step:
            self._forget_cleared(step)
        if failed:
            self._forget_pending()
        elif self._is_open:
            with self._guarded("a traced step"):
                self._unwatch()
                self._release(step)

    def _before_update(self, *_: Any) -> None:
        """Called by the optimizer before it changes the weights: the step is whole."""
        if not self._is_open or os.getpid() != self._pid:
            return
        step, self._pending = self._pending, None
        index, self._index = self._index, self._index + 1
        self.passed += 1
        if step is None:
            if self._is_due(index) and not self._can_send():
                self.dropped += 1
            return
        with self._guarded("a traced step"):
            self._unwatch()
            self._forget_cleared(step)
            self._gather(step)
            self._copy(step)
            if not step.is_inside:
                self._release(step)

    def _gather(self, step: Step) -> None:
        batches = step.micro_batches
        inputs, labels, ids = (_joined([batch.given[i] for batch in batches]) for i in range(3))
        self._rows.take_batch(step, inputs, labels, ids)
        self._describe(step)
        step.description["accumulation"] = len(batches)
        if self._scaler is not None:
            step.description["loss_scale"] = float(self._scaler.get_scale())
        if self._takes_examples:
            samples = self._per_example.grad_samples()
            if samples is not None and self._ways[0] in ("auto", "opacus"):
                self._per_example.used = "opacus"
                self._set_examples(step, samples, None)
            elif self._loss_fn is not None:
                with undisturbed(self._inner):
                    self._take_examples(step, step.inputs, step.labels)
            else:
                self._take_captured(step)
        self._take_activations(step)
        if self.config.traces_batches:
            self._take_batch(step)

    def _describe(self, step: Step) -> None:
        """What the file says about the step, where the user did not."""
        optimizer = getattr(self._optimizer, "original_optimizer", self._optimizer)
        if optimizer is not None:
            step.description.setdefault(
                "learning_rate", _number(optimizer.param_groups[0].get("lr"))
            )
        step.description.setdefault("participants", self._ranks)
        step.description.update(self._modes_now())
        step.frozen = frozenset(layer.name for layer in self._layers if layer.is_frozen)

    def _modes_now(self) -> dict[str, str]:
        return {
            "model_mode": "training" if self._inner.training else "evaluation",
            "dropout": "active" if has_dropout(self._inner) else "inactive",
            "batch_norm": "batch" if batch_norms(self._inner) else "running",
        }

    # Watching a pass of training.

    def _watch(self, batch: MicroBatch) -> None:
        """Hooks for this pass alone."""
        self._unwatch()

        def note(*_: Any) -> None:
            device = next(self._inner.parameters()).device.type
            is_on = torch.is_autocast_enabled(device)
            self._autocast = (device, torch.get_autocast_dtype(device)) if is_on else None

        self._handles.append(self._inner.register_forward_pre_hook(note))
        if self.config.collects("activations") and self.config.traces_examples:
            for layer in self._layers:
                self._handles.append(
                    layer.module.register_forward_hook(_keeper(layer.name, batch.activations))
                )
        if self._loss_fn is None and self._takes_examples and not self._is_opacus():
            self._per_example.require_examples()
            batch.capture = self._per_example.capture()
            batch.capture.__enter__()
            self._handles.append(batch.capture)

    def _unwatch(self) -> None:
        for handle in self._handles:
            if isinstance(handle, Capture):
                handle.__exit__()
            else:
                handle.remove()
        self._handles = []

    def _forget_pending(self) -> None:
        self._unwatch()
        self._pending = None

    def _forget_cleared(self, step: Step) -> None:
        """Leaves out the passes before gradients were cleared: a gradient scaler skipped their update."""
        trained = [
            p for layer in self._all_layers for _, p in layer.parameters if p.grad is not None
        ]
        batches = step.micro_batches
        batches[-1].gradient = trained[0].grad if trained else None
        if len(batches) > 1 and batches[-2].gradient is not batches[-1].gradient:
            step.micro_batches = batches[-1:]

    def _was_skipped(self) -> bool:
        """Whether gradients were cleared since the pending step's last pass, without the optimizer's stepping."""
        trained = [p for layer in self._all_layers for _, p in layer.parameters if p.requires_grad]
        return all(p.grad is None or not bool(p.grad.any()) for p in trained)

    def _is_opacus(self) -> bool:
        return "grad_sample" in type(self._wrapped).__module__

    # Gradients.

    @contextmanager
    def _as_in_training(self) -> Any:
        """Our own passes: under training's autocast, and without Opacus' hooks."""
        autocast = (
            torch.autocast(self._autocast[0], dtype=self._autocast[1])
            if self._autocast
            else nullcontext()
        )
        opacus = self._wrapped if self._is_opacus() else None
        if opacus is not None:
            opacus.disable_hooks()
        try:
            with autocast:
                yield
        finally:
            if opacus is not None:
                opacus.enable_hooks()

    def _take_examples(self, step: Step, inputs: Any, labels: Any) -> None:
        chunk = self._per_example.chunk_of(len(inputs)) or len(inputs)
        sketches = {layer.name: self.config.sketch_of(layer.elements) for layer in self._layers}
        if len(inputs) <= chunk or not any(sketches.values()) or self.config.reductions:
            with self._as_in_training():
                found, losses = self._per_example(inputs, labels)
            self._set_examples(step, found, losses)
            return
        # Too much to have at a time: each chunk is sketched as it comes.
        taken: list[tuple[dict[str, Any], torch.Tensor | None]] = []
        for first in range(0, len(inputs), chunk):
            rows = slice(first, first + chunk)
            with self._as_in_training():
                found, losses = self._per_example(
                    inputs[rows], None if labels is None else labels[rows]
                )
            part = self._by_layer(found, len(inputs[rows]))
            for name, sketch in sketches.items():
                if sketch is not None:
                    whole = torch.cat([tensor.flatten(1) for tensor in part[name]], 1)
                    part[name] = (sketch_rows(whole, sketch),)
            taken.append((part, losses))
        self._used[step.mode] = self._per_example.used
        step.gradients(
            {
                layer.name: self._joined_chunks(layer, sketches[layer.name], taken)
                for layer in self._layers
            }
        )
        if all(losses is not None for _, losses in taken):
            step.losses(torch.cat([losses for _, losses in taken]))

    def _joined_chunks(
        self, layer: Layer, sketch: Any, taken: list[tuple[dict[str, Any], Any]]
    ) -> Any:
        parts = [part[layer.name] for part, _ in taken]
        joined = tuple(torch.cat([part[i] for part in parts]) for i in range(len(parts[0])))
        if sketch is None:
            return joined
        own = layer.parameters
        return Sketched(joined[0], tuple(own[0][1].shape) if len(own) == 1 else (layer.elements,))

    def _set_examples(
        self, step: Step, found: Mapping[str, torch.Tensor], losses: torch.Tensor | None
    ) -> None:
        self._used[step.mode] = self._per_example.used
        rows = next((len(value) for value in found.values()), None)
        if rows is None:
            rows = len(step.chosen) if step.chosen is not None else step.count or 0
        step.gradients(self._by_layer(found, rows))
        if losses is not None:
            step.losses(losses)

    def _by_layer(self, found: Mapping[str, torch.Tensor], rows: int) -> dict[str, Any]:
        return {
            layer.name: tuple(
                found[name] if name in found else _zeros(rows, parameter)
                for name, parameter in layer.parameters
            )
            for layer in self._layers
        }

    def _take_captured(self, step: Step) -> None:
        """Gradients of examples out of training's own backward passes."""
        scale = 1.0 if self._scaler is None else 1 / float(self._scaler.get_scale())
        parts = []
        for batch in step.micro_batches:
            assert batch.capture is not None
            if not batch.capture.returned:
                raise RecordingError(
                    "hooks saw no backward pass inside the step: compiled code calls none. Give loss_fn, or trace "
                    "batches only: trace='batches'."
                )
            parts.append(batch.capture.gradients(scale * self._per_example.scale(batch.rows)))
        names = {name for part in parts for name in part}
        self._set_examples(
            step,
            {
                name: torch.cat([part[name] for part in parts])
                for name in names
                if all(name in p for p in parts)
            },
            None,
        )

    def _take_activations(self, step: Step) -> None:
        if self.config.collects("activations") and self.config.traces_examples:
            found = [batch.activations for batch in step.micro_batches]
            names = [
                layer.name for layer in self._layers if all(layer.name in part for part in found)
            ]
            step.activations({name: torch.cat([part[name] for part in found]) for name in names})

    def _take_batch(self, step: Step) -> None:
        """The gradient that the optimizer is about to use."""
        stage = (
            "averaged"
            if self._dp is None
            else "noised"
            if self._dp.noise_multiplier > 0
            else "clipped"
        )
        gradients = {
            layer.name: tuple(
                _zeros(None, p)
                if p.grad is None
                else p.grad.to_dense()
                if p.grad.is_sparse
                else p.grad
                for _, p in layer.parameters
            )
            for layer in self._layers
        }
        own = (step.examples or {}).get("gradients") or {}
        is_whole = own and not any(isinstance(parts, Sketched) for parts in own.values())
        if self._ddp_gradient == "local" and self._ranks > 1 and is_whole:
            gradients = {
                name: tuple(part.float().mean(0) for part in parts) for name, parts in own.items()
            }
        step.batch_gradients(gradients, stage=stage)

    # Probes.

    def _fill_probe(self, step: Step, inputs: Any, labels: Any) -> None:
        if self._loss_fn is None:
            raise RecordingError(
                "probe: expected loss_fn, a function of (output, labels), found none."
            )
        device = next(self._inner.parameters()).device
        x = inputs.to(device)
        y = labels.to(device) if isinstance(labels, torch.Tensor) else labels
        with undisturbed(self._inner, training=self._probe_mode == "train"):
            # The same masks at every checkpoint, if there are any.
            torch.manual_seed(self.config.seed)
            self._describe(step)
            self._take_examples(step, x, y)
            if self.config.collects("activations"):
                self._take_probe_activations(step, x)

    def _take_probe_activations(self, step: Step, x: torch.Tensor) -> None:
        parts: list[dict[str, torch.Tensor]] = []
        chunk = self._per_example.chunk_of(len(x)) or len(x)
        for first in range(0, len(x), chunk):
            kept: dict[str, torch.Tensor] = {}
            handles = [
                layer.module.register_forward_hook(_keeper(layer.name, kept))
                for layer in self._layers
            ]
            with torch.no_grad(), self._as_in_training():
                self._inner(x[first : first + chunk])
            for handle in handles:
                handle.remove()
            parts.append(kept)
        step.activations({name: torch.cat([part[name] for part in parts]) for name in parts[0]})

    def close(self, status: str = "complete", timeout: float = 60) -> None:
        """As `ptoken.Recorder.close`; hooks are removed."""
        self._forget_pending()
        if self._step_handle is not None:
            self._step_handle.remove()
            self._step_handle = None
        super().close(status, timeout)


def _keeper(name: str, kept: dict[str, torch.Tensor]) -> Callable[..., None]:
    """A forward hook that keeps a layer's first output of a pass."""

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, (tuple, list)):
            output = output[0]
        if isinstance(output, torch.Tensor) and name not in kept:
            kept[name] = output.detach()

    return keep


def _zeros(rows: int | None, parameter: nn.Parameter) -> torch.Tensor:
    """Zeros in the place of a gradient that there is none of; they take no memory."""
    shape = parameter.shape if rows is None else (rows, *parameter.shape)
    return torch.zeros((), device=parameter.device).expand(shape)


def _joined(values: list[Any]) -> Any:
    """The micro-batches of a step as one batch."""
    if len(values) == 1 or all(value is None for value in values):
        return values[0]
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values)
    return [
        item for value in values for item in (value.tolist() if hasattr(value, "tolist") else value)
    ]


def _number(value: Any) -> float:
    if isinstance(value, (list, tuple)):
        # Per-layer clipping has a norm for each; their root of squares bounds the whole.
        return float(sum(float(v) ** 2 for v in value) ** 0.5)
    return float("nan") if value is None else float(value)


def _probe(given: Any, model: nn.Module) -> tuple[Any, ...] | None:
    """A probe set as tensors; a dataset is collated."""
    if given is None:
        return None
    if isinstance(given, torch.Tensor):
        given = (given,)
    if not isinstance(given, tuple):
        given = tuple(torch.utils.data.default_collate([given[row] for row in range(len(given))]))
    return tuple(
        torch.as_tensor(value) if i < 2 and value is not None else value
        for i, value in enumerate(given)
    )
