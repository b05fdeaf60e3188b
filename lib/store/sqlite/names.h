/*
 * Other names of files, within the store. A file that several paths lead to (hard links, symbolic
 * links, mounts) is one picture: the row of its first path, indexed or a duplicate. The rows of the
 * others are in state IMGSEARCH_STATE_LINK: same_file is that picture, same_as the indexed one with
 * its bytes. A deleted name keeps same_file, for when it is taken in again.
 */
#ifndef IMS_SQLITE_NAMES_H
#define IMS_SQLITE_NAMES_H

#include "store/sqlite/conn.h"

/*
 * A picture is removed, or becomes another one: from now on the first of its other names, by path,
 * is the picture of the file, and the others are names of it. *successor receives it; 0: there is
 * none. EDB, EIO.
 */
int ims_sqlite_names_hand_on(sqlite_store *st, conn *c, int64_t id, int64_t *successor,
	imgsearch_error *err);

#endif
