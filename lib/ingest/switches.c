/* The lists are short: one folder covers all below it. */
#include "ingest/switches.h"

#include "base/path.h"
#include "image/image.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

static int read_list(imgsearch *s, int64_t root, store_list list, folder_list *out,
	imgsearch_error *err)
{
	return ims_store_patterns_get(s->store, root, list, &out->path, &out->n, err);
}

static void free_list(folder_list *l)
{
	ims_store_patterns_free(l->path, l->n);
	*l = (folder_list){ 0 };
}

int ims_switches_read(imgsearch *s, int64_t root, run_switches *out, imgsearch_error *err)
{
	*out = (run_switches){ 0 };
	int rc = read_list(s, root, STORE_FOLLOW, &out->follow, err);
	if (!rc)
		rc = read_list(s, root, STORE_TIFF, &out->tiff, err);
	return rc ? rc : read_list(s, root, STORE_VIDEO, &out->video, err);
}

void ims_switches_free(run_switches *w)
{
	free_list(&w->follow);
	free_list(&w->tiff);
	free_list(&w->video);
}

/* Whether a path below a root is a folder of it, or lies in it. */
static bool is_in(const char *path, const char *folder)
{
	return !*folder || ims_path_below(path, folder);
}

bool ims_folders_cover(const folder_list *l, const char *path)
{
	bool covers = false;
	for (size_t i = 0; i < l->n; i++)
		covers |= is_in(path, l->path[i]);
	return covers;
}

uint32_t ims_switches_formats(const run_switches *w, const char *path)
{
	return (ims_folders_cover(&w->tiff, path) ? IMAGE_ALSO_TIFF : 0u)
		| (ims_folders_cover(&w->video, path) ? IMAGE_ALSO_VIDEO : 0u);
}

/* Removes what lies in a folder, or is it. Returns whether there was anything. */
static bool drop_below(folder_list *l, const char *folder)
{
	size_t kept = 0, before = l->n;
	for (size_t i = 0; i < before; i++)
		if (is_in(l->path[i], folder))
			ims_free(l->path[i]);
		else
			l->path[kept++] = l->path[i];
	l->n = kept;
	return kept != before;
}

static int add(folder_list *l, const char *path, imgsearch_error *err)
{
	char **grown = ims_realloc(l->path, l->n + 1, sizeof *grown);
	if (!grown)
		return ims_nomem(err);
	l->path = grown;
	grown[l->n] = ims_strdup(path);
	return grown[l->n] ? l->n++, 0 : ims_nomem(err);
}

static bool is_link(const index_start *start)
{
	struct stat st;
	char *full = ims_path_join(start->root ? start->root_path : NULL, start->prefix);
	bool link = full && !lstat(full, &st) && S_ISLNK(st.st_mode);
	ims_free(full);
	return link;
}

/* A switch as an option gives it. */
typedef struct change {
	store_list list;
	bool on;
	const char *what; /* is done where it is on, for people */
} change;

/* A single file follows links only where it is one itself. */
static bool has_part_in(const change *c, const index_start *start)
{
	return c->list != STORE_FOLLOW || !start->file || is_link(start);
}

/* EINVAL: the switch is on in a folder around the start. */
static int check_off(const folder_list *l, const change *c, const index_start *start,
	imgsearch_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_in(start->prefix, l->path[i]))
			return ims_fail(err, IMGSEARCH_EINVAL,
				"%s: %s in all of %s%s%s, and not off for a part of it", start->prefix, c->what,
				start->root_path, *l->path[i] ? "/" : "", l->path[i]);
	return 0;
}

static int change_list(folder_list *l, const change *c, const index_start *start, bool *changed,
	imgsearch_error *err)
{
	*changed = false;
	if (!has_part_in(c, start) || (c->on && ims_folders_cover(l, start->prefix)))
		return 0;
	*changed = drop_below(l, start->prefix) || c->on;
	return c->on ? add(l, start->prefix, err) : check_off(l, c, start, err);
}

static int store_change(const index_plan *p, const change *c, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < p->n; i++) {
		const index_start *start = &p->start[i];
		folder_list l = { 0 };
		bool changed = false;
		rc = read_list(p->s, start->root, c->list, &l, err);
		if (!rc)
			rc = change_list(&l, c, start, &changed, err);
		if (!rc && changed)
			rc = ims_store_patterns_set(p->s->store, start->root, c->list,
				(const char *const *)l.path, l.n, err);
		free_list(&l);
	}
	return rc;
}

int ims_switches_store(const index_plan *p, const imgsearch_index_update_options *o,
	imgsearch_error *err)
{
	uint32_t on = 0, off = 0;
	int rc = ims_image_formats(&on, &off, o->formats, err);
	const struct {
		uint32_t on, off;
		store_list list;
		const char *what;
	} options[] = {
		{ o->follow_links, o->no_follow_links, STORE_FOLLOW, "links are followed" },
		{ on & IMAGE_ALSO_TIFF, off & IMAGE_ALSO_TIFF, STORE_TIFF, "TIFF is read" },
		{ on & IMAGE_ALSO_VIDEO, off & IMAGE_ALSO_VIDEO, STORE_VIDEO, "video is read" },
	};
	for (size_t i = 0; !rc && i < sizeof options / sizeof *options; i++)
		if (options[i].on || options[i].off)
			rc = store_change(p, &(change){ options[i].list, options[i].on, options[i].what }, err);
	return rc;
}
