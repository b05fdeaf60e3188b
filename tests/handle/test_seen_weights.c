/* A large weights file is hashed once: the index remembers it by size, times and inode. */
#include "../collection/collection.h"

#include "handle/model_choice.h"
#include "handle/seen_weights.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static imgsearch_error err;

enum { VALUES = 17 << 18 }; /* of one tensor, in f32: 17 MiB */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void set_time(const char *path, time_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* dir/large.safetensors of zeros, and its card; *path is freed by free. */
static char *write_model(const scene *sc)
{
	char head[256], *path = malloc(200), card[200];
	snprintf(path, 200, "%s/large.safetensors", sc->dir);
	snprintf(card, sizeof card, "%s/large.json", sc->dir);
	write_file(card,
		"{\"name\":\"large\",\"network\":\"mobilenet_v2\",\"resize\":32,\"crop\":32,\"dim\":48}");
	snprintf(head + 8, sizeof head - 8,
		"{\"x\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]}}", VALUES, VALUES * 4);
	size_t n = strlen(head + 8);
	memcpy(head, (const uint8_t[8]){ (uint8_t)n }, 8);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, n + 8), n + 8);
	assert_int_equal(ftruncate(fd, (off_t)(n + 8) + (off_t)VALUES * 4), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

static imgsearch *index_with(const scene *sc, const char *model)
{
	imgsearch *s;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.model = model;
	assert_int_equal(imgsearch_open(sc->db, &o, NULL, &s, &err), 0);
	scene_index(s, sc->photos);
	return s;
}

static void expect_hash(imgsearch *s, char hash[65])
{
	model_identity id;
	assert_int_equal(ims_identity_stored(s, false, &id, &err), 0);
	memcpy(hash, id.weights_hash, 65);
	ims_model_identity_free(&id);
}

static void remembered(void **state)
{
	scene *sc = *state;
	char hash[65], *path = write_model(sc);
	set_time(path, 1000000000);
	draw_photos(sc, 2);
	imgsearch *s = index_with(sc, path);
	expect_hash(s, hash);
	assert_true(ims_weights_are_seen(s, path, hash));
	assert_false(ims_weights_are_seen(s, path, "00"));
	assert_false(ims_weights_are_seen(s, "/nowhere", hash));
	imgsearch_close(s);
	s = index_with(sc, NULL); /* by the file that it has */
	assert_true(ims_weights_are_seen(s, path, hash));
	set_time(path, 1000000001);
	assert_false(ims_weights_are_seen(s, path, hash));
	imgsearch_close(s);
	free(path);
}

/* What was written just now may be written again within the same tick of the clock. */
static void not_too_soon(void **state)
{
	scene *sc = *state;
	char hash[65], *path = write_model(sc);
	set_time(path, time(NULL) + 3600);
	draw_photos(sc, 2);
	imgsearch *s = index_with(sc, path);
	expect_hash(s, hash);
	assert_false(ims_weights_are_seen(s, path, hash));
	imgsearch_close(s);
	free(path);
}

/* A changed file is another model, whatever was remembered. */
static void changed(void **state)
{
	scene *sc = *state;
	char before[65], after[65], *path = write_model(sc);
	set_time(path, 1000000000);
	draw_photos(sc, 2);
	imgsearch *s = index_with(sc, path);
	expect_hash(s, before);
	imgsearch_close(s);
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 1 << 20, SEEK_SET), 0);
	assert_int_equal(fputc(1, f), 1);
	assert_int_equal(fclose(f), 0);
	set_time(path, 1000000000);
	s = index_with(sc, path);
	expect_hash(s, after);
	assert_string_not_equal(before, after);
	imgsearch_close(s);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(remembered, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(not_too_soon, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(changed, scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
