/*
 * Files with several names: what an index run makes of hard links, symbolic links and mounts,
 * beside true copies.
 */
#include "scene.h"

#include <sqlite3.h>

/* ----------------------------------------------------------------------------------- tools ---- */

typedef struct listing {
	imgsearch *s;
	const char *dir;
	char text[3000];
} listing;

static const char *below(const char *dir, const char *path)
{
	size_t n = strlen(dir);
	return strncmp(path, dir, n) ? path : path + n + 1;
}

/* "path", "path copy" or "path = file" */
static int list_one(void *user, const imgsearch_item *i)
{
	listing *l = user;
	imgsearch_item *file = NULL;
	char line[300];
	const char *path = below(l->dir, i->path);
	if (i->state == IMGSEARCH_STATE_LINK) {
		works(imgsearch_item_get(l->s, i->same_file, &file, &err));
		assert_string_equal(file->path, i->same_file_path);
		assert_int_equal(file->same_as ? file->same_as : file->id, i->same_as);
		assert_true(
			file->state == IMGSEARCH_STATE_INDEXED || file->state == IMGSEARCH_STATE_DUPLICATE);
		snprintf(line, sizeof line, "%s = %s\n", path, below(l->dir, file->path));
	} else {
		assert_int_equal(i->same_file, 0);
		snprintf(line, sizeof line, "%s%s\n", path,
			i->state == IMGSEARCH_STATE_INDEXED         ? ""
				: i->state == IMGSEARCH_STATE_DUPLICATE ? " copy"
														: " out");
	}
	strcat(l->text, line);
	imgsearch_item_free(file);
	return 0;
}

static void check_file(imgsearch *s)
{
	imgsearch_check_report *report;
	works(imgsearch_check(s, NULL, NULL, &report, &err));
	assert_int_equal(report->problems, 0);
	imgsearch_check_report_free(report);
}

/* The index holds these paths, its tables agree, and its counts are those of the list. */
static void holds(imgsearch *s, const scene *sc, const char *wanted)
{
	imgsearch_info *info;
	listing l = { .s = s, .dir = sc->dir };
	uint64_t indexed = 0, copies = 0, links = 0;
	assert_int_equal(imgsearch_item_each(s, 0, list_one, &l, NULL, NULL), 0);
	assert_string_equal(l.text, wanted);
	for (char *line = strtok(l.text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strstr(line, " = "))
			links++;
		else if (strstr(line, " copy"))
			copies++;
		else if (!strstr(line, " out"))
			indexed++;
	}
	works(imgsearch_info_get(s, NULL, &info, &err));
	assert_int_equal(info->counts->indexed, indexed);
	assert_int_equal(info->counts->duplicate, copies);
	assert_int_equal(info->counts->link, links);
	assert_int_equal(info->vectors, indexed);
	imgsearch_info_free(info);
	check_file(s);
}

static int64_t id_at(imgsearch *s, const scene *sc, const char *path)
{
	char full[300];
	int64_t id;
	snprintf(full, sizeof full, "%s/%s", sc->dir, path);
	works(imgsearch_item_find(s, full, &id, &err));
	return id;
}

/* A run over one path below the scene's folder (NULL: all roots) that follows links. */
static scene_counts follow(imgsearch *s, const scene *sc, const char *path)
{
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	char full[300];
	const char *paths[] = { full };
	snprintf(full, sizeof full, "%s/%s", sc->dir, path ? path : "");
	o.follow_links = 1;
	o.prune = 1;
	return scene_update(s, paths, path ? 1 : 0, &o);
}

static void in(const scene *sc, const char *command)
{
	shell("cd '%s' && { %s; }", sc->dir, command);
}

/* The groups of equal bytes: "a b | c d (= e)" */
static void copies_are(imgsearch *s, const scene *sc, const char *under, const char *wanted)
{
	imgsearch_groups *list;
	imgsearch_groups_options o = IMGSEARCH_INIT(imgsearch_groups_options);
	char text[1000] = "", full[300];
	snprintf(full, sizeof full, "%s/%s", sc->dir, under ? under : "");
	o.kinds = 1u << IMGSEARCH_SAMENESS_BYTES;
	o.filter = under ? BELOW(full) : NULL;
	works(imgsearch_groups_find(s, &o, NULL, &list, &err));
	for (size_t g = 0; g < list->count; g++) {
		const imgsearch_group *group = list->items[g];
		strcat(text, g ? "| " : "");
		for (size_t i = 0; i < group->count; i++) {
			imgsearch_item *item;
			works(imgsearch_item_get(s, group->items[i], &item, &err));
			strcat(strcat(text, below(sc->dir, item->path)), " ");
			imgsearch_item_free(item);
			for (size_t k = 0; group->links && k < group->links->count; k++) {
				const imgsearch_link *link = group->links->items[k];
				if (link->same_file == group->items[i]) {
					works(imgsearch_item_get(s, link->id, &item, &err));
					assert_string_equal(item->path, link->path);
					strcat(strcat(strcat(text, "(= "), below(sc->dir, item->path)), ") ");
					imgsearch_item_free(item);
				}
			}
		}
	}
	assert_string_equal(text, wanted);
	imgsearch_groups_free(list);
}

/* ----------------------------------------------------------------------------------- links ---- */

static void links_are_names_of_what_they_lead_to(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	photo(sc, "n.png", 2);
	in(sc,
		"cd photos && mkdir a z real && ln -s ../m.png a/1.png && ln -s ../m.png z/1.png &&"
		" cp n.png real && ln -s real before && ln -s real zz && ln -s none dangling.png &&"
		" ln -s loop.png loop.png && ln -s .. real/up");
	scene_counts c = follow(s, sc, "photos");
	holds(s, sc,
		"photos/a/1.png = photos/m.png\n"
		"photos/before out\n" /* entered by its real path */
		"photos/dangling.png out\n"
		"photos/loop.png out\n"
		"photos/m.png\n"
		"photos/n.png\n"
		"photos/real/n.png copy\n"
		"photos/real/up out\n"
		"photos/z/1.png = photos/m.png\n"
		"photos/zz out\n");
	assert_true(c.indexed == 2 && c.duplicate == 1 && c.link == 2);
	copies_are(s, sc, NULL, "photos/n.png photos/real/n.png ");
	c = follow(s, sc, NULL);
	assert_true(c.indexed == 2 && c.duplicate == 1 && c.link == 2);
	assert_true(c.unchanged == c.seen && !c.added && !c.moved && !c.removed);
	imgsearch_close(s);
}

static void the_first_of_hard_links_is_the_picture(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cd photos && ln m.png z.png && cp m.png copy.png && ln copy.png copy2.png");
	scene_index(s, sc->photos);
	holds(s, sc,
		"photos/copy.png\nphotos/copy2.png = photos/copy.png\n"
		"photos/m.png copy\nphotos/z.png = photos/m.png\n");
	copies_are(s, sc, NULL, "photos/copy.png (= photos/copy2.png) photos/m.png (= photos/z.png) ");
	int64_t id = id_at(s, sc, "photos/copy.png"), other = id_at(s, sc, "photos/m.png");
	in(sc, "cd photos && ln copy.png a.png && ln m.png b.png && ln -s m.png 0.png");
	scene_counts c = follow(s, sc, "photos");
	assert_true(c.indexed == 1 && c.duplicate == 1 && c.link == 5);
	holds(s, sc,
		"photos/0.png = photos/b.png\nphotos/a.png\nphotos/b.png copy\n"
		"photos/copy.png = photos/a.png\nphotos/copy2.png = photos/a.png\n"
		"photos/m.png = photos/b.png\nphotos/z.png = photos/b.png\n");
	assert_int_equal(id_at(s, sc, "photos/a.png"), id); /* the vector stays with the content */
	assert_int_equal(id_at(s, sc, "photos/m.png"), other);
	imgsearch_close(s);
}

/* An index of before knows links as duplicates, the link first. */
static void an_older_index_is_put_right(void **state)
{
	scene *sc = *state;
	sqlite3 *db;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "mkdir photos/a && cp photos/m.png photos/a/1.png");
	scene_index(s, sc->photos);
	holds(s, sc, "photos/a/1.png\nphotos/m.png copy\n");
	int64_t id = id_at(s, sc, "photos/a/1.png");
	in(sc, "ln -sf ../m.png photos/a/1.png");
	assert_int_equal(sqlite3_open(sc->db, &db), SQLITE_OK); /* a file system without ctime */
	assert_int_equal(sqlite3_exec(db, "UPDATE picture SET ctime_seconds = NULL", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	copies_are(s, sc, NULL, ""); /* the files say that they are one */
	follow(s, sc, NULL);
	holds(s, sc, "photos/a/1.png = photos/m.png\nphotos/m.png\n");
	assert_int_equal(id_at(s, sc, "photos/m.png"), id);
	imgsearch_close(s);
}

static void roots_meet(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	photo(sc, "n.png", 2);
	in(sc,
		"mkdir a && ln -s ../photos a/all && ln -s ../photos/m.png a/m.png && mkdir z &&"
		" ln photos/n.png z/n.png");
	follow(s, sc, "a"); /* the real files lie outside */
	holds(s, sc, "a/all/m.png\na/all/n.png\na/m.png = a/all/m.png\n");
	int64_t id = id_at(s, sc, "a/all/m.png");
	follow(s, sc, "photos"); /* the walk does not see a, but new paths lead to its files */
	holds(s, sc,
		"a/all/m.png = photos/m.png\na/all/n.png = photos/n.png\na/m.png = photos/m.png\n"
		"photos/m.png\nphotos/n.png\n");
	copies_are(s, sc, NULL, "");
	follow(s, sc, "z");
	follow(s, sc, NULL);
	holds(s, sc,
		"a/all/m.png = photos/m.png\na/all/n.png = photos/n.png\na/m.png = photos/m.png\n"
		"photos/m.png\nphotos/n.png\nz/n.png = photos/n.png\n");
	assert_int_equal(id_at(s, sc, "photos/m.png"), id);
	/* offline: kept, and back again */
	in(sc, "mv photos away");
	follow(s, sc, "z");
	holds(s, sc,
		"a/all/m.png = photos/m.png\na/all/n.png = photos/n.png\na/m.png = photos/m.png\n"
		"photos/m.png\nphotos/n.png\nz/n.png = photos/n.png\n");
	in(sc, "touch -d 2001-01-01 z/n.png"); /* read again, alone: equal bytes */
	follow(s, sc, "z");
	holds(s, sc,
		"a/all/m.png = photos/m.png\na/all/n.png = photos/n.png\na/m.png = photos/m.png\n"
		"photos/m.png\nphotos/n.png\nz/n.png = photos/n.png\n");
	in(sc, "mv away photos");
	follow(s, sc, NULL);
	holds(s, sc,
		"a/all/m.png = photos/m.png\na/all/n.png = photos/n.png\na/m.png = photos/m.png\n"
		"photos/m.png\nphotos/n.png\nz/n.png = photos/n.png\n");
	imgsearch_close(s);
}

/* A run over a new path finds the others of its file, wherever they lie. */
static void a_new_path_of_a_known_file(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	photo(sc, "n.png", 2);
	in(sc,
		"mkdir a b c && ln -s ../photos/m.png a/m.png && ln photos/n.png b/n.png &&"
		" cp -p photos/n.png c/n.png");
	follow(s, sc, "a");
	follow(s, sc, "b");
	follow(s, sc, "c"); /* a true copy stays one */
	holds(s, sc, "a/m.png\nb/n.png\nc/n.png copy\n");
	int64_t id = id_at(s, sc, "a/m.png");
	scene_counts c = follow(s, sc, "photos/m.png"); /* a file alone */
	assert_int_equal(c.indexed, 1);
	assert_int_equal(c.duplicate, 0);
	holds(s, sc, "photos/m.png\na/m.png = photos/m.png\nb/n.png\nc/n.png copy\n");
	assert_int_equal(id_at(s, sc, "photos/m.png"), id);
	c = follow(s, sc, "photos");
	assert_int_equal(c.indexed, 1);
	assert_int_equal(c.link, 1);
	holds(s, sc,
		"a/m.png = photos/m.png\nb/n.png\nc/n.png copy\nphotos/m.png\nphotos/n.png = b/n.png\n");
	in(sc, "mkdir d && ln c/n.png d/n.png && ln -s ../c/n.png d/also.png"); /* of a copy */
	follow(s, sc, "d");
	holds(s, sc,
		"a/m.png = photos/m.png\nb/n.png\nc/n.png copy\nd/also.png = c/n.png\n"
		"d/n.png = c/n.png\nphotos/m.png\nphotos/n.png = b/n.png\n");
	in(sc, "mv c away && mkdir e && cp -p away/n.png e/n.png"); /* of one that is away */
	follow(s, sc, "e");
	holds(s, sc,
		"a/m.png = photos/m.png\nb/n.png\nc/n.png copy\nd/also.png = c/n.png\n"
		"d/n.png = c/n.png\ne/n.png copy\nphotos/m.png\nphotos/n.png = b/n.png\n");
	imgsearch_close(s);
}

/* The bytes of a known path become those of another file, or a link to it. */
static void a_known_path_leads_elsewhere(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "mkdir a");
	photo(sc, "../a/m.png", 2);
	scene_index(s, sc->photos);
	follow(s, sc, "a");
	holds(s, sc, "a/m.png\nphotos/m.png\n");
	in(sc, "ln -f photos/m.png a/m.png");
	follow(s, sc, "a");
	holds(s, sc, "a/m.png\nphotos/m.png = a/m.png\n");
	imgsearch_close(s);
}

/* A copy that came before its picture changed takes its place, and is counted so. */
static void a_copy_takes_the_place_of_a_picture(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	photo(sc, "n.png", 3);
	in(sc, "mkdir a && mv photos/n.png a");
	follow(s, sc, "a");
	follow(s, sc, "photos");
	in(sc, "cp photos/m.png a");
	photo(sc, "m.png", 2);
	scene_counts c = follow(s, sc, NULL);
	assert_int_equal(c.indexed, 3);
	assert_int_equal(c.duplicate, 0);
	holds(s, sc, "a/m.png\na/n.png\nphotos/m.png\n");
	imgsearch_close(s);
}

/* A root that became another way to the same folder, as a mount is. */
static void two_roots_reach_one_folder(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cp -r photos also && cp -r photos third");
	scene_index(s, sc->photos);
	char also[200];
	snprintf(also, sizeof also, "%s/also", sc->dir);
	scene_index(s, also);
	holds(s, sc, "also/m.png copy\nphotos/m.png\n");
	in(sc, "rm -r also && ln -s photos also");
	copies_are(s, sc, NULL, "");
	scene_index(s, NULL);
	holds(s, sc, "also/m.png = photos/m.png\nphotos/m.png\n");
	in(sc, "rm also && mv third also"); /* true copies again */
	copies_are(s, sc, NULL, "photos/m.png also/m.png ");
	scene_index(s, NULL);
	holds(s, sc, "also/m.png copy\nphotos/m.png\n");
	imgsearch_close(s);
}

/* ----------------------------------------------------------------------- what changes then ---- */

static void a_link_becomes_a_copy(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cd photos && ln -s m.png l.png && ln m.png n.png && ln m.png o.png");
	follow(s, sc, "photos");
	holds(s, sc,
		"photos/l.png = photos/m.png\nphotos/m.png\nphotos/n.png = photos/m.png\n"
		"photos/o.png = photos/m.png\n");
	in(sc, "cd photos && cp -p m.png c && mv c l.png && cp -p m.png c && mv c m.png");
	copies_are(s, sc, NULL,
		"photos/m.png photos/n.png (= photos/o.png) photos/l.png "); /* by their ids */
	follow(s, sc, "photos");
	holds(s, sc,
		"photos/l.png copy\nphotos/m.png\nphotos/n.png copy\n"
		"photos/o.png = photos/n.png\n");
	imgsearch_close(s);
}

static void content_changes_through_one_name(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	photo(sc, "other.png", 2);
	in(sc, "cd photos && ln m.png n.png && ln -s m.png s.png && cp m.png copy.png");
	follow(s, sc, "photos");
	in(sc, "cat photos/other.png >photos/n.png");
	follow(s, sc, "photos");
	holds(s, sc,
		"photos/copy.png\nphotos/m.png copy\nphotos/n.png = photos/m.png\n"
		"photos/other.png\nphotos/s.png = photos/m.png\n");
	imgsearch_close(s);
}

static void the_picture_goes_and_a_name_stays(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cd photos && ln m.png z.png && ln -s m.png a.png");
	follow(s, sc, "photos");
	in(sc, "rm photos/m.png");
	scene_counts c = follow(s, sc, NULL); /* no network: z.png is known */
	assert_true(c.removed == 1 && c.indexed == 1 && !c.link && !c.added);
	holds(s, sc, "photos/a.png out\nphotos/z.png\n");
	in(sc, "mv photos/z.png photos/m.png");
	c = follow(s, sc, NULL);
	assert_true(c.moved == 1 && c.indexed == 1 && c.link == 1);
	holds(s, sc, "photos/a.png = photos/m.png\nphotos/m.png\n");
	imgsearch_close(s);
}

/* A run over one or two folders of the scene, without the option prune. */
static void refresh(imgsearch *s, const scene *sc, const char *first, const char *second)
{
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	char full[2][300];
	const char *paths[] = { full[0], full[1] };
	snprintf(full[0], sizeof full[0], "%s/%s", sc->dir, first);
	snprintf(full[1], sizeof full[1], "%s/%s", sc->dir, second ? second : "");
	o.follow_links = 1;
	scene_update(s, paths, second ? 2 : 1, &o);
}

/* r1/d/a.png is r2/h.png, and r2/dl leads to r1/d, which holds another picture where `more`. */
static imgsearch *two_roots(const scene *sc, bool other_first, bool more)
{
	imgsearch *s = scene_open(sc);
	photo(sc, "1.png", 1);
	photo(sc, "2.png", 2);
	photo(sc, "3.png", 3);
	in(sc,
		"rm -rf r1 r2 && mkdir -p r1/d r2 && cp photos/1.png r1/d/a.png && cp photos/2.png r1/z.png"
		" && ln r1/d/a.png r2/h.png && ln -s ../r1/d r2/dl");
	if (more)
		in(sc, "cp photos/3.png r1/d/c.png");
	refresh(s, sc, other_first ? "r2" : "r1", other_first ? "r1" : "r2");
	holds(s, sc,
		more ? "r1/d/a.png\nr1/d/c.png\nr1/z.png\nr2/dl/a.png = r1/d/a.png\n"
			   "r2/dl/c.png = r1/d/c.png\nr2/h.png = r1/d/a.png\n"
			 : "r1/d/a.png\nr1/z.png\nr2/dl/a.png = r1/d/a.png\nr2/h.png = r1/d/a.png\n");
	return s;
}

/* The first name in order is a path behind a link, which is gone, too. */
static void a_name_that_is_gone_is_not_the_picture(void **state)
{
	scene *sc = *state;
	for (int i = 0; i < 4; i++) {
		bool more = i & 1;
		imgsearch *s = two_roots(sc, i & 2, more);
		in(sc, "rm r1/d/a.png");
		refresh(s, sc, "r1", NULL);
		holds(s, sc,
			more ? "r1/d/c.png\nr1/z.png\nr2/dl/a.png = r2/h.png\nr2/dl/c.png = r1/d/c.png\n"
				   "r2/h.png\n"
				 : "r1/z.png\nr2/dl/a.png = r2/h.png\nr2/h.png\n");
		refresh(s, sc, "r2", NULL);
		holds(s, sc,
			more ? "r1/d/c.png\nr1/z.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n"
				 : "r1/z.png\nr2/dl/a.png = r2/h.png\nr2/h.png\n"); /* an empty folder: offline */
		follow(s, sc, "r2");
		holds(s, sc,
			more ? "r1/d/c.png\nr1/z.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n"
				 : "r1/z.png\nr2/h.png\n");
		imgsearch_close(s);
		unlink(sc->db);
	}
}

/* The picture was removed by its path, and then its file; what the index chose is behind a link. */
static void a_picture_that_went_gives_way_to_a_name(void **state)
{
	scene *sc = *state;
	for (int i = 0; i < 2; i++) {
		bool more = i & 1;
		imgsearch *s = two_roots(sc, false, more);
		int64_t id = id_at(s, sc, "r1/d/a.png");
		works(imgsearch_index_remove(s, &id, 1, NULL, NULL, &err));
		in(sc, "rm r1/d/a.png");
		refresh(s, sc, "r2", NULL);
		holds(s, sc,
			more ? "r1/d/c.png\nr1/z.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n"
				 : "r1/z.png\nr2/dl/a.png = r2/h.png\nr2/h.png\n");
		imgsearch_close(s);
		unlink(sc->db);
	}
}

/* The run is over the folder of a name alone. */
static void a_run_over_a_name_looks_for_the_picture(void **state)
{
	scene *sc = *state;
	imgsearch *s = two_roots(sc, false, true);
	int64_t id = id_at(s, sc, "r1/d/a.png");
	refresh(s, sc, "r2", NULL); /* it is there: it stays */
	assert_int_equal(id_at(s, sc, "r1/d/a.png"), id);
	in(sc, "mv r1 away"); /* its root is not: it stays as well */
	refresh(s, sc, "r2", NULL);
	holds(s, sc,
		"r1/d/a.png\nr1/d/c.png\nr1/z.png\nr2/dl/a.png = r1/d/a.png\nr2/dl/c.png = r1/d/c.png\n"
		"r2/h.png = r1/d/a.png\n");
	in(sc, "mv away r1 && rm r1/d/a.png");
	refresh(s, sc, "r2", NULL);
	holds(s, sc,
		"r1/d/a.png = r2/h.png\nr1/d/c.png\nr1/z.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n");
	assert_int_equal(id_at(s, sc, "r2/h.png"), id);
	refresh(s, sc, "r1", NULL);
	holds(s, sc, "r1/d/c.png\nr1/z.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n");
	imgsearch_close(s);
}

/* So many are gone that the index keeps their paths: as names. */
static void kept_paths_that_are_gone_are_names(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "1.png", 1);
	photo(sc, "2.png", 2);
	photo(sc, "3.png", 3);
	in(sc, "cd photos && mkdir a && ln 1.png a/1.png && ln 2.png a/2.png");
	refresh(s, sc, "photos", NULL);
	holds(s, sc,
		"photos/1.png\nphotos/2.png\nphotos/3.png\nphotos/a/1.png = photos/1.png\n"
		"photos/a/2.png = photos/2.png\n");
	int64_t id = id_at(s, sc, "photos/1.png");
	in(sc, "cd photos && mkdir ../kept && mv 1.png 2.png ../kept");
	refresh(s, sc, "photos", NULL);
	holds(s, sc,
		"photos/1.png = photos/a/1.png\nphotos/2.png = photos/a/2.png\nphotos/3.png\n"
		"photos/a/1.png\nphotos/a/2.png\n");
	assert_int_equal(id_at(s, sc, "photos/a/1.png"), id);
	in(sc, "mv kept/* photos");
	refresh(s, sc, "photos", NULL);
	holds(s, sc,
		"photos/1.png\nphotos/2.png\nphotos/3.png\nphotos/a/1.png = photos/1.png\n"
		"photos/a/2.png = photos/2.png\n");
	assert_int_equal(id_at(s, sc, "photos/1.png"), id);
	imgsearch_close(s);
}

/* Other bytes at its path: what leads there is not the picture of the old ones. */
static void a_picture_with_other_bytes_gives_way_to_a_hard_link(void **state)
{
	scene *sc = *state;
	imgsearch *s = two_roots(sc, false, true);
	in(sc, "cp photos/2.png new && mv new r1/d/a.png && rm r1/z.png");
	refresh(s, sc, "r1", NULL);
	holds(s, sc,
		"r1/d/a.png\nr1/d/c.png\nr2/dl/a.png = r2/h.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n");
	refresh(s, sc, "r1", "r2");
	holds(s, sc,
		"r1/d/a.png\nr1/d/c.png\nr2/dl/a.png = r1/d/a.png\nr2/dl/c.png = r1/d/c.png\nr2/h.png\n");
	imgsearch_close(s);
}

static void moves_are_found_beside_hard_links(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cd photos && ln m.png z.png");
	scene_index(s, sc->photos);
	int64_t id = id_at(s, sc, "photos/m.png");
	in(sc, "cd photos && mv m.png n.png");
	scene_counts c = scene_index(s, NULL);
	assert_true(c.moved == 1 && !c.removed && !c.added);
	holds(s, sc, "photos/n.png\nphotos/z.png = photos/n.png\n");
	assert_int_equal(id_at(s, sc, "photos/n.png"), id);
	in(sc, "cd photos && mv z.png a.png");
	c = scene_index(s, NULL);
	holds(s, sc, "photos/a.png\nphotos/n.png = photos/a.png\n");
	assert_int_equal(id_at(s, sc, "photos/a.png"), id);
	imgsearch_close(s);
}

static void removal_and_keeping_out(void **state)
{
	scene *sc = *state;
	char moved[200];
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "cd photos && ln m.png n.png && ln m.png o.png");
	scene_index(s, sc->photos);
	int64_t m = id_at(s, sc, "photos/m.png"), n = id_at(s, sc, "photos/n.png");
	works(imgsearch_index_remove(s, &m, 1, NULL, NULL, &err));
	holds(s, sc, "photos/n.png\nphotos/o.png = photos/n.png\n");
	scene_index(s, NULL);
	holds(s, sc, "photos/m.png\nphotos/n.png = photos/m.png\nphotos/o.png = photos/m.png\n");
	assert_int_equal(id_at(s, sc, "photos/m.png"), n);
	int64_t o = id_at(s, sc, "photos/o.png");
	works(imgsearch_index_keep_out(s, &o, 1, NULL, &err));
	holds(s, sc, "photos/m.png out\nphotos/n.png out\nphotos/o.png out\n");
	scene_index(s, NULL);
	holds(s, sc, "photos/m.png out\nphotos/n.png out\nphotos/o.png out\n");
	works(imgsearch_index_readmit(s, &n, 1, NULL, &err));
	holds(s, sc, "photos/m.png\nphotos/n.png = photos/m.png\nphotos/o.png = photos/m.png\n");
	in(sc, "mv photos pictures");
	snprintf(moved, sizeof moved, "%s/pictures", sc->dir);
	works(imgsearch_root_move(s, sc->photos, moved, NULL, &err));
	scene_index(s, NULL);
	holds(s, sc,
		"pictures/m.png\npictures/n.png = pictures/m.png\npictures/o.png = pictures/m.png\n");
	imgsearch_close(s);
}

/* Files alone, also by a link. */
static void files_that_are_named(void **state)
{
	scene *sc = *state;
	imgsearch *s = scene_open(sc);
	photo(sc, "m.png", 1);
	in(sc, "ln -s photos/m.png a.png && ln photos/m.png z.png");
	follow(s, sc, "a.png");
	holds(s, sc, "a.png\n");
	follow(s, sc, "z.png");
	follow(s, sc, NULL);
	holds(s, sc, "a.png = z.png\nz.png\n");
	follow(s, sc, "photos/m.png");
	follow(s, sc, NULL);
	holds(s, sc, "a.png = photos/m.png\nphotos/m.png\nz.png = photos/m.png\n");
	imgsearch_close(s);
}

int main(void)
{
#define LINKS(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		LINKS(links_are_names_of_what_they_lead_to),
		LINKS(the_first_of_hard_links_is_the_picture),
		LINKS(an_older_index_is_put_right),
		LINKS(roots_meet),
		LINKS(a_new_path_of_a_known_file),
		LINKS(a_known_path_leads_elsewhere),
		LINKS(a_copy_takes_the_place_of_a_picture),
		LINKS(two_roots_reach_one_folder),
		LINKS(a_link_becomes_a_copy),
		LINKS(content_changes_through_one_name),
		LINKS(the_picture_goes_and_a_name_stays),
		LINKS(a_name_that_is_gone_is_not_the_picture),
		LINKS(a_picture_that_went_gives_way_to_a_name),
		LINKS(a_run_over_a_name_looks_for_the_picture),
		LINKS(kept_paths_that_are_gone_are_names),
		LINKS(a_picture_with_other_bytes_gives_way_to_a_hard_link),
		LINKS(moves_are_found_beside_hard_links),
		LINKS(removal_and_keeping_out),
		LINKS(files_that_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
