"""What takes everything and keeps nothing: steps that are not recorded, recorders in other processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class NullStep:
    """A step that is not recorded: takes everything, keeps nothing."""

    __slots__ = ()
    recording = False
    """Whether what is added is kept."""
    loss = None

    def __enter__(self) -> NullStep:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        """Forgets a loss."""

    def gradients(self, gradients: Mapping[str, Any]) -> None:
        """Nothing."""

    def batch_gradients(self, gradients: Mapping[str, Any], *, stage: str = "averaged") -> None:
        """Nothing."""

    def activations(self, activations: Mapping[str, Any]) -> None:
        """Nothing."""

    def losses(self, losses: Any) -> None:
        """Nothing."""

    def features(self, features: Mapping[str, Any]) -> None:
        """Nothing."""

    def scalars(self, scalars: Mapping[str, Any]) -> None:
        """Nothing."""


NULL_STEP = NullStep()


class NullRecorder:
    """A recorder in another process than the one that records."""

    is_recording = False
    passed = dropped = 0
    blocked = 0.0
    file = None

    def __enter__(self) -> NullRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def step(self, *_: Any, **__: Any) -> NullStep:
        """A step that is not recorded."""
        return NULL_STEP

    def probe(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def estimate(self, total_steps: int) -> dict[str, int]:
        """Nothing is recorded here."""
        return {"all": 0}

    def close(self, *_: Any, **__: Any) -> None:
        """Nothing."""
