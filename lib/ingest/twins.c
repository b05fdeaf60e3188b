/* One pass over all pictures with more than one path; then each that is due is read. */
#include "ingest/twins.h"

#include "base/ids.h"
#include "base/path.h"
#include "ingest/row.h"
#include "ingest/start.h"
#include "meta/meta.h"

#include <string.h>

/* ------------------------------------------------------------------------ before the walks ---- */

int ims_twins_note(index_run *r, const store_picture *p)
{
	bool other = p->state == IMGSEARCH_STATE_DUPLICATE || p->state == IMGSEARCH_STATE_LINK;
	if (!other || !p->same_as)
		return 0;
	int64_t *grown = ims_grow(r->twins.id, r->twins.n, &r->twins.cap, sizeof *grown);
	if (!grown)
		return ims_nomem(r->err);
	r->twins.id = grown;
	r->twins.id[r->twins.n++] = p->same_as;
	r->twins.sorted = false;
	return 0;
}

bool ims_twins_has(index_run *r, int64_t id)
{
	if (!r->twins.sorted) {
		r->twins.n = ims_ids_sort(r->twins.id, r->twins.n);
		r->twins.sorted = true;
	}
	return ims_id_find(r->twins.id, r->twins.n, id, NULL);
}

void ims_twins_free(index_run *r)
{
	ims_free(r->twins.id);
	ims_path_table_free(&r->twins.folders);
}

/* ------------------------------------------------------------------------------- the walks ---- */

/* The key of the folder of a path. */
static int folder_key(int64_t root, const char *path, path_key *key)
{
	const char *slash = strrchr(path, '/');
	char *folder = ims_strndup(path, slash ? (size_t)(slash - path) : 0);
	if (!folder)
		return IMGSEARCH_ENOMEM;
	*key = ims_path_key(root, folder);
	ims_free(folder);
	return 0;
}

int ims_twins_add_folder(index_run *r, const walk_entry *e)
{
	path_entry folder = { .id = 1 };
	if (folder_key(r->walk.start->root, e->path, &folder.key))
		return ims_nomem(r->err);
	if (ims_path_table_find(&r->twins.folders, folder.key))
		return 0;
	return ims_path_table_add(&r->twins.folders, &folder) ? ims_nomem(r->err) : 0;
}

/* ------------------------------------------------------------------------------ afterwards ---- */

/* A picture and its paths. */
typedef struct twin {
	int64_t id;
	uint64_t sidecars; /* as they were when its facts were read */
	char **path;       /* owned */
	size_t n, cap;
	bool near;    /* a sidecar may lie beside one */
	bool offline; /* one cannot be looked at now */
} twin;

typedef struct twin_list {
	index_run *run;
	twin now;
	twin *due; /* owned */
	size_t n, cap;
} twin_list;

static void free_twin(twin *t)
{
	for (size_t i = 0; i < t->n; i++)
		ims_free(t->path[i]);
	ims_free(t->path);
	*t = (twin){ 0 };
}

static bool is_due(const twin *t)
{
	return t->n > 1 && !t->offline && *t->path[0] == '/' && (t->near || t->sidecars)
		&& ims_sidecars_stamp_of((const char *const *)t->path, t->n) != t->sidecars;
}

/* The picture at work has all its paths. */
static int finish(twin_list *l)
{
	if (!is_due(&l->now)) {
		free_twin(&l->now);
		return 0;
	}
	twin *grown = ims_grow(l->due, l->n, &l->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(l->run->err);
	l->due = grown;
	l->due[l->n++] = l->now;
	l->now = (twin){ 0 };
	return 0;
}

static int add_path(twin_list *l, const store_picture *p, const char *root)
{
	index_run *r = l->run;
	twin *t = &l->now;
	path_key folder;
	char **grown = ims_grow(t->path, t->n, &t->cap, sizeof *grown);
	t->path = grown ? grown : t->path;
	char *full = grown ? ims_path_join(p->root ? root : NULL, p->path) : NULL;
	if (!full || folder_key(p->root, p->path, &folder)) {
		ims_free(full);
		return ims_nomem(r->err);
	}
	t->path[t->n++] = full;
	t->near |= ims_path_table_find(&r->twins.folders, folder) != NULL;
	t->offline |= p->root && ims_offline_has(&r->offline, full, strlen(root));
	return 0;
}

static int take(void *user, const store_picture *p, const char *root)
{
	twin_list *l = user;
	int rc = 0;
	if (p->state == IMGSEARCH_STATE_INDEXED) {
		rc = finish(l);
		l->now.id = p->id;
		l->now.sidecars = p->sidecars;
	}
	return rc ? rc : add_path(l, p, root);
}

static int describe(index_run *r, const twin *t)
{
	prepared p = { 0 };
	ims_prepare_facts(r->s, (const char *const *)t->path, t->n, &p);
	store_record record = { .way = STORE_TOUCH, .row = { .id = t->id } };
	ims_row_add_facts(&record, &p);
	int rc = p.has_facts ? ims_store_tx_begin(r->s->store, r->err) : 0;
	if (!rc && p.has_facts) {
		rc = ims_store_write(r->s->store, &record, 1, r->err);
		rc = ims_handle_tx_end(r->s, rc, r->err);
		r->counts->described += !rc;
	}
	ims_prepared_clear(&p);
	return rc;
}

int ims_twins_describe(index_run *r)
{
	twin_list l = { .run = r };
	int rc = ims_store_each_twin(r->s->store, take, &l, r->err);
	if (!rc)
		rc = finish(&l);
	free_twin(&l.now);
	for (size_t i = 0; i < l.n; i++) {
		if (!rc)
			rc = ims_job_check(&r->job, r->err);
		if (!rc)
			rc = describe(r, &l.due[i]);
		free_twin(&l.due[i]);
	}
	ims_free(l.due);
	return rc;
}
