/* Queries by texts, from a CSV: each with the pictures that lines of it name. */
#include "collection/eval_state.h"
#include "files/csv.h"
#include "handle/feature.h"
#include "handle/words.h"
#include "words/prompt.h"

#include <stdlib.h>
#include <string.h>

/* A picture that is relevant to a text. */
typedef struct text_pair {
	char *text; /* owned */
	size_t row;
} text_pair;

typedef struct text_reader {
	evaluation *e;
	path_names pictures; /* of the index, by each of their paths: to row */
	text_pair *pair;     /* n */
	size_t n, cap;
	bool header;
	csv_doubts doubts;
	imgsearch_error *err;
} text_reader;

static int add_pair(text_reader *t, const char *text, size_t row)
{
	text_pair *grown = ims_grow(t->pair, t->n, &t->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(t->err);
	t->pair = grown;
	t->pair[t->n] = (text_pair){ ims_strdup(text), row };
	return t->pair[t->n].text ? t->n++, 0 : ims_nomem(t->err);
}

static int add_record(void *user, size_t line, char **field, size_t n)
{
	text_reader *t = user;
	if (!t->header) {
		t->header = true;
		ims_eval_note_header(&t->doubts, &t->pictures, field, n);
		return n > 1
			? 0
			: ims_fail(t->err, IMGSEARCH_EFORMAT,
				"line %zu: at least two columns are needed, a text and a relevant picture", line);
	}
	int rc = ims_prompt_check(field[0], t->err);
	if (rc)
		ims_error_prefix(t->err, "line %zu", line);
	ims_eval_note_record(&t->doubts, &t->pictures, line, field, n);
	for (size_t f = 1; !rc && f < n; f++)
		for (const path_name *p = NULL;
			 !rc && (p = ims_path_names_find(&t->pictures, field[f], p));)
			rc = add_pair(t, field[0], (size_t)p->value);
	return rc;
}

static int compare_pairs(const void *a, const void *b)
{
	const text_pair *x = a, *y = b;
	int text = strcmp(x->text, y->text);
	return text ? text : (x->row > y->row) - (x->row < y->row);
}

/* A query for each text; texts (n, room for all pairs) receives them, borrowed. */
static int add_queries(text_reader *t, const char **texts, imgsearch_error *err)
{
	evaluation *e = t->e;
	int rc = 0;
	qsort(t->pair, t->n, sizeof *t->pair, compare_pairs);
	for (size_t i = 0; !rc && i < t->n; i++) {
		const text_pair *p = &t->pair[i];
		bool same = i && !strcmp(p->text, p[-1].text);
		if (!same) {
			texts[e->n_queries] = p->text;
			rc = ims_eval_add_query(e,
				&(eval_query){ .row = NO_ROW,
					.label = NO_LABEL,
					.group = NO_LABEL,
					.first = e->n_relevant },
				err);
		}
		if (!rc && !(same && p->row == p[-1].row)) {
			rc = ims_eval_add_relevant(e, p->row, err);
			e->query[e->n_queries - 1].n++;
		}
	}
	return rc;
}

static int add_features(evaluation *e, const char *const *texts, imgsearch_error *err)
{
	identity id = { 0 };
	e->query_rows = ims_alloc_aligned(e->n_queries, e->dim * sizeof *e->query_rows);
	int rc = e->query_rows ? ims_feature_identity(e->s, (uint32_t)e->dim, &id, err)
						   : ims_nomem(err);
	if (!rc)
		rc = ims_words_features(e->s, e->job, &id.model, e->options->text_template, texts,
			e->n_queries, e->query_rows, err);
	for (size_t i = 0; !rc && i < e->n_queries; i++)
		ims_space_apply(e->space, e->query_rows + i * e->dim, e->query_rows + i * e->dim);
	ims_identity_free(&id);
	return rc;
}

int ims_eval_fill_from_texts(evaluation *e, imgsearch_error *err)
{
	text_reader t = { .e = e, .err = err };
	const char **texts = NULL;
	int rc = ims_eval_names(e, &t.pictures, err);
	if (!rc)
		rc = ims_csv_read(e->options->texts, add_record, &t, err);
	if (!rc)
		ims_eval_tell_doubts(e, e->options->texts, &t.doubts);
	if (!rc && !(texts = ims_alloc(t.n, sizeof *texts)))
		rc = ims_nomem(err);
	if (!rc)
		rc = add_queries(&t, texts, err);
	if (!rc && e->n_queries)
		rc = add_features(e, texts, err);
	for (size_t i = 0; i < t.n; i++)
		ims_free(t.pair[i].text);
	ims_free(t.pair);
	ims_free(texts);
	ims_path_names_free(&t.pictures);
	return rc;
}
