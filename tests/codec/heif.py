#!/usr/bin/python3
# HEIC and AVIF against heif-convert of libheif-examples: files in ../shared/formats, and variants
# that heif-enc makes. How a picture is turned and cut is written into their boxes. Skips what is
# absent.
import glob
import os
import shutil
import struct
import subprocess
import tempfile

import common
from common import np

seeds = glob.glob('tests/fuzz/seeds/heif/*')
shared = glob.glob('../shared/formats/heic/*') + glob.glob('../shared/formats/avif/*')
if 'missing' in str(common.ours('tests/fuzz/seeds/heif/rgb.heic')):
    common.skip('libheif is missing')


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


def irot(quarters):  # anticlockwise
    return box(b'irot', bytes([quarters]))


IMIR = box(b'imir', b'\1')  # left and right change places
TURNS = {
    1: [],
    2: [IMIR],
    3: [irot(2)],
    4: [irot(2), IMIR],
    5: [irot(3), IMIR],
    6: [irot(3)],
    7: [irot(1), IMIR],
    8: [irot(1)],
}


def clap(width, height, x, y):  # x, y: of the centre, from that of the picture
    return box(b'clap', struct.pack('>8i', width, 1, height, 1, x, 1, y, 1))


def encode(picture, path, *options):
    source = path + '.png'
    picture.save(source)
    run = subprocess.run(['heif-enc', *options, source, '-o', path], capture_output=True)
    return not run.returncode and os.path.exists(path)


def check_boxes(name, path):
    with open(path, 'rb') as file:
        data = file.read()
    stored = common.ours(path)

    def write(suffix, properties):
        with open(f'{path}.{suffix}', 'wb') as file:
            file.write(with_properties(data, properties))
        return f'{path}.{suffix}'

    files = {n: write(n, turn) for n, turn in TURNS.items()}
    common.check_turned(name, files, stored)
    cut = common.ours(write('clap', [clap(32, 16, 4, -2)]))
    common.report(
        np.array_equal(cut, stored[14:30, 20:52]),
        f'{name}: clap cuts',
        cut if isinstance(cut, str) else str(cut.shape),
    )


folder = tempfile.mkdtemp()
if common.note_missing('heif-convert'):
    convert = common.by_tool('heif-convert')
    plain = [f for f in seeds + shared if 'limited' not in f]
    common.compare('heif-convert', plain, convert, 2.5, 0.5)
if common.note_missing('heif-convert', 'heif-enc'):
    made = []
    for suffix, codec in ('heic', []), ('avif', ['-A']):
        for mode in 'RGB', 'RGBA', 'L':
            for options in [], ['-b', '10'], ['-b', '12'], ['-p', 'chroma=444'], ['-L']:
                path = os.path.join(folder, f'{mode}{"".join(options)}.{suffix}')
                if encode(common.drawing(52, 34, mode), path, *codec, *options):
                    made.append(path)
    common.compare('heif-convert', made, convert, 2.5, 0.5)
for path in 'tests/fuzz/seeds/heif/rgb.heic', 'tests/fuzz/seeds/heif/rgb.avif':
    if 'missing' in str(common.ours(path)):
        print(f'# {path}: its decoder is missing')
    else:
        copy = os.path.join(folder, os.path.basename(path))
        shutil.copy(path, copy)
        check_boxes(os.path.basename(path), copy)
stored = common.ours('tests/fuzz/seeds/heif/rgb.heic')
exif = common.ours('tests/fuzz/seeds/heif/exif6.heic')
common.report(
    not isinstance(exif, str) and exif.shape == stored.shape, 'the orientation of Exif is ignored'
)
shutil.rmtree(folder)
common.done()
