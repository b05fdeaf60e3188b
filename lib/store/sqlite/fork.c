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
 *
 * Where several copies of this library share one SQLite, as two plug-ins do that have it linked in,
 * each has its handlers of fork. They share what SQLite's mutexes and device numbers need: the
 * first copy puts it where SQLite finds layers by name.
 */
#include "store/sqlite/fork.h"

#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static sqlite_store *locked;                             /* stores with an open lock file */

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

/* Of all copies of the library in the process. */
typedef struct fork_state {
	atomic_uint copies;        /* that hold the mutexes, since their handlers have run */
	_Atomic(pthread_t) thread; /* which forks */
	_Atomic(dev_t) generation; /* forks between the first process and this one */
} fork_state;

static fork_state own, *shared = &own;

typedef int fstat_call(int fd, struct stat *info);

static int other_fstat(int fd, struct stat *info)
{
	int rc = fstat(fd, info);
	info->st_dev ^= atomic_load(&shared->generation) << 40;
	return rc;
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	bool held = atomic_load(&shared->copies)
		&& pthread_equal(atomic_load(&shared->thread), pthread_self());
	for (int i = 0; !held && i < MUTEXES; i++)
		sqlite3_mutex_enter(mutex[i]);
	atomic_store(&shared->thread, pthread_self());
	atomic_fetch_add(&shared->copies, 1);
}

/* The last copy releases the mutexes, and counts a fork in the child. */
static void release(unsigned forks)
{
	if (atomic_load(&shared->copies) == 1)
		atomic_fetch_add(&shared->generation, forks);
	bool last = atomic_fetch_sub(&shared->copies, 1) == 1;
	for (int i = MUTEXES; last && i-- > 0;)
		sqlite3_mutex_leave(mutex[i]);
	pthread_mutex_unlock(&lock);
}

static void in_parent(void)
{
	release(0);
}

static void in_child(void)
{
	for (sqlite_store *st = locked; st; st = st->next_locked) {
		close(st->lock_fd);
		st->lock_fd = -1;
	}
	locked = NULL;
	if (vfs)
		vfs->xSetSystemCall(vfs, "fstat", (sqlite3_syscall_ptr)(fstat_call *)other_fstat);
	release(1);
}

static int open_nothing(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	(void)v, (void)name, (void)flags, (void)out;
	f->pMethods = NULL;
	return SQLITE_CANTOPEN;
}

static int name_nothing(sqlite3_vfs *v, const char *name, int size, char *out)
{
	(void)v, (void)name, (void)size, (void)out;
	return SQLITE_CANTOPEN;
}

/* A layer that opens no file, and holds the state. */
static void share_state(void)
{
	static sqlite3_vfs holder = {
		.iVersion = 1,
		.szOsFile = sizeof(sqlite3_file),
		.mxPathname = 1,
		.zName = "imgsearch-fork-1",
		.pAppData = &own,
		.xOpen = open_nothing,
		.xFullPathname = name_nothing,
	};
	sqlite3_mutex *m = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
	sqlite3_mutex_enter(m);
	sqlite3_vfs *first = sqlite3_vfs_find(holder.zName);
	if (first)
		shared = first->pAppData;
	else
		sqlite3_vfs_register(&holder, 0);
	sqlite3_mutex_leave(m);
}

static void set_up(void)
{
	if (sqlite3_initialize())
		return;
	for (int i = 0; i < MUTEXES; i++)
		mutex[i] = sqlite3_mutex_alloc(kinds[i]);
	share_state();
	vfs = sqlite3_vfs_find("unix");
	if (vfs && (vfs->iVersion < 3 || !vfs->xSetSystemCall))
		vfs = NULL;
	pthread_atfork(before_fork, in_parent, in_child);
}

void ims_sqlite_fork_set_up(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_up);
}

void ims_sqlite_fork_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ims_sqlite_fork_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void ims_sqlite_fork_add(sqlite_store *st)
{
	st->next_locked = locked;
	locked = st;
}

void ims_sqlite_fork_remove(sqlite_store *st)
{
	sqlite_store **at = &locked;
	while (*at && *at != st)
		at = &(*at)->next_locked;
	if (*at)
		*at = st->next_locked;
}
