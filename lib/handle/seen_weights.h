/*
 * What the index remembers of the weights file of its model, so that the next program need not hash
 * it again: the file is the same while its size, times and inode are.
 */
#ifndef IMS_HANDLE_SEEN_WEIGHTS_H
#define IMS_HANDLE_SEEN_WEIGHTS_H

#include "handle/handle.h"
#include "model/identity.h"

/* Whether the file at `path` is the one that was hashed. An error counts as no. */
bool ims_weights_are_seen(imgsearch *s, const char *path, const char *hash);

/*
 * Within a transaction: remembers the file of the identity. Not remembered are one that was written
 * within the last two seconds, since it might be written again without a trace, a small one, which
 * is hashed as fast, and weights in several files. EDB, EIO, ENOMEM.
 */
int ims_weights_see(imgsearch *s, const model_identity *id, imgsearch_error *err);

#endif
