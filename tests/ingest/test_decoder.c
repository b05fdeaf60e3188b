/*
 * Index runs whose pictures are decoded by helper processes, which this program also is: nothing is
 * lost when they end 200 times, and what a missing library leaves out comes in later. No helper
 * starts where no picture needs one. Skips what needs a library that is absent.
 */
#include "codec/codec.h"
#include "codec/serve.h"
#include "codec/wire.h"
#include "handle/handle.h"
#include "scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 210, ENDS = 200 };

/* A picture of each format, below tests/fuzz/seeds. */
static const char *const seeds[] = {
	[IMAGE_WEBP] = "webp/lossy-RGB.webp",
	[IMAGE_HEIC] = "heif/rgb.heic",
	[IMAGE_AVIF] = "heif/rgb.avif",
	[IMAGE_JXL] = "jxl/lossy-RGB.jxl",
	[IMAGE_TIFF] = "tiff/RGB.tif",
};

/* What all helpers share: those that started, requests, and how many ends are left. */
typedef struct shared {
	atomic_int started, requests, ends;
} shared;
static shared *all;

static void map_shared(void)
{
	const char *name = getenv("TEST_SHARED");
	int fd = name ? open(name, O_RDWR) : -1;
	if (fd >= 0)
		all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* In place of the C library's: every third request ends the helper that would read it. */
ssize_t read(int fd, void *to, size_t n)
{
	if (all && fd == STDIN_FILENO && n == sizeof(wire_request)
		&& atomic_fetch_add(&all->requests, 1) % 3 == 2 && atomic_fetch_sub(&all->ends, 1) > 0)
		_exit(1);
	return syscall(SYS_read, fd, to, n);
}

static int serve(int argc, char **argv)
{
	map_shared();
	if (all)
		atomic_fetch_add(&all->started, 1);
	if (!getenv("TEST_MISSING"))
		return ims_codec_serve(argc, argv);
	const wire_hello hello = { WIRE_MAGIC, WIRE_VERSION, WIRE_MISSING, (uint32_t)atoi(argv[2]), 1 };
	return write(STDIN_FILENO, &hello, sizeof hello) != sizeof hello;
}

/* A copy of a picture with other bytes behind it. */
static void save_picture(const scene *sc, const char *seed, int number)
{
	buf file = { 0 };
	char path[400];
	assert_int_equal(ims_read_file(&file, seed, 1 << 20, NULL), 0);
	snprintf(path, sizeof path, "%s/%03d", sc->photos, number);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(file.data, 1, file.len, f), file.len);
	fprintf(f, "%04d", number);
	assert_int_equal(fclose(f), 0);
	ims_buf_free(&file);
}

static void save_pictures(const scene *sc, const char *seed, int n)
{
	for (int i = 0; i < n; i++)
		save_picture(sc, seed, i);
}

static imgsearch *open_with_helper(const scene *sc, int ends)
{
	const imgsearch_options o = {
		.struct_size = sizeof o,
		.decoder = "/proc/self/exe",
		.formats = "+tiff",
	};
	char path[400];
	imgsearch *s;
	snprintf(path, sizeof path, "%s/shared", sc->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_int_equal(ftruncate(fd, sizeof *all), 0);
	close(fd);
	setenv("TEST_SHARED", path, 1);
	works(imgsearch_open(sc->db, &o, NULL, &s, &err));
	fd = open(path, O_RDWR | O_CLOEXEC);
	const shared zero = { .ends = ends };
	assert_int_equal(pwrite(fd, &zero, sizeof zero, 0), sizeof zero);
	close(fd);
	return s;
}

static shared get_shared(void)
{
	shared got;
	int fd = open(getenv("TEST_SHARED"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &got, sizeof got, 0), sizeof got);
	close(fd);
	return got;
}

/* FILES pictures, of each format whose library is there in turn. Returns how many formats. */
static size_t save_mixed(const scene *sc)
{
	const char *here[sizeof seeds / sizeof *seeds];
	size_t n = 0;
	for (size_t f = 0; f < sizeof seeds / sizeof *seeds; f++)
		if (seeds[f] && !ims_codec_local()->check(ims_codec_local(), (image_format)f, NULL))
			here[n++] = seeds[f];
	for (int i = 0; n && i < FILES; i++) {
		char seed[100];
		snprintf(seed, sizeof seed, "tests/fuzz/seeds/%s", here[(size_t)i % n]);
		save_picture(sc, seed, i);
	}
	return n;
}

static void nothing_is_lost_when_helpers_end(void **state)
{
	const scene *sc = *state;
	size_t formats = save_mixed(sc);
	print_message("# %zu formats\n", formats);
	if (!formats)
		skip();
	imgsearch *s = open_with_helper(sc, ENDS);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.indexed, FILES);
	shared got = get_shared();
	assert_true(got.ends <= 0 && got.started >= ENDS);
	imgsearch_close(s);
}

/* One format, whose files need `needs`. */
static void leave_out(const scene *sc, image_format f, const char *needs)
{
	char seed[100];
	snprintf(seed, sizeof seed, "tests/fuzz/seeds/%s", seeds[f]);
	save_pictures(sc, seed, 3);
	photo(sc, "a.png", 1);
	setenv("TEST_MISSING", "1", 1);
	for (int run = 0; run < 2; run++) {
		imgsearch *s = open_with_helper(sc, 0);
		scene_counts n = scene_index(s, sc->photos);
		assert_int_equal(n.indexed, 1);
		assert_int_equal(n.unsupported, 3);
		shared got = get_shared(); /* several threads may look before the first knows */
		assert_true(got.started >= 1 && got.started <= (int)s->threads);
		store_picture p;
		works(ims_store_picture_get(s->store, 1, &p, &err));
		char text[100];
		snprintf(text, sizeof text, "%s files need %s, which is missing", ims_image_format_name(f),
			needs);
		assert_non_null(strstr(p.reason, text));
		ims_store_picture_clear(&p);
		imgsearch_close(s);
	}
	unsetenv("TEST_MISSING");
	imgsearch *s = open_with_helper(sc, 0);
	scene_counts n = scene_index(s, NULL);
	assert_int_equal(n.indexed, 4);
	setenv("TEST_MISSING", "1", 1);
	imgsearch_close(s);
	s = open_with_helper(sc, 0); /* what is indexed stays */
	n = scene_index(s, NULL);
	assert_int_equal(n.indexed, 4);
	assert_int_equal(n.unchanged, 4);
	unsetenv("TEST_MISSING");
	imgsearch_close(s);
}

static void leave_out_where_installed(const scene *sc, image_format f, const char *needs)
{
	if (ims_codec_local()->check(ims_codec_local(), f, NULL)) {
		print_message("# %s is missing\n", needs);
		skip();
	}
	leave_out(sc, f, needs);
}

static void missing_libwebp(void **state)
{
	leave_out_where_installed(*state, IMAGE_WEBP, "libwebp");
}

static void missing_libheif(void **state)
{
	leave_out_where_installed(*state, IMAGE_HEIC, "libheif");
}

static void missing_libheif_for_avif(void **state)
{
	leave_out_where_installed(*state, IMAGE_AVIF, "libheif");
}

static void missing_libjxl(void **state)
{
	leave_out_where_installed(*state, IMAGE_JXL, "libjxl");
}

static void missing_libtiff(void **state)
{
	leave_out_where_installed(*state, IMAGE_TIFF, "libtiff");
}

/* TIFF is off, and says so, until it is asked for. */
static void tiff_is_asked_for(void **state)
{
	const scene *sc = *state;
	if (ims_codec_local()->check(ims_codec_local(), IMAGE_TIFF, NULL)) {
		print_message("# libtiff is missing\n");
		skip();
	}
	save_pictures(sc, "tests/fuzz/seeds/tiff/RGB.tif", 2);
	static const char *const formats[] = { NULL, "", "+tiff", NULL };
	for (int run = 0; run < 4; run++) {
		const imgsearch_options o = { .struct_size = sizeof o, .formats = formats[run] };
		imgsearch *s;
		works(imgsearch_open(sc->db, &o, NULL, &s, &err));
		scene_counts n = scene_index(s, sc->photos);
		assert_int_equal(n.indexed, run < 2 ? 0 : 2);
		assert_int_equal(n.unsupported, run < 2 ? 2 : 0);
		store_picture p;
		works(ims_store_picture_get(s->store, 1, &p, &err));
		if (run < 2)
			assert_string_equal(p.reason,
				"TIFF files are read only where asked for: formats +tiff");
		ims_store_picture_clear(&p);
		imgsearch_close(s);
	}
	static const char *const bad[] = { "tiff", "+tif", "+tiff,x", "+tiff,,", "," };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const imgsearch_options o = { .struct_size = sizeof o, .formats = bad[i] };
		imgsearch *s;
		imgsearch_error why;
		assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &why), IMGSEARCH_EINVAL);
		assert_non_null(strstr(why.message, "is not one that is read where asked for"));
	}
}

static void no_helper_starts_without_need(void **state)
{
	const scene *sc = *state;
	imgsearch *s = open_with_helper(sc, 0);
	photo(sc, "a.png", 1);
	shell("echo text > '%s/b.txt'; printf %%%%PDF-1.7 > '%s/c.pdf'", sc->photos, sc->photos);
	scene_counts n = scene_index(s, sc->photos);
	assert_int_equal(n.indexed, 1);
	assert_int_equal(n.unsupported, 2);
	assert_int_equal(get_shared().started, 0);
	imgsearch_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], WIRE_WORD))
		return serve(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost_when_helpers_end),
		TEST(missing_libwebp),
		TEST(missing_libheif),
		TEST(missing_libheif_for_avif),
		TEST(missing_libjxl),
		TEST(missing_libtiff),
		TEST(tiff_is_asked_for),
		TEST(no_helper_starts_without_need),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
