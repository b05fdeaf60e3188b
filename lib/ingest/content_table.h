/*
 * Which bytes the index has, as an index run knows it: the content hashes of pictures that are
 * indexed or were deleted on purpose, by their first 16 bytes. It saves a look-up in the store for
 * each file. The store still decides when a row is written (store/record.h), since another program
 * may change the index meanwhile. Any number of threads. 48 bytes a picture.
 */
#ifndef IMS_INGEST_CONTENT_TABLE_H
#define IMS_INGEST_CONTENT_TABLE_H

#include "base/base.h"

/* The first bytes of a hash; zero: not known. */
typedef struct content_key {
	uint64_t word[2];
} content_key;

typedef struct content_table {
	struct content_slot *slot;
	size_t cap, n;
	pthread_mutex_t lock;
} content_table;

content_key ims_content_key(const hash256 *hash);
bool ims_content_equal(content_key a, content_key b); /* false where one is not known */

void ims_contents_init(content_table *t);
void ims_contents_free(content_table *t);

/* The picture `id` > 0 has these bytes. 0, also where they are not known; or ENOMEM. */
int ims_contents_add(content_table *t, content_key key, int64_t id);

/* The picture `id` does not have them any more: a duplicate of it may have become their picture. */
void ims_contents_lose(content_table *t, content_key key, int64_t id);

enum { CONTENT_NONE = 0, CONTENT_UNSURE = -1 /* the picture that had them went: ask the store */ };

/* The id of the picture with these bytes, or one of those. */
int64_t ims_contents_find(content_table *t, content_key key);

#endif
