#include "cli/serve/metrics.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static const unsigned statuses[] = { 200, 201, 202, 303, 304, 400, 401, 403, 404, 405, 409, 410,
	413, 415, 421, 422, 500, 503, 0 }; /* 0: another one, or the connection ended before */
static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
	10 };

enum { STATUSES = sizeof statuses / sizeof *statuses, BOUNDS = sizeof bounds / sizeof *bounds };

typedef struct counts {
	atomic_ullong status[STATUSES];
	atomic_ullong within[BOUNDS + 1]; /* of the buckets alone; the last one: above all bounds */
	atomic_ullong microseconds;
} counts;

struct metrics {
	size_t n;
	counts route[];
};

metrics *metrics_new(size_t n)
{
	metrics *m = calloc(1, sizeof *m + n * sizeof *m->route);
	if (m)
		m->n = n;
	return m;
}

void metrics_free(metrics *m)
{
	free(m);
}

void metrics_count(metrics *m, size_t route, unsigned status, double seconds)
{
	counts *c = &m->route[route];
	size_t s = 0, b = 0;
	while (s < STATUSES - 1 && statuses[s] != status)
		s++;
	while (b < BOUNDS && seconds > bounds[b])
		b++;
	atomic_fetch_add(&c->status[s], 1);
	atomic_fetch_add(&c->within[b], 1);
	atomic_fetch_add(&c->microseconds, (unsigned long long)(1e6 * seconds));
}

static void write_head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_statuses(const counts *c, const char *path, const char *method, FILE *f)
{
	for (size_t i = 0; i < STATUSES; i++) {
		unsigned long long n = atomic_load(&c->status[i]);
		if (n)
			fprintf(f, "imgsearch_requests_total{path=\"%s\",method=\"%s\",status=\"%u\"} %llu\n",
				path, method, statuses[i], n);
	}
}

static void write_times(const counts *c, const char *path, const char *method, FILE *f)
{
	static const char name[] = "imgsearch_request_duration_seconds";
	unsigned long long n = 0;
	for (size_t i = 0; i < BOUNDS; i++) {
		n += atomic_load(&c->within[i]);
		fprintf(f, "%s_bucket{path=\"%s\",method=\"%s\",le=\"%g\"} %llu\n", name, path, method,
			bounds[i], n);
	}
	n += atomic_load(&c->within[BOUNDS]);
	fprintf(f, "%s_bucket{path=\"%s\",method=\"%s\",le=\"+Inf\"} %llu\n", name, path, method, n);
	fprintf(f, "%s_sum{path=\"%s\",method=\"%s\"} %.6f\n", name, path, method,
		1e-6 * (double)atomic_load(&c->microseconds));
	fprintf(f, "%s_count{path=\"%s\",method=\"%s\"} %llu\n", name, path, method, n);
}

static void write_routes(const metrics *m, metrics_name *name,
	void (*write)(const counts *c, const char *path, const char *method, FILE *f), FILE *f)
{
	for (size_t i = 0; i < m->n; i++) {
		char path[64];
		const char *method;
		unsigned long long n = 0;
		for (size_t j = 0; j < STATUSES; j++)
			n += atomic_load(&m->route[i].status[j]);
		if (!n)
			continue;
		name(i, path, sizeof path, &method);
		write(&m->route[i], path, method, f);
	}
}

void metrics_write(const metrics *m, metrics_name *name, FILE *f)
{
	write_head(f, "imgsearch_requests_total", "counter",
		"Requests by route and status; 0: ended without an answer.");
	write_routes(m, name, write_statuses, f);
	write_head(f, "imgsearch_request_duration_seconds", "histogram",
		"From the first byte of a request to the last of its answer.");
	write_routes(m, name, write_times, f);
}

void metrics_write_one(FILE *f, const char *name, const char *type, const char *help, double value)
{
	write_head(f, name, type, help);
	fprintf(f, "%s %.17g\n", name, value);
}
