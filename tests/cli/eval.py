#!/usr/bin/python3
# imgsearch eval against scikit-learn's average precision, on features of the fake network; a CSV of
# answers; copies.
import glob
import json
import os
import random
import shutil

from common import begin, imgsearch, needs, result

needs('numpy', 'PIL', 'sklearn')
import numpy as np
from PIL import Image
from sklearn.metrics import average_precision_score

begin(
    [
        'mAP agrees with scikit-learn',
        'so does every class',
        '1-NN accuracy',
        'without it a part of the mean is subtracted',
        'a CSV of answers',
        '... by other paths of the pictures: copies, links',
        '... a picture is once in its answers, and never its own',
        'query pictures from a folder',
        'near-duplicates by kind',
        'the table',
        'expansion and re-ranking',
        'a query gives the answers that eval measures',
        'views',
        'plain goes with no improvement',
        'index --flip averages with the mirror image',
        'truth from groups of near-duplicates',
        'without any there is nothing to ask',
        'one truth at a time',
        'nothing to ask is said',
        '... with what to do',
        'a CSV that is missing',
        'a CSV of other pictures',
        'query pictures that are missing',
        'a bad CSV is said',
        'results say how many would score as high by chance',
        'and are cut there',
    ]
)


def measure(*args):
    out = imgsearch('eval', '--json', *args).stdout
    return json.loads(out) if out else {'map': -1, 'classes': [], 'accuracy': -1}


# Five folders of noisy variations of a theme each, one of them with a single picture.
random.seed(4)
noise = np.random.default_rng(4)
for c in range(5):
    theme = noise.integers(0, 255, (6, 6, 3))
    for side in ['pictures', 'asked']:
        os.makedirs(f'{side}/class{c}')
        for i in range(1 if c == 4 else 12 if side == 'pictures' else 2):
            small = np.clip(theme + noise.normal(0, 55, theme.shape), 0, 255).astype(np.uint8)
            Image.fromarray(small).resize((96, 80)).save(f'{side}/class{c}/{i:02}.png')
imgsearch('index', 'pictures', '-q')
files = sorted(glob.glob('pictures/*/*.png'))
imgsearch('extract', *files, '-o', 'all.npy', '-q')
rows = np.load('all.npy').astype(np.float64)
label = np.array([f.split('/')[1] for f in files])


def expected(rows):
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    score, ap, first = rows @ rows.T, {}, []
    for i in range(len(rows)):
        others = np.arange(len(rows)) != i
        truth = (label == label[i])[others]
        if truth.any():
            ap.setdefault(label[i], []).append(average_precision_score(truth, score[i][others]))
            first.append(truth[np.argmax(score[i][others])])
    return {c: np.mean(a) for c, a in ap.items()}, np.mean(sum(ap.values(), [])), np.mean(first)


classes, mean, first = expected(rows)
got = measure('--plain')
result(
    abs(got['map'] - mean) < 1e-6 and got['ci'][0] <= got['map'] <= got['ci'][1], (got['map'], mean)
)
ours = {os.path.basename(c['name']): c['map'] for c in got['classes']}
result(
    ours.keys() == classes.keys() and all(abs(ours[c] - classes[c]) < 1e-6 for c in classes),
    (ours, classes),
)
result(abs(got['accuracy'] - first) < 1e-9, (got['accuracy'], first))
imgsearch('build', '-q')
centred = measure()
imgsearch('extract', *files, '-q', '--raw', '-o', 'raw.npy')
shrunk = np.load('raw.npy').astype(np.float64)
shrunk -= shrunk.mean(0) * len(rows) / (len(rows) + 10)
info = json.loads(imgsearch('info', '--json').stdout)
result(
    info['vectors'] == len(files) and abs(centred['map'] - expected(shrunk)[1]) < 1e-6,
    (centred['map'], expected(shrunk)[1], info['vectors']),
)

with open('truth.csv', 'w') as f:
    f.write(
        'query,relevant,relevant\n'
        '"class0/00.png","class0/01.png","class1/02.png"\n'
        'class2/03.png,class3/04.png,\n'
        'nowhere.png,class0/01.png\n'
    )
got = measure('--truth', 'truth.csv', '--plain')
unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
wanted = []
for query, relevant in [('class0/00', ['class0/01', 'class1/02']), ('class2/03', ['class3/04'])]:
    q = files.index(f'pictures/{query}.png')
    others = [i for i in range(len(files)) if i != q]
    wanted.append(
        average_precision_score(
            [files[i][9:-4] in relevant for i in others], unit[others] @ unit[q]
        )
    )
result(got.get('queries') == 2 and abs(got['map'] - np.mean(wanted)) < 1e-6, (got, wanted))
plain = got['map']
shutil.copytree('pictures', 'copies')
os.link('copies/class3/04.png', 'copies/class3/hard.png')
os.symlink('../pictures/class1/02.png', 'copies/soft.png')
environment = dict(os.environ)
os.environ['IMGSEARCH_DB'] = os.path.abspath('other.db')
imgsearch('index', '-q', '-L', '--no-build', 'pictures', 'copies')
with open('others.csv', 'w') as f:
    f.write(
        'query,relevant,relevant\n'
        'copies/class0/00.png,copies/class0/01.png,soft.png\n'
        'copies/class2/03.png,hard.png\n'
    )
got = measure('--truth', 'others.csv', '--plain')
result(got.get('queries') == 2 and abs(got['map'] - plain) < 1e-6, (got, plain))
with open('twice.csv', 'w') as f:
    f.write(
        'query,relevant,relevant,relevant,relevant\n'
        'copies/class0/00.png,class0/01.png,copies/class0/01.png,soft.png,pictures/class0/00.png\n'
        'copies/class2/03.png,hard.png,class3/04.png\n'
        'copies/class1/03.png,pictures/class1/03.png\n'
    )
got = measure('--truth', 'twice.csv', '--plain')
result(got.get('queries') == 2 and abs(got['map'] - plain) < 1e-6, (got, plain))
os.environ.clear()
os.environ.update(environment)
got = measure('--queries', 'asked')
result(got.get('queries') == 9 and got['map'] > 0.3, got)
got = measure('--duplicates', '10')
result(
    sorted(c['name'] for c in got['classes'])
    == ['blur', 'caption', 'crop', 'mirror', 'recompress', 'rotate', 'scale']
    + ['small crop 1/4', 'small crop 1/9']
    and got.get('queries') == 90
    and got['recall']['10'] > 0.5,
    got,
)
table = imgsearch('eval').stdout
result('mAP' in table and 'class3' in table and 'class4' not in table, table)
got = [
    measure(*o)
    for o in (['--expand', '3'], ['--reciprocal', '8'], ['--whiten', '4'], ['--reciprocal', '499'])
]
result(
    all(g.get('queries') == 48 for g in got)
    and got[0]['map'] > centred['map']
    and got[1]['map'] > centred['map'],
    got,
)


def asked(*options):
    """Mean average precision of what query gives, each picture left out of its own answer."""
    ids = {
        p: json.loads(line)['id']
        for line in imgsearch('list', '--json').stdout.splitlines()
        for p in [json.loads(line)['path']]
    }
    out = []
    for i, f in enumerate(files):
        if (label == label[i]).sum() > 1:
            hits = json.loads(
                imgsearch(
                    'query', f'id:{ids[os.path.abspath(f)]}', '--no-self', '-k', '1000', '--json',
                    *options
                ).stdout
            )['results']
            truth = [h['path'].split('/')[-2] == label[i] for h in hits]
            out.append(average_precision_score(truth, -np.arange(len(truth))))
    return np.mean(out)


answers = [
    (abs(measure(*o)['map'] - asked(*o)), o)
    for o in (
        ['--expand', '3'],
        ['--expand', '4', '--expand-power', '2'],
        ['--reciprocal', '8'],
        ['--expand', '2', '--reciprocal', '6'],
    )
]
result(all(a < 1e-6 for a, o in answers), answers)
views = [measure(*o, '--views', '6')['map'] for o in ([], ['--queries', 'asked'])]
result(
    abs(views[0] - asked('--views', '6')) < 1e-4 and views[0] != centred['map'] and views[1] > 0.3,
    views,
)
refused = [
    imgsearch(c, *w, '--plain', '--expand', '3', status=3).stderr
    for c, w in (('eval', []), ('query', ['id:1']))
]
result(all('plain' in e for e in refused), refused)
os.makedirs('turned/mirrored')
Image.open(files[0]).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save('turned/mirrored/0.png')
imgsearch('extract', '--raw', files[0], 'turned/mirrored/0.png', '-o', 'two.npy', '-q')
imgsearch('index', 'pictures/class0', '--flip', '--db', 'flip.db', '-q')
imgsearch(
    'extract', '--raw', files[0], 'turned/mirrored/0.png', '-o', 'flip.npy', '-q', '--db', 'flip.db'
)
two, flip, info = (
    np.load('two.npy'),
    np.load('flip.npy'),
    json.loads(imgsearch('info', '--json', '--db', 'flip.db').stdout),
)
result(
    np.abs(two[0] - two[1]).max() > 1e-3
    and np.abs(flip - two.mean(0)).max() < 1e-5
    and info['recipe']['flip'],
    (two[:, :4], flip[:, :4], info['recipe']),
)

# Ten pictures, each with a smaller one of itself, and three that are alone.
os.makedirs('twice')
for i in range(13):
    big = Image.fromarray(noise.integers(0, 255, (5, 5, 3)).astype(np.uint8)).resize(
        (160, 120), Image.Resampling.BICUBIC
    )
    big.save(f'twice/{i:02}a.png')
    if i < 10:
        big.resize((100, 75)).save(f'twice/{i:02}b.jpg', quality=85)
imgsearch('index', 'twice', '--db', 'twice.db', '-q')
twice = sorted(glob.glob('twice/*'))
imgsearch('extract', *twice, '-o', 'twice.npy', '-q')
close = np.load('twice.npy').astype(np.float64)
close /= np.linalg.norm(close, axis=1, keepdims=True)
wanted = []
for i, f in enumerate(twice):
    others = [j for j in range(len(twice)) if j != i]
    truth = [twice[j][:8] == f[:8] for j in others]
    if any(truth):
        wanted.append(average_precision_score(truth, close[others] @ close[i]))
got = measure('--groups', '--db', 'twice.db', '--plain')
result(
    got.get('queries') == 20 and abs(got['map'] - np.mean(wanted)) < 1e-6, (got, np.mean(wanted))
)
imgsearch('index', 'twice', '--include', '1[012]a.png', '--db', 'lone.db', '-q')
p = imgsearch('eval', '--groups', '--db', 'lone.db', status=3)
result('no query has a relevant' in p.stderr, p.stderr)
both = [
    imgsearch('eval', *o, status=3).stderr
    for o in (
        ['--groups', '--truth', 'truth.csv'],
        ['--groups', '--queries', 'asked'],
        ['--duplicates', '3', '--groups'],
        ['--duplicates', '3', '--truth', 'truth.csv'],
    )
]
result(all(both), both)
os.makedirs('one')
Image.new('RGB', (50, 50), (9, 9, 99)).save('one/a.png')
imgsearch('index', 'one', '--db', 'one.db', '-q')
p = imgsearch('eval', '--db', 'one.db', status=3)
result(p.returncode == 3 and 'no query has a relevant' in p.stderr, p.stderr)
result('; put related pictures into one folder' in p.stderr, p.stderr)
open('none.csv', 'w').write('query,relevant\nx.jpg,y.jpg\n')
for options, words in (
    (['--truth', 'missing.csv'], 'missing.csv: No such file or directory\n'),
    (['--truth', 'none.csv'], 'none.csv: no query has a relevant picture: no line names two '),
    (['--queries', 'missing'], 'missing: '),
):
    p = imgsearch('eval', *options, status=3)
    result(words in p.stderr and 'related pictures' not in p.stderr, p.stderr)
open('bad.csv', 'w').write('query\n')
p = imgsearch('eval', '--truth', 'bad.csv', status=3)
result(p.returncode == 3 and 'bad.csv' in p.stderr, p.stderr)
np.save('v.npy', noise.normal(0, 1, (400, 16)).astype(np.float32))
imgsearch('vectors', 'import', 'v.npy', '--db', 'v.db')
before = json.loads(imgsearch('query', 'id:5', '-k', '50', '--json', '--db', 'v.db').stdout)
imgsearch('build', '-q', '--db', 'v.db')
after = json.loads(imgsearch('query', 'id:5', '-k', '50', '--json', '--db', 'v.db').stdout)
chance = [r['chance'] for r in after['results']]
result(
    'chance' not in before['results'][0]
    and chance == sorted(chance)
    and chance[0] < 0.1
    and 10 < chance[-1] < 200,
    chance,
)
cut = json.loads(
    imgsearch('query', 'id:5', '-k', '50', '--max-chance', '5', '--json', '--db', 'v.db').stdout
)
result(len(cut['results']) == sum(c <= 5 for c in chance), len(cut['results']))
