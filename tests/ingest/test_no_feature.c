/* A picture that the network makes zeros or no numbers of: a counted result with its reason. */
#include "scene.h"

#include <math.h>

enum { DIM = 48, SIDE = 32 };

static imgsearch_error err;

/* photos/NAME of one colour. */
static void plain_photo(const scene *sc, const char *name, uint8_t red)
{
	static uint8_t rgb[SIDE * SIDE * 3];
	char path[400];
	buf bytes = { 0 };
	memset(rgb, 0, sizeof rgb);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		rgb[i * 3] = red;
	image im = { .pixels = rgb, .width = SIDE, .height = SIDE };
	assert_int_equal(ims_image_encode_png(&bytes, &im, NULL, NULL), 0);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
	ims_buf_free(&bytes);
}

/* Black pixels are zeros of the network's input, and so of the fake network's feature. */
static imgsearch *open_index(const scene *sc, uint32_t metric)
{
	imgsearch *s;
	imgsearch_recipe recipe = IMGSEARCH_INIT(imgsearch_recipe);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	for (int i = 0; i < 3; i++)
		recipe.std[i] = 1;
	o.recipe = &recipe;
	o.metric = metric;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	return s;
}

static void check_item(imgsearch *s, int64_t id, uint32_t state, bool reason)
{
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, id, &item, &err), 0);
	assert_int_equal(item->state, state);
	assert_int_equal(item->has_vector, state == IMGSEARCH_STATE_INDEXED);
	assert_true(reason == (item->reason && strstr(item->reason, "all zeros")));
	imgsearch_item_free(item);
}

static void check_calls(imgsearch *s, const scene *sc)
{
	char path[400];
	float rows[2 * DIM];
	imgsearch_hits *hits;
	imgsearch_error errors[2] = { 0 };
	snprintf(path, sizeof path, "%s/black.png", sc->photos);
	imgsearch_input in[2] = { imgsearch_input_file(path), imgsearch_input_file(path) };
	in[0].crop[2] = in[0].crop[3] = SIDE; /* the pixels alone count */
	in[1].crop[2] = in[1].crop[3] = SIDE - 1;
	assert_int_equal(imgsearch_extract(s, in, 2, NULL, NULL, rows, 2 * DIM, errors, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(errors[i].code, IMGSEARCH_EMODEL);
		assert_true(isnan(rows[i * DIM]));
	}
	assert_int_equal(imgsearch_query(s, in, 1, NULL, NULL, &hits, &err), IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "all zeros"));
	assert_int_equal(imgsearch_index_add(s, in, NAMED("x"), NULL, NULL, &err), IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "all zeros"));
}

static void zeros(void **state)
{
	const scene *sc = *state;
	imgsearch_check_report *report;
	for (uint32_t metric = IMGSEARCH_METRIC_COSINE; metric <= IMGSEARCH_METRIC_IP; metric++) {
		plain_photo(sc, "black.png", 0);
		plain_photo(sc, "dark.png", 1);
		plain_photo(sc, "red.png", 255);
		imgsearch *s = open_index(sc, metric);
		for (int run = 0; run < 2; run++) {
			scene_counts counts = scene_index(s, sc->photos);
			assert_int_equal(counts.damaged, 1);
			assert_int_equal(counts.indexed, 2);
			check_item(s, id_of(s, sc, "black.png"), IMGSEARCH_STATE_DAMAGED, true);
			check_item(s, id_of(s, sc, "dark.png"), IMGSEARCH_STATE_INDEXED, false);
		}
		check_calls(s, sc);
		plain_photo(sc, "black.png", 9); /* other bytes: it is read again */
		assert_int_equal(scene_index(s, sc->photos).indexed, 3);
		assert_int_equal(imgsearch_check(s, NULL, NULL, &report, &err), 0);
		assert_int_equal(report->problems, 0);
		imgsearch_check_report_free(report);
		imgsearch_close(s);
		assert_int_equal(unlink(sc->db), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(zeros, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
