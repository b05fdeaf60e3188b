/* The handle keeps the tower that it loaded last. */
#include "handle/words.h"

#include "handle/model_choice.h"
#include "handle/second.h"
#include "words/common.h"

#include <string.h>

static bool is_loaded(const imgsearch *s, const model_identity *id)
{
	char why[200];
	return s->words && ims_model_same(&s->words_identity, id, why, sizeof why);
}

static int load(imgsearch *s, const model_identity *id, imgsearch_error *err)
{
	model_spec spec = {
		.name = id->name,
		.weights = id->weights,
		.device = s->options.device,
		.precision = id->precision,
		.threads = s->threads,
	};
	tower *loaded;
	model_identity copy = *id;
	copy.weights = ims_strdup(id->weights);
	int rc = copy.weights ? ims_tower_load(&loaded, id, &spec, err) : ims_nomem(err);
	if (rc) {
		ims_model_identity_free(&copy);
		return rc;
	}
	ims_tower_free(s->words);
	ims_model_identity_free(&s->words_identity);
	s->words = loaded;
	s->words_identity = copy;
	return 0;
}

int ims_words_tower(imgsearch *s, const model_identity *id, tower **out, imgsearch_error *err)
{
	pthread_mutex_lock(&s->words_lock);
	int rc = is_loaded(s, id) ? 0 : load(s, id, err);
	*out = rc ? NULL : ims_tower_acquire(s->words);
	pthread_mutex_unlock(&s->words_lock);
	return rc;
}

bool ims_words_loaded(imgsearch *s, const model_identity *id)
{
	pthread_mutex_lock(&s->words_lock);
	bool loaded = is_loaded(s, id);
	pthread_mutex_unlock(&s->words_lock);
	return loaded;
}

int ims_words_features(imgsearch *s, job *j, const model_identity *id, const char *text_template,
	const char *const *texts, size_t n, float *out, imgsearch_error *err)
{
	enum { STEP = 32 };
	tower *t;
	ims_store_snapshot_pause(s->store);
	int rc = ims_words_tower(s, id, &t, err);
	for (size_t at = 0; !rc && at < n; at += STEP) {
		rc = ims_job_check(j, err);
		if (!rc)
			rc = ims_tower_run(t, text_template, texts + at, n - at < STEP ? n - at : STEP,
				out + at * id->dim, err);
	}
	ims_tower_free(t);
	return ims_second_tell_words(s, id->name, rc, err);
}

/* ---------------------------------------------------------------------------- common words ---- */

enum { COMMON_HEAD = 8 }; /* bytes of the key before the rows */

/* What the kept features are of. ENOMEM. */
static int common_key(const model_identity *id, uint64_t *key, imgsearch_error *err)
{
	char text_template[TEMPLATE_ROOM];
	size_t n;
	uint64_t vocabulary = 0;
	const char *const *words = ims_common_words(&n);
	buf b = { 0 };
	int rc = ims_tower_template(text_template, id, err);
	if (!rc && id->weights)
		rc = ims_tower_vocabulary_key(&vocabulary, id->weights, err);
	ims_buf_text(&b, "%s %u %llu\n%s", id->weights_hash, id->precision,
		(unsigned long long)vocabulary, text_template);
	for (size_t i = 0; i < n; i++)
		ims_buf_text(&b, "\n%s", words[i]);
	if (!rc && b.failed)
		rc = ims_nomem(err);
	*key = rc ? 0 : ims_checksum(b.data, b.len, 0);
	ims_buf_free(&b);
	return rc;
}

/* *found: the index keeps them. */
static int load_common(imgsearch *s, uint64_t key, float *rows, size_t values, bool *found,
	imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_setting_get(s->store, "word_vectors", &b, err);
	reader r = { .data = b.data, .len = b.len };
	*found = !rc && b.len == COMMON_HEAD + values * sizeof *rows && ims_read_u64(&r) == key;
	for (size_t i = 0; *found && i < values; i++)
		rows[i] = ims_read_f32(&r);
	ims_buf_free(&b);
	return rc;
}

static int keep_common(imgsearch *s, uint64_t key, const float *rows, size_t values,
	imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	ims_buf_u64(&b, key);
	for (size_t i = 0; i < values; i++)
		ims_buf_f32(&b, rows[i]);
	rc = b.failed ? ims_nomem(err)
				  : ims_store_setting_set(s->store, "word_vectors", b.data, b.len, err);
	ims_buf_free(&b);
	return ims_handle_tx_end(s, rc, err);
}

/* Makes them. What the model's files lack is no error but *why. */
static int make_common(imgsearch *s, job *j, const model_identity *id, const char *const *words,
	size_t n, float *rows, imgsearch_error *why, imgsearch_error *err)
{
	int rc = ims_words_features(s, j, id, NULL, words, n, rows, why);
	if (!rc || (!ims_is_stop(rc) && rc != IMGSEARCH_ENOMEM))
		return 0;
	if (err)
		*err = *why;
	return rc;
}

int ims_words_common(imgsearch *s, job *j, float **rows, size_t *n, uint32_t dim,
	imgsearch_error *why, imgsearch_error *err)
{
	identity id = { 0 };
	uint64_t key;
	bool found = false;
	const char *const *words = ims_common_words(n);
	*rows = ims_alloc_aligned(*n, dim * sizeof **rows);
	int rc = *rows ? ims_identity_decide(s, IDENTITY_QUERY, &id, err) : ims_nomem(err);
	if (!rc)
		rc = common_key(&id.model, &key, err);
	if (!rc)
		rc = load_common(s, key, *rows, *n * dim, &found, err);
	*why = (imgsearch_error){ 0 };
	if (!rc && !found)
		rc = make_common(s, j, &id.model, words, *n, *rows, why, err);
	if (!rc && !found && !why->code)
		rc = keep_common(s, key, *rows, *n * dim, err);
	ims_identity_free(&id);
	if (rc || why->code) {
		ims_free(*rows);
		*rows = NULL;
	}
	return rc;
}
