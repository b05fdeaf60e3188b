#include "cli/output/below.h"

const char below_warning[] = "nothing of the index lies below that folder";

static int pass_over(void *user, const imgsearch_item *item)
{
	(void)user;
	(void)item;
	return 0;
}

bool below_is_nothing(imgsearch *s, const imgsearch_filter *filter, const imgsearch_call *call)
{
	imgsearch_filter f = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_item_list_options o = IMGSEARCH_INIT(imgsearch_item_list_options);
	uint64_t total = 0;
	if (!filter || !filter->n_folders)
		return false;
	f.folders = filter->folders;
	f.n_folders = filter->n_folders;
	o.filter = &f;
	o.limit = 1;
	return !imgsearch_item_list(s, &o, pass_over, NULL, call, &total, NULL) && !total;
}
