/*
 * Pictures whose bytes the index stores: they are shown, embedded again and removed as those with
 * files are.
 */
#include "handle/handle.h"
#include "scene.h"
#include "store/record.h"

#include <string.h>

#define STORED(text) \
	(&(imgsearch_index_add_options){ \
		.struct_size = sizeof(imgsearch_index_add_options), \
		.name = (text), \
		.store_bytes = 1, \
	})

/* The bytes of a drawn picture; the file goes. */
static buf drawn(const scene *sc, unsigned number)
{
	char path[400];
	buf bytes = { 0 };
	snprintf(path, sizeof path, "%s/drawn.png", sc->dir);
	draw(path, number);
	works(ims_read_file(&bytes, path, 1 << 20, &err));
	assert_int_equal(remove(path), 0);
	return bytes;
}

static int64_t add_stored(imgsearch *s, const char *name, const buf *bytes)
{
	int64_t id = 0;
	imgsearch_input in = imgsearch_input_bytes(bytes->data, bytes->len);
	works(imgsearch_index_add(s, &in, STORED(name), NULL, &id, &err));
	return id;
}

static void has_bytes(imgsearch *s, int64_t id, const buf *bytes)
{
	imgsearch_bytes *got;
	imgsearch_image *picture;
	imgsearch_input in = imgsearch_input_item(id);
	works(imgsearch_item_bytes(s, id, NULL, &got, &err));
	assert_int_equal(got->count, bytes->len);
	assert_memory_equal(got->items, bytes->data, bytes->len);
	imgsearch_bytes_free(got);
	works(imgsearch_image_load(s, &in, 0, NULL, &picture, &err));
	assert_int_equal(picture->width, 48);
	imgsearch_image_free(picture);
}

static void has_no_bytes(imgsearch *s, int64_t id)
{
	imgsearch_bytes *got;
	fails(IMGSEARCH_ENOTFOUND, imgsearch_item_bytes(s, id, NULL, &got, &err));
	assert_null(got);
}

static void has_state(imgsearch *s, int64_t id, uint32_t state, int64_t same_as)
{
	imgsearch_item *item;
	works(imgsearch_item_get(s, id, &item, &err));
	assert_int_equal(item->state, state);
	assert_int_equal(item->same_as, same_as);
	assert_int_equal(item->offline, 0);
	imgsearch_item_free(item);
}

/* Pictures whose bytes are stored. */
static size_t n_stored(imgsearch *s)
{
	int64_t *ids;
	size_t n;
	works(ims_store_ids(s->store, STORE_FILES, &ids, &n, &err));
	ims_free(ids);
	return n;
}

static void equal_bytes_are_one_item(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1), two = drawn(sc, 2);
	int64_t a = add_stored(s, "a", &one), b = add_stored(s, "b", &two);
	assert_true(a != b);
	assert_int_equal(add_stored(s, "another name", &one), a);
	assert_int_equal(add_stored(s, NULL, &one), a);
	assert_int_equal(n_stored(s), 2);
	has_bytes(s, a, &one);
	has_bytes(s, b, &two);
	imgsearch_item *item;
	works(imgsearch_item_get(s, a, &item, &err));
	assert_string_equal(item->path, "a");
	assert_true(item->mtime_seconds > 0);
	imgsearch_item_free(item);
	works(imgsearch_index_remove(s, &a, 1, NULL, NULL, &err));
	assert_int_equal(n_stored(s), 1);
	has_no_bytes(s, a);
	imgsearch_close(s);
	ims_buf_free(&one);
	ims_buf_free(&two);
}

static void what_cannot_be_stored_is_refused(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1);
	imgsearch_input in = imgsearch_input_bytes(one.data, one.len), part = in;
	imgsearch_input path = imgsearch_input_file("/x.png");
	part.crop[2] = part.crop[3] = 10;
	fails(IMGSEARCH_EINVAL, imgsearch_index_add(s, &in, STORED("/a.png"), NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_index_add(s, &part, STORED("a"), NULL, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_index_add(s, &path, STORED("a"), NULL, NULL, &err));
	imgsearch_input text = imgsearch_input_bytes("text", 4);
	fails(IMGSEARCH_EUNSUPPORTED, imgsearch_index_add(s, &text, STORED("a"), NULL, NULL, &err));
	int64_t id = add_stored(s, "a", &one);
	works(imgsearch_index_keep_out(s, &id, 1, NULL, &err));
	fails(IMGSEARCH_EINVAL, imgsearch_index_add(s, &in, STORED("b"), NULL, NULL, &err));
	works(imgsearch_index_readmit(s, &id, 1, NULL, &err));
	has_bytes(s, id, &one);
	imgsearch_close(s);
	ims_buf_free(&one);
}

static void another_picture_of_the_name_has_no_stored_bytes(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1), two = drawn(sc, 2);
	int64_t id = add_stored(s, "a", &one), again;
	imgsearch_input in = imgsearch_input_bytes(two.data, two.len);
	works(imgsearch_index_add(s, &in, NAMED("a"), NULL, &again, &err));
	assert_int_equal(again, id);
	has_no_bytes(s, id);
	assert_int_equal(add_stored(s, "a", &one), id);
	has_bytes(s, id, &one);
	imgsearch_close(s);
	ims_buf_free(&one);
	ims_buf_free(&two);
}

static void a_file_with_the_same_bytes(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1);
	photo(sc, "one.png", 1);
	photo(sc, "two.png", 2);
	scene_index(s, sc->photos);
	int64_t file = id_of(s, sc, "one.png"), id = add_stored(s, "a", &one);
	has_state(s, id, IMGSEARCH_STATE_DUPLICATE, file);
	assert_int_equal(add_stored(s, "b", &one), id);
	shell("rm '%s/one.png'", sc->photos);
	has_bytes(s, file, &one); /* whose file is gone */
	scene_counts c = scene_update(s, (const char *[]){ sc->photos }, 1,
		&(imgsearch_index_update_options){
			.struct_size = sizeof(imgsearch_index_update_options),
			.prune = 1,
		});
	assert_int_equal(c.removed, 1);
	has_state(s, id, IMGSEARCH_STATE_INDEXED, 0);
	has_bytes(s, id, &one);
	photo(sc, "again.png", 1);
	scene_index(s, sc->photos);
	has_state(s, id_of(s, sc, "again.png"), IMGSEARCH_STATE_DUPLICATE, id);
	imgsearch_close(s);
	ims_buf_free(&one);
}

static void a_run_reads_stored_bytes(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1);
	int64_t id = add_stored(s, "a", &one);
	scene_counts c = scene_index(s, NULL); /* no folder: they are what the index knows */
	assert_int_equal(c.seen, 1);
	assert_int_equal(c.unchanged, 1);
	c = scene_update(s, NULL, 0,
		&(imgsearch_index_update_options){
			.struct_size = sizeof(imgsearch_index_update_options),
			.reread = 1,
			.formats = "+tiff",
		});
	assert_int_equal(c.unchanged, 1);
	photo(sc, "two.png", 2);
	c = scene_index(s, sc->photos);
	assert_int_equal(c.seen, 1); /* of that folder */
	assert_int_equal(scene_index(s, NULL).seen, 2);
	/* its facts and its pixels are those of an older version */
	works(ims_store_write_begin(s->store, &err));
	works(ims_store_tx_begin(s->store, &err));
	store_record old = {
		.way = STORE_TOUCH,
		.row = { .id = id },
		.has_pixels = true,
		.facts = &(facts){ .nomem = false },
	};
	works(ims_store_write(s->store, &old, 1, &err));
	works(ims_store_tx_commit(s->store, &err));
	ims_store_write_end(s->store);
	c = scene_index(s, NULL);
	assert_int_equal(c.unchanged, 2);
	store_picture p;
	works(ims_store_picture_get(s->store, id, &p, &err));
	assert_true(p.pixels & IMAGE_DECODING_MASK);
	ims_store_picture_clear(&p);
	has_state(s, id, IMGSEARCH_STATE_INDEXED, 0);
	imgsearch_close(s);
	ims_buf_free(&one);
}

static imgsearch *open_with_crop(const scene *sc, uint32_t crop)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = crop };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	return s;
}

static void another_model_embeds_stored_bytes(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1), two = drawn(sc, 2);
	int64_t a = add_stored(s, "a", &one), b = add_stored(s, "b", &two);
	photo(sc, "three.png", 3);
	scene_index(s, sc->photos);
	works(imgsearch_index_keep_out(s, &b, 1, NULL, &err));
	imgsearch_close(s);

	s = open_with_crop(sc, 40);
	scene_index(s, sc->photos); /* one folder: the stored ones are made with it */
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_null(info->reindex);
	assert_int_equal(info->recipe->crop, 40);
	assert_int_equal(info->vectors, 2);
	imgsearch_info_free(info);
	has_bytes(s, a, &one);
	works(imgsearch_index_readmit(s, &b, 1, NULL, &err)); /* whose vector went with the old model */
	has_state(s, b, IMGSEARCH_STATE_UNREADABLE, 0);
	scene_index(s, NULL);
	has_state(s, b, IMGSEARCH_STATE_INDEXED, 0);
	has_bytes(s, b, &two);
	imgsearch_close(s);
	ims_buf_free(&one);
	ims_buf_free(&two);
}

static void damaged_bytes_are_a_damaged_picture(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1);
	int64_t id = add_stored(s, "a", &one);
	works(ims_store_write_begin(s->store, &err));
	works(ims_store_tx_begin(s->store, &err));
	works(ims_store_file_put(s->store, id, one.data, one.len - 1, &err));
	works(ims_store_tx_commit(s->store, &err));
	ims_store_write_end(s->store);
	imgsearch_bytes *got;
	fails(IMGSEARCH_EFORMAT, imgsearch_item_bytes(s, id, NULL, &got, &err));
	imgsearch_close(s);
	s = open_with_crop(sc, 40);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.damaged, 1);
	imgsearch_item *item;
	works(imgsearch_item_get(s, id, &item, &err));
	assert_non_null(strstr(item->reason, "stored bytes"));
	imgsearch_item_free(item);
	imgsearch_close(s);
	ims_buf_free(&one);
}

static void in_a_transaction(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1), two = drawn(sc, 2);
	int64_t first = add_stored(s, "one", &one), again = 0, id = 0;
	imgsearch_transaction *t;
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_index_add_options o = *STORED("a");
	o.transaction = t;
	imgsearch_input in = imgsearch_input_bytes(one.data, one.len);
	for (int i = 0; i < 2; i++) {
		works(imgsearch_index_add(s, &in, &o, NULL, &again, &err));
		assert_int_equal(again, first);
	}
	in = imgsearch_input_bytes(two.data, two.len);
	works(imgsearch_index_add(s, &in, &o, NULL, &id, &err));
	has_no_bytes(s, id);
	works(imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
	has_bytes(s, id, &two);
	imgsearch_close(s);
	ims_buf_free(&one);
	ims_buf_free(&two);
}

/* A part of an item asks for other pictures than all of it does. */
static void a_part_of_an_item(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf one = drawn(sc, 1);
	int64_t id = add_stored(s, "a", &one);
	imgsearch_input whole = imgsearch_input_item(id), part = whole;
	imgsearch_input bytes = imgsearch_input_bytes(one.data, one.len);
	part.crop[2] = bytes.crop[2] = 20;
	part.crop[3] = bytes.crop[3] = 12;
	imgsearch_hits *hits;
	float score[3];
	const imgsearch_input *in[] = { &whole, &part, &bytes };
	for (int i = 0; i < 3; i++) {
		works(imgsearch_query(s, in[i], 1, NULL, NULL, &hits, &err));
		assert_int_equal(hits->count, 1);
		score[i] = hits->items[0]->score;
		imgsearch_hits_free(hits);
	}
	assert_true(score[0] > 0.999f);
	assert_true(score[1] < 0.999f);
	assert_true(score[1] == score[2]);
	imgsearch_close(s);
	ims_buf_free(&one);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_bytes_are_one_item),
		TEST(what_cannot_be_stored_is_refused),
		TEST(another_picture_of_the_name_has_no_stored_bytes),
		TEST(a_file_with_the_same_bytes),
		TEST(a_run_reads_stored_bytes),
		TEST(another_model_embeds_stored_bytes),
		TEST(damaged_bytes_are_a_damaged_picture),
		TEST(in_a_transaction),
		TEST(a_part_of_an_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
