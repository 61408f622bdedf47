"""Rules of the specification that its schema cannot state. None of them reads rows of tables."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import Place, shown

if TYPE_CHECKING:
    from ._file import Dataset, Group

TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.A
)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Kind(NamedTuple):
    """What a JSON value must be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def _is_number(x: Any) -> bool:
    if isinstance(x, float):
        return math.isfinite(x)
    return isinstance(x, int) and not isinstance(x, bool)


def _is_integer(x: Any) -> bool:
    return _is_number(x) and x == int(x)


TEXT = Kind("a string", lambda x: isinstance(x, str))
NUMBER = Kind("a number", _is_number)
INTEGER = Kind("an integer", _is_integer)
COUNT = Kind("an integer of at least 0", lambda x: _is_integer(x) and x >= 0)
SHARE = Kind("a number from 0 to 1", lambda x: _is_number(x) and 0 <= x <= 1)
OBJECT = Kind("an object", lambda x: isinstance(x, dict))
ARRAY = Kind("an array", lambda x: isinstance(x, list))
TEXTS = Kind("an array of strings", lambda x: ARRAY.holds(x) and all(map(TEXT.holds, x)))

TRAINING = {
    **dict.fromkeys(("data", "optimizer", "sampling"), TEXT),
    **dict.fromkeys(("learning_rate", "epochs"), NUMBER),
    **dict.fromkeys(("batch_size", "seed"), COUNT),
    **dict.fromkeys(("dp_sgd", "probe_observer", "federated"), OBJECT),
    "sampling_rate": SHARE,
}
PRIVACY = {
    "clip": Kind("a number above 0", lambda x: _is_number(x) and x > 0),
    "noise_multiplier": Kind("a number of at least 0", lambda x: _is_number(x) and x >= 0),
}
_FEDERATED = {"clients_per_round": INTEGER, "local_steps": INTEGER, "aggregation": TEXT}
_CLIENTS = {"clients": Kind("an integer of at least 1", lambda x: _is_integer(x) and x >= 1)}
_RUN = dict.fromkeys(("id", "created", "producer", "status", "model", "training"), TEXT)
_PROVENANCE = {
    **dict.fromkeys(("input", "version"), TEXT),
    "inputDigest": Kind(
        "64 lower-case hexadecimal digits",
        lambda x: TEXT.holds(x) and re.fullmatch("[0-9a-f]{64}", x) is not None,
    ),
    "libraries": Kind(
        "an object of strings", lambda x: OBJECT.holds(x) and all(map(TEXT.holds, x.values()))
    ),
    "settings": OBJECT,
}


def parse(
    text: str | bytes, place: Place, requirement: str, kind: Kind, attribute: str = ""
) -> Any:
    """A JSON text (RFC 8259) of a kind."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        text = text.decode() if isinstance(text, bytes) else text
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise place.error(f"is not JSON in UTF-8: {error}", requirement, attribute) from error
    if not kind.holds(value):
        raise place.error(f"expected {kind.words}", requirement, attribute)
    return value


def check_text(place: Place, text: str, pattern: re.Pattern, requirement: str, name: str) -> None:
    if not pattern.fullmatch(text) or (pattern is TIME and not _is_date(text)):
        raise place.error(f"is malformed: {shown(text)}", requirement, name)


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def model(data: Dataset) -> dict:
    """`/model` (R-011)."""
    value = parse(data.read().tobytes(), data.place, "R-010", OBJECT)
    check_keys(value, data.place, "R-011", {"name": TEXT, "layers": ARRAY, "parameters": COUNT})
    layers = value["layers"]
    if len(layers) > 65_536:
        raise data.place.error(f"{len(layers)} layers, at most 65536", "R-011")
    for layer in layers:
        if not isinstance(layer, dict):
            raise data.place.error(f"layers: expected objects, found {shown(layer)}", "R-011")
        check_keys(layer, data.place, "R-011", {"name": TEXT, "parameters": COUNT})
    check_unique((layer["name"] for layer in layers), data.place, "layers", "R-011")
    if value["parameters"] < sum(layer["parameters"] for layer in layers):
        raise data.place.error("parameters: fewer than those of the layers", "R-011")
    return value


def training(data: Dataset) -> dict:
    """`/training` (R-012)."""
    value = parse(data.read().tobytes(), data.place, "R-010", OBJECT)
    check_keys(value, data.place, "R-012", {}, TRAINING)
    for key in ("dp_sgd", "probe_observer"):
        if key in value:
            check_keys(value[key], data.place, "R-012", PRIVACY, {"delta": NUMBER})
    if "federated" in value:
        check_keys(value["federated"], data.place, "R-012", _CLIENTS, _FEDERATED)
    return value


def observer(data: Dataset, layers: set[str]) -> dict:
    """`/observer` (R-016)."""
    value = parse(data.read().tobytes(), data.place, "R-010", OBJECT)
    words = ("none", "batch", "client", "sum")
    aggregation = Kind("none, batch, client or sum", lambda x: x in words)
    seen = Kind(
        "'all' or names of layers", lambda x: x == "all" or (TEXTS.holds(x) and layers >= set(x))
    )
    required = {"role": TEXT, "layers": seen, "aggregation": aggregation}
    check_keys(value, data.place, "R-016", required)
    return value


def schema(data: Dataset, published: bytes, newer: bool) -> None:
    """`/schema` (R-015)."""
    if not newer and data.read().tobytes() != published:
        raise data.place.error("is not the schema of this version", "R-015")


def sessions(group: Group, steps: int) -> None:
    """`/sessions` (R-018)."""
    first, started = group["first_step"].read(), group["started"]
    if not len(first) or first[0] or (first[1:] < first[:-1]).any() or first[-1] > steps:
        problem = f"must ascend from 0 to at most {steps}, found {shown(first.tolist())}"
        raise group["first_step"].place.error(problem, "R-018")
    for row in started.read():
        check_text(started.place, row.tobytes().decode("latin-1"), TIME, "R-018", "")


def table(group: Group) -> dict | None:
    """A table; returns its schedule (R-090, R-093, R-094)."""
    unit, schedule = group.attributes["unit"], group.attributes["schedule"]
    observations = group["observations"]
    for owner, name, units, requirement in (
        (group, "members", ("batch", "client"), "R-090"),
        (observations, "weight", ("batch", "client"), "R-093"),
        (observations, "local_steps", ("client",), "R-093"),
    ):
        if name in owner.objects and unit not in units:
            raise owner[name].place.error(f"is not for tables of unit {unit}", requirement)
    if schedule is None:
        return None
    value = parse(schedule, group.place, "R-094", OBJECT, "schedule")
    check_keys(value, group.place, "R-094", {}, dict.fromkeys(("every", "start", "end"), INTEGER))
    return value


def stream(data: Dataset, layers: set[str]) -> None:
    """A stream's attributes against its shape (R-044, R-045, R-049, R-060, R-066)."""
    found, place, width = data.attributes, data.place, data.shape[1]
    size = math.prod(found["shape"])
    if not found["shape"] or min(found["shape"]) < 1 or size > 2**40:
        raise place.error(f"not a shape: {list(found['shape'])}", "R-044", "shape")
    if found["sketch"] == "none":
        if width != size:
            problem = f"expected {width} numbers a row, found {list(found['shape'])}"
            raise place.error(problem, "R-044", "shape")
    elif found["kind"] == "label":
        raise place.error("labels are never sketched", "R-066", "sketch")
    elif not (1 <= width <= size and 1 <= found["sketch_nonzeros"] <= 16):
        problem = f"no sketch of {size} numbers: width {width}, {found['sketch_nonzeros']} nonzeros"
        raise place.error(problem, "R-060", "sketch")
    if found["kind"] != "gradient":
        return
    if found["layer"] not in layers:
        raise place.error(f"{shown(found['layer'])} is no layer of /model", "R-045", "layer")
    clip, noise = found["clip_norm"], found["noise_multiplier"]
    if clip is not None and not 0 < clip < math.inf:
        raise place.error(f"expected a number above 0, found {clip}", "R-049", "clip_norm")
    if noise is not None and (clip is None or not 0 <= noise < math.inf):
        problem = f"expected a number of at least 0 beside clip_norm, found {noise}"
        raise place.error(problem, "R-049", "noise_multiplier")


def run(data: Dataset) -> dict:
    """`/run` of an analysis (R-081)."""
    return _object(data, _RUN)


def provenance(data: Dataset) -> dict:
    """`/provenance` of an analysis (R-081)."""
    return _object(data, _PROVENANCE)


def warnings(data: Dataset) -> list[str]:
    """`/warnings` of an analysis (R-081)."""
    return parse(data.read().tobytes(), data.place, "R-081", TEXTS)


def check_unique(names: Iterable[str], place: Place, what: str, requirement: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise place.error(f"{what}: {shown(name)} is there twice", requirement)
        seen.add(name)


def _object(data: Dataset, required: dict[str, Kind]) -> dict:
    value = parse(data.read().tobytes(), data.place, "R-081", OBJECT)
    check_keys(value, data.place, "R-081", required)
    return value


def check_keys(
    value: dict,
    place: Place,
    requirement: str,
    required: dict[str, Kind],
    optional: dict[str, Kind] | None = None,
) -> None:
    for key, kind in (required | (optional or {})).items():
        if key not in value:
            if key in required:
                raise place.error(f"key {key} is missing", requirement)
        elif not kind.holds(value[key]):
            problem = f"{key}: expected {kind.words}, found {shown(value[key])}"
            raise place.error(problem, requirement)
