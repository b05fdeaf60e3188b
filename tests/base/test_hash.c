/* base/hash, base/sha256: known answers. */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static void hashes_match_their_specifications(void **state)
{
	(void)state;
	char hex[65];
	hash256 h = ims_hash("abc", 3);
	ims_hash_hex(&h, hex);
	assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	h = ims_hash(NULL, 0);
	ims_hash_hex(&h, hex);
	assert_string_equal(hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	assert_true(ims_checksum("", 0, 0) == 0xEF46DB3751D8E999u);
	assert_true(ims_checksum("abc", 3, 0) == 0x44BC2CF5AD770999u);
	uint8_t run[101];
	for (int i = 0; i < 101; i++)
		run[i] = (uint8_t)i;
	uint64_t whole = ims_checksum(run, 101, 0);
	run[100] ^= 1;
	assert_true(ims_checksum(run, 101, 0) != whole);
}

static void assert_sha256(const char *text, size_t times, size_t piece, const char *expected)
{
	char hex[SHA256_TEXT];
	sha256 s;
	ims_sha256_begin(&s);
	for (size_t i = 0; i < times; i++)
		for (size_t at = 0, n = strlen(text); at < n; at += piece)
			ims_sha256_add(&s, text + at, n - at < piece ? n - at : piece);
	ims_sha256_end(&s, hex);
	assert_string_equal(hex, expected);
}

/* The examples that the standard gives, in pieces of several sizes. */
static void sha256_matches_its_standard(void **state)
{
	(void)state;
	static const size_t pieces[] = { 1, 3, 63, 64, 65, 1000 };
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		assert_sha256("", 1, pieces[i],
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		assert_sha256("abc", 1, pieces[i],
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, pieces[i],
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
		assert_sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
					  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			1, pieces[i], "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
	}
	assert_sha256("aaaaaaaaaa", 100000, 10,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_of_a_file(void **state)
{
	(void)state;
	char path[] = "/tmp/imgsearch-test-XXXXXX", hex[SHA256_TEXT];
	int fd = mkstemp(path);
	uint64_t bytes = 0;
	imgsearch_error err;
	assert_true(fd >= 0 && write(fd, "abc", 3) == 3);
	close(fd);
	assert_int_equal(ims_sha256_file(hex, &bytes, path, &err), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(bytes, 3);
	unlink(path);
	assert_int_equal(ims_sha256_file(hex, &bytes, path, &err), IMGSEARCH_ENOTFOUND);
	assert_int_equal(ims_sha256_file(hex, &bytes, "/tmp", &err), IMGSEARCH_EIO);
	assert_non_null(strstr(err.message, "/tmp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_their_specifications),
		cmocka_unit_test(sha256_matches_its_standard),
		cmocka_unit_test(sha256_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
