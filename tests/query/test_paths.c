/* A picture is found by each of its paths, and every hit says where else it lies. */
#include "scene.h"

static char folder[200], elsewhere[200];

/* photos/{0..5}.png, copies/{0..4}.png of those, a link to 0.png in links/, mine/own.png. */
static imgsearch *with_copies(const scene *sc)
{
	for (unsigned i = 0; i < 6; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	shell("cd '%s' && mkdir copies links mine && cp photos/[0-4].png copies &&"
		  " ln photos/0.png links/0.png && ln -s ../copies/1.png links/1.png",
		sc->dir);
	snprintf(folder, sizeof folder, "%s/mine/own.png", sc->dir);
	draw(folder, 77);
	imgsearch *s = scene_open(sc);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	const char *names[] = { "photos", "copies", "links", "mine" };
	for (int i = 0; i < 4; i++) {
		const char *path = folder;
		snprintf(folder, sizeof folder, "%s/%s", sc->dir, names[i]);
		o.follow_links = 1;
		scene_update(s, &path, 1, &o);
	}
	scene_update(s, NULL, 0, &o);
	return s;
}

static imgsearch_query_options under(const scene *sc, const char *name, imgsearch_filter *filter)
{
	static const char *folders[1];
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	snprintf(folder, sizeof folder, "%s/%s", sc->dir, name);
	folders[0] = folder;
	*filter = (imgsearch_filter){ .struct_size = sizeof *filter,
		.folders = folders,
		.n_folders = 1 };
	o.filter = filter;
	o.k = 50;
	return o;
}

/* "path (= link) (copy) (another = copy) ...", paths below the scene's folder. */
static void is_hit(const imgsearch_hit *h, const scene *sc, const char *wanted)
{
	char text[600];
	size_t n = strlen(sc->dir) + 1;
	strcpy(text, h->path + n);
	for (size_t i = 0; h->paths && i < h->paths->count; i++) {
		const imgsearch_path *p = h->paths->items[i];
		bool link = p->same_file_path && !strcmp(p->same_file_path, h->path);
		strcat(strcat(text, link ? " (= " : " ("), p->path + n);
		if (p->same_file_path && !link)
			strcat(strcat(text, " = "), p->same_file_path + n);
		strcat(text, ")");
	}
	assert_string_equal(text, wanted);
	assert_true(!h->paths || h->paths->count);
}

static void queries_find_copies_in_a_folder(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	imgsearch_filter filter;
	imgsearch_hits *hits;
	imgsearch_input in = imgsearch_input_item(id_of(s, sc, "0.png"));
	static const struct {
		const char *name;
		size_t n;
		const char *first;
	} cases[] = {
		{ "copies", 5, "copies/0.png (links/0.png) (photos/0.png = links/0.png)" },
		{ "links", 2, "links/0.png (copies/0.png) (= photos/0.png)" },
		{ "photos", 6, "photos/0.png (= links/0.png) (copies/0.png)" },
		{ "mine", 1, "mine/own.png" },
		{ "", 7, "links/0.png (copies/0.png) (= photos/0.png)" },
		{ "cop", 0, NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imgsearch_query_options o = under(sc, cases[i].name, &filter);
		for (uint32_t fields = 0; fields <= IMGSEARCH_FIELDS_PATHS; fields++) {
			o.fields = fields;
			works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
			assert_int_equal(hits->count, cases[i].n);
			if (!hits->count || fields == IMGSEARCH_FIELDS_IDS)
				assert_true(!hits->count || !hits->items[0]->paths);
			else
				is_hit(hits->items[0], sc, cases[i].first);
			imgsearch_hits_free(hits);
		}
	}
	imgsearch_close(s);
}

static void ranges_and_batches_do(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	imgsearch_filter filter;
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	imgsearch_input in[2] = { imgsearch_input_item(id_of(s, sc, "1.png")),
		imgsearch_input_item(id_of(s, sc, "5.png")) };
	imgsearch_query_options o = under(sc, "links", &filter);
	works(imgsearch_range(s, in, 0.9999f, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 1);
	is_hit(hits->items[0], sc, "links/1.png (photos/1.png) (= copies/1.png)");
	imgsearch_hits_free(hits);
	works(imgsearch_range(s, &in[1], 0.9999f, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 0);
	imgsearch_hits_free(hits);
	o = under(sc, "copies", &filter);
	works(imgsearch_batch_query(s, in, 2, &o, NULL, &answers, &err));
	assert_int_equal(answers->items[0]->hits->count, 5);
	assert_int_equal(answers->items[1]->hits->count, 5);
	is_hit(answers->items[0]->hits->items[0], sc, "copies/1.png (photos/1.png) (= links/1.png)");
	imgsearch_answers_free(answers);
	imgsearch_close(s);
}

static void maps_and_ids_do(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	imgsearch_filter filter;
	imgsearch_map *map;
	imgsearch_hits *hits;
	imgsearch_map_options o = IMGSEARCH_INIT(imgsearch_map_options);
	imgsearch_query_options q = under(sc, "copies", &filter);
	int64_t ids[] = { id_of(s, sc, "2.png"), id_of(s, sc, "5.png") };
	imgsearch_input in = imgsearch_input_item(ids[0]);
	o.filter = &filter;
	works(imgsearch_map_compute(s, &o, NULL, &map, &err));
	assert_int_equal(map->count, 5);
	imgsearch_map_free(map);
	filter.ids = ids; /* both conditions hold */
	filter.n_ids = 2;
	works(imgsearch_query(s, &in, 1, &q, NULL, &hits, &err));
	assert_int_equal(hits->count, 1);
	is_hit(hits->items[0], sc, "copies/2.png (photos/2.png)");
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

/* Of items: whichever of the paths is asked for. */
static void items_list_their_paths(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	imgsearch_item *item;
	int64_t id;
	static const struct {
		const char *path;
		const char *paths[3], *link;
	} cases[] = {
		{ "photos/0.png", { "links/0.png", "copies/0.png" }, "links/0.png" },
		{ "copies/0.png", { "links/0.png", "photos/0.png" }, NULL },
		{ "links/0.png", { "copies/0.png", "photos/0.png" }, "photos/0.png" },
		{ "links/1.png", { "photos/1.png", "copies/1.png" }, "copies/1.png" },
		{ "photos/5.png", { NULL }, NULL },
	};
	size_t n = strlen(sc->dir) + 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(elsewhere, sizeof elsewhere, "%s/%s", sc->dir, cases[i].path);
		works(imgsearch_item_find(s, elsewhere, &id, &err));
		works(imgsearch_item_get(s, id, &item, &err));
		size_t k = 0;
		for (; cases[i].paths[k]; k++) {
			const imgsearch_path *p = item->paths->items[k];
			assert_string_equal(p->path + n, cases[i].paths[k]);
			bool link = cases[i].link && !strcmp(p->path + n, cases[i].link);
			assert_int_equal(p->same_file_path && !strcmp(p->same_file_path, item->path), link);
		}
		assert_int_equal(item->paths ? item->paths->count : 0, k);
		imgsearch_item_free(item);
	}
	imgsearch_close(s);
}

/* The counts and the answers stay right. */
static void the_twin_is_removed(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	imgsearch_filter filter;
	imgsearch_hits *hits;
	imgsearch_info *info;
	imgsearch_query_options o = under(sc, "copies", &filter);
	shell("rm '%s/photos/0.png' '%s/photos/2.png'", sc->dir, sc->dir);
	imgsearch_index_update_options u = IMGSEARCH_INIT(imgsearch_index_update_options);
	u.follow_links = 1;
	u.prune = 1;
	scene_counts c = scene_update(s, NULL, 0, &u);
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_true(info->counts->indexed == 7 && info->counts->duplicate == 4
		&& info->counts->link == 1 && info->vectors == 7);
	assert_true(c.indexed == 7 && c.duplicate == 4 && c.link == 1 && c.removed == 2);
	imgsearch_info_free(info);
	snprintf(elsewhere, sizeof elsewhere, "%s/copies/2.png", sc->dir);
	imgsearch_input in = imgsearch_input_file(elsewhere);
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 5);
	is_hit(hits->items[0], sc, "copies/2.png");
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

/* Paths that a handle has read are kept until another one commits. */
static void paths_follow_what_others_commit(void **state)
{
	scene *sc = *state;
	char from[220], to[220], moved[240];
	imgsearch *s = with_copies(sc), *other = scene_open(sc);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_hits *hits;
	o.fields = IMGSEARCH_FIELDS_PATHS;
	o.k = 50;
	int64_t own = id_of(s, sc, "5.png"), mine = 0;
	imgsearch_input in = imgsearch_input_item(own);
	for (int twice = 0; twice < 2; twice++) {
		works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
		assert_int_equal(hits->count, 7);
		is_hit(hits->items[0], sc, "photos/5.png");
		imgsearch_hits_free(hits);
	}
	snprintf(from, sizeof from, "%s/photos", sc->dir);
	snprintf(to, sizeof to, "%s/moved", sc->dir);
	assert_int_equal(rename(from, to), 0);
	works(imgsearch_root_move(other, from, to, NULL, &err));
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	snprintf(moved, sizeof moved, "%s/5.png", to);
	assert_string_equal(hits->items[0]->path, moved);
	for (size_t i = 0; i < hits->count; i++)
		if (strstr(hits->items[i]->path, "own.png"))
			mine = hits->items[i]->id;
	imgsearch_hits_free(hits);
	works(imgsearch_index_remove(other, &mine, 1, NULL, NULL, &err));
	works(imgsearch_query(s, &in, 1, &o, NULL, &hits, &err));
	assert_int_equal(hits->count, 6);
	for (size_t i = 0; i < hits->count; i++)
		assert_int_not_equal(hits->items[i]->id, mine);
	imgsearch_hits_free(hits);
	imgsearch_close(other);
	imgsearch_close(s);
}

int main(void)
{
#define PATHS(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		PATHS(queries_find_copies_in_a_folder),
		PATHS(ranges_and_batches_do),
		PATHS(maps_and_ids_do),
		PATHS(items_list_their_paths),
		PATHS(the_twin_is_removed),
		PATHS(paths_follow_what_others_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
