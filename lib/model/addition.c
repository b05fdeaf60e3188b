/* The files that are to be added: one, those of a folder, or those that the caller names. */
#include "model/addition.h"

#include "model/added_files.h"
#include "model/weights.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static published_file *add_file(addition *a, const char *folder, const char *file)
{
	published *m = &a->model;
	published_file *grown = ims_realloc(m->files, m->n_files + 1, sizeof *grown);
	if (!grown)
		return NULL;
	m->files = grown;
	if (ims_texts_add(&a->source, folder ? ims_path_join(folder, file) : ims_strdup(file)))
		return NULL;
	grown[m->n_files] = (published_file){ 0 };
	return &grown[m->n_files++];
}

/* The name under which the weights are kept. */
static void name_weights(addition *a, const char *file)
{
	published_file *f = &a->model.files[0];
	snprintf(f->name, sizeof f->name, "%s%s", a->name, ims_weights_ending(file));
}

static bool is_weights(const char *file)
{
	const char *ending = ims_weights_ending(file);
	for (size_t i = 0; ims_weights_endings[i]; i++)
		if (!strcmp(ending, ims_weights_endings[i]))
			return true;
	return false;
}

/* The file of a folder that is the weights: the index of shards, else the only file of weights. */
static int find_weights(size_t *out, const addition *a, const text_list *files,
	imgsearch_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < files->n; i++) {
		bool is_index = strstr(files->item[i], ".safetensors.index.json") != NULL;
		if (is_index || is_weights(files->item[i]))
			n++, *out = i;
		if (is_index)
			return 0;
	}
	return n == 1
		? 0
		: ims_fail(err, n ? IMGSEARCH_EINVAL : IMGSEARCH_ENOTFOUND,
			"%s: %s .safetensors, .pth or .pt in it", a->path, n ? "more than one" : "no");
}

static int list_folder(addition *a, imgsearch_error *err)
{
	text_list files = { 0 };
	size_t first = 0;
	int rc = ims_folder_files(&files, a->path, err);
	if (!rc)
		rc = find_weights(&first, a, &files, err);
	for (size_t i = 0; !rc && i < files.n; i++) {
		const char *file = files.item[i ? (i <= first ? i - 1 : i) : first];
		published_file *f = add_file(a, a->path, file);
		if (!f)
			rc = ims_nomem(err);
		else if (i == 0)
			name_weights(a, file);
		else
			snprintf(f->name, sizeof f->name, "%s", file);
	}
	ims_texts_free(&files);
	return rc;
}

/* Files that the caller names, with what they must be. */
static int list_given(addition *a, imgsearch_error *err)
{
	for (size_t i = 0; i < a->o->n_files; i++) {
		const imgsearch_model_file *given = a->o->files[i];
		published_file *f = add_file(a, a->path, given->name);
		if (!f)
			return ims_nomem(err);
		SET_TEXT(f->name, given->name, "");
		SET_TEXT(f->url, given->url, "");
		SET_TEXT(f->sha256, given->sha256, "");
		SET_TEXT(f->sha256_from, given->sha256_from, "");
		f->bytes = given->bytes;
		f->slack = given->bytes_off;
	}
	return 0;
}

int ims_addition_list(addition *a, imgsearch_error *err)
{
	struct stat st;
	if (stat(a->path, &st))
		return ims_fail_errno(err, errno == ENOENT ? IMGSEARCH_ENOTFOUND : IMGSEARCH_EIO, "%s",
			a->path);
	if (a->o->n_files)
		return list_given(a, err);
	if (S_ISDIR(st.st_mode))
		return list_folder(a, err);
	if (!add_file(a, NULL, a->path))
		return ims_nomem(err);
	name_weights(a, a->path);
	return is_weights(a->path)
		? 0
		: ims_fail(err, IMGSEARCH_EINVAL,
			"%s: the name of weights ends in .safetensors, .pth, .pt or .safetensors.index.json",
			a->path);
}

int ims_addition_check(const addition *a, imgsearch_error *err)
{
	for (size_t i = 0; i < a->model.n_files; i++) {
		const char *name = a->model.files[i].name;
		if (!ims_published_is_name(name) || !strcmp(name, ADDED_RECORD))
			return ims_fail(err, IMGSEARCH_EINVAL, "%s: \"%s\" is no name for a file of a model",
				a->path, name);
	}
	return is_weights(a->model.files[0].name)
		? 0
		: ims_fail(err, IMGSEARCH_EINVAL, "%s: the first file is not the weights", a->path);
}
