/* The projection and its error bounds. */
#include "search/bound/projection.h"

#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

static const double unit = 0x1p-24; /* the unit roundoff of f32 */

size_t ims_projection_stride(const projection *p)
{
	return (p->components + IMS_PANEL - 1) / IMS_PANEL * IMS_PANEL;
}

size_t ims_projection_size(const projection *p)
{
	return ims_projection_stride(p) * p->dim * sizeof(float);
}

void ims_projection_apply(const projection *p, const float *centred, size_t n, float *out,
	size_t stride)
{
	size_t panel = (size_t)p->dim * IMS_PANEL;
	for (uint32_t i = 0; i * IMS_PANEL < p->components; i++)
		ims_kernels()->panel_f32(centred, n, p->dim, p->panels + i * panel, out + i * IMS_PANEL,
			stride);
}

/*
 * A sum of n products errs by at most n unit roundoffs of the sum of their sizes: Higham, Accuracy
 * and Stability of Numerical Algorithms, section 3.1.
 */
double ims_projection_error(uint32_t dim, double skew, uint32_t m, double length)
{
	double terms = IMS_PANEL_SUM + dim / IMS_PANEL_SUM + 6;
	return (1.1 * skew + 1.01 * terms * unit * sqrt(m) + 2 * unit) * length;
}

double ims_projection_residual(double length, double head2, double error, double *residual)
{
	double rest2 = length * length - head2;
	double error2 = (2 * length + error) * error + 1e-14 * length * length;
	double r = rest2 > 0 ? sqrt(rest2) : 0;
	*residual = r;
	return r * r > error2 ? error2 / r : sqrt(error2);
}

/* ------------------------------------------------------------------------------------ axes ---- */

static int pack_axes(projection *p, const rotation *axes, imgsearch_error *err)
{
	size_t panel = (size_t)p->dim * IMS_PANEL, size = ims_projection_size(p);
	if (!p->components)
		return 0;
	p->panels = ims_alloc_aligned(size, 1);
	if (!p->panels)
		return ims_nomem(err);
	memset(p->panels, 0, size);
	for (size_t k = 0; k < p->components; k++)
		for (size_t i = 0; i < p->dim; i++)
			p->panels[k / IMS_PANEL * panel + i * IMS_PANEL + k % IMS_PANEL] =
				axes->axes[k * p->dim + i];
	return 0;
}

typedef struct skew_job {
	const rotation *axes;
	uint32_t count;
	double *row_sum;
} skew_job;

static double dot_less(const float *a, const float *b, size_t n, double less)
{
	double sum[4] = { -less };
	size_t k = 0;
	for (; k + 4 <= n; k += 4)
		for (size_t t = 0; t < 4; t++)
			sum[t] += (double)a[k + t] * b[k + t];
	for (; k < n; k++)
		sum[0] += (double)a[k] * b[k];
	return sum[0] + sum[1] + sum[2] + sum[3];
}

static void sum_skew_row(void *arg, size_t i, unsigned worker)
{
	skew_job *s = arg;
	size_t dim = s->axes->dim;
	const float *axes = s->axes->axes;
	(void)worker;
	s->row_sum[i] = 0;
	for (size_t j = 0; j < s->count; j++)
		s->row_sum[i] += fabs(dot_less(axes + i * dim, axes + j * dim, dim, i == j));
}

/* The largest row sum of |axes axes' - 1| bounds its spectral norm. */
static int measure_skew(projection *p, const rotation *axes, pool *pool, imgsearch_error *err)
{
	skew_job s = { axes, p->components, ims_alloc(p->components + 1, sizeof(double)) };
	if (!s.row_sum)
		return ims_nomem(err);
	ims_parallel(pool, s.count, sum_skew_row, &s);
	for (uint32_t i = 0; i < s.count; i++)
		p->skew = s.row_sum[i] > p->skew ? s.row_sum[i] : p->skew;
	ims_free(s.row_sum);
	return 0;
}

int ims_projection_init(projection *p, const rotation *axes, pool *pool, imgsearch_error *err)
{
	*p = (projection){ .dim = axes->dim, .components = axes->parts };
	int rc = pack_axes(p, axes, err);
	return rc ? rc : measure_skew(p, axes, pool, err);
}

void ims_projection_free(projection *p)
{
	ims_free(p->panels);
}
