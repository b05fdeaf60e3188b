/*
 * Models: which there are, one that is added under a name of its own, and two in one index, of
 * which the second becomes the current one. At the end the index has its first model alone, and
 * the new one is removed from this machine.
 *
 *	models INDEX NAME WEIGHTS NETWORK
 */
#include <imgsearch.h>

#include <stdio.h>
#include <string.h>

static int show_suggested(void *user, const imgsearch_model *m)
{
	(void)user;
	if (m->suggested)
		printf("%s: %s, %u values%s\n", m->name, m->good_at ? m->good_at : "", m->dim,
			m->weights ? ", here" : "");
	return 0;
}

static int show_check(void *user, const imgsearch_model_check *check)
{
	(void)user;
	printf("%s of %s: %s\n", check->file, check->model, check->wrong ? check->wrong : "as added");
	return 0;
}

static int add(const char *name, const char *weights, const char *network, imgsearch_error *err)
{
	imgsearch_model_add_options options = IMGSEARCH_INIT(imgsearch_model_add_options);
	options.network = network;
	options.replace = 1;
	int rc = imgsearch_model_add(weights, name, &options, NULL, err);
	return rc ? rc : imgsearch_model_verify(name, show_check, NULL, NULL, err);
}

/* The folders of the index are read again, and every picture gets a second vector. */
static int add_to_index(const char *index, const char *name, imgsearch_error *err)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_index_update_options update = IMGSEARCH_INIT(imgsearch_index_update_options);
	imgsearch_index_update_report *report = NULL;
	imgsearch *s;
	options.must_exist = 1;
	options.model = name;
	update.add_model = 1;
	int rc = imgsearch_open(index, &options, NULL, &s, err);
	if (rc)
		return rc;
	rc = imgsearch_index_update(s, NULL, 0, &update, NULL, &report, err);
	if (rc == 0)
		printf("%llu vectors of %s\n", (unsigned long long)report->remade, name);
	imgsearch_index_update_report_free(report);
	imgsearch_close(s);
	return rc;
}

static int show_models(imgsearch *s, imgsearch_error *err)
{
	imgsearch_info *info;
	int rc = imgsearch_info_get(s, NULL, &info, err);
	if (rc)
		return rc;
	printf("current %s, second %s\n", info->model, info->second ? info->second->model : "-");
	imgsearch_info_free(info);
	return 0;
}

/* name becomes the current model of the index, then the first one again, and is dropped. */
static int use_and_drop(const char *index, const char *name, imgsearch_error *err)
{
	imgsearch_info *info = NULL;
	char first[64] = "";
	imgsearch *s;
	int rc = imgsearch_open(index, NULL, NULL, &s, err);
	if (rc)
		return rc;
	rc = imgsearch_info_get(s, NULL, &info, err);
	if (rc == 0)
		snprintf(first, sizeof first, "%s", info->model);
	imgsearch_info_free(info);
	if (rc == 0)
		rc = imgsearch_index_model_switch(s, name, NULL, err);
	if (rc == 0)
		rc = show_models(s, err);
	if (rc == 0)
		rc = imgsearch_index_model_switch(s, first, NULL, err);
	if (rc == 0)
		rc = imgsearch_index_model_drop(s, name, NULL, err);
	if (rc == 0)
		rc = show_models(s, err);
	imgsearch_close(s);
	return rc;
}

int main(int argc, char **argv)
{
	imgsearch_error err;
	if (argc != 5)
		return fprintf(stderr, "usage: models INDEX NAME WEIGHTS NETWORK\n"), 2;
	int rc = imgsearch_model_each(show_suggested, NULL, &err);
	if (rc == 0)
		rc = add(argv[2], argv[3], argv[4], &err);
	if (rc == 0)
		rc = add_to_index(argv[1], argv[2], &err);
	if (rc == 0)
		rc = use_and_drop(argv[1], argv[2], &err);
	if (rc == 0)
		rc = imgsearch_model_remove(argv[2], &err);
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	return rc != 0;
}
