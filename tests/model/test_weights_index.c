/* Weights of several files with an index: what good ones give, and each way to be wrong. */
#include "files.h"
#include "test.h"

#include "model/safetensors.h"
#include "model/weights_index.h"
#include "model/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/imgsearch-test-XXXXXX";
static const float row[] = { 1, 2, 3 };

static char *at(const char *name)
{
	return ims_format("%s/%s", folder, name);
}

static void put_text(const char *name, const char *text)
{
	char *path = at(name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	ims_free(path);
}

/* A shard with a tensor of 3 values by each name, which are one letter long. */
static void put_shard(const char *name, const char *letters)
{
	shim_tensor tensor[4];
	char text[4][2];
	size_t n = strlen(letters);
	assert_true(n <= 4);
	for (size_t i = 0; i < n; i++) {
		memcpy(text[i], (char[]){ letters[i], 0 }, 2);
		tensor[i] = (shim_tensor){ text[i], row, SHIM_F32, 1, { 3 } };
	}
	char *path = at(name);
	assert_int_equal(ims_safetensors_write(path, tensor, n, NULL), 0);
	ims_free(path);
}

static void put_index(const char *map)
{
	char *text = ims_format("{\"metadata\":{\"total_size\":36},\"weight_map\":{%s}}", map);
	put_text("m.safetensors.index.json", text);
	ims_free(text);
}

static const char good[] =
	"\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":\"1.safetensors\"";

static void put_good(void)
{
	put_shard("1.safetensors", "ac");
	put_shard("2.safetensors", "b");
	put_index(good);
}

static int open_index(weights *w, imgsearch_error *err)
{
	char *path = at("m.safetensors.index.json");
	int rc = ims_weights_open(w, path, err);
	ims_free(path);
	return rc;
}

static hash256 hash_of(const char *name)
{
	hash256 h;
	char *path = at(name);
	assert_int_equal(ims_weights_hash(&h, path, NULL), 0);
	ims_free(path);
	return h;
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	char *command = ims_format("rm -rf '%s'", folder);
	int rc = system(command);
	ims_free(command);
	return rc;
}

static void all_shards_are_one_file(void **state)
{
	(void)state;
	weights w;
	put_good();
	assert_int_equal(open_index(&w, NULL), 0);
	assert_int_equal(w.n, 3);
	for (size_t i = 0; i < w.n; i++)
		assert_memory_equal(w.tensor[i].data, row, sizeof row);
	assert_string_equal(w.tensor[0].name, "a");
	assert_string_equal(w.tensor[2].name, "b");
	ims_weights_free(&w);
}

/* Each file is part of the hash. */
static void the_hash_is_of_all(void **state)
{
	(void)state;
	static const char index[] = "m.safetensors.index.json";
	put_good();
	hash256 first = hash_of(index), h = hash_of(index), alone = hash_of("1.safetensors");
	assert_true(ims_hash_equal(&first, &h));
	assert_false(ims_hash_equal(&first, &alone));
	put_shard("2.safetensors", "bd");
	h = hash_of(index);
	assert_false(ims_hash_equal(&first, &h));
	put_good();
	put_index("\"b\":\"2.safetensors\",\"a\":\"1.safetensors\",\"c\":\"1.safetensors\"");
	h = hash_of(index);
	assert_false(ims_hash_equal(&first, &h));
}

static void refused(int status, const char *file, const char *word)
{
	imgsearch_error err = { 0 };
	weights w;
	int rc = open_index(&w, &err);
	if (rc != status || !strstr(err.message, word) || !strstr(err.message, file))
		fail_msg("wanted %d \"%s\" of %s, got %d \"%s\"", status, word, file, rc, err.message);
	assert_int_equal(w.n, 0);
}

static void wrong_shards(void **state)
{
	(void)state;
	static const char index[] = "m.safetensors.index.json", shard[] = "1.safetensors";
	put_good();
	put_shard("2.safetensors", "bc");
	refused(IMGSEARCH_EFORMAT, "2.safetensors",
		"tensor \"c\" is in this file, by the index in 1.safetensors");
	put_shard("2.safetensors", "bd");
	refused(IMGSEARCH_EFORMAT, "2.safetensors", "tensor \"d\" is not in the index");
	put_good();
	put_shard("1.safetensors", "aca");
	refused(IMGSEARCH_EFORMAT, shard, "tensor \"a\" is there twice");
	put_shard("1.safetensors", "a");
	refused(IMGSEARCH_EFORMAT, index, "tensor \"c\" is not in 1.safetensors");
	put_text("1.safetensors", "no weights at all");
	refused(IMGSEARCH_EFORMAT, shard, "a text (\"no weights at all\")");
	put_text("1.safetensors", "version https://git-lfs.github.com/spec/v1\nsize 7\n");
	refused(IMGSEARCH_EFORMAT, shard, "Git LFS pointer");
	put_text("1.safetensors", "");
	refused(IMGSEARCH_EFORMAT, shard, "empty");
	char *path = at("1.safetensors");
	unlink(path);
	refused(IMGSEARCH_ENOTFOUND, shard, "tensor \"a\"");
	hash256 h;
	imgsearch_error err;
	char *name = at(index);
	assert_int_equal(ims_weights_hash(&h, name, &err), IMGSEARCH_ENOTFOUND);
	assert_non_null(strstr(err.message, shard));
	ims_free(name);
	ims_free(path);
}

static void wrong_indexes(void **state)
{
	(void)state;
	static const struct {
		const char *map, *word;
	} row_of[] = {
		{ "\"a\":\"../1.safetensors\"", "tensor \"a\" is in \"../1.safetensors\"" },
		{ "\"a\":\"/1.safetensors\"", "tensor \"a\"" },
		{ "\"a\":\".safetensors\"", "tensor \"a\"" },
		{ "\"a\":\"1.pth\"", "tensor \"a\"" },
		{ "\"a\":\"1.safetensors\",\"a\":\"2.safetensors\"", "tensor \"a\" is listed twice" },
		{ "", "is empty" },
		{ "\"a\":1", "the file of tensor \"a\": a string was expected" },
		{ "\"a\":\"1.safetensors\"}", "no index of shards: " },
	};
	put_good();
	for (size_t i = 0; i < sizeof row_of / sizeof *row_of; i++) {
		put_index(row_of[i].map);
		refused(IMGSEARCH_EFORMAT, "m.safetensors.index.json", row_of[i].word);
	}
	put_text("m.safetensors.index.json", "{\"metadata\":{}}");
	refused(IMGSEARCH_EFORMAT, "m.safetensors.index.json", "\"weight_map\" is missing");
	put_text("m.safetensors.index.json", "");
	refused(IMGSEARCH_EFORMAT, "m.safetensors.index.json", "empty");
	put_text("m.safetensors.index.json", "<html><title>Sign in</title>");
	refused(IMGSEARCH_EFORMAT, "m.safetensors.index.json", "web page (\"Sign in\")");
}

static void too_many_shards(void **state)
{
	(void)state;
	buf text = { 0 };
	weights_index x;
	imgsearch_error err;
	ims_buf_text(&text, "{\"weight_map\":{");
	for (int i = 0; i <= WEIGHTS_INDEX_MAX_FILES; i++)
		ims_buf_text(&text, "%s\"%d\":\"%d.safetensors\"", i ? "," : "", i, i);
	ims_buf_text(&text, "}}");
	assert_int_equal(ims_weights_index_parse(&x, text.data, text.len, &err), IMGSEARCH_ELIMIT);
	ims_weights_index_free(&x);
	ims_buf_free(&text);
}

static void failing_allocations(void **state)
{
	(void)state;
	weights w;
	int rc = IMGSEARCH_ENOMEM;
	put_good();
	char *path = at("m.safetensors.index.json");
	for (uint64_t n = 1; rc; n++) {
		ims_alloc_fail_after(n);
		rc = ims_weights_open(&w, path, NULL);
		ims_alloc_fail_after(0);
		if (rc)
			assert_int_equal(rc, IMGSEARCH_ENOMEM);
		assert_true(n < 1000);
	}
	ims_weights_free(&w);
	ims_free(path);
}

static void names(void **state)
{
	(void)state;
	assert_true(ims_weights_index_named("x/model.safetensors.index.json"));
	assert_false(ims_weights_index_named(".safetensors.index.json"));
	assert_false(ims_weights_index_named("model.index.json"));
	assert_int_equal(ims_weights_index_stem("x/model.safetensors.index.json"), 7);
	assert_int_equal(ims_weights_index_stem("x/model.safetensors"), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_shards_are_one_file),
		cmocka_unit_test(the_hash_is_of_all),
		cmocka_unit_test(wrong_shards),
		cmocka_unit_test(wrong_indexes),
		cmocka_unit_test(too_many_shards),
		cmocka_unit_test(failing_allocations),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
