#!/usr/bin/python3
# WebP against other decoders: dwebp of the package webp, to the level; Pillow, to two levels. The
# files are the seeds of fuzzing and those in ../shared/formats/webp. Skips what is absent.
import glob
import io
import os
import subprocess
import tempfile

import common
from common import Image, ImageOps
from PIL import features

folders = 'tests/fuzz/seeds/webp', '../shared/formats/webp'
files = sorted(path for folder in folders for path in glob.glob(folder + '/*.webp'))


def open_picture(path):
    try:
        picture = Image.open(path)
        picture.load()
    except Exception:
        return None
    return None if picture.info.get('icc_profile') else picture


def pillow(path):
    picture = open_picture(path)
    return picture and ImageOps.exif_transpose(picture)


def dwebp(path):
    picture = open_picture(path)
    if picture is None or getattr(picture, 'is_animated', False):
        return None
    if picture.getexif().get(0x0112, 1) != 1:
        return None  # it does not turn
    run = subprocess.run(['dwebp', '-quiet', path, '-o', '-'], capture_output=True)
    return None if run.returncode else Image.open(io.BytesIO(run.stdout))


if 'missing' in str(common.ours(files[0])):
    common.skip('libwebp is missing')
if features.check('webp'):
    common.compare('Pillow', files, pillow, 1.01, 0.5)
    with tempfile.TemporaryDirectory() as folder:
        turned = {}
        for orientation in common.TURNED:
            exif = Image.Exif()
            exif[0x0112] = orientation
            turned[orientation] = os.path.join(folder, f'{orientation}.webp')
            drawing = common.drawing(52, 34)
            drawing.save(turned[orientation], lossless=True, exif=exif)
        common.check_turned('WebP', turned, common.np.asarray(drawing).astype(int))


def cut_short(name, **how):
    """Without its last bytes a picture is the whole one or damaged; how many it may lose."""
    most = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'a.webp')
        common.drawing(200, 150).save(path, **how)
        data, whole = open(path, 'rb').read(), common.ours(path)
        for lost in range(1, len(data) // 4):
            open(path, 'wb').write(data[:-lost])
            got = common.ours(path)
            if isinstance(got, str):
                break
            most = lost
            if not common.np.array_equal(got, whole):
                most = -1
                break
        common.report(most >= 0 and lost < 20, f'{name}, cut short: {most} bytes may be lost')
    return most


if features.check('webp'):
    most = [cut_short(f'quality {q}', quality=q) for q in (5, 20, 40, 60, 80, 95)]
    most.append(cut_short('lossless', lossless=True))
    common.report(max(most) > 0, 'what no row needs may be lost', most)
if common.note_missing('dwebp'):
    common.compare('dwebp', files, dwebp, 1.01, 0.5)
common.done()
