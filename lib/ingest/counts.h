/* What an index run counts. */
#ifndef IMS_INGEST_COUNTS_H
#define IMS_INGEST_COUNTS_H

#include "base/counts.h"

typedef struct run_counts {
	imgsearch_counts paths; /* of the run, by state */
	uint64_t added, unchanged, changed, moved, removed;
	uint64_t offline;   /* pictures of roots that are absent */
	uint64_t rehashed;  /* of the unchanged: files whose bytes were read and compared */
	uint64_t redecoded; /* of the unchanged: whose pixels another version of the decoding made */
	uint64_t remade;    /* of the unchanged: whose feature another model made anew */
	uint64_t described; /* of the unchanged: whose facts were read again */
	uint64_t failed;    /* damaged, too big or unreadable, and tried by this run */
	double seconds;
	char **unmatched; /* owned: patterns that were given and matched nothing */
	size_t n_unmatched;
	double walk_s, decode_s, network_s, store_s; /* time of work, summed over threads */
} run_counts;

#endif
