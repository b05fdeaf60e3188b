/* For the golden test: find FILE prints the networks whose tensors the file has, a line each. */
#include "model/catalog.h"
#include "model/shim_load.h"
#include "model/weights.h"

#include <stdio.h>

enum { MOST = 512 };

int main(int argc, char **argv)
{
	imgsearch_error err = { 0 };
	weights w = { 0 };
	const shim_table *shim;
	shim_message msg = { "" };
	const char *names[MOST];
	uint8_t fits[MOST];
	size_t n;
	const model_network *list = ims_model_list(&n);
	if (argc != 2 || n > MOST)
		return 2;
	for (size_t i = 0; i < n; i++)
		names[i] = list[i].name;
	int rc = ims_weights_open(&w, argv[1], &err);
	if (!rc)
		rc = ims_shim_load(&shim, &err);
	if (!rc)
		rc = shim->net_find(names, n, w.tensor, w.n, w.script ? argv[1] : NULL, fits, &msg);
	for (size_t i = 0; !rc && i < n; i++)
		if (fits[i])
			puts(names[i]);
	if (rc)
		fprintf(stderr, "%s%s\n", err.message, msg.text);
	ims_weights_free(&w);
	return rc != 0;
}
