"""What is said about a run and its steps, checked where it is said: a recorder would refuse it much later."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import _rules
from ..errors import FormatError, Place
from .errors import RecordingError

_WORDS = {
    "model_mode": ("unknown", "evaluation", "training"),
    "dropout": ("unknown", "inactive", "active"),
    "batch_norm": ("unknown", "running", "batch"),
}
_COUNTS = ("accumulation", "participants")
_NUMBERS = ("epoch", "time", "learning_rate", "loss_scale")
STEP_KEYS = (*_NUMBERS, *_COUNTS, *_WORDS)


def step_description(description: Mapping[str, Any]) -> dict[str, Any]:
    """What a user says about a step (spec/WIRE.md, W-20), as JSON has it; numbers that are none are left out.

    Raises RecordingError naming the key, what was expected and what was found.
    """
    said: dict[str, Any] = {}
    for key, value in description.items():
        if key not in STEP_KEYS:
            near = nearest(key, ("inputs", "labels", "record_ids", "loss", "index", *STEP_KEYS))
            raise RecordingError(
                f"step: expected inputs, labels, record_ids, loss, index, {', '.join(STEP_KEYS)}; found {key!r}.{near}"
            )
        if value is None:
            continue
        if key in _WORDS:
            if value not in _WORDS[key]:
                raise _fault(key, " or ".join(_WORDS[key]), value)
            said[key] = value
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise _fault(key, "a number", value) from None
        if key in _COUNTS:
            if not (number.is_integer() and 0 <= number < 2**32):
                raise _fault(key, "an integer from 0 to 4294967295", value)
            said[key] = int(number)
        elif np.isfinite(number):
            said[key] = number
    return said


def _fault(key: str, expected: str, found: Any) -> RecordingError:
    return RecordingError(f"step: {key}: expected {expected}, found {_short(found)}.")


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean ...?`, or nothing where no word is near."""
    found = difflib.get_close_matches(word, words, 1)
    return f" Did you mean {found[0]}?" if found else ""


def description(what: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A `model`, `training` or `observer` as JSON has it; numbers of numpy become plain ones.

    Raises RecordingError for what JSON cannot say, and for keys of another type than R-011, R-012 and R-016 ask for.
    """
    if value is not None and not isinstance(value, Mapping):
        raise RecordingError(
            f"{what}: expected a dict of what JSON can say, found {_short(value)}."
        )
    try:
        said = json.loads(json.dumps(dict(value or {}), default=_plain, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordingError(
            f"{what}: expected what JSON can say, found other: {error}. Pass numbers, text, lists and dicts of them."
        ) from None
    place = Place(what, "")
    try:
        if what == "training":
            _rules.check_keys(said, place, "R-012", {}, _rules.TRAINING)
            for key in ("dp_sgd", "probe_observer"):
                if key in said:
                    _rules.check_keys(said[key], place, "R-012", _rules.PRIVACY)
        elif what == "observer":
            _rules.check_keys(said, place, "R-016", {}, _OBSERVER)
        elif what == "model":
            _rules.check_keys(said, place, "R-011", {}, _MODEL)
    except FormatError as error:
        raise RecordingError(f"{what}: {error.problem} [{error.requirement}].") from None
    return said


_AGGREGATIONS = ("none", "batch", "client", "sum")
_OBSERVER = {
    "role": _rules.TEXT,
    "layers": _rules.Kind(
        "'all' or names of layers", lambda x: x == "all" or _rules.TEXTS.holds(x)
    ),
    "aggregation": _rules.Kind("none, batch, client or sum", lambda x: x in _AGGREGATIONS),
}
_MODEL = {"name": _rules.TEXT, "layers": _rules.ARRAY, "parameters": _rules.COUNT}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {_short(value)}")
