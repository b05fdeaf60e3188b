#!/usr/bin/python3
# What pictures say of themselves, and filters by it: query, list, dups, map, eval, info.
import json
import os
import shutil
import subprocess

from common import begin, imgsearch, needs, omit, result

needs('PIL')
from PIL import Image
from PIL.PngImagePlugin import PngInfo

begin(
    [
        'columns of XMP',
        '... and of a sidecar, which changes without the network',
        'the CSV wins',
        'info counts dates',
        'list --sort date',
        '... --reverse',
        '... pages',
        '--after and --before',
        '... as a query',
        '--camera and --keyword',
        '... a quote in a text',
        'keywords with semicolons are kept apart',
        '... and found as one',
        '--near',
        '--where',
        '... none matches: status 1',
        '... k results where k match',
        'dups',
        'map',
        'eval',
        'a folder and a condition',
        'a fault names its place',
        '... once for all pictures',
        '... an unknown column',
        '... a date that is none',
        '... of another option',
        '... a date with a zone',
        '... a place that is none on earth',
        '... of several options together',
        '... a place that is none',
        '... eval of no picture',
        'list and failed of a folder that is not there',
        'HEIC',
        'JPEG XL',
    ]
)

HEAD = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-"
    "syntax-ns#'><rdf:Description xmlns:xmp='http://ns.adobe.com/xap/1.0/'"
    " xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    " xmlns:exif='http://ns.adobe.com/exif/1.0/' "
)
TAIL = '</rdf:Description></rdf:RDF></x:xmpmeta>'


def drawn(number):
    im = Image.new('RGB', (64, 48))
    im.putdata(
        [
            ((x * (number + 3) * 5) % 256, (y * 5 + number * 37) % 256, x * y * number % 256)
            for y in range(48)
            for x in range(64)
        ]
    )
    return im


def save(name, number, attributes='', elements=''):
    info = PngInfo()
    if attributes or elements:
        info.add_itxt('XML:com.adobe.xmp', HEAD + attributes + '>' + elements + TAIL)
    drawn(number).save(name, pnginfo=info)


def listed(*words):
    lines = imgsearch('list', '--paths', *words).stdout.splitlines()
    return ' '.join(os.path.basename(line)[:-4] for line in lines)


def found(*words, status=0):
    out = imgsearch('query', '--paths', '-q', *words, 'pics/a.png', status=status).stdout
    return ' '.join(sorted(os.path.basename(line)[:-4] for line in out.splitlines()))


def columns(name):
    for line in imgsearch('list', '--json').stdout.splitlines():
        item = json.loads(line)
        if item['path'].endswith('/' + name):
            return item.get('columns', {})


os.makedirs('pics/sub')
WORDS = (
    '<dc:subject><rdf:Bag><rdf:li>Sea</rdf:li><rdf:li>O&apos;Hara</rdf:li></rdf:Bag>'
    '</dc:subject>'
)
save('pics/a.png', 1, "xmp:CreateDate='2024-05-03T14:05:09+02:00' tiff:Model='X100'", WORDS)
NAMES = (
    '<dc:subject><rdf:Bag><rdf:li>Smith; Anna</rdf:li><rdf:li>"first; last"</rdf:li>'
    '<rdf:li>Paris, France</rdf:li></rdf:Bag></dc:subject>'
)
save(
    'pics/b.png', 2, "xmp:CreateDate='2023-12-31T23:59:59' tiff:Make='Canon' tiff:Model='EOS'",
    NAMES
)
save(
    'pics/c.png', 3, "xmp:CreateDate='2024-06' tiff:Make='Canon' tiff:Model='EOS' xmp:Rating='4'"
    " exif:GPSLatitude='48,8,0N' exif:GPSLongitude='11,34,0E'"
)
save('pics/sub/d.png', 4)
save('pics/sub/e.png', 5, "xmp:Rating='2'")
imgsearch('index', 'pics')

a = columns('a.png')
result(
    a == {
        'date': '2024-05-03T14:05:09',
        'zone': '+02:00',
        'date_from': 'XMP xmp:CreateDate',
        'camera': 'X100',
        'keywords': "Sea; O'Hara",
    }, a
)
open('pics/sub/e.xmp', 'w').write(HEAD + "xmp:Rating='5'>" + TAIL)
again = json.loads(imgsearch('index', '--json', 'pics').stdout)
network = again['seconds_network'] if 'seconds_network' in again else 0
result(
    columns('e.png') == {'rating': '5'} and again['described'] == 1 and again['unchanged'] == 5
    and not network, (again, columns('e.png'))
)
open('t.csv', 'w').write('file,artist,rating\nd.png,Klee,1\n')
imgsearch('index', '-q', '--csv', 't.csv')
d = columns('d.png')
result(d == {'file': 'd.png', 'artist': 'Klee', 'rating': '1'}, d)
info = json.loads(imgsearch('info', '--json').stdout)
result(info['dated'] == 3 and 'dated        3 pictures' in imgsearch('info').stdout, info)

result(listed('--sort', 'date') == 'b a c d e', listed('--sort', 'date'))
result(listed('--sort', 'date', '--reverse') == 'c a b d e', listed('--sort', 'date', '-r'))
pages = [listed('--sort', 'date', '--limit', '2', '--offset', str(n)) for n in (0, 2, 4, 6)]
result(pages == ['b a', 'c d', 'e', ''], pages)
result(
    [
        listed('--after', '2024'),
        listed('--before', '2024'),
        listed('--after', '2024-05', '--before', '2024-06'),
        listed('--after', '2024-05-03T14:05:10'),
        listed('--after', '2025'),
    ] == ['a c', 'b', 'a', 'c', '']
)
result(found('--after', '2024-05', '--before', '2025') == 'a c')
result(
    [listed('--camera', 'canon'), listed('--keyword', 'sea'), listed('--keyword', 'se')]
    == ['b c', 'a', '']
)
result(listed('--keyword', "O'Hara", '--keyword', 'SEA') == 'a')
names = columns('b.png')['keywords']
result(names == '"Smith; Anna"; """first; last"""; Paris, France', names)
result(
    [
        listed('--keyword', word) for word in
        ('smith; anna', '"first; last"', 'paris, france', 'Anna', 'first; last', 'Smith', 'France')
    ] == ['b', 'b', 'b', '', '', '', '']
)
result([found('--near', '48.1,11.6,10'), listed('--near', '48.1,11.6,1')] == ['c', ''])
result(
    [
        found('--where', "rating >= 4 or artist = 'klee'"),
        found('--where', 'not rating >= 4'),
        found('--where', 'not has(date) and width = 64'),
    ] == ['c d e', 'd', 'd e']
)
result(found('--where', 'rating = 0', status=1) == '')
result(len(found('-k', '2', '--where', 'has(rating)').split()) == 2)

shutil.copy('pics/a.png', 'pics/sub/a2.png')
shutil.copy('pics/b.png', 'pics/sub/b2.png')
imgsearch('index', '-q')
groups = imgsearch('dups', '-q', '--json', '--kind', 'bytes', '--camera', 'x100').stdout
one = [json.loads(line) for line in groups.splitlines()]
result(
    len(one) == 1 and [os.path.basename(p['path']) for p in one[0]['pictures']]
    == ['a.png', 'a2.png'], groups
)
points = json.loads(imgsearch('map', '-q', '--pca', '--json', '--after', '2023').stdout)['points']
result(len(points) == 3, points)
report = json.loads(imgsearch('eval', '-q', '--json', '--where', 'has(date)').stdout)
result(report['pictures'] == 3 and report['queries'] == 3, report)
result([listed('pics/sub', '--after', '2023'), found('-u', 'pics/sub', '--where', 'rating > 3')]
       == ['a2 b2', 'e'])


def said(text, *words, status=2):
    p = imgsearch(*words, status=status)
    result(p.returncode == status and text in p.stderr, p.stderr)


said('query: --where: at its end: a value is', 'query', '--where', 'rating >=', 'pics/a.png')
p = imgsearch('query', '--where', 'x', 'pics/a.png', 'pics/b.png', status=2)
result(p.returncode == 2 and p.stderr.count('--where: ') == 1, p.stderr)
said('no picture has a column "ratng"', 'list', '--where', 'ratng > 3')
said('map: --after: "May" is not a date (YYYY, YYYY-MM, YYYY-MM-DD[Thh:mm[:ss]])', 'map', '--json',
     '--after', 'May')
said('list: --before: "2024-13" is not a date (', 'list', '--after', '2024', '--before', '2024-13')
zoned = '2024-05-01T10:00+02:00'
said(f'list: --before: "{zoned}" has a zone', 'list', '--before', zoned)
said('list: --near: near(100, 2, 3) is no place', 'list', '--near', '100,2,3')
said('imgsearch: condition: at byte ', 'list', '--after', '2024', '--where', 'date > June')
said('--near: LATITUDE,LONGITUDE,KILOMETRES', 'dups', '--near', 'Munich')
said('no picture of index', 'eval', '--where', 'rating > 90', status=3)
p, q = imgsearch('failed', 'nowhere', status=3), imgsearch('list', 'nowhere', '--after', '2023',
                                                           status=3)
result('nowhere: it is not' in p.stderr and 'nowhere: it is not' in q.stderr, p.stderr + q.stderr)

# Exif through the codecs, whose encoders keep that of a JPEG.
photo = Image.Exif()
photo[0x0110] = 'Q7'
drawn(9).save('q.jpg', exif=photo)
encoders = ('h.heic', ['heif-enc', 'q.jpg', '-o']), ('j.jxl', ['cjxl', '--container=1', 'q.jpg'])
for name, words in encoders:
    if not shutil.which(words[0]):
        omit(words[0] + ' is missing')
        continue
    subprocess.run([*words, 'pics/' + name], capture_output=True)
    imgsearch('index', '-q')
    result((columns(name) or {}).get('camera') == 'Q7', imgsearch('failed').stdout)
