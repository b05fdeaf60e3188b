#!/usr/bin/env python3
"""The library in programs that load it at run time: ctypes, dlopen and dlclose twice, and a program
that is linked statically. Each opens an index, adds, queries and closes."""
import ctypes
import os
import shlex
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.environ.get("B", "build")
CC = shlex.split(os.environ.get("CC", "cc"))
LIBRARY = os.path.abspath(f"{BUILD}/libimgsearch.so")

PROGRAM = r"""
#include "imgsearch.h"
#include <stdio.h>
#ifdef AT_RUN_TIME
#include <dlfcn.h>
#define GET(name) __typeof__(&name) p_##name = (__typeof__(&name))dlsym(so, #name)
#define CALL(name) p_##name
#else
#define GET(name) (void)0
#define CALL(name) name
#endif
static int work(void *so)
{
	(void)so;
	GET(imgsearch_open); GET(imgsearch_vectors_add); GET(imgsearch_query);
	GET(imgsearch_hits_free); GET(imgsearch_close); GET(imgsearch_input_item);
	GET(imgsearch_extract); GET(imgsearch_input_pixels);
	imgsearch *s;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	float rows[4] = { 1, 0, 0, 1 };
	o.dim = 2;
#ifdef WITH_NETWORK
	static unsigned char rgb[64 * 64 * 3] = { 200, 9 };
	static float feature[4096];
	imgsearch_input picture = CALL(imgsearch_input_pixels)(rgb, 64, 64, 0);
	imgsearch_error own = { 0 };
	if (CALL(imgsearch_open)(":memory:", NULL, NULL, &s, &err)
		|| CALL(imgsearch_extract)(s, &picture, 1, NULL, NULL, feature, 4096, &own, &err)
		|| own.code)
		return 4;
	CALL(imgsearch_close)(s);
#endif
	if (CALL(imgsearch_open)(":memory:", &o, NULL, &s, &err))
		return 1;
	imgsearch_input in = CALL(imgsearch_input_item)(0);
	if (CALL(imgsearch_vectors_add)(s, rows, 2, 2, NULL, NULL, NULL, &err)
		|| CALL(imgsearch_query)(s, &in, 1, NULL, NULL, &hits, &err))
		return 2;
	int rc = hits->count ? 0 : 3;
	CALL(imgsearch_hits_free)(hits);
	CALL(imgsearch_close)(s);
	return rc;
}
int main(void)
{
#ifdef AT_RUN_TIME
	for (int i = 0; i < 2; i++) {
		void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
		int rc = so ? work(so) : 9;
		if (rc || dlclose(so))
			return rc ? rc : 8;
	}
	return 0;
#else
	return work(NULL);
#endif
}
"""

# Two plug-ins, with a copy of the library each; a child works with both.
HOST = r"""
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
static int work(const char *plugin)
{
	void *so = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	int (*f)(void) = so ? (int (*)(void))dlsym(so, "work_of_plugin") : NULL;
	return f ? f() : 9;
}
int main(int argc, char **argv)
{
	int rc = argc == 3 ? 0 : 10, status;
	for (int i = 0; !rc && i < 3; i++) {
		rc = work(argv[1]);
		rc = rc ? rc : work(argv[2]);
		pid_t child = rc ? 0 : fork();
		if (!rc && !child)
			_exit(work(argv[1]) + work(argv[2]));
		if (!rc && (waitpid(child, &status, 0) != child || status))
			rc = 11;
	}
	return rc;
}
"""

number = 0


def result(what, good):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("detail", ctypes.c_int), ("message", ctypes.c_char * 504)]


class Input(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("weight", ctypes.c_float), ("path", ctypes.c_char_p),
                ("text", ctypes.c_char_p), ("data", ctypes.c_void_p), ("size", ctypes.c_size_t),
                ("id", ctypes.c_int64), ("width", ctypes.c_int32), ("height", ctypes.c_int32),
                ("crop", ctypes.c_int32 * 4), ("reserved", ctypes.c_uint64 * 2)]


def by_ctypes():
    lib = ctypes.CDLL(LIBRARY)
    lib.imgsearch_input_item.restype = Input
    lib.imgsearch_input_item.argtypes = [ctypes.c_int64]
    s, hits, err = ctypes.c_void_p(), ctypes.c_void_p(), Error()
    if lib.imgsearch_open(b":memory:", None, None, ctypes.byref(s), ctypes.byref(err)):
        return err.message
    rows = (ctypes.c_float * 4)(1, 0, 0, 1)
    size = ctypes.c_size_t
    if lib.imgsearch_vectors_add(s, rows, size(2), size(2), None, None, None, ctypes.byref(err)):
        return err.message
    item = lib.imgsearch_input_item(0)
    if lib.imgsearch_query(s, ctypes.byref(item), size(1), None, None, ctypes.byref(hits),
                           ctypes.byref(err)):
        return err.message
    count = ctypes.cast(hits, ctypes.POINTER(ctypes.c_size_t))[0]
    lib.imgsearch_hits_free(hits)
    lib.imgsearch_close(s)
    return None if count == 1 or count == 2 else f"{count} hits"


def compiled(folder, name, *arguments, libraries=None):
    source, program = os.path.join(folder, name + ".c"), os.path.join(folder, name)
    with open(source, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    subprocess.run([*CC, "-std=gnu11", "-Iinclude", source, "-o", program, *arguments], check=True)
    env = {**os.environ, "IMGSEARCH_LIBDIR": os.path.abspath(libraries)} if libraries else None
    return subprocess.run([program], timeout=60, check=False, env=env).returncode


def two_plugins(folder, libraries):
    plugins = [os.path.join(folder, name) for name in ("one.so", "two.so")]
    source, host = os.path.join(folder, "plugin.c"), os.path.join(folder, "host")
    with open(source, "w", encoding="utf-8") as f:
        f.write(PROGRAM.replace("int main(void)", "int work_of_plugin(void)"))
    for plugin in plugins:
        subprocess.run([*CC, "-std=gnu11", "-Iinclude", "-shared", "-fPIC", source, "-o", plugin,
                        f"{BUILD}/libimgsearch.a", *libraries], check=True)
    with open(host + ".c", "w", encoding="utf-8") as f:
        f.write(HOST)
    subprocess.run([*CC, "-std=gnu11", host + ".c", "-o", host, "-ldl"], check=True)
    try:
        return subprocess.run([host, *plugins], timeout=60, check=False).returncode
    except subprocess.TimeoutExpired:
        return "hangs"


def main():
    if "-" in os.path.basename(BUILD):
        print("1..0 # SKIP a library with sanitizers needs their runtime in the program")
        return 0
    why = by_ctypes()
    if why:
        print("#", why)
    result("ctypes opens, adds and queries", not why)
    with tempfile.TemporaryDirectory() as folder:
        rc = compiled(folder, "twice", "-DAT_RUN_TIME", f'-DLIBRARY="{LIBRARY}"', "-ldl")
        result("dlopen and dlclose, twice", rc == 0)
        for name, libraries in (("a fake network", f"{BUILD}/tests/lib"), ("libtorch", BUILD)):
            what = f"the same with {name}, which stays loaded"
            if not os.path.exists(f"{libraries}/imgsearch-shim.so"):
                result(f"{what} # SKIP {libraries} has no shim", True)
                continue
            rc = compiled(folder, "network", "-DAT_RUN_TIME", "-DWITH_NETWORK",
                          f'-DLIBRARY="{LIBRARY}"', "-ldl", libraries=libraries)
            result(what, rc == 0)
        needed = ["-ljpeg", "-lpng", "-lz", "-lsqlite3", "-ldl", "-lm", "-pthread"]
        rc = compiled(folder, "static", f"{BUILD}/libimgsearch.a", *needed)
        result("linked with the static library", rc == 0)
        rc = two_plugins(folder, needed)
        result(f"linked into two plug-ins of a program that forks ({rc})", rc == 0)
    print(f"1..{number}")
    return 0


sys.exit(main())
