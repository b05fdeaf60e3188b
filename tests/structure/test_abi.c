/*
 * The layout of every public struct is a promise (docs/abi.md): sizes and offsets on 64-bit
 * machines, no padding at an end (a field added later would lie in it, and old callers would pass
 * garbage), and the numbers of enumerators. A struct may grow at its end; then its size here
 * changes, and nothing else.
 */
#include "test.h"

#define FIELD(type, field, at) assert_int_equal(offsetof(type, field), at)
/* The last field ends where the struct ends. */
#define SIZE(type, last, size) \
	assert_int_equal(sizeof(type), size); \
	assert_int_equal(offsetof(type, last) + sizeof(((type *)0)->last), size)

static void options(void **state)
{
	(void)state;
	FIELD(imgsearch_events, log, 8);
	SIZE(imgsearch_events, progress, 24);
	FIELD(imgsearch_progress, done, 16);
	FIELD(imgsearch_progress, failed, 32);
	SIZE(imgsearch_progress, accuracy, 56);
	FIELD(imgsearch_recipe, mean, 8);
	SIZE(imgsearch_recipe, interpolation, 36);
	FIELD(imgsearch_options, struct_size, 0);
	FIELD(imgsearch_options, events, 8);
	FIELD(imgsearch_options, model, 32);
	FIELD(imgsearch_options, precision, 56);
	FIELD(imgsearch_options, recipe, 64);
	FIELD(imgsearch_options, dim, 100);
	FIELD(imgsearch_options, max_megapixels, 108);
	FIELD(imgsearch_index_update_options, csv, 40);
	FIELD(imgsearch_index_update_options, follow_links, 64);
	FIELD(imgsearch_build_options, variance, 16);
	FIELD(imgsearch_build_options, components, 24);
	FIELD(imgsearch_query_options, k, 8);
	FIELD(imgsearch_query_options, max_chance, 24);
	FIELD(imgsearch_query_options, searcher, 32);
	FIELD(imgsearch_query_options, under, 64);
	FIELD(imgsearch_query_options, filter, 88);
	FIELD(imgsearch_query_options, threads, 104);
	FIELD(imgsearch_train_options, loss, 56);
	FIELD(imgsearch_train_options, rate, 100);
	FIELD(imgsearch_train_options, seed, 136);
	FIELD(imgsearch_train_options, int8, 148);
	SIZE(imgsearch_train_options, blend, 160);
}

static void results(void **state)
{
	(void)state;
	FIELD(imgsearch_error, message, 8);
	SIZE(imgsearch_error, message, 512);
	FIELD(imgsearch_input, path, 8);
	FIELD(imgsearch_input, id, 32);
	FIELD(imgsearch_input, crop, 48);
	SIZE(imgsearch_input, crop, 64);
	FIELD(imgsearch_counts, added, 64);
	SIZE(imgsearch_counts, store_s, 144);
	SIZE(imgsearch_build_report, why, 288);
	SIZE(imgsearch_column, value, 16);
	FIELD(imgsearch_hit, columns, 24);
	FIELD(imgsearch_hit, score, 40);
	SIZE(imgsearch_hit, chance, 56);
	FIELD(imgsearch_hits, exact, 40);
	SIZE(imgsearch_hits, seconds_search, 64);
	FIELD(imgsearch_info, counts, 32);
	FIELD(imgsearch_info, recipe, 208);
	FIELD(imgsearch_item, columns, 32);
	FIELD(imgsearch_item, hash, 88);
	SIZE(imgsearch_item, reserved, 160);
	SIZE(imgsearch_model, note, 40);
	SIZE(imgsearch_check_searcher, memory, 48);
	FIELD(imgsearch_check_report, searcher, 32);
	FIELD(imgsearch_train_report, loss, 40);
	SIZE(imgsearch_train_report, stopped_early, 96);
}

/* Every options struct begins with its size and ends with its last field. */
static void no_padding_at_ends(void **state)
{
	(void)state;
#define OPTIONS(type, last) \
	assert_int_equal(offsetof(type, struct_size), 0); \
	assert_int_equal(offsetof(type, last) + sizeof(((type *)0)->last), sizeof(type))
	OPTIONS(imgsearch_options, flip);
	OPTIONS(imgsearch_index_update_options, reserved);
	OPTIONS(imgsearch_build_options, reserved);
	OPTIONS(imgsearch_query_options, views);
	OPTIONS(imgsearch_groups_options, kinds);
	OPTIONS(imgsearch_map_options, pca);
	OPTIONS(imgsearch_train_options, blend);
	OPTIONS(imgsearch_eval_options, reserved);
}

static void numbers(void **state)
{
	(void)state;
	const int status[] = {
		IMGSEARCH_OK,
		IMGSEARCH_EINVAL,
		IMGSEARCH_ENOMEM,
		IMGSEARCH_EIO,
		IMGSEARCH_ENOTFOUND,
		IMGSEARCH_EFORMAT,
		IMGSEARCH_ELIMIT,
		IMGSEARCH_EMODEL,
		IMGSEARCH_EDB,
		IMGSEARCH_EVERSION,
		IMGSEARCH_EUNSUPPORTED,
		IMGSEARCH_EBUSY,
		IMGSEARCH_ECANCELED,
	};
	for (int i = 0; i < (int)(sizeof status / sizeof *status); i++)
		assert_int_equal(status[i], -i);
	assert_int_equal(IMGSEARCH_INPUT_FILE, 1);
	assert_int_equal(IMGSEARCH_INPUT_ITEM, 5);
	assert_int_equal(IMGSEARCH_STATE_INDEXED, 1);
	assert_int_equal(IMGSEARCH_STATE_UNREADABLE, 7);
	assert_int_equal(IMGSEARCH_METRIC_COSINE, 0);
	assert_int_equal(IMGSEARCH_METRIC_IP, 2);
	assert_int_equal(IMGSEARCH_PRECISION_BF16, 2);
	for (int i = -13; i <= 0; i++)
		assert_true(imgsearch_status_text(i)[0] != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(results),
		cmocka_unit_test(no_padding_at_ends),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
