/*
 * The unix socket of an index's server: where it is, and a connection to it. It lies beside the index, or in the user's
 * runtime folder where that cannot be written or the path is too long. Only a server of the same user is spoken to.
 */
#include "cli/client/server_client.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t fnv(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

/* The path of the index without links, also where only its folder exists; malloc'd. */
static char *real_db(const char *db)
{
	char folder[PATH_MAX], *real = realpath(db, NULL);
	const char *slash = strrchr(db, '/');
	if (real)
		return real;
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - db) + 1 : 1, slash ? db : ".");
	char *base = realpath(folder, NULL), *out = NULL;
	if (base && asprintf(&out, "%s/%s", base, slash ? slash + 1 : db) < 0)
		out = NULL;
	free(base);
	return out;
}

/* The socket beside the index (which 0) or in the runtime folder (1). */
static char *candidate(const char *db, int which, bool make)
{
	char *out = NULL, *real = real_db(db);
	char folder[PATH_MAX];
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (!real)
		return NULL;
	int n;
	if (which == 0) {
		n = asprintf(&out, "%s.sock", real);
	} else {
		if (runtime && *runtime == '/')
			snprintf(folder, sizeof folder, "%s/imgsearch", runtime);
		else
			snprintf(folder, sizeof folder, "/tmp/imgsearch-%u", (unsigned)geteuid());
		struct stat st;
		if (make)
			mkdir(folder, 0700);
		bool ours = !lstat(folder, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077);
		n = ours ? asprintf(&out, "%s/%016llx.sock", folder, (unsigned long long)fnv(real)) : -1;
	}
	free(real);
	if (n >= 0 && strlen(out) < sizeof ((struct sockaddr_un *)0)->sun_path)
		return out;
	if (n >= 0)
		free(out);
	return NULL;
}

char *socket_path_of(const char *db, bool make)
{
	char *path = candidate(db, 0, make);
	if (path) {
		char *slash = strrchr(path, '/');
		*slash = 0;
		bool writable = access(*path ? path : "/", W_OK) == 0;
		*slash = '/';
		if (writable)
			return path;
		free(path);
	}
	return candidate(db, 1, make);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t size = sizeof peer;
	struct timeval limit = { .tv_sec = 600 };
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (!connect(fd, (struct sockaddr *)&a, sizeof a) && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid())
		return fd;
	close(fd);
	return -1;
}

int socket_connect(const char *db)
{
	int fd = -1;
	for (int which = 0; which < 2 && fd < 0; which++) {
		char *path = candidate(db, which, false);
		fd = path ? connect_to(path) : -1;
		free(path);
	}
	return fd;
}
