/*
 * Files that an index run is to read, where other programs index into the same index: each file is
 * claimed first, so that one program reads it. Files wait in a block; one call of the store claims
 * them all. Those that are this run's are looked at again, since others may have indexed them
 * meanwhile. Those that another program reads are put off until the walk ends. Where the index has
 * one writer at a time, nothing waits.
 */
#ifndef IMS_INGEST_CLAIMS_H
#define IMS_INGEST_CLAIMS_H

#include "ingest/index_run.h"

/*
 * A file is to be read: CLAIM_NONE becomes CLAIM_OURS where it may be read at once; else it joins
 * the block. One of CLAIM_THEIRS is put off. Errors of the pipeline. Only the thread of the run, as
 * the next ones.
 */
int ims_claims_ask(index_run *r, const walk_entry *e, file_claim *claim);

/* Claims the files of the block where they have waited long enough. Errors of the pipeline. */
int ims_claims_send_if_due(index_run *r);

/*
 * Reads all that wait, or finds that others did. Waits for programs that are at work on some, with
 * a line to the log, as long as any gets done. Errors of the pipeline; what progress returns.
 */
int ims_claims_settle(index_run *r);

void ims_claims_free(run_claims *c);

#endif
