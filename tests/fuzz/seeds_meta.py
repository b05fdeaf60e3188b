#!/usr/bin/python3
"""Writes the seeds of fuzz_meta and fuzz_where: python3 tests/fuzz/seeds_meta.py"""
import pathlib
import struct

SEEDS = pathlib.Path(__file__).parent / 'seeds'


def block(order, entries):
    """An Exif block. entries: (directory, tag, type, bytes)."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
    tables = [[e for e in entries if e[0] == d] for d in range(3)]
    starts = [8]
    for d, table in enumerate(tables[:2]):
        starts.append(starts[-1] + 6 + 12 * (len(table) + (2 if d == 0 else 0)))
    end = starts[2] + 6 + 12 * len(tables[2])
    tables[0] = tables[0] + [
        (0, 0x8769, 4, struct.pack(order + 'I', starts[1])),
        (0, 0x8825, 4, struct.pack(order + 'I', starts[2])),
    ]
    out, values = b'', b''
    for table in tables:
        out += struct.pack(order + 'H', len(table))
        for _, tag, kind, data in table:
            out += struct.pack(order + 'HHI', tag, kind, len(data) // sizes[kind])
            if len(data) > 4:
                out += struct.pack(order + 'I', end + len(values))
                values += data
            else:
                out += data.ljust(4, b'\0')
        out += bytes(4)
    head = b'II' if order == '<' else b'MM'
    return head + struct.pack(order + 'HI', 42, 8) + out + values


def tags(order):
    degrees = struct.pack(order + '6I', 48, 1, 8, 1, 2700, 100)
    return block(order, [
        (0, 0x010E, 2, b'A day at the sea\0'),
        (0, 0x010F, 2, b'Canon\0'),
        (0, 0x0110, 2, b'Canon EOS 5D\0'),
        (0, 0x0132, 2, b'2024:05:05 10:00:00\0'),
        (0, 0x4746, 3, struct.pack(order + 'H', 4)),
        (0, 0x9C9B, 1, 'Meer'.encode('utf-16-le')),
        (0, 0x9C9E, 1, 'sea;boat'.encode('utf-16-le')),
        (1, 0x9003, 2, b'2024:05:03 14:05:09\0'),
        (1, 0x9011, 2, b'+02:00\0'),
        (1, 0x9291, 2, b'25\0'),
        (1, 0xA434, 2, b'EF50mm f/1.8\0'),
        (2, 1, 2, b'N\0'), (2, 2, 5, degrees), (2, 3, 2, b'W\0'), (2, 4, 5, degrees),
    ])


XMP = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''
 xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:aux='http://ns.adobe.com/exif/1.0/aux/'
 xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'
 xmlns:dc='http://purl.org/dc/elements/1.1/' xmp:Rating='3' tiff:Model='EOS &amp; 5&#x44;'>
<exif:DateTimeOriginal>2024-05-03T14:05:09.25+02:00</exif:DateTimeOriginal>
<exif:GPSLatitude>48,8,27N</exif:GPSLatitude><exif:GPSLongitude>11,34.5W</exif:GPSLongitude>
<aux:Lens><![CDATA[50mm]]></aux:Lens><!-- a comment -->
<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></dc:subject>
<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Sea</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def record(kind, text):
    return bytes([0x1C, 2, kind]) + struct.pack('>H', len(text)) + text


IPTC = (record(5, b'A title') + record(25, b'sea') + record(55, b'20240503')
        + record(60, b'140509+0200') + record(120, b'text'))
RESOURCE = b'Photoshop 3.0\x008BIM\x04\x04\0\0' + struct.pack('>I', len(IPTC)) + IPTC
XMP_NAME = b'http://ns.adobe.com/xap/1.0/\0'


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack('>H', len(data) + 2) + data


def chunk(name, data):
    return name + struct.pack('<I', len(data)) + data + bytes(len(data) % 2)


def element(name, data):
    """EBML: the id in hexadecimal, the size in two bytes."""
    return bytes.fromhex(name) + struct.pack('>H', 0x4000 | len(data)) + data


def named(name, text):
    return element('67c8', element('45a3', name) + element('4487', text))


TRACK = element('63c0', element('63c5', b'\1'))
TAGS = (
    element('7373', TRACK + named(b'TITLE', b'x'))
    + element('7373', named(b'DATE_RECORDED', b'2024-05-03') + named(b'MODEL', b'EOS R')
              + named(b'COM.APPLE.QUICKTIME.LOCATION.ISO6709', b'+48.1370+011.5750/'))
)
INFORMATION = element('7ba9', b'Sea') + element('4461', struct.pack('>q', 7 * 10**17))
MATROSKA = (
    element('1a45dfa3', element('4282', b'webm')) + bytes.fromhex('1853806701ffffffffffffff')
    + element('1549a966', INFORMATION) + bytes.fromhex('1f43b675ff') + element('a3', b'frame')
    + element('1254c367', TAGS)
)
AVI = b'RIFF\0\0\0\1AVI ' + (
    chunk(b'LIST', b'hdrl' + chunk(b'IDIT', b'Fri May  3 14:05:09 2024\n\0'))
    + chunk(b'LIST', b'movi' + chunk(b'00dc', b'frame'))
    + chunk(b'LIST', b'INFO' + chunk(b'INAM', b'K\xf6ln\0') + chunk(b'ICRD', b'2024-05-03\0'))
    + chunk(b'LIST', b'exif' + chunk(b'ecor', b'Canon\0') + chunk(b'emdl', b'EOS\0'))
    + chunk(b'_PMX', XMP)
)
GIF = (b'GIF89a\1\0\1\0\0\0\0!\xff\x0bXMP DataXMP' + XMP + b'\1'
       + bytes(range(255, -1, -1)) + b'\0,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;')
JPEG = (b'\xFF\xD8' + segment(0xE1, b'Exif\0\0' + tags('>')) + segment(0xE1, XMP_NAME + XMP)
        + segment(0xED, RESOURCE) + b'\xFF\xDA\0\2')
def box(name, data):
    return struct.pack('>I', len(data) + 8) + name + data


def item(number, text):
    return box(struct.pack('>I', number), box(b'data', struct.pack('>2I', 1, 0) + text))


KEYS = b'com.apple.quicktime.creationdate', b'com.apple.quicktime.model'
MOVIE = (
    box(b'mvhd', struct.pack('>3I', 0, 3797583909, 0))
    + box(b'meta', box(b'keys', struct.pack('>2I', 0, 2) + b''.join(box(b'mdta', k) for k in KEYS))
          + box(b'ilst', item(1, b'2024-05-03T14:25:09+0200') + item(2, b'iPhone 15')))
    + box(b'udta', box(b'\xA9xyz', struct.pack('>2H', 18, 0) + b'+48.1370+011.5750/'))
)
XMP_ID = bytes.fromhex('be7acfcb97a942e89c71999491e3afac')
META = {
    'little.exif': tags('<') + bytes([0]), 'big.exif': tags('>') + bytes([3]),
    'xmp': XMP + b'\n"', 'iptc': IPTC + b'\2', 'app1': b'Exif\0\0' + tags('<'),
    'app13': RESOURCE, 'jpeg': JPEG,
    'mov': box(b'ftyp', b'qt  ') + box(b'moov', MOVIE) + box(b'uuid', XMP_ID + XMP),
    'gif': GIF, 'matroska': MATROSKA, 'avi': AVI,
    'webp': b'RIFF\0\0\0\0WEBP' + chunk(b'EXIF', tags('<')) + chunk(b'XMP ', XMP),
}
WHERE = [
    "rating >= 4 and not (camera ~ 'canon' or has(lens))", 'date = 2024-05-03T14:05:09',
    'near(48.1, -11.5, 20)', '"shot by" != "o""k"', "keywords = 'K\u00f6ln'", 'not not x < -1.5e3',
]


def main():
    for name, data in META.items():
        (SEEDS / 'meta').mkdir(parents=True, exist_ok=True)
        (SEEDS / 'meta' / name).write_bytes(data)
    for i, text in enumerate(WHERE):
        (SEEDS / 'where').mkdir(parents=True, exist_ok=True)
        (SEEDS / 'where' / f'{i}.txt').write_text(text, encoding='utf-8')


main()
