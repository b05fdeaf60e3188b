/*
 * The quantiser: compact codes of the rows of a collection, kept in memory instead of the rows, with lower bounds of
 * distances. exact, kdtree and pca share it. The papers that it stands on are named in exact.c.
 *
 * A row x, less the mean, is coded level by level, 8 bits a number: first its leading principal components, interleaved
 * by 16 rows and scored by kernel, then further ones, likewise as long as many rows get so far, then a record a row; last,
 * the raw coordinates. Beside the codes of a level stand
 *	N  the squared length of the decoded part,
 *	r  the length of what this level and those before it leave out, and
 *	e  a bound of the distance between (decoded, r) and the true (projected, left out), rounding included.
 * A projection with the length of the rest as one more coordinate never lengthens a distance, so
 *	|q - x| >= |(q', r_q) - (x', r_x)| - e_q - e
 * and the kernels compute the first term from integers. cascade.h searches with it.
 */
#ifndef IMS_SEARCH_CODES_H
#define IMS_SEARCH_CODES_H

#include "search/axes/rotation.h"
#include "search/search.h"

#include <string.h>

/* Items of one size in chunks of about 10 MiB, read from the source (in pieces of 1 MiB) when first touched. */
typedef struct column {
	size_t stride;
	unsigned shift;              /* 1 << shift items a chunk */
	size_t chunks, room;         /* room: of the array; the last chunk may be shorter than the others */
	size_t last_cap;             /* items the last chunk can take */
	_Atomic(uint8_t *) *chunk;
	uint32_t first;              /* its number in the source */
} column;

enum { CODE_LEVELS = 6 };

typedef struct code_level {
	uint32_t from, count;        /* components; raw: 0, dim */
	bool raw, blocks;            /* blocks: interleaved by 16 rows */
	uint32_t bytes;              /* of codes a row */
	float *scale;                /* of each component: what one step is worth */
	float longest;               /* of all rows: length of (code - 128) */
	column col;                  /* blocks as kernels->scan_u8_i16 wants them; rows: codes, then r before, N, r, e (raw: N, e) */
	float *block_error;          /* blocks: e, the largest of 16 rows */
} code_level;

typedef struct codes {
	uint32_t dim, components;
	imgsearch_metric metric;
	float *mean, *panels;        /* panels: the axes for kernels->panel; NULL without components */
	double skew;                 /* how far the axes are from orthonormal: norm of (axes axes' - 1) */
	double radius;               /* the longest row, less the mean */
	code_level level[CODE_LEVELS];
	unsigned levels;
	column ids;
	size_t block_cap;            /* of every block_error */
	size_t n, live;              /* rows coded, and of those not removed */
	/* changes: made when first needed */
	uint32_t *by_id, *free_slot; /* live slots in order of id; dead ones */
	size_t by_id_cap, n_free, free_cap;
	bool has_by_id;
	/* where it came from; NULL where it was built */
	const chunk_source *source;
	pthread_mutex_t lock;        /* reading chunks */
} codes;

/* Enough rows for codes to be of use, and not too many. */
bool ims_codes_worth(const row_source *rows);

/*
 * Codes every row of the source. slot: where the i-th row of the scan goes, a permutation; NULL: neighbours together. *out is NULL
 * and the result 0 where codes are of no use: few rows, or numbers too large or small for bounds in f32.
 */
int ims_codes_build(codes **out, const row_source *rows, const rotation *axes, const uint32_t *slot, job *job, imgsearch_error *err);
void ims_codes_free(codes *c);
uint64_t ims_codes_memory(const codes *c);

/* How many components exact wants for such rows. */
uint32_t ims_codes_components(uint32_t dim);

/* Chunks from *number on, which is moved past them. */
int ims_codes_save(codes *c, const chunk_sink *sink, uint32_t *number, imgsearch_error *err);
int ims_codes_load(codes **out, const row_source *rows, const chunk_source *source, uint32_t *number, imgsearch_error *err);

/* Callers hold off every reader. */
int ims_codes_add(codes *c, const int64_t *ids, const float *rows, size_t n, imgsearch_error *err);
int ims_codes_remove(codes *c, const int64_t *ids, size_t n, imgsearch_error *err);

/* A chunk of a column that is not in memory yet; as ims_codes_at. */
const uint8_t *ims_codes_load_chunk(codes *c, column *col, size_t chunk, imgsearch_error *err);

/* Item i of a column, NULL with err set when its chunk cannot be read. */
static inline const uint8_t *ims_codes_at(const codes *c, const column *col, size_t i, imgsearch_error *err)
{
	const uint8_t *chunk = atomic_load_explicit(&col->chunk[i >> col->shift], memory_order_acquire);
	if (!chunk)
		chunk = ims_codes_load_chunk((codes *)c, (column *)col, i >> col->shift, err);
	return chunk ? chunk + (i & (((size_t)1 << col->shift) - 1)) * col->stride : NULL;
}

/* Components of a row less the mean: y has room for `components` rounded up to 32; centred for dim. */
void ims_codes_project(const codes *c, const float *centred, size_t n, float *y, size_t stride);

/* How far m computed components of a row of this length may be from those on truly orthonormal axes. */
double ims_codes_slack(const codes *c, uint32_t m, double length);

/* r = sqrt(length^2 - head2), and how far it may be from the truth, given the slack of the head. */
double ims_codes_rest(double length, double head2, double slack, double *r);

/* Chunks of plain bytes, about 1 MiB each. */
int ims_codes_put_bytes(const chunk_sink *sink, uint32_t *number, const void *data, size_t size, imgsearch_error *err);
int ims_codes_get_bytes(const chunk_source *source, uint32_t *number, void *data, size_t size, imgsearch_error *err);

#endif
