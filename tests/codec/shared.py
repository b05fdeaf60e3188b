#!/usr/bin/python3
# Every file of ../shared/formats: size and mean colour beside what Pillow said of it (pillow.tsv).
# A file that both read is compared unless it is transparent, which is laid over white here; the
# differences that are left are explained below. Skips without the files.
import os

import common

FOLDER = '../shared/formats'
CUT = 'Pillow leaves clap out'
HIGH = 'Pillow clips 16 bits to 8 in I;16'
GREY = "libheif takes monochrome of limited range as full; heif-convert's mean is ours"
EXPLAINED = {
    'avif/fox.profile2.12bpc.yuv420.monochrome.odd-width.avif': GREY,
    'avif/fox.profile2.12bpc.yuv444.monochrome.odd-width.avif': GREY,
    'avif/kimono.crop.avif': CUT,
    'avif/kimono.mirror-vertical.rotate270.crop.avif': CUT,
    'heic/L_10__128x128.heif': HIGH,
    'heic/L_10__29x100.heif': HIGH,
    'heic/L_12__128x128.heif': HIGH,
    'heic/L_12__29x100.heif': HIGH,
    'heic/C039.heic': 'an item has no data',
    'heic/truncated.heic': 'cut off; newer versions of libheif read what is there',
    'heic/C044.heic': 'predicted from another item, which libheif does not do',
    'jxl/bench_oriented_brg.jxl': 'its profile swaps the channels',
    'jxl/grayscale.jxl': 'its profile has a gamma of 1',
    'bmp/b-badrle4bis.bmp': 'what a broken run does not draw is white here',
    'bmp/b-badrle4ter.bmp': 'what a broken run does not draw is white here',
    'bmp/b-badrlebis.bmp': 'what a broken run does not draw is white here',
    'bmp/q-rgb24prof2.bmp': 'its profile swaps channels',
    'gif/Issue_201.gif': 'transparent',
    'gif/adaf0da1764aafb7039440dbe098569b.gif': 'transparent',
    'gif/ce774930ac70449f38a18789c70095b8.gif': 'pixels are missing; Pillow pads them',
}
# What Pillow refuses and this library reads is looked at in docs/measurements/formats.md.
if not os.path.exists(f'{FOLDER}/pillow.tsv'):
    common.skip(f'{FOLDER} is missing')

rows = [line.rstrip('\n').split('\t') for line in open(f'{FOLDER}/pillow.tsv')][1:]
kinds = {}
for name, width, height, mean, note in ((row + [''] * 5)[:5] for row in rows):
    folder = name.split('/')[0]
    state = kinds.setdefault(folder, {'same': 0, 'more': 0, 'neither': 0, 'wrong': [], 'lacks': 0})
    got = common.ours(f'{FOLDER}/{name}')
    if isinstance(got, str):
        if 'which is missing' in got:
            state['lacks'] += 1
        elif width == '0':
            state['neither'] += 1
        elif name not in EXPLAINED:
            state['wrong'].append(f'{name}: {got}')
        continue
    if width == '0':
        state['more'] += 1
        continue
    size = (got.shape[1], got.shape[0])
    ours = got.reshape(-1, 3).mean(0)
    theirs = [float(v) for v in mean.split(',')]
    off = max(abs(a - b) for a, b in zip(ours, theirs))
    clear = 'A' in note.split(' ')[0]
    if name not in EXPLAINED and (size != (int(width), int(height)) or (off > 2 and not clear)):
        state['wrong'].append(f'{name}: {size}, {ours.round()}, not {width} x {height}, {mean}')
    state['same'] += 1
for folder, s in sorted(kinds.items()):
    name = f'{folder}: {s["same"]} as Pillow, {s["more"]} more, {s["neither"]} refused by both'
    if s['lacks']:
        name += f', {s["lacks"]} whose library is missing'
    common.report(not s['wrong'], name, '\n# '.join(s['wrong']))
common.done()
