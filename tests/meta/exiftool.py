#!/usr/bin/python3
# What exiftool writes into each container is what an index has of it. Skips without exiftool or
# without Pillow; of videos those that ffmpeg makes here.
import json
import os
import shutil
import subprocess
import sys
import tempfile

B = os.path.abspath(os.environ.get('B', 'build'))
SEEDS = os.path.abspath('tests/fuzz/seeds')
try:
    from PIL import Image
except ImportError:
    print('1..0 # SKIP PIL is missing')
    sys.exit()
if not shutil.which('exiftool'):
    print('1..0 # SKIP exiftool is missing')
    sys.exit()

DATE, PLACE = '2024:05:03 14:05:09', {'latitude': '48.137', 'longitude': '-11.575'}
SHOWN = {'date': '2024-05-03T14:05:09', 'zone': '+02:00'}
TEXTS = {'title': 'A title', 'description': 'What it shows'}
CAMERA, WORDS = {'camera': 'Canon EOS R'}, {'keywords': 'sea; boat', 'rating': '4'}
GROUPS = {
    'EXIF': (
        f'-EXIF:DateTimeOriginal={DATE}|-EXIF:OffsetTimeOriginal=+02:00|-EXIF:Make=Canon'
        '|-EXIF:Model=EOS R|-EXIF:LensModel=L50|-EXIF:GPSLatitude=48.137|-EXIF:GPSLatitudeRef=N'
        '|-EXIF:GPSLongitude=11.575|-EXIF:GPSLongitudeRef=W|-EXIF:ImageDescription=What it shows'
        '|-EXIF:XPTitle=A title|-EXIF:XPKeywords=sea;boat|-EXIF:Rating=4',
        {**SHOWN, **PLACE, **TEXTS, **CAMERA, **WORDS, 'lens': 'L50'},
        ('jpg', 'png', 'tif', 'webp', 'heic', 'avif'),
    ),
    'XMP': (
        f'-XMP:DateTimeOriginal={DATE}+02:00|-XMP-tiff:Make=Canon|-XMP-tiff:Model=EOS R'
        '|-XMP-aux:Lens=L50|-XMP:GPSLatitude=48.137|-XMP:GPSLongitude=-11.575'
        '|-XMP:Description=What it shows|-XMP:Title=A title|-XMP:Subject=sea|-XMP:Subject=boat'
        '|-XMP:Rating=4',
        {**SHOWN, **PLACE, **TEXTS, **CAMERA, **WORDS, 'lens': 'L50'},
        ('jpg', 'png', 'tif', 'webp', 'heic', 'avif', 'gif', 'mp4', 'mov'),
    ),
    'IPTC': (
        '-IPTC:DateCreated=2024:05:03|-IPTC:TimeCreated=14:05:09+02:00|-IPTC:ObjectName=A title'
        '|-IPTC:Keywords=sea|-IPTC:Keywords=boat|-IPTC:Caption-Abstract=What it shows',
        {**SHOWN, **TEXTS, 'keywords': 'sea; boat'},
        ('jpg', 'png', 'tif'),
    ),
    'Keys': (
        f'-Keys:CreationDate={DATE}+02:00|-Keys:Make=Canon|-Keys:Model=EOS R'
        '|-Keys:GPSCoordinates=48.137,-11.575|-Keys:Title=A title|-Keys:Description=What it shows',
        {**SHOWN, **PLACE, **TEXTS, **CAMERA},
        ('mp4', 'mov'),
    ),
}


def make(path, colour):
    """A small picture or video; False: not here."""
    kind = path.rpartition('.')[2]
    if kind in ('heic', 'avif'):
        shutil.copy(f'{SEEDS}/heif/rgb.{kind}', path)
    elif kind in ('mp4', 'mov'):
        command = ['ffmpeg', '-nostdin', '-v', 'error', '-f', 'lavfi']
        command += ['-i', f'color={colour}:s=64x48:d=1', f'file:{path}']
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except OSError:
            return False
    else:
        Image.new('RGB', (64, 48), colour).save(path)
    return True


number = 0
with tempfile.TemporaryDirectory() as folder:
    os.mkdir(f'{folder}/pictures')
    expected = {}
    for group, (options, columns, kinds) in GROUPS.items():
        for kind in kinds:
            path = f'{folder}/pictures/{group}.{kind}'
            words = ['exiftool', '-q', '-q', '-overwrite_original', *options.split('|'), path]
            if not make(path, f'#{len(expected) * 9 + 16:02x}8040'):
                print(f'# {group}.{kind} is not made here')
            elif subprocess.run(words, capture_output=True).returncode:
                print(f'# this exiftool does not write {group} into {kind}')
                os.unlink(path)
            else:
                expected[f'{group}.{kind}'] = columns
    env = {**os.environ, 'IMGSEARCH_LIBDIR': f'{B}/tests/lib', 'IMGSEARCH_DB': f'{folder}/i.db'}

    def imgsearch(*words):
        run = subprocess.run([f'{B}/imgsearch', *words], capture_output=True, text=True, env=env)
        return [json.loads(line) for line in run.stdout.splitlines()]

    imgsearch('index', '--json', '--formats', '+tiff,+video', f'{folder}/pictures')
    items = {os.path.basename(i['path']): i for i in imgsearch('list', '--json')}
    left_out = {os.path.basename(i['path']): i for i in imgsearch('failed', '--json')}
for name, columns in expected.items():
    if 'missing' in left_out.get(name, {}).get('reason', ''):
        print(f'# {name}: {left_out[name]["reason"]}')
        continue
    got = items.get(name, {}).get('columns', {})
    wrong = {key: got.get(key) for key, value in columns.items() if got.get(key) != value}
    number += 1
    print(f'{"not ok" if wrong else "ok"} {number} - {name}')
    if wrong:
        print(f'# {wrong}, {left_out.get(name)}')
print(f'1..{number}')
