/* Encodes and decodes the settings. */
#include "handle/cohort.h"

#include "base/regions.h"
#include "handle/view.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 2, HEAD_BYTES = 4 + 8 + 4 + 4 + 8 + (2 + IMS_CHANCE_BODY + 1) * 4 };

float ims_cohort_scale(const float *row, size_t n)
{
	return fmaxf(ims_floats_largest(row, n), 1e-30f) / 127;
}

enum { SETTING = 32 };
/* The name of a setting of the model. */
static void setting_name(const chance_model *of, const char *what, char name[SETTING])
{
	snprintf(name, SETTING, "%s%s", what, of->suffix);
}

static int put_rows(imgsearch *s, const chance_model *of, const float *rows, size_t n, size_t dim,
	uint64_t *sum, imgsearch_error *err)
{
	buf b = { 0 };
	char name[SETTING];
	setting_name(of, "chance_rows", name);
	for (size_t i = 0; i < n; i++) {
		const float *row = rows + i * dim;
		float scale = ims_cohort_scale(row, dim);
		ims_buf_f32(&b, scale);
		ims_buf_f32(&b, ims_kernels()->dot_f32(row, row, dim));
		uint8_t *code = ims_buf_grow(&b, dim);
		for (size_t j = 0; code && j < dim; j++)
			code[j] = (uint8_t)(lrintf(row[j] / scale) + 128);
	}
	*sum = ims_checksum(b.data, b.len, 0);
	int rc = b.failed ? ims_nomem(err) : ims_store_setting_set(s->store, name, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

static int put_chance(imgsearch *s, const view *v, const chance_model *of, const char *what,
	const chance *c, size_t rows, uint64_t sum, imgsearch_error *err)
{
	buf b = { 0 };
	char name[SETTING];
	setting_name(of, what, name);
	if (!c)
		return ims_store_setting_set(s->store, name, NULL, 0, err);
	ims_buf_u32(&b, VERSION);
	ims_buf_u64(&b, v->mean_sum);
	ims_buf_u32(&b, v->space.dim);
	ims_buf_u32(&b, (uint32_t)rows);
	ims_buf_u64(&b, sum);
	ims_buf_f32(&b, c->scale);
	ims_buf_f32(&b, c->shape);
	for (int i = 0; i <= IMS_CHANCE_BODY; i++)
		ims_buf_f32(&b, c->body[i]);
	int rc = b.failed ? ims_nomem(err) : ims_store_setting_set(s->store, name, b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

int ims_cohort_put(imgsearch *s, const view *v, const chance_model *of, const chance *pictures,
	const chance *words, const float *rows, size_t n, imgsearch_error *err)
{
	uint64_t sum;
	int rc = put_rows(s, of, rows, n, v->space.dim, &sum, err);
	if (!rc)
		rc = put_chance(s, v, of, "chance", pictures, n, sum, err);
	if (!rc)
		rc = put_chance(s, v, of, "word_chance", words, n, sum, err);
	return rc ? rc : ims_view_renew(s, err);
}

/* *has: the file has a distribution of that name in the space of the view, with that cohort. */
static int load_chance(imgsearch *s, const view *v, const chance_model *of, const char *what,
	chance *c, bool *has, uint32_t *rows, uint64_t *sum, imgsearch_error *err)
{
	buf b = { 0 };
	char name[SETTING];
	setting_name(of, what, name);
	int rc = ims_store_setting_get(s->store, name, &b, err);
	reader r = { .data = b.data, .len = b.len };
	*has = false;
	if (!rc && b.len == HEAD_BYTES && ims_read_u32(&r) == VERSION && ims_read_u64(&r) == v->mean_sum
		&& ims_read_u32(&r) == v->space.dim) {
		*rows = ims_read_u32(&r);
		*sum = ims_read_u64(&r);
		c->scale = ims_read_f32(&r);
		c->shape = ims_read_f32(&r);
		uint32_t pictures = *rows / of->parts;
		*has = pictures >= CHANCE_ROWS && pictures <= CHANCE_COHORT && *rows % of->parts == 0;
		for (int i = 0; i <= IMS_CHANCE_BODY; i++) {
			c->body[i] = ims_read_f32(&r);
			*has &= isfinite(c->body[i]) && (!i || c->body[i] >= c->body[i - 1]);
		}
		*has &= isfinite(c->scale) && isfinite(c->shape);
	}
	ims_buf_free(&b);
	return rc;
}

static int load_model(imgsearch *s, const view *v, chance_model *m, imgsearch_error *err)
{
	uint32_t rows = 0;
	uint64_t sum = 0;
	int rc = load_chance(s, v, m, "chance", &m->pictures, &m->has, &m->rows, &m->sum, err);
	if (!rc && m->has)
		rc = load_chance(s, v, m, "word_chance", &m->words, &m->has_words, &rows, &sum, err);
	m->has_words &= rows == m->rows && sum == m->sum;
	return rc;
}

int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err)
{
	v->chance.parts = 1;
	v->chance.suffix = "";
	v->region_chance.parts = IMS_REGIONS_PARTS + 1;
	v->region_chance.suffix = ".regions";
	int rc = load_model(s, v, &v->chance, err);
	return rc || !v->has_regions ? rc : load_model(s, v, &v->region_chance, err);
}

void ims_cohort_free(chance_cohort *c)
{
	if (!c)
		return;
	ims_free(c->scale);
	ims_free(c->square);
	ims_free(c->codes);
	ims_free(c);
}

static int make_cohort(const view *v, const chance_model *of, chance_cohort **out,
	imgsearch_error *err)
{
	size_t n = of->rows;
	bool shorter = v->space.metric == IMGSEARCH_METRIC_COSINE
		&& (v->space.dim >= CHANCE_SHORT_DIM || of->parts > 1);
	chance_cohort *c = *out = ims_zalloc(1, sizeof *c);
	if (!c)
		return ims_nomem(err);
	c->parts = of->parts;
	c->n = n;
	c->blocks = (n + IMS_BLOCK_ROWS - 1) / IMS_BLOCK_ROWS;
	c->eights = ((size_t)v->space.dim + 7) / 8;
	c->planes = shorter ? 1 : 2;
	c->zero = shorter ? 7.5f : 128;
	c->scale = ims_alloc(n, sizeof *c->scale);
	c->square = ims_alloc(n, sizeof *c->square);
	c->codes = ims_alloc_aligned(c->planes * c->blocks, c->eights * 64);
	if (!c->scale || !c->square || !c->codes)
		return ims_nomem(err);
	memset(c->codes, 0, c->planes * c->blocks * c->eights * 64);
	return 0;
}

/* Sets value j of row i. */
static void set_code(chance_cohort *c, size_t i, size_t j, unsigned code)
{
	for (size_t p = c->planes; p--; code >>= 4) {
		size_t block = p * c->blocks + i / IMS_BLOCK_ROWS;
		uint8_t *row = c->codes + (block * c->eights + j / 8) * 64 + i % IMS_BLOCK_ROWS * 4;
		row[j % 4] |= (uint8_t)((code & 15) << (j & 4));
	}
}

/*
 * Codes of 4 bits for a row of 8. The scale makes the dot product of the row with itself what it
 * was, so that those with similar rows are not too small.
 */
static void set_short_row(chance_cohort *c, size_t i, const uint8_t *code, size_t dim)
{
	const float step = 127 / 7.5f;
	float square = 0, kept = 0;
	for (size_t j = 0; j < dim; j++) {
		float value = (float)code[j] - 128;
		int shorter = (int)(value / step + 8);
		shorter = shorter < 0 ? 0 : shorter > 15 ? 15 : shorter;
		square += value * value;
		kept += value * step * ((float)shorter - c->zero);
		set_code(c, i, j, (unsigned)shorter);
	}
	c->scale[i] *= kept > 0 ? step * square / kept : step;
}

static int unpack(const view *v, const chance_model *of, const buf *b, chance_cohort **out,
	imgsearch_error *err)
{
	reader r = { .data = b->data, .len = b->len };
	size_t dim = v->space.dim;
	chance_cohort *c;
	int rc = make_cohort(v, of, &c, err);
	for (size_t i = 0; !rc && i < c->n; i++) {
		c->scale[i] = ims_read_f32(&r);
		c->square[i] = ims_read_f32(&r);
		const uint8_t *code = ims_read_bytes(&r, dim);
		if (c->planes == 1)
			set_short_row(c, i, code, dim);
		for (size_t j = 0; c->planes == 2 && j < dim; j++)
			set_code(c, i, j, code[j]);
	}
	if (rc) {
		ims_cohort_free(c);
		c = NULL;
	}
	*out = c;
	return rc;
}

int ims_cohort_get(imgsearch *s, view *v, chance_model *of, const chance_cohort **out,
	imgsearch_error *err)
{
	buf b = { 0 };
	char name[SETTING];
	int rc = 0;
	setting_name(of, "chance_rows", name);
	pthread_mutex_lock(&v->lock);
	if (!of->tried) {
		rc = ims_store_setting_get(s->store, name, &b, err);
		if (!rc && b.len == of->rows * ((size_t)v->space.dim + 8)
			&& ims_checksum(b.data, b.len, 0) == of->sum)
			rc = unpack(v, of, &b, &of->cohort, err);
		of->tried = !rc;
	}
	*out = of->cohort;
	pthread_mutex_unlock(&v->lock);
	ims_buf_free(&b);
	return rc;
}
