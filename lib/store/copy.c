/* Copies tables of rows from one index into another, and compares them. */
#include "store/copy.h"

#include "store/addresses.h"

#include "store/engine.h"

#include <errno.h>
#include <string.h>

enum { BATCH_BYTES = 8 << 20, BATCH_ROWS = 65536, STATE_VERSION = 1 };

static const char setting[] = "copy";

/* How far a copy is: the setting of the target. */
typedef struct copy_state {
	uint64_t source_id;    /* the number of the source; 0: it has none */
	uint64_t source_state; /* of the source when the copy began */
	uint64_t done;         /* rows */
	uint32_t table;        /* at work; STORE_TABLES: all are copied */
	buf key;               /* of the last row of it, as store_rows; empty: none yet */
	char *source;          /* its name, for people; owned */
} copy_state;

typedef struct copy {
	store *from, *to;
	job *job;
	imgsearch_error *err;
	store_copy_report *report;
	uint64_t id, state, total; /* of the source, as in copy_state; its rows */
	int64_t max_id, change;
	copy_state at;
	buf saved; /* at, as the target has it */
	store_rows rows;
	size_t last; /* where the last of the rows begins */
} copy;

/* --------------------------------------------------------------------------------- state ---- */

static void free_state(copy_state *s)
{
	ims_buf_free(&s->key);
	ims_free(s->source);
	*s = (copy_state){ 0 };
}

static void encode(buf *b, const copy_state *s)
{
	size_t name = strlen(s->source);
	ims_buf_u32(b, STATE_VERSION);
	ims_buf_u64(b, s->source_id);
	ims_buf_u64(b, s->source_state);
	ims_buf_u64(b, s->done);
	ims_buf_u32(b, s->table);
	ims_buf_u32(b, (uint32_t)s->key.len);
	ims_buf_put(b, s->key.data ? s->key.data : (const void *)"", s->key.len);
	ims_buf_u32(b, (uint32_t)name);
	ims_buf_put(b, s->source, name);
	b->failed |= s->key.failed;
}

/* EVERSION: of another version; EDB: damaged. */
static int decode(store *st, const buf *data, copy_state *s, imgsearch_error *err)
{
	reader r = { .data = data->data, .len = data->len };
	uint32_t version = ims_read_u32(&r);
	if (version != STATE_VERSION)
		return ims_fail(err, IMGSEARCH_EVERSION,
			"index %s is an incomplete copy that another version of imgsearch has made", st->label);
	s->source_id = ims_read_u64(&r);
	s->source_state = ims_read_u64(&r);
	s->done = ims_read_u64(&r);
	s->table = ims_read_u32(&r);
	uint32_t n = ims_read_u32(&r);
	const void *key = ims_read_bytes(&r, n);
	uint32_t name_n = ims_read_u32(&r);
	const char *name = ims_read_bytes(&r, name_n);
	if (r.failed || s->table > STORE_TABLES)
		return ims_fail(err, IMGSEARCH_EDB, "index %s is damaged: the state of its copy",
			st->label);
	ims_buf_put(&s->key, key, n);
	s->source = ims_strndup(name, name_n);
	return s->source && !s->key.failed ? 0 : ims_nomem(err);
}

int ims_store_refuse_incomplete(store *st, imgsearch_error *err)
{
	buf data = { 0 };
	copy_state s = { 0 };
	int rc = ims_store_setting_get(st, setting, &data, err);
	if (!rc && data.len)
		rc = decode(st, &data, &s, err);
	if (!rc && data.len) {
		rc = ims_fail(err, IMGSEARCH_EDB,
			"index %s is an incomplete copy of index %s: copy that into it again to complete it",
			st->label, s.source);
		if (err)
			err->detail = EINPROGRESS;
	}
	free_state(&s);
	ims_buf_free(&data);
	return rc;
}

/* The number that was made with an index; 0: it has none. */
static int read_id(store *st, uint64_t *id, imgsearch_error *err)
{
	buf data = { 0 };
	int rc = ims_store_setting_get(st, "file", &data, err);
	reader r = { .data = data.data, .len = data.len };
	*id = ims_read_u64(&r);
	ims_buf_free(&data);
	return rc;
}

/* Changes with nearly everything that is written; what it misses is found by the comparison. */
static int read_state(store *st, uint64_t *state, uint64_t *rows, int64_t *change,
	imgsearch_error *err)
{
	store_state s;
	int rc = ims_store_state_get(st, &s, err);
	*rows = s.counts.vectors + s.counts.vectors_next + s.counts.vectors_kept;
	uint64_t sum = ims_checksum(s.counts.by_state, sizeof s.counts.by_state, s.epoch);
	for (size_t i = 0; i < STORE_STATES; i++)
		*rows += s.counts.by_state[i];
	const uint64_t rest[] = { s.counts.vectors, s.counts.vectors_next, s.counts.vectors_kept,
		(uint64_t)s.change };
	*state = ims_checksum(rest, sizeof rest, sum);
	*change = s.change;
	return rc;
}

/* -------------------------------------------------------------------------- transactions ---- */

/* Begins one, and looks whether the target is as this copy left it. */
static int begin(copy *c)
{
	buf now = { 0 };
	int rc = ims_store_tx_begin(c->to, c->err);
	if (!rc)
		rc = ims_store_setting_get(c->to, setting, &now, c->err);
	if (!rc && (now.len != c->saved.len || (now.len && memcmp(now.data, c->saved.data, now.len))))
		rc = ims_fail(c->err, IMGSEARCH_EBUSY, "index %s: another program copies into it",
			c->to->label);
	ims_buf_free(&now);
	return rc;
}

/* Writes the state and commits. What failed before is undone. */
static int end(copy *c, int rc)
{
	buf state = { 0 };
	encode(&state, &c->at);
	if (!rc)
		rc = state.failed ? ims_nomem(c->err)
						  : ims_store_setting_set(c->to, setting, state.data, state.len, c->err);
	if (!rc)
		rc = ims_store_tx_commit(c->to, c->err);
	if (rc) {
		ims_store_tx_rollback(c->to);
		ims_buf_free(&state);
		return rc;
	}
	ims_buf_free(&c->saved);
	c->saved = state;
	return 0;
}

/* ---------------------------------------------------------------------------------- rows ---- */

/* The key of the last row becomes that of the state. */
static void note_key(copy *c)
{
	const store_shape *shape = &ims_store_tables[c->at.table];
	store_value row[TABLE_COLUMNS_MOST];
	store_rows key = { .data = c->at.key };
	reader r = { .data = c->rows.data.data, .len = c->rows.data.len, .pos = c->last };
	key.data.len = 0;
	if (ims_store_rows_next(&r, row, shape->columns))
		ims_store_rows_add(&key, row, strlen(shape->keys));
	c->at.key = key.data;
}

static int write_rows(copy *c)
{
	if (!c->rows.n)
		return 0;
	int rc = begin(c);
	if (!rc)
		rc = ims_store_transfer_put(c->to, c->at.table, &c->rows, c->err);
	if (!rc) {
		note_key(c);
		c->at.done += c->at.table >= TABLE_PICTURE && c->at.table <= TABLE_KEPT ? c->rows.n : 0;
	}
	rc = end(c, rc);
	c->rows.data.len = c->rows.n = 0;
	return rc ? rc : ims_job_step(c->job, "copy", c->at.done, c->total, c->err);
}

static int take_row(void *user, const store_value *row, imgsearch_error *err)
{
	copy *c = user;
	(void)err;
	c->last = c->rows.data.len;
	ims_store_rows_add(&c->rows, row, ims_store_tables[c->at.table].columns);
	if (c->rows.data.failed)
		return ims_nomem(c->err);
	return c->rows.data.len >= BATCH_BYTES || c->rows.n >= BATCH_ROWS ? write_rows(c) : 0;
}

static int copy_table(copy *c)
{
	const store_shape *shape = &ims_store_tables[c->at.table];
	store_value key[TABLE_KEYS_MOST];
	buf after = { 0 }; /* the key moves on meanwhile */
	ims_buf_put(&after, c->at.key.data ? c->at.key.data : (const void *)"", c->at.key.len);
	reader r = { .data = after.data, .len = after.len };
	bool begun = after.len && ims_store_rows_next(&r, key, strlen(shape->keys));
	int rc = after.failed
		? ims_nomem(c->err)
		: ims_store_table_each(c->from, c->at.table, begun ? key : NULL, 0, take_row, c, c->err);
	ims_buf_free(&after);
	return rc ? rc : write_rows(c);
}

static int copy_tables(copy *c)
{
	int rc = ims_job_step(c->job, "copy", c->at.done, c->total, c->err);
	while (!rc && c->at.table < STORE_TABLES) {
		rc = copy_table(c);
		if (!rc) {
			c->at.table++;
			c->at.key.len = 0;
		}
	}
	if (!rc)
		rc = begin(c);
	if (!rc)
		rc = end(c, ims_store_transfer_finish(c->to, c->max_id, c->change, c->err));
	ims_store_tx_rollback(c->to);
	return rc;
}

/* Empties the target. */
static int start(copy *c)
{
	free_state(&c->at);
	c->at.source_id = c->id;
	c->at.source_state = c->state;
	c->at.source = ims_strdup(c->from->label);
	if (!c->at.source)
		return ims_nomem(c->err);
	c->report->resumed = false;
	int rc = begin(c);
	if (!rc)
		rc = ims_store_transfer_clear(c->to, c->err);
	return end(c, rc);
}

/* ----------------------------------------------------------------------------- comparing ---- */

typedef struct summing {
	copy *copy;
	store_rows row;
	size_t columns;
	store_table_sum *sum;
	uint64_t *done;
} summing;

static int sum_row(void *user, const store_value *row, imgsearch_error *err)
{
	enum { LOOK = 4096 }; /* rows between two looks at the job */
	summing *s = user;
	s->row.data.len = 0;
	ims_store_rows_add(&s->row, row, s->columns);
	if (s->row.data.failed)
		return ims_nomem(err);
	s->sum->checksum = ims_checksum(s->row.data.data, s->row.data.len, s->sum->checksum);
	++*s->done;
	return ++s->sum->rows % LOOK ? 0 : ims_job_step(s->copy->job, "verify", *s->done, 0, err);
}

static int sum_table(copy *c, store *st, store_table table, store_table_sum *sum, uint64_t *done)
{
	summing s = {
		.copy = c,
		.columns = ims_store_tables[table].columns,
		.sum = sum,
		.done = done,
	};
	*sum = (store_table_sum){ 0 };
	int rc = ims_store_table_each(st, table, NULL, 0, sum_row, &s, c->err);
	ims_buf_free(&s.row.data);
	return rc;
}

/* EDB: a table differs. */
static int compare(copy *c)
{
	uint64_t done = 0;
	int64_t max_id = -1;
	int rc = ims_store_max_id(c->to, &max_id, c->err);
	bool one = !ims_store_is_spread(c->to); /* several have ranges */
	if (!rc && one && max_id < c->max_id)   /* a transaction that was undone may have raised it */
		rc = ims_fail(c->err, IMGSEARCH_EDB, "index %s gave ids up to %lld, its source up to %lld",
			c->to->label, (long long)max_id, (long long)c->max_id);
	for (store_table t = 0; !rc && t < STORE_TABLES; t++) {
		store_table_sum *own = &c->report->table[t], other;
		if (t == TABLE_CHANGE && ims_store_is_spread(c->to))
			continue; /* each of them has a log */
		rc = sum_table(c, c->from, t, own, &done);
		if (!rc)
			rc = sum_table(c, c->to, t, &other, &done);
		if (!rc && (own->rows != other.rows || own->checksum != other.checksum))
			rc = ims_fail(c->err, IMGSEARCH_EDB,
				"index %s: table %s has %llu rows with checksum %016llx, that of index %s has %llu"
				" with %016llx",
				c->to->label, ims_store_tables[t].name, (unsigned long long)other.rows,
				(unsigned long long)other.checksum, c->from->label, (unsigned long long)own->rows,
				(unsigned long long)own->checksum);
	}
	return rc ? rc : ims_job_step(c->job, "verify", done, done, c->err);
}

/* ---------------------------------------------------------------------------- the target ---- */

static int find_any(void *user, const store_value *row, imgsearch_error *err)
{
	(void)row, (void)err;
	*(bool *)user = true;
	return 0;
}

static int is_empty(copy *c, bool *empty)
{
	bool any = false;
	int rc = 0;
	for (store_table t = TABLE_MODEL; !rc && !any && t < STORE_TABLES; t++)
		rc = ims_store_table_each(c->to, t, NULL, 1, find_any, &any, c->err);
	*empty = !any;
	return rc;
}

/* A target that holds something without a state may be the same as its source already. */
static int begin_fresh(copy *c, bool *complete)
{
	uint64_t state, rows;
	int64_t change;
	bool empty = false;
	int rc = is_empty(c, &empty);
	if (!rc && empty)
		return start(c);
	if (!rc)
		rc = read_state(c->to, &state, &rows, &change, c->err);
	if (rc)
		return rc;
	rc = state == c->state || ims_store_is_spread(c->to) ? compare(c) : IMGSEARCH_EDB;
	c->report->resumed = *complete = !rc;
	return rc == IMGSEARCH_EDB ? ims_fail(c->err, IMGSEARCH_EEXIST,
			   "index %s is not empty, so nothing is copied into it", c->to->label)
							   : rc;
}

static bool is_of_source(const copy *c)
{
	return c->at.source_id && c->id ? c->at.source_id == c->id
									: !strcmp(c->at.source, c->from->label);
}

static int begin_again(copy *c, bool restart)
{
	int rc = decode(c->to, &c->saved, &c->at, c->err);
	if (rc == IMGSEARCH_ENOMEM || (rc && !restart))
		return rc;
	if (!restart && !is_of_source(c)) {
		rc = ims_fail(c->err, IMGSEARCH_EINVAL,
			"index %s is an incomplete copy of another index, %s", c->to->label, c->at.source);
		c->err->detail = EINPROGRESS;
		return rc;
	}
	if (restart)
		return start(c);
	bool cut;
	rc = ims_store_transfer_cut_off(c->to, &cut, c->err);
	if (rc)
		return rc;
	if (!cut && c->at.source_state == c->state) {
		c->report->resumed = true;
		return 0;
	}
	ims_job_log(c->job, IMGSEARCH_LOG_WARNING, "index %s %s: it starts over",
		cut ? c->to->label : c->from->label,
		cut ? "has a part of the last rows" : "has changed since its copy began");
	return start(c);
}

static int copy_and_compare(copy *c)
{
	bool resumed = c->report->resumed;
	int rc = copy_tables(c);
	if (!rc)
		rc = compare(c);
	if (rc != IMGSEARCH_EDB || !resumed)
		return rc;
	ims_job_log(c->job, IMGSEARCH_LOG_WARNING, "%s: it starts over", c->err->message);
	rc = start(c);
	if (!rc)
		rc = copy_tables(c);
	return rc ? rc : compare(c);
}

/* The target is an index from here on. */
static int complete(copy *c)
{
	int rc = begin(c);
	if (!rc)
		rc = ims_store_setting_set(c->to, setting, NULL, 0, c->err);
	if (!rc)
		rc = ims_store_tx_commit(c->to, c->err);
	ims_store_tx_rollback(c->to);
	return rc;
}

/*
 * The state that an earlier copy left, read within a transaction: of one that was killed a server
 * may yet be committing what it had sent.
 */
static int read_saved(copy *c)
{
	int rc = ims_store_tx_begin(c->to, c->err);
	if (!rc)
		rc = ims_store_setting_get(c->to, setting, &c->saved, c->err);
	ims_store_tx_rollback(c->to);
	return rc;
}

static int run(copy *c, bool restart)
{
	uint64_t id = 0;
	bool done = false;
	int rc = read_id(c->to, &id, c->err);
	if (!rc && id && id == c->id)
		rc = ims_fail(c->err, IMGSEARCH_EINVAL, "index %s cannot be copied into itself",
			c->to->label);
	if (!rc)
		rc = read_saved(c);
	if (!rc)
		rc = c->saved.len ? begin_again(c, restart) : begin_fresh(c, &done);
	if (rc || done)
		return rc;
	rc = copy_and_compare(c);
	return rc ? rc : complete(c);
}

static int write_target(copy *c, bool restart)
{
	int rc = ims_store_write_begin(c->to, c->err);
	if (rc)
		return rc;
	rc = ims_store_transfer_begin(c->to, c->err);
	if (!rc)
		rc = run(c, restart);
	ims_store_tx_rollback(c->to);
	ims_store_transfer_end(c->to);
	ims_store_write_end(c->to);
	return rc;
}

/* ---------------------------------------------------------------------------- the source ---- */

static int read_number(store *st, const char *name, uint32_t *number, imgsearch_error *err)
{
	buf data = { 0 };
	int rc = ims_store_setting_get(st, name, &data, err);
	reader r = { .data = data.data, .len = data.len };
	*number = ims_read_u32(&r);
	ims_buf_free(&data);
	return rc;
}

/* Of a second model a copy would have the vectors alone. */
static int refuse_second(copy *c)
{
	bool has;
	int rc = ims_store_has_second(c->from, &has, c->err);
	if (rc || !has)
		return rc;
	ims_fail(c->err, IMGSEARCH_EUNSUPPORTED,
		"index %s has a second model, which a backup keeps, and a copy does not", c->from->label);
	if (c->err)
		c->err->detail = ETOOMANYREFS;
	return IMGSEARCH_EUNSUPPORTED;
}

static int open_both(copy *c, const char *path)
{
	store_options o = { .incomplete = true };
	text_list addresses;
	int rc = ims_addresses_read(&addresses, path, false, c->err);
	if (!rc && addresses.n > 1 && ims_store_is_spread(c->from))
		rc = ims_fail(c->err, IMGSEARCH_EUNSUPPORTED,
			"index %s lies on several servers: copy it into a file or to one server, and spread "
			"that"
			" one; the target has %zu addresses",
			c->from->label, addresses.n);
	ims_texts_free(&addresses);
	if (!rc)
		rc = refuse_second(c);
	if (!rc)
		rc = read_number(c->from, "dim", &o.dim, c->err);
	if (!rc)
		rc = read_number(c->from, "metric", &o.metric, c->err);
	if (!rc)
		rc = read_id(c->from, &c->id, c->err);
	if (!rc)
		rc = read_state(c->from, &c->state, &c->total, &c->change, c->err);
	if (!rc)
		rc = ims_store_max_id(c->from, &c->max_id, c->err);
	return rc ? rc : ims_store_open(&c->to, path, &o, c->err);
}

/* *done grows with what the target has; 0: it was never opened. */
static int copy_once(store *from, const char *path, bool restart, job *j, store_copy_report *out,
	uint64_t *done, imgsearch_error *err)
{
	store_hold hold;
	store_snapshot snapshot;
	copy c = { .from = from, .job = j, .err = err, .report = out };
	*out = (store_copy_report){ 0 };
	ims_store_hold_acquire(from, &hold);
	ims_store_snapshot_begin(from, &snapshot);
	int rc = open_both(&c, path);
	if (!rc)
		rc = write_target(&c, restart);
	ims_store_snapshot_end(&snapshot);
	ims_store_hold_release(from, &hold);
	*done = c.to ? 1 + c.at.done + c.at.table : *done;
	ims_store_close(c.to);
	free_state(&c.at);
	ims_buf_free(&c.saved);
	ims_buf_free(&c.rows.data);
	return rc;
}

/* A server that goes away after the copy has begun is waited for, again where that got further. */
int ims_store_copy(store *from, const char *path, bool restart, job *j, store_copy_report *out,
	imgsearch_error *err)
{
	static const double patience = 30; /* seconds */
	imgsearch_error why = { 0 };
	retry waiting = { 0 };
	uint64_t done = 0, before;
	int rc = strcmp(path, ":memory:")
		? copy_once(from, path, restart, j, out, &done, &why)
		: ims_fail(&why, IMGSEARCH_EINVAL, "a copy in memory would be lost at once");
	while (done && rc == IMGSEARCH_EIO
		&& (why.detail == ECONNRESET || why.detail == STORE_SHARD_AWAY)) {
		if (!waiting.tries)
			ims_job_log(j, IMGSEARCH_LOG_WARNING, "%s; it is tried again for %g s", why.message,
				patience);
		if (!ims_retry_wait(&waiting, patience, j)) {
			int stopped = ims_job_check(j, &why);
			rc = stopped ? stopped : rc;
			break;
		}
		before = done;
		rc = copy_once(from, path, false, j, out, &done, &why);
		if (done > before)
			waiting = (retry){ 0 };
	}
	if (rc && err)
		*err = why;
	return rc;
}
