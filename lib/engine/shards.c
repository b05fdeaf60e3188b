/* The façade of shards. */
#include "engine/arguments.h"
#include "handle/handle.h"
#include "store/shard.h"

int imgsearch_shards_list(imgsearch *s, imgsearch_shards **out, imgsearch_error *err)
{
	store_shard *list;
	size_t n;
	REQUIRE(out, err, "shards_list: out is NULL");
	*out = NULL;
	REQUIRE_HANDLE(s, "shards_list", err);
	int rc = ims_store_shards(s->store, &list, &n, err);
	if (rc)
		return rc;
	imgsearch_shards *r = ims_result_new(sizeof *r);
	imgsearch_shard **items = r ? ims_result_list(r, n, sizeof **items) : NULL;
	for (size_t i = 0; items && i < n; i++) {
		*items[i] = (imgsearch_shard){
			.name = ims_result_text(r, list[i].name),
			.number = (uint32_t)i + 1,
			.missing = list[i].missing,
			.buckets = list[i].buckets,
			.pictures = list[i].counts.by_state[IMGSEARCH_STATE_INDEXED],
			.vectors = list[i].counts.vectors,
			.bytes = list[i].bytes,
		};
		rc = items[i]->name ? rc : IMGSEARCH_ENOMEM;
	}
	ims_free(list);
	if (rc || !items) {
		ims_result_free(r);
		return ims_nomem(err);
	}
	r->count = n;
	r->items = (const imgsearch_shard *const *)items;
	*out = r;
	return 0;
}

void imgsearch_shards_free(imgsearch_shards *shards)
{
	ims_result_free(shards);
}

int imgsearch_shards_add(imgsearch *s, const char *address, const imgsearch_call *call,
	imgsearch_error *err)
{
	job j;
	REQUIRE_HANDLE(s, "shards_add", err);
	REQUIRE(address && *address, err, "shards_add: address is NULL or empty");
	int rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_handle_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_shard_add(s->store, address, err);
	ims_handle_write_end(s);
	return rc;
}

static size_t number(uint32_t n)
{
	return n ? n - 1 : SHARD_ANY;
}

int imgsearch_shards_move(imgsearch *s, const imgsearch_shards_move_options *theirs,
	const imgsearch_call *call, uint32_t *moved, imgsearch_error *err)
{
	imgsearch_shards_move_options options;
	uint32_t done = 0;
	job j;
	if (moved)
		*moved = 0;
	REQUIRE_HANDLE(s, "shards_move", err);
	int rc = COPY(options, theirs, err);
	if (rc)
		return rc;
	REQUIRE(!options.reserved, err, "shards_move: reserved is %u, not 0", options.reserved);
	rc = ims_call_begin(s, call, &j, err);
	if (!rc)
		rc = ims_handle_write_begin(s, &j, err);
	if (rc)
		return rc;
	rc = ims_store_shard_move(s->store, number(options.from), number(options.to), options.buckets,
		&j, &done, err);
	ims_handle_write_end(s);
	if (moved)
		*moved = done;
	return rc;
}
