/* Lists of models. A model that is accepted is accepted again as a record. */
#include "model/published.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const published *m)
{
	buf text = { 0 };
	published again;
	ims_published_text(&text, m);
	if (ims_published_record(&again, text.data, text.len, NULL) || strcmp(m->name, again.name)
		|| m->n_files != again.n_files)
		abort();
	ims_published_clear(&again);
	ims_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	published_list l = { 0 };
	ims_published_parse(&l, data, size, "list", NULL);
	for (size_t i = 0; i < l.n; i++)
		write_and_read(&l.item[i]);
	ims_published_free(&l);
	return 0;
}
