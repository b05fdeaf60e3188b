/* The block of files that are claimed next, and the list of those that were put off. */
#include "ingest/claims.h"

#include "ingest/entry.h"
#include "store/store.h"

#include <string.h>
#include <time.h>

/* About a second's work, so that no program has much left when the others are done. */
enum { BLOCK_LEAST = 16, BLOCK_MOST = 256 };

static const double send_every = 1;  /* seconds */
static const double tell_after = 3;  /* of waiting */
static const double wait_most = 600; /* without any file that gets done */

/* A file, and the start whose walk met it. Owned: the path of e. */
typedef struct claimed_file {
	const index_start *start;
	store_lists *lists;
	walk_entry e;
} claimed_file;

static void free_files(const claimed_file *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ims_free((char *)f[i].e.path);
}

void ims_claims_free(run_claims *c)
{
	free_files(c->block, c->n_block);
	free_files(c->put_off, c->n_put_off);
	ims_free(c->block);
	ims_free(c->put_off);
	*c = (run_claims){ 0 };
}

/* ---------------------------------------------------------------------------- one file ---- */

/* What is known of the path from now on; *known: its entry, NULL: it has no row. */
static int learn(index_run *r, const store_claim *c, path_entry *known, bool *has_row)
{
	path_key key = ims_path_key(c->at.root, c->at.path);
	path_entry *old = ims_path_table_find(&r->paths, key);
	*has_row = c->now.path != NULL;
	if (!*has_row)
		return 0;
	*known = ims_entry_known(&c->now, c->has_vector);
	known->seen = true;
	bool is_new = !old || old->id != known->id;
	if (old)
		*old = *known;
	else if (ims_path_table_add(&r->paths, known))
		return ims_nomem(r->err);
	bool has = known->state == IMGSEARCH_STATE_INDEXED && (!r->identity.next || c->has_vector);
	return is_new && has && ims_contents_add(&r->pipeline.contents, known->content, known->id)
		? ims_nomem(r->err)
		: 0;
}

/* Looks at a file again. *wanted: it is read, or put off. */
static int look(index_run *r, const claimed_file *f, const store_claim *c, bool *wanted)
{
	path_entry known;
	bool has_row;
	walk_state *w = &r->walk;
	const index_start *start = w->start;
	store_lists *lists = w->lists;
	int rc = learn(r, c, &known, &has_row);
	w->start = f->start;
	w->lists = f->lists;
	r->claims.wanted = false;
	if (!rc)
		rc = ims_entry_read(r, &f->e, has_row ? &known : NULL, c->ours ? CLAIM_OURS : CLAIM_THEIRS);
	*wanted = r->claims.wanted;
	w->start = start;
	w->lists = lists;
	return rc;
}

/* Claims n files, and looks at each again. Gives those back that need nothing. */
static int claim(index_run *r, const claimed_file *f, size_t n)
{
	store_claim *c = ims_alloc(n, sizeof *c);
	store_place *unused = ims_alloc(n, sizeof *unused);
	size_t n_unused = 0;
	int rc = c && unused ? 0 : ims_nomem(r->err);
	for (size_t i = 0; !rc && i < n; i++)
		c[i].at = (store_place){ f[i].start->root, f[i].e.path };
	bool claimed = !rc && !(rc = ims_store_claim(r->s->store, c, n, r->identity.next, r->err));
	for (size_t i = 0; claimed && i < n; i++) {
		bool wanted = true;
		rc = rc ? rc : look(r, &f[i], &c[i], &wanted);
		if (c[i].ours && !wanted)
			unused[n_unused++] = c[i].at;
		ims_store_picture_clear(&c[i].now);
	}
	if (!rc && n_unused)
		rc = ims_store_unclaim(r->s->store, unused, n_unused, r->err);
	free_files(f, n);
	ims_free(unused);
	ims_free(c);
	return rc;
}

/* --------------------------------------------------------------------------------- block ---- */

/* The next block is larger or smaller, as this one was full early or not. */
static int send_block(index_run *r)
{
	run_claims *c = &r->claims;
	double now = ims_now();
	size_t n = c->n_block;
	if (now - c->last_send < send_every && n == c->size && c->size < BLOCK_MOST)
		c->size *= 2;
	else if (now - c->last_send > 2 * send_every && c->size > BLOCK_LEAST)
		c->size /= 2;
	c->n_block = 0;
	int rc = n ? claim(r, c->block, n) : 0;
	c->last_send = now;
	return rc;
}

int ims_claims_send_if_due(index_run *r)
{
	const run_claims *c = &r->claims;
	return c->n_block && ims_now() - c->last_send >= send_every ? send_block(r) : 0;
}

/* Appends a copy to a list that has room. */
static int append(index_run *r, claimed_file *list, size_t *n, const walk_entry *e)
{
	claimed_file *f = &list[*n];
	*f = (claimed_file){ r->walk.start, r->walk.lists, *e };
	f->e.reason = NULL;
	f->e.path = ims_strdup(e->path);
	if (!f->e.path)
		return ims_nomem(r->err);
	++*n;
	return 0;
}

static int put_off(index_run *r, const walk_entry *e)
{
	run_claims *c = &r->claims;
	claimed_file *grown = ims_grow(c->put_off, c->n_put_off, &c->cap_put_off, sizeof *grown);
	if (!grown)
		return ims_nomem(r->err);
	c->put_off = grown;
	return append(r, grown, &c->n_put_off, e);
}

static int add_to_block(index_run *r, const walk_entry *e)
{
	run_claims *c = &r->claims;
	if (!c->block && !(c->block = ims_alloc(BLOCK_MOST, sizeof *c->block)))
		return ims_nomem(r->err);
	c->size = c->size ? c->size : BLOCK_LEAST;
	int rc = append(r, c->block, &c->n_block, e);
	return !rc && c->n_block >= c->size ? send_block(r) : rc;
}

int ims_claims_ask(index_run *r, const walk_entry *e, file_claim *claim)
{
	r->claims.wanted = true;
	if (*claim == CLAIM_NONE && !ims_store_is_shared(r->s->store))
		*claim = CLAIM_OURS;
	return *claim == CLAIM_OURS ? 0 : *claim == CLAIM_THEIRS ? put_off(r, e) : add_to_block(r, e);
}

/* ------------------------------------------------------------------------------ put off ---- */

/* Tries all that were put off once more. */
static int try_put_off(index_run *r)
{
	run_claims *c = &r->claims;
	claimed_file *f = c->put_off;
	size_t n = c->n_put_off, i = 0;
	int rc = 0;
	c->put_off = NULL;
	c->n_put_off = c->cap_put_off = 0;
	for (; !rc && i < n; i += BLOCK_MOST) {
		size_t some = n - i < BLOCK_MOST ? n - i : BLOCK_MOST;
		rc = claim(r, f + i, some);
		if (!rc)
			rc = ims_pipeline_write_if_due(&r->pipeline);
	}
	free_files(f + (i < n ? i : n), i < n ? n - i : 0);
	ims_free(f);
	return rc;
}

/* Seconds, in short pieces, so that the run can be stopped. */
static int rest(index_run *r, double seconds)
{
	int rc = 0;
	for (double until = ims_now() + seconds; !rc && ims_now() < until;) {
		nanosleep(&(struct timespec){ 0, 50 * 1000 * 1000 }, NULL);
		rc = ims_job_check(&r->job, r->err);
	}
	return rc;
}

/* What this run has claimed is written before it waits, so that no two wait for each other. */
static int wait_for_others(index_run *r)
{
	run_claims *c = &r->claims;
	double begin = ims_now(), last = begin, pause = 0.1;
	bool told = false;
	int rc = 0;
	while (!rc && c->n_put_off) {
		size_t before = c->n_put_off;
		rc = ims_pipeline_drain(&r->pipeline);
		if (!rc)
			rc = rest(r, pause);
		if (!rc)
			rc = try_put_off(r);
		double now = ims_now();
		last = c->n_put_off < before ? now : last;
		pause = c->n_put_off < before ? 0.1 : pause < 1 ? 2 * pause : pause;
		if (!told && c->n_put_off && now - begin > tell_after) {
			told = true;
			ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
				"waiting for other programs that index %zu of these files", c->n_put_off);
		}
		if (now - last > wait_most)
			break;
	}
	if (!rc && c->n_put_off)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"%zu files are left to other programs, which have had them for %.0f seconds",
			c->n_put_off, wait_most);
	free_files(c->put_off, c->n_put_off);
	c->n_put_off = 0;
	return rc;
}

int ims_claims_settle(index_run *r)
{
	int rc = send_block(r);
	if (!rc && r->claims.n_put_off)
		rc = try_put_off(r);
	return !rc && r->claims.n_put_off ? wait_for_others(r) : rc;
}
