/*
 * Trains the default network on folders of labelled pictures, FOLDER/CLASS/picture.jpg, and says
 * how well the old and the new network find pictures of one class. Ctrl-C ends it early.
 *
 *	learn FOLDER OUT.safetensors [STEPS]
 */
#include <imgsearch.h>
#include <imgsearch/eval.h>
#include <imgsearch/train.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static imgsearch *training;

/* Stops whatever the handle does; may be called from a signal handler. */
static void on_interrupt(int number)
{
	(void)number;
	imgsearch_cancel(training);
}

static int train(const char *folder, const char *out, uint32_t steps, imgsearch_error *err)
{
	imgsearch_train_options options = IMGSEARCH_INIT(imgsearch_train_options);
	imgsearch_train_report *report;
	options.out = out;
	options.steps = steps;
	options.layers = 2; /* the last ones alone: quick */
	options.restart = 1;
	int rc = imgsearch_open(":memory:", NULL, NULL, &training, err);
	if (rc)
		return rc;
	signal(SIGINT, on_interrupt);
	rc = imgsearch_train(training, folder, &options, NULL, &report, err);
	signal(SIGINT, SIG_DFL);
	imgsearch_close(training);
	if (rc)
		return rc;
	printf("%llu pictures of %llu classes, %llu steps\n", (unsigned long long)report->pictures,
		(unsigned long long)report->classes, (unsigned long long)report->steps);
	imgsearch_train_report_free(report);
	return 0;
}

/* model: a weights file with its card beside it; NULL: the default one. */
static int judge(const char *folder, const char *model, imgsearch_error *err)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_eval_report *report;
	imgsearch *s;
	options.model = model;
	int rc = imgsearch_open(":memory:", &options, NULL, &s, err);
	if (rc)
		return rc;
	rc = imgsearch_index_update(s, &folder, 1, NULL, NULL, NULL, err);
	if (rc == 0)
		rc = imgsearch_eval_run(s, NULL, NULL, &report, err);
	if (rc == 0) {
		printf("%s: mean average precision %.3f\n", model ? model : "default", report->all->map);
		imgsearch_eval_report_free(report);
	}
	imgsearch_close(s);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	if (argc != 3 && argc != 4)
		return fprintf(stderr, "usage: learn FOLDER OUT.safetensors [STEPS]\n"), 2;
	uint32_t steps = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
	int rc = judge(argv[1], NULL, &err);
	if (rc == 0)
		rc = train(argv[1], argv[2], steps, &err);
	if (rc == 0)
		rc = judge(argv[1], argv[2], &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	return rc != 0;
}
