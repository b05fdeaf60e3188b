#include "cli/serve/access_log.h"

#include "cli/base/message.h"
#include "cli/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

FILE *access_log_open(const char *path)
{
	if (!strcmp(path, "-"))
		return stderr;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (f) {
		setvbuf(f, NULL, _IOLBF, 0);
		return f;
	}
	cli_fail("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

void access_log_close(FILE *f)
{
	if (f && f != stderr)
		fclose(f);
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

void access_log_write(FILE *f, const exchange *x, double seconds)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	flockfile(f);
	fprintf(f, "%s ", when);
	write_client(f, x);
	fputc(' ', f);
	text_write_escaped(f, x->method);
	fprintf(f, " %u %.4f ", x->status, seconds);
	text_write_escaped(f, x->path);
	fputc('\n', f);
	funlockfile(f);
}
