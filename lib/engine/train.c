/* imgsearch_train: the walk lists the files, and lib/train trains. No index is involved. */
#include "engine/arguments.h"
#include "files/walk.h"
#include "handle/handle.h"
#include "train/train.h"

#include <stdlib.h>
#include <string.h>

typedef struct file_list {
	train_file *item;
	size_t n, cap;
	const char *root;
} file_list;

static void list_free(file_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		ims_free(l->item[i].path);
		ims_free((char *)(uintptr_t)l->item[i].folder);
	}
	ims_free(l->item);
}

static int add_file(void *user, const walk_entry *e)
{
	file_list *l = user;
	if (e->kind != WALK_FILE)
		return 0;
	train_file *grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	l->item = grown;
	const char *slash = strchr(e->path, '/');
	train_file *f = &l->item[l->n++];
	f->path = ims_format("%s/%s", l->root, e->path);
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
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof text / sizeof *text; i++)
		rc = ims_text_require(text[i], name[i], err);
	return rc;
}

typedef struct training {
	imgsearch *s;
	const char *folder;
	const imgsearch_train_options *options;
	imgsearch_train_report *report;
} training;

/* libtorch changes the number of OpenMP threads of the thread that it runs on. */
static int train(void *arg, job *j, imgsearch_error *err)
{
	const training *t = arg;
	imgsearch *s = t->s;
	walk_rules rules = { 0 };
	file_list l = { .root = t->folder };
	model_spec start = {
		.name = s->options.model,
		.weights = s->options.weights,
		.device = s->options.device,
		.precision = s->options.precision,
		.threads = s->threads,
		.recipe = s->recipe,
	};
	int rc = ims_walk(t->folder, "", &rules, add_file, &l, err);
	if (rc == IMGSEARCH_ENOMEM)
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_train(l.item, l.n, &start, t->options, j, t->report, err);
	list_free(&l);
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
		rc = ims_run_apart(&j, train, &(training){ s, folder, &options, made }, err);
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
