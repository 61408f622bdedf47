"""What a recorder is told of a run before its first step (spec/WIRE.md, W-10)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from . import checks
from .config import Config
from .rows import RowBuilder
from .tables import Table

_OBSERVER = {"role": "reader of per-example gradients", "layers": "all", "aggregation": "none"}


class Run:
    """Model, training and observer of a run, and the place of this process in it."""

    def __init__(
        self,
        model: str | Mapping[str, Any],
        training: Mapping[str, Any] | None,
        observer: Mapping[str, Any] | None,
        loss_unit: str,
        rank: int,
        ranks: int,
    ) -> None:
        """Raises RecordingError for what JSON or the format cannot say."""
        named = {"name": model} if isinstance(model, str) else model
        self.model = checks.description("model", named)
        self._training = checks.description("training", training)
        self._observer = checks.description("observer", observer)
        self._loss_unit = loss_unit
        self.rank = rank
        self.ranks = ranks
        self.id: str | None = None
        """UUID of the run, once it is known."""

    def hello(
        self, tables: list[Table], rows: RowBuilder, config: Config, method: dict[str, Any]
    ) -> dict[str, Any]:
        """The body of `hello`; layers that nobody named are those of the gradients."""
        from .. import __version__

        model = dict(self.model)
        layers = model.setdefault("layers", rows.layers(tables))
        model.setdefault("parameters", sum(layer["parameters"] for layer in layers))
        return {
            "protocol": "1.0",
            "producer": f"ptoken-python {__version__}",
            "rank": self.rank,
            "ranks": self.ranks,
            "run_id": self.id,
            "model": model,
            "training": self._training,
            "observer": {**_OBSERVER, **self._observer},
            "loss_unit": self._loss_unit,
            "has_trainable": config.layers_frozen,
            "tables": [table.describe() for table in tables],
            "capture": {**method, "dtype": config.dtype, "python": sys.version.split()[0]},
        }
