#!/usr/bin/python3
"""Random changes of two folders with hard and symbolic links: after every run the index says what
the file system says. Files are equal when their bytes are, and the same when device and inode are.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess

from common import begin, build, folder, imgsearch, result

ROUNDS, SEEDS = 25, (1, 2, 3)
PLACES = ('', 'x', 'y', 'z/w')
W = os.path.realpath(folder.name)


class Wrong(Exception):
    pass


class Tree:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.roots = [f'{W}/{seed}/{name}' for name in 'ab']
        self.database = f'{W}/{seed}/i.db'
        for root in self.roots:
            for place in PLACES:
                os.makedirs(os.path.join(root, place), exist_ok=True)

    def files(self):
        return [
            os.path.join(at, name)
            for root in self.roots
            for at, _, names in os.walk(root)
            for name in names
        ]

    def place(self):
        pick = self.random.choice
        return os.path.normpath(
            os.path.join(pick(self.roots), pick(PLACES), f'{pick(range(6))}.jpg')
        )

    def link_folder(self):
        pick = self.random.choice
        a, b = self.roots
        link = f'{pick(self.roots)}/{pick("lm")}'
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(pick([a + '/z', b + '/x', a, b + '/z/w']), link)

    def change(self):
        pick = self.random.choice
        old, new = pick(self.files() or [None]), self.place()
        is_file = bool(old) and os.path.isfile(old)
        what = pick(['new', 'copy', 'hard', 'hard', 'soft', 'soft', 'gone', 'move', 'touch'])
        what = pick([what, what, what, what, 'write', 'replace', 'folder'])
        if what in ('new', 'copy', 'hard', 'soft') and os.path.lexists(new) and old != new:
            os.unlink(new)
            is_file = is_file and os.path.isfile(old)
        if what == 'new' and not os.path.lexists(new):
            shutil.copy(pick(pictures), new)
        elif what == 'folder':
            self.link_folder()
        elif not old or not os.path.lexists(old):
            return
        elif what == 'gone':
            os.unlink(old)
        elif old == new:
            return
        elif what == 'hard':
            os.link(old, new, follow_symlinks=False)
        elif what == 'soft':
            os.symlink(os.path.relpath(old, os.path.dirname(new)), new)
        elif what == 'move' and not os.path.islink(old):
            os.rename(old, new)
        elif is_file and what == 'copy':
            shutil.copy2(old, new)
        elif is_file and what == 'touch':
            os.utime(old, (self.random.randrange(10**9),) * 2)
        elif is_file and what == 'write':
            with open(pick(pictures), 'rb') as f, open(old, 'wb') as to:
                to.write(f.read())
        elif is_file and what == 'replace' and not os.path.islink(old):
            shutil.copy2(old, W + '/new')
            os.rename(W + '/new', old)

    def ask(self, *words):
        p = subprocess.run(
            [build + '/imgsearch', *words, '--db', self.database],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if p.returncode not in (0, 1, 4):
            raise Wrong(f'{words}: {p.returncode} {p.stderr}')
        return [json.loads(line) for line in p.stdout.splitlines() if line.startswith('{')]

    def index(self, *paths):
        return self.ask('index', '-L', '-q', '--prune', '--json', *paths)

    def round(self):
        pick, chance = self.random.choice, self.random.random
        for _ in range(self.random.randrange(1, 8)):
            self.change()
        if chance() < 0.3:  # a part of it, and more changes
            self.index(pick(self.roots + [self.roots[0] + '/x', self.roots[1] + '/z']))
            self.change()
        if chance() < 0.2:  # one is away
            one, other = self.random.sample(self.roots, 2)
            os.rename(one, one + '.away')
            self.index(other)
            os.rename(one + '.away', one)
        report = self.index(*self.roots)[-1]
        held = self.ask('info', '--json')[0]['pictures']
        for state in ('indexed', 'duplicate', 'link', 'excluded', 'unreadable'):
            if report[state] != held[state]:
                raise Wrong(f'{state}: {report} {held}')
        self.compare()

    def behind_link(self, path):
        return path != os.path.realpath(path)

    def compare(self):
        items = self.ask('list', '--json', '--state', 'all')
        known = [i for i in items if i['state'] in ('indexed', 'duplicate', 'link')]
        by = {i['path']: i for i in items}
        files, contents = {}, {}
        for n, i in enumerate(known):
            with open(i['path'], 'rb') as f:
                content = hashlib.blake2b(f.read(), digest_size=32).hexdigest()
            if content != i['hash']:
                raise Wrong(f'the bytes of {i}')
            st = os.stat(i['path'])
            key = (st.st_dev, st.st_ino)
            files.setdefault(key, []).append((self.behind_link(i['path']), n, i['path']))
            contents.setdefault(content, []).append(i)
        firsts = {}
        for names in files.values():
            names.sort()
            first = by[names[0][2]]
            firsts.setdefault(first['hash'], []).append(first['path'])
            if first['state'] == 'link':
                raise Wrong(f'{first} is the file of {names}')
            for _, _, path in names[1:]:
                if by[path]['state'] != 'link' or by[path]['same_file'] != first['id']:
                    raise Wrong(f'{by[path]} is a name of {first}')
        for same in contents.values():
            if sum(i['state'] == 'indexed' for i in same) != 1:
                raise Wrong(f'which is indexed? {same}')
        wanted = sorted(sorted(paths) for paths in firsts.values() if len(paths) > 1)
        groups = self.ask('dups', '--kind', 'bytes', '--json')
        got = sorted(sorted(p['path'] for p in g['pictures']) for g in groups)
        if wanted != got:
            raise Wrong(f'groups: {got}, not {wanted}')
        for under in self.roots + [self.roots[0] + '/x']:
            held = {i['hash'] for i in known if i['path'].startswith(under + '/')}
            hits = self.ask('query', '--json', '-k', '99', '--under', under, pictures[0])[0]
            paths = [h['path'] for h in hits['results']]
            if len(paths) != len(held) or not all(p.startswith(under + '/') for p in paths):
                raise Wrong(f'{under}: {paths}, {held}')
        for path in self.files():
            if os.path.isfile(path) and path not in by:
                raise Wrong(f'{path} is not known')


def run(seed):
    tree = Tree(seed)
    for n in range(ROUNDS):
        try:
            tree.round()
            imgsearch('check', '--db', tree.database, '-q')
        except Wrong as e:
            return f'round {n}: {e}'
    return ''


begin([f'the index says what the file system says, seed {seed}' for seed in SEEDS])
subprocess.run([build + '/tools/draw', W + '/drawn', '1'], check=True, capture_output=True)
pictures = sorted(os.path.join(W, 'drawn', name) for name in os.listdir(W + '/drawn'))[:4]
for seed in SEEDS:
    why = run(seed)
    result(not why, why)
