/*
 * The writer's right, transactions, tallies and the log of changes.
 *
 * SQLite's own write lock goes with every commit, and we commit every few seconds, so the right to write is a lock of
 * its own: flock on FILE-lock, which a kill releases. The file is removed on release; who locks one that was removed
 * meanwhile, tries again.
 */
#include "store/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int ims_store_lock(store *st, imgsearch_error *err)
{
	if (atomic_exchange(&st->writing, true))
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: another writer is at work in this program", st->path);
	if (st->memory)
		return 0;
	for (;;) {
		struct stat mine, now;
		int fd = open(st->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0) {
			atomic_store(&st->writing, false);
			return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be written: %s", st->path, st->lock_path);
		}
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int code = errno;
			close(fd);
			atomic_store(&st->writing, false);
			errno = code;
			return code == EWOULDBLOCK
				? ims_fail(err, IMGSEARCH_EBUSY, "index %s: another program is writing to it; try again when it is done", st->path)
				: ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be locked", st->path);
		}
		if (fstat(fd, &mine) == 0 && stat(st->lock_path, &now) == 0 && mine.st_ino == now.st_ino && mine.st_dev == now.st_dev) {
			st->lock_fd = fd;
			return 0;
		}
		close(fd);
	}
}

void ims_store_unlock(store *st)
{
	if (st->lock_fd >= 0) {
		unlink(st->lock_path);
		close(st->lock_fd);
		st->lock_fd = -1;
	}
	atomic_store(&st->writing, false);
}

static int refuse(const store *st, imgsearch_error *err)
{
	if (access(st->path, W_OK))
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s cannot be written", st->path);
	if (!ims_store_folder_writable(st->path))
		return ims_fail_errno(err, IMGSEARCH_EIO, "index %s: its folder cannot be written", st->path);
	return ims_fail(err, IMGSEARCH_EIO, "index %s cannot be written: it is open for reading only", st->path);
}

int ims_store_write_begin(store *st, imgsearch_error *err)
{
	if (st->read_only)
		return refuse(st, err);
	int rc = ims_store_lock(st, err);
	if (!rc && !st->writer && (rc = ims_store_connect(st, &st->writer, true, err)))
		ims_store_unlock(st);
	return rc;
}

void ims_store_write_end(store *st)
{
	if (!atomic_load(&st->writing))
		return;
	ims_store_tx_rollback(st);
	if (st->writer && !st->memory) /* readers of what lies in the journal cannot use the mapped file */
		sqlite3_wal_checkpoint_v2(st->writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	ims_store_unlock(st);
}

int ims_store_tx_begin(store *st, imgsearch_error *err)
{
	conn *c = st->writer;
	int64_t searchers;
	if (!atomic_load(&st->writing) || atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: a transaction outside of its place", st->path);
	int rc = ims_store_run(c, err, "BEGIN IMMEDIATE", "");
	if (rc)
		return rc;
	atomic_store(&st->tx_thread, pthread_self());
	atomic_store(&st->in_tx, true);
	c->broken = false;
	st->noted = false;
	memset(st->tally, 0, sizeof st->tally);
	rc = ims_store_number(c, &searchers, 0, err, "SELECT EXISTS(SELECT 1 FROM searcher)", "");
	st->logging = searchers != 0;
	if (rc)
		ims_store_tx_rollback(st);
	return rc;
}

int ims_store_tx_commit(store *st, imgsearch_error *err)
{
	conn *c;
	int rc = ims_store_writer(st, &c, err);
	if (!rc)
		rc = ims_store_tally_flush(st, c, err);
	if (!rc)
		rc = ims_store_run(c, err, "COMMIT", "");
	if (rc) {
		ims_store_tx_rollback(st);
		return rc;
	}
	atomic_store(&st->in_tx, false);
	atomic_fetch_add(&st->commits, 1);
	return 0;
}

void ims_store_tx_rollback(store *st)
{
	if (!atomic_load(&st->in_tx))
		return;
	if (!sqlite3_get_autocommit(st->writer->db))
		sqlite3_exec(st->writer->db, "ROLLBACK", NULL, NULL, NULL);
	st->writer->broken = false;
	atomic_store(&st->in_tx, false);
}

int ims_store_writer(store *st, conn **out, imgsearch_error *err)
{
	conn *c = *out = st->writer;
	if (!atomic_load(&st->in_tx))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: written outside of a transaction", st->path);
	if (c->broken || sqlite3_get_autocommit(c->db))
		return ims_fail(err, IMGSEARCH_EDB, "index %s: something failed earlier in this transaction; it is undone", st->path);
	return 0;
}

int ims_store_tally_flush(store *st, conn *c, imgsearch_error *err)
{
	for (int i = 1; i < TALLIES; i++) {
		int64_t n = st->tally[i];
		int rc = n ? ims_store_run(c, err, "UPDATE tally SET n = n + ?2 WHERE what = ?1", "ii", (int64_t)i, n) : 0;
		if (rc)
			return rc;
		st->tally[i] = 0;
	}
	return 0;
}

/* Without a searcher to bring up to date nothing is logged, but a transaction's first change raises the newest number. */
int ims_store_changed(store *st, conn *c, int64_t id, imgsearch_error *err)
{
	if (st->logging)
		return ims_store_run(c, err, "INSERT INTO change(id) VALUES(?1)", "i", id);
	if (st->noted)
		return 0;
	st->noted = true;
	int rc = ims_store_run(c, err, "DELETE FROM change", "");
	return rc ? rc : ims_store_run(c, err, "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'change'", "");
}
