/* Sidecars: files of XMP beside a picture. */
#include "base/path.h"
#include "meta/meta.h"

#include <string.h>
#include <sys/stat.h>

enum { CANDIDATES = 4, MAX_SIDECAR = 4 << 20 };

/* The length of a path without the extension of its last part. */
static size_t stem_size(const char *path)
{
	const char *name = ims_path_name(path), *dot = strrchr(name, '.');
	return dot && dot > name ? (size_t)(dot - path) : strlen(path);
}

/* The path of a sidecar; NULL: there is no such one, or memory is short. ims_free. */
static char *candidate(const char *path, int i)
{
	static const char *const endings[] = { ".xmp", ".XMP" };
	size_t whole = strlen(path), n = i < 2 ? whole : stem_size(path);
	return i >= 2 && n == whole ? NULL : ims_format("%.*s%s", (int)n, path, endings[i % 2]);
}

bool ims_is_sidecar_name(const char *path)
{
	size_t n = strlen(path);
	return n > 4 && ims_same_letters(path + n - 4, ".xmp", 4);
}

void ims_facts_add_sidecars(facts *f, const char *path)
{
	for (int i = 0; i < CANDIDATES; i++) {
		buf bytes = { 0 };
		char *sidecar = candidate(path, i);
		struct stat st;
		if (sidecar && !stat(sidecar, &st) && S_ISREG(st.st_mode)
			&& !ims_read_file(&bytes, sidecar, MAX_SIDECAR, NULL))
			ims_facts_add_xmp(f, bytes.data, bytes.len, true);
		ims_buf_free(&bytes);
		ims_free(sidecar);
	}
}

/* A number that is never 0, of what tells one state of a file from another. */
static uint64_t stamp_of(int i, const struct stat *st, uint64_t before)
{
	const int64_t state[] = { i, (int64_t)st->st_size, (int64_t)st->st_mtim.tv_sec,
		(int64_t)st->st_mtim.tv_nsec, (int64_t)st->st_ctim.tv_sec, (int64_t)st->st_ctim.tv_nsec };
	return ims_checksum(state, sizeof state, before) | 1;
}

uint64_t ims_sidecars_stamp(const char *path)
{
	uint64_t stamp = 0;
	for (int i = 0; i < CANDIDATES; i++) {
		char *sidecar = candidate(path, i);
		struct stat st;
		if (sidecar && !stat(sidecar, &st) && S_ISREG(st.st_mode))
			stamp = stamp_of(i, &st, stamp);
		ims_free(sidecar);
	}
	return stamp;
}

uint64_t ims_sidecars_stamp_of(const char *const *path, size_t n)
{
	uint64_t stamp = n ? ims_sidecars_stamp(path[0]) : 0;
	for (size_t i = 1; i < n; i++) {
		const uint64_t both[] = { stamp, ims_sidecars_stamp(path[i]) };
		if (both[1])
			stamp = ims_checksum(both, sizeof both, i) | 1;
	}
	return stamp;
}
