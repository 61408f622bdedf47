"""Records a PyTorch training: probes at frozen weights, and traces of its steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from .. import capture
from ..capture import checks
from ..capture.arrays import Arrays
from ..capture.errors import RecordingError
from ..capture.null import NULL_STEP, NullStep
from ..capture.recorder import is_disabled
from ..capture.step import Step
from ..capture.tables import Sketched
from . import distributed, gradients
from .arrays import TensorArrays
from .layers import batch_norms, has_dropout, layers_of, unwrap
from .methods import PerExample
from .passes import Pass, Watch, joined, keep_outputs
from .state import undisturbed


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
        self._lost: int | None = None
        """A step one of whose passes failed: the others alone are not the step."""
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
                probe=_probe(probe),
                model=description,
                training={**self._training_description(), **(training or {})},
                **{"rank": rank, "ranks": ranks, **rest, **shared},
            )
            return self._run.id or "", self._key

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
        self._watch = Watch(self._inner, self._layers)
        if self._dp is not None:
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
        if step is not None and self._was_cleared():
            # The optimizer did not step: a gradient scaler met infinity. This pass begins the step anew.
            self._forget_pending()
            step = None
        if step is None:
            loss, index = rest.pop("loss", None), rest.pop("index", None)
            if index is not None:
                self._index = index
            self._probe_if_due(self._index, rest)
            if (
                not self._is_due(self._index)
                or self._lost == self._index
                or not self._session.is_active
            ):
                return NULL_STEP
            step = Step(self, self._index, "trace", rest)
            step.loss = loss
        self._lost = step.index
        with self._guarded("a traced step"):
            checks.step_description(step.description)
            self._rows.take_batch(step, inputs, labels, record_ids, choosing=False)
            step.passes.append(self._watched(inputs, labels, record_ids))
            step.is_inside = True
            self._pending = step
            self._lost = None
            return step
        self._forget_pending()
        return NULL_STEP

    def _begin(self, step: Step, inputs: Any, labels: Any) -> None:
        """Without an optimizer: gradients of examples at the weights of the moment, before the block changes them."""
        step.passes = [self._watched(step.all_inputs, step.all_labels, step.all_ids)]
        self._describe(step)
        if self._loss_fn is not None and self._takes_examples:
            with undisturbed(self._inner):
                self._take_examples(step, inputs, labels)

    def _watched(self, inputs: Any, labels: Any, record_ids: Any) -> Pass:
        """A pass that is about to begin, with the hooks that it needs."""
        seen = Pass(inputs, labels, record_ids)
        if self._loss_fn is None and self._takes_examples and not self._is_opacus():
            self._per_example.require_examples()
            seen.capture = self._per_example.capture()
        self._watch.begin(seen, with_activations=self._traces_activations)
        return seen

    @property
    def _traces_activations(self) -> bool:
        return self.config.collects("activations") and self.config.traces_examples

    def _complete(self, step: Step) -> None:
        self._watch.end()
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
                self._watch.end()
            super()._finish(step, failed)
            return
        step.is_inside = False
        if failed:
            self._lost = step.index
            self._forget_pending()
            return
        if self._pending is step:
            self._forget_cleared(step)
        if self._is_open:
            with self._guarded("a traced step"):
                self._watch.end()
                self._release(step)

    def _before_update(self, *_: Any) -> None:
        """Called by the optimizer before it changes the weights: the step is whole."""
        if not self._is_open or os.getpid() != self._pid:
            return
        step, self._pending, self._lost = self._pending, None, None
        index, self._index = self._index, self._index + 1
        self.passed += 1
        if step is None:
            if self._is_due(index) and not self._session.is_active:
                self.dropped += 1
            return
        with self._guarded("a traced step"):
            self._watch.end()
            self._forget_cleared(step)
            self._gather(step)
            self._copy(step)
            if not step.is_inside:
                self._release(step)

    def _gather(self, step: Step) -> None:
        passes = step.passes
        inputs, labels, ids = (joined([seen.given[i] for seen in passes]) for i in range(3))
        self._rows.take_batch(step, inputs, labels, ids)
        self._describe(step)
        step.description["accumulation"] = len(passes)
        if self._scaler is not None:
            step.description["loss_scale"] = float(self._scaler.get_scale())
        if self._takes_examples:
            samples = self._per_example.grad_samples()
            if samples is not None and self._ways[0] in ("auto", "opacus"):
                self._per_example.used = "opacus"
                rows = len(next(iter(samples.values())))
                self._set_examples(step, gradients.by_layer(self._layers, samples, rows))
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
        step.description.setdefault("participants", self._run.ranks)
        step.description.update(self._modes_now())
        step.frozen = frozenset(layer.name for layer in self._layers if layer.is_frozen)

    def _modes_now(self) -> dict[str, str]:
        return {
            "model_mode": "training" if self._inner.training else "evaluation",
            "dropout": "active" if has_dropout(self._inner) else "inactive",
            "batch_norm": "batch" if batch_norms(self._inner) else "running",
        }

    # Passes that do not count.

    def _forget_pending(self) -> None:
        self._watch.end()
        self._pending = None

    def _forget_cleared(self, step: Step) -> None:
        """Leaves out the passes before gradients were cleared: a gradient scaler skipped their update."""
        trained = [
            p for layer in self._all_layers for _, p in layer.parameters if p.grad is not None
        ]
        passes = step.passes
        passes[-1].gradient = trained[0].grad if trained else None
        if len(passes) > 1 and passes[-2].gradient is not passes[-1].gradient:
            step.passes = passes[-1:]

    def _was_cleared(self) -> bool:
        """Whether gradients were cleared since the pending step's last pass, without the optimizer's stepping."""
        trained = [p for layer in self._all_layers for _, p in layer.parameters if p.requires_grad]
        return all(p.grad is None or not bool(p.grad.any()) for p in trained)

    def _is_opacus(self) -> bool:
        return "grad_sample" in type(self._wrapped).__module__

    # Gradients.

    @contextmanager
    def _own_passes(self, mode: str) -> Any:
        """Passes of our own: without Opacus' hooks; traced ones under training's autocast, probes always in full precision."""
        cast = self._watch.autocast if mode == "trace" else None
        opacus = self._wrapped if self._is_opacus() else None
        if opacus is not None:
            opacus.disable_hooks()
        try:
            with torch.autocast(cast[0], dtype=cast[1]) if cast else nullcontext():
                yield
        finally:
            if opacus is not None:
                opacus.enable_hooks()

    def _take_examples(self, step: Step, inputs: Any, labels: Any) -> None:
        chunk = self._per_example.chunk_of(len(inputs)) or len(inputs)
        is_wide = any(self.config.sketch_of(layer.elements) for layer in self._layers)
        with self._own_passes(step.mode):
            if len(inputs) > chunk and is_wide and not self.config.reductions:
                found, losses = gradients.in_chunks(
                    self._per_example, self._layers, self.config, inputs, labels, chunk
                )
            else:
                by_name, losses = self._per_example(inputs, labels)
                found = gradients.by_layer(self._layers, by_name, len(inputs))
        self._set_examples(step, found, losses)

    def _set_examples(
        self, step: Step, found: Mapping[str, Any], losses: torch.Tensor | None = None
    ) -> None:
        self._used[step.mode] = self._per_example.used
        step.gradients(found)
        if losses is not None:
            step.losses(losses)

    def _take_captured(self, step: Step) -> None:
        """Gradients of examples out of training's own backward passes."""
        scale = 1.0 if self._scaler is None else 1 / float(self._scaler.get_scale())
        parts = []
        for seen in step.passes:
            assert seen.capture is not None
            if not seen.capture.returned:
                raise RecordingError(
                    "hooks saw no backward pass inside the step: compiled code calls none. Give loss_fn, or trace "
                    "batches only: trace='batches'."
                )
            parts.append(seen.capture.gradients(scale * self._per_example.scale(seen.rows)))
        names = set.intersection(*(set(part) for part in parts))
        found = {name: torch.cat([part[name] for part in parts]) for name in names}
        rows = sum(seen.rows for seen in step.passes)
        self._set_examples(step, gradients.by_layer(self._layers, found, rows))

    def _take_activations(self, step: Step) -> None:
        if self._traces_activations:
            found = [seen.activations for seen in step.passes]
            names = [
                layer.name for layer in self._layers if all(layer.name in part for part in found)
            ]
            step.activations({name: torch.cat([part[name] for part in found]) for name in names})

    def _take_batch(self, step: Step) -> None:
        """The gradient that the optimizer is about to use, or this rank's own share of it."""
        if self._dp is None:
            stage = "averaged"
        else:
            stage = "noised" if self._dp.noise_multiplier > 0 else "clipped"
        found = gradients.of_batch(self._layers)
        if self._ddp_gradient == "local" and self._run.ranks > 1:
            found = self._local_mean(step)
        step.batch_gradients(found, stage=stage)

    def _local_mean(self, step: Step) -> dict[str, tuple[torch.Tensor, ...]]:
        """The mean over this rank's own examples, all of which must be at hand."""
        own = (step.examples or {}).get("gradients") or {}
        if (
            not own
            or step.chosen is not None
            or any(isinstance(parts, Sketched) for parts in own.values())
        ):
            raise RecordingError(
                "ddp_gradient='local': expected the gradients of all of the rank's examples, found some, sketched ones or "
                "none. Trace examples without max_rows, with a larger chunk, or record ddp_gradient='averaged'."
            )
        return {name: tuple(part.float().mean(0) for part in parts) for name, parts in own.items()}

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
            handles = keep_outputs(self._layers, kept)
            with torch.no_grad(), self._own_passes(step.mode):
                self._inner(x[first : first + chunk])
            for handle in handles:
                handle.remove()
            parts.append(kept)
        step.activations({name: torch.cat([part[name] for part in parts]) for name in parts[0]})

    def close(self, status: str = "complete", timeout: float = 60) -> None:
        """As `ptoken.Recorder.close`; hooks are removed."""
        if self._step_handle is not None:
            self._forget_pending()
            self._step_handle.remove()
            self._step_handle = None
        super().close(status, timeout)


def _number(value: Any) -> float:
    if isinstance(value, (list, tuple)):
        # Per-layer clipping has a norm for each; their root of squares bounds the whole.
        return float(sum(float(v) ** 2 for v in value) ** 0.5)
    return float("nan") if value is None else float(value)


def _probe(given: Any) -> tuple[Any, ...] | None:
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
