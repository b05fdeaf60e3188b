/*
 * The system reads many pages around one that is missing in memory: 128 KiB, and up to 8 MiB on
 * network disks. That serves a scan. A query's ten rows lie anywhere in the file, so for them it
 * costs a hundred times what is needed, and in little memory it drives out what the next query
 * needs.
 */
#include "store/sqlite/conn.h"

#include <stdlib.h>
#include <sys/mman.h>

/* What a connection has mapped of the file; 0: nothing, or not all that it should have. */
static size_t find_map(conn *c, char **start)
{
	enum { PAGE = 65536 };
	const sqlite3_int64 most = strtoll(IMS_STORE_MAP, NULL, 16);
	sqlite3_file *f = NULL;
	sqlite3_int64 size;
	void *last = NULL;
	if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) || !f || !f->pMethods
		|| f->pMethods->iVersion < 3 || f->pMethods->xFileSize(f, &size))
		return 0;
	size = (size < most ? size : most) / PAGE * PAGE;
	if (!size || f->pMethods->xFetch(f, size - PAGE, PAGE, &last) || !last)
		return 0;
	f->pMethods->xUnfetch(f, size - PAGE, last);
	*start = (char *)last + PAGE - size;
	return (size_t)size;
}

void ims_sqlite_read_ahead(conn *c, bool ahead)
{
	char *start;
	if (c->borrowed || c == c->st->writer || c->scattered != ahead)
		return;
	size_t size = find_map(c, &start);
	if (size)
		madvise(start, size, ahead ? MADV_NORMAL : MADV_RANDOM);
	c->scattered = !ahead;
}
