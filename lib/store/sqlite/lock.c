/*
 * The writer lock. SQLite's own write lock ends with every commit, and a run commits every few
 * seconds. The writer therefore holds flock on FILE-lock, which a kill releases. Releasing removes
 * the file; a process that locked a file which was removed meanwhile tries again.
 *
 * FILE-lock says of which index the journal beside it is (lock_note). While there is a journal it
 * stays, unlocked; the last user removes it with the journal.
 */
#include "store/sqlite/lock.h"
#include "store/sqlite/fork.h"
#include "store/sqlite/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Under ims_sqlite_fork_lock. Who removes the file holds it for a moment: it is tried again. */
static int lock_file(sqlite_store *st, imgsearch_error *err)
{
	for (int tries = 0;;) {
		struct stat mine, now;
		int fd = open(st->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0)
			return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be written: %s",
				st->base.label, st->lock_path);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int code = errno;
			close(fd);
			errno = code;
			if (code == EWOULDBLOCK && tries++ < 3) {
				nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
				continue;
			}
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

/*
 * The note on the file as it is; nothing, where its number is not known or it cannot be written.
 * Where another file is in its place by now, the note stays.
 */
static void write_note(const sqlite_store *st)
{
	lock_note note = { .id = atomic_load(&st->file_id) }, was;
	bool known = note.id && ims_sqlite_look_at_file(st, &note);
	if (known && st->inode && (note.device != st->device || note.inode != st->inode))
		return;
	bool same = known && pread(st->lock_fd, &was, sizeof was, 0) == sizeof was
		&& !memcmp(&note, &was, sizeof was);
	if (!same && !(known && pwrite(st->lock_fd, &note, sizeof note, 0) == sizeof note))
		(void)!ftruncate(st->lock_fd, 0);
}

bool ims_sqlite_read_note(const sqlite_store *st, lock_note *note)
{
	int fd = open(st->lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool found = fd >= 0 && read(fd, note, sizeof *note) == sizeof *note;
	if (fd >= 0)
		close(fd);
	return found;
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
	else
		write_note(st);
	return rc;
}

void ims_sqlite_unlock(sqlite_store *st)
{
	ims_sqlite_fork_lock();
	if (st->lock_fd >= 0) {
		ims_sqlite_fork_remove(st);
		if (ims_sqlite_journal_exists(st))
			write_note(st);
		else
			unlink(st->lock_path);
		close(st->lock_fd);
		st->lock_fd = -1;
	}
	ims_sqlite_fork_unlock();
	atomic_store(&st->writing, false);
}

void ims_sqlite_remove_lock_file(sqlite_store *st)
{
	bool left = st->inode && !st->base.read_only && !access(st->lock_path, F_OK);
	if (left && !ims_sqlite_journal_exists(st) && !ims_sqlite_lock(st, NULL))
		ims_sqlite_unlock(st);
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
	if (!rc && !st->memory && !atomic_load(&st->file_id)
		&& !ims_sqlite_learn_file_id(st->writer, NULL))
		write_note(st);
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
