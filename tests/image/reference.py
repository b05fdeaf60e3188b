#!/usr/bin/python3
# Our decoding and fit against Pillow's and torchvision's for the same files, and the features of pictures that were decoded
# at a scale. Wants ../shared, python3-pil, python3-torchvision; skips without them.
import glob
import os
import random
import subprocess
import sys

WEIGHTS = '../shared/weights/mobilenet_v2.pth'
SHOW = os.path.join(os.environ.get('B', 'build'), 'tests/image/show')
NAMES = ['fit equals torchvision, bilinear', 'fit equals torchvision, bicubic', 'odd JPEGs are read as by Pillow', 'features of scaled pictures']


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


try:
    import numpy as np
    import torch
    import torchvision
    from PIL import Image, ImageOps
    from torchvision import transforms as T
except ImportError as missing:
    skip(f'{missing.name} is missing')
if not os.path.isdir('../shared/images'):
    skip('../shared/images is absent')
torch.set_num_threads(1)
Image.MAX_IMAGE_PIXELS = None


def ours(files, resize, crop, bicubic, at_least):
    raw = subprocess.run([SHOW, 'fit', *map(str, (resize, crop, int(bicubic), at_least)), *files], check=True, capture_output=True).stdout
    return np.frombuffer(raw, '<f4').reshape(len(files), crop, crop, 3)


def theirs(file, resize, crop, bicubic):
    way = T.InterpolationMode.BICUBIC if bicubic else T.InterpolationMode.BILINEAR
    t = T.Compose([T.Resize(resize, interpolation=way), T.CenterCrop(crop), T.ToTensor(), T.Normalize([.485, .456, .406], [.229, .224, .225])])
    with Image.open(file) as im:
        return t(ImageOps.exif_transpose(im).convert('RGB')).permute(1, 2, 0).numpy()


def worst(files, resize, crop, bicubic):
    return max((float(np.abs(o - theirs(f, resize, crop, bicubic)).max()), f) for f, o in zip(files, ours(files, resize, crop, bicubic, 0)))


def sample():
    files = sorted(f for e in ('jpg', 'JPEG') for f in glob.glob(f'../shared/images/**/*.{e}', recursive=True))
    large = [f for f in files if '/large/' in f]
    return large + random.Random(1).sample([f for f in files if '/large/' not in f], 200 - len(large))


def check(number, good, remark):
    print(f'{"ok" if good else "not ok"} {number} - {NAMES[number - 1]}')
    print(f'# {remark}')


def odd_jpegs():
    folders = ('turbo-8bit', 'turbo-testimages', 'jpeg-decoder-mozilla', 'jpeg-decoder-icc', 'exif-orientation-hopper', 'zune-jpeg', 'sharp')
    files = sorted(f for d in folders for f in glob.glob(f'../shared/bad-input/{d}/*.jp*g'))
    return [f for f, o in zip(files, ours(files, 8, 8, False, 0)) if not np.isnan(o).any()]


def features(network, pictures):
    with torch.no_grad():
        x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return torch.cat([network.features(part).mean((2, 3)) for part in x.split(8)])


print(f'1..{len(NAMES)}')
files = sample()
for number, bicubic in (1, False), (2, True):
    difference, file = worst(files, 256, 224, bicubic)
    check(number, difference < 1e-6, f'largest difference {difference:.2g}, {file}')

odd = odd_jpegs()
if odd:
    difference, file = worst(odd, 64, 56, False)
    check(3, difference < 1e-6, f'{len(odd)} files, largest difference {difference:.2g}, {file}')
else:
    print(f'ok 3 - {NAMES[2]} # SKIP ../shared/bad-input is absent')

if os.path.exists(WEIGHTS):
    network = torchvision.models.mobilenet_v2()
    network.load_state_dict(torch.load(WEIGHTS), strict=False)
    network.eval()
    full, scaled = ours(files, 256, 224, False, 0), ours(files, 256, 224, False, 256)
    changed = [i for i in range(len(files)) if (full[i] != scaled[i]).any()]
    cosine = torch.cosine_similarity(features(network, full[changed]), features(network, scaled[changed]))
    lowest = int(cosine.argmin())
    check(4, float(cosine[lowest]) >= 0.995, f'{len(changed)} of {len(files)} scaled, lowest cosine {float(cosine[lowest]):.5f}, {files[changed[lowest]]}')
else:
    print(f'ok 4 - {NAMES[3]} # SKIP {WEIGHTS} is absent')
