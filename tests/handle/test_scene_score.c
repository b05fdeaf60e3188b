/* The score of one scene: of the model's card, kept with the model; what older indexes have. */
#include "../collection/collection.h"

#include "handle/model_choice.h"
#include "handle/view.h"

/* dir/spread.safetensors, and its card with that score. */
static void write_model(const scene *sc, const char *score)
{
	char path[120], card[200];
	snprintf(path, sizeof path, "%s/spread.safetensors", sc->dir);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite("\2\0\0\0\0\0\0\0{}", 1, 10, f), 10);
	assert_int_equal(fclose(f), 0);
	snprintf(path, sizeof path, "%s/spread.json", sc->dir);
	snprintf(card, sizeof card,
		"{\"name\":\"spread\",\"network\":\"mobilenet_v2\",\"resize\":32,\"crop\":32,"
		"\"dim\":48,\"scene_score\":%s}",
		score);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(card, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

static imgsearch *open_with(const scene *sc, const char *model)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.model = model;
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	return s;
}

static void assert_score(imgsearch *s, float score)
{
	view *v;
	works(ims_view_acquire(s, &v, &err));
	assert_true(v->scene_score == score);
	ims_view_release(v);
}

static void that_of_the_card(void **state)
{
	scene *sc = *state;
	char model[120];
	snprintf(model, sizeof model, "%s/spread.safetensors", sc->dir);
	write_model(sc, "0.5");
	draw_photos(sc, 3);
	imgsearch *s = open_with(sc, model);
	assert_score(s, 0.92f);
	scene_index(s, sc->photos);
	assert_score(s, 0.5f);
	imgsearch_close(s);
	write_model(sc, "0.6"); /* the index keeps its own, and its features */
	s = open_with(sc, model);
	assert_int_equal(scene_index(s, sc->photos).unchanged, 3);
	assert_score(s, 0.5f);
	imgsearch_close(s);
	s = open_with(sc, "default"); /* another model, whose card has none */
	scene_index(s, sc->photos);
	assert_score(s, 0.92f);
	imgsearch_close(s);
}

static void without_a_stored_one(void **state)
{
	(void)state;
	char old[] = "network=efficientnet_lite2 resize=216 crop=192 mean=1,1,1 std=1,1,1 bicubic=1";
	char flipped[] = "network=x resize=1 crop=1 mean=1,1,1 std=1,1,1 bicubic=1 flip=1"
					 " scene_score=0.25";
	char broken[] = "network=x resize=1 crop=1 mean=1,1,1 std=1,1,1 bicubic=1 scene_score=7";
	store_model m = { .name = (char[]){ "default" }, .recipe = old, .dim = 512 };
	assert_true(ims_identity_scene_score(&m) == 0.78f);
	m.dim = 256; /* the default model of 0.1 */
	assert_true(ims_identity_scene_score(&m) == 0.92f);
	m.name = (char[]){ "mine" }, m.dim = 512;
	assert_true(ims_identity_scene_score(&m) == 0.92f);
	m.recipe = flipped;
	assert_true(ims_identity_scene_score(&m) == 0.25f);
	m.recipe = broken;
	assert_true(ims_identity_scene_score(&m) == 0.92f);
	assert_true(ims_identity_scene_score(NULL) == 0.92f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(that_of_the_card, scene_setup, scene_teardown),
		cmocka_unit_test(without_a_stored_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
