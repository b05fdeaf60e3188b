/* Records of models that were added: reads them, lists them, and compares the files with them. */
#include "model/added.h"

#include "model/added_files.h"
#include "model/catalog.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_RECORD = 1 << 20 };

int ims_added_record(published *out, const char *name, imgsearch_error *err)
{
	char *path = NULL;
	buf text = { 0 };
	imgsearch_error local;
	*out = (published){ 0 };
	if (!ims_published_is_name(name))
		return IMGSEARCH_ENOTFOUND;
	int rc = ims_models_path(&path, "", name, "/" ADDED_RECORD, err);
	if (rc)
		return rc;
	rc = ims_read_file(&text, path, MAX_RECORD, &local);
	if (rc && rc != IMGSEARCH_ENOTFOUND && err)
		*err = local;
	if (!rc && (rc = ims_published_record(out, text.data, text.len, err)))
		ims_error_prefix(err, "%s", path);
	ims_buf_free(&text);
	ims_free(path);
	return rc;
}

int ims_added_names(text_list *out, imgsearch_error *err)
{
	text_list all = { 0 };
	char *path = NULL;
	*out = (text_list){ 0 };
	int rc = ims_model_data_path(&path, "", err);
	if (!rc)
		rc = access(path, F_OK) ? IMGSEARCH_ENOTFOUND : ims_folder_names(&all, path, err);
	for (size_t i = 0; !rc && i < all.n; i++) {
		char *record = ims_format("%s/%s/%s", path, all.item[i], ADDED_RECORD);
		rc = record ? 0 : ims_nomem(err);
		if (!rc && access(record, F_OK) == 0 && ims_texts_add(out, ims_strdup(all.item[i])))
			rc = ims_nomem(err);
		ims_free(record);
	}
	ims_texts_free(&all);
	ims_free(path);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

int ims_added_none(const char *name, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_ENOTFOUND, "%s: no model of that name was added here", name);
}

/* -------------------------------------------------------------------------------- verify ---- */

/* The published file of that name, in a model; NULL: there is none. */
static const published_file *stated(const published *m, const char *name)
{
	for (size_t i = 0; m && i < m->n_files; i++)
		if (!strcmp(m->files[i].name, name))
			return &m->files[i];
	return NULL;
}

/* wrong becomes a clause, or "". */
static int compare(char *wrong, size_t size, const published_file *f, const published_file *public,
	const char *path, imgsearch_error *err)
{
	char hash[SHA256_TEXT];
	uint64_t bytes;
	imgsearch_error local;
	int rc = ims_sha256_file(hash, &bytes, path, &local);
	*wrong = 0;
	if (rc == IMGSEARCH_ENOTFOUND)
		snprintf(wrong, size, "it is missing");
	else if (rc && err)
		*err = local;
	else if (!rc && bytes != f->bytes)
		snprintf(wrong, size, "it has %llu bytes, not %llu", (unsigned long long)bytes,
			(unsigned long long)f->bytes);
	else if (!rc && strcmp(hash, f->sha256))
		snprintf(wrong, size, "its SHA-256 is %s, not %s", hash, f->sha256);
	else if (!rc && public && !ims_published_has_size(public, bytes))
		snprintf(wrong, size, "it is as it was added, but its publisher states another size");
	else if (!rc && public && strncmp(hash, public->sha256, strlen(public->sha256)))
		snprintf(wrong, size, "it is as it was added, but its publisher states the SHA-256 %s",
			public->sha256);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

typedef struct verification {
	const char *name;
	imgsearch_model_check_fn each;
	void *user;
	const stop_token *stop;
	bool any_wrong;
} verification;

static int verify_file(verification *v, const published_file *f, const published_file *public,
	imgsearch_error *err)
{
	char *path = NULL, wrong[300], below[220];
	snprintf(below, sizeof below, "%s/%s", v->name, f->name);
	int rc = ims_stop_check(v->stop, err);
	if (!rc)
		rc = ims_model_data_path(&path, below, err);
	if (!rc)
		rc = compare(wrong, sizeof wrong, f, public, path, err);
	imgsearch_model_check check = { .model = v->name,
		.file = f->name,
		.wrong = !rc && wrong[0] ? wrong : NULL,
		.published = !rc && !wrong[0] && public && public->sha256[0] };
	if (!rc && v->each)
		rc = ims_call_model_check(v->each, v->user, &check);
	if (!rc && wrong[0] && !v->any_wrong) {
		v->any_wrong = true;
		ims_fail(err, IMGSEARCH_EFORMAT, "%s: %s", path, wrong);
	}
	ims_free(path);
	return rc;
}

int ims_added_verify(const char *name, imgsearch_model_check_fn each, void *user,
	const stop_token *stop, imgsearch_error *err)
{
	verification v = { .name = name, .each = each, .user = user, .stop = stop };
	published record;
	published_list list = { 0 };
	int rc = ims_added_record(&record, name, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return ims_added_none(name, err);
	if (!rc)
		rc = ims_published_read(&list, err);
	const published *public = rc ? NULL : ims_published_find(&list, name);
	for (size_t i = 0; !rc && i < record.n_files; i++)
		rc = verify_file(&v, &record.files[i], stated(public, record.files[i].name), err);
	ims_published_free(&list);
	ims_published_clear(&record);
	return rc ? rc : v.any_wrong ? IMGSEARCH_EFORMAT : 0;
}
