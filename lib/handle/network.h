/* Whether a handle can run a network, and which. */
#ifndef IMS_HANDLE_NETWORK_H
#define IMS_HANDLE_NETWORK_H

#include "handle/handle.h"

/* imgsearch_network_get. *out is freed by imgsearch_network_free. Any thread. */
int ims_network(imgsearch *s, imgsearch_network **out, imgsearch_error *err);

#endif
