/*
 * Many queries in one call, five seconds at most: the pictures go through the network together.
 *
 *	batch_query INDEX PICTURE...
 */
#include <imgsearch.h>

#include <stdio.h>
#include <stdlib.h>

/* A picture that fails has its own error; the others have their answers. */
static void show(const char *picture, const imgsearch_answer *answer)
{
	if (answer->error)
		printf("%s: error: %s\n", picture, answer->error->message);
	else if (answer->hits->count == 0)
		printf("%s: no hit\n", picture);
	else
		printf("%s: %.4f %s\n", picture, answer->hits->items[0]->score,
			answer->hits->items[0]->path);
}

static int ask(imgsearch *s, const imgsearch_input *inputs, size_t n, imgsearch_answers **answers,
	imgsearch_error *err)
{
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	options.k = 1;
	options.fields = IMGSEARCH_FIELDS_PATHS;
	call.deadline_ms = 5000;
	return imgsearch_batch_query(s, inputs, n, &options, &call, answers, err);
}

int main(int argc, char **argv)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_answers *answers = NULL;
	imgsearch_error err;
	imgsearch *s = NULL;
	if (argc < 3)
		return fprintf(stderr, "usage: batch_query INDEX PICTURE...\n"), 2;
	size_t n = (size_t)argc - 2;
	imgsearch_input *inputs = (imgsearch_input *)calloc(n, sizeof *inputs);
	if (!inputs)
		return 1;
	for (size_t i = 0; i < n; i++)
		inputs[i] = imgsearch_input_file(argv[i + 2]);

	options.must_exist = 1;
	options.read_only = 1;
	int rc = imgsearch_open(argv[1], &options, NULL, &s, &err);
	if (rc == 0)
		rc = ask(s, inputs, n, &answers, &err);
	for (size_t i = 0; rc == 0 && i < answers->count; i++)
		show(argv[i + 2], answers->items[i]);
	if (rc)
		fprintf(stderr, "%s: %s\n", imgsearch_status_text(rc), err.message);
	imgsearch_answers_free(answers);
	imgsearch_close(s);
	free(inputs);
	return rc != 0;
}
