/* Encodes and decodes the two settings. */
#include "handle/cohort.h"

#include "handle/view.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { VERSION = 2, HEAD_BYTES = 4 + 8 + 4 + 4 + 8 + (2 + IMS_CHANCE_BODY + 1) * 4 };

float ims_cohort_largest(const float *row, size_t dim)
{
	float most = 1e-30f;
	for (size_t j = 0; j < dim; j++)
		most = fmaxf(most, fabsf(row[j]));
	return most;
}

static int put_rows(imgsearch *s, const float *rows, size_t n, size_t dim, uint64_t *sum,
	imgsearch_error *err)
{
	buf b = { 0 };
	for (size_t i = 0; i < n; i++) {
		const float *row = rows + i * dim;
		float scale = ims_cohort_largest(row, dim) / 127;
		ims_buf_f32(&b, scale);
		ims_buf_f32(&b, ims_kernels()->dot_f32(row, row, dim));
		uint8_t *code = ims_buf_grow(&b, dim);
		for (size_t j = 0; code && j < dim; j++)
			code[j] = (uint8_t)(lrintf(row[j] / scale) + 128);
	}
	*sum = ims_checksum(b.data, b.len, 0);
	int rc = b.failed ? ims_nomem(err)
					  : ims_store_setting_set(s->store, "chance_rows", b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

int ims_cohort_put(imgsearch *s, const view *v, const chance *c, const float *rows, size_t n,
	imgsearch_error *err)
{
	buf b = { 0 };
	uint64_t sum;
	int rc = put_rows(s, rows, n, v->space.dim, &sum, err);
	if (rc)
		return rc;
	ims_buf_u32(&b, VERSION);
	ims_buf_u64(&b, v->mean_sum);
	ims_buf_u32(&b, v->space.dim);
	ims_buf_u32(&b, (uint32_t)n);
	ims_buf_u64(&b, sum);
	ims_buf_f32(&b, c->scale);
	ims_buf_f32(&b, c->shape);
	for (int i = 0; i <= IMS_CHANCE_BODY; i++)
		ims_buf_f32(&b, c->body[i]);
	rc = b.failed ? ims_nomem(err) : ims_store_setting_set(s->store, "chance", b.data, b.len, err);
	ims_buf_free(&b);
	return rc ? rc : ims_view_renew(s, err);
}

int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_setting_get(s->store, "chance", &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc && b.len == HEAD_BYTES && ims_read_u32(&r) == VERSION && ims_read_u64(&r) == v->mean_sum
		&& ims_read_u32(&r) == v->space.dim) {
		v->cohort_rows = ims_read_u32(&r);
		v->cohort_sum = ims_read_u64(&r);
		v->chance.scale = ims_read_f32(&r);
		v->chance.shape = ims_read_f32(&r);
		v->has_chance = v->cohort_rows >= CHANCE_ROWS && v->cohort_rows <= CHANCE_COHORT;
		for (int i = 0; i <= IMS_CHANCE_BODY; i++) {
			v->chance.body[i] = ims_read_f32(&r);
			v->has_chance &= isfinite(v->chance.body[i])
				&& (!i || v->chance.body[i] >= v->chance.body[i - 1]);
		}
		v->has_chance &= isfinite(v->chance.scale) && isfinite(v->chance.shape);
	}
	ims_buf_free(&b);
	return rc;
}

void ims_cohort_free(chance_cohort *c)
{
	if (!c)
		return;
	ims_free(c->scale);
	ims_free(c->square);
	ims_free(c->code);
	ims_free(c);
}

static int unpack(const view *v, const buf *b, chance_cohort **out, imgsearch_error *err)
{
	reader r = { .data = b->data, .len = b->len };
	size_t n = v->cohort_rows, dim = v->space.dim, stride = (dim + 63) / 64 * 64;
	chance_cohort *c = ims_zalloc(1, sizeof *c);
	if (!c)
		return ims_nomem(err);
	*c = (chance_cohort){
		n,
		stride,
		ims_alloc(n, sizeof(float)),
		ims_alloc(n, sizeof(float)),
		ims_alloc_aligned(n, stride),
	};
	if (!c->scale || !c->square || !c->code) {
		ims_cohort_free(c);
		return ims_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		c->scale[i] = ims_read_f32(&r);
		c->square[i] = ims_read_f32(&r);
		memcpy(c->code + i * stride, ims_read_bytes(&r, dim), dim);
		memset(c->code + i * stride + dim, 128, stride - dim);
	}
	*out = c;
	return 0;
}

int ims_cohort_get(imgsearch *s, view *v, const chance_cohort **out, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = 0;
	pthread_mutex_lock(&v->lock);
	if (!v->cohort_tried) {
		rc = ims_store_setting_get(s->store, "chance_rows", &b, err);
		if (!rc && b.len == v->cohort_rows * ((size_t)v->space.dim + 8)
			&& ims_checksum(b.data, b.len, 0) == v->cohort_sum)
			rc = unpack(v, &b, &v->cohort, err);
		v->cohort_tried = !rc;
	}
	*out = v->cohort;
	pthread_mutex_unlock(&v->lock);
	ims_buf_free(&b);
	return rc;
}
