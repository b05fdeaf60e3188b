/*
 * The open index of a server: held by many handlers at once, opened anew when another file stands at its path; uploaded
 * pictures held for a while.
 */
#include "cli/serve/serve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { HELD = 64 };
#define HELD_BYTES ((size_t)128 << 20)

typedef struct held {
	char name[33];
	void *data;
	size_t size;
} held;

struct served_index {
	context *context;
	imgsearch_options options;
	pthread_rwlock_t lock; /* read: somebody uses the handle; write: it is exchanged */
	imgsearch *handle;
	dev_t device;
	ino_t inode;
	atomic_ullong opened;

	pthread_mutex_t held_lock;
	held held[HELD];
	size_t next_held, held_bytes;

	pthread_mutex_t sample_lock;
	int64_t *sample;
	size_t n_sample;
	double sampled;
	uint64_t sampled_of;
};

/* ------------------------------------------------------------------------------------------------- handle ---- */

static int open_handle(served_index *ix, imgsearch_error *err)
{
	struct stat st;
	int rc = imgsearch_open(&ix->handle, context_db(ix->context), &ix->options, err);
	if (!rc && stat(context_db(ix->context), &st) == 0) {
		ix->device = st.st_dev;
		ix->inode = st.st_ino;
	}
	atomic_fetch_add(&ix->opened, 1);
	return rc;
}

int served_index_open(served_index **out, context *c, const imgsearch_options *o)
{
	imgsearch_error err = { 0 };
	served_index *ix = *out = calloc(1, sizeof *ix);
	if (!ix)
		return cli_nomem();
	ix->context = c;
	ix->options = *o;
	pthread_rwlock_init(&ix->lock, NULL);
	pthread_mutex_init(&ix->held_lock, NULL);
	pthread_mutex_init(&ix->sample_lock, NULL);
	if (!context_db(c))
		return CLI_FAILED;
	int rc = open_handle(ix, &err);
	if (rc == IMGSEARCH_ENOTFOUND)
		return cli_fail("%s: there is no index; make one with: imgsearch index DIR", context_db(c));
	return rc ? cli_error(&err) : CLI_DONE;
}

void served_index_close(served_index *ix)
{
	if (!ix)
		return;
	imgsearch_close(ix->handle);
	for (size_t i = 0; i < HELD; i++)
		free(ix->held[i].data);
	free(ix->sample);
	pthread_rwlock_destroy(&ix->lock);
	pthread_mutex_destroy(&ix->held_lock);
	pthread_mutex_destroy(&ix->sample_lock);
	free(ix);
}

void served_index_cancel(served_index *ix)
{
	if (ix && pthread_rwlock_tryrdlock(&ix->lock) == 0) {
		imgsearch_cancel(ix->handle);
		pthread_rwlock_unlock(&ix->lock);
	}
}

/* Deleted, but nothing in its place: the old one goes on answering. */
static bool replaced(const served_index *ix)
{
	struct stat st;
	return stat(context_db(ix->context), &st) == 0 && st.st_size > 0 && (st.st_dev != ix->device || st.st_ino != ix->inode);
}

imgsearch *serve_index_take(served_index *ix, imgsearch_error *err)
{
	pthread_rwlock_rdlock(&ix->lock);
	if (ix->handle && !replaced(ix))
		return ix->handle;
	pthread_rwlock_unlock(&ix->lock);
	pthread_rwlock_wrlock(&ix->lock);
	int rc = 0;
	if (!ix->handle || replaced(ix)) {
		imgsearch_close(ix->handle);
		ix->handle = NULL;
		rc = open_handle(ix, err);
	}
	pthread_rwlock_unlock(&ix->lock);
	if (rc)
		return NULL;
	pthread_rwlock_rdlock(&ix->lock);
	if (ix->handle)
		return ix->handle;
	pthread_rwlock_unlock(&ix->lock);
	*err = (imgsearch_error){ IMGSEARCH_EDB, 0, "the index is being exchanged" };
	return NULL;
}

void serve_index_give(served_index *ix)
{
	pthread_rwlock_unlock(&ix->lock);
}

uint64_t served_index_opened(const served_index *ix)
{
	return atomic_load(&ix->opened);
}

/* ------------------------------------------------------------------------------------------- held pictures ---- */

static void held_drop(served_index *ix, held *h)
{
	ix->held_bytes -= h->size;
	free(h->data);
	*h = (held){ 0 };
}

bool held_put(served_index *ix, const void *data, size_t size, char name[33])
{
	unsigned char random[16];
	void *copy = size <= HELD_BYTES / 2 ? malloc(size + 1) : NULL;
	if (!copy || getrandom(random, sizeof random, 0) != sizeof random) {
		free(copy);
		return false;
	}
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(name + 2 * i, 3, "%02x", random[i]);
	memcpy(copy, data, size);
	pthread_mutex_lock(&ix->held_lock);
	held *h = &ix->held[ix->next_held];
	ix->next_held = (ix->next_held + 1) % HELD;
	held_drop(ix, h);
	for (size_t i = ix->next_held; ix->held_bytes + size > HELD_BYTES; i = (i + 1) % HELD)
		held_drop(ix, &ix->held[i]);
	*h = (held){ .data = copy, .size = size };
	memcpy(h->name, name, sizeof h->name);
	ix->held_bytes += size;
	pthread_mutex_unlock(&ix->held_lock);
	return true;
}

void *held_get(served_index *ix, const char *name, size_t *size)
{
	void *copy = NULL;
	pthread_mutex_lock(&ix->held_lock);
	for (size_t i = 0; i < HELD && !copy && *name; i++)
		if (!strcmp(ix->held[i].name, name) && (copy = malloc(ix->held[i].size + 1))) {
			*size = ix->held[i].size;
			memcpy(copy, ix->held[i].data, *size);
		}
	pthread_mutex_unlock(&ix->held_lock);
	return copy;
}

/* -------------------------------------------------------------------------------------------------- sample ---- */

typedef struct collecting {
	int64_t *ids;
	size_t n, cap;
} collecting;

static int collect(void *user, const imgsearch_item *item)
{
	collecting *c = user;
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 1024;
		int64_t *more = realloc(c->ids, cap * sizeof *more);
		if (!more)
			return 1;
		c->ids = more;
		c->cap = cap;
	}
	c->ids[c->n++] = item->id;
	return 0;
}

size_t serve_sample(served_index *ix, imgsearch *s, uint64_t seed, int64_t *ids, size_t n)
{
	size_t given = 0;
	pthread_mutex_lock(&ix->sample_lock);
	if (!ix->sample || now() - ix->sampled > 60 || ix->sampled_of != served_index_opened(ix)) {
		collecting c = { 0 };
		imgsearch_list(s, IMGSEARCH_INDEXED, collect, &c, NULL);
		free(ix->sample);
		ix->sample = c.ids;
		ix->n_sample = c.n;
		ix->sampled = now();
		ix->sampled_of = served_index_opened(ix);
	}
	/* One of each of n equal parts, so that every folder has its turn. */
	for (size_t i = 0; i < n && i < ix->n_sample; i++) {
		size_t parts = n < ix->n_sample ? n : ix->n_sample, from = i * ix->n_sample / parts, to = (i + 1) * ix->n_sample / parts;
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ids[given++] = ix->sample[from + (size_t)(seed >> 33) % (to - from)];
	}
	pthread_mutex_unlock(&ix->sample_lock);
	return given;
}
