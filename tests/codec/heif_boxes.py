"""Boxes of HEIF: adds properties to the primary item of a file."""

import struct


def boxes(data):
    """(type, content) of the boxes in a container."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack('>I4s', data[at : at + 8])
        yield kind, data[at + 8 : at + size]
        at += size


def box(kind, content):
    return struct.pack('>I4s', len(content) + 8, kind) + content


def moved(iloc, by):
    """iloc of version 0 or 1, 4 bytes an offset and a length, with offsets that grow by `by`."""
    version, at, out = iloc[0], 8, bytearray(iloc)
    assert iloc[4] == 0x44 and version < 2
    base = iloc[5] >> 4
    for _ in range(struct.unpack('>H', iloc[6:8])[0]):
        in_file = not version or not struct.unpack('>H', iloc[at + 2 : at + 4])[0] & 15
        at += 4 + (2 if version else 0) + base
        for _ in range(struct.unpack('>H', iloc[at : at + 2])[0]):
            offset = struct.unpack('>I', iloc[at + 2 : at + 6])[0]
            out[at + 2 : at + 6] = struct.pack('>I', offset + by * in_file)
            at += 8
        at += 2
    return bytes(out)


def with_properties(data, properties):
    """The file with boxes such as irot added to its primary item, in this order."""
    pitm = dict(boxes(dict(boxes(data))[b'meta'][4:]))[b'pitm'][4:6]

    def ipma(content, first):
        wide, at, out = content[3] & 1, 8, content[:8]
        indices = [0x80 << 8 * wide | (first + i) for i in range(len(properties))]
        added = struct.pack(f'>{len(indices)}{"H" if wide else "B"}', *indices)
        while at < len(content):
            item, n = content[at : at + 2], content[at + 2]
            there = content[at + 3 : at + 3 + (n << wide)]
            mine = item == pitm
            out += item + bytes([n + len(indices) * mine]) + there + added * mine
            at += 3 + (n << wide)
        return out

    def iprp(content):
        parts = dict(boxes(content))
        n = len(list(boxes(parts[b'ipco'])))
        ipco = parts[b'ipco'] + b''.join(properties)
        return box(b'ipco', ipco) + box(b'ipma', ipma(parts[b'ipma'], n + 1))

    def meta(content, by):
        change = {b'iprp': iprp, b'iloc': lambda c: moved(c, by)}
        return content[:4] + b''.join(
            box(k, change.get(k, lambda c: c)(c)) for k, c in boxes(content[4:])
        )

    old = dict(boxes(data))[b'meta']
    by = len(meta(old, 0)) - len(old)
    return b''.join(box(k, meta(c, by) if k == b'meta' else c) for k, c in boxes(data))
