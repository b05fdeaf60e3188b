/*
 * States of searchers in a folder of this machine. A file is written under another name and
 * renamed, so that it is complete; it is not synced, because its chunks are compared with their
 * checksums.
 */
#include "store/postgres/state_cache.h"

#include "base/file.h"
#include "base/path.h"
#include "store/postgres/postgres.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	STATES = 8,                  /* of which a handle knows the files */
	CHUNKS_AT_ONCE = 8,          /* fetched in a round trip */
	PART_SECONDS = 3600,         /* after which a file that is not complete is one of a kill */
	UNUSED_SECONDS = 30 * 86400, /* after which a file goes */
	OPEN = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
};

static const char lead[] = "imgsearch-"; /* of the name of each file */

typedef struct chunk_place {
	uint64_t at, size, sum;
} chunk_place;

typedef struct kept_state {
	int64_t state;
	char *path, *kin; /* of its file; how the names of all files of this searcher begin */
	size_t n;
	chunk_place *chunk;
	uint64_t size;
} kept_state;

struct pg_cache {
	char *folder;
	pthread_mutex_t mutex; /* guards what follows */
	kept_state kept[STATES];
	size_t next; /* the place of the next one */
};

static void clear(kept_state *k)
{
	ims_free(k->path);
	ims_free(k->kin);
	ims_free(k->chunk);
	*k = (kept_state){ 0 };
}

int ims_pg_cache_new(pg_cache **out, const char *folder, imgsearch_error *err)
{
	pg_cache *c = *out = ims_zalloc(1, sizeof *c);
	if (!c)
		return ims_nomem(err);
	pthread_mutex_init(&c->mutex, NULL);
	c->folder = ims_path_resolve(folder);
	return c->folder ? 0 : ims_nomem(err);
}

void ims_pg_cache_free(pg_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < STATES; i++)
		clear(&c->kept[i]);
	pthread_mutex_destroy(&c->mutex);
	ims_free(c->folder);
	ims_free(c);
}

/* ------------------------------------------------------------------------------- places ---- */

/* The names of a state's file, by the checksums and lengths of its chunks. */
static int name_file(const pg_cache *c, const char *searcher, uint64_t index, kept_state *k,
	imgsearch_error *err)
{
	uint64_t sum = ims_checksum(k->chunk, k->n * sizeof *k->chunk, 0);
	k->kin = ims_format("%s%s-%016llx-", lead, searcher, (unsigned long long)index);
	if (k->kin)
		k->path = ims_format("%s/%s%016llx", c->folder, k->kin, (unsigned long long)sum);
	return k->path ? 0 : ims_nomem(err);
}

static int place_chunks(const pg_result *r, kept_state *k, imgsearch_error *err)
{
	enum { NUMBER, SUM, SIZE };
	size_t n = (size_t)ims_pg_count(r);
	k->chunk = ims_alloc(n, sizeof *k->chunk);
	if (!k->chunk)
		return ims_nomem(err);
	for (; k->n < n; k->n++) {
		int row = (int)k->n;
		uint64_t size = (uint64_t)ims_pg_number(r, row, SIZE);
		if (ims_pg_number(r, row, NUMBER) != row)
			break;
		k->chunk[k->n] = (chunk_place){ k->size, size, (uint64_t)ims_pg_number(r, row, SUM) };
		k->size += size;
	}
	return n && k->n == n ? 0
						  : ims_fail(err, IMGSEARCH_EFORMAT, "searcher's state %lld lacks a chunk",
							  (long long)k->state);
}

/* Asks the server where the chunks of k->state lie in its file. */
static int read_places(pg_store *st, const char *searcher, kept_state *k, imgsearch_error *err)
{
	enum { INDEX = 3 };
	pg_params p = { 0 };
	pg_result *r;
	size_t size;
	uint64_t index = 0;
	ims_pg_int(&p, k->state);
	int rc = ims_pg_read(&st->base, &r, err,
		"SELECT number, checksum, length(data), (SELECT data FROM setting WHERE name = 'file') FROM"
		" searcher_chunk WHERE state = $1 ORDER BY number",
		&p);
	if (!rc)
		rc = place_chunks(r, k, err);
	const char *data = rc ? NULL : ims_pg_value(r, 0, INDEX, &size);
	if (data && size == sizeof index)
		memcpy(&index, data, size);
	ims_pg_clear(r);
	return rc ? rc : name_file(st->cache, searcher, index, k, err);
}

/* ------------------------------------------------------------------------------ a folder ---- */

/* The length of n hexadecimal digits and a last character at s; 0: something else is there. */
static size_t digits(const char *s, size_t n, char last)
{
	return strspn(s, "0123456789abcdef") == n && s[n] == last ? n + 1 : 0;
}

/* Whether a name is one of our files; *part: it is not complete. */
static bool is_ours(const char *name, bool *part)
{
	enum { DIGITS = 16, ENDING = 7 };
	if (strncmp(name, lead, strlen(lead)))
		return false;
	const char *at = name + strlen(lead);
	at += strspn(at, "abcdefghijklmnopqrstuvwxyz.");
	size_t index = *at == '-' ? digits(at + 1, DIGITS, '-') : 0;
	if (!index)
		return false;
	at += 1 + index;
	*part = digits(at, DIGITS, '.') && strlen(at) == DIGITS + ENDING;
	return *part || digits(at, DIGITS, 0);
}

/* Removes other states of the searcher, and what nobody used for long. */
static void sweep(const char *folder, const kept_state *k)
{
	DIR *d = opendir(folder);
	time_t now = time(NULL);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat at;
		bool part;
		if (!is_ours(e->d_name, &part) || fstatat(dirfd(d), e->d_name, &at, AT_SYMLINK_NOFOLLOW)
			|| !S_ISREG(at.st_mode))
			continue;
		bool other = !part && !strncmp(e->d_name, k->kin, strlen(k->kin));
		if (other || at.st_mtime < now - (part ? PART_SECONDS : UNUSED_SECONDS))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

/* Whether the file is there; then it counts as used. */
static bool is_there(const kept_state *k)
{
	struct stat at;
	int fd = open(k->path, OPEN);
	if (fd < 0)
		return false;
	bool there = !fstat(fd, &at) && S_ISREG(at.st_mode) && (uint64_t)at.st_size == k->size;
	if (there)
		futimens(fd, NULL);
	close(fd);
	return there;
}

/* -------------------------------------------------------------------------------- a file ---- */

static int append(const pg_result *r, int row, const kept_state *k, size_t number, int fd,
	imgsearch_error *err)
{
	size_t size;
	const char *data = ims_pg_value(r, row, 1, &size);
	if (ims_pg_number(r, row, 0) != (int64_t)number || size != k->chunk[number].size
		|| ims_checksum(data, size, number) != k->chunk[number].sum)
		return ims_fail(err, IMGSEARCH_EFORMAT, "chunk %zu of searcher's state %lld is damaged",
			number, (long long)k->state);
	return ims_write_all(fd, data, size) ? ims_fail_errno(err, IMGSEARCH_EIO, "%s", k->path) : 0;
}

static int fetch(pg_store *st, const kept_state *k, int fd, imgsearch_error *err)
{
	int rc = 0;
	for (size_t at = 0; !rc && at < k->n;) {
		pg_params p = { 0 };
		pg_result *r;
		ims_pg_int(&p, k->state);
		ims_pg_int(&p, (int64_t)at);
		ims_pg_int(&p, CHUNKS_AT_ONCE);
		rc = ims_pg_read(&st->base, &r, err,
			"SELECT number, data FROM searcher_chunk WHERE state = $1 AND number >= $2 AND"
			" number < $2 + $3 ORDER BY number",
			&p);
		int n = rc ? 0 : ims_pg_count(r);
		if (!rc && !n)
			rc = ims_fail(err, IMGSEARCH_EFORMAT, "searcher's state %lld is gone",
				(long long)k->state);
		for (int row = 0; !rc && row < n && at < k->n; row++)
			rc = append(r, row, k, at++, fd, err);
		ims_pg_clear(r);
	}
	return rc;
}

/* Writes the file under a name of its own (0600), and renames it. EIO, and what reading gives. */
static int make(pg_store *st, const kept_state *k, imgsearch_error *err)
{
	char *part = ims_format("%s.XXXXXX", k->path);
	if (!part)
		return ims_nomem(err);
	int fd = mkostemp(part, O_CLOEXEC), rc = 0;
	if (fd < 0)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", st->cache->folder);
	else
		rc = fetch(st, k, fd, err);
	if (fd >= 0 && close(fd) && !rc)
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", k->path);
	if (!rc && rename(part, k->path))
		rc = ims_fail_errno(err, IMGSEARCH_EIO, "%s", k->path);
	if (rc && fd >= 0)
		unlink(part);
	ims_free(part);
	return rc;
}

/* The handle reads the state from its file from now on. */
static void take(pg_cache *c, kept_state *k)
{
	pthread_mutex_lock(&c->mutex);
	size_t i = 0;
	while (i < STATES && c->kept[i].state != k->state)
		i++;
	if (i == STATES) {
		i = c->next;
		c->next = (i + 1) % STATES;
	}
	clear(&c->kept[i]);
	c->kept[i] = *k;
	pthread_mutex_unlock(&c->mutex);
}

int ims_pg_searcher_keep(store *base, int64_t state, const char *name, imgsearch_error *err)
{
	pg_store *st = (pg_store *)base;
	kept_state k = { .state = state };
	if (!st->cache)
		return 0;
	int rc = read_places(st, name, &k, err);
	if (!rc && !is_there(&k)) {
		mkdir(st->cache->folder, 0700);
		sweep(st->cache->folder, &k);
		rc = make(st, &k, err);
	}
	if (rc)
		clear(&k);
	else
		take(st->cache, &k);
	return rc;
}

/* ------------------------------------------------------------------------------- a chunk ---- */

/* Opens the file of a state that was kept, and finds a chunk in it. -1: there is none. */
static int open_at(pg_cache *c, int64_t state, uint32_t number, int flags, chunk_place *at)
{
	int fd = -1;
	pthread_mutex_lock(&c->mutex);
	for (size_t i = 0; i < STATES; i++) {
		const kept_state *k = &c->kept[i];
		if (k->path && k->state == state && number < k->n) {
			*at = k->chunk[number];
			fd = open(k->path, flags | OPEN);
		}
	}
	pthread_mutex_unlock(&c->mutex);
	return fd;
}

static bool read_all(int fd, char *to, const chunk_place *at)
{
	for (uint64_t done = 0; done < at->size;) {
		ssize_t got = pread(fd, to + done, at->size - done, (off_t)(at->at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (uint64_t)got;
	}
	return true;
}

bool ims_pg_cache_get(pg_store *st, int64_t state, uint32_t number, buf *out)
{
	chunk_place at;
	size_t before = out->len;
	int fd = st->cache ? open_at(st->cache, state, number, O_RDONLY, &at) : -1;
	if (fd < 0)
		return false;
	char *to = ims_buf_grow(out, at.size);
	bool right = to && read_all(fd, to, &at) && ims_checksum(to, at.size, number) == at.sum;
	if (!right)
		out->len = before;
	close(fd);
	return right;
}

void ims_pg_cache_mend(pg_store *st, int64_t state, uint32_t number, const void *data, size_t size)
{
	chunk_place at;
	int fd = st->cache ? open_at(st->cache, state, number, O_WRONLY, &at) : -1;
	if (fd < 0)
		return;
	if (size == at.size && lseek(fd, (off_t)at.at, SEEK_SET) >= 0)
		ims_write_all(fd, data, size);
	close(fd);
}
