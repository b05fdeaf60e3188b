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
from heif_boxes import box, with_properties

seeds = glob.glob('tests/fuzz/seeds/heif/*')
shared = glob.glob('../shared/formats/heic/*') + glob.glob('../shared/formats/avif/*')
if 'missing' in str(common.ours('tests/fuzz/seeds/heif/rgb.heic')):
    common.skip('libheif is missing')


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
cut = os.path.join(folder, 'cut.heic')
open(cut, 'wb').write(open('tests/fuzz/seeds/heif/rgb.heic', 'rb').read()[:-40])
why = str(common.ours(cut))
common.report('damaged' in why and not why.endswith('?') and why.count('(') == why.count(')'),
              'the reason is whole', why)
shutil.rmtree(folder)
common.done()
