/*
 * imgsearch rm: takes pictures out of the index. Files are never touched.
 */
#include "cli/base/cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct rm_args {
	common_args common;
	uint32_t dry_run;
} rm_args;

static const option options[] = {
	{ "dry-run", 0, OPT_FLAG, offsetof(rm_args, dry_run), .help = "only show what would be taken out" },
	OPT_END
};

typedef struct chosen {
	context *c;
	bool dry_run;
	int64_t *id;
	size_t n, cap;
	char **folder; /* operands that are no picture: folders of some */
	bool *used;
	size_t n_folders;
	bool failed;
} chosen;

static void add(chosen *x, int64_t id)
{
	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 64;
		int64_t *more = realloc(x->id, cap * sizeof *more);
		if (!more) {
			x->failed = true;
			return;
		}
		x->id = more;
		x->cap = cap;
	}
	x->id[x->n++] = id;
}

/* A picture by id or path is added; anything else may be a folder. */
static int choose(chosen *x, const char *text)
{
	imgsearch_input in;
	imgsearch_error err;
	void *none = NULL;
	int64_t id;
	if (!strncmp(text, "id:", 3)) {
		int rc = input_parse(&in, x->c, text, &none);
		if (!rc)
			add(x, in.id);
		return rc;
	}
	char *path = path_absolute(text);
	if (!path)
		return cli_nomem();
	int rc = imgsearch_find(x->c->s, path, &id, &err);
	if (rc == 0)
		add(x, id);
	else if (rc == IMGSEARCH_ENOTFOUND)
		x->folder[x->n_folders++] = path;
	if (rc != IMGSEARCH_ENOTFOUND)
		free(path);
	return rc && rc != IMGSEARCH_ENOTFOUND ? cli_error(&err) : CLI_DONE;
}

static int choose_below(void *user, const imgsearch_item *item)
{
	chosen *x = user;
	for (size_t i = 0; i < x->n_folders; i++)
		if (path_is_below(item->path, x->folder[i])) {
			x->used[i] = true;
			add(x, item->id);
			break;
		}
	return 0;
}

static void show(const chosen *x, const imgsearch_item *item)
{
	json_writer j;
	if (!x->c->common->json) {
		record_path(item->path);
		record_end(x->c);
		return;
	}
	json_write_begin(&j, stdout);
	json_write_int(&j, "id", item->id);
	json_write_path(&j, "path", item->path);
	json_write_bool(&j, "removed", !x->dry_run);
	json_write_end(&j);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void unique(chosen *x)
{
	size_t n = 0;
	if (x->n)
		qsort(x->id, x->n, sizeof *x->id, by_id);
	for (size_t i = 0; i < x->n; i++)
		if (!i || x->id[i] != x->id[i - 1])
			x->id[n++] = x->id[i];
	x->n = n;
}

/* Their paths are read before they go, and shown when they are gone. */
static int remove_and_show(const chosen *x)
{
	imgsearch_item **item = calloc(x->n + 1, sizeof *item);
	imgsearch_error err;
	int rc = item ? CLI_DONE : cli_nomem();
	for (size_t i = 0; rc == CLI_DONE && i < x->n; i++)
		if (imgsearch_item_get(x->c->s, x->id[i], &item[i], &err))
			rc = cli_error(&err);
	if (rc == CLI_DONE && !x->dry_run && x->n && imgsearch_index_remove(x->c->s, x->id, x->n, &err))
		rc = cli_error(&err);
	for (size_t i = 0; item && i < x->n; i++) {
		if (rc == CLI_DONE)
			show(x, item[i]);
		imgsearch_item_free(item[i]);
	}
	free(item);
	return rc;
}

static int remove_chosen(chosen *x)
{
	imgsearch_error err;
	if (x->n_folders && imgsearch_list(x->c->s, 0, choose_below, x, &err) < 0)
		return cli_error(&err);
	if (x->failed)
		return cli_nomem();
	for (size_t i = 0; i < x->n_folders; i++)
		if (!x->used[i])
			return cli_fail("%s: neither it nor anything below it is in the index; nothing was taken out", x->folder[i]);
	unique(x);
	int rc = remove_and_show(x);
	if (rc == CLI_DONE)
		context_note(x->c, x->dry_run ? "%zu would be taken out of the index" : "%zu taken out of the index; the files are untouched", x->n);
	return rc;
}

static int run(context *c, void *args)
{
	chosen x = { .c = c, .dry_run = ((rm_args *)args)->dry_run };
	path_list p;
	int rc = path_list_read(c, &p);
	if (rc == CLI_DONE)
		rc = context_open(c, false);
	if (rc == CLI_DONE) {
		x.folder = calloc(p.n + 1, sizeof *x.folder);
		x.used = calloc(p.n + 1, sizeof *x.used);
		rc = x.folder && x.used ? CLI_DONE : cli_nomem();
	}
	for (size_t i = 0; rc == CLI_DONE && i < p.n; i++)
		rc = choose(&x, p.item[i]);
	if (rc == CLI_DONE)
		rc = remove_chosen(&x);
	for (size_t i = 0; i < x.n_folders; i++)
		free(x.folder[i]);
	free(x.folder);
	free(x.used);
	free(x.id);
	path_list_free(&p);
	return rc;
}

const command cmd_rm = {
	.name = "rm", .operands = "IMG|DIR|id:N|-...", .summary = "take pictures out of the index (files are untouched)",
	.text = "Takes pictures, or all below a folder, out of the index, and writes their paths. No file is ever deleted. When one "
		"of the names is not in the index, nothing is taken out. \"-\" reads paths from standard input, one a line.\n\n"
		"A picture whose file still lies in a folder that the index knows comes back with the next imgsearch index; to keep "
		"it out, name it in an .imgsearchignore file or with --exclude.\n\n"
		"\timgsearch rm --dry-run ~/Pictures/old",
	.options = options, .groups = GROUP_DB | GROUP_JSON | GROUP_NUL, .args_size = sizeof(rm_args), .run = run,
	.min_operands = 1, .max_operands = CLI_MANY
};
