#!/usr/bin/python3
# Chance scores on real pictures, with the default model: an index of landscapes and flowers is
# asked by paintings, and by pictures of objects: nothing that is in it. As many results as were
# promised come, within a factor of four (ten of the rare ones).
import json
import os
import subprocess
import sys
import tempfile

build, images = os.path.abspath(os.environ.get('B', 'build')), os.path.abspath('../shared/images')
if not os.path.isdir(images) or not os.path.exists(build + '/imgsearch-shim.so'):
    print(
        '1..0 # SKIP',
        (
            '../shared is not there'
            if not os.path.isdir(images)
            else 'the shim is not built (libtorch is missing)'
        ),
    )
    sys.exit()


def run(*args):
    p = subprocess.run(
        [build + '/imgsearch', *args, '--db', 'index.db'], capture_output=True, text=True
    )
    if p.returncode:
        print('#', args[0], p.returncode, p.stderr)
    return p.stdout


def some(name, each):
    """Every few of the pictures of each folder."""
    out = []
    for folder in sorted(os.listdir(f'{images}/{name}')):
        files = sorted(os.listdir(f'{images}/{name}/{folder}'))
        out += [f'{images}/{name}/{folder}/{f}' for f in files[:: len(files) // each]]
    return out


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    for name in 'intel', 'flowers':
        for path in some(name, 35):
            os.makedirs('set/' + path.split('/')[-2], exist_ok=True)
            os.symlink(path, 'set/' + '/'.join(path.split('/')[-2:]))
    run('index', 'set', '-L', '-q')
    objects = [
        p
        for p in some('caltech101', 1)
        if not any(
            w in p
            for w in ('sunflower', 'lotus', 'water_lilly', 'joshua_tree', 'strawberry', 'bonsai')
        )
    ][::2]
    paintings = [
        f'{images}/painting-queries/{f}' for f in sorted(os.listdir(f'{images}/painting-queries'))
    ]
    print('1..2')
    for number, (what, files) in enumerate((('objects', objects), ('paintings', paintings)), 1):
        answers = [
            json.loads(line)['results']
            for line in run('query', *files, '-k', '1000', '--json').splitlines()
        ]
        seen = [
            sum(h.get('chance', 0) <= most for a in answers for h in a) / max(len(answers), 1)
            for most in (10, 1)
        ]
        good = len(answers) == len(files) and 10 / 4 < seen[0] < 10 * 4 and 1 / 10 < seen[1] < 10
        print(
            'ok' if good else 'not ok',
            number,
            '-',
            f'{what}: promised 10 and 1, seen {seen[0]:.2f} and {seen[1]:.2f} of {len(files)}'
            ' queries',
        )
    os.chdir('/')
