/* Neighbours in the caller's form: one block with everything inside, so that it is freed at once. */
#include "handle/handle.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

float ims_score(imgsearch_metric metric, float distance)
{
	switch (metric) {
	case IMGSEARCH_COSINE: return 1 - distance / 2;
	case IMGSEARCH_IP: return -distance;
	default: return -sqrtf(distance);
	}
}

float ims_score_distance(imgsearch_metric metric, float score)
{
	switch (metric) {
	case IMGSEARCH_COSINE: return 2 * (1 - score);
	case IMGSEARCH_IP: return -score;
	default: return score > 0 ? -1 : score * score;
	}
}

bool ims_id_among(int64_t id, const int64_t *ids, size_t n)
{
	size_t i = 0;
	while (i < n && ids[i] != id)
		i++;
	return i < n;
}

/* What one hit needs; strings are ours until they are packed. */
typedef struct row {
	int64_t id;
	float distance;
	char *path;
	store_column *column;
	size_t columns;
} row;

static void free_rows(row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ims_free(rows[i].path);
		ims_store_columns_free(rows[i].column, rows[i].columns);
	}
	ims_free(rows);
}

/* 0, or 1 when the row has gone since. A vector without a picture is named by its number. */
static int read_row(imgsearch *s, row *r, imgsearch_error *err)
{
	store_picture p = { 0 };
	char *root = NULL;
	imgsearch_error why;
	int rc = ims_store_picture_get(s->store, r->id, &p, &root, &why);
	if (rc == IMGSEARCH_ENOTFOUND) {
		r->path = ims_format("id:%lld", (long long)r->id);
		return r->path ? 0 : ims_nomem(err);
	}
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	r->path = ims_path_join(p.root ? root : NULL, p.path);
	rc = p.state != IMGSEARCH_INDEXED ? 1 : r->path ? 0 : ims_nomem(err);
	if (!rc)
		rc = ims_store_columns_get(s->store, r->id, &r->column, &r->columns, err);
	ims_store_picture_clear(&p);
	ims_free(root);
	return rc;
}

static char *pack(char **at, const char *text)
{
	char *here = *at;
	size_t n = strlen(text) + 1;
	memcpy(here, text, n);
	*at += n;
	return here;
}

/* Layout of the block: hits, then the array of hits, the columns, the strings. */
static imgsearch_hits *pack_rows(imgsearch_metric metric, const row *rows, size_t n)
{
	size_t columns = 0, text = 0;
	for (size_t i = 0; i < n; i++) {
		text += strlen(rows[i].path) + 1;
		columns += rows[i].columns;
		for (size_t c = 0; c < rows[i].columns; c++)
			text += strlen(rows[i].column[c].name) + strlen(rows[i].column[c].value) + 2;
	}
	imgsearch_hits *hits = ims_zalloc(sizeof *hits + n * sizeof(imgsearch_hit) + columns * sizeof(imgsearch_column) + text, 1);
	if (!hits)
		return NULL;
	imgsearch_hit *hit = (imgsearch_hit *)(hits + 1);
	imgsearch_column *column = (imgsearch_column *)(hit + n);
	char *at = (char *)(column + columns);
	hits->count = hits->better_than_chance = n;
	hits->hit = hit;
	for (size_t i = 0; i < n; i++, hit++) {
		*hit = (imgsearch_hit){ .id = rows[i].id, .path = pack(&at, rows[i].path), .columns = column, .n_columns = rows[i].columns,
			.score = ims_score(metric, rows[i].distance), .chance = NAN,
			.distance = metric == IMGSEARCH_IP ? NAN : sqrtf(rows[i].distance) };
		for (size_t c = 0; c < rows[i].columns; c++, column++) {
			column->name = pack(&at, rows[i].column[c].name);
			column->value = pack(&at, rows[i].column[c].value);
			if (rows[i].column[c].title && *column->value)
				hit->title = column->value;
		}
	}
	return hits;
}

int ims_hits_make(imgsearch *s, imgsearch_metric metric, const topk *found, imgsearch_hits **out, imgsearch_error *err)
{
	size_t n = 0;
	int rc = 0;
	row *rows = ims_zalloc(found->n, sizeof *rows);
	*out = NULL;
	if (!rows)
		return ims_nomem(err);
	for (size_t i = 0; rc >= 0 && i < found->n; i++) {
		rows[n] = (row){ .id = found->item[i].id, .distance = found->item[i].distance };
		rc = read_row(s, &rows[n], err);
		if (rc == 1) {
			ims_free(rows[n].path);
			rows[n].path = NULL;
		}
		n += rc == 0;
	}
	if (rc >= 0) {
		*out = pack_rows(metric, rows, n);
		rc = *out ? 0 : ims_nomem(err);
	}
	free_rows(rows, rc < 0 && n < found->n ? n + 1 : n);
	return rc;
}

void imgsearch_hits_free(imgsearch_hits *hits)
{
	ims_free(hits);
}
