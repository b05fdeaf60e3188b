"""What the tests of the codecs share: pictures as this library and as other decoders read them."""

import io
import os
import shutil
import subprocess
import sys
import tempfile

SHOW = os.path.join(os.environ.get('B', 'build'), 'tests/image/show')
tests = 0


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as missing:
    skip(f'{missing.name} is missing')


def report(ok, name, detail=''):
    global tests
    tests += 1
    print(f'{"ok" if ok else "not ok"} {tests} - {name}')
    if detail:
        print(f'# {detail}')


def note_missing(*tools):
    """True where all of these programs are installed; says which are not."""
    absent = [tool for tool in tools if not shutil.which(tool)]
    for tool in absent:
        print(f'# {tool} is missing')
    return not absent


def done():
    print(f'1..{tests}')


def ours(path):
    """The pixels, or what is said instead."""
    run = subprocess.run([SHOW, 'pixels', path], capture_output=True)
    if run.returncode:
        return run.stderr.decode().strip()
    return np.asarray(Image.open(io.BytesIO(run.stdout))).astype(int)


def over(picture):
    """RGB of 8 bits over white; over black where what is drawn is light."""
    if picture.mode.startswith('I'):
        picture = picture.point(lambda v: v / 257).convert('L')
    rgba = np.asarray(picture.convert('RGBA')).astype(float)
    rgb, alpha = rgba[..., :3], rgba[..., 3:] / 255
    luma = rgb @ [77 / 256, 150 / 256, 29 / 256]
    drawn, dark = alpha.sum(), alpha[..., 0][luma < 208].sum()
    clear = (1 - alpha).sum()
    black = drawn and dark * 20 < drawn and clear * 20 > clear + drawn
    return rgb * alpha + (0 if black else 255) * (1 - alpha)


def compare(title, files, decode, most, whole):
    """Each file that `decode` reads: no sample differs by more than most, all by whole in mean."""
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


def by_tool(*command):
    """A decoder that runs a program with the path and the name of a PNG to write."""

    def decode(path):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out.png')
            run = subprocess.run([*command, path, out], capture_output=True)
            if run.returncode or not os.path.exists(out):
                return None
            picture = Image.open(out)
            picture.load()
            return picture

    return decode


def drawing(width, height, mode='RGB'):
    """A picture in which every place looks different, and smooth enough for lossy coders."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1)
    alpha = 255 - np.abs(2 * x - width) * 255 // width
    return Image.fromarray(np.dstack([rgb, alpha]).astype('uint8'), 'RGBA').convert(mode)


# How the stored pixels are turned upright, by the orientation of Exif.
TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def check_turned(title, files, stored):
    """`files` by orientation; `stored` are the pixels before they are turned."""
    wrong = []
    for orientation, path in files.items():
        got, expected = ours(path), TURNED[orientation](stored)
        if isinstance(got, str):
            wrong.append(f'{orientation}: {got}')
        elif got.shape != expected.shape or np.abs(got - expected).mean() > 1:
            wrong.append(f'{orientation}: other pixels, {got.shape}')
    report(files and not wrong, f'{title}: {len(files)} orientations', '\n# '.join(wrong))
