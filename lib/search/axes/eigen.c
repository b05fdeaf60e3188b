/*
 * The symmetric eigenproblem in three steps (Wilkinson and Reinsch, Handbook for Automatic
 * Computation II, 1971):
 *
 *	tridiagonalise           by Householder reflections
 *	accumulate_reflections   into the product that takes the eigenvectors back
 *	diagonalise              by QL iteration with implicit shifts
 *
 * Eigenvectors are stored as rows, so that every inner loop runs along memory.
 */
#include "search/axes/eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void add_row(double *to, const double *from, double factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += factor * from[i];
}

static double dot(const double *a, const double *b, size_t n)
{
	double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		s0 += a[i] * b[i];
		s1 += a[i + 1] * b[i + 1];
		s2 += a[i + 2] * b[i + 2];
		s3 += a[i + 3] * b[i + 3];
	}
	for (; i < n; i++)
		s0 += a[i] * b[i];
	return s0 + s1 + s2 + s3;
}

/*
 * Diagonal into d, subdiagonal into e. Row k of a then holds, from column k + 1 on, the Householder
 * vector of step k, and beta[k] its factor: the reflection is 1 - beta v v'. w is room for n.
 */
static void tridiagonalise(double *a, size_t n, double *d, double *e, double *beta, double *w)
{
	for (size_t k = 0; k + 2 < n; k++) {
		double *v = a + k * n + k + 1; /* by symmetry also the column below the diagonal */
		size_t m = n - k - 1;
		double length = sqrt(dot(v, v, m)), alpha = v[0] > 0 ? -length : length;
		d[k] = a[k * n + k];
		e[k] = alpha;
		beta[k] = 0;
		if (length == 0)
			continue;
		v[0] -= alpha;
		double square = dot(v, v, m);
		if (!(square > 2 / DBL_MAX)) { /* a denormal length counts as zero */
			e[k] = 0;
			continue;
		}
		beta[k] = 2 / square;
		for (size_t i = 0; i < m; i++)
			w[i] = beta[k] * dot(a + (k + 1 + i) * n + k + 1, v, m);
		add_row(w, v, -beta[k] / 2 * dot(w, v, m), m);
		for (size_t i = 0; i < m; i++) {
			double *row = a + (k + 1 + i) * n + k + 1;
			double vi = v[i], wi = w[i];
			for (size_t j = 0; j < m; j++)
				row[j] -= vi * w[j] + wi * v[j];
		}
	}
	for (size_t k = n < 2 ? 0 : n - 2; k < n; k++) {
		d[k] = a[k * n + k];
		e[k] = k + 1 < n ? a[k * n + k + 1] : 0;
	}
}

/* Multiplies the reflections together. The columns of the product become the rows of v. */
static void accumulate_reflections(const double *a, size_t n, const double *beta, double *v)
{
	memset(v, 0, n * n * sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i * n + i] = 1;
	for (size_t k = n < 2 ? 0 : n - 2; k-- > 0;) {
		const double *u = a + k * n + k + 1;
		size_t m = n - k - 1;
		if (beta[k] == 0)
			continue;
		for (size_t i = k + 1; i < n; i++) { /* row i of v times the reflection */
			double *row = v + i * n + k + 1;
			add_row(row, u, -beta[k] * dot(row, u, m), m);
		}
	}
}

/*
 * One QL step with Wilkinson's shift on the unreduced block l..m, by plane rotations from m up to
 * l. The eigenvectors take the same rotations. A rotation of length zero splits the block, and ends
 * the step early.
 */
static void ql_step(double *d, double *e, double *v, size_t n, size_t l, size_t m)
{
	double g = (d[l + 1] - d[l]) / (2 * e[l]), s = 1, c = 1, p = 0;
	g = d[m] - d[l] + e[l] / (g + copysign(hypot(g, 1), g));
	for (size_t i = m; i-- > l;) {
		double f = s * e[i], b = c * e[i], r = hypot(f, g);
		e[i + 1] = r;
		if (r == 0) {
			d[i + 1] -= p;
			e[m] = 0;
			return;
		}
		s = f / r;
		c = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * s + 2 * c * b;
		p = s * r;
		d[i + 1] = g + p;
		g = c * r - b;
		double *x = v + i * n, *y = x + n;
		for (size_t k = 0; k < n; k++) {
			double t = y[k];
			y[k] = s * x[k] + c * t;
			x[k] = c * x[k] - s * t;
		}
	}
	d[l] -= p;
	e[l] = g;
	e[m] = 0;
}

/*
 * QL steps until every e[l] is negligible beside its two diagonal elements. False where one does
 * not become so. The comparison is such that a NaN is not negligible.
 */
static bool diagonalise(double *d, double *e, double *v, size_t n)
{
	enum { STEPS = 100 }; /* for one eigenvalue; two are usual */
	for (size_t l = 0; l < n; l++) {
		for (int step = 0;; step++) {
			size_t m = l;
			while (m + 1 < n && !(fabs(e[m]) <= DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1]))))
				m++;
			if (m == l)
				break;
			if (step == STEPS)
				return false;
			ql_step(d, e, v, n, l, m);
		}
		if (!isfinite(d[l]))
			return false;
	}
	return true;
}

/* By selection sort, which moves each row at most once. */
static void sort_ascending(double *d, double *v, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		size_t least = i;
		for (size_t j = i + 1; j < n; j++)
			if (d[j] < d[least])
				least = j;
		if (least == i)
			continue;
		double t = d[i];
		d[i] = d[least];
		d[least] = t;
		for (size_t k = 0; k < n; k++) {
			t = v[i * n + k];
			v[i * n + k] = v[least * n + k];
			v[least * n + k] = t;
		}
	}
}

int ims_eigen_solve(double *a, size_t n, double *value, double *vector, imgsearch_error *err)
{
	double *e = ims_zalloc(n + 1, sizeof *e);
	double *beta = ims_zalloc(n + 1, sizeof *beta);
	double *w = ims_zalloc(n + 1, sizeof *w);
	int rc = e && beta && w ? 0 : ims_nomem(err);
	if (rc)
		goto done;
	tridiagonalise(a, n, value, e, beta, w);
	accumulate_reflections(a, n, beta, vector);
	if (diagonalise(value, e, vector, n))
		sort_ascending(value, vector, n);
	else
		rc = ims_fail(err, IMGSEARCH_EINVAL,
			"the eigenvalues of a matrix of %zu rows do not converge", n);
done:
	ims_free(e);
	ims_free(beta);
	ims_free(w);
	return rc;
}
