/*
 * imgsearch_map_compute: reads the rows into memory and projects them onto their two leading
 * principal components. Unless only those are asked for, t-SNE follows, over the nearest rows of
 * each row, which an exact searcher finds. The same index gives the same map.
 */
#include "collection/map.h"

#include "analysis/grid.h"
#include "analysis/plane.h"
#include "analysis/tsne.h"
#include "base/ids.h"
#include "collection/memory_rows.h"
#include "collection/self_join.h"
#include "handle/filter.h"
#include "handle/view.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct map_rows {
	job *job;
	int64_t *ids, *allowed; /* allowed: the only ids to use, ascending; NULL: all */
	float *rows;
	size_t n, cap, n_allowed, seen, stride;
	uint32_t dim;
} map_rows;

typedef struct neighbours {
	int32_t *row;
	float *distance;
	size_t k;
} neighbours;

static int add_rows(void *user, const int64_t *ids, const float *rows, size_t n)
{
	map_rows *m = user;
	for (size_t i = 0; i < n; i++) {
		if (m->allowed && !ims_id_find(m->allowed, m->n_allowed, ids[i], NULL))
			continue;
		if (m->seen++ % m->stride || m->n == m->cap)
			continue;
		m->ids[m->n] = ids[i];
		memcpy(m->rows + m->n++ * m->dim, rows + i * m->dim, m->dim * sizeof(float));
	}
	return 0;
}

static int read_rows(imgsearch *s, const row_source *source, const imgsearch_map_options *o,
	map_rows *m, imgsearch_error *err)
{
	store_counts counts; /* the number of rows in a view may be out of date */
	int rc = ims_store_counts(s->store, &counts, err);
	if (rc)
		return rc;
	if (o->filter)
		rc = ims_filter_allowed(s, o->filter, m->job, &m->allowed, &m->n_allowed, err);
	if (rc)
		return rc;
	size_t all = o->filter ? m->n_allowed : (size_t)counts.vectors,
		   most = o->max_points ? (size_t)o->max_points : IMGSEARCH_MAP_POINTS_DEFAULT;
	m->stride = all > most ? (all + most - 1) / most : 1;
	m->cap = (all + m->stride - 1) / m->stride;
	m->dim = source->dim;
	m->ids = ims_alloc(m->cap + 1, sizeof *m->ids);
	m->rows = ims_alloc_aligned(m->cap + 1, (m->dim + 1) * sizeof(float));
	if (!m->ids || !m->rows)
		return ims_nomem(err);
	return m->cap ? source->scan(source->ctx, add_rows, m, err) : 0;
}

static int add_neighbour(void *user, size_t row, size_t rank, neighbour found)
{
	neighbours *nb = user;
	nb->row[row * nb->k + rank] = (int32_t)found.id;
	nb->distance[row * nb->k + rank] = found.distance;
	return 0;
}

static int run_tsne(const map_rows *m, imgsearch_metric metric, const imgsearch_map_options *o,
	float *xy, job *job, imgsearch_error *err)
{
	neighbours nb = { .k = ims_analysis_tsne_neighbours(m->n, o->perplexity) };
	self_join join = {
		.k = nb.k,
		.max_distance = INFINITY,
		.each = add_neighbour,
		.user = &nb,
		.total = m->n,
	};
	memory_rows rows;
	if (m->n < 2)
		return 0;
	/* t-SNE needs a distance, which the inner product is not. */
	ims_memory_rows_init(&rows, m->rows, m->n, m->dim,
		metric == IMGSEARCH_METRIC_IP ? IMGSEARCH_METRIC_L2 : metric);
	int64_t *numbers = ims_alloc(m->n, sizeof *numbers);
	nb.row = ims_alloc(m->n * nb.k, sizeof *nb.row);
	nb.distance = ims_zalloc(m->n * nb.k, sizeof *nb.distance);
	int rc = numbers && nb.row && nb.distance ? 0 : ims_nomem(err);
	if (!rc) {
		memset(nb.row, 0xff, m->n * nb.k * sizeof *nb.row); /* -1: none */
		for (size_t i = 0; i < m->n; i++)
			numbers[i] = (int64_t)i;
		rc = ims_search_build(&join.index, "exact", &rows.source, &(search_params){ 0 }, job, err);
	}
	if (!rc)
		rc = ims_self_join(&join, m->rows, numbers, m->n, m->dim, job, err);
	ims_search_free(join.index);
	if (!rc) {
		tsne_options t = { .perplexity = o->perplexity, .seed = o->seed };
		rc = ims_analysis_tsne(xy, m->n, nb.k, nb.row, nb.distance, &t, job, err);
	}
	ims_free(numbers);
	ims_free(nb.row);
	ims_free(nb.distance);
	return rc;
}

static int make_points(const map_rows *m, const float *xy, imgsearch_map **out,
	imgsearch_error *err)
{
	float low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
	imgsearch_map *map = ims_result_new(sizeof *map);
	imgsearch_map_point **point = ims_result_list(map, m->n, sizeof **point);
	if (!map || !point) {
		ims_result_free(map);
		return ims_nomem(err);
	}
	for (size_t c = 0; c < 2 * m->n; c++)
		low[c & 1] = fminf(low[c & 1], xy[c]), high[c & 1] = fmaxf(high[c & 1], xy[c]);
	float side = fmaxf(fmaxf(high[0] - low[0], high[1] - low[1]), 1e-20f);
	for (size_t i = 0; i < m->n; i++)
		*point[i] = (imgsearch_map_point){
			m->ids[i],
			m->n > 1 ? (xy[2 * i] - low[0]) / side : 0.5f,
			m->n > 1 ? (xy[2 * i + 1] - low[1]) / side : 0.5f,
		};
	map->count = m->n;
	map->items = (const imgsearch_map_point *const *)point;
	*out = map;
	return 0;
}

int ims_map(imgsearch *s, const imgsearch_map_options *o, job *job, imgsearch_map **out,
	imgsearch_error *err)
{
	map_rows m = { .job = job };
	view *v = NULL;
	float *xy = NULL;
	int rc = ims_view_acquire(s, &v, err);
	if (!rc)
		rc = read_rows(s, &v->rows, o, &m, err);
	if (!rc && !(xy = ims_zalloc(2 * m.n + 1, sizeof *xy)))
		rc = ims_nomem(err);
	if (!rc)
		rc = ims_analysis_plane(xy, m.rows, m.n, m.dim, job->pool, err);
	if (!rc && !o->pca)
		rc = run_tsne(&m, v->space.metric, o, xy, job, err);
	if (!rc)
		rc = make_points(&m, xy, out, err);
	ims_view_release(v);
	ims_free(m.ids);
	ims_free(m.allowed);
	ims_free(m.rows);
	ims_free(xy);
	return rc;
}

void imgsearch_map_free(imgsearch_map *map)
{
	ims_result_free(map);
}

int ims_map_grid(const imgsearch_map *map, uint32_t columns, uint32_t rows, uint32_t *cell,
	const stop_token *stop, imgsearch_error *err)
{
	float *xy = ims_alloc(2 * map->count + 1, sizeof *xy);
	if (!xy)
		return ims_nomem(err);
	for (size_t i = 0; i < map->count; i++)
		xy[2 * i] = map->items[i]->x, xy[2 * i + 1] = map->items[i]->y;
	int rc = ims_analysis_grid(cell, xy, map->count, columns, rows, stop, err);
	ims_free(xy);
	return rc;
}
