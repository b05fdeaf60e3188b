/* The paths that an index holds, by checksum: 56 bytes a path, whatever its length. Open addressing, linear probing. */
#ifndef IMS_INGEST_KNOWN_H
#define IMS_INGEST_KNOWN_H

#include "base/base.h"

/* A path below a root by a 128-bit checksum. */
typedef struct path_key {
	uint64_t word[2];
} path_key;

typedef struct known_path {
	path_key key;
	int64_t id; /* 0: a free slot */
	uint64_t size;
	int64_t mtime_ns;
	uint32_t state;
	bool seen;  /* by the walk of this run */
} known_path;

typedef struct known_table {
	known_path *slot;
	size_t cap, n;
} known_table;

path_key ims_path_key(int64_t root, const char *path);

int ims_known_add(known_table *t, const known_path *path);         /* 0 or ENOMEM */
known_path *ims_known_find(const known_table *t, path_key key);    /* NULL: a new path */
void ims_known_free(known_table *t);

#endif
