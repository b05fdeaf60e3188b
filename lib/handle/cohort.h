/*
 * The stored form of the chance model. It has the fitted distributions of the scores of pictures
 * and of texts (settings "chance" and "word_chance", which every view reads), and the cohort: rows
 * whose scores normalise the scores of a query, with 8 bits a value (setting "chance_rows", which
 * the first query reads). They are valid only in the space in which they were fitted; another mean
 * invalidates them.
 *
 * Of an index with regions there is a second one, of the best score that the whole picture or a
 * part of it has (settings with ".regions" behind their names). Its cohort has fewer pictures, each
 * with the row of the whole and those of its parts.
 */
#ifndef IMS_HANDLE_COHORT_H
#define IMS_HANDLE_COHORT_H

#include "handle/view.h"

enum {
	CHANCE_ROWS = 200,       /* with fewer rows there is no chance model */
	CHANCE_COHORT = 1024,    /* rows in a cohort, at most */
	CHANCE_SHORT_DIM = 1024, /* with fewer values codes have 8 bits */
	/* pictures in the cohort of regions, at most: it is read for each query */
	CHANCE_REGION_PICTURES = 256,
};

/*
 * A value is scale * (code - zero). Codes have 4 bits for cosine with many values, or many rows:
 * scores by these change location and spread less than the choice of the cohort does, and half as
 * many bytes are read for each query. Others have 8 bits, as two planes of 4, the higher ones
 * first.
 */
struct chance_cohort {
	size_t parts;             /* rows of a picture, one behind the other */
	size_t n, blocks, eights; /* rows; blocks of 16 rows; eights of values in a row */
	size_t planes;
	float zero;
	float *scale;   /* (n) */
	float *square;  /* (n): squared length */
	uint8_t *codes; /* (planes, blocks, eights, 64): see scan_u4_i8 */
};

/* The scale of codes -127..127 for a row of n values; never 0. */
float ims_cohort_scale(const float *row, size_t n);

/*
 * Within a transaction: stores the distributions (words NULL: there is none) of that model of the
 * view, and their cohort, n rows (n, dim) in the space of the view, and renews the view. EDB, EIO,
 * ENOMEM.
 */
int ims_cohort_put(imgsearch *s, const view *v, const chance_model *of, const chance *pictures,
	const chance *words, const float *rows, size_t n, imgsearch_error *err);

/* Reads the distributions into the view that the file has of its space. EDB, EIO, ENOMEM. */
int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err);

/*
 * The cohort of a model of the view, loaded by the first call. *out is borrowed from the view; it
 * is NULL if the file has the cohort of a later build. EDB, EIO, ENOMEM. Any thread.
 */
int ims_cohort_get(imgsearch *s, view *v, chance_model *of, const chance_cohort **out,
	imgsearch_error *err);
void ims_cohort_free(chance_cohort *c);

#endif
