#!/usr/bin/python3
# Writes the seeds of fuzz_jpeg, fuzz_png, fuzz_bmp, fuzz_gif, fuzz_webp, fuzz_heif, fuzz_jxl,
# fuzz_tiff, fuzz_raw and fuzz_exif: python3 tests/fuzz/seeds_image.py. Needs heif-enc and cjxl.
import pathlib
import struct
import subprocess
import tempfile
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SEEDS = pathlib.Path(__file__).parent / 'seeds'
II = b'II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0'
MM = b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x05\0\0\0\0\0\0'


def picture(mode, size=(20, 12)):
    im = Image.new('RGB', size)
    im.putdata(
        [
            (x * 12 % 256, y * 20 % 256, (x * y) % 256)
            for y in range(size[1])
            for x in range(size[0])
        ]
    )
    return im.convert(mode)


def save(name, im, **how):
    path = SEEDS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    im.save(path, **how)


save(
    'jpeg/420.jpg', picture('RGB'), quality=60, subsampling=2, optimize=True, exif=b'Exif\0\0' + II
)
save('jpeg/progressive.jpg', picture('RGB'), quality=60, progressive=True, optimize=True)
save('jpeg/grey.jpg', picture('L'), quality=60, optimize=True, exif=b'Exif\0\0' + MM)
save('jpeg/cmyk.jpg', picture('CMYK'), quality=60, optimize=True)
save('png/rgb.png', picture('RGB'), optimize=True)
save('png/rgba.png', picture('RGBA'), optimize=True)
save('png/palette.png', picture('P'), transparency=3, bits=4)
save('png/bits.png', picture('1'))
save('png/sixteen.png', picture('I').convert('I;16'))
XMP = '<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
RAW = f'\nexif\n{len(II) + 6:8}\n{(b"Exif" + bytes(2) + II).hex()}\n'
texts = PngInfo()
texts.add_itxt('XML:com.adobe.xmp', XMP, zip=True)
texts.add_text('Raw profile type exif', RAW, zip=True)
texts.add_text('Raw profile type APP1', RAW)
save('png/texts.png', picture('L'), pnginfo=texts, exif=II)


def chunk(kind, data):
    crc = struct.pack('>I', zlib.crc32(kind + data))
    return struct.pack('>I', len(data)) + kind + data + crc


plain = (SEEDS / 'png/rgb.png').read_bytes()
early = chunk(b'tRNS', b'\0\1\0\2\0\3') + chunk(b'PLTE', b'abcdef')  # in the wrong order
(SEEDS / 'png/order.png').write_bytes(plain[:33] + early + plain[33:])
for mode in '1', 'P', 'RGB', 'RGBA':
    save(f'bmp/{mode}.bmp', picture(mode))
save('gif/palette.gif', picture('P'))
save('gif/interlaced.gif', picture('P'), interlace=True, transparency=3)
for mode in 'RGB', 'RGBA':
    save(f'webp/lossy-{mode}.webp', picture(mode), quality=80)
    save(f'webp/lossless-{mode}.webp', picture(mode), lossless=True)
save('webp/turned.webp', picture('RGB'), lossless=True, exif=b'Exif\0\0' + II)
save(
    'webp/animated.webp',
    picture('RGBA'),
    lossless=True,
    save_all=True,
    append_images=[picture('RGBA').rotate(180)],
)


def encode(name, im, command, suffix='png', **how):
    """By a program that takes the picture and the name of what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        source = f'{folder}/in.{suffix}'
        im.save(source, **how)
        (SEEDS / name).parent.mkdir(parents=True, exist_ok=True)
        target = [SEEDS / name] if command[0] == 'cjxl' else ['-o', SEEDS / name]
        subprocess.run([*command, source, *target], check=True, capture_output=True)


for suffix, codec in ('heic', []), ('avif', ['-A']):
    heif = ['heif-enc', '-q', '60', *codec]
    encode(f'heif/rgb.{suffix}', picture('RGB', (64, 48)), heif)
    encode(f'heif/rgba.{suffix}', picture('RGBA', (64, 48)), heif)
    encode(f'heif/grey10.{suffix}', picture('L', (64, 48)), [*heif, '-b', '10'])
encode(
    'heif/exif6.heic',
    picture('RGB', (64, 48)),
    ['heif-enc', '-q', '60'],
    'jpg',
    quality=90,
    exif=b'Exif\0\0' + II,
)
for mode in 'RGB', 'RGBA', 'CMYK', 'L', 'P', '1':
    save(f'tiff/{mode}.tif', picture(mode), compression='tiff_lzw')
save('tiff/jpeg.tif', picture('RGB'), compression='jpeg')
save('tiff/deflate.tif', picture('L'), compression='tiff_adobe_deflate', tiffinfo={274: 6})
save('tiff/group4.tif', picture('1'), compression='group4')
save('tiff/sixteen.tif', picture('I').convert('I;16'))


def directory(entries):
    values = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in entries)
    return struct.pack('<H', len(entries)) + values + bytes(4)


def dng(previews):
    """A directory of a sensor, which names one of each preview."""
    first = [(254, 1), (274, 6), (0xC612, 0x0401), (262, 32803)]
    at = 8 + len(directory(first)) + 12
    seconds = [[(259, 7), (262, 6), (273, 0), (279, len(p))] for p in previews]
    data = at + sum(len(directory(s)) for s in seconds)
    subs = [at + i * len(directory(seconds[0])) for i in range(len(seconds))]
    out = directory([*first, (330, subs[0])])
    for second, preview in zip(seconds, previews):
        second[2] = (273, data)
        out += directory(second)
        data += len(preview)
    return b'II*\0\x08\0\0\0' + out + b''.join(previews)


(SEEDS / 'raw').mkdir(exist_ok=True)
JPEG = (SEEDS / 'jpeg/420.jpg').read_bytes()
(SEEDS / 'raw/one.dng').write_bytes(dng([JPEG]))
(SEEDS / 'raw/raf').write_bytes(b'FUJIFILMCCD-RAW 0201' + JPEG)
(SEEDS / 'raw/cr3').write_bytes(b'\0\0\0\x18ftypcrx \0\0\0\1crx isom\0\0\0\x22CMT1' + II + JPEG)
for mode in 'RGB', 'RGBA', 'L':
    encode(f'jxl/lossy-{mode}.jxl', picture(mode), ['cjxl', '-q', '60'])
    encode(f'jxl/lossless-{mode}.jxl', picture(mode), ['cjxl', '-q', '100', '--container=1'])
EXIF = b'Exif\0\0' + II
encode('jxl/jpeg.jxl', picture('RGB'), ['cjxl'], 'jpg', quality=60, optimize=True, exif=EXIF)
for name, block in ('little', II), ('big', MM):
    (SEEDS / 'exif').mkdir(exist_ok=True)
    (SEEDS / 'exif' / name).write_bytes(block)
RLE = (
    b'BM\0\0\0\0\0\0\0\0\x46\0\0\0\x28\0\0\0\x08\0\0\0\x02\0\0\0\x01\0\x04\0\x02\0\0\0'
    b'\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0'
    b'\xff\0\0\0\0\xff\0\0\0\0\xff\0\xff\xff\xff\0'
    b'\x05\x12\0\x03\x12\x30\0\0\0\x02\x01\0\x04\x31\0\x01'
)
(SEEDS / 'bmp/rle4.bmp').write_bytes(RLE)
