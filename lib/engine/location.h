/* Where an index is: a path, or a URI. */
#ifndef IMS_ENGINE_LOCATION_H
#define IMS_ENGINE_LOCATION_H

#include "base/base.h"

/*
 * The path of a location, freed by ims_free. A location that begins with a scheme and :// is a URI
 * (RFC 3986); file is the only scheme. EUNSUPPORTED: another scheme, or another host than this one;
 * EINVAL: a damaged escape; ENOMEM.
 */
int ims_location_path(const char *location, char **path, imgsearch_error *err);

#endif
