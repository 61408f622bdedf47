"""Where the recorder is: around us, at an address, or yet to be started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from .connection import Connection, Opener
from .errors import RecordingError


class Recording:
    """A connection, and the recorder's process where we started it."""

    def __init__(self, opener: Opener, warn: Callable[[str], None]) -> None:
        self._opener = opener
        self.connection = Connection(opener, warn=warn)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The recorder, where we started it."""
        return self._opener.process if isinstance(self._opener, Program) else None

    def wait(self, timeout: float) -> None:
        """Waits for a recorder that we started, and ends it after so many seconds."""
        if isinstance(self._opener, Program):
            self._opener.end(timeout)


def open_recording(
    target: str | os.PathLike[str] | None,
    *,
    options: Sequence[str] = (),
    warn: Callable[[str], None],
) -> Recording:
    """Connects to the recorder around us, or at an address; or starts one that writes a file.

    `options` are those of `ptoken-record listen`, for a recorder that is started. Raises RecordingError.
    """
    endpoint = os.environ.get("PTOKEN_ENDPOINT")
    given = os.fspath(target) if target is not None else None
    if not endpoint and given and given.startswith(("unix:", "fd:")):
        endpoint = given
    if endpoint:
        return Recording(Address(endpoint), warn)
    if not given:
        raise RecordingError(
            "no recorder: expected a file to write, as in Recorder('run.h5'), or to be run by "
            "'ptoken-record run.h5 -- python train.py'."
        )
    return Recording(Program(given, options), warn)


class Address(Opener):
    """A recorder at `unix:PATH` or `fd:NUMBER`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._kind, _, self._where = endpoint.partition(":")
        self.can_reopen = self.is_cheap = self._kind == "unix"

    def open(self) -> socket.socket:
        """Connects, or takes over what was inherited."""
        try:
            if self._kind == "fd":
                sock = socket.socket(fileno=int(self._where))
                # Programs that training starts have no part in it, and would keep it open.
                sock.set_inheritable(False)
                return sock
            if self._kind == "unix":
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.settimeout(10)
                sock.connect(self._where)
                return sock
        except (OSError, ValueError) as error:
            raise RecordingError(
                f"{self._endpoint}: cannot reach the recorder: {error}. Is it still running? Unset PTOKEN_ENDPOINT otherwise."
            ) from None
        raise RecordingError(
            f"expected an endpoint unix:PATH or fd:NUMBER, found {self._endpoint!r}."
        )


class Program(Opener):
    """A recorder of our own, started for one file."""

    def __init__(self, path: str, options: Sequence[str]) -> None:
        self._program = find_recorder()
        self._arguments = ["listen", path, "--quiet", *options]
        self._said: IO[bytes] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def open(self) -> socket.socket:
        """Starts `ptoken-record listen`, with a socket that it inherits."""
        # One that we hung up on has nothing left to do.
        self.end(2)
        ours, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                [self._program, *self._arguments, "--fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                # Ctrl-C on the terminal is for training, which then says bye.
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self.end(0)
            raise RecordingError(f"{self._program}: cannot run: {error}.") from None
        finally:
            theirs.close()
        return ours

    def explain(self, error: RecordingError) -> str:
        """What it said on standard error, and how it ended."""
        status = self._ended(2)
        message = self._last_line().removeprefix("error: ") or str(error)
        self.end(0)
        if status == _CANNOT_WRITE:
            return message
        how = "was ended" if status is None else f"ended with status {status}"
        return f"{message.rstrip('.')} ({self._program} {how})."

    def end(self, seconds: float) -> None:
        """Waits so long for the recorder to end, then ends it; its journal keeps what was committed."""
        if self.process is not None:
            self._ended(seconds)
        if self._said is not None:
            self._said.close()
            self._said = None

    def _ended(self, seconds: float) -> int | None:
        """Its status; None where we ended it."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return None

    def _last_line(self) -> str:
        assert self._said is not None
        self._said.seek(0)
        lines = self._said.read(65536).decode(errors="replace").splitlines()
        return next(
            (line for line in lines if line.startswith("error: ")), lines[-1] if lines else ""
        )


_CANNOT_WRITE = 2
"""Exit status of a recorder that cannot write its file; it has said why."""


def find_recorder() -> str:
    """The program `ptoken-record`: `PTOKEN_RECORD`, or on the PATH, or built beside this package."""
    named = os.environ.get("PTOKEN_RECORD")
    if named:
        return named
    found = shutil.which("ptoken-record")
    if found:
        return found
    for folder in Path(__file__).resolve().parents:
        built = folder / ".build/release/ptoken-record"
        if built.exists():
            return str(built)
    raise RecordingError(
        "ptoken-record was not found: build it (scripts/demo does) and put it on the PATH, or name it in PTOKEN_RECORD."
    )
