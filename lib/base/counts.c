/* The one place where states meet the fields of imgsearch_counts. */
#include "base/counts.h"

void ims_counts_add(imgsearch_counts *c, uint32_t state, uint64_t n)
{
	uint64_t *const by_state[] = {
		NULL,
		&c->indexed,
		&c->duplicate,
		&c->unsupported,
		&c->damaged,
		&c->too_big,
		&c->excluded,
		&c->unreadable,
		&c->deleted,
		&c->link,
	};
	if (state >= IMGSEARCH_STATE_INDEXED && state <= IMGSEARCH_STATE_LINK)
		*by_state[state] += n;
}

bool ims_counts_is_failure(uint32_t state)
{
	return state == IMGSEARCH_STATE_DAMAGED || state == IMGSEARCH_STATE_TOO_BIG
		|| state == IMGSEARCH_STATE_UNREADABLE;
}
