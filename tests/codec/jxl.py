#!/usr/bin/python3
# JPEG XL against djxl of libjxl-tools: variants that cjxl makes, in sRGB. The orientation is that
# of the codestream, which cjxl takes from the Exif of a JPEG. Skips what is absent.
import glob
import os
import subprocess
import tempfile

import common
from common import Image, np

seeds = sorted(glob.glob('tests/fuzz/seeds/jxl/*'))
if 'missing' in str(common.ours(seeds[0])):
    common.skip('libjxl is missing')
if not common.note_missing('cjxl', 'djxl'):
    common.skip('cjxl or djxl is missing')
folder = tempfile.TemporaryDirectory()


def encode(picture, name, *options, suffix='png', **how):
    path = os.path.join(folder.name, name)
    picture.save(f'{path}.{suffix}', **how)
    run = subprocess.run(
        ['cjxl', f'{path}.{suffix}', f'{path}.jxl', *options], capture_output=True
    )
    return None if run.returncode else f'{path}.jxl'


made = []
for mode in 'RGB', 'RGBA', 'L', 'LA':
    for options in ['-q', '100'], ['-q', '80'], ['-q', '80', '-p'], ['-q', '90', '--container=1']:
        name = f'{mode}{"".join(options)}'
        made.append(encode(common.drawing(52, 34, mode), name, *options))
wide = Image.fromarray((np.asarray(common.drawing(52, 34, 'L')).astype('uint16') * 257))
made.append(encode(wide, 'sixteen', '-q', '100'))
made = [path for path in made if path]
# Pillow cuts off 16-bit samples where this library rounds them.
common.compare('djxl', seeds + made, common.by_tool('djxl'), 1.51, 0.5)

turned = {}
for orientation in common.TURNED:
    exif = Image.Exif()
    exif[0x0112] = orientation
    drawing = common.drawing(52, 34)
    turned[orientation] = encode(
        drawing, f'turned{orientation}', '-j', '1', suffix='jpg', quality=95, exif=exif
    )
common.check_turned('JPEG XL', turned, common.ours(turned[1]))
common.done()
