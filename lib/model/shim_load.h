/* The shim, which brings libtorch into the process. */
#ifndef IMS_MODEL_SHIM_LOAD_H
#define IMS_MODEL_SHIM_LOAD_H

#include "imgsearch.h"
#include "shim/shim.h"

/*
 * The table of the shim, which is loaded once a process and never unloaded. Any thread. EMODEL with
 * detail ELIBACC: the message says what is missing.
 */
int ims_shim_load(const shim_table **out, imgsearch_error *err);

/* Whether the shim is loaded, or its file is there. Loads nothing. 0, EMODEL (ELIBACC), ENOMEM. */
int ims_shim_find(imgsearch_error *err);

#endif
