/*
 * A copy of an index that is in use: one thread adds pictures while another one backs up.
 *
 *	backup INDEX TARGET PICTURE...
 */
#include <imgsearch.h>

#include <pthread.h>
#include <stdio.h>

typedef struct job {
	imgsearch *s;
	imgsearch_cancel_token *token; /* stops the adding thread */
	char **paths;
	int n, added, failed;
} job;

static void *add_all(void *arg)
{
	job *j = (job *)arg;
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	call.cancel = j->token;
	for (int i = 0; i < j->n; i++) {
		imgsearch_error err;
		imgsearch_input in = imgsearch_input_file(j->paths[i]);
		int rc = imgsearch_index_add(j->s, &in, NULL, &call, NULL, &err);
		if (rc == IMGSEARCH_ECANCELED)
			break;
		if (rc)
			fprintf(stderr, "%s\n", err.message);
		j->added += rc == 0;
		j->failed += rc != 0;
	}
	return NULL;
}

static int back_up(job *j, const char *target, imgsearch_error *err)
{
	pthread_t thread;
	imgsearch_index_backup_options options = IMGSEARCH_INIT(imgsearch_index_backup_options);
	options.replace = 1;
	if (pthread_create(&thread, NULL, add_all, j))
		return snprintf(err->message, sizeof err->message, "no thread"), IMGSEARCH_EIO;
	int rc = imgsearch_index_backup(j->s, target, &options, NULL, err);
	if (rc)
		imgsearch_cancel_token_set(j->token);
	pthread_join(thread, NULL);
	return rc;
}

int main(int argc, char **argv)
{
	job j = { NULL, NULL, NULL, 0, 0, 0 };
	imgsearch_error err;
	if (argc < 4)
		return fprintf(stderr, "usage: backup INDEX TARGET PICTURE...\n"), 2;
	j.paths = argv + 3;
	j.n = argc - 3;
	int rc = imgsearch_open(argv[1], NULL, NULL, &j.s, &err);
	if (rc == 0)
		rc = imgsearch_cancel_token_new(&j.token, &err);
	if (rc == 0)
		rc = back_up(&j, argv[2], &err);
	if (rc)
		fprintf(stderr, "%s: %s\n", imgsearch_status_text(rc), err.message);
	printf("%d added, %d failed, backup %s\n", j.added, j.failed, rc ? "failed" : "done");
	imgsearch_cancel_token_free(j.token);
	imgsearch_close(j.s);
	return rc || j.failed;
}
