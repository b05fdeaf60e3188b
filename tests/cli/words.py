#!/usr/bin/python3
# imgsearch query --text, and texts in extract, with the fake shim's text tower: its tokens from
# 300 on are colours.
import json
import os
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from common import begin, build, imgsearch, omit, result  # noqa: E402

TESTS = [
    'a text finds its colour',
    '... as JSON, with the text as the query',
    'texts and pictures are one query',
    '--not moves away from a text',
    '--weight counts for what follows it',
    '--template is around the text',
    'a page has the text as its heading',
    'a blank text is refused',
    'a text that is no UTF-8 is refused',
    'no vocabulary: the sentence names the folder and the files',
    'eval measures texts',
    '... and refuses a blank one, by its line',
    'extract writes features of texts, among those of pictures',
    'a model that knows pictures alone: models that can, and what to do',
    '... and where the second model of the index can, the sentence says so',
    'a query of several inputs is named by all of them',
    'options for pictures are refused where there is none',
    '... and a template where there is no text',
    'eval tells names of no picture, and a header that is none',
    'where no chances are known, a limit on them is a warning',
    'a model that is added without a vocabulary says so',
]
begin(TESTS)


def names(p):
    return [os.path.basename(line) for line in p.stdout.splitlines()]


speaking = [sys.executable, HERE + '/../tools/speaking.py', 'model']
subprocess.run(speaking, env={**os.environ, 'B': build}, check=True)
imgsearch('index', 'model/pictures', '-q', '--weights', 'model/speaking.safetensors')

p = imgsearch('query', '--text', 'a red car', '--paths')
if 'libutf8proc' in p.stderr:
    for _ in TESTS:
        omit('libutf8proc is missing')
    sys.exit()
result(names(p)[0] == 'red.png', p)
p = imgsearch('query', '--text', 'green', '-k', '1', '--json')
answer = json.loads(p.stdout)
result(
    answer['query'] == 'green' and answer['results'][0]['path'].endswith('/green.png'), p
)
p = imgsearch('query', 'model/pictures/red.png', '--text', 'blue', '--text', 'blue', '--paths')
result(len(names(p)) == 8 and names(p)[0] in ('blue.png', 'magenta.png'), p)
p = imgsearch('query', '--text', 'white', '--not', '--text', 'blue', '--paths')
q = imgsearch('query', '--text', 'white', '--weight', '2', '--not', '--text', 'blue', '--paths')
result(names(p)[0] == 'white.png' and names(q)[0] == 'yellow.png', (p, q))
p = imgsearch('query', '--text', 'red', '--weight', '3', '--text', 'blue', '-k', '1', '--paths')
q = imgsearch('query', '--weight', '3', '--text', 'red', '--text', 'blue', '-k', '1', '--paths')
result(names(p) == ['blue.png'] and names(q) == ['red.png'], (p, q))
p = imgsearch('query', '--text', 'red', '--template', 'blue blue blue {}', '-k', '1', '--paths')
result(names(p) == ['blue.png'], p)
p = imgsearch('query', '--text', 'red & <blue>', '--html', 'page.html')
page = open('page.html').read() if os.path.exists('page.html') else ''
result('red &amp; &lt;blue&gt;' in page, page[:500])

p = imgsearch('query', '--text', '  ', status=3)
result('the text is empty' in p.stderr and not p.stdout, p)
p = imgsearch('query', '--text', b'caf\xe9', status=3)
result('is not UTF-8' in p.stderr, p)
os.rename('model/tokenizer.json', 'away')
p = imgsearch('query', '--text', 'red', status=3)
result('/model: ' in p.stderr and 'no tokenizer.json' in p.stderr, p)
os.rename('away', 'model/tokenizer.json')
with open('texts.csv', 'w') as f:
    f.write('text,file\nred,red.png\nblue,blue.png\na dark picture,white.png\nred,magenta.png\n')
p = imgsearch('eval', '--text', 'texts.csv', '--json')
scores = json.loads(p.stdout or '{}')
result(scores.get('queries') == 3 and 0.5 < scores['map'] < 1 and scores['recall']['1'] < 1, p)
with open('texts.csv', 'a') as f:
    f.write(' ,red.png\n')
p = imgsearch('eval', '--text', 'texts.csv', status=3)
result('texts.csv: line 6: the text is empty' in p.stderr, p)
words = ('--weights', 'model/speaking.safetensors', '-o', 'f.fvecs', '-q')
p = imgsearch('extract', '--text', 'red', 'model/pictures/red.png', '--text', 'blue', *words)
data = open('f.fvecs', 'rb').read() if os.path.exists('f.fvecs') else b''
rows = [struct.unpack('<i48f', data[i : i + 196])[1:] for i in range(0, len(data), 196)]
signs = [[v > 0 for v in row[:3]] for row in rows]
result(signs == [[True, False, False]] * 2 + [[False, False, True]], signs)
os.environ['IMGSEARCH_DB'] = os.path.abspath('plain.db')
imgsearch('index', 'model/pictures', '-q')
shutil.copytree(build + '/tests/lib', 'lib')
shutil.copy(build + '/models.jsonl', 'lib/models.jsonl')
libdir = os.environ['IMGSEARCH_LIBDIR']
os.environ['IMGSEARCH_LIBDIR'] = os.path.abspath('lib')
p = imgsearch('query', '--text', 'red', status=3)
result(
    'for example, clip_vit_b32, openclip_vit_b16_datacomp' in p.stderr
    and 'imgsearch model pull openclip_vit_b16_datacomp' in p.stderr,
    p,
)
os.environ['IMGSEARCH_LIBDIR'] = libdir
imgsearch('index', '-q', '--add-model', os.path.abspath('model/speaking.safetensors'))
p = imgsearch('query', '--text', 'red', status=3)
q = imgsearch('query', '--text', 'red', '-k', '1', '--paths', '--model', 'speaking')
result(
    'default cannot compare texts with pictures, but speaking can' in p.stderr
    and p.stderr.endswith('; name it with --model\n')
    and names(q) == ['red.png'],
    (p, q),
)
os.environ['IMGSEARCH_DB'] = os.path.abspath('speaking.db')
imgsearch('index', 'model/pictures', '-q', '--weights', 'model/speaking.safetensors')
words = ('--text', 'blue', '--not', '--text', 'red', '-k', '1')
p = imgsearch('query', 'model/pictures/white.png', *words, '--json')
answer = json.loads(p.stdout or '{}')
result(
    answer.get('query') == 'model/pictures/white.png + blue - red'
    and 'query_path' not in answer
    and sorted(answer.get('inputs', []), key=lambda i: i['weight'])[0]
    == {'text': 'red', 'weight': -0.5}
    and {'path': 'model/pictures/white.png', 'weight': 1} in answer['inputs']
    and len(answer['inputs']) == 3,
    p,
)
p = imgsearch('query', '--text', 'red', '--crop', '0,0,9,9', status=2)
q = imgsearch('query', '--text', 'red', '--views', '5', status=2)
result('go with pictures' in p.stderr and 'go with pictures' in q.stderr, (p, q))
p = imgsearch('query', 'model/pictures/red.png', '--template', 'a {}', status=2)
result('--template goes with --text' in p.stderr, p)
with open('texts.csv', 'w') as f:
    f.write('red,red.png\nblue,blue.png\nblue,no.png\ngreen,none.png\n')
p = imgsearch('eval', '--text', 'texts.csv', '--json')
result(
    json.loads(p.stdout or '{}').get('queries') == 1
    and 'texts.csv: the first line was taken for the header' in p.stderr
    and 'names of no picture of the index: 2, first no.png in line 3' in p.stderr,
    p,
)
p = imgsearch('query', '--text', 'red', '--max-chance', '1')
result('no chances are known' in p.stderr and len(p.stdout.splitlines()) == 8, p)
os.environ['XDG_DATA_HOME'] = os.path.abspath('data')
os.rename('model/tokenizer.json', 'away')
p = imgsearch('model', 'add', '--name', 'wordless', 'model/speaking.safetensors')
os.rename('away', 'model/tokenizer.json')
q = imgsearch('model', 'add', '--name', 'speaking', 'model')
result('no vocabulary was added' in p.stderr and 'vocabulary' not in q.stderr, (p, q))
