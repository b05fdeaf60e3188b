/* Connected components. */
#ifndef IMS_ANALYSIS_COMPONENTS_H
#define IMS_ANALYSIS_COMPONENTS_H

#include "base/base.h"

/*
 * label[i] becomes the smallest member of the component of i, for n vertices and m edges, which are
 * added in order. An edge that would bring a pair of `separate` (n_separate pairs) into one
 * component is left out. joined (m, may be NULL): 1 for an edge that joined two components.
 */
void ims_analysis_components(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*separate)[2], size_t n_separate, uint8_t *joined);

#endif
