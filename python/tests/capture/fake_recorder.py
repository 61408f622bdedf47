"""A recorder for tests that takes nothing on trust: every frame is checked against spec/WIRE.md, written anew from it."""

import json
import math
import socket
import struct
import threading
import time

import numpy as np

KEY = bytes(range(32))
RUN = "0b8f4f0e-3f43-4d6b-9c2a-5a2f7f0f1e11"
SIZES = {"U8": 1, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8}
NUMPY = {"U8": "u1", "F16": "<f2", "BF16": "<u2", "I32": "<i4", "U32": "<u4", "F32": "<f4"}
NUMPY["F64"] = "<f8"


def require(condition, text):
    assert condition, text


def once(pairs):
    require(len({key for key, _ in pairs}) == len(pairs), f"W-04: a key twice in {pairs}")
    return dict(pairs)


def no_constant(text):
    raise AssertionError(f"W-07: JSON has no {text}")


def parse(text):
    return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)


def frame(kind, body):
    """A message without tensors."""
    header = json.dumps({"__metadata__": {"message": kind, "body": json.dumps(body)}}).encode()
    return struct.pack("<QQ", 8 + len(header), len(header)) + header


class FakeRecorder:
    """Welcomes, reads and checks frames on a thread, and can be told to misbehave.

    delay : seconds before each frame is read. stuck : reads nothing after the hello. refuse_at, stop_at, die_at : what it does
    once it has so many steps. welcome : keys of its welcome to change.
    """

    def __init__(
        self, *, delay=0.0, stuck=False, refuse_at=None, stop_at=None, die_at=None, **welcome
    ):
        self.socket, theirs = socket.socketpair()
        self.target = f"fd:{theirs.detach()}"
        self.delay, self.stuck = delay, stuck
        self.refuse_at, self.stop_at, self.die_at = refuse_at, stop_at, die_at
        self.hello = self.bye = self.error = None
        self.steps = []
        self.most = welcome.get("max_frame", 1 << 28)
        body = {
            "protocol": "1.0",
            "producer": "fake",
            "run_id": RUN,
            "created": "2026-01-31T12:00:00Z",
            "key": KEY.hex(),
            "max_frame": self.most,
            "on_full": "drop",
            "block_seconds": 1,
        }
        self.socket.sendall(frame("welcome", {**body, **welcome}))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def finish(self):
        """Waits for the end, and raises what was wrong with what was received."""
        self.thread.join(30)
        require(not self.thread.is_alive(), "the connection was not ended")
        if self.error is not None:
            raise self.error

    def say(self, kind, **body):
        self.socket.sendall(frame(kind, body))

    def _serve(self):
        try:
            with self.socket:
                self._talk()
        except EOFError:
            pass
        except OSError as error:
            self.error = self.error if self.die_at is not None else error
        except BaseException as error:
            self.error = error

    def _talk(self):
        kind, body, tensors = self._read(4 << 20)
        require(kind == "hello" and not tensors, f"W-10: expected hello, found {kind}")
        self._check_hello(body)
        self.hello = body
        if self.stuck:
            threading.Event().wait(20)
            return
        self.say("ready", file="run.h5", steps=0, last_index=None)
        while True:
            if len(self.steps) == self.refuse_at:
                return self.say(
                    "refused", code="noSpace", message="run.h5: disk full.", offset=None
                )
            if len(self.steps) == self.die_at:
                return None
            if len(self.steps) == self.stop_at:
                self.stop_at = None
                self.say("stop", reason="budget", message="run.h5: the budget is used up")
            time.sleep(self.delay)
            kind, body, tensors = self._read(self.most)
            if kind == "bye":
                require(not tensors, "W-30: tensors in bye")
                require(body["status"] in ("complete", "interrupted", "crashed"), body)
                require(isinstance(body["passed"], int) and body["blocked"] >= 0, body)
                require(all(isinstance(text, str) for text in body["problems"]), body)
                self.bye = body
                return self.say(
                    "closed", file="run.h5", status=body["status"], steps=len(self.steps), bytes=1
                )
            require(kind == "step", f"W-05: expected step, found {kind}")
            self._check_step(body, tensors)
            self.steps.append((body, tensors))
            self.say("committed", steps=len(self.steps))

    def _take(self, count):
        found = bytearray(count)
        view = memoryview(found)
        while view:
            got = self.socket.recv_into(view)
            if not got:
                raise EOFError
            view = view[got:]
        return bytes(found)

    def _read(self, most):
        (length,) = struct.unpack("<Q", self._take(8))
        require(8 <= length <= most, f"W-02: a frame of {length} bytes")
        data = self._take(length)
        (size,) = struct.unpack_from("<Q", data)
        require(size <= length - 8, "W-03: the header is longer than the frame")
        header = parse(data[8 : 8 + size].decode())
        metadata = header.pop("__metadata__")
        require(set(metadata) == {"message", "body"}, f"W-03: {metadata}")
        if metadata["message"] == "step":
            streams = sum(1 + len(table["streams"]) for table in self.hello["tables"])
            require(size <= 65536 + 256 * streams, f"W-03: a header of {size} bytes")
        at, tensors = 0, {}
        for name, said in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            begin, end = said["data_offsets"]
            require(begin == at, f"W-04: {name} begins at {begin}, expected {at}")
            require(end - begin == math.prod(said["shape"]) * SIZES[said["dtype"]], f"W-04: {name}")
            whole = np.frombuffer(
                data, NUMPY[said["dtype"]], math.prod(said["shape"]), 8 + size + at
            )
            tensors[name] = (said["dtype"], whole.reshape(said["shape"]))
            at = end
        require(at == length - 8 - size, "W-04: data after the tensors")
        return metadata["message"], parse(metadata["body"]), tensors

    def _check_hello(self, body):
        require(body["protocol"] == "1.0" and isinstance(body["producer"], str), body)
        require(0 <= body["rank"] < body["ranks"], "W-10: rank")
        layers = [layer["name"] for layer in body["model"]["layers"]]
        require(len(set(layers)) == len(layers), "R-011: a layer twice")
        require({"role", "layers", "aggregation"} <= set(body["observer"]), "R-016")
        for table in body["tables"]:
            require(table["unit"] in ("example", "batch"), table["unit"])
            require(table["mode"] in ("probe", "trace"), table["mode"])
            parse(table["schedule"])
            names = [stream["name"] for stream in table["streams"]]
            require(len(set(names)) == len(names), f"R-041: a name twice in {names}")
            for stream in table["streams"]:
                require(stream["kind"] in ("gradient", "feature", "label", "scalar"), stream)
                require(stream["shape"] and all(n >= 1 for n in stream["shape"]), stream)
                if stream["sketch"] == "none":
                    require(stream["width"] == math.prod(stream["shape"]), stream)
                else:
                    require(int(stream["sketch_seed"]) >= 0, stream)
                if stream["kind"] == "gradient":
                    require(stream["layer"] in layers, f"R-045: {stream['layer']}")

    def _check_step(self, body, tensors):
        require(body["number"] == len(self.steps), f"W-20: number {body['number']}")
        if self.steps:
            require(body["index"] >= self.steps[-1][0]["index"], "R-022: index descends")
        require(body["tables"], "W-20: no tables")
        expected = set()
        for number in body["tables"]:
            table = self.hello["tables"][number]
            require(table["mode"] == body["mode"], "R-033: mode")
            dtype, ids = tensors[f"{number}/record"]
            require(dtype == "U8" and ids.shape[1:] == (16,), "W-21: record")
            rows = len(ids)
            expected.add(f"{number}/record")
            for position, stream in enumerate(table["streams"]):
                name = f"{number}/{position}"
                dtype, values = tensors[name]
                kinds = ("I32",) if stream["kind"] == "label" else ("F32", "F16", "BF16")
                require(dtype in kinds, f"W-21: {name} is {dtype}")
                widths = {stream["width"], math.prod(stream["shape"])}
                require(len(values) == rows and values.shape[1] in widths, f"W-21: {name}")
                expected.add(name)
            if table["has_weight"]:
                require(tensors[f"{number}/weight"][1].shape == (rows,), "W-21: weight")
                expected.add(f"{number}/weight")
            if table["has_members"]:
                counts = tensors[f"{number}/members/count"][1]
                members = int(counts.sum())
                require(counts.shape == (rows,), "W-21: members/count")
                require(tensors[f"{number}/members/record"][1].shape == (members, 16), "W-21")
                require(tensors[f"{number}/members/weight"][1].shape == (members,), "W-21")
                expected |= {f"{number}/members/{part}" for part in ("count", "record", "weight")}
        require(set(tensors) == expected, f"W-05: tensors {set(tensors) ^ expected}")

    def tensor(self, step, table, part):
        """The array of one stream, by name, or of `record` or `members/record`, in a step that was received."""
        body, tensors = self.steps[step]
        for number in body["tables"]:
            said = self.hello["tables"][number]
            if said["name"] == table:
                names = [stream["name"] for stream in said["streams"]]
                return tensors[f"{number}/{names.index(part) if part in names else part}"][1]
        raise KeyError(table)
