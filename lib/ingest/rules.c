/*
 * A pattern that is given as an absolute path belongs to the innermost root that holds it, and is
 * remembered as one from there, so that it moves with the root. Others belong to every folder of
 * the run. In a run over a part of a root they become patterns of that part: what is left out is
 * remembered so. What is taken in cannot be, since it would leave out all beside the part: it
 * replaces what is remembered for that run alone.
 */
#include "ingest/rules.h"

#include "base/path.h"
#include "store/store.h"

#include <string.h>

int ims_rules_init(run_rules *r, const imgsearch_index_update_options *o, imgsearch_error *err)
{
	*r = (run_rules){
		.include = { .list = STORE_INCLUDE,
			.given = o->include,
			.n = o->n_include,
			.forget = o->include != NULL },
		.exclude = { .list = STORE_EXCLUDE,
			.given = o->exclude,
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

/* A pattern with a part "..", which is a path from the folder of the run. */
static int of_path(const char *given, const char *root, const char *prefix, char **out,
	imgsearch_error *err)
{
	char *folder = ims_path_join(root, prefix),
		 *full = folder ? ims_path_join(folder, given) : NULL;
	int rc = full ? ims_pattern_below_root(full, root, out) : IMGSEARCH_ENOMEM;
	ims_free(folder);
	ims_free(full);
	return rc ? ims_nomem(err) : 0;
}

/*
 * A pattern as one of the root, given for its part `prefix` ("": all of it); *out is NULL where it
 * belongs to another root. ims_free.
 */
static int of_root(const char *given, const char *root, const char *prefix, char **out,
	imgsearch_error *err)
{
	if (*given == '/')
		return ims_pattern_below_root(given, root, out) ? ims_nomem(err) : 0;
	if (ims_path_has_dots(given, false))
		return of_path(given, root, prefix, out, err);
	if (*prefix)
		return ims_pattern_of_folder(given, prefix, out) ? ims_nomem(err) : 0;
	*out = ims_strdup(given);
	return *out ? 0 : ims_nomem(err);
}

/* The innermost root that an absolute pattern lies in. EINVAL: none, or it is that root. */
static int root_of(const index_plan *p, const char *given, size_t *root, imgsearch_error *err)
{
	size_t found = 0;
	bool is_root = false;
	*root = p->roots.n;
	for (size_t i = 0; i < p->roots.n; i++) {
		char *below;
		int rc = of_root(given, p->roots.path[i], "", &below, err);
		if (rc)
			return rc;
		is_root |= below && !strcmp(below, "./");
		if (below && strlen(p->roots.path[i]) >= found) {
			found = strlen(p->roots.path[i]);
			*root = i;
		}
		ims_free(below);
	}
	if (is_root)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"pattern %s: that folder is indexed by itself, so it cannot be left out", given);
	if (*root == p->roots.n)
		return ims_fail(err, IMGSEARCH_EINVAL,
			"pattern %s: outside of every indexed folder; \"./\" is that folder", given);
	return 0;
}

/* --------------------------------------------------------------------------------- storing ---- */

/* A folder of that root, which the run walks. */
static bool is_folder_of(const index_start *start, int64_t root)
{
	return start->root == root && !start->file;
}

static bool is_walked(const index_plan *p, int64_t root)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_folder_of(&p->start[i], root))
			return true;
	return false;
}

/* A pattern as one of root number i of the plan, for each folder of the run that it belongs to. */
static int add_pattern(text_list *l, const run_patterns *r, size_t k, const index_plan *p, size_t i,
	bool absolute, imgsearch_error *err)
{
	int rc = 0;
	for (size_t n = 0; !rc && n < (absolute ? 1 : p->n); n++) {
		const index_start *start = &p->start[n];
		char *text = NULL;
		if (absolute || is_folder_of(start, p->roots.id[i]))
			rc = of_root(r->given[k], p->roots.path[i], absolute ? "" : start->prefix, &text, err);
		if (text && ims_texts_add_new(l, text))
			rc = ims_nomem(err);
	}
	return rc;
}

/* Adds those given that are of root number i of the plan; owner[k]: the root of an absolute one. */
static int add_given(text_list *l, const run_patterns *r, const index_plan *p, size_t i,
	const size_t *owner, bool walked, imgsearch_error *err)
{
	int rc = 0;
	for (size_t k = 0; !rc && k < r->n; k++) {
		bool absolute = *r->given[k] == '/';
		if (absolute ? owner[k] == i : walked)
			rc = add_pattern(l, r, k, p, i, absolute, err);
	}
	/* What is to be taken in lies elsewhere: nothing comes from here. */
	if (!rc && r->list == STORE_INCLUDE && r->n && walked && !l->n
		&& ims_texts_add(l, ims_strdup("./")))
		rc = ims_nomem(err);
	return rc;
}

/* Whether a pattern names a folder or what lies below it; the folder as patterns spell it. */
static bool is_pattern_below(const char *text, const char *folder)
{
	size_t n = strlen(folder);
	while (text[0] == '.' && text[1] == '/')
		text += 1 + strspn(text + 1, "/");
	return !strncmp(text, folder, n) && (!text[n] || text[n] == '/');
}

/* Removes the patterns of a folder; "": all. */
static int forget_below(text_list *l, const char *prefix, imgsearch_error *err)
{
	char *folder = NULL;
	size_t kept = 0;
	if (*prefix && ims_pattern_of_path(prefix, &folder))
		return ims_nomem(err);
	for (size_t i = 0; i < l->n; i++)
		if (!folder || is_pattern_below(l->item[i], folder))
			ims_free(l->item[i]);
		else
			l->item[kept++] = l->item[i];
	l->n = kept;
	ims_free(folder);
	return 0;
}

static int forget(text_list *l, const run_patterns *r, const index_plan *p, int64_t root,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t n = 0; !rc && r->forget && n < p->n; n++)
		if (is_folder_of(&p->start[n], root))
			rc = forget_below(l, p->start[n].prefix, err);
	return rc;
}

/* Whether the patterns of the run are remembered: those of what is taken in only for all of it. */
static bool is_remembered(const run_patterns *r, const index_plan *p, int64_t root)
{
	for (size_t n = 0; r->list == STORE_INCLUDE && n < p->n; n++)
		if (is_folder_of(&p->start[n], root) && *p->start[n].prefix)
			return false;
	return true;
}

static int store_root(const run_patterns *r, index_plan *p, size_t i, const size_t *owner,
	imgsearch_error *err)
{
	int64_t root = p->roots.id[i];
	text_list *l = &p->roots.lists[i].of[r->list];
	if (!is_remembered(r, p, root))
		return 0;
	bool walked = is_walked(p, root);
	size_t before = l->n;
	int rc = forget(l, r, p, root, err);
	bool changed = l->n != before;
	before = l->n;
	if (!rc)
		rc = add_given(l, r, p, i, owner, walked, err);
	if (!rc && (changed || l->n != before))
		rc = ims_store_list_set(p->s->store, root, r->list, l, err);
	return rc;
}

static int store_patterns(const run_patterns *r, index_plan *p, imgsearch_error *err)
{
	size_t *owner = ims_zalloc(r->n + 1, sizeof *owner);
	int rc = owner ? 0 : ims_nomem(err);
	for (size_t k = 0; !rc && k < r->n; k++)
		if (*r->given[k] == '/')
			rc = root_of(p, r->given[k], &owner[k], err);
	for (size_t i = 0; !rc && (r->n || r->forget) && i < p->roots.n; i++)
		rc = store_root(r, p, i, owner, err);
	ims_free(owner);
	return rc;
}

int ims_rules_store(run_rules *r, index_plan *p, imgsearch_error *err)
{
	int rc = store_patterns(&r->exclude, p, err);
	return rc ? rc : store_patterns(&r->include, p, err);
}

/* An entry of a list of a root, as one of a root above it; NULL: it has no effect there. */
static int of_outer_root(store_list list, const char *entry, const char *below, char **out)
{
	if (list == STORE_EXCLUDE)
		return ims_pattern_of_folder(entry, below, out);
	*out = ims_path_join(below, entry);
	return *out ? 0 : IMGSEARCH_ENOMEM;
}

static int merge_list(index_plan *p, store_list list, size_t from, size_t into, const char *below)
{
	const text_list *old = &p->roots.lists[from].of[list];
	text_list *l = &p->roots.lists[into].of[list];
	size_t n = old->n + (list == STORE_PART);
	for (size_t i = 0; i < n; i++) {
		char *text = NULL;
		if (of_outer_root(list, i < old->n ? old->item[i] : "", below, &text)
			|| (text && ims_texts_add_new(l, text)))
			return ims_nomem(p->err);
	}
	return n ? ims_store_list_set(p->s->store, p->roots.id[into], list, l, p->err) : 0;
}

int ims_rules_merge(index_plan *p, size_t from, size_t into, const char *below)
{
	static const store_list lists[] = { STORE_EXCLUDE, STORE_FOLLOW, STORE_TIFF, STORE_VIDEO,
		STORE_PART };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof lists / sizeof *lists; i++)
		rc = merge_list(p, lists[i], from, into, below);
	return rc;
}

/* --------------------------------------------------------------------------------- walking ---- */

/* What the run takes in of a part of a root, which is not remembered. */
static int begin_part(run_patterns *r, const index_start *start, imgsearch_error *err)
{
	int rc = 0;
	for (size_t k = 0; !rc && k < r->n; k++) {
		char *text;
		rc = of_root(r->given[k], start->root_path, start->prefix, &text, err);
		if (text && ims_patterns_add(&r->active, text))
			rc = ims_nomem(err);
		ims_free(text);
	}
	if (!rc && r->n && !r->active.n && ims_patterns_add(&r->active, "./"))
		rc = ims_nomem(err);
	return rc;
}

static int begin(run_patterns *r, index_plan *p, const index_start *start, imgsearch_error *err)
{
	const store_lists *known = ims_store_roots_lists(&p->roots, start->root);
	ims_patterns_free(&r->active);
	if (r->list == STORE_INCLUDE && *start->prefix && r->forget)
		return begin_part(r, start, err);
	for (size_t i = 0; i < known->of[r->list].n; i++)
		if (ims_patterns_add(&r->active, known->of[r->list].item[i]))
			return ims_nomem(err);
	return 0;
}

int ims_rules_begin(run_rules *r, index_plan *p, const index_start *start, imgsearch_error *err)
{
	int rc = begin(&r->exclude, p, start, err);
	return rc ? rc : begin(&r->include, p, start, err);
}

static int end(run_patterns *r, const index_start *start, imgsearch_error *err)
{
	int rc = 0;
	for (size_t k = 0; !rc && k < r->n; k++) {
		char *text;
		rc = of_root(r->given[k], start->root_path, start->prefix, &text, err);
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
