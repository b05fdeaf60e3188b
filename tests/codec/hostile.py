#!/usr/bin/python3
# Files that were made to do harm: sizes that no memory has, lengths of 4 GB, thousands of frames
# and boxes, boxes in boxes, places that lead back. The run goes on, and says of each what it is. A
# format whose library is missing is left out.
import json
import os
import struct
import subprocess
import tempfile
import zlib

from heif_boxes import box, with_exif, with_properties

B = os.path.abspath(os.environ.get('B', 'build'))
SEEDS = 'tests/fuzz/seeds/'
GIANT = struct.pack('>I', 0xFFFFFFFF)


def seed(name):
    with open(SEEDS + name, 'rb') as file:
        return file.read()


def three(number):
    return struct.pack('<I', number)[:3]


def chunk(name, data):
    return name + struct.pack('<I', len(data)) + data + bytes(len(data) % 2)


def webp(flags, width, height, rest):
    out = chunk(b'VP8X', bytes([flags, 0, 0, 0]) + three(width - 1) + three(height - 1)) + rest
    return b'RIFF' + struct.pack('<I', len(out) + 4) + b'WEBP' + out


def frame(width, height, stream):
    place = bytes(6) + three(width - 1) + three(height - 1)
    return chunk(b'ANMF', place + three(1) + b'\0' + stream)


def nested(depth):
    data = b''
    for i in range(depth):
        data = box(b'meta', bytes(4) + data) if i % 2 else box(b'moov', data)
    return data


def with_sizes(data, width, height):
    """HEIC whose every picture says that it has this size."""
    at = data.find(b'ispe')
    while at >= 0:
        data = data[: at + 8] + struct.pack('>2I', width, height) + data[at + 16 :]
        at = data.find(b'ispe', at + 4)
    return data


def tiff(width, height, rest=(), following=0, pixels=b'', **changed):
    """Grey of 8 bits; the directory begins at 8, the pixels at 400."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 400, 277: 1, 278: height}
    tags[279] = len(pixels) or 0xFFFFFFFF
    tags.update({int(tag[1:]): value for tag, value in changed.items()})
    entries = [struct.pack('<HHII', tag, 4, 1, value) for tag, value in sorted(tags.items())]
    entries = sorted(entries + [struct.pack('<HHII', *entry) for entry in rest],
                     key=lambda entry: struct.unpack('<H', entry[:2]))  # fmt: skip
    head = b'II*\0' + struct.pack('<IH', 8, len(entries)) + b''.join(entries)
    return (head + struct.pack('<I', following)).ljust(400, b'\0') + pixels


def bmp(width, height, bits, packing):
    head = struct.pack('<IiiHHIIiiII', 40, width, height, 1, bits, packing, 0xFFFFFFFF, 0, 0, 0, 0)
    return b'BM' + struct.pack('<I2HI', 0xFFFFFFFF, 0, 0, 1078) + head + bytes(1024) + b'\0\0' * 99


lossy = seed('webp/lossy-RGB.webp')[12:]
heic = seed('heif/rgb.heic')
iloc = heic.index(b'iloc')
jxl = seed('jxl/lossless-RGB.jxl')
zeros = zlib.compress(bytes(10_000_000), 9)
one = b'!\xf9\4\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0'
GIF = b'GIF89a\1\0\1\0\x80\0\0' + bytes(6)
MATROSKA = bytes.fromhex('1a45dfa380 1853806701ffffffffffffff')
# What it may be: libraries of other versions refuse more or less.
READ, REFUSED, BIG = ('indexed',), ('damaged', 'too big'), ('too big',)
ANY = READ + REFUSED
FILES = {
    'canvas.webp': (BIG, webp(2, 1 << 24, 1 << 24, frame(1 << 24, 1 << 24, lossy))),
    'frames.webp': (READ, webp(2, 20, 12, frame(20, 12, lossy) * 9999)),
    'chunks.webp': (READ, webp(0, 20, 12, chunk(b'JUNK', b'') * 99999 + lossy)),
    'length.webp': (REFUSED, b'RIFF' + GIANT + b'WEBPVP8 ' + GIANT + lossy[8:]),
    'nested.heic': (REFUSED, heic[:28] + nested(9999)),
    'sides.heic': (BIG, with_sizes(heic, 0xFFFFFFFF, 0xFFFFFFFF)),
    'large.heic': (REFUSED, with_sizes(heic, 14000, 14000)),
    'empty.heic': (REFUSED, with_sizes(heic, 0, 0)),
    'places.heic': (ANY, heic[: iloc + 12] + b'\xff\xff' + heic[iloc + 14 :]),
    'turns.heic': (ANY, with_properties(heic, [box(b'irot', b'\1')] * 99)),
    'cut.heic': (REFUSED, with_properties(heic, [box(b'clap', b'\x7f\xff\xff\xff' * 8)])),
    'metadata.heic': (ANY, with_exif(heic, b'II*\0' + b'A' * 5_000_000)),
    'boxes.jxl': (READ, jxl[:32] + box(b'junk', b'') * 99999 + jxl[32:]),
    'sides.tif': (REFUSED, tiff(0xFFFFFFFF, 0xFFFFFFFF)),
    'large.tif': (REFUSED, tiff(14000, 14000)),
    'loop.tif': (REFUSED, tiff(10, 10, following=8)),
    'directories.tif': (REFUSED, tiff(10, 10, t330=8, t34665=8)),
    'rows.tif': (REFUSED, tiff(10, 1000000, t278=1)),
    'tiles.tif': (REFUSED, tiff(9999, 9999, [(324, 4, 1 << 29, 8), (325, 4, 1 << 29, 8)],
                                  t322=16, t323=16)),
    'packed.tif': (ANY, tiff(10, 10, t259=8, pixels=zeros)),
    'canvas.gif': (BIG, b'GIF89a' + GIANT + GIF[10:] + one[:13] + GIANT + one[17:] + b';'),
    'frames.gif': (READ, GIF + one * 99999 + b';'),
    'comments.gif': (READ, GIF + b'!\xfe\1a\0' * 99999 + one + b';'),
    'sides.bmp': (BIG, bmp(0x7FFFFFFF, -0x80000000, 24, 0)),
    'packed.bmp': (REFUSED, bmp(14000, 14000, 8, 1)),
    'nested.mp4': (REFUSED, box(b'ftyp', b'isom') + nested(9999)),
    'elements.mkv': (REFUSED, MATROSKA + b'\xec\x80' * 99999),
    'lists.avi': (REFUSED, b'RIFF' + GIANT + b'AVI ' + (b'LIST' + GIANT + b'hdrl') * 99999),
}  # fmt: skip

with tempfile.TemporaryDirectory() as folder:
    pictures = os.path.join(folder, 'pictures')
    os.mkdir(pictures)
    for name, (_, data) in FILES.items():
        with open(os.path.join(pictures, name), 'wb') as file:
            file.write(data)
    env = {**os.environ, 'IMGSEARCH_LIBDIR': f'{B}/tests/lib', 'IMGSEARCH_DB': f'{folder}/i.db'}

    def imgsearch(*words):
        return subprocess.run(
            [f'{B}/imgsearch', *words], capture_output=True, text=True, env=env
        )

    run = imgsearch('index', '--formats', '+tiff,+video', '--max-memory', '2G', pictures)
    items = [json.loads(line) for line in imgsearch('failed', '--json').stdout.splitlines()]
    items += [json.loads(line) for line in imgsearch('list', '--json').stdout.splitlines()]
found = {os.path.basename(item['path']): item for item in items}
number = 0
for number, (name, (state, _)) in enumerate(FILES.items(), 1):
    item = found.get(name, {'state': 'lost', 'reason': run.stderr})
    reason = item.get('reason', '')
    fine = item['state'] in state or (item['state'] == 'unsupported' and 'missing' in reason)
    told = item['state'] == 'indexed' or reason
    print(f'{"ok" if fine and told else "not ok"} {number} - {name}')
    print(f'# {item["state"]}: {reason}')
print(f'1..{number}')
