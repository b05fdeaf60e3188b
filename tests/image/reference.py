#!/usr/bin/python3
# Our decoding and fit against Pillow's and torchvision's for the same files, and the features that
# the command extracts, with JPEGs decoded in full and at a scale, against torchvision's by the same
# weights. Wants ../shared, python3-pil, python3-torchvision; skips without them.
import glob
import io
import os
import random
import subprocess
import sys
import tempfile

WEIGHTS = '../shared/weights/mobilenet_v2.pth'
B = os.environ.get('B', 'build')
SHOW = os.path.join(B, 'tests/image/show')
NAMES = [
    'fit equals torchvision, bilinear',
    'fit equals torchvision, bicubic',
    'squashed it equals torchvision, bilinear',
    'squashed it equals torchvision, bicubic',
    'squashed from a JPEG decoded at a scale it is near torchvision',
    'odd JPEGs are read as by Pillow',
    'extract --full-decode equals torchvision',
    'extract is near torchvision',
    'extract in bf16, the mean subtracted',
]


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


try:
    import numpy as np
    import torch
    import torchvision
    from PIL import Image, ImageCms, ImageOps
    from torchvision import transforms as T
except ImportError as missing:
    skip(f'{missing.name} is missing')
if not os.path.isdir('../shared/images'):
    skip('../shared/images is absent')
torch.set_num_threads(1)
Image.MAX_IMAGE_PIXELS = None


def ours(files, resize, crop, bicubic, at_least):
    raw = subprocess.run(
        [SHOW, 'fit', *map(str, (resize, crop, int(bicubic), at_least)), *files],
        check=True,
        capture_output=True,
    ).stdout
    return np.frombuffer(raw, '<f4').reshape(len(files), crop, crop, 3)


def profile_of(file):
    with Image.open(file) as im:
        return im.info.get('icc_profile')


def in_srgb(im, profile):
    """The pixels in sRGB; as they are where Pillow refuses the profile."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(
            im, source, ImageCms.createProfile('sRGB'), outputMode='RGB'
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return im


def theirs(file, resize, crop, bicubic, profile=None):
    way = T.InterpolationMode.BICUBIC if bicubic else T.InterpolationMode.BILINEAR
    t = T.Compose(
        [
            T.Resize(resize or (crop, crop), interpolation=way),
            T.CenterCrop(crop),
            T.ToTensor(),
            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with Image.open(file) as im:
        upright = ImageOps.exif_transpose(im)
        upright = in_srgb(upright, profile) if profile else upright
        return t(upright.convert('RGB')).permute(1, 2, 0).numpy()


def worst(files, resize, crop, bicubic, profiles=False):
    return max(
        (float(np.abs(o - theirs(f, resize, crop, bicubic, profiles and profile_of(f))).max()), f)
        for f, o in zip(files, ours(files, resize, crop, bicubic, 0))
    )


def sample():
    files = sorted(
        f for e in ('jpg', 'JPEG') for f in glob.glob(f'../shared/images/**/*.{e}', recursive=True)
    )
    large = [f for f in files if '/large/' in f]
    return large + random.Random(1).sample(
        [f for f in files if '/large/' not in f], 200 - len(large)
    )


def check(number, good, remark):
    print(f'{"ok" if good else "not ok"} {number} - {NAMES[number - 1]}')
    print(f'# {remark}')


def odd_jpegs():
    folders = (
        'turbo-8bit', 'turbo-testimages', 'jpeg-decoder-mozilla', 'jpeg-decoder-icc',
        'exif-orientation-hopper', 'zune-jpeg', 'sharp'
    )
    files = sorted(f for d in folders for f in glob.glob(f'../shared/bad-input/{d}/*.jp*g'))
    return [f for f, o in zip(files, ours(files, 8, 8, False, 0)) if not np.isnan(o).any()]


def network():
    net = torchvision.models.mobilenet_v2()
    net.load_state_dict(torch.load(WEIGHTS), strict=False)
    return net.eval().features


def their_features(files):
    net, rows = network(), []
    with torch.no_grad():
        for f in files:
            picture = np.ascontiguousarray(theirs(f, 256, 224, False).transpose(2, 0, 1))
            rows.append(net(torch.from_numpy(picture)[None]).mean((2, 3))[0].numpy())
    return np.stack(rows)


def our_features(files, *options):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'out.npy')
        subprocess.run(
            [
                os.path.join(B, 'imgsearch'), 'extract', '-q', '--model', 'mobilenet_v2',
                '--weights', WEIGHTS, *options, '-o', out, *files
            ],
            check=True,
            env={**os.environ, 'IMGSEARCH_LIBDIR': B, 'IMGSEARCH_DB': '', 'XDG_DATA_HOME': folder},
        )
        return np.load(out)


print(f'1..{len(NAMES)}')
files = sample()
for number, resize, bicubic in (1, 256, False), (2, 256, True), (3, 0, False), (4, 0, True):
    difference, file = worst(files, resize, 224, bicubic)
    check(number, difference < 1e-6, f'largest difference {difference:.2g}, {file}')
scaled = ours(files, 0, 224, True, 224)
levels = [
    float(np.abs(o - theirs(f, 0, 224, True)).mean()) * 255 * 0.226 for f, o in zip(files, scaled)
]
mean, most = np.mean(levels), max(levels)
check(5, most <= 4 and mean <= 0.5, f'levels of 255: mean {mean:.2f}, most {most:.2f}')

odd = odd_jpegs()
if odd:
    plain = [f for f in odd if not profile_of(f)]
    difference, file = worst(plain, 64, 56, False)
    converted, other = worst([f for f in odd if profile_of(f)], 64, 56, False, True)
    check(
        6,
        difference < 1e-6 and converted < 2 / 255 / 0.224,  # an sRGB profile rounds in theirs
        f'{len(odd)} files, largest difference {difference:.2g}, {file}; '
        f'with a profile {converted:.2g}, {other}',
    )
else:
    print(f'ok 6 - {NAMES[5]} # SKIP ../shared/bad-input is absent')

missing = next(
    (f for f in (WEIGHTS, os.path.join(B, 'imgsearch-shim.so')) if not os.path.exists(f)), None
)
wanted = None if missing else their_features(files)
for number, options, least in (
    (7, ['--precision=f32', '--full-decode'], 0.9999),
    (8, ['--precision=f32'], 0.995),
    (9, ['--precision=bf16', '--full-decode'], 0.99),
):
    if missing:
        print(f'ok {number} - {NAMES[number - 1]} # SKIP {missing} is absent')
        continue
    got = our_features(files, *options)
    want = wanted
    if number == 9:
        want = want / np.linalg.norm(want, axis=1, keepdims=True)
        want, got = want - want.mean(0), got - got.mean(0)
    cosine = (got * want).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(want, axis=1)
    lowest = int(np.nanargmin(cosine))
    check(
        number,
        bool((cosine >= least).all()),
        f'{len(files)} files, lowest cosine {cosine[lowest]:.6f}, {files[lowest]}',
    )
