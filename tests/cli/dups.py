#!/usr/bin/python3
# imgsearch dups: three kinds that are never mixed, the same answer always, pairs that are
# remembered as different.
import json
import os
import random
import shutil

from common import begin, imgsearch, needs, result

needs('PIL')
from PIL import Image, ImageDraw

begin(
    [
        'same bytes',
        'same picture: smaller, recompressed, turned, mirrored',
        '... and no other',
        'same scene',
        'no pair in two kinds',
        'a looser kind counts one of a stricter group',
        'the same answer from one thread and from four',
        '... and again',
        '--kind',
        '--under',
        'text and -0',
        'a rejected pair is apart',
        '... after the file has moved',
        '... after it was taken out and came back',
        '... and only that pair',
        'what cannot be rejected',
        'a squeezed picture is not the same',
        'nothing was deleted',
        'none: status 1',
        'a grey copy with more pixels comes behind the picture in colour',
        '... and is marked so',
        'grey pictures alone are in order of their pixels',
    ]
)


def dups(*words):
    return [
        json.loads(line) for line in imgsearch('dups', '-q', '--json', *words).stdout.splitlines()
    ]


def names(groups, kind):
    return sorted(
        sorted(os.path.basename(p['path']) for p in g['pictures'])
        for g in groups
        if g['kind'] == kind
    )


def drawn(seed, size=(240, 160)):
    r, im = random.Random(seed), Image.new('RGB', size, (60, 90, 120))
    d = ImageDraw.Draw(im)
    for _ in range(25):
        x, y = r.randint(0, size[0]), r.randint(0, size[1])
        d.ellipse(
            (
                x - r.randint(5, 60), y - r.randint(5, 60), x + r.randint(5, 60),
                y + r.randint(5, 60)
            ),
            tuple(r.randint(0, 255) for _ in range(3)),
        )
    return im


os.makedirs('pics/sub')
one, two = drawn(1), drawn(2, (200, 200))
one.save('pics/one.jpg', quality=92)
shutil.copy('pics/one.jpg', 'pics/one-copy.jpg')
one.resize((120, 80)).save('pics/one-small.jpg')
one.save('pics/one-q25.jpg', quality=25)
one.transpose(Image.ROTATE_90).save('pics/one-turned.png')
one.transpose(Image.FLIP_LEFT_RIGHT).save('pics/sub/one-mirrored.jpg')
two.save('pics/two.png')
two.resize((200, 120)).save('pics/two-squeezed.png')
three = drawn(3)
three.save('pics/three.png')
three.crop((12, 4, 234, 150)).save('pics/three-near.png')
for i in range(4, 16):
    drawn(i).save(f'pics/other{i:02}.png')
before = sorted(os.listdir('pics') + os.listdir('pics/sub'))
imgsearch('index', '-q', 'pics')

groups = dups('--min-score', '0.95')
copies = [n for n in before if n.startswith('one-') and n != 'one-copy.jpg']
bytewise, picture, scene = (names(groups, k) for k in ('bytes', 'picture', 'scene'))
result(bytewise == [['one-copy.jpg', 'one.jpg']], bytewise)
result(any(set(copies) <= set(g) for g in picture), picture)
result(len(picture) == 1 and len(picture[0]) == len(copies) + 1, picture)
result(any({'three.png', 'three-near.png'} <= set(g) for g in scene), scene)
pairs = [
    (a['id'], b['id'])
    for g in groups
    for a in g['pictures']
    for b in g['pictures']
    if a['id'] < b['id']
]
result(len(pairs) == len(set(pairs)), pairs)
result(
    all(sum(n in g for n in bytewise[0]) <= 1 for g in picture + scene)
    and all(sum(n in picture[0] for n in g) <= 1 for g in scene),
    groups,
)
texts = [
    imgsearch('dups', '--min-score', '0.9', '--json', '--threads', n).stdout
    for n in ('1', '4', '4')
]
result(texts[0] == texts[1] and texts[0], texts[:2])
result(texts[1] == texts[2])
result(
    {g['kind'] for g in dups('--kind', 'picture')} == {'picture'}
    and {g['kind'] for g in dups('--kind', 'bytes')} == {'bytes'}
)
result(dups('--under', 'pics/sub') == [] and len(dups('--under', 'pics', '--kind', 'picture')) == 1)
text = imgsearch('dups', '--kind', 'bytes', '-q').stdout.splitlines()
zero = imgsearch('dups', '--kind', 'bytes', '-q', '-0').stdout
result(
    [t.split('\t')[:2] for t in text] == [['bytes', '1']] * 2
    and zero.split('\0') == [t.split('\t')[2] for t in text] + ['', ''],
    (text, zero),
)


def apart(a, b):
    return not any({a, b} <= set(g) for g in names(dups(), 'picture'))


r = imgsearch('dups', '--reject', 'pics/one-turned.png', 'pics/one-q25.jpg')
result(
    r.returncode == 0 and apart('one-turned.png', 'one-q25.jpg'),
    (r.stderr, names(dups(), 'picture')),
)
os.rename('pics/one-turned.png', 'pics/sub/moved.png')
imgsearch('index', '-q', 'pics')
result(apart('moved.png', 'one-q25.jpg'), names(dups(), 'picture'))
imgsearch('rm', '-q', 'pics/sub/moved.png')
shutil.move('pics/sub/moved.png', 'pics/back.png')
imgsearch('index', '-q', 'pics')
after = names(dups(), 'picture')
result(apart('back.png', 'one-q25.jpg') and len(dups()) > 0, after)
result(any({'one-small.jpg', 'one-mirrored.jpg'} <= set(g) for g in after), after)
same, lost, alone = (
    imgsearch('dups', '--reject', 'pics/one.jpg', *w, status=code)
    for code, w in ((3, ['pics/one-copy.jpg']), (3, ['pics/nosuch.jpg']), (2, []))
)
result(
    same.returncode == 3
    and 'same bytes' in same.stderr
    and lost.returncode == 3
    and 'not in the index' in lost.stderr
    and alone.returncode == 2,
    (same, lost, alone),
)
result(not any({'two.png', 'two-squeezed.png'} <= set(g) for g in after), after)
result(len(os.listdir('pics') + os.listdir('pics/sub')) == len(before))
imgsearch('index', '-q', '--db', 'few.db', 'pics/two.png', 'pics/three.png')
r = imgsearch('dups', '--db', 'few.db', '--min-score', '1', status=1)
result(r.returncode == 1 and 'no near-duplicates' in r.stderr, (r.returncode, r.stdout, r.stderr))

os.mkdir('grey')
one.save('grey/z-colour.jpg', quality=92)
large = one.resize((480, 320), Image.LANCZOS).convert('L')
large.save('grey/a-large.jpg', quality=95)
imgsearch('index', '-q', '--db', 'grey.db', 'grey')


def in_order():
    """The pictures of the one group, and which of them are marked grey."""
    group = dups('--db', 'grey.db', '--kind', 'picture')[0]['pictures']
    return [os.path.basename(p['path']) for p in group], [p.get('grey', False) for p in group]


order, marks = in_order()
text = imgsearch('dups', '-q', '--db', 'grey.db', '--kind', 'picture', '-0').stdout
result(
    order == ['z-colour.jpg', 'a-large.jpg']
    and [os.path.basename(t) for t in text.split('\0')][:2] == order,
    (order, text),
)
result(marks == [False, True], marks)
os.remove('grey/z-colour.jpg')
one.convert('L').save('grey/0-small.png')
imgsearch('index', '-q', '--db', 'grey.db', 'grey')
order, marks = in_order()
result((order, marks) == (['a-large.jpg', '0-small.png'], [False, False]), (order, marks))
