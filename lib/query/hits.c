/* Looks the ids up in one statement, then packs everything into one block. */
#include "query/hits.h"

#include "base/path.h"
#include "handle/space.h"

#include <math.h>
#include <string.h>

typedef struct hit_cell {
	char *name, *value;
	bool title;
} hit_cell;

/* One neighbour and what was looked up; the strings are owned until they are packed. */
typedef struct hit_row {
	int64_t id;
	float distance;
	bool gone; /* the picture is no longer indexed */
	char *path;
	hit_cell *cell;
	size_t cells, cap;
} hit_row;

static void free_rows(hit_row *rows, size_t n)
{
	for (size_t i = 0; rows && i < n; i++) {
		for (size_t c = 0; c < rows[i].cells; c++) {
			ims_free(rows[i].cell[c].name);
			ims_free(rows[i].cell[c].value);
		}
		ims_free(rows[i].cell);
		ims_free(rows[i].path);
	}
	ims_free(rows);
}

static int add_cell(hit_row *r, const store_cell *cell)
{
	hit_cell *grown = ims_grow(r->cell, r->cells, &r->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	r->cell = grown;
	hit_cell *added = &r->cell[r->cells++];
	*added = (hit_cell){ ims_strdup(cell->name), ims_strdup(cell->value ? cell->value : ""),
		cell->title };
	return added->name && added->value ? 0 : IMGSEARCH_ENOMEM;
}

static int fill_row(void *user, size_t i, const store_picture *p, const char *root_path,
	const store_cell *cell)
{
	hit_row *r = (hit_row *)user + i;
	r->gone = p->state != IMGSEARCH_STATE_INDEXED;
	if (!r->path && !(r->path = ims_path_join(p->root ? root_path : NULL, p->path)))
		return IMGSEARCH_ENOMEM;
	return cell ? add_cell(r, cell) : 0;
}

static int look_up(imgsearch *s, hit_row *rows, size_t n, imgsearch_error *err)
{
	int64_t *ids = ims_alloc(n, sizeof *ids);
	for (size_t i = 0; ids && i < n; i++)
		ids[i] = rows[i].id;
	int rc = ids ? ims_store_pictures_lookup(s->store, ids, n, fill_row, rows, err)
				 : IMGSEARCH_ENOMEM;
	for (size_t i = 0; !rc && i < n; i++)
		if (!rows[i].path && !(rows[i].path = ims_format("id:%lld", (long long)rows[i].id)))
			rc = IMGSEARCH_ENOMEM;
	ims_free(ids);
	return rc == IMGSEARCH_ENOMEM ? ims_nomem(err) : rc;
}

/* Copies text to *at and moves *at behind it. */
static char *pack(char **at, const char *text)
{
	char *here = *at;
	size_t n = strlen(text) + 1;
	memcpy(here, text, n);
	*at += n;
	return here;
}

static void pack_row(imgsearch_hit *hit, const hit_row *r, imgsearch_metric metric,
	imgsearch_column *column, char **text)
{
	*hit = (imgsearch_hit){ .id = r->id,
		.path = pack(text, r->path),
		.columns = column,
		.n_columns = r->cells,
		.score = ims_score(metric, r->distance),
		.chance = NAN,
		.distance = metric == IMGSEARCH_METRIC_IP ? NAN : sqrtf(r->distance) };
	for (size_t c = 0; c < r->cells; c++, column++) {
		column->name = pack(text, r->cell[c].name);
		column->value = pack(text, r->cell[c].value);
		if (r->cell[c].title && *column->value)
			hit->title = column->value;
	}
}

/* Packs one block: the hits, the array of hits, the columns, the strings. */
static imgsearch_hits *pack_rows(imgsearch_metric metric, const hit_row *rows, size_t n)
{
	size_t columns = 0, text = 0, kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].gone)
			continue;
		kept++;
		text += strlen(rows[i].path) + 1;
		columns += rows[i].cells;
		for (size_t c = 0; c < rows[i].cells; c++)
			text += strlen(rows[i].cell[c].name) + strlen(rows[i].cell[c].value) + 2;
	}
	imgsearch_hits *hits = ims_zalloc(sizeof *hits + kept * sizeof(imgsearch_hit)
			+ columns * sizeof(imgsearch_column) + text,
		1);
	if (!hits)
		return NULL;
	imgsearch_hit *hit = (imgsearch_hit *)(hits + 1);
	imgsearch_column *column = (imgsearch_column *)(hit + kept);
	char *at = (char *)(column + columns);
	hits->count = hits->better_than_chance = kept;
	hits->hit = hit;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].gone)
			continue;
		pack_row(hit++, &rows[i], metric, column, &at);
		column += rows[i].cells;
	}
	return hits;
}

int ims_hits_make(imgsearch *s, imgsearch_metric metric, const topk *found, imgsearch_hits **out,
	imgsearch_error *err)
{
	*out = NULL;
	hit_row *rows = ims_zalloc(found->n, sizeof *rows);
	if (!rows)
		return ims_nomem(err);
	for (size_t i = 0; i < found->n; i++) {
		rows[i].id = found->item[i].id;
		rows[i].distance = found->item[i].distance;
	}
	int rc = look_up(s, rows, found->n, err);
	if (!rc && !(*out = pack_rows(metric, rows, found->n)))
		rc = ims_nomem(err);
	free_rows(rows, found->n);
	return rc;
}

void imgsearch_hits_free(imgsearch_hits *hits)
{
	ims_free(hits);
}
