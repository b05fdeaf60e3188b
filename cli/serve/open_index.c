/* The open index of a server. */
#include "cli/serve/open_index.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

struct open_index {
	const char *path;
	imgsearch_options options;
	imgsearch_call call;
	pthread_rwlock_t lock; /* read: a thread uses the handle; write: the handle is replaced */
	imgsearch *handle;
	dev_t device; /* of the file that is open */
	ino_t inode;
	atomic_ullong openings;
};

static int open_handle(open_index *ix, imgsearch_error *err)
{
	struct stat st;
	int rc = imgsearch_open(ix->path, &ix->options, &ix->call, &ix->handle, err);
	if (!rc && stat(ix->path, &st) == 0) {
		ix->device = st.st_dev;
		ix->inode = st.st_ino;
	}
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

/* A file that was deleted and not replaced stays open. */
static bool replaced(const open_index *ix)
{
	struct stat st;
	return stat(ix->path, &st) == 0 && st.st_size > 0
		&& (st.st_dev != ix->device || st.st_ino != ix->inode);
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

void open_index_release(open_index *ix)
{
	pthread_rwlock_unlock(&ix->lock);
}

uint64_t open_index_openings(const open_index *ix)
{
	return atomic_load(&ix->openings);
}
