/* The result of imgsearch_groups_find: groups are appended kind by kind, then copied. */
#include "collection/file_paths.h"
#include "collection/group_builder.h"
#include "handle/space.h"

#include <stdlib.h>
#include <string.h>

/* A member of a group that is being made. */
typedef struct node_member {
	uint32_t group, node, member;
} node_member;

static int by_node(const void *x, const void *y)
{
	const node_member *a = x, *b = y;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->member > b->member) - (a->member < b->member);
}

/* Adds the file of each node: that of its first member whose file is still the one indexed. */
static int add_files(group_builder *g, file_paths *p, const node_member *order, size_t n)
{
	int rc = 0;
	size_t before = 0; /* paths, before those of the node */
	for (size_t i = 0; !rc && i < n; i++) {
		if (i && order[i - 1].node != order[i].node)
			before = p->n;
		if (p->n != before)
			continue;
		rc = ims_file_paths_add(p, &g->all, &g->all.item[order[i].member]);
		if (!rc)
			g->n_stale += ims_file_paths_drop_stale(p, before, &g->all.offline);
	}
	return rc;
}

/* Whether a file has no colour: a copy has the signature of the indexed picture with its bytes. */
static int look_at_colour(group_builder *g, const file_path *file, bool *grey, imgsearch_error *err)
{
	const member *of = file->of;
	member *indexed = ims_members_find(&g->all, of->same_as ? of->same_as : of->id);
	int rc = indexed ? ims_members_look(g->s, indexed, err) : 0;
	*grey = indexed && indexed->is_grey;
	return rc;
}

/*
 * Appends a mark for each file. *differ: some have colour, others have none. Files with the same
 * bytes do not differ, and are not looked at.
 */
static int mark_grey(group_builder *g, uint32_t kind, const file_paths *p, bool *differ,
	imgsearch_error *err)
{
	size_t n = 0;
	int rc = 0;
	for (size_t i = 0; i < p->files && !rc; i++) {
		bool grey = false;
		if (kind != IMGSEARCH_SAMENESS_BYTES)
			rc = look_at_colour(g, &p->item[i], &grey, err);
		ims_buf_put(&g->grey, &(uint8_t){ grey }, 1);
		n += grey;
	}
	*differ = n && n < p->files;
	return rc;
}

static int append_group(group_builder *g, imgsearch_group *group, const node_member *order,
	size_t n, imgsearch_error *err)
{
	file_paths p = { 0 };
	int rc = add_files(g, &p, order, n);
	ims_file_paths_sort(&p, group->kind == IMGSEARCH_SAMENESS_BYTES);
	if (!rc && p.files >= 2) {
		group->count = p.files;
		group_record record = { .group = *group, .n_links = p.n - p.files };
		rc = mark_grey(g, group->kind, &p, &record.has_grey, err);
		ims_buf_put(&g->groups, &record, sizeof record);
		for (size_t i = 0; i < p.files; i++)
			ims_buf_put(&g->ids, &p.item[i].id, sizeof(int64_t));
		for (size_t i = p.files; i < p.n; i++) {
			imgsearch_link link = { p.item[i].id, p.item[i].file, p.item[i].path };
			ims_buf_put(&g->links, &link, sizeof link);
		}
		g->n_groups++;
	}
	ims_file_paths_free(&p);
	bool failed = g->ids.failed || g->grey.failed || g->groups.failed || g->links.failed;
	return rc == IMGSEARCH_ENOMEM || (!rc && failed) ? ims_nomem(err) : rc;
}

/* A name may be a copy by now. */
static bool has_names(const group_builder *g, uint32_t i)
{
	size_t n;
	ims_members_names(&g->all, g->all.item[i].id, &n);
	return n > 0;
}

int ims_groups_append(group_builder *g, uint32_t kind, const uint32_t *label, imgsearch_error *err)
{
	size_t n = 0;
	node_member *order = ims_alloc(g->all.n + 1, sizeof *order);
	if (!order)
		return ims_nomem(err);
	for (size_t i = 0; i < g->all.n; i++)
		order[n++] = (node_member){ label[g->node[i]], g->node[i], (uint32_t)i };
	qsort(order, n, sizeof *order, by_node);
	int rc = 0;
	for (size_t from = 0, to; !rc && from < n; from = to) {
		for (to = from + 1; to < n && order[to].group == order[from].group; to++)
			;
		if (order[from].node == order[to - 1].node
			&& !(kind == IMGSEARCH_SAMENESS_BYTES && has_names(g, order[from].member)))
			continue;
		imgsearch_group group = { .kind = kind, .score = 1 };
		if (kind == IMGSEARCH_SAMENESS_SCENE)
			group.score = ims_score(g->metric, g->longest[order[from].group]);
		rc = append_group(g, &group, order + from, to - from, err);
	}
	ims_free(order);
	return rc;
}

/* n links of the builder as a list of the result, from number `from` on. NULL: out of memory. */
static const imgsearch_links *copy_links(const group_builder *g, void *result, size_t from,
	size_t n)
{
	imgsearch_links *list = ims_result_alloc(result, 1, sizeof *list);
	imgsearch_link **items = list ? ims_result_list(result, n, sizeof **items) : NULL;
	for (size_t i = 0; items && i < n; i++) {
		memcpy(items[i], g->links.data + (from + i) * sizeof **items, sizeof **items);
		items[i]->path = ims_result_text(result, items[i]->path ? items[i]->path : "");
		if (!items[i]->path)
			return NULL;
	}
	if (!items)
		return NULL;
	*list = (imgsearch_links){ n, (const imgsearch_link *const *)items };
	return list;
}

static int copy_groups(const group_builder *g, void *result, imgsearch_group **items)
{
	int64_t *ids = ims_result_alloc(result, g->ids.len + 1, 1);
	uint8_t *grey = ims_result_alloc(result, g->grey.len + 1, 1);
	size_t links = 0;
	if (!items || !ids || !grey)
		return IMGSEARCH_ENOMEM;
	if (g->n_groups)
		memcpy(ids, g->ids.data, g->ids.len), memcpy(grey, g->grey.data, g->grey.len);
	for (size_t i = 0; i < g->n_groups; i++) {
		group_record record;
		memcpy(&record, g->groups.data + i * sizeof record, sizeof record);
		*items[i] = record.group;
		items[i]->items = ids;
		items[i]->grey = record.has_grey ? grey : NULL;
		ids += record.group.count;
		grey += record.group.count;
		if (record.n_links && !(items[i]->links = copy_links(g, result, links, record.n_links)))
			return IMGSEARCH_ENOMEM;
		links += record.n_links;
	}
	return 0;
}

int ims_groups_result(group_builder *g, imgsearch_groups **out, imgsearch_error *err)
{
	imgsearch_groups *list = ims_result_new(sizeof *list);
	imgsearch_group **items = list ? ims_result_list(list, g->n_groups, sizeof **items) : NULL;
	if (copy_groups(g, list, items)) {
		ims_result_free(list);
		return ims_nomem(err);
	}
	list->count = g->n_groups;
	list->items = (const imgsearch_group *const *)items;
	list->unread = g->all.unread;
	list->changed = g->n_stale;
	*out = list;
	return 0;
}
