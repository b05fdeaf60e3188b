/*
 * Vectors of one's own, without any picture or network: an index of 1000 points on a circle, asked
 * one by one and in a batch. Nothing is kept: ":memory:".
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

int main(void)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_query_options ask = IMGSEARCH_INIT(imgsearch_query_options);
	static float rows[N * DIM];
	float one[DIM], several[2 * DIM], scores[2 * K];
	int64_t ids[2 * K];
	imgsearch_hits *hits;
	imgsearch_error err;
	imgsearch *s;

	options.dim = DIM;
	options.metric = IMGSEARCH_METRIC_L2;
	if (imgsearch_open(&s, ":memory:", &options, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	for (int i = 0; i < N; i++)
		point(rows + DIM * i, 0.36 * i);
	if (imgsearch_vectors_add(s, rows, N, DIM, NULL, &err)) /* NULL: row numbers are ids */
		goto fail;

	point(one, 90);
	imgsearch_input in = imgsearch_input_vector(one, DIM);
	ask.k = K;
	if (imgsearch_query(s, &in, 1, &ask, &hits, &err))
		goto fail;
	for (size_t i = 0; i < hits->count; i++)
		printf("%lld at distance %.4f\n", (long long)hits->hit[i].id, hits->hit[i].distance);
	imgsearch_hits_free(hits);

	point(several, 36);
	point(several + DIM, 72);
	if (imgsearch_vectors_query(s, several, 2, DIM, &ask, ids, scores, &err))
		goto fail;
	for (int q = 0; q < 2; q++)
		printf("query %d: nearest is %lld\n", q, (long long)ids[q * K]);
	imgsearch_close(s);
	return 0;
fail:
	fprintf(stderr, "%s\n", err.message);
	imgsearch_close(s);
	return 1;
}
