/*
 * SQLite's connections must not be used in a child, and the child cannot close them. What it
 * inherits would harm connections that it opens itself in three ways.
 *
 * - A thread of the parent held one of SQLite's global mutexes, which nobody releases in the child.
 *   They are therefore acquired before the fork and released after it, on both sides.
 * - SQLite keeps the POSIX locks of a process for each inode. In a child the list says that locks
 *   are held which the system did not pass on. SQLite finds an inode by the numbers that fstat
 *   gives. In a child fstat gives SQLite another device number: its own connections share nothing
 *   with the inherited ones.
 * - flock belongs to the open file, which the child shares: it would hold the writer lock beyond
 *   the end of the parent. The child closes its copy.
 */
#include "store/fork.h"

#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static store *locked;                                    /* stores with an open lock file */

/*
 * In the order in which SQLite nests them: a shared cache is opened under OPEN, names of temporary
 * files are drawn under VFS1, and the first random number looks for the system's layer, under PRNG.
 */
static const int kinds[] = {
	SQLITE_MUTEX_STATIC_OPEN,
	SQLITE_MUTEX_STATIC_VFS1,
	SQLITE_MUTEX_STATIC_PRNG,
	SQLITE_MUTEX_STATIC_MASTER,
	SQLITE_MUTEX_STATIC_LRU,
	SQLITE_MUTEX_STATIC_PMEM,
	SQLITE_MUTEX_STATIC_MEM,
};
enum { MUTEXES = sizeof kinds / sizeof *kinds };
static sqlite3_mutex *mutex[MUTEXES]; /* NULL in a SQLite without threads */
static sqlite3_vfs *vfs;
static dev_t generation; /* forks between the first process and this one */

typedef int fstat_call(int fd, struct stat *info);

static int other_fstat(int fd, struct stat *info)
{
	int rc = fstat(fd, info);
	info->st_dev ^= generation << 40;
	return rc;
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < MUTEXES; i++)
		sqlite3_mutex_enter(mutex[i]);
}

static void in_parent(void)
{
	for (int i = MUTEXES; i-- > 0;)
		sqlite3_mutex_leave(mutex[i]);
	pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
	for (store *st = locked; st; st = st->next_locked) {
		close(st->lock_fd);
		st->lock_fd = -1;
	}
	locked = NULL;
	generation++;
	if (vfs)
		vfs->xSetSystemCall(vfs, "fstat", (sqlite3_syscall_ptr)(fstat_call *)other_fstat);
	in_parent();
}

static void set_up(void)
{
	if (sqlite3_initialize())
		return;
	for (int i = 0; i < MUTEXES; i++)
		mutex[i] = sqlite3_mutex_alloc(kinds[i]);
	vfs = sqlite3_vfs_find("unix");
	if (vfs && (vfs->iVersion < 3 || !vfs->xSetSystemCall))
		vfs = NULL;
	pthread_atfork(before_fork, in_parent, in_child);
}

void ims_store_fork_set_up(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_up);
}

void ims_store_fork_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ims_store_fork_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void ims_store_fork_add(store *st)
{
	st->next_locked = locked;
	locked = st;
}

void ims_store_fork_remove(store *st)
{
	store **at = &locked;
	while (*at && *at != st)
		at = &(*at)->next_locked;
	if (*at)
		*at = st->next_locked;
}
