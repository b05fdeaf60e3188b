/*
 * Records: all that is written of a picture, in one piece. Many are written at once.
 *
 * Of files with the same bytes one is indexed and has the vector. The others are its duplicates,
 * and it is their twin. Where one was deleted on purpose, the others are deleted copies of it. The
 * store decides which of these a picture is, since it alone sees what another program wrote.
 */
#ifndef IMS_STORE_RECORD_H
#define IMS_STORE_RECORD_H

#include "store/store.h"

typedef enum store_way {
	STORE_TOUCH, /* the row of row.id keeps what the record does not have */
	STORE_PUT,   /* the row is as it stands */
	STORE_ADMIT, /* the row of a picture with these bytes; row.state and row.same_as follow */
} store_way;

typedef enum store_outcome {
	STORE_WRITTEN,    /* not of STORE_ADMIT */
	STORE_INDEXED,    /* the row has its own vector */
	STORE_UNCHANGED,  /* the row had these bytes; it keeps its vector, unless there is a new one */
	STORE_DUPLICATE,  /* another picture has these bytes */
	STORE_MOVED,      /* the picture with these bytes lies here now; it may be a deleted one */
	STORE_KEPT_OUT,   /* a picture with these bytes was deleted on purpose: so is this row */
	STORE_REFUSED,    /* it has no feature: the row is damaged */
	STORE_UNPREPARED, /* no row has these bytes, and there is no vector: nothing was written */
} store_outcome;

/* Borrowed. */
typedef struct store_record {
	store_way way;
	store_picture row;     /* with has_ctime its change time is written; id and state are set */
	bool has_pixels;       /* STORE_TOUCH: row.pixels is written */
	bool is_undecoded;     /* STORE_ADMIT: size and pixels of an unchanged row stay */
	const void *signature; /* of row.hash; NULL: none */
	size_t signature_size;
	const facts *facts; /* NULL: none */
	uint32_t facts_version;
	uint64_t sidecars;
	const float *vector; /* NULL: none */
	uint32_t dim;
	bool next; /* the vector is that of the re-index under way */
	/* of STORE_ADMIT */
	const char *no_feature; /* the network gives none: the reason of the row; else NULL */
	int64_t gone; /* the file of this twin is gone: the row is that picture, moved; 0: none */
	bool refuses_deleted;  /* EINVAL instead of STORE_KEPT_OUT */
	store_outcome outcome; /* out */
} store_record;

/*
 * Within a transaction: writes n records in their order, each as the ones before it have left the
 * index. EINVAL: a path is that of a picture that was deleted on purpose; ELIMIT: no id is left.
 */
int ims_store_write(store *st, store_record *r, size_t n, imgsearch_error *err);

#endif
