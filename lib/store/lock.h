/* The writer lock. */
#ifndef IMS_STORE_LOCK_H
#define IMS_STORE_LOCK_H

#include "store/conn.h"

bool ims_store_folder_writable(const store *st); /* the folder that the file lies in; sets errno */

/* The lock file, and an advisory lock that goes with the process. EBUSY at once. */
int ims_store_lock(store *st, imgsearch_error *err);
void ims_store_unlock(store *st);

#endif
