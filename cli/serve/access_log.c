#include "cli/serve/access_log.h"

#include "cli/base/message.h"
#include "cli/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct access_log {
	char *path; /* NULL: standard error */
	FILE *file;
	time_t looked; /* whether the file is still at path */
	pthread_mutex_t lock;
};

static FILE *open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (f)
		setvbuf(f, NULL, _IOLBF, 0);
	else if (fd >= 0)
		close(fd);
	return f;
}

access_log *access_log_new(const char *path)
{
	bool standard = !strcmp(path, "-");
	access_log *l = calloc(1, sizeof *l);
	if (!l)
		return cli_nomem(), NULL;
	pthread_mutex_init(&l->lock, NULL);
	l->path = standard ? NULL : strdup(path);
	l->file = standard ? stderr : open_file(path);
	if (l->file && (l->path || standard))
		return l;
	cli_fail("%s: %s", path, strerror(errno));
	access_log_free(l);
	return NULL;
}

void access_log_free(access_log *l)
{
	if (!l)
		return;
	if (l->file && l->file != stderr)
		fclose(l->file);
	pthread_mutex_destroy(&l->lock);
	free(l->path);
	free(l);
}

/* Where no new file can be made, the old one goes on. */
static void follow_path(access_log *l, time_t now)
{
	struct stat at, own;
	if (!l->path || now == l->looked)
		return;
	l->looked = now;
	if (!stat(l->path, &at) && !fstat(fileno(l->file), &own) && at.st_ino == own.st_ino
		&& at.st_dev == own.st_dev)
		return;
	FILE *new = open_file(l->path);
	if (new) {
		fclose(l->file);
		l->file = new;
	}
}

/* The address of the client's machine. */
static void write_client(FILE *f, const exchange *x)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const union MHD_ConnectionInfo *info = x->local
		? NULL
		: MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, sizeof text);
	else if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text, sizeof text);
	fputs(x->local ? "unix" : text, f);
}

void access_log_write(access_log *l, const exchange *x, double seconds)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	if (!l)
		return;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	pthread_mutex_lock(&l->lock);
	follow_path(l, now);
	fprintf(l->file, "%s ", when);
	write_client(l->file, x);
	fputc(' ', l->file);
	text_write_escaped(l->file, x->method);
	fprintf(l->file, " %u %.4f ", x->status, seconds);
	text_write_escaped(l->file, x->path);
	fputc('\n', l->file);
	pthread_mutex_unlock(&l->lock);
}
