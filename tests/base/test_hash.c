/* base/hash: known answers. */
#include "test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_their_specifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
