/*
 * Vectors of one's own, without any picture or network: an index of 1000 points on a circle, filled
 * in one transaction, asked one by one and for several at once. Nothing is kept: ":memory:".
 */
#include <imgsearch.h>

#include <math.h>
#include <stdio.h>

enum { N = 1000, DIM = 2, K = 3 };

static void point(float *v, double degrees)
{
	v[0] = (float)cos(degrees * 3.14159265358979 / 180);
	v[1] = (float)sin(degrees * 3.14159265358979 / 180);
}

/* Adds the points and removes one again, together: no query sees the index in between. */
static int fill(imgsearch *s, imgsearch_error *err)
{
	static float rows[N * DIM];
	static char text[N][16];
	static const char *names[N];
	static int64_t ids[N];
	imgsearch_transaction *t;
	for (int i = 0; i < N; i++) {
		point(rows + DIM * i, 0.36 * i);
		snprintf(text[i], sizeof text[i], "point %d", i);
		names[i] = text[i];
	}
	int rc = imgsearch_transaction_begin(s, NULL, &t, err);
	if (rc)
		return rc;
	imgsearch_vectors_add_options add = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	add.transaction = t;
	add.names = names;
	rc = imgsearch_vectors_add(s, rows, N, DIM, &add, NULL, ids, err);
	if (rc == 0) {
		imgsearch_index_remove_options drop = IMGSEARCH_INIT(imgsearch_index_remove_options);
		drop.transaction = t;
		rc = imgsearch_index_remove(s, &ids[249], 1, &drop, NULL, err);
	}
	if (rc == 0)
		rc = imgsearch_transaction_commit(t, NULL, err);
	imgsearch_transaction_free(t); /* without the commit nothing has happened */
	return rc;
}

static int ask(imgsearch *s, imgsearch_error *err)
{
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	float one[DIM], several[2 * DIM], scores[2 * K];
	int64_t ids[2 * K];
	point(one, 90);
	imgsearch_input in = imgsearch_input_vector(one, DIM);
	options.k = K;
	int rc = imgsearch_query(s, &in, 1, &options, NULL, &hits, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < hits->count; i++)
		printf("%s at distance %.4f\n", hits->items[i]->path, hits->items[i]->distance);
	imgsearch_hits_free(hits);

	point(several, 36);
	point(several + DIM, 72);
	rc = imgsearch_vectors_query(s, several, 2, DIM, &options, NULL, ids, scores, 2 * K, err);
	for (int q = 0; rc == 0 && q < 2; q++)
		printf("query %d: nearest is %lld\n", q, (long long)ids[q * K]);
	return rc;
}

int main(void)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_error err;
	imgsearch *s = NULL;
	options.dim = DIM;
	options.metric = IMGSEARCH_METRIC_L2;
	int rc = imgsearch_open(":memory:", &options, NULL, &s, &err);
	if (rc == 0)
		rc = fill(s, &err);
	if (rc == 0)
		rc = ask(s, &err);
	if (rc)
		fprintf(stderr, "%s: %s\n", imgsearch_status_text(rc), err.message);
	imgsearch_close(s);
	return rc != 0;
}
