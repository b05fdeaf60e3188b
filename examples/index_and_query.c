/*
 * Indexing with everything a program may want of it: progress, log, cancel by Ctrl-C, options,
 * counts, reasons.
 *
 *	add_folder INDEX FOLDER...
 */
#include <imgsearch.h>

#include <signal.h>
#include <stdio.h>

static imgsearch *index_to_cancel;

static void on_interrupt(int number)
{
	(void)number;
	/* may be called from a signal handler; what was done stays */
	imgsearch_cancel(index_to_cancel);
}

/* Called on this thread, at most some ten times a second. Returning non-zero would cancel, too. */
static int on_progress(void *user, const imgsearch_progress *p)
{
	(void)user;
	fprintf(stderr, "\r%s %llu of %llu", p->stage, (unsigned long long)p->done,
		(unsigned long long)p->total);
	return 0;
}

static void on_log(void *user, int level, const char *text)
{
	(void)user;
	if (level <= IMGSEARCH_LOG_WARNING)
		fprintf(stderr, "\n%s\n", text);
}

/* A bad file never fails the run: it is remembered with its reason. */
static int show_bad(void *user, const imgsearch_item *item)
{
	(void)user;
	if (item->reason && item->state != IMGSEARCH_STATE_EXCLUDED)
		printf("%s: %s\n", item->path, item->reason);
	return 0;
}

int main(int argc, char **argv)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_index_update_options how = IMGSEARCH_INIT(imgsearch_index_update_options);
	const char *leave_out[] = { "thumbs", "*.tmp" };
	imgsearch_counts counts;
	imgsearch_error err;
	imgsearch *s;
	if (argc < 3)
		return fprintf(stderr, "usage: add_folder INDEX FOLDER...\n"), 2;

	options.events.progress = on_progress;
	options.events.log = on_log;
	if (imgsearch_open(&s, argv[1], &options, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	index_to_cancel = s;
	signal(SIGINT, on_interrupt);

	how.exclude = leave_out;
	how.n_exclude = 2;
	int rc = imgsearch_index_update(s, (const char *const *)argv + 2, (size_t)argc - 2, &how,
		&counts, &err);
	if (rc == 0)
		rc = imgsearch_build(s, NULL, NULL, &err);
	fputc('\n', stderr);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	else
		printf("%llu pictures, %llu paths new\n", (unsigned long long)counts.indexed,
			(unsigned long long)counts.added);
	imgsearch_item_each(s, 0, show_bad, NULL, NULL);
	imgsearch_close(s);
	return rc != 0;
}
