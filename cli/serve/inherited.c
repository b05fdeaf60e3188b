#include "cli/serve/inherited.h"

#include "cli/base/message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 16 };

/* A number of the environment; -1: none. */
static long number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long v = text && *text ? strtol(text, &end, 10) : -1;
	return v >= 0 && !*end ? v : -1;
}

/* Where a socket that listens goes; NULL: it is something else. */
static int *place(inherited *to, int fd)
{
	int listens = 0, type = 0;
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof listens, m = sizeof type, size = sizeof a;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) || !listens
		|| getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) || type != SOCK_STREAM
		|| getsockname(fd, (struct sockaddr *)&a, &size))
		return NULL;
	return a.ss_family == AF_UNIX                           ? &to->local
		: a.ss_family == AF_INET || a.ss_family == AF_INET6 ? &to->tcp
															: NULL;
}

bool inherited_take(inherited *out)
{
	long n = number("LISTEN_FDS");
	*out = (inherited){ -1, -1 };
	if (number("LISTEN_PID") != (long)getpid() || n <= 0)
		return true;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int fd = FIRST; fd < FIRST + n && n <= MOST; fd++) {
		int *to = place(out, fd);
		if (!to || *to >= 0)
			return cli_fail("LISTEN_FDS: one TCP socket and one unix socket that listen are taken"),
				   false;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		*to = fd;
	}
	return n <= MOST || (cli_fail("LISTEN_FDS: too many sockets"), false);
}
