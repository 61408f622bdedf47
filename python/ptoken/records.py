"""What an analysis is made of: layers, windows, cells and figures, as plain records."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    import pandas as pd

Record = TypeVar("Record")


@dataclass(frozen=True)
class Layer:
    """A gradient layer. Two may share a name: the same layer in different tables or stages."""

    index: int
    name: str
    stage: str
    """`raw`, `clipped`, `noised`, `averaged` or `delta`."""
    parameters: int
    """Numbers of one row's gradient before any sketch."""
    width: int
    """Numbers recorded per row."""


@dataclass(frozen=True)
class Window:
    """A stretch of training whose rows were analysed together."""

    index: int
    table: int
    """Number of the snapshot's table that the rows came from."""
    mode: str
    """`probe` (one step) or `trace` (steps grouped)."""
    first_step: int
    """Optimizer steps taken before its first step."""
    last_step: int
    epoch: float
    """Epochs trained at the first step; NaN if unknown."""
    loss: float
    """Mean of the steps' known losses, in the unit of the snapshot's; NaN if there are none."""
    rows: int
    """Observations, each of another record."""
    folds: int
    """Folds that the rows were split in, by record."""
    candidates: int
    """Records that a re-identification chose among."""
    label_entropy: float
    """Entropy of the labels, nats; NaN without labels."""
    label_chance: float
    """Share of the most frequent label; NaN without labels."""


@dataclass(frozen=True)
class Cell:
    """An analysed pair of layer and window."""

    layer: str
    layer_index: int
    window: int
    components: int
    """Components of the token."""
    kept_variance: float
    """Share of the gradient's variance that the token keeps, on held-out rows."""


@dataclass(frozen=True)
class Estimate:
    """One figure of a cell; all numbers but `p` and `map_p` are in `unit`."""

    layer: str
    stage: str
    layer_index: int
    window: int
    first_step: int
    last_step: int
    epoch: float
    measure: str
    """Such as `gaussian`, `donsker_varadhan`, `reidentification` (SPEC.md, R-087)."""
    unit: str
    """`nats` or `share`."""
    kind: str
    """`estimate`, `lower_bound` or `score`."""
    value: float
    """The figure; a negative one says that nothing was found."""
    standard_error: float
    """Standard error of `value`, clustered by record, or by step where steps are grouped."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    null_mean: float
    """Mean over mismatched pairings; NaN without a null."""
    null_deviation: float
    p: float
    """One-sided p-value of this figure alone; NaN without a null."""
    map_p: float
    """p-value against the largest figure of the whole map; NaN if not tested."""
    ceiling: float
    """Largest value that the figure could have shown; infinity if there is none."""
    rows: int
    """Held-out rows that it was evaluated on."""
    flags: tuple[str, ...]
    """Among `saturated`, `null_not_beaten`, `few_rows`, `heavy_tails`."""

    @property
    def bits(self) -> float:
        """`value` in bits; NaN for a figure that is not in nats."""
        return self.value / math.log(2) if self.unit == "nats" else math.nan


class Records(Sequence[Record], Generic[Record]):
    """A sequence of records of one type that can be filtered and made a data frame."""

    def __init__(self, records: Iterable[Record], kind: type[Record]):
        self._records = tuple(records)
        self._fields = tuple(field.name for field in dataclasses.fields(kind))
        self._kind = kind

    def where(self, **equal: Any) -> Records[Record]:
        """Those whose fields have the values given; a list or set allows any of its values.

        >>> analysis.estimates.where(measure={"gaussian", "ksg"}, layer="fc1")  # doctest: +SKIP
        """
        if unknown := equal.keys() - set(self._fields):
            raise TypeError(f"no field {min(unknown)!r} among {', '.join(self._fields)}")
        allowed = {
            name: value if isinstance(value, list | set | frozenset | range) else (value,)
            for name, value in equal.items()
        }
        found = (r for r in self if all(getattr(r, k) in any_ for k, any_ in allowed.items()))
        return Records(found, self._kind)

    def to_pandas(self) -> pd.DataFrame:
        """A `pandas.DataFrame` with one row per record and one column per field."""
        import pandas as pd

        columns = {name: [getattr(record, name) for record in self] for name in self._fields}
        return pd.DataFrame(columns)

    @overload
    def __getitem__(self, key: int) -> Record: ...
    @overload
    def __getitem__(self, key: slice) -> Records[Record]: ...
    def __getitem__(self, key: int | slice) -> Record | Records[Record]:
        found = self._records[key]
        return Records(found, self._kind) if isinstance(key, slice) else found

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<{len(self)} x {self._kind.__name__}: {', '.join(self._fields)}>"
