/*
 * bench-chance: are chance scores right? For indexes of some sets of pictures, the pictures of the
 * other sets ask: how many results have a chance of at most 10, 1, 0.1, against the 10, 1, 0.1 that
 * were promised. An index of one set is also asked by its own pictures: how many of other folders
 * come within the promise. Arguments: NAME=INDEX of each set, those after -- only ask. Vectors are
 * taken from the indexes; the ones asked are made in memory.
 */
#include "imgsearch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 12, PROMISES = 3, ASKED = 200 };
static const double promised[PROMISES] = { 10, 1, 0.1 };

/* Sets that show the same kinds of things: what they find in each other is no chance. */
static const char *const kin[][2] = {
	{ "houses", "intel" },
	{ "houses", "imagenette" },
	{ "flowers", "caltech101" },
	{ "cats-dogs", "caltech101" },
	{ "cats-dogs", "imagenette" },
	{ "intel", "imagenette" },
	{ "scenes", "intel" },
};

typedef struct set {
	const char *name;
	size_t n, dim;
	int64_t *id;
	char **path;
	float *row;
} set;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "chance: %s\n", what);
	exit(1);
}

static int take_rows(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	set *s = user;
	s->dim = dim;
	s->id = realloc(s->id, (s->n + n) * sizeof *s->id);
	s->row = realloc(s->row, (s->n + n) * dim * sizeof *s->row);
	if (!s->id || !s->row)
		die("no memory");
	memcpy(s->id + s->n, ids, n * sizeof *ids);
	memcpy(s->row + s->n * dim, rows, n * dim * sizeof *rows);
	s->n += n;
	return 0;
}

static int take_path(void *user, const imgsearch_item *item)
{
	set *s = user;
	for (size_t i = 0; i < s->n; i++)
		if (s->id[i] == item->id)
			s->path[i] = strdup(item->path);
	return 0;
}

static void load(set *s, const char *arg)
{
	imgsearch *index;
	imgsearch_error err;
	imgsearch_options o = { .struct_size = sizeof o, .must_exist = 1 };
	const char *equals = strchr(arg, '=');
	if (!equals || imgsearch_open(equals + 1, &o, NULL, &index, &err))
		die(equals ? err.message : "NAME=INDEX is needed");
	s->name = strndup(arg, (size_t)(equals - arg));
	if (imgsearch_vectors_each(index, take_rows, s, NULL, &err)
		|| !(s->path = calloc(s->n, sizeof *s->path)))
		die("no vectors");
	if (imgsearch_item_each(index, IMGSEARCH_STATE_INDEXED, take_path, s, NULL, &err))
		die(err.message);
	imgsearch_close(index);
}

static int related(const char *a, const char *b)
{
	for (size_t i = 0; i < sizeof kin / sizeof *kin; i++)
		if ((!strcmp(a, kin[i][0]) && !strcmp(b, kin[i][1]))
			|| (!strcmp(a, kin[i][1]) && !strcmp(b, kin[i][0])))
			return 1;
	return 0;
}

static imgsearch *make(const set *sets, unsigned which)
{
	imgsearch *index;
	imgsearch_error err;
	imgsearch_options o = { .struct_size = sizeof o, .dim = (uint32_t)sets[0].dim };
	if (imgsearch_open(":memory:", &o, NULL, &index, &err))
		die(err.message);
	for (int s = 0; s < SETS; s++)
		for (size_t i = 0; which >> s & 1 && i < sets[s].n; i++) {
			imgsearch_input in = imgsearch_input_vector(sets[s].row + i * sets[s].dim, sets[s].dim);
			imgsearch_index_add_options named = { .struct_size = sizeof named,
				.name = sets[s].path[i] };
			if (named.name && imgsearch_index_add(index, &in, &named, NULL, NULL, &err))
				die(err.message);
		}
	if (imgsearch_build(index, NULL, NULL, NULL, &err))
		die(err.message);
	return index;
}

static int one_folder(const char *a, const char *b)
{
	const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
	return x && y && x - a == y - b && !strncmp(a, b, (size_t)(x - a));
}

/* Mean number of results within each promise, but for those of the query's own folder. */
static void count(imgsearch *index, const set *q, double seen[PROMISES])
{
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch_query_options o = { .struct_size = sizeof o, .k = 100000 };
	size_t step = q->n / ASKED + 1, asked = 0;
	memset(seen, 0, PROMISES * sizeof *seen);
	for (size_t i = 0; i < q->n; i += step, asked++) {
		imgsearch_input in = imgsearch_input_vector(q->row + i * q->dim, q->dim);
		if (imgsearch_query(index, &in, 1, &o, NULL, &hits, &err))
			die(err.message);
		for (size_t h = 0; h < hits->count; h++)
			for (int p = 0; p < PROMISES; p++)
				seen[p] += hits->items[h]->chance <= promised[p]
					&& !(q->path[i] && one_folder(q->path[i], hits->items[h]->path));
		imgsearch_hits_free(hits);
	}
	for (int p = 0; p < PROMISES; p++)
		seen[p] /= (double)asked;
}

int main(int argc, char **argv)
{
	static set sets[SETS];
	int n = 0, mixed = 0;
	double off[PROMISES] = { 0 };
	size_t measured = 0;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--"))
			mixed = n;
		else if (n < SETS)
			load(&sets[n++], argv[i]);
	for (unsigned which = 1; which < 1u << mixed; which++) {
		imgsearch *index = make(sets, which);
		for (int s = 0; s < mixed; s++)
			printf("%s%s", which >> s & 1 ? " " : "", which >> s & 1 ? sets[s].name : "");
		printf(":\n");
		for (int q = 0; q < n; q++) {
			double seen[PROMISES];
			int own = which == 1u << q, skip = which >> q & 1 && !own;
			for (int s = 0; s < mixed; s++)
				skip |= s != q && (which >> s & 1) && related(sets[q].name, sets[s].name);
			if (skip)
				continue;
			count(index, &sets[q], seen);
			printf("  %-14s promised 10, 1, 0.1: seen %6.2f %6.2f %6.2f%s\n", sets[q].name, seen[0],
				seen[1], seen[2], own ? " of other folders" : "");
			measured += !own;
			for (int p = 0; !own && p < PROMISES; p++)
				off[p] += fabs(log10(fmax(seen[p], promised[p] / 30) / promised[p]));
		}
		imgsearch_close(index);
		fflush(stdout);
	}
	printf("off by a factor of (geometric mean of %zu): %.2f at 10, %.2f at 1, %.2f at 0.1\n",
		measured, pow(10, off[0] / (double)measured), pow(10, off[1] / (double)measured),
		pow(10, off[2] / (double)measured));
	return 0;
}
