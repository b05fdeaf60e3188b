#!/usr/bin/python3
# The first frame of animations in WebP and GIF: on its canvas, with an offset, clear or not,
# whatever the container announces and whatever becomes of the frame afterwards. Skips what is
# absent.
import io
import os
import struct
import tempfile

import common
from common import Image, np

folder = tempfile.TemporaryDirectory()
WIDTH, HEIGHT = 60, 40
FRAMES = (26, 18, 10, 6), (60, 40, 0, 0), (20, 40, 40, 0)  # width, height, x, y


def clear_part(mode, size):
    """A drawing; with alpha, its left half is clear."""
    picture = common.drawing(*size, 'RGB').convert(mode)
    if mode == 'RGBA':
        picture.putalpha(Image.fromarray(
            np.repeat([np.where(np.arange(size[0]) * 2 < size[0], 0, 255)], size[1], 0)
            .astype('uint8')
        ))  # fmt: skip
    return picture


def on_canvas(picture, at):
    canvas = Image.new('RGBA', (WIDTH, HEIGHT))
    canvas.paste(picture.convert('RGBA'), at)
    return common.over(canvas)


def chunk(name, data):
    return name + struct.pack('<I', len(data)) + data + bytes(len(data) % 2)


def bitstream(picture, **how):
    """The chunks of a still WebP, without its header of extensions."""
    out = io.BytesIO()
    picture.save(out, 'WEBP', **how)
    data, at, parts = out.getvalue(), 12, b''
    while at < len(data):
        size = struct.unpack('<I', data[at + 4 : at + 8])[0]
        if data[at : at + 4] in (b'ALPH', b'VP8 ', b'VP8L'):
            parts += data[at : at + 8 + size + size % 2]
        at += 8 + size + size % 2
    return parts


def three(number):
    return struct.pack('<I', number)[:3]


def animated_webp(streams, frame, alpha, flags, colour):
    width, height, x, y = frame
    head = bytes([2 | 16 * alpha, 0, 0, 0]) + three(WIDTH - 1) + three(HEIGHT - 1)
    out = chunk(b'VP8X', head) + chunk(b'ANIM', colour + bytes(2))
    for stream in streams:
        place = three(x // 2) + three(y // 2) + three(width - 1) + three(height - 1)
        out += chunk(b'ANMF', place + three(100) + bytes([flags]) + stream)
    return b'RIFF' + struct.pack('<I', len(out) + 4) + b'WEBP' + out


def check(name, data, expected, most):
    path = os.path.join(folder.name, 'file')
    with open(path, 'wb') as file:
        file.write(data)
    got = common.ours(path)
    if isinstance(got, str) or got.shape != expected.shape:
        return f'{name}: {got if isinstance(got, str) else got.shape}'
    off = np.abs(got - expected).mean()
    return f'{name}: mean error {off:.2f}' if off > most else None


wrong, n = [], 0
webp = 'missing' not in str(common.ours('tests/fuzz/seeds/webp/lossy-RGB.webp'))
for frame in FRAMES if webp else ():
    for mode in 'RGB', 'RGBA':
        picture = clear_part(mode, frame[:2])
        later = bitstream(Image.new('RGB', frame[:2], 'blue'), lossless=True)
        for how, most in ({'lossless': True}, 0.5), ({'quality': 95}, 6):
            for alpha in 0, 1:
                for flags in range(4):  # dispose, do not blend
                    data = animated_webp(
                        [bitstream(picture, **how), later], frame, alpha, flags, b'\0\0\xff\xff'
                    )
                    name = f'{frame} {mode} {how} alpha {alpha} flags {flags}'
                    wrong.append(check(name, data, on_canvas(picture, frame[2:]), most))
                    n += 1
wrong = [text for text in wrong if text]
if webp:
    common.report(not wrong, f'WebP: {n} animations', '\n# '.join(wrong))

def gif_codes(index):
    """Pixels of 4 bits. They are not packed: a clear code comes before the width would grow."""
    bits, count = 0, 0
    for i, code in enumerate(index.ravel()):
        if i % 10 == 0:
            bits |= 16 << count
            count += 5
        bits |= int(code) << count
        count += 5
    stream = (bits | 17 << count).to_bytes((count + 12) // 8, 'little')
    parts = (stream[i : i + 255] for i in range(0, len(stream), 255))
    return b''.join(bytes([len(part)]) + part for part in parts)


def animated_gif(indices, palette, frame, clear, disposal):
    """clear: colour 3 is."""
    out = b'GIF89a' + struct.pack('<2H', WIDTH, HEIGHT) + bytes([0xB3, 5, 0]) + palette
    for index in indices:
        out += bytes([0x21, 0xF9, 4, disposal << 2 | clear, 10, 0, 3 * clear, 0])
        out += b'\x2c' + struct.pack('<4H', *frame[2:], *frame[:2]) + b'\0\4'
        out += gif_codes(index) + b'\0'
    return out + b';'


wrong, n = [], 0
for frame in FRAMES:
    picture = common.drawing(*frame[:2]).quantize(15)
    palette = bytes(picture.getpalette()[: 15 * 3]).ljust(48, b'\0')
    index = np.asarray(picture)
    rgb = np.array(list(palette)).reshape(16, 3)[index]
    for clear in False, True:
        alpha = np.where(clear & (index == 3), 0, 255)
        shown = Image.fromarray(np.dstack([rgb, alpha]).astype('uint8'), 'RGBA')
        for disposal in range(8):
            data = animated_gif([index, index[::-1]], palette, frame, clear, disposal)
            name = f'{frame} clear {clear} disposal {disposal}'
            wrong.append(check(name, data, on_canvas(shown, frame[2:]), 0.5))
            n += 1
wrong = [text for text in wrong if text]
common.report(not wrong, f'GIF: {n} animations', '\n# '.join(wrong))
common.done()
