/* What the store's tests share: a place for files, an open store, and a run of writing. */
#ifndef IMS_TEST_STORE_H
#define IMS_TEST_STORE_H

#include "store/store.h"
#include "test.h"
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64], file[96];

static inline void remove_files(void)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-lock", "-journal" };
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char name[128];
		snprintf(name, sizeof name, "%s%s", file, endings[i]);
		unlink(name);
	}
}

static inline int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s/imsstoreXXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"); /* memory, where there is such a disk */
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/index.db", folder);
	return 0;
}

static const char *where; /* file or ":memory:" */

static inline int on_file(void **state)
{
	where = file;
	return make_folder(state);
}

/*
 * IMGSEARCH_TEST_SERVER is the address of a database, and IMGSEARCH_TEST_PSQL what runs SQL there:
 * the tests for memory then run over a new schema of it each, or over IMGSEARCH_TEST_SHARDS of them
 * as the shards of one index.
 */
static inline const char *new_schema(void)
{
	static char address[2000];
	static int n;
	const char *shards = getenv("IMGSEARCH_TEST_SHARDS");
	size_t at = 0;
	for (int i = shards ? atoi(shards) : 1; i > 0; i--) {
		char command[400];
		snprintf(command, sizeof command, "%s -c 'CREATE SCHEMA t%d_%d'",
			getenv("IMGSEARCH_TEST_PSQL"), (int)getpid(), ++n);
		if (system(command))
			return NULL;
		at += (size_t)snprintf(address + at, sizeof address - at,
			"%s%s?options=-csearch_path%%3Dt%d_%d,public", at ? "\n" : "",
			getenv("IMGSEARCH_TEST_SERVER"), (int)getpid(), n);
	}
	return address;
}

static inline int in_memory(void **state)
{
	int rc = make_folder(state);
	where = getenv("IMGSEARCH_TEST_SERVER") ? new_schema() : ":memory:";
	return rc || !where ? -1 : 0;
}

static inline int remove_folder(void **state)
{
	(void)state;
	remove_files();
	return rmdir(folder);
}

#define ok(call) \
	do { \
		imgsearch_error err = { 0 }; \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)

#define fails(code_, call) \
	do { \
		imgsearch_error err = { 0 }; \
		int rc_ = (call); \
		if (rc_ != (code_)) \
			fail_msg("%s: %d instead of %d (%s)", #call, rc_, code_, err.message); \
		assert_int_equal(err.code, rc_); \
	} while (0)

/* Nothing of the kind there, which is no error. */
#define none(call) \
	do { \
		imgsearch_error err = { 0 }; \
		assert_int_equal((call), IMGSEARCH_ENOTFOUND); \
		assert_int_equal(err.code, 0); \
	} while (0)

static inline store *open_store(const char *path, uint32_t dim)
{
	store *st;
	store_options o = { .dim = dim };
	imgsearch_error err;
	if (ims_store_open(&st, path, &o, &err))
		fail_msg("%s", err.message);
	return st;
}

static inline void begin(store *st)
{
	ok(ims_store_write_begin(st, &err));
	ok(ims_store_tx_begin(st, &err));
}

static inline void commit(store *st)
{
	ok(ims_store_tx_commit(st, &err));
	ims_store_write_end(st);
}

/* An indexed picture with content `content` (0: unknown) and a vector of four times its id. */
static inline int64_t add_picture(store *st, int64_t root, const char *path, uint8_t content)
{
	store_picture p = {
		.root = root,
		.path = path,
		.size = 100 + content,
		.mtime = { -5, 999999999 },
		.state = IMGSEARCH_STATE_INDEXED,
		.width = 4,
		.height = 3,
	};
	p.hash.byte[0] = content;
	ok(put_row(st, &p, &err));
	float v[4] = { (float)p.id, (float)p.id, (float)p.id, (float)p.id };
	ok(put_vector(st, p.id, v, 4, false, &err));
	return p.id;
}

static inline int count_problem(void *user, const char *problem)
{
	print_message("# %s\n", problem);
	++*(int *)user;
	return 0;
}

static inline int problems(store *st)
{
	int n = 0;
	ok(ims_store_check(st, count_problem, &n, &err));
	return n;
}

static inline bool has_vector(store *st, int64_t id)
{
	float v[4];
	uint8_t found;
	ok(ims_store_vectors_fetch(st, &id, 1, 4, v, &found, &err));
	if (found)
		assert_true(v[0] == v[3]);
	return found;
}

/* A duplicate of the picture `of`, with the content of that number. */
static inline int64_t add_copy(store *st, const char *path, int64_t of, uint8_t content)
{
	store_picture p = { .path = path,
		.size = 100 + content,
		.mtime = { content, 5 },
		.state = IMGSEARCH_STATE_DUPLICATE,
		.same_as = of,
		.hash.byte = { content } };
	ok(put_row(st, &p, &err));
	return p.id;
}

#endif
