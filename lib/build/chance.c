/*
 * How many pictures would score as high by chance. At a build a cohort of pictures is taken evenly, and lib/analysis fits the
 * distribution of the scores of its pairs from different folders (where pictures lie in fewer than four folders, of any:
 * then pictures of a kind are among them, and chance is thought larger than it is). A query's scores are normalised by those
 * that it has with the cohort; so that this costs little beside the search, the cohort is kept as 8-bit codes. All belongs to
 * the space that it was fitted in: another centre makes it void.
 *
 * Two settings hold it: "chance", which every view reads, and "chance_rows", the codes, read by the first query.
 */
#include "handle/handle.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { VERSION = 2, FEW_FOLDERS = 4, HEAD_BYTES = 4 + 8 + 4 + 4 + 8 + (2 + IMS_CHANCE_BODY + 1) * 4 };

struct chance_cohort {
	size_t n, stride;   /* rows; bytes between them */
	float *scale, *square; /* of each row: a value is scale * (code - 128); its squared length */
	uint8_t *code;
};

typedef struct picked {
	const view *view;
	size_t seen, step, n;
	int64_t id[CHANCE_COHORT];
	uint64_t folder[CHANCE_COHORT]; /* a hash of its name; 0: none */
	float *rows;
} picked;

static int pick(void *user, const int64_t *ids, const float *rows, size_t n)
{
	picked *p = user;
	size_t dim = p->view->space.dim;
	for (size_t i = 0; i < n; i++, p->seen++)
		if (p->seen % p->step == 0 && p->n < CHANCE_COHORT) {
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

/* Where folders say nothing, every picture is a folder of its own. */
static void tell_apart(picked *p)
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
	for (size_t i = 0; n < FEW_FOLDERS && i < p->n; i++)
		p->folder[i] = i;
}

static int fit(const picked *p, chance *out, imgsearch_error *err)
{
	const space *sp = &p->view->space;
	float *score = ims_alloc(p->n, p->n * sizeof *score);
	if (!score)
		return ims_nomem(err);
	for (size_t a = 0; a < p->n; a++)
		for (size_t b = a; b < p->n; b++)
			score[a * p->n + b] = score[b * p->n + a] = ims_score(sp->metric,
				ims_search_distance(sp->metric, p->rows + a * sp->dim, p->rows + b * sp->dim, sp->dim));
	int rc = ims_analysis_chance_fit(out, score, p->folder, p->n, err);
	ims_free(score);
	return rc;
}

/* ------------------------------------------------------------------------------------------------ the cohort ---- */

static float largest(const float *row, size_t dim)
{
	float most = 1e-30f;
	for (size_t j = 0; j < dim; j++)
		most = fmaxf(most, fabsf(row[j]));
	return most;
}

static int put_rows(imgsearch *s, const picked *p, uint64_t *sum, imgsearch_error *err)
{
	buf b = { 0 };
	size_t dim = p->view->space.dim;
	for (size_t i = 0; i < p->n; i++) {
		const float *row = p->rows + i * dim;
		float scale = largest(row, dim) / 127;
		ims_buf_f32(&b, scale);
		ims_buf_f32(&b, ims_kernels()->dot_f32(row, row, dim));
		uint8_t *code = ims_buf_grow(&b, dim);
		for (size_t j = 0; code && j < dim; j++)
			code[j] = (uint8_t)(lrintf(row[j] / scale) + 128);
	}
	*sum = ims_checksum(b.data, b.len, 0);
	int rc = b.failed ? ims_nomem(err) : ims_store_set(s->store, "chance_rows", b.data, b.len, err);
	ims_buf_free(&b);
	return rc;
}

static int put(imgsearch *s, const picked *p, const chance *c, imgsearch_error *err)
{
	buf b = { 0 };
	uint64_t sum;
	int rc = put_rows(s, p, &sum, err);
	if (rc)
		return rc;
	ims_buf_u32(&b, VERSION);
	ims_buf_u64(&b, p->view->centre_sum);
	ims_buf_u32(&b, p->view->space.dim);
	ims_buf_u32(&b, (uint32_t)p->n);
	ims_buf_u64(&b, sum);
	ims_buf_f32(&b, c->scale);
	ims_buf_f32(&b, c->shape);
	for (int i = 0; i <= IMS_CHANCE_BODY; i++)
		ims_buf_f32(&b, c->body[i]);
	rc = b.failed ? ims_nomem(err) : ims_store_set(s->store, "chance", b.data, b.len, err);
	ims_buf_free(&b);
	return rc ? rc : ims_view_renew(s, err);
}

static int keep(imgsearch *s, const picked *p, const chance *c, imgsearch_error *err)
{
	int rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	rc = put(s, p, c, err);
	if (!rc)
		rc = ims_store_tx_commit(s->store, err);
	else
		ims_store_tx_rollback(s->store);
	return rc;
}

int ims_chance_fit(imgsearch *s, const view *v, imgsearch_error *err)
{
	chance c;
	picked *p = ims_zalloc(1, sizeof *p);
	int rc = 0;
	if (p) {
		p->view = v;
		p->step = (v->rows.n + CHANCE_COHORT - 1) / CHANCE_COHORT;
		p->rows = ims_alloc_aligned(CHANCE_COHORT, v->space.dim * sizeof(float));
	}
	if (!p || !p->rows)
		rc = ims_nomem(err);
	if (!rc)
		rc = v->rows.scan(v->rows.ctx, pick, p, err);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = name_folder(s, p->id[i], &p->folder[i], err);
	if (!rc && p->n >= CHANCE_ROWS) {
		imgsearch_error few;
		tell_apart(p);
		rc = fit(p, &c, &few);
		rc = rc == IMGSEARCH_ENOTFOUND ? 0 : rc ? ims_nomem(err) : keep(s, p, &c, err);
	}
	if (p)
		ims_free(p->rows);
	ims_free(p);
	return rc;
}

int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = ims_store_get(s->store, "chance", &b, err);
	reader r = { .data = b.data, .len = b.len };
	if (!rc && b.len == HEAD_BYTES && ims_read_u32(&r) == VERSION && ims_read_u64(&r) == v->centre_sum && ims_read_u32(&r) == v->space.dim) {
		v->cohort_rows = ims_read_u32(&r);
		v->cohort_sum = ims_read_u64(&r);
		v->chance.scale = ims_read_f32(&r);
		v->chance.shape = ims_read_f32(&r);
		v->has_chance = v->cohort_rows >= CHANCE_ROWS && v->cohort_rows <= CHANCE_COHORT;
		for (int i = 0; i <= IMS_CHANCE_BODY; i++) {
			v->chance.body[i] = ims_read_f32(&r);
			v->has_chance &= isfinite(v->chance.body[i]) && (!i || v->chance.body[i] >= v->chance.body[i - 1]);
		}
		v->has_chance &= isfinite(v->chance.scale) && isfinite(v->chance.shape);
	}
	ims_buf_free(&b);
	return rc;
}

void ims_chance_free(chance_cohort *c)
{
	if (!c)
		return;
	ims_free(c->scale);
	ims_free(c->square);
	ims_free(c->code);
	ims_free(c);
}

static int unpack(const view *v, const buf *b, chance_cohort **out, imgsearch_error *err)
{
	reader r = { .data = b->data, .len = b->len };
	size_t n = v->cohort_rows, dim = v->space.dim, stride = (dim + 63) / 64 * 64;
	chance_cohort *c = ims_zalloc(1, sizeof *c);
	if (!c)
		return ims_nomem(err);
	*c = (chance_cohort){ n, stride, ims_alloc(n, sizeof(float)), ims_alloc(n, sizeof(float)), ims_alloc_aligned(n, stride) };
	if (!c->scale || !c->square || !c->code) {
		ims_chance_free(c);
		return ims_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		c->scale[i] = ims_read_f32(&r);
		c->square[i] = ims_read_f32(&r);
		memcpy(c->code + i * stride, ims_read_bytes(&r, dim), dim);
		memset(c->code + i * stride + dim, 128, stride - dim);
	}
	*out = c;
	return 0;
}

/* The view's cohort, read by the first who asks; NULL where it is not that of the view's distribution: a build was faster. */
static int get_cohort(imgsearch *s, view *v, const chance_cohort **out, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = 0;
	pthread_mutex_lock(&v->lock);
	if (!v->cohort_tried) {
		rc = ims_store_get(s->store, "chance_rows", &b, err);
		if (!rc && b.len == v->cohort_rows * ((size_t)v->space.dim + 8) && ims_checksum(b.data, b.len, 0) == v->cohort_sum)
			rc = unpack(v, &b, &v->cohort, err);
		v->cohort_tried = !rc;
	}
	*out = v->cohort;
	pthread_mutex_unlock(&v->lock);
	ims_buf_free(&b);
	return rc;
}

/* ----------------------------------------------------------------------------------------------- a query's hits ---- */

/* The query's scores of the cohort, as near as codes of both give them. */
static int score_cohort(const space *sp, const chance_cohort *c, const float *query, float *score, imgsearch_error *err)
{
	int8_t *code = ims_alloc_aligned(c->stride, 1);
	int32_t *sum = ims_alloc(c->n, sizeof *sum), total = 0;
	float scale = largest(query, sp->dim) / 127, square = ims_kernels()->dot_f32(query, query, sp->dim);
	int rc = code && sum ? 0 : ims_nomem(err);
	if (!rc) {
		memset(code, 0, c->stride);
		for (size_t j = 0; j < sp->dim; j++)
			total += code[j] = (int8_t)lrintf(query[j] / scale);
		ims_kernels()->dot_u8_i8(c->code, c->stride, NULL, c->n, code, sum);
	}
	for (size_t i = 0; !rc && i < c->n; i++) {
		float dot = scale * c->scale[i] * (float)(sum[i] - 128 * total);
		score[i] = sp->metric == IMGSEARCH_L2 ? -sqrtf(fmaxf(square + c->square[i] - 2 * dot, 0)) : dot;
	}
	ims_free(code);
	ims_free(sum);
	return rc;
}

static int normalise(imgsearch *s, view *v, const float *query, bool *known, chance_norm *norm, imgsearch_error *err)
{
	const chance_cohort *c = NULL;
	int rc = get_cohort(s, v, &c, err);
	*known = !rc && c;
	if (!*known)
		return rc;
	float *score = ims_alloc(c->n, sizeof *score);
	rc = score ? score_cohort(&v->space, c, query, score, err) : ims_nomem(err);
	if (!rc)
		*norm = ims_analysis_chance_norm(&v->chance, score, c->n);
	ims_free(score);
	return rc;
}

int ims_chance_tell(imgsearch *s, view *v, const float *query, const int64_t *own, size_t n_own, double max_chance,
	imgsearch_hits *hits, imgsearch_error *err)
{
	imgsearch_hit *hit = (imgsearch_hit *)hits->hit; /* of the same block, which is still ours */
	size_t count = hits->count, kept = 0, better = 0;
	bool known = false;
	chance_norm norm;
	int rc = v->has_chance && count ? normalise(s, v, query, &known, &norm, err) : 0;
	if (!known)
		return rc;
	for (size_t i = 0; i < count; i++) {
		hit[i].chance = ims_id_among(hit[i].id, own, n_own) ? 0
			: (double)v->rows.n * ims_analysis_chance_above(&v->chance, norm, (double)hit[i].score);
		if (max_chance > 0 && hit[i].chance > max_chance)
			continue;
		hit[kept++] = hit[i];
		if (hit[i].chance < (hits->reranked ? 1 : (double)kept)) /* more score as high than chance would have it */
			better = kept;
	}
	hits->count = kept;
	hits->better_than_chance = better;
	return 0;
}
