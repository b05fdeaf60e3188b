/* A moment at which a write of SQLite's fails for want of room, or kills the process. */
#ifndef IMS_TEST_STORE_FAULTS_H
#define IMS_TEST_STORE_FAULTS_H

#include "common.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static int faults_writes_left = -1; /* -1: no fault comes */
static bool faults_kill;            /* instead of "no space left on device" */

static inline ssize_t faults_write(int fd, const void *data, size_t n, off_t at)
{
	if (faults_writes_left == 0 && faults_kill)
		raise(SIGKILL);
	if (faults_writes_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (faults_writes_left > 0)
		faults_writes_left--;
	return pwrite(fd, data, n, at);
}

static inline void faults_install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	const char *call = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	assert_int_equal(vfs->xSetSystemCall(vfs, call, (sqlite3_syscall_ptr)faults_write), SQLITE_OK);
}

/* Runs work(arg) in a child that dies at the n-th write. Returns whether it did. */
static inline bool faults_kill_at(int n, void (*work)(void *arg), void *arg)
{
	pid_t child = fork();
	if (!child) {
		faults_kill = true;
		faults_writes_left = n;
		work(arg);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

#endif
