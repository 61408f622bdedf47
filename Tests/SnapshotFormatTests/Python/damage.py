"""Damages every stored chunk of the streams but one: python damage.py FILE STREAM CHUNK."""

import sys

import h5py

path, stream, kept = sys.argv[1], sys.argv[2], int(sys.argv[3])
with h5py.File(path, "r+", libver=("v110", "v110")) as file:
    for table in file["tables"].values():
        for dataset in table["streams"].values():
            for number in range(dataset.id.get_num_chunks()):
                if (dataset.name, number) == (stream, kept):
                    continue
                offset = dataset.id.get_chunk_info(number).chunk_offset
                mask, chunk = dataset.id.read_direct_chunk(offset)
                broken = bytearray(chunk)
                broken[len(broken) // 2] ^= 1
                dataset.id.write_direct_chunk(offset, bytes(broken), mask)
