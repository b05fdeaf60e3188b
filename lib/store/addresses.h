/* The addresses of an index that lies on servers. */
#ifndef IMS_STORE_ADDRESSES_H
#define IMS_STORE_ADDRESSES_H

#include "base/base.h"

/*
 * Those that `path` names: one, or several, a line each, or those of a text file of that path, one
 * a line, where empty lines and those that begin with # count nothing. None: it is the path of
 * something else. EINVAL: one of several lines is no address; EIO, ENOMEM.
 *
 * To open and close a file drops all locks that the process has on it. So one that may be an index,
 * by its size, is not looked at, unless it is known that it is none: `no_index`.
 */
int ims_addresses_read(text_list *out, const char *path, bool no_index, imgsearch_error *err);

#endif
