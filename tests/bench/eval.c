/*
 * Time of imgsearch_eval_run: 10 000 vectors against 10 000 (bench-eval N DIM THREADS for others),
 * in 200 folders.
 */
#include "base/base.h"
#include "imgsearch/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000,
		   dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 1280;
	imgsearch_options o = { .struct_size = sizeof o,
		.dim = (uint32_t)dim,
		.threads = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 2 };
	imgsearch *s;
	imgsearch_error err;
	imgsearch_eval_report *report;
	float *row = malloc(dim * sizeof *row), *centre = malloc(200 * dim * sizeof *centre);
	uint64_t random = 1;
	if (!row || !centre || imgsearch_open(":memory:", &o, NULL, &s, &err))
		return 1;
	for (size_t i = 0; i < 200 * dim; i++)
		centre[i] = (float)ims_random_unit(&random);
	for (size_t i = 0; i < n; i++) {
		char name[40];
		for (size_t j = 0; j < dim; j++)
			row[j] = centre[i % 200 * dim + j] + 4 * (float)ims_random_unit(&random);
		snprintf(name, sizeof name, "/folder%zu/%zu", i % 200, i);
		imgsearch_input in = imgsearch_input_vector(row, dim);
		imgsearch_index_add_options named = { .struct_size = sizeof named, .name = name };
		if (imgsearch_index_add(s, &in, &named, NULL, NULL, &err))
			return printf("%s\n", err.message), 1;
	}
	clock_t start = clock();
	if (imgsearch_eval_run(s, NULL, NULL, &report, &err))
		return printf("%s\n", err.message), 1;
	printf("%zu against %zu of %zu values, %u threads: %.2f s (%.2f s of processor time), %.3f ms "
		   "a query; mAP %.4f\n",
		n, n, dim, o.threads, report->seconds, (double)(clock() - start) / CLOCKS_PER_SEC,
		report->query_seconds * 1e3, report->all->map);
	imgsearch_eval_report_free(report);
	imgsearch_close(s);
	free(row);
	free(centre);
	return 0;
}
