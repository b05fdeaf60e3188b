/* Each is one transaction. */
#include "ingest/remove.h"

int ims_remove(imgsearch *s, const int64_t *ids, size_t n, imgsearch_error *err)
{
	int rc = ims_handle_write_begin(s, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc) {
		for (size_t i = 0; !rc && i < n; i++)
			rc = ims_store_picture_remove(s->store, ids[i], err);
		rc = ims_handle_tx_end(s, rc, err);
	}
	if (!rc)
		rc = ims_store_compact(s->store, err);
	ims_handle_write_end(s);
	return rc;
}

int ims_root_move(imgsearch *s, const char *from, const char *to, imgsearch_error *err)
{
	int rc = ims_handle_write_begin(s, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc)
		rc = ims_handle_tx_end(s, ims_store_root_move(s->store, from, to, err), err);
	ims_handle_write_end(s);
	return rc;
}
