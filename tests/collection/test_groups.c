/*
 * imgsearch_groups_find and imgsearch_groups_reject through the public header: the kinds,
 * rejections, and writers beside them.
 */
#include "collection.h"

#include "analysis/signature.h"
#include "handle/handle.h"
#include "pages.h"

static bool in_one_group(const imgsearch_groups *list, uint32_t kind, int64_t a, int64_t b)
{
	for (size_t g = 0; g < list->count; g++) {
		int found = 0;
		for (size_t i = 0; list->items[g]->kind == kind && i < list->items[g]->count; i++)
			found += list->items[g]->items[i] == a || list->items[g]->items[i] == b;
		if (found == 2)
			return true;
	}
	return false;
}

static imgsearch_groups *groups_of(imgsearch *s, uint32_t kinds, const char *under)
{
	imgsearch_error err = { 0 };
	imgsearch_groups *list;
	imgsearch_groups_options o = IMGSEARCH_INIT(imgsearch_groups_options);
	o.kinds = kinds;
	o.filter = under ? BELOW(under) : NULL;
	if (imgsearch_groups_find(s, &o, NULL, &list, &err))
		fail_msg("groups: %s", err.message);
	return list;
}

/* photos/NAME, a PNG */
static void write_png(const scene *sc, const char *name, const image *im)
{
	char path[400];
	buf bytes = { 0 };
	assert_int_equal(ims_image_encode_png(&bytes, im, NULL, NULL), 0);
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
	ims_buf_free(&bytes);
}

/* The picture NUMBER twice as large. */
static void enlarged(const scene *sc, const char *name, const char *from)
{
	char path[400];
	buf bytes = { 0 };
	image small = { 0 }, large = { 0 };
	snprintf(path, sizeof path, "%s/%s", sc->photos, from);
	assert_int_equal(ims_read_file(&bytes, path, 1 << 20, NULL), 0);
	assert_int_equal(ims_image_decode(&small, NULL, bytes.data, bytes.len, &(image_limits){ 0 },
						 NULL, NULL),
		0);
	assert_int_equal(ims_image_resize(&large, &small, 2 * small.width, 2 * small.height, false,
						 NULL, NULL),
		0);
	write_png(sc, name, &large);
	ims_image_free(&small);
	ims_image_free(&large);
	ims_buf_free(&bytes);
}

/* Eight pictures, a copy of the first one and a larger first one. */
static imgsearch *with_copies(const scene *sc)
{
	draw_photos(sc, 8);
	photo(sc, "copy.png", 0);
	enlarged(sc, "large.png", "0.png");
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	return s;
}

static void kinds_are_never_mixed(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	int64_t first = id_of(s, sc, "0.png"), copy = id_of(s, sc, "copy.png"),
			large = id_of(s, sc, "large.png");
	int64_t low = first < copy ? first : copy;
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_BYTES, first, copy));
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, low, large));
	assert_false(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, first, copy));
	assert_false(in_one_group(list, IMGSEARCH_SAMENESS_SCENE, low, large));
	assert_int_equal(list->unread, 0);
	for (size_t i = 0; i < list->count; i++)
		assert_true(
			list->items[i]->count == 2 && list->items[i]->items[0] < list->items[i]->items[1]);
	imgsearch_groups_free(list);
	list = groups_of(s, 1u << IMGSEARCH_SAMENESS_BYTES, NULL);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->kind, IMGSEARCH_SAMENESS_BYTES);
	imgsearch_groups_free(list);
	list = groups_of(s, 0, "/nowhere");
	assert_int_equal(list->count, 0);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

static void rejected_pairs_stay_apart(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch *s = with_copies(sc);
	int64_t first = id_of(s, sc, "0.png"), copy = id_of(s, sc, "copy.png"),
			large = id_of(s, sc, "large.png");
	/* the same bytes */
	assert_int_equal(imgsearch_groups_reject(s, first, copy, &err), IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_groups_reject(s, first, 9999, &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(imgsearch_groups_reject(s, first, large, &err), 0);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 1);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_BYTES, first, copy));
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

/* Bare vectors have no pixels: their features alone say whether they are one scene. */
static void vectors_are_judged_by_their_features(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	const float rows[4][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 1, 0.01f, 0 }, { 0, 0, 1 } };
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_vectors_add(s, rows[0], 4, 3, NULL, NULL, NULL, &err), 0);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 1);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_SCENE, 0, 2));
	assert_true(list->items[0]->score > 0.99f && list->items[0]->score < 1);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

enum { PAGE_WIDTH = 640, PAGE_HEIGHT = 480 };

static void write_page(const scene *sc, const char *name, const page *p)
{
	image im = { .pixels = p->rgb, .width = (uint32_t)p->width, .height = (uint32_t)p->height };
	write_png(sc, name, &im);
}

/* The page without colours, as a file of its own. */
static void write_grey(const scene *sc, const char *name, page *p)
{
	for (int i = 0; i < p->width * p->height; i++) {
		uint8_t *rgb = p->rgb + 3 * i;
		rgb[0] = rgb[1] = rgb[2] = (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128)
			/ 256);
	}
	write_page(sc, name, p);
}

/* The pictures in groups of this kind. */
static size_t members_of(const imgsearch_groups *list, uint32_t kind)
{
	size_t n = 0;
	for (size_t i = 0; i < list->count; i++)
		n += list->items[i]->kind == kind ? list->items[i]->count : 0;
	return n;
}

/* A grey copy goes with the shirt whose copy it is, and brings no two others together. */
static void shirts_of_other_colours_are_other_pictures(void **state)
{
	static uint8_t rgb[3 * PAGE_WIDTH * PAGE_HEIGHT];
	static const uint32_t colour[] = { 0xc81e1e, 0x1e8c1e, 0x1e1ec8 };
	scene *sc = *state;
	page p = { PAGE_WIDTH, PAGE_HEIGHT, rgb };
	for (int i = 0; i < 3; i++) {
		char name[20];
		page_shirt(&p, colour[i]);
		snprintf(name, sizeof name, "shirt%d.png", i);
		write_page(sc, name, &p);
	}
	page_shirt(&p, colour[1]);
	write_grey(sc, "grey.png", &p); /* the first of all names */
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(members_of(list, IMGSEARCH_SAMENESS_PICTURE), 2);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, id_of(s, sc, "grey.png"),
		id_of(s, sc, "shirt1.png")));
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

static bool is_marked_grey(const imgsearch_group *g, int64_t id)
{
	for (size_t i = 0; g->grey && i < g->count; i++)
		if (g->items[i] == id)
			return g->grey[i] == 1;
	return false;
}

/* Only where another picture of the group has colour; a copy of a grey copy is one as well. */
static void grey_copies_are_marked(void **state)
{
	static uint8_t rgb[3 * PAGE_WIDTH * PAGE_HEIGHT];
	scene *sc = *state;
	page p = { PAGE_WIDTH, PAGE_HEIGHT, rgb };
	page_shirt(&p, 0x1e8c1e);
	write_page(sc, "shirt.png", &p);
	write_grey(sc, "grey.png", &p);
	shell("cp '%s/grey.png' '%s/a-copy.png'", sc->photos, sc->photos);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[0]->kind, IMGSEARCH_SAMENESS_BYTES);
	assert_null(list->items[0]->grey);
	const imgsearch_group *g = list->items[1];
	assert_int_equal(g->count, 2);
	int64_t shirt = id_of(s, sc, "shirt.png");
	assert_false(is_marked_grey(g, shirt));
	assert_true(is_marked_grey(g, g->items[0] == shirt ? g->items[1] : g->items[0]));
	imgsearch_groups_free(list);
	shell("rm '%s/shirt.png'", sc->photos);
	enlarged(sc, "large.png", "grey.png");
	scene_index(s, sc->photos);
	list = groups_of(s, 1u << IMGSEARCH_SAMENESS_PICTURE, NULL);
	assert_int_equal(list->count, 1);
	assert_null(list->items[0]->grey);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

/* A copy below a folder of the filter has the colours of the picture elsewhere. */
static void copies_below_a_folder_have_their_colours(void **state)
{
	static uint8_t rgb[3 * PAGE_WIDTH * PAGE_HEIGHT];
	char below[400];
	scene *sc = *state;
	page p = { PAGE_WIDTH, PAGE_HEIGHT, rgb };
	snprintf(below, sizeof below, "%s/z", sc->photos);
	page_shirt(&p, 0x1e8c1e);
	write_page(sc, "shirt.png", &p);
	write_grey(sc, "grey.png", &p);
	shell("mkdir '%s' && cp '%s'/*.png '%s'", below, sc->photos, below);
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	imgsearch_groups *list = groups_of(s, 0, below);
	assert_int_equal(list->count, 1);
	assert_false(is_marked_grey(list->items[0], id_of(s, sc, "z/shirt.png")));
	assert_true(is_marked_grey(list->items[0], id_of(s, sc, "z/grey.png")));
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

/* Screens and pages of one layout: only the enlarged copy of one is found, nothing as a scene. */
static void pages_that_say_something_else_are_other_pictures(void **state)
{
	static uint8_t rgb[3 * PAGE_WIDTH * PAGE_HEIGHT];
	static void (*const draw[])(page *, uint64_t, uint64_t) = { page_transfer, page_of_text };
	scene *sc = *state;
	page p = { PAGE_WIDTH, PAGE_HEIGHT, rgb };
	for (int kind = 0; kind < 2; kind++)
		for (int i = 0; i < 3; i++) {
			char name[20];
			draw[kind](&p, 7, (uint64_t)i);
			snprintf(name, sizeof name, "page%d-%d.png", kind, i);
			write_page(sc, name, &p);
		}
	enlarged(sc, "page1-large.png", "page1-2.png");
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->count, 2);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, id_of(s, sc, "page1-2.png"),
		id_of(s, sc, "page1-large.png")));
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

static int64_t full_signatures(const scene *sc)
{
	return sql(sc, "SELECT count(*) FROM signature WHERE length(data) > 1024");
}

/* What is stored of a signature is what was made; a damaged one is not taken. */
static void signatures_are_read_back(void **state)
{
	static full_signature s, back;
	uint64_t seed = 1;
	(void)state;
	for (size_t i = 0; i < sizeof s; i++)
		((uint8_t *)&s)[i] = (uint8_t)(ims_random(&seed) % (i % 3 ? 256 : 2));
	buf packed = { 0 };
	ims_signature_pack(&packed, &s);
	assert_false(packed.failed);
	assert_true(ims_signature_unpack(&back, packed.data, packed.len));
	assert_memory_equal(&back, &s, sizeof s);
	for (size_t n = 0; n < packed.len; n += 7)
		assert_false(ims_signature_unpack(&back, packed.data, n));
	for (size_t i = sizeof s.coarse; i < packed.len; i += 5) {
		packed.data[i] ^= 0x10;
		ims_signature_unpack(&back, packed.data, packed.len); /* zlib's checksum tells */
		packed.data[i] ^= 0x10;
	}
	ims_buf_free(&packed);
}

/* An index of before has the coarse signatures alone. */
static void signatures_of_older_versions_are_made_anew(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	int64_t first = id_of(s, sc, "0.png"), copy = id_of(s, sc, "copy.png"),
			large = id_of(s, sc, "large.png");
	int64_t low = first < copy ? first : copy;
	assert_int_equal(full_signatures(sc), 9);
	sql(sc, "UPDATE signature SET data = substr(data, 1, 1024)");
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, low, large));
	assert_int_equal(list->unread, 0);
	assert_int_equal(full_signatures(sc), 9);
	imgsearch_groups_free(list);
	/* the file is away: its picture is in no group of same picture, and what there is stays */
	sql(sc, "UPDATE signature SET data = substr(data, 1, 1024)");
	shell("rm '%s/large.png'", sc->photos);
	list = groups_of(s, 0, NULL);
	assert_false(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, low, large));
	assert_int_equal(list->unread, 1);
	assert_int_equal(full_signatures(sc), 8);
	assert_int_equal(signatures(sc), 9);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

static void missing_signatures_are_made_and_stored(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	forget_signatures(sc);
	imgsearch *reader = open_to(sc, true);
	imgsearch_groups *list = groups_of(reader, 0, NULL);
	assert_int_equal(list->count, 2);
	assert_int_equal(signatures(sc), 0); /* a handle for reading makes them for itself */
	imgsearch_groups_free(list);
	imgsearch_close(reader);
	list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 2);
	assert_int_equal(signatures(sc), 9);
	imgsearch_groups_free(list);
	shell("rm '%s/3.png'", sc->photos);
	forget_signatures(sc);
	list = groups_of(s, 0, NULL);
	assert_int_equal(list->unread, 1);
	assert_int_equal(signatures(sc), 8);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

/* While somebody else holds the writer lock, groups answers and stores nothing. */
static void groups_need_no_writer(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch *s = with_copies(sc), *writer = open_to(sc, false);
	forget_signatures(sc);
	assert_int_equal(ims_handle_write_begin(writer, NULL, &err), 0);
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->unread, 0);
	assert_int_equal(signatures(sc), 0);
	imgsearch_groups_free(list);
	ims_handle_write_end(writer);
	imgsearch_close(writer);
	imgsearch_close(s);
}

typedef struct second_writer {
	imgsearch *s;
	int64_t remove;
	int calls, rc;
	imgsearch_error err;
} second_writer;

/* At the first report of pictures read: removes one that is still to be read, and adds another. */
static int write_meanwhile(void *user, const imgsearch_progress *p)
{
	second_writer *w = user;
	char path[] = "added";
	float v[48] = { 1 };
	if (strcmp(p->stage, "read") || w->calls++)
		return 0;
	imgsearch_input in = imgsearch_input_vector(v, 48);
	w->rc = imgsearch_index_remove(w->s, &w->remove, 1, NULL, NULL, &w->err);
	if (!w->rc)
		w->rc = imgsearch_index_add(w->s, &in, NAMED(path), NULL, NULL, &w->err);
	return 0;
}

/* More pictures than one block, so that the callback runs between two. */
static void writers_need_not_wait_for_groups(void **state)
{
	enum { N = 300 };
	scene *sc = *state;
	second_writer w = { 0 };
	draw_photos(sc, N);
	w.s = scene_open(sc);
	scene_index(w.s, sc->photos);
	w.remove = sql(sc, "SELECT max(id) FROM picture");
	forget_signatures(sc);
	imgsearch *s = scene_open(sc);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_groups *list;
	call.user = &w;
	call.progress = write_meanwhile;
	assert_int_equal(imgsearch_groups_find(s, NULL, &call, &list, NULL), 0);
	assert_int_equal(list->unread, 0);
	assert_true(w.calls > 0);
	if (w.rc)
		fail_msg("the second writer: %s", w.err.message);
	assert_int_equal(signatures(sc), N - 1); /* none for the picture that went */
	imgsearch_groups_free(list);
	imgsearch_close(s);
	imgsearch_close(w.s);
}

static int cancel_at_read(void *user, const imgsearch_progress *p)
{
	if (!strcmp(p->stage, "read"))
		imgsearch_cancel(*(imgsearch **)user);
	return 0;
}

static void groups_can_be_cancelled(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch_groups *list;
	imgsearch *s = NULL;
	imgsearch_close(with_copies(sc));
	forget_signatures(sc);
	s = scene_open(sc);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	call.user = &s;
	call.progress = cancel_at_read;
	assert_int_equal(imgsearch_groups_find(s, NULL, &call, &list, &err), IMGSEARCH_ECANCELED);
	assert_null(list);
	assert_int_equal(signatures(sc), 9); /* what was read is kept */
	list = groups_of(s, 0, NULL);        /* and now nothing is left to read */
	assert_int_equal(list->count, 2);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

static int accept_all(void *user, int64_t id)
{
	(void)user, (void)id;
	return 1;
}

static void bad_arguments_are_refused(void **state)
{
	scene *sc = *state;
	imgsearch_error err = { 0 };
	imgsearch_groups *list = (imgsearch_groups *)&err;
	imgsearch *s = scene_open(sc);
	assert_int_equal(imgsearch_groups_find(NULL, NULL, NULL, &list, &err), IMGSEARCH_EINVAL);
	assert_null(list);
	assert_int_equal(imgsearch_groups_find(s, NULL, NULL, NULL, &err), IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_groups_find(s, &(imgsearch_groups_options){ 0 }, NULL, &list, &err),
		IMGSEARCH_EINVAL);
	imgsearch_filter filter = { .struct_size = sizeof filter, .accept = accept_all };
	imgsearch_groups_options o = { .struct_size = sizeof o, .filter = &filter };
	assert_int_equal(imgsearch_groups_find(s, &o, NULL, &list, &err), IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_groups_reject(NULL, 1, 2, &err), IMGSEARCH_EINVAL);
	list = groups_of(s, 0, NULL); /* an empty index has none */
	assert_int_equal(list->count, 0);
	imgsearch_groups_free(list);
	imgsearch_groups_free(NULL);
	imgsearch_close(s);
}

static int64_t id_in(imgsearch *s, const char *folder, const char *name)
{
	char path[300];
	int64_t id;
	imgsearch_error err = { 0 };
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(imgsearch_item_find(s, path, &id, &err), 0);
	return id;
}

/* Copies in a folder, whose indexed twins lie elsewhere, take part in all kinds. */
static void copies_stand_for_pictures_elsewhere(void **state)
{
	scene *sc = *state;
	char here[200];
	draw_photos(sc, 8);
	mkdir(strcat(strcpy(here, sc->dir), "/here"), 0777);
	shell("cd '%s/photos' && cp 0.png 1.png ../here && cp 0.png ../here/again.png", sc->dir);
	enlarged(sc, "large.png", "0.png");
	shell("cd '%s' && mv photos/large.png here && ln -s ../photos/1.png here/link.png", sc->dir);
	imgsearch *s = scene_open(sc);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.follow_links = 1;
	const char *both[] = { sc->photos, here };
	scene_update(s, both, 2, &o);
	int64_t copy = id_in(s, here, "0.png"), again = id_in(s, here, "again.png"),
			large = id_in(s, here, "large.png"), one = id_in(s, here, "1.png"),
			link = id_in(s, here, "link.png");
	for (int fresh = 0; fresh < 2; fresh++) {
		imgsearch_groups *list = groups_of(s, 0, here);
		assert_true(in_one_group(list, IMGSEARCH_SAMENESS_BYTES, copy, again));
		assert_true(in_one_group(list, IMGSEARCH_SAMENESS_BYTES, one, link));
		assert_true(
			in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, copy < again ? copy : again, large));
		assert_int_equal(list->count, 3);
		assert_int_equal(list->unread, 0);
		imgsearch_groups_free(list);
		list = groups_of(s, 0, sc->photos);
		assert_int_equal(list->count, 0);
		imgsearch_groups_free(list);
		forget_signatures(sc); /* then they are made from the copies */
	}
	imgsearch_close(s);
}

/* What the log of a call says. */
static void note(void *user, int level, const char *text)
{
	if (level == IMGSEARCH_LOG_WARNING)
		strncat(user, text, 199 - strlen(user));
}

static void bytes_groups(imgsearch *s, size_t count, uint64_t changed, const char *said)
{
	char log[200] = "";
	imgsearch_error err = { 0 };
	imgsearch_groups *list;
	imgsearch_groups_options o = IMGSEARCH_INIT(imgsearch_groups_options);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	o.kinds = 1u << IMGSEARCH_SAMENESS_BYTES;
	call.log = note;
	call.user = log;
	if (imgsearch_groups_find(s, &o, &call, &list, &err))
		fail_msg("groups: %s", err.message);
	assert_int_equal(list->count, count);
	assert_int_equal(list->changed, changed);
	assert_string_equal(log, said);
	imgsearch_groups_free(list);
}

static void files_that_changed_are_in_no_group(void **state)
{
	scene *sc = *state;
	const char *dir = sc->photos;
	draw_photos(sc, 4);
	shell("cd '%s' && for i in 0 1 2; do cp $i.png copy-$i.png; done", dir);
	imgsearch *s = scene_open(sc);
	scene_index(s, dir);
	bytes_groups(s, 3, 0, "");
	/* other times, but the same bytes */
	shell("cd '%s' && touch -d 2001-01-01 copy-0.png && chmod 600 copy-1.png", dir);
	bytes_groups(s, 3, 0, "");
	/* other bytes of the same size and mtime */
	shell("cd '%s' && cp -p copy-0.png was && printf x | dd of=copy-0.png bs=1 seek=60 conv=notrunc"
		  " 2>/dev/null && touch -r was copy-0.png && rm was",
		dir);
	bytes_groups(s, 2, 1, "1 file changed or went since the last index run");
	shell("cd '%s' && cp 3.png copy-1.png && rm copy-2.png", dir);
	bytes_groups(s, 0, 3, "3 files changed or went since the last index run");
	/* a name that is left stands for its file */
	shell("cd '%s' && cp 2.png copy-2.png && ln copy-2.png name.png", dir);
	scene_index(s, dir);
	bytes_groups(s, 2, 0, "");
	shell("cd '%s' && rm copy-2.png", dir);
	bytes_groups(s, 2, 1, "1 file changed or went since the last index run");
	/* a root that is away, or an empty place of one, is as it was */
	scene_index(s, dir);
	shell("mv '%s' '%s-away'", dir, dir);
	bytes_groups(s, 2, 0, "");
	shell("mkdir '%s'", dir);
	bytes_groups(s, 2, 0, "");
	imgsearch_close(s);
}

/* A looser kind sees another copy, then none. */
static void copies_stand_for_files_that_went(void **state)
{
	scene *sc = *state;
	imgsearch *s = with_copies(sc);
	int64_t a = id_of(s, sc, "0.png"), b = id_of(s, sc, "copy.png"),
			large = id_of(s, sc, "large.png");
	shell("cd '%s' && rm '%s'", sc->photos, a < b ? "0.png" : "copy.png");
	imgsearch_groups *list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->changed, 1);
	assert_true(in_one_group(list, IMGSEARCH_SAMENESS_PICTURE, a < b ? b : a, large));
	imgsearch_groups_free(list);
	shell("cd '%s' && rm -f 0.png copy.png", sc->photos);
	list = groups_of(s, 0, NULL);
	assert_int_equal(list->count, 0);
	assert_int_equal(list->changed, 2);
	imgsearch_groups_free(list);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kinds_are_never_mixed),
		TEST(rejected_pairs_stay_apart),
		TEST(vectors_are_judged_by_their_features),
		TEST(shirts_of_other_colours_are_other_pictures),
		TEST(grey_copies_are_marked),
		TEST(copies_below_a_folder_have_their_colours),
		TEST(pages_that_say_something_else_are_other_pictures),
		TEST(signatures_are_read_back),
		TEST(signatures_of_older_versions_are_made_anew),
		TEST(missing_signatures_are_made_and_stored),
		TEST(groups_need_no_writer),
		TEST(writers_need_not_wait_for_groups),
		TEST(groups_can_be_cancelled),
		TEST(bad_arguments_are_refused),
		TEST(copies_stand_for_pictures_elsewhere),
		TEST(files_that_changed_are_in_no_group),
		TEST(copies_stand_for_files_that_went),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
