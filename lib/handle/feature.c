/* Features of inputs: in batches for many inputs, one by one for a query. */
#include "handle/feature.h"

#include "handle/input.h"
#include "handle/model_choice.h"
#include "handle/picture.h"
#include "handle/second.h"
#include "handle/space.h"
#include "handle/view.h"
#include "handle/words.h"

#include <math.h>
#include <string.h>

void ims_feature_tell_profiles(job *j, uint64_t n, const char *path)
{
	if (n)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"pictures taken as they are, since their colour profile is damaged or for other "
			"pixels: %llu%s%s",
			(unsigned long long)n, path ? ", first " : "", path ? path : "");
}

/*
 * Decodes an input and fits it into slot, the network's inputs (inputs, crop, crop, 3). Counts it
 * where its profile cannot be used.
 */
static int fit(imgsearch *s, const imgsearch_input *in, const void *data, size_t size,
	const image_recipe *r, float *slot, _Atomic uint32_t *bad_profiles, imgsearch_error *err)
{
	image im;
	image_limits limits = ims_handle_limits(s, r);
	int rc = ims_input_decode(in, data, size, &limits, &im, NULL, err);
	if (!rc)
		rc = ims_image_fit(&im, r, false, slot, err);
	*bad_profiles += !rc && ims_image_has_bad_profile(&im);
	ims_image_free(&im);
	if (rc && in->kind == IMGSEARCH_INPUT_KIND_FILE)
		ims_error_prefix(err, "%s", in->path);
	return rc;
}

/* ----------------------------------------------------------------------------- many inputs ---- */

typedef struct input_batch {
	imgsearch *s;
	model *network;
	const model_identity *id;
	const imgsearch_input *in;
	imgsearch_error *errors;
	float *slots; /* (batch, inputs, crop, crop, 3) */
	_Atomic uint32_t bad_profiles;
} input_batch;

static void fit_one(void *arg, size_t i, unsigned worker)
{
	(void)worker;
	input_batch *b = arg;
	const imgsearch_input *in = &b->in[i];
	imgsearch_error *err = &b->errors[i];
	buf held = { 0 };
	const void *data;
	size_t size;
	int rc = ims_input_check(in, err);
	if (!rc && in->kind > IMGSEARCH_INPUT_KIND_PIXELS)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "only pictures and texts have features to extract");
	if (!rc)
		rc = ims_input_bytes(in, &held, &data, &size, err);
	if (!rc)
		rc = fit(b->s, in, data, size, &b->id->recipe,
			b->slots + i * ims_recipe_values(&b->id->recipe), &b->bad_profiles, err);
	err->code = rc;
	ims_buf_free(&held);
}

/*
 * Decodes a batch on all threads, packs the inputs that succeeded, runs the network, and moves the
 * rows back to their inputs. The row of an input that failed is NaN.
 */
static int run_batch(input_batch *b, size_t n, float *out, imgsearch_error *err)
{
	size_t dim = b->id->dim, slot = ims_recipe_values(&b->id->recipe), good = 0;
	ims_parallel(b->s->pool, n, fit_one, b);
	for (size_t i = 0; i < n; i++) {
		if (b->errors[i].code)
			continue;
		if (good != i)
			memcpy(b->slots + good * slot, b->slots + i * slot, slot * sizeof(float));
		good++;
	}
	int rc = good ? ims_model_run(b->network, b->slots, good, out, err) : 0;
	for (size_t i = n; !rc && i-- > 0;) {
		float *row = out + i * dim;
		if (!b->errors[i].code)
			memmove(row, out + --good * dim, dim * sizeof(float));
		if (!b->errors[i].code && !ims_is_feature(row, dim))
			ims_fail(&b->errors[i], IMGSEARCH_EMODEL,
				"the network gives no feature for this picture: not finite, or all zeros");
		for (size_t j = 0; b->errors[i].code && j < dim; j++)
			row[j] = NAN;
	}
	return rc;
}

int ims_features(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in,
	size_t n, float *out, imgsearch_error *errors, imgsearch_error *err)
{
	size_t slot = ims_recipe_values(&id->recipe), most = 0;
	double each = 0;
	input_batch b = { .s = s, .id = id };
	ims_store_snapshot_pause(s->store);
	int rc = ims_handle_network(s, id, &b.network, err);
	if (!rc) {
		most = ims_model_batch(b.network) < n ? ims_model_batch(b.network) : n;
		b.slots = ims_alloc_aligned(most, slot * sizeof(float));
		rc = b.slots ? 0 : ims_nomem(err);
	}
	for (size_t at = 0, now; !rc && at < n; at += now) {
		double start = ims_now();
		size_t size = ims_job_batch(j, most, each);
		now = n - at < size ? n - at : size;
		b.in = in + at;
		b.errors = errors + at;
		rc = run_batch(&b, now, out + at * id->dim, err);
		each = (ims_now() - start) / (double)now;
		if (!rc && n > now)
			rc = ims_job_step(j, "extract", at + now, n, err);
	}
	ims_feature_tell_profiles(j, b.bad_profiles, NULL);
	ims_free(b.slots);
	ims_model_free(b.network);
	return rc;
}

/* ---------------------------------------------------------------------- pictures and texts ---- */

static bool is_text(const imgsearch_input *in)
{
	return in->kind == IMGSEARCH_INPUT_KIND_TEXT;
}

/* The features of those of n inputs that are texts; errors[i]: why one has none. */
static int add_texts(imgsearch *s, job *j, const model_identity *id, const char *text_template,
	const imgsearch_input *in, size_t n, float *out, imgsearch_error *errors, imgsearch_error *err)
{
	size_t *at = ims_alloc(n, sizeof *at), good = 0;
	const char **text = ims_alloc(n, sizeof *text);
	float *rows = ims_alloc_aligned(n, id->dim * sizeof *rows);
	int rc = at && text && rows ? 0 : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (!is_text(&in[i]))
			continue;
		errors[i].code = ims_input_check(&in[i], &errors[i]);
		for (size_t d = 0; d < id->dim; d++)
			out[i * id->dim + d] = NAN;
		if (errors[i].code)
			continue;
		at[good] = i;
		text[good++] = in[i].text;
	}
	if (!rc)
		rc = ims_words_features(s, j, id, text_template, text, good, rows, err);
	for (size_t i = 0; !rc && i < good; i++)
		memcpy(out + at[i] * id->dim, rows + i * id->dim, id->dim * sizeof *rows);
	ims_free(at);
	ims_free(text);
	ims_free(rows);
	return rc;
}

/* The same of those that are no texts, out of n. */
static int add_pictures(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in,
	size_t n, float *out, imgsearch_error *errors, imgsearch_error *err)
{
	imgsearch_input *pictures = ims_alloc(n, sizeof *pictures);
	imgsearch_error *why = ims_zalloc(n, sizeof *why);
	float *rows = ims_alloc_aligned(n, id->dim * sizeof *rows);
	size_t k = 0;
	for (size_t i = 0; pictures && i < n; i++)
		if (!is_text(&in[i]))
			pictures[k++] = in[i];
	int rc = !pictures || !why || !rows ? ims_nomem(err)
		: k                             ? ims_features(s, j, id, pictures, k, rows, why, err)
										: 0;
	k = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		if (is_text(&in[i]))
			continue;
		memcpy(out + i * id->dim, rows + k * id->dim, id->dim * sizeof *rows);
		errors[i] = why[k++];
	}
	ims_free(pictures);
	ims_free(why);
	ims_free(rows);
	return rc;
}

static int extract(imgsearch *s, job *j, const model_identity *id, const char *text_template,
	const imgsearch_input *in, size_t n, float *out, imgsearch_error *errors, imgsearch_error *err)
{
	size_t texts = 0;
	for (size_t i = 0; i < n; i++)
		texts += is_text(&in[i]);
	if (!texts)
		return ims_features(s, j, id, in, n, out, errors, err);
	int rc = add_texts(s, j, id, text_template, in, n, out, errors, err);
	return rc ? rc : add_pictures(s, j, id, in, n, out, errors, err);
}

int ims_extract(imgsearch *s, job *j, const imgsearch_input *in, size_t n,
	const imgsearch_extract_options *o, float *out, size_t capacity, imgsearch_error *errors,
	imgsearch_error *err)
{
	identity id;
	model *network;
	int rc = ims_identity_decide(s, IDENTITY_EXTRACT, &id, err);
	imgsearch_error *unused = !rc && !errors ? ims_zalloc(n, sizeof *unused) : NULL;
	if (!rc && !errors && !unused)
		rc = ims_nomem(err);
	if (!rc && n > capacity / id.model.dim)
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"extract: capacity: %zu rows of %u values do not fit into %zu", n, id.model.dim,
			capacity);
	if (!rc && !n && !(rc = ims_handle_network(s, &id.model, &network, err)))
		ims_model_free(network);
	if (!rc && n)
		rc = extract(s, j, &id.model, o->text_template, in, n, out, errors ? errors : unused, err);
	if (!rc && !o->raw)
		ims_space_normalise(out, n, id.model.dim);
	ims_free(unused);
	ims_identity_free(&id);
	return rc;
}

/* ------------------------------------------------------------------------- one for a query ---- */

/* The item is not in the index, or is a picture that no answer has: why. */
static int no_vector(imgsearch *s, int64_t id, imgsearch_error *err)
{
	store_model m = { 0 };
	store_picture p = { 0 };
	const char *label = ims_store_label(s->store);
	int rc = ims_store_get(s->store, &id, 1, &p, err);
	uint32_t state = rc || !p.path ? 0 : p.state;
	ims_store_pictures_clear(&p, 1);
	if (!rc && state == IMGSEARCH_STATE_INDEXED)
		rc = ims_store_model_get(s->store, &m, false, err);
	if (rc)
		return rc;
	if (state == IMGSEARCH_STATE_INDEXED)
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND,
			"item %lld of index %s has no vector of the model %s", (long long)id, label, m.name);
	else if (state == IMGSEARCH_STATE_DELETED)
		rc = ims_fail(err, IMGSEARCH_ENOTFOUND, "item %lld of index %s is kept out on purpose",
			(long long)id, label);
	else
		rc = ims_store_no_item(s->store, id, err);
	ims_store_model_clear(&m);
	return rc;
}

static int stored_vector(imgsearch *s, int64_t id, uint32_t dim, float *out, imgsearch_error *err)
{
	uint8_t found = 0;
	int rc = ims_store_vectors_fetch(s->store, &id, 1, dim, out, &found, err);
	return rc || found ? rc : no_vector(s, id, err);
}

/* Reads a stored vector; that of a duplicate is the vector of its original. */
static int stored_picture(imgsearch *s, int64_t id, uint32_t dim, float *out, int64_t *self,
	imgsearch_error *err)
{
	store_picture p;
	*self = id;
	if (!ims_store_get(s->store, &id, 1, &p, NULL) && p.same_as)
		*self = p.same_as;
	ims_store_picture_clear(&p);
	return stored_vector(s, *self, dim, out, err);
}

/* EMODEL where the options name another model than the index's. */
static int check_model(imgsearch *s, imgsearch_error *err)
{
	identity id;
	int rc = ims_identity_decide(s, IDENTITY_QUERY, &id, err);
	ims_identity_free(&id);
	return rc;
}

/* The picture fills one input, whatever is cut off by the recipe. */
static image_recipe squashed(image_recipe r)
{
	r.squash = 1;
	r.resize = r.crop;
	r.crops = 0;
	return r;
}

/* One input in the place of all that the recipe wants. */
static void repeat(float *slot, const image_recipe *recipe)
{
	size_t n = ims_recipe_inputs(recipe), one = ims_recipe_values(recipe) / n;
	for (size_t i = 1; i < n; i++)
		memcpy(slot + i * one, slot, one * sizeof *slot);
}

int ims_feature_identity(imgsearch *s, uint32_t dim, identity *id, imgsearch_error *err)
{
	int rc = ims_identity_decide(s, IDENTITY_QUERY, id, err);
	return rc || id->model.dim == dim ? rc : ims_view_exchanged(s, err);
}

/* all: as ims_feature_of_all. */
static int network_feature(imgsearch *s, job *j, const imgsearch_input *in, const void *data,
	size_t size, bool all, uint32_t dim, float *out, imgsearch_error *err)
{
	identity id;
	model *network = NULL;
	_Atomic uint32_t bad_profiles = 0;
	int rc = ims_feature_identity(s, dim, &id, err);
	const image_recipe *recipe = &id.model.recipe, wanted = all ? squashed(*recipe) : *recipe;
	float *slot = rc ? NULL : ims_alloc_aligned(ims_recipe_values(recipe), sizeof(float));
	if (!rc && !slot)
		rc = ims_nomem(err);
	ims_store_snapshot_pause(s->store);
	if (!rc)
		rc = ims_handle_decoder_acquire(s, j, err);
	if (!rc) {
		rc = fit(s, in, data, size, &wanted, slot, &bad_profiles, err);
		ims_handle_decoder_release(s);
	}
	if (!rc && all)
		repeat(slot, recipe);
	ims_feature_tell_profiles(j, bad_profiles,
		in->kind == IMGSEARCH_INPUT_KIND_FILE ? in->path : NULL);
	if (!rc)
		rc = ims_job_check(j, err);
	if (!rc)
		rc = ims_handle_network(s, &id.model, &network, err);
	if (!rc)
		rc = ims_job_check(j, err);
	if (!rc)
		rc = ims_model_run(network, slot, 1, out, err);
	if (!rc && !ims_is_feature(out, id.model.dim))
		rc = ims_fail(err, IMGSEARCH_EMODEL,
			"the network gives no feature for this picture: not finite, or all zeros");
	ims_free(slot);
	ims_model_free(network);
	ims_identity_free(&id);
	return rc;
}

static int text_feature(imgsearch *s, job *j, const imgsearch_input *in, const char *text_template,
	uint32_t dim, float *out, imgsearch_error *err)
{
	identity id;
	int rc = ims_feature_identity(s, dim, &id, err);
	if (!rc)
		rc = ims_words_features(s, j, &id.model, text_template, &in->text, 1, out, err);
	ims_identity_free(&id);
	return rc;
}

/*
 * Whether the index has these bytes; then out receives their stored vector. An error counts as no:
 * the network then makes the feature.
 */
static bool find_stored(imgsearch *s, const void *data, size_t size, uint32_t dim, float *out,
	int64_t *self)
{
	bool maybe = false;
	store_picture p;
	imgsearch_error none;
	if (ims_store_has_size(s->store, size, &maybe, &none) || !maybe)
		return false;
	hash256 h = ims_hash(data, size);
	bool known = !ims_store_by_hash(s->store, &h, 1, &p, &none)
		&& p.state == IMGSEARCH_STATE_INDEXED;
	*self = known ? p.id : NO_PICTURE;
	ims_store_picture_clear(&p);
	return known && stored_vector(s, *self, dim, out, &none) == 0;
}

/* The bytes of an item of which a part is asked for. */
static int item_bytes(imgsearch *s, int64_t id, buf *held, const void **data, size_t *size,
	imgsearch_error *err)
{
	char *path;
	int rc = ims_picture_bytes(s, id, held, &path, err);
	*data = held->data;
	*size = held->len;
	ims_free(path);
	return rc;
}

int ims_feature(imgsearch *s, job *j, const imgsearch_input *in, const char *text_template,
	uint32_t dim, float *out, int64_t *self, imgsearch_error *err)
{
	buf held = { 0 };
	const void *data;
	size_t size;
	*self = NO_PICTURE;
	int rc = ims_input_check(in, err);
	if (rc)
		return rc;
	if (is_text(in))
		return text_feature(s, j, in, text_template, dim, out, err);
	bool item = in->kind == IMGSEARCH_INPUT_KIND_ITEM;
	if (item && !ims_input_is_crop(in)) {
		rc = ims_second_check_name(s, err);
		return rc ? rc : stored_picture(s, in->id, dim, out, self, err);
	}
	if (in->kind == IMGSEARCH_INPUT_KIND_VECTOR) {
		if (!in->data || in->size != dim)
			return ims_view_refuse_dim(s, in->size, dim, err);
		memcpy(out, in->data, dim * sizeof(float));
		return ims_all_finite(out, dim)
			? 0
			: ims_fail(err, IMGSEARCH_EINVAL, "vector with a value that is not finite");
	}
	ims_store_snapshot_pause(s->store);
	rc = item ? item_bytes(s, in->id, &held, &data, &size, err)
			  : ims_input_bytes(in, &held, &data, &size, err);
	if (!rc && ims_identity_requested(s))
		rc = check_model(s, err);
	if (!rc
		&& (in->kind == IMGSEARCH_INPUT_KIND_PIXELS || ims_input_is_crop(in)
			|| !find_stored(s, data, size, dim, out, self))) {
		*self = NO_PICTURE;
		rc = network_feature(s, j, in, data, size, false, dim, out, err);
	}
	ims_buf_free(&held);
	return rc;
}

int ims_feature_of_all(imgsearch *s, job *j, const imgsearch_input *in, uint32_t dim, float *out,
	imgsearch_error *err)
{
	buf held = { 0 };
	const void *data;
	size_t size;
	ims_store_snapshot_pause(s->store);
	int rc = in->kind == IMGSEARCH_INPUT_KIND_ITEM ? item_bytes(s, in->id, &held, &data, &size, err)
												   : ims_input_bytes(in, &held, &data, &size, err);
	if (!rc)
		rc = network_feature(s, j, in, data, size, true, dim, out, err);
	ims_buf_free(&held);
	return rc;
}

/* ------------------------------------------------------------------------ many for queries ---- */

/* Inputs of one batch, and the bytes that were read for them. */
typedef struct query_batch {
	imgsearch *s;
	job *job;
	const imgsearch_input *in;
	const char *text_template;
	uint32_t dim;
	float *out;
	int64_t *self;
	imgsearch_error *errors;
	buf *held;     /* of each input */
	uint8_t *open; /* of each: what must make its feature */
} query_batch;

enum { OPEN_PICTURE = 1, OPEN_TEXT };

/* Everything but the network, for input i. */
static void prepare_query(void *arg, size_t i, unsigned worker)
{
	query_batch *b = arg;
	const imgsearch_input *in = &b->in[i];
	imgsearch_error *err = &b->errors[i];
	float *out = b->out + i * b->dim;
	const void *data;
	size_t size;
	(void)worker;
	bool picture = in->kind <= IMGSEARCH_INPUT_KIND_PIXELS;
	b->self[i] = NO_PICTURE;
	int rc = ims_job_check(b->job, err);
	if (!rc && !picture && !is_text(in))
		rc = ims_feature(b->s, b->job, in, NULL, b->dim, out, &b->self[i], err);
	if (!rc && (picture || is_text(in)))
		rc = ims_input_check(in, err);
	if (!rc && is_text(in))
		b->open[i] = OPEN_TEXT;
	if (!rc && picture)
		rc = ims_input_bytes(in, &b->held[i], &data, &size, err);
	if (!rc && picture)
		b->open[i] = in->kind == IMGSEARCH_INPUT_KIND_PIXELS || ims_input_is_crop(in)
				|| !find_stored(b->s, data, size, b->dim, out, &b->self[i])
			? OPEN_PICTURE
			: 0;
	err->code = rc;
}

/*
 * The feature of every open text, by the text tower of the index. Where there is none, that is
 * an error of the texts alone.
 */
static int run_texts(query_batch *b, size_t n, imgsearch_error *err)
{
	identity id = { 0 };
	imgsearch_error why = { 0 };
	imgsearch_input *in = ims_alloc(n, sizeof *in);
	int rc = in ? ims_feature_identity(b->s, b->dim, &id, &why) : ims_nomem(&why);
	for (size_t i = 0; !rc && i < n; i++)
		in[i] = b->open[i] == OPEN_TEXT ? b->in[i] : (imgsearch_input){ 0 };
	if (!rc)
		rc = add_texts(b->s, b->job, &id.model, b->text_template, in, n, b->out, b->errors, &why);
	bool alone = rc == IMGSEARCH_EUNSUPPORTED;
	for (size_t i = 0; alone && i < n; i++)
		if (b->open[i] == OPEN_TEXT)
			b->errors[i] = why;
	if (rc && !alone && err)
		*err = why;
	ims_identity_free(&id);
	ims_free(in);
	return alone ? 0 : rc;
}

/* The feature of every open picture, by the network of the index. */
static int run_open(query_batch *b, size_t n, imgsearch_error *err)
{
	identity id = { 0 };
	size_t open = 0;
	imgsearch_input *in = ims_alloc(n, sizeof *in);
	imgsearch_error *errors = ims_zalloc(n, sizeof *errors);
	float *rows = ims_alloc_aligned(n, b->dim * sizeof *rows);
	int rc = in && errors && rows ? ims_feature_identity(b->s, b->dim, &id, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (b->open[i] != OPEN_PICTURE)
			continue;
		in[open] = b->in[i];
		if (in[open].kind == IMGSEARCH_INPUT_KIND_FILE) { /* its bytes are here already */
			in[open].kind = IMGSEARCH_INPUT_KIND_BYTES;
			in[open].data = b->held[i].data;
			in[open].size = b->held[i].len;
		}
		open++;
	}
	if (!rc)
		rc = ims_features(b->s, b->job, &id.model, in, open, rows, errors, err);
	for (size_t i = 0, k = 0; !rc && i < n; i++) {
		if (b->open[i] != OPEN_PICTURE)
			continue;
		memcpy(b->out + i * b->dim, rows + k * b->dim, b->dim * sizeof *rows);
		b->self[i] = NO_PICTURE;
		b->errors[i] = errors[k++];
		if (b->errors[i].code && b->in[i].kind == IMGSEARCH_INPUT_KIND_FILE)
			ims_error_prefix(&b->errors[i], "%s", b->in[i].path);
	}
	ims_identity_free(&id);
	ims_free(in);
	ims_free(errors);
	ims_free(rows);
	return rc;
}

int ims_feature_batch(imgsearch *s, job *j, const imgsearch_input *in, size_t n,
	const char *text_template, uint32_t dim, float *out, int64_t *self, imgsearch_error *errors,
	imgsearch_error *err)
{
	query_batch b = {
		.s = s,
		.job = j,
		.in = in,
		.text_template = text_template,
		.dim = dim,
		.out = out,
		.self = self,
		.errors = errors,
		.held = ims_zalloc(n, sizeof *b.held),
		.open = ims_zalloc(n, 1),
	};
	int rc = b.held && b.open ? 0 : ims_nomem(err);
	ims_store_snapshot_pause(s->store);
	if (!rc && ims_identity_requested(s))
		rc = check_model(s, err);
	if (!rc)
		ims_parallel(s->pool, n, prepare_query, &b);
	if (!rc)
		rc = ims_job_check(j, err);
	if (!rc && memchr(b.open, OPEN_TEXT, n))
		rc = run_texts(&b, n, err);
	if (!rc && memchr(b.open, OPEN_PICTURE, n))
		rc = run_open(&b, n, err);
	for (size_t i = 0; b.held && i < n; i++)
		ims_buf_free(&b.held[i]);
	ims_free(b.held);
	ims_free(b.open);
	return rc;
}
