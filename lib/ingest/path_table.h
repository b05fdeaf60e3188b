/*
 * A hash table of the paths of an index, keyed by checksum: 96 bytes a path, whatever its length.
 * Open addressing with linear probing. One thread at a time.
 */
#ifndef IMS_INGEST_PATH_TABLE_H
#define IMS_INGEST_PATH_TABLE_H

#include "base/base.h"
#include "ingest/content_table.h"

#define PATH_FACTS_OLD UINT64_MAX

/* A 128-bit checksum of a root and a path below it. */
typedef struct path_key {
	uint64_t word[2];
} path_key;

typedef struct path_entry {
	path_key key;
	int64_t id; /* 0: a free slot */
	uint64_t size;
	content_key content;    /* of its bytes */
	timestamp mtime, ctime; /* of ctime, nanoseconds -1: not known */
	uint64_t sidecars; /* of its facts: see store.h; PATH_FACTS_OLD: an older reader made them */
	uint32_t state;
	uint16_t pixels; /* how they were made: see image.h */
	bool seen : 1;   /* the walk of this run found it */
	/* it needs none, or has one: of the model at work */
	bool has_vector : 1;
	uint8_t reason; /* of its checksum, of a state without a picture */
} path_entry;

typedef struct path_table {
	path_entry *slot;
	size_t cap, n;
} path_table;

/* The key of a path below a root. */
path_key ims_path_key(int64_t root, const char *path);

int ims_path_table_reserve(path_table *t, size_t more);             /* room; 0 or ENOMEM */
int ims_path_table_add(path_table *t, const path_entry *path);      /* 0 or ENOMEM */
path_entry *ims_path_table_find(const path_table *t, path_key key); /* borrowed; NULL: none */
void ims_path_table_free(path_table *t);

#endif
