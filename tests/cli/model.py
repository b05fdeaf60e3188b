#!/usr/bin/env python3
"""The commands of models, against an HTTP server of the test's own on loopback."""

import glob
import hashlib
import http.server
import json
import os
import shutil
import signal
import ssl
import struct
import subprocess
import threading

from common import begin, build, folder, imgsearch, omit, result

begin([
    'model list: a table to choose from, the rest with --all',
    'model list and info as JSON',
    'a model that is not here: the one command to get it',
    'pull: fetched, checked, recorded',
    'pull again: it is here',
    'info: what was fetched, and when',
    'index with it',
    'verify: as its publisher states',
    'verify: a changed byte, a missing file',
    'rm',
    'a redirect; the hash that the server states',
    'a redirect to another protocol is refused',
    'https: a certificate that nobody trusts is refused',
    'https: fetched, where SSL_CERT_FILE or CURL_CA_BUNDLE trusts it',
    'https: a redirect to http is refused',
    'a wrong hash of the server',
    'no hash anywhere: recorded as such',
    'a wrong checksum: deleted, nothing added',
    'a wrong size: refused before it is fetched',
    'more bytes than stated',
    '404',
    'nobody listens',
    'cut off, then fetched on',
    'cut off, and the server knows no ranges',
    'cut off, and the file is another one by then',
    'a server that stalls is given up',
    'killed, then fetched on',
    'interrupted, then fetched on',
    'two at once: the second is refused',
    'a full disk, known before',
    'a full disk, met on the way',
    'several files: all',
    'several files: shards and their index',
    'several files: the second is missing, so none',
    'several files: the first is not fetched again',
    'a licence that restricts use must be accepted',
    'a mirror',
    'tensors that do not fit: nothing stays',
    'no libtorch: what has come stays',
    'a damaged line is named',
    'a name that is no name',
    'add: a file of a published model is known',
    'add: --network, a recipe, --force',
    'add: a folder',
    'add: what is refused',
    'nothing else asks a server',
])


def safetensors(seed, size=300000, name='x'):
    """A weights file that the fake network takes."""
    body = bytes((seed + i * 7) % 251 for i in range(size))
    tensor = {'dtype': 'F16', 'shape': [size // 2], 'data_offsets': [0, size]}
    head = json.dumps({name: tensor}).encode()
    return struct.pack('<Q', len(head)) + head + body


GOOD, OTHER = safetensors(1), safetensors(2)
DIGEST = hashlib.sha256(GOOD).hexdigest()
served = {}  # path: what to do
log = []  # (path, headers)
release = threading.Event()
arrived = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_GET(self):
        what = served.get(self.path)
        log.append((self.path, dict(self.headers)))
        self.close_connection = True
        if what is None:
            return self.answer(404, b'no such file')
        if 'to' in what:
            return self.answer(302, b'', {'Location': what['to'], **what.get('headers', {})})
        self.give(what)

    def answer(self, status, body, headers=(), length=None):
        self.send_response(status)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        if length != 'unstated':
            self.send_header('Content-Length', str(len(body) if length is None else length))
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)

    def give(self, what):
        data, tag = what['data'], what.get('tag', '"1"')
        headers = {'ETag': tag} if tag else {}
        headers.update(what.get('headers', {}))
        asked, start, status = self.headers.get('Range'), 0, 200
        same = self.headers.get('If-Range') in (None, tag)
        if asked and what.get('ranges', True) and same:
            start, status = int(asked[len('bytes='):-1]), 206
            if start >= len(data):
                headers['Content-Range'] = f'bytes */{len(data)}'
                return self.answer(416, b'', headers)
            headers['Content-Range'] = f'bytes {start}-{len(data) - 1}/{len(data)}'
        rest = data[start:]
        upto = what.get('cut', len(rest)) if status == 200 else len(rest)
        self.answer(status, rest[:upto], headers, what.get('length', len(rest)))
        self.wfile.flush()
        if what.get('stall') and status == 200:
            arrived.set()
            release.wait(60)


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f'http://127.0.0.1:{server.server_address[1]}'

data = folder.name + '/data'
models = data + '/imgsearch/models'
os.makedirs(models)
os.environ.update(XDG_DATA_HOME=data, XDG_CACHE_HOME=folder.name + '/cache', no_proxy='127.0.0.1')
os.environ.pop('http_proxy', None)
CACHE = folder.name + '/cache/imgsearch/pull/'


def line(name, path, base=BASE, **more):
    file = {'url': base + path}
    for key in ('bytes', 'sha256', 'sha256_from'):
        if key in more:
            file[key] = more.pop(key)
    if 'sha256' in file:
        file.setdefault('sha256_from', 'the test')
    return {'name': name, 'network': 'resnet18', 'publisher': 'Nobody', 'licence': 'MIT',
            'good_at': 'tests', 'files': [file], **more}


def lines(*rows):
    with open(models + '/models.jsonl', 'w') as f:
        for row in rows:
            f.write((row if isinstance(row, str) else json.dumps(row)) + '\n')


def at(name, file=None):
    return f'{models}/{name}/{file or name + ".safetensors"}'


def is_whole(name, content=GOOD):
    with open(at(name), 'rb') as f:
        return f.read() == content


def is_absent(name):
    return not os.path.exists(f'{models}/{name}') and not [
        f for f in os.listdir(models) if f.startswith('.')]


def record(name):
    with open(at(name, 'added.json')) as f:
        return json.load(f)


def start(*words):
    return subprocess.Popen([build + '/imgsearch', *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def pull(name, *words, status=0):
    return imgsearch('model', 'pull', name, *words, status=status)


def failed(name, sentence, *words):
    """Whether a pull fails with a sentence and nothing is added."""
    p = pull(name, *words, status=3)
    ok = p.returncode == 3 and sentence in p.stderr and is_absent(name)
    return ok, p.stderr


def count(path):
    return sum(p == path for p, _ in log)


# ------------------------------------------------------------------------------ list, info ----

served['/good.safetensors'] = {'data': GOOD}
lines(line('good', '/good.safetensors', bytes=len(GOOD), sha256=DIGEST[:8], resize=40, crop=32))
p = imgsearch('model', 'list')
few = p.stdout.splitlines()
every = imgsearch('model', 'list', '--all').stdout.splitlines()
result(few[0].startswith('NAME') and any('dinov2_vits14 ' in r and r.endswith('pull') for r in few)
       and not any(r.startswith('good ') for r in few) and 'more with --all' in p.stderr
       and any(r.startswith('good ') and ' 0 ' in r and r.endswith('pull') for r in every)
       and any(r.startswith('default ') and r.endswith('here') for r in every)
       and every[:len(few)] == few and max(map(len, few)) <= 80
       and len(every) > 80 and max(map(len, every)) < 120
       and 'imgsearch model pull NAME' in p.stderr, p.stdout)
rows = [json.loads(r) for r in imgsearch('model', 'list', '--all', '--json').stdout.splitlines()]
one = json.loads(imgsearch('model', 'info', 'good', '--json').stdout)
result(one in rows and one['weights'] is None and one['added'] is False and one['resize'] == 40
       and one['files'][0]['sha256'] == DIGEST[:8] and one['files'][0]['bytes'] == len(GOOD)
       and len({r['name'] for r in rows}) == len(rows), one)
picture = folder.name + '/pictures'
os.makedirs(picture)
subprocess.run([build + '/tools/draw', picture, '1'], check=False)
p = imgsearch('index', '--model', 'good', picture, status=3)
result('no weights for good' in p.stderr
       and p.stderr.rstrip().endswith('; imgsearch model pull good'), p.stderr)

# ------------------------------------------------------------------------------------- pull ----

p = pull('good')
card = json.load(open(at('good', 'good.json')))
result(is_whole('good') and card['network'] == 'resnet18' and card['resize'] == 40
       and record('good')['files'][0]['sha256'] == DIGEST
       and record('good')['files'][0]['checked'] == '8 digits, from: the test'
       and sorted(os.listdir(models + '/good')) == ['added.json', 'good.json', 'good.safetensors']
       and 'Nobody, licence MIT' in p.stderr and 'as the publisher states' in p.stderr
       and os.listdir(CACHE) == [], p.stderr)
before = len(log)
p = pull('good')
result('is here' in p.stderr and len(log) == before, p.stderr)
p = imgsearch('model', 'info', 'good')
result(DIGEST in p.stdout and '8 digits, from: the test' in p.stdout and BASE in p.stdout, p.stdout)
p = imgsearch('index', '--model', 'good', picture)
result(p.returncode == 0, p.stderr)
p = imgsearch('model', 'verify')
result(p.stdout == 'good  good.safetensors  as its publisher states\n', p.stdout)
with open(at('good'), 'r+b') as f:
    f.seek(5000)
    f.write(b'?!')
p = imgsearch('model', 'verify', 'good', status=4)
changed = 'its SHA-256 is' in p.stdout
os.remove(at('good'))
q = imgsearch('model', 'verify', 'good', '--json', status=4)
result(changed and json.loads(q.stdout)['wrong'] == 'it is missing', p.stdout + q.stdout)
p = imgsearch('model', 'rm', 'good')
q = imgsearch('model', 'rm', 'good', status=3)
result(is_absent('good') and 'no model of that name was added' in q.stderr, q.stderr)

# ----------------------------------------------------------------------------- what servers do ----

served['/moved.safetensors'] = {'to': '/elsewhere', 'headers': {'X-Linked-Etag': f'"{DIGEST}"'}}
served['/elsewhere'] = {'data': GOOD, 'tag': '"another"'}
lines(line('moved', '/moved.safetensors'))
p = pull('moved')
result(is_whole('moved') and record('moved')['files'][0]['checked'] == '64 digits, from: the server'
       and f'SHA-256 {DIGEST}, as the server states; recorded' in p.stderr, p.stderr)
served['/ftp.safetensors'] = {'to': 'ftp://127.0.0.1/good.safetensors'}
lines(line('ftp', '/ftp.safetensors'))
result(*failed('ftp', BASE + '/ftp.safetensors: '))


def secure_server():
    """A server with a certificate of its own, cert.pem. None: openssl is missing."""
    made = shutil.which('openssl') and subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout',
         'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost', '-addext',
         'subjectAltName=IP:127.0.0.1'],
        capture_output=True)
    if not made or made.returncode:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain('cert.pem', 'key.pem')
    other = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    other.daemon_threads = True
    other.handle_error = lambda *_: None  # a client that does not trust it
    other.socket = context.wrap_socket(other.socket, server_side=True,
                                       do_handshake_on_connect=False)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    return f'https://127.0.0.1:{other.server_address[1]}'


SECURE = secure_server()
if SECURE:
    for name in ('CURL_CA_BUNDLE', 'SSL_CERT_FILE', 'SSL_CERT_DIR'):
        os.environ.pop(name, None)
    served['/down.safetensors'] = {'to': BASE + '/good.safetensors'}
    lines(line('safe', '/good.safetensors', SECURE), line('safe2', '/good.safetensors', SECURE),
          line('down', '/down.safetensors', SECURE))
    before = count('/good.safetensors')
    ok, why = failed('safe', SECURE + '/good.safetensors: ')
    result(ok and 'certificate' in why and count('/good.safetensors') == before, why)
    os.environ['SSL_CERT_FILE'] = folder.name + '/cert.pem'
    p = pull('safe')
    os.environ.update(SSL_CERT_FILE='/dev/null', CURL_CA_BUNDLE=folder.name + '/cert.pem')
    q = pull('safe2')
    result(is_whole('safe') and is_whole('safe2'), p.stderr + q.stderr)
    before = count('/good.safetensors')
    ok, why = failed('down', SECURE + '/down.safetensors: ')
    result(ok and count('/down.safetensors') and count('/good.safetensors') == before, why)
    del os.environ['SSL_CERT_FILE'], os.environ['CURL_CA_BUNDLE']
else:
    for _ in range(3):
        omit('openssl is missing')
served['/linked.safetensors'] = {'data': OTHER, 'tag': f'"{DIGEST}"'}
lines(line('linked', '/linked.safetensors'))
result(*failed('linked', f'not {DIGEST} as the server states'))
lines(line('plain', '/good.safetensors'))
p = pull('plain')
q = imgsearch('model', 'info', 'plain')
result(is_whole('plain') and 'which nobody states; recorded' in p.stderr
       and 'by nothing: nobody states its hash' in q.stdout, p.stderr + q.stdout)
lines(line('sum', '/good.safetensors', sha256='0' * 8))
ok, why = failed('sum', f'its SHA-256 is {DIGEST}, not 00000000 as the list of models states')
result(ok and os.listdir(CACHE) == [], why)
lines(line('size', '/good.safetensors', bytes=77))
ok, why = failed('size', f'the server has {len(GOOD)} bytes, not 77')
result(ok, why)
served['/long.safetensors'] = {'data': GOOD, 'length': 'unstated'}
lines(line('long', '/long.safetensors', bytes=1000))
result(*failed('long', 'the server sends more than the 1000 bytes that are stated'))
lines(line('gone', '/gone.safetensors'))
result(*failed('gone', 'the server answers 404: it has no such file'))
lines(line('nobody', '/x.safetensors'))
text = json.dumps(line('nobody', '/x.safetensors')).replace(BASE, 'http://127.0.0.1:1')
lines(text)
result(*failed('nobody', 'http://127.0.0.1:1/x.safetensors: '))

# ------------------------------------------------------------------------------ interruptions ----


def part(name):
    path = f'{CACHE}{name}/{name}.safetensors.part'
    return os.path.getsize(path) if os.path.exists(path) else -1


served['/cut.safetensors'] = {'data': GOOD, 'cut': 100000, 'tag': '"v1"'}
lines(line('cut', '/cut.safetensors'))
ok, why = failed('cut', 'run it again: it goes on where it was')
kept = part('cut')
pull('cut')
asked = log[-1][1]
result(ok and kept == 100000 and is_whole('cut') and asked.get('Range') == 'bytes=100000-'
       and asked.get('If-Range') == '"v1"', (why, kept, asked))
served['/bare.safetensors'] = {'data': GOOD, 'cut': 100000, 'ranges': False}
lines(line('bare', '/bare.safetensors', sha256=DIGEST))
ok, why = failed('bare', 'run it again')
served['/bare.safetensors'].pop('cut')
pull('bare')
result(ok and is_whole('bare'), why)
served['/new.safetensors'] = {'data': OTHER, 'cut': 100000, 'tag': '"v1"'}
lines(line('new', '/new.safetensors'))
ok, why = failed('new', 'run it again')
served['/new.safetensors'] = {'data': GOOD, 'tag': '"v2"'}
pull('new')
result(ok and is_whole('new'), why)
served['/slow.safetensors'] = {'data': GOOD, 'cut': 100000, 'stall': True}
lines(line('slow', '/slow.safetensors'), line('killed', '/slow.safetensors'),
      line('stopped', '/slow.safetensors'))
ok, why = failed('slow', 'run it again', '--timeout', '1')
result(ok and part('slow') == 100000, why)


def stop(name, number):
    """Sends a signal to a pull that waits for the server; its status."""
    arrived.clear()
    p = start('model', 'pull', name)
    ok = arrived.wait(60)
    while part(name) < 100000 and p.poll() is None:
        pass
    p.send_signal(number)
    p.communicate(timeout=60)
    return p.returncode if ok else None


was = stop('killed', signal.SIGKILL)
absent = is_absent('killed')
served['/slow.safetensors'] = {'data': GOOD}
pull('killed')
result(was == -signal.SIGKILL and absent and is_whole('killed')
       and log[-1][1].get('Range') == 'bytes=100000-', was)
served['/slow.safetensors'] = {'data': GOOD, 'cut': 100000, 'stall': True}
was = stop('stopped', signal.SIGINT)
absent = is_absent('stopped')
arrived.clear()
first = start('model', 'pull', 'slow', '--timeout', '60')
served['/slow.safetensors'] = {'data': GOOD}
first.communicate(timeout=60)
pull('stopped')
result(was == 130 and absent and is_whole('stopped') and is_whole('slow'), was)
served['/two.safetensors'] = {'data': GOOD, 'cut': 100000, 'stall': True}
lines(line('two', '/two.safetensors'))
arrived.clear()
first = start('model', 'pull', 'two')
arrived.wait(60)
ok, why = failed('two', 'two: another imgsearch is pulling it')
first.kill()
first.communicate()
result(ok, why)
release.set()

# --------------------------------------------------------------------------------- full disks ----

before = len(log)
lines(line('vast', '/good.safetensors', bytes=9 * 10**12))
ok, why = failed('vast', 'no room: 9')
result(ok and len(log) == before, why)
lines(line('full', '/good.safetensors', sha256=DIGEST))
p = subprocess.run(['sh', '-c', 'ulimit -f 100; exec "$0" model pull full', build + '/imgsearch'],
                   capture_output=True, text=True)
ok = p.returncode == 3 and 'full.safetensors.part: File too large' in p.stderr and is_absent('full')
pull('full')
result(ok and is_whole('full'), p.stderr)

# ------------------------------------------------------------------------------ several files ----

served['/a/config.json'] = {'data': b'{}'}
both = line('both', '/good.safetensors', sha256=DIGEST)
both['files'].append({'url': BASE + '/a/config.json', 'bytes': 2})
lines(both)
p = pull('both')
result(is_whole('both') and open(at('both', 'config.json')).read() == '{}'
       and [f['name'] for f in record('both')['files']] == ['both.safetensors', 'config.json'],
       p.stderr)
served['/s/model.safetensors.index.json'] = {
    'data': json.dumps({'weight_map': {'a': 'p-1.safetensors', 'b': 'p-2.safetensors'}}).encode()}
served['/s/p-1.safetensors'] = {'data': safetensors(3, 2000, 'a')}
served['/s/p-2.safetensors'] = {'data': safetensors(4, 2000, 'b')}
shards = line('shards', '/s/model.safetensors.index.json')
shards['files'] += [{'url': f'{BASE}/s/p-{i}.safetensors'} for i in (1, 2)]
lines(shards)
p = pull('shards')
q = imgsearch('index', '--db', 'shards.db', '--model', 'shards', picture)
result(sorted(os.listdir(models + '/shards')) == [
    'added.json', 'p-1.safetensors', 'p-2.safetensors', 'shards.json',
    'shards.safetensors.index.json'] and q.returncode == 0, p.stderr + q.stderr)
both['name'], both['files'][1]['url'] = 'half', BASE + '/a/vocabulary.json'
lines(both)
ok, why = failed('half', 'vocabulary.json: the server answers 404')
result(ok, why)
served['/a/vocabulary.json'] = {'data': b'[]'}
before = count('/good.safetensors')
pull('half')
result(is_whole('half') and count('/good.safetensors') == before)

# ------------------------------------------------------------------------- licences, mirrors ----

lines(line('strict', '/good.safetensors', terms='No-One-1.0, no use'))
before = len(log)
ok, why = failed('strict', 'accept its licence with --accept-licence: No-One-1.0, no use')
asked = len(log) - before
pull('strict', '--accept-licence')
result(ok and not asked and is_whole('strict')
       and record('strict')['terms'] == 'No-One-1.0, no use', why)
served['/m/example.org/f.safetensors'] = {'data': GOOD}
lines(json.dumps(line('mirrored', '/f.safetensors')).replace(BASE, 'https://example.org'))
p = pull('mirrored', '--from', BASE + '/m/')
result(is_whole('mirrored'), p.stderr)

# ------------------------------------------------------------------------------------ adding ----

lines(line('unfit', '/good.safetensors'), line('later', '/good.safetensors'))
os.environ['FAKE_REFUSES'] = '1'
ok, why = failed('unfit', 'the weights belong to another network')
del os.environ['FAKE_REFUSES']
result(ok and not os.path.exists(CACHE + 'unfit'), why)
alone = folder.name + '/alone'
os.makedirs(alone)
for file in ('imgsearch', 'libimgsearch.so.1'):
    shutil.copy(f'{build}/{file}', alone)
p = subprocess.run([alone + '/imgsearch', 'model', 'pull', 'later'], capture_output=True, text=True,
                   env={**os.environ, 'IMGSEARCH_LIBDIR': alone})
before, absent = len(log), is_absent('later')
pull('later')
result(p.returncode == 3 and 'make setup shim' in p.stderr and absent and is_whole('later')
       and len(log) == before, p.stderr)
lines(line('sound', '/good.safetensors'), '{"name": "x", "network": "resnet18"}')
p = imgsearch('model', 'list', status=3)
result('models/models.jsonl: line 2: "files" is missing' in p.stderr, p.stderr)
lines()
wrong = []
for name in ('../x', 'a/b', '.x', 'x.pth', ''):
    p = imgsearch('model', 'pull', name, status=3)
    wrong += [] if p.returncode in (2, 3) else [name]
mine = folder.name + '/mine.safetensors'
with open(mine, 'wb') as f:
    f.write(OTHER)
for name in ('../x', 'a/b', '.x', '-x', 'default', 'resnet50'):
    p = imgsearch('model', 'add', mine, '--network', 'resnet18', f'--name={name}', status=3)
    wrong += [] if p.returncode == 3 and is_absent('x') else [name]
for name in ('../x', 'a/b', '.x'):
    wrong += [] if imgsearch('model', 'rm', '--', name, status=3).returncode == 3 else [name]
result(not wrong, wrong)
lines(line('known', '/x.safetensors', sha256=hashlib.sha256(OTHER).hexdigest(), resize=277,
           bytes=len(OTHER)))
p = imgsearch('model', 'add', mine, '--name', 'mine')
result(json.load(open(at('mine', 'mine.json')))['resize'] == 277
       and record('mine')['publisher'] == 'Nobody' and is_whole('mine', OTHER), p.stderr)
lines()
p = imgsearch('model', 'add', mine, '--name', 'mine', '--network', 'resnet34', status=3)
exists = 'there already' in p.stderr
p = imgsearch('model', 'add', mine, '--name', 'mine', '--network', 'resnet34', '--force',
              '--resize', '50', '--crop', '48', '--licence', 'own')
card = json.load(open(at('mine', 'mine.json')))
listed = [r for r in imgsearch('model', 'list').stdout.splitlines() if r.startswith('mine ')]
result(exists and card['network'] == 'resnet34' and card['crop'] == 48 and card['licence'] == 'own'
       and len(listed) == 1 and listed[0].endswith('here')
       and not [f for f in os.listdir(models) if f.startswith('.')], (p.stderr, listed))
source = folder.name + '/source'
os.makedirs(source)
for file, content in (('w.safetensors', OTHER), ('config.json', b'{}'), ('.hidden', b''),
                      ('w.json', b'{"network": "resnet18", "resize": 260, "name": "w"}')):
    with open(f'{source}/{file}', 'wb') as f:
        f.write(content)
p = imgsearch('model', 'add', source, '--name', 'folder')
result(sorted(os.listdir(models + '/folder'))
       == ['added.json', 'config.json', 'folder.json', 'folder.safetensors']
       and json.load(open(at('folder', 'folder.json')))["resize"] == 260, p.stderr)
refused = []
for words, sentence in (
        (['model', 'add', mine, '--name', 'n'], ''),
        (['model', 'add', mine, '--name', 'n', '--network', 'nosuch'], 'unknown network'),
        (['model', 'add', folder.name + '/none.pth', '--name', 'n'], 'No such file'),
        (['model', 'add', glob.glob(picture + '/*.jpg')[0], '--name', 'n'],
         'the name of weights ends in'),
        (['model', 'add', picture, '--name', 'n'], 'no .safetensors, .pth or .pt in it'),
        (['model', 'verify', 'none'], 'no model of that name was added'),
        (['model', 'info', 'none'], 'no such model')):
    p = imgsearch(*words, status=3)
    if p.returncode != 3 or sentence not in p.stderr or not is_absent('n'):
        refused.append((words, p.stderr))
result(not refused, refused)
before = len(log)
lines(line('unasked', '/good.safetensors', suggested=True))
for words in (['model', 'list', '--all'], ['model', 'info', 'unasked'], ['model', 'verify'],
              ['index', '--db', 'other.db', picture], ['info']):
    imgsearch(*words)
imgsearch('index', '--model', 'unasked', picture, status=3)
result(len(log) == before, log[before:])
