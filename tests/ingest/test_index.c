/*
 * imgsearch_index_update over real folders with the fake network: states, changes, moves, what is
 * gone, models.
 */
#include "handle/handle.h"
#include "scene.h"
#include "../records.h"

#include <fcntl.h>
#include <pthread.h>

static void every_path_is_in_one_state(void **state)
{
	scene *sc = *state;
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	photo(sc, "copy of a.png", 1);
	photo(sc, ".hidden.png", 3);
	shell("cd '%s' && echo text > notes.txt && : > empty.jpg && head -c 200 a.png > broken.png && "
		  "mkdir x.jpg && mkfifo pipe.png"
		  " && ln -s a.png link.png && mkdir .git @eaDir '$RECYCLE.BIN'",
		sc->photos);
	photo(sc, "x.jpg/c.png", 4);
	imgsearch *s = scene_open(sc);
	scene_counts c = scene_index(s, sc->photos);
	assert_int_equal(c.indexed, 3);
	assert_int_equal(c.duplicate, 1);
	assert_int_equal(c.unsupported, 2); /* notes.txt, pipe.png */
	assert_int_equal(c.damaged, 2);     /* empty.jpg, broken.png */
	assert_int_equal(c.excluded, 5);    /* .hidden.png, link.png, .git, @eaDir, $RECYCLE.BIN */
	assert_int_equal(c.added, c.seen);
	scene_counts again = scene_index(s, NULL);
	assert_int_equal(again.unchanged, again.seen);
	assert_int_equal(again.added, 0);
	assert_int_equal(again.seen, c.seen);
	imgsearch_close(s);
}

static imgsearch *two_indexed(scene *sc)
{
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	return s;
}

static void moved_files_keep_id_and_vector(void **state)
{
	scene *sc = *state;
	imgsearch *s = two_indexed(sc);
	int64_t a = id_of(s, sc, "a.png");
	shell("cd '%s' && mkdir sub && mv a.png sub/z.png", sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.moved, 1);
	assert_int_equal(c.removed, 0);
	assert_int_equal(id_of(s, sc, "sub/z.png"), a);
	assert_int_equal(id_of(s, sc, "a.png"), 0);
	imgsearch_close(s);
}

static void changed_files_are_read_again(void **state)
{
	scene *sc = *state;
	for (unsigned i = 0; i < 8; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	int64_t id = id_of(s, sc, "3.png");
	float before[48], after[48];
	imgsearch_input in = imgsearch_input_item(id);
	imgsearch_hits *hits;
	photo(sc, "3.png", 100);
	shell("touch -d '2030-01-01' '%s/3.png'", sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.unchanged, 7);
	assert_int_equal(id_of(s, sc, "3.png"), id);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, NULL), 0);
	assert_int_equal(hits->items[0]->id, id);
	imgsearch_hits_free(hits);
	char path[200];
	snprintf(path, sizeof path, "%s/3.png", sc->photos);
	in = imgsearch_input_file(path);
	assert_int_equal(imgsearch_extract(s, &in, 1, NULL, NULL, after, 48, NULL, NULL), 0);
	photo(sc, "other.png", 3);
	snprintf(path, sizeof path, "%s/other.png", sc->photos);
	assert_int_equal(imgsearch_extract(s, &in, 1, NULL, NULL, before, 48, NULL, NULL), 0);
	assert_memory_not_equal(before, after, sizeof before);
	imgsearch_close(s);
}

static void deleted_files_drop_out_but_not_a_third_of_them_at_once(void **state)
{
	scene *sc = *state;
	for (unsigned i = 0; i < 10; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	shell("rm '%s'/0.png '%s'/1.png", sc->photos, sc->photos);
	assert_int_equal(scene_index(s, NULL).removed, 2);
	shell("rm '%s'/[2-5].png", sc->photos);
	assert_int_equal(scene_index(s, NULL).removed, 0);
	imgsearch_index_update_options prune = IMGSEARCH_INIT(imgsearch_index_update_options);
	prune.prune = 1;
	assert_int_equal(scene_update(s, NULL, 0, &prune).removed, 4);
	imgsearch_close(s);
}

static void an_absent_or_emptied_root_is_offline(void **state)
{
	scene *sc = *state;
	imgsearch *s = two_indexed(sc);
	shell("mv '%s' '%s.away'", sc->photos, sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.offline, 2);
	assert_int_equal(c.removed, 0);
	shell("mkdir '%s'", sc->photos); /* the mount point without its disk */
	c = scene_index(s, sc->photos);
	assert_int_equal(c.offline, 2);
	shell("rmdir '%s' && mv '%s.away' '%s'", sc->photos, sc->photos, sc->photos);
	c = scene_index(s, NULL);
	assert_int_equal(c.unchanged, 2);
	assert_int_equal(c.offline, 0);
	imgsearch_close(s);
}

/* Every file keeps its own bytes and its own vector, whatever name it has now. */
static void exchanged_names_leave_no_wrong_twins(void **state)
{
	scene *sc = *state;
	for (unsigned i = 1; i <= 6; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	shell("cd '%s' && mv 1.png t && mv 2.png 1.png && mv t 2.png && mv 6.png t && mv 5.png 6.png "
		  "&& mv 4.png 5.png && mv 3.png 4.png"
		  " && mv t 3.png && touch *.png",
		sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.indexed, 6); /* as at the end of the run, not as each was met */
	assert_int_equal(c.duplicate, 0);
	c = scene_index(s, NULL);
	assert_int_equal(c.indexed, 6);
	assert_int_equal(c.unchanged, 6);
	for (unsigned i = 1; i <= 6; i++) {
		char path[200];
		imgsearch_hits *hits;
		imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
		snprintf(path, sizeof path, "%s/%u.png", sc->photos, i);
		imgsearch_input in = imgsearch_input_file(path);
		float v[48];
		assert_int_equal(imgsearch_extract(s, &in, 1, NULL, NULL, v, 48, NULL, NULL), 0);
		in = imgsearch_input_vector(v, 48);
		assert_int_equal(imgsearch_query(s, &in, 1, &o, NULL, &hits, NULL), 0);
		assert_string_equal(hits->items[0]->path, path);
		assert_true(hits->items[0]->score > 0.9999f);
		imgsearch_hits_free(hits);
	}
	imgsearch_close(s);
}

static void nested_roots_are_found(void **state)
{
	scene *sc = *state;
	char inner[200];
	shell("mkdir '%s/in'", sc->photos);
	photo(sc, "in/a.png", 1);
	photo(sc, "b.png", 2);
	snprintf(inner, sizeof inner, "%s/in", sc->photos);
	imgsearch *s = scene_open(sc);
	scene_index(s, inner);
	scene_index(s, sc->photos);
	assert_true(id_of(s, sc, "in/a.png") > 0);
	assert_true(id_of(s, sc, "b.png") > 0);
	assert_int_equal(id_of(s, sc, "c.png"), 0);
	imgsearch_close(s);
}

/* A path that is named twice, or within another one, is met once. */
static void overlapping_paths_are_walked_once(void **state)
{
	scene *sc = *state;
	char sub[200], file[200];
	snprintf(sub, sizeof sub, "%s/sub", sc->photos);
	snprintf(file, sizeof file, "%s/sub/b.png", sc->photos);
	mkdir(sub, 0777);
	photo(sc, "a.png", 1);
	photo(sc, "sub/b.png", 2);
	photo(sc, "sub/c.png", 3);
	const char *const paths[] = { file, sub, sc->photos, sub, file, sc->photos };
	imgsearch *s = scene_open(sc);
	for (size_t from = 0; from < 3; from++) {
		scene_counts c = scene_update(s, paths + from, 6 - from, NULL);
		assert_int_equal(c.seen, 3);
		assert_int_equal(c.indexed, 3);
		assert_int_equal(c.duplicate, 0);
	}
	imgsearch_close(s);
}

static void a_twin_inherits_when_the_first_goes(void **state)
{
	scene *sc = *state;
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 1);
	for (unsigned i = 2; i < 9; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u.png", i);
		photo(sc, name, i);
	}
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).duplicate, 1);
	shell("rm '%s/a.png'", sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.removed, 1);
	imgsearch_input in = imgsearch_input_item(id_of(s, sc, "b.png"));
	imgsearch_hits *hits;
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, NULL), 0);
	assert_non_null(strstr(hits->items[0]->path, "/b.png"));
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}

static void bad_files_are_remembered_until_they_change(void **state)
{
	scene *sc = *state;
	photo(sc, "a.png", 1);
	shell("cd '%s' && head -c 100 a.png > bad.png", sc->photos);
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, sc->photos).damaged, 1);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.damaged, 1);
	assert_int_equal(c.unchanged, 2);
	photo(sc, "bad.png", 7);
	c = scene_index(s, NULL);
	assert_int_equal(c.damaged, 0);
	assert_int_equal(c.indexed, 2);
	imgsearch_close(s);
}

static void files_excluded_by_rules_say_which(void **state)
{
	scene *sc = *state;
	photo(sc, "a.png", 1);
	photo(sc, "raw_b.png", 2);
	shell("cd '%s' && mkdir out keep && printf 'out/\\n!keep.png\\n*.tmp.png\\n' > "
		  ".imgsearchignore",
		sc->photos);
	photo(sc, "out/c.png", 3);
	photo(sc, "keep/d.tmp.png", 4);
	const char *exclude[] = { "raw_*" }, *paths[] = { sc->photos };
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.exclude = exclude;
	o.n_exclude = 1;
	imgsearch *s = scene_open(sc);
	scene_counts c = scene_update(s, paths, 1, &o);
	assert_int_equal(c.indexed, 1);
	assert_int_equal(c.excluded, 4); /* raw_b.png, out/, d.tmp.png, .imgsearchignore */
	imgsearch_close(s);
}

static void an_unreadable_folder_keeps_its_pictures(void **state)
{
	scene *sc = *state;
	if (geteuid() == 0) /* root reads everything */
		skip();
	photo(sc, "a.png", 1);
	shell("mkdir '%s/sub'", sc->photos);
	photo(sc, "sub/b.png", 2);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	shell("chmod 0 '%s/sub'", sc->photos);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.unreadable, 1);
	assert_int_equal(c.removed, 0);
	assert_true(id_of(s, sc, "sub/b.png") > 0);
	imgsearch_close(s);
}

static void single_files_need_no_root(void **state)
{
	scene *sc = *state;
	char path[200];
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	imgsearch *s = scene_open(sc);
	scene_counts c = scene_index(s, path);
	assert_int_equal(c.indexed, 1);
	assert_int_equal(c.seen, 1);
	unlink(path);
	c = scene_index(s, NULL);
	assert_int_equal(c.removed, 1);
	imgsearch_close(s);
}

static uint32_t state_of(imgsearch *s, int64_t id)
{
	imgsearch_item *item;
	imgsearch_error err;
	assert_int_equal(imgsearch_item_get(s, id, &item, &err), 0);
	uint32_t state = item->state;
	imgsearch_item_free(item);
	return state;
}

/* Named before its folder, a file is a part of the folder's root from then on, with its id. */
static void single_files_join_a_root_around_them(void **state)
{
	scene *sc = *state;
	char path[200], hidden[200];
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	photo(sc, ".c.png", 3);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	snprintf(hidden, sizeof hidden, "%s/.c.png", sc->photos);
	imgsearch *s = scene_open(sc);
	imgsearch_error err;
	const float v[48] = { 1 };
	const char *name = "/own/vector";
	int64_t own = 0;
	imgsearch_input in = imgsearch_input_vector(v, 48);
	const char *const both[] = { path, hidden };
	assert_int_equal(scene_update(s, both, 2, NULL).indexed, 2);
	assert_int_equal(imgsearch_index_add(s, &in, NAMED(name), NULL, &own, &err), 0);
	int64_t a = id_of(s, sc, "a.png"), c = id_of(s, sc, ".c.png");
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.duplicate, 0);
	assert_int_equal(n.added, 1); /* b.png; the walk passes over .c.png, which is known */
	assert_int_equal(id_of(s, sc, "a.png"), a);
	assert_int_equal(state_of(s, c), IMGSEARCH_STATE_INDEXED);
	n = scene_index(s, NULL);
	assert_int_equal(n.added, 0);
	assert_int_equal(n.duplicate, 0);
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, own, &item, &err), 0);
	assert_string_equal(item->path, name);
	imgsearch_item_free(item);
	assert_int_equal(state_of(s, c), IMGSEARCH_STATE_INDEXED);
	imgsearch_close(s);
}

/* As versions before left it: one path in the root and by itself. */
static void a_path_that_is_there_twice_is_repaired(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	char path[200];
	imgsearch *s = two_indexed(sc);
	int64_t a = id_of(s, sc, "a.png");
	store_picture single;
	assert_int_equal(ims_store_picture_get(s->store, a, &single, &err), 0);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	store_picture twice = single;
	twice.id = 0;
	twice.root = 0;
	twice.path = path;
	twice.state = IMGSEARCH_STATE_DUPLICATE;
	twice.same_as = a;
	assert_int_equal(ims_handle_write_begin(s, NULL, &err), 0);
	assert_int_equal(ims_store_tx_begin(s->store, &err), 0);
	assert_int_equal(put_row(s->store, &twice, &err), 0);
	assert_int_equal(ims_handle_tx_end(s, 0, &err), 0);
	ims_handle_write_end(s);
	ims_store_picture_clear(&single);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.seen, 2);
	imgsearch_info *info;
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->counts->duplicate, 0);
	assert_int_equal(info->counts->indexed, 2);
	imgsearch_info_free(info);
	assert_int_equal(id_of(s, sc, "a.png"), a);
	imgsearch_close(s);
}

static void an_index_inside_its_root_moves_with_it(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_hits *hits;
	imgsearch *s;
	char db[200];
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	shell("mkdir '%s/.imgsearch'", sc->photos);
	snprintf(db, sizeof db, "%s/.imgsearch/index.db", sc->photos);
	assert_int_equal(imgsearch_open(db, NULL, NULL, &s, &err), 0);
	scene_index(s, sc->photos);
	imgsearch_close(s);
	shell("mv '%s' '%s/elsewhere'", sc->photos, sc->dir);
	snprintf(db, sizeof db, "%s/elsewhere/.imgsearch/index.db", sc->dir);
	assert_int_equal(imgsearch_open(db, NULL, NULL, &s, &err), 0);
	imgsearch_input in = imgsearch_input_item(2);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	assert_non_null(strstr(hits->items[0]->path, "/elsewhere/"));
	assert_int_equal(access(hits->items[0]->path, R_OK), 0);
	imgsearch_hits_free(hits);
	scene_counts c = scene_index(s, NULL);
	assert_int_equal(c.indexed, 2);
	assert_int_equal(c.added + c.removed + c.moved, 0);
	imgsearch_close(s);
}

static void another_recipe_indexes_anew_and_switches_at_the_end(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_info *info;
	imgsearch *s = two_indexed(sc);
	imgsearch_close(s);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = 40 };
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	char path[200];
	snprintf(path, sizeof path, "%s/new.png", sc->dir);
	draw(path, 9);
	imgsearch_input in = imgsearch_input_file(path);
	imgsearch_hits *hits;
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), IMGSEARCH_EMODEL);
	assert_null(hits);
	scene_index(s, NULL);
	assert_int_equal(imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err), 0);
	assert_int_equal(hits->count, 2);
	imgsearch_hits_free(hits);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->recipe->crop, 40);
	assert_int_equal(info->vectors, 2);
	imgsearch_info_free(info);
	imgsearch_close(s);
	s = scene_open(sc); /* without options the index says which recipe */
	assert_int_equal(scene_index(s, NULL).unchanged, 2);
	imgsearch_close(s);
}

/* The report of a run by a recipe of that crop. */
static imgsearch_index_update_report *run_by_crop(const scene *sc, uint32_t crop)
{
	imgsearch_index_update_report *r;
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = crop };
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	works(imgsearch_index_update(s, NULL, 0, NULL, NULL, &r, &err));
	imgsearch_close(s);
	return r;
}

/* Also of files whose inode changed, so that their bytes are compared. */
static void features_made_anew_are_counted(void **state)
{
	scene *sc = *state;
	imgsearch_close(two_indexed(sc));
	shell("mv '%s' '%s/photos2' && cp -rp '%s/photos2' '%s'", sc->photos, sc->dir, sc->dir,
		sc->photos);
	imgsearch_index_update_report *r = run_by_crop(sc, 40);
	assert_int_equal(r->remade, 2);
	assert_int_equal(r->unchanged, 2);
	imgsearch_index_update_report_free(r);
	r = run_by_crop(sc, 40);
	assert_int_equal(r->remade, 0);
	assert_int_equal(r->unchanged, 2);
	imgsearch_index_update_report_free(r);
	r = run_by_crop(sc, 36);
	assert_int_equal(r->remade, 2);
	imgsearch_index_update_report_free(r);
}

static void a_reindex_is_given_up_by_wishing_the_old_recipe(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch_info *info;
	imgsearch *s = two_indexed(sc);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_null(info->reindex);
	imgsearch_recipe old = *info->recipe;
	imgsearch_info_free(info);
	imgsearch_close(s);
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.recipe = &(imgsearch_recipe){ .struct_size = sizeof *o.recipe, .resize = 40, .crop = 40 };
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	shell("mv '%s' '%s/away'", sc->photos, sc->dir); /* so that it cannot end */
	scene_index(s, NULL);
	shell("mv '%s/away' '%s'", sc->dir, sc->photos);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_non_null(info->reindex);
	assert_string_equal(info->reindex->model, info->model);
	assert_int_equal(info->reindex->recipe->crop, 40);
	assert_int_equal(info->reindex->done, 0);
	assert_int_equal(info->reindex->total, 2);
	imgsearch_info_free(info);
	imgsearch_close(s);
	o.recipe = &old;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	assert_int_equal(scene_index(s, NULL).unchanged, 2);
	imgsearch_close(s);
	s = scene_open(sc);
	assert_int_equal(scene_index(s, NULL).unchanged, 2);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_null(info->reindex);
	assert_int_equal(info->recipe->crop, old.crop);
	imgsearch_info_free(info);
	imgsearch_close(s);
}

static void a_new_index_by_a_model_that_is_none_is_not_made(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.model = "nosuch";
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), IMGSEARCH_EMODEL);
	assert_non_null(strstr(err.message, "nosuch"));
	assert_null(s);
	shell("[ -z \"$(ls '%s' | grep -v photos)\" ]", sc->dir);
	imgsearch_close(scene_open(sc));
	/* which model, matters to pictures only */
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	imgsearch_close(s);
}

static imgsearch *at_work;
static atomic_int runs;

static void cancel_at_tenth_run(size_t n)
{
	(void)n;
	if (atomic_fetch_add(&runs, 1) + 1 == 10)
		imgsearch_cancel(at_work);
}

static void a_cancel_keeps_what_was_done(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	char path[200];
	const char *paths[] = { sc->photos };
	for (unsigned i = 0; i < 300; i++) {
		char name[20];
		snprintf(name, sizeof name, "%03u.png", i);
		photo(sc, name, i);
	}
	snprintf(path, sizeof path, "%s/first.png", sc->dir);
	draw(path, 1000);
	imgsearch *s = scene_open(sc);
	assert_int_equal(scene_index(s, path).indexed, 1); /* the network is loaded */
	at_work = s;
	atomic_store(&runs, 0);
	scene_on_run(cancel_at_tenth_run);
	assert_int_equal(imgsearch_index_update(s, paths, 1, NULL, NULL, NULL, &err),
		IMGSEARCH_ECANCELED);
	scene_on_run(NULL);
	imgsearch_close(s);
	s = scene_open(sc);
	scene_counts c = scene_index(s, sc->photos);
	assert_int_equal(c.indexed, 300);
	assert_in_range(c.unchanged, 1, 299); /* of the nine runs before, three at a time */
	imgsearch_close(s);
}

static void a_second_writer_is_told_so(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	photo(sc, "a.png", 1);
	imgsearch *s = scene_open(sc), *t = scene_open(sc);
	float v[48] = { 1 };
	imgsearch_input in = imgsearch_input_vector(v, 48);
	scene_index(s, sc->photos);
	assert_int_equal(ims_handle_write_begin(s, NULL, &err), 0);
	assert_int_equal(imgsearch_index_add(t, &in, NAMED("x"), NULL, NULL, &err), IMGSEARCH_EBUSY);
	assert_non_null(strstr(err.message, "another program is writing"));
	ims_handle_write_end(s);
	assert_int_equal(imgsearch_index_add(t, &in, NAMED("x"), NULL, NULL, &err), 0);
	imgsearch_close(s);
	imgsearch_close(t);
}

static void a_csv_gives_titles(void **state)
{
	scene *sc = *state;
	imgsearch_error err;
	char csv[200];
	photo(sc, "a.png", 1);
	photo(sc, "b.png", 2);
	snprintf(csv, sizeof csv, "%s/t.csv", sc->dir);
	shell("printf 'file,title,artist\\r\\na.png,\"A \"\"first\"\", "
		  "one\",\"multi\\nline\"\\r\\nnone.png,x,y\\r\\nphotos/b.png,,B\\r\\n' > '%s'",
		csv);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.csv = csv;
	const char *paths[] = { sc->photos };
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_index_update(s, paths, 1, &o, NULL, NULL, &err), 0);
	imgsearch_item *item;
	assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "a.png"), &item, &err), 0);
	assert_string_equal(item->title, "A \"first\", one");
	assert_int_equal(item->columns->count, 3);
	assert_string_equal(item->columns->items[2]->value, "multi\nline");
	imgsearch_item_free(item);
	assert_int_equal(imgsearch_item_get(s, id_of(s, sc, "b.png"), &item, &err), 0);
	assert_null(item->title);
	assert_string_equal(item->columns->items[2]->value, "B");
	imgsearch_item_free(item);
	o.csv_key = "picture";
	assert_int_equal(imgsearch_index_update(s, paths, 1, &o, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_non_null(strstr(err.message, "\"picture\""));
	o.csv_key = NULL;
	shell("printf 'file,title\\na.png,\"open\\n' > '%s'", csv);
	assert_int_equal(imgsearch_index_update(s, paths, 1, &o, NULL, NULL, &err), IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, "line 2"));
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_path_is_in_one_state),
		TEST(moved_files_keep_id_and_vector),
		TEST(changed_files_are_read_again),
		TEST(deleted_files_drop_out_but_not_a_third_of_them_at_once),
		TEST(an_absent_or_emptied_root_is_offline),
		TEST(overlapping_paths_are_walked_once),
		TEST(a_twin_inherits_when_the_first_goes),
		TEST(exchanged_names_leave_no_wrong_twins),
		TEST(nested_roots_are_found),
		TEST(bad_files_are_remembered_until_they_change),
		TEST(files_excluded_by_rules_say_which),
		TEST(an_unreadable_folder_keeps_its_pictures),
		TEST(single_files_need_no_root),
		TEST(single_files_join_a_root_around_them),
		TEST(a_path_that_is_there_twice_is_repaired),
		TEST(an_index_inside_its_root_moves_with_it),
		TEST(a_new_index_by_a_model_that_is_none_is_not_made),
		TEST(another_recipe_indexes_anew_and_switches_at_the_end),
		TEST(features_made_anew_are_counted),
		TEST(a_reindex_is_given_up_by_wishing_the_old_recipe),
		TEST(a_cancel_keeps_what_was_done),
		TEST(a_second_writer_is_told_so),
		TEST(a_csv_gives_titles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
