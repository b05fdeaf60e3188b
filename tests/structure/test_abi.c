/*
 * The layout of every public struct is a promise (docs/abi.md): sizes and offsets on 64-bit
 * machines, no padding at an end (a field added later would lie in it, and old callers would pass
 * garbage), and the numbers of enumerators. A struct may grow at its end; then its size here
 * changes, and nothing else. imgsearch_error and imgsearch_input do not even grow.
 */
#include "imgsearch/eval.h"
#include "imgsearch/train.h"
#include "test.h"

#include <stdio.h>

#define FIELD(type, field, at) assert_int_equal(offsetof(type, field), at)
/* The last field ends where the struct ends. */
#define SIZE(type, last, size) \
	assert_int_equal(sizeof(type), size); \
	assert_int_equal(offsetof(type, last) + sizeof(((type *)0)->last), size)

static void frozen(void **state)
{
	(void)state;
	FIELD(imgsearch_error, detail, 4);
	FIELD(imgsearch_error, message, 8);
	SIZE(imgsearch_error, message, 512);
	FIELD(imgsearch_input, weight, 4);
	FIELD(imgsearch_input, path, 8);
	FIELD(imgsearch_input, text, 16);
	FIELD(imgsearch_input, data, 24);
	FIELD(imgsearch_input, size, 32);
	FIELD(imgsearch_input, id, 40);
	FIELD(imgsearch_input, width, 48);
	FIELD(imgsearch_input, height, 52);
	FIELD(imgsearch_input, crop, 56);
	FIELD(imgsearch_input, reserved, 72);
	SIZE(imgsearch_input, reserved, 88);
}

static void options(void **state)
{
	(void)state;
	FIELD(imgsearch_call, struct_size, 0);
	FIELD(imgsearch_call, user, 8);
	FIELD(imgsearch_call, log, 16);
	FIELD(imgsearch_call, progress, 24);
	FIELD(imgsearch_call, cancel, 32);
	FIELD(imgsearch_call, deadline_ms, 40);
	SIZE(imgsearch_call, deadline_ms, 48);
	FIELD(imgsearch_recipe, struct_size, 0);
	FIELD(imgsearch_recipe, resize, 8);
	FIELD(imgsearch_recipe, crop, 12);
	FIELD(imgsearch_recipe, mean, 16);
	FIELD(imgsearch_recipe, std, 28);
	FIELD(imgsearch_recipe, interpolation, 40);
	FIELD(imgsearch_recipe, flip, 44);
	SIZE(imgsearch_recipe, flip, 48);
	FIELD(imgsearch_options, struct_size, 0);
	FIELD(imgsearch_options, model, 8);
	FIELD(imgsearch_options, weights, 16);
	FIELD(imgsearch_options, device, 24);
	FIELD(imgsearch_options, recipe, 32);
	FIELD(imgsearch_options, precision, 40);
	FIELD(imgsearch_options, threads, 44);
	FIELD(imgsearch_options, dim, 48);
	FIELD(imgsearch_options, metric, 52);
	FIELD(imgsearch_options, max_megapixels, 56);
	FIELD(imgsearch_options, must_exist, 60);
	FIELD(imgsearch_options, read_only, 64);
	FIELD(imgsearch_options, full_decode, 68);
	SIZE(imgsearch_options, full_decode, 72);
	FIELD(imgsearch_extract_options, struct_size, 0);
	FIELD(imgsearch_extract_options, raw, 8);
	FIELD(imgsearch_extract_options, reserved, 12);
	SIZE(imgsearch_extract_options, reserved, 16);
	FIELD(imgsearch_index_update_options, struct_size, 0);
	FIELD(imgsearch_index_update_options, include, 8);
	FIELD(imgsearch_index_update_options, n_include, 16);
	FIELD(imgsearch_index_update_options, exclude, 24);
	FIELD(imgsearch_index_update_options, n_exclude, 32);
	FIELD(imgsearch_index_update_options, csv, 40);
	FIELD(imgsearch_index_update_options, csv_key, 48);
	FIELD(imgsearch_index_update_options, csv_title, 56);
	FIELD(imgsearch_index_update_options, follow_links, 64);
	FIELD(imgsearch_index_update_options, prune, 68);
	FIELD(imgsearch_index_update_options, retry, 72);
	FIELD(imgsearch_index_update_options, reserved, 76);
	SIZE(imgsearch_index_update_options, reserved, 80);
	FIELD(imgsearch_index_add_options, struct_size, 0);
	FIELD(imgsearch_index_add_options, transaction, 8);
	FIELD(imgsearch_index_add_options, name, 16);
	FIELD(imgsearch_index_add_options, id, 24);
	FIELD(imgsearch_index_add_options, has_id, 32);
	FIELD(imgsearch_index_add_options, reserved, 36);
	SIZE(imgsearch_index_add_options, reserved, 40);
	FIELD(imgsearch_vectors_add_options, struct_size, 0);
	FIELD(imgsearch_vectors_add_options, transaction, 8);
	FIELD(imgsearch_vectors_add_options, ids, 16);
	FIELD(imgsearch_vectors_add_options, names, 24);
	SIZE(imgsearch_vectors_add_options, names, 32);
	FIELD(imgsearch_index_remove_options, struct_size, 0);
	FIELD(imgsearch_index_remove_options, transaction, 8);
	SIZE(imgsearch_index_remove_options, transaction, 16);
	FIELD(imgsearch_index_backup_options, struct_size, 0);
	FIELD(imgsearch_index_backup_options, replace, 8);
	FIELD(imgsearch_index_backup_options, reserved, 12);
	SIZE(imgsearch_index_backup_options, reserved, 16);
	FIELD(imgsearch_transaction_options, struct_size, 0);
	FIELD(imgsearch_transaction_options, max_bytes, 8);
	SIZE(imgsearch_transaction_options, max_bytes, 16);
	FIELD(imgsearch_build_options, struct_size, 0);
	FIELD(imgsearch_build_options, searcher, 8);
	FIELD(imgsearch_build_options, variance, 16);
	FIELD(imgsearch_build_options, components, 24);
	FIELD(imgsearch_build_options, degree, 28);
	FIELD(imgsearch_build_options, beam, 32);
	FIELD(imgsearch_build_options, whiten, 36);
	FIELD(imgsearch_build_options, seed, 40);
	FIELD(imgsearch_build_options, if_stale, 48);
	FIELD(imgsearch_build_options, reserved, 52);
	SIZE(imgsearch_build_options, reserved, 56);
	FIELD(imgsearch_filter, struct_size, 0);
	FIELD(imgsearch_filter, folders, 8);
	FIELD(imgsearch_filter, n_folders, 16);
	FIELD(imgsearch_filter, ids, 24);
	FIELD(imgsearch_filter, n_ids, 32);
	FIELD(imgsearch_filter, accept, 40);
	FIELD(imgsearch_filter, user, 48);
	FIELD(imgsearch_filter, since, 56);
	FIELD(imgsearch_filter, until, 64);
	FIELD(imgsearch_filter, columns, 72);
	SIZE(imgsearch_filter, columns, 80);
	FIELD(imgsearch_query_options, struct_size, 0);
	FIELD(imgsearch_query_options, k, 8);
	FIELD(imgsearch_query_options, fields, 12);
	FIELD(imgsearch_query_options, filter, 16);
	FIELD(imgsearch_query_options, model, 24);
	FIELD(imgsearch_query_options, no_self, 32);
	FIELD(imgsearch_query_options, has_min_score, 36);
	FIELD(imgsearch_query_options, min_score, 40);
	FIELD(imgsearch_query_options, plain, 44);
	FIELD(imgsearch_query_options, max_chance, 48);
	FIELD(imgsearch_query_options, searcher, 56);
	FIELD(imgsearch_query_options, recall, 64);
	FIELD(imgsearch_query_options, epsilon, 72);
	FIELD(imgsearch_query_options, ef, 80);
	FIELD(imgsearch_query_options, checks, 84);
	FIELD(imgsearch_query_options, threads, 88);
	FIELD(imgsearch_query_options, expand, 92);
	FIELD(imgsearch_query_options, expand_power, 96);
	FIELD(imgsearch_query_options, reciprocal, 100);
	FIELD(imgsearch_query_options, views, 104);
	FIELD(imgsearch_query_options, reserved, 108);
	SIZE(imgsearch_query_options, reserved, 112);
	FIELD(imgsearch_check_options, struct_size, 0);
	FIELD(imgsearch_check_options, problem, 8);
	FIELD(imgsearch_check_options, user, 16);
	FIELD(imgsearch_check_options, queries, 24);
	FIELD(imgsearch_check_options, reserved, 28);
	SIZE(imgsearch_check_options, reserved, 32);
	FIELD(imgsearch_groups_options, struct_size, 0);
	FIELD(imgsearch_groups_options, filter, 8);
	FIELD(imgsearch_groups_options, min_score, 16);
	FIELD(imgsearch_groups_options, kinds, 20);
	SIZE(imgsearch_groups_options, kinds, 24);
	FIELD(imgsearch_map_options, struct_size, 0);
	FIELD(imgsearch_map_options, filter, 8);
	FIELD(imgsearch_map_options, max_points, 16);
	FIELD(imgsearch_map_options, seed, 24);
	FIELD(imgsearch_map_options, perplexity, 32);
	FIELD(imgsearch_map_options, pca, 36);
	SIZE(imgsearch_map_options, pca, 40);
}

static void results(void **state)
{
	(void)state;
	FIELD(imgsearch_progress, path, 8);
	FIELD(imgsearch_progress, done, 16);
	FIELD(imgsearch_progress, total, 24);
	FIELD(imgsearch_progress, failed, 32);
	FIELD(imgsearch_progress, loss, 40);
	FIELD(imgsearch_progress, accuracy, 48);
	SIZE(imgsearch_progress, accuracy, 56);
	FIELD(imgsearch_counts, indexed, 8);
	FIELD(imgsearch_counts, duplicate, 16);
	FIELD(imgsearch_counts, unsupported, 24);
	FIELD(imgsearch_counts, damaged, 32);
	FIELD(imgsearch_counts, too_big, 40);
	FIELD(imgsearch_counts, excluded, 48);
	FIELD(imgsearch_counts, unreadable, 56);
	FIELD(imgsearch_counts, deleted, 64);
	FIELD(imgsearch_counts, link, 72);
	SIZE(imgsearch_counts, link, 80);
	FIELD(imgsearch_index_update_report, added, 8);
	FIELD(imgsearch_index_update_report, unchanged, 16);
	FIELD(imgsearch_index_update_report, moved, 24);
	FIELD(imgsearch_index_update_report, removed, 32);
	FIELD(imgsearch_index_update_report, offline, 40);
	FIELD(imgsearch_index_update_report, seconds, 48);
	FIELD(imgsearch_index_update_report, walk_seconds, 56);
	FIELD(imgsearch_index_update_report, decode_seconds, 64);
	FIELD(imgsearch_index_update_report, network_seconds, 72);
	FIELD(imgsearch_index_update_report, store_seconds, 80);
	SIZE(imgsearch_index_update_report, store_seconds, 88);
	FIELD(imgsearch_build_report, why, 8);
	FIELD(imgsearch_build_report, rows, 16);
	FIELD(imgsearch_build_report, bytes, 24);
	FIELD(imgsearch_build_report, seconds, 32);
	SIZE(imgsearch_build_report, seconds, 40);
	FIELD(imgsearch_column, value, 8);
	SIZE(imgsearch_column, value, 16);
	FIELD(imgsearch_columns, items, 8);
	SIZE(imgsearch_columns, items, 16);
	FIELD(imgsearch_strings, items, 8);
	SIZE(imgsearch_strings, items, 16);
	FIELD(imgsearch_region, y, 4);
	FIELD(imgsearch_region, width, 8);
	FIELD(imgsearch_region, height, 12);
	SIZE(imgsearch_region, height, 16);
	FIELD(imgsearch_hit, score, 8);
	FIELD(imgsearch_hit, distance, 12);
	FIELD(imgsearch_hit, chance, 16);
	FIELD(imgsearch_hit, path, 24);
	FIELD(imgsearch_hit, title, 32);
	FIELD(imgsearch_hit, columns, 40);
	FIELD(imgsearch_hit, paths, 48);
	FIELD(imgsearch_hit, region, 56);
	SIZE(imgsearch_hit, region, 64);
	FIELD(imgsearch_hits, items, 8);
	FIELD(imgsearch_hits, better_than_chance, 16);
	FIELD(imgsearch_hits, searcher, 24);
	FIELD(imgsearch_hits, plan, 32);
	FIELD(imgsearch_hits, exact, 40);
	FIELD(imgsearch_hits, reranked, 44);
	FIELD(imgsearch_hits, feature_seconds, 48);
	FIELD(imgsearch_hits, search_seconds, 56);
	SIZE(imgsearch_hits, search_seconds, 64);
	FIELD(imgsearch_answer, error, 8);
	SIZE(imgsearch_answer, error, 16);
	FIELD(imgsearch_answers, items, 8);
	SIZE(imgsearch_answers, items, 16);
	FIELD(imgsearch_item, state, 8);
	FIELD(imgsearch_item, offline, 12);
	FIELD(imgsearch_item, path, 16);
	FIELD(imgsearch_item, title, 24);
	FIELD(imgsearch_item, reason, 32);
	FIELD(imgsearch_item, hash, 40);
	FIELD(imgsearch_item, columns, 48);
	FIELD(imgsearch_item, width, 56);
	FIELD(imgsearch_item, height, 60);
	FIELD(imgsearch_item, bytes, 64);
	FIELD(imgsearch_item, mtime_seconds, 72);
	FIELD(imgsearch_item, mtime_nanoseconds, 80);
	FIELD(imgsearch_item, same_as, 88);
	FIELD(imgsearch_item, partial, 96);
	FIELD(imgsearch_item, has_vector, 100);
	SIZE(imgsearch_item, has_vector, 104);
	FIELD(imgsearch_root, offline, 8);
	FIELD(imgsearch_root, reserved, 12);
	SIZE(imgsearch_root, reserved, 16);
	FIELD(imgsearch_roots, items, 8);
	SIZE(imgsearch_roots, items, 16);
	FIELD(imgsearch_searcher, rows, 8);
	FIELD(imgsearch_searcher, bytes, 16);
	FIELD(imgsearch_searcher, changed, 24);
	FIELD(imgsearch_searcher, stale, 32);
	FIELD(imgsearch_searcher, reserved, 36);
	FIELD(imgsearch_searcher, note, 40);
	SIZE(imgsearch_searcher, note, 48);
	FIELD(imgsearch_searchers, items, 8);
	SIZE(imgsearch_searchers, items, 16);
	FIELD(imgsearch_reindex, recipe, 8);
	FIELD(imgsearch_reindex, done, 16);
	FIELD(imgsearch_reindex, total, 24);
	SIZE(imgsearch_reindex, total, 32);
	FIELD(imgsearch_info, bytes, 8);
	FIELD(imgsearch_info, vectors, 16);
	FIELD(imgsearch_info, dim, 24);
	FIELD(imgsearch_info, metric, 28);
	FIELD(imgsearch_info, counts, 32);
	FIELD(imgsearch_info, offline, 40);
	FIELD(imgsearch_info, model, 48);
	FIELD(imgsearch_info, weights, 56);
	FIELD(imgsearch_info, weights_hash, 64);
	FIELD(imgsearch_info, precision, 72);
	FIELD(imgsearch_info, recipe, 80);
	FIELD(imgsearch_info, searcher, 88);
	FIELD(imgsearch_info, searcher_why, 96);
	FIELD(imgsearch_info, kernels, 104);
	FIELD(imgsearch_info, roots, 112);
	FIELD(imgsearch_info, searchers, 120);
	FIELD(imgsearch_info, reindex, 128);
	SIZE(imgsearch_info, reindex, 136);
	FIELD(imgsearch_network, loaded, 4);
	FIELD(imgsearch_network, dim, 8);
	FIELD(imgsearch_network, reserved, 12);
	FIELD(imgsearch_network, model, 16);
	FIELD(imgsearch_network, weights, 24);
	FIELD(imgsearch_network, runtime, 32);
	FIELD(imgsearch_network, why_not, 40);
	SIZE(imgsearch_network, why_not, 48);
	FIELD(imgsearch_model, dim, 8);
	FIELD(imgsearch_model, resize, 12);
	FIELD(imgsearch_model, crop, 16);
	FIELD(imgsearch_model, interpolation, 20);
	FIELD(imgsearch_model, weights, 24);
	FIELD(imgsearch_model, note, 32);
	SIZE(imgsearch_model, note, 40);
	FIELD(imgsearch_check_searcher, recall1, 8);
	FIELD(imgsearch_check_searcher, recall10, 16);
	FIELD(imgsearch_check_searcher, recall100, 24);
	FIELD(imgsearch_check_searcher, seconds, 32);
	FIELD(imgsearch_check_searcher, memory, 40);
	SIZE(imgsearch_check_searcher, memory, 48);
	FIELD(imgsearch_check_report, queries, 8);
	FIELD(imgsearch_check_report, scan_seconds, 16);
	FIELD(imgsearch_check_report, count, 24);
	FIELD(imgsearch_check_report, items, 32);
	SIZE(imgsearch_check_report, items, 40);
	FIELD(imgsearch_group, score, 4);
	FIELD(imgsearch_group, count, 8);
	FIELD(imgsearch_group, items, 16);
	SIZE(imgsearch_group, items, 24);
	FIELD(imgsearch_groups, items, 8);
	FIELD(imgsearch_groups, unread, 16);
	SIZE(imgsearch_groups, unread, 24);
	FIELD(imgsearch_map_point, x, 8);
	FIELD(imgsearch_map_point, y, 12);
	SIZE(imgsearch_map_point, y, 16);
	FIELD(imgsearch_map, items, 8);
	SIZE(imgsearch_map, items, 16);
	FIELD(imgsearch_image, width, 8);
	FIELD(imgsearch_image, height, 12);
	SIZE(imgsearch_image, height, 16);
	FIELD(imgsearch_bytes, items, 8);
	SIZE(imgsearch_bytes, items, 16);
}

static void train(void **state)
{
	(void)state;
	FIELD(imgsearch_train_options, struct_size, 0);
	FIELD(imgsearch_train_options, out, 8);
	FIELD(imgsearch_train_options, teachers, 16);
	FIELD(imgsearch_train_options, name, 24);
	FIELD(imgsearch_train_options, descent, 32);
	FIELD(imgsearch_train_options, licence, 40);
	FIELD(imgsearch_train_options, note, 48);
	FIELD(imgsearch_train_options, loss, 56);
	FIELD(imgsearch_train_options, layers, 60);
	FIELD(imgsearch_train_options, dim, 64);
	FIELD(imgsearch_train_options, epochs, 68);
	FIELD(imgsearch_train_options, steps, 72);
	FIELD(imgsearch_train_options, batch, 76);
	FIELD(imgsearch_train_options, views, 80);
	FIELD(imgsearch_train_options, patience, 84);
	FIELD(imgsearch_train_options, resume, 88);
	FIELD(imgsearch_train_options, restart, 92);
	FIELD(imgsearch_train_options, f32, 96);
	FIELD(imgsearch_train_options, rate, 100);
	FIELD(imgsearch_train_options, validation, 104);
	FIELD(imgsearch_train_options, min_crop, 108);
	FIELD(imgsearch_train_options, jitter, 112);
	FIELD(imgsearch_train_options, anchor, 116);
	FIELD(imgsearch_train_options, relational, 120);
	FIELD(imgsearch_train_options, label_weight, 124);
	FIELD(imgsearch_train_options, whiten, 128);
	FIELD(imgsearch_train_options, decay, 132);
	FIELD(imgsearch_train_options, seed, 136);
	FIELD(imgsearch_train_options, posteriors, 144);
	FIELD(imgsearch_train_options, int8, 148);
	FIELD(imgsearch_train_options, blend, 152);
	SIZE(imgsearch_train_options, blend, 160);
	FIELD(imgsearch_train_report, classes, 8);
	FIELD(imgsearch_train_report, held_out, 16);
	FIELD(imgsearch_train_report, failed, 24);
	FIELD(imgsearch_train_report, steps, 32);
	FIELD(imgsearch_train_report, loss, 40);
	FIELD(imgsearch_train_report, accuracy, 48);
	FIELD(imgsearch_train_report, validation_loss, 56);
	FIELD(imgsearch_train_report, validation_accuracy, 64);
	FIELD(imgsearch_train_report, seconds, 72);
	FIELD(imgsearch_train_report, images_per_second, 80);
	FIELD(imgsearch_train_report, dim, 88);
	FIELD(imgsearch_train_report, stopped_early, 92);
	SIZE(imgsearch_train_report, stopped_early, 96);
}

static void eval(void **state)
{
	(void)state;
	FIELD(imgsearch_eval_options, struct_size, 0);
	FIELD(imgsearch_eval_options, queries, 8);
	FIELD(imgsearch_eval_options, truth, 16);
	FIELD(imgsearch_eval_options, seed, 24);
	FIELD(imgsearch_eval_options, sample, 32);
	FIELD(imgsearch_eval_options, duplicates, 36);
	FIELD(imgsearch_eval_options, groups, 40);
	FIELD(imgsearch_eval_options, plain, 44);
	FIELD(imgsearch_eval_options, whiten, 48);
	FIELD(imgsearch_eval_options, expand, 52);
	FIELD(imgsearch_eval_options, expand_power, 56);
	FIELD(imgsearch_eval_options, threshold, 60);
	FIELD(imgsearch_eval_options, has_threshold, 64);
	FIELD(imgsearch_eval_options, reciprocal, 68);
	FIELD(imgsearch_eval_options, views, 72);
	FIELD(imgsearch_eval_options, reserved, 76);
	SIZE(imgsearch_eval_options, reserved, 80);
	FIELD(imgsearch_eval_cut, reserved, 4);
	FIELD(imgsearch_eval_cut, precision, 8);
	FIELD(imgsearch_eval_cut, recall, 16);
	FIELD(imgsearch_eval_cut, ndcg, 24);
	SIZE(imgsearch_eval_cut, ndcg, 32);
	FIELD(imgsearch_eval_scores, queries, 8);
	FIELD(imgsearch_eval_scores, map, 16);
	FIELD(imgsearch_eval_scores, map_low, 24);
	FIELD(imgsearch_eval_scores, map_high, 32);
	FIELD(imgsearch_eval_scores, accuracy, 40);
	FIELD(imgsearch_eval_scores, count, 48);
	FIELD(imgsearch_eval_scores, items, 56);
	SIZE(imgsearch_eval_scores, items, 64);
	FIELD(imgsearch_eval_report, failed, 8);
	FIELD(imgsearch_eval_report, all, 16);
	FIELD(imgsearch_eval_report, count, 24);
	FIELD(imgsearch_eval_report, items, 32);
	FIELD(imgsearch_eval_report, best_threshold, 40);
	FIELD(imgsearch_eval_report, best_f1, 48);
	FIELD(imgsearch_eval_report, threshold_f1, 56);
	FIELD(imgsearch_eval_report, seconds, 64);
	FIELD(imgsearch_eval_report, query_seconds, 72);
	SIZE(imgsearch_eval_report, query_seconds, 80);
}

#define TAKE_NUMBER(name, number, text) { name, number, #name, text },

/* Numbers count down from 0 without a gap; each has its name and text. */
static void statuses(void **state)
{
	(void)state;
	static const struct {
		int status, number;
		const char *name, *text;
	} map[] = { IMGSEARCH_STATUS_MAP(TAKE_NUMBER) };
	assert_int_equal(sizeof map / sizeof *map, 15);
	for (int i = 0; i < 15; i++) {
		assert_int_equal(map[i].status, -i);
		assert_int_equal(map[i].number, -i);
		assert_string_equal(imgsearch_status_text(-i), map[i].text);
		assert_memory_equal(map[i].name, "IMGSEARCH_", 10);
		assert_string_equal(imgsearch_status_name(-i), map[i].name + 10);
	}
	assert_int_equal(IMGSEARCH_EBUSY, -11);
	assert_int_equal(IMGSEARCH_EEXIST, -14);
	assert_non_null(imgsearch_status_text(1));
	assert_non_null(imgsearch_status_name(-15));
}

static void numbers(void **state)
{
	(void)state;
	assert_int_equal(IMGSEARCH_LOG_ERROR, 1);
	assert_int_equal(IMGSEARCH_LOG_DEBUG, 4);
	assert_int_equal(IMGSEARCH_INPUT_FILE, 1);
	assert_int_equal(IMGSEARCH_INPUT_BYTES, 2);
	assert_int_equal(IMGSEARCH_INPUT_PIXELS, 3);
	assert_int_equal(IMGSEARCH_INPUT_VECTOR, 4);
	assert_int_equal(IMGSEARCH_INPUT_ITEM, 5);
	assert_int_equal(IMGSEARCH_INPUT_TEXT, 6);
	assert_int_equal(IMGSEARCH_STATE_INDEXED, 1);
	assert_int_equal(IMGSEARCH_STATE_UNREADABLE, 7);
	assert_int_equal(IMGSEARCH_STATE_DELETED, 8);
	assert_int_equal(IMGSEARCH_STATE_LINK, 9);
	assert_int_equal(IMGSEARCH_METRIC_COSINE, 0);
	assert_int_equal(IMGSEARCH_METRIC_L2, 1);
	assert_int_equal(IMGSEARCH_METRIC_IP, 2);
	assert_int_equal(IMGSEARCH_PRECISION_AUTO, 0);
	assert_int_equal(IMGSEARCH_PRECISION_BF16, 2);
	assert_int_equal(IMGSEARCH_INTERPOLATION_BICUBIC, 2);
	assert_int_equal(IMGSEARCH_FIELDS_ALL, 0);
	assert_int_equal(IMGSEARCH_FIELDS_IDS, 1);
	assert_int_equal(IMGSEARCH_FIELDS_PATHS, 2);
	assert_int_equal(IMGSEARCH_SAMENESS_BYTES, 1);
	assert_int_equal(IMGSEARCH_SAMENESS_SCENE, 3);
	assert_int_equal(IMGSEARCH_LOSS_CROSS_ENTROPY, 1);
	assert_int_equal(IMGSEARCH_LOSS_ARCFACE, 3);
}

static void version(void **state)
{
	char text[40];
	(void)state;
	snprintf(text, sizeof text, "%d.%d.%d", IMGSEARCH_VERSION_MAJOR, IMGSEARCH_VERSION_MINOR,
		IMGSEARCH_VERSION_PATCH);
	assert_string_equal(imgsearch_version_text(), text);
	assert_int_equal(imgsearch_version_number(), IMGSEARCH_VERSION_NUMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen),
		cmocka_unit_test(options),
		cmocka_unit_test(results),
		cmocka_unit_test(train),
		cmocka_unit_test(eval),
		cmocka_unit_test(statuses),
		cmocka_unit_test(numbers),
		cmocka_unit_test(version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
