/* A path of the walk beside what the index knew of it. */
#include "ingest/entry.h"

#include "base/path.h"
#include "ingest/claims.h"
#include "ingest/twins.h"
#include "meta/meta.h"
#include "store/store.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int report_progress(index_run *r, const char *path)
{
	run_counts *c = r->counts;
	imgsearch_progress p = {
		.stage = "index",
		.path = path,
		.done = c->paths.seen,
		.total = r->expected > c->paths.seen ? r->expected : c->paths.seen,
		.failed = c->paths.damaged + c->paths.too_big + c->paths.unreadable,
		.loss = NAN,
		.accuracy = NAN,
	};
	if (!r->expected)
		p.total = 0;
	return ims_job_progress(&r->job, &p, r->err);
}

/* A file that is to be read, once it is this run's. `how` has what else is known of it. */
static int submit(index_run *r, const walk_entry *e, const path_entry *known, file_claim claim,
	const pipeline_item *how)
{
	const index_start *start = r->walk.start;
	pipeline_item item = *how;
	int rc = ims_claims_ask(r, e, &claim);
	if (rc || claim != CLAIM_OURS)
		return rc;
	if (known) {
		item.id = known->id;
		item.row_content = known->content;
	}
	item.root = start->root;
	item.stored = start->stored;
	item.also = start->stored ? IMAGE_ALSO_TIFF | IMAGE_ALSO_VIDEO /* as when it was added */
							  : ims_switches_formats(r->walk.lists, e->path);
	item.path = ims_strdup(e->path);
	item.full = ims_path_join(start->root ? start->root_path : NULL, e->path);
	item.size = e->size;
	item.mtime = e->mtime;
	item.ctime = e->ctime;
	return ims_pipeline_submit(&r->pipeline, &item);
}

static void count_unchanged(index_run *r, uint32_t state)
{
	r->counts->unchanged++;
	ims_counts_add(&r->counts->paths, state, 1);
}

static bool is_same_file(const path_entry *known, const walk_entry *e)
{
	return known->size == e->size && ims_timestamp_equal(known->mtime, e->mtime);
}

/* Whether the path was deleted on purpose, whatever lies there now. */
static bool is_deleted(const path_entry *known)
{
	return known && known->state == IMGSEARCH_STATE_DELETED;
}

static bool is_picture(const path_entry *known)
{
	return known
		&& (known->state == IMGSEARCH_STATE_INDEXED || known->state == IMGSEARCH_STATE_DUPLICATE
			|| known->state == IMGSEARCH_STATE_LINK);
}

uint8_t ims_entry_reason(const char *reason)
{
	return reason ? (uint8_t)ims_checksum(reason, strlen(reason), 0) : 0;
}

path_entry ims_entry_known(const store_picture *p, bool has_vector)
{
	return (path_entry){
		.key = ims_path_key(p->root, p->path),
		.id = p->id,
		.size = p->size,
		.content = ims_content_key(&p->hash),
		.mtime = p->mtime,
		.ctime = p->has_ctime ? p->ctime : (timestamp){ 0, -1 },
		.state = p->state,
		.pixels = (uint16_t)p->pixels,
		.sidecars = p->facts_version == META_VERSION ? p->sidecars : PATH_FACTS_OLD,
		.reason = ims_entry_reason(p->reason),
		.has_vector = has_vector || p->state != IMGSEARCH_STATE_INDEXED,
	};
}

/* Whether a file was left out as a sidecar. */
static bool was_sidecar(const path_entry *known, const walk_entry *e)
{
	return known->state == IMGSEARCH_STATE_EXCLUDED && ims_is_sidecar_name(e->path)
		&& known->reason == ims_entry_reason(ims_prepare_sidecar);
}

/* Records an entry that is no file. Its state needs no reading. */
static int record(index_run *r, const walk_entry *e, const path_entry *known, uint32_t state)
{
	if (is_deleted(known)
		|| (known && known->state == state && known->reason == ims_entry_reason(e->reason)
			&& is_same_file(known, e))) {
		count_unchanged(r, known->state);
		r->counts->failed += ims_counts_is_failure(known->state);
		return 0;
	}
	pending_row row = {
		.id = known ? known->id : 0,
		.row_content = known ? known->content : (content_key){ { 0 } },
		.root = r->walk.start->root,
		.path = ims_strdup(e->path),
		.mtime = e->mtime,
		.size = e->size,
		.state = state,
		.reason = ims_strdup(e->reason),
	};
	/* a picture that is left out now is one that goes */
	row.removes = state == IMGSEARCH_STATE_EXCLUDED && is_picture(known);
	if (row.path && row.reason)
		return ims_pipeline_record(&r->pipeline, &row);
	ims_free(row.path);
	ims_free(row.reason);
	return ims_nomem(r->err);
}

static int add_unreadable(index_run *r, const char *folder)
{
	walk_state *w = &r->walk;
	char **grown = ims_realloc(w->unreadable, w->n_unreadable + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(r->err);
	w->unreadable = grown;
	grown[w->n_unreadable] = ims_strdup(folder);
	return grown[w->n_unreadable++] ? 0 : ims_nomem(r->err);
}

/* A folder that is left out. The user is told where the start is that folder or lies in it. */
static int add_excluded(index_run *r, const walk_entry *e)
{
	const index_start *start = r->walk.start;
	path_entry folder = { .key = ims_path_key(start->root, e->path), .id = 1 };
	if (ims_path_table_add(&r->walk.excluded, &folder))
		return ims_nomem(r->err);
	if (!ims_path_below(start->prefix, e->path))
		return 0;
	r->walk.told = true;
	char *full = ims_path_join(start->root_path, e->path);
	if (!full)
		return ims_nomem(r->err);
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "%s: left out: %s", full, e->reason);
	ims_free(full);
	return 0;
}

/* Whether the program sets limits of pictures, which may be others than before. */
static bool has_own_limits(const index_run *r)
{
	return r->s->options.max_megapixels || r->s->options.max_memory;
}

static bool is_fresh(const index_run *r, const path_entry *known, const walk_entry *e)
{
	if (is_deleted(known))
		return true;
	if (!known || !is_same_file(known, e))
		return false;
	if (known->state == IMGSEARCH_STATE_INDEXED || known->state == IMGSEARCH_STATE_DUPLICATE
		|| known->state == IMGSEARCH_STATE_LINK || was_sidecar(known, e))
		return true;
	/* Another version of the decoding may read it, or what is there is wanted now. */
	bool damaged = known->state == IMGSEARCH_STATE_DAMAGED;
	if ((damaged || known->state == IMGSEARCH_STATE_UNSUPPORTED)
		&& !(known->pixels & IMAGE_DECODING_MASK))
		return false;
	if (damaged && r->options->partial)
		return false;
	if (known->state == IMGSEARCH_STATE_TOO_BIG && has_own_limits(r))
		return false;
	if (known->pixels & IMAGE_NO_CODEC && known->state == IMGSEARCH_STATE_UNSUPPORTED)
		return false;
	return known->state != IMGSEARCH_STATE_UNREADABLE && known->state != IMGSEARCH_STATE_EXCLUDED
		&& !r->options->retry;
}

static bool knows_ctime(const path_entry *known)
{
	return known->ctime.nanoseconds >= 0;
}

/* Whether the change time of a file moved: by an edit that kept size and time, and by much else. */
static bool is_touched(const path_entry *known, const walk_entry *e)
{
	return knows_ctime(known) && !ims_timestamp_equal(known->ctime, e->ctime);
}

/* For tell_touched. */
static void count_touched(walk_state *w, const path_entry *known, const walk_entry *e)
{
	w->same += knows_ctime(known);
	w->touched += is_touched(known, e);
}

/* Compares the hash of the file; what has none is read as a new file is. */
static int compare(index_run *r, const walk_entry *e, const path_entry *known, file_claim claim)
{
	static const content_key none;
	bool hashed = memcmp(&known->content, &none, sizeof none) != 0;
	return submit(r, e, known, claim,
		&(pipeline_item){ .row_state = known->state, .compares = hashed && !r->identity.next });
}

/* Whether the decoding, or what it found on this machine, changed since the vector was made. */
static bool may_be_stale(const index_run *r, const path_entry *known)
{
	return known->state == IMGSEARCH_STATE_INDEXED && !r->identity.next
		&& (!(known->pixels & IMAGE_DECODING_MASK)
			|| (known->pixels & IMAGE_UNCONVERTED && ims_colour_available()));
}

/* The row is of a version that did not know change times, or was moved. */
static int add_ctime(index_run *r, const walk_entry *e, const path_entry *known)
{
	return ims_pipeline_record(&r->pipeline,
		&(pending_row){ .id = known->id,
			.state = known->state,
			.ctime = e->ctime,
			.ctime_only = true });
}

/*
 * Whether the facts of an unchanged picture are those of an older version, or its sidecars changed.
 * They are looked for where its folder has any, or it had one. Pictures with several paths are left
 * to ims_twins_describe. ENOMEM.
 */
static int has_new_facts(index_run *r, const walk_entry *e, const path_entry *known, bool *has)
{
	const index_start *start = r->walk.start;
	uint64_t sidecars = 0;
	*has = known->state == IMGSEARCH_STATE_INDEXED && known->sidecars == PATH_FACTS_OLD;
	if (*has || known->state != IMGSEARCH_STATE_INDEXED || (!e->sidecars && !known->sidecars)
		|| ims_twins_has(r, known->id))
		return 0;
	char *full = ims_path_join(start->root ? start->root_path : NULL, e->path);
	if (!full)
		return ims_nomem(r->err);
	if (e->sidecars)
		sidecars = ims_sidecars_stamp(full);
	ims_free(full);
	*has = sidecars != known->sidecars;
	return 0;
}

static int file_entry(index_run *r, const walk_entry *e, const path_entry *known, file_claim claim)
{
	if (!is_fresh(r, known, e))
		return submit(r, e, known, claim,
			&(pipeline_item){
				.tried = known && is_same_file(known, e) ? known->state : 0,
			});
	if (!is_deleted(known)) {
		if (claim == CLAIM_NONE)
			count_touched(&r->walk, known, e);
		if (is_touched(known, e) || r->options->reread)
			return compare(r, e, known, claim);
	}
	if (may_be_stale(r, known))
		return submit(r, e, known, claim,
			&(pipeline_item){ .row_state = known->state,
				.row_pixels = known->pixels,
				.check_header = true });
	if (!known->has_vector)
		return submit(r, e, known, claim, &(pipeline_item){ .vector_only = true });
	bool new_facts = false;
	int rc = has_new_facts(r, e, known, &new_facts);
	if (!rc && new_facts)
		return submit(r, e, known, claim,
			&(pipeline_item){ .row_state = known->state, .facts_only = true });
	if (!rc)
		count_unchanged(r, known->state);
	return rc || knows_ctime(known) || is_deleted(known) ? rc : add_ctime(r, e, known);
}

int ims_entry_read(index_run *r, const walk_entry *e, const path_entry *known, file_claim claim)
{
	return file_entry(r, e, known, claim);
}

/* ------------------------------------------------------------------------------- links ---- */

bool ims_entry_target_is_offline(const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	char *folder = ims_strdup(link), *full = NULL;
	if (folder) {
		*(strrchr(folder, '/') + 1) = 0;
		full = ims_path_join(*target == '/' ? NULL : folder, target);
	}
	char *slash = full ? strrchr(full, '/') : NULL;
	if (slash)
		slash[slash == full] = 0;
	bool offline = slash && !ims_folder_has_entries(full);
	ims_free(full);
	ims_free(folder);
	return offline;
}

/* Whether pictures were found behind a link that is broken now: they stay. */
static int is_link_offline(index_run *r, const walk_entry *e, const path_entry *known,
	bool *offline)
{
	char *full = ims_path_join(r->walk.start->root_path, e->path);
	int64_t *ids = NULL;
	size_t n = 0;
	int rc = full ? ims_store_ids_under(r->s->store, full, &ids, &n, r->err) : ims_nomem(r->err);
	*offline = !rc && !r->options->prune
		&& (n || (is_picture(known) && ims_entry_target_is_offline(full)));
	ims_free(ids);
	ims_free(full);
	return rc;
}

/* A followed link that leads to nothing. */
static int broken_link(index_run *r, const walk_entry *e, path_entry *known)
{
	bool offline;
	int rc = is_link_offline(r, e, known, &offline);
	if (rc || !offline)
		return rc ? rc : record(r, e, known, IMGSEARCH_STATE_UNREADABLE);
	r->counts->paths.seen--;
	r->walk.offline += is_picture(known);
	return 0;
}

/* Whether a path below the root is a single file, which has its own start and row. */
static int is_single(index_run *r, const walk_entry *e, bool *single)
{
	const index_start *start = r->walk.start;
	*single = false;
	if (!start->root || !r->singles.n)
		return 0;
	char *full = ims_path_join(start->root_path, e->path);
	*single = full && ims_path_table_find(&r->singles, ims_path_key(0, full));
	ims_free(full);
	return full ? 0 : ims_nomem(r->err);
}

/* Between two entries. */
static int go_on(index_run *r, const char *path)
{
	int rc = ims_claims_send_if_due(r);
	if (!rc)
		rc = ims_pipeline_write_if_due(&r->pipeline);
	return rc ? rc : report_progress(r, path);
}

int ims_entry_index(index_run *r, const walk_entry *e)
{
	path_key key = ims_path_key(r->walk.start->root, e->path);
	path_entry *known = ims_path_table_find(&r->paths, key);
	bool single;
	int rc = is_single(r, e, &single);
	if (rc || single)
		return rc;
	if (known)
		known->seen = true;
	r->counts->paths.seen++;
	r->walk.files += e->kind == WALK_FILE;
	r->walk.left += e->chosen;
	if (e->sidecars && e->kind == WALK_FILE && (rc = ims_twins_add_folder(r, e)))
		return rc;
	switch (e->kind) {
	case WALK_FILE:
		rc = ims_seen_files_add(&r->files, key, e, e->link || r->walk.linked)
			? ims_nomem(r->err)
			: file_entry(r, e, known, CLAIM_NONE);
		break;
	case WALK_EXCLUDED: /* a link may have been followed to a folder before */
		rc = add_excluded(r, e);
		if (!rc)
			rc = record(r, e, known, IMGSEARCH_STATE_EXCLUDED);
		break;
	case WALK_SPECIAL:
		rc = record(r, e, known, IMGSEARCH_STATE_UNSUPPORTED);
		break;
	case WALK_UNREADABLE:
		if (e->broken) {
			rc = broken_link(r, e, known);
			break;
		}
		rc = e->folder ? add_unreadable(r, e->path) : 0;
		if (!rc)
			rc = record(r, e, known, IMGSEARCH_STATE_UNREADABLE);
		break;
	}
	return rc ? rc : go_on(r, e->path);
}

int ims_entry_stored(index_run *r, const char *name)
{
	path_entry *known = ims_path_table_find(&r->paths, ims_path_key(0, name));
	if (!known)
		return 0;
	const walk_entry e = {
		.kind = WALK_FILE,
		.path = name,
		.size = known->size,
		.mtime = known->mtime,
		.ctime = knows_ctime(known) ? known->ctime : known->mtime,
	};
	known->seen = true;
	r->counts->paths.seen++;
	r->walk.files++;
	int rc = file_entry(r, &e, known, CLAIM_NONE);
	return rc ? rc : go_on(r, name);
}
