#include "ingest/parts.h"

#include "store/store.h"

#include <string.h>

int ims_parts_meet(text_list *mounts, const walk_entry *e)
{
	if (!e->mount || e->kind != WALK_FILE || ims_texts_have(mounts, e->path, e->mount))
		return 0;
	return ims_texts_add(mounts, ims_strndup(e->path, e->mount));
}

int ims_parts_store(imgsearch *s, int64_t root, text_list *known, const text_list *mounts,
	imgsearch_error *err)
{
	size_t before = known->n;
	for (size_t i = 0; i < mounts->n; i++)
		if (ims_texts_add_new(known, ims_strdup(mounts->item[i])))
			return ims_nomem(err);
	if (known->n == before)
		return 0;
	int rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	return ims_handle_tx_end(s, ims_store_list_set(s->store, root, STORE_PART, known, err), err);
}
