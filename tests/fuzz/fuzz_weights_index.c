/* Indexes of sharded weights. What is accepted names files of its own folder, each tensor once. */
#include "model/weights_index.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weights_index x;
	if (!ims_weights_index_parse(&x, data, size, NULL)) {
		for (size_t i = 0; i < x.n; i++) {
			const weights_index_entry *e = &x.entry[i];
			if (e->shard >= x.n_shards || strchr(x.shard[e->shard], '/'))
				abort();
			if (ims_weights_index_check(&x, e->tensor, e->shard, NULL)
				|| !ims_weights_index_check(&x, e->tensor, e->shard, NULL))
				abort();
		}
		if (ims_weights_index_complete(&x, NULL))
			abort();
	}
	ims_weights_index_free(&x);
	return 0;
}
