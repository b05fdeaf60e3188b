/*
 * How many pictures would score as high by chance. At a build some thousand rows are taken evenly, random pairs of them
 * from different folders are scored (where pictures lie in fewer than four folders, any pairs: then pictures of a kind
 * are among them, and chance is thought larger than it is), and lib/analysis fits their distribution. It belongs to the
 * space it was fitted in: another centre makes it void.
 */
#include "engine/engine.h"

#include <math.h>
#include <string.h>

enum { ROWS = 2000, PAIRS = 200000, FEW_FOLDERS = 4, BYTES = (5 + IMS_CHANCE_BODY + 1) * 4 };

typedef struct picked {
	const view *view;
	size_t seen, step, n;
	int64_t id[ROWS];
	uint64_t folder[ROWS]; /* a hash of its name; 0: none */
	float *rows;
} picked;

static int pick(void *user, const int64_t *ids, const float *rows, size_t n)
{
	picked *p = user;
	size_t dim = p->view->space.dim;
	for (size_t i = 0; i < n; i++, p->seen++)
		if (p->seen % p->step == 0 && p->n < ROWS) {
			p->id[p->n] = ids[i];
			memcpy(p->rows + p->n++ * dim, rows + i * dim, dim * sizeof *rows);
		}
	return 0;
}

static int name_folder(imgsearch *s, int64_t id, uint64_t *folder, imgsearch_error *err)
{
	store_picture p;
	imgsearch_error why = { 0 };
	int rc = ims_store_picture_get(s->store, id, &p, NULL, &why);
	*folder = 0;
	if (rc == IMGSEARCH_ENOTFOUND)
		return 0;
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	const char *slash = strrchr(p.path, '/');
	if (p.root || slash)
		*folder = ims_checksum(p.path, slash ? (size_t)(slash - p.path) : 0, (uint64_t)p.root) | 1;
	ims_store_picture_clear(&p);
	return 0;
}

static bool few_folders(const picked *p)
{
	uint64_t known[FEW_FOLDERS];
	size_t n = 0;
	for (size_t i = 0; i < p->n && n < FEW_FOLDERS; i++) {
		size_t k = 0;
		while (k < n && known[k] != p->folder[i])
			k++;
		if (k == n)
			known[n++] = p->folder[i];
	}
	return n < FEW_FOLDERS;
}

/* The scores of random pairs; returns how many. */
static size_t score_pairs(const picked *p, float *score)
{
	const space *sp = &p->view->space;
	uint64_t random = 1;
	size_t n = 0;
	bool any = few_folders(p);
	for (size_t i = 0; p->n > 1 && i < PAIRS; i++) {
		size_t a = ims_random(&random) % p->n, b = ims_random(&random) % p->n;
		if (a == b || (!any && p->folder[a] == p->folder[b]))
			continue;
		score[n++] = ims_score(sp->metric, ims_search_distance(sp->metric, p->rows + a * sp->dim, p->rows + b * sp->dim, sp->dim));
	}
	return n;
}

static int put(imgsearch *s, const view *v, const chance *c, imgsearch_error *err)
{
	buf b = { 0 };
	ims_buf_u64(&b, v->centre_sum);
	ims_buf_u32(&b, v->space.dim);
	ims_buf_f32(&b, c->scale);
	ims_buf_f32(&b, c->shape);
	for (int i = 0; i <= IMS_CHANCE_BODY; i++)
		ims_buf_f32(&b, c->body[i]);
	int rc = b.failed ? ims_nomem(err) : ims_store_tx_begin(s->store, err);
	if (!rc) {
		rc = ims_store_set(s->store, "chance", b.data, b.len, err);
		if (!rc)
			rc = ims_view_renew(s, err);
		if (!rc)
			rc = ims_store_tx_commit(s->store, err);
		else
			ims_store_tx_rollback(s->store);
	}
	ims_buf_free(&b);
	return rc;
}

int ims_chance_fit(imgsearch *s, const view *v, imgsearch_error *err)
{
	chance c;
	imgsearch_error few;
	picked *p = ims_zalloc(1, sizeof *p);
	float *score = ims_alloc(PAIRS, sizeof *score);
	int rc = 0;
	if (p) {
		p->view = v;
		p->step = v->rows.n / ROWS + 1;
		p->rows = ims_alloc_aligned(ROWS, v->space.dim * sizeof(float));
	}
	if (!p || !score || !p->rows)
		rc = ims_nomem(err);
	if (!rc)
		rc = v->rows.scan(v->rows.ctx, pick, p, err);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = name_folder(s, p->id[i], &p->folder[i], err);
	if (!rc) {
		rc = ims_analysis_chance_fit(&c, score, p->n < CHANCE_ROWS ? 0 : score_pairs(p, score), &few);
		rc = rc == IMGSEARCH_ENOTFOUND ? 0 : rc ? ims_nomem(err) : put(s, v, &c, err);
	}
	if (p)
		ims_free(p->rows);
	ims_free(p);
	ims_free(score);
	return rc;
}

int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_get(s->store, "chance", &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc && b.len == BYTES && ims_read_u64(&r) == v->centre_sum && ims_read_u32(&r) == v->space.dim) {
		v->chance.scale = ims_read_f32(&r);
		v->chance.shape = ims_read_f32(&r);
		v->has_chance = true;
		for (int i = 0; i <= IMS_CHANCE_BODY; i++) {
			v->chance.body[i] = ims_read_f32(&r);
			v->has_chance &= isfinite(v->chance.body[i]) && (!i || v->chance.body[i] >= v->chance.body[i - 1]);
		}
		v->has_chance &= isfinite(v->chance.scale) && isfinite(v->chance.shape);
	}
	ims_buf_free(&b);
	return rc;
}

void ims_chance_tell(const view *v, double max_chance, imgsearch_hits *hits)
{
	imgsearch_hit *hit = (imgsearch_hit *)hits->hit; /* of the same block, which is still ours */
	if (!v->has_chance)
		return;
	size_t count = hits->count, kept = 0, better = 0;
	for (size_t i = 0; i < count; i++) {
		hit[i].chance = (double)v->rows.n * ims_analysis_chance_above(&v->chance, (double)hit[i].score);
		if (max_chance > 0 && hit[i].chance > max_chance)
			continue;
		hit[kept++] = hit[i];
		if (hit[i].chance < (hits->reranked ? 1 : (double)kept)) /* more score as high than chance would have it */
			better = kept;
	}
	hits->count = kept;
	hits->better_than_chance = better;
}
