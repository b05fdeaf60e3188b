/* A temporary folder with drawn pictures, and the fake network, for the tests of lib/engine. */
#ifndef IMS_TEST_SCENE_H
#define IMS_TEST_SCENE_H

#include "image/image.h"
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scene {
	char dir[64]; /* holds everything; removed at the end */
	char db[96];
	char photos[96]; /* dir/photos */
} scene;

static inline void shell(const char *format, ...)
{
	char command[2000];
	va_list args;
	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static inline int scene_setup(void **state)
{
	char exe[400], lib[500];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	for (int up = 0; up < 2; up++)
		*strrchr(exe, '/') = 0;
	snprintf(lib, sizeof lib, "%s/lib", exe);
	setenv("IMGSEARCH_LIBDIR", lib, 1);
	scene *sc = calloc(1, sizeof *sc);
	strcpy(sc->dir, "/tmp/imgsearch-engine-XXXXXX");
	assert_non_null(mkdtemp(sc->dir));
	snprintf(sc->db, sizeof sc->db, "%s/index.db", sc->dir);
	snprintf(sc->photos, sizeof sc->photos, "%s/photos", sc->dir);
	mkdir(sc->photos, 0777);
	*state = sc;
	return 0;
}

static inline int scene_teardown(void **state)
{
	scene *sc = *state;
	shell("chmod -R u+rwX '%s'; rm -rf '%s'", sc->dir, sc->dir);
	free(sc);
	return 0;
}

/* Calls that must succeed, leaving err alone, and that must fail with a status and a sentence. */
#define works(call) \
	do { \
		imgsearch_error err = { 0 }; \
		if ((call) != 0) \
			fail_msg("%s: %s", #call, err.message); \
		assert_int_equal(err.code, 0); \
	} while (0)
#define fails(code_, call) \
	do { \
		imgsearch_error err = { 0 }; \
		int rc_ = (call); \
		if (rc_ != (code_)) \
			fail_msg("%s: %s (%s)", #call, imgsearch_status_name(rc_), err.message); \
		assert_int_equal(err.code, rc_); \
		assert_true(*err.message); \
	} while (0)

/* A picture of its own for every number: blocks of colour. */
static inline void draw(const char *path, unsigned number)
{
	enum { SIDE = 48 };
	static uint8_t rgb[SIDE * SIDE * 3];
	uint64_t seed = number;
	buf bytes = { 0 };
	for (int block = 0; block < 16; block++) {
		uint64_t colour = ims_random(&seed);
		for (int y = 0; y < SIDE / 4; y++)
			for (int x = 0; x < SIDE / 4; x++)
				for (int c = 0; c < 3; c++)
					rgb[((block / 4 * SIDE / 4 + y) * SIDE + block % 4 * SIDE / 4 + x) * 3 + c] =
						(uint8_t)(colour >> 8 * c);
	}
	image im = { .pixels = rgb, .width = SIDE, .height = SIDE };
	assert_int_equal(ims_image_encode_png(&bytes, &im, NULL, NULL), 0);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
	ims_buf_free(&bytes);
}

/* photos/NAME drawn as NUMBER */
static inline void photo(const scene *sc, const char *name, unsigned number)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	draw(path, number);
}

static inline imgsearch *scene_open(const scene *sc)
{
	imgsearch_error err = { 0 };
	imgsearch *s;
	int rc = imgsearch_open(sc->db, NULL, NULL, &s, &err);
	if (rc)
		fail_msg("open: %s", err.message);
	return s;
}

/* What an index run met, by state, and what it changed. */
typedef struct scene_counts {
	uint64_t seen, indexed, duplicate, unsupported, damaged, too_big, excluded, unreadable, deleted,
		link;
	uint64_t added, unchanged, moved, removed, offline;
} scene_counts;

/* Asserts that seen is the sum of the other states. */
static inline scene_counts scene_counts_of(const imgsearch_index_update_report *r)
{
	const imgsearch_counts *c = r->counts;
	assert_int_equal(c->seen,
		c->indexed + c->duplicate + c->unsupported + c->damaged + c->too_big + c->excluded
			+ c->unreadable + c->deleted + c->link);
	return (scene_counts){
		.seen = c->seen,
		.indexed = c->indexed,
		.duplicate = c->duplicate,
		.unsupported = c->unsupported,
		.damaged = c->damaged,
		.too_big = c->too_big,
		.excluded = c->excluded,
		.unreadable = c->unreadable,
		.deleted = c->deleted,
		.link = c->link,
		.added = r->added,
		.unchanged = r->unchanged,
		.moved = r->moved,
		.removed = r->removed,
		.offline = r->offline,
	};
}

/* imgsearch_index_update, which must succeed. options may be NULL. */
static inline scene_counts scene_update(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options)
{
	imgsearch_error err = { 0 };
	imgsearch_index_update_report *report;
	if (imgsearch_index_update(s, paths, n, options, NULL, &report, &err))
		fail_msg("index: %s", err.message);
	assert_int_equal(err.code, 0);
	scene_counts counts = scene_counts_of(report);
	imgsearch_index_update_report_free(report);
	return counts;
}

/* A run over one path; NULL: over the roots that the index knows. */
static inline scene_counts scene_index(imgsearch *s, const char *path)
{
	return scene_update(s, &path, path ? 1 : 0, NULL);
}

/* Options with one field. They last as long as the block they stand in. */
#define NAMED(text) \
	(&(imgsearch_index_add_options){ \
		.struct_size = sizeof(imgsearch_index_add_options), \
		.name = (text), \
	})
#define WITH_IDS(numbers) \
	(&(imgsearch_vectors_add_options){ \
		.struct_size = sizeof(imgsearch_vectors_add_options), \
		.ids = (numbers), \
	})
#define BELOW(folder) \
	(&(imgsearch_filter){ \
		.struct_size = sizeof(imgsearch_filter), \
		.folders = (const char *const[]){ folder }, \
		.n_folders = 1, \
	})

/* The fake network calls hook with the number of its inputs; a handle has loaded it before. */
static inline void scene_on_run(void (*hook)(size_t n))
{
	char path[500];
	snprintf(path, sizeof path, "%s/imgsearch-shim.so", getenv("IMGSEARCH_LIBDIR"));
	void *shim = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(shim);
	void (**on)(size_t) = (void (**)(size_t))dlsym(shim, "ims_fake_on_run");
	assert_non_null(on);
	*on = hook;
	dlclose(shim);
}

/* The number of vectors in the index. */
static inline uint64_t scene_vectors(imgsearch *s)
{
	imgsearch_info *info;
	works(imgsearch_info_get(s, NULL, &info, &err));
	uint64_t n = info->vectors;
	imgsearch_info_free(info);
	return n;
}

/* The id of photos/NAME; 0 when the index has no such path. */
static inline int64_t id_of(imgsearch *s, const scene *sc, const char *name)
{
	char path[400];
	int64_t id = 0;
	snprintf(path, sizeof path, "%s/%s", sc->photos, name);
	return imgsearch_item_find(s, path, &id, NULL) ? 0 : id;
}

#endif
