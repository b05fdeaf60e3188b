/*
 * The kdtree searcher over few dimensions: states whose buckets begin at any row, as builds before
 * 0.2 wrote them, answer like the plain scan and are saved as they were.
 */
#include "test.h"
#include "search/table.h"

enum { ROWS = 100, FIRST = 37, DIM = 3, QUERIES = 40, K = 7 };

static int by_first(const void *a, const void *b)
{
	const float *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void put_node(buf *out, uint32_t left, uint32_t from, uint32_t to)
{
	ims_buf_u32(out, left);
	ims_buf_u32(out, from);
	ims_buf_u32(out, to);
	ims_buf_f32(out, 0);
	ims_buf_f32(out, 0);
}

static void put_box(buf *out, float (*row)[DIM], size_t n)
{
	for (int high = 0; high < 2; high++)
		for (size_t j = 0; j < DIM; j++) {
			float most = row[0][j];
			for (size_t i = 1; i < n; i++)
				most = high ? fmaxf(most, row[i][j]) : fminf(most, row[i][j]);
			ims_buf_f32(out, most);
		}
}

/* The rows, in order of their first coordinate, in two buckets. */
static void write_state(shelf *chunks, float (*row)[DIM], const int64_t *ids)
{
	buf head = { 0 }, tree = { 0 };
	ims_buf_u32(&tree, DIM);
	ims_buf_u32(&tree, 3);
	put_node(&tree, 1, 0, ROWS);
	put_node(&tree, 0, 0, FIRST);
	put_node(&tree, 0, FIRST, ROWS);
	put_box(&tree, row, ROWS);
	put_box(&tree, row, FIRST);
	put_box(&tree, row + FIRST, ROWS - FIRST);
	ims_buf_put(&head, "IMSKDTR", 8);
	ims_buf_u32(&head, 1);
	ims_buf_u32(&head, ROWS);
	ims_buf_u64(&head, tree.len);
	ims_buf_f32(&head, 100);
	assert_int_equal(shelf_put(chunks, 0, head.data, head.len, NULL), 0);
	assert_int_equal(shelf_put(chunks, 1, tree.data, tree.len, NULL), 0);
	assert_int_equal(shelf_put(chunks, 2, row, ROWS * sizeof *row, NULL), 0);
	assert_int_equal(shelf_put(chunks, 3, ids, ROWS * sizeof *ids, NULL), 0);
	ims_buf_free(&head);
	ims_buf_free(&tree);
}

static void answers_equal(search_index *x, const row_source *rows, uint64_t *random)
{
	topk *found = topks(1, K), *right = topks(1, K);
	for (int i = 0; i < QUERIES; i++) {
		float query[DIM];
		random_row(UNIFORM, rows->metric, DIM, random, query);
		search_request q = { .queries = query,
			.n = 1,
			.k = K,
			.max_distance = INFINITY,
			.filter_count = SIZE_MAX };
		search_report report;
		ims_topk_clear(found);
		ims_topk_clear(right);
		assert_int_equal(ims_search_query(x, &q, found, &report, NULL), 0);
		assert_true(report.exact);
		assert_string_equal(report.plan, "tree over coordinates");
		assert_int_equal(ims_search_scan(rows, &q, right, &report, NULL), 0);
		assert_int_equal(found->n, K);
		for (size_t j = 0; j < K; j++) {
			assert_true(found->item[j].distance == right->item[j].distance);
			assert_int_equal(found->item[j].id, right->item[j].id);
		}
	}
	topks_free(found, 1);
	topks_free(right, 1);
}

static void buckets_anywhere(void **state)
{
	(void)state;
	const imgsearch_metric metrics[] = { IMGSEARCH_METRIC_L2, IMGSEARCH_METRIC_IP };
	for (size_t m = 0; m < 2; m++) {
		uint64_t random = 3;
		float row[ROWS][DIM];
		int64_t ids[ROWS];
		table t;
		shelf before = { 0 }, after = { 0 };
		search_index *x;
		table_init(&t, DIM, metrics[m]);
		for (int i = 0; i < ROWS; i++)
			random_row(UNIFORM, metrics[m], DIM, &random, row[i]);
		qsort(row, ROWS, sizeof *row, by_first);
		for (int i = 0; i < ROWS; i++)
			table_put(&t, ids[i] = 1000 - i, row[i]);
		write_state(&before, row, ids);
		chunk_source source = { &before, before.n, shelf_get };
		chunk_sink sink = { &after, shelf_put };
		assert_int_equal(ims_search_load(&x, "kdtree", &t.source, &source, NULL), 0);
		answers_equal(x, &t.source, &random);
		assert_int_equal(ims_search_save(x, &sink, NULL), 0);
		assert_int_equal(after.n, before.n);
		for (uint32_t i = 1; i < after.n; i++) { /* the header has a bound of the longest row */
			assert_int_equal(after.chunk[i].len, before.chunk[i].len);
			assert_memory_equal(after.chunk[i].data, before.chunk[i].data, after.chunk[i].len);
		}
		ims_search_free(x);
		shelf_free(&before);
		shelf_free(&after);
		table_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(buckets_anywhere) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
