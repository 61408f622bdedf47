"""The mutations of mutate.py that mostly leave a file valid, and what all of them use."""

import json

import h5py
import hdf5plugin
import numpy
from h5py import h5a, h5t
from tree import Text, write_attribute

VALUES = (None, True, 0, -1, 1, 1.5, "", "none", "all", [], {}, ["a"], {"a": 1}, 10**30)


def attribute_of(node, name):
    """The type of an attribute; kind S for a text of fixed length."""
    return node.attrs.get_id(name).dtype


def describe(array):
    return f"{array.dtype.str} {list(array.shape)} {array.reshape(-1)[:3].tolist()}"


def put_attribute(node, name, value, form=None):
    if name in node.attrs:
        del node.attrs[name]
    if form == "variable length":
        value = Text(value, variable=True)
    elif form == "array":
        value = Text(value, shape=(1,))
    elif form == "ASCII":
        value = Text(value, charset=h5t.CSET_ASCII)
    elif form == "space-padded":
        value = Text(value, size=len(value) + 2, pad=h5t.STR_SPACEPAD)
    elif form == "null-terminated":
        value = Text(value, size=len(value) + 2, pad=h5t.STR_NULLTERM)
    elif form == "not UTF-8":
        value = Text(value + b"\xc3")
    elif form == "longer, null-padded":
        value = Text(value, size=len(value) + 9)
    elif form == "number":
        value = numpy.int64(len(value))
    elif form == "long":
        value = Text(value + b"x" * 5000)
    write_attribute(node, name, value)


def attributes(node):
    """The attributes of an object, with their types."""
    for name in sorted(node.attrs):
        old = node.attrs.get_id(name)
        yield name, old.get_type(), old.get_space(), old


def remake_dataset(node, data, **options):
    """Another dataset under the same name, with the same attributes."""
    name, file = node.name, node.file
    if not options and node.chunks:
        options = {"chunks": True, "fletcher32": True}
    if 0 in data.shape:
        options = {}
    kept = []
    for key, kind, space, old in attributes(node):
        if kind.get_class() == h5t.STRING and kind.is_variable_str():
            continue
        values = numpy.empty(old.shape, old.dtype)
        if space.get_simple_extent_npoints():
            old.read(values, kind)
        kept.append((key, kind, space, values))
    del file[name]
    new = file.create_dataset(name, data=data, track_times=False, **options)
    for key, kind, space, values in kept:
        made = h5a.create(new.id, key.encode(), kind, space)
        if space.get_simple_extent_npoints():
            made.write(values, kind)
    return new


def remake(file, name, data):
    return remake_dataset(file[name], data)


class Mild:
    """What the mutations choose from, and those that mostly leave a file valid."""

    def __init__(self, file, dice):
        self.file, self.dice = file, dice
        self.groups, self.datasets, found = [file], [], []
        file.visititems(lambda name, node: found.append(node))
        for node in sorted(found, key=lambda node: node.name):
            if isinstance(node, h5py.Dataset):
                self.datasets.append(node)
            elif isinstance(node, h5py.Group):
                self.groups.append(node)

    def known(self, test=lambda node: True):
        """A dataset of plain numbers that has elements, of those that the test accepts."""
        fit = [
            node
            for node in self.datasets
            if node.dtype.kind in "iuf" and node.size and not node.is_virtual and test(node)
        ]
        return self.dice.choice(fit)

    def node(self):
        return self.dice.choice(self.groups + self.datasets)

    def named(self):
        """A group, and a hard-linked name in it."""
        group = self.dice.choice([group for group in self.groups if len(group)])
        names = [
            name
            for name in sorted(group)
            if isinstance(group.get(name, getlink=True), h5py.HardLink)
        ]
        return group, self.dice.choice(names)

    def attribute(self, test=lambda kind: True):
        fit = [
            (node, name)
            for node in self.groups + self.datasets
            for name in sorted(node.attrs)
            if test(attribute_of(node, name))
        ]
        return self.dice.choice(fit)

    def finite_value(self):
        node = self.known(lambda node: node.dtype.kind == "f" and "/rows/" not in node.name)
        place = tuple(self.dice.randrange(length) for length in node.shape)
        value = node.dtype.type(self.dice.uniform(-4, 4))
        node[place] = value
        return f"{node.name}{list(place)} is now {float(value)!r}"

    def new_attribute(self):
        node = self.node()
        value = self.dice.choice(["text", numpy.float64(1.5), numpy.arange(3), numpy.int8(1)])
        put_attribute(node, "extra_attribute", value)
        return f"{node.name} has the new attribute extra_attribute, {value!r}"

    def new_text(self):
        free = [
            (node, name)
            for node in self.groups + self.datasets
            for name in ("producer", "name", "unit")
            if name in node.attrs and (node.name.count("/") != 2 or name != "unit")
        ]
        node, name = self.dice.choice(free)
        value = f"text {self.dice.randrange(10**9)}"
        put_attribute(node, name, value)
        return f"{node.name}@{name} is now {value!r}"

    def new_json(self):
        name = self.dice.choice([n for n in ("model", "training", "observer") if n in self.file]
                                or ["run", "provenance"])  # fmt: skip
        value = json.loads(bytes(self.file[name][()]))
        value["extra key"] = self.dice.choice(VALUES)
        remake(self.file, name, numpy.frombuffer(json.dumps(value).encode(), "u1"))
        return f"/{name} has a new key, {value['extra key']!r}"

    def other_layout(self):
        node = self.known()
        name, options = self.dice.choice(
            [
                ("contiguous", {}),
                ("deflate", {"chunks": True, "compression": "gzip"}),
                ("shuffle and fletcher32", {"chunks": True, "shuffle": True, "fletcher32": True}),
                ("growing", {"maxshape": (None,) * node.ndim, "chunks": True}),
                ("Zstandard", {"chunks": True, **hdf5plugin.Zstd(clevel=5)}),
                ("LZ4", {"chunks": True, **hdf5plugin.LZ4()}),
            ]
        )
        remake_dataset(node, node[()], **options)
        return f"{node.name} is stored anew: {name}"

    def other_record(self):
        node = self.known(lambda node: node.name.endswith("/record"))
        row = self.dice.randrange(len(node))
        node[row] = numpy.frombuffer(self.dice.randbytes(16), "u1")
        return f"{node.name} has another id in row {row}"

    def stray_object(self):
        group = self.dice.choice(self.groups)
        name = self.dice.choice(["extra", "S0099", "t0000", "weight", "members", "gaussian"])
        if name in group:
            raise ValueError("there already")
        if self.dice.random() < 0.5:
            group.create_group(name)
        else:
            group.create_dataset(name, data=numpy.arange(3, dtype="<i4"))
        return f"{group.name} has the new object {name}"
