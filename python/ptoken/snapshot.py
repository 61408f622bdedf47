"""The snapshot file, `run.h5`: gradients of recorded training steps and the data behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from . import _rules
from ._reader import Reader
from .columns import Columns, hexadecimal
from .errors import Place
from .stream import Stream

if TYPE_CHECKING:
    from ._file import Group


class Snapshot(Reader):
    """A snapshot, open for reading; made by `ptoken.open`."""

    format = "ptoken-snapshot"

    run_id: str
    """UUID of the run: every file of one run has the same."""
    created: str
    """When recording began, ISO 8601 in UTC."""
    producer: str
    """Software and version that recorded."""
    status: str
    """`complete`, `interrupted` or `crashed`; whichever it is, every step here is whole."""
    model: dict
    """The model: `name`, `layers` (each with `name`, `parameters`), `parameters` and more."""
    training: dict
    """What is known of the training: `optimizer`, `batch_size`, `dp_sgd`, ..."""
    observer: dict
    """Whose view was recorded: `role`, `layers`, `aggregation`."""
    sessions: Columns
    """One row per stretch of recording by one process; a resumed run has several."""
    steps: Columns
    """One row per recorded step; `steps.units` has units, NaN stands for unknown."""
    tables: Tables
    """Observations: ``tables[0]``, ``tables["probe"]``."""

    def _describe(self, root: Group) -> None:
        found = root.attributes
        self.run_id, self.created = found["run_id"], found["created"]
        self.producer, self.status = found["producer"], found["status"]
        _rules.check_text(root.place, self.run_id, _rules.UUID, "R-004", "run_id")
        _rules.check_text(root.place, self.created, _rules.TIME, "R-005", "created")

        self.model = _rules.model(root["model"])
        layers = [layer["name"] for layer in self.model["layers"]]
        self.training = _rules.training(root["training"])
        self.observer = _rules.observer(root["observer"], set(layers))

        self.steps = Columns(root["steps"].objects, expand={"trainable": layers})
        trainable = root["steps"].objects.get("trainable")
        if trainable is not None and trainable.shape[1] != len(layers):
            problem = f"expected {len(layers)} columns, found {trainable.shape[1]}"
            raise trainable.place.error(problem, "R-020")
        _rules.sessions(root["sessions"], len(self.steps))
        self.sessions = Columns(root["sessions"].objects)
        self.tables = Tables(Table(group, self) for group in root["tables"].objects.values())

    def __repr__(self) -> str:
        tables = ", ".join(map(repr, self.tables))
        return f"<Snapshot {self.path!r}: {self.status}, {len(self.steps)} steps, {tables}>"


class Tables(Sequence["Table"]):
    """The tables of a snapshot, by position and by name."""

    def __init__(self, tables: Iterator[Table]):
        self._tables = list(tables)

    @property
    def names(self) -> list[str]:
        return [table.name for table in self]

    def __getitem__(self, key: int | str) -> Table:
        if not isinstance(key, str):
            return self._tables[key]
        found = [(i, table) for i, table in enumerate(self) if table.name == key]
        if not found:
            raise KeyError(f"no table {key!r} among {self.names}")
        if len(found) > 1:
            numbers = " and ".join(f"tables[{i}]" for i, _ in found)
            raise KeyError(f"{key!r} names {numbers}: ask by position")
        return found[0][1]

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return repr(self._tables)


class Table:
    """Observations of one unit and one mode, with their streams."""

    name: str
    unit: str
    """What a row stands for: `example`, `batch` or `client`."""
    mode: str
    """`probe`: the same records again and again, at frozen weights. `trace`: as trained on."""
    schedule: dict | None
    """Which steps were to be recorded, where that is known: `every`, `start`, `end`."""
    observations: Columns
    """One row per observation: `step`, `record`, `rank`; perhaps `weight`, `local_steps`."""
    members: Columns | None
    """Which examples made up each batch or client: `observation`, `record`, `weight`."""
    streams: dict[str, Stream]
    """All streams by name, in the order of the file."""

    def __init__(self, group: Group, snapshot: Snapshot):
        self.name, self.unit = group.attributes["name"], group.attributes["unit"]
        self.mode = group.attributes["mode"]
        self.schedule = _rules.table(group)
        self.observations = Columns(group["observations"].objects)
        members = group.objects.get("members")
        self.members = Columns(members.objects) if members else None
        self._group, self._steps, self._model = group, snapshot.steps, snapshot.model

        layers = {layer["name"] for layer in self._model["layers"]}
        data = list(group["streams"].objects.values())
        for stream in data:
            _rules.stream(stream, layers)
        names = [stream.attributes["name"] for stream in data]
        _rules.check_unique(names, group["streams"].place, "streams", "R-041")
        self.streams = {name: Stream(s, self.rows) for name, s in zip(names, data, strict=True)}

    @property
    def gradients(self) -> dict[str, Stream]:
        return self._of_kind("gradient")

    @property
    def features(self) -> dict[str, Stream]:
        return self._of_kind("feature")

    @property
    def labels(self) -> dict[str, Stream]:
        return self._of_kind("label")

    @property
    def scalars(self) -> dict[str, Stream]:
        return self._of_kind("scalar")

    @property
    def records(self) -> np.ndarray:
        """Ids of the records behind the rows, uint8 `[rows, 16]`."""
        return self.observations["record"]

    @property
    def record_ids(self) -> np.ndarray:
        """The same as 32 hexadecimal digits, str `[rows]`."""
        return hexadecimal(self.records)

    @cached_property
    def step(self) -> np.ndarray:
        """Row of `Snapshot.steps` that each row belongs to, uint32 `[rows]`; never descends."""
        step, place = self.observations["step"], self._group["observations"]["step"].place
        if len(step) and step.max() >= len(self._steps):
            raise place.error(f"{step.max()} is no row of /steps", "R-034")
        if (step[1:] < step[:-1]).any():
            raise place.error("descends", "R-035")
        return step

    @cached_property
    def step_index(self) -> np.ndarray:
        """Optimizer steps taken before each row was recorded, int64 `[rows]`."""
        index = self._steps["index"]
        if (index[1:] < index[:-1]).any():
            raise (Place(self._group.place.file) / "steps/index").error("descends", "R-022")
        return index[self.step]

    @property
    def rank(self) -> np.ndarray:
        """Rank of the process that produced each row, uint16 `[rows]`."""
        return self.observations["rank"]

    @property
    def weight(self) -> np.ndarray | None:
        """Weight of each row in the aggregate, float64 `[rows]`, NaN if unknown."""
        return self._optional("weight")

    @property
    def local_steps(self) -> np.ndarray | None:
        """Local optimizer steps behind each update, uint32 `[rows]`, 0 if unknown."""
        return self._optional("local_steps")

    @property
    def parameter_share(self) -> float:
        """Share of the model's parameters whose gradients are recorded here; NaN if it has none."""
        sizes = {layer["name"]: layer["parameters"] for layer in self._model["layers"]}
        recorded = sum(sizes[name] for name in {s.layer for s in self.gradients.values()})
        return recorded / self._model["parameters"] if self._model["parameters"] else float("nan")

    def rows(self, step: int) -> slice:
        """Rows of the step of that index (`step_index`); `KeyError` if there are none."""
        first, stop = (np.searchsorted(self.step_index, step, side) for side in ("left", "right"))
        if first == stop:
            raise KeyError(f"table {self.name!r} has no rows of step {step}")
        return slice(int(first), int(stop))

    def _of_kind(self, kind: str) -> dict[str, Stream]:
        return {name: stream for name, stream in self.streams.items() if stream.kind == kind}

    def _optional(self, name: str) -> np.ndarray | None:
        return self.observations[name] if name in self.observations else None

    def __len__(self) -> int:
        return len(self.observations)

    def __repr__(self) -> str:
        return f"<{self.mode} table {self.name!r}: {len(self)} rows, {len(self.streams)} streams>"
