import hashlib
import subprocess
import sys
import zlib

import h5py
import hdf5plugin
import numpy as np
import ptoken
import pytest
from conftest import ROOT, SCHEMAS, put_text
from ptoken import _zstd

STREAM = "tables/T0000/streams/L0000"


def put_soft_link(file):
    del file["steps/loss"]
    file["steps/loss"] = h5py.SoftLink("/steps/epoch")


def put_external_link(file):
    del file["steps"]
    file["steps"] = h5py.ExternalLink("other.h5", "/steps")


def put_virtual(file):
    layout = h5py.VirtualLayout((3,), "<f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3,))
    del file["steps/loss"]
    file["steps"].create_virtual_dataset("loss", layout)


def put_external_storage(file):
    del file["steps/loss"]
    file["steps"].create_dataset("loss", (3,), "<f8", external=[("/etc/passwd", 0, 24)])


def put_filter(file):
    del file["steps/loss"]
    file["steps"].create_dataset("loss", data=np.zeros(3), chunks=(3,), **hdf5plugin.LZ4())
    put_text(file["steps/loss"], unit="nats")


def put_many_steps(file):
    del file["steps/index"]
    file["steps"].create_dataset("index", (2**25,), "<i8", chunks=(4096,))


def put_large_chunks(file):
    del file["steps/index"]
    file["steps"].create_dataset("index", (3,), "<i8", maxshape=(None,), chunks=(2**24,))


def put_big_endian(file):
    del file["steps/index"]
    file["steps/index"] = np.arange(3, dtype=">i8")


FAULTS = [
    (lambda f: put_text(f, format="other"), "/@format: expected ptoken-snapshot or", "R-001"),
    (lambda f: f.attrs.__delitem__("format"), "/@format: is missing", "R-001"),
    (lambda f: put_text(f, version="2.0"), "/@version: this ptoken reads versions 1.x", "R-002"),
    (lambda f: put_text(f, version="1.00"), "/@version: expected major.minor", "R-002"),
    (
        lambda f: put_text(f["tables/T0000"], unit="rows"),
        "/tables/T0000@unit: expected example, batch or client, found 'rows'",
        "R-032",
    ),
    (lambda f: put_text(f, run_id="A\nB"), r"/@run_id: is malformed: 'A\nB'", "R-004"),
    (lambda f: f.__delitem__("model"), "/model: is missing", "R-010"),
    (put_soft_link, "/steps/loss: is a soft, external or user-defined link", "R-020"),
    (put_external_link, "/steps: is a soft, external or user-defined link", "R-020"),
    (lambda f: f.__setitem__("x", h5py.SoftLink("/")), "/: link 'x' is not a hard link", "R-071"),
    (put_virtual, "/steps/loss: its data lie outside of it", "R-072"),
    (put_external_storage, "/steps/loss: its data lie outside of it", "R-072"),
    (put_filter, "/steps/loss: filter 32004 is none of 1, 2, 3, 32015", "R-050"),
    (put_many_steps, "/steps/index: steps: 33554432, at most 16777216", "R-021"),
    (put_large_chunks, "/steps/index: chunks of 134217728 bytes, at most 67108864", "R-070"),
    (put_big_endian, "/steps/index: expected int64 [*], found int64 big-endian [3]", "R-020"),
    (lambda f: f.move("tables/T0000", "tables/T0005"), "/tables: number 0 is missing", "R-030"),
    (lambda f: f.create_group("tables/x"), "/tables/x: does not belong here", "R-030"),
]


@pytest.mark.parametrize(
    ("fault", "text", "requirement"), FAULTS, ids=lambda x: x if isinstance(x, str) else ""
)
def test_faults_are_refused_in_one_clear_line(snapshot, edit, fault, text, requirement):
    with pytest.raises(ptoken.FormatError) as caught:
        ptoken.open(edit(snapshot, fault))
    message = str(caught.value)
    assert message.startswith(f"{snapshot}:{text}") and message.endswith(f" [{requirement}]")
    assert "\n" not in message and caught.value.requirement == requirement


def test_a_newer_minor_version_may_have_streams_of_unknown_kinds(snapshot, edit):
    def extend(file):
        put_text(file, version="1.7")
        file["schema"][0] = ord(" ")
        file["tables/T0000/streams/Q0004"] = np.zeros(3)
        put_text(file["tables/T0000/streams/Y0002"], kind="token")

    with ptoken.open(edit(snapshot, extend)) as snap:
        assert list(snap.tables[0].streams) == ["fc1", "image", "stats"]


def chunk(content: bytes, level: int = 3) -> bytes:
    """A chunk as libhdf5 stores it with Zstandard."""
    with h5py.File("x", "w", driver="core", backing_store=False) as file:
        data = np.frombuffer(content, "u1")
        dataset = file.create_dataset("x", data=data, chunks=data.shape, **hdf5plugin.Zstd(level))
        return dataset.id.read_direct_chunk((0,))[1]


PLAIN = np.arange(48, dtype="f4").tobytes() * 10
CHUNKS = {
    "absent": (None, "R-051"),
    "empty": (b"\0", "R-051"),
    "short": (chunk(PLAIN[:-4]), "R-051"),
    "long": (chunk(PLAIN + b"more"), "R-051"),
    "two frames": (chunk(PLAIN[:960]) + chunk(PLAIN[960:]), "R-052"),
    "cut": (chunk(PLAIN)[:-3], "R-051"),
    "damaged": (chunk(PLAIN)[:12] + b"\xff" * 20 + chunk(PLAIN)[32:], "R-051"),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_damaged_chunks_are_refused_rather_than_read_as_something(snapshot, edit, name):
    stored, requirement = CHUNKS[name]

    def replace(file):
        attributes = dict(file[STREAM].attrs)
        del file[STREAM]
        options = {"chunks": (40, 12), "maxshape": (None, 12), **hdf5plugin.Zstd()}
        stream = file.create_dataset(STREAM, (10, 12), "<f4", **options)
        put_text(stream, **{k: v.decode() for k, v in attributes.items() if isinstance(v, bytes)})
        stream.attrs["shape"] = attributes["shape"]
        if stored is not None:
            stream.id.write_direct_chunk((0, 0), stored)

    with ptoken.open(edit(snapshot, replace)) as snap:
        with pytest.raises(ptoken.FormatError) as caught:
            snap.tables[0].gradients["fc1"][:1]
        assert caught.value.requirement == requirement


@pytest.mark.parametrize("applied", [("gzip", "zstd"), ("zstd", "gzip")], ids="then".join)
def test_a_chunk_compressed_twice_is_checked_through_both(snapshot, edit, applied, gradient):
    """Legal by R-050, if odd: shuffle, two compressions."""

    def replace(file):
        old = file[STREAM]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4, 12))
        plist.set_shuffle()
        for name in applied:
            if name == "gzip":
                plist.set_deflate(1)
            else:
                plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple((10, 12))
        kind = h5py.h5t.py_create(np.dtype("<f4"))
        h5py.h5d.create(file.id, b"new", kind, space, plist)
        file["new"][:] = gradient
        for name in old.attrs:
            value = old.attrs[name]
            if isinstance(value, bytes):
                put_text(file["new"], **{name: value.decode()})
            else:
                file["new"].attrs[name] = value
        del file[STREAM]
        file.move("new", STREAM)

    with ptoken.open(edit(snapshot, replace)) as snap:
        np.testing.assert_array_equal(snap.tables[0].gradients["fc1"][:], gradient)

    short = zlib.compress(chunk(PLAIN[:96])) if applied[1] == "gzip" else chunk(zlib.compress(b"a"))
    edit(snapshot, lambda f: f[STREAM].id.write_direct_chunk((4, 0), short))
    with ptoken.open(snapshot) as snap, pytest.raises(ptoken.FormatError, match="R-051"):
        snap.tables[0].gradients["fc1"][:]


def test_without_the_library_the_head_of_a_frame_is_still_checked(
    snapshot, edit, monkeypatch, gradient
):
    monkeypatch.setattr(_zstd, "_library", lambda: None)
    with ptoken.open(snapshot) as snap:
        np.testing.assert_array_equal(snap.tables[0].gradients["fc1"][:], gradient)
    edit(snapshot, lambda f: f[STREAM].id.write_direct_chunk((0, 0), chunk(b"1234") + b"sum!"))
    with (
        ptoken.open(snapshot) as snap,
        pytest.raises(ptoken.FormatError, match="decodes to 4 bytes"),
    ):
        snap.tables[0].gradients["fc1"][:]


def test_the_file_is_never_changed(snapshot):
    before = hashlib.sha256(snapshot.read_bytes()).digest(), snapshot.stat().st_mtime_ns
    with ptoken.open(snapshot) as snap:
        np.asarray(snap.tables[0].gradients["fc1"])
    assert before == (hashlib.sha256(snapshot.read_bytes()).digest(), snapshot.stat().st_mtime_ns)


def test_a_recording_that_has_not_finished_is_explained(tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(FileNotFoundError, match="No such file"):
        ptoken.open(path)
    (tmp_path / "run.h5.journal").touch()
    with pytest.raises(FileNotFoundError, match=r"ptoken-inspect recover .*run\.h5 -o ok\.h5"):
        ptoken.open(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(b"PK\3\4" * 100)
    with pytest.raises(ptoken.FormatError, match="R-001"):
        ptoken.open(path)


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_importing_needs_numpy_only():
    code = "import ptoken, sys; print({'h5py', 'hdf5plugin', 'pandas'} & set(sys.modules))"
    assert run_python(code) == "set()\n"


def test_a_missing_library_is_named_with_its_remedy(snapshot):
    code = f"""
import sys, ptoken
sys.modules["hdf5plugin"] = None
try: ptoken.open({str(snapshot)!r})
except ImportError as error: print(error)
"""
    assert "pip install 'ptoken[read]'" in run_python(code)


@pytest.mark.skipif(not (ROOT / "spec").exists(), reason="not in the repository")
@pytest.mark.parametrize("name", [path.name for path in SCHEMAS.glob("*.json")])
def test_the_schemas_are_those_of_the_specification(name):
    assert (SCHEMAS / name).read_bytes() == (ROOT / "spec/schema" / name).read_bytes()
