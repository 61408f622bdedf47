"""Compares an export with its snapshot, array by array.

python compare.py SNAPSHOT EXPORT [FIRST LAST]: with a range of step indices, arrays may be missing.
"""

import json
import sys

import h5py
import hdf5plugin  # noqa: F401  (registers Zstandard)
import numpy

source, export, *selection = sys.argv[1:]
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
    assert selection or arrays.keys() == expected.keys(), arrays.keys() ^ expected.keys()
    index = file["steps/index"][:]
    for name, values in arrays.items():
        found = expected[name][:]
        if selection and not name.startswith("steps/"):
            # Every array of a selection is of one row for each observation.
            step = index[expected["/".join(name.split("/")[:2]) + "/observations/step"][:]]
            found = found[(step >= int(selection[0])) & (step <= int(selection[1]))]
        assert values.dtype == found.dtype, name
        assert numpy.array_equal(values, found, equal_nan=values.dtype.kind == "f"), name
        print(name, values.shape)
