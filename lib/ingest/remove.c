/* Each is one transaction. */
#include "ingest/remove.h"

#include "store/record.h"

#include <string.h>

typedef int change_items(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err);

enum { LOOK = 256 }; /* items that are changed between two looks at the job */

/* Equal ids count once. */
static int in_transaction(imgsearch *s, change_items *change, const int64_t *asked, size_t n,
	job *j, imgsearch_error *err)
{
	int64_t *ids = ims_alloc(n, sizeof *ids);
	if (!ids)
		return ims_nomem(err);
	if (n)
		memcpy(ids, asked, n * sizeof *ids);
	n = ims_ids_sort(ids, n);
	int rc = ims_handle_write_begin(s, j, err);
	bool writing = !rc;
	if (!rc)
		rc = ims_store_tx_begin(s->store, err);
	if (!rc)
		rc = ims_handle_tx_end(s, change(s, ids, n, j, err), err);
	if (writing)
		ims_handle_write_end(s);
	ims_free(ids);
	return rc;
}

typedef int store_change(store *st, const int64_t *ids, size_t n, imgsearch_error *err);

static int in_parts(imgsearch *s, store_change *change, const int64_t *ids, size_t n, job *j,
	imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i += LOOK) {
		rc = ims_job_check(j, err);
		if (!rc)
			rc = change(s->store, ids + i, n - i < LOOK ? n - i : LOOK, err);
	}
	return rc;
}

static int keep_out(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err)
{
	return in_parts(s, ims_store_keep_out, ids, n, j, err);
}

/* EINVAL: an item is not deleted. */
static int check_deleted(imgsearch *s, const int64_t *ids, size_t n, imgsearch_error *err)
{
	uint8_t *presence = ims_alloc(n, 1);
	int rc = presence ? ims_store_presences(s->store, ids, n, presence, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < n; i++)
		if (presence[i] == STORE_ABSENT)
			rc = ims_store_no_item(s->store, ids[i], err);
		else if (presence[i] != STORE_DELETED)
			rc = ims_fail(err, IMGSEARCH_EINVAL, "item %lld of index %s is not kept out",
				(long long)ids[i], ims_store_label(s->store));
	ims_free(presence);
	return rc;
}

/* Copies come in with their picture: so all are asked for before the first one is changed. */
static int readmit(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err)
{
	int rc = check_deleted(s, ids, n, err);
	return rc ? rc : in_parts(s, ims_store_readmit, ids, n, j, err);
}

int ims_keep_out(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err)
{
	return in_transaction(s, keep_out, ids, n, j, err);
}

int ims_readmit(imgsearch *s, const int64_t *ids, size_t n, job *j, imgsearch_error *err)
{
	return in_transaction(s, readmit, ids, n, j, err);
}

static int move_root(imgsearch *s, const char *from, const char *to, job *j, imgsearch_error *err)
{
	int rc = ims_handle_write_begin(s, j, err);
	if (rc)
		return rc;
	rc = ims_store_tx_begin(s->store, err);
	if (!rc)
		rc = ims_handle_tx_end(s, ims_store_root_move(s->store, from, to, err), err);
	ims_handle_write_end(s);
	return rc;
}

/* An absolute path and "NAME:" are taken as they are, as roots are listed. NULL: out of memory. */
static char *absolute(const char *path)
{
	const char *colon = strchr(path, ':');
	bool named = colon && !colon[1] && !strchr(path, '/');
	return *path == '/' || named ? ims_strdup(path) : ims_path_resolve(path);
}

int ims_root_move(imgsearch *s, const char *from, const char *to, job *j, imgsearch_error *err)
{
	char *old = absolute(from), *new = absolute(to);
	int rc = old && new ? move_root(s, old, new, j, err) : ims_nomem(err);
	ims_free(old);
	ims_free(new);
	return rc;
}
