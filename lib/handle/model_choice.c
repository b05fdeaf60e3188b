/* Decides identities, and converts recipes to and from their stored text. */
#include "handle/model_choice.h"

#include "base/path.h"

#include "handle/second.h"
#include "handle/seen_weights.h"
#include "handle/view.h"
#include "handle/words.h"
#include "model/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------- stored form ---- */

/* What stands at the end where it is not 0. */
static const char *const last_keys[] = { " squash=", " crops=", " pooling=" };

static char *recipe_text(const model_identity *id)
{
	const image_recipe *r = &id->recipe;
	const uint32_t last[] = { r->squash, r->crops > 1 ? r->crops : 0, id->pooling };
	char end[sizeof last / sizeof *last * 24] = "";
	for (size_t i = 0; i < sizeof last / sizeof *last; i++)
		if (last[i])
			snprintf(end + strlen(end), sizeof end - strlen(end), "%s%u", last_keys[i], last[i]);
	return ims_format("network=%s resize=%u crop=%u mean=%.9g,%.9g,%.9g std=%.9g,%.9g,%.9g "
					  "bicubic=%u%s scene_score=%.9g%s",
		id->network, r->resize, r->crop, (double)r->mean[0], (double)r->mean[1], (double)r->mean[2],
		(double)r->std[0], (double)r->std[1], (double)r->std[2], r->bicubic,
		id->flip ? " flip=1" : "", (double)id->scene_score, end);
}

/* A number of a recipe that takes up all of the text. */
static bool number_parse(float *out, const char *text)
{
	char *end;
	*out = ims_parse_f32(text, &end);
	return end != text && !*end;
}

/*
 * A number with a decimal comma, out of the parts of a list: one, or two with a fraction. It must
 * be as the recipe would have been written, so that nearly every list has one reading.
 */
static bool comma_number(float *out, char *const *part, int parts)
{
	char text[80], written[80];
	snprintf(text, sizeof text, "%s%s%s", part[0], parts == 2 ? "." : "",
		parts == 2 ? part[1] : "");
	if (strchr(part[0], '.') || !number_parse(out, text))
		return false;
	ims_print(written, sizeof written, "%.9g", (double)*out);
	return !strcmp(text, written);
}

/* The readings of n parts as three numbers with decimal commas; out has the last of them. */
static int comma_readings(float out[3], char *const *part, int n)
{
	float v[3];
	int found = 0;
	for (int which = 0; which < 8; which++) { /* a bit for each number with a fraction */
		int a = 1 + (which & 1), b = 1 + (which >> 1 & 1), c = 1 + (which >> 2);
		if (a + b + c == n && comma_number(&v[0], part, a) && comma_number(&v[1], part + a, b)
			&& comma_number(&v[2], part + a + b, c)) {
			found++;
			memcpy(out, v, sizeof v);
		}
	}
	return found;
}

/*
 * Three numbers, separated by commas. Versions before 0.2 wrote them in the program's locale, so
 * that a comma may also be a decimal comma: then there are more than three parts. Changes the text.
 */
static bool three_parse(float out[3], char *text)
{
	char *part[6];
	int n = 0;
	while (text && n < 6)
		part[n++] = strsep(&text, ",");
	if (text)
		return false;
	if (n == 3)
		return number_parse(&out[0], part[0]) && number_parse(&out[1], part[1])
			&& number_parse(&out[2], part[2]);
	return comma_readings(out, part, n) == 1;
}

/* 0 where the key is not there. */
static uint32_t last_number(const char *text, size_t i)
{
	const char *at = text ? strstr(text, last_keys[i]) : NULL;
	return at ? (uint32_t)strtoul(at + strlen(last_keys[i]), NULL, 10) : 0;
}

static bool recipe_parse(model_identity *id, const char *text)
{
	image_recipe *r = &id->recipe;
	char mean[96], std[96];
	r->squash = last_number(text, 0);
	r->crops = last_number(text, 1);
	id->pooling = last_number(text, 2);
	return text
		&& sscanf(text, "network=%31s resize=%u crop=%u mean=%95s std=%95s bicubic=%u flip=%u",
			   id->network, &r->resize, &r->crop, mean, std, &r->bicubic, &id->flip)
		>= 6
		&& three_parse(r->mean, mean) && three_parse(r->std, std);
}

/* Of indexes whose recipe has no score: the default model of then, which its dimension tells. */
static float unstored_scene_score(const store_model *m)
{
	bool spread = !strcmp(m->name, "default") && m->dim == 512;
	return spread ? 0.78f : (float)IMGSEARCH_SCENE_SCORE_DEFAULT;
}

float ims_identity_scene_score(const store_model *m)
{
	static const char key[] = " scene_score=";
	float v;
	if (!m)
		return (float)IMGSEARCH_SCENE_SCORE_DEFAULT;
	const char *text = m->recipe ? strstr(m->recipe, key) : NULL;
	bool stored = text && number_parse(&v, text + strlen(key)) && v > 0 && v <= 1;
	return stored ? v : unstored_scene_score(m);
}

bool ims_identity_has_words(const store_model *m)
{
	model_identity id = { 0 };
	return m->recipe && recipe_parse(&id, m->recipe) && ims_network_text_template(id.network);
}

int ims_identity_stored(imgsearch *s, bool next, model_identity *out, imgsearch_error *err)
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
	out->scene_score = ims_identity_scene_score(&m);
	if (!recipe_parse(out, m.recipe))
		rc = ims_fail(err, IMGSEARCH_EFORMAT, "%s: the stored recipe of %s is damaged",
			ims_store_name(s->store), m.name);
	if (rc)
		ims_model_identity_free(out);
	ims_store_model_clear(&m);
	return rc;
}

static int store_model_of(imgsearch *s, const identity *decided, imgsearch_error *err)
{
	const model_identity *id = &decided->model;
	store_model m = {
		.name = (char *)id->name,
		.weights = id->weights ? ims_path_resolve(id->weights) : NULL, /* wherever a host runs */
		.weights_hash = (char *)id->weights_hash,
		.recipe = recipe_text(id),
		.dim = id->dim,
		.precision = id->precision,
	};
	int rc = !m.recipe || (id->weights && !m.weights) ? ims_nomem(err)
		: decided->second                             ? ims_store_model_add(s->store, &m, err)
						  : ims_store_model_set(s->store, &m, decided->next, err);
	ims_free(m.recipe);
	ims_free(m.weights);
	return rc;
}

int ims_identity_store(imgsearch *s, const identity *id, imgsearch_error *err)
{
	int rc = 0;
	if (id->first)
		rc = ims_view_settle_dim(s, id->model.dim, err);
	if (!rc && (id->first || id->begins))
		rc = store_model_of(s, id, err);
	if (!rc && (id->first || id->begins))
		rc = ims_weights_see(s, &id->model, err);
	if (!rc && id->first) /* a mean counts from now on */
		rc = ims_view_renew(s, err);
	if (!rc && id->drops_next)
		rc = ims_store_model_drop_next(s->store, err);
	return rc;
}

/* ---------------------------------------------------------------------------- the decision ---- */

static bool recipe_asked(const imgsearch_recipe *r)
{
	return r->resize || r->crop || r->interpolation || r->squash || r->std[0] != 0 || r->std[1] != 0
		|| r->std[2] != 0;
}

bool ims_identity_requested(const imgsearch *s)
{
	const imgsearch_options *o = &s->options;
	return o->model || o->weights || o->precision || o->recipe->flip || o->recipe->crops
		|| o->recipe->pooling || recipe_asked(o->recipe);
}

imgsearch_recipe ims_identity_recipe(const model_identity *id)
{
	const image_recipe *r = &id->recipe;
	imgsearch_recipe out = {
		.struct_size = sizeof out,
		.resize = r->resize,
		.crop = r->crop,
		.flip = id->flip,
		.crops = (uint32_t)ims_recipe_inputs(r),
		.pooling = id->pooling,
		.squash = r->squash,
		.interpolation = r->bicubic ? IMGSEARCH_INTERPOLATION_BICUBIC
									: IMGSEARCH_INTERPOLATION_BILINEAR,
	};
	memcpy(out.mean, r->mean, sizeof out.mean);
	memcpy(out.std, r->std, sizeof out.std);
	return out;
}

/*
 * The weights that are now found under the stored name are not the stored ones: `out` is of them,
 * or rc says why there are none. Where the options name the model or its weights, these are used,
 * with the recipe of their card. Otherwise the stored ones are looked for among earlier default
 * models.
 */
static int resolve_replaced(const imgsearch_options *o, const model_identity *stored,
	model_spec *spec, int rc, model_identity *out, imgsearch_error *err)
{
	char *weights = NULL;
	imgsearch_error none;
	if (o->model || o->weights) {
		if (rc || recipe_asked(o->recipe))
			return rc;
		spec->recipe = (imgsearch_recipe){ .flip = spec->recipe.flip,
			.crops = spec->recipe.crops,
			.pooling = spec->recipe.pooling };
	} else {
		int found = ims_model_find_earlier(&weights, stored->weights_hash, &none);
		if (found)
			return found == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
	}
	ims_model_identity_free(out);
	spec->known_hash = NULL;
	spec->weights = weights ? weights : spec->weights;
	rc = ims_model_identify(out, spec, err);
	ims_free(weights);
	return rc;
}

/*
 * The model that the options name. What they leave open, `stored` (may be NULL) decides. Reads the
 * weights file.
 */
static int resolve_by(imgsearch *s, const imgsearch_options *o, const model_identity *stored,
	model_identity *out, imgsearch_error *err)
{
	model_spec spec = {
		.name = o->model,
		.weights = o->weights,
		.device = o->device,
		.precision = o->precision,
		.threads = s->threads,
		.recipe = *o->recipe,
	};
	if (stored && (!o->model || !strcmp(o->model, stored->name))) {
		spec.name = stored->name;
		spec.network = strcmp(stored->network, "script") ? stored->network : NULL;
		/*
		 * Otherwise the weights are looked up again by name. "default" where it is named is the
		 * present one.
		 */
		bool present = o->model && !strcmp(o->model, "default");
		if (!spec.weights && !present && stored->weights && !access(stored->weights, R_OK))
			spec.weights = stored->weights;
		spec.lost = spec.weights || present ? NULL : stored->weights;
		if (spec.weights == stored->weights && spec.weights
			&& ims_weights_are_seen(s, spec.weights, stored->weights_hash))
			spec.known_hash = stored->weights_hash;
		if (!recipe_asked(o->recipe))
			spec.recipe = ims_identity_recipe(stored);
		spec.recipe.flip = o->recipe->flip | stored->flip;
		spec.recipe.crops = o->recipe->crops ? o->recipe->crops : stored->recipe.crops;
		spec.recipe.pooling = o->recipe->pooling ? o->recipe->pooling : stored->pooling;
	}
	if (stored && !o->precision)
		spec.precision = stored->precision;
	int rc = ims_model_identify(out, &spec, err);
	bool other = rc ? rc == IMGSEARCH_EMODEL
					: stored && strcmp(out->weights_hash, stored->weights_hash) != 0;
	if (stored && spec.name == stored->name && other)
		rc = resolve_replaced(o, stored, &spec, rc, out, err);
	return rc;
}

static int resolve(imgsearch *s, const model_identity *stored, model_identity *out,
	imgsearch_error *err)
{
	return resolve_by(s, &s->options, stored, out, err);
}

/* The stored model, whatever the options name. */
static int resolve_stored(imgsearch *s, const model_identity *stored, model_identity *out,
	imgsearch_error *err)
{
	static const imgsearch_recipe none;
	imgsearch_options o = { .device = s->options.device, .recipe = &none };
	return resolve_by(s, &o, stored, out, err);
}

/* The index was made by a default model that is neither present nor found. detail ESTALE. */
static int refuse_earlier(imgsearch *s, imgsearch_error *err)
{
	char places[400];
	ims_model_places(places, sizeof places, true);
	ims_fail(err, IMGSEARCH_EMODEL,
		"%s was made by an earlier default model: its files default-0.1.safetensors and .json are "
		"in"
		" none of %s",
		ims_store_name(s->store), places);
	if (err)
		err->detail = ESTALE;
	return IMGSEARCH_EMODEL;
}

static bool is_earlier(imgsearch *s, const model_identity *own, const model_identity *found)
{
	return !s->options.model && !s->options.weights && !strcmp(own->name, "default")
		&& strcmp(own->weights_hash, found->weights_hash) != 0;
}

/*
 * Whether an index without a model is one of the caller's own vectors: its dimension was set by its
 * options or by its first vectors. It stays one when the last vector is removed.
 */
static int has_own_vectors(imgsearch *s, bool *own, imgsearch_error *err)
{
	view *v;
	int rc = ims_view_acquire(s, &v, err);
	if (rc)
		return rc;
	*own = v->space.dim > 0;
	ims_view_release(v);
	return 0;
}

/* detail EMEDIUMTYPE */
static int refuse_own_vectors(imgsearch *s, imgsearch_error *err)
{
	ims_fail(err, IMGSEARCH_EMODEL, "%s: the index is one of the caller's own vectors",
		ims_store_name(s->store));
	if (err)
		err->detail = EMEDIUMTYPE;
	return IMGSEARCH_EMODEL;
}

/* Decides for an index without a model. */
static int decide_first(imgsearch *s, identity_use use, identity *out, imgsearch_error *err)
{
	bool own = use == IDENTITY_QUERY;
	int rc = use >= IDENTITY_RUN ? has_own_vectors(s, &own, err) : 0;
	if (!rc && own)
		rc = refuse_own_vectors(s, err);
	out->first = true;
	return rc ? rc : resolve(s, NULL, &out->model, err);
}

/* Whether the options name a model by another name than the index's, and no files of it. */
static bool names_other(const imgsearch *s, const model_identity *own)
{
	const char *name = s->options.model;
	return name && !s->options.weights && !strchr(name, '/') && strcmp(name, own->name) != 0;
}

/* Decides for an index whose vectors `own` made, and for a use that may not begin a re-index. */
static int decide_own(imgsearch *s, identity_use use, model_identity *own, identity *out,
	imgsearch_error *err)
{
	char why[200];
	if (use == IDENTITY_QUERY
		&& (ims_handle_network_loaded(s, own)
			|| ims_words_loaded(s, own))) { /* the weights need not be read again */
		out->model = *own;
		*own = (model_identity){ 0 };
		return 0;
	}
	bool second; /* is named: it is asked through its own handle */
	int rc = ims_second_is_named(s, &second, err);
	if (!rc)
		rc = second ? resolve_stored(s, own, &out->model, err) : resolve(s, own, &out->model, err);
	if (rc == IMGSEARCH_EMODEL && use == IDENTITY_QUERY && names_other(s, own))
		return ims_second_refuse_name(s, err);
	if (rc || use == IDENTITY_EXTRACT || ims_model_same(own, &out->model, why, sizeof why))
		return rc;
	if (is_earlier(s, own, &out->model))
		return refuse_earlier(s, err);
	return ims_fail(err, IMGSEARCH_EMODEL, "%s: its features are of another model (%s)",
		ims_store_name(s->store), why);
}

/* An index run continues, begins or drops a re-index, depending on the options. */
static int decide_reindex(imgsearch *s, const model_identity *own, identity *out,
	imgsearch_error *err)
{
	model_identity next = { 0 };
	char why[200];
	imgsearch_error none;
	bool asked = ims_identity_requested(s), pending = !ims_identity_stored(s, true, &next, &none);
	int rc = resolve(s, pending && !asked ? &next : own, &out->model, err);
	if (!rc && !ims_model_same(own, &out->model, why, sizeof why)) {
		out->next = true;
		if (!pending && is_earlier(s, own, &out->model))
			rc = refuse_earlier(s, err);
		else if (!pending && !asked)
			rc = ims_fail(err, IMGSEARCH_EMODEL,
				"%s: its features are of another model (%s), and the options name none to index "
				"with",
				ims_store_name(s->store), why);
		else
			out->begins = !pending || !ims_model_same(&next, &out->model, why, sizeof why);
	} else if (!rc) {
		out->drops_next = pending;
	}
	ims_model_identity_free(&next);
	return rc;
}

/* detail EALREADY: the options name the second model; ETOOMANYREFS: a third one */
static int refuse_third(imgsearch *s, const model_identity *own, const model_identity *second,
	const model_identity *asked, imgsearch_error *err)
{
	char why[200];
	bool known = ims_model_same(second, asked, why, sizeof why);
	if (known)
		ims_fail(err, IMGSEARCH_EINVAL, "%s: %s is its second model, beside %s",
			ims_store_name(s->store), second->name, own->name);
	else
		ims_fail(err, IMGSEARCH_EINVAL,
			"%s has two models, %s and %s: a third can take the place of one that was dropped",
			ims_store_name(s->store), own->name, second->name);
	if (err)
		err->detail = known ? EALREADY : ETOOMANYREFS;
	return IMGSEARCH_EINVAL;
}

/* A run over an index with two models makes the features of its own one first. */
static int decide_beside(imgsearch *s, const model_identity *own, bool adds, identity *out,
	imgsearch_error *err)
{
	char why[200];
	model_identity second = { 0 };
	int rc = adds || !ims_identity_requested(s) ? resolve_stored(s, own, &out->model, err)
												: resolve(s, own, &out->model, err);
	if (rc || ims_model_same(own, &out->model, why, sizeof why))
		return rc;
	if (adds || !ims_identity_requested(s))
		return strcmp(own->name, "default") ? ims_fail(err, IMGSEARCH_EMODEL,
				   "%s: its features are of another model (%s)", ims_store_name(s->store), why)
											: refuse_earlier(s, err);
	rc = ims_identity_stored(s, true, &second, err);
	if (!rc)
		rc = refuse_third(s, own, &second, &out->model, err);
	ims_model_identity_free(&second);
	return rc;
}

static int decide_run(imgsearch *s, identity_use use, const model_identity *own, identity *out,
	imgsearch_error *err)
{
	bool second, adds = use == IDENTITY_RUN_OWN;
	int rc = ims_store_has_second(s->store, &second, err);
	if (rc)
		return rc;
	return second || adds ? decide_beside(s, own, adds, out, err)
						  : decide_reindex(s, own, out, err);
}

/* The options name a model to be kept beside the index's own. */
static int decide_added(imgsearch *s, const model_identity *own, const model_identity *next,
	bool second, identity *out, imgsearch_error *err)
{
	char why[200];
	const char *name = ims_store_name(s->store);
	int rc = resolve(s, next && next->name[0] ? next : NULL, &out->model, err);
	if (rc)
		return rc;
	if (ims_model_same(own, &out->model, why, sizeof why))
		return ims_fail(err, IMGSEARCH_EINVAL, "%s: %s is its model already", name, own->name);
	if (second)
		return ims_model_same(next, &out->model, why, sizeof why)
			? 0
			: refuse_third(s, own, next, &out->model, err);
	if (next->name[0])
		return ims_fail(err, IMGSEARCH_EINVAL,
			"%s is being indexed anew by the model %s: that must end first, or be dropped", name,
			next->name);
	if (!strcmp(own->name, out->model.name))
		return ims_fail(err, IMGSEARCH_EINVAL,
			"%s: its own model has the name %s, too (%s), and two models are told apart by name",
			name, own->name, why);
	out->begins = true;
	return 0;
}

int ims_identity_decide_second(imgsearch *s, bool adds, identity *out, imgsearch_error *err)
{
	model_identity own = { 0 }, next = { 0 };
	char why[200];
	bool second = false;
	*out = (identity){ .next = true, .second = true };
	int rc = ims_identity_stored(s, false, &own, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return ims_fail(err, IMGSEARCH_EINVAL, "%s has no model beside which another can be kept",
			ims_store_name(s->store));
	if (!rc)
		rc = ims_identity_stored(s, true, &next, err);
	if (!rc || rc == IMGSEARCH_ENOTFOUND)
		rc = ims_store_has_second(s->store, &second, err);
	if (!rc && adds)
		rc = decide_added(s, &own, &next, second, out, err);
	else if (!rc && second)
		rc = resolve_stored(s, &next, &out->model, err);
	if (!rc && !adds && second && !ims_model_same(&next, &out->model, why, sizeof why))
		rc = ims_fail(err, IMGSEARCH_EMODEL,
			"%s: the features of its second model are of another"
			" model (%s)",
			ims_store_name(s->store), why);
	ims_model_identity_free(&own);
	ims_model_identity_free(&next);
	return rc;
}

int ims_identity_decide(imgsearch *s, identity_use use, identity *out, imgsearch_error *err)
{
	model_identity own = { 0 };
	*out = (identity){ 0 };
	int rc = use == IDENTITY_NEW ? IMGSEARCH_ENOTFOUND : ims_identity_stored(s, false, &own, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		rc = decide_first(s, use, out, err);
	else if (!rc)
		rc = use >= IDENTITY_RUN ? decide_run(s, use, &own, out, err)
								 : decide_own(s, use, &own, out, err);
	ims_model_identity_free(&own);
	return rc;
}

void ims_identity_free(identity *id)
{
	ims_model_identity_free(&id->model);
}
