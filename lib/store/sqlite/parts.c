/*
 * One scan of all vectors on several threads: each has a connection of its own, in a read
 * transaction, and takes one range of ids after another. SQLite cannot say whether two connections
 * read the same commit. What changes vectors raises the number of the newest change (changes.c), or
 * changes the schema (models.c): where all connections see the same two numbers, they see the same
 * vectors.
 */
#include "store/sqlite/changes.h"
#include "store/sqlite/gate.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/vectors.h"

enum { RANGES = 8 /* for each thread, so that none waits long for the others */ };

typedef struct part {
	conn *c;
	int rc;
	imgsearch_error err;
} part;

typedef struct scan {
	sqlite_store *st;
	uint32_t dim;
	store_vectors_each *each;
	void *const *users;
	int64_t first;
	uint64_t step; /* ids of a range */
	size_t ranges, parts;
	part part[STORE_PARTS];
	atomic_size_t next;
	atomic_bool failed;
} scan;

static int scan_range(scan *s, part *p, void *user, size_t i)
{
	sqlite3_stmt *rows = NULL;
	int64_t from = (int64_t)((uint64_t)s->first + i * s->step);
	int64_t to = i + 1 < s->ranges ? (int64_t)((uint64_t)from + s->step - 1) : INT64_MAX;
	int rc = ims_sqlite_query(p->c, &rows, &p->err,
		"SELECT id, data FROM vector WHERE id >= ?1 AND id <= ?2 ORDER BY id", "ii", from, to);
	if (!rc)
		rc = ims_sqlite_vectors_rows(s->st, p->c, rows, s->dim, s->each, user, &p->err);
	ims_sqlite_done(p->c, rows);
	return rc;
}

/* Takes ranges until none is left, or another part has failed. */
static void scan_part(void *arg, size_t i, unsigned worker)
{
	scan *s = arg;
	part *p = &s->part[i];
	size_t range = 0;
	(void)worker;
	while (
		!p->rc && !atomic_load(&s->failed) && (range = atomic_fetch_add(&s->next, 1)) < s->ranges)
		p->rc = scan_range(s, p, s->users[i], range);
	if (p->rc)
		atomic_store(&s->failed, true);
}

/*
 * A pass over a whole file is faster by reading than through the map: a page that was read lies in
 * the CPU's cache, and a new process has no page mapped yet.
 */
static int use_map(conn *c, bool use, imgsearch_error *err)
{
	c->scattered = false; /* the map is another one */
	return ims_sqlite_exec(c, use ? "PRAGMA mmap_size=" IMS_STORE_MAP : "PRAGMA mmap_size=0", err);
}

/* What two connections must agree in to see the same vectors. */
typedef struct part_state {
	int64_t change, schema;
} part_state;

static int see(conn *c, part_state *out, imgsearch_error *err)
{
	int rc = ims_sqlite_change_newest(c, &out->change, err);
	return rc ? rc : ims_sqlite_number(c, &out->schema, 0, err, "PRAGMA schema_version", "");
}

/* What the snapshot of this thread sees; left alone where there is none. */
static int see_snapshot(sqlite_store *st, part_state *out, imgsearch_error *err)
{
	conn *c = NULL;
	int rc = ims_sqlite_snapshot_get(st) ? ims_sqlite_acquire(st, &c, err) : 0;
	if (!rc && c)
		rc = see(c, out, err);
	ims_sqlite_release(st, c);
	return rc;
}

/* Begins a read on a connection of its own. */
static int begin_part(sqlite_store *st, conn **c, part_state *out, imgsearch_error *err)
{
	int rc = ims_sqlite_acquire_own(st, c, err);
	if (!rc)
		rc = use_map(*c, false, err);
	if (!rc)
		rc = ims_sqlite_read_begin(*c, err);
	return rc ? rc : see(*c, out, err);
}

/* Divides the ids into ranges. */
static int divide(scan *s, imgsearch_error *err)
{
	int64_t last = 0;
	conn *c = s->part[0].c;
	int rc = ims_sqlite_number(c, &s->first, 0, err, "SELECT min(id) FROM vector", "");
	if (!rc)
		rc = ims_sqlite_number(c, &last, 0, err, "SELECT max(id) FROM vector", "");
	s->step = ((uint64_t)last - (uint64_t)s->first) / s->ranges + 1;
	return rc;
}

/* Begins a read on every connection. *same: all see the same vectors, the snapshot too. */
static int begin(scan *s, bool *same, imgsearch_error *err)
{
	part_state first = { 0 }, other = { 0 };
	int rc = begin_part(s->st, &s->part[0].c, &first, err);
	if (!rc)
		rc = divide(s, err);
	other = first;
	if (!rc)
		rc = see_snapshot(s->st, &other, err);
	*same = first.change == other.change && first.schema == other.schema;
	for (size_t i = 1; !rc && *same && i < s->parts; i++) {
		rc = begin_part(s->st, &s->part[i].c, &other, err);
		*same = first.change == other.change && first.schema == other.schema;
	}
	return rc;
}

int ims_sqlite_vectors_scan_parts(store *base, uint32_t dim, pool *pool, store_vectors_each *each,
	void *const *users, size_t parts, bool *done, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	*done = false;
	if (st->memory || ims_sqlite_own_transaction(st))
		return 0;
	scan *s = ims_zalloc(1, sizeof *s);
	if (!s)
		return ims_nomem(err);
	s->st = st;
	s->dim = dim;
	s->each = each;
	s->users = users;
	s->parts = parts;
	s->ranges = RANGES * parts;
	int rc = begin(s, done, err);
	if (!rc && *done)
		ims_parallel(pool, parts, scan_part, s);
	for (size_t i = 0; i < parts; i++) {
		part *p = &s->part[i];
		if (!rc && p->rc) {
			rc = p->rc;
			if (err)
				*err = p->err;
		}
		if (p->c) {
			ims_sqlite_read_end(p->c);
			if (use_map(p->c, true, NULL))
				p->c->failed = IMGSEARCH_EDB; /* it is not used again */
			ims_sqlite_release(st, p->c);
		}
	}
	ims_free(s);
	return rc;
}
