/*
 * Columns of what pictures say of themselves: written with the picture, brought up to date without
 * the network when a sidecar changes, and added to an index of before.
 */
#include "described.h"

#include "handle/handle.h"
#include "../records.h"

static size_t embedded;

static void count_run(size_t n)
{
	embedded += n;
}

/* What a run over everything embedded and described anew. */
typedef struct ran {
	size_t embedded;
	uint64_t described, unchanged;
} ran;

static ran run(imgsearch *s)
{
	imgsearch_index_update_report *r;
	embedded = 0;
	works(imgsearch_index_update(s, NULL, 0, NULL, NULL, &r, &err));
	ran out = { embedded, r->described, r->unchanged };
	imgsearch_index_update_report_free(r);
	return out;
}

static imgsearch *open_and_index(const scene *sc)
{
	imgsearch *s = scene_open(sc);
	scene_index(s, sc->photos);
	scene_on_run(count_run);
	return s;
}

static void close_all(imgsearch *s)
{
	scene_on_run(NULL);
	imgsearch_close(s);
}

#define RATING(n) XMP("xmp:Rating='" n "'", "")

/* The CSV, then PATH.xmp, then the one of the stem, then the file's own. */
static void precedence(void **state)
{
	static const char table[] = "file,Rating,title\na.png,5,of the CSV\n";
	const scene *sc = *state;
	char csv[200];
	photo_xmp(sc, "a.png", 1,
		XMP("xmp:Rating='1' tiff:Model='own' photoshop:DateCreated='2021'",
			"<dc:title>own</dc:title>"));
	sidecar(sc, "a.xmp", XMP("xmp:Rating='2' aux:Lens='stem' xmp:CreateDate='2022'", ""));
	sidecar(sc, "a.png.xmp", XMP("xmp:Rating='3'", ""));
	photo(sc, "b.png", 2);
	imgsearch *s = open_and_index(sc);
	has_columns(s, sc, "a.png",
		"date=2022 date_from=sidecar xmp:CreateDate camera=own lens=stem rating=3 title=own (own)");
	has_columns(s, sc, "b.png", "");
	write_file(sc, "../c.csv", table, sizeof table - 1);
	snprintf(csv, sizeof csv, "%s/c.csv", sc->dir);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.csv = csv;
	scene_update(s, NULL, 0, &o);
	has_columns(s, sc, "a.png",
		"file=a.png Rating=5 title=of the CSV date=2022 date_from=sidecar xmp:CreateDate"
		" camera=own lens=stem (of the CSV)");
	close_all(s);
}

static void attach(imgsearch *s, const scene *sc, const char *table)
{
	char csv[200];
	write_file(sc, "../c.csv", table, strlen(table));
	snprintf(csv, sizeof csv, "%s/c.csv", sc->dir);
	imgsearch_index_update_options o = IMGSEARCH_INIT(imgsearch_index_update_options);
	o.csv = csv;
	scene_update(s, NULL, 0, &o);
}

static int pass_over(void *user, const imgsearch_item *item)
{
	(void)user, (void)item;
	return 0;
}

/* How many pictures a condition holds for. */
static size_t matching(imgsearch *s, const char *condition)
{
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	uint64_t total = 0;
	f.columns = condition;
	o.filter = &f;
	works(imgsearch_item_list(s, &o, pass_over, NULL, NULL, &total, &err));
	return total;
}

/* Zone and origin go with the date, latitude with longitude; what is no value does not count. */
static void values_of_a_csv(void **state)
{
	const scene *sc = *state;
	const char *own = XMP("xmp:Rating='1' xmp:CreateDate='2021-02-03T04:05:06+02:00'"
						  " exif:GPSLatitude='10,30N' exif:GPSLongitude='20,30E'",
		"");
	photo_xmp(sc, "a.png", 1, own);
	photo(sc, "b.png", 2);
	imgsearch *s = open_and_index(sc);
	attach(s, sc, "file,date,rating,latitude\na.png,2024-05-03,5,50\n");
	has_columns(s, sc, "a.png",
		"file=a.png date=2024-05-03 rating=5 latitude=10.5 date_from=CSV longitude=20.5");
	assert_int_equal(matching(s, "date = 2024-05 and not has(zone) and date_from = 'csv'"), 1);
	assert_int_equal(matching(s, "near(10.5, 20.5, 1)"), 1);
	attach(s, sc, "file,date\na.png,2021:02:03 04:05:06\n");
	assert_int_equal(matching(s, "date = 2021-02-03T04:05:06 and zone = '+02:00'"), 1);
	attach(s, sc, "file,zone\na.png,+05:00\n"); /* the file's date has its own */
	assert_int_equal(matching(s, "zone = '+02:00'"), 1);
	attach(s, sc, "file,date\na.png,2024-05-03T10:00:00-07:00\nb.png,2024\n");
	assert_int_equal(matching(s, "zone = '-07:00'"), 1);
	assert_int_equal(matching(s, "date >= 2024"), 2);
	attach(s, sc, "file,date,zone,date_from\na.png,2024-05-03,+01:00,diary\n");
	has_columns(s, sc, "a.png",
		"file=a.png date=2024-05-03 zone=+01:00 date_from=diary latitude=10.5 longitude=20.5"
		" rating=1");
	attach(s, sc,
		"file,date,rating,latitude,longitude\na.png,last summer,good,north,7\n"
		"b.png,last summer,good,north,7\n");
	has_columns(s, sc, "a.png",
		"file=a.png date=2021-02-03T04:05:06 rating=1 latitude=10.5 longitude=20.5 zone=+02:00"
		" date_from=XMP xmp:CreateDate");
	assert_int_equal(matching(s, "date = 2021 and rating = 1 and latitude = 10.5"), 1);
	has_columns(s, sc, "b.png",
		"file=b.png date=last summer rating=good latitude=north longitude=7");
	close_all(s);
}

/* A sidecar that comes, changes and goes; only the columns of its pictures are read again. */
static void changed_sidecars(void **state)
{
	const scene *sc = *state;
	photo_xmp(sc, "a.png", 1, RATING("1"));
	photo(sc, "b.png", 2);
	imgsearch *s = open_and_index(sc);
	ran r = run(s);
	assert_int_equal(r.described, 0);
	has_columns(s, sc, "a.png", "rating=1");
	sidecar(sc, "a.png.xmp", RATING("2"));
	sidecar(sc, "b.XMP", RATING("3"));
	r = run(s);
	assert_int_equal(r.described, 2);
	assert_int_equal(r.embedded, 0);
	assert_int_equal(r.unchanged, 2);
	has_columns(s, sc, "a.png", "rating=2");
	has_columns(s, sc, "b.png", "rating=3");
	assert_int_equal(run(s).described, 0);
	sidecar(sc, "a.png.xmp", RATING("4"));
	r = run(s);
	assert_int_equal(r.described, 1);
	assert_int_equal(r.embedded, 0);
	has_columns(s, sc, "a.png", "rating=4");
	has_columns(s, sc, "b.png", "rating=3");
	shell("rm '%s/a.png.xmp' '%s/b.XMP'", sc->photos, sc->photos);
	r = run(s);
	assert_int_equal(r.described, 2);
	has_columns(s, sc, "a.png", "rating=1");
	has_columns(s, sc, "b.png", "");
	assert_int_equal(run(s).described, 0);
	close_all(s);
}

/* IPTC in PNG as ImageMagick writes it: in hex digits, alone or among Photoshop's resources. */
static void iptc_in_png(void **state)
{
	const scene *sc = *state;
	static const char record[] = "1c021900044bf66c6e";
	static const char *const texts[] = { "iptc\n       9\n%s\n",
		"8bim\n      22\n3842494d04040000\n00000009%s00\n" };
	for (unsigned i = 0; i < 2; i++) {
		char name[20], text[200];
		buf chunk = { 0 };
		snprintf(name, sizeof name, "%u.png", i);
		snprintf(text, sizeof text, texts[i], record);
		ims_buf_text(&chunk, "Raw profile type %.4s%c\n%s", text, 0, text);
		photo_with_chunk(sc, name, i, "tEXt", &chunk);
		ims_buf_free(&chunk);
	}
	imgsearch *s = open_and_index(sc);
	has_columns(s, sc, "0.png", "keywords=K\xC3\xB6ln");
	has_columns(s, sc, "1.png", "keywords=K\xC3\xB6ln");
	close_all(s);
}

/* A sidecar beside a copy counts, too: when it comes, changes and goes. */
static void sidecars_of_copies(void **state)
{
	const scene *sc = *state;
	photo_xmp(sc, "a.png", 1, XMP("xmp:Rating='0' tiff:Model='own'", ""));
	photo(sc, "other.png", 2);
	shell("mkdir '%s/z' && cp '%s/a.png' '%s/z/b.png' && ln '%s/a.png' '%s/z/link.png'", sc->photos,
		sc->photos, sc->photos, sc->photos, sc->photos);
	imgsearch *s = open_and_index(sc);
	has_columns(s, sc, "a.png", "camera=own rating=0");
	assert_int_equal(run(s).described, 0);
	sidecar(sc, "z/b.xmp", XMP("xmp:Rating='4' aux:Lens='beside b'", ""));
	ran r = run(s);
	assert_int_equal(r.described, 1);
	assert_int_equal(r.embedded, 0);
	has_columns(s, sc, "a.png", "camera=own lens=beside b rating=4");
	has_columns(s, sc, "z/b.png", "camera=own lens=beside b rating=4");
	assert_int_equal(matching(s, "rating = 4"), 3); /* each of its paths */
	assert_int_equal(run(s).described, 0);
	sidecar(sc, "a.xmp", RATING("5"));
	sidecar(sc, "z/link.png.xmp", XMP("xmp:Rating='1' dc:format='x'", "<dc:title>T</dc:title>"));
	assert_int_equal(run(s).described, 1);
	has_columns(s, sc, "a.png", "camera=own lens=beside b rating=5 title=T (T)");
	assert_int_equal(run(s).described, 0);
	shell("rm '%s/z/b.xmp' '%s/a.xmp' '%s/z/link.png.xmp'", sc->photos, sc->photos, sc->photos);
	assert_int_equal(run(s).described, 1);
	has_columns(s, sc, "a.png", "camera=own rating=0");
	assert_int_equal(run(s).described, 0);
	sidecar(sc, "z/b.xmp", RATING("3"));
	run(s);
	shell("rm -r '%s/z'", sc->photos); /* the picture has one path again */
	run(s);
	run(s);
	has_columns(s, sc, "a.png", "camera=own rating=0");
	assert_int_equal(run(s).described, 0);
	close_all(s);
}

/* A sidecar is left out, and no unsupported file; a picture of that name comes in. */
static void sidecars_are_no_pictures(void **state)
{
	const scene *sc = *state;
	photo(sc, "a.png", 1);
	photo(sc, "b.xmp", 2);
	sidecar(sc, "a.xmp", RATING("1"));
	sidecar(sc, "a.png.XMP", "");
	sidecar(sc, "c.txt", "text");
	imgsearch *s = scene_open(sc);
	for (int i = 0; i < 2; i++) {
		scene_counts n = scene_index(s, sc->photos);
		assert_int_equal(n.indexed, 2);
		assert_int_equal(n.excluded, 2);
		assert_int_equal(n.unsupported, 1);
		assert_int_equal(n.damaged, 0);
	}
	photo(sc, "a.xmp", 3);
	sidecar(sc, "b.xmp", RATING("1"));
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.indexed, 2);
	assert_int_equal(n.excluded, 2);
	imgsearch_close(s);
}

/* A file that is touched or edited, moved, or has a copy. */
static void files_that_change(void **state)
{
	const scene *sc = *state;
	photo_xmp(sc, "a.png", 1, RATING("1"));
	for (unsigned i = 0; i < 4; i++) /* else a run would drop too large a part */
		photo(sc, (const char *[]){ "p.png", "q.png", "r.png", "s.png" }[i], 10 + i);
	imgsearch *s = open_and_index(sc);
	photo_xmp(sc, "a.png", 2, RATING("2"));
	assert_int_equal(run(s).embedded, 1);
	has_columns(s, sc, "a.png", "rating=2");
	shell("cd '%s' && mv a.png c.png", sc->photos);
	sidecar(sc, "c.xmp", XMP("tiff:Model='X100'", ""));
	assert_int_equal(run(s).embedded, 0);
	has_columns(s, sc, "c.png", "camera=X100 rating=2");
	assert_int_equal(run(s).described, 0);
	shell("cd '%s' && cp c.png d.png", sc->photos);
	assert_int_equal(run(s).embedded, 0);
	has_columns(s, sc, "d.png", "camera=X100 rating=2"); /* those of its twin */
	shell("cd '%s' && rm c.png c.xmp", sc->photos);
	run(s);
	has_columns(s, sc, "d.png", "camera=X100 rating=2"); /* inherited, until they are read again */
	run(s);
	has_columns(s, sc, "d.png", "rating=2");
	write_file(sc, "d.png", "\x89PNG\r\n\x1a\n", 8);
	run(s);
	has_columns(s, sc, "d.png", "");
	close_all(s);
}

/* An index of before: its rows have no facts, or those of an older reader. */
static void older_index(void **state)
{
	const scene *sc = *state;
	facts none = { 0 };
	photo_xmp(sc, "a.png", 1, RATING("1"));
	photo_xmp(sc, "b.png", 2, RATING("2"));
	photo(sc, "c.png", 3);
	imgsearch *s = open_and_index(sc);
	for (int again = 0; again < 2; again++) {
		works(ims_handle_write_begin(s, NULL, &err));
		works(ims_store_tx_begin(s->store, &err));
		for (int64_t id = 1; id <= 3; id++)
			works(put_facts(s->store, id, &none, 0, 0, &err));
		if (again) /* 0.1 also did not know how pixels were made */
			for (int64_t id = 1; id <= 3; id++)
				works(put_pixels(s->store, id, 0, &err));
		works(ims_handle_tx_end(s, 0, &err));
		ims_handle_write_end(s);
		has_columns(s, sc, "a.png", "");
		ran r = run(s);
		assert_int_equal(r.embedded, 0);
		assert_int_equal(r.unchanged, 3);
		assert_int_equal(r.described, again ? 0 : 3);
		has_columns(s, sc, "a.png", "rating=1");
		has_columns(s, sc, "b.png", "rating=2");
		has_columns(s, sc, "c.png", "");
		assert_int_equal(run(s).described, 0);
	}
	close_all(s);
}

/* Single adds: a file with its sidecar, bytes, pixels, a transaction. */
static void single_adds(void **state)
{
	const scene *sc = *state;
	char path[400], text[200];
	int64_t id;
	buf bytes = { 0 };
	photo_xmp(sc, "a.png", 1, RATING("1"));
	sidecar(sc, "a.xmp", XMP("tiff:Model='X100'", ""));
	photo_xmp(sc, "b.png", 2, RATING("2"));
	imgsearch *s = scene_open(sc);
	snprintf(path, sizeof path, "%s/a.png", sc->photos);
	imgsearch_input in = imgsearch_input_file(path);
	works(imgsearch_index_add(s, &in, NULL, NULL, &id, &err));
	columns_of_id(s, id, text, sizeof text);
	assert_string_equal(text, "camera=X100 rating=1");
	snprintf(path, sizeof path, "%s/b.png", sc->photos);
	assert_int_equal(ims_read_file(&bytes, path, 1 << 20, NULL), 0);
	in = imgsearch_input_bytes(bytes.data, bytes.len);
	imgsearch_transaction *t;
	works(imgsearch_transaction_begin(s, NULL, &t, &err));
	imgsearch_index_add_options o = IMGSEARCH_INIT(imgsearch_index_add_options);
	o.transaction = t;
	o.name = "mine";
	works(imgsearch_index_add(s, &in, &o, NULL, &id, &err));
	works(imgsearch_transaction_commit(t, NULL, &err));
	imgsearch_transaction_free(t);
	columns_of_id(s, id, text, sizeof text);
	assert_string_equal(text, "rating=2");
	uint8_t pixels[32 * 32 * 3] = { 9, 50, 200 };
	in = imgsearch_input_pixels(pixels, 32, 32, 0);
	works(imgsearch_index_add(s, &in, NAMED("mine"), NULL, &id, &err));
	columns_of_id(s, id, text, sizeof text);
	assert_string_equal(text, "");
	ims_buf_free(&bytes);
	imgsearch_close(s);
}

/* Damaged blocks and odd values never make a picture fail. */
static void hostile_values(void **state)
{
	const scene *sc = *state;
	buf loop = { 0 };
	photo_xmp(sc, "a.png", 1, XMP("xmp:CreateDate='0000-00-00' xmp:Rating='99'", "<dc:title>\xFF"));
	ims_buf_put(&loop, "II*\0\x08\0\0\0\x01\0\x69\x87\4\0\1\0\0\0\x08\0\0\0", 22);
	photo_with_chunk(sc, "b.png", 2, "eXIf", &loop);
	photo(sc, "c.png", 3);
	sidecar(sc, "c.xmp", "<<<<\xFF\xFE&&&");
	shell("mkdir '%s/a.xmp'", sc->photos);
	imgsearch *s = open_and_index(sc);
	has_columns(s, sc, "a.png", "");
	has_columns(s, sc, "b.png", "");
	has_columns(s, sc, "c.png", "");
	assert_int_equal(scene_index(s, NULL).indexed, 3);
	ims_buf_free(&loop);
	close_all(s);
}

int main(void)
{
#define on_scene(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		on_scene(precedence),
		on_scene(sidecars_are_no_pictures),
		on_scene(sidecars_of_copies),
		on_scene(iptc_in_png),
		on_scene(values_of_a_csv),
		on_scene(changed_sidecars),
		on_scene(files_that_change),
		on_scene(older_index),
		on_scene(single_adds),
		on_scene(hostile_values),
	};
	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
