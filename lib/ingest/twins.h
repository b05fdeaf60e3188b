/* Sidecars beside the other paths of a picture: what they say are columns of the picture, too. */
#ifndef IMS_INGEST_TWINS_H
#define IMS_INGEST_TWINS_H

#include "ingest/index_run.h"

/* Before the walks: a path of the index. Where it is another one, its picture is noted. ENOMEM. */
int ims_twins_note(index_run *r, const store_picture *p);
/* Whether an indexed picture had other paths before the run. */
bool ims_twins_has(index_run *r, int64_t id);

/* During the walks: an entry whose folder has sidecars. ENOMEM. */
int ims_twins_add_folder(index_run *r, const walk_entry *e);

/*
 * After the walks: reads the facts of the pictures again beside one of whose paths a sidecar came,
 * changed or went: of the file, and of the sidecars beside all of its paths, the first one's first.
 * Those with a path on a disk that is away stay as they are. EDB, EIO, ENOMEM.
 */
int ims_twins_describe(index_run *r);
void ims_twins_free(index_run *r);

#endif
