/*
 * How many queries a second an index answers, by the CPU time of one thread:
 *	query_speed INDEX.db [SEARCHER [RECALL]]
 * Asks with vectors of the index itself, one by one, for the ten most similar items and their
 * paths. A tenth of the queries is compared with the plain scan: recall, the share of the right
 * items that were found.
 */
#include <imgsearch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 1000, K = 10, COMPARED = 10 /* one of so many */ };

typedef struct sample {
	float *rows;
	size_t n, dim;
	int64_t found[MOST][K];
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

static int ask(imgsearch *s, const sample *q, size_t i, const imgsearch_query_options *options,
	int64_t *found, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_vector(q->rows + i * q->dim, q->dim);
	int rc = imgsearch_query(s, &in, 1, options, NULL, &hits, err);
	for (size_t j = 0; !rc && j < K; j++)
		found[j] = j < hits->count ? hits->items[j]->id : -1;
	if (!rc)
		imgsearch_hits_free(hits);
	return rc;
}

static int ask_all(imgsearch *s, sample *q, const imgsearch_query_options *options,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < q->n; i++)
		rc = ask(s, q, i, options, q->found[i], err);
	return rc;
}

static int compare(imgsearch *s, const sample *q, double *recall, imgsearch_error *err)
{
	imgsearch_query_options plain = IMGSEARCH_INIT(imgsearch_query_options);
	int64_t right[K];
	size_t same = 0, of = 0;
	int rc = 0;
	plain.k = K;
	plain.searcher = "scan";
	for (size_t i = 0; !rc && i < q->n; i += COMPARED) {
		rc = ask(s, q, i, &plain, right, err);
		for (size_t j = 0; j < K && right[j] >= 0; j++, of++)
			for (size_t l = 0; l < K; l++)
				same += right[j] == q->found[i][l];
	}
	*recall = of ? (double)same / (double)of : 1;
	return rc;
}

int main(int argc, char **argv)
{
	static sample queries;
	imgsearch *s;
	imgsearch_error err;
	double recall = 0;
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	if (argc < 2)
		return fputs("usage: query_speed INDEX.db [SEARCHER [RECALL]]\n", stderr), 1;
	options.k = K;
	options.fields = IMGSEARCH_FIELDS_PATHS;
	options.searcher = argc > 2 ? argv[2] : NULL;
	options.recall = argc > 3 ? atof(argv[3]) : 0;
	if (imgsearch_open(argv[1], NULL, NULL, &s, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	int rc = imgsearch_vectors_each(s, keep, &queries, NULL, &err);
	if (!rc)
		rc = ask_all(s, &queries, &options, &err); /* loads the searcher */
	clock_t start = clock();
	if (!rc)
		rc = ask_all(s, &queries, &options, &err);
	clock_t end = clock();
	if (!rc)
		rc = compare(s, &queries, &recall, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	else
		printf("%zu queries, %.0f a second, recall %.3f\n", queries.n,
			(double)queries.n * CLOCKS_PER_SEC / (double)(end - start), recall);
	free(queries.rows);
	imgsearch_close(s);
	return rc != 0;
}
