/*
 * The setting "weights_seen": of each of the last two files a line of hash, size, inode and times.
 */
#include "handle/seen_weights.h"

#include "model/weights_index.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char setting[] = "weights_seen";

enum { SMALL = 16 << 20 }; /* bytes, hashed in some 30 ms */

/* NULL: not a file that is remembered, or out of memory. */
static char *describe(const char *path, const char *hash, struct stat *st)
{
	if (ims_weights_index_named(path) || stat(path, st) || st->st_size < SMALL)
		return NULL;
	return ims_format("%s %lld %llu %lld.%09ld %lld.%09ld", hash, (long long)st->st_size,
		(unsigned long long)st->st_ino, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		(long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* The line at *at, n bytes without its newline; *at: where the next one begins. */
static const char *next_line(const buf *b, size_t *at, size_t *n)
{
	const char *line = (const char *)b->data + *at;
	const char *end = *at < b->len ? memchr(line, '\n', b->len - *at) : NULL;
	*n = end ? (size_t)(end - line) : b->len - *at;
	*at += *n + (end != NULL);
	return line;
}

bool ims_weights_are_seen(imgsearch *s, const char *path, const char *hash)
{
	struct stat st;
	buf stored = { 0 };
	char *now = describe(path, hash, &st);
	bool same = false;
	if (now && !ims_store_setting_get(s->store, setting, &stored, NULL))
		for (size_t at = 0, n; !same && at < stored.len;) {
			const char *line = next_line(&stored, &at, &n);
			same = n == strlen(now) && !memcmp(line, now, n);
		}
	ims_buf_free(&stored);
	ims_free(now);
	return same;
}

/* Stores a line, and keeps that of one other file. */
static int put_line(imgsearch *s, const char *now, const char *hash, imgsearch_error *err)
{
	buf stored = { 0 }, text = { 0 };
	int rc = ims_store_setting_get(s->store, setting, &stored, err);
	size_t at = 0, n = 0, kept = 0;
	ims_buf_put(&text, now, strlen(now));
	while (!rc && !kept && at < stored.len) {
		const char *line = next_line(&stored, &at, &n);
		kept = n > strlen(hash) && memcmp(line, hash, strlen(hash)) ? n : 0;
		if (kept) {
			ims_buf_u8(&text, '\n');
			ims_buf_put(&text, line, n);
		}
	}
	if (!rc)
		rc = text.failed ? ims_nomem(err)
						 : ims_store_setting_set(s->store, setting, text.data, text.len, err);
	ims_buf_free(&stored);
	ims_buf_free(&text);
	return rc;
}

int ims_weights_see(imgsearch *s, const model_identity *id, imgsearch_error *err)
{
	enum { SETTLED = 2 }; /* seconds */
	struct stat st;
	char *now = id->weights ? describe(id->weights, id->weights_hash, &st) : NULL;
	bool is_new = now && st.st_mtim.tv_sec >= time(NULL) - SETTLED;
	int rc = now && !is_new ? put_line(s, now, id->weights_hash, err) : 0;
	ims_free(now);
	return rc;
}
