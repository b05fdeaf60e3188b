/* model/published: lines of models, where they are read, and which model a file is. */
#include "test.h"

#include "model/published.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/imgsearch-test-XXXXXX";

static void put_text(const char *name, const char *text)
{
	char *path = ims_format("%s/%s", folder, name);
	file_piece piece = { text, strlen(text) };
	assert_int_equal(ims_replace_file(path, &piece, 1, NULL), 0);
	ims_free(path);
}

/* A folder of the library, and a data folder in it. */
static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || setenv("IMGSEARCH_LIBDIR", folder, 1)
		|| setenv("XDG_DATA_HOME", folder, 1))
		return -1;
	char *below = ims_format("%s/imgsearch", folder), *models = ims_format("%s/models", below);
	int rc = mkdir(below, 0777) || mkdir(models, 0777) ? -1 : 0;
	ims_free(below);
	ims_free(models);
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	char *command = ims_format("rm -rf '%s'", folder);
	int rc = system(command);
	ims_free(command);
	return rc;
}

#define FILES "\"files\":[{\"url\":\"https://a.org/b/c-0123abcd.pth?x=/y\",\"bytes\":3}]"

static int parse(published_list *l, const char *text, imgsearch_error *err)
{
	*l = (published_list){ 0 };
	return ims_published_parse(l, text, strlen(text), "list", err);
}

static void a_line_and_its_defaults(void **state)
{
	(void)state;
	published_list l;
	assert_int_equal(parse(&l,
						 "\n{\"name\":\"r\",\"network\":\"resnet18\",\"resize\":232,\"new\":[1],"
						 "\"terms\":\"T\"," FILES "}\r\n",
						 NULL),
		0);
	assert_int_equal(l.n, 1);
	const published *m = ims_published_find(&l, "r");
	assert_non_null(m);
	assert_null(ims_published_find(&l, "s"));
	assert_int_equal(m->recipe.resize, 232);
	assert_int_equal(m->recipe.crop, 224);
	assert_int_equal(m->dim, 512);
	assert_string_equal(m->terms, "T");
	assert_string_equal(m->licence, "");
	assert_string_equal(m->files[0].name, "r.pth");
	assert_int_equal(m->files[0].bytes, 3);
	ims_published_free(&l);
}

static void names_of_files(void **state)
{
	(void)state;
	published_list l;
	assert_int_equal(parse(&l,
						 "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":["
						 "{\"url\":\"https://a.org/model.safetensors.index.json\"},"
						 "{\"url\":\"https://a.org/model-1.safetensors\",\"mib_about\":100},"
						 "{\"url\":\"https://a.org/"
						 "x?download=1\",\"name\":\"config.json\",\"mib\":1.5}]}",
						 NULL),
		0);
	const published_file *f = l.item[0].files;
	assert_string_equal(f[0].name, "r.safetensors.index.json");
	assert_string_equal(f[1].name, "model-1.safetensors");
	assert_string_equal(f[2].name, "config.json");
	assert_true(ims_published_has_size(&f[2], 1572864 + 500));
	assert_false(ims_published_has_size(&f[2], 1572864 + 5000));
	assert_true(ims_published_has_size(&f[0], 7)); /* nothing is stated */
	assert_true(ims_published_has_size(&f[1], 103 << 20));
	assert_false(ims_published_has_size(&f[1], 106 << 20));
	ims_published_free(&l);
}

static void damaged_lines(void **state)
{
	(void)state;
	static const char *const line[][2] = {
		{ "{", "no JSON object" },
		{ "[]", "object" },
		{ "{} {}", "no JSON object" },
		{ "{\"name\":3}", "\"name\"" },
		{ "{\"network\":\"resnet18\"," FILES "}", "\"name\" is missing" },
		{ "{\"name\":\"../r\",\"network\":\"resnet18\"," FILES "}", "characters" },
		{ "{\"name\":\"a/r\",\"network\":\"resnet18\"," FILES "}", "characters" },
		{ "{\"name\":\".r\",\"network\":\"resnet18\"," FILES "}", "characters" },
		{ "{\"name\":\"r.pth\",\"network\":\"resnet18\"," FILES "}", "something else" },
		{ "{\"name\":\"default\",\"network\":\"resnet18\"," FILES "}", "something else" },
		{ "{\"name\":\"resnet34\",\"network\":\"resnet18\"," FILES "}", "something else" },
		{ "{\"name\":\"r\",\"network\":\"resnet19\"," FILES "}", "unknown" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"crop\":300," FILES "}", "crop 300" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"crop\":\"3\"," FILES "}", "\"crop\"" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\"}", "\"files\" is missing" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[]}", "\"files\" is missing" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"file:///a.pth\"}]}",
			"https://" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"https://a/\"}]}",
			"name has characters" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"https://a/b\"}]}",
			"no .safetensors" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"https://a/b.pth\","
		  "\"name\":\"../b.pth\"}]}",
			"characters" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"https://a/b.pth\","
		  "\"sha256\":\"0123\"}]}",
			"\"files\"" },
		{ "{\"name\":\"r\",\"network\":\"resnet18\",\"files\":[{\"url\":\"https://a/b.pth\"},"
		  "{\"url\":\"https://b/r.pth\"}]}",
			"two files" },
	};
	for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
		published_list l;
		imgsearch_error err = { 0 };
		char *text = ims_format("{\"name\":\"x\",\"network\":\"resnet18\"," FILES "}\n%s\n",
			line[i][0]);
		assert_int_equal(parse(&l, text, &err), IMGSEARCH_EFORMAT);
		assert_non_null(strstr(err.message, "list: line 2"));
		if (!strstr(err.message, line[i][1]))
			fail_msg("%s: %s", line[i][0], err.message);
		ims_published_free(&l);
		ims_free(text);
	}
}

static int first_letters(void *user, const published *m)
{
	char *letters = user;
	letters[strlen(letters)] = m->good_at[0];
	return 0;
}

static void the_users_lines_replace_those_shipped(void **state)
{
	(void)state;
	char letters[8] = "";
	put_text("models.jsonl",
		"{\"name\":\"a\",\"network\":\"resnet18\",\"good_at\":\"1\"," FILES "}\n"
		"{\"name\":\"b\",\"network\":\"resnet18\",\"good_at\":\"2\"," FILES "}\n");
	assert_int_equal(ims_published_each(first_letters, letters, NULL), 0);
	assert_string_equal(letters, "12");
	put_text("imgsearch/models/models.jsonl",
		"{\"name\":\"c\",\"network\":\"resnet18\",\"good_at\":\"3\"," FILES "}\n"
		"{\"name\":\"a\",\"network\":\"resnet18\",\"good_at\":\"4\"," FILES "}");
	memset(letters, 0, sizeof letters);
	assert_int_equal(ims_published_each(first_letters, letters, NULL), 0);
	assert_string_equal(letters, "423");
	imgsearch_error err;
	put_text("imgsearch/models/models.jsonl", "\n\nx\n");
	assert_int_equal(ims_published_each(first_letters, letters, &err), IMGSEARCH_EFORMAT);
	assert_non_null(strstr(err.message, "imgsearch/models/models.jsonl: line 3"));
}

static void which_model_a_file_is(void **state)
{
	(void)state;
	published_list l;
	const published *m;
	assert_int_equal(parse(&l,
						 "{\"name\":\"a\",\"network\":\"resnet18\",\"files\":[{\"url\":"
						 "\"https://a/a.pth\",\"bytes\":3,\"sha256\":\"00000000\"}]}\n"
						 "{\"name\":\"b\",\"network\":\"resnet18\",\"files\":[{\"url\":"
						 "\"https://a/a.pth\",\"bytes\":3,\"sha256\":\"ba7816bf\"}]}\n"
						 "{\"name\":\"c\",\"network\":\"resnet18\",\"files\":[{\"url\":"
						 "\"https://a/a.pt\",\"sha256\":\"88d4266fd4e6338d\"}]}\n",
						 NULL),
		0);
	put_text("abc", "abc");
	put_text("abcd", "abcd");
	put_text("abcd.pt", "abcd");
	const struct {
		const char *file, *name;
	} cases[] = { { "abc", "b" }, { "abcd", NULL }, { "abcd.pt", "c" } };
	for (size_t i = 0; i < 3; i++) {
		char *path = ims_format("%s/%s", folder, cases[i].file);
		assert_int_equal(ims_published_of_file(&l, path, &m, NULL), 0);
		assert_true(cases[i].name ? m && !strcmp(m->name, cases[i].name) : !m);
		ims_free(path);
	}
	assert_int_equal(ims_published_of_file(&l, "/none", &m, NULL), IMGSEARCH_ENOTFOUND);
	ims_published_free(&l);
}

/* The lines that the library brings are sound, and name networks that it has. */
static void the_shipped_lines(void **state)
{
	(void)state;
	published_list l = { 0 };
	buf text = { 0 };
	imgsearch_error err = { 0 };
	assert_int_equal(ims_read_file(&text, "lib/model/models.jsonl", 1 << 24, &err), 0);
	int rc = ims_published_parse(&l, text.data, text.len, "lib/model/models.jsonl", &err);
	if (rc)
		fail_msg("%s", err.message);
	size_t lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	assert_int_equal(lines, l.n); /* no name twice */
	for (size_t i = 0; i < l.n; i++) {
		const published *m = &l.item[i];
		assert_true(m->publisher[0] && m->licence[0] && m->good_at[0]);
		for (size_t k = 0; k < m->n_files; k++)
			assert_true(!m->files[k].sha256[0] == !m->files[k].sha256_from[0]);
	}
	ims_published_free(&l);
	ims_buf_free(&text);
}

static void failing_allocations(void **state)
{
	(void)state;
	int rc = -1;
	imgsearch_error err;
	for (uint64_t n = 1; rc; n++) {
		published_list l;
		ims_alloc_fail_after(n);
		rc = parse(&l, "{\"name\":\"r\",\"network\":\"resnet18\"," FILES "}", &err);
		ims_alloc_fail_after(0);
		ims_published_free(&l);
		assert_true(rc == 0 || n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_and_its_defaults),
		cmocka_unit_test(names_of_files),
		cmocka_unit_test(damaged_lines),
		cmocka_unit_test(the_users_lines_replace_those_shipped),
		cmocka_unit_test(which_model_a_file_is),
		cmocka_unit_test(the_shipped_lines),
		cmocka_unit_test(failing_allocations),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
