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


def with_exif(data, block):
    """The file with an Exif item of its primary one; the block begins at its TIFF header."""
    parts = dict(boxes(dict(boxes(data))[b'meta'][4:]))
    pitm, count = parts[b'pitm'][4:6], struct.unpack('>H', parts[b'iinf'][4:6])[0]
    item, content = struct.pack('>H', 100), bytes(4) + block
    infe = box(b'infe', b'\2\0\0\1' + item + b'\0\0Exif\0')
    wide = parts[b'iloc'][0] > 0  # the entry has how the place is meant

    def iloc(c, by, at):
        base = c[5] >> 4
        entry = item + bytes(2 * wide) + bytes(2 + base) + struct.pack('>HII', 1, at, len(content))
        n = struct.unpack('>H', c[6:8])[0] + 1
        return moved(c, by)[:6] + struct.pack('>H', n) + moved(c, by)[8:] + entry

    def meta(c, by, at):
        change = {
            b'iinf': lambda c: c[:4] + struct.pack('>H', count + 1) + c[6:] + infe,
            b'iloc': lambda c: iloc(c, by, at),
            b'iref': lambda c: c + box(b'cdsc', item + b'\0\1' + pitm),
        }
        inside = list(boxes(c[4:]))
        if b'iref' not in parts:
            inside.append((b'iref', bytes(4)))
        return c[:4] + b''.join(box(k, change.get(k, lambda c: c)(c)) for k, c in inside)

    old = dict(boxes(data))[b'meta']
    by = len(meta(old, 0, 0)) - len(old)
    at = len(data) + by + 8
    out = b''.join(box(k, meta(c, by, at) if k == b'meta' else c) for k, c in boxes(data))
    return out + box(b'mdat', content)
