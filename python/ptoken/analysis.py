"""The analysis file, `run.analysis.h5`: how much gradients say about the data."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _rules
from ._reader import Reader
from .columns import Columns
from .errors import shown
from .records import Cell, Estimate, Layer, Records, Window

if TYPE_CHECKING:
    from ._file import Dataset, Group

_MEASURES = (
    "gaussian",
    "donsker_varadhan",
    "ksg",
    "label",
    "label_accuracy",
    "reidentification",
    "recoverable_variance",
)
_FLAGS = ("saturated", "null_not_beaten", "few_rows", "heavy_tails")
_MODES = ("probe", "trace")


class Analysis(Reader):
    """An analysis, open for reading; made by `ptoken.open`.

    Windows, cells and estimates are read and checked when first asked for. Information is in
    nats, scores are shares, as stored; `Estimate.bits` converts.
    """

    format = "ptoken-analysis"

    producer: str
    """Software and version that wrote the file."""
    run: dict
    """The run analysed: `id`, `created`, `producer`, `status`; `model`, `training` as JSON text."""
    provenance: dict
    """What the figures came from: `input`, `inputDigest`, `version`, `libraries`, `settings`."""
    warnings: list[str]
    """What to know before believing a figure."""
    layers: Records[Layer]

    def _describe(self, root: Group) -> None:
        self.producer = root.attributes["producer"]
        self.run = _rules.run(root["run"])
        self.provenance = _rules.provenance(root["provenance"])
        self.warnings = _rules.warnings(root["warnings"])
        found = [group.attributes for group in root["layers"].objects.values()]
        self.layers = Records((Layer(i, **each) for i, each in enumerate(found)), Layer)
        self._root, self._opened = root, {}

        names = {k: v.split(",") for k, v in root["estimates"].attributes.items()}
        measures, units, kinds = names["measures"], names["units"], names["kinds"]
        place = root["estimates"].place
        if not len(measures) == len(units) == len(kinds):
            raise place.error("@measures, @units and @kinds differ in length", "R-087")
        _rules.check_unique(measures, place, "@measures", "R-087")
        self._measures = list(zip(measures, units, kinds, strict=True))
        self._flags = names["flags"]
        windows, groups = len(root["windows"]["table"]), len(root["rows"].objects)
        if windows != groups:
            problem = f"expected {windows} groups, one per window, found {groups}"
            raise root["rows"].place.error(problem, "R-088")

    @cached_property
    def windows(self) -> Records[Window]:
        """The windows over training."""
        found = self._records("windows")
        self._check_below("windows", "mode", len(_MODES), "R-083")
        return Records(
            (Window(i, **(row | {"mode": _MODES[row["mode"]]})) for i, row in enumerate(found)),
            Window,
        )

    @cached_property
    def cells(self) -> Records[Cell]:
        """The analysed pairs of layer and window."""
        self._check_below("cells", "layer", len(self.layers), "R-085")
        self._check_below("cells", "window", len(self.windows), "R-085")
        found = [
            Cell(self.layers[row["layer"]].name, row.pop("layer"), **row)
            for row in self._records("cells")
        ]
        pairs = (f"layer {cell.layer_index}, window {cell.window}" for cell in found)
        _rules.check_unique(pairs, self._root["cells"].place, "cells", "R-084")
        return Records(found, Cell)

    @cached_property
    def estimates(self) -> Records[Estimate]:
        """The figures, those of measures that this version does not know passed over."""
        self._check_below("estimates", "cell", len(self.cells), "R-086")
        self._check_below("estimates", "measure", len(self._measures), "R-086")
        rows = self._records("estimates")
        pairs = (f"cell {row['cell']}, measure {row['measure']}" for row in rows)
        _rules.check_unique(pairs, self._root["estimates"].place, "figures", "R-086")
        known = [row for row in rows if self._measures[row["measure"]][0] in _MEASURES]
        return Records(map(self._estimate, known), Estimate)

    def rows(self, window: int) -> Columns:
        """The observations of a window.

        Columns: `record` uint8 `[rows, 16]`, `step` int64 (optimizer steps taken before), `fold`
        uint8 (the fold that held the row out).
        """
        group = self._window(window)
        return Columns({name: group[name] for name in ("record", "step", "fold")})

    def tokens(self, layer: str | int, window: int) -> np.ndarray:
        """Tokens of a cell, without noise, float32 `[rows, components]`.

        `layer` is a name or the index of a layer. `KeyError` if there is no such cell.
        """
        return self._cell(layer, window)["tokens"].read()

    def scores(self, layer: str | int, window: int, measure: str) -> np.ndarray:
        """What each row contributes to a figure, float64 `[rows]`, in the unit of the measure.

        Their mean is the figure's value. `KeyError` if the file does not have them.
        """
        found = self._cell(layer, window)
        stored = [name for name in found.objects if name != "tokens"]
        if measure not in stored:
            raise KeyError(f"no scores of {measure!r} among {', '.join(stored) or 'none'}")
        return found[measure].read()

    def _estimate(self, row: dict[str, Any]) -> Estimate:
        cell = self.cells[row.pop("cell")]
        window = self.windows[cell.window]
        measure, unit, kind = self._measures[row.pop("measure")]
        bits = row.pop("flags")
        flags = (name for i, name in enumerate(self._flags) if bits >> i & 1 and name in _FLAGS)
        return Estimate(
            layer=cell.layer,
            stage=self.layers[cell.layer_index].stage,
            layer_index=cell.layer_index,
            window=cell.window,
            first_step=window.first_step,
            last_step=window.last_step,
            epoch=window.epoch,
            measure=measure,
            unit=unit,
            kind=kind,
            flags=tuple(flags),
            **row,
        )

    def _records(self, group: str) -> list[dict[str, Any]]:
        """The rows of a group of columns, as Python numbers."""
        columns = {name: data.read().tolist() for name, data in self._columns(group).items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _columns(self, group: str) -> dict[str, Dataset]:
        return self._root[group].objects

    def _check_below(self, group: str, column: str, limit: int, requirement: str) -> None:
        data = self._columns(group)[column]
        if len(data) and (largest := data.read().max()) >= limit:
            raise data.place.error(f"{largest} is not below {limit}", requirement)

    def _window(self, window: int) -> Group:
        """The rows of a window, opened and checked when first asked for (R-088)."""
        window = range(len(self.windows))[window]
        if not self._file:
            raise ValueError(f"{self.path} is closed")
        if window not in self._opened:
            group = self._root["rows"][f"W{window:04d}"]()
            found, expected = len(group["record"]), self.windows[window].rows
            if found != expected:
                raise group.place.error(f"expected {expected} rows, found {found}", "R-088")
            cells = {f"L{cell.layer_index:04d}": cell for cell in self.cells.where(window=window)}
            stored = {name: each for name, each in group.objects.items() if name[0] == "L"}
            if cells.keys() != stored.keys():
                problem = f"expected layers {shown(sorted(cells))}, found {shown(sorted(stored))}"
                raise group.place.error(problem, "R-088")
            for name, each in stored.items():
                width = each["tokens"].shape[1]
                if width != cells[name].components:
                    problem = f"expected {cells[name].components} components, found {width}"
                    raise each["tokens"].place.error(problem, "R-088")
            self._opened[window] = group
        return self._opened[window]

    def _cell(self, layer: str | int, window: int) -> Group:
        group = self._window(window)
        wanted = [
            each
            for each in self.layers
            if layer in (each.name, each.index) and f"L{each.index:04d}" in group.objects
        ]
        if len(wanted) != 1:
            indices = f" (layers {', '.join(str(each.index) for each in wanted)})" if wanted else ""
            raise KeyError(f"{len(wanted)} cells of layer {layer!r} in window {window}{indices}")
        return group[f"L{wanted[0].index:04d}"]

    def __repr__(self) -> str:
        windows, figures = (len(self._columns(g)["rows"]) for g in ("windows", "estimates"))
        return (
            f"<Analysis {self.path!r} of {shown(self.run['id'])}: {len(self.layers)} layers, "
            f"{windows} windows, {figures} figures>"
        )
