/* base/hash, base/sha256: known answers. */
#include "test.h"

#include "base/hash_blocks.h"
#include "base/random.h"

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

static void long_hashes_match_their_specification(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		const char *hex;
	} known[] = {
		{ 127, "4ff62e7c4c43fe101a078479c48836be4907d9d498dcc577ca89d694b2c11f9b" },
		{ 128, "14696d2a98d9f8a280da8b132b1045b345e1033759c6b02fcc4ee885c8ae7c37" },
		{ 129, "3934215260b1039be9d9d2b073b059bcd50120c327a22af93eb4d98cf821c14c" },
		{ 256, "3d0cb2693dfbac42af5a6cc960953fea8714aa39c4bcd054ef61d6b5e98ade4a" },
		{ 257, "00466ab5e91660e4fdbef955724cca27cee84370539f22d393d1f566bd177514" },
		{ 1000, "38981cec8fd0971914a759c4fac0538dbb29495eec4aea07f277e1f5f8562d27" },
	};
	uint8_t bytes[1000];
	char hex[65];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		hash256 h = ims_hash(bytes, known[i].n);
		ims_hash_hex(&h, hex);
		assert_string_equal(hex, known[i].hex);
	}
}

static void all_cpus_hash_alike(void **state)
{
	(void)state;
	uint8_t bytes[128 * 9];
	uint64_t random = 1, h[2][8];
	uint32_t s[2][8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)ims_random(&random);
	for (int i = 0; i < 8; i++) {
		h[0][i] = h[1][i] = ims_random(&random);
		s[0][i] = s[1][i] = (uint32_t)ims_random(&random);
	}
	ims_blake_blocks *blake = ims_blake_blocks_fast();
	ims_sha256_blocks *sha = ims_sha256_blocks_fast();
	if (blake) {
		ims_blake_blocks_plain(h[0], bytes, 9, UINT32_MAX);
		blake(h[1], bytes, 9, UINT32_MAX);
		assert_memory_equal(h[0], h[1], sizeof h[0]);
	}
	if (sha) {
		ims_sha256_blocks_plain(s[0], bytes, 18);
		sha(s[1], bytes, 18);
		assert_memory_equal(s[0], s[1], sizeof s[0]);
	}
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
		cmocka_unit_test(long_hashes_match_their_specification),
		cmocka_unit_test(all_cpus_hash_alike),
		cmocka_unit_test(sha256_matches_its_standard),
		cmocka_unit_test(sha256_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
