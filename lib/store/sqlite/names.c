/* Other names of files: set, cleared, handed on. */
#include "store/sqlite/names.h"
#include "store/sqlite/pictures.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transaction.h"

int ims_sqlite_names_hand_on(sqlite_store *st, conn *c, int64_t id, int64_t *successor,
	imgsearch_error *err)
{
	int64_t is_link = 0;
	int rc = ims_sqlite_number(c, successor, 0, err,
		"SELECT p.id FROM picture p JOIN root r ON r.id = p.root WHERE p.same_file = ?1"
		" ORDER BY CAST(whole(r.path, r.inside) AS TEXT) || '/', p.path LIMIT 1",
		"i", id);
	if (rc || !*successor)
		return rc;
	rc = ims_sqlite_number(c, &is_link, 0, err, "SELECT state = 9 FROM picture WHERE id = ?1", "i",
		*successor);
	if (!rc && is_link) {
		st->tally[IMGSEARCH_STATE_LINK]--;
		st->tally[IMGSEARCH_STATE_DUPLICATE]++;
	}
	return rc ? rc
			  : ims_sqlite_run(c, err,
				  "UPDATE picture SET same_file = nullif(?2, id),"
				  " state = CASE WHEN id = ?2 AND state = 9 THEN 2 ELSE state END"
				  " WHERE same_file = ?1",
				  "ii", id, *successor);
}

/* Whether a picture is in one of the states, given as bits. EINVAL: it is not. */
static int require_state(sqlite_store *st, conn *c, int64_t id, uint32_t states, int64_t *state,
	imgsearch_error *err)
{
	int rc = ims_sqlite_number(c, state, 0, err, "SELECT state FROM picture WHERE id = ?1", "i",
		id);
	if (!rc && !(states >> *state & 1))
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: picture %lld is in state %lld",
			st->base.label, (long long)id, (long long)*state);
	return rc;
}

enum {
	FILES = 1u << IMGSEARCH_STATE_INDEXED | 1u << IMGSEARCH_STATE_DUPLICATE,
	NAMES = 1u << IMGSEARCH_STATE_DUPLICATE | 1u << IMGSEARCH_STATE_LINK,
};

static int set_name(sqlite_store *st, int64_t id, int64_t file, imgsearch_error *err)
{
	conn *c;
	int64_t state = 0, of = 0;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = require_state(st, c, id, NAMES, &state, err);
	if (!rc)
		rc = require_state(st, c, file, FILES, &of, err);
	if (!rc)
		rc = ims_sqlite_run(c, err,
			"UPDATE picture SET state = 9, same_file = ?2,"
			" same_as = (SELECT ifnull(same_as, id) FROM picture WHERE id = ?2)"
			" WHERE id = ?1 OR (same_file = ?1 AND state = 9)",
			"ii", id, file);
	if (rc)
		return rc;
	st->tally[state]--;
	st->tally[IMGSEARCH_STATE_LINK]++;
	return 0;
}

static int clear_name(sqlite_store *st, int64_t id, imgsearch_error *err)
{
	conn *c;
	int64_t state = 0;
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = require_state(st, c, id, 1u << IMGSEARCH_STATE_LINK, &state, err);
	if (!rc)
		rc = ims_sqlite_run(c, err, "UPDATE picture SET state = 2, same_file = NULL WHERE id = ?1",
			"i", id);
	if (rc)
		return rc;
	st->tally[IMGSEARCH_STATE_LINK]--;
	st->tally[IMGSEARCH_STATE_DUPLICATE]++;
	return 0;
}

/* Gives a picture the path and the times of another one. */
static int place(conn *c, int64_t id, const store_picture *at, imgsearch_error *err)
{
	return ims_sqlite_run(c, err,
		"UPDATE picture SET root = ?2, path = ?3, mtime_seconds = ?4, mtime_nanoseconds = ?5,"
		" ctime_seconds = CASE WHEN ?8 THEN ?6 END, ctime_nanoseconds = CASE WHEN ?8 THEN ?7 END"
		" WHERE id = ?1",
		"iipiiiii", id, at->root, at->path, at->mtime.seconds, at->mtime.nanoseconds,
		at->ctime.seconds, at->ctime.nanoseconds, (int64_t)at->has_ctime);
}

static int swap_paths(sqlite_store *st, int64_t a, int64_t b, imgsearch_error *err)
{
	conn *c;
	store_picture one = { 0 }, other = { 0 };
	int rc = ims_sqlite_writer(st, &c, err);
	if (!rc)
		rc = ims_store_picture_get(&st->base, a, &one, err);
	if (!rc)
		rc = ims_store_picture_get(&st->base, b, &other, err);
	if (!rc) /* no path holds a NUL */
		rc = ims_sqlite_run(c, err, "UPDATE picture SET root = 0, path = x'00' WHERE id = ?1", "i",
			a);
	if (!rc)
		rc = place(c, b, &one, err);
	if (!rc)
		rc = place(c, a, &other, err);
	ims_store_picture_clear(&one);
	ims_store_picture_clear(&other);
	return rc;
}

int ims_sqlite_name_files(store *base, const store_naming *names, size_t n, imgsearch_error *err)
{
	sqlite_store *st = (sqlite_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		const store_naming *a = &names[i];
		rc = a->what == NAME_SET    ? set_name(st, a->id, a->other, err)
			: a->what == NAME_CLEAR ? clear_name(st, a->id, err)
									: swap_paths(st, a->id, a->other, err);
	}
	return rc;
}
