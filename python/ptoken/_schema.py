"""Opens the objects of a file that its schema (spec/schema) names, checked, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import h5py

from . import _file
from .errors import Place, shown

Lengths = dict[str, "int | None"]
_KINDS = ("gradient", "feature", "label", "scalar")


def load(
    file: h5py.File, place: Place, schema: dict, *, newer: bool, later: str = ""
) -> _file.Group:
    """Opens a file as a tree of groups and datasets.

    `newer` says that the file is of a newer minor version than the schema: streams of unknown
    letter or kind are then passed over (R-008). Numbered groups of the letter `later` are not
    opened yet: in their place stands a function that does it.
    """
    return _Loader(schema, newer, later).group(file, place, schema["root"], {})


class _Loader:
    def __init__(self, schema: dict, newer: bool, later: str):
        self.most = schema["dimensions"]
        self.json_bytes = schema["storage"]["json_bytes"]
        self.stray_link = schema["storage"]["links"]["requirement"]
        # groups of numbered objects are closed in snapshots only.
        self.closed = schema["format"] == "ptoken-snapshot"
        self.newer, self.later = newer, later

    def group(self, group: h5py.Group, place: Place, node: dict, lengths: Lengths) -> _file.Group:
        if bound := node.get("dimensions"):
            lengths = lengths | dict.fromkeys(bound)
        attributes = self.attributes(group, place, node)
        with place.reading(node["requirement"]):
            links = _file.links(group)
        nodes = dict(node.get("objects", {}))
        nodes |= self.numbered(links, place, node)
        objects = {}
        for name, child in nodes.items():
            opened = partial(
                self.object, group, name, place / name, child, links.pop(name, None), lengths
            )
            objects[name] = opened if name[0] == self.later else opened()
        if soft := [name for name, hard in links.items() if not hard]:
            raise place.error(f"link {shown(soft[0])} is not a hard link", self.stray_link)
        objects = {name: found for name, found in objects.items() if found is not None}
        return _file.Group(place, attributes, objects)

    def object(
        self,
        parent: h5py.Group,
        name: str,
        place: Place,
        node: dict,
        hard: bool | None,
        lengths: Lengths,
    ) -> _file.Group | _file.Dataset | None:
        absent = node.get("absent", node["requirement"])
        if hard is None:
            if node.get("optional"):
                return None
            raise place.error("is missing", absent)
        if not hard:
            raise place.error("is a soft, external or user-defined link", absent)
        with place.reading(node["requirement"]):
            found = parent[name]
        wanted = "group" if node["kind"] == "group" else "dataset"
        if not isinstance(found, h5py.Group if wanted == "group" else h5py.Dataset):
            raise place.error(f"expected a {wanted}", absent)
        load = self.group if wanted == "group" else self.dataset
        return load(found, place, node, lengths)

    def dataset(
        self, data: h5py.Dataset, place: Place, node: dict, lengths: Lengths
    ) -> _file.Dataset | None:
        requirement = node["requirement"]
        if node["kind"] == "json":
            node = node | {"type": "uint8", "shape": ["*bytes"]}
        if self.newer and self.is_unknown(data, place, node):
            return None
        names = node["shape"]
        shape = [n if isinstance(n, int) else lengths.get(n) for n in names]
        with place.reading(requirement):
            _file.dataset(data, place, requirement, node["type"], shape)
            for name, length in zip(names, data.shape, strict=True):
                if name in lengths:
                    lengths[name] = length
                self.check_length(place, str(name), length)
            if node["kind"] == "json" and data.shape[0] > self.json_bytes:
                raise place.error(f"{data.shape[0]} bytes, at most 16 MiB", requirement)
            return _file.Dataset(data, place, self.attributes(data, place, node))

    def check_length(self, place: Place, name: str, length: int) -> None:
        name = name.removeprefix("*")
        if (limit := self.most.get(name)) and length > limit["most"]:
            problem = f"{name}: {length}, at most {limit['most']}"
            raise place.error(problem, limit["requirement"])

    def attributes(
        self, owner: h5py.Group | h5py.Dataset, place: Place, node: dict
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, spec in node.get("attributes", {}).items():
            when = spec.get("when", {})
            if any(found[other] != text for other, text in when.items()):
                continue
            found[name] = _file.attribute(owner, place, name, spec)
            if found[name] is None and not spec.get("optional"):
                raise place.error("is missing", spec["requirement"], name)
        return found

    def numbered(self, links: dict, place: Place, node: dict) -> Iterator[tuple[str, dict]]:
        """Name and schema of each numbered object of a group, by number."""
        if "numbered" not in node:
            return
        spec = node["numbered"]
        letters, requirement = spec["objects"], spec["requirement"]
        if len(links) > spec["most"] and self.closed:
            raise place.error(f"{len(links)} objects, at most {spec['most']}", requirement)
        any_letter = self.newer and requirement == "R-040"
        found: dict[int, str] = {}
        for name in links:
            match = re.fullmatch(r"([A-Z])([0-9]{4,9})", name)
            number = int(match[2]) if match and (any_letter or match[1] in letters) else None
            if number is not None and name[1:] == f"{number:04d}":
                if number in found:
                    raise place.error(f"number {number} is there twice", requirement)
                found[number] = name
            elif self.closed:
                raise (place / shown(name)[1:-1]).error("does not belong here", requirement)
        if not spec.get("sparse") and found and max(found) != len(found) - 1:
            gap = next(i for i in range(len(found)) if i not in found)
            raise place.error(f"number {gap} is missing", requirement)
        for _, name in sorted(found.items()):
            if name[0] in letters:
                yield name, letters[name[0]]

    def is_unknown(self, data: h5py.Dataset, place: Place, node: dict) -> bool:
        """Whether a stream is of a kind that this version does not know."""
        spec = node.get("attributes", {}).get("kind")
        if spec is None:
            return False
        kind = _file.attribute(data, place, "kind", {k: spec[k] for k in ("type", "requirement")})
        return kind is not None and kind not in _KINDS
