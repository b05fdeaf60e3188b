/* Rejected pairs are stored by content hash, so they stay valid when ids change. */
#include "collection/reject.h"
#include "handle/view.h"
#include "store/store.h"

int ims_reject(imgsearch *s, int64_t a, int64_t b, imgsearch_error *err)
{
	hash256 hash[2];
	const int64_t id[2] = { a, b };
	int rc = 0;
	for (int i = 0; i < 2 && !rc; i++) {
		store_picture p;
		rc = ims_store_picture_get(s->store, id[i], &p, err);
		hash[i] = p.hash;
		ims_store_picture_clear(&p);
		if (!rc && ims_hash_is_zero(&hash[i]))
			rc = ims_fail(err, IMGSEARCH_EINVAL,
				"picture %lld has no content hash, so the pair cannot be stored", (long long)id[i]);
	}
	if (!rc && ims_hash_equal(&hash[0], &hash[1]))
		rc = ims_fail(err, IMGSEARCH_EINVAL, "pictures %lld and %lld are the same bytes",
			(long long)a, (long long)b);
	if (!rc)
		rc = ims_store_tx_begin(s->store, err);
	return rc ? rc : ims_handle_tx_end(s, ims_store_reject(s->store, &hash[0], &hash[1], err), err);
}
