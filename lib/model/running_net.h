/*
 * A network of the shim and the thread that it runs on. OpenMP keeps a team of threads for each
 * thread that calls libtorch, and libtorch initialises itself in each: so the thread that loads a
 * network also runs it, whoever asks.
 */
#ifndef IMS_MODEL_RUNNING_NET_H
#define IMS_MODEL_RUNNING_NET_H

#include "base/base.h"
#include "model/identity.h"
#include "model/shim_load.h"
#include "model/weights.h"

typedef struct running_net {
	const shim_table *shim;
	shim_net *net;
	pool *thread; /* one thread; a task of it at a time */
	unsigned threads;
} running_net;

/*
 * Loads the network, or with `words` its text tower, from opened weights, which are borrowed for
 * the call. EMODEL, EUNSUPPORTED and others of the shim with its sentence in msg, which is "" after
 * other errors. ims_running_net_close also after a failure. *n is zero before.
 */
int ims_running_net_open(running_net *n, const model_identity *id, const model_spec *spec,
	const weights *w, bool words, shim_message *msg, imgsearch_error *err);
void ims_running_net_close(running_net *n);

#endif
