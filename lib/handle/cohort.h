/*
 * The stored form of the chance model: the fitted distribution (setting "chance", which every view
 * reads), and the cohort, rows by whose scores a query's scores are normalised, in 8 bits a value
 * (setting "chance_rows", which the first query reads). Both belong to the space that they were
 * fitted in: another mean makes them void.
 */
#ifndef IMS_HANDLE_COHORT_H
#define IMS_HANDLE_COHORT_H

#include "handle/view.h"

enum {
	CHANCE_ROWS = 200,    /* with fewer rows there is no chance model */
	CHANCE_COHORT = 1024, /* rows in a cohort, at most */
};

struct chance_cohort {
	size_t n, stride; /* rows; bytes between them */
	float *scale;     /* (n): a value is scale * (code - 128) */
	float *square;    /* (n): squared length */
	uint8_t *code;    /* (n, stride); behind a row's values stands 128 */
};

/* The largest magnitude of a row, never 0: the scale of its codes is a 127th of it. */
float ims_cohort_largest(const float *row, size_t dim);

/*
 * Within a transaction: stores a distribution and its cohort, rows (n, dim) in the view's space,
 * and renews the view.
 */
int ims_cohort_put(imgsearch *s, const view *v, const chance *c, const float *rows, size_t n,
	imgsearch_error *err);

/* Sets the view's distribution from the file, where there is one of its space. */
int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err);

/*
 * The view's cohort, loaded by the first call; *out is NULL where the file holds that of a later
 * build. It lives as long as the view.
 */
int ims_cohort_get(imgsearch *s, view *v, const chance_cohort **out, imgsearch_error *err);
void ims_cohort_free(chance_cohort *c);

#endif
