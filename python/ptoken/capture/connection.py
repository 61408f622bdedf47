"""The way to a recorder: a queue bounded in bytes, and a thread that sends what is in it."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import select
import socket
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from . import wire
from .errors import RecordingError
from .frames import Frame, Pool

_live: weakref.WeakSet[Connection] = weakref.WeakSet()


MOST_SILENT = 5.0
"""Seconds after a welcome in which a hello still comes in time; a recorder waits for 10."""


class Opener(ABC):
    """A way to a recorder."""

    can_reopen = True
    """Whether it can be taken again."""
    is_cheap = False
    """Whether it is as well taken again as held open until there is something to say."""

    @abstractmethod
    def open(self) -> socket.socket:
        """A connected socket. Raises RecordingError."""

    def explain(self, error: RecordingError) -> str:
        """What to say about a recorder that did not welcome us."""
        return str(error)


class Connection:
    """A recorder that steps are sent to, off the training thread.

    `send` copies nothing and never waits longer than it was told to. What goes wrong later is said once through `warn`,
    and from then on steps are only counted.
    """

    def __init__(self, opener: Opener, *, warn: Callable[[str], None], seconds: float = 10) -> None:
        """Opens a socket, and waits for the recorder's welcome.

        Raises RecordingError where it refuses, says nothing or is no recorder.
        """
        self._opener = opener
        self._socket = opener.open()
        self._warn = warn
        self._incoming = wire.Incoming()
        self.file: str | None = None
        """Name that the file will have, once the recorder has said so."""
        self.closed: dict[str, Any] | None = None
        """What the recorder said at the end."""
        self.is_active = True
        """Whether steps are still kept."""
        try:
            self.welcome = self._await_welcome(seconds)
        except RecordingError as error:
            self._socket.close()
            raise RecordingError(opener.explain(error)) from None
        if opener.is_cheap:
            self._socket.close()
        self._welcomed = time.monotonic()
        self.queue_bytes = 64 << 20
        try:
            self.on_full = str(self.welcome.get("on_full", "drop"))
            self.block_seconds = float(self.welcome.get("block_seconds", 1))
            self._most = int(self.welcome.get("max_frame", 1 << 28))
        except (TypeError, ValueError) as error:
            raise RecordingError(f"expected a recorder: in its welcome, {error}.") from None
        self.pool = Pool(1 << 26)
        self._condition = threading.Condition()
        self._queue: collections.deque[Frame] = collections.deque()
        self._waiting = 0
        self._is_idle = False
        # Bytes sent so far, and how many there were when a wait for room was last in vain.
        self._progress = 0
        self._stuck_at = -1
        self._number = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        _live.add(self)

    def _await_welcome(self, seconds: float) -> dict[str, Any]:
        self._socket.settimeout(seconds)
        try:
            while (message := self._incoming.next()) is None:
                piece = self._socket.recv(65536)
                if not piece:
                    raise RecordingError("the recorder ended before it said anything.")
                self._incoming.add(piece)
        except TimeoutError:
            raise RecordingError(
                f"expected a recorder's welcome within {seconds:g} s, found none."
            ) from None
        except (OSError, ValueError) as error:
            raise RecordingError(f"expected a recorder: {error}.") from None
        kind, body = message
        if kind == "refused":
            raise RecordingError(str(body.get("message", "the recorder refused")))
        if (
            kind != "welcome"
            or str(body.get("protocol", "")).split(".")[0] != wire.PROTOCOL.split(".")[0]
        ):
            raise RecordingError(
                f"expected a recorder of protocol {wire.PROTOCOL}, found {kind} {body.get('protocol')}. "
                "Use the ptoken-record that came with this package."
            )
        if not (_is_key(body.get("key")) and isinstance(body.get("run_id"), str)):
            raise RecordingError("expected a recorder: its welcome has no key or run_id.")
        return body

    @property
    def sent(self) -> int:
        """Steps handed over so far."""
        return self._number

    def begin(self, hello: dict[str, Any]) -> None:
        """Says hello, and starts the thread."""
        self._enqueue(Frame("hello", hello))
        self._thread = threading.Thread(target=self._run, name="ptoken sender", daemon=True)
        self._thread.start()

    def send(self, frame: Frame, patience: float = 0) -> bool:
        """Queues a step; False where it was dropped instead, because the queue is full or the recorder gone.

        `patience` is how many seconds it waits for room at least, whatever the policy.
        """
        if not self.is_active:
            return False
        if frame.size + 65536 > self._most:
            self._warn(
                f"a step of {frame.size} bytes is more than the recorder takes ({self._most}) and was dropped. "
                "Give ptoken-record a larger --queue, or set max_rows or sketch."
            )
            return False
        with self._condition:
            # A recorder that took nothing since a wait in vain is stuck: no further patience, unless to block was asked for.
            if self._progress == self._stuck_at:
                patience = 0
            if self.on_full == "block":
                patience = max(patience, self.block_seconds)
            if not self._has_room(frame) and patience > 0:
                end = time.monotonic() + patience
                while not self._has_room(frame) and (left := end - time.monotonic()) > 0:
                    self._condition.wait(left)
                if not self._has_room(frame):
                    self._stuck_at = self._progress
            if not self._has_room(frame) or not self.is_active:
                return False
            frame.body["number"] = self._number
            self._number += 1
            is_idle = self._append(frame)
        if is_idle:
            self._wake()
        return True

    def _has_room(self, frame: Frame) -> bool:
        # At least one step always fits.
        return (
            not self._waiting
            or self._waiting + frame.size + frame.kept <= self.queue_bytes
            or not self.is_active
        )

    def _append(self, frame: Frame) -> bool:
        """Queues a frame, under the lock; whether the thread must be woken for it."""
        self._queue.append(frame)
        self._waiting += frame.size + frame.kept
        is_idle, self._is_idle = self._is_idle, False
        return is_idle

    def _enqueue(self, frame: Frame) -> None:
        with self._condition:
            self._append(frame)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"\0")

    def close(self, body: dict[str, Any], timeout: float) -> dict[str, Any] | None:
        """Says bye after all that is queued; what the recorder answered, or None where it could not be reached."""
        if self._thread is None:
            self._hang_up()
            return None
        if not self._ended.is_set():
            self._enqueue(Frame("bye", body))
            if not self._ended.wait(timeout):
                self._fail(f"the recorder did not finish within {timeout:g} s")
        self._thread.join(5)
        self._hang_up()
        return self.closed

    def _hang_up(self) -> None:
        self.is_active = False
        for descriptor in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._wake_read = self._wake_write = -1
        self._socket.close()
        self.pool.clear()
        _live.discard(self)

    # The thread.

    def _run(self) -> None:
        try:
            is_late = time.monotonic() - self._welcomed > MOST_SILENT
            if self._opener.is_cheap or (self._opener.can_reopen and is_late):
                self._reconnect()
            self._pump()
        except RecordingError as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(
                f"the recorder is gone ({error})" if isinstance(error, OSError) else repr(error)
            )
        finally:
            self._ended.set()

    def _reconnect(self) -> None:
        """Begins anew with a recorder that has waited long for its hello, and hangs up on who does (W-06).

        Training may take minutes until its first recorded step. Run and key stay those of the first welcome.
        """
        self._socket.close()
        self._incoming = wire.Incoming()
        self._socket = self._opener.open()
        try:
            self._await_welcome(10)
        except RecordingError as error:
            raise RecordingError(self._opener.explain(error)) from None

    def _pump(self) -> None:
        self._socket.setblocking(False)
        frame: Frame | None = None
        pieces: list[memoryview] = []
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        poll.register(self._socket, select.POLLIN)
        while not self._ended.is_set():
            if not pieces:
                frame, pieces = self._next(frame)
            events = select.POLLIN | (select.POLLOUT if pieces else 0)
            poll.modify(self._socket, events)
            for descriptor, event in poll.poll():
                if descriptor == self._wake_read:
                    with contextlib.suppress(OSError):
                        os.read(self._wake_read, 65536)
                    continue
                if (
                    event & (select.POLLIN | select.POLLHUP | select.POLLERR)
                    and not self._receive()
                ):
                    return
                if event & select.POLLOUT and pieces:
                    with contextlib.suppress(BlockingIOError):
                        sent = self._socket.sendmsg(pieces)
                        self._progress += sent
                        _advance(pieces, sent)

    def _next(self, done: Frame | None) -> tuple[Frame | None, list[memoryview]]:
        """Gives back what was sent, and takes the next frame."""
        with self._condition:
            if done is not None:
                self._waiting -= done.size + done.kept
                if done.buffer is not None:
                    done.tensors.clear()
                    self.pool.give(done.buffer)
                self._condition.notify_all()
            self._is_idle = not self._queue
            if self._is_idle:
                return None, []
            frame = self._queue.popleft()
        frame.prepare()
        pieces = [memoryview(wire.head(frame.message, frame.body, frame.tensors))]
        if frame.buffer is not None:
            pieces.append(memoryview(frame.buffer)[: frame.size])
        return frame, [piece for piece in pieces if len(piece)]

    def _receive(self) -> bool:
        """Takes in what the recorder says; False where that was its last word."""
        try:
            piece = self._socket.recv(65536)
        except BlockingIOError:
            return True
        if not piece:
            self._fail("the recorder is gone")
            return False
        self._incoming.add(piece)
        while (message := self._incoming.next()) is not None:
            kind, body = message
            if kind == "ready":
                self.file = str(body["file"])
            elif kind == "closed":
                self.closed = body
                return False
            elif kind == "stop":
                self.is_active = False
                self._warn(f"{body.get('message')}; training goes on unrecorded.")
            elif kind == "refused":
                self._fail(str(body.get("message")))
                return False
        return True

    def _fail(self, reason: str) -> None:
        with self._condition:
            self.is_active = False
            self._queue.clear()
            self._waiting = 0
            self._condition.notify_all()
        self._ended.set()
        self._wake()
        self._warn(f"recording stopped: {reason.rstrip('.')}; training goes on unrecorded.")

    # After fork.

    def forget(self) -> None:
        """Makes the copy in a forked child inert: no lock is touched, as a thread that is not here may hold it."""
        self.is_active = False
        self._thread = None
        # The parent's connection stays: only our descriptors are closed.
        for descriptor in (self._wake_read, self._wake_write, self._socket.detach()):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._wake_read = self._wake_write = -1


def _is_key(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{64}", text, re.I) is not None


def _advance(pieces: list[memoryview], sent: int) -> None:
    while pieces and sent >= len(pieces[0]):
        sent -= len(pieces.pop(0))
    if pieces and sent:
        pieces[0] = pieces[0][sent:]


def _forget_all() -> None:
    for connection in list(_live):
        connection.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
