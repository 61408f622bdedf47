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

from .connection import Connection
from .errors import RecordingError


class Recording:
    """A connection, and the recorder's process where we started it."""

    def __init__(
        self, connection: Connection, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.connection = connection
        self.process = process

    def wait(self, timeout: float) -> None:
        """Waits for a recorder that we started."""
        if self.process is not None:
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.terminate()


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
        return Recording(Connection(_connect(endpoint), warn=warn))
    if not given:
        raise RecordingError(
            "no recorder: expected a file to write, as in Recorder('run.h5'), or to be run by "
            "'ptoken-record run.h5 -- python train.py'."
        )
    return _start(given, options, warn)


def _connect(endpoint: str) -> socket.socket:
    kind, _, where = endpoint.partition(":")
    try:
        if kind == "fd":
            return socket.socket(fileno=int(where))
        if kind == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(10)
            sock.connect(where)
            return sock
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{endpoint}: cannot reach the recorder: {error}. Is it still running? Unset PTOKEN_ENDPOINT otherwise."
        ) from None
    raise RecordingError(f"expected an endpoint unix:PATH or fd:NUMBER, found {endpoint!r}.")


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


def _start(path: str, options: Sequence[str], warn: Callable[[str], None]) -> Recording:
    program = find_recorder()
    ours, theirs = socket.socketpair()
    said = tempfile.TemporaryFile()
    try:
        process = subprocess.Popen(
            [program, "listen", path, "--fd", str(theirs.fileno()), "--quiet", *options],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Ctrl-C on the terminal is for training, which then says bye.
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise RecordingError(f"{program}: cannot run: {error}.") from None
    finally:
        theirs.close()
    try:
        return Recording(Connection(ours, warn=warn), process)
    except RecordingError as error:
        ours.close()
        process.wait(10)
        message = _last_line(said)
        raise RecordingError(message.removeprefix("error: ") if message else str(error)) from None


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(65536).decode(errors="replace").splitlines()
    return next((line for line in lines if line.startswith("error: ")), lines[-1] if lines else "")
