/*
 * Copies of an index, from any engine into any other. While a copy is incomplete, the setting
 * "copy" of the target says so: of which index it is, and how far it is. It is written together
 * with the rows, so a copy that was stopped or killed goes on behind the last ones.
 */
#ifndef IMS_STORE_COPY_H
#define IMS_STORE_COPY_H

#include "store/transfer.h"

/* What a table holds: the number of its rows, and a checksum over them in order of keys. */
typedef struct store_table_sum {
	uint64_t rows, checksum;
} store_table_sum;

typedef struct store_copy_report {
	bool resumed; /* it went on where an earlier one was stopped, or there was nothing left to do */
	store_table_sum table[STORE_TABLES]; /* the same in both */
} store_copy_report;

/*
 * Copies `from` as it is now into the index `path`, which is made where it does not exist. It holds
 * nothing yet, or an incomplete copy of `from`: that goes on, or starts over where `from` has
 * changed since, which the log of j tells. At the end each table is read again on both sides, and
 * compared. With `restart` what an incomplete copy has is dropped. A reader of `from`; the target
 * is written by nobody else meanwhile, and cannot be opened otherwise before the copy is complete.
 * Progress stages "copy" and "verify", in rows; j may be NULL.
 *
 * EEXIST: the target holds something else; EINVAL: it is an incomplete copy of another index, or
 * `from` itself, or ":memory:"; EBUSY: another program copies into it; EDB: a table differs at the
 * end; ECANCELED, EDEADLINE: what was copied stays.
 */
int ims_store_copy(store *from, const char *path, bool restart, job *j, store_copy_report *out,
	imgsearch_error *err);

/* EDB, with a sentence, where the index is an incomplete copy. */
int ims_store_refuse_incomplete(store *st, imgsearch_error *err);

#endif
