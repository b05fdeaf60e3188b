#!/usr/bin/python3
# Colours of files against Pillow with Little CMS: profiles of every kind in JPEG and PNG. Wants
# python3-pil, python3-numpy, liblcms2-2, and profiles (icc-profiles-free, colord-data, or a folder
# in $IMGSEARCH_PROFILES); skips what is absent.
import glob
import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

B = os.environ.get('B', 'build')
SHOW = os.path.join(B, 'tests/image/show')
FOLDER = os.environ.get('IMGSEARCH_PROFILES', '/usr/share/color/icc')


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


try:
    import numpy as np
    from PIL import Image, ImageCms
except ImportError as missing:
    skip(f'{missing.name} is missing')

failed = 0
tests = 0


def report(ok, name, detail=''):
    global failed, tests
    tests += 1
    failed += not ok
    print(f'{"ok" if ok else "not ok"} {tests} - {name}')
    if detail:
        print(f'# {detail}')


def photo(mode, side=96):
    """Every channel over its range, with soft and hard edges."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1)
    planes = [x, y, 1 - (x + y) / 2, (x * y)][: len(Image.new(mode, (1, 1)).getbands())]
    data = np.stack(planes, -1)
    data[side // 3 : side // 2] = data[side // 3 : side // 2, ::-1]
    array = np.round(data * 255).astype(np.uint8)
    return Image.fromarray(array[..., 0] if mode == 'L' else array, mode)


def ours(path):
    run = subprocess.run([SHOW, 'pixels', path], capture_output=True)
    if run.returncode:
        raise RuntimeError(run.stderr.decode())
    return np.asarray(Image.open(io.BytesIO(run.stdout)).convert('RGB')).astype(int)


def theirs(path, icc):
    """The Pillow call that people use; the pixels as they are where it refuses the profile."""
    im = Image.open(path)
    im.load()
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        target = ImageCms.createProfile('sRGB')
        im = ImageCms.profileToProfile(
            im, source, target, renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode='RGB'
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        pass
    return np.asarray(im.convert('RGB')).astype(int)


def save(path, im, icc):
    if path.endswith('.jpg'):
        im.save(path, quality=95, icc_profile=icc, subsampling=0)
    else:
        im.save(path, icc_profile=icc)


def profiles():
    found = sorted(glob.glob(FOLDER + '/**/*.ic[cm]', recursive=True))
    for path in found:
        icc = open(path, 'rb').read()
        mode = {b'RGB ': 'RGB', b'GRAY': 'L', b'CMYK': 'CMYK'}.get(icc[16:20])
        if mode and icc[12:16] in (b'mntr', b'scnr', b'prtr', b'spac') and len(icc) < 1 << 24:
            yield os.path.relpath(path, FOLDER), icc, mode


with tempfile.TemporaryDirectory() as folder:
    count, worst = 0, (0, '')
    for name, icc, mode in profiles():
        for ending in ['jpg'] if mode == 'CMYK' else ['jpg', 'png']:
            path = os.path.join(folder, f'a.{ending}')
            save(path, photo(mode), icc)
            mean = np.abs(ours(path) - theirs(path, icc)).mean()
            count += 1
            worst = max(worst, (mean, f'{name} in {ending}'))
            if mean > 1:
                print(f'# {name} ({mode}) in {ending}: mean error {mean:.2f}')
    if count:
        detail = f'worst mean error {worst[0]:.3f}: {worst[1]}'
        report(worst[0] <= 1, f'{count} files with profiles', detail)
    else:
        print(f'# no profiles in {FOLDER}')

    # Damaged profiles: the pixels as they are.
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    for what, bad in [
        ('cut off', icc[:100]),
        ('of zeros', bytes(500)),
        ('with a tag outside', icc[:132] + b'\xff' * 60 + icc[192:]),
        ('for other pixels', icc[:16] + b'CMYK' + icc[20:]),
    ]:
        same = True
        for ending in ('jpg', 'png'):
            path = os.path.join(folder, f'b.{ending}')
            save(path, photo('RGB'), bad)
            plain = np.asarray(Image.open(path).convert('RGB')).astype(int)
            same &= np.abs(ours(path) - plain).mean() <= 1
        report(same, f'a profile {what}')

    def chunk(kind, data):
        crc = struct.pack('>I', zlib.crc32(kind + data))
        return struct.pack('>I', len(data)) + kind + data + crc

    def png(array, chunks):
        """8 or 16 bits, RGB or RGBA."""
        h, w, c = array.shape
        rows = array.astype('>u2' if array.dtype.itemsize == 2 else np.uint8)
        raw = b''.join(b'\0' + rows[y].tobytes() for y in range(h))
        head = struct.pack('>IIBBBBB', w, h, 8 * array.dtype.itemsize, 2 if c == 3 else 6, 0, 0, 0)
        return (
            b'\x89PNG\r\n\x1a\n'
            + chunk(b'IHDR', head)
            + b''.join(chunk(k, d) for k, d in chunks)
            + chunk(b'IDAT', zlib.compress(raw))
            + chunk(b'IEND', b'')
        )

    def srgb_to_linear(v):
        return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)

    def linear_to_srgb(v):
        v = np.clip(v, 0, 1)
        return np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)

    def written(name, array, chunks):
        path = os.path.join(folder, name)
        open(path, 'wb').write(png(array, chunks))
        return ours(path)

    want = np.asarray(photo('RGB')) / 255
    level = np.round(want * 255)
    gama = lambda g: (b'gAMA', struct.pack('>I', round(g * 100000)))
    chrm = lambda *v: (b'cHRM', struct.pack('>8I', *[round(x * 100000) for x in v]))
    SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
    P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)

    def error(got, wanted=None):
        return np.abs(got - (level if wanted is None else np.round(wanted * 255))).mean()

    linear16 = np.round(srgb_to_linear(want) * 65535).astype(np.uint16)
    e = error(written('linear.png', linear16, [gama(1.0)]))
    report(e <= 0.5, 'gAMA 1 with 16 bits is linear light', f'mean error {e:.3f}')
    alpha = np.dstack([linear16, np.full(linear16.shape[:2], 65535, np.uint16)])
    e = error(written('alpha.png', alpha, [gama(1.0)]))
    report(e <= 0.5, 'and so with alpha', f'mean error {e:.3f}')
    gamma18 = np.round(srgb_to_linear(want) ** (1 / 1.8) * 255).astype(np.uint8)
    e = error(written('g18.png', gamma18, [gama(1 / 1.8)]))
    report(e <= 1, 'gAMA of 1/1.8', f'mean error {e:.3f}')
    eight = np.round(want * 255).astype(np.uint8)
    for name, chunks in [
        ('gAMA of sRGB', [gama(0.45455)]),
        ('gAMA and cHRM of sRGB', [gama(0.45455), chrm(*SRGB)]),
        ('sRGB before gAMA', [(b'sRGB', b'\0'), gama(1.0)]),
        ('cHRM alone', [chrm(*P3)]),
        ('cICP of sRGB before gAMA', [(b'cICP', bytes([1, 13, 0, 1])), gama(1.0)]),
        ('gAMA of 0', [gama(0)]),
        ('cHRM of zeros', [gama(0.45455), chrm(*[0] * 8)]),
        ('cICP of YCbCr is not RGB', [(b'cICP', bytes([1, 13, 1, 1]))]),
    ]:
        same = np.array_equal(written('s.png', eight, chunks), eight)
        report(same, f'{name}: nothing to convert')

    def matrix(points):
        pairs = zip(points[::2], points[1::2])
        w, r, g, b = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in pairs]
        m = np.stack([r, g, b], 1)
        return m * np.linalg.solve(m, w)

    to_srgb = np.linalg.solve(matrix(SRGB), matrix(P3))
    p3 = linear_to_srgb(srgb_to_linear(want) @ to_srgb.T)
    e = error(written('p3.png', eight, [(b'cICP', bytes([12, 13, 0, 1]))]), p3)
    report(e <= 1, 'cICP of Display P3', f'mean error {e:.3f}')
    g22 = linear_to_srgb((want**2.2) @ to_srgb.T)
    e = error(written('c.png', eight, [gama(0.45455), chrm(*P3)]), g22)
    report(e <= 1, 'gAMA and cHRM of P3', f'mean error {e:.3f}')
    narrow = np.round(want * 219 + 16).astype(np.uint8)
    e = error(written('n.png', narrow, [(b'cICP', bytes([1, 13, 0, 0]))]))
    report(e <= 1, 'cICP of narrow range', f'mean error {e:.3f}')

print(f'1..{tests}')
sys.exit(failed > 0)
