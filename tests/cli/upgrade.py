#!/usr/bin/python3
"""An index of version 0.1: commands that read leave it as it is, those that write upgrade it and
say so.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess

from common import begin, build, folder, imgsearch, result

top = os.getcwd()
reading = {
    'query': ['query', 'p/city-01.jpg', '--no-server'],
    'query --under': ['query', '-u', 'p', 'p/city-01.jpg'],
    'list': ['list'],
    'list --state duplicate': ['list', '--state', 'duplicate'],
    'failed': ['failed'],
    'info': ['info'],
    'dups': ['dups'],
    'map': ['map', '--json', '--pca'],
    'eval': ['eval'],
    'check': ['check'],
    'vectors': ['vectors', 'export', 'out.npy'],
    'backup': ['backup', 'copy.db', '--force'],
}
begin(
    [f'{name} answers and leaves it as it is' for name in reading]
    + ['dups says that it stores nothing', 'a folder that cannot be written', 'index upgrades it']
    + ['... and answers alike', 'nothing is said the next time', 'the copy is an index']
)


def schema(version):
    """The SQL of a version, from the code."""
    text = open(f'{top}/lib/store/sqlite/schema.c').read()
    body = re.search(rf'version_{version}\[\] =(.*?);\n\n', text, re.S).group(1)
    return ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', body))


def as_version_1(path):
    """Makes the file anew as 0.1 wrote it."""
    new = sqlite3.connect('old.db', isolation_level=None)
    new.execute('PRAGMA page_size=16384')
    new.execute('PRAGMA auto_vacuum=INCREMENTAL')
    new.execute('PRAGMA journal_mode=WAL')
    new.executescript(schema(1))
    new.execute('ATTACH ? AS now', [path])
    new.execute('DELETE FROM root')
    new.execute('DELETE FROM tally')
    new.execute('INSERT INTO root SELECT id, path, inside FROM now.root')
    new.execute(
        'INSERT INTO picture SELECT id, root, path, size,'
        ' mtime_seconds * 1000000000 + mtime_nanoseconds, state, reason, width, height, hash,'
        ' same_as FROM now.picture'
    )
    for table in ('model', 'vector', 'cell', 'searcher', 'searcher_chunk', 'change'):
        new.execute(f'INSERT INTO {table} SELECT * FROM now.{table}')
    new.execute("INSERT INTO setting SELECT * FROM now.setting WHERE name <> 'file'")
    new.execute('INSERT INTO signature SELECT picture, hash, substr(data, 1, 1024)'
                ' FROM now.signature')  # fmt: skip
    new.execute('INSERT INTO tally SELECT what, n FROM now.tally WHERE what < 8')
    new.execute('INSERT INTO tally SELECT what - 93, n FROM now.tally WHERE what IN (101, 102)')
    new.execute("UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM picture)"
                " WHERE name = 'picture'")  # fmt: skip
    new.execute('DETACH now')
    new.execute('PRAGMA application_id=0x696d7365')
    new.execute('PRAGMA user_version=1')
    new.close()
    os.replace('old.db', path)


def version():
    db = sqlite3.connect('file:index.db?immutable=1', uri=True)
    n = db.execute('PRAGMA user_version').fetchone()[0]
    db.close()
    return n


def contents():
    return open('index.db', 'rb').read()


subprocess.run([build + '/tools/draw', 'p', '2'], check=True)
os.mkdir('p/more')
shutil.copy('p/city-01.jpg', 'p/more/copy.jpg')
open('p/bad.jpg', 'wb').write(b'\xff\xd8\xff\xe0 no picture')
imgsearch('index', '-q', 'p', status=4)
want = {name: imgsearch(*words).stdout for name, words in reading.items()}
os.remove('copy.db')
as_version_1('index.db')
before = contents()
warned = ''
for name, words in reading.items():
    p = imgsearch(*words)
    warned += p.stderr if name == 'dups' else ''
    same = p.stdout == want[name] or name in ('info', 'eval', 'check', 'backup', 'map')
    result(
        p.returncode == 0 and same and contents() == before and version() == 1,
        f'{p.stdout}{p.stderr}\nwanted:\n{want[name]}',
    )
result('is of an older version and stays so: what was read of' in warned, warned)

# a folder that nobody may write to: by an option where the tests run as root
os.makedirs('ro')
shutil.copy('index.db', 'ro')
os.chmod('ro/index.db', 0o444)
os.chmod('ro', 0o555)
os.environ['IMGSEARCH_DB'] = folder.name + '/ro/index.db'
p = imgsearch('query', 'p/city-01.jpg')
result(p.stdout == want['query'] and os.listdir('ro') == ['index.db'], p.stderr)
os.chmod('ro', 0o755)
os.environ['IMGSEARCH_DB'] = folder.name + '/index.db'

p = imgsearch('index', '--json', status=4)
result(
    version() > 1
    and re.search(r'index\.db was upgraded from version 1 to \d+: older programs', p.stderr)
    and json.loads(p.stdout)['added'] == 0,
    p.stderr,
)
answers = {name: imgsearch(*reading[name]).stdout for name in ('query', 'list', 'failed', 'dups')}
result(all(want[name] == text for name, text in answers.items()), answers)
p = imgsearch('index', status=4)
result('upgraded' not in p.stderr, p.stderr)
p = imgsearch('list', '--db', 'copy.db')
result(p.stdout == want['list'] and 'upgraded' not in p.stderr, p.stderr)
