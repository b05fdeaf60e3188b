/* Chooses between the two models of an index, exchanges them and drops one. */
#include "handle/second.h"

#include "handle/model_choice.h"
#include "handle/view.h"

#include <errno.h>
#include <string.h>

/* The names of the models of an index; NULL: there is none. */
typedef struct model_names {
	store_model current, next;
	bool second; /* next stays beside current; otherwise a re-index by it is under way */
} model_names;

static void free_names(model_names *n)
{
	ims_store_model_clear(&n->current);
	ims_store_model_clear(&n->next);
}

static int read_names(imgsearch *s, model_names *out, imgsearch_error *err)
{
	*out = (model_names){ 0 };
	int rc = ims_store_model_get(s->store, &out->current, false, err);
	if (!rc || rc == IMGSEARCH_ENOTFOUND)
		rc = ims_store_model_get(s->store, &out->next, true, err);
	if (!rc || rc == IMGSEARCH_ENOTFOUND)
		rc = ims_store_has_second(s->store, &out->second, err);
	if (rc)
		free_names(out);
	return rc;
}

/* The same from one state of the file. */
static int look(imgsearch *s, model_names *out, imgsearch_error *err)
{
	store_snapshot snapshot;
	ims_store_snapshot_begin(s->store, &snapshot);
	int rc = read_names(s, out, err);
	ims_store_snapshot_end(&snapshot);
	return rc;
}

static bool is(const store_model *m, const char *name)
{
	return m->name && !strcmp(m->name, name);
}

/* Says that the index has no model of that name, but others. detail ESRCH. */
static int not_found_as(int status, imgsearch *s, const model_names *n, const char *name,
	imgsearch_error *err)
{
	const char *label = ims_store_label(s->store);
	if (n->current.name)
		ims_fail(err, status, "index %s has no vectors of the model %s, but of %s%s%s", label, name,
			n->current.name, n->second ? " and " : "", n->second ? n->next.name : "");
	else
		ims_fail(err, status, "index %s has no model %s: its vectors are the caller's own", label,
			name);
	if (err)
		err->detail = ESRCH;
	return status;
}

static int not_found(imgsearch *s, const model_names *n, const char *name, imgsearch_error *err)
{
	return not_found_as(IMGSEARCH_ENOTFOUND, s, n, name, err);
}

int ims_second_refuse_name(imgsearch *s, imgsearch_error *err)
{
	model_names n;
	int rc = look(s, &n, err);
	if (rc)
		return rc;
	rc = not_found_as(IMGSEARCH_EMODEL, s, &n, s->options.model, err);
	free_names(&n);
	return rc;
}

int ims_second_check_name(imgsearch *s, imgsearch_error *err)
{
	const imgsearch_options *o = &s->options;
	model_names n;
	if (!o->model || o->weights || strchr(o->model, '/'))
		return 0;
	int rc = read_names(s, &n, err);
	if (rc)
		return rc;
	if (n.current.name && !is(&n.current, o->model) && !(n.second && is(&n.next, o->model)))
		rc = not_found_as(IMGSEARCH_EMODEL, s, &n, o->model, err);
	free_names(&n);
	return rc;
}

int ims_second_tell_words(imgsearch *s, const char *name, int rc, imgsearch_error *err)
{
	model_names n;
	imgsearch *index = s->first ? s->first : s;
	if (rc != IMGSEARCH_EUNSUPPORTED || look(index, &n, NULL))
		return rc;
	const store_model *other = is(&n.current, name) ? &n.next : &n.current;
	if (err && n.second && !is(other, name) && ims_identity_has_words(other)) {
		ims_fail(err, rc,
			"the model %s cannot compare texts with pictures, but %s can, of which index %s has "
			"vectors, too",
			name, other->name, ims_store_label(index->store));
		err->detail = ETOOMANYREFS;
	}
	free_names(&n);
	return rc;
}

static int open_once(imgsearch *s, imgsearch **out, imgsearch_error *err)
{
	pthread_mutex_lock(&s->second_lock);
	int rc = s->second ? 0 : ims_handle_open_second(&s->second, s, err);
	*out = s->second;
	pthread_mutex_unlock(&s->second_lock);
	return rc;
}

int ims_second_get(imgsearch *s, imgsearch **out, imgsearch_error *err)
{
	bool has;
	*out = NULL;
	int rc = ims_store_has_second(s->store, &has, err);
	return rc || !has ? rc : open_once(s, out, err);
}

int ims_second_is_named(imgsearch *s, bool *named, imgsearch_error *err)
{
	model_names n;
	*named = false;
	if (!s->options.model || s->options.weights)
		return 0;
	int rc = look(s, &n, err);
	if (rc)
		return rc;
	*named = n.second && is(&n.next, s->options.model) && !is(&n.current, s->options.model);
	free_names(&n);
	return 0;
}

int ims_second_choose(imgsearch *s, const char *model, imgsearch **out, imgsearch_error *err)
{
	model_names n;
	bool named;
	*out = s;
	if (!model) {
		int rc = ims_second_is_named(s, &named, err);
		return rc || !named ? rc : open_once(s, out, err);
	}
	int rc = look(s, &n, err);
	if (rc)
		return rc;
	if (!is(&n.current, model))
		rc = n.second && is(&n.next, model) ? open_once(s, out, err) : not_found(s, &n, model, err);
	free_names(&n);
	return rc;
}

bool ims_second_is_exchanged(int rc, const imgsearch_error *err)
{
	return rc == IMGSEARCH_EBUSY && err->detail == ESTALE;
}

/* -------------------------------------------------------------------------------- changes ---- */

/* A run that adds a model may have been killed before it made anything. */
static int refuse_empty(imgsearch *s, const char *name, imgsearch_error *err)
{
	store_counts counts;
	int rc = ims_store_counts(s->store, &counts, err);
	return rc || counts.vectors_next || !counts.vectors
		? rc
		: ims_fail(err, IMGSEARCH_EINVAL,
			"index %s has no vectors of %s yet: an index run makes them", ims_store_label(s->store),
			name);
}

/* Pictures without a vector of the current model are in no answer until a run makes it. */
static void tell_lacking(imgsearch *s, const char *name, job *j)
{
	int64_t *ids;
	size_t n;
	if (ims_store_ids(s->store, STORE_LACKING, &ids, &n, NULL))
		return;
	if (n)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"pictures that have no vector of %s yet, which the next index run makes: %zu", name, n);
	ims_free(ids);
}

static int exchange(imgsearch *s, const char *name, imgsearch_error *err)
{
	model_names n;
	int rc = read_names(s, &n, err);
	if (rc || is(&n.current, name)) {
		free_names(&n);
		return rc;
	}
	if (!n.second || !is(&n.next, name))
		rc = not_found(s, &n, name, err);
	else
		rc = refuse_empty(s, name, err);
	if (!rc)
		rc = ims_store_model_exchange(s->store, err);
	free_names(&n);
	return rc;
}

static int drop(imgsearch *s, const char *name, imgsearch_error *err)
{
	model_names n;
	int rc = read_names(s, &n, err);
	if (rc)
		return rc;
	if (is(&n.next, name))
		rc = ims_store_model_drop_next(s->store, err);
	else if (is(&n.current, name))
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			n.second ? "index %s: %s is its current model, and %s the one beside it"
					 : "index %s: %s is its only model",
			ims_store_label(s->store), name, n.next.name);
	else
		rc = not_found(s, &n, name, err);
	free_names(&n);
	return rc;
}

/*
 * Free pages go back to the file system. What a cancel, or a full disk, leaves, later runs do: the
 * change itself is committed.
 */
static void give_back(imgsearch *s, job *j)
{
	imgsearch_error why = { 0 };
	int rc = 0;
	for (uint64_t before = UINT64_MAX, now; !rc && !ims_job_stopped(j); before = now) {
		rc = ims_store_compact(s->store, &why);
		now = ims_store_bytes(s->store);
		if (now >= before)
			break;
	}
	if (rc)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"done, but free space was not given back, which a later run does: %s", why.message);
}

static int change(imgsearch *s, const char *name, job *j,
	int (*what)(imgsearch *s, const char *name, imgsearch_error *err), imgsearch_error *err)
{
	int rc = ims_handle_write_begin(s, j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc)
		rc = ims_handle_tx_end(s, what(s, name, err), err);
	if (!rc)
		give_back(s, j);
	ims_handle_write_end(s);
	return rc;
}

int ims_second_switch(imgsearch *s, const char *name, job *j, imgsearch_error *err)
{
	int rc = change(s, name, j, exchange, err);
	if (!rc)
		tell_lacking(s, name, j);
	return rc;
}

int ims_second_drop(imgsearch *s, const char *name, job *j, imgsearch_error *err)
{
	return change(s, name, j, drop, err);
}
