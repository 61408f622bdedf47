"""What was declared to a recorder, and the copied steps on their way to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import frames
from .config import Config
from .connection import Connection
from .errors import RecordingError
from .estimate import Estimate
from .rows import RowBuilder
from .step import Step
from .tables import Rows, Table, require_distinct, require_same
from .warning import Warner

PROBE_PATIENCE = 30.0
"""Seconds that a probe waits for room in the queue before it is dropped."""


class Session:
    """Tables are declared together, in `hello`: the first step waits until the tables of the other mode are known too."""

    def __init__(
        self,
        connection: Connection | None,
        config: Config,
        rows: RowBuilder,
        hello: Callable[[list[Table]], dict[str, Any]],
        warn: Warner,
    ) -> None:
        """`connection` is None in a dry run; `hello` says what a recorder is told, given the tables."""
        self._connection = connection
        self._config = config
        self._rows = rows
        self._hello = hello
        self._warn = warn
        self._tables: dict[str, Table] = {}
        self._modes: set[str] = set()
        self._held: list[frames.Frame] = []
        self._has_begun = False
        self._newest = -(2**63)
        self.has_probe = False
        """Whether a probe set is there, so that a table of probes is to come."""
        self.has_recorded = False
        """Whether a step was handed over."""
        self.estimate = Estimate(config)

    @property
    def is_active(self) -> bool:
        """Whether steps are still taken."""
        return self._connection is None or self._connection.is_active

    def require_order(self, index: int) -> None:
        """Refuses a step before one that was recorded: a recorder would end the recording there (R-022)."""
        if index < self._newest:
            raise RecordingError(
                f"step: index: expected at least {self._newest}, that of the step before, found {index}. Count "
                "optimizer steps over the whole run, not in each epoch; or leave index out, and they are counted here."
            )
        self._newest = index

    def numbered(self, rows: list[Rows]) -> list[tuple[int, Rows]]:
        """The rows with the numbers of their tables, which must be as they were declared."""
        found = []
        for part in rows:
            known = self._tables.get(part.table.name)
            if known is None and self._has_begun:
                self._warn(
                    f"table {part.table.name} came after recording had begun, and is not recorded. Its rows must be there by "
                    "the first recorded step: give Recorder(probe=...), with step 0 in its schedule.",
                    f"late {part.table.name}",
                )
                continue
            if known is None:
                require_distinct(part.table)
                self._tables[part.table.name] = part.table
            else:
                require_same(known, part.table)
            found.append((list(self._tables).index(part.table.name), part))
        return found

    def copy(self, step: Step, body: dict[str, Any], rows: list[tuple[int, Rows]]) -> None:
        """Copies a step's rows into `step.frame`; in a dry run only notes what they would cost."""
        self.estimate.note(rows)
        if self._connection is None:
            self._modes.add(step.mode)
            if not self._missing:
                self.estimate.say()
            return
        body["tables"] = [number for number, _ in rows]
        step.frame = frames.step(body, rows, self._config.dtype, self._connection.pool)

    def release(self, mode: str, frame: frames.Frame) -> int:
        """Hands a copied step to the sender; how many steps were dropped for want of room."""
        self._modes.add(mode)
        self._held.append(frame)
        if not self._has_begun:
            if self._missing and len(self._held) == 1:
                return 0
            for missing in self._missing:
                self._declare_like(missing)
        dropped = self.flush()
        self.has_recorded = True
        return dropped

    @property
    def _missing(self) -> set[str]:
        """Modes that are to have steps and have had none."""
        expected = {"trace"} if self._config.trace != "none" else set()
        if self.has_probe:
            expected.add("probe")
        return expected - self._modes

    def _declare_like(self, mode: str) -> None:
        """Declares a table of examples that has had no rows yet, with the streams of the one that had."""
        for table in list(self._tables.values()):
            if table.unit == "example":
                text = self._rows.schedule_text(mode)
                self._tables[mode] = Table(mode, "example", mode, table.streams, text)
                return

    def flush(self) -> int:
        """Sends what is held; how many steps were dropped for want of room."""
        connection = self._connection
        if connection is None or not self._held:
            return 0
        if not self._has_begun:
            self._has_begun = True
            connection.begin(self._hello(list(self._tables.values())))
        dropped = 0
        for frame in self._held:
            # A probe is rare, and what is measured: it waits a while rather than be lost.
            if connection.send(frame, PROBE_PATIENCE if frame.body["mode"] == "probe" else 0):
                continue
            dropped += 1
            if connection.is_active:
                self._warn(
                    f"a step was dropped: {connection.queue_bytes / 1e6:.0f} MB were waiting for the recorder. "
                    "Record fewer steps or rows, a narrower sketch, or set queue or on_full='block'.",
                    "dropped",
                )
        self._held = []
        return dropped
