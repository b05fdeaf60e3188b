/*
 * One handle, many threads: four threads query while the main thread adds vectors. Each query sees
 * the index as it was at some moment.
 */
#include <imgsearch.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 200, DIM = 8 };

typedef struct asker {
	pthread_t thread;
	imgsearch *s;
	size_t answers, failures;
} asker;

static void fill(float *v, unsigned seed)
{
	for (int i = 0; i < DIM; i++)
		v[i] = (float)((seed = seed * 1103515245u + 12345u) >> 16 & 0x7fff) / 32768.0f + 0.001f;
}

static void *ask(void *arg)
{
	asker *a = (asker *)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		float v[DIM];
		imgsearch_hits *hits;
		imgsearch_error err; /* each thread has its own: there is no hidden state */
		fill(v, i);
		imgsearch_input in = imgsearch_input_vector(v, DIM);
		if (imgsearch_query(a->s, &in, 1, NULL, NULL, &hits, &err))
			a->failures++;
		else
			a->answers += hits->count > 0;
		imgsearch_hits_free(hits);
	}
	return NULL;
}

int main(void)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	asker askers[THREADS];
	imgsearch_error err;
	imgsearch *s;
	float v[DIM];
	int rc = 0;

	options.dim = DIM;
	if (imgsearch_open(":memory:", &options, NULL, &s, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	fill(v, 0);
	if (imgsearch_vectors_add(s, v, 1, DIM, NULL, NULL, NULL, &err))
		return fprintf(stderr, "%s\n", err.message), 1;

	memset(askers, 0, sizeof askers);
	for (int t = 0; t < THREADS; t++) {
		askers[t].s = s;
		if (pthread_create(&askers[t].thread, NULL, ask, &askers[t]))
			return 1;
	}
	for (unsigned i = 1; i < 100 && !rc; i++) {
		fill(v, i);
		rc = imgsearch_vectors_add(s, v, 1, DIM, NULL, NULL, NULL, &err);
	}
	for (int t = 0; t < THREADS; t++) {
		pthread_join(askers[t].thread, NULL);
		printf("thread %d: %zu answers, %zu failures\n", t, askers[t].answers, askers[t].failures);
	}
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	imgsearch_close(s);
	return rc != 0;
}
