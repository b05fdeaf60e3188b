#ifndef IMS_HANDLE_COHORT_H
#define IMS_HANDLE_COHORT_H

#include "handle/view.h"

enum { CHANCE_ROWS = 200 /* of fewer pictures nothing is said about chance */, CHANCE_COHORT = 1024 };

struct chance_cohort {
	size_t n, stride;   /* rows; bytes between them */
	float *scale, *square; /* of each row: a value is scale * (code - 128); its squared length */
	uint8_t *code;
};

float ims_cohort_largest(const float *row, size_t dim);
int ims_cohort_put(imgsearch *s, const view *v, const chance *c, const float *rows, size_t n, imgsearch_error *err);
int ims_chance_load(imgsearch *s, view *v, imgsearch_error *err);
int ims_cohort_get(imgsearch *s, view *v, const chance_cohort **out, imgsearch_error *err);
void ims_chance_free(chance_cohort *c);

#endif
