/* The public functions of models. No index is involved. */
#include "engine/arguments.h"
#include "model/added.h"
#include "model/listing.h"
#include "words/tower.h"

#include <string.h>

int imgsearch_model_each(imgsearch_model_fn each, void *user, imgsearch_error *err)
{
	REQUIRE(each, err, "model_each: each is NULL");
	return ims_model_each(each, user, err);
}

static int check_entry(const imgsearch_model_file *f, size_t i, imgsearch_error *err)
{
	imgsearch_model_file file;
	REQUIRE(f, err, "model_add: file %zu is NULL", i);
	int rc = COPY(file, f, err);
	if (rc)
		return rc;
	REQUIRE(f->name && *f->name, err, "model_add: file %zu has no name", i);
	size_t n = f->sha256 ? strlen(f->sha256) : 0;
	REQUIRE(n <= 64 && (!n || strspn(f->sha256, "0123456789abcdef") == n), err,
		"model_add: the sha256 of %s is not up to 64 hexadecimal digits in lower case", f->name);
	return 0;
}

static int check_texts(const imgsearch_model_add_options *o, imgsearch_error *err)
{
	const char *const text[][2] = { { o->network, "network" }, { o->publisher, "publisher" },
		{ o->licence, "licence" }, { o->terms, "terms" }, { o->good_at, "good_at" } };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof text / sizeof *text; i++)
		rc = ims_text_require(text[i][0], text[i][1], err);
	return rc;
}

static int check_options(const imgsearch_model_add_options *o, const imgsearch_recipe *recipe,
	imgsearch_error *err)
{
	int rc = check_texts(o, err);
	if (rc)
		return rc;
	REQUIRE(!o->n_files || o->files, err, "model_add: n_files without files");
	REQUIRE(!recipe->flip, err, "model_add: flip is no part of a model's recipe");
	for (size_t i = 0; !rc && i < o->n_files; i++)
		rc = check_entry(o->files[i], i, err);
	return rc;
}

/* What the call's log should say of a model that was added. */
static void tell(const char *name, const imgsearch_call *call)
{
	published p;
	job j = { .call = *call };
	if (ims_added_record(&p, name, NULL))
		return;
	if (ims_tower_lacks_vocabulary(&p))
		ims_job_log(&j, IMGSEARCH_LOG_WARNING,
			"%s: texts cannot be asked of it, since no vocabulary was added with the weights (such "
			"as tokenizer.json)",
			name);
	ims_published_clear(&p);
}

int imgsearch_model_add(const char *path, const char *name,
	const imgsearch_model_add_options *theirs, const imgsearch_call *their_call,
	imgsearch_error *err)
{
	imgsearch_model_add_options options;
	imgsearch_recipe recipe;
	imgsearch_call call;
	REQUIRE(path && *path, err, "model_add: path is NULL or empty");
	REQUIRE(name, err, "model_add: name is NULL");
	int rc = COPY(options, theirs, err);
	if (!rc)
		rc = COPY(recipe, options.recipe, err);
	if (!rc)
		rc = check_options(&options, &recipe, err);
	if (!rc)
		rc = COPY(call, their_call, err);
	if (rc)
		return rc;
	stop_token stop = ims_stop_token(NULL, &call);
	rc = ims_added_add(path, name, &options, &recipe, &stop, err);
	if (!rc)
		tell(name, &call);
	return rc;
}

int imgsearch_model_verify(const char *name, imgsearch_model_check_fn each, void *user,
	const imgsearch_call *their_call, imgsearch_error *err)
{
	imgsearch_call call;
	REQUIRE(name, err, "model_verify: name is NULL");
	int rc = COPY(call, their_call, err);
	if (rc)
		return rc;
	stop_token stop = ims_stop_token(NULL, &call);
	return ims_added_verify(name, each, user, &stop, err);
}

int imgsearch_model_remove(const char *name, imgsearch_error *err)
{
	REQUIRE(name, err, "model_remove: name is NULL");
	return ims_added_remove(name, err);
}
