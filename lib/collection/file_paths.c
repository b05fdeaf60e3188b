/* Looks at the files of a group. */
#include "collection/file_paths.h"

#include "base/file.h"
#include "base/ids.h"
#include "image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add(file_paths *p, const file_path *path)
{
	file_path *grown = ims_grow(p->item, p->n, &p->cap, sizeof *grown);
	if (!grown)
		return IMGSEARCH_ENOMEM;
	p->item = grown;
	p->item[p->n++] = *path;
	return 0;
}

int ims_file_paths_add(file_paths *p, const members *all, member *m)
{
	size_t n;
	member_name *name = ims_members_names(all, m->id, &n);
	int rc = add(p,
		&(file_path){
			.id = m->id,
			.file = m->id,
			.path = m->path,
			.stamp = &m->stamp,
			.of = m,
		});
	for (size_t i = 0; !rc && i < n; i++)
		rc = add(p,
			&(file_path){
				.id = name[i].id,
				.file = m->id,
				.path = name[i].path,
				.stamp = &name[i].stamp,
				.of = m,
				.name = true,
			});
	return rc;
}

void ims_file_paths_free(file_paths *p)
{
	ims_free(p->item);
	*p = (file_paths){ 0 };
}

/* False where the file cannot be read, too. */
static bool has_known_bytes(const file_path *p)
{
	buf bytes = { 0 };
	bool same = false;
	if (!ims_read_file(&bytes, p->path, IMS_IMAGE_MAX_FILE, NULL)) {
		hash256 hash = ims_hash(bytes.data, bytes.len);
		same = ims_hash_equal(&hash, &p->of->hash);
	}
	ims_buf_free(&bytes);
	return same;
}

static bool is_stale(const file_path *p, offline_folders *offline)
{
	const file_stamp *known = p->stamp;
	struct stat st;
	if (!p->path || !known->root)
		return false;
	if (stat(p->path, &st))
		return (errno == ENOENT || errno == ENOTDIR)
			&& !ims_offline_has(offline, p->path, known->root);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != known->size)
		return true;
	bool same_times = ims_timestamp_equal(known->mtime, ims_timestamp(&st.st_mtim))
		&& (!known->has_ctime || ims_timestamp_equal(known->ctime, ims_timestamp(&st.st_ctim)));
	return !same_times && !has_known_bytes(p);
}

size_t ims_file_paths_drop_stale(file_paths *p, size_t from, offline_folders *offline)
{
	size_t kept = from, stale = 0;
	int64_t of = 0, file = 0; /* of the last path kept: its file, before and now */
	for (size_t i = from; i < p->n; i++) {
		file_stamp *stamp = p->item[i].stamp;
		if (!stamp->looked_at) {
			stamp->is_stale = is_stale(&p->item[i], offline);
			stale += stamp->is_stale;
		}
		stamp->looked_at = true;
		if (stamp->is_stale)
			continue;
		if (kept == from || of != p->item[i].file)
			of = p->item[i].file, file = p->item[i].id;
		p->item[kept] = p->item[i];
		p->item[kept++].file = file;
	}
	p->n = kept;
	return stale;
}

static void look_at(file_path *p)
{
	struct stat st;
	if (!p->path || lstat(p->path, &st))
		return;
	p->link = S_ISLNK(st.st_mode);
	if (p->link && stat(p->path, &st))
		return;
	p->found = true;
	p->device = (uint64_t)st.st_dev;
	p->inode = (uint64_t)st.st_ino;
}

/* What was found by file, then the others by what the index says. */
static int by_place(const void *x, const void *y)
{
	const file_path *a = x, *b = y;
	if (a->found != b->found)
		return b->found - a->found;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->file > b->file) - (a->file < b->file);
}

/* The class of a path that was not found: that of the first path of its file. */
static size_t class_by_index(const file_paths *p, size_t i)
{
	size_t first = 0;
	while (p->item[first].file != p->item[i].file)
		first++;
	return first < i ? p->item[first].class : i;
}

static void make_classes(file_paths *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const file_path *before = i ? &p->item[i - 1] : NULL;
		bool same = before && before->found && before->device == p->item[i].device
			&& before->inode == p->item[i].inode;
		if (!p->item[i].found)
			p->item[i].class = class_by_index(p, i);
		else
			p->item[i].class = same ? before->class : i;
	}
}

static int by_class(const void *x, const void *y)
{
	const file_path *a = x, *b = y;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->link != b->link)
		return a->link - b->link;
	if (a->name != b->name)
		return a->name - b->name;
	int order = a->path && b->path ? strcmp(a->path, b->path) : 0;
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

static int by_output(const void *x, const void *y)
{
	const file_path *a = x, *b = y;
	bool first = a->id == a->file, second = b->id == b->file;
	return first != second ? second - first : ims_id_compare(a, b);
}

void ims_file_paths_sort(file_paths *p, bool look)
{
	p->files = 0;
	for (size_t i = 0; look && i < p->n; i++)
		look_at(&p->item[i]);
	if (look) {
		qsort(p->item, p->n, sizeof *p->item, by_place);
		make_classes(p);
		qsort(p->item, p->n, sizeof *p->item, by_class);
	}
	for (size_t i = 0; i < p->n; i++) {
		bool same = i && p->item[i - 1].class == p->item[i].class;
		if (look)
			p->item[i].file = same ? p->item[i - 1].file : p->item[i].id;
		p->files += p->item[i].id == p->item[i].file;
	}
	qsort(p->item, p->n, sizeof *p->item, by_output);
}
