#!/usr/bin/python3
# What torchvision and Pillow make of the pattern of tests/image/common.h. Writes image.f32 and
# image.u8 beside itself; the cases are those of tests/image/test_fit.c, in its order. Run by hand
# when they change: python3 tests/golden/image.py
import pathlib

import numpy as np
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode as I

FIT = [  # width, height, resize (0: squashed), crop, bicubic
    (61, 37, 24, 14, 0),
    (37, 61, 24, 14, 1),
    (9, 12, 20, 16, 0),
    (9, 12, 20, 16, 1),
    (90, 31, 8, 12, 0),
    (33, 33, 13, 13, 1),
    (50, 70, 19, 16, 0),
    (70, 50, 19, 14, 0),
    (200, 9, 8, 7, 1),
    (3, 640, 4, 5, 0),
    (16, 16, 16, 16, 0),
    (61, 37, 0, 14, 0),
    (37, 61, 0, 14, 1),
    (9, 120, 0, 16, 1),
]
BOX = [  # width, height, to width, to height, bicubic, box
    (61, 37, 20, 11, 0, (3.25, 1.5, 50.75, 36.5)),
    (61, 37, 20, 11, 1, (3.25, 1.5, 50.75, 36.5)),
    (13, 11, 30, 24, 1, (0, 0, 13, 11)),
]


def pattern(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.uint32)
    slope = x * 3 + y * 2 + c * 40
    block = ((x // 7 + y // 5 + c) % 3) * 60
    speck = (x * x * 7 + y * y * 11 + x * y * c) % 31
    return Image.fromarray(((slope + block + speck) % 256).astype(np.uint8))


def fit(width, height, resize, crop, bicubic):
    t = T.Compose(
        [
            T.Resize(resize or (crop, crop), interpolation=I.BICUBIC if bicubic else I.BILINEAR),
            T.CenterCrop(crop),
            T.ToTensor(),
            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    return t(pattern(width, height)).numpy().astype('<f4')


def boxed(width, height, to_width, to_height, bicubic, box):
    return np.asarray(
        pattern(width, height).resize(
            (to_width, to_height), Image.BICUBIC if bicubic else Image.BILINEAR, box
        )
    )


here = pathlib.Path(__file__).parent
(here / 'image.f32').write_bytes(b''.join(fit(*case).tobytes() for case in FIT))
(here / 'image.u8').write_bytes(b''.join(boxed(*case).tobytes() for case in BOX))
