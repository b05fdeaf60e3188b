#!/usr/bin/python3
"""usage: formats.py FOLDER

Indexes 1 500 files of every format in FOLDER, nested and with hostile names, and 600 damaged ones,
by the command with the fake network: every path is accounted for, and nothing but those that are
damaged is lost. The files are the seeds of fuzzing and, where it is, ../shared/formats. The same
seed of chance every time.
"""

import glob
import os
import random
import re
import shutil
import subprocess
import sys
import time

B = os.path.abspath(os.environ.get('B', 'build'))
FOLDER = os.path.abspath(sys.argv[1])
KINDS = 'jpeg', 'png', 'bmp', 'gif', 'webp', 'heif', 'jxl', 'tiff', 'raw'
NAMES = (
    '{}.jpg', '-{}.heic', 'concat:{}|x', ' {} ', 'line\nbreak {}', "it's {}", '"{}"', 'ä{}.PNG',
    '%s{}', '$(reboot){}', '{}.tar.gz', '.hidden{}', 'x' * 200 + '{}', '{};rm -rf', 'tab\t{}',
    '*{}?', '[{}]', '\\{}', b'\xff{}'.decode(errors='surrogateescape'),
)  # fmt: skip
chance = random.Random(22)
failures = 0


def sound_files():
    seeds = [f for kind in KINDS for f in sorted(glob.glob(f'tests/fuzz/seeds/{kind}/*'))]
    shared = sorted(glob.glob('../shared/formats/*/*.*'))
    return [f for f in seeds + shared if os.path.getsize(f) < 2_000_000 and 'xmp/' not in f]


def write(folder, n, change):
    """n files; change(bytes) makes what is written. No two have the same bytes."""
    sources = [open(f, 'rb').read() for f in sound_files()]
    for i in range(n):
        below = os.path.join(folder, *(f'd {k}' for k in range(i % 7)))
        os.makedirs(below, exist_ok=True)
        name = NAMES[i % len(NAMES)].format(i)
        with open(os.path.join(below, name), 'wb') as file:
            file.write(change(sources[i % len(sources)]) + i.to_bytes(4, 'little'))


def damage(data):
    data = bytearray(data)
    if chance.random() < 0.3:
        return bytes(data[: chance.randrange(4, len(data) + 1)])
    for _ in range(chance.choice([1, 3, 10, 100])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def check(ok, what):
    global failures
    failures += not ok
    print(f'{"ok" if ok else "NOT OK"} - {what}', flush=True)


def index(name, n, change):
    folder, db = f'{FOLDER}/{name}', f'{FOLDER}/{name}.db'
    write(folder, n, change)
    command = [f'{B}/imgsearch', 'index', '--no-default-excludes', '--formats', '+tiff,+video']
    env = {**os.environ, 'IMGSEARCH_LIBDIR': f'{B}/tests/lib'}
    for turn in 'first', 'second':
        start = time.time()
        run = subprocess.run([*command, '-d', db, folder], capture_output=True, env=env, text=True)
        line = [s for s in run.stderr.split('\n') if 'paths seen' in s]
        print(run.stderr.strip())
        check(run.returncode in (0, 4) and line, f'{name}, {turn} run: {time.time() - start:.1f} s')
        counts = re.findall(r'(\d+) ([a-z ]+)', line[0].split(':', 2)[2].split(';')[0])
        total = sum(int(count) for count, _ in counts)
        check(f'{n} paths seen' in line[0] and total == n, f'{name}: {total} of {n} paths')
    return dict((what.strip(), int(count)) for count, what in counts)


shutil.rmtree(FOLDER, ignore_errors=True)
os.makedirs(FOLDER)
index('sound', 1500, lambda data: data)
index('damaged', 600, damage)
sys.exit(failures > 0)
