#!/usr/bin/python3
# Video by ffmpeg: one frame that is not black, whatever the name of the file; playlists are no
# video, and nothing is fetched. Skips without ffmpeg.
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile

import common
from common import np

if not common.note_missing('ffmpeg'):
    common.skip('ffmpeg is missing')
folder = tempfile.TemporaryDirectory()
B = os.path.abspath(os.environ.get('B', 'build'))


def make(name, *inputs, filters='null', options=()):
    path = os.path.join(folder.name, name)
    sources = [part for source in inputs for part in ('-f', 'lavfi', '-i', source)]
    command = ['ffmpeg', '-nostdin', '-y', '-v', 'error', *sources]
    command += ['-filter_complex', filters, *options, f'file:{path}']
    run = subprocess.run(command, capture_output=True)
    return None if run.returncode else path


RED, BLACK = 'color=red:s=96x64:r=10:d=3', 'color=black:s=96x64:r=10:d=2'
JOIN = '[0][1]concat=n=2'
clips = {
    'black first': make('fade.mp4', BLACK, RED, filters=JOIN),
    'one key frame': make('long.mp4', BLACK, RED, filters=JOIN, options=['-g', '999']),
    'Matroska': make('a.mkv', BLACK, RED, filters=JOIN),
    'AVI': make('a.avi', BLACK, RED, filters=JOIN),
    'QuickTime': make('a.mov', BLACK, RED, filters=JOIN),
    'a name like an option': make('-x.mp4', BLACK, RED, filters=JOIN),
    'a name like a protocol': make('concat:a|b.mp4', BLACK, RED, filters=JOIN),
}
for name, path in clips.items():
    if not path:
        print(f'# SKIP {name}: this ffmpeg does not encode it')
        continue
    got = common.ours(path)
    fine = not isinstance(got, str) and got.shape == (64, 96, 3)
    common.report(
        fine and got[..., 0].mean() > 180 and got[..., 1:].mean() < 60,
        f'{name}: a frame that is not black',
        got if isinstance(got, str) else '',
    )
dark = make('dark.mp4', BLACK)
if dark:
    got = common.ours(dark)
    common.report(not isinstance(got, str) and got.max() < 20, 'all black: the first frame')

for name in 'sound.mp4', 'sound.mkv', 'sound.avi':
    path = make(name, 'sine=d=1', filters='anull', options=['-brand', 'mp42'] * ('mp4' in name))
    if path:
        got = str(common.ours(path))
        common.report('sound and no pictures' in got, f'{name}: what it is', got)

# Playlists that are named as videos: another format by their content; nobody is asked for anything.
with socket.create_server(('127.0.0.1', 0)) as server:
    address = f'http://127.0.0.1:{server.getsockname()[1]}/a.ts'
    server.settimeout(0.2)
    for name, text in (
        ('hls.mp4', f'#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n'),
        ('concat.mp4', f"ffconcat version 1.0\nfile '{address}'\n"),
        ('ftyp.mp4', f'\0\0\0\x10ftypisom#EXTM3U\n#EXTINF:9,\n{address}\n'),
    ):
        path = os.path.join(folder.name, name)
        with open(path, 'w') as file:
            file.write(text)
        got = common.ours(path)
        common.report(isinstance(got, str), f'{name}: no picture', str(got)[-100:])
    try:
        server.accept()
        asked = True
    except TimeoutError:
        asked = False
    common.report(not asked, 'nothing is fetched')

path = clips['black first']
if path:
    with open(path, 'rb') as file:
        data = file.read()
    cut = os.path.join(folder.name, 'cut.mp4')
    for n in 8, 12, 40, len(data) // 2:
        with open(cut, 'wb') as file:
            file.write(data[:n])
        common.ours(cut)
    common.report(True, 'clips that are cut off end')

# An ffmpeg that is killed or stopped from outside is started again. It counts by folders, since it
# may write no files.
real, tools = shutil.which('ffmpeg'), os.path.join(folder.name, 'tools')
os.mkdir(tools)
for signal, starts, fine in ('KILL', 3, True), ('STOP', 3, True), ('KILL', 99, False):
    counter = tempfile.mkdtemp(dir=folder.name)
    numbers = ' '.join(map(str, range(starts)))
    with open(os.path.join(tools, 'ffmpeg'), 'w') as file:
        file.write(f'#!/bin/sh\nfor n in {numbers}; do\n')
        file.write(f'mkdir {counter}/$n 2>/dev/null && kill -{signal} $$\ndone\nexec {real} "$@"\n')
    os.chmod(file.name, 0o755)
    os.environ['PATH'], before = f'{tools}:{os.environ["PATH"]}', os.environ['PATH']
    got = common.ours(path) if path else None
    os.environ['PATH'] = before
    if path:
        ended = isinstance(got, str) and 'ffmpeg was ended' in got
        common.report(
            not isinstance(got, str) if fine else ended, f'{starts} signals {signal} from outside',
            got if isinstance(got, str) else '',
        )  # fmt: skip

# An index: off by default, with the reason; taken in once it is asked for.
if path and os.path.exists(f'{B}/tests/lib/imgsearch-shim.so'):
    env = {**os.environ, 'IMGSEARCH_LIBDIR': f'{B}/tests/lib'}
    videos = os.path.join(folder.name, 'videos')
    os.mkdir(videos)
    for name in '-x.mp4', 'concat:a|b.mp4', 'a b.mkv':
        with open(os.path.join(videos, name), 'wb') as file:
            file.write(data + name.encode())
    command = [f'{B}/imgsearch', 'index', '-d', f'{folder.name}/index.db', videos]
    said = subprocess.run(command, capture_output=True, env=env, text=True)
    common.report(
        'video files are read only where asked for' in said.stderr,
        'off by default, which is said',
        said.stderr.replace('\n', '\n# '),
    )
    said = subprocess.run([*command, '--video'], capture_output=True, env=env, text=True)
    common.report('3 indexed' in said.stderr, '--video', said.stderr.replace('\n', '\n# '))

    # What a video says of itself, by its container.
    facts = {'title': 'A title', 'date': '2024-05-03', 'make': 'Canon', 'model': 'EOS R'}
    words = [part for pair in facts.items() for part in ('-metadata', '='.join(pair))]
    shown = {'title': 'A title', 'date': '2024-05-03', 'camera': 'Canon EOS R'}
    expected = {
        'facts.mkv': shown,
        'facts.webm': shown,
        'facts.avi': {key: shown[key] for key in ('title', 'date')},
        'facts.mov': shown,
        'facts.mp4': shown,
    }
    for name in expected:
        tags = ['-movflags', 'use_metadata_tags'] if name in ('facts.mov', 'facts.mp4') else []
        made = make(name, RED, options=[*words, *tags])
        if made:
            os.rename(made, os.path.join(videos, name))
        else:
            print(f'# SKIP {name}: this ffmpeg does not encode it')
    subprocess.run([*command, '--video'], capture_output=True, env=env)
    listed = subprocess.run(
        [f'{B}/imgsearch', 'list', '-d', f'{folder.name}/index.db', '--json'],
        capture_output=True, env=env, text=True,
    ).stdout  # fmt: skip
    for line in listed.splitlines():
        item = json.loads(line)
        wanted = expected.get(os.path.basename(item['path']))
        columns = item.get('columns', {})
        if wanted:
            got = {key: columns.get(key) for key in wanted}
            common.report(got == wanted, f'{os.path.basename(item["path"])}: columns', columns)

shared = sorted(glob.glob('../shared/formats/video/*'))
wrong = [f for f in shared if isinstance(common.ours(f), str)]
common.report(not wrong, f'{len(shared)} files of ../shared/formats/video', '\n# '.join(wrong))
common.done()
