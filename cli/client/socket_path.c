/* The unix socket of an index's server: where it is, and a connection to it. */
#include "cli/client/socket_path.h"

#include "cli/base/address.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The FNV-1a hash, which shortens a long path. */
static uint64_t fnv1a(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

/*
 * The path of the index without links, also where only its folder exists, or its address; malloc'd.
 */
static char *real_db(const char *db)
{
	if (address_is(db))
		return strdup(db);
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

/*
 * The user's folder for sockets; make: it is made. False: it is not there, or not this user's
 * alone.
 */
static bool runtime_folder(char *folder, size_t size, bool make)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	if (runtime && *runtime == '/')
		snprintf(folder, size, "%s/imgsearch", runtime);
	else
		snprintf(folder, size, "/tmp/imgsearch-%u", (unsigned)geteuid());
	if (make)
		mkdir(folder, 0700);
	return !lstat(folder, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid()
		&& !(st.st_mode & 077);
}

typedef enum place { BESIDE_INDEX, RUNTIME_FOLDER, PLACES } place;

/* The socket at one of its places; NULL: no such place, or a path too long for a socket. */
static char *candidate(const char *db, place where, bool make)
{
	char *out = NULL, *real = real_db(db), folder[PATH_MAX];
	int n = -1;
	if (!real)
		return NULL;
	if (where == BESIDE_INDEX && !address_is(db))
		n = asprintf(&out, "%s.sock", real);
	else if (where == RUNTIME_FOLDER && runtime_folder(folder, sizeof folder, make))
		n = asprintf(&out, "%s/%016llx.sock", folder, (unsigned long long)fnv1a(real));
	free(real);
	if (n < 0)
		return NULL;
	if (strlen(out) < sizeof((struct sockaddr_un *)0)->sun_path)
		return out;
	free(out);
	return NULL;
}

static bool folder_is_writable(char *path)
{
	char *slash = strrchr(path, '/');
	*slash = 0;
	bool writable = access(*path ? path : "/", W_OK) == 0;
	*slash = '/';
	return writable;
}

char *socket_path_of(const char *db, bool make)
{
	char *path = candidate(db, BESIDE_INDEX, make);
	if (path && folder_is_writable(path))
		return path;
	free(path);
	return candidate(db, RUNTIME_FOLDER, make);
}

/* -1: no server answers, or one of another user. */
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
	if (!connect(fd, (struct sockaddr *)&a, sizeof a)
		&& !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid())
		return fd;
	close(fd);
	return -1;
}

int socket_connect(const char *db)
{
	int fd = -1;
	for (place where = 0; where < PLACES && fd < 0; where++) {
		char *path = candidate(db, where, false);
		fd = path ? connect_to(path) : -1;
		free(path);
	}
	return fd;
}
