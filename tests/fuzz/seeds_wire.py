#!/usr/bin/python3
"""Writes the seeds of fuzz_wire, of codec/wire.h: python3 tests/fuzz/seeds_wire.py"""
import pathlib
import struct

SEEDS = pathlib.Path(__file__).parent / 'seeds'
MAGIC = 0x696D7364
HEAD, DECODE, BLOCKS = range(3)
CODECS = 'webp/turned.webp', 'heif/exif6.heic', 'heif/rgb.avif', 'jxl/jpeg.jxl', 'tiff/RGB.tif'


def request(action, data, partial=0):
    return struct.pack('<4I2Q', MAGIC, action, partial, 1, len(data), 1 << 17) + data


def answer(width=5, height=3, code=0, partial=0, pixels=b'', exif=b'', xmp=b'', said=b''):
    numbers = MAGIC, code, width, height, 1, 0, partial, 0
    sizes = 1 << 20, len(pixels), len(exif), len(xmp)
    return struct.pack('<Ii6I2Q2I504s', *numbers, *sizes, said) + exif + xmp + pixels


SEED = {}
for number, name in enumerate(CODECS):
    file = (SEEDS / name).read_bytes()
    SEED[name.split('.')[-1]] = bytes([number]) + request(DECODE, file) + request(BLOCKS, file)
SEED['two'] = b'\0' + request(HEAD, b'RIFF', 1) + request(DECODE, b'x')
SEED['head'] = bytes([128]) + answer()
SEED['pixels'] = bytes([129]) + answer(pixels=bytes(45))
SEED['rows'] = bytes([128 + 64 + 3 * 7]) + answer(height=2, partial=1, pixels=bytes(30))
SEED['blocks'] = bytes([130]) + answer(exif=b'II*\0', xmp=b'<x/>')
SEED['error'] = bytes([129]) + answer(code=-5, said=b'it is cut off')
(SEEDS / 'wire').mkdir(parents=True, exist_ok=True)
for name, data in SEED.items():
    (SEEDS / 'wire' / name).write_bytes(data)
