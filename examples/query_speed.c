/*
 * How many queries a second an index answers, by the CPU time of one thread:
 *	query_speed INDEX.db [RECALL]
 * Asks with vectors of the index itself, one by one, for the ten most similar items and their
 * paths.
 */
#include <imgsearch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 1000 };

typedef struct sample {
	float *rows;
	size_t n, dim;
} sample;

static int keep(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	sample *s = (sample *)user;
	(void)ids;
	if (!s->rows && !(s->rows = (float *)malloc(MOST * dim * sizeof *rows)))
		return 1;
	s->dim = dim;
	for (size_t i = 0; i < n && s->n < MOST; i++)
		memcpy(s->rows + s->n++ * dim, rows + i * dim, dim * sizeof *rows);
	return 0;
}

static int ask_all(imgsearch *s, const sample *queries, const imgsearch_query_options *options,
	imgsearch_error *err)
{
	imgsearch_hits *hits;
	for (size_t i = 0; i < queries->n; i++) {
		imgsearch_input in = imgsearch_input_vector(queries->rows + i * queries->dim, queries->dim);
		int rc = imgsearch_query(s, &in, 1, options, NULL, &hits, err);
		if (rc)
			return rc;
		imgsearch_hits_free(hits);
	}
	return 0;
}

int main(int argc, char **argv)
{
	imgsearch *s;
	imgsearch_error err;
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	sample queries = { NULL, 0, 0 };
	if (argc < 2)
		return fputs("usage: query_speed INDEX.db [RECALL]\n", stderr), 1;
	options.fields = IMGSEARCH_FIELDS_PATHS;
	options.recall = argc > 2 ? atof(argv[2]) : 0.95;
	if (imgsearch_open(argv[1], NULL, NULL, &s, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	int rc = imgsearch_vectors_each(s, keep, &queries, NULL, &err);
	if (!rc)
		rc = ask_all(s, &queries, &options, &err); /* loads the searcher */
	clock_t start = clock();
	if (!rc)
		rc = ask_all(s, &queries, &options, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	else
		printf("%zu queries, %.0f a second\n", queries.n,
			(double)queries.n * CLOCKS_PER_SEC / (double)(clock() - start));
	free(queries.rows);
	imgsearch_close(s);
	return rc != 0;
}
