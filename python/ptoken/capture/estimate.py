"""How many bytes a recording will have, before there is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .config import Config
from .schedule import Schedule
from .tables import Rows, Table


def words(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"


class Estimate:
    """What each table costs, from the first rows of it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._tables: dict[str, tuple[Table, int, int]] = {}
        self._is_said = False

    def note(self, rows: Sequence[tuple[int, Rows]]) -> None:
        """Takes in the rows of a step that would have been recorded."""
        for _, part in rows:
            if part.table.name in self._tables:
                continue
            count = len(part.ids)
            size = count * (22 + sum(4 * column.stream.width for column in part.columns))
            if part.members is not None:
                size += 28 * len(part.members[1])
            self._tables[part.table.name] = (part.table, count, size)

    def tables(self, steps: int) -> dict[str, int]:
        """Bytes of each table before compression, of a training of so many optimizer steps."""
        return {
            table.name: size * self._schedule(table).count(steps)
            for table, _, size in self._tables.values()
        }

    def bytes(self, steps: int) -> int:
        """Bytes of all tables."""
        return sum(self.tables(steps).values())

    def _schedule(self, table: Table) -> Schedule:
        is_probe = table.mode == "probe"
        return self._config.probe_schedule if is_probe else self._config.schedule

    def say(self) -> None:
        """Prints the estimate, once."""
        if self._is_said:
            return
        self._is_said = True
        print("ptoken: dry run, nothing is recorded", file=sys.stderr)
        for table, count, size in self._tables.values():
            print(
                f"  {table.name}: {count} rows, {words(size)} a step, {self._schedule(table)}",
                file=sys.stderr,
            )
            for stream in table.streams:
                shape = "x".join(map(str, stream.shape))
                to = f" to {stream.width}" if stream.sketch else ""
                print(f"    {stream.kind:8} {stream.name} {shape}{to}", file=sys.stderr)
        if not self._tables:
            print("  no step was due", file=sys.stderr)
            return
        for steps in (1000, 100_000):
            print(
                f"  {steps:,} training steps: {words(self.bytes(steps))} before compression",
                file=sys.stderr,
            )
        if self._config.budget:
            print(f"  budget: {words(self._config.budget)}", file=sys.stderr)
