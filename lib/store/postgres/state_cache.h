/*
 * States of searchers that this machine keeps in a folder, so that each is fetched once. A file has
 * the chunks of one state, one after the other. It is named by a checksum over theirs, which the
 * server has: a chunk of the file is compared with it whenever it is read. Any thread, and any
 * number of programs in one folder.
 */
#ifndef IMS_POSTGRES_STATE_CACHE_H
#define IMS_POSTGRES_STATE_CACHE_H

#include "store/postgres/conn.h"

typedef struct pg_cache pg_cache;

/* The folder is made when it is first needed. ENOMEM. */
int ims_pg_cache_new(pg_cache **out, const char *folder, imgsearch_error *err);
void ims_pg_cache_free(pg_cache *c); /* NULL is fine */

/*
 * Appends a chunk of a state that was kept (ims_pg_searcher_keep) to out. False: it is not there or
 * is damaged.
 */
bool ims_pg_cache_get(pg_store *st, int64_t state, uint32_t number, buf *out);

/* Writes a chunk that was found damaged anew, where its state is kept. */
void ims_pg_cache_mend(pg_store *st, int64_t state, uint32_t number, const void *data, size_t size);

#endif
