/* All eigenvalues and eigenvectors of a symmetric matrix. */
#ifndef IMS_SEARCH_EIGEN_H
#define IMS_SEARCH_EIGEN_H

#include "base/base.h"

/*
 * value: n eigenvalues, ascending. vector: n rows of n, the unit eigenvectors in the same order. a:
 * the matrix, n rows of n; it is destroyed. ENOMEM; EINVAL where the iteration does not converge,
 * as for a matrix with infinities or NaNs in it. After an error value and vector are undefined.
 */
int ims_eigen_solve(double *a, size_t n, double *value, double *vector, imgsearch_error *err);

#endif
