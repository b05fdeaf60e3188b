#!/usr/bin/python3
# Pictures of high dynamic range beside their twins of standard range: the features of the default
# model have a cosine of 0.95 or more. Ten photographs (../shared/images) get highlights of up to
# 1000 nits, and are written as PQ and HLG with the primaries of BT.2020. SHEET=FILE: a sheet of
# them. Skips without the encoders, the network or the photographs.
import glob
import os
import struct
import subprocess
import tempfile
import zlib

import common
from common import Image, np
from heif_boxes import box, with_properties

B = os.environ.get('B', 'build')
LIBDIR = os.environ.get('IMGSEARCH_LIBDIR', B)
photos = [
    path
    for folder in ('intel/*', 'flowers/*', 'imagenette/*', 'caltech101/*')
    for path in sorted(glob.glob(f'../shared/images/{folder}/*.jpg'))[::29]
][::3][:10]
if len(photos) < 10:
    common.skip('../shared/images is missing')
if not os.path.exists(f'{LIBDIR}/imgsearch-shim.so'):
    common.skip('the network is not built')
if not common.note_missing('heif-enc', 'cjxl'):
    common.skip('encoders are missing')

TO_2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def scene(rgb):
    """Nits of a scene: white at 203; what is above 0.8 of it rises up to 1000."""
    v = rgb / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    t = np.clip((linear.max(-1, keepdims=True) - 0.8) / 0.2, 0, 1)
    return 203 * linear * (1 + (1000 / 203 - 1) * t * t * (3 - 2 * t)) @ TO_2020.T


def pq(nits):
    p = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * p) / (1 + 2392 / 128 * p)) ** (2523 / 32)


def hlg(nits):
    """Through the inverse of the display of 1000 nits."""
    y = np.maximum(nits @ [0.2627, 0.6780, 0.0593], 1e-6)[..., None] / 1000
    e = np.clip(nits / 1000 * y ** (-0.2 / 1.2), 0, 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(e <= 1 / 12, np.sqrt(3 * e), a * np.log(np.maximum(12 * e - b, 1e-9)) + c)


def save_png16(path, values):
    height, width = values.shape[:2]
    rows = np.round(np.clip(values, 0, 1) * 65535).astype('>u2').reshape(height, -1)
    raw = b''.join(b'\0' + row.tobytes() for row in rows)

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', check)

    header = struct.pack('>IIBBBBB', width, height, 16, 2, 0, 0, 0)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header))
        file.write(chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))


def encode(source, path, kind):
    if path.endswith('.jxl'):
        space = f'color_space=RGB_D65_202_Rel_{"PeQ" if kind == "PQ" else "HLG"}'
        command = ['cjxl', source, path, '-q', '95', '-x', space]
    else:
        bits = ['-b', '12' if path.endswith('.avif') else '10']  # libaom's plugin fails at 10
        command = ['heif-enc', '-q', '95', *bits, source, '-o', path]
        command += ['-A'] if path.endswith('.avif') else []
    if subprocess.run(command, capture_output=True).returncode:
        return False
    if not path.endswith('.jxl'):  # heif-enc of Debian 12 writes no code points
        codes = struct.pack('>HHHB', 9, 16 if kind == 'PQ' else 18, 6, 0x80)
        with open(path, 'rb') as file:
            data = with_properties(file.read(), [box(b'colr', b'nclx' + codes)])
        with open(path, 'wb') as file:
            file.write(data)
    return True


def features(paths, folder):
    out = os.path.join(folder, 'out.npy')
    env = {**os.environ, 'IMGSEARCH_LIBDIR': LIBDIR}
    subprocess.run(
        [f'{B}/imgsearch', 'extract', '-q', '-m', 'default', '-o', out, *paths], check=True, env=env
    )
    return np.load(out)


kinds = [('heic', 'PQ'), ('avif', 'HLG'), ('jxl', 'PQ'), ('heic', 'HLG'), ('avif', 'PQ')]
with tempfile.TemporaryDirectory() as folder:
    twins, made = [], []
    for i, path in enumerate(photos):
        suffix, kind = kinds[i % len(kinds)]
        photo = Image.open(path).convert('RGB')
        photo.thumbnail((640, 640))
        photo = photo.crop((0, 0, photo.width & ~1, photo.height & ~1))
        twins.append(f'{folder}/{i}-twin.png')
        photo.save(twins[-1])
        nits = scene(np.asarray(photo).astype(float))
        save_png16(f'{folder}/{i}.png', pq(nits) if kind == 'PQ' else hlg(nits))
        made.append(f'{folder}/{i}-{kind}.{suffix}')
        if not encode(f'{folder}/{i}.png', made[-1], kind):
            common.skip(f'{suffix} cannot be encoded here')
    a, b = features(made, folder), features(twins, folder)
    cosines = (a * b).sum(1)
    common.report(
        (cosines >= 0.95).all(),
        f'{len(made)} pairs: the least cosine is {cosines.min():.3f}',
        '\n# '.join(f'{os.path.basename(m)}: {c:.4f}' for m, c in zip(made, cosines)),
    )
    if 'SHEET' in os.environ:
        sheet = Image.new('RGB', (10 * 200, 400))
        for i, (m, t) in enumerate(zip(made, twins)):
            for row, picture in enumerate([common.ours(m), np.asarray(Image.open(t))]):
                small = Image.fromarray(picture.astype('uint8'))
                small.thumbnail((200, 200))
                sheet.paste(small, (i * 200, row * 200))
        sheet.save(os.environ['SHEET'])
common.done()
