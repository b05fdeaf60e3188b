#include "cli/serve/filter_request.h"

#include "cli/base/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} texts[] = {
#define AT(member) offsetof(filter_request, member)
	{ "under", AT(under) },
	{ "after", AT(after) },
	{ "before", AT(before) },
	{ "camera", AT(camera) },
	{ "near", AT(near) },
	{ "where", AT(where) },
#undef AT
};

enum { TEXTS = sizeof texts / sizeof *texts };

static char **text_of(filter_request *f, size_t i)
{
	return (char **)((char *)f + texts[i].offset);
}

void filter_request_free(filter_request *f)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(*text_of(f, i));
	for (size_t i = 0; i < f->n_keywords; i++)
		free(f->keyword[i]);
	free(f->condition);
	*f = (filter_request){ 0 };
}

static const char *add_keyword(filter_request *f, const char *word)
{
	if (f->n_keywords == REQUEST_KEYWORDS)
		return "keyword: too many";
	f->keyword[f->n_keywords] = strdup(word);
	return f->keyword[f->n_keywords] && ++f->n_keywords ? NULL : "out of memory";
}

const char *filter_request_param(filter_request *f, const char *name, const char *value,
	bool *known)
{
	const char *text = value ? value : "";
	*known = true;
	if (!strcmp(name, "keyword"))
		return *text ? add_keyword(f, text) : "keyword: a word is needed";
	for (size_t i = 0; i < TEXTS; i++) {
		if (strcmp(name, texts[i].name))
			continue;
		free(*text_of(f, i));
		*text_of(f, i) = strdup(text);
		return *text_of(f, i) ? NULL : "out of memory";
	}
	*known = false;
	return NULL;
}

/* A parameter that is empty asks nothing. */
static const char *given(const char *text)
{
	return text && *text ? text : NULL;
}

const char *filter_request_make(filter_request *f, bool *any)
{
	const condition asked = {
		.after = given(f->after),
		.before = given(f->before),
		.camera = given(f->camera),
		.near = given(f->near),
		.where = given(f->where),
		.keywords = (const char *const *)f->keyword,
		.n_keywords = f->n_keywords,
	};
	free(f->condition);
	const char *why = condition_text(&asked, &f->condition);
	f->filter = (imgsearch_filter){ .struct_size = sizeof f->filter, .columns = f->condition };
	if (given(f->under)) {
		f->filter.folders = (const char *const *)&f->under;
		f->filter.n_folders = 1;
	}
	*any = f->filter.folders || f->filter.columns;
	return why;
}

void filter_request_moved(filter_request *f)
{
	if (f->filter.folders)
		f->filter.folders = (const char *const *)&f->under;
}

char *filter_request_key(const filter_request *f)
{
	const char *under = given(f->under), *condition = f->condition;
	size_t n_under = under ? strlen(under) : 0;
	char *key = NULL; /* with the length in front, no two filters have one key */
	if (!under && !condition)
		return strdup("");
	return asprintf(&key, "%zu %s %s", n_under, under ? under : "", condition ? condition : "") < 0
		? NULL
		: key;
}
