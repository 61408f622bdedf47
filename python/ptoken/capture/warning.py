"""Saying what went wrong, once each, without ever stopping training."""

from __future__ import annotations

import sys
import threading
import warnings

from .errors import RecordingWarning


class Warner:
    """Says each kind of thing once, and keeps what was said for the file."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._kinds: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, text: str, kind: str | None = None) -> None:
        """Warns, unless something of this kind was said before."""
        with self._lock:
            if (kind or text) in self._kinds:
                return
            self._kinds.add(kind or text)
            self.said.append(text)
        try:
            warnings.warn(f"ptoken: {text}", RecordingWarning, stacklevel=3)
        except RecordingWarning:
            # Warnings are errors in this process; ours must not end training.
            print(f"ptoken: {text}", file=sys.stderr)
