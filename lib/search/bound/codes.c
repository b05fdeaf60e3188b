/* Codes: memory, and the encoding of one row with the bounds beside its code. */
#include "search/bound/codes.h"

#include <math.h>
#include <string.h>

static const double unit = 0x1p-24; /* the unit roundoff of f32 */

bool ims_codes_suit(const row_source *rows)
{
	enum { FEW = 256 /* fewer rows are scanned as fast */ };
	return rows->n >= FEW && rows->n <= CODES_MAX;
}

codes *ims_codes_new(imgsearch_error *err)
{
	codes *c = ims_zalloc(1, sizeof *c);
	if (!c) {
		ims_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	ims_column_init(&c->ids, sizeof(int64_t), &c->lock);
	return c;
}

void ims_codes_free(codes *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->stages; i++)
		ims_stage_free(&c->stage[i]);
	ims_column_free(&c->ids);
	pthread_mutex_destroy(&c->lock);
	ims_projection_free(&c->axes);
	ims_free(c->mean);
	ims_free(c->by_id);
	ims_free(c->free_slot);
	ims_free(c);
}

uint64_t ims_codes_memory(const codes *c)
{
	if (!c)
		return 0;
	uint64_t bytes = sizeof *c + ims_column_memory(&c->ids) + c->dim * sizeof(float)
		+ (c->by_id_cap + c->free_cap) * sizeof(uint32_t) + ims_projection_size(&c->axes);
	for (unsigned i = 0; i < c->stages; i++) {
		const code_stage *s = &c->stage[i];
		size_t floats = s->count + (s->blocks ? c->block_cap : 0);
		bytes += ims_column_memory(&s->column) + floats * sizeof(float);
	}
	return bytes;
}

/* ------------------------------------------------------------------------------------ room ---- */

/* The first terms of a block of the first stage: infinity where the row is removed. */
static float *first_term(codes *c, size_t slot)
{
	code_stage *s = &c->stage[0];
	uint8_t *block = ims_column_item(&s->column, slot / IMS_BLOCK_ROWS);
	return (float *)(void *)(block + s->bytes * IMS_BLOCK_ROWS) + slot % IMS_BLOCK_ROWS;
}

bool ims_codes_is_removed(codes *c, size_t slot)
{
	return *first_term(c, slot) == INFINITY;
}

void ims_codes_set_removed(codes *c, size_t slot)
{
	*first_term(c, slot) = INFINITY;
}

static int reserve_block_errors(codes *c, size_t blocks, imgsearch_error *err)
{
	size_t had = c->block_cap;
	if (blocks <= had)
		return 0;
	size_t cap = had ? blocks + blocks / 8 : blocks;
	for (unsigned i = 0; i < c->stages; i++) {
		code_stage *s = &c->stage[i];
		if (!s->blocks)
			continue;
		float *e = ims_realloc(s->block_error, cap, sizeof *e);
		if (!e)
			return ims_nomem(err);
		memset(e + had, 0, (cap - had) * sizeof *e);
		s->block_error = e;
	}
	c->block_cap = cap;
	return 0;
}

int ims_codes_reserve(codes *c, size_t n, imgsearch_error *err)
{
	size_t blocks = ims_codes_blocks(n), had = ims_codes_blocks(c->n);
	int rc = ims_column_reserve(&c->ids, n, err);
	for (unsigned i = 0; !rc && i < c->stages; i++)
		rc = ims_column_reserve(&c->stage[i].column, ims_stage_items(&c->stage[i], n), err);
	if (!rc)
		rc = reserve_block_errors(c, blocks, err);
	for (size_t i = had * IMS_BLOCK_ROWS; !rc && i < blocks * IMS_BLOCK_ROWS; i++)
		ims_codes_set_removed(c, i);
	return rc;
}

/* -------------------------------------------------------------------------------- encoding ---- */

void ims_codes_centre(const codes *c, const float *row, float *centred)
{
	for (size_t i = 0; i < c->dim; i++)
		centred[i] = row[i] - c->mean[i];
}

static float round_up(double v)
{
	return (float)(v * (1 + 4 * unit)) + 1e-37f;
}

static void raise_bounds(codes *c, code_stage *s, size_t slot, double length, float norm, float e)
{
	pthread_mutex_lock(&c->lock);
	s->longest = fmaxf(s->longest, norm);
	c->radius = length > c->radius ? length : c->radius;
	if (s->blocks) {
		float *block = &s->block_error[slot / IMS_BLOCK_ROWS];
		*block = fmaxf(*block, e);
	}
	pthread_mutex_unlock(&c->lock);
}

static double squared_length(const float *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	return sum;
}

void ims_codes_encode(codes *c, int64_t id, const float *centred, const float *components,
	size_t slot)
{
	double length = sqrt(squared_length(centred, c->dim)), head2 = 0, error2 = 0;
	float before = 0;
	memcpy(ims_column_item(&c->ids, slot), &id, sizeof id);
	for (unsigned i = 0; i < c->stages; i++) {
		code_stage *s = &c->stage[i];
		size_t lane = s->blocks ? slot % IMS_BLOCK_ROWS : 0;
		uint8_t *item = ims_column_item(&s->column, ims_stage_item(s, slot));
		const float *values = s->raw ? centred : components + s->first;
		quantised q = ims_stage_quantise(s, values, item, lane);
		double residual = 0, e = sqrt(q.error2) + 2 * unit * length;
		if (!s->raw) {
			for (uint32_t j = 0; j < s->count; j++)
				head2 += (double)values[j] * values[j];
			error2 += q.error2;
			double error = ims_projection_error(c->dim, c->axes.skew, s->first + s->count, length);
			e = sqrt(error2) + error + ims_projection_residual(length, head2, error, &residual)
				+ 4 * unit * residual;
		}
		stage_terms terms = { before, (float)q.N, (float)residual, round_up(e) };
		ims_stage_put_terms(s, i, item, lane, c->metric == IMGSEARCH_METRIC_IP, &terms);
		raise_bounds(c, s, slot, length, q.norm, terms.error);
		before = terms.residual;
	}
}

bool ims_codes_are_sound(const codes *c)
{
	double mean2 = squared_length(c->mean, c->dim);
	return c->radius > 1e-12 && c->radius < 1e15 && mean2 < 1e30 && c->axes.skew < 0.01;
}
