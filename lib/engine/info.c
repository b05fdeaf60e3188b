/* Information about an index, and its check: the functions check their arguments and delegate. */
#include "handle/check.h"
#include "handle/info.h"
#include "handle/items.h"
#include "model/catalog.h"

int imgsearch_info_get(imgsearch *s, imgsearch_info **out, imgsearch_error *err)
{
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "info: no index");
	return ims_info(s, out, err);
}

int imgsearch_item_each(imgsearch *s, uint32_t state,
	int (*each)(void *user, const imgsearch_item *item), void *user, imgsearch_error *err)
{
	if (!s || !each || state > IMGSEARCH_STATE_UNREADABLE)
		return ims_fail(err, IMGSEARCH_EINVAL, "list: no callback, or no such state");
	return ims_items_list(s, state, each, user, err);
}

int imgsearch_item_get(imgsearch *s, int64_t id, imgsearch_item **out, imgsearch_error *err)
{
	if (out)
		*out = NULL;
	if (!s || !out)
		return ims_fail(err, IMGSEARCH_EINVAL, "item: no index");
	return ims_item_get(s, id, out, err);
}

int imgsearch_item_find(imgsearch *s, const char *path, int64_t *id, imgsearch_error *err)
{
	if (!s || !path || !id)
		return ims_fail(err, IMGSEARCH_EINVAL, "find: no path");
	return ims_items_find(s, path, id, err);
}

int imgsearch_vectors_each(imgsearch *s,
	int (*each)(void *user, const int64_t *ids, const float *rows, size_t n, size_t dim),
	void *user, imgsearch_error *err)
{
	if (!s || !each)
		return ims_fail(err, IMGSEARCH_EINVAL, "vectors: no callback");
	return ims_items_vectors(s, each, user, err);
}

int imgsearch_check(imgsearch *s, uint32_t queries, int (*problem)(void *user, const char *text),
	void *user, imgsearch_check_report *report, imgsearch_error *err)
{
	imgsearch_check_report unasked;
	if (report)
		*report = (imgsearch_check_report){ 0 };
	if (!s)
		return ims_fail(err, IMGSEARCH_EINVAL, "check: no index");
	job j = ims_handle_job(s);
	return ims_check(s, queries, problem, user, report ? report : &unasked, &j, err);
}

int imgsearch_model_each(int (*each)(void *user, const imgsearch_model *m), void *user,
	imgsearch_error *err)
{
	return each ? ims_model_each(each, user, err)
				: ims_fail(err, IMGSEARCH_EINVAL, "models: no callback");
}
