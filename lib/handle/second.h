/*
 * The second model of an index: a handle of its own, which shows that model's vectors, searchers
 * and settings as those of the index. What asks or builds works with it as with any other. It is
 * opened when it is first needed, and closed with the handle of the index.
 */
#ifndef IMS_HANDLE_SECOND_H
#define IMS_HANDLE_SECOND_H

#include "handle/handle.h"

/*
 * The handle that answers by the model of that name, s or that of its second model: borrowed. NULL:
 * the options of s may name the second one; otherwise s. ENOTFOUND: the index has no model of that
 * name. EDB, EIO, ENOMEM. Any thread.
 */
int ims_second_choose(imgsearch *s, const char *model, imgsearch **out, imgsearch_error *err);

/*
 * Whether a call failed only since the two models were exchanged after its handle was chosen: then
 * it chooses again.
 */
bool ims_second_is_exchanged(int rc, const imgsearch_error *err);

/* The handle of the second model; NULL: the index has none. Errors and threads as above. */
int ims_second_get(imgsearch *s, imgsearch **out, imgsearch_error *err);

/* Whether the options of the handle name the second model of its index, without weights. */
int ims_second_is_named(imgsearch *s, bool *named, imgsearch_error *err);

/*
 * A text could not be compared by the model `name`: where another model of the index may do it, err
 * says so, with detail ETOOMANYREFS. rc is that of err, and returned.
 */
int ims_second_tell_words(imgsearch *s, const char *name, int rc, imgsearch_error *err);

/*
 * EMODEL, detail ESRCH: no model of the index has the name that the options of the handle name,
 * whose weights are not there either. The sentence names those it has.
 */
int ims_second_refuse_name(imgsearch *s, imgsearch_error *err);

/* The same for what needs no weights: 0 where the options name a model of the index, or none. */
int ims_second_check_name(imgsearch *s, imgsearch_error *err);

/*
 * imgsearch_index_model_switch and imgsearch_index_model_drop; they acquire the writer lock.
 * ENOTFOUND: the index has no such model; EINVAL: drop, and it is the current one.
 */
int ims_second_switch(imgsearch *s, const char *name, job *j, imgsearch_error *err);
int ims_second_drop(imgsearch *s, const char *name, job *j, imgsearch_error *err);

#endif
