/*
 * The writer lock. SQLite's own write lock ends with every commit, and a run commits every few
 * seconds. The writer therefore holds flock on FILE-lock, which a kill releases. Releasing removes
 * the file; a process that locked a file which was removed meanwhile tries again.
 */
#include "store/sqlite/lock.h"
#include "store/sqlite/fork.h"
#include "store/sqlite/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Under ims_sqlite_fork_lock. */
static int lock_file(sqlite_store *st, imgsearch_error *err)
{
	for (;;) {
		struct stat mine, now;
		int fd = open(st->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0)
			return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be written: %s",
				st->base.label, st->lock_path);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int code = errno;
			close(fd);
			errno = code;
			return code == EWOULDBLOCK
				? ims_fail(err, IMGSEARCH_EBUSY, "index %s: another program is writing to it",
					st->base.label)
				: ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be locked", st->base.path);
		}
		if (fstat(fd, &mine) == 0 && stat(st->lock_path, &now) == 0 && mine.st_ino == now.st_ino
			&& mine.st_dev == now.st_dev) {
			st->lock_fd = fd;
			ims_sqlite_fork_add(st);
			return 0;
		}
		close(fd);
	}
}

int ims_sqlite_lock(sqlite_store *st, imgsearch_error *err)
{
	if (atomic_exchange(&st->writing, true))
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: another writer is at work in this program",
			st->base.label);
	if (st->memory)
		return 0;
	ims_sqlite_fork_lock();
	int rc = lock_file(st, err);
	ims_sqlite_fork_unlock();
	if (rc)
		atomic_store(&st->writing, false);
	return rc;
}

void ims_sqlite_unlock(sqlite_store *st)
{
	ims_sqlite_fork_lock();
	if (st->lock_fd >= 0) {
		ims_sqlite_fork_remove(st);
		unlink(st->lock_path);
		close(st->lock_fd);
		st->lock_fd = -1;
	}
	ims_sqlite_fork_unlock();
	atomic_store(&st->writing, false);
}

/* Why a handle that is open for reading only cannot write. */
static int refuse(const sqlite_store *st, imgsearch_error *err)
{
	if (st->asked_read_only)
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s is open for reading only", st->base.label);
	if (access(st->base.path, W_OK))
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be written", st->base.label);
	if (!ims_sqlite_folder_writable(st))
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s: its folder cannot be written",
			st->base.label);
	return ims_fail(err, IMGSEARCH_EIO, "index %s could not be written when it was opened",
		st->base.label);
}

int ims_sqlite_write_begin(store *base, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	if (st->base.read_only)
		return refuse(st, err);
	int rc = ims_sqlite_check_path(st, err);
	if (!rc)
		rc = ims_sqlite_lock(st, err);
	if (rc)
		return rc;
	if (!st->writer && (rc = ims_sqlite_open_writer(st, err)))
		ims_sqlite_unlock(st);
	return rc;
}

void ims_sqlite_write_end(store *base)
{
	sqlite_store *st = (sqlite_store *)base;
	if (!atomic_load(&st->writing))
		return;
	ims_sqlite_tx_rollback(base);
	/* Pages in the journal cannot be read through the map. */
	if (st->writer && !st->memory && !ims_sqlite_check_path(st, NULL))
		sqlite3_wal_checkpoint_v2(st->writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	ims_sqlite_unlock(st);
}
