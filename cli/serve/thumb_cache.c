/*
 * Thumbnails on disk: FOLDER/ab/abcdef...-256.jpg. The time of a file is that of its last use. What
 * other servers add to the folder is seen when it is next looked through: at the start, and when
 * the bound is reached.
 */
#include "cli/serve/thumb_cache.h"

#include "cli/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4200, HASH_DIGITS = 64 };

struct thumb_cache {
	char *folder;
	uint64_t most;
	pthread_mutex_t lock;
	uint64_t bytes; /* under the lock */
	bool counted;   /* the same */
};

thumb_cache *thumb_cache_new(const char *folder, uint64_t most)
{
	thumb_cache *c = calloc(1, sizeof *c);
	if (!c || !(c->folder = strdup(folder))) {
		free(c);
		return NULL;
	}
	c->most = most;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void thumb_cache_free(thumb_cache *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->folder);
	free(c);
}

/* The path of a thumbnail; false: there can be none. */
static bool path_of(const thumb_cache *c, const char *hash, uint32_t size, char path[PATH_SIZE])
{
	if (!c || strlen(hash) != HASH_DIGITS || strspn(hash, "0123456789abcdef") != HASH_DIGITS)
		return false;
	return snprintf(path, PATH_SIZE, "%s/%.2s/%s-%u.jpg", c->folder, hash, hash, size) < PATH_SIZE;
}

int thumb_cache_open(thumb_cache *c, const char *hash, uint32_t size)
{
	char path[PATH_SIZE];
	int fd = path_of(c, hash, size, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		futimens(fd, NULL);
	return fd;
}

/* ------------------------------------------------------------------------------- the bound ---- */

typedef struct kept {
	struct timespec used;
	uint64_t bytes;
	char name[HASH_DIGITS + 16]; /* within the folder that its first two digits name */
} kept;

typedef struct kept_list {
	kept *item;
	size_t n, cap;
	uint64_t bytes;
} kept_list;

static bool add(kept_list *l, const char *name, const struct stat *st)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 256;
		kept *item = realloc(l->item, cap * sizeof *item);
		if (!item)
			return false;
		l->item = item;
		l->cap = cap;
	}
	kept *k = &l->item[l->n++];
	*k = (kept){ .used = st->st_mtim, .bytes = (uint64_t)st->st_size };
	snprintf(k->name, sizeof k->name, "%s", name);
	l->bytes += k->bytes;
	return true;
}

/* Files whose names are not those of thumbnails are nobody's business here. */
static void read_folder(const thumb_cache *c, const char *name, kept_list *l)
{
	char path[PATH_SIZE];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", c->folder, name);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strspn(e->d_name, "0123456789abcdef") == HASH_DIGITS
			&& strlen(e->d_name) < sizeof l->item->name && !strncmp(e->d_name, name, 2)
			&& !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode)
			&& !add(l, e->d_name, &st))
			break;
	if (d)
		closedir(d);
}

static kept_list read_all(const thumb_cache *c)
{
	kept_list l = { 0 };
	char name[3];
	for (unsigned i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "%02x", i);
		read_folder(c, name, &l);
	}
	return l;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const kept *)a)->used, *y = &((const kept *)b)->used;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Under the lock: a tenth more than necessary goes, so that it is not done for each thumbnail. */
static void trim(thumb_cache *c)
{
	char path[PATH_SIZE];
	kept_list l = read_all(c);
	c->bytes = l.bytes;
	c->counted = true;
	if (c->bytes > c->most) {
		qsort(l.item, l.n, sizeof *l.item, by_use);
		for (size_t i = 0; i < l.n && c->bytes > c->most - c->most / 10; i++) {
			snprintf(path, sizeof path, "%s/%.2s/%s", c->folder, l.item[i].name, l.item[i].name);
			unlink(path);
			c->bytes -= l.item[i].bytes;
		}
	}
	free(l.item);
}

void thumb_cache_put(thumb_cache *c, const char *hash, uint32_t size, const void *data, size_t n)
{
	char path[PATH_SIZE];
	if (!path_of(c, hash, size, path) || n > c->most)
		return;
	char *slash = strrchr(path, '/');
	*slash = 0;
	mkdir(c->folder, 0700);
	mkdir(path, 0700);
	*slash = '/';
	if (file_replace(path, data, n, 0600))
		return;
	pthread_mutex_lock(&c->lock);
	c->bytes += n;
	if (!c->counted || c->bytes > c->most)
		trim(c);
	pthread_mutex_unlock(&c->lock);
}

void thumb_cache_drop(thumb_cache *c, const char *hash)
{
	char path[PATH_SIZE];
	for (uint32_t size = 128; size <= 1024; size *= 2)
		if (path_of(c, hash, size, path))
			unlink(path);
}
