"""What is captured, when and how much: from code, JSON, and `PTOKEN_*` variables."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import RecordingError
from .schedule import Schedule
from .tables import Sketch

KINDS = ("gradients", "batch_gradients", "inputs", "labels", "losses", "activations")
REDUCTIONS = ("norm", "mean", "std", "max", "sparsity", "cosine")
DTYPES = ("float32", "float16", "bfloat16")


@dataclass
class Config:
    """Settings of a recording. Each is a keyword of `Recorder` too.

    The later wins: these defaults, then code, then a JSON file (`config=` or `PTOKEN_CONFIG`), then `PTOKEN_*` variables
    such as `PTOKEN_EVERY=50`: whoever runs a script decides after whoever wrote it.
    """

    every: int = 10
    """Trace every n-th optimizer step."""
    start: int = 0
    """First step that is traced."""
    end: int | None = None
    """Last step that is traced."""
    steps: tuple[int, ...] | None = None
    """The steps to trace, in place of `every`."""
    log_spaced: int | None = None
    """Traced steps in each decade, in place of `every`."""
    probe_every: int = 100
    """Probe before every n-th step."""
    probe_steps: tuple[int, ...] | None = None
    """The steps to probe before, in place of `probe_every`."""
    probe_log_spaced: int | None = None
    """Probed steps in each decade, in place of `probe_every`."""
    probe_rows: int | None = 1000
    """Most rows of the probe set, a seeded choice of those that are given."""
    include: str | None = None
    """Regular expression of the layers to record, searched in their names; None for all."""
    exclude: str | None = None
    """Regular expression of the layers to leave out."""
    trace: str = "all"
    """Tables of a traced step: examples, batches, all (both) or none (probes only)."""
    collect: tuple[str, ...] = ("gradients", "batch_gradients", "inputs", "labels", "losses")
    """Kinds to record: gradients (of each example), batch_gradients, inputs, labels, losses, activations."""
    reductions: tuple[str, ...] = ()
    """Numbers to record of each gradient: norm, mean, std, max, sparsity, cosine (to the layer's previous mean)."""
    raw: bool = True
    """Whether to record the gradients themselves, beside their reductions."""
    dtype: str = "float32"
    """Precision of gradients and features as they are sent: float32, float16 or bfloat16. Files hold float32."""
    sketch: int | None = 256
    """Numbers that a wider gradient is sketched to (spec/SPEC.md, R-060); None records it in full."""
    sketch_nonzeros: int = 4
    """Nonzeros of the sketch for each element."""
    sketch_seed: int = 0
    """Seed of the sketch; runs to be compared must have the same."""
    max_rows: int | None = None
    """Most rows of a traced step, a seeded choice; None for all."""
    seed: int = 0
    """Seed of that choice."""
    budget: int | None = None
    """Most bytes of the file, as a number or text such as "2GB"; recording stops there."""
    queue: int = 256 << 20
    """Bytes that may wait in this process for the recorder."""
    on_full: str | None = None
    """When that queue is full: drop the step, or block; None: as the recorder says."""
    block_seconds: float | None = None
    """How long to block before the step is dropped; None: as the recorder says."""
    layers_frozen: bool = True
    """Whether files say which layers were frozen at each step."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            setattr(self, field.name, _converted(field.name, getattr(self, field.name), "config"))
        _check(self)

    @property
    def schedule(self) -> Schedule:
        """Which steps are traced."""
        return Schedule(self.every, self.start, self.end, self.steps, self.log_spaced)

    @property
    def probe_schedule(self) -> Schedule:
        """Which steps a probe is taken before."""
        return Schedule(self.probe_every, steps=self.probe_steps, log_spaced=self.probe_log_spaced)

    def collects(self, kind: str) -> bool:
        """Whether a kind is recorded."""
        return kind in self.collect

    @property
    def traces_examples(self) -> bool:
        """Whether traced steps have a row for each example."""
        return self.trace in ("all", "examples")

    @property
    def traces_batches(self) -> bool:
        """Whether traced steps have a row for the batch."""
        return self.trace in ("all", "batches") and self.collects("batch_gradients")

    def sketch_of(self, elements: int) -> Sketch | None:
        """The sketch of a gradient of so many elements; None where it is recorded in full."""
        if self.sketch is None or elements <= self.sketch:
            return None
        return Sketch(self.sketch, self.sketch_nonzeros, self.sketch_seed)

    def choose(self, names: Iterable[str]) -> list[str]:
        """The layers to record among those that exist.

        Raises RecordingError where none matches, with the names that there are.
        """
        names = list(names)
        chosen = [
            name
            for name in names
            if (self.include is None or re.search(self.include, name))
            and not (self.exclude is not None and re.search(self.exclude, name))
        ]
        if not chosen:
            there = ", ".join(names[:40]) + (
                f" and {len(names) - 40} more" if len(names) > 40 else ""
            )
            raise RecordingError(
                f"layers: include={self.include!r}, exclude={self.exclude!r} leave none of the model's layers: "
                f"{there or 'it has none'}."
            )
        return chosen

    @classmethod
    def load(
        cls, config: Config | Mapping[str, Any] | str | os.PathLike[str] | None, **settings: Any
    ) -> Config:
        """Settings from code, a file and the environment, in this order.

        Raises RecordingError naming the key, what was expected and what was found.
        """
        values: dict[str, Any] = {}
        if isinstance(config, Config):
            values.update(dataclasses.asdict(config))
        elif isinstance(config, Mapping):
            values.update(_known(config, "config"))
        values.update(_known({k: v for k, v in settings.items() if v is not UNSET}, "Recorder"))
        files = [] if config is None or isinstance(config, (Config, Mapping)) else [config]
        if os.environ.get("PTOKEN_CONFIG"):
            files.append(os.environ["PTOKEN_CONFIG"])
        for file in files:
            values.update(_known(_read(file), os.fspath(file)))
        for name, text in os.environ.items():
            key = name.removeprefix("PTOKEN_").lower()
            if key == name.lower() or key in _OTHER_VARIABLES:
                continue
            if key in FIELDS:
                values[key] = _parsed(key, text)
            elif near := difflib.get_close_matches(key, FIELDS, 1, 0.75):
                # Others may have variables of this prefix; one that is nearly ours is a slip.
                raise RecordingError(
                    f"{name}: is no setting. Did you mean PTOKEN_{near[0].upper()}?"
                )
        return cls(**values)


UNSET: Any = object()
_OTHER_VARIABLES = ("config", "disable", "dry_run", "endpoint", "quiet", "record")
FIELDS = tuple(field.name for field in dataclasses.fields(Config))
_INTEGERS = {
    "every": (1, False), "start": (0, False), "end": (0, True), "log_spaced": (1, True), "probe_every": (1, False),
    "probe_log_spaced": (1, True), "sketch": (1, True), "sketch_nonzeros": (1, False), "sketch_seed": (0, False),
    "max_rows": (1, True), "seed": (0, False), "probe_rows": (1, True),
}  # fmt: skip
_LISTS = {"steps": int, "probe_steps": int, "collect": str, "reductions": str}
_TEXTS = {"include", "exclude", "on_full"}
_SIZES = {"budget": True, "queue": False}
_BOOLEANS = {"raw", "layers_frozen"}


def _fault(where: str, key: str, expected: str, found: Any) -> RecordingError:
    return RecordingError(f"{where}: {key}: expected {expected}, found {found!r}.")


def _converted(key: str, value: Any, where: str) -> Any:
    """A value of the right type; JSON has lists and no tuples, and one word stands for a list of one."""
    if key in _INTEGERS:
        least, optional = _INTEGERS[key]
        if value is None and optional:
            return None
        if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
            raise _fault(
                where,
                key,
                f"an integer of at least {least}" + (" or null" if optional else ""),
                value,
            )
        return int(value)
    if key in _LISTS:
        if value is None and key.endswith("steps"):
            return None
        kind = _LISTS[key]
        if isinstance(value, kind) and not isinstance(value, bool):
            value = (value,)
        try:
            items = tuple(value)
        except TypeError:
            items = (None,)
        if any(isinstance(item, bool) or not isinstance(item, kind) for item in items):
            raise _fault(where, key, f"a list of {'integers' if kind is int else 'words'}", value)
        return items
    if key in _SIZES:
        return None if value is None and _SIZES[key] else _size(value, key, where)
    if key in _BOOLEANS:
        if not isinstance(value, bool):
            raise _fault(where, key, "true or false", value)
        return value
    if key == "block_seconds":
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0
        ):
            raise _fault(where, key, "seconds", value)
        return value
    if value is None and key in _TEXTS:
        return None
    if not isinstance(value, str):
        raise _fault(where, key, "text", value)
    return value


def _size(value: Any, key: str, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = (
        re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?)B?\s*", value, re.I)
        if isinstance(value, str)
        else None
    )
    if not match or float(match[1]) == 0:
        raise _fault(where, key, "a size such as 500MB or 2GB", value)
    return int(float(match[1]) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}[match[2].lower()])


def _check(config: Config) -> None:
    for key, words in (("collect", KINDS), ("reductions", REDUCTIONS)):
        for word in getattr(config, key):
            if word not in words:
                raise _fault("config", key, "some of " + ", ".join(words), word)
    for key, words in (
        ("dtype", DTYPES),
        ("trace", ("all", "examples", "batches", "none")),
        ("on_full", (None, "drop", "block")),
    ):
        if getattr(config, key) not in words:
            raise _fault(
                "config", key, " or ".join(word for word in words if word), getattr(config, key)
            )
    if config.sketch_nonzeros > 16:
        raise _fault("config", "sketch_nonzeros", "1 to 16", config.sketch_nonzeros)
    for key in ("include", "exclude"):
        try:
            re.compile(getattr(config, key) or "")
        except re.error as error:
            raise _fault(
                "config", key, f"a regular expression ({error})", getattr(config, key)
            ) from None
    if not config.raw and not config.reductions and "gradients" in config.collect:
        raise _fault("config", "raw", "true where there are no reductions", False)


def _known(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values, if their keys are ours; each converted so that a fault names where it stands."""
    for key in values:
        if key not in FIELDS:
            near = difflib.get_close_matches(str(key), FIELDS, 1)
            raise RecordingError(
                f"{where}: expected a setting of ptoken, found {key!r}."
                + (f" Did you mean {near[0]}?" if near else f" Settings: {', '.join(FIELDS)}.")
            )
    return {key: _converted(key, value, where) for key, value in values.items()}


def _read(file: str | os.PathLike[str]) -> Mapping[str, Any]:
    try:
        with open(file, encoding="utf-8") as stream:
            values = json.load(stream)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{os.fspath(file)}: cannot read settings: {error}.") from None
    if not isinstance(values, dict):
        raise RecordingError(f"{os.fspath(file)}: expected a JSON object of settings.")
    return values


def _parsed(key: str, text: str) -> Any:
    """A value of the environment: JSON where it is some, words otherwise."""
    where = f"PTOKEN_{key.upper()}"
    if key in _LISTS:
        words: list[Any] = [word for word in re.split(r"[,\s]+", text.strip("[] ")) if word]
        if _LISTS[key] is int:
            if not all(re.fullmatch(r"\d+", word) for word in words):
                raise _fault(where, key, "integers with commas", text)
            words = [int(word) for word in words]
        return _converted(key, words, where)
    lowered = text.strip().lower()
    if lowered in ("none", "null", ""):
        return _converted(key, None, where)
    if key in _BOOLEANS:
        if lowered not in ("1", "0", "true", "false", "yes", "no"):
            raise _fault(where, key, "true or false", text)
        return lowered in ("1", "true", "yes")
    if key in _INTEGERS or key == "block_seconds":
        try:
            return _converted(key, json.loads(text), where)
        except ValueError:
            raise _fault(where, key, "a number", text) from None
    return _converted(key, text, where)
