/*
 * t-SNE on a plane (van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9, 2008) by the
 * Barnes-Hut approximation (van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR
 * 15, 2014), with the defaults of the latter. The learning rate is n / exaggeration / 4, at least
 * 50 (Belkina et al., "Automated optimized parameters for t-SNE", 2019): the paper's 200 at 10 000
 * points.
 *
 * 1. affinities(): a Gaussian around each point, whose width gives the wanted perplexity over its k
 *    neighbours and is found by bisection. The matrix is made symmetric and stored as sparse rows.
 * 2. step(), once an iteration: sort_points() orders the points along a Z-curve. build_cells() lays
 *    a quadtree over them, in one array, depth first, where each cell knows the first one behind
 *    its subtree. repulse_block() walks that array for every point: a cell that is small from there
 *    counts as one body, otherwise its children follow. attract_block() adds the attraction of the
 *    neighbours and applies momentum and gains.
 *
 * A cell with one child is left out, so there are fewer than 2 n cells. Sums are taken in fixed
 * blocks of points and added in order, which gives the same bits for any number of threads.
 */
#include "analysis/tsne.h"

#include <math.h>
#include <string.h>

#define BLOCK 128 /* points in one piece of parallel work */
#define LEVELS 16 /* of the quadtree: bits of a coordinate on the Z-curve */

typedef struct cell {
	float x, y, count; /* centre of mass, points */
	float size2;       /* squared side, 0 for a leaf */
	uint32_t next;     /* the first cell behind the subtree of this one */
} cell;

typedef struct tsne_state {
	size_t n, blocks;
	float *xy;
	/* affinities: row i is first[i] .. first[i + 1] - 1 of column and p */
	size_t *first;
	uint32_t *column;
	float *p;
	/* tree */
	cell *cells;
	uint32_t n_cells;
	uint32_t *code, *order, *code_tmp, *order_tmp;
	float left, top, side;
	/* a step */
	float *force, *velocity, *gain; /* force: repulsion (n, 2), not yet divided by the sum */
	double *partial;                /* a block's share of the sum */
	double sum;
	float theta2, exaggeration, rate, momentum;
	/* affinities only */
	size_t k;
	const int32_t *neighbour;
	const float *distance2;
	float *conditional, perplexity;
} tsne_state;

static float wanted_perplexity(float given)
{
	return given > 0 ? given : IMGSEARCH_PERPLEXITY_DEFAULT;
}

size_t ims_analysis_tsne_neighbours(size_t n, float perplexity)
{
	size_t k = (size_t)(3 * wanted_perplexity(perplexity));
	return n < 2 ? 0 : k < n - 1 ? k : n - 1;
}

/* ------------------------------------------------------------------------------ affinities ---- */

/* p_j|i of one point for the precision beta; returns the entropy of the distribution. */
static double gaussian(float *p, const float *d2, const int32_t *to, size_t k, double beta,
	double nearest)
{
	double sum = 1e-300, weighted = 0;
	for (size_t j = 0; j < k; j++) {
		double e = to[j] < 0 ? 0 : exp(-beta * (d2[j] - nearest));
		p[j] = (float)e;
		sum += e;
		weighted += e * (d2[j] - nearest);
	}
	for (size_t j = 0; j < k; j++)
		p[j] = (float)(p[j] / sum);
	return log(sum) + beta * weighted / sum;
}

static void condition_block(void *arg, size_t block, unsigned worker)
{
	tsne_state *l = arg;
	(void)worker;
	size_t end = (block + 1) * BLOCK < l->n ? (block + 1) * BLOCK : l->n;
	double target = log(l->perplexity);
	for (size_t i = block * BLOCK; i < end; i++) {
		const float *d2 = l->distance2 + i * l->k;
		const int32_t *to = l->neighbour + i * l->k;
		double low = 0, high = INFINITY, beta = 1, nearest = INFINITY;
		for (size_t j = 0; j < l->k; j++)
			if (to[j] >= 0 && d2[j] < nearest)
				nearest = d2[j];
		for (int step = 0; step < 64; step++) {
			double off = gaussian(l->conditional + i * l->k, d2, to, l->k, beta, nearest) - target;
			if (fabs(off) < 1e-5)
				break;
			if (off > 0)
				low = beta, beta = isinf(high) ? beta * 2 : (beta + high) / 2;
			else
				high = beta, beta = (beta + low) / 2;
		}
	}
}

/*
 * Sorts a sparse row by column and adds entries of equal column. Returns the new length. Rows are
 * short.
 */
static size_t merge_row(uint32_t *column, float *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t c = column[i];
		float v = p[i];
		size_t j = i;
		for (; j && column[j - 1] > c; j--)
			column[j] = column[j - 1], p[j] = p[j - 1];
		column[j] = c, p[j] = v;
	}
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (kept && column[kept - 1] == column[i])
			p[kept - 1] += p[i];
		else
			column[kept] = column[i], p[kept++] = p[i];
	return kept;
}

/* P = (conditional + its transpose) / 2n as sparse rows. */
static int affinities(tsne_state *l, pool *pool, imgsearch_error *err)
{
	size_t n = l->n, edges = n * l->k;
	l->conditional = ims_alloc(edges, sizeof(float));
	l->first = ims_zalloc(n + 2, sizeof *l->first);
	l->column = ims_alloc(2 * edges, sizeof *l->column);
	l->p = ims_alloc(2 * edges, sizeof *l->p);
	if (!l->conditional || !l->first || !l->column || !l->p)
		return ims_nomem(err);
	ims_parallel(pool, l->blocks, condition_block, l);

	size_t *at = l->first + 1; /* at[i]: where row i grows; ends as first[i + 1] */
	for (size_t e = 0; e < edges; e++)
		if (l->neighbour[e] >= 0)
			at[e / l->k + 1]++, at[(size_t)l->neighbour[e] + 1]++;
	for (size_t i = 1; i <= n; i++)
		at[i] += at[i - 1];
	for (size_t e = 0; e < edges; e++) {
		if (l->neighbour[e] < 0)
			continue;
		size_t from = e / l->k, to = (size_t)l->neighbour[e];
		float half = l->conditional[e] / (2 * (float)n);
		l->column[at[from]] = (uint32_t)to, l->p[at[from]++] = half;
		l->column[at[to]] = (uint32_t)from, l->p[at[to]++] = half;
	}
	size_t out = 0, start = 0;
	for (size_t i = 0; i < n; i++) {
		size_t end = l->first[i + 1],
			   kept = merge_row(l->column + start, l->p + start, end - start);
		memmove(l->column + out, l->column + start, kept * sizeof *l->column);
		memmove(l->p + out, l->p + start, kept * sizeof *l->p);
		l->first[i] = out;
		out += kept;
		start = end;
	}
	l->first[n] = out;
	return 0;
}

/* ------------------------------------------------------------------------------------ tree ---- */

static uint32_t spread_bits(uint32_t v)
{
	v = (v | v << 8) & 0x00ff00ff;
	v = (v | v << 4) & 0x0f0f0f0f;
	v = (v | v << 2) & 0x33333333;
	return (v | v << 1) & 0x55555555;
}

/* Radix sort of the points along the Z-curve: code ascends, order[i] is the point at place i. */
static void sort_points(tsne_state *l)
{
	float right = -INFINITY, bottom = -INFINITY;
	l->left = l->top = INFINITY;
	for (size_t i = 0; i < l->n; i++) {
		float x = l->xy[2 * i], y = l->xy[2 * i + 1];
		l->left = fminf(l->left, x), right = fmaxf(right, x);
		l->top = fminf(l->top, y), bottom = fmaxf(bottom, y);
	}
	l->side = fmaxf(fmaxf(right - l->left, bottom - l->top), 1e-20f) * 1.0001f;
	float scale = (1 << LEVELS) / l->side;
	uint32_t count[4][256] = { 0 };
	for (size_t i = 0; i < l->n; i++) {
		uint32_t x = (uint32_t)((l->xy[2 * i] - l->left) * scale),
				 y = (uint32_t)((l->xy[2 * i + 1] - l->top) * scale);
		uint32_t c = spread_bits(x & 0xffff) | spread_bits(y & 0xffff) << 1;
		l->code[i] = c;
		l->order[i] = (uint32_t)i;
		for (int digit = 0; digit < 4; digit++)
			count[digit][c >> 8 * digit & 255]++;
	}
	for (int digit = 0; digit < 4; digit++) {
		uint32_t sum = 0;
		for (int v = 0; v < 256; v++) {
			uint32_t c = count[digit][v];
			count[digit][v] = sum;
			sum += c;
		}
		for (size_t i = 0; i < l->n; i++) {
			uint32_t to = count[digit][l->code[i] >> 8 * digit & 255]++;
			l->code_tmp[to] = l->code[i], l->order_tmp[to] = l->order[i];
		}
		uint32_t *c = l->code, *o = l->order;
		l->code = l->code_tmp, l->code_tmp = c;
		l->order = l->order_tmp, l->order_tmp = o;
	}
}

/* The first place in begin .. end - 1 with code >= value; end: none. */
static size_t lower_bound(const uint32_t *code, size_t begin, size_t end, uint32_t value)
{
	while (begin < end) {
		size_t mid = begin + (end - begin) / 2;
		if (code[mid] < value)
			begin = mid + 1;
		else
			end = mid;
	}
	return begin;
}

/*
 * Builds the subtree over the places begin .. end - 1, which share all bits of the code above the
 * lowest `bits`. The recursion is at most LEVELS deep.
 */
static void build_cells(tsne_state *l, size_t begin, size_t end, int bits)
{
	uint32_t differ = l->code[begin] ^ l->code[end - 1];
	while (bits && !(differ >> (bits - 2)))
		bits -= 2; /* all in one quadrant */
	cell *c = &l->cells[l->n_cells++];
	double x = 0, y = 0;
	float side = l->side * (float)(1u << bits / 2) / (1 << LEVELS);
	c->count = (float)(end - begin);
	c->size2 = bits ? side * side : 0;
	if (!bits) {
		for (size_t i = begin; i < end; i++)
			x += l->xy[2 * l->order[i]], y += l->xy[2 * l->order[i] + 1];
	} else {
		uint32_t base = l->code[begin] & ~(uint32_t)((1ull << bits) - 1),
				 quarter = 1u << (bits - 2);
		size_t from = begin;
		for (uint32_t q = 1; q <= 4; q++) {
			size_t to = q == 4 ? end : lower_bound(l->code, from, end, base + q * quarter);
			if (to > from) {
				const cell *child = &l->cells[l->n_cells];
				build_cells(l, from, to, bits - 2);
				x += (double)child->x * child->count, y += (double)child->y * child->count;
			}
			from = to;
		}
	}
	c->x = (float)(x / c->count), c->y = (float)(y / c->count);
	c->next = l->n_cells;
}

/* ----------------------------------------------------------------------------------- steps ---- */

/* The repulsion of a block of neighbours on the Z-curve, which visit nearly the same cells. */
static void repulse_block(void *arg, size_t block, unsigned worker)
{
	tsne_state *l = arg;
	(void)worker;
	size_t end = (block + 1) * BLOCK < l->n ? (block + 1) * BLOCK : l->n;
	const cell *cells = l->cells;
	double sum = 0;
	for (size_t place = block * BLOCK; place < end; place++) {
		size_t i = l->order[place];
		float x = l->xy[2 * i], y = l->xy[2 * i + 1], fx = 0, fy = 0, z = 0;
		for (uint32_t at = 0, all = l->n_cells; at < all;) {
			const cell *c = &cells[at];
			float dx = x - c->x, dy = y - c->y, d2 = dx * dx + dy * dy;
			if (c->size2 > l->theta2 * d2) {
				at++;
				continue;
			}
			float q = 1 / (1 + d2), w = c->count * q;
			z += w;
			w *= q;
			fx += w * dx;
			fy += w * dy;
			at = c->next;
		}
		l->force[2 * i] = fx;
		l->force[2 * i + 1] = fy;
		sum += (double)z - 1; /* without the point itself */
	}
	l->partial[block] = sum;
}

/* The new velocity of one coordinate, from its own gain, momentum and learning rate. */
static inline void accelerate(tsne_state *l, size_t c, float gradient)
{
	float gain = (gradient > 0) == (l->velocity[c] > 0) ? l->gain[c] * 0.8f : l->gain[c] + 0.2f;
	l->gain[c] = fmaxf(gain, 0.01f);
	l->velocity[c] = l->momentum * l->velocity[c] - l->rate * l->gain[c] * gradient;
}

static void attract_block(void *arg, size_t block, unsigned worker)
{
	tsne_state *l = arg;
	(void)worker;
	size_t end = (block + 1) * BLOCK < l->n ? (block + 1) * BLOCK : l->n;
	float repulsion = (float)(1 / l->sum);
	for (size_t i = block * BLOCK; i < end; i++) {
		float x = l->xy[2 * i], y = l->xy[2 * i + 1], fx = 0, fy = 0;
		for (size_t e = l->first[i]; e < l->first[i + 1]; e++) {
			const float *to = l->xy + 2 * (size_t)l->column[e];
			float dx = x - to[0], dy = y - to[1];
			float w = l->p[e] / (1 + dx * dx + dy * dy);
			fx += w * dx;
			fy += w * dy;
		}
		accelerate(l, 2 * i, 4 * (l->exaggeration * fx - repulsion * l->force[2 * i]));
		accelerate(l, 2 * i + 1, 4 * (l->exaggeration * fy - repulsion * l->force[2 * i + 1]));
	}
}

static void step(tsne_state *l, pool *pool)
{
	sort_points(l);
	l->n_cells = 0;
	build_cells(l, 0, l->n, 2 * LEVELS);
	ims_parallel(pool, l->blocks, repulse_block, l);
	l->sum = 1e-12;
	for (size_t b = 0; b < l->blocks; b++)
		l->sum += l->partial[b];
	ims_parallel(pool, l->blocks, attract_block, l);

	double mean[2] = { 0, 0 };
	for (size_t c = 0; c < 2 * l->n; c++)
		mean[c & 1] += l->xy[c] += l->velocity[c];
	for (size_t c = 0; c < 2 * l->n; c++)
		l->xy[c] -= (float)(mean[c & 1] / (double)l->n);
}

static int prepare(tsne_state *l, const tsne_options *o, pool *pool, imgsearch_error *err)
{
	size_t n = l->n;
	l->blocks = (n + BLOCK - 1) / BLOCK;
	l->cells = ims_alloc(2 * n, sizeof *l->cells);
	l->code = ims_alloc(n, sizeof *l->code);
	l->order = ims_alloc(n, sizeof *l->order);
	l->code_tmp = ims_alloc(n, sizeof *l->code);
	l->order_tmp = ims_alloc(n, sizeof *l->order);
	l->force = ims_alloc(2 * n, sizeof(float));
	l->velocity = ims_zalloc(2 * n, sizeof(float));
	l->gain = ims_alloc(2 * n, sizeof(float));
	l->partial = ims_zalloc(l->blocks, sizeof(double));
	if (!l->cells || !l->code || !l->order || !l->code_tmp || !l->order_tmp || !l->force
		|| !l->velocity || !l->gain || !l->partial)
		return ims_nomem(err);

	/* The start is scaled to a standard deviation of 1e-4. */
	uint64_t random = o->seed ^ 0x7473636e65ull;
	double spread = 0;
	for (size_t c = 0; c < 2 * n; c++)
		spread += (double)l->xy[c] * l->xy[c];
	for (size_t c = 0; c < 2 * n; c++) {
		l->gain[c] = 1;
		l->xy[c] = spread > 0 ? (float)(l->xy[c] * 1e-4 / sqrt(spread / (2 * (double)n))) : 0;
		l->xy[c] += (float)((ims_random_unit(&random) - 0.5)
			* (spread > 0 ? 1e-6 : 3e-4)); /* parts equal points */
	}
	return affinities(l, pool, err);
}

static void tsne_state_free(tsne_state *l)
{
	void *all[] = {
		l->first,
		l->column,
		l->p,
		l->cells,
		l->code,
		l->order,
		l->code_tmp,
		l->order_tmp,
		l->force,
		l->velocity,
		l->gain,
		l->partial,
		l->conditional,
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		ims_free(all[i]);
}

int ims_analysis_tsne(float *xy, size_t n, size_t k, const int32_t *neighbour,
	const float *distance2, const tsne_options *options, job *job, imgsearch_error *err)
{
	tsne_options o = options ? *options : (tsne_options){ 0 };
	if (n > INT32_MAX || k > 65535)
		return ims_fail(err, IMGSEARCH_ELIMIT,
			"t-SNE of %zu points with %zu neighbours is too large", n, k);
	if (n < 2 || !k)
		return 0;
	uint32_t iterations = o.iterations ? o.iterations : 1000, early = iterations / 4;
	float exaggeration = o.exaggeration > 0 ? o.exaggeration : 12,
		  theta = o.theta > 0 ? o.theta : 0.5f;
	pool *threads = job ? job->pool : NULL;
	tsne_state l = {
		.n = n,
		.k = k,
		.xy = xy,
		.neighbour = neighbour,
		.distance2 = distance2,
		.theta2 = theta * theta,
	};
	l.perplexity = fminf(wanted_perplexity(o.perplexity), fmaxf((float)k / 3, 1.01f));
	l.rate = fmaxf((float)n / exaggeration / 4, 50);
	int rc = prepare(&l, &o, threads, err);
	for (uint32_t i = 0; !rc && i < iterations; i++) {
		l.exaggeration = i < early ? exaggeration : 1;
		l.momentum = i < early ? 0.5f : 0.8f;
		step(&l, threads);
		if (job)
			rc = ims_job_step(job, "map", i + 1, iterations, err);
	}
	tsne_state_free(&l);
	return rc;
}
