/* imgsearch_train: the walk lists the files, and lib/train trains. No index is involved. */
#include "engine/options.h"
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

int imgsearch_train(imgsearch *s, const char *dir, const imgsearch_train_options *options,
	imgsearch_train_report *report, imgsearch_error *err)
{
	imgsearch_train_options o;
	walk_rules rules = { 0 };
	if (!s || !dir || !*dir)
		return ims_fail(err, IMGSEARCH_EINVAL, "train: no folder");
	int rc = ims_options_copy(&o, sizeof o, options, err);
	if (rc)
		return rc;
	file_list l = { .root = dir };
	job j = ims_handle_job(s);
	model_spec start = { .name = s->options.model,
		.weights = s->options.weights,
		.device = s->options.device,
		.precision = s->options.precision,
		.threads = s->threads,
		.recipe = s->options.recipe };
	rc = ims_walk(dir, "", &rules, add_file, &l, err);
	if (rc == IMGSEARCH_ENOMEM)
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_train(l.item, l.n, &start, &o, &j, report, err);
	list_free(&l);
	return rc;
}
