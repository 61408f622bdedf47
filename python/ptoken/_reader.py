"""What the readers of both formats share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import h5py

    from ._file import Group


class Reader(ABC):
    """An open file; close it, or use it as a context manager."""

    format: str
    """`@format` of the file."""
    path: str
    version: str
    """Version of the format, such as `1.0`."""

    def __init__(self, file: h5py.File, path: str, version: str, root: Group):
        self.path, self.version, self._file = path, version, file
        self._describe(root)

    @abstractmethod
    def _describe(self, root: Group) -> None:
        """Reads what the file says of itself."""

    def close(self) -> None:
        """Closes the file. Arrays that were read stay."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
