"""Which way gradients of examples are taken: Opacus' own, `torch.func`, or hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from ..capture.errors import RecordingError
from . import functional, hooks
from .layers import Layer, batch_norms

WAYS = ("auto", "opacus", "vmap", "hooks")


class PerExample:
    """Takes the gradient of each example's loss, by the way that was asked for or the first that works."""

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[Layer],
        loss_fn: Callable[[Any, Any], torch.Tensor] | None,
        way: str,
        loss_reduction: str | None,
        chunk: int | None,
    ) -> None:
        if way not in WAYS:
            raise RecordingError(f"per_example: expected {', '.join(WAYS)}, found {way!r}.")
        if loss_reduction not in (None, "mean", "sum"):
            raise RecordingError(
                f"loss_reduction: expected 'mean' or 'sum', found {loss_reduction!r}."
            )
        self._model = model
        self._layers = list(layers)
        self._loss_fn = loss_fn
        self._way = way
        self._reduction = loss_reduction
        self._chunk = chunk
        self.used: str | None = None
        """The way that was taken last."""
        self.reason = ""
        """Why an earlier way was not."""

    @property
    def _trained(self) -> list[Layer]:
        return [layer for layer in self._layers if not layer.is_frozen]

    @property
    def _names(self) -> set[str]:
        return {n for layer in self._trained for n, p in layer.parameters if p.requires_grad}

    def require_examples(self) -> None:
        """Refuses a model that mixes the examples of a batch: there is no gradient of one of them."""
        mixing = batch_norms(self._model)
        if mixing:
            raise RecordingError(
                f"batch norm in training mode ({', '.join(mixing[:5])}{' ...' if len(mixing) > 5 else ''}) mixes the "
                "examples of a batch: none has a gradient of its own. Probe in evaluation mode (the default), replace it "
                "by GroupNorm (opacus.validators.ModuleValidator.fix does), or trace batches only: "
                "trace='batches'."
            )

    def chunk_of(self, rows: int) -> int | None:
        """Rows at a time: what was asked for, or such that their gradients take 64 MB."""
        if self._chunk is not None:
            return self._chunk
        size = 4 * sum(layer.elements for layer in self._layers)
        return max(1, min(rows, (64 << 20) // max(1, size)))

    def grad_samples(self) -> dict[str, torch.Tensor] | None:
        """What Opacus has kept for each parameter, `[rows, ...]`; None where it has not."""
        found: dict[str, torch.Tensor] = {}
        for layer in self._trained:
            for name, parameter in layer.parameters:
                sample = getattr(parameter, "grad_sample", None)
                if not parameter.requires_grad or sample is None:
                    continue
                found[name] = torch.cat(sample) if isinstance(sample, list) else sample
        return found or None

    def __call__(
        self, inputs: torch.Tensor, labels: torch.Tensor | None
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Gradients by parameter name, `[rows, ...]` each, and losses `[rows]` where they come with them."""
        self.require_examples()
        if self._loss_fn is None:
            raise RecordingError(
                "loss_fn: expected a function of (output, labels) that gives the loss, as in Recorder(path, model, "
                "loss_fn), found none."
            )
        if not self._names:
            return {}, None
        chunk = self.chunk_of(len(inputs))
        if self._way in ("auto", "vmap", "opacus") and not (
            self._way == "auto" and self.used == "hooks"
        ):
            try:
                found = functional.per_example(
                    self._model, self._loss_fn, self._names, inputs, labels, chunk
                )
                self.used = "vmap"
                return found
            except RuntimeError as error:
                if self._way == "vmap":
                    raise RecordingError(
                        f"per_example='vmap': torch.func cannot transform this model: {_first_line(error)}. "
                        "Try per_example='hooks'."
                    ) from error
                self.reason = _first_line(error)
        self._require_rules()
        self.used = "hooks"
        return (
            hooks.per_example(
                self._model, self._loss_fn, self._trained, inputs, labels, chunk,
                lambda rows: self.scale(rows, inputs, labels),
            ),
            None,
        )  # fmt: skip

    def _require_rules(self) -> None:
        missing = hooks.uncovered(self._trained)
        if missing:
            reason = f" torch.func cannot take it either: {self.reason}." if self.reason else ""
            raise RecordingError(
                f"no gradient of an example for {', '.join(missing[:8])}: hooks know linear, convolution, embedding and "
                f"norm layers.{reason} Leave them out with exclude, or wrap the model with Opacus."
            )

    def capture(self) -> hooks.Capture:
        """Hooks that take the gradients out of training's own backward pass."""
        self._require_rules()
        self.used = "hooks"
        return hooks.Capture(self._trained)

    def scale(self, rows: int, inputs: Any = None, labels: Any = None) -> float:
        """The factor that undoes the averaging of the loss over so many rows."""
        if self._reduction is None:
            self._reduction = self._found_reduction(inputs, labels)
        return float(rows) if self._reduction == "mean" else 1.0

    def _found_reduction(self, inputs: Any, labels: Any) -> str:
        """Whether the loss of two examples is the sum or the mean of theirs."""
        if self._loss_fn is None or inputs is None or len(inputs) < 2:
            return "mean"
        with torch.no_grad():

            def loss(rows: slice) -> float:
                y = None if labels is None else labels[rows]
                return float(self._loss_fn(self._model(inputs[rows]), y))  # type: ignore[misc]

            both, one, two = loss(slice(0, 2)), loss(slice(0, 1)), loss(slice(1, 2))
        return "sum" if abs(both - (one + two)) < abs(both - (one + two) / 2) else "mean"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200].rstrip(".")


def per_example_gradients(
    model: nn.Module,
    loss_fn: Callable[[Any, Any], torch.Tensor],
    inputs: torch.Tensor,
    labels: torch.Tensor | None = None,
    *,
    way: str = "auto",
    chunk: int | None = None,
) -> dict[str, torch.Tensor]:
    """The gradient of each example's loss: parameter name to `[rows, ...]`.

    Ways are `vmap` and `hooks`; `auto` takes the first that works. Raises RecordingError where none does.
    """
    from .layers import layers_of, unwrap

    inner = unwrap(model)
    return PerExample(inner, layers_of(inner), loss_fn, way, None, chunk)(inputs, labels)[0]
