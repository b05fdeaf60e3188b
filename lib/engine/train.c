/* imgsearch_train: the walk lists the files, and lib/train trains. No index is involved. */
#include "engine/arguments.h"
#include "files/walk.h"
#include "handle/handle.h"
#include "train/train.h"

#include <stdlib.h>
#include <string.h>

static void free_folders(train_folder *f, size_t n)
{
	for (size_t k = 0; f && k < n; k++) {
		for (size_t i = 0; i < f[k].n; i++) {
			ims_free(f[k].file[i].path);
			ims_free((char *)(uintptr_t)f[k].file[i].folder);
		}
		ims_free(f[k].file);
	}
	ims_free(f);
}

static int add_file(void *user, const walk_entry *e)
{
	train_folder *l = user;
	if (e->kind != WALK_FILE)
		return 0;
	train_file *grown = ims_grow(l->file, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	l->file = grown;
	const char *slash = strchr(e->path, '/');
	train_file *f = &l->file[l->n++];
	f->path = ims_path_join(l->path, e->path);
	f->folder = slash ? ims_strndup(e->path, (size_t)(slash - e->path)) : NULL;
	f->size = e->size;
	return f->path && (f->folder || !slash) ? 0 : IMGSEARCH_ENOMEM;
}

static int check_options(const imgsearch_train_options *o, imgsearch_error *err)
{
	const char *const text[] = { o->name, o->descent, o->licence, o->note };
	static const char *const name[] = {
		"train: name",
		"train: descent",
		"train: licence",
		"train: note",
	};
	REQUIRE(!o->reserved, err, "train: reserved is %u, not 0", o->reserved);
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof text / sizeof *text; i++)
		rc = ims_text_require(text[i], name[i], err);
	for (size_t i = 0; !rc && i < o->n_holdout; i++)
		if (!o->holdout || !o->holdout[i] || !*o->holdout[i])
			rc = ims_fail(err, IMGSEARCH_EINVAL, "train: holdout[%zu] is NULL or empty", i);
	return rc;
}

typedef struct train_call {
	imgsearch *s;
	const char *folder;
	const imgsearch_train_options *options;
	imgsearch_train_report *report;
} train_call;

static int list_folder(train_folder *out, const char *path, const walk_rules *rules,
	imgsearch_error *err)
{
	out->path = path;
	int rc = ims_walk(path, "", rules, add_file, out, err);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* Where path leads, with all links resolved; freed by free. NULL: nowhere. */
static char *real_path(const char *path, imgsearch_error *err)
{
	char *real = realpath(path, NULL);
	if (!real)
		ims_fail_errno(err, IMGSEARCH_EIO, "%s", path);
	return real;
}

/* The folder of the pictures without the held-out ones; its path is the real one, as theirs are. */
static int list_pictures(const train_call *t, train_folder *out, char *const *holdout,
	imgsearch_error *err)
{
	size_t n = t->options->n_holdout;
	walk_rules rules = { .roots = (const char *const *)holdout, .n_roots = n };
	char *real = real_path(t->folder, err);
	int rc = real ? 0 : IMGSEARCH_EIO;
	for (size_t i = 0; !rc && i < n; i++)
		if (ims_path_below(real, holdout[i]))
			rc = ims_fail(err, IMGSEARCH_EINVAL,
				"train: %s is held out, and all pictures are in it", t->options->holdout[i]);
	if (!rc)
		rc = list_folder(out, real, &rules, err);
	out->path = t->folder;
	free(real);
	return rc;
}

/* *out: the folder of the pictures, and the held-out ones. */
static int list_folders(const train_call *t, train_folder **out, imgsearch_error *err)
{
	size_t n = t->options->n_holdout;
	char **real = ims_zalloc(n + 1, sizeof *real);
	*out = ims_zalloc(n + 1, sizeof **out);
	int rc = *out && real ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		real[i] = real_path(t->options->holdout[i], err);
		rc = real[i] ? list_folder(&(*out)[i + 1], t->options->holdout[i], &(walk_rules){ 0 }, err)
					 : IMGSEARCH_EIO;
	}
	if (!rc)
		rc = list_pictures(t, *out, real, err);
	for (size_t i = 0; real && i < n; i++)
		free(real[i]);
	ims_free(real);
	return rc;
}

/* libtorch changes the number of OpenMP threads of the thread that it runs on. */
static int train(void *arg, job *j, imgsearch_error *err)
{
	const train_call *t = arg;
	imgsearch *s = t->s;
	model_spec start = {
		.name = s->options.model,
		.weights = s->options.weights,
		.device = s->options.device,
		.precision = s->options.precision,
		.threads = s->threads,
		.recipe = s->recipe,
	};
	train_folder *folders = NULL;
	int rc = list_folders(t, &folders, err);
	if (!rc)
		rc = ims_train(folders, t->options->n_holdout, &start, t->options, j, t->report, err);
	free_folders(folders, t->options->n_holdout + 1);
	return rc;
}

int imgsearch_train(imgsearch *s, const char *folder, const imgsearch_train_options *theirs,
	const imgsearch_call *call, imgsearch_train_report **report, imgsearch_error *err)
{
	imgsearch_train_options options;
	imgsearch_train_report *made = NULL;
	job j;
	if (report)
		*report = NULL;
	REQUIRE_HANDLE(s, "train", err);
	REQUIRE(folder && *folder, err, "train: folder is NULL or empty");
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = check_options(&options, err);
	if (!rc)
		rc = ims_call_begin(s, call, &j, err);
	if (!rc && !(made = ims_result_new(sizeof *made)))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_run_on_own_thread(&j, train, &(train_call){ s, folder, &options, made }, err);
	if (rc || !report)
		ims_result_free(made);
	else
		*report = made;
	return rc;
}

void imgsearch_train_report_free(imgsearch_train_report *report)
{
	ims_result_free(report);
}
