/* An index run on the caller's thread: set-up, walks, missing files, end of a re-index, CSV. */
#include "ingest/index_run.h"

#include "base/path.h"
#include "files/walk.h"
#include "handle/feature.h"
#include "handle/model_choice.h"
#include "handle/second.h"
#include "handle/view.h"
#include "ingest/claims.h"
#include "ingest/columns.h"
#include "ingest/entry.h"
#include "ingest/regions.h"
#include "ingest/start.h"
#include "ingest/twins.h"
#include "store/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int count_entry(void *user, const walk_entry *e)
{
	index_run *r = user;
	(void)e;
	r->expected++;
	return r->expected % 1024 ? 0 : ims_job_step(&r->job, "walk", r->expected, 0, r->err);
}

/* Counts the paths, so that progress has a total. */
static int count_ahead(index_run *r, index_plan *p)
{
	int rc = 0;
	for (size_t i = 0; r->job.call.progress && !ims_is_stop(rc) && i < p->n; i++) {
		walk_rules rules;
		rc = ims_start_begin(r, p, &p->start[i], &rules);
		rules.include = rules.exclude = NULL;
		if (p->start[i].file)
			r->expected++;
		else if (!rc)
			rc = ims_walk(p->start[i].root_path, p->start[i].prefix, &rules, count_entry, r, NULL);
	}
	return ims_is_stop(rc) ? rc : 0;
}

static int add_known(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	index_run *r = user;
	bool indexed = p->state == IMGSEARCH_STATE_INDEXED;
	bool has_vector = r->identity.next ? ims_id_find(r->made, r->n_made, p->id, NULL)
									   : !ims_id_find(r->lacking, r->n_lacking, p->id, NULL);
	path_entry known = ims_entry_known(p, has_vector);
	bool has = p->state == IMGSEARCH_STATE_DELETED
		|| (indexed && (!r->identity.next || has_vector));
	if (ims_path_table_add(&r->paths, &known)
		|| (has && ims_contents_add(&r->pipeline.contents, known.content, p->id)))
		return ims_nomem(r->err);
	return ims_twins_note(r, p);
}

static int add_single(index_run *r, const char *path)
{
	path_entry single = { .key = ims_path_key(0, path), .id = 1 };
	return *path == '/' && ims_path_table_add(&r->singles, &single) ? ims_nomem(r->err) : 0;
}

static int add_known_single(void *user, const store_picture *p, const char *root_path)
{
	(void)root_path;
	return add_single(user, p->path);
}

/* Those that the index knows, and those of this run. */
static int add_singles(index_run *r, index_plan *p)
{
	int rc = ims_store_each_single(r->s->store, add_known_single, r, r->err);
	for (size_t i = 0; !rc && i < p->n; i++)
		if (!p->start[i].root)
			rc = add_single(r, p->start[i].prefix);
	return rc;
}

/*
 * Stores a model only if its network can be loaded; otherwise neither it nor a new root is stored.
 */
static int check_new_model(index_run *r, const identity *id)
{
	model *network = NULL;
	int rc = id->first || id->begins ? ims_handle_network(r->s, &id->model, &network, r->err) : 0;
	ims_model_free(network);
	return rc;
}

/* Adds the second model that the options name. */
static int add_second(index_run *r)
{
	identity second;
	int rc = ims_identity_decide_second(r->s, true, &second, r->err);
	if (!rc)
		rc = check_new_model(r, &second);
	if (!rc)
		rc = ims_identity_store(r->s, &second, r->err);
	ims_identity_free(&second);
	return rc;
}

/* Decides which model makes the features of the run. */
static int decide_model(index_run *r)
{
	identity_use use = r->options->add_model ? IDENTITY_RUN_OWN : IDENTITY_RUN;
	return r->second ? ims_identity_decide_second(r->s, false, &r->identity, r->err)
					 : ims_identity_decide(r->s, use, &r->identity, r->err);
}

/*
 * The network of the second model is that of its handle, so that each stays loaded; or that which
 * check_new_model has loaded.
 */
static int choose_network(index_run *r)
{
	imgsearch *second = NULL;
	int rc = r->second && !ims_handle_network_loaded(r->s, &r->identity.model)
		? ims_second_get(r->s, &second, r->err)
		: 0;
	r->pipeline.by = second ? second : r->s;
	return rc;
}

typedef struct first_file {
	bool found;
	uint64_t left; /* files that match nothing of what is to be taken in */
} first_file;

static int find_file(void *user, const walk_entry *e)
{
	first_file *f = user;
	f->found |= e->kind == WALK_FILE;
	f->left += e->reason == ims_walk_not_included;
	return f->found;
}

/*
 * Refuses include patterns of the options that match no file at all: a mistake in them would remove
 * every picture from the index.
 */
static int check_include(index_run *r, index_plan *p)
{
	const imgsearch_index_update_options *o = r->options;
	first_file f = { .found = !o->n_include };
	int rc = 0;
	for (size_t i = 0; !rc && !f.found && i < p->n; i++) {
		walk_rules rules;
		rc = ims_start_begin(r, p, &p->start[i], &rules);
		if (!rc && !p->start[i].file)
			ims_walk(p->start[i].root_path, p->start[i].prefix, &rules, find_file, &f, NULL);
	}
	if (rc || f.found || !f.left)
		return rc;
	return ims_fail(r->err, IMGSEARCH_EINVAL,
		"include: none of %llu files matches %s%s; nothing is changed", (unsigned long long)f.left,
		o->include[0], o->n_include > 1 ? " or another pattern" : "");
}

/*
 * Loads the network of a new model, so that the transaction which needs it does not take long where
 * others wait for it. What fails is left to that.
 */
static void load_ahead(index_run *r)
{
	model *network = NULL;
	identity id = { 0 };
	if (ims_store_is_shared(r->s->store) && !ims_identity_decide(r->s, IDENTITY_RUN, &id, NULL)
		&& (id.first || id.begins) && !ims_handle_network(r->s, &id.model, &network, NULL))
		ims_model_free(network);
	ims_identity_free(&id);
}

/* Decides the model of the run, and stores it and the roots. */
static int set_up(index_run *r, index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_store_tx_begin(r->s->store, r->err);
	if (rc)
		return rc;
	p->follow_links = r->options->follow_links;
	rc = ims_plan_make(p, paths, n);
	if (!rc)
		rc = ims_switches_store(p, r->options, r->err);
	if (!rc)
		rc = ims_rules_store(&r->rules, p, r->err);
	if (!rc)
		rc = check_include(r, p);
	if (!rc)
		rc = decide_model(r);
	if (!rc && n && r->identity.next) /* it ends when every picture has its vector */
		rc = ims_plan_add_stored(p);
	if (!rc)
		rc = check_new_model(r, &r->identity);
	if (!rc)
		rc = ims_identity_store(r->s, &r->identity, r->err);
	if (!rc && r->options->add_model)
		rc = add_second(r);
	if (!rc)
		rc = ims_regions_choose(r->s, r->options->regions, r->err);
	if (!rc)
		rc = ims_regions_kept(r->s, &r->pipeline.regions, r->err);
	if (!rc)
		rc = ims_store_lease_begin(r->s->store, STORE_INDEXES, r->err);
	return ims_handle_tx_end(r->s, rc, r->err);
}

/* Logs how many pictures have new vectors because the decoding changed. */
static void tell_redecoded(index_run *r)
{
	const uint64_t n = r->counts->redecoded;
	const uint32_t why = r->pipeline.redecoded_traits;
	const char *const reason[] = {
		why & IMAGE_HAS_COLOURS ? "; colours are converted to sRGB" : "",
		why & IMAGE_HAS_ALPHA ? "; light drawings lie on black" : "",
		why & IMAGE_HAS_OTHER_ORIENTATION ? "; orientation in texts counts" : "",
	};
	if (n)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"pictures decoded anew, since this version may make other pixels of them: %llu%s%s%s",
			(unsigned long long)n, reason[0], reason[1], reason[2]);
}

/* Tells, once a reason, of files that a missing library leaves out. */
static void tell_lacking(index_run *r)
{
	for (size_t i = 0; i < PIPELINE_LACKING && r->pipeline.lacking[i].files; i++)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING, "skipped %llu: %s",
			(unsigned long long)r->pipeline.lacking[i].files, r->pipeline.lacking[i].why.message);
}

/* Tells of pictures that a run with Little CMS makes anew. */
static void tell_unconverted(index_run *r)
{
	if (r->pipeline.unconverted)
		ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
			"pictures taken without their colour profiles, since Little CMS is absent "
			"(liblcms2-2): %llu",
			(unsigned long long)r->pipeline.unconverted);
}

/* Removes what the new model has made no vector for; what takes its place may have none either. */
static int drop_not_made(index_run *r, int64_t *ids, size_t n)
{
	int rc = 0;
	while (!rc && n) {
		rc = ims_store_remove(r->s->store, ids, n, r->err);
		r->counts->removed += rc ? 0 : n;
		ims_free(ids);
		ids = NULL;
		n = 0;
		if (!rc)
			rc = ims_store_ids(r->s->store, STORE_NOT_NEXT, &ids, &n, r->err);
	}
	ims_free(ids);
	return rc;
}

/* Whether the re-index is still under way: another program may have ended it. */
static int is_under_way(index_run *r, bool *under_way)
{
	char why[200];
	model_identity next;
	int rc = ims_identity_stored(r->s, true, &next, r->err);
	*under_way = !rc && ims_model_same(&next, &r->identity.model, why, sizeof why);
	if (!rc)
		ims_model_identity_free(&next);
	return rc == IMGSEARCH_ENOTFOUND ? 0 : rc;
}

static void tell_not_made(index_run *r, size_t n)
{
	ims_job_log(&r->job, IMGSEARCH_LOG_WARNING,
		"vectors that the new model has not made yet: %zu; queries use the old model "
		"until then (the option prune removes their pictures)",
		n);
}

static int switch_model(index_run *r, int64_t *ids, size_t n)
{
	int rc = drop_not_made(r, ids, n);
	if (!rc)
		rc = ims_store_model_switch(r->s->store, r->err);
	if (!rc)
		rc = ims_store_setting_set(r->s->store, "centre", NULL, 0, r->err);
	return rc ? rc : ims_view_set_dim(r->s, r->identity.model.dim, r->err);
}

/* Switches to the new model when every item has its vector. */
static int end_reindex(index_run *r)
{
	int64_t *ids = NULL;
	size_t n = 0;
	bool under_way;
	int rc = ims_store_tx_begin(r->s->store, r->err);
	if (rc)
		return rc;
	rc = is_under_way(r, &under_way);
	if (!rc && under_way)
		rc = ims_store_ids(r->s->store, STORE_NOT_NEXT, &ids, &n, r->err);
	bool switches = !rc && under_way && (!n || r->options->prune);
	if (switches)
		rc = switch_model(r, ids, n);
	else
		ims_free(ids);
	rc = ims_handle_tx_end(r->s, rc, r->err);
	if (!rc && n && !switches)
		tell_not_made(r, n);
	return rc;
}

/* Adds those that have no regions to those that lack a vector. */
static int add_whole(index_run *r)
{
	int64_t *whole = NULL, *all = NULL;
	size_t n = 0;
	int rc = ims_store_ids(r->s->store, STORE_WHOLE, &whole, &n, r->err);
	if (!rc && !(all = ims_alloc(r->n_lacking + n, sizeof *all)))
		rc = ims_nomem(r->err);
	if (!rc && r->n_lacking)
		memcpy(all, r->lacking, r->n_lacking * sizeof *all);
	if (!rc && n)
		memcpy(all + r->n_lacking, whole, n * sizeof *all);
	if (!rc) {
		ims_free(r->lacking);
		r->lacking = all;
		r->n_lacking = ims_ids_sort(all, r->n_lacking + n);
	}
	ims_free(whole);
	return rc;
}

/* Takes those that lack regions out of those that the second model has made. */
static int drop_whole(index_run *r)
{
	int64_t *whole = NULL;
	size_t n = 0, left = 0;
	int rc = ims_store_ids(r->s->store, STORE_WHOLE_NEXT, &whole, &n, r->err);
	for (size_t i = 0; !rc && i < r->n_made; i++)
		if (!ims_id_find(whole, n, r->made[i], NULL))
			r->made[left++] = r->made[i];
	r->n_made = rc ? r->n_made : left;
	ims_free(whole);
	return rc;
}

/* Which pictures have a vector: of a re-index one of the next model. */
static int read_vectors_made(index_run *r)
{
	store_counts counts;
	store *st = r->s->store;
	if (r->identity.next) {
		int rc = ims_store_ids(st, STORE_NEXT, &r->made, &r->n_made, r->err);
		return rc || !r->second || !r->pipeline.regions ? rc : drop_whole(r);
	}
	int rc = ims_store_counts(st, &counts, r->err);
	bool lacking = !rc && counts.by_state[IMGSEARCH_STATE_INDEXED] > counts.vectors;
	if (lacking)
		rc = ims_store_ids(st, STORE_LACKING, &r->lacking, &r->n_lacking, r->err);
	return rc || !r->pipeline.regions ? rc : add_whole(r);
}

static int run(index_run *r, index_plan *p, const char *const *paths, size_t n)
{
	int rc = ims_rules_init(&r->rules, r->options, r->err);
	if (!rc && r->options->csv)
		rc = ims_columns_check(r->options, r->err);
	if (!rc) {
		load_ahead(r);
		rc = set_up(r, p, paths, n);
	}
	if (rc)
		return rc;
	rc = choose_network(r);
	if (!rc)
		rc = read_vectors_made(r);
	if (!rc)
		rc = ims_store_each_picture(r->s->store, 0, add_known, r, r->err);
	if (!rc)
		rc = add_singles(r, p);
	if (!rc)
		rc = ims_offline_read(r->s, &r->offline, r->err);
	if (!rc)
		rc = count_ahead(r, p);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = ims_start_index(r, p, &p->start[i]);
	if (!rc)
		rc = ims_claims_settle(r);
	if (!rc || ims_is_stop(rc)) {
		int drained = ims_pipeline_drain(&r->pipeline);
		rc = drained ? drained : rc;
	}
	if (ims_is_stop(rc))
		return ims_fail(r->err, rc, "%s; finished work is kept",
			rc == IMGSEARCH_ECANCELED ? "cancelled" : "past the deadline");
	same_files_run same = { &r->files, &r->paths, &r->offline, r->counts };
	if (!rc)
		rc = ims_same_files_settle(r->s, &same, r->err);
	if (!rc)
		rc = ims_twins_describe(r);
	if (!rc && r->identity.next && !r->second)
		rc = end_reindex(r);
	if (!rc && r->options->csv)
		rc = ims_columns_attach(r->s, r->options, &r->job, r->err);
	tell_redecoded(r);
	tell_lacking(r);
	tell_unconverted(r);
	ims_feature_tell_profiles(&r->job, r->pipeline.bad_profiles, r->pipeline.bad_profile);
	if (!rc)
		rc = ims_rules_unmatched(&r->rules, r->counts, r->err);
	return rc ? rc : ims_store_compact(r->s->store, r->err);
}

static void free_run(index_run *r)
{
	ims_pipeline_free(&r->pipeline);
	ims_claims_free(&r->claims);
	ims_start_clear(&r->walk);
	ims_rules_free(&r->rules);
	ims_offline_free(&r->offline);
	ims_path_table_free(&r->paths);
	ims_path_table_free(&r->singles);
	ims_free(r->made);
	ims_free(r->lacking);
	ims_seen_files_free(&r->files);
	ims_twins_free(r);
	ims_identity_free(&r->identity);
	ims_free(r);
}

/*
 * Whether the file of a picture does not exist and was not found by the walk. Then a new file with
 * its bytes is that picture, moved.
 */
static int is_gone(void *user, const store_picture *p, bool *gone, imgsearch_error *err)
{
	index_run *r = user;
	struct stat st;
	*gone = false;
	char *full = ims_path_join(p->root ? p->root_path : NULL, p->path);
	if (!full)
		return ims_nomem(err);
	if (full[0] == '/' && lstat(full, &st) && (errno == ENOENT || errno == ENOTDIR)) {
		path_entry *old = ims_path_table_find(&r->paths, ims_path_key(p->root, p->path));
		*gone = old && !old->seen;
		if (*gone)
			old->seen = true;
	}
	ims_free(full);
	return 0;
}

/* One run, by the current model or by the second one. */
static int run_by(imgsearch *s, bool second, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options, job *j, run_counts *counts, imgsearch_error *err)
{
	index_plan p = { .s = s, .err = err };
	index_run *r = ims_zalloc(1, sizeof *r);
	if (!r)
		return ims_nomem(err);
	*r = (index_run){
		.s = s,
		.second = second,
		.options = options,
		.counts = counts,
		.err = err,
		.job = *j,
		.pipeline = {
			.s = s,
			.job = &r->job,
			.identity = &r->identity,
			.counts = counts,
			.is_gone = is_gone,
			.partial = options->partial,
			.user = r,
			.err = err,
		},
	};
	int rc = ims_pipeline_init(&r->pipeline);
	if (!rc)
		rc = run(r, &p, paths, n);
	free_run(r);
	ims_plan_free(&p);
	return rc;
}

/* How many pictures lack a vector of the second model, or its regions; 0: there is none. */
static int count_lacking(imgsearch *s, size_t *n, size_t *whole, imgsearch_error *err)
{
	bool has, regions = false;
	int64_t *ids = NULL, *of_whole = NULL;
	*n = *whole = 0;
	int rc = ims_store_has_second(s->store, &has, err);
	if (!rc && has)
		rc = ims_store_ids(s->store, STORE_LACKING_NEXT, &ids, n, err);
	if (!rc && has)
		rc = ims_regions_kept(s, &regions, err);
	if (!rc && regions)
		rc = ims_store_ids(s->store, STORE_WHOLE_NEXT, &of_whole, whole, err);
	ims_free(ids);
	ims_free(of_whole);
	return rc;
}

/* What the run has to say of the second model. */
static void add_counts(run_counts *counts, run_counts *second)
{
	counts->remade += second->remade;
	counts->walk_s += second->walk_s;
	counts->decode_s += second->decode_s;
	counts->network_s += second->network_s;
	counts->store_s += second->store_s;
	for (size_t i = 0; i < second->n_unmatched; i++)
		ims_free(second->unmatched[i]);
	ims_free(second->unmatched);
}

/*
 * Makes the vectors of the second model that are not there yet, of the paths of the run. Where its
 * network is absent, the run by the current one counts all the same.
 */
static int run_second(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *theirs, job *j, run_counts *counts, imgsearch_error *err)
{
	imgsearch_index_update_options o = {
		.struct_size = sizeof o,
		.prune = theirs->prune,
		.partial = theirs->partial,
		.no_default_excludes = theirs->no_default_excludes,
	};
	run_counts second = { 0 };
	imgsearch_error why = { 0 };
	size_t lacking, whole;
	int rc = count_lacking(s, &lacking, &whole, err);
	if (rc || lacking + whole == 0)
		return rc;
	rc = run_by(s, true, paths, n, &o, j, &second, &why);
	add_counts(counts, &second);
	if (rc == IMGSEARCH_EMODEL)
		ims_job_log(j, IMGSEARCH_LOG_WARNING, "the second model has made no vectors: %s",
			why.message);
	else if (rc)
		*err = why;
	rc = rc == IMGSEARCH_EMODEL ? 0 : rc;
	if (!rc)
		rc = count_lacking(s, &lacking, &whole, err);
	if (!rc && lacking)
		ims_job_log(j, IMGSEARCH_LOG_WARNING,
			"pictures without a vector of the second model: %zu (a run over their folders makes "
			"it)",
			lacking);
	return rc;
}

int ims_index_run(imgsearch *s, const char *const *paths, size_t n,
	const imgsearch_index_update_options *options, job *j, run_counts *counts, imgsearch_error *err)
{
	imgsearch_error local;
	double begin = ims_now();
	job held = *j; /* until write_end */
	*counts = (run_counts){ 0 };
	if (!err)
		err = &local;
	int rc = ims_handle_write_begin(s, &held, err);
	if (rc)
		return rc;
	rc = run_by(s, false, paths, n, options, &held, counts, err);
	if (!rc)
		rc = run_second(s, paths, n, options, &held, counts, err);
	ims_handle_write_end(s);
	counts->seconds = ims_now() - begin;
	return rc;
}
