/* Connected components, and components of which every two members fit together. */
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

/* Whether two vertices may be in one component. Symmetric. */
typedef bool ims_analysis_fits(void *user, uint32_t a, uint32_t b);

/*
 * The same, but an edge joins two components only where each member of one fits each member of the
 * other. So the strongest pairs win: a vertex that fits two components which do not fit each other
 * goes to the one that an earlier edge leads to. ENOMEM.
 */
int ims_analysis_cliques(uint32_t *label, size_t n, const uint32_t (*edge)[2], size_t m,
	const uint32_t (*separate)[2], size_t n_separate, ims_analysis_fits *fits, void *user,
	uint8_t *joined);

#endif
