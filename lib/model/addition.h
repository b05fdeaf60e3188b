/* A model that is being added: what its parts have in common. One thread. */
#ifndef IMS_MODEL_ADDITION_H
#define IMS_MODEL_ADDITION_H

#include "base/cancel.h"
#include "model/card.h"
#include "model/published.h"

#include <stdio.h>

typedef struct addition {
	const char *path, *name;
	const imgsearch_model_add_options *o;
	const imgsearch_recipe *recipe;
	const stop_token *stop;
	published_list list;
	const published *from; /* the published model that it is, in list; NULL: none */
	published model;       /* what its record will say */
	text_list source;      /* paths of its files, in the order of model.files */
	model_card card;
	char *folder, *new_folder, *weights; /* the last: in new_folder */
	int lock;
} addition;

/* given, or other where that is NULL, cut to the size. */
static inline void set_text(char *out, size_t size, const char *given, const char *other)
{
	snprintf(out, size, "%.*s", (int)size - 1, given ? given : other);
}
#define SET_TEXT(out, given, other) set_text(out, sizeof(out), given, other)

/* Fills source and model.files with what is to be added. EINVAL, ENOTFOUND, EIO, ENOMEM. */
int ims_addition_list(addition *a, imgsearch_error *err);

/* A file's name must not leave the folder, nor be that of our own files. EINVAL. */
int ims_addition_check(const addition *a, imgsearch_error *err);

#endif
