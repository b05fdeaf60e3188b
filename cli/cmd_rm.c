/*
 * imgsearch rm: removes pictures from the index, or keeps them out of it. imgsearch readmit: takes
 * in again what was kept out. Files are never changed.
 */
#include "cli/base/id_list.h"
#include "cli/base/json_writer.h"
#include "cli/base/list.h"
#include "cli/base/message.h"
#include "cli/base/path.h"
#include "cli/context/context.h"
#include "cli/context/input.h"
#include "cli/output/item.h"
#include "cli/output/record.h"

#include <stdlib.h>
#include <string.h>

typedef struct rm_args {
	common_args common;
	uint32_t dry_run, keep_out;
} rm_args;

/* What is done to the selected pictures. */
typedef struct change {
	const char *done, *member; /* "removed": in sentences, in JSON */
	const char *place;         /* in the summary, behind done */
	bool spares_files;         /* the summary says that files are untouched */
	uint32_t state;            /* below a folder: only pictures in this state; 0: all */
	int (*apply)(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
		imgsearch_error *err);
} change;

static int forget(imgsearch *s, const int64_t *ids, size_t n, const imgsearch_call *call,
	imgsearch_error *err)
{
	return imgsearch_index_remove(s, ids, n, NULL, call, err);
}

static const change removal = { "removed", "removed", "from the index", true, 0, forget };
static const change exclusion = { "kept out", "kept_out", "of the index", true, 0,
	imgsearch_index_keep_out };
static const change readmission = { "taken in", "taken_in", "again", false, IMGSEARCH_STATE_DELETED,
	imgsearch_index_readmit };

/* An operand that is no picture, and so perhaps a folder. */
typedef struct folder_operand {
	char **way; /* the paths that it may have */
	size_t n;
	bool used; /* pictures lie below it */
} folder_operand;

typedef struct selection {
	context *c;
	const change *change;
	bool dry_run;
	id_list ids;
	folder_operand *folder;
	size_t n_folders;
	char **path; /* of each of the ids */
	size_t n_paths;
	bool files; /* at least one of the pictures has a file */
} selection;

static int add(selection *x, int64_t id)
{
	return id_list_add(&x->ids, id) ? CLI_DONE : cli_nomem();
}

/* Selects a picture by id or path; anything else may be a folder. */
static int select_one(selection *x, const char *text)
{
	imgsearch_input in;
	imgsearch_error err;
	input_bytes none = { 0 };
	int64_t id;
	if (!strncmp(text, "id:", 3)) {
		int rc = input_parse(&in, x->c, text, &none);
		return rc ? rc : add(x, in.id);
	}
	int rc = path_find_item(x->c->s, text, &id, &err);
	if (rc == IMGSEARCH_ENOTFOUND) {
		folder_operand *folder = &x->folder[x->n_folders];
		folder->way = path_ways(text, &folder->n);
		x->n_folders += folder->way != NULL;
		return folder->way ? CLI_DONE : cli_nomem();
	}
	return rc ? context_error(x->c, &err) : add(x, id);
}

static int select_below(void *user, const imgsearch_item *item)
{
	selection *x = user;
	bool fits = !x->change->state || x->change->state == item->state;
	for (size_t i = 0; fits && i < x->n_folders; i++)
		if (path_is_below_any(item->path, x->folder[i].way, x->folder[i].n)) {
			x->folder[i].used = true;
			return !id_list_add(&x->ids, item->id);
		}
	return 0;
}

static void show(const selection *x, int64_t id, const char *path)
{
	json_writer j;
	if (!x->c->common->json) {
		record_path(path);
		record_end(x->c->common->nul);
		return;
	}
	json_write_begin(&j, stdout);
	json_write_int(&j, "id", id);
	json_write_path(&j, "path", path);
	json_write_bool(&j, x->change->member, !x->dry_run);
	json_write_end(&j);
}

static int note_path(void *user, const imgsearch_item *item)
{
	selection *x = user;
	x->path[x->n_paths] = strdup(item->path);
	return x->path[x->n_paths] ? x->n_paths++, 0 : 1;
}

/* The paths of the items, which must all exist. */
static int read_paths(selection *x)
{
	imgsearch_error err;
	imgsearch_item *missing = NULL;
	x->path = calloc(x->ids.n + 1, sizeof *x->path);
	int rc = x->path ? item_list_ids(x->c->s, x->ids.id, x->ids.n, note_path, x, &x->c->call, &err)
					 : 1;
	if (rc)
		return rc < 0 ? context_error(x->c, &err) : cli_nomem();
	for (size_t i = 0; x->n_paths < x->ids.n && i < x->ids.n; i++) {
		if (imgsearch_item_get(x->c->s, x->ids.id[i], &missing, &err))
			return context_error(x->c, &err);
		imgsearch_item_free(missing);
	}
	return CLI_DONE;
}

/* Reads the items, applies the change, and shows the items. */
static int apply_and_show(selection *x)
{
	imgsearch_error err;
	int rc = read_paths(x);
	if (rc == CLI_DONE && !x->dry_run && x->ids.n
		&& x->change->apply(x->c->s, x->ids.id, x->ids.n, &x->c->call, &err))
		rc = context_error(x->c, &err);
	for (size_t i = 0; i < x->n_paths; i++) {
		if (rc == CLI_DONE)
			show(x, x->ids.id[i], x->path[i]);
		x->files |= x->path[i][0] == '/';
	}
	text_list_free(x->path, x->n_paths);
	return rc;
}

static int change_selection(selection *x)
{
	const change *what = x->change;
	imgsearch_error err;
	int rc = x->n_folders ? imgsearch_item_each(x->c->s, 0, select_below, x, &x->c->call, &err) : 0;
	if (rc)
		return rc < 0 ? context_error(x->c, &err) : cli_nomem();
	for (size_t i = 0; i < x->n_folders; i++)
		if (!x->folder[i].used)
			return cli_fail("%s: neither it nor anything below it is %s the index; nothing was %s",
				x->folder[i].way[x->folder[i].n > 1], what->state ? "kept out of" : "in",
				what->done);
	id_list_sort(&x->ids);
	id_list_unique(&x->ids);
	rc = apply_and_show(x);
	if (rc == CLI_DONE)
		context_print(x->c, "%zu %s%s %s%s", x->ids.n, x->dry_run ? "would be " : "", what->done,
			what->place,
			x->files && what->spares_files && !x->dry_run ? "; the files are untouched" : "");
	return rc;
}

static int run(context *c, const change *what, bool dry_run)
{
	selection x = { .c = c, .change = what, .dry_run = dry_run };
	path_list p;
	int rc = path_list_read(c, &p);
	if (rc == CLI_DONE)
		rc = context_open(c, false);
	if (rc == CLI_DONE) {
		x.folder = calloc(p.n + 1, sizeof *x.folder);
		rc = x.folder ? CLI_DONE : cli_nomem();
	}
	for (size_t i = 0; rc == CLI_DONE && i < p.n; i++)
		rc = select_one(&x, p.item[i]);
	if (rc == CLI_DONE)
		rc = change_selection(&x);
	for (size_t i = 0; i < x.n_folders; i++)
		text_list_free(x.folder[i].way, x.folder[i].n);
	free(x.folder);
	free(x.ids.id);
	path_list_free(&p);
	return rc;
}

static int rm_run(context *c, void *args)
{
	const rm_args *a = args;
	return run(c, a->keep_out ? &exclusion : &removal, a->dry_run);
}

static int readmit_run(context *c, void *args)
{
	(void)args;
	return run(c, &readmission, false);
}

static const option rm_options[] = {
	{ "keep-out", 0, OPT_FLAG, offsetof(rm_args, keep_out),
		.help = "keep them and their copies out for good: no imgsearch index takes them in again" },
	{ "dry-run", 0, OPT_FLAG, offsetof(rm_args, dry_run),
		.help = "only show what would be removed" },
	OPT_END,
};

const command cmd_rm = {
	.name = "rm",
	.operands = "IMG|DIR|id:N|-...",
	.summary = "remove pictures from the index (files are untouched)",
	.text =
		"Removes pictures, or all below a folder, from the index, and writes "
		"their paths. No file is ever deleted. If one of the names is not in the index, nothing "
		"is removed. \"-\" reads paths from standard input, one a line.\n\n"
		"A picture whose file still lies in a folder of the index comes back with the next "
		"imgsearch index. With --keep-out it is kept out instead: no query finds it, and neither "
		"what lies at its path, whatever its bytes, nor another file with its bytes is taken in "
		"again, until imgsearch readmit. imgsearch list --state kept-out lists what is kept "
		"out.\n\n"
		"\timgsearch rm --dry-run ~/Pictures/old\n"
		"\timgsearch rm --keep-out ~/Pictures/blurred.jpg",
	.options = rm_options,
	.groups = GROUP_DB | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(rm_args),
	.run = rm_run,
	.min_operands = 1,
	.max_operands = CLI_MANY,
};

static const option readmit_options[] = { OPT_END };

const command cmd_readmit = {
	.name = "readmit",
	.operands = "IMG|DIR|id:N|-...",
	.summary = "take in again pictures that rm --keep-out keeps out",
	.text =
		"Takes pictures that are kept out of the index in again, or all of them below a folder, "
		"and writes their paths. Their vectors were kept, so nothing is read and no network is "
		"needed. If one of the names is not kept out, nothing is done. \"-\" reads paths from "
		"standard input, one a line.\n\n"
		"\timgsearch list --state kept-out --paths\n"
		"\timgsearch readmit ~/Pictures/blurred.jpg",
	.options = readmit_options,
	.groups = GROUP_DB | GROUP_JSON | GROUP_NUL,
	.args_size = sizeof(rm_args),
	.run = readmit_run,
	.min_operands = 1,
	.max_operands = CLI_MANY,
};
