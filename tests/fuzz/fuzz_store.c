/*
 * An index file from a stranger: opened, read in every way, checked. Without a seed that is a
 * database the fuzzer would never get past the header, so the first 8 bytes choose places and the
 * rest is laid over a fresh index there.
 */
#include "store/store.h"
#include "../records.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static buf whole;

static int ignore_picture(void *user, const store_picture *p, const char *root)
{
	(void)user;
	return strlen(p->path) + strlen(root) + (p->reason ? strlen(p->reason) : 0) > 100000;
}

/* Touches every value, so that the sanitizer sees a block that is too short. */
static int ignore_vectors(void *user, const int64_t *ids, const float *rows, size_t n)
{
	(void)user;
	return ims_checksum(ids, n * sizeof *ids, 0) + ims_checksum(rows, n * 8 * sizeof *rows, 0) == 1;
}

static int ignore_problem(void *user, const char *problem)
{
	(void)user;
	return strlen(problem) > 100000;
}

static void read_everything(const char *path)
{
	store *st;
	store_options o = { .must_exist = true, .read_only = true };
	if (ims_store_open(&st, path, &o, NULL))
		return;
	int64_t *ids, id;
	size_t n;
	store_model m;
	store_picture p;
	store_searcher *s;
	store_cell *c;
	buf b = { 0 };
	store_counts counts;
	ims_store_setting_get(st, "dim", &b, NULL);
	if (!ims_store_model_get(st, &m, false, NULL))
		ims_store_model_clear(&m);
	store_roots roots;
	if (!ims_store_roots_get(st, &roots, NULL))
		ims_store_roots_free(&roots);
	ims_store_each_picture(st, 0, ignore_picture, NULL, NULL);
	ims_store_counts(st, &counts, NULL);
	ims_store_max_id(st, &id, NULL);
	ims_store_vectors_scan(st, false, 8, ignore_vectors, NULL, NULL);
	if (!ims_store_picture_get(st, 1, &p, NULL))
		ims_store_picture_clear(&p);
	if (!ims_store_columns_get(st, 1, &c, &n, NULL))
		ims_store_columns_free(c, n);
	if (!ims_store_ids_under(st, "/p", &ids, &n, NULL))
		ims_free(ids);
	if (!ims_store_changes(st, 0, &ids, &n, NULL))
		ims_free(ids);
	if (!ims_store_searchers(st, &s, &n, NULL)) {
		for (size_t i = 0; i < n; i++)
			ims_store_searcher_read(st, s[i].state, 0, &b, NULL);
		ims_store_searchers_free(s, n);
	}
	ims_store_check(st, ignore_problem, NULL, NULL);
	ims_buf_free(&b);
	ims_store_close(st);
}

/* A small index with something in every table. */
static void make_seed(void)
{
	char path[] = "/tmp/imsfuzzXXXXXX";
	static const char *const name = "a";
	store *st;
	store_options o = { .dim = 8 };
	store_model m = { .name = (char *)"m", .dim = 8 };
	int64_t root, state;
	float v[8] = { 0 };
	close(mkstemp(path));
	if (ims_store_open(&st, path, &o, NULL) || ims_store_write_begin(st, NULL)
		|| ims_store_tx_begin(st, NULL))
		abort();
	ims_store_root_add(st, "/p", &root, NULL);
	ims_store_model_set(st, &m, false, NULL);
	ims_store_searcher_begin(st, "s", &state, NULL);
	ims_store_searcher_chunk(st, state, 0, "chunk", 5, NULL);
	ims_store_searcher_publish(st, state, "", 1, 1, 0, NULL);
	for (int i = 0; i < 50; i++) {
		char file[16];
		snprintf(file, sizeof file, "%d.jpg", i);
		store_picture p = { .root = root, .path = file, .state = 1 };
		put_row(st, &p, NULL);
		put_vector(st, p.id, v, 8, false, NULL);
		put_columns(st, p.id, &name, &name, 1, 0, NULL);
	}
	if (ims_store_tx_commit(st, NULL))
		abort();
	ims_store_close(st);
	if (ims_read_file(&whole, path, 1 << 26, NULL))
		abort();
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!whole.len)
		make_seed();
	int fd = memfd_create("index", 0);
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (size > 16 && memcmp(data, "SQLite format 3", 16) == 0) {
		if (write(fd, data, size) < 0)
			abort();
	} else {
		if (write(fd, whole.data, whole.len) < 0)
			abort();
		reader r = { data, size, 0, false };
		while (r.pos + 5 < r.len) { /* place, length, bytes */
			size_t at = ims_read_u32(&r) % whole.len, n = ims_read_u8(&r) % 32;
			n = n > r.len - r.pos ? r.len - r.pos : n;
			if (pwrite(fd, ims_read_bytes(&r, n), n, (off_t)at) < 0)
				abort();
		}
	}
	read_everything(path);
	close(fd);
	return 0;
}
