#!/usr/bin/env python3
"""Bad checkpoints of every format, and files that are none: an error that names the file, within
seconds and in little memory, and no index is left behind."""

import io
import json
import os
import pickle
import random
import struct
import subprocess
import threading
import time
import zipfile
import zlib

from common import begin, build, omit, result

begin([
    'sound files of each format are read',
    'cut off',
    'a flipped bit in what describes the tensors',
    'shards',
    'hostile pickles',
    'archives that claim too much',
    'a TorchScript program that claims too much',
    'files that are no weights',
    'no file, a folder, a pipe, a file that cannot be read',
    'the tensors of another network: which',
    'what the network needs',
])

os.mkdir('pics')
with open('pics/grey.bmp', 'wb') as f:
    f.write(b'BM' + struct.pack('<IIIIiiHH', 54 + 3072, 0, 54, 40, 64, 16, 1, 24) + bytes(24))
    f.write(bytes(range(256)) * 12)

SECONDS, MIB = 5, 80  # the command alone has about 12


def try_file(path, *more, libdir=None):
    """(status, the sentences on standard error, seconds of processor time, MiB)"""
    env = dict(os.environ, IMGSEARCH_LIBDIR=libdir or build + '/tests/lib')
    more = more or ['--model', 'resnet18']
    words = ['index', '--db', 'new.db', '--weights', path, *more, 'pics']
    p = subprocess.Popen([build + '/imgsearch', *words], env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    killer = threading.Timer(60, p.kill)
    killer.start()
    text = p.stderr.read().decode(errors='replace')
    _, status, used = os.wait4(p.pid, 0)
    killer.cancel()
    p.returncode = os.waitstatus_to_exitcode(status)
    return p.returncode, text, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def wrong(path, word='', *more, name=None, size=None, libdir=None):
    """What is wrong with the refusal of a file; None: nothing."""
    status, text, seconds, mib = try_file(path, *more, libdir=libdir)
    left = os.path.exists('new.db')
    for end in ('', '-wal', '-shm'):
        if os.path.exists('new.db' + end):
            os.remove('new.db' + end)
    size = size or (os.path.getsize(path) if os.path.isfile(path) else 0)
    if status != 3 or (name or path) not in text or word not in text or text.count('\n') != 1:
        return f'{path}: {status} {text}'
    if left or seconds > SECONDS or ('asan' not in build and mib > MIB + 4 * size / 2**20):
        return f'{path}: an index {left}, {seconds} s, {mib} MiB'
    return None


def put(path, data):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    return path


# ---- writers of the formats, as small as they can be ----

TENSORS = {f'layer{i}.weight': [8, 8] for i in range(6)}
BYTES = {name: bytes(random.Random(i).choices(range(60), k=256)) for i, name in enumerate(TENSORS)}


class Storage:
    def __init__(self, key, type='FloatStorage', size=64):
        self.key, self.type, self.size = key, type, size


class Named:
    """A name of a module that is pickled as it is."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, module, name, *args):
        self.callee, self.args = Named(module, name), args


class Pickler(pickle._Pickler):
    """Python's own pickler, in Python, with names of modules that are not there."""

    def save(self, x, save_persistent_id=True):
        if isinstance(x, Named):
            self.write(b'c' + f'{x.module}\n{x.name}\n'.encode())
        elif isinstance(x, Call):
            self.save(x.callee)
            self.save(x.args)
            self.write(b'R')
        elif isinstance(x, Storage):
            self.save(('storage', Named('torch', x.type), x.key, 'cpu', x.size))
            self.write(b'Q')
        else:
            super().save(x)


def pickled(x):
    out = io.BytesIO()
    Pickler(out, 2).dump(x)
    return out.getvalue()


def tensor(key, shape=(8, 8), **more):
    stride = [1]
    for n in reversed(shape[1:]):
        stride.insert(0, stride[0] * n)
    return Call('torch._utils', '_rebuild_tensor_v2', Storage(key, **more), 0, tuple(shape),
                tuple(stride[-len(shape):] if shape else ()), False, {})


def state():
    return {name: tensor(str(i)) for i, name in enumerate(TENSORS)}


def zipped(entries, method=zipfile.ZIP_STORED):
    """method: of all entries, or {name: method} of some."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name, data in entries.items():
            own = method.get(name, 0) if isinstance(method, dict) else method
            z.writestr(name, data, own)
    return out.getvalue()


def zip_entries(description=None):
    data = {'w/data.pkl': description or pickled(state()), 'w/byteorder': b'little'}
    data.update({f'w/data/{i}': b for i, b in enumerate(BYTES.values())})
    return data


def legacy(description=None):
    keys = [str(i) for i in range(len(TENSORS))]
    out = pickle.dumps(0x1950a86a20f9469cfc6c, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    out += (description or pickled(state())) + pickle.dumps(keys, 2)
    for b in BYTES.values():
        out += struct.pack('<Q', 64) + b
    return out


def safetensors(names=None, change=lambda head: head):
    head, body = {}, b''
    for name in names or TENSORS:
        head[name] = {'dtype': 'F32', 'shape': [8, 8], 'data_offsets': [len(body), len(body) + 256]}
        body += BYTES[name]
    head = json.dumps(change(head)).encode()
    return struct.pack('<Q', len(head)) + head + body


FILES = {'zip.pth': zipped(zip_entries()), 'legacy.pth': legacy(), 'one.safetensors': safetensors()}
random.seed(1)


def put_shards(where, first, second, index):
    put(where + '/1.safetensors', first)
    if second is not None:
        put(where + '/2.safetensors', second)
    text = index if isinstance(index, bytes) else json.dumps({'weight_map': index}).encode()
    return put(where + '/m.safetensors.index.json', text)


NAMES = list(TENSORS)
HALVES = safetensors(NAMES[:3]), safetensors(NAMES[3:])
INDEX = {name: f'{1 + (i >= 3)}.safetensors' for i, name in enumerate(NAMES)}


def check(cases):
    bad = [x for x in cases if x]
    result(not bad, '\n'.join(bad[:5]))


def sound(path, *more):
    status, text, *_ = try_file(path, *more)
    for end in ('', '-wal', '-shm'):
        if os.path.exists('new.db' + end):
            os.remove('new.db' + end)
    return f'{path}: {status} {text}' if status else None


check([sound(put(name, data)) for name, data in FILES.items()]
      + [sound(put_shards('good', *HALVES, INDEX))])


def cuts(data):
    some = random.sample(range(len(data)), 8)
    return sorted({0, 1, 2, 9, 100, len(data) // 2, len(data) - 1, *some})


check([wrong(put('cut-' + name, data[:n])) for name, data in FILES.items() for n in cuts(data)])

# What is flipped makes a name, a type or a place another one, or leaves weights as they are.
flips = []
for name, data in FILES.items():
    for at in random.sample(range(min(len(data), 900)), 20):
        changed = bytearray(data)
        changed[at] ^= 1 << random.randrange(8)
        path = put('flip-' + name, bytes(changed))
        if sound(path):
            flips.append(wrong(path))
check(flips)


def moved(name, to):
    return {**INDEX, name: to}


LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n'
INSIDE = 'is no name of a .safetensors file beside'
shards = [
    ('missing', HALVES[0], None, INDEX, '2.safetensors: No such file'),
    ('twice', HALVES[0], HALVES[0], INDEX, 'layer0.weight'),
    ('in-two', HALVES[0], safetensors(NAMES[2:]), INDEX, 'layer2.weight'),
    ('elsewhere', *HALVES, moved('layer0.weight', '2.safetensors'), 'layer0.weight'),
    ('above', *HALVES, moved('layer0.weight', '../one.safetensors'), INSIDE),
    ('absolute', *HALVES, moved('layer0.weight', os.path.abspath('one.safetensors')), INSIDE),
    ('not-there', *HALVES, {**INDEX, 'more.weight': '2.safetensors'}, 'more.weight'),
    ('unlisted', *HALVES, dict(list(INDEX.items())[:-1]), 'layer5.weight'),
    ('of-another', *HALVES, {'conv1.weight': '1.safetensors'}, 'layer0.weight'),
    ('cut', HALVES[0], HALVES[1][:-9], INDEX, 'layer5.weight'),
    ('pointers', LFS, LFS, INDEX, 'Git LFS pointer'),
    ('number', *HALVES, moved('layer0.weight', 7), 'layer0.weight'),
    ('list', *HALVES, b'[1]', ''),
    ('empty', *HALVES, b'', 'empty'),
    ('page', *HALVES, b'<html><title>Sign in</title>', 'Sign in'),
    ('deep', *HALVES, b'{"metadata":' + b'[' * 100000, ''),
]
check([wrong(put_shards('s-' + name, a, b, index), word, name='s-' + name)
       for name, a, b, index, word in shards])

P = b'\x80\x02'
hostile = {
    'system': (P + b'cos\nsystem\nX\x02\0\0\0id\x85R.', 'os.system'),
    'eval': (P + b'cbuiltins\neval\nX\x01\0\0\0001\x85R.', 'builtins.eval'),
    'exec': (b'\x80\x04\x8c\x08builtins\x8c\x04exec\x93.', 'builtins.exec'),
    'marks': (P + b'(' * 100000 + b'.', ''),
    'lists': (P + b']' * 100000 + b'a' * 99999 + b'.', 'no state dict'),
    'tuples': (P + b')' + b'\x85' * 100000 + b'.', 'no state dict'),
    'cycle': (P + b'}q\0X\1\0\0\0ah\0s.', 'no tensors'),
    'memo': (P + b'Nr\xff\xff\xff\x7f.', 'memo number'),
    'memo-bomb': (P + b']q\0' + b'(' + b'h\0' * 50000 + b'e' + b'.', 'no state dict'),
    'laughs': (P + b']' + b''.join(b'q\x01(' + b'h\x01' * 9 + b't' for _ in range(30)) + b'.', ''),
    'huge-int': (P + b'\x8b\xff\xff\xff\x7f' + b'1' * 100, ''),
    'long-int': (P + b'\x8a\xff' + b'1' * 255 + b'.', 'number'),
    'digits': (P + b'I' + b'9' * 100000 + b'\n.', ''),
    '4-gb-text': (P + b'X\xff\xff\xff\xffabc.', 'text is cut off'),
    '2-eb-text': (b'\x80\x04\x8d' + b'\xff' * 7 + b'\x1fabc.', ''),
    '4-gb-bytes': (P + b'B\xff\xff\xff\xffabc.', ''),
    'no-newline': (P + b'c' + b'a' * 100000, 'name is cut off'),
    'shape': (pickled({'a': tensor('0', (1 << 40, 1 << 40))}), 'tensor "a"'),
    'negative': (pickled({'a': tensor('0', (-8, -8))}), 'tensor "a"'),
    'storage': (pickled({'a': tensor('0', (1 << 40,), size=1 << 40)}), 'tensor "a"'),
    'key': (pickled({'a': tensor('../../etc/passwd')}), 'tensor "a"'),
    'double': (pickled({'a': tensor('0', type='DoubleStorage')}), 'tensor "a"'),
    'no-tensors': (pickled({'net': state()}), 'the first key is "net"'),
    'model': (P + b'ctorchvision.models.resnet\nResNet\n)\x81.', 'save model.state_dict()'),
}
cases = []
for name, (data, word) in hostile.items():
    cases.append(wrong(put(f'p-{name}.pth', zipped(zip_entries(data))), word))
    cases.append(wrong(put(f'l-{name}.pth', legacy(data))))
check(cases)


def directory(data, entry, changes):
    """The archive with fields of an entry of its directory overwritten: {place: bytes}."""
    out = bytearray(data)
    at = struct.unpack('<I', data[-6:-2])[0]
    while True:
        n, extra, comment = struct.unpack('<HHH', data[at + 28:at + 34])
        if data[at + 46:at + 46 + n].decode() == entry:
            break
        at += 46 + n + extra + comment
    for place, value in changes.items():
        out[at + place:at + place + len(value)] = value
    return bytes(out)


GOOD = FILES['zip.pth']
FAR = b'\xfe\xff\xff\xff'
archives = {
    'deflated': (zipped(zip_entries(), zipfile.ZIP_DEFLATED), 'is compressed'),
    'claims-4-gb': (directory(GOOD, 'w/data/0', {24: FAR}), 'w/data/0'),
    'pickle-4-gb': (directory(GOOD, 'w/data.pkl', {24: FAR}), 'w/data.pkl'),
    'outside': (directory(GOOD, 'w/data/0', {42: FAR}), 'w/data/0'),
    'into-the-middle': (directory(GOOD, 'w/data/0', {42: b'\x09\0\0\0'}), 'w/data/0'),
    'no-64-bit': (directory(GOOD, 'w/data/0', {24: b'\xff' * 4}), 'w/data/0'),
    'same-place': (directory(GOOD, 'w/data/0', {42: b'\0\0\0\0'}), ''),
    'many-entries': (GOOD[:-14] + b'\xff\xfe\xff\xfe' + GOOD[-10:], 'more entries'),
    'no-directory': (GOOD[:-6] + FAR + GOOD[-2:], 'directory'),
    'no-end': (GOOD[:-22], 'cut off'),
    'in-another': (zipped({'resnet.pth': GOOD}), 'unpack it first'),
    'numpy': (zipped({'conv1.weight.npy': b'\x93NUMPY'}), '.npz'),
    'nothing': (zipped({}), ''),
    'zeros-in-it': (zipped({'w/data.pkl': bytes(1 << 20)}), ''),
}
# 64-bit fields that say otherwise: the directory's own end, in front of the usual one.
wide = struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, 1 << 60, 1 << 60, 1 << 60, 1 << 60)
where = struct.pack('<4sIQI', b'PK\6\7', 0, len(GOOD) - 22, 1)
full = GOOD[-22:-14] + b'\xff' * 12 + b'\0\0'
archives['64-bit'] = (GOOD[:-22] + wide + where + full, 'entries')
archives['64-bit-far'] = (GOOD[:-22] + where.replace(struct.pack('<Q', len(GOOD) - 22), b'\xfe' * 8)
                          + full, '')
cases = []
for name, (data, word) in archives.items():
    path = put(f'z-{name}.pth', data)
    cases.append(wrong(path, word) if name != 'same-place' or sound(path) else None)
check(cases)

program = zip_entries()
program['w/constants.pkl'] = P + b').'
program['w/code/x.py'] = bytes(100000)
mixed = zipped(program, {'w/code/x.py': zipfile.ZIP_DEFLATED})
deflated = zlib.compress(bytes(100000))[2:-4]
plain, packed = zipped(program), zipped(program, zipfile.ZIP_DEFLATED)
check([
    sound(put('t-good.pt', plain), '--model', 'script'),
    sound(put('t-packed.pt', mixed), '--model', 'script'),
    wrong(put('t-text.pt', mixed.replace(deflated, deflated[:-9] + bytes(9))), 'w/code/x.py'),
    wrong(put('t-pickle.pt', plain.replace(P + b').', P + b'(.')), 'w/constants.pkl'),
    wrong(put('t-stored.pt', directory(plain, 'w/data/0', {24: FAR})), 'claims 4294967294 bytes'),
    wrong(put('t-bomb.pt', directory(packed, 'w/code/x.py', {24: FAR})), 'claims 4294967294 bytes'),
    wrong(put('t-outside.pt', directory(plain, 'w/data/0', {42: FAR})), 'w/data/0'),
    wrong(put('t-named.pth', plain), 'TorchScript program'),
])

others = {
    'page.pth': (b'<!DOCTYPE html>\n<html><title>404 Not Found</title>', '404 Not Found'),
    'page.pt': (b'\n<html>\n<body>Not here</body>', 'web page'),
    'error.pth': (b'{"error":"Repository not found"}', 'Repository not found'),
    'pointer.pth': (LFS, 'Git LFS pointer to them (1234 bytes)'),
    'pointer.safetensors': (LFS, 'git lfs pull'),
    'onnx.pth': (b'\x08\x07\x12\x07pytorch\x1a\x041.13' + bytes(99), 'ONNX'),
    'gguf.pth': (b'GGUF\3\0\0\0' + bytes(99), 'GGUF'),
    'keras.pth': (b'\x89HDF\r\n\x1a\n' + bytes(99), 'HDF5'),
    'gzip.pth': (b'\x1f\x8b\x08\0' + zlib.compress(GOOD), 'gzip'),
    'numpy.pth': (b'\x93NUMPY\1\0v\0' + bytes(99), 'NumPy'),
    'sparse.pth': (bytes(99999), 'zeros'),
    'empty.pth': (b'', 'the file is empty'),
    'empty.pt': (b'', 'the file is empty'),
    'pickle.pth': (pickle.dumps({'a': 1}, 2), 'not one that torch.save wrote'),
    'header.safetensors': (struct.pack('<Q', 1 << 62) + b'{"a":{}}', 'cut off'),
    'tensor.safetensors': (safetensors(change=lambda h: {**h, 'layer3.weight': {
        'dtype': 'F32', 'shape': [1 << 50], 'data_offsets': [0, 1 << 52]}}), 'layer3.weight'),
    'overlap.safetensors': (safetensors(change=lambda h: {**h, 'layer3.weight': {
        'dtype': 'F32', 'shape': [8, 8], 'data_offsets': [0, 256]}}), 'overlap'),
}
check([wrong(put('o-' + name, data), word) for name, (data, word) in others.items()])

os.mkdir('folder.pth')
os.mkfifo('pipe.pth')
os.symlink('nowhere', 'dangling.pth')
put('secret.pth', GOOD)
os.chmod('secret.pth', 0)
cases = [
    wrong('absent.pth', 'No such file'),
    wrong('dangling.pth', 'No such file'),
    wrong('folder.pth', 'not a regular file'),
    wrong('pipe.pth', 'not a regular file'),
]
if not os.access('secret.pth', os.R_OK):  # root reads everything
    cases.append(wrong('secret.pth', 'Permission denied'))
check(cases)

os.environ.update(FAKE_REFUSES='1', FAKE_FITS='vgg16 ')
alone = wrong('one.safetensors', 'belong to another network; these are the tensors of vgg16\n')
os.environ['FAKE_FITS'] = 'clip_vit_b32 openclip_vit_b32 '
several = wrong('one.safetensors', 'the tensors of clip_vit_b32 or another of its kind\n')
os.environ['FAKE_FITS'] = 'resnet18 vgg16 '
wanted = wrong('one.safetensors', 'the weights belong to another network\n')
del os.environ['FAKE_REFUSES'], os.environ['FAKE_FITS']
check([alone, several, wanted])

# The network itself: names, shapes and values of a tensor, where libtorch is here.
if not os.path.exists(build + '/imgsearch-shim.so'):
    omit('the shim was not built')
else:
    MIB = 400
    check([
        wrong('one.safetensors', 'missing conv1.weight', '--model', 'resnet18', libdir=build),
        wrong('one.safetensors', 'the nearest is', '--precision', 'f32', libdir=build),
    ])
