#!/usr/bin/python3
# How each format says how it is turned, in every place where it may be said: pixels of the eight
# orientations. RAW is in tests/image/test_raw.c. `own`: the format's place (irot and imir, the
# codestream, the tag). Exif has another orientation for a thumbnail. Skips what is absent.
#
#   format  | own alone | Exif alone | own and Exif | XMP alone
#   JPEG    | -         | Exif       | -            | XMP
#   PNG     | -         | Exif       | -            | XMP
#   WebP    | -         | Exif       | -            | XMP
#   TIFF    | own       | -          | -            | no
#   HEIC    | own       | no         | own          | no
#   AVIF    | own       | no         | own          | no
#   JPEG XL | own       | no         | own          | no
import os
import struct
import subprocess
import tempfile

import common
from common import Image, np
from heif_boxes import box, boxes, with_exif, with_properties
from PIL.PngImagePlugin import PngInfo

folder = tempfile.TemporaryDirectory()
drawing = common.drawing(52, 34)
stored = np.asarray(drawing).astype(int)
XMP = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-"
    "syntax-ns#'><rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='{}'/>"
    '</rdf:RDF></x:xmpmeta>'
)
IMIR = box(b'imir', b'\1')
TURNS = {
    n: [box(b'irot', bytes([quarters]))] * (quarters > 0) + [IMIR] * mirrored
    for n, quarters, mirrored in (
        (1, 0, 0), (2, 0, 1), (3, 2, 0), (4, 2, 1), (5, 3, 1), (6, 3, 0), (7, 1, 1), (8, 1, 0)
    )
}  # fmt: skip


def exif(orientation, thumbnail=None):
    """A block; thumbnail: the orientation of a second directory."""
    entry = struct.pack('<HHIHH', 0x0112, 3, 1, orientation, 0)
    first = struct.pack('<H', 1) + entry
    if not thumbnail:
        return b'II*\0' + struct.pack('<I', 8) + first + bytes(4)
    second = struct.pack('<H', 1) + struct.pack('<HHIHH', 0x0112, 3, 1, thumbnail, 0) + bytes(4)
    return b'II*\0' + struct.pack('<I', 8) + first + struct.pack('<I', 8 + 18) + second


def other(orientation):
    return orientation % 8 + 1


def path_of(name):
    return os.path.join(folder.name, name)


def check(name, write, original=stored, turned=True):
    """write(path, orientation) makes a file. turned: whether that counts."""
    files = {}
    for n in common.TURNED:
        files[n] = path_of(f'{name} {n}')
        write(files[n], n)
    if 'missing' in str(common.ours(files[1])):
        print(f'# {name}: {common.ours(files[1])}')
    elif turned:
        common.check_turned(name, files, original)
    else:
        wrong = [n for n, f in files.items() if not np.array_equal(common.ours(f), original)]
        common.report(not wrong, f'{name}: no part in it', wrong or '')


def save(kind, **how):
    return lambda path, n: drawing.save(path, kind, **{k: make(n) for k, make in how.items()})


def app1_exif(n):
    return b'Exif\0\0' + exif(n, other(n))


def xmp(n):
    return XMP.format(n).encode()


def png_xmp(n):
    info = PngInfo()
    info.add_itxt('XML:com.adobe.xmp', XMP.format(n))
    return info


def jpeg_with_xmp(path, n):
    """Pillow before 11 writes none."""
    save('JPEG', **PLAIN)(path, n)
    with open(path, 'rb') as f:
        data = f.read()
    block = b'http://ns.adobe.com/xap/1.0/\0' + xmp(n)
    with open(path, 'wb') as f:
        f.write(data[:2] + b'\xff\xe1' + struct.pack('>H', len(block) + 2) + block + data[2:])


def tags(n):
    return {0x0112: n}


def xmp_tag(n):
    return {700: xmp(n)}


def lossless(_):
    return True


def best(_):
    return 100


def no_chroma(_):
    return 0


PLAIN = {'quality': best, 'subsampling': no_chroma}
check('JPEG, Exif', save('JPEG', exif=app1_exif, **PLAIN))
check('JPEG, XMP', jpeg_with_xmp)
check('PNG, Exif', save('PNG', exif=lambda n: exif(n, other(n))))
check('PNG, XMP', save('PNG', pnginfo=png_xmp))
check('WebP, Exif', save('WEBP', exif=app1_exif, lossless=lossless))
check('WebP, Exif without its name', save('WEBP', exif=exif, lossless=lossless))
check('WebP, XMP', save('WEBP', xmp=xmp, lossless=lossless))
check('TIFF, its tag', save('TIFF', tiffinfo=tags))
check('TIFF, XMP', save('TIFF', tiffinfo=xmp_tag), turned=False)


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


for suffix, name in ('heic', 'HEIC'), ('avif', 'AVIF'):
    seed = f'tests/fuzz/seeds/heif/rgb.{suffix}'
    data, pixels = open(seed, 'rb').read(), common.ours(seed)
    if isinstance(pixels, str):
        print(f'# {name}: {pixels}')
        continue
    check(f'{name}, boxes', lambda p, n: write(p, with_properties(data, TURNS[n])), pixels)
    check(f'{name}, Exif', lambda p, n: write(p, with_exif(data, exif(n, 6))), pixels, False)
    check(
        f'{name}, boxes and Exif',
        lambda p, n: write(p, with_exif(with_properties(data, TURNS[n]), exif(other(n)))),
        pixels,
    )

# A thumbnail of HEIC is not turned with its picture.
source, thumbed = path_of('source.png'), path_of('thumbed.heic')
drawing.resize((520, 340)).save(source)
if common.note_missing('heif-enc'):
    command = ['heif-enc', '-q', '90', '-t', '64', source, '-o', thumbed]
    made = subprocess.run(command, capture_output=True).returncode == 0
    if made and b'thmb' in open(thumbed, 'rb').read():
        data, pixels = open(thumbed, 'rb').read(), common.ours(thumbed)
        check(
            'HEIC with a thumbnail, boxes',
            lambda p, n: write(p, with_properties(data, TURNS[n])), pixels,
        )  # fmt: skip


def with_exif_box(data, block):
    """JPEG XL in its container, with Exif behind the first two boxes."""
    parts = [(k, c) for k, c in boxes(data) if k != b'Exif' and k != b'brob']
    parts.insert(2, (b'Exif', bytes(4) + block))
    return b''.join(box(k, c) for k, c in parts)


seed = 'tests/fuzz/seeds/jxl/lossless-RGB.jxl'
data, pixels = open(seed, 'rb').read(), common.ours(seed)
if isinstance(pixels, str):
    print(f'# JPEG XL: {pixels}')
else:
    check('JPEG XL, Exif', lambda p, n: write(p, with_exif_box(data, exif(n, 6))), pixels, False)
    if common.note_missing('cjxl'):
        own = {}
        for n in common.TURNED:
            source = path_of(f'own{n}.jpg')
            drawing.save(source, 'JPEG', exif=app1_exif(n), **{k: v(n) for k, v in PLAIN.items()})
            command = ['cjxl', source, path_of(f'own{n}.jxl'), '-j', '1', '--container=1']
            subprocess.run(command, capture_output=True)
            own[n] = open(path_of(f'own{n}.jxl'), 'rb').read()
        check('JPEG XL, codestream', lambda p, n: write(p, own[n]))
        check(
            'JPEG XL, codestream and Exif',
            lambda p, n: write(p, with_exif_box(own[n], exif(other(n)))),
        )

# Names play no part: HEIC named .jpg, JPEG named .heic.
for name, path in ('HEIC named .jpg', 'heif/rgb.heic'), ('JPEG named .heic', 'jpeg/420.jpg'):
    renamed = path_of(name.split()[-1])
    write(renamed, open(f'tests/fuzz/seeds/{path}', 'rb').read())
    first, second = common.ours(f'tests/fuzz/seeds/{path}'), common.ours(renamed)
    if isinstance(first, str):
        print(f'# {name}: {first}')
    else:
        common.report(np.array_equal(first, second), name)
common.done()
