/*
 * The upkeep of an index: a build, a check with the recall of its searchers, its vectors for other
 * programs, a copy of the whole. A folder that moved is told first; shards are balanced last.
 *
 *	upkeep INDEX COPY [FROM TO]
 */
#include <imgsearch.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int show_problem(void *user, const char *text)
{
	(void)user;
	printf("problem: %s\n", text);
	return 0;
}

static int check(imgsearch *s, imgsearch_error *err)
{
	imgsearch_check_options options = IMGSEARCH_INIT(imgsearch_check_options);
	imgsearch_check_report *report;
	options.problem = show_problem;
	options.queries = 10;
	int rc = imgsearch_check(s, &options, NULL, &report, err);
	if (rc)
		return rc;
	printf("%llu problems\n", (unsigned long long)report->problems);
	for (size_t i = 0; i < report->count; i++)
		printf("%s: recall %.2f\n", report->items[i]->name, report->items[i]->recall10);
	imgsearch_check_report_free(report);
	return 0;
}

/* The searcher that reduces vectors to their principal components. */
static int build(imgsearch *s, imgsearch_error *err)
{
	imgsearch_build_options options = IMGSEARCH_INIT(imgsearch_build_options);
	imgsearch_build_report *report;
	options.searcher = "pca";
	int rc = imgsearch_build(s, &options, NULL, &report, err);
	if (rc)
		return rc;
	printf("%s over %llu vectors\n", report->searcher, (unsigned long long)report->rows);
	imgsearch_build_report_free(report);
	return 0;
}

typedef struct exported {
	size_t count, dim;
	int64_t first; /* id */
} exported;

static int take_block(void *user, const imgsearch_vectors_export_block *block)
{
	exported *e = (exported *)user;
	if (!e->count && block->count)
		e->first = block->ids[0];
	e->count += block->count;
	e->dim = block->dim;
	return 0;
}

/* All vectors, then two values of the first one. */
static int show_vectors(imgsearch *s, imgsearch_error *err)
{
	exported e;
	float two[2];
	e.count = e.dim = 0;
	int rc = imgsearch_vectors_export(s, NULL, take_block, &e, NULL, err);
	if (rc || !e.count)
		return rc;
	printf("%zu vectors of %zu values\n", e.count, e.dim);
	float *row = (float *)malloc(e.dim * sizeof *row);
	if (!row)
		return IMGSEARCH_ENOMEM;
	rc = imgsearch_vectors_get(s, &e.first, 1, NULL, row, e.dim, NULL, err);
	if (rc == 0)
		rc = imgsearch_vectors_reduce(s, row, 1, e.dim, 2, NULL, two, 2, err);
	if (rc == 0)
		printf("on two components: %s\n", isfinite(two[0]) && isfinite(two[1]) ? "yes" : "no");
	free(row);
	return rc;
}

/* Into a file, or an index on a server. What was stopped goes on where it was. */
static int copy(imgsearch *s, const char *target, imgsearch_error *err)
{
	imgsearch_index_copy_report *report;
	uint64_t rows = 0;
	int rc = imgsearch_index_copy(s, target, NULL, NULL, &report, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < report->tables->count; i++)
		rows += report->tables->items[i]->rows;
	printf("%zu tables, %s, compared\n", report->tables->count, rows ? "with rows" : "empty");
	imgsearch_index_copy_report_free(report);
	return 0;
}

/* The servers of an index that lies on several; the fullest gives some buckets to the emptiest. */
static int balance(imgsearch *s, imgsearch_error *err)
{
	imgsearch_shards *shards;
	uint32_t moved = 0;
	int rc = imgsearch_shards_list(s, &shards, err);
	if (rc)
		return rc;
	size_t n = shards->count;
	for (size_t i = 0; i < n; i++)
		printf("shard %u: %u buckets\n", shards->items[i]->number, shards->items[i]->buckets);
	imgsearch_shards_free(shards);
	rc = n ? imgsearch_shards_move(s, NULL, NULL, &moved, err)
		   : imgsearch_shards_add(s, "postgresql://db2.example/photos", NULL, err);
	if (rc == IMGSEARCH_EUNSUPPORTED)
		return printf("no shards: %s\n", err->message), 0;
	printf("%u buckets moved\n", moved);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	imgsearch *s = NULL;
	if (argc != 3 && argc != 5)
		return fprintf(stderr, "usage: upkeep INDEX COPY [FROM TO]\n"), 2;
	int rc = imgsearch_open(argv[1], NULL, NULL, &s, &err);
	if (rc == 0 && argc == 5)
		rc = imgsearch_root_move(s, argv[3], argv[4], NULL, &err);
	if (rc == 0)
		rc = build(s, &err);
	if (rc == 0)
		rc = check(s, &err);
	if (rc == 0)
		rc = show_vectors(s, &err);
	if (rc == 0)
		rc = copy(s, argv[2], &err);
	if (rc == 0)
		rc = balance(s, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	imgsearch_close(s);
	return rc != 0;
}
