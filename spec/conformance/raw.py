"""Bytes that libraries do not write: Zstandard frames, and links of a user-defined type."""

import struct


def frame(content, sized=True, said=None):
    """A Zstandard frame of uncompressed blocks (RFC 8878)."""
    said = len(content) if said is None else said
    head = struct.pack("<IBI", 0xFD2FB528, 0xA0, said) if sized else b"\x28\xb5\x2f\xfd\x00\x58"
    block = struct.pack("<I", len(content) << 3 | 1)[:3]
    return head + block + content


def repeated(length):
    """A Zstandard frame of so many null bytes."""
    blocks = [min(1 << 17, length - at) for at in range(0, length, 1 << 17)]
    head = struct.pack("<IBI", 0xFD2FB528, 0x80, length)[:5] + b"\x38" + struct.pack("<I", length)
    parts = [
        struct.pack("<I", size << 3 | 2 | (at == len(blocks) - 1))[:3] + b"\0"
        for at, size in enumerate(blocks)
    ]
    return head + b"".join(parts)


def hashed(block):
    """Jenkins' lookup3, the checksum of HDF5's metadata."""
    mask, rotate = 0xFFFFFFFF, lambda x, k: (x << k | x >> 32 - k) & 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(block)) & mask
    rest = block
    while len(rest) > 12:
        x, y, z = struct.unpack("<III", rest[:12])
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        for k in (4, 6, 8, 16, 19, 4):
            a, c = ((a - c) & mask) ^ rotate(c, k), (c + b) & mask
            a, b, c = b, c, a
        rest = rest[12:]
    if not rest:
        return c
    x, y, z = struct.unpack("<III", rest.ljust(12, b"\0"))
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
    for k in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - rotate(b, k)) & mask
        a, b, c = b, c, a
    return b


def user_link(path, name):
    """Makes an external link of this name one of the user-defined type 100."""
    content = bytearray(path.read_bytes())
    place = content.index(b"\x40" + bytes([len(name)]) + name.encode())
    start = max(content.rfind(b"OHDR", 0, place), content.rfind(b"OCHK", 0, place))
    for end in range(place + len(name), len(content) - 3):
        if hashed(bytes(content[start:end])) == struct.unpack_from("<I", content, end)[0]:
            break
    else:
        raise ValueError("no checksum of the object header found")
    content[place] = 100
    struct.pack_into("<I", content, end, hashed(bytes(content[start:end])))
    path.write_bytes(content)
