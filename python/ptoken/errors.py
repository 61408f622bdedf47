"""What a refused file is refused with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class FormatError(ValueError):
    """A file that breaks the specification. As text, one line:

    ``run.h5:/tables/T0000@unit: expected example, batch or client, found 'rows' [R-032]``
    """

    def __init__(self, file: str, object: str, problem: str, requirement: str):
        super().__init__(file, object, problem, requirement)
        self.file, self.object, self.problem, self.requirement = self.args

    def __str__(self) -> str:
        return f"{self.file}:{self.object}: {self.problem} [{self.requirement}]"


@dataclass(frozen=True)
class Place:
    """An object of a file, as errors name it."""

    file: str
    path: str = "/"

    def __truediv__(self, name: str) -> Place:
        return Place(self.file, f"{self.path.rstrip('/')}/{name}")

    def error(self, problem: str, requirement: str, attribute: str = "") -> FormatError:
        at = f"@{attribute}" if attribute else ""
        return FormatError(self.file, self.path + at, problem, requirement)

    @contextmanager
    def reading(self, requirement: str, attribute: str = "") -> Iterator[None]:
        """Turns what h5py raises on damaged files into a `FormatError`."""
        try:
            yield
        except FormatError:
            raise
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError) as error:
            problem = f"cannot be read: {shown(str(error), 200)}"
            raise self.error(problem, requirement, attribute) from error


def shown(value: object, most: int = 60) -> str:
    """A value from a file, escaped and cut for a message of one line (R-074)."""
    text = ascii(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def listed(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
