"""Batches, gradients and the rest of a step as rows of tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import identity
from .arrays import Arrays
from .config import Config
from .errors import RecordingError
from .step import Step
from .tables import Column, Rows, Sketched, Stream, Table, require_rows


class RowBuilder:
    """Makes the rows of a recording's tables: `probe`, `trace` and `batches`."""

    def __init__(self, config: Config, arrays: Arrays, loss_unit: str) -> None:
        self.arrays = arrays
        self._config = config
        self._loss_unit = loss_unit
        self._chosen: dict[str, list[str]] = {}
        self._schedules: dict[str, str] = {}
        self._previous: dict[tuple[str, str], Any] = {}
        self.stage = "raw"
        """Stage of the gradients of examples."""
        self.clip_norm: float | None = None
        """Norm that the gradients of examples are clipped to, if they are."""
        self.batch_clip_norm: float | None = None
        """Norm that those behind the gradient of a batch were clipped to."""
        self.noise_multiplier: float | None = None

    # The batch.

    def take_batch(
        self, step: Step, inputs: Any, labels: Any, record_ids: Any, *, choosing: bool = True
    ) -> None:
        """Notes a step's batch, and which rows of it are recorded."""
        given = {"inputs": inputs, "labels": labels, "record_ids": record_ids}
        shapes = {
            name: self.arrays.shape(value) for name, value in given.items() if value is not None
        }
        step.count = None
        if shapes:
            like = next(iter(shapes))
            if not shapes[like]:
                raise RecordingError(
                    f"{step.mode}/{like}: expected one row for each example, found a single number."
                )
            step.count = shapes[like][0]
            require_rows(step.mode, step.count, like, shapes)
        step.all_inputs, step.all_labels, step.all_ids = inputs, labels, record_ids
        step.inputs, step.labels, step.chosen = inputs, labels, None
        most = self._config.max_rows
        if choosing and most is not None and step.count is not None and step.count > most:
            random = np.random.default_rng([self._config.seed, step.index])
            step.chosen = np.sort(random.permutation(step.count)[:most])
            step.inputs = self._take(inputs, step.chosen)
            step.labels = self._take(labels, step.chosen)
        if step.mode == "trace" and not self._config.traces_examples:
            return
        has_inputs = inputs is not None and self._config.collects("inputs")
        if has_inputs or (labels is not None and self._config.collects("labels")):
            step._own()

    def _take(self, array: Any, rows: np.ndarray) -> Any:
        return None if array is None else self.arrays.take(array, rows)

    def are_known_by_content(self, step: Step) -> bool:
        """Whether the ids of the batch are those of what its records are, as no others were given."""
        return step.all_ids is None and step.all_inputs is not None

    def content(self, step: Step) -> list[np.ndarray]:
        """What records are known by where no ids are given: their inputs and labels, of the whole batch."""
        return self._content(step.all_inputs, step.all_labels)

    def _content(self, *given: Any) -> list[np.ndarray]:
        return [np.asarray(self.arrays.host(part)) for part in given if part is not None]

    def late_ids(
        self, step: Step, numbered: Sequence[tuple[int, Rows]]
    ) -> tuple[list[np.ndarray], list[tuple[str, np.ndarray | None]], str | None]:
        """What `frames.identify_later` needs: columns of the batch, tensors of ids, the tensor that has the inputs already."""
        targets: list[tuple[str, np.ndarray | None]] = []
        own = None
        inputs = step.all_inputs
        for number, part in numbered:
            if part.members is not None:
                targets.append((f"{number}/members/record", None))
                continue
            targets.append((f"{number}/record", step.chosen))
            first = part.columns[0] if part.columns else None
            if first is not None and first.stream.role == "input" and step.chosen is None:
                # They were brought here already; sent as they are, they need no second copy either.
                inputs = first.parts[0]
                if first.parts[0].dtype == np.float32 and self._config.dtype == "float32":
                    own = f"{number}/0"
        return self._content(inputs, step.all_labels), targets, own

    def names(self, step: Step) -> list[bytes]:
        """The names behind the ids of the whole batch, where it is not known by its content."""
        if step.all_ids is not None:
            try:
                return identity.names(
                    self.arrays.host(step.all_ids)
                    if hasattr(step.all_ids, "shape")
                    else step.all_ids
                )
            except TypeError as error:
                raise RecordingError(f"{step.mode}/record_ids: {error}.") from None
        count = step.count if step.count is not None else self._count_of_examples(step)
        return [f"step {step.index} row {row}".encode() for row in range(count)]

    def _count_of_examples(self, step: Step) -> int:
        for kind in ("gradients", "activations", "features", "scalars"):
            for value in ((step.examples or {}).get(kind) or {}).values():
                return self.arrays.shape(_parts(value)[0])[0]
        return 0

    # Tables.

    def schedule_text(self, mode: str) -> str:
        """What files say about a table's schedule (R-094)."""
        if mode not in self._schedules:
            config = self._config
            schedule = config.probe_schedule if mode == "probe" else config.schedule
            self._schedules[mode] = json.dumps(schedule.describe())
        return self._schedules[mode]

    def examples(self, step: Step, ids: np.ndarray) -> Rows:
        """The rows of the table of examples."""
        own = step.examples or {}
        count = len(ids)
        ids = ids if step.chosen is None else ids[step.chosen]
        columns: list[Column] = []
        if step.inputs is not None and self._config.collects("inputs"):
            columns.append(self._feature("input", step.inputs, "input"))
        if step.labels is not None and self._config.collects("labels"):
            columns.append(self._label(step.labels))
        for name, value in (own.get("activations") or {}).items():
            value = self._own_rows(step, name, value, count, len(ids))
            columns.append(self._feature(f"{name}/activation", value, "activation"))
        for name, value in (own.get("features") or {}).items():
            value = self._own_rows(step, name, value, count, len(ids))
            columns.append(self._feature(name, value, "other"))
        gradients = self._choose(own.get("gradients"), step.mode)
        for layer, value in gradients.items():
            parts = [self._own_rows(step, layer, part, count, len(ids)) for part in _parts(value)]
            columns += self._gradient(step.mode, layer, parts, self.stage)
        losses = own.get("losses")
        if losses is not None and self._config.collects("losses"):
            losses = self._own_rows(step, "losses", losses, count, len(ids))
            columns.append(
                Column(
                    Stream("loss", "scalar", (1,), unit=self._loss_unit), [self.arrays.host(losses)]
                )
            )
        for name, value in (own.get("scalars") or {}).items():
            value = self._own_rows(step, name, value, count, len(ids))
            columns.append(Column(Stream(name, "scalar", (1,)), [self.arrays.host(value)]))
        return Rows(self._table(step.mode, "example", step.mode, columns), ids, columns)

    def batch(self, step: Step, batch_id: np.ndarray, ids: np.ndarray) -> Rows:
        """The row of the batch, and what it was made of."""
        assert step.batch is not None
        columns: list[Column] = []
        for layer, value in self._choose(step.batch["gradients"], "batches").items():
            parts = [self._one_row(part) for part in _parts(value)]
            columns += self._gradient("batches", layer, parts, step.batch["stage"])
        count = len(ids)
        members = (
            np.array([count], np.uint32),
            ids,
            np.full(count, 1 / max(1, count)),
        )
        table = self._table("batches", "batch", "trace", columns)
        return Rows(table, batch_id, columns, np.array([step.batch.get("weight", 1.0)]), members)

    def _table(self, name: str, unit: str, mode: str, columns: Sequence[Column]) -> Table:
        is_batch = unit == "batch"
        streams = tuple(column.stream for column in columns)
        return Table(name, unit, mode, streams, self.schedule_text(mode), is_batch, is_batch)

    def layers(self, tables: Iterable[Table]) -> list[dict[str, Any]]:
        """The layers of `/model` as far as gradients tell."""
        found: dict[str, int] = {}
        for table in tables:
            for stream in table.streams:
                if stream.layer is not None:
                    found.setdefault(stream.layer, stream.elements)
        for names in self._chosen.values():
            for name in names:
                found.setdefault(name, 0)
        return [{"name": name, "parameters": elements} for name, elements in found.items()]

    # Columns.

    def _choose(self, gradients: Mapping[str, Any] | None, table: str) -> Mapping[str, Any]:
        if not gradients:
            return {}
        if table not in self._chosen:
            self._chosen[table] = self._config.choose(gradients)
        return {name: gradients[name] for name in self._chosen[table] if name in gradients}

    def _own_rows(self, step: Step, name: str, value: Any, count: int, kept: int) -> Any:
        """An array's rows, less those that are not recorded."""
        if isinstance(value, Sketched):
            return value
        shape = self.arrays.shape(value)
        if step.chosen is not None and shape and shape[0] == count:
            return self.arrays.take(value, step.chosen)
        like = "inputs" if step.all_inputs is not None else "the other arrays"
        require_rows(step.mode, kept, like, {name: shape})
        return value

    def _feature(self, name: str, value: Any, role: str) -> Column:
        shape = self.arrays.shape(value)[1:] or (1,)
        return Column(Stream(name, "feature", tuple(shape), role=role), [self.arrays.host(value)])

    def _label(self, value: Any) -> Column:
        if not self.arrays.is_integer(value):
            return self._feature("label", value, "other")
        shape = self.arrays.shape(value)[1:] or (1,)
        labels = np.asarray(self.arrays.host(value))
        if labels.size and labels.dtype.itemsize >= 4 and labels.dtype != np.int32:
            least, most = int(labels.min()), int(labels.max())
            if not (-(2**31) <= least and most < 2**31):
                raise RecordingError(
                    f"labels: expected class labels from 0 to 2147483647, found {most if most > 0 else least}. Number "
                    "the classes from 0, or pass what is no class as inputs."
                )
        return Column(Stream("label", "label", tuple(shape)), [labels])

    def _one_row(self, value: Any) -> Any:
        return (
            value.reshape((1, *self.arrays.shape(value)))
            if hasattr(value, "reshape")
            else np.asarray(value)[None]
        )

    def _gradient(self, table: str, layer: str, parts: list[Any], stage: str) -> list[Column]:
        shapes = [
            () if isinstance(part, Sketched) else self.arrays.shape(part)[1:] for part in parts
        ]
        elements = sum(math.prod(shape) for shape in shapes)
        columns: list[Column] = []
        if self._config.raw:
            shape = tuple(shapes[0] or (1,)) if len(parts) == 1 else (elements,)
            done = parts[0] if isinstance(parts[0], Sketched) else None
            if done is not None:
                shape, elements = done.shape, math.prod(done.shape)
            sketch = self._config.sketch_of(elements)
            stream = Stream(
                layer, "gradient", shape, sketch,
                layer=layer, stage=stage, clip_norm=self.batch_clip_norm if table == "batches" else self.clip_norm,
                noise_multiplier=self.noise_multiplier if table == "batches" else None,
            )  # fmt: skip
            short = done.rows if done is not None else None
            if short is None and sketch is not None:
                short = self.arrays.sketch(parts, sketch)
            if short is not None:
                columns.append(Column(stream, [self.arrays.host(short)], is_sketched=True))
            else:
                columns.append(Column(stream, [self.arrays.host(part) for part in parts]))
        if self._config.reductions:
            key = (table, layer)
            numbers, mean = self.arrays.reduce(
                parts, self._config.reductions, self._previous.get(key)
            )
            self._previous[key] = mean
            for kind, values in numbers.items():
                columns.append(Column(Stream(f"{layer}/{kind}", "scalar", (1,)), [values]))
        return columns


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, Sketched):
        return (value,)
    return value if isinstance(value, (tuple, list)) else (value,)
