/* The teachers of a distillation: networks whose features the student is to reproduce. */
#ifndef IMS_TRAIN_TEACHER_H
#define IMS_TRAIN_TEACHER_H

#include "model/identity.h"
#include "train/classifier.h"

enum { MAX_TEACHERS = 8 };

typedef struct teacher {
	model_identity id;
	model_spec spec;    /* borrows from text */
	classifier classes;
	char *text;         /* NAME and FILE, each terminated */
} teacher;

/*
 * A row of a teacher: its feature, L2-normalised, and behind it the roots of its class
 * probabilities.
 */
size_t ims_teacher_width(const teacher *t);

typedef struct teachers {
	teacher t[MAX_TEACHERS];
	size_t n;
	size_t dim;         /* of the rows of all, side by side */
} teachers;

/*
 * list: "NAME=FILE" or "FILE", separated by commas; start: device, precision and threads. On
 * failure nothing needs to be freed. EINVAL, EMODEL, EFORMAT, EIO, ENOMEM.
 */
int ims_teachers_open(teachers *t, const char *list, const model_spec *start, imgsearch_error *err);
void ims_teachers_close(teachers *t);

#endif
