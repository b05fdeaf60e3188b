/* The handle keeps the tower that it loaded last. */
#include "handle/words.h"

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
	return rc;
}
