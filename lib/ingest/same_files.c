/*
 * Rows are put into classes, one for each file with its bytes. Rows that were seen are in the class
 * of the file that they lead to. A picture that was not seen is in the class of the first name of
 * it that was seen, and a name that was not seen is in the class of its picture.
 */
#include "ingest/same_files.h"

#include "base/ids.h"
#include "base/path.h"
#include "store/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is known of the file of a path. */
typedef enum presence {
	PRESENCE_UNKNOWN, /* not seen, and not looked at */
	PRESENCE_THERE,
	PRESENCE_OFFLINE,
	PRESENCE_GONE
} presence;

typedef struct name_row {
	int64_t id, same_file;
	hash256 hash;
	uint32_t state;
	uint32_t file; /* the number of the file; 0: the run did not see the path */
	presence presence;
	bool link;
	bool counted;        /* the run counts its path */
	bool is_new;         /* a picture that was a name before the run */
	size_t order, class; /* its place in order of path; the class has that of one of its rows */
} name_row;

typedef struct class_builder {
	imgsearch *s;
	const seen_files *seen;
	const path_table *before;
	offline_folders *offline;
	name_row *row; /* in order of path until the classes are known */
	size_t n, cap;
	int64_t *pictures; /* of the names that the index has, ascending */
	size_t n_pictures, cap_pictures;
	name_row **by_id;
	uint64_t states[IMGSEARCH_STATE_LINK + 1]; /* of the rows that were seen */
	store_naming *change;                      /* what is to be written, in order */
	size_t n_changes, cap_changes;
	imgsearch_error *err;
} class_builder;

/* ------------------------------------------------------------------------------------ rows ---- */

static int add_picture_of_name(void *user, const store_picture *p, const char *root)
{
	class_builder *t = user;
	(void)root;
	int64_t *grown = ims_grow(t->pictures, t->n_pictures, &t->cap_pictures, sizeof *grown);
	if (!grown)
		return ims_nomem(t->err);
	t->pictures = grown;
	grown[t->n_pictures++] = p->same_file;
	return 0;
}

static bool was_name(const class_builder *t, const store_picture *p)
{
	const path_entry *e = ims_path_table_find(t->before, ims_path_key(p->root, p->path));
	return e && e->state == IMGSEARCH_STATE_LINK;
}

/* Rows of files with several paths, names, and pictures of names. */
static int add_row(void *user, const store_picture *p, const char *root)
{
	class_builder *t = user;
	(void)root;
	if (p->state != IMGSEARCH_STATE_INDEXED && p->state != IMGSEARCH_STATE_DUPLICATE
		&& p->state != IMGSEARCH_STATE_LINK)
		return 0;
	const seen_file *seen = ims_seen_files_find(t->seen, p->root, p->path);
	bool counted = seen && !seen->elsewhere;
	t->states[p->state] += counted;
	if (!(seen && seen->shared) && p->state != IMGSEARCH_STATE_LINK
		&& !ims_id_find(t->pictures, t->n_pictures, p->id, NULL))
		return 0;
	name_row *grown = ims_grow(t->row, t->n, &t->cap, sizeof *grown);
	if (!grown)
		return ims_nomem(t->err);
	t->row = grown;
	grown[t->n] = (name_row){
		.id = p->id,
		.same_file = p->same_file,
		.hash = p->hash,
		.state = p->state,
		.file = seen ? seen->number : 0,
		.presence = seen ? PRESENCE_THERE : PRESENCE_UNKNOWN,
		.link = seen && seen->link,
		.counted = counted,
		.is_new = p->state != IMGSEARCH_STATE_LINK && was_name(t, p),
		.order = t->n,
		.class = t->n,
	};
	t->n++;
	return 0;
}

static int read_rows(class_builder *t)
{
	int rc = ims_store_each_picture(t->s->store, IMGSEARCH_STATE_LINK, add_picture_of_name, t,
		t->err);
	t->n_pictures = t->n_pictures ? ims_ids_sort(t->pictures, t->n_pictures) : 0;
	return rc ? rc : ims_store_each_picture(t->s->store, 0, add_row, t, t->err);
}

/* --------------------------------------------------------------------------------- classes ---- */

static int by_id(const void *x, const void *y)
{
	return ims_id_compare(*(name_row *const *)x, *(name_row *const *)y);
}

static int by_content(const void *x, const void *y)
{
	const name_row *a = *(name_row *const *)x, *b = *(name_row *const *)y;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	int order = memcmp(a->hash.byte, b->hash.byte, sizeof a->hash.byte);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* The picture of a name, where it has its bytes; NULL. */
static name_row *picture_of(const class_builder *t, const name_row *name)
{
	const name_row wanted = { .id = name->same_file }, *key = &wanted;
	name_row **found = name->same_file ? bsearch(&key, t->by_id, t->n, sizeof *found, by_id) : NULL;
	return found && ims_hash_equal(&(*found)->hash, &name->hash) ? *found : NULL;
}

static void join_seen(class_builder *t)
{
	qsort(t->by_id, t->n, sizeof *t->by_id, by_content);
	for (size_t i = 1; i < t->n; i++) {
		name_row *a = t->by_id[i - 1], *b = t->by_id[i];
		if (a->file && a->file == b->file && ims_hash_equal(&a->hash, &b->hash))
			b->class = a->class;
	}
}

/* By id there can be names whose pictures are names, in a damaged file: they stay alone. */
static void join_unseen(class_builder *t)
{
	qsort(t->by_id, t->n, sizeof *t->by_id, by_id);
	for (size_t i = 0; i < t->n; i++) {
		name_row *name = &t->row[i], *picture = name->file ? picture_of(t, name) : NULL;
		if (picture && !picture->file && picture->class == picture->order)
			picture->class = name->class;
	}
	for (size_t i = 0; i < t->n; i++) {
		name_row *name = &t->row[i], *picture = name->file ? NULL : picture_of(t, name);
		if (picture)
			name->class = picture->class;
	}
}

/*
 * The picture of a class comes first: the one that was, if it was not seen, then what is there and
 * no link leads to. A picture that was, behind a link that leads to nothing, comes between.
 */
static int rank(const name_row *r)
{
	bool kept = !r->file && r->state != IMGSEARCH_STATE_LINK && !r->is_new;
	switch (r->presence) {
	case PRESENCE_THERE:
		return kept ? 0 : r->link ? 3 : 1;
	case PRESENCE_OFFLINE:
		return !kept ? 4 : r->link ? 2 : 0;
	case PRESENCE_GONE:
		return 5;
	default:
		return r->state == IMGSEARCH_STATE_LINK ? 4 : 0;
	}
}

static int by_class(const void *x, const void *y)
{
	const name_row *a = x, *b = y;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return rank(a) != rank(b) ? rank(a) - rank(b) : (a->order > b->order) - (a->order < b->order);
}

static int each_class(class_builder *t, int (*each)(class_builder *t, name_row *row, size_t n))
{
	int rc = 0;
	for (size_t from = 0, to; !rc && from < t->n; from = to) {
		for (to = from + 1; to < t->n && t->row[to].class == t->row[from].class; to++)
			;
		rc = each(t, &t->row[from], to - from);
	}
	return rc;
}

/* Looks at a path that the run did not see. */
static int look_at(class_builder *t, name_row *r)
{
	store_picture p;
	struct stat st;
	int rc = ims_store_picture_get(t->s->store, r->id, &p, t->err);
	char *full = rc ? NULL : ims_path_join(p.root ? p.root_path : NULL, p.path);
	size_t inside = full && p.root ? strlen(full) - strlen(p.path) : 0;
	if (!rc && !full)
		rc = ims_nomem(t->err);
	if (!rc && !stat(full, &st))
		r->presence = PRESENCE_THERE;
	else if (!rc && (errno == ENOENT || errno == ENOTDIR))
		r->presence = ims_offline_has(t->offline, full, inside) ? PRESENCE_OFFLINE : PRESENCE_GONE;
	if (!rc)
		r->link = ims_leads_through_link(full, r->presence == PRESENCE_OFFLINE ? inside : 0);
	ims_free(full);
	ims_store_picture_clear(&p);
	return rc;
}

/*
 * Looks at the paths of a class that the run did not see, where the picture is one of them and a
 * name was seen, or where the picture is new: then the index chose it without a look at the files.
 */
static int look_at_class(class_builder *t, name_row *row, size_t n)
{
	bool seen = false, unseen = false, is_new = false;
	int rc = 0;
	for (size_t i = 0; i < n; i++) {
		seen |= row[i].file != 0;
		unseen |= !row[i].file && row[i].state != IMGSEARCH_STATE_LINK;
		is_new |= row[i].is_new;
	}
	if (n < 2 || !(is_new || (seen && unseen)))
		return 0;
	for (size_t i = 0; i < n && !rc; i++)
		if (!row[i].file)
			rc = look_at(t, &row[i]);
	qsort(row, n, sizeof *row, by_class);
	return rc;
}

static int make_classes(class_builder *t)
{
	t->by_id = ims_alloc(t->n, sizeof *t->by_id);
	if (!t->by_id)
		return ims_nomem(t->err);
	for (size_t i = 0; i < t->n; i++)
		t->by_id[i] = &t->row[i];
	join_seen(t);
	join_unseen(t);
	qsort(t->row, t->n, sizeof *t->row, by_class);
	return each_class(t, look_at_class);
}

/* --------------------------------------------------------------------------------- writing ---- */

static int add_change(class_builder *t, const store_naming *change)
{
	store_naming *grown = ims_grow(t->change, t->n_changes, &t->cap_changes, sizeof *grown);
	if (!grown)
		return ims_nomem(t->err);
	t->change = grown;
	grown[t->n_changes++] = *change;
	return 0;
}

static void move_state(class_builder *t, name_row *r, uint32_t state, int64_t same_file)
{
	if (r->counted) {
		t->states[r->state]--;
		t->states[state]++;
	}
	r->state = state;
	r->same_file = same_file;
}

static int clear_name(class_builder *t, name_row *r)
{
	move_state(t, r, IMGSEARCH_STATE_DUPLICATE, 0);
	return add_change(t, &(store_naming){ NAME_CLEAR, r->id, 0 });
}

static int set_name(class_builder *t, name_row *r, int64_t picture)
{
	move_state(t, r, IMGSEARCH_STATE_LINK, picture);
	return add_change(t, &(store_naming){ NAME_SET, r->id, picture });
}

/* The row that has the vector gets the path of the picture. */
static int swap_paths(class_builder *t, name_row *picture, name_row *holder)
{
	name_row was = *picture;
	int rc = add_change(t, &(store_naming){ PATHS_SWAP, picture->id, holder->id });
	picture->id = holder->id;
	holder->id = was.id;
	int64_t same_file = holder->same_file;
	uint32_t state = holder->state;
	move_state(t, holder, was.state, was.same_file);
	move_state(t, picture, state, same_file);
	return rc;
}

/* The rows of a class, the picture first. */
static int settle_class(class_builder *t, name_row *row, size_t n)
{
	int rc = 0;
	for (size_t i = 1; !rc && i < n; i++)
		if (row[i].state == IMGSEARCH_STATE_INDEXED)
			rc = swap_paths(t, row, &row[i]);
	if (!rc && row->state == IMGSEARCH_STATE_LINK)
		rc = clear_name(t, row);
	for (size_t i = 1; !rc && i < n; i++)
		if (row[i].state != IMGSEARCH_STATE_LINK || row[i].same_file != row->id)
			rc = set_name(t, &row[i], row->id);
	return rc;
}

/* Others may write to a shared index: there the rows were read in this transaction. */
static int write_changes(class_builder *t)
{
	bool shared = ims_store_is_shared(t->s->store);
	int rc = shared ? 0 : ims_store_tx_begin(t->s->store, t->err);
	if (rc)
		return rc;
	rc = ims_store_name_files(t->s->store, t->change, t->n_changes, t->err);
	return shared ? rc : ims_handle_tx_end(t->s, rc, t->err);
}

static int settle_all(class_builder *t)
{
	int rc = each_class(t, settle_class);
	return !rc && t->n_changes ? write_changes(t) : rc;
}

/* A path that was found twice was counted twice. */
static void correct_counts(const class_builder *t, imgsearch_counts *c)
{
	const uint64_t *is = t->states;
	uint64_t all = is[IMGSEARCH_STATE_INDEXED] + is[IMGSEARCH_STATE_DUPLICATE]
		+ is[IMGSEARCH_STATE_LINK];
	if (all != c->indexed + c->duplicate + c->link)
		return;
	c->indexed = is[IMGSEARCH_STATE_INDEXED];
	c->duplicate = is[IMGSEARCH_STATE_DUPLICATE];
	c->link = is[IMGSEARCH_STATE_LINK];
}

int ims_same_files_settle(imgsearch *s, const same_files_run *run, imgsearch_error *err)
{
	class_builder t = {
		.s = s,
		.seen = run->files,
		.before = run->before,
		.offline = run->offline,
		.err = err,
	};
	store_counts held;
	run_counts *counts = run->counts;
	bool shared = ims_seen_files_number(run->files);
	bool copied = counts->paths.duplicate && counts->added + counts->changed;
	int rc = ims_store_counts(s->store, &held, err);
	if (!rc && copied)
		rc = ims_seen_files_look(s, run->files, run->before, &shared, err);
	/* where pictures went, others may be indexed in their place since they were counted */
	bool gone = counts->removed + counts->changed;
	bool replaced = gone && counts->paths.duplicate + counts->paths.link;
	if (rc || (!shared && !replaced && !held.by_state[IMGSEARCH_STATE_LINK]))
		return rc;
	if (ims_store_is_shared(s->store))
		rc = ims_store_tx_begin(s->store, err);
	if (rc)
		return rc;
	rc = read_rows(&t);
	if (!rc && t.n)
		rc = make_classes(&t);
	if (!rc)
		rc = settle_all(&t);
	if (ims_store_is_shared(s->store))
		rc = ims_handle_tx_end(s, rc, err);
	if (!rc)
		correct_counts(&t, &counts->paths);
	ims_free(t.row);
	ims_free(t.by_id);
	ims_free(t.pictures);
	ims_free(t.change);
	return rc;
}
