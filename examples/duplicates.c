/*
 * Near-duplicates, such as resized or turned pictures: the first of each group stays, the others
 * are kept out of the index on purpose. No file is deleted. Then where the pictures lie on a map of
 * similarity.
 *
 *	duplicates INDEX [A B]    first says that the pictures A and B are no duplicates
 *	duplicates INDEX --undo   takes in again what was kept out
 */
#include <imgsearch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(imgsearch *s, int64_t id, const char *what, imgsearch_error *err)
{
	imgsearch_item *item;
	int rc = imgsearch_item_get(s, id, &item, err);
	if (rc)
		return rc;
	printf("  %s %s\n", what, item->path);
	imgsearch_item_free(item);
	return 0;
}

static int keep_first(imgsearch *s, imgsearch_error *err)
{
	imgsearch_groups_options options = IMGSEARCH_INIT(imgsearch_groups_options);
	imgsearch_groups *groups;
	options.kinds = 1u << IMGSEARCH_SAMENESS_PICTURE; /* equal files are one picture already */
	int rc = imgsearch_groups_find(s, &options, NULL, &groups, err);
	if (rc)
		return rc;
	for (size_t i = 0; rc == 0 && i < groups->count; i++) {
		const imgsearch_group *g = groups->items[i];
		printf("the same %zu times\n", g->count);
		for (size_t k = 0; rc == 0 && k < g->count; k++)
			rc = show(s, g->items[k], k ? "out " : "kept", err);
		if (rc == 0)
			rc = imgsearch_index_keep_out(s, g->items + 1, g->count - 1, NULL, err);
	}
	imgsearch_groups_free(groups);
	return rc;
}

static int reject(imgsearch *s, const char *a, const char *b, imgsearch_error *err)
{
	int64_t id[2];
	int rc = imgsearch_item_find(s, a, &id[0], err);
	if (rc == 0)
		rc = imgsearch_item_find(s, b, &id[1], err);
	return rc ? rc : imgsearch_groups_reject(s, id[0], id[1], err);
}

/* The ids are gathered first: a callback would change the list that it is shown. */
typedef struct id_list {
	int64_t id[1000];
	size_t n;
} id_list;

static int gather(void *user, const imgsearch_item *item)
{
	id_list *l = (id_list *)user;
	if (l->n < sizeof l->id / sizeof *l->id)
		l->id[l->n++] = item->id;
	return 0;
}

static int undo(imgsearch *s, imgsearch_error *err)
{
	id_list l;
	l.n = 0;
	int rc = imgsearch_item_each(s, IMGSEARCH_STATE_DELETED, gather, &l, NULL, err);
	if (rc == 0 && l.n)
		rc = imgsearch_index_readmit(s, l.id, l.n, NULL, err);
	if (rc == 0)
		printf("%zu taken in again\n", l.n);
	return rc;
}

/* A grid of 8 x 8 cells, one picture in each at most. */
static int show_map(imgsearch *s, imgsearch_error *err)
{
	enum { SIDE = 8 };
	imgsearch_map_options options = IMGSEARCH_INIT(imgsearch_map_options);
	imgsearch_map *map;
	uint32_t cells[SIDE * SIDE];
	char picture[SIDE * SIDE];
	options.max_points = SIDE * SIDE;
	int rc = imgsearch_map_compute(s, &options, NULL, &map, err);
	if (rc)
		return rc;
	rc = imgsearch_map_grid(map, SIDE, SIDE, NULL, cells, SIDE * SIDE, err);
	memset(picture, '.', sizeof picture);
	for (size_t i = 0; rc == 0 && i < map->count; i++)
		picture[cells[i]] = '#';
	for (size_t row = 0; rc == 0 && row < SIDE; row++)
		printf("%.*s\n", SIDE, picture + row * SIDE);
	imgsearch_map_free(map);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	imgsearch *s = NULL;
	if (argc < 2 || argc > 4)
		return fprintf(stderr, "usage: duplicates INDEX [A B | --undo]\n"), 2;
	int rc = imgsearch_open(argv[1], NULL, NULL, &s, &err);
	if (rc == 0 && argc == 4)
		rc = reject(s, argv[2], argv[3], &err);
	if (rc == 0)
		rc = argc == 3 ? undo(s, &err) : keep_first(s, &err);
	if (rc == 0)
		rc = show_map(s, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	imgsearch_close(s);
	return rc != 0;
}
