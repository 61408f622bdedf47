"""Records training steps and probes; the base of the adapters for frameworks."""

from __future__ import annotations

import atexit
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import checks, frames, identity
from .arrays import Arrays
from .config import Config
from .endpoint import Recording, open_recording
from .errors import RecordingError
from .estimate import Estimate
from .rows import RowBuilder
from .step import NULL_STEP, NullStep, Step
from .tables import Rows, Table, require_distinct, require_rows, require_same
from .warning import Warner

PROBE_PATIENCE = 30.0
"""Seconds that a probe waits for room in the queue before it is dropped."""
_TRUE = ("1", "true", "yes", "on")


def is_disabled() -> bool:
    """Whether `PTOKEN_DISABLE` turns recording off."""
    return os.environ.get("PTOKEN_DISABLE", "").lower() in _TRUE


class Recorder:
    """Records what gradients say about data, while a model trains.

    >>> recorder = Recorder("run.h5", gradients=per_example, probe=(x, y))  # doctest: +SKIP
    >>> for x, y in batches:  # doctest: +SKIP
    ...     with recorder.step(inputs=x, labels=y) as step:
    ...         step.loss = train(x, y)

    Wrong arguments raise `RecordingError`. Whatever else goes wrong is warned of once, and training goes on.

    Parameters
    ----------
    target : file to write, such as `run.h5`; or `unix:PATH`, `fd:NUMBER`. Under `ptoken-record run.h5 -- ...` the recorder
        around us is used, whatever is said here.
    gradients : function of (inputs, labels) that gives the gradient of each example's loss: layer name to an array
        `[rows, ...]`; or that and the losses `[rows]`. Without it, add gradients inside `with recorder.step(...) as step`.
    probe : (inputs, labels) or (inputs, labels, record_ids): a fixed set of records whose gradients are taken at
        frozen weights again and again.
    model : a name, or the JSON of R-011; layers are filled in from the first gradients.
    training, observer : JSON of R-012 and R-016.
    record_key : 32 bytes that record ids are made with; by default the recorder's, which nobody keeps.
    rank, ranks, run_id : this process among those that record the run; each has a file of its own.
    force, resume : replace an existing file; go on with one.
    compression, sync : of a recorder that is started, as options of `ptoken-record listen`.
    config, settings : see `Config`; each setting is a keyword, such as `every=50`.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | None = None,
        *,
        gradients: Callable[[Any, Any], Mapping[str, Any]] | None = None,
        probe: tuple[Any, ...] | None = None,
        model: str | Mapping[str, Any] = "model",
        training: Mapping[str, Any] | None = None,
        observer: Mapping[str, Any] | None = None,
        loss_unit: str = "nats",
        record_key: bytes | None = None,
        rank: int = 0,
        ranks: int = 1,
        run_id: str | None = None,
        force: bool = False,
        resume: bool = False,
        compression: str = "zstd",
        sync: str = "interval",
        config: Config | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> None:
        self.passed = 0
        """Optimizer steps so far, recorded or not."""
        self.dropped = 0
        """Steps that were due and could not be kept."""
        self.blocked = 0.0
        """Seconds that training waited for recording."""
        self._index = 0
        self._pid = os.getpid()
        self._warn = Warner()
        self._recording: Recording | None = None
        self._is_open = False
        self._is_dry = False
        self._tables: dict[str, Table] = {}
        self._held: list[frames.Frame] = []
        self._has_said_hello = False
        self._has_recorded = False
        self._newest = -(2**63)
        self._modes: set[str] = set()
        self._gradients = gradients
        self._probe: tuple[Any, Any, Any] | None = None
        self._probe_ids: np.ndarray | None = None
        self._last_probe: int | None = None
        self.config = Config.load(config, **settings)
        self._schedule = self.config.schedule
        self._probe_schedule = self.config.probe_schedule
        if is_disabled():
            return
        self._is_dry = os.environ.get("PTOKEN_DRY_RUN", "").lower() in _TRUE
        self._model = checks.description(
            "model", {"name": model} if isinstance(model, str) else model
        )
        self._training = checks.description("training", training)
        self._observer = checks.description("observer", observer)
        if gradients is not None and not callable(gradients):
            raise RecordingError(
                f"gradients: expected a function of (inputs, labels), found {type(gradients).__name__}."
            )
        if record_key is not None and not (isinstance(record_key, bytes) and record_key):
            raise RecordingError(
                f"record_key: expected bytes, such as secrets.token_bytes(32), found {type(record_key).__name__}."
            )
        self._loss_unit = loss_unit
        self._rank, self._ranks, self._run_id = rank, ranks, run_id
        self._rows = RowBuilder(self.config, self._arrays(), loss_unit)
        self._estimate = Estimate(self.config)
        if probe is not None:
            self._set_probe(probe)
        self._prepare()
        self._key = record_key or b""
        if not self._is_dry:
            options = ["--compression", compression, "--sync", sync]
            options += ["--force"] * force + ["--resume"] * resume
            if self.config.budget:
                options += ["--budget", str(self.config.budget)]
            self._recording = open_recording(target, options=options, warn=self._warn)
            connection = self._recording.connection
            connection.queue_bytes = self.config.queue
            connection.pool.most = self.config.queue
            connection.on_full = self.config.on_full or connection.on_full
            if self.config.block_seconds is not None:
                connection.block_seconds = self.config.block_seconds
            self._key = record_key or bytes.fromhex(str(connection.welcome["key"]))
            self._run_id = run_id or str(connection.welcome["run_id"])
        self._is_open = True
        # Held until it is closed: one that goes out of scope must not lose what it has.
        atexit.register(self._close_at_exit)

    # What adapters say.

    def _arrays(self) -> Arrays:
        """How arrays are handled."""
        return Arrays()

    def _prepare(self) -> None:
        """Checks what can be checked before the recorder is started."""

    def _method(self) -> dict[str, Any]:
        """How gradients are captured, for the file (spec/EXTENSIONS.md)."""
        return {"adapter": "numpy", "per_example": "given"}

    def _begin(self, step: Step, inputs: Any, labels: Any) -> None:
        """Takes what must be taken before training changes the weights."""
        if self._gradients is not None and self._takes_examples:
            self._take_given(step, inputs, labels)

    def _take_given(self, step: Step, inputs: Any, labels: Any) -> None:
        """What the user's function gives: gradients by layer, or those and the losses."""
        assert self._gradients is not None
        found = self._gradients(inputs, labels)
        if isinstance(found, tuple) and len(found) == 2:
            found, losses = found
            step.losses(losses)
        if not isinstance(found, Mapping):
            raise RecordingError(
                "gradients: expected the function to give a dict of layer name to array [rows, ...], or such a dict and "
                f"the losses [rows], found {type(found).__name__}."
            )
        step.gradients(found)

    def _complete(self, step: Step) -> None:
        """Takes what is there once the training step is done."""

    def _fill_probe(self, step: Step, inputs: Any, labels: Any) -> None:
        """Takes the gradients of the probe set."""
        if self._gradients is None:
            raise RecordingError("probe: expected Recorder(gradients=function), found none.")
        self._take_given(step, inputs, labels)

    # Steps.

    def step(
        self,
        *,
        inputs: Any = None,
        labels: Any = None,
        record_ids: Any = None,
        loss: Any = None,
        index: int | None = None,
        **description: Any,
    ) -> Step | NullStep:
        """One optimizer step: `with recorder.step(inputs=x, labels=y) as step:` around it.

        Parameters
        ----------
        inputs, labels, record_ids : the batch, one row for each example. Ids are integers, text or bytes; without them a
            record is known by its content.
        loss : mean loss of the batch; or set `step.loss` inside.
        index : optimizer steps taken before this one; by default counted here.
        description : of the step, as in spec/WIRE.md (W-20): `epoch`, `learning_rate` ...

        Costs a microsecond where the step is not recorded.
        """
        if index is None:
            index = self._index
        self._index = index + 1
        self.passed += 1
        if not self._is_open:
            return NULL_STEP
        if (
            self._probe is not None
            and self._last_probe != index
            and self._probe_schedule.includes(index)
        ):
            self._take_probe(index, description)
        if not self._is_due(index):
            return NULL_STEP
        if not self._can_send():
            self.dropped += 1
            return NULL_STEP
        step = Step(self, index, "trace", description)
        step.loss = loss
        with self._guarded("a traced step"):
            checks.step_description(description)
            self._rows.take_batch(step, inputs, labels, record_ids)
            self._begin(step, step.inputs, step.labels)
            return step
        return NULL_STEP

    def _is_due(self, index: int) -> bool:
        return self._schedule.includes(index) and self.config.trace != "none"

    @property
    def _takes_examples(self) -> bool:
        """Whether traced steps have gradients of examples."""
        return self.config.traces_examples and self.config.collects("gradients")

    def _finish(self, step: Step, failed: bool) -> None:
        if failed or not self._is_open or os.getpid() != self._pid:
            return
        with self._guarded("a traced step"):
            self._complete(step)
            self._commit(step)

    def probe(self, inputs: Any = None, labels: Any = None, record_ids: Any = None) -> None:
        """Takes the gradients of the probe set at the weights of this moment.

        `inputs` may be a tuple of (inputs, labels) or (inputs, labels, record_ids). The first set that is given is the
        probe set from then on; without arguments it is taken again.
        """
        if not self._is_open:
            return
        if inputs is not None:
            given = inputs if isinstance(inputs, tuple) else (inputs, labels, record_ids)
            if self._probe is None:
                self._set_probe(given)
            elif not self._is_given_probe(given):
                raise RecordingError(
                    "probe: expected the set of the first probe, found another. A probe set is fixed: make it once, "
                    "and call probe() without arguments."
                )
        if self._probe is None:
            raise RecordingError(
                "probe: expected a probe set, as in Recorder(probe=(inputs, labels)), found none."
            )
        self._take_probe(self._index, {})

    def _set_probe(self, given: tuple[Any, ...]) -> None:
        if not isinstance(given, tuple) or not 1 <= len(given) <= 3:
            raise RecordingError(
                "probe: expected (inputs, labels) or (inputs, labels, record_ids)."
            )
        inputs, labels, ids = (*given, None, None)[:3]
        self._given_probe = (inputs, labels, ids)
        arrays = self._rows.arrays
        shapes = {
            name: arrays.shape(value)
            for name, value in (("labels", labels), ("record_ids", ids))
            if value is not None
        }
        rows = (*arrays.shape(inputs), 0)[0]
        require_rows("probe", rows, "inputs", shapes)
        most = self.config.probe_rows
        if most is not None and rows > most:
            chosen = np.sort(np.random.default_rng(self.config.seed).permutation(rows)[:most])
            inputs, labels, ids = (
                None if value is None else arrays.take(value, chosen)
                for value in (inputs, labels, ids)
            )
        self._probe = (inputs, labels, ids)

    def _is_given_probe(self, given: tuple[Any, ...]) -> bool:
        """Whether a probe set is the one that there is: the same arrays, or arrays of the same numbers."""
        for new, old in zip((*given, None, None)[:3], self._given_probe, strict=True):
            if new is old:
                continue
            if (
                new is None
                or old is None
                or self._rows.arrays.shape(new) != self._rows.arrays.shape(old)
            ):
                return False
            if not np.array_equal(self._rows.arrays.host(new), self._rows.arrays.host(old)):
                return False
        return True

    def _take_probe(self, index: int, description: Mapping[str, Any]) -> None:
        self._last_probe = index
        if not self._can_send():
            self.dropped += 1
            return
        assert self._probe is not None
        inputs, labels, ids = self._probe
        step = Step(self, index, "probe", dict(description))
        with self._guarded("a probe"):
            self._rows.take_batch(step, inputs, labels, ids, choosing=False)
            if self._probe_ids is None:
                ids = self._ids(step)
                if self._probe[2] is None:
                    ids = self._without_repeats(ids)
                    inputs, labels, _ = self._probe
                    self._rows.take_batch(step, inputs, labels, None, choosing=False)
                self._probe_ids = self._require_distinct(ids)
            self._fill_probe(step, inputs, labels)
            self._commit(step)

    def _without_repeats(self, ids: np.ndarray) -> np.ndarray:
        """Leaves out records of the probe set that are the same as earlier ones, where content is what they are known by."""
        _, first = np.unique(ids, axis=0, return_index=True)
        if len(first) == len(ids):
            return ids
        kept = np.sort(first)
        assert self._probe is not None
        take = self._rows.arrays.take
        inputs, labels, _ = self._probe
        self._probe = (take(inputs, kept), None if labels is None else take(labels, kept), None)
        return ids[kept]

    def _require_distinct(self, ids: np.ndarray) -> np.ndarray:
        _, first, counts = np.unique(ids, axis=0, return_index=True, return_counts=True)
        if (counts > 1).any():
            row = int(first[counts > 1][0])
            raise RecordingError(
                f"probe/record_ids: expected each record once, found that of row {row} {int(counts.max())} times "
                f"({int((counts - 1).sum())} rows too many). Leave the repeated ones out."
            )
        return ids

    # Committing.

    def _ids(self, step: Step) -> np.ndarray:
        """Ids of all rows of the step's batch."""
        if step.mode == "probe" and self._probe_ids is not None:
            return self._probe_ids
        if self._rows.are_known_by_content(step):
            return identity.content(self._key, self._rows.content(step))
        return identity.keyed(self._key, self._rows.names(step))

    def _commit(self, step: Step) -> None:
        """Copies a step's rows and hands them to the sender."""
        self._copy(step)
        self._release(step)

    def _copy(self, step: Step) -> None:
        """Copies a step's rows, so that training may go on with the arrays."""
        start = time.perf_counter()
        try:
            self._require_order(step)
            # Hashing what records are takes longer than all else: the sender's thread does it.
            is_late = step.mode == "trace" and self._rows.are_known_by_content(step)
            ids = np.zeros((step.count or 0, 16), np.uint8) if is_late else self._ids(step)
            rows: list[Rows] = []
            if step.examples is not None:
                rows.append(self._rows.examples(step, ids))
            if step.batch is not None:
                name = f"batch {step.index} rank {self._rank}".encode()
                rows.append(self._rows.batch(step, identity.keyed(self._key, [name]), ids))
            numbered = self._numbered(rows)
            if not numbered:
                self._warn(
                    f"step {step.index}: nothing to record. Give gradients: Recorder(gradients=...), "
                    "step.gradients() or step.batch_gradients().",
                    "empty",
                )
                self.dropped += 1
                return
            self._estimate.note(numbered)
            if self._is_dry:
                self._modes.add(step.mode)
                if not self._expected() - self._modes:
                    self._estimate.say()
            else:
                assert self._recording is not None
                body = self._body(step, [number for number, _ in numbered])
                pool = self._recording.connection.pool
                step.frame = frames.step(body, numbered, self.config.dtype, pool)
                if is_late:
                    self._identify_later(step, numbered)
        finally:
            self.blocked += time.perf_counter() - start

    def _require_order(self, step: Step) -> None:
        """Refuses a step before one that was recorded: a recorder would end the recording there (R-022)."""
        if step.index < self._newest:
            raise RecordingError(
                f"step: index: expected at least {self._newest}, that of the step before, found {step.index}. Count "
                "optimizer steps over the whole run, not in each epoch; or leave index out, and they are counted here."
            )
        self._newest = step.index

    def _identify_later(self, step: Step, numbered: list[tuple[int, Rows]]) -> None:
        assert step.frame is not None
        targets: list[tuple[str, np.ndarray | None]] = []
        columns = None
        own = None
        for number, part in numbered:
            if part.members is not None:
                targets.append((f"{number}/members/record", None))
                continue
            targets.append((f"{number}/record", step.chosen))
            first = part.columns[0] if part.columns else None
            if first is not None and first.stream.role == "input" and step.chosen is None:
                columns = [
                    np.asarray(first.parts[0]),
                    *self._rows.content(step, without_inputs=True),
                ]
                # Sent as they are, they need no second copy.
                if columns[0].dtype == np.float32 and self.config.dtype == "float32":
                    own = f"{number}/0"
        if columns is None:
            columns = self._rows.content(step)
        frames.identify_later(step.frame, self._key, columns, targets, own)

    def _numbered(self, rows: list[Rows]) -> list[tuple[int, Rows]]:
        """The rows with the numbers of their tables, which must be as they were declared."""
        numbered = []
        for part in rows:
            known = self._tables.get(part.table.name)
            if known is None and self._has_said_hello:
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
            numbered.append((list(self._tables).index(part.table.name), part))
        return numbered

    def _release(self, step: Step) -> None:
        """Hands a copied step to the sender."""
        frame, step.frame = step.frame, None
        if frame is None:
            return
        start = time.perf_counter()
        self._modes.add(step.mode)
        if step.loss is not None:
            loss = self._rows.arrays.number(step.loss)
            if math.isfinite(loss):
                frame.body["loss"] = loss
        frame.body["dropped"], frame.body["blocked"] = self.dropped, self.blocked
        self._held.append(frame)
        if not self._has_said_hello:
            missing = self._expected() - self._modes
            if missing and len(self._held) == 1:
                # The other kind of table is yet to be seen; tables are declared together.
                return
            for mode in missing:
                self._declare_like(mode)
        self._flush()
        self._has_recorded = True
        self.blocked += time.perf_counter() - start

    def _expected(self) -> set[str]:
        traced = {"trace"} if self.config.trace != "none" else set()
        return traced | ({"probe"} if self._probe is not None else set())

    def _declare_like(self, mode: str) -> None:
        """Declares a table of examples that has had no rows yet, with the streams of the one that had."""
        for table in list(self._tables.values()):
            if table.unit == "example":
                self._tables[mode] = Table(
                    mode, "example", mode, table.streams, self._rows.schedule_text(mode)
                )
                return

    def _flush(self) -> None:
        assert self._recording is not None
        connection = self._recording.connection
        if not self._has_said_hello:
            self._has_said_hello = True
            connection.begin(self._hello())
        for frame in self._held:
            # A probe is rare, and what is measured: it waits a while rather than be lost.
            is_probe = frame.body["mode"] == "probe"
            if connection.send(frame, PROBE_PATIENCE if is_probe else 0):
                continue
            self.dropped += 1
            if connection.is_active:
                self._warn(
                    f"a step was dropped: {connection.queue_bytes / 1e6:.0f} MB were waiting for the recorder. "
                    "Record fewer steps or rows, a narrower sketch, or set queue or on_full='block'.",
                    "dropped",
                )
        self._held = []

    def _body(self, step: Step, tables: list[int]) -> dict[str, Any]:
        body: dict[str, Any] = {"index": step.index, "mode": step.mode, "tables": tables}
        body["accumulation"] = 1
        body.update(checks.step_description(step.description))
        if self.config.layers_frozen:
            body["frozen"] = sorted(step.frozen)
        return body

    def _hello(self) -> dict[str, Any]:
        model = dict(self._model)
        layers = model.setdefault("layers", self._rows.layers(self._tables.values()))
        model.setdefault("parameters", sum(layer["parameters"] for layer in layers))
        observer = {
            "role": "reader of per-example gradients",
            "layers": "all",
            "aggregation": "none",
        }
        from .. import __version__

        return {
            "protocol": "1.0",
            "producer": f"ptoken-python {__version__}",
            "rank": self._rank,
            "ranks": self._ranks,
            "run_id": self._run_id,
            "model": model,
            "training": self._training,
            "observer": {**observer, **self._observer},
            "loss_unit": self._loss_unit,
            "has_trainable": self.config.layers_frozen,
            "tables": [table.describe() for table in self._tables.values()],
            "capture": {
                **self._method(),
                "dtype": self.config.dtype,
                "python": sys.version.split()[0],
            },
        }

    def _can_send(self) -> bool:
        return self._is_dry or (
            self._recording is not None and self._recording.connection.is_active
        )

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """Lets wrong arguments through until a first step was recorded; from then on, and whatever else goes wrong, a step
        is lost and a warning said, and training goes on."""
        try:
            yield
        except Exception as error:
            if isinstance(error, RecordingError) and not self._has_recorded:
                raise
            self.dropped += 1
            place = "" if isinstance(error, RecordingError) else _place(error)
            self._warn(
                f"{what} could not be recorded: {type(error).__name__}: {error}{place}.",
                f"{what} {type(error)}",
            )

    # The end.

    @property
    def is_recording(self) -> bool:
        """Whether steps are still kept."""
        return self._is_open and self._can_send() and os.getpid() == self._pid

    @property
    def file(self) -> str | None:
        """Name that the file will have; None until the recorder has said so."""
        return self._recording.connection.file if self._recording else None

    def close(self, status: str = "complete", timeout: float = 60) -> None:
        """Sends what waits, and has the file closed: `complete`, `interrupted` or `crashed`. Done at exit by itself."""
        if not self._is_open or os.getpid() != self._pid:
            self._is_open = False
            return
        self._is_open = False
        atexit.unregister(self._close_at_exit)
        if self._is_dry:
            self._estimate.say()
            return
        end = time.monotonic() + timeout
        assert self._recording is not None
        connection = self._recording.connection
        if self._held:
            self._flush()
        if not connection.sent and connection.is_active:
            self._warn(
                f"nothing was recorded: training made {self.passed} steps, and the schedule is {self._schedule}"
                + (f", probes {self._probe_schedule}" if self._probe is not None else "")
                + (f"; {self.dropped} due steps failed." if self.dropped else "."),
                "nothing",
            )
        was_active = connection.is_active
        answer = connection.close(
            {
                "status": status,
                "dropped": self.dropped,
                "blocked": self.blocked,
                "passed": self.passed,
                "problems": self._warn.said[:100],
            },
            timeout,
        )
        if was_active and answer is not None and answer.get("status") != status:
            self._warn(
                f"{answer.get('file')}: expected a file that is {status}, found {answer.get('status')} after "
                f"{answer.get('steps')} steps of {connection.sent}: the recorder could not keep the rest, and has said why."
            )
        self._recording.wait(max(1.0, end - time.monotonic()))

    def _close_at_exit(self) -> None:
        # What ended the process was printed by now, and is kept here.
        last = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        self.close(_status(type(last) if last is not None else None))

    def estimate(self, total_steps: int) -> dict[str, int]:
        """Bytes before compression of each table, and of `all`, in a training of so many optimizer steps.

        Goes by the first rows of each table. To know before anything is recorded, run with `PTOKEN_DRY_RUN=1`, where this
        works as well. Raises RecordingError where no step was due yet.
        """
        if not self._is_open and not self.passed:
            return {"all": 0}
        found = self._estimate.tables(total_steps) if hasattr(self, "_estimate") else {}
        if not found and hasattr(self, "_estimate"):
            raise RecordingError(
                "estimate: expected a step that was due before, found none. Call it after the first step; with "
                "PTOKEN_DRY_RUN=1 nothing is recorded."
            )
        return {**found, "all": sum(found.values())}

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(_status(kind))

    def __reduce__(self) -> Any:
        # Processes that are handed a copy (DataLoader workers) do not record.
        return _inert, ()


def _inert() -> NullRecorder:
    return NullRecorder()


class NullRecorder:
    """A recorder in another process than the one that records: takes everything, keeps nothing."""

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


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
        if trace
        else ""
    )


def _status(kind: type[BaseException] | None) -> str:
    if kind is None:
        return "complete"
    if issubclass(kind, SystemExit):
        return "complete"
    return "interrupted" if issubclass(kind, KeyboardInterrupt) else "crashed"
