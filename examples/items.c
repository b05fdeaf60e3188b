/*
 * What an index knows: how many pictures, by which network, which came last, and what is known of
 * one of them.
 *
 *	items INDEX PATH
 */
#include <imgsearch.h>

#include <stdio.h>

static int show_index(imgsearch *s, imgsearch_error *err)
{
	imgsearch_info *info;
	imgsearch_network *network;
	int rc = imgsearch_info_get(s, NULL, &info, err);
	if (rc)
		return rc;
	printf("%llu pictures, %llu duplicates, model %s, searcher %s\n",
		(unsigned long long)info->counts->indexed, (unsigned long long)info->counts->duplicate,
		info->model ? info->model : "-", info->searcher ? info->searcher : "-");
	for (size_t i = 0; i < info->roots->count; i++)
		printf("folder %s%s\n", info->roots->items[i]->path,
			info->roots->items[i]->offline ? " (absent)" : "");
	imgsearch_info_free(info);

	rc = imgsearch_network_get(s, &network, err);
	if (rc)
		return rc;
	printf("new pictures: %s\n", network->usable ? "can be embedded" : network->why_not);
	imgsearch_network_free(network);
	return 0;
}

static int show_line(void *user, const imgsearch_item *item)
{
	size_t *n = (size_t *)user;
	printf("%zu: %s (%u x %u)\n", ++*n, item->path, item->width, item->height);
	return 0; /* another number would end the list */
}

/* The last five that were added. */
static int show_newest(imgsearch *s, imgsearch_error *err)
{
	imgsearch_item_list_options options = IMGSEARCH_INIT(imgsearch_item_list_options);
	uint64_t total;
	size_t n = 0;
	options.states = 1u << IMGSEARCH_STATE_INDEXED;
	options.sort = IMGSEARCH_SORT_ID;
	options.descending = 1;
	options.limit = 5;
	int rc = imgsearch_item_list(s, &options, show_line, &n, NULL, &total, err);
	if (rc == 0)
		printf("of %llu\n", (unsigned long long)total);
	return rc;
}

static int show_item(imgsearch *s, const char *path, imgsearch_error *err)
{
	imgsearch_item *item;
	imgsearch_bytes *bytes;
	int64_t ids[2] = { 0, 1000000000 };
	uint8_t exists[2];
	int rc = imgsearch_item_find(s, path, &ids[0], err);
	if (rc == 0)
		rc = imgsearch_item_exists(s, ids, 2, exists, err);
	if (rc)
		return rc;
	printf("item %lld exists: %d; item %lld: %d\n", (long long)ids[0], exists[0], (long long)ids[1],
		exists[1]);

	rc = imgsearch_item_get(s, ids[0], &item, err);
	if (rc)
		return rc;
	for (size_t i = 0; item->columns && i < item->columns->count; i++)
		printf("%s: %s\n", item->columns->items[i]->name, item->columns->items[i]->value);
	for (size_t i = 0; item->paths && i < item->paths->count; i++)
		printf("also at %s\n", item->paths->items[i]->path);
	imgsearch_item_free(item);

	rc = imgsearch_item_bytes(s, ids[0], NULL, &bytes, err);
	if (rc)
		return rc;
	printf("%zu bytes\n", bytes->count);
	imgsearch_bytes_free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_error err;
	imgsearch *s = NULL;
	if (argc != 3)
		return fprintf(stderr, "usage: items INDEX PATH\n"), 2;
	if (imgsearch_version_number() < IMGSEARCH_VERSION_NUMBER)
		fprintf(stderr, "built for a newer version than %s\n", imgsearch_version_text());
	options.must_exist = 1;
	options.read_only = 1;
	int rc = imgsearch_open(argv[1], &options, NULL, &s, &err);
	if (rc == 0)
		rc = show_index(s, &err);
	if (rc == 0)
		rc = show_newest(s, &err);
	if (rc == 0)
		rc = show_item(s, argv[2], &err);
	if (rc)
		fprintf(stderr, "%s: %s\n", imgsearch_status_name(rc), err.message);
	imgsearch_close(s);
	return rc != 0;
}
