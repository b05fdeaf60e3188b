/*
 * What regions cost: an index of N pictures of DIM values with them and one without.
 *	regions make FOLDER N DIM	writes FOLDER/whole.db and FOLDER/parts.db, and builds graphs
 *	regions ask FOLDER [QUERIES]	a line for each kind of query, of either index
 * Pictures are made up: a picture lies near one of N / 50 topics, its parts near the picture, with
 * noise; a signature of a photograph's size is beside each. "part": queries near a part, "whole":
 * near a whole, "unknown": near a topic. Time is CPU time of one thread, the best of three rounds.
 */
#include "base/regions.h"
#include "handle/handle.h"
#include "handle/view.h"
#include "records.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARTS = IMS_REGIONS_PARTS, SIGNATURE = 4500, K = 10, STEP = 2000 };

static imgsearch_error err;

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "regions: %s\n", err.message);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* About normal: a sum of uniform numbers. */
static float noise(uint64_t *seed)
{
	double sum = -2;
	for (int i = 0; i < 4; i++)
		sum += ims_random_unit(seed);
	return (float)(sum * 1.73);
}

/* `from`, with noise beside a length of 1. As with photographs, few directions vary much. */
static void near(float *row, const float *from, float amount, size_t dim, uint64_t seed)
{
	for (int i = 0; i < 3; i++)
		ims_random_unit(&seed);
	for (size_t k = 0; k < dim; k++)
		row[k] = (from ? from[k] : 0)
			+ amount * noise(&seed) * 4 / (2 + sqrtf((float)k)) / sqrtf((float)dim);
}

static void topic(float *row, size_t i, size_t dim)
{
	near(row, NULL, 1, dim, 1000003 * i + 17);
}

static void whole(float *row, size_t i, size_t n, size_t dim)
{
	topic(row, i * 2654435761u % (n / 50 + 1), dim);
	near(row, row, 0.7f, dim, 7919 * i + 5);
}

static void parts(float *row, size_t i, size_t n, size_t dim)
{
	float *of = row + PARTS * dim;
	whole(of, i, n, dim);
	for (size_t p = 0; p < PARTS; p++)
		near(row + p * dim, of, 0.8f, dim, 104729 * i + 31 * p + 7);
}

/* ------------------------------------------------------------------------------------ make ---- */

static void write_picture(imgsearch *s, size_t i, size_t n, size_t dim, bool regions, float *rows,
	buf *data)
{
	static uint8_t signature[SIGNATURE];
	char path[60];
	uint64_t seed = i;
	for (size_t k = 0; k + 8 <= sizeof signature; k += 8) {
		uint64_t r = ims_random(&seed);
		memcpy(signature + k, &r, 8);
	}
	snprintf(path, sizeof path, "photos/%03zu/IMG_%08zu.jpg", i / 1000, i);
	parts(rows, i, n, dim);
	data->len = 0;
	ims_regions_encode(data, rows, PARTS, (uint32_t)dim);
	store_record r = {
		.way = STORE_PUT,
		.row = {
			.path = path,
			.size = 1000000,
			.state = IMGSEARCH_STATE_INDEXED,
			.width = 4000,
			.height = 3000,
		},
		.signature = signature,
		.signature_size = SIGNATURE,
		.vector = rows + PARTS * dim,
		.dim = (uint32_t)dim,
		.regions = regions ? data->data : NULL,
		.regions_size = data->len,
	};
	memcpy(r.row.hash.byte, &seed, sizeof seed);
	must(ims_store_write(s->store, &r, 1, &err));
}

static void make(const char *folder, const char *name, size_t n, size_t dim, bool regions)
{
	char file[500];
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_build_options b = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch_build_report *report;
	float *rows = ims_alloc(dim * (PARTS + 1), sizeof *rows);
	buf data = { 0 }, one = { 0 };
	o.dim = (uint32_t)dim;
	snprintf(file, sizeof file, "%s/%s", folder, name);
	must(imgsearch_open(file, &o, NULL, &s, &err));
	ims_buf_u32(&one, IMS_REGIONS_TILES);
	for (size_t i = 0; i < n; i++) {
		if (i % STEP == 0) {
			must(ims_store_write_begin(s->store, &err));
			must(ims_store_tx_begin(s->store, &err));
			if (!i)
				must(ims_view_set_dim(s, (uint32_t)dim, &err));
			if (!i && regions)
				must(ims_store_setting_set(s->store, "regions", one.data, one.len, &err));
		}
		write_picture(s, i, n, dim, regions, rows, &data);
		if (i % STEP == STEP - 1 || i == n - 1) {
			must(ims_store_tx_commit(s->store, &err));
			ims_store_write_end(s->store);
		}
	}
	double start = seconds();
	b.searcher = "graph";
	must(imgsearch_build(s, &b, NULL, &report, &err));
	printf("%s: build %.1f s of CPU time, %.1f MB of searchers\n", name, seconds() - start,
		(double)report->bytes / 1e6);
	imgsearch_build_report_free(report);
	imgsearch_close(s);
	ims_buf_free(&data);
	ims_buf_free(&one);
	ims_free(rows);
}

/* ------------------------------------------------------------------------------------- ask ---- */

static void make_query(float *row, const char *kind, size_t i, size_t n, size_t dim, float *rows)
{
	size_t of = (i * 7919 + 13) % n;
	parts(rows, of, n, dim);
	if (!strcmp(kind, "unknown")) {
		topic(row, i % (n / 50 + 1), dim);
		near(row, row, 0.7f, dim, 65537 * i + 3);
	} else
		near(row, rows + (*kind == 'p' ? i % PARTS : PARTS) * dim, 0.3f, dim, 65537 * i + 3);
}

/* The time of a query, and how many of the pictures that a scan finds were found. */
static void ask(const char *folder, const char *name, const char *kind, size_t queries)
{
	char file[500];
	imgsearch *s;
	imgsearch_info *info;
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	snprintf(file, sizeof file, "%s/%s", folder, name);
	must(imgsearch_open(file, NULL, NULL, &s, &err));
	must(imgsearch_info_get(s, NULL, &info, &err));
	size_t n = info->vectors, dim = info->dim, first = 0, same = 0, regions = 0, of = 0;
	imgsearch_info_free(info);
	float *query = ims_alloc(queries * dim, sizeof *query),
		  *rows = ims_alloc(dim * (PARTS + 1), sizeof *rows);
	for (size_t i = 0; i < queries; i++)
		make_query(query + i * dim, kind, i, n, dim, rows);
	double best = INFINITY;
	imgsearch_hits *hits, *scanned;
	for (int round = 0; round < 4; round++) {
		double start = seconds();
		for (size_t i = 0; i < queries; i++) {
			imgsearch_input in = imgsearch_input_vector(query + i * dim, dim);
			must(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
			imgsearch_hits_free(hits);
		}
		if (round)
			best = fmin(best, (seconds() - start) / (double)queries);
	}
	for (size_t i = 0; i < 40; i++) {
		imgsearch_input in = imgsearch_input_vector(query + i * dim, dim);
		must(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		o.searcher = "scan";
		must(imgsearch_query(s, &in, 1, &o, NULL, &scanned, &err));
		o.searcher = NULL;
		first += hits->items[0]->id == (int64_t)((i * 7919 + 13) % n) + 1;
		for (size_t k = 0; k < hits->count; k++) {
			regions += hits->items[k]->region != NULL;
			for (size_t t = 0; t < scanned->count; t++)
				same += hits->items[k]->id == scanned->items[t]->id;
		}
		of += scanned->count;
		imgsearch_hits_free(hits);
		imgsearch_hits_free(scanned);
	}
	printf("%s, %s: %.1f us, recall@10 %.3f, its own picture first %.3f, by a part %.3f\n", name,
		kind, best * 1e6, (double)same / (double)of, (double)first / 40,
		(double)regions / (double)of);
	ims_free(query);
	ims_free(rows);
	imgsearch_close(s);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "part", "whole", "unknown" };
	if (argc == 5 && !strcmp(argv[1], "make")) {
		make(argv[2], "whole.db", (size_t)atol(argv[3]), (size_t)atol(argv[4]), false);
		make(argv[2], "parts.db", (size_t)atol(argv[3]), (size_t)atol(argv[4]), true);
		return 0;
	}
	if (argc < 3)
		return 1;
	for (int i = 0; i < 3; i++) {
		ask(argv[2], "whole.db", kinds[i], argc > 3 ? (size_t)atol(argv[3]) : 1000);
		ask(argv[2], "parts.db", kinds[i], argc > 3 ? (size_t)atol(argv[3]) : 1000);
	}
	return 0;
}
