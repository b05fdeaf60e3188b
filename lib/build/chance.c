/*
 * The cohort is an evenly spaced sample of the rows. lib/analysis fits the distribution of the
 * scores of its pairs from different folders. If pictures lie in fewer than four folders, all pairs
 * count. Related pictures are then among them, and chance is overestimated.
 *
 * Of an index whose model compares texts with pictures, the scores of a list of everyday things
 * with the cohort are fitted, too.
 */
#include "build/chance.h"
#include "handle/cohort.h"
#include "handle/regions.h"
#include "handle/space.h"
#include "handle/words.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

enum { FEW_FOLDERS = 4 };

typedef struct cohort_sample {
	const view *view;
	const chance_model *model;
	job *job;
	imgsearch_error *err;
	size_t seen, step, n;
	int64_t id[CHANCE_COHORT];
	uint64_t folder[CHANCE_COHORT]; /* a hash of its name; 0: none */
	float *rows;                    /* (n, dim): of wholes */
	float *parts; /* (n, model->parts, dim): rows, or with those of the regions behind each */
} cohort_sample;

static int add_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	cohort_sample *p = user;
	size_t dim = p->view->space.dim;
	for (size_t i = 0; i < n; i++, p->seen++)
		if (p->seen % p->step == 0 && p->n < CHANCE_COHORT) {
			p->id[p->n] = ids[i];
			memcpy(p->rows + p->n++ * dim, rows + i * dim, dim * sizeof *rows);
		}
	return ims_job_check(p->job, p->err);
}

/* A hash of the name of the picture's folder; 0: none. */
static uint64_t hash_folder(const store_picture *p)
{
	const char *slash = p->path ? strrchr(p->path, '/') : NULL;
	if (!p->path || (!p->root && !slash))
		return 0;
	return ims_checksum(p->path, slash ? (size_t)(slash - p->path) : 0, (uint64_t)p->root) | 1;
}

static int read_folders(imgsearch *s, cohort_sample *p, imgsearch_error *err)
{
	store_picture *picture = ims_alloc(p->n, sizeof *picture);
	int rc = picture ? ims_store_get(s->store, p->id, p->n, picture, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < p->n; i++)
		p->folder[i] = hash_folder(&picture[i]);
	if (!rc)
		ims_store_pictures_clear(picture, p->n);
	ims_free(picture);
	return rc;
}

/* With too few folders, every picture counts as its own folder. */
static void split_folders(cohort_sample *p)
{
	uint64_t distinct[FEW_FOLDERS];
	size_t n = 0;
	for (size_t i = 0; i < p->n && n < FEW_FOLDERS; i++) {
		size_t k = 0;
		while (k < n && distinct[k] != p->folder[i])
			k++;
		if (k == n)
			distinct[n++] = p->folder[i];
	}
	for (size_t i = 0; n < FEW_FOLDERS && i < p->n; i++)
		p->folder[i] = i;
}

/* The score of a row with picture i of the cohort: that of the best part. */
static float score_of(const cohort_sample *p, const float *row, size_t i)
{
	const space *sp = &p->view->space;
	const float *part = p->parts + i * p->model->parts * sp->dim;
	float nearest = ims_search_distance(sp->metric, row, part, sp->dim);
	for (uint32_t k = 1; k < p->model->parts; k++)
		nearest = fminf(nearest, ims_search_distance(sp->metric, row, part + k * sp->dim, sp->dim));
	return ims_score(sp->metric, nearest);
}

static int fit(const cohort_sample *p, chance *out, imgsearch_error *err)
{
	float *score = ims_alloc(p->n, p->n * sizeof *score);
	if (!score)
		return ims_nomem(err);
	int rc = 0;
	for (size_t a = 0; !rc && a < p->n; a++, rc = ims_job_check(p->job, err))
		for (size_t b = 0; b < p->n; b++)
			score[a * p->n + b] = score_of(p, p->rows + a * p->view->space.dim, b);
	if (!rc)
		rc = ims_analysis_chance_fit(out, score, p->folder, p->n, p->job, err);
	ims_free(score);
	return rc;
}

static void score_words(const cohort_sample *p, float *words, size_t n, float *score)
{
	const space *sp = &p->view->space;
	for (size_t i = 0; i < n; i++) {
		float *word = words + i * sp->dim;
		ims_space_apply(sp, word, word);
		for (size_t k = 0; k < p->n; k++)
			score[i * p->n + k] = score_of(p, word, k);
	}
}

/*
 * *has: the distribution of texts was fitted. Where there are no features of texts, the log says
 * so.
 */
static int fit_words(imgsearch *s, const cohort_sample *p, chance *out, bool *has,
	imgsearch_error *err)
{
	float *words = NULL, *score = NULL;
	size_t n = 0;
	imgsearch_error why = { 0 };
	*has = false;
	int rc = ims_words_common(s, p->job, &words, &n, p->view->space.dim, &why);
	if (!rc && !(score = ims_alloc(n, p->n * sizeof *score)))
		rc = ims_nomem(&why);
	if (!rc) {
		score_words(p, words, n, score);
		rc = ims_analysis_chance_fit_texts(out, score, n, p->n, p->job, &why);
	}
	*has = !rc;
	ims_free(words);
	ims_free(score);
	if (rc && !ims_is_stop(rc) && rc != IMGSEARCH_ENOMEM && rc != IMGSEARCH_EDB) {
		ims_job_log(p->job, IMGSEARCH_LOG_WARNING,
			"answers to texts will not say how likely they are by chance: %s", why.message);
		return 0;
	}
	if (rc && err)
		*err = why;
	return rc;
}

/* The rows of the parts of the cohort. A picture without regions has its whole in their place. */
static int read_parts(cohort_sample *p, imgsearch_error *err)
{
	size_t dim = p->view->space.dim, parts = p->model->parts;
	int rc = 0;
	if (parts == 1) {
		p->parts = p->rows;
		return 0;
	}
	p->parts = ims_alloc_aligned(p->n, parts * dim * sizeof *p->parts);
	if (!p->parts)
		return ims_nomem(err);
	for (size_t i = 0; !rc && i < p->n; i++) {
		float *of = p->parts + i * parts * dim;
		uint8_t found;
		memcpy(of, p->rows + i * dim, dim * sizeof *of);
		rc = ims_regions_fetch(&p->view->rows_ctx, &p->id[i], 1, of + dim, &found, err);
		for (size_t k = 1; !rc && !found && k < parts; k++)
			memcpy(of + k * dim, of, dim * sizeof *of);
	}
	return rc;
}

/* The pictures whose scores normalise those of a query: all, or an even choice. */
static size_t thin(cohort_sample *p)
{
	size_t most = p->model->parts > 1 ? CHANCE_REGION_PICTURES : CHANCE_COHORT,
		   size = p->model->parts * p->view->space.dim;
	for (size_t i = 0; i < most && p->n > most; i++)
		memmove(p->parts + i * size, p->parts + i * p->n / most * size, size * sizeof *p->parts);
	return p->n < most ? p->n : most;
}

static int put_model(imgsearch *s, cohort_sample *p, const chance *c, imgsearch_error *err)
{
	chance words;
	bool has = false;
	int rc = p->view->has_words ? fit_words(s, p, &words, &has, err) : 0;
	if (!rc)
		rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	rc = ims_cohort_put(s, p->view, p->model, c, has ? &words : NULL, p->parts,
		thin(p) * p->model->parts, err);
	return ims_handle_tx_end(s, rc, err);
}

/* Fits and stores what can be fitted: with few pairs nothing. */
static int fit_sample(imgsearch *s, cohort_sample *p, imgsearch_error *err)
{
	chance c;
	imgsearch_error few;
	split_folders(p);
	int rc = fit(p, &c, &few);
	if (!rc)
		return put_model(s, p, &c, err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (!ims_is_stop(rc))
		return ims_nomem(err);
	if (err)
		*err = few;
	return rc;
}

int ims_chance_fit(imgsearch *s, const view *v, const chance_model *m, job *j, imgsearch_error *err)
{
	cohort_sample *p = ims_zalloc(1, sizeof *p);
	int rc = 0;
	if (p) {
		p->view = v;
		p->model = m;
		p->job = j;
		p->err = err;
		p->step = (v->rows.n + CHANCE_COHORT - 1) / CHANCE_COHORT;
		p->rows = ims_alloc_aligned(CHANCE_COHORT, v->space.dim * sizeof(float));
	}
	if (!p || !p->rows)
		rc = ims_nomem(err);
	if (!rc)
		rc = v->rows.scan(v->rows.ctx, add_rows, p, err);
	if (!rc)
		rc = read_folders(s, p, err);
	if (!rc)
		rc = read_parts(p, err);
	if (!rc && p->n >= CHANCE_ROWS)
		rc = fit_sample(s, p, err);
	if (p && p->parts != p->rows)
		ims_free(p->parts);
	if (p)
		ims_free(p->rows);
	ims_free(p);
	return rc;
}
