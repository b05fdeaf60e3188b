/*
 * From an input to its feature: the stored vector where the picture's bytes are known, else decode, fit and the
 * network. Who may make a feature is decided here: vectors of different identities are never mixed.
 */
#include "handle/handle.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


/* Network and recipe as the one text that is kept, and back. */
static char *recipe_text(const model_identity *id)
{
	const image_recipe *r = &id->recipe;
	return ims_format("network=%s resize=%u crop=%u mean=%.9g,%.9g,%.9g std=%.9g,%.9g,%.9g bicubic=%u%s", id->network,
		r->resize, r->crop, (double)r->mean[0], (double)r->mean[1], (double)r->mean[2],
		(double)r->std[0], (double)r->std[1], (double)r->std[2], r->bicubic, id->flip ? " flip=1" : "");
}

static bool recipe_parse(model_identity *id, const char *text)
{
	image_recipe *r = &id->recipe;
	return text && sscanf(text, "network=%31s resize=%u crop=%u mean=%f,%f,%f std=%f,%f,%f bicubic=%u flip=%u", id->network, &r->resize,
		&r->crop, &r->mean[0], &r->mean[1], &r->mean[2], &r->std[0], &r->std[1], &r->std[2], &r->bicubic, &id->flip) >= 10;
}

static bool recipe_asked(const imgsearch_recipe *r)
{
	return r->resize || r->crop || r->interpolation || r->std[0] != 0 || r->std[1] != 0 || r->std[2] != 0;
}

bool ims_engine_model_asked(const imgsearch *s)
{
	const imgsearch_options *o = &s->options;
	return o->model || o->weights || o->precision || o->flip || recipe_asked(&o->recipe);
}

int ims_engine_identity_stored(imgsearch *s, bool next, model_identity *out, imgsearch_error *err)
{
	store_model m = { 0 };
	*out = (model_identity){ 0 };
	int rc = ims_store_model_get(s->store, &m, next, err);
	if (rc)
		return rc;
	snprintf(out->name, sizeof out->name, "%s", m.name);
	snprintf(out->weights_hash, sizeof out->weights_hash, "%s", m.weights_hash);
	out->weights = m.weights;
	m.weights = NULL;
	out->dim = m.dim;
	out->precision = m.precision;
	if (!recipe_parse(out, m.recipe))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "%s: the stored recipe of %s is damaged", ims_store_path(s->store), m.name);
	ims_store_model_clear(&m);
	return rc;
}

int ims_engine_model_keep(imgsearch *s, const model_identity *id, bool next, imgsearch_error *err)
{
	store_model m = { .name = (char *)id->name, .weights = id->weights, .weights_hash = (char *)id->weights_hash,
		.recipe = recipe_text(id), .dim = id->dim, .precision = id->precision };
	int rc = m.recipe ? ims_store_model_set(s->store, &m, next, err) : ims_nomem(err);
	ims_free(m.recipe);
	return rc;
}

/* The recipe that the options ask for is a full one: what they leave open comes from the stored identity. */
static imgsearch_recipe recipe_of(const image_recipe *r)
{
	imgsearch_recipe out = { .resize = r->resize, .crop = r->crop,
		.interpolation = r->bicubic ? IMGSEARCH_BICUBIC : IMGSEARCH_BILINEAR };
	memcpy(out.mean, r->mean, sizeof out.mean);
	memcpy(out.std, r->std, sizeof out.std);
	return out;
}

int ims_engine_identify(imgsearch *s, const model_identity *stored, model_identity *out, imgsearch_error *err)
{
	const imgsearch_options *o = &s->options;
	model_spec spec = { .name = o->model, .weights = o->weights, .device = o->device,
		.precision = o->precision, .threads = s->threads, .recipe = o->recipe, .flip = o->flip };
	*out = (model_identity){ 0 };
	if (stored && (!o->model || !strcmp(o->model, stored->name))) {
		spec.name = stored->name;
		if (!spec.weights && stored->weights && !access(stored->weights, R_OK))
			spec.weights = stored->weights; /* else they are looked for again by name */
		if (!recipe_asked(&o->recipe))
			spec.recipe = recipe_of(&stored->recipe);
		spec.flip |= stored->flip;
	}
	if (stored && !o->precision)
		spec.precision = stored->precision;
	return ims_model_identify(out, &spec, err);
}

static bool loaded(const imgsearch *s, const model_identity *id)
{
	char why[200];
	return s->model && ims_model_same(&s->identity, id, why, sizeof why);
}

static int load(imgsearch *s, const model_identity *id, imgsearch_error *err)
{
	model_spec spec = { .name = id->name, .weights = id->weights, .device = s->options.device,
		.precision = id->precision, .threads = s->threads };
	model_identity copy = *id;
	copy.weights = id->weights ? ims_strdup(id->weights) : NULL;
	if (id->weights && !copy.weights)
		return ims_nomem(err);
	ims_model_free(s->model);
	ims_model_identity_free(&s->identity);
	s->model = NULL;
	s->identity = copy;
	return ims_model_load(&s->model, id, &spec, err);
}

int ims_engine_network(imgsearch *s, const model_identity *id, model **out, imgsearch_error *err)
{
	pthread_mutex_lock(&s->model_lock);
	int rc = loaded(s, id) ? 0 : load(s, id, err);
	*out = rc ? NULL : ims_model_acquire(s->model);
	pthread_mutex_unlock(&s->model_lock);
	return rc;
}

image_limits ims_engine_limits(const imgsearch *s, const image_recipe *r)
{
	return (image_limits){ .max_pixels = s->options.max_megapixels * (uint64_t)1000000,
		.full_decode = s->options.full_decode, .at_least = r ? r->resize : 0 };
}

void ims_engine_decoder_take(imgsearch *s)
{
	while (sem_wait(&s->decoders) && errno == EINTR)
		;
}

void ims_engine_decoder_give(imgsearch *s)
{
	sem_post(&s->decoders);
}

/* ------------------------------------------------------------------------------------ bytes to the network ---- */

int ims_input_bytes(const imgsearch_input *in, buf *held, const void **data, size_t *size, imgsearch_error *err)
{
	*data = in->data;
	*size = in->size;
	if (in->kind != IMGSEARCH_KIND_FILE)
		return 0;
	int rc = ims_read_file(held, in->path, IMS_IMAGE_MAX_FILE, err);
	*data = held->data;
	*size = held->len;
	return rc;
}

int ims_input_pixels(const imgsearch_input *in, image *im, imgsearch_error *err)
{
	size_t row = (size_t)in->width * 3, stride = in->size ? in->size : row;
	if (!in->data || in->width <= 0 || in->height <= 0 || stride < row)
		return ims_fail(err, IMGSEARCH_EINVAL, "pixels: no data, or a width, height or row size that cannot be");
	*im = (image){ .pixels = ims_alloc((size_t)in->height, row), .width = (uint32_t)in->width, .height = (uint32_t)in->height };
	if (!im->pixels)
		return ims_nomem(err);
	for (int32_t y = 0; y < in->height; y++)
		memcpy(im->pixels + (size_t)y * row, (const uint8_t *)in->data + (size_t)y * stride, row);
	return in->crop[2] ? ims_image_crop(im, in->crop, err) : 0;
}

static int input_fit(imgsearch *s, const imgsearch_input *in, const void *data, size_t size, const image_recipe *r, float *slot, imgsearch_error *err)
{
	image im = { 0 };
	image_head head;
	image_limits limits = ims_engine_limits(s, r);
	int rc;
	if (in->kind == IMGSEARCH_KIND_PIXELS)
		rc = ims_input_pixels(in, &im, err);
	else
		rc = ims_image_decode(&im, &head, data, size, &limits, in->crop[2] ? in->crop : NULL, err);
	if (!rc)
		rc = ims_image_fit(&im, r, false, slot, err);
	ims_image_free(&im);
	if (rc && in->kind == IMGSEARCH_KIND_FILE)
		ims_error_prefix(err, "%s", in->path);
	return rc;
}

static int check_kind(const imgsearch_input *in, imgsearch_error *err)
{
	if ((in->kind == IMGSEARCH_KIND_FILE && !in->path) || (in->kind == IMGSEARCH_KIND_MEMORY && !in->data))
		return ims_fail(err, IMGSEARCH_EINVAL, "input: no path or data");
	if (in->kind < IMGSEARCH_KIND_FILE || in->kind > IMGSEARCH_KIND_STORED)
		return ims_fail(err, IMGSEARCH_EINVAL, "input: kind %u is unknown", in->kind);
	return 0;
}

/* ------------------------------------------------------------------------------------------- batches of them ---- */

typedef struct batch {
	imgsearch *s;
	model *network;
	const model_identity *id;
	const imgsearch_input *in;
	imgsearch_error *errors;
	float *slots;
} batch;

static void fit_one(void *arg, size_t i, unsigned worker)
{
	(void)worker;
	batch *b = arg;
	size_t side = b->id->recipe.crop;
	const imgsearch_input *in = &b->in[i];
	imgsearch_error *err = &b->errors[i];
	buf held = { 0 };
	const void *data;
	size_t size;
	int rc = check_kind(in, err);
	if (!rc && in->kind > IMGSEARCH_KIND_PIXELS)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "only pictures have features to extract");
	if (!rc)
		rc = ims_input_bytes(in, &held, &data, &size, err);
	if (!rc)
		rc = input_fit(b->s, in, data, size, &b->id->recipe, b->slots + i * side * side * 3, err);
	err->code = rc;
	ims_buf_free(&held);
}

/* One batch: decoded on all threads, packed, run, and spread out again with NaN for the bad ones. */
static int run_batch(batch *b, size_t n, float *out, imgsearch_error *err)
{
	size_t dim = b->id->dim, slot = (size_t)b->id->recipe.crop * b->id->recipe.crop * 3, good = 0;
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
		if (!b->errors[i].code && !ims_all_finite(row, dim))
			ims_fail(&b->errors[i], IMGSEARCH_EMODEL, "the network gives no finite feature for this picture");
		for (size_t j = 0; b->errors[i].code && j < dim; j++)
			row[j] = NAN;
	}
	return rc;
}

int ims_features(imgsearch *s, job *j, const model_identity *id, const imgsearch_input *in, size_t n, float *out,
	imgsearch_error *errors, imgsearch_error *err)
{
	size_t slot = (size_t)id->recipe.crop * id->recipe.crop * 3, most = 0;
	batch b = { .s = s, .id = id };
	int rc = ims_engine_network(s, id, &b.network, err);
	if (!rc) {
		most = ims_model_batch(b.network) < n ? ims_model_batch(b.network) : n;
		b.slots = ims_alloc_aligned(most, slot * sizeof(float));
		rc = b.slots ? 0 : ims_nomem(err);
	}
	for (size_t at = 0, now; !rc && at < n; at += now) {
		now = n - at < most ? n - at : most;
		b.in = in + at;
		b.errors = errors + at;
		rc = run_batch(&b, now, out + at * id->dim, err);
		if (!rc && n > most)
			rc = ims_job_step(j, "extract", at + now, n, err);
	}
	ims_free(b.slots);
	ims_model_free(b.network);
	return rc;
}

int imgsearch_extract(imgsearch *s, const imgsearch_input *in, size_t n, int raw, float *out,
	imgsearch_error *errors, imgsearch_error *err)
{
	model_identity stored, id = { 0 };
	if (!s || (n && (!in || !out)))
		return ims_fail(err, IMGSEARCH_EINVAL, "extract: no inputs or no place for their features");
	job j = ims_engine_job_begin(s);
	int found = ims_engine_identity_stored(s, false, &stored, err);
	int rc = found && found != IMGSEARCH_ENOTFOUND ? found : ims_engine_identify(s, found ? NULL : &stored, &id, err);
	imgsearch_error *own = !rc && !errors ? ims_zalloc(n, sizeof *own) : NULL;
	if (!rc && !errors && !own)
		rc = ims_nomem(err);
	if (!rc && n)
		rc = ims_features(s, &j, &id, in, n, out, errors ? errors : own, err);
	for (size_t i = 0; !rc && !raw && i < n; i++)
		ims_space_apply(&(space){ .metric = IMGSEARCH_COSINE, .dim = id.dim }, out + i * id.dim, out + i * id.dim);
	ims_free(own);
	ims_model_identity_free(&id);
	ims_model_identity_free(&stored);
	return rc;
}

/* ------------------------------------------------------------------------------------------- one for a query ---- */

static int stored_vector(imgsearch *s, int64_t id, uint32_t dim, float *out, imgsearch_error *err)
{
	uint8_t found = 0;
	int rc = ims_store_vectors_fetch(s->store, &id, 1, dim, out, &found, err);
	return rc || found ? rc : ims_fail(err, IMGSEARCH_ENOTFOUND, "picture %lld is not in the index", (long long)id);
}

/* A duplicate stands for its twin. */
static int stored_picture(imgsearch *s, int64_t id, uint32_t dim, float *out, int64_t *self, imgsearch_error *err)
{
	store_picture p = { 0 };
	char *root = NULL;
	imgsearch_error none;
	*self = id;
	if (!ims_store_picture_get(s->store, id, &p, &root, &none) && p.same_as)
		*self = p.same_as;
	ims_store_picture_clear(&p);
	ims_free(root);
	return stored_vector(s, *self, dim, out, err);
}

/* Is that network at hand? Then nobody need look at its file again. */
static bool at_hand(imgsearch *s, const model_identity *id)
{
	pthread_mutex_lock(&s->model_lock);
	bool yes = loaded(s, id);
	pthread_mutex_unlock(&s->model_lock);
	return yes;
}

int ims_engine_identity_same(imgsearch *s, model_identity *id, imgsearch_error *err)
{
	model_identity stored;
	char why[200];
	int rc = ims_engine_identity_stored(s, false, &stored, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = ims_fail(err, IMGSEARCH_EMODEL, "%s: holds vectors of the caller's own; query it by vector", ims_store_path(s->store));
	if (!rc && at_hand(s, &stored)) {
		*id = stored;
		return 0;
	}
	if (!rc)
		rc = ims_engine_identify(s, &stored, id, err);
	if (!rc && !ims_model_same(&stored, id, why, sizeof why))
		rc = ims_fail(err, IMGSEARCH_EMODEL, "%s: made by another model (%s); leave the model out, or index again with it",
			ims_store_path(s->store), why);
	ims_model_identity_free(&stored);
	return rc;
}

static int check_model(imgsearch *s, imgsearch_error *err)
{
	model_identity id = { 0 };
	int rc = ims_engine_identity_same(s, &id, err);
	ims_model_identity_free(&id);
	return rc;
}

static int network_feature(imgsearch *s, const imgsearch_input *in, const void *data, size_t size, float *out, imgsearch_error *err)
{
	model_identity id = { 0 };
	model *network = NULL;
	int rc = ims_engine_identity_same(s, &id, err);
	float *slot = rc ? NULL : ims_alloc_aligned((size_t)id.recipe.crop * id.recipe.crop, 3 * sizeof(float));
	if (!rc && !slot)
		rc = ims_nomem(err);
	if (!rc) {
		ims_engine_decoder_take(s);
		rc = input_fit(s, in, data, size, &id.recipe, slot, err);
		ims_engine_decoder_give(s);
	}
	if (!rc)
		rc = ims_engine_network(s, &id, &network, err);
	if (!rc)
		rc = ims_model_run(network, slot, 1, out, err);
	if (!rc && !ims_all_finite(out, id.dim))
		rc = ims_fail(err, IMGSEARCH_EMODEL, "the network gives no finite feature for this picture");
	ims_free(slot);
	ims_model_free(network);
	ims_model_identity_free(&id);
	return rc;
}

/* Are these bytes indexed, so that the stored vector serves? */
static bool known_bytes(imgsearch *s, const void *data, size_t size, uint32_t dim, float *out, int64_t *self)
{
	bool maybe = false;
	store_picture p = { 0 };
	imgsearch_error none;
	if (ims_store_has_size(s->store, size, &maybe, &none) || !maybe)
		return false;
	hash256 h = ims_hash(data, size);
	if (ims_store_picture_by_hash(s->store, &h, &p, &none))
		return false;
	*self = p.id;
	ims_store_picture_clear(&p);
	return stored_vector(s, *self, dim, out, &none) == 0;
}

int ims_feature(imgsearch *s, const imgsearch_input *in, uint32_t dim, float *out, int64_t *self, imgsearch_error *err)
{
	buf held = { 0 };
	const void *data;
	size_t size;
	*self = NOBODY;
	int rc = check_kind(in, err);
	if (rc)
		return rc;
	if (in->kind == IMGSEARCH_KIND_STORED)
		return stored_picture(s, in->id, dim, out, self, err);
	if (in->kind == IMGSEARCH_KIND_VECTOR) {
		if (!in->data || in->size != dim)
			return ims_fail(err, IMGSEARCH_EINVAL, "vector of %zu values; the index has %u", in->size, dim);
		memcpy(out, in->data, dim * sizeof(float));
		return ims_all_finite(out, dim) ? 0 : ims_fail(err, IMGSEARCH_EINVAL, "vector with a value that is not finite");
	}
	rc = ims_input_bytes(in, &held, &data, &size, err);
	if (!rc && ims_engine_model_asked(s))
		rc = check_model(s, err);
	if (!rc && (in->kind == IMGSEARCH_KIND_PIXELS || in->crop[2] || !known_bytes(s, data, size, dim, out, self))) {
		*self = NOBODY;
		rc = network_feature(s, in, data, size, out, err);
	}
	ims_buf_free(&held);
	return rc;
}
