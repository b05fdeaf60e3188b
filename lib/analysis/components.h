/* Connected components. */
#ifndef IMS_ANALYSIS_COMPONENTS_H
#define IMS_ANALYSIS_COMPONENTS_H

#include "base/base.h"

/*
 * label[i] = the smallest member of i's connected component, from m edges taken in order. An edge that would bring
 * together a pair of `apart` (n_apart pairs) is left out. joined[e], where not NULL, is 1 for an edge that joined two.
 */
void ims_analysis_components(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*apart)[2], size_t n_apart, uint8_t *joined);

#endif
