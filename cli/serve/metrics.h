/*
 * What was asked and how long it took, for Prometheus: counted by route and status, in its text
 * format. Any thread may call.
 */
#ifndef IMGSEARCH_CLI_METRICS_H
#define IMGSEARCH_CLI_METRICS_H

#include <stddef.h>
#include <stdio.h>

typedef struct metrics metrics;

/* n: routes, of which each has a number below it. NULL: out of memory. */
metrics *metrics_new(size_t n);
void metrics_free(metrics *m); /* NULL is fine */

void metrics_count(metrics *m, size_t route, unsigned status, double seconds);

/* The path and method of a route, as labels: "/api/pictures/{id}", "GET". */
typedef void metrics_name(size_t route, char *path, size_t size, const char **method);

/* Counters, and a histogram for each route, of the routes that were asked for. */
void metrics_write(const metrics *m, metrics_name *name, FILE *f);

/* A number of its own; type: "gauge", "counter". */
void metrics_write_one(FILE *f, const char *name, const char *type, const char *help, double value);

#endif
