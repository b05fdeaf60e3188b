/* Each result can be read and freed after its handle was closed, and so can a cancel token. */
#include <imgsearch/eval.h>

#include "scene.h"

typedef struct results {
	imgsearch_index_update_report *update;
	imgsearch_build_report *build;
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	imgsearch_item *item;
	imgsearch_info *info;
	imgsearch_network *network;
	imgsearch_check_report *check;
	imgsearch_groups *groups;
	imgsearch_map *map;
	imgsearch_image *image;
	imgsearch_bytes *bytes;
	imgsearch_eval_report *eval;
} results;

enum { PICTURES = 12 };

static void add_pictures(imgsearch *s, const scene *sc, results *r)
{
	char name[20];
	const char *path = sc->photos;
	for (unsigned i = 0; i < PICTURES; i++) {
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i / 2); /* pairs of equal bytes */
	}
	works(imgsearch_index_update(s, &path, 1, NULL, NULL, &r->update, &err));
	imgsearch_build_options exact = { .struct_size = sizeof exact, .searcher = "exact" };
	works(imgsearch_build(s, &exact, NULL, &r->build, &err));
}

static void ask(imgsearch *s, const scene *sc, results *r)
{
	int64_t id = id_of(s, sc, "0.png");
	imgsearch_input in[] = { imgsearch_input_item(id), imgsearch_input_file("/nowhere.png") };
	imgsearch_check_options five = { .struct_size = sizeof five, .queries = 5 };
	imgsearch_eval_options copies = { .struct_size = sizeof copies, .duplicates = 1 };
	works(imgsearch_query(s, in, 1, NULL, NULL, &r->hits, &err));
	works(imgsearch_batch_query(s, in, 2, NULL, NULL, &r->answers, &err));
	works(imgsearch_item_get(s, id, &r->item, &err));
	works(imgsearch_info_get(s, NULL, &r->info, &err));
	works(imgsearch_network_get(s, &r->network, &err));
	works(imgsearch_check(s, &five, NULL, &r->check, &err));
	works(imgsearch_groups_find(s, NULL, NULL, &r->groups, &err));
	works(imgsearch_map_compute(s, NULL, NULL, &r->map, &err));
	works(imgsearch_image_load(s, in, 0, NULL, &r->image, &err));
	works(imgsearch_image_encode(r->image, 0, NULL, &r->bytes, &err));
	works(imgsearch_eval_run(s, &copies, NULL, &r->eval, &err));
}

static void read_queries(const results *r, const scene *sc)
{
	assert_true(r->hits->count > 0);
	for (size_t i = 0; i < r->hits->count; i++)
		assert_memory_equal(r->hits->items[i]->path, sc->photos, strlen(sc->photos));
	assert_string_equal(r->hits->searcher, "exact");
	assert_true(*r->hits->plan);
	assert_int_equal(r->answers->count, 2);
	assert_int_equal(r->answers->items[0]->hits->count, r->hits->count);
	assert_int_equal(r->answers->items[1]->error->code, IMGSEARCH_ENOTFOUND);
	assert_string_equal(r->item->path + strlen(r->item->path) - 5, "0.png");
	assert_int_equal(strlen(r->item->hash), 64);
}

static void read_info(const results *r)
{
	assert_int_equal(r->info->counts->indexed, PICTURES / 2);
	assert_string_equal(r->info->searchers->items[0]->name, "exact");
	assert_int_equal(r->info->roots->count, 1);
	assert_true(*r->info->roots->items[0]->path && *r->info->model && *r->info->weights);
	assert_true(*r->info->searcher && *r->info->searcher_why && *r->info->kernels);
	assert_true(*r->network->model && *r->network->weights && *r->network->runtime);
	assert_string_equal(r->check->items[0]->name, "exact");
}

static void read_others(const results *r)
{
	assert_int_equal(r->update->counts->seen, PICTURES);
	assert_string_equal(r->build->searcher, "exact");
	assert_string_equal(r->build->why, "");
	assert_true(r->groups->count > 0 && r->groups->items[0]->items[0] > 0);
	assert_int_equal(r->map->count, PICTURES / 2);
	assert_true(r->map->items[0]->id > 0);
	assert_int_equal(r->image->rgb[0], r->image->rgb[3]); /* of one block */
	assert_int_equal(r->bytes->items[1], 'P');
}

static void results_outlive_their_handle(void **state)
{
	scene *sc = *state;
	results r = { 0 };
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	uint32_t cell[16];
	imgsearch *s = scene_open(sc);
	add_pictures(s, sc, &r);
	ask(s, sc, &r);
	works(imgsearch_cancel_token_new(&call.cancel, &err));
	imgsearch_info *info;
	works(imgsearch_info_get(s, &call, &info, &err));
	imgsearch_info_free(info);
	imgsearch_close(s);
	read_queries(&r, sc);
	read_info(&r);
	read_others(&r);
	works(imgsearch_map_grid(r.map, 4, 4, &call, cell, 16, &err));
	imgsearch_cancel_token_set(call.cancel);
	assert_int_equal(imgsearch_map_grid(r.map, 4, 4, &call, cell, 16, NULL), IMGSEARCH_ECANCELED);
	imgsearch_cancel_token_free(call.cancel);
	imgsearch_index_update_report_free(r.update);
	imgsearch_build_report_free(r.build);
	imgsearch_hits_free(r.hits);
	imgsearch_answers_free(r.answers);
	imgsearch_item_free(r.item);
	imgsearch_info_free(r.info);
	imgsearch_network_free(r.network);
	imgsearch_check_report_free(r.check);
	imgsearch_groups_free(r.groups);
	imgsearch_map_free(r.map);
	imgsearch_image_free(r.image);
	imgsearch_bytes_free(r.bytes);
	imgsearch_eval_report_free(r.eval);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(results_outlive_their_handle, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
