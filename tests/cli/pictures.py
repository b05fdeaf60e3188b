#!/usr/bin/python3
# What is written to be looked at: query --html and --sheet, map as points, tiles and page. The
# files are read back.
import html.parser
import json
import os

from common import begin, folder, imgsearch, needs, omit, result

needs('PIL')
from PIL import Image

begin(
    [
        'an index of plain pictures with hostile names',
        'query --sheet is a PNG',
        'the nearest picture stands first on it',
        'a JPEG where the name says so',
        'in whatever case',
        'no other ending',
        'the query is not written over',
        'nor is a picture of the index',
        'nor by map',
        'query --html is written',
        'it asks nobody for anything',
        'its pictures are inside',
        'names are text',
        'map: points',
        'the longer side is --size',
        'colours by folder',
        'map --tiles',
        'its longer side is at most --size',
        'every picture has a whole cell of its own',
        'the same map again, byte for byte',
        'a picture that cannot be read leaves its cell empty, and it is said',
        'more pictures than pixels for them',
        'map: a page',
        'it asks nobody',
        'its data are whole',
        'an old file is kept when a new one cannot be made',
        'map of nothing',
    ]
)
COLOURS = [(r, g, b) for r in (20, 130, 240) for g in (30, 140, 235) for b in (25, 225)]
HOSTILE = [
    '"><script>alert(1)</script>.png', "a' onerror='x&amp;.png", '</li><!--.png',
    '\\u003c%s\\n.png', '</script><img src=x>.png', '@DATA@.png'
]


class Page(html.parser.HTMLParser):
    """Tags and text as a browser would see them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.scripts, self.here = [], [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.here = tag

    def handle_data(self, data):
        (self.scripts if self.here == 'script' else self.words).append(data)

    def handle_endtag(self, tag):
        self.here = None

    def stands_alone(self):
        outside = [
            (t, n, v)
            for t, a in self.tags
            for n, v in a.items()
            if n in ('src', 'href', 'action', 'data', 'srcset', 'poster')
            and not v.startswith(('data:', 'file:///', '#'))
        ]
        active = [(t, n) for t, a in self.tags for n in a if n.startswith('on')]
        return (
            not outside
            and not active
            and not any(
                t in ('link', 'base', 'iframe', 'object', 'embed', 'form') for t, _ in self.tags
            )
        )


for i, colour in enumerate(COLOURS):
    os.makedirs(f'pics/{i % 3}', exist_ok=True)
    Image.new('RGB', (60 + i, 40), colour).save(
        f'pics/{i % 3}/'
        + ('c%d.png' % i if i >= len(HOSTILE) else HOSTILE[i].replace('/', '\u2215'))
    )
for i, name in enumerate(HOSTILE):  # a folder may hold a slash's worth of harm, too
    os.makedirs('pics/' + os.path.dirname(name), exist_ok=True)
    Image.new('RGB', (50, 50), (i, 250 - i, 100)).save('pics/' + name)
r = imgsearch('index', '-q', 'pics')
total = len(COLOURS) + len(HOSTILE)
result(
    r.returncode == 0 and json.loads(imgsearch('info', '--json').stdout)['vectors'] == total,
    r.stderr,
)

query = 'pics/1/c7.png'
r = imgsearch('query', '-q', '-k', '7', '--sheet', 'sheet.png', '--html', 'page.html', query)
sheet = Image.open('sheet.png')
sheet.load()
result(
    r.returncode == 0 and sheet.format == 'PNG' and sheet.width > 1000 and sheet.height > 400,
    (r.stderr, sheet.size),
)
seen = [(i, sheet.getpixel((x, 16 + 110))) for i, x in enumerate((16 + 130, 308 + 110))]
result(
    all(max(abs(a - b) for a, b in zip(got, COLOURS[7])) < 3 for _, got in seen), (seen, COLOURS[7])
)
imgsearch('query', '-q', '--sheet', 'sheet.jpg', query)
result(Image.open('sheet.jpg').format == 'JPEG')
imgsearch('query', '-q', '--sheet', 'sheet.JPG', query)
result(Image.open('sheet.JPG').format == 'JPEG')
for option, name in ('--sheet', 'sheet.html'), ('--html', 'page.png'), ('--html', 'page'):
    r = imgsearch('query', '-q', option, name, query, status=2)
    if r.returncode != 2 or 'must end in' not in r.stderr or os.path.exists(name):
        break
else:
    r = None
result(r is None, r)


def spared(path, what, *args):
    before = open(path, 'rb').read()
    r = imgsearch(*args, path, status=3)
    result(r.returncode == 3 and what in r.stderr and open(path, 'rb').read() == before, r)


Image.new('RGB', (30, 30)).save('asked.png')
spared('asked.png', 'this command reads it', 'query', '-q', 'asked.png', '--sheet')
spared('pics/1/c10.png', 'a picture of the index', 'query', '-q', query, '--sheet')
spared('pics/1/c10.png', 'a picture of the index', 'map', '-q', '-o')

text = open('page.html', encoding='utf-8').read()
page = Page(text)
result(text.startswith('<!doctype html>') and sum(t == 'li' for t, _ in page.tags) == 7)
result(
    page.stands_alone() and not page.scripts and not any(t == 'script' for t, _ in page.tags),
    page.tags,
)
result(
    [a['src'].startswith('data:image/jpeg;base64,/9j/') for t, a in page.tags if t == 'img']
    == [True] * 8
)
imgsearch('query', '-q', '-k', str(total), '--html', 'all.html', query)
every = Page(open('all.html', encoding='utf-8').read())
words = ''.join(every.words)
result(
    every.stands_alone()
    and all(folder.name + '/pics/' + name in words for name in HOSTILE)
    and not any(t == 'script' for t, _ in every.tags),
    words,
)

r = imgsearch('map', '-q', '-o', 'map.png', '--size', '900')
points = Image.open('map.png').convert('RGB')
result(r.returncode == 0, r.stderr)
result(max(points.size) == 900, points.size)
result(len([n for n, c in points.getcolors(1 << 20) if n > 40 and max(c) - min(c) > 60]) >= 3)

r = imgsearch('map', '-q', '-o', 'tiles.png', '--tiles', '--size', '600')
tiles = Image.open('tiles.png').convert('RGB')
result(r.returncode == 0, r.stderr)
result(500 < max(tiles.size) <= 600, tiles.size)
areas = {colour: n for n, colour in tiles.getcolors(1 << 20)}
side = int(max(areas.get(c, 0) for c in COLOURS) ** 0.5)
result(side > 50 and all(areas.get(c, 0) == side * side for c in COLOURS), (side, areas))
imgsearch('map', '-q', '-o', 'again.png', '--tiles', '--size', '600')
result(open('tiles.png', 'rb').read() == open('again.png', 'rb').read())
os.rename(query, 'away.png')
r = imgsearch('map', '-q', '-o', 'again.png', '--tiles', '--size', '600')
os.rename('away.png', query)
result(r.returncode == 0 and '1 pictures could not be read' in r.stderr, r.stderr)
imgsearch('vectors', 'export', '-q', 'rows.fvecs')
rows = open('rows.fvecs', 'rb').read()
open('many.fvecs', 'wb').write(rows[:len(rows) // total] * 4000)
imgsearch('vectors', 'import', '-q', '--db', 'many.db', 'many.fvecs')
r = imgsearch('map', '-q', '--db', 'many.db', '-o', 'no.png', '--tiles', '--pca', '--size', '200',
    status=3)
result(r.returncode == 3 and 'too many pictures' in r.stderr and not os.path.exists('no.png'), r)

r = imgsearch('map', '-q', '-o', 'map.html')
page = Page(open('map.html', encoding='utf-8').read())
result(
    r.returncode == 0 and [t for t, _ in page.tags].count('script') == 2, [t for t, _ in page.tags]
)
code = page.scripts[-1]
result(
    page.stands_alone()
    and 'http:' not in code
    and 'https:' not in code
    and 'import(' not in code
    and 'fetch(' not in code
)
data = json.loads(page.scripts[0])
ids = {str(p[0]) for p in data['points']}
result(
    len(ids) == total
    and set(data['names']) == set(data['thumbs']) == ids
    and any(n.endswith(HOSTILE[0]) for n in data['names'].values()),
    data['names'],
)

before = open('map.png', 'rb').read()
os.makedirs('shut')
os.rename('map.png', 'shut/map.png')
os.chmod('shut', 0o500)
if os.access('shut', os.W_OK):
    omit('this user may write everywhere')
else:
    r = imgsearch('map', '-q', '-o', 'shut/map.png', status=3)
    result(r.returncode == 3 and open('shut/map.png', 'rb').read() == before, r.stderr)
os.chmod('shut', 0o700)
r = imgsearch('map', '--under', folder.name + '/none', '-o', 'none.png', status=3)
result(
    r.returncode == 3 and 'no pictures' in r.stderr and not os.path.exists('none.png'),
    (r.returncode, r.stderr),
)
