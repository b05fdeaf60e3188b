/* The list of pending rows. It is short, so a scan over eight bytes a row finds a hash. */
#include "ingest/pending.h"

#include <string.h>

int ims_pending_init(pending_list *p)
{
	p->row = ims_alloc(PENDING_MOST, sizeof *p->row);
	p->hash_key = ims_alloc(PENDING_MOST, sizeof *p->hash_key);
	return p->row && p->hash_key ? 0 : IMGSEARCH_ENOMEM;
}

void ims_pending_clear(pending_list *p)
{
	for (size_t i = 0; i < p->n; i++) {
		ims_free(p->row[i].path);
		ims_free(p->row[i].reason);
		ims_free(p->row[i].vector);
		ims_prepared_clear(&p->row[i].picture);
	}
	p->n = 0;
}

void ims_pending_free(pending_list *p)
{
	ims_pending_clear(p);
	ims_free(p->row);
	ims_free(p->hash_key);
	*p = (pending_list){ 0 };
}

/* The first bytes of a hash. Never 0, which means no hash. */
static uint64_t key_of(const hash256 *hash)
{
	uint64_t key;
	memcpy(&key, hash->byte, sizeof key);
	return key | 1;
}

size_t ims_pending_add(pending_list *p, const pending_row *row)
{
	p->row[p->n] = *row;
	p->hash_key[p->n] = row->state == IMGSEARCH_STATE_INDEXED && row->needs_vector
		? key_of(&row->picture.hash)
		: 0;
	return p->n++;
}

bool ims_pending_has_hash(const pending_list *p, const hash256 *hash)
{
	uint64_t key = key_of(hash);
	for (size_t i = 0; i < p->n; i++)
		if (p->hash_key[i] == key && ims_hash_equal(&p->row[i].picture.hash, hash))
			return true;
	return false;
}

bool ims_pending_replaces(const pending_list *p, int64_t id, const hash256 *hash)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->row[i].id == id && !p->row[i].vector_only && !p->row[i].ctime_only
			&& !p->row[i].facts_only && !ims_hash_equal(&p->row[i].picture.hash, hash))
			return true;
	return false;
}
