"""Changes to a tree, of which the faults are made. Each function gives a function of the tree."""

import json
from dataclasses import dataclass
from typing import Any

import numpy
from build import encode
from h5py import h5t
from tree import Dataset, Group, Link, Text


@dataclass
class Fault:
    """base: the valid file (variants.py) that change(tree) breaks."""

    name: str
    requirement: str
    words: str
    base: str
    change: Any


def faults(base, rows):
    """Faults of (name, requirement number, words, change)."""
    return [
        Fault(name, f"R-{number:03}", words, base, change) for name, number, words, change in rows
    ]


def both(*changes):
    def change(tree):
        for one in changes:
            one(tree)

    return change


def attr(path, name, value):
    return lambda tree: tree[path].attrs.__setitem__(name, value)


def attrs(path, **values):
    return lambda tree: tree[path].attrs.update(values)


def no_attr(path, name):
    return lambda tree: tree[path].attrs.__delitem__(name)


def remove(path):
    return lambda tree: tree.remove(path)


def move(path, new):
    return lambda tree: tree.move(path, new)


def add(path, node):
    return lambda tree: tree.__setitem__(path, node)


def put(path, place, value):
    """Sets elements of a dataset."""

    def change(tree):
        tree[path].data = tree[path].data.copy()
        tree[path].data[place] = value

    return change


def data(path, make):
    """Puts make(data) in the place of a dataset's data; its chunks are one."""

    def change(tree):
        tree[path].data = make(tree[path].data)
        tree[path].chunks = None

    return change


def cast(path, kind):
    return data(path, lambda old: old.astype(kind))


def shorten(path):
    return data(path, lambda old: old[:-1].copy())


def extend(path):
    return data(path, lambda old: numpy.concatenate([old, old[-1:]]))


def flat(path):
    return data(path, lambda old: old.reshape(-1).copy())


def raised(path):
    """One axis more."""
    return data(path, lambda old: old[..., None].copy())


def stored(path, kind):
    """The data under another HDF5 type of the same size."""
    return lambda tree: setattr(tree[path], "type", kind)


def to_group(path):
    def change(tree):
        tree.remove(path)
        tree[path] = Group()

    return change


def to_dataset(path):
    def change(tree):
        old = dict(tree[path].attrs)
        tree.remove(path)
        tree[path] = Dataset(numpy.zeros((1, 1), "f4"), old)

    return change


def linked(path, kind="soft"):
    """The object lies elsewhere, and a link stands in its place."""

    def change(tree):
        elsewhere = "/moved"
        tree.move(path, elsewhere)
        tree[path] = Link(kind, elsewhere)

    return change


def text(path, value):
    """Other bytes in a JSON dataset."""
    return lambda tree: setattr(tree[path], "data", encode(value))


def edit(path, *keys):
    """Sets the value at keys[:-1] in a JSON dataset to keys[-1]; ... removes it."""

    def change(tree):
        value = json.loads(tree[path].data.tobytes())
        *way, last, new = keys
        place = value
        for key in way:
            place = place[key]
        if new is ...:
            del place[last]
        else:
            place[last] = new
        tree[path].data = encode(value)

    return change


def variable(path, name):
    def change(tree):
        tree[path].attrs[name] = Text(tree[path].attrs[name], variable=True)

    return change


def not_utf8(path, name):
    def change(tree):
        tree[path].attrs[name] = Text(tree[path].attrs[name].encode() + b"\xff")

    return change


def array_of_texts(path, name, shape=(1,)):
    def change(tree):
        tree[path].attrs[name] = Text(tree[path].attrs[name], shape=shape)

    return change


def padded(path, name, pad):
    def change(tree):
        value = tree[path].attrs[name]
        tree[path].attrs[name] = Text(value, size=len(value) + 3, pad=pad)

    return change


SPACE, TERMINATED = h5t.STR_SPACEPAD, h5t.STR_NULLTERM
