/* Adds and removes models; see added.h for what lies where. */
#include "model/added.h"

#include "model/added_files.h"
#include "model/addition.h"
#include "model/catalog.h"
#include "model/model.h"
#include "model/reading.h"
#include "model/recipe.h"
#include "model/weights.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static int check_name(const char *name, imgsearch_error *err)
{
	if (!ims_published_is_name(name) || strlen(name) >= sizeof((published *)0)->name)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"\"%s\": a model's name has letters, digits and \"._-\", no dot or hyphen first, and "
			"at "
			"most 63 bytes",
			name);
	if (!strcmp(name, "default") || !strcmp(name, "script") || !strcmp(name, "added"))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"\"%s\" is no name for a model: it means another one", name);
	return 0;
}

/* ------------------------------------------------------------------------ what it is ---- */

static int find_published(addition *a, imgsearch_error *err)
{
	int rc = ims_published_read(&a->list, err);
	a->from = rc ? NULL : ims_published_find(&a->list, a->name);
	if (!rc && !a->from)
		rc = ims_published_of_file(&a->list, a->source.item[0], &a->from, err);
	return rc;
}

/* What the publisher states of files that the caller stated nothing of. */
static void state_files(addition *a)
{
	if (!a->from || a->o->n_files)
		return;
	for (size_t i = 0; i < a->model.n_files; i++)
		for (size_t k = 0; k < a->from->n_files; k++) {
			published_file *f = &a->model.files[i];
			if (i && strcmp(f->name, a->from->files[k].name))
				continue;
			char name[sizeof f->name];
			memcpy(name, f->name, sizeof name);
			*f = a->from->files[k];
			memcpy(f->name, name, sizeof name);
			break;
		}
}

/* The card of the source, where it has one of the wanted network. */
static int read_card(addition *a, const char *network, bool *has, imgsearch_error *err)
{
	imgsearch_error local;
	int rc = ims_card_read(&a->card, a->source.item[0], &local);
	if (rc && rc != IMGSEARCH_ENOTFOUND && err)
		*err = local;
	*has = !rc && (!network || !strcmp(network, a->card.network));
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

/* A TorchScript program, and a network of any size, say their dimension when they run. */
static int ask_dim(addition *a, imgsearch_error *err)
{
	model_identity id;
	model_spec spec = { .name = a->card.network, .weights = a->weights, .recipe = *a->recipe };
	int rc = ims_model_identify(&id, &spec, err);
	if (rc)
		return rc;
	a->card.dim = id.dim;
	ims_model_identity_free(&id);
	return 0;
}

/* A card for weights that have none; network: NULL: by the published model, or the tensors. */
static int make_card(addition *a, const char *network, imgsearch_error *err)
{
	reading r;
	a->card = (model_card){ 0 };
	if (network && !strcmp(network, "script")) {
		SET_TEXT(a->card.network, network, "");
		a->card.recipe = ims_network_recipe(NULL);
		return 0;
	}
	bool same = a->from && (!network || !strcmp(network, a->from->network));
	int rc = ims_reading_decide(&r, a->source.item[0], same ? a->from->name : network, a->recipe,
		err);
	if (rc)
		return rc;
	SET_TEXT(a->card.network, r.network->name, "");
	a->card.recipe = r.recipe;
	a->card.dim = r.dim;
	return 0;
}

static int choose_card(addition *a, imgsearch_error *err)
{
	const char *network = a->o->network ? a->o->network : a->from ? a->from->network : NULL;
	bool has = false;
	int rc = read_card(a, network, &has, err);
	if (!rc && !has)
		rc = make_card(a, network, err);
	if (!rc)
		rc = ims_recipe_ask(&a->card.recipe, a->recipe, err);
	if (!rc && !a->card.dim)
		rc = ask_dim(a, err);
	if (rc)
		return rc;
	if (a->recipe->pooling)
		a->card.pooling = a->recipe->pooling;
	const published *from = a->from;
	SET_TEXT(a->model.network, a->card.network, "");
	SET_TEXT(a->model.publisher, a->o->publisher, from ? from->publisher : "");
	SET_TEXT(a->model.licence, a->o->licence, from ? from->licence : a->card.licence);
	SET_TEXT(a->model.terms, a->o->terms, from ? from->terms : "");
	SET_TEXT(a->model.good_at, a->o->good_at, from ? from->good_at : "");
	SET_TEXT(a->card.name, a->name, "");
	if (from && !a->card.template[0])
		SET_TEXT(a->card.template, from->template, "");
	SET_TEXT(a->card.licence, a->model.licence, "");
	if (a->model.good_at[0])
		SET_TEXT(a->card.note, a->model.good_at, "");
	return 0;
}

/* --------------------------------------------------------------------------- the folder ---- */

/* Compares a file with what is stated of it, and completes its entry. */
static int record_file(published_file *f, const char *path, imgsearch_error *err)
{
	char hash[SHA256_TEXT], now[sizeof f->added];
	uint64_t bytes;
	time_t t = time(NULL);
	struct tm day;
	int rc = ims_sha256_file(hash, &bytes, path, err);
	if (rc)
		return rc;
	if (!ims_published_has_size(f, bytes))
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: it has %llu bytes, not %s%llu", path,
			(unsigned long long)bytes, f->slack ? "about " : "", (unsigned long long)f->bytes);
	if (strncmp(hash, f->sha256, strlen(f->sha256)))
		return ims_fail(err, IMGSEARCH_EFORMAT, "%s: its SHA-256 is %s, not %s (from: %s)", path,
			hash, f->sha256, f->sha256_from);
	f->checked[0] = 0;
	if (f->sha256[0])
		snprintf(f->checked, sizeof f->checked, "%zu digits, from: %s", strlen(f->sha256),
			f->sha256_from);
	strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &day));
	memcpy(f->added, now, sizeof now);
	memcpy(f->sha256, hash, sizeof hash);
	f->bytes = bytes;
	f->slack = 0;
	return 0;
}

static bool is_card(const addition *a, size_t i)
{
	char *card = i ? ims_card_path(a->source.item[0]) : NULL;
	bool is = card && !strcmp(card, a->source.item[i]);
	ims_free(card);
	return is;
}

static int place_file(addition *a, size_t i, imgsearch_error *err)
{
	published_file *f = &a->model.files[i];
	char *to = ims_path_join(a->new_folder, f->name);
	int rc = to ? ims_stop_check(a->stop, err) : ims_nomem(err);
	if (!rc)
		rc = record_file(f, a->source.item[i], err);
	if (!rc)
		rc = ims_file_place(a->source.item[i], to, a->o->link, err);
	if (i)
		ims_free(to);
	else
		a->weights = to;
	return rc;
}

/* The card of the source is no file of the model: it gets its own. */
static void drop_card(addition *a)
{
	for (size_t i = 1; i < a->model.n_files; i++)
		if (is_card(a, i)) {
			size_t after = a->model.n_files - i - 1;
			ims_free(a->source.item[i]);
			memmove(&a->source.item[i], &a->source.item[i + 1], after * sizeof(char *));
			memmove(&a->model.files[i], &a->model.files[i + 1], after * sizeof *a->model.files);
			a->source.n--;
			a->model.n_files--;
			return;
		}
}

static int write_text(const char *folder, const char *file, buf *text, imgsearch_error *err)
{
	char *path = ims_path_join(folder, file);
	file_piece piece = { text->data, text->len };
	int rc = path && !text->failed ? ims_replace_file(path, &piece, 1, err) : ims_nomem(err);
	ims_free(path);
	ims_buf_free(text);
	return rc;
}

static int write_card(addition *a, imgsearch_error *err)
{
	buf text = { 0 };
	char *path = ims_card_path(a->weights);
	int rc = path ? ims_card_text(&text, &a->card) : IMGSEARCH_ENOMEM;
	if (rc)
		ims_nomem(err);
	else
		rc = write_text(a->new_folder, ims_path_name(path), &text, err);
	ims_buf_free(&text);
	ims_free(path);
	return rc;
}

/* Lets a sentence about the new file name the one that it was made of. */
static void name_source(const addition *a, imgsearch_error *err)
{
	size_t n = strlen(a->weights);
	if (!err || strncmp(err->message, a->weights, n))
		return;
	char *rest = ims_strdup(err->message + n);
	if (rest)
		ims_print(err->message, sizeof err->message, "%s%s", a->source.item[0], rest);
	ims_free(rest);
}

/* Loads the network, which finds what does not fit. */
static int check_tensors(addition *a, imgsearch_error *err)
{
	model_identity id;
	model *m = NULL;
	model_spec spec = { .weights = a->weights, .precision = IMGSEARCH_PRECISION_F32 };
	int rc = ims_model_identify(&id, &spec, err);
	bool known = !rc;
	if (known)
		rc = ims_model_load(&m, &id, &spec, err);
	if (rc)
		name_source(a, err);
	ims_model_free(m);
	if (known)
		ims_model_identity_free(&id);
	return rc;
}

static int fill_folder(addition *a, imgsearch_error *err)
{
	buf text = { 0 };
	int rc = ims_folder_make(a->new_folder, err);
	for (size_t i = 0; !rc && i < a->model.n_files; i++)
		rc = place_file(a, i, err);
	if (!rc)
		rc = choose_card(a, err);
	if (!rc)
		rc = write_card(a, err);
	if (!rc)
		rc = check_tensors(a, err);
	if (!rc) {
		ims_published_text(&text, &a->model);
		rc = write_text(a->new_folder, ADDED_RECORD, &text, err);
	}
	return rc ? rc : ims_folder_sync(a->new_folder, err);
}

/* ---------------------------------------------------------------------------------- add ---- */

static int rename_folder(const char *from, const char *to, imgsearch_error *err)
{
	return rename(from, to) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", to) : 0;
}

/* Puts the new folder in its place, and deletes the one that was there. */
static int publish(addition *a, imgsearch_error *err)
{
	char *old = NULL;
	int rc = ims_models_path(&old, ".", a->name, ".old", err);
	if (!rc)
		rc = ims_folder_delete(old, err);
	if (!rc && access(a->folder, F_OK) == 0)
		rc = rename_folder(a->folder, old, err);
	if (!rc)
		rc = rename_folder(a->new_folder, a->folder, err);
	if (!rc && fsync(a->lock))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", a->folder);
	if (!rc)
		rc = ims_folder_delete(old, err);
	ims_free(old);
	return rc;
}

static int check_free(const addition *a, imgsearch_error *err)
{
	char *found = NULL;
	if (access(a->folder, F_OK) == 0)
		return a->o->replace
			? 0
			: ims_fail(err, IMGSEARCH_EEXIST, "%s: the model is there already", a->folder);
	int rc = ims_model_find_weights(&found, a->name, err);
	if (!rc)
		rc = ims_fail(err, IMGSEARCH_EEXIST, "%s: weights of that name, which would be found first",
			found);
	ims_free(found);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

/* A name that is a network's is for weights of it. */
static int check_network(const addition *a, imgsearch_error *err)
{
	const char *network = or_empty(a->o->network ? a->o->network
			: a->from                            ? a->from->network
												 : a->name);
	if (ims_model_find(a->name) && strcmp(a->name, network))
		return ims_fail(err, IMGSEARCH_EINVAL, "\"%s\" is the name of another network than %s",
			a->name, network);
	return 0;
}

static int add(addition *a, imgsearch_error *err)
{
	int rc = check_name(a->name, err);
	if (!rc)
		rc = ims_models_lock(&a->lock, err);
	if (!rc)
		rc = ims_models_path(&a->folder, "", a->name, "", err);
	if (!rc)
		rc = ims_models_path(&a->new_folder, ".", a->name, ".new", err);
	if (!rc)
		rc = check_free(a, err);
	if (!rc)
		rc = ims_addition_list(a, err);
	if (!rc) {
		drop_card(a);
		rc = ims_addition_check(a, err);
	}
	if (!rc)
		rc = find_published(a, err);
	if (!rc)
		rc = check_network(a, err);
	if (!rc) {
		state_files(a);
		rc = fill_folder(a, err);
	}
	return rc ? rc : publish(a, err);
}

int ims_added_add(const char *path, const char *name, const imgsearch_model_add_options *o,
	const imgsearch_recipe *recipe, const stop_token *stop, imgsearch_error *err)
{
	addition a = { .path = path, .name = name, .o = o, .recipe = recipe, .stop = stop, .lock = -1 };
	imgsearch_error why; /* a step may fail without the whole */
	SET_TEXT(a.model.name, name, "");
	int rc = add(&a, &why);
	if (rc && err)
		*err = why;
	if (rc && a.new_folder && a.lock >= 0)
		ims_folder_delete(a.new_folder, NULL);
	if (a.lock >= 0)
		close(a.lock);
	ims_published_free(&a.list);
	ims_published_clear(&a.model);
	ims_texts_free(&a.source);
	ims_free(a.folder);
	ims_free(a.new_folder);
	ims_free(a.weights);
	return rc;
}

/* --------------------------------------------------------------------------------- removal ---- */

int ims_added_remove(const char *name, imgsearch_error *err)
{
	char *folder = NULL, *old = NULL;
	int lock = -1, rc = check_name(name, err);
	if (!rc)
		rc = ims_models_lock(&lock, err);
	if (!rc)
		rc = ims_models_path(&folder, "", name, "", err);
	if (!rc)
		rc = ims_models_path(&old, ".", name, ".old", err);
	if (!rc && access(folder, F_OK))
		rc = ims_added_none(name, err);
	if (!rc)
		rc = ims_folder_delete(old, err);
	if (!rc)
		rc = rename_folder(folder, old, err);
	if (!rc)
		rc = ims_folder_delete(old, err);
	if (lock >= 0)
		close(lock);
	ims_free(folder);
	ims_free(old);
	return rc;
}
