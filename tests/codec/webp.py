#!/usr/bin/python3
# WebP against other decoders: dwebp of the package webp, to the level; Pillow, to two levels. The
# files are the seeds of fuzzing and those in ../shared/formats/webp. Skips what is absent.
import glob
import io
import os
import shutil
import subprocess
import sys

B = os.environ.get('B', 'build')
SHOW = os.path.join(B, 'tests/image/show')
folders = 'tests/fuzz/seeds/webp', '../shared/formats/webp'
files = sorted(path for folder in folders for path in glob.glob(folder + '/*.webp'))
tests = 0


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


try:
    import numpy as np
    from PIL import Image, ImageOps, features
except ImportError as missing:
    skip(f'{missing.name} is missing')


def report(ok, name, detail=''):
    global tests
    tests += 1
    print(f'{"ok" if ok else "not ok"} {tests} - {name}')
    if detail:
        print(f'# {detail}')


def ours(path):
    run = subprocess.run([SHOW, 'pixels', path], capture_output=True)
    if run.returncode:
        return run.stderr.decode().strip()
    return np.asarray(Image.open(io.BytesIO(run.stdout))).astype(int)


def over(picture):
    """Upright, over white; over black where what is drawn is light."""
    rgba = np.asarray(ImageOps.exif_transpose(picture).convert('RGBA')).astype(float)
    rgb, alpha = rgba[..., :3], rgba[..., 3:] / 255
    luma = rgb @ [77 / 256, 150 / 256, 29 / 256]
    drawn, dark = alpha.sum(), alpha[..., 0][luma < 208].sum()
    clear = (1 - alpha).sum()
    black = drawn and dark * 20 < drawn and clear * 20 > clear + drawn
    return rgb * alpha + (0 if black else 255) * (1 - alpha)


def compare(title, decode, most, whole):
    wrong, n = [], 0
    for path in files:
        theirs = decode(path)
        if theirs is None:
            continue
        n += 1
        got, expected = ours(path), over(theirs)
        if isinstance(got, str):
            wrong.append(f'{path}: {got}')
        elif got.shape != expected.shape:
            wrong.append(f'{path}: {got.shape}, not {expected.shape}')
        else:
            error = np.abs(got - expected)
            if error.max() > most or error.mean() > whole:
                wrong.append(f'{path}: worst {error.max():.2f}, mean {error.mean():.3f}')
    report(n and not wrong, f'{n} files as {title} reads them', '\n# '.join(wrong))


def pillow(path):
    try:
        picture = Image.open(path)
        picture.load()
    except Exception:
        return None
    return None if picture.info.get('icc_profile') else picture


def dwebp(path):
    if pillow(path) is None or getattr(pillow(path), 'is_animated', False):
        return None
    if pillow(path).getexif().get(0x0112, 1) != 1:
        return None  # it does not turn
    run = subprocess.run(['dwebp', '-quiet', path, '-o', '-'], capture_output=True)
    return None if run.returncode else Image.open(io.BytesIO(run.stdout))


if isinstance(ours(files[0]), str) and 'missing' in ours(files[0]):
    skip('libwebp is missing')
if features.check('webp'):
    compare('Pillow', pillow, 1.01, 0.5)
if shutil.which('dwebp'):
    compare('dwebp', dwebp, 1.01, 0.5)
else:
    print('# dwebp is missing')
print(f'1..{tests}')
