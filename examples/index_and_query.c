/*
 * Indexing with everything a program may want of it: progress, log, Ctrl-C, patterns, counts,
 * reasons, a helper process for formats of other libraries. Then the ten pictures most like
 * PICTURE.
 *
 *	index_and_query INDEX FOLDER PICTURE
 */
#include <imgsearch.h>

#include <signal.h>
#include <stdio.h>

static imgsearch_cancel_token *token;

static void on_interrupt(int number)
{
	(void)number;
	/* may be called from a signal handler; what was committed stays */
	imgsearch_cancel_token_set(token);
}

/* Called on this thread, at most some ten times a second. Returning non-zero would cancel, too. */
static int on_progress(void *user, const imgsearch_progress *p)
{
	(void)user;
	fprintf(stderr, "\r%s %llu of %llu, %llu failed", p->stage, (unsigned long long)p->done,
		(unsigned long long)p->total, (unsigned long long)p->failed);
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

static int index_folder(imgsearch *s, const char *folder, const imgsearch_call *call,
	imgsearch_error *err)
{
	const char *leave_out[] = { "thumbs", "*.tmp" };
	imgsearch_index_update_options options = IMGSEARCH_INIT(imgsearch_index_update_options);
	imgsearch_index_update_report *report;
	options.exclude = leave_out;
	options.n_exclude = 2;
	int rc = imgsearch_index_update(s, &folder, 1, &options, call, &report, err);
	if (rc)
		return rc;
	printf("%llu pictures, %llu paths new\n", (unsigned long long)report->counts->indexed,
		(unsigned long long)report->added);
	imgsearch_index_update_report_free(report);
	rc = imgsearch_item_each(s, 0, show_bad, NULL, call, err);
	return rc ? rc : imgsearch_build(s, NULL, call, NULL, err);
}

static int query(imgsearch *s, const char *picture, const imgsearch_call *call,
	imgsearch_error *err)
{
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_file(picture);
	imgsearch_hits *hits;
	options.k = 10;
	options.fields = IMGSEARCH_FIELDS_PATHS; /* neither titles nor columns are looked up */
	int rc = imgsearch_query(s, &in, 1, &options, call, &hits, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < hits->count; i++)
		printf("%.4f %s\n", hits->items[i]->score, hits->items[i]->path);
	imgsearch_hits_free(hits);
	return 0;
}

int main(int argc, char **argv)
{
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_error err;
	imgsearch *s = NULL;
	int helper = imgsearch_decoder_serve(argc, argv);
	if (helper >= 0) /* a child process of this program, which decoded pictures */
		return helper;
	options.decoder = "/proc/self/exe"; /* a hostile WebP or HEIC then costs that picture alone */
	if (argc != 4)
		return fprintf(stderr, "usage: index_and_query INDEX FOLDER PICTURE\n"), 2;
	if (imgsearch_cancel_token_new(&token, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	signal(SIGINT, on_interrupt);
	call.log = on_log;
	call.progress = on_progress;
	call.cancel = token;

	int rc = imgsearch_open(argv[1], &options, &call, &s, &err);
	if (rc == 0)
		rc = index_folder(s, argv[2], &call, &err);
	fputc('\n', stderr);
	if (rc == 0)
		rc = query(s, argv[3], &call, &err);
	if (rc)
		fprintf(stderr, "%s: %s\n", imgsearch_status_text(rc), err.message);

	signal(SIGINT, SIG_DFL); /* before the token goes */
	imgsearch_close(s);
	imgsearch_cancel_token_free(token);
	return rc != 0;
}
