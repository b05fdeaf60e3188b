/*
 * Single adds and runs go the same way; no network runs inside a transaction or, for a single add,
 * under the writer lock.
 */
#include "handle/handle.h"
#include "scene.h"
#include "store/sqlite/conn.h"

static const char *scene_db;
static imgsearch *watched; /* the handle that is at work */
static atomic_int inputs, in_transaction, writer_refused;

static void on_run(size_t n)
{
	atomic_fetch_add(&inputs, (int)n);
	const sqlite_store *st = watched ? (const sqlite_store *)watched->store : NULL;
	atomic_fetch_add(&in_transaction, st && atomic_load(&st->in_tx));
}

/* Another handle changes the index while the network runs. */
static void on_run_write(size_t n)
{
	imgsearch *other;
	on_run(n);
	if (imgsearch_open(scene_db, NULL, NULL, &other, NULL))
		return;
	int rc = ims_handle_write_begin(other, NULL, NULL);
	atomic_fetch_add(&writer_refused, rc != 0);
	if (!rc)
		ims_handle_write_end(other);
	imgsearch_close(other);
}

/* The network of the handle s calls hook from now on. */
static void watch(const scene *sc, imgsearch *s, void (*hook)(size_t n))
{
	scene_on_run(hook);
	scene_db = sc->db;
	watched = s;
	atomic_store(&inputs, 0);
	atomic_store(&in_transaction, 0);
	atomic_store(&writer_refused, 0);
}

static imgsearch *with_one_picture(const scene *sc)
{
	photo(sc, "first.png", 1000);
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).indexed, 1);
	return s;
}

static void a_run_embeds_equal_bytes_once_and_outside_of_transactions(void **state)
{
	enum { COPIES = 30, OTHERS = 9 };
	scene *sc = *state;
	char name[40];
	imgsearch *s = with_one_picture(sc);
	for (unsigned i = 0; i < COPIES; i++) {
		snprintf(name, sizeof name, "copy%02u.png", i);
		photo(sc, name, 1);
	}
	for (unsigned i = 0; i < OTHERS; i++) {
		snprintf(name, sizeof name, "other%u.png", i);
		photo(sc, name, 100 + i);
	}
	watch(sc, s, on_run);
	scene_counts c = scene_index(s, sc->photos);
	assert_int_equal(c.indexed, 2 + OTHERS);
	assert_int_equal(c.duplicate, COPIES - 1);
	assert_int_equal(c.added, COPIES + OTHERS);
	assert_int_equal(atomic_load(&inputs), 1 + OTHERS);
	assert_int_equal(atomic_load(&in_transaction), 0);
	assert_int_equal(id_of(s, sc, "copy00.png") > 0, 1);
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "copy00.png"), &item, NULL), 0);
	assert_int_equal(item->state, IMGSEARCH_STATE_INDEXED); /* the first in the order of the walk */
	imgsearch_item_free(item);
	watch(sc, NULL, NULL);
	imgsearch_close(s);
}

/* Also one by one, once a run was told to keep them; nine parts beside the whole. */
static void regions_are_made_of_every_addition(void **state)
{
	scene *sc = *state;
	char path[400];
	imgsearch_error err = { 0 };
	imgsearch_info *info;
	imgsearch *s = with_one_picture(sc);
	const char *paths[] = { sc->photos };
	imgsearch_index_update_options o = { .struct_size = sizeof o, .regions = 1 };
	watch(sc, s, on_run);
	assert_int_equal(imgsearch_index_update(s, paths, 1, &o, NULL, NULL, &err), 0);
	assert_int_equal(atomic_load(&inputs), 10);
	snprintf(path, sizeof path, "%s/single.png", sc->dir);
	draw(path, 7);
	imgsearch_input in = imgsearch_input_file(path);
	assert_int_equal(imgsearch_index_add(s, &in, NULL, NULL, NULL, &err), 0);
	assert_int_equal(atomic_load(&inputs), 20);
	assert_int_equal(atomic_load(&in_transaction), 0);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->regions, 9);
	assert_int_equal(info->with_regions, 2);
	imgsearch_info_free(info);
	watch(sc, NULL, NULL);
	imgsearch_close(s);
}

static void a_single_add_embeds_before_it_writes(void **state)
{
	scene *sc = *state;
	char path[400];
	imgsearch_error err = { 0 };
	int64_t id = 0, again = 0;
	imgsearch *s = with_one_picture(sc);
	snprintf(path, sizeof path, "%s/single.png", sc->dir);
	draw(path, 7);
	imgsearch_input in = imgsearch_input_file(path);
	watch(sc, s, on_run_write);
	assert_int_equal(imgsearch_index_add(s, &in, NULL, NULL, &id, &err), 0);
	assert_int_equal(atomic_load(&inputs), 1);
	assert_int_equal(atomic_load(&writer_refused), 0);
	assert_int_equal(atomic_load(&in_transaction), 0);
	/* the same bytes under the same name */
	assert_int_equal(imgsearch_index_add(s, &in, NULL, NULL, &again, &err), 0);
	assert_int_equal(again, id);
	/* and under another: a duplicate */
	assert_int_equal(imgsearch_index_add(s, &in, NAMED("a name"), NULL, &again, &err), 0);
	assert_true(again != id);
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, again, &item, &err), 0);
	assert_int_equal(item->state, IMGSEARCH_STATE_DUPLICATE);
	assert_int_equal(item->same_as, id);
	assert_int_equal(item->width, 48);
	imgsearch_item_free(item);
	assert_int_equal(atomic_load(&inputs), 1);
	watch(sc, NULL, NULL);
	imgsearch_close(s);
}

static int count_signature(void *user, int64_t picture, const void *data, size_t size)
{
	(void)picture, (void)data, (void)size;
	++*(int *)user;
	return 0;
}

static void every_way_in_stores_a_signature(void **state)
{
	scene *sc = *state;
	char path[400];
	int n = 0;
	imgsearch_error err = { 0 };
	imgsearch *s = with_one_picture(sc);
	snprintf(path, sizeof path, "%s/single.png", sc->dir);
	draw(path, 8);
	buf bytes = { 0 };
	imgsearch_input file = imgsearch_input_file(path);
	assert_int_equal(imgsearch_index_add(s, &file, NAMED("by file"), NULL, NULL, &err), 0);
	draw(path, 9);
	assert_int_equal(ims_read_file(&bytes, path, 1 << 20, &err), 0);
	imgsearch_input memory = imgsearch_input_bytes(bytes.data, bytes.len);
	assert_int_equal(imgsearch_index_add(s, &memory, NAMED("by memory"), NULL, NULL, &err), 0);
	assert_int_equal(ims_store_signatures(s->store, count_signature, &n, &err), 0);
	assert_int_equal(n, 3);
	ims_buf_free(&bytes);
	imgsearch_close(s);
}

static void a_bad_picture_is_not_added(void **state)
{
	scene *sc = *state;
	char path[400];
	imgsearch_error err = { 0 };
	imgsearch *s = with_one_picture(sc);
	snprintf(path, sizeof path, "%s/text.png", sc->dir);
	shell("echo text > '%s'", path);
	imgsearch_input file = imgsearch_input_file(path), memory = imgsearch_input_bytes("text", 4);
	assert_int_equal(imgsearch_index_add(s, &file, NULL, NULL, NULL, &err), IMGSEARCH_EUNSUPPORTED);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(imgsearch_index_add(s, &memory, NAMED("name"), NULL, NULL, &err),
		IMGSEARCH_EUNSUPPORTED);
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->vectors, 1);
	assert_int_equal(info->counts->seen, 1);
	imgsearch_info_free(info);
	imgsearch_close(s);
}

/* A cancel that is raised while calls run stops them all; one that comes too late stops nothing. */
static int cancel_once(void *user, const imgsearch_progress *p)
{
	imgsearch **s = user;
	imgsearch_input in = imgsearch_input_item(1);
	float out[48];
	(void)p;
	imgsearch_cancel(*s);
	/* a call that begins later, and does not forget the cancel */
	(void)imgsearch_extract(*s, &in, 1, NULL, NULL, out, 48, NULL, NULL);
	return 0;
}

static void a_later_call_forgets_no_cancel(void **state)
{
	scene *sc = *state;
	char name[40];
	imgsearch *s = NULL;
	imgsearch_error err = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	const char *paths[] = { sc->photos };
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "%03u.png", i);
		photo(sc, name, i);
	}
	call.user = &s;
	call.progress = cancel_once;
	s = scene_open(sc);
	assert_int_equal(imgsearch_index_update(s, paths, 1, NULL, &call, NULL, &err),
		IMGSEARCH_ECANCELED);
	imgsearch_cancel(s);
	imgsearch_close(s);
	s = scene_open(sc);
	imgsearch_cancel(s); /* no call runs: without effect */
	assert_int_equal(scene_index(s, sc->photos).indexed, 200);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_embeds_equal_bytes_once_and_outside_of_transactions),
		TEST(regions_are_made_of_every_addition),
		TEST(a_single_add_embeds_before_it_writes),
		TEST(every_way_in_stores_a_signature),
		TEST(a_bad_picture_is_not_added),
		TEST(a_later_call_forgets_no_cancel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
