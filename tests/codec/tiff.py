#!/usr/bin/python3
# TIFF against Pillow: kinds of samples, packings, strips and tiles, orientations. Tiles and planes
# are made by tiffcp of libtiff-tools. Skips what is absent.
import os
import struct
import subprocess
import tempfile

import common
from common import Image, np

if 'missing' in str(common.ours('tests/fuzz/seeds/tiff/RGB.tif')):
    common.skip('libtiff is missing')
folder = tempfile.TemporaryDirectory()


def save(picture, name, **how):
    path = os.path.join(folder.name, f'{name}.tif')
    picture.save(path, **how)
    return path


def copy(path, name, *options):
    out = os.path.join(folder.name, f'{name}.tif')
    run = subprocess.run(['tiffcp', *options, path, out], capture_output=True)
    return [] if run.returncode else [out]


def pillow(path):
    picture = Image.open(path)
    picture.load()
    if picture.mode == 'I;16':
        wide = np.asarray(picture).astype(int)
        return Image.fromarray(((wide * 255 + 32767) // 65535).astype('uint8'))
    return picture


made = []
for mode in 'RGB', 'RGBA', 'L', 'LA', 'P', '1', 'CMYK':
    for packing in None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits':
        made.append(save(common.drawing(52, 34, mode), f'{mode}{packing}', compression=packing))
grey = np.asarray(common.drawing(52, 34, 'L')).astype('uint16')
made.append(save(Image.fromarray(grey * 257), 'sixteen'))
for packing in 'group3', 'group4', 'tiff_ccitt':
    made.append(save(common.drawing(52, 34, '1'), packing, compression=packing))
if common.note_missing('tiffcp'):
    for mode in 'RGB', 'L', 'CMYK', 'P':
        base = os.path.join(folder.name, f'{mode}None.tif')
        made += copy(base, f'{mode}tiles', '-t', '-w', '16', '-l', '16')
        made += copy(base, f'{mode}planes', '-p', 'separate')
        made += copy(base, f'{mode}big', '-8', '-c', 'zip')
common.compare('Pillow', made, pillow, 1.01, 0.5)
jpeg = save(common.drawing(52, 34), 'jpeg', compression='jpeg', quality=95)
common.compare('Pillow (JPEG inside)', [jpeg], pillow, 6, 2)

drawing = common.drawing(52, 34)
turned = {n: save(drawing, f'turned{n}', tiffinfo={274: n}) for n in common.TURNED}
common.check_turned('TIFF', turned, np.asarray(drawing).astype(int))
floats = save(Image.fromarray(grey.astype('float32')), 'floats')
# RGB of 4 bits, which libtiff reads into no picture: not damaged.
four = os.path.join(folder.name, 'four.tif')
tags = (256, 8), (257, 8), (258, 190), (259, 1), (262, 2), (273, 200), (277, 3), (278, 8), (279, 96)
entries = (struct.pack('<HHII', tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1, value)
           for tag, value in tags)  # fmt: skip
head = b'II*\0' + struct.pack('<IH', 8, len(tags)) + b''.join(entries)
with open(four, 'wb') as file:
    file.write(head.ljust(190, b'\0') + struct.pack('<3H', 4, 4, 4).ljust(10, b'\0') + bytes(96))
why = str(common.ours(four))
common.report('such a TIFF is not read' in why, 'samples of 4 bits are no fault of the file', why)
# libtiff tells of a wrong count, goes on, and fails where the strip ends: that is the reason.
cut = save(Image.effect_noise((600, 400), 60).convert('RGB'), 'cut', compression='tiff_lzw')
file = bytearray(open(cut, 'rb').read())
at = struct.unpack_from('<I', file, 4)[0]
for tag in range(at + 2, at + 2 + 12 * struct.unpack_from('<H', file, at)[0], 12):
    if struct.unpack_from('<H', file, tag)[0] == 279:  # StripByteCounts
        struct.pack_into('<I', file, struct.unpack_from('<I', file, tag + 8)[0], 0x7FFFFFFF)
open(cut, 'wb').write(file)
why = str(common.ours(cut))
common.report('damaged: Read error' in why, 'the reason is what ended the reading', why)
common.report('floats is not read' in str(common.ours(floats)), 'floats are refused by name')

try:
    from PIL import ImageCms

    profile = '/usr/share/color/icc/ghostscript/default_cmyk.icc'
    inks = common.drawing(52, 34, 'CMYK')
    path = save(inks, 'profile', icc_profile=open(profile, 'rb').read())
    expected = ImageCms.profileToProfile(
        inks, profile, ImageCms.createProfile('sRGB'), ImageCms.Intent.PERCEPTUAL, 'RGB'
    )
    common.compare('Little CMS (CMYK)', [path], lambda _: expected, 4, 1)
except (ImportError, OSError) as why:
    print(f'# SKIP CMYK with a profile: {why}')
common.done()
