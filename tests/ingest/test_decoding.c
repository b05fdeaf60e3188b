/*
 * What a row keeps of how its pixels were made: rows of an older decoding are made anew where their
 * header tells that the pixels change, others keep their vectors; partial pictures are marked.
 */
#include "scene.h"

#include "handle/handle.h"
#include "image/colour.h"
#include "../records.h"

enum { DIM = 48 };

static void save(const scene *sc, const char *name, const buf *file, size_t n)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(file->data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void put_chunk(buf *out, const char *type, const void *data, uint8_t n)
{
	static const uint8_t checksum[4]; /* of chunks that libpng does not look at */
	const uint8_t size[4] = { 0, 0, 0, n };
	ims_buf_put(out, size, 4);
	ims_buf_put(out, type, 4);
	ims_buf_put(out, data, n);
	ims_buf_put(out, checksum, 4);
}

/* A drawing with one more chunk behind its IHDR. */
static void save_with_chunk(const scene *sc, const char *name, unsigned number, const char *type,
	const void *data, uint8_t n)
{
	char path[400];
	buf plain = { 0 }, file = { 0 };
	photo(sc, name, number);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	assert_int_equal(ims_read_file(&plain, path, 1 << 20, NULL), 0);
	ims_buf_put(&file, plain.data, 33);
	put_chunk(&file, type, data, n);
	ims_buf_put(&file, plain.data + 33, plain.len - 33);
	save(sc, name, &file, file.len);
	ims_buf_free(&plain);
	ims_buf_free(&file);
}

/* Four pictures: plain; of linear light; turned by XMP; with a gamma that is sRGB's. */
static void draw_pictures(const scene *sc)
{
	static const char xmp[] = "XML:com.adobe.xmp\0\0\0\0\0tiff:Orientation=\"6\"";
	photo(sc, "a.png", 1);
	save_with_chunk(sc, "b.png", 2, "gAMA", "\0\1\x86\xa0", 4);
	save_with_chunk(sc, "c.png", 3, "iTXt", xmp, sizeof xmp - 1);
	save_with_chunk(sc, "d.png", 4, "gAMA", "\0\0\xb1\x8f", 4);
}

static void vector_of(imgsearch *s, int64_t id, float *out)
{
	uint8_t found;
	works(imgsearch_vectors_get(s, &id, 1, NULL, out, DIM, &found, &err));
	assert_int_equal(found, 1);
}

/* Makes the rows look like those of an older version: made so, with a vector of ones. */
static void make_old(imgsearch *s, int64_t first, int64_t last, uint32_t made)
{
	float ones[DIM];
	for (int i = 0; i < DIM; i++)
		ones[i] = 1;
	works(ims_handle_write_begin(s, NULL, &err));
	works(ims_store_tx_begin(s->store, &err));
	for (int64_t id = first; id <= last; id++) {
		works(put_pixels(s->store, id, made, &err));
		works(put_vector(s->store, id, ones, DIM, false, &err));
	}
	works(ims_handle_tx_end(s, 0, &err));
	ims_handle_write_end(s);
}

static uint64_t redecoded(imgsearch *s, const imgsearch_index_update_options *o, uint64_t indexed)
{
	imgsearch_index_update_report *r;
	works(imgsearch_index_update(s, NULL, 0, o, NULL, &r, &err));
	uint64_t n = r->redecoded;
	assert_int_equal(r->counts->indexed, indexed);
	assert_int_equal(r->unchanged, indexed);
	assert_int_equal(r->rehashed, 0);
	imgsearch_index_update_report_free(r);
	return n;
}

static void only_pictures_that_change_are_decoded_anew(void **state)
{
	const scene *sc = *state;
	float before[5][DIM], after[DIM];
	imgsearch *s = scene_open(sc);
	bool colours = ims_colour_available();
	draw_pictures(sc);
	assert_int_equal(scene_index(s, sc->photos).indexed, 4);
	for (int64_t id = 1; id <= 4; id++)
		vector_of(s, id, before[id]);
	assert_int_equal(redecoded(s, NULL, 4), 0);
	make_old(s, 1, 4, 0);
	assert_int_equal(redecoded(s, NULL, 4), colours ? 2 : 1);
	for (int64_t id = 1; id <= 4; id++) {
		bool anew = (id == 2 && colours) || id == 3;
		vector_of(s, id, after);
		for (int i = 0; i < DIM; i++)
			assert_true(after[i] == (anew ? before[id][i] : 1));
	}
	assert_int_equal(redecoded(s, NULL, 4), 0);
	imgsearch_close(s);
}

/* Rows whose colours could not be converted are made anew where Little CMS appeared. */
static void ignored_profiles_are_counted_and_made_good(void **state)
{
	const scene *sc = *state;
	imgsearch_info *info;
	imgsearch *s = scene_open(sc);
	draw_pictures(sc);
	assert_int_equal(scene_index(s, sc->photos).indexed, 4);
	make_old(s, 2, 2, IMAGE_DECODING | IMAGE_UNCONVERTED);
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_int_equal(info->unconverted, 1);
	assert_int_equal(info->colours, ims_colour_available());
	imgsearch_info_free(info);
	if (ims_colour_available()) {
		assert_int_equal(redecoded(s, NULL, 4), 1);
		works(imgsearch_info_get(s, NULL, &info, &err));
		assert_int_equal(info->unconverted, 0);
		imgsearch_info_free(info);
	}
	assert_int_equal(redecoded(s, NULL, 4), 0);
	imgsearch_close(s);
}

/* The warnings of a call, one after the other. */
static void note(void *user, int level, const char *text)
{
	if (level == IMGSEARCH_LOG_WARNING)
		strcat(strcat(user, text), "\n");
}

/* Whether a text tells of n profiles that cannot be used, and of no other. */
static void tells_profiles(char *log, uint64_t n, const char *name)
{
	char wanted[100];
	snprintf(wanted, sizeof wanted, "colour profile is damaged or for other pixels: %d", (int)n);
	if (!ims_colour_available())
		n = 0;
	const char *found = strstr(log, "colour profile");
	assert_int_equal(found != NULL, n > 0);
	assert_true(!n || (strstr(found, wanted) && (!name || strstr(found, name))));
	*log = 0;
}

/* Of each picture by the run, query or addition that decodes it, and by no later one. */
static void bad_profiles_are_told(void **state)
{
	const scene *sc = *state;
	char log[2000] = "", path[400];
	imgsearch *s = scene_open(sc);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_hits *hits;
	call.user = log;
	call.log = note;
	draw_pictures(sc);
	works(
		imgsearch_index_update(s, (const char *const[]){ sc->photos }, 1, NULL, &call, NULL, &err));
	tells_profiles(log, 0, NULL);
	save_with_chunk(sc, "e.png", 5, "iCCP", "name\0\0", 6);
	save_with_chunk(sc, "f.png", 6, "iCCP", "name\0\0", 6);
	snprintf(path, sizeof path, "%s/e.png", sc->photos);
	const imgsearch_input in = imgsearch_input_file(path);
	works(imgsearch_query(s, &in, 1, NULL, &call, &hits, &err));
	imgsearch_hits_free(hits);
	tells_profiles(log, 1, "e.png");
	works(imgsearch_index_update(s, NULL, 0, NULL, &call, NULL, &err));
	tells_profiles(log, 2, "e.png");
	works(imgsearch_index_update(s, NULL, 0, NULL, &call, NULL, &err));
	tells_profiles(log, 0, NULL);
	imgsearch_close(s);
}

static imgsearch *stopped;
static int runs;

static void stop_at_second_run(size_t n)
{
	(void)n;
	if (++runs == 2)
		imgsearch_cancel(stopped);
}

static void a_stopped_run_is_finished_by_the_next(void **state)
{
	const scene *sc = *state;
	char name[20];
	imgsearch *s = scene_open(sc);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "%03u.png", i);
		save_with_chunk(sc, name, i, "iTXt", "XML:com.adobe.xmp\0\0\0\0\0tiff:Orientation=\"3\"",
			41);
	}
	assert_int_equal(scene_index(s, sc->photos).indexed, 300);
	make_old(s, 1, 300, 0);
	stopped = s;
	scene_on_run(stop_at_second_run);
	fails(IMGSEARCH_ECANCELED, imgsearch_index_update(s, NULL, 0, NULL, NULL, NULL, &err));
	scene_on_run(NULL);
	uint64_t rest = redecoded(s, NULL, 300);
	if (!rest || rest >= 300)
		fail_msg("%llu were left", (unsigned long long)rest);
	assert_int_equal(redecoded(s, NULL, 300), 0);
	imgsearch_close(s);
}

/* What an older decoding wrote of a.png and c.png. */
static void write_old_state(imgsearch *s, uint32_t state)
{
	works(ims_handle_write_begin(s, NULL, &err));
	works(ims_store_tx_begin(s->store, &err));
	for (int64_t id = 1; id <= 3; id += 2) {
		store_picture p;
		works(ims_store_picture_get(s->store, id, &p, &err));
		p.state = state;
		p.pixels = 0;
		works(put_row(s->store, &p, &err));
		ims_store_picture_clear(&p);
	}
	works(ims_handle_tx_end(s, 0, &err));
	ims_handle_write_end(s);
}

/* A row that an older decoding could not read is tried once by the newer one. */
static void failures_of_before_are_tried_once(void **state)
{
	static const uint32_t states[] = { IMGSEARCH_STATE_DAMAGED, IMGSEARCH_STATE_UNSUPPORTED };
	const scene *sc = *state;
	imgsearch *s = scene_open(sc);
	buf file = { 0 };
	char path[400];
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	assert_int_equal(ims_read_file(&file, path, 1 << 20, NULL), 0);
	save(sc, "a.png", &file, file.len - 12); /* without its end: it was damaged once */
	save(sc, "c.png", &file, file.len / 2);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.indexed, 2);
	assert_int_equal(n.damaged, 1);
	for (int round = 0; round < 2; round++) {
		write_old_state(s, states[round]);
		for (int run = 0; run < 2; run++) {
			n = scene_index(s, NULL);
			assert_int_equal(n.indexed, 2);
			assert_int_equal(n.damaged, 1);
			assert_int_equal(n.unchanged, run ? 3 : 1);
		}
	}
	ims_buf_free(&file);
	imgsearch_close(s);
}

static void partial_pictures_are_marked(void **state)
{
	const scene *sc = *state;
	const imgsearch_index_update_options partial = { .struct_size = sizeof partial, .partial = 1 };
	imgsearch *s = scene_open(sc);
	imgsearch_item *item;
	buf file = { 0 };
	char path[400];
	photo(sc, "a.png", 1);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	assert_int_equal(ims_read_file(&file, path, 1 << 20, NULL), 0);
	save(sc, "cut.png", &file, file.len * 3 / 4);
	save(sc, "none.png", &file, 60);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.indexed, 1);
	assert_int_equal(n.damaged, 2);
	n = scene_update(s, NULL, 0, &partial);
	assert_int_equal(n.indexed, 2);
	assert_int_equal(n.damaged, 1);
	n = scene_index(s, NULL); /* it stays */
	assert_int_equal(n.indexed, 2);
	assert_int_equal(n.unchanged, 3);
	for (int64_t id = 1; id <= 3; id++) {
		works(imgsearch_item_get(s, id, &item, &err));
		assert_int_equal(item->partial, id == 2);
		assert_int_equal(item->has_vector, id < 3);
		imgsearch_item_free(item);
	}
	save(sc, "cut.png", &file, file.len - 1); /* whole now, and a duplicate but for its last byte */
	n = scene_index(s, NULL);
	assert_int_equal(n.indexed, 2);
	works(imgsearch_item_get(s, 2, &item, &err));
	assert_int_equal(item->partial, 0);
	imgsearch_item_free(item);
	ims_buf_free(&file);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_pictures_that_change_are_decoded_anew),
		TEST(ignored_profiles_are_counted_and_made_good),
		TEST(bad_profiles_are_told),
		TEST(a_stopped_run_is_finished_by_the_next),
		TEST(failures_of_before_are_tried_once),
		TEST(partial_pictures_are_marked),
	};
	return cmocka_run_group_tests_name("decoding", tests, NULL, NULL);
}
