/* The setting "weights_seen": a text of hash, size, inode and times. */
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

bool ims_weights_are_seen(imgsearch *s, const char *path, const char *hash)
{
	struct stat st;
	buf stored = { 0 };
	char *now = describe(path, hash, &st);
	bool same = now && !ims_store_setting_get(s->store, setting, &stored, NULL)
		&& stored.len == strlen(now) && !memcmp(stored.data, now, stored.len);
	ims_buf_free(&stored);
	ims_free(now);
	return same;
}

int ims_weights_see(imgsearch *s, const model_identity *id, imgsearch_error *err)
{
	enum { SETTLED = 2 }; /* seconds */
	struct stat st;
	char *now = id->weights ? describe(id->weights, id->weights_hash, &st) : NULL;
	bool is_new = now && st.st_mtim.tv_sec >= time(NULL) - SETTLED;
	int rc = now && !is_new ? ims_store_setting_set(s->store, setting, now, strlen(now), err) : 0;
	ims_free(now);
	return rc;
}
