/* Opens an index of shards, makes new ones, and adds one. */
#include "store/shard.h"
#include "store/shards/shards.h"

#include <string.h>

static int64_t first_id(size_t number)
{
	return (int64_t)number << SHARD_RANGE;
}

/* ------------------------------------------------------------------------------ new shards ---- */

/* Makes a store a shard, in a transaction of its own. */
static int make_shard(store *shard, const shard_map *map, imgsearch_error *err)
{
	const store_leases_table *l = &shard->engine->leases;
	int rc = l->write_begin(shard, err);
	if (rc)
		return rc;
	rc = l->tx_begin(shard, err);
	if (!rc) {
		rc = shard->engine->shard.use_range(shard, first_id(map->number),
			first_id(map->number + 1) - 1, err);
		if (!rc)
			rc = ims_shard_map_write(shard, map, err);
		if (!rc)
			rc = l->tx_commit(shard, err);
		else
			l->tx_rollback(shard);
	}
	l->write_end(shard);
	return rc;
}

/* A number of a whole index: that which was made with its first shard. */
static int new_index(store *shard, uint64_t *number, imgsearch_error *err)
{
	buf b = { 0 };
	int rc = shard->engine->settings.get(shard, "file", &b, err);
	reader r = { .data = b.data, .len = b.len };
	*number = ims_read_u64(&r);
	ims_buf_free(&b);
	return rc;
}

/* Whether it never held anything. map: it is a shard; else NULL. */
static int is_empty(store *shard, const shard_map *map, bool *empty, imgsearch_error *err)
{
	int64_t largest;
	int rc = shard->engine->changes.max_id(shard, &largest, err);
	*empty = !rc && (largest < 0 || (map && largest == first_id(map->number)));
	return rc;
}

/* Several empty stores are a new index. */
static int make_all(shard_store *st, imgsearch_error *err)
{
	shard_map map = { .version = 1, .n = (uint32_t)st->n };
	int rc = new_index(st->shard[0], &map.index, err);
	for (size_t b = 0; b < SHARD_BUCKETS; b++)
		map.of[b] = (uint8_t)(b * st->n / SHARD_BUCKETS);
	for (size_t i = st->n;
		 !rc && i-- > 0;) { /* the first is the last: its map says that all are there */
		map.number = (uint32_t)i;
		rc = make_shard(st->shard[i], &map, err);
	}
	return rc;
}

/* ----------------------------------------------------------------------------- opening ---- */

typedef struct opening {
	store *shard[SHARDS_MOST]; /* in the order of the addresses */
	char *name[SHARDS_MOST];
	shard_map map[SHARDS_MOST];
	bool has_map[SHARDS_MOST], absent[SHARDS_MOST];
	imgsearch_error why; /* a shard that could not be opened */
} opening;

static int open_one(opening *p, size_t i, const char *address, const store_options *o,
	imgsearch_error *err)
{
	imgsearch_error why = { 0 };
	store_options existing = *o;
	existing.must_exist = true; /* nothing is made before it is known that all are new */
	p->name[i] = ims_postgres_name(address);
	int rc = ims_postgres_open(&p->shard[i], address, &existing, &why);
	if (rc == IMGSEARCH_ENOTFOUND && !why.detail) { /* else there is not even a schema */
		p->absent[i] = true;
		return p->name[i] ? 0 : ims_nomem(err);
	}
	if (o->partial && p->name[i] && ims_shards_is_away(rc, &why)) {
		p->why = why;
		return 0;
	}
	if (!rc)
		rc = ims_shard_map_read(p->shard[i], &p->map[i], &p->has_map[i], &why);
	if (rc && err)
		*err = why;
	if (rc && ims_shards_is_away(rc, &why))
		return ims_shards_need(err, rc);
	return rc ? rc : p->name[i] ? 0 : ims_nomem(err);
}

/* A move was cut off, or is under way, or a shard was restored from a backup. */
static bool maps_differ(const opening *p, size_t n)
{
	uint64_t least = UINT64_MAX, most = 0;
	for (size_t i = 0; i < n; i++) {
		least = p->has_map[i] && p->map[i].version < least ? p->map[i].version : least;
		most = p->has_map[i] && p->map[i].version > most ? p->map[i].version : most;
	}
	return least < most;
}

static int read_again(void *arg, size_t i, store *shard, imgsearch_error *err)
{
	opening *p = arg;
	return ims_shard_map_read(shard, &p->map[i], &p->has_map[i], err);
}

/* While buckets move, maps that were read one after the other differ; not once more at once. */
static bool still_differ(shard_store *st, opening *p, size_t n)
{
	return maps_differ(p, n) && !ims_shards_each(&st->base, read_again, p, NULL)
		&& maps_differ(p, n);
}

static int refuse(const opening *p, size_t i, imgsearch_error *err, const char *why)
{
	return ims_fail(err, IMGSEARCH_EINVAL, "index %s %s", p->name[i], why);
}

/* A store that holds nothing, or the index of one server. */
static int refuse_other(const opening *p, size_t i, bool any_shard, imgsearch_error *err)
{
	return refuse(p, i, err,
		!any_shard         ? "has no shards: it is opened alone, and other servers are added to it"
			: p->absent[i] ? "is no shard of the index: it holds nothing, and was not added to it"
						   : "is no shard of the index");
}

/* Puts the stores where their maps say. */
static int place(shard_store *st, opening *p, size_t n, imgsearch_error *err)
{
	const shard_map *first = NULL;
	bool any_shard = false;
	for (size_t i = 0; i < n; i++)
		any_shard |= p->has_map[i];
	for (size_t i = 0; i < n; i++) {
		const shard_map *m = &p->map[i];
		if (p->absent[i] ? any_shard : p->shard[i] && !p->has_map[i])
			return refuse_other(p, i, any_shard, err);
		if (!p->shard[i])
			continue;
		first = first ? first : m;
		if (m->index != first->index)
			return refuse(p, i, err, "is a shard of another index");
		if (st->shard[m->number])
			return refuse(p, i, err, "is named twice");
		st->n = m->n > st->n ? m->n
							 : st->n; /* one that was added is known to all, or to none yet */
		st->shard[m->number] = p->shard[i];
		st->name[m->number] = p->name[i];
		p->shard[i] = NULL;
		p->name[i] = NULL;
	}
	if (!first) { /* none can be reached */
		if (err)
			*err = p->why;
		return p->why.code;
	}
	return 0;
}

/* Those that could not be opened have the places that are left. */
static int name_missing(shard_store *st, opening *p, size_t n, imgsearch_error *err)
{
	size_t at = 0, missing = 0;
	buf names = { 0 };
	for (size_t i = 0; i < st->n; i++) {
		if (st->shard[i])
			continue;
		while (at < n && !p->name[at])
			at++;
		st->name[i] = at < n ? p->name[at] : NULL;
		if (at < n)
			p->name[at] = NULL;
		else
			ims_buf_text(&names, "%s%zu", missing++ ? ", " : "", i + 1);
	}
	int rc = names.failed ? ims_nomem(err) : 0;
	if (!rc && missing)
		rc = ims_shards_lacking(err,
			ims_fail(err, IMGSEARCH_EINVAL,
				"index %s has %zu shards, and the addresses lack that of shard %s",
				ims_shards_first(st)->label, st->n, (const char *)names.data));
	ims_buf_free(&names);
	return rc;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* One model makes the vectors of all. */
static int compare_models(shard_store *st, bool *same, imgsearch_error *err)
{
	store_model first = { 0 };
	store *lead = ims_shards_first(st);
	int rc = lead->engine->settings.model_get(lead, &first, false, err);
	bool none = rc == IMGSEARCH_ENOTFOUND;
	*same = true;
	rc = none ? 0 : rc;
	for (size_t i = 0; !rc && *same && i < st->n; i++) {
		store_model m = { 0 };
		if (!ims_shards_has(st, i) || st->shard[i] == lead)
			continue;
		rc = st->shard[i]->engine->settings.model_get(st->shard[i], &m, false, err);
		*same = rc == IMGSEARCH_ENOTFOUND ? none
										  : !rc && !none && m.dim == first.dim
				&& m.precision == first.precision && is_same_text(m.name, first.name)
				&& is_same_text(m.weights_hash, first.weights_hash)
				&& is_same_text(m.recipe, first.recipe);
		rc = rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
		ims_store_model_clear(&m);
	}
	ims_store_model_clear(&first);
	return rc;
}

static int check_values(shard_store *st, imgsearch_error *err)
{
	static const char *const names[] = { "metric", "dim" };
	store *lead = ims_shards_first(st);
	int rc = 0;
	for (size_t k = 0; !rc && k < sizeof names / sizeof *names; k++)
		for (size_t i = 0; !rc && i < st->n; i++) {
			buf a = { 0 }, b = { 0 };
			if (!ims_shards_has(st, i) || st->shard[i] == lead)
				continue;
			rc = lead->engine->settings.get(lead, names[k], &a, err);
			if (!rc)
				rc = st->shard[i]->engine->settings.get(st->shard[i], names[k], &b, err);
			if (!rc && (a.len != b.len || (a.len && memcmp(a.data, b.data, a.len))))
				rc = ims_fail(err, IMGSEARCH_EDB,
					"index %s: shard %zu (%s) has not the setting \"%s\" of %s", st->base.label,
					i + 1, st->name[i], names[k], lead->label);
			ims_buf_free(&a);
			ims_buf_free(&b);
		}
	return rc;
}

/* In a transaction, whose beginning makes the shards agree. */
static int settle(shard_store *st, imgsearch_error *err)
{
	int rc = ims_shards_write_begin(&st->base, err);
	if (rc)
		return rc;
	rc = ims_shards_tx_begin(&st->base, err);
	if (!rc)
		rc = ims_shards_tx_commit(&st->base, err);
	ims_shards_write_end(&st->base);
	return rc;
}

static bool has_next(store *shard, store_model *m)
{
	return !shard->engine->settings.model_get(shard, m, true, NULL);
}

/*
 * The end of a re-index was cut off between the shards: those that still have a next model make it
 * their own. A shard has one only while all have.
 */
static int complete_switch(shard_store *st, imgsearch_error *err)
{
	store_model m = { 0 };
	int rc = ims_shards_write_begin(&st->base, err);
	if (rc)
		return rc;
	rc = ims_shards_tx_begin(&st->base, err);
	for (size_t i = 0; !rc && i < st->n; i++) {
		if (has_next(st->shard[i], &m))
			rc = st->shard[i]->engine->settings.model_switch(st->shard[i], err);
		ims_store_model_clear(&m);
	}
	if (!rc)
		rc = ims_shards_tx_commit(&st->base, err);
	ims_shards_write_end(&st->base);
	return rc;
}

static int check_model(shard_store *st, imgsearch_error *err)
{
	bool same;
	int rc = compare_models(st, &same, err);
	if (!rc && !same && !st->base.read_only && !complete_switch(st, NULL))
		rc = compare_models(st, &same, err);
	if (!rc && !same)
		rc = ims_fail(err, IMGSEARCH_EDB, "index %s: the shards have vectors of different models",
			st->base.label);
	return rc;
}

static int set_name(shard_store *st)
{
	size_t more = st->n - 1;
	const char *name = ims_shards_first(st)->label;
	st->base.path = more ? ims_format("%s and %zu more", name, more) : ims_strdup(name);
	st->base.label = st->base.name = st->base.path;
	return st->base.path ? 0 : IMGSEARCH_ENOMEM;
}

/* Two names of one new store: until it is made nothing tells them apart. */
static int refuse_twice(const shard_store *st, imgsearch_error *err)
{
	uint64_t number[SHARDS_MOST];
	int rc = 0;
	for (size_t i = 0; !rc && i < st->n; i++) {
		rc = new_index(st->shard[i], &number[i], err);
		for (size_t k = 0; !rc && k < i; k++)
			if (number[k] == number[i])
				rc = ims_fail(err, IMGSEARCH_EINVAL, "index %s is named twice", st->name[i]);
	}
	return rc;
}

/* Several stores that hold nothing are a new index. */
static int make_new(shard_store *st, opening *p, char *const *address, size_t n,
	const store_options *o, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		if (p->absent[i])
			rc = ims_postgres_open(&p->shard[i], address[i], o, err);
	memcpy(st->shard, p->shard, sizeof st->shard);
	memcpy(st->name, p->name, sizeof st->name);
	memset(p->shard, 0, sizeof p->shard);
	memset(p->name, 0, sizeof p->name);
	st->n = n;
	if (!rc)
		rc = refuse_twice(st, err);
	return rc ? rc : make_all(st, err);
}

/* One that was upgraded tells it for all; one that may not be written stops all. */
static void take_state(shard_store *st)
{
	for (size_t i = 0; i < st->n; i++) {
		const store *shard = st->shard[i];
		if (shard && !st->base.upgrade.from)
			st->base.upgrade = shard->upgrade;
		st->base.denied |= shard && shard->denied;
	}
}

static int refuse_empty(const opening *p, size_t n, imgsearch_error *err)
{
	return ims_fail(err, IMGSEARCH_ENOTFOUND, "there is no index %s and %zu more", p->name[0],
		n - 1);
}

static int open_all(shard_store *st, opening *p, char *const *address, size_t n,
	const store_options *o, imgsearch_error *err)
{
	bool may_make = false; /* also where the making was cut off */
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		rc = open_one(p, i, address[i], o, err);
		may_make |= !rc && (p->absent[i] || !p->has_map[i]);
	}
	may_make = may_make && !p->why.code;
	for (size_t i = 0; !rc && may_make && i < n; i++)
		if (p->shard[i])
			rc = is_empty(p->shard[i], p->has_map[i] ? &p->map[i] : NULL, &may_make, err);
	if (!rc && may_make)
		return o->must_exist || o->read_only ? refuse_empty(p, n, err)
											 : make_new(st, p, address, n, o, err);
	if (!rc)
		rc = place(st, p, n, err);
	return rc ? rc : name_missing(st, p, n, err);
}

int ims_shards_open(store **out, char *const *address, size_t n, const store_options *o,
	imgsearch_error *err)
{
	*out = NULL;
	if (n > SHARDS_MOST)
		return ims_fail(err, IMGSEARCH_ELIMIT, "an index has at most %d shards", SHARDS_MOST);
	shard_store *st = ims_zalloc(1, sizeof *st);
	opening *p = ims_zalloc(1, sizeof *p);
	if (!st || !p) {
		ims_free(st);
		ims_free(p);
		return ims_nomem(err);
	}
	pthread_mutex_init(&st->mutex, NULL);
	st->base.engine = &ims_shards_engine;
	st->base.read_only = o->read_only;
	st->base.label = st->base.name = "";
	st->partial = o->partial;
	st->max_stale = o->max_stale;
	int rc = open_all(st, p, address, n, o, err);
	if (!rc)
		rc = set_name(st) ? ims_nomem(err) : 0;
	take_state(st);
	if (!rc && !o->incomplete)
		rc = check_values(st, err);
	if (!rc && !o->incomplete)
		rc = check_model(st, err);
	if (!rc && !o->read_only && still_differ(st, p, n))
		settle(st, NULL); /* who may not write reads what there is */
	for (size_t i = 0; i < n; i++) {
		if (p->shard[i])
			p->shard[i]->engine->file.close(p->shard[i]);
		ims_free(p->name[i]);
	}
	ims_free(p);
	if (rc)
		ims_shards_close(&st->base);
	else
		*out = &st->base;
	return rc;
}

int ims_shards_refuse_single(store *st, imgsearch_error *err)
{
	shard_map map;
	bool has;
	if (st->engine == &ims_shards_engine || !st->engine->shard.items)
		return 0;
	int rc = ims_shard_map_read(st, &map, &has, err);
	return rc || !has || map.n == 1
		? rc
		: ims_shards_lacking(err,
			ims_fail(err, IMGSEARCH_EINVAL,
				"index %s is shard %u of %u: all of them are opened together", st->label,
				map.number + 1, map.n));
}

void ims_shards_close(store *base)
{
	shard_store *st = (shard_store *)base;
	ims_shards_tx_rollback(base);
	ims_pool_free(st->pool);
	for (size_t i = 0; i < SHARDS_MOST; i++) {
		if (st->shard[i])
			st->shard[i]->engine->file.close(st->shard[i]);
		ims_free(st->name[i]);
	}
	pthread_mutex_destroy(&st->mutex);
	ims_free(st->base.path);
	ims_free(st->base.repaired);
	ims_free(st->repaired);
	ims_free(st);
}

/* ------------------------------------------------------------------------------ one more ---- */

/* What is the same in all shards. */
static int copy_common(store *from, store *to, imgsearch_error *err)
{
	static const store_table tables[] = { TABLE_SETTING, TABLE_MODEL, TABLE_ROOT, TABLE_LIST,
		TABLE_REJECTED };
	int rc = 0;
	for (size_t t = 0; !rc && t < sizeof tables / sizeof *tables; t++) {
		copied_rows rows = { .shape = &ims_store_tables[tables[t]] };
		rc = ims_store_table_each(from, tables[t], NULL, 0, ims_shards_add_row, &rows, err);
		if (!rc && rows.rows.n)
			rc = to->engine->transfer.put(to, tables[t], &rows.rows, err);
		ims_buf_free(&rows.rows.data);
	}
	return rc;
}

static int fill_new(store *from, store *to, imgsearch_error *err)
{
	const store_leases_table *l = &to->engine->leases;
	int rc = l->write_begin(to, err);
	if (rc)
		return rc;
	rc = l->tx_begin(to, err);
	if (!rc) {
		rc = to->engine->transfer.clear(to, err);
		if (!rc)
			rc = copy_common(from, to, err);
		if (!rc)
			rc = to->engine->transfer.finish(to, -1, 0, err);
		if (!rc)
			rc = l->tx_commit(to, err);
		else
			l->tx_rollback(to);
	}
	l->write_end(to);
	return rc;
}

/* The maps of the others say that there is one more. */
static int tell_others(shard_store *st, const shard_map *map, imgsearch_error *err)
{
	shard_map own = *map;
	int rc = ims_shards_tx_begin(&st->base, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < st->n; i++) {
		own.number = (uint32_t)i;
		rc = ims_shard_map_write(st->shard[i], &own, err);
	}
	if (!rc)
		return ims_shards_tx_commit(&st->base, err);
	ims_shards_tx_rollback(&st->base);
	return rc;
}

/* A store that is no shard yet becomes the first one. */
static int become_first(store *st, const shard_map *map, imgsearch_error *err)
{
	const store_leases_table *l = &st->engine->leases;
	int rc = l->tx_begin(st, err);
	if (rc)
		return rc;
	rc = st->engine->shard.use_range(st, 0, first_id(1) - 1, err);
	if (!rc)
		rc = ims_shard_map_write(st, map, err);
	if (!rc)
		return l->tx_commit(st, err);
	l->tx_rollback(st);
	return rc;
}

static int tell_first(store *st, const shard_map *map, imgsearch_error *err)
{
	const store_leases_table *l = &st->engine->leases;
	int rc = l->tx_begin(st, err);
	if (rc)
		return rc;
	rc = ims_shard_map_write(st, map, err);
	if (!rc)
		return l->tx_commit(st, err);
	l->tx_rollback(st);
	return rc;
}

/* The map of an index; that of its only store, which is no shard yet, is a new one. */
static int map_of(store *base, shard_map *map, bool *has, imgsearch_error *err)
{
	bool several = base->engine == &ims_shards_engine;
	int rc = several ? ims_shards_tx_begin(base, err) : ims_shard_map_read(base, map, has, err);
	if (rc)
		return rc;
	if (several) {
		*map = ((shard_store *)base)->map;
		*has = true;
		return ims_shards_tx_commit(base, err);
	}
	if (*has)
		return 0;
	*map = (shard_map){ .version = 1, .n = 1 };
	return new_index(base, &map->index, err);
}

/* One that is empty, or that an earlier try made the next shard, may be added. */
static int may_add(store *added, const shard_map *map, const char *name, imgsearch_error *err)
{
	shard_map its;
	bool has = false, empty;
	int rc = is_empty(added, NULL, &empty, err);
	if (!rc)
		rc = ims_shard_map_read(added, &its, &has, err);
	if (rc)
		return rc;
	if (has && its.index == map->index && its.number < map->n)
		return ims_fail(err, IMGSEARCH_EEXIST, "index %s is shard %u of this index already", name,
			its.number + 1);
	if (has ? its.index != map->index || its.number != map->n : !empty)
		return ims_fail(err, IMGSEARCH_EEXIST, "index %s holds something already", name);
	return map->n < SHARDS_MOST
		? 0
		: ims_fail(err, IMGSEARCH_ELIMIT, "an index has at most %d shards", SHARDS_MOST);
}

/* The new shard is complete before the others know of it; a second try goes on from there. */
static int add(store *base, store *added, const char *name, imgsearch_error *err)
{
	shard_store *st = base->engine == &ims_shards_engine ? (shard_store *)base : NULL;
	shard_map map, its;
	bool has;
	int rc = map_of(base, &map, &has, err);
	if (!rc)
		rc = may_add(added, &map, name, err);
	if (!rc && !has)
		rc = become_first(base, &map, err);
	if (rc)
		return rc;
	its = map;
	its.number = map.n;
	its.n = map.n + 1; /* it has nothing that the others do not know: their version */
	rc = fill_new(st ? ims_shards_first(st) : base, added, err);
	if (!rc)
		rc = make_shard(added, &its, err);
	map.n++;
	map.number = 0;
	return rc ? rc : st ? tell_others(st, &map, err) : tell_first(base, &map, err);
}

int ims_store_shard_add(store *st, const char *address, imgsearch_error *err)
{
	store *added;
	store_options o = { 0 };
	store *first = st->engine == &ims_shards_engine ? ims_shards_first((shard_store *)st) : st;
	if (!first->engine->shard.use_range)
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s lies in a file, and shards lie on servers: copy it to one first", st->label);
	if (!ims_store_is_address(address))
		return ims_fail(err, IMGSEARCH_EUNSUPPORTED,
			"index %s: shards lie on servers, and %s is not the address of one", st->label,
			address);
	buf metric = { 0 };
	int rc = first->engine->settings.get(first, "metric", &metric, err);
	reader r = { .data = metric.data, .len = metric.len };
	o.metric = ims_read_u32(&r);
	ims_buf_free(&metric);
	if (!rc)
		rc = ims_postgres_open(&added, address, &o, err);
	if (rc)
		return rc;
	rc = add(st, added, added->label, err);
	added->engine->file.close(added);
	return rc;
}
