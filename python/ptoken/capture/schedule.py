"""Which optimizer steps are recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Steps to record: an explicit list, or every n-th, or so many in each decade of the step's number."""

    every: int = 1
    """Record steps `start`, `start + every` and so on."""
    start: int = 0
    """First step that may be recorded."""
    end: int | None = None
    """Last step that may be recorded; None for no end."""
    steps: Sequence[int] | None = None
    """The steps to record, in place of `every`."""
    log_spaced: int | None = None
    """Steps in each decade, in place of `every`: 5 gives 0, 1, 2, 3, 4, 6, 10, 16, 25, 40, 63, 100 and so on."""

    def __post_init__(self) -> None:
        if self.steps is not None:
            object.__setattr__(self, "steps", tuple(sorted(set(self.steps))))
            object.__setattr__(self, "_chosen", frozenset(self.steps or ()))

    def includes(self, step: int) -> bool:
        """Whether a step is recorded."""
        if step < self.start or (self.end is not None and step > self.end):
            return False
        if self.steps is not None:
            return step in self._chosen  # type: ignore[attr-defined]
        if self.log_spaced is not None:
            return self._is_log_spaced(step - self.start)
        return (step - self.start) % self.every == 0

    def _is_log_spaced(self, step: int) -> bool:
        if step <= 1:
            return step >= 0
        # The step is recorded if some 10^(k/n) rounds to it.
        n = self.log_spaced or 1
        first = math.ceil(n * math.log10(step - 0.5))
        return round(10 ** (first / n)) == step

    def count(self, total: int) -> int:
        """Recorded steps among `total` from 0 on."""
        return sum(self.includes(step) for step in range(total))

    def describe(self) -> dict[str, object]:
        """What a file says about it (spec/SPEC.md, R-094)."""
        said: dict[str, object] = {"start": self.start}
        if self.end is not None:
            said["end"] = self.end
        if self.steps is not None:
            said["steps"] = list(self.steps[:100])
        elif self.log_spaced is not None:
            said["log_spaced"] = self.log_spaced
        else:
            said["every"] = self.every
        return said

    def __str__(self) -> str:
        if self.steps is not None:
            return f"steps {', '.join(map(str, self.steps[:8]))}{' ...' if len(self.steps) > 8 else ''}"
        what = f"{self.log_spaced} in each decade" if self.log_spaced else f"every {self.every}"
        return f"{what} from {self.start}" + (f" to {self.end}" if self.end is not None else "")
