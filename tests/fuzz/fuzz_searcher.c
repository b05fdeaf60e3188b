/*
 * Damaged states of every searcher: a state that was saved is patched as the input says (which
 * state; then chunk, offset, value, or a cut), loaded, asked, changed and saved again. Answers may
 * be wrong or refused, nothing else.
 */
#include "search/table.h"

enum { SHAPES = 4, ROWS = 600 };

static table rows[SHAPES];
static shelf saved[32];
static int shape_of[32];
static const char *name_of[32];
static size_t states;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint32_t dims[SHAPES] = { 8, 60, 150, 560 };
	(void)argc, (void)argv;
	uint64_t random = 1;
	float row[560];
	for (int s = 0; s < SHAPES; s++) {
		table_init(&rows[s], dims[s], s == 2 ? IMGSEARCH_METRIC_IP : IMGSEARCH_METRIC_L2);
		for (int64_t id = 0; id < ROWS; id++) {
			random_row(CLUSTERED, rows[s].source.metric, dims[s], &random, row);
			table_put(&rows[s], id, row);
		}
		const searcher_ops *const *all = ims_search_all();
		for (size_t i = 0; all[i] && !all[i]->needs_near && states < 32; i++) {
			search_index *x;
			chunk_sink sink = { &saved[states], shelf_put };
			if (ims_search_build(&x, all[i]->name, &rows[s].source, NULL, NULL, NULL)
				|| ims_search_save(x, &sink, NULL))
				abort();
			ims_search_free(x);
			shape_of[states] = s;
			name_of[states++] = all[i]->name;
		}
	}
	return 0;
}

static shelf copy(const shelf *from)
{
	shelf s = { 0 };
	for (uint32_t i = 0; i < from->n; i++)
		if (shelf_put(&s, i, from->chunk[i].data, from->chunk[i].len, NULL))
			abort();
	return s;
}

/* Six bytes a patch: chunk, kind, offset (3, from the front of small numbers on), value. */
static void patch(shelf *s, const uint8_t *data, size_t size)
{
	for (; size >= 6; data += 6, size -= 6) {
		buf *c = &s->chunk[data[0] % s->n];
		size_t at = (size_t)data[2] | (size_t)data[3] << 8 | (size_t)data[4] << 16;
		if (data[1] % 8 == 0 && c->len)
			c->len = at % c->len;
		else if (data[1] % 8 == 1 && s->n > 1)
			s->n = 1 + data[5] % s->n;
		else if (c->len)
			c->data[at % c->len] = data[5];
	}
}

static void use(search_index *x, table *t)
{
	enum { K = 7 };
	topk *out = topks(3, K);
	shelf again = { 0 };
	chunk_sink sink = { &again, shelf_put };
	search_request q = { .queries = t->rows,
		.n = 3,
		.k = K,
		.max_distance = INFINITY,
		.filter_count = SIZE_MAX };
	int64_t ids[] = { 3, 100000 };
	for (int turn = 0; turn < 2; turn++) {
		ims_search_query(x, &q, out, NULL, NULL);
		q.max_distance = 1;
		q.k = turn ? K : 1;
		ims_search_query(x, &q, out, NULL, NULL);
		q.max_distance = INFINITY;
		q.k = K;
		ims_search_add(x, ids, t->rows, 2, NULL);
		ims_search_remove(x, ids + turn, 1, NULL);
	}
	ims_search_save(x, &sink, NULL);
	shelf_free(&again);
	topks_free(out, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	size_t which = data[0] % states;
	shelf s = copy(&saved[which]);
	uint32_t all = s.n;
	patch(&s, data + 1, size - 1);
	chunk_source source = { &s, s.n, shelf_get };
	search_index *x;
	if (!ims_search_load(&x, name_of[which], &rows[shape_of[which]].source, &source, NULL)) {
		use(x, &rows[shape_of[which]]);
		ims_search_free(x);
	}
	s.n = all;
	shelf_free(&s);
	return 0;
}
