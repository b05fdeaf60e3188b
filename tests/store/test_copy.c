/*
 * Copies of an index into another one: all of it, from where an earlier copy was stopped or killed,
 * and nothing half. Time is the test's own, so that progress is reported at every step. Source and
 * target are files; with IMGSEARCH_TEST_SERVER (common.h) also pairs with a server.
 */
#include "common.h"

#include "store/copy.h"
#include "store/engine.h"
#include "store/sqlite/sql.h"

#include <signal.h>
#include <sys/wait.h>

double ims_now(void)
{
	static atomic_int looks;
	return atomic_fetch_add(&looks, 1);
}

static const char *source, *target;

/* A place for an index: a file, or a new schema. */
static const char *place(bool server, const char *name)
{
	char *path = NULL;
	if (!server)
		path = ims_format("%s/%s", folder, name);
	else
		path = ims_strdup(new_schema());
	assert_non_null(path);
	return path;
}

static int places(bool from_server, bool to_server)
{
	if (make_folder(NULL))
		return -1;
	source = place(from_server, "source.db");
	target = place(to_server, "target.db");
	return 0;
}

static int of_files(void **state)
{
	(void)state;
	return places(false, false);
}

static int to_server(void **state)
{
	(void)state;
	return places(false, true);
}

static int from_server(void **state)
{
	(void)state;
	return places(true, false);
}

static int of_servers(void **state)
{
	(void)state;
	return places(true, true);
}

static int remove_all(void **state)
{
	(void)state;
	char *command = ims_format("rm -r '%s'", folder);
	int rc = system(command);
	ims_free(command);
	ims_free((void *)source);
	ims_free((void *)target);
	return rc;
}

/* ------------------------------------------------------------------------------ an index ---- */

enum { DIM = 512, BARE = 6000 }; /* 12 MB: two batches */

static void put_bare(store *st, int64_t first, size_t n)
{
	float *rows = ims_zalloc(n, DIM * sizeof *rows);
	int64_t *ids = ims_alloc(n, sizeof *ids);
	for (size_t i = 0; i < n; i++) {
		ids[i] = first + (int64_t)i;
		for (size_t d = 0; d < DIM; d++)
			rows[i * DIM + d] = (float)(i + d * 0.5);
	}
	ok(ims_store_vectors_put(st, ids, rows, n, DIM, &err));
	ims_free(rows);
	ims_free(ids);
}

static int64_t add(store *st, int64_t root, const char *path, uint8_t content, uint32_t state,
	int64_t same_as)
{
	store_picture p = {
		.root = root,
		.path = path,
		.size = content,
		.mtime = { -5, 999999999 },
		.ctime = { 7, 8 },
		.has_ctime = content % 2,
		.state = state,
		.reason = state == IMGSEARCH_STATE_DAMAGED ? "cut off" : NULL,
		.width = 40,
		.height = 30,
		.same_as = same_as,
		.pixels = 256,
	};
	float v[DIM] = { content, 1 };
	p.hash.byte[0] = content;
	ok(put_row(st, &p, &err));
	if (state == IMGSEARCH_STATE_INDEXED)
		ok(put_vector(st, p.id, v, DIM, false, &err));
	return p.id;
}

static void put_searcher(store *st, const char *name, bool publish)
{
	char chunk[3000];
	int64_t state, change;
	memset(chunk, *name, sizeof chunk);
	ok(ims_store_change_last(st, &change, &err));
	ok(ims_store_searcher_begin(st, name, &state, &err));
	for (uint32_t i = 0; i < 3; i++)
		ok(ims_store_searcher_chunk(st, state, i, chunk, i ? sizeof chunk : 0, &err));
	if (publish)
		ok(ims_store_searcher_publish(st, state, "m=16", 3, 10, change, &err));
}

static void put_about(store *st, int64_t id)
{
	static const char *const names[] = { "name", "" }, *const values[] = { "", "a\xff" };
	facts f = { 0 };
	hash256 hash = { .byte = { 1 } };
	ims_facts_set(&f, FACT_TITLE, ims_strdup("Sunset"));
	ims_facts_set(&f, FACT_DESCRIPTION, ims_strdup(""));
	ok(put_facts(st, id, &f, 4, UINT64_MAX, &err));
	ok(put_columns(st, id, names, values, 2, 1, &err));
	ok(put_signature(st, id, &hash, "sig\0nature", 10, &err));
	ims_facts_clear(&f);
}

/* A picture without a file, whose bytes are n pieces and a bit. */
static void put_stored(store *st, size_t n)
{
	size_t size = n * STORE_PIECE + 1;
	char *data = ims_alloc(size, 1);
	memset(data, 's', size);
	store_picture p = { .path = "stored", .state = IMGSEARCH_STATE_DAMAGED };
	p.hash = ims_hash(data, size);
	ok(put_row(st, &p, &err));
	ok(ims_store_file_put(st, p.id, data, size, &err));
	ims_free(data);
}

static void check_stored(store *st)
{
	int64_t *ids;
	size_t n;
	buf data = { 0 };
	ok(ims_store_ids(st, STORE_FILES, &ids, &n, &err));
	assert_int_equal(n, 1);
	ok(ims_store_file_get(st, ids[0], &data, &err));
	assert_int_equal(data.len, 4 * STORE_PIECE + 1);
	ims_buf_free(&data);
	ims_free(ids);
}

/* Of a server none are copied, since it keeps none. */
static bool keep_regions(void)
{
	return !ims_store_is_address(source) && !ims_store_is_address(target);
}

/* Something in every table, references to rows that come later, numbers that went. */
static void make_source(void)
{
	static char *patterns[] = { "*.tmp", "b\xff" };
	store *st = open_store(source, DIM);
	store_model first = { .name = "one", .weights = "w.pth", .dim = DIM, .precision = 2 },
				next = { .name = "two", .recipe = "r", .dim = DIM };
	int64_t root;
	begin(st);
	ok(ims_store_setting_set(st, "centre", "abc", 3, &err));
	ok(ims_store_setting_set(st, "epoch", "\1\2\3\4", 4, &err));
	ok(ims_store_model_set(st, &first, false, &err));
	ok(ims_store_model_set(st, &next, true, &err));
	ok(ims_store_root_add(st, "/gone", &root, &err));
	ok(ims_store_root_add(st, "/photos\xff", &root, &err));
	for (store_list list = 0; list < STORE_LISTS; list++)
		ok(ims_store_list_set(st, root, list, &(text_list){ .item = patterns, .n = 2 }, &err));
	ok(ims_store_list_set(st, 0, STORE_FOLLOW, &(text_list){ .item = patterns, .n = 1 }, &err));
	int64_t a = add(st, root, "a.jpg", 1, IMGSEARCH_STATE_INDEXED, 0);
	int64_t b = add(st, root, "b\xff.jpg", 1, IMGSEARCH_STATE_DUPLICATE, a);
	int64_t link = add(st, 0, "/elsewhere/c.jpg", 1, IMGSEARCH_STATE_DUPLICATE, a);
	ok(name_files(st, NAME_SET, link, b, &err));
	int64_t out = add(st, root, "out.jpg", 2, IMGSEARCH_STATE_INDEXED, 0);
	add(st, root, "damaged.jpg", 3, IMGSEARCH_STATE_DAMAGED, 0);
	put_about(st, a);
	put_about(st, b);
	put_stored(st, 4);
	put_bare(st, 1000, BARE);
	ok(put_vector(st, a, (float[DIM]){ 5 }, DIM, true, &err));
	if (keep_regions()) {
		ok(put_regions(st, a, NULL, 0, "current", false, &err));
		ok(put_regions(st, a, NULL, 0, "next", true, &err));
	}
	ok(ims_store_keep_out(st, &out, 1, &err));
	ok(ims_store_keep_out(st, ONE(1003), &err));
	put_searcher(st, "graph", true);
	put_searcher(st, "pca", true);
	put_searcher(st, "unfinished", false);
	ok(ims_store_reject(st, &(hash256){ { 9 } }, &(hash256){ { 8, 255 } }, &err));
	put_bare(st, 50000, 2);                 /* logged */
	ok(ims_store_remove(st, ONE(a), &err)); /* b takes its place: its twin has the larger id */
	ok(ims_store_remove(st, ONE(50001), &err));
	commit(st);
	ims_store_close(st);
}

static void change_source(void)
{
	store *st = open_store(source, DIM);
	begin(st);
	put_bare(st, 60000, 1);
	commit(st);
	ims_store_close(st);
}

/* -------------------------------------------------------------------------------- copies ---- */

/* Progress: stops, or dies, at a step. */
typedef struct steps {
	int seen, stop, die;
	int warnings;
} steps;

static int count_step(void *user, const imgsearch_progress *p)
{
	steps *s = user;
	(void)p;
	if (s->seen == s->die)
		raise(SIGKILL);
	return s->seen++ == s->stop;
}

static void count_warning(void *user, int level, const char *text)
{
	(void)text;
	((steps *)user)->warnings += level == IMGSEARCH_LOG_WARNING;
}

static int copy_by(steps *s, bool restart, store_copy_report *report, imgsearch_error *err)
{
	job j = { .call = { .progress = count_step, .log = count_warning, .user = s } };
	store *st = open_store(source, DIM);
	int rc = ims_store_copy(st, target, restart, &j, report, err);
	ims_store_close(st);
	return rc;
}

static store_copy_report copy_all(void)
{
	store_copy_report report;
	ok(copy_by(&(steps){ .stop = -1, .die = -1 }, false, &report, &err));
	return report;
}

/* What a caller sees is the same, and the target can be written to. */
static void compare(void)
{
	store *a = open_store(source, DIM), *b = open_store(target, DIM);
	store_state x, y;
	store_roots r, q;
	store_cell *cells;
	store_picture p, o;
	size_t n;
	int64_t id, other;
	buf data = { 0 };
	ok(ims_store_state_get(a, &x, &err));
	ok(ims_store_state_get(b, &y, &err));
	assert_memory_equal(&x, &y, sizeof x);
	ok(ims_store_max_id(a, &id, &err));
	ok(ims_store_max_id(b, &other, &err));
	assert_int_equal(id, other);
	ok(ims_store_roots_get(a, &r, &err));
	ok(ims_store_roots_get(b, &q, &err));
	assert_int_equal(r.n, 2);
	for (size_t i = 0; i < r.n; i++) {
		assert_int_equal(r.id[i], q.id[i]);
		assert_string_equal(r.path[i], q.path[i]);
	}
	assert_int_equal(q.lists[1].of[STORE_VIDEO].n, 2);
	assert_string_equal(q.lists[1].of[STORE_VIDEO].item[1], "b\xff");
	assert_int_equal(q.single.of[STORE_FOLLOW].n, 1);
	ims_store_roots_free(&r);
	ims_store_roots_free(&q);
	for (id = 1; id < 8; id++) {
		ok(ims_store_get(a, &id, 1, &p, &err));
		ok(ims_store_get(b, &id, 1, &o, &err));
		assert_int_equal(!p.path, !o.path);
		if (p.path) {
			assert_string_equal(p.path, o.path);
			assert_int_equal(p.state, o.state);
			assert_int_equal(p.same_as, o.same_as);
			assert_int_equal(p.same_file, o.same_file);
			assert_memory_equal(&p.hash, &o.hash, sizeof p.hash);
		}
		ims_store_picture_clear(&p);
		ims_store_picture_clear(&o);
	}
	ok(ims_store_setting_get(b, "centre", &data, &err));
	assert_int_equal(data.len, 3);
	check_stored(b);
	assert_int_equal(problems(b), 0);
	begin(b);
	ok(ims_store_readmit(b, ONE(1003), &err));
	id = add(b, 0, "/new", 77, IMGSEARCH_STATE_INDEXED, 0);
	assert_int_equal(id, other + 1);
	ok(ims_store_columns_get(b, id, &cells, &n, &err));
	ims_store_tx_rollback(b);
	ims_store_write_end(b);
	ims_buf_free(&data);
	ims_store_close(a);
	ims_store_close(b);
}

static void everything(void **state)
{
	(void)state;
	make_source();
	store_copy_report report = copy_all();
	assert_false(report.resumed);
	for (int i = 0; i < STORE_TABLES; i++)
		if (!report.table[i].rows && (i < TABLE_REGION || keep_regions()))
			fail_msg("the test has nothing in %s", ims_store_tables[i].name);
	assert_int_equal(report.table[TABLE_SEARCHER].rows, 2);
	assert_int_equal(report.table[TABLE_CHUNK].rows, 6);
	assert_int_equal(report.table[TABLE_FILE].rows, 5);
	compare();
	report = copy_all(); /* there is nothing left to do */
	assert_true(report.resumed);
}

/* Stopped at every step in turn; in between nobody can open it. */
static void stopped(void **state)
{
	(void)state;
	store_copy_report report;
	store *st;
	store_options o = { 0 };
	int rc, n = 0;
	make_source();
	do {
		imgsearch_error err = { 0 };
		rc = copy_by(&(steps){ .stop = 1 + n % 3, .die = -1 }, false, &report, &err);
		if (rc) {
			assert_int_equal(rc, IMGSEARCH_ECANCELED);
			fails(IMGSEARCH_EDB, ims_store_open(&st, target, &o, &err));
			if (ims_store_open(&st, target, &o, &err))
				assert_non_null(strstr(err.message, "is an incomplete copy of index"));
		}
	} while (rc && n++ < 12);
	print_message("# stopped %d times\n", n);
	assert_int_equal(rc, IMGSEARCH_ECANCELED); /* within the comparison, which begins anew */
	report = copy_all();
	assert_true(report.resumed);
	compare();
}

static void killed(void **state)
{
	(void)state;
	int n = 0;
	make_source();
	for (int die = 0; die < 12; die++) {
		pid_t child = fork();
		if (!child) {
			store_copy_report report;
			imgsearch_error err = { 0 };
			_exit(copy_by(&(steps){ .stop = -1, .die = die }, false, &report, &err) ? 2 : 0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status))
			assert_int_equal(WEXITSTATUS(status), 0);
		n += WIFSIGNALED(status);
	}
	print_message("# killed %d times\n", n);
	assert_true(n >= 5);
	copy_all();
	compare();
}

static void changed_source(void **state)
{
	(void)state;
	store_copy_report report;
	steps s = { .stop = 4, .die = -1 };
	make_source();
	fails(IMGSEARCH_ECANCELED, copy_by(&s, false, &report, &err));
	assert_int_equal(s.warnings, 0);
	change_source();
	s = (steps){ .stop = -1, .die = -1 };
	ok(copy_by(&s, false, &report, &err));
	assert_int_equal(s.warnings, 1);
	assert_false(report.resumed);
	compare();
	change_source();
	fails(IMGSEARCH_EEXIST, copy_by(&s, false, &report, &err));
}

/* A change that no count shows, and one of the target: both are found at the end. */
static void unseen_change(void **state)
{
	(void)state;
	store_copy_report report;
	steps s = { .stop = 4, .die = -1 };
	make_source();
	fails(IMGSEARCH_ECANCELED, copy_by(&s, false, &report, &err));
	store *st = open_store(source, DIM);
	begin(st);
	ok(ims_store_setting_set(st, "centre", "xyz", 3, &err));
	commit(st);
	ims_store_close(st);
	s = (steps){ .stop = -1, .die = -1 };
	ok(copy_by(&s, false, &report, &err));
	assert_int_equal(s.warnings, 1);
	compare();
	st = open_store(target, DIM);
	begin(st);
	ok(ims_store_setting_set(st, "centre", "---", 3, &err));
	commit(st);
	ims_store_close(st);
	fails(IMGSEARCH_EEXIST, copy_by(&s, false, &report, &err));
}

static void other_source(void **state)
{
	(void)state;
	store_copy_report report;
	const char *first = source;
	make_source();
	fails(IMGSEARCH_ECANCELED, copy_by(&(steps){ .stop = 4, .die = -1 }, false, &report, &err));
	source = place(false, "other.db");
	make_source();
	steps s = { .stop = -1, .die = -1 };
	fails(IMGSEARCH_EINVAL, copy_by(&s, false, &report, &err));
	ok(copy_by(&s, true, &report, &err));
	assert_false(report.resumed);
	compare();
	ims_free((void *)first);
}

static void refused(void **state)
{
	(void)state;
	store_copy_report report;
	make_source();
	store *st = open_store(source, DIM);
	fails(IMGSEARCH_EINVAL, ims_store_copy(st, source, false, NULL, &report, &err));
	fails(IMGSEARCH_EINVAL, ims_store_copy(st, ":memory:", false, NULL, &report, &err));
	store *to = open_store(target, DIM);
	begin(to);
	add(to, 0, "x", 1, IMGSEARCH_STATE_INDEXED, 0);
	commit(to);
	ims_store_close(to);
	fails(IMGSEARCH_EEXIST, ims_store_copy(st, target, true, NULL, &report, &err));
	ims_store_close(st);
}

/* An allocation that fails anywhere: what was copied is gone on from. */
static void short_of_memory(void **state)
{
	(void)state;
	store_copy_report report;
	store *st = open_store(source, 4);
	begin(st);
	int64_t id = add_picture(st, 0, "a", 1);
	put_about(st, id);
	commit(st);
	int failed = 0;
	for (uint64_t n = 1;; n++) {
		imgsearch_error err = { 0 };
		ims_alloc_fail_after(n);
		int rc = ims_store_copy(st, target, n % 5 == 4, NULL, &report, &err);
		uint64_t made = ims_alloc_fail_after(0);
		failed += rc != 0;
		if (rc) {
			assert_int_equal(rc, IMGSEARCH_ENOMEM);
			assert_int_equal(err.code, rc);
		} else if (made < n) {
			break;
		}
	}
	print_message("# %d allocations failed\n", failed);
	assert_true(failed > 20);
	assert_true(report.resumed);
	store *to = open_store(target, 4);
	assert_true(has_vector(to, id));
	ims_store_close(to);
	ims_store_close(st);
}

/* From memory, into an index that was used and emptied: of that no trace is left. */
static void from_memory(void **state)
{
	(void)state;
	store_copy_report report;
	const float row[4] = { 1, 1, 1, 1 };
	int64_t id;
	store *st = open_store(":memory:", 4), *to = open_store(target, 4);
	begin(to);
	ok(ims_store_vectors_put(to, &(int64_t){ 70 }, row, 1, 4, &err));
	ok(ims_store_remove(to, ONE(70), &err));
	commit(to);
	ims_store_close(to);
	begin(st);
	ok(ims_store_vectors_put(st, &(int64_t){ 0 }, row, 1, 4, &err));
	commit(st);
	ok(ims_store_copy(st, target, false, NULL, &report, &err));
	begin(st); /* its readers are gone */
	commit(st);
	to = open_store(target, 4);
	ok(ims_store_max_id(to, &id, &err));
	assert_int_equal(id, 0);
	assert_true(has_vector(to, 0));
	ims_store_close(to);
	ims_store_close(st);
}

#define FROM_TO(setup) \
	cmocka_unit_test_setup_teardown(everything, setup, remove_all), \
		cmocka_unit_test_setup_teardown(stopped, setup, remove_all), \
		cmocka_unit_test_setup_teardown(killed, setup, remove_all), \
		cmocka_unit_test_setup_teardown(changed_source, setup, remove_all), \
		cmocka_unit_test_setup_teardown(unseen_change, setup, remove_all), \
		cmocka_unit_test_setup_teardown(other_source, setup, remove_all), \
		cmocka_unit_test_setup_teardown(refused, setup, remove_all), \
		cmocka_unit_test_setup_teardown(from_memory, setup, remove_all), \
		cmocka_unit_test_setup_teardown(short_of_memory, setup, remove_all)

int main(void)
{
	const struct CMUnitTest files[] = { FROM_TO(of_files) },
							servers[] = { FROM_TO(to_server), FROM_TO(from_server),
								FROM_TO(of_servers) };
	int rc = cmocka_run_group_tests(files, NULL, NULL);
	if (!rc && getenv("IMGSEARCH_TEST_SERVER"))
		rc = cmocka_run_group_tests(servers, NULL, NULL);
	return rc;
}
