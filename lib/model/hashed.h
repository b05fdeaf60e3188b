/*
 * The hashes of files that this process has taken: opening an index, its first run and its first
 * query each ask for those of the same weights. Any thread.
 */
#ifndef IMS_MODEL_HASHED_H
#define IMS_MODEL_HASHED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

typedef enum hashed_kind {
	HASHED_CONTENT, /* a hash256 */
	HASHED_SHA256   /* its digits (base/sha256.h) */
} hashed_kind;

enum { HASHED_MOST = 65 /* bytes of a hash */ };

/* Whether a file of this device, inode, size and times was hashed: its hash, of so many bytes. */
bool ims_hashed_find(hashed_kind kind, const struct stat *st, void *out, size_t size);

/*
 * Remembers the hash of a file that was the same before and after it was read, and is old enough
 * that a change of it shows in its times.
 */
void ims_hashed_keep(hashed_kind kind, const struct stat *before, const struct stat *after,
	const void *hash, size_t size);

#endif
