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
from .null import NULL_STEP, NullRecorder, NullStep
from .probe import ProbeSet
from .rows import RowBuilder
from .run import Run
from .session import Session
from .step import Step
from .tables import Rows, Table
from .warning import Warner

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
        self._gradients = gradients
        self._probe: ProbeSet | None = None
        self._last_probe: int | None = None
        self.config = Config.load(config, **settings)
        self._schedule = self.config.schedule
        self._probe_schedule = self.config.probe_schedule
        if is_disabled():
            return
        self._run = Run(model, training, observer, loss_unit, rank, ranks)
        if gradients is not None and not callable(gradients):
            raise RecordingError(
                f"gradients: expected a function of (inputs, labels), found {type(gradients).__name__}."
            )
        if record_key is not None and not (isinstance(record_key, bytes) and record_key):
            raise RecordingError(
                f"record_key: expected bytes, such as secrets.token_bytes(32), found {type(record_key).__name__}."
            )
        self._run.id = run_id
        self._rows = RowBuilder(self.config, self._arrays(), loss_unit)
        if probe is not None:
            self._probe = self._probe_set(probe)
        self._prepare()
        self._key = record_key or b""
        if os.environ.get("PTOKEN_DRY_RUN", "").lower() not in _TRUE:
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
            self._run.id = run_id or str(connection.welcome["run_id"])
        self._session = Session(
            self._recording.connection if self._recording else None,
            self.config, self._rows, self._hello, self._warn,
        )  # fmt: skip
        self._session.has_probe = self._probe is not None
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

        Touches no array where the step is not recorded.
        """
        if index is None:
            index = self._index
        self._index = index + 1
        self.passed += 1
        if not self._is_open:
            return NULL_STEP
        self._probe_if_due(index, description)
        if not self._is_due(index):
            return NULL_STEP
        if not self._session.is_active:
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

    def _probe_if_due(self, index: int, description: Mapping[str, Any]) -> None:
        """Takes the scheduled probe before a step, once."""
        if (
            self._probe is not None
            and self._last_probe != index
            and self._probe_schedule.includes(index)
        ):
            self._take_probe(index, description)

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
                self._probe = self._probe_set(given)
                self._session.has_probe = True
            elif not self._probe.is_same(given):
                raise RecordingError(
                    "probe: expected the set of the first probe, found another. A probe set is fixed: make it once, "
                    "and call probe() without arguments."
                )
        if self._probe is None:
            raise RecordingError(
                "probe: expected a probe set, as in Recorder(probe=(inputs, labels)), found none."
            )
        self._take_probe(self._index, {})

    def _probe_set(self, given: tuple[Any, ...]) -> ProbeSet:
        config = self.config
        return ProbeSet(given, self._rows.arrays, most=config.probe_rows, seed=config.seed)

    def _take_probe(self, index: int, description: Mapping[str, Any]) -> None:
        self._last_probe = index
        if not self._session.is_active:
            self.dropped += 1
            return
        probe = self._probe
        assert probe is not None
        step = Step(self, index, "probe", dict(description))
        with self._guarded("a probe"):
            if probe.ids is None:
                self._take_whole(step, probe)
                probe.identify(self._ids(step))
            self._take_whole(step, probe)
            self._fill_probe(step, probe.inputs, probe.labels)
            self._commit(step)

    def _take_whole(self, step: Step, probe: ProbeSet) -> None:
        self._rows.take_batch(step, probe.inputs, probe.labels, probe.record_ids, choosing=False)

    # Committing.

    def _ids(self, step: Step) -> np.ndarray:
        """Ids of all rows of the step's batch."""
        if step.mode == "probe" and self._probe is not None and self._probe.ids is not None:
            return self._probe.ids
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
            self._session.require_order(step.index)
            # Hashing what records are takes longer than all else: the sender's thread does it.
            is_late = step.mode == "trace" and self._rows.are_known_by_content(step)
            ids = np.zeros((step.count or 0, 16), np.uint8) if is_late else self._ids(step)
            rows: list[Rows] = []
            if step.examples is not None:
                rows.append(self._rows.examples(step, ids))
            if step.batch is not None:
                name = f"batch {step.index} rank {self._run.rank}".encode()
                rows.append(self._rows.batch(step, identity.keyed(self._key, [name]), ids))
            numbered = self._session.numbered(rows)
            if not numbered:
                self._warn(
                    f"step {step.index}: nothing to record. Give gradients: Recorder(gradients=...), "
                    "step.gradients() or step.batch_gradients().",
                    "empty",
                )
                self.dropped += 1
                return
            self._session.copy(step, self._body(step), numbered)
            if is_late and step.frame is not None:
                columns, targets, own = self._rows.late_ids(step, numbered)
                frames.identify_later(step.frame, self._key, columns, targets, own)
        finally:
            self.blocked += time.perf_counter() - start

    def _release(self, step: Step) -> None:
        """Hands a copied step to the sender."""
        frame, step.frame = step.frame, None
        if frame is None:
            return
        start = time.perf_counter()
        if step.loss is not None:
            loss = self._rows.arrays.number(step.loss)
            if math.isfinite(loss):
                frame.body["loss"] = loss
        frame.body["dropped"], frame.body["blocked"] = self.dropped, self.blocked
        self.dropped += self._session.release(step.mode, frame)
        self.blocked += time.perf_counter() - start

    def _body(self, step: Step) -> dict[str, Any]:
        body: dict[str, Any] = {"index": step.index, "mode": step.mode, "accumulation": 1}
        body.update(checks.step_description(step.description))
        if self.config.layers_frozen:
            body["frozen"] = sorted(step.frozen)
        return body

    def _hello(self, tables: list[Table]) -> dict[str, Any]:
        return self._run.hello(tables, self._rows, self.config, self._method())

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """Lets wrong arguments through until a first step was recorded; from then on, and whatever else goes wrong, a step
        is lost and a warning said, and training goes on."""
        try:
            yield
        except Exception as error:
            if isinstance(error, RecordingError) and not self._session.has_recorded:
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
        return self._is_open and self._session.is_active and os.getpid() == self._pid

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
        if self._recording is None:
            self._session.estimate.say()
            return
        end = time.monotonic() + timeout
        connection = self._recording.connection
        self.dropped += self._session.flush()
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
        if not hasattr(self, "_session"):
            return {"all": 0}
        found = self._session.estimate.tables(total_steps)
        if not found:
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
        return NullRecorder, ()


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
