/*
 * Data over a limit is ELIMIT in each call that takes it, with a sentence, and nothing is added:
 * pictures of too many pixels or bytes, sides that a format does not allow, texts that SQLite does
 * not store, more rows than there are ids. What lies just within the limit is taken.
 */
#include "scene.h"

#include <sqlite3.h>

enum {
	MEGA = 1000, /* its square is the limit of these tests, a megapixel */
	TEXT_MOST = 3 << 20
};

#define STAGED(t, text) \
	(&(imgsearch_index_add_options){ \
		.struct_size = sizeof(imgsearch_index_add_options), \
		.transaction = (t), \
		.name = (text), \
	})

static uint64_t indexed(imgsearch *s)
{
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	uint64_t n = info->vectors;
	imgsearch_info_free(info);
	return n;
}

static imgsearch *open_limited(const scene *sc)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.max_megapixels = 1;
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	return s;
}

/* ------------------------------------------------------------------------------- pictures ---- */

/* Each call that is given a picture. rc: what all of them are to return. */
static void every_call(imgsearch *s, const imgsearch_input *in, int rc)
{
	static float row[4096];
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	imgsearch_image *image;
	imgsearch_transaction *t;
	imgsearch_error one = { 0 };
	int64_t id;
#define IS(call) \
	do { \
		imgsearch_error err = { 0 }; \
		int got = (call); \
		if (got != rc || err.code != rc || (rc && !*err.message)) \
			fail_msg("%s: %d (%s)", #call, got, err.message); \
	} while (0)
	works(imgsearch_extract(s, in, 1, NULL, NULL, row, 4096, &one, &err));
	assert_int_equal(one.code, rc);
	IS(imgsearch_query(s, in, 1, NULL, NULL, &hits, &err));
	imgsearch_hits_free(hits);
	IS(imgsearch_range(s, in, 0.5f, NULL, NULL, &hits, &err));
	imgsearch_hits_free(hits);
	works(imgsearch_batch_query(s, in, 1, NULL, NULL, &answers, &err));
	assert_int_equal(answers->items[0]->error ? answers->items[0]->error->code : 0, rc);
	imgsearch_answers_free(answers);
	IS(imgsearch_image_load(s, in, 0, NULL, &image, &err));
	imgsearch_image_free(image);
	IS(imgsearch_image_load(s, in, 10, NULL, &image, &err));
	imgsearch_image_free(image);
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	IS(imgsearch_index_add(s, in, STAGED(t, "staged"), NULL, &id, &err));
	imgsearch_transaction_free(t);
	uint64_t before = indexed(s);
	IS(imgsearch_index_add(s, in, NAMED("added"), NULL, &id, &err));
	assert_int_equal(indexed(s), before + !rc);
	if (!rc)
		works(imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
#undef IS
}

static void make_png(buf *out, uint32_t width, uint32_t height)
{
	image im = { .pixels = ims_alloc((size_t)width * height, 3), .width = width, .height = height };
	for (size_t i = 0; i < (size_t)width * height * 3; i++)
		im.pixels[i] = (uint8_t)(i % 251);
	works(ims_image_encode_png(out, &im, NULL, &err));
	ims_free(im.pixels);
}

static void write_file(const char *path, const buf *b)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	assert_int_equal(fclose(f), 0);
}

static void pictures(void **state)
{
	scene *sc = *state;
	char path[400];
	photo(sc, "small.png", 1);
	imgsearch *s = open_limited(sc);
	scene_index(s, sc->photos);
	snprintf(path, sizeof path, "%s/large.png", sc->photos);
	for (int over = 0; over < 2; over++) {
		buf b = { 0 };
		uint8_t *rgb = calloc((size_t)MEGA * (MEGA + 1), 3);
		memset(rgb, 9, (size_t)MEGA * MEGA);
		int rc = over ? IMGSEARCH_ELIMIT : 0;
		make_png(&b, MEGA, (uint32_t)(MEGA + over));
		write_file(path, &b);
		imgsearch_input in[4] = {
			imgsearch_input_file(path),
			imgsearch_input_bytes(b.data, b.len),
			imgsearch_input_pixels(rgb, MEGA, MEGA + over, 0),
			imgsearch_input_file(path),
		};
		in[3].crop[2] = in[3].crop[3] = 50; /* the limit is that of the whole picture */
		for (int i = 0; i < 4; i++)
			every_call(s, &in[i], rc);
		assert_int_equal(scene_index(s, sc->photos).too_big, over);
		ims_buf_free(&b);
		free(rgb);
	}
	imgsearch_close(s);
}

/* Sizes that no memory is behind: they are refused before anything is read. */
static void sizes_without_memory(void **state)
{
	scene *sc = *state;
	char path[400];
	uint8_t byte[3] = { 0 };
	photo(sc, "small.png", 1);
	imgsearch *s = open_limited(sc);
	scene_index(s, sc->photos);
	snprintf(path, sizeof path, "%s/long", sc->dir);
	buf picture = { 0 };
	make_png(&picture, 8, 8);
	write_file(path, &picture);
	ims_buf_free(&picture);
	assert_int_equal(truncate(path, IMS_IMAGE_MAX_FILE + 1L), 0);
	imgsearch_input in[] = {
		imgsearch_input_bytes(byte, (size_t)IMS_IMAGE_MAX_FILE + 1),
		imgsearch_input_bytes(byte, SIZE_MAX),
		imgsearch_input_pixels(byte, INT32_MAX, INT32_MAX, 0),
		imgsearch_input_pixels(byte, 1000001, 1, 0),
		imgsearch_input_file(path),
	};
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		every_call(s, &in[i], IMGSEARCH_ELIMIT);
	imgsearch_close(s);
}

static void sides_of_formats(void **state)
{
	(void)state;
	static uint8_t rgb[3 * 65501];
	static const struct {
		uint32_t width, height;
		int quality, rc;
	} cases[] = {
		{ 65500, 1, 90, 0 },
		{ 65501, 1, 90, IMGSEARCH_ELIMIT },
		{ 1, 65501, 90, IMGSEARCH_ELIMIT },
		{ 65501, 1, 0, 0 },
		{ 1, UINT32_C(1) << 31, 0, IMGSEARCH_ELIMIT },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_image im = { rgb, cases[i].width, cases[i].height };
		imgsearch_error err = { 0 };
		imgsearch_bytes *bytes;
		assert_int_equal(imgsearch_image_encode(&im, cases[i].quality, NULL, &bytes, &err),
			cases[i].rc);
		assert_int_equal(err.code, cases[i].rc);
		assert_int_equal(!bytes, !!cases[i].rc);
		if (cases[i].rc)
			assert_non_null(strstr(err.message, "no side of a"));
		imgsearch_bytes_free(bytes);
	}
}

/* ---------------------------------------------------------------------- texts and numbers ---- */

/* SQLite's limit is a gigabyte; each new connection gets a lower one. */
static int lower_limit(sqlite3 *db, char **message, const void *api)
{
	(void)message, (void)api;
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_MOST);
	return SQLITE_OK;
}

static void texts(void **state)
{
	enum { DIM = 4 };
	static float row[2 * DIM] = { 1, 2, 3, 4, 4, 3, 2, 1 };
	scene *sc = *state;
	char *text = malloc(TEXT_MOST + 2);
	const char *names[2] = { "short", text };
	imgsearch_input in = imgsearch_input_vector(row, DIM);
	imgsearch_vectors_add_options named = IMGSEARCH_INIT(imgsearch_vectors_add_options);
	imgsearch_transaction *t;
	int64_t ids[2];
	named.names = names;
	memset(text, 'x', TEXT_MOST + 1);
	text[TEXT_MOST + 1] = 0;
	sqlite3_auto_extension((void (*)(void))(uintptr_t)lower_limit);
	imgsearch *s = scene_open(sc);
	works(imgsearch_index_add(s, &in, NAMED("first"), NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_index_add(s, &in, NAMED(text), NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_vectors_add(s, row, 2, DIM, &named, NULL, ids, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_root_move(s, text, "/elsewhere", NULL, &err));
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_error err = { 0 };
	int rc = imgsearch_index_add(s, &in, STAGED(t, text), NULL, &ids[0], &err);
	rc = rc ? rc : imgsearch_transaction_commit(t, NULL, &err);
	assert_int_equal(rc, IMGSEARCH_ELIMIT);
	imgsearch_transaction_free(t);
	assert_int_equal(indexed(s), 1);
	text[TEXT_MOST / 2] = 0; /* the handle works on */
	works(imgsearch_vectors_add(s, row, 2, DIM, &named, NULL, ids, &err));
	assert_int_equal(indexed(s), 3);
	imgsearch_close(s);
	sqlite3_cancel_auto_extension((void (*)(void))(uintptr_t)lower_limit);
	free(text);
}

static void ids(void **state)
{
	static const float row[4] = { 1, 2, 3, 4 };
	int64_t last = INT64_MAX - 1;
	imgsearch_input in = imgsearch_input_vector(row, 2);
	imgsearch *s = scene_open(*state);
	imgsearch_transaction *t;
	works(imgsearch_vectors_add(s, row, 1, 2, WITH_IDS(&last), NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_vectors_add(s, row, 2, 2, NULL, NULL, NULL, &err));
	assert_int_equal(indexed(s), 1);
	works(imgsearch_vectors_add(s, row, 1, 2, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_vectors_add(s, row, 1, 2, NULL, NULL, NULL, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_index_add(s, &in, NULL, NULL, NULL, &err));
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	fails(IMGSEARCH_ELIMIT, imgsearch_index_add(s, &in, STAGED(t, NULL), NULL, NULL, &err));
	imgsearch_transaction_free(t);
	assert_int_equal(indexed(s), 2);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pictures),
		TEST(sizes_without_memory),
		TEST(sides_of_formats),
		TEST(texts),
		TEST(ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
