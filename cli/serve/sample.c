/* A sample of pictures of the index. */
#include "cli/serve/sample.h"

#include "cli/base/clock.h"
#include "cli/base/id_list.h"

#include <pthread.h>
#include <stdlib.h>

enum { FRESH_SECONDS = 60 };

struct sample {
	pthread_mutex_t lock;
	id_list all;       /* in order of path */
	double read_at;    /* 0: never */
	uint64_t openings; /* of the index, when it was read */
};

sample *sample_new(void)
{
	sample *a = calloc(1, sizeof *a);
	if (a)
		pthread_mutex_init(&a->lock, NULL);
	return a;
}

void sample_free(sample *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a->all.id);
	free(a);
}

static int add_id(void *user, const imgsearch_item *item)
{
	return !id_list_add(user, item->id);
}

static void read_all(sample *a, const open_index *ix, imgsearch *s, const imgsearch_call *call)
{
	a->all.n = 0;
	imgsearch_item_each(s, IMGSEARCH_STATE_INDEXED, add_id, &a->all, call, NULL);
	a->read_at = clock_seconds();
	a->openings = open_index_openings(ix);
}

/* Under the lock. Returns how many. */
static size_t choose(const sample *a, uint64_t seed, int64_t *ids, size_t n)
{
	size_t total = a->all.n, parts = n < total ? n : total;
	for (size_t i = 0; i < parts; i++) {
		size_t from = i * total / parts, to = (i + 1) * total / parts;
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ids[i] = a->all.id[from + (size_t)(seed >> 33) % (to - from)];
	}
	return parts;
}

static bool all_live(imgsearch *s, const int64_t *ids, size_t n)
{
	bool live = true;
	for (size_t i = 0; live && i < n; i++) {
		imgsearch_item *item = NULL;
		live = !imgsearch_item_get(s, ids[i], &item, NULL)
			&& item->state == IMGSEARCH_STATE_INDEXED;
		imgsearch_item_free(item);
	}
	return live;
}

size_t sample_choose(sample *a, const open_index *ix, imgsearch *s, const imgsearch_call *call,
	uint64_t seed, int64_t *ids, size_t n)
{
	pthread_mutex_lock(&a->lock);
	if (!a->all.n || clock_seconds() - a->read_at > FRESH_SECONDS
		|| a->openings != open_index_openings(ix))
		read_all(a, ix, s, call);
	size_t chosen = choose(a, seed, ids, n);
	if (!all_live(s, ids, chosen)) {
		read_all(a, ix, s, call);
		chosen = choose(a, seed, ids, n);
	}
	pthread_mutex_unlock(&a->lock);
	return chosen;
}
