/*
 * Models that were added: each has a folder NAME in imgsearch/models of the XDG data folder, with
 * the weights NAME.pth (or another ending), the card NAME.json, other files under their own names,
 * and the record added.json. A folder is made as .NAME.new beside it, synced and renamed, so it is
 * complete or absent. A lock on imgsearch/models lets one program at a time add or remove.
 */
#ifndef IMS_MODEL_ADDED_H
#define IMS_MODEL_ADDED_H

#include "base/cancel.h"
#include "model/published.h"

/*
 * As the public functions of those names; options are complete, arguments are not NULL. recipe is
 * that of the options, complete.
 */
int ims_added_add(const char *path, const char *name, const imgsearch_model_add_options *o,
	const imgsearch_recipe *recipe, const stop_token *stop, imgsearch_error *err);
int ims_added_verify(const char *name, imgsearch_model_check_fn each, void *user,
	const stop_token *stop, imgsearch_error *err);
int ims_added_remove(const char *name, imgsearch_error *err);

/*
 * The record of a model; ims_published_clear frees *out. ENOTFOUND, with no sentence: none of that
 * name was added; EFORMAT, EIO, ENOMEM.
 */
int ims_added_record(published *out, const char *name, imgsearch_error *err);

int ims_added_none(const char *name, imgsearch_error *err); /* ENOTFOUND, with its sentence */

/* The names of the models with a record, sorted; ims_texts_free. EIO, ENOMEM. */
int ims_added_names(text_list *out, imgsearch_error *err);

#endif
