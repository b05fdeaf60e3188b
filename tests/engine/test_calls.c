/*
 * What stops a call: a deadline, a token, imgsearch_cancel. Time is the test's own: it moves on
 * with every look at the clock.
 */
#include "scene.h"

#include "imgsearch/eval.h"

#include <pthread.h>
#include <semaphore.h>

static atomic_int looks;

double ims_now(void)
{
	return atomic_fetch_add(&looks, 1);
}

enum { PHOTOS = 40, DIM = 48 };

/* An index of photos in two folders, one of them twice, and what the calls need beside it. */
typedef struct world {
	const scene *sc;
	imgsearch *s;
	char fresh[200]; /* a picture that is not in the index */
	float rows[PHOTOS][DIM];
} world;

static void index_photos(world *w)
{
	scene_index(w->s, w->sc->photos);
	for (int i = 0; i < 2; i++) {
		imgsearch_build_options o = { .struct_size = sizeof o, .searcher = i ? "exact" : "pca" };
		works(imgsearch_build(w->s, &o, NULL, NULL, &err));
	}
}

static void open_world(world *w, const scene *sc)
{
	char name[40];
	uint64_t seed = 3;
	*w = (world){ .sc = sc };
	shell("mkdir '%s/a' '%s/b'", sc->photos, sc->photos);
	for (unsigned i = 0; i < PHOTOS; i++) {
		snprintf(name, sizeof name, "%s/%02u.png", i % 2 ? "a" : "b", i);
		photo(sc, name, i / 4 * 4 + i % 2);
		for (int d = 0; d < DIM; d++)
			w->rows[i][d] = (float)ims_random_unit(&seed);
	}
	snprintf(w->fresh, sizeof w->fresh, "%s/fresh.png", sc->dir);
	draw(w->fresh, 1000);
	w->s = scene_open(sc);
	index_photos(w);
}

/* ---------------------------------------------------------------- every call of the header ---- */

typedef int one_call(world *w, const imgsearch_call *call, imgsearch_error *err);

static int keep_none(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim)
{
	(void)user, (void)ids, (void)rows, (void)n, (void)dim;
	return 0;
}

static int keep_no_item(void *user, const imgsearch_item *item)
{
	(void)user, (void)item;
	return 0;
}

/* Frees a result, which must be NULL after an error. */
#define DONE(free_function, result, rc) \
	do { \
		assert_int_equal(!(result), !!(rc)); \
		free_function(result); \
		return rc; \
	} while (0)

static int call_query(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in[2] = { imgsearch_input_file(w->fresh), imgsearch_input_item(1) };
	int rc = imgsearch_query(w->s, in, 2, NULL, call, &hits, err);
	DONE(imgsearch_hits_free, hits, rc);
}

static int call_views(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_file(w->fresh);
	imgsearch_query_options o = { .struct_size = sizeof o, .views = 6, .expand = 3 };
	int rc = imgsearch_query(w->s, &in, 1, &o, call, &hits, err);
	DONE(imgsearch_hits_free, hits, rc);
}

static int call_range(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_file(w->fresh);
	int rc = imgsearch_range(w->s, &in, 0.1f, NULL, call, &hits, err);
	DONE(imgsearch_hits_free, hits, rc);
}

static int call_batch(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_answers *answers;
	imgsearch_input in[PHOTOS];
	for (int i = 0; i < PHOTOS; i++)
		in[i] = i % 2 ? imgsearch_input_file(w->fresh) : imgsearch_input_item(1 + i);
	int rc = imgsearch_batch_query(w->s, in, PHOTOS, NULL, call, &answers, err);
	DONE(imgsearch_answers_free, answers, rc);
}

static int call_extract(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_input in[20];
	for (int i = 0; i < 20; i++)
		in[i] = imgsearch_input_file(w->fresh);
	return imgsearch_extract(w->s, in, 20, NULL, call, w->rows[0], 20 * DIM, NULL, err);
}

static int call_vectors_query(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	int64_t ids[PHOTOS * 10];
	return imgsearch_vectors_query(w->s, w->rows[0], PHOTOS, DIM, NULL, call, ids, NULL,
		PHOTOS * 10, err);
}

static int call_vectors_each(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	return imgsearch_vectors_each(w->s, keep_none, NULL, call, err);
}

static int call_vectors_get(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	const int64_t ids[] = { 1, 2, 3 };
	float rows[3][DIM];
	return imgsearch_vectors_get(w->s, ids, 3, call, rows[0], 3 * DIM, NULL, err);
}

static int call_reduce(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	float out[PHOTOS];
	return imgsearch_vectors_reduce(w->s, w->rows[0], PHOTOS, DIM, 1, call, out, PHOTOS, err);
}

static int call_build(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_build_report *report;
	imgsearch_build_options o = { .struct_size = sizeof o, .searcher = "graph" };
	int rc = imgsearch_build(w->s, &o, call, &report, err);
	DONE(imgsearch_build_report_free, report, rc);
}

static int call_update(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_index_update_report *report;
	int rc = imgsearch_index_update(w->s, NULL, 0, NULL, call, &report, err);
	assert_true(report || rc); /* of a run that was stopped: what was done until then */
	if (rc && report) {
		assert_true(report->counts->seen > 0);
		assert_true(rc == IMGSEARCH_ECANCELED || rc == IMGSEARCH_EDEADLINE);
	}
	imgsearch_index_update_report_free(report);
	return rc;
}

static int call_add(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_input in = imgsearch_input_file(w->fresh);
	in.crop[2] = in.crop[3] = 20; /* no bytes that the index has after the first time */
	return imgsearch_index_add(w->s, &in, NAMED("added"), call, NULL, err);
}

static int call_vectors_add(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	const int64_t ids[] = { 500, 501 };
	return imgsearch_vectors_add(w->s, w->rows[0], 2, DIM, WITH_IDS(ids), call, NULL, err);
}

static int call_remove(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	int64_t id = 600;
	works(imgsearch_vectors_add(w->s, w->rows[0], 1, DIM, WITH_IDS(&id), NULL, NULL, &err));
	return imgsearch_index_remove(w->s, &id, 1, NULL, call, err);
}

static int call_keep_out(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	int64_t id = 2;
	int rc = imgsearch_index_keep_out(w->s, &id, 1, call, err);
	if (!rc)
		works(imgsearch_index_readmit(w->s, &id, 1, NULL, &err));
	return rc;
}

static int call_readmit(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	int64_t id = 2;
	works(imgsearch_index_keep_out(w->s, &id, 1, NULL, &err));
	int rc = imgsearch_index_readmit(w->s, &id, 1, call, err);
	if (rc)
		works(imgsearch_index_readmit(w->s, &id, 1, NULL, &err));
	return rc;
}

static int call_root_move(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	const char *from = w->sc->photos;
	int rc = imgsearch_root_move(w->s, from, "/elsewhere", call, err);
	if (!rc)
		works(imgsearch_root_move(w->s, "/elsewhere", from, NULL, &err));
	return rc;
}

static int call_backup(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	char path[200];
	imgsearch_index_backup_options o = { .struct_size = sizeof o, .replace = 1 };
	snprintf(path, sizeof path, "%s/copy.db", w->sc->dir);
	unlink(path);
	int rc = imgsearch_index_backup(w->s, path, &o, call, err);
	assert_int_equal(access(path, F_OK) == 0, !rc);
	return rc;
}

/* What a copy that was stopped has made is no index yet. */
static int call_copy(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	char path[200];
	imgsearch *copy;
	imgsearch_index_copy_report *report;
	snprintf(path, sizeof path, "%s/other.db", w->sc->dir);
	unlink(path);
	int rc = imgsearch_index_copy(w->s, path, NULL, call, &report, err);
	assert_int_equal(!report, rc != 0);
	imgsearch_index_copy_report_free(report);
	if (!access(path, F_OK) && !imgsearch_open(path, NULL, NULL, &copy, NULL)) {
		int64_t id = 1;
		uint8_t exists;
		works(imgsearch_item_exists(copy, &id, 1, &exists, &err));
		assert_int_equal(exists, !rc);
		imgsearch_close(copy);
	}
	return rc;
}

static int keep_no_block(void *user, const imgsearch_vectors_export_block *block)
{
	(void)user;
	assert_true(block->count && block->total >= block->count && block->items[0]->path);
	return 0;
}

static int call_export(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_vectors_export_options o = { .struct_size = sizeof o, .with_items = 1 };
	return imgsearch_vectors_export(w->s, &o, keep_no_block, NULL, call, err);
}

static int call_commit(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_transaction *t;
	works(imgsearch_transaction_begin(w->s, NULL, &t, &err));
	int rc = imgsearch_transaction_commit(t, call, err);
	imgsearch_transaction_free(t);
	return rc;
}

static int call_items(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	return imgsearch_item_each(w->s, 0, keep_no_item, NULL, call, err);
}

static int call_list(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	uint64_t total;
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	o.sort = IMGSEARCH_SORT_DATE;
	return imgsearch_item_list(w->s, &o, keep_no_item, NULL, call, &total, err);
}

static int call_items_of(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	const int64_t ids[] = { 1, 2 };
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	f.ids = ids;
	f.n_ids = 2;
	o.filter = &f;
	o.sort = IMGSEARCH_SORT_GIVEN;
	return imgsearch_item_list(w->s, &o, keep_no_item, NULL, call, NULL, err);
}

static int call_info(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_info *info;
	int rc = imgsearch_info_get(w->s, call, &info, err);
	DONE(imgsearch_info_free, info, rc);
}

static int call_check(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_check_report *report;
	imgsearch_check_options o = { .struct_size = sizeof o, .queries = 20 };
	int rc = imgsearch_check(w->s, &o, call, &report, err);
	DONE(imgsearch_check_report_free, report, rc);
}

static int call_eval(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_eval_report *report;
	int rc = imgsearch_eval_run(w->s, NULL, call, &report, err);
	DONE(imgsearch_eval_report_free, report, rc);
}

static int call_map(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_map *map;
	int rc = imgsearch_map_compute(w->s, NULL, call, &map, err);
	DONE(imgsearch_map_free, map, rc);
}

static int call_grid(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	const imgsearch_map_point point[] = { { 1, 0, 0 }, { 2, 1, 0 } };
	const imgsearch_map_point *const items[] = { &point[0], &point[1] };
	const imgsearch_map map = { 2, items };
	uint32_t cells[2];
	(void)w;
	return imgsearch_map_grid(&map, 2, 1, call, cells, 2, err);
}

static int call_groups(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_groups *groups;
	int rc = imgsearch_groups_find(w->s, NULL, call, &groups, err);
	DONE(imgsearch_groups_free, groups, rc);
}

static int call_image_load(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_image *image;
	imgsearch_input in = imgsearch_input_file(w->fresh);
	int rc = imgsearch_image_load(w->s, &in, 20, call, &image, err);
	DONE(imgsearch_image_free, image, rc);
}

static int call_encode(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch_bytes *bytes;
	const uint8_t rgb[3] = { 1, 2, 3 };
	const imgsearch_image image = { rgb, 1, 1 };
	(void)w;
	int rc = imgsearch_image_encode(&image, 0, call, &bytes, err);
	DONE(imgsearch_bytes_free, bytes, rc);
}

static int call_open(world *w, const imgsearch_call *call, imgsearch_error *err)
{
	imgsearch *s;
	int rc = imgsearch_open(w->sc->db, NULL, call, &s, err);
	DONE(imgsearch_close, s, rc);
}

/* stops: at how many looks at the clock a deadline stops it on its way, at least. */
static const struct {
	const char *name;
	one_call *call;
	int stops;
} all[] = {
	{ "query", call_query, 2 },
	{ "query with views", call_views, 3 },
	{ "range", call_range, 2 },
	{ "batch_query", call_batch, 3 },
	{ "extract", call_extract, 3 },
	{ "vectors_query", call_vectors_query, 0 },
	{ "vectors_each", call_vectors_each, 1 },
	{ "vectors_get", call_vectors_get, 1 },
	{ "vectors_reduce", call_reduce, 1 },
	{ "build", call_build, 3 },
	{ "index_update", call_update, 3 },
	{ "index_add", call_add, 2 },
	{ "vectors_add", call_vectors_add, 1 },
	{ "index_remove", call_remove, 1 },
	{ "index_keep_out", call_keep_out, 1 },
	{ "index_readmit", call_readmit, 1 },
	{ "root_move", call_root_move, 0 },
	{ "index_backup", call_backup, 1 },
	{ "index_copy", call_copy, 3 },
	{ "vectors_export", call_export, 1 },
	{ "transaction_commit", call_commit, 0 },
	{ "item_each", call_items, 0 },
	{ "item_list", call_list, 0 },
	{ "item_list of ids", call_items_of, 0 },
	{ "info_get", call_info, 1 },
	{ "check", call_check, 1 },
	{ "eval_run", call_eval, 2 },
	{ "map_compute", call_map, 5 },
	{ "map_grid", call_grid, 1 },
	{ "groups_find", call_groups, 1 },
	{ "image_load", call_image_load, 1 },
	{ "image_encode", call_encode, 1 },
	{ "open", call_open, 0 },
};
enum { ALL = sizeof all / sizeof *all };

/* The status that a call ends with, which err has as well. */
static int status_of(size_t which, world *w, const imgsearch_call *call)
{
	imgsearch_error err = { 0 };
	int rc = all[which].call(w, call, &err);
	if (err.code != rc)
		fail_msg("%s: %d, and %s", all[which].name, rc, err.message);
	assert_true(!rc || *err.message);
	return rc;
}

static void expects(size_t which, world *w, const imgsearch_call *call, int wanted)
{
	imgsearch_error err = { 0 };
	int rc = all[which].call(w, call, &err);
	if (rc != wanted || err.code != rc)
		fail_msg("%s: %s, not %s (%s)", all[which].name, imgsearch_status_name(rc),
			imgsearch_status_name(wanted), err.message);
}

/* ------------------------------------------------------------------------------- deadlines ---- */

static void a_deadline_stops_every_call(void **state)
{
	world w;
	imgsearch_call past = { .struct_size = sizeof past, .deadline_ms = 1 },
				   far = { .struct_size = sizeof far, .deadline_ms = 1000000000 };
	open_world(&w, *state);
	for (size_t i = 0; i < ALL; i++) {
		expects(i, &w, &past, IMGSEARCH_EDEADLINE);
		expects(i, &w, &far, 0);
		expects(i, &w, NULL, 0);
	}
	imgsearch_close(w.s);
}

static size_t first_batch, largest_batch; /* of the next ones */

static void note_batch(size_t n)
{
	if (!first_batch)
		first_batch = n;
	else if (n > largest_batch)
		largest_batch = n;
}

/* The fake network takes four pictures at once. How long one takes is not known at first. */
static void a_deadline_begins_with_a_small_batch(void **state)
{
	static const struct {
		uint64_t ms;
		size_t first, next;
	} cases[] = { { 0, 4, 4 }, { 1000000000, 1, 4 } };
	world w;
	open_world(&w, *state);
	assert_int_equal(call_extract(&w, NULL, NULL), 0); /* loads the network */
	scene_on_run(note_batch);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_call call = { .struct_size = sizeof call, .deadline_ms = cases[i].ms };
		first_batch = largest_batch = 0;
		assert_int_equal(call_extract(&w, &call, NULL), 0);
		assert_int_equal(first_batch, cases[i].first);
		assert_int_equal(largest_batch, cases[i].next);
	}
	scene_on_run(NULL);
	imgsearch_close(w.s);
}

/* Wherever the deadline lies, the call is stopped whole, or has all of its result. */
static void a_deadline_stops_long_calls_on_their_way(void **state)
{
	world w;
	open_world(&w, *state);
	for (size_t i = 0; i < ALL; i++) {
		int stopped = 0, done = 0;
		for (int n = 1; !done && n < 3000; n += 1 + n / 20) {
			imgsearch_call call = {
				.struct_size = sizeof call,
				.deadline_ms = (uint64_t)n * 1000 + 500,
			};
			if (all[i].call == call_update) /* all are to be read again */
				shell("find '%s' -name '*.png' -exec touch {} +", w.sc->photos);
			int rc = status_of(i, &w, &call);
			assert_true(rc == 0 || rc == IMGSEARCH_EDEADLINE);
			stopped += rc != 0;
			done = rc == 0;
		}
		print_message("# %s: stopped at %d deadlines\n", all[i].name, stopped);
		if (stopped < all[i].stops)
			fail_msg("%s: stopped at %d deadlines, not %d", all[i].name, stopped, all[i].stops);
		expects(i, &w, NULL, 0);
	}
	scene_counts c = scene_index(w.s, NULL);
	assert_int_equal(c.seen, PHOTOS);
	assert_int_equal(c.unchanged, PHOTOS);
	imgsearch_close(w.s);
}

/* A commit that is stopped on its way has written nothing, and can be tried again. */
static void a_stopped_commit_can_be_tried_again(void **state)
{
	const scene *sc = *state;
	enum { ROWS = 5000 }; /* three blocks */
	static float rows[ROWS][DIM];
	char path[200];
	snprintf(path, sizeof path, "%s/a.png", sc->dir);
	draw(path, 1);
	for (int i = 0; i < ROWS; i++)
		rows[i][i % DIM] = (float)i + 1;
	imgsearch_input in = imgsearch_input_file(path);
	int stopped = 0, rc = IMGSEARCH_EDEADLINE;
	for (uint64_t n = 1; rc && n < 100; n++) {
		imgsearch_call call = { .struct_size = sizeof call, .deadline_ms = n * 1000 + 500 };
		imgsearch_transaction *t;
		imgsearch *s;
		works(imgsearch_open(":memory:", NULL, NULL, &s, &err));
		works(imgsearch_transaction_begin(s, NULL, &t, &err));
		imgsearch_index_add_options o = { .struct_size = sizeof o, .transaction = t };
		imgsearch_vectors_add_options v = { .struct_size = sizeof v, .transaction = t };
		for (int i = 0; i < 2; i++) {
			o.name = i ? "b" : "a";
			works(imgsearch_index_add(s, &in, &o, NULL, NULL, &err));
		}
		works(imgsearch_vectors_add(s, rows[0], ROWS, DIM, &v, NULL, NULL, &err));
		rc = imgsearch_transaction_commit(t, &call, NULL);
		if (rc) {
			stopped++;
			assert_int_equal(rc, IMGSEARCH_EDEADLINE);
			assert_int_equal(scene_vectors(s), 0);
			works(imgsearch_transaction_commit(t, NULL, &err));
		}
		assert_int_equal(scene_vectors(s), ROWS + 1); /* both pictures have the same bytes */
		imgsearch_transaction_free(t);
		imgsearch_close(s);
	}
	assert_int_equal(rc, 0);
	assert_true(stopped > 3); /* also between blocks of vectors */
}

/* ---------------------------------------------------------------------------------- tokens ---- */

static void a_token_set_before_stops_every_call(void **state)
{
	world w;
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	open_world(&w, *state);
	works(imgsearch_cancel_token_new(&call.cancel, &err));
	for (size_t i = 0; i < ALL; i++)
		expects(i, &w, &call, 0);
	imgsearch_cancel_token_set(call.cancel);
	for (size_t i = 0; i < ALL; i++) {
		expects(i, &w, &call, IMGSEARCH_ECANCELED);
		expects(i, &w, NULL, 0); /* others go on */
	}
	imgsearch_cancel_token_free(call.cancel);
	imgsearch_close(w.s);
}

static void structs_of_a_call_are_checked(void **state)
{
	world w;
	imgsearch_call call = { .deadline_ms = 100000 }; /* no struct_size */
	struct {
		imgsearch_call call;
		char newer[8];
	} future = { .call = { .struct_size = sizeof future }, .newer = { 1 } };
	open_world(&w, *state);
	for (size_t i = 0; i < ALL; i++) {
		expects(i, &w, &call, IMGSEARCH_EINVAL);
		expects(i, &w, &future.call, IMGSEARCH_EVERSION);
	}
	imgsearch_close(w.s);
}

/* ------------------------------------------------------------------ cancelling in parallel ---- */

static sem_t inside, gate; /* a call is at work; it may go on */

typedef struct worker {
	pthread_t thread;
	world *w;
	imgsearch_call call;
	int reports, rc;
} worker;

/* The first report waits. */
static int wait_at_gate(void *user, const imgsearch_progress *p)
{
	worker *one = user;
	(void)p;
	if (!one->reports++) {
		sem_post(&inside);
		sem_wait(&gate);
	}
	return 0;
}

static void *work(void *arg)
{
	worker *one = arg;
	float rows[20][DIM];
	imgsearch_input in[20];
	for (int i = 0; i < 20; i++)
		in[i] = imgsearch_input_file(one->w->fresh);
	one->rc = imgsearch_extract(one->w->s, in, 20, NULL, &one->call, rows[0], 20 * DIM, NULL, NULL);
	return NULL;
}

/* Starts n calls, and returns when each is at work. */
static void start(worker *worker, int n, world *w)
{
	sem_init(&inside, 0, 0);
	sem_init(&gate, 0, 0);
	for (int i = 0; i < n; i++) {
		worker[i].w = w;
		worker[i].call.struct_size = sizeof worker[i].call;
		worker[i].call.user = &worker[i];
		worker[i].call.progress = wait_at_gate;
		assert_int_equal(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
	}
	for (int i = 0; i < n; i++)
		sem_wait(&inside);
}

/* Opens the gate, and waits for all. */
static void finish(worker *worker, int n)
{
	for (int i = 0; i < n; i++)
		sem_post(&gate);
	for (int i = 0; i < n; i++)
		pthread_join(worker[i].thread, NULL);
	sem_destroy(&inside);
	sem_destroy(&gate);
}

static void cancel_stops_what_runs_and_nothing_later(void **state)
{
	world w;
	worker two[2] = { 0 };
	open_world(&w, *state);
	imgsearch *other = scene_open(w.sc);
	start(two, 2, &w);
	imgsearch_cancel(other); /* another handle */
	imgsearch_cancel(w.s);
	for (size_t i = 0; i < ALL; i++) /* begin while the cancelled ones still run */
		expects(i, &w, NULL, 0);
	finish(two, 2);
	assert_int_equal(two[0].rc, IMGSEARCH_ECANCELED);
	assert_int_equal(two[1].rc, IMGSEARCH_ECANCELED);
	imgsearch_cancel(w.s); /* nothing runs */
	for (size_t i = 0; i < ALL; i++)
		expects(i, &w, NULL, 0);
	imgsearch_close(other);
	imgsearch_close(w.s);
	imgsearch_cancel(NULL);
}

static void cancelling_one_call_leaves_the_others(void **state)
{
	world w;
	worker three[3] = { 0 };
	open_world(&w, *state);
	for (int i = 0; i < 2; i++)
		works(imgsearch_cancel_token_new(&three[i].call.cancel, &err));
	start(three, 3, &w);
	imgsearch_cancel_token_set(three[0].call.cancel);
	finish(three, 3);
	assert_int_equal(three[0].rc, IMGSEARCH_ECANCELED);
	assert_int_equal(three[1].rc, 0);
	assert_int_equal(three[2].rc, 0);
	for (int i = 0; i < 2; i++)
		imgsearch_cancel_token_free(three[i].call.cancel);
	imgsearch_close(w.s);
}

/* ------------------------------------------------------------------------------- callbacks ---- */

typedef struct listener {
	int reports, answer;
	imgsearch *cancel; /* at the first report */
} listener;

static int listen(void *user, const imgsearch_progress *p)
{
	listener *l = user;
	assert_non_null(p->stage);
	assert_true(!p->total || p->done <= p->total);
	if (!l->reports++ && l->cancel)
		imgsearch_cancel(l->cancel);
	return l->answer;
}

/* Each call has its own callbacks; a number from progress, or a cancel in it, stops the call. */
static void progress_belongs_to_its_call(void **state)
{
	static one_call *const long_ones[] = {
		call_batch,
		call_extract,
		call_build,
		call_update,
		call_vectors_each,
		call_backup,
		call_copy,
		call_export,
		call_check,
		call_eval,
		call_map,
		call_groups,
	};
	world w;
	open_world(&w, *state);
	for (size_t i = 0; i < sizeof long_ones / sizeof *long_ones; i++) {
		for (int way = 0; way < 3; way++) {
			imgsearch_error err = { 0 };
			listener l = { .answer = way == 1 ? 5 : 0, .cancel = way == 2 ? w.s : NULL };
			imgsearch_call call = { .struct_size = sizeof call, .user = &l, .progress = listen };
			if (long_ones[i] == call_update)
				shell("find '%s' -name '*.png' -exec touch {} +", w.sc->photos);
			int rc = long_ones[i](&w, &call, &err);
			if (rc != (way ? IMGSEARCH_ECANCELED : 0))
				fail_msg("long call %d, way %d: %s", (int)i, way, imgsearch_status_name(rc));
			assert_true(way ? l.reports == 1 : l.reports >= 1);
		}
	}
	imgsearch_close(w.s);
}

/* A function that fails without an error to fill in. */
static void errors_may_be_null(void **state)
{
	world w;
	imgsearch_image *image;
	imgsearch_item *item;
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_item(9999);
	imgsearch_call past = { .struct_size = sizeof past, .deadline_ms = 1 };
	open_world(&w, *state);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(all[i].call(&w, &past, NULL), IMGSEARCH_EDEADLINE);
	assert_int_equal(imgsearch_image_load(w.s, &in, 0, NULL, &image, NULL), IMGSEARCH_ENOTFOUND);
	assert_int_equal(imgsearch_item_get(w.s, 9999, &item, NULL), IMGSEARCH_ENOTFOUND);
	assert_int_equal(imgsearch_query(w.s, &in, 1, NULL, NULL, &hits, NULL), IMGSEARCH_ENOTFOUND);
	imgsearch_close(w.s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deadline_stops_every_call),
		TEST(a_deadline_stops_long_calls_on_their_way),
		TEST(a_deadline_begins_with_a_small_batch),
		TEST(a_stopped_commit_can_be_tried_again),
		TEST(a_token_set_before_stops_every_call),
		TEST(structs_of_a_call_are_checked),
		TEST(cancel_stops_what_runs_and_nothing_later),
		TEST(cancelling_one_call_leaves_the_others),
		TEST(progress_belongs_to_its_call),
		TEST(errors_may_be_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
