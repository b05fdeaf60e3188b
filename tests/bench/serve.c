/*
 * bench-serve: requests on loopback. serve PORT ids CONNECTIONS REQUESTS VECTORS: searches by
 * random id; serve PORT upload CONNECTIONS FILE...: searches by upload, each file once; with keep
 * instead of upload, adds them to the index. Writes one JSON line: requests per second, p50, p99,
 * errors.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port;
static long requests, vectors;
static char **files;
static const char *address = "/api/search?k=10"; /* where files are sent */
static int expected = 200;
static atomic_long next_request, errors;
static double *latency;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("connect");
		exit(3);
	}
	return fd;
}

/* Reads one answer; its status, or 0. */
static int answer(int fd)
{
	static const size_t size = 1 << 20;
	char *text = malloc(size + 1), *body = NULL;
	size_t n = 0, need = size;
	int status = 0;
	while (n < need && n < size) {
		ssize_t got = recv(fd, text + n, size - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = 0;
		if (!body && (body = strstr(text, "\r\n\r\n"))) {
			char *length = strcasestr(text, "content-length:");
			need = (size_t)(body + 4 - text) + (length ? strtoul(length + 15, NULL, 10) : 0);
		}
	}
	if (n == need)
		sscanf(text, "HTTP/1.1 %d", &status);
	free(text);
	return status;
}

static int ask(int fd, long i)
{
	char head[256];
	if (!files) {
		long id = (long)((unsigned long)i * 2654435761ul % (unsigned long)vectors);
		int n = snprintf(head, sizeof(head),
			"GET /api/search?id=%ld&k=10 HTTP/1.1\r\nHost: localhost\r\n\r\n", id + 1);
		return send(fd, head, (size_t)n, MSG_NOSIGNAL) == n ? answer(fd) : 0;
	}
	FILE *f = fopen(files[i], "rb");
	static const size_t largest = 32 << 20;
	char *data = malloc(largest);
	size_t size = f ? fread(data, 1, largest, f) : 0;
	if (f)
		fclose(f);
	int n = snprintf(head, sizeof(head),
		"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", address, size);
	int status = send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) == n
			&& send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size
		? answer(fd)
		: 0;
	free(data);
	return status;
}

static void *work(void *arg)
{
	int fd = dial();
	for (long i; (i = atomic_fetch_add(&next_request, 1)) < requests;) {
		double start = now();
		if (ask(fd, i) != expected)
			atomic_fetch_add(&errors, 1);
		latency[i] = now() - start;
	}
	close(fd);
	return arg;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	pthread_t thread[256];
	if (argc < 5)
		return 2;
	port = atoi(argv[1]);
	int connections = atoi(argv[3]);
	if (!strcmp(argv[2], "keep")) {
		address = "/api/pictures";
		expected = 201;
	}
	if (strcmp(argv[2], "ids")) {
		files = argv + 4;
		requests = argc - 4;
	} else {
		requests = atol(argv[4]);
		vectors = atol(argv[5]);
	}
	latency = calloc((size_t)requests, sizeof(*latency));
	double start = now();
	for (int i = 0; i < connections; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < connections; i++)
		pthread_join(thread[i], NULL);
	double seconds = now() - start;
	qsort(latency, (size_t)requests, sizeof(*latency), by_value);
	printf("{\"requests\": %ld, \"per_second\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, "
		   "\"errors\": %ld}\n",
		requests, (double)requests / seconds, latency[requests / 2] * 1e3,
		latency[requests * 99 / 100] * 1e3, atomic_load(&errors));
	free(latency);
	return atomic_load(&errors) > 0;
}
