/* The lists are short: one folder covers all below it. */
#include "ingest/switches.h"

#include "base/path.h"
#include "image/image.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

/* Whether a path below a root is a folder of it, or lies in it. */
static bool is_in(const char *path, const char *folder)
{
	return !*folder || ims_path_below(path, folder);
}

bool ims_folders_cover(const text_list *l, const char *path)
{
	bool covers = false;
	for (size_t i = 0; i < l->n; i++)
		covers |= is_in(path, l->item[i]);
	return covers;
}

uint32_t ims_switches_formats(const store_lists *of, const char *path)
{
	return (ims_folders_cover(&of->of[STORE_TIFF], path) ? IMAGE_ALSO_TIFF : 0u)
		| (ims_folders_cover(&of->of[STORE_VIDEO], path) ? IMAGE_ALSO_VIDEO : 0u);
}

/* Removes what lies in a folder, or is it. Returns whether there was anything. */
static bool drop_below(text_list *l, const char *folder)
{
	size_t kept = 0, before = l->n;
	for (size_t i = 0; i < before; i++)
		if (is_in(l->item[i], folder))
			ims_free(l->item[i]);
		else
			l->item[kept++] = l->item[i];
	l->n = kept;
	return kept != before;
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
static int check_off(const text_list *l, const change *c, const index_start *start,
	imgsearch_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_in(start->prefix, l->item[i]))
			return ims_fail(err, IMGSEARCH_EINVAL,
				"%s: %s in all of %s%s%s, and not off for a part of it", start->prefix, c->what,
				start->root_path, *l->item[i] ? "/" : "", l->item[i]);
	return 0;
}

static int change_list(text_list *l, const change *c, const index_start *start, bool *changed,
	imgsearch_error *err)
{
	*changed = false;
	if (!has_part_in(c, start) || (c->on && ims_folders_cover(l, start->prefix)))
		return 0;
	*changed = drop_below(l, start->prefix) || c->on;
	if (!c->on)
		return check_off(l, c, start, err);
	return ims_texts_add(l, ims_strdup(start->prefix)) ? ims_nomem(err) : 0;
}

static int store_change(index_plan *p, const change *c, imgsearch_error *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < p->n; i++) {
		const index_start *start = &p->start[i];
		if (start->stored)
			continue;
		text_list *l = &ims_store_roots_lists(&p->roots, start->root)->of[c->list];
		bool changed = false;
		rc = change_list(l, c, start, &changed, err);
		if (!rc && changed)
			rc = ims_store_list_set(p->s->store, start->root, c->list, l, err);
	}
	return rc;
}

int ims_switches_store(index_plan *p, const imgsearch_index_update_options *o, imgsearch_error *err)
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
