/* The writer lock. */
#ifndef IMS_STORE_LOCK_H
#define IMS_STORE_LOCK_H

#include "store/conn.h"

/* Whether files can be created beside the index. Sets errno. */
bool ims_store_folder_writable(const store *st);

/* An exclusive advisory lock on FILE-lock, which ends with the process. EBUSY at once; EIO. */
int ims_store_lock(store *st, imgsearch_error *err);
void ims_store_unlock(store *st);

#endif
