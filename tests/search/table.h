/*
 * What tests of searchers share: rows and chunks in memory, random data of several kinds, comparing
 * with the scan.
 */
#ifndef TESTS_SEARCH_TABLE_H
#define TESTS_SEARCH_TABLE_H

#include "search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows in order of id. */
typedef struct table {
	int64_t *ids;
	float *rows;
	size_t n, cap;
	row_source source;
	pthread_rwlock_t lock;
} table;

static inline int table_scan(void *ctx, int (*each)(void *, const int64_t *, const float *, size_t),
	void *user, imgsearch_error *err)
{
	table *t = ctx;
	int rc = 0;
	(void)err;
	pthread_rwlock_rdlock(&t->lock);
	for (size_t i = 0; i < t->n && !rc; i += 50)
		rc = each(user, t->ids + i, t->rows + i * t->source.dim, t->n - i < 50 ? t->n - i : 50);
	pthread_rwlock_unlock(&t->lock);
	return rc;
}

static inline size_t table_find(const table *t, int64_t id)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (t->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static inline int table_fetch(void *ctx, const int64_t *ids, size_t n, float *out, uint8_t *found,
	imgsearch_error *err)
{
	table *t = ctx;
	(void)err;
	pthread_rwlock_rdlock(&t->lock);
	for (size_t i = 0; i < n; i++) {
		size_t at = table_find(t, ids[i]);
		found[i] = at < t->n && t->ids[at] == ids[i];
		if (found[i])
			memcpy(out + i * t->source.dim, t->rows + at * t->source.dim,
				t->source.dim * sizeof(float));
	}
	pthread_rwlock_unlock(&t->lock);
	return 0;
}

static inline void table_init(table *t, uint32_t dim, imgsearch_metric metric)
{
	memset(t, 0, sizeof(*t));
	t->source = (row_source){ t, 0, dim, metric, table_scan, table_fetch, NULL };
	pthread_rwlock_init(&t->lock, NULL);
}

static inline void table_free(table *t)
{
	pthread_rwlock_destroy(&t->lock);
	free(t->ids);
	free(t->rows);
}

static inline void table_put(table *t, int64_t id, const float *row)
{
	size_t dim = t->source.dim;
	pthread_rwlock_wrlock(&t->lock);
	size_t at = table_find(t, id);
	if (at == t->n || t->ids[at] != id) {
		if (t->n == t->cap) {
			t->cap = t->cap * 2 + 64;
			t->ids = realloc(t->ids, t->cap * sizeof(*t->ids));
			t->rows = realloc(t->rows, t->cap * dim * sizeof(float));
		}
		memmove(t->ids + at + 1, t->ids + at, (t->n - at) * sizeof(*t->ids));
		memmove(t->rows + (at + 1) * dim, t->rows + at * dim, (t->n - at) * dim * sizeof(float));
		t->ids[at] = id;
		t->source.n = ++t->n;
	}
	memcpy(t->rows + at * dim, row, dim * sizeof(float));
	pthread_rwlock_unlock(&t->lock);
}

static inline void table_drop(table *t, int64_t id)
{
	size_t dim = t->source.dim;
	pthread_rwlock_wrlock(&t->lock);
	size_t at = table_find(t, id);
	if (at < t->n && t->ids[at] == id) {
		memmove(t->ids + at, t->ids + at + 1, (t->n - at - 1) * sizeof(*t->ids));
		memmove(t->rows + at * dim, t->rows + (at + 1) * dim,
			(t->n - at - 1) * dim * sizeof(float));
		t->source.n = --t->n;
	}
	pthread_rwlock_unlock(&t->lock);
}

/* Chunks kept in memory. */
typedef struct shelf {
	buf *chunk;
	uint32_t n;
} shelf;

static inline int shelf_put(void *ctx, uint32_t number, const void *data, size_t size,
	imgsearch_error *err)
{
	shelf *s = ctx;
	if (number != s->n)
		return ims_fail(err, IMGSEARCH_EINVAL, "chunk %u after %u chunks", number, s->n);
	s->chunk = realloc(s->chunk, (s->n + 1) * sizeof(*s->chunk));
	s->chunk[s->n] = (buf){ .data = malloc(size + 1), .len = size, .cap = size };
	memcpy(s->chunk[s->n++].data, data, size);
	return 0;
}

static inline int shelf_get(void *ctx, uint32_t number, buf *out, imgsearch_error *err)
{
	const shelf *s = ctx;
	if (number >= s->n)
		return ims_fail(err, IMGSEARCH_EFORMAT, "no chunk %u", number);
	ims_buf_put(out, s->chunk[number].data, s->chunk[number].len);
	return out->failed ? ims_nomem(err) : 0;
}

static inline void shelf_free(shelf *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free(s->chunk[i].data);
	free(s->chunk);
	*s = (shelf){ 0 };
}

static inline double gauss(uint64_t *random)
{
	double sum = 0;
	for (int i = 0; i < 12; i++)
		sum += ims_random_unit(random);
	return sum - 6;
}

static inline size_t below(uint64_t *random, size_t n)
{
	return (size_t)(ims_random(random) % n);
}

enum kind { CLUSTERED, UNIFORM, DUPLICATES, EQUAL, SPARSE, LINE, TINY, HUGE_VALUES, FAR, KINDS };

/* A row of a kind; for cosine of length 1. */
static inline void random_row(enum kind kind, imgsearch_metric metric, uint32_t dim,
	uint64_t *random, float *row)
{
	uint64_t own = kind == CLUSTERED ? ims_random(random) % 12
		: kind == DUPLICATES         ? ims_random(random) % 5
									 : 0;
	uint64_t fixed = own * 977 + 5;
	double length2 = 0, t = gauss(random);
	for (uint32_t i = 0; i < dim; i++) {
		double decay = 1 / (1.0 + i * 0.1);
		switch (kind) {
		case CLUSTERED:
			row[i] = (float)(decay * (gauss(&fixed) + 0.2 * gauss(random)));
			break;
		case UNIFORM:
			row[i] = (float)ims_random_unit(random);
			break;
		case DUPLICATES:
			row[i] = (float)gauss(&fixed);
			break;
		case EQUAL:
			row[i] = 1.5f;
			break;
		case SPARSE:
			row[i] = ims_random(random) % 8 ? 0 : (float)fabs(gauss(random));
			break;
		case LINE:
			row[i] = (float)(t * (i % 3));
			break;
		case TINY:
			row[i] = (float)(1e-40 * gauss(random));
			break;
		case HUGE_VALUES:
			row[i] = (float)(1e18 * gauss(random));
			break;
		default:
			row[i] = (float)(1000 + 0.01 * gauss(random));
			break;
		}
		length2 += (double)row[i] * row[i];
	}
	for (uint32_t i = 0; metric == IMGSEARCH_METRIC_COSINE && length2 > 0 && i < dim; i++)
		row[i] = (float)(row[i] / sqrt(length2));
}

/* n result lists for k. */
static inline topk *topks(size_t n, size_t k)
{
	topk *t = calloc(n + 1, sizeof(*t));
	for (size_t i = 0; i < n; i++)
		if (ims_topk_init(&t[i], k))
			abort();
	return t;
}

static inline void topks_free(topk *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ims_topk_free(&t[i]);
	free(t);
}

#endif
