/* The open index of a server. */
#include "cli/serve/open_index.h"

#include "cli/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double missing_for = 10; /* seconds until missing shards are looked for again */

struct open_index {
	const char *path;
	imgsearch_options options;
	imgsearch_call call;
	pthread_rwlock_t lock; /* read: a thread uses the handle; write: the handle is replaced */
	imgsearch *handle;
	struct stat file; /* that is open */
	bool is_list;     /* it has addresses: another content is another index */
	size_t missing;   /* shards that could not be reached at the opening */
	_Atomic(double) tried_at;
	atomic_bool outdated; /* it has shards that the handle does not know */
	atomic_ullong openings;
};

/*
 * Whether a file has addresses: it is no index itself. To close a file drops the locks of this
 * process on it, so it is not open meanwhile.
 */
static bool has_addresses(const char *path, const struct stat *st)
{
	static const char head[] = "SQLite format 3";
	char start[sizeof head] = "";
	FILE *f = S_ISREG(st->st_mode) && st->st_size > 0 ? fopen(path, "re") : NULL;
	bool is_index = !f || !fread(start, 1, sizeof start - 1, f) || !strcmp(start, head);
	if (f)
		fclose(f);
	return !is_index;
}

static size_t count_missing(imgsearch *s)
{
	imgsearch_shards *shards;
	size_t n = 0;
	if (imgsearch_shards_list(s, &shards, NULL))
		return 0;
	for (size_t i = 0; i < shards->count; i++)
		n += shards->items[i]->missing;
	imgsearch_shards_free(shards);
	return n;
}

static int open_handle(open_index *ix, imgsearch_error *err)
{
	struct stat st = { 0 };
	bool has_file = stat(ix->path, &st) == 0; /* before it is read: a later change is one */
	atomic_store(&ix->outdated, false);
	ix->is_list = has_file && has_addresses(ix->path, &st);
	int rc = imgsearch_open(ix->path, &ix->options, &ix->call, &ix->handle, err);
	if (!rc && (has_file || stat(ix->path, &st) == 0))
		ix->file = st;
	ix->missing = rc || !ix->options.partial ? 0 : count_missing(ix->handle);
	atomic_store(&ix->tried_at, clock_seconds());
	atomic_fetch_add(&ix->openings, 1);
	return rc;
}

int open_index_new(open_index **out, const char *path, const imgsearch_options *o,
	const imgsearch_call *call, imgsearch_error *err)
{
	open_index *ix = *out = calloc(1, sizeof *ix);
	if (!ix) {
		*err = (imgsearch_error){ IMGSEARCH_ENOMEM, 0, "out of memory" };
		return IMGSEARCH_ENOMEM;
	}
	ix->path = path;
	ix->options = *o;
	ix->call = *call;
	pthread_rwlock_init(&ix->lock, NULL);
	return open_handle(ix, err);
}

void open_index_free(open_index *ix)
{
	if (!ix)
		return;
	imgsearch_close(ix->handle);
	pthread_rwlock_destroy(&ix->lock);
	free(ix);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const open_index *ix, const struct stat *st)
{
	const struct stat *own = &ix->file;
	bool same_content = st->st_size == own->st_size && same_time(&st->st_mtim, &own->st_mtim);
	return st->st_dev == own->st_dev && st->st_ino == own->st_ino && (!ix->is_list || same_content);
}

/* A file that was deleted and not replaced stays open. */
static bool replaced(const open_index *ix)
{
	struct stat st;
	return atomic_load(&ix->outdated)
		|| (stat(ix->path, &st) == 0 && st.st_size > 0 && !same_file(ix, &st));
}

/* Takes the place of the handle where more of the index is there. */
static void look_for_missing(open_index *ix)
{
	imgsearch *fresh;
	double now = clock_seconds(), tried = atomic_load(&ix->tried_at);
	pthread_rwlock_rdlock(&ix->lock);
	bool due = ix->missing && now - tried > missing_for;
	pthread_rwlock_unlock(&ix->lock);
	if (!due || !atomic_compare_exchange_strong(&ix->tried_at, &tried, now)
		|| imgsearch_open(ix->path, &ix->options, &ix->call, &fresh, NULL))
		return;
	size_t missing = count_missing(fresh);
	pthread_rwlock_wrlock(&ix->lock);
	if (ix->handle && missing < ix->missing) {
		imgsearch *old = ix->handle;
		ix->handle = fresh;
		fresh = old;
		ix->missing = missing;
		atomic_fetch_add(&ix->openings, 1);
	}
	pthread_rwlock_unlock(&ix->lock);
	imgsearch_close(fresh);
}

void open_index_note(open_index *ix, const imgsearch_error *err)
{
	if (err->code == IMGSEARCH_EINVAL && err->detail == EXDEV)
		atomic_store(&ix->outdated, true);
}

static int reopen(open_index *ix, imgsearch_error *err)
{
	int rc = 0;
	pthread_rwlock_wrlock(&ix->lock);
	if (!ix->handle || replaced(ix)) { /* another thread may have reopened it */
		imgsearch_close(ix->handle);
		ix->handle = NULL;
		rc = open_handle(ix, err);
	}
	pthread_rwlock_unlock(&ix->lock);
	return rc;
}

imgsearch *open_index_acquire(open_index *ix, imgsearch_error *err)
{
	look_for_missing(ix);
	pthread_rwlock_rdlock(&ix->lock);
	if (ix->handle && !replaced(ix))
		return ix->handle;
	pthread_rwlock_unlock(&ix->lock);
	if (reopen(ix, err))
		return NULL;
	pthread_rwlock_rdlock(&ix->lock);
	if (ix->handle)
		return ix->handle;
	pthread_rwlock_unlock(&ix->lock);
	*err = (imgsearch_error){ IMGSEARCH_EDB, 0, "the index is being exchanged" };
	return NULL;
}

int open_index_by_model(const open_index *ix, const char *model, imgsearch **out,
	imgsearch_error *err)
{
	imgsearch_options o = ix->options;
	o.model = model;
	o.weights = NULL;
	o.recipe = NULL;
	o.precision = 0;
	return imgsearch_open(ix->path, &o, &ix->call, out, err);
}

bool open_index_file(const open_index *ix, struct stat *out)
{
	*out = ix->file;
	return out->st_ino && !ix->is_list;
}

void open_index_release(open_index *ix)
{
	pthread_rwlock_unlock(&ix->lock);
}

uint64_t open_index_openings(const open_index *ix)
{
	return atomic_load(&ix->openings);
}
