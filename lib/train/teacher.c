/* Teachers, from a list of names and files. */
#include "train/teacher.h"

#include <string.h>

size_t ims_teacher_width(const teacher *t)
{
	return t->id.dim + t->classes.n;
}

void ims_teachers_close(teachers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		ims_model_identity_free(&s->t[i].id);
		ims_classifier_close(&s->t[i].classes);
		ims_free(s->t[i].text);
	}
	s->n = 0;
}

/* text (n): "NAME=FILE" or "FILE". */
static int add(teachers *s, const char *text, size_t n, const model_spec *start,
	imgsearch_error *err)
{
	if (s->n == MAX_TEACHERS)
		return ims_fail(err, IMGSEARCH_EINVAL, "more than %d teachers", MAX_TEACHERS);
	teacher *t = &s->t[s->n];
	*t = (teacher){ .text = ims_strndup(text, n) };
	if (!t->text)
		return ims_nomem(err);
	s->n++;
	char *equals = strchr(t->text, '=');
	if (equals)
		*equals = '\0';
	t->spec = (model_spec){
		.name = equals ? t->text : NULL,
		.weights = equals ? equals + 1 : t->text,
		.device = start->device,
		.precision = start->precision,
		.threads = start->threads,
	};
	int rc = ims_model_identify(&t->id, &t->spec, err);
	t->id.recipe.crops = 1; /* training has views of its own */
	if (!rc)
		rc = ims_classifier_open(&t->classes, t->id.weights, t->id.dim, err);
	s->dim += rc ? 0 : ims_teacher_width(t);
	return rc;
}

int ims_teachers_open(teachers *s, const char *list, const model_spec *start, imgsearch_error *err)
{
	int rc = 0;
	*s = (teachers){ 0 };
	for (const char *at = list; !rc && *at;) {
		size_t n = strcspn(at, ",");
		if (n)
			rc = add(s, at, n, start, err);
		at += n + (at[n] == ',');
	}
	if (!rc && !s->n)
		rc = ims_fail(err, IMGSEARCH_EINVAL, "no teacher is named");
	if (rc)
		ims_teachers_close(s);
	return rc;
}
