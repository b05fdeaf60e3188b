#!/usr/bin/env python3
"""Each public function with arguments that make no sense. The calls are generated from the headers:
every pointer NULL, counts of 0 and of SIZE_MAX, structs whose struct_size is nonsense or of the
future, enumerators out of range, text that is not UTF-8, ids that do not exist, err NULL. Each call
must return the right status, with a sentence that names the argument. A caller of an earlier
version, whose struct ends behind any of its fields, gets what one gets who sets no later field."""
import os
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, "tests/structure")
from header import Header  # noqa: E402

BUILD = os.environ.get("B", "build")

# A value that is right for a parameter, by its name or by function.name. `0` for a pointer is right
# where the header says that it may be NULL.
RIGHT = {
    "s": "s", "location": '":memory:"', "call": "&call", "options": "0", "err": "&err",
    "inputs": "inputs", "in": "inputs", "n": "1", "dim": "2", "rows": "rows", "ids": "ids",
    "capacity": "8", "errors": "errors", "found": "bytes", "exists": "bytes", "id": "ids",
    "item_get.id": "1", "item_bytes.id": "1", "index_add.id": "ids", "path": '"item"',
    "paths": "paths",
    "index_backup.path": "target", "index_copy.location": "copied", "from": '"/nowhere"',
    "to": '"/elsewhere"', "each": "0", "address": '"postgresql://nowhere"', "moved": "0",
    "user": "0", "state": "1", "out": "0", "report": "0", "scores": "scores", "m": "1",
    "min_score": "0", "a": "1", "b": "2", "map": "0", "columns": "2", "rows_": "2",
    "cells": "cells", "image": "0", "quality": "90", "max_side": "0", "folder": "folder",
    "token": "0", "t": "transaction", "vectors_query.capacity": "16", "status": "0",
    "bytes": "bytes", "size": "1", "rgb": "bytes", "width": "1",
    "height": "1", "row_bytes": "0", "values": "rows", "utf8": '"text"', "total": "0",
    "name": '"no/model"',
}
# Pointers that may be NULL.
OPTIONAL = {
    "call", "options", "err", "errors", "found", "user", "scores", "report", "index_add.id",
    "vectors_add.ids", "total", "moved", "model_verify.each",
}
REQUIRED = {"eval_run.report"}
# Functions that make, free or cancel; what they do with NULL is tested by calling them so.
PLAIN = {
    "close", "cancel", "cancel_token_set", "version_number", "version_text", "status_text",
    "status_name", "input_file", "input_bytes", "input_pixels", "input_vector", "input_item",
    "input_text", "decoder_serve",
}
# Fields that no value may have, the status and a word of the sentence.
BAD_FIELDS = [
    ("index_update", "imgsearch_index_update_options", "add_model = 2", "EINVAL", "add_model"),
    ("index_update", "imgsearch_index_update_options", "regions = 3", "EINVAL", "regions"),
    ("open", "imgsearch_options", "metric = 3", "EINVAL", "metric"),
    ("open", "imgsearch_options", "precision = 3", "EINVAL", "precision"),
    ("open", "imgsearch_options", "dim = 65537", "EINVAL", "dim"),
    ("open", "imgsearch_options", "threads = 5000", "EINVAL", "threads"),
    ("open", "imgsearch_options", "partial = 2", "EINVAL", "partial"),
    ("open", "imgsearch_options", 'device = "\\xff"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = "foo"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = ""', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = "cuda:"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = "cuda:1x"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = "cuda:128"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'device = "cuda:-1"', "EINVAL", "device"),
    ("open", "imgsearch_options", 'model = "no"', "EMODEL", "unknown network"),
    ("open", "imgsearch_options", "recipe = &recipe", "EINVAL", "interpolation"),
    ("open", "imgsearch_options", 'decoder = ""', "EINVAL", "decoder"),
    ("open", "imgsearch_options", 'formats = "no"', "EINVAL", "formats"),
    ("open", "imgsearch_options", 'formats = "\\xff"', "EINVAL", "formats"),
    ("index_update", "imgsearch_index_update_options", 'formats = "no"', "EINVAL", "formats"),
    ("extract", "imgsearch_extract_options", "raw = 2", "EINVAL", "raw"),
    ("index_update", "imgsearch_index_update_options", "n_include = 1", "EINVAL", "include"),
    ("index_update", "imgsearch_index_update_options", "n_exclude = 1", "EINVAL", "exclude"),
    ("index_update", "imgsearch_index_update_options", 'csv_key = "\\xff"', "EINVAL", "csv_key"),
    ("index_update", "imgsearch_index_update_options", 'csv_title = "\\xff"', "EINVAL",
     "csv_title"),
    ("index_add", "imgsearch_index_add_options", "has_id = 1, o.id = -1", "EINVAL", "id"),
    ("index_add", "imgsearch_index_add_options", 'name = ""', "EINVAL", "name"),
    ("index_add", "imgsearch_index_add_options", "store_bytes = 1", "EINVAL", "store_bytes"),
    ("index_backup", "imgsearch_index_backup_options", "replace = 2", "EINVAL", "replace"),
    ("index_copy", "imgsearch_index_copy_options", "restart = 2", "EINVAL", "restart"),
    ("vectors_export", "imgsearch_vectors_export_options", "with_items = 2", "EINVAL",
     "with_items"),
    ("vectors_export", "imgsearch_vectors_export_options", "compared = 2", "EINVAL", "compared"),
    ("build", "imgsearch_build_options", "variance = 2", "EINVAL", "variance"),
    ("build", "imgsearch_build_options", "degree = 129", "EINVAL", "degree"),
    ("build", "imgsearch_build_options", "beam = 1001", "EINVAL", "beam"),
    ("build", "imgsearch_build_options", "components = 3", "EINVAL", "components"),
    ("build", "imgsearch_build_options", "whiten = 2", "EINVAL", "whiten"),
    ("build", "imgsearch_build_options", "if_stale = 2", "EINVAL", "if_stale"),
    ("build", "imgsearch_build_options", 'searcher = "no"', "EINVAL", "searcher"),
    ("build", "imgsearch_build_options", 'searcher = "\\xff"', "EINVAL", "searcher"),
    ("query", "imgsearch_query_options", "fields = 3", "EINVAL", "fields"),
    ("query", "imgsearch_query_options", "no_self = 2", "EINVAL", "no_self"),
    ("query", "imgsearch_query_options", "plain = 2", "EINVAL", "plain"),
    ("query", "imgsearch_query_options", "max_chance = -1", "EINVAL", "max_chance"),
    ("query", "imgsearch_query_options", "recall = 2", "EINVAL", "recall"),
    ("query", "imgsearch_query_options", "epsilon = -1", "EINVAL", "epsilon"),
    ("query", "imgsearch_query_options", "threads = 5000", "EINVAL", "threads"),
    ("query", "imgsearch_query_options", "expand = 20000", "EINVAL", "expand"),
    ("query", "imgsearch_query_options", "reciprocal = 500", "EINVAL", "re-ranking"),
    ("query", "imgsearch_query_options", "views = 7", "EINVAL", "views"),
    ("query", "imgsearch_query_options", 'searcher = "\\xff"', "EINVAL", "searcher"),
    ("query", "imgsearch_query_options", 'searcher = "no"', "EINVAL", "searcher"),
    ("query", "imgsearch_query_options", 'model = "m"', "ENOTFOUND", "model"),
    ("query", "imgsearch_query_options", "filter = &folders", "EINVAL", "folders"),
    ("query", "imgsearch_query_options", "filter = &conditional", "EINVAL", "condition"),
    ("query", "imgsearch_query_options", "filter = &listed", "EINVAL", "ids"),
    ("item_list", "imgsearch_item_list_options", "states = 1", "EINVAL", "states"),
    ("item_list", "imgsearch_item_list_options", "states = 1u << 10", "EINVAL", "states"),
    ("item_list", "imgsearch_item_list_options", "sort = 4", "EINVAL", "ids"),
    ("item_list", "imgsearch_item_list_options", "sort = 5", "EINVAL", "sort"),
    ("item_list", "imgsearch_item_list_options", "descending = 2", "EINVAL", "descending"),
    ("item_list", "imgsearch_item_list_options", "filter = &folders", "EINVAL", "folders"),
    ("groups_find", "imgsearch_groups_options", "kinds = 1u << 9", "EINVAL", "kinds"),
    ("map_compute", "imgsearch_map_options", "perplexity = -1", "EINVAL", "perplexity"),
    ("map_compute", "imgsearch_map_options", "pca = 2", "EINVAL", "pca"),
    ("eval_run", "imgsearch_eval_options", "duplicates = 1, o.groups = 1", "EINVAL", "groups"),
    ("eval_run", "imgsearch_eval_options", "filter = &folders", "EINVAL", "folders"),
    ("train", "imgsearch_train_options", 'name = "\\xff"', "EINVAL", "name"),
    ("model_add", "imgsearch_model_add_options", 'network = "\\xff"', "EINVAL", "network"),
    ("model_add", "imgsearch_model_add_options", "n_files = 1", "EINVAL", "files"),
]
# Other arguments: function, parameter, value, status, word.
BAD_VALUES = [
    ("open", "location", '""', "EINVAL", "location"),
    ("open", "location", '"redis://x"', "EUNSUPPORTED", "redis"),
    ("query", "n", "0", "EINVAL", "n is 0"),
    ("query", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("query", "inputs", "&kind", "EINVAL", "kind"),
    ("query", "inputs", "&text", "EMODEL", "own vectors"),
    ("query", "inputs", "&absent", "ENOTFOUND", "12345"),
    ("query", "inputs", "&reserved", "EINVAL", "reserved"),
    ("query", "inputs", "&nan", "EINVAL", "finite"),
    ("query", "inputs", "&longer", "EINVAL", "3 values"),
    ("range", "min_score", "NAN", "EINVAL", "min_score"),
    ("batch_query", "n", "0", "EINVAL", "n is 0"),
    ("batch_query", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("vectors_query", "n", "SIZE_MAX", "EINVAL", "n"),
    ("vectors_query", "dim", "0", "EINVAL", "dim"),
    ("vectors_query", "dim", "3", "EINVAL", "3"),
    ("vectors_query", "capacity", "1", "EINVAL", "capacity"),
    ("vectors_add", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("vectors_add", "dim", "0", "EINVAL", "dim"),
    ("vectors_add", "dim", "70000", "EINVAL", "dim"),
    ("vectors_get", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("vectors_get", "capacity", "1", "EINVAL", "capacity"),
    ("vectors_reduce", "m", "0", "EINVAL", "m is 0"),
    ("vectors_reduce", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("vectors_reduce", "capacity", "0", "EINVAL", "capacity"),
    ("extract", "n", "SIZE_MAX", "EINVAL", "n is"),
    ("extract", "capacity", "0", "EINVAL", "capacity"),
    ("index_add", "in", "&stored", "EINVAL", "in the index"),
    ("index_add", "in", "&nan", "EINVAL", "finite"),
    ("index_remove", "ids", "&missing", "ENOTFOUND", "12345"),
    ("index_keep_out", "ids", "&missing", "ENOTFOUND", "12345"),
    ("index_readmit", "ids", "&missing", "ENOTFOUND", "12345"),
    ("index_readmit", "ids", "ids", "EINVAL", "not kept out"),
    ("index_copy", "location", '":memory:"', "EINVAL", "memory"),
    ("index_copy", "location", '"redis://x"', "EUNSUPPORTED", "redis"),
    ("index_update", "paths", "empty", "EINVAL", "path 0"),
    ("root_move", "from", '"/nowhere"', "ENOTFOUND", "/nowhere"),
    ("groups_reject", "a", "12345", "ENOTFOUND", "12345"),
    ("item_get", "id", "12345", "ENOTFOUND", "12345"),
    ("item_bytes", "id", "12345", "ENOTFOUND", "12345"),
    ("item_find", "path", '"absent"', "ENOTFOUND", "absent"),
    ("item_each", "state", "10", "EINVAL", "state"),
    ("map_grid", "capacity", "0", "EINVAL", "capacity"),
    ("image_encode", "quality", "101", "EINVAL", "quality"),
    ("image_load", "in", "&vector", "EINVAL", "no pixels"),
    ("train", "folder", '""', "EINVAL", "folder"),
    ("model_add", "path", '""', "EINVAL", "path"),
    ("model_add", "name", '"../x"', "EINVAL", "name"),
    ("model_verify", "name", '"absent"', "ENOTFOUND", "absent"),
    ("model_remove", "name", '""', "EINVAL", "name"),
]

START = r"""
#include <imgsearch/eval.h>
#include <imgsearch/train.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
static int n_calls, n_bad;
static imgsearch_error err;
static void judge(const char *what, int rc, int want, const char *word)
{
	n_calls++;
	int good = rc == want && err.code == want && (!word || strstr(err.message, word));
	if (!good) {
		n_bad++;
		printf("# %s: status %d, not %d: %s\n", what, rc, want, err.message);
	}
	memset(&err, 0, sizeof err);
}
static void silent(const char *what, int rc, int want)
{
	n_calls++;
	if (rc != want)
		n_bad++, printf("# %s, err NULL: status %d, not %d\n", what, rc, want);
}
/* A struct that ends behind `size` bytes; what an earlier caller has behind it is anything. */
static union { size_t size; unsigned char bytes[1 << 10]; void *aligned; } earlier;
static void *earlier_struct(size_t size)
{
	memset(&earlier, 0xFF, sizeof earlier);
	memset(&earlier, 0, size);
	earlier.size = size;
	return &earlier;
}
static void same(const char *what, size_t size, int rc, int want)
{
	n_calls++;
	if (rc != want)
		n_bad++, printf("# %s of %zu bytes: status %d, not %d: %s\n", what, size, rc, want,
			err.message);
	memset(&err, 0, sizeof err);
}
static int each_item(void *user, const imgsearch_item *item)
{
	return (void)user, (void)item, 0;
}
static int each_row(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	return (void)user, (void)ids, (void)rows, (void)n, (void)dim, 0;
}
static int each_block(void *user, const imgsearch_vectors_export_block *block)
{
	return (void)user, (void)block, 0;
}
static int each_model(void *user, const imgsearch_model *m)
{
	return (void)user, (void)m, 0;
}
static int each_check(void *user, const imgsearch_model_check *check)
{
	return (void)user, (void)check, 0;
}
static imgsearch *s, *opened; /* opened: the handle of the transaction */
static float rows[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, scores[16];
static int64_t ids[16] = { 1, 2, 3 }, missing = 12345;
static uint8_t bytes[64];
static uint32_t cells[8];
static imgsearch_error errors[8];
static char target[200], copied[200], folder[] = "/nowhere";
static const char *paths[] = { "/nowhere" }, *empty[] = { "" };
static imgsearch_input inputs[2], kind, text, absent, reserved, nan_, longer, stored, vector;
static imgsearch_call call;
static imgsearch_recipe recipe;
static imgsearch_query_options filtered = IMGSEARCH_INIT(imgsearch_query_options);
static imgsearch_options prepared = IMGSEARCH_INIT(imgsearch_options);
static imgsearch_filter folders, conditional, listed;
static imgsearch_map *map;
static imgsearch_image *image;
static imgsearch_transaction *transaction;
static void set_up(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = 2;
	if (imgsearch_open(":memory:", &o, NULL, &s, &err))
		puts(err.message), exit(1);
	if (imgsearch_open(":memory:", &o, NULL, &opened, &err)
		|| imgsearch_transaction_begin(opened, NULL, &transaction, &err))
		puts(err.message), exit(1);
	call = (imgsearch_call)IMGSEARCH_INIT(imgsearch_call);
	const char *name = "item";
	imgsearch_vectors_add_options v = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	int64_t first = 1;
	v.names = &name;
	v.ids = &first;
	if (imgsearch_vectors_add(s, rows, 1, 2, &v, NULL, NULL, &err))
		puts(err.message), exit(1);
	inputs[0] = inputs[1] = vector = imgsearch_input_vector(rows, 2);
	kind.kind = 77;
	text = imgsearch_input_text("text");
	absent = imgsearch_input_item(12345);
	stored = imgsearch_input_item(1);
	reserved = vector;
	reserved.reserved[1] = 1;
	static const float no[2] = { NAN, 0 };
	nan_ = imgsearch_input_vector(no, 2);
	longer = imgsearch_input_vector(rows, 3);
	recipe = (imgsearch_recipe)IMGSEARCH_INIT(imgsearch_recipe);
	recipe.interpolation = 3;
	folders = conditional = listed = (imgsearch_filter)IMGSEARCH_INIT(imgsearch_filter);
	folders.n_folders = 1;
	conditional.columns = "rating";
	listed.n_ids = 1;
	imgsearch_input pixels = imgsearch_input_pixels(bytes, 2, 2, 0);
	if (imgsearch_map_compute(s, NULL, NULL, &map, &err)
		|| imgsearch_image_load(s, &pixels, 0, NULL, &image, &err))
		puts(err.message), exit(1);
	snprintf(target, sizeof target, "%s/backup.db", getenv("TARGET"));
	snprintf(copied, sizeof copied, "%s/copy.db", getenv("TARGET"));
}
"""


def short(name):
    return name.removeprefix("imgsearch_")


def right(function, name, kind):
    if name == "each":
        return {"item_each": "each_item", "item_list": "each_item",
                "vectors_each": "each_row",
                "vectors_export": "each_block",
                "model_verify": "each_check"}.get(function, "each_model")
    if name == "out" and function == "vectors_reduce":
        return "scores"
    if name == "map":
        return "map"
    if name == "image":
        return "image"
    if name == "rows" and "uint32_t" in kind:
        return "2"
    if name in ("out", "report"):
        return f"&(({kind[:-1].strip()}){{0}})" if name == "out" else "0"
    return RIGHT.get(f"{function}.{name}", RIGHT.get(name))


def is_optional(function, name):
    if f"{function}.{name}" in REQUIRED:
        return False
    return name in OPTIONAL or f"{function}.{name}" in OPTIONAL


class Calls:
    def __init__(self, header):
        self.header = header
        self.lines = []

    def call(self, function, **changed):
        """The text of a call, and the call with err NULL."""
        args = self.header.functions["imgsearch_" + function][1]
        values = []
        for kind, name in args:
            value = changed.get(name) or right(function, name, kind)
            if name == "report" and function == "eval_run" and name not in changed:
                value = "&eval_report"
            assert value is not None, f"{function}.{name}: no right value is known"
            values.append(value)
        return f"imgsearch_{function}({', '.join(values)})"

    def expect(self, function, want, word, label, **changed):
        word = "NULL" if word is None else f'"{word}"'
        what = f"{function}: {label}".replace('"', "'").replace("\\", "\\\\")
        self.lines.append(f'judge("{what}", {self.call(function, **changed)}, '
                          f"IMGSEARCH_{want}, {word});")
        quiet = self.call(function, err="NULL", **changed)
        self.lines.append(f'silent("{what}", {quiet}, IMGSEARCH_{want});')

    def nulls(self, function, args):
        for kind, name in args:
            if kind.endswith("*") and not is_optional(function, name):
                word = {"in": "input", "t": "t is"}.get(name, name)
                self.expect(function, "EINVAL", word, f"{name} NULL", **{name: "NULL"})

    def sizes(self, function, args):
        for kind, name in args:
            struct = kind.replace("const ", "").rstrip(" *")
            if name not in ("options", "call"):
                continue
            word = {"options": "options", "call": "call"}[name]
            for size in ("0", "3", "(size_t)-1", "1u << 20"):
                self.lines.append(f"{{ {struct} x; memset(&x, 0, sizeof x);")
                self.lines.append(f"x.struct_size = {size};")
                self.expect(function, "EINVAL", "struct_size", f"{name} of {size} bytes",
                            **{name: "&x"})
                self.lines.append("}")
            self.lines.append(f"{{ struct {{ {struct} o; uint64_t next; }} x; "
                              "memset(&x, 0, sizeof x); x.o.struct_size = sizeof x; x.next = 1;")
            self.expect(function, "EVERSION", word, f"{name} of the future", **{name: "&x.o"})
            self.lines.append("}")

    def freed(self, function):
        """The type that a call gives its caller, and what frees it; None: there is none."""
        for kind, name in self.header.functions["imgsearch_" + function][1]:
            if name == "out" and kind.endswith("**"):
                made = kind.rstrip(" *")
                return made, "imgsearch_close" if made == "imgsearch" else made + "_free"
        return None

    def earlier(self, function, name, struct, label, given="earlier_struct({size})", prepare=""):
        """Calls with structs that end behind each of their fields, and with one of all zeros."""
        made = self.freed(function)
        changed = {"out": "&made"} if made else {}
        declare = f"{made[0]} *made = NULL; " if made else ""
        release = f" {made[1]}(made);" if made else ""
        none = "NULL" if not prepare else given.format(size=f"sizeof({struct})")
        reference = self.call(function, **{name: none}, **changed)
        self.lines.append(f"{{ int want = 0; for (int i = 0; i < 2; i++) {{ {declare}")
        self.lines.append(f"{prepare.format(size=f'sizeof({struct})')}want = {reference};{release}")
        self.lines.append("} memset(&err, 0, sizeof err);")
        for _, field in self.header.structs[struct]:
            field = field.split("[")[0]
            size = f"offsetof({struct}, {field}) + sizeof((({struct} *)0)->{field})"
            call = self.call(function, **{name: given.format(size=size)}, **changed)
            self.lines.append(f'{{ {declare}{prepare.format(size=size)}same("{function}: {label}", '
                              f"{size}, {call}, want);{release} }}")
        self.lines.append("}")

    def last_field(self, function, struct, fields, want, word):
        """The same where the struct ends behind the field that is set last."""
        names = [part.split("=")[0].strip().removeprefix("o.") for part in fields.split(", o.")]
        order = [field.split("[")[0] for _, field in self.header.structs[struct]]
        last = max(names, key=order.index)
        size = f"offsetof({struct}, {last}) + sizeof((({struct} *)0)->{last})"
        sets = fields.replace("o.", "e->")
        self.lines.append(f"{{ {struct} *e = earlier_struct({size}); e->{sets};")
        self.expect(function, want, word, f"{fields}, the last field", options="e")
        self.lines.append("}")

    def earlier_callers(self):
        for name, (_, args) in sorted(self.header.functions.items()):
            function = short(name)
            for kind, arg in args:
                if arg in ("options", "call"):
                    struct = kind.replace("const ", "").rstrip(" *")
                    self.earlier(function, arg, struct, arg)
        self.earlier("query", "options", "imgsearch_filter", "filter", "&filtered",
                     "filtered.filter = earlier_struct({size}); ")
        self.earlier("open", "options", "imgsearch_recipe", "recipe", "&prepared",
                     "prepared.recipe = earlier_struct({size}); ")

    def reserved(self):
        """A value in each field that is kept for later, of each struct of options."""
        found = []
        for name, (_, args) in self.header.functions.items():
            structs = [kind.replace("const ", "").rstrip(" *") for kind, arg in args
                       if arg == "options"]
            for struct in structs:
                found += [(short(name), struct, f"{field} = 1", "EINVAL", field)
                          for _, field in self.header.structs[struct]
                          if field.startswith("reserved")]
        assert len(found) > 6, found
        return found

    def all(self):
        for name, (result, args) in sorted(self.header.functions.items()):
            function = short(name)
            if function in PLAIN or function.endswith("_free"):
                continue
            self.nulls(function, args)
            self.sizes(function, args)
        BAD_FIELDS.extend(self.reserved())
        for function, struct, fields, want, word in BAD_FIELDS:
            self.lines.append(f"{{ {struct} o = IMGSEARCH_INIT({struct}); o.{fields};")
            self.expect(function, want, word, fields, options="&o")
            self.lines.append("}")
            self.last_field(function, struct, fields, want, word)
        for function, name, value, want, word in BAD_VALUES:
            value = value.replace("&nan", "&nan_")
            self.expect(function, want, word, f"{name} {value}", **{name: value})
        self.earlier_callers()
        for name in sorted(self.header.functions):  # every free function accepts NULL
            if name.endswith("_free") or short(name) in ("close", "cancel", "cancel_token_set"):
                self.lines.append(f"{name}(NULL);")
        return self.lines


def main():
    header = Header()
    lines = Calls(header).all()
    with tempfile.TemporaryDirectory() as folder:
        source, binary = f"{folder}/arguments.c", f"{folder}/arguments"
        body = "\n".join("\t" + line for line in lines)
        open(source, "w", encoding="utf-8").write(
            START + "int main(void)\n{\n\tset_up();\n\timgsearch_eval_report *eval_report = NULL;\n"
            + body + "\n\timgsearch_transaction_free(transaction);\n\timgsearch_close(opened);\n"
            "\timgsearch_map_free(map);\n\timgsearch_image_free(image);\n"
            '\timgsearch_close(s);\n\tprintf("# %d calls\\n", n_calls);\n'
            "\treturn n_bad > 0 || n_calls < 600;\n}\n")
        compiler = os.environ.get("CC", "cc").split()
        flags = ["-fsanitize=address,undefined"] if "address" in BUILD else []
        libraries = ["-ljpeg", "-lpng", "-lz", "-lsqlite3", "-ldl", "-lm", "-pthread"]
        subprocess.run([*compiler, "-std=c11", "-Werror", "-D_GNU_SOURCE", "-Iinclude", *flags,
                        source, "-o", binary, f"{BUILD}/libimgsearch.a", *libraries], check=True)
        environment = dict(os.environ, IMGSEARCH_LIBDIR=os.path.abspath(f"{BUILD}/tests/lib"),
                           TARGET=folder)
        done = subprocess.run([binary], capture_output=True, text=True, env=environment)
    sys.stdout.write(done.stdout)
    sys.stdout.write("".join(f"# {line}\n" for line in done.stderr.splitlines()))
    bad = done.returncode != 0
    print(f"{'not ' if bad else ''}ok 1 - bad arguments get the right status, and are named")
    if done.returncode < 0:
        print(f"# died of signal {-done.returncode}")
    print("1..1")
    return bad


sys.exit(main())
