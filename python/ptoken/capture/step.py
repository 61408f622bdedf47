"""What `with recorder.step(...)` gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    from .frames import Frame
    from .recorder import Recorder


class Step:
    """A step that is recorded when the `with` block ends; not if it ends by an exception."""

    recording = True

    def __init__(
        self, recorder: Recorder, index: int, mode: str, description: dict[str, Any]
    ) -> None:
        self._recorder = recorder
        self.index = index
        """Optimizer steps taken before."""
        self.mode = mode
        self.description = description
        self.loss: Any = None
        """Mean loss: a number, an array of one, or a function that gives one."""
        self.examples: dict[str, Any] | None = None
        self.batch: dict[str, Any] | None = None
        self.frozen: frozenset[str] = frozenset()
        # The batch as it was given, and the rows of it that are recorded.
        self.count: int | None = None
        self.all_inputs: Any = None
        self.all_labels: Any = None
        self.all_ids: Any = None
        self.inputs: Any = None
        self.labels: Any = None
        self.chosen: np.ndarray | None = None
        # The passes that make it up, and whether one is under way, where an adapter counts them.
        self.passes: list[Any] = []
        self.is_inside = False
        # Its copy, until it is handed over.
        self.frame: Frame | None = None

    def __enter__(self) -> Step:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._recorder._finish(self, failed=kind is not None)

    def _own(self) -> dict[str, Any]:
        if self.examples is None:
            self.examples = {}
        return self.examples

    def gradients(self, gradients: Mapping[str, Any]) -> None:
        """Gradients of each example: layer name to an array `[rows, ...]`, or a tuple of arrays to be joined."""
        self._own()["gradients"] = gradients

    def batch_gradients(self, gradients: Mapping[str, Any], *, stage: str = "averaged") -> None:
        """The gradient of the whole batch: layer name to an array, or a tuple of arrays to be joined."""
        self.batch = {"gradients": gradients, "stage": stage}

    def activations(self, activations: Mapping[str, Any]) -> None:
        """What layers made of each example: name to an array `[rows, ...]`."""
        self._own()["activations"] = activations

    def losses(self, losses: Any) -> None:
        """The loss of each example, `[rows]`."""
        self._own()["losses"] = losses

    def features(self, features: Mapping[str, Any]) -> None:
        """Further data of each example: name to an array `[rows, ...]`."""
        self._own()["features"] = features

    def scalars(self, scalars: Mapping[str, Any]) -> None:
        """Further numbers of each example: name to an array `[rows]`."""
        self._own()["scalars"] = scalars
