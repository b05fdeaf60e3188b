#!/usr/bin/python3
# imgsearch query --preview as terminals get it: what is written in each one's way is read back and
# laid over the picture.
import base64
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios

from common import begin, build, imgsearch, needs, result

needs('PIL')
from PIL import Image, ImageChops, ImageStat

begin(
    [
        f'{name}: {what}'
        for name in ('kitty', 'iTerm2', 'sixels', 'blocks', 'blocks of 256 colours')
        for what in ('a picture', 'another')
    ]
    + [
        'as wide as the cells make it',
        'no wider than the terminal',
        'a console of 16 colours gets those',
    ]
)
PICTURES = {'tall.png': (225, 301), 'wide.png': (331, 110)}  # rows of no whole number of words


def preview(name, term, columns=80, rows=24, width=0, height=0):
    """What the terminal is sent; width and height: of the whole terminal in pixels, where it tells.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, width, height))
    env = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(('KITTY', 'TERM', 'VTE', 'LC_TERM', 'TMUX', 'KONSOLE', 'COLORTERM'))
    }
    p = subprocess.Popen(
        [build + '/imgsearch', 'query', '--preview', '-k', '1', name],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**env, **term},
    )
    os.close(theirs)
    out = b''
    try:
        while block := os.read(ours, 65536):
            out += block
    except OSError:
        pass  # so Linux says that the other side is closed
    os.close(ours)
    p.wait()
    return out


def kitty(text):
    blocks = re.findall(rb'\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\', text)
    head = dict(word.split('=') for word in blocks[0][0].decode().split(','))
    return Image.frombytes(
        'RGBA',
        (int(head['s']), int(head['v'])),
        b''.join(base64.b64decode(data) for _, data in blocks),
    ).convert('RGB')


def iterm(text):
    return Image.open(
        io.BytesIO(base64.b64decode(re.search(rb'\x1b]1337;File=[^:]*:([^\x07]*)\x07', text)[1]))
    ).convert('RGB')


def sixels(text):
    text = re.search(rb'\x1bP[0-9;]*q(.*?)\x1b\\', text, re.S)[1].decode()
    size = re.match(r'"1;1;(\d+);(\d+)', text)
    image = Image.new('RGB', (int(size[1]), int(size[2])))
    pen, colours, x, y = 0, {}, 0, 0
    for number, rgb, repeat, run, one, move in re.findall(
        r'#(\d+)(;2;\d+;\d+;\d+)?|!(\d+)([?-~])|([?-~])|([$-])', text[size.end() :]
    ):
        if number:
            pen = int(number)
            if rgb:
                colours[pen] = tuple(int(v) * 255 // 100 for v in rgb.split(';')[2:])
        elif move:
            x, y = 0, y + 6 * (move == '-')
        else:
            for row in range(6):
                if ord(run or one) - 63 >> row & 1:
                    image.paste(colours[pen], (x, y + row, x + int(repeat or 1), y + row + 1))
            x += int(repeat or 1)
    return image


def shade(words):
    """The colour that the numbers of a control sequence begin with, and what follows."""
    if words[0] == 2:
        return tuple(words[1:4]), words[4:]
    n = words[1] - 16
    level = (0, 95, 135, 175, 215, 255)
    return (
        (level[n // 36], level[n // 6 % 6], level[n % 6]) if n < 216 else (8 + 10 * (n - 216),) * 3
    ), words[2:]


def blocks(text):
    rows = [
        re.findall(r'\x1b\[([0-9;]*)m|(.)', line)
        for line in text.decode().replace('\r', '').split('\n')
        if '\x1b[' in line
    ]
    image = Image.new('RGB', (2 * max(sum(c != '' for _, c in row) for row in rows), 2 * len(rows)))
    quarters = dict(zip(' ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█', range(16)))
    for y, row in enumerate(rows):
        x, front, back, swapped = 0, (0, 0, 0), (0, 0, 0), False
        for words, char in row:
            words = [int(w or 0) for w in words.split(';')] if not char else []
            while words:
                word, words = words[0], words[1:]
                swapped = word == 7 or (swapped and word != 0)
                if word == 38:
                    front, words = shade(words)
                elif word == 48:
                    back, words = shade(words)
            for i in range(4 if char else 0):
                image.putpixel(
                    (x + i % 2, 2 * y + i // 2),
                    front if (quarters[char] >> i & 1) != swapped else back,
                )
            x += 2 * (char != '')
    return image


def off(name, image):
    """By how much of 255 the two differ, on average."""
    true = Image.open(name).convert('RGB').resize(image.size, Image.Resampling.BOX)
    return sum(ImageStat.Stat(ImageChops.difference(image, true)).mean) / 3


def aspect(size):
    return size[0] / size[1]


for name, size in PICTURES.items():  # no side, no colour and no slope like another
    red, green = Image.linear_gradient('L').resize(size), Image.linear_gradient('L').rotate(
        90
    ).resize(size)
    picture = Image.merge('RGB', (red, green, ImageChops.invert(red).point(lambda v: v // 3)))
    picture.paste((250, 240, 20), (size[0] // 8, size[1] // 8, size[0] // 3, size[1] // 3))
    picture.paste((10, 20, 200), (size[0] // 2, size[1] // 2, size[0] * 7 // 8, size[1] * 6 // 8))
    picture.save(name)
imgsearch('index', '-q', *PICTURES)

for term, read, far in (
    ({'TERM': 'xterm-kitty'}, kitty, 4),
    ({'TERM': 'xterm-256color', 'TERM_PROGRAM': 'iTerm.app', 'LC_TERMINAL': 'iTerm2'}, iterm, 4),
    ({'TERM': 'foot'}, sixels, 8),
    ({'TERM': 'xterm-256color', 'COLORTERM': 'truecolor'}, blocks, 12),
    ({'TERM': 'xterm'}, blocks, 45),
):
    for name, size in PICTURES.items():
        image = read(preview(name, term))
        shape = aspect(image.size) / (2 if read is blocks else 1)
        result(
            off(name, image) < far and 0.85 < shape / aspect(size) < 1.15,
            (off(name, image), image.size, size),
        )

text = preview('wide.png', {'TERM': 'xterm-kitty'}, 80, 24, 80 * 16, 24 * 24)  # cells two by three
cells = [int(re.search(rb'\x1b_G[^;]*%s=(\d+)' % key, text)[1]) for key in (b'c', b'r')]
result(
    0.85 < aspect(cells) * 2 / 3 / aspect(PICTURES['wide.png']) < 1.15
    and kitty(text).width == 16 * cells[0],
    (cells, kitty(text).size),
)
narrow = blocks(preview('wide.png', {'TERM': 'xterm-256color', 'COLORTERM': 'truecolor'}, 21, 24))
result(narrow.width <= 2 * 21, narrow.size)
text = preview('tall.png', {'TERM': 'linux'})
result(
    re.search(rb'\x1b\[[0-9;]*4[0-7]m', text) and not re.search(rb'\x1b\[[0-9;]*[34]8;', text),
    text[:200],
)
