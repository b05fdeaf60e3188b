/*
 * Where a query looks up rows, the system is told not to read others around them; a scan tells it
 * to read ahead again. Seen in the flags of the mapped file: "rr" is random reading.
 */
#include "common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>

enum { N = 8000, DIM = 16 };

/* How many of the maps of the file have the flag; -1: this system does not tell. */
static int random_maps(int *maps)
{
	char line[4096];
	FILE *f = fopen("/proc/self/smaps", "r");
	int n = -1;
	bool ours = false;
	*maps = 0;
	while (f && fgets(line, sizeof line, f)) {
		if (strstr(line, file) && !strstr(line, "-shm"))
			ours = true;
		if (strncmp(line, "VmFlags:", 8))
			continue;
		n = n < 0 ? 0 : n;
		*maps += ours;
		n += ours && strstr(line, " rr ");
		ours = false;
	}
	if (f)
		fclose(f);
	return n;
}

static int nothing(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)user;
	(void)ids;
	(void)rows;
	(void)n;
	return 0;
}

static void fill(void)
{
	static int64_t ids[N];
	static float rows[N * DIM];
	store *st = open_store(file, DIM);
	for (int64_t i = 0; i < N; i++)
		ids[i] = i;
	begin(st);
	ok(ims_store_vectors_put(st, ids, rows, N, DIM, &err));
	commit(st);
	ims_store_close(st); /* the journal goes into the file, which alone is mapped */
}

static void fetch(store *st, size_t n)
{
	static float rows[N * DIM];
	static uint8_t found[N];
	static int64_t ids[N];
	for (size_t i = 0; i < n; i++)
		ids[i] = (int64_t)(i * (N / n));
	ok(ims_store_vectors_fetch(st, ids, n, DIM, rows, found, &err));
	for (size_t i = 0; i < n; i++)
		assert_true(found[i]);
}

static void expect(bool random)
{
	int maps, n = random_maps(&maps);
	assert_int_equal(maps, 1);
	assert_int_equal(n, random);
}

static void reads_ahead_for_scans_alone(void **state)
{
	(void)state;
	store_snapshot snapshot;
	int maps;
	fill();
	store *st = open_store(file, DIM);
	ok(ims_store_vectors_scan(st, false, DIM, nothing, NULL, &err));
	if (random_maps(&maps) < 0 || !maps) {
		ims_store_close(st);
		print_message("# skipped: this system shows no flags of maps, or SQLite maps no file\n");
		skip();
	}
	expect(false);
	ims_store_snapshot_begin(st, &snapshot);
	fetch(st, 10);
	expect(true);
	ok(ims_store_vectors_scan(st, false, DIM, nothing, NULL, &err));
	expect(false);
	fetch(st, 10);
	fetch(st, N); /* as many as a scan reads */
	expect(false);
	fetch(st, 10);
	ims_store_snapshot_end(&snapshot);
	expect(true);
	ims_store_snapshot_begin(st, &snapshot); /* the next query */
	fetch(st, 10);
	expect(true);
	ims_store_snapshot_end(&snapshot);
	store_counts counts;
	ok(ims_store_counts(st, &counts, &err));
	expect(false);
	ims_store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_ahead_for_scans_alone, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
