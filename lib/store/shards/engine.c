/* The engine of shards, and what it says of an index as a whole. */
#include "store/shards/shards.h"

#include "store/shard.h"

#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------- the whole index ---- */

static int bytes_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	(void)i, (void)err;
	*(uint64_t *)arg += shard->engine->file.bytes(shard);
	return 0;
}

uint64_t ims_shards_bytes(store *st)
{
	uint64_t bytes = 0;
	ims_shards_each(st, bytes_one, &bytes, NULL);
	return bytes;
}

static int64_t old_version(store *st)
{
	(void)st;
	return 0;
}

static int compact(store *st, imgsearch_error *err)
{
	(void)st, (void)err; /* the servers do */
	return 0;
}

static int backup(store *st, const char *path, bool replace, job *j, imgsearch_error *err)
{
	(void)path, (void)replace, (void)j;
	return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
		"index %s: a backup is made by pg_dump, of each of its %zu databases", st->label,
		((shard_store *)st)->n);
}

typedef struct checking {
	const shard_store *st;
	size_t shard;
	store_problem_each *each;
	void *user;
} checking;

static int name_problem(void *user, const char *problem)
{
	const checking *c = user;
	char *named = ims_format("shard %zu (%s): %s", c->shard + 1, c->st->name[c->shard], problem);
	int rc = named ? c->each(c->user, named) : IMGSEARCH_ENOMEM;
	ims_free(named);
	return rc;
}

static int check_one(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	checking *c = arg;
	c->shard = i;
	return shard->engine->file.check(shard, name_problem, c, err);
}

int ims_shards_check(store *base, store_problem_each *each, void *user, imgsearch_error *err)
{
	checking c = { .st = (const shard_store *)base, .each = each, .user = user };
	int rc = ims_shards_check_ages(base, each, user, err);
	if (!rc)
		rc = ims_shards_each(base, check_one, &c, err);
	return rc ? rc : ims_shards_check_places(base, each, user, err);
}

typedef struct counting {
	const shard_map *map;
	size_t shard;
	uint64_t wrong;
} counting;

static int count_wrong(void *user, const store_picture *p, const char *root_path)
{
	counting *c = user;
	(void)root_path;
	c->wrong += !ims_hash_is_zero(&p->hash) && c->map->of[ims_shards_bucket(&p->hash)] != c->shard;
	return 0;
}

int ims_shards_check_places(store *base, store_problem_each *each, void *user, imgsearch_error *err)
{
	const shard_store *st = (const shard_store *)base;
	shard_map map;
	bool has;
	store *first = ims_shards_first(st);
	int rc = ims_shard_map_read(first, &map, &has, err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		counting c = { .map = &map, .shard = i };
		char problem[120];
		if (!ims_shards_has(st, i))
			continue;
		rc = st->shard[i]->engine->pictures.each(st->shard[i], 0, count_wrong, &c, err);
		snprintf(problem, sizeof problem, "shard %zu has %llu pictures that belong to another one",
			i + 1, (unsigned long long)c.wrong);
		if (!rc && c.wrong)
			rc = each(user, problem);
	}
	return rc;
}

/* Of the first; what is wrong with any of them. */
int ims_shards_server(store *base, char **versions, const char **faults, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++) {
		char *version = NULL;
		const char *fault = NULL;
		if (!ims_shards_has(st, i))
			continue;
		rc = st->shard[i]->engine->file.server(st->shard[i], &version, &fault, err);
		*faults = *faults ? *faults : fault;
		if (*versions)
			ims_free(version);
		else
			*versions = version;
	}
	return rc;
}

/* ------------------------------------------------------------------------------ shards ---- */

int ims_store_shards(store *base, store_shard **out, size_t *n, imgsearch_error *err)
{
	shard_store *st = (shard_store *)base;
	*out = NULL;
	*n = 0;
	if (base->engine != &ims_shards_engine)
		return 0;
	store_shard *list = ims_zalloc(st->n, sizeof *list);
	shard_map map = { 0 };
	bool has;
	store *first = ims_shards_first(st);
	int rc = list ? ims_shard_map_read(first, &map, &has, err) : ims_nomem(err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		store_state state;
		list[i] = (store_shard){ .name = st->name[i], .missing = !ims_shards_has(st, i) };
		for (size_t b = 0; b < SHARD_BUCKETS; b++)
			list[i].buckets += map.of[b] == i;
		if (list[i].missing)
			continue;
		rc = st->shard[i]->engine->changes.state(st->shard[i], &state, err);
		list[i].counts = state.counts;
		list[i].bytes = st->shard[i]->engine->file.bytes(st->shard[i]);
	}
	if (rc) {
		ims_free(list);
		return rc;
	}
	*out = list;
	*n = st->n;
	return 0;
}

int ims_store_missing(store *base, char **names, imgsearch_error *err)
{
	const shard_store *st = (const shard_store *)base;
	buf b = { 0 };
	*names = NULL;
	if (base->engine != &ims_shards_engine)
		return 0;
	for (size_t i = 0; i < st->n; i++)
		if (!ims_shards_has(st, i))
			ims_buf_text(&b, "%s%s", b.len ? "\n" : "", st->name[i]);
	if (b.failed) {
		ims_buf_free(&b);
		return ims_nomem(err);
	}
	*names = b.len ? ims_strdup((const char *)b.data) : NULL;
	int rc = b.len && !*names ? ims_nomem(err) : 0;
	ims_buf_free(&b);
	return rc;
}

const store_engine ims_shards_engine = {
	.rows = {
		.scan = ims_shards_vectors_scan,
		.scan_parts = ims_shards_vectors_scan_parts,
		.fetch = ims_shards_vectors_fetch,
		.put = ims_shards_vectors_put,
		.ids = ims_shards_ids,
		.regions_clear = ims_shards_regions_clear,
		.regions_scan = ims_shards_regions_scan,
		.regions_fetch = ims_shards_regions_fetch,
		.near = ims_shards_near,
		.near_build = ims_shards_near_build,
		.expect = ims_shards_expect,
	},
	.pictures = {
		.write = ims_shards_write,
		.move = ims_shards_move,
		.name_files = ims_shards_name_files,
		.remove = ims_shards_remove,
		.keep_out = ims_shards_keep_out,
		.readmit = ims_shards_readmit,
		.columns_put = ims_shards_columns_put,
		.reject = ims_shards_reject,
		.get = ims_shards_get,
		.find = ims_shards_find,
		.by_hash = ims_shards_by_hash,
		.presences = ims_shards_presences,
		.has_size = ims_shards_has_size,
		.ids_under = ims_shards_ids_under,
		.each = ims_shards_each_picture,
		.each_single = ims_shards_each_single,
		.each_twin = ims_shards_each_twin,
		.each_described = ims_shards_each_described,
		.lookup = ims_shards_lookup,
		.paths_of = ims_shards_paths_of,
		.other_paths = ims_shards_other_paths,
		.facts = ims_shards_facts,
		.columns = ims_shards_columns,
		.signatures = ims_shards_signatures,
		.signature_get = ims_shards_signature_get,
		.file_put = ims_shards_file_put,
		.file_get = ims_shards_file_get,
		.file_find = ims_shards_file_find,
		.file_bytes = ims_shards_file_bytes,
		.each_rejected = ims_shards_each_rejected,
		.unconverted = ims_shards_unconverted,
		.dated = ims_shards_dated,
	},
	.settings = {
		.get = ims_shards_setting_get,
		.set = ims_shards_setting_set,
		.model_get = ims_shards_model_get,
		.model_set = ims_shards_model_set,
		.model_switch = ims_shards_model_switch,
		.model_drop_next = ims_shards_model_drop_next,
		.roots = ims_shards_roots,
		.root_add = ims_shards_root_add,
		.root_move = ims_shards_root_move,
		.root_merge = ims_shards_root_merge,
		.roots_settle = ims_shards_roots_settle,
		.list_set = ims_shards_list_set,
		.searchers = ims_shards_searchers,
		.searcher_begin = ims_shards_searcher_begin,
		.chunk_put = ims_shards_chunk_put,
		.searcher_publish = ims_shards_searcher_publish,
		.searcher_bytes = ims_shards_searcher_bytes,
		.chunk_get = ims_shards_chunk_get,
		.searcher_keep = ims_shards_searcher_keep,
	},
	.changes = {
		.state = ims_shards_state,
		.between = ims_shards_changes_between,
		.trim = ims_shards_changes_trim,
		.max_id = ims_shards_max_id,
	},
	.leases = {
		.write_begin = ims_shards_write_begin,
		.write_end = ims_shards_write_end,
		.tx_begin = ims_shards_tx_begin,
		.tx_commit = ims_shards_tx_commit,
		.tx_rollback = ims_shards_tx_rollback,
		.snapshot_begin = ims_shards_snapshot_begin,
		.snapshot_end = ims_shards_snapshot_end,
		.snapshot_pause = ims_shards_snapshot_pause,
		.snapshot_stale = ims_shards_snapshot_stale,
		.hold_acquire = ims_shards_hold_acquire,
		.hold_release = ims_shards_hold_release,
		.may_retry = ims_shards_may_retry,
		.lease_begin = ims_shards_lease_begin,
		.lease_end = ims_shards_lease_end,
		.claim = ims_shards_claim,
		.unclaim = ims_shards_unclaim,
	},
	.transfer = {
		.each = ims_shards_table_each,
		.begin = ims_shards_transfer_begin,
		.end = ims_shards_transfer_end,
		.clear = ims_shards_transfer_clear,
		.put = ims_shards_transfer_put,
		.finish = ims_shards_transfer_finish,
		.cut_off = ims_shards_transfer_cut_off,
	},
	.file = {
		.close = ims_shards_close,
		.old_version = old_version,
		.bytes = ims_shards_bytes,
		.compact = compact,
		.backup = backup,
		.check = ims_shards_check,
		.whole = ims_shards_require_whole,
		.server = ims_shards_server,
	},
};
