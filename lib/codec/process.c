#include "codec/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

bool ims_process_wait(int fd, short events, double *left)
{
	const double most = *left < 0.1 ? *left : 0.1, start = ims_now();
	struct pollfd wait = { .fd = fd, .events = events };
	int ready = poll(&wait, 1, (int)(most * 1000) + 1);
	double waited = ims_now() - start;
	*left -= waited < most ? waited : most;
	return ready > 0;
}

bool ims_process_is_stopped(pid_t pid)
{
	siginfo_t info = { 0 };
	return !waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) && info.si_pid;
}

int ims_process_end(pid_t pid)
{
	int status = 0;
	pid_t got;
	while ((got = waitpid(pid, &status, WNOHANG)) < 0 && errno == EINTR) {}
	if (got == 0) { /* it runs, or is ending and has closed its files */
		kill(pid, SIGKILL);
		while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {}
	}
	return got < 0 ? -1 : WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

bool ims_process_is_crash(int signal)
{
	return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL
		|| signal == SIGFPE || signal == SIGTRAP;
}

bool ims_process_is_outside(int signal)
{
	return signal > 0 && !ims_process_is_crash(signal) && signal != SIGSYS && signal != SIGALRM
		&& signal != SIGXCPU && signal != SIGXFSZ;
}
