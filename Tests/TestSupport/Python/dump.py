"""Prints everything in an HDF5 file as JSON: python dump.py FILE."""

import base64
import json
import sys

import h5py
import hdf5plugin  # noqa: F401  (registers Zstandard)
import numpy


def array(value):
    value = numpy.ascontiguousarray(value)
    assert value.dtype.kind in "iufS", value.dtype
    return {
        "dtype": value.dtype.str,
        "shape": list(value.shape),
        "data": base64.b64encode(value.tobytes()).decode(),
    }


def attribute(node, name):
    # The low level keeps fixed-length text fixed.
    identifier = h5py.h5a.open(node.id, name.encode())
    value = numpy.empty(identifier.shape, identifier.dtype)
    identifier.read(value)
    found = array(value)
    found["shape"] = list(identifier.shape)
    return found


result = {"groups": [], "datasets": {}, "attributes": {}, "filters": {}}
with h5py.File(sys.argv[1], "r") as file:

    def visit(path, node):
        for name in node.attrs:
            result["attributes"][f"{path}@{name}"] = attribute(node, name)
        if isinstance(node, h5py.Group):
            result["groups"].append(path)
            return
        found = array(node[()])
        found["shape"] = list(node.shape)
        result["datasets"][path] = found
        plist = node.id.get_create_plist()
        result["filters"][path] = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]

    visit("", file)
    file.visititems(lambda path, node: visit("/" + path, node))
json.dump(result, sys.stdout)
