/* engine/location: paths and file URIs, and what imgsearch_open makes of them. */
#include "engine/location.h"

#include "scene.h"

static void is_path(const char *location, const char *wanted)
{
	imgsearch_error err = { 0 };
	char *path = NULL;
	if (ims_location_path(location, &path, &err))
		fail_msg("%s: %s", location, err.message);
	assert_string_equal(path, wanted);
	ims_free(path);
}

static void is_refused(const char *location, int code)
{
	imgsearch_error err = { 0 };
	char *path = (char *)&err;
	assert_int_equal(ims_location_path(location, &path, &err), code);
	assert_null(path);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.message, location));
}

static void paths_stay_as_they_are(void **state)
{
	static const char *const paths[] = { "photos.db", "/a/b.db", "./a://b", "/a://b", "C:foo",
		"C:\\foo", "file:foo", "file:/foo", "a:/b", "1a://b", "a b%20c", "://a", "a_b://c", "file",
		":memory:", "file:", "%zz", "\xff\xfe" };
	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		is_path(paths[i], paths[i]);
}

static void file_uris_are_decoded(void **state)
{
	(void)state;
	is_path("file:///a/b.db", "/a/b.db");
	is_path("file://localhost/a/b.db", "/a/b.db");
	is_path("FILE:///a", "/a");
	is_path("file:///a%20b", "/a b");
	is_path("file:///%41%6a%6A%25", "/Ajj%");
	is_path("file:///%C3%A4", "/\xc3\xa4");
	is_path("file:///a%2Fb", "/a/b");
	is_path("file:///", "/");
	is_path("file:////a", "//a");
	is_path("file://localhost/", "/");
}

static void damaged_escapes_are_refused(void **state)
{
	(void)state;
	is_refused("file:///a%", IMGSEARCH_EINVAL);
	is_refused("file:///a%2", IMGSEARCH_EINVAL);
	is_refused("file:///a%2g", IMGSEARCH_EINVAL);
	is_refused("file:///a%g2", IMGSEARCH_EINVAL);
	is_refused("file:///a%%20", IMGSEARCH_EINVAL);
	is_refused("file:///a%00b", IMGSEARCH_EINVAL);
}

static void other_schemes_and_hosts_are_not_supported(void **state)
{
	(void)state;
	is_refused("a://b", IMGSEARCH_EUNSUPPORTED);
	is_refused("http://localhost/a", IMGSEARCH_EUNSUPPORTED);
	is_refused("files:///a", IMGSEARCH_EUNSUPPORTED);
	is_refused("fil:///a", IMGSEARCH_EUNSUPPORTED);
	is_refused("s3+x.y-1://bucket/a", IMGSEARCH_EUNSUPPORTED);
	is_refused("file://host/a", IMGSEARCH_EUNSUPPORTED);
	is_refused("file://localhost.example/a", IMGSEARCH_EUNSUPPORTED);
	is_refused("file://localhost", IMGSEARCH_EUNSUPPORTED);
	is_refused("file://", IMGSEARCH_EUNSUPPORTED);
}

static void memory_may_be_short(void **state)
{
	imgsearch_error err = { 0 };
	char *path;
	(void)state;
	ims_alloc_fail_after(1);
	assert_int_equal(ims_location_path("file:///a", &path, &err), IMGSEARCH_ENOMEM);
	ims_alloc_fail_after(0);
	assert_null(path);
}

/* Makes the index `location` and asserts that the file `name` is there afterwards. */
static void makes(const scene *sc, const char *location, const char *name)
{
	imgsearch_error err = { 0 };
	imgsearch_options o = { .struct_size = sizeof o, .dim = 2 };
	imgsearch_info *info;
	imgsearch *s;
	char path[200];
	float row[2] = { 1, 0 };
	if (imgsearch_open(location, &o, NULL, &s, &err))
		fail_msg("%s: %s", location, err.message);
	assert_int_equal(imgsearch_vectors_add(s, row, 1, 2, NULL, NULL, NULL, &err), 0);
	snprintf(path, sizeof path, "%s/%s", sc->dir, name);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(imgsearch_info_get(s, NULL, &info, &err), 0);
	assert_int_equal(info->path[0], '/');
	assert_non_null(strstr(info->path, strrchr(path, '/')));
	imgsearch_info_free(info);
	imgsearch_close(s);
}

static void an_index_lies_where_its_location_says(void **state)
{
	scene *sc = *state;
	char uri[200];
	imgsearch_error err = { 0 };
	imgsearch *s = (imgsearch *)&err;
	assert_int_equal(chdir(sc->dir), 0);
	makes(sc, "plain.db", "plain.db");
	makes(sc, "C:foo", "C:foo");
	makes(sc, "file:foo", "file:foo");
	makes(sc, "a b%20c?mode=memory", "a b%20c?mode=memory");
	snprintf(uri, sizeof uri, "file://%s/by%%20uri.db", sc->dir);
	makes(sc, uri, "by uri.db");
	mkdir("a:", 0777);
	makes(sc, "./a://b", "a:/b");
	assert_int_equal(imgsearch_open("a://b", NULL, NULL, &s, &err), IMGSEARCH_EUNSUPPORTED);
	assert_null(s);
	assert_non_null(strstr(err.message, "./"));
	assert_int_equal(imgsearch_open("", NULL, NULL, &s, &err), IMGSEARCH_EINVAL);
	assert_int_equal(imgsearch_open(NULL, NULL, NULL, &s, &err), IMGSEARCH_EINVAL);
	assert_int_equal(chdir("/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_stay_as_they_are),
		cmocka_unit_test(file_uris_are_decoded),
		cmocka_unit_test(damaged_escapes_are_refused),
		cmocka_unit_test(other_schemes_and_hosts_are_not_supported),
		cmocka_unit_test(memory_may_be_short),
		cmocka_unit_test_setup_teardown(an_index_lies_where_its_location_says, scene_setup,
			scene_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
