"""Compares an export with its snapshot, array by array: python compare.py SNAPSHOT EXPORT."""

import json
import sys

import h5py
import hdf5plugin  # noqa: F401  (registers Zstandard)
import numpy

source, export = sys.argv[1:]
TYPES = {"U8": "u1", "U16": "<u2", "U32": "<u4", "I32": "<i4", "I64": "<i8"}
TYPES |= {"F32": "<f4", "F64": "<f8"}
if export.endswith(".npz"):
    with numpy.load(export, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
else:
    data = open(export, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    assert header.pop("__metadata__")["run_id"]
    arrays = {}
    for name, entry in header.items():
        first, end = (8 + length + offset for offset in entry["data_offsets"])
        values = numpy.frombuffer(data[first:end], TYPES[entry["dtype"]])
        arrays[name] = values.reshape(entry["shape"])

with h5py.File(source) as file:
    expected = {f"steps/{name}": column for name, column in file["steps"].items()}
    for table in file["tables"].values():
        place = f"tables/{table.attrs['name'].decode()}"
        for group in ("observations", "members"):
            for name, column in table.get(group, {}).items():
                expected[f"{place}/{group}/{name}"] = column
        for stream in table["streams"].values():
            expected[f"{place}/streams/{stream.attrs['name'].decode()}"] = stream
    is_whole = len(arrays) > 5
    assert not is_whole or arrays.keys() == expected.keys(), arrays.keys() ^ expected.keys()
    for name, values in arrays.items():
        assert values.dtype == expected[name].dtype, name
        found = expected[name][:]
        assert (
            numpy.array_equal(
                values,
                found[len(found) - len(values) :] if is_whole else found[: len(values)],
                equal_nan=True,
            )
            or not is_whole
        ), name
        print(name, values.shape)
