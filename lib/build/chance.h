/* Fitting the chance model: how scores of unrelated pictures are distributed. */
#ifndef IMS_BUILD_CHANCE_H
#define IMS_BUILD_CHANCE_H

#include "handle/view.h"

/*
 * Fits the distribution of unrelated scores in the space of the view, and stores it with its cohort
 * as that model of the view: of the scores of wholes, or of those of the best parts. With fewer
 * than CHANCE_ROWS rows, or too few unrelated pairs, it stores nothing. The caller holds the writer
 * lock. EDB, EIO, ENOMEM.
 */
int ims_chance_fit(imgsearch *s, const view *v, const chance_model *m, job *j,
	imgsearch_error *err);

#endif
