/*
 * A pattern that is given as an absolute path belongs to the innermost root that holds it, and is
 * remembered as one from there, so that it moves with the root. Others belong to every root of the
 * run.
 */
#include "ingest/rules.h"

#include "base/path.h"
#include "store/store.h"

#include <string.h>

int ims_rules_init(run_rules *r, const imgsearch_index_update_options *o, imgsearch_error *err)
{
	*r = (run_rules){
		.include = { .include = true,
			.given = o->include,
			.n = o->n_include,
			.forget = o->include != NULL },
		.exclude = { .given = o->exclude,
			.n = o->n_exclude,
			.forget = o->forget_exclude || (o->exclude && !o->n_exclude) },
	};
	r->include.matched = ims_zalloc(o->n_include + 1, sizeof(bool));
	r->exclude.matched = ims_zalloc(o->n_exclude + 1, sizeof(bool));
	return r->include.matched && r->exclude.matched ? 0 : ims_nomem(err);
}

static void free_patterns(run_patterns *p)
{
	ims_free(p->matched);
	ims_patterns_free(&p->active);
}

void ims_rules_free(run_rules *r)
{
	free_patterns(&r->include);
	free_patterns(&r->exclude);
}

/* ------------------------------------------------------------------------------- the roots ---- */

/* A pattern as one of the root; *out is NULL where it belongs to another one. ims_free. */
static int of_root(const char *given, const char *root, char **out, imgsearch_error *err)
{
	if (*given == '/')
		return ims_pattern_below_root(given, root, out) ? ims_nomem(err) : 0;
	*out = ims_strdup(given);
	return *out ? 0 : ims_nomem(err);
}

/* The innermost root that an absolute pattern lies in. EINVAL: none, or it is that root. */
static int root_of(const index_plan *p, const char *given, size_t *root, imgsearch_error *err)
{
	size_t found = 0;
	bool is_root = false;
	*root = p->n_roots;
	for (size_t i = 0; i < p->n_roots; i++) {
		char *below;
		int rc = of_root(given, p->root[i], &below, err);
		if (rc)
			return rc;
		is_root |= below && !strcmp(below, "./");
		if (below && strlen(p->root[i]) >= found) {
			found = strlen(p->root[i]);
			*root = i;
		}
		ims_free(below);
	}
	if (is_root)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"pattern %s: that folder is indexed by itself, so it cannot be left out", given);
	if (*root == p->n_roots)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"pattern %s: outside of every indexed folder; \"./\" is that folder", given);
	return 0;
}

/* --------------------------------------------------------------------------------- storing ---- */

typedef struct text_list {
	char **item;
	size_t n, cap;
} text_list;

/* Becomes the owner of the text, which is freed where it is there already. */
static int add_text(text_list *l, char *text, imgsearch_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->item[i], text)) {
			ims_free(text);
			return 0;
		}
	char **grown = ims_grow(l->item, l->n, &l->cap, sizeof *grown);
	if (!grown) {
		ims_free(text);
		return ims_nomem(err);
	}
	l->item = grown;
	l->item[l->n++] = text;
	return 0;
}

/* Adds those given that are of root number i of the plan; owner[k]: the root of an absolute one. */
static int add_given(text_list *l, const run_patterns *r, const index_plan *p, size_t i,
	const size_t *owner, bool walked, imgsearch_error *err)
{
	int rc = 0;
	for (size_t k = 0; !rc && k < r->n; k++) {
		char *text = NULL;
		if (*r->given[k] == '/' ? owner[k] == i : walked)
			rc = of_root(r->given[k], p->root[i], &text, err);
		if (text)
			rc = add_text(l, text, err);
	}
	/* What is to be taken in lies elsewhere: nothing comes from here. */
	if (!rc && r->include && r->n && walked && !l->n) {
		char *none = ims_strdup("./");
		rc = none ? add_text(l, none, err) : ims_nomem(err);
	}
	return rc;
}

static bool is_walked(const index_plan *p, int64_t root)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->start[i].root == root)
			return true;
	return false;
}

static int store_root(const run_patterns *r, const index_plan *p, size_t i, const size_t *owner,
	imgsearch_error *err)
{
	text_list l = { 0 };
	int64_t root = p->root_id[i];
	bool walked = is_walked(p, root);
	int rc = 0;
	if (!walked || !r->forget)
		rc = ims_store_patterns_get(p->s->store, root, r->include, &l.item, &l.n, err);
	l.cap = l.n;
	size_t before = l.n;
	if (!rc)
		rc = add_given(&l, r, p, i, owner, walked, err);
	if (!rc && ((walked && r->forget) || l.n != before))
		rc = ims_store_patterns_set(p->s->store, root, r->include, (const char *const *)l.item, l.n,
			err);
	ims_store_patterns_free(l.item, l.n);
	return rc;
}

static int store_patterns(const run_patterns *r, const index_plan *p, imgsearch_error *err)
{
	size_t *owner = ims_zalloc(r->n + 1, sizeof *owner);
	int rc = owner ? 0 : ims_nomem(err);
	for (size_t k = 0; !rc && k < r->n; k++)
		if (*r->given[k] == '/')
			rc = root_of(p, r->given[k], &owner[k], err);
	for (size_t i = 0; !rc && (r->n || r->forget) && i < p->n_roots; i++)
		rc = store_root(r, p, i, owner, err);
	ims_free(owner);
	return rc;
}

int ims_rules_store(run_rules *r, const index_plan *p, imgsearch_error *err)
{
	int rc = store_patterns(&r->exclude, p, err);
	return rc ? rc : store_patterns(&r->include, p, err);
}

int ims_rules_merge(imgsearch *s, int64_t from, int64_t into, const char *below,
	imgsearch_error *err)
{
	text_list l = { 0 };
	char **old = NULL;
	size_t n = 0;
	int rc = ims_store_patterns_get(s->store, from, false, &old, &n, err);
	if (!rc)
		rc = ims_store_patterns_get(s->store, into, false, &l.item, &l.n, err);
	l.cap = l.n;
	for (size_t i = 0; !rc && i < n; i++) {
		char *text;
		rc = ims_pattern_of_folder(old[i], below, &text) ? ims_nomem(err) : 0;
		if (text)
			rc = add_text(&l, text, err);
	}
	if (!rc && n)
		rc = ims_store_patterns_set(s->store, into, false, (const char *const *)l.item, l.n, err);
	ims_store_patterns_free(l.item, l.n);
	ims_store_patterns_free(old, n);
	return rc;
}

/* --------------------------------------------------------------------------------- walking ---- */

static int begin(run_patterns *r, imgsearch *s, const index_start *start, imgsearch_error *err)
{
	char **pattern;
	size_t n;
	ims_patterns_free(&r->active);
	int rc = ims_store_patterns_get(s->store, start->root, r->include, &pattern, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		if (ims_patterns_add(&r->active, pattern[i]))
			rc = ims_nomem(err);
	ims_store_patterns_free(pattern, n);
	return rc;
}

int ims_rules_begin(run_rules *r, imgsearch *s, const index_start *start, imgsearch_error *err)
{
	int rc = begin(&r->exclude, s, start, err);
	return rc ? rc : begin(&r->include, s, start, err);
}

static int end(run_patterns *r, const index_start *start, imgsearch_error *err)
{
	int rc = 0;
	for (size_t k = 0; !rc && k < r->n; k++) {
		char *text;
		rc = of_root(r->given[k], start->root_path, &text, err);
		for (size_t i = 0; text && i < r->active.n; i++)
			if (!strcmp(r->active.item[i].given, text))
				r->matched[k] |= r->active.item[i].matched;
		ims_free(text);
	}
	return rc;
}

int ims_rules_end(run_rules *r, const index_start *start, imgsearch_error *err)
{
	int rc = end(&r->exclude, start, err);
	return rc ? rc : end(&r->include, start, err);
}

static int add_unmatched(const run_patterns *r, run_counts *c, imgsearch_error *err)
{
	for (size_t k = 0; k < r->n; k++) {
		if (r->matched[k])
			continue;
		char **grown = ims_realloc(c->unmatched, c->n_unmatched + 1, sizeof *grown);
		if (!grown)
			return ims_nomem(err);
		c->unmatched = grown;
		if (!(grown[c->n_unmatched] = ims_strdup(r->given[k])))
			return ims_nomem(err);
		c->n_unmatched++;
	}
	return 0;
}

int ims_rules_unmatched(const run_rules *r, run_counts *counts, imgsearch_error *err)
{
	int rc = add_unmatched(&r->exclude, counts, err);
	return rc ? rc : add_unmatched(&r->include, counts, err);
}
