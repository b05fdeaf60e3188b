/* A connection to the server of an index, and HTTP over it. */
#include "cli/client/client.h"

#include "cli/client/socket_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	int fd;
};

client *client_connect(const char *db)
{
	int fd = socket_connect(db);
	client *l = fd >= 0 ? malloc(sizeof *l) : NULL;
	if (l)
		l->fd = fd;
	else if (fd >= 0)
		close(fd);
	return l;
}

void client_disconnect(client *l)
{
	if (l)
		close(l->fd);
	free(l);
}

int client_socket(const client *l)
{
	return l->fd;
}

/* ------------------------------------------------------------------------------------ HTTP ---- */

static bool send_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool client_post(client *l, const char *target, const char *headers, const void *body, size_t size)
{
	char head[400];
	int n = snprintf(head, sizeof head,
		"POST %s\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n", target, headers, size);
	return n < (int)sizeof head && send_all(l->fd, head, (size_t)n) && send_all(l->fd, body, size);
}

/* Peeks at the head and reads up to its empty line, so that the body stays in the socket. */
int client_read_head(client *l, long *length)
{
	char head[8192];
	size_t n = 0;
	int status = 0;
	*length = -1;
	while (n + 1 < sizeof head) {
		ssize_t got = recv(l->fd, head + n, sizeof head - 1 - n, MSG_PEEK);
		if (got <= 0)
			return 0;
		head[n + (size_t)got] = 0;
		char *end = strstr(head, "\r\n\r\n");
		size_t size = end ? (size_t)(end + 4 - head) - n : (size_t)got;
		if (recv(l->fd, head + n, size, 0) != (ssize_t)size)
			return 0;
		n += size;
		if (end)
			break;
	}
	head[n] = 0;
	for (char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (!strncasecmp(line + 2, "content-length:", 15))
			*length = strtol(line + 17, NULL, 10);
	return sscanf(head, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

char *client_read_body(client *l, long length)
{
	char *body = length >= 0 && length < CLIENT_BODY_MAX ? malloc((size_t)length + 1) : NULL;
	for (size_t n = 0; body && n < (size_t)length;) {
		ssize_t got = recv(l->fd, body + n, (size_t)length - n, 0);
		if (got <= 0) {
			free(body);
			return NULL;
		}
		n += (size_t)got;
	}
	if (body)
		body[length] = 0;
	return body;
}
