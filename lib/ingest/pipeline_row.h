/* How pending rows are written: the part of the pipeline behind the network. */
#ifndef IMS_INGEST_PIPELINE_ROW_H
#define IMS_INGEST_PIPELINE_ROW_H

#include "ingest/pipeline.h"

/* Counts a path of the run in that state. */
void ims_pipeline_count(pipeline *p, uint32_t state);

/*
 * Writes all pending rows, whose vectors are there, in one transaction, and counts them. Where the
 * server of the index goes away meanwhile, it is done again.
 */
int ims_pipeline_write_rows(pipeline *p);

#endif
