"""Copies a file with one seeded random mutation: python mutate.py FILE SEED OUT."""

import json
import random
import shutil
import sys

import h5py
import numpy
from h5py import h5a, h5s, h5t
from mutations import VALUES, Mild, attribute_of, describe, put_attribute, remake, remake_dataset

FORMS = (
    *("variable length", "array", "ASCII", "space-padded", "null-terminated", "not UTF-8"),
    *("longer, null-padded", "number", "long"),
)
TYPES = ("u1", "i1", "<u2", "<i4", "<u4", "<i8", "<u8", ">u4", ">i8", "<f2", "<f4", "<f8", ">f8")
TEXTS = ("", "0", "none", "raw", "probe", "trace", "batch", "1", "2.0", "1.0", "1.3", "a b", "é")
NUMBERS = (0, -1, 1, 2, 17, 255, 2**31, 2**40, 2**63 - 1, 0.5, float("nan"), float("inf"), -0.0)


class Mutation(Mild):
    """Adds those that mostly break a file."""

    def delete_object(self):
        group, name = self.named()
        del group[name]
        return f"{group.name}: {name} is deleted"

    def rename_object(self):
        group, name = self.named()
        other = self.dice.choice([name + "x", name.upper(), name[:-1] + "1", name.lower(), "x"])
        if other in group or not other:
            raise ValueError("there already")
        group.move(name, other)
        return f"{group.name}: {name} is renamed to {other}"

    def duplicate_object(self):
        group, name = self.named()
        other = name[:-1] + str(self.dice.randrange(10)) if name[-1].isdigit() else name + "_copy"
        if other in group:
            raise ValueError("there already")
        if self.dice.random() < 0.5:
            group[other] = group[name]
            return f"{group.name}: {name} is also called {other}"
        group.copy(name, other)
        return f"{group.name}: {name} is copied to {other}"

    def replace_object(self):
        group, name = self.named()
        kind = self.dice.choice(["group", "dataset", "soft link", "external link", "dead link"])
        if kind == "soft link":
            group.move(name, "/moved")
            group[name] = h5py.SoftLink("/moved")
        else:
            del group[name]
        if kind == "group":
            group.create_group(name)
        elif kind == "dataset":
            group.create_dataset(name, data=numpy.zeros((2, 2)))
        elif kind == "external link":
            group[name] = h5py.ExternalLink("elsewhere.h5", "/")
        elif kind == "dead link":
            group[name] = h5py.SoftLink("/nowhere")
        return f"{group.name}: a {kind} in place of {name}"

    def stray_link(self):
        group = self.dice.choice(self.groups)
        group["stray"] = self.dice.choice(
            [h5py.SoftLink("/"), h5py.SoftLink("/nowhere"), h5py.ExternalLink("elsewhere.h5", "/")]
        )
        return f"{group.name} has a stray link"

    def swap_datasets(self):
        one, two = self.known(), self.known()
        one, two = one.name, two.name
        if one == two:
            raise ValueError("the same")
        self.file.move(one, "/swapped")
        self.file.move(two, one)
        self.file.move("/swapped", two)
        return f"{one} and {two} are swapped"

    def delete_attribute(self):
        node, name = self.attribute()
        del node.attrs[name]
        return f"{node.name}@{name} is deleted"

    def rename_attribute(self):
        node, name = self.attribute()
        other = self.dice.choice([name + "x", name.upper(), "name", "unit"])
        if other in node.attrs:
            raise ValueError("there already")
        h5a.rename(node.id, name.encode(), other.encode())
        return f"{node.name}@{name} is renamed to @{other}"

    def other_text(self):
        node, name = self.attribute(lambda kind: kind.kind == "S")
        value = self.dice.choice(TEXTS)
        put_attribute(node, name, value)
        return f"{node.name}@{name} is now {value!r}"

    def other_form_of_text(self):
        node, name = self.attribute(lambda kind: kind.kind == "S")
        old = node.attrs[name]
        old = old if isinstance(old, bytes) else b"text"
        form = self.dice.choice(FORMS)
        put_attribute(node, name, old, form)
        return f"{node.name}@{name} keeps its text in another form: {form}"

    def other_number(self):
        node, name = self.attribute(lambda kind: kind.kind in "iuf")
        kind = attribute_of(node, name)
        value = self.dice.choice(NUMBERS)
        shape = node.attrs[name].shape
        if kind.kind in "iu":
            value = int(value) if value == value and abs(value) != float("inf") else 0
            value = min(max(value, numpy.iinfo(kind).min), numpy.iinfo(kind).max)
        if self.dice.random() < 0.3:
            kind = numpy.dtype(self.dice.choice(TYPES[4:]))
            value = numpy.float64(abs(value) % 100).astype(kind)
        if self.dice.random() < 0.2:
            shape = self.dice.choice([(), (1,), (2,), (1, 1), (0,)])
        del node.attrs[name]
        space = h5s.create_simple(shape) if shape else h5s.create(h5s.SCALAR)
        array = numpy.full(shape, value, kind)
        h5a.create(node.id, name.encode(), h5t.py_create(kind), space).write(array)
        return f"{node.name}@{name} is now {describe(array)}"

    def other_value(self):
        node = self.known(lambda node: node.name.count("/") > 1)
        place = tuple(self.dice.randrange(length) for length in node.shape)
        value = self.dice.choice(NUMBERS)
        if node.dtype.kind in "iu":
            value = int(value) if value == value and abs(value) != float("inf") else 3
            value = min(max(value, numpy.iinfo(node.dtype).min), numpy.iinfo(node.dtype).max)
        node[place] = value
        return f"{node.name}{list(place)} is now {value!r}"

    def other_type(self):
        node = self.known()
        kind = numpy.dtype(self.dice.choice(TYPES))
        data = numpy.nan_to_num(node[()].astype("f8"), posinf=0).astype("i8").clip(0, 100)
        remake_dataset(node, data.astype(kind))
        return f"{node.name} is now {kind.str}, with other values"

    def other_shape(self):
        node = self.known()
        data = node[()]
        change = self.dice.choice(["row less", "row more", "column less", "axis more", "flat", "0"])
        if change == "row less":
            data = data[:-1]
        elif change == "row more":
            data = numpy.concatenate([data, data[-1:]])
        elif change == "column less":
            data = data[..., :-1]
        elif change == "axis more":
            data = data[..., None]
        elif change == "flat":
            data = data.reshape(-1)
        else:
            data = data[:0]
        remake_dataset(node, data)
        return f"{node.name} has another shape, {change}: {data.shape}"

    def grown(self):
        growing = self.known(lambda node: node.maxshape and node.maxshape[0] is None)
        rows = growing.shape[0]
        rows = self.dice.choice([0, rows - 1, rows + 1, rows + 40])
        growing.resize(rows, axis=0)
        return f"{growing.name} is resized to {rows} rows"

    def flipped_byte(self):
        node = self.known(lambda node: node.chunks)
        infos = [node.id.get_chunk_info(i) for i in range(node.id.get_num_chunks())]
        info = self.dice.choice(infos)
        mask, content = node.id.read_direct_chunk(info.chunk_offset)
        content = bytearray(content)
        place, bit = self.dice.randrange(len(content)), self.dice.randrange(8)
        content[place] ^= 1 << bit
        node.id.write_direct_chunk(info.chunk_offset, bytes(content), mask)
        return f"{node.name}: bit {bit} of byte {place} in the chunk at {info.chunk_offset} flips"

    def cut_chunk(self):
        node = self.known(lambda node: node.chunks)
        info = node.id.get_chunk_info(self.dice.randrange(node.id.get_num_chunks()))
        mask, content = node.id.read_direct_chunk(info.chunk_offset)
        length = self.dice.randrange(1, len(content))
        mask = self.dice.choice([mask, mask, 1, 7])
        node.id.write_direct_chunk(info.chunk_offset, content[:length], mask)
        return f"{node.name}: the chunk at {info.chunk_offset} has {length} bytes, mask {mask}"

    def other_json(self):
        node = self.dice.choice([n for n in self.datasets if n.name.count("/") == 1
                                 and n.dtype == "u1" and n.ndim == 1])  # fmt: skip
        content = bytearray(bytes(node[()]))
        if self.dice.random() < 0.5:
            value = json.loads(content)
            place = value
            while True:
                keys = sorted(place) if isinstance(place, dict) else range(len(place))
                key = self.dice.choice(list(keys))
                if not isinstance(place[key], (dict, list)) or not place[key]:
                    break
                if self.dice.random() < 0.4:
                    break
                place = place[key]
            if self.dice.random() < 0.3:
                words = f"{key!r} is deleted"
                del place[key]
            else:
                place[key] = self.dice.choice(VALUES)
                words = f"{key!r} is now {place[key]!r}"
            content = json.dumps(value).encode()
        else:
            at = self.dice.randrange(len(content))
            content[at] = self.dice.choice(b'"{}[],:0 a\n\x00\xff\\-.e')
            words = f"byte {at} is now {content[at]}"
        remake(self.file, node.name, numpy.frombuffer(bytes(content), "u1"))
        return f"{node.name}: {words}"


MILD = ("finite_value", "finite_value", "new_attribute", "new_text", "new_json", "other_layout",
        "other_record", "stray_object")  # fmt: skip
HARSH = ("delete_object", "rename_object", "duplicate_object", "replace_object", "stray_link",
         "swap_datasets", "delete_attribute", "rename_attribute", "other_text", "other_number",
         "other_form_of_text", "other_value", "other_value", "other_type", "other_shape", "grown",
         "flipped_byte", "cut_chunk", "other_json", "other_json")  # fmt: skip


def mutate(source, seed, target):
    dice = random.Random(seed)
    for _ in range(50):
        shutil.copyfile(source, target)
        name = dice.choice(MILD if dice.random() < 0.2 else HARSH)
        with h5py.File(target, "r+", libver=("v110", "v110")) as file:
            try:
                return getattr(Mutation(file, dice), name)()
            except (ValueError, IndexError, KeyError, TypeError, OSError, RuntimeError):
                continue  # the file has nothing of the kind, or the library refused
    return "nothing"


if __name__ == "__main__":
    print(mutate(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
