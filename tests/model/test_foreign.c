/* Files that are taken for weights and are none: the sentence says what they are. */
#include "files.h"
#include "test.h"

#include "model/weights.h"

#include <stdlib.h>

static void refused(const void *data, size_t n, const char *word)
{
	weights w = { 0 };
	imgsearch_error err = { 0 };
	uint8_t *copy = malloc(n ? n : 1); /* its end is a border that the sanitizer sees */
	memcpy(copy, data, n);
	int rc = ims_weights_parse(&w, copy, n, &err);
	if (rc != IMGSEARCH_EFORMAT || !strstr(err.message, word))
		fail_msg("wanted \"%s\", got %d \"%s\"", word, rc, err.message);
	free(copy);
}

static void first_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *first;
		size_t n;
		const char *word;
	} kinds[] = {
#define FIRST(bytes) bytes, sizeof bytes - 1
		{ FIRST("\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0"), "HDF5, as Keras writes it" },
		{ FIRST("GGUF\3\0\0\0\12\0\0\0\0\0\0\0"), "GGUF" },
		{ FIRST("\x93NUMPY\1\0"), "NumPy" },
		{ FIRST("\x20\0\0\0TFL3"), "TensorFlow Lite" },
		{ FIRST("\10\7\22\7pytorch\32\5\61.13.\72\1"), "ONNX" },
		{ FIRST("\x1f\x8b\10\0"), "packed by gzip; unpack it" },
		{ FIRST("7z\xbc\xaf\x27\x1c"), "a 7z archive" },
		{ FIRST("\x7f"
				"ELF\2\1\1"),
			"a program" },
		{ FIRST("\xff\xd8\xff\xe0"), "a picture" },
		{ FIRST("\1\2\3"), "only 3 bytes" },
		{ FIRST("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "begins with zeros" },
		{ FIRST("\1\2\3\4\5\6\7\10\1\2\3\4\5\6\7\10"), "weights are .pth" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		refused(kinds[i].first, kinds[i].n, kinds[i].word);
	char tar[512] = "resnet.pth";
	memcpy(tar + 257, "ustar", 5);
	refused(tar, sizeof tar, "a tar archive");
	refused(tar, 259, "not a weights file");
}

static void texts(void **state)
{
	(void)state;
	static const char *const text[][2] = {
		{ "<!DOCTYPE html>\n<html><title>\n404 Not Found</title>", "web page (\"404 Not Found\")" },
		{ "\n <HTML>no title", "web page" },
		{ "<?xml version=\"1.0\"?>\n<Error>", "a text (\"<?xml version=\"1.0\"?>\")" },
		{ "Entry not found", "a text (\"Entry not found\")" },
		{ "\n", "a text (\"\")" },
		{ "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
			"Git LFS pointer to them (12345 bytes); `git lfs pull`" },
		{ "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer" },
	};
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		for (size_t n = strlen(text[i][0]), k = 1; k <= n; k++)
			refused(text[i][0], k, k == n ? text[i][1] : "not ");
}

static void archives(void **state)
{
	(void)state;
	static const char *const names[][2] = {
		{ "folder/resnet50.pth", "\"folder/resnet50.pth\" in it; unpack it first" },
		{ "conv1.weight.npy", "arrays of NumPy" },
		{ "notes.txt", "data.pkl is missing" },
	};
	for (size_t i = 0; i < 3; i++) {
		buf b = { 0 };
		made_entry one = { names[i][0], { 0 } };
		put_archive(&b, &one, 1);
		refused(b.data, b.len, names[i][1]);
		ims_buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_bytes),
		cmocka_unit_test(texts),
		cmocka_unit_test(archives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
