"""What the Python tests of the command share: a folder of their own, the command with the fake
network, TAP.

needs('PIL')                      skips where a Python module is missing
begin(['a name of each test'])    then result(OK, WHY) for each, in this order
"""

import importlib.util
import os
import subprocess
import sys
import tempfile

build = os.path.abspath(os.environ.get('B', 'build'))
folder = tempfile.TemporaryDirectory()
names, done = [], 0


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit()


def needs(*modules):
    for name in modules:
        if not importlib.util.find_spec(name):
            skip(f'{name} is missing')


def begin(tests):
    names[:] = tests
    print(f'1..{len(names)}')
    os.chdir(folder.name)
    os.environ.update(
        IMGSEARCH_LIBDIR=build + '/tests/lib',
        IMGSEARCH_DB=folder.name + '/index.db',
        HOME=folder.name,
        XDG_RUNTIME_DIR=folder.name,
        LC_ALL='C',
    )


def say(ok, remark=''):
    global done
    print(f'{"ok" if ok else "not ok"} {done + 1} - {names[done]}{remark}', flush=True)
    done += 1


def result(ok, why=''):
    say(ok)
    if not ok:
        print('# ' + str(why)[:2000].replace('\n', '\n# '), flush=True)


def omit(why):
    say(True, f' # SKIP {why}')


def imgsearch(*words, status=0):
    """The command. Another exit status than this is remarked upon."""
    p = subprocess.run(
        [build + '/imgsearch', *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if p.returncode != status:
        print(f'# {words}: {p.returncode} {p.stderr}', flush=True)
    return p
